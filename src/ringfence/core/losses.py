"""Losses that nobody is left to pay: the insurance fund first, then who bears them.

A debt is written off to the lenders at once. A due stays uncollected, so that only unpaid
claims of this pool can suffer from it. The backstop's own losses are recognised at every
settlement, as soon as it owes more than what it owns can bring.
"""

from ringfence.compiled import kernel
from ringfence.core.command import Happening
from ringfence.core.health import debt_of, worth
from ringfence.core.insurance import set_insurance_target
from ringfence.core.lending import (
    burn_debt,
    lender_assets,
    redeem,
    repay_from_cash,
    shares_repaid,
    write_off_debt,
)
from ringfence.core.log import Log, record_total
from ringfence.core.pool import BACKSTOP, Pool, Total
from ringfence.core.receipt import finish_event, start_event
from ringfence.core.seizure import share_value
from ringfence.core.settlement import (
    cover_due,
    draw_insurance,
    new_due,
    pay_and_record,
    settle_everybody,
    settlement_status,
)
from ringfence.core.status import Status
from ringfence.core.validity import Action, exposure_status
from ringfence.fixed import mul_div_floor
from ringfence.separate import separate


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
def redeem_of_backstop(pool: Pool) -> None:
    """Turn the backstop's shares of the lenders into cash, as far as the lenders have any."""
    value = pool.total[Total.LENDER_CASH]
    shares = mul_div_floor(value, pool.total[Total.SUPPLY_SHARES] + 1, lender_assets(pool) + 1)
    shares = min(shares, pool.supply_shares[BACKSTOP])
    if shares > 0:
        redeem(pool, BACKSTOP, shares)


@kernel
def write_off_backstop(pool: Pool, log: Log) -> None:
    """Write off what of the backstop's debt its belongings cannot bring, as soon as that is so.

    Its due comes first: what is missing is that of the debt only beyond the due.
    """
    redeem_of_backstop(pool)
    repay_from_cash(pool, BACKSTOP, debt_of(pool, pool.debt_shares[BACKSTOP]))
    lent = share_value(pool, pool.supply_shares[BACKSTOP])
    missing = -worth(pool, BACKSTOP) - lent - pool.due[BACKSTOP]
    loss = min(missing, debt_of(pool, pool.debt_shares[BACKSTOP]))
    if loss <= 0 or exposure_status(pool, Action.SETTLE, BACKSTOP) != Status.OK:
        return
    shares = shares_repaid(pool, BACKSTOP, loss)
    if shares == 0:
        return
    e = start_event(pool, BACKSTOP, log, Happening.SHORTFALL_RECORDED, -1)
    drawn = draw_insurance(pool, loss)
    burn_debt(pool, BACKSTOP, shares)
    pool.total[Total.LENDER_CASH] += drawn
    pool.total[Total.SHORTFALL] += loss - drawn
    event = log.events[e]
    event["insurance"] = drawn
    event["shortfall"] = loss - drawn
    finish_event(pool, BACKSTOP, log, e)


@kernel
def cover_backstop(pool: Pool, log: Log) -> None:
    """Let the insurance fund pay what of the backstop's due its belongings cannot bring.

    A due beside coins or positions that are worth it waits for their sale: what insurance paid
    of it would be a gift to whoever holds shares of the capital.
    """
    lent = share_value(pool, pool.supply_shares[BACKSTOP])
    recorded = pool.due[BACKSTOP] - new_due(pool, BACKSTOP)
    loss = min(-worth(pool, BACKSTOP) - lent - recorded, new_due(pool, BACKSTOP))
    if loss <= 0:
        return
    paid = draw_insurance(pool, loss)
    pool.due[BACKSTOP] -= paid
    pool.total[Total.SETTLED_CASH] += paid
    pool.uncovered[BACKSTOP] = recorded + loss - paid
    record_total(log, Happening.DUE_COVERED, paid, pool.due[BACKSTOP])


@separate
def settle_pool(pool: Pool, log: Log) -> Status:
    """Settle everybody, pay claims, recognise what the backstop cannot pay, measure the target.

    Checks, in order: PRICE_IS_NOT_USABLE, VALUATION_IS_NOT_USABLE, for what has open interest.
    """
    status = settlement_status(pool)
    if status != Status.OK:
        return status
    settle_everybody(pool)
    if new_due(pool, BACKSTOP) > 0 and exposure_status(pool, Action.SETTLE, BACKSTOP) == Status.OK:
        cover_backstop(pool, log)
    pay_and_record(pool, log)
    if (pool.debt_shares[BACKSTOP] + pool.supply_shares[BACKSTOP]) > 0:
        write_off_backstop(pool, log)
    set_insurance_target(pool)
    return status
