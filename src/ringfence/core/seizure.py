"""Seizure of what is not a position: lent cash, claims and collateral, with the debt they cover.

Cash that the account itself has lent comes first, at no cost to it. A claim and coins then go
to the backstop together with the liability they cover; coins at a bonus that never exceeds
what the account owns above what it owes. After the end of a pool, coins also go for a due that
they cover with room to spare: then nothing else would ever make its owner pay.
"""

from ringfence.compiled import kernel
from ringfence.core.command import Happening
from ringfence.core.health import Change, debt_of, excess, excess_after, health_factor
from ringfence.core.lending import lender_assets, repay_from_cash, shares_repaid
from ringfence.core.log import Log
from ringfence.core.margin import position_value
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Total
from ringfence.core.receipt import finish_event, start_event
from ringfence.core.settlement import collect_due
from ringfence.core.terms import terms_for
from ringfence.fixed import mul_div_ceil, mul_div_floor
from ringfence.units import PPM


@kernel
def liability(pool: Pool, a: int) -> int:
    """What the account owes the pool: due and debt."""
    return pool.due[a] + debt_of(pool, pool.debt_shares[a])


@kernel
def move_liability(pool: Pool, a: int, amount: int) -> int:
    """Move up to an amount of due, then debt, to the backstop; return what left the account.

    The backstop pays what it took over from its own cash as far as that reaches.
    """
    before = liability(pool, a)
    due = min(pool.due[a], amount)
    pool.due[a] -= due
    # The backstop's own claim nets its due, as everybody's does.
    from_claim = min(pool.claim[BACKSTOP], due)
    pool.claim[BACKSTOP] -= from_claim
    pool.due[BACKSTOP] += due - from_claim
    shares = shares_repaid(pool, a, amount - due)
    pool.debt_shares[a] -= shares
    pool.debt_shares[BACKSTOP] += shares
    collect_due(pool, BACKSTOP)
    repay_from_cash(pool, BACKSTOP, debt_of(pool, pool.debt_shares[BACKSTOP]))
    return before - liability(pool, a)


@kernel
def share_value(pool: Pool, shares: int) -> int:
    """Quote units that shares of the lenders are worth, rounded down."""
    total = pool.total[Total.SUPPLY_SHARES]
    return mul_div_floor(shares, lender_assets(pool) + 1, total + 1)


@kernel
def shares_worth(pool: Pool, a: int, value: int) -> int:
    """Shares of the account that pay for a value, rounded up, at most all of them."""
    total = pool.total[Total.SUPPLY_SHARES]
    shares = mul_div_ceil(value, total + 1, lender_assets(pool) + 1)
    return min(shares, pool.supply_shares[a])


@kernel
def burn_supply(pool: Pool, a: int, value: int) -> None:
    """Take shares of the lenders for a value off the account."""
    shares = shares_worth(pool, a, value)
    pool.supply_shares[a] -= shares
    pool.total[Total.SUPPLY_SHARES] -= shares


@kernel
def liquidate_shares(pool: Pool, a: int, log: Log) -> None:
    """Move shares of the lenders, whose cash is drawn, to the backstop with what they cover."""
    e = start_event(pool, a, log, Happening.SHARES_REDEEMED, -1)
    value = share_value(pool, pool.supply_shares[a])
    taken = min(value, liability(pool, a))
    shares = pool.supply_shares[a] if taken == value else shares_worth(pool, a, taken)
    pool.supply_shares[a] -= shares
    pool.supply_shares[BACKSTOP] += shares
    log.events[e]["value"] = move_liability(pool, a, taken)
    finish_event(pool, a, log, e)


@kernel
def relief(pool: Pool, a: int, amount: int) -> int:
    """How much less the account owes when an amount of its liability is moved."""
    due = min(pool.due[a], amount)
    shares = pool.debt_shares[a] - shares_repaid(pool, a, amount - due)
    return liability(pool, a) - (pool.due[a] - due) - debt_of(pool, shares)


@kernel
def covered_by(pool: Pool, a: int, c: int, taken: int, bonus: int) -> int:
    """Liability that goes with an amount of collateral: its value less the bonus."""
    u = pool.asset_underlying[c]
    value = position_value(taken, pool.index_price[u], pool.value_divisor[0])
    return min(mul_div_floor(value, PPM, PPM + bonus), liability(pool, a))


@kernel
def seizing(pool: Pool, a: int, c: int, taken: int, bonus: int) -> Change:
    """The change that taking collateral with the debt it covers makes to the account."""
    moved = relief(pool, a, covered_by(pool, a, c, taken, bonus))
    return Change(-1, 0, 0, c, -taken, -moved)


@kernel
def collateral_to_take(pool: Pool, a: int, c: int, bonus: int) -> int:
    """Least collateral whose taking reaches the target level; all that is of use if none does."""
    price = pool.index_price[pool.asset_underlying[c]]
    gross = mul_div_ceil(liability(pool, a), PPM + bonus, PPM)
    most = pool.balance[a, c]
    # Only then is the quotient an amount, however small the price.
    if position_value(most, price, pool.value_divisor[0]) > gross:
        most = mul_div_ceil(gross + 1, pool.value_divisor[0], price)
    if excess_after(pool, a, Level.TARGET, seizing(pool, a, c, most, bonus)) < 0:
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if excess_after(pool, a, Level.TARGET, seizing(pool, a, c, middle, bonus)) >= 0:
            high = middle
        else:
            low = middle
    return high


@kernel
def take_collateral(pool: Pool, a: int, c: int, taken: int, covered: int, log: Log) -> None:
    """Move an amount of collateral to the backstop together with the liability it covers."""
    e = start_event(pool, a, log, Happening.COLLATERAL_LIQUIDATED, c)
    u = pool.asset_underlying[c]
    value = position_value(taken, pool.index_price[u], pool.value_divisor[0])
    moved = move_liability(pool, a, covered)
    pool.balance[a, c] -= taken
    pool.balance[BACKSTOP, c] += taken
    event = log.events[e]
    event["size"] = taken
    event["price"] = pool.index_price[u]
    event["value"] = moved
    event["bonus"] = value - moved
    event["publish_time_ns"] = pool.publish_time[u]
    finish_event(pool, a, log, e)


@kernel
def liquidate_collateral(pool: Pool, a: int, c: int, bonus: int, log: Log) -> None:
    """Take collateral until target is reached, with the liability it covers."""
    taken = collateral_to_take(pool, a, c, bonus)
    take_collateral(pool, a, c, taken, covered_by(pool, a, c, taken, bonus), log)


@kernel
def surrender_coins(pool: Pool, a: int, log: Log) -> None:
    """Take coins until the account's due is covered: asset by asset, at the usual bonus."""
    bonus = collateral_bonus(pool, a)
    for c in range(CASH + 1, pool.asset_underlying.size):
        due, taken = pool.due[a], pool.balance[a, c]
        if due == 0 or taken == 0:
            continue
        price = pool.index_price[pool.asset_underlying[c]]
        gross = mul_div_ceil(due, PPM + bonus, PPM)
        # Only then is the quotient an amount, however small the price.
        if position_value(taken, price, pool.value_divisor[0]) > gross:
            taken = mul_div_ceil(gross, pool.value_divisor[0], price)
        take_collateral(pool, a, c, taken, min(covered_by(pool, a, c, taken, bonus), due), log)


@kernel
def liquidate_claim(pool: Pool, a: int, log: Log) -> None:
    """Move as much of a claim as covers debt to the backstop, at its face value."""
    e = start_event(pool, a, log, Happening.CLAIM_LIQUIDATED, -1)
    # All that was asked for is taken, though shares round down: a unit left behind would
    # keep the account from being written off.
    taken = min(pool.claim[a], liability(pool, a))
    move_liability(pool, a, taken)
    pool.claim[a] -= taken
    # The backstop may have a due of its own, which the claim nets.
    netted = min(pool.due[BACKSTOP], taken)
    pool.due[BACKSTOP] -= netted
    pool.claim[BACKSTOP] += taken - netted
    log.events[e]["value"] = taken
    finish_event(pool, a, log, e)


@kernel
def collateral_bonus(pool: Pool, a: int) -> int:
    """Bonus on collateral: by schedule, clamped to what collateral exceeds liability by."""
    value = pool.claim[a]
    for c in range(CASH + 1, pool.asset_underlying.size):
        price = pool.index_price[pool.asset_underlying[c]]
        value += position_value(pool.balance[a, c], price, pool.value_divisor[0])
    owed = liability(pool, a)
    return terms_for(pool, value - owed, owed, health_factor(pool, a)).bonus


@kernel
def liquidate_balances(pool: Pool, a: int, log: Log) -> None:
    """Cover liability by cash, claim, lent cash and collateral until target is reached."""
    repay_from_cash(pool, a, debt_of(pool, pool.debt_shares[a]))
    if pool.claim[a] > 0 and excess(pool, a, Level.TARGET) < 0:
        liquidate_claim(pool, a, log)
    if pool.supply_shares[a] > 0 and excess(pool, a, Level.TARGET) < 0:
        liquidate_shares(pool, a, log)
    bonus = collateral_bonus(pool, a)
    for c in range(CASH + 1, pool.asset_underlying.size):
        if excess(pool, a, Level.TARGET) >= 0 or liability(pool, a) == 0:
            break
        if pool.balance[a, c] > 0:
            liquidate_collateral(pool, a, c, bonus, log)
