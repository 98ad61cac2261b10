"""Mango v4: weighted health, weights that scale with a token's totals, and the stable price.

Floats, values in the quote currency.

Source: blockworks-foundation/mango-v4, health/cache.rs, state/bank.rs, state/stable_price.rs.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

DT_MIN, DT_MAX = 10, 600  # seconds: shorter steps are ignored, longer ones count for this much


class WeightedToken(NamedTuple):
    """A token of a Mango account: balance, price, weights, and where weights begin to scale."""

    balance: float
    price: float
    asset_weight: float
    liability_weight: float
    deposits: float = 0.0
    deposit_scale_start: float = math.inf
    borrows: float = 0.0
    borrow_scale_start: float = math.inf


def perp_health(
    base: float, quote: float, price: float, weights: tuple[float, float], overall_weight: float
) -> float:
    """Base at its weight plus quote; a gain counts with the overall weight only."""
    weighted = base * price * (weights[0] if base > 0 else weights[1]) + quote
    return weighted * overall_weight if weighted > 0 else weighted


def health(tokens: Iterable[WeightedToken]) -> float:
    """Sum of weighted balances; weights scale with what all accounts hold or borrow of a token."""
    return sum(token.balance * token.price * weight(token) for token in tokens)


def weight(token: WeightedToken) -> float:
    """Asset weight * start / deposits, or liability weight * borrows / start, beyond the start."""
    if token.balance >= 0:
        value = token.deposits * token.price
        return token.asset_weight * min(1.0, token.deposit_scale_start / value if value else 1.0)
    return token.liability_weight * max(1.0, token.borrows * token.price / token.borrow_scale_start)


class StablePrice:
    """A slow price that follows the oracle, less willingly the further it is from yesterday.

    The oracle is averaged over intervals. A finished average, at most `delay_growth` away
    from the one before, replaces the oldest of a ring. The stable price moves towards the
    oracle by at most `stable_growth` * fraction**2 a second, fraction being the ratio of the
    stable price and the oldest average. The average divides by the full time but counts at
    most DT_MAX of it, so long gaps bias it low, as in the source.
    """

    def __init__(
        self,
        price: float,
        intervals: int = 24,
        interval_seconds: int = 3600,
        delay_growth: float = 0.06,
        stable_growth: float = 0.0003,
    ) -> None:
        self.price = price
        self._delayed = [price] * intervals
        self._interval_seconds = interval_seconds
        self._delay_growth = delay_growth
        self._stable_growth = stable_growth
        self._time = 0
        self._sum = 0.0
        self._summed_seconds = 0

    def update(self, time: int, oracle: float) -> float:
        """Stable price at a time, in seconds since the start; steps below DT_MIN do nothing."""
        passed = time - self._time
        if passed < DT_MIN:
            return self.price
        self._sum += oracle * min(passed, DT_MAX)
        self._summed_seconds += passed
        first, last = self._time // self._interval_seconds, time // self._interval_seconds
        self._time = time
        if last != first:
            self._finish_intervals(first, last)
        delayed = self._delayed[last % len(self._delayed)]
        fraction = min(delayed, self.price) / max(delayed, self.price)
        limit = self._stable_growth * fraction**2 * min(passed, DT_MAX)
        self.price = _near(oracle, self.price, limit)
        return self.price

    def _finish_intervals(self, first: int, last: int) -> None:
        count = len(self._delayed)
        average = self._sum / self._summed_seconds
        average = _near(average, self._delayed[(first - 1) % count], self._delay_growth)
        for interval in range(first, min(last, first + count)):
            self._delayed[interval % count] = average
        self._sum, self._summed_seconds = 0.0, 0


def _near(target: float, price: float, share: float) -> float:
    return min(max(target, price * (1 - share)), price * (1 + share))
