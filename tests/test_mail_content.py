"""What the mail says: the verdict, what is missing, at most ten rows, and nobody's markup."""

import email
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
import report_factory
import report_hostile
import test_progress

from sspr_audit.cli import run
from sspr_audit.deliver import message
from sspr_audit.model import Attachment, Coverage, Envelope, Gap, Remedy, Scope, Window
from sspr_audit.pipeline import mail as pipeline
from sspr_audit.pipeline import report
from sspr_audit.report import mail
from sspr_audit.report.clock import clock
from sspr_audit.report.mail import content
from sspr_audit.tables import FLOWS

KEY = b"k" * 32
END = datetime(2026, 11, 20, tzinfo=UTC)
ABOUT = Envelope("a@example.com", ("b@example.com",), Window(END - timedelta(days=7), END))


@pytest.fixture(scope="module")
def demo():
    """The last whole week of the made-up tenant."""
    here = run.begin_demo(None, quiet=True, verbose=False)
    options = run.options(
        here, since="2026-11-13", until="2026-11-20", cloud=None, tell_events=True
    )
    return report.from_demo(options)


@pytest.fixture(scope="module")
def letter(demo):
    """The letter about it, as it is sent unless the settings say otherwise."""
    return pipeline.letter(report.pseudonymized(demo, KEY), "Europe/Stockholm")


class Page(HTMLParser):
    """The words, the addresses and the kinds of elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.words, self.links, self.kinds = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.kinds.add(tag)
        self.links += [value for name, value in attributes if name in {"src", "href", "background"}]
        self.words += [value for name, value in attributes if name == "alt"]

    def handle_data(self, data):
        self.words.append(data)


def written(text, **more):
    """Return the letter about a report made by hand, without charts."""
    return mail.letter(text, FLOWS.empty(), timezone=None, **more)


def said(page):
    return " ".join(" ".join(Page(page).words).split())


def test_both_forms_say_the_same(letter):
    """Every sentence of the plain form stands in the page, and the other way about."""
    visible = letter.page.partition("</style>")[2]
    plain, page = (
        {word.rstrip(".:") for word in re.findall(r"[\w.:@/-]{4,}", text)}
        for text in (letter.text, said(visible))
    )

    assert plain - page <= {"Charts", "words", "numbers", "More", "Data", "findings", "flows"}
    assert page - plain <= {"Self-service", "reset", "finding"}


def test_a_date_is_not_broken():
    """On a narrow page, a line ends before or after a date and its time; names of files may.

    The weekday belongs to it.
    """
    told = mail.unbroken("since Fri 2026-11-20 12:54:01 CET <b>, in week-2026-11-20.csv")

    assert told == (
        'since <span class="moment">Fri 2026-11-20 12:54:01</span> CET &lt;b&gt;,'
        " in week-2026-11-20.csv"
    )


def test_the_days_of_a_span_are_those_in_it():
    """A week that ends at a midnight is not told as eight days, nor one day as two."""
    days = content.Days(UTC, "UTC")

    assert days.span(END - timedelta(days=7), END) == "Fri 2026-11-13 to Thu 2026-11-19"
    assert days.span(END - timedelta(days=1), END) == "Thu 2026-11-19"


def test_the_subject_is_the_verdict_and_the_days(letter):
    """It is one line, and short; the page begins with the same."""
    assert letter.subject.startswith("Password reset trouble for 105 people at Malmö")
    assert letter.subject.endswith("[2026-11-13 to 2026-11-20]")
    assert len(letter.subject) < 180
    assert f"<title>{letter.subject}" in letter.page


@pytest.mark.parametrize("length", [1, 60, 5_000])
def test_the_subject_never_loses_how_sure_it_is(length):
    """Whatever place and title are called, a suspicion does not arrive as a fact."""
    scope = Scope(sites=("S" * length,), clients=("windows-signin",))
    one = report_factory.finding(title="T" * length, scope=scope)
    subject = written(report_factory.report(findings=(one,))).subject

    assert "(likely) [" in subject
    assert "T" in subject.partition(": ")[2]
    assert len(subject) < 180


def test_what_is_new_is_named_before_it_is_counted():
    """By its number and title, which is that of its row."""
    letter = written(test_progress.told_report())
    named = letter.text.index("New: 1. Proxy demands")

    assert named < letter.text.index("Worse: 2. Password writeback") < letter.text.index("1 new,")


def test_a_long_remedy_ends_between_words_and_says_where_the_rest_is():
    """Nobody copies half a host name."""
    words = [f"host{number}.example.com" for number in range(60)]
    one = report_factory.finding(remedy=Remedy(" ".join(words)))
    page = Page(written(report_factory.report(findings=(one,))).page)
    (said,) = (text for text in page.words if text.startswith("host0."))

    assert said.endswith(" \u2026 (the report has all)")
    assert set(said.removesuffix(" \u2026 (the report has all)").split()) <= set(words)


def test_a_letter_needs_nothing_else(letter):
    """No remote picture, no script, no form; what it shows travels with it."""
    page = Page(letter.page)

    assert page.links == [f"cid:{one.name}" for one in letter.pictures]
    assert not page.kinds & {"script", "link", "form", "iframe", "object", "svg", "a"}
    assert "url(" not in letter.page
    assert "@import" not in letter.page


def test_a_letter_is_small(letter):
    """Gmail would cut off what is longer; the rest is pictures and attachments."""
    assert len(letter.page.encode()) < mail.PAGE_LIMIT
    assert letter.page.count('class="number"') == content.ROWS
    assert "1 more finding in the report." in letter.page
    assert "1 more finding in the report." in letter.text


def test_pictures_say_in_words_what_they_show(letter):
    """For who sees none."""
    assert [one.name for one in letter.pictures] == ["flows-per-day", "sites-by-client"]
    assert all(one.png.startswith(b"\x89PNG") for one in letter.pictures)
    assert "2026-11-16 240" in letter.pictures[0].alt
    assert all(one.alt in " ".join(letter.text.split()) for one in letter.pictures)


def test_no_name_of_a_person_leaves(demo, letter):
    """Neither in a form nor in an attachment; with the names' leave, all do."""
    done = demo
    here = done.flows[done.flows["start_utc"].between(ABOUT.window.start, ABOUT.window.end)]
    people = {one.lower() for one in here["upn"].dropna()}
    files = b"".join(one.content for one in letter.attachments).decode().lower()
    everything = files + letter.text.lower() + letter.page.lower() + letter.subject.lower()
    ((_, _, raw),) = pipeline.composed(done, ABOUT, None, None)

    assert len(people) > 100
    assert [one for one in people if one.partition("@")[0] in everything] == []
    assert "person-" in files
    assert raw.isascii()
    for one in pipeline.letter(done, None).attachments:
        named = one.content.decode().lower()
        assert sum(name.partition("@")[0] in named for name in people) > 100


def test_the_report_and_the_flows_are_attached(letter):
    """By names that say what they are about."""
    kinds = [(one.name, one.kind) for one in letter.attachments]

    assert kinds == [
        ("sspr-report-2026-11-13-to-2026-11-20.html", "text/html"),
        ("sspr-flows-2026-11-13-to-2026-11-20.csv", "text/csv"),
    ]
    assert all(name in letter.text for name, _ in kinds)


def test_files_are_named_by_the_days_of_the_readers_zone(demo):
    """As the subject is: a week from Monday to Sunday is no other week in UTC."""
    start, end = (datetime(2026, 11, day, 23, tzinfo=UTC) for day in (8, 15))
    about = replace(demo.report, window=Window(start, end))
    letter = pipeline.letter(replace(demo, report=about), "Europe/Stockholm")

    assert "[2026-11-09 to 2026-11-15]" in letter.subject
    assert letter.attachments[0].name == "sspr-report-2026-11-09-to-2026-11-15.html"


def test_what_is_too_large_is_left_out_and_said(demo, monkeypatch):
    """A mail that no server takes would be no mail."""
    done = demo
    large = Attachment("flows.csv", "text/csv", bytes(2_500_000))
    small = Attachment("report.html", "text/html", b"small")
    monkeypatch.setattr(pipeline, "_files", lambda *_: [small, large])
    one = pipeline.letter(done, None)

    assert one.attachments == (small,)
    assert "the mail would be too large: flows.csv (2.5 MB)" in " ".join(one.text.split())


def test_gaps_are_told_before_anything_else():
    """In the subject, and beside the verdict."""
    clean = report_factory.report()
    gap = Gap(clean.window.start, clean.window.start + timedelta(hours=5), "504 again and again")
    spans = ((gap.end, clean.window.end),)
    torn = replace(clean, coverage=Coverage(complete=False, spans=spans, gaps=(gap,)))
    one = written(torn)

    assert one.subject.startswith("Data incomplete.")
    assert one.page.index("504 again and again") < one.page.index("What was found")
    assert "Gap: Mon 2026-03-02 00:00 UTC" in " ".join(one.text.split())


@pytest.mark.parametrize("change", ["nothing", "no findings", "no flows", "slips"])
def test_there_is_a_letter_about_anything(change):
    """No findings, no flows, no records: each has its own verdict."""
    one = report_factory.report()
    if change != "slips":
        one = replace(one, findings=())
    else:
        slips = tuple(replace(each, who_can_fix="user") for each in one.findings)
        one = replace(one, findings=slips)
    if change in {"nothing", "no flows"}:
        one = replace(one, totals=replace(one.totals, flows=0, users=0))
    if change == "nothing":
        one = replace(one, account=replace(one.account, events=0))
    words = {
        "nothing": "no records to judge",
        "no findings": "no cause named",
        "no flows": "nobody tried",
        "slips": "nothing for administrators",
    }
    found = written(one)

    assert words[change] in found.subject
    assert len(said(found.page)) > 200


@pytest.mark.parametrize("kind", report_hostile.TEXTS)
def test_a_strangers_text_is_only_text(kind):
    """In every field that a stranger can reach: no markup, no escape, no header, no flood."""
    clean, poisoned = (
        written(report_factory.report()),
        written(report_hostile.poisoned(report_hostile.TEXTS[kind])),
    )
    texts = (poisoned.subject, poisoned.text.replace("\n", ""), *Page(poisoned.page).words)

    assert Page(poisoned.page).kinds <= Page(clean.page).kinds
    assert all(part.replace("\n", "").isprintable() for part in texts)
    assert len(poisoned.page.encode()) < mail.PAGE_LIMIT
    assert Page(poisoned.page).links == Page(clean.page).links
    (_, usual), (_, mail_of_it) = (message.composed(one, ABOUT, END) for one in (clean, poisoned))
    assert email.message_from_bytes(mail_of_it).keys() == email.message_from_bytes(usual).keys()
    assert max(map(len, mail_of_it.split(b"\r\n"))) <= 998


def test_whole_days_are_told_by_their_names():
    """Half a day by its times."""
    one = report_factory.report()
    half = replace(one, window=Window(one.window.start, one.window.end - timedelta(hours=12)))

    assert content.contents(one, clock(None), (), ()).period == (
        "Mon 2026-03-02 to Sun 2026-03-08 (UTC)"
    )
    assert "12:00 UTC" in content.contents(half, clock(None), (), ()).period
