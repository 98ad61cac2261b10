"""Liquidation prices that venues, documents and other programs published."""

import pytest
from tests.vectors.published import kinds, reproduced

from ringfence.lab.rules.liquidation_price import (
    Position,
    bankruptcy_price,
    buffered,
    htx_risk_rate,
    initial_margin,
    liquidation_price,
    okx_margin_ratio,
    position_value,
    unrealized_pnl,
)

# Phemex and Bybit have their maintenance on the entry value, so they take no margin.
FIELDS = {
    "maintenance_rate": ("maintenance_margin_rate",),
    "maintenance_amount": ("maintenance_amount",),
    "maintenance_margin": ("maintenance_margin_amount",),
    "fee_rate": ("taker_fee", "fee"),
    "leverage": ("leverage",),
    "leverage_max": ("max_leverage", "leverage_max"),
    "adjustment_factor": ("adjust_factor",),
    "margin": (
        "isolated_wallet",
        "isolated_margin",
        "wallet_balance",
        "position_margin",
        "margin_static",
    ),
    "entry_price": ("entry_price", "cost_hold"),
}


def position(inputs):
    given = {
        field: next((inputs[name] for name in names if inputs.get(name) is not None), None)
        for field, names in FIELDS.items()
    }
    others = inputs.get("others", [])
    return Position(
        side=1 if inputs["side"] == "long" else -1,
        size=size(inputs),
        others_unrealized_pnl=sum(o["q"] * (o["mark"] - o["ep"]) for o in others),
        others_maintenance_margin=sum(o["q"] * o["mark"] * o["mmr"] - o["cum"] for o in others),
        **{field: value for field, value in given.items() if value is not None},
    )


def size(inputs):
    for name in ("quantity", "quantity_usd"):
        if name in inputs:
            return inputs[name]
    return inputs["contracts"] * inputs.get("contract_usd", inputs.get("contract_size", 1))


def mark_price(inputs, p):
    """The recorded mark, or the one that the recorded PnL of an inverse contract implies."""
    if "upl" in inputs:
        return 1 / (1 / p.entry_price - p.side * inputs["upl"] / p.size)
    return inputs.get("mark_price")


def answer(inputs):
    """Every figure that a case of this kind may state."""
    p, contract, venue = position(inputs), inputs["contract"], inputs["venue"]
    price = liquidation_price(venue, p, contract)
    if "liquidation_buffer" in inputs:
        price = buffered(price, p.entry_price, p.side, inputs["liquidation_buffer"])
    found = {
        "liquidation_price": price,
        "value": position_value(p.size, inputs.get("mark_price", p.entry_price), contract),
        "position_value": position_value(p.size, p.entry_price, contract),
        "initial_margin": initial_margin(p, contract),
    }
    if venue in {"bybit", "phemex", "delta", "kucoin"}:
        paid_in = p._replace(margin=inputs.get("initial_margin_plus_added", p.margin))
        found["bankruptcy_price"] = bankruptcy_price(venue, paid_in, contract)
    if venue == "mexc":
        found["isolated_margin"] = initial_margin(p, contract)
    if venue == "htx":
        found["risk_rate"] = htx_risk_rate(
            inputs["margin_balance"], inputs["margin_position"], p.adjustment_factor
        )
    mark = mark_price(inputs, p)
    if mark:
        found |= at_mark(inputs, p, mark)
    return found


def at_mark(inputs, p, mark):
    contract = inputs["contract"]
    pnl = unrealized_pnl(p, mark, contract)
    found = {
        "unrealized_pnl": pnl,
        "notional": position_value(p.size, mark, contract),
        "maintenance_margin": p.maintenance_rate * position_value(p.size, mark, contract),
        "isolated_margin": p.margin + pnl,
    }
    if inputs["venue"] == "okx":
        found["margin_ratio"] = okx_margin_ratio(p, mark, contract)
    return found


@pytest.mark.parametrize(("kind", "cases"), kinds("liquidation_prices"))
def test_published_liquidation_prices_are_reproduced(kind, cases):
    assert kind
    assert reproduced(cases, answer) == len(cases)


def test_hyperliquid_closes_where_equity_meets_half_the_margin_of_its_highest_leverage():
    p = Position(side=-1, size=2.0, entry_price=100.0, margin=40.0, leverage_max=50.0)
    price = liquidation_price("hyperliquid", p)
    assert p.margin + unrealized_pnl(p, price) == pytest.approx(2 * price / 100)


def test_an_inverse_position_on_bybit_is_closed_where_its_margin_meets_the_maintenance():
    p = Position(1, 60000.0, 50000.0, leverage=10.0, maintenance_rate=0.005)
    assert liquidation_price("bybit", p, "inverse") == pytest.approx(45662.10, abs=0.005)
    assert bankruptcy_price("bybit", p, "inverse") == pytest.approx(60000 / 1.32)


def test_a_venue_without_a_published_rule_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no liquidation rule for nowhere linear; known: binance"):
        liquidation_price("nowhere", Position(1, 1.0, 1.0))
