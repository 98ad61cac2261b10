"""The mark of a perpetual: its index price and a bounded, slow share of the premium.

    mark price = index price * (1 + average premium), rounded down to the tick
    premium    = (mid price - index price) / index price, clamped to the bound

The average approaches a premium held for dt by the share dt / (dt + time constant), which
is the exponential average taken by backward steps: exact in integers, and between the old
average and the premium however long the step is. A premium counts for the time it stood,
up to the next look at the book; so one that lasts for a moment moves nothing.

Premiums are in 1e-9 (PRICE_UNIT is 1, as for the funding rate of the core) and round
down. The states are values: observing gives the next one, and the same observations in
the same order give the same state anywhere.
"""

from typing import Self

import msgspec

from ringfence.fixed import mul_div_floor
from ringfence.units import PPM, PRICE_UNIT, SECOND_NS

_UNITS_PER_PPM = PRICE_UNIT // PPM
BOUND_PPM_MAX = 200_000  # a mark further from the index than a fifth is no mark


def premium(index_price: int, mid_price: int, bound_ppm: int) -> int:
    """Premium of the book over the index in 1e-9, rounded down, clamped to the bound."""
    bound = bound_ppm * _UNITS_PER_PPM
    return max(-bound, min(bound, mul_div_floor(mid_price - index_price, PRICE_UNIT, index_price)))


def mark_price(index_price: int, average_premium: int, tick: int) -> int:
    """Index price moved by the average premium (1e-9), on a tick, at least one tick."""
    moved = mul_div_floor(index_price, PRICE_UNIT + average_premium, PRICE_UNIT)
    return max(moved // tick, 1) * tick


class PremiumAverage(msgspec.Struct, frozen=True, kw_only=True):
    """The bounded average of the premium, and the sample that stands since time_ns.

    Raises:
        ValueError: A bound or time constant outside of its range.
    """

    bound_ppm: int = 10_000  # of the index price, either way
    time_constant_ns: int = 30 * SECOND_NS
    average: int = 0  # 1e-9
    sample: int = 0  # 1e-9
    time_ns: int | None = None  # of the sample; None before the first

    def __post_init__(self) -> None:
        """Check the ranges, so that no later computation needs to."""
        _check_bound(self.bound_ppm)
        if self.time_constant_ns <= 0:
            raise ValueError(f"time_constant_ns {self.time_constant_ns} must be positive")

    def observe(self, index_price: int, mid_price: int | None, now_ns: int) -> Self:
        """State after a look at the book; without a mid price the premium is zero.

        A look that is not later than the last one changes nothing.
        """
        if not _is_later(now_ns, self.time_ns):
            return self
        sample = 0 if mid_price is None else premium(index_price, mid_price, self.bound_ppm)
        return msgspec.structs.replace(self, average=self.at(now_ns), sample=sample, time_ns=now_ns)

    def at(self, now_ns: int) -> int:
        """The average when the sample has stood until now, in 1e-9."""
        if self.time_ns is None or now_ns <= self.time_ns:
            return self.average
        held_ns = now_ns - self.time_ns
        span_ns = held_ns + self.time_constant_ns
        # Written as one weighted mean of two bounded numbers, so it cannot leave the bound.
        return (self.average * self.time_constant_ns + self.sample * held_ns) // span_ns


class FundingPremium(msgspec.Struct, frozen=True, kw_only=True):
    """The time-weighted mean of the clamped premium since the funding interval began.

    Time without a sample counts as premium zero: nobody pays for what nobody saw.
    """

    bound_ppm: int = 10_000  # of the index price, either way
    start_ns: int
    weighted: int = 0  # sum of 1e-9 times ns
    sample: int = 0  # 1e-9
    time_ns: int | None = None  # of the sample; None before the first of this interval

    def __post_init__(self) -> None:
        """Check the bound, so that no later computation needs to."""
        _check_bound(self.bound_ppm)

    def observe(self, index_price: int, mid_price: int | None, now_ns: int) -> Self:
        """State after a look at the book; as in PremiumAverage."""
        if now_ns < self.start_ns or not _is_later(now_ns, self.time_ns):
            return self
        sample = 0 if mid_price is None else premium(index_price, mid_price, self.bound_ppm)
        return msgspec.structs.replace(
            self, weighted=self._weighted_at(now_ns), sample=sample, time_ns=now_ns
        )

    def mean(self, now_ns: int) -> int:
        """Mean premium from the start of the interval until now, in 1e-9, rounded down."""
        if now_ns <= self.start_ns:
            return 0
        return self._weighted_at(now_ns) // (now_ns - self.start_ns)

    def mean_ppm(self, now_ns: int) -> int:
        """The same in ppm, rounded towards zero so that rounding charges nobody."""
        size = abs(self.mean(now_ns)) // _UNITS_PER_PPM
        return size if self.mean(now_ns) >= 0 else -size

    def restart(self, now_ns: int) -> Self:
        """State at the start of the next interval; the sample stands over into it."""
        time_ns = None if self.time_ns is None else now_ns
        return msgspec.structs.replace(self, start_ns=now_ns, weighted=0, time_ns=time_ns)

    def _weighted_at(self, now_ns: int) -> int:
        if self.time_ns is None or now_ns <= self.time_ns:
            return self.weighted
        return self.weighted + self.sample * (now_ns - self.time_ns)


def _is_later(now_ns: int, time_ns: int | None) -> bool:
    return time_ns is None or now_ns > time_ns


def _check_bound(bound_ppm: int) -> None:
    if not 0 <= bound_ppm <= BOUND_PPM_MAX:
        raise ValueError(f"bound_ppm {bound_ppm} is not from 0 to {BOUND_PPM_MAX}")
