"""Two friends and everything they can do: at constant prices nothing of it brings them a unit.

What they could ever take out is counted after every command: all that each account owns at
full prices, uncollected gains, lent cash and shares of the backstop at face value, less what it
owes, but never below nothing, for nobody pays what he has not. Whatever makes that sum rise
has risen it in a single command, so a search over single commands in many states is a search
over all sequences of them. Strangers hold positions and capital, and do nothing.
"""

from collections import Counter
from random import Random

import msgspec
import numpy as np
import pytest
from tests.properties.pools import BARE, LENDING, MIXED, OFFERED, PRICES, ROOM, START_NS, TIGHT
from tests.properties.profile import IS_INTERPRETED, examples
from tests.properties.running import do, must
from tests.properties.states import wealth

from ringfence.core.auction import WHOLE
from ringfence.core.backstop import full_capital
from ringfence.core.command import Kind
from ringfence.core.creation import create_pool
from ringfence.core.health import excess
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Step, Total, account_count
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.units import BASE, MINUTE_NS, PRICE_UNIT, UNIT

FRIENDS = (1, 2)
MILLION = 10**6


def without_interest(spec: PoolSpec) -> PoolSpec:
    """The spec at no interest, which would be paid to friends who lend."""
    rules = msgspec.structs.replace(spec.rules, rate_base="0", rate_slope1="0", rate_slope2="0")
    return msgspec.structs.replace(spec, rules=rules)


SPECS = [without_interest(spec) for spec in (BARE, OFFERED, TIGHT, MIXED, LENDING)]


def unit(pool: Pool) -> int:
    """What rounding can move in the steps of one command."""
    return 32 * (int(pool.total[Total.BORROW_INDEX]) // BASE + 2)


def takings(pool: Pool) -> int:
    """What both could ever take out, each account for itself."""
    capital, shares = int(full_capital(pool)), int(pool.total[Total.BACKSTOP_SHARES])
    return sum(
        max(wealth(pool, a) + int(pool.backstop_shares[a]) * capital // (shares + 1), 0)
        for a in FRIENDS
    )


def fund(pool: Pool, spec: PoolSpec, rng: Random) -> None:
    """Money and coins for two friends and two strangers; capital, lenders, insurance."""
    for a in (1, 2, 3, 4):
        must(pool, Kind.OPEN_ACCOUNT, other=a, amount=1)
        must(pool, Kind.DEPOSIT, account=a, amount=rng.randrange(10_000, 200_000) * MILLION)
        for c in range(1, len(spec.assets())):
            if rng.random() < 0.5:
                must(pool, Kind.DEPOSIT, account=a, asset=c, amount=rng.randrange(1, 3 * UNIT))
    must(pool, Kind.DEPOSIT, account=BACKSTOP, amount=rng.choice((1, 50_000 * MILLION)))
    for c in range(1, len(spec.assets())):
        must(pool, Kind.DEPOSIT, account=BACKSTOP, asset=c, amount=rng.randrange(1, UNIT))
    must(pool, Kind.FUND_INSURANCE, account=3, amount=5_000 * MILLION)
    do(pool, Kind.SUPPLY, account=3, amount=rng.choice((0, 4_000 * MILLION)))


def scene(spec: PoolSpec, rng: Random) -> Pool:
    """Friends and strangers who have traded and borrowed; then prices fall once, and stay."""
    pool = create_pool(spec, owner=9, now_ns=START_NS, accounts=ROOM)
    fund(pool, spec, rng)
    publish(pool, spec, START_NS, 1000)
    mark = PRICES[spec.underlyings[0].name] * PRICE_UNIT
    for a in FRIENDS:
        do(pool, Kind.BORROW, account=a, amount=rng.choice((0, 1_500, 3_000)) * MILLION)
    size = rng.randrange(1, 40) * UNIT // 4
    for a, b, part in ((1, 3, size), (2, 4, -size // 2), (3, 4, size // 4)):
        do(pool, Kind.TRADE, account=a, other=b, instrument=0, size=part, price=mark)
    if rng.random() < 0.5:
        take_out_all(pool, rng.choice(FRIENDS))
    if rng.random() < 0.7:
        move_until_below(pool, spec, rng)
    else:
        publish(pool, spec, START_NS + 1, rng.choice((1000, 970, 950, 900, 800)))
    if rng.random() < 0.3:
        do(pool, Kind.LIQUIDATE, account=rng.choice((1, 2, 3, 4)))
    return pool


def move_until_below(pool: Pool, spec: PoolSpec, rng: Random) -> None:
    """Move prices against a friend until it has just come below a level."""
    a, level = rng.choice(FRIENDS), rng.choice((Level.TARGET, Level.MAINTENANCE))
    if rng.random() < 0.6:
        do(pool, Kind.PROTECT, account=a, amount=rng.choice((0, 10**11)), size=1)
    side = -1 if a == 1 else 1  # friend 1 is long and friend 2 short
    for n in range(300):
        publish(pool, spec, START_NS + 1 + n, 1000 + 2 * side * n)
        if excess(pool, a, level) < 0:
            return


def take_out_all(pool: Pool, a: int) -> None:
    """Let an account take out what its margin can spare, by halves."""
    amount = int(pool.balance[a, CASH])
    while amount > MILLION:
        do(pool, Kind.WITHDRAW, account=a, amount=amount)
        amount //= 2


def publish(pool: Pool, spec: PoolSpec, now_ns: int, permille: int) -> None:
    """Give all prices as a share of those at the start, published now."""
    for u, underlying in enumerate(spec.underlyings):
        price = PRICES[underlying.name] * PRICE_UNIT * permille // 1000
        do(pool, Kind.SET_INDEX_PRICE, instrument=u, price=price, size=now_ns)
    for i, instrument in enumerate(spec.instruments):
        price = PRICES[instrument.underlying] * PRICE_UNIT * permille // 1000
        price -= price % int(pool.tick[i])
        do(pool, Kind.SET_MARK_PRICE, instrument=i, price=price)


def let_time_pass(pool: Pool, rng: Random) -> None:
    """A clock some minutes later, at the same prices."""
    now_ns = int(pool.total[Total.NOW_NS]) + rng.randrange(1, 6) * MINUTE_NS
    do(pool, Kind.ADVANCE_CLOCK, time_ns=now_ns)
    for u in range(len(pool.index_price)):
        price = int(pool.index_price[u])
        do(pool, Kind.SET_INDEX_PRICE, instrument=u, price=price, size=now_ns)


def amount_of(pool: Pool, rng: Random, a: int, c: int) -> int:
    """An amount that may matter to an account: all that it has, about that, or anything."""
    held = int(pool.balance[a, c])
    near = abs(int(excess(pool, a, rng.choice((Level.INITIAL, Level.TARGET)))))
    return rng.choice((1, MILLION, held, near, rng.randrange(1, 10**11)))


def price_of(rng: Random, price: int, tick: int) -> int:
    """A price at or around a fair one."""
    return price * rng.choice((100, 100, 96, 104, 99, 50, 1)) // 100 // tick * tick


def move_of(pool: Pool, rng: Random) -> tuple[Kind, dict[str, int]]:
    """Something that one of the friends does, or asks the engine for."""
    a, kind = rng.choice(FRIENDS), rng.choice(MOVES)
    c = rng.randrange(len(pool.asset_underlying)) if kind in OF_COINS else CASH
    fields = {"account": a, "other": 3 - a, "asset": c, "amount": amount_of(pool, rng, a, c)}
    if len(pool.mark_price):
        i = rng.randrange(len(pool.mark_price))
        size = rng.choice((1, 10, 500, 2_000)) * rng.choice((-1, 1)) * int(pool.lot[i])
        held = int(pool.size[rng.choice((a, BACKSTOP)), i])
        fields |= {"instrument": i, "size": rng.choice((size, held, -held, held // 4))}
        fields["size"] -= fields["size"] % int(pool.lot[i])
        fields["price"] = price_of(rng, int(pool.mark_price[i]), int(pool.tick[i]))
    if kind == Kind.EXCHANGE and c != CASH:
        fields["price"] = price_of(rng, int(pool.index_price[pool.asset_underlying[c]]), 1)
    return kind, fields | special(pool, rng, kind, a)


def special(pool: Pool, rng: Random, kind: Kind, a: int) -> dict[str, int]:
    """Fields in which a kind differs from the others."""
    missing = max(-int(excess(pool, a, Level.TARGET)), 1)
    found = {
        Kind.BID: {"amount": rng.choice((WHOLE, rng.randrange(1, WHOLE))), "size": 0},
        Kind.REDEEM: {"amount": max(int(pool.supply_shares[a]) // rng.choice((1, 2)), 1)},
        Kind.REDEEM_BACKSTOP: {"amount": max(int(pool.backstop_shares[a]) // 2, 1)},
        Kind.DELEVERAGE: {"amount": 0},
        Kind.PROTECT: {"size": 1},
        Kind.TOP_UP: {"amount": min(missing, max(int(pool.protect_budget[a]), 1))},
    }
    if kind == Kind.BUY_COLLATERAL and len(pool.asset_underlying) > 1:
        c = rng.randrange(1, len(pool.asset_underlying))
        return {"asset": c, "amount": max(int(pool.balance[BACKSTOP, c]) // 4, 1)}
    return found.get(kind, {})


OF_COINS = (Kind.DEPOSIT, Kind.WITHDRAW, Kind.EXCHANGE, Kind.BUY_COLLATERAL, Kind.OPEN_POSITION)
BROUGHT = (Kind.DEPOSIT, Kind.TOP_UP, Kind.OPEN_POSITION)
MOVES = (
    *(Kind.TRADE,) * 8,
    *(Kind.LIQUIDATE,) * 4,
    *(Kind.BID,) * 3,
    *(Kind.SUPPLY, Kind.REDEEM, Kind.BORROW, Kind.REPAY, Kind.SETTLE, Kind.DELEVERAGE),
    *(Kind.SUPPLY_BACKSTOP, Kind.REDEEM_BACKSTOP, Kind.BUY_FROM_BACKSTOP, Kind.BUY_COLLATERAL),
    *(Kind.PROTECT, Kind.TOP_UP, Kind.REDUCE, Kind.WARN, Kind.FUND_INSURANCE, Kind.FUND_BOND),
    *(Kind.WITHDRAW, Kind.WITHDRAW, Kind.DEPOSIT, Kind.EXCHANGE, Kind.EXCHANGE),
    *(Kind.OPEN_POSITION, Kind.END_POOL, Kind.ADVANCE_CLOCK),
)
# What a run of the search must have seen accepted, or it has searched nothing.
SOUGHT = (
    *(Kind.TRADE, Kind.LIQUIDATE, Kind.BID, Kind.DELEVERAGE, Kind.SUPPLY, Kind.REDEEM),
    *(Kind.BORROW, Kind.REPAY, Kind.SUPPLY_BACKSTOP, Kind.REDEEM_BACKSTOP, Kind.REDUCE),
    *(
        Kind.BUY_FROM_BACKSTOP,
        Kind.BUY_COLLATERAL,
        Kind.TOP_UP,
        Kind.EXCHANGE,
        Kind.WITHDRAW,
        Kind.OPEN_POSITION,
    ),
)


def moved(pool: Pool, kind: Kind, fields: dict[str, int]) -> int:
    """Value of what an accepted command took out of the pool, or brought where negative."""
    side = {Kind.WITHDRAW: 1} | dict.fromkeys(BROUGHT, -1)
    c, amount = fields["asset"], fields["amount"]
    if c != CASH:
        price = int(pool.index_price[pool.asset_underlying[c]])
        amount = amount * price // int(pool.value_divisor[0])
    return side.get(kind, 0) * amount


def search(spec: PoolSpec, seed: int, accepted: Counter[Kind]) -> None:
    """Let friends do whatever they like; no command may let them take out more."""
    rng = Random(seed)
    pool = scene(spec, rng)
    out, before = 0, takings(pool)
    for _ in range(150):
        kind, fields = move_of(pool, rng)
        if kind == Kind.ADVANCE_CLOCK:
            let_time_pass(pool, rng)
        elif do(pool, kind, **fields) != Status.OK:
            continue
        accepted[kind] += 1
        out += 0 if kind == Kind.ADVANCE_CLOCK else moved(pool, kind, fields)
        now = takings(pool) + out
        assert now <= before + unit(pool), (spec.name, seed, kind.name, fields, now - before)
        before = min(before, now)


def test_no_two_accounts_gain_together_at_constant_prices():
    accepted: Counter[Kind] = Counter()
    for spec in SPECS:
        for seed in range(examples(80)):
            search(spec, seed, accepted)
    if not IS_INTERPRETED:
        assert [kind.name for kind in SOUGHT if not accepted[kind]] == []


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_insurance_pays_nobody_while_prices_stand_still_and_all_are_solvent(spec):
    for seed in range(examples(40)):
        rng = Random(seed)
        pool = create_pool(spec, owner=9, now_ns=START_NS, accounts=ROOM)
        fund(pool, spec, rng)
        publish(pool, spec, START_NS, 1000)
        held = int(pool.total[Total.INSURANCE_FUND])
        for _ in range(150):
            kind, fields = move_of(pool, rng)
            do(pool, kind, **fields)
            now = int(pool.total[Total.INSURANCE_FUND])
            assert now >= held, (seed, kind.name, fields)
            held = now
        assert pool.total[Total.SHORTFALL] == 0
        assert account_count(pool) == 5
        assert not (pool.step == Step.DELEVERAGING).any()


def owned(pool: Pool, a: int) -> int:
    """Cash and coins of an account at the index prices."""
    total = int(pool.balance[a, CASH])
    for c in range(1, len(pool.asset_underlying)):
        price = int(pool.index_price[pool.asset_underlying[c]])
        total += int(pool.balance[a, c]) * price // int(pool.value_divisor[0])
    return total


def pump(pool: Pool, spec: PoolSpec, rng: Random) -> int:
    """Let friends, levered to the last, move the marks as they like; return what they took out."""
    out, mark = 0, int(pool.mark_price[0])
    for n in range(7, 0, -1):
        size = UNIT * 2**n // 8
        do(pool, Kind.TRADE, account=1, other=2, instrument=0, size=size, price=mark)
    for _ in range(120):
        if rng.random() < 0.25:
            percent = rng.choice((100, 130, 60, 97, 104, 300))
            for i, instrument in enumerate(spec.instruments):
                price = PRICES[instrument.underlying] * PRICE_UNIT * percent // 100
                do(pool, Kind.SET_MARK_PRICE, instrument=i, price=price - price % int(pool.tick[i]))
        kind, fields = move_of(pool, rng)
        if kind != Kind.ADVANCE_CLOCK and do(pool, kind, **fields) == Status.OK:
            out += moved(pool, kind, fields)
    return out


@pytest.mark.parametrize("spec", SPECS[:2], ids=lambda spec: spec.name)
def test_a_pump_takes_out_what_was_put_in_and_what_insurance_and_backstop_lost(spec):
    for seed in range(examples(60)):
        rng = Random(seed)
        pool = create_pool(spec, owner=9, now_ns=START_NS, accounts=ROOM)
        fund(pool, spec, rng)
        publish(pool, spec, START_NS, 1000)
        own, backstop = sum(owned(pool, a) for a in FRIENDS), owned(pool, BACKSTOP)
        strangers = pool.balance[[3, 4]].copy()
        have = pump(pool, spec, rng) + sum(owned(pool, a) for a in FRIENDS)
        lost = max(backstop - owned(pool, BACKSTOP), 0)
        spread = 120 * len(pool.deposited)  # coins are valued one command at a time
        assert have <= own + int(pool.total[Total.INSURANCE_PAID]) + lost + spread, seed
        assert np.array_equal(pool.balance[[3, 4]], strangers), "a stranger paid"
