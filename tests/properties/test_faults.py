"""Faults that the model and the properties found once; each stays found."""

import pytest
from tests.properties.pools import LENDING, MIXED, PRICES, START_NS, new_pool
from tests.properties.running import do, must

from ringfence.core.command import Kind
from ringfence.core.lending import lender_assets
from ringfence.core.parameters import Parameter
from ringfence.core.pool import Pool, Rule, Total, pool_bytes
from ringfence.core.status import Status
from ringfence.units import PRICE_UNIT, SECOND_NS, UNIT

MOST, LEAST = 2**63 - 1, -(2**63)
USDC = 10**6


def opened(spec, *, accounts: int = 3) -> Pool:
    pool = new_pool(spec)
    for a in range(1, accounts + 1):
        must(pool, Kind.OPEN_ACCOUNT, other=a, amount=1)
        must(pool, Kind.DEPOSIT, account=a, amount=100_000 * USDC)
    for u, underlying in enumerate(spec.underlyings):
        price = PRICES[underlying.name] * PRICE_UNIT
        must(pool, Kind.SET_INDEX_PRICE, instrument=u, price=price, size=START_NS)
    for i, u in enumerate(pool.instrument_underlying):
        must(pool, Kind.SET_MARK_PRICE, instrument=i, price=int(pool.index_price[u]))
    return pool


def test_the_most_negative_size_exceeds_the_limit():
    pool = opened(MIXED)
    before = pool_bytes(pool)
    deal = {"account": 1, "other": 2, "price": int(pool.mark_price[0])}
    assert do(pool, Kind.TRADE, size=LEAST, **deal) == Status.AMOUNT_EXCEEDS_LIMIT
    assert pool_bytes(pool) == before


@pytest.mark.parametrize("rate", [LEAST, LEAST + 1, MOST])
def test_the_most_negative_funding_rate_exceeds_the_limit(rate):
    pool = opened(MIXED)
    assert do(pool, Kind.ACCRUE_FUNDING, amount=rate) == Status.FUNDING_EXCEEDS_LIMIT


def test_an_endless_supply_exceeds_the_cap():
    pool = opened(MIXED)
    must(pool, Kind.SUPPLY, account=1, amount=1000 * USDC)
    assert do(pool, Kind.SUPPLY, account=1, amount=MOST) == Status.EXCEEDS_SUPPLY_CAP


def test_uncollected_profit_cannot_leave_by_way_of_an_exchange():
    """Collateral sold to a friend for next to nothing is a withdrawal."""
    pool = opened(MIXED)
    must(pool, Kind.DEPOSIT, account=1, asset=2, amount=100 * UNIT)
    deal = {"instrument": 0, "size": 10 * UNIT, "price": int(pool.mark_price[0])}
    must(pool, Kind.TRADE, account=1, other=2, **deal)
    must(pool, Kind.WITHDRAW, account=1, amount=99_000 * USDC)
    must(pool, Kind.SET_MARK_PRICE, instrument=0, price=66_000 * PRICE_UNIT)
    coins = {"account": 1, "asset": 2, "amount": 95 * UNIT}
    assert do(pool, Kind.WITHDRAW, **coins) == Status.INITIAL_MARGIN_TOO_LOW
    assert do(pool, Kind.EXCHANGE, other=3, price=1, **coins) == Status.INITIAL_MARGIN_TOO_LOW


def test_a_stale_price_cannot_be_used_to_sell_collateral_below_it():
    pool = opened(MIXED)
    must(pool, Kind.DEPOSIT, account=1, asset=2, amount=100 * UNIT)
    must(pool, Kind.DEPOSIT, account=2, asset=2, amount=1)
    must(pool, Kind.SUPPLY, account=3, amount=50_000 * USDC)
    must(pool, Kind.BORROW, account=1, amount=10_000 * USDC)
    must(pool, Kind.ADVANCE_CLOCK, time_ns=START_NS + 400 * SECOND_NS)
    sale = {"account": 1, "other": 3, "asset": 2, "amount": UNIT, "price": PRICE_UNIT}
    assert do(pool, Kind.EXCHANGE, **sale) == Status.PRICE_IS_NOT_USABLE


def change(pool: Pool, parameter: int, index: int, value: int) -> Status:
    fields = {"asset": int(parameter), "instrument": index, "amount": value}
    ramp = {"size": START_NS + 10**14, "price": 10**14}
    return do(pool, Kind.ANNOUNCE_CHANGE, **fields, **ramp)


@pytest.mark.parametrize(
    ("parameter", "column", "index"),
    [
        (Parameter.DEPOSIT_CAP, "asset_underlying", 1),
        (Parameter.DEPOSIT_CAP, "asset_underlying", 2),
        (Parameter.OPEN_INTEREST_CAP, "instrument_underlying", 0),
        (Parameter.OPEN_INTEREST_CAP, "instrument_underlying", 2),
    ],
)
def test_a_cap_cannot_be_raised_to_where_its_value_leaves_64_bits(parameter, column, index):
    price_max = int(new_pool(MIXED).price_max[getattr(new_pool(MIXED), column)[index]])
    most = 4 * 10**15 * int(new_pool(MIXED).value_divisor[0]) // price_max
    assert change(new_pool(MIXED), parameter, index, most) == Status.OK
    assert change(new_pool(MIXED), parameter, index, most + 1) == Status.PARAMETER_OUT_OF_BOUNDS
    assert change(new_pool(MIXED), parameter, index, 2**53 - 1) == Status.PARAMETER_OUT_OF_BOUNDS


def test_a_hedge_rate_cannot_be_raised_above_twice_the_first_tier():
    assert change(new_pool(MIXED), Parameter.HEDGE_RATE, 0, 20_000) == Status.OK
    assert change(new_pool(MIXED), Parameter.HEDGE_RATE, 0, 20_001) == Status.PARAMETERS_MUST_NEST


def test_bonus_and_fee_cannot_be_raised_to_the_rate_that_closing_frees():
    pool = new_pool(MIXED)  # BTC: 1 % at 1.2 is 12,000 ppm; the bonus is at most 6,000
    assert change(pool, Rule.LIQUIDATION_FEE, 0, 6_000) == Status.PARAMETERS_MUST_NEST
    assert change(pool, Rule.LIQUIDATION_FEE, 0, 5_999) == Status.OK
    assert change(pool, Rule.BONUS_MAX, 0, 6_001) == Status.PARAMETERS_MUST_NEST
    target = 1 * len(pool.index_price)  # the target level of BTC
    assert change(pool, Parameter.FACTOR, target, 1_199_000) == Status.PARAMETERS_MUST_NEST


def test_lenders_who_lost_everything_owe_nothing():
    """The reserve is interest still with the lenders; a write-off takes it first."""
    pool = opened(LENDING)
    must(pool, Kind.SUPPLY, account=1, amount=10_000 * USDC)
    must(pool, Kind.DEPOSIT, account=2, asset=1, amount=6 * UNIT)
    must(pool, Kind.BORROW, account=2, amount=10_000 * USDC)
    must(pool, Kind.WITHDRAW, account=2, amount=110_000 * USDC - 1)
    later = START_NS + 20 * 24 * 3600 * SECOND_NS
    must(pool, Kind.ADVANCE_CLOCK, time_ns=later)
    assert pool.total[Total.RESERVE] > 0
    must(pool, Kind.SET_INDEX_PRICE, price=PRICE_UNIT, size=later)
    must(pool, Kind.ADVANCE_CLOCK, time_ns=later + 301 * SECOND_NS)
    must(pool, Kind.SET_INDEX_PRICE, price=PRICE_UNIT, size=later + 301 * SECOND_NS)
    must(pool, Kind.LIQUIDATE, account=2)
    assert lender_assets(pool) >= 0
    cash = int(pool.balance[1].sum())
    must(pool, Kind.REDEEM, account=1, amount=int(pool.supply_shares[1]))
    assert pool.balance[1].sum() >= cash
