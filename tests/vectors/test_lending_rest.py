"""Lending numbers taken from executed contracts, test data and documents, system by system."""

from fractions import Fraction

import pytest
from tests.vectors.morpho import midnight, morpho
from tests.vectors.published import kinds, reproduced
from tests.vectors.silo import (
    silo_accounting,
    silo_health,
    silo_interest_agrees,
    silo_liquidation,
)

from ringfence.lab.rules import (
    lending_aave,
    lending_curve,
    lending_euler,
    lending_fluid,
    lending_gearbox,
)
from ringfence.lab.rules.fixed_point import BPS, WAD


def euler_liquidation(i):
    if "desiredRepay" in i:
        # The account of these cases holds 100 of the collateral and owes the whole maximum.
        limit = lending_euler.LiquidationLimit(i["maxRepay"], i["maxYield"])
        gained = lending_euler.partial_yield(i["desiredRepay"], limit)
        return {
            "violatorDebt": i["maxRepay"] - i["desiredRepay"],
            "violatorCollateral": 100 * WAD - gained,
            "liquidatorDebt": i["desiredRepay"],
            "liquidatorCollateral": gained,
        }
    if "totalBorrows" in i:
        return euler_socialized(i)
    collateral, debt = i["collateralShares"], i["debt"]
    liability = lending_euler.value(debt, i["debtPriceWad"])
    whole = lending_euler.value(collateral, i["collateralPriceWad"])
    adjusted = whole * i["liquidationLTVBps"] // BPS
    limit = lending_euler.liquidation_limit(
        debt, collateral, liability, adjusted, whole, i["maxLiquidationDiscountBps"]
    )
    return {
        "collateralAdjustedValue": adjusted,
        "liabilityValue": liability,
        "healthWad": lending_euler.health(adjusted, liability),
        "maxRepay": limit.repay,
        "maxYield": limit.collateral,
    }


def euler_socialized(i):
    """The liquidator takes over what it repays; the rest of the debt is the lenders' loss."""
    assert lending_euler.is_socialized(i["liabilityValue"], collateral_left=0)
    lost = i["debt"] - i["maxRepay"]
    return {
        "debt": 0,
        "liquidatorDebt": i["totalBorrows"] - i["debt"] + i["maxRepay"],
        "totalAssets": i["totalAssets"] - lost,
        "totalBorrows": i["totalBorrows"] - lost,
    }


def euler_interest(i):
    pre = i["pre"]
    cash = pre["totalAssets"] - pre["totalBorrows"]
    before = lending_euler.Vault(
        cash,
        pre["totalBorrowsExact"],
        pre["totalSupply"],
        pre["accumulatedFees"],
        pre["interestAccumulator"],
    )
    after = lending_euler.accrued(before, pre["interestRate"], i["elapsed"], i["interestFeeBps"])
    borrows = lending_euler.debt_shown(after.borrows_exact)
    curve = lending_euler.Curve(*map(int, i["irm"].partition("(")[2].rstrip(")").split(",")))
    debt = lending_euler.owed(pre["debtOfExact"], pre["interestAccumulator"], after.accumulator)
    # The lender's shares are those of the start: no interest had accrued before.
    lender = pre["assetsOfLender"] * pre["totalSupply"] // pre["totalAssets"]
    return {
        "totalBorrows": borrows,
        "totalBorrowsExact": after.borrows_exact,
        "totalAssets": cash + borrows,
        "totalSupply": after.shares,
        "accumulatedFees": after.fee_shares,
        "interestAccumulator": after.accumulator,
        "interestRate": lending_euler.rate_per_second(
            lending_euler.utilization(cash, borrows), curve
        ),
        "debtOf": lending_euler.debt_shown(debt),
        "debtOfExact": debt,
        "assetsOfLender": lending_euler.to_assets(lender, after),
    }


def euler_health(i):
    return {"liabilityValue": lending_euler.value(i["debt"], i["debtPriceWad"])}


def aave_seizure(i):
    done = lending_aave.seizure(
        i["debtToCover"],
        i["debtPrice"],
        i["debtUnit"],
        i["collateralPrice"],
        i["collateralUnit"],
        i["borrowerCollateralBalance"],
        i["liquidationBonusBps"],
        i["liquidationProtocolFeeBps"],
    )
    return {
        "collateralToLiquidator": done.collateral,
        "debtNeeded": done.debt,
        "protocolFeeCollateral": done.protocol_fee,
    }


def aave_interest(i):
    return {"factorRay": lending_aave.compounded_interest(i["rateRay"], i["seconds"])}


def aave_health(i):
    health = lending_aave.health_factor(i["sumCollateralValueTimesLtBps"], i["totalDebtBase"])
    return {"healthFactorWad": health, "liquidatable": lending_aave.is_liquidatable(health)}


def aave_v4(i):
    if "targetHealthFactor" in i:
        debt = lending_aave.debt_to_target(
            i["totalDebtValue_e26"],
            i["healthFactor"],
            i["targetHealthFactor"],
            i["liquidationBonusBps"],
            i["collateralFactorBps"],
            i["debtPrice"],
            i["debtUnit"],
        )
        return {"debtToTarget": debt}
    highest, factor = i["maxLiquidationBonusBps"], i["liquidationBonusFactorBps"]
    found = {"minLiquidationBonusBps": lending_aave.bonus_minimum(highest, factor)}
    if i["healthFactor"] != "threshold":
        bonus = lending_aave.bonus(i["healthFactor"], highest, factor, i["healthFactorForMaxBonus"])
        found["liquidationBonusBps"] = bonus
    return found


def gearbox_liquidation(i):
    paid = lending_gearbox.liquidation_payments(
        i["totalValue"],
        i["debt"],
        i["accruedInterest"],
        i["feeInterest"],
        i["liquidationDiscount"],
        i["feeLiquidation"],
        i["transferFeeBps"],
    )
    return {
        "amountToPool": paid.to_pool,
        "remainingFunds": paid.to_owner,
        "profit": paid.profit,
        "loss": paid.loss,
    }


def gearbox_ramp(i):
    keys = ("ltInitialBps", "ltFinalBps", "secondsSinceRampStart", "rampDuration")
    return {"ltBps": lending_gearbox.ramped_threshold(*(i[key] for key in keys))}


def gearbox_health(i):
    value = i["balance"] * i["priceUSD"]
    weighted = lending_gearbox.weighted_value(value, i["ltBps"], i["quotaUSD"])
    return {"valueUSD": value, "weightedValueUSD": weighted}


def curve_health(i):
    above = i.get("above_bands", 0) if i["full"] else 0
    return {
        "health": lending_curve.health(i["x_down"], i["debt"], i["liquidation_discount"], above)
    }


def fluid_interest(i):
    if "kinkBps" in i:
        points = [(0, i["rateAtZeroBps"]), (i["kinkBps"], i["rateAtKinkBps"])]
    elif "kink1Bps" in i:
        points = [(0, i["rateAtZeroBps"])]
        points += [(i[f"kink{n}Bps"], i[f"rateAtKink{n}Bps"]) for n in (1, 2)]
    else:
        return fluid_exchange(i)
    points.append((BPS, i["rateAtMaxBps"]))
    return {"borrowRateBps": lending_fluid.borrow_rate(i["utilizationBps"], points)}


def fluid_exchange(i):
    done = lending_fluid.exchange_after(
        (i["supplyRawInterest"], i["supplyInterestFree"]),
        (i["borrowRawInterest"], i["borrowInterestFree"]),
        Fraction(i["borrowRateBps"], BPS),
        Fraction(i["revenueFeeBps"], BPS),
        Fraction(i["years"]),
    )
    return {
        "ratioSupplyYieldBps": done.ratio_supply_yield * BPS,
        "supplyRateBps": done.supply_rate * BPS,
        "supplyExchangePrice": float(done.supply_price),
        "borrowExchangePrice": float(done.borrow_price),
        "totalSupply": done.total_supply,
        "totalBorrow": done.total_borrow,
    }


def fluid_limits(i):
    def exact(key):
        return Fraction(str(i[key]))

    expansion = exact("expandPercentBps") / BPS
    elapsed = min(exact("elapsed") / exact("expandDuration"), Fraction(1))
    if "userSupply" in i:
        limit = lending_fluid.withdrawal_limit(
            exact("userSupply"), exact("lastLimit"), exact("baseLimit"), expansion, elapsed
        )
        return {"withdrawalLimit": float(limit)}
    limit = lending_fluid.borrow_limit(
        exact("userBorrow"), exact("lastLimit"), exact("base"), exact("max"), expansion, elapsed
    )
    return {"borrowLimit": float(limit)}


ANSWERS = {
    "morpho-blue accounting": morpho,
    "morpho-blue interest": morpho,
    "morpho-blue liquidation": morpho,
    "morpho-midnight liquidation": midnight,
    "euler-evk liquidation": euler_liquidation,
    "euler-evk interest": euler_interest,
    "euler-evk health": euler_health,
    "aave-v3.7 liquidation": aave_seizure,
    "aave-v3.7 interest": aave_interest,
    "aave-v3.7 health": aave_health,
    "aave-v4 liquidation": aave_v4,
    "gearbox-v3 liquidation": gearbox_liquidation,
    "gearbox-v3 parameter-ramp": gearbox_ramp,
    "gearbox-v3 health": gearbox_health,
    "curve-llamalend-v2 health": curve_health,
    "fluid interest": fluid_interest,
    "fluid limits": fluid_limits,
    "silo-v2 liquidation": silo_liquidation,
    "silo-v2 health": silo_health,
    "silo-v2 accounting": silo_accounting,
}


def system_and_kind(case):
    return f"{case['system']} {case['kind']}"


@pytest.mark.parametrize(("kind", "cases"), kinds("lending_rest", by=system_and_kind))
def test_lending_numbers_of_every_system_are_reproduced(kind, cases):
    if kind == "silo-v2 interest":
        compared = [silo_interest_agrees(case) for case in cases]
        assert compared == [True] * len(cases)
    else:
        assert reproduced(cases, ANSWERS[kind]) == len(cases)
