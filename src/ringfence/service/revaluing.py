"""An account at other prices and volatilities, everything on an underlying valued anew.

What is linear follows the price, so the core's own columns are moved. Options and the risk
arrays of a scenario grid are revalued at a market, and a venue knows one only while its prices
are played; without it such figures are unknown, and the reason says so.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ringfence.core.pool import MarginModel, Pool, copied
from ringfence.risk.scenarios import CoinMarket, Volatilities
from ringfence.risk.shocks import SHOCK_UNIT, shocked
from ringfence.risk.structure import at_market, moved
from ringfence.units import PPM, PRICE_UNIT
from ringfence.venue.state import PoolRecord

Markets = Mapping[str, CoinMarket]  # by underlying

NO_MARKET = (
    "options have to be revalued for it, and this venue knows no volatility surface: "
    "it does only while prices are played"
)


class Scaled(NamedTuple):
    """A surface with all of its volatilities times a factor."""

    surface: Volatilities
    factor: float

    def volatility(self, strike: ArrayLike, time: ArrayLike) -> Any:
        """Return the volatilities."""
        return self.surface.volatility(strike, time) * self.factor


class Move(NamedTuple):
    """A move of one underlying; shares in ppm."""

    price: int = 0
    volatility: int = 0
    at_ns: int | None = None  # moment of the valuation; the pool's own by default


def options_on(pool: Pool, a: int, u: int) -> list[int]:
    """Options of an underlying that the account holds."""
    some = range(pool.first_instrument[u], pool.first_instrument[u + 1])
    return [i for i in some if pool.option_side[i] and pool.size[a, i]]


def is_revalued(pool: Pool, a: int, u: int) -> bool:
    """Whether moves of an underlying take a market to work out for an account."""
    is_scenario = pool.margin_model[0] == MarginModel.SCENARIO
    some = slice(int(pool.first_instrument[u]), int(pool.first_instrument[u + 1]))
    return bool(options_on(pool, a, u)) or (is_scenario and bool(pool.size[a, some].any()))


def coin_of(record: PoolRecord, u: int, markets: Markets) -> CoinMarket | None:
    """The market of an underlying, brought to the index price that the pool has."""
    coin = markets.get(record.spec.underlyings[u].name)
    price = int(record.pool.index_price[u]) / PRICE_UNIT
    return moved(coin, price / coin.spot) if coin is not None and price > 0 else None


class Revaluing:
    """One account of a pool, asked about at moves of one underlying."""

    def __init__(self, record: PoolRecord, a: int, u: int, markets: Markets) -> None:
        self._spec, self._u = record.spec, u
        self._pool = record.pool
        self._coin: CoinMarket | None = None
        self.unknown: str | None = None
        if is_revalued(record.pool, a, u):
            self._coin = coin_of(record, u, markets)
            self.unknown = NO_MARKET if self._coin is None else None
            self._pool = without_others(record.pool, a, u)

    def pool(self, move: Move) -> Pool:
        """Return the pool after a move; only the account's own figures count in it."""
        assert self.unknown is None, self.unknown
        if self._coin is None:
            return shocked(self._pool, SHOCK_UNIT + move.price * SHOCK_UNIT // PPM, self._u)
        coin = moved(self._coin, 1.0 + move.price / PPM)
        if move.volatility:
            coin = coin._replace(surface=Scaled(coin.surface, 1.0 + move.volatility / PPM))
        return at_market(self._spec, self._pool, self._u, coin, move.at_ns)


def without_others(pool: Pool, a: int, u: int) -> Pool:
    """Return a copy in which what the account does not hold is left out of valuations."""
    twin = copied(pool)
    some = slice(int(pool.first_instrument[u]), int(pool.first_instrument[u + 1]))
    twin.expired[some] = np.where(pool.size[a, some] == 0, 1, pool.expired[some])
    return twin


def with_price(record: PoolRecord, u: int, price: int, markets: Markets) -> PoolRecord | None:
    """Return the pool at another price of an underlying; None: it takes a market to do that."""
    pool = record.pool
    some = slice(int(pool.first_instrument[u]), int(pool.first_instrument[u + 1]))
    is_alive = (pool.option_side[some] != 0) & (pool.expired[some] == 0)
    if is_alive.any() or pool.margin_model[0] == MarginModel.SCENARIO:
        coin = coin_of(record, u, markets)
        if coin is None:
            return None
        at = moved(coin, price / PRICE_UNIT / coin.spot)
        valued = at_market(record.spec, pool, u, at)
        index = valued.index_price.copy()
        index[u] = price
        return replace(record, pool=valued.replaced(index_price=index))
    index, marks = pool.index_price.copy(), pool.mark_price.copy()
    index[u] = price
    marks[some] = price // pool.tick[some] * pool.tick[some]
    return replace(record, pool=pool.replaced(index_price=index, mark_price=marks))
