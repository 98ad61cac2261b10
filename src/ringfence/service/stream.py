"""The stream: what changes is worked out once a snapshot, encoded once, and sent to everybody.

A topic is what a key stands for. It keeps the last table or feed it sent, the deltas since,
and who watches. Topics that nobody watches cost nothing, and end after a while.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


class Row(dict[str, Any]):
    """A row of a table that knows what it changed of the row before it."""

    before: "Row | None" = None
    changed: Mapping[str, Any] = {}

    def followed_by(self, changed: dict[str, Any]) -> "Row":
        """Return the next row, and forget the one before, so that no chain of them is kept."""
        row = Row(self)
        row.update(changed)
        row.before, row.changed = self, changed
        self.before = None
        return row


Table = Mapping[str, dict[str, Any]]

DELTAS_KEPT = 256
TURNS_KEPT = 240  # a topic that nobody watches ends after so many snapshots
MESSAGES_MAX = 1_000  # waiting for one viewer
BYTES_MAX = 8 * 2**20

_ENCODER = msgspec.json.Encoder()


def encode(message: Any) -> str:
    """Return a message as JSON text, once for all of its readers."""
    return _ENCODER.encode(message).decode()


def table_delta(before: Table, now: Table) -> dict[str, Any] | None:
    """Return what makes one table of another; None where nothing does."""
    changed: dict[str, Mapping[str, Any]] = {}
    for key, row in now.items():
        old = before.get(key)
        if old is None:
            changed[key] = row
        elif old is not row:
            fields = _changed(old, row)
            if fields:
                changed[key] = fields
    gone = [key for key in before if key not in now]
    return {"set": changed, "gone": gone} if changed or gone else None


def _changed(old: Mapping[str, Any], row: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(row, Row) and row.before is old:
        return row.changed
    return {name: value for name, value in row.items() if old.get(name, ...) != value}


class Viewer:
    """Someone who is sent messages, as fast as he takes them and no slower."""

    def __init__(self) -> None:
        self.is_too_slow = False
        self.keys: set[str] = set()
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()

    def offer(self, message: str) -> None:
        """Queue a message; a viewer with too many of them is to be dropped."""
        if self.is_too_slow:
            return
        self._waiting.append(message)
        self._bytes += len(message)
        if len(self._waiting) > MESSAGES_MAX or self._bytes > BYTES_MAX:
            self.is_too_slow = True
            self._waiting.clear()
        self._wake.set()

    async def take(self) -> str | None:
        """Wait for the next message; None when the viewer is to be dropped."""
        while not self._waiting:
            if self.is_too_slow:
                return None
            self._wake.clear()
            await self._wake.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message


@dataclass
class Topic:
    """What one key stands for."""

    key: str
    seq: int
    is_feed: bool
    items_max: int = 100
    table: Table = field(default_factory=dict)
    items: deque[Any] = field(default_factory=deque)
    deltas: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=DELTAS_KEPT))
    viewers: set[Viewer] = field(default_factory=set)
    idle_turns: int = 0

    def update(self, now: Any, time_ms: int) -> None:
        """Send what is new: a table as it is now, or the events that a feed adds."""
        delta = {"add": now} if self.is_feed and now else None
        if self.is_feed:
            self.items.extend(now)
            while len(self.items) > self.items_max:
                self.items.popleft()
        else:
            delta = table_delta(self.table, now)
            self.table = now
        if delta is None:
            return
        self.seq += 1
        message = encode(self._message("delta", time_ms, delta))
        self.deltas.append((self.seq, message))
        for viewer in self.viewers:
            viewer.offer(message)

    def snapshot(self, time_ms: int) -> str:
        """Return the whole table or feed as a message."""
        data = {"items": list(self.items)} if self.is_feed else self.table
        return encode(self._message("snapshot", time_ms, data))

    def _message(self, kind: str, time_ms: int, data: Any) -> dict[str, Any]:
        return {"type": kind, "key": self.key, "seq": self.seq, "time_ms": time_ms, "data": data}

    def deltas_since(self, seq: int) -> list[str] | None:
        """Return the deltas after a sequence number; None when they are not all kept."""
        if seq == self.seq:
            return []
        if not self.deltas or not self.deltas[0][0] - 1 <= seq < self.seq:
            return None
        return [message for number, message in self.deltas if number > seq]


Content = Callable[[], Any]  # the table now, or the events that a feed adds


class Hub:
    """All topics and viewers; lives in the event loop's thread."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.time_ms = 0
        self.turn = 0
        self.topics: dict[str, Topic] = {}
        self._contents: dict[str, Content] = {}
        self.viewers: set[Viewer] = set()

    def is_watched(self, key: str) -> bool:
        """Whether there is such a topic."""
        return key in self.topics

    def open(self, key: str, content: Content, *, feed: list[Any] | None = None) -> Topic:
        """Return a topic, made with what it holds now when it is new."""
        topic = self.topics.get(key)
        if topic is None:
            # Above every number that an earlier topic of this key can have reached.
            topic = self.topics[key] = Topic(key, self.turn, feed is not None)
            self._contents[key] = content
            if feed is None:
                topic.table = content()
            else:
                topic.items.extend(feed)
        return topic

    def resumable(self, topic: Topic, resume: Mapping[str, Any] | None) -> int | None:
        """Return the number after which a viewer can go on; None when he needs a snapshot."""
        if resume is None or resume.get("run") != self.run:
            return None
        seq = resume.get("seq")
        return seq if isinstance(seq, int) and topic.deltas_since(seq) is not None else None

    def catch_up(self, topic: Topic, seq: int | None) -> list[str]:
        """Return what a viewer lacks: the deltas since a number, or a snapshot."""
        missed = None if seq is None else topic.deltas_since(seq)
        return [topic.snapshot(self.time_ms)] if missed is None else missed

    @staticmethod
    def join(viewer: Viewer, topic: Topic) -> None:
        """Let a viewer watch a topic."""
        topic.viewers.add(viewer)
        viewer.keys.add(topic.key)

    def leave(self, viewer: Viewer, key: str) -> bool:
        """Let a viewer stop watching; return whether he did watch."""
        topic = self.topics.get(key)
        if topic is None or viewer not in topic.viewers:
            return False
        topic.viewers.discard(viewer)
        viewer.keys.discard(key)
        return True

    def drop(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        for key in list(viewer.keys):
            self.leave(viewer, key)
        self.viewers.discard(viewer)

    def update(self, time_ms: int, turn: int) -> None:
        """Bring every topic up to date, and send what changed."""
        self.time_ms, self.turn = time_ms, turn
        for key, topic in list(self.topics.items()):
            topic.idle_turns = 0 if topic.viewers else topic.idle_turns + 1
            if topic.idle_turns > TURNS_KEPT:
                del self.topics[key], self._contents[key]
                continue
            topic.update(self._contents[key](), time_ms)
