#!/usr/bin/env python3
"""Run sspr-audit, or its checks, from a fresh checkout. Needs Python 3.11 or later and no more.

    python3 go.py report --demo     any command of sspr-audit
    python3 go.py test [...]        the tests; what follows is for pytest
    python3 go.py lint              ruff and mypy

The first run makes .venv beside this file and installs into it exactly what requirements/ locks,
every file checked against its hash. It needs a package index that can be reached, and about a
minute. Later runs look whether the lock has changed and go on.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed-lock"
PIP = (
    *("-m", "pip", "install", "--quiet", "--quiet", "--no-input", "--disable-pip-version-check"),
    *("--no-warn-script-location", "--only-binary", ":all:"),
)
CHECKS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",))
OLDEST = (3, 11)


def fail(sentence: str) -> NoReturn:
    """Say what is in the way and stop."""
    say(sentence)
    raise SystemExit(2)


def say(sentence: str) -> None:
    """Talk where it does not mix with data."""
    print(f"go.py: {sentence}", file=sys.stderr, flush=True)


def digest(lock: str) -> str:
    """Return what tells this lock from any other; pyproject.toml names the commands."""
    files = (HERE / "requirements" / f"{lock}.txt", HERE / "pyproject.toml")
    return f"{lock} {hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()}"


def make_venv() -> None:
    """Make an empty .venv with pip in it, or say what this Python lacks."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        fail("this Python cannot make a virtual environment; on Debian: apt install python3-venv")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        fail(f"no virtual environment could be made in {VENV}:\n{done.stdout}{done.stderr}")


def works(*arguments: str) -> bool:
    """Run the Python of .venv and say whether it succeeded."""
    return subprocess.run([str(PYTHON), *arguments], cwd=HERE, check=False).returncode == 0


def pip(*arguments: str) -> None:
    """Install into .venv; pip itself says what is wrong."""
    if not works(*PIP, *arguments):
        fail(
            "installing failed, for the reason that pip gives above; it needs a package index "
            "that can be reached, and reads PIP_INDEX_URL and PIP_CERT where yours is your own"
        )


def set_up(lock: str) -> None:
    """Bring .venv to what the lock says; all.txt holds all of run.txt, so it serves both."""
    wanted, serves_both = digest(lock), digest("all")
    installed, _, home = (
        STAMP.read_text("utf-8").partition("\n") if STAMP.exists() else ("", "", "")
    )
    moved = bool(home) and home != str(HERE)  # the programs in .venv still name the old place
    usable = not moved and PYTHON.exists() and works("-c", "import pip")
    if usable and installed in (wanted, serves_both):
        return
    say(f"setting up {VENV} from requirements/{lock}.txt, once; it takes about a minute ...")
    if not usable:
        make_venv()
    STAMP.unlink(missing_ok=True)
    pip("--require-hashes", "--requirement", str(HERE / "requirements" / f"{lock}.txt"))
    pip("--no-deps", "--no-build-isolation", "--editable", str(HERE))
    STAMP.write_text(f"{wanted}\n{HERE}", "utf-8")


def run(program: str, *arguments: str) -> int:
    """Run an installed program where the user stands; return its exit code."""
    try:
        code = subprocess.run([str(SCRIPTS / program), *arguments], check=False).returncode
    except KeyboardInterrupt:  # the program got it too and has said what is to be said
        return 130
    return code if code >= 0 else 128 - code  # as a shell tells of a signal


def main(task: str = "--help", *arguments: str) -> int:
    """Set up what the task needs and run it."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        fail(f"needs Python 3.11 or later, and this is {found}; try python3.11 go.py, or newer")
    set_up("all" if task in {"test", "lint"} else "run")
    if task == "lint":
        os.chdir(HERE)
        return max(run(*check) for check in CHECKS)
    if task == "test":
        os.chdir(HERE)
        # A file's tests share what is costly to make, so they stay together until a worker is idle.
        # One worker more than cores: some of them wait for a browser, a server or a process.
        ours = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
        workers = str(len(ours) + 1)
        return run("pytest", "-n", workers, "--dist", "worksteal", *arguments)
    return run("sspr-audit", task, *arguments)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
