"""Before anything is forced: warnings, and orders that an owner has signed in advance.

An account that falls below a level is told so once, and again when that changes. A protective
order is a budget of the owner's own wallet that may be added, and leave to reduce positions
at the least bonus; both act only below the target level, and never beyond it. Nothing here
closes an account above maintenance whose owner has not signed that.
"""

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.backstop import can_take, gross_notional
from ringfence.core.collateral import add_balance, deposit_status
from ringfence.core.command import Happening
from ringfence.core.health import equity, excess
from ringfence.core.liquidation import part_to_close, take_over, worst_position
from ringfence.core.log import Log
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Step
from ringfence.core.receipt import finish_event, record_step, start_event
from ringfence.core.settlement import settle_account
from ringfence.core.status import Status
from ringfence.core.terms import terms_for
from ringfence.core.validity import Action, exposure_status
from ringfence.units import AMOUNT_MAX, PPM

NOT_WARNED = 0  # at or above initial; from 1: below initial, target, maintenance, closeout


@kernel
def warning_of(pool: Pool, a: int) -> int:
    """How many levels the account is below: 0 to 4, as they nest."""
    below = NOT_WARNED
    for level in (Level.INITIAL, Level.TARGET, Level.MAINTENANCE, Level.CLOSEOUT):
        if excess(pool, a, level) >= 0:
            break
        below += 1
    return below


@kernel
def has_news(pool: Pool, a: int) -> bool:
    """Whether an account is below another level than it was last told."""
    return a != BACKSTOP and warning_of(pool, a) != pool.warned[a]


@kernel
def find_warnings(pool: Pool, accounts: Column, found: Column) -> int:
    """Collect those of some accounts that have something to be told; return how many."""
    count = 0
    for a in accounts:
        if has_news(pool, a):
            found[count] = a
            count += 1
    return count


@kernel
def warn(pool: Pool, a: int, log: Log) -> Status:
    """Record that the account has come below another level, or above one, since last told.

    Checks, in order: NOTHING_TO_WARN_OF.
    """
    below = warning_of(pool, a)
    if below == pool.warned[a]:
        return Status.NOTHING_TO_WARN_OF
    pool.warned[a] = below
    record_step(pool, a, log, Happening.ACCOUNT_WARNED, below)
    return Status.OK


@kernel
def protect(pool: Pool, a: int, budget: int, may_reduce: int) -> Status:
    """Take over an owner's protective order: a budget of the wallet, and leave to reduce.

    Checks, in order: BACKSTOP_IS_RESTRICTED, AMOUNT_MUST_BE_POSITIVE (0 and 0 end it),
    AMOUNT_EXCEEDS_LIMIT.
    """
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_RESTRICTED
    if budget < 0 or may_reduce < 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if budget > AMOUNT_MAX or may_reduce > 1:
        return Status.AMOUNT_EXCEEDS_LIMIT
    pool.protect_budget[a] = budget
    pool.protect_reduce[a] = may_reduce
    return Status.OK


@kernel
def top_up(pool: Pool, a: int, c: int, amount: int, log: Log) -> Status:
    """Add cash out of the owner's budget, no more than is missing at target.

    Checks, in order: ASSET_DOES_NOT_EXIST (it is cash), AMOUNT_MUST_BE_POSITIVE,
    EXCEEDS_BUDGET, NOTHING_TO_PROTECT (it is at
    target, or needs less), EXCEEDS_DEPOSIT_CAP. The wallet is the venue's business.
    """
    if c != CASH:
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > pool.protect_budget[a]:
        return Status.EXCEEDS_BUDGET
    if amount > -excess(pool, a, Level.TARGET):
        return Status.NOTHING_TO_PROTECT
    status = deposit_status(pool, CASH, amount)
    if status == Status.OK:
        e = start_event(pool, a, log, Happening.BUDGET_ADDED, CASH)
        add_balance(pool, a, CASH, amount)
        pool.protect_budget[a] -= amount
        log.events[e]["value"] = amount
        finish_event(pool, a, log, e)
    return status


@kernel
def reduce_by_order(pool: Pool, a: int, log: Log) -> Status:
    """Reduce positions as the owner allowed: at the least bonus, to the backstop, to target.

    Checks, in order: NOTHING_TO_PROTECT (no order, at target, without a position, or under
    the waterfall already), PRICE_IS_NOT_USABLE, EXCEEDS_BACKSTOP_CAPITAL (it declines).
    """
    i = worst_position(pool, a)
    if pool.protect_reduce[a] == 0 or i < 0 or pool.step[a] != Step.NONE:
        return Status.NOTHING_TO_PROTECT
    if excess(pool, a, Level.TARGET) >= 0 or excess(pool, a, Level.MAINTENANCE) < 0:
        return Status.NOTHING_TO_PROTECT
    status = exposure_status(pool, Action.OPEN, a)
    if status != Status.OK:
        return status
    terms = terms_for(pool, equity(pool, a), gross_notional(pool, a), PPM)
    part = part_to_close(pool, a, i, terms)
    if not can_take(pool, i, part):
        return Status.EXCEEDS_BACKSTOP_CAPITAL
    settle_account(pool, a)
    take_over(pool, a, i, part, terms, Happening.POSITION_REDUCED, log)
    return Status.OK
