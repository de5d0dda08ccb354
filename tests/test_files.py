"""Files that are as they should be: every form, encoding and compression says the same."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from exported import FIXTURES, came_of, came_of_text, lines, put, record, taken, text
from hypothesis import given, settings
from hypothesis import strategies as st

from sspr_audit.model import Layout, Misread
from sspr_audit.sources import files
from sspr_audit.sources.files import lines as line_reader
from sspr_audit.sources.files import opening, rows, values

STORY = 47
WHOLE = [*sorted((FIXTURES / "graph").iterdir()), FIXTURES / "portal/AuditLogs.json"]
OTHERS = [
    FIXTURES / "portal/AuditLogs.csv",
    FIXTURES / "portal/AuditLogs-older.csv",
    FIXTURES / "portal/AuditLogs-spanish.csv",
    FIXTURES / "portal/AuditLogs-italian.csv",
    FIXTURES / "diagnostic/lines.json",
    FIXTURES / "diagnostic/records.json",
    FIXTURES / "diagnostic/tree",
    FIXTURES / "loganalytics/AuditLogs.ndjson",
    FIXTURES / "loganalytics/query_data.csv",
]
NOT_CARRIED = {
    "portal": {"tenant_id", "digits", "record_id", "has_id"},
    "diagnostic": {"tenant_id", "digits"},
    "loganalytics": {"tenant_id", "digits", "time_ns"},
}
"""What a form does not hold, or not as finely: only some name the tenant, none writes as many
digits as Graph does, the portal's CSV has no ids and Log Analytics no more than milliseconds."""

CONTEXT = {
    "devices.json": {"devices": 2},
    "managedDevices.json": {"managedDevices": 2},
    "namedLocations.json": {"namedLocations": 2},
    "signIns.json": {"signIns": 3},
    "signin-diagnostic.json": {"signIns": 1},
    "userRegistrationDetails.json": {"userRegistrationDetails": 5},
}
PAGE = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/directoryAudits"}

COMPRESSIONS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "gzip members": lambda raw: gzip.compress(raw[:100]) + gzip.compress(raw[100:]),
    "zstd frames": lambda raw: zstandard.compress(raw[:100]) + zstandard.compress(raw[100:]),
    "gzip, filled up": lambda raw: gzip.compress(raw) + bytes(512),
    "zstd with a table": lambda raw: b"\x50\x2a\x4d\x18\4\0\0\0abcd" + zstandard.compress(raw),
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
DRESSES = {
    "lines": lambda texts: "\n".join(texts) + "\n",
    "lines without an end": "\n".join,
    "CRLF": lambda texts: "\r\n".join(texts) + "\r\n",
    "blank lines between": lambda texts: "\n" + "\n \t \r\n\n".join(texts) + "\n" + " " * 40,
    "one after another": "".join,
    "with commas": ",\n".join,
    "array": lambda texts: f"[{','.join(texts)}]",
    "array of lines": lambda texts: "[\n" + ",\n".join(texts) + "\n]\n",
    "page": lambda texts: f'{{"value":[{", ".join(texts)}]}}',
    "envelope": lambda texts: f'{{"a":{{"value":1}},"records" : [{",".join(texts)}],"b":[1]}}',
    "envelopes": lambda texts: "\n".join(f'{{"records":[{one}]}}' for one in texts),
    "list of pages": lambda texts: "[" + ",".join(f'{{"value":[{one}]}}' for one in texts) + "]",
    "arrays on lines": lambda texts: "\n".join(f"[{one}]" for one in texts),
    "an array among lines": lambda texts: f"{texts[0]}\n[{','.join(texts[1:])}]\n",
    "an envelope among lines": lambda texts: f'{texts[0]}\n{{"value":[{",".join(texts[1:])}]}}\n',
    "pretty": lambda texts: "\n".join(json.dumps(json.loads(one), indent=2) for one in texts),
    "pretty array": lambda texts: json.dumps([json.loads(one) for one in texts], indent=4),
    "marks in the middle": lambda texts: "\n".join(f"\ufeff{one}" for one in texts),
}

TOLD_LATER = {
    "an array among lines",
    "an envelope among lines",
    "marks in the middle",
    "with commas",
}
"""Lines that SQL finds to be no record by themselves, and that are opened only then."""


def essence(came, *without):
    """The rows as a sorted list of what was derived from each record."""
    drop = {"file", "place", "seq", "time_utc", "facts", *without}
    shown = [{key: value for key, value in row.items() if key not in drop} for row in came.rows]
    return sorted(map(repr, shown))


@pytest.fixture(scope="module")
def story():
    return came_of(FIXTURES / "graph/lines.ndjson")


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.name)
def test_every_encoding_of_the_story_is_the_same(path, story):
    """Page, array and lines, compressed and in UTF-16, hold the same rows."""
    came = came_of(path)

    assert essence(came) == essence(story)
    assert (came.done.remarks(), came.done.faulty) == ((), False)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_form_of_the_story_is_the_same(path, story):
    """Each export gives the same rows, minus what it does not carry."""
    came = came_of(path)
    lacks = NOT_CARRIED[path.relative_to(FIXTURES).parts[0]]

    assert len(came.rows) == STORY
    assert essence(came, *lacks) == essence(story, *lacks)
    assert (came.done.remarks(), came.done.faulty) == ((), False)


def test_rows_of_log_analytics_are_cut_not_moved(story):
    """The same times to the millisecond; nothing is rounded."""
    came = came_of(FIXTURES / "loganalytics/query_data.csv")
    to_ms = [
        {row["record_id"]: row["time_ns"] // 1_000_000 for row in c.rows} for c in (came, story)
    ]

    assert to_ms[0] == to_ms[1]


@pytest.mark.parametrize(("name", "kinds"), CONTEXT.items())
def test_context_is_recognized_and_counted(name, kinds):
    """Each kind by its envelope or its keys; none of it is an audit record."""
    came = came_of(FIXTURES / "context" / name)

    assert came.context == kinds
    assert (came.rows, came.done.remarks()) == ([], ())


@pytest.mark.parametrize("name", CONTEXT)
def test_context_is_recognized_without_its_envelope(name, tmp_path):
    """Somebody kept only the records, one a line: the keys tell the kind."""
    whole = json.loads((FIXTURES / "context" / name).read_text())
    records = whole.get("value", [whole])
    came = came_of_text(tmp_path, "\n".join(map(json.dumps, records)))

    assert came.context == CONTEXT[name]


def test_all_forms_in_one_call():
    """Files of every form together: nothing of any of them is lost."""
    came = came_of(FIXTURES)
    count = {name: sum(kinds.get(name, 0) for kinds in CONTEXT.values()) for name in came.context}

    assert len(came.rows) == STORY * (len(WHOLE) + len(OTHERS))
    assert came.context == count
    assert set(came.done.ignored) == {
        str(FIXTURES / name) for name in ("make.py", ".gitattributes")
    }
    assert came.done.faulty is False


@pytest.mark.parametrize("first", range(6))
def test_all_forms_in_one_file(first, tmp_path):
    """Lines of every form, in whatever order: each is read as what it is."""
    kinds = [
        text(1),
        (FIXTURES / "diagnostic/lines.json").read_text().splitlines()[0],
        (FIXTURES / "loganalytics/AuditLogs.ndjson").read_text().splitlines()[0],
        json.dumps(json.loads((FIXTURES / "context/signin-diagnostic.json").read_text())),
        json.dumps({"TimeGenerated": "2026-03-02T09:00:00Z", "OperationName": "Sign-in activity",
                    "AppDisplayName": "x"}),
        json.dumps({"id": "1", "deviceId": "2", "operatingSystem": "Windows"}),
    ]  # fmt: skip
    came = came_of_text(tmp_path, "\n".join(kinds[first:] + kinds[:first]) * 1)

    assert len(came.rows) == 3
    assert came.context == {"signIns": 2, "devices": 1}
    assert came.done.faulty is False


@pytest.mark.parametrize("dress", DRESSES)
def test_a_record_is_found_in_whatever_stands_around_it(dress, tmp_path):
    """Lines, arrays, envelopes and objects one after another hold the same records."""
    came = came_of_text(tmp_path, DRESSES[dress]([text(n) for n in range(5)]))

    assert came.ids == [f"SSPR_{n:04d}" for n in range(5)]
    assert (came.skipped, came.done.remarks()) == ({}, ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_second_byte_order_mark_is_none_of_the_text(encoding, tmp_path):
    """A marked file that was read as it is and saved with a mark begins with two."""
    path = tmp_path / "twice.json"
    path.write_bytes(("\ufeff\ufeff" + text(1)).encode(encoding))
    found, misread, not_read = taken(path)

    assert (misread, not_read) == ([], [])
    assert len(found) == 1


@given(
    numbers=st.lists(st.integers(0, 3000), min_size=2, max_size=6, unique=True),
    dress=st.sampled_from(sorted(set(DRESSES) - {"pretty", "pretty array"})),
    encoding=st.sampled_from(ENCODINGS),
    compression=st.sampled_from(sorted(COMPRESSIONS)),
)
@settings(max_examples=60)
def test_how_it_is_written_makes_no_difference(
    numbers, dress, encoding, compression, tmp_path_factory
):
    """Any dress in any encoding under any compression holds the same texts, untouched."""
    texts = [text(n) for n in numbers]
    raw = COMPRESSIONS[compression](DRESSES[dress](texts).encode(encoding))
    path = put(tmp_path_factory.getbasetemp(), raw)
    found, misread, not_read = taken(path)

    assert (misread, not_read) == ([], [])
    if dress not in TOLD_LATER:
        assert found == sorted(("graph", one) for one in texts)


@given(st.data())
@settings(max_examples=60)
def test_where_the_pieces_end_makes_no_difference(data):
    """A text comes in pieces of any size, cut within values and letters, and reads the same."""
    good = [text(n) for n in range(3)]
    body = data.draw(
        st.sampled_from(
            [
                *(dress(good) for dress in DRESSES.values()),
                f'[{good[0]}, nope, {{"id": 1 2}}, 17.5, "x", {good[1]}, null]',
                f'[\n{good[0]},\n{{"id": "x}},\n{good[1]}\n]',
                f'{{"value":[{good[0]},{good[1][:70]}',
                f"{good[0]} junk ]}} {good[1]}",
            ]
        )
    ).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=40)))
    pieces = [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]
    by_one = [body[at : at + 1] for at in range(len(body))]

    whole = list(values.Reader(iter([body])).objects())
    assert list(values.Reader(iter(pieces)).objects()) == whole
    assert list(values.Reader(iter(by_one)).objects()) == whole
    assert as_lines(pieces) == as_lines([body]) == as_lines(by_one)


@given(st.data())
@settings(max_examples=30)
def test_where_the_pieces_end_makes_no_difference_to_rows(data):
    """The same for a CSV with quoted line breaks, letters of two bytes and a stray quote."""
    body = (
        'Date (UTC),CorrelationId,Activity\r\n2026-03-02T09:00:00Z,c,"a\r\nÅ ""b"""\r\n'
        '\r\n2026-03-02T09:00:01Z,c,"stray\r\n2026-03-02T09:00:02Z,c,last'
    ).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=30)))
    pieces = [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]
    layout = Layout("portal-csv", ("Date (UTC)", "CorrelationId", "Activity"), ",")

    assert list(rows.read(rows.lines(iter(pieces)), layout)) == [
        ("Date (UTC),CorrelationId,Activity", 1),
        ('2026-03-02T09:00:00Z,c,"a\r\nÅ ""b"""', 2),
        Misread(rows.QUOTES, 5, '2026-03-02T09:00:01Z,c,"stray\r\n'),
        ("2026-03-02T09:00:02Z,c,last", 6),
    ]


def as_lines(pieces):
    found = []
    for item in line_reader.read(iter(pieces)):
        if isinstance(item, Misread):
            found.append(item)
        else:
            found += zip(item[0].to_pylist(), item[1].to_pylist(), strict=True)
    return found


@pytest.mark.parametrize("size", [1, 3, 64])
def test_the_size_of_what_is_read_at_once_makes_no_difference(size, monkeypatch):
    """Files of every form give the same texts, however little is read of them at a time."""
    paths = [p for p in (FIXTURES / "graph").iterdir() if size > 1 or p.stat().st_size < 10_000]
    expected = [taken(path) for path in paths]
    monkeypatch.setattr(opening, "CHUNK", size)

    assert [taken(path) for path in paths] == expected


def test_large_records_are_read_wherever_they_stand(tmp_path):
    """Two MiB are far more than any record has, and no reason to lose one."""
    large = [text(n, extra="x" * (2 << 20)) for n in range(3)]
    dresses = ["lines", "one after another", "array", "page", "pretty"]

    for dress in dresses:
        found, misread, _ = taken(put(tmp_path, DRESSES[dress](large)))
        assert ([json.loads(one)["id"] for _, one in found], misread) == (
            ["SSPR_0000", "SSPR_0001", "SSPR_0002"],
            [],
        )


def test_a_page_larger_than_what_is_held_is_read(tmp_path):
    """An envelope is walked, never held: the text of its records is not in one piece anywhere."""
    long = [text(n, extra="x" * 100_000) for n in range(40)]
    body = json.dumps({**PAGE, "value": []})[:-2] + ",".join(long) + '],"@odata.nextLink":"x"}'
    found, misread, _ = taken(put(tmp_path, body))

    assert (len(found), misread) == (40, [])


@pytest.mark.parametrize("content", ["[]", '{"value": []}', json.dumps({**PAGE, "value": []})])
def test_a_list_that_holds_nothing_is_an_answer(content, tmp_path):
    """A day without records is read, and not called unknown."""
    came = came_of_text(tmp_path, content)

    assert (came.rows, came.done.remarks(), came.done.faulty) == ([], (), False)


def test_an_empty_list_of_something_else_is_unknown(tmp_path):
    """An empty page of groups says nothing of audit records."""
    page = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#groups", "value": []}
    came = came_of_text(tmp_path, json.dumps(page))

    assert len(came.done.not_read) == 1


def test_the_envelope_says_what_a_record_is(tmp_path):
    """Its context decides where it is known, whatever keys the records have."""
    page = {"@odata.context": "https://x/$metadata#devices(id,displayName)", "value": [{"id": "1"}]}
    came = came_of_text(tmp_path, json.dumps(page))

    assert came.context == {"devices": 1}


def test_standard_input_is_a_file(monkeypatch):
    """`-` stands for it; named twice, it is read once."""
    stdin = io.TextIOWrapper(io.BytesIO(gzip.compress(lines(1, 2).encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    came = came_of("-", "-")

    assert came.ids == ["SSPR_0001", "SSPR_0002"]
    assert [file.name for file in came.done.files] == ["standard input"]


def test_folders_and_globs_are_expanded_in_order(tmp_path):
    """Here and not by the shell; a folder that a glob names is a folder."""
    for name in ("b/2.json", "b/deep/er/3.json", "a/1.json", "c.txt"):
        put(tmp_path, text(1), name)
    found, missing = files.find([str(tmp_path / "[ab]"), str(tmp_path / "**" / "3.*"), "nowhere*"])

    assert [Path(file.name).name for file in found] == ["1.json", "2.json", "3.json"]
    assert [file.named for file in found] == [False, False, True]
    assert missing == ["nowhere*"]


@pytest.mark.skipif(os.name == "nt", reason="Windows lets not everybody make links")
def test_a_file_named_twice_is_read_once(tmp_path):
    """By its folder, its name, a link and a path with detours."""
    path = put(tmp_path, lines(1))
    link = tmp_path / "link.json"
    link.symlink_to(path)
    came = came_of(tmp_path, path, link, tmp_path / "." / "export.json")

    assert came.ids == ["SSPR_0001"]
    assert [file.named for file in came.done.files] == [True]


def test_a_name_with_glob_letters_is_taken_as_it_stands(tmp_path):
    """`audit[1].json`, as browsers name a second download."""
    came = came_of(put(tmp_path, lines(1), "audit[1].json"))

    assert came.ids == ["SSPR_0001"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_that_was_named_is_read(tmp_path):
    """As `<(zcat …)` gives it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(lines(1, 2)))
    writer.start()
    came = came_of(pipe)
    writer.join()

    assert came.ids == ["SSPR_0001", "SSPR_0002"]


def test_small_files_share_batches(tmp_path):
    """A folder of hourly blobs costs one batch, and each record keeps its file and place."""
    for hour in range(24):
        put(tmp_path, lines(hour, hour + 100), f"h={hour:02d}/PT1H.json")
    found, _ = files.find([str(tmp_path)])
    batches = list(files.read(found))

    assert [len(batch.texts) for batch in batches] == [48]
    assert batches[0].files.to_pylist() == [n // 2 for n in range(48)]
    assert batches[0].places.to_pylist() == [1, 2] * 24
    assert batches[0].numbers.to_pylist() == list(range(48))


def test_a_record_keeps_its_text(tmp_path):
    """Blanks, the order of keys and letters stay as they were written."""
    strange = (
        '{ "loggedByService":"x" ,"activityDateTime" :"2026-03-02T09:00:00Z","ü":"\\u00fc/\\/"}'
    )

    for dress in ("lines", "array", "page"):
        found, _, _ = taken(put(tmp_path, DRESSES[dress]([strange])))
        assert found == [("graph", strange)]


def test_records_know_their_place(tmp_path):
    """Lines by their number, blank ones counted; records in lists by theirs."""
    by_line = came_of_text(tmp_path, f"\n{text(1)}\n\n{text(2)}\n")
    by_number = came_of_text(tmp_path, json.dumps([record(1), record(2)]))

    assert [row["place"] for row in by_line.rows] == [2, 4]
    assert [row["place"] for row in by_number.rows] == [1, 2]


def test_a_block_of_zstandard_is_handed_on_by_itself():
    """Four bytes may hold 128 KiB, and a piece of them is never all that was read at once."""
    block = ((1 << 17 << 3) | 1 << 1).to_bytes(3, "little") + b" "
    bomb = b"\x28\xb5\x2f\xfd\x00\x58" + 500 * block
    sizes = []
    with pytest.raises(opening.CutShort):
        sizes.extend(map(len, opening.utf8(io.BytesIO(bomb))))

    assert sum(sizes) == 500 << 17
    assert max(sizes) <= opening.CHUNK + (1 << 17)


@pytest.mark.skipif(os.name == "nt", reason="Windows makes no links without rights")
@pytest.mark.timeout(30)
def test_a_glob_follows_no_link_that_leads_back(tmp_path):
    """Two of them would make more paths than anybody can count."""
    put(tmp_path, lines(0), "fold/one.json")
    put(tmp_path, lines(1), "fold/deep/two.json")
    put(tmp_path, lines(2), "fold/.hidden/three.json")
    for name in ("self", "same"):
        (tmp_path / "fold" / name).symlink_to(".")
    expected = ["one.json", "two.json"]

    for pattern in ("**/*.json", "**/**/**/*.json", "**/deep/../**/*.json"):
        found, missing = files.find([str(tmp_path / "fold" / pattern)])
        assert (sorted(file.path.name for file in found), missing) == (expected, [])
        assert all(file.named for file in found)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes and signals")
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("begun", ["", lines(*range(3000))], ids=["silent", "begun"])
def test_a_run_that_waits_for_a_pipe_can_be_ended(sign, begun):
    """Exit 130, though whoever writes says nothing more and never ends."""
    command = [sys.executable, "-m", "sspr_audit", "report", "--input", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        run.stdin.write(begun.encode())
        run.stdin.flush()
        time.sleep(3)  # until it reads
        run.send_signal(sign)
        try:
            code = run.wait(30)
        finally:
            run.kill()

    assert code == 130
