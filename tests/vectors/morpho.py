"""Answers of our Morpho rules, in the words of their published cases."""

from ringfence.lab.rules import lending_midnight, lending_morpho


class Morpho:
    """One market with a lender, a fee recipient and a borrower, as its cases record it."""

    def __init__(self, pre, lltv):
        self.market = lending_morpho.Market(
            pre["totalSupplyAssets"],
            pre["totalSupplyShares"],
            pre["totalBorrowAssets"],
            pre["totalBorrowShares"],
            pre["lastUpdate"],
            pre["fee"],
            pre["feeRecipientShares"],
        )
        self.account = lending_morpho.Account(
            pre["supplierShares"], pre["borrowerShares"], pre["borrowerCollateral"]
        )
        self.price, self.lltv = pre["collateralPrice"], lltv

    def accrue(self, timestamp):
        accrual = lending_morpho.accrued(self.market, timestamp)
        self.market = accrual.market
        return accrual

    def supply(self, assets, shares):
        return self._moved(lending_morpho.supplied(self.market, self.account, assets, shares))

    def withdraw(self, assets, shares):
        return self._moved(lending_morpho.withdrawn(self.market, self.account, assets, shares))

    def borrow(self, assets, shares):
        state = self.market, self.account
        return self._moved(lending_morpho.borrowed(*state, assets, shares, self.price, self.lltv))

    def repay(self, assets, shares):
        return self._moved(lending_morpho.repaid(self.market, self.account, assets, shares))

    def supply_collateral(self, assets):
        held = self.account.collateral + assets
        self.account = self.account._replace(collateral=held)
        return {"assets": assets}

    def withdraw_collateral(self, assets):
        self.account = lending_morpho.withdrawn_collateral(
            self.market, self.account, assets, self.price, self.lltv
        )
        return {"assets": assets}

    def set_fee(self, fee):
        self.market = self.market._replace(fee=fee)

    def liquidate(self, **amounts):
        done = lending_morpho.liquidated(
            self.market,
            self.account,
            amounts["seizedAssets"],
            amounts["repaidShares"],
            self.price,
            self.lltv,
        )
        self.market, self.account = done.market, done.account
        return {
            "repaidAssets": done.repaid_assets,
            "repaidShares": done.repaid_shares,
            "seizedAssets": done.seized_assets,
            "badDebtAssets": done.bad_debt_assets,
            "badDebtShares": done.bad_debt_shares,
        }

    def post(self):
        market, account = self.market, self.account
        return {
            "totalSupplyAssets": market.supply_assets,
            "totalSupplyShares": market.supply_shares,
            "totalBorrowAssets": market.borrow_assets,
            "totalBorrowShares": market.borrow_shares,
            "lastUpdate": market.last_update,
            "fee": market.fee,
            "supplierShares": account.supply_shares,
            "feeRecipientShares": market.fee_shares,
            "borrowerShares": account.borrow_shares,
            "borrowerCollateral": account.collateral,
            "collateralPrice": self.price,
        }

    def _moved(self, result):
        self.market, self.account, assets, shares = result
        return {"assets": assets, "shares": shares}


OPERATIONS = {
    "supply": Morpho.supply,
    "withdraw": Morpho.withdraw,
    "borrow": Morpho.borrow,
    "repay": Morpho.repay,
    "supplyCollateral": Morpho.supply_collateral,
    "withdrawCollateral": Morpho.withdraw_collateral,
    "setFee": Morpho.set_fee,
    "liquidate": Morpho.liquidate,
    "accrueInterest": lambda _: None,
}


def morpho(i):
    run = Morpho(i["pre"], i["lltv"])
    found = {}
    # Adding collateral is the one operation that does not touch interest.
    if i["op"] != "supplyCollateral":
        accrual = run.accrue(i["timestamp"])
        found["accrue"] = {
            "prevBorrowRate": accrual.rate,
            "interest": accrual.interest,
            "feeShares": accrual.fee_shares,
        }
    found["event"] = OPERATIONS[i["op"]](run, **i["args"])
    return found | {"post": run.post()}


def midnight(i):
    basket = [
        lending_midnight.Collateral(c["amount"], c["price"], c["lltv"], c["maxLif"])
        for c in i["collaterals"]
    ]
    done = lending_midnight.liquidation(
        i["debt"],
        basket,
        i["collateralIndex"],
        i["seizedAssets"],
        i["repaidUnits"],
        i["rcfThreshold"],
        seconds_late(i["phase"]),
    )
    return {
        "liquidatable": done.liquidatable,
        "maxDebt": done.debt_max,
        "badDebt": done.bad_debt,
        "maxRepaid": done.repaid_max,
        "seizedAssets": done.seized_assets,
        "repaidUnits": done.repaid_units,
        "allowed": done.allowed,
    }


def seconds_late(phase):
    """A phase is "before maturity" or tells how many seconds, or minutes, it is after it."""
    if phase == "before maturity":
        return 0
    number = int(next(word for word in phase.replace("min", " min").split() if word.isdigit()))
    return number * 60 if "min" in phase else number
