"""The steps below a liquidation: exact, and bounded by gains."""

import numpy as np
from tests.properties.histories import History
from tests.properties.profile import over_histories
from tests.properties.states import worth

from ringfence.core.auction import WHOLE
from ringfence.core.command import Happening, Kind
from ringfence.core.health import AS_IT_IS, excess, uncollected
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Step, Total, copied
from ringfence.units import BASE

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
