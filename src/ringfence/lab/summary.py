"""The summary of a crash: what it did to whom, and the proofs that it stayed inside."""

import msgspec
import numpy as np

from ringfence.core.pool import Total, account_count
from ringfence.lab.crash import Crash
from ringfence.lab.options import OptionsSummary
from ringfence.lab.pools import DECIMALS
from ringfence.lab.stage import kind_of
from ringfence.lab.waterfall import Paid
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


class StepsSummary(msgspec.Struct, frozen=True):
    """What the steps of the waterfall did, and who bore what of it."""

    deepest: str  # step that was gone down to
    added: str  # out of signed budgets
    reduced: str  # notional reduced by orders of the owners
    auctions: int
    auctioned: str  # notional and debt of the slices sold
    raised: str  # what bidders paid for them
    notional: str  # of positions taken over by the backstop
    debt: str  # taken over by the backstop with collateral
    insurance: str
    deleveraged: str  # notional closed against the other side
    shortfall: str
    halts: int  # pools that have lost too much to go on
    ends: int  # of them, settled for good
    final: str  # claims paid by that
    unpaid: str  # claims left after it
    borne: dict[str, str]


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
    steps: StepsSummary
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
    steps: StepsSummary
    adds_up: bool
    problems: list[str]  # what does not add up, sentence by sentence
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
    impact: dict[str, str]  # by market, the furthest that forced closing pushed its price
    is_complete: bool  # false where the run was stopped before its last tick
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


def _steps(paid: Paid) -> StepsSummary:
    return StepsSummary(
        deepest=paid.deepest(),
        added=_money(paid.added),
        reduced=_money(paid.reduced),
        auctions=paid.auctions,
        auctioned=_money(paid.auctioned),
        raised=_money(paid.raised),
        notional=_money(paid.notional),
        debt=_money(paid.debt),
        insurance=_money(paid.insurance),
        deleveraged=_money(paid.deleveraged),
        shortfall=_money(paid.shortfall),
        halts=paid.halts,
        ends=paid.ends,
        final=_money(paid.final),
        unpaid=_money(paid.unpaid),
        borne={name: _money(value) for name, value in paid.borne().items()},
    )


def _pool(crash: Crash, k: int) -> PoolSummary:
    record = crash.stage.records[k]
    total = record.pool.total
    return PoolSummary(
        name=record.spec.name,
        kind=kind_of(record),
        id=record.id.hex(),
        accounts=account_count(record.pool),
        liquidated_accounts=len(crash.books[k].accounts),
        insurance_used=_money(int(total[Total.INSURANCE_PAID])),
        insurance_left=_money(int(total[Total.INSURANCE_FUND])),
        shortfall=_money(int(total[Total.SHORTFALL])),
        unpaid_claims=_money(int(record.pool.claim[: account_count(record.pool)].sum())),
        steps=_steps(crash.books[k].paid),
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
    paid, problems = crash.paid(), crash.problems()
    return Summary(
        description=crash.series.description,
        symbols=crash.symbols,
        seed=crash.plan.seed,
        accounts=crash.population.accounts,
        pools=len(crash.stage.records),
        ticks=counts.ticks,
        commands=crash.stage.commands,
        refused=crash.stage.refused,
        liquidations=paid.steps,
        liquidated_accounts=crash.liquidated(),
        liquidated_notional=_money(paid.notional + paid.auctioned + paid.deleveraged),
        liquidated_debt=_money(paid.debt),
        shortfall=_money(sum(shortfalls.values())),
        shortfall_pools={name: _money(value) for name, value in shortfalls.items()},
        insurance_used=_money(crash.total(Total.INSURANCE_PAID)),
        unpaid_claims=_money(crash.unpaid_claims()),
        steps=_steps(paid),
        adds_up=not problems,
        problems=problems,
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
        impact={n: decimal(m.furthest, PRICE_UNIT) for n, m in crash.markets.items()},
        is_complete=crash.counts.ticks == crash.ticks,
        options=crash.options.summary(
            {(k, a) for k, book in enumerate(crash.books) for a in book.accounts}
        ),
        by_pool=[_pool(crash, k) for k in range(len(crash.stage.records))],
    )
