"""Signals bear whatever the log leaves out: they say less, they never break."""

import pytest
from material import ago, made, named

from sspr_audit.evidence import patterns
from sspr_audit.model import Kind

LEFT_OUT = ("person", "upn", "ip", "ip_group", "site", "methods", "reason", "reason_key")
ADDRESS = ("ip", "ip_group", "site")


def flows(count, **left_out):
    """Yield flows of people who come again, at a site and elsewhere, with something left out."""
    for number in range(count):
        place = "Malmö" if number % 3 else f"198.51.100.{number % 5}"
        done = {} if number % 4 else {"outcome": "abandoned", "stage": 20}
        row = named(f"flow{number}", f"user{number % 9}", 1 + number % 40, place=place, **done)
        yield row | left_out


@pytest.mark.parametrize(
    ("count", "columns"),
    [
        *((count, ()) for count in (0, 1, 2, 9, 60)),
        *((count, columns) for count in (1, 60) for columns in (ADDRESS, LEFT_OUT)),
        *((60, (one,)) for one in LEFT_OUT),
    ],
)
def test_what_the_log_leaves_out_breaks_nothing(count, columns):
    """Every family of signals answers, with what it looked at or with what it lacks.

    Without a strange network there is nobody to suspect of probing, and nothing is lacking.
    """
    tested = list(patterns(made(flows(count, **dict.fromkeys(columns)))))

    assert {one.kind for one in tested} == set(Kind) - {Kind.EXPLICIT}
    assert all(one.tests or one.few for one in tested if one.kind is not Kind.PEOPLE)


def test_acts_without_flows_break_nothing():
    """A log of administrators' resets alone shows nothing, and that is said."""
    from material import act

    tested = list(patterns(made([], [act("user1", ago(3)), act("user2", ago(2))])))

    assert not any(one.suspicions for one in tested)
    assert all(one.few for one in tested if one.kind is not Kind.PEOPLE)
