"""Values of options for the histories, in plain Python: Black-76 with the error function.

Not exact on purpose: what the engine does with a valuation does not depend on who made it.
"""

from math import erf, log, sqrt

from ringfence.core.pool import Pool
from ringfence.units import PRICE_UNIT, SECOND_NS, YEAR_SECONDS

VOLATILITY = 0.8
# By row of the grid of the property pools: move of spot, change of volatility, share counted.
SHOCKS = (
    (-0.15, 1.3, 1.0),
    (-0.05, 1.0, 1.0),
    (0.05, 1.0, 1.0),
    (0.15, 1.3, 1.0),
    (1.0, 1.5, 0.1),
    (-0.1, 1.2, 1.0),  # gains discounted,
    (-0.1, 1.2, 1.0),  # and losses
    (0.03, 1.0, 0.8),  # the basis up,
    (-0.03, 1.0, 0.8),  # and down
    (0.0, 1.1, 1.0),  # a skew,
    (0.0, 1.1, 1.0),  # which counts by its size
)
DISCOUNTS = (1.0,) * 5 + (0.95, 1.0) + (1.0,) * 4
MOVES = ("-0.15", "-0.05", "0.05", "0.15", "0.1", "-0.1", "-0.1", "0", "0", "0", "0")
KINDS = ("single",) * 5 + ("lower", "partner", "loss", "partner", "size", "partner")


def normal(x: float) -> float:
    """Cumulative normal distribution."""
    return 0.5 + 0.5 * erf(x / sqrt(2.0))


def option_value(side: int, forward: float, strike: float, time: float, volatility: float) -> float:
    """Undiscounted value of an option."""
    spread = volatility * sqrt(max(time, 0.0))
    if spread < 1e-9:
        return max(side * (forward - strike), 0.0)
    d1 = log(forward / strike) / spread + spread / 2.0
    return side * (forward * normal(side * d1) - strike * normal(side * (d1 - spread)))


def years_left(pool: Pool, i: int, now: int) -> float:
    """Time to expiry in years."""
    return max(int(pool.expiry[i]) - now, 0) / SECOND_NS / YEAR_SECONDS


def value_now(pool: Pool, i: int, price: int, move: float, change: float, now: int) -> float:
    """Value of one coin of an instrument after a move, in the settlement currency."""
    forward = price / PRICE_UNIT * (1.0 + move)
    side, strike = int(pool.option_side[i]), int(pool.strike[i]) / PRICE_UNIT
    if side == 0:
        return forward
    return option_value(side, forward, strike, years_left(pool, i, now), VOLATILITY * change)


def mark_of(pool: Pool, i: int, price: int, away_ppm: int, now: int) -> int:
    """Mark in whole ticks, at least one, and of a put at most its strike."""
    value = value_now(pool, i, price, away_ppm / 1e6, 1.0, now)
    tick, strike = int(pool.tick[i]), int(pool.strike[i])
    mark = max(round(value * PRICE_UNIT / tick), 1) * tick
    return min(mark, strike) if pool.option_side[i] < 0 else mark


def risk_array(pool: Pool, i: int, price: int, now: int) -> list[int]:
    """Delta and profits of a lot, in quote units."""
    spot, lot = price / PRICE_UNIT, int(pool.lot[i])
    scale = lot * PRICE_UNIT / int(pool.value_divisor[0])
    mark = mark_of(pool, i, price, 0, now) / PRICE_UNIT if pool.option_side[i] else spot
    bump = value_now(pool, i, price, 0.001, 1.0, now) - value_now(pool, i, price, 0.0, 1.0, now)
    slots = [round(bump / 0.001 * scale)]
    for (move, change, share), discount in zip(SHOCKS, DISCOUNTS, strict=True):
        if pool.option_side[i]:
            profit = discount * value_now(pool, i, price, move, change, now) - mark
        else:
            profit = spot * move if abs(move) != 0.03 or pool.expiry[i] else 0.0
        slots.append(round(share * profit * scale))
    return slots
