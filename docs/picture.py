"""Draw the pictures of README and docs: the first screens of report, page and mail, as they come.

    python docs/picture.py

Writes docs/report.svg and, with a Chromium on the path, docs/page.png and docs/mail.png. Run it
after looks have changed.
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
LINES = 62
"""How much of the report the picture shows."""
FRAME = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
{styles}
.{unique_id}-matrix {{ font-family: ui-monospace, Consolas, Menlo, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
</style>
<defs>{lines}</defs>
<rect width="100%" height="100%" rx="8" fill="#16181d"/>
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def shown() -> str:
    """Return what the command writes to a terminal of 96 columns, colours included."""
    reader, writer = pty.openpty()
    environment = {**os.environ, "COLUMNS": "96", "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "sspr_audit", "report", "--demo", "--quiet"]
    with subprocess.Popen(command, stdout=writer, env=environment) as process:
        os.close(writer)
        pieces = []
        while True:
            try:
                piece = os.read(reader, 1 << 16)
            except OSError:  # how a pseudo-terminal says that the other side is gone
                break
            if not piece:
                break
            pieces.append(piece)
    os.close(reader)
    if process.returncode:
        sys.exit(f"the report ended with {process.returncode}")
    return b"".join(pieces).decode().replace("\r\n", "\n")


def page(file: Path) -> None:
    """Write the page that the command makes."""
    wish = ["--demo", "--since", "7d", "--format", "html", "--output", str(file), "--quiet"]
    subprocess.run([sys.executable, "-m", "sspr_audit", "report", *wish], check=True)


def mail(file: Path) -> None:
    """Write the mail about the last whole week of the demo, as a reader of mail shows it."""
    from sspr_audit.cli import run
    from sspr_audit.pipeline import mail as pipeline
    from sspr_audit.pipeline import report

    here = run.begin_demo(None, quiet=True, verbose=False)
    since, until = "2026-11-12T23:00Z", "2026-11-19T23:00Z"  # midnights of its time zone
    options = run.options(here, since=since, until=until, cloud=None, tell_events=True)
    done = report.pseudonymized(report.from_demo(options), bytes(32))
    file.write_text(pipeline.letter(done, here.timezone).page, encoding="utf-8")


def photographed(program: str) -> None:
    """Write the first screens of the page and of the mail."""
    from playwright.sync_api import sync_playwright

    sizes = {page: (1200, 960), mail: (600, 1120)}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        for written, (width, height) in sizes.items():
            file = Path(folder, f"{written.__name__}.html")
            written(file)
            shown = browser.new_page(viewport={"width": width, "height": height})
            shown.goto(file.as_uri())
            shown.screenshot(path=str(HERE / f"{written.__name__}.png"))
        browser.close()


def main() -> None:
    """Write the pictures."""
    if chromium := shutil.which("chromium"):
        photographed(chromium)
    lines = shown().split("\n")[:LINES]
    console = Console(record=True, width=96, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join([*lines, "…"])))
    drawn = console.export_svg(code_format=FRAME, unique_id="report")
    (HERE / "report.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
