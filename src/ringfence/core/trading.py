"""Two-sided trades: account a buys a size from account b at a price.

Sizes and costs of the two sides are equal and opposite, so they sum to zero over the pool.
A side that reduces its position realises its result at the mark.
"""

from ringfence.compiled import kernel
from ringfence.core.collateral import add_balance, deposit_status
from ringfence.core.expiry import is_over
from ringfence.core.health import AS_IT_IS, Change, excess_after
from ringfence.core.insurance import charge_trade
from ringfence.core.margin import position_value, share_of
from ringfence.core.pool import CASH, Level, Pool, Total
from ringfence.core.settlement import pay_funding, settle_account
from ringfence.core.status import Status
from ringfence.core.validity import Action, exposure_status, is_usable, is_valuation_usable
from ringfence.fixed import mul_div_floor
from ringfence.separate import separate
from ringfence.units import AMOUNT_MAX, PPM


@kernel
def is_reduction(size: int, change: int) -> bool:
    """Whether a change of size brings a position nearer to zero without crossing it."""
    return size != 0 and (size > 0) != (change > 0) and abs(change) <= abs(size)


@kernel
def open_interest_change(size: int, change: int) -> int:
    """Change of the sum of long sizes when one position changes."""
    return max(size + change, 0) - max(size, 0)


@kernel
def size_status(pool: Pool, i: int, size: int) -> Status:
    """Rules of a size by itself, from INSTRUMENT_DOES_NOT_EXIST to SIZE_MUST_BE_WHOLE_LOTS."""
    if i < 0 or i >= pool.mark_price.size:
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if size == 0:
        return Status.SIZE_MUST_NOT_BE_ZERO
    if size > AMOUNT_MAX or size < -AMOUNT_MAX:  # abs(-2**63) is negative
        return Status.AMOUNT_EXCEEDS_LIMIT
    if size % pool.lot[i] != 0:
        return Status.SIZE_MUST_BE_WHOLE_LOTS
    return Status.OK


@kernel
def order_status(pool: Pool, i: int, size: int, price: int) -> Status:
    """Rules of a trade's own numbers, from INSTRUMENT_DOES_NOT_EXIST to PRICE_OUTSIDE_BAND."""
    status = size_status(pool, i, size)
    if status != Status.OK:
        return status
    if price <= 0:
        return Status.PRICE_MUST_BE_POSITIVE
    if price % pool.tick[i] != 0:
        return Status.PRICE_MUST_BE_WHOLE_TICKS
    if price > pool.price_max[pool.instrument_underlying[i]]:
        return Status.PRICE_EXCEEDS_LIMIT
    if pool.expired[i] == 1 or is_over(pool, i):
        return Status.INSTRUMENT_HAS_EXPIRED
    mark = pool.mark_price[i]
    if mark == 0:
        return Status.MARK_PRICE_IS_MISSING
    # An option's band is a share of spot: of a mark near zero there would be none.
    around = mark
    if pool.option_side[i] != 0:
        around = pool.index_price[pool.instrument_underlying[i]]
    if abs(price - mark) > mul_div_floor(around, pool.price_band[i], PPM):
        return Status.PRICE_OUTSIDE_BAND
    return Status.OK


@kernel
def side_status(
    pool: Pool, a: int, i: int, size: int, value: int, fee: int, more: Change
) -> Status:
    """Rules of one side: usable prices, position limit, initial margin.

    A side that only reduces needs no price and no initial margin, if its excess at
    maintenance does not fall. Below maintenance its price must be no worse than the mark
    too, or it could hand what is left of its equity to an accomplice. `more` is collateral
    that comes with the trade.
    """
    change = Change(i, size, value, more.asset, more.balance, fee)
    if is_reduction(pool.size[a, i], size):
        before = excess_after(pool, a, Level.MAINTENANCE, more)
        after = excess_after(pool, a, Level.MAINTENANCE, change)
        fair = position_value(size, pool.mark_price[i], pool.value_divisor[0])
        if after >= before and (after >= 0 or value <= fair):
            return Status.OK
    else:
        if pool.total[Total.HALTED_AT] > 0:
            return Status.POOL_IS_HALTED
        if not is_usable(pool, Action.OPEN, pool.instrument_underlying[i]):
            return Status.PRICE_IS_NOT_USABLE
        if not is_valuation_usable(pool, Action.OPEN, i):
            return Status.VALUATION_IS_NOT_USABLE
        if abs(pool.size[a, i] + size) > pool.position_cap[i]:
            return Status.EXCEEDS_POSITION_LIMIT
    if more.asset > CASH and not is_usable(pool, Action.OPEN, pool.asset_underlying[more.asset]):
        return Status.PRICE_IS_NOT_USABLE
    status = exposure_status(pool, Action.OPEN, a)
    if status != Status.OK:
        return status
    if excess_after(pool, a, Level.INITIAL, change) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    return Status.OK


@separate
def move_position(pool: Pool, a: int, i: int, size: int, value: int) -> None:
    """Add size and cost to a position; a reduced one is settled at the mark."""
    before = pool.size[a, i]
    pay_funding(pool, a, i)
    pool.open_interest[i] += open_interest_change(before, size)
    pool.size[a, i] = before + size
    pool.cost[a, i] += value
    if (before > 0 and size < 0) or (before < 0 and size > 0):
        settle_account(pool, a)


@separate
def trade_with(pool: Pool, a: int, b: int, i: int, size: int, price: int, more: Change) -> Status:
    """Check and make a trade in which account a may bring collateral with it."""
    status = order_status(pool, i, size, price)
    if status != Status.OK:
        return status
    value = position_value(size, price, pool.value_divisor[0])
    taker_fee = share_of(abs(value), pool.taker_fee[i])
    maker_fee = share_of(abs(value), pool.maker_fee[i])
    grown = open_interest_change(pool.size[a, i], size) + open_interest_change(
        pool.size[b, i], -size
    )
    if grown > 0 and pool.open_interest[i] + grown > pool.open_interest_cap[i]:
        return Status.EXCEEDS_OPEN_INTEREST_CAP
    status = side_status(pool, a, i, size, value, taker_fee, more)
    if status != Status.OK:
        return status
    status = side_status(pool, b, i, -size, -value, maker_fee, AS_IT_IS)
    if status == Status.INITIAL_MARGIN_TOO_LOW:
        return Status.OTHER_INITIAL_MARGIN_TOO_LOW
    if status != Status.OK:
        return status
    if more.asset >= 0:
        add_balance(pool, a, more.asset, more.balance)
    move_position(pool, a, i, size, value)
    move_position(pool, b, i, -size, -value)
    charge_trade(pool, a, taker_fee)
    charge_trade(pool, b, maker_fee)
    return Status.OK


@kernel
def trade(pool: Pool, a: int, b: int, i: int, size: int, price: int) -> Status:
    """Let account a buy a signed size of an instrument from account b.

    Checks, in order: INSTRUMENT_DOES_NOT_EXIST,
    SIZE_MUST_NOT_BE_ZERO, AMOUNT_EXCEEDS_LIMIT, SIZE_MUST_BE_WHOLE_LOTS,
    PRICE_MUST_BE_POSITIVE, PRICE_MUST_BE_WHOLE_TICKS, PRICE_EXCEEDS_LIMIT,
    INSTRUMENT_HAS_EXPIRED, MARK_PRICE_IS_MISSING, PRICE_OUTSIDE_BAND,
    EXCEEDS_OPEN_INTEREST_CAP; then of a side: POOL_IS_HALTED, PRICE_IS_NOT_USABLE,
    EXCEEDS_POSITION_LIMIT, INITIAL_MARGIN_TOO_LOW or OTHER_INITIAL_MARGIN_TOO_LOW.
    """
    return trade_with(pool, a, b, i, size, price, AS_IT_IS)


@kernel
def open_position(
    pool: Pool, a: int, b: int, i: int, size: int, price: int, c: int, amount: int
) -> Status:
    """Deposit collateral and trade against it in one step: both happen or neither.

    Checks: those of `deposit`, then those of `trade`.
    """
    status = deposit_status(pool, c, amount)
    if status != Status.OK:
        return status
    return trade_with(pool, a, b, i, size, price, Change(-1, 0, 0, c, amount, 0))
