"""Auctions: when an account is offered, what a slice costs, who may buy it, and the way out."""

from tests.stories import check

from ringfence.core.auction import keep_factor, offer_of

TERMS = "rule auction_seconds 600 dust 0 liquidation_fee 0 bonus_min 0 bonus_max 0"
OFFERED = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 5000 USDC
    deposit C1 5000 USDC
    trade A1 B1 10 ETH-PERP @ 1000
    mark ETH-PERP 945
    liquidate A1
"""


def more(rules: str, story: str = OFFERED) -> str:
    return story.replace(TERMS, f"{TERMS} {rules}")


def test_an_account_below_maintenance_is_offered_and_stays_as_it_is():
    check(f"""
        {OFFERED}
        event auction_started account A1 value 9450 equity 450 excess_before -22.5 health_before 0.977995
        events 0
        step A1 auction
        position A1 10 ETH-PERP cost 9450
        total auctioned 9450
        liquidate A1 -> auction_is_running
    """)


def test_a_bid_reports_the_first_rule_it_breaks():
    check(f"""
        {OFFERED}
        bid C1 A1 0 0          -> amount_must_be_positive
        bid C1 A1 1.000000001 0 -> amount_exceeds_limit
        bid C1 B1 1 0          -> auction_is_not_running
        bid C1 C1 1 0          -> accounts_must_differ
        price ETH 1000 flag divergent
        bid C1 A1 1 0          -> price_is_not_usable
        price ETH 1000
        mark ETH-PERP 950
        bid C1 A1 1 0          -> account_is_healthy
        mark ETH-PERP 945
        bid C1 A1 1 1.887097   -> bonus_below_minimum
        bid D1 A1 1 0          -> initial_margin_too_low
        bid C1 A1 1 1.887096
    """)


def test_a_bid_gets_the_slice_that_brings_the_account_to_target():
    check(f"""
        {OFFERED}
        bid C1 A1 1 0
        event slice_sold account A1 index 3 size 209677420u price 980000u value 92.467743 bonus 1.887096 excess_before -22.5
        position A1 7.903 ETH-PERP cost 7468.335
        position C1 2.097 ETH-PERP cost 1981.665
        balance A1 448.112904 USDC
        balance C1 5001.887096 USDC             # 94.354838 of the account's cash for the price
        excess A1 target 0.012804
        step A1 none
        total auctioned 0
        liquidate A1 -> account_is_healthy
    """)


def test_a_slice_that_takes_more_of_a_hedge_than_of_the_rest_is_refused():
    """A lot of the hedge is a twentieth of it, a lot of what it hedges a ten thousandth."""
    story = check(f"""
        instrument ETH-DEC lot 0.1
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        mark ETH-DEC 1000
        deposit A1 800 USDC
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        trade A1 B1 -2 ETH-DEC @ 1000
        trade A1 B1 10 ETH-PERP @ 1000
        mark ETH-PERP 945
        mark ETH-DEC 945
        liquidate A1
        excess A1 maintenance -18
        bid C1 A1 0.000000001 0 -> slice_is_too_small
        bid C1 A1 0.0101 0      -> slice_is_too_small
    """)
    story.play("""
        bid C1 A1 0.0102 0
        excess A1 maintenance -17.97894
        position A1 -1.9 ETH-DEC cost -1795.5
        position A1 9.898 ETH-PERP cost 9353.61
    """)


def test_a_smaller_bid_leaves_the_rest_on_offer():
    check(f"""
        {OFFERED}
        bid C1 A1 0.04 0
        step A1 auction
        position C1 0.4 ETH-PERP cost 378
        bid B1 A1 1 0
        step A1 none
    """)


def test_the_price_falls_in_a_straight_line_and_the_bonus_rises():
    story = check(OFFERED)
    for after, bonus in (("0s", "1.887096"), ("300s", "11.191304"), ("599s", "22.036121")):
        story.twin().play(f"""
            clock +{after}
            price ETH 1000
            bid C1 A1 1 {bonus}
        """)
        unit = str(int(bonus.replace(".", "")) + 1) + "u"
        story.twin().play(f"""
            clock +{after}
            price ETH 1000
            bid C1 A1 1 {unit} -> bonus_below_minimum
        """)


def test_when_an_auction_is_over_the_backstop_takes_what_is_left():
    check(f"""
        {OFFERED}
        clock +599s
        price ETH 1000
        liquidate A1 -> auction_is_running
        clock +1s
        liquidate A1
        event position_liquidated size 2.064
        step A1 none
        total auctioned 0
    """)


def test_an_auction_starts_anew_as_often_as_the_pool_wants():
    check(f"""
        {more("auction_resets 1")}
        clock +600s
        price ETH 1000
        liquidate A1 -> auction_is_running
        bid C1 A1 1 1.887096                    # at the price of the start
        step A1 none
    """)


def test_an_account_below_closeout_or_without_worth_is_not_offered():
    check(f"""
        {OFFERED}
        mark ETH-PERP 930                       # equity 300, closeout 3.3 % of 9300 = 306.9
        liquidate A1
        event position_liquidated account A1
        step A1 none
        total auctioned 0
    """)
    check(f"""
        {more("auction_cap 9449.999999")}
        event position_liquidated account A1
        step A1 none
    """)


def test_the_owner_can_cure_the_account_at_any_point():
    check(f"""
        {OFFERED}
        deposit A1 22.499999 USDC
        step A1 auction
        deposit A1 0.000001 USDC
        step A1 none
        bid C1 A1 1 0 -> auction_is_not_running
    """)
    check(f"""
        {OFFERED}
        trade A1 C1 -1 ETH-PERP @ 945
        step A1 none
    """)
    check(f"""
        {OFFERED}
        mark ETH-PERP 950
        step A1 auction
        liquidate A1                            # the price has cured it
        event step_ended account A1 index 4
        step A1 none
        liquidate A1 -> account_is_healthy
    """)


def test_collateral_debt_and_cash_are_sold_together():
    check("""
        rule auction_seconds 600 dust 0 rate_slope1 0 rate_slope2 0
        price ETH 1100
        deposit L1 2000 USDC
        supply L1 2000
        deposit C1 1000 USDC
        deposit B1 1 ETH
        borrow B1 845.28
        withdraw B1 845.28 USDC
        price ETH 990
        liquidate B1                            # worth 144.72, excess at target -13.68
        bid D1 B1 1 0 -> exceeds_balance
        bid C1 B1 1 0
        event slice_sold account B1 bonus 0.254623
        step B1 none
        excess B1 target 0.000009
        balance B1 0.9120289 ETH
        balance C1 0.0879711 ETH
    """)


def test_a_bid_that_would_leave_dust_takes_everything():
    check(f"""
        {TERMS} dust 1000
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 100 USDC
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate A1
        bid C1 A1 0.01 0
        position A1 0 ETH-PERP cost 0
        position C1 1 ETH-PERP cost 945
        balance A1 44.1 USDC                    # 98 % of 45
    """)


def test_a_bidder_keeps_to_its_position_limit():
    check(f"""
        {TERMS}
        instrument ETH-PERP position_cap 10
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        deposit D1 5000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        trade C1 D1 8 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate A1
        bid C1 A1 1 0   -> exceeds_position_limit
        bid C1 A1 0.2 0
        position C1 10 ETH-PERP cost 9890
    """)


def test_a_due_is_sold_with_the_coins_that_back_it():
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1 ETH
        deposit B1 5000 USDC
        deposit C1 5000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 870                       # a due of 650, worth 350, maintenance 217.5
        liquidate A1
        due A1 650
        bid C1 A1 0.01 0
        step A1 auction
        due A1 640.07                           # a hundredth went, 3.43 of the price paid some
        balance A1 0.99 ETH
        balance C1 4990.07 USDC
    """)


def test_a_price_of_the_bidder_that_has_long_been_silent_stops_the_bid():
    """As in a liquidation: up to half an hour old will do."""
    silent = f"""
        {more("auction_resets 3")}
        price BTC 10000
        deposit C1 0.1 BTC
        clock +1799999999999ns
        price ETH 1000
    """
    check(f"""
        {silent}
        bid C1 A1 1 0
        step A1 none
    """)
    check(f"""
        {silent}
        clock +1ns
        bid C1 A1 1 0 -> price_is_not_usable
        price BTC 10000
        bid C1 A1 1 0
    """)


def test_an_auction_that_is_over_sells_nothing_more_though_nobody_has_ended_it():
    """117 / (117 + 0.8001 * 450) of the account in the last millisecond of its time."""
    story = check(f"""
        {OFFERED}
        clock +599999999999ns
        price ETH 1000
    """)
    story.twin().play("""
        bid C1 A1 1 0
        event slice_sold size 245282788u price 800001u bonus 22.07534
        step A1 none
    """)
    story.play("clock +1ns")
    assert keep_factor(story.pool, story.account("A1")) == 800_000  # what a view shows
    story.play("""
        bid C1 A1 0 0 -> amount_must_be_positive
        bid C1 A1 1 0 -> auction_is_over
        step A1 auction
        liquidate A1
        event position_liquidated account A1 size 2.064
        step A1 none
        bid C1 A1 1 0 -> auction_is_not_running
    """)


def test_an_auction_with_resets_is_over_after_its_last_turn():
    story = check(f"""
        {more("auction_resets 1")}
        clock +1199s
        price ETH 1000
    """)
    story.twin().play("bid C1 A1 1 0")
    story.play("""
        clock +1s
        bid C1 A1 1 0 -> auction_is_over
    """)


def test_an_account_that_has_become_worthless_is_not_sold():
    check(f"""
        {OFFERED}
        mark ETH-PERP 900                       # 1000 lost of 1000
        bid C1 A1 1 0 -> nothing_to_liquidate
        mark ETH-PERP 900.01
        bid C1 A1 1 0
        event slice_sold price 980000u
    """)


def test_a_slice_is_offered_while_the_target_is_missed():
    """The price has brought it above maintenance, and nobody has ended its auction yet."""
    story = check(f"{OFFERED} \n mark ETH-PERP 957.45")  # 574.5 for 574.47
    a = story.account("A1")
    assert tuple(offer_of(story.pool, a)) == (980_000, 0, 563_010_000, 0, 11_490_000)
    story.play("mark ETH-PERP 957.44")  # 574.4 for 574.464: 0.064 / (0.064 + 562.912)
    assert tuple(offer_of(story.pool, a)) == (980_000, 0, 562_912_000, 113_682, 11_488_000)


def test_a_bidder_pays_in_cash_also_where_it_takes_a_due_over():
    """3.43 for a hundredth: 0.98 of a worth of 350. The due of 6.5 may stay a due of its own."""
    sold = f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1 ETH
        deposit B1 5000 USDC
        deposit C1 1 ETH
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 870
        liquidate A1
    """
    check(f"""
        {sold}
        deposit C1 3.429999 USDC
        bid C1 A1 0.01 0 -> exceeds_balance
        deposit C1 0.000001 USDC
        bid C1 A1 0.01 0
        balance C1 0 USDC
        due C1 6.5
        due A1 640.07
        position C1 0.05 ETH-PERP cost 43.5
        balance C1 1.01 ETH
    """)
