"""The liquidation ladder: every one-leg account at its threshold, found without a search.

Each rung list is a 4-ary heap with the account reached first at its top, so a tick that
reaches nobody costs one comparison a list, whatever the number of accounts. A ladder is
derived from its pool and never journaled; it only proposes, integers decide.
"""

import numpy as np
from numpy.typing import NDArray

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.pool import Level, Pool, Total, account_count
from ringfence.risk.thresholds import (
    NOTHING,
    RATE_MAX,
    SEVERAL,
    Demands,
    demand,
    rung_list,
    steepest_rate,
    threshold,
)
from ringfence.units import BASE

Floats = NDArray[np.float64]
NOBODY = np.zeros(0, dtype=np.int64)

ARITY = 4
SPARE = 16  # rungs of spare room a list gets at each rebuilding
DRIFT_MAX = 1e-3  # funding, as a share of the mark price, after which thresholds are renewed


@kernel
def sift_up(slots: Column, place: Column, key: Floats, start: int, at: int) -> None:
    """Move the account in a slot of one heap towards the top until its parent is higher."""
    a = slots[start + at]
    while at > 0:
        parent = (at - 1) // ARITY
        b = slots[start + parent]
        if key[b] >= key[a]:
            break
        slots[start + at] = b
        place[b] = at
        at = parent
    slots[start + at] = a
    place[a] = at


@kernel
def sift_down(slots: Column, place: Column, key: Floats, start: int, count: int, at: int) -> None:
    """Move the account in a slot of one heap away from the top until its children are lower."""
    a = slots[start + at]
    while True:
        first = ARITY * at + 1
        if first >= count:
            break
        best = first
        for child in range(first + 1, min(first + ARITY, count)):
            if key[slots[start + child]] > key[slots[start + best]]:
                best = child
        b = slots[start + best]
        if key[b] <= key[a]:
            break
        slots[start + at] = b
        place[b] = at
        at = best
    slots[start + at] = a
    place[a] = at


@kernel
def take_off(
    rungs: Column, slots: Column, place: Column, key: Floats, lists: Column, a: int
) -> None:
    """Take an account off its list; the last one of the list fills the gap."""
    on = rungs[a]
    start, count = lists[on, 0], lists[on, 1] - 1
    lists[on, 1] = count
    at = place[a]
    if at == count:
        return
    last = slots[start + count]
    slots[start + at] = last
    place[last] = at
    sift_up(slots, place, key, start, at)
    sift_down(slots, place, key, start, count, place[last])


@kernel
def renew(
    pool: Pool,
    demands: Demands,
    touched: Column,
    rungs: Column,
    slots: Column,
    place: Column,
    key: Floats,
    lists: Column,
) -> int:
    """Put accounts where they belong now; return how many were done before a list was full.

    lists: [list, (start, count, room)] into slots. The list of SEVERAL is the last one and
    is a plain list: its keys are equal.
    """
    last = lists.shape[0] - 1
    for k in range(touched.size):
        a = touched[k]
        now = rung_list(pool, demands, a)
        if now == SEVERAL:
            now = last
        if rungs[a] != NOTHING:
            take_off(rungs, slots, place, key, lists, a)
            rungs[a] = NOTHING
        if now == NOTHING:
            continue
        start, count = lists[now, 0], lists[now, 1]
        if count == lists[now, 2]:
            return k
        key[a] = 0.0 if now == last else threshold(pool, demands, a, now)
        slots[start + count] = a
        rungs[a] = now
        lists[now, 1] = count + 1
        sift_up(slots, place, key, start, count)
    return touched.size


@kernel
def signed_price(pool: Pool, on: int, slack: Floats) -> float:
    """Price that the thresholds of a list are compared with, moved by the funding since."""
    i = on // 2
    if i < pool.mark_price.size:
        side = 1.0 if on % 2 == 0 else -1.0
        return side * pool.mark_price[i] - slack[on]
    c = on - 2 * pool.mark_price.size
    growth = pool.total[Total.BORROW_INDEX] / float(BASE)
    return pool.index_price[pool.asset_underlying[c]] / growth


@kernel
def list_reached(
    pool: Pool,
    slots: Column,
    key: Floats,
    lists: Column,
    slack: Floats,
    with_several: int,
    found: Column,
) -> int:
    """Collect the accounts whose threshold the prices have reached; return how many.

    Walks each heap from its top and stops at every account not reached.
    """
    count = 0
    last = lists.shape[0] - 1
    for on in range(last):
        start, length = lists[on, 0], lists[on, 1]
        if length == 0:
            continue
        price = signed_price(pool, on, slack)
        if key[slots[start]] < price:
            continue
        # `found` beyond count serves as the stack of slots still to visit, from its end.
        top = found.size - 1
        found[top] = 0
        while top < found.size:
            at = found[top]
            top += 1
            found[count] = slots[start + at]
            count += 1
            for child in range(ARITY * at + 1, min(ARITY * at + ARITY + 1, length)):
                if key[slots[start + child]] >= price:
                    top -= 1
                    found[top] = child
    start, length = lists[last, 0], lists[last, 1] * with_several
    for k in range(length):
        found[count] = slots[start + k]
        count += 1
    return count


@kernel
def add_funding_slack(pool: Pool, demands: Demands, seen: Column, slack: Floats) -> float:
    """Widen the lists by the funding accrued since last seen; return the widest, as a share."""
    widest = 0.0
    for i in range(pool.mark_price.size):
        moved = float(pool.funding_index[i] - seen[i])
        seen[i] = pool.funding_index[i]
        steepest = steepest_rate(pool, demands, pool.instrument_underlying[i])
        # Steeper than RATE_MAX the list of the longs is empty.
        slack[2 * i] += max(moved, 0.0) / (1.0 - min(steepest, RATE_MAX))
        slack[2 * i + 1] += max(-moved, 0.0)
        if pool.mark_price[i] > 0:
            widest = max(widest, max(slack[2 * i], slack[2 * i + 1]) / pool.mark_price[i])
    return widest


class Ladder:
    """The ladder of one pool; tell it which accounts a batch touched, ask whom a tick reaches."""

    def __init__(self, pool: Pool, level: Level = Level.MAINTENANCE) -> None:
        """Build it; the level is maintenance or target."""
        self._level = int(level)  # a member of an enumeration takes a kernel 40 us to read
        self.rebuild(pool)

    def rebuild(self, pool: Pool) -> None:
        """Renew every threshold; after funding, settlement, or a change of parameters."""
        count = account_count(pool)
        everybody = np.arange(count, dtype=np.int64)
        self._seen = pool.funding_index.copy()
        self._slack = np.zeros(2 * len(pool.mark_price) + len(pool.asset_underlying) + 1)
        self._demands = demands_of(pool, self._level)
        self._lists = np.zeros((len(self._slack), 3), dtype=np.int64)
        self._make_room(pool, count)
        self._fill(pool, everybody)

    def _make_room(self, pool: Pool, count: int) -> None:
        """Lay the lists out anew, each with room for its members and some spare."""
        members = np.zeros(len(self._lists), dtype=np.int64)
        count_members(pool, self._demands, count, members)
        room = members + members // 4 + SPARE
        self._lists[:, 2] = room
        self._lists[:, 0] = np.cumsum(room) - room
        self._lists[:, 1] = 0
        self._slots = np.zeros(int(room.sum()), dtype=np.int64)
        self._rungs = np.full(count + count // 4 + SPARE, NOTHING, dtype=np.int64)
        self._place = np.zeros(len(self._rungs), dtype=np.int64)
        self._key = np.zeros(len(self._rungs))
        # Twice as long as the accounts: the front takes results, the end serves as stack.
        self._found = np.zeros(2 * len(self._rungs) + SPARE, dtype=np.int64)

    def _fill(self, pool: Pool, accounts: Column) -> None:
        done = renew(
            pool,
            self._demands,
            accounts,
            self._rungs,
            self._slots,
            self._place,
            self._key,
            self._lists,
        )
        if done < len(accounts):
            count = account_count(pool)
            self._make_room(pool, count)
            self._fill(pool, np.arange(count, dtype=np.int64))

    def touch(self, pool: Pool, accounts: Column) -> None:
        """Renew the thresholds of accounts that a batch has changed; others may be named too."""
        count = account_count(pool)
        if count > len(self._rungs):
            self._make_room(pool, count)
            accounts = np.arange(count, dtype=np.int64)
        self._fill(pool, accounts[(accounts >= 0) & (accounts < count)])

    def several(self) -> Column:
        """Accounts that no single price moves; nobody knows where they stand without a look."""
        start, length, _ = self._lists[-1]
        return self._slots[start : start + length].copy()

    def reached(self, pool: Pool, *, with_several: bool = True) -> Column:
        """Accounts that might be below the level at the pool's prices, in order of number."""
        drift = add_funding_slack(pool, self._demands, self._seen, self._slack)
        if drift > DRIFT_MAX or has_moved(self._demands, demands_of(pool, self._level)):
            self.rebuild(pool)
        count = list_reached(
            pool,
            self._slots,
            self._key,
            self._lists,
            self._slack,
            int(with_several),
            self._found,
        )
        return np.sort(self._found[:count]) if count else NOBODY


@kernel
def count_members(pool: Pool, demands: Demands, count: int, members: Column) -> None:
    """Count the members of each list; those of SEVERAL go to the last one."""
    for a in range(count):
        on = rung_list(pool, demands, a)
        if on != NOTHING:
            members[members.size - 1 if on == SEVERAL else on] += 1


def demands_of(pool: Pool, level: int = int(Level.MAINTENANCE)) -> Demands:
    """Return what a level demands now, or at its strictest while a change ramps."""
    demands = Demands(np.empty(len(pool.price_max)), np.empty(len(pool.asset_underlying)))
    demand(pool, demands, level)
    return demands


def has_moved(before: Demands, now: Demands) -> bool:
    """Whether maintenance demands something else than before, so that thresholds are stale."""
    return any(x.tobytes() != y.tobytes() for x, y in zip(before, now, strict=True))
