"""The simulator's tenants are what their labels say, and findings are scored by stated rules."""

import ast
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchmarks import accuracy, peer, running, scoring, tables
from benchmarks.scoring import Found
from benchmarks.simulator import (
    FITTED,
    KINDS,
    REPORTED,
    Label,
    distractors,
    oracle,
    plants,
    tenant,
)
from benchmarks.simulator.model import Attempt
from benchmarks.simulator.recipes import Recipe
from benchmarks.simulator.silent import SILENT
from benchmarks.simulator.texts import TARGETS
from benchmarks.simulator.world import SIGN_IN_SCREEN
from sspr_audit import knowledge
from sspr_audit.sources import exports, scenes

KNOWN = knowledge.load()
FAMILIES = {one.id: tuple(one.members) for one in KNOWN.families.values()}
MODULES = sorted((Path(__file__).parents[1] / "benchmarks" / "simulator").glob("*.py"))
SMALL = {"least_flows": 200, "most_flows": 300, "shared": 0.0, "recorded": ((1, 1),)}


@cache
def made(*names, seed=3, flows=80):
    planted = tuple(one for one in names if one in plants.PLANTS)
    beside = tuple(one for one in names if one not in plants.PLANTS)
    small = SMALL | {"least_flows": flows, "most_flows": flows}
    return tenant(seed, replace(FITTED, plants=planted, distractors=beside, **small))


def text(simulated):
    """Everything that a tenant is, as one text."""
    parts = [simulated.records, simulated.context, simulated.settings, simulated.traits]
    return json.dumps(parts) + repr(simulated.labels) + repr(simulated.stated)


def client_type(record):
    return next((d["value"] for d in record["additionalDetails"] if d["key"] == "ClientType"), None)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_simulator_knows_nothing_of_the_judgement(path):
    """Of the package it imports only what records look like."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {f"{node.module}.{name.name}" for name in node.names}
    ours = {name for name in found if name.startswith("sspr_audit")}

    assert all(name.startswith("sspr_audit.sources.") for name in ours)
    assert {name.split(".")[2] for name in ours} <= {"scenes", "exports"}


@pytest.mark.parametrize("recipe", [FITTED, REPORTED], ids=lambda one: one.name)
def test_equal_seeds_make_equal_tenants(recipe):
    """A tenant depends on its seed and recipe alone."""
    mixed = replace(plants.for_tenant(recipe, 5), **SMALL)

    assert text(tenant(5, mixed)) == text(tenant(5, mixed))
    assert text(tenant(5, mixed)) != text(tenant(6, mixed))


def test_records_are_in_order_and_have_ids_of_their_own():
    """As Graph promises of ids, and as a reader of the simulator may rely on."""
    records = made("authenticated-proxy", "other-records").records
    times = [exports.wire_time(one, 7) for one in records]

    assert times == sorted(times)
    assert len({one["id"] for one in records}) == len(records)


@pytest.mark.parametrize("recipe", [FITTED, REPORTED], ids=lambda one: one.name)
def test_a_tenant_has_the_size_that_a_report_takes(recipe):
    """From a thousand records on, to some fifteen thousand, all before its present."""
    sizes = []
    for number in (1, 11):
        one = tenant(number, plants.for_tenant(recipe, number))
        sizes.append(len(one.records))
        assert max(r["activityDateTime"] for r in one.records) < one.now.isoformat()[:19]

    assert min(sizes) > 1_000
    assert max(sizes) < 25_000


def test_what_is_reported_on_was_never_fitted_on():
    """No interval of one set meets one of the other; single egress addresses are the exception."""
    spans = [one.name for one in fields(Recipe) if "Spans" in str(one.type)]
    meeting = {
        name
        for name in spans
        for low, high in getattr(REPORTED, name)
        for least, most in getattr(FITTED, name)
        if low <= most and least <= high
    }

    assert len(spans) == 11
    assert meeting <= {"egress"}


@pytest.mark.parametrize("name", sorted(plants.PLANTS))
def test_every_cause_can_be_planted(name):
    """Its label names an entry of the catalogue, and a reason why where it cannot be seen."""
    (label,) = made(name).labels

    assert label.target in KNOWN.causes.keys() | KNOWN.families.keys()
    assert set(label.rivals) <= KNOWN.causes.keys()
    assert label.kind in KINDS
    assert label.since < label.until
    assert label.observable is (not label.why_not)
    assert label.until >= made(name).window[0]


@pytest.mark.parametrize("name", distractors.NAMES)
def test_what_only_looks_like_trouble_has_no_label(name):
    """A distractor is nothing to be found, and it changes something."""
    assert made(name).labels == ()
    assert text(made(name)) != text(made())


def test_clean_tenants_have_no_labels_and_three_sizes():
    """Whatever is found in them without a text is a false alarm."""
    recipes = [plants.clean(REPORTED, number) for number in range(6)]

    assert {one.most_flows for one in recipes} == {150, 600, 1_500}
    assert tenant(1, recipes[0]).labels == ()


def test_planting_leaves_a_healthy_tenant_behind_once_taken_away():
    """Each tenant of a set gets another leading cause, in turn."""
    leading = [plants.for_tenant(FITTED, number).plants[0] for number in range(40)]

    assert set(leading) == set(plants.SILENT)


@pytest.mark.parametrize("begins", sorted(TARGETS))
def test_a_text_states_what_the_catalogue_says(begins):
    """The simulator's own list of what a reason names agrees with reasons.toml."""
    whole = {
        one["resultReason"]
        for name in ("writeback-unreachable", *plants.EXPLICIT)
        for one in made(name).records
        if one["resultReason"].startswith(begins)
    } or {begins}
    for words in whole - {begins}:
        match = KNOWN.reason(words)
        named = set(KNOWN.named_by(match.reason))
        target = TARGETS[begins]
        assert named <= {target, *FAMILIES.get(target, ())}


def test_a_silent_site_shows_nothing_at_the_sign_in_screen_since_its_onset():
    """Its people go on resetting in browsers, and the screen shows elsewhere."""
    simulated = made("authenticated-proxy", flows=250)
    (label,) = simulated.labels
    since = label.since.isoformat()[:19]
    later = [one for one in simulated.records if one["activityDateTime"] >= since]
    here = [
        one
        for one in later
        if (one["initiatedBy"]["user"] or {}).get("ipAddress") in label.ips
        and one["loggedByService"] == scenes.SSPR
    ]

    assert len(here) > 20
    assert SIGN_IN_SCREEN not in {client_type(one) for one in here}
    assert SIGN_IN_SCREEN in {client_type(one) for one in later}


def test_a_gateway_stops_flows_before_any_method():
    """Most computers at its site show no started method after the onset."""
    simulated = made("inspection-by-gateway", flows=250)
    (label,) = simulated.labels
    since = label.since.isoformat()[:19]
    flows = {}
    for one in simulated.records:
        ip = (one["initiatedBy"]["user"] or {}).get("ipAddress")
        if one["activityDateTime"] >= since and ip in label.ips and client_type(one):
            flows.setdefault(one["correlationId"], set()).add(one["resultReason"])
    stopped = [words for words in flows.values() if words <= {scenes.USER_ID, scenes.OPTIONS}]

    assert len(flows) >= 5
    assert len(stopped) > len(flows) / 2


def test_an_off_network_device_takes_no_new_password_where_it_was_reset():
    """No device of the people concerned signs in from that address within four hours."""
    simulated = made("hybrid-device-off-network", "remote-first", seed=8, flows=250)
    (label,) = simulated.labels
    since = label.since.isoformat()[:19]
    resets = [
        (one["initiatedBy"]["user"]["ipAddress"], exports.wire_time(one, 0))
        for one in simulated.records
        if one["resultReason"] == "User successfully reset password"
        and client_type(one) == SIGN_IN_SCREEN
        and one["targetResources"][0]["userPrincipalName"] in label.users
        and one["activityDateTime"] >= since
        and not one["initiatedBy"]["user"]["ipAddress"].startswith(("198.51.100.", "203.0.113."))
    ]
    opened = [
        one
        for one in simulated.context["signIns"]
        for ip, at in resets
        if one["ipAddress"] == ip
        and one["deviceDetail"]["deviceId"]
        and not one["status"]["errorCode"]
        and timedelta() <= moment(one["createdDateTime"]) - moment(at) < timedelta(hours=4)
    ]

    assert len(resets) > 5
    assert opened == []


def moment(wire):
    return datetime.fromisoformat(wire[:19])


def test_a_tenant_without_client_types_can_show_no_absence():
    """The label says so, and that no number of people would help."""
    (label,) = made("authenticated-proxy", "no-client-type").labels

    assert (label.observable, label.blind) == (False, True)


def who(number):
    return SimpleNamespace(upn=f"p{number}@example.com")


def tried(number, at, *, stage=80):
    return Attempt(who(number), at, "office", "192.0.2.1", screen=False, stage=stage)


def lacks(struck, spared, *, week=0):
    """What the oracle says where these people stop at time 1, and those do not."""
    log = [*(tried(n, 1, stage=10) for n in struck), *(tried(n, 2) for n in spared)]
    return oracle.lacks(log, lambda one: one.at == 1, lambda one: one.stage < 20, week=week)


def test_the_oracle_is_fishers_test():
    """Against the chances that can be counted by hand."""
    assert oracle.chance(5, 5, 0, 5) == pytest.approx(1 / 252)
    assert oracle.chance(1, 2, 1, 2) == pytest.approx(5 / 6)
    assert oracle.chance(0, 3, 2, 3) == 1


@given(some.integers(1, 900), some.floats(0, 1))
def test_where_habits_differ_a_habit_explains_more(people, unlike):
    """All cases together are one, and what a place always did is usual there."""
    none, elsewhere = (0, 0), (400, 1_000)
    alike, differing = (oracle.by_habit(people, people, none, elsewhere, x) for x in (0, unlike))
    used_to = oracle.by_habit(people, people, (50, 50), elsewhere, unlike)

    assert oracle.by_habit(0, people, none, elsewhere, unlike) == pytest.approx(1)
    assert alike * 0.999 <= differing <= used_to * 1.001


def test_the_oracle_sees_what_chance_hardly_ever_makes():
    """It asks for people, each counted once, for others beside them, and for the week itself."""
    assert lacks(range(9), range(20, 60)) == ""
    assert lacks(range(4), range(20, 60)) == "it shows in 4 people"
    assert lacks([*range(4)] * 9, range(20, 60)) == "it shows in 4 people"
    assert lacks(range(9), range(20, 22)).startswith(
        "chance alone shows it in as many people 2e-02"
    )
    assert lacks(range(9), range(20, 60), week=2) == (
        "it shows in nobody in the week that is reported"
    )


WITHIN = [one for one in plants.SILENT if not one.startswith("sspr-")]
"""What befalls the tenant itself; strangers bring the flows that show them."""


@pytest.mark.parametrize("name", WITHIN)
def test_a_small_tenant_cannot_show_what_is_planted(name):
    """With hardly any flows it stays unobservable, though no kind of data is missing."""
    (planted,) = made(name, flows=12).labels

    assert not planted.observable
    assert not planted.blind


DAY = datetime(2026, 11, 10, tzinfo=UTC)


def found(cause="authenticated-proxy", family=SILENT, confidence="likely", **changes):
    values = {
        "sites": ("Alta",),
        "ips": (),
        "users": (),
        "clients": (),
        "people": 20,
        "first_seen": DAY,
        "last_seen": DAY + timedelta(days=9),
        "signals": (("coverage-hole", 0.001),),
        "against": (),
        "rivals": (),
    }
    return Found(cause, family, confidence, **values | changes)


def label(**changes):
    values = {
        "target": SILENT,
        "kind": "absent",
        "since": DAY,
        "until": DAY + timedelta(days=12),
        "sites": ("Alta",),
        "ips": ("192.0.2.1",),
    }
    return Label(**values | changes)


def verdict(one, *labels, stated=()):
    done = scoring.scored(one, labels, frozenset(stated), FAMILIES)
    return done.right, done.over


def test_a_finding_is_right_where_cause_place_and_time_are():
    """A family is as good as its planted member; an address is as good as the site."""
    assert verdict(found(), label()) == (True, ())
    assert verdict(found(sites=(), ips=("192.0.2.1",)), label()) == (True, ())
    assert verdict(found(family="stalled-before-verification"), label())[0] is False
    assert verdict(found(last_seen=DAY - timedelta(days=3)), label())[0] is False


@pytest.mark.parametrize(
    ("finding", "planted", "over"),
    [
        (found(sites=("Brix",)), label(), "wrong scope"),
        (found(sites=("Alta", "Brix")), label(), "a site too many"),
        (found(family=None), label(), "one member of a family above possible"),
        (found(confidence="confirmed"), label(), "confirmed without a text"),
        (found(), label(observable=False, blind=True, why_not="x"), "likely although x"),
    ],
)
def test_claiming_too_much_is_counted(finding, planted, over):
    """Whether the finding is right or not."""
    assert over in verdict(finding, planted)[1]


def test_what_is_planted_everywhere_shows_at_any_site():
    """Beside the cause of one site, one that follows devices makes more sites no claim too many."""
    wide, here = found(sites=("Alta", "Brix")), label()
    everywhere = label(sites=(), ips=())

    assert verdict(wide, here)[1] == ("a site too many",)
    assert verdict(wide, here, everywhere)[1] == ()


def test_a_possible_claims_little():
    """It may name one member of a family, and stand where little can be seen."""
    blind = label(observable=False, blind=True, why_not="x")

    assert verdict(found(family=None, confidence="possible"), blind) == (True, ())


def test_an_aftermath_is_told_by_its_people():
    """At least half of those named must be those who were struck."""
    planted = label(
        target="hybrid-device-off-network", kind="aftermath", sites=(), ips=(), users=("a", "b")
    )
    one = found("hybrid-device-off-network", None, sites=())

    assert verdict(replace(one, users=("a", "c")), planted)[0] is True
    assert verdict(replace(one, users=("a", "c", "d")), planted)[0] is False


def test_what_the_records_state_is_no_false_alarm():
    """Though nobody planted it; what they do not state is one."""
    one = found("user-cancelled", None, signals=((scoring.STATED, 3),))

    assert verdict(one, stated=("user-cancelled",))[0] is True
    assert verdict(one, stated=("license-missing",))[0] is False


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(0, 0, 0, 1), (10, 10, 0.7225, 1), (5, 10, 0.2366, 0.7634), (0, 20, 0, 0.1611)],
)
def test_intervals_are_wilson_s(right, total, low, high):
    """Against published values."""
    assert scoring.interval(right, total) == pytest.approx((low, high), abs=1e-4)


@pytest.fixture(scope="module")
def judged():
    recipe = replace(FITTED, plants=("insufficient-methods", "sspr-enumeration"), **SMALL)
    return running.run(running.Task(3, recipe))


def test_the_program_is_run_and_scored(judged):
    """A cause that the records state is found, nothing is claimed beyond, and rows can be kept."""
    hits = [one for one in judged.found if one.kind == "explicit" and one.right]
    rows = list(judged.rows())

    assert any(
        scoring.matches(one.found, planted, FAMILIES)
        for one in hits
        for planted in judged.labels
        if planted.target == "insufficient-methods"
    )
    assert len(rows) == len(judged.found)
    assert json.loads(json.dumps(rows, default=str))[0]["right"] is True


def test_the_tables_count_what_was_judged(judged):
    """Each class of signal stands in a row of its own, with counts."""
    whole = tables.kinds([judged])

    assert "explicit      1" in whole
    assert "people        1" in whole
    assert "stalled" not in whole
    assert "1 weeks" in tables.clean([judged])


def test_the_baseline_finds_what_a_failure_filter_shows(judged):
    """A reason that several people met, and nothing of what leaves no failure."""
    explicit, outside = sorted(judged.labels, key=lambda one: one.kind)

    assert peer.found(judged.peer, explicit)
    assert not peer.found(judged.peer, outside)


@pytest.mark.parametrize("cut", running.CUTS)
def test_an_input_can_be_removed(cut, tmp_path):
    """Only what was asked for is gone, and the rest is written."""
    simulated = made("authenticated-proxy")
    running.write(simulated, cut, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}

    assert (f"{cut}.ndjson" in names) is False
    assert ("AuditLogs.csv" in names) is (cut == "csv")
    assert ("signIns.ndjson" in names) is (cut in ("devices", "clientType"))
    if cut == "clientType":
        assert SIGN_IN_SCREEN not in (tmp_path / "directoryAudits.ndjson").read_text("utf-8")


def test_a_finding_that_rises_without_an_input_is_named(judged):
    """Higher confidence, and a finding that was not there, both count."""
    less = replace(judged, found=())

    assert "0 findings rose" in tables.without("devices", [judged], [less])
    assert f"{len(judged.found)} findings rose" in tables.without("devices", [less], [judged])


def test_a_week_back_knows_nothing_of_the_week_after():
    """A report on an earlier week reads no later record."""
    simulated = made()
    earlier = running.earlier(simulated, 2)

    assert earlier.now == simulated.now - timedelta(weeks=2)
    assert max(one["activityDateTime"] for one in earlier.records) < earlier.now.isoformat()[:19]


def test_every_mix_of_headline_causes_can_be_made():
    """Each alone, in pairs, and beside each of its rivals."""
    mixes = plants.mixes()
    parts = {name for mix in mixes for name in mix}

    assert {(one,) for one in plants.HEADLINES} <= set(mixes)
    assert parts <= plants.PLANTS.keys() | set(distractors.NAMES)
    assert [len(mix) for mix in mixes].count(2) >= 3 + len(plants.RIVALS)


def test_seeds_of_the_sets_never_meet():
    """Whatever is fitted on one set was not seen in the other."""
    parser = accuracy.parser()
    ours = [
        {task.seed for task in (*accuracy.planted(asked), *accuracy.healthy(asked))}
        for asked in (parser.parse_args(["--set", name]) for name in ("fitted", "reported"))
    ]

    assert len(ours[0]) == 300
    assert not ours[0] & ours[1]
