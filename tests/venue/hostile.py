"""Rows that no honest client writes: every kind with extreme numbers in every field.

Run as a module it gives them to a venue and prints what it found, so that the same check
can run interpreted or with bounds checks in a process of its own.
"""

import hashlib
import itertools
import sys
from random import Random

import numpy as np
from tests.venue.scene import BOB, Scene

from ringfence.core.command import COMMAND, Kind, Rows, rows
from ringfence.core.invariants import broken_invariants
from ringfence.core.log import empty_log, room_for_one
from ringfence.core.machine import apply
from ringfence.core.pool import Pool, account_count, copied, grown, pool_bytes
from ringfence.core.status import Status

EXTREMES = (
    *(sign * 2**k + off for k in (31, 32, 53, 62) for sign in (1, -1) for off in (-1, 0, 1)),
    *(-(2**63), -(2**63) + 1, 2**63 - 1, 2**63 - 2, -2, -1, 0, 1, 2, 3, 100, 10**6),
)
KINDS = (*map(int, Kind), 0, -1, 3, 9, 14, 24, 33, 45, 52, 2**31, 2**63 - 1, -(2**63))
FIELDS = ("account", "other", "asset", "instrument", "amount", "size", "price")
# Values that let most kinds come as far as the arithmetic.
PLAIN = {"account": 1, "other": 2, "asset": 0, "instrument": 0, "amount": 10**6}
PLAIN |= {"size": 10**8, "price": 2000 * 10**9}


def hostile_rows(seed: int, count: int) -> Rows:
    """One extreme field each for every kind, then as many rows with several of them."""
    single = list(itertools.product(KINDS, FIELDS, EXTREMES))
    batch = rows(len(single) + count)
    for name, value in PLAIN.items():
        batch[name] = value
    for r, (kind, name, value) in enumerate(single):
        batch[r]["kind"], batch[r][name] = kind, value
    rng = Random(seed)
    for row in batch[len(single) :]:
        row["kind"] = rng.choice(KINDS)
        for name in rng.sample(FIELDS, rng.randint(2, len(FIELDS))):
            row[name] = rng.choice(EXTREMES)
    batch["time_ns"] = [rng.choice(EXTREMES) for _ in batch]
    return batch[np.array(rng.sample(range(len(batch)), len(batch)))]


def check(seed: int, count: int, most: int | None = None) -> list[str]:
    """Give hostile rows to a venue; return its digest and how many rows it took."""
    scene = Scene.set_up().traded()
    scene.deposit(BOB, "5", "ETH")
    scene.trade("0.05", "BTC-PERP")
    record = scene.venue.record("alpha")
    taken = 0
    batch = hostile_rows(seed, count)[:most]
    for part in np.array_split(batch, max(len(batch) // 50, 1)):
        before, other = copied(record.pool), scene.venue.record("beta").digest()
        wallets = int(scene.venue.state.wallets.amount.sum())
        receipt = scene.venue.execute_many("alpha", part)
        assert set(receipt.statuses.tolist()) <= set(Status)
        kept = part[receipt.statuses == Status.OK].astype(COMMAND)
        kept["time_ns"] = receipt.time_ns
        taken += len(kept)
        assert pool_bytes(alone(before, kept)) == pool_bytes(record.pool), "a refusal left a trace"
        assert broken_invariants(record.pool) == []
        assert scene.venue.record("beta").digest() == other
        assert (scene.venue.state.wallets.amount >= 0).all()
        assert len(kept) or int(scene.venue.state.wallets.amount.sum()) == wallets
    assert scene.venue.verify() == []
    digest = hashlib.sha256(scene.venue.state.dump()).hexdigest()
    return [digest, str(taken), str(len(batch))]


def alone(pool: Pool, kept: Rows) -> Pool:
    """The pool after accepted rows alone; there is room, for it was grown with them."""
    pool = grown(pool, account_count(pool) + len(kept))
    statuses = np.zeros(len(kept), dtype=np.int64)
    apply(pool, kept, statuses, empty_log(len(kept) * room_for_one(pool)))
    assert not statuses.any()
    return pool


if __name__ == "__main__":
    for line in check(*map(int, sys.argv[1:])):
        print(line)  # noqa: T201 - the parent reads it
