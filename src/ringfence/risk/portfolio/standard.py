"""The standard model: margin by rules per option, no more than the largest loss of an expiry.

Source: the published rules of Derive's standard manager (v2-core).
"""

import numpy as np

from ringfence.risk.portfolio.book import Account, Book, Floats
from ringfence.risk.portfolio.model import LevelName, StandardLevel, StandardModel
from ringfence.risk.portfolio.report import (
    Assessment,
    Contingencies,
    ExpiryMargin,
    Requirement,
    UnderlyingResult,
)
from ringfence.risk.portfolio.scenario import equity_of


def assess(account: Account, model: StandardModel) -> Assessment:
    """Compute requirement and excess of every level."""
    margins = {book.name: _margins(book, model) for book in account.books}
    results = tuple(
        UnderlyingResult(b.name, b.spot, (), 0.0, None, 0.0, margins[b.name]) for b in account.books
    )
    equity = equity_of(account, 1.0)
    levels = {
        name: _requirement(account, model, name, equity.total, margins) for name in model.levels
    }
    return Assessment(equity, levels, results)


def isolated(book: Book, model: StandardModel, level: LevelName) -> Floats:
    """Margin of each option on its own; a charge is negative, options bought have none."""
    spot, short = book.spot, np.minimum(book.size, 0.0)
    value = book.marks()
    put = np.minimum(model.put_rate * spot * short, model.put_value_rate * value)
    least = value + np.where(book.is_call, model.call_rate * spot * short, put)
    if level == "initial":
        side = np.where(book.is_call, 1.0, -1.0)
        out = np.maximum(side * (book.strike - spot), 0.0) / spot
        rate = np.maximum(model.option_rate_min, model.option_rate_max - out)
        more = value + rate * spot * short
        least = np.where(book.is_call, more, np.minimum(more, least * model.offset_scale))
    return np.where(book.size < 0, least, 0.0)


def bounded(book: Book, unpaired_scale: float) -> Floats:
    """Largest possible loss of each expiry: at zero, at a strike, or of calls beyond them."""
    losses = np.zeros(len(book.expiries.names))
    for e in range(len(losses)):
        mine = book.expiries.of_option == e
        strike, size, is_call = book.strike[mine], book.size[mine], book.is_call[mine]
        settled = np.concatenate([[0.0], strike])[:, None]
        payoff = np.where(is_call, 1.0, -1.0) * (settled - strike)
        worst = (np.maximum(payoff, 0.0) @ size).min()
        unpaired = min(float(size[is_call].sum()), 0.0)
        losses[e] = min(worst, 0.0) + unpaired_scale * float(book.forward[mine][0]) * unpaired
    return losses


def _margins(book: Book, model: StandardModel) -> tuple[ExpiryMargin, ...]:
    margins = []
    for name, level in model.levels.items():
        alone = book.by_expiry(isolated(book, model, name))
        most = bounded(book, level.unpaired_scale)
        rows = zip(book.expiries.names, alone.tolist(), most.tolist(), strict=True)
        margins += [ExpiryMargin(e, name, a, m, max(a, m)) for e, a, m in rows]
    return tuple(margins)


def _requirement(
    account: Account,
    model: StandardModel,
    name: LevelName,
    equity: float,
    margins: dict[str, tuple[ExpiryMargin, ...]],
) -> Requirement:
    level = model.levels[name]
    charges = sum(m.margin for found in margins.values() for m in found if m.level == name)
    # Options bought count as nothing and the value of those sold is in their charge, so the
    # requirement takes out of equity what the options are worth.
    options = float(sum(book.marks().sum() for book in account.books)) - charges
    is_initial = name == "initial"
    parts = Contingencies(
        options=0.0,
        perpetuals=sum(_perpetuals(book, level) for book in account.books),
        collateral=sum(h.value for h in account.holdings) * (1 - level.collateral_factor),
        confidence=_uncertain(account, model) if is_initial else 0.0,
        peg=_depeg(account, model) if is_initial else 0.0,
    )
    requirement = options + parts.total()
    return Requirement(requirement, equity - requirement, options, 0.0, parts)


def _perpetuals(book: Book, level: StandardLevel) -> float:
    return float(abs(book.perpetual_size).sum()) * book.perpetual_price * level.perpetual_rate


def _uncertain(account: Account, model: StandardModel) -> float:
    def weight(confidence: float) -> float:
        short = confidence < model.confidence_threshold
        return model.confidence_rate * (1 - confidence) if short else 0.0

    total = sum(weight(account.confidence(h)) * h.value for h in account.holdings)
    for book in account.books:
        sold = -book.by_expiry(np.minimum(book.size, 0.0))
        options = (weight(c) * n for c, n in zip(book.expiries.confidence, sold, strict=True))
        total += float(sum(options)) * book.spot
        total += weight(book.perpetual_confidence) * book.perpetuals()
    return total


def _depeg(account: Account, model: StandardModel) -> float:
    depth = max(0.0, model.peg_threshold - account.stable_price) * model.peg_factor
    sold = sum(-float(np.minimum(b.size, 0.0).sum()) * b.spot for b in account.books)
    return depth * (sold + sum(b.perpetuals() for b in account.books))
