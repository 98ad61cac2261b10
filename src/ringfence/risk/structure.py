"""Prices of an underlying at which an account with options falls, revalued at a market.

A structure may fall on either side, and it may be healthy again further away; the prices asked
for are those first reached from where spot is. Marks and risk arrays are made anew at every
price, volatilities staying with the strikes, and the core's own integers decide.
"""

from collections.abc import Mapping

import numpy as np

from ringfence.core.health import equity, excess
from ringfence.core.log import empty_log, room_for_one
from ringfence.core.machine import apply
from ringfence.core.pool import Level, Pool, Total, copied
from ringfence.core.spec import PoolSpec
from ringfence.risk.scenarios import CoinMarket, valuation_rows
from ringfence.risk.shocks import Range
from ringfence.units import PRICE_UNIT

STEP = 1.02  # from one look to the next; between two of them a structure is taken to fall once
LOOKS = 120  # up to a tenth, or ten times, of spot
CLOSE = 1e-6  # relative, at which the search ends


def moved(coin: CoinMarket, scale: float) -> CoinMarket:
    """Return the market of a coin with spot, perpetual and forwards times a scale."""
    perpetual = None if coin.perpetual is None else coin.perpetual * scale
    forward = {end: price * scale for end, price in coin.forward.items()}
    return coin._replace(spot=coin.spot * scale, perpetual=perpetual, forward=forward)


def at_market(
    spec: PoolSpec, pool: Pool, u: int, coin: CoinMarket, at_ns: int | None = None
) -> Pool:
    """Return a copy of the pool with everything on an underlying valued at a market.

    at_ns: Moment of the valuation, for what options are worth later; the pool's own by default.
    """
    twin = copied(pool)
    twin.index_price[u] = round(coin.spot * PRICE_UNIT)
    mark = coin.spot if coin.perpetual is None else coin.perpetual
    for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        if pool.option_side[i] == 0 and not pool.expired[i]:
            ticks = round(mark * PRICE_UNIT / int(pool.tick[i]))
            twin.mark_price[i] = max(ticks, 1) * pool.tick[i]
    market = {spec.underlyings[u].name: coin}
    now_ns = int(pool.total[Total.NOW_NS]) if at_ns is None else at_ns
    # Averages of a settlement window hold the prices that were, so they are the pool's own.
    batch = valuation_rows(spec, pool, market, now_ns)
    # What breaks a limit at such a price keeps its last value: there the search ends anyway.
    apply(twin, batch, np.zeros(len(batch), dtype=np.int64), empty_log(room_for_one(pool)))
    return twin


class Revaluation:
    """One account of a pool, asked about at other prices of one underlying."""

    def __init__(
        self, spec: PoolSpec, pool: Pool, a: int, u: int, market: Mapping[str, CoinMarket]
    ) -> None:
        self._spec, self._pool, self._a, self._u = spec, pool, a, u
        self._coin = market[spec.underlyings[u].name]
        highest = int(pool.price_max[u]) / PRICE_UNIT
        self._limit = highest / self._coin.spot
        self._known: dict[float, tuple[bool, bool]] = {}

    def is_good(self, scale: float, *, bankruptcy: bool) -> bool:
        """Whether the account is at maintenance, or worth something, at a scale of spot.

        Both are asked about the same scales, so an answer to one is kept for the other.
        """
        if scale not in self._known:
            twin = at_market(self._spec, self._pool, self._u, moved(self._coin, scale))
            is_kept = excess(twin, self._a, Level.MAINTENANCE) >= 0
            self._known[scale] = bool(is_kept), bool(equity(twin, self._a) >= 0)
        return self._known[scale][bankruptcy]

    def interval(self, *, bankruptcy: bool = False) -> Range | None:
        """First prices below and above spot at which it is not good; None: it is not now."""
        if not self.is_good(1.0, bankruptcy=bankruptcy):
            return None
        return Range(
            self._end(1.0 / STEP, bankruptcy=bankruptcy), self._end(STEP, bankruptcy=bankruptcy)
        )

    def _end(self, step: float, *, bankruptcy: bool) -> int | None:
        good, scale = 1.0, step
        for _ in range(LOOKS):
            if scale > self._limit:
                return None
            if not self.is_good(scale, bankruptcy=bankruptcy):
                return self._between(good, scale, bankruptcy=bankruptcy)
            good, scale = scale, scale * step
        return None

    def _between(self, good: float, bad: float, *, bankruptcy: bool) -> int:
        while abs(bad / good - 1.0) > CLOSE:
            middle = (good + bad) / 2.0
            if self.is_good(middle, bankruptcy=bankruptcy):
                good = middle
            else:
                bad = middle
        return round(self._coin.spot * good * PRICE_UNIT)
