"""Rounding is never in the owner's favour, and going in circles gains nothing: P6, P23."""

import pytest
from tests.properties.histories import History
from tests.properties.profile import over_histories
from tests.properties.running import do, must
from tests.properties.states import after_history, wealth

from ringfence.core.command import Kind
from ringfence.core.health import debt_of, excess
from ringfence.core.lending import lender_assets
from ringfence.core.pool import CASH, Level, Total, account_count, copied, pool_bytes
from ringfence.core.status import Status
from ringfence.units import BASE

LENDING_KINDS = (Kind.SUPPLY, Kind.REDEEM, Kind.BORROW, Kind.REPAY, Kind.ADVANCE_CLOCK)


@over_histories(25)
def test_p6_deposit_and_withdraw_give_back_what_was_put_in(spec, seed):
    pool, rng = after_history(spec, seed)
    a, amount = rng.randrange(account_count(pool)), rng.randrange(1, 10**9)
    before, due = pool_bytes(pool), int(pool.due[a])
    must(pool, Kind.DEPOSIT, account=a, amount=amount)
    assert pool.due[a] == max(due - amount, 0)
    if due or do(pool, Kind.WITHDRAW, account=a, amount=amount) != Status.OK:
        return
    assert pool_bytes(pool) == before
    assert do(pool, Kind.WITHDRAW, account=a, amount=int(pool.balance[a, CASH]) + 1) != Status.OK


@over_histories(25)
def test_p6_lending_and_redeeming_never_gains_a_unit(spec, seed):
    pool, rng = after_history(spec, seed)
    a, amount = rng.randrange(account_count(pool)), rng.randrange(1, 10**6)
    must(pool, Kind.DEPOSIT, account=a, amount=amount + int(pool.due[a]))
    cash, shares = int(pool.balance[a, CASH]), int(pool.supply_shares[a])
    if pool.total[Total.WAITING]:
        return  # nothing is redeemed while losses are being shared
    if do(pool, Kind.SUPPLY, account=a, amount=amount) == Status.OK:
        bought = int(pool.supply_shares[a]) - shares
        must(pool, Kind.REDEEM, account=a, amount=bought)
        assert cash - 2 - amount <= pool.balance[a, CASH] <= cash


@over_histories(25)
def test_p6_borrowing_and_repaying_never_gains_a_unit(spec, seed):
    pool, rng = after_history(spec, seed)
    a = rng.randrange(account_count(pool))
    amount = rng.randrange(1, 2 + int(pool.total[Total.LENDER_CASH]))
    must(pool, Kind.DEPOSIT, account=a, amount=5 * amount + int(pool.due[a]))
    cash, debt = int(pool.balance[a, CASH]), debt_of(pool, int(pool.debt_shares[a]))
    if do(pool, Kind.BORROW, account=a, amount=amount) == Status.OK:
        more = debt_of(pool, int(pool.debt_shares[a])) - debt
        assert more >= amount
        must(pool, Kind.REPAY, account=a, amount=more)
        assert pool.balance[a, CASH] <= cash
        assert debt_of(pool, int(pool.debt_shares[a])) >= debt


@over_histories(25)
def test_p6_a_share_of_the_lenders_loses_value_by_written_off_debt_only(spec, seed):
    history = History(spec, seed)
    before = (1, 1)
    for step in history.take(300):
        pool = history.pool
        now = int(lender_assets(pool)) + 1, int(pool.total[Total.SUPPLY_SHARES]) + 1
        assert now[0] > 0, "lenders owe"
        if step.is_accepted(*LENDING_KINDS):
            assert now[0] * before[1] >= before[0] * now[1], f"{spec.name} {seed} {step.row[0]}"
        before = now


@over_histories(20)
def test_p23_two_deposits_equal_one_and_two_withdrawals_too(spec, seed):
    pool, rng = after_history(spec, seed)
    a, c = rng.randrange(account_count(pool)), rng.randrange(len(pool.deposited))
    x, y = rng.randrange(1, 10**8), rng.randrange(1, 10**8)
    once, twice = copied(pool), copied(pool)
    for kind in (Kind.DEPOSIT, Kind.WITHDRAW):
        statuses = [do(once, kind, account=a, asset=c, amount=x + y)]
        statuses += [do(twice, kind, account=a, asset=c, amount=part) for part in (x, y)]
        if set(statuses) == {Status.OK}:
            assert pool_bytes(once) == pool_bytes(twice)


@pytest.mark.parametrize("kind", [Kind.BORROW, Kind.REPAY, Kind.SUPPLY, Kind.REDEEM])
@over_histories(10)
def test_p23_splitting_a_loan_is_never_in_the_owners_favour(kind, spec, seed):
    pool, rng = after_history(spec, seed)
    column = {Kind.REPAY: pool.debt_shares, Kind.REDEEM: pool.supply_shares}.get(kind)
    a = rng.randrange(account_count(pool)) if column is None else int(column.argmax())
    x, y = rng.randrange(1, 10**7), rng.randrange(1, 10**7)
    must(pool, Kind.DEPOSIT, account=a, amount=10**9 + int(pool.due[a]))
    once, twice = copied(pool), copied(pool)
    statuses = [do(once, kind, account=a, amount=x + y)]
    statuses += [do(twice, kind, account=a, amount=part) for part in (x, y)]
    if set(statuses) == {Status.OK}:
        unit = 3 + 2 * int(pool.total[Total.BORROW_INDEX]) // BASE
        unit += 2 * (int(lender_assets(pool)) + 1) // (int(pool.total[Total.SUPPLY_SHARES]) + 1)
        assert wealth(once, a) - unit <= wealth(twice, a) <= wealth(once, a)


@over_histories(25, "plain", "mixed", "coarse")
def test_p23_trading_back_and_forth_at_one_price_gains_nothing(spec, seed):
    pool, rng = after_history(spec, seed)
    a, b = rng.sample(range(account_count(pool)), 2)
    i, side = rng.randrange(len(pool.mark_price)), rng.choice((-1, 1))
    for x in (a, b):
        must(pool, Kind.DEPOSIT, account=x, amount=10**12)
    trade = {"instrument": i, "price": int(pool.mark_price[i]), "account": a, "other": b}
    size = side * int(pool.lot[i]) * rng.randrange(1, 20)
    start = [wealth(pool, x) for x in (a, b)]
    if do(pool, Kind.TRADE, size=size, **trade) != Status.OK:
        return
    # What only reduced there needs a usable price on the way back, and may be refused.
    do(pool, Kind.TRADE, size=-size, **trade)
    for x, before in zip((a, b), start, strict=True):
        assert wealth(pool, x) <= before


@over_histories(25, "plain", "mixed", "coarse")
def test_p23_a_trade_in_two_parts_costs_at_most_a_unit_more(spec, seed):
    pool, rng = after_history(spec, seed)
    a, b = rng.sample(range(account_count(pool)), 2)
    i, side = rng.randrange(len(pool.mark_price)), rng.choice((-1, 1))
    for x in (a, b):
        must(pool, Kind.DEPOSIT, account=x, amount=10**12)
    trade = {"instrument": i, "price": int(pool.mark_price[i]), "account": a, "other": b}
    parts = [side * int(pool.lot[i]) * rng.randrange(1, 20) for _ in range(2)]
    once, twice = copied(pool), copied(pool)
    statuses = [do(once, Kind.TRADE, size=sum(parts), **trade)]
    statuses += [do(twice, Kind.TRADE, size=part, **trade) for part in parts]
    if set(statuses) == {Status.OK}:
        for x in (a, b):
            assert wealth(once, x) - 1 <= wealth(twice, x) <= wealth(once, x)
            assert excess(twice, x, Level.MAINTENANCE) <= excess(once, x, Level.MAINTENANCE)


@over_histories(25, "mixed", "lending", "coarse")
def test_p23_exchanging_there_and_back_gains_nobody_a_unit(spec, seed):
    pool, rng = after_history(spec, seed)
    a, b = rng.sample(range(account_count(pool)), 2)
    amount = rng.randrange(1, 10**6)
    must(pool, Kind.DEPOSIT, account=a, asset=1, amount=amount)
    must(pool, Kind.DEPOSIT, account=b, amount=10**9 + int(pool.due[b]))
    price = int(pool.index_price[pool.asset_underlying[1]]) + rng.randrange(-(10**6), 10**6)
    deal = {"asset": 1, "amount": amount, "price": max(price, 1)}
    held = [pool.balance[x].tolist() for x in (a, b)]
    due = int(pool.due[a])
    if do(pool, Kind.EXCHANGE, account=a, other=b, **deal) != Status.OK or due:
        return
    if do(pool, Kind.EXCHANGE, account=b, other=a, **deal) == Status.OK:
        assert [pool.balance[x].tolist() for x in (a, b)] == held
