"""Following the stream: tables that stay what the service has, over lost connections too.

    async for table in watch(url, subscription("at_risk", below="1.05")):
        print(len(table.rows))

A snapshot fills a table, deltas change it. After a lost connection, or a number that is missing,
it subscribes again from where it was; what the service no longer has comes as a new snapshot.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection, connect

FRAME_MAX = 16 * 2**20  # bytes; a snapshot of many pools is long
BACKOFF_SECONDS, BACKOFF_MAX_SECONDS = 0.2, 10.0
ITEMS_MAX = 1_000  # of a feed that are kept


class StreamError(Exception):
    """The service refused a subscription; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Table:
    """What one subscription knows: rows by key, or the items of a feed, newest last."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.wanted = wanted
        self.key = ""
        self.rows: dict[str, dict[str, Any]] = {}
        self.items: list[dict[str, Any]] = []
        self.added: list[dict[str, Any]] = []  # by the last message
        self.run = ""
        self.seq = -1
        self.time_ms = 0

    def request(self, number: int, run: str) -> dict[str, Any]:
        """Return the message that subscribes it, from where it was in the same run."""
        message = {"op": "subscribe", "id": str(number), **self.wanted}
        if self.seq >= 0 and self.run == run:
            message["resume"] = {"run": run, "seq": self.seq}
        self.run = run
        return message

    def take(self, message: dict[str, Any]) -> bool:
        """Apply a snapshot or a delta; False when deltas before it are missing."""
        data, is_snapshot = message["data"], message["type"] == "snapshot"
        if not is_snapshot and message["seq"] != self.seq + 1:
            self.seq = -1
            return False
        self.seq, self.time_ms = message["seq"], message["time_ms"]
        if is_snapshot:
            self.items = self.added = data.get("items", []) if "items" in data else []
            self.rows = {} if "items" in data else data
        else:
            self.added = data.get("add", [])
            self.items = [*self.items, *self.added][-ITEMS_MAX:]
            for key, fields in data.get("set", {}).items():
                self.rows.setdefault(key, {}).update(fields)
            for key in data.get("gone", ()):
                self.rows.pop(key, None)
        return True


def subscription(channel: str, **fields: str | int) -> dict[str, Any]:
    """Return what to subscribe to: a channel, and what it asks for."""
    return {"channel": channel, **fields}


async def watch(url: str, *wanted: dict[str, Any]) -> AsyncIterator[Table]:
    """Yield the table of a subscription whenever it has changed, for ever.

    Raises:
        StreamError: A subscription was refused.
    """
    tables = [Table(one) for one in wanted]
    attempt = 0
    while True:
        try:
            async with connect(_stream_url(url), max_size=FRAME_MAX, proxy=None) as socket:
                async for table in _followed(socket, tables):
                    attempt = 0
                    yield table
        except (OSError, websockets.WebSocketException):
            pass  # what was lost is asked for again
        await asyncio.sleep(min(BACKOFF_SECONDS * 2.0**attempt, BACKOFF_MAX_SECONDS))
        attempt = min(attempt + 1, 10)


async def _followed(socket: ClientConnection, tables: list[Table]) -> AsyncIterator[Table]:
    """Subscribe on a new connection, and yield tables until it ends or a number is missing."""
    by_key: dict[str, Table] = {}
    async for frame in socket:
        message = msgspec.json.decode(frame)
        kind = message["type"]
        if kind == "hello":
            for number, table in enumerate(tables):
                request = table.request(number, message["run"])
                await socket.send(msgspec.json.encode(request).decode())
        elif kind == "subscribed":
            table = tables[int(message["id"])]
            table.key = message["key"]
            by_key[table.key] = table
        elif kind == "error":
            raise StreamError(message["code"], message["detail"])
        elif kind in {"snapshot", "delta"} and message["key"] in by_key:
            table = by_key[message["key"]]
            if not table.take(message):
                return
            yield table


def _stream_url(url: str) -> str:
    """URL of the stream of a service."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}[parts.scheme]
    return urlunsplit((scheme, parts.netloc, "/v1/stream", "", ""))
