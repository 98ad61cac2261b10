"""The insurance fund: its target, its share of the fees, its limits by event and by day."""

from tests.stories import check

TERMS = "rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0"
LONG = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 5000 USDC
    deposit C1 5000 USDC
    trade A1 B1 10 ETH-PERP @ 1000
"""


def more(rules: str, story: str = LONG) -> str:
    return story.replace(TERMS, f"{TERMS} {rules}")


def test_the_target_is_the_two_largest_losses_in_the_worse_shock():
    check(f"""
        {LONG}
        total insurance_target 0
        settle
        total insurance_target 1000             # a fall of 20 % takes 2000 of A1
        deposit D1 1000 USDC
        deposit E1 1000 USDC
        trade D1 C1 8 ETH-PERP @ 1000
        trade E1 C1 9 ETH-PERP @ 1000
        settle
        total insurance_target 1800             # 1000 and 800; 600 of the third do not count
    """)
    check(f"""
        {more("stress 0")}
        settle
        total insurance_target 0
    """)


def test_a_rise_counts_if_it_is_the_worse_shock_and_so_do_coins():
    check(f"""
        {TERMS}
        price ETH 1000
        deposit L1 5000 USDC
        supply L1 5000
        deposit B1 1 ETH
        borrow B1 750
        withdraw B1 750 USDC
        settle
        total insurance_target 0                # 800 for 750
        price ETH 900
        settle
        total insurance_target 30               # 720 for 750
    """)


def test_the_fund_gets_a_larger_share_of_the_fees_below_its_target():
    check(f"""
        {TERMS} insurance_share 0.4
        instrument ETH-PERP taker_fee 0.001
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        deposit D1 5000 USDC
        trade B1 A1 -10 ETH-PERP @ 1000         # no target yet: 40 % of 10
        total insurance_fund 4
        balance backstop 6 USDC
        settle
        total insurance_target 1000
        trade D1 C1 1 ETH-PERP @ 1000           # coverage 0.4 %: 99.76 % of 1
        total insurance_fund 4.9976
        balance backstop 6.0024 USDC
        fund_insurance D1 995.0024
        trade D1 C1 1 ETH-PERP @ 1000
        total insurance_fund 1000.4
        balance backstop 6.6024 USDC
    """)


def test_a_day_may_draw_no_more_than_its_share():
    check(f"""
        {more("insurance_draw 0.5 insurance_draw_day 0.6")}
        deposit D1 100 USDC
        fund_insurance D1 100
        deposit E1 100 USDC
        trade E1 C1 0.5 ETH-PERP @ 1000
        mark ETH-PERP 700                       # A1 lacks 2000, E1 50
        liquidate A1
        event position_liquidated
        event shortfall_recorded insurance 50
        liquidate E1
        event position_liquidated
        event shortfall_recorded insurance 10 shortfall 40
        total insurance_drawn 60
        clock +1d
        total insurance_drawn 0
    """)


def test_a_due_of_the_backstop_is_covered_only_where_nothing_stands_behind_it():
    check(f"""
        {LONG}
        fund_insurance C1 400
        deposit backstop 1 ETH
        mark ETH-PERP 900
        liquidate A1                            # the backstop is long ten at 900
        mark ETH-PERP 880
        settle
        event claims_paid
        events 0
        due backstop 200                        # a coin of 1000 stands behind it
        total insurance_fund 400
        mark ETH-PERP 750
        settle
        event due_covered value 100 shortfall 1400      # 500 of 1500 are missing: a quarter of 400
        event claims_paid
        total insurance_fund 300
        settle
        event claims_paid
        events 0                                # the other 400 are on record
        clock +61s
        price ETH 1000
        buy_collateral C1 0.25 ETH
        due backstop 1149.999999
        total insurance_fund 300
    """)
