"""Weights, transfers, fees and isolated liquidations of Drift, as tested there."""

import pytest
from tests.vectors.published import kinds, reproduced

from ringfence.lab.rules import drift


def values(i, *names):
    return [i[name] for name in names]


def base_to_cover(i):
    names = ("margin_shortage", "margin_ratio", "liquidator_fee", "if_fee", "oracle_price")
    amounts = values(i, *names, "quote_oracle_price")
    return {"base_amount": drift.base_to_cover_shortage(*amounts)}


def liability_to_cover(i):
    names = ("margin_shortage", "asset_weight", "asset_multiplier", "liability_weight")
    names += ("liability_multiplier", "liability_decimals", "liability_price", "if_fee")
    return {"liability_transfer": drift.liability_to_cover_shortage(*values(i, *names))}


def liability_for_asset(i):
    names = ("asset_amount", "asset_multiplier", "asset_decimals", "asset_price")
    names += ("liability_multiplier", "liability_decimals", "liability_price")
    return {"liability_transfer": drift.liability_for_asset(*values(i, *names))}


def asset_for_liability(i):
    names = ("asset_amount_available", "asset_multiplier", "asset_decimals", "asset_price")
    names += ("liability_amount", "liability_multiplier", "liability_decimals", "liability_price")
    return {"asset_transfer": drift.asset_for_liability(*values(i, *names))}


def insurance_fee_perp(i):
    names = ("margin_shortage", "base_amount", "margin_ratio", "liquidator_fee", "oracle_price")
    amounts = values(i, *names, "quote_oracle_price", "max_if_fee")
    return {"fee": drift.insurance_fee_of_position(*amounts)}


def insurance_fee_spot(i):
    names = ("margin_shortage", "token_amount", "asset_weight", "asset_multiplier")
    names += ("liability_weight", "liability_multiplier", "decimals", "oracle_price", "max_if_fee")
    return {"fee": drift.insurance_fee_of_debt(*values(i, *names))}


def loss_socialisation(i):
    try:
        delta = drift.funding_rate_to_share_loss(*values(i, "loss", "base_long", "base_short"))
    except drift.RefusedError as refusal:
        return {"error": str(refusal)}
    found = {"cumulative_funding_rate_delta": delta}
    if "user_long" in i:
        rates = {"long": i["funding_long"] + delta, "short": i["funding_short"] - delta}
        for side, rate in rates.items():
            user = i[f"user_{side}"]
            found[f"funding_{side}"] = rate
            found[f"{side}_user_payment"] = drift.funding_payment(
                rate, user["last_funding"], user["base"]
            )
        found["total_social_loss"] = abs(i["loss"])
    return found


def fee_ramp(i):
    return {
        "fee": drift.liquidator_fee(*values(i, "base_fee", "max_fee", "last_active_slot", "slot"))
    }


def share_max(i):
    amounts = values(i, "margin_shortage", "slots", "initial_pct", "duration")
    return {"pct": drift.share_to_liquidate_max(*amounts, i.get("margin_freed", 0))}


def swap_boundary(i):
    names = ("asset_transfer", "liability_transfer", "asset_decimals", "liability_decimals")
    names += ("asset_price", "liability_price", "asset_multiplier", "liability_multiplier")
    return {"ok": drift.is_swap_within_bounds(*values(i, *names))}


def limit_price(i):
    names = ("asset_transfer", "asset_decimals", "liability_transfer", "liability_decimals")
    return {"ok": drift.swap_price(*values(i, *names)) >= i["limit_price"]}


def size_weight(i):
    rule = {"asset": drift.asset_weight_by_size, "liability": drift.liability_weight_by_size}
    size = drift.scaled_size(i["size"], i["decimals"])
    return {"weight": rule[i["side"]](size, i["imf_factor"], i["weight"])}


def deposit_weight(i):
    names = ("initial_asset_weight", "scale_start", "deposits", "decimals", "oracle_price")
    return {"weight": drift.asset_weight_by_deposits(*values(i, *names))}


def pnl_weight(i):
    return {
        "weight": drift.unrealized_pnl_weight(*values(i, "unrealised_pnl", "imf_factor", "weight"))
    }


def perp_initial_margin(i):
    names = ("base", "quote", "oracle_price", "margin_ratio_initial", "imf_factor", "upnl_weight")
    amounts = values(i, *names, "upnl_imf", "max_positive_upnl_initial")
    margin, pnl = drift.initial_margin_of_position(*amounts)
    return {"margin_requirement": margin, "weighted_upnl": pnl}


def isolated_liquidation(i):
    done = drift.isolated_liquidation(
        drift.IsolatedPosition(i["base"], i["quote"], i["isolated_collateral"]),
        drift.LiquidationTerms(
            *values(i, "maintenance_ratio", "buffer_ratio", "liquidator_fee", "max_if_fee"),
            i["order_step"],
        ),
        i["oracle_price"],
        i["liquidator_max_base"],
    )
    return {
        "user_base": done.position.base,
        "user_quote": done.position.quote,
        "user_entry": done.entry,
        "liquidator_base": done.liquidator_base,
        "liquidator_quote": done.liquidator_quote,
        "insurance_fee": done.insurance_fee,
        "margin_ratio_after": done.margin_ratio,
    }


def isolation_rule(i):
    """The bankrupt cross account beside it is no argument of the isolated position's rule."""
    isolated = i["isolated"]
    position = drift.IsolatedPosition(isolated["base"], isolated["quote"], isolated["collateral"])
    terms = drift.LiquidationTerms(i["maintenance_ratio"], i["buffer_ratio"], 0, 0, 1)
    try:
        drift.isolated_liquidation(position, terms, i["oracle_price"], drift.UNLIMITED)
    except drift.RefusedError as refusal:
        return {"liquidate_isolated": str(refusal), "isolated_position_changed": False}
    return {"liquidate_isolated": "ok", "isolated_position_changed": True}


ANSWERS = {
    "base_to_cover_shortage": base_to_cover,
    "liability_to_cover_shortage": liability_to_cover,
    "liability_for_asset": liability_for_asset,
    "asset_for_liability": asset_for_liability,
    "insurance_fee_perp": insurance_fee_perp,
    "insurance_fee_spot": insurance_fee_spot,
    "loss_socialisation": loss_socialisation,
    "liquidation_fee_ramp": fee_ramp,
    "max_share_to_liquidate": share_max,
    "swap_boundary": swap_boundary,
    "limit_price": limit_price,
    "size_scaled_weight": size_weight,
    "deposit_scaled_weight": deposit_weight,
    "unrealised_pnl_weight": pnl_weight,
    "perp_initial_margin": perp_initial_margin,
    "isolated_liquidation": isolated_liquidation,
    "isolation_rule": isolation_rule,
}


@pytest.mark.parametrize(("kind", "cases"), kinds("drift_margin_liquidation"))
def test_published_margins_and_liquidations_are_reproduced(kind, cases):
    assert reproduced(cases, ANSWERS[kind]) == len(cases)
