"""Draw the README's pictures: the first screen of `sspr-audit report --demo`, as it comes.

    python docs/picture.py

Writes docs/report.svg and, with a Chromium on the path, docs/page.png. Run it after the report's
looks have changed.
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


def photographed(program: str, target: Path) -> None:
    """Write the first screen of the page that the command makes, 1200 pixels wide."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "report.html")
        wish = ["--demo", "--since", "7d", "--format", "html", "--output", str(file), "--quiet"]
        subprocess.run([sys.executable, "-m", "sspr_audit", "report", *wish], check=True)
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 960})
        page.goto(file.as_uri())
        page.screenshot(path=str(target))
        browser.close()


def main() -> None:
    """Write the pictures."""
    if chromium := shutil.which("chromium"):
        photographed(chromium, HERE / "page.png")
    lines = shown().split("\n")[:LINES]
    console = Console(record=True, width=96, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join([*lines, "…"])))
    drawn = console.export_svg(code_format=FRAME, unique_id="report")
    (HERE / "report.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
