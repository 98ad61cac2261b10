"""Sensitivities of an account's legs and collateral, and the prices at which its options fall.

    delta   coins: change of value for a move of spot by 1
    gamma   coins of delta for a move of spot by 1
    vega    settlement currency per 1.00 of volatility
    theta   settlement currency per day
    rho     settlement currency per 1.00 of rate a year

Of options at the market that values their pool, and of it alone; what is linear has a delta, its
size, and nothing else. Decimals are rounded, for nothing is decided on them.
"""

from typing import NamedTuple

import msgspec
import numpy as np

from ringfence.core.pool import Pool, Total
from ringfence.pricing import black76
from ringfence.risk.scenarios import CoinMarket, option_book
from ringfence.service.revaluing import NO_MARKET, Markets, coin_of, options_on, without_others
from ringfence.units import MS_NS, PRICE_UNIT, UNIT
from ringfence.venue.option_views import StructurePrices, structure_prices
from ringfence.venue.receipts import decimal
from ringfence.venue.state import PoolRecord

DAYS = 365  # of a year
NAMES = ("delta", "gamma", "vega", "theta", "rho")


class Greeks(msgspec.Struct, frozen=True):
    """Sensitivities; null where they are not known."""

    delta: str | None
    gamma: str | None
    vega: str | None
    theta: str | None
    rho: str | None


class Leg(msgspec.Struct, frozen=True):
    """Sensitivities of one position."""

    instrument: str
    underlying: str
    size: str
    volatility: str | None  # of the option, per 1.00 and year
    greeks: Greeks


class Sum(msgspec.Struct, frozen=True):
    """Sensitivities to one underlying: of the legs, of collateral in coins, and together."""

    underlying: str
    price: str | None
    legs: Greeks
    collateral: Greeks
    together: Greeks


class AccountGreeks(msgspec.Struct, frozen=True):
    """Sensitivities of an account."""

    pool: str
    owner: str
    number: int
    time_ms: int
    legs: list[Leg]
    totals: list[Sum]
    unknown: dict[str, str]


class Structures(msgspec.Struct, frozen=True):
    """Prices at which an account with options falls, everything revalued."""

    pool: str
    owner: str
    number: int
    time_ms: int
    structures: list[StructurePrices]
    unknown: dict[str, str]


class Figures(NamedTuple):
    """Sensitivities as numbers, in the order of NAMES."""

    delta: float
    gamma: float = 0.0
    vega: float = 0.0
    theta: float = 0.0
    rho: float = 0.0

    def plus(self, other: "Figures") -> "Figures":
        """Add two of them."""
        return Figures(*(a + b for a, b in zip(self, other, strict=True)))


def greeks_of(record: PoolRecord, a: int, owner: str, markets: Markets) -> AccountGreeks:
    """Return the sensitivities of an account."""
    pool = record.pool
    legs: list[Leg] = []
    totals: list[Sum] = []
    is_unknown = False
    for u in range(len(record.spec.underlyings)):
        coin = coin_of(record, u, markets)
        held = _held(pool, a, u)
        known = _known(record, coin, held, options_on(pool, a, u))
        is_unknown |= len(known) < len(held)
        legs += [_leg(record, a, u, i, known.get(i)) for i in held]
        totals.append(_sum(record, a, u, known if len(known) == len(held) else None))
    return AccountGreeks(
        pool=record.id.hex(),
        owner=owner,
        number=int(pool.number[a]),
        time_ms=int(pool.total[Total.NOW_NS]) // MS_NS,
        legs=legs,
        totals=totals,
        unknown=dict.fromkeys(NAMES, NO_MARKET) if is_unknown else {},
    )


def structures_of(record: PoolRecord, a: int, owner: str, markets: Markets) -> Structures:
    """Return where the options of an account bring it down; the search takes up to seconds."""
    found: list[StructurePrices] = []
    unknown = {}
    for u, underlying in enumerate(record.spec.underlyings):
        coin = coin_of(record, u, markets)
        if not options_on(record.pool, a, u):
            continue
        if coin is None:
            unknown["structures"] = NO_MARKET
            continue
        alone = without_others(record.pool, a, u)
        found += structure_prices(record.spec, alone, a, {underlying.name: coin})
    return Structures(
        pool=record.id.hex(),
        owner=owner,
        number=int(record.pool.number[a]),
        time_ms=int(record.pool.total[Total.NOW_NS]) // MS_NS,
        structures=found,
        unknown=unknown,
    )


def _held(pool: Pool, a: int, u: int) -> list[int]:
    some = range(pool.first_instrument[u], pool.first_instrument[u + 1])
    return [i for i in some if pool.size[a, i]]


class _Option(NamedTuple):
    volatility: float
    of_one: Figures  # of one contract


def _known(
    record: PoolRecord, coin: CoinMarket | None, held: list[int], options: list[int]
) -> dict[int, _Option]:
    """What one contract of each position is sensitive to, as far as that is known."""
    linear = {i: _Option(0.0, Figures(1.0)) for i in held if i not in options}
    if coin is None or not options:
        return linear
    return linear | _of_options(record, coin, options)


def _of_options(record: PoolRecord, coin: CoinMarket, options: list[int]) -> dict[int, _Option]:
    now_ns = int(record.pool.total[Total.NOW_NS])
    book = option_book(record.pool, coin, options, now_ns)
    found = black76.greeks(
        book.forward, book.strike, book.time, book.volatility, book.is_call, book.discount_rate
    )
    # Inside of its settlement window only a part of what an option settles at still moves.
    share = book.variable / coin.spot
    columns = (
        np.asarray(found.delta) * share,
        np.asarray(found.gamma) * share * share,
        np.asarray(found.vega),
        np.asarray(found.theta) / DAYS,
        np.asarray(found.rho),
    )
    return {
        i: _Option(float(book.volatility[k]), Figures(*(float(c[k]) for c in columns)))
        for k, i in enumerate(options)
    }


def _scaled(figures: Figures, size: float) -> Figures:
    return Figures(*(x * size for x in figures))


def _leg(record: PoolRecord, a: int, u: int, i: int, known: _Option | None) -> Leg:
    size = int(record.pool.size[a, i])
    is_option = bool(record.pool.option_side[i])
    figures = None if known is None else _scaled(known.of_one, size / UNIT)
    return Leg(
        instrument=record.spec.instruments[i].name,
        underlying=record.spec.underlyings[u].name,
        size=decimal(size, UNIT),
        volatility=_text(known.volatility) if known is not None and is_option else None,
        greeks=_shown(figures),
    )


def _sum(record: PoolRecord, a: int, u: int, known: dict[int, _Option] | None) -> Sum:
    pool = record.pool
    assets = [c for c in range(1, len(pool.asset_underlying)) if pool.asset_underlying[c] == u]
    collateral = Figures(sum(int(pool.balance[a, c]) for c in assets) / UNIT)
    legs = None
    if known is not None:
        legs = Figures(0.0)
        for i, option in known.items():
            legs = legs.plus(_scaled(option.of_one, int(pool.size[a, i]) / UNIT))
    price = int(pool.index_price[u])
    return Sum(
        underlying=record.spec.underlyings[u].name,
        price=decimal(price, PRICE_UNIT) if price else None,
        legs=_shown(legs),
        collateral=_shown(collateral),
        together=_shown(None if legs is None else legs.plus(collateral)),
    )


def _shown(figures: Figures | None) -> Greeks:
    if figures is None:
        return Greeks(None, None, None, None, None)
    return Greeks(*map(_text, figures))


def _text(value: float) -> str:
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
