"""Flows made by hand for charts, and the pictures that charts of them have to resemble.

    python tests/report_pictures.py

draws the pictures in tests/charts anew. Run it after the looks have changed, and look at them.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "charts"
CHARTS = ("flows_per_day", "at_signin_screen", "funnel", "heat_map", "by_address")
DPI = 60
"""Small, because it is the picture that is promised and not its finish."""


def flows() -> pd.DataFrame:
    """Return 300 flows over ten days from three sites, one of which has no sign-in screen."""
    number = np.arange(300)
    site = np.array(["Malmö", "Lund", "Kiruna"])[number % 3]
    client = np.array(["browser", "windows-signin", "not-recorded"])[number // 3 % 3]
    client = np.where((site == "Lund") & (client == "windows-signin"), "other:Kiosk 9", client)
    ends = np.array(["succeeded", "failed", "abandoned", "succeeded", "blocked", "cancelled"])
    outcome = np.where(number == 299, "open", ends[number // 9 % 6])
    rank = {"succeeded": 80, "failed": 60, "abandoned": 20, "blocked": 10}
    return pd.DataFrame(
        {
            "start_utc": pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(number * 48, "min"),
            "site": pd.Series(site).where(number % 7 > 0),
            "client": client,
            "outcome": outcome,
            "stage": [rank.get(one, 30) for one in outcome],
            "ip_group": pd.Series([f"192.0.2.{one % 16}" for one in number]).where(number % 29 > 0),
        }
    )


def picture(name: str, theme: str) -> bytes:
    """Return a chart of the flows as PNG."""
    from sspr_audit import charts

    return charts.write_png(getattr(charts, name)(flows(), theme=theme), dpi=DPI)


def pixels(png: bytes) -> np.ndarray:
    """Return the picture as numbers from 0 to 1."""
    from matplotlib.image import imread

    return np.asarray(imread(BytesIO(png)))[..., :3]


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    for name in CHARTS:
        for theme in ("light", "dark"):
            (FOLDER / f"{name}-{theme}.png").write_bytes(picture(name, theme))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
