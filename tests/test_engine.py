"""Every DuckDB connection is opened safely, and says what the machine refuses in one line."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading

import duckdb
import pyarrow as pa
import pytest

from sspr_audit import engine
from sspr_audit.errors import LocalTrouble

MIB = 1 << 20


@pytest.fixture(autouse=True)
def spills(monkeypatch, tmp_path_factory):
    """Where spill folders go; a test may look, and nothing may be left."""
    folder = tmp_path_factory.mktemp("spills")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    engine.close()
    yield folder
    engine.close()
    assert list(folder.iterdir()) == []


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("word\nhidden\n")
    return path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def made(path, rows=10):
    with engine.database(path, read_only=False) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT hash(range) AS n FROM range({rows})")  # noqa: S608
    return path


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb' AS other",
        "EXPORT DATABASE '{folder}/all'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET autoload_known_extensions = true",
        "RESET memory_limit",
        "SELECT * FROM read_csv('https://192.0.2.1/x.csv')",
    ],
)
@pytest.mark.parametrize("kind", ["scratch", "database"])
def test_no_query_reaches_past_its_own_data(query, kind, secret, tmp_path):
    """Whatever a record makes a query say, it reads, writes, loads and changes nothing else."""
    opened = (
        engine.scratch()
        if kind == "scratch"
        else engine.database(tmp_path / "store.duckdb", read_only=False)
    )
    before = set(tmp_path.iterdir()) | {tmp_path / "store.duckdb", tmp_path / "store.duckdb.wal"}
    refused = pytest.raises(Exception, match=r"(?i)disabled|locked|cannot change")
    with opened as connection, refused as caught:
        connection.execute(query.format(secret=secret, folder=tmp_path)).fetchall()

    assert type(caught.value).__module__.endswith("duckdb")
    assert set(tmp_path.iterdir()) <= before


def test_the_settings_are_those_of_the_house():
    """Memory is bounded, extensions stay out, and time is UTC."""
    names = "memory_limit", "autoinstall_known_extensions", "autoload_known_extensions", "TimeZone"
    limit = engine.MEMORY_LIMIT.replace("MiB", ".0 MiB")
    query = ", ".join(f"current_setting('{name}')" for name in names)
    with engine.scratch() as connection:
        found = engine.rows(connection, f"SELECT {query}")

    assert found == [(limit, False, False, "UTC")]


def test_many_cores_do_not_share_out_the_memory(tmp_path):
    """Each thread holds rows of its own, and a machine with sixteen would have too little."""
    with engine.scratch() as one, engine.database(tmp_path / "a.db", read_only=False) as other:
        threads = [engine.rows(it, "SELECT current_setting('threads')") for it in (one, other)]

    assert all(1 <= count <= 4 for ((count,),) in threads)


def test_a_store_takes_little_memory(tmp_path):
    """DuckDB fills what it may when it writes a table anew, which it does while a fetch lands."""
    with engine.database(tmp_path / "a.db", read_only=False) as connection:
        found = engine.rows(connection, "SELECT current_setting('memory_limit')")

    assert found == [(engine.STORE_LIMIT.replace("MiB", ".0 MiB"),)]
    assert int(engine.STORE_LIMIT[:-3]) < int(engine.MEMORY_LIMIT[:-3]) / 2


def test_what_memory_cannot_hold_spills_into_a_private_folder(spills):
    """Sorting more than the memory limit works, out of sight of other users."""
    seen = []
    with engine.scratch() as connection:
        connection.execute("CREATE TABLE t AS SELECT hash(range) AS n FROM range(12_000_000)")
        connection.execute("CREATE TABLE u AS SELECT n, n * 2.5 AS m, n::VARCHAR AS s FROM t")
        (folder,) = spills.iterdir()
        seen = [mode(folder), sum(f.stat().st_size for f in folder.iterdir())]

    assert seen[0] == 0o700
    assert seen[1] > 10 * MIB


def test_only_its_owner_may_read_the_store(tmp_path):
    """File 0600 and folder 0700, also where everything else is made for all to read."""
    path = tmp_path / "new" / "store.duckdb"
    before = os.umask(0o022)
    try:
        with engine.database(path, read_only=False) as connection:
            connection.execute("CREATE TABLE t AS SELECT range AS n FROM range(10)")
            wal = mode(path.with_name("store.duckdb.wal"))
        kept = os.umask(0o022)
    finally:
        os.umask(before)

    assert (mode(path), wal, mode(path.parent), kept) == (0o600, 0o600, 0o700, 0o022)


def test_a_store_that_others_could_read_is_closed_to_them(tmp_path):
    """Rights that a copy or a restore has widened are taken back at the first opening."""
    path = made(tmp_path / "store.duckdb")
    path.chmod(0o644)
    with engine.database(path, read_only=True):
        pass

    assert mode(path) == 0o600


@pytest.mark.parametrize("content", [b"", b"hi", b"not a database\n" * 1000], ids=len)
@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_database_is_refused_and_untouched(content, read_only, tmp_path):
    """A wrong path says so in one line, and the file stays as it was."""
    path = tmp_path / "store.duckdb"
    path.write_bytes(content)
    with (
        pytest.raises(LocalTrouble, match="not a store that this version can open") as caught,
        engine.database(path, read_only=read_only),
    ):
        pass

    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_file_is_named_even_while_something_is_made_of_it(damage, tmp_path):
    """Neither room nor rights would help, and it is no bug: a backup would."""
    path = tmp_path / "store.duckdb"
    with engine.database(path, read_only=False) as connection:
        connection.execute("CREATE TABLE t AS SELECT random() AS n FROM range(500000)")
    engine.close()
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half] ^= 255
    path.write_bytes(content[:half] if damage == "cut" else content)

    def sums(store):
        (row,) = engine.rows(store, "SELECT sum(n) FROM t")
        yield pa.RecordBatch.from_pydict({"n": [*row]})

    def made_of_it():
        with engine.database(path, read_only=True) as store, engine.scratch() as connection:
            made = (pa.schema({"n": pa.float64()}), sums(store))
            engine.stream(connection, "CREATE TABLE s AS SELECT * FROM made", made=made)

    with pytest.raises(LocalTrouble, match=f"{path} is (damaged|not a store).* restore it"):
        made_of_it()


@pytest.mark.parametrize("place", ["file/store.duckdb", "folder", "folder/none/store.duckdb"])
def test_a_path_that_cannot_be_is_the_machines_trouble(place, tmp_path):
    """A folder below a file, or a folder for a file: one line, no traceback."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    path = tmp_path / place
    read_only = "none" in place
    with (
        pytest.raises(LocalTrouble, match="this machine refused") as caught,
        engine.database(path, read_only=read_only),
    ):
        pass

    assert "\n" not in str(caught.value)
    assert "Error" not in str(caught.value)


def test_no_temporary_folder_is_the_machines_trouble(monkeypatch, tmp_path):
    """A full or missing temporary folder is no bug of ours."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(LocalTrouble, match="this machine refused"), engine.scratch():
        pass


@pytest.mark.parametrize("rows", [3_000_000, 450_000], ids=["insert", "commit"])
def test_a_full_disk_is_told_in_one_line_and_changes_nothing(rows, tmp_path):
    """Whether a statement or the commit finds no room: the file stays as it was."""
    path = made(tmp_path / "store.duckdb")
    query = f"INSERT INTO t SELECT hash(range) FROM range({rows})"  # noqa: S608 - our own number
    code = f"""
import resource, sys
from pathlib import Path
from sspr_audit import engine
from sspr_audit.errors import LocalTrouble
resource.setrlimit(resource.RLIMIT_FSIZE, ({4 * MIB}, {4 * MIB}))
try:
    with engine.database(Path(sys.argv[1]), read_only=False) as connection:
        connection.execute("BEGIN")
        connection.execute({query!r})
        connection.execute("COMMIT")
except LocalTrouble as trouble:
    print(trouble)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    with engine.database(path, read_only=True) as connection:
        left = engine.rows(connection, "SELECT count(*) FROM t")

    assert done.stdout.startswith("this machine refused: ")
    assert done.stdout.count("\n") == 1
    assert "File too large" in done.stdout
    assert left == [(10,)]


def test_a_second_process_is_told_that_the_file_is_busy(tmp_path):
    """DuckDB gives one process the file; the other hears so in one line."""
    path = made(tmp_path / "store.duckdb")
    code = """
import sys
from pathlib import Path
from sspr_audit import engine
with engine.database(Path(sys.argv[1]), read_only=False):
    print("open", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with (
            pytest.raises(engine.StoreBusy, match="open in another process") as caught,
            engine.database(path, read_only=True),
        ):
            pass
        other.stdin.close()

    assert "\n" not in str(caught.value)
    with engine.database(path, read_only=True) as connection:
        assert engine.rows(connection, "SELECT count(*) FROM t") == [(10,)]


def test_ctrl_c_ends_a_query_and_is_no_bug():
    """DuckDB makes a RuntimeError of it; the commands must see what it was."""
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt), engine.scratch() as connection:
        connection.execute(
            "SELECT count(*) FROM range(10000000) a, range(30) b"
            " WHERE hash(a.range * b.range) % 7 = 3"
        )


@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()])
def test_what_goes_wrong_while_rows_are_made_is_raised_as_itself(error):
    """DuckDB makes an error of its own of it; the commands must see what it was."""

    def made():
        yield pa.record_batch({"n": [1]})
        raise error

    schema = pa.schema({"n": pa.int64()})
    with engine.scratch() as connection, pytest.raises(type(error)) as caught:
        engine.stream(connection, "CREATE TABLE t AS FROM came", came=(schema, made()))

    assert caught.value is error


def test_a_wrong_query_stays_a_bug():
    """Only what the machine refuses is put into words; our own slips keep their trace."""
    with pytest.raises(Exception, match="nowhere") as caught, engine.scratch() as connection:
        connection.execute("SELECT * FROM nowhere")

    assert not isinstance(caught.value, LocalTrouble)


def test_what_goes_wrong_in_a_transaction_is_raised_as_itself(tmp_path):
    """Tables lent to a query that fails do not hide why it failed."""
    table = pa.table({"n": ["no number"]})
    refused = pytest.raises(Exception, match="no number")
    with engine.database(tmp_path / "store.duckdb", read_only=False) as connection:
        connection.execute("BEGIN")
        with refused as caught, engine.lent(connection, arrived=table):
            connection.execute("SELECT n::INTEGER FROM arrived")

        assert type(caught.value).__name__ == "ConversionException"


def test_threads_see_their_own_data_and_take_turns_at_a_file(tmp_path):
    """One DuckDB serves them all: tables of one name are apart, and no row of a file is lost."""
    counts = []

    def work():
        with engine.scratch() as connection:
            connection.execute("CREATE TABLE t AS SELECT range AS n FROM range(10)")
            counts.append(engine.rows(connection, "SELECT count(*) FROM t"))
        for _ in range(5):
            while not written():
                pass

    def written():
        try:
            with engine.database(tmp_path / "a.db", read_only=False) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
                connection.execute("INSERT INTO t VALUES (1)")
        except engine.StoreBusy:
            return False
        return True

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.database(tmp_path / "a.db", read_only=True) as connection:
        rows = engine.rows(connection, "SELECT count(*) FROM t")

    assert counts == [[(10,)]] * 4
    assert rows == [(20,)]


def test_a_file_is_free_once_its_block_has_ended(tmp_path):
    """Whatever went wrong in it; another process can open the file while this one goes on."""
    path = made(tmp_path / "a.db")

    def spoiled():
        with engine.database(path, read_only=False) as connection:
            connection.execute("BEGIN")
            connection.execute("DELETE FROM t")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spoiled()
    code = (
        "import sys, pathlib; from sspr_audit import engine\n"
        "with engine.database(pathlib.Path(sys.argv[1]), read_only=False) as store:\n"
        "    print(engine.rows(store, 'SELECT count(*) FROM t'))"
    )
    told = subprocess.check_output([sys.executable, "-c", code, path], text=True)

    assert told.strip() == "[(10,)]"


def test_a_duckdb_that_cannot_be_made_is_the_machines_trouble(monkeypatch):
    """One line, and its private folder is gone again."""

    def refuse(*_, **__):
        msg = "IO Error: no room"
        raise duckdb.IOException(msg)

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(LocalTrouble, match="no room"), engine.scratch():
        pass


def test_ctrl_c_while_duckdb_is_made_leaves_nothing_behind(monkeypatch, spills):
    """Making it takes long enough to be interrupted, and its folder is there first."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(duckdb, "connect", interrupted)
    with pytest.raises(KeyboardInterrupt), engine.scratch():
        pass

    assert list(spills.iterdir()) == []
