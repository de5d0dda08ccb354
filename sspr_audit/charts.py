"""Charts of flows: `from sspr_audit import charts`, then `charts.flows_per_day(flows)`.

Each takes a frame with the columns that its docstring names and returns a matplotlib Figure, which
a notebook shows after `%matplotlib inline`; `theme="dark"` is for dark pages. Nothing heavy is
imported before the first chart is asked for.
"""

from __future__ import annotations

from sspr_audit.report.charts import (
    at_signin_screen,
    by_address,
    flows_per_day,
    funnel,
    heat_map,
    write_png,
    write_svg,
)

__all__ = [
    "at_signin_screen",
    "by_address",
    "flows_per_day",
    "funnel",
    "heat_map",
    "write_png",
    "write_svg",
]
