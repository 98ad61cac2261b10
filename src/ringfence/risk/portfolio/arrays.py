"""Risk arrays: what one unit of a leg gains in each scenario, as clearing houses publish them."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from ringfence.risk.portfolio.book import Book, Floats, account_of
from ringfence.risk.portfolio.model import SKEWS, Discount, ScenarioModel
from ringfence.risk.portfolio.scenario import move_of, scenario_profits, shocked_volatilities
from ringfence.risk.portfolio.terms import Leg, Market, Option, Portfolio


def risk_array(leg: Leg, market: Market, model: ScenarioModel) -> Floats:
    """Profit of one coin of a leg, whatever its size, in each scenario of the model."""
    one = msgspec.structs.replace(leg, size=1.0)
    options = (one,) if isinstance(one, Option) else ()
    perpetuals = () if isinstance(one, Option) else (one,)
    (book,) = (
        book
        for book in account_of(Portfolio(0.0, (), perpetuals, options), market, model).books
        if book.name == leg.underlying
    )
    linear = float(book.perpetual_size.sum()) * book.perpetual_price
    return scenario_profits(book, model, model.scenarios, linear)


def option_arrays(book: Book, model: ScenarioModel) -> Floats:
    """Profit of one coin of every option of a book, whatever its size: [option, scenario].

    Of the rows that move every option on its own, that is all but the skews, which count by
    the sum of an expiry.

    Raises:
        ValueError: The model discounts by the sign of an expiry's value, so that an option has
            no profit of its own.
    """
    if model.discount != Discount():
        raise ValueError(f"options have no risk arrays of their own in the model {model.name}")
    rows = [row for row in model.scenarios if row.volatility not in SKEWS]
    ones = book._replace(size=np.ones(len(book.size)))
    shocked = shocked_volatilities(ones, model)
    volatility = np.array([shocked[row.volatility] for row in rows])
    moves = np.array([move_of(row, model) for row in rows])
    forward = book.forward + np.outer(moves, book.variable)
    profits = ones.option_values(forward, volatility) - ones.marks()
    return (profits * np.array([[row.dampening] for row in rows])).T


def scanning_risk(arrays: Sequence[ArrayLike], sizes: Sequence[float]) -> tuple[float, int]:
    """Largest loss of a portfolio of risk arrays (>= 0), and the scenario it arises in."""
    combined = np.asarray(sizes, dtype=float) @ np.asarray(arrays, dtype=float)
    worst = int(combined.argmin())
    return max(0.0, -float(combined[worst])), worst
