"""From frames to what is on the wire: summaries of pools, rows of accounts, the venue's stats."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from ringfence.columns import Column
from ringfence.core.health import HEALTH_MAX
from ringfence.core.pool import BACKSTOP, Total
from ringfence.core.reading import scaled
from ringfence.service.frames import Frame, Snapshot
from ringfence.service.schema import AccountRow, Funding, Pool, PoolSummary, Stats
from ringfence.service.waterfall import (
    NOT_HALTED,
    STEP_NAMES,
    Depth,
    Offered,
    Queued,
    auction_terms,
    queue_fields,
    queue_of,
)
from ringfence.service.waterfall_schema import Auction, PoolWaterfall, Queue, QueuePlace
from ringfence.units import PPM, PRICE_UNIT, UNIT
from ringfence.venue.receipts import decimal

MS_NS = 1_000_000
AT_RISK = PPM * 11 // 10
EDGES = (PPM, PPM * 105 // 100, AT_RISK, PPM * 5 // 4, PPM * 3 // 2, 2 * PPM, 5 * PPM)
_BINS = np.array([np.iinfo(np.int64).min, *EDGES, HEALTH_MAX + 1])

NOTHING_OWED = "the account owes nothing and holds no position"
NO_EQUITY = "equity is not positive"
NOBODY_AT_RISK = "no account is below a health factor of 1.1"
NOBODY_ACTIVE = "no account owes anything or holds a position"


def scales(frame: Frame) -> list[int]:
    """Smallest units in one of each asset of the pool."""
    spec = frame.facts.spec
    return [10**spec.settlement_decimals, *([UNIT] * len(spec.collateral))]


def named(names: Iterable[str], values: Sequence[int], scale: int) -> dict[str, str]:
    """Decimal strings by name."""
    return {name: decimal(v, scale) for name, v in zip(names, values, strict=True)}


def prices(names: Iterable[str], values: Sequence[int]) -> dict[str, str | None]:
    """Prices by name; null before the first one."""
    shown = (decimal(v, PRICE_UNIT) if v else None for v in values)
    return dict(zip(names, shown, strict=True))


def histogram(frame: Frame) -> tuple[int, ...]:
    """Active accounts by health factor."""
    health = _people(frame.survey.health)[_people(frame.survey.is_active) == 1]
    counts = np.diff(np.searchsorted(np.sort(health), _BINS))
    return tuple(counts.tolist())


def _people(column: Column) -> Column:
    """The accounts of a column but for the backstop."""
    return column[BACKSTOP + 1 :]


def worst(frame: Frame) -> int | None:
    """The account with the lowest health factor, the backstop left out."""
    health = _people(frame.survey.health)
    if len(health) == 0:
        return None
    a = BACKSTOP + 1 + int(health.argmin())
    return a if frame.survey.health[a] < HEALTH_MAX else None


def coverage(frame: Frame) -> str | None:
    """The insurance fund over the maintenance margin of the accounts at risk."""
    required = int(frame.survey.required[frame.survey.health < AT_RISK].sum())
    if required <= 0:
        return None
    return decimal(frame.total[Total.INSURANCE_FUND] * PPM // required, PPM)


def summary_fields(frame: Frame, liquidations: int) -> dict[str, Any]:
    """Fields of a pool's summary."""
    facts, spec = frame.facts, frame.facts.spec
    quote = 10**spec.settlement_decimals
    underlyings = [u.name for u in spec.underlyings]
    instruments = [i.name for i in spec.instruments]
    a, covered, counts = worst(frame), coverage(frame), histogram(frame)
    unknown = {}
    if a is None:
        unknown["worst_health"] = unknown["worst_account"] = NOBODY_ACTIVE
    if covered is None:
        unknown["insurance_coverage"] = NOBODY_AT_RISK
    halted = frame.total[Total.HALTED_AT]
    if not halted:
        unknown["halted_ms"] = NOT_HALTED
    classes = (v.name.lower() for v in frame.validity)
    return {
        "id": facts.id,
        "name": facts.name,
        "kind": facts.kind,
        "settlement": spec.settlement,
        "version": frame.total[Total.VERSION],
        "time_ms": frame.time_ns // MS_NS,
        "accounts": frame.total[Total.ACCOUNTS],
        "active": sum(counts),
        "prices": prices(underlyings, frame.index_price),
        "validity": dict(zip(underlyings, classes, strict=True)),
        "marks": prices(instruments, frame.mark_price),
        "open_interest": named(instruments, frame.open_interest, UNIT),
        "open_interest_value": decimal(frame.open_interest_value, quote),
        "equity": decimal(int(_people(frame.survey.equity).sum()), quote),
        "requirement": decimal(int(_people(frame.survey.required).sum()), quote),
        "total_debt": decimal(frame.total_debt, quote),
        "utilisation": decimal(frame.utilisation, PPM),
        "insurance_fund": decimal(frame.total[Total.INSURANCE_FUND], quote),
        "insurance_coverage": covered,
        "shortfall": decimal(frame.total[Total.SHORTFALL], quote),
        "unpaid_claims": decimal(frame.unpaid_claims, quote),
        "worst_health": None if a is None else decimal(int(frame.survey.health[a]), PPM),
        "worst_account": a,
        "at_risk": sum(counts[:3]),
        "liquidations": liquidations,
        "auctions": len(frame.offers),
        "waiting": frame.total[Total.WAITING],
        "halted_ms": halted // MS_NS if halted else None,
        "histogram": counts,
        "unknown": unknown,
    }


def summary(frame: Frame, liquidations: int) -> PoolSummary:
    """A pool as lists and cards show it."""
    return PoolSummary(**summary_fields(frame, liquidations))


def pool_in_full(frame: Frame, liquidations: int, owners: list[bytes]) -> Pool:
    """Return everything that is said of a pool."""
    spec, quote = frame.facts.spec, 10**frame.facts.spec.settlement_decimals
    instruments = [i.name for i in spec.instruments]
    index = (decimal(x, PRICE_UNIT) for x in frame.funding_index)
    highest = (decimal(x, PRICE_UNIT) for x in frame.funding_rate_max)
    amounts = zip(spec.assets(), frame.deposited, scales(frame), strict=True)
    return Pool(
        **summary_fields(frame, liquidations),
        creator=frame.facts.creator,
        assets=spec.assets(),
        deposited={asset: decimal(amount, scale) for asset, amount, scale in amounts},
        settled_cash=decimal(frame.total[Total.SETTLED_CASH], quote),
        dues=decimal(frame.dues, quote),
        insurance_paid=decimal(frame.total[Total.INSURANCE_PAID], quote),
        lender_assets=decimal(frame.lender_assets, quote),
        borrow_rate=decimal(frame.borrow_rate, PPM),
        funding=dict(zip(instruments, map(Funding, index, highest), strict=True)),
        underlyings=msgspec.to_builtins(spec.underlyings),
        instruments=msgspec.to_builtins(spec.instruments),
        collateral=msgspec.to_builtins(spec.collateral),
        backstop=row(frame, BACKSTOP, owners),
        waterfall=depth_of(frame),
    )


def row(frame: Frame, a: int, owners: list[bytes]) -> AccountRow:
    """One account as tables show it."""
    spec, s = frame.facts.spec, frame.survey
    quote = 10**spec.settlement_decimals
    health, equity, required = int(s.health[a]), int(s.equity[a]), int(s.required[a])
    unknown = {}
    if health >= HEALTH_MAX:
        unknown["health_factor"] = NOTHING_OWED
    if equity <= 0:
        unknown["leverage"] = NO_EQUITY
    sizes, balances = frame.size[a].tolist(), frame.balance[a].tolist()
    held = zip(spec.assets(), balances, scales(frame), strict=True)
    return AccountRow(
        step=STEP_NAMES[int(frame.steps[a])],
        pool=frame.facts.id,
        pool_name=frame.facts.name,
        account=a,
        owner=_owner(frame, a, owners),
        number=int(frame.number[a]),
        health_factor=None if health >= HEALTH_MAX else decimal(health, PPM),
        equity=decimal(equity, quote),
        excess=decimal(equity - required, quote),
        requirement=decimal(required, quote),
        notional=decimal(int(s.notional[a]), quote),
        debt=decimal(int(s.debt[a]), quote),
        leverage=None if equity <= 0 else decimal(int(s.notional[a]) * PPM // equity, PPM),
        positions={
            i.name: decimal(size, UNIT)
            for i, size in zip(spec.instruments, sizes, strict=True)
            if size
        },
        balances={asset: decimal(amount, scale) for asset, amount, scale in held if amount},
        unknown=unknown,
    )


def depth_of(frame: Frame) -> PoolWaterfall:
    """How far down its waterfall a pool is."""
    depth = Depth(frame.total, frame.rule, frame.steps, frame.backstop_capital)
    quote = 10**frame.facts.spec.settlement_decimals
    is_below = _people(frame.survey.is_active) & (_people(frame.survey.health) < PPM)
    return PoolWaterfall(**depth.fields(quote, int(is_below.sum())))


def auction_row(frame: Frame, offer: Offered, owners: list[bytes]) -> Auction:
    """One account under auction."""
    facts, a, s = frame.facts, offer.account, frame.survey
    quote, health = 10**facts.spec.settlement_decimals, int(frame.survey.health[offer.account])
    terms = auction_terms(offer, frame.rule, frame.time_ns)
    return Auction(
        pool=facts.id,
        pool_name=facts.name,
        settlement=facts.spec.settlement,
        account=a,
        owner=_owner(frame, a, owners),
        number=int(frame.number[a]),
        discount=decimal(PPM - scaled(offer.quote.price_share, PPM), PPM),
        started_notional=decimal(offer.started_notional, quote),
        notional_left=decimal(offer.left_notional, quote),
        raised=decimal(offer.raised, quote),
        debt=decimal(offer.taken_debt, quote),
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
    quote, mark = 10**frame.facts.spec.settlement_decimals, frame.mark_price[i]
    held = frame.size[:, i], mark, frame.value_divisor, frame.survey.equity
    for side, is_long in (("long", True), ("short", False)):
        for place in queue_of(*held, is_long=is_long):
            yield _place(frame, side, place, quote, owners)


def _place(frame: Frame, side: str, place: Queued, quote: int, owners: list[bytes]) -> QueuePlace:
    return QueuePlace(
        side=side,
        account=place.account,
        owner=_owner(frame, place.account, owners),
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
        waiting=frame.total[Total.WAITING],
        places=list(queue_places(frame, i, owners)),
    )


def _owner(frame: Frame, a: int, owners: list[bytes]) -> str:
    return "0x" + owners[int(frame.owner[a])].hex()


def below(frame: Frame, health: int) -> list[int]:
    """Accounts below a health factor, worst first; the backstop is nobody's to watch."""
    found = BACKSTOP + 1 + np.flatnonzero(_people(frame.survey.health) < health)
    order = np.argsort(frame.survey.health[found], kind="stable")
    return found[order].tolist()


def at_risk(frames: Iterable[Frame], health: int, limit: int) -> list[tuple[Frame, int]]:
    """Accounts of all pools below a health factor, worst first, at most so many."""
    found = [(int(f.survey.health[a]), f, a) for f in frames for a in below(f, health)[:limit]]
    found.sort(key=lambda item: (item[0], item[1].facts.id, item[2]))
    return [(frame, a) for _, frame, a in found[:limit]]


class Pace:
    """Entries a second, over the last few snapshots."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, int]] = []  # (real time, seq)

    def note(self, now_ns: int, seq: int) -> str:
        """Take note of the newest entry; return the rate."""
        self._seen = [*self._seen[-20:], (now_ns, seq)]
        (first_ns, first), (last_ns, last) = self._seen[0], self._seen[-1]
        return f"{(last - first) * 1e9 / max(last_ns - first_ns, 1):.1f}"


def stats(
    snapshot: Snapshot,
    fields: Mapping[str, Mapping[str, Any]],
    pace: str,
    liquidations: int,
    viewers: int,
) -> Stats:
    """Return the venue in figures; fields: the summaries of all pools."""
    frames = list(snapshot.frames.values())
    counts = [summary["histogram"] for summary in fields.values()]
    bins = tuple(map(sum, zip(*counts, strict=True))) if counts else (0,) * (len(EDGES) + 1)

    def money(values: Iterable[tuple[Frame, int]]) -> str:
        total = sum(v * 10 ** (9 - f.facts.spec.settlement_decimals) for f, v in values)
        return decimal(total, 10**9)

    def totals(which: Total) -> str:
        return money((f, f.total[which]) for f in frames)

    return Stats(
        seq=snapshot.seq,
        head=snapshot.head,
        time_ms=snapshot.time_ns // MS_NS,
        source_state=snapshot.source_state,
        ticks=snapshot.counters.ticks,
        entries_per_second=pace,
        commands=snapshot.counters.commands,
        refused=snapshot.counters.refused,
        liquidations=liquidations,
        accounts=sum(f.total[Total.ACCOUNTS] for f in frames),
        active=sum(bins),
        at_risk=sum(bins[:3]),
        auctions=sum(len(f.offers) for f in frames),
        waiting=sum(f.total[Total.WAITING] for f in frames),
        halted=sum(f.total[Total.HALTED_AT] > 0 for f in frames),
        equity=money((f, int(_people(f.survey.equity).sum())) for f in frames),
        open_interest_value=money((f, f.open_interest_value) for f in frames),
        total_debt=money((f, f.total_debt) for f in frames),
        insurance_fund=totals(Total.INSURANCE_FUND),
        shortfall=totals(Total.SHORTFALL),
        tick_ms=f"{snapshot.counters.tick_ns / MS_NS:.3f}",
        queue=snapshot.queue,
        viewers=viewers,
        histogram=bins,
    )


assert all(low < high for low, high in pairwise(EDGES))
