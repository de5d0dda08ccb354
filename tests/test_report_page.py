"""The page is one small file that runs nothing but its own, and counts what it leaves out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import accumulate
from uuid import UUID

import pytest
import report_factory as factory
import report_hostile
import report_pages as pages
import test_progress
import test_pseudonyms

from sspr_audit.model import Course, Scope, Trend
from sspr_audit.report import page, pseudonyms
from sspr_audit.tables import EVENTS

PAGES = {"broken": pages.broken, "quiet": pages.quiet, "empty": pages.empty}


class Parts(HTMLParser):
    """What a page is made of: its elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def flows_of(html: str) -> dict:
    """Return what the page's script reads."""
    found = re.search(r'id="flows-data">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def flow_of(data: dict, row: list) -> dict:
    """Return a row as the page's script unfolds it."""
    code, start, length, person, address, kind, (pattern, *gaps), *found = row
    books = ("outcomes", "clients", "sites", "steps", "reasons", "types")
    texts = [
        data[book][place] if place >= 0 else None
        for book, place in zip(books, data["kinds"][kind], strict=True)
    ]
    said = [data["said"][place] for place in data["patterns"][pattern]]
    return {
        "id": str(UUID(bytes=base64.b64decode(f"{code}=="))) if isinstance(code, str) else code[0],
        "start": start,
        "length": length,
        "person": data["people"][person] if person >= 0 else None,
        "address": data["addresses"][address] if address >= 0 else None,
        **dict(zip(("outcome", "client", "site", "step", "reason", "type"), texts, strict=True)),
        "steps": [*zip(accumulate(gaps), said, strict=True)],
        "found": found[0] if found else [],
    }


def told(html: str) -> str:
    """Return the text of the page as one line, without scripts and styles."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(" ".join(Parts(body).texts).split())


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched_and_only_our_own_runs(name: str) -> None:
    """The policy names the one style and the one script by hash, and nothing else may load."""
    html = PAGES[name]()
    parts = Parts(html)
    (policy,) = [one["content"] for one in parts.all("meta") if one.get("http-equiv")]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert policy
    assert style
    assert script
    hashes = [
        base64.b64encode(hashlib.sha256(one[1].encode()).digest()).decode()
        for one in (style, script)
    ]

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert {"src", "srcset", "style", "background", "onclick", "onload"}.isdisjoint(
        key for _, attrs in parts.elements for key in attrs
    )
    assert {"link", "img", "iframe", "object", "base"}.isdisjoint(tag for tag, _ in parts.elements)
    assert parts.all("meta")[0] == {"charset": "utf-8"}


def test_the_verdict_stands_first() -> None:
    """What, for whom and where; then why and since when; then what the data lacks."""
    text = told(pages.broken())
    places = [
        text.index("Password reset gives trouble to 31 people at Malmö"),
        text.index("Found: Proxy demands user authentication"),
        text.index("First seen in this window Tue 2026-03-03 09:12 CET (08:12 UTC)"),
        text.index("The data is not whole"),
        text.index("the service answered 503 six times"),
        text.index("3 records: not JSON"),
        text.index("the period before"),
        text.index("Findings 1. Proxy")
        if "Findings 1. Proxy" in text
        else text.index("What to do"),
    ]

    assert places == sorted(places)


def test_a_finding_says_all_that_is_known_of_it() -> None:
    """Cause, people, places, since when, both sides, rivals, what settles it, remedy and who."""
    text = told(pages.broken())
    one = factory.finding()

    for words in (
        *(one.title, "31 people, 44 flows", "Malmö; at the Windows sign-in screen", one.cause),
        *(each.statement for each in (*one.evidence, *one.against)),
        *(each.cause for each in one.rivals),
        *(*one.confirm_with, one.remedy.summary, *one.remedy.hosts, "the device administrator"),
        *("Likely means here", one.sources[0].title, one.event_ids[0]),
    ):
        assert words in text, words


def test_what_people_mend_themselves_comes_last() -> None:
    """The order is that of the terminal: what somebody else must mend comes first."""
    text = told(pages.broken())

    assert text.index("Password writeback cannot reach") < text.index("What people can mend")
    assert text.index("What people can mend") < text.index("3. People stop at the options page")


def test_a_whole_report_has_no_notice() -> None:
    """Nothing is said about data that lack nothing, and nothing compared where nothing is known."""
    text = told(pages.quiet())

    assert "not whole" not in text  # what is still settling is said below, and is no fault
    assert "Settling" in text
    assert "the period before" not in text
    assert "no all-clear" in text


def test_the_change_is_told_with_its_interval() -> None:
    """Since the period before: both shares, the difference and how sure it is."""
    flows = factory.frame(
        factory.FLOWS,
        [
            factory.flow(n, (n - 100) / 2, outcome="succeeded" if n < 100 else "failed")
            for n in range(200)
        ],
    )
    text = told(pages.rendered(factory.report(flows=flows), flows=flows, since=pages.since(flows)))

    assert "Worse than the period before" in text
    assert "100 of 100 people (100 %) before and 0 of 100 people (0 %) after, -100 points" in text
    assert "Worse at Malmö; with browser." in text


def test_what_became_of_each_finding_is_told() -> None:
    """New, worse, continuing and gone stand at the top, named, and with each finding its course."""
    text = told(pages.broken())
    lead = text.index("Worse than the period before New: 1. Proxy demands")

    assert (
        lead
        < text.index("Worse: 2. Password writeback")
        < text.index("1 new, 1 worse, 1 not known whether new")
    )
    assert "1 new, 1 worse, 1 not known whether new, 1 gone" in text
    assert "Gone since then Malmö, at Malmö" in text
    assert "cannot give New ●●○ Likely" in text
    assert text.count("for 3 weeks, since") == 1


def test_what_nobody_knows_is_said_once() -> None:
    """Where no finding has a known course, the top says so, and no card repeats it."""
    report = test_progress.told_report()
    unknown = tuple(replace(one, trend=Trend(Course.NOT_KNOWN)) for one in report.findings)
    before = replace(report.progress, is_known=False, gone=(), gone_is_known=False)
    text = told(pages.rendered(replace(report, findings=unknown, progress=before)))

    assert text.count("nothing is known of that time") == 1
    assert "not known whether" not in text.lower()


def test_every_finding_says_why_before_anything_is_opened() -> None:
    """The first sentence of the evidence stands on the card; the rest is below the fold."""
    one = factory.finding()
    text = told(pages.rendered(factory.report(findings=(one,))))
    card = text[text.index("1. Proxy demands") :]

    assert card.index(one.evidence[0].statement) < card.index("Why we think so")
    assert card.index("Why we think so") < card.index(one.evidence[1].statement)


def test_a_silent_site_has_a_chart_of_its_own() -> None:
    """It shows when the silence began, so it reaches back before the window; nobody else has it."""
    silent = factory.finding(scope=Scope(sites=("Malmö",), clients=("windows-signin",)))
    other = factory.finding(scope=Scope(sites=("Malmö",), clients=("browser",)))
    texts = [told(pages.rendered(factory.report(findings=(one,)))) for one in (silent, other)]
    shown = ["At the Windows sign-in screen, at Malmö Flows from there" in one for one in texts]

    assert shown == [True, False]


def test_without_events_flows_have_no_steps() -> None:
    """Nobody has to ask for the events; the page stands all the same."""
    data = flows_of(pages.rendered(factory.report(), events=None))

    assert len(data["rows"]) == 8
    assert [flow_of(data, row)["steps"] for row in data["rows"]] == [[]] * 8


def test_no_name_comes_out_where_pseudonyms_stand() -> None:
    """Neither in the findings and tables nor in the steps of a flow, which are still told."""
    report, flows = test_pseudonyms.canary_report()
    event = factory.event(
        1, flows["flow_id"][0], 1, reason="by Canary", person="c0a17", upn="canary"
    )
    events = factory.frame(EVENTS, [event | {"activity": "Canary did it", "meaning": None}])
    ours = test_pseudonyms.OURS
    frames = {"flows": flows, "events": events}
    hidden = {name: pseudonyms.frame(one, ours) for name, one in frames.items()}
    clear = pages.rendered(report, **frames)
    html = pages.rendered(pseudonyms.report(report, ours, flows), **hidden)
    data = flows_of(html)

    assert "canary" in clear.lower()
    assert [one for one in ("canary", "karlsson", "0c0a17", "1740605") if one in html.lower()] == []
    assert sum(len(flow_of(data, row)["steps"]) for row in data["rows"]) == 1


def test_the_page_says_whether_names_stand_in_it() -> None:
    """Whoever passes it on knows what is in it."""
    named, unnamed = (
        told(pages.rendered(replace(factory.report(), is_pseudonymized=one)))
        for one in (False, True)
    )

    assert "Names and addresses of people stand in this file" in named
    assert "Addresses and sites stand in this file as they are" in unnamed
    assert "Names and addresses" not in unnamed


def test_a_change_asked_about_is_told() -> None:
    """`--changed` has its place on the page."""
    flows = factory.flows()
    asked = replace(factory.report(), changed=pages.since(flows))

    assert "Before and after the change In all: cannot tell" in told(pages.rendered(asked))


def test_every_flow_of_the_window_is_there_with_its_steps() -> None:
    """Newest first or not, a flow carries what the table and its time line need."""
    data = flows_of(pages.broken())
    rows = {one["id"][-1]: one for one in (flow_of(data, row) for row in data["rows"])}
    failed = rows["3"]

    assert sorted(rows) == list("23456789")
    assert (data["all"], data["left"]) == (8, 0)
    assert failed["id"] == "00000000-0000-0000-0000-000000000003"
    assert (data["base"] + failed["start"], failed["length"]) == (factory.at(1).timestamp(), 95)
    assert (failed["outcome"], failed["client"]) == ("failed", "windows-signin")
    assert failed["reason"] == "OnPremisesConnectivityError"
    assert (failed["person"], data["domain"]) == ("user3@", "example.com")
    assert failed["found"] == [1, 2, 3]  # one of each finding's
    assert failed["steps"] == [(0, ["typed in the user name"]), (36, ["typed in the user name"])]
    assert rows["4"]["person"] is None
    assert rows["5"]["address"] is None


def test_the_stored_password_is_told_in_its_flow() -> None:
    """The directory's record has no flow of its own; other echoes are left out, as in `flow`."""
    flow = factory.flow(1, 1, echo_id="Directory_1")
    events = [
        factory.event(1, flow["flow_id"], 1),
        factory.event(
            2, None, 1.01, event_id="Directory_1", role="echo", activity="Reset user password"
        ),
        factory.event(
            3, None, 1.01, event_id="Directory_2", role="echo", activity="Change user password"
        ),
    ]
    frames = factory.frame(factory.FLOWS, [flow]), factory.frame(EVENTS, events)
    data = flows_of(pages.rendered(factory.report(), flows=frames[0], events=frames[1]))
    (row,) = data["rows"]

    assert [said for _, (said,) in flow_of(data, row)["steps"]] == [
        "typed in the user name",
        "Entra stored the new password",
    ]


def test_the_offset_of_the_zone_changes_where_clocks_do() -> None:
    """Times of the table are local on both sides of the change to summer time."""
    window = replace(factory.WINDOW, end=factory.at(24 * 40))
    flows = factory.frame(factory.FLOWS, [factory.flow(1, 24 * 28), factory.flow(2, 24 * 26)])
    report = replace(factory.report(), window=window)
    data = flows_of(pages.rendered(report, flows=flows, since=None))

    assert [zone[1:] for zone in data["zones"]] == [[3600, "CET"], [7200, "CEST"]]


@pytest.mark.parametrize("count", [10_000, 30_000])
def test_the_page_stays_under_a_megabyte(count: int) -> None:
    """What does not fit is left out, those that ended well first, and counted."""
    flows, events = pages.many(count)
    html = pages.rendered(factory.report(flows=flows), flows=flows, events=events, since=None)
    data = flows_of(html)
    failed = sum(flow_of(data, row)["outcome"] == "failed" for row in data["rows"])

    assert len(html.encode()) <= page.LARGEST
    assert data["all"] == count
    assert len(data["rows"]) + data["left"] == count
    assert failed == count // 8
    assert (data["left"] > 0) == (count > 10_000)
    assert len(html.encode()) > 0.8 * page.LARGEST  # the room is used


def test_equal_reports_give_equal_pages() -> None:
    """Whatever the order of rows."""
    flows, events = factory.flows(), factory.events()
    shuffled = [one.sample(frac=1, random_state=3) for one in (flows, events)]
    again = pages.rendered(test_progress.told_report(), flows=shuffled[0], events=shuffled[1])

    assert pages.broken() == again


def test_an_empty_report_has_a_page() -> None:
    """No flow, no chart and no table of flows; the verdict says why."""
    html = pages.empty()

    assert "no password reset event in this window" in told(html)
    assert not Parts(html).all("svg")
    assert flows_of(html)["rows"] == []


@pytest.mark.parametrize("name", report_hostile.TEXTS)
def test_a_hostile_text_stays_text(name: str) -> None:
    """It makes no element, ends no script, and nothing in it is unseen."""
    html = pages.hostile(name)
    clean, parts = Parts(pages.broken()), Parts(html)
    tags = {tag for tag, _ in parts.elements}

    assert tags <= {tag for tag, _ in clean.elements}
    assert len(parts.all("script")) == 2
    assert not [one for one in parts.all("a") if not (one["href"] or "").startswith("#")]
    assert all(one.isprintable() or one == "\n" for one in html)
    assert len(html.encode()) <= page.LARGEST


def test_an_address_that_is_none_is_no_link() -> None:
    """Only an http address is linked; anything else is words."""
    source = factory.finding().sources[0]
    sources = tuple(
        replace(source, url=url)
        for url in ("javascript:alert(1)", "https://example.com/a?b=c#d", 'https://example.com/"x')
    )
    html = pages.rendered(factory.report(findings=(factory.finding(sources=sources),)))
    links = [one["href"] for one in Parts(html).all("a") if not (one["href"] or "").startswith("#")]

    assert links == ["https://example.com/a?b=c#d"]


def test_matplotlib_is_whole_after_a_page() -> None:
    """What loads later still writes its help, although the page loads it without."""
    code = (
        "from sspr_audit.report.page import drawing; drawing.load(); "
        "from matplotlib import artist, lines; "
        "print('linewidth' in artist.kwdoc(lines.Line2D))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True"]
