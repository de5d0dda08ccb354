"""A real headless Chromium for the tests of what people look at; they skip where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next((found for one in NAMES if (found := shutil.which(one))), None)
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""A root of CI has no sandbox; none of the others may reach out by itself."""

SHOTS = os.environ.get("SSPR_AUDIT_SHOTS")
"""The folder that keeps pictures of the pages tested; read at once, for tests unset it."""

needs_chromium = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium on the path: apt-get install chromium"
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Lend a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page that is open, with everything that the browser complained of or asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open_all(self) -> None:
        """Open every fold of the page."""
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return found


@contextmanager
def visit(
    browser: Any, file: Path, *, width: int = 1440, height: int = 900, **context: Any
) -> Iterator[Visit]:
    """Open a file in a window of its own."""
    window = browser.new_context(viewport={"width": width, "height": height}, **context)
    try:
        one = Visit(window.new_page())
        one.page.goto(file.resolve().as_uri())
        yield one
    finally:
        window.close()


def axe(one: Visit) -> list[str]:
    """Return what axe-core finds wrong with the page as it is, a line each."""
    import axe_core_python

    script = Path(axe_core_python.__file__).with_name("axe.min.js").read_text("utf-8")
    one.page.evaluate(script)  # by the debugger, so that the page's policy stays as it is
    result = one.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']}: {node['html'][:120]}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def keep(one: Visit, folder: Path, name: str, *, whole: bool = True) -> Path:
    """Keep a picture of the page, in the folder that SSPR_AUDIT_SHOTS names or in `folder`."""
    target = Path(SHOTS or folder) / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    one.page.screenshot(path=str(target), full_page=whole)
    return target
