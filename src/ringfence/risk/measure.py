"""Figures of a whole pool in one pass, for those who look at hundreds of pools at a time.

The same as the formulas of the core give one by one; only the calls are saved.
"""

from enum import IntEnum

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.backstop import full_capital
from ringfence.core.health import HEALTH_MAX, open_interest_value
from ringfence.core.lending import borrow_rate, lender_assets, total_debt, utilisation
from ringfence.core.pool import BACKSTOP, Pool, Step, Total, account_count
from ringfence.core.validity import validity
from ringfence.risk.survey import Survey, survey_into
from ringfence.units import PPM

BINS = 8  # of accounts by health
AT_RISK_BINS = 3  # of these, the accounts at risk
EDGES = (PPM, PPM * 105 // 100, PPM * 11 // 10, PPM * 5 // 4, PPM * 3 // 2, 2 * PPM, 5 * PPM)
AT_RISK = EDGES[AT_RISK_BINS - 1]
_EDGES = np.array(EDGES, dtype=np.int64)


class Measure(IntEnum):
    """Figures of a pool; quote units unless said otherwise. Bins and classes follow them."""

    UNPAID_CLAIMS = 0
    DUES = 1
    OPEN_INTEREST_VALUE = 2
    TOTAL_DEBT = 3
    LENDER_ASSETS = 4
    UTILISATION = 5  # ppm
    BORROW_RATE = 6  # ppm a year
    BACKSTOP_CAPITAL = 7
    EQUITY = 8  # of the people: all accounts but the backstop
    REQUIRED = 9  # of the people
    REQUIRED_AT_RISK = 10  # of all accounts below AT_RISK
    WORST = 11  # account of the people with the lowest health; -1: none owes anything
    IN_STEPS = 12  # accounts in a step of the waterfall
    LOSS_SHARED = 13  # accounts in no step whose dues nobody paid
    BINS = 14  # active people by health, BINS places; then the validity of each underlying


@kernel
def figures_into(pool: Pool, found: Survey, edges: Column, figures: Column) -> None:
    """Write the figures of a pool, whose accounts have been surveyed."""
    for u in range(pool.index_price.size):
        if pool.mark_price.size > 0:
            figures[Measure.OPEN_INTEREST_VALUE] += open_interest_value(pool, u)
        figures[Measure.BINS + BINS + u] = validity(pool, u)
    if pool.total[Total.DEBT_SHARES] > 0:
        figures[Measure.TOTAL_DEBT] = total_debt(pool)
        figures[Measure.UTILISATION] = utilisation(pool)
    figures[Measure.LENDER_ASSETS] = lender_assets(pool)
    figures[Measure.BORROW_RATE] = borrow_rate(pool)
    figures[Measure.BACKSTOP_CAPITAL] = full_capital(pool)
    figures[Measure.WORST] = -1
    lowest = HEALTH_MAX
    for a in range(found.health.size):
        health = found.health[a]
        figures[Measure.UNPAID_CLAIMS] += pool.claim[a]
        figures[Measure.DUES] += pool.due[a]
        if pool.step[a] != Step.NONE:
            figures[Measure.IN_STEPS] += 1
        elif pool.uncovered[a] > 0:
            figures[Measure.LOSS_SHARED] += 1
        if health < edges[AT_RISK_BINS - 1]:
            figures[Measure.REQUIRED_AT_RISK] += found.required[a]
        if a == BACKSTOP:
            continue
        figures[Measure.EQUITY] += found.equity[a]
        figures[Measure.REQUIRED] += found.required[a]
        if health < lowest:
            lowest, figures[Measure.WORST] = health, a
        if found.is_active[a] == 1:
            bin_index = 0
            while bin_index < edges.size and health >= edges[bin_index]:
                bin_index += 1
            figures[Measure.BINS + bin_index] += 1


def measured(pool: Pool) -> tuple[Survey, list[int]]:
    """Return the survey of a pool, and its figures: Measure, bins, validities."""
    rows = np.zeros((len(Survey._fields), account_count(pool)), dtype=np.int64)
    found = Survey(*rows)
    survey_into(pool, *found)
    figures = np.zeros(Measure.BINS + BINS + len(pool.index_price), dtype=np.int64)
    figures_into(pool, found, _EDGES, figures)
    listed: list[int] = figures.tolist()
    return found, listed


assert len(EDGES) == BINS - 1
