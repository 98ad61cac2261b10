"""Margin brackets of Binance and Bybit, as published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shared import shared
from tests.vectors.published import kinds, load, reproduced

from ringfence.lab.rules.tiers import (
    Tier,
    from_caps,
    maintenance_margin,
    maintenance_margin_of_rising_rates,
    tier_of,
    with_deductions,
)


def binance(inputs):
    tiers = [Tier(row["floor"], row["mmr"]) for row in inputs["tiers_below"]]
    tiers.append(Tier(inputs["min_notional"], inputs["mmr"]))
    return {"maintenance_amount": with_deductions(tiers)[-1].deduction}


def bybit(inputs):
    caps = [row["cap"] for row in inputs["tiers_below"]]
    rates = [row["mmr"] for row in inputs["tiers_below"]] + [inputs["mmr"]]
    return {"maintenance_deduction": from_caps(caps, rates)[-1].deduction}


def lookup(inputs):
    tier = tier_of(inputs["notional"], table(inputs["tiers"]))
    return {"mmr": tier.rate, "maintenance_amount": tier.deduction}


def table(rows):
    return [Tier(row["minNotional"], row["maintenanceMarginRate"], row["maintAmt"]) for row in rows]


ANSWERS = {"binance-tier": binance, "bybit-tier": bybit, "tier-lookup": lookup}


@pytest.mark.parametrize(("kind", "cases"), kinds("margin_tiers"))
def test_published_margin_tiers_are_reproduced(kind, cases):
    assert reproduced(cases, ANSWERS[kind]) == len(cases)


def test_the_largest_over_all_tiers_equals_the_look_up_on_every_published_table():
    shared("vectors", "margin_tiers.json")
    tables = [
        case["inputs"]["tiers"] for case in load("margin_tiers") if case["kind"] == "tier-lookup"
    ]
    assert tables
    for rows in tables:
        tiers = with_deductions(table(rows))
        for border in (tier.notional_min for tier in tiers):
            for notional in (border, border + 0.01, border * 1.3 + 1):
                assert maintenance_margin_of_rising_rates(notional, tiers) == pytest.approx(
                    maintenance_margin(notional, tiers), abs=1e-6
                )


@given(
    widths=st.lists(st.integers(1, 10**7), max_size=8),
    steps=st.lists(st.integers(1, 1000), min_size=9, max_size=9),
    notional=st.integers(0, 10**8),
)
def test_both_forms_agree_whenever_rates_rise(widths, steps, notional):
    tiers, low, rate = [Tier(0, steps[0])], 0, steps[0]
    for width, step in zip(widths, steps[1:], strict=False):
        low, rate = low + width, rate + step
        tiers.append(Tier(low, rate))
    joined = with_deductions(tiers)
    assert maintenance_margin(notional, joined) == maintenance_margin_of_rising_rates(
        notional, joined
    )


def test_tables_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="at least one tier"):
        with_deductions([])
    with pytest.raises(ValueError, match="one above the other"):
        with_deductions([Tier(0, 0.01), Tier(0, 0.02)])
    with pytest.raises(ValueError, match="below the first tier"):
        tier_of(-1, [Tier(0, 0.01)])
    with pytest.raises(ValueError, match="rates need"):
        from_caps([1, 2], [0.1])
