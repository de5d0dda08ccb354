"""The demo tenant, the forms it is written in, and the benchmark's larger sister."""

import csv
import gzip
import hashlib
import importlib.util
import io
import ipaddress
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from itertools import islice, repeat
from pathlib import Path

import pytest

from sspr_audit import settings
from sspr_audit.sources import demo, exports, scenes
from sspr_audit.sources.demo import tenant, troubles
from sspr_audit.sources.files import forms

FLOW = (scenes.PROGRESS, scenes.PROGRESS_OLD, scenes.RESET, scenes.UNLOCK, scenes.BLOCKED)
DOCUMENTATION = [
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DIGEST = """
import hashlib
from sspr_audit.sources import demo, exports
print(hashlib.sha256("".join(exports.ndjson(demo.records())).encode()).hexdigest())
"""


def person(record):
    return record["targetResources"][0]["id"]


def ip(record):
    return (record["initiatedBy"]["user"] or {}).get("ipAddress")


def screen(record):
    return {"key": "ClientType", "value": tenant.SIGN_IN_SCREEN} in record["additionalDetails"]


@pytest.fixture(scope="module")
def flows():
    """The records of each flow, oldest first."""
    found = defaultdict(list)
    for record in demo.records():
        if record["activityDisplayName"] in FLOW:
            found[record["correlationId"]].append(record)
    return list(found.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The demo as `sspr-audit demo DIR` leaves it."""
    path = tmp_path_factory.mktemp("demo")
    demo.write(path)
    return path


def fresh(code):
    """Run code in a new interpreter whose hashes differ from every other."""
    environ = os.environ | {"PYTHONHASHSEED": "random"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_the_demo_never_changes():
    """Another process gets the same bytes."""
    here = hashlib.sha256("".join(exports.ndjson(demo.records())).encode()).hexdigest()

    assert fresh(DIGEST) == here


def test_the_demo_is_light():
    """Nothing beyond the standard library is loaded for it."""
    code = "import sys, sspr_audit.sources.demo; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in fresh(code).split()}

    assert not loaded & {"pandas", "duckdb", "pyarrow", "pydantic", "rich", "zstandard", "numpy"}


def test_size_and_span(flows):
    """Four weeks up to the fixed present, oldest first."""
    times = [datetime.fromisoformat(record["activityDateTime"]) for record in demo.records()]

    assert min(times) >= tenant.START
    assert max(times) < tenant.NOW
    assert times == sorted(times)
    assert 1_500 <= len(flows) <= 2_500
    assert len(tenant.people()) == 600


def test_ids_are_shaped_as_entra_shapes_them():
    """An id names its service and its correlationId, and is never given twice."""
    ids = [record["id"] for record in demo.records()]
    wrong = [
        record["id"]
        for record in demo.records()
        if not re.fullmatch(
            rf"(SSPR|IAMUX|Directory)_{record['correlationId']}_[0-9A-Z]{{5}}_\d+", record["id"]
        )
        or not GUID.fullmatch(record["correlationId"])
    ]

    assert len(set(ids)) == len(ids)
    assert not wrong


def test_records_differ_even_without_their_ids():
    """A form that carries no id still tells any two records apart."""
    keys = Counter(
        (
            record["correlationId"],
            record["activityDisplayName"],
            record["resultReason"].strip().lower(),
            record["result"],
            person(record),
            exports.wire_time(record, 3),
        )
        for record in demo.records()
    )

    assert max(keys.values()) == 1


@pytest.mark.parametrize(
    "planted", [p for p in troubles.PLANTED if p.mark], ids=lambda planted: planted.finding
)
def test_a_planted_mark_stands_in_the_log(planted, flows):
    """As many people and flows carry it as `PLANTED` says, where and since when it says."""
    since = planted.since.isoformat()[:19]
    marked = [
        flow
        for flow in flows
        for record in flow
        if planted.mark in (record["resultReason"].strip(), record["activityDisplayName"])
        and record["activityDateTime"] >= since
    ]
    places = tenant.EGRESS.get(planted.site)

    assert len(marked) == planted.flows
    assert len({person(flow[0]) for flow in marked}) == planted.users
    assert places is None or {ip(flow[0]) for flow in marked} <= set(places)


def test_a_site_falls_silent(flows):
    """Since a day nobody in Malmö resets at the sign-in screen; browsers go on as before."""
    planted = next(p for p in troubles.PLANTED if p.site == tenant.MALMO)
    since = planted.since.isoformat()[:19]
    there = [flow for flow in flows if ip(flow[0]) in tenant.EGRESS[tenant.MALMO]]
    before = [flow for flow in there if flow[0]["activityDateTime"] < since]
    after = [flow for flow in there if flow[0]["activityDateTime"] >= since]
    done = [
        flow for flow in after if flow[-1]["resultReason"] == "User successfully reset password"
    ]

    assert sum(screen(flow[0]) for flow in before) > 0.25 * len(before)
    assert not any(screen(record) for flow in after for record in flow)
    assert (len(after), len({person(flow[0]) for flow in after})) == (planted.flows, planted.users)
    assert len(done) > 0.5 * len(after)


def test_no_other_site_is_silent(flows):
    """Everywhere else the sign-in screen has its usual share to the end."""
    since = troubles.SILENT_SINCE.isoformat()[:19]
    for site in set(tenant.EGRESS) - {tenant.MALMO}:
        there = [
            flow
            for flow in flows
            if ip(flow[0]) in tenant.EGRESS[site] and flow[0]["activityDateTime"] >= since
        ]

        assert sum(screen(flow[0]) for flow in there) > 0.2 * len(there), site


def test_an_outsider_probes(flows):
    """One address goes through many user names and never past the options."""
    planted = next(p for p in troubles.PLANTED if p.finding == "sspr-enumeration")
    probes = [flow for flow in flows if ip(flow[0]) == troubles.RECON_IP]

    assert (len(probes), len({person(flow[0]) for flow in probes})) == (
        planted.flows,
        planted.users,
    )
    assert {flow[-1]["resultReason"] for flow in probes} == {scenes.OPTIONS}


def test_an_outage_spares_accounts_of_the_cloud(flows):
    """While nothing is written back, people of the directory fail and the others succeed."""
    begin, end = (moment.isoformat()[:19] for moment in troubles.OUTAGE)
    hybrid = {one.id for one in tenant.people() if one.hybrid}
    done = [
        person(flow[0]) in hybrid
        for flow in flows
        if begin <= flow[0]["activityDateTime"] < end
        and flow[-1]["resultReason"] == "User successfully reset password"
    ]

    assert done
    assert not any(done)


def test_flows_have_the_quirks_of_real_ones(flows):
    """Equal times, success said twice, several refused passwords, two spellings."""
    equal = sum(len({r["activityDateTime"] for r in flow}) < len(flow) for flow in flows)
    twice = [
        [record["resultReason"] for record in flow[-2:]]
        == ["Successfully completed reset.", "User successfully reset password"]
        for flow in flows
        if flow[-1]["resultReason"] == "User successfully reset password"
    ]
    struggles = sum([r["resultReason"] for r in flow].count(scenes.REFUSED) > 1 for flow in flows)
    activities = {record["activityDisplayName"] for flow in flows for record in flow}
    reasons = {record["resultReason"] for flow in flows for record in flow}

    assert equal > 100
    assert twice
    assert all(twice)
    assert struggles > 5
    assert {scenes.PROGRESS, scenes.PROGRESS_OLD} <= activities
    assert troubles.NO_METHODS + " " in reasons
    assert "User canceled before submitting a new password " in reasons


def test_echoes_carry_other_correlation_ids(flows):
    """The directory stores a reset in Microsoft's name, for the same person, under its own id."""
    ours = {flow[0]["correlationId"] for flow in flows}
    echoes = [
        record
        for record in demo.records()
        if record["activityDisplayName"] == scenes.CORE_RESET
        and record["initiatedBy"]["user"]["userPrincipalName"] == scenes.WRITER
    ]

    assert len(echoes) > 500
    assert not {record["correlationId"] for record in echoes} & ours


def test_the_settings_fit_the_tenant(folder):
    """They load, name every egress address, and leave homes and the outsider outside."""
    checked = settings.load(folder / "settings.toml", environ={})
    networks = {site.name: site.networks for site in checked.sites}

    def site_of(address):
        text = ipaddress.ip_address(address)
        return [name for name, nets in networks.items() if any(text in net for net in nets)]

    assert {a: site_of(a) for ips in tenant.EGRESS.values() for a in ips} == {
        a: [name] for name, ips in tenant.EGRESS.items() for a in ips
    }
    assert not site_of(troubles.RECON_IP)
    assert not [one for one in tenant.people() if site_of(one.home)]
    assert checked.client_types == {
        tenant.SIGN_IN_SCREEN: "windows-signin",
        tenant.BROWSER: "browser",
    }


def test_nothing_is_real(folder):
    """Addresses are documentation ones, people are on example.com, ids are zeroed."""
    records = demo.records()
    text = "".join(exports.ndjson(records))
    addresses = {ip(record) for record in records} - {None}
    domains = set(re.findall(r"@([\w.-]+)", text))

    assert all(any(ipaddress.ip_address(a) in net for net in DOCUMENTATION) for a in addresses)
    assert {domain.lower() for domain in domains} == {"example.com", "support.onmicrosoft.com"}
    assert all(guid.startswith("00000000-0000-") for guid in GUID.findall(text))
    assert not GUID.search((folder / "README.txt").read_text(encoding="utf-8"))


def facts(record):
    """What every form of a record must carry."""
    user = record["initiatedBy"]["user"] or {}
    return (
        exports.wire_time(record, 3),
        record["correlationId"],
        record["loggedByService"],
        record["category"],
        record["activityDisplayName"],
        record["result"],
        record["resultReason"],
        user.get("userPrincipalName") or "",
        user.get("ipAddress") or "",
        *[(t["id"], t["displayName"] or "") for t in record["targetResources"]],
        *[(d["key"], d["value"]) for d in record["additionalDetails"]],
    )


def packed(path):
    return json.loads(gzip.decompress(path.read_bytes()))


def from_graph(folder):
    page = packed(folder / "exports/graph/directoryAudits.json.gz")
    return list(map(facts, page["value"]))


def from_portal_json(folder):
    return list(map(facts, packed(folder / "exports/portal/AuditLogs.json.gz")))


def from_portal_csv(folder):
    text = (folder / "exports/portal/AuditLogs.csv").read_text(encoding="utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [
        (
            row["Date (UTC)"][:23],
            *(row[name] for name in ("CorrelationId", "Service", "Category", "Activity")),
            *(row[name] for name in ("Result", "ResultReason", "ActorUserPrincipalName")),
            row["IPAddress"],
            *[
                (row[f"Target{n}ObjectId"], row[f"Target{n}DisplayName"])
                for n in (1, 2, 3)
                if row[f"Target{n}ObjectId"]
            ],
            *[
                (row[f"AdditionalDetail{k}Key"], row[f"AdditionalDetail{k}Value"])
                for k in range(1, 7)
                if row[f"AdditionalDetail{k}Key"]
            ],
        )
        for row in rows
    ]


def graph_like(record):
    user = record["initiatedBy"].get("user")
    return {
        **record,
        "activityDateTime": record["activityDateTime"].replace("+00:00", "Z"),
        "initiatedBy": {"user": user},
    }


def from_diagnostic(folder):
    path = folder / "exports/diagnostic/insights-logs-auditlogs.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [facts(graph_like(json.loads(line)["properties"])) for line in lines]


def from_spoken(text):
    """`11/9/2026, 8:04:05.123 AM` as an ISO time."""
    date, clock, half = text.replace(",", "").split(" ")
    month, day, year = map(int, date.split("/"))
    hour, _, rest = clock.partition(":")
    hours = int(hour) % 12 + 12 * (half == "PM")
    return f"{year}-{month:02d}-{day:02d}T{hours:02d}:{rest}Z"


def from_log_analytics(folder):
    path = folder / "exports/loganalytics/query_data.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return [
            facts(
                {
                    "activityDateTime": from_spoken(row["ActivityDateTime [UTC]"]),
                    "correlationId": row["CorrelationId"],
                    "loggedByService": row["LoggedByService"],
                    "category": row["Category"],
                    "activityDisplayName": row["ActivityDisplayName"],
                    "result": row["Result"],
                    "resultReason": row["ResultReason"],
                    "initiatedBy": {"user": json.loads(row["InitiatedBy"]).get("user")},
                    "targetResources": json.loads(row["TargetResources"]),
                    "additionalDetails": json.loads(row["AdditionalDetails"]),
                }
            )
            for row in csv.DictReader(lines)
        ]


@pytest.mark.parametrize(
    "read",
    [from_graph, from_portal_json, from_portal_csv, from_diagnostic, from_log_analytics],
)
def test_every_form_tells_the_same(read, folder):
    """No form loses, adds or changes a fact of the tenant."""
    told, known = Counter(read(folder)), Counter(map(facts, demo.records()))

    assert told == known


def test_writing_twice_gives_equal_bytes(tmp_path):
    """Compressed files name no time and no path."""
    for name in ("a.json.gz", "b.json.gz"):
        exports.write(tmp_path / name, exports.ndjson(demo.records()[:100]))

    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


def test_the_portal_csv_is_as_the_portal_writes_it(folder):
    """86 columns in the portal's order, a byte order mark, CRLF, seven digits and a zone."""
    raw = (folder / "exports/portal/AuditLogs.csv").read_bytes()
    header, first = raw.split(b"\r\n")[:2]
    names = next(csv.reader([header.decode("utf-8-sig")]))

    assert raw.startswith(b"\xef\xbb\xbf")
    assert tuple(names) == exports.PORTAL_COLUMNS == forms.PORTAL
    assert len(names) == 86
    assert re.match(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00",', first)


def test_log_analytics_rows_leave_empty_columns_out():
    """Nested columns are text, times have three digits, and nothing is empty."""
    rows = [exports.log_analytics(record, tenant.TENANT) for record in demo.records()[:500]]

    assert all(all(row.values()) for row in rows)
    assert all(re.fullmatch(r".{19}\.\d{3}Z", row["TimeGenerated"]) for row in rows)
    assert all(isinstance(json.loads(row["InitiatedBy"]), dict) for row in rows)
    assert any("ResultReason" not in row for row in rows)


@pytest.mark.parametrize(
    "form",
    [
        exports.ndjson,
        exports.array,
        exports.graph_page,
        exports.portal_json,
        exports.portal_csv,
        lambda records: exports.log_analytics_csv(records, tenant.TENANT),
    ],
)
def test_forms_are_written_record_by_record(form):
    """A form of endless records begins to come out at once."""
    pieces = list(islice(form(repeat(demo.records()[0])), 50))

    assert len(pieces) == 50


@pytest.fixture(scope="module")
def generate():
    path = Path(__file__).parents[1] / "benchmarks" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_benchmark_writes_what_is_asked_for(generate):
    """As many records as asked for, with that share of others, in order, the same every time."""
    rows = list(generate.records(3_000, 0.3, 7))
    ours = [row for row in rows if row["loggedByService"] == scenes.SSPR]
    others = [row for row in rows if row["category"] != "UserManagement" or not row["resultReason"]]
    echoes = [
        row
        for row in others
        if row["activityDisplayName"]
        in (scenes.CORE_RESET, scenes.CORE_TOKENS, scenes.CORE_CHANGE, scenes.BLOCKED)
    ]
    times = [exports.wire_time(row, 7) for row in rows]

    assert len(rows) == 3_000
    assert len({row["id"] for row in rows}) == 3_000
    assert 0.25 < (len(others) - len(echoes)) / len(rows) < 0.35
    assert len(ours) / len({row["correlationId"] for row in ours}) > 5
    assert times == sorted(times)
    assert rows == list(generate.records(3_000, 0.3, 7))
    assert rows != list(generate.records(3_000, 0.3, 8))
