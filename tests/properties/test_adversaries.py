"""Histories against the waterfall: cures at the last second, races, dust, an exhausted backstop."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from tests.properties.histories import History
from tests.properties.pools import OFFERED, TIGHT
from tests.properties.profile import IS_INTERPRETED, examples, over_histories
from tests.properties.running import do, one_row, take_step
from tests.properties.states import worth
from tests.properties.test_coalitions import SPECS, scene

from ringfence.core.auction import WHOLE, auction_notional, offer_of
from ringfence.core.backstop import gross_notional
from ringfence.core.command import Happening, Kind
from ringfence.core.health import equity, excess
from ringfence.core.margin import part_of, position_value, share_of
from ringfence.core.pool import (
    BACKSTOP,
    CASH,
    Level,
    Pool,
    Rule,
    Step,
    Total,
    account_count,
    copied,
)
from ringfence.core.status import Status
from ringfence.units import BASE, PPM

CLOSING = (Happening.POSITION_LIQUIDATED, Happening.POSITION_DELEVERAGED)


def unit(pool: Pool) -> int:
    """What rounding can move in the steps of one command."""
    return 8 * (int(pool.total[Total.BORROW_INDEX]) // BASE + 2)


def of_kind(step, *kinds: Happening):
    return step.events[np.isin(step.events["kind"], kinds)]


def below_maintenance(pool: Pool) -> list[int]:
    accounts = range(1, account_count(pool))
    return [a for a in accounts if excess(pool, a, Level.MAINTENANCE) < 0]


@over_histories(40, "tight", "offered", "bare")
def test_a_cure_at_the_last_second_ends_any_step_and_one_unit_less_does_not(spec, seed):
    history = History(spec, seed)
    for _ in history.take(250):
        for a in below_maintenance(history.pool):
            pool = copied(history.pool)
            pool.deposit_cap[CASH] = 2**60
            missing = -int(excess(pool, a, Level.MAINTENANCE))
            if missing > 1:
                assert do(pool, Kind.DEPOSIT, account=a, amount=missing - 1) == Status.OK
                assert pool.step[a] == history.pool.step[a], "let go too early"
                assert excess(pool, a, Level.MAINTENANCE) < 0
            assert do(pool, Kind.DEPOSIT, account=a, amount=min(missing, 1)) == Status.OK
            assert not pool.step[a]
            assert do(pool, Kind.LIQUIDATE, account=a) == Status.ACCOUNT_IS_HEALTHY
            bid = do(pool, Kind.BID, account=BACKSTOP + 1 + (a == 1), other=a, amount=WHOLE)
            assert bid == Status.AUCTION_IS_NOT_RUNNING
            held = pool.size[a].copy()
            for i in range(len(pool.mark_price)):
                waits = int(pool.total[Total.WAITING])
                deleveraged = do(pool, Kind.DELEVERAGE, instrument=i)
                assert waits or deleveraged != Status.OK
            if not pool.total[Total.WAITING] and not history.pool.total[Total.WAITING]:
                assert (pool.size[a] == held).all(), "closed after its cure"


@over_histories(80, "offered", "tight")
def test_who_wins_a_race_for_a_slice_makes_no_difference_to_who_sells_it(spec, seed):
    history = History(spec, seed)
    for _ in history.take(300):
        for a in np.flatnonzero(history.pool.step == Step.AUCTION).tolist():
            rivals = [b for b in range(1, account_count(history.pool)) if b != a]
            ends = {}
            for b in rivals:
                pool = copied(history.pool)
                if do(pool, Kind.BID, account=b, other=a, amount=WHOLE) == Status.OK:
                    ends[b] = seller_of(pool, a)
                    loser = next((x for x in rivals if x != b), b)
                    late = do(pool, Kind.BID, account=loser, other=a, amount=WHOLE)
                    assert late != Status.OK or worth(pool, a) >= 0
            assert len({str(end) for end in ends.values()}) <= 1, (spec.name, seed, ends)


def seller_of(pool: Pool, a: int) -> list[object]:
    """All that the seller of a slice has and owes after it."""
    columns = (pool.balance, pool.size, pool.cost, pool.due, pool.claim, pool.debt_shares)
    return [column[a].tolist() for column in (*columns, pool.step, pool.auction_raised)]


def test_a_bid_gets_all_of_what_is_offered_or_nothing():
    refused = 0
    for seed in range(examples(40)):
        history = History(OFFERED, seed)
        for step in history.take(300):
            if step.kind == Kind.BID and step.status not in (
                Status.OK,
                Status.AUCTION_IS_NOT_RUNNING,
            ):
                refused += 1
            pool = history.pool
            for a in np.flatnonzero(pool.step == Step.AUCTION).tolist():
                bonus = int(offer_of(pool, a).bonus) + 1
                asked = {"account": 1 + (a == 1), "other": a, "amount": WHOLE, "size": bonus}
                assert do(copied(pool), Kind.BID, **asked) != Status.OK, "less than was asked for"
    assert refused


def forced(history: History, rng: Random, count: int) -> Iterator[tuple[Pool, int]]:
    """Copies of a pool, command after command, each with an account that is to be liquidated."""
    for step in history.take(count):
        if step.kind in (Kind.ADVANCE_CLOCK, Kind.SET_MARK_PRICE, Kind.SET_INDEX_PRICE):
            for a in below_maintenance(history.pool)[:3]:
                pool = copied(history.pool)
                pool.rule[Rule.AUCTION_NS] *= rng.randrange(2)
                yield pool, a


def liquidated(pool: Pool, a: int):
    """A liquidation, and where it has led to deleveraging, that too."""
    asked = [{"kind": int(Kind.LIQUIDATE), "account": a}]
    asked += [{"kind": int(Kind.DELEVERAGE), "instrument": i} for i in range(len(pool.mark_price))]
    events = [take_step(pool, one_row(fields)).events for fields in asked]
    return np.concatenate(events)


def value_left(pool: Pool, a: int, i: int) -> int:
    return int(position_value(abs(pool.size[a, i]), pool.mark_price[i], pool.value_divisor[0]))


@over_histories(40, "plain", "tight", "mixed", "bare")
def test_nothing_forced_leaves_dust(spec, seed):
    rng = Random(seed)
    for pool, a in forced(History(spec, seed), rng, 200):
        dust = pool.rule[Rule.DUST] = rng.randrange(1, int(gross_notional(pool, a)) + 2)
        events = liquidated(pool, a)
        for event in events[np.isin(events["kind"], CLOSING)]:
            left = value_left(pool, int(event["account"]), int(event["index"]))
            assert left == 0 or left >= dust or event["account"] != a, (spec.name, seed, event)


@over_histories(60, "offered", "tight")
def test_no_slice_leaves_dust(spec, seed):
    rng, history = Random(seed), History(spec, seed)
    for _ in history.take(250):
        for a in np.flatnonzero(history.pool.step == Step.AUCTION).tolist():
            pool = copied(history.pool)
            dust = pool.rule[Rule.DUST] = rng.randrange(1, int(auction_notional(pool, a)) + 2)
            b, share = 1 + (a == 1), rng.randrange(1, WHOLE)
            if do(pool, Kind.BID, account=b, other=a, amount=share) == Status.OK:
                # Legs were rounded up to whole lots, which leaves less than the share did.
                lots = sum(value_left(pool, a, i) > 0 for i in range(len(pool.mark_price)))
                most = max(
                    position_value(pool.lot[i], pool.mark_price[i], pool.value_divisor[0]) + 1
                    for i in range(len(pool.mark_price))
                )
                left = int(auction_notional(pool, a))
                assert left == 0 or left >= dust - lots * most - unit(pool)


@over_histories(40, "plain", "tight", "mixed")
def test_the_backstop_takes_no_more_than_its_limit_and_its_capital_allow(spec, seed):
    rng = Random(seed)
    for pool, a in forced(History(spec, seed), rng, 200):
        notional = max(int(gross_notional(pool, a)), 1)
        taken = int(pool.total[Total.BACKSTOP_TAKEN])
        limit = pool.rule[Rule.BACKSTOP_LIMIT] = taken + rng.randrange(2 * notional)
        reserve = pool.rule[Rule.BACKSTOP_RESERVE] = rng.choice((0, rng.randrange(PPM)))
        before = copied(pool)
        events = liquidated(pool, a)
        events = events[events["kind"] == Happening.POSITION_LIQUIDATED]
        grown = [e for e in events if int(before.size[BACKSTOP, e["index"]]) * int(e["size"]) >= 0]
        if len(events) == len(grown) == 1:
            assert pool.total[Total.BACKSTOP_TAKEN] <= limit, (spec.name, seed)
            held = gross_notional(before, BACKSTOP) + int(grown[0]["value"])
            capital = equity(before, BACKSTOP) + 2 * unit(pool)
            assert not reserve or capital >= share_of(held, reserve), (spec.name, seed)


@over_histories(40, "plain", "bare", "coarse")
def test_insurance_pays_no_event_and_no_day_more_than_its_share(spec, seed):
    rng = Random(seed)
    for pool, a in forced(History(spec, seed), rng, 200):
        fund = pool.total[Total.INSURANCE_FUND] = rng.randrange(1, 10**9)
        today = pool.total[Total.INSURANCE_DRAWN] = rng.randrange(10**9)
        share = pool.rule[Rule.INSURANCE_DRAW] = rng.randrange(PPM)
        of_day = pool.rule[Rule.INSURANCE_DRAW_DAY] = rng.randrange(PPM)
        events = liquidated(pool, a)
        fund += int(events["fee"].sum())  # what comes in meanwhile may be paid too
        for event in events[events["kind"] == Happening.SHORTFALL_RECORDED]:
            drawn = int(event["insurance"])
            assert drawn <= part_of(fund, share)
            assert today + drawn <= max(part_of(fund + today, of_day), today)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_at_the_edge_of_bankruptcy_no_fee_and_no_bonus_makes_a_debt(spec):
    reached = 0
    for seed in range(examples(60)):
        rng = Random(seed)
        start = scene(spec, rng)
        for a in (1, 2, 3, 4):
            pool = at_the_edge(start, a, rng.choice((0, 1, 10**6, 10**8)))
            if pool is None or excess(pool, a, Level.MAINTENANCE) >= 0:
                continue
            reached += 1
            events = liquidated(pool, a)
            where = (spec.name, seed, a)
            assert worth(pool, a) >= -unit(pool), where
            # Insurance would hide it: who is solvent needs none.
            ends = events[
                (events["account"] == a) & (events["kind"] == Happening.SHORTFALL_RECORDED)
            ]
            assert int(ends["insurance"].sum() + ends["shortfall"].sum()) <= unit(pool), where
    assert reached or IS_INTERPRETED or not spec.instruments


def at_the_edge(start: Pool, a: int, keep: int) -> Pool | None:
    """The pool at marks at which an account is just worth so much; None: no mark does that."""
    long = bool((start.size[a] > 0).any())
    low, high = (300_000, 2 * PPM) if long else (3 * PPM, 300_000)  # worth less, and more
    ends = [worth(at_marks(start, end), a) >= keep for end in (low, high)]
    if not start.size[a].any() or ends != [False, True]:
        return None
    while abs(high - low) > 1:
        middle = (low + high) // 2
        is_less = worth(at_marks(start, middle), a) < keep
        low, high = (middle, high) if is_less else (low, middle)
    return at_marks(start, high)


def at_marks(start: Pool, ppm: int) -> Pool:
    """A copy of a pool with all marks moved alike."""
    pool = copied(start)
    moved = pool.mark_price // PPM * ppm  # their product would leave 64 bits
    pool.mark_price[:] = np.maximum(moved - moved % pool.tick, pool.tick)
    return pool


def test_an_end_adds_up_whatever_came_before_it():
    ended = 0
    for seed in range(examples(60)):
        history = History(TIGHT, seed)
        for _ in history.take(250):
            pass
        pool = at_marks(history.pool, PPM // (1 + seed % 3))
        pool.total[Total.HALTED_AT] = pool.total[Total.HALTED_AT] or 1
        pool.total[Total.ENDED_AT] = 0
        before = copied(pool)
        step = take_step(pool, one_row({"kind": int(Kind.END_POOL)}))
        if step.status != Status.OK:
            continue
        ended += 1
        covered = of_kind(step, Happening.CLAIMS_COVERED)
        (end,) = of_kind(step, Happening.POOL_ENDED)
        paid = int(covered["insurance"].sum())
        assert paid == before.total[Total.INSURANCE_FUND] - pool.total[Total.INSURANCE_FUND] or (
            pool.total[Total.INSURANCE_CLAIM] == 0 or not pool.claim.any()
        )
        assert int(end["shortfall"]) == pool.claim.sum()
        found = int(covered["shortfall"].sum() - covered["value"].sum())
        assert pool.total[Total.SHORTFALL] - before.total[Total.SHORTFALL] == found
        assert not pool.size.any()
        assert not pool.step.any()
        nothing = ~pool.balance.any(axis=1) & (pool.claim == 0) & (pool.supply_shares == 0)
        nothing &= pool.backstop_shares == 0
        assert (pool.uncovered[nothing] == pool.due[nothing]).all()
        assert not pool.debt_shares[nothing].any()
    assert ended
