"""From frames to what is on the wire: summaries of pools, rows of accounts, the venue's stats."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ringfence.core.health import HEALTH_MAX
from ringfence.core.pool import BACKSTOP, Total
from ringfence.risk.measure import VALIDITIES, Measure
from ringfence.risk.survey import Survey
from ringfence.service.frames import CLASSES, Facts, Frame, Snapshot, owner_of
from ringfence.service.schema import AccountRow, Funding, Pool, PoolSummary, Stats
from ringfence.service.stream import Row
from ringfence.service.waterfall import NOT_HALTED, STEP_NAMES
from ringfence.service.waterfall_rows import depth_of
from ringfence.units import MS_NS, PPM, PRICE_UNIT, UNIT
from ringfence.venue.receipts import decimal

NOTHING_OWED = "the account owes nothing and holds no position"
NO_EQUITY = "equity is not positive"
NOBODY_AT_RISK = "no account below a health factor of 1.1 needs maintenance margin"
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
    shown = (_price(v) if v else None for v in values)
    return dict(zip(names, shown, strict=True))


@lru_cache(4096)
def _price(value: int) -> str:
    """A price as a string, which hundreds of pools share."""
    return decimal(value, PRICE_UNIT)


class Raw(NamedTuple):
    """What a summary says, before it is written out; compared to find what changed."""

    version: int
    time_ms: int
    accounts: int
    active: int
    prices: list[int]
    validity: list[int]
    marks: list[int]
    open_interest: list[int]
    open_interest_value: int
    equity: int
    requirement: int
    total_debt: int
    utilisation: int
    insurance_fund: int
    insurance_coverage: int  # ppm; -1: nobody is at risk
    shortfall: int
    unpaid_claims: int
    worst_health: int  # ppm; -1: nobody is active
    worst_account: int
    at_risk: int
    liquidations: int
    auctions: int
    waiting: int
    halted_ms: int  # 0: it is not
    histogram: list[int]


# Plain integers: members of an enumeration take longer to look up than the figures.
_BINS, _CLASSES = int(Measure.BINS), VALIDITIES
_REQUIRED_AT_RISK, _WORST = int(Measure.REQUIRED_AT_RISK), int(Measure.WORST)
_WORST_HEALTH = int(Measure.WORST_HEALTH)
_VALUE, _EQUITY, _REQUIRED = map(
    int, (Measure.OPEN_INTEREST_VALUE, Measure.EQUITY, Measure.REQUIRED)
)
_DEBT, _UTILISATION, _CLAIMS = map(
    int, (Measure.TOTAL_DEBT, Measure.UTILISATION, Measure.UNPAID_CLAIMS)
)
_VERSION, _ACCOUNTS, _FUND = map(int, (Total.VERSION, Total.ACCOUNTS, Total.INSURANCE_FUND))
_NOW, _SHORTFALL = int(Total.NOW_NS), int(Total.SHORTFALL)
_HEALTH = Survey._fields.index("health")
_WAITING, _HALTED = int(Total.WAITING), int(Total.HALTED_AT)


def raw_of(frame: Frame, liquidations: int) -> Raw:
    """Return what the summary of a frame says."""
    figures, places = frame.figures, frame.facts.places
    counts, worst = figures[_BINS:_CLASSES], figures[_WORST]
    at_stake, fund = figures[_REQUIRED_AT_RISK], figures[_FUND]
    return Raw(
        version=figures[_VERSION],
        time_ms=figures[_NOW] // MS_NS,
        accounts=figures[_ACCOUNTS],
        active=sum(counts),
        prices=figures[places["index_price"]],
        validity=figures[_CLASSES : places["index_price"].start],
        marks=figures[places["mark_price"]],
        open_interest=figures[places["open_interest"]],
        open_interest_value=figures[_VALUE],
        equity=figures[_EQUITY],
        requirement=figures[_REQUIRED],
        total_debt=figures[_DEBT],
        utilisation=figures[_UTILISATION],
        insurance_fund=fund,
        insurance_coverage=fund * PPM // at_stake if at_stake > 0 else -1,
        shortfall=figures[_SHORTFALL],
        unpaid_claims=figures[_CLAIMS],
        worst_health=figures[_WORST_HEALTH] if worst >= 0 else -1,
        worst_account=worst,
        at_risk=counts[0] + counts[1] + counts[2],
        liquidations=liquidations,
        auctions=len(frame.offers),
        waiting=figures[_WAITING],
        halted_ms=figures[_HALTED] // MS_NS,
        histogram=counts,
    )


Written = Callable[[Facts, Any], Any]


def _money(facts: Facts, value: int) -> str:
    return decimal(value, facts.quote)


def _share(_facts: Facts, value: int) -> str | None:
    return decimal(value, PPM) if value >= 0 else None


def _count(_facts: Facts, value: int) -> int | None:
    return value if value >= 0 else None


_WRITTEN: dict[str, Written] = {
    **dict.fromkeys(Raw._fields, _count),
    **dict.fromkeys(("open_interest_value", "equity", "requirement", "total_debt"), _money),
    **dict.fromkeys(("insurance_fund", "shortfall", "unpaid_claims"), _money),
    **dict.fromkeys(("utilisation", "insurance_coverage", "worst_health"), _share),
    "prices": lambda facts, values: prices(facts.underlyings, values),
    "marks": lambda facts, values: prices(facts.instruments, values),
    "open_interest": lambda facts, values: named(facts.instruments, values, UNIT),
    "validity": lambda facts, values: dict(
        zip(facts.underlyings, [CLASSES[k] for k in values], strict=True)
    ),
    "histogram": lambda _facts, counts: tuple(counts),
    "halted_ms": lambda _facts, value: value or None,
}
_WRITERS = [(name, _WRITTEN[name]) for name in Raw._fields]


def _unknown(raw: Raw) -> dict[str, str]:
    found = {}
    if raw.worst_account < 0:
        found["worst_health"] = found["worst_account"] = NOBODY_ACTIVE
    if raw.insurance_coverage < 0:
        found["insurance_coverage"] = NOBODY_AT_RISK
    if not raw.halted_ms:
        found["halted_ms"] = NOT_HALTED
    return found


class Summaries:
    """Fields of the summaries of all pools; only what changed is written out anew."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Raw, Row]] = {}

    def of(self, frame: Frame, liquidations: int) -> Row:
        """Return the fields of a pool's summary."""
        raw = raw_of(frame, liquidations)
        kept = self._kept.get(frame.facts.id)
        row = _first(frame.facts, raw) if kept is None else _next(frame.facts, raw, *kept)
        self._kept[frame.facts.id] = raw, row
        return row


def _first(facts: Facts, raw: Raw) -> Row:
    named = {name: write(facts, x) for (name, write), x in zip(_WRITERS, raw, strict=True)}
    about = {"id": facts.id, "name": facts.name, "kind": facts.kind}
    settled = {"settlement": facts.spec.settlement}
    return Row(about | settled | named | {"unknown": _unknown(raw)})


def _next(facts: Facts, raw: Raw, before: Raw, row: Row) -> Row:
    changed = {
        name: write(facts, new)
        for (name, write), new, old in zip(_WRITERS, raw, before, strict=True)
        if new != old
    }
    if not changed:
        return row
    unknown = _unknown(raw)
    if unknown != row["unknown"]:
        changed["unknown"] = unknown
    return row.followed_by(changed)


def summary_fields(frame: Frame, liquidations: int) -> dict[str, Any]:
    """Fields of a pool's summary, all written out."""
    return _first(frame.facts, raw_of(frame, liquidations))


def summary(frame: Frame, liquidations: int) -> PoolSummary:
    """A pool as lists and cards show it."""
    return PoolSummary(**summary_fields(frame, liquidations))


def pool_in_full(frame: Frame, liquidations: int, owners: list[bytes]) -> Pool:
    """Return everything that is said of a pool."""
    spec, quote = frame.facts.spec, 10**frame.facts.spec.settlement_decimals
    instruments = [i.name for i in spec.instruments]
    index = (decimal(x, PRICE_UNIT) for x in frame.column("funding_index"))
    highest = (decimal(x, PRICE_UNIT) for x in frame.column("funding_rate_max"))
    amounts = zip(spec.assets(), frame.column("deposited"), scales(frame), strict=True)
    return Pool(
        **summary_fields(frame, liquidations),
        creator=frame.facts.creator,
        assets=spec.assets(),
        deposited={asset: decimal(amount, scale) for asset, amount, scale in amounts},
        settled_cash=decimal(frame.figures[Total.SETTLED_CASH], quote),
        dues=decimal(frame.figures[Measure.DUES], quote),
        insurance_paid=decimal(frame.figures[Total.INSURANCE_PAID], quote),
        lender_assets=decimal(frame.figures[Measure.LENDER_ASSETS], quote),
        borrow_rate=decimal(frame.figures[Measure.BORROW_RATE], PPM),
        funding=dict(zip(instruments, map(Funding, index, highest), strict=True)),
        underlyings=msgspec.to_builtins(spec.underlyings),
        instruments=msgspec.to_builtins(spec.instruments),
        collateral=msgspec.to_builtins(spec.collateral),
        backstop=row(frame, BACKSTOP, owners),
        waterfall=depth_of(frame),
    )


def row(frame: Frame, a: int, owners: list[bytes]) -> AccountRow:
    """One account as tables show it."""
    facts, quote = frame.facts, frame.facts.quote
    health, equity, required, notional, debt, _ = frame.rows[:, a].tolist()
    unknown = {}
    if health >= HEALTH_MAX:
        unknown["health_factor"] = NOTHING_OWED
    if equity <= 0:
        unknown["leverage"] = NO_EQUITY
    sizes, balances = frame.size[a].tolist(), frame.balance[a].tolist()
    held = zip(facts.assets, balances, strict=True)
    return AccountRow(
        step=STEP_NAMES[int(frame.steps[a])],
        pool=facts.id,
        pool_name=facts.name,
        account=a,
        owner=owner_of(frame, a, owners),
        number=int(frame.number[a]),
        health_factor=None if health >= HEALTH_MAX else decimal(health, PPM),
        equity=decimal(equity, quote),
        excess=decimal(equity - required, quote),
        requirement=decimal(required, quote),
        notional=decimal(notional, quote) if notional else "0",
        debt=decimal(debt, quote),
        leverage=None if equity <= 0 else decimal(notional * PPM // equity, PPM),
        positions={
            name: decimal(size, UNIT)
            for name, size in zip(facts.instruments, sizes, strict=True)
            if size
        },
        balances={asset: decimal(n, scale) for (asset, scale), n in held if n},
        unknown=unknown,
    )


def below(frame: Frame, health: int) -> list[int]:
    """Accounts below a health factor, worst first; the backstop is nobody's to watch."""
    of_all = frame.survey.health
    found = BACKSTOP + 1 + np.flatnonzero(of_all[BACKSTOP + 1 :] < health)
    order = np.argsort(of_all[found], kind="stable")
    return found[order].tolist()


def at_risk(frames: Iterable[Frame], health: int, limit: int) -> list[tuple[Frame, int]]:
    """Accounts of all pools below a health factor, worst first, at most so many."""
    near = (f for f in frames if f.figures[_WORST_HEALTH] < health)
    found = [(int(f.rows[_HEALTH, a]), f, a) for f in near for a in below(f, health)[:limit]]
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


def money(values: Iterable[tuple[Frame, int]]) -> str:
    """Amounts of several pools, added up one to one."""
    total = sum(v * 10 ** (9 - f.facts.spec.settlement_decimals) for f, v in values)
    return decimal(total, 10**9)


class Sums:
    """Figures of many pools added up, those of pools with the same decimals first."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        by_decimals: dict[int, list[list[int]]] = {}
        for frame in frames:
            decimals = frame.facts.spec.settlement_decimals
            by_decimals.setdefault(decimals, []).append(frame.figures[:_CLASSES])
        self._sums = {d: list(map(sum, zip(*f, strict=True))) for d, f in by_decimals.items()}

    def count(self, which: int) -> int:
        """A figure that counts something."""
        return sum(found[which] for found in self._sums.values())

    def money(self, which: int) -> str:
        """A figure that is an amount."""
        total = sum(found[which] * 10 ** (9 - d) for d, found in self._sums.items())
        return decimal(total, 10**9)


def stats(
    snapshot: Snapshot,
    pace: str,
    liquidations: int,
    viewers: int,
) -> Stats:
    """Return the venue in figures."""
    frames = list(snapshot.frames.values())
    sums = Sums(frames)
    bins = tuple(map(sums.count, range(_BINS, _CLASSES)))
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
        accounts=sum(f.figures[_ACCOUNTS] for f in frames),
        active=sum(bins),
        at_risk=sum(bins[:3]),
        auctions=sum(len(f.offers) for f in frames),
        waiting=sum(f.figures[_WAITING] for f in frames),
        halted=sum(f.figures[_HALTED] > 0 for f in frames),
        equity=sums.money(_EQUITY),
        open_interest_value=sums.money(_VALUE),
        total_debt=sums.money(_DEBT),
        insurance_fund=money((f, f.figures[_FUND]) for f in frames),
        shortfall=money((f, f.figures[_SHORTFALL]) for f in frames),
        tick_ms=f"{snapshot.counters.tick_ns / MS_NS:.3f}",
        queue=snapshot.queue,
        viewers=viewers,
        histogram=bins,
    )
