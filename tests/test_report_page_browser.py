"""In a real browser the page keeps its policy, works by mouse and by keys, and fits every width."""

from __future__ import annotations

import pytest
import report_hostile
import report_pages as pages
from browser import axe, chromium, keep, needs_chromium, visit

pytestmark = needs_chromium

PAGES = {"broken": pages.broken, "quiet": pages.quiet, "empty": pages.empty}
WIDTHS = (360, 768, 1440)


@pytest.fixture(scope="module")
def browser():
    """One for all tests here: starting it takes longest."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Every page as a file, and a folder for pictures."""
    folder = tmp_path_factory.mktemp("pages")
    for name, made in PAGES.items():
        (folder / f"{name}.html").write_text(made(), "utf-8")
    return folder


@pytest.fixture
def broken(browser, files):
    """The page with something in every field."""
    with visit(browser, files / "broken.html") as one:
        yield one


def long_table(files):
    """Return a page whose flows came from 40 addresses."""
    flows, events = pages.many(40)
    file = files / "many.html"
    flows = flows.assign(ip_group=flows["ip"])
    report = pages.factory.report(flows=flows)
    file.write_text(pages.rendered(report, flows=flows, events=events, since=None), "utf-8")
    return file


def rows(one, selector):
    """Return the texts of the rows that are seen."""
    script = "all => all.filter(one => one.offsetParent).map(one => one.innerText)"
    return one.page.eval_on_selector_all(selector, script)


@pytest.mark.parametrize("name", PAGES)
def test_it_loads_without_a_word_and_alone(browser, files, name) -> None:
    """Under its own policy nothing is refused, and nothing but the file is asked for."""
    with visit(browser, files / f"{name}.html") as one:
        one.open_all()

        assert one.complaints == []
        assert [url.rpartition("/")[2] for url in one.requests] == [f"{name}.html"]


def test_its_policy_refuses_what_is_not_its_own(broken) -> None:
    """A script, a style or a picture that got in would neither run nor load."""
    broken.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.owned = true";
            const image = new Image();
            image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
            document.body.append(script, image);
            document.body.setAttribute("style", "display: none");
            document.body.setAttribute("onclick", "window.owned = true");
            document.body.click();
        }"""
    )
    broken.page.wait_for_timeout(100)

    assert broken.page.evaluate("window.owned") is None
    assert broken.page.evaluate("getComputedStyle(document.body).display") == "block"
    assert len([one for one in broken.complaints if "Content Security Policy" in one]) == 4


@pytest.mark.parametrize("name", report_hostile.TEXTS)
def test_a_hostile_name_is_only_shown(browser, files, name) -> None:
    """Whatever is typed into every field, the page loads in peace and shows it as text."""
    file = files / "hostile.html"
    file.write_text(pages.hostile(name), "utf-8", errors="strict")
    with visit(browser, file, width=360) as one:
        one.open_all()
        one.page.click("#list .unfold >> nth=0")
        ours = "img, iframe, object, embed, base, [onerror], [onload], script[src]"

        assert one.complaints == []
        assert len(one.requests) == 1
        assert one.page.locator(ours).count() == 0
        assert one.page.locator("script").count() == 2
        assert one.overflow() == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_it_fits_every_width(browser, files, name, width) -> None:
    """Nothing sticks out, with every fold open; what is wide scrolls in a frame of its own."""
    with visit(browser, files / f"{name}.html", width=width, height=800) as one:
        keep(one, files, f"{name}-{width}")
        one.open_all()
        if name != "empty":
            one.page.click("#list .unfold >> nth=0")

        assert one.overflow() == 0


@pytest.mark.parametrize(
    ("name", "scheme"), [("broken", "light"), ("broken", "dark"), ("empty", "light")]
)
def test_axe_finds_nothing(browser, files, name, scheme) -> None:
    """Contrast, names, roles, order and focus are right, folded and unfolded, light and dark."""
    with visit(browser, files / f"{name}.html", color_scheme=scheme) as one:
        keep(one, files, f"{name}-{scheme}")
        folded = axe(one)
        one.open_all()
        if name != "empty":
            one.page.click("#list .unfold >> nth=0")

        assert folded == []
        assert axe(one) == []


def test_a_table_sorts_by_its_headings(broken) -> None:
    """Numbers go down first and texts up; a second press turns the order round, and it is told."""
    column = "#addresses tbody tr td:nth-child(4)"
    heading = broken.page.locator("#addresses thead th", has_text="flows")
    before = rows(broken, column)
    heading.locator("button").click()
    down = rows(broken, column)
    heading.locator("button").click()
    up = rows(broken, column)

    assert down == sorted(before, key=int, reverse=True)
    assert up == sorted(before, key=int)
    assert up != down
    assert heading.get_attribute("aria-sort") == "ascending"
    assert broken.page.locator("#addresses thead th[aria-sort=none]").count() == 10


def test_a_long_table_is_short_until_it_is_asked(browser, files) -> None:
    """Ten rows, then all; the filter looks through all of them, and says how many it found."""
    with visit(browser, long_table(files)) as one:
        short = rows(one, "#addresses tbody tr")
        one.page.fill("#addresses input", "198.51.39.")
        found = rows(one, "#addresses tbody tr")
        said = one.page.inner_text("#said")
        one.page.fill("#addresses input", "")

        assert len(short) == 10
        assert len(found) == 1
        assert said == "1 rows"
        assert len(rows(one, "#addresses tbody tr")) == 40


def test_flows_are_searched_and_chosen(broken) -> None:
    """By a word and by outcome, client, site and finding; the count says what is seen."""
    seen = "#list tbody tr"
    everything = rows(broken, seen)
    broken.page.select_option("#outcome", label="abandoned")
    abandoned = rows(broken, seen)
    broken.page.fill("#search", "USER5@EXAMPLE")
    both = rows(broken, seen)
    count = broken.page.inner_text("#count")
    broken.page.fill("#search", "")
    broken.page.select_option("#outcome", label="all")

    assert len(everything) == len(rows(broken, seen)) == 8
    assert len(abandoned) == 2
    assert len(both) == 1
    assert count == "1 of 1 flows shown, out of 8."


def test_a_finding_leads_to_its_flows(broken) -> None:
    """The link below a finding says how many of its flows are here, and chooses them."""
    link = broken.page.locator("#finding-1 .to-flows")
    said = link.inner_text()
    link.click()

    assert said == "Show 2 of its 3 flows"
    assert broken.page.input_value("#finding") == "1"
    assert len(rows(broken, "#list tbody tr")) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"flow_ids": ("of last month",)}, "sspr-audit report --since 2026-03-03 opens them"),
        ({"flow_ids": ()}, "its events stand by themselves"),
        ({"flow_ids": (), "events": 0}, "causes authenticated-proxy --why tells what was looked"),
    ],
    ids=["before the window", "events alone", "an absence"],
)
def test_a_finding_without_flows_here_says_where_to_look(browser, files, changes, told) -> None:
    """No link that leads to an empty table."""
    file = files / "elsewhere.html"
    report = pages.factory.report(findings=(pages.factory.finding(**changes),))
    file.write_text(pages.rendered(report), "utf-8")
    with visit(browser, file) as one:
        assert one.page.locator(".to-flows:visible").count() == 0
        assert told in one.page.inner_text(".elsewhere")


def test_a_flow_opens_to_its_time_line(broken) -> None:
    """By the keyboard: its steps with their times, local and UTC; and it closes again."""
    broken.page.fill("#search", "user3@example.com")
    broken.page.focus("#list .unfold")
    broken.page.keyboard.press("Enter")
    story = " ".join(broken.page.inner_text("tr.story").split())
    opened = broken.page.get_attribute("#list .unfold", "aria-expanded")
    broken.page.keyboard.press("Space")

    assert opened == "true"
    assert story.startswith("Mon 2026-03-02 02:00:00 CET (01:00:00 UTC), lasted 95 s")
    assert "Person: user3@example.com; reason: OnPremisesConnectivityError" in story
    assert "02:00:00 +0 s typed in the user name 02:00:36 +36 s" in story
    assert "00000000-0000-0000-0000-000000000003" in story
    assert broken.page.locator("tr.story").count() == 0


@pytest.mark.parametrize("allowed", [True, False], ids=["clipboard", "without clipboard"])
def test_commands_are_copied(browser, files, allowed) -> None:
    """As they stand, line for line, also where a page may not use the clipboard by itself."""
    rights = ["clipboard-read", "clipboard-write"]
    with visit(browser, files / "broken.html", permissions=rights) as one:
        if not allowed:
            one.page.evaluate(
                "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()) }"
            )
        one.page.locator("#finding-1 .copy").first.click()
        one.page.wait_for_function("document.getElementById('said').textContent === 'Copied'")

        copied = one.page.evaluate("navigator.clipboard.readText()")
        assert copied.splitlines() == [*pages.factory.PROXY_COMMANDS]


def test_the_first_stop_of_the_keyboard_skips_to_the_report(broken) -> None:
    """Then everything that can be pressed can be reached, in the order in which it is read."""
    broken.page.keyboard.press("Tab")
    first = broken.page.evaluate("document.activeElement.textContent")
    place = "[...document.querySelectorAll('*')].indexOf(document.activeElement)"
    stops = []
    for _ in range(12):
        broken.page.keyboard.press("Tab")
        stops.append(broken.page.evaluate(place))

    assert first == "Skip to the report"
    assert stops == sorted(set(stops))


def test_light_and_dark_follow_the_system_and_the_reader(browser, files) -> None:
    """The button turns round what the system says, and says what it will do."""
    colour = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for scheme in ("light", "dark"):
        with visit(browser, files / "broken.html", color_scheme=scheme) as one:
            seen[scheme] = one.page.evaluate(colour), one.page.inner_text("#theme")
            one.page.click("#theme")
            seen[f"not {scheme}"] = one.page.evaluate(colour), one.page.inner_text("#theme")

    assert seen["light"] == seen["not dark"]
    assert seen["dark"] == seen["not light"]
    assert (seen["light"][1], seen["dark"][1]) == ("Dark", "Light")
    assert seen["light"][0] != seen["dark"][0]


@pytest.mark.parametrize(("paper", "width"), [("A4", 688), ("Letter", 710)])
def test_it_prints_whole(browser, files, paper, width) -> None:
    """On paper every fold is open, nothing is cut at the side, and no button is left."""
    with visit(browser, files / "broken.html", width=width, color_scheme="dark") as one:
        one.page.evaluate(
            "addEventListener('beforeprint', () => {"
            " window.folded = document.querySelectorAll('details:not([open])').length })"
        )
        pdf = one.page.pdf(format=paper, print_background=True)
        one.page.emulate_media(media="print", color_scheme="dark")
        keep(one, files, f"print-{paper}")
        folded = one.page.evaluate("window.folded")
        buttons = (
            "all => all.filter(one => one.offsetParent && !one.closest('thead, #list')).length"
        )

        assert pdf.startswith(b"%PDF")
        assert pdf.count(b"/Type /Page\n") <= 12
        assert folded == 0
        assert one.overflow() == 0
        assert one.page.eval_on_selector_all("button", buttons) == 0
        assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert one.page.locator("details[open]").count() == 0  # as the reader left it


def test_paper_says_what_stays_on_screen(browser, files) -> None:
    """Where something is left out on paper a line says so, and a reader can ask for it."""
    with visit(browser, long_table(files), width=688) as one:
        told = one.page.locator(".paper")
        assert told.filter(visible=True).count() == 0

        one.page.emulate_media(media="print")
        one.open_all()
        first = one.page.inner_text("main")
        short = len(rows(one, "#addresses tbody tr"))
        flows = len(rows(one, "#list tr"))

        one.page.emulate_media(media="screen")
        one.page.click("[data-all=addresses]")
        one.page.click("#list .unfold >> nth=0")
        one.page.emulate_media(media="print")

        assert "This is the short form for paper." in first
        assert "30 more rows on screen" in first
        assert "The table of flows stays on screen" in first
        assert (short, flows) == (10, 0)
        assert len(rows(one, "#addresses tbody tr")) == 40
        assert "30 more rows" not in one.page.inner_text("main")
        assert len(rows(one, "#list tr")) == 3  # headings, the flow, and its steps
        assert one.overflow() == 0


def test_nothing_is_folded_away_without_a_line(broken) -> None:
    """On paper each finding names the kinds of names that it leaves on screen, and how many."""
    hidden = """all => all.map(one => [one.querySelector("details > .paper").innerText,
        [...one.querySelectorAll(".names")].map(kind => kind.offsetParent),
        [...one.querySelectorAll(".names h4")].map(kind => kind.textContent.toLowerCase())])"""
    broken.open_all()
    broken.page.emulate_media(media="print")
    seen = broken.page.eval_on_selector_all(".card", hidden)

    assert any(kinds for _, _, kinds in seen)
    for told, names, kinds in seen:
        assert not any(names)
        assert all(f"{kind} (" in told for kind in kinds)


def test_without_a_script_the_report_is_still_there(browser, files) -> None:
    """Findings and tables are read without JavaScript; what needs it says so."""
    with visit(browser, files / "broken.html", java_script_enabled=False) as one:
        text = one.page.inner_text("body")

        assert "What to do" in text
        assert "This table needs JavaScript" in text
        assert one.page.locator("button:visible").count() == 0
