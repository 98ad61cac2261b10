"""A market from quotes: forwards as they are quoted, volatilities from a fitted surface."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from ringfence.pricing.surface import Quotes, Surface
from ringfence.risk.portfolio.book import years
from ringfence.risk.portfolio.reading import PortfolioError, Trade
from ringfence.risk.portfolio.terms import YEAR, Expiry, Leg, Market, Option, Portfolio, Underlying


class CoinQuotes(NamedTuple):
    """What is quoted of one coin at one moment."""

    spot: float
    expiries: Mapping[str, Quotes]  # by name, with or without options


class QuotedMarket(NamedTuple):
    """A market, and the surface of each of its underlyings."""

    market: Market
    surfaces: Mapping[str, Surface]

    def with_volatilities(self, portfolio: Portfolio) -> Portfolio:
        """Return the portfolio with the surface's volatility where an option states none."""
        options = tuple(self._option(option) for option in portfolio.options)
        return msgspec.structs.replace(portfolio, options=options)

    def traded(self, trades: Sequence[Trade]) -> tuple[Trade, ...]:
        """Return trades with the surface's volatility where an option states none."""
        return tuple(msgspec.structs.replace(t, leg=self._leg(t.leg)) for t in trades)

    def _leg(self, leg: Leg) -> Leg:
        return self._option(leg) if isinstance(leg, Option) else leg

    def _option(self, option: Option) -> Option:
        if option.volatility is not None:
            return option
        time = years(self.market.underlyings[option.underlying].expiries[option.expiry])
        found = float(self.surfaces[option.underlying].volatility(option.strike, time))
        return msgspec.structs.replace(option, volatility=found)


def quoted_market(coins: Mapping[str, CoinQuotes]) -> QuotedMarket:
    """Fit a surface to each coin's quotes; an expiry's own volatility is that at its forward.

    Raises:
        PortfolioError: The quotes of a coin make no surface.
    """
    surfaces, underlyings = {}, {}
    for name, coin in coins.items():
        where = f"market.underlyings.{name}"
        if not (np.isfinite(coin.spot) and coin.spot > 0):
            raise PortfolioError(f"{where}.spot", f"it is {coin.spot}", "quote a positive price")
        try:
            surface = Surface.from_quotes(coin.expiries.values(), spot=coin.spot)
        except ValueError as error:
            fix = "quote bid and ask of at least one option"
            raise PortfolioError(where, str(error), fix) from None
        surfaces[name] = surface
        underlyings[name] = Underlying(
            spot=coin.spot,
            expiries={
                expiry: Expiry(
                    forward=quotes.forward,
                    seconds=quotes.time * YEAR,
                    volatility=float(surface.volatility(quotes.forward, quotes.time)),
                )
                for expiry, quotes in coin.expiries.items()
            },
        )
    return QuotedMarket(Market(underlyings), surfaces)
