"""What a slice of an account holds, to the smallest unit: all of it rounded against its buyer."""

from tests.stories import check

from ringfence.core.pool import CASH

# A coin, a due, a debt and a leg, of each of which a slice leaves a remainder.
OFFERED = """
    rule auction_seconds 600 dust 0 liquidation_fee 0 bonus_min 0 bonus_max 0
    rule rate_slope1 0 rate_slope2 0
    price ETH 1000
    mark ETH-PERP 1000
    deposit L1 2000 USDC
    supply L1 2000
    deposit A1 1.00000001 ETH
    deposit B1 5000 USDC
    deposit C1 5000 USDC
    trade A1 B1 1.001 ETH-PERP @ 1000
    borrow A1 400.000001
    withdraw A1 400.000001 USDC
    mark ETH-PERP 560
    settle
    due A1 440.44
    liquidate A1
    step A1 auction
"""


def test_a_slice_takes_its_share_of_debt_and_due_rounded_up():
    """Of 440.44 it is 44.044132132, of 400.000001 shares 40.0001201000003."""
    story = check(f"""
        {OFFERED}
        bid C1 A1 0.1000003 0
        debt A1 359.99988
        debt C1 40.000121
    """)
    a, c, pool = story.account("A1"), story.account("C1"), story.pool
    paid = int(story.events[0]["value"])
    assert paid > 0
    assert (pool.debt_shares[a], pool.debt_shares[c]) == (359_999_880, 40_000_121)
    assert pool.due[a] == 440_440_000 - 44_044_133 - paid
    assert pool.balance[c, CASH] == 5_000_000_000 - 44_044_133 - paid


def test_a_slice_takes_its_share_of_coins_rounded_down_and_of_legs_in_whole_lots_rounded_up():
    """Of 1.00000001 coins it is 0.100000301000003, of 1001 lots 100.1003003."""
    check(f"""
        {OFFERED}
        bid C1 A1 0.1000003 0
        balance C1 0.1000003 ETH
        balance A1 0.89999971 ETH
        position C1 0.101 ETH-PERP cost 56.56
        position A1 0.9 ETH-PERP cost 504
    """)


def test_the_smallest_slice_takes_a_share_of_the_debt_too():
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
        liquidate B1
        bid C1 B1 0.000000001 0                 # a billionth of 845.28 is less than a unit
        debt C1 1u
        debt B1 845.279999
    """)
