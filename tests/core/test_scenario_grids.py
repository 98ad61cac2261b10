"""Grids of other kinds: paired rows, linear contingencies, and several underlyings."""

import msgspec
import pytest
from tests.option_pools import SCENARIO
from tests.stories import Story

from ringfence.core.margin_spec import ScenarioKind, ScenarioRow
from ringfence.core.scenario import counted
from ringfence.core.spec import (
    NONE,
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    Tier,
    UnderlyingSpec,
)

ETH = SCENARIO.underlyings[0]


def changed(**fields: object) -> PoolSpec:
    return msgspec.structs.replace(SCENARIO, **fields)


@pytest.mark.parametrize(
    ("kind", "profit", "partner", "counts"),
    [
        (ScenarioKind.SINGLE, 7, -9, 7),
        (ScenarioKind.LOWER, 7, 9, 7),
        (ScenarioKind.LOWER, 7, -9, -9),
        (ScenarioKind.LOSS, 7, 9, 0),
        (ScenarioKind.LOSS, 7, -9, -9),
        (ScenarioKind.SIZE, 7, 9, -7),
        (ScenarioKind.SIZE, 9, -7, -7),
        (ScenarioKind.PARTNER, 7, -9, 0),
    ],
)
def test_a_row_counts_by_its_kind(kind, profit, partner, counts):
    assert counted(kind, profit, partner) == counts


def test_paired_rows_compare_what_each_expiry_makes_on_its_own():
    """The first pair takes the lower of both rows of an expiry, the second minus its size."""
    grid = [ScenarioRow("0", kind) for kind in ("lower", "partner", "size", "partner")]
    margin = msgspec.structs.replace(SCENARIO.margin, scenarios=tuple(grid))
    Story(changed(margin=margin)).play("""
        price ETH 1000
        mark ETH-1000-C 40
        mark ETH-FAR-C 80
        risk ETH-1000-C 0 10 4 3 -2
        risk ETH-FAR-C 0 20 35 5 9
        deposit A1 100 USDC
        deposit B1 100000 USDC
        trade A1 B1 1 ETH-FAR-C @ 80
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 87                    # 20 - 10 is no loss; 5 + 3 is; and 5 for the call sold
        risk ETH-1000-C 0 40 4 3 -2
        excess A1 initial 75                    # 20 - 40
        risk ETH-1000-C 0 27.999 4 3 -2
        excess A1 initial 87
        risk ETH-1000-C 0 28.001 4 3 -2
        excess A1 initial 86.999
    """)


def test_perpetuals_need_a_share_of_their_notional_on_top_where_the_pool_says_so():
    eth = msgspec.structs.replace(
        ETH, option_rate=NONE, linear_rate=Levels("0.01", "0.008", "0.006", "0.004")
    )
    Story(changed(underlyings=(eth,))).play("""
        price ETH 1000
        mark ETH-PERP 1000
        risk ETH-PERP 1000 -100 100 0 0
        mark ETH-1000-C 40
        risk ETH-1000-C 500 -30 80 -4 4
        deposit B1 100000 USDC
        deposit A1 109.999999 USDC
        trade A1 B1 1 ETH-PERP @ 1000 -> initial_margin_too_low
        trade A1 B1 -1 ETH-PERP @ 1000 -> initial_margin_too_low
        deposit A1 0.000001 USDC
        trade A1 B1 1 ETH-PERP @ 1000           # 100, and 1 % of 1000
        excess A1 initial 0
        excess A1 target 12                     # 110 - 0.9 x 100 - 8
        excess A1 maintenance 24
        excess A1 closeout 56
        deposit A2 79.999999 USDC
        trade A2 B1 -1 ETH-1000-C @ 40 -> initial_margin_too_low
        deposit A2 0.000001 USDC
        trade A2 B1 -1 ETH-1000-C @ 40          # and nothing on top for an option
    """)


TWO = changed(
    underlyings=(
        ETH,
        UnderlyingSpec(
            "BTC", "1000000", (Tier("0", "0.02", "0.01"),), factor=Levels("1", "0.9", "0.8", "0.5")
        ),
    ),
    collateral=(
        *SCENARIO.collateral,
        CollateralSpec("BTC", "BTC", Levels("0.2", "0.16", "0.15", "0.1"), "100"),
    ),
    instruments=(
        *SCENARIO.instruments,
        InstrumentSpec("BTC-PERP", "BTC", "0.001", "0.1", "100", "400"),
    ),
)
MARKET = """
    price ETH 1000
    mark ETH-PERP 1000
    risk ETH-PERP 1000 -100 100 0 0
    price BTC 10000
    mark BTC-PERP 10000
    risk BTC-PERP 10000 -1000 1000 0 0
    deposit B1 100000 USDC
"""


def test_each_underlying_has_its_own_worst_scenario_and_coins_of_its_own():
    Story(TWO).play(f"""
        {MARKET}
        deposit A1 1 ETH
        excess A1 initial 880                   # 980, and the coin loses 100
        trade A1 B1 0.01 BTC-PERP @ 10000
        excess A1 initial 870                   # what ETH gains sets off no loss on BTC
        trade A1 B1 -1 ETH-PERP @ 1000
        excess A1 initial 950                   # the coin is hedged: 2 % of its delta of 1000
        deposit A1 0.01 BTC
        excess A1 initial 1030                  # 80 more: this coin moves in no scenario
    """)


@pytest.mark.parametrize(
    ("size", "cash", "mark", "row"), [("0.01", "200", "887.99", 0), ("0.2", "360", "879.99", 1)]
)
def test_a_receipt_names_the_row_of_the_underlying_that_could_lose_most(size, cash, mark, row):
    """Long one ETH it loses 100 in row 0; short BTC it loses 10 or 200 in row 1."""
    Story(TWO).play(f"""
        {MARKET}
        deposit A1 {cash} USDC
        trade A1 B1 1 ETH-PERP @ 1000
        trade A1 B1 -{size} BTC-PERP @ 10000
        mark ETH-PERP {float(mark) + 0.01:.2f}
        liquidate A1 -> account_is_healthy      # 0.8 x 110, or 0.8 x 300, are left
        mark ETH-PERP {mark}
        liquidate A1
        event position_liquidated account A1 scenario {row}u
    """)
