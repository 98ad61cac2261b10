"""Deleveraging: who is closed against whom, at what price, and who bears a bankruptcy."""

from tests.stories import check

# The backstop takes nothing, so all that is liquidated has to be deleveraged.
TERMS = "rule backstop_limit 0 dust 0 bonus_min 0 bonus_max 0 liquidation_fee 0"
MARKET = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 1000 USDC
    deposit C1 3000 USDC
    deposit D1 8000 USDC
    trade A1 B1 5 ETH-PERP @ 1000
    trade A1 C1 5 ETH-PERP @ 1000
"""


def with_rules(rules: str, story: str = MARKET) -> str:
    return story.replace(TERMS, f"{TERMS} {rules}")


def test_deleveraging_reports_the_first_rule_it_breaks():
    check(f"""
        {MARKET}
        deleverage DOGE-PERP 0 -> instrument_does_not_exist
        deleverage ETH-PERP -1 -> amount_must_be_positive
        price ETH 1000 flag divergent
        deleverage ETH-PERP 0  -> price_is_not_usable
        price ETH 1000
        deleverage ETH-PERP 0  -> nothing_to_deleverage
        mark ETH-PERP 945
        liquidate A1
        liquidate A1           -> account_awaits_deleveraging
        deleverage ETH-DEC 0   -> nothing_to_deleverage
        deleverage ETH-PERP 0
        deleverage ETH-PERP 0  -> nothing_to_deleverage
    """)


def test_the_most_levered_of_the_other_side_is_closed_first_at_the_mark():
    check(f"""
        {MARKET}
        mark ETH-PERP 945
        liquidate A1
        event deleveraging_awaited account A1 index 0
        deleverage ETH-PERP 0                   # 117 / 0.06 = 1950 of notional, in lots
        event winner_deleveraged account B1 size -2.064 price 945 value 1950.48 shortfall 0
        event position_deleveraged account A1 size 2.064 price 945 value 1950.48 bonus 0 fee 0
        events 0
        step A1 none
        total waiting 0
        position A1 7.936 ETH-PERP cost 7499.52
        position B1 -2.936 ETH-PERP cost -2774.52
        position C1 -5 ETH-PERP cost -5000      # levered 1.45 times; B1 2.18 times after it
        excess A1 target 0.0288
        settle
        balance B1 1275 USDC
    """)


def test_winners_are_cut_down_to_one_level():
    check(f"""
        {MARKET}
        mark ETH-PERP 905                       # equity 50, enough for 833.3 of notional
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 size -4.726
        event winner_deleveraged account C1 size -4.354
        position B1 -0.274 ETH-PERP cost -247.97
        position C1 -0.646 ETH-PERP cost -584.63
    """)


def test_a_bankrupt_account_is_closed_at_its_bankruptcy_price():
    check(f"""
        {MARKET}
        mark ETH-PERP 880                       # A1 lacks 200; B1 and C1 have gained 600 each
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 size -5 price 880 value 4400 shortfall 100
        event winner_deleveraged account C1 size -5 price 880 value 4400 shortfall 100
        event position_deleveraged account A1 size 10 value 8800 equity -200
        event shortfall_recorded account A1 value 200 insurance 0 shortfall 0
        events 0
        due A1 0
        total shortfall 0
        settle                                  # as if they had closed at 900
        balance B1 1500 USDC
        balance C1 3500 USDC
        claim B1 0
    """)


def test_the_insurance_fund_pays_before_the_winners_give_up_gains():
    check(f"""
        {MARKET}
        fund_insurance D1 400
        mark ETH-PERP 880
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 shortfall 50
        event winner_deleveraged account C1 shortfall 50
        event position_deleveraged account A1
        event shortfall_recorded account A1 value 100 insurance 100 shortfall 0
        total insurance_fund 300
    """)


def test_no_winner_gives_up_more_than_its_uncollected_gain():
    check(f"""
        {MARKET}
        mark ETH-PERP 905                       # B1 and C1 gain 475 each
        settle
        trade D1 B1 3 ETH-PERP @ 905            # fresh shorts, without any gain
        mark ETH-PERP 880
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 size -7.047 shortfall 140.94
        event winner_deleveraged account C1 size -2.953 shortfall 59.06
        event position_deleveraged account A1
        event shortfall_recorded account A1 value 200 insurance 0 shortfall 0
    """)
    check(f"""
        {MARKET}
        mark ETH-PERP 905
        settle
        withdraw B1 475 USDC
        mark ETH-PERP 860                       # A1 lacks 400; since the settlement they gained 225
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 size -5 shortfall 200
        event winner_deleveraged account C1 size -5 shortfall 200
        settle
        balance B1 1025 USDC
        balance C1 3500 USDC
    """)


def test_what_the_gains_do_not_cover_stays_a_due():
    check(f"""
        {MARKET}
        trade B1 D1 5 ETH-PERP @ 1000           # D1 is short 5 now
        mark ETH-PERP 880
        settle                                  # 1000 of 1200 are collected
        claim C1 100
        claim D1 100
        trade D1 B1 5 ETH-PERP @ 880
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 size -5 shortfall 0
        event winner_deleveraged account C1 size -5 shortfall 100
        event position_deleveraged account A1
        event shortfall_recorded account A1 value 100 shortfall 100
        events 0
        due A1 100
        claim C1 0
        claim D1 100
        total shortfall 100
    """)


def test_a_hedged_leg_is_left_alone_while_others_suffice():
    check(f"""
        {MARKET}
        mark ETH-DEC 1000
        deposit E1 600 USDC
        trade D1 E1 5 ETH-PERP @ 1000
        trade E1 D1 5 ETH-DEC @ 1000            # E1 is hedged, and levered most of all
        mark ETH-PERP 945
        mark ETH-DEC 945
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 size -2.064
        event position_deleveraged account A1
        events 0
        position E1 -5 ETH-PERP cost -5000
    """)
    check(f"""
        {MARKET}
        mark ETH-DEC 1000
        deposit E1 2000 USDC
        trade B1 E1 5 ETH-PERP @ 1000
        trade C1 E1 5 ETH-PERP @ 1000
        trade E1 D1 10 ETH-DEC @ 1000           # E1 alone is short now, and hedged
        mark ETH-PERP 945
        mark ETH-DEC 945
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account E1 size -2.064
    """)


def test_who_waits_may_still_add_collateral():
    check(f"""
        {MARKET}
        mark ETH-PERP 945
        liquidate A1
        deposit A1 22.499999 USDC
        step A1 deleveraging
        deposit A1 0.000001 USDC
        step A1 none
        deleverage ETH-PERP 0 -> nothing_to_deleverage
    """)
    check(f"""
        {MARKET}
        mark ETH-PERP 945
        liquidate A1
        mark ETH-PERP 950
        deleverage ETH-PERP 0 -> nothing_to_deleverage
        liquidate A1
        event step_ended account A1 index 7
        total waiting 0
    """)


def test_money_waits_while_losses_are_shared_and_the_free_may_leave():
    check(f"""
        {MARKET}
        supply D1 1000
        supply_backstop D1 1000
        mark ETH-PERP 945
        liquidate A1
        withdraw B1 1 USDC    -> waterfall_is_running
        redeem D1 1           -> waterfall_is_running
        redeem_backstop D1 1  -> waterfall_is_running
        supply_backstop D1 1  -> waterfall_is_running
        withdraw D1 6000 USDC                   # owes nothing, holds nothing
        deleverage ETH-PERP 0
        withdraw B1 1 USDC
        redeem D1 1
        redeem_backstop D1 1
    """)


def test_who_waits_on_the_other_side_is_closed_as_one_of_it():
    check(f"""
        {MARKET}
        deposit S1 110 USDC
        trade D1 S1 1 ETH-PERP @ 1000
        mark ETH-PERP 1110                      # S1 is bankrupt to the unit
        liquidate S1
        mark ETH-PERP 1111
        mark ETH-PERP 945
        liquidate A1
        step S1 deleveraging
        deleverage ETH-PERP 0
        step A1 none
    """)


def test_at_most_so_many_accounts_are_closed_at_a_time():
    check(f"""
        {MARKET}
        deposit E1 1000 USDC
        trade E1 D1 10 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate A1
        liquidate E1
        total waiting 2
        deleverage ETH-PERP 1
        step A1 none
        step E1 deleveraging
        deleverage ETH-PERP 1
        step E1 none
    """)


def test_an_account_of_several_positions_waits_until_each_is_closed():
    check(f"""
        {MARKET}
        price BTC 10000
        mark BTC-PERP 10000
        deposit D1 9000 USDC
        deposit A1 1000 USDC
        trade A1 D1 0.9 BTC-PERP @ 10000
        mark ETH-PERP 820
        liquidate A1                            # equity 200 for 8200 and 9000
        deleverage ETH-PERP 0
        position A1 0 ETH-PERP cost 0
        step A1 deleveraging
        deleverage BTC-PERP 0
        step A1 none
        position A1 0.333 BTC-PERP cost 3330
    """)
