"""Numbers and times as the sentences of signals say them."""

from __future__ import annotations

from datetime import datetime


def several(count: int, one: str, many: str = "") -> str:
    """Return the count with its noun, such as `1 flow` or `1,204 flows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def counted(people: int) -> str:
    """Return so many people, such as `1 person` or `1,204 people`."""
    return several(people, "person", "people")


def more_people(count: int) -> str:
    """Return so many people more, such as `1 more person` or `12 more people`."""
    return several(count, "more person", "more people")


def percent(share: float) -> str:
    """Return a share as a whole number of hundredths, never as 0 or 100 where it is neither."""
    whole = round(100 * share)
    if whole in {0, 100} and 0 < share < 1:
        return "under 1 %" if whole == 0 else "over 99 %"
    return f"{whole} %"


def day(time: datetime) -> str:
    """Return a time as a day with its hour, UTC."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def listed(parts: list[str]) -> str:
    """Return the parts with commas, and an "and" before the last."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
