"""The summary of a crash: what it did to whom, and the proofs that it stayed inside."""

import msgspec
import numpy as np

from ringfence.core.pool import Total, account_count
from ringfence.lab.crash import Crash
from ringfence.lab.options import OptionsSummary
from ringfence.lab.pools import DECIMALS
from ringfence.lab.stage import kind_of
from ringfence.units import PRICE_UNIT
from ringfence.venue.receipts import decimal

QUOTE = 10**DECIMALS


class Latency(msgspec.Struct, frozen=True):
    """From a tick's arrival to its last liquidation decision, in microseconds."""

    median: float | None
    p99: float | None


class PriceSummary(msgspec.Struct, frozen=True):
    """What the prices of a symbol did."""

    first: str
    lowest: str
    last: str
    worst_fall: str  # lowest against the highest before it, as a share


class PoolSummary(msgspec.Struct, frozen=True):
    """What happened in one pool."""

    name: str
    kind: str
    id: str
    accounts: int
    liquidated_accounts: int
    insurance_used: str
    insurance_left: str
    shortfall: str
    unpaid_claims: str
    digest: str


class Summary(msgspec.Struct, frozen=True):
    """Result of a run; amounts in the settlement asset."""

    description: str
    symbols: list[str]
    seed: int
    accounts: int
    pools: int
    ticks: int
    commands: int
    refused: int
    liquidations: int
    liquidated_accounts: int
    liquidated_notional: str
    liquidated_debt: str
    shortfall: str
    shortfall_pools: dict[str, str]
    insurance_used: str
    unpaid_claims: str
    wallets_unchanged: bool
    unaffected_pools_unchanged: bool
    wallets_digest: str
    digest: str
    journal: str
    entries: int
    head: str
    ticks_per_second: float
    seconds: float
    decision_latency_us: Latency
    prices: dict[str, PriceSummary]
    options: OptionsSummary | None
    by_pool: list[PoolSummary]


def _money(value: int) -> str:
    return decimal(value, QUOTE)


def _prices(crash: Crash, symbol: str) -> PriceSummary:
    mid = crash.series.prices(symbol).mid
    worst = float(np.min(mid / np.maximum.accumulate(mid))) - 1
    return PriceSummary(
        first=decimal(int(mid[0]), PRICE_UNIT),
        lowest=decimal(int(mid.min()), PRICE_UNIT),
        last=decimal(int(mid[-1]), PRICE_UNIT),
        worst_fall=f"{worst:.4f}",
    )


def _pool(crash: Crash, k: int) -> PoolSummary:
    record = crash.stage.records[k]
    total = record.pool.total
    return PoolSummary(
        name=record.spec.name,
        kind=kind_of(record),
        id=record.id.hex(),
        accounts=account_count(record.pool),
        liquidated_accounts=sum(1 for pool, _ in crash.counts.liquidated if pool == k),
        insurance_used=_money(int(total[Total.INSURANCE_PAID])),
        insurance_left=_money(int(total[Total.INSURANCE_FUND])),
        shortfall=_money(int(total[Total.SHORTFALL])),
        unpaid_claims=_money(int(record.pool.claim[: account_count(record.pool)].sum())),
        digest=record.digest().hex(),
    )


def _latency(nanoseconds: list[int]) -> Latency:
    if not nanoseconds:
        return Latency(None, None)
    median, p99 = np.percentile(np.array(nanoseconds) / 1_000, (50, 99))
    return Latency(round(float(median), 1), round(float(p99), 1))


def summarise(crash: Crash) -> Summary:
    """Return the summary of a run that has ended."""
    counts, venue, shortfalls = crash.counts, crash.venue, crash.shortfalls()
    return Summary(
        description=crash.series.description,
        symbols=crash.symbols,
        seed=crash.plan.seed,
        accounts=crash.population.accounts,
        pools=len(crash.stage.records),
        ticks=counts.ticks,
        commands=crash.stage.commands,
        refused=crash.stage.refused,
        liquidations=counts.liquidations,
        liquidated_accounts=len(counts.liquidated),
        liquidated_notional=_money(counts.notional),
        liquidated_debt=_money(counts.collateral),
        shortfall=_money(sum(shortfalls.values())),
        shortfall_pools={name: _money(value) for name, value in shortfalls.items()},
        insurance_used=_money(crash.total(Total.INSURANCE_PAID)),
        unpaid_claims=_money(crash.unpaid_claims()),
        wallets_unchanged=counts.are_wallets_unchanged,
        unaffected_pools_unchanged=counts.are_others_unchanged,
        wallets_digest=venue.state.wallets_digest().hex(),
        digest=venue.state.digest().hex(),
        journal=str(venue.journal.path),
        entries=venue.journal.seq,
        head=venue.journal.head.hex(),
        ticks_per_second=round(counts.ticks / crash.seconds, 1) if crash.seconds else 0.0,
        seconds=round(crash.seconds, 2),
        decision_latency_us=_latency(counts.latency_ns),
        prices={symbol: _prices(crash, symbol) for symbol in crash.symbols},
        options=crash.options.summary(counts.liquidated),
        by_pool=[_pool(crash, k) for k in range(len(crash.stage.records))],
    )
