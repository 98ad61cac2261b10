"""The waterfall of pools with options: what they lose under stress, and valuations too old."""

from tests.core.test_options import STANDARD_MARKET
from tests.core.test_scenario_margin import MARKET
from tests.option_pools import SCENARIO, STANDARD
from tests.stories import Story


def test_the_stress_moves_an_option_by_its_payoff_and_not_by_its_mark():
    Story(STANDARD).play(f"""
        {STANDARD_MARKET}
        deposit A1 160 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        settle
        total insurance_target 40               # at 1200 it owes 200 more
        deposit C1 170 USDC
        trade C1 B1 -1 ETH-1000-P @ 38
        settle
        total insurance_target 40               # at 800 that is 30: the other shock is worse
        deposit D1 50 USDC
        deposit E1 100 USDC
        trade D1 B1 1 ETH-1000-C @ 40
        trade E1 B1 1 ETH-PERP @ 1000
        settle
        total insurance_target 130              # 100 of E1 and 30 of C1; D1 bought
    """)


def test_an_option_bought_loses_no_more_than_its_mark_under_stress():
    story = """
        price ETH 1100
        mark ETH-1000-C 60
        deposit D1 80 USDC
        trade D1 B1 1 ETH-1000-C @ 60
        deposit E1 100 USDC
        trade E1 D1 0.1 ETH-PERP @ 1100
        settle
        total insurance_target 0                # D1 is left with 20, and E1 with 78
    """
    Story(STANDARD).play(STANDARD_MARKET.replace("ETH-PERP 1000", "ETH-PERP 1100") + story)


def test_a_pool_with_a_grid_is_stressed_by_its_rows_too():
    Story(SCENARIO).play(f"""
        rule stress 0.01
        {MARKET}
        deposit A1 85 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        settle
        total insurance_target 0                # the worst row takes 80
        mark ETH-1000-C 58
        settle
        total insurance_target 13               # 67 are left
        deposit C1 0.01 ETH
        deposit C1 91 USDC
        trade C1 B1 -1 ETH-FAR-C @ 80
        mark ETH-FAR-C 110
        settle
        total insurance_target 16               # and C1 has 71 + 1 of the coin for 75
    """)
    Story(SCENARIO).play(f"""
        rule stress 0
        {MARKET}
        deposit A1 85 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        mark ETH-1000-C 58
        settle
        total insurance_target 0
    """)


def test_an_option_whose_valuation_is_old_is_neither_sold_nor_deleveraged():
    Story(SCENARIO).play(f"""
        rule backstop_limit 50 bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0
        {MARKET}
        deposit A1 85 USDC
        deposit backstop 1000 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        mark ETH-1000-C 58.01
        clock +301s
        price ETH 1000
        liquidate A1                            # a valuation of five minutes is good enough
        step A1 none
        buy_from_backstop B1 -0.01 ETH-1000-C -> valuation_is_not_usable
        deleverage ETH-1000-C 0               -> valuation_is_not_usable
        mark ETH-1000-C 58.01
        risk ETH-1000-C 500 -30 80 -4 4
        deleverage ETH-1000-C 0               -> nothing_to_deleverage
    """)
