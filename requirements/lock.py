"""Write run.txt and all.txt anew; needs `pip-compile` (pip-tools) on the path, and Python 3.11.

    python requirements/lock.py             keep what is locked, add what is asked for now
    python requirements/lock.py --upgrade   take the newest releases within its bounds

Run it on the oldest supported Python: what is locked must install on every one. Each release is
locked with the hashes of all its files, so the lock serves Linux, macOS and Windows alike.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent / "pyproject.toml"
OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-annotate",
    "--no-header",  # it would repeat the command line, and with it the index of whoever locks
    "--no-emit-options",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
)


def compile_lock(target: Path, sources: list[Path], *options: str) -> None:
    """Resolve `sources` into `target`; what `target` pins already stays, unless told otherwise."""
    inputs = [str(source) for source in sources]
    command = ["pip-compile", *OPTIONS, *options, "--output-file", str(target), *inputs]
    subprocess.run(command, cwd=HERE.parent, check=True)


def main() -> None:
    """Lock the run first, then the tests and linters on top of exactly that."""
    with PROJECT.open("rb") as file:
        groups = tomllib.load(file)["dependency-groups"]
    run, everything = HERE / "run.txt", HERE / "all.txt"
    compile_lock(run, [PROJECT, HERE / "run.in"], *sys.argv[1:])
    with TemporaryDirectory() as folder:
        tools = Path(folder, "tools.in")
        tools.write_text("\n".join(groups["test"] + groups["lint"]), encoding="utf-8")
        everything.write_bytes(run.read_bytes())
        compile_lock(everything, [PROJECT, HERE / "run.in", tools])


if __name__ == "__main__":
    main()
