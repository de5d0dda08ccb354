"""Flows are linked to the device they were most likely made on, and how surely is said."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import (
    DAY,
    END,
    HOUR,
    MINUTE,
    OFFICE,
    at_screen,
    context,
    device,
    framed,
    made,
    sign_in,
)

from sspr_audit import tables
from sspr_audit.evidence import aftermath, devices
from sspr_audit.model import Context

AT = END - 5 * DAY


def linked(flows, **known):
    return devices.of_flows(made(flows).flows, context(**known))


def link(*, at=AT, **known):
    """Return device and rank of one flow of person 1, at home."""
    (row,) = linked([at_screen(1, at)], **known).itertuples()
    return None if pd.isna(row.rank) else (row.device_id, row.rank)


OWN = sign_in(1, AT - 5 * MINUTE, device_id="own")
SAME = sign_in(1, AT - 2 * DAY, device_id="same")
LAST = sign_in(1, AT - DAY, device_id="last", ip=OFFICE)


def test_the_strongest_link_wins():
    """A sign-in beside the flow, then the last from there, then the last, then the only one."""
    assert link(sign_ins=[LAST, SAME, OWN]) == ("own", 1)
    assert link(sign_ins=[LAST, SAME]) == ("same", 2)
    assert link(sign_ins=[LAST]) == ("last", 3)
    assert link(sign_ins=[], devices=[device(1)]) == ("pc-1", 4)
    assert link(sign_ins=[]) is None


def test_the_link_is_said_in_words():
    for n, signed in enumerate(([OWN], [SAME], [LAST]), start=1):
        (row,) = linked([at_screen(1, AT)], sign_ins=signed).itertuples()

        assert row.link == devices.LINKS[n - 1]


@pytest.mark.parametrize(
    ("minutes", "own"), [(-11, False), (-10, True), (-1, True), (12, True), (14, False)]
)
def test_a_sign_in_belongs_to_a_flow_for_ten_minutes_on_either_side(minutes, own):
    """The flow takes three minutes."""
    found = link(sign_ins=[sign_in(1, AT + minutes * MINUTE, device_id="own")])

    assert (found == ("own", 1)) is own


def test_the_nearest_of_two_sign_ins_is_the_flows_own():
    near = [sign_in(1, AT + m * MINUTE, device_id=f"at{m}") for m in (-6, -2, 5)]

    assert link(sign_ins=near) == ("at-2", 1)


@pytest.mark.parametrize(
    "other",
    [
        {"device_id": None},
        {"of_windows": False, "os": "Ios 19"},
        {"person": "id-2"},
        {"time_utc": AT - 15 * DAY, "device_id": "old"},
    ],
    ids=["no device", "a phone", "somebody else", "long ago"],
)
def test_what_is_no_recent_windows_device_of_the_person_is_no_link(other):
    found = link(sign_ins=[{**LAST, **other}, {**LAST, **other, "device_id": None}])

    assert found in {None, ("old", 4)}


def test_a_failed_sign_in_names_the_device_too():
    """Whoever forgot the password tried it first."""
    assert link(sign_ins=[{**OWN, "succeeded": False, "error": 50126}]) == ("own", 1)


def test_a_person_of_two_devices_is_not_guessed_at():
    both = [device(1), device(1, device_id="tablet")]

    assert link(devices=both) is None
    assert link(devices=[*both[:1], device(1, device_id="phone", os="IPhone")]) == ("pc-1", 4)


def test_a_device_of_intune_is_the_persons_own():
    row = {"device_id": "pc-9", "person": "id-1", "os_version": "10.0.26100.1", "model": "X1"}
    (found,) = linked([at_screen(1, AT)], managed=[{**row, "maker": "Acme"}]).itertuples()

    assert (found.device_id, found.maker, found.model) == ("pc-9", "Acme", "X1")
    assert found.os_version == "10.0.26100.1"


def test_the_directory_is_believed_before_a_sign_in():
    (row,) = linked(
        [at_screen(1, AT)],
        sign_ins=[{**OWN, "device_id": "pc-1", "trust": "registered"}],
        devices=[device(1, "hybrid")],
    ).itertuples()

    assert (row.trust, row.os) == ("hybrid", "Windows")


def test_without_context_every_flow_has_a_row_of_nulls():
    found = devices.of_flows(made([at_screen(1, AT), at_screen(2, AT)]).flows, Context())

    assert list(found.columns) == list(devices.FLOW_DEVICES.columns)
    assert found.drop(columns="flow_id").isna().all(axis=None)
    assert len(devices.of_flows(made([]).flows, Context())) == 0


def test_frames_fresh_from_a_query_that_found_nothing_are_right():
    """Arrow gives their text columns without a single part, which pandas cannot take from."""
    import pyarrow as pa

    texts = pa.chunked_array([], pa.large_string())
    times = pa.chunked_array([], pa.timestamp("ns"))
    kinds = {tables.TIME: times, "bool": pa.chunked_array([], pa.bool_())}
    kinds["Int64"] = pa.chunked_array([], pa.int64())
    columns = tables.SIGN_INS.columns
    bare = pa.table({name: kinds.get(one.dtype, texts) for name, one in columns.items()})
    none = Context(sign_ins=tables.SIGN_INS.shape(bare))

    assert devices.of_flows(made([at_screen(1, AT)]).flows, none)["rank"].isna().all()
    assert aftermath.tested(made([at_screen(1, AT)], known=none)).suspicions == ()


def test_a_flow_of_nobody_from_nowhere_has_none():
    rows = [{**at_screen(1, AT), "person": None}, at_screen(2, AT, ip_group=None)]
    found = linked(rows, sign_ins=[OWN, {**OWN, "person": None}, {**SAME, "person": "id-2"}])

    assert list(found["rank"].fillna(0)) == [0, 3]


def test_types_are_as_declared():
    found = linked([at_screen(1, AT)], sign_ins=[OWN])

    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        name: column.dtype for name, column in devices.FLOW_DEVICES.columns.items()
    }


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(dice):
    flows = [at_screen(n % 5, AT + n * HOUR) for n in range(12)]
    signed = [
        sign_in(n % 4, AT + (n % 7) * HOUR, device_id=f"d{n % 3}", sign_in_id=f"s{n}")
        for n in range(30)
    ]
    before = devices.of_flows(framed(tables.FLOWS, flows), context(sign_ins=signed))
    dice.shuffle(flows)
    dice.shuffle(signed)
    after = devices.of_flows(framed(tables.FLOWS, flows), context(sign_ins=signed))

    assert told(after) == told(before)


def told(found):
    return found.astype("object").fillna("").sort_values("flow_id").to_dict("records")
