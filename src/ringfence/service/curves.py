"""What an account would be worth over moves of one price, all else unchanged."""

import msgspec

from ringfence.core.health import HEALTH_MAX, equity, excess, health_factor
from ringfence.core.pool import Level
from ringfence.risk.shocks import SHOCK_UNIT, shocked
from ringfence.units import PPM, PRICE_UNIT
from ringfence.venue.receipts import decimal
from ringfence.venue.state import PoolRecord


class CurvePoint(msgspec.Struct, frozen=True):
    """The account after one move."""

    move: str
    price: str
    equity: str
    excess: str
    health_factor: str | None


class Curve(msgspec.Struct, frozen=True):
    """The account over moves of one price."""

    pool: str
    owner: str
    number: int
    underlying: str
    price: str
    points: list[CurvePoint]


def curve_points(record: PoolRecord, a: int, u: int, span_ppm: int, count: int) -> list[CurvePoint]:
    """Return the account at evenly spaced moves from minus to plus the span."""
    found = []
    quote = 10**record.spec.settlement_decimals
    for k in range(count):
        move = -span_ppm + 2 * span_ppm * k // (count - 1)
        pool = shocked(record.pool, SHOCK_UNIT + move * SHOCK_UNIT // PPM, u)
        health = int(health_factor(pool, a))
        found.append(
            CurvePoint(
                move=decimal(move, PPM),
                price=decimal(int(pool.index_price[u]), PRICE_UNIT),
                equity=decimal(int(equity(pool, a)), quote),
                excess=decimal(int(excess(pool, a, Level.MAINTENANCE)), quote),
                health_factor=None if health >= HEALTH_MAX else decimal(health, PPM),
            )
        )
    return found
