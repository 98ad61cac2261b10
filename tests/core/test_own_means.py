"""What an account owns besides its margin: lent cash and shares of the backstop go first."""

from tests.stories import check

from ringfence.core.pool import CASH

TERMS = """
    rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0 rate_slope1 0 rate_slope2 0
    price ETH 1000
    mark ETH-PERP 1000
"""
# A1 has lent 1000 of its 1500, and is long five coins; D1 borrows what the lenders have.
LENDER = f"""
    {TERMS}
    deposit A1 1500 USDC
    supply A1 1000
    deposit C1 5000 USDC
    trade A1 C1 5 ETH-PERP @ 1000
    deposit D1 3 ETH
"""


def test_lent_cash_comes_back_just_as_far_as_the_target_needs_it():
    check(f"""
        {LENDER}
        mark ETH-PERP 945                       # equity 225, maintenance 236.25, target 283.5
        liquidate A1
        event shares_redeemed account A1 value 58.5 equity 225 excess_before -11.25 excess_after 47.25
        events 0
        excess A1 target 0
        position A1 5 ETH-PERP cost 4725
        shares A1 941.5
        total lender_cash 941.5
        liquidate A1 -> account_is_healthy
    """)


def test_lent_cash_that_others_have_drawn_does_not_come_back():
    check(f"""
        {LENDER}
        borrow D1 980
        mark ETH-PERP 945
        liquidate A1
        event shares_redeemed account A1 value 20
        events 0                                # 245 are above maintenance again
        shares A1 980
        total lender_cash 0
        excess A1 maintenance 8.75
        excess A1 target -38.5
    """)
    check(f"""
        {LENDER}
        borrow D1 1000
        mark ETH-PERP 945
        liquidate A1
        event shares_redeemed account A1 value 0
        event position_liquidated size 1.032    # 58.5 / 0.06 = 975 of notional, in lots
        events 0
        shares A1 1000
    """)


def test_a_loan_is_set_off_against_what_its_owner_has_lent():
    """Eighty percent of a coin at 1000 for 800; a fall to 900 leaves 765 at maintenance."""
    check(f"""
        {TERMS}
        deposit A1 300 USDC
        supply A1 300
        deposit L1 500 USDC
        supply L1 500
        deposit A1 1 ETH
        borrow A1 800
        withdraw A1 800 USDC
        price ETH 900
        excess A1 target -44
        liquidate A1
        event shares_redeemed account A1 value 44 excess_before -35 excess_after 9
        events 0
        debt A1 756
        shares A1 256
        shares L1 500
        balance A1 1 ETH                        # none of its collateral is touched
        excess A1 target 0
        total lender_cash 0                     # nothing was there to be paid out
    """)


def test_no_more_is_set_off_than_was_lent():
    check(f"""
        {TERMS}
        deposit A1 30 USDC
        supply A1 30
        deposit L1 770 USDC
        supply L1 770
        deposit A1 1 ETH
        borrow A1 800
        withdraw A1 800 USDC
        price ETH 900
        liquidate A1
        event shares_redeemed account A1 value 30 excess_after -5
        event collateral_liquidated account A1 size 0.09722223 value 87.500007 bonus 0
        events 0                                # 14 / (1 - 0.84), in whole units of a coin
        shares A1 0
        debt A1 682.499993
        debt backstop 87.500007
    """)


def test_shares_of_lenders_without_cash_go_to_the_backstop_with_what_they_cover():
    """And the backstop turns them into cash once somebody pays back."""
    check(f"""
        {LENDER}
        borrow D1 1000
        mark ETH-PERP 880                       # 600 lost of 500, and 1000 lent
        liquidate A1
        event shares_redeemed account A1 value 0
        event position_liquidated account A1 size 5 value 4400
        event shares_redeemed account A1 value 100 excess_before -100 excess_after 0
        events 0                                # no loss is left
        due A1 0
        shares A1 900
        shares backstop 100
        due backstop 100
        settle
        due backstop 100
        repay D1 60
        settle
        shares backstop 40
        shares A1 900
        due backstop 40
        total lender_cash 0
        repay D1 100
        settle
        shares backstop 0
        due backstop 0
        balance backstop 0 USDC
        total lender_cash 60                    # for A1
    """)


def test_an_account_with_nothing_but_lent_cash_is_still_held_to_its_due():
    check(f"""
        {TERMS}
        deposit A1 1000 USDC
        supply A1 400
        deposit C1 5000 USDC
        trade A1 C1 5 ETH-PERP @ 1000
        mark ETH-PERP 870
        trade A1 C1 -5 ETH-PERP @ 870           # 650 lost of 600
        due A1 50
        liquidate A1
        event shares_redeemed account A1 value 50
        events 0
        due A1 0
        shares A1 350
        liquidate A1 -> account_is_healthy
    """)


# A1 owns 400 of the capital of the backstop, and needs 111 of it for its target.
OWNER = f"""
    {TERMS}
    deposit A1 1500 USDC
    deposit B1 5000 USDC
    trade A1 B1 10 ETH-PERP @ 1000
    supply_backstop A1 400
"""


def test_shares_of_a_backstop_whose_prices_are_unknown_have_no_value_yet():
    check(f"""
        {OWNER}
        deposit backstop 1 BTC                  # nobody has named its price
        mark ETH-PERP 935
        liquidate A1
        event shares_redeemed account A1 value 0
        event position_liquidated account A1 size 1.979         # 111 / 56.1 a coin
        capital A1 400
    """)
    check(f"""
        {OWNER}
        deposit backstop 0.001 BTC
        price BTC 10000
        mark ETH-PERP 935
        liquidate A1
        event shares_redeemed account A1 value 111
        events 0
        position A1 10 ETH-PERP cost 9350
    """)


def test_a_backstop_pays_out_what_it_can_spare_or_nothing():
    """What it holds needs 360 of its 500 as initial margin: 140 can go, a unit more cannot."""
    busy = f"""
        {OWNER}
        deposit D1 100 USDC
        supply_backstop D1 100
        price BTC 10000
        mark BTC-PERP 10000
        deposit E1 400 USDC
        trade E1 B1 0.4 BTC-PERP @ 10000
        mark BTC-PERP 9000
        liquidate E1                            # bankrupt to the unit
        position backstop 0.4 BTC-PERP cost 3600
    """
    check(f"""
        {busy}
        withdraw A1 29 USDC
        mark ETH-PERP 935                       # 421 for a target of 561
        liquidate A1
        event shares_redeemed account A1 value 140
        events 0
        excess A1 target 0
        capital A1 260
        excess backstop initial 0
    """)
    check(f"""
        {busy}
        withdraw A1 29.000001 USDC
        mark ETH-PERP 935
        liquidate A1
        event shares_redeemed account A1 value 0
        event position_liquidated account A1
        capital A1 400
    """)


def test_capital_beyond_the_divisor_is_burnt_to_the_share():
    """Three billion and more: the quotient of the shares is taken in halves."""
    story = check(f"""
        pool cash_cap 4000000000
        {TERMS}
        deposit A1 500001100 USDC
        deposit B1 5000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        supply_backstop A1 500000000
        deposit backstop 3000000000.000003 USDC # a gift to whoever has shares
        mark ETH-PERP 935                       # 450 for a target of 561
        capital A1 500000000
    """)
    a, shares = story.account("A1"), 500_000_000_000_000
    value = shares * (3_500_000_000_000_003 + 1) // (shares + 1)
    assert value > 2**51
    story.play("""
        liquidate A1
        event shares_redeemed account A1 value 111
        events 0
        excess A1 target 0
    """)
    burnt = -(-shares * 111_000_000 // value)
    assert shares - int(story.pool.backstop_shares[a]) == burnt
    assert int(story.pool.balance[0, CASH]) == 3_500_000_000_000_003 - 111_000_000


# A1 owns 40 of the capital and has lost 600 of 500; the backstop is too busy to spare any cash.
WAITING = f"""
    {TERMS}
    deposit D1 60 USDC
    supply_backstop D1 60
    deposit A1 540 USDC
    supply_backstop A1 40
    deposit backstop 0.001 BTC
    price BTC 10000
    deposit B1 9000 USDC
    trade A1 B1 5 ETH-PERP @ 1000
    deposit E1 500 USDC
    trade E1 B1 4 ETH-PERP @ 1000
    mark ETH-PERP 880
    liquidate E1
    price BTC 10000 flag divergent
    liquidate A1
    event shares_redeemed account A1 value 0
    event position_liquidated account A1 size 5
    events 0
"""


def test_shares_of_the_backstop_are_not_forfeited_at_prices_that_may_not_be_used():
    """Nor is a loss recorded while they are left; at another price they cover another part."""
    story = check(f"""
        {WAITING}
        due A1 100
        capital A1 40
        total shortfall 0
        liquidate A1 -> price_is_not_usable
    """)
    for price, covered, lost in (
        (10_000, "43.199999", "56.800001"),  # 40 of 100 shares in 108
        (20_000, "46.399999", "53.600001"),  # and in 116
    ):
        story.twin().play(f"""
            price BTC {price}
            liquidate A1
            event shares_redeemed account A1 value 0
            event shares_redeemed account A1 value {covered}
            event shortfall_recorded account A1 shortfall {lost}
            events 0
            capital A1 0
            due A1 {lost}
            liquidate A1 -> nothing_to_liquidate
        """)


def test_whoever_waits_for_a_price_of_the_backstop_may_pay_meanwhile():
    check(f"""
        {WAITING}
        deposit A1 99 USDC
        due A1 1
        liquidate A1 -> price_is_not_usable
        deposit A1 1 USDC
        liquidate A1 -> account_is_healthy
        capital A1 40
    """)


def test_coins_are_taken_though_the_backstop_holds_others_without_a_usable_price():
    check(f"""
        {WAITING}
        deposit A1 0.05 ETH
        liquidate A1
        event shares_redeemed account A1 value 0
        event collateral_liquidated account A1 size 0.05 value 50
        events 0
        due A1 50
        capital A1 40
        liquidate A1 -> price_is_not_usable
    """)
