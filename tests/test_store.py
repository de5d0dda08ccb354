"""The store keeps what was brought, lets one process write, and forgets for good."""

import gzip
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock
import keep
import pytest
from keep import CONTEXT_FILES, FIXTURES
from tenant import OPTIONS, USER_ID, other, steps, window

from sspr_audit import engine, knowledge
from sspr_audit.errors import LocalTrouble, NothingReadError, SettingsError, UsageError
from sspr_audit.pipeline import forgetting, keeping, stored_report
from sspr_audit.pipeline import report as pipeline
from sspr_audit.pipeline.analysis import Options
from sspr_audit.store import NoStore, Outdated, database, held, schema

DORIS = "doris.las@example.com"
DORIS_ID = "00000000-0000-0000-0001-000000000004"
HUGO = "hugo.aker@example.com"
HUGO_ID = "00000000-0000-0000-0001-000000000002"


def options(**more):
    return Options(knowledge.load(), keep.NOW, keep.NOW, **more)


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """The file of a store with one form of the story, and all context."""
    made = keep.keeper(tmp_path_factory.mktemp("imported") / "store")
    keep.brought(made, "diagnostic/lines.json", *CONTEXT_FILES)
    return made.path


@pytest.fixture
def keeper(tmp_path, imported):
    """The keeper of a store like that, which is nobody else's."""
    folder = tmp_path / "store"
    shutil.copytree(imported.parent, folder)  # with the rights of folder and files
    return keep.keeper(folder)


def altered(keeper, statement, **values):
    with engine.database(keeper.path, read_only=False) as connection:
        connection.execute(statement, values)


def holding(keeper, what):
    """Return a process that holds the lock or the database file until its stdin closes."""
    code = {
        "lock": "with held(path, wait=timedelta(), doing='import', now=now, talk=print):",
        "file": "with engine.database(path, read_only=False):",
    }[what]
    code = f"""
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sspr_audit import engine
from sspr_audit.store import held
path, now = Path(sys.argv[1]), datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC)
{code}
    print("held", flush=True)
    sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, keeper.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    return process


# The lock


def test_who_waits_is_told_for_whom_and_then_gives_up(keeper):
    """At once, on the talk: process, command and since when; after the wait one line, exit 6."""
    said = []
    waiting = keep.keeper(keeper.path.parent, said=said, wait=timedelta(seconds=0.2))
    with holding(keeper, "lock") as other:
        start = time.perf_counter()
        with pytest.raises(engine.StoreBusy) as caught:
            keep.brought(waiting, "graph/page.json")
        waited_s = time.perf_counter() - start
        other.stdin.close()
    who = f"process {other.pid} (import, since 2026-11-03T04:05:06+00:00)"

    assert said == [f"{keeper.path} is in use by {who}; waiting up to 0.2 seconds"]
    assert who in str(caught.value)
    assert "--wait" in str(caught.value)
    assert caught.value.exit_code == 6
    assert 0.2 <= waited_s < 5


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "1 minute"), (10, "10 minutes"), (90, "90 minutes"), (120, "2 hours"), (1440, "1 day")],
)
def test_a_wait_is_said_in_words(keeper, minutes, words, monkeypatch):
    """As a person would say it, in one unit."""
    said = []
    wait = timedelta(minutes=minutes)

    def never(_, timeout=None, **__):
        raise filelock.Timeout(str(timeout))

    monkeypatch.setattr(filelock.FileLock, "acquire", never)
    with (
        pytest.raises(engine.StoreBusy),
        held(keeper.path, wait=wait, doing="import", now=keep.NOW, talk=said.append),
    ):
        pass

    assert said == [f"{keeper.path} is in use by another process; waiting up to {words}"]


def test_who_waits_long_enough_gets_the_store(keeper):
    """The lock passes on when its holder ends, however that ends."""
    said = []
    waiting = keep.keeper(keeper.path.parent, said=said, wait=timedelta(seconds=30))
    with holding(keeper, "lock") as other:
        threading.Timer(0.3, other.send_signal, [signal.SIGKILL]).start()
        done = keep.brought(waiting, "graph/page.json")

    assert len(said) == 1
    assert done.records == 47


def test_a_free_store_is_not_spoken_of(keeper):
    """Neither a lock that nobody holds nor the card of a dead process keeps anybody waiting."""
    said = []
    card = keeper.path.with_name("store.duckdb.holder")
    card.write_text('{"process": 1, "doing": "import", "since": "2020"}')
    keep.brought(keep.keeper(keeper.path.parent, said=said), "graph/page.json")

    assert said == []
    assert not card.exists()


@pytest.mark.parametrize("card", ["", "{", "[]", '{"process": 1}', "\0", '"import"'])
def test_a_broken_card_names_another_process(card, keeper):
    """The card can be cut or missing for a moment; that is no error of its own."""
    waiting = keep.keeper(keeper.path.parent)
    with holding(keeper, "lock") as other:
        keeper.path.with_name("store.duckdb.holder").write_text(card)
        with pytest.raises(engine.StoreBusy, match="in use by another process;"):
            keep.brought(waiting, "graph/page.json")
        other.stdin.close()


@pytest.mark.parametrize("place", ["file", "holder"])
def test_where_nobody_can_lock_is_the_machines_trouble(place, tmp_path):
    """A store below a file, or a folder where nobody may write: what to change, in one line."""
    (tmp_path / "file").write_text("")
    (tmp_path / "holder" / "store.duckdb.holder").mkdir(parents=True)
    path = tmp_path / place / "store.duckdb"
    with (
        pytest.raises(LocalTrouble, match=r"cannot be locked.*\[store\] path"),
        held(path, wait=timedelta(), doing="import", now=keep.NOW, talk=print),
    ):
        pass


# Readers and writers


def test_a_reader_waits_out_a_short_transaction(keeper):
    """A writer has the file open for one transaction; who reads tries again meanwhile."""
    with holding(keeper, "file") as other:
        pauses = []

        def sleep(seconds):
            pauses.append(seconds)
            if len(pauses) == 3:
                other.stdin.close()
                other.wait()

        info = replace(keeper.store, sleep=sleep).info()

    assert info.records == 47
    assert len(pauses) == 3
    assert all(0 < pause <= 1 for pause in pauses)


def test_a_reader_gives_up_in_the_end(keeper, monkeypatch):
    """Half a minute of trying, then one line and exit 6."""
    pauses = []
    whole_s = database.TRIES * database.PAUSE_S
    monkeypatch.setattr(database, "TRIES", 5)
    with holding(keeper, "file") as other:
        with pytest.raises(engine.StoreBusy) as caught:
            replace(keeper.store, sleep=pauses.append).info()
        other.stdin.close()

    assert caught.value.exit_code == 6
    assert pauses == [database.PAUSE_S] * 4
    assert 10 <= whole_s <= 60


def test_readers_do_not_shut_each_other_out(keeper):
    """Two reports at a time are fine, and one during another's import of something else."""
    with keeper.store.reading(), keeper.held("import"):
        told = keep.ran("store", "info", "--config", keep.settings(keeper.path.parent))

    assert told.returncode == 0


def test_what_a_transaction_began_and_did_not_end_is_not_there(keeper):
    """An error inside a transaction takes all of it back."""
    before = keep.laid_open(keeper)

    def fail():
        with keeper.store.writing() as store:
            store.execute("DELETE FROM audit")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert keep.laid_open(keeper) == before


# Versions


def test_a_store_of_a_newer_version_is_refused(keeper):
    """Exit 6 and one line, whether it is read or written."""
    altered(keeper, "UPDATE meta SET value = '999' WHERE key = 'schema'")
    for act in (keeper.store.info, lambda: keep.brought(keeper, "graph/page.json")):
        with pytest.raises(LocalTrouble, match="newer sspr-audit; upgrade this one") as caught:
            act()
        assert (type(caught.value), caught.value.exit_code) == (LocalTrouble, 6)


@pytest.mark.parametrize("value", ["abc", "-1", "", "1.5", None])
def test_a_store_that_somebody_else_changed_is_refused(value, keeper):
    """Also one line, which names the file."""
    altered(keeper, "UPDATE meta SET value = $value WHERE key = 'schema'", value=value)
    with pytest.raises(LocalTrouble, match=r"store\.duckdb was changed by another program"):
        keeper.store.info()


def test_a_store_of_another_tenant_is_not_read(keeper):
    """An administrator of several would read of the wrong one, or add to it."""
    keep.brought(keeper, "diagnostic/lines.json")
    other = "00000000-0000-0000-0000-0000000000ff"
    theirs = replace(keeper, tenant=other)
    with pytest.raises(SettingsError, match=f"holds tenant {keep.TENANT}.*settings name {other}"):
        stored_report.from_store(theirs, options())
    with pytest.raises(SettingsError, match=r"another .store. path for each tenant"):
        keep.brought(keeper, "graph/lines.ndjson", tenant_id=other)

    for same in (keep.TENANT.upper(), "contoso.example.com", None):
        assert stored_report.from_store(replace(keeper, tenant=same), options()).report


def test_another_programs_database_is_not_written_into(tmp_path):
    """A DuckDB file that is no store stays as it is."""
    keeper = keep.keeper(tmp_path)
    altered(keeper, "CREATE TABLE theirs AS SELECT 1 AS n")
    with pytest.raises(LocalTrouble, match="no store"):
        keep.brought(keeper, "graph/page.json")

    with engine.database(keeper.path, read_only=True) as connection:
        assert engine.rows(connection, "SELECT table_name FROM duckdb_tables()") == [("theirs",)]


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_what_is_no_file_is_refused_and_not_waited_for(make, tmp_path):
    """A pipe in the store's place would be read forever."""
    make(keep.keeper(tmp_path).path)

    with pytest.raises(LocalTrouble, match="no file that can be a store"):
        keeping.info(keep.keeper(tmp_path))


def test_an_upgrade_derives_the_rows_anew_and_gives_the_same_report(tmp_path):
    """Rows of an older version are made again from the raw texts, whatever became of them."""
    keeper = keep.keeper(tmp_path, said=(said := []))
    keep.brought(keeper, "portal/AuditLogs.csv", "context/signIns.json")
    before = keep.laid_open(keeper), keep.texts(keeper), keep.context(keeper)
    wish = options(start=datetime(2026, 11, 1, tzinfo=UTC), end=keep.NOW)
    report = stored_report.from_store(keeper, wish).report
    altered(keeper, "UPDATE audit SET reason = 'wrong', facts = 0, time_utc = NULL")
    altered(keeper, "ALTER TABLE audit DROP COLUMN client_type")
    altered(keeper, "UPDATE meta SET value = '0 old' WHERE key = 'made_by'")
    with pytest.raises(Outdated):
        list(keeper.store.batches())
    again = stored_report.from_store(keeper, wish).report

    assert again == report
    assert (keep.laid_open(keeper), keep.texts(keeper), keep.context(keeper)) == before
    assert said == [f"{keeper.path} was filled by an older version; reading its records again"]


def test_an_import_upgrades_first(keeper):
    """Otherwise old rows and new ones could not be told to be the same."""
    altered(keeper, "UPDATE audit SET record_id = 'old', correlation_id = 'old'")
    altered(keeper, "UPDATE meta SET value = '0 old' WHERE key = 'made_by'")
    done = keep.brought(keeper, "diagnostic/records.json")

    assert (done.kept, done.repeats, len(keep.laid_open(keeper))) == (0, 47, 47)


def test_an_upgrade_keeps_the_text_of_what_it_can_no_longer_read(tmp_path):
    """Nothing is lost in silence: the text stays, its row has an id and nothing else."""
    keeper = keep.keeper(tmp_path, said=(said := []))
    keep.brought(keeper, "graph/page.json")
    odd = '{"activityDisplayName": "no time"}'
    texts = keep.texts(keeper)

    def spoil(batch):
        import pyarrow as pa

        spoiled = pa.array([odd, *batch.texts.to_pylist()[1:]], pa.string())
        return replace(batch, texts=spoiled)

    keeper.store.remake(spoil)
    altered(keeper, "UPDATE meta SET value = '0 old' WHERE key = 'made_by'")
    report = stored_report.from_store(keeper, options()).report

    assert said[-1] == "1 records cannot be read by this version; their texts are kept"
    assert sorted(text for text, _ in keep.texts(keeper)) == sorted(
        [odd, *(text for text, _ in texts[1:])]
    )
    assert report.account.records_read == 46
    assert keeping.prune(keeper, keep=timedelta(days=400)) == (47, 0)


def test_a_log_left_by_a_killed_process_survives_a_new_file(keeper):
    """What was committed and not yet merged is part of the file that prune makes anew."""
    code = """
import os, signal, sys
from pathlib import Path
from sspr_audit import engine
with engine.database(Path(sys.argv[1]), read_only=False) as store:
    store.execute("UPDATE meta SET value = 'theirs' WHERE key = 'tenant_id'")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, keeper.path], check=False)
    log = keeper.path.with_name("store.duckdb.wal")
    left = log.exists(), stat.S_IMODE(log.stat().st_mode)
    keeping.prune(keeper, keep=timedelta(days=400))

    assert left == (True, 0o600)
    assert keeper.store.info().tenant_id == "theirs"
    assert not log.exists()


def test_what_a_killed_remake_left_is_cleared_away(keeper):
    """The half-made file and its log belong to nobody."""
    for suffix in (".new", ".new.wal"):
        keeper.path.with_name("store.duckdb" + suffix).write_bytes(b"half")
    keeping.prune(keeper, keep=timedelta(days=400))
    names = {path.name for path in keeper.path.parent.iterdir()}

    assert names == {"store.duckdb", "store.duckdb.lock"}


# Reports


def test_no_store_says_what_to_do(tmp_path):
    """Exit 2 for whoever reads, thins out or asks, and nothing is made."""
    keeper = keep.keeper(tmp_path / "none")
    acts = (
        lambda: stored_report.from_store(keeper, options()),
        lambda: keeping.info(keeper),
        lambda: keeping.prune(keeper, keep=timedelta(days=1)),
        lambda: forgetting.forget(keeper, DORIS),
    )
    for act in acts:
        with pytest.raises(NoStore, match=r"sspr-audit fetch` or `import`.*--input") as caught:
            act()
        assert caught.value.exit_code == 2
    assert not keeper.path.exists()


def test_a_store_without_audit_records_says_what_to_do(tmp_path):
    """Context alone makes no report."""
    keeper = keep.keeper(tmp_path)
    keep.brought(keeper, "context/devices.json")
    with pytest.raises(NothingReadError, match="no audit records; import some first"):
        stored_report.from_store(keeper, options())


def test_a_window_far_from_the_records_says_where_they_lie(keeper):
    """An empty report is explained."""
    far = datetime(2027, 10, 1, tzinfo=UTC)
    done = stored_report.from_store(keeper, options(end=far))

    assert done.report.totals.flows == 0
    assert len(done.remarks) == 1
    assert "between 2026-11-02 08:04 and 2026-11-02 12:39 UTC; none is near" in done.remarks[0]


def test_the_store_and_the_files_give_the_same_report(tmp_path):
    """Over the same window nothing hangs on whether records were stored first."""
    keeper = keep.keeper(tmp_path)
    names = ["graph/page.json", "portal/AuditLogs.csv", *CONTEXT_FILES]
    keep.brought(keeper, *names)
    wish = options(start=datetime(2026, 11, 2, 8, 30, tzinfo=UTC), end=keep.NOW)
    stored = stored_report.from_store(keeper, wish)
    files = pipeline.from_files([str(FIXTURES / name) for name in names], wish)
    read = stored.report.account
    same = replace(files.report.account, records_read=read.records_read, duplicates=read.duplicates)

    assert read.records_read + files.report.account.duplicates == files.report.account.records_read
    assert stored.report == replace(files.report, account=same)
    assert stored.flows.equals(files.flows)
    assert stored.acts.equals(files.acts)


@pytest.mark.parametrize(("begin", "end"), [(-0.02, 0.02), (-60, 0.02)])
def test_the_store_knows_more_than_was_copied(tmp_path, begin, end):
    """Records long after the window end its flows, those long before give the span before it."""
    day = 86_400
    across = steps(USER_ID, OPTIONS, at=begin * day - (end - begin) * day - 2, flow="across")
    rows = [other(-200 * day), *across, *steps(USER_ID, OPTIONS), other(30 * day)]
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    keeper = keep.keeper(tmp_path)
    keep.brought(keeper, path)
    wish = options(**window(begin * day, end * day))
    stored = stored_report.from_store(keeper, wish).report
    files = pipeline.from_files([str(path)], wish).report

    assert stored.totals.outcomes["abandoned"] == stored.totals.flows == 1
    assert stored.previous.flows == 0
    assert stored == replace(files, account=stored.account)


# Prune


def test_prune_drops_what_is_older_and_nothing_else(tmp_path):
    """Audit records and sign-ins go by their time; what has none stays."""
    keeper = keep.keeper(tmp_path, now=datetime(2027, 11, 2, 10, tzinfo=UTC))
    keep.brought(keeper, "graph/page.json", *CONTEXT_FILES)
    rows = [row for row in keep.laid_open(keeper) if row[2] >= datetime(2026, 11, 2, 10)]  # noqa: DTZ001
    kinds = dict(keeper.store.info().context)
    stayed, went = keeping.prune(keeper, keep=timedelta(days=365))
    first = keep.laid_open(keeper), dict(keeper.store.info().context)
    later = replace(keeper, now=keeper.now + timedelta(days=1))
    keeping.prune(later, keep=timedelta(days=365))

    assert 0 < len(rows) < 47
    assert first == (rows, kinds)
    assert (stayed, went) == (len(rows) + 15, 47 - len(rows))
    assert keep.laid_open(later) == []
    assert dict(later.store.info().context) == {k: n for k, n in kinds.items() if k != "signIns"}


def test_prune_takes_back_the_coverage_of_what_it_drops(keeper):
    """A span without its records must not be called covered."""
    for days in (2, 0):
        altered(
            keeper,
            "INSERT INTO coverage (collection, filter, start_utc, end_utc)"
            " VALUES ('audits', '', $start, $end)",
            start=keep.NOW.replace(tzinfo=None) - timedelta(days=days + 2),
            end=keep.NOW.replace(tzinfo=None) - timedelta(days=days),
        )
    keeping.prune(keeper, keep=timedelta(days=1))
    with engine.database(keeper.path, read_only=True) as store:
        left = engine.rows(store, "SELECT start_utc, end_utc FROM coverage")

    assert left == [(datetime(2026, 11, 2), datetime(2026, 11, 3))]  # noqa: DTZ001


# Forget


def everything(keeper):
    """Return all that the store's file holds, in lower case: its bytes, and its texts unpacked."""
    found = keeper.path.read_bytes()
    for batch in keeper.store.batches():
        found += json.dumps([batch.layout, *batch.texts.to_pylist()], ensure_ascii=False).encode()
        found += repr(batch.rows.to_pylist()).encode()
    with engine.database(keeper.path, read_only=True) as store:
        for table in ("imports", "meta", "coverage", "audit", "context"):
            found += repr(engine.rows(store, f"FROM {table}")).encode()
    return found.lower()


@pytest.mark.parametrize("user", [DORIS, DORIS.upper(), DORIS_ID, f" {DORIS_ID.upper()} "])
def test_a_forgotten_person_is_nowhere_in_the_file(user, keeper):
    """By name or by id, in any case: no record, no context and no freed page names the person."""
    before = {text for text, _ in keep.texts(keeper)}
    done = forgetting.forget(keeper, user)
    after = {text for text, _ in keep.texts(keeper)}
    gone = everything(keeper)

    assert done.names == (DORIS_ID, DORIS)
    assert (done.stayed, done.went) == (len(after), len(before - after))
    assert done.went == sum(DORIS in text or DORIS_ID in text for text in before) > 5
    assert DORIS.encode() not in gone
    assert DORIS_ID.encode() not in gone
    assert HUGO.encode() in gone


def test_forgetting_finds_a_name_in_every_form(tmp_path):
    """CSV rows, JSON in a CSV cell, escaped letters and other fields name people too."""
    keeper = keep.keeper(tmp_path)
    lines = (FIXTURES / "graph/lines.ndjson").read_text("utf-8").splitlines()
    record = json.loads(next(line for line in lines if HUGO not in line))
    hidden = []
    for number, value in enumerate(
        (
            "hugo.\\u0061ker@example.com",
            "HUGO.AKER@EXAMPLE.COM",
            "changed by hugo.aker@example.com.",
            "smtp:hugo.aker@example.com",
            '[\\"hugo.aker@example.com\\"]',
            "line\\nhugo.aker@example.com",
            "User_00000000-0000-0000-0001-000000000002",
            "00000000000000000001000000000002",
        )
    ):
        body = {**record, "id": f"h{number}", "correlationId": f"c{number}", "note": "WORD"}
        hidden.append(json.dumps(body).replace("WORD", value))
    (tmp_path / "hidden.ndjson").write_text("\n".join(hidden))
    keep.brought(keeper, tmp_path / "hidden.ndjson", "loganalytics/query_data.csv")
    keep.brought(keeper, "portal/AuditLogs-older.csv", "context/managedDevices.json")
    forgetting.forget(keeper, HUGO)
    left = "\n".join(text for text, _ in keep.texts(keeper)).lower()

    assert not any('"h' in text[:20] for text, _ in keep.texts(keeper))
    assert HUGO not in left
    assert HUGO_ID not in left
    assert DORIS in left


def test_forgetting_one_spares_all_others(tmp_path):
    """A name that only begins or ends like theirs is somebody else."""
    keeper = keep.keeper(tmp_path)
    lines = (FIXTURES / "graph/lines.ndjson").read_text("utf-8").splitlines()
    record = json.loads(next(line for line in lines if HUGO not in line))
    others = (
        "big-hugo.aker@example.com",
        "o'hugo.aker@example.com",
        "x.hugo.aker@example.com",
        "hugo.aker@example.com.au",
        "hugo.aker@example.community",
        "00000000-0000-0000-0001-0000000000020",
    )
    bodies = [
        json.dumps({**record, "id": f"o{n}", "correlationId": f"c{n}", "note": other})
        for n, other in enumerate(others)
    ]
    (tmp_path / "others.ndjson").write_text("\n".join(bodies))
    keep.brought(keeper, tmp_path / "others.ndjson")

    assert forgetting.forget(keeper, HUGO).went == 0
    assert sorted(text for text, _ in keep.texts(keeper)) == sorted(bodies)


def renamed(number, **user):
    return json.dumps(
        {
            "id": f"r{number}",
            "activityDateTime": f"2026-11-02T08:00:0{number}Z",
            "activityDisplayName": "Reset password (self-service)",
            "loggedByService": "Self-service Password Management",
            "correlationId": f"00000000-0000-4000-8000-00000000000{number}",
            "targetResources": [{"type": "User", **user}],
        }
    )


def test_a_former_name_goes_along_but_not_one_that_was_passed_on(tmp_path):
    """Whose id has two names is one person; a name of two people forgets only the one asked for."""
    keeper = keep.keeper(tmp_path)
    mine, hers = (f"00000000-0000-0000-0001-0000000000{n}" for n in (71, 72))
    records = (
        renamed(1, id=mine, userPrincipalName="new@example.com"),
        renamed(2, id=mine, userPrincipalName="maiden@example.com"),
        renamed(3, userPrincipalName="Maiden@example.com"),
        renamed(4, id=mine, userPrincipalName="desk@example.com"),
        renamed(5, id=hers, userPrincipalName="desk@example.com"),
        renamed(6, userPrincipalName="desk@example.com"),
    )
    (tmp_path / "people.ndjson").write_text("\n".join(records))
    keep.brought(keeper, tmp_path / "people.ndjson")
    done = forgetting.forget(keeper, "new@example.com")

    assert done.names == (mine, "maiden@example.com", "new@example.com")
    assert sorted(text for text, _ in keep.texts(keeper)) == sorted(records[4:])


def test_the_names_of_files_forget_too(tmp_path):
    """An export is often called after the person it is about."""
    keeper = keep.keeper(tmp_path)
    path = tmp_path / f"AuditLogs {HUGO}.json"
    path.write_bytes(gzip.decompress((FIXTURES / "graph/page.json.gz").read_bytes()))
    keep.brought(keeper, path)
    forgetting.forget(keeper, HUGO)

    assert HUGO.encode() not in everything(keeper)


@pytest.mark.parametrize(
    "user",
    [
        *("hugo", "hugo.aker", "@example.com", "hugo.aker@", "example.com", "", "*", "a b@c.de"),
        *(
            "00000000-0000-0000-0001",
            "00000000-0000-0000-0000-000000000000",
            "x" * 36,
            "@",
            "\udcff@example.com",
        ),
    ],
)
def test_a_part_of_a_name_forgets_nobody(user, keeper):
    """It would take other people's records along."""
    before = keeper.path.read_bytes()
    with pytest.raises(UsageError, match="neither a user principal name nor an object id"):
        forgetting.forget(keeper, user)

    assert keeper.path.read_bytes() == before


def test_migrations_are_numbered_without_a_gap():
    """The number that a store keeps is how many it has had."""
    assert [name[:4] for name in schema.migrations()] == [
        f"{number:04d}" for number in range(1, len(schema.migrations()) + 1)
    ]
