"""Liquidation of an account below maintenance: the engine's way down the waterfall.

own means    cash that the account has lent
auction      where the pool holds any, while the account is solvent and above closeout
takeover     positions to the pool's backstop, each reduced just enough to reach the target
             level, the one that frees the most margin before the others; what the backstop
             cannot take waits to be deleveraged
seizure      without positions: claims and collateral together with the debt they cover; after
             the end of a pool, from a healthy account, coins together with a due
losses       what is left of a due or debt (core.losses)
"""

from ringfence.compiled import kernel
from ringfence.core.auction import is_auction_over, is_up_for_auction, start_auction
from ringfence.core.backstop import can_take, gross_notional
from ringfence.core.command import Happening
from ringfence.core.health import (
    AS_IT_IS,
    Change,
    equity,
    excess,
    excess_after,
    has_position,
    health_factor,
    requirement,
)
from ringfence.core.log import COUNT, Log
from ringfence.core.losses import record_shortfall
from ringfence.core.margin import part_of, position_value
from ringfence.core.own_means import forfeit_backstop_shares, use_own_means
from ringfence.core.pool import BACKSTOP, Level, Pool, Rule, Step, Total
from ringfence.core.receipt import finish_event, record_step, start_event
from ringfence.core.seizure import liquidate_balances, surrender_coins
from ringfence.core.settlement import charge, new_due, settle_account
from ringfence.core.status import Status
from ringfence.core.steps import enter_step, leave_step
from ringfence.core.terms import Terms, terms_for
from ringfence.core.trading import move_position
from ringfence.core.validity import Action, exposure_status, is_exposed
from ringfence.separate import separate


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


@separate
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
def part_to_close(pool: Pool, a: int, i: int, terms: Terms) -> int:
    """Signed part of a position whose closing reaches the target level; all if none does."""
    side = 1 if pool.size[a, i] > 0 else -1
    return side * lots_to_close(pool, a, i, terms) * pool.lot[i]


@kernel
def take_over(
    pool: Pool, a: int, i: int, part: int, terms: Terms, kind: Happening, log: Log
) -> None:
    """Move a part of a position to the backstop, and realise the account's result."""
    e = start_event(pool, a, log, kind, i)
    change = closing(pool, i, part, terms)
    move_position(pool, a, i, change.size, change.cost)
    move_position(pool, BACKSTOP, i, -change.size, -change.cost)
    charge(pool, a, change.liability)
    value = position_value(part, pool.mark_price[i], pool.value_divisor[0])
    pool.total[Total.BACKSTOP_TAKEN] += abs(value)
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
    """Reduce positions one after the other until target is reached or the backstop declines."""
    terms = terms_for(pool, equity(pool, a), gross_notional(pool, a), health_factor(pool, a))
    # Each turn reaches the target or closes one position whole, so this ends.
    while excess(pool, a, Level.TARGET) < 0:
        i = worst_position(pool, a)
        if i < 0:
            break
        part = part_to_close(pool, a, i, terms)
        if not can_take(pool, i, part):
            enter_step(pool, a, Step.DELEVERAGING)
            record_step(pool, a, log, Happening.DELEVERAGING_AWAITED, i)
            break
        take_over(pool, a, i, part, terms, Happening.POSITION_LIQUIDATED, log)


@kernel
def has_more_than_capital(pool: Pool, a: int) -> bool:
    """Whether the account owns anything but shares of the backstop's capital."""
    for c in range(pool.asset_underlying.size):
        if pool.balance[a, c] != 0:
            return True
    return pool.supply_shares[a] != 0 or pool.claim[a] != 0 or has_position(pool, a)


@kernel
def has_anything(pool: Pool, a: int) -> bool:
    """Whether a liquidation could still take something from the account."""
    return pool.backstop_shares[a] != 0 or has_more_than_capital(pool, a)


@kernel
def means_status(pool: Pool, a: int) -> Status:
    """OK if a liquidation may use the prices of what is left of the account.

    Where that is shares of the backstop alone, they are worth what the backstop's holdings are.
    """
    if pool.backstop_shares[a] > 0 and not has_more_than_capital(pool, a):
        return exposure_status(pool, Action.LIQUIDATE, BACKSTOP)
    return exposure_status(pool, Action.LIQUIDATE, a)


@kernel
def is_finished(pool: Pool, a: int) -> bool:
    """Whether a liquidation could neither take anything nor record a loss."""
    return pool.debt_shares[a] == 0 and new_due(pool, a) == 0 and not has_anything(pool, a)


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
def is_due_called(pool: Pool, a: int) -> bool:
    """Whether the account owes a due that the end of the pool has called in."""
    return pool.due[a] > 0 and pool.total[Total.ENDED_AT] > 0


@separate
def finish(pool: Pool, a: int, log: Log) -> None:
    """Bring an account without positions to target or to its end; others stay as they are.

    A due that the pool's end has called in goes whole.
    """
    if not has_position(pool, a):
        liquidate_balances(pool, a, log)
        if is_due_called(pool, a):
            surrender_coins(pool, a, log)
        forfeit_backstop_shares(pool, a, log)
    if not has_anything(pool, a) and not is_finished(pool, a):
        record_shortfall(pool, a, log)


@kernel
def end_of_step(pool: Pool, a: int, log: Log) -> Status:
    """Let a healthy account out of the step it is in; without one it is just healthy."""
    if pool.step[a] == Step.NONE:
        return Status.ACCOUNT_IS_HEALTHY
    record_step(pool, a, log, Happening.STEP_ENDED, pool.step[a])
    leave_step(pool, a)
    return Status.OK


@kernel
def surrender(pool: Pool, a: int, log: Log) -> Status:
    """Take coins of a healthy account for its due, once the pool has ended.

    It has no positions any more, and no cash, which would have paid.

    Checks, in order: PRICE_IS_NOT_USABLE, ACCOUNT_IS_IN_GRACE_PERIOD.
    """
    status = exposure_status(pool, Action.LIQUIDATE, a)
    if status == Status.OK and is_in_grace(pool, a):
        status = Status.ACCOUNT_IS_IN_GRACE_PERIOD
    if status == Status.OK:
        surrender_coins(pool, a, log)
    return status


@kernel
def has_next_step(pool: Pool, a: int) -> bool:
    """Whether a liquidation would take an account that is in a step further, or out of it."""
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        return True
    if pool.step[a] == Step.DELEVERAGING:
        return not has_position(pool, a)
    return not is_up_for_auction(pool, a) or is_auction_over(pool, a)


@separate
def liquidate(pool: Pool, a: int, log: Log) -> Status:
    """Take an account below maintenance down the waterfall, as far as it has to go now.

    Checks, in order: BACKSTOP_IS_NOT_LIQUIDATED, ACCOUNT_IS_HEALTHY (one that has become so
    leaves its step; one that owes a due after the end of the pool gives up coins for it),
    NOTHING_TO_LIQUIDATE, PRICE_IS_NOT_USABLE and VALUATION_IS_NOT_USABLE (of the account; of
    the backstop, where only shares of its capital are left), ACCOUNT_IS_IN_GRACE_PERIOD,
    ACCOUNT_AWAITS_DELEVERAGING, AUCTION_IS_RUNNING.
    """
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_NOT_LIQUIDATED
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        return surrender(pool, a, log) if is_due_called(pool, a) else end_of_step(pool, a, log)
    if pool.step[a] == Step.NONE and is_finished(pool, a):
        return Status.NOTHING_TO_LIQUIDATE
    status = means_status(pool, a)
    if status != Status.OK:
        return status
    if is_in_grace(pool, a):
        return Status.ACCOUNT_IS_IN_GRACE_PERIOD
    if pool.step[a] == Step.DELEVERAGING and has_position(pool, a):
        return Status.ACCOUNT_AWAITS_DELEVERAGING
    is_up = is_up_for_auction(pool, a)
    if is_up and pool.step[a] == Step.AUCTION and not is_auction_over(pool, a):
        return Status.AUCTION_IS_RUNNING
    first, health = log.position[COUNT], health_factor(pool, a)
    # Realising results moves a loss from owed to paid, which moves the ratio but no excess;
    # the bonus goes by the ratio after it, so that it does not depend on who settled when.
    settle_account(pool, a)
    use_own_means(pool, a, log)
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        leave_step(pool, a)
    elif is_up and pool.step[a] == Step.NONE:
        start_auction(pool, a, log)
    else:
        leave_step(pool, a)
        liquidate_positions(pool, a, log)
        finish(pool, a, log)
    if log.position[COUNT] > first:
        log.events[first]["health_before"] = health
    return Status.OK
