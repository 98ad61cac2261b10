"""The one entry into a pool, and the one switch over the kinds of commands.

A batch is applied row by row; a row that breaks a rule leaves every byte as it was.
"""

from ringfence.columns import Column
from ringfence.compiled import formula, kernel
from ringfence.core.auction import bid
from ringfence.core.backstop import (
    buy_collateral,
    buy_from_backstop,
    can_trade,
    is_restricted,
    redeem_backstop,
    supply_backstop,
)
from ringfence.core.collateral import deposit, exchange, fund_insurance, withdraw
from ringfence.core.command import Kind, Row, Rows
from ringfence.core.deleveraging import deleverage
from ringfence.core.expiry import expire
from ringfence.core.halt import end_pool, fund_bond, halt_if_lost, release_bond
from ringfence.core.health import has_obligation
from ringfence.core.lending import accrue_interest, borrow, redeem, repay, supply
from ringfence.core.liquidation import liquidate
from ringfence.core.log import ROW, Log
from ringfence.core.losses import settle_pool
from ringfence.core.parameters import announce_change, apply_changes, cancel_change
from ringfence.core.pool import BACKSTOP, Pool, Rule, Total
from ringfence.core.prices import accrue_funding, set_index_price, set_mark_price
from ringfence.core.protection import protect, reduce_by_order, top_up, warn
from ringfence.core.status import Status
from ringfence.core.steps import leave_if_cured
from ringfence.core.trading import open_position, trade
from ringfence.core.valuation import set_risk_array
from ringfence.separate import separate
from ringfence.units import DAY_NS


@separate
def advance_clock(pool: Pool, time: int, log: Log) -> Status:
    """Move the pool's clock: accrue interest, then move parameters along their ramps.

    What is counted by the day or by the epoch begins anew.

    Checks, in order: TIME_MUST_NOT_DECREASE.
    """
    if time < pool.total[Total.NOW_NS]:
        return Status.TIME_MUST_NOT_DECREASE
    before = pool.total[Total.NOW_NS]
    pool.total[Total.NOW_NS] = time
    if time // DAY_NS != before // DAY_NS:
        pool.total[Total.INSURANCE_DRAWN] = 0
    if time // pool.rule[Rule.EPOCH_NS] != before // pool.rule[Rule.EPOCH_NS]:
        pool.total[Total.BACKSTOP_TAKEN] = 0
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


@formula
def is_safeguard(kind: int) -> bool:
    """Whether commands of a kind are about backstop, bond or protection, of one account."""
    return (
        Kind.SUPPLY_BACKSTOP <= kind <= Kind.PROTECT
        or Kind.BUY_FROM_BACKSTOP <= kind <= Kind.BUY_COLLATERAL
        or Kind.TOP_UP <= kind <= Kind.WARN
    )


@separate
def apply_safeguard(pool: Pool, command: Row, log: Log) -> Status:
    """Apply a command about backstop, bond or protection of an account that exists."""
    kind, a, c, i = command["kind"], command["account"], command["asset"], command["instrument"]
    amount, size = command["amount"], command["size"]
    if kind == Kind.SUPPLY_BACKSTOP:
        return supply_backstop(pool, a, amount)
    if kind == Kind.REDEEM_BACKSTOP:
        return redeem_backstop(pool, a, amount)
    if kind == Kind.FUND_BOND:
        return fund_bond(pool, a, amount)
    if kind == Kind.RELEASE_BOND:
        return release_bond(pool, a, amount)
    if kind == Kind.PROTECT:
        return protect(pool, a, amount, size)
    if kind == Kind.TOP_UP:
        return top_up(pool, a, c, amount, log)
    if kind == Kind.REDUCE:
        return reduce_by_order(pool, a, log)
    if kind == Kind.WARN:
        return warn(pool, a, log)
    if kind == Kind.BUY_FROM_BACKSTOP:
        return buy_from_backstop(pool, a, i, size)
    return buy_collateral(pool, a, c, amount)


@separate
def apply_to_account(pool: Pool, command: Row, log: Log) -> Status:
    """Apply a command that may change an account, which must exist, or the other one named."""
    kind, a, b = command["kind"], command["account"], command["other"]
    c, i = command["asset"], command["instrument"]
    amount, size, price = command["amount"], command["size"], command["price"]
    count = pool.total[Total.ACCOUNTS]
    if a < 0 or a >= count:
        return Status.ACCOUNT_DOES_NOT_EXIST
    if pool.total[Total.WAITING] > 0 and has_to_wait(pool, kind, a):
        return Status.WATERFALL_IS_RUNNING
    if a == BACKSTOP and is_restricted(pool, kind):
        return Status.BACKSTOP_IS_RESTRICTED
    if pool.total[Total.HALTED_AT] > 0 and adds_risk(kind):
        return Status.POOL_IS_HALTED
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
    if is_safeguard(kind):
        return apply_safeguard(pool, command, log)
    if kind == Kind.LIQUIDATE:
        return liquidate(pool, a, log)
    if b < 0 or b >= count:
        return Status.OTHER_ACCOUNT_DOES_NOT_EXIST
    if a == b:
        return Status.ACCOUNTS_MUST_DIFFER
    if BACKSTOP in (a, b) and not can_trade(pool, command):
        return Status.BACKSTOP_IS_RESTRICTED
    if kind == Kind.BID:
        return bid(pool, a, b, amount, size, log)
    if kind == Kind.EXCHANGE:
        return exchange(pool, a, b, c, amount, price)
    if kind == Kind.OPEN_POSITION:
        return open_position(pool, a, b, i, size, price, c, amount)
    return trade(pool, a, b, i, size, price)


@separate
def apply_to_pool(pool: Pool, command: Row, log: Log) -> Status:
    """Apply a command that concerns the whole pool."""
    kind, c, i = command["kind"], command["asset"], command["instrument"]
    amount, size, price = command["amount"], command["size"], command["price"]
    if kind == Kind.ADVANCE_CLOCK:
        return advance_clock(pool, command["time_ns"], log)
    if kind == Kind.OPEN_ACCOUNT:
        return open_account(pool, command["other"], amount)
    if kind == Kind.EXPIRE:
        return expire(pool, i, log)
    if kind == Kind.SET_INDEX_PRICE:
        return set_index_price(pool, i, price, amount, size, c)
    if kind == Kind.SET_MARK_PRICE:
        return set_mark_price(pool, i, price)
    if kind == Kind.DELEVERAGE:
        return deleverage(pool, i, amount, log)
    if kind == Kind.SET_RISK_ARRAY:
        return set_risk_array(pool, command)
    if kind == Kind.END_POOL:
        return end_pool(pool, log)
    if kind == Kind.ACCRUE_FUNDING:
        return accrue_funding(pool, i, amount)
    if kind == Kind.SETTLE:
        return settle_pool(pool, log)
    if kind == Kind.ANNOUNCE_CHANGE:
        return announce_change(pool, c, i, amount, size, price)
    if kind == Kind.CANCEL_CHANGE:
        return cancel_change(pool, i)
    return Status.COMMAND_IS_UNKNOWN


@formula
def names_account(kind: int) -> bool:
    """Whether commands of a kind are those of an account; an unknown kind's are not."""
    return (
        Kind.DEPOSIT <= kind <= Kind.PROTECT
        or Kind.SUPPLY <= kind <= Kind.REPAY
        or Kind.TRADE <= kind <= Kind.OPEN_POSITION
        or Kind.BUY_FROM_BACKSTOP <= kind <= Kind.BUY_COLLATERAL
        or Kind.BID <= kind <= Kind.WARN
        or kind == Kind.LIQUIDATE
    )


@formula
def names_other(kind: int) -> bool:
    """Whether commands of a kind have two sides."""
    return Kind.TRADE <= kind <= Kind.OPEN_POSITION or kind in (Kind.EXCHANGE, Kind.BID)


@formula
def adds_risk(kind: int) -> bool:
    """Whether commands of a kind only make sense in a pool that goes on; trades may reduce."""
    return kind in (Kind.SUPPLY, Kind.BORROW, Kind.SUPPLY_BACKSTOP)


@kernel
def has_to_wait(pool: Pool, kind: int, a: int) -> bool:
    """Whether a command takes money out while losses are being shared.

    Whoever owes nothing and holds nothing can lose nothing, and is free to leave.
    """
    if kind == Kind.WITHDRAW:
        return has_obligation(pool, a)
    return kind in (Kind.REDEEM, Kind.REDEEM_BACKSTOP)


@formula
def apply_one(pool: Pool, command: Row, log: Log) -> Status:
    """Apply one command row to the pool, or refuse it with the first rule it breaks."""
    kind = command["kind"]
    if names_account(kind):
        status = apply_to_account(pool, command, log)
    else:
        status = apply_to_pool(pool, command, log)
    if status == Status.OK and kind in (Kind.LIQUIDATE, Kind.DELEVERAGE, Kind.SETTLE):
        halt_if_lost(pool, log)
    if status == Status.OK and names_account(kind):
        leave_if_cured(pool, command["account"])
        if names_other(kind):
            leave_if_cured(pool, command["other"])
    return status


@kernel
def apply(pool: Pool, commands: Rows, statuses: Column, log: Log) -> None:
    """Apply a batch of command rows; statuses gets one outcome a row, the log the events."""
    for r in range(commands.size):
        log.position[ROW] = r
        statuses[r] = apply_one(pool, commands[r], log)
