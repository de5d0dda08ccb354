"""Under --pseudonymize no name comes out, in any form, and whoever is meant can be followed."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import jsonschema
import openpyxl
import pytest
import report_factory as factory
import report_hostile
from typer.testing import CliRunner

from sspr_audit import cli, knowledge, settings
from sspr_audit.errors import SettingsError
from sspr_audit.evidence import change
from sspr_audit.model import Scope, Skipped, Statement, TextCount, Unrecognized
from sspr_audit.report import (
    action_plan,
    as_json,
    flows_csv,
    markdown,
    pseudonyms,
    terminal,
    workbook,
)
from sspr_audit.tables import ACTS, EVENTS, FLOWS

EXPORTS = Path(__file__).parent.parent / "fixtures" / "graph"
KEY = bytes(range(32))
WORDS = pseudonyms.words(knowledge.load())
OURS = pseudonyms.Pseudonyms(KEY, WORDS)

UPN = "canary.karlsson@example.com"
ID = "00000000-0000-0000-0001-0000000c0a17"
DEVICE = "00000000-0000-0000-0002-0000000c0a17"
CANARY = "canary"


def shown(report, flows):
    """Return the report in every form that there is."""
    return {
        "json": as_json.render(report),
        "markdown": markdown.render(report, timezone=None),
        "csv": flows_csv.render(report.window, flows),
        "action-plan": action_plan.render(report, timezone=None),
        "xlsx": repr(cells(workbook.render(report, flows, timezone=None))),
        **{
            f"terminal {width} {verbose}": terminal.render(
                report, width=width, colour=False, timezone=None, verbose=verbose
            )
            for width in (80, 120)
            for verbose in (False, True)
        },
    }


def cells(raw):
    """Return all that stands in a workbook."""
    sheets = openpyxl.load_workbook(BytesIO(raw))
    return [row for sheet in sheets for row in sheet.iter_rows(values_only=True)]


def canary_flow():
    return factory.flow(
        3,
        1,
        person=ID,
        upn=UPN,
        outcome="failed",
        reason="Canary Karlsson is not a member of the password reset users group",
        reason_key="not-in-group",
        client="other:PC of Canary",
        client_type="PC of Canary",
        agent="SRV-CANARY-01",
        methods="mobile SMS, Canary's telephone",
    )


def canary_report():
    """Return a report, and its flows, with names in every field that can hold one."""
    flows = factory.frame(FLOWS, [canary_flow(), factory.flow(2, 0)])
    title, acted = UPN.title(), ("Canary Act", "Canary")
    evidence = (
        Statement("reason-stated", f"1 flow gives the reason: for {title}", 1, (title,)),
        Statement("changed-before", "“Canary Act” by Canary, 3 h before", UPN, acted),
        Statement("client", f"With client other:PC of Canary, {UPN}, {ID} stopped", DEVICE),
    )
    finding = factory.finding(
        scope=Scope(("Malmö",), (), ("other:PC of Canary",), (UPN, ID), (DEVICE, "model Slate 7")),
        evidence=evidence,
        against=evidence,
        confirm_with=(f"sign-ins of {UPN}",),
    )
    report = factory.report(
        flows=flows,
        findings=(finding,),
        account=factory.account(
            skipped=(Skipped("not JSON", 3, f"canary.json, record 17: {UPN}"),),
            files_ignored=("notes of canary.txt",),
        ),
        unrecognized=Unrecognized(
            (TextCount("Canary Karlsson, 070-1740605", 1),),
            (TextCount("PC of Canary", 4),),
            (TextCount(f"Reset {UPN}", 1),),
        ),
        changed=change.measured(
            flows, at=factory.at(0.5), first=factory.at(0), end=factory.at(100)
        ),
    )
    report = replace(report, reasons=(replace(report.reasons[0], reason=f"Reason: {UPN}"),))
    return report, flows


def test_no_name_comes_out_in_any_form():
    """Names of people and devices, their ids, and words that nobody knows are replaced."""
    report, flows = canary_report()
    clear = shown(report, flows)
    told = shown(pseudonyms.report(report, OURS, flows), pseudonyms.frame(flows, OURS))

    jsonschema.validate(json.loads(told["json"]), as_json.schema())

    for form, text in told.items():
        low = text.lower()
        assert CANARY in clear[form].lower()
        assert [one for one in (CANARY, "karlsson", "0c0a17", "1740605") if one in low] == [], form


def test_acts_lose_their_names_too():
    """Who did it, and to whom, is nobody's to read."""
    act = factory.act(1, 1, person=ID, upn=UPN, actor="Canary Karlsson", agent="CANARY")
    told = pseudonyms.frame(factory.frame(ACTS, [act]), OURS)

    assert CANARY not in told.to_csv().lower()
    assert list(told.dtypes) == list(factory.frame(ACTS, [act]).dtypes)


def test_events_lose_their_names_and_keep_their_story():
    """A time line still tells what happened when, to a pseudonym."""
    names = ("activity", "reason", "result", "method", "service", "actor", "agent")
    named = dict.fromkeys(names, "by Canary") | {"person": ID, "upn": UPN, "client": "other:Canary"}
    known = factory.event(1, "f", 1, reason="User submitted a new password", method="mobile SMS")
    before = factory.frame(EVENTS, [known, factory.event(2, "f", 2, **named)])
    told = pseudonyms.frame(before, OURS)

    assert CANARY not in told.to_csv().lower()
    assert told.iloc[0].dropna().to_dict() == before.iloc[0].dropna().to_dict()
    assert list(told.dtypes) == list(before.dtypes)


def test_what_is_no_name_stays():
    """Places, products, counts, times, flow ids, known reasons and the program's words stay."""
    report, flows = canary_report()
    told = pseudonyms.report(report, OURS, flows)
    rows = pseudonyms.frame(flows, OURS)
    same = [name for name in FLOWS.columns if rows[name].equals(flows[name])]

    assert told.by_site == report.by_site
    assert told.findings[0].scope.sites == ("Malmö",)
    assert "model Slate 7" in told.findings[0].scope.devices
    assert told.totals == report.totals
    assert {"flow_id", "start_utc", "outcome", "site", "ip", "step", "echo_id"} <= set(same)
    assert OURS.text("User completed the mobile SMS verification option") == (
        "User completed the mobile SMS verification option"
    )
    assert OURS.text("Canary is not a member of the password reset users group").endswith(
        " is not a member of the password reset users group"
    )


def test_flow_ids_in_a_sentence_stay():
    """Examples can still be looked up where the log is."""
    report, flows = canary_report()
    text = f"For example {flows['flow_id'][0]}: `sspr-audit flow ID` tells one"
    finding = replace(report.findings[0], evidence=(Statement("examples", text),))
    told = pseudonyms.report(replace(report, findings=(finding,)), OURS, flows)

    assert told.findings[0].evidence[0].statement == text


def test_one_name_is_one_pseudonym_wherever_it_stands():
    """The person of a finding can be found in the CSV, however the name is written."""
    report, flows = canary_report()
    told = pseudonyms.report(report, OURS, flows)
    row = pseudonyms.frame(flows, OURS).iloc[0]

    assert {row["upn"], row["person"]} == set(told.findings[0].scope.users)
    assert OURS.person(UPN.upper()) == OURS.person(UPN)
    assert row["upn"] in told.findings[0].evidence[0].statement


def test_a_person_known_by_name_and_by_id_is_one():
    """The object id has the name's pseudonym, in every column and sentence, and tells nothing."""
    flows = factory.frame(FLOWS, [factory.flow(1, 1, person=ID, upn=UPN.upper())])
    one = pseudonyms.Pseudonyms(KEY, WORDS, pseudonyms.names(flows))
    said = factory.finding(evidence=(Statement("x", f"{ID} is {UPN}", None),), scope=Scope())
    told = pseudonyms.report(factory.report(findings=(said,)), one, flows)
    row = pseudonyms.frame(flows, one).iloc[0]

    assert row["person"] == row["upn"] == OURS.person(UPN)
    assert told.findings[0].evidence[0].statement == f"{row['upn']} is {row['upn']}"
    assert CANARY not in repr(one)


@pytest.mark.parametrize("doubt", [(ID, "b@example.com"), (DEVICE, UPN)])
def test_who_may_be_two_people_stays_two(doubt):
    """A name that passed to somebody else, or an id that was renamed, joins nobody."""
    rows = [factory.flow(1, 1, person=ID, upn=UPN)]
    rows += [factory.flow(2, 2, person=doubt[0], upn=doubt[1])]
    flows = factory.frame(FLOWS, rows)
    people = pseudonyms.frame(flows, replace(OURS, names=pseudonyms.names(flows)))

    assert pseudonyms.names(flows) == {}
    assert people["person"].str.startswith("id-").all()
    assert people["person"].nunique() == len({ID, doubt[0]})


def test_another_key_gives_other_pseudonyms():
    """Without the key nobody can tell whose a pseudonym is, or whether two reports share one."""
    other = pseudonyms.Pseudonyms(bytes(32), WORDS)
    names = [f"user{number}@example.com" for number in range(2_000)]

    assert len({one.person(name) for name in names for one in (OURS, other)}) == 4_000
    assert OURS.person(UPN) == pseudonyms.Pseudonyms(KEY, WORDS).person(UPN)
    assert KEY.hex() not in repr(OURS)
    assert str(KEY) not in repr(OURS)


def test_order_tells_no_name():
    """People stand in the order of their pseudonyms."""
    users = tuple(f"user{number:02}@example.com" for number in range(20))
    report = factory.report(findings=(factory.finding(scope=Scope(users=users)),))
    told = pseudonyms.report(report, OURS, factory.flows()).findings[0].scope.users

    assert list(told) == sorted(map(OURS.person, users))


@pytest.mark.parametrize("name", report_hostile.TEXTS)
def test_hostile_names_are_replaced_too(name):
    """Whatever a name is made of, it is replaced and breaks nothing."""
    report = report_hostile.poisoned(report_hostile.TEXTS[name])
    told = pseudonyms.report(report, OURS, factory.flows())

    assert json.loads(as_json.render(told))["pseudonymized"] is True
    assert len(told.findings) == len(report.findings)


def test_nothing_is_the_same_without_names():
    """An empty report stays one."""
    flows = factory.frame(FLOWS, [])
    told = pseudonyms.report(factory.empty(), OURS, flows)

    assert told == replace(factory.empty(), is_pseudonymized=True, account=told.account)
    assert pseudonyms.frame(flows, OURS).equals(flows)


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path):
    """It lies beside the settings, and nobody else can read it."""
    place = tmp_path / "new" / "settings.toml"
    key = settings.pseudonym_key(place)
    file = place.with_name("pseudonyms.key")

    assert len(key) == 32
    assert settings.pseudonym_key(place) == key
    assert [one.name for one in file.parent.iterdir()] == ["pseudonyms.key"]
    assert os.name != "posix" or stat.S_IMODE(file.stat().st_mode) == 0o600


def test_many_who_make_the_key_at_once_get_one(tmp_path):
    """Two first runs at the same time do not give one person two pseudonyms."""
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: settings.pseudonym_key(tmp_path / "s.toml"), range(32)))

    assert len(set(keys)) == 1


@pytest.mark.parametrize("text", ["", "00" * 31, "zz" * 32, "\ud800"])
def test_a_broken_key_is_no_key(tmp_path, text):
    """A file that was cut or edited is named, its text is not, and it is never written over."""
    file = tmp_path / "pseudonyms.key"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    file.chmod(0o600)
    before = file.read_bytes()

    with pytest.raises(SettingsError, match="holds no key") as raised:
        settings.pseudonym_key(tmp_path / "settings.toml")
    assert not text or text not in str(raised.value)
    assert file.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="rights of a file are told otherwise there")
def test_a_key_that_others_read_is_refused(tmp_path):
    """Whoever holds the key can tell every name."""
    settings.pseudonym_key(tmp_path / "settings.toml")
    (tmp_path / "pseudonyms.key").chmod(0o640)

    with pytest.raises(SettingsError, match="chmod 600"):
        settings.pseudonym_key(tmp_path / "settings.toml")


def run(*words):
    """Run the command; return what it said and its exit code."""
    done = CliRunner().invoke(cli.app, list(words))
    return done.stdout, done.stderr, done.exit_code


def test_the_command_names_nobody_twice_the_same(tmp_path):
    """Two runs of the same give the same bytes, and neither the key nor a name is told."""
    config = tmp_path / "settings.toml"
    config.write_text("", "utf-8")
    words = ("report", "--input", str(EXPORTS), "--pseudonymize", "--format", "csv")
    words = (*words, "--config", str(config))
    first, talk, code = run(*words)
    key = Path(tmp_path / "pseudonyms.key").read_text("ascii").strip()

    assert code == 0
    assert run(*words)[0] == first
    assert "@example.com" not in first
    assert "person-" in first
    assert key not in first + talk
