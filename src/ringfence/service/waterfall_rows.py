"""From frames to what is on the wire of the waterfall: a pool's depth, auctions, the queue."""

from collections.abc import Iterable, Iterator

from ringfence.core.health import HEALTH_MAX
from ringfence.core.pool import Total
from ringfence.risk.measure import Measure
from ringfence.service.frames import Frame, owner_of
from ringfence.service.waterfall import (
    Depth,
    Offered,
    Queued,
    auction_terms,
    queue_fields,
    queue_of,
)
from ringfence.service.waterfall_schema import Auction, PoolWaterfall, Queue, QueuePlace
from ringfence.units import MS_NS, PPM, UNIT
from ringfence.venue.receipts import decimal


def depth_of(frame: Frame) -> PoolWaterfall:
    """How far down its waterfall a pool is."""
    figures = frame.figures
    depth = Depth(
        total=figures[: len(Total)],
        rule=frame.column("rule"),
        below=figures[Measure.BINS],
        auctions=len(frame.offers),
        loss_shared=figures[Measure.LOSS_SHARED],
        backstop_capital=figures[Measure.BACKSTOP_CAPITAL],
    )
    return PoolWaterfall(**depth.fields(10**frame.facts.spec.settlement_decimals))


def auction_row(frame: Frame, offer: Offered, owners: list[bytes]) -> Auction:
    """One account under auction."""
    facts, a, s = frame.facts, offer.account, frame.survey
    quote, health = 10**facts.spec.settlement_decimals, int(s.health[a])
    terms = auction_terms(offer, frame.column("rule"), frame.time_ns, quote)
    return Auction(
        pool=facts.id,
        pool_name=facts.name,
        settlement=facts.spec.settlement,
        account=a,
        owner=owner_of(frame, a, owners),
        number=int(frame.number[a]),
        health_factor=None if health >= HEALTH_MAX else decimal(health, PPM),
        excess=decimal(int(s.equity[a] - s.required[a]), quote),
        **terms,
    )


def auctions_of(frames: Iterable[Frame], owners: list[bytes]) -> list[Auction]:
    """All auctions of some pools, the oldest first."""
    found = [auction_row(frame, offer, owners) for frame in frames for offer in frame.offers]
    found.sort(key=lambda row: (row.started_ms, row.pool, row.account))
    return found


def queue_places(frame: Frame, i: int, owners: list[bytes]) -> Iterator[QueuePlace]:
    """The deleveraging queue of an instrument, longs and then shorts."""
    quote, mark = 10**frame.facts.spec.settlement_decimals, frame.column("mark_price")[i]
    held = frame.size[:, i], mark, frame.value_divisor, frame.survey.equity
    for side, is_long in (("long", True), ("short", False)):
        for place in queue_of(*held, is_long=is_long):
            yield _place(frame, side, place, quote, owners)


def _place(frame: Frame, side: str, place: Queued, quote: int, owners: list[bytes]) -> QueuePlace:
    return QueuePlace(
        side=side,
        account=place.account,
        owner=owner_of(frame, place.account, owners),
        number=int(frame.number[place.account]),
        size=decimal(place.size, UNIT),
        **queue_fields(place, quote),
    )


def queue(frame: Frame, i: int, owners: list[bytes]) -> Queue:
    """Who is cut first when an instrument is deleveraged."""
    return Queue(
        pool=frame.facts.id,
        pool_name=frame.facts.name,
        instrument=frame.facts.spec.instruments[i].name,
        settlement=frame.facts.spec.settlement,
        time_ms=frame.time_ns // MS_NS,
        waiting=frame.figures[Total.WAITING],
        places=list(queue_places(frame, i, owners)),
    )
