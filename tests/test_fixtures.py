"""The fixtures: made by a script, small, and of nobody."""

import gzip
import ipaddress
import re
import runpy
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOT_MADE = {"make.py", ".gitattributes"}


@pytest.fixture(scope="module")
def make():
    """The script, run without leaving its compiled form among the fixtures."""
    return SimpleNamespace(**runpy.run_path(str(FIXTURES / "make.py")))


def content(path):
    """The bytes of a file; of a compressed one what is in it, as compressors differ."""
    raw = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(raw)
    return zstandard.ZstdDecompressor().decompress(raw) if path.suffix == ".zst" else raw


def made(folder):
    return {
        path.relative_to(folder).as_posix(): content(path)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in NOT_MADE
    }


def test_the_script_makes_exactly_these_fixtures(make, tmp_path):
    """Whoever runs `python fixtures/make.py` gets what is kept here."""
    make.main(tmp_path)

    assert made(tmp_path) == made(FIXTURES)


def test_fixtures_are_small(make):
    """All of them together are less than a megabyte, and a story has 20 to 60 events."""
    whole = sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file())

    assert whole < 1_000_000
    assert 20 <= len(make.records()) <= 60


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("graph/bom.json", b"\xef\xbb\xbf{"),
        ("graph/utf16le.json", b"\xff\xfe{\x00"),
        ("graph/utf16be.json", b"\xfe\xff\x00{"),
        ("graph/page.json.gz", b"\x1f\x8b"),
        ("graph/lines.ndjson.zst", b"\x28\xb5\x2f\xfd"),
        ("graph/array.json", b"["),
        ("diagnostic/records.json", b'{"records":['),
        ("portal/AuditLogs-spanish.csv", '\ufeff"Fecha (UTC)"'.encode()),
        ("portal/AuditLogs-italian.csv", '\ufeff"Data (UTC)"'.encode()),
        ("context/devices.json", b'{"@odata.context":'),
    ],
)
def test_a_file_begins_as_its_kind_does(name, first):
    """Forms and encodings are told by their first bytes."""
    assert (FIXTURES / name).read_bytes().startswith(first)


def test_all_forms_hold_the_story(make):
    """Every form of the story has as many records as the story."""
    count = len(make.records())
    blobs = (FIXTURES / "diagnostic" / "tree").rglob("PT1H.json")
    lines = {
        "graph": len(content(FIXTURES / "graph/lines.ndjson").splitlines()),
        "zst": len(content(FIXTURES / "graph/lines.ndjson.zst").splitlines()),
        "gz": content(FIXTURES / "graph/page.json.gz").count(b'"activityDateTime"'),
        "utf-16": (FIXTURES / "graph/utf16be.json").read_text("utf-16").count('"activityDateTime"'),
        "tree": sum(len(blob.read_bytes().splitlines()) for blob in blobs),
        "portal": content(FIXTURES / "portal/AuditLogs-older.csv").count(b"\r\n") - 1,
        "analytics": content(FIXTURES / "loganalytics/query_data.csv").count(b"\r\n") - 1,
    }

    assert lines == dict.fromkeys(lines, count)


def test_the_two_published_flows_keep_their_order_and_tie(make):
    """Twelve and fourteen events; verified in the same tick as the last method."""
    ties = [a[0] for a, b in pairwise(make.CLOUD_ONLY) if a[0] == b[0]]

    assert (len(make.CLOUD_ONLY), len(make.HYBRID)) == (12, 14)
    assert ties == [54.021]


def test_fixtures_are_of_nobody():
    """Addresses are documentation ones, people are on example.com, ids are zeroed."""
    text = "".join(
        whole.decode("utf-16" if whole[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
        for whole in made(FIXTURES).values()
    )
    allowed = [
        ipaddress.ip_network(net)
        for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    ]
    written = re.findall(r'[iI]p[aA]ddress(?:\\*"|"):\s*\\*"([^"\\]+)', text)
    guids = re.findall(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", text)
    domains = {domain.lower() for domain in re.findall(r"[\w.+-]+@([\w-]+\.[\w.-]+)", text)}

    assert len(written) > 100
    assert all(any(ipaddress.ip_address(a) in net for net in allowed) for a in written)
    assert all(guid.startswith("00000000-0000-") for guid in guids)
    assert domains == {"example.com", "support.onmicrosoft.com"}
