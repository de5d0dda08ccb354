"""The commands: what they print where, what they end with, and that nothing makes them fall."""

import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from email import message_from_string
from pathlib import Path

import keep
import pytest
from graph_clock import Clock
from keep import FIXTURES, command, ran

from sspr_audit import cli
from sspr_audit.cli import run
from sspr_audit.pipeline import report as pipeline
from sspr_audit.pipeline import stored_report

PAGE = str(FIXTURES / "graph/page.json")
FROM_FILES = pipeline.from_files
KNOWN_PAGE = {}
COMMON = {"--config", "--quiet", "--verbose", "--help"}
WINDOW = {"--since", "--until", "--cloud"}
OPTIONS = {
    "report": {
        *(*COMMON, *WINDOW, "--input", "--demo", "--offline"),
        *("--format", "--output", "--fail-on", "--changed", "--pseudonymize"),
    },
    "fetch": {*COMMON, "--since", "--until", "--all-audits", "--wait"},
    "import": {*COMMON, "--wait"},
    "flow": {*COMMON, *WINDOW, "--input", "--demo", "--offline"},
    "causes": {*COMMON, "--cloud", "--why", "--since", "--until", "--input", "--demo", "--offline"},
    "doctor": COMMON,
    "init": {*COMMON, "--tenant", "--client-id", "--cloud", "--auth"},
    "demo": COMMON,
    "store info": COMMON,
    "store prune": {*COMMON, "--wait"},
    "store forget": {*COMMON, "--wait"},
}


@pytest.fixture
def sspr(capfd):
    """Run a command here; return its exit code, stdout and stderr."""

    def run(*args):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(arg) for arg in args])
        told = capfd.readouterr()
        return ended.value.code, told.out, told.err

    return run


@pytest.fixture(autouse=True)
def _known_page(monkeypatch):
    """The page is analysed once for all tests of what comes before and after that."""
    monkeypatch.setattr(pipeline, "from_files", page_at_once)


def page_at_once(paths, options):
    """Return what `pipeline.from_files` does; the page is kept for each set of wishes."""
    if list(paths) != [PAGE]:
        return FROM_FILES(paths, options)
    wishes = repr(replace(options, knowledge=None, now=None, generated_at=None))
    if wishes not in KNOWN_PAGE:
        KNOWN_PAGE[wishes] = FROM_FILES(paths, options)
    done = KNOWN_PAGE[wishes]
    return replace(done, report=replace(done.report, generated_at=options.generated_at))


@pytest.fixture
def page_anew(monkeypatch):
    """The page is analysed at every run."""
    monkeypatch.setattr(pipeline, "from_files", FROM_FILES)


@pytest.fixture
def one_gap(tmp_path):
    """The story with one line that is no record: findings, and something skipped."""
    path = tmp_path / "gap.ndjson"
    path.write_text((FIXTURES / "graph/lines.ndjson").read_text("utf-8") + "{broken\n", "utf-8")
    return path


# Help and usage


@pytest.mark.parametrize("name", OPTIONS)
def test_help_lists_what_is_real_and_nothing_else(name, sspr):
    """An option stands in the help when it works, and not before."""
    code, out, err = sspr(*name.split(), "--help")

    assert (code, err) == (0, "")
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", out.split("Options:")[1])) == OPTIONS[name]
    assert out.startswith(f"Usage: sspr-audit {name} ")


@pytest.mark.parametrize("args", [[], ["store"]])
def test_a_command_that_is_missing_gives_the_help(args, sspr):
    """The help is talk then: stdout stays empty, and the exit code says that nothing ran."""
    code, out, err = sspr(*args)

    assert (code, out) == (2, "")
    assert "Commands:" in err


def test_the_version_is_data(sspr):
    """For scripts: on stdout, and nothing else."""
    assert sspr("--version") == (0, "sspr-audit 0.1.0\n", "")


@pytest.mark.parametrize(
    ("args", "word"),
    [
        ("bogus", "bogus"),
        ("repor", "report"),
        ("report --bogus", "--bogus"),
        ("report extra", "extra"),
        ("report --format pdf", "markdown"),
        ("report --fail-on maybe", "likely"),
        ("report --input", "--input"),
        ("report --demo --input x", "--demo and --input"),
        ("report --demo --cloud mars", "usgov-dod"),
        ("report --demo --since soon", "--since"),
        ("report --demo --since 2026-11-20 --until 2026-11-19", "--since"),
        (f"report --input {PAGE} --until 2001-01-01", "--until"),
        ("report --demo --changed soon", "--changed"),
        (f"report -i {PAGE} --changed 2026-09-01", "--changed 2026-09-01T00:00:00Z must lie in"),
        (f"report -i {PAGE} --changed 2026-11-03", "2026-11-02T08:04:00Z to 2026-11-02T12:39:19Z"),
        ("report --input no-such-file.json", "no-such-file.json"),
        ("report --config no-such-settings.toml", "no-such-settings.toml"),
        ("flow", "ID|USER"),
        (f"flow nobody@example.com --input {PAGE}", "nobody@example.com"),
        ("flow --demo --input x y", "--demo and --input"),
        ("causes no-such-cause", "lists them"),
        ("causes authenticated-prox", "did you mean authenticated-proxy"),
        ("causes --cloud mars", "global"),
        ("import", "PATH"),
        ("import x --wait long", "--wait"),
        ("fetch extra", "extra"),
        ("fetch --since soon", "--since"),
        ("fetch --since 2026-11-20 --until 2026-11-19", "--since"),
        ("fetch --wait long", "--wait"),
        ("fetch", "[tenant] id"),
        ("doctor extra", "extra"),
        ("init --auth guess", "certificate"),
        ("store info extra", "extra"),
        ("store forget", "USER"),
        ("store forget hugo", "hugo"),
        ("store bogus", "bogus"),
        ("demo", "DIR"),
    ],
)
def test_a_wrong_word_is_told_in_a_line_or_two(args, word, sspr):
    """Exit 2, the word in question, no traceback, no box, and stdout stays empty."""
    code, out, err = sspr(*args.split())

    assert (code, out) == (2, "")
    assert word in err
    assert len(err.splitlines()) <= 2
    assert "Traceback" not in err
    assert not set(err) & set("╭│╰─\x1b")


@pytest.mark.parametrize(
    "name", ["\x1b[31mred", "a\nb", "\u202eevil", "\udcff\udcfe", "--\x07", "x" * 5000]
)
def test_a_hostile_word_steers_no_terminal(name, sspr):
    """Whatever stands on the command line is told in letters that only show."""
    for args in (
        ("report", "--input", f"no{name}"),
        ("causes", name),
        (name,),
        ("flow", name, "--input", PAGE),
    ):
        code, out, err = sspr(*args)

        assert (code, out) == (2, "")
        assert all(line.isprintable() for line in err.splitlines())


# stdout, stderr and files


def test_stdout_holds_the_data_and_stderr_the_talk(sspr):
    """The report can be piped; the window that was resolved is told beside it."""
    code, out, err = sspr("report", "--input", PAGE, "--format", "json")

    assert code == 0
    assert json.loads(out)["schema"] == "sspr-audit-report/1"
    assert err == "window: 2026-11-02T08:04:00Z to 2026-11-02T12:39:19Z\n"


def test_quiet_silences_talk_but_not_faults(one_gap, tmp_path, sspr):
    """A scheduler's mail holds what went wrong and nothing else."""
    quiet = sspr("report", "-q", "--input", PAGE)
    faulty = sspr("report", "-q", "--input", one_gap, "--input", tmp_path / "none.json")
    imported = sspr("import", "-q", one_gap, "--config", keep.settings(tmp_path))

    assert (quiet[0], quiet[2]) == (0, "")
    assert (faulty[0], faulty[2].count("\n")) == (3, 2)
    assert f"no such file: {tmp_path}/none.json\n" in faulty[2]
    assert (imported[0], imported[1]) == (3, "")
    assert (imported[2].count("\n"), str(one_gap) in imported[2]) == (1, True)


@pytest.mark.parametrize("name", ["report --input", "import"])
def test_quiet_tells_which_named_file_was_not_understood(name, tmp_path, sspr):
    """It is why the exit code is 3; what a folder holds besides exports is only talk."""
    other = tmp_path / "other.txt"
    other.write_text("no export")
    command, *option = name.split()
    config = keep.settings(tmp_path)
    args = [command, "-q", "--config", config, *option, PAGE]
    named = sspr(*args, *option, other)
    (tmp_path / "folder").mkdir()
    other.rename(tmp_path / "folder" / "other.txt")
    (tmp_path / "folder" / "page.json").write_bytes(Path(PAGE).read_bytes())

    assert (named[0], str(other) in named[2]) == (3, True)
    assert sspr(*args, *option, tmp_path / "folder")[::2] == (0, "")


def test_the_settings_file_is_named(tmp_path, sspr):
    """Nobody has to guess which file was used."""
    config = keep.settings(tmp_path, report={"timezone": "Europe/Stockholm"})

    assert f"settings: {config}" in sspr("report", "--input", PAGE, "--config", config)[2]
    assert "settings:" not in sspr("report", "--input", PAGE)[2]


@pytest.mark.parametrize("form", ["terminal", "json", "markdown", "html", "csv"])
def test_a_file_gets_the_same_bytes_as_stdout(form, tmp_path, monkeypatch, sspr):
    """Only that the file is there all at once."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1793620800")
    args = "report", "-q", "--input", PAGE, "--format", form
    shown, kept = sspr(*args), sspr(*args, "--output", tmp_path / "out")

    assert (shown[0], kept) == (0, (0, "", ""))
    assert (tmp_path / "out").read_bytes() == shown[1].encode()
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("place", ["none/out.json", "folder", "file/out.json"])
def test_an_output_that_cannot_be_is_the_machines_trouble(place, tmp_path, sspr):
    """Exit 6 and one line; nothing is left lying about."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = sspr("report", "-q", "--input", PAGE, "--output", tmp_path / place)

    assert (code, out) == (6, "")
    assert err.count("\n") == 1
    assert str(tmp_path / place) in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("place", ["", "folder", "none/out.json"])
def test_where_nothing_can_be_written_is_told_before_the_work(place, tmp_path, monkeypatch, sspr):
    """Nobody waits for a report that then has no place."""
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "from_files", lambda *_: pytest.fail("it was analysed"))
    code, out, err = sspr("report", "--input", PAGE, "--output", place)

    assert (code, out, err.count("\n")) == (6 if place else 2, "", 1)
    assert (place or "--output is empty") in err


@pytest.fixture
def precious(tmp_path, sspr):
    """A folder with a settings file, a store of one import, an export and links to it."""
    config = keep.settings(tmp_path)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "page.json").write_bytes(Path(PAGE).read_bytes())
    (tmp_path / "link.json").symlink_to(tmp_path / "exports" / "page.json")
    (tmp_path / "hard.json").hardlink_to(tmp_path / "exports" / "page.json")
    assert sspr("import", "-q", PAGE, "--config", config)[0] == 0
    return tmp_path


@pytest.mark.parametrize(
    ("args", "what"),
    [
        ("store.duckdb", "part of the store"),
        ("store.duckdb.wal", "part of the store"),
        ("store.duckdb.lock --input exports/page.json", "part of the store"),
        ("store.duckdb.holder", "part of the store"),
        ("settings.toml", "the settings file"),
        ("exports/page.json --input exports/page.json", "one of the inputs"),
        ("exports/page.json --input exports", "one of the inputs"),
        ("exports/page.json --input exports/*.json", "one of the inputs"),
        ("link.json --input exports/page.json", "one of the inputs"),
        ("hard.json --input exports", "one of the inputs"),
        ("exports/page.json --input link.json", "one of the inputs"),
    ],
)
def test_nothing_that_is_needed_is_written_over(args, what, precious, monkeypatch, sspr):
    """Whatever its name: exit 2, before any work, and every file is as it was."""
    before = {path: path.read_bytes() for path in precious.rglob("*") if path.is_file()}
    for module in (pipeline, stored_report):
        for act in {"from_files", "from_store"} & set(vars(module)):
            monkeypatch.setattr(module, act, lambda *_: pytest.fail("it was analysed"))
    name, *option = args.split()
    inputs = [option[0], precious / option[1]] if option else []
    config = precious / "settings.toml"
    code, out, err = sspr("report", "-q", *inputs, "--config", config, "--output", precious / name)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{precious / name} is {what}, which it would destroy" in err
    assert {path: path.read_bytes() for path in precious.rglob("*") if path.is_file()} == before


def test_a_report_beside_its_exports_is_written_anew(precious, sspr):
    """Every week the same line: last week's report in the folder is no export."""
    args = "report", "-q", "--input", precious / "exports", "--format", "json", "--output"

    assert sspr(*args, precious / "exports" / "report.json")[0] == 0
    assert sspr(*args, precious / "exports" / "report.json")[0] == 0


def test_a_link_stays_a_link(tmp_path, sspr):
    """What it points to is written, be it there already or not."""
    for name in ("there", "new"):
        (tmp_path / f"{name}.link").symlink_to(tmp_path / name)
    (tmp_path / "there").write_text("old")
    for name in ("there", "new"):
        assert sspr("report", "-q", "--input", PAGE, "--output", tmp_path / f"{name}.link")[0] == 0

    assert (tmp_path / "there.link").is_symlink()
    assert (tmp_path / "new.link").is_symlink()
    assert (tmp_path / "there").read_bytes() == (tmp_path / "new").read_bytes()


def test_a_report_is_for_its_owner_unless_somebody_has_said_otherwise(tmp_path, sspr):
    """It holds names: a new file is 0600, and one that was there keeps its rights."""
    (tmp_path / "shared").write_text("old")
    (tmp_path / "shared").chmod(0o644)
    for name in ("new", "shared"):
        sspr("report", "-q", "--input", PAGE, "--output", tmp_path / name)

    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o644


def test_a_report_that_cannot_be_finished_keeps_the_old_one(tmp_path):
    """Written beside and moved: who reads the file meanwhile reads the old one, whole."""
    path = tmp_path / "out.json"
    path.write_text("old")
    code = (
        "import resource, sys; sys.dont_write_bytecode = True;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999));"
        "from sspr_audit.cli import main; main(sys.argv[1:])"
    )
    run = command("report", "-q", "--input", PAGE, "--format", "json", "--output", path)
    run["args"][1:3] = ["-c", code]
    done = subprocess.run(**run, capture_output=True, check=False)

    assert done.returncode == 6
    assert b"cannot be written: File too large" in done.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_and_stays_a_device(tmp_path):
    """`--output /dev/null` must never put a file in its place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        **command("report", "-q", "--input", PAGE, "--format", "csv", "--output", pipe)
    ) as process:
        read = pipe.read_bytes()

    assert process.returncode == 0
    assert read.startswith(b"\xef\xbb\xbf") or b"flow_id" in read[:200]
    assert pipe.is_fifo()


@pytest.mark.parametrize("args", ["causes", f"report --input {PAGE}"])
def test_what_needs_no_secret_fails_over_none(args, monkeypatch, sspr):
    """A file of a secret that is gone is told by who signs in, not by who reads files."""
    monkeypatch.setenv("SSPR_AUDIT_CLIENT_SECRET_FILE", "/nowhere/secret")

    assert sspr(*args.split())[0] == 0


@pytest.mark.usefixtures("page_anew")
def test_source_date_epoch_changes_when_it_was_made_and_nothing_else(monkeypatch, sspr):
    """Equal input gives equal bytes, on any day."""
    found = []
    for epoch in ("0", "1793620800"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        found.append(json.loads(sspr("report", "--input", PAGE, "--format", "json")[1]))

    assert found[0].pop("generated_at") == "1970-01-01T00:00:00.000Z"
    assert found[1].pop("generated_at") == "2026-11-02T12:00:00.000Z"
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "epoch", ["soon", "1e9", "9" * 30, "-", "-1", "+1", " 5 ", "1_000", "\u0661\u0662"]
)
def test_a_wrong_epoch_is_told(epoch, monkeypatch, sspr):
    """Exit 2, not a report that is dated wrongly."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    code, _, err = sspr("report", "--demo")

    assert code == 2
    assert "SOURCE_DATE_EPOCH" in err


@pytest.mark.parametrize(
    ("args", "window"),
    [
        (["--since", "2026-11-02T09:00:00Z"], ("2026-11-02T09:00:00.000Z", None)),
        (["--since", "2026-11-02T10:00:00+01:00", "--until", "2026-11-02T12:00Z"],
         ("2026-11-02T09:00:00.000Z", "2026-11-02T12:00:00.000Z")),
        (["--until", "2026-11-03"], ("2026-11-02T08:04:00.000Z", "2026-11-03T00:00:00.000Z")),
        (["--since", "36h", "--until", "2026-11-03"],
         ("2026-11-01T12:00:00.000Z", "2026-11-03T00:00:00.000Z")),
        (["--since", "90m", "--until", "2026-11-02T10:00:00Z"],
         ("2026-11-02T08:30:00.000Z", "2026-11-02T10:00:00.000Z")),
        (["--since", "2026-11-02", "--until", "now"], ("2026-11-02T00:00:00.000Z", None)),
        ([], ("2026-11-02T08:04:00.000Z", "2026-11-02T12:39:19.123Z")),
    ],
)  # fmt: skip
def test_a_window_is_what_was_asked_for(args, window, monkeypatch, sspr):
    """Spans, days and full times, from the command line to the report."""
    monkeypatch.setattr("sspr_audit.cli.run.Wall", Clock)
    code, out, _ = sspr("report", "--input", PAGE, "--format", "json", *args)
    found = json.loads(out)["window"]

    assert code == 0
    assert (found["start"], found["end"]) == (window[0], window[1] or "2026-11-20T12:00:00.000Z")


# Exit codes


def test_a_finding_at_or_above_the_wish_is_1(sspr):
    """And below it is 0."""
    assert sspr("report", "--input", FIXTURES / "context/devices.json", "--input", PAGE)[0] == 0
    assert sspr("report", "--input", PAGE, "--fail-on", "possible")[0] == 1


def test_something_skipped_is_3(one_gap, tmp_path, sspr):
    """A report with a gap says so, and so does a named file that is not there."""
    assert sspr("report", "--input", one_gap)[0] == 3
    assert sspr("report", "--input", PAGE, "--input", tmp_path / "none.json")[0] == 3
    assert sspr("import", one_gap, "--config", keep.settings(tmp_path))[0] == 3
    assert sspr("flow", "hugo.aker@example.com", "--input", one_gap)[0] == 3


def test_a_finding_goes_before_a_gap(one_gap, sspr):
    """The first of 2, 4, 6, 5, 1, 3 that fits."""
    assert sspr("report", "--input", one_gap, "--fail-on", "possible")[0] == 1


def test_trouble_with_the_output_goes_before_a_finding(tmp_path, sspr):
    """A report that nobody got is no found cause."""
    assert sspr("report", "--input", PAGE, "--fail-on", "possible", "--output", tmp_path)[0] == 6


def test_nothing_that_could_be_read_is_2(tmp_path, sspr):
    """No store, an empty folder, and a file that is no export."""
    config = keep.settings(tmp_path)
    (tmp_path / "empty").mkdir()
    for args in (
        ("report",),
        ("flow", "x@example.com"),
        ("store", "info"),
        ("store", "prune"),
        ("store", "forget", "x@example.com"),
        ("report", "--input", tmp_path / "empty"),
        ("report", "--input", FIXTURES / "make.py"),
        ("import", FIXTURES / "make.py"),
    ):
        code, out, err = sspr(*args, "--config", config, "-q")

        assert (code, out, err.count("\n")) == (2, "", 1)


def test_a_busy_store_is_6(tmp_path, sspr):
    """The shortest wait is none, and of waiting nothing is said then; who holds it is told."""
    config, keeper = keep.settings(tmp_path), keep.keeper(tmp_path)
    with keeper.held("import"):
        code, out, err = sspr("import", PAGE, "--wait", "0m", "--config", config)

    assert (code, out) == (6, "")
    who = f"process {os.getpid()} (import, since 2026-11-03T00:00:00+00:00)"
    assert err == (
        f"settings: {config}\n"
        f"sspr-audit: {keeper.path} is in use by {who}; let it end, or wait longer with"
        " --wait (import, fetch, store)\n"
    )


def test_a_bug_is_70_with_what_to_paste(monkeypatch, sspr):
    """The trace, the version and what to leave out; all of it talk."""

    def broken(*_, **__):
        return 1 / 0

    monkeypatch.setattr(pipeline, "from_demo", broken)
    code, out, err = sspr("report", "--demo", "-q")

    assert (code, out) == (70, "")
    assert "ZeroDivisionError" in err
    assert "Traceback" in err
    assert "sspr-audit 0.1.0: this is a bug; please report the lines above" in err


@pytest.mark.parametrize("number", [28, 27, 5, 30])
def test_what_the_machine_does_is_no_bug(number, monkeypatch, sspr):
    """A full or broken disk is told in one line, wherever it strikes."""

    def broken(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pipeline, "from_demo", broken)
    code, out, err = sspr("report", "--demo", "-q")

    assert (code, out, err.count("\n")) == (6, "", 1)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libarrow.so.2200: failed to map segment from shared object"),
        ImportError("libduckdb.so: cannot map zero-fill pages: Cannot allocate memory"),
    ],
)
def test_too_little_memory_is_no_bug(error, monkeypatch, sspr):
    """Whoever limits it reads what was short, in one line."""

    def broken(*_, **__):
        raise error

    monkeypatch.setattr(pipeline, "from_demo", broken)
    code, out, err = sspr("report", "--demo", "-q")

    assert (code, out, err.count("\n")) == (6, "", 1)
    assert "memory" in err


@pytest.mark.parametrize("error", [KeyboardInterrupt, EOFError])
def test_interrupted_is_130(error, monkeypatch, sspr):
    """Without a trace."""

    def broken(*_, **__):
        raise error

    monkeypatch.setattr(pipeline, "from_demo", broken)
    code, out, err = sspr("report", "--demo", "-q")

    assert (code, out, err.strip()) == (130, "", "")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_real_process_ends_at_a_signal_and_leaves_nothing_behind(sent, tmp_path):
    """Exit 130, no trace, no records in the temporary folder, no store, no lock."""
    (tmp_path / "spill").mkdir()
    os.mkfifo(tmp_path / "pipe")
    config = keep.settings(tmp_path)
    run = command(
        "import",
        "-q",
        tmp_path / "pipe",
        "--config",
        config,
        env={"TMPDIR": str(tmp_path / "spill")},
    )
    with subprocess.Popen(**run, stderr=subprocess.PIPE) as process:
        with (tmp_path / "pipe").open("w") as pipe:  # opens once the import reads it
            pipe.write((FIXTURES / "graph/lines.ndjson").read_text("utf-8"))
            pipe.flush()
            while not list((tmp_path / "spill").iterdir()):
                time.sleep(0.01)
            process.send_signal(sent)
            time.sleep(0.3)
        err = process.stderr.read()

    assert process.returncode == 130
    assert err == b""
    assert list((tmp_path / "spill").iterdir()) == []
    assert not (tmp_path / "store.duckdb").exists()
    assert not (tmp_path / "store.duckdb.holder").exists()


def shell(line, **more):
    """Run a line in a real shell; `$sspr` is the program."""
    run = command(**more)
    program = f"{sys.executable} -m sspr_audit"
    env = {**run["env"], "sspr": program}
    return subprocess.run(
        ["/bin/sh", "-c", line], env=env, capture_output=True, check=False, cwd=keep.ROOT
    )


@pytest.mark.parametrize(
    "args", ["causes", "--help", "report --bogus 2>&1", f"report --input {PAGE} 2>&1"]
)
def test_a_reader_that_leaves_is_141(args):
    """And Python does not complain of it."""
    done = shell(f"{{ {{ sleep 0.2; $sspr {args}; echo $? >&3; }} | true; }} 3>&1")

    assert done.stdout == b"141\n"
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$sspr causes > /dev/full", 6),
        ("$sspr --help > /dev/full", 6),
        ("$sspr store info 2> /dev/full", 6),
        ("$sspr causes >&-", 6),
        ("$sspr --help >&-", 6),
        (f"$sspr report --input {PAGE} --output /dev/null >&-", 0),
        (f"$sspr report --input {PAGE} 2>&-", 0),
    ],
)
def test_a_stream_that_takes_nothing_is_no_bug(line, code):
    """A full disk behind it is trouble, and so is data for one that was closed before we began."""
    done = shell(line)

    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_fills_up_on_the_way_is_told(unbuffered, tmp_path):
    """Half a report is none, also where containers switch off the buffer that tells of it."""
    python = f"PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED={unbuffered}"
    done = shell(f"ulimit -f 1; {python} $sspr causes > {tmp_path / 'out'}")

    assert done.returncode == 6
    assert b"File too large" in done.stderr


def test_a_module_that_a_full_disk_cut_short_is_the_machines_trouble(tmp_path):
    """Python keeps such a file and reads it each time: nobody has interrupted anything."""
    shell(f"PYTHONPYCACHEPREFIX={tmp_path} PYTHONDONTWRITEBYTECODE= $sspr causes")
    (compiled,) = tmp_path.rglob("pipeline/catalogue.*.pyc")
    compiled.write_bytes(compiled.read_bytes()[:512])
    done = shell(f"PYTHONPYCACHEPREFIX={tmp_path} $sspr causes")

    assert done.returncode == 6
    assert b"delete its __pycache__ folders" in done.stderr


# Terminals and systems


def on_terminal(*args, **env):
    """Run the program on a terminal; return what it showed."""
    ours, theirs = pty.openpty()
    run = command(*args, env={"TERM": "xterm", "COLUMNS": "80", **env})
    with subprocess.Popen(**run, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so where the other end is closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    assert process.returncode == 0
    return shown


def test_colours_are_for_terminals_that_want_them(tmp_path, sspr):
    """Not with NO_COLOR, in a pipe or in a file."""
    args = "report", "-q", "--input", PAGE
    sspr(*args, "--output", tmp_path / "out")

    assert b"\x1b[" in on_terminal(*args)
    assert b"\x1b[" not in on_terminal(*args, NO_COLOR="1")
    assert b"\x1b[" not in sspr(*args)[1].encode()
    assert b"\x1b[" not in (tmp_path / "out").read_bytes()


@pytest.mark.parametrize(("term", "wanted"), [("xterm", True), ("dumb", False)])
def test_a_dumb_terminal_gets_no_colours(term, wanted, monkeypatch):
    """Though it is a terminal."""
    monkeypatch.setenv("TERM", term)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        found = run.colour(stream)
    os.close(ours)

    assert found is wanted


@pytest.mark.parametrize(
    "env", [{"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0"}]
)
def test_names_are_utf8_whatever_the_system_thinks(env, tmp_path):
    """A Swedish name in a pipe is UTF-8, and no encoding makes a command fail."""
    config = tmp_path / "settings.toml"
    config.write_text('[[sites]]\nname = "Malm\u00f6"\nnetworks = ["198.51.100.0/24"]\n', "utf-8")
    done = ran("flow", "hugo.aker@example.com", "--input", PAGE, "--config", config, env=env)

    assert done.returncode == 0
    assert "(Malm\u00f6)" in done.stdout.decode("utf-8")


def test_a_path_that_is_no_text_does_not_fall_over(tmp_path):
    """Names of files are bytes, and some are no UTF-8."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\x1b[31m.json"))
    path.write_bytes(Path(PAGE).read_bytes())
    config = keep.settings(tmp_path)
    for args in (
        ("report", "--input", path.with_suffix(".none")),
        ("import", path, "--config", config),
        ("report", "--input", path, "--output", path.with_suffix(".out")),
        ("store", "forget", path, "--config", config),
    ):
        run = command(*args)
        run["args"][3:] = [os.fsencode(arg) for arg in run["args"][3:]]
        done = subprocess.run(**run, capture_output=True, check=False)

        assert done.returncode in (0, 2)
        assert b"\x1b" not in done.stderr
        assert b"Traceback" not in done.stderr


def test_the_module_is_the_program():
    """`python -m sspr_audit` and `sspr-audit` are one."""
    assert ran("--version").stdout == b"sspr-audit 0.1.0\n"


# Commands, end to end


def test_a_store_is_filled_asked_thinned_and_cleared(tmp_path, sspr):
    """Each command of the store's life, on one store."""
    config = keep.settings(tmp_path)
    first = sspr("import", PAGE, FIXTURES / "context", "--config", config)
    second = sspr("import", PAGE, "--config", config)
    told = sspr("store", "info", "--config", config)
    story = sspr("flow", "hugo.aker@example.com", "--since", "2026-11-01", "--until", "2026-11-03",
                 "--config", config)  # fmt: skip
    gone = sspr("store", "forget", "hugo.aker@example.com", "--config", config)
    nobody = sspr("store", "forget", "hugo.aker@example.com", "--config", config)
    pruned = sspr("store", "prune", "--config", config)

    assert first[0] == 0
    assert first[2].startswith(f"settings: {config}\n62 records read: 47 audit records and 15 of")
    assert "0 audit records and 0 of context are new, 47 were known" in second[2]
    assert f"store     {tmp_path / 'store.duckdb'} (" in told[1]
    assert "audit     47 records, from 8 file imports" in told[1]
    assert story[0] == 0
    assert "hugo.aker@example.com" in story[1]
    assert gone[::2][0] == 0
    assert "for 00000000-0000-0000-0001-000000000002, hugo.aker@example.com" in gone[2]
    assert nobody[0] == 0
    assert "no record names hugo.aker@example.com; nothing was dropped" in nobody[2]
    assert pruned[0] == 0


def test_the_same_file_twice_is_two_imports(tmp_path, sspr):
    """What the store counts is how often a file came, not how many files there are."""
    config = keep.settings(tmp_path)
    sspr("import", PAGE, "--config", config)
    once = sspr("store", "info", "--config", config)
    sspr("import", PAGE, "--config", config)

    assert "47 records, from 1 file import\n" in once[1]
    assert "47 records, from 2 file imports\n" in sspr("store", "info", "--config", config)[1]


def test_another_tenants_import_is_2(tmp_path, sspr):
    """With the settings that name the tenant, too."""
    other = {"id": "00000000-0000-0000-0000-0000000000ff"}
    config = keep.settings(tmp_path, tenant=other)
    code, out, err = sspr("import", "-q", FIXTURES / "diagnostic/lines.json", "--config", config)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert keep.TENANT in err


def test_standard_input_is_a_file():
    """`-` reads an export from a pipe."""
    done = ran("report", "-q", "--input", "-", "--format", "json", input=Path(PAGE).read_bytes())

    assert done.returncode == 0
    assert json.loads(done.stdout)["inputs"]["events"] > 30


def test_the_demo_is_written_where_it_can_be(tmp_path, monkeypatch, sspr):
    """Each file is told, and then the line to try; a folder that cannot be is trouble."""

    def write(folder):
        (folder / "exports").mkdir(parents=True)
        (folder / "settings.toml").write_text("")
        (folder / "exports" / "page.json").write_bytes(Path(PAGE).read_bytes())
        return [folder / "settings.toml", folder / "exports" / "page.json"]

    monkeypatch.setattr(pipeline, "write_demo", write)
    folder = tmp_path / "demo"
    code, out, err = sspr("demo", folder)

    tried = sspr(*err.strip().removeprefix("try: sspr-audit ").split())

    assert (code, out) == (0, f"{folder}/settings.toml\n{folder}/exports/page.json\n")
    assert tried[0] == 0
    assert "ignored" not in tried[2]
    assert sspr("demo", folder)[0] == 6


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        (None, "authenticated-proxy"),
        ("authenticated-proxy", "proxy"),
        ("writeback", "admin-cannot-writeback-own-reset"),
        ("no-such", ""),
    ],
)
def test_the_catalogue_is_told(wanted, word, sspr):
    """All causes in a list, one in full."""
    code, out, err = sspr("causes", *([wanted] if wanted else []), "-q")

    assert code == (0 if word else 2)
    assert word in out
    assert bool(err) == (not word)


def test_whether_a_change_helped_is_told(sspr):
    """The demo's writeback came back on a Tuesday; the rest of the report stays as it is."""
    asked = ("report", "--demo", "-q", "--format", "json")
    code, out, _ = sspr(*asked, "--changed", "2026-11-17T12:00+01:00")
    report = json.loads(out)
    change = report.pop("changed")
    sites = {one["site"]: one["verdict"] for one in change["by_site"]}

    assert code == 0
    assert report == json.loads(sspr(*asked)[1])
    assert change["at"] == change["before"]["end"] == "2026-11-17T11:00:00.000Z"
    assert change["all"]["verdict"] == sites["Stockholm HQ"] == sites["Malmö"] == "better"
    assert sites[None] == "cannot-tell-yet"  # homes, and one address that tries many names


def test_a_span_says_how_long_ago_the_change_was(tmp_path, sspr):
    """Counted back from the window's end, as --since is."""
    config = keep.settings(tmp_path, report={"timezone": "Europe/Stockholm"})
    asked = "report", "--input", PAGE, "--until", "2026-11-02T12:00Z", "--changed", "2h"
    page = " ".join(sspr(*asked, "--config", config)[1].split())

    assert "Changed Mon 2026-11-02 11:00 CET (10:00 UTC); the 2 h after it are" in page


def test_a_family_tells_each_of_its_members(sspr):
    """The id that a report prints for a family leads to all of them."""
    from sspr_audit import knowledge

    name, family = next(iter(knowledge.load().families.items()))
    _, out, _ = sspr("causes", name)

    assert all(member in out for member in family.members)


def test_a_first_mail_needs_no_settings(sspr, tmp_path):
    """About the demo tenant it is only written, the same each time."""
    target = tmp_path / "week.eml"
    code, out, _ = sspr("mail", "--demo", "--dry-run")
    again, *_ = sspr("mail", "--demo", "--dry-run", "--output", target)

    assert (code, again) == (0, 0)
    assert message_from_string(out)["To"] == "it@example.com"
    assert target.read_bytes() == out.encode()
