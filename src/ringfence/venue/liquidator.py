"""The venue's own liquidator: on every tick, found by ladders and confirmed by integers.

Two ladders, so that a calm tick looks at no account: one at maintenance, for liquidation, and
one at target, for warnings and protective orders. Accounts that no single price moves are
warned once a minute; below initial, but above target, everybody is told at settlements only.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringfence.columns import Column
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.halt import end_status
from ringfence.core.health import excess
from ringfence.core.liquidation import has_next_step, is_finished
from ringfence.core.pool import BACKSTOP, Level, Pool, Step, Total, account_count
from ringfence.core.protection import find_warnings
from ringfence.core.status import Status
from ringfence.core.validity import Action, mark_status
from ringfence.risk.calm import is_calm
from ringfence.risk.ladder import Ladder
from ringfence.risk.screen import confirmed
from ringfence.units import MINUTE_NS
from ringfence.venue.receipts import BatchReceipt


def _among(*kinds: Kind) -> NDArray[np.bool_]:
    """A table by kind, for `take`; numbers beyond it are no kinds."""
    table = np.zeros(max(Kind) + 2, dtype=np.bool_)
    table[list(kinds)] = True
    return table


# After these every account may stand elsewhere, so the ladders are built anew.
_EVERYBODY = _among(Kind.SETTLE, Kind.EXPIRE, Kind.DELEVERAGE, Kind.END_POOL)
# These change no account's standing.
_NOBODY = _among(
    Kind.ADVANCE_CLOCK,
    Kind.SET_INDEX_PRICE,
    Kind.SET_MARK_PRICE,
    Kind.SET_RISK_ARRAY,
    Kind.ACCRUE_FUNDING,
    Kind.ANNOUNCE_CHANGE,
    Kind.CANCEL_CHANGE,
    Kind.PROTECT,
    Kind.WARN,
)


# Accounts in one batch: what they may record at most still fits into one journal entry.
LIQUIDATIONS_MAX = 1000
DELEVERAGING = int(Step.DELEVERAGING)
TARGET, MAINTENANCE = int(Level.TARGET), int(Level.MAINTENANCE)
BELOW_TARGET = 2  # levels that an account has been told it is below
NONE = np.zeros(0, dtype=np.int64)


class Ahead(NamedTuple):
    """What the engine has to do in a pool now."""

    protections: Rows  # commands that owners have signed in advance
    unhealthy: Column  # accounts with a step of the waterfall ahead of them
    instruments: list[int]  # in which accounts wait to be deleveraged
    is_ending: bool  # the pool is settled for good
    near: Column  # accounts that may have something to be told, now or after all that
    has_warnings: bool

    @property
    def has_steps(self) -> bool:
        """Whether anything is done to anybody."""
        is_forced = len(self.protections) or len(self.unhealthy) or self.instruments
        return bool(is_forced) or self.is_ending


CALM = Ahead(rows(0), NONE, [], is_ending=False, near=NONE, has_warnings=False)


class Liquidator:
    """Keeps the ladders of one pool true to it, and names whom to liquidate, protect or warn."""

    def __init__(self, pool: Pool) -> None:
        self._ladder = Ladder(pool)
        self._early: Ladder | None = None  # made when it is first asked for
        self._told = still_told(pool, np.arange(account_count(pool), dtype=np.int64))
        self._unsettled = NONE  # accounts that a settlement has left with something to be told
        self._next_look_ns = 0  # at those that no single price moves

    def follow(self, pool: Pool, batch: Rows) -> None:
        """Take note of the accounts that a batch has changed."""
        kinds = batch["kind"]
        warned = batch["account"][kinds == Kind.WARN]
        if len(warned):
            self._told = joined(np.setdiff1d(self._told, warned), still_told(pool, warned))
        if _EVERYBODY.take(kinds, mode="clip").any():
            for ladder in self._ladders():
                ladder.rebuild(pool)
            if self._early is not None and (kinds == Kind.SETTLE).any():
                self._unsettled = accounts_to_warn(pool, np.arange(account_count(pool)))
            return
        named = batch[~_NOBODY.take(kinds, mode="clip")]
        if len(named) == 0:
            return
        touched = np.concatenate((named["account"], named["other"], [BACKSTOP]))
        # OPEN_ACCOUNT names an owner, not an account; a new account is empty anyway.
        inside = touched[(touched >= 0) & (touched < len(pool.owner))]
        for ladder in self._ladders():
            ladder.touch(pool, np.unique(inside).astype(np.int64))

    def _ladders(self) -> Iterator[Ladder]:
        yield self._ladder
        if self._early is not None:
            yield self._early

    def look(self, pool: Pool, cash: Column) -> Ahead:
        """Return what is to be done now; cash: [o] what each owner's wallet holds."""
        if self._early is None:
            self._early = Ladder(pool, Level.TARGET)
        if self._is_calm(pool, self._early):
            return CALM
        weak, several = self._early.reached(pool, with_several=False), self._early.several()
        near = self._near(pool, weak, several)
        return Ahead(
            protections=protections(pool, joined(weak, several), cash),
            unhealthy=self.unhealthy(pool),
            instruments=waiting_instruments(pool),
            is_ending=is_ending(pool),
            near=near,
            has_warnings=len(accounts_to_warn(pool, near)) > 0,
        )

    def _near(self, pool: Pool, weak: Column, several: Column) -> Column:
        """Accounts that may have something to be told, by number."""
        unsettled, self._unsettled = self._unsettled, NONE
        if self._is_time_for(pool, several):
            unsettled = joined(unsettled, several)
        return joined(weak, self._told, unsettled)

    def _is_calm(self, pool: Pool, early: Ladder) -> bool:
        """Whether nothing is to be done, and looking closer would find no more."""
        is_due = int(pool.total[Total.NOW_NS]) >= self._next_look_ns
        both = early.heaps, self._ladder.heaps
        if len(self._unsettled) or not is_calm(pool, *both, self._told, int(is_due)):
            return False
        if is_due:
            self._is_time_for(pool, early.several())
        return True

    def _is_time_for(self, pool: Pool, several: Column) -> bool:
        """Whether the minute is over for those that no single price moves; begins a new one."""
        now_ns = int(pool.total[Total.NOW_NS])
        if len(several) == 0 or now_ns < self._next_look_ns:
            return False
        self._next_look_ns = now_ns + MINUTE_NS
        return True

    def unhealthy(self, pool: Pool) -> Column:
        """Accounts with a step of the waterfall ahead of them at the pool's prices, by number.

        Those below maintenance that are in no step yet, those in one that goes on or ends, and
        those whose coins go for a due since the pool has ended.
        """
        found = confirmed(pool, self._ladder.reached(pool))
        if pool.total[Total.ENDED_AT] > 0:
            found = joined(found, called_in(pool))
        if pool.total[Total.AUCTIONED] == 0 and pool.total[Total.WAITING] == 0:
            return found
        inside = np.flatnonzero(pool.step[: account_count(pool)])
        onward = [a for a in inside.tolist() if has_next_step(pool, a)]
        fresh = found[pool.step[found] == Step.NONE]
        return np.sort(np.concatenate((fresh, np.array(onward, dtype=np.int64))))


def still_told(pool: Pool, accounts: Column) -> Column:
    """Return those of some accounts that were last told they are below target, by number."""
    inside = np.unique(accounts[(accounts >= 0) & (accounts < account_count(pool))])
    found = inside[pool.warned[inside] >= BELOW_TARGET]
    return found[[not is_finished(pool, a) for a in found.tolist()]] if len(found) else NONE


def joined(*columns: Column) -> Column:
    """Return the accounts of several columns, each once, by number."""
    filled = [column for column in columns if len(column)]
    return np.unique(np.concatenate(filled)) if filled else NONE


def protections(pool: Pool, accounts: Column, cash: Column) -> Rows:
    """Return what the protective orders of some accounts ask for; cash: [o] in the wallets."""
    if len(accounts) == 0:
        return rows(0)
    has_order = (pool.protect_budget[accounts] > 0) | (pool.protect_reduce[accounts] > 0)
    orders: list[tuple[int, int, int]] = []
    for a in np.sort(accounts[has_order]).tolist():
        missing = -int(excess(pool, a, TARGET))
        added = min(missing, int(pool.protect_budget[a]), int(cash[pool.owner[a]]))
        if added > 0:
            orders.append((Kind.TOP_UP, a, added))
        is_left = 0 < missing != added and pool.protect_reduce[a] and not pool.step[a]
        if is_left and excess(pool, a, MAINTENANCE) + max(added, 0) >= 0:
            orders.append((Kind.REDUCE, a, 0))
    batch = rows(len(orders))
    for r, (kind, a, amount) in enumerate(orders):
        batch[r]["kind"], batch[r]["account"], batch[r]["amount"] = kind, a, amount
    return batch


def accounts_to_warn(pool: Pool, accounts: Column) -> Column:
    """Return those of some accounts that have come below another level, or above one."""
    if len(accounts) == 0:
        return accounts
    found = np.empty(len(accounts), dtype=np.int64)
    return found[: find_warnings(pool, accounts, found)]


def is_ending(pool: Pool) -> bool:
    """Whether a halted pool is to be settled for good now."""
    if pool.total[Total.HALTED_AT] == 0 or pool.total[Total.ENDED_AT] > 0:
        return False
    return bool(end_status(pool) == Status.OK)


def called_in(pool: Pool) -> Column:
    """Return the accounts of a pool that has ended which owe a due and hold coins."""
    count = account_count(pool)
    has_both = (pool.due[:count] > 0) & pool.balance[:count].any(axis=1)
    has_both[BACKSTOP] = False
    return np.flatnonzero(has_both)


def waiting_instruments(pool: Pool) -> list[int]:
    """Instruments in which accounts wait, and whose price deleveraging may use."""
    if pool.total[Total.WAITING] == 0:
        return []
    waiting = pool.size[: account_count(pool)][pool.step[: account_count(pool)] == DELEVERAGING]
    held = np.flatnonzero((waiting != 0).any(axis=0)).tolist()
    return [i for i in held if mark_status(pool, Action.DELEVERAGE, i) == Status.OK]


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


def warnings(accounts: Column) -> Rows:
    """Return one command to warn each of some accounts."""
    return _of_each(Kind.WARN, accounts)


def liquidations(accounts: Column) -> Rows:
    """Return one command to liquidate each of some accounts."""
    return _of_each(Kind.LIQUIDATE, accounts)


def _of_each(kind: Kind, accounts: Column) -> Rows:
    batch = rows(len(accounts))
    batch["kind"] = kind
    batch["account"] = accounts
    return batch


def run_waterfall(
    liquidator: Liquidator, pool: Pool, ahead: Ahead, execute: Callable[[Rows], BatchReceipt]
) -> list[BatchReceipt]:
    """Take a pool's accounts a step on: signed orders, liquidations, deleveraging, the end.

    Whoever stands below another level after that is told so last: no step waits for it.
    """
    unhealthy = ahead.unhealthy
    parts = [execute(batch) for batch in in_entries(ahead.protections) if len(batch)]
    if parts:
        unhealthy = liquidator.unhealthy(pool)
    parts += [execute(batch) for batch in in_entries(liquidations(unhealthy)) if len(batch)]
    parts += deleverage(pool, execute)
    if ahead.is_ending:
        end = rows(1)
        end["kind"] = Kind.END_POOL
        parts.append(execute(end))
    told = warnings(accounts_to_warn(pool, ahead.near))
    return parts + [execute(batch) for batch in in_entries(told) if len(batch)]


def in_entries(batch: Rows) -> list[Rows]:
    """Return commands, one an account, in parts of which each can be journaled."""
    starts = range(0, max(len(batch), 1), LIQUIDATIONS_MAX)
    return [batch[start : start + LIQUIDATIONS_MAX] for start in starts]
