"""A playback keeps its speed, and never lets prices jump."""

import numpy as np

from ringfence.lab.market import generated_crash
from ringfence.lab.playback import LATE_MAX_NS, Playback, there_and_back
from ringfence.units import MINUTE_NS, SECOND_NS


class StillCrash:
    """As much of a crash as a playback asks for."""

    def __init__(self, minutes: int) -> None:
        series = generated_crash(1)
        start, _ = series.span
        self.series = series.between(start, start + minutes * MINUTE_NS)
        self.symbols = ["BTC", "ETH"]
        self.played = []

    def step(self, tick):
        self.played.append(tick)


def test_there_and_back_is_the_series_backwards_and_then_again():
    crash = StillCrash(5)
    ticks = there_and_back(crash.series, crash.symbols)
    found = [next(ticks) for _ in range(15)]
    forwards = list(crash.series.ticks(crash.symbols))
    prices = [tick.prices for tick in forwards]
    assert [tick.prices for tick in found] == prices + prices[::-1] + prices
    times = np.diff([tick.time_ns for tick in found])
    assert (times == MINUTE_NS).all()


def test_a_tick_is_due_when_its_time_has_come_at_the_stated_speed():
    crash = StillCrash(3)
    playback = Playback(crash, 60, loop=False)
    now = 10**15
    assert playback.wait_ns(now) == 0
    playback.play()
    assert playback.wait_ns(now) == SECOND_NS
    assert playback.wait_ns(now + SECOND_NS) == 0
    playback.play()
    playback.play()
    assert playback.is_over
    assert playback.wait_ns(now) is None
    assert playback.ticks_played == len(crash.played) == 3


def test_time_that_was_lost_is_not_made_good_by_a_burst():
    crash = StillCrash(60)
    playback = Playback(crash, 60, loop=False)
    now = 10**15
    assert playback.wait_ns(now) == 0
    playback.play()
    later = now + 30 * SECOND_NS + LATE_MAX_NS
    assert playback.wait_ns(later) == 0
    playback.play()
    assert playback.wait_ns(later) == SECOND_NS
