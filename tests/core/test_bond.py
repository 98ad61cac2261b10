"""When the creator's bond is locked, and what the final settlement does to who was in a step."""

from tests.stories import check

TERMS = """
    rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0 halt_loss 150 halt_seconds 3600
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 5000 USDC
    deposit O1 1000 USDC
    fund_bond O1 100
    trade A1 B1 10 ETH-PERP @ 1000
"""


def test_a_bond_is_locked_while_anybody_owes_or_is_owed_anything():
    check(f"""
        {TERMS}
        mark ETH-PERP 886                       # A1 lacks 140
        liquidate A1
        trade B1 backstop 10 ETH-PERP @ 886     # nobody holds anything now
        settle
        due A1 140
        claim B1 140
        release_bond O1 1 -> bond_is_locked
        deposit A1 139.999999 USDC
        settle
        claim B1 0.000001
        release_bond O1 1 -> bond_is_locked
        deposit A1 0.000001 USDC
        due A1 0
        release_bond O1 1 -> bond_is_locked     # it is paid, but B1 has not got it yet
        settle
        release_bond O1 100.000001 -> exceeds_bond
        release_bond O1 100
        balance O1 1000 USDC
        total bond 0
    """)


def test_a_bond_is_locked_while_there_is_debt():
    check("""
        price ETH 1000
        deposit O1 1000 USDC
        fund_bond O1 100
        deposit L1 100 USDC
        supply L1 100
        deposit C1 1 ETH
        borrow C1 0.000001
        release_bond O1 100 -> bond_is_locked
        repay C1 0.000001
        release_bond O1 100
    """)


def test_a_pool_that_has_halted_gives_no_bond_back_even_at_rest():
    check(f"""
        {TERMS}
        mark ETH-PERP 885                       # 150 are missing: the limit
        liquidate A1
        total bond 0
        clock +3600s
        price ETH 885
        end_pool
        deposit A1 150 USDC
        end_pool
        due A1 0
        claim B1 0
        release_bond O1 100 -> bond_is_locked
        total bond 0
    """)


def test_the_final_settlement_ends_the_step_that_an_account_is_in():
    """E1 is being auctioned and F1 waits for deleveraging when A1 brings the pool down."""
    story = check(f"""
        {TERMS.replace("halt_loss", "auction_seconds 600 backstop_limit 8850 halt_loss")}
        deposit E1 155 USDC
        trade E1 B1 1 ETH-PERP @ 1000
        deposit F1 140 USDC
        trade F1 B1 1 ETH-PERP @ 1000
        mark ETH-PERP 885
        liquidate E1                            # 40 for 44.25, above 29.21 at closeout
        step E1 auction
        total auctioned 885
        liquidate A1
        event position_liquidated size 10
        liquidate F1                            # 25, below closeout; the limit is used up
        step F1 deleveraging
        total waiting 1
        withdraw B1 1 USDC -> waterfall_is_running
        clock +3600s
        price ETH 885
        end_pool
        step E1 none
        step F1 none
        total auctioned 0
        total waiting 0
        position E1 0 ETH-PERP cost 0
        position F1 0 ETH-PERP cost 0
        balance E1 40 USDC
        balance F1 25 USDC
        withdraw F1 25 USDC
        liquidate E1 -> account_is_healthy
    """)
    assert not story.pool.size.any()
