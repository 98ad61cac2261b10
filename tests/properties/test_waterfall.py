"""The steps below a liquidation: exact, bounded by gains, and nothing to gain for two friends."""

from random import Random

import numpy as np
import pytest
from tests.properties.histories import History
from tests.properties.pools import BARE, OFFERED, PRICES, ROOM, START_NS, TIGHT
from tests.properties.profile import examples, over_histories
from tests.properties.running import do, must
from tests.properties.states import wealth, worth

from ringfence.core.auction import WHOLE
from ringfence.core.backstop import full_capital
from ringfence.core.command import Happening, Kind
from ringfence.core.creation import create_pool
from ringfence.core.health import AS_IT_IS, excess, uncollected
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Step, Total, account_count, copied
from ringfence.core.status import Status
from ringfence.units import BASE, PRICE_UNIT, UNIT

DEEP = ("bare", "tight", "offered")


def unit(pool: Pool) -> int:
    """What rounding can move in the steps of one command."""
    return 8 * (int(pool.total[Total.BORROW_INDEX]) // BASE + 2)


def coin_units(pool: Pool) -> int:
    """What the smallest parts of each coin are worth: a slice leaves up to one of each behind."""
    coins = pool.asset_underlying[1:]
    return sum(int(pool.index_price[u]) // int(pool.value_divisor[0]) + 1 for u in coins)


def of_kind(step, kind: Happening):
    return step.events[step.events["kind"] == kind]


@over_histories(40, *DEEP)
def test_p20_what_losers_give_up_winners_give_up_exactly(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        if step.is_accepted(Kind.DELEVERAGE):
            i, pool = step.field("instrument"), history.pool
            losers = of_kind(step, Happening.POSITION_DELEVERAGED)
            winners = of_kind(step, Happening.WINNER_DELEVERAGED)
            assert losers["size"].sum() + winners["size"].sum() == 0
            closed = int(np.abs(losers["size"]).sum())
            assert before.open_interest[i] - pool.open_interest[i] <= closed
            others = [j for j in range(len(pool.mark_price)) if j != i]
            assert (pool.size[:, others] == before.size[:, others]).all()
        before = copied(history.pool)


@over_histories(40, *DEEP)
def test_p17_a_winner_gives_up_no_more_than_its_uncollected_gain(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        if step.is_accepted(Kind.DELEVERAGE):
            for event in of_kind(step, Happening.WINNER_DELEVERAGED):
                a, given = int(event["account"]), int(event["shortfall"])
                assert 0 <= given <= max(uncollected(before, a, AS_IT_IS), 0)
                if before.step[a] != Step.DELEVERAGING:
                    assert worth(history.pool, a) >= worth(before, a) - given
                    assert history.pool.balance[a, CASH] >= min(
                        before.balance[a, CASH],
                        before.balance[a, CASH] + uncollected(before, a, AS_IT_IS),
                    )
        before = copied(history.pool)


@over_histories(40, *DEEP)
def test_p17_no_step_touches_a_flat_account(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        pool = history.pool
        if step.is_accepted(Kind.LIQUIDATE, Kind.DELEVERAGE, Kind.BID, Kind.REDUCE, Kind.END_POOL):
            flat = ~before.size.any(axis=1) & (before.due == 0)
            named = [BACKSTOP, step.field("account"), step.field("other")]
            flat[named if step.kind in (Kind.BID, Kind.LIQUIDATE) else [BACKSTOP]] = False
            assert (pool.balance[flat] >= before.balance[flat]).all()
            assert (pool.claim[flat] + pool.balance[flat, CASH] >= before.claim[flat]).all()
            assert (pool.backstop_shares[flat] == before.backstop_shares[flat]).all()
        before = copied(pool)


@over_histories(60, "offered", "tight")
def test_p19_a_slice_costs_its_seller_the_bonus_and_never_makes_a_loss(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        if step.is_accepted(Kind.BID):
            pool, buyer, seller = history.pool, step.field("account"), step.field("other")
            (event,) = of_kind(step, Happening.SLICE_SOLD)
            spread = unit(pool) + 4 * len(pool.deposited) + coin_units(pool)
            assert worth(pool, seller) >= 0
            lost = worth(before, seller) - worth(pool, seller)
            assert abs(lost - int(event["bonus"])) <= spread
            won = worth(pool, buyer) - worth(before, buyer)
            assert abs(won - int(event["bonus"])) <= spread
            assert 0 < event["size"] <= WHOLE
            assert excess(pool, buyer, Level.INITIAL) >= 0
            assert excess(pool, seller, Level.MAINTENANCE) >= excess(
                before, seller, Level.MAINTENANCE
            )
        before = copied(history.pool)


@over_histories(40, *DEEP)
def test_p19_an_account_is_in_a_step_only_while_it_is_below_maintenance_or_until_it_is_seen(
    spec, seed
):
    history = History(spec, seed)
    for step in history.take(300):
        pool = history.pool
        if step.is_accepted(Kind.DEPOSIT, Kind.TRADE, Kind.REPAY, Kind.TOP_UP):
            a = step.field("account")
            assert not pool.step[a] or excess(pool, a, Level.MAINTENANCE) < 0, "P19: not let go"
        assert (pool.step_since[pool.step != 0] > 0).all()


# Two friends: everything they can do at constant prices, and what it brings them.

FRIENDS = (1, 2)
FIELDS = ("amount", "size")


def joint_wealth(pool: Pool) -> int:
    """What both own in the pool, with their shares of lenders and backstop at face value."""
    total = sum(wealth(pool, a) for a in FRIENDS)
    shares = sum(int(pool.backstop_shares[a]) for a in FRIENDS)
    return total + shares * int(full_capital(pool)) // (int(pool.total[Total.BACKSTOP_SHARES]) + 1)


def scene(spec, rng: Random) -> Pool:
    """Two friends, two strangers with positions, and one price that stays."""
    pool = create_pool(spec, owner=9, now_ns=START_NS, accounts=ROOM)
    for a in (1, 2, 3, 4):
        must(pool, Kind.OPEN_ACCOUNT, other=a, amount=1)
        must(pool, Kind.DEPOSIT, account=a, amount=rng.randrange(10_000, 200_000) * 10**6)
    must(pool, Kind.DEPOSIT, account=BACKSTOP, amount=rng.choice((1, 50_000 * 10**6)))
    must(pool, Kind.FUND_INSURANCE, account=3, amount=5_000 * 10**6)
    for u, underlying in enumerate(spec.underlyings):
        price = PRICES[underlying.name] * PRICE_UNIT
        must(pool, Kind.SET_INDEX_PRICE, instrument=u, price=price, size=START_NS)
    for i, instrument in enumerate(spec.instruments):
        price = PRICES[instrument.underlying] * PRICE_UNIT
        must(pool, Kind.SET_MARK_PRICE, instrument=i, price=price)
    size = rng.randrange(1, 8) * UNIT
    mark = PRICES[spec.underlyings[0].name]
    do(pool, Kind.TRADE, account=1, other=3, instrument=0, size=size, price=mark * PRICE_UNIT)
    do(pool, Kind.TRADE, account=2, other=4, instrument=0, size=-size // 2, price=mark * PRICE_UNIT)
    fallen = mark * rng.choice((100, 97, 95, 94)) // 100 * PRICE_UNIT
    do(pool, Kind.SET_MARK_PRICE, instrument=0, price=fallen)
    return pool


def move_of(pool: Pool, rng: Random) -> tuple[Kind, dict[str, int]]:
    """Something that one of the friends does, or asks the engine for."""
    a = rng.choice(FRIENDS)
    b = 3 - a
    amount = rng.choice((1, 10**6, rng.randrange(1, 10**11), int(pool.balance[a, CASH])))
    i = rng.randrange(len(pool.mark_price))
    mark, tick = int(pool.mark_price[i]), int(pool.tick[i])
    price = mark * rng.choice((100, 100, 96, 104, 99)) // 100 // tick * tick
    lots = rng.choice((1, 10, 500, 2_000)) * rng.choice((-1, 1))
    kind = rng.choice(MOVES)
    fields = {"account": a, "other": b, "amount": amount, "instrument": i, "price": price}
    if kind in (Kind.TRADE, Kind.BUY_FROM_BACKSTOP):
        fields |= {"size": lots * int(pool.lot[i])}
    if kind == Kind.BID:
        fields |= {"amount": rng.randrange(1, WHOLE + 1)}
    if kind == Kind.REDEEM:
        fields |= {"amount": int(pool.supply_shares[a])}
    if kind == Kind.REDEEM_BACKSTOP:
        fields |= {"amount": max(int(pool.backstop_shares[a]) // rng.choice((1, 2)), 1)}
    if kind == Kind.DELEVERAGE:
        fields |= {"amount": 0}
    if kind == Kind.PROTECT:
        fields |= {"size": 1}
    return kind, fields


MOVES = (
    *(Kind.TRADE,) * 6,
    *(Kind.LIQUIDATE,) * 3,
    *(Kind.SUPPLY, Kind.REDEEM, Kind.BORROW, Kind.REPAY, Kind.SETTLE, Kind.DELEVERAGE, Kind.BID),
    *(Kind.SUPPLY_BACKSTOP, Kind.REDEEM_BACKSTOP, Kind.BUY_FROM_BACKSTOP),
    *(Kind.PROTECT, Kind.REDUCE, Kind.FUND_INSURANCE, Kind.WITHDRAW, Kind.DEPOSIT),
)


@pytest.mark.parametrize("spec", [BARE, OFFERED, TIGHT], ids=lambda spec: spec.name)
def test_no_two_accounts_gain_together_at_constant_prices(spec):
    for seed in range(examples(60)):
        rng = Random(seed)
        pool = scene(spec, rng)
        wallets, best, moves = 0, joint_wealth(pool), 0
        for _ in range(150):
            kind, fields = move_of(pool, rng)
            if do(pool, kind, **fields) != Status.OK:
                continue
            moves += 1
            wallets += {Kind.WITHDRAW: 1, Kind.DEPOSIT: -1}.get(kind, 0) * fields["amount"]
            now = joint_wealth(pool) + wallets
            # A bonus that a friend pays to the backstop comes back by the other's shares only.
            assert now <= best + unit(pool) * 4, (seed, kind.name, fields, now - best)
            best = min(best, now)
        assert moves


def test_insurance_cannot_be_drained_by_trading_with_oneself():
    for seed in range(examples(60)):
        rng = Random(seed)
        pool = scene(TIGHT, rng)
        fund = int(pool.total[Total.INSURANCE_FUND])
        for _ in range(150):
            kind, fields = move_of(pool, rng)
            do(pool, kind, **fields)
            now = int(pool.total[Total.INSURANCE_FUND])
            assert now >= fund, (seed, kind.name)
            fund = now
        assert pool.total[Total.SHORTFALL] == 0
        assert account_count(pool) == 5
