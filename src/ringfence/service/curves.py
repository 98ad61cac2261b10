"""What an account would be worth over moves of one price and its volatility, all else unchanged."""

import msgspec

from ringfence.core.health import HEALTH_MAX, equity, excess, health_factor
from ringfence.core.pool import Level, Pool
from ringfence.service.revaluing import Markets, Move, Revaluing, options_on
from ringfence.units import MS_NS, PPM, PRICE_UNIT
from ringfence.venue.receipts import decimal
from ringfence.venue.state import PoolRecord

VOLATILITY_UNKNOWN = "no leg on this underlying depends on volatility"
NO_EXPIRY = "the account holds no option on this underlying"


class CurvePoint(msgspec.Struct, frozen=True):
    """The account after one move."""

    move: str
    price: str
    equity: str
    excess: str
    health_factor: str | None


class PayoffPoint(msgspec.Struct, frozen=True):
    """What the account is worth at an expiry."""

    move: str
    price: str
    equity: str


class Payoff(msgspec.Struct, frozen=True):
    """What the account is worth when its next options expire, the others valued then."""

    expiry_ms: int
    points: list[PayoffPoint]


class Curve(msgspec.Struct, frozen=True):
    """The account over moves of one price."""

    pool: str
    owner: str
    number: int
    underlying: str
    price: str
    points: list[CurvePoint]
    at_expiry: Payoff | None
    unknown: dict[str, str]


class ScenarioRow(msgspec.Struct, frozen=True):
    """Moves of the price at one change of volatility."""

    volatility: str
    points: list[CurvePoint]


class Scenarios(msgspec.Struct, frozen=True):
    """The account over moves of one price, and changes of its volatilities."""

    pool: str
    owner: str
    number: int
    underlying: str
    price: str
    has_volatility: bool
    rows: list[ScenarioRow]
    unknown: dict[str, str]


class Asked(msgspec.Struct, frozen=True):
    """What is asked about which account."""

    owner: str
    number: int
    a: int
    u: int
    span: int  # ppm
    count: int

    def moves(self) -> list[int]:
        """Evenly spaced moves from minus to plus the span, in ppm."""
        return [-self.span + 2 * self.span * k // (self.count - 1) for k in range(self.count)]


def _point(pool: Pool, a: int, u: int, move: int, quote: int) -> CurvePoint:
    health = int(health_factor(pool, a))
    return CurvePoint(
        move=decimal(move, PPM),
        price=decimal(int(pool.index_price[u]), PRICE_UNIT),
        equity=decimal(int(equity(pool, a)), quote),
        excess=decimal(int(excess(pool, a, Level.MAINTENANCE)), quote),
        health_factor=None if health >= HEALTH_MAX else decimal(health, PPM),
    )


def _points(asked: Asked, of: Revaluing, volatility: int, quote: int) -> list[CurvePoint]:
    return [
        _point(of.pool(Move(move, volatility)), asked.a, asked.u, move, quote)
        for move in asked.moves()
    ]


def _price(record: PoolRecord, u: int) -> str:
    return decimal(int(record.pool.index_price[u]), PRICE_UNIT)


def curve_of(record: PoolRecord, asked: Asked, markets: Markets) -> Curve:
    """Return the account over moves of a price: now, and when its next options expire."""
    of = Revaluing(record, asked.a, asked.u, markets)
    quote = 10**record.spec.settlement_decimals
    unknown = {} if of.unknown is None else dict.fromkeys(("points", "at_expiry"), of.unknown)
    payoff = None
    if of.unknown is None:
        payoff = _payoff(record.pool, asked, of, quote)
        unknown = {} if payoff is not None else {"at_expiry": NO_EXPIRY}
    return Curve(
        pool=record.id.hex(),
        owner=asked.owner,
        number=asked.number,
        underlying=record.spec.underlyings[asked.u].name,
        price=_price(record, asked.u),
        points=[] if of.unknown is not None else _points(asked, of, 0, quote),
        at_expiry=payoff,
        unknown=unknown,
    )


def _payoff(pool: Pool, asked: Asked, of: Revaluing, quote: int) -> Payoff | None:
    held = options_on(pool, asked.a, asked.u)
    alive = [int(pool.expiry[i]) for i in held if not pool.expired[i]]
    if not alive:
        return None
    expiry, points = min(alive), []
    for move in asked.moves():
        then = of.pool(Move(move, at_ns=expiry))
        worth = decimal(int(equity(then, asked.a)), quote)
        price = decimal(int(then.index_price[asked.u]), PRICE_UNIT)
        points.append(PayoffPoint(decimal(move, PPM), price, worth))
    return Payoff(expiry // MS_NS, points)


def scenarios_of(record: PoolRecord, asked: Asked, volatility: int, markets: Markets) -> Scenarios:
    """Return the account over moves of a price, with volatilities up, as they are, and down."""
    of = Revaluing(record, asked.a, asked.u, markets)
    quote = 10**record.spec.settlement_decimals
    has_volatility = bool(options_on(record.pool, asked.a, asked.u))
    unknown = {} if of.unknown is None else {"rows": of.unknown}
    rows: list[ScenarioRow] = []
    if of.unknown is None:
        shifts = (volatility, 0, -volatility) if has_volatility else (0,)
        rows = [
            ScenarioRow(decimal(shift, PPM), _points(asked, of, shift, quote)) for shift in shifts
        ]
        unknown = {} if has_volatility else {"volatility": VOLATILITY_UNKNOWN}
    return Scenarios(
        pool=record.id.hex(),
        owner=asked.owner,
        number=asked.number,
        underlying=record.spec.underlyings[asked.u].name,
        price=_price(record, asked.u),
        has_volatility=has_volatility,
        rows=rows,
        unknown=unknown,
    )
