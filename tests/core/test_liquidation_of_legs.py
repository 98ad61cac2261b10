"""Liquidation of accounts with several positions: which leg is reduced, and how far."""

from tests.stories import check

TERMS = "rule bonus_min 0.01 bonus_max 0.01 liquidation_fee 0.002 dust 0"
HEDGED = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    mark ETH-DEC 950
    deposit A1 200 USDC
    deposit B1 5000 USDC
    trade A1 B1 1 ETH-PERP @ 1000
    trade A1 B1 -2 ETH-DEC @ 950
    trade A1 B1 2 ETH-PERP @ 1000
    trade A1 B1 -3 ETH-DEC @ 950
    trade A1 B1 2 ETH-PERP @ 1000
"""


def test_of_hedged_legs_the_one_that_frees_most_margin_is_reduced():
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        mark ETH-DEC 1000
        deposit A1 430 USDC
        deposit B1 5000 USDC
        trade A1 B1 6 ETH-PERP @ 1000 -> initial_margin_too_low
        trade A1 B1 4 ETH-PERP @ 1000
        trade B1 A1 6 ETH-DEC @ 1000
        trade A1 B1 6 ETH-PERP @ 1000           # 10 long, 6 short: a net of 4
        excess A1 initial 30
        mark ETH-DEC 1050                       # equity 130, net 3700, maintenance 185
        liquidate A1
        event position_liquidated index 0 size 1.769 bonus 14.107775 fee 0   # 130 / 16300 = 0.7975 %
        events 0
        position A1 8.231 ETH-PERP cost 8231
        position A1 -6 ETH-DEC cost -6300
        excess A1 target 0.032225               # 115.892225 - 6 % of 1931; a lot adds 0.052025
    """)


def test_a_hedged_account_that_partial_closing_cannot_save_is_closed_leg_by_leg():
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        mark ETH-DEC 1000
        deposit A1 430 USDC
        deposit B1 5000 USDC
        trade A1 B1 4 ETH-PERP @ 1000
        trade B1 A1 6 ETH-DEC @ 1000
        trade A1 B1 6 ETH-PERP @ 1000
        mark ETH-DEC 1075                       # 450 lost of 430
        liquidate A1
        event position_liquidated index 0 size 10 bonus 0
        event position_liquidated index 1 size -6 bonus 0
        event shortfall_recorded shortfall 20
        due A1 20
    """)


def test_a_hedge_costs_its_own_rate():
    check(f"""
        {TERMS}
        underlying ETH hedge_rate 0.01
        price ETH 1000
        mark ETH-PERP 1000
        mark ETH-DEC 1000
        deposit A1 430 USDC
        deposit B1 5000 USDC
        trade A1 B1 4 ETH-PERP @ 1000
        trade B1 A1 3 ETH-DEC @ 1000
        excess A1 initial 300                   # 10 % of 1000, 1 % of 3000
        excess A1 maintenance 350
        excess A1 target 334                    # 1.2 * (50 + 30)
        excess A1 closeout 377.2
    """)


def test_the_underlying_that_frees_most_margin_comes_first():
    check(f"""
        {TERMS}
        price ETH 1000
        price BTC 20000
        mark ETH-PERP 1000
        mark BTC-PERP 20000
        deposit A1 2500 USDC
        deposit B1 9000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        trade A1 B1 1 BTC-PERP @ 20000
        mark BTC-PERP 18600                     # equity 1100, maintenance 1180, target 1416
        liquidate A1
        event position_liquidated index 2 size 0.354
        events 0
        position A1 5 ETH-PERP cost 5000
        position A1 0.646 BTC-PERP cost 12015.6
        excess A1 target 0.0512                 # a lot adds 0.8928
    """)


def test_when_one_position_is_not_enough_the_next_follows_on_the_same_terms():
    check(f"""
        {TERMS}
        price ETH 1000
        price BTC 20000
        mark ETH-PERP 1000
        mark BTC-PERP 20000
        deposit A1 2500 USDC
        deposit B1 9000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        trade A1 B1 1 BTC-PERP @ 20000
        mark BTC-PERP 17900                     # equity 400
        liquidate A1
        event position_liquidated index 2 size 1 bonus 179 fee 35.8
        event position_liquidated index 0 size 2.392 bonus 23.92 fee 4.784
        events 0
        balance A1 156.496 USDC
        excess A1 target 0.016
    """)


def test_only_what_is_not_hedged_is_closed():
    check(f"""
        {HEDGED}
        mark ETH-DEC 990                        # equity 0, and 50 more long than short
        liquidate A1
        event position_liquidated index 0 size 0.05 bonus 0
        events 0
        position A1 4.95 ETH-PERP cost 4950
        position A1 -5 ETH-DEC cost -4950
        excess A1 target 0
    """)


def test_a_perfect_hedge_is_closed_only_when_bankrupt():
    check(f"""
        {HEDGED}
        deposit A1 50 USDC
        mark ETH-DEC 1000                       # 250 lost
        excess A1 initial 0
        liquidate A1 -> account_is_healthy
        funding ETH-PERP 0.00001
        liquidate A1
        event position_liquidated index 0 size 5 bonus 0
        event position_liquidated index 1 size -5 bonus 0
        event shortfall_recorded shortfall 0.05
        position backstop 5 ETH-PERP cost 5000
        position backstop -5 ETH-DEC cost -5000
    """)
