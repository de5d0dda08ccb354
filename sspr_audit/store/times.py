"""Times as the store's columns hold them, which have no zone and are UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def naive(time: datetime) -> datetime:
    """Return a time with a zone as a column holds it."""
    return time.astimezone(UTC).replace(tzinfo=None)


def aware(time: datetime) -> datetime:
    """Return what a column holds with its zone."""
    return time.replace(tzinfo=UTC)
