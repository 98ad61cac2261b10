"""The steps below a liquidation: exact, and bounded by gains."""

from random import Random

import numpy as np
from tests.properties.histories import History
from tests.properties.profile import over_histories
from tests.properties.running import do, one_row, take_step
from tests.properties.states import worth

from ringfence.core.auction import WHOLE
from ringfence.core.command import Happening, Kind
from ringfence.core.health import AS_IT_IS, excess, uncollected
from ringfence.core.invariants import broken_invariants
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Step, Total, account_count, copied
from ringfence.core.settlement import realise, settle_account
from ringfence.core.status import Status
from ringfence.units import BASE
from ringfence.venue.audit import CASH_HELD

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


def assert_slice(before: Pool, pool: Pool, a: int, b: int, share: int) -> None:
    """Assert that b got its share of all that a owned and owed, and got no part's rounding."""

    def of(amount: int, *, up: bool) -> int:
        return -(-int(amount) * share // WHOLE) if up else int(amount) * share // WHOLE

    owed = of(before.debt_shares[a], up=True)
    assert before.debt_shares[a] - pool.debt_shares[a] == owed, "P6: not its share of the debt"
    assert pool.debt_shares[b] - before.debt_shares[b] == owed
    for c in range(1, len(pool.deposited)):
        coins = of(before.balance[a, c], up=False)
        assert before.balance[a, c] - pool.balance[a, c] == coins, "P6: not its share of coins"
        assert pool.balance[b, c] - before.balance[b, c] == coins
    for i, lot in enumerate(pool.lot.tolist()):
        size = int(before.size[a, i])
        part = of(abs(size) // lot, up=True) * lot * (1 if size > 0 else -1)
        assert size - pool.size[a, i] == part, "P6: not its share of a leg"
        assert pool.size[b, i] - before.size[b, i] == part
    settled = copied(before)
    settle_account(settled, a)
    # What the price has paid of the due comes on top, and so does what cash has.
    assert pool.due[a] <= settled.due[a] - of(settled.due[a], up=True), "P6: due is left"
    assert pool.claim[a] >= settled.claim[a] - of(settled.claim[a], up=False), "P6: claim is gone"


@over_histories(60, "offered", "tight")
def test_p6_a_slice_is_a_share_of_all_that_its_seller_owns_and_owes(spec, seed):
    rng, history = Random(seed), History(spec, seed)
    for _ in history.take(300):
        for a in np.flatnonzero(history.pool.step == Step.AUCTION).tolist():
            pool, debt = copied(history.pool), rng.randrange(10**9)
            pool.debt_shares[a] += debt  # few of those who are offered have borrowed
            pool.total[Total.DEBT_SHARES] += debt
            before, b = copied(pool), 1 + (a == 1)
            fields = {"account": b, "other": a, "amount": rng.randrange(1, WHOLE)}
            step = take_step(pool, one_row({"kind": int(Kind.BID), **fields}))
            if step.status == Status.OK:
                (event,) = of_kind(step, Happening.SLICE_SOLD)
                assert_slice(before, pool, a, b, int(event["size"]))


@over_histories(40, "tight", "offered", "mixed")
def test_p19_after_an_end_a_due_takes_the_coins_beside_it_and_no_more(spec, seed):
    rng, history = Random(seed), History(spec, seed)
    for _ in history.take(250):
        pass
    start = history.pool
    start.total[Total.HALTED_AT] = start.total[Total.HALTED_AT] or 1
    if do(start, Kind.END_POOL) != Status.OK:
        return
    for a in range(1, account_count(start)):
        pool, due = copied(start), rng.randrange(1, 10**10)
        realise(pool, a, -due)  # as for a fee, which is owed to the insurance fund
        pool.total[Total.INSURANCE_CLAIM] += due
        before, held = copied(pool), pool.deposited.tolist()
        held[CASH] += int(sum(pool.total[row] for row in CASH_HELD))
        step = take_step(pool, one_row({"kind": int(Kind.LIQUIDATE), "account": a}))
        if len(step.events) == 1 and step.events["kind"][0] == Happening.SHARES_REDEEMED:
            step = take_step(pool, step.row)  # that has cured it; the due's turn is next
        if step.status != Status.OK or pool.step[a] != Step.NONE:
            continue
        assert broken_invariants(pool, held) == []
        coins = pool.balance[a, 1:]
        assert not (pool.due[a] and coins.any()), "P19: a due is left beside coins"
        if before.due[a] and excess(before, a, Level.MAINTENANCE) >= 0:
            bonus = int(step.events["bonus"].sum())
            assert worth(before, a) - worth(pool, a) <= bonus + coin_units(pool)
            assert pool.debt_shares[a] == before.debt_shares[a]
            for level in Level:
                assert excess(pool, a, level) >= excess(before, a, level) - coin_units(pool)


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
