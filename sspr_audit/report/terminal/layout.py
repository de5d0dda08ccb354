"""A terminal's page: how wide it is, and how sentences, pairs and tables are laid out on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Final

from sspr_audit.report import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

NARROWEST: Final = 40
"""Columns; on less than this the page is laid out as if it had so many."""

LABELS: Final = 13
"""Columns that stand before the sentences of a finding."""

ROWS: Final = 12
"""Rows of a list that stand on the page unless all are asked for."""

_COLOURS: Final = {"confirmed": "bold red", "likely": "bold yellow", "possible": "bold cyan"}


class Page:
    """Lays text out on lines. Every text goes through `_shown`, and none is read as markup."""

    def __init__(self, width: int, *, colour: bool) -> None:
        from rich.console import Console

        self._out = StringIO()
        self.width = max(width, NARROWEST)
        self._console = Console(
            file=self._out,
            width=self.width,
            force_terminal=colour,
            force_jupyter=False,
            color_system="standard" if colour else None,
            no_color=not colour,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            _environ={},  # what the page looks like is handed in, never taken from outside
        )

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written yet."""
        return not self._out.tell()

    def text(self) -> str:
        """Return what is written, its lines without blanks at their ends."""
        return "".join(f"{one.rstrip(' ')}\n" for one in self._out.getvalue().splitlines())

    def _shown(self, text: str, style: str = "") -> Text:
        from rich.text import Text

        return Text(harmless.line(text, bound=None), style, overflow="fold")

    def _put(self, what: RenderableType, indent: int = 0) -> None:
        from rich.padding import Padding

        self._console.print(Padding(what, (0, 0, 0, indent)))

    def heading(self, text: str) -> None:
        """Begin a part of the page."""
        self._console.print()
        self._put(self._shown(text.upper(), "bold"))

    def title(self, number: int, word: str, text: str) -> None:
        """Begin a finding; `word` is its confidence."""
        from rich.table import Table

        table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_row(
            self._shown(f"{number}. {word.upper()}", _COLOURS[word]), self._shown(text, "bold")
        )
        self._console.print()
        self._put(table)

    def paragraph(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """Write text in as many lines as it takes."""
        self._put(self._shown(text, style), indent)

    def verbatim(self, text: str, *, indent: int = 4) -> None:
        """Write the lines as they are, however long, with nothing but blanks before them."""
        for one in harmless.lines(text):
            shown = self._shown(" " * indent + one)
            self._console.print(shown, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)

    def pairs(self, rows: Iterable[tuple[str, str]], *, labels: int = 9) -> None:
        """Write labels and sentences side by side; a label is not repeated."""
        from rich.table import Table

        table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(no_wrap=True, width=labels)
        table.add_column(overflow="fold")
        before = ""
        for label, sentence in rows:
            table.add_row(
                self._shown("" if label == before else label, "bold"), self._shown(sentence)
            )
            before = label
        if table.row_count:
            self._put(table, 2)

    def table(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        names: int,
        gap: int = 2,
    ) -> None:
        """Write a table whose first `names` columns are text and the others numbers."""
        from rich.table import Table

        table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
        for place, heading in enumerate(headings):
            if place < names:
                table.add_column(self._shown(heading), overflow="fold")
            else:
                table.add_column(self._shown(heading), justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*(self._shown(one) for one in row))
        self._put(table, 2)

    def more(self, left_out: int, what: str = "more") -> None:
        """Say how many rows are left out, if any are."""
        if left_out > 0:
            self.paragraph(f"+{left_out:,} {what}", indent=2)
