"""Which device a flow was most likely made on or for, and how strong that link is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sspr_audit.model import Context
from sspr_audit.tables import SIGN_INS, Column, Table

if TYPE_CHECKING:
    import pandas as pd

FLOW_DEVICES: Final = Table(
    "flow_devices",
    flow_id=Column("str", "as in flows"),
    device_id=Column("str", "id of the device, in lower case; null where none is likely"),
    trust=Column("str", "hybrid, joined or registered; null where nothing says"),
    os=Column("str", "operating system as written"),
    os_version=Column("str", "its version as written"),
    maker=Column("str", "manufacturer as written"),
    model=Column("str", "model as written"),
    link=Column("str", "why this device, one of LINKS"),
    rank=Column("Int64", "place of that in LINKS, 1 for the strongest"),
)

LINKS: Final = (
    "it signed the person in from the same address within minutes of the flow",
    "it was the last to sign the person in to Windows before, from the same address",
    "it was the last to sign the person in to Windows in the 14 days before",
    "it is the only Windows device that the person is known to have",
)
"""How strong a link is, the strongest first, in words."""

NEAR_MIN: Final = 10
"""Minutes from a flow within which a sign-in from its address belongs to it."""

RECENT_DAYS: Final = 14
"""Days for which the last device that a person used says where the next reset is needed."""


def of_flows(flows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return a row of FLOW_DEVICES for each flow, in their order."""
    import pandas as pd

    if context.sign_ins is None and context.devices is None and context.managed is None:
        return FLOW_DEVICES.empty().reindex(flows.index).assign(flow_id=flows["flow_id"])
    signed = _of_windows(context)
    asked = _keyed(flows[["flow_id", "person", "ip_group", "start_utc", "end_utc"]], signed)
    own = _own_sign_in(asked, signed)
    links = [
        own,
        _last(asked, signed[signed["of_windows"]], ["who", "where"]),
        _last(asked, signed[signed["of_windows"]], ["who"]),
        asked["person"].map(_only_ones(context, signed)),
    ]
    found = pd.DataFrame({"device_id": pd.Series(index=asked.index, dtype="str")})
    rank = pd.Series(pd.NA, index=asked.index, dtype="Int64")
    for place, link in enumerate(links, start=1):
        fits = found["device_id"].isna() & link.notna()
        found.loc[fits, "device_id"] = link[fits]
        rank[fits] = place
    words = rank.map(dict(enumerate(LINKS, start=1)))
    told = found["device_id"].to_frame().join(_about(context, signed), on="device_id")
    told = told.assign(flow_id=asked["flow_id"], link=words, rank=rank)
    told = told.loc[flows.index]
    return told.astype({name: one.dtype for name, one in FLOW_DEVICES.columns.items()})[
        list(FLOW_DEVICES.columns)
    ]


def windows(os: pd.Series[str]) -> pd.Series[bool]:
    """Return which operating systems are Windows."""
    return os.str.lower().str.startswith("windows", na=False)


def _of_windows(context: Context) -> pd.DataFrame:
    """Return the sign-ins that a known Windows device made for a known person, by time."""
    every = SIGN_INS.empty() if context.sign_ins is None else context.sign_ins
    columns = ["time_utc", "sign_in_id", "person", "ip_group", "device_id", "of_windows"]
    ours = every["device_id"].notna() & every["person"].notna()
    ours &= every["of_windows"] | windows(every["os"])
    return _in_order(every.loc[ours, [*columns, "trust", "os"]])


def _in_order(signed: pd.DataFrame) -> pd.DataFrame:
    """Return sign-ins by time, those of one time by id: texts take long to sort, and few tie."""
    import pandas as pd

    tied = signed["time_utc"].duplicated(keep=False)
    ordered = [signed[~tied], signed[tied].sort_values("sign_in_id")]
    return pd.concat(ordered).sort_values("time_utc", kind="stable", ignore_index=True)


def _keyed(flows: pd.DataFrame, signed: pd.DataFrame) -> pd.DataFrame:
    """Return the flows by time; both frames get numbers for person and address, -1 for none.

    Numbers are far quicker to compare than texts; devices of sign-ins get them too.
    """
    import pandas as pd

    count = len(signed)
    for name, key in (("person", "who"), ("ip_group", "where")):
        codes, _ = pd.factorize(pd.concat([signed[name], flows[name]], ignore_index=True))
        signed[key] = codes[:count]
        flows = flows.assign(**{key: codes[count:]})
    signed["device"] = pd.factorize(signed["device_id"])[0]
    return flows.sort_values(["start_utc", "flow_id"])


def _last(
    asked: pd.DataFrame, signed: pd.DataFrame, by: list[str], *, minutes: float | None = None
) -> pd.Series[str]:
    """Return the device of the last sign-in before each flow that is alike in `by`."""
    import pandas as pd

    span = pd.Timedelta(minutes=minutes) if minutes else pd.Timedelta(days=RECENT_DAYS)
    return _joined(asked, signed, by, "backward", span)["device_id"]


def _joined(
    asked: pd.DataFrame,
    signed: pd.DataFrame,
    by: list[str],
    direction: str,
    span: pd.Timedelta | None,
) -> pd.DataFrame:
    import pandas as pd

    known = (asked[by] >= 0).all(axis="columns")
    right = signed[(signed[by] >= 0).all(axis="columns")]
    if right.empty or not known.any():  # pandas cannot take from a text column without any part
        return right[["time_utc", "device_id"]].head(0).reindex(asked.index)
    found = pd.merge_asof(
        asked.loc[known, ["start_utc", *by]].reset_index(),
        right[["time_utc", "device_id", *by]],
        left_on="start_utc",
        right_on="time_utc",
        by=by,
        direction=direction,  # type: ignore[arg-type]
        tolerance=span,
    ).set_index("index")
    return found[["time_utc", "device_id"]].reindex(asked.index)


def _own_sign_in(asked: pd.DataFrame, signed: pd.DataFrame) -> pd.Series[str]:
    """Return the device of the sign-in beside each flow: the nearest to its start, from there."""
    import pandas as pd

    near = pd.Timedelta(minutes=NEAR_MIN)
    before = _joined(asked, signed, ["who", "where"], "backward", near)
    after = _joined(asked, signed, ["who", "where"], "forward", None)
    fits = after["time_utc"] <= asked["end_utc"] + near
    nearer = asked["start_utc"] - before["time_utc"] <= after["time_utc"] - asked["start_utc"]
    take = before["device_id"].notna() & (nearer | ~fits)
    return before["device_id"].where(take, after["device_id"].where(fits))


def _only_ones(context: Context, signed: pd.DataFrame) -> pd.Series[str]:
    """Return the Windows device of each person who has exactly one, by all that is known."""
    import pandas as pd

    known = [
        signed.loc[~signed[["who", "device"]].duplicated(), ["person", "device_id"]],
    ]
    if context.devices is not None:
        owned = context.devices[windows(context.devices["os"])]
        known.append(owned[["owner", "device_id"]].rename(columns={"owner": "person"}))
    if context.managed is not None:
        # Intune's versions of Windows begin so, and those of nothing else do.
        of_windows = context.managed["os_version"].str.startswith("10.0.", na=False)
        known.append(context.managed.loc[of_windows, ["person", "device_id"]])
    pairs = pd.concat(known, ignore_index=True).dropna().drop_duplicates()
    return pairs[~pairs["person"].duplicated(keep=False)].set_index("person")["device_id"]


def _about(context: Context, signed: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each device, by its id; the directory before the sign-ins."""
    last = signed.groupby("device")[["trust", "os"]].last()
    names = signed.drop_duplicates("device").set_index("device")["device_id"]
    about = last.join(names).set_index("device_id")
    about = about.assign(os_version=None, maker=None, model=None)
    if context.managed is not None:
        about = context.managed.set_index("device_id")[
            ["os_version", "maker", "model"]
        ].combine_first(about)
    if context.devices is not None:
        columns = ["trust", "os", "os_version"]
        about = context.devices.set_index("device_id")[columns].combine_first(about)
    return about[["trust", "os", "os_version", "maker", "model"]]
