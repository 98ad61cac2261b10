"""Two-sided trades, positions opened together with their collateral, and expiry."""

from tests.stories import check

MARKET = """
    price ETH 1000
    mark ETH-PERP 1000
"""


def test_a_trade_reports_the_first_rule_it_breaks():
    check("""
        instrument ETH-PERP open_interest_cap 50 position_cap 20
        deposit A1 1 USDC
        deposit B1 1 USDC
        trade stranger B1 0 DOGE @ 0  -> account_does_not_exist
        trade A1 stranger 0 DOGE @ 0  -> other_account_does_not_exist
        trade A1 A1 0 DOGE @ 0        -> accounts_must_differ
        trade A1 B1 0 DOGE @ 0        -> instrument_does_not_exist
        trade A1 B1 0 none @ 0        -> instrument_does_not_exist
        trade A1 B1 0 ETH-PERP @ 0    -> size_must_not_be_zero
        trade A1 B1 9007199254740992u ETH-PERP @ 0     -> amount_exceeds_limit
        trade A1 B1 -9007199254740992u ETH-PERP @ 0    -> amount_exceeds_limit
        trade A1 B1 -9223372036854775808u ETH-PERP @ 0 -> amount_exceeds_limit
        trade A1 B1 9007199254740991u ETH-PERP @ 0     -> size_must_be_whole_lots
        trade A1 B1 21.0001 ETH-PERP @ 0      -> size_must_be_whole_lots
        trade A1 B1 60 ETH-PERP @ 0           -> price_must_be_positive
        trade A1 B1 60 ETH-PERP @ -1          -> price_must_be_positive
        trade A1 B1 60 ETH-PERP @ 100000.001  -> price_must_be_whole_ticks
        trade A1 B1 60 ETH-PERP @ 100000.01   -> price_exceeds_limit
        trade A1 B1 60 ETH-PERP @ 1050.01     -> mark_price_is_missing
        mark ETH-PERP 1000
        trade A1 B1 60 ETH-PERP @ 1050.01     -> price_outside_band
        trade A1 B1 60 ETH-PERP @ 949.99      -> price_outside_band
        trade A1 B1 50.001 ETH-PERP @ 1050    -> exceeds_open_interest_cap
        trade A1 B1 50 ETH-PERP @ 950         -> price_is_not_usable
        price ETH 1000
        trade A1 B1 20.001 ETH-PERP @ 1000    -> exceeds_position_limit
        trade A1 B1 -20.001 ETH-PERP @ 1000   -> exceeds_position_limit
        trade A1 B1 20 ETH-PERP @ 1000        -> initial_margin_too_low
        deposit A1 1999 USDC
        trade A1 B1 20 ETH-PERP @ 1000        -> other_initial_margin_too_low
        deposit B1 1998.999999 USDC
        trade A1 B1 20 ETH-PERP @ 1000        -> other_initial_margin_too_low
        deposit B1 0.000001 USDC
        trade A1 B1 20 ETH-PERP @ 1000
        position A1 20 ETH-PERP cost 20000
        position B1 -20 ETH-PERP cost -20000
        excess A1 initial 0
        excess B1 initial 0
        trade A1 B1 0.001 ETH-PERP @ 1000     -> exceeds_position_limit
    """)


def test_every_instrument_trades_until_it_expires():
    check("""
        price ETH 1000
        mark ETH-DEC 1000
        deposit A1 5000 USDC
        deposit B1 5000 USDC
        trade A1 B1 1 ETH-DEC @ 1000
        expire ETH-DEC -> instrument_has_not_expired
        clock +2592000s
        trade A1 B1 1 ETH-DEC @ 1000 -> instrument_has_expired
        price ETH 1000
        expire ETH-DEC
        trade A1 B1 1 ETH-DEC @ 1000 -> instrument_has_expired
    """)


def test_the_price_of_a_trade_stays_within_the_band_around_the_mark():
    check(f"""
        {MARKET}
        deposit A1 5000 USDC
        deposit B1 5000 USDC
        trade A1 B1 1 ETH-PERP @ 1050
        trade A1 B1 1 ETH-PERP @ 950
        position A1 2 ETH-PERP cost 2000
        trade A1 B1 -1 ETH-PERP @ 1050.01 -> price_outside_band
    """)


def test_a_trade_at_another_price_than_the_mark_costs_margin_at_once():
    check(f"""
        {MARKET}
        deposit A1 149.99 USDC
        deposit B1 5000 USDC
        trade A1 B1 1 ETH-PERP @ 1050 -> initial_margin_too_low   # 100, and 50 lost
        deposit A1 0.01 USDC
        trade A1 B1 1 ETH-PERP @ 1050
        equity A1 100
        equity B1 5050
    """)


def test_a_position_that_is_reduced_is_settled_at_the_mark():
    check(f"""
        {MARKET}
        deposit A1 5000 USDC
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        trade A1 B1 4 ETH-PERP @ 1000
        mark ETH-PERP 1100
        trade A1 C1 -1 ETH-PERP @ 1090      # profit 400, less 10 on the one sold below the mark
        position A1 3 ETH-PERP cost 3300
        position C1 1 ETH-PERP cost 1090
        position B1 -4 ETH-PERP cost -4000
        claim A1 390
        claim C1 0
        trade B1 C1 1 ETH-PERP @ 1100
        position B1 -3 ETH-PERP cost -3300
        balance B1 4600 USDC
        position C1 0 ETH-PERP cost 0
        claim C1 10
        total settled_cash 400
        settle
        balance A1 5390 USDC
        balance B1 4600 USDC
        balance C1 5010 USDC
    """)


def test_a_position_can_turn_around_in_one_trade():
    check(f"""
        instrument ETH-PERP position_cap 3
        {MARKET}
        deposit A1 5000 USDC
        deposit B1 5000 USDC
        trade A1 B1 2 ETH-PERP @ 1000
        trade A1 B1 -5.001 ETH-PERP @ 1000 -> exceeds_position_limit
        trade A1 B1 -5 ETH-PERP @ 1000
        position A1 -3 ETH-PERP cost -3000
        position B1 3 ETH-PERP cost 3000
    """)


def test_reducing_needs_neither_a_usable_price_nor_initial_margin():
    check(f"""
        instrument ETH-PERP price_band 0.06
        {MARKET}
        deposit A1 1000 USDC
        deposit B1 1000 USDC
        trade A1 B1 8 ETH-PERP @ 1000
        clock +1h
        mark ETH-PERP 920
        excess A1 initial -376
        trade A1 B1 -8.001 ETH-PERP @ 920 -> price_is_not_usable
        trade A1 B1 8 ETH-PERP @ 920      -> price_is_not_usable
        trade A1 B1 -4 ETH-PERP @ 873.99  -> price_is_not_usable   # costs more than it frees
        trade A1 B1 -4 ETH-PERP @ 920
        position A1 4 ETH-PERP cost 3680
        trade A1 B1 -4 ETH-PERP @ 920
        balance A1 360 USDC
        price ETH 920
        settle
        balance B1 1640 USDC
    """)


def test_a_reduction_that_worsens_the_account_needs_its_initial_margin():
    check(f"""
        instrument ETH-PERP price_band 0.2
        {MARKET}
        deposit A1 110 USDC
        deposit B1 1000 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        mark ETH-PERP 990                              # equity 100, initial margin 99
        trade A1 B1 -0.5 ETH-PERP @ 888.99 -> initial_margin_too_low
        trade A1 B1 -0.5 ETH-PERP @ 889                # 100 - 50.5 = 49.5
        excess A1 initial 0
    """)


def test_fees_of_both_sides_go_to_the_insurance_fund():
    check(f"""
        instrument ETH-PERP taker_fee 0.001 maker_fee 0.0002
        {MARKET}
        deposit A1 500.999999 USDC
        deposit B1 600 USDC
        trade A1 B1 5 ETH-PERP @ 1000 -> initial_margin_too_low   # the fee counts: 505 is needed
        deposit A1 4.000001 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        balance A1 500 USDC
        balance B1 599 USDC
        total insurance_fund 6
        trade A1 B1 -0.001 ETH-PERP @ 1000
        balance A1 499.999 USDC
        balance B1 598.9998 USDC
    """)


def test_a_fee_without_cash_is_taken_from_a_claim_and_then_becomes_a_due():
    check(f"""
        instrument ETH-PERP taker_fee 0.01
        rule profit_weight 1
        {MARKET}
        deposit A1 10 ETH
        deposit B1 10 ETH
        trade A1 B1 2 ETH-PERP @ 1000                 # fee 20
        due A1 20
        total insurance_claim 20
        mark ETH-PERP 1010
        trade A1 B1 -1 ETH-PERP @ 1010                # profit 20, fee 10.1
        claim A1 0
        due A1 10.1
        due B1 20
        total insurance_claim 30.1
        mark ETH-PERP 1030
        settle                                        # profit 20
        claim A1 9.9
        trade A1 B1 -0.5 ETH-PERP @ 1030              # fee 5.15, from the claim
        claim A1 4.75
        total insurance_claim 35.25
        deposit B1 50 USDC                            # B1 pays his due of 40
        settle
        balance A1 4.75 USDC
        total insurance_fund 35.25
        total insurance_claim 0
    """)


def test_open_interest_counts_the_longs_and_is_capped():
    story = check(f"""
        instrument ETH-PERP open_interest_cap 6
        {MARKET}
        deposit A1 5000 USDC
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        trade A1 B1 6 ETH-PERP @ 1000
        trade C1 B1 0.001 ETH-PERP @ 1000 -> exceeds_open_interest_cap
        trade A1 C1 -2 ETH-PERP @ 1000        # from one long to another: nothing grows
        trade B1 C1 -0.001 ETH-PERP @ 1000 -> exceeds_open_interest_cap
        trade B1 C1 2 ETH-PERP @ 1000
        trade C1 A1 2 ETH-PERP @ 1000
    """)
    assert story.pool.open_interest.tolist() == [4 * 10**8, 0, 0]


def test_a_lowered_cap_still_lets_positions_shrink():
    check(f"""
        {MARKET}
        deposit A1 5000 USDC
        deposit B1 5000 USDC
        trade A1 B1 6 ETH-PERP @ 1000
        announce open_interest_cap ETH-PERP 1 in 1d
        announce position_cap ETH-PERP 1 in 1d
        clock +1d
        price ETH 1000
        trade A1 B1 0.001 ETH-PERP @ 1000 -> exceeds_open_interest_cap
        trade A1 B1 -1 ETH-PERP @ 1000
        trade B1 A1 1 ETH-PERP @ 1000
        position A1 4 ETH-PERP cost 4000
    """)


def test_an_account_needs_a_price_for_all_that_it_holds():
    check(f"""
        {MARKET}
        deposit A1 5000 USDC
        deposit A1 1 BTC
        deposit B1 5000 USDC
        trade A1 B1 1 ETH-PERP @ 1000 -> price_is_not_usable
        trade B1 A1 1 ETH-PERP @ 1000 -> price_is_not_usable
        price BTC 20000 confidence 400.000001
        trade A1 B1 1 ETH-PERP @ 1000 -> price_is_not_usable     # uncertain above 2 %
        price BTC 20000 confidence 400
        trade A1 B1 1 ETH-PERP @ 1000
    """)


def test_collateral_and_position_come_in_one_step_or_not_at_all():
    check(f"""
        pool cash_cap 6000
        {MARKET}
        deposit B1 5000 USDC
        open_position stranger B1 5 ETH-PERP @ 1000 with 500 USDC -> account_does_not_exist
        open_position A1 stranger 5 ETH-PERP @ 1000 with 500 USDC -> other_account_does_not_exist
        open_position A1 A1 5 ETH-PERP @ 1000 with 500 USDC -> accounts_must_differ
        open_position A1 B1 0 DOGE @ 1000 with 0 DOGE       -> asset_does_not_exist
        open_position A1 B1 0 DOGE @ 1000 with 0 USDC       -> amount_must_be_positive
        open_position A1 B1 0 DOGE @ 1000 with 9007199254740992u USDC -> amount_exceeds_limit
        open_position A1 B1 0 DOGE @ 1000 with 1000.01 USDC -> exceeds_deposit_cap
        open_position A1 B1 0 DOGE @ 1000 with 500 USDC     -> instrument_does_not_exist
        open_position A1 B1 5 ETH-PERP @ 1000 with 499.999999 USDC -> initial_margin_too_low
        balance A1 0 USDC
        open_position A1 B1 5 ETH-PERP @ 1000 with 500 USDC
        balance A1 500 USDC
        position A1 5 ETH-PERP cost 5000
        open_position A1 B1 1 ETH-PERP @ 1000 with 0.125 ETH   # 125 less 20 %
        excess A1 initial 0
    """)


def test_collateral_that_comes_with_a_position_needs_a_price_too():
    check(f"""
        {MARKET}
        price BTC 20000
        deposit B1 5000 USDC
        clock +300s
        price ETH 1000
        open_position A1 B1 5 ETH-PERP @ 1000 with 1 BTC -> price_is_not_usable
        price BTC 20000
        open_position A1 B1 5 ETH-PERP @ 1000 with 1 BTC
        mark ETH-PERP 900
        clock +300s
        open_position A1 B1 -1 ETH-PERP @ 900 with 1 ETH       # reducing needs none
        position A1 4 ETH-PERP cost 3600
    """)


def test_a_side_below_maintenance_reduces_at_the_mark_or_better_only():
    """Else it could hand what is left of its equity to an accomplice."""
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 5000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        mark ETH-PERP 910
        trade A1 B1 -5 ETH-PERP @ 909.99 -> initial_margin_too_low
        trade A1 B1 -5 ETH-PERP @ 910
    """)
