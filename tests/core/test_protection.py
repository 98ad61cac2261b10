"""Before anything is forced: warnings by level, and orders that the owner signed in advance."""

from tests.stories import check

LONG = """
    rule bonus_min 0.01 bonus_max 0.01 liquidation_fee 0.002 dust 0
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1100 USDC
    deposit B1 5000 USDC
    deposit backstop 1000 USDC
    trade A1 B1 10 ETH-PERP @ 1000
"""


def test_an_account_is_told_each_level_once():
    check(f"""
        {LONG}
        warn A1      -> nothing_to_warn_of
        mark ETH-PERP 980                       # equity 900 for 980
        warn A1
        event account_warned account A1 index 1
        warn A1      -> nothing_to_warn_of
        mark ETH-PERP 945                       # 550 for 567 at target
        warn A1
        event account_warned index 2
        mark ETH-PERP 930                       # 400 for 465 at maintenance
        warn A1
        event account_warned index 3
        mark ETH-PERP 915                       # 250 for 302 at closeout
        warn A1
        event account_warned index 4
        mark ETH-PERP 1000
        warn A1
        event account_warned index 0
    """)


def test_a_budget_that_the_owner_signed_is_added_below_target_and_no_more():
    check(f"""
        {LONG}
        protect backstop 1 0 -> backstop_is_restricted
        protect A1 -1 0      -> amount_must_be_positive
        protect A1 0 -1      -> amount_must_be_positive
        protect A1 9007199254.740992 0 -> amount_exceeds_limit
        protect A1 1 2       -> amount_exceeds_limit
        mark ETH-PERP 945                       # 17 are missing at target
        top_up A1 17 USDC    -> exceeds_budget
        protect A1 30 0
        top_up A1 17 ETH     -> asset_does_not_exist
        top_up A1 0 USDC     -> amount_must_be_positive
        top_up A1 17.000001 USDC -> nothing_to_protect
        top_up A1 17 USDC
        event budget_added account A1 value 17
        events 0
        excess A1 target 0
        top_up A1 0.000001 USDC -> nothing_to_protect
        mark ETH-PERP 940
        top_up A1 13.000001 USDC -> exceeds_budget
        top_up A1 13 USDC
        reduce A1            -> nothing_to_protect      # not signed
    """)


def test_a_position_is_reduced_to_target_at_the_least_bonus_if_its_owner_allowed_it():
    check(f"""
        {LONG}
        protect A1 0 1
        reduce A1            -> nothing_to_protect      # at target
        mark ETH-PERP 945
        price ETH 945 flag divergent
        reduce A1            -> price_is_not_usable
        price ETH 945
        reduce A1
        event position_reduced size 0.375 value 354.375 bonus 3.54375 fee 0.70875
        events 0
        excess A1 target 0.01
        reduce A1            -> nothing_to_protect
        protect A1 0 0
        mark ETH-PERP 943
        reduce A1            -> nothing_to_protect
    """)
    check(f"""
        {LONG}
        protect A1 0 1
        mark ETH-PERP 930                       # below maintenance the waterfall has it
        reduce A1            -> nothing_to_protect
    """)
    check(
        f"""
        {LONG}
        protect A1 0 1
        mark ETH-PERP 945
        reduce A1            -> exceeds_backstop_capital
    """.replace("rule ", "rule backstop_limit 0 ", 1)
    )


def test_a_pool_that_takes_no_more_cash_leaves_the_budget_as_it_was():
    full = LONG.replace("    rule", "    pool cash_cap 7100\n    rule", 1)
    check(f"""
        {full}
        protect A1 30 0
        mark ETH-PERP 945
        top_up A1 17 USDC -> exceeds_deposit_cap
        withdraw B1 16.999999 USDC
        top_up A1 17 USDC -> exceeds_deposit_cap
        withdraw B1 0.000001 USDC
        top_up A1 17 USDC
        excess A1 target 0
        mark ETH-PERP 940
        top_up A1 13.000001 USDC -> exceeds_budget
    """)
