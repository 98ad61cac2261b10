"""Pools of options on a coin: their spec, and a volatility surface that follows the price.

The level of volatility is what the price did lately: a mean of squared returns that forgets
within hours, never outside of stated bounds. The smile around it is a surface SVI,

    w(k, T) = v/2 (1 + r f k + sqrt((f k + r)**2 + 1 - r**2)),  v = level**2 T,  f = e / sqrt(v)

which admits no arbitrage for e**2 (1 + |r|) <= 4 and e (1 + |r|) sqrt(v) < 4.

Source: J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative
Finance 14 (2014), theorem 4.2 and corollary 4.1.
"""

import math
from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from ringfence.core.spec import InstrumentSpec, Levels, PoolSpec
from ringfence.lab.pools import majors_spec
from ringfence.pricing.curves import ForwardCurve
from ringfence.pricing.surface import Surface
from ringfence.risk.scenarios import scenario_margin
from ringfence.units import DAY_NS, HOUR_NS, PRICE_UNIT, SECOND_NS, YEAR_SECONDS
from ringfence.venue.receipts import decimal

GRID = "deribit-like"
HAIRCUT = Levels("0.02", "0.0165", "0.015", "0.01")
EXPIRIES = (("16H", 16 * HOUR_NS), ("7D", 7 * DAY_NS), ("30D", 30 * DAY_NS))  # after the start
STRIKES = (85, 95, 100, 105, 115)  # percent of the first price
WINDOW_SECONDS = 1800  # before expiry, over which the settlement price is averaged

LEVEL_MIN, LEVEL_MAX, LEVEL_START = 0.4, 2.5, 0.8
MEMORY_YEARS = 6 / (24 * 365)  # six hours
TILT, BEND = -0.3, 1.0  # r and e
PILLARS = (1 / 365, 7 / 365, 30 / 365, 0.5)  # years
assert BEND**2 * (1 + abs(TILT)) <= 4
assert BEND * (1 + abs(TILT)) * LEVEL_MAX * math.sqrt(PILLARS[-1]) < 4


def options_spec(
    k: int, symbol: str, first_price: int, start_ns: int, stale_seconds: int
) -> PoolSpec:
    """A pool of a perpetual and of options on a coin, margined by scenarios.

    The coin is collateral that offsets risk, so that a covered call is known for what it is.
    """
    plain = majors_spec(k, symbol, first_price, stale_seconds)
    (underlying,), (coin,), (perpetual,) = plain.underlyings, plain.collateral, plain.instruments
    return replace(
        plain,
        name=f"{symbol}-options-{k:02d}",
        underlyings=(
            replace(
                underlying,
                factor=Levels("1", "0.88", "0.8", "0.53"),
                hedge_rate="0.01",
                option_rate=Levels("0.005", "0.0033", "0.003", "0.002"),
            ),
        ),
        collateral=(replace(coin, haircut=HAIRCUT, is_offsetting=True),),
        instruments=(perpetual, *_options(perpetual, first_price, start_ns)),
        rules=replace(plain.rules, bonus_min="0.001", bonus_max="0.01", liquidation_fee="0.002"),
        margin=scenario_margin(GRID),
    )


def _options(
    perpetual: InstrumentSpec, first_price: int, start_ns: int
) -> Iterator[InstrumentSpec]:
    """Calls and puts in the order that a pool wants: by expiry, then by strike."""
    for label, ahead_ns in EXPIRIES:
        for strike in strikes_of(first_price):
            for option in ("call", "put"):
                text = decimal(strike, PRICE_UNIT)
                yield replace(
                    perpetual,
                    name=f"{perpetual.underlying}-{label}-{text}-{option[0].upper()}",
                    expiry_ns=start_ns + ahead_ns,
                    price_band="0.1",
                    option=option,
                    strike=text,
                    settlement_window_seconds=WINDOW_SECONDS,
                )


def strikes_of(first_price: int) -> list[int]:
    """Strikes in price units: near shares of the first price, with few digits."""
    step = 10 ** (len(str(first_price)) - 3)
    return [(first_price * percent // 100 + step // 2) // step * step for percent in STRIKES]


class Volatility:
    """Level of volatility of one coin, moved by every price."""

    def __init__(self, price: int, time_ns: int) -> None:
        self._price, self._time_ns = price, time_ns
        self._variance = LEVEL_START**2

    @property
    def level(self) -> float:
        """Volatility at the money, per 1.00 and year."""
        return min(max(math.sqrt(self._variance), LEVEL_MIN), LEVEL_MAX)

    def note(self, price: int, time_ns: int) -> None:
        """Take a price in; the same moment twice changes nothing."""
        years = (time_ns - self._time_ns) / SECOND_NS / YEAR_SECONDS
        if years <= 0:
            return
        change = price / self._price - 1.0
        weight = min(years / MEMORY_YEARS, 1.0)
        self._variance += weight * (change * change / years - self._variance)
        self._price, self._time_ns = price, time_ns

    def surface(self, spot: float) -> Surface:
        """Volatilities by strike and time around the level, with a flat forward."""
        smiles = []
        for time in PILLARS:
            variance = self.level**2 * time
            factor = BEND / math.sqrt(variance)
            narrow = 1.0 - TILT * TILT
            smiles.append(
                [
                    variance * narrow,  # lowest
                    variance * factor / 2.0,  # slope
                    TILT,
                    -TILT / factor,  # centre
                    math.sqrt(narrow) / factor,  # width
                ]
            )
        return Surface(ForwardCurve([0.0], [spot]), PILLARS, np.array(smiles))
