"""The way out is always open, and what each action may do is a table: P10, P24, P25."""

from random import Random

import numpy as np
import pytest
from tests.properties.histories import History
from tests.properties.pools import MIXED, PRICES, START_NS, new_pool
from tests.properties.profile import over_histories
from tests.properties.running import do, must
from tests.properties.states import UNCAPPED, after_history

from ringfence.core.command import Kind
from ringfence.core.health import debt_of, excess, has_obligation
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Rule, Total, account_count, copied
from ringfence.core.status import Status
from ringfence.core.validity import Flag, Validity, validity
from ringfence.units import PRICE_UNIT, UNIT

USDC = 10**6
LONG, SHORT, FLAT, BORROWER, WEAK, SECOND = 1, 2, 3, 4, 5, 6


def spoil(pool: Pool, u: int, how: Validity) -> None:
    """Bring the index price of an underlying into a class."""
    if how == Validity.UNCERTAIN:
        pool.confidence[u] = pool.index_price[u] * pool.rule[Rule.CONFIDENCE_MAX] // 10**6 + 1
    if how == Validity.STALE:
        pool.publish_time[u] = pool.total[Total.NOW_NS] - pool.rule[Rule.STALE_NS]
    if how == Validity.LONG_STALE:
        pool.publish_time[u] = pool.total[Total.NOW_NS] - pool.rule[Rule.LONG_STALE_NS]
    if how == Validity.DIVERGENT:
        pool.price_flag[u] = Flag.DIVERGENT
    if how == Validity.NON_POSITIVE:
        pool.price_flag[u] = Flag.NON_POSITIVE


def dead_oracle(spec, seed) -> tuple[Pool, Random]:
    """A pool after a history, all of whose prices are then lost in one way or another."""
    pool, rng = after_history(spec, seed)
    for u in range(len(pool.index_price)):
        spoil(pool, u, rng.choice([v for v in Validity if v != Validity.FRESH]))
    return pool, rng


def leave(pool: Pool, a: int) -> None:
    """Pay what is due and take everything out."""
    if pool.due[a]:
        must(pool, Kind.DEPOSIT, account=a, amount=int(pool.due[a]))
    for c in range(len(pool.deposited)):
        if pool.balance[a, c]:
            must(pool, Kind.WITHDRAW, account=a, asset=c, amount=int(pool.balance[a, c]))
    assert not pool.balance[a].any()


@over_histories(30)
def test_p24_p10_whoever_owes_nothing_takes_everything_out_whatever_the_oracle(spec, seed):
    pool, _ = dead_oracle(spec, seed)
    for a in range(BACKSTOP + 1, account_count(pool)):
        if not has_obligation(pool, a):
            leave(pool, a)


@over_histories(30, "mixed", "lending", "coarse")
def test_p24_anybody_can_repay_in_full_and_leave_whatever_the_oracle(spec, seed):
    pool, _ = dead_oracle(spec, seed)
    for a in range(account_count(pool)):
        debt = debt_of(pool, int(pool.debt_shares[a]))
        if debt:
            must(pool, Kind.DEPOSIT, account=a, amount=debt + int(pool.due[a]))
            must(pool, Kind.REPAY, account=a, amount=UNCAPPED)
        assert pool.debt_shares[a] == 0
        if a != BACKSTOP and not pool.size[a].any():
            leave(pool, a)
    assert pool.total[Total.DEBT_SHARES] == 0
    for a in range(account_count(pool)):
        if pool.supply_shares[a]:
            must(pool, Kind.REDEEM, account=a, amount=int(pool.supply_shares[a]))


@over_histories(30, "plain", "mixed", "coarse")
def test_p24_two_sides_can_always_close_an_unhedged_position_against_each_other(spec, seed):
    pool, rng = dead_oracle(spec, seed)
    pool.taker_fee[:] = pool.maker_fee[:] = 0
    legs = (pool.size != 0).sum(axis=1)
    for i in np.flatnonzero((pool.expired == 0) & (pool.mark_price > 0)):
        if 0 < pool.expiry[i] <= pool.total[Total.NOW_NS]:
            continue
        longs = np.flatnonzero((pool.size[:, i] > 0) & (legs == 1)).tolist()
        shorts = np.flatnonzero((pool.size[:, i] < 0) & (legs == 1)).tolist()
        if longs and shorts:
            a, b = rng.choice(longs), rng.choice(shorts)
            size = min(int(pool.size[a, i]), -int(pool.size[b, i]))
            sold = {"instrument": i, "size": -size, "price": int(pool.mark_price[i])}
            must(pool, Kind.TRADE, account=a, other=b, **sold)
            assert pool.size[a, i] == 0 or pool.size[b, i] == 0


def stage() -> Pool:
    """A pool with one account of each sort, all prices fresh."""
    pool = new_pool(MIXED)
    for a in (LONG, SHORT, FLAT, BORROWER, WEAK, SECOND):
        must(pool, Kind.OPEN_ACCOUNT, other=a, amount=1)
        must(pool, Kind.DEPOSIT, account=a, amount=(6_000 if a == WEAK else 400_000) * USDC)
        if a != WEAK:
            must(pool, Kind.DEPOSIT, account=a, asset=1, amount=2 * UNIT)
    for u, name in enumerate(("BTC", "ETH")):
        price = PRICES[name] * PRICE_UNIT
        must(pool, Kind.SET_INDEX_PRICE, instrument=u, price=price, size=START_NS)
    for i, name in enumerate(("BTC", "BTC", "ETH")):
        must(pool, Kind.SET_MARK_PRICE, instrument=i, price=PRICES[name] * PRICE_UNIT)
    must(pool, Kind.SUPPLY, account=FLAT, amount=100_000 * USDC)
    must(pool, Kind.BORROW, account=BORROWER, amount=10_000 * USDC)
    for a in (LONG, WEAK):
        deal = {"instrument": 0, "size": 2 * UNIT, "price": 60_000 * PRICE_UNIT}
        must(pool, Kind.TRADE, account=a, other=SHORT, **deal)
    must(pool, Kind.SET_MARK_PRICE, instrument=0, price=57_000 * PRICE_UNIT)
    return pool


MARK = 57_000 * PRICE_UNIT
SALE = {"asset": 1, "amount": UNIT, "price": 50_000 * PRICE_UNIT}
# What may be done while the BTC price is: fresh, uncertain, stale, long stale, divergent,
# non-positive. Adding collateral, reducing, repaying and leaving without a position: always.
WHEN = {
    "100000 open a position": (
        Kind.TRADE,
        {"account": LONG, "other": SHORT, "size": UNIT // 100, "price": MARK},
    ),
    "111111 reduce a position": (
        Kind.TRADE,
        {"account": LONG, "other": SHORT, "size": -UNIT, "price": MARK},
    ),
    "100000 open with collateral": (
        Kind.OPEN_POSITION,
        {"account": LONG, "other": SHORT, "size": UNIT // 100, "price": MARK, "amount": USDC},
    ),
    "111111 add cash": (Kind.DEPOSIT, {"account": LONG, "amount": USDC}),
    "111111 add a coin": (Kind.DEPOSIT, {"account": LONG, "asset": 1, "amount": UNIT}),
    "100000 withdraw beside a position": (Kind.WITHDRAW, {"account": LONG, "amount": USDC}),
    "111111 withdraw owing nothing": (Kind.WITHDRAW, {"account": FLAT, "asset": 1, "amount": UNIT}),
    "111111 repay": (Kind.REPAY, {"account": BORROWER, "amount": UNCAPPED}),
    "100000 borrow against a coin": (Kind.BORROW, {"account": BORROWER, "amount": USDC}),
    "111111 lend owing nothing": (Kind.SUPPLY, {"account": FLAT, "amount": USDC}),
    "100000 lend beside a position": (Kind.SUPPLY, {"account": LONG, "amount": USDC}),
    "111111 redeem": (Kind.REDEEM, {"account": FLAT, "amount": USDC}),
    "111111 give to insurance": (Kind.FUND_INSURANCE, {"account": FLAT, "amount": USDC}),
    "100000 give beside a position": (Kind.FUND_INSURANCE, {"account": SHORT, "amount": USDC}),
    "100000 sell a coin beside a position": (
        Kind.EXCHANGE,
        {"account": LONG, "other": FLAT, **SALE, "price": 50},
    ),
    "100000 buy a coin beside a debt": (
        Kind.EXCHANGE,
        {"account": FLAT, "other": BORROWER, **SALE},
    ),
    "111111 exchange owing nothing": (
        Kind.EXCHANGE,
        {"account": FLAT, "other": SECOND, **SALE, "price": 50},
    ),
    "111000 liquidate": (Kind.LIQUIDATE, {"account": WEAK}),
    "110000 settle": (Kind.SETTLE, {}),
    "110000 accrue funding": (Kind.ACCRUE_FUNDING, {"amount": 100}),
    "111100 set a mark price": (Kind.SET_MARK_PRICE, {"price": MARK}),
    "111111 move the clock": (Kind.ADVANCE_CLOCK, {"time_ns": START_NS}),
    "111111 announce a change": (
        Kind.ANNOUNCE_CHANGE,
        {"asset": int(Rule.BORROW_CAP), "amount": 1, "size": START_NS + 10**13},
    ),
}


@pytest.mark.parametrize("name", WHEN)
def test_p25_each_action_runs_in_the_oracle_states_of_the_table(name):
    allowed, (kind, fields) = name.split(" ")[0], WHEN[name]
    for how, mark in zip(Validity, allowed, strict=True):
        pool = stage()
        spoil(pool, 0, how)
        assert validity(pool, 0) == how
        expected = Status.OK if mark == "1" else Status.PRICE_IS_NOT_USABLE
        assert do(pool, kind, **fields) == expected, f"{name} at {how.name}"


# How the excess at maintenance may move, of the accounts a command names and of the others:
# "=" not at all, "+" not down, "-" not up, "~" by rounding only, "*" in any way.
EFFECTS = {
    Kind.OPEN_ACCOUNT: "==",
    Kind.DEPOSIT: "+=",
    Kind.WITHDRAW: "-=",
    Kind.EXCHANGE: "*=",
    Kind.FUND_INSURANCE: "-=",
    Kind.SUPPLY: "-=",
    Kind.REDEEM: "+=",
    Kind.BORROW: "~=",
    Kind.REPAY: "~=",
    Kind.TRADE: "*=",
    Kind.OPEN_POSITION: "*=",
    Kind.SETTLE: "==",
    Kind.LIQUIDATE: "*=",
    Kind.BID: "*=",
    Kind.SUPPLY_BACKSTOP: "-=",
    Kind.REDEEM_BACKSTOP: "+=",
    Kind.BUY_FROM_BACKSTOP: "*=",
    Kind.BUY_COLLATERAL: "*=",
    Kind.DELEVERAGE: "**",
    Kind.FUND_BOND: "-=",
    Kind.RELEASE_BOND: "+=",
    Kind.PROTECT: "==",
    Kind.TOP_UP: "+=",
    Kind.REDUCE: "*=",
    Kind.WARN: "==",
    Kind.END_POOL: "**",
    Kind.ANNOUNCE_CHANGE: "==",
    Kind.CANCEL_CHANGE: "==",
    Kind.EXPIRE: "**",
    Kind.SET_INDEX_PRICE: "**",
    Kind.SET_MARK_PRICE: "**",
    Kind.SET_RISK_ARRAY: "**",
    Kind.ACCRUE_FUNDING: "**",
    Kind.ADVANCE_CLOCK: "**",
}
NAMES_OTHER = (Kind.TRADE, Kind.OPEN_POSITION, Kind.EXCHANGE, Kind.BID)
WITH_BACKSTOP = (
    *(Kind.SETTLE, Kind.LIQUIDATE, Kind.SUPPLY_BACKSTOP, Kind.REDEEM_BACKSTOP),
    *(Kind.BUY_FROM_BACKSTOP, Kind.BUY_COLLATERAL, Kind.REDUCE, Kind.TRADE, Kind.OPEN_POSITION),
)
OF_NOBODY = (Kind.SETTLE, Kind.OPEN_ACCOUNT, Kind.ANNOUNCE_CHANGE, Kind.CANCEL_CHANGE)
OF_ALL = (Kind.DELEVERAGE, Kind.END_POOL)


def agrees(sign: str, change: int, unit: int) -> bool:
    if sign == "~":
        return -unit <= change <= 0
    return {"=": change == 0, "+": change >= 0, "-": change <= 0, "*": True}[sign]


def standings(pool: Pool) -> list[int]:
    return [excess(pool, a, Level.MAINTENANCE) for a in range(len(pool.owner))]


def test_p25_the_table_names_every_kind():
    assert set(EFFECTS) == set(Kind)


@over_histories(40)
def test_p25_each_action_moves_health_as_the_table_says(spec, seed):
    history = History(spec, seed)
    before = standings(history.pool)
    for step in history.take(250):
        pool, after = history.pool, standings(history.pool)
        if step.status == Status.OK:
            kind = Kind(step.kind)
            named = {step.field("account")} if kind not in (*OF_NOBODY, *OF_ALL) else set()
            named |= {step.field("other")} if kind in NAMES_OTHER else set()
            exempt = {BACKSTOP} if kind in WITH_BACKSTOP else set()
            unit = 2 + int(pool.total[Total.BORROW_INDEX]) // 10**12
            for a, (x, y) in enumerate(zip(before, after, strict=True)):
                sign = EFFECTS[kind][0 if a in named else 1]
                assert a in exempt or agrees(sign, y - x, unit), (
                    f"{spec.name} seed {seed}: {kind.name} moved account {a} from {x} to {y}"
                )
        before = after


def test_p25_only_the_initial_level_stops_risk_and_only_maintenance_liquidates():
    pool = stage()
    assert excess(pool, WEAK, Level.MAINTENANCE) < 0
    assert excess(pool, LONG, Level.INITIAL) > 0
    for a in (LONG, SHORT, FLAT, BORROWER):
        assert do(copied(pool), Kind.LIQUIDATE, account=a) == Status.ACCOUNT_IS_HEALTHY
    more = {"account": WEAK, "other": SHORT, "size": UNIT // 1000, "price": MARK}
    assert do(pool, Kind.TRADE, **more) == Status.INITIAL_MARGIN_TOO_LOW
    cash = int(pool.balance[WEAK, CASH])
    must(pool, Kind.LIQUIDATE, account=WEAK)
    assert pool.balance[WEAK, CASH] <= cash
    assert excess(pool, WEAK, Level.TARGET) >= 0 or not pool.size[WEAK].any()
