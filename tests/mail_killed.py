"""Mail runs as processes that are killed at random steps, two at once now and then."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import keep
from mail_server import MailServer, trusted

CHILD = """
import os, signal, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from sspr_audit.deliver import message, outbox, smtp
from sspr_audit.model import Envelope, Letter, Window

folder, port, week, last = Path(sys.argv[1]), *map(int, sys.argv[2:])
steps = 0

def step(*_):
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

start = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=7 * week)
about = Envelope("a@example.com", ("b@example.com",), Window(start, start + timedelta(days=7)))
letter = Letter("week", "text " * 2000, "<p>page</p>" * 2000)
server = smtp.Server("localhost", port, "starttls", patience=20.0, last_patience=20.0)
box = outbox.Outbox(folder)
composed = message.composed(letter, about, datetime.now(UTC))
with box.held(timedelta(seconds=60)):
    print("begun", flush=True)  # all that is imported late is here
sys.setprofile(step)
with box.held(timedelta(seconds=60)):
    if box.find(about) is None:
        box.add(about, *composed)
    for entry in box.entries():
        if entry.state in outbox.WAITING:
            outbox.post(entry, lambda *how: smtp.delivered(server, *how))
sys.setprofile(None)
print(steps)
"""
"""What `mail` does once its letter is written, as a process of its own.

Its last argument is the step (a call or a return, of Python or of C) at which it is killed, 0 for
none: a moment of the clock would be early on one machine and too late on another.
"""


STATES = {"ready", "sending", "sent", "refused", "unconfirmed"}


@dataclass
class Count:
    """What became of the periods."""

    struck: int
    """Runs that were killed."""
    whole: int
    """Runs that came to their end."""
    lost: list
    """Periods without a mail or an unconfirmed letter."""
    doubled: list
    """Periods with more than one mail at the server."""
    unconfirmed: int
    sent: int


def killed(folder, runs, *, dice):
    """Start so many runs, kill most of them, and return what became of their periods.

    A week has one to three disturbed runs, now and then two at once; then one that is left alone,
    as when a person or the scheduler tries again. The first week has such a run only: it tells how
    many steps there are to be killed at.
    """
    folder = Path(folder)
    env = keep.command()["env"] | {"SSL_CERT_FILE": trusted(folder)}
    box = folder / "outbox"
    struck = whole = week = started = 0
    with MailServer() as server:
        server.rules.sign_in = "none"

        def begin(last=0):
            args = [sys.executable, "-c", CHILD, box, server.port, week, last]
            process = subprocess.Popen(
                list(map(str, args)), env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            process.stdout.readline()  # all is imported and composed: what is to come is the work
            return process

        def ended(process):
            said, _ = process.communicate(timeout=90)
            return process.returncode, said

        code, said = ended(begin())
        assert code == 0
        steps = int(said)
        while started < runs:
            week += 1
            for _ in range(dice.randrange(1, 4)):
                server.rules.pause = dice.choice([0, 0, 0.1])
                server.rules.cut = dice.choice(["", "", "", "dot", "rcpt"])
                together = [
                    begin(int(dice.triangular(1, steps, steps)) if dice.random() < 0.8 else 0)
                    for _ in range(dice.choice([1, 1, 1, 2]))
                ]
                started += len(together)
                codes = [ended(one)[0] for one in together]
                struck += codes.count(-signal.SIGKILL)
                whole += codes.count(0)
            server.rules.pause, server.rules.cut = 0, ""
            assert ended(begin())[0] == 0
        counted = {period: count for (period, _), count in server.periods.items()}
    return _judged(box, counted, struck, whole, week + 1)


def _judged(box, counted, struck, whole, weeks):
    states = {}
    for one in box.iterdir():
        if one.is_dir():
            names = {file.name for file in one.iterdir()}
            (states[one.name[:10]],) = names & {
                "ready",
                "sending",
                "sent",
                "refused",
                "unconfirmed",
            }
    by_week = {period[:10]: count for period, count in counted.items()}
    lost = [day for day, state in states.items() if state != "unconfirmed" and day not in by_week]
    lost += [day for day, state in states.items() if state not in {"sent", "unconfirmed"}]
    assert len(states) == weeks
    return Count(
        struck,
        whole,
        lost,
        [day for day, count in by_week.items() if count > 1],
        sum(state == "unconfirmed" for state in states.values()),
        sum(state == "sent" for state in states.values()),
    )
