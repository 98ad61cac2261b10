"""The settlement price of an expiry: the index price averaged over the time it stood.

    settlement price = sum of price * time it stood inside of the window / window

Exact in integers, rounded down to a tick at the end. A price counts from its observation on, so
that one which lasts for a moment moves nothing. Inside of the window a part of the average is
fixed already, and options are priced on a forward of which only the rest moves.
"""

from typing import Self

import msgspec


class SettlementAverage(msgspec.Struct, frozen=True, kw_only=True):
    """The average of one expiry so far; observing a price gives the next state.

    Raises:
        ValueError: The window is empty or begins before the epoch.
    """

    expiry_ns: int
    window_ns: int
    total: int = 0  # price units times ns, over the part of the window that has passed
    price: int = 0  # that stands since time_ns; 0 before the first
    time_ns: int | None = None

    def __post_init__(self) -> None:
        """Check the window, so that no later computation needs to."""
        if not 0 < self.window_ns <= self.expiry_ns:
            raise ValueError(f"window_ns {self.window_ns} must lie between 1 and the expiry")

    def observe(self, price: int, now_ns: int) -> Self:
        """State after an index price; it stands until the next one.

        Raises:
            ValueError: The price is not positive, or time runs backwards.
        """
        if price <= 0:
            raise ValueError(f"index price {price} must be positive")
        if self.time_ns is not None and now_ns < self.time_ns:
            raise ValueError(f"time {now_ns} is before {self.time_ns}")
        return msgspec.structs.replace(self, total=self._until(now_ns), price=price, time_ns=now_ns)

    def _until(self, now_ns: int) -> int:
        if self.time_ns is None:
            return self.total
        start = max(self.time_ns, self.expiry_ns - self.window_ns)
        return self.total + self.price * max(min(now_ns, self.expiry_ns) - start, 0)

    def passed_ns(self, now_ns: int) -> int:
        """Part of the window that has passed."""
        begin = self.expiry_ns - self.window_ns
        return min(max(now_ns - begin, 0), self.window_ns)

    def average(self, now_ns: int) -> int | None:
        """Average over what has passed of the window, in price units; None before it begins.

        Raises:
            ValueError: The window began before the first price.
        """
        passed = self.passed_ns(now_ns)
        if passed == 0:
            return None
        if self.time_ns is None or (self.total == 0 and self.time_ns > now_ns - passed):
            raise ValueError("the settlement window began before its first price")
        return self._until(now_ns) // passed

    def settlement_price(self, tick: int, now_ns: int) -> int:
        """Average of the whole window on a tick, at least one tick.

        Raises:
            ValueError: The expiry has not passed, or there is no price.
        """
        if now_ns < self.expiry_ns:
            raise ValueError(f"the expiry {self.expiry_ns} is after {now_ns}")
        average = self.average(now_ns)
        assert average is not None
        return max(average // tick, 1) * tick
