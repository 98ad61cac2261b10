"""Parameters that change: announced, delayed, ramped, and never out of their bounds."""

from tests.stories import check


def test_an_announcement_reports_the_first_rule_it_breaks():
    check("""
        bounds dust 10 100
        announce 62 1u in 1d          -> parameter_does_not_exist   # no such rule
        announce 63 1u in 1d          -> parameter_does_not_exist
        announce 76 1u in 1d          -> parameter_does_not_exist
        announce -1 1u in 1d          -> parameter_does_not_exist
        announce dust 1 50 in 1d      -> parameter_does_not_exist   # a rule has index 0 only
        announce dust -1 50 in 1d     -> parameter_does_not_exist
        announce price_band DOGE 0.1 in 1d -> parameter_does_not_exist
        announce dust 9.999999 in 1d  -> parameter_out_of_bounds
        announce dust 100.000001 in 1d -> parameter_out_of_bounds
        announce dust 100 in 86399s   -> change_is_too_soon
        announce haircut ETH initial 0.3 in 86399s ramp 1s -> change_is_too_soon
        announce haircut ETH initial 0.3 in 1d ramp 86399s -> ramp_is_too_short
        announce haircut ETH initial 0.1 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH initial 0.3 in 1d ramp 1d
        announce haircut ETH initial 0.1 in 1d ramp 1d -> change_is_already_pending
        announce dust 100 in 1d
        announce dust 60 in 1d        -> change_is_already_pending
    """)


def test_only_so_many_changes_are_pending_at_a_time():
    names = [
        *("rate_base", "rate_slope1", "rate_slope2", "reserve_factor", "profit_weight"),
        *("bonus_min", "liquidation_fee", "insurance_draw", "confidence_max"),
    ]
    announced = "\n".join(f"announce {name} 0.005 in 1d" for name in names)
    check(f"""
        {announced}
        announce supply_cap 1 in 1d
        announce borrow_cap 1 in 1d
        announce dust 1 in 1d
        announce stale_ns 60 in 1d
        announce grace_ns 60 in 1d
        announce rate_kink 0.5 in 1d
        announce bonus_health 0.5 in 1d
        announce bonus_max 0.009 in 1d -> too_many_changes
        announce rate_base 0.009 in 1d -> change_is_already_pending
        cancel -1 -> change_does_not_exist
        cancel 16 -> change_does_not_exist
        cancel 15
        cancel 15 -> change_does_not_exist
        announce bonus_max 0.004 in 1d -> parameters_must_nest
        announce bonus_max 0.009 in 1d
    """)


def test_a_change_waits_for_its_start_and_then_moves_along_its_ramp():
    check("""
        parameter haircut ETH initial 0.2
        announce haircut ETH initial 0.3 in 1d ramp 100000s
        clock +86399s
        parameter haircut ETH initial 0.2
        total version 1
        clock +1s
        event change_activated value 0.3
        parameter haircut ETH initial 0.2
        total version 2
        cancel 0 -> change_does_not_exist          # it has started
        clock +50000s
        parameter haircut ETH initial 0.249999     # rounded down, the ramp is a second longer
        clock +49999s
        parameter haircut ETH initial 0.299998
        clock +1s
        parameter haircut ETH initial 0.3
        announce haircut ETH initial 0.2 in 1d ramp 1d
        clock +1d
        parameter haircut ETH initial 0.3
        clock +30d
        parameter haircut ETH initial 0.2
        total version 3
    """)


def test_a_change_that_starts_late_still_ramps_in_full():
    check("""
        announce haircut ETH maintenance 0.16 in 1d ramp 1d
        announce dust 60 in 1d
        announce deposit_cap ETH 500 in 1d ramp 1d
        clock +10d                                  # the clock stood still for nine days
        parameter haircut ETH maintenance 0.15
        parameter dust 60                           # touches no requirement, so it is there
        parameter deposit_cap ETH 500
        clock +12h
        parameter haircut ETH maintenance 0.154999
        clock +12h
        parameter haircut ETH maintenance 0.16
    """)


def test_a_change_of_requirements_cannot_make_an_account_liquidatable_when_it_starts():
    check("""
        price ETH 1000
        deposit L1 1000 USDC
        supply L1 1000
        deposit B1 1 ETH
        borrow B1 800
        withdraw B1 800 USDC
        announce haircut ETH target 0.3 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH initial 0.3 in 1d ramp 1d
        clock +1d
        price ETH 1000
        liquidate B1 -> account_is_healthy
    """)


def test_haircuts_stay_nested_along_every_ramp():
    check("""
        announce haircut ETH initial 0.159999 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH initial 0.16 in 1d ramp 1d
        announce haircut ETH target 0.160001 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH maintenance 0.160001 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH maintenance 0.099999 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH maintenance 0.16 in 1d ramp 1d
        announce haircut ETH closeout 0.150001 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH closeout 0.15 in 1d ramp 1d
        announce haircut ETH target 0.159999 in 1d ramp 1d -> parameters_must_nest
    """)


def test_seizing_collateral_must_help_the_account_whatever_is_pending():
    check("""
        collateral ETH haircut 0.2/0.05/0.05/0.05
        announce haircut ETH target 0.009900 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH closeout 0 in 1d ramp 1d
        clock +1d
        clock +1d
        announce haircut ETH maintenance 0 in 1d ramp 1d
        clock +1d
        clock +1d
        announce haircut ETH target 0.009900 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH target 0.009901 in 1d ramp 1d -> parameters_must_nest
        announce haircut ETH target 0.009902 in 1d ramp 1d
        announce bonus_max 0.010001 in 1d -> parameters_must_nest
        announce liquidation_fee 0.001 in 1d
    """)


def test_bonus_and_fee_stay_below_what_closing_a_position_frees():
    check("""
        announce liquidation_fee 0.05 in 1d -> parameters_must_nest    # 5 % * 1.2 = bonus + 5 %
        announce liquidation_fee 0.049999 in 1d
        announce bonus_max 0.010001 in 1d -> parameters_must_nest
        announce bonus_max 0.01 in 1d
        announce factor ETH target 1.19 in 1d ramp 1d -> parameters_must_nest
        announce factor ETH target 1.3 in 1d ramp 1d
        announce factor ETH maintenance 0.9 in 1d ramp 1d
    """)


def test_the_bonus_stays_between_its_ends():
    check("""
        announce bonus_min 0.010001 in 1d -> parameters_must_nest
        announce bonus_min 0.01 in 1d
        announce bonus_max 0.009999 in 1d -> parameters_must_nest
        announce bonus_max 0.01 in 1d
    """)


def test_hedged_notional_never_costs_more_than_two_positions():
    check("""
        announce hedge_rate ETH 0.100001 in 1d ramp 1d -> parameters_must_nest
        announce hedge_rate ETH 0.1 in 1d ramp 1d
        clock +1d
        clock +1d
        parameter hedge_rate ETH 0.1
    """)


def test_limits_stay_in_their_order():
    check("""
        announce open_interest_lower ETH 1000000000.000001 in 1d -> parameter_out_of_bounds
        announce open_interest_lower ETH 1000000000 in 1d -> parameters_must_nest
        announce open_interest_lower ETH 999999999.999999 in 1d
        announce open_interest_upper ETH 999999999.999999 in 1d -> parameters_must_nest
        announce open_interest_upper BTC 100000000 in 1d -> parameters_must_nest
        announce open_interest_upper BTC 100000000.000001 in 1d
        announce open_interest_lower BTC 100000000.000001 in 1d -> parameters_must_nest
        announce stale_ns 1801 in 1d -> parameters_must_nest
        announce long_stale_ns 299 in 1d -> parameters_must_nest
        announce stale_ns 1800 in 1d
        announce long_stale_ns 1799 in 1d -> parameters_must_nest
        announce long_stale_ns 1800 in 1d
    """)


def test_a_cap_is_worth_no_more_than_a_value_can_be():
    check("""
        announce deposit_cap ETH 40000.00000001 in 1d -> parameter_out_of_bounds  # times 100000
        announce deposit_cap ETH 40000 in 1d
        announce deposit_cap BTC 9007199254740991u in 1d -> parameter_out_of_bounds
        announce deposit_cap USDC 4000000000000001u in 1d -> parameter_out_of_bounds
        announce deposit_cap USDC 4000000000000000u in 1d
        announce open_interest_cap ETH-PERP 40000.00000001 in 1d -> parameter_out_of_bounds
        announce open_interest_cap ETH-PERP 40000 in 1d
    """)


def test_every_parameter_of_an_instrument_can_change():
    check("""
        announce position_cap ETH-PERP 1 in 1d
        announce open_interest_cap ETH-DEC 2 in 1d
        announce price_band BTC-PERP 0.1 in 1d
        announce taker_fee ETH-PERP 0.01 in 1d
        announce maker_fee ETH-PERP 0.02 in 1d
        announce funding_rate_max ETH-PERP 0.03 in 1d
        announce open_interest_lower ETH 1000 in 1d
        announce open_interest_upper ETH 200000000 in 1d
        announce factor BTC closeout 0.5 in 1d ramp 1d
        clock +1d
        events 9
        event change_activated version 2
        parameter position_cap ETH-PERP 1
        parameter position_cap ETH-DEC 1000
        parameter open_interest_cap ETH-DEC 2
        parameter price_band BTC-PERP 0.1
        parameter taker_fee ETH-PERP 0.01
        parameter maker_fee ETH-PERP 0.02
        parameter funding_rate_max ETH-PERP 0.03
        parameter open_interest_lower ETH 1000
        parameter open_interest_upper ETH 200000000
        clock +1d
        parameter factor BTC closeout 0.5
        total version 10
    """)


def test_a_penalty_may_reach_the_margin_rate_where_nothing_is_traded():
    check("""
        without BTC-PERP
        announce factor ETH target 0.2 in 1d ramp 1d -> parameters_must_nest
        announce factor BTC target 0.2 in 1d ramp 1d
        announce liquidation_fee 0.05 in 1d -> parameters_must_nest
    """)


def test_the_price_of_an_auction_never_rises_from_start_to_floor():
    check("""
        rule auction_start 0.98 auction_floor 0.8
        announce auction_start 0.799999 in 1d -> parameters_must_nest
        announce auction_floor 0.980001 in 1d -> parameters_must_nest
        announce auction_start 0.8 in 1d
        announce auction_floor 0.800001 in 1d -> parameters_must_nest    # 0.8 is pending
        cancel 0
        announce auction_floor 0.98 in 1d
        announce auction_start 0.979999 in 1d -> parameters_must_nest
        clock +1d
        parameter auction_floor 0.98
    """)
