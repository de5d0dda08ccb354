"""What is new, continuing, worse, better or gone is said only where the time before is known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import exported
import jsonschema
import keep
import pytest
import report_factory as factory
import report_hostile

import sspr_audit
from sspr_audit import cli, engine, knowledge
from sspr_audit.errors import LocalTrouble
from sspr_audit.evidence import change
from sspr_audit.judge import course, telling
from sspr_audit.model import (
    Course,
    Coverage,
    Gone,
    Met,
    Past,
    Progress,
    Scope,
    Statement,
    Told,
    Trend,
    Verdict,
    Window,
)
from sspr_audit.pipeline import forgetting, importing, keeping, remembering, stored_report
from sspr_audit.pipeline import report as pipeline
from sspr_audit.pipeline.analysis import Options
from sspr_audit.report import as_json, harmless, markdown, progress, pseudonyms, terminal
from sspr_audit.report.clock import clock
from sspr_audit.store import history

DAY = timedelta(days=1)
WEEK = 7 * DAY
START = datetime(2026, 3, 2, tzinfo=UTC)
KNOWN = knowledge.load()
LICENCE = "User does not have a license. You can add a license to the user to resolve this"
GROUP = (
    "This user is not a member of the password reset users group. Add this user to that group to "
    "resolve this."
)


def tries(day, people, hits, reason):
    """Return one reset of each of so many people on a day; the first so many meet the reason."""
    for person in range(people):
        number = int(day * 1_000) + person + 500_000
        who = f"00000000-0000-0000-0001-{person:012}"
        name = f"user{person}@example.com"
        failed = {"result": "failure", "resultReason": reason} if person < hits else {}
        at = START + day * DAY + timedelta(minutes=person)
        yield exported.record(
            number,
            activityDateTime=f"{at:%Y-%m-%dT%H:%M:%SZ}",
            initiatedBy={"user": {"id": who, "userPrincipalName": name, "ipAddress": "192.0.2.7"}},
            targetResources=[{"id": who, "type": "User", "userPrincipalName": name}],
            **failed,
        )


def written(folder, *groups):
    """Write an export of what was tried; return its path."""
    records = [record for group in groups for record in group]
    return str(exported.put(folder, "".join(f"{json.dumps(one)}\n" for one in records)))


def options(end, length=WEEK):
    return Options(KNOWN, end, end, start=end - length, end=end)


def on_files(folder, *groups, end=START + WEEK):
    return pipeline.from_files([written(folder, *groups)], options(end)).report


def of(report, cause):
    """Return the finding about a cause."""
    return next(one for one in report.findings if one.cause == cause)


def compared(before, after, verdict):
    return replace(change.pair("x", before, after), verdict=verdict)


# Identity


def test_an_identity_is_of_what_and_where():
    """A text is the same finding wherever it is, a pattern is one a place and client."""
    places = [("",), ("Malmö",), ("Malmö", "windows-signin"), ("Lund",), ("192.0.2.1",), None]
    found = {telling.identity(SILENT, where) for where in places}

    assert len(found) == len(places)
    assert {len(one) for one in found} == {12}


def test_an_identity_stays_when_one_more_is_hit():
    """Whoever is added to a finding, and whatever address they came by, it is the same one."""
    before, after = (
        {
            (one.family or one.cause, one.scope.sites): one
            for one in sspr_audit.demo(**span).judged.findings
            if not course.is_stated(one)
        }
        for span in ({"until": "2026-11-18"}, {})
    )
    both = [(before[key], after[key]) for key in before.keys() & after.keys()]

    assert both
    assert all(old.identity == new.identity for old, new in both)
    assert any(old.users != new.users for old, new in both)


# The rules


SILENT = "signin-screen-silent-at-site"


WINDOW = Window(START, START + WEEK)
BEFORE = Window(START - WEEK, START)
LONG_AGO = START - 5 * WEEK


def reason_finding(**changes):
    made = {
        "cause": "license-missing",
        "family": None,
        "identity": telling.identity("license-missing", None),
        "evidence": (Statement("reason-stated", "3 flows give the reason"),),
        "first_seen": START + DAY,
        "last_seen": START + 2 * DAY,
    }
    return factory.finding(**{**made, **changes})


def pattern_finding(**changes):
    made = {
        "identity": telling.identity(SILENT, ("Malmö",)),
        "family": "signin-screen-silent-at-site",
    }
    return factory.finding(**{**made, "first_seen": START + DAY, **changes})


def met(**changes):
    made = Met("license-missing", True, START - DAY, False, None, None)  # noqa: FBT003
    return replace(made, **changes)


def told(*findings, complete=True):
    return Told(BEFORE, complete, tuple(course.past(one) for one in findings))


def trend(finding, known=(), earlier=None, *, is_whole=False):
    (one,) = course.followed([finding], known, earlier, window=WINDOW, is_whole=is_whole)
    return one.trend


def test_without_records_or_report_nothing_is_new():
    """What nobody looked at before may have been there all along."""
    for finding in (reason_finding(), pattern_finding()):
        assert trend(finding) == Trend(Course.NOT_KNOWN)
        assert trend(finding, earlier=told(complete=False)) == Trend(Course.NOT_KNOWN)


def test_what_the_whole_period_before_did_not_show_is_new():
    """Records of all of it, or a report without gaps, make an absence a fact."""
    quiet = met(seen=False, since=None, last_before=LONG_AGO)

    assert trend(reason_finding(), is_whole=True) == Trend(Course.NEW)
    assert trend(reason_finding(), earlier=told()) == Trend(Course.NEW)
    assert trend(pattern_finding(), earlier=told()) == Trend(Course.NEW)
    assert trend(reason_finding(), [quiet], is_whole=True).last_before == LONG_AGO


def test_what_was_seen_before_continues_even_where_much_is_missing():
    """One record is enough to know that it was there."""
    found = trend(reason_finding(), [met()])

    assert (found.course, found.since, found.weeks) == (Course.CONTINUING, START - DAY, 1)
    assert trend(reason_finding(), earlier=told(reason_finding())).course is Course.CONTINUING


def test_a_pattern_that_began_before_the_window_continues_without_any_history():
    """Its onset is known, and is not in this window."""
    found = trend(pattern_finding(first_seen=START - 15 * DAY))

    assert (found.course, found.weeks) == (Course.CONTINUING, 3)


def test_a_pattern_whose_beginning_stands_out_in_the_window_is_new():
    """Only where the records hold the time before it."""
    begun = (Statement("sudden-onset", "It began", f"{START + DAY:%Y-%m-%dT%H:%M:%SZ}"),)

    assert trend(pattern_finding(evidence=begun), is_whole=True).course is Course.NEW
    assert trend(pattern_finding(evidence=begun)).course is Course.NOT_KNOWN
    assert trend(pattern_finding(), is_whole=True).course is Course.NOT_KNOWN


def test_what_ended_long_ago_and_began_anew_is_new():
    """An incident of this week is not last week's, which ended; one that only paused is."""
    begun = (Statement("sudden-onset", "It began", f"{START + DAY:%Y-%m-%dT%H:%M:%SZ}"),)
    now = pattern_finding(evidence=begun)
    last_week, paused = (
        Told(BEFORE, True, (replace(told(now).findings[0], last_seen=START + DAY - ago),))  # noqa: FBT003
        for ago in (5 * DAY, DAY / 2)
    )

    assert trend(now, [], last_week).course is Course.NEW
    assert trend(now, [], last_week).last_before == START - 4 * DAY
    assert trend(now, [], paused).course is Course.CONTINUING


@pytest.mark.parametrize(
    ("complete", "first", "is_whole"),
    [
        (True, 3 * DAY, True),
        (False, 0 * DAY, False),
        (None, 0 * DAY, True),
        (None, 3 * DAY, False),
    ],
)
def test_a_report_remembers_whether_its_records_held_the_whole_window(
    complete, first, is_whole, tmp_path
):
    """Of files nobody knows what they lack; that they do not reach the edges is known."""
    keeper = keep.keeper(tmp_path)
    keep.brought(keeper, "graph/page.json")
    spans = ((START + first, START + WEEK),)
    report = factory.report(window=WINDOW, coverage=Coverage(complete=complete, spans=spans))
    remembering.remember(keeper, report)
    with keeper.store.reading() as store:
        assert history.at(store, WINDOW).complete is is_whole


def test_an_earlier_report_reaches_further_back_than_the_records():
    """Only where the records know of no pause since they begin."""
    row = replace(told(reason_finding()).findings[0], since=LONG_AGO)
    earlier = Told(BEFORE, True, (row,))  # noqa: FBT003

    assert trend(reason_finding(), [met(reaches=True)], earlier).since == LONG_AGO
    assert trend(reason_finding(), [met(reaches=False)], earlier).since == START - DAY
    assert trend(pattern_finding(), [], told(pattern_finding())).since == START + DAY


@pytest.mark.parametrize("verdict", [Verdict.WORSE, Verdict.BETTER])
def test_only_a_test_makes_it_worse_or_better(verdict):
    """The word is the test's; without one it continues."""
    people = compared((3, 100), (30, 100), verdict)

    found = trend(reason_finding(), [met(people=people)], is_whole=True)

    assert found.course.value == verdict.value


def test_what_the_period_before_showed_alone_is_gone():
    """Records tell of reasons, an earlier report of patterns, the most people first."""
    before = [reason_finding(users=3)]
    earlier = told(pattern_finding(users=9), reason_finding(identity="0" * 12, users=1))
    gone = course.gone([], before, [met()], earlier, is_whole=True)
    here = course.gone([pattern_finding()], before, [met()], earlier, is_whole=True)

    assert [one.past.users for one in gone] == [9, 3, 1]
    assert [one.past.users for one in here] == [3, 1]


def test_records_go_before_what_a_report_said_of_a_reason():
    """A reason that its own records do not show is not gone: they were forgotten or corrected."""
    earlier = told(reason_finding())

    assert course.gone([], [], [], earlier, is_whole=True) == ()
    assert len(course.gone([], [], [], earlier, is_whole=False)) == 1


# From the records


def test_periods_are_told_apart_by_the_start_of_the_flow(tmp_path):
    """A cause of three weeks running, then a pause, is as old as the three weeks."""
    days = (-22, -15, -14, -7.001, -7, 0, 1)  # the fourth belongs to the week of -14 to -7
    report = on_files(
        tmp_path,
        tries(-30, 5, 0, LICENCE),
        *(tries(day, 5, 2, LICENCE) for day in days),
        tries(-28.5, 5, 2, GROUP),
        tries(2, 5, 1, GROUP),
    )
    licence, group = of(report, "license-missing").trend, of(report, "user-not-in-sspr-group").trend

    assert licence.since == START - 22 * DAY
    assert (licence.course, licence.weeks) == (Course.CONTINUING, 4)
    assert group.course is Course.NEW
    assert group.last_before.date() == (START - 28.5 * DAY).date()


def test_a_flow_over_midnight_belongs_to_the_period_of_its_start(tmp_path):
    """What it met after the window began is of the period before."""
    (failed,) = tries(0.0007, 1, 1, LICENCE)  # a minute past
    begun = {
        **failed,
        "id": "SSPR_begun",
        "activityDateTime": f"{START - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
        "activityDisplayName": "Self-service password reset flow activity progress",
        "result": "success",
        "resultReason": "User submitted their user ID",
    }
    report = on_files(tmp_path, tries(-8, 3, 0, ""), [begun, failed], tries(3, 3, 1, LICENCE))

    assert of(report, "license-missing").trend.course is Course.CONTINUING


def test_only_who_tried_to_reset_is_compared(tmp_path):
    """A password change that met the same reason is no attempt of somebody who tried."""
    changes = [
        {**one, "activityDisplayName": "Change password (self-service)"}
        for one in tries(2, 30, 30, "PasswordDoesNotComplyFuzzyPolicy")
    ]
    resets = (tries(day, 9, 2, "FuzzyPolicyViolationInvalidPassword") for day in (-3, 3))
    report = on_files(tmp_path, tries(-8, 3, 0, ""), *resets, changes)
    found = of(report, "banned-password-cloud")

    assert found.users == 30
    assert (found.trend.people.after.count, found.trend.people.after.people) == (2, 9)


@pytest.mark.parametrize(("first", "since"), [(-6, LONG_AGO), (-9, START - 4 * DAY)])
def test_a_report_reaches_back_only_behind_records_without_a_pause(tmp_path, first, since):
    """Records of a week in which nobody met it say that it is no older."""
    made = keep.keeper(tmp_path, now=START + WEEK)
    groups = tries(first, 9, 0, ""), tries(-4, 9, 3, LICENCE), tries(3, 9, 3, LICENCE)
    importing.import_files(made, [written(tmp_path / "in", *groups)], tenant_id=None)
    remembered = course.past(reason_finding(first_seen=LONG_AGO))
    with made.held("test"), made.store.writing() as store:
        history.remember(store, Told(BEFORE, True, (remembered,)))  # noqa: FBT003
    report = stored_report.from_store(made, options(START + WEEK)).report

    assert of(report, "license-missing").trend.since == since


def test_more_people_of_those_who_tried_is_worse_and_fewer_better(tmp_path):
    """A growth that chance seldom makes has its word; the same growth of the whole has none."""
    report = on_files(
        tmp_path,
        tries(-8, 1, 0, ""),
        *(tries(-3, 100, 2, LICENCE), tries(-2, 100, 30, GROUP)),
        *(tries(3, 100, 25, LICENCE), tries(4, 100, 5, GROUP)),
    )
    licence, group = of(report, "license-missing").trend, of(report, "user-not-in-sspr-group").trend

    assert (licence.course, group.course) == (Course.WORSE, Course.BETTER)
    assert (licence.people.before.count, licence.people.before.people) == (2, 100)
    assert (licence.people.after.count, licence.people.after.people) == (25, 100)
    assert licence.people.low > 0 > group.people.high


def test_twice_as_many_of_twice_as_many_is_no_change(tmp_path):
    """A bare count that doubles is not worse where twice as many people tried."""
    report = on_files(
        tmp_path,
        tries(-8, 1, 0, ""),
        tries(-3, 100, 10, LICENCE),
        tries(3, 200, 20, LICENCE),
    )

    assert of(report, "license-missing").trend.course is Course.CONTINUING


def test_what_stopped_is_gone_and_few_may_be_chance(tmp_path):
    """Both are listed; only the one that chance hardly makes is called better."""
    report = on_files(
        tmp_path,
        tries(-8, 1, 0, ""),
        *(tries(-3, 100, 1, LICENCE), tries(-2, 100, 30, GROUP)),
        tries(3, 100, 0, ""),
    )
    group, licence = report.progress.gone

    assert (group.past.cause, group.people.verdict) == ("user-not-in-sspr-group", Verdict.BETTER)
    assert (licence.past.cause, licence.people.verdict) == ("license-missing", Verdict.CANNOT_TELL)
    doubted = ["may be chance" in one.sentence for one in progress.gone(report, clock(None))]
    assert doubted == [False, True]


def test_records_that_begin_too_late_tell_of_nothing_new_or_gone(tmp_path):
    """Half of the period before is not all of it."""
    report = on_files(tmp_path, tries(-3, 9, 1, GROUP), tries(3, 9, 2, LICENCE))

    assert of(report, "license-missing").trend.course is Course.NOT_KNOWN
    assert not report.progress.is_known
    assert report.progress.ended_well is None
    assert "nothing is called new" in progress.summary(report, clock(None))


def test_where_nobody_tried_nothing_is_gone(tmp_path):
    """An empty week proves nothing."""
    report = on_files(tmp_path, tries(-8, 9, 0, ""), tries(-3, 9, 3, GROUP), end=START + WEEK)

    assert report.totals.flows == 0
    assert report.progress.gone == ()
    assert not report.progress.gone_is_known


def test_how_people_ended_is_compared_with_an_interval(tmp_path):
    """A worse week is called so by the same test as a change in the tenant."""
    report = on_files(
        tmp_path, tries(-8, 1, 0, ""), tries(-3, 100, 5, GROUP), tries(3, 100, 40, GROUP)
    )
    ended = report.progress.ended_well

    assert ended.verdict is Verdict.WORSE
    assert (ended.before.count, ended.after.count) == (95, 60)
    assert ended.high < 0
    assert "worse (-35 points" in progress.of_totals(report)


# The store


@pytest.fixture
def keeper(tmp_path):
    """Return a store with four weeks of resets, some of which name a cause."""
    made = keep.keeper(tmp_path, now=START + WEEK)
    groups = (
        *(tries(-22, 9, 0, ""), tries(-15, 9, 0, "")),
        *(tries(-10, 9, 3, LICENCE), tries(-4, 9, 3, LICENCE), tries(-3, 20, 1, GROUP)),
        tries(3, 9, 3, LICENCE),
    )
    importing.import_files(made, [written(tmp_path / "in", *groups)], tenant_id=None)
    return made


def reported(keeper, end=START + WEEK):
    report = stored_report.from_store(keeper, options(end)).report
    remembering.remember(keeper, report)
    return report


def test_the_same_report_twice_gives_the_same_bytes(keeper):
    """What a run writes down is not read by the next run on the same window."""
    reported(keeper, START)
    first = as_json.render(reported(keeper))
    before = keeper.path.read_bytes()

    assert as_json.render(reported(keeper)) == first
    assert keeper.path.read_bytes() == before


def test_only_a_report_on_the_period_before_counts(keeper):
    """Not one on the same window, on a part of it, on a longer one, or on one long ago."""
    for end, length in (
        (START + WEEK, WEEK),
        (START + 2 * DAY, WEEK),
        (START, 3 * WEEK),
        (START, DAY),
        (START - 2 * WEEK, WEEK),
    ):
        report = stored_report.from_store(keeper, options(end, length)).report
        remembering.remember(keeper, report)
    with keeper.store.reading() as store:
        assert history.earlier(store, WINDOW) is None
    late = START + timedelta(minutes=10)
    remembering.remember(keeper, stored_report.from_store(keeper, options(late)).report)
    with keeper.store.reading() as store:
        assert history.earlier(store, WINDOW).window.end == late


def test_a_pattern_is_followed_by_what_reports_remember(keeper):
    """It continues while each report shows it, as old as the first; then it is gone."""
    one = pattern_finding(scope=Scope(sites=("Malmö",)), first_seen=START - 6 * DAY)
    report = stored_report.from_store(keeper, options(START)).report
    remembering.remember(keeper, replace(report, findings=(one,)))
    later = stored_report.from_store(keeper, options(START + WEEK)).report
    (gone,) = [each for each in later.progress.gone if each.past.identity == one.identity]

    assert gone.past == course.past(one)
    assert gone.past.sites == ("Malmö",)
    assert any("Malmö" in one.sentence for one in progress.gone(later, clock(None)))


def test_no_person_is_written_down(keeper):
    """What the store remembers of findings names nobody, and is the same whoever they were."""
    reported(keeper)
    with engine.database(keeper.path, read_only=True) as store:
        rows = repr(engine.rows(store, "FROM found") + engine.rows(store, "FROM reports"))

    assert "license-missing" in rows
    assert "example.com" not in rows
    assert "00000000-0000" not in rows


def test_prune_drops_what_old_reports_found(keeper):
    """What is older than the records that stay goes with them."""
    reported(keeper, START - 2 * WEEK)
    reported(keeper)
    keeping.prune(keeper, keep=2 * WEEK)
    with engine.database(keeper.path, read_only=True) as store:
        left = [end for (end,) in engine.rows(store, "SELECT end_utc FROM reports")]

    assert left == [(START + WEEK).replace(tzinfo=None)]


def test_forgetting_somebody_drops_what_tells_of_one_alone(keeper):
    """A finding about a single person of that time goes, and its report is no proof of absence."""
    reported(keeper, START)
    forgetting.forget(keeper, "user0@example.com")
    with engine.database(keeper.path, read_only=True) as store:
        found = engine.rows(store, "SELECT cause, users FROM found")
        complete = engine.rows(store, "SELECT complete FROM reports")

    assert found == [("license-missing", 3)]
    assert complete == [(False,)]


def test_forgetting_finds_a_name_in_a_place(keeper):
    """A client that calls itself by somebody's name is no exception."""
    report = stored_report.from_store(keeper, options(START)).report
    named = pattern_finding(scope=Scope(clients=("other:PC of USER3@example.com",)), users=40)
    remembering.remember(keeper, replace(report, findings=(named,)))
    forgetting.forget(keeper, "user3@example.com")
    with engine.database(keeper.path, read_only=True) as store:
        assert engine.rows(store, "FROM found") == []


def test_a_busy_store_is_not_waited_for(keeper):
    """Somebody else's long fetch does not hold up a report; it is told that nothing was kept."""
    report = stored_report.from_store(keeper, options(START + WEEK)).report
    with keeper.held("fetch"), pytest.raises(LocalTrouble, match="in use"):
        remembering.remember(replace(keeper, wait=WEEK), report)


def test_the_report_is_given_although_the_store_is_busy(keeper, capsys):
    """What could not be kept is said on stderr; the report and its exit code are as ever."""
    config = keeper.path.with_name("settings.toml")
    config.write_text(f'[store]\npath = "{keeper.path.as_posix()}"\n', "utf-8")
    words = ["report", "--offline", "--until", f"{START + WEEK:%Y-%m-%dT%H:%M:%SZ}"]
    with keeper.held("fetch"), pytest.raises(SystemExit) as ended:
        cli.main([*words, "--config", str(config)])
    said = capsys.readouterr()

    assert ended.value.code == 0
    assert "a later report will not know of this one" in said.err
    assert "SINCE THE PERIOD BEFORE" in said.out


def test_what_is_remembered_survives_a_new_file(keeper):
    """Thinning out the store makes its file anew."""
    reported(keeper)
    with keeper.store.reading() as store:
        before = history.at(store, WINDOW)
    keeping.prune(keeper, keep=100 * WEEK)
    with keeper.store.reading() as store:
        assert history.at(store, WINDOW) == before
    assert before.findings


# In words


def told_report(text=None):
    """Return a report in which every course stands, with a text in what a stranger names."""
    people = compared((3, 100), (30, 100), Verdict.WORSE)
    trends = (
        Trend(Course.WORSE, START - 15 * DAY, 3, people=people),
        Trend(Course.NEW, last_before=LONG_AGO),
        Trend(Course.NOT_KNOWN),
    )
    report = factory.report()
    findings = tuple(
        replace(one, trend=each, identity=f"{number:012x}")
        for number, (one, each) in enumerate(zip(report.findings, trends, strict=True))
    )
    name = "Malmö" if text is None else text
    past = Past(
        *("0" * 12, "authenticated-proxy", None, name, (name,), (), (f"other:{name}",)),
        *(9, 12, LONG_AGO, START - DAY),
    )
    return replace(
        report,
        findings=findings,
        progress=Progress(
            BEFORE,
            True,  # noqa: FBT003
            compared((90, 100), (60, 100), Verdict.WORSE),
            (Gone(past, None),),
        ),
    )


def test_every_form_tells_what_changed():
    """The counts, each finding's course, and what is gone."""
    report = told_report()
    page = terminal.render(report, width=120, colour=False, timezone=None)
    text = markdown.render(report, timezone=None)
    found = json.loads(as_json.render(report))

    for shown_ in (page, text):
        assert "1 new, 1 worse, 1 not known whether new, 1 gone" in " ".join(shown_.split())
        assert "for 3 weeks, since" in shown_
        assert "30 of 100 people" in shown_
    jsonschema.validate(found, as_json.schema())
    assert [one["trend"]["course"] for one in found["findings"]] == ["worse", "new", "not-known"]
    assert found["progress"]["gone"][0]["scope"]["sites"] == ["Malmö"]


def test_a_report_that_nobody_compared_says_nothing_of_it():
    """Reports made before this was known stay as they were."""
    report = factory.report()

    assert progress.summary(report, clock(None)) == progress.of_totals(report) == ""
    assert [*progress.gone(report, clock(None))] == [*progress.notes(report)] == []
    assert "progress" not in json.loads(as_json.render(report))


@pytest.mark.parametrize("name", ["terminal escapes", "line ends", "html", "links", "long"])
def test_hostile_names_of_what_is_gone_stay_text(name):
    """A site or client that was named to do harm does none."""
    report = told_report(report_hostile.TEXTS[name])
    page = terminal.render(report, width=80, colour=False, timezone=None, verbose=True)
    text = markdown.render(report, timezone=None)

    assert page == "".join(f"{harmless.line(one, bound=None)}\n" for one in page.splitlines())
    assert "<script" not in text
    assert "\x1b" not in text
    jsonschema.validate(json.loads(as_json.render(report)), as_json.schema())


def test_what_is_gone_has_pseudonyms_too():
    """A client that calls itself by a name is not called so."""
    made = pseudonyms.Pseudonyms(bytes(32), pseudonyms.words(KNOWN))
    told_ = pseudonyms.report(told_report("Canary"), made, factory.flows())

    assert told_.progress.gone[0].past.clients[0].startswith("other:client-")
