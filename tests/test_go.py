"""go.py: one command from a fresh checkout."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def go(tmp_path, monkeypatch):
    """Load go.py over an empty checkout, where what it would run is only noted down."""
    spec = importlib.util.spec_from_file_location("go", ROOT / "go.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "requirements").mkdir()
    for name in ("run.txt", "all.txt"):
        (tmp_path / "requirements" / name).write_text(f"lock of {name}")
    (tmp_path / "pyproject.toml").write_text("")
    module.ran = []

    def run(command, **_):
        module.ran.append(" ".join(command))
        if "venv" in command:
            module.PYTHON.parent.mkdir(parents=True)
            module.PYTHON.write_text("")
        return subprocess.CompletedProcess(command, module.codes.get(command[-1], 0), "", "")

    module.codes = {}
    monkeypatch.setattr(module.subprocess, "run", run)
    for name in ("HERE", "VENV", "SCRIPTS", "PYTHON", "STAMP"):
        moved = tmp_path / getattr(module, name).relative_to(ROOT)
        monkeypatch.setattr(module, name, moved)
    return module


def test_the_first_run_installs_the_lock_by_its_hashes_and_the_second_nothing(go):
    """A second run is the command itself and one look at the Python in .venv."""
    first = go.main("report", "--demo")
    installed, go.ran = go.ran, []
    second = go.main("report", "--demo")

    assert (first, second) == (0, 0)
    assert [" -m venv " in line for line in installed] == [True, False, False, False]
    assert "--require-hashes --requirement" in installed[1]
    assert installed[1].endswith("run.txt")
    assert "--no-deps --no-build-isolation --editable" in installed[2]
    assert [Path(line.split()[0]).stem for line in go.ran] == ["python", "sspr-audit"]
    assert go.ran[1].endswith("sspr-audit report --demo")


def test_a_changed_lock_is_installed_again(go):
    """Nobody runs yesterday's packages with today's code."""
    go.main("report")
    (go.HERE / "requirements" / "run.txt").write_text("another lock")
    go.ran = []
    go.main("report")

    assert any("--require-hashes" in line for line in go.ran)


def test_a_moved_checkout_gets_a_new_environment(go):
    """The programs in .venv name the place they were installed in."""
    go.main("report")
    go.STAMP.write_text(go.STAMP.read_text().replace(str(go.HERE), "elsewhere"))
    go.PYTHON.unlink()
    go.PYTHON.parent.rmdir()
    go.ran = []
    go.main("report")

    assert " -m venv --clear " in go.ran[0]


def test_what_serves_the_tests_serves_the_program(go):
    """all.txt holds all of run.txt, so a developer installs once."""
    go.main("test", "-k", "times")
    tested, go.ran = go.ran, []
    go.main("report")

    workers = len(os.sched_getaffinity(0)) + 1
    assert tested[-1].endswith(f"pytest -n {workers} --dist worksteal -k times")
    assert not any("--require-hashes" in line for line in go.ran)


def test_a_failed_installation_is_not_remembered(go, capsys):
    """The next run tries again, and this one says what it needs."""
    go.codes = {str(go.HERE / "requirements" / "run.txt"): 1}
    with pytest.raises(SystemExit) as caught:
        go.main("report")

    assert caught.value.code == 2
    assert "needs a package index that can be reached" in capsys.readouterr().err
    assert not go.STAMP.exists()


def test_the_exit_code_is_that_of_the_program(go):
    """A scheduler sees what sspr-audit said; a signal reads as a shell tells it."""
    go.codes = {"gaps": 3, "killed": -9}

    assert go.main("gaps") == 3
    assert go.main("killed") == 137


def test_lint_runs_every_check_whatever_the_first_says(go):
    """One run shows everything there is to correct."""
    go.codes = {"check": 1}

    assert go.main("lint") == 1
    assert [Path(line).name for line in go.ran[-3:]] == [
        "ruff check",
        "ruff format --check",
        "mypy",
    ]


@pytest.mark.parametrize(
    ("lack", "words"),
    [("version", "needs Python 3.11 or later, and this is 3.9.2"), ("ensurepip", "python3-venv")],
)
def test_what_the_machine_lacks_is_told_in_a_sentence(go, monkeypatch, capsys, lack, words):
    """No traceback for an old Python or for one that Debian has taken apart."""
    if lack == "version":
        monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    else:
        monkeypatch.setattr(go.importlib.util, "find_spec", lambda name: None)  # noqa: ARG005
    with pytest.raises(SystemExit) as caught:
        go.main("report", "--demo")

    assert caught.value.code == 2
    assert words in capsys.readouterr().err
    assert go.ran == []
