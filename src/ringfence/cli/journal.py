"""The commands `journal tail`, `show` and `export`: what the entries say, in names."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringfence.cli.exits import FINDING, OK, fail, note
from ringfence.cli.opening import Journal, existing, refusals
from ringfence.cli.output import Json, pairs, print_json, print_json_line, table
from ringfence.journal.errors import BrokenChainError
from ringfence.units import SECOND_NS
from ringfence.venue.archive import Archive, open_archive
from ringfence.venue.decoding import Decoder, Fields

ROWS_SHOWN = 50  # of a batch; --json has them all
SIDE_BY_SIDE = 3


@contextmanager
def _opened(journal: Path) -> Iterator[Archive]:
    """Open a journal, also one that its anchor does not vouch for: this is for looking."""
    with refusals(), open_archive(existing(journal), anchored=False) as archive:
        yield archive


class Decoded:
    """Entries from first to last, up to the first broken link."""

    def __init__(self, archive: Archive, first: int, last: int) -> None:
        self._archive, self._first, self._last = archive, first, last
        self.exit_code = OK

    def __iter__(self) -> Iterator[Fields]:
        """Entries before the first are read for the names they bring."""
        decoder = Decoder()
        try:
            for entry in self._archive.entries(1, self._last + 1):
                decoder.follow(entry)
                if entry.seq >= self._first:
                    yield decoder.decoded(entry)
        except BrokenChainError as error:
            self.exit_code = FINDING
            note(f"ringfence: {error}")
            note(
                f"ringfence: the chain is whole up to entry {error.seq - 1}; no later one is shown"
            )


def tail(
    journal: Journal,
    *,
    count: Annotated[int, Parameter(help="How many entries.")] = 10,
    json: Json = False,
) -> int:
    """Show the last entries, oldest first; exit code 1 where the chain is broken."""
    if count < 1:
        fail(f"--count is {count}; give 1 or more")
    with _opened(journal) as archive:
        decoded = Decoded(archive, archive.seq - count + 1, archive.seq)
        found = list(decoded)
    if json:
        print_json(found)
        return decoded.exit_code
    columns = ("entry", "time", "kind", "pool", "what")
    rows = [(e["seq"], _time(e), e["kind"], e["pool_name"], _summary(e)) for e in found]
    table(columns, rows)
    return decoded.exit_code


def show(
    entry: Annotated[int, Parameter(help="Number of the entry, from 1.")],
    journal: Journal,
    *,
    json: Json = False,
) -> int:
    """Show one entry in full; exit code 1 where the chain is broken before it."""
    with _opened(journal) as archive:
        if not 1 <= entry <= archive.seq:
            fail(f"there is no entry {entry}; the journal has 1 to {archive.seq}")
        decoded = Decoded(archive, entry, entry)
        found = next(iter(decoded), None)
    if found is None or json:
        print_json(found)
        return decoded.exit_code
    parts = {name: found.pop(name, []) for name in ("commands", "events", "prices")}
    spec = [command.pop("spec", None) for command in parts["commands"]]
    pairs([("time", _time(found)), *found.items()])
    for name, rows in parts.items():
        _show_rows(name, rows)
    if any(spec):
        note("the spec of the pool is part of --json")
    return OK


def export(
    journal: Journal,
    *,
    first: Annotated[int, Parameter(name="--from", help="First entry.")] = 1,
    last: Annotated[int | None, Parameter(name="--to", help="Last entry.")] = None,
    json: Annotated[
        bool, Parameter(negative=(), help="Print one array instead of a line per entry.")
    ] = False,
) -> int:
    """Print entries as JSON, one a line; exit code 1 where the chain is broken."""
    with _opened(journal) as archive:
        until = archive.seq if last is None else last
        if not 1 <= first <= until <= archive.seq and archive.seq:
            fail(f"--from {first} --to {until} is not a range of the entries 1 to {archive.seq}")
        decoded = Decoded(archive, first, until)
        if json:
            print_json(list(decoded))
        else:
            for entry in decoded:
                print_json_line(entry)
        return decoded.exit_code


def _time(entry: Fields) -> str:
    seconds, rest = divmod(entry["time_ns"], SECOND_NS)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError):
        return str(entry["time_ns"])
    return f"{moment:%Y-%m-%d %H:%M:%S}.{rest:09d}Z"


def _summary(entry: Fields) -> str:
    """One line on what an entry says."""
    if "digest" in entry:
        return f"state {entry['digest'][:16]}..."
    if "prices" in entry:
        refused = sum(n for status, n in entry["statuses"].items() if status != "ok")
        prices = ", ".join(f"{p['feed']} {p['index_price']}" for p in entry["prices"])
        return f"{prices}; {refused} refused" if refused else prices
    if "commands" not in entry:
        return f"not decoded: {entry['reason']}"
    counts = Counter((c["type"], c["status"]) for c in entry["commands"])
    counts.update((e["event"], "happened") for e in entry["events"])
    return ", ".join(
        f"{what} {status}" + (f" x{n}" if n > 1 else "") for (what, status), n in counts.items()
    )


def _show_rows(title: str, rows: list[Fields]) -> None:
    """Print rows of different kinds in one table; a few rows stand side by side as columns."""
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = rows[:ROWS_SHOWN]
    if len(shown) <= SIDE_BY_SIDE:
        numbers = [str(n) for n in range(len(shown))]
        table(("", *numbers), [(n, *(row.get(n) for row in shown)) for n in names], title=title)
    else:
        table(names, [[row.get(name) for name in names] for row in shown], title=title)
    if len(rows) > ROWS_SHOWN:
        note(f"{len(rows) - ROWS_SHOWN} more {title}; --json has them all")
