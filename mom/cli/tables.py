"""A table on stdout: drawn for a person at a terminal, plain aligned columns in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from mom.console import Console
from mom.streams import visible

# No one reads a table across a whole wide screen.
_WIDEST = 160


def print_table(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write the table. On a terminal it fits its width, and long cells are wrapped; rich is imported for that alone."""
    clean = [[visible(cell) for cell in row] for row in rows]
    if console.stdout.isatty():
        _draw(console, columns, clean)
        return
    whole = [[column.upper() for column in columns], *clean]
    widths = [max(len(row[number]) for row in whole) for number in range(len(columns))]
    for row in whole:
        console.data("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def _draw(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    import shutil

    from rich import box
    from rich.console import Console as Terminal
    from rich.table import Table
    from rich.text import Text

    width = min(_WIDEST, max(40, shutil.get_terminal_size().columns))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, style="bold" if number == 0 else None, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    colour = console.colour(console.stdout)
    terminal = Terminal(file=console.stdout, width=width, force_terminal=colour, highlight=False)
    terminal.print(table)
