"""Liquidation and bankruptcy prices of isolated positions, venue by venue.

With s = +1 for a long and -1 for a short, q coins at entry price E (or N dollars of an
inverse contract), margin M, maintenance rate m, fee rate f, leverage L and maintenance
amount c (the "cum" of a tier table), each venue liquidates at

    Binance, linear       (M + c - s q E) / (q m - s q)          cross: M + others' PnL - MM
    Binance, inverse      N (s + m) / (M + c + s N / E)
    Gate, OKX, linear     (E - s M / q) / (1 - s (m + f))        also MEXC
    Gate, OKX, inverse    N (s + m + f) / (M + s N / E)
    Bybit, linear         E (1 - s / L + s m)                    also Delta, Phemex
    Bybit, inverse        s N / (s N / E + N / (E L) - m N / E)
    KuCoin, linear        E - s (M - MM) / q
    Hyperliquid, linear   E - s (M - MM) / (q (1 - s l)),        MM = q E l, l = 1 / (2 L max)
    HTX, linear           (M - s q E) / (q a / L - s q)          a: the adjustment factor

Floats, unrounded: a venue prints on its tick, often rounded up. A result of zero or less
means that no price liquidates the position.

Sources: Binance support, "How to Calculate Liquidation Price of USD-M Futures Contracts";
freqtrade, exchange/{exchange,binance,bybit,gate,hyperliquid}.py; Bybit help centre,
"Liquidation Price Calculation under Isolated Mode"; recorded responses kept in ccxt.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

Contract = Literal["linear", "inverse"]


class Position(NamedTuple):
    """What the rules ask of a position; a rule ignores what its venue ignores."""

    side: int  # +1 long, -1 short
    size: float  # coins of a linear contract, dollars of an inverse one
    entry_price: float
    margin: float = 0.0  # margin currency: isolated margin, or the wallet balance if cross
    maintenance_rate: float = 0.0
    maintenance_amount: float = 0.0  # the tier's deduction
    maintenance_margin: float = 0.0  # where the venue reports the amount itself
    fee_rate: float = 0.0
    leverage: float = 1.0
    leverage_max: float = 1.0
    adjustment_factor: float = 0.0  # HTX
    others_unrealized_pnl: float = 0.0  # cross margin: the account's other positions
    others_maintenance_margin: float = 0.0


def liquidation_price(venue: str, position: Position, contract: Contract = "linear") -> float:
    """Mark price at which the venue closes the position.

    Raises:
        ValueError: No published rule for this venue and contract is known here.
    """
    return _rule(LIQUIDATION, "liquidation", venue, contract)(position)


def bankruptcy_price(venue: str, position: Position, contract: Contract = "linear") -> float:
    """Mark price at which the margin is gone, by the venue's own definition.

    Raises:
        ValueError: No published rule for this venue and contract is known here.
    """
    return _rule(BANKRUPTCY, "bankruptcy", venue, contract)(position)


def buffered(price: float, entry_price: float, side: int, share: float) -> float:
    """Liquidation price moved towards the entry by a share of their distance; never negative.

    Source: freqtrade, exchange/exchange.py, get_liquidation_price.
    """
    return max(price + side * share * abs(entry_price - price), 0.0)


def unrealized_pnl(p: Position, mark_price: float, contract: Contract = "linear") -> float:
    """S q (mark - E), or of an inverse contract s N (1/E - 1/mark), in margin currency."""
    if contract == "inverse":
        return p.side * p.size * (1 / p.entry_price - 1 / mark_price)
    return p.side * p.size * (mark_price - p.entry_price)


def position_value(size: float, price: float, contract: Contract = "linear") -> float:
    """Notional in margin currency: q P, or of an inverse contract N / P."""
    return size / price if contract == "inverse" else size * price


def initial_margin(p: Position, contract: Contract = "linear") -> float:
    """Value at entry * (1 / L + f): the margin of a fresh position, its closing fee included."""
    return position_value(p.size, p.entry_price, contract) * (1 / p.leverage + p.fee_rate)


def okx_margin_ratio(p: Position, mark_price: float, contract: Contract = "linear") -> float:
    """(M + PnL) / ((m + f) * value at the mark); OKX liquidates at 1."""
    value = position_value(p.size, mark_price, contract)
    equity = p.margin + unrealized_pnl(p, mark_price, contract)
    return equity / ((p.maintenance_rate + p.fee_rate) * value)


def htx_risk_rate(margin_balance: float, position_margin: float, adjustment_factor: float) -> float:
    """Margin balance / position margin - adjustment factor; HTX liquidates at 0."""
    return margin_balance / position_margin - adjustment_factor


def binance_linear(p: Position) -> float:
    """(M + c - s q E) / (q m - s q); in cross mode M also has the others' PnL less their MM."""
    balance = p.margin + p.others_unrealized_pnl - p.others_maintenance_margin
    cost = p.side * p.size * p.entry_price
    return (balance + p.maintenance_amount - cost) / (p.size * (p.maintenance_rate - p.side))


def binance_inverse(p: Position) -> float:
    """N (s + m) / (M + c + s N / E)."""
    coins = p.margin + p.maintenance_amount + p.side * p.size / p.entry_price
    return p.size * (p.side + p.maintenance_rate) / coins


def gate_linear(p: Position) -> float:
    """(E - s M / q) / (1 - s (m + f))."""
    rate = p.maintenance_rate + p.fee_rate
    return (p.entry_price - p.side * p.margin / p.size) / (1 - p.side * rate)


def gate_inverse(p: Position) -> float:
    """N (s + m + f) / (M + s N / E)."""
    rate = p.maintenance_rate + p.fee_rate
    return p.size * (p.side + rate) / (p.margin + p.side * p.size / p.entry_price)


def bybit_linear(p: Position) -> float:
    """E (1 - s / L + s m)."""
    return p.entry_price * (1 - p.side / p.leverage + p.side * p.maintenance_rate)


def bybit_inverse(p: Position) -> float:
    """S N / (s V + IM - MM) with V = N / E, IM = V / L and MM = m V."""
    return p.entry_price / (1 + p.side * (1 / p.leverage - p.maintenance_rate))


def kucoin_linear(p: Position) -> float:
    """E - s (M - MM) / q, MM as the venue reports it."""
    return p.entry_price - p.side * (p.margin - p.maintenance_margin) / p.size


def hyperliquid_linear(p: Position) -> float:
    """E - s (M - MM) / (q (1 - s l)), where l = 1 / (2 * maximum leverage) and MM = q E l.

    In cross mode M is the account's value less the maintenance margin of the others.
    """
    rate = 1 / (2 * p.leverage_max)
    free = p.margin - p.others_maintenance_margin - p.size * p.entry_price * rate
    return p.entry_price - p.side * free / (p.size * (1 - p.side * rate))


def htx_linear(p: Position) -> float:
    """(M - s q E) / (q a / L - s q): where the risk rate reaches zero."""
    cost = p.side * p.size * p.entry_price
    return (p.margin - cost) / (p.size * (p.adjustment_factor / p.leverage - p.side))


def bankruptcy_by_leverage(p: Position) -> float:
    """E (1 - s / L)."""
    return p.entry_price * (1 - p.side / p.leverage)


def bankruptcy_by_leverage_inverse(p: Position) -> float:
    """E / (1 + s / L)."""
    return p.entry_price / (1 + p.side / p.leverage)


def bankruptcy_by_margin(p: Position) -> float:
    """E - s M / q, M: initial margin and what was added, without unrealized PnL."""
    return p.entry_price - p.side * p.margin / p.size


Rule = Callable[[Position], float]
LIQUIDATION: dict[tuple[str, Contract], Rule] = {
    ("binance", "linear"): binance_linear,
    ("binance", "inverse"): binance_inverse,
    ("bybit", "linear"): bybit_linear,
    ("bybit", "inverse"): bybit_inverse,
    ("delta", "linear"): bybit_linear,
    ("phemex", "linear"): bybit_linear,
    ("gate", "linear"): gate_linear,
    ("gate", "inverse"): gate_inverse,
    ("okx", "linear"): gate_linear,
    ("okx", "inverse"): gate_inverse,
    ("mexc", "linear"): gate_linear,
    ("kucoin", "linear"): kucoin_linear,
    ("hyperliquid", "linear"): hyperliquid_linear,
    ("htx", "linear"): htx_linear,
}
BANKRUPTCY: dict[tuple[str, Contract], Rule] = {
    ("bybit", "linear"): bankruptcy_by_leverage,
    ("bybit", "inverse"): bankruptcy_by_leverage_inverse,
    ("delta", "linear"): bankruptcy_by_leverage,
    ("phemex", "linear"): bankruptcy_by_leverage,
    ("kucoin", "linear"): bankruptcy_by_margin,
}


def _rule(rules: dict[tuple[str, Contract], Rule], what: str, venue: str, kind: Contract) -> Rule:
    if (venue, kind) not in rules:
        known = ", ".join(sorted(f"{name} {contract}" for name, contract in rules))
        raise ValueError(f"no {what} rule for {venue} {kind}; known: {known}")
    return rules[venue, kind]
