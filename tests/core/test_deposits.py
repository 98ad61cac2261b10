"""Collateral in and out of an account, and from one account to another."""

from tests.stories import check


def test_a_deposit_reports_the_first_rule_it_breaks():
    check("""
        pool cash_cap 1000

        deposit stranger 0 DOGE -> account_does_not_exist
        deposit nobody 0 DOGE   -> account_does_not_exist
        deposit A1 0 DOGE       -> asset_does_not_exist
        deposit A1 0 none       -> asset_does_not_exist
        deposit A1 0 USDC       -> amount_must_be_positive
        deposit A1 -1 USDC      -> amount_must_be_positive
        deposit A1 9007199254740992u USDC -> amount_exceeds_limit
        deposit A1 9007199254740991u USDC -> exceeds_deposit_cap
        deposit A1 1000.000001 USDC -> exceeds_deposit_cap
        deposit A1 600 USDC
        deposit A2 400.000001 USDC -> exceeds_deposit_cap  # the cap is shared by all accounts
        deposit A2 400 USDC
        balance A1 600 USDC
        balance A2 400 USDC
        withdraw A1 0.000001 USDC                          # and what left makes room again
        deposit A2 0.000001 USDC
    """)


def test_every_asset_has_a_cap_of_its_own():
    check("""
        collateral ETH deposit_cap 1000
        deposit A1 1000.00000001 ETH -> exceeds_deposit_cap
        deposit A1 1000 ETH
        deposit A1 0.00000001 ETH -> exceeds_deposit_cap
        deposit A1 100 BTC
        balance A1 1000 ETH
        balance A1 100 BTC
    """)


def test_a_deposit_of_cash_pays_the_due_first():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 500 USDC
        deposit B1 5 ETH
        trade A1 B1 2 ETH-PERP @ 1000
        mark ETH-PERP 1100
        settle
        due B1 200
        claim A1 200
        deposit B1 5 ETH              # only cash can pay it
        due B1 200
        deposit B1 150 USDC
        due B1 50
        balance B1 0 USDC
        total settled_cash 150
        deposit B1 60 USDC
        due B1 0
        balance B1 10 USDC
        settle
        claim A1 0
        balance A1 700 USDC
    """)


def test_a_withdrawal_reports_the_first_rule_it_breaks():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 600 USDC
        deposit B1 5000 USDC
        trade A1 B1 5 ETH-PERP @ 1000       # initial margin 500
        clock +300s

        withdraw stranger 0 DOGE -> account_does_not_exist
        withdraw A1 0 DOGE   -> asset_does_not_exist
        withdraw A1 0 none   -> asset_does_not_exist
        withdraw A1 0 USDC   -> amount_must_be_positive
        withdraw A1 600.000001 USDC -> exceeds_balance
        withdraw A1 600 USDC -> price_is_not_usable
        price ETH 1000
        withdraw A1 100.000001 USDC -> initial_margin_too_low
        withdraw A1 100 USDC
        balance A1 500 USDC
        excess A1 initial 0
    """)


def test_an_account_without_position_or_debt_leaves_in_any_state_of_the_oracle():
    check("""
        deposit A1 3 ETH                   # never had a price
        deposit A1 10 USDC
        withdraw A1 3 ETH
        withdraw A1 10 USDC
        balance A1 0 ETH
        balance A1 0 USDC
        total insurance_fund 0
    """)


def test_uncollected_profit_cannot_leave():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 20 ETH
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 2000                # profit 5000; initial margin now 1000
        withdraw A1 0.000001 USDC -> initial_margin_too_low
        settle
        claim A1 5000
        withdraw A1 0.000001 USDC -> initial_margin_too_low
        mark ETH-PERP 1990                # the loss of 50 is taken from the claim
        settle
        claim A1 4950
        withdraw A1 5.000001 USDC -> initial_margin_too_low
        withdraw A1 5 USDC
    """)


def test_a_gift_to_the_insurance_fund_follows_the_rules_of_a_withdrawal():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 600 USDC
        deposit B1 5000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        fund_insurance stranger 0 -> account_does_not_exist
        fund_insurance A1 0 -> amount_must_be_positive
        fund_insurance A1 600.000001 -> exceeds_balance
        fund_insurance A1 100.000001 -> initial_margin_too_low
        clock +300s
        fund_insurance A1 100 -> price_is_not_usable
        price ETH 1000
        fund_insurance A1 100
        balance A1 500 USDC
        total insurance_fund 100
    """)


def test_an_exchange_reports_the_first_rule_it_breaks():
    check("""
        price ETH 1000
        price BTC 20000
        mark ETH-PERP 1000
        deposit A1 2 ETH
        deposit B1 1500 USDC
        deposit C1 5000 USDC

        exchange stranger B1 0 DOGE @ 0  -> account_does_not_exist
        exchange A1 stranger 0 DOGE @ 0  -> other_account_does_not_exist
        exchange A1 nobody 0 DOGE @ 0    -> other_account_does_not_exist
        exchange A1 A1 0 DOGE @ 0        -> accounts_must_differ
        exchange A1 B1 0 DOGE @ 0        -> asset_does_not_exist
        exchange B1 A1 0 USDC @ 0        -> asset_does_not_exist   # cash is not sold for cash
        exchange A1 B1 0 ETH @ 0         -> amount_must_be_positive
        exchange A1 B1 3 ETH @ 0         -> price_must_be_positive
        exchange A1 B1 3 ETH @ 100000.000000001 -> price_exceeds_limit
        exchange A1 B1 2.00000001 ETH @ 1000 -> exceeds_balance    # of the seller
        exchange A1 B1 2 ETH @ 750.000001    -> exceeds_balance    # of the buyer
        exchange A1 B1 2 ETH @ 750
        balance A1 0 ETH
        balance A1 1500 USDC
        balance B1 2 ETH
        balance B1 0 USDC
        exchange B1 A1 0.00000001 ETH @ 99.9                       # rounded against the seller
        balance B1 0 USDC
        balance B1 1.99999999 ETH
        balance A1 1500 USDC
    """)


def test_a_seller_may_be_short_of_margin_if_he_gets_no_worse():
    check("""
        price ETH 1000
        deposit L1 5000 USDC
        supply L1 5000
        deposit A1 5 ETH
        deposit B1 5000 USDC
        borrow A1 4000                       # all that 80 % of 5000 backs
        withdraw A1 4000 USDC
        price ETH 960
        excess A1 initial -160
        exchange A1 B1 1 ETH @ 815.999999 -> initial_margin_too_low
        exchange A1 B1 1 ETH @ 816           # what it counted for at maintenance
        balance A1 816 USDC
        excess A1 initial -112               # 816 + 4 * 768 - 4000
    """)


def test_nobody_sells_collateral_for_less_than_a_withdrawal_would_allow():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1 ETH
        deposit A1 1000 USDC
        deposit B1 40 ETH
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 1900                   # A1: profit 4500, initial margin 950
        exchange A1 B1 0.95 ETH @ 0.000000001    # 1000 cash stays, profit does not count
        exchange A1 B1 0.05 ETH @ 0.000000001
        mark ETH-PERP 2010                   # initial margin 1005
        deposit A1 1 ETH
        exchange A1 B1 0.99375001 ETH @ 0.000000001 -> initial_margin_too_low
        clock +300s
        exchange A1 B1 0.1 ETH @ 0.000000001 -> price_is_not_usable
        exchange A1 B1 0.1 ETH @ 850 -> exceeds_balance
        deposit B1 85 USDC
        exchange B1 A1 0.1 ETH @ 850 -> price_is_not_usable        # A1 would pay
        price ETH 1000
        exchange A1 B1 0.99375 ETH @ 0.000000001
        balance A1 0.00625 ETH
        balance A1 1000 USDC
    """)


def test_a_buyer_keeps_his_initial_margin_and_needs_a_price_for_what_he_buys():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 2 BTC
        deposit B1 3000 USDC
        deposit C1 5000 USDC
        trade B1 C1 10 ETH-PERP @ 1000               # initial margin 1000
        exchange A1 B1 0.01 BTC @ 20000 -> price_is_not_usable   # BTC has no price
        price BTC 20000
        exchange A1 B1 0.01 BTC @ 216000.0001 -> other_initial_margin_too_low
        exchange A1 B1 0.01 BTC @ 216000             # 3000 - 2160 + 160 = 1000
        balance A1 2160 USDC
        excess B1 initial 0
    """)


def test_a_buyer_needs_a_price_for_all_that_he_holds():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 2 BTC
        deposit B1 3000 USDC
        deposit C1 5000 USDC
        trade B1 C1 10 ETH-PERP @ 1000
        clock +300s
        price BTC 20000
        exchange A1 B1 0.01 BTC @ 20000 -> price_is_not_usable   # ETH is stale
        exchange A1 C1 0.01 BTC @ 20000 -> price_is_not_usable
        price ETH 1000
        exchange A1 B1 0.01 BTC @ 20000
        balance A1 200 USDC
    """)
