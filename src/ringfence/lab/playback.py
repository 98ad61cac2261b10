"""A crash played at a stated speed, for a venue that people watch while it happens.

At its end it stays there, or the same prices come backwards in time, and then forwards again:
so they never jump, every fall is followed by a rise as wild, and the venue's clock only ever
goes on.
"""

from collections.abc import Iterator
from itertools import pairwise

from ringfence.lab.crash import Crash
from ringfence.oracle.sources.series import PriceSeries, Tick
from ringfence.risk.scenarios import CoinMarket
from ringfence.units import SECOND_NS

LATE_MAX_NS = 2 * SECOND_NS  # further behind than this, lost time is not made good


def there_and_back(series: PriceSeries, symbols: list[str]) -> Iterator[Tick]:
    """Yield the ticks of a series, then backwards, then forwards, without an end."""
    ticks = list(series.ticks(symbols))
    time_ns = ticks[0].time_ns
    while len(ticks) > 1:
        yield ticks[0]._replace(time_ns=time_ns)
        for before, tick in pairwise(ticks):
            time_ns += abs(tick.time_ns - before.time_ns)
            yield tick._replace(time_ns=time_ns)
        time_ns += abs(ticks[-1].time_ns - ticks[-2].time_ns)
        ticks.reverse()


class Playback:
    """Plays a crash tick by tick; the caller says how much real time has passed."""

    def __init__(self, crash: Crash, speed: float, *, loop: bool) -> None:
        self.crash = crash
        self.speed = speed
        self.ticks_played = 0
        series, symbols = crash.series, crash.symbols
        self._ticks = there_and_back(series, symbols) if loop else series.ticks(symbols)
        self._next = next(self._ticks, None)
        self._zero_ns: int | None = None  # real time at which the clock of the ticks was zero

    @property
    def is_over(self) -> bool:
        """Whether the last tick has been played."""
        return self._next is None

    def market(self) -> dict[str, CoinMarket]:
        """Return the markets of the underlyings with options, now."""
        return self.crash.options.market()

    def wait_ns(self, now_ns: int) -> int | None:
        """Real time until the next tick is due; 0 when it is, None when there is none."""
        if self._next is None:
            return None
        due_ns = int(self._next.time_ns / self.speed)
        if self._zero_ns is None or now_ns - self._zero_ns - due_ns > LATE_MAX_NS:
            self._zero_ns = now_ns - due_ns
        return max(due_ns + self._zero_ns - now_ns, 0)

    def play(self) -> None:
        """Play the next tick."""
        assert self._next is not None, "it is over"
        self.crash.step(self._next)
        self.ticks_played += 1
        self._next = next(self._ticks, None)
