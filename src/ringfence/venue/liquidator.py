"""The venue's own liquidator: on every tick, found by the ladder and confirmed by integers."""

import numpy as np

from ringfence.columns import Column
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.pool import BACKSTOP, Pool
from ringfence.risk.ladder import Ladder
from ringfence.risk.screen import confirmed

# After these every account may stand elsewhere, so the ladder is built anew.
_EVERYBODY = (Kind.SETTLE, Kind.EXPIRE)
# These change no account.
_NOBODY = (
    Kind.ADVANCE_CLOCK,
    Kind.SET_INDEX_PRICE,
    Kind.SET_MARK_PRICE,
    Kind.SET_RISK_ARRAY,
    Kind.ACCRUE_FUNDING,
    Kind.ANNOUNCE_CHANGE,
    Kind.CANCEL_CHANGE,
)


# Accounts in one batch: what they may record at most still fits into one journal entry.
LIQUIDATIONS_MAX = 1000


class Liquidator:
    """Keeps the ladder of one pool true to it, and names whom to liquidate."""

    def __init__(self, pool: Pool) -> None:
        self._ladder = Ladder(pool)

    def follow(self, pool: Pool, batch: Rows) -> None:
        """Take note of the accounts that a batch has changed."""
        kinds = batch["kind"]
        if np.isin(kinds, _EVERYBODY).any():
            self._ladder.rebuild(pool)
            return
        named = batch[~np.isin(kinds, _NOBODY)]
        if len(named) == 0:
            return
        touched = np.concatenate((named["account"], named["other"], [BACKSTOP]))
        # OPEN_ACCOUNT names an owner, not an account; a new account is empty anyway.
        inside = touched[(touched >= 0) & (touched < len(pool.owner))]
        self._ladder.touch(pool, np.unique(inside).astype(np.int64))

    def unhealthy(self, pool: Pool) -> Column:
        """Accounts below maintenance at the pool's prices, by number."""
        return confirmed(pool, self._ladder.reached(pool))


def liquidations(accounts: Column) -> Rows:
    """Return one command to liquidate each of some accounts."""
    batch = rows(len(accounts))
    batch["kind"] = Kind.LIQUIDATE
    batch["account"] = accounts
    return batch
