"""Margin, liquidation prices and deleveraging of dYdX, as tested there."""

from fractions import Fraction

import pytest
from tests.vectors.published import kinds, reproduced

from ringfence.lab.rules.dydx import (
    PPM,
    Account,
    Perpetual,
    RefusedError,
    bankruptcy_price,
    compare_risk,
    deleveraged,
    fillable_price,
    funding_index_delta,
    initial_margin,
    insurance_fund_delta,
    is_initial_collateralized,
    is_liquidatable,
    is_maintenance_collateralized,
    liquidatable_notional,
    maintenance_margin,
    notional,
    risk,
    scaled_initial_rate,
)

NAMES = ["BTC-USD", "ETH-USD"]  # by perpetual id
BASE_QUANTUMS = {"BTC": 10**8, "ETH": 10**9}
QUOTE_QUANTUMS = 10**6


def state(i):
    """The account and the markets of its positions."""
    rows = {p["perpetual"]: p for p in i["positions"]}
    markets = {
        name: Perpetual(
            Fraction(str(p["quote_quantums_per_base_quantum"])), p["imr_ppm"], p["mmr_fraction_ppm"]
        )
        for name, p in rows.items()
    }
    sizes = {name: p["base_quantums"] for name, p in rows.items()}
    return Account(i["usdc_quote_quantums"], sizes), markets


def or_error(rule):
    def answer(i):
        try:
            return rule(i)
        except RefusedError as refusal:
            return {"error": str(refusal)}

    return answer


def bankruptcy(i):
    market, delta = NAMES[i["perpetual_id"]], i["delta_base_quantums"]
    return {"bankruptcy_price_quote_quantums": bankruptcy_price(*state(i), market, delta)}


def fillable(i):
    price = fillable_price(
        *state(i),
        NAMES[i["perpetual_id"]],
        i["delta_base_quantums"],
        i["bankruptcy_adjustment_ppm"],
        i["spread_to_maintenance_ppm"],
    )
    return {"fillable_price_num": price.numerator, "fillable_price_den": price.denominator}


def insurance(i):
    side = 1 if i["is_buy"] else -1
    size = i["fill_base_quantums"]
    bankruptcy_quote = bankruptcy_price(*state(i), NAMES[i["perpetual_id"]], side * size)
    # Subticks are 1e-8 quote quantums per base quantum; a buyer pays the quote.
    quote = -side * size * i["subticks"] // 10**8
    delta = insurance_fund_delta(quote, bankruptcy_quote, i["max_liquidation_fee_ppm"])
    return {"insurance_fund_delta_quote_quantums": delta}


def liquidatable(i):
    found = risk(*state(i))
    return {"liquidatable": is_liquidatable(found.net_collateral, found.maintenance_margin)}


FLAGS = {
    "IsInitialCollateralized": is_initial_collateralized,
    "IsMaintenanceCollateralized": is_maintenance_collateralized,
    "IsLiquidatable": is_liquidatable,
}


def risk_flags(i):
    return {"result": FLAGS[i["test"]](i["net_collateral"], i["margin_requirement"])}


def risk_order(i):
    first, second = ((i[f"{n}_nc"], i[f"{n}_mmr"]) for n in ("first", "second"))
    return {"cmp": compare_risk(first, second)}


def open_interest_scaling(i):
    rate = scaled_initial_rate(
        i["initial_margin_ppm"], i["oi_notional"], i["oi_lower_cap"], i["oi_upper_cap"]
    )
    return {"imf_ppm": rate, "initial_margin": initial_margin(i.get("notional", 0), rate)}


def margin_requirement(i):
    exponent = i["price_exponent"] + i["atomic_resolution"] - i["quote_resolution"]
    price = i["price"] * Fraction(10) ** exponent
    value = notional(price, i["base_quantums"])
    base, open_interest = i["initial_margin_ppm"], notional(price, i["open_interest_base_quantums"])
    rate = scaled_initial_rate(base, open_interest, i["oi_lower_cap"], i["oi_upper_cap"])
    return {
        "initial_margin": initial_margin(value, rate),
        "maintenance_margin": maintenance_margin(value, base, i["maintenance_fraction_ppm"]),
    }


def partial_liquidation(i):
    low, high = liquidatable_notional(
        i["position_notional"], i["min_position_notional_liquidated"], i["max_portion_ppm"]
    )
    return {"min": low, "max": high}


def deleverage(i):
    initial = round(i["initial_margin"] * PPM)
    fraction = round(i["maintenance_margin"] / i["initial_margin"] * PPM)
    markets = {
        name: Perpetual(Fraction(price * QUOTE_QUANTUMS, BASE_QUANTUMS[name]), initial, fraction)
        for name, price in i["prices"].items()
    }
    accounts = [
        Account(i[name]["usdc"], i[name]["positions"]) for name in ("liquidated", "offsetting")
    ]
    # Every case closes a position in bitcoin.
    results = deleveraged(
        *accounts,
        markets,
        "BTC",
        i["delta_base_quantums"],
        at_oracle=i["price_rule"] == "oracle",
    )
    return {
        name: {"usdc": account.quote, "positions": account.positions}
        for name, account in zip(("liquidated", "offsetting"), results, strict=True)
    }


def funding(i):
    # The index is counted in 1e-6 quote quantums; the rate in ppm already carries that scale.
    exponent = i["price_exponent"] + i["atomic_resolution"] + 6
    price = i["price"] * Fraction(10) ** exponent
    return {"funding_index_delta": funding_index_delta(price, i["rate_8h_ppm"], i["seconds"])}


ANSWERS = {
    "dydx-bankruptcy-price": or_error(bankruptcy),
    "dydx-fillable-price": or_error(fillable),
    "dydx-insurance-fund": insurance,
    "dydx-is-liquidatable": liquidatable,
    "dydx-risk-flags": risk_flags,
    "dydx-risk-order": risk_order,
    "dydx-oi-scaled-im": open_interest_scaling,
    "dydx-margin-requirement": margin_requirement,
    "dydx-partial-liquidation": partial_liquidation,
    "deleverage_at_bankruptcy": or_error(deleverage),
    "deleverage_at_oracle": or_error(deleverage),
    "funding_index_delta": funding,
}


@pytest.mark.parametrize(("kind", "cases"), kinds("dydx_margin_liquidation"))
def test_published_margins_and_liquidation_prices_are_reproduced(kind, cases):
    assert reproduced(cases, ANSWERS[kind]) == len(cases)


@pytest.mark.parametrize(("kind", "cases"), kinds("dydx_deleveraging"))
def test_published_deleveraging_is_reproduced(kind, cases):
    assert reproduced(cases, ANSWERS[kind]) == len(cases)
    # A closed position must be gone, not only unmentioned.
    for case in cases:
        for name in {"liquidated", "offsetting"} & case["expected"].keys():
            got = ANSWERS[kind](case["inputs"])[name]["positions"]
            assert got == case["expected"][name]["positions"], case["id"]
