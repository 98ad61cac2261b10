"""The shape of a source of quotes, and a source that follows a script.

A source is polled with the time and returns what has arrived since. A live adapter
receives in the background and answers a poll from its queue, so whoever polls stays in
charge of time and order, and a script can take its place in every test.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum, unique
from typing import Protocol

import msgspec

from ringfence.oracle.index import Feed, Quote, Verdict


@unique
class Connection(StrEnum):
    """Whether a source can hear its exchange."""

    CONNECTING = "connecting"  # never yet
    LIVE = "live"
    RECONNECTING = "reconnecting"  # lost; what is said meanwhile is not heard


class Message(msgspec.Struct, frozen=True):
    """A quote as it arrives: of which symbol, and its number in the source's own count."""

    symbol: str
    sequence: int  # rises by one a message; the exchange may start it again on reconnect
    quote: Quote


class SourceStatus(msgspec.Struct, frozen=True):
    """What an operator wants to know of a source."""

    connection: Connection
    reconnects: int = 0
    missed: int = 0  # messages known to be lost, from gaps in the sequence
    last_arrival_ns: int | None = None


class Source(Protocol):
    """Something that says prices: an exchange, a publisher of an oracle, a script."""

    @property
    def name(self) -> str:
        """Name in the index rules and in every quote it gives."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it prices."""

    def poll(self, now_ns: int) -> Sequence[Message]:
        """Return what arrived since the last poll, in the order of arrival; never blocks."""

    def status(self) -> SourceStatus:
        """Return the state as of the last poll."""


class Arrival(msgspec.Struct, frozen=True):
    """When a message of a script is heard; a delay, a repeat or a swap is in these times."""

    arrive_ns: int
    message: Message


class Outage(msgspec.Struct, frozen=True):
    """From start to before end the source hears nothing, and what it missed is gone."""

    start_ns: int
    end_ns: int

    def covers(self, time_ns: int) -> bool:
        """Whether the time is within."""
        return self.start_ns <= time_ns < self.end_ns


class ScriptedSource:
    """A source that says what it is told, when it is told."""

    def __init__(
        self, name: str, script: Iterable[Arrival], outages: Iterable[Outage] = ()
    ) -> None:
        # A stable sort: messages of one arrival time keep the order of the script.
        self._script = sorted(script, key=lambda arrival: arrival.arrive_ns)
        self._outages = sorted(outages, key=lambda outage: outage.start_ns)
        self._next = 0
        self._sequence: dict[str, int] = {}
        self._missed = 0
        self._last_arrival_ns: int | None = None
        self._now_ns: int | None = None
        self.name = name
        self.symbols = tuple(sorted({arrival.message.symbol for arrival in self._script}))
        wrong = {a.message.quote.source for a in self._script} - {name}
        if wrong:
            raise ValueError(f"the script of {name!r} has quotes of {sorted(wrong)}")

    def poll(self, now_ns: int) -> list[Message]:
        """Return what arrived since the last poll, outages left out."""
        self._now_ns = now_ns
        heard = []
        while self._next < len(self._script) and self._script[self._next].arrive_ns <= now_ns:
            arrival = self._script[self._next]
            self._next += 1
            if not any(outage.covers(arrival.arrive_ns) for outage in self._outages):
                heard.append(arrival.message)
                self._count(arrival)
        return heard

    def _count(self, arrival: Arrival) -> None:
        symbol, sequence = arrival.message.symbol, arrival.message.sequence
        last = self._sequence.get(symbol, sequence - 1)
        # A late copy fills no gap here: that a message was missed at its time stays counted.
        self._missed += max(sequence - last - 1, 0)
        self._sequence[symbol] = max(sequence, last)
        self._last_arrival_ns = arrival.arrive_ns

    def status(self) -> SourceStatus:
        """Return the state as of the last poll."""
        now_ns = self._now_ns
        if now_ns is None:
            return SourceStatus(Connection.CONNECTING)
        is_out = any(outage.covers(now_ns) for outage in self._outages)
        return SourceStatus(
            connection=Connection.RECONNECTING if is_out else Connection.LIVE,
            reconnects=sum(outage.end_ns <= now_ns for outage in self._outages),
            missed=self._missed,
            last_arrival_ns=self._last_arrival_ns,
        )


def gather(
    sources: Iterable[Source], feeds: Mapping[str, Feed], now_ns: int
) -> list[tuple[Message, Verdict]]:
    """Poll every source and offer what arrived to the feed of its symbol.

    A quote for a symbol without a feed is nobody's and left out. Every other message is
    returned with what its feed said, so nothing is refused in silence.
    """
    return [
        (message, feeds[message.symbol].offer(message.quote, now_ns))
        for source in sources
        for message in source.poll(now_ns)
        if message.symbol in feeds
    ]
