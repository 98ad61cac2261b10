"""Water-filling: exact sums, one level, and nothing to gain by splitting an account."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from tests.model.deleveraging import cut_to_level
from tests.properties.profile import IS_INTERPRETED, examples
from tests.properties.running import do
from tests.story_pool import SPEC, START_NS

from ringfence.core.command import Kind
from ringfence.core.creation import create_pool
from ringfence.core.pool import Step, Total, pool_bytes
from ringfence.core.status import Status
from ringfence.core.waterfill import cuts, scaled_to_fit
from ringfence.units import PRICE_UNIT


def cut(sizes: list[int], equities: list[int], needed: int) -> list[int]:
    found = cuts(np.array(sizes, dtype=np.int64), np.array(equities, dtype=np.int64), needed)
    return [int(x) for x in found]


@pytest.mark.parametrize(
    ("sizes", "equities", "needed", "expected"),
    [
        ([10, 10], [100, 100], 6, [3, 3]),
        ([10, 10], [100, 100], 7, [4, 3]),  # the odd lot is kept by the lower number: no, given
        ([10, 10], [100, 300], 4, [4, 0]),  # 6 to 100 is still more than 10 to 300
        ([10, 10], [100, 300], 12, [8, 4]),
        ([10, 10], [0, 300], 4, [4, 0]),  # whoever has no equity first
        ([10, 10], [0, -5], 5, [3, 2]),  # alike by size, if nobody has any
        ([10, 10], [1, 1], 20, [10, 10]),
        ([10, 0], [1, 1], 10, [10, 0]),
        ([5], [7], 0, [0]),
    ],
)
def test_cuts_bring_the_most_levered_down_to_one_level(sizes, equities, needed, expected):
    found = cut(sizes, equities, needed)
    assert sum(found) == needed
    if needed == 7:
        assert sorted(found) == [3, 4]
    elif equities == [0, -5]:
        assert sorted(found) == [2, 3]
    else:
        assert found == expected


def draw(rng: Random) -> tuple[list[int], list[int], int]:
    count = rng.choice((1, 2, 3, 8, 40))
    top = rng.choice((3, 50, 10**6, 2**40))
    sizes = [rng.randrange(top + 1) for _ in range(count)]
    equities = [rng.randrange(-5, rng.choice((10, 10**6, 4 * 10**15))) for _ in range(count)]
    return sizes, equities, rng.randrange(sum(sizes) + 1)


def test_p20_the_engine_and_exact_fractions_cut_alike():
    rng = Random(20)
    for _ in range(examples(3_000)):
        sizes, equities, needed = draw(rng)
        found = cut(sizes, equities, needed)
        assert sum(found) == needed
        assert all(0 <= x <= size for x, size in zip(found, sizes, strict=True))
        if sum(max(e, 0) for e in equities) < 2**49:
            assert found == cut_to_level(sizes, equities, needed), (sizes, equities, needed)


def test_p20_nobody_ends_above_the_level_by_more_than_one_lot():
    rng = Random(21)
    for _ in range(examples(2_000)):
        sizes, equities, needed = draw(rng)
        equities = [min(e, 2**42) for e in equities]
        found = cut(sizes, equities, needed)
        keeps = [s - x for s, x in zip(sizes, found, strict=True)]
        cut_ones = [k for k, x in enumerate(found) if x > 0 and equities[k] > 0]
        for k in cut_ones:
            for j, e in enumerate(equities):
                if e > 0:  # whoever was cut is no less levered than j, give or take a lot
                    assert (keeps[k] + 1) * e >= (keeps[j] - 1) * equities[k], (k, j)


def test_p20_splitting_an_account_changes_its_cut_by_at_most_one_lot():
    rng = Random(22)
    for _ in range(examples(2_000)):
        sizes, equities, needed = draw(rng)
        equities = [min(abs(e), 2**40) * 2 for e in equities]
        sizes = [s * 2 for s in sizes]
        whole = cut(sizes, equities, needed)
        halves = cut(
            [*sizes[1:], sizes[0] // 2, sizes[0] // 2],
            [*equities[1:], equities[0] // 2, equities[0] // 2],
            needed,
        )
        assert abs(halves[-1] + halves[-2] - whole[0]) <= 1, (sizes, equities, needed)


def test_p20_two_steps_cut_as_one_does_to_a_lot():
    rng = Random(23)
    for _ in range(examples(1_000)):
        sizes, equities, needed = draw(rng)
        equities = [min(abs(e), 2**40) for e in equities]
        some = rng.randrange(needed + 1)
        first = cut(sizes, equities, some)
        left = [s - x for s, x in zip(sizes, first, strict=True)]
        second = cut(left, equities, needed - some)
        at_once = cut(sizes, equities, needed)
        for x, y, z in zip(first, second, at_once, strict=True):
            assert abs(x + y - z) <= 1


def test_weights_beyond_what_divides_keep_their_order():
    weights = np.array([2**61, 2**60, 5, -3], dtype=np.int64)
    fitting = scaled_to_fit(weights)
    assert int(fitting.sum()) <= 2**50
    assert all(x >= y for x, y in pairwise(fitting.tolist()))
    assert scaled_to_fit(np.array([3, 0, 7])).tolist() == [3, 0, 7]


@pytest.mark.skipif(IS_INTERPRETED, reason="a hundred thousand accounts, interpreted")
def test_more_accounts_than_one_journal_entry_tells_of_are_refused():
    count = 100_100
    pool = create_pool(SPEC, owner=1, now_ns=START_NS, accounts=count)
    pool.total[Total.ACCOUNTS] = count
    pool.index_price[0] = pool.mark_price[0] = 1000 * PRICE_UNIT
    pool.publish_time[0] = START_NS
    lot = int(pool.lot[0])
    pool.size[2:, 0], pool.cost[2:, 0] = -lot, -(10**6)
    pool.size[1, 0], pool.cost[1, 0] = lot * (count - 2), 10**6 * (count - 2)
    pool.balance[:, 0] = 10**6
    pool.open_interest[0] = lot * (count - 2)
    pool.step[1], pool.total[Total.WAITING] = Step.DELEVERAGING, 1
    before = pool_bytes(pool)
    assert do(pool, Kind.DELEVERAGE) == Status.TOO_MANY_AT_ONCE
    assert pool_bytes(pool) == before
    pool.size[50_000:, 0] = pool.cost[50_000:, 0] = 0
    pool.size[1, 0], pool.cost[1, 0] = lot * 49_998, 10**6 * 49_998
    pool.open_interest[0] = lot * 49_998
    assert do(pool, Kind.DELEVERAGE) == Status.OK
    assert pool.total[Total.WAITING] == 0
