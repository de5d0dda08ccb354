"""The bar over the time that a fetch has covered, for people at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sspr_audit.model import Clock
    from sspr_audit.pipeline.fetching import SoFar

HOUR = 3600


@contextmanager
def drawn(clock: Clock, *, shown: bool) -> Iterator[Callable[[SoFar], None]]:
    """Yield what draws the bar on stderr, from the first on; nothing where not `shown`.

    Nothing of it is left on the screen at the end. What is told meanwhile stands above it.
    """
    if not shown:
        yield lambda _: None
        return
    from rich import progress
    from rich.console import Console

    began = clock.now()
    line = progress.Progress(
        progress.BarColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = line.add_task("")

    def tell(now: SoFar) -> None:
        seconds = (clock.now() - began).total_seconds()
        line.update(
            task,
            description=words(now, seconds),
            completed=now.done.total_seconds(),
            total=now.total.total_seconds(),
        )
        line.start()

    try:
        yield tell
    finally:
        line.stop()


def words(now: SoFar, seconds: float) -> str:
    """Return what stands beside the bar; `seconds` have passed since the fetch began."""
    done, total = (round(span.total_seconds() / HOUR) for span in (now.done, now.total))
    rate = now.records / seconds if seconds > 0 else 0
    text = f"{done:,} of {total:,} h, {now.records:,} records, {rate:,.0f}/s"
    return f"{text}, waited {now.waited:,.0f} s" if now.waited >= 1 else text
