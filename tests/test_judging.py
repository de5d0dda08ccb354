"""What signals say becomes a finding, or not, by rules that are told with it."""

from dataclasses import replace

import pytest
from material import END, HOUR, KNOWN, made, usual

from sspr_audit import evidence, model
from sspr_audit.evidence.material import LOOKS
from sspr_audit.judge import patterns as judge
from sspr_audit.model import Confidence, Few, Kind, Scope, Signal, State, Suspicion
from sspr_audit.report import why

TARGET = "email-not-received"
PATTERN = KNOWN.pattern(TARGET)
KINDS = {"other-way-works": Kind.PEOPLE, "sudden-onset": Kind.TIME, "changed-before": Kind.TIME}


def suspicion(p=1e-9, **states):
    """Return one where everything speaks for it; `states` are those of some of its signals."""
    given = {name.replace("_", "-"): state for name, state in states.items()}
    usual = dict.fromkeys([*PATTERN.needs, *PATTERN.supports], State.FIRED)
    usual |= dict.fromkeys(PATTERN.spoilers, State.QUIET)
    signals = tuple(
        Signal(name, KINDS.get(name, Kind.STALLED), state, f"What {name} says", needs="more data")
        for name, state in (usual | given).items()
    )
    began, ended = END - HOUR, END
    flows = tuple(f"flow-{n}" for n in range(9))
    scope = Scope(sites=("Malmö",))
    return Suspicion(TARGET, Kind.STALLED, p, scope, 9, 9, began, ended, signals, flows)


def judged(*suspicions, tests=100, part=1.0):
    """Return the judgements of these suspicions, which may use such a part of the rate."""
    tested = [model.Tested(Kind.STALLED, tests, suspicions, part=part)]
    return judge.judgements(tested, KNOWN)


def confidence(**words):
    (one,) = judged(suspicion(**words))
    return one.confidence


def test_what_everything_speaks_for_is_likely():
    assert confidence() is Confidence.LIKELY


@pytest.mark.parametrize("state", [State.FIRED, State.FEW, State.UNKNOWN])
def test_a_spoiler_that_is_not_quiet_keeps_it_at_possible(state):
    """One that fired speaks against it, one that could not be told does not clear it."""
    (one,) = judged(suspicion(wrong_codes=state))
    (found,) = judge.findings([one], KNOWN, cloud=None, events={})

    assert one.confidence is found.confidence is Confidence.POSSIBLE
    assert [each.signal for each in found.against] == ["wrong-codes"] * (state is State.FIRED)
    asked = "more data (would tell: wrong-codes)" in found.confirm_with
    assert asked is (state is not State.FIRED)


@pytest.mark.parametrize("state", [State.QUIET, State.FEW, State.UNKNOWN])
def test_a_need_that_did_not_fire_leaves_no_finding(state):
    assert confidence(code_not_entered=state) is None


def test_a_signal_of_the_same_kind_does_not_agree():
    """Two families must: without any of another family it is possible."""
    alone = dict.fromkeys(("other_way_works", "sudden_onset", "changed_before"), State.QUIET)

    assert confidence(**alone) is Confidence.POSSIBLE
    assert confidence(**alone | {"sudden_onset": State.FIRED}) is Confidence.LIKELY


def test_chance_is_weighed_over_every_test_and_every_look():
    """The same p is a finding among few tests, and none among many, or for a part of the rate."""
    p = KNOWN.weights.numbers["false_discovery"] / 100

    assert judged(suspicion(p), tests=100)[0].confidence
    assert judged(suspicion(p), tests=101)[0].confidence is None
    assert judged(suspicion(p), tests=100, part=0.5)[0].confidence is None


def test_what_stands_by_two_signs_together_is_possible_at_most():
    """A second sign that made it no chance is no further sign that agrees."""
    p = KNOWN.weights.numbers["false_discovery"] / 100

    assert judged(replace(suspicion(p), alone=p))[0].confidence is Confidence.LIKELY
    (one,) = judged(replace(suspicion(p), alone=p * 1.01))
    assert one.confidence is Confidence.POSSIBLE
    assert "may be chance" in one.because[-2]
    assert judged(replace(suspicion(p * 1.01), alone=p * 1.01))[0].confidence is None


def test_every_look_has_its_part_of_the_rate():
    """All together use no more than all of it, and a silence has most."""
    parts = [one.part for one in evidence.patterns(made(usual()))]

    assert len(parts) == LOOKS
    assert sum(parts) == pytest.approx(1)
    assert max(parts) == KNOWN.weights.numbers["silences_part"]


@pytest.mark.parametrize("tests", [1, 7, 300])
@pytest.mark.parametrize("others", [0, 5])
def test_what_is_left_out_of_other_tests_is_told_itself(tests, others):
    """Sure enough to be left out is sure enough to be a finding, and nothing falls between."""
    every = max(tests, 1 + others)
    part = made([]).part(Kind.STALLED)
    limit = KNOWN.weights.numbers["false_discovery"] * part / every
    mine = suspicion(p=limit)
    more = tuple(
        replace(suspicion(p=0.5), flow_ids=(f"other-{n}",), scope=Scope(sites=(f"s{n}",)))
        for n in range(others)
    )
    family = model.Tested(Kind.STALLED, tests, (mine, *more))
    beyond = model.Tested(Kind.STALLED, every, (replace(mine, p=limit * 1.001),))

    assert evidence.certain(family, made([])) == (mine,)
    assert evidence.certain(beyond, made([])) == ()
    told = judged(mine, *more, tests=tests, part=part)
    assert told[0].suspicion == mine
    assert told[0].confidence


def test_what_is_part_of_another_is_told_once():
    """Mostly the same flows, the same cause: one finding, whatever came first."""
    one, part = suspicion(), replace(suspicion(), users=4, flow_ids=("flow-1", "flow-2"))
    apart = replace(suspicion(), flow_ids=("flow-91", "flow-92"))

    assert [each.suspicion for each in judged(part, one)] == [one]
    assert len(judged(one, apart)) == 2


def test_the_way_to_the_verdict_is_told():
    """Each signal with its state, what decided, and which places were too small."""
    judgements = judged(suspicion(wrong_codes=State.UNKNOWN))
    few = Few(TARGET, Scope(sites=("Lund",)), "more people: 3 who try at Lund (4 so far)")
    tested = [model.Tested(Kind.STALLED, 100, few=(few,))]
    page = why.page(TARGET, KNOWN, findings=(), tested=tested, judgements=judgements)
    text = " ".join(page.split())

    assert "POSSIBLE: at Malmö" in text or "POSSIBLE: Malmö" in text
    assert "code-not-entered: yes. What code-not-entered says" in text
    assert "wrong-codes: not known. What wrong-codes says; would tell: more data" in text
    assert "Against it: wrong-codes is unknown." in text
    assert few.needs in text
