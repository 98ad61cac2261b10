"""Values beyond what divides: quotients are taken in halves, and stay within a unit of exact.

A divisor is at most DIVISOR_MAX, 1.13 billion USDC; a position may be worth four billion.
"""

import pytest
from tests.stories import check

from ringfence.core.auction import WHOLE, offer_of
from ringfence.core.health import excess
from ringfence.core.insurance import fee_share
from ringfence.core.pool import Level, Rule, Total
from ringfence.fixed import DIVISOR_MAX
from ringfence.units import PPM

# Forty thousand coins, sold at 10000 and worth 80000 each later on.
SHORT = """
    pool cash_cap 4000000000
    rule auction_seconds 600 auction_cap 4000000000 dust 0 liquidation_fee 0 bonus_min 0 bonus_max 0
    rule insurance_share 0.4 stress 1
    collateral ETH deposit_cap 40000
    collateral BTC deposit_cap 4000
    underlying ETH tiers 0:0.5/0.5
    instrument ETH-PERP position_cap 40000 open_interest_cap 40000
    instrument BTC-PERP taker_fee 0.001
    price ETH 10000
    price BTC 1000000
    mark ETH-PERP 10000
    deposit A1 3900000000 USDC
    deposit B1 40000 ETH
    deposit B1 200 BTC
    deposit C1 3800 BTC
    trade A1 B1 -40000 ETH-PERP @ 10000
"""


@pytest.mark.parametrize(
    ("mark", "factor"), [("71666.67", "1.2"), ("76543.21", "1.2"), ("80827.06", "2")]
)
def test_a_slice_of_a_large_account_reaches_its_target(mark, factor):
    """Equity is 4.3 billion less 40000 marks; it is below maintenance from 71666.67 on."""
    story = check(f"""
        {SHORT.replace("0:0.5/0.5", f"0:0.5/0.5 factor 1/{factor}/1/0.66")}
        mark ETH-PERP {mark}
        liquidate A1
        step A1 auction
    """)
    a = story.account("A1")
    offer = offer_of(story.pool, a)
    missing = -int(excess(story.pool, a, Level.TARGET))
    divisor = missing + int(offer.price) + int(offer.raised)
    assert divisor > DIVISOR_MAX * (2 if factor == "2" else 1)
    exact = -(-missing * WHOLE // divisor)
    assert exact <= offer.largest <= exact + 1
    story.play(f"""
        bid C1 A1 1 0
        event slice_sold size {int(offer.largest)}u
        step A1 none
    """)
    # Two lots are the most that rounding adds.
    assert 0 <= excess(story.pool, a, Level.TARGET) < 2 * 81 * int(float(factor) * 10**6)


def test_the_share_of_the_fund_is_exact_for_a_target_of_billions():
    story = check(f"""
        {SHORT}
        mark BTC-PERP 1000000
        deposit D1 90000000 USDC
        deposit E1 1000000 USDC
        fund_insurance D1 87654321.012345
        mark ETH-PERP 97531.23                  # were it to double, A1 would lack 3.5 billion
        settle
        total insurance_target 3502498400
    """)
    fund, target = 87_654_321_012_345, 3_502_498_400_000_000
    assert (story.pool.total[Total.INSURANCE_FUND], target > 2 * DIVISOR_MAX) == (fund, True)
    own = int(story.pool.rule[Rule.INSURANCE_SHARE])
    share = PPM - (PPM - own) * fund // target
    assert fee_share(story.pool) == share == 984_985
    story.play("""
        trade D1 E1 1 BTC-PERP @ 1000000        # a fee of 1000
        total insurance_fund 87655305.997345
        balance backstop 15.015 USDC
    """)
