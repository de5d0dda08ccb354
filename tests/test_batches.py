"""Batches come out of the store as they went in, and need memory for one, not for all of them."""

import random

import pyarrow as pa
import pytest

from sspr_audit import engine
from sspr_audit.model import Batch, Form, Layout
from sspr_audit.pipeline.spool import Spool
from sspr_audit.store import Store, Stored, batches

MIB = 1 << 20


@pytest.fixture
def little_memory(monkeypatch):
    """The memory that the database may hold."""
    monkeypatch.setattr(engine, "STORE_LIMIT", "20MiB")
    return 20 * MIB


def devices(number, size):
    """Return a batch with one context record, of so many bytes that cannot be packed much."""
    text = random.Random(number).randbytes(size // 2).hex()  # noqa: S311 - a made-up text
    rows = pa.table({"sha256": ["0"], "kind": ["devices"], "key": [str(number)]})
    return Stored("{}", pa.array([text]), rows)


def test_one_transaction_may_bring_more_texts_than_memory_holds(tmp_path, little_memory):
    """All of it lands, and each text is the one that was brought."""
    size, count = 4 * MIB, 14
    assert size // 2 * count > little_memory
    store = Store(tmp_path / "store.duckdb", "this version")
    with store.writing() as connection:
        batches.fill(connection, (devices(number, size) for number in range(count)))

    found = [(one.rows["key"][0].as_py(), one.texts[0].as_py()) for one in store.batches()]

    wanted = [devices(number, size).texts[0].as_py() for number in range(count)]
    assert found == [(str(number), text) for number, text in enumerate(wanted)]


def test_rows_that_were_set_aside_come_with_their_own_texts():
    """Also where rows are missing, or come in another order than their texts."""

    def batch(*numbers):
        count = len(numbers)
        seqs, files = pa.array(numbers, pa.int64()), pa.nulls(count, pa.int32())
        texts = pa.array([f"text {number}" for number in numbers])
        return Batch(Layout(Form.GRAPH), texts, seqs, files, seqs)

    with Spool() as spool:
        list(spool.keeping([batch(7, 8), batch(2, 3)]))
        (numbers,) = [table["seq"].to_pylist() for table in spool.numbers()]
        spool.keep_rows(
            0, pa.table({"seq": pa.array([2, 7, 8], pa.int64()), "row": ["2", "7", "8"]})
        )
        ((_, texts, rows),) = spool.kept()

    assert numbers == [7, 8, 2, 3]
    assert texts.to_pylist() == ["text 2", "text 7", "text 8"]
    assert rows.to_pydict() == {"row": ["2", "7", "8"]}


def test_a_batch_of_which_nothing_is_kept_does_not_come():
    """Neither its texts nor an empty table."""
    with Spool() as spool:
        seqs = pa.array([1], pa.int64())
        layout = Layout(Form.GRAPH)
        list(spool.keeping([Batch(layout, pa.array(["x"]), seqs, pa.nulls(1, pa.int32()), seqs)]))
        spool.keep_rows(0, pa.table({"seq": pa.array([], pa.int64())}))

        assert list(spool.kept()) == []
