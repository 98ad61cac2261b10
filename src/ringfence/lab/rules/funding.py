"""Funding of perpetuals: the clamped rate, the payment, and which of them a position pays.

Sign: positive is received by a short and paid by a long.

Source: freqtrade, exchange/exchange.py (calculate_funding_fees), binance.py
(funding_fee_cutoff), kraken.py.
"""

from collections.abc import Iterable
from typing import NamedTuple

GRACE_SECONDS = {"binance": 15}


class Payment(NamedTuple):
    """One funding time: seconds since 1970, rate, mark price."""

    time: int
    rate: float
    mark_price: float


def funding_fee(size: float, rate: float, mark_price: float, time_in_ratio: float = 1.0) -> float:
    """Size * mark price * rate; Kraken takes it for the share of the period that was held."""
    return size * mark_price * rate * time_in_ratio


def is_paid(payment_time: int, opened: int, closed: int, grace_seconds: int = 0) -> bool:
    """Whether a position open from `opened` to `closed` takes part in a funding payment.

    Both ends count, and a position opened less than the grace after the payment still does.
    """
    in_time = opened <= payment_time or opened - payment_time < grace_seconds
    return in_time and payment_time <= closed


def funding_fees(
    size: float,
    side: int,
    payments: Iterable[Payment],
    opened: int,
    closed: int,
    grace_seconds: int = 0,
) -> float:
    """Sum over the payments that the position took part in, as the position receives it."""
    total = sum(
        funding_fee(size, payment.rate, payment.mark_price)
        for payment in payments
        if is_paid(payment.time, opened, closed, grace_seconds)
    )
    return -side * total


def clamped_funding(premium: float, interest: float, limit: float) -> float:
    """Premium + clamp(interest - premium, -limit, limit), for eight hours.

    Source: Hyperliquid documentation, "Funding" (also BitMEX, Binance).
    """
    return premium + min(max(interest - premium, -limit), limit)
