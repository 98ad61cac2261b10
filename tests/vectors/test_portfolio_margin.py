"""Portfolio margin as published: Derive's three managers, SPAN arrays, Deribit's examples."""

import msgspec
import pytest
from tests.vectors import derive
from tests.vectors.published import kinds, reproduced

from ringfence.risk.portfolio import (
    Market,
    Perpetual,
    Portfolio,
    ScenarioModel,
    Underlying,
    model_of,
    risk_array,
    scanning_risk,
    simulate,
)
from ringfence.risk.portfolio.book import account_of
from ringfence.risk.portfolio.fair_value import fair_value
from ringfence.risk.portfolio.model import Level, Scenario, VolatilityShock
from ringfence.risk.portfolio.scenario import shocked_volatilities
from ringfence.risk.portfolio.simulate import assess
from ringfence.risk.portfolio.terms import Expiry, Option

RELATIVE = 1e-6  # of a margin
# Of a scenario: the cases state 1e-8 of their unit; losses of tens of millions need the
# last bits of a float for that, so those may differ by its rounding.
ABSOLUTE, ROUNDING = 1e-8, 1e-14


def assessed(inputs, adapter):
    portfolio, market, model = adapter(inputs)
    return assess(account_of(portfolio, market, model), model)


def is_close(got, expected, relative=RELATIVE, absolute=1e-9):
    return abs(got - expected) <= max(absolute, relative * abs(expected))


def contingencies_2(found):
    initial, maintenance = (found.levels[n].contingencies for n in ("initial", "maintenance"))
    return {
        "MMOptionCont": -maintenance.options,
        "MMPerpCont": -maintenance.perpetuals,
        "MMBaseCont": -maintenance.collateral,
        "IMOptionCont": maintenance.options - initial.options,
        "IMPerpCont": maintenance.perpetuals - initial.perpetuals,
        "IMBaseCont": maintenance.collateral - initial.collateral,
        "OracleCont": -initial.confidence,
    }


def profits_2(found):
    """Profits by kind of row, as the cases list them."""
    rows = found.underlyings[0].scenarios
    skews = [row.profit for row in rows if "skew" in row.volatility]
    return [row.profit for row in rows if "skew" not in row.volatility], skews


@pytest.mark.parametrize(("kind", "cases"), kinds("derive_pmrm2_portfolio_margin"))
def test_the_second_portfolio_manager(kind, cases):
    for case in cases:
        found, expected = assessed(case["inputs"], derive.pmrm2), case["expected"]
        got = contingencies_2(found) | {
            "IM": found.levels["initial"].excess,
            "MM": found.levels["maintenance"].excess,
            "OptionMTM": found.equity.options,
            "CollateralMTM": found.equity.collateral,
            "PortfolioMTM": found.equity.total,
            "ForwardContingency": found.underlyings[0].basis,
        }
        # A share of a published number that is a difference of two others keeps fewer digits.
        wrong = {k: (v, expected[k]) for k, v in got.items() if not is_close(v, expected[k])}
        assert wrong == {}, (kind, case["id"])


@pytest.mark.parametrize(("kind", "cases"), kinds("derive_pmrm2_portfolio_margin"))
def test_every_scenario_of_the_second_portfolio_manager(kind, cases):
    for case in cases:
        found, expected = assessed(case["inputs"], derive.pmrm2), case["expected"]
        plain, skews = profits_2(found)
        listed = [*expected["reg_losses"], *expected["tail_losses"]]
        assert len(plain) == len(listed)
        for got, row in zip(plain, listed, strict=True):
            assert is_close(got, float(row[-1]), ROUNDING, ABSOLUTE), (kind, case["id"], row)
        assert len(skews) == len(expected["skew_losses"])
        for got, row in zip(skews, expected["skew_losses"], strict=True):
            assert is_close(got, float(row[-1]), ROUNDING, ABSOLUTE), (kind, case["id"], row)


@pytest.mark.parametrize(("kind", "cases"), kinds("derive_pmrm1_portfolio_margin"))
def test_the_first_portfolio_manager(kind, cases):
    for case in cases:
        found, expected = assessed(case["inputs"], derive.pmrm1), case["expected"]
        assert is_close(found.levels["initial"].excess, expected["initial_margin"]), (
            kind,
            case["id"],
        )
        assert is_close(found.levels["maintenance"].excess, expected["maintenance_margin"])
        assert is_close(found.equity.total, expected["mark_to_market"])
        assert is_close(found.underlyings[0].basis, expected["basis_contingency"])
        static = found.levels["maintenance"].contingencies.total()
        assert is_close(static, expected["static_contingency"])


@pytest.mark.parametrize(("kind", "cases"), kinds("derive_srm_margin"))
def test_the_standard_manager(kind, cases):
    for case in cases:
        found, expected = assessed(case["inputs"], derive.srm), case["expected"]
        assert is_close(found.levels["initial"].excess, expected["initial_margin"]), (
            kind,
            case["id"],
        )
        assert is_close(found.levels["maintenance"].excess, expected["maintenance_margin"])
        assert is_close(found.levels["initial"].contingencies.peg, part(expected, "DepegIMs"))
        assert is_close(
            found.levels["initial"].contingencies.confidence, part(expected, "OracleConts")
        )


def part(expected, name):
    return -expected["components"][name] / derive.E18


def span_array(i):
    """A future worth a thousand scan ranges, under the preset, in steps of ten dollars."""
    dampening = i["extreme_covered_usd"] / (2 * i["price_scan_range_usd"])
    rows = [msgspec.to_builtins(row) for row in model_of("span16").scenarios]
    for row in rows:
        if abs(row.get("ranges", 0)) == 2:
            row["dampening"] = dampening
    price = 1000.0 * i["price_scan_range_usd"]
    model = model_of("span16", {"spot_range": 1 / 1000, "scenarios": rows})
    market = Market({"INDEX": Underlying(price)})
    array = risk_array(Perpetual("INDEX", i["quantity"]), market, model)
    return {"array": [round(gain / 10) * 10 for gain in array]}


def span_scan(i):
    arrays = [leg["risk_array"] for leg in i["legs"]]
    sizes = [leg["quantity"] for leg in i["legs"]]
    requirement, worst = scanning_risk(arrays, sizes)
    combined = [sum(n * a[k] for n, a in zip(sizes, arrays, strict=True)) for k in range(16)]
    scenario = i["scenarios"][worst]
    return {"combined": combined, "requirement": requirement, "active_scenario": scenario}


def vol_shock(i):
    shock = VolatilityShock(
        up=i["base_shock"],
        short_power=i["power"],
        long_power=i["power"],
        reference_days=i["reference_days"],
    )
    model = ScenarioModel("m", (Scenario(),), LEVELS, volatility=shock)
    option = Option("BTC", "e", 1.0, "call", 1.0, 1.0)
    market = Market({"BTC": Underlying(1.0, expiries={"e": Expiry(1.0, i["days_to_expiry"])})})
    account = account_of(Portfolio(options=(option,)), market, model)
    return {"relative_shock": shocked_volatilities(account.books[0], model)["up"][0] - 1}


LEVELS = {"initial": Level(1.0), "maintenance": Level(1.0)}


def contingency(i):
    """In coins: at a price of one."""
    rate = i["rate"]
    if "delta_total_btc" in i:
        level = Level(1.0, net_delta_rate=rate)
        portfolio = Portfolio(perpetuals=(Perpetual("BTC", i["delta_total_btc"]),))
    else:
        level = Level(1.0, option_rate=rate)
        sold = Option("BTC", "e", 2.0, "call", -i["net_short_options_btc"], 0.5)
        portfolio = Portfolio(options=(sold,))
    model = ScenarioModel("m", (Scenario(),), {"initial": level, "maintenance": level})
    market = Market({"BTC": Underlying(1.0, expiries={"e": Expiry(1.0, 30)})})
    return {"contingency_btc": simulate(portfolio, market, model).levels["initial"].requirement}


def perpetual(i):
    value = fair_value(
        i["spot"],
        i["funding_rate"],
        i["interest_differential"],
        rate=i["rate"],
        asset_yield=i["asset_yield"],
        period=i["funding_period_years"],
        payoff=i["payoff"],
        is_on_spot_before=i["funding_on"] == "previous spot",
    )
    return {"fair_value": value}


ANSWERS = {
    "perpetual_fair_value": perpetual,
    "span_risk_array": span_array,
    "span_scan_risk": span_scan,
    "deribit_vol_shock": vol_shock,
    "deribit_contingency": contingency,
}


@pytest.mark.parametrize(("kind", "cases"), kinds("scenario_margin_documents"))
def test_arrays_and_examples_of_exchanges(kind, cases):
    assert reproduced(cases, ANSWERS[kind]) == len(cases)
