"""Matching two signed orders: within what both owners signed, at the price of the one before.

The maker is the order with the lower nonce, so that whoever matches chooses neither side nor
price; the trade is at the maker's price, which the taker's must reach. Each order is good for its
whole size once, over all its fills.
"""

from dataclasses import dataclass

from ringfence.core.reading import scaled
from ringfence.units import PRICE_UNIT, UNIT
from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.authority import Identity, authorise_all, identify
from ringfence.venue.consent.book import DAY_MS, NONCE_AHEAD_MS, ORDER_DAYS_MAX
from ringfence.venue.consent.problem import ConsentError
from ringfence.venue.encoding import CommandError
from ringfence.venue.state import State


@dataclass(frozen=True)
class Side:
    """One checked order of a match."""

    order: m.Order
    name: bytes  # pool, owner and digest
    nonce: int
    expires_ms: int
    size: int  # signed units
    price: int  # price units
    signer: Identity


def sides(state: State, command: m.Match, separator: bytes, now_ms: int) -> tuple[Side, Side]:
    """Return maker and taker of a match, each of them consented to.

    Raises:
        ConsentError: An order is not its owner's, or has ended.
        CommandError: A number of an order cannot be read.
    """
    maker = _side(state, command.maker, separator, now_ms)
    taker = _side(state, command.taker, separator, now_ms)
    return maker, taker


def _side(state: State, signed: m.SignedOrder, separator: bytes, now_ms: int) -> Side:
    order, authorisation = signed.order, signed.authorisation
    signer = identify(state, bytes.fromhex(authorisation.signer[2:]), now_ms)
    problem = authorise_all([signer], order, state)
    if problem is not None:
        raise ConsentError(problem.code, f"order of {order.owner}: {problem.message}")
    nonce, expires_ms = int(authorisation.nonce), authorisation.expires_ms
    place = bytes.fromhex(order.pool.removeprefix("0x") + order.owner[2:])
    if now_ms > expires_ms:
        raise ConsentError(
            "order_ended", f"the order of {order.owner} ended at {expires_ms} ms; it is {now_ms} ms"
        )
    if expires_ms > now_ms + ORDER_DAYS_MAX * DAY_MS:
        raise ConsentError(
            "order_ended",
            f"an order is good for at most {ORDER_DAYS_MAX} days, not to {expires_ms} ms",
        )
    if nonce > now_ms + NONCE_AHEAD_MS:
        raise ConsentError(
            "nonce_out_of_window", f"the order of {order.owner} has a nonce of the future, {nonce}"
        )
    if nonce <= state.book.floors.get(place, 0):
        raise ConsentError(
            "order_ended", f"{order.owner} took back orders up to this nonce, {nonce}"
        )
    return Side(
        order,
        place + m.order_digest(signed, separator),
        nonce,
        expires_ms,
        _number("size", order.size, UNIT),
        _number("price", order.price, PRICE_UNIT),
        signer,
    )


def _number(what: str, text: str, scale: int) -> int:
    try:
        return scaled(text, scale)
    except ValueError as error:
        raise CommandError(f"{what} of an order: {error}") from None


def matched(state: State, command: m.Match, maker: Side, taker: Side) -> tuple[c.Trade, int]:
    """Return the trade that a match makes, and its size in units.

    Raises:
        ConsentError: It is not within both orders.
        CommandError: The size cannot be read.
    """
    size = _number("size", command.size, UNIT)
    for side in (maker, taker):
        if bytes.fromhex(side.order.pool.removeprefix("0x")) != bytes.fromhex(
            command.pool.removeprefix("0x")
        ):
            raise _mismatch(f"an order is for pool {side.order.pool}, not {command.pool}")
        left = abs(side.size) - state.book.filled_of(side.name)
        if not 0 < size <= left:
            raise _mismatch(
                f"size {command.size} is not within what is left of an order, {max(left, 0)} units"
            )
    if maker.order.instrument != taker.order.instrument:
        raise _mismatch(f"{maker.order.instrument} is not {taker.order.instrument}")
    if (maker.size > 0) == (taker.size > 0):
        raise _mismatch("both orders are on the same side")
    if (maker.nonce, maker.name) >= (taker.nonce, taker.name):
        raise _mismatch("the maker is the order with the lower nonce; change them over")
    bought = taker.size > 0
    if maker.price > taker.price if bought else maker.price < taker.price:
        raise _mismatch(
            f"the taker's limit is {taker.order.price}, the maker asks {maker.order.price}"
        )
    trade = c.Trade(
        pool=command.pool,
        owner=taker.order.owner,
        number=taker.order.number,
        other=maker.order.owner,
        other_number=maker.order.number,
        instrument=maker.order.instrument,
        price=maker.order.price,
        size=command.size if bought else f"-{command.size}",
    )
    return trade, size


def _mismatch(message: str) -> ConsentError:
    return ConsentError("orders_do_not_match", message)
