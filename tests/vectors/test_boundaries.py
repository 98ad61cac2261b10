"""Boundaries and refusals of the rules of others that no published case reaches."""

import math

import pytest

from ringfence.lab.rules import (
    auctions,
    deleveraging,
    drift,
    gmx,
    interest,
    lending_comet,
    lending_euler,
    lending_fluid,
    lending_gearbox,
    lending_midnight,
    lending_morpho,
    lending_silo,
    mango,
)
from ringfence.lab.rules.fixed_point import WAD
from ringfence.lab.rules.perpetual import MARKET, Perpetual, Rates
from ringfence.lab.rules.perpetual_position import BASE, Code, Position, RefusedError

MARKET_OF_100 = lending_morpho.Market(100, 100 * 10**6, 60, 60 * 10**6, 0, 0)
BORROWER = lending_morpho.Account(borrow_shares=60 * 10**6, collateral=100)
PARITY = 10**36


def perpetual():
    market = Perpetual(Rates(), {"a": 1000 * BASE, "b": 1000 * BASE, "c": 1000 * BASE})
    market.oracle_price = 100 * BASE
    market.trade("a", "b", 10 * BASE, 100 * BASE, 4 * BASE)
    return market


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (lambda m: m.trade("a", "b", BASE, 100 * BASE, 5 * BASE), Code.INVALID_LEVERAGE),
        (lambda m: m.trade("a", "b", BASE, 100 * BASE, BASE // 2), Code.LEVERAGE_MUST_BE_POSITIVE),
        (lambda m: m.trade("c", "b", 99 * BASE, 100 * BASE, 4 * BASE), Code.MAKER_LACKS_FUNDS),
        (lambda m: m.liquidate("a", "c", BASE, BASE), Code.MAKER_IS_COLLATERALIZED),
        (lambda m: m.liquidate("c", "a", BASE, BASE), Code.POSITION_IS_EMPTY),
        (lambda m: m.deleverage("a", "b", BASE), Code.MAKER_IS_NOT_UNDERWATER),
        (lambda m: m.deleverage("c", "b", BASE), Code.POSITION_IS_EMPTY),
        (lambda m: m.remove_margin("c", BASE), Code.USER_POSITION_IS_EMPTY),
    ],
)
def test_a_refused_step_of_the_perpetual_names_its_rule_and_changes_nothing(step, code):
    market = perpetual()
    before = dict(market.positions), dict(market.balances)
    with pytest.raises(RefusedError) as refusal:
        step(market)
    assert refusal.value.code == code
    assert (market.positions, market.balances) == before


def test_beyond_bankruptcy_the_liquidator_pays_the_missing_margin():
    market = perpetual()
    market.oracle_price = 70 * BASE  # bankrupt at 75: five are missing on each of ten
    market.liquidate("a", "c", 10 * BASE, BASE)
    assert market.position("a") == Position()
    assert market.position("c").size == 10 * BASE
    assert market.balances["c"] == (1000 - 700 - 50) * BASE
    assert market.balances[MARKET] == (500 + 700 + 50) * BASE


def test_only_positions_of_opposite_sides_deleverage_each_other():
    market = perpetual()
    market.trade("c", "b", BASE, 100 * BASE, 4 * BASE)
    market.oracle_price = 74 * BASE
    market.positions["c"] = market.position("c")._replace(margin=90 * BASE)
    with pytest.raises(RefusedError) as refusal:
        market.deleverage("a", "c", BASE)
    assert refusal.value.code == Code.SIDES_MUST_BE_OPPOSITE


@pytest.mark.parametrize(
    "step",
    [
        lambda: lending_morpho.withdrawn(MARKET_OF_100, lending_morpho.Account(), 1),
        lambda: lending_morpho.withdrawn(
            MARKET_OF_100, lending_morpho.Account(supply_shares=100 * 10**6), 50
        ),
        lambda: lending_morpho.borrowed(MARKET_OF_100, BORROWER, 30, 0, PARITY, 8 * WAD // 10),
        lambda: lending_morpho.repaid(MARKET_OF_100, BORROWER, 0, 61 * 10**6),
        lambda: lending_morpho.withdrawn_collateral(
            MARKET_OF_100, BORROWER, 30, PARITY, 8 * WAD // 10
        ),
        lambda: lending_morpho.liquidated(MARKET_OF_100, BORROWER, 1, 0, PARITY, 8 * WAD // 10),
        lambda: lending_morpho.liquidated(MARKET_OF_100, BORROWER, 101, 0, PARITY, WAD // 2),
    ],
)
def test_what_a_lending_market_does_not_allow_is_refused(step):
    with pytest.raises(lending_morpho.RefusedError):
        step()


def test_an_amount_may_be_given_in_shares_of_a_lending_market():
    lender = lending_morpho.Account()
    market, lender, assets, shares = lending_morpho.supplied(MARKET_OF_100, lender, 0, 10**7)
    assert (assets, shares, market.supply_assets) == (10, 10**7, 110)
    assert lending_morpho.withdrawn(market, lender, 0, 10**7)[2] == 10
    assert lending_morpho.borrowed(market, BORROWER, 0, 10**7, PARITY, 8 * WAD // 10)[2] == 10


def test_the_liquidation_incentive_grows_for_fifteen_minutes_from_maturity():
    c = lending_midnight.Collateral(100, PARITY, 8 * WAD // 10, 12 * WAD // 10)
    half = lending_midnight.liquidation(50, [c], 0, 0, 20, 0, seconds_late=450)
    assert half.allowed
    assert half.repaid_max is None
    assert half.seized_assets == 22  # 20 at an incentive of 1.1
    assert lending_midnight.incentive(c, unhealthy=False, seconds_late=901) == c.incentive_max


def test_absorbing_an_account_never_leaves_it_a_debt():
    collateral = [lending_comet.Collateral(WAD, 100 * 10**8, 93 * WAD // 100)]
    terms = collateral, 10**8, 10**6
    assert lending_comet.balance_after_absorption(-90 * 10**6, *terms) == 3 * 10**6
    assert lending_comet.balance_after_absorption(-95 * 10**6, *terms) == 0


def test_a_liquidation_threshold_falls_in_a_ramp_and_rises_at_once():
    assert lending_euler.ramped_ltv(9000, 8000, 50, 100) == 8500
    assert lending_euler.ramped_ltv(9000, 8000, 0, 100) == 8000
    assert lending_euler.ramped_ltv(8000, 9000, 50, 100) == 9000
    assert lending_gearbox.ramped_threshold(9000, 8000, 100, 100) == 8000


def test_a_debt_at_exactly_its_limit_is_liquidated_by_euler_and_spared_by_aave_and_silo():
    assert lending_euler.liquidation_limit(80, 100, 80, 80, 100, 1500).repay == 80
    assert lending_euler.liquidation_limit(80, 100, 80, 81, 100, 1500).repay == 0
    assert lending_silo.loan_to_value(80, 100) <= 80 * WAD // 100


def test_interest_that_would_overflow_is_capped_and_resets_the_slope():
    cfg = lending_silo.Kink(0, 0, WAD, 0, 10**12, 1, 2, 0, 0, 0, 0, 0, 0)
    found = lending_silo.compound_interest(cfg, 2, 20 * 31_536_000, WAD)
    assert found.overflowed
    assert found.slope == cfg.kmin
    assert found.interest <= lending_silo.RATE_MAX * 20


def test_limits_of_fluid_begin_at_the_base():
    zero, fifth = lending_fluid.Fraction(0), lending_fluid.Fraction(1, 5)
    assert lending_fluid.withdrawal_limit(4, 3, 5, fifth, zero) == 0
    assert lending_fluid.borrow_limit(1, 1, 5, 7, fifth, zero) == 5
    with pytest.raises(ValueError, match="two points"):
        lending_fluid.borrow_rate(1, [(0, 0)])


def test_amounts_that_no_liquidation_can_restore_are_unlimited():
    assert drift.base_to_cover_shortage(1, 100, 10_000, 0, 10**8) == drift.UNLIMITED
    same = (1, 8000, 10**6, 8000, 10**6, 9, 10**8)
    assert drift.liability_to_cover_shortage(*same) == drift.UNLIMITED_TOKENS
    assert drift.liquidator_fee(20_000, 50_000, 0, drift.GRACE_SLOTS - 1) == 20_000
    assert drift.share_to_liquidate_max(100 * 10**6, 5, 1000, 10) == 6000


def test_the_adaptive_funding_factor_rests_between_its_thresholds_and_falls_below():
    thresholds = 0.05, 0.03, 1e-6, 2e-8, 600
    assert gmx.funding_factor(1e-5, 104, 96, *thresholds) == 1e-5
    assert gmx.funding_factor(1e-5, 102, 98, *thresholds) == 0.0
    assert gmx.funding_factor(-1e-5, 104, 96, *thresholds) > -1e-5


def test_more_than_all_winners_hold_cannot_be_deleveraged():
    assert deleveraging.water_filling([(10.0, 1.0)], 10.0) == (0.0, [10.0])
    with pytest.raises(ValueError, match="more than all winners hold"):
        deleveraging.water_filling([(10.0, 1.0)], 11.0)


def test_a_lot_too_small_to_split_is_bought_whole_or_not():
    with pytest.raises(ValueError, match="all or nothing"):
        auctions.maker_purchase(20, 40, 5, 1, 22)


def test_an_unknown_venue_has_no_interest_rule():
    with pytest.raises(ValueError, match="no interest rule for nowhere"):
        interest.margin_loan_interest("nowhere", 1, 1, 1)


def test_a_slow_price_ignores_updates_that_come_too_soon():
    model = mango.StablePrice(100.0)
    assert model.update(5, 200.0) == 100.0
    assert math.isclose(model.update(10, 200.0), 100.0 * 1.003)
