"""The core bench does the work that it times, and reports finite figures."""

import math
from pathlib import Path

import numpy as np
import pytest

from ringfence.core.command import Kind
from ringfence.core.log import empty_log
from ringfence.core.machine import apply
from ringfence.core.status import Status
from ringfence.lab.bench import core, durable, ticks
from ringfence.lab.bench.commands import demand_same_work, mixed_rows, there_and_back
from ringfence.lab.bench.measure import (
    Result,
    against,
    at_least,
    at_most,
    least_seconds,
    seconds_in_turn,
    shown,
)
from ringfence.lab.bench.plain import PlainPool, differences
from ringfence.lab.bench.pools import (
    CRASH_PRICE,
    PRICE,
    SPEC,
    WorkError,
    applied,
    command_rows,
    demand_accepted,
    populated_pool,
)
from ringfence.risk.screen import all_unhealthy


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return list(core.run(quick=True))


def test_every_figure_is_finite_and_positive(results: list[Result]) -> None:
    assert all(math.isfinite(r.value) and r.value >= 0 for r in results)
    assert all(r.ratio is None or (math.isfinite(r.ratio) and r.ratio > 0) for r in results)


def test_every_goal_says_whether_it_was_met(results: list[Result]) -> None:
    assert all((r.goal is None) == (r.met is None) for r in results)
    assert any(r.goal is not None for r in results)


@pytest.mark.parametrize(
    "part",
    [
        "deposit in memory",
        "trade in memory",
        "mixed in memory",
        "deposits, durable, 1 a batch",
        "mixed, durable, 96 a batch",
        "mixed, durable, streamed, 96 a batch",
        "memory of a venue with ladder",
        "calm tick",
        "full scan",
        "tick that liquidates a tenth",
        "growth of a calm tick",
    ],
)
def test_the_figures_that_the_project_promises_are_there(results: list[Result], part: str) -> None:
    assert any(r.name.startswith(part) for r in results)


def test_the_plain_twin_does_the_same_work() -> None:
    pool = populated_pool(50)
    rows = mixed_rows(2000, 50, np.random.default_rng(3))
    demand_same_work(pool, there_and_back(rows))


def test_the_plain_twin_refuses_what_the_pool_refuses() -> None:
    rng = np.random.default_rng(5)
    pool = populated_pool(20)
    twin = PlainPool(pool)
    batch = mixed_rows(4000, 20, rng)
    # Far beyond what margin, lots, ticks, caps and accounts allow.
    batch["amount"] = rng.choice((-1, 0, 1, 10**6, 10**8, 2**53), len(batch))
    batch["size"] *= rng.choice((0, 1, 30, 1000, 10**7), len(batch))
    batch["size"] += rng.random(len(batch)) < 0.05
    batch["price"] += rng.choice((0, 0, 10**7, -(10**10), 10**11, 1), len(batch))
    batch["account"] += rng.choice((0, 0, 0, 20), len(batch))
    batch["other"] += rng.choice((0, 0, 0, 20), len(batch))
    statuses = np.zeros(len(batch), dtype=np.int64)
    apply(pool, batch, statuses, empty_log(0))
    assert twin.run(batch.tobytes()) == statuses.tolist()
    assert differences(twin, pool) == []
    assert len(set(statuses.tolist())) > 8


def test_work_that_was_refused_is_not_timed() -> None:
    pool = populated_pool(2)
    with pytest.raises(WorkError, match="2 refused, first AMOUNT_MUST_BE_POSITIVE"):
        applied("deposits", pool, command_rows(Kind.DEPOSIT, 2))
    demand_accepted("nothing", np.zeros(3, dtype=np.int64))


def test_a_difference_between_the_twins_is_found() -> None:
    pool = populated_pool(4)
    twin = PlainPool(pool)
    pool.balance[3, 0] += 1
    assert differences(twin, pool) == ["accounts"]


def test_the_plain_twin_finds_the_same_unhealthy_accounts() -> None:
    pool = populated_pool(400)
    pool.mark_price[0] = CRASH_PRICE
    twin = PlainPool(pool)
    assert twin.unhealthy() == all_unhealthy(pool).tolist() == ticks.numpy_suspects(pool).tolist()


def test_the_populated_venue_holds_what_was_asked_for() -> None:
    venue, pool = durable.populated_venue(":memory:", 40)
    with venue:
        record = venue.record(pool)
        assert len(record.accounts) >= 40
        assert record.pool.size[1:41, 0].tolist() == [10**7, -(10**7)] * 20
        assert record.pool.mark_price[0] == PRICE
        assert venue.journal.head == list(venue.journal.entries())[-1].head


def test_a_stream_of_batches_is_all_on_disk_when_it_returns(tmp_path: Path) -> None:
    venue, pool = durable.populated_venue(tmp_path / "journal", 4)
    with venue:
        before = venue.journal.seq
        durable.stream(venue, pool, mixed_rows(8, 4, np.random.default_rng(1)))
        assert venue.journal.seq == before + durable.STREAM
        assert venue.journal.verify().ok


def test_the_venue_bench_refuses_to_time_refusals() -> None:
    venue, pool = durable.populated_venue(":memory:", 2)
    with venue, pytest.raises(WorkError, match=Status.AMOUNT_MUST_BE_POSITIVE.name):
        durable.demand_accepted_by(venue, pool, command_rows(Kind.DEPOSIT, 1))


def test_contenders_run_in_turn_and_the_least_time_counts() -> None:
    order: list[str] = []
    contenders = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    clock = iter(range(0, 1000, 5)).__next__
    times = seconds_in_turn(contenders, 2, clock)
    assert order == ["a", "b"] * 3  # one round to warm up
    assert times == {"a": [5e-9, 5e-9], "b": [5e-9, 5e-9]}
    assert min(least_seconds(contenders, 1).values()) > 0


def test_goals_are_met_at_their_limit() -> None:
    assert at_least("x", 2.0, "M/s", 2.0).met
    assert not at_least("x", 1.999, "M/s", 2.0).met
    assert at_most("x", 1.0, "GiB", 1.0).met
    assert not at_most("x", 1.001, "GiB", 1.0).met
    assert against("x", 1.0, "M/s", "y", 50.0, 50.0).met
    assert against("x", 1.0, "M/s", "y", 50.0).met is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567.0, "1,234,567"), (12.345, "12.3"), (0.012345, "0.0123"), (2.0, "2")],
)
def test_figures_are_shown_with_three_digits(value: float, text: str) -> None:
    assert shown(value) == text


def test_the_bench_spec_has_room_for_ten_million_accounts() -> None:
    assert float(SPEC.cash_cap) >= 10_000_000 * 100
    assert float(SPEC.instruments[0].open_interest_cap) >= 10_000_000 / 2 * 0.1
