"""Isolated margin mode and risk factors of Vega, as tested there."""

from fractions import Fraction

import pytest
from tests.vectors.published import kinds, reproduced

from ringfence.lab.rules import vega


def lots(rows):
    return [vega.Lot(row["size"], row["price"]) for row in rows]


def factor(i):
    return Fraction(str(i["margin_factor"]))


def order_margin(i):
    sides = {"buys": i.get("buys", []), "sells": i.get("sells", [])}
    if "orders" in i:
        sides["buys" if i["side"] == "buy" else "sells"] = i["orders"]
    margin = vega.order_margin(
        i["position"],
        lots(sides["buys"]),
        lots(sides["sells"]),
        i["position_factor"],
        factor(i),
        i["auction_price"],
    )
    return {"order_margin": margin}


def transfer(i):
    moved = vega.transfer_on_trades(
        lots(i["trades"]),
        1 if i["side"] == "buy" else -1,
        i["new_position"],
        i["position_factor"],
        factor(i),
        i["margin_balance"],
        i["mark_price"],
    )
    return {"transfer": moved.route, "amount": moved.amount}


def mode_switch(i):
    if "margin_factor" not in i:
        # Back in cross mode an order needs no margin of its own.
        return {"order_margin_released": i["order_margin_balance"]}
    names = ("margin_balance", "order_margin_balance", "general_balance")
    try:
        for_position, for_orders = vega.switch_to_isolated(
            i["position"],
            i["average_entry"],
            i["initial_margin"],
            factor(i),
            *(i[name] for name in names),
            lots(i["orders"]),
        )
    except vega.RefusedError as refusal:
        return {"error": str(refusal)}
    return {"position_margin_transfer": for_position, "order_margin_transfer": for_orders}


def risk_factor(i):
    names = ("risk_aversion_lambda", "tau_years", "mu", "sigma")
    short, long = vega.risk_factors(*(i[name] for name in names))
    return {"risk_factor_short": short, "risk_factor_long": long}


ANSWERS = {
    "isolated_order_margin": order_margin,
    "isolated_margin_transfer": transfer,
    "margin_mode_switch": mode_switch,
    "risk_factor_expected_shortfall": risk_factor,
}


@pytest.mark.parametrize(("kind", "cases"), kinds("vega_isolated_margin"))
def test_published_isolated_margins_are_reproduced(kind, cases):
    assert reproduced(cases, ANSWERS[kind]) == len(cases)
