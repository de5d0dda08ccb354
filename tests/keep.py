"""What the tests of the store share: a keeper, fixtures by form, and the store laid open."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sspr_audit import engine
from sspr_audit.pipeline import importing
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.tables import AUDIT

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
AUDIT_FILES = sorted(
    str(path.relative_to(FIXTURES))
    for folder in ("graph", "portal", "diagnostic", "loganalytics")
    for path in (FIXTURES / folder).iterdir()
)
CONTEXT_FILES = sorted(f"context/{path.name}" for path in (FIXTURES / "context").iterdir())
NOW = datetime(2026, 11, 3, tzinfo=UTC)
TENANT = "00000000-0000-0000-0000-000000000001"


def keeper(folder, *, said=None, wait=timedelta(), now=NOW):
    """Return the keeper of the store in a folder; `said` is a list for its talk."""
    talk = (lambda _: None) if said is None else said.append
    return Keeper(Path(folder) / "store.duckdb", now, talk, wait)


def brought(keeper, *names, tenant_id=None):
    """Import fixtures, or files by their full path."""
    return importing.import_files(
        keeper, [str(FIXTURES / name) for name in names], tenant_id=tenant_id
    )


def laid_open(keeper, *without):
    """Return the audit rows as a sorted list of what was derived from each record."""
    columns = [name for name in AUDIT if name not in without]
    with engine.database(keeper.path, read_only=True) as connection:
        query = f"SELECT {', '.join(columns)} FROM audit ORDER BY ALL"  # noqa: S608
        return engine.rows(connection, query)


def context(keeper):
    """Return kind and hash of the context records, sorted."""
    with engine.database(keeper.path, read_only=True) as connection:
        return engine.rows(connection, "SELECT kind, sha256 FROM context ORDER BY ALL")


def texts(keeper):
    """Return the raw text of every record in the store, with its hash."""
    return [
        pair
        for batch in keeper.store.batches()
        for pair in zip(batch.texts.to_pylist(), batch.rows["sha256"].to_pylist(), strict=True)
    ]


def settings(folder, **sections):
    """Write a settings file whose store lies beside it; return its path."""
    sections.setdefault("store", {})["path"] = "store.duckdb"
    lines = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    path = Path(folder) / "settings.toml"
    path.write_text("\n".join(lines))
    return path


def command(*args, **more):
    """Return what it takes to run the program as a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **more.pop("env", {})}
    return {"args": [sys.executable, "-m", "sspr_audit", *map(str, args)], "env": env, **more}


def ran(*args, **more):
    """Run the program as a process of its own, to its end; stdout and stderr come as bytes."""
    return subprocess.run(check=False, **command(*args, capture_output=True, timeout=60, **more))
