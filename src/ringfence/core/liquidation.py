"""Liquidation of an account below maintenance, taken over by the pool's own backstop.

Positions first, each reduced just enough to reach the target level, the one that frees the
most margin before the others; then collateral and claims together with the debt they
cover. What is left of a due or debt is paid by the insurance fund up to its draw, and the
rest is a shortfall: a debt is written off to the lenders at once, a due stays uncollected,
so that only unpaid claims of this pool can suffer from it.

The account pays a bonus and a fee on what is taken, together never more than its equity, so
a liquidation cannot itself make a loss.
"""

from typing import NamedTuple

from ringfence.compiled import kernel
from ringfence.core.command import Happening
from ringfence.core.health import (
    AS_IT_IS,
    Change,
    debt_of,
    equity,
    excess,
    excess_after,
    has_position,
    health_factor,
    requirement,
)
from ringfence.core.lending import repay_from_cash, shares_repaid, write_off_debt
from ringfence.core.log import COUNT, Log
from ringfence.core.margin import part_of, position_value
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Rule, Total
from ringfence.core.receipt import finish_event, start_event
from ringfence.core.settlement import (
    charge,
    collect_due,
    cover_due,
    draw_insurance,
    new_due,
    settle_account,
)
from ringfence.core.status import Status
from ringfence.core.trading import move_position
from ringfence.core.validity import Action, exposure_status, is_exposed
from ringfence.fixed import DIVISOR_MAX, mul_div_ceil, mul_div_floor
from ringfence.units import PPM


class Terms(NamedTuple):
    """What a liquidation may cost the account, fixed when it starts."""

    bonus: int  # ppm of the value taken
    fee: int  # ppm of the value taken


@kernel
def scheduled_bonus(pool: Pool, health: int) -> int:
    """Bonus rate by health factor: minimum at 1, rising linearly to the maximum."""
    low, high = pool.rule[Rule.BONUS_MIN], pool.rule[Rule.BONUS_MAX]
    floor = pool.rule[Rule.BONUS_HEALTH]
    if health <= floor:
        return high
    return low + mul_div_floor(high - low, max(PPM - health, 0), PPM - floor)


@kernel
def terms_for(pool: Pool, worth: int, taken: int, health: int) -> Terms:
    """Bonus and fee when equity `worth` stands behind a value `taken` at the most."""
    if worth <= 0 or taken <= 0:
        return Terms(0, 0)
    while taken > DIVISOR_MAX:
        worth, taken = worth // 2, taken // 2
    cap = PPM if worth >= taken else mul_div_floor(worth, PPM, taken)
    bonus = min(scheduled_bonus(pool, health), cap)
    return Terms(bonus, min(pool.rule[Rule.LIQUIDATION_FEE], cap - bonus))


@kernel
def gross_notional(pool: Pool, a: int) -> int:
    """Sum of the notionals of the account's positions."""
    total = 0
    for i in range(pool.mark_price.size):
        total += abs(position_value(pool.size[a, i], pool.mark_price[i], pool.value_divisor[0]))
    return total


@kernel
def closing(pool: Pool, i: int, part: int, terms: Terms) -> Change:
    """The change that taking a signed part of a position makes to the account."""
    value = position_value(part, pool.mark_price[i], pool.value_divisor[0])
    bonus, fee = part_of(abs(value), terms.bonus), part_of(abs(value), terms.fee)
    return Change(i, -part, -value + bonus, -1, 0, fee)


@kernel
def worst_position(pool: Pool, a: int) -> int:
    """The position that frees the most margin when closed; -1 without any."""
    before = requirement(pool, a, Level.TARGET, AS_IT_IS)
    worst, most = -1, 0
    for i in range(pool.mark_price.size):
        if pool.size[a, i] == 0:
            continue
        closed = Change(i, -pool.size[a, i], 0, -1, 0, 0)
        freed = before - requirement(pool, a, Level.TARGET, closed)
        if worst < 0 or freed > most:
            worst, most = i, freed
    return worst


@kernel
def unhedged_lots(pool: Pool, a: int, i: int) -> int:
    """Lots of a position that no other leg on its underlying hedges."""
    u, divisor = pool.instrument_underlying[i], pool.value_divisor[0]
    net = 0
    for j in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        net += position_value(pool.size[a, j], pool.mark_price[j], divisor)
    if (net > 0) != (pool.size[a, i] > 0):
        return 0
    one = position_value(pool.lot[i], pool.mark_price[i], divisor)
    return min(abs(net) // one, abs(pool.size[a, i]) // pool.lot[i])


@kernel
def is_enough(pool: Pool, a: int, i: int, lots: int, terms: Terms) -> bool:
    """Whether closing that many lots of a position reaches the target level."""
    side = 1 if pool.size[a, i] > 0 else -1
    change = closing(pool, i, side * lots * pool.lot[i], terms)
    return excess_after(pool, a, Level.TARGET, change) >= 0


@kernel
def lots_to_close(pool: Pool, a: int, i: int, terms: Terms) -> int:
    """Fewest lots of a position whose closing reaches the target level; all if none does.

    The excess is concave in the lots closed (requirements are convex), and highest where
    the unhedged ones or all are closed. So from there down bisection finds the first lot.
    """
    lots = abs(pool.size[a, i]) // pool.lot[i]
    low, high = 0, unhedged_lots(pool, a, i)
    if not is_enough(pool, a, i, high, terms):
        high = lots
    if not is_enough(pool, a, i, high, terms):
        return lots
    while high - low > 1:  # the target is missed at low and reached at high
        middle = (low + high) // 2
        if is_enough(pool, a, i, middle, terms):
            high = middle
        else:
            low = middle
    left = (lots - high) * pool.lot[i]
    value = position_value(left, pool.mark_price[i], pool.value_divisor[0])
    return lots if value < pool.rule[Rule.DUST] else high


@kernel
def liquidate_position(pool: Pool, a: int, i: int, terms: Terms, log: Log) -> None:
    """Move just enough of a position to the backstop, and realise the account's result."""
    e = start_event(pool, a, log, Happening.POSITION_LIQUIDATED, i)
    side = 1 if pool.size[a, i] > 0 else -1
    part = side * lots_to_close(pool, a, i, terms) * pool.lot[i]
    change = closing(pool, i, part, terms)
    move_position(pool, a, i, change.size, change.cost)
    move_position(pool, BACKSTOP, i, -change.size, -change.cost)
    charge(pool, a, change.liability)
    value = position_value(part, pool.mark_price[i], pool.value_divisor[0])
    event = log.events[e]
    event["size"] = part
    event["price"] = pool.mark_price[i]
    event["value"] = abs(value)
    event["bonus"] = value + change.cost
    event["fee"] = change.liability
    event["publish_time_ns"] = pool.publish_time[pool.instrument_underlying[i]]
    finish_event(pool, a, log, e)


@kernel
def liquidate_positions(pool: Pool, a: int, log: Log) -> None:
    """Reduce positions one after the other until the target level is reached."""
    terms = terms_for(pool, equity(pool, a), gross_notional(pool, a), health_factor(pool, a))
    # Each turn reaches the target or closes one position whole, so this ends.
    while excess(pool, a, Level.TARGET) < 0:
        i = worst_position(pool, a)
        if i < 0:
            break
        liquidate_position(pool, a, i, terms, log)


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
def liquidate_collateral(pool: Pool, a: int, c: int, bonus: int, log: Log) -> None:
    """Move collateral to the backstop together with the liability it covers."""
    e = start_event(pool, a, log, Happening.COLLATERAL_LIQUIDATED, c)
    taken = collateral_to_take(pool, a, c, bonus)
    u = pool.asset_underlying[c]
    value = position_value(taken, pool.index_price[u], pool.value_divisor[0])
    moved = move_liability(pool, a, covered_by(pool, a, c, taken, bonus))
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
    """Cover liability by cash, claim and collateral until the target level is reached."""
    repay_from_cash(pool, a, debt_of(pool, pool.debt_shares[a]))
    if pool.claim[a] > 0 and excess(pool, a, Level.TARGET) < 0:
        liquidate_claim(pool, a, log)
    bonus = collateral_bonus(pool, a)
    for c in range(CASH + 1, pool.asset_underlying.size):
        if excess(pool, a, Level.TARGET) >= 0 or liability(pool, a) == 0:
            break
        if pool.balance[a, c] > 0:
            liquidate_collateral(pool, a, c, bonus, log)


@kernel
def has_anything(pool: Pool, a: int) -> bool:
    """Whether a liquidation could still take something from the account."""
    for c in range(pool.asset_underlying.size):
        if pool.balance[a, c] != 0:
            return True
    return pool.claim[a] != 0 or has_position(pool, a)


@kernel
def record_shortfall(pool: Pool, a: int, log: Log) -> None:
    """Let the insurance fund pay what it may; write debt off to the lenders; leave the due.

    What an earlier shortfall left of the due is neither counted nor covered again.
    """
    e = start_event(pool, a, log, Happening.SHORTFALL_RECORDED, -1)
    due, debt = new_due(pool, a), debt_of(pool, pool.debt_shares[a])
    drawn = draw_insurance(pool, due + debt)
    loss = due + debt - drawn
    cover_due(pool, a, min(drawn, due))
    write_off_debt(pool, a, drawn - min(drawn, due))
    pool.total[Total.SHORTFALL] += loss
    event = log.events[e]
    event["insurance"] = drawn
    event["shortfall"] = loss
    finish_event(pool, a, log, e)


@kernel
def is_in_grace(pool: Pool, a: int) -> bool:
    """Whether an outage has just ended for a price of the account, and closeout is not reached."""
    if excess(pool, a, Level.CLOSEOUT) < 0:
        return False
    for u in range(pool.index_price.size):
        if pool.total[Total.NOW_NS] < pool.grace_until[u] and is_exposed(pool, a, u):
            return True
    return False


@kernel
def liquidate(pool: Pool, a: int, log: Log) -> Status:
    """Bring an account below maintenance back to the target level, or to its end.

    Checks, in order: BACKSTOP_IS_NOT_LIQUIDATED, ACCOUNT_IS_HEALTHY, NOTHING_TO_LIQUIDATE,
    PRICE_IS_NOT_USABLE, ACCOUNT_IS_IN_GRACE_PERIOD.
    """
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_NOT_LIQUIDATED
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        return Status.ACCOUNT_IS_HEALTHY
    if not has_anything(pool, a):
        return Status.NOTHING_TO_LIQUIDATE
    status = exposure_status(pool, Action.LIQUIDATE, a)
    if status != Status.OK:
        return status
    if is_in_grace(pool, a):
        return Status.ACCOUNT_IS_IN_GRACE_PERIOD
    first, health = log.position[COUNT], health_factor(pool, a)
    # Realising results moves a loss from owed to paid, which moves the ratio but no excess;
    # the bonus goes by the ratio after it, so that it does not depend on who settled when.
    settle_account(pool, a)
    liquidate_positions(pool, a, log)
    if not has_position(pool, a):
        liquidate_balances(pool, a, log)
    if not has_anything(pool, a) and liability(pool, a) > 0:
        record_shortfall(pool, a, log)
    log.events[first]["health_before"] = health
    return Status.OK
