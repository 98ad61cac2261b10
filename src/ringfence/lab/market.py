"""A generated day with a crash, built to match the public facts of one that happened.

On 11 January 2021 the price of ETH fell by 27.0 % from the open of the day to its low, by
6.0 % within its worst five minutes and by 14.4 % within its worst hour (minute quotes of
Risk-DAO's simulation-env); BTC fell by 20.7 % from open to low (hours by CryptoCompare).
The generated day has these four numbers by construction, and everything else by chance:
when the hour comes, how the day ends, each minute between. It is no market data.

The path is a logarithm in integers of 1e-9: knots, noise between them that vanishes at
the knots, and a floor that no window may break. Prices are its exponential by `decimal`,
which rounds correctly everywhere, and chance is raw 64-bit words of PCG64, whose stream
numpy keeps fixed. So a seed gives the same bytes on every machine and version.
"""

from decimal import Context, Decimal
from itertools import pairwise
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from ringfence.oracle.sources.series import PriceColumns, PriceSeries, midnight_ns
from ringfence.units import DAY_NS, PRICE_UNIT, SECOND_NS

Path = NDArray[np.int64]  # logarithm of price over the open of the day, in 1e-9

START_NS = midnight_ns("2026-01-01")  # a day of its own, not that of the facts
ETH_OPEN = 1257 * PRICE_UNIT
BTC_OPEN = 38_202 * PRICE_UNIT
_CENT = PRICE_UNIT // 100

# Logarithms in 1e-9, so that the falls are -27.0 %, -14.4 %, -6.0 % and -20.7 %.
_LOW = -314_710_745
_HOUR = -155_484_903
_FIVE_MINUTES = -61_875_404
_BTC_LOW = -231_932_057

_NOISE = 3_000_000  # half-range of one of two uniforms a minute; their sum deviates by 0.245 %
_BTC_NOISE = 1_000_000
_PERCENT = 10**7


class _Dice:
    """Chance in integers."""

    def __init__(self, seed: int) -> None:
        self._words = np.random.PCG64(seed)

    def between(self, low: int, high: int) -> int:
        """Return an integer of [low, high]."""
        return low + int(self._words.random_raw()) % (high - low + 1)

    def noise(self, count: int, half_range: int) -> Path:
        """Return steps, each the sum of two uniforms over [-half_range, half_range]."""
        words = self._words.random_raw(2 * count) >> np.uint64(33)  # 31 bits
        steps = (words.astype(np.int64) * (2 * half_range + 1) >> 31) - half_range
        total: Path = steps[:count] + steps[count:]
        return total


def generated_crash(seed: int, *, step_seconds: int = 60, start_ns: int = START_NS) -> PriceSeries:
    """Return one generated day of ETH and BTC quotes with the facts stated above.

    The windows are of five minutes and of an hour at the steps of the series, mid price to
    mid price; each fact holds to 0.01 % (a cent's rounding). In logarithms BTC does 0.74
    of what ETH does, with a little noise of its own: over 1,500 seeds its worst five
    minutes were -3.9 to -5.0 %, its worst hour -9.2 to -12.4 %, and its minutes correlate
    with those of ETH by 0.88 to 0.93.

    Raises:
        ValueError: step_seconds is not from 10 to 60 or does not divide a minute.
    """
    if not 10 <= step_seconds <= 60 or 60 % step_seconds:
        raise ValueError(f"step_seconds {step_seconds}: take 10, 12, 15, 20, 30 or 60")
    dice = _Dice(seed)
    steps_a_minute = 60 // step_seconds
    time_ns = start_ns + np.arange(0, DAY_NS, step_seconds * SECOND_NS, dtype=np.int64)
    eth = _eth_path(dice, steps_a_minute)
    btc = _btc_path(dice, eth, steps_a_minute)
    columns = {
        "BTC": _quotes(time_ns, btc, BTC_OPEN, 5 * steps_a_minute),
        "ETH": _quotes(time_ns, eth, ETH_OPEN, 5 * steps_a_minute),
    }
    text = (
        f"generated, not market data: seed {seed}, one quote each {step_seconds} s, built to "
        "the public falls of 2021-01-11: ETH low -27.0 % of the open, worst five minutes "
        "-6.0 %, worst hour -14.4 %; BTC low -20.7 %"
    )
    return PriceSeries(columns=columns, description=text)


def _eth_path(dice: _Dice, steps_a_minute: int) -> Path:
    minute = steps_a_minute
    begin = dice.between(150, 420) * minute  # of the worst hour
    end = begin + 60 * minute
    before = -dice.between(4 * _PERCENT, 7 * _PERCENT)
    after = before + _HOUR
    low_at = end + dice.between(360, 720) * minute
    knots = [
        (0, 0),
        (begin, before),
        # The hour opens with a fall and is followed by a bounce, so that the same hour a
        # little earlier or later falls less.
        (begin + 4 * minute, before - dice.between(14, 18) * _PERCENT // 10),
        (end - 5 * minute, after - _FIVE_MINUTES),
        (end, after),
        (end + 10 * minute, after + dice.between(20, 30) * _PERCENT // 10),
        (low_at, _LOW),
        (24 * 60 * minute, -dice.between(12 * _PERCENT, 18 * _PERCENT)),
    ]
    path = _through(knots, dice, minute)
    path[end - 5 * minute : end + 1] = _plunge(dice, after - _FIVE_MINUTES, after, 5 * minute)
    path[end:] = _with_low(path[end:], _LOW)
    path = _with_floor(path[:-1], minute)
    # Own mistakes only: each bound is touched where it was built, and nowhere broken.
    assert int(path.min()) == _LOW
    assert _worst(path, 5 * minute) == _FIVE_MINUTES
    assert _worst(path, 60 * minute) == _HOUR
    return path


def _through(knots: list[tuple[int, int]], dice: _Dice, steps_a_minute: int) -> Path:
    """A noisy path that passes exactly through the knots."""
    # The deviation of a sum grows with the root of the number of steps.
    half_range = _NOISE * 1000 // isqrt(1_000_000 * steps_a_minute)
    parts = [np.zeros(1, np.int64)]
    for (start, level), (stop, goal) in pairwise(knots):
        count = stop - start
        walk = np.cumsum(dice.noise(count, half_range))
        k = np.arange(1, count + 1, dtype=np.int64)
        parts.append(level + walk + (goal - level - walk[-1]) * k // count)
    return np.concatenate(parts)


def _plunge(dice: _Dice, level: int, goal: int, count: int) -> Path:
    """From level down to goal in steps of 85 to 115 % of their mean, none of them up."""
    shares = np.array([dice.between(850, 1150) for _ in range(count)], np.int64)
    reached = np.concatenate([np.zeros(1, np.int64), np.cumsum(shares)])
    path: Path = level + (goal - level) * reached // reached[-1]
    return path


def _with_low(path: Path, low: int) -> Path:
    """The path with what is below its start stretched so that its lowest point is the low."""
    start = path[0]
    depth = start - path.min()
    stretched: Path = np.where(path < start, start - (start - path) * (start - low) // depth, path)
    return stretched


def _with_floor(path: Path, steps_a_minute: int) -> Path:
    """The path lifted where it would fall faster than the worst windows do."""
    five, hour = 5 * steps_a_minute, 60 * steps_a_minute
    levels = [int(level) for level in path]
    for t in range(five, len(levels)):
        levels[t] = max(levels[t], levels[t - five] + _FIVE_MINUTES)
        if t >= hour:
            levels[t] = max(levels[t], levels[t - hour] + _HOUR)
    return np.array(levels, np.int64)


def _worst(path: Path, window: int) -> int:
    return int((path[window:] - path[:-window]).min())


def _btc_path(dice: _Dice, eth: Path, steps_a_minute: int) -> Path:
    """Three quarters of what ETH does, and a deviation that halves within 45 minutes or so."""
    half_range = _BTC_NOISE * 1000 // isqrt(1_000_000 * steps_a_minute)
    own = [0]
    for step in dice.noise(eth.size - 1, half_range).tolist():
        own.append(own[-1] - own[-1] // (64 * steps_a_minute) + step)
    return _with_low(eth * 74 // 100 + np.array(own, np.int64), _BTC_LOW)


def _quotes(time_ns: Path, path: Path, open_price: int, five_minutes: int) -> PriceColumns:
    """Bid and ask around the mid price: wider, the more the last five minutes moved."""
    mid = np.array([_price(open_price, int(level)) for level in path], np.int64)
    moved = np.abs(path - np.concatenate([np.repeat(path[0], five_minutes), path[:-five_minutes]]))
    half_spread_ppm = 100 + moved // (1000 * 100)  # one percent of the move
    half_spread = np.maximum(mid // PRICE_UNIT * half_spread_ppm * 1000 // _CENT, 1) * _CENT
    return PriceColumns(time_ns, mid - half_spread, mid + half_spread)


_EXACT = Context(prec=30)


def _price(open_price: int, level: int) -> int:
    """Price in cents: open price times the exponential of the level, rounded down."""
    factor = Decimal(level).scaleb(-9, _EXACT).exp(_EXACT)
    return int(_EXACT.multiply(Decimal(open_price // _CENT), factor)) * _CENT
