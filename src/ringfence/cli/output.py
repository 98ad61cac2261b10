"""How commands print their answers and show their progress.

Standard output holds the answer and nothing else: one JSON document with --json, a table
without. Everything else goes to standard error. Colours and bars appear on terminals only,
and NO_COLOR is respected.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ringfence.cli.exits import note

# The flag that every command has, as the type of its parameter `json`.
Json = Annotated[
    bool, Parameter(negative=(), help="Print one JSON document instead of text for people.")
]

_WIDTH = 10_000  # of a table that no terminal cuts off


def print_json(value: Any) -> None:
    """Print a struct or plain data as one JSON document, in UTF-8 whatever the locale."""
    _write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def print_json_line(value: Any) -> None:
    """Print a struct or plain data as one line of JSON."""
    _write(msgspec.json.encode(value) + b"\n")


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def printable(value: object) -> str:
    """Return text for a terminal: "-" for what is unknown, control characters escaped."""
    if value is None:
        return "-"
    text = "yes" if value is True else "no" if value is False else str(value)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    is_dense: bool = False,
) -> None:
    """Print a table; numbers stand on the right. Without lines a dense one is narrower."""
    cells = [[printable(value) for value in row] for row in rows]
    drawn = empty_table(title, is_dense=is_dense)
    for c, column in enumerate(columns):
        on_the_right = all(_is_number(row[c]) for row in cells)
        drawn.add_column(column, justify="right" if on_the_right else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*row)
    console(sys.stdout).print(drawn)


def empty_table(title: str, *, is_dense: bool = False) -> Table:
    """Return a table without columns."""
    drawn = Table(title=title or None, title_justify="left", title_style="bold")
    if is_dense:
        drawn.box, drawn.pad_edge, drawn.padding = SIMPLE_HEAD, False, (0, 1, 0, 0)
    return drawn


def pairs(items: Iterable[tuple[str, object]], *, title: str = "") -> None:
    """Print names and values, one pair a line."""
    drawn = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=None,
        show_header=False,
        pad_edge=False,
    )
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in items:
        drawn.add_row(name, printable(value))
    console(sys.stdout).print(drawn)


def say(line: str) -> None:
    """Print one line of the answer for people."""
    sys.stdout.write(line + "\n")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar on standard error while a terminal watches, elsewhere a line that it began.

    Yields a function that takes how much is done and how much there is; where that is not
    known (None) the bar only moves.
    """
    if not sys.stderr.isatty():
        note(f"{what} ...")
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def console(stream: IO[str]) -> Console:
    """Return a console on a stream, which takes text as it is and cuts nothing off."""
    width = None if stream.isatty() else _WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("-").replace(".", "", 1).replace(",", "").isdigit()
