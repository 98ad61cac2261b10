"""The backstop: capital that anybody supplies, limits of what it takes, paced sales."""

from tests.stories import check

TERMS = "rule bonus_min 0.01 bonus_max 0.01 liquidation_fee 0.002 dust 0"
TAKEN = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 5000 USDC
    deposit C1 5000 USDC
    deposit D1 5000 USDC
    trade A1 B1 10 ETH-PERP @ 1000
"""


def test_supplying_capital_reports_the_first_rule_it_breaks():
    check("""
        price ETH 1000
        deposit C1 1000 USDC
        deposit backstop 10 USDC
        supply_backstop C1 0       -> amount_must_be_positive
        supply_backstop backstop 5 -> backstop_is_restricted
        supply_backstop C1 562949953.421312 -> exceeds_supply_cap
        supply_backstop C1 1000.000001 -> exceeds_balance
        supply_backstop C1 1000
        redeem_backstop C1 0       -> amount_must_be_positive
        redeem_backstop backstop 1 -> backstop_is_restricted
        redeem_backstop C1 1000.000001 -> exceeds_backstop_shares
        redeem_backstop C1 1000
        balance C1 1000 USDC
    """)


def test_what_the_backstop_owned_before_stays_its_own_stake():
    check("""
        deposit backstop 500 USDC
        deposit C1 1000 USDC
        supply_backstop C1 1000
        capital backstop 500
        capital C1 1000
        total backstop_shares 1500
        withdraw backstop 1 USDC   -> backstop_is_restricted
        fund_insurance backstop 1  -> backstop_is_restricted    # it is not the owner's alone now
        redeem_backstop C1 1000
        balance C1 1000 USDC
        balance backstop 500 USDC
    """)


def test_before_anybody_supplies_the_owner_may_give_to_insurance_and_no_more():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit backstop 500 USDC
        deposit C1 500 USDC
        fund_insurance backstop 100
        withdraw backstop 1 USDC -> backstop_is_restricted
        supply backstop 1        -> backstop_is_restricted
        borrow backstop 1        -> backstop_is_restricted
        trade backstop C1 1 ETH-PERP @ 1000 -> backstop_is_restricted
        trade C1 backstop 1 ETH-PERP @ 1000 -> backstop_is_restricted
        open_position backstop C1 1 ETH-PERP @ 1000 with 1 USDC -> backstop_is_restricted
        exchange C1 backstop 1 ETH @ 1000   -> backstop_is_restricted
        bid backstop C1 1 0      -> backstop_is_restricted
        bid C1 backstop 1 0      -> backstop_is_restricted
        total insurance_fund 100
    """)


def test_suppliers_share_what_the_backstop_earns():
    check(f"""
        {TAKEN}
        supply_backstop C1 1000
        supply_backstop D1 3000
        mark ETH-PERP 945
        liquidate A1                            # takes over 2.58 ETH at 945 less 1 %
        buy_from_backstop B1 0.645 ETH-PERP
        mark ETH-PERP 955
        clock +60s
        buy_from_backstop B1 0.483 ETH-PERP
        clock +60s
        buy_from_backstop B1 0.363 ETH-PERP
        trade D1 backstop 1.089 ETH-PERP @ 955  # the owner may sell too, at the mark
        position backstop 0 ETH-PERP cost 0
        settle
        balance backstop 4043.731 USDC          # 24.381 of bonus, and 10 on 1.935 coins
        redeem_backstop C1 1000
        redeem_backstop D1 3000
        balance C1 5010.932749 USDC             # a quarter of 43.731, rounded down
        balance D1 5032.79825 USDC
        balance backstop 0.000001 USDC
    """)


def test_a_newcomer_pays_for_profit_that_leavers_do_not_get():
    check(f"""
        {TAKEN}
        supply_backstop C1 1000
        mark ETH-PERP 900
        liquidate A1
        position backstop 10 ETH-PERP cost 9000
        mark ETH-PERP 1000
        supply_backstop D1 2000                 # the capital is worth 2000
        capital D1 1000
        redeem_backstop D1 1000
        balance D1 4499.999999 USDC             # half of 3000, down: the profit of 1000 is no cash yet
        redeem_backstop C1 700 -> exceeds_backstop_capital      # initial margin is 1000
    """)


def test_cash_that_the_backstop_needs_is_not_redeemed():
    check(
        f"""
        {TAKEN}
        rule backstop_reserve 0.2
        supply_backstop C1 2000
        mark ETH-PERP 900
        liquidate A1
        position backstop 10 ETH-PERP cost 9000
        redeem_backstop C1 200.000001 -> exceeds_backstop_capital
        redeem_backstop C1 200                  # 1800 are a fifth of 9000
        price ETH 900 flag divergent
        redeem_backstop C1 1    -> price_is_not_usable
        supply_backstop C1 1    -> price_is_not_usable
    """.replace(TERMS, TERMS + " backstop_reserve 0.2").replace("rule backstop_reserve 0.2\n", "\n")
    )


def test_new_capital_in_a_wiped_out_backstop_has_no_fair_price():
    check(f"""
        {TAKEN}
        supply_backstop C1 1000
        mark ETH-PERP 900
        liquidate A1
        mark ETH-PERP 800.1
        supply_backstop D1 1000                 # one USDC is left, for a thousand shares
        mark ETH-PERP 600
        supply_backstop D1 1000 -> backstop_is_wiped_out
        capital C1 1000
    """)


def test_the_limit_of_an_epoch_and_the_reserve_decide_what_is_taken_over():
    check(
        f"""
        {TAKEN}
        mark ETH-PERP 945
        liquidate A1                            # 2.58 ETH, worth 2438.1
        total backstop_taken 2438.1
        event position_liquidated size 2.58
        events 0
    """.replace(TERMS, TERMS + " backstop_limit 2438.1")
    )
    check(
        f"""
        {TAKEN}
        mark ETH-PERP 945
        liquidate A1
        event deleveraging_awaited account A1 index 0
        step A1 deleveraging
        total waiting 1
    """.replace(TERMS, TERMS + " backstop_limit 2438.099999")
    )
    check(
        f"""
        {TAKEN}
        deposit backstop 243.81 USDC
        mark ETH-PERP 945
        liquidate A1
        position backstop 2.58 ETH-PERP cost 2413.719
    """.replace(TERMS, TERMS + " backstop_reserve 0.1")
    )
    check(
        f"""
        {TAKEN}
        deposit backstop 243.809999 USDC
        mark ETH-PERP 945
        liquidate A1
        step A1 deleveraging
    """.replace(TERMS, TERMS + " backstop_reserve 0.1")
    )


def test_the_limit_begins_anew_with_the_epoch():
    check(
        f"""
        {TAKEN}
        deposit E1 1000 USDC
        trade E1 B1 10 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate A1
        liquidate E1
        step E1 deleveraging
        clock +1h
        total backstop_taken 0
    """.replace(TERMS, TERMS + " backstop_limit 2438.1 epoch_seconds 3600")
    )


def test_the_backstop_sells_in_paced_parts_to_anybody():
    check(f"""
        {TAKEN}
        deposit backstop 1000 USDC
        mark ETH-PERP 945
        liquidate A1
        position backstop 2.58 ETH-PERP cost 2413.719
        buy_from_backstop backstop 0.1 ETH-PERP -> backstop_is_restricted
        buy_from_backstop C1 0.1 DOGE-PERP -> instrument_does_not_exist
        buy_from_backstop C1 0 ETH-PERP    -> size_must_not_be_zero
        buy_from_backstop C1 90071992.54740992 ETH-PERP -> amount_exceeds_limit
        buy_from_backstop C1 0.0001 ETH-PERP -> size_must_be_whole_lots
        buy_from_backstop C1 -0.1 ETH-PERP -> exceeds_disposal
        buy_from_backstop C1 0.646 ETH-PERP -> exceeds_disposal    # a quarter is 0.645
        buy_from_backstop E1 0.645 ETH-PERP -> initial_margin_too_low
        buy_from_backstop C1 0.645 ETH-PERP
        position C1 0.645 ETH-PERP cost 609.525
        buy_from_backstop C1 0.1 ETH-PERP  -> exceeds_disposal     # too early
        clock +59s
        buy_from_backstop C1 0.1 ETH-PERP  -> exceeds_disposal
        clock +1s
        buy_from_backstop C1 0.1 ETH-PERP
        price ETH 945 flag divergent
        clock +60s
        buy_from_backstop C1 0.1 ETH-PERP  -> price_is_not_usable
    """)


def test_the_backstop_sells_nothing_beyond_a_limit_or_an_expiry():
    check(
        f"""
        {TERMS} disposal 1
        instrument ETH-DEC position_cap 12
        price ETH 1000
        mark ETH-DEC 1000
        deposit A1 1000 USDC
        deposit B1 15000 USDC
        deposit C1 15000 USDC
        trade A1 B1 10 ETH-DEC @ 1000
        trade C1 B1 2.5 ETH-DEC @ 1000 -> other_initial_margin_too_low
        mark ETH-DEC 900
        liquidate A1
        trade C1 B1 2 ETH-DEC @ 900
        buy_from_backstop C1 10 ETH-DEC
        position C1 12 ETH-DEC cost 10800
    """.replace("trade C1 B1 2.5 ETH-DEC @ 1000 -> other_initial_margin_too_low", "# all of it")
    )
    check(f"""
        {TERMS} disposal 1
        instrument ETH-DEC position_cap 11
        price ETH 1000
        mark ETH-DEC 1000
        deposit A1 1000 USDC
        deposit B1 15000 USDC
        deposit C1 15000 USDC
        deposit D1 15000 USDC
        trade A1 B1 10 ETH-DEC @ 1000
        mark ETH-DEC 900
        liquidate A1
        trade C1 D1 1.5 ETH-DEC @ 900
        buy_from_backstop C1 10 ETH-DEC -> exceeds_position_limit
        clock +30d
        buy_from_backstop C1 1 ETH-DEC -> instrument_has_expired
    """)


def test_coins_that_were_taken_over_are_sold_at_the_index_price_in_parts():
    check("""
        rule bonus_min 0.1 bonus_max 0.1 liquidation_fee 0 dust 0 rate_slope1 0 rate_slope2 0
        underlying ETH tiers 0:0.5/0.2
        underlying BTC tiers 0:0.5/0.2
        price ETH 1100
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 1 ETH
        deposit C1 150 USDC
        borrow B1 845.28
        withdraw B1 845.28 USDC
        price ETH 990
        liquidate B1
        balance backstop 0.2 ETH
        debt backstop 180
        buy_collateral backstop 0.05 ETH -> backstop_is_restricted
        buy_collateral C1 0.05 USDC -> asset_does_not_exist
        buy_collateral C1 0 ETH     -> amount_must_be_positive
        buy_collateral C1 0.05000001 ETH -> exceeds_disposal
        buy_collateral D1 0.05 ETH  -> exceeds_balance
        buy_collateral C1 0.05 ETH
        balance C1 0.05 ETH
        balance C1 100.499999 USDC             # 49.5 and a unit for rounding
        debt backstop 130.499999
        buy_collateral C1 0.01 ETH  -> exceeds_disposal
        clock +60s
        borrow C1 49
        withdraw C1 139.599998 USDC            # 9.900001 of cash and 39.6 of coins for 49
        buy_collateral C1 0.01 ETH  -> initial_margin_too_low
        price ETH 990 flag divergent
        buy_collateral C1 0.01 ETH  -> price_is_not_usable
    """)


def test_a_debt_of_the_backstop_that_its_coins_cannot_cover_is_written_off_at_once():
    check("""
        rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0 rate_slope1 0 rate_slope2 0
        price ETH 1100
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 1 ETH
        deposit C1 100 USDC
        fund_insurance C1 100
        borrow B1 845.28
        withdraw B1 845.28 USDC
        price ETH 845.28                       # nobody acts in time: equity 0
        liquidate B1
        balance backstop 1 ETH
        debt backstop 845.28
        settle                                 # covered to the unit
        debt backstop 845.28
        price ETH 700
        settle
        event shortfall_recorded account backstop insurance 25 shortfall 120.28
        debt backstop 700
        total shortfall 120.28
        total insurance_fund 75
        settle
        debt backstop 700
        buy_collateral C1 0.25 ETH -> exceeds_balance
        deposit C1 700 USDC
        buy_collateral C1 0.25 ETH
        debt backstop 524.999999
    """)


def test_shares_of_the_backstop_are_used_before_anything_of_their_owner_is_taken():
    check(f"""
        {TAKEN}
        deposit A1 500 USDC
        supply_backstop A1 400
        mark ETH-PERP 935                       # equity 450 without them, maintenance 467.5
        liquidate A1
        event shares_redeemed account A1 value 111 excess_after 93.5
        events 0
        position A1 10 ETH-PERP cost 9350
        capital A1 289
        excess A1 target 0
    """)


def test_shares_of_the_backstop_do_not_survive_the_write_off_of_their_owner():
    check(f"""
        {TAKEN}
        supply_backstop D1 1000
        deposit A1 40 USDC
        supply_backstop A1 40
        mark ETH-PERP 850                       # equity -500, and 40 of capital
        liquidate A1
        event shares_redeemed account A1 value 40
        event position_liquidated account A1
        event shortfall_recorded account A1 shortfall 460
        capital A1 0
        total backstop_shares 1000
        balance backstop 1000 USDC
    """)
    check(f"""
        {TAKEN}
        supply_backstop D1 60
        deposit A1 40 USDC
        supply_backstop A1 40
        deposit E1 500 USDC
        trade E1 B1 4 ETH-PERP @ 1000
        mark ETH-PERP 880
        liquidate E1                            # the backstop is busy with it: no cash to spare
        mark ETH-PERP 850
        liquidate A1
        capital A1 0
    """)


def test_two_bidders_for_one_slice_get_it_in_the_order_they_come():
    check("""
        rule auction_seconds 600 dust 0 liquidation_fee 0
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate A1
        bid C1 A1 1 0
        bid B1 A1 1 0 -> auction_is_not_running
    """)
