"""The isolated positions of a perpetual exchange, from opening to deleveraging, as tested there.

Alice makes and Bob takes; Cat and Dog trade with each other, and a liquidator waits. Every
step states what its parties and the exchange must own afterwards, or the code with which it
must be refused. The oracle price is set first, and stays set when the step is refused.
"""

import contextlib
from fractions import Fraction

import pytest
from tests.vectors.published import agrees, kinds

from ringfence.lab.rules.perpetual import FEES, INSURANCE, MARKET, Perpetual, Rates
from ringfence.lab.rules.perpetual_position import BASE, RefusedError, entry_price, margin_ratio

RATES = {
    "initial_rate": "initialMarginRequired",
    "maintenance_rate": "maintenanceMarginRequired",
    "maker_fee": "makerFee",
    "taker_fee": "takerFee",
    "insurance_share": "insurancePoolRatio",
    "tick": "tickSize",
}
PARTIES = {"normal": ("alice", "bob"), "cat_dog": ("cat", "dog")}
PARTIES |= {"liquidator_bob": ("liquidator", "bob"), "liquidator_cat": ("liquidator", "cat")}
# The source expects a case to state a maker (Alice), a taker (Bob), or one of the others.
WHO = {
    "expectMaker": "alice",
    "expectTaker": "bob",
    "expectLiquidator": "liquidator",
    "expectCat": "cat",
}


def units(number):
    return round(Fraction(str(number)) * BASE)


def exchange(inputs):
    given = {
        ours: units(inputs["market"][name])
        for ours, name in RATES.items()
        if name in inputs["market"]
    }
    funds = inputs["initial_balances"]
    names = {"alice": "traders", "bob": "traders", "cat": "cat", "dog": "dog"}
    names["liquidator"] = "liquidator"
    balances = {name: units(funds.get(key, 5000)) for name, key in names.items()}
    return Perpetual(Rates(**given), balances)


def play(market, step):
    """Run one step; the names of its maker and taker and what they realised."""
    market.oracle_price = units(step["pOracle"])
    size, kind = units(step.get("size") or 0), step.get("tradeType", "normal")
    leverage = units(step.get("leverage") or 0)
    if kind == "liquidation":
        return "alice", "liquidator", market.liquidate("alice", "liquidator", abs(size), leverage)
    if kind == "deleveraging":
        return "alice", "cat", market.deleverage("alice", "cat", abs(size))
    if size:
        maker, taker = PARTIES[kind]
        if step.get("isTaker"):
            maker, taker = taker, maker
        if kind == "liquidator_bob":
            # Bob takes over the leverage of the step first; it does not matter if he cannot.
            with contextlib.suppress(RefusedError):
                market.adjust_leverage(taker, leverage)
        return maker, taker, market.trade(maker, taker, size, units(step["price"]), leverage)
    adjustments = {
        "addMargin": market.add_margin,
        "removeMargin": market.remove_margin,
        "adjustLeverage": market.adjust_leverage,
    }
    for name, adjust in adjustments.items():
        if name in step:
            adjust("bob", units(step[name]))
    return None


def view(market, name, played):
    p = market.position(name)
    shown = {
        "mro": p.margin_share,
        "oiOpen": p.cost,
        "qPos": p.size,
        "margin": p.margin,
        "marginRatio": margin_ratio(p, market.oracle_price),
        "bankBalance": market.balances[name],
        "pPos": entry_price(p),
    }
    if played and name in played[:2]:
        maker, _, outcome = played
        shown["pnl"] = outcome.maker_pnl if name == maker else outcome.taker_pnl
    return {key: value / BASE for key, value in shown.items()}


def observe(market, step):
    """What the case can ask about after a step."""
    before = dict(market.positions), dict(market.balances)
    try:
        played = play(market, step)
    except RefusedError as refusal:
        assert (market.positions, market.balances) == before
        return {"expectError": refusal.code}
    seen = {expectation: view(market, name, played) for expectation, name in WHO.items()}
    names = {"fee": FEES, "insurancePool": INSURANCE, "perpetual": MARKET}
    seen["expectSystem"] = {key: market.balances[name] / BASE for key, name in names.items()}
    return seen


def round_as_printed(expected, got):
    """One case prints a margin ratio with three decimals, which is what the source compares."""
    for party, stated in expected.items():
        if isinstance(stated, dict) and "marginRatio" in stated:
            decimals = max(len(str(stated["marginRatio"]).partition(".")[2]), 3)
            got[party]["marginRatio"] = round(got[party]["marginRatio"], decimals)


def check(case):
    market = exchange(case["inputs"])
    total = sum(market.balances.values())
    steps = zip(case["inputs"]["steps"], case["expected"]["steps"], strict=True)
    for number, (step, expected) in enumerate(steps):
        got = observe(market, step)
        assert ("expectError" in got) == ("expectError" in expected), (case["id"], number, got)
        round_as_printed(expected, got)
        assert agrees(expected, got, case["tolerance"]), (case["id"], number, expected, got)
        assert sum(market.balances.values()) == total


@pytest.mark.parametrize(("kind", "cases"), kinds("isolated_perp_lifecycle"))
def test_published_life_cycles_of_isolated_positions_are_reproduced(kind, cases):
    assert kind
    compared = [check(case) for case in cases]
    assert len(compared) == len(cases)
