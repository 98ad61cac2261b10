"""The headline: what happens in one pool cannot reach another, nor anybody's wallet.

RINGFENCE_SEED is the first seed (0 by default), RINGFENCE_EXAMPLES multiplies their number.
A failure names its seed; `run(seed)` brings it back.
"""

import os
from collections import Counter

import pytest
from tests.isolation.planted import (
    BUGS,
    LiquidationSparesTheRich,
    Planted,
    RefusalLeavesATrace,
)
from tests.isolation.properties import Violation, run
from tests.isolation.world import World
from tests.properties.profile import examples

from ringfence.core.command import Happening, Kind
from ringfence.core.status import Status

FIRST = int(os.environ.get("RINGFENCE_SEED", "0"))
SEEDS = range(FIRST, FIRST + examples(200))
SEEDS_FOR_A_BUG = range(FIRST, FIRST + 60)


def seen_in(world: World) -> Counter[object]:
    return world.seen + world.final_totals()


@pytest.fixture(scope="module")
def census() -> Counter[object]:
    """What all seeds together have seen; each of them has kept every property."""
    seen: Counter[object] = Counter()
    for seed in SEEDS:
        try:
            seen += seen_in(run(seed))
        except Violation as violation:
            violation.add_note(f"seed {seed}")
            raise
    return seen


def test_pools_do_not_interfere_p1_p2_p3_p4(census):
    assert census["money moved"] > 10 * len(SEEDS)


ACCEPTED = {
    Kind.OPEN_ACCOUNT: 8,
    Kind.DEPOSIT: 10,
    Kind.WITHDRAW: 1,
    Kind.EXCHANGE: 0.2,
    Kind.FUND_INSURANCE: 1,
    Kind.SUPPLY: 3,
    Kind.REDEEM: 0.3,
    Kind.BORROW: 2,
    Kind.REPAY: 1,
    Kind.TRADE: 6,
    Kind.OPEN_POSITION: 1.5,
    Kind.SET_MARK_PRICE: 3,
    Kind.ACCRUE_FUNDING: 2,
    Kind.SETTLE: 10,
    Kind.LIQUIDATE: 1,
    Kind.ANNOUNCE_CHANGE: 1,
    Kind.CANCEL_CHANGE: 0.1,
}


@pytest.mark.parametrize("kind", ACCEPTED, ids=lambda kind: kind.name)
def test_every_kind_is_accepted_often_enough_to_mean_something(census, kind):
    assert census[int(kind), Status.OK] >= ACCEPTED[kind] * len(SEEDS)


REFUSED = {
    (Kind.DEPOSIT, Status.EXCEEDS_WALLET): 3,
    (Kind.DEPOSIT, Status.EXCEEDS_DEPOSIT_CAP): 0.02,
    (Kind.OPEN_POSITION, Status.EXCEEDS_WALLET): 3,
    (Kind.OPEN_POSITION, Status.INITIAL_MARGIN_TOO_LOW): 0.5,
    (Kind.WITHDRAW, Status.INITIAL_MARGIN_TOO_LOW): 0.3,
    (Kind.TRADE, Status.INITIAL_MARGIN_TOO_LOW): 10,
    (Kind.TRADE, Status.PRICE_IS_NOT_USABLE): 5,
    (Kind.BORROW, Status.INITIAL_MARGIN_TOO_LOW): 0.6,
    (Kind.OPEN_ACCOUNT, Status.ACCOUNT_NUMBER_IS_TAKEN): 0.2,
    (Kind.LIQUIDATE, Status.ACCOUNT_IS_HEALTHY): 0.5,
}


@pytest.mark.parametrize("refusal", REFUSED, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_refusals_that_matter_happen(census, refusal):
    kind, status = refusal
    assert census[int(kind), status] >= REFUSED[refusal] * len(SEEDS)


RARE = {
    Happening.POSITION_LIQUIDATED: 0.5,
    Happening.COLLATERAL_LIQUIDATED: 0.05,
    Happening.SHORTFALL_RECORDED: 0.5,
    Happening.CLAIMS_PAID: 2,
    "healed": 0.2,
    "insurance paid": 0.3,
    "shortfall": 0.3,
    "money refused": 0.5,
    "pools with shortfall": 0.2,
    "pools with unpaid claims": 0.2,
    "pools with debt": 0.5,
    "pools with changed parameters": 0.1,
}


@pytest.mark.parametrize("event", RARE, ids=str)
def test_rare_events_are_reached(census, event):
    assert census[event] >= RARE[event] * len(SEEDS)


CATCHES = [(bug, property_id) for bug, ids in BUGS.items() for property_id in ids.split()]


def seed_that_shows(bug: type[Planted], property_id: str, seeds: range) -> int | None:
    """First seed at which a property, watched alone, catches a bug."""
    for seed in seeds:
        try:
            run(seed, bug, frozenset((property_id,)))
        except Violation:
            return seed
    return None


@pytest.mark.parametrize(("bug", "property_id"), CATCHES)
def test_a_planted_bug_is_caught_by_each_property_made_for_it(bug, property_id):
    assert seed_that_shows(bug, property_id, SEEDS_FOR_A_BUG) is not None


def test_a_projection_misses_what_only_decisions_show_and_the_other_way_round():
    few = SEEDS_FOR_A_BUG[:10]
    assert seed_that_shows(LiquidationSparesTheRich, "P1", few) is None
    assert seed_that_shows(RefusalLeavesATrace, "P2", few) is None


def test_a_venue_without_a_bug_that_is_applied_row_by_row_passes():
    """The planted bugs share machinery; what it does by itself is no violation."""
    for seed in SEEDS_FOR_A_BUG[:5]:
        assert run(seed, Planted).seen["money moved"] > 0
