"""What the tests of the mail share: a desk with a store, a server, and the outbox after it."""

import contextlib
import json
import shutil
from types import SimpleNamespace

import pytest
from desk import desk
from fetch import DAY, NOW, records
from graph_records import audit
from graph_tenant import Clock
from mail_server import PASSWORD, MailServer


def quiet_store(folder):
    """Return the folder in which somebody fetched a tenant where nobody reset a password lately."""
    made = [audit(NOW - 20 * DAY)]
    with pytest.MonkeyPatch.context() as patch, desk(folder, patch, made, clock=Clock()) as one:
        assert one.run("fetch")[0] == 0
    return one.folder


@contextlib.contextmanager
def desk_with(store, folder, monkeypatch):
    """Yield a desk with that store; its tenant has records that nobody has fetched yet."""
    made = (audit(NOW - 20 * DAY), *records(40))
    with desk(folder, monkeypatch, made, clock=Clock()) as one:
        for path in store.glob("store.*"):
            shutil.copy2(path, one.folder)
        one.environ(SSPR_AUDIT_SMTP_PASSWORD=PASSWORD)
        yield one


@contextlib.contextmanager
def smtp_from(one):
    """Yield a desk from which mail goes by SMTP, and the server that it goes to."""
    with MailServer() as server:
        mailing(one, **server.settings())
        yield SimpleNamespace(desk=one, server=server, run=one.run, send=sending(one))


def mailing(one, **mail):
    """Write the settings with a [mail] section."""
    one.settings()
    text = one.config.read_text()
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in mail.items())
    one.config.write_text(f"{text}\n[mail]\n{lines}")


def sending(one):
    """Return what sends the mail about the store as it is."""
    return lambda *options: one.run("mail", "--offline", *options)


def outbox(one):
    return one.folder / "store.duckdb.outbox"


def states(one):
    """Return the state of each letter, by the names of files."""
    names = {"ready", "sending", "sent", "refused", "unconfirmed"}
    return [
        (names & {file.name for file in folder.iterdir()}).pop()
        for folder in sorted(outbox(one).iterdir())
        if folder.is_dir()
    ]
