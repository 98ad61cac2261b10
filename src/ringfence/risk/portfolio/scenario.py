"""The scenario model: the worst of a grid of revaluations, and contingencies on top.

Per underlying, profit of an expiry = factor(value) * value shocked - value now; perpetuals and
offsetting collateral move with spot. The two skew shocks count with their size, whichever way
they go. Requirements of several underlyings add up: no offset between coins.

Source: the published portfolio margin rules of Derive (v2-core, PMRM and PMRM_2) and SPAN,
which are instances of it (see presets/).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from ringfence.risk.portfolio.book import Account, Book, Floats, Holding
from ringfence.risk.portfolio.greeks import deltas
from ringfence.risk.portfolio.model import SKEWS, Level, Scenario, ScenarioModel, SkewShock
from ringfence.risk.portfolio.report import (
    Assessment,
    Contingencies,
    Equity,
    Requirement,
    ScenarioResult,
    UnderlyingResult,
)
from ringfence.risk.portfolio.terms import YEAR

DAYS = YEAR / 86_400
BASIS_NAME = "basis contingency"


def assess(account: Account, model: ScenarioModel) -> Assessment:
    """Compute requirement and excess of every level."""
    results = tuple(_underlying(account, book, model) for book in account.books)
    equity = equity_of(account, account.stable_price)
    levels = {
        name: _requirement(account, model, level, name, equity.total, results)
        for name, level in model.levels.items()
    }
    return Assessment(equity, levels, results)


def equity_of(account: Account, coin_price: float) -> Equity:
    """Worth of an account; coin_price: what the values of coins are divided by."""
    collateral = sum(h.value for h in account.holdings) / coin_price
    perpetuals = float(sum(b.perpetual_pnl.sum() for b in account.books))
    options = float(sum(b.marks().sum() for b in account.books))
    total = account.cash + collateral + perpetuals + options
    return Equity(total, account.cash, collateral, perpetuals, options)


def move_of(row: Scenario, model: ScenarioModel) -> float:
    """Relative move of spot in a scenario."""
    return row.spot + row.ranges * model.spot_range


def name_of(row: Scenario, model: ScenarioModel) -> str:
    """Return a scenario's name."""
    if row.volatility in SKEWS:
        return row.volatility.replace("-", " ")
    tail = "" if row.dampening == 1 else f", counted {row.dampening:.4g}"
    return f"spot {100 * move_of(row, model):+.4g} %, volatility {row.volatility}{tail}"


def shocked_volatilities(book: Book, model: ScenarioModel) -> dict[str, Floats]:
    """Volatility of each option under each kind of shock."""
    shock = model.volatility
    days = np.maximum(book.time * DAYS, shock.days_min)
    power = np.where(days <= shock.reference_days, shock.short_power, shock.long_power)
    # At expiry nothing is left that volatility could move; any finite figure serves.
    with np.errstate(divide="ignore"):
        m = np.where(days > 0, (shock.reference_days / days) ** power, 1.0)
    now = book.volatility
    shocked = {
        "none": now,
        "up": np.maximum(now * (1 + shock.up * m), shock.floor),
        "down": now * np.maximum(0.0, 1 - shock.down * m),
    }
    return shocked if model.skew is None else shocked | _skewed(book, model.skew)


def _skewed(book: Book, skew: SkewShock) -> dict[str, Floats]:
    root = np.sqrt(book.time)
    reach = skew.width_scale * root * (skew.width_static + skew.width_slope * root)
    width = np.maximum(skew.width_min, reach)
    k = np.log(book.strike / book.forward)
    # Without a width every strike is far out: x is infinite and the caps decide.
    x = np.divide(k, width, out=np.sign(k) * 1e9, where=width > 0)
    linear = skew.linear_cap + skew.linear_slope * root
    absolute = skew.absolute_cap + skew.absolute_slope * root
    tilt = np.where(x >= 0, np.minimum(linear, x * linear), np.maximum(-linear, x * linear))
    bend = np.minimum(absolute, np.abs(x) * absolute)
    return {
        "linear-skew": book.volatility * np.maximum(0.0, 1 + tilt),
        "absolute-skew": book.volatility * np.maximum(0.0, 1 + bend),
    }


def scenario_profits(
    book: Book, model: ScenarioModel, rows: Sequence[Scenario], linear: float
) -> Floats:
    """Profit of a book in each scenario; linear: value of all that moves along with spot."""
    moves = np.array([move_of(row, model) for row in rows])
    shocked = shocked_volatilities(book, model)
    volatility = np.array([shocked[row.volatility] for row in rows])
    forward = book.forward + np.outer(moves, book.variable)
    values = book.by_expiry(book.option_values(forward, volatility))
    profit = _discounted(book, model, values) - book.by_expiry(book.marks())
    is_skew = np.array([row.volatility in SKEWS for row in rows])
    profit[is_skew] = -np.abs(profit[is_skew])
    return (profit.sum(axis=1) + linear * moves) * np.array([row.dampening for row in rows])


def _discounted(book: Book, model: ScenarioModel, values: Floats) -> Floats:
    rule, time, rate = model.discount, book.expiries.time, book.expiries.rate
    gain = rule.gain_factor * np.exp(-time * (rate * rule.gain_rate_scale + rule.gain_rate_add))
    loss = rule.loss_factor * np.exp(time * (rate * rule.loss_rate_scale + rule.loss_rate_add))
    undone = np.exp(np.maximum(rate, 0.0) * time) if model.is_discounting_marks else 1.0
    factor = np.where(values >= 0, gain, np.minimum(loss, undone))
    return np.where(time > 0, factor, 1.0) * values


def basis_contingency(book: Book, model: ScenarioModel) -> float:
    """Profit (<= 0) where each expiry's forward moves on its own, the worse way."""
    rule = model.basis
    if rule is None or not book.expiries.names:
        return 0.0
    step = rule.ranges * model.spot_range
    moves = np.array([rule.up + step, rule.down - step])
    forward = book.forward + np.outer(moves, book.variable)
    change = book.option_values(forward, book.volatility) - book.marks()
    worst = np.minimum(book.by_expiry(change).min(axis=0), 0.0)
    return float((worst * (rule.add + rule.per_year * book.expiries.time)).sum())


def _underlying(account: Account, book: Book, model: ScenarioModel) -> UnderlyingResult:
    linear = float(book.perpetual_size.sum()) * book.perpetual_price
    linear += sum(h.value for h in account.holdings if h.is_in(book)) / account.stable_price
    profits = scenario_profits(book, model, model.scenarios, linear).tolist()
    rows = [
        ScenarioResult(name_of(row, model), move_of(row, model), row.volatility, row.dampening, p)
        for row, p in zip(model.scenarios, profits, strict=True)
    ]
    basis = basis_contingency(book, model)
    named: Iterable[tuple[float, str]] = [(basis, BASIS_NAME), *((r.profit, r.name) for r in rows)]
    worst, name = min(named, key=lambda item: item[0])
    is_loss = worst < 0
    return UnderlyingResult(
        underlying=book.name,
        spot=book.spot,
        scenarios=tuple(rows),
        basis=basis,
        worst=name if is_loss else None,
        worst_profit=worst if is_loss else 0.0,
    )


def _requirement(
    account: Account,
    model: ScenarioModel,
    level: Level,
    name: str,
    equity: float,
    results: tuple[UnderlyingResult, ...],
) -> Requirement:
    worst = -sum(r.worst_profit for r in results)
    peg = max(0.0, model.peg_threshold - account.stable_price) * level.peg_factor
    factor = level.loss_factor
    scale = factor + peg if level.is_scaling_contingencies else 1.0
    parts = Contingencies(
        options=scale * sum(level.option_rate * net_short(b) * b.spot for b in account.books),
        perpetuals=scale * sum(level.perpetual_rate * b.perpetuals() for b in account.books),
        collateral=scale
        * sum(_haircut(h, level, name, account) * h.value for h in account.holdings)
        / account.stable_price,
        confidence=level.confidence_rate * _uncertain(account, model.confidence_threshold),
        peg=peg * worst,
    )
    # Each underlying has its own floor, so that one's cannot hide behind another's loss.
    floors = [_delta_floor(account, book, level) for book in account.books]
    losses = [factor * -r.worst_profit for r in results]
    scanned = sum(max(loss, floor) for loss, floor in zip(losses, floors, strict=True))
    requirement = scanned + parts.total()
    return Requirement(requirement, equity - requirement, sum(losses), sum(floors), parts)


def net_short(book: Book) -> float:
    """Options sold and not bought back, calls and puts of a strike and expiry together."""
    net: dict[tuple[int, float], float] = {}
    columns = (book.expiries.of_option.tolist(), book.strike.tolist(), book.size.tolist())
    for expiry, strike, size in zip(*columns, strict=True):
        net[expiry, strike] = net.get((expiry, strike), 0.0) + size
    return -sum(min(size, 0.0) for size in net.values())


def _haircut(holding: Holding, level: Level, name: str, account: Account) -> float:
    if holding.terms.haircuts is not None and name in holding.terms.haircuts:
        return holding.terms.haircuts[name]
    is_offsetting = any(holding.is_in(book) for book in account.books)
    return level.offsetting_haircut if is_offsetting else level.haircut


def _uncertain(account: Account, threshold: float) -> float:
    """Value that uncertain prices concern, each weighed by 1 - confidence."""

    def weight(confidence: float) -> float:
        return 1 - confidence if confidence < threshold else 0.0

    total = 0.0
    for book in account.books:
        sizes = book.by_expiry(np.abs(book.size))
        options = (weight(c) * n for c, n in zip(book.expiries.confidence, sizes, strict=True))
        total += float(sum(options)) * book.spot
        total += weight(book.perpetual_confidence) * book.perpetuals()
    held = sum(weight(account.confidence(h)) * h.value for h in account.holdings)
    return total + held / account.stable_price


def _delta_floor(account: Account, book: Book, level: Level) -> float:
    """Least requirement for net and for hedged delta, in cash."""
    if not level.net_delta_rate and not level.hedged_delta_rate:
        return 0.0
    held = [h.value / book.spot for h in account.holdings if h.is_in(book)]
    perpetuals = book.perpetual_size * (book.perpetual_price / book.spot)
    parts = np.concatenate([deltas(book), perpetuals, held])
    bought, sold = parts[parts > 0].sum(), -parts[parts < 0].sum()
    net, hedged = abs(bought - sold), min(bought, sold)
    return float(level.net_delta_rate * net + level.hedged_delta_rate * hedged) * book.spot
