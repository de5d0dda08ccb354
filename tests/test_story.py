"""`flow`: one attempt or one person, found by whatever name the reader has at hand."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import keep
import pytest
from keep import FIXTURES

from sspr_audit import knowledge
from sspr_audit.errors import UsageError
from sspr_audit.pipeline import catalogue, story
from sspr_audit.pipeline import report as pipeline
from sspr_audit.pipeline.analysis import Options
from sspr_audit.report import pseudonyms
from sspr_audit.sources.demo import tenant

HUGO = "hugo.aker@example.com"
HUGO_ID = "00000000-0000-0000-0001-000000000002"
BERTIL = "bertil.strom@example.com"


OPTIONS = Options(knowledge.load(), keep.NOW, keep.NOW, tell_events=True)


def analysed(*paths, **more):
    return pipeline.from_files([str(path) for path in paths], replace(OPTIONS, **more))


@pytest.fixture(scope="module")
def done():
    """The story of the fixtures, whole."""
    return analysed(FIXTURES / "graph/page.json")


def told(done, wanted, **more):
    return story.told(done, wanted, timezone=None, **more)


def flow_of(done, upn):
    (flow_id,) = done.flows.loc[done.flows["upn"] == upn, "flow_id"]
    return flow_id


@pytest.mark.parametrize("change", [str, str.upper, lambda text: f" {text}\n"])
def test_a_flow_is_found_by_its_id(change, done):
    """In any case, and told alone."""
    page = told(done, change(flow_of(done, HUGO)))

    assert page.count(f"Flow {flow_of(done, HUGO)}\n") == 1
    assert page.startswith(HUGO)
    assert BERTIL not in page


def test_an_event_leads_to_its_flow(done):
    """A finding names event ids; the reader wants what happened around them."""
    mine = done.events[done.events["flow_id"] == flow_of(done, BERTIL)]

    assert len(mine) > 3
    assert {told(done, one) for one in mine["event_id"]} == {told(done, flow_of(done, BERTIL))}


def test_an_event_of_no_flow_leads_to_its_person(done):
    """An admin's reset belongs to the story of whose password it was."""
    (act_id,) = done.acts.loc[done.acts["kind"] == "admin-reset", "act_id"]
    page = told(done, act_id)

    assert BERTIL in page
    assert page.count("Flow ") == 1


@pytest.mark.parametrize("wanted", [HUGO, HUGO.upper(), HUGO_ID, f" {HUGO} "])
def test_a_person_is_found_by_name_or_id(wanted, done):
    """In any case; name and id tell the same story."""
    page = told(done, wanted)

    assert page.partition("\n")[2] == told(done, HUGO).partition("\n")[2]
    assert flow_of(done, HUGO) in page
    assert flow_of(done, BERTIL) not in page


@pytest.mark.parametrize(
    "wanted",
    [
        *("nobody@example.com", "hugo", "@example.com", "", " ", "null", "None", "nan", "%"),
        *("00000000-0000-0000-0000-000000000000", "\udcff", "' OR 1=1 --", "\x1b[2J", ".*"),
    ],
)
def test_whoever_is_not_there_is_told_so(wanted, done):
    """One line with the window that was searched, and nothing that steers a terminal."""
    with pytest.raises(UsageError, match="between 2026-11-02 08:04 and 2026-11-02 12:39 UTC") as no:
        told(done, wanted)

    assert str(no.value).isprintable()
    assert "--since" not in str(no.value)  # there is nothing before or after to be shown


def test_a_flow_is_told_in_the_same_lines_whatever_it_was_found_by(done):
    """By its id as by its person, with what the directory recorded of it."""
    for upn in (HUGO, BERTIL):
        by_flow = told(done, flow_of(done, upn), verbose=True)

        assert by_flow.rstrip("\n") in told(done, upn, verbose=True)
    assert "Entra stored the new password" in told(done, flow_of(done, HUGO))


def test_a_flow_that_failed_says_why_and_what_to_do(done):
    """Its reason's cause or family, who can mend it, and how; a success needs no such lines."""
    known = {row.key: row for row in OPTIONS.knowledge.reasons}
    failed = done.flows[done.flows["outcome"].isin(["failed", "blocked"])]

    assert len(failed) > 1
    for flow_id, key in zip(failed["flow_id"], failed["reason_key"], strict=True):
        row = known.get(key)
        target = (row.family or row.causes[0]) if row else "too-many-attempts-throttled"
        assert f"\nMore      sspr-audit causes {target}\n" in told(done, flow_id)
    for flow_id in done.flows.loc[done.flows["outcome"] == "succeeded", "flow_id"]:
        assert "\nCause " not in told(done, flow_id)


def test_a_flow_names_what_it_tells_of():
    """A pattern that it was counted in, once; what its own reason says is no second line."""
    demo = pipeline.from_demo(replace(OPTIONS, now=tenant.NOW, generated_at=tenant.NOW))
    counted = {one.title: one.flow_ids[0] for one in demo.report.findings}
    alone = set(demo.flows["flow_id"]).difference(*(one.flow_ids for one in demo.report.findings))

    for one in demo.report.findings:
        page = " ".join(told(demo, counted[one.title]).split())
        by_reason = page.count(f"Cause {one.title}")
        assert by_reason + page.count(f"Tells of {one.title} ({one.confidence};") == 1
    assert "Tells of" not in told(demo, min(alone))


def test_what_lies_outside_the_window_is_not_told():
    """A flow of the time before is asked for with a longer --since."""
    page = FIXTURES / "graph/page.json"
    late = analysed(page, start=datetime(2026, 11, 2, 9, 30, tzinfo=UTC))
    flow_id = flow_of(analysed(page), HUGO)
    for wanted in (flow_id, HUGO):
        with pytest.raises(UsageError, match="give an earlier --since"):
            told(late, wanted)

    assert "Flow " in told(late, BERTIL)


def test_a_name_that_would_steer_a_terminal_is_shown_and_not_obeyed(tmp_path):
    """Whoever names a user or writes a reason has no say over the reader's screen."""
    nasty = "\x1b]0;x\x07\u202e\x9b31m<b>"
    lines = (FIXTURES / "graph/lines.ndjson").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines if HUGO in line]
    for record in records:
        record["resultReason"] += nasty
        record["activityDisplayName"] += nasty
        for target in record["targetResources"]:
            target["userPrincipalName"] = f"{nasty}@example.com"
    path = tmp_path / "nasty.ndjson"
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    page = told(analysed(path), f"{nasty}@EXAMPLE.com")

    assert all(line.isprintable() for line in page.splitlines())
    assert "@example.com" in page


def test_the_catalogue_suggests_what_was_meant():
    """A slip of the pen leads to the cause or the family next to it."""
    here = Options(knowledge.load(), keep.NOW, keep.NOW)
    family = next(iter(here.knowledge.families))
    for wrong, right in (("autenticated-proxy", "authenticated-proxy"), (f"{family}s", family)):
        with pytest.raises(UsageError, match=f"did you mean {right}\\?"):
            catalogue.told(here, wrong)
    with pytest.raises(UsageError, match="`sspr-audit causes` lists them"):
        catalogue.told(here, "zzz")


def test_the_catalogue_keeps_to_the_cloud():
    """A cause that a cloud cannot have is not in its list."""
    known = knowledge.load()
    lists = {
        name: catalogue.told(Options(known, keep.NOW, keep.NOW, cloud=cloud), None)
        for name, cloud in (("any", None), *known.clouds.items())
    }
    bound = [c for c in known.causes.values() if not all(map(c.applies_in, known.clouds.values()))]

    assert all(cause.id in lists["any"] for cause in known.causes.values())
    assert bound
    for cause in bound:
        for name, cloud in known.clouds.items():
            assert (f" {cause.id}" in lists[name].replace("\n", " ")) == cause.applies_in(cloud)


def test_a_pseudonym_is_followed_back_by_who_has_the_key(done):
    """The help desk that got a mail with pseudonyms asks for one; another key tells of nobody."""
    key = bytes(range(32))
    names = pseudonyms.names(done.flows, done.acts)
    stands = pseudonyms.Pseudonyms(key, frozenset(), names).person(HUGO)

    assert story.is_pseudonym(f" {stands.upper()}")
    assert told(done, story.behind(done, stands, key)) == told(done, HUGO_ID)
    with pytest.raises(UsageError, match="another key of pseudonyms"):
        story.behind(done, stands, bytes(32))


@pytest.mark.parametrize("wanted", ["hugo.aker", "hugo.akker@example.com", "Hugo.Aker"])
def test_a_name_that_is_nearly_right_is_told(wanted, done):
    with pytest.raises(UsageError, match=f"did you mean '{HUGO}'"):
        told(done, wanted)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("OnPremisesConnectivityError", "writeback-root-ca-missing"),
        ("33004", "writeback-permission-missing"),
        ("User cancelled before submitting a new password", "user-cancelled"),
        ("AADSTS120018", "banned-password-cloud"),
    ],
)
def test_a_cause_is_found_by_the_words_of_its_reasons_and_codes(words, cause):
    """They are what a help desk holds in its hand."""
    assert f"  {cause}  (" in catalogue.told(OPTIONS, words)


def test_words_that_stand_nowhere_are_told_so():
    with pytest.raises(UsageError, match="no text of one holds it"):
        catalogue.told(OPTIONS, "konto")
