"""Time and parameters: P8, P12, P22."""

from random import Random

import numpy as np
from tests.properties.histories import History
from tests.properties.pools import new_pool
from tests.properties.profile import over_histories
from tests.properties.running import do, must, one_row, take_step

from ringfence.core.bounds import HARD_BOUNDS
from ringfence.core.command import Kind
from ringfence.core.health import excess
from ringfence.core.lending import lender_assets, total_debt
from ringfence.core.parameters import ChangeField, Parameter, parameter_column
from ringfence.core.pool import Level, Pool, Rule, Total, account_count, copied, pool_bytes
from ringfence.core.status import Status
from ringfence.core.validity import Flag
from ringfence.units import DAY_NS, SECOND_NS

PARAMETER_COLUMNS = ("rule", "haircut", "deposit_cap", "factor", "hedge_rate")
PARAMETER_COLUMNS += ("open_interest_lower", "open_interest_upper", "position_cap")
PARAMETER_COLUMNS += ("open_interest_cap", "price_band", "taker_fee", "maker_fee")
PARAMETER_COLUMNS += ("funding_rate_max",)
FIXED = ("bound_min", "bound_max", "allowed", "price_max", "tier_floor", "tier_initial_rate")
FIXED += ("tier_maintenance_rate", "tier_deduction", "lot", "tick", "expiry", "value_divisor")
SLOW = (Parameter.HAIRCUT, Parameter.FACTOR, Parameter.HEDGE_RATE)


@over_histories(30)
def test_p8_clock_and_publish_times_never_go_back(spec, seed):
    history = History(spec, seed)
    now, published = history.now, history.pool.publish_time.copy()
    for step in history.take(300):
        pool = history.pool
        assert history.now >= now
        assert (pool.publish_time >= published).all()
        if step.is_accepted(Kind.SET_INDEX_PRICE) and step.field("asset") == Flag.NONE:
            u = step.field("instrument")
            assert pool.publish_time[u] == step.field("size") > published[u]
        if step.kind != Kind.ADVANCE_CLOCK:
            assert history.now == now, "only the clock moves time"
        now, published = history.now, pool.publish_time.copy()


def parameters(pool: Pool) -> list[list[int]]:
    return [getattr(pool, name).ravel().tolist() for name in PARAMETER_COLUMNS]


def assert_in_bounds(pool: Pool) -> None:
    for parameter in HARD_BOUNDS:
        values = parameter_column(pool, int(parameter))
        if parameter in (Parameter.HAIRCUT, Parameter.DEPOSIT_CAP):
            values = np.delete(values, slice(0, None, pool.haircut.shape[1]))  # not those of cash
        assert (values >= pool.bound_min[parameter]).all(), parameter
        assert (values <= pool.bound_max[parameter]).all(), parameter
    assert (np.diff(pool.haircut, axis=0) <= 0).all(), "haircuts must nest"
    assert pool.rule[Rule.BONUS_MIN] <= pool.rule[Rule.BONUS_MAX]
    assert pool.rule[Rule.STALE_NS] <= pool.rule[Rule.LONG_STALE_NS]
    assert (pool.open_interest_lower < pool.open_interest_upper).all()
    assert (pool.hedge_rate <= 2 * pool.tier_maintenance_rate[:, 0]).all()


@over_histories(30)
def test_p12_parameters_stay_in_bounds_and_move_with_the_clock_only(spec, seed):
    history, start = History(spec, seed), new_pool(spec)
    before = parameters(history.pool)
    for step in history.take(300):
        after = parameters(history.pool)
        if not step.is_accepted(Kind.ADVANCE_CLOCK):
            assert after == before, f"{spec.name} seed {seed}: {step.row[0]}"
        elif after != before:
            assert_in_bounds(history.pool)
        before = after
    for name in FIXED:
        assert (getattr(history.pool, name) == getattr(start, name)).all(), name


@over_histories(30)
def test_p12_a_change_waits_for_its_notice_and_starts_from_the_old_value(spec, seed):
    history = History(spec, seed)
    announced: dict[tuple[int, int], int] = {}
    before = copied(history.pool)
    for step in history.take(300):
        pool = history.pool
        if step.is_accepted(Kind.ANNOUNCE_CHANGE):
            key = step.field("asset"), step.field("instrument")
            announced[key] = history.now + int(pool.rule[Rule.CHANGE_DELAY_NS])
            assert step.field("size") >= announced[key]
        for event in step.events[step.events["kind"] == 8]:
            key = int(event["account"]), int(event["index"])
            assert history.now >= announced[key]
            if key[0] in SLOW:
                then, now = (parameter_column(p, key[0])[key[1]] for p in (before, pool))
                assert then == now, "becoming active must leave the value as it was"
        before = copied(pool)


@over_histories(30)
def test_p12_no_account_falls_in_the_step_in_which_a_change_becomes_active(spec, seed):
    history = History(spec, seed)
    for _ in history.take(150):
        pass
    pool, rng = history.pool, Random(seed)
    pool.change[:] = 0
    pool.rule[: Rule.RATE_KINK] = 0  # interest is not the subject here
    now = history.now
    start = now + int(pool.rule[Rule.CHANGE_DELAY_NS])
    width, sides = pool.haircut.shape[1], len(pool.index_price)
    for parameter, indices in (
        (Parameter.HAIRCUT, [Level.MAINTENANCE * width + c for c in range(1, width)]),
        (Parameter.FACTOR, [Level.MAINTENANCE * sides + u for u in range(sides)]),
        (Parameter.HEDGE_RATE, list(range(sides))),
    ):
        for index in indices:
            old = int(parameter_column(pool, parameter)[index])
            for value in (old * 2, old + old // 10, old + 1):
                fields = {"asset": int(parameter), "instrument": index, "amount": value}
                fields |= {"size": start, "price": int(pool.rule[Rule.RAMP_NS])}
                if do(pool, Kind.ANNOUNCE_CHANGE, **fields) == Status.OK:
                    break
    before = [excess(pool, a, Level.MAINTENANCE) for a in range(account_count(pool))]
    late = rng.choice((0, 1, SECOND_NS, DAY_NS))
    version, waiting = pool.total[Total.VERSION], (pool.change[:, ChangeField.START_NS] > 0).sum()
    must(pool, Kind.ADVANCE_CLOCK, time_ns=start + late)
    assert pool.total[Total.VERSION] == version + waiting
    assert [excess(pool, a, Level.MAINTENANCE) for a in range(len(before))] == before


@over_histories(30)
def test_p22_accruing_twice_in_one_instant_changes_nothing(spec, seed):
    history = History(spec, seed)
    for step in history.take(300):
        if step.is_accepted(Kind.ADVANCE_CLOCK):
            again = copied(history.pool)
            must(again, Kind.ADVANCE_CLOCK, time_ns=history.now)
            assert pool_bytes(again) == pool_bytes(history.pool)


@over_histories(30, "mixed", "lending", "coarse")
def test_p22_accruing_never_lowers_debt_index_or_lenders_assets(spec, seed):
    history = History(spec, seed)
    before = (0, 0, 0)
    for step in history.take(300):
        pool = history.pool
        index = int(pool.total[Total.BORROW_INDEX])
        after = (index, total_debt(pool), lender_assets(pool))
        assert after[0] >= before[0]
        if step.is_accepted(Kind.ADVANCE_CLOCK):
            assert after[1] >= before[1]
            assert after[2] >= before[2]
        before = after


@over_histories(20)
def test_p22_accruing_commutes_with_commands_that_do_not_lend(spec, seed):
    history = History(spec, seed)
    rng, kinds = Random(seed), (Kind.DEPOSIT, Kind.TRADE, Kind.OPEN_ACCOUNT, Kind.SET_MARK_PRICE)
    before = copied(history.pool)
    for step in history.take(200):
        # A mark of a pool with options is stamped, so that it grows old.
        is_stamped = step.kind == Kind.SET_MARK_PRICE and before.margin_model[0] != 0
        if step.is_accepted(*kinds) and not before.change.any() and not is_stamped:
            later = int(before.total[Total.NOW_NS]) + rng.randrange(10**11)
            clock = one_row({"kind": int(Kind.ADVANCE_CLOCK), "time_ns": later})
            first, second = copied(before), before
            orders = ((first, (clock, step.row)), (second, (step.row, clock)))
            statuses = {take_step(pool, row).status for pool, rows in orders for row in rows}
            if statuses == {Status.OK}:
                assert pool_bytes(first) == pool_bytes(second), f"{spec.name} {seed} {step.row[0]}"
        before = copied(history.pool)
