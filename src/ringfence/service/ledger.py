"""What the journal has told: newest prices, liquidations, changes of parameters, last entries.

Fed with the entries of each snapshot, and at the start with the journal's last ones.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import numpy as np

from ringfence.core.command import EVENT, Happening, Kind
from ringfence.core.status import Status
from ringfence.core.validity import Flag
from ringfence.journal.entry import Entry
from ringfence.service.schema import Liquidation, Price
from ringfence.units import MS_NS, PRICE_UNIT
from ringfence.venue import entries
from ringfence.venue.consent.evidence import decode_signed
from ringfence.venue.decoding import Decoder
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.receipts import decimal, event_view

LIQUIDATIONS_MAX = 10_000  # kept in memory
ENTRIES_MAX = 100
STEPS_MAX = 20  # commands and events of an entry in a page

# Steps that take something from an account, and are counted.
TAKING = (
    Happening.POSITION_LIQUIDATED,
    Happening.COLLATERAL_LIQUIDATED,
    Happening.CLAIM_LIQUIDATED,
    Happening.SHORTFALL_RECORDED,
    Happening.SLICE_SOLD,
    Happening.POSITION_DELEVERAGED,
    Happening.WINNER_DELEVERAGED,
)
_STEPS = (
    *TAKING,
    Happening.AUCTION_STARTED,
    Happening.STEP_ENDED,
    Happening.DELEVERAGING_AWAITED,
    Happening.DUE_COVERED,
    Happening.POOL_HALTED,
    Happening.POOL_ENDED,
)
_TAKING_NAMES = {kind.name.lower() for kind in TAKING}
_CHANGES = (Kind.ANNOUNCE_CHANGE, Kind.CANCEL_CHANGE)


def in_ms(value: Any) -> Any:
    """Return plain data with every time in ns as one in ms."""
    if isinstance(value, dict):
        return {
            name.removesuffix("_ns") + "_ms" if _is_time(name, v) else name: (
                int(v) // MS_NS if _is_time(name, v) else in_ms(v)
            )
            for name, v in value.items()
        }
    return [in_ms(v) for v in value] if isinstance(value, list | tuple) else value


def _is_time(name: str, value: Any) -> bool:
    return name.endswith("_ns") and isinstance(value, int)


def feed_price(price: FeedPrice, seq: int) -> Price:
    """A price as it goes over the wire."""
    return Price(
        feed=price.feed,
        index_price=decimal(price.index_price, PRICE_UNIT),
        mark_price=decimal(price.mark_price, PRICE_UNIT),
        publish_time_ms=price.publish_time_ns // MS_NS,
        confidence=decimal(price.confidence, PRICE_UNIT),
        flag=Flag(price.flag).name.lower() if price.flag in set(Flag) else str(price.flag),
        sources=price.sources,
        seq=seq,
    )


class Ledger:
    """Follows the journal."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.prices: dict[str, Price] = {}
        self.liquidations: deque[Liquidation] = deque(maxlen=LIQUIDATIONS_MAX)
        self.steps_total = 0
        self.liquidations_of: Counter[str] = Counter()
        self.changes: dict[str, list[dict[str, Any]]] = {}
        self.recent: deque[Entry] = deque(maxlen=ENTRIES_MAX)

    def follow(self, found: Iterable[Entry], *, is_old: bool = False) -> list[Liquidation]:
        """Take note of entries; return the liquidations among them.

        is_old: The decoder knows already what names they bring.
        """
        new: list[Liquidation] = []
        for entry in found:
            if not is_old:
                self.decoder.follow(entry)
            self.recent.append(entry)
            try:
                new += self._note(entry)
            except (entries.MalformedEntryError, ValueError, IndexError):
                continue  # a journal from elsewhere may hold anything; verification tells
        self.liquidations += new
        self.steps_total += len(new)
        self.liquidations_of.update(i.pool for i in new if i.event in _TAKING_NAMES)
        return new

    @property
    def liquidations_total(self) -> int:
        """Steps that took something from an account, in all pools."""
        return sum(self.liquidations_of.values())

    def _note(self, entry: Entry) -> Iterator[Liquidation]:
        if entry.kind == entries.PRICES:
            body = entries.decode_prices(entry.body)
            for price in body.prices:
                self.prices[price.feed] = feed_price(price, entry.seq)
            for pool, events in body.events.items():
                self._note_activations(entry, pool, np.frombuffer(events, EVENT))
        elif entry.kind in {entries.POOL, entries.SIGNED} and entry.pool:
            is_signed = entry.kind == entries.SIGNED
            body_of_batch = decode_signed(entry.body).inner if is_signed else entry.body
            batch = entries.decode_batch(body_of_batch)
            self._note_changes(entry, batch)
            self._note_activations(entry, entry.pool, batch.outcome.events)
            yield from self._liquidations(entry, batch)

    def _liquidations(self, entry: Entry, batch: entries.Batch) -> Iterator[Liquidation]:
        events = batch.outcome.events
        spec = self.decoder.spec(entry.pool)
        if spec is None or len(events) == 0:
            return
        for event in events[np.isin(events["kind"], _STEPS)]:
            view = in_ms(msgspec.structs.asdict(event_view(spec, event)))
            a = view["account"]
            standing = None if a is None else self.decoder.standing(entry.pool, a)
            owner, number = standing or (None, None)
            yield Liquidation(
                seq=entry.seq,
                row=int(event["row"]),
                time_ms=entry.time_ns // MS_NS,
                pool=entry.pool.hex(),
                pool_name=spec.name,
                owner=owner,
                number=number,
                **view,
            )

    def _note_changes(self, entry: Entry, batch: entries.Batch) -> None:
        is_change = np.isin(batch.rows["kind"], _CHANGES)
        if not (is_change & (batch.outcome.statuses == Status.OK)).any():
            return
        for command in self.decoder.decoded(entry)["commands"]:
            if command["status"] == "ok" and command["type"] in {"announcechange", "cancelchange"}:
                what = "announced" if command["type"] == "announcechange" else "cancelled"
                named = {k: v for k, v in command.items() if k not in {"type", "status"}}
                self._add_change(entry, entry.pool, {"what": what, **in_ms(named)})

    def _note_activations(self, entry: Entry, pool: bytes, events: Any) -> None:
        spec = self.decoder.spec(pool)
        for event in events[events["kind"] == Happening.CHANGE_ACTIVATED] if len(events) else ():
            if spec is not None:
                view = event_view(spec, event)
                what = {"what": "activated", "parameter": view.name, "index": int(event["index"])}
                self._add_change(entry, pool, what | {"value": int(event["value"])})

    def _add_change(self, entry: Entry, pool: bytes, change: dict[str, Any]) -> None:
        at = {"seq": entry.seq, "time_ms": entry.time_ns // MS_NS}
        self.changes.setdefault(pool.hex(), []).append(at | change)

    # Entries for readers

    def in_full(self, entry: Entry) -> dict[str, Any]:
        """Return all that an entry says."""
        decoded = self.decoder.decoded(entry)
        time_ns = str(decoded.pop("time_ns"))
        fields: dict[str, Any] = in_ms(decoded)
        return {"seq": entry.seq, "time_ms": entry.time_ns // MS_NS, "time_ns": time_ns} | fields

    def in_short(self, entry: Entry) -> dict[str, Any]:
        """Return an entry as pages show it."""
        fields = self.in_full(entry)
        for name in ("commands", "events"):
            if name in fields:
                fields[f"{name}_total"] = len(fields[name])
                fields[name] = fields[name][:STEPS_MAX]
        for command in fields.get("commands", ()):
            command.pop("spec", None)
        return fields
