"""A market of one coin, and portfolios at it, for the tests of the simulator."""

from ringfence.risk.portfolio import Collateral, Expiry, Market, Option, Perpetual, Portfolio
from ringfence.risk.portfolio.terms import Underlying

SPOT = 3000.0


def market(spot=SPOT, *, rate=0.04, volatility=0.6, confidence=1.0, stable=1.0):
    expiries = {
        "near": Expiry(spot * 1.004, days=30, rate=rate, volatility=volatility),
        "far": Expiry(spot * 1.012, days=120, rate=rate, volatility=volatility + 0.02),
    }
    coin = Underlying(spot, confidence, spot * 1.0005, 1.0, expiries)
    return Market({"ETH": coin}, stable)


def option(strike, size, side="call", expiry="near"):
    return Option("ETH", expiry, strike, side, size)


def perpetual(size, entry=None):
    return Perpetual("ETH", size, entry)


def coins(amount, **more):
    return Collateral("ETH", amount, underlying="ETH", **more)


def portfolio(*legs, cash=0.0, collateral=()):
    return Portfolio(
        cash,
        tuple(collateral),
        tuple(leg for leg in legs if isinstance(leg, Perpetual)),
        tuple(leg for leg in legs if isinstance(leg, Option)),
    )
