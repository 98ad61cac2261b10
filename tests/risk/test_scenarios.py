"""Risk arrays: what the core demands with them is what the simulator demands in floats."""

import random
from functools import cache

import msgspec
import numpy as np
import pytest
from tests.option_pools import FAR, NEAR, OPTIONS, SCENARIO, STANDARD
from tests.story_pool import START_NS

from ringfence.core.command import Kind, rows
from ringfence.core.creation import create_pool
from ringfence.core.health import AS_IT_IS, requirement
from ringfence.core.log import empty_log
from ringfence.core.machine import apply
from ringfence.core.pool import Level, Pool, Total, copied
from ringfence.core.scenario import most_required, worst_scenario
from ringfence.core.spec import Levels, PoolSpec, Tier
from ringfence.core.status import Status
from ringfence.risk.portfolio import (
    Expiry,
    Market,
    Option,
    Perpetual,
    Portfolio,
    Underlying,
    simulate,
)
from ringfence.risk.scenarios import (
    CoinMarket,
    FlatSurface,
    scenario_grid,
    scenario_margin,
    valuation_rows,
)
from ringfence.units import PRICE_UNIT, SECOND_NS, UNIT, VALUE_MAX, YEAR_SECONDS

SPOT, VOLATILITY, RATE = 1000.0, 0.7, 0.03
MARKET = {"ETH": CoinMarket(SPOT, FlatSurface(VOLATILITY), rate=RATE)}
PRESETS = ("span16", "deribit-like", "derive-pmrm2")


def spec_of(preset: str) -> PoolSpec:
    """The story's pool with a preset's grid, and the rates of its levels."""
    levels = scenario_grid(preset)[0].levels

    def rates(name: str) -> Levels:
        found = [
            getattr(levels.get(x, levels["maintenance"]), name)
            for x in ("initial", "target", "maintenance", "closeout")
        ]
        return Levels(*(f"{x:.6f}" for x in sorted(found, reverse=True)))

    eth = msgspec.structs.replace(
        SCENARIO.underlyings[0],
        tiers=(Tier("0", "0.02", "0.01"),),
        hedge_rate="0.01",
        factor=rates("loss_factor"),
        option_rate=rates("option_rate"),
        linear_rate=rates("perpetual_rate"),
    )
    return msgspec.structs.replace(
        SCENARIO, underlyings=(eth,), margin=scenario_margin(preset), collateral=()
    )


@cache
def first_valued(preset: str) -> Pool:
    """The pool of a preset after its first valuation."""
    return valued(spec_of(preset))


def valued_pool(preset: str) -> Pool:
    """A copy of it, to hold positions in."""
    return copied(first_valued(preset))


def valued(spec: PoolSpec, market=MARKET) -> Pool:
    """A pool after its first valuation."""
    pool = create_pool(spec, owner=1, now_ns=START_NS)
    pool.index_price[0], pool.mark_price[0] = int(SPOT) * PRICE_UNIT, int(SPOT) * PRICE_UNIT
    batch = valuation_rows(spec, pool, market, START_NS)
    statuses = np.full(len(batch), -1, dtype=np.int64)
    apply(pool, batch, statuses, empty_log(1))
    assert set(statuses.tolist()) == {Status.OK}
    return pool


def years(expiry: int) -> float:
    return (expiry - START_NS) / SECOND_NS / YEAR_SECONDS


def portfolio_of(sizes: list[float]) -> tuple[Portfolio, Market]:
    """The same positions and market in the words of the simulator."""
    expiries = {
        str(end): Expiry(
            forward=SPOT * np.exp(RATE * years(end)),
            days=365 * years(end),
            rate=RATE,
            volatility=VOLATILITY,
        )
        for end in (NEAR, FAR)
    }
    options = tuple(
        Option("ETH", str(o.expiry_ns), float(o.strike), o.option, size)
        for o, size in zip(OPTIONS, sizes[1:], strict=True)
        if size
    )
    perpetuals = (Perpetual("ETH", sizes[0]),) if sizes[0] else ()
    return Portfolio(0.0, (), perpetuals, options), Market(
        {"ETH": Underlying(SPOT, 1.0, SPOT, 1.0, expiries)}
    )


def drawn(rng: random.Random) -> list[float]:
    """Sizes of the perpetual and of each option, some of them none."""
    return [rng.choice((0, 0, rng.randint(-3000, 3000))) / 1000 for _ in range(6)]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_worst_scenario_is_the_simulators(preset):
    model, rng, pool = scenario_grid(preset)[0], random.Random(preset), valued_pool(preset)
    for _ in range(40):
        sizes = drawn(rng)
        pool.size[0] = [round(size * UNIT) for size in sizes]
        report = simulate(*portfolio_of(sizes), model)
        loss = worst_scenario(pool, 0, 0, AS_IT_IS).loss / 10**6
        # Marks are whole cents, so the mark of a coin is off by half of one.
        slack = 0.006 * sum(map(abs, sizes)) * 4
        assert loss == pytest.approx(-report.underlyings[0].worst_profit, rel=1e-6, abs=slack)


def test_every_array_is_exact_to_half_a_unit_of_a_lot():
    pool = valued_pool("deribit-like")
    first = SPOT * scenario_grid("deribit-like")[0].spot_range * 1000
    assert pool.risk_array[0, :3].tolist() == [10**6, round(first), round(first)]
    assert not pool.risk_slots.any()
    assert (pool.valued_at == START_NS).all()


def test_an_option_bought_never_loses_more_than_its_mark():
    pool = valued_pool("deribit-like")
    for i in range(1, 6):
        lot_mark = int(pool.mark_price[i]) // 10**6  # quote units of a lot of 0.001
        assert pool.risk_array[i, 1:34].min() >= -lot_mark


def test_a_spec_must_have_the_rows_of_its_grid():
    spec = spec_of("span16")
    other = msgspec.structs.replace(spec.margin, grid="deribit-like")
    wrong = msgspec.structs.replace(spec, margin=other)
    with pytest.raises(ValueError, match="not those of the grid deribit-like"):
        valuation_rows(wrong, create_pool(wrong, owner=1, now_ns=START_NS), MARKET, START_NS)
    with pytest.raises(ValueError, match="derive-srm has rules per option"):
        scenario_margin("derive-srm")


def test_a_market_without_a_price_is_refused():
    broken = {"ETH": CoinMarket(SPOT, FlatSurface(float("nan")))}
    with pytest.raises(ValueError, match="no price for instrument 1"):
        valued(spec_of("span16"), broken)


def test_other_models_are_sent_marks_alone():
    pool = create_pool(STANDARD, owner=1, now_ns=START_NS)
    batch = valuation_rows(STANDARD, pool, MARKET, START_NS)
    assert batch["kind"].tolist() == [Kind.SET_MARK_PRICE] * 5
    assert (batch["price"] % pool.tick[1:] == 0).all()
    assert len(valuation_rows(STANDARD, pool, {"BTC": MARKET["ETH"]}, START_NS)) == 0


def test_inside_of_the_window_only_the_rest_moves():
    spec = spec_of("deribit-like")
    pool = create_pool(spec, owner=1, now_ns=NEAR - 1800 * SECOND_NS)
    log = empty_log(1)
    for left, price in ((1800, 1000), (450, 1100)):
        given = rows(2)
        given["kind"], given["time_ns"] = Kind.ADVANCE_CLOCK, NEAR - left * SECOND_NS
        given["kind"][1], given["size"][1] = Kind.SET_INDEX_PRICE, given["time_ns"][1]
        given["price"][1] = price * PRICE_UNIT
        apply(pool, given, np.zeros(2, dtype=np.int64), log)
    market = {"ETH": CoinMarket(1100.0, FlatSurface(0.5))}
    batch = valuation_rows(spec, pool, market, int(pool.total[Total.NOW_NS]))
    apply(pool, batch, np.zeros(len(batch), dtype=np.int64), empty_log(1))
    call = spec.instruments.index(OPTIONS[1])
    # Three quarters are fixed at 1000, the rest stands at 1100: worth 25, and delta a quarter.
    assert pool.mark_price[call] == pytest.approx(25 * PRICE_UNIT, rel=0.01)
    assert pool.risk_array[call, 0] == pytest.approx(0.25 * 1100 * 1000, rel=0.02)


def levels_of(pool: Pool, a: int) -> list[int]:
    return [requirement(pool, a, level, AS_IT_IS) for level in Level]


def test_merging_accounts_asks_for_no_more_where_no_largest_loss_is_reached():
    """Losses are maxima of sums, so they are subadditive; the cap only ever lowers them.

    Rounding: a unit at each of the shares of both accounts.
    """
    pool, rng = valued_pool("deribit-like"), random.Random(7)
    binding = 0
    for _ in range(150):
        sizes = [[round(x * UNIT) for x in drawn(rng)] for _ in range(2)]
        pool.size[0], pool.size[1] = sizes
        pool.size[2] = pool.size[0] + pool.size[1]
        parts, whole = [levels_of(pool, a) for a in (0, 1)], levels_of(pool, 2)
        limits = [most_required(pool, a, 0, Level.INITIAL, AS_IT_IS) for a in (0, 1)]
        is_capped = any(limit in part for limit, part in zip(limits, parts, strict=True))
        binding += is_capped
        if not is_capped:
            assert all(w <= x + y + 8 for w, x, y in zip(whole, *parts, strict=True))
    assert 0 < binding < 100


def test_a_bounded_structure_never_needs_more_than_it_can_lose():
    pool, rng = valued_pool("deribit-like"), random.Random(11)
    seen = 0
    for _ in range(300):
        pool.size[0] = [0, *(round(x * UNIT) for x in drawn(rng)[1:])]
        limit = most_required(pool, 0, 0, Level.INITIAL, AS_IT_IS)
        if limit < VALUE_MAX:
            seen += 1
            assert max(levels_of(pool, 0)) <= limit
    assert seen > 30


def test_hedged_structures_need_little_and_naked_ones_much():
    pool = valued_pool("deribit-like")

    def initial(**sizes: int) -> int:
        names = ("perpetual", "put_900", "call_1000", "put_1000", "call_1100", "far_call")
        pool.size[0] = [sizes.get(name, 0) * UNIT for name in names]
        return requirement(pool, 0, Level.INITIAL, AS_IT_IS)

    naked = initial(call_1000=-1)
    assert initial(call_1000=-1, call_1100=1) < 0.6 * naked
    assert initial(call_1000=-1, far_call=1) < 0.6 * naked
    assert initial(perpetual=1, put_1000=1) < initial(perpetual=1)
    assert initial(call_1000=-1, put_1000=-1) < naked + initial(put_1000=-1)
