"""Liquidation of positions: when it is allowed, and how much of which leg it takes."""

from tests.stories import Story, check

from ringfence.core.terms import scheduled_bonus, terms_for

# One percent to the backstop, 0.2 percent to the insurance fund, no dust.
TERMS = "rule bonus_min 0.01 bonus_max 0.01 liquidation_fee 0.002 dust 0"
LONG = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 5000 USDC
    trade A1 B1 10 ETH-PERP @ 1000
"""


def test_a_liquidation_reports_the_first_rule_it_breaks():
    check(f"""
        {LONG}
        deposit C1 5000 USDC
        liquidate stranger -> account_does_not_exist
        liquidate backstop -> backstop_is_not_liquidated
        liquidate C1       -> account_is_healthy
        mark ETH-PERP 880
        liquidate A1                            # everything is taken and 200 are missing
        mark ETH-PERP 2000
        price ETH 1000 flag divergent
        mark ETH-PERP 1000 -> price_is_not_usable
        liquidate A1       -> nothing_to_liquidate
        liquidate B1       -> price_is_not_usable
        price ETH 0 flag non_positive
        liquidate B1       -> price_is_not_usable
        price ETH 1000 confidence 30
        liquidate B1
    """)


def test_an_account_is_healthy_until_its_excess_at_maintenance_is_negative():
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1022.5 USDC
        deposit B1 5000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        mark ETH-PERP 945                       # 1022.5 - 550 = 5 % of 9450
        excess A1 maintenance 0
        health A1 1
        liquidate A1 -> account_is_healthy
        funding ETH-PERP 0.000000001
        excess A1 maintenance -0.000010
        liquidate A1
    """)


def test_a_position_is_reduced_just_enough_to_reach_the_target():
    check(f"""
        {LONG}
        mark ETH-PERP 945
        excess A1 maintenance -22.5
        liquidate A1
        events 1
        event position_liquidated account A1 index 0 size 2.58 price 945 value 2438.1 bonus 24.381 fee 4.8762 equity 450 excess_before -22.5 excess_after 70.1478 health_before 0.977995 health_after 1.200082 shortfall 0 version 1
        position A1 7.42 ETH-PERP cost 7011.9
        balance A1 420.7428 USDC                # 450 - 24.381 - 4.8762
        excess A1 target 0.0288                 # one lot less would miss it by 0.01656
        position backstop 2.58 ETH-PERP cost 2413.719
        total insurance_fund 4.8762
        liquidate A1 -> account_is_healthy
        settle
        balance B1 5550 USDC
    """)


def test_a_short_position_is_reduced_alike():
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 5000 USDC
        trade B1 A1 10 ETH-PERP @ 1000
        mark ETH-PERP 1055
        liquidate A1
        event position_liquidated size -3.614 value 3812.77 bonus 38.1277 fee 7.62554
        position A1 -6.386 ETH-PERP cost -6737.23
        balance A1 404.24676 USDC
        excess A1 target 0.01296                # a lot adds 0.05064
        position backstop -3.614 ETH-PERP cost -3850.8977
    """)


def test_a_position_left_as_dust_is_closed_whole():
    story = Story()
    story.play("""
        rule bonus_min 0.01 bonus_max 0.01 liquidation_fee 0.002 dust 701.19
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 100 USDC
        deposit B1 500 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate A1
        position A1 0.742 ETH-PERP cost 701.19  # just what is not dust
    """)
    check("""
        rule bonus_min 0.01 bonus_max 0.01 liquidation_fee 0.002 dust 701.190001
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 100 USDC
        deposit B1 500 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate A1
        position A1 0 ETH-PERP cost 0
        balance A1 33.66 USDC                   # 45 less 1.2 percent of 945
    """)


def test_bonus_and_fee_never_exceed_the_equity():
    check(f"""
        {LONG}
        mark ETH-PERP 905                       # equity 50 for a notional of 9050: 0.5524 percent
        liquidate A1
        event position_liquidated size 10 bonus 49.9922 fee 0 equity 50 excess_after 0.0078
        events 0
        balance A1 0.0078 USDC
        due A1 0
        total shortfall 0
    """)


def test_the_fee_gives_way_to_the_bonus():
    check(f"""
        {LONG}
        mark ETH-PERP 910                       # equity 100: 1.0989 percent
        liquidate A1
        event position_liquidated size 10 bonus 91 fee 8.9999
        balance A1 0.0001 USDC
    """)


def test_a_shortfall_is_neither_counted_nor_covered_twice():
    check(f"""
        {LONG}
        deposit C1 1000 USDC
        fund_insurance C1 100
        mark ETH-PERP 880
        liquidate A1
        total shortfall 175
        deposit A1 0.01 ETH                     # dust, to be liquidated once more
        liquidate A1
        event collateral_liquidated value 10 bonus 0
        events 0
        due A1 165                              # the coin at 1000, no bonus
        total shortfall 175
        total insurance_fund 75
    """)


def test_what_an_account_still_owes_that_closed_by_itself_is_recorded_once():
    check(f"""
        {LONG}
        deposit C1 1000 USDC
        fund_insurance C1 100
        mark ETH-PERP 880
        trade A1 B1 -10 ETH-PERP @ 880          # 200 are missing, and nothing is left
        due A1 200
        liquidate A1
        event shortfall_recorded account A1 insurance 25 shortfall 175
        events 0
        liquidate A1 -> nothing_to_liquidate
        total shortfall 175
    """)


def test_a_bankrupt_account_pays_neither_and_leaves_a_due():
    check(f"""
        {LONG}
        deposit C1 1000 USDC
        fund_insurance C1 100
        mark ETH-PERP 880
        liquidate A1
        event position_liquidated size 10 value 8800 bonus 0 fee 0 equity -200
        event shortfall_recorded account A1 insurance 25 shortfall 175
        events 0
        balance A1 0 USDC
        due A1 175
        total shortfall 175
        total insurance_fund 75
        total insurance_paid 25
        total settled_cash 1025
        liquidate A1 -> nothing_to_liquidate
        settle
        balance B1 6025 USDC                    # 1000 from A1, 25 from insurance
        claim B1 175                            # only unpaid gains suffer
        balance C1 900 USDC
        deposit A1 200 USDC                     # he is still held to it
        balance A1 25 USDC
        settle
        balance B1 6200 USDC
    """)


def test_the_bonus_rises_as_health_falls():
    check("""
        rule bonus_min 0.002 bonus_max 0.01 bonus_health 0.9 liquidation_fee 0.002 dust 0
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1427.5 USDC
        deposit B1 5000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        mark ETH-PERP 900                       # 427.5 against 450: health 0.95
        liquidate A1
        event position_liquidated size 2.404 bonus 12.9816 fee 4.3272 health_before 0.984482      # the view's 1427.5 / 1450
    """)
    pool = check("settle").pool
    rates = [(2_000_000, 2000), (10**6, 2000), (950_000, 6000), (900_000, 10_000), (0, 10_000)]
    for health, rate in rates:
        assert scheduled_bonus(pool, health) == rate


def test_terms_hold_for_the_largest_values():
    pool = check(f"{TERMS} \n settle").pool
    assert tuple(terms_for(pool, 2**50, 2**53, 10**6)) == (10_000, 2000)
    assert tuple(terms_for(pool, 2**53 // 200, 2**53, 10**6)) == (4999, 0)
    assert tuple(terms_for(pool, -1, 1, 10**6)) == (0, 0)
    assert tuple(terms_for(pool, 1, 0, 10**6)) == (0, 0)


def test_a_larger_position_pays_the_margin_of_its_tier():
    check(f"""
        {TERMS}
        instrument ETH-PERP position_cap 3000
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 199999.999999 USDC
        deposit B1 1000000 USDC
        trade A1 B1 1000 ETH-PERP @ 1000 -> initial_margin_too_low
        trade A1 B1 999.999 ETH-PERP @ 1000     # 10 % below a million, 20 % from there on
        deposit A1 200000 USDC
        trade A1 B1 1000.001 ETH-PERP @ 1000 -> initial_margin_too_low
        deposit A1 0.000001 USDC
        trade A1 B1 1000.001 ETH-PERP @ 1000
        excess A1 maintenance 250000            # 5 % of the first million, 10 % of the second
    """)


def test_uncollected_profit_protects_from_liquidation_until_it_is_lost():
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit C1 50 ETH
        trade A1 C1 10 ETH-PERP @ 1000          # C1 is short without cash
        mark ETH-PERP 1200
        settle
        claim A1 2000
        due C1 2000
        mark ETH-PERP 950                       # 2500 lost: the claim, and 500 of the cash
        excess A1 maintenance 25
        liquidate A1 -> account_is_healthy
        mark ETH-PERP 940
        liquidate A1
        event position_liquidated size 3.635 excess_before -70 # 400 - 11.28x = 564 - 56.4x
        claim A1 0
        due C1 2000
        settle
        due C1 0                                # his profit of 2600 cancels it first
        balance C1 600 USDC
    """)


def test_liquidation_waits_out_the_grace_period_after_an_outage():
    check(f"""
        {LONG}
        clock +1799999999999ns
        mark ETH-PERP 945
        liquidate A1                            # stale, but no outage
        clock +1ns
        liquidate A1 -> account_is_healthy
        mark ETH-PERP 930
        liquidate A1 -> price_is_not_usable     # long stale
        price ETH 930
        liquidate A1 -> account_is_in_grace_period
        clock +299999999999ns
        liquidate A1 -> account_is_in_grace_period
        clock +1ns
        liquidate A1
    """)


def test_an_outage_of_another_price_gives_no_grace():
    check(f"""
        {TERMS}
        price ETH 1000
        price BTC 20000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 5000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        clock +1800s
        price ETH 1000
        clock +300s
        price ETH 1000
        price BTC 20000
        mark ETH-PERP 945
        liquidate A1
    """)


def test_below_closeout_there_is_no_grace():
    check(f"""
        {LONG}
        clock +1800s
        price ETH 930
        mark ETH-PERP 930                       # equity 300, closeout 0.66 * 465 = 306.9
        excess A1 closeout -6.9
        liquidate A1
    """)


def test_the_backstop_gives_back_what_it_took_over_and_its_owner_takes_nothing():
    check(f"""
        {LONG}
        deposit backstop 1000 USDC
        deposit C1 5000 USDC
        mark ETH-PERP 945
        liquidate A1
        trade C1 backstop 2.58 ETH-PERP @ 945
        claim backstop 24.381                   # the bonus is its result
        settle
        balance backstop 1024.381 USDC
        withdraw backstop 1024.381 USDC -> backstop_is_restricted
    """)


def test_a_liquidation_that_reduces_the_backstops_own_position_settles_it():
    check(f"""
        {LONG}
        deposit backstop 5000 USDC
        deposit S1 150 USDC
        trade B1 S1 1 ETH-PERP @ 1000
        mark ETH-PERP 1150
        liquidate S1
        position backstop -1 ETH-PERP cost -1150
        mark ETH-PERP 945
        liquidate A1
        position backstop 1.58 ETH-PERP cost 1493.1
        claim backstop 229.381                  # 205, and the bonus
        balance backstop 5000 USDC
    """)
