"""Run the program over one simulated tenant, whole or with an input removed."""

from __future__ import annotations

import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from benchmarks import peer
from benchmarks.scoring import LEVELS, Found, Scored, matches, scored
from benchmarks.simulator import Label, Recipe, Simulated, tenant
from sspr_audit import knowledge, settings
from sspr_audit.model import Finding, Site, Suspicion
from sspr_audit.pipeline import report
from sspr_audit.pipeline.analysis import Options
from sspr_audit.sources import exports

CUTS: Final = ("signIns", "devices", "clientType", "context", "csv")
"""Inputs that can be removed; `csv` leaves the admin centre's CSV alone and no context."""

_CUT_KINDS: Final = {
    "signIns": {"signIns"},
    "devices": {"devices", "managedDevices"},
    "context": {
        *("signIns", "devices", "managedDevices", "namedLocations", "userRegistrationDetails"),
    },
}
_CUT_KINDS["csv"] = _CUT_KINDS["context"]


@dataclass(frozen=True, slots=True)
class Task:
    """A tenant to make and to judge."""

    seed: int
    recipe: Recipe
    cut: str | None = None
    weeks_back: int = 0
    """How many weeks before the end of the data the report is made."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tenant judged; its records are let go."""

    task: Task
    labels: tuple[Label, ...]
    found: tuple[Scored, ...]
    peer: tuple[peer.Row, ...]
    records: int
    traits: dict[str, Any]
    seconds: float
    families: dict[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every finding for a file, with its signals and whether it is right."""
        for one in self.found:
            yield one.found.as_row() | {
                "tenant": f"{self.task.recipe.name}-{self.task.seed}",
                "weeks_back": self.task.weeks_back,
                "planted": list(self.task.recipe.plants),
                "distractors": list(self.task.recipe.distractors),
                "kind": one.kind,
                "right": one.right,
                "over": list(one.over),
            }

    def label_rows(self) -> Iterator[dict[str, Any]]:
        """Yield every label for a file, with the best that was said of it."""
        for label in self.labels:
            hits = [one.found for one in self.found if matches(one.found, label, self.families)]
            yield asdict(label) | {
                "tenant": f"{self.task.recipe.name}-{self.task.seed}",
                "distractors": list(self.task.recipe.distractors),
                "traits": self.traits,
                "found": min((one.confidence for one in hits), key=LEVELS.index, default=None),
            }


@cache
def known() -> knowledge.Knowledge:
    """Return the catalogue, read once a process."""
    return knowledge.load()


def run(task: Task) -> Outcome:
    """Make the tenant, let the program and the baseline judge it, and score both."""
    made = earlier(tenant(task.seed, task.recipe), task.weeks_back)
    families = {one.id: tuple(one.members) for one in known().families.values()}
    stated = frozenset(said for at, said in made.stated if made.window[0] <= at < made.window[1])
    began = time.perf_counter()
    try:
        findings = judged(made, task.cut)
    except Exception as error:
        error.add_note(f"seed {task.seed}, {task.recipe}, {task.weeks_back} weeks back")
        raise
    return Outcome(
        task=task,
        labels=made.labels,
        found=tuple(scored(one, made.labels, stated, families) for one in findings),
        peer=tuple(peer.rows(made)),
        records=len(made.records),
        traits=dict(made.traits),
        seconds=time.perf_counter() - began,
        families=families,
    )


def earlier(made: Simulated, weeks: int) -> Simulated:
    """Return the tenant as it was some weeks ago; only healthy ones, whose labels say nothing."""
    if not weeks:
        return made
    now = made.now - timedelta(weeks=weeks)
    edge = now.isoformat()[:19]
    kept = tuple(one for one in made.records if one["activityDateTime"] < edge)
    signed = [r for r in made.context.get("signIns", []) if r["createdDateTime"] < edge]
    context = dict(made.context) | ({"signIns": signed} if "signIns" in made.context else {})
    window = (now - timedelta(days=7), now)
    return replace(made, records=kept, context=context, now=now, window=window)


def judged(made: Simulated, cut: str | None = None) -> tuple[Found, ...]:
    """Return what the program finds in the tenant's week."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(made, cut, folder)
        done = report.from_files([str(folder)], _options(made))
    raised = {
        (one.suspicion.target, one.suspicion.scope): one.suspicion for one in done.judged.judgements
    }
    return tuple(
        _plain(one, raised.get((one.family or one.cause, one.scope)))
        for one in done.report.findings
    )


def write(made: Simulated, cut: str | None, folder: Path) -> None:
    """Write the tenant's data into a folder, less what is cut, in the forms that Graph gives."""
    records = made.records
    if cut == "clientType":
        records = tuple(_without_client_type(one) for one in records)
    if cut == "csv":
        exports.write(folder / "AuditLogs.csv", exports.portal_csv(records))
    else:
        exports.write(folder / "directoryAudits.ndjson", exports.ndjson(records))
    for kind, rows in made.context.items():
        if rows and kind not in _CUT_KINDS.get(cut or "", ()):
            exports.write(folder / f"{kind}.ndjson", exports.ndjson(rows))


def _without_client_type(record: dict[str, Any]) -> dict[str, Any]:
    details = [one for one in record["additionalDetails"] if one["key"] != "ClientType"]
    return {**record, "additionalDetails": details}


def _options(made: Simulated) -> Options:
    ours = settings.checked(tomllib.loads(made.settings), file=None)
    sites = (Site(s.name, tuple(map(str, s.networks)), s.dc_reachable) for s in ours.sites)
    return Options(
        knowledge=known(),
        now=made.now,
        generated_at=made.now,
        start=made.window[0],
        end=made.window[1],
        sites=tuple(sites),
        client_types=ours.client_types,
        flow_timeout=ours.analysis.flow_timeout,
    )


def _plain(one: Finding, raised: Suspicion | None) -> Found:
    return Found(
        cause=one.cause,
        family=one.family,
        confidence=one.confidence.value,
        sites=one.scope.sites,
        ips=one.scope.ips,
        users=one.scope.users,
        clients=one.scope.clients,
        people=one.users,
        first_seen=one.first_seen,
        last_seen=one.last_seen,
        signals=tuple((s.signal, s.value) for s in one.evidence),
        against=tuple((s.signal, s.value) for s in one.against),
        rivals=tuple(rival.cause for rival in one.rivals),
        states=tuple((s.id, s.state.value) for s in raised.signals) if raised else (),
        flows=frozenset(raised.flow_ids) if raised else frozenset(),
    )
