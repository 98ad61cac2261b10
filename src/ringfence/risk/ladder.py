"""The liquidation ladder: every one-leg account at its threshold, found without a search.

Each rung list is a 4-ary heap with the account reached first at its top, so a tick that
reaches nobody costs one comparison a list, whatever the number of accounts. A ladder is
derived from its pool and never journaled; it only proposes, integers decide.
"""

import numpy as np

from ringfence.columns import Column, Columns, Floats
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

NOBODY = np.zeros(0, dtype=np.int64)

ARITY = 4
SPARE = 16  # rungs of spare room a list gets at each rebuilding
DRIFT_MAX = 1e-3  # funding, as a share of the mark price, after which thresholds are renewed
STALE = -1  # thresholds have to be renewed before anybody is found


class Heaps(Columns):
    """The rung lists of a ladder, and the demands and funding that its thresholds go by.

    The list of SEVERAL is the last one and is a plain list: its keys are equal.
    """

    MATRICES = ("lists",)

    rungs: Column  # [a] list of the account, or NOTHING
    place: Column  # [a] where on it
    key: Floats  # [a] signed threshold
    lists: Column  # [list, (start, count, room)] into slots
    slots: Column  # accounts
    found: Column  # [2 * a] of no meaning after a call; its front takes results, its end is a stack
    seen: Column  # [i] funding index when last looked at
    slack: Floats  # [list] funding since the thresholds were made
    factor: Floats  # [u] as in Demands
    keep: Floats  # [c] as in Demands
    now_factor: Floats  # [u] of no meaning after a call
    now_keep: Floats  # [c] of no meaning after a call


@kernel
def sift_up(heaps: Heaps, start: int, at: int) -> None:
    """Move the account in a slot of one heap towards the top until its parent is higher."""
    slots, place, key = heaps.slots, heaps.place, heaps.key
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
def sift_down(heaps: Heaps, start: int, count: int, at: int) -> None:
    """Move the account in a slot of one heap away from the top until its children are lower."""
    slots, place, key = heaps.slots, heaps.place, heaps.key
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
def take_off(heaps: Heaps, a: int) -> None:
    """Take an account off its list; the last one of the list fills the gap."""
    on = heaps.rungs[a]
    start, count = heaps.lists[on, 0], heaps.lists[on, 1] - 1
    heaps.lists[on, 1] = count
    at = heaps.place[a]
    if at == count:
        return
    last = heaps.slots[start + count]
    heaps.slots[start + at] = last
    heaps.place[last] = at
    sift_up(heaps, start, at)
    sift_down(heaps, start, count, heaps.place[last])


@kernel
def renew(pool: Pool, heaps: Heaps, touched: Column) -> int:
    """Put accounts where they belong now; return how many were done before a list was full."""
    demands = Demands(heaps.factor, heaps.keep)
    last = heaps.lists.shape[0] - 1
    for k in range(touched.size):
        a = touched[k]
        now = rung_list(pool, demands, a)
        if now == SEVERAL:
            now = last
        if heaps.rungs[a] != NOTHING:
            take_off(heaps, a)
            heaps.rungs[a] = NOTHING
        if now == NOTHING:
            continue
        start, count = heaps.lists[now, 0], heaps.lists[now, 1]
        if count == heaps.lists[now, 2]:
            return k
        heaps.key[a] = 0.0 if now == last else threshold(pool, demands, a, now)
        heaps.slots[start + count] = a
        heaps.rungs[a] = now
        heaps.lists[now, 1] = count + 1
        sift_up(heaps, start, count)
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
def add_funding_slack(pool: Pool, heaps: Heaps) -> float:
    """Widen the lists by the funding accrued since last seen; return the widest, as a share."""
    demands, slack = Demands(heaps.factor, heaps.keep), heaps.slack
    widest = 0.0
    for i in range(pool.mark_price.size):
        moved = float(pool.funding_index[i] - heaps.seen[i])
        heaps.seen[i] = pool.funding_index[i]
        steepest = steepest_rate(pool, demands, pool.instrument_underlying[i])
        # Steeper than RATE_MAX the list of the longs is empty.
        slack[2 * i] += max(moved, 0.0) / (1.0 - min(steepest, RATE_MAX))
        slack[2 * i + 1] += max(-moved, 0.0)
        if pool.mark_price[i] > 0:
            widest = max(widest, max(slack[2 * i], slack[2 * i + 1]) / pool.mark_price[i])
    return widest


@kernel
def is_stale(pool: Pool, heaps: Heaps, level: int) -> bool:
    """Whether so much funding or another demand of the level makes its thresholds worthless."""
    if add_funding_slack(pool, heaps) > DRIFT_MAX:
        return True
    demand(pool, Demands(heaps.now_factor, heaps.now_keep), level)
    for u in range(heaps.factor.size):
        if heaps.factor[u] != heaps.now_factor[u]:
            return True
    for c in range(heaps.keep.size):
        if heaps.keep[c] != heaps.now_keep[c]:
            return True
    return False


@kernel
def walk(heaps: Heaps, on: int, price: float, count: int) -> int:
    """Add those on a list whose threshold a price has reached to `found`; return how many it has.

    From the top of the heap, and no further than to every account not reached. What `found`
    has beyond serves as the stack of slots still to visit, from its end.
    """
    slots, key, found = heaps.slots, heaps.key, heaps.found
    start, length = heaps.lists[on, 0], heaps.lists[on, 1]
    if key[slots[start]] < price:
        return count
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
    return count


@kernel
def list_reached(pool: Pool, heaps: Heaps, level: int, with_several: int) -> int:
    """Collect in `found` whose threshold the prices have reached; return how many, or STALE."""
    if is_stale(pool, heaps, level):
        return STALE
    count, last = 0, heaps.lists.shape[0] - 1
    for on in range(last):
        if heaps.lists[on, 1] > 0:
            count = walk(heaps, on, signed_price(pool, on, heaps.slack), count)
    start, length = heaps.lists[last, 0], heaps.lists[last, 1] * with_several
    for k in range(length):
        heaps.found[count] = heaps.slots[start + k]
        count += 1
    return count


class Ladder:
    """The ladder of one pool; tell it which accounts a batch touched, ask whom a tick reaches."""

    heaps: Heaps

    def __init__(self, pool: Pool, level: Level = Level.MAINTENANCE) -> None:
        """Build it; the level is maintenance or target."""
        self._level = int(level)  # a member of an enumeration takes a kernel 40 us to read
        self.rebuild(pool)

    def rebuild(self, pool: Pool) -> None:
        """Renew every threshold; after funding, settlement, or a change of parameters."""
        count = account_count(pool)
        self._make_room(pool, count, demands_of(pool, self._level))
        self._fill(pool, np.arange(count, dtype=np.int64))

    def _make_room(self, pool: Pool, count: int, demands: Demands) -> None:
        """Lay the lists out anew, each with room for its members and some spare."""
        lists = np.zeros((2 * len(pool.mark_price) + len(pool.asset_underlying) + 1, 3), np.int64)
        members = np.zeros(len(lists), dtype=np.int64)
        count_members(pool, demands, count, members)
        room = members + members // 4 + SPARE
        lists[:, 2] = room
        lists[:, 0] = np.cumsum(room) - room
        accounts = count + count // 4 + SPARE
        self.heaps = Heaps(
            rungs=np.full(accounts, NOTHING, dtype=np.int64),
            place=np.zeros(accounts, dtype=np.int64),
            key=np.zeros(accounts),
            lists=lists,
            slots=np.zeros(int(room.sum()), dtype=np.int64),
            found=np.zeros(2 * accounts + SPARE, dtype=np.int64),
            seen=pool.funding_index.copy(),
            slack=np.zeros(len(lists)),
            factor=demands.factor,
            keep=demands.keep,
            now_factor=np.zeros_like(demands.factor),
            now_keep=np.zeros_like(demands.keep),
        )

    def _fill(self, pool: Pool, accounts: Column) -> None:
        if renew(pool, self.heaps, accounts) < len(accounts):
            self.rebuild(pool)

    def touch(self, pool: Pool, accounts: Column) -> None:
        """Renew the thresholds of accounts that a batch has changed; others may be named too."""
        count = account_count(pool)
        if count > len(self.heaps.rungs):
            self.rebuild(pool)
        else:
            self._fill(pool, accounts[(accounts >= 0) & (accounts < count)])

    def several(self) -> Column:
        """Accounts that no single price moves; nobody knows where they stand without a look."""
        start, length, _ = self.heaps.lists[-1]
        return self.heaps.slots[start : start + length].copy()

    def reached(self, pool: Pool, *, with_several: bool = True) -> Column:
        """Accounts that might be below the level at the pool's prices, in order of number."""
        count = list_reached(pool, self.heaps, self._level, int(with_several))
        if count == STALE:
            self.rebuild(pool)
            count = list_reached(pool, self.heaps, self._level, int(with_several))
        return np.sort(self.heaps.found[:count]) if count else NOBODY


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
