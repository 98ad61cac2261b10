"""Cash that lenders supply and borrowers draw, its interest, and who bears a default."""

from tests.stories import check

from ringfence.core.lending import borrow_rate, kinked_rate
from ringfence.units import YEAR_SECONDS

LENT = """
    price ETH 1000
    deposit L1 1000 USDC
    supply L1 1000
    deposit B1 2 ETH
"""


def test_a_supply_reports_the_first_rule_it_breaks():
    check("""
        rule supply_cap 1000
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 2000 USDC
        deposit B1 500 USDC
        trade L1 B1 1 ETH-PERP @ 1000
        supply stranger 0  -> account_does_not_exist
        supply L1 0        -> amount_must_be_positive
        supply L1 1000.000001 -> exceeds_supply_cap
        supply L1 9223372036854775807u -> exceeds_supply_cap
        supply B1 500.000001 -> exceeds_balance
        clock +300s
        supply L1 1000     -> price_is_not_usable
        supply B1 400      -> price_is_not_usable
        price ETH 1000
        supply B1 400.000001 -> initial_margin_too_low
        supply B1 400
        supply L1 600.000001 -> exceeds_supply_cap
        supply L1 600
        shares B1 400
        shares L1 600
        total lender_cash 1000
    """)


def test_shares_turn_back_into_what_was_supplied():
    check("""
        deposit L1 1000 USDC
        supply L1 1000
        redeem stranger 0 -> account_does_not_exist
        redeem L1 0       -> amount_must_be_positive
        redeem L1 1000.000001 -> exceeds_supply
        redeem L1 400
        balance L1 400 USDC
        redeem L1 600
        balance L1 1000 USDC
        total supply_shares 0
    """)


def test_drawn_cash_cannot_be_redeemed_until_it_is_repaid():
    check(f"""
        {LENT}
        borrow B1 600
        redeem L1 400.000001 -> exceeds_lender_cash
        redeem L1 400
        repay B1 200
        redeem L1 200
        balance L1 600 USDC
    """)


def test_a_loan_reports_the_first_rule_it_breaks():
    check("""
        rule borrow_cap 900
        deposit L1 1000 USDC
        supply L1 1000
        deposit B1 1 ETH
        deposit C1 1000 USDC
        borrow stranger 0  -> account_does_not_exist
        borrow B1 0        -> amount_must_be_positive
        borrow B1 1000.000001 -> exceeds_lender_cash
        borrow B1 900.000001  -> exceeds_borrow_cap
        borrow B1 900      -> price_is_not_usable
        price ETH 1000
        borrow B1 800
        withdraw B1 0.000001 USDC                     # debt is 800, less the cash it brought
        withdraw B1 800 USDC -> exceeds_balance
        repay B1 0.000001
        borrow B1 0.000001
        withdraw B1 799.999998 USDC
        borrow B1 0.000001
        borrow C1 99.999999
        borrow C1 0.000001 -> exceeds_borrow_cap
    """)


def test_a_loan_that_would_leave_the_account_short_of_margin_is_refused():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 1000 USDC
        supply L1 1000
        deposit A1 500 USDC
        deposit B1 5000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 999
        borrow A1 0.000001 -> initial_margin_too_low
    """)


def test_a_repayment_reports_the_first_rule_it_breaks():
    check(f"""
        {LENT}
        repay stranger 0 -> account_does_not_exist
        repay B1 0       -> amount_must_be_positive
        repay B1 1       -> account_has_no_debt
        borrow B1 600
        withdraw B1 500 USDC
        clock +365d                                  # the oracle is silent; repaying still works
        repay B1 100.000001 -> exceeds_balance
        repay B1 0.000001   -> amount_below_one_share
        repay B1 0.000002
        repay B1 99.999998
        deposit B1 1000 USDC
        repay B1 1000                                # never more than the debt
        debt B1 0
        total debt_shares 0
    """)


def test_one_share_is_worth_more_than_one_unit_once_interest_has_accrued():
    check(f"""
        {LENT}
        borrow B1 900
        clock +365d
        supply L1 0.000001 -> exceeds_balance
        deposit L1 1 USDC
        supply L1 0.000001 -> amount_below_one_share
        supply L1 0.000002
    """)


def test_interest_follows_the_kink():
    rates = (0, 20_000, 40_000, 750_000)
    assert kinked_rate(0, *rates[1:3], 750_000, 900_000) == 20_000
    assert kinked_rate(450_000, 0, 40_000, 750_000, 900_000) == 20_000
    assert kinked_rate(900_000, 0, 40_000, 750_000, 900_000) == 40_000
    assert kinked_rate(950_000, 0, 40_000, 750_000, 900_000) == 40_000 + 375_000
    assert kinked_rate(10**6, 0, 40_000, 750_000, 900_000) == 790_000


def test_without_debt_the_rate_is_the_base():
    pool = check("rule rate_base 0.02 \n deposit L1 5 USDC \n supply L1 5").pool
    assert int(borrow_rate(pool)) == 20_000


def test_interest_is_paid_by_borrowers_to_lenders_and_the_insurance_fund():
    story = check("""
        rule rate_base 0.1 rate_slope1 0 rate_slope2 0 reserve_factor 0.1
        price ETH 1000
        deposit L1 1000 USDC
        supply L1 1000
        deposit B1 2 ETH
        borrow B1 500
        clock +365d
        debt B1 550
        total borrow_index 1.1
        total insurance_fund 5
        total lender_cash 495
        redeem L1 473.684212 -> exceeds_lender_cash   # 1000 shares are worth 495 + 550
        redeem L1 473.684211
        balance L1 495 USDC
    """)
    assert int(borrow_rate(story.pool)) == 100_000
    assert story.pool.total[14] == 1_700_000_000 + YEAR_SECONDS


def test_interest_accrues_once_a_second_and_never_backwards():
    check("""
        rule rate_base 0.1 rate_slope1 0
        price ETH 1000
        deposit L1 1000 USDC
        supply L1 1000
        deposit B1 2 ETH
        borrow B1 500
        clock +999999999ns
        total borrow_index 1
        clock +1ns
        total borrow_index 1.000000003171       # 0.1 / 31536000, rounded up
        clock +0s
        total borrow_index 1.000000003171
        clock -1ns -> time_must_not_decrease
    """)


def test_the_borrow_index_has_a_ceiling():
    story = check("""
        rule rate_base 1 rate_slope1 1 rate_slope2 8 reserve_factor 0
        price ETH 1000
        deposit L1 0.000001 USDC
        supply L1 0.000001
        deposit B1 2 ETH
        borrow B1 0.000001
        clock +365d
        clock +365d
        clock +365d
        clock +365d
    """)
    assert int(story.pool.total[13]) == 2**50


def test_the_reserve_waits_until_lender_cash_comes_back():
    check("""
        rule rate_base 0.1 rate_slope1 0 rate_slope2 0 reserve_factor 0.5
        price ETH 1000
        deposit L1 1000 USDC
        supply L1 1000
        deposit B1 2 ETH
        borrow B1 1000
        clock +365d
        debt B1 1100
        total reserve 50
        total insurance_fund 0
        repay B1 20
        clock +1s
        total insurance_fund 20
        repay B1 900
        clock +1s
        total insurance_fund 50.000001         # and half of the 3 units of one second
        total reserve 0
    """)


def test_lenders_bear_a_default_and_owe_nothing_for_the_reserve():
    check("""
        rule rate_base 0.1 rate_slope1 0 rate_slope2 0 reserve_factor 0.5 insurance_draw 0
        collateral ETH haircut 0.05/0.05/0.05/0.05
        price ETH 1000
        deposit L1 900 USDC
        supply L1 900
        deposit B1 1 ETH
        borrow B1 900
        withdraw B1 900 USDC
        clock +365d
        total reserve 45
        price ETH 0.000000001
        clock +5m
        price ETH 0.000000001
        liquidate B1
        total reserve 0
        total debt_shares 0
        redeem L1 900
        balance L1 0 USDC
    """)


def test_a_lender_of_a_pool_that_lost_everything_starts_afresh_only_at_a_fair_share():
    check("""
        rule insurance_draw 0
        collateral ETH haircut 0.05/0.05/0.05/0.05
        price ETH 1000
        deposit L1 900 USDC
        supply L1 900
        deposit B1 1 ETH
        borrow B1 900
        withdraw B1 900 USDC
        price ETH 0.000000001
        liquidate B1
        deposit L2 100 USDC
        supply L2 100 -> lenders_are_wiped_out
    """)


def test_a_supplied_share_cannot_be_inflated_by_the_first_lender():
    check("""
        deposit L1 1000 USDC
        supply L1 0.000001
        shares L1 0.000001
        deposit L2 1000 USDC
        supply L2 1000
        shares L2 1000
        redeem L2 1000
        balance L2 1000 USDC
    """)
