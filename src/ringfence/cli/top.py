"""The command `top`: a venue in the terminal, fed by the public stream."""

import json as json_text
import sys
import time
from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from ringfence.cli.exits import FINDING, OK, fail
from ringfence.cli.output import Json, console, print_json_line, printable
from ringfence.units import SECOND_NS
from ringfence.venue.clock import iso_time

CHANNELS = ("stats", "prices", "pools", "at_risk", "auctions", "liquidations")
REFRESH_SECONDS = 0.25
FRAME_MAX = 64 * 2**20
TAPE = 8  # liquidations shown
HEADER, FRAME = 5, 5  # lines of the header, and around the rows of a table
ROWS_MIN = 3  # of the other tables, before the liquidations are shown too
OF_SHARES = ("auction_started", "slice_sold")
NOTHING = (None, "0")  # sizes of steps that move no contracts or coins


class Screen:
    """The tables of the stream, merged as its messages say, and how they are drawn."""

    def __init__(self, url: str, rows: int) -> None:
        self.url, self.rows = url, rows
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        self.tape: deque[dict[str, Any]] = deque(maxlen=TAPE)

    def take(self, message: dict[str, Any]) -> None:
        """Merge a message; one of another type says nothing about the tables."""
        key, data = message.get("key", ""), message.get("data", {})
        if message["type"] == "snapshot":
            if "items" in data:
                self.tape.extend(data["items"])
            else:
                self.tables[key] = data
        elif message["type"] == "delta":
            self.tape.extend(data.get("add", ()))
            table = self.tables.get(key, {})
            for row, fields in data.get("set", {}).items():
                table.setdefault(row, {}).update(fields)
            for row in data.get("gone", ()):
                table.pop(row, None)

    @property
    def is_complete(self) -> bool:
        """Whether every table has come."""
        return {"stats", "prices", "pools", "at_risk:1.10", "auctions"} <= self.tables.keys()

    def render(self, height: int | None = None) -> RenderableType:
        """Draw everything, or of each table as much as a terminal of some lines has room for."""
        tables = [
            self._pools,
            self._at_risk,
            *([self._auctions] if self.tables["auctions"] else []),
        ]
        rows, has_tape = self.rows, bool(self.tape)
        if height is not None:
            room = height - HEADER - FRAME * len(tables)
            has_tape &= room - FRAME - TAPE >= ROWS_MIN * len(tables)
            rows = max(1, min(rows, (room - has_tape * (FRAME + TAPE)) // len(tables)))
        drawn_tables = [table(rows) for table in tables]
        return Group(self._header(), *drawn_tables, *([self._tape()] if has_tape else []))

    def _header(self) -> RenderableType:
        stats = self.tables["stats"][""]
        prices = "  ".join(f"{p['feed']} {grouped(p['index_price'])}" for p in self._rows("prices"))
        at = iso_time(stats["time_ms"] * SECOND_NS // 1000)
        line = (
            f"{prices}\nentry {stats['seq']:,}  {stats['entries_per_second']}/s  "
            f"accounts {stats['accounts']:,}  active {stats['active']:,}  "
            f"at risk {stats['at_risk']:,}  liquidations {stats['liquidations']:,}  "
            f"auctions {stats['auctions']}  waiting {stats['waiting']}  "
            f"insurance {cut(stats['insurance_fund'])}  shortfall {cut(stats['shortfall'])}  "
            f"tick {stats['tick_ms']} ms  viewers {stats['viewers']}"
        )
        title = f"{self.url}  {at}  {stats['source_state']}"
        return Panel(Text(printable_lines(line)), title=title, title_align="left", expand=False)

    def _rows(self, key: str) -> Iterable[dict[str, Any]]:
        return self.tables[key].values()

    def _pools(self, shown: int) -> RenderableType:
        worst = sorted(self._rows("pools"), key=lambda p: float(p["worst_health"] or 1e9))
        columns = ("pool", "worst", "at risk", "active", "open interest", "debt", "insurance", "in")
        rows = (
            (
                p["name"],
                cut(p["worst_health"], 4),
                p["at_risk"],
                p["active"],
                cut(p["open_interest_value"]),
                cut(p["total_debt"]),
                cut(p["insurance_fund"]),
                p["settlement"],
            )
            for p in worst[:shown]
        )
        return drawn("Pools, worst first", columns, rows)

    def _at_risk(self, shown: int) -> RenderableType:
        worst = sorted(self._rows("at_risk:1.10"), key=lambda a: float(a["health_factor"] or 1e9))
        columns = ("account", "pool", "health", "equity", "excess", "notional", "debt")
        rows = (
            (
                f"{a['owner'][:10]}/{a['number']}",
                a["pool_name"],
                cut(a["health_factor"], 4),
                cut(a["equity"]),
                cut(a["excess"]),
                cut(a["notional"]),
                cut(a["debt"]),
            )
            for a in worst[:shown]
        )
        return drawn(
            "Accounts below a health factor of 1.1, amounts as of their pools", columns, rows
        )

    def _auctions(self, shown: int) -> RenderableType:
        columns = ("account", "pool", "discount", "left", "raised", "share", "price", "bonus")
        rows = (
            (
                f"{a['owner'][:10]}/{a['number']}",
                a["pool_name"],
                share_of(a["discount"]),
                cut(a["notional_left"]),
                cut(a["raised"]),
                share_of(a["share"]),
                cut(a["price"]),
                cut(a["bonus"]),
            )
            for a in list(self._rows("auctions"))[:shown]
        )
        return drawn("Live auctions, the oldest first", columns, rows)

    def _tape(self) -> RenderableType:
        columns = ("entry", "pool", "what", "of", "size", "price", "value", "shortfall")
        rows = (
            (
                item["seq"],
                item["pool_name"],
                item["event"].removesuffix("_liquidated").replace("_", " "),
                *moved(item),
                cut(item["value"]),
                cut(item["shortfall"]),
            )
            for item in reversed(self.tape)
        )
        return drawn("Last liquidations", columns, rows)


def grouped(number: str | None) -> str | None:
    """Return all digits of a decimal, its thousands apart."""
    if number is None:
        return None
    whole, dot, rest = number.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole.strip("-") != "0" else number


def cut(number: str | None, places: int = 2) -> str | None:
    """Return a decimal with so many places, never rounded."""
    if number is None:
        return None
    whole, _, rest = number.partition(".")
    return grouped(f"{whole}.{rest[:places].ljust(places, '0')}")


def share_of(number: str) -> str:
    """Return a share as percent."""
    return f"{cut(f'{Decimal(number).scaleb(2):f}')} %"


def moved(item: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Return of what a step moved how much at which price; of an auction, shares."""
    if item["event"] in OF_SHARES:
        size = share_of(item["size"]) if item["event"] == "slice_sold" else None
        return "account", size, share_of(item["price"])
    if item["size"] in NOTHING:
        return item["name"], None, None
    return item["name"], grouped(item["size"]), grouped(item["price"])


def printable_lines(text: str) -> str:
    """Return lines without control characters."""
    return "\n".join(printable(line) for line in text.split("\n"))


def drawn(title: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Table:
    """Draw a table, first column on the left and the others on the right."""
    table = Table(title=title, title_justify="left")
    for c, column in enumerate(columns):
        table.add_column(column, justify="right" if c else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(printable(value) for value in row))
    return table


def top(
    url: Annotated[str, Parameter(help="Address of the service.")] = "http://127.0.0.1:8080",
    *,
    rows: Annotated[int, Parameter(help="Pools and accounts shown.")] = 10,
    once: Annotated[
        bool, Parameter(negative=(), help="Show it once and end; so does output to a file.")
    ] = False,
    json: Json = False,
) -> int:
    """Watch a venue in the terminal: prices, worst pools and accounts, liquidations."""
    if not 1 <= rows <= 1_000:
        fail(f"--rows is {rows}; give 1 to 1000")
    out = console(sys.stdout)
    screen = Screen(url, rows)
    try:
        with connect(_stream_of(url), max_size=FRAME_MAX) as stream:
            _subscribe(stream)
            if json or once or not out.is_terminal:
                _fill(stream, screen)
                _show_once(screen, json=json)
                return OK
            return _watch(stream, screen)
    except (OSError, InvalidHandshake, TimeoutError) as error:
        fail(f"cannot watch {url}: {error}; is `ringfence serve` running there?")
    except ConnectionClosed as error:
        console(sys.stderr).print(f"the stream ended: {error}")
        return FINDING
    except KeyboardInterrupt:
        return OK


def _stream_of(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        fail(f"{url!r} is not an address; write it as http://127.0.0.1:8080")
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}/v1/stream"


def _subscribe(stream: ClientConnection) -> None:
    for channel in CHANNELS:
        stream.send(json_text.dumps({"op": "subscribe", "id": channel, "channel": channel}))


def _fill(stream: ClientConnection, screen: Screen) -> None:
    """Take messages until every table is there."""
    waited_for = set(CHANNELS)
    while waited_for:
        message = json_text.loads(stream.recv(timeout=10))
        screen.take(message)
        if message["type"] == "snapshot":
            waited_for.discard(message["key"].partition(":")[0])


def _show_once(screen: Screen, *, json: bool) -> None:
    if json:
        print_json_line({**screen.tables, "liquidations": list(screen.tape)})
    else:
        console(sys.stdout).print(screen.render())


def _watch(stream: ClientConnection, screen: Screen) -> int:
    shown, terminal = 0.0, console(sys.stdout)
    with Live(console=terminal, auto_refresh=False, screen=True) as live:
        while True:
            screen.take(json_text.loads(stream.recv()))
            if screen.is_complete and time.monotonic() - shown > REFRESH_SECONDS:
                shown = time.monotonic()
                live.update(screen.render(terminal.size.height), refresh=True)
