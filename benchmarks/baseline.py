"""Count password resets the way people do it today: json.loads, json_normalize, apply, groupby.

    python benchmarks/baseline.py FILE.ndjson[.gz]

This is the peer that the package is measured against. It reads Graph's form.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pandas as pd

FLOW_ACTIVITIES = [
    "Self-service password reset flow activity progress",
    "Self-serve password reset flow activity progress",
    "Reset password (self-service)",
    "Unlock user account (self-service)",
    "Blocked from self-service password reset",
]


def load(path: Path) -> pd.DataFrame:
    """Return one row for each line, nested objects as dotted columns."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return pd.json_normalize([json.loads(line) for line in file])


def client_type(details: list[dict[str, str]]) -> str:
    """Return the value of ClientType."""
    for detail in details:
        if detail["key"] == "ClientType":
            return detail["value"]
    return "not recorded"


def person(targets: list[dict[str, str]]) -> str | None:
    """Return whom the event is about."""
    return targets[0]["id"] if targets else None


def main() -> None:
    """Print outcomes, clients, addresses and reasons."""
    events = load(Path(sys.argv[1]))
    events["time"] = pd.to_datetime(events["activityDateTime"], format="ISO8601")
    events["client"] = events["additionalDetails"].apply(client_type)
    events["person"] = events["targetResources"].apply(person)
    events["ip"] = events["initiatedBy.user.ipAddress"]

    steps = events[events["activityDisplayName"].isin(FLOW_ACTIVITIES)].sort_values("time")
    steps = steps.assign(
        done=steps["resultReason"].eq("User successfully reset password"),
        failed=steps["result"].eq("failure"),
    )
    flows = steps.groupby("correlationId").agg(
        start=("time", "min"),
        person=("person", "first"),
        ip=("ip", "first"),
        client=("client", "first"),
        last=("resultReason", "last"),
        done=("done", "any"),
        failed=("failed", "any"),
    )
    print(f"{len(events)} events, {len(flows)} flows, {flows['person'].nunique()} people")
    print(flows.groupby(["done", "failed"]).size().to_string())
    print(flows.groupby("client").agg(flows=("done", "size"), done=("done", "sum")).to_string())
    by_ip = (
        flows[~flows["done"]]
        .groupby("ip")
        .agg(flows=("done", "size"), people=("person", "nunique"))
    )
    print(by_ip.sort_values(["people", "flows"], ascending=False).head(20).to_string())
    reasons = (
        steps[steps["failed"]]
        .groupby("resultReason")
        .agg(flows=("correlationId", "nunique"), people=("person", "nunique"))
    )
    print(reasons[reasons["people"] >= 3].to_string())  # noqa: PLR2004 - one or two are chance


if __name__ == "__main__":
    main()
