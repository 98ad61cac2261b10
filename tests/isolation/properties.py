"""Non-interference of pools, as four properties of a world's attempts.

P1 projection  a pool that gets its own accepted commands alone ends with the same bytes
P2 decisions   a pool that gets its own attempts alone answers each of them the same
P3 locality    a command changes no pool that it does not name, and no wallet but by the
               named owner's own accepted deposit or withdrawal
P4 refusal     a refused command changes no byte

P1 and P2 are both needed: a leak that only refuses is invisible to a projection of what was
accepted, and a leak into bytes that decide nothing is invisible to decisions.
"""

from collections.abc import Iterator

import numpy as np
from tests.isolation.world import START_NS, Attempt, Batch, Money, Prices, World, empty_state

from ringfence.core.command import EVENT, Kind, Rows
from ringfence.core.log import empty_log, room_for
from ringfence.core.machine import apply
from ringfence.core.pool import account_count, grown, pool_bytes, with_bytes
from ringfence.core.status import Status
from ringfence.units import AMOUNT_MAX
from ringfence.venue.state import CreatePool, PoolRecord, Receive, State

INFINITE = 2**61  # more than all that all accounts of a history can deposit

TAKES = (Kind.DEPOSIT, Kind.OPEN_POSITION, Kind.TOP_UP)  # from a wallet


class Violation(AssertionError):  # noqa: N818 - the word that the properties use
    """A property that does not hold; `property_id` is its id."""

    def __init__(self, property_id: str, message: str) -> None:
        super().__init__(f"{property_id}: {message}")
        self.property_id = property_id


def demand(property_id: str, holds: object, message: str, *details: object) -> None:
    """Raise a violation unless the condition holds; details are written out only then."""
    if not holds:
        raise Violation(property_id, " ".join((message, *map(str, details))))


# P3 and P4, after every attempt


class Watch:
    """Everything as it was before an attempt, to be compared with what it is after it."""

    def __init__(self, state: State, ids: frozenset[str]) -> None:
        self.state = state
        self.ids = ids
        self.wallets = state.wallets.amount.copy()
        self.bytes = {record.id: pool_bytes(record.pool) for record in state.pools.values()}

    def check(self, attempt: Attempt) -> None:
        """Check P3 and P4, those of them that are watched, for the attempt just applied."""
        if isinstance(attempt, Prices):
            parts = {i: (attempt.rows[i], attempt.statuses[i]) for i in attempt.statuses}
        elif isinstance(attempt, Batch):
            parts = {attempt.pool: (attempt.rows, attempt.outcome.statuses)}
        else:
            parts = {}
        for record in self.state.pools.values():
            now = pool_bytes(record.pool)
            if record.id not in parts:
                same = "P3" not in self.ids or now == self.bytes[record.id]
                demand("P3", same, f"{record.spec.name} was changed by", attempt)
                continue
            rows, statuses = parts[record.id]
            if statuses.any() and "P4" in self.ids:
                same = now == self._without_refused(record, rows[statuses == Status.OK])
                demand("P4", same, f"{record.spec.name} was changed by what it refused:", attempt)
            self.bytes[record.id] = now
        if "P3" in self.ids:
            self._check_wallets(attempt)

    def _without_refused(self, record: PoolRecord, kept: Rows) -> bytes:
        """Bytes of the pool after the accepted rows alone; a clock row is one of them."""
        twin = with_bytes(record.pool, self.bytes[record.id])
        twin = grown(twin, account_count(twin) + len(kept))
        found = np.zeros(len(kept), dtype=np.int64)
        apply(twin, kept, found, empty_log(room_for(twin, kept)))
        demand("P4", not found.any(), "without refused rows, accepted ones give", found)
        return pool_bytes(twin)

    def _check_wallets(self, attempt: Attempt) -> None:
        expected = self.wallets
        if isinstance(attempt, Money) and attempt.accepted:
            sign = 1 if isinstance(attempt.command, Receive) else -1
            expected[attempt.command.owner, attempt.command.asset] += sign * attempt.command.amount
        if isinstance(attempt, Batch):
            record = self.state.pools[attempt.pool]
            for row in attempt.rows[attempt.outcome.statuses == Status.OK]:
                if row["kind"] in (*TAKES, Kind.WITHDRAW):
                    sign = 1 if row["kind"] == Kind.WITHDRAW else -1
                    owner = record.pool.owner[row["account"]]
                    expected[owner, record.assets[row["asset"]]] += sign * row["amount"]
        found = self.state.wallets.amount
        demand("P3", np.array_equal(found, expected), "other money was moved by", attempt)
        demand("P3", (found >= 0).all(), "a wallet was overdrawn by", attempt)


# P1 and P2, after the whole history


def alone(world: World, record: PoolRecord) -> tuple[State, PoolRecord]:
    """A venue of the same kind that has only this pool, and no money."""
    state = empty_state(type(world.state))
    identity = state.apply(CreatePool(record.spec, record.creator, START_NS))
    return state, state.pools[identity]


def check_projection(world: World, attempts: list[Attempt], record: PoolRecord) -> None:
    """P1: the pool's own accepted commands give the same bytes, all in one batch."""
    state, solo = alone(world, record)
    state.wallets.amount[:] = INFINITE
    kept = [rows[statuses == Status.OK] for rows, statuses in _own(attempts, record.id)]
    outcome = state.apply_rows(solo, np.concatenate(kept))
    demand("P1", not outcome.statuses.any(), f"{record.spec.name} refuses alone what it accepted")
    same = pool_bytes(solo.pool) == pool_bytes(record.pool)
    demand("P1", same, f"{record.spec.name} ends elsewhere without the other pools")


def _own(attempts: list[Attempt], pool: bytes) -> Iterator[tuple[Rows, np.ndarray]]:
    """Rows and statuses of one pool, in order."""
    for attempt in attempts:
        if isinstance(attempt, Batch) and attempt.pool == pool:
            yield attempt.rows, attempt.outcome.statuses
        elif isinstance(attempt, Prices) and pool in attempt.rows:
            yield attempt.rows[pool], attempt.statuses[pool]


def check_decisions(world: World, attempts: list[Attempt], record: PoolRecord) -> None:
    """P2: the pool's own attempts, alone and without money, are answered the same.

    A deposit that the wallet covered is credited with exactly its amount just before, and
    what leaves the pool is taken away, so every wallet is empty between two commands.
    """
    state, solo = alone(world, record)
    for attempt in attempts:
        if isinstance(attempt, Prices) and record.id in attempt.statuses:
            found = state.apply_prices(attempt.prices, attempt.time_ns)[record.id].statuses
            same = np.array_equal(found, attempt.statuses[record.id])
            demand("P2", same, f"{record.spec.name} takes other prices alone: {found}")
        elif isinstance(attempt, Batch) and attempt.pool == record.id:
            _decide_alone(state, solo, attempt)
    same = pool_bytes(solo.pool) == pool_bytes(record.pool)
    demand("P2", same, f"{record.spec.name} ends elsewhere in a world of its own")


def _decide_alone(state: State, solo: PoolRecord, batch: Batch) -> None:
    events = []
    for r, said in enumerate(batch.outcome.statuses.tolist()):
        row = batch.rows[r : r + 1]
        lent = _lend(state, solo, row, said)
        outcome = state.apply_rows(solo, row)
        found = int(outcome.statuses[0])
        both = f"{Status(found).name} alone and {Status(said).name} among others"
        demand("P2", found == said, f"{solo.spec.name} answers {both} to", row)
        _take_back(state, solo, row, lent if found != Status.OK else 0)
        events.append(outcome.events)
    together = np.concatenate(events) if events else np.zeros(0, dtype=EVENT)
    demand("P2", _without_row(together) == _without_row(batch.outcome.events), "other events alone")


def _without_row(events: np.ndarray) -> bytes:
    """Bytes of events but for the place in their batch."""
    plain = events.copy()
    plain["row"] = 0
    return plain.tobytes()


def _lend(state: State, solo: PoolRecord, row: Rows, said: int) -> int:
    """Credit a wallet with what a deposit takes, if the wallet did not refuse it."""
    amount = int(row["amount"][0])
    takes = row["kind"][0] in TAKES
    exists = 0 <= row["account"][0] < account_count(solo.pool)
    listed = 0 <= row["asset"][0] < len(solo.assets)
    if not (takes and exists and listed) or said == Status.EXCEEDS_WALLET or amount <= 0:
        return 0
    demand("P2", amount <= AMOUNT_MAX, "a wallet covered more than it can hold:", amount)
    _purse(state, solo, row)[...] += amount
    return amount


def _take_back(state: State, solo: PoolRecord, row: Rows, left: int) -> None:
    """Empty the wallet again, once it is exactly what it must be."""
    if row["kind"][0] == Kind.WITHDRAW and 0 <= row["account"][0] < account_count(solo.pool):
        kind_pays = 0 <= row["asset"][0] < len(solo.assets)
        if kind_pays:
            purse = _purse(state, solo, row)
            demand("P2", purse in (0, row["amount"][0]), f"{purse} was paid by", row)
            purse[...] = 0
    elif left:
        purse = _purse(state, solo, row)
        demand("P4", purse == left, f"a wallet lost {left - purse} by the refused", row)
        purse[...] = 0
    demand("P2", not state.wallets.amount.any(), "money was left in a wallet by", row)


def _purse(state: State, solo: PoolRecord, row: Rows) -> np.ndarray:
    """The one wallet entry that a row is about, as a view."""
    owner = int(solo.pool.owner[row["account"][0]])
    asset = int(solo.assets[row["asset"][0]])
    return state.wallets.amount[owner, asset : asset + 1].reshape(())


ALL = frozenset(("P1", "P2", "P3", "P4"))


def run(seed: int, make: type[State] = State, ids: frozenset[str] = ALL, count: int = 90) -> World:
    """Run a world and check the properties with these ids.

    Raises:
        Violation: The first property that does not hold.
    """
    world = World(seed, make)
    attempts: list[Attempt] = []
    watch = Watch(world.state, ids)
    for attempt in world.attempts(count):
        watch.check(attempt)
        attempts.append(attempt)
    for record in world.state.pools.values():
        if "P1" in ids:
            check_projection(world, attempts, record)
        if "P2" in ids:
            check_decisions(world, attempts, record)
    return world
