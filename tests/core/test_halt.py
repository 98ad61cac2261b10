"""The end of a pool: the bond, the halt, and the final settlement."""

from tests.stories import check

TERMS = "rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0 halt_loss 150 halt_seconds 3600"
LOST = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 5000 USDC
    deposit C1 5000 USDC
    deposit O1 1000 USDC
    fund_bond O1 100
    trade A1 B1 10 ETH-PERP @ 1000
"""


def test_the_bond_comes_from_cash_and_goes_back_to_the_creator_alone():
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit O1 1000 USDC
        deposit A1 1000 USDC
        deposit B1 1000 USDC
        fund_bond O1 0         -> amount_must_be_positive
        fund_bond O1 1000.000001 -> exceeds_balance
        fund_bond backstop 1   -> backstop_is_restricted
        fund_bond O1 300
        total bond 300
        release_bond O1 0      -> amount_must_be_positive
        release_bond A1 1      -> bond_is_locked
        release_bond backstop 1 -> bond_is_locked
        trade A1 B1 1 ETH-PERP @ 1000
        fund_bond A1 900.000001 -> initial_margin_too_low
        fund_bond A1 900
        release_bond O1 1      -> bond_is_locked
        trade A1 B1 -1 ETH-PERP @ 1000
        release_bond O1 1200.000001 -> exceeds_bond
        release_bond O1 1200
        balance O1 1900 USDC
    """)


def test_a_pool_halts_when_it_has_lost_what_it_may_and_the_bond_goes_first():
    check(f"""
        {LOST}
        mark ETH-PERP 885.000001 -> price_must_be_whole_ticks
        mark ETH-PERP 885.01                    # 149.90 are missing
        liquidate A1
        total halted_at 0u
    """)
    check(f"""
        {LOST}
        end_pool -> pool_is_not_halted
        mark ETH-PERP 885
        liquidate A1
        event position_liquidated
        event shortfall_recorded shortfall 150
        event pool_halted value 100 shortfall 150
        total bond 0
        total insurance_fund 100
        fund_bond C1 1                  -> pool_is_halted
        supply C1 1                     -> pool_is_halted
        borrow C1 1                     -> pool_is_halted
        supply_backstop C1 1            -> pool_is_halted
        trade C1 O1 1 ETH-PERP @ 885    -> pool_is_halted
        trade B1 backstop 10 ETH-PERP @ 885     # both reduce
        withdraw C1 5000 USDC
        end_pool                        -> halt_is_not_over
    """)


def test_the_final_settlement_closes_all_and_shares_what_there_is():
    check(f"""
        {LOST}
        trade C1 O1 2 ETH-PERP @ 1000
        mark ETH-PERP 885
        liquidate A1
        clock +3599s
        end_pool                        -> halt_is_not_over
        clock +1s
        price ETH 885
        end_pool
        event claims_covered insurance 100 value 100 shortfall 0
        event pool_ended value 1330 shortfall 50
        events 0
        total shortfall 50                      # of the 150, the bond has paid 100
        position B1 0 ETH-PERP cost 0
        position C1 0 ETH-PERP cost 0
        balance B1 6108.333333 USDC             # 1330 of 1380 are there, by the claims
        claim B1 41.666667
        balance O1 1121.666667 USDC
        balance C1 4770 USDC
        total insurance_fund 0
        deposit A1 150 USDC                     # who owes pays claims first, then the fund
        settle
        balance B1 6150 USDC
        balance O1 1130 USDC
        total insurance_fund 100
    """)


def test_the_end_waits_for_a_mark_that_is_good_enough_but_not_for_ever():
    check(f"""
        {LOST}
        mark ETH-PERP 885
        liquidate A1
        clock +3600s
        end_pool                        -> price_is_not_usable      # an hour old
        price ETH 885 flag divergent
        end_pool                        -> price_is_not_usable
        clock +3599s
        end_pool                        -> price_is_not_usable
        clock +1s                               # the notice has passed twice
        end_pool
        event claims_covered insurance 100 value 100 shortfall 0
        event pool_ended value 1100 shortfall 50
        position B1 0 ETH-PERP cost 0
    """)


def test_what_nobody_can_pay_at_the_end_is_on_record_with_who_bears_it():
    check(
        f"""
        {LOST}
        deposit L1 1000 USDC
        supply L1 1000
        deposit F1 200 USDC
        borrow F1 100
        trade F1 C1 2 ETH-PERP @ 1000
        mark ETH-PERP 885
        liquidate A1                            # 150 are lost, and the backstop has ten coins
        clock +3600s
        price ETH 840
        mark ETH-PERP 840
        end_pool
        event claims_covered insurance 100 value 100 shortfall 570
        event pool_ended value 1400 shortfall 520
        due A1 150
        due backstop 450
        due F1 20
        debt F1 0                               # a hundred, lost to L1
        total shortfall 620              # 520 of claims and 100 of lenders
        liquidate F1 -> nothing_to_liquidate
        end_pool                                # again, it has nothing to pay from
        event pool_ended value 0 shortfall 520
        deposit D1 20 USDC
        fund_insurance D1 20
        end_pool
        event claims_covered insurance 20 value 0 shortfall 0
        event pool_ended value 20 shortfall 500
    """.replace("rule ", "rule rate_base 0 rate_slope1 0 rate_slope2 0 ", 1)
    )


# G1 has lost 230 and backs the due with two coins, which is plenty.
BACKED = f"""
    {LOST}
    deposit G1 2 ETH
    trade G1 C1 2 ETH-PERP @ 1000
    mark ETH-PERP 885
    liquidate A1
    clock +3600s
    price ETH 885
"""


def test_the_end_of_a_pool_calls_in_a_due_that_coins_cover():
    check(f"""
        {BACKED}
        settle
        due G1 230
        liquidate G1 -> account_is_healthy
        end_pool
        due G1 230
        claim C1 46.666666
        price ETH 885 flag divergent
        liquidate G1 -> price_is_not_usable
        price ETH 885
        liquidate G1 -> account_is_in_grace_period      # an hour was silent
        clock +300s
        price ETH 885
        liquidate G1
        event collateral_liquidated account G1 size 0.25988701 price 885 value 230 bonus 0.000003
        events 0
        due G1 0
        balance G1 1.74011299 ETH
        due backstop 230
        liquidate G1 -> account_is_healthy
        withdraw G1 1.74011299 ETH              # nothing holds it any more
        buy_collateral B1 0.02598870 ETH        # a tenth at a time; whoever buys pays the due
        due backstop 207
        settle
        claim C1 42.833333
    """)


# G1 owes a due of 230 and a debt of 500 beside coins of two kinds, worth 177 and 1000.
MIXED = f"""
    {LOST.replace("max 0 liq", "max 0.01 rate_slope1 0 rate_slope2 0 liq")}
    price BTC 10000
    deposit L1 1000 USDC
    supply L1 1000
    deposit backstop 100 USDC
    deposit G1 0.2 ETH
    deposit G1 0.1 BTC
    borrow G1 500
    withdraw G1 500 USDC
    trade G1 C1 2 ETH-PERP @ 1000
    mark ETH-PERP 885
    liquidate A1
    clock +3600s
    price ETH 885
    price BTC 10000
    clock +600s
    price ETH 885
    price BTC 10000
    end_pool
    due G1 230
"""


def test_for_a_due_coins_go_asset_by_asset_at_the_bonus_and_a_debt_stays():
    """177 at 1 % cover 175.247524 of 230; the backstop pays at once as far as its cash reaches."""
    check(f"""
        {MIXED.replace("bonus_min 0", "bonus_min 0.01")}
        liquidate G1
        event collateral_liquidated account G1 index 1 size 0.2 value 175.247524 bonus 1.752476
        event collateral_liquidated account G1 index 2 size 0.00553001 value 54.752476 bonus 0.547624
        events 0
        balance G1 0 ETH
        balance G1 0.09446999 BTC
        due G1 0
        debt G1 500
        due backstop 130
        balance backstop 0 USDC
        total settled_cash 100
        settle
        event claims_paid value 100 shortfall 180
        claim C1 30
    """)


def test_the_whole_due_goes_when_an_account_is_below_maintenance_after_the_end():
    """To target first, as ever, and what is left of the due after that."""
    check(f"""
        {MIXED}
        price ETH 700
        price BTC 7000
        excess G1 maintenance -16
        liquidate G1
        event collateral_liquidated account G1 index 1 size 0.2
        event collateral_liquidated account G1 index 2
        event collateral_liquidated account G1 index 2
        events 0
        due G1 0
        debt G1 500
        liquidate G1 -> account_is_healthy
    """)


def test_a_due_that_coins_do_not_cover_is_recorded_when_they_are_gone():
    check(f"""
        {MIXED}
        price ETH 1
        price BTC 100
        liquidate G1
        event collateral_liquidated account G1 index 1 size 0.2 value 0.2
        event collateral_liquidated account G1 index 2 size 0.1 value 10
        event shortfall_recorded account G1 shortfall 719.8
        events 0
        due G1 219.8
        debt G1 0
        liquidate G1 -> nothing_to_liquidate
    """)
