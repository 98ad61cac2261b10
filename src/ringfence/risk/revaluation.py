"""Full revaluation of option pools on one tick: new prices, risk arrays and requirements.

A tick moves the forwards; every option is repriced in every scenario, the risk arrays are
rounded to integers, and all accounts are scanned with them. What is rounded, to the nearest
quote unit of a lot, is the price of a model; from there on integers are exact.
"""

from typing import NamedTuple

import numpy as np

from ringfence.risk.lanes import Ints
from ringfence.risk.portfolio.book import Book, Floats
from ringfence.risk.portfolio.model import ScenarioModel
from ringfence.risk.scan import Legs, Scan, fill, scan
from ringfence.risk.scenarios import grid_of, option_arrays


class Lot(NamedTuple):
    """What sizes and prices are counted in."""

    coins: float  # of one lot
    quote_units: float  # of one unit of the settlement currency


def rounded(values: Floats, lot: Lot) -> Ints:
    """Prices per coin in quote units per lot, to the nearest."""
    return np.rint(values * (lot.coins * lot.quote_units)).astype(np.int64)


def retable(table: Ints, book: Book, model: ScenarioModel, lot: Lot) -> None:
    """Write risk arrays and marks of all options of a book into a table of the scan.

    Of the rows that an option has a profit of its own in: skews and the basis count by expiry.

    Raises:
        ValueError: There are none, as the model discounts by the value of a whole expiry.
    """
    ones = book._replace(size=np.ones(len(book.size)))
    marks = ones.marks()
    grid = grid_of(model)
    slots = option_arrays(ones, marks, model, grid)[1:]  # behind the deltas
    own = [g.row.kind == "single" for g in grid]
    if not any(own):
        raise ValueError(f"options have no risk arrays of their own in the model {model.name}")
    fill(table, rounded(slots[own].T, lot), rounded(marks, lot))


def revalue(
    legs: Legs,
    table: Ints,
    book: Book,
    model: ScenarioModel,
    lot: Lot,
    *,
    threads: int = 1,
    into: Scan | None = None,
) -> Scan:
    """Worst scenario and value of every account at the market of a book; see `scan`."""
    retable(table, book, model, lot)
    return scan(legs, table, threads=threads, into=into)
