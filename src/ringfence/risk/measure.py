"""Figures of a whole pool in one pass, for those who look at hundreds of pools at a time.

The same as the formulas of the core give one by one; only the calls are saved.
"""

from enum import IntEnum
from functools import cache
from itertools import accumulate, pairwise

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.auction import (
    WHOLE,
    auction_notional,
    is_auction_over,
    offer_of,
    sold_share,
)
from ringfence.core.backstop import can_take, full_capital
from ringfence.core.health import HEALTH_MAX, debt_of, excess, open_interest_value
from ringfence.core.lending import borrow_rate, lender_assets, total_debt, utilisation
from ringfence.core.pool import BACKSTOP, Level, Pool, Rule, Step, Total, account_count
from ringfence.core.validity import validity
from ringfence.fixed import mul_div_ceil
from ringfence.risk.survey import Survey, survey_into
from ringfence.units import PPM

BINS = 8  # of accounts by health
AT_RISK_BINS = 3  # of these, the accounts at risk
EDGES = (PPM, PPM * 105 // 100, PPM * 11 // 10, PPM * 5 // 4, PPM * 3 // 2, 2 * PPM, 5 * PPM)
AT_RISK = EDGES[AT_RISK_BINS - 1]
_EDGES = np.array(EDGES, dtype=np.int64)


class Measure(IntEnum):
    """Places among the figures of a pool, after its totals; quote units unless said otherwise.

    Behind them: the bins, the validity of each underlying, and then the columns of `figure_places`.
    """

    UNPAID_CLAIMS = len(Total)
    DUES = 25
    OPEN_INTEREST_VALUE = 26
    TOTAL_DEBT = 27
    LENDER_ASSETS = 28
    UTILISATION = 29  # ppm
    BORROW_RATE = 30  # ppm a year
    BACKSTOP_CAPITAL = 31
    EQUITY = 32  # of the people: all accounts but the backstop
    REQUIRED = 33  # of the people
    REQUIRED_AT_RISK = 34  # of all accounts below AT_RISK
    WORST = 35  # account of the people with the lowest health; -1: none owes anything
    WORST_HEALTH = 36  # ppm; HEALTH_MAX where nobody is the worst
    IN_STEPS = 37  # accounts in a step of the waterfall
    LOSS_SHARED = 38  # accounts in no step whose dues nobody paid
    BINS = 39  # active people by health, BINS places


VALIDITIES = Measure.BINS + BINS


@kernel
def bin_of(health: int, edges: Column) -> int:
    """Bin of a health factor; each begins at its lower edge."""
    k = 0
    while k < edges.size and health >= edges[k]:
        k += 1
    return k


@kernel
def pool_figures_into(pool: Pool, figures: Column) -> None:
    """Write the figures that need no look at accounts."""
    for u in range(pool.index_price.size):
        if pool.mark_price.size > 0:
            figures[Measure.OPEN_INTEREST_VALUE] += open_interest_value(pool, u)
        figures[VALIDITIES + u] = validity(pool, u)
    if pool.total[Total.DEBT_SHARES] > 0:
        figures[Measure.TOTAL_DEBT] = total_debt(pool)
        figures[Measure.UTILISATION] = utilisation(pool)
    figures[Measure.LENDER_ASSETS] = lender_assets(pool)
    figures[Measure.BORROW_RATE] = borrow_rate(pool)
    figures[Measure.BACKSTOP_CAPITAL] = full_capital(pool)


@kernel
def all_figures_into(pool: Pool, found: Survey, edges: Column, figures: Column) -> None:
    """Add up the figures of all accounts, which have been surveyed."""
    for a in range(found.health.size):
        figures[Measure.UNPAID_CLAIMS] += pool.claim[a]
        figures[Measure.DUES] += pool.due[a]
        if pool.step[a] != Step.NONE:
            figures[Measure.IN_STEPS] += 1
        elif pool.uncovered[a] > 0:
            figures[Measure.LOSS_SHARED] += 1
        if found.health[a] < edges[AT_RISK_BINS - 1]:
            figures[Measure.REQUIRED_AT_RISK] += found.required[a]


@kernel
def people_figures_into(found: Survey, edges: Column, figures: Column) -> None:
    """Add up the figures of all accounts but the backstop, and find the worst of them."""
    figures[Measure.WORST] = -1
    lowest = HEALTH_MAX
    for a in range(BACKSTOP + 1, found.health.size):
        figures[Measure.EQUITY] += found.equity[a]
        figures[Measure.REQUIRED] += found.required[a]
        if found.health[a] < lowest:
            lowest, figures[Measure.WORST] = found.health[a], a
        if found.is_active[a] == 1:
            figures[Measure.BINS + bin_of(found.health[a], edges)] += 1
    figures[Measure.WORST_HEALTH] = lowest


@kernel
def put(column: Column, into: Column, at: int) -> int:
    """Copy a column to a place of a longer one; return the place after it."""
    into[at : at + column.size] = column
    return at + column.size


@kernel
def columns_into(pool: Pool, figures: Column) -> None:
    """Copy the totals, and then the columns in the order of `figure_places`."""
    put(pool.total, figures, 0)
    at = VALIDITIES + pool.index_price.size
    at = put(pool.index_price, figures, at)
    at = put(pool.mark_price, figures, at)
    at = put(pool.open_interest, figures, at)
    at = put(pool.deposited, figures, at)
    at = put(pool.funding_index, figures, at)
    at = put(pool.funding_rate_max, figures, at)
    put(pool.rule, figures, at)


@kernel
def measure_into(pool: Pool, rows: Column, edges: Column, figures: Column) -> None:
    """Survey a pool and write its figures; rows: [field of a survey, a]."""
    found = Survey(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5])
    survey_into(
        pool,
        found.health,
        found.equity,
        found.required,
        found.notional,
        found.debt,
        found.is_active,
    )
    pool_figures_into(pool, figures)
    all_figures_into(pool, found, edges, figures)
    people_figures_into(found, edges, figures)
    columns_into(pool, figures)


@cache
def figure_places(underlyings: int, instruments: int, assets: int) -> dict[str, slice]:
    """Return where each column is among the figures of a pool of this shape, in their order."""
    sizes = {
        "index_price": underlyings,
        "mark_price": instruments,
        "open_interest": instruments,
        "deposited": assets,
        "funding_index": instruments,
        "funding_rate_max": instruments,
        "rule": len(Rule),
    }
    ends = pairwise(accumulate(sizes.values(), initial=VALIDITIES + underlyings))
    return {name: slice(*both) for name, both in zip(sizes, ends, strict=True)}


def measured(pool: Pool) -> tuple[Column, list[int]]:
    """Return the survey of a pool as [field, a], and its figures: Total, Measure, and so on."""
    rows = np.zeros((len(Survey._fields), account_count(pool)), dtype=np.int64)
    shape = len(pool.index_price), len(pool.mark_price), len(pool.asset_underlying)
    figures = np.zeros(figure_places(*shape)["rule"].stop, dtype=np.int64)
    measure_into(pool, rows, _EDGES, figures)
    listed: list[int] = figures.tolist()
    return rows, listed


class OfferFigure(IntEnum):
    """Figures of an account under auction, and of the largest bid for it; in quote units."""

    KEEP = 0  # ppm of its worth that a slice costs
    RAISED = 1
    PRICE = 2  # of the whole of what is not sold yet
    BONUS = 3  # worth of that above its price
    SHARE = 4  # 1e-9 of the account, that the largest bid gets
    STARTED = 5  # notional and debt when the auction began
    LEFT = 6  # and now
    DEBT = 7  # that the bid brings
    CAN_BE_TAKEN = 8  # 1: the backstop may take everything over
    IS_CURED = 9  # 1: it is at maintenance again
    IS_OVER = 10  # 1: the auction has run its whole time


@kernel
def offer_into(pool: Pool, a: int, figures: Column) -> None:
    """Write the figures of an account that is under auction."""
    offer = offer_of(pool, a)
    share = sold_share(pool, a, WHOLE, offer)
    figures[OfferFigure.KEEP] = offer.keep
    figures[OfferFigure.RAISED] = offer.raised
    figures[OfferFigure.PRICE] = offer.price
    figures[OfferFigure.BONUS] = offer.bonus
    figures[OfferFigure.SHARE] = share
    figures[OfferFigure.STARTED] = pool.auction_notional[a]
    figures[OfferFigure.LEFT] = auction_notional(pool, a)
    shares = mul_div_ceil(pool.debt_shares[a], share, WHOLE)
    figures[OfferFigure.DEBT] = debt_of(pool, shares)
    figures[OfferFigure.CAN_BE_TAKEN] = 1
    for i in range(pool.mark_price.size):
        if pool.size[a, i] != 0 and not can_take(pool, i, pool.size[a, i]):
            figures[OfferFigure.CAN_BE_TAKEN] = 0
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        figures[OfferFigure.IS_CURED] = 1
    if is_auction_over(pool, a):
        figures[OfferFigure.IS_OVER] = 1


def offer_figures(pool: Pool, a: int) -> list[int]:
    """Return the figures of an account that is under auction."""
    figures = np.zeros(len(OfferFigure), dtype=np.int64)
    offer_into(pool, a, figures)
    listed: list[int] = figures.tolist()
    return listed


assert len(EDGES) == BINS - 1
assert list(Measure) == list(range(len(Total), VALIDITIES - BINS + 1))
