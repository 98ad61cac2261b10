"""The venue's own liquidator: on every tick, found by the ladder and confirmed by integers."""

from collections.abc import Callable

import numpy as np

from ringfence.columns import Column
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.health import excess
from ringfence.core.liquidation import has_next_step
from ringfence.core.pool import BACKSTOP, Level, Pool, Step, Total, account_count
from ringfence.core.protection import find_warnings
from ringfence.core.status import Status
from ringfence.core.validity import Action, is_usable
from ringfence.risk.ladder import Ladder
from ringfence.risk.screen import confirmed
from ringfence.venue.receipts import BatchReceipt

# After these every account may stand elsewhere, so the ladder is built anew.
_EVERYBODY = (Kind.SETTLE, Kind.EXPIRE, Kind.DELEVERAGE, Kind.END_POOL)
# These give an account a protective order, use one up, or end it.
_PROTECTIVE = (Kind.PROTECT, Kind.TOP_UP)
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
DELEVERAGING = int(Step.DELEVERAGING)


class Liquidator:
    """Keeps the ladder of one pool true to it, and names whom to liquidate or to protect."""

    def __init__(self, pool: Pool) -> None:
        self._ladder = Ladder(pool)
        orders = (pool.protect_budget > 0) | (pool.protect_reduce > 0)
        self._protected = set(np.flatnonzero(orders).tolist())  # a tick looks at no others

    def follow(self, pool: Pool, batch: Rows) -> None:
        """Take note of the accounts that a batch has changed."""
        kinds = batch["kind"]
        for a in np.unique(batch["account"][np.isin(kinds, _PROTECTIVE)]).tolist():
            self._note_order(pool, a)
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

    def _note_order(self, pool: Pool, a: int) -> None:
        if not 0 <= a < account_count(pool):
            return
        if pool.protect_budget[a] > 0 or pool.protect_reduce[a] > 0:
            self._protected.add(a)
        else:
            self._protected.discard(a)

    def protections(self, pool: Pool, cash: Column) -> Rows:
        """Return what protective orders ask for now; cash: [o] what each owner's wallet holds."""
        orders: list[tuple[int, int, int]] = []
        for a in sorted(self._protected):
            missing = -int(excess(pool, a, Level.TARGET))
            added = min(missing, int(pool.protect_budget[a]), int(cash[pool.owner[a]]))
            if added > 0:
                orders.append((Kind.TOP_UP, a, added))
            is_left = 0 < missing != added and pool.protect_reduce[a] and not pool.step[a]
            if is_left and excess(pool, a, Level.MAINTENANCE) + max(added, 0) >= 0:
                orders.append((Kind.REDUCE, a, 0))
        batch = rows(len(orders))
        for r, (kind, a, amount) in enumerate(orders):
            batch[r]["kind"], batch[r]["account"], batch[r]["amount"] = kind, a, amount
        return batch

    def unhealthy(self, pool: Pool) -> Column:
        """Accounts with a step of the waterfall ahead of them at the pool's prices, by number.

        Those below maintenance that are in no step yet, and those in one that goes on or ends.
        """
        found = confirmed(pool, self._ladder.reached(pool))
        if pool.total[Total.AUCTIONED] == 0 and pool.total[Total.WAITING] == 0:
            return found
        inside = np.flatnonzero(pool.step[: account_count(pool)])
        onward = [a for a in inside.tolist() if has_next_step(pool, a)]
        fresh = found[pool.step[found] == Step.NONE]
        return np.sort(np.concatenate((fresh, np.array(onward, dtype=np.int64))))


def waiting_instruments(pool: Pool) -> list[int]:
    """Instruments in which accounts wait, and whose price deleveraging may use."""
    if pool.total[Total.WAITING] == 0:
        return []
    waiting = pool.size[: account_count(pool)][pool.step[: account_count(pool)] == DELEVERAGING]
    held = np.flatnonzero((waiting != 0).any(axis=0)).tolist()
    return [i for i in held if is_usable(pool, Action.DELEVERAGE, pool.instrument_underlying[i])]


def deleveraging(instrument: int, most: int) -> Rows:
    """Return the command to close waiting accounts in an instrument, at most so many a side."""
    row = rows(1)
    row["kind"], row["instrument"], row["amount"] = Kind.DELEVERAGE, instrument, most
    return row


def deleverage(pool: Pool, execute: Callable[[Rows], BatchReceipt]) -> list[BatchReceipt]:
    """Close all who wait, an instrument at a time, in as few journal entries as hold it."""
    parts = []
    for i in waiting_instruments(pool):
        most, is_done = 0, False
        while not is_done:
            part = execute(deleveraging(i, most))
            if part.statuses[0] == Status.TOO_MANY_AT_ONCE and most != 1:
                most = max((most or int(pool.total[Total.WAITING])) // 2, 1)
                continue
            parts.append(part)
            is_done = most == 0 or part.statuses[0] != Status.OK
    return parts


def warnings(pool: Pool) -> Rows:
    """Return one warning for each account that has come below another level, or above one."""
    found = np.empty(account_count(pool), dtype=np.int64)
    accounts = found[: find_warnings(pool, found)]
    batch = rows(len(accounts))
    batch["kind"], batch["account"] = Kind.WARN, accounts
    return batch


def liquidations(accounts: Column) -> Rows:
    """Return one command to liquidate each of some accounts."""
    batch = rows(len(accounts))
    batch["kind"] = Kind.LIQUIDATE
    batch["account"] = accounts
    return batch


def run_waterfall(
    liquidator: Liquidator, pool: Pool, cash: Column, execute: Callable[[Rows], BatchReceipt]
) -> list[BatchReceipt]:
    """Take a pool's accounts a step on: protective orders, liquidations, deleveraging."""
    batches = in_entries(liquidator.protections(pool, cash))
    parts = [execute(batch) for batch in batches if len(batch)]
    found = in_entries(liquidations(liquidator.unhealthy(pool)))
    parts += [execute(batch) for batch in found if len(batch)]
    return parts + deleverage(pool, execute)


def in_entries(batch: Rows) -> list[Rows]:
    """Return liquidations in parts of which each can be journaled."""
    starts = range(0, max(len(batch), 1), LIQUIDATIONS_MAX)
    return [batch[start : start + LIQUIDATIONS_MAX] for start in starts]
