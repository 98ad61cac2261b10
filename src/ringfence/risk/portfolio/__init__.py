"""The stateless margin simulator: a portfolio and a market in, requirements and risk out.

In float64 and apart from the engine: it answers what a portfolio would need under a model of
choice, and decides nothing. `simulate` is the entry; models are data (model.py, presets/).
"""

from ringfence.risk.portfolio.arrays import risk_array, scanning_risk
from ringfence.risk.portfolio.asking import trade_of
from ringfence.risk.portfolio.fair_value import fair_value
from ringfence.risk.portfolio.model import Model, ScenarioModel, StandardModel
from ringfence.risk.portfolio.presets import PRESETS
from ringfence.risk.portfolio.quoted import CoinQuotes, QuotedMarket, quoted_market
from ringfence.risk.portfolio.reading import PortfolioError, Question, Trade, model_of, read
from ringfence.risk.portfolio.report import MarginReport
from ringfence.risk.portfolio.simulate import change, largest_addition, simulate
from ringfence.risk.portfolio.terms import (
    Collateral,
    Expiry,
    Market,
    Option,
    Perpetual,
    Portfolio,
    Underlying,
)

__all__ = [
    "PRESETS",
    "CoinQuotes",
    "Collateral",
    "Expiry",
    "MarginReport",
    "Market",
    "Model",
    "Option",
    "Perpetual",
    "Portfolio",
    "PortfolioError",
    "Question",
    "QuotedMarket",
    "ScenarioModel",
    "StandardModel",
    "Trade",
    "Underlying",
    "change",
    "fair_value",
    "largest_addition",
    "model_of",
    "quoted_market",
    "read",
    "risk_array",
    "scanning_risk",
    "simulate",
    "trade_of",
]
