"""Forward prices between the expiries that are quoted.

The logarithm of the forward is linear in time between two pillars, which is a constant carry
rate. Before the first pillar the forward is that of the pillar (put the spot price at time
zero where it is known); after the last one the carry of the last two goes on.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ringfence.compiled import kernel, screen
from ringfence.pricing.broadcast import Floats, run
from ringfence.pricing.elementary import LEAST, MOST, exp, log_ratio


@kernel
def forward_at(times: Floats, forwards: Floats, time: float) -> float:
    """Forward price at a time, from pillars in order of time."""
    last = times.size - 1
    if time <= times[0] or last == 0:
        return forwards[0]
    i = 1
    while i < last and times[i] < time:
        i += 1
    carry = log_ratio(forwards[i], forwards[i - 1]) / (times[i] - times[i - 1])
    return forwards[i - 1] * exp(carry * (time - times[i - 1]))


@screen
def forward_columns(time: Floats, times: Floats, forwards: Floats, forward: Floats) -> None:
    """Compute forwards one by one; without a meaning where time is NaN or negative."""
    for i in range(forward.size):
        forward[i] = forward_at(times, forwards, time[i]) if time[i] >= 0.0 else np.nan


class ForwardCurve:
    """Forwards of one underlying by time to expiry in years."""

    def __init__(self, times: ArrayLike, forwards: ArrayLike) -> None:
        """Take pillars in any order.

        Raises:
            ValueError: No pillar, two at one time, or a number without meaning.
        """
        moments = np.array(times, dtype=np.float64).ravel()
        prices = np.array(forwards, dtype=np.float64).ravel()
        if moments.shape != prices.shape or moments.size == 0:
            raise ValueError(f"a curve needs pillars: {moments.size} times, {prices.size} forwards")
        order = np.argsort(moments, kind="stable")
        self.times, self.forwards = moments[order], prices[order]
        if not (np.all(np.diff(self.times) > 0) and self.times[0] >= 0 and self.times[-1] < np.inf):
            raise ValueError(f"times must differ, be finite and not negative: {self.times}")
        if not np.all((self.forwards >= LEAST) & (self.forwards <= MOST)):
            raise ValueError(f"forwards must be positive numbers: {self.forwards}")

    def forward(self, time: ArrayLike) -> Any:
        """Forward price at times to expiry."""

        def columns(time: Floats, forward: Floats) -> None:
            forward_columns(time, self.times, self.forwards, forward)

        return run(columns, (time,), (), 1)[0]
