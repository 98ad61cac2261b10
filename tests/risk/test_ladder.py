"""The ladder proposes everybody who is below maintenance, through any history."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.histories import History
from tests.properties.pools import LENDING, MIXED, PLAIN, START_NS
from tests.properties.running import must
from tests.risk.oracle import unhealthy

from ringfence.columns import Column
from ringfence.core.bounds import HARD_BOUNDS
from ringfence.core.command import Kind, rows
from ringfence.core.creation import create_pool
from ringfence.core.health import excess
from ringfence.core.liquidation import is_finished
from ringfence.core.log import empty_log
from ringfence.core.machine import apply
from ringfence.core.parameters import Parameter
from ringfence.core.pool import Level, Pool, Rule, Total, account_count, copied
from ringfence.core.status import Status
from ringfence.lab.bench.pools import CRASH_PRICE, applied, populated_pool, price_rows
from ringfence.risk.ladder import Ladder, demands_of
from ringfence.risk.screen import all_unhealthy, confirmed
from ringfence.risk.thresholds import NOTHING, SEVERAL, rung_list, threshold
from ringfence.units import HOUR_NS, MINUTE_NS, PPM
from ringfence.venue.liquidator import Liquidator

RAMP_NS = 10 * MINUTE_NS
SPECS = {"plain": PLAIN, "mixed": MIXED, "lending": LENDING}


def with_prices_moved(pool: Pool, permille: int) -> Pool:
    """The pool after all prices have moved alike, in whole ticks."""
    mark = pool.mark_price * permille // 1000
    return pool.replaced(
        mark_price=mark - mark % np.maximum(pool.tick, 1),
        index_price=pool.index_price * permille // 1000,
    )


def demand_agreement(found: Column, pool: Pool) -> None:
    """Ladder, scan and plain integers name the same accounts."""
    expected = unhealthy(pool)
    assert found.tolist() == expected
    assert all_unhealthy(pool).tolist() == expected


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(50, 400))
def test_ladder_scan_and_plain_integers_agree_through_any_history(
    name: str, seed: int, steps: int
) -> None:
    history = History(SPECS[name], seed)
    liquidator = Liquidator(history.pool)
    for step in history.take(steps):
        liquidator.follow(history.pool, step.row)
        if step.status == Status.OK:
            demand_agreement(liquidator.unhealthy(history.pool), history.pool)


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    moves=st.lists(st.integers(300, 2_500), min_size=1, max_size=8),
)
def test_a_ladder_built_once_holds_for_every_price(name: str, seed: int, moves: list[int]) -> None:
    history = History(SPECS[name], seed)
    for _ in history.take(250):
        pass
    ladder = Ladder(history.pool)
    for permille in moves:
        moved = with_prices_moved(history.pool, permille)
        demand_agreement(confirmed(moved, ladder.reached(moved)), moved)


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), moves=st.lists(st.integers(300, 2_500), min_size=1, max_size=8))
def test_a_ladder_at_target_misses_nobody_below_it(name: str, seed: int, moves: list[int]) -> None:
    history = History(SPECS[name], seed)
    for _ in history.take(250):
        pass
    ladder = Ladder(history.pool, Level.TARGET)
    for permille in (1000, *moves):
        moved = with_prices_moved(history.pool, permille)
        below = {
            a
            for a in range(1, account_count(moved))
            if excess(moved, a, Level.TARGET) < 0 and not is_finished(moved, a)
        }
        assert below <= set(ladder.reached(moved).tolist())
        one_leg = set(ladder.reached(moved, with_several=False).tolist())
        assert one_leg | set(ladder.several().tolist()) >= below


def test_a_calm_tick_has_nobody_to_warn_or_protect_among_any_number_of_accounts() -> None:
    pool = populated_pool(1000)
    ahead = Liquidator(pool).look(pool, np.zeros(10_000, dtype=np.int64))
    assert len(ahead.near) == len(ahead.protections) == 0
    assert not ahead.has_steps
    assert not ahead.has_warnings


def ramp(pool: Pool, parameter: Parameter, index: int, new: int) -> Iterator[Pool]:
    """Let a change of a requirement run its whole way, in steps of a minute."""
    start = int(pool.total[Total.NOW_NS]) + 2 * HOUR_NS
    fields = {"asset": parameter, "instrument": index, "amount": new, "size": start}
    must(pool, Kind.ANNOUNCE_CHANGE, price=RAMP_NS, **fields)
    for minute in range(-1, 13):
        must(pool, Kind.ADVANCE_CLOCK, time_ns=start + minute * MINUTE_NS)
        yield pool


@pytest.mark.parametrize("new", [400_000, 3_000_000])
def test_thresholds_hold_while_a_factor_is_on_its_way(new: int) -> None:
    pool = crashed_pool(400)
    ladder = Ladder(pool)
    counts = []
    index = Level.MAINTENANCE * len(pool.price_max)
    for step in ramp(pool, Parameter.FACTOR, index, new):
        found = confirmed(step, ladder.reached(step))
        demand_agreement(found, step)
        counts.append(len(found))
    assert counts[0] != counts[-1]


def test_a_ramp_renews_thresholds_at_its_start_and_end_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = crashed_pool(40)
    ladder = Ladder(pool)
    rebuilt = []
    monkeypatch.setattr(
        Ladder,
        "rebuild",
        lambda self, pool, build=Ladder.rebuild: rebuilt.append(build(self, pool)),
    )
    for step in ramp(pool, Parameter.FACTOR, Level.MAINTENANCE * len(pool.price_max), 400_000):
        ladder.reached(step)
    assert len(rebuilt) == 1  # a falling factor is strictest where it starts
    for step in ramp(pool, Parameter.FACTOR, Level.MAINTENANCE * len(pool.price_max), 900_000):
        ladder.reached(step)
    assert len(rebuilt) == 2  # a rising one where it ends


def crashed_pool(accounts: int) -> Pool:
    """Many accounts at many thresholds, some of them passed; with short ramps."""
    pool = populated_pool(accounts)
    pool.rule[Rule.CHANGE_DELAY_NS], pool.rule[Rule.RAMP_NS] = HOUR_NS, RAMP_NS
    applied("crash", pool, price_rows(CRASH_PRICE, 2))
    return pool


def test_a_price_not_reached_costs_no_look_at_any_one_leg_account() -> None:
    pool = populated_pool(1000)
    assert len(Ladder(pool).reached(pool)) == 0


def test_the_ladder_proposes_few_but_those_below_maintenance() -> None:
    pool = populated_pool(2000)
    ladder = Ladder(pool)
    for price in range(CRASH_PRICE, CRASH_PRICE * 2, CRASH_PRICE // 10):
        pool.mark_price[0] = price - price % pool.tick[0]
        proposed = ladder.reached(pool)
        found = confirmed(pool, proposed)
        demand_agreement(found, pool)
        assert len(found) <= len(proposed) <= len(found) + 2


def test_accounts_that_were_never_opened_are_not_touched() -> None:
    pool = create_pool(PLAIN, owner=0, now_ns=START_NS, accounts=10_000)
    ladder = Ladder(pool)
    # A refused trade can name any account; the ladder has room for opened ones only.
    ladder.touch(pool, np.array([-5, 0, 9_999, 2**40]))
    assert len(ladder.reached(pool)) == 0


def test_new_accounts_and_churn_keep_the_ladder_true() -> None:
    rng = np.random.default_rng(7)
    pool = populated_pool(200)
    grown = pool.replaced(
        **{
            name: np.concatenate([column, np.zeros((5000, *column.shape[1:]), dtype=np.int64)])
            for name, column in pool.items()
            if len(column) == 201
        }
    )
    liquidator = Liquidator(grown)
    for step in range(60):
        batch = churn(grown, rng)
        apply(grown, batch, np.zeros(len(batch), dtype=np.int64), empty_log(20_000))
        liquidator.follow(grown, batch)
        if step % 5 == 0:
            demand_agreement(liquidator.unhealthy(grown), grown)
    assert account_count(grown) > 201
    moved = with_prices_moved(grown, 800)
    demand_agreement(liquidator.unhealthy(moved), moved)


def churn(pool: Pool, rng: np.random.Generator) -> np.ndarray:
    """Open, deposit, withdraw, trade and liquidate at random, refused or not."""
    count = account_count(pool)
    batch = rows(60)
    kinds = (Kind.OPEN_ACCOUNT, Kind.DEPOSIT, Kind.WITHDRAW, Kind.TRADE, Kind.LIQUIDATE)
    batch["kind"] = rng.choice(kinds, len(batch), p=(0.2, 0.25, 0.1, 0.4, 0.05))
    batch["account"] = rng.integers(1, count + 5, len(batch))
    batch["other"] = rng.integers(1, count + 5, len(batch))
    batch["amount"] = rng.integers(1, 60 * 10**6, len(batch))
    batch["size"] = rng.integers(-200, 200, len(batch)) * 10**5
    batch["price"] = pool.mark_price[0]
    return batch


def test_a_long_whose_rate_exceeds_one_is_checked_on_every_tick() -> None:
    pool = populated_pool(10)
    pool.factor[Level.MAINTENANCE, 0] = HARD_BOUNDS[Parameter.FACTOR][1]
    pool.tier_maintenance_rate[0, :] = PPM // 2
    ladder = Ladder(pool)
    demands = demands_of(pool)
    longs = np.flatnonzero(pool.size[:, 0] > 0)
    assert {rung_list(pool, demands, a) for a in longs} == {SEVERAL}
    demand_agreement(confirmed(pool, ladder.reached(pool)), pool)


def test_what_has_nothing_left_is_on_no_list() -> None:
    pool = populated_pool(4)
    ladder = Ladder(pool)
    pool.balance[1], pool.size[1], pool.cost[1] = 0, 0, 0
    pool.due[1], pool.uncovered[1] = 5, 5
    ladder.touch(pool, np.array([1]))
    assert rung_list(pool, demands_of(pool), 1) == NOTHING
    assert ladder.reached(pool).tolist() == []
    assert all_unhealthy(pool).tolist() == []
    pool.uncovered[1] = 4  # a loss that is not on record yet
    ladder.touch(pool, np.array([1]))
    assert ladder.reached(pool).tolist() == all_unhealthy(pool).tolist() == [1]


@pytest.mark.parametrize("a", [1, 2])
def test_a_threshold_lies_just_outside_the_last_healthy_price(a: int) -> None:
    pool = populated_pool(2)
    side = 1 if pool.size[a, 0] > 0 else -1
    price = side * threshold(pool, demands_of(pool), a, 0 if side > 0 else 1)
    twin = copied(pool)
    twin.mark_price[0] = int(price)
    assert all_unhealthy(twin).tolist() == []
    # A millionth of the price beyond it, integers agree.
    twin.mark_price[0] = int(price) - side * int(price) // 10**6
    assert all_unhealthy(twin).tolist() == [a]
