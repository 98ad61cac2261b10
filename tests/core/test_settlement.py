"""Settlement by the collected-profit rule: winners are paid from collected losses only."""

from tests.stories import check

POSITIONS = """
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 5000 USDC
    deposit B1 20 ETH
    trade A1 B1 5 ETH-PERP @ 1000
"""


def test_settlement_needs_usable_prices_where_there_is_open_interest():
    check("""
        settle                                 # nothing open, no price needed
        price ETH 1000
        mark ETH-PERP 1000
        mark BTC-PERP 20000
        deposit A1 5000 USDC
        deposit B1 5000 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        settle
        price ETH 1000 confidence 30           # uncertain is good enough
        settle
        clock +301s
        settle -> price_is_not_usable
        trade A1 B1 -1 ETH-PERP @ 1000
        settle
    """)


def test_every_cost_becomes_size_times_mark():
    check(f"""
        {POSITIONS}
        mark ETH-PERP 1010
        settle
        position A1 5 ETH-PERP cost 5050
        position B1 -5 ETH-PERP cost -5050
        settle
        position A1 5 ETH-PERP cost 5050
        events 1
        event claims_paid value 0 shortfall 50
    """)


def test_a_winner_waits_until_a_loser_has_paid():
    check(f"""
        {POSITIONS}
        mark ETH-PERP 1010
        settle
        claim A1 50
        due B1 50
        balance A1 5000 USDC
        deposit B1 20 USDC
        settle
        event claims_paid value 20 shortfall 30
        balance A1 5020 USDC
        claim A1 30
        deposit B1 30 USDC
        settle
        event claims_paid value 30 shortfall 0
        balance A1 5050 USDC
        settle
        events 0
    """)


def test_a_flat_account_never_pays_for_others():
    check(f"""
        {POSITIONS}
        deposit C1 777 USDC
        deposit C1 7 ETH
        mark ETH-PERP 9000
        settle
        claim A1 40000
        due B1 40000
        balance C1 777 USDC
        liquidate B1
        settle
        balance C1 777 USDC
        balance C1 7 ETH
        withdraw C1 777 USDC
        withdraw C1 7 ETH
    """)


def test_losses_after_profits_reduce_the_claim_first():
    check(f"""
        {POSITIONS}
        mark ETH-PERP 1010
        settle
        mark ETH-PERP 1004
        settle
        claim A1 20
        due B1 20                              # his profit of 30 cancels as much of his due
        balance A1 5000 USDC
        mark ETH-PERP 999
        settle
        claim A1 0
        due B1 0
        balance A1 4995 USDC
        balance B1 5 USDC
    """)


def test_claims_are_paid_pro_rata_with_the_largest_remainder_first():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 5000 USDC
        deposit A2 5000 USDC
        deposit A3 5000 USDC
        deposit B1 20 ETH
        trade A1 B1 1 ETH-PERP @ 1000
        trade A2 B1 1 ETH-PERP @ 1000
        trade A3 B1 2 ETH-PERP @ 1000
        mark ETH-PERP 1010
        settle
        claim A1 10
        claim A3 20
        deposit B1 0.000002 USDC               # quarters: 0.5, 0.5 and 1 of the units
        settle
        claim A1 9.999999                      # equal remainders: the lowest account first
        claim A2 10
        claim A3 19.999999
        deposit B1 0.000003 USDC
        settle
        claim A1 9.999998
        claim A2 9.999999
        claim A3 19.999998
    """)


def test_the_insurance_fund_is_paid_after_the_winners():
    check("""
        instrument ETH-PERP taker_fee 0.01
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 5000 USDC
        deposit B1 20 ETH
        trade B1 A1 -2 ETH-PERP @ 1000         # B1 has no cash for the fee of 20
        due B1 20
        total insurance_claim 20
        mark ETH-PERP 1005
        settle
        claim A1 10
        due B1 30
        deposit B1 9.999999 USDC
        settle
        claim A1 0.000001
        total insurance_claim 20
        deposit B1 5.000001 USDC
        settle
        claim A1 0
        total insurance_fund 5
        total insurance_claim 15
        due B1 15
    """)


def test_insurance_covers_what_the_backstop_owes_up_to_its_draw():
    check("""
        rule insurance_draw 0.25 dust 100
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 5000 USDC
        deposit B1 60 USDC
        deposit C1 1000 USDC
        fund_insurance C1 100
        trade B1 A1 0.5 ETH-PERP @ 1000
        mark ETH-PERP 900                      # equity 10, maintenance margin 22.5
        liquidate B1
        position backstop 0.5 ETH-PERP cost 445.5   # 0.5 at 900, less a bonus of 4.5
        mark ETH-PERP 800
        settle
        event due_covered value 25.225 shortfall 20.275   # 45.5 lost; fund 100.9 with the fee
        due backstop 20.275
        total insurance_fund 75.675
        total insurance_paid 25.225
    """)


def test_claims_beyond_the_largest_divisor_are_still_paid_from_what_is_there():
    check("""
        pool cash_cap 4000000000
        underlying ETH price_max 1000000 tiers 0:0.1/0.05
        underlying ETH open_interest_lower 900000000 open_interest_upper 1000000000
        instrument ETH-PERP position_cap 3000
        collateral ETH deposit_cap 4000
        price ETH 500000
        mark ETH-PERP 500000
        deposit A1 600000000 USDC
        deposit A2 600000000 USDC
        deposit B1 4000 ETH
        trade A1 B1 1200 ETH-PERP @ 500000
        trade A2 B1 1200 ETH-PERP @ 500000
        mark ETH-PERP 1000000
        settle
        claim A1 600000000                     # together more than 2**50 units
        claim A2 600000000
        deposit B1 0.000003 USDC
        settle
        claim A1 599999999.999998
        claim A2 599999999.999999
    """)
