"""One isolated position of the Bluefin exchange, and what a trade does to it.

Amounts, prices and rates are integers of 1e-9 (BASE). A position has its own margin, and
its leverage is kept as the margin share, 1 / leverage ("mro" in the source). With
notional = |size| * price

    margin ratio = 1 - (cost - margin) / notional     of a long
    margin ratio = (cost + margin) / notional - 1     of a short

Products and quotients round towards zero, as the unsigned integers of the source do.

Source: Bluefin exchange contracts (Sui), position.move, isolated_trading.move,
margin_math.move, error.move.
"""

from enum import IntEnum
from typing import NamedTuple

BASE = 10**9


class Code(IntEnum):
    """Why a step was refused; the taker's code is the maker's plus one where there are two."""

    INVALID_LEVERAGE = 40
    LEVERAGE_MUST_BE_POSITIVE = 42
    LOSS_EXCEEDS_MARGIN = 46
    CANNOT_OPEN_OR_FLIP_BELOW_INITIAL = 400
    RATIO_MUST_IMPROVE_BELOW_INITIAL = 402
    ONLY_REDUCE_BELOW_MAINTENANCE = 404
    RATIO_IS_NEGATIVE = 406
    MARGIN_AMOUNT_MUST_BE_POSITIVE = 500
    EXCEEDS_REMOVABLE_MARGIN = 503
    LEVERAGE_IS_ZERO = 504
    POSITION_IS_EMPTY = 510
    USER_POSITION_IS_EMPTY = 512
    MAKER_LACKS_FUNDS = 600
    MARKET_LACKS_FUNDS = 602
    USER_LACKS_FUNDS = 603
    INVALID_LIQUIDATOR_LEVERAGE = 702
    MAKER_IS_COLLATERALIZED = 703
    MAKER_IS_NOT_UNDERWATER = 800
    TAKER_IS_UNDERWATER = 801
    SIDES_MUST_BE_OPPOSITE = 802


class RefusedError(Exception):
    """A step broke a rule of the exchange and changed nothing."""

    def __init__(self, code: Code, *, taker: bool = False) -> None:
        super().__init__(f"{code.name} ({code + taker})")
        self.code = int(code) + taker


class Position(NamedTuple):
    """Size is signed, long above zero; cost is the notional at entry, never negative."""

    size: int = 0
    cost: int = 0
    margin: int = 0
    margin_share: int = 0


class Change(NamedTuple):
    """A position after a trade, and the money that goes with it."""

    position: Position
    funds: int  # from the trader's bank balance into the market; negative: back to it
    pnl: int = 0
    fee: int = 0


def mul(x: int, y: int) -> int:
    """Product x * y / BASE, rounded towards zero."""
    product = x * y
    return product // BASE if product >= 0 else -(-product // BASE)


def div(x: int, y: int) -> int:
    """Quotient x * BASE / y for y > 0, rounded towards zero."""
    return x * BASE // y if x >= 0 else -(-x * BASE // y)


def margin_share(leverage: int) -> int:
    """1 / leverage, the leverage rounded down to a whole number first."""
    return div(BASE, whole(leverage))


def whole(leverage: int) -> int:
    """Leverage without its fraction."""
    return leverage // BASE * BASE


def entry_price(p: Position) -> int:
    """Cost / |size|, zero of an empty position."""
    return div(p.cost, abs(p.size)) if p.size else 0


def pnl_per_unit(p: Position, price: int) -> int:
    """Price - entry price of a long, entry price - price of a short."""
    return price - entry_price(p) if p.size > 0 else entry_price(p) - price


def margin_ratio(p: Position, price: int) -> int:
    """Share of the notional that is the owner's own; 1 of an empty position."""
    notional = mul(price, abs(p.size))
    if notional == 0:
        return BASE
    if p.size > 0:
        return BASE - div(p.cost - p.margin, notional)
    return div(p.cost + p.margin, notional) - BASE


def bankruptcy_price(p: Position) -> int:
    """(cost - margin) / size of a long, (cost + margin) / size of a short."""
    return div(p.cost - p.margin if p.size > 0 else p.cost + p.margin, abs(p.size))


def target_margin(p: Position, leverage: int, price: int) -> int:
    """Margin at which the position has this leverage at this price."""
    notional = mul(abs(p.size), price)
    loss = p.cost - notional if p.size > 0 else notional - p.cost
    return max(div(notional, leverage) + loss, 0)


def removable_margin(p: Position, price: int) -> int:
    """Margin above what the position's own leverage needs at this price."""
    notional = mul(abs(p.size), price)
    if p.size > 0:
        free = p.margin - p.cost + mul(notional, BASE - p.margin_share)
    else:
        free = p.margin + p.cost - mul(notional, BASE + p.margin_share)
    return min(p.margin, max(free, 0))


def check_collateral(
    before: Position,
    after: Position,
    price: int,
    initial_rate: int,
    maintenance_rate: int,
    *,
    taker: bool = False,
    forced: bool = False,
) -> None:
    """Refuse what the margin ratio after a step does not allow.

    Below the initial rate nothing may be opened or flipped and the ratio must not fall; at
    or below the maintenance rate the size may only fall; below zero only a liquidation or
    deleveraging (forced) may act.
    """
    ratio = margin_ratio(after, price)
    if ratio >= initial_rate:
        return
    if before.size == 0 or (before.size > 0) != (after.size > 0):
        raise RefusedError(Code.CANNOT_OPEN_OR_FLIP_BELOW_INITIAL, taker=taker)
    if ratio < margin_ratio(before, price):
        raise RefusedError(Code.RATIO_MUST_IMPROVE_BELOW_INITIAL, taker=taker)
    if ratio <= maintenance_rate and abs(after.size) > abs(before.size):
        raise RefusedError(Code.ONLY_REDUCE_BELOW_MAINTENANCE, taker=taker)
    if ratio < 0 and not forced:
        raise RefusedError(Code.RATIO_IS_NEGATIVE, taker=taker)


def traded(
    p: Position, size: int, price: int, share: int, fee_per_unit: int = 0, *, taker: bool = False
) -> Change:
    """Position after buying (size > 0) or selling at a price, with its margin share.

    A loss beyond the margin is refused. The fee of a closing part is at most what is left
    of its margin, so a fee never creates a loss that the position cannot bear.
    """
    if p.size == 0 or (p.size > 0) == (size > 0):
        return _increased(p, size, price, share, fee_per_unit)
    equity = pnl_per_unit(p, price) + div(p.margin, abs(p.size))
    if equity < 0:
        raise RefusedError(Code.LOSS_EXCEEDS_MARGIN, taker=taker)
    closing_fee = min(fee_per_unit, equity)
    if abs(size) <= abs(p.size):
        return reduced(p, abs(size), price, closing_fee)
    return _flipped(p, size, price, share, closing_fee, fee_per_unit)


def reduced(p: Position, size: int, price: int, fee_per_unit: int = 0) -> Change:
    """Position after closing this size (unsigned) of it, margin and cost released pro rata."""
    held, pnl = abs(p.size), pnl_per_unit(p, price)
    left = held - size
    position = Position(
        size=left if p.size > 0 else -left,
        cost=p.cost * left // held,
        margin=p.margin * left // held,
        margin_share=p.margin_share if left else 0,
    )
    funds = mul(fee_per_unit - pnl, size) - p.margin * size // held
    return Change(position, min(funds, 0), mul(pnl, size), mul(fee_per_unit, size))


def _increased(p: Position, size: int, price: int, share: int, fee_per_unit: int) -> Change:
    unit_margin = mul(price, share)
    position = Position(
        size=p.size + size,
        cost=p.cost + mul(abs(size), price),
        margin=p.margin + mul(abs(size), unit_margin),
        margin_share=share,
    )
    funds = mul(abs(size), unit_margin + fee_per_unit)
    return Change(position, funds, fee=mul(fee_per_unit, abs(size)))


def _flipped(
    p: Position, size: int, price: int, share: int, closing_fee: int, fee_per_unit: int
) -> Change:
    held, left = abs(p.size), abs(size) - abs(p.size)
    pnl = pnl_per_unit(p, price)
    position = Position(
        size=p.size + size,
        cost=mul(left, price),
        margin=mul(left, mul(price, share)),
        margin_share=share,
    )
    closing = mul(closing_fee - pnl, held) - p.margin
    opening = mul(left, mul(price, share) + fee_per_unit)
    average = div(mul(held, closing_fee) + mul(left, fee_per_unit), abs(size))
    return Change(position, closing + opening, mul(pnl, held), mul(average, abs(size)))
