"""What the simulator answers with; every part of a requirement is named, nothing is netted away.

Numbers are floats: the results of a model, not amounts of a ledger. Unknown is None, with a
reason beside it.
"""

import msgspec

from ringfence.risk.portfolio.model import LevelName


class Contingencies(msgspec.Struct, frozen=True):
    """Additions to a requirement that no scenario shows; each >= 0."""

    options: float = 0.0  # net short options per strike
    perpetuals: float = 0.0
    collateral: float = 0.0  # haircuts
    confidence: float = 0.0  # uncertain prices
    peg: float = 0.0  # a settlement currency below its peg

    def total(self) -> float:
        """Return the sum."""
        return self.options + self.perpetuals + self.collateral + self.confidence + self.peg


class Requirement(msgspec.Struct, frozen=True):
    """What one level asks for, and how far equity is from it."""

    requirement: float
    excess: float  # equity - requirement; negative: the level is broken
    loss: float  # of the worst scenarios, or of the rules, times the factor of the level
    delta_floor: float  # least that counts instead of `loss`
    contingencies: Contingencies


class Equity(msgspec.Struct, frozen=True):
    """What the account is worth, collateral before its haircuts."""

    total: float
    cash: float
    collateral: float
    perpetuals: float  # profit and funding not yet paid
    options: float


class ScenarioResult(msgspec.Struct, frozen=True):
    """Profit of one underlying in one scenario."""

    name: str
    spot_move: float
    volatility: str
    dampening: float
    profit: float  # as it counts: after discounts and dampening


class ExpiryMargin(msgspec.Struct, frozen=True):
    """Rule-based margin of one expiry and level; negative: a charge. The larger one counts."""

    expiry: str
    level: str
    isolated: float  # sum over options sold
    bounded: float  # largest possible loss of the expiry
    margin: float


class UnderlyingResult(msgspec.Struct, frozen=True):
    """Risk of one underlying."""

    underlying: str
    spot: float
    scenarios: tuple[ScenarioResult, ...]
    basis: float  # profit of the basis contingency, <= 0
    worst: str | None  # name of the worst scenario; None: none loses, or there are no scenarios
    worst_profit: float
    expiries: tuple[ExpiryMargin, ...] = ()


class LegGreeks(msgspec.Struct, frozen=True):
    """Sensitivities of one leg, in coins and in the settlement currency ("cash")."""

    leg: str
    underlying: str
    size: float | None  # None in a total: sizes of unlike legs do not add up
    value: float  # cash
    value_coin: float
    delta: float  # coins
    delta_cash: float  # delta times spot
    delta_less_value: float  # coins; delta of a book whose options are paid for in coins
    gamma: float  # coins of delta per 1.00 of price
    gamma_cash: float  # cash of delta_cash per move of 1 %
    vega: float  # cash per 1.00 of volatility
    vega_coin: float
    theta: float  # cash per day
    theta_coin: float
    rho: float  # cash per 1.00 of rate


class Greeks(msgspec.Struct, frozen=True):
    """Sensitivities of every leg, of each underlying, and of all of them in cash."""

    legs: tuple[LegGreeks, ...]
    totals: tuple[LegGreeks, ...]  # one an underlying
    delta_cash: float
    gamma_cash: float
    vega: float
    theta: float
    rho: float


class LiquidationPrices(msgspec.Struct, frozen=True):
    """Spot prices at which maintenance is lost, all forwards moving alike, volatilities kept."""

    underlying: str
    spot: float
    lower: float | None
    lower_reason: str | None  # why there is none
    lower_distance: float | None  # relative
    upper: float | None
    upper_reason: str | None
    upper_distance: float | None


class Health(msgspec.Struct, frozen=True):
    """Standing at maintenance; a factor of 1 is where liquidation begins."""

    health_factor: float | None
    health_reason: str | None
    margin_usage: float | None  # initial requirement per equity
    usage_reason: str | None


class Change(msgspec.Struct, frozen=True):
    """What one level asks for before and after a trade."""

    level: str
    before: Requirement
    after: Requirement
    requirement: float  # difference
    excess: float  # difference


class Addition(msgspec.Struct, frozen=True):
    """A trade that was asked about: what it changes, and how much of it fits."""

    leg: str
    size: float
    price: float
    changes: tuple[Change, ...]
    size_max: float | None  # largest that keeps initial margin; None: see the reason
    size_reason: str | None


class Cost(msgspec.Struct, frozen=True):
    """What one move does to the account, revalued in full."""

    move: str
    underlying: str | None  # None: all of them alike
    profit: float
    share: float | None  # of collateral; None: there is none
    health_factor: float | None  # afterwards; None: nothing is owed or required


class Cell(msgspec.Struct, frozen=True):
    """The account after a move of spot and of volatility."""

    spot_move: float  # relative
    volatility_move: float  # relative
    profit: float
    health_factor: float | None  # None: nothing is owed or required
    excess: float  # at maintenance; negative: liquidated


class Matrix(msgspec.Struct, frozen=True):
    """Moves of one underlying by moves of volatility, spot falling, volatility rising."""

    underlying: str
    spot: float
    cells: tuple[Cell, ...]


class Point(msgspec.Struct, frozen=True):
    """The account where spot is elsewhere; profit since now."""

    spot: float
    profit: float
    health_factor: float | None
    excess: float


class Curve(msgspec.Struct, frozen=True):
    """The account over the spot price of one underlying, now and at its nearest expiry."""

    underlying: str
    expiry: str | None  # None: there are no options of it
    now: tuple[Point, ...]
    at_expiry: tuple[Point, ...]  # empty without an expiry


class Outlook(msgspec.Struct, frozen=True):
    """What might come: costs against collateral, matrices and curves."""

    collateral: float  # cash and coins, before haircuts
    costs: tuple[Cost, ...]
    matrices: tuple[Matrix, ...]
    curves: tuple[Curve, ...]


class MarginReport(msgspec.Struct, frozen=True):
    """Answer of the simulator."""

    model: str
    kind: str
    equity: Equity
    levels: dict[LevelName, Requirement]
    underlyings: tuple[UnderlyingResult, ...]
    greeks: Greeks
    health: Health
    liquidation: tuple[LiquidationPrices, ...]
    trades: tuple[Addition, ...] = ()
    outlook: Outlook | None = None  # where it was asked for


class Assessment(msgspec.Struct, frozen=True):
    """The part of a report that a model computes."""

    equity: Equity
    levels: dict[LevelName, Requirement]
    underlyings: tuple[UnderlyingResult, ...]
