"""The mail in a real browser: it fits a phone and a desk, with pictures and without them."""

import base64
from dataclasses import replace

import pytest
import report_factory
import report_hostile
from browser import axe, chromium, keep, needs_chromium, visit

from sspr_audit.model import Coverage, Gap
from sspr_audit.report import mail

pytestmark = needs_chromium

WIDTHS = (360, 600, 1000)


def torn():
    """A report with findings and a gap."""
    whole = report_factory.report()
    gap = Gap(whole.window.start, whole.window.start.replace(hour=5), "504 again and again")
    spans = ((gap.end, whole.window.end),)
    return replace(whole, coverage=Coverage(complete=False, spans=spans, gaps=(gap,)))


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The mail about a torn week and one full of hostile words, with pictures shown and blocked."""
    folder = tmp_path_factory.mktemp("mails")
    hostile = report_hostile.poisoned(report_hostile.TEXTS["long"])
    for name, report in {"torn": torn(), "hostile": hostile}.items():
        one = mail.letter(report, report_factory.flows(), timezone="Europe/Stockholm")
        shown = one.page
        for picture in one.pictures:
            data = base64.b64encode(picture.png).decode()
            shown = shown.replace(f"cid:{picture.name}", f"data:image/png;base64,{data}")
        (folder / f"{name}-shown.html").write_text(shown, "utf-8")
        (folder / f"{name}-blocked.html").write_text(one.page, "utf-8")
    return folder


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("pictures", ["shown", "blocked"])
@pytest.mark.parametrize("name", ["torn", "hostile"])
def test_it_fits(browser, files, name, pictures, width):
    """Nobody has to scroll sideways, whatever stands in it."""
    with visit(browser, files / f"{name}-{pictures}.html", width=width) as one:
        if name == "torn":
            keep(one, files, f"mail-{pictures}-{width}")

        assert one.overflow() <= 0
        body = one.page.locator("table.sheet").bounding_box()
        assert body["width"] == min(width, 600)


def test_it_asks_for_nothing_but_its_own_pictures(browser, files):
    """No remote address, so that no one learns that it was opened."""
    with visit(browser, files / "torn-shown.html") as one:
        asked = [url for url in one.requests if not url.startswith("data:")]

        assert [url.rpartition("/")[2] for url in asked] == ["torn-shown.html"]
        assert one.complaints == []


def test_without_pictures_their_words_are_there(browser, files):
    """What a chart says is in its place."""
    with visit(browser, files / "torn-blocked.html") as one:
        words = one.page.eval_on_selector_all("img", "all => all.map(one => one.alt)")

        assert len(words) == 2
        assert all(text.endswith(".") and len(text) > 40 for text in words)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_everybody(browser, files, scheme):
    """By day, by night and by a screen reader: axe finds nothing."""
    with visit(browser, files / "torn-shown.html", width=600, color_scheme=scheme) as one:
        keep(one, files, f"mail-{scheme}")

        assert axe(one) == []


def test_the_preheader_is_for_the_list_of_mails_only(browser, files):
    """Nobody sees it in the mail itself."""
    with visit(browser, files / "torn-shown.html", width=600) as one:
        assert not one.page.locator(".preheader").is_visible()
