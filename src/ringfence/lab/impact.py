"""Market impact: what is closed by force moves the price, so a crash can feed itself.

    displacement = 1 % * sqrt(|pressure| / depth), towards the side of the pressure
    pressure     sum of what was sold (negative) and bought, forgotten over time:
                 pressure * constant / (constant + passed)

`depth` is the value that moves the price by one percent. The pressure adds before the root
is taken, so selling in ten parts at once moves the price as selling the whole does, and a
pause between the parts saves what the market has recovered meanwhile.

The defaults are of the scale of ETH on Binance in January 2021 (docs/waterfall.md).
Values are quote units, displacements 1e-9 of the price; all of it in integers, so a run
with impact is as reproducible as one without.

Source of the law: J.-P. Bouchaud, "The Square-Root Law of Market Impact" (2024), and the
works on metaorders that it reviews.
"""

from collections.abc import Iterable
from math import isqrt

from ringfence.units import MINUTE_NS, PRICE_UNIT

DEPTH = 5_000_000  # dollars that move the price by one percent
CONSTANT_NS = 30 * MINUTE_NS
DISPLACEMENT_MAX = PRICE_UNIT // 2
_PERCENT = PRICE_UNIT // 100


class Market:
    """One market under pressure."""

    def __init__(self, depth: int, constant_ns: int = CONSTANT_NS) -> None:
        if depth <= 0 or constant_ns <= 0:
            raise ValueError(f"depth {depth} and time constant {constant_ns} must be positive")
        self._depth = depth
        self._constant_ns = constant_ns
        self._pressure = 0
        self._time_ns = 0
        self.furthest = 0  # the largest displacement so far, with its sign

    def push(self, value: int) -> None:
        """Buy a value, or sell it where negative, without regard to the price."""
        self._pressure += value

    def displacement(self, now_ns: int) -> int:
        """How far the price is pushed now, in 1e-9 of it."""
        passed = max(now_ns - self._time_ns, 0) if self._time_ns else 0
        size = abs(self._pressure) * self._constant_ns // (self._constant_ns + passed)
        side = -1 if self._pressure < 0 else 1
        self._pressure, self._time_ns = side * size, max(now_ns, self._time_ns)
        moved = side * min(isqrt(_PERCENT**2 * size // self._depth), DISPLACEMENT_MAX)
        self.furthest = max(self.furthest, moved, key=abs)
        return moved


def displaced(price: int, displacement: int) -> int:
    """A price moved by a displacement, rounded down, at least one unit."""
    return max(price * (PRICE_UNIT + displacement) // PRICE_UNIT, 1)


def fitted_depth(forced: Iterable[tuple[float, float]]) -> float:
    """Depth at which the law fits forced volumes and the moves with them best.

    Pairs of a value closed by force and the share that the price moved to its side. Least
    squares of move = 1 % * sqrt(value / depth). Forced closing also follows a move, so what
    is fitted is the least depth that the data allow, and the impact the largest.
    """
    pairs = list(forced)
    slope = sum(move * value**0.5 for value, move in pairs) / sum(value for value, _ in pairs)
    return float((0.01 / slope) ** 2)
