"""Interest, health and liquidation numbers that lending protocols published."""

import math
from datetime import UTC, datetime

import pytest
from tests.vectors.published import kinds, reproduced

from ringfence.lab.rules import (
    fixed_point,
    funding,
    interest,
    lending_aave,
    lending_comet,
    lending_compound,
    lending_euler,
    lending_midnight,
    lending_morpho,
)
from ringfence.lab.rules.fixed_point import BPS, RAY, WAD

BASE_PRICE_UNIT = 10**8
OPERATIONS = {
    "percentMul": fixed_point.percent_mul,
    "percentMulFloor": fixed_point.percent_mul_floor,
    "percentMulCeil": fixed_point.percent_mul_ceil,
    "percentDiv": fixed_point.percent_div,
    "percentDivFloor": fixed_point.percent_div_floor,
    "percentDivCeil": fixed_point.percent_div_ceil,
    "wadMul": fixed_point.wad_mul,
    "wadDiv": fixed_point.wad_div,
    "rayMul": fixed_point.ray_mul,
    "rayDiv": fixed_point.ray_div,
    "rayMulFloor": fixed_point.ray_mul_floor,
    "rayMulCeil": fixed_point.ray_mul_ceil,
    "rayDivFloor": fixed_point.ray_div_floor,
    "rayDivCeil": fixed_point.ray_div_ceil,
    "mulDivCeil": fixed_point.mul_div_ceil,
    "mulDivFloor": fixed_point.mul_div_floor,
    "wadToRay": lambda x, _: fixed_point.wad_to_ray(x),
    "rayToWad": lambda x, _: fixed_point.ray_to_wad(x),
}


def wad(number):
    return round(number * WAD)


def fixed_point_rounding(i):
    arguments = [int(i[name]) for name in ("a", "b", "c") if name in i]
    return {"result": OPERATIONS[i["op"]](*arguments)}


def jump_rate(i):
    percent = WAD // 100
    curve = lending_compound.curve_of(
        i["base_pct"] * percent,
        i["slope_pct"] * percent,
        i["jump_slope_pct"] * percent,
        i["kink_pct"] * percent,
    )
    rate = lending_compound.borrow_rate(i["utilization_pct"] * percent, curve)
    return {"borrow_apr_pct": rate * lending_compound.BLOCKS_PER_YEAR / percent}


def white_paper(i):
    curve = lending_compound.curve_of(wad(i["base"]), wad(i["slope"]))
    used = lending_compound.utilization(int(i["cash"]), int(i["borrows"]), int(i["reserves"]))
    return {"borrow_rate_per_block": lending_compound.borrow_rate(used, curve) / WAD}


def seize(i):
    names = ("repay_amount", "liquidation_incentive", "borrowed_price", "collateral_price")
    numbers = [int(i[name]) for name in (*names, "exchange_rate")]
    return {"seize_tokens": lending_compound.seized_tokens(*numbers)}


def account_liquidity(i):
    collateral = [
        lending_compound.Collateral(amount, wad(factor), wad(price))
        for amount, factor, price in i["collateral"]
    ]
    redeemed = dict([i["redeem"]]) if i["redeem"] else {}
    liquidity, shortfall = lending_compound.liquidity(collateral, i["borrow"], redeemed)
    return {"liquidity": liquidity, "shortfall": shortfall}


def comet_rates(i):
    indices = int(i["supply_index"]), int(i["borrow_index"])
    used = lending_comet.utilization(
        int(i["total_supply_principal"]), int(i["total_borrow_principal"]), indices
    )
    found = {"utilization": used / WAD}
    for side in ("supply", "borrow"):
        curve = lending_comet.curve_of(*(wad(i[side][k]) for k in ("base", "low", "high", "kink")))
        yearly = lending_comet.rate(used, curve) * lending_comet.SECONDS_PER_YEAR
        found[f"{side}_apr"] = yearly / WAD
    return found


def comet_liquidity(i, factor):
    collateral = lending_comet.Collateral(
        int(i["collateral"]),
        i["collateral_price"],
        int(i[factor]),
        10 ** i["collateral_decimals"],
    )
    # The source's cases keep the borrow index at one.
    return lending_comet.liquidity(
        i["base_principal"],
        lending_comet.INDEX_SCALE,
        i["base_price"],
        10 ** i["base_decimals"],
        [collateral],
    )


def comet_liquidatable(i):
    left = comet_liquidity(i, "liquidate_cf")
    return {"liquidatable": lending_comet.is_liquidatable(i["base_principal"], left)}


def comet_collateralized(i):
    left = comet_liquidity(i, "borrow_cf")
    return {"collateralized": lending_comet.is_collateralized(i["base_principal"], left)}


def comet_sale(i):
    price = lending_comet.sale_price(
        round(i["collateral_price"] * BASE_PRICE_UNIT),
        wad(i["store_front_price_factor"]),
        wad(i["liquidation_factor"]),
    )
    bought = lending_comet.quoted_collateral(
        int(i["base_amount"]),
        round(i["base_price"] * BASE_PRICE_UNIT),
        10 ** i["base_decimals"],
        price,
        10 ** i["collateral_decimals"],
    )
    return {"collateral_out": bought}


def aave_rate(i):
    percent = RAY // 100
    keys = ("base_pct", "slope1_pct", "slope2_pct", "optimal_pct")
    curve = lending_aave.Curve(*(round(i[key] * percent) for key in keys))
    rate = lending_aave.variable_rate(round(i["utilization_pct"] * percent), curve)
    return {"variable_rate_pct": rate / percent}


def accrual(rule):
    return lambda i: {"index": rule(int(i["rate"]), int(i["seconds"]))}


def close_factor(i):
    enough = lending_aave.CLOSE_FACTOR_VALUE_MIN
    value = enough if i["debt_and_collateral_both_at_least_min_base"] else enough - 1
    share = lending_aave.close_factor(wad(i["health_factor"]), value, value)
    return {"close_factor_pct": share * 100 // BPS}


def euler_kink(i):
    curve = lending_euler.Curve(i["base_rate"], i["slope1"], i["slope2"], i["kink"])
    used = lending_euler.utilization(int(i["cash"]), int(i["borrows"]))
    rate = lending_euler.rate_per_second(used, curve)
    return {"rate_per_second_1e27": rate, "apy": lending_euler.annual_yield(rate)}


def derive_rate(i):
    curve = interest.CashCurve(wad(i["min_rate"]), wad(i["rate_multiplier"]))
    if "high_rate_multiplier" in i:
        curve = curve._replace(
            slope_high=wad(i["high_rate_multiplier"]), optimal=wad(i["optimal_utilization"])
        )
        used = interest.cash_utilization(i["supply"], i["borrows"])
        return {"borrow_rate": interest.cash_rate(used, curve)}
    supply, borrows = int(i["total_supply"]), int(i["total_borrow"])
    used = interest.cash_utilization(supply, borrows, int(i["net_settled_cash"]))
    return {"utilization": used / WAD, "borrow_rate": interest.cash_rate(used, curve) / WAD}


def derive_factor(i):
    factor = interest.cash_interest_factor(i["borrow_rate"], i["seconds"])
    return {"interest_factor": factor * WAD}


def adaptive(i):
    distance = i["error"] if "error" in i else interest.distance_to_target(i["utilization"])
    arguments = i["rate_at_target"], distance, i["days"] / 365, i["speed"]
    return {
        "average_borrow_rate": interest.adaptive_average_rate(*arguments),
        "rate_at_target_after": interest.adaptive_rate_at_target(*arguments),
    }


def incentive(i):
    return {"lif": lending_morpho.incentive_factor(wad(i["lltv"])) / WAD}


def basket_capacity(i):
    basket = [
        lending_midnight.Collateral(wad(c["amount"]), wad(c["price"]) * WAD, wad(c["lltv"]), WAD)
        for c in i["collateral"]
    ]
    first, total = lending_midnight.debt_max(basket[:1]), lending_midnight.debt_max(basket)
    return {"first": first / WAD, "total": total / WAD}


def health_factor(i):
    weighted = sum(
        wad(c["amount"] * c["price"]) * round(c["liquidation_threshold"] * BPS)
        for c in i["collateral"]
    )
    return {"health_factor": lending_aave.health_factor(weighted, wad(i["debt"])) / WAD}


def life_cycle(i):
    collateral, debt = i["collateral_amount"], i["debt"]
    path = i.get("price_path") or [i["collateral_price"]]
    threshold, bonus = i["liquidation_threshold"], i["liquidation_bonus"]
    found = {"health_factor_before": collateral * path[0] * threshold / debt}
    for price in path:
        collateral, debt = lending_aave.after_liquidation(collateral, price, debt, threshold, bonus)
    value = collateral * path[-1]
    health = value * threshold / debt if debt else math.inf
    found |= {"health_factor_after": health, "health_factor_end": health}
    return found | {"collateral_value_after": value, "debt_after": debt}


def apy(i):
    return {"apy": interest.annual_yield(i["rate"], i["seconds_per_year"])}


def margin_interest(i):
    arguments = (i[key] for key in ("exchange", "borrowed", "daily_rate", "hours"))
    return {"interest": interest.margin_loan_interest(*arguments)}


def funding_fee(i):
    fee = funding.funding_fee(i["size"], i["rate"], i["mark"])
    found = {"default": fee if i["side"] == "short" else -fee}
    if i["time_in_ratio"] is not None:
        found["kraken"] = found["default"] * i["time_in_ratio"]
    return found


def seconds(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def funding_window(i):
    payments = [funding.Payment(seconds(p["time"]), p["rate"], p["mark"]) for p in i["funding"]]
    side = 1 if i["side"] == "long" else -1
    opened, closed = seconds(i["open"]), seconds(i["close"])
    fee = funding.funding_fees(i["size"], side, payments, opened, closed, i["grace_seconds"])
    return {"fee": fee}


ANSWERS = {
    "fixed_point_rounding": fixed_point_rounding,
    "jump_rate_borrow_apr": jump_rate,
    "white_paper_rate": white_paper,
    "seize_tokens": seize,
    "account_liquidity": account_liquidity,
    "comet_rates": comet_rates,
    "comet_is_liquidatable": comet_liquidatable,
    "comet_is_borrow_collateralized": comet_collateralized,
    "comet_discounted_sale": comet_sale,
    "aave_variable_rate": aave_rate,
    "interest_accrual-aave-linear": accrual(lending_aave.linear_interest),
    "interest_accrual-aave-compound": accrual(lending_aave.compounded_interest),
    "close_factor_rule": close_factor,
    "kink_rate_apy": euler_kink,
    "derive_borrow_rate": derive_rate,
    "derive_interest_factor": derive_factor,
    "adaptive_irm": adaptive,
    "liquidation_incentive": incentive,
    "basket_capacity": basket_capacity,
    "health_factor": health_factor,
    "liquidation_life_cycle": life_cycle,
    "rate_to_apy": apy,
    "margin_interest": margin_interest,
    "funding_fee": funding_fee,
    "funding_fee_window": funding_window,
}


def kind_of(case):
    """The accruals of one kind differ by their name only: linear, compound or compound-huge."""
    if case["kind"] != "interest_accrual":
        return case["kind"]
    rule = "linear" if "linear" in case["id"] else "compound"
    return f"interest_accrual-aave-{rule}"


@pytest.mark.parametrize(("kind", "cases"), kinds("lending_published", by=kind_of))
def test_published_lending_numbers_are_reproduced(kind, cases):
    assert reproduced(cases, ANSWERS[kind]) == len(cases)
