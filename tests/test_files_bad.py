"""Files that are not as they should be: nothing is lost in silence, and nothing is guessed."""

import gzip
import io
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import jsonschema
import pytest
import zstandard
from exported import (
    FIXTURES,
    account,
    adds_up,
    came_of,
    came_of_text,
    lines,
    put,
    ran,
    record,
    taken,
    text,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from sspr_audit.model import Misread
from sspr_audit.report import as_json
from sspr_audit.sources import files
from sspr_audit.sources.files import opening, rows, values

GOOD = ["SSPR_0000", "SSPR_0001", "SSPR_0002"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names, links and pipes")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
UNIFIED = {"CreationTime": "2026-03-02T09:00:00", "Id": "1", "Operation": "Reset user password.",
           "RecordType": 8, "Workload": "AzureActiveDirectory"}  # fmt: skip
CUT_LIST = "cut short: the file ends inside a list"

BROKEN = {
    "a token that is none": ('{"id": nope, "x": [{}]}', values.INVALID),
    "no comma": ('{"id": "1" "x": 2}', values.INVALID),
    "a comma too many": ('{"id": "1",}', values.INVALID),
    "single quotes": ("{'id': '1'}", values.INVALID),
    "a control letter": ('{"id": "a\tb"}', values.INVALID),
    "half a letter": ('{"id":"\\ud800","activityDateTime":"2026-03-02T09:00:00Z"}', values.INVALID),
    "another thing": ('{"a": 1}', "not a record of a known form"),
    "a number": ("17", "not a record"),
    "a text": ('"x"', "not a record"),
    "nothing": ("null", "not a record"),
    "no time": (text(9, activityDateTime=None), "no time"),
    "a UAL record": (json.dumps(UNIFIED), "a record of the Unified Audit Log"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_element_of_a_list_is_skipped_alone(fault, tmp_path):
    """Only it, and its number is told."""
    element, reason = BROKEN[fault]
    came = came_of_text(tmp_path, f"[{text(0)},{text(1)},{element},{text(2)}]")

    assert (came.ids, came.skipped, came.places) == (GOOD, {reason: 1}, {reason: 3})


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_line_is_skipped_alone(fault, tmp_path):
    """Wherever it stands: first, in the middle and last."""
    element, reason = BROKEN[fault]
    good = [text(n) for n in range(3)]

    for at in (3,) if fault == "a UAL record" else (0, 1, 3):
        came = came_of_text(tmp_path, "\n".join([*good[:at], element, *good[at:]]))
        # A bare value is JSON, but nobody writes it on a line.
        told = "not JSON" if reason == "not a record" else reason
        if at or element.startswith("{"):
            assert (came.ids, came.skipped, came.places) == (GOOD, {told: 1}, {told: at + 1})


@pytest.mark.parametrize("cut", [30, 80, 200])
def test_a_half_written_line_is_skipped_alone(cut, tmp_path):
    """The last one, as a copy of a growing file ends; or the first, as a rotated file begins."""
    last = came_of_text(tmp_path, lines(0, 1, 2) + text(3)[:cut])
    first = came_of_text(tmp_path, text(3)[:cut] + "\n" + lines(0, 1, 2))

    assert (last.ids, last.places) == (GOOD, {"cut short": 4})
    assert (first.ids, sum(first.skipped.values())) == (GOOD, 1)


def test_two_records_on_one_line_are_two_records(tmp_path):
    """A line end was lost between them."""
    came = came_of_text(tmp_path, f"{text(0)}\n{text(1)}{text(2)}\n")

    assert (came.ids, came.skipped) == (GOOD, {})


def test_an_open_quote_swallows_no_other_record(tmp_path):
    """Where records stand one a line, or are indented alike, the next one begins again."""
    broken = '{"id": "SSPR_0009, "activityDateTime": "2026-03-02T09:00:00Z"}'
    compact = came_of_text(tmp_path, f"[\n{text(0)},\n{broken},\n{text(1)},\n{text(2)}\n]")
    good = [json.dumps(record(n), indent=2) for n in range(3)]
    pretty = came_of_text(tmp_path, "\n".join([good[0], good[1].replace('0001"', "0001"), good[2]]))

    assert (compact.ids, compact.places) == (GOOD, {values.INVALID: 2})
    assert (pretty.ids, pretty.places) == ([GOOD[0], GOOD[2]], {values.INVALID: 2})


@pytest.mark.parametrize("ending", [-1, -2, -150])
def test_a_page_that_ends_early_is_named_and_its_records_are_kept(ending, tmp_path, capsys):
    """Good records count, the cut file is named, and the exit code says that data are missing."""
    page = json.dumps({"@odata.context": "x", "value": [record(n) for n in range(4)]})
    path = put(tmp_path, page[:ending])
    code, inputs, err = account(capsys, path)

    assert (code, inputs["events"], adds_up(inputs)) == (3, 3 + (ending > -100), True)
    assert f"not read whole: {path}: cut short" in err


def test_a_report_on_a_cut_file_keeps_its_schema(tmp_path, capsys):
    """How many records are missing is not known: a count of 0."""
    path = put(tmp_path, f"[{text(0)},{text(1)},")
    code, out, _ = ran(capsys, "report", "--format", "json", "--input", path)
    report = json.loads(out)
    jsonschema.validate(report, as_json.schema())

    assert (code, [one["count"] for one in report["inputs"]["skipped"]]) == (3, [0])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (text(0, activityDateTime=""), "record 1: no time"),
        (f"[{text(0, activityDateTime='')},{text(1, activityDateTime='x')}]", "(and 1 more)"),
        ("Date (UTC),CorrelationId,Activity\nx,c,a\ny,c,a\n", "time not understood (and 1 more)"),
        ("[", "cut short"),
    ],
)
def test_records_of_which_none_can_be_read_are_nothing(content, words, tmp_path, capsys):
    """Exit 2 and one line that says why, for a report and for an import."""
    path = put(tmp_path, content)

    for command in (["report", "--input", path], ["import", path]):
        code, out, err = ran(capsys, *command)
        assert (code, out) == (2, "")
        assert f"nothing could be read: {path}" in err
        assert words in err


@pytest.mark.parametrize("content", ["[]", '{"value":[]}', "Date (UTC),CorrelationId,Activity\n"])
def test_an_empty_list_was_read(content, tmp_path, capsys):
    """Nothing happened, and that is an answer."""
    assert account(capsys, put(tmp_path, content))[0] == 0


def test_what_follows_a_list_is_no_record(tmp_path):
    """An envelope's other keys, before and after its list, whatever they hold."""
    before = {"a": {"value": [1]}, "b": [{"id": 1}], "@odata.context": "x"}
    page = {**before, "value": [record(0)], "@odata.nextLink": "y", "records": [record(1)]}
    came = came_of_text(tmp_path, json.dumps({**page, "c": [[], {}]}, indent=1))

    assert (came.ids, came.done.remarks()) == (GOOD[:2], ())


def test_a_broken_end_of_an_envelope_is_no_record_but_is_told(tmp_path):
    """All records are there; what stood behind them is not."""
    came = came_of_text(tmp_path, f'{{"value":[{text(0)}],"x":nope}}')

    assert (came.ids, list(came.skipped.values()), came.done.faulty) == (GOOD[:1], [0], True)


@pytest.mark.parametrize("stray", ["}", "]", ",,", "nope", "\x00\x00", "17,", '"x"', "\ufeff"])
def test_a_stray_sign_costs_no_record(stray, tmp_path):
    """Between the elements of a list, or between objects that stand one after another."""
    listed = came_of_text(tmp_path, f"[{text(0)},{stray}{text(1)},{text(2)}")
    loose = came_of_text(tmp_path, json.dumps(record(0), indent=1) + stray + text(1) + text(2))

    assert (listed.ids, loose.ids) == (GOOD, GOOD)
    assert sum(listed.skipped.values()) <= 2
    assert sum(loose.skipped.values()) <= 1


@pytest.mark.parametrize("opening_", ["[", '{"value":[', '{"value":', "{", '[{"records":['])
def test_depth_without_end_ends(opening_, tmp_path):
    """Lists in lists a hundred thousand deep are no record, and no endless climb."""
    came = came_of_text(tmp_path, opening_ * 20_000)

    assert (came.rows, len(came.done.not_read)) == ([], 1)


@pytest.mark.parametrize(
    "value",
    ["[" * 2_000 + "]" * 2_000, '{"a":' * 30_000 + '"]"' + "}" * 30_000, "1" * 5_000],
    ids=["lists", "objects", "digits"],
)
@pytest.mark.parametrize("at", [0, 1])
def test_what_python_cannot_read_is_read_wherever_it_stands(value, at, tmp_path):
    """Nobody asks for the value, so that no form may lose its record for it."""
    odd = text(at)[:-1] + f', "x": {value}}}'
    texts = [odd if n == at else text(n) for n in range(3)]
    framed = [f'{{"category":"AuditLogs","time":"x","properties":{one}}}' for one in texts]
    dresses = ["\n".join(texts), f"[{','.join(texts)}]", f'{{"value":[{",".join(texts)}]}}',
               "\n".join(framed), f'{{"records":[{",".join(framed)}]}}']  # fmt: skip

    for content in dresses:
        came = came_of_text(tmp_path, content)
        assert (came.ids, came.skipped) == (GOOD, {})


MANY = {
    "broken objects": ("[", "{x},"),
    "open quotes": ("[", '{"a":"x},'),
    "open quotes on lines": ("[\n", '{"a:1}\n'),
    "open objects on lines": ("[\n", '{"a":1\n'),
    "lists": ("", "["),
    "envelopes": ("", '{"value":['),
    "objects": ("", '{"a":'),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", MANY)
def test_many_broken_values_cost_no_quadratic_time(what):
    """A hundred thousand on one line, or one inside the other."""
    first, again = MANY[what]
    found = list(values.Reader(iter([(first + 100_000 * again).encode()])).objects())

    assert found
    assert all(isinstance(one, Misread) for one in found)


def test_keys_said_twice_and_numbers_that_are_none_harm_nobody(tmp_path):
    """Python and DuckDB read these; the record counts once, with the first of its keys."""
    twice = text(0).replace('"result":', '"result": "failure", "result":', 1)
    came = came_of_text(tmp_path, f"{twice}\n{text(1, x=float('nan'))}\n{text(2, x=10**400)}\n")

    assert (came.ids, came.skipped) == (GOOD, {})
    assert came.rows[0]["result"] == "failure"


def test_bytes_that_are_no_utf8_cost_one_record(tmp_path):
    """A line of it in a Windows code page; those around it are read."""
    latin = text(9).encode("latin-1")
    good = [text(n).encode() for n in range(3)]
    by_line = came_of_text(tmp_path, b"\n".join([good[0], latin, *good[1:]]))
    listed = came_of_text(tmp_path, b"[" + b",".join([good[0], latin, *good[1:]]) + b"]")

    assert (by_line.ids, by_line.places) == (GOOD, {"not UTF-8": 2})
    assert (listed.ids, listed.places) == (GOOD, {"not UTF-8": 2})


TOO_EARLY = "cut short: the compressed data end too early"
FOLLOWED = "damaged: something else follows the compressed data"
DAMAGES = {
    "cut in the middle": (lambda raw: raw[: len(raw) // 2], TOO_EARLY),
    "without its last byte": (lambda raw: raw[:-1], TOO_EARLY),
    "one byte behind": (lambda raw: raw + b"\x1f", FOLLOWED),
    "garbage behind": (lambda raw: raw + b"garbage", FOLLOWED),
    "half a member behind": (lambda raw: raw + raw[:12], TOO_EARLY),
    "a wrong sum": (
        lambda raw: raw[:-8] + b"12345678",
        "damaged: the compressed data cannot be read further",
    ),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_gzip_is_named_and_read_as_far_as_it_goes(how, tmp_path):
    """What stands before the damage counts."""
    body = "".join(f"{text(n, x=os.urandom(99).hex())}\n" for n in range(200))
    damage, reason = DAMAGES[how]
    came = came_of_text(tmp_path, damage(gzip.compress(body.encode())))

    assert len(came.ids) > 90
    assert came.skipped[reason] == 0
    assert f"not read whole: {tmp_path / 'export.json'}: {reason}" in came.done.remarks()


@pytest.mark.parametrize("how", ["cut in the middle", "garbage behind"])
def test_a_damaged_zstandard_is_named_and_read_as_far_as_it_goes(how, tmp_path):
    """Frame by frame, block by block."""
    damage, reason = DAMAGES[how]
    body = "".join(f"{text(n, x=os.urandom(99).hex())}\n" for n in range(900))
    came = came_of_text(tmp_path, damage(zstandard.compress(body.encode())))

    assert len(came.ids) > 200
    assert came.skipped[reason] == 0


@pytest.mark.parametrize("raw", [b"\x1f\x8b", b"\x1f\x8b" + b"x" * 99, b"\x28\xb5\x2f\xfdxx"])
def test_compressed_data_of_which_nothing_can_be_read(raw, tmp_path):
    """It may have been an export, so it is missing, not ignored."""
    came = came_of_text(tmp_path, raw)

    assert came.done.not_read[0].verdict == "not read"
    assert came.done.faulty


def test_half_a_letter_of_utf16_at_the_end(tmp_path):
    """The records are there, and the cut is told."""
    came = came_of_text(tmp_path, lines(0, 1, 2).encode("utf-16") + b"{")

    assert (came.ids, came.skipped) == (GOOD, {"cut short: the last character is not whole": 0})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        (" \r\n\t\n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"\xff\xfe", "it is empty"),
        ("<!DOCTYPE html><html>Sign in</html>", "it is a web page or XML"),
        ("\ufeff \n<html>", "it is a web page or XML"),
        ("hello", "neither JSON nor a CSV"),
        (b"PK\x03\x04" + bytes(4000), "neither JSON nor a CSV"),
        (b"\x89PNG\r\n" + bytes(range(256)) * 9, "neither JSON nor a CSV"),
        ("x" * 3_000_000, "neither JSON nor a CSV"),
        ("a,b\x1b[31m,c\n1,2,3\n", "headers not understood: a, b\\x1b[31m, c"),
        ('{"error":{"code":"InvalidAuthenticationToken"}}', "no record in it is of a known form"),
        ('[{"a":1},{"b":2}]', "no record in it is of a known form"),
        ('{"a":1}\n{"b":2}\n', "no record in it is of a known form"),
        ('{"a":', "no record in it is of a known form"),
    ],
)
def test_what_is_no_export_says_what_it_seems_to_be(content, words, tmp_path, capsys):
    """One line names file and reason; nothing else was read, so the exit code is 2."""
    path = put(tmp_path, content)
    code, out, err = ran(capsys, "report", "--input", path)

    assert (code, out) == (2, "")
    assert [words in line and str(path) in line for line in err.splitlines()] == [True]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(UNIFIED),
        json.dumps([UNIFIED, UNIFIED], indent=2),
        f"{json.dumps(UNIFIED)}\n{json.dumps(UNIFIED)}\n",
        json.dumps({"CreationDate": "x", "UserIds": "y", "Operations": "z", "AuditData": "{}"}),
        json.dumps({"value": [{"id": "1", "auditLogRecordType": "x", "auditData": {}}]}),
        "RecordId,CreationDate,RecordType,Operation,UserId,AuditData\n1,2,3,4,5,6\n",
        '#TYPE X\r\n"CreationDate","UserIds","Operations","AuditData"\r\n"1","2","3","4"\r\n',
    ],
)
def test_the_unified_audit_log_is_refused_by_name(content, tmp_path, capsys):
    """With what to export instead; beside good files it leaves a gap, so the exit code is 3."""
    path = put(tmp_path, content, "folder/ual.json")
    good = put(tmp_path, lines(0, 1))
    alone, _, err = ran(capsys, "report", "--input", path)
    code, inputs, _ = account(capsys, tmp_path / "folder", good)

    assert (alone, code) == (2, 3)
    assert "Unified Audit Log" in err
    assert "Entra admin center" in err
    assert (inputs["records_read"], inputs["files_ignored"]) == (2, [str(path)])


def test_unknown_files_of_a_folder_are_named_and_never_counted(tmp_path, capsys):
    """Whoever points at a folder did not ask for each file in it."""
    put(tmp_path, lines(0, 1), "audit.json")
    for name, content in {
        "notes.txt": "hello\nworld\n",
        "other.json": '[{"a":1},{"a":2}]',
        "lines.json": '{"a":1}\n{"a":2}\n{"a"\n',
        "table.csv": "a,b\n1,2\n",
        "empty": "",
    }.items():
        put(tmp_path, content, name)
    code, inputs, err = account(capsys, tmp_path)

    assert (code, inputs["records_read"], inputs["skipped"]) == (0, 2, [])
    assert len(inputs["files_ignored"]) == 5
    assert sum(line.startswith("ignored: ") for line in err.splitlines()) == 5


def test_an_unknown_file_that_was_named_leaves_a_gap(tmp_path, capsys):
    """Exit 3 beside a file that was read; its lines count nowhere."""
    good, bad = put(tmp_path, lines(0, 1)), put(tmp_path, '{"a":1}\n{"b":2}\n', "other.json")
    code, inputs, err = account(capsys, good, bad)

    assert (code, inputs["records_read"], inputs["files_ignored"]) == (3, 2, [str(bad)])
    assert f"ignored: {bad}: " in err


def test_words_that_name_nothing_are_told(tmp_path, capsys):
    """Exit 2 where nothing else was named, else 3."""
    (tmp_path / "bare").mkdir()
    good = put(tmp_path, lines(0))
    nothing, _, err = ran(capsys, "report", "--input", tmp_path / "bare", "-i", tmp_path / "no*")
    code, _, told = account(capsys, good, tmp_path / "nowhere.json", tmp_path / "bare")

    assert (nothing, code) == (2, 3)
    assert str(tmp_path / "bare") in err
    assert "no*" in err
    assert f"no such file: {tmp_path / 'nowhere.json'}\n" in told
    assert f"no such file: {tmp_path / 'bare'}\n" in told


def test_a_folder_without_a_known_file(tmp_path, capsys):
    """One line says why."""
    put(tmp_path, "hello", "a.txt")
    put(tmp_path, "", "b.json")
    code, out, err = ran(capsys, "report", "--input", tmp_path)

    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "nothing could be read" in err


def test_a_file_that_vanishes_is_missing(tmp_path):
    """Found, then gone: the others are read, and it is named."""
    put(tmp_path, lines(0), "a.json")
    put(tmp_path, lines(1), "b.json")
    found, _ = files.find([str(tmp_path)])
    (tmp_path / "a.json").unlink()
    *_, not_read, batch = [*files.read(found)]

    assert batch.texts.to_pylist() == [text(1)]
    assert (not_read.verdict, not_read.file) == ("not read", 0)
    assert "No such file" in not_read.reason


def test_a_file_that_nobody_may_read_is_missing(tmp_path, monkeypatch, capsys):
    """Even in a folder: it may be an export, so the exit code is 3."""
    secret = put(tmp_path, lines(0), "a.json")
    put(tmp_path, lines(1), "b.json")
    plain = Path.open

    def guarded(path, *args, **kwargs):
        if path == secret:
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", guarded)
    code, inputs, err = account(capsys, tmp_path)

    assert (code, inputs["records_read"]) == (3, 1)
    assert f"not read: {secret}: it cannot be read: Permission denied" in err


def test_a_folder_that_nobody_may_list_is_missing(tmp_path, monkeypatch):
    """Nothing below it was seen, which is said."""
    put(tmp_path, lines(1), "b.json")
    put(tmp_path, lines(0), "closed/a.json")
    plain, closed = os.scandir, str(tmp_path / "closed")

    def guarded(path):
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", closed)
        return plain(path)

    monkeypatch.setattr(os, "scandir", guarded)
    came = came_of(tmp_path)

    assert came.ids == ["SSPR_0001"]
    assert came.done.faulty
    assert came.done.remarks()[0].startswith(f"not read: {closed}: ")


def test_a_disk_that_fails_midway_cuts_the_file(tmp_path, monkeypatch):
    """What was read before counts."""
    path = put(tmp_path, lines(0, 1, 2))

    class Failing:
        def __init__(self):
            self.pieces = [(lines(0, 1, 2) + " " * (2 << 20)).encode()]

        def read(self, _):
            if not self.pieces:
                raise OSError(5, "Input/output error")
            return self.pieces.pop()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    plain = Path.open
    monkeypatch.setattr(
        Path, "open", lambda p, *a, **k: Failing() if p == path else plain(p, *a, **k)
    )
    came = came_of(path)

    assert came.ids == GOOD
    assert came.done.remarks() == (
        f"not read whole: {path}: cut short: it cannot be read: Input/output error",
    )


@POSIX
def test_pipes_and_links_in_a_folder_do_not_hold_it_up(tmp_path):
    """A pipe without a writer, a link in a circle, a link to nothing, a link to a folder."""
    put(tmp_path, lines(0, 1, 2))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "above").symlink_to(tmp_path)
    came = came_of(tmp_path)
    verdicts = {Path(came.done.files[n.file].name).name: n.verdict for n in came.done.not_read}

    assert came.ids == GOOD
    assert verdicts == {
        "pipe": "ignored",
        "above": "ignored",
        "circle": "not read",
        "gone": "not read",
    }


@POSIX
@pytest.mark.parametrize("kind", ["circle", "gone", "long"])
def test_a_name_that_leads_nowhere_is_told(kind, tmp_path, capsys):
    """Named itself: a link in a circle, one to nothing, a name longer than names may be."""
    path = tmp_path / ("x" * 300 if kind == "long" else kind)
    if kind != "long":
        path.symlink_to(path if kind == "circle" else tmp_path / "nowhere")
    code, _, err = ran(capsys, "report", "--input", path)

    assert (code, len(err.splitlines())) == (2, 1)
    assert kind[:4].replace("long", "xxxx") in err


def test_standard_input_that_is_closed(monkeypatch, capsys):
    """As a service starts it."""
    monkeypatch.setattr(sys, "stdin", None)
    code, _, err = ran(capsys, "report", "--input", "-")

    assert (code, err.splitlines()) == (
        2,
        ["sspr-audit: nothing could be read: standard input: it is closed"],
    )


@LINUX
def test_names_are_shown_never_obeyed(tmp_path, capsys):
    """A file's name and what is written in it reach a terminal as text."""
    name = "a\x1b[2J\u202eb\n.json"
    path = put(tmp_path, lines(0) + '{"id":"\x1b[31m"\n', name)
    path.rename(Path(os.fsdecode(bytes(path) + b"\xff")))
    code, inputs, err = account(capsys, tmp_path)

    assert code == 3
    assert all(letter.isprintable() or letter == "\n" for letter in err)
    assert r"a\x1b[2J\u202eb\n.json\udcff" in err
    assert inputs["skipped"][0]["example"].isprintable()


def test_each_bad_place_is_told_but_not_without_end(tmp_path):
    """A line for each file and reason; past twenty, how many more."""
    for n in range(30):
        put(tmp_path, lines(n) + "{\n{\n", f"{n:02d}.json")
    remarks = came_of(tmp_path).done.remarks()

    assert len(remarks) == 21
    assert remarks[0] == f"skipped: {tmp_path / '00.json'}, record 2: cut short (and 1 more)"
    assert remarks[-1] == "skipped: more, in 10 other places or ways"


def test_the_account_adds_up_over_all_that_is_bad(tmp_path, capsys):
    """Good and bad files of every form together: each record stands in exactly one class."""
    for number, (element, _) in enumerate(BROKEN.values()):
        put(tmp_path, f"[{text(number)},{element},{text(number)}]", f"{number}.json")
    put(tmp_path, gzip.compress(lines(30, 31).encode())[:-9], "cut.gz")
    put(tmp_path, "x" * 100, "unknown")
    code, inputs, err = account(capsys, tmp_path, FIXTURES)

    assert (code, adds_up(inputs)) == (3, True)
    assert sum(one["count"] for one in inputs["skipped"]) == len(BROKEN)
    assert all(one["example"] for one in inputs["skipped"])
    assert err


PEAK = """
import sys, tracemalloc, pyarrow, numpy
from sspr_audit.sources import files
from sspr_audit.model import Batch, Misread
found, _ = files.find([sys.argv[1]])
tracemalloc.start()
records, faults = 0, []
for item in files.read(found):
    if isinstance(item, Batch):
        records += len(item.texts)
    else:
        faults.append(item[1].reason)
print(records, faults, tracemalloc.get_traced_memory()[1] >> 20)
"""


@pytest.mark.parametrize("dress", ["lines", "array", "csv"])
def test_a_line_of_50_mb_is_refused_without_being_held(dress, tmp_path):
    """Its neighbours are read; memory stays bounded by the longest record, not by the line."""
    long = text(9, x="x" * 50_000_000)
    head = "Date (UTC),CorrelationId,Activity\n"
    body = {
        "lines": f"{text(0)}\n{long}\n{text(1)}\n",
        "array": f"[{text(0)},{long},{text(1)}]",
        "csv": f"{head}2026-03-02T09:00:00Z,c,a\n{'x' * 50_000_000}\n2026-03-02T09:00:01Z,c,b\n",
    }[dress].encode()
    path = put(tmp_path, body)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    records, faults, peak = done.stdout.split(maxsplit=1)[0], done.stdout, done.stdout.split()[-1]

    assert records == "2"
    assert "['longer than 16 MiB']" in faults
    assert int(peak) < 150


def test_a_long_text_is_never_held_whole(tmp_path):
    """80 MB of records in one list: what is held at a time is less, and grows with none."""
    one = text(1, x="x" * 20_000)
    path = put(tmp_path, gzip.compress(f"[{','.join([one] * 4000)}]".encode(), 1))
    found, _ = files.find([str(path)])
    assert taken(put(tmp_path, lines(0), "small"))[
        0
    ]  # what is imported on the way has its own size
    tracemalloc.start()
    count = sum(len(batch.texts) for batch in files.read(found))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 4000
    assert peak < 48 << 20


JSONISH = st.text(alphabet='{}[]",:\\ntrufales0123.e- \r\n\ufeff\x00é', max_size=300)
WORDS = st.sampled_from(
    ['{"value":[', '{"records":[', "]}", "]", "}", "{", ",", "\n", '"', " ", text(1), text(2)[:90],
     '"@odata.context":"#devices",', "Date (UTC),CorrelationId,Activity\r\n",
     json.dumps(UNIFIED), '{"id":"x","createdDateTime":"y","appId":"z"}', "nope", "<", "\x1f\x8b"]
)  # fmt: skip
CSVISH = st.text(alphabet='",;\t\r\nab1é', max_size=200)


@st.composite
def mutated(draw):
    """A fixture with some bytes changed, taken out or put in."""
    names = ["graph/lines.ndjson", "graph/page.json", "graph/page.json.gz", "graph/utf16le.json",
             "graph/lines.ndjson.zst", "portal/AuditLogs.csv", "loganalytics/query_data.csv",
             "diagnostic/records.json", "context/signIns.json"]  # fmt: skip
    raw = bytearray((FIXTURES / draw(st.sampled_from(names))).read_bytes())
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(raw) - 1))
        match draw(st.sampled_from(["change", "cut", "put"])):
            case "change":
                raw[at] = draw(st.integers(0, 255))
            case "cut":
                del raw[at : at + draw(st.integers(1, 2000))]
            case _:
                raw[at:at] = draw(st.binary(max_size=9))
        raw = raw or bytearray(b" ")
    return bytes(raw)


ANYTHING = st.one_of(
    st.binary(max_size=400),
    JSONISH.map(str.encode),
    st.lists(WORDS, max_size=15).map(lambda words: "".join(words).encode()),
    CSVISH.map(lambda rest: f"Date (UTC),CorrelationId,Activity\n{rest}".encode()),
    CSVISH.map(str.encode),
    st.tuples(st.sampled_from(["utf-16", "utf-16-be", "utf-8-sig"]), JSONISH).map(
        lambda pair: pair[1].encode(pair[0])
    ),
    st.binary(max_size=200).map(lambda raw: gzip.compress(b"[") + raw),
    st.binary(max_size=200).map(lambda raw: zstandard.compress(b"{")[:-1] + raw),
    mutated(),
)


@given(raw=ANYTHING)
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(raw, tmp_path_factory):
    """Never an exception, never without end, and always an answer: records, or why not."""
    path = put(tmp_path_factory.getbasetemp(), raw, "fuzz")
    records, misread, not_read = taken(path)

    assert len(not_read) <= 1
    assert not (records and not_read)
    assert all(one.reason and one.count in (0, 1) for one in misread)


@given(ANYTHING, st.integers(1, 40))
@settings(max_examples=40)
def test_any_bytes_in_small_pieces_give_the_same_records(raw, size):
    """What is read at a time changes nothing, in whatever state a file is."""

    def read(chunk):
        before, opening.CHUNK = opening.CHUNK, chunk
        try:
            reader = values.Reader(opening.utf8(io.BytesIO(raw)))
            return list(reader.objects())
        except opening.CutShort as error:
            return str(error)
        finally:
            opening.CHUNK = before

    assert read(size) == read(1 << 20)


@given(raws=st.lists(ANYTHING, min_size=1, max_size=3))
@settings(max_examples=40)
def test_any_files_beside_a_good_one_lose_nothing(raws, tmp_path_factory):
    """The good file's records are all there, and what was skipped is counted with an example."""
    folder = tmp_path_factory.mktemp("fuzz")
    good = put(folder, lines(3000, 3001), "good.json")
    came = came_of(*(put(folder, raw, f"{n}.json") for n, raw in enumerate(raws)), good)

    assert {"SSPR_3000", "SSPR_3001"} <= set(came.ids)
    assert all(one.count == 0 or one.example for one in came.done.skipped())
    assert {n.file for n in came.done.not_read}.isdisjoint(file for file, _ in came.done.misread)


@given(data=st.data())
@settings(max_examples=60)
def test_a_changed_byte_costs_only_the_lines_it_touches(data, tmp_path_factory):
    """Of lines and of CSV rows, all others are still read, and something is said of the rest."""
    name, first = data.draw(
        st.sampled_from([("graph/lines.ndjson", 1), ("portal/AuditLogs.csv", 2)])
    )
    raw = (FIXTURES / name).read_bytes()
    whole, _, _ = taken(FIXTURES / name)
    begin = 1 if first == 1 else raw.index(b"\n") + 1
    at = data.draw(st.integers(begin, len(raw) - 2))
    changed = bytearray(raw)
    changed[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    records, misread, not_read = taken(put(tmp_path_factory.getbasetemp(), bytes(changed), "one"))
    touched = 1 + (raw[at] == ord("\n"))

    assert not_read == []
    assert len(set(whole) & set(records)) >= len(whole) - touched
    assert len(records) + len(misread) >= len(whole) - 1


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [("T", 'T"', "misplaced quotes"), ('"\n', "\n", rows.QUOTES)],
    ids=["inside a cell", "without an end"],
)
def test_a_stray_quote_costs_one_row(old, new, reason, tmp_path):
    """In the middle and at the end; the next row with a time begins again."""
    head, *body = (
        (FIXTURES / "portal/AuditLogs.csv").read_text("utf-8-sig").splitlines(keepends=True)
    )
    for at in (3, len(body) - 1):
        broken = [*body[:at], body[at].replace(old, new, 1), *body[at + 1 :]]
        came = came_of_text(tmp_path, head + "".join(broken))
        assert (len(came.ids), came.skipped) == (len(body) - 1, {reason: 1})
        assert came.places == {reason: at + 2}


def test_lines_with_a_quote_inside_count_one_by_one(tmp_path):
    """No cell begins with it, so that it opens nothing."""
    head = "Date (UTC),CorrelationId,Activity\n"
    came = came_of_text(tmp_path, head + 2_000 * 'a"b\n' + '2026-03-02T09:00:00Z,c,5" disk\n')

    assert [row["activity"] for row in came.rows] == ['5" disk']
    assert came.skipped == {"another number of columns than the header": 2_000}


# What names no form, and what only looks like something else


@pytest.mark.parametrize("turn", [1, -1])
def test_a_column_without_a_value_names_no_form(turn, tmp_path):
    """A union of tables gives each row the columns of all, whichever row stands first."""
    rows = (FIXTURES / "loganalytics/AuditLogs.ndjson").read_text("utf-8").splitlines()[:2]
    rows[1] = '{"activityDateTime": null, "properties": null, ' + rows[1][1:]
    done = came_of_text(tmp_path, "\n".join(rows[::turn]))

    assert (len(done.ids), done.skipped) == (2, {})


@pytest.mark.parametrize("form", ["lines", "list"])
@pytest.mark.parametrize("extra", [{"value": []}, {"records": [1]}, {"properties": {}}])
def test_a_record_with_a_key_of_something_else_is_still_a_record(form, extra, tmp_path):
    """Whatever else a record may once hold, it has the keys of a record itself."""
    texts = [text(1), text(2, **extra), text(3)]
    content = "\n".join(texts) if form == "lines" else f"[{','.join(texts)}]"
    done = came_of_text(tmp_path, content)

    assert (done.ids, done.skipped) == (["SSPR_0001", "SSPR_0002", "SSPR_0003"], {})


def test_a_time_of_endless_digits_is_skipped_alone(tmp_path):
    """However many digits of a second somebody writes."""
    endless = "2026-03-02T09:00:00." + "1" * 300 + "Z"
    done = came_of_text(tmp_path, f"{text(1)}\n{text(2, activityDateTime=endless)}\n")

    assert done.ids == ["SSPR_0001"]
    assert list(done.skipped.values()) == [1]


def test_the_empty_word_is_no_folder(tmp_path, monkeypatch, capsys):
    """What a script gives whose variable was never set reads nothing, least of all what is here."""
    put(tmp_path, lines(1))
    monkeypatch.chdir(tmp_path)
    code, _, err = ran(capsys, "report", "--input", "")

    assert (code, "the empty word" in err) == (2, True)


def test_a_folder_too_deep_to_name_stops_nothing(tmp_path, monkeypatch):
    """What lies beside it is read, and it is named."""
    put(tmp_path, lines(1))
    monkeypatch.chdir(tmp_path)
    for _ in range(90):
        os.mkdir("d" * 50)  # noqa: PTH102 - no whole path is that long
        os.chdir("d" * 50)
    os.chdir(tmp_path)
    done = came_of(tmp_path)

    assert done.ids == ["SSPR_0001"]
    assert ["too long" in one.reason for one in done.done.not_read] == [True]
