"""Risk arrays: what one unit of a leg gains in each scenario, as clearing houses publish them."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from ringfence.risk.portfolio.book import Floats, account_of
from ringfence.risk.portfolio.model import ScenarioModel
from ringfence.risk.portfolio.scenario import scenario_profits
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


def scanning_risk(arrays: Sequence[ArrayLike], sizes: Sequence[float]) -> tuple[float, int]:
    """Largest loss of a portfolio of risk arrays (>= 0), and the scenario it arises in."""
    combined = np.asarray(sizes, dtype=float) @ np.asarray(arrays, dtype=float)
    worst = int(combined.argmin())
    return max(0.0, -float(combined[worst])), worst
