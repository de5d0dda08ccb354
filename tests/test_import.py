"""`import`: all of a file or nothing, once, in whatever form it comes, byte for byte."""

import gzip
import hashlib
import json
import random
import signal
import subprocess
import time

import keep
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keep import AUDIT_FILES, CONTEXT_FILES, FIXTURES

from sspr_audit import engine
from sspr_audit.errors import LocalTrouble, NothingReadError, SettingsError
from sspr_audit.sources import exports

EVENTS = 47
FORMS = (
    "graph/page.json",
    "portal/AuditLogs.csv",
    "portal/AuditLogs-older.csv",
    "portal/AuditLogs.json",
    "diagnostic/tree",
    "diagnostic/records.json",
    "loganalytics/AuditLogs.ndjson",
    "loganalytics/query_data.csv",
)


def decoded(name):
    raw = (FIXTURES / name).read_bytes()
    encoding = {"graph/utf16le.json": "utf-16-le", "graph/utf16be.json": "utf-16-be"}
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode(
        encoding.get(name, "utf-8")
    )


@pytest.mark.parametrize("name", [n for n in AUDIT_FILES if not n.endswith(("zst", "tree"))])
def test_a_records_text_is_kept_as_it_was_written(name, tmp_path):
    """Every stored text stands in the file, byte for byte, and its hash is right."""
    keeper = keep.keeper(tmp_path)
    keep.brought(keeper, name)
    found, whole = keep.texts(keeper), decoded(name)

    assert len(found) == EVENTS
    assert [text for text, _ in found if text not in whole] == []
    assert len({whole.index(text) for text, _ in found}) == EVENTS
    assert [sha for _, sha in found] == [hashlib.sha256(t.encode()).hexdigest() for t, _ in found]


def test_no_blank_of_a_pretty_file_is_lost(tmp_path):
    """Indents, escapes, odd numbers and unknown keys come back as they were."""
    record = json.loads(next(line for line in decoded("graph/lines.ndjson").splitlines()))
    record["neuField"] = "\u00e5\u2028/\\ \U0001f600"
    text = json.dumps(record, indent=3).replace('"neuField"', '"new\\u0046ield"   :  1e2,\t"z"')
    (tmp_path / "pretty.json").write_text(
        f'{{"value" :\n [ {text} ,\r\n{text}]}}', "utf-8", newline=""
    )
    keeper = keep.keeper(tmp_path)
    done = keep.brought(keeper, tmp_path / "pretty.json")

    assert [kept for kept, _ in keep.texts(keeper)] == [text]
    assert (done.records, done.kept, done.repeats) == (2, 1, 1)


def test_other_forms_of_the_same_events_and_the_same_file_twice_add_nothing(tmp_path):
    """Whatever came first, the store holds each event once; a second import is a no-op."""
    one, other = keep.keeper(tmp_path / "one"), keep.keeper(tmp_path / "other")
    for name in FORMS:
        done = keep.brought(one, name)
        before = keep.laid_open(one), keep.texts(one)
        again = keep.brought(one, name)
        after = keep.laid_open(one), keep.texts(one)

        assert (name, len(after[0]), done.records) == (name, EVENTS, EVENTS)
        assert (name, again.kept, again.repeats) == (name, 0, EVENTS)
        assert after == before
    for name in reversed(FORMS):
        keep.brought(other, name)

    assert keep.laid_open(one, "tenant_id") == keep.laid_open(other, "tenant_id")


def test_the_fuller_record_takes_the_poorer_ones_place(tmp_path):
    """A CSV row, which has no id and coarser times, gives way to the record that has both."""
    keeper = keep.keeper(tmp_path)
    keep.brought(keeper, "portal/AuditLogs.csv")
    done = keep.brought(keeper, "graph/page.json")

    assert done.kept == EVENTS
    assert all(row[1] for row in keep.laid_open(keeper))
    assert all(text.startswith("{") for text, _ in keep.texts(keeper))


def test_counts_add_up(tmp_path):
    """Every record that was read is new, known or skipped, in the account and file by file."""
    bad = tmp_path / "bad.ndjson"
    lines = decoded("graph/lines.ndjson").splitlines()
    bad.write_text("\n".join([*lines[:5], "{broken", lines[0], '{"id": "x"}']), "utf-8")
    keeper = keep.keeper(tmp_path)
    done = keep.brought(keeper, bad, *CONTEXT_FILES)
    skipped = sum(one.count for one in done.ingested.skipped())
    with engine.database(keeper.path, read_only=True) as store:
        logged = engine.rows(store, "SELECT name, records, kept, repeats, skipped FROM imports")

    assert (done.kept, skipped) == (5, 2)
    assert done.records == done.kept + done.context + done.repeats + skipped
    assert (str(bad), 8, 5, 1, 2) in logged
    assert len(logged) == 1 + len(CONTEXT_FILES)


def test_context_is_kept_once(tmp_path):
    """A sign-in that comes in two files is one record of the store."""
    keeper = keep.keeper(tmp_path)
    first = keep.brought(keeper, *CONTEXT_FILES)
    (tmp_path / "again.json").write_bytes((FIXTURES / "context/signIns.json").read_bytes())
    done = keep.brought(keeper, tmp_path / "again.json", "context/signIns.json")

    assert (first.context, first.records) == (15, 15)
    assert (done.context, done.repeats) == (0, 6)
    assert len(set(keep.context(keeper))) == len(keep.context(keeper)) == 15


SUBSETS = st.lists(st.sampled_from([*AUDIT_FILES, *CONTEXT_FILES]), min_size=2, max_size=4)


@settings(max_examples=5)  # some five imports each
@given(names=SUBSETS, seed=st.integers(0, 99))
def test_one_by_one_or_all_at_once_is_the_same(tmp_path_factory, names, seed):
    """Neither the order of files nor how they are spread over imports changes the records."""
    folder = tmp_path_factory.mktemp("stores")
    once, single = keep.keeper(folder / "once"), keep.keeper(folder / "single")
    keep.brought(once, *names)
    for name in random.Random(seed).sample(  # noqa: S311
        names, len(names)
    ):
        keep.brought(single, name)

    assert keep.laid_open(once, "tenant_id") == keep.laid_open(single, "tenant_id")
    assert keep.context(once) == keep.context(single)


def test_another_tenants_records_are_refused(tmp_path):
    """A store belongs to one tenant: nothing of the file lands, not even what names no tenant."""
    keeper = keep.keeper(tmp_path)
    keep.brought(keeper, "diagnostic/lines.json")
    before = keep.laid_open(keeper), keep.texts(keeper), keeper.store.info()
    other = "00000000-0000-0000-0000-0000000000ff"
    (tmp_path / "foreign.json").write_text(
        decoded("diagnostic/lines.json").replace(keep.TENANT, other)
    )
    with pytest.raises(SettingsError, match=rf"{other}.*{keep.TENANT}.*path") as caught:
        keep.brought(keeper, tmp_path / "foreign.json", "portal/AuditLogs.csv")

    assert "\n" not in str(caught.value)
    assert (keep.laid_open(keeper), keep.texts(keeper), keeper.store.info()) == before


@pytest.mark.parametrize("tenant_id", [None, keep.TENANT])
def test_two_tenants_in_one_import_are_refused(tenant_id, tmp_path):
    """Also the first import, and that of a store whose settings name the tenant."""
    mixed = decoded("diagnostic/lines.json").splitlines()
    mixed[3] = mixed[3].replace(keep.TENANT, "00000000-0000-0000-0000-0000000000ff")
    (tmp_path / "mixed.json").write_text("\n".join(mixed))
    keeper = keep.keeper(tmp_path / "store")
    with pytest.raises(SettingsError, match=r"another .store. path"):
        keep.brought(keeper, tmp_path / "mixed.json", tenant_id=tenant_id)

    assert (keeper.store.info().records, keeper.store.info().tenant_id) == (0, None)


def test_a_domain_names_no_other_tenant(tmp_path):
    """Settings may name the tenant by a domain; the records' own id then claims the store."""
    keeper = keep.keeper(tmp_path / "store")
    keep.brought(keeper, "graph/page.json", tenant_id="contoso.example.com")
    unclaimed = keeper.store.info().tenant_id
    keep.brought(keeper, "diagnostic/lines.json", tenant_id="contoso.example.com")

    assert unclaimed is None
    assert keeper.store.info().tenant_id == keep.TENANT


def test_an_id_in_the_settings_claims_the_store(tmp_path):
    """Records that name no tenant are those of the settings', in whatever case it is written."""
    keeper = keep.keeper(tmp_path / "store")
    keep.brought(keeper, "graph/page.json", tenant_id=keep.TENANT.upper())

    assert keeper.store.info().tenant_id == keep.TENANT


def test_nothing_read_makes_no_store(tmp_path):
    """A wrong file is told, and leaves neither a store nor a lock that is held."""
    keeper = keep.keeper(tmp_path / "store")
    with pytest.raises(NothingReadError, match=r"make\.py"):
        keep.brought(keeper, "make.py")

    assert not keeper.path.exists()


MANY = 600


def many(folder, number):
    """Write a file that takes long enough to import that a kill can strike anywhere."""
    path = folder / f"{number}.ndjson"
    lines = decoded("graph/lines.ndjson").splitlines()
    with path.open("w", encoding="utf-8") as file:
        for at in range(MANY):
            record = json.loads(lines[at % len(lines)])
            record["id"] = f"{number}-{at}"
            record["correlationId"] = f"00000000-0000-4000-{number:04d}-{at:012d}"
            file.write(exports.compact(record) + "\n")
    return path


def started(file, folder, seen):
    """Import a file in a process of its own; return it once that file is seen beside the store."""
    env = {"TMPDIR": str(file.parent)}  # whatever is killed clears nothing away
    process = subprocess.Popen(
        **keep.command("import", "-q", file, "--config", keep.settings(folder), env=env)
    )
    while not (folder / f"store.duckdb{seen}").exists() and process.poll() is None:
        time.sleep(0.001)
    return process


@pytest.mark.timeout(300)
def test_a_killed_import_leaves_all_or_nothing(tmp_path):
    """SIGKILL at any moment: all of the file is there or nothing, and an import completes it."""
    files = [many(tmp_path, number) for number in range(13)]
    keeper, whole = keep.keeper(tmp_path / "killed"), keep.keeper(tmp_path / "whole")
    keeper.path.parent.mkdir()
    keep.brought(keeper, "graph/page.json")
    with started(files[0], keeper.path.parent, ".holder") as process:
        start = time.perf_counter()
        process.wait()
        length_s = time.perf_counter() - start
    dice, held, struck = random.Random(12), MANY + EVENTS, 0  # noqa: S311
    for number, file in enumerate(files[1:]):
        keeper.path.with_name("store.duckdb.holder").unlink(missing_ok=True)
        with started(file, keeper.path.parent, ".holder") as process:
            time.sleep(length_s * (number + dice.random()) / 12)
            process.send_signal(signal.SIGKILL)
        struck += process.returncode == -signal.SIGKILL
        now = keeper.store.info().records

        assert now in (held, held + MANY)
        held = now
    done = keep.brought(keeper, *files)
    keep.brought(whole, "graph/page.json", *files)

    assert struck > 3
    assert done.kept == len(files) * MANY + EVENTS - held
    assert keep.laid_open(keeper) == keep.laid_open(whole)
    assert sorted(keep.texts(keeper)) == sorted(keep.texts(whole))


@pytest.mark.parametrize(("seen", "after_s"), [(".new", 0), ("", 0), ("", 0.02)])
def test_a_first_import_that_was_killed_leaves_nothing_broken(seen, after_s, tmp_path):
    """Not even half a file: the store has no record or all, and can be filled again."""
    file, keeper = many(tmp_path, 1), keep.keeper(tmp_path)
    with started(file, tmp_path, seen) as process:
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
    held = keeper.store.info().records if keeper.path.exists() else 0
    done = keep.brought(keeper, file)

    assert held in (0, MANY)
    assert done.kept == MANY - held
    assert len(keep.laid_open(keeper)) == MANY


@pytest.mark.parametrize("room", [30_000, 200_000], ids=["on the way", "in the store"])
def test_a_full_disk_leaves_the_store_as_it_was(room, tmp_path):
    """Exit 6, one line, and nothing of the file in the store."""
    file, config, keeper = many(tmp_path, 1), keep.settings(tmp_path), keep.keeper(tmp_path)
    keep.brought(keeper, "graph/page.json")
    before = keep.laid_open(keeper), keep.texts(keeper)
    code = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "from sspr_audit.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    done = keep.command("import", file, "--config", config)
    done["args"][1:3] = ["-c", code]
    done = subprocess.run(**done, capture_output=True, check=False)
    said = done.stderr.decode().splitlines()

    assert done.returncode == LocalTrouble.exit_code
    assert [line for line in said if not line.startswith("settings: ")] == said[1:]
    assert len(said) == 2
    assert (keep.laid_open(keeper), keep.texts(keeper)) == before
    assert keep.brought(keeper, file).kept == MANY
