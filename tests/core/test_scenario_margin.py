"""Margin by scenarios: what naked and hedged structures need, and what a risk array must be."""

import msgspec
from tests.option_pools import GRID, SCENARIO
from tests.stories import Story

from ringfence.core.margin_spec import ScenarioRow
from ringfence.core.pool import CASH

# Of each array: delta, spot down, spot up, and a move of the basis either way.
MARKET = """
    price ETH 1000
    mark ETH-PERP 1000
    risk ETH-PERP 1000 -100 100 0 0
    mark ETH-900-P 8
    risk ETH-900-P -120 30 -7 1 -1
    mark ETH-1000-C 40
    risk ETH-1000-C 500 -30 80 -4 4
    mark ETH-1000-P 38
    risk ETH-1000-P -500 75 -28 4 -4
    mark ETH-1100-C 10
    risk ETH-1100-C 150 -9 35 -1 1
    mark ETH-FAR-C 80
    risk ETH-FAR-C 520 -60 75 -2 2
    deposit B1 100000 USDC
"""


def play(text: str) -> Story:
    return Story(SCENARIO).play(MARKET + text)


def test_an_option_sold_needs_its_worst_scenario_and_the_short_option_minimum():
    play("""
        deposit A1 84.999999 USDC
        trade A1 B1 -1 ETH-1000-C @ 40 -> initial_margin_too_low
        deposit A1 0.000001 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 0                     # 85 - 1 x 80 - 0.5 % of 1000
        excess A1 target 9                      # 85 - 0.9 x 80 - 0.4 %
        excess A1 maintenance 18                # 85 - 0.8 x 80 - 0.3 %
        excess A1 closeout 43                   # 85 - 0.5 x 80 - 0.2 %
        equity A1 85                            # the premium is the cost: no cash has moved
        mark ETH-1000-C 58
        excess A1 maintenance 0
        mark ETH-1000-C 58.01
        liquidate A1
    """)


def test_an_option_bought_needs_no_more_than_it_is_worth():
    play("""
        deposit A1 30 USDC
        trade A1 B1 1 ETH-1000-C @ 40
        excess A1 initial 0                     # it loses 30 when spot falls
        risk ETH-1000-C 500 -50 80 -4 4
        excess A1 initial -10                   # but never more than its mark of 40
        excess A1 maintenance -10               # 0.8 x 50 is 40 too
    """)


def test_a_covered_call_is_recognised():
    play("""
        deposit A1 1 ETH
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 905                   # 980 - (100 - 30) - 5
    """)


def test_a_perpetual_hedged_by_coins_needs_the_floor_on_its_delta():
    play("""
        deposit A1 1 ETH
        trade A1 B1 -1 ETH-PERP @ 1000
        excess A1 initial 960                   # 980 - 2 % of 1000
        excess A1 maintenance 972               # 980 - 0.8 % of 1000
    """)


def test_coins_alone_demand_nothing_beyond_what_they_count():
    play("""
        deposit A1 0.00000001 ETH
        excess A1 initial 8u                    # of a value of 10, counted as 9; it loses 1
        deposit A2 1 ETH
        excess A2 initial 880
        withdraw A2 1 ETH
    """)


def test_a_spread_needs_less_than_the_option_sold_and_at_most_its_largest_loss():
    play("""
        deposit A1 200 USDC
        trade A1 B1 1 ETH-1100-C @ 10
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 150                   # 200 - (80 - 35) - 5
        risk ETH-1000-C 500 -30 300 -4 4
        excess A1 initial 130                   # 200 - 70: strikes less the premium kept
        mark ETH-1100-C 20
        excess A1 initial 125                   # 10 earned, of which half counts; 80 to lose
    """)


def test_a_straddle_needs_the_worse_side():
    play("""
        deposit A1 200 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        trade A1 B1 -1 ETH-1000-P @ 38
        excess A1 initial 138                   # 200 - (80 - 28) - 2 x 5
    """)


def test_a_calendar_spread_needs_the_worse_of_spot_and_of_each_expiry_on_its_own():
    play("""
        deposit A1 100 USDC
        trade A1 B1 1 ETH-FAR-C @ 80
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 65                    # 100 - (60 - 30) - 5
        risk ETH-FAR-C 520 -31 75 -20 20
        excess A1 initial 71                    # 100 - (4 + 20) - 5
    """)


def test_a_collar_is_bounded_on_both_sides():
    play("""
        deposit A1 1 ETH
        trade A1 B1 1 ETH-900-P @ 8
        trade A1 B1 -1 ETH-1100-C @ 10
        excess A1 initial 914                   # 980 - (100 - 30 - 9) - 5
    """)


def test_calls_and_puts_of_a_strike_net_against_each_other():
    """A call bought covers a put sold of the same strike: both move with spot alone."""
    play("""
        deposit A1 200 USDC
        trade A1 B1 1 ETH-1000-C @ 40
        trade A1 B1 -1 ETH-1000-P @ 38
        excess A1 initial 95                    # 200 - (30 + 75), and no minimum
    """)


def test_a_risk_array_counts_when_its_last_slot_is_there():
    wide = (*GRID, *(ScenarioRow("0") for _ in range(4)))
    margin = msgspec.structs.replace(SCENARIO.margin, scenarios=wide)
    story = Story(msgspec.structs.replace(SCENARIO, margin=margin))
    story.play("""
        price ETH 1000
        mark ETH-1000-C 40
        deposit A1 1000 USDC
        deposit B1 1000 USDC
        trade A1 B1 -1 ETH-1000-C @ 40 -> valuation_is_not_usable
        risk ETH-1000-C 1 2 3 4 from 5 -> risk_slot_is_out_of_order
        risk ETH-1000-C 500 -30 80 -4 4
        risk ETH-1000-C 1 2 3 4 from 10 -> risk_slot_is_out_of_order
        trade A1 B1 -1 ETH-1000-C @ 40 -> valuation_is_not_usable
        risk ETH-1000-C 1 2 3 4 from 5
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 915
        risk ETH-1000-C 500 -30 900 -4 4        # half an array changes nothing
        excess A1 initial 915
        risk ETH-1000-C 500 -30 90 -4 4         # slot 0 begins anew
        risk ETH-1000-C 1 2 3 4 from 5
        excess A1 initial 905
    """)


def test_a_risk_array_has_an_instrument_an_order_and_limits():
    play("""
        risk DOGE 0 0 0 0 0 -> instrument_does_not_exist
        risk none 0 0 0 0 0 -> instrument_does_not_exist
        risk ETH-1000-C 0 0 0 0 0 from 1 -> risk_slot_is_out_of_order
        risk ETH-1000-C 0 0 100000.001 0 0 -> risk_exceeds_limit
        risk ETH-1000-C 0 -100000.001 0 0 0 -> risk_exceeds_limit
        risk ETH-1000-C 0 -100000 100000 0 0
        clock +7d
        price ETH 1000
        expire ETH-1000-C
        risk ETH-1000-C 0 0 0 0 0 -> instrument_has_expired
    """)
    Story().play("""
        price ETH 1000
        risk ETH-PERP 0 0 0 0 0 -> pool_has_no_scenarios
    """)


def test_stale_arrays_stop_new_risk_first_and_liquidation_last():
    """Like prices: fresh to open and to withdraw, at most half an hour old to liquidate."""
    play("""
        deposit A1 100 USDC
        deposit A2 100 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        clock +299s
        price ETH 1000
        withdraw A1 1 USDC
        clock +1s
        trade A2 B1 -1 ETH-1000-C @ 40 -> valuation_is_not_usable
        trade A2 B1 1 ETH-1000-C @ 40 -> valuation_is_not_usable
        withdraw A1 1 USDC -> valuation_is_not_usable
        withdraw A2 1 USDC                      # it holds nothing that is stale
        deposit A1 1 USDC
        settle -> valuation_is_not_usable
        trade A1 B1 0.5 ETH-1000-C @ 40         # a reduction needs none
        mark ETH-1000-C 200
        clock +1499s
        price ETH 1000
        clock +301s
        price ETH 1000
        liquidate A1 -> valuation_is_not_usable
        risk ETH-1000-C 500 -30 80 -4 4
        liquidate A1
    """)


def test_whoever_is_liquidated_ends_at_target_or_empty():
    story = play("""
        deposit A1 100 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        trade A1 B1 0.4 ETH-PERP @ 1000
        mark ETH-1000-C 110
        excess A1 maintenance -5                # 100 - 70 lost - 0.8 x 40 - 3
        liquidate A1
    """)
    assert story.pool.balance[story.account("A1"), CASH] > 0
    story.play("position A1 0 ETH-1000-C cost 0")
