"""Collateral in and out of an account, and between accounts against cash.

The wallet at the other end of a deposit or withdrawal is the venue's business.
"""

from ringfence.compiled import formula, kernel
from ringfence.core.health import Change, excess, excess_after, excess_with, has_obligation
from ringfence.core.margin import position_value
from ringfence.core.pool import CASH, Level, Pool, Total
from ringfence.core.settlement import add_cash, collect_due
from ringfence.core.status import Status
from ringfence.core.validity import Action, exposure_status, is_usable
from ringfence.units import AMOUNT_MAX


@formula
def deposit_status(pool: Pool, c: int, amount: int) -> Status:
    """Rules of a deposit, from ASSET_DOES_NOT_EXIST to EXCEEDS_DEPOSIT_CAP."""
    if c < 0 or c >= pool.asset_underlying.size:
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > AMOUNT_MAX:
        return Status.AMOUNT_EXCEEDS_LIMIT
    if pool.deposited[c] + amount > pool.deposit_cap[c]:
        return Status.EXCEEDS_DEPOSIT_CAP
    return Status.OK


@formula
def add_balance(pool: Pool, a: int, c: int, amount: int) -> None:
    """Put collateral into the account; cash pays the account's due first."""
    pool.balance[a, c] += amount
    pool.deposited[c] += amount
    if c == CASH:
        collect_due(pool, a)


@formula
def deposit(pool: Pool, a: int, c: int, amount: int) -> Status:
    """Add collateral to the account; needs no price, so it works in any state of the oracle.

    Checks, in order: ASSET_DOES_NOT_EXIST, AMOUNT_MUST_BE_POSITIVE, AMOUNT_EXCEEDS_LIMIT,
    EXCEEDS_DEPOSIT_CAP.
    """
    status = deposit_status(pool, c, amount)
    if status == Status.OK:
        add_balance(pool, a, c, amount)
    return status


@kernel
def leaving_status(pool: Pool, a: int, c: int, amount: int) -> Status:
    """Rules of taking collateral out: fresh prices, and initial margin without any profit.

    An account that can owe nothing depends on no price and is always free to leave.
    """
    if not has_obligation(pool, a):
        return Status.OK
    status = exposure_status(pool, Action.WITHDRAW, a)
    if status != Status.OK:
        return status
    change = Change(-1, 0, 0, c, -amount, 0)
    if excess_with(pool, a, Level.INITIAL, 0, change) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    return Status.OK


@kernel
def withdraw(pool: Pool, a: int, c: int, amount: int) -> Status:
    """Take collateral out of the account.

    Checks, in order: ASSET_DOES_NOT_EXIST, AMOUNT_MUST_BE_POSITIVE, EXCEEDS_BALANCE,
    PRICE_IS_NOT_USABLE, INITIAL_MARGIN_TOO_LOW (uncollected profit counts for nothing).
    """
    if c < 0 or c >= pool.asset_underlying.size:
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > pool.balance[a, c]:
        return Status.EXCEEDS_BALANCE
    status = leaving_status(pool, a, c, amount)
    if status == Status.OK:
        pool.balance[a, c] -= amount
        pool.deposited[c] -= amount
    return status


@kernel
def fund_insurance(pool: Pool, a: int, amount: int) -> Status:
    """Give cash of the account to the insurance fund; see `give_cash`."""
    return give_cash(pool, a, amount, Total.INSURANCE_FUND)


@kernel
def give_cash(pool: Pool, a: int, amount: int, total: int) -> Status:
    """Give cash of the account to one of the pool's own totals.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, EXCEEDS_BALANCE, PRICE_IS_NOT_USABLE,
    INITIAL_MARGIN_TOO_LOW.
    """
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > pool.balance[a, CASH]:
        return Status.EXCEEDS_BALANCE
    status = leaving_status(pool, a, CASH, amount)
    if status == Status.OK:
        add_cash(pool, a, -amount)
        pool.total[total] += amount
    return status


@kernel
def exchange_status(pool: Pool, a: int, b: int, c: int, amount: int, value: int) -> Status:
    """Rules of what leaves either side of an exchange: those of a withdrawal.

    Else collateral sold for next to nothing would carry uncollected profit out of the pool.
    The seller may be short of margin, and his prices unusable, if he gets no worse; below
    maintenance that takes the index price, or he could hand his collateral to an accomplice.
    """
    sold = Change(-1, 0, 0, c, -amount, -value)
    bought = Change(-1, 0, 0, c, amount, value)
    before = excess(pool, a, Level.MAINTENANCE)
    after = excess_after(pool, a, Level.MAINTENANCE, sold)
    price = pool.index_price[pool.asset_underlying[c]]
    is_cheap = value < position_value(amount, price, pool.value_divisor[0])
    is_worse = has_obligation(pool, a) and (after < before or (after < 0 and is_cheap))
    is_bound = has_obligation(pool, b)
    if is_worse and exposure_status(pool, Action.WITHDRAW, a) != Status.OK:
        return exposure_status(pool, Action.WITHDRAW, a)
    if is_bound and not is_usable(pool, Action.WITHDRAW, pool.asset_underlying[c]):
        return Status.PRICE_IS_NOT_USABLE
    if is_bound and exposure_status(pool, Action.WITHDRAW, b) != Status.OK:
        return exposure_status(pool, Action.WITHDRAW, b)
    if is_worse and excess_with(pool, a, Level.INITIAL, 0, sold) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    if is_bound and excess_with(pool, b, Level.INITIAL, 0, bought) < 0:
        return Status.OTHER_INITIAL_MARGIN_TOO_LOW
    return Status.OK


@kernel
def exchange(pool: Pool, a: int, b: int, c: int, amount: int, price: int) -> Status:
    """Sell collateral of account a to account b for cash, at a price both agreed to.

    Checks, in order: ASSET_DOES_NOT_EXIST (cash is not sold for cash),
    AMOUNT_MUST_BE_POSITIVE, PRICE_MUST_BE_POSITIVE, PRICE_EXCEEDS_LIMIT, EXCEEDS_BALANCE
    (of either), PRICE_IS_NOT_USABLE, INITIAL_MARGIN_TOO_LOW,
    OTHER_INITIAL_MARGIN_TOO_LOW. The cash is rounded against the seller.
    """
    if c <= CASH or c >= pool.asset_underlying.size:
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if price <= 0:
        return Status.PRICE_MUST_BE_POSITIVE
    if price > pool.price_max[pool.asset_underlying[c]]:
        return Status.PRICE_EXCEEDS_LIMIT
    if amount > pool.balance[a, c]:
        return Status.EXCEEDS_BALANCE
    value = position_value(amount, price, pool.value_divisor[0])
    if value > pool.balance[b, CASH]:
        return Status.EXCEEDS_BALANCE
    status = exchange_status(pool, a, b, c, amount, value)
    if status == Status.OK:
        pool.balance[a, c] -= amount
        pool.balance[b, c] += amount
        add_cash(pool, b, -value)
        add_balance(pool, a, CASH, value)
    return status
