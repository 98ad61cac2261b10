"""Dutch auctions of Derive and Maker, as published."""

import pytest
from tests.vectors.published import agrees, kinds, reproduced

from ringfence.lab.rules.auctions import (
    Account,
    Schedule,
    bid,
    buffered_margin,
    discount,
    linear_price,
    price_of_all,
    share_max,
    stairstep_price,
)


def schedule(i):
    terms = i["auction"]
    return Schedule(
        terms["starting_mtm"],
        terms["fast_cutoff"],
        terms["fast_length"],
        terms["slow_length"],
        terms["buffer"],
    )


def derive_unit(i):
    account = Account(i["mark_to_market"], i["maintenance_margin"], i["reserved_cash"])
    terms, seconds = schedule(i), i["seconds_since_start"]
    factor = discount(terms, seconds)
    found = {
        "max_proportion": share_max(account, terms.buffer, factor),
        "bid_price": price_of_all(account, factor),
    }
    if i["percent_wanted"] is not None:
        found["cash_paid"] = bid(account, terms, seconds, i["percent_wanted"]).cash_paid
    return found


def derive_auction(case):
    """The step of an auction, from the account's values before it.

    Mark-to-market and maintenance margin of the portfolio are the portfolio margin's business,
    and compared with its own cases; here they are where the step begins.
    """
    i, stated = case["inputs"], case["expected"]
    account = Account(stated["PreMtM"], stated["PreMM"], i["reserved_cash_before"])
    terms, seconds = schedule(i), i["seconds_since_start"]
    factor = discount(terms, seconds)
    done = bid(account, terms, seconds, i["percent_wanted"])
    return {
        "PreMtM": account.mark_to_market,
        "PreMM": account.maintenance_margin,
        "PreBM": buffered_margin(account, terms.buffer),
        "PreFMax": share_max(account, terms.buffer, factor),
        "ExpectedBidPrice": done.cash_paid,
        "fLiquidatedOfOriginal": done.share,
        "PostMtM": done.account.mark_to_market,
        "PostMM": done.account.maintenance_margin,
        "PostBM": buffered_margin(done.account, terms.buffer),
        "PostFMax": share_max(done.account, terms.buffer, factor),
        # These accounts are solvent: nothing is paid by the security module.
        "Lowerbound": 0.0,
        "SMPayout": 0.0,
    }


def linear(i):
    return {"price_ray": linear_price(i["top_ray"], i["tau_seconds"], i["elapsed"])}


def stairstep(case):
    i = case["inputs"]
    terms = i["top_ray"], i["decrease_per_step_ray"], i["step_seconds"]
    return {
        "points": [
            {"elapsed": p["elapsed"], "price_ray": stairstep_price(*terms, p["elapsed"])}
            for p in case["expected"]["points"]
        ]
    }


ANSWERS = {"derive-dutch-unit": derive_unit, "maker-abacus-linear": linear}
STEPS = {"derive-dutch-auction": derive_auction, "maker-abacus-stairstep": stairstep}
# The share of the original portfolio is that of the current one times what was left of it,
# which a step alone does not know.
BEYOND_ONE_STEP = {"FinalPercentageReceived"}


@pytest.mark.parametrize(("kind", "cases"), kinds("auctions_adl"))
def test_published_auctions_are_reproduced(kind, cases):
    if kind in STEPS:
        assert [step_agrees(case) for case in cases] == [True] * len(cases)
    else:
        assert reproduced(cases, ANSWERS[kind]) == len(cases)


def step_agrees(case):
    got = STEPS[case["kind"]](case)
    stated = {k: v for k, v in case["expected"].items() if k not in BEYOND_ONE_STEP}
    return agrees(stated, got, case["tolerance"])


SEVERAL_STEPS = [
    p for p in kinds("auctions_adl") if p.values[0] in {"derive-dutch-auction", "missing"}
]


@pytest.mark.parametrize(("kind", "cases"), SEVERAL_STEPS)
def test_the_share_of_the_original_portfolio_follows_from_the_steps_of_an_auction(kind, cases):
    left = {}
    checked = 0
    for case in sorted(cases, key=lambda c: c["id"]):
        name, _, number = case["id"].rpartition("-")
        # Test4 repeats the share of the current portfolio instead.
        if name.endswith("Test4") or (number != "0" and (name, int(number)) not in left):
            continue
        share = STEPS[kind](case)["fLiquidatedOfOriginal"] * left.get((name, int(number)), 1.0)
        assert share == pytest.approx(case["expected"]["FinalPercentageReceived"], abs=1e-6)
        left[name, int(number) + 1] = left.get((name, int(number)), 1.0) - share
        checked += 1
    assert checked
