"""The position as a long perpetual, under the rules of five exchanges.

The equity of the position is its margin. Parameters besides the maintenance margin:

    dYdX     fills at the worst price allowed, insurance takes up to 1.5 %
    Drift    liquidator 1 %, insurance up to 1 %, buffer 2 % of the notional
    Derive   discount from 5 % of the equity on, buffer 15 % of what is missing
    Vega     the network takes the position and sells a half each step
    Bluefin  the liquidator takes 70 % of the margin, insurance the rest
"""

from fractions import Fraction

from ringfence.lab.one_position.position import (
    COINS,
    KEEPER_PERCENT,
    MAINTENANCE_PERCENT,
    PRICE,
    WORTH,
    Outcome,
    Rule,
    outcome,
)
from ringfence.lab.rules import auctions, drift, dydx, vega
from ringfence.lab.rules.perpetual import INSURANCE, Perpetual, Rates
from ringfence.lab.rules.perpetual_position import BASE

MICRO = 10**6
KEEPER = WORTH * KEEPER_PERCENT // 100  # what a keeper wants for the whole position


def dydx_rule(debt: int) -> Outcome:
    """The whole position is offered on the book, down to the fillable price."""
    size = COINS * BASE
    market = dydx.Perpetual(Fraction(PRICE * MICRO, BASE), MICRO // 4, MICRO * 8 // 10)
    account = dydx.Account(-debt * MICRO, {"coin": size})
    terms = account, {"coin": market}, "coin", -size
    filled = dydx.notional(dydx.fillable_price(*terms, MICRO, MICRO // 10), size)
    # A purchase negates: closing a long sells, so what is received counts positively.
    bankruptcy = dydx.bankruptcy_price(*terms)
    fund = dydx.insurance_fund_delta(filled, bankruptcy, 15_000)
    left = account.quote + filled - fund
    return outcome(debt, 0.0, -left / MICRO, max(-fund, 0) / MICRO)


def drift_rule(debt: int) -> Outcome:
    """A liquidator takes just enough to restore margin and buffer, and two fees are paid."""
    position = drift.IsolatedPosition(COINS * drift.BASE, -debt * drift.PRICE, 0)
    terms = drift.LiquidationTerms(
        MAINTENANCE_PERCENT * 100, 200, 10_000, 10_000, drift.BASE // 1000
    )
    done = drift.isolated_liquidation(position, terms, PRICE * drift.PRICE, position.base)
    left = -done.position.quote / drift.PRICE
    coins = done.position.base / drift.BASE
    return outcome(debt, coins, left, max(left - coins * PRICE, 0))


def derive(debt: int) -> Outcome:
    """A slice is auctioned, at the discount on equity that is worth a bidder's while."""
    equity = WORTH - debt
    required = WORTH * MAINTENANCE_PERCENT // 100
    if equity <= 0:
        # Insolvent: the security module pays whoever takes the account over.
        return Outcome(WORTH, 0.0, KEEPER - equity)
    factor = min(0.95, 1 - KEEPER / equity)
    account = auctions.Account(equity, equity - required)
    share = auctions.share_max(account, 0.15, factor)
    paid = share * auctions.price_of_all(account, factor)
    # The bidder takes the slice with its equity and pays for it in cash.
    return Outcome(share * WORTH, share * equity - paid, 0.0)


def vega_rule(debt: int) -> Outcome:
    """All margin goes to the insurance pool, which bears what the disposal costs."""
    equity = WORTH - debt
    sizes = vega.disposal_sizes(COINS, Fraction(1, 2), 1, Fraction(1, 2), COINS)
    spent = sum(size * PRICE * KEEPER_PERCENT / 100 for size in sizes)
    return Outcome(WORTH, max(equity, 0), max(spent - equity, 0))


def bluefin(debt: int) -> Outcome:
    """The margin is shared by liquidator and insurance; without any, winners are deleveraged."""
    entry = debt * BASE * 4 // (3 * COINS)  # opened with a quarter of the notional as margin
    market = Perpetual(
        Rates(initial_rate=BASE // 5, maintenance_rate=MAINTENANCE_PERCENT * BASE // 100),
        dict.fromkeys(("loser", "winner", "liquidator"), 10**6 * BASE),
    )
    market.oracle_price = entry
    market.trade("loser", "winner", COINS * BASE, entry, 4 * BASE)
    market.oracle_price = PRICE * BASE
    equity = WORTH - debt
    if equity > 0:
        bonus = market.liquidate("loser", "liquidator", COINS * BASE, 4 * BASE).taker_pnl
        return Outcome(WORTH, (bonus + market.balances[INSURANCE]) / BASE, 0.0)
    fair = COINS * (entry - PRICE * BASE) / BASE
    gained = market.deleverage("loser", "winner", COINS * BASE).taker_pnl / BASE
    return Outcome(WORTH, 0.0, fair - gained)


PERPETUALS: dict[str, Rule] = {
    "dYdX": dydx_rule,
    "Drift": drift_rule,
    "Derive": derive,
    "Vega": vega_rule,
    "Bluefin": bluefin,
}
