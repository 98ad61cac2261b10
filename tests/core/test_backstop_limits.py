"""The last numbers that the backstop accepts: shares of its capital, and what it sells to whom."""

from tests.stories import check

from ringfence.core.pool import Total
from ringfence.fixed import DIVISOR_MAX

TERMS = "rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0 rate_slope1 0 rate_slope2 0"
TAKEN_OVER = f"""
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


def test_an_amount_that_buys_no_share_is_refused():
    """A gift has made the first supplier's one share worth three units, so two buy the next."""
    check("""
        deposit C1 1 USDC
        deposit D1 1 USDC
        supply_backstop C1 0.000001
        deposit backstop 0.000002 USDC
        supply_backstop D1 0.000001 -> amount_below_one_share
        supply_backstop D1 0.000002
        capital D1 0.000001
        total backstop_shares 0.000002
    """)


def test_the_sum_of_all_shares_stays_what_divides():
    """Of 810000 of capital 900 are left, so a unit of cash buys 900 shares."""
    story = check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 90000 USDC
        deposit B1 90000 USDC
        deposit C1 810000 USDC
        deposit D1 2000000 USDC
        supply_backstop C1 810000
        trade A1 B1 900 ETH-PERP @ 1000
        mark ETH-PERP 900
        liquidate A1
        position backstop 900 ETH-PERP cost 810000
        mark ETH-PERP 1
    """)
    shares, capital = 810_000 * 10**6, 900 * 10**6
    most = (DIVISOR_MAX - shares) * (capital + 1) // (shares + 1)
    while most * (shares + 1) // (capital + 1) + shares >= DIVISOR_MAX:
        most -= 1
    story.play(f"""
        supply_backstop D1 {most + 1}u -> backstop_is_wiped_out
        supply_backstop D1 {most}u
    """)
    found = int(story.pool.total[Total.BACKSTOP_SHARES])
    assert found == shares + most * (shares + 1) // (capital + 1)
    assert DIVISOR_MAX - 900 <= found < DIVISOR_MAX


def test_numbers_without_a_sense_are_judged_by_the_rules_of_the_trade_itself():
    check(f"""
        {TAKEN_OVER}
        position backstop 2.064 ETH-PERP cost 1950.48
        trade C1 backstop 1 DOGE-PERP @ 945 -> instrument_does_not_exist
        trade C1 backstop 1 none @ 945      -> instrument_does_not_exist
        trade C1 backstop 9223372036854775807u ETH-PERP @ 945  -> backstop_is_restricted
        trade C1 backstop -9223372036854775808u ETH-PERP @ 945 -> backstop_is_restricted
        trade backstop C1 -9223372036854775808u ETH-PERP @ 945 -> backstop_is_restricted
        trade C1 backstop 2.065 ETH-PERP @ 945  -> backstop_is_restricted
        trade C1 backstop 2.064 ETH-PERP @ 944.99 -> backstop_is_restricted
        trade C1 backstop 2.064 ETH-PERP @ 945
        position backstop 0 ETH-PERP cost 0
    """)


# The backstop has taken 0.2 ETH at 990 for 198 of debt, without a bonus.
COINS = f"""
    {TERMS}
    price ETH 1100
    deposit L1 2000 USDC
    supply L1 2000
    deposit B1 1 ETH
    borrow B1 863.28
    withdraw B1 863.28 USDC
    price ETH 990
    liquidate B1
    balance backstop 0.2 ETH
    debt backstop 198
"""


def test_the_owner_of_the_backstop_sells_its_coins_at_the_index_price_or_above():
    check(f"""
        {COINS}
        deposit C1 1000 USDC
        exchange backstop C1 0.1 USDC @ 990     -> asset_does_not_exist
        exchange backstop C1 0.1 none @ 990     -> asset_does_not_exist
        exchange backstop C1 0.1 DOGE @ 990     -> asset_does_not_exist
        exchange C1 backstop 0.1 ETH @ 990      -> backstop_is_restricted
        exchange backstop C1 0.1 ETH @ 989.999999999 -> backstop_is_restricted
        exchange backstop C1 0.1 ETH @ 990
        balance backstop 99 USDC
        balance backstop 0.1 ETH
        balance C1 901 USDC
        exchange backstop C1 0.10000001 ETH @ 990 -> exceeds_balance
    """)


def test_coins_bought_on_credit_count_with_their_haircut():
    """Of 9.900001 for a hundredth of a coin 7.92 count, so 1.980001 have to be there."""
    buyer = f"""
        {COINS}
        deposit C1 100 USDC
        borrow C1 49
    """
    check(f"""
        {buyer}
        withdraw C1 98.02 USDC                  # 50.98 are left for 49
        buy_collateral C1 0.01 ETH -> initial_margin_too_low
    """)
    check(f"""
        {buyer}
        withdraw C1 98.019999 USDC
        buy_collateral C1 0.01 ETH
        excess C1 initial 0
        balance C1 41.08 USDC
        balance C1 0.01 ETH
        balance backstop 0.19 ETH
        debt backstop 188.099999
    """)


def test_whoever_buys_from_the_backstop_needs_fresh_prices_of_all_that_he_holds():
    check(f"""
        {COINS}
        deposit C1 1000 USDC
        deposit C1 1 BTC                        # nobody has named its price
        buy_collateral C1 0.01 ETH -> price_is_not_usable
        price BTC 10000
        clock +299999999999ns
        price ETH 990
        buy_collateral C1 0.01 ETH
        clock +60s
        buy_collateral C1 0.01 ETH -> price_is_not_usable
        price BTC 10000
        buy_collateral C1 0.01 ETH
    """)
    check(f"""
        {TAKEN_OVER}
        deposit C1 1 BTC
        buy_from_backstop C1 0.1 ETH-PERP -> price_is_not_usable
        price BTC 10000
        buy_from_backstop C1 0.1 ETH-PERP
    """)
