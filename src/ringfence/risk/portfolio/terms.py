"""What the simulator takes in: a portfolio, and the market it is valued at.

Floats on purpose: the simulator answers "what if", it decides nothing and moves no money. All
values are in the settlement currency, sizes in coins (long > 0), rates and volatilities per
1.00 and year, confidences between 0 and 1.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

DAY = 86_400  # seconds
YEAR = 365 * DAY  # seconds

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Direction = Literal["call", "put"]


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything that a file may state: unknown fields are mistakes."""


class Collateral(Terms, frozen=True):
    """Coins deposited; with an underlying their price follows it."""

    asset: str
    amount: NotNegative
    price: NotNegative | None = None  # None: the spot price of the underlying
    underlying: str | None = None
    is_offsetting: bool = True  # whether its move counts in the scenarios of the underlying
    confidence: Share = 1.0
    haircuts: dict[str, Share] | None = None  # by level; None: those of the model


class Perpetual(Terms, frozen=True, tag_field="leg", tag="perpetual"):
    """A position in the perpetual of an underlying."""

    underlying: str
    size: float
    entry_price: NotNegative | None = None  # None: at the mark price
    unrealized_pnl: float | None = None  # instead of an entry price
    funding: float = 0.0  # not yet paid; received > 0


class Option(Terms, frozen=True, tag_field="leg", tag="option"):
    """A position in a European option."""

    underlying: str
    expiry: str
    strike: Positive
    type: Direction
    size: float
    volatility: NotNegative | None = None  # None: that of the expiry


Leg = Perpetual | Option


class Portfolio(Terms, frozen=True):
    """All that an account holds."""

    cash: float = 0.0
    collateral: tuple[Collateral, ...] = ()
    perpetuals: tuple[Perpetual, ...] = ()
    options: tuple[Option, ...] = ()

    def adding(self, leg: Leg, cost: float = 0.0) -> "Portfolio":
        """Return the portfolio with one more leg, paid for in cash."""
        if isinstance(leg, Option):
            added = msgspec.structs.replace(self, options=(*self.options, leg))
        else:
            added = msgspec.structs.replace(self, perpetuals=(*self.perpetuals, leg))
        return msgspec.structs.replace(added, cash=self.cash - cost)


class Expiry(Terms, frozen=True):
    """What the market says about one expiry; state its time in days or in seconds."""

    forward: Positive
    days: NotNegative | None = None
    seconds: NotNegative | None = None
    rate: float = 0.0
    volatility: NotNegative | None = None  # of options that state none of their own
    confidence: Share = 1.0  # the lowest of forward, rate and volatility
    settled: NotNegative | None = None  # average so far of the settlement price
    settled_share: Share | None = None  # None: from the settlement window of the model


class Underlying(Terms, frozen=True):
    """What the market says about one coin."""

    spot: Positive
    confidence: Share = 1.0
    perpetual: Positive | None = None  # mark price of the perpetual; None: spot
    perpetual_confidence: Share = 1.0
    expiries: dict[str, Expiry] = {}


class Market(Terms, frozen=True):
    """Prices of everything, at one moment."""

    underlyings: dict[str, Underlying]
    stable_price: Positive = 1.0  # of the settlement currency, in dollars
