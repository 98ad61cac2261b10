"""Answers of our Silo rules, in the words of their published cases."""

from tests.vectors.published import agrees

from ringfence.lab.rules import lending_silo


def silo_liquidation(i):
    if "maxDebtToCover" in i:
        return silo_preview(i)
    if "debtValueToCover" in i:
        collateral, value = lending_silo.seized(
            i["debtValueToCover"],
            i["totalBorrowerCollateralValue"],
            i["totalBorrowerCollateralAssets"],
            i["liquidationFee"],
        )
        return {"collateralAssets": collateral, "collateralValue": value}
    if "targetLtv" in i:
        keys = ("collateralAssets", "collateralValue", "debtAssets", "debtValue")
        done = lending_silo.liquidation_max(
            *(i[key] for key in keys), i["targetLtv"], i["liquidationFee"]
        )
        return {
            "collateralToLiquidate": done.collateral,
            "debtToRepay": done.debt,
            "ltvAfter": done.ltv_after,
        }
    value, fee = i["totalBorrowerCollateralValue"], i["liquidationFee"]
    repay = lending_silo.repay_value_max(
        i["totalBorrowerDebtValue"], value, i["ltvAfterLiquidation"], fee
    )
    seized = lending_silo.seized_value(repay, value, fee)
    return {"repayValue": repay, "collateralValueToLiquidate": seized}


def silo_preview(i):
    value, debt_value = i["totalBorrowerCollateralValue"], i["totalBorrowerDebtValue"]
    done = lending_silo.liquidation(
        lending_silo.loan_to_value(debt_value, value),
        i["totalBorrowerCollateralAssets"],
        value,
        i["totalBorrowerDebtAssets"],
        debt_value,
        i["maxDebtToCover"],
        i["liquidationTargetLtv"],
        i["liquidationFee"],
    )
    return {
        "collateralAssetsToLiquidate": done.collateral,
        "debtAssetsToRepay": done.debt,
        "ltvAfterLiquidation": done.ltv_after,
    }


def silo_health(i):
    return {"ltv": lending_silo.loan_to_value(i["debtValue"], i["collateralValue"])}


def silo_accounting(i):
    debt, collateral = i["debtConfig"], i["collateralConfig"]
    total_debt, total_collateral = debt["totalDebtAssets"], collateral["totalCollateralAssets"]
    if i["accrueInMemory"]:
        total_debt = lending_silo.debt_with_interest(total_debt, debt["compoundInterestRate"])
        total_collateral = lending_silo.collateral_with_interest(
            total_collateral,
            collateral["totalDebtAssets"],
            collateral["compoundInterestRate"],
            collateral["daoFee"] + collateral["deployerFee"],
        )
    # A silo without an oracle of its own for borrowing uses the one of its solvency.
    oracle = "maxLtvOracle" if i["oracleType"] == "maxLtv" else "solvencyOracle"
    # These cases were written for a share offset of 10**3; newer versions have 10**0.
    offset = 1000
    return {
        "collateralOracle": collateral[oracle] or collateral["solvencyOracle"],
        "debtOracle": debt[oracle] or debt["solvencyOracle"],
        "borrowerProtectedAssets": lending_silo.collateral_assets(
            collateral["protectedShareBalanceOf"],
            collateral["totalProtectedAssets"],
            collateral["protectedShareTotalSupply"],
            offset,
        ),
        "borrowerCollateralAssets": lending_silo.collateral_assets(
            collateral["collateralShareBalanceOf"],
            total_collateral,
            collateral["collateralShareTotalSupply"],
            offset,
        ),
        "borrowerDebtAssets": lending_silo.debt_assets(
            debt["debtShareBalanceOf"], total_debt, debt["debtShareTotalSupply"]
        ),
    }


# The source computes these rows in floating point and allows 6e-9, resp. 7e-9 of the result;
# for the rows that it lists up to 1.7e-7. Slopes must be exact. Its contract returns no
# interest without a debt, but its rows state the rate of an empty silo too, as we do.
SILO_TOLERANCE = {"currentAnnualInterest": 6e-9, "compoundInterest": 1.7e-7, "newSlope": 0}


def silo_interest(i):
    cfg = lending_silo.Kink(**i["constants"])
    elapsed = i["currentTime"] - i["lastTransactionTime"]
    state = cfg, i["lastSlope"], elapsed, i["lastUtilization"]
    compound = lending_silo.compound_interest(*state)
    return {
        "currentAnnualInterest": lending_silo.current_rate(*state),
        "compoundInterest": compound.interest,
        "newSlope": compound.slope,
        "didOverflow": int(compound.overflowed),
    }


def silo_interest_agrees(case):
    got = silo_interest(case["inputs"])
    return all(
        agrees(stated, got[field], {"rel": SILO_TOLERANCE.get(field, 0)})
        for field, stated in case["expected"].items()
    )
