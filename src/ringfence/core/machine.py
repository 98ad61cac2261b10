"""The one entry into a pool, and the one switch over the kinds of commands.

A batch is applied row by row; a row that breaks a rule leaves every byte as it was.
"""

from ringfence.columns import Column
from ringfence.compiled import formula, kernel
from ringfence.core.collateral import deposit, exchange, fund_insurance, withdraw
from ringfence.core.command import Kind, Row, Rows
from ringfence.core.lending import accrue_interest, borrow, redeem, repay, supply
from ringfence.core.liquidation import liquidate
from ringfence.core.log import ROW, Log
from ringfence.core.parameters import announce_change, apply_changes, cancel_change
from ringfence.core.pool import Pool, Total
from ringfence.core.prices import accrue_funding, set_index_price, set_mark_price
from ringfence.core.settlement import settle
from ringfence.core.status import Status
from ringfence.core.trading import expire, open_position, trade
from ringfence.core.valuation import set_risk_array


@kernel
def advance_clock(pool: Pool, time: int, log: Log) -> Status:
    """Move the pool's clock: accrue interest, then move parameters along their ramps.

    Checks, in order: TIME_MUST_NOT_DECREASE.
    """
    if time < pool.total[Total.NOW_NS]:
        return Status.TIME_MUST_NOT_DECREASE
    pool.total[Total.NOW_NS] = time
    accrue_interest(pool)
    apply_changes(pool, log)
    return Status.OK


@kernel
def open_account(pool: Pool, owner: int, number: int) -> Status:
    """Open the next account of the pool for an owner, under the owner's own number.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE (a number counts from 1), POOL_IS_FULL.
    """
    if number <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    a = pool.total[Total.ACCOUNTS]
    if a >= pool.owner.size:
        return Status.POOL_IS_FULL
    pool.owner[a] = owner
    pool.number[a] = number
    pool.total[Total.ACCOUNTS] = a + 1
    return Status.OK


@kernel
def apply_to_account(pool: Pool, command: Row, log: Log) -> Status:
    """Apply a command of an account; it and, where named, the other one must exist."""
    kind, a, b = command["kind"], command["account"], command["other"]
    c, i = command["asset"], command["instrument"]
    amount, size, price = command["amount"], command["size"], command["price"]
    count = pool.total[Total.ACCOUNTS]
    if a < 0 or a >= count:
        return Status.ACCOUNT_DOES_NOT_EXIST
    if kind == Kind.DEPOSIT:
        return deposit(pool, a, c, amount)
    if kind == Kind.WITHDRAW:
        return withdraw(pool, a, c, amount)
    if kind == Kind.SUPPLY:
        return supply(pool, a, amount)
    if kind == Kind.REDEEM:
        return redeem(pool, a, amount)
    if kind == Kind.BORROW:
        return borrow(pool, a, amount)
    if kind == Kind.REPAY:
        return repay(pool, a, amount)
    if kind == Kind.FUND_INSURANCE:
        return fund_insurance(pool, a, amount)
    if kind == Kind.LIQUIDATE:
        return liquidate(pool, a, log)
    if b < 0 or b >= count:
        return Status.OTHER_ACCOUNT_DOES_NOT_EXIST
    if a == b:
        return Status.ACCOUNTS_MUST_DIFFER
    if kind == Kind.EXCHANGE:
        return exchange(pool, a, b, c, amount, price)
    if kind == Kind.OPEN_POSITION:
        return open_position(pool, a, b, i, size, price, c, amount)
    return trade(pool, a, b, i, size, price)


@kernel
def apply_to_pool(pool: Pool, command: Row, log: Log) -> Status:
    """Apply a command that concerns the whole pool."""
    kind, c, i = command["kind"], command["asset"], command["instrument"]
    amount, size, price = command["amount"], command["size"], command["price"]
    if kind == Kind.ADVANCE_CLOCK:
        return advance_clock(pool, command["time_ns"], log)
    if kind == Kind.OPEN_ACCOUNT:
        return open_account(pool, command["other"], amount)
    if kind == Kind.EXPIRE:
        return expire(pool, i, price, log)
    if kind == Kind.SET_INDEX_PRICE:
        return set_index_price(pool, i, price, amount, size, c)
    if kind == Kind.SET_MARK_PRICE:
        return set_mark_price(pool, i, price)
    if kind == Kind.SET_RISK_ARRAY:
        return set_risk_array(pool, command)
    if kind == Kind.ACCRUE_FUNDING:
        return accrue_funding(pool, i, amount)
    if kind == Kind.SETTLE:
        return settle(pool, log)
    if kind == Kind.ANNOUNCE_CHANGE:
        return announce_change(pool, c, i, amount, size, price)
    if kind == Kind.CANCEL_CHANGE:
        return cancel_change(pool, i)
    return Status.COMMAND_IS_UNKNOWN


@formula
def names_account(kind: int) -> bool:
    """Whether commands of a kind are those of an account; an unknown kind's are not."""
    return (
        Kind.DEPOSIT <= kind <= Kind.FUND_INSURANCE
        or Kind.SUPPLY <= kind <= Kind.REPAY
        or Kind.TRADE <= kind <= Kind.OPEN_POSITION
        or kind == Kind.LIQUIDATE
    )


@formula
def apply_one(pool: Pool, command: Row, log: Log) -> Status:
    """Apply one command row to the pool, or refuse it with the first rule it breaks."""
    if names_account(command["kind"]):
        return apply_to_account(pool, command, log)
    return apply_to_pool(pool, command, log)


@kernel
def apply(pool: Pool, commands: Rows, statuses: Column, log: Log) -> None:
    """Apply a batch of command rows; statuses gets one outcome a row, the log the events."""
    for r in range(commands.size):
        log.position[ROW] = r
        statuses[r] = apply_one(pool, commands[r], log)
