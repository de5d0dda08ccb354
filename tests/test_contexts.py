"""Context from Graph: each collection comes, or says why it does not and what that costs."""

import json

import keep
import pytest
from fetch import DAY, HOUR, MINUTE, NOW, world
from graph_kinds import CONFIGURATION, DEVICE, MANAGED, PERMISSIONS, POLICY
from graph_records import audit, device, guid, named_location, registration, sign_in
from graph_service import FREE
from graph_tenant import (
    CONFIGURATION_POLICIES,
    DEVICE_CONFIGURATIONS,
    DEVICES,
    MANAGED_DEVICES,
    NAMED_LOCATIONS,
    REGISTRATIONS,
    SIGN_INS,
)

from sspr_audit import knowledge
from sspr_audit.errors import SettingsError
from sspr_audit.model import ResetLink
from sspr_audit.pipeline import contexts, signing_in
from sspr_audit.pipeline.contexts import ContextWishes, State, fetch_context
from sspr_audit.pipeline.forgetting import forget
from sspr_audit.pipeline.keeping import prune
from sspr_audit.store import contexts as stored

NAMES = [one.name for some in contexts.ORDER for one in some]
OMA = "./Device/Vendor/MSFT/Policy/Config/Authentication/AllowAadPasswordReset"
IN_CATALOG = "device_vendor_msft_policy_config_authentication_allowaadpasswordreset"


class World:
    """A tenant with a store beside it, and flows in that store."""

    def __init__(self, inner, folder):
        self.inner, self.folder = inner, folder
        self.tenant, self.clock, self.graph = inner.tenant, inner.clock, inner.parts.graph

    @property
    def keeper(self):
        return keep.keeper(self.folder, now=self.clock.now())

    def fetch(self, *, tell=lambda _: None, **wishes):
        """Fetch context, and return what became of each collection by its name."""
        usual = {"since": NOW - 7 * DAY, **wishes}
        asked = ContextWishes(knowledge.load(), usual.pop("tenant_id", self.tenant.id), **usual)
        results = fetch_context(self.keeper, self.graph, self.clock, asked, tell)
        return {one.name: one for one in results}

    def flows(
        self, *flows, client="Windows 10 sign-in screen", end="Successfully completed reset."
    ):
        """Put a reset into the store for each person and end."""
        made = []
        for number, (person, at) in enumerate(flows):
            user = {"id": person, "userPrincipalName": f"{person[-4:]}@example.com"}
            about = {
                "correlationId": f"{number:08x}-{at:%d%H%M%S}-4000-8000-000000000000"[:36],
                "initiatedBy": {"app": None, "user": {**user, "ipAddress": "192.0.2.1"}},
                "targetResources": [{**user, "type": "User", "modifiedProperties": []}],
                "additionalDetails": [{"key": "ClientType", "value": client}],
            }
            made += [audit(at - MINUTE, **about), audit(at, reason=end, **about)]
        path = self.folder / "flows.json"
        path.write_text(json.dumps(made), encoding="utf-8")
        keep.brought(self.keeper, path)

    def held(self, kind):
        """Return the records of a kind in the store, in their order."""
        with self.keeper.store.reading() as store:
            return [json.loads(text) for text in stored.texts(store, kind)]

    def asked(self, words):
        return self.tenant.asked(words)

    def query(self, sql):
        return self.inner.query(sql)


@pytest.fixture
def small(tmp_path):
    with world(tmp_path, []) as inner:
        yield World(inner, tmp_path)


# Whole collections


WHOLE = {
    "namedLocations": (NAMED_LOCATIONS, named_location("Office", "192.0.2.0/24")),
    "devices": (DEVICES, device(1)),
    "userRegistrationDetails": (REGISTRATIONS, registration(1)),
    "managedDevices": (MANAGED_DEVICES, {"id": guid(1), "azureADDeviceId": guid(2)}),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_collection_comes_as_it_was_written(small, name):
    """Text by text, and as context of its kind."""
    path, record = WHOLE[name]
    small.tenant.add(path, [record])
    result = small.fetch()[name]

    assert (result.state, result.records, result.requests, result.remark) == ("came", 1, 1, None)
    assert small.held(name) == [record]
    assert dict(small.keeper.store.info().context) == {name: 1}


def test_an_empty_tenant_has_context_too(small):
    """Nothing there is an answer: none of it is skipped."""
    done = small.fetch()

    assert list(done) == NAMES
    assert {one.state for one in done.values()} == {State.CAME}
    assert [one.remark for one in done.values()] == [None] * len(NAMES)


def test_a_collection_of_many_pages_comes_whole_and_in_order(tmp_path):
    """The order matters: of named locations the first names an address."""
    made = [named_location(f"Place {n}", f"192.0.2.{n}/32") for n in range(50)]
    with world(tmp_path, [], page=7) as inner:
        small = World(inner, tmp_path)
        small.tenant.add(NAMED_LOCATIONS, made)
        told = []
        result = small.fetch(tell=told.append)["namedLocations"]

        assert small.held("namedLocations") == made
        assert (result.records, result.requests) == (50, 8)
        assert [t.records for t in told if t.name == "namedLocations"][-2:] == [49, 50]
        assert told[-1].waited > 0


def test_a_collection_is_not_asked_for_twice_a_day(small):
    """A day later it is, and whenever somebody wishes."""
    small.tenant.add(DEVICES, [device(1)])
    first = small.fetch()["devices"]
    small.clock.advance(HOUR.total_seconds())
    again = small.fetch()["devices"]
    wished = small.fetch(again=True)["devices"]
    small.clock.advance(DAY.total_seconds())
    later = small.fetch()["devices"]

    assert [one.state for one in (first, again, wished, later)] == ["came", "fresh", "came", "came"]
    assert (again.records, again.requests) == (1, 0)


def test_what_is_gone_from_a_collection_goes_from_the_store(small):
    """A renamed location has one name; a deleted device is no device. No text stays behind."""
    small.tenant.add(DEVICES, [device(1), device(2)])
    small.fetch()
    small.tenant.graph.rows[DEVICES] = []
    small.tenant.add(DEVICES, [device(2, displayName="Renamed")])
    small.fetch(again=True)

    assert [one["displayName"] for one in small.held("devices")] == ["Renamed"]
    assert small.query("SELECT count(DISTINCT batch) FROM raw") == [(1,)]


def test_a_collection_that_breaks_off_leaves_what_was_there(tmp_path):
    """All of it is replaced in one go, or nothing."""
    with world(tmp_path, [], page=2) as inner:
        small = World(inner, tmp_path)
        small.tenant.add(DEVICES, [device(n) for n in range(6)])
        small.fetch()
        small.tenant.fault("repeat-link", on=DEVICES, nth=2)
        result = small.fetch(again=True)["devices"]

        assert (result.state, result.left_out) == ("skipped", 0)
        assert "one read before" in result.remark
        assert len(small.held("devices")) == 6


def test_odd_records_are_kept_as_they_are(small):
    """One without an id, one with a number that no machine holds, one with nothing."""
    odd = ['{"displayName": "Nameless"}', '{"id": 7, "n": 1e999}', "{}"]
    small.tenant.add(DEVICES, odd)

    assert small.fetch()["devices"].records == 3
    with small.keeper.store.reading() as store:
        assert stored.texts(store, "devices") == odd


def test_half_a_surrogate_pair_costs_a_letter(small):
    """It stands in a name that somebody typed; all devices come, and it as what text can hold."""
    odd = json.dumps(device(1)).replace("PC-1", "\\ud800")
    small.tenant.add(DEVICES, [odd, device(2)])
    result = small.fetch()["devices"]

    assert (result.state, result.records) == ("came", 2)
    assert small.held("devices") == [{**device(1), "displayName": "\ufffd"}, device(2)]


# What Intune says of the reset link


def profile(value, uri=OMA, **fields):
    oma = {"@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": uri, "value": value}
    return {"id": guid(1), "displayName": "Reset", "omaSettings": [{**oma, **fields}]}


PROFILES = (
    (profile(1), "on"),
    (profile(0), "off"),
    (profile("1"), "on"),
    (profile("****"), "masked"),
    (profile("PGEvPg=="), "masked"),
    (profile("1", secretReferenceValueId="x"), "masked"),
    (profile(None, isEncrypted=True), "masked"),
    (profile(1, uri=f" {OMA.upper()} "), "on"),
    (profile(7), "7"),
)


def test_a_custom_profile_says_whether_the_link_shows(small):
    """A text that Intune masks is told as masked; nobody asks for the plain one."""
    ids = [guid(number) for number in range(1, len(PROFILES) + 1)]
    made = [one | {"id": own} for own, (one, _) in zip(ids, PROFILES, strict=True)]
    small.tenant.add(DEVICE_CONFIGURATIONS, made)
    result = small.fetch()["deviceConfigurations"]
    with small.keeper.store.reading() as store:
        told = {link.id: link for link in stored.links(store)}

    assert (result.state, result.records) == ("came", len(PROFILES))
    for own, (_, value) in zip(ids, PROFILES, strict=True):
        assert told[own] == ResetLink("deviceConfigurations", own, "Reset", value)
    assert not small.asked("getOmaSettingPlainTextValue")


def test_nothing_is_kept_of_other_profiles(small):
    """They are none of our business, and can hold secrets."""
    others = (
        profile(1, uri="./Device/Vendor/MSFT/Policy/Config/Authentication/AllowFastReconnect"),
        {"displayName": "Wi-Fi", "wifiPassword": "hunter2"},
        {"omaSettings": {"omaUri": OMA}},
        {"omaSettings": [OMA, None, {"omaUri": 7}]},
    )
    made = [one | {"id": guid(number)} for number, one in enumerate(others)]
    small.tenant.add(DEVICE_CONFIGURATIONS, made)

    assert small.fetch()["deviceConfigurations"].records == 0
    assert b"hunter2" not in small.keeper.path.read_bytes()


def choice(value, setting=IN_CATALOG):
    return {"settingDefinitionId": setting, "choiceSettingValue": {"value": f"{setting}_{value}"}}


def policy(small, number, *instances, **fields):
    """Add a policy of the settings catalog."""
    made = {"id": guid(number), "name": f"Policy {number}", "platforms": "windows10", **fields}
    small.tenant.add(CONFIGURATION_POLICIES, [made])
    settings = [{"id": str(n), "settingInstance": one} for n, one in enumerate(instances)]
    small.tenant.add(f"{CONFIGURATION_POLICIES}/{guid(number)}/settings", settings)


def test_the_settings_catalog_says_whether_the_link_shows(small):
    """However deep the setting stands; one request for each policy that can hold it."""
    group = {"groupSettingCollectionValue": [{"children": [choice(0)]}]}
    policy(small, 1, choice(5, "other"), choice(1))
    policy(small, 2, {"settingDefinitionId": "group", **group})
    policy(small, 3, {"settingDefinitionId": IN_CATALOG, "odd": 1})
    policy(small, 4, platforms="macOS")
    policy(small, 5, settingCount=0)
    result = small.fetch()["configurationPolicies"]
    with small.keeper.store.reading() as store:
        found = [(one.name, one.value) for one in stored.links(store)]

    assert found == [("Policy 1", "on"), ("Policy 2", "off"), ("Policy 3", "masked")]
    assert (result.records, result.requests) == (3, 4)


def test_a_policy_that_is_deleted_meanwhile_says_nothing(small):
    """The others still do."""
    policy(small, 1, choice(1))
    policy(small, 2, choice(1))
    small.tenant.fault(404, on=guid(1))

    assert small.fetch()["configurationPolicies"].records == 1


def test_a_policy_cannot_lead_a_request_astray(small):
    """Its id is a word of the next address."""
    small.tenant.add(CONFIGURATION_POLICIES, [{"id": "../../users", "platforms": "windows10"}])

    assert small.fetch()["configurationPolicies"].requests == 1


# What is refused


@pytest.mark.parametrize(
    ("permission", "lost"),
    [
        (POLICY, {"namedLocations"}),
        (DEVICE, {"devices"}),
        (MANAGED, set()),  # the right to read configurations is enough
        (CONFIGURATION, {"deviceConfigurations", "configurationPolicies"}),
    ],
)
def test_without_a_permission_its_collections_are_skipped(small, permission, lost):
    """With the permission's name and with what the report lacks; the others come."""
    small.tenant.graph.permissions = set(PERMISSIONS) - {permission}
    done = small.fetch()
    skipped = {name: one for name, one in done.items() if one.state is State.SKIPPED}

    assert set(skipped) == lost
    for one in skipped.values():
        assert permission in one.remark
        assert one.remark.endswith(one.without)
        assert "403" in one.reason


def test_without_any_permission_nothing_comes_and_nothing_fails(small):
    """Each line says why; the store keeps it for a report that is made later."""
    small.tenant.graph.permissions = set()
    small.flows((guid(7), NOW - HOUR))
    done = small.fetch()
    with small.keeper.store.reading() as store:
        standing = stored.standing(store)

    assert {one.state for one in done.values()} == {State.SKIPPED}
    assert {name: one.skipped for name, one in standing.items()} == {
        name: one.reason for name, one in done.items()
    }
    assert {one.came for one in standing.values()} == {None}


def test_a_free_licence_costs_sign_ins_and_registrations(small):
    """And the line says that it is the licence."""
    small.tenant.graph.licence = FREE
    small.flows((guid(7), NOW - HOUR))
    done = small.fetch()
    skipped = [name for name, one in done.items() if one.state is State.SKIPPED]

    assert skipped == ["signIns", "userRegistrationDetails"]
    assert all("licence for Entra ID P1" in done[name].remark for name in skipped)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_of_one_collection_costs_only_that_one(small, status):
    """Its line has the service's own number, once, and it comes when it is there again."""
    small.tenant.fault(status, on="managedDevices", times=2 if status in {400, 401} else 1)
    done = small.fetch()

    assert [name for name, one in done.items() if one.state is State.SKIPPED] == ["managedDevices"]
    assert str(status) in done["managedDevices"].remark
    assert done["managedDevices"].remark.count(done["managedDevices"].without) == 1
    assert small.fetch()["managedDevices"].state is State.CAME


@pytest.mark.parametrize("kind", [504, "cut-json", "reset"])
def test_what_the_service_does_not_bear_is_skipped(small, kind):
    """After all tries, with its reason; the next collection is asked for."""
    fault = small.tenant.fault(kind, on="/devices", times=None)
    done = small.fetch()

    assert fault.struck
    assert (done["devices"].state, done["namedLocations"].state) == ("skipped", "came")
    assert done["managedDevices"].state is State.CAME


def test_a_dead_network_is_found_out_once(small):
    """What comes after the first failure is not tried, and says the same."""
    small.tenant.fault("portal", times=None)
    done = small.fetch()

    assert len({one.reason for one in done.values()}) == 1
    assert [one.requests for one in done.values()] == [1, 0, 0, 0, 0, 0, 0]


def test_a_sign_in_that_fails_is_found_out_once(small):
    """Entra is asked once, and every line says what it said."""
    small.tenant.refuse_sign_in(7000215)
    done = small.fetch()

    assert {one.state for one in done.values()} == {State.SKIPPED}
    assert all("AADSTS7000215" in one.reason for one in done.values())
    assert small.tenant.asked() == []


def test_a_link_that_leads_elsewhere_is_not_followed(small):
    """The collection is skipped, and nothing of it is believed."""
    small.tenant.add(DEVICES, [device(1)])
    small.tenant.fault("foreign-link", on="/devices", to="host")
    result = small.fetch()["devices"]

    assert (result.state, small.held("devices")) == ("skipped", [])
    assert "nothing was sent there" in result.reason


def test_another_tenants_store_takes_nothing(small):
    """Context of two tenants in one store would explain neither."""
    small.fetch()
    with pytest.raises(SettingsError):
        small.fetch(tenant_id=guid(99))


def test_context_is_counted_apart_from_audits(small):
    """By the collections' names."""
    small.flows((guid(7), NOW - HOUR))
    small.fetch()

    assert "directoryAudits" not in small.graph.requests
    assert set(small.graph.requests) == set(NAMES)


# Sign-ins after a reset


ANN, BOB = guid(7), guid(8)


def test_sign_ins_come_from_a_flows_end_to_a_day_later(small):
    """Of that person, and of no other time."""
    end = NOW - 3 * DAY
    small.flows((ANN, end))
    near = [sign_in(end + wait, ANN) for wait in (MINUTE, 4 * HOUR, 23 * HOUR)]
    far = [sign_in(end + wait, ANN) for wait in (-MINUTE, 25 * HOUR)]
    small.tenant.add(SIGN_INS, [*near, *far, sign_in(end + MINUTE, BOB)])
    result = small.fetch()["signIns"]

    assert sorted(one["id"] for one in small.held("signIns")) == sorted(one["id"] for one in near)
    assert (result.records, result.people, result.left_out, result.requests) == (3, 1, 0, 1)
    with small.keeper.store.reading() as store:
        (span,) = stored.followed(store)
    assert (span.person, span.span.start, span.span.end) == (ANN, end, end + DAY)


@pytest.mark.parametrize(
    "flow",
    [
        {"client": "Mozilla/5.0"},
        {"end": "User's new password does not meet the password policy."},
    ],
)
def test_nobody_else_is_followed(small, flow):
    """Neither who reset in a browser, nor who did not succeed."""
    small.flows((ANN, NOW - DAY), **flow)
    result = small.fetch()["signIns"]

    assert (result.people, result.requests, result.left_out) == (0, 0, 0)


def test_only_flows_of_the_time_that_is_wanted_are_followed(small):
    """`since` and `until` are the report's."""
    small.flows((ANN, NOW - 8 * DAY), (BOB, NOW - 2 * DAY), (guid(9), NOW - HOUR))
    result = small.fetch(since=NOW - 7 * DAY, until=NOW - DAY)["signIns"]

    assert result.people == 1
    assert BOB in small.asked("signIns")[0].words


def test_people_are_asked_for_fifteen_at_a_time(small):
    """No filter names more, and everybody is in one."""
    people = [guid(100 + n) for n in range(40)]
    small.flows(*((one, NOW - DAY - n * MINUTE) for n, one in enumerate(people)))
    result = small.fetch()["signIns"]
    filters = [request.words for request in small.asked("signIns")]

    assert (result.people, len(filters)) == (40, 3)
    assert max(one.count("userId eq") for one in filters) == 15
    assert {one for one in people for words in filters if one in words} == set(people)


def test_a_sign_in_that_changed_replaces_the_older_text(small):
    """The second factor is added later; one id is one sign-in."""
    end = NOW - HOUR
    small.flows((ANN, end))
    before = sign_in(end + MINUTE, ANN)
    after = {**before, "status": {"errorCode": 50074}}
    small.tenant.add(SIGN_INS, [before])
    small.fetch()
    small.tenant.replace(SIGN_INS, after)
    small.clock.advance(600)
    small.fetch()

    assert small.held("signIns") == [after]


def test_a_span_that_has_settled_is_not_asked_for_again(small):
    """Two hours after its end a sign-in no longer changes."""
    small.flows((ANN, NOW - HOUR))
    asked = []
    for wait in (0 * HOUR, 24 * HOUR, HOUR + MINUTE, HOUR):
        small.clock.advance(wait.total_seconds())
        asked.append(small.fetch()["signIns"].requests)

    assert [requests > 0 for requests in asked] == [True, True, True, False]


def test_the_budget_leaves_people_out_and_counts_them(small):
    """The newest flows come first; the rest come with the next run."""
    people = [guid(100 + n) for n in range(40)]
    small.flows(*((one, NOW - 2 * DAY - n * MINUTE) for n, one in enumerate(people)))
    minutes = signing_in.BUDGET.total_seconds()
    small.tenant.fault("slow", on="signIns", seconds=minutes)
    first = small.fetch()["signIns"]
    second = small.fetch()["signIns"]

    assert (first.state, first.people, first.left_out) == ("came", 15, 25)
    assert first.remark == "signIns: 25 people left out: their sign-ins take longer than 10 minutes"
    assert people[0] in small.asked("signIns")[0].words
    assert (second.people, second.left_out) == (25, 0)


def test_the_budget_ends_in_the_middle_of_an_answer(tmp_path):
    """Half an answer is none: its people are left out."""
    with world(tmp_path, [], page=2) as inner:
        small = World(inner, tmp_path)
        end = NOW - 2 * DAY
        small.flows((ANN, end))
        small.tenant.add(SIGN_INS, [sign_in(end + n * MINUTE, ANN) for n in range(5)])
        small.tenant.fault("slow", on="signIns", nth=2, seconds=signing_in.BUDGET.total_seconds())
        result = small.fetch()["signIns"]

        assert (result.people, result.left_out, small.held("signIns")) == (0, 1, [])


def test_a_question_that_is_not_borne_costs_its_people_only(small):
    """Others are still asked for; where nothing comes at all, sign-ins are skipped."""
    small.flows((ANN, NOW - DAY), (BOB, NOW - 6 * DAY))
    small.tenant.fault(504, on=ANN, times=3)
    partly = small.fetch()["signIns"]
    small.tenant.fault(504, on="signIns", times=None)
    nothing = small.fetch()["signIns"]

    assert (partly.state, partly.people, partly.left_out) == ("came", 1, 1)
    assert "504" in partly.remark
    assert (nothing.state, nothing.people) == ("skipped", 0)


def test_a_filter_that_is_ignored_is_found_out(small):
    """Somebody else's sign-ins are not stored, and the run goes on."""
    small.flows((ANN, NOW - DAY))
    small.tenant.add(SIGN_INS, [sign_in(NOW - DAY + MINUTE, BOB)])
    small.tenant.fault("unfiltered", on="signIns")
    done = small.fetch()

    assert (done["signIns"].state, small.held("signIns")) == ("skipped", [])
    assert "does not keep to the filter" in done["signIns"].reason
    assert done["managedDevices"].state is State.CAME


def test_a_person_known_by_name_only_is_asked_for_by_name(small):
    """A quote in a name stays in it."""
    name, end = "pat.o'neil@example.com", NOW - DAY
    user = {"id": None, "userPrincipalName": name, "ipAddress": "192.0.2.1"}
    about = {
        "initiatedBy": {"app": None, "user": user},
        "targetResources": [{**user, "type": "User", "modifiedProperties": []}],
        "additionalDetails": [{"key": "ClientType", "value": "Windows 10 sign-in screen"}],
        "correlationId": guid(1),
    }
    path = small.folder / "named.json"
    done = audit(end, reason="Successfully completed reset.", **about)
    path.write_text(json.dumps([audit(end - MINUTE, **about), done]))
    keep.brought(small.keeper, path)
    small.tenant.add(SIGN_INS, [sign_in(end + MINUTE, ANN, userPrincipalName=name)])
    result = small.fetch()["signIns"]

    assert (result.people, result.records) == (1, 1)


# What else the store does with it


def test_a_person_who_is_forgotten_is_not_followed_either(small):
    """No table says that there was such a person."""
    small.flows((ANN, NOW - DAY), (BOB, NOW - DAY))
    small.tenant.add(SIGN_INS, [sign_in(NOW - DAY + MINUTE, one) for one in (ANN, BOB)])
    small.fetch()
    forget(small.keeper, ANN)

    assert small.query("SELECT DISTINCT person FROM followed") == [(BOB,)]
    assert ANN.encode() not in small.keeper.path.read_bytes()


def test_pruning_takes_what_was_followed_along(small):
    """What is no longer there is unknown again; what Intune said stays."""
    small.flows((ANN, NOW - 5 * DAY), (BOB, NOW - DAY))
    small.tenant.add(DEVICE_CONFIGURATIONS, [profile(1)])
    small.fetch()
    prune(small.keeper, keep=3 * DAY)

    assert small.query("SELECT person FROM followed") == [(BOB,)]
    assert small.query("SELECT value FROM reset_links") == [("on",)]
    assert small.query("SELECT count(*) FROM collections") == [(len(NAMES),)]


def test_no_secret_is_written_anywhere(small, capfd):
    """Neither into the store nor beside it."""
    small.flows((ANN, NOW - DAY))
    small.fetch()
    written = b"".join(path.read_bytes() for path in small.folder.rglob("*") if path.is_file())
    told = "".join(capfd.readouterr()).encode()

    assert small.tenant.canaries
    assert not [one for one in small.tenant.canaries if one.encode() in written + told]


def test_a_run_that_is_ended_keeps_what_had_landed(small):
    """The next one asks for the rest, and for nothing twice."""
    people = [guid(100 + n) for n in range(20)]
    small.flows(*((one, NOW - 2 * DAY - n * MINUTE) for n, one in enumerate(people)))

    def end(progress):
        if progress.name == "signIns":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small.fetch(tell=end)
    second = small.fetch()

    assert (second["namedLocations"].state, second["signIns"].people) == ("fresh", 5)
    assert small.query("SELECT count(*), count(DISTINCT person) FROM followed") == [(20, 20)]
