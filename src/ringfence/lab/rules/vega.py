"""Vega: isolated margin mode, risk factors, settlement losses and the disposal of positions.

Prices and amounts are integers of a market's smallest unit; sizes are integers too, and a
position factor (10 to the position decimals) turns them into contracts. Margins round down.

    position margin   factor * |position| * average entry price
    order margin      factor * sum of (size not covered by the position * price), larger side
    risk factors      short = e^(mu t) Phi(q + s) / lambda - 1
                      long  = 1 - e^(mu t) Phi(q - s) / lambda,  q = Phi^-1(lambda), s = sigma sqrt(t)

Source: vegaprotocol/vega, core/risk/isolated_margin.go, core/settlement, core/liquidation,
specs 0019-MCAL, 0012-POSR, 0016-PFUT, 0002-STTL; quant library, risk model of a log-normal.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import NormalDist
from typing import NamedTuple


class RefusedError(Exception):
    """A change of margin mode that is not possible, with its reason."""


class Lot(NamedTuple):
    """Size and price of an order or of a trade."""

    size: int
    price: int


class Transfer(NamedTuple):
    """Money that a change of position moves between a party's accounts."""

    route: str
    amount: int


class Margins(NamedTuple):
    """The four levels of a position in cross mode."""

    maintenance: int
    search: int
    initial: int
    release: int


def side_order_margin(
    orders: Sequence[Lot],
    covered: int,
    position_factor: int,
    margin_factor: Fraction,
    auction_price: int | None = None,
) -> int:
    """Margin of one side's orders, best price first; the first `covered` lots need none."""
    total = 0
    for order in orders:
        open_size = max(order.size - covered, 0)
        covered = max(covered - order.size, 0)
        total += open_size * max(order.price, auction_price or 0)
    return math.floor(margin_factor * total / position_factor)


def order_margin(
    position: int,
    buys: Sequence[Lot],
    sells: Sequence[Lot],
    position_factor: int,
    margin_factor: Fraction,
    auction_price: int | None = None,
) -> int:
    """Larger of the margins of both sides; what closes the position is covered by it."""
    terms = position_factor, margin_factor, auction_price
    best_buys = sorted(buys, key=lambda order: -order.price)
    best_sells = sorted(sells, key=lambda order: order.price)
    return max(
        side_order_margin(best_buys, max(-position, 0), *terms),
        side_order_margin(best_sells, max(position, 0), *terms),
    )


def position_margin(
    position: int, entry_price: int, margin_factor: Fraction, position_factor: int = 1
) -> int:
    """Factor * |position| * average entry price."""
    return math.floor(margin_factor * abs(position) * entry_price / position_factor)


def transfer_on_trades(
    trades: Sequence[Lot],
    side: int,
    new_position: int,
    position_factor: int,
    margin_factor: Fraction,
    margin_balance: int,
    mark_price: int | None = None,
) -> Transfer:
    """What moves when trades of one side (+1 bought, -1 sold) made this position.

    More of the same side: the trades' margin comes from the order margin. Less: the released
    share of the balance, taken at the trades' average price. The other side: everything is
    released, and the part beyond zero pays for itself.
    """
    traded = sum(trade.size for trade in trades)
    old = new_position - side * traded
    if old * side >= 0:
        value = sum(trade.size * trade.price for trade in trades)
        return Transfer(
            "order_margin_to_margin", math.floor(margin_factor * value / position_factor)
        )
    if old * new_position >= 0:
        # The average price and the balance that it implies are floored to integers.
        average = sum(t.size * t.price for t in trades) // traded
        change = 0 if mark_price is None else average - mark_price
        balance = math.floor(margin_balance + Fraction(old * change, position_factor))
        return Transfer("margin_to_general", balance * traded // abs(old))
    needed = side_order_margin(trades, abs(old), position_factor, margin_factor)
    if needed > margin_balance:
        return Transfer("general_to_margin", needed - margin_balance)
    return Transfer("margin_to_general", margin_balance - needed)


def switch_to_isolated(
    position: int,
    entry_price: int,
    initial_margin: int,
    margin_factor: Fraction,
    margin_balance: int,
    order_margin_balance: int,
    general_balance: int,
    orders: Sequence[Lot],
) -> tuple[int, int]:
    """Transfers into position margin and order margin, positive from the general account."""
    needed = position_margin(position, entry_price, margin_factor)
    if position and needed < initial_margin:
        raise RefusedError("required position margin must be greater than initial margin")
    for_position = needed - margin_balance
    for_orders = side_order_margin(orders, 0, 1, margin_factor) - order_margin_balance
    if for_position + for_orders > general_balance:
        raise RefusedError("insufficient balance in general account")
    return for_position, for_orders


def risk_factors(
    risk_aversion: float, years: float, drift: float, volatility: float
) -> tuple[float, float]:
    """Expected shortfall of a log-normal price as a share of it: of a short and of a long."""
    quantile = NormalDist().inv_cdf(risk_aversion)
    spread = volatility * math.sqrt(years)
    growth = math.exp(drift * years) / risk_aversion
    short = growth * _normal_cdf(quantile + spread) - 1
    return short, 1 - growth * _normal_cdf(quantile - spread)


def cross_margins(
    mark_price: int,
    position: int,
    slippage_factor: Fraction,
    risk_factor: Fraction,
    exit_price: int,
    scales: tuple[Fraction, Fraction, Fraction],
) -> Margins:
    """Maintenance margin and its multiples for search, initial and release levels.

    Maintenance = min(|V| * (exit - mark), mark * |V| * slippage) + |V| * risk factor * mark
    """
    size = abs(position)
    slippage = min(
        Fraction(size * abs(exit_price - mark_price)), mark_price * size * slippage_factor
    )
    maintenance = slippage + size * risk_factor * mark_price
    search, initial, release = (math.floor(maintenance * scale) for scale in scales)
    return Margins(math.floor(maintenance), search, initial, release)


def least_margin_factor(risk_factor: Fraction, slippage_factor: Fraction) -> Fraction:
    """An isolated margin factor must be larger than this."""
    return risk_factor + slippage_factor


def shared_loss(
    gains: Mapping[str, int], shortfall: int, insurance: int
) -> tuple[dict[str, Fraction], int]:
    """Exact cut of every winner after the insurance pool paid, and what is left of it."""
    uncovered = max(shortfall - insurance, 0)
    total = sum(gains.values())
    cuts = {name: Fraction(uncovered * gain, total) for name, gain in gains.items()}
    return cuts, max(insurance - shortfall, 0)


def disposal_sizes(
    position: int, share: Fraction, whole_below: int, book_share_max: Fraction, book_volume: int
) -> list[int]:
    """Sizes in which the network sells what it took over, until nothing is left."""
    sizes = []
    while position > 0:
        step = position if position <= whole_below else math.floor(position * share)
        step = min(max(step, 1), math.floor(book_share_max * book_volume), position)
        sizes.append(step)
        position -= step
    return sizes


def capped_future_margin(
    size: int, entry_price: int, price_max: int, *, short: bool = False
) -> int:
    """Fully collateralised: a long pays the entry price, a short the rest up to the maximum."""
    return size * (price_max - entry_price if short else entry_price)


def _normal_cdf(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2
