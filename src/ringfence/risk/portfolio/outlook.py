"""What might come: costs of moves against collateral, spot by volatility, curves over spot.

Everything is the account revalued in full, collateral and perpetuals included, and assessed
again under the model; nothing is an expansion in Greeks.
"""

from collections.abc import Sequence

import numpy as np

from ringfence.risk.portfolio.book import Account, Book
from ringfence.risk.portfolio.model import Model
from ringfence.risk.portfolio.report import (
    Assessment,
    Cell,
    Cost,
    Curve,
    LiquidationPrices,
    Matrix,
    Outlook,
    Point,
)
from ringfence.risk.portfolio.standing import assess, health

SPOT_COSTS = (0.01, -0.01, 0.10, -0.10)
POINT = 0.01  # of volatility
DAY = 1 / 365  # years

SPOT_MOVES = (0.3, 0.2, 0.1, 0.05, 0.0, -0.05, -0.1, -0.2, -0.3)
VOLATILITY_MOVES = (-0.3, -0.15, 0.0, 0.25, 0.5)

POINTS = 61  # of a curve; the middle one is the spot price now
REACH_MIN, REACH_MAX = 0.25, 0.75  # of spot on either side of a curve
MARGIN = 1.2  # how far a curve reaches beyond the prices of liquidation


def outlook_of(account: Account, model: Model, liquidation: Sequence[LiquidationPrices]) -> Outlook:
    """Assess an account after all sorts of moves."""
    found = assess(account, model)
    before = found.equity.total
    collateral = found.equity.cash + found.equity.collateral
    return Outlook(
        collateral=collateral,
        costs=_costs(account, model, before, collateral),
        matrices=tuple(_matrix(account, model, book, before) for book in account.books),
        curves=tuple(
            _curve(account, model, book, before, prices)
            for book, prices in zip(account.books, liquidation, strict=True)
        ),
    )


def _costs(account: Account, model: Model, before: float, collateral: float) -> tuple[Cost, ...]:
    names = [book.name for book in account.books]
    after: list[tuple[str, str | None, Account]] = []
    for size in SPOT_COSTS:
        move = f"spot {100 * size:+g} %"
        after += [(move, name, account.moved(name, size)) for name in names if len(names) > 1]
        after.append((move, None, _all_moved(account, size)))
    after += [
        ("volatility +1 point", None, account.reshocked(add=POINT)),
        ("volatility -1 point", None, account.reshocked(add=-POINT)),
        ("one day", None, account.aged(DAY)),
    ]
    costs = []
    for move, name, later in after:
        found = assess(later, model)
        profit = found.equity.total - before
        share = profit / collateral if collateral > 0 else None
        costs.append(Cost(move, name, profit, share, health(found).health_factor))
    return tuple(costs)


def _all_moved(account: Account, move: float) -> Account:
    for book in account.books:
        account = account.moved(book.name, move)
    return account


def _excess(found: Assessment) -> float:
    return found.levels["maintenance"].excess


def _matrix(account: Account, model: Model, book: Book, before: float) -> Matrix:
    """Move one underlying, and the volatilities of all: they rise together."""
    cells = []
    for move in SPOT_MOVES:
        moved = account.moved(book.name, move)
        for change in VOLATILITY_MOVES:
            found = assess(moved.reshocked(scale=1 + change), model)
            profit = found.equity.total - before
            factor = health(found).health_factor
            cells.append(Cell(move, change, profit, factor, _excess(found)))
    return Matrix(book.name, book.spot, tuple(cells))


def _curve(
    account: Account, model: Model, book: Book, before: float, prices: LiquidationPrices
) -> Curve:
    far = [abs(d) for d in (prices.lower_distance, prices.upper_distance) if d is not None]
    near = [d for d in far if d < REACH_MAX]
    reach = min(max(REACH_MIN, MARGIN * max(near, default=0.0)), REACH_MAX)
    moves = np.linspace(-reach, reach, POINTS).tolist()
    moves[POINTS // 2] = 0.0

    def points(years: float) -> tuple[Point, ...]:
        line = []
        for move in moves:
            moved = account.moved(book.name, move)
            found = assess(moved.aged(years) if years else moved, model)
            profit, factor = found.equity.total - before, health(found).health_factor
            line.append(Point(book.spot * (1 + move), profit, factor, _excess(found)))
        return tuple(line)

    now = points(0.0)
    if not book.expiries.names:
        return Curve(book.name, None, now, ())
    nearest = int(book.expiries.time.argmin())
    at_expiry = points(float(book.expiries.time[nearest]))
    return Curve(book.name, book.expiries.names[nearest], now, at_expiry)
