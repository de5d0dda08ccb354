"""What comes after a success: the next reset, an administrator's, a block, and sign-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import reach
from sspr_audit.evidence.material import SCREENS, Material
from sspr_audit.tables import SIGN_INS

if TYPE_CHECKING:
    import pandas as pd

BROWSER: Final = "browser"
"""The side of all successes that were not at the sign-in screen, as far as is recorded."""

NOT_HYBRID: Final = "outside, not on a hybrid device"
"""The side of those outside whom a look at hybrid devices alone leaves out."""

SUBMITTED: Final = 60
"""The stage from which on a flow has asked for a password to be changed."""


def heads(material: Material) -> pd.DataFrame:
    """Return a row for each success that is not itself the aftermath of another, by time.

    Columns of flows, `side` (inside, outside or unknown for the sign-in screen, else browser),
    `again_utc` and `how` of what came next within the span that counts, and `hit`, whether
    anything did. Successes whose aftermath lies past the end of the data are left out.
    """
    import pandas as pd

    span = pd.Timedelta(hours=material.numbers["aftermath_h"])
    flows = material.flows.dropna(subset=["person"]).sort_values(["end_utc", "flow_id"])
    done = flows[flows["outcome"] == "succeeded"]
    before = done.groupby("person")["end_utc"].shift()
    is_head = before.isna() | (done["start_utc"] - before > span)
    whole = done["end_utc"] + span <= pd.Timestamp(material.until)
    made = _followed(done[is_head & whole], _troubles(flows, material.acts), span)
    screen = made["client"].isin(SCREENS)
    side = reach.sided(material, made["place"]).where(screen, BROWSER)
    return made.assign(side=side, hit=made["again_utc"].notna())


def _troubles(flows: pd.DataFrame, acts: pd.DataFrame) -> pd.DataFrame:
    """Return when whose account was in need again, and of what."""
    import pandas as pd

    blocked = flows["outcome"] == "blocked"
    tried = flows[blocked | (flows["stage"] >= SUBMITTED)]
    again = pd.DataFrame(
        {
            "person": tried["person"],
            "again_utc": tried["start_utc"],
            "how": blocked[tried.index].map({True: "blocked", False: "reset again"}),
        }
    )
    by_admin = acts[(acts["kind"] == "admin-reset") & acts["outcome"].ne("failed")]
    by_admin = by_admin.dropna(subset=["person"])
    helped = pd.DataFrame(
        {
            "person": by_admin["person"],
            "again_utc": by_admin["time_utc"],
            "how": "reset by an administrator",
        }
    )
    every = pd.concat([again, helped], ignore_index=True)
    return every.astype({"how": "str"}).sort_values(["again_utc", "person", "how"])


def _followed(done: pd.DataFrame, troubles: pd.DataFrame, span: pd.Timedelta) -> pd.DataFrame:
    import pandas as pd

    first = troubles.drop_duplicates(["person", "again_utc"])
    if done.empty or first.empty:  # pandas cannot take from a text column without any part
        never = pd.Series(pd.NaT, index=done.index, dtype=first["again_utc"].dtype)
        return done.assign(again_utc=never, how=pd.Series(index=done.index, dtype="str"))
    found = pd.merge_asof(
        done.assign(asked_utc=done["end_utc"]),
        first.assign(asked_utc=first["again_utc"]),
        on="asked_utc",
        by="person",
        direction="forward",
        tolerance=span,
        allow_exact_matches=False,
    )
    return found.drop(columns="asked_utc")


def with_devices(material: Material, found: pd.DataFrame) -> pd.DataFrame:
    """Return the successes with their device: columns device_id, trust, rank of the link."""
    linked = material.owned[["flow_id", "device_id", "trust", "rank"]]
    return found.merge(linked, on="flow_id", how="left")


def watched(material: Material, found: pd.DataFrame, hours: float) -> pd.Series[bool]:
    """Return for which successes every sign-in of so many hours after is known."""
    import pandas as pd

    nobody = pd.Series(data=False, index=found.index)
    spans = material.context.watched
    if material.context.sign_ins is None or spans is None or spans.empty or found.empty:
        return nobody
    until = found["end_utc"] + pd.Timedelta(hours=hours)
    return _covered(found, spans[spans["person"].isna()], until, by=None) | _covered(
        found, spans[spans["person"].notna()], until, by="person"
    )


def _covered(
    found: pd.DataFrame, spans: pd.DataFrame, until: pd.Series[pd.Timestamp], *, by: str | None
) -> pd.Series[bool]:
    """Return which times lie whole in the span that began last before them."""
    import pandas as pd

    if spans.empty:
        return pd.Series(data=False, index=found.index)
    asked = found[["person", "end_utc"]].rename(columns={"end_utc": "asked_utc"})
    asked = asked.reset_index().sort_values(["asked_utc", "index"])
    ordered = spans.sort_values(["start_utc", "end_utc"])
    if by is None:
        ordered = ordered.drop(columns="person")
    last = pd.merge_asof(asked, ordered, left_on="asked_utc", right_on="start_utc", by=by)
    ends = last.set_index("index")["end_utc"].reindex(found.index)
    return ends >= until


def signed_after(material: Material, found: pd.DataFrame) -> pd.DataFrame:
    """Return the sign-ins of the person after each success, as far as they count, by time.

    Columns of sign-ins, with those of the success as `flow_id`, `end_utc`, `again_utc`, `at` (its
    address), `its_device` and `after_min`.
    """
    import pandas as pd

    signed = material.context.sign_ins
    signed = SIGN_INS.empty() if signed is None else signed
    span = pd.Timedelta(hours=material.numbers["aftermath_h"])
    about = found[["flow_id", "person", "end_utc", "again_utc", "ip_group", "device_id"]].rename(
        columns={"ip_group": "at", "device_id": "its_device"}
    )
    near = signed[signed["person"].isin(about["person"])].merge(about, on="person")
    after = near["time_utc"] - near["end_utc"]
    near = near.assign(after_min=after.dt.total_seconds() / 60)
    inside = (after > pd.Timedelta(0)) & (after <= span)
    return near[inside].sort_values(["time_utc", "sign_in_id", "flow_id"])


def of_device(after: pd.DataFrame) -> pd.Series[bool]:
    """Return which of these sign-ins opened Windows, or tried to, on the device of the success.

    One that names no device may be it.
    """
    same = after["device_id"].isna() | after["its_device"].isna()
    same |= after["device_id"].eq(after["its_device"])
    return after["of_windows"] & same


def told(found: pd.DataFrame, after: pd.DataFrame) -> pd.Series[bool]:
    """Return which successes have one of these sign-ins."""
    return found["flow_id"].isin(after["flow_id"])
