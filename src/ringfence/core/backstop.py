"""The pool's backstop: account 0, with capital of its own that anybody may supply and share.

    capital = cash + coins + what its positions and claims are worth - debt - due

Supplied cash buys shares at the capital without haircuts, uncollected profit included;
redeemed shares are paid at the capital after haircuts, without that profit, and in cash that
the rest can spare. Both quotients round down, so a supplier never gains by coming and going.
What account 0 owned before the first share is a stake of its own, which stays.

The backstop takes positions over up to a notional an epoch, and only as long as its equity
covers a share of what it holds. It sells them in paced parts, at the mark, to anybody.
"""

from ringfence.compiled import formula, kernel
from ringfence.core.collateral import add_balance, leaving_status
from ringfence.core.command import Kind, Row
from ringfence.core.health import (
    AS_IT_IS,
    Change,
    collateral,
    debt_of,
    equity,
    excess_after,
    excess_with,
    has_obligation,
    uncollected,
    worth,
)
from ringfence.core.lending import repay_from_cash
from ringfence.core.margin import part_of, position_value, share_of
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Rule, Total
from ringfence.core.seizure import share_value
from ringfence.core.settlement import add_cash
from ringfence.core.status import Status
from ringfence.core.trading import is_reduction, move_position, size_status
from ringfence.core.validity import Action, exposure_status, is_usable, mark_status
from ringfence.fixed import DIVISOR_MAX, mul_div_floor
from ringfence.units import AMOUNT_MAX, SUPPLY_MAX


@kernel
def gross_notional(pool: Pool, a: int) -> int:
    """Sum of the notionals of the account's positions."""
    total = 0
    for i in range(pool.mark_price.size):
        total += abs(position_value(pool.size[a, i], pool.mark_price[i], pool.value_divisor[0]))
    return total


@kernel
def can_take(pool: Pool, i: int, part: int) -> bool:
    """Whether the backstop may take over a signed part of a position.

    What only reduces its own position always may.
    """
    if is_reduction(pool.size[BACKSTOP, i], part):
        return True
    value = abs(position_value(part, pool.mark_price[i], pool.value_divisor[0]))
    if pool.total[Total.BACKSTOP_TAKEN] + value > pool.rule[Rule.BACKSTOP_LIMIT]:
        return False
    reserve = pool.rule[Rule.BACKSTOP_RESERVE]
    if reserve == 0:
        return True
    held = gross_notional(pool, BACKSTOP) + value
    return equity(pool, BACKSTOP) >= share_of(held, reserve)


@kernel
def full_capital(pool: Pool) -> int:
    """Capital as a new supplier pays for it: nothing taken off, lent cash included."""
    return max(worth(pool, BACKSTOP) + share_value(pool, pool.supply_shares[BACKSTOP]), 0)


@kernel
def spare_capital(pool: Pool) -> int:
    """Capital as a leaving supplier is paid from it: after haircuts, without profit."""
    owned = collateral(pool, BACKSTOP, Level.INITIAL, AS_IT_IS)
    owed = debt_of(pool, pool.debt_shares[BACKSTOP])
    return max(owned + min(uncollected(pool, BACKSTOP, AS_IT_IS), 0) - owed, 0)


@kernel
def capital_value(pool: Pool, shares: int) -> int:
    """What shares of the backstop bring now, rounded down."""
    divisor = pool.total[Total.BACKSTOP_SHARES] + 1
    return mul_div_floor(shares, spare_capital(pool) + 1, divisor)


@kernel
def supply_backstop(pool: Pool, a: int, amount: int) -> Status:
    """Give cash of the account to the backstop for shares of its capital.

    One virtual share and one virtual quote unit keep the first supplier honest.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, WATERFALL_IS_RUNNING, BACKSTOP_IS_RESTRICTED
    (account 0 has its stake), EXCEEDS_SUPPLY_CAP, EXCEEDS_BALANCE, BACKSTOP_IS_WIPED_OUT,
    AMOUNT_BELOW_ONE_SHARE, PRICE_IS_NOT_USABLE (of either), INITIAL_MARGIN_TOO_LOW.
    """
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if pool.total[Total.WAITING] > 0:
        return Status.WATERFALL_IS_RUNNING
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_RESTRICTED
    capital, shares = full_capital(pool), pool.total[Total.BACKSTOP_SHARES]
    if amount > SUPPLY_MAX - capital:
        return Status.EXCEEDS_SUPPLY_CAP
    if amount > pool.balance[a, CASH]:
        return Status.EXCEEDS_BALANCE
    # A thousandth of a quote unit a share: below it, new shares could leave 64 bits.
    if capital < shares // 1000:
        return Status.BACKSTOP_IS_WIPED_OUT
    stake = capital if shares == 0 else 0
    shares += stake
    bought = mul_div_floor(amount, shares + 1, capital + 1)
    if bought == 0:
        return Status.AMOUNT_BELOW_ONE_SHARE
    if shares + bought >= DIVISOR_MAX:  # the sum of shares divides
        return Status.BACKSTOP_IS_WIPED_OUT
    status = exposure_status(pool, Action.WITHDRAW, BACKSTOP)
    if status == Status.OK:
        status = leaving_status(pool, a, CASH, amount)
    if status == Status.OK:
        add_cash(pool, a, -amount)
        pool.backstop_shares[BACKSTOP] += stake
        pool.backstop_shares[a] += bought
        pool.total[Total.BACKSTOP_SHARES] = shares + bought
        add_balance(pool, BACKSTOP, CASH, amount)
    return status


@kernel
def redeem_backstop(pool: Pool, a: int, shares: int) -> Status:
    """Turn shares of the backstop's capital into cash of the account.

    The machine lets none leave while the waterfall runs.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, BACKSTOP_IS_RESTRICTED (account 0's stake stays),
    EXCEEDS_BACKSTOP_SHARES, PRICE_IS_NOT_USABLE, VALUATION_IS_NOT_USABLE,
    EXCEEDS_BACKSTOP_CAPITAL (its cash, its initial margin and its reserve are needed).
    """
    if shares <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_RESTRICTED
    if shares > pool.backstop_shares[a]:
        return Status.EXCEEDS_BACKSTOP_SHARES
    status = exposure_status(pool, Action.WITHDRAW, BACKSTOP)
    if status != Status.OK:
        return status
    amount = capital_value(pool, shares)
    if amount > pool.balance[BACKSTOP, CASH] or not can_spare(pool, amount):
        return Status.EXCEEDS_BACKSTOP_CAPITAL
    pool.backstop_shares[a] -= shares
    pool.total[Total.BACKSTOP_SHARES] -= shares
    add_cash(pool, BACKSTOP, -amount)
    add_balance(pool, a, CASH, amount)
    return Status.OK


@kernel
def can_spare(pool: Pool, amount: int) -> bool:
    """Whether the backstop keeps its initial margin and its reserve without some cash."""
    if not has_obligation(pool, BACKSTOP):
        return True
    change = Change(-1, 0, 0, CASH, -amount, 0)
    if excess_with(pool, BACKSTOP, Level.INITIAL, 0, change) < 0:
        return False
    kept = share_of(gross_notional(pool, BACKSTOP), pool.rule[Rule.BACKSTOP_RESERVE])
    return equity(pool, BACKSTOP) - amount >= kept


@formula
def is_restricted(pool: Pool, kind: int) -> bool:
    """Whether commands of a kind are not for account 0, whose owner cannot take from it.

    Before anybody supplies capital, all of it is the owner's gift, and may go to insurance.
    """
    if kind == Kind.FUND_INSURANCE:
        return pool.total[Total.BACKSTOP_SHARES] > 0
    return kind in (Kind.WITHDRAW, Kind.SUPPLY, Kind.BORROW, Kind.OPEN_POSITION, Kind.FUND_BOND)


@kernel
def can_trade(pool: Pool, command: Row) -> bool:
    """Whether a trade or exchange with account 0 only reduces it, at no worse than fair prices.

    Numbers that make no sense are left to the rules of the command.
    """
    i, c, price = command["instrument"], command["asset"], command["price"]
    if command["kind"] == Kind.EXCHANGE:
        if command["account"] != BACKSTOP:
            return False
        if c <= CASH or c >= pool.asset_underlying.size:
            return True
        return price >= pool.index_price[pool.asset_underlying[c]]
    if command["kind"] != Kind.TRADE:
        return False
    if i < 0 or i >= pool.mark_price.size:
        return True
    if abs(command["size"] // 2) > AMOUNT_MAX:  # more than anybody holds, and -(-2**63) wraps
        return False
    size = command["size"] if command["account"] == BACKSTOP else -command["size"]
    if not is_reduction(pool.size[BACKSTOP, i], size):
        return False
    return price <= pool.mark_price[i] if size > 0 else price >= pool.mark_price[i]


@formula
def is_paced(pool: Pool, last: int) -> bool:
    """Whether it is too early for another sale after the one at a time."""
    return last > 0 and pool.total[Total.NOW_NS] < last + pool.rule[Rule.DISPOSAL_NS]


@kernel
def disposable_lots(pool: Pool, i: int) -> int:
    """Lots of a position that the backstop sells at a time: a share, dust and one lot whole."""
    lots = abs(pool.size[BACKSTOP, i]) // pool.lot[i]
    some = min(max(part_of(lots, pool.rule[Rule.DISPOSAL]), 1), lots)
    left = (lots - some) * pool.lot[i]
    value = position_value(left, pool.mark_price[i], pool.value_divisor[0])
    return lots if value < pool.rule[Rule.DUST] else some


@kernel
def buy_from_backstop(pool: Pool, a: int, i: int, size: int) -> Status:
    """Take a signed size of the backstop's position at the mark; a short one is bought back.

    Checks, in order: BACKSTOP_IS_RESTRICTED (it does not buy from itself),
    INSTRUMENT_DOES_NOT_EXIST, SIZE_MUST_NOT_BE_ZERO, AMOUNT_EXCEEDS_LIMIT,
    SIZE_MUST_BE_WHOLE_LOTS, INSTRUMENT_HAS_EXPIRED, PRICE_IS_NOT_USABLE,
    VALUATION_IS_NOT_USABLE, EXCEEDS_DISPOSAL (more than one sale's part, or too early),
    EXCEEDS_POSITION_LIMIT, INITIAL_MARGIN_TOO_LOW.
    """
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_RESTRICTED
    status = size_status(pool, i, size)
    if status != Status.OK:
        return status
    if pool.expiry[i] > 0 and pool.total[Total.NOW_NS] >= pool.expiry[i]:
        return Status.INSTRUMENT_HAS_EXPIRED
    status = mark_status(pool, Action.OPEN, i)
    if status == Status.OK:
        status = exposure_status(pool, Action.OPEN, a)
    if status != Status.OK:
        return status
    if not is_reduction(pool.size[BACKSTOP, i], -size) or is_paced(pool, pool.disposed_at[i]):
        return Status.EXCEEDS_DISPOSAL
    if abs(size) // pool.lot[i] > disposable_lots(pool, i):
        return Status.EXCEEDS_DISPOSAL
    if (
        not is_reduction(pool.size[a, i], size)
        and abs(pool.size[a, i] + size) > (pool.position_cap[i])
    ):
        return Status.EXCEEDS_POSITION_LIMIT
    value = position_value(size, pool.mark_price[i], pool.value_divisor[0])
    if excess_after(pool, a, Level.INITIAL, Change(i, size, value, -1, 0, 0)) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    pool.disposed_at[i] = max(pool.total[Total.NOW_NS], 1)
    move_position(pool, a, i, size, value)
    move_position(pool, BACKSTOP, i, -size, -value)
    return Status.OK


@kernel
def buy_collateral(pool: Pool, a: int, c: int, amount: int) -> Status:
    """Take coins of the backstop at the index price, rounded against the buyer, for cash.

    Checks, in order: BACKSTOP_IS_RESTRICTED, ASSET_DOES_NOT_EXIST, AMOUNT_MUST_BE_POSITIVE,
    EXCEEDS_DISPOSAL, PRICE_IS_NOT_USABLE, VALUATION_IS_NOT_USABLE, EXCEEDS_BALANCE,
    INITIAL_MARGIN_TOO_LOW.
    """
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_RESTRICTED
    if c <= CASH or c >= pool.asset_underlying.size:
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if is_paced(pool, pool.asset_disposed_at[c]) or amount > disposable_amount(pool, c):
        return Status.EXCEEDS_DISPOSAL
    u = pool.asset_underlying[c]
    if not is_usable(pool, Action.OPEN, u):
        return Status.PRICE_IS_NOT_USABLE
    status = exposure_status(pool, Action.OPEN, a)
    if status != Status.OK:
        return status
    price = position_value(amount, pool.index_price[u], pool.value_divisor[0]) + 1
    if price > pool.balance[a, CASH]:
        return Status.EXCEEDS_BALANCE
    if has_obligation(pool, a):
        change = Change(-1, 0, 0, c, amount, price)
        if excess_with(pool, a, Level.INITIAL, 0, change) < 0:
            return Status.INITIAL_MARGIN_TOO_LOW
    pool.asset_disposed_at[c] = max(pool.total[Total.NOW_NS], 1)
    add_cash(pool, a, -price)
    pool.balance[a, c] += amount
    pool.balance[BACKSTOP, c] -= amount
    add_balance(pool, BACKSTOP, CASH, price)
    repay_from_cash(pool, BACKSTOP, debt_of(pool, pool.debt_shares[BACKSTOP]))
    return Status.OK


@kernel
def disposable_amount(pool: Pool, c: int) -> int:
    """Coins of an asset that the backstop sells at a time: a share, what is dust whole."""
    held = pool.balance[BACKSTOP, c]
    some = min(max(part_of(held, pool.rule[Rule.DISPOSAL]), 1), held)
    price = pool.index_price[pool.asset_underlying[c]]
    value = position_value(held - some, price, pool.value_divisor[0])
    return held if value < pool.rule[Rule.DUST] else some


assert SUPPLY_MAX < DIVISOR_MAX
