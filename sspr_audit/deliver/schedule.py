"""When the weekly mail is sent, in the words of each scheduler: systemd, cron, Windows.

Nothing here reads or writes: texts come out, and a person can read them before they are used.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from subprocess import list2cmdline
from typing import Final
from xml.sax.saxutils import escape

from sspr_audit.errors import LocalTrouble

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

NAME: Final = "sspr-audit-mail"
"""Of the units and of the task."""

BEGIN: Final = "# BEGIN sspr-audit mail"
END: Final = "# END sspr-audit mail"
"""Around the lines of a crontab that are ours; the rest of it is nobody's business."""

_FULL: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and when, in the time of the machine."""

    day: str
    """One of DAYS."""
    at: time
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the command needs of it. Names of files with secrets may stand here, secrets never."""


def units(plan: Plan) -> dict[str, str]:
    """Return the systemd units of a user by the names of their files.

    A run that was missed is made up (Persistent); one that fails is made again after a while, for
    which the outbox is there. 3 is a mail that was sent about data with gaps: no failure.
    """
    variables = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in plan.environment.items()
    )
    command = " ".join(_quoted(word).replace("$", "$$") for word in plan.command)
    service = f"""\
[Unit]
Description=Send the weekly mail of sspr-audit
StartLimitIntervalSec=1d
StartLimitBurst=6

[Service]
Type=oneshot
ExecStart={command}
{variables}SuccessExitStatus=3
Restart=on-failure
RestartSec=15min
RestartPreventExitStatus=2 4 70
UMask=0077
"""
    timer = f"""\
[Unit]
Description=The day of the weekly mail of sspr-audit

[Timer]
OnCalendar={calendar(plan)}
Persistent=true

[Install]
WantedBy=timers.target
"""
    return {f"{NAME}.service": service, f"{NAME}.timer": timer}


def calendar(plan: Plan) -> str:
    """Return the day and time as systemd writes them, such as `Mon *-*-* 07:00:00`."""
    return f"{plan.day.capitalize()} *-*-* {plan.at:%H:%M}:00"


def _quoted(text: str) -> str:
    """Return a word for a unit file: in quotes, with nothing in it that is replaced everywhere.

    A dollar sign is replaced in commands only.
    """
    _checked(text)
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{inner}"'


def block(plan: Plan) -> str:
    """Return the marked lines for a crontab. cron makes up no run that was missed."""
    words = [f"{name}={_checked(value)}" for name, value in plan.environment.items()]
    before = ["env", *words] if words else []
    line = shlex.join(map(_checked, [*before, *plan.command])).replace("%", r"\%")
    weekday = (DAYS.index(plan.day) + 1) % 7
    return f"{BEGIN}\n{plan.at.minute} {plan.at.hour} * * {weekday} {line}\n{END}\n"


def with_block(crontab: str, plan: Plan) -> str:
    """Return the crontab with our lines in it, once. Raises as `without_block` does."""
    rest = without_block(crontab)
    return f"{rest}{'' if not rest or rest.endswith(chr(10)) else chr(10)}{block(plan)}"


def without_block(crontab: str) -> str:
    """Return the crontab without our lines, and every other as it was.

    Raises LocalTrouble where only one end of our block is there: what lies between is not known.
    """
    lines = crontab.splitlines(keepends=True)
    marks = [number for number, line in enumerate(lines) if line.strip() in {BEGIN, END}]
    found = [lines[number].strip() for number in marks]
    if found == []:
        return crontab
    if found != [BEGIN, END]:
        msg = f"the crontab has other marks than one {BEGIN!r} and one {END!r}: `crontab -e`"
        raise LocalTrouble(msg)
    return "".join(lines[: marks[0]] + lines[marks[1] + 1 :])


def block_of(crontab: str) -> str:
    """Return our lines of a crontab; empty where there are none. Raises as `without_block` does."""
    rest = without_block(crontab)
    if rest == crontab:
        return ""
    start = crontab.index(BEGIN)
    return crontab[start : crontab.index(END) + len(END)] + "\n"


def task(plan: Plan, user: str, today: date) -> str:
    """Return the task for Windows, in version 1.2 of its schema, from its next day on.

    https://learn.microsoft.com/en-us/windows/win32/taskschd/task-scheduler-schema: a trigger's
    elements stand in a fixed order. A run that was missed is made up (StartWhenAvailable).
    """
    for word in (*plan.command, user):
        _checked(word)
    weekday = DAYS.index(plan.day)
    first = today + timedelta(days=(weekday - today.weekday()) % 7)
    start = datetime.combine(first, plan.at).isoformat()
    return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Send the weekly mail of sspr-audit</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>{start}</StartBoundary>
      <ScheduleByWeek>
        <WeeksInterval>1</WeeksInterval>
        <DaysOfWeek>
          <{_FULL[weekday]} />
        </DaysOfWeek>
      </ScheduleByWeek>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{escape(user)}</UserId>
      <LogonType>S4U</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>
    <ExecutionTimeLimit>PT12H</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT15M</Interval>
      <Count>5</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(plan.command[0])}</Command>
      <Arguments>{escape(list2cmdline(plan.command[1:]))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def _checked(text: str) -> str:
    """Return the text. Raises LocalTrouble for what no line of a scheduler can hold."""
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]", text):
        msg = f"{text!a} cannot stand in a schedule: choose a path of letters that can be written"
        raise LocalTrouble(msg)
    return text
