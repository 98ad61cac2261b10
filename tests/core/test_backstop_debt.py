"""Debt of the backstop that its belongings do not cover, to the unit."""

from tests.stories import check


def test_less_than_a_share_of_debt_is_not_written_off():
    """A year at ten percent has made a share worth 1.1 units, so one unit missing is not enough."""
    check("""
        rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0
        rule rate_base 0.1 rate_slope1 0 rate_slope2 0 reserve_factor 0
        price ETH 1100
        deposit L1 2000 USDC
        supply L1 2000
        deposit B1 1 ETH
        borrow B1 700
        withdraw B1 700 USDC
        clock +365d
        price ETH 770                           # the coin is worth the debt, and closeout missed
        liquidate B1
        event collateral_liquidated size 1 value 770
        balance backstop 1 ETH
        debt backstop 770
        settle
        debt backstop 770
        price ETH 769.999999
        settle
        events 0
        debt backstop 770
        total shortfall 0
        price ETH 769.999998
        settle
        event shortfall_recorded account backstop insurance 0 shortfall 0.000002
        debt backstop 769.999999
        total shortfall 0.000002
        settle
        total shortfall 0.000002
    """)
