"""A volatility surface from quotes: a smile for each expiry, total variance linear in between.

Between two expiries the total variance at the same log-moneyness k = log(K / F(T)) is linear
in time, so it cannot fall if it does not fall from one expiry to the next; before the first
expiry and after the last the volatility at the same k is constant. `problems` looks for
arbitrage on a grid: butterflies in a smile, total variance that falls with time.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ringfence.compiled import kernel, screen
from ringfence.pricing.broadcast import Floats, run
from ringfence.pricing.curves import ForwardCurve, forward_at
from ringfence.pricing.elementary import LEAST, MOST, log_ratio
from ringfence.pricing.svi import (
    PARAMETERS,
    WIDTH,
    density_factor,
    fit,
    total_variance,
)

GRID_POINTS = 61  # around the quotes of an expiry, and again over those of all expiries
OWN_MARGIN = 0.5  # of the range of the quotes of the expiry, on each side
COMMON_MARGIN = 0.25  # the same for all expiries
HALF_SPREAD_MIN = 1e-4  # of volatility; closer quotes would outweigh all others


class Quotes(NamedTuple):
    """Quoted volatilities of one expiry."""

    time: float  # years to expiry
    forward: float
    strike: ArrayLike
    bid: ArrayLike  # implied volatility per 1.00
    ask: ArrayLike


class Problem(NamedTuple):
    """An arbitrage that a surface admits."""

    kind: str  # "butterfly" or "calendar"
    time: float  # expiry, the later one of two
    log_moneyness: float
    amount: float  # how negative the density factor or the growth of total variance is


class Surface:
    """Volatilities of one underlying by strike and time to expiry in years."""

    def __init__(self, curve: ForwardCurve, times: ArrayLike, smiles: ArrayLike) -> None:
        """Take fitted smiles [expiry, parameter] in order of time; see `svi`."""
        self.curve = curve
        self.times: Floats = np.array(times, dtype=np.float64)
        self.smiles: Floats = np.array(smiles, dtype=np.float64)
        if self.smiles.shape != (self.times.size, PARAMETERS) or self.times.size == 0:
            raise ValueError(f"{self.times.size} expiries, but smiles are {self.smiles.shape}")
        if not (np.all(np.diff(self.times) > 0) and self.times[0] > 0):
            raise ValueError(f"expiries must be positive and in order: {self.times}")

    @classmethod
    def from_quotes(cls, expiries: Iterable[Quotes], *, spot: float | None = None) -> "Surface":
        """Fit a surface, one expiry after the other, each above the one before.

        Quotes with a missing side, a negative spread or no volatility are left out, and so is
        an expiry without any other.

        Raises:
            ValueError: No quotes are left, or a number has no meaning.
        """
        usable = [(quotes, _columns(quotes)) for quotes in sorted(expiries, key=lambda q: q.time)]
        usable = [(quotes, columns) for quotes, columns in usable if columns.shape[1]]
        if not usable:
            raise ValueError("a surface needs quotes with a bid and an ask volatility")
        times = [quotes.time for quotes, _ in usable]
        pillars = [(quotes.time, quotes.forward) for quotes, _ in usable]
        if spot is not None:
            pillars.insert(0, (0.0, spot))
        curve = ForwardCurve([t for t, _ in pillars], [f for _, f in pillars])
        reach = max(float(np.max(np.abs(columns[0]))) for _, columns in usable)
        smiles = np.zeros((len(usable), PARAMETERS))
        before = _nothing()
        for row, (quotes, columns) in enumerate(usable):
            smiles[row] = fit(columns, quotes.time, before, _grid(columns[0], reach))
            before = smiles[row]
        return cls(curve, times, smiles)

    def volatility(self, strike: ArrayLike, time: ArrayLike) -> Any:
        """Implied volatility at strikes and times; NaN where they have no meaning."""

        def columns(strike: Floats, time: Floats, volatility: Floats) -> None:
            curve = self.curve
            volatility_columns(
                strike, time, curve.times, curve.forwards, self.times, self.smiles, volatility
            )

        return run(columns, (strike, time), (), 1)[0]

    def problems(self, log_moneyness: ArrayLike) -> list[Problem]:
        """Arbitrage at some log-moneynesses: negative density, or variance that falls."""
        points = np.array(log_moneyness, dtype=np.float64).ravel()
        found = []
        before = _nothing()
        for time, smile in zip(self.times, self.smiles, strict=True):
            for k in points:
                factor = density_factor(smile, k)
                growth = total_variance(smile, k) - total_variance(before, k)
                if factor < 0:
                    found.append(Problem("butterfly", float(time), float(k), float(factor)))
                if growth < 0:
                    found.append(Problem("calendar", float(time), float(k), float(growth)))
            before = smile
        return found


def _nothing() -> Floats:
    """A smile without variance, which every other one is above."""
    nothing = np.zeros(PARAMETERS)
    nothing[WIDTH] = 1.0
    return nothing


def _columns(quotes: Quotes) -> Floats:
    """Log-moneyness, middle and half-spread of the quotes that have both sides, by strike."""
    shape = np.shape(quotes.strike)
    strike, bid, ask = (
        np.array(column, dtype=np.float64).ravel()
        for column in (quotes.strike, quotes.bid, quotes.ask)
    )
    if not strike.shape == bid.shape == ask.shape:
        raise ValueError(f"{shape} strikes, but {bid.size} bids and {ask.size} asks")
    if not (0 < quotes.time < np.inf and LEAST <= quotes.forward <= MOST):
        raise ValueError(f"no expiry at time {quotes.time} with a forward of {quotes.forward}")
    good = (strike >= LEAST) & (strike <= MOST) & (bid > 0) & (ask >= bid) & (ask < np.inf)
    strike, bid, ask = strike[good], bid[good], ask[good]
    order = np.argsort(strike, kind="stable")
    found = np.empty((3, strike.size))
    for column, i in enumerate(order):
        found[0, column] = log_ratio(strike[i], quotes.forward)
        found[1, column] = 0.5 * (bid[i] + ask[i])
        found[2, column] = max(0.5 * (ask[i] - bid[i]), HALF_SPREAD_MIN)
    return found


def _grid(log_moneyness: Floats, reach: float) -> NDArray[np.float64]:
    """Where to look for arbitrage: around the quotes of the expiry, and where any are."""
    low, high = float(np.min(log_moneyness)), float(np.max(log_moneyness))
    margin = max(OWN_MARGIN * (high - low), 1e-3)
    far = (1.0 + COMMON_MARGIN) * reach
    return np.concatenate([_evenly(low - margin, high + margin), _evenly(-far, far)])


def _evenly(low: float, high: float) -> Floats:
    """Points in equal steps; by own arithmetic, so the same bits everywhere."""
    return low + (high - low) * (np.arange(GRID_POINTS) / (GRID_POINTS - 1))


@kernel
def variance_at(times: Floats, smiles: Floats, k: float, time: float) -> float:
    """Total variance at a log-moneyness, linear in time between expiries."""
    last = times.size - 1
    if time <= times[0]:
        return total_variance(smiles[0], k) * (time / times[0])
    if time >= times[last]:
        return total_variance(smiles[last], k) * (time / times[last])
    i = 1
    while times[i] < time:
        i += 1
    share = (time - times[i - 1]) / (times[i] - times[i - 1])
    low, high = total_variance(smiles[i - 1], k), total_variance(smiles[i], k)
    return low + share * (high - low)


@screen
def volatility_columns(
    strike: Floats,
    time: Floats,
    pillars: Floats,
    forwards: Floats,
    times: Floats,
    smiles: Floats,
    volatility: Floats,
) -> None:
    """Read volatilities off the surface one by one."""
    for i in range(volatility.size):
        # At expiry it is the limit that counts, so the moment before stands for it.
        t = max(time[i], 1e-12)
        if strike[i] >= LEAST and strike[i] <= MOST and time[i] >= 0.0 and t < np.inf:
            k = log_ratio(strike[i], forward_at(pillars, forwards, t))
            volatility[i] = np.sqrt(variance_at(times, smiles, k, t) / t)
        else:
            volatility[i] = np.nan
