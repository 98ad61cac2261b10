"""The generator is not blind: each run must reach what the properties are about.

Floors are far below what a run reaches on average, so that chance alone does not break them.
RINGFENCE_SEED repeats a run; the seed stands in the message.
"""

import pytest
from tests.properties.census import Census
from tests.properties.histories import History
from tests.properties.pools import SPECS
from tests.properties.profile import BASE_SEED, IS_INTERPRETED, examples

from ringfence.core.command import Kind
from ringfence.core.status import Status

SEEDS, COMMANDS = 24, 400

# At least so many in a run, per kind, for the commands that a history is made of.
ACCEPTED = dict.fromkeys(Kind, 40) | {
    Kind.EXPIRE: 1,
    Kind.CANCEL_CHANGE: 5,
    Kind.LIQUIDATE: 60,
    Kind.TRADE: 200,
    Kind.BORROW: 100,
    Kind.ADVANCE_CLOCK: 500,
    Kind.DELEVERAGE: 8,
    Kind.BID: 1,
    Kind.BUY_FROM_BACKSTOP: 5,
    Kind.BUY_COLLATERAL: 5,
    Kind.REDEEM_BACKSTOP: 20,
    Kind.FUND_BOND: 10,
    Kind.WARN: 20,
    Kind.TOP_UP: 1,
    Kind.REDUCE: 1,
    Kind.RELEASE_BOND: 0,  # a pool is seldom at rest
    Kind.END_POOL: 0,  # nor does it often lose so much
}
RARE = {
    "partial liquidation": 10,
    "whole liquidation": 25,
    "liquidation in several steps": 10,
    "collateral liquidated": 3,
    "shortfall": 5,
    "insurance used": 8,
    "debt written off": 2,
    "due covered": 3,
    "due left behind": 3,
    "claim unpaid": 20,
    "deleveraging awaited": 10,
    "winner deleveraged": 10,
    "auction started": 2,
    "slice sold": 1,
    "shares redeemed": 20,
    "claims paid pro rata": 15,
    "reserve waits for lender cash": 50,
    "parameter change activated during open positions": 10,
}
REFUSED = {
    Status.ACCOUNT_IS_IN_GRACE_PERIOD: 3,
    Status.PRICE_IS_NOT_USABLE: 100,
    Status.ACCOUNT_IS_HEALTHY: 20,
    Status.NOTHING_TO_LIQUIDATE: 3,
    Status.INITIAL_MARGIN_TOO_LOW: 200,
    Status.OTHER_INITIAL_MARGIN_TOO_LOW: 100,
    Status.EXCEEDS_OPEN_INTEREST_CAP: 20,
    Status.EXCEEDS_POSITION_LIMIT: 20,
    Status.EXCEEDS_DEPOSIT_CAP: 20,
    Status.EXCEEDS_LENDER_CASH: 20,
    Status.PARAMETERS_MUST_NEST: 3,
    Status.PARAMETER_OUT_OF_BOUNDS: 20,
    Status.CHANGE_IS_TOO_SOON: 20,
    Status.RAMP_IS_TOO_SHORT: 3,
    Status.PUBLISH_TIME_MUST_INCREASE: 20,
    Status.FUNDING_EXCEEDS_LIMIT: 20,
}


@pytest.fixture(scope="module")
def census() -> Census:
    found = Census()
    for seed in range(BASE_SEED, BASE_SEED + examples(SEEDS)):
        for spec in SPECS.values():
            found.watch(History(spec, seed), COMMANDS)
    return found


pytestmark = pytest.mark.skipif(IS_INTERPRETED, reason="an interpreted run is too small to judge")


def below(floors, reached):
    return {
        name: f"{reached(name)} of {floor}"
        for name, floor in floors.items()
        if reached(name) < floor
    }


def test_every_kind_of_command_is_accepted_often_enough(census):
    assert below(ACCEPTED, census.accepted) == {}, f"RINGFENCE_SEED={BASE_SEED}"


def test_every_rare_event_happens(census):
    assert below(RARE, lambda name: census.rare[name]) == {}, f"RINGFENCE_SEED={BASE_SEED}"


def test_the_rules_that_matter_are_broken(census):
    assert below(REFUSED, census.refused) == {}, f"RINGFENCE_SEED={BASE_SEED}"


def test_most_kinds_of_refusal_are_seen(census):
    unseen = [s.name for s in Status if not census.refused(s)]
    assert len(unseen) <= 24, f"RINGFENCE_SEED={BASE_SEED}: {unseen}"
