"""Liquidation of what is not a position: cash, claims and collateral, with the debt they cover."""

from tests.stories import check

# A bonus of ten percent needs tiers that free more than that.
TENTH = """
    rule bonus_min 0.1 bonus_max 0.1 liquidation_fee 0 dust 0 rate_slope1 0 rate_slope2 0
    underlying ETH tiers 0:0.5/0.2
    underlying BTC tiers 0:0.5/0.2
"""
NO_BONUS = """
    rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0 rate_slope1 0 rate_slope2 0
"""


def borrower(amount: str) -> str:
    """A borrower who has taken an amount out, against one coin at 1100."""
    return f"""
        price ETH 1100
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 1 ETH
        borrow B1 {amount}
        withdraw B1 {amount} USDC
    """


def test_just_enough_collateral_is_taken_to_reach_the_target():
    check(f"""
        {TENTH}
        {borrower("845.28")}
        price ETH 990                          # 0.85 * 990 = 841.5
        excess B1 maintenance -3.78
        liquidate B1
        event collateral_liquidated account B1 index 1 size 0.2 price 990 value 180 bonus 18 fee 0 excess_before -3.78 health_before 0.995528 excess_after 7.92
        events 0
        balance B1 0.8 ETH
        debt B1 665.28                         # and 0.84 * 0.8 * 990 = 665.28
        excess B1 target 0
        balance backstop 0.2 ETH
        debt backstop 180
        total debt_shares 845.28
        liquidate B1 -> account_is_healthy
    """)


def test_healthy_to_the_last_unit():
    check(f"""
        {TENTH}
        {borrower("845.28")}
        price ETH 994.447059                   # times 0.85 is 845.28, rounded down
        excess B1 maintenance 0
        liquidate B1 -> account_is_healthy
        price ETH 994.447058
        excess B1 maintenance -0.000001
        liquidate B1
    """)


def test_one_collateral_asset_after_the_other_is_taken():
    check(f"""
        {TENTH}
        price ETH 1200
        price BTC 12000
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 1 ETH
        deposit B1 0.1 BTC
        borrow B1 1748.7
        withdraw B1 1748.7 USDC
        price ETH 990
        price BTC 9900
        liquidate B1
        event collateral_liquidated index 1 size 1 value 900 bonus 90
        event collateral_liquidated index 2 size 0.025 value 225 bonus 22.5
        events 0
        balance B1 0 ETH
        balance B1 0.075 BTC
        debt B1 623.7                          # 0.84 * 0.075 * 9900
        excess B1 target 0
    """)


def test_a_collateral_asset_that_is_not_needed_is_left_alone():
    check(f"""
        {TENTH}
        price ETH 1200
        price BTC 12000
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 1 ETH
        deposit B1 0.1 BTC
        borrow B1 1697.4
        withdraw B1 1697.4 USDC
        price ETH 990
        price BTC 9900
        liquidate B1
        event collateral_liquidated index 1 size 0.5 value 450
        events 0
        balance B1 0.1 BTC
    """)


def test_an_asset_the_account_has_none_of_is_passed_over():
    check(f"""
        {TENTH}
        price BTC 11000
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 0.1 BTC
        borrow B1 845.28
        withdraw B1 845.28 USDC
        price BTC 9900
        liquidate B1
        event collateral_liquidated index 2 size 0.02 value 180 bonus 18
        excess B1 target 0
    """)


def test_the_bonus_is_what_collateral_exceeds_the_debt_by_at_the_most():
    check(f"""
        {TENTH}
        {borrower("870")}
        price ETH 897.1875                     # 27.1875 more than the debt: 3.125 percent
        liquidate B1
        event collateral_liquidated size 1 value 870 bonus 27.1875
        events 0
        balance B1 0 ETH
        debt B1 0
        total shortfall 0
    """)


def test_bad_debt_is_paid_by_the_insurance_fund_first_and_then_by_the_lenders():
    check(f"""
        {TENTH}
        deposit C1 100 USDC
        fund_insurance C1 100
        {borrower("845.28")}
        price ETH 700
        liquidate B1
        event collateral_liquidated size 1 value 700 bonus 0
        event shortfall_recorded insurance 25 shortfall 120.28
        events 0
        debt B1 0
        debt backstop 700
        total insurance_fund 75
        total insurance_paid 25
        total shortfall 120.28
        total lender_cash 1179.72              # 2000 - 845.28 + 25
        liquidate B1 -> account_is_healthy
        deposit backstop 700 USDC
        repay backstop 700
        redeem L1 2000
        balance L1 1879.72 USDC                # the lenders lost what nobody paid
    """)


def test_the_backstop_pays_debt_it_takes_over_from_its_own_cash():
    check(f"""
        {TENTH}
        deposit backstop 100 USDC
        {borrower("845.28")}
        price ETH 990
        liquidate B1
        balance backstop 0 USDC
        debt backstop 80
        total lender_cash 1254.72
    """)


def test_cash_of_the_account_repays_its_debt_before_collateral_is_taken():
    check(f"""
        {TENTH}
        price ETH 1100
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 1 ETH
        borrow B1 945.28
        withdraw B1 845.28 USDC
        price ETH 990
        liquidate B1
        event collateral_liquidated size 0.2 value 180
        balance B1 0 USDC
        debt B1 665.28
    """)


def test_a_claim_is_taken_at_its_face_value_before_collateral():
    check(f"""
        {NO_BONUS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 2000 USDC
        supply L1 2000
        deposit A1 2 ETH
        deposit B1 5 ETH
        deposit C1 5000 USDC
        borrow A1 1400
        withdraw A1 1400 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        mark ETH-PERP 1300
        trade C1 A1 1 ETH-PERP @ 1300
        claim A1 300
        price ETH 640
        excess A1 maintenance -12              # 1088 + 300 - 1400
        liquidate A1
        event claim_liquidated value 300 excess_before -12 excess_after -12
        event collateral_liquidated size 0.2421875 value 155
        events 0
        claim A1 0
        claim backstop 300
        debt backstop 455
        debt A1 945                            # 0.84 * 1.7578125 * 640
        balance A1 1.7578125 ETH
        excess A1 target 0
    """)


def test_a_claim_larger_than_the_debt_is_taken_as_far_as_the_debt():
    check(f"""
        {NO_BONUS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 2000 USDC
        supply L1 2000
        deposit A1 2 ETH
        deposit B1 50 ETH
        borrow A1 500
        withdraw A1 500 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 1300
        settle
        claim A1 1500
        price ETH 0.01
        mark ETH-PERP 1087                     # a claim of 435 less than the debt of 500
        liquidate A1
        claim backstop 435
        event position_liquidated size 5
        event claim_liquidated value 435
        event collateral_liquidated size 2 value 0.02
        event shortfall_recorded shortfall 64.98
    """)


def test_rounding_of_a_claim_leaves_nothing_that_could_delay_the_write_off():
    check(f"""
        {NO_BONUS}
        rule rate_base 0.1
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 2000 USDC
        supply L1 2000
        deposit A1 2 ETH
        deposit B1 50 ETH
        borrow A1 500
        withdraw A1 500 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        clock +365d
        debt A1 550                            # 1.1 a share
        price ETH 0.01
        mark ETH-PERP 1087
        liquidate A1
        event position_liquidated size 5
        event claim_liquidated value 435       # 395.454545 shares, of 434.999999
        event collateral_liquidated size 2 value 0.019999
        event shortfall_recorded insurance 1.25 shortfall 113.730002   # the fund's 5 of interest
        claim A1 0
        debt A1 0
        liquidate A1 -> account_is_healthy
    """)


def test_the_backstops_due_and_the_claims_it_takes_over_cancel():
    check(f"""
        {NO_BONUS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 2000 USDC
        supply L1 2000
        deposit A1 2 ETH
        deposit backstop 5 ETH
        deposit C1 5000 USDC
        deposit X1 100 USDC
        mark ETH-PERP 900
        trade A1 X1 1 ETH-PERP @ 900
        mark ETH-PERP 1000
        liquidate X1                           # the backstop is short one at 1000
        borrow A1 1300
        withdraw A1 1300 USDC
        mark ETH-PERP 1250
        trade C1 A1 1 ETH-PERP @ 1250
        settle
        claim A1 250
        due backstop 250
        price ETH 500
        liquidate A1
        event claim_liquidated value 250
        due backstop 0
        claim backstop 0
    """)


def test_a_due_moves_with_the_collateral_and_cancels_the_backstops_claim():
    check(f"""
        {NO_BONUS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit B1 1 ETH
        deposit C1 5000 USDC
        deposit X1 120 USDC
        mark ETH-PERP 1100
        trade X1 B1 1 ETH-PERP @ 1100
        mark ETH-PERP 980
        liquidate X1                           # the backstop is long one at 980
        settle
        withdraw B1 120 USDC
        mark ETH-PERP 1030
        trade C1 backstop 1 ETH-PERP @ 1030
        claim backstop 50
        mark ETH-PERP 1860
        settle
        due B1 880
        claim C1 830
        liquidate B1
        event position_liquidated size -1
        event collateral_liquidated size 0.25 value 250
        events 0
        due B1 630                             # 0.84 * 0.75 * 1000
        balance B1 0.75 ETH
        claim backstop 0
        due backstop 200
        position backstop -1 ETH-PERP cost -1860
    """)


def test_positions_collateral_and_shortfall_in_one_liquidation():
    check(f"""
        {NO_BONUS}
        rule insurance_draw 0.5
        deposit C1 1000 USDC
        fund_insurance C1 200
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 2000 USDC
        supply L1 2000
        deposit A1 1 ETH
        deposit B1 5000 USDC
        borrow A1 300
        withdraw A1 300 USDC
        trade A1 B1 4 ETH-PERP @ 1000
        price ETH 700
        mark ETH-PERP 700
        liquidate A1
        event position_liquidated size 4 equity -905
        event collateral_liquidated size 1 value 700
        event shortfall_recorded insurance 100 shortfall 700
        events 0
        due A1 400                             # 1200 - 700 - half of the fund of 200
        debt A1 0                              # all 300 written off: one event, one draw
        due backstop 700
        total shortfall 700
    """)


def test_what_is_worth_nothing_is_taken_for_nothing():
    check(f"""
        {NO_BONUS}
        {borrower("845.28")}
        price ETH 0.000000001
        liquidate B1
        event collateral_liquidated size 1 value 0 bonus 0
        event shortfall_recorded shortfall 845.28
        events 0
        balance backstop 1 ETH
        debt backstop 0
    """)
