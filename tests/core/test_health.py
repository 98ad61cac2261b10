"""Health of an account: what each level asks for, and what counts towards it."""

import pytest
from tests.stories import check

from ringfence.core.health import HEALTH_MAX, Change, excess_after, ratio_ppm
from ringfence.core.margin import scaled_rate
from ringfence.core.pool import Level


def test_every_level_has_its_own_haircut_and_requirement():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1 ETH
        deposit A1 100 USDC
        deposit B1 5000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        excess A1 initial 400                   # 100 + 800 - 500
        excess A1 target 640                    # 100 + 840 - 300
        excess A1 maintenance 700               # 100 + 850 - 250
        excess A1 closeout 835                  # 100 + 900 - 165
        equity A1 950
    """)


def test_only_initial_margin_sees_the_lower_side_of_a_price():
    check("""
        price ETH 1000 confidence 20
        deposit A1 1 ETH
        excess A1 initial 784                   # 980 less 20 %
        excess A1 maintenance 850
        price ETH 1000 confidence 1001
        excess A1 initial 0
        excess A1 maintenance 850
    """)


def test_profit_counts_in_part_at_initial_and_in_full_below():
    check("""
        rule profit_weight 0.5
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 5000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 1100
        excess A1 initial 700                   # 1000 + 250 - 550
        excess A1 maintenance 1225              # 1000 + 500 - 275
        excess B1 initial 3950                  # a loss counts in full: 5000 - 500 - 550
    """)


def test_debt_and_due_count_in_full():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit L1 1000 USDC
        supply L1 1000
        deposit A1 2 ETH
        deposit B1 5000 USDC
        borrow A1 100
        withdraw A1 100 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        mark ETH-PERP 900
        excess A1 maintenance 1455              # 1700 - 100 debt - 100 lost - 45
        settle
        due A1 100
        excess A1 maintenance 1455
        equity A1 1500
        health A1 6.938775                      # 1700 / 245
    """)


def test_what_an_account_owns_rounds_down_and_what_it_owes_rounds_up():
    check("""
        price ETH 0.5
        mark ETH-PERP 0.07
        deposit A1 0.00000199 ETH               # worth 0.995 units, so nothing
        excess A1 closeout 0
        deposit A1 0.00000001 ETH               # one unit, 0.8 after the haircut
        excess A1 closeout 0
        deposit A1 1 USDC
        deposit B1 1 USDC
        trade A1 B1 0.001 ETH-PERP @ 0.07       # 5 % of 70 units is 3.5
        excess A1 maintenance 0.999996
        excess B1 maintenance 0.999996
    """)


def test_health_without_anything_owed_is_the_highest():
    check(f"""
        deposit A1 1 USDC
        health A1 {HEALTH_MAX // 10**6}
        health backstop {HEALTH_MAX // 10**6}
    """)


@pytest.mark.parametrize(
    ("part", "whole", "ratio"),
    [
        (1, 2, 500_000),
        (0, 5, 0),
        (5, 0, HEALTH_MAX),
        (5, -1, HEALTH_MAX),
        (10**6, 1, HEALTH_MAX),
        (10**6 - 1, 1, HEALTH_MAX - 10**6),
        (2**61, 2**62, 500_000),
        (2**62, 2**62, 10**6),
    ],
)
def test_a_ratio_is_rounded_down_and_has_a_ceiling(part, whole, ratio):
    assert int(ratio_ppm(part, whole)) == ratio


def test_the_initial_rate_rises_with_open_interest():
    assert int(scaled_rate(100_000, 1000, 1000, 2000)) == 100_000
    assert int(scaled_rate(100_000, 1001, 1000, 2000)) == 100_900
    assert int(scaled_rate(100_001, 1001, 1000, 2000)) == 100_901  # rounded up
    assert int(scaled_rate(100_000, 1500, 1000, 2000)) == 550_000
    assert int(scaled_rate(100_000, 2000, 1000, 2000)) == 10**6


def test_open_interest_raises_initial_margin_only():
    check("""
        underlying ETH open_interest_lower 10000 open_interest_upper 20000
        price ETH 1000
        mark ETH-PERP 1000
        mark ETH-DEC 1000
        deposit A1 1000 USDC
        deposit B1 50000 USDC
        deposit C1 50000 USDC
        trade A1 B1 10 ETH-PERP @ 1000
        excess A1 initial 0
        trade C1 B1 5 ETH-DEC @ 1000            # half way: 55 percent
        excess A1 initial -4500
        excess A1 maintenance 500
        liquidate A1 -> account_is_healthy
        trade C1 B1 5 ETH-DEC @ 1000            # the whole notional
        excess A1 initial -9000
        excess A1 maintenance 500
    """)


def test_the_maintenance_margin_of_tiers_has_no_jump():
    check("""
        instrument ETH-PERP position_cap 3000
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000000 USDC
        deposit B1 1000000 USDC
        trade A1 B1 1000 ETH-PERP @ 1000
        excess A1 maintenance 950000
        trade A1 B1 0.001 ETH-PERP @ 1000
        excess A1 maintenance 949999.9          # 50000 and 10 % of 1
        excess A1 initial 799999.8              # 20 % of all
    """)


def test_levels_nest_even_when_the_factors_do_not():
    story = check("""
        underlying ETH factor 0.1/0.5/1/2 tiers 0:0.1/0.05
        rule bonus_max 0.002 liquidation_fee 0
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 1000 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        excess A1 initial 900                   # 5 % twice, as closeout asks
        excess A1 target 900
        excess A1 maintenance 900
        excess A1 closeout 900
    """)
    nothing = Change(-1, 0, 0, -1, 0, 0)
    assert int(excess_after(story.pool, 1, Level.CLOSEOUT, nothing)) == 900 * 10**6


def test_two_long_legs_on_one_underlying_add_up():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        mark ETH-DEC 1000
        deposit A1 499.999999 USDC
        deposit B1 5000 USDC
        trade A1 B1 3 ETH-PERP @ 1000
        trade A1 B1 2 ETH-DEC @ 1000 -> initial_margin_too_low
        deposit A1 0.000001 USDC
        trade A1 B1 2 ETH-DEC @ 1000
        excess A1 initial 0
    """)
