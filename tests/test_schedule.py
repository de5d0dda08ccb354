"""The weekly mail among the jobs of a machine: in each scheduler's words, and out of it again."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import keep
import pytest

from sspr_audit import cli
from sspr_audit.deliver import schedule
from sspr_audit.deliver.schedule import Plan
from sspr_audit.deliver.scheduler import Cron, Ran, Systemd, Windows, run
from sspr_audit.errors import LocalTrouble
from sspr_audit.pipeline import scheduling

ODD = '/opt/it\'s 100% "new" $HOME/settings.toml'
"""A path in which every scheduler would find something to replace."""
PLAN = Plan(
    "mon",
    time(7, 5),
    ("/usr/bin/python3", "-m", "sspr_audit", "mail", "--config", ODD),
    {"SSPR_AUDIT_SMTP_PASSWORD_FILE": "/etc/my $ecret 100%"},
)
ANALYZE = shutil.which("systemd-analyze")
TODAY = date(2026, 3, 4)  # a Wednesday


class Machine:
    """A machine with a crontab; it notes what is run."""

    def __init__(self, crontab=None, fails=()):
        self.crontab, self.fails, self.asked = crontab, fails, []

    def __call__(self, command, given):
        self.asked.append(list(command))
        if command[0] in self.fails:
            return Ran(1, "", "no bus")
        if command == ["crontab", "-l"] and self.crontab is None:
            return Ran(1, "", "no crontab for somebody")
        if command == ["crontab", "-"]:
            self.crontab = given
        return Ran(0, self.crontab or "", "")


def test_systemd_gets_a_service_and_a_timer_that_makes_up_for_missed_runs():
    """A mail about data with gaps is no failure; one that was refused is tried again."""
    units = schedule.units(PLAN)
    service, timer = units["sspr-audit-mail.service"], units["sspr-audit-mail.timer"]

    assert "OnCalendar=Mon *-*-* 07:05:00\nPersistent=true\n" in timer
    assert "SuccessExitStatus=3\nRestart=on-failure\n" in service
    assert '"/opt/it\'s 100%% \\"new\\" $$HOME/settings.toml"' in service
    assert 'Environment="SSPR_AUDIT_SMTP_PASSWORD_FILE=/etc/my $ecret 100%%"' in service


@pytest.mark.skipif(not ANALYZE, reason="this machine has no systemd")
@pytest.mark.parametrize("day", schedule.DAYS)
def test_systemd_itself_understands_the_day(day):
    """Every day of the week."""
    calendar = schedule.calendar(replace(PLAN, day=day))
    done = subprocess.run(
        [ANALYZE, "calendar", calendar], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert f"Normalized form: {calendar}" in done.stdout


@pytest.mark.skipif(not ANALYZE, reason="this machine has no systemd")
def test_systemd_itself_finds_no_fault_in_the_units(tmp_path):
    """Neither in the words nor in the quotes."""
    plan = replace(PLAN, command=(sys.executable, *PLAN.command[1:]))
    for name, text in schedule.units(plan).items():
        (tmp_path / name).write_text(text)
    files = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        [ANALYZE, "--user", "verify", *files], check=False, capture_output=True, text=True
    )

    ours = [line for line in done.stderr.splitlines() if "sspr-audit" in line]
    assert ours == []


def test_cron_gets_one_marked_block_and_keeps_the_rest():
    """Installed twice it is there once; removed, the crontab is what it was."""
    before = "MAILTO=root\n0 0 * * * backup\n"
    machine = Machine(before)
    one = Cron(machine)
    one.install(replace(PLAN, day="sun"))
    one.install(PLAN)

    assert machine.crontab == before + one.shown()
    assert machine.crontab.count(schedule.BEGIN) == 1
    assert "\n5 7 * * 1 env " in one.shown()
    one.remove()
    assert machine.crontab == before
    assert one.shown() == ""


def test_cron_runs_what_was_meant(tmp_path):
    """A shell, given the line as cron gives it, passes on every word as it was."""
    show = f"import sys; open({str(tmp_path / 'said')!r}, 'w').write(repr(sys.argv[1:]))"
    plan = replace(PLAN, command=(sys.executable, "-c", show, ODD))
    line = schedule.block(plan).splitlines()[1].split(maxsplit=5)[5]
    subprocess.run(["/bin/sh", "-c", line.replace(r"\%", "%")], check=True)

    assert not re.search(r"(?<!\\)%", line)
    assert (tmp_path / "said").read_text() == repr([ODD])


@pytest.mark.parametrize("crontab", [f"{schedule.BEGIN}\nx\n", f"x\n{schedule.END}\n"])
def test_a_crontab_with_half_a_block_is_left_alone(crontab):
    """What somebody edited is theirs to mend."""
    machine = Machine(crontab)

    with pytest.raises(LocalTrouble, match="crontab -e"):
        Cron(machine).install(PLAN)
    assert machine.crontab == crontab


def test_a_first_crontab_is_made():
    """Where somebody had none."""
    machine = Machine()
    assert Cron(machine).shown() == ""
    Cron(machine).remove()
    assert machine.crontab is None
    Cron(machine).install(PLAN)

    assert machine.crontab == schedule.block(PLAN)


SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
ORDERED = ("Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit")
"""Elements of a trigger, in the one order that the schema allows; its own come after them:
https://learn.microsoft.com/en-us/windows/win32/taskschd/taskschedulerschema-triggerbasetype-complextype"""
SETTINGS = {
    "AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy", "StopIfGoingOnBatteries",
    "DisallowStartIfOnBatteries", "AllowHardTerminate", "StartWhenAvailable", "NetworkProfileName",
    "RunOnlyIfNetworkAvailable", "WakeToRun", "Enabled", "Hidden", "DeleteExpiredTaskAfter",
    "IdleSettings", "NetworkSettings", "ExecutionTimeLimit", "Priority", "RunOnlyIfIdle",
    "UseUnifiedSchedulingEngine", "DisallowStartOnRemoteAppSession",
}  # fmt: skip
"""https://learn.microsoft.com/en-us/windows/win32/taskschd/taskschedulerschema-settingstype-complextype"""


def names(element):
    return [one.tag.removeprefix(SPACE) for one in element]


@pytest.mark.parametrize("day", schedule.DAYS)
def test_the_task_keeps_to_the_schema_of_windows(day):
    """Known elements in the order that is asked for, a day that exists, and its context."""
    plan = replace(PLAN, day=day)
    text = schedule.task(plan, r"EXAMPLE\ann & co", TODAY)
    root = ET.fromstring(text.partition("?>")[2])  # noqa: S314 - our own
    (trigger,) = root.find(f"{SPACE}Triggers")
    (execute,) = root.find(f"{SPACE}Actions")
    (principal,) = root.find(f"{SPACE}Principals")
    places = [ORDERED.index(one) if one in ORDERED else 99 for one in names(trigger)]
    start = trigger.find(f"{SPACE}StartBoundary").text
    days = trigger.find(f"{SPACE}ScheduleByWeek/{SPACE}DaysOfWeek")

    assert (root.tag, root.attrib) == (f"{SPACE}Task", {"version": "1.2"})
    assert names(root) == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    assert places == sorted(places)
    assert names(trigger)[-1] == "ScheduleByWeek"
    assert date.fromisoformat(start[:10]) >= TODAY
    assert names(days) == [f"{date.fromisoformat(start[:10]):%A}"]
    assert set(names(root.find(f"{SPACE}Settings"))) <= SETTINGS
    assert root.find(f"{SPACE}Actions").get("Context") == principal.get("id")
    assert principal.find(f"{SPACE}UserId").text == r"EXAMPLE\ann & co"
    assert execute.find(f"{SPACE}Command").text == PLAN.command[0]
    assert execute.find(f"{SPACE}Arguments").text == subprocess.list2cmdline(PLAN.command[1:])


def test_windows_is_given_the_task_as_a_file_of_its_own_kind(tmp_path, monkeypatch):
    """UTF-16 with a mark; nothing of it stays behind."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []

    def run(command, _given):
        if "/Create" in command:
            seen.append(Path(command[command.index("/XML") + 1]).read_bytes())
        return Ran(0, "<Task/>", "")

    Windows("ann", TODAY, run).install(PLAN)

    assert seen[0].startswith((b"\xff\xfe", b"\xfe\xff"))
    assert list(tmp_path.iterdir()) == []


def test_systemd_units_are_written_shown_and_taken_away(tmp_path):
    """The timer is enabled after they are there, and disabled before they go."""
    machine = Machine()
    one = Systemd(tmp_path / "user", machine)
    one.install(PLAN)

    assert "OnCalendar=Mon" in one.shown()
    assert machine.asked[-1][:4] == ["systemctl", "--user", "enable", "--now"]
    one.remove()
    assert list((tmp_path / "user").iterdir()) == []
    asked = len(machine.asked)
    one.remove()
    assert (one.shown(), len(machine.asked)) == ("", asked)


def test_a_scheduler_that_fails_is_told_in_its_own_words(tmp_path):
    """And one that is not there is named."""
    with pytest.raises(LocalTrouble, match="daemon-reload` failed: no bus"):
        Systemd(tmp_path, Machine(fails={"systemctl"})).install(PLAN)
    assert list(tmp_path.iterdir()) == []

    def nothing(*_how):
        raise FileNotFoundError

    with pytest.raises(LocalTrouble, match="crontab is not on this machine"):
        Cron(nothing).install(PLAN)


@pytest.mark.parametrize(
    ("platform", "programs", "session", "kind"),
    [
        ("win32", (), "", Windows),
        ("linux", ("systemctl",), "/run/user/1000", Systemd),
        ("linux", ("systemctl",), "", Cron),
        ("linux", (), "/run/user/1000", Cron),
        ("darwin", (), "", Cron),
    ],
)
def test_the_scheduler_of_the_machine_is_found(platform, programs, session, kind, tmp_path):
    """systemd only where it listens to this person."""
    around = {"XDG_RUNTIME_DIR": session}
    machine = scheduling.Machine(
        platform, "python", around, tmp_path, TODAY, lambda program: program in programs
    )

    assert isinstance(scheduling.scheduler(machine, None), kind)


@pytest.mark.parametrize("path", ["a\n* * * * * evil", "caf\udce9", "\uffff"])
def test_no_line_end_gets_into_a_schedule(path):
    """It would be a line of its own; and what is no text can stand in no file."""
    wrong = replace(PLAN, command=("python", path))
    for write in (schedule.units, schedule.block, lambda plan: schedule.task(plan, "ann", TODAY)):
        with pytest.raises(LocalTrouble, match="cannot stand in a schedule"):
            write(wrong)


@pytest.mark.skipif(os.name != "posix", reason="there is no cat")
def test_other_peoples_lines_keep_their_bytes():
    """A crontab may be older than UTF-8."""
    show = "import sys; print(ascii(sys.stdin.buffer.read()))"

    assert run([sys.executable, "-c", show], "caf\udce9\n").out == "b'caf\\xe9\\n'\n"
    assert run(["cat"], "caf\udce9\n").out == "caf\udce9\n"


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Run a command here, with a crontab; return exit code, stdout and stderr."""
    machine = Machine()
    monkeypatch.setattr("sspr_audit.pipeline.scheduling.Cron", lambda: Cron(machine))

    def run(*args):
        with pytest.raises(SystemExit) as ended:
            cli.main(["schedule", *args])
        return ended.value.code, *capsys.readouterr()

    run.folder, run.machine = tmp_path, machine
    return run


def test_a_job_gets_names_of_files_and_no_secret(typed, monkeypatch):
    """The command is whole wherever it begins; what only this shell knows is named."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSPR_AUDIT_CLIENT_SECRET_FILE", "/etc/secret")
    monkeypatch.setenv("SSPR_AUDIT_SMTP_PASSWORD", "canary-password")
    mail = {"transport": "smtp", "from": "a@example.com", "to": "b@example.com", "smtp_host": "x"}
    config = keep.settings(typed.folder, mail=mail)
    code, _, err = typed("install", "--with", "cron", "--at", "6:30", "--config", str(config))
    line = shlex.split(typed.machine.crontab.splitlines()[1])

    assert code == 0
    assert line[:5] == ["30", "6", "*", "*", "1"]
    assert line[5:7] == ["env", "SSPR_AUDIT_CLIENT_SECRET_FILE=/etc/secret"]
    assert line[7:] == [
        sys.executable, "-m", "sspr_audit", "mail", "--since", "7d", "--quiet",
        "--config", str(config),
    ]  # fmt: skip
    assert "SSPR_AUDIT_SMTP_PASSWORD is known to this shell only" in err
    assert "canary" not in typed.machine.crontab + err
    assert typed("show", "--with", "cron")[1] == typed.machine.crontab
    assert typed("remove", "--with", "cron")[0] == 0
    assert typed.machine.crontab == ""


def test_without_a_mail_section_there_is_nothing_to_schedule(typed):
    """Exit 2, before anything is changed."""
    code, _, err = typed("install", "--with", "cron")

    assert code == 2
    assert "[mail] is missing" in err
    assert typed.machine.asked == []


@pytest.mark.parametrize("at", ["7", "24:00", "07:60", "0x:00", "07:00:00"])
def test_a_time_that_does_not_exist_is_usage(at, typed):
    config = keep.settings(
        typed.folder, mail={"transport": "graph", "from": "a@example.com", "to": "b@example.com"}
    )

    assert typed("install", "--with", "cron", "--at", at, "--config", str(config))[0] == 2
