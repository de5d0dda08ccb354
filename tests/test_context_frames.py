"""Context becomes frames: equal in every form, unknown where missing, and never a crash."""

import json
from datetime import UTC, datetime, timedelta

import keep
import pandas as pd
import pytest
from graph_records import audit, device, guid, named_location, registration, sign_in
from hypothesis import given, settings
from hypothesis import strategies as st

from sspr_audit import engine, knowledge, tables
from sspr_audit.model import Batch, Form, Layout, ResetLink, Site, Window
from sspr_audit.normalize import contexts, events, locations, records
from sspr_audit.normalize.contexts import Beside
from sspr_audit.pipeline import stored_context
from sspr_audit.store import contexts as stored

NOW = datetime(2026, 11, 20, tzinfo=UTC)
BASELINE = Window(NOW - timedelta(days=90), NOW)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SITES = (Site("Malmö", ("192.0.2.0/24",)),)
PC = guid(2**32 + 1)


def framed(rows=(), audits=(), beside=None):
    """Return the context of (kind, record) pairs, or (file, kind, record)."""
    import pyarrow as pa

    rows = [row if len(row) == 3 else (0, *row) for row in rows]
    texts = [row[2] if isinstance(row[2], str) else json.dumps(row[2]) for row in rows]
    arrived = {
        "file": pa.array([row[0] for row in rows], pa.int32()),
        "place": pa.array(range(len(rows)), pa.int64()),
        "kind": pa.array([row[1] for row in rows], pa.string()),
        "body": pa.array(texts, pa.string()),
    }
    with engine.scratch() as connection:
        records.prepare(connection)
        with engine.lent(connection, arrived=pa.table(arrived)):
            connection.execute(
                "INSERT INTO context SELECT file, place, kind, sha256(body), body FROM arrived"
            )
        if audits:
            numbers = pa.array(range(len(audits)), pa.int64())
            files = pa.array([0] * len(audits), pa.int32())
            bodies = pa.array([json.dumps(one) for one in audits])
            batch = Batch(Layout(Form.GRAPH), bodies, numbers, files, numbers)
            records.add(connection, [batch])
        events.make(connection, KNOWN, sites=SITES, client_types={})
        return contexts.frames(
            connection, sites=SITES, baseline=BASELINE, beside=beside or Beside()
        )


KNOWN = knowledge.load()


def signed(*made, **more):
    """Return the rows of sign-ins in Graph's form."""
    return framed([("signIns", one) for one in made], **more).sign_ins


def diagnostic(record, **frame):
    usual = {
        "time": "2026-11-19T09:00:00.0000000Z",
        "category": "SignInLogs",
        "operationName": "Sign-in activity",
        "resultType": str(record["status"]["errorCode"]),
        "callerIpAddress": record["ipAddress"],
    }
    return {**usual, **frame, "properties": record}


def row_of_table(record, *, nested=json.dumps, **columns):
    usual = {
        "TimeGenerated": "2026-11-19T09:00:00Z",
        "CreatedDateTime": record["createdDateTime"],
        "Id": record["id"],
        "UserId": record["userId"],
        "UserPrincipalName": record["userPrincipalName"],
        "AppDisplayName": record["appDisplayName"],
        "IPAddress": record["ipAddress"],
        "IsInteractive": str(record["isInteractive"]),
        "ResultType": str(record["status"]["errorCode"]),
        "DeviceDetail": nested(record["deviceDetail"]),
        "Type": "SigninLogs",
    }
    return {**usual, **columns}


WHOLE = sign_in(
    NOW - HOUR,
    guid(7),
    status={"errorCode": 50126},
    deviceDetail={
        "deviceId": PC.upper(),
        "operatingSystem": "Windows 11",
        "trustType": "Hybrid Azure AD joined",
    },
)


# Sign-ins


def test_a_sign_in_is_told_in_the_declared_columns():
    (row,) = signed(WHOLE).to_dict("records")

    assert row == {
        "sign_in_id": WHOLE["id"],
        "time_utc": NOW - HOUR,
        "person": guid(7),
        "upn": "ann@example.com",
        "app": "Windows Sign In",
        "of_windows": True,
        "interactive": True,
        "succeeded": False,
        "error": 50126,
        "device_id": PC,
        "trust": "hybrid",
        "os": "Windows 11",
        "ip": "192.0.2.1",
        "ip_group": "192.0.2.1",
        "site": "Malmö",
    }


@pytest.mark.parametrize(
    "other",
    [
        diagnostic(WHOLE),
        row_of_table(WHOLE),
        row_of_table(WHOLE, nested=lambda value: value),
        row_of_table(WHOLE, CreatedDateTime="11/19/2026, 11:00:00.000 PM"),
    ],
    ids=["diagnostic", "table", "table with objects", "table as CSV"],
)
def test_a_sign_in_is_the_same_in_every_form(other):
    assert signed(other).to_dict("records") == signed(WHOLE).to_dict("records")
    assert len(signed(other, WHOLE)) == 1


@pytest.mark.parametrize(
    ("fields", "interactive"),
    [
        ({"isInteractive": False}, False),
        ({"isInteractive": None}, True),
        ({"isInteractive": None, "signInEventTypes": ["nonInteractiveUser"]}, False),
        ({"isInteractive": None, "signInEventTypes": ["interactiveUser"]}, True),
    ],
)
def test_whether_a_person_took_part(fields, interactive):
    (found,) = signed({**WHOLE, **fields})["interactive"]

    assert found is interactive


def test_the_table_says_whether_a_person_took_part():
    mute = {**WHOLE, "isInteractive": None}
    made = [
        diagnostic(mute, category="NonInteractiveUserSignInLogs"),
        row_of_table(mute, Type="AADNonInteractiveUserSignInLogs", Id=guid(99)),
    ]

    assert list(signed(*made)["interactive"]) == [False, False]


@pytest.mark.parametrize(
    ("word", "trust"),
    [
        ("Hybrid Azure AD joined", "hybrid"),
        ("Hybrid Microsoft Entra joined", "hybrid"),
        ("ServerAd", "hybrid"),
        ("Azure AD joined", "joined"),
        ("Microsoft Entra joined", "joined"),
        ("AzureAd", "joined"),
        ("Azure AD registered", "registered"),
        ("Microsoft Entra registered", "registered"),
        ("Workplace", "registered"),
        ("", None),
        ("something new", None),
    ],
)
def test_how_a_device_belongs_to_the_tenant(word, trust):
    detail = {**WHOLE["deviceDetail"], "trustType": word}
    found = framed(
        [("signIns", {**WHOLE, "deviceDetail": detail}), ("devices", device(1, trustType=word))]
    )

    for frame in (found.sign_ins, found.devices):
        assert frame["trust"].astype("object").where(frame["trust"].notna(), None)[0] == trust


@pytest.mark.parametrize("bad", ["", "PII Removed", guid(0), "{x}"])
def test_what_is_no_id_names_no_device(bad):
    detail = {**WHOLE["deviceDetail"], "deviceId": bad}

    assert signed({**WHOLE, "deviceDetail": detail})["device_id"].isna().all()


@pytest.mark.parametrize("text", ["192.0.2.XXX", "", None])
def test_an_address_that_is_masked_is_none(text):
    row = signed({**WHOLE, "ipAddress": text})

    assert row[["ip", "ip_group", "site"]].isna().all(axis=None)


def test_the_newest_of_one_sign_in_stays():
    """Its second factor came later; the order of the files decides where nothing else does."""
    before = diagnostic({**WHOLE, "status": {"errorCode": 50074}}, time="2026-11-19T09:00:00Z")
    after = diagnostic({**WHOLE, "status": {"errorCode": 0}}, time="2026-11-19T09:05:00Z")

    assert list(signed(after, before)["error"]) == list(signed(before, after)["error"]) == [0]
    older, newer = ({**WHOLE, "status": {"errorCode": code}} for code in (50074, 0))
    assert list(signed(older, newer)["error"]) == [0]


def test_only_sign_ins_of_the_baseline_are_read():
    early = sign_in(BASELINE.start - HOUR, guid(7))
    late = sign_in(BASELINE.end, guid(7))

    assert list(signed(early, WHOLE, late)["sign_in_id"]) == [WHOLE["id"]]


# People


def test_a_name_that_was_seen_with_one_id_is_that_id():
    """Be the id in another sign-in, or in an audit record."""
    bare = {**WHOLE, "id": guid(98), "userId": None, "userPrincipalName": " Ann@Example.com"}

    assert set(signed(WHOLE, bare)["person"]) == {guid(7)}
    assert set(signed(bare, audits=[audit(NOW - DAY)])["person"]) == {guid(7)}
    assert set(signed(bare)["person"]) == {"ann@example.com"}


def test_people_are_spelled_as_in_the_events():
    """Events that never had an id keep the name, and a sign-in with an id is theirs."""
    user = {"id": None, "userPrincipalName": "ann@example.com"}
    nameless = audit(
        NOW - DAY, initiatedBy={"user": user}, targetResources=[{**user, "type": "User"}]
    )

    assert set(signed(WHOLE, audits=[nameless])["person"]) == {"ann@example.com"}


def test_a_name_of_two_people_is_neither():
    two = [{**WHOLE, "id": guid(90 + n), "userId": guid(n)} for n in (7, 8)]
    bare = {**WHOLE, "id": guid(80), "userId": None}

    assert set(signed(*two, bare)["person"]) == {guid(7), guid(8), "ann@example.com"}


# Watched


def test_a_file_of_several_people_is_whole_from_its_first_to_its_last():
    made = [
        (0, "signIns", sign_in(NOW - n * MINUTE, guid(n), userPrincipalName=f"p{n}@example.com"))
        for n in (10, 20, 30)
    ]
    (row,) = framed(made).watched.itertuples()

    assert pd.isna(row.person)  # everybody
    assert row.start_utc == NOW - 30 * MINUTE
    assert NOW - 10 * MINUTE < row.end_utc <= NOW - 10 * MINUTE + timedelta(microseconds=1)


def test_a_file_of_two_people_tells_of_these():
    made = [
        (0, "signIns", sign_in(NOW - n * HOUR, guid(n % 2 + 1), userPrincipalName=None))
        for n in range(1, 7)
    ]

    assert set(framed(made).watched["person"]) == {guid(1), guid(2)}


def test_files_of_an_hour_each_are_one_span_and_of_other_weeks_another():
    made = [
        (hour, "signIns", sign_in(NOW - hour * HOUR - n * MINUTE, guid(n)))
        for hour in (1, 2, 3, 200)
        for n in (5, 15, 50)
    ]
    found = framed(made).watched

    assert len(found) == 2
    assert found["person"].isna().all()


def test_a_store_tells_whom_it_followed():
    span = Window(NOW - DAY, NOW - HOUR)
    found = framed([("signIns", WHOLE)], beside=Beside(followed=((guid(7), span),)))

    assert found.watched.to_dict("records") == [
        {"person": guid(7), "start_utc": span.start, "end_utc": span.end}
    ]


# The other kinds


def test_devices_are_told_with_their_one_owner():
    owned = device(1, registeredOwners=[{"id": guid(7), "userPrincipalName": "x@example.com"}])
    shared = device(2, registeredOwners=[{"id": guid(7)}, {"id": guid(8)}])
    rows = framed([("devices", owned), ("devices", shared)]).devices

    assert list(rows["device_id"]) == [guid(2**32 + 1), guid(2**32 + 2)]
    assert list(rows["owner"].fillna("-")) == [guid(7), "-"]
    assert list(rows["os_version"]) == ["10.0.26100.1"] * 2
    assert rows["last_sign_in_utc"].notna().all()


def test_managed_devices_are_known_by_their_id_in_entra():
    one = {"azureADDeviceId": PC, "userId": guid(7), "manufacturer": "Acme", "model": "X"}
    old = {**one, "id": "old", "model": "W", "lastSyncDateTime": "2026-01-01T00:00:00Z"}
    new = {**one, "id": "new", "lastSyncDateTime": "2026-11-01T00:00:00Z"}
    (row,) = framed([("managedDevices", new), ("managedDevices", old)]).managed.itertuples()

    assert (row.device_id, row.person, row.maker, row.model) == (PC, guid(7), "Acme", "X")


def test_what_people_registered():
    rows = framed(
        [
            ("userRegistrationDetails", registration(1)),
            ("userRegistrationDetails", registration(2, ready=False, isSsprEnabled=None)),
        ]
    ).registered

    assert list(rows["person"]) == [guid(1), guid(2)]
    assert list(rows["registered"]) == [True, False]
    assert rows["enabled"].isna().tolist() == [False, True]
    assert list(rows["methods"]) == ["mobilePhone", ""]


# What is missing, empty or broken


KINDS = {
    "sign_ins": tables.SIGN_INS,
    "devices": tables.DEVICES,
    "managed": tables.MANAGED,
    "registered": tables.REGISTERED,
}


def test_a_kind_that_nobody_gave_is_unknown():
    found = framed([("devices", device(1))])

    assert (found.sign_ins, found.watched, found.managed, found.registered) == (None,) * 4
    assert framed() == contexts.Context()


def test_a_kind_that_came_empty_is_known_to_be_nothing():
    came = frozenset(("signIns", "devices", "managedDevices", "userRegistrationDetails"))
    found = framed(beside=Beside(came=came, followed=()))

    for name, table in KINDS.items():
        frame = getattr(found, name)
        assert len(frame) == 0
        assert {c: str(kind) for c, kind in frame.dtypes.items()} == {
            c: column.dtype for c, column in table.columns.items()
        }


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"createdDateTime": "yesterday", "userId": guid(7)},
        {"createdDateTime": "2026-11-19T09:00:00Z"},
        {"properties": {}, "category": "SignInLogs"},
        {"properties": {"createdDateTime": {}, "userId": []}},
        {"TimeGenerated": "13/12/2026, 1:00:00 PM", "UserId": guid(7)},
        {"TimeGenerated": "2026-11-19T09:00:00Z", "DeviceDetail": "{"},
    ],
    ids=str,
)
def test_a_sign_in_that_says_nothing_is_counted(bad):
    found = framed([("signIns", bad), ("signIns", WHOLE)])

    assert len(found.sign_ins) == 1
    assert found.unread == {"signIns": 1}


def test_records_without_an_id_are_counted():
    found = framed(
        [
            ("devices", {"trustType": "ServerAd"}),
            ("managedDevices", {"azureADDeviceId": guid(0)}),
            ("userRegistrationDetails", {"isSsprEnabled": True}),
        ]
    )

    assert found.unread == {"devices": 1, "managedDevices": 1, "userRegistrationDetails": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*WHOLE, "properties", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.sampled_from([*WHOLE, "properties", "TimeGenerated", "DeviceDetail", "deviceId"]), JSON)
def test_whatever_stands_in_a_field_never_fails_the_rest(name, value):
    text = json.dumps({**WHOLE, "id": guid(97), name: value}, ensure_ascii=True)
    rows = [(kind, json.loads(text)) for kind in stored_context.JUDGED]
    try:
        text.encode("utf-8")
        found = framed([("signIns", WHOLE), *rows])
    except UnicodeEncodeError:
        return

    assert WHOLE["id"] in set(found.sign_ins["sign_in_id"])


# Sites


def test_a_named_location_says_whether_it_is_trusted():
    made = [
        json.dumps(named_location(name, "192.0.2.0/24", isTrusted=trusted))
        for name, trusted in (("A", True), ("B", False), ("C", None))
    ]

    assert [site.trusted for site in locations.sites(made)] == [True, False, None]


def test_settings_go_before_named_locations_of_the_same_name():
    known = locations.by_name(
        [
            Site("Malmö", ("192.0.2.0/24",), dc_reachable=False),
            Site("Malmö", ("192.0.2.0/25",), trusted=True, shared=False),
            Site("Lund", ("198.51.100.0/24",)),
        ]
    )

    assert list(known) == ["Malmö", "Lund"]
    malmo = known["Malmö"]
    assert (malmo.dc_reachable, malmo.trusted, malmo.shared) == (False, True, False)


# The store


def test_a_store_brings_what_it_holds_and_whom_it_followed(tmp_path):
    """Sign-ins far from the baseline stay behind; what came empty is known to be."""
    keeper = keep.keeper(tmp_path, now=NOW)
    old = sign_in(BASELINE.start - 3 * DAY, guid(7))
    span = Window(NOW - 2 * HOUR, NOW + 22 * HOUR)
    link = ResetLink("deviceConfigurations", "1", "On", "on")
    with keeper.store.writing() as store:
        import pyarrow as pa

        for kind, made in (("signIns", [WHOLE, old]), ("devices", [device(1)])):
            texts = pa.array([json.dumps(one) for one in made])
            stored.add(store, iter([stored.stored(kind, texts)]))
        for name in ("signIns", "devices", "managedDevices", "deviceConfigurations"):
            stored.came(store, name, NOW, 0)
        stored.follow(store, [stored.Followed(guid(7), span, NOW)])
        stored.keep_links(store, "deviceConfigurations", [link])

    with engine.scratch() as connection, keeper.store.reading() as store:
        records.prepare(connection)
        beside = stored_context.bring(connection, store, BASELINE)
        rows = engine.rows(connection, "SELECT kind, body FROM context ORDER BY kind")

    assert [(kind, json.loads(body)) for kind, body in rows] == [
        ("devices", device(1)),
        ("signIns", WHOLE),
    ]
    assert beside.came == {"signIns", "devices", "managedDevices"}
    assert beside.followed == ((guid(7), Window(span.start, NOW)),)
    assert beside.links == (link,)


def test_a_store_that_was_never_asked_knows_of_no_link(tmp_path):
    keeper = keep.keeper(tmp_path, now=NOW)
    with keeper.store.writing():
        pass
    with engine.scratch() as connection, keeper.store.reading() as store:
        records.prepare(connection)
        beside = stored_context.bring(connection, store, BASELINE)

    assert beside == Beside(followed=())
