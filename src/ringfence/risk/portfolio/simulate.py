"""The simulator: requirement, scenarios, Greeks, health and liquidation prices of a portfolio.

Stateless: everything comes in as arguments, nothing is kept. Also the two questions that a
trader asks next: what does this trade change, and how much of it can I add.
"""

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from ringfence.risk.portfolio.book import Account, account_of
from ringfence.risk.portfolio.greeks import greeks_of, option_name
from ringfence.risk.portfolio.liquidation import largest_size, liquidation_prices
from ringfence.risk.portfolio.model import Model, ScenarioModel
from ringfence.risk.portfolio.outlook import outlook_of
from ringfence.risk.portfolio.reading import PortfolioError, Trade, check
from ringfence.risk.portfolio.report import Addition, Change, MarginReport
from ringfence.risk.portfolio.standing import assess, health
from ringfence.risk.portfolio.terms import Leg, Market, Option, Portfolio


def simulate(
    portfolio: Portfolio,
    market: Market,
    model: Model,
    trades: Sequence[Trade] = (),
    *,
    outlook: bool = False,
) -> MarginReport:
    """Report on a portfolio at market under a model, and on trades that might come on top.

    outlook: also what moves cost, the matrix of spot and volatility, and curves over spot.

    Raises:
        PortfolioError: The market does not know what the portfolio holds, or figures are so
            large that results leave the range of float64.
    """
    check(portfolio, market, model)
    # Overflow shows in the results, which are checked.
    with np.errstate(over="ignore", invalid="ignore"):
        return _report(portfolio, market, model, trades, outlook=outlook)


def _report(
    portfolio: Portfolio,
    market: Market,
    model: Model,
    trades: Sequence[Trade],
    *,
    outlook: bool,
) -> MarginReport:
    account = account_of(portfolio, market, model)
    found = assess(account, model)
    for name, level in found.levels.items():
        if not math.isfinite(level.excess):
            fix = "look for a size, price, volatility, rate or time that is far too large"
            raise PortfolioError("portfolio", f"its {name} excess is {level.excess}", fix)
    liquidation = tuple(
        liquidation_prices(book.name, book.spot, _excess_after_move(account, model, book.name))
        for book in account.books
    )
    return MarginReport(
        model=model.name,
        kind="scenario" if isinstance(model, ScenarioModel) else "standard",
        equity=found.equity,
        levels=found.levels,
        underlyings=found.underlyings,
        greeks=greeks_of(account, portfolio),
        health=health(found),
        liquidation=liquidation,
        trades=tuple(addition(portfolio, market, model, trade) for trade in trades),
        outlook=outlook_of(account, model, liquidation) if outlook else None,
    )


def _excess_after_move(account: Account, model: Model, name: str) -> Callable[[float], float]:
    return lambda move: assess(account.moved(name, move), model).levels["maintenance"].excess


def change(portfolio: Portfolio, market: Market, model: Model, trade: Trade) -> tuple[Change, ...]:
    """Return what a trade changes, level by level."""
    before = assess(account_of(portfolio, market, model), model).levels
    after = assess(account_of(_with(portfolio, market, model, trade), market, model), model).levels
    return tuple(
        Change(
            level=name,
            before=old,
            after=after[name],
            requirement=after[name].requirement - old.requirement,
            excess=after[name].excess - old.excess,
        )
        for name, old in before.items()
    )


def largest_addition(
    portfolio: Portfolio, market: Market, model: Model, trade: Trade
) -> tuple[float | None, str | None]:
    """Largest size of a trade that keeps initial margin, on its side; None with a reason.

    The size that the trade states is a start for the search, its sign the side.
    """
    side = -1.0 if trade.leg.size < 0 else 1.0

    def excess(size: float) -> float:
        sized = msgspec.structs.replace(trade.leg, size=side * size)
        added = _with(portfolio, market, model, msgspec.structs.replace(trade, leg=sized))
        return assess(account_of(added, market, model), model).levels["initial"].excess

    size, reason = largest_size(excess, abs(trade.leg.size) or 1.0)
    return None if size is None else side * size, reason


def addition(portfolio: Portfolio, market: Market, model: Model, trade: Trade) -> Addition:
    """Return what a trade changes and how much of it fits."""
    size_max, reason = largest_addition(portfolio, market, model, trade)
    leg = trade.leg
    return Addition(
        leg=option_name(leg) if isinstance(leg, Option) else f"{leg.underlying} perpetual",
        size=leg.size,
        price=mark(leg, market, model) if trade.price is None else trade.price,
        changes=change(portfolio, market, model, trade),
        size_max=size_max,
        size_reason=reason,
    )


def mark(leg: Leg, market: Market, model: Model) -> float:
    """Mark price of a leg, per coin."""
    if isinstance(leg, Option):
        alone = Portfolio(options=(msgspec.structs.replace(leg, size=1.0),))
        return float(account_of(alone, market, model).books[0].marks()[0])
    coin = market.underlyings[leg.underlying]
    return coin.spot if coin.perpetual is None else coin.perpetual


def _with(portfolio: Portfolio, market: Market, model: Model, trade: Trade) -> Portfolio:
    """Return the portfolio after a trade: options are paid for in cash, perpetuals entered."""
    leg = trade.leg
    price = mark(leg, market, model) if trade.price is None else trade.price
    if isinstance(leg, Option):
        return portfolio.adding(leg, cost=price * leg.size)
    entered = msgspec.structs.replace(leg, entry_price=price, unrealized_pnl=None)
    return portfolio.adding(entered)
