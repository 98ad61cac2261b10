"""Auto-deleveraging: waiting accounts are closed against the most levered of the other side.

Everything closes at the mark. A loser who is bankrupt after that and after what the insurance
fund pays is relieved by the uncollected gains of those who were closed against him, in
proportion to the lots they gave: that makes his bankruptcy price theirs, bounded by the mark
on one side and by their own gain on the other, so that no principal pays. What their gains
do not cover stays a due.

First pass over the other side: only what no other leg of the account hedges; second pass: the
rest. Whoever has no equity is cut before all others, account 0 among them.
"""

from typing import NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.command import Happening
from ringfence.core.health import equity, excess, has_position
from ringfence.core.liquidation import finish, part_to_close, unhedged_lots
from ringfence.core.log import COUNT, DELEVERAGED_MAX, EVENTS_OF_LOSER, Log
from ringfence.core.margin import part_of, position_value
from ringfence.core.pool import Level, Pool, Rule, Step, Total
from ringfence.core.receipt import finish_event, start_event
from ringfence.core.settlement import charge, settle_account
from ringfence.core.status import Status
from ringfence.core.steps import leave_if_cured, leave_step
from ringfence.core.terms import Terms, terms_for
from ringfence.core.trading import move_position
from ringfence.core.validity import Action, mark_status
from ringfence.core.waterfill import cuts, scaled_to_fit
from ringfence.fixed import mul_div_floor
from ringfence.separate import separate
from ringfence.units import PPM


class Book(NamedTuple):
    """Who is closed in one instrument, and by how much; [k] each, by number of the account."""

    losers: Column
    parts: Column  # signed sizes
    winners: Column
    lots: Column
    needed: int  # lots


@kernel
def loser_terms(pool: Pool, a: int, i: int) -> Terms:
    """No bonus, for nobody takes a risk; the fee as in a liquidation."""
    value = abs(position_value(pool.size[a, i], pool.mark_price[i], pool.value_divisor[0]))
    terms = terms_for(pool, equity(pool, a), value, PPM)
    return Terms(0, min(pool.rule[Rule.LIQUIDATION_FEE], terms.bonus + terms.fee))


@kernel
def waiting_losers(pool: Pool, i: int, side: int, most: int) -> tuple[Column, Column, int]:
    """Accounts that wait with a position on one side, what of it has to close, lots of all."""
    count = min(pool.total[Total.WAITING], most)
    losers, parts = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    found, needed = 0, 0
    for a in range(pool.total[Total.ACCOUNTS]):
        if found == count:
            break
        if pool.step[a] != Step.DELEVERAGING or pool.size[a, i] * side <= 0:
            continue
        if excess(pool, a, Level.MAINTENANCE) >= 0:
            continue
        losers[found] = a
        parts[found] = part_to_close(pool, a, i, loser_terms(pool, a, i))
        needed += abs(parts[found]) // pool.lot[i]
        found += 1
    return losers[:found].copy(), parts[:found].copy(), needed


@kernel
def other_side(pool: Pool, i: int, side: int) -> Column:
    """Everybody whose position is opposite to a side, by number."""
    count = 0
    for a in range(pool.total[Total.ACCOUNTS]):
        count += pool.size[a, i] * side < 0
    found, k = np.zeros(count, dtype=np.int64), 0
    for a in range(pool.total[Total.ACCOUNTS]):
        if pool.size[a, i] * side < 0:
            found[k] = a
            k += 1
    return found


@kernel
def winners_cut(pool: Pool, i: int, winners: Column, needed: int) -> Column:
    """Lots that each of the other side gives, unhedged ones first."""
    free, rest = np.zeros(winners.size, dtype=np.int64), np.zeros(winners.size, dtype=np.int64)
    equities, total = np.zeros(winners.size, dtype=np.int64), 0
    for k in range(winners.size):
        a = winners[k]
        free[k] = unhedged_lots(pool, a, i)
        rest[k] = abs(pool.size[a, i]) // pool.lot[i] - free[k]
        equities[k] = equity(pool, a)
        total += free[k]
    if total >= needed:
        return cuts(free, equities, needed)
    return free + cuts(rest, equities, needed - total)


@kernel
def book_of(pool: Pool, i: int, side: int, most: int) -> Book:
    """Everything that closes on one side of an instrument; reads, writes nothing."""
    losers, parts, needed = waiting_losers(pool, i, side, most)
    if needed == 0:
        return Book(losers, parts, losers[:0].copy(), losers[:0].copy(), 0)
    winners = other_side(pool, i, side)
    return Book(losers, parts, winners, winners_cut(pool, i, winners, needed), needed)


@kernel
def events_of(pool: Pool, book: Book) -> int:
    """Events that closing a book records at most, whoever of the other side is cut."""
    each = EVENTS_OF_LOSER + pool.asset_underlying.size
    count = book.losers.size * each + book.winners.size
    for k in range(book.winners.size):
        if pool.step[book.winners[k]] == Step.DELEVERAGING:
            count += each
    return count


@kernel
def close_winners(pool: Pool, i: int, side: int, book: Book, log: Log) -> Column:
    """Close what the other side gives, at the mark; return the row of each one's event."""
    rows = np.full(book.winners.size, -1, dtype=np.int64)
    for k in range(book.winners.size):
        if book.lots[k] == 0:
            continue
        a, size = book.winners[k], side * book.lots[k] * pool.lot[i]
        rows[k] = start_event(pool, a, log, Happening.WINNER_DELEVERAGED, i)
        value = position_value(size, pool.mark_price[i], pool.value_divisor[0])
        move_position(pool, a, i, size, value)
        event = log.events[rows[k]]
        event["size"] = -size
        event["price"] = pool.mark_price[i]
        event["value"] = abs(value)
    return rows


@kernel
def close_loser(pool: Pool, i: int, a: int, part: int, log: Log) -> None:
    """Close a part of a waiting account's position at the mark, for a fee."""
    e = start_event(pool, a, log, Happening.POSITION_DELEVERAGED, i)
    value = position_value(part, pool.mark_price[i], pool.value_divisor[0])
    fee = part_of(abs(value), loser_terms(pool, a, i).fee)
    settle_account(pool, a)
    move_position(pool, a, i, -part, -value)
    charge(pool, a, fee)
    event = log.events[e]
    event["size"] = part
    event["price"] = pool.mark_price[i]
    event["value"] = abs(value)
    event["fee"] = fee
    event["publish_time_ns"] = pool.publish_time[pool.instrument_underlying[i]]
    finish_event(pool, a, log, e)


@kernel
def close_losers(pool: Pool, i: int, book: Book, log: Log) -> Column:
    """Close the waiting accounts' parts; return the row of each shortfall that is left, or -1."""
    rows = np.full(book.losers.size, -1, dtype=np.int64)
    for k in range(book.losers.size):
        a = book.losers[k]
        close_loser(pool, i, a, book.parts[k], log)
        if excess(pool, a, Level.TARGET) >= 0 or not has_position(pool, a):
            leave_step(pool, a)
        if not has_position(pool, a) and excess(pool, a, Level.TARGET) < 0:
            finish(pool, a, log)
            last = log.position[COUNT] - 1
            if log.events[last]["kind"] == Happening.SHORTFALL_RECORDED and pool.due[a] > 0:
                rows[k] = last
    return rows


@kernel
def give_up_gains(pool: Pool, book: Book, rows: Column, wanted: int, log: Log) -> int:
    """Take up to an amount from the claims of those who gave lots, by lots; return how much.

    Shares round down; whoever has no more claim drops out and the others share again. A rest
    too small to share goes out one unit each, lowest number first.
    """
    weights, left = scaled_to_fit(book.lots), wanted
    while left > 0:
        total, moved, before = 0, 0, left
        for k in range(weights.size):
            if rows[k] >= 0 and pool.claim[book.winners[k]] > 0:
                total += max(weights[k], 1)
        if total == 0:
            break
        for k in range(weights.size):
            a = book.winners[k]
            if rows[k] < 0 or pool.claim[a] == 0 or moved == before:
                continue
            share = max(
                mul_div_floor(before, max(weights[k], 1), total), 1 if before < total else 0
            )
            given = min(share, pool.claim[a], before - moved)
            pool.claim[a] -= given
            log.events[rows[k]]["shortfall"] += given
            moved += given
        left -= moved  # by one at least: the first claim gives one unit or more
    return wanted - left


@kernel
def relieve_losers(pool: Pool, book: Book, rows: Column, given: int, log: Log) -> None:
    """Let gains that were given up pay the dues of bankrupt accounts, lowest number first."""
    for k in range(book.losers.size):
        if rows[k] < 0:
            continue
        a = book.losers[k]
        paid = min(given, pool.due[a], log.events[rows[k]]["shortfall"])
        given -= paid
        pool.due[a] -= paid
        pool.uncovered[a] = pool.due[a]
        pool.total[Total.SHORTFALL] -= paid
        event = log.events[rows[k]]
        event["shortfall"] -= paid
        event["value"] = paid
        finish_event(pool, a, log, rows[k])


@kernel
def close_book(pool: Pool, i: int, side: int, book: Book, log: Log) -> None:
    """Close everything in the book, and share what bankrupt accounts cannot pay."""
    winner_rows = close_winners(pool, i, side, book, log)
    loser_rows = close_losers(pool, i, book, log)
    missing = 0
    for k in range(book.losers.size):
        if loser_rows[k] >= 0:
            due = pool.due[book.losers[k]]
            missing += min(due, log.events[loser_rows[k]]["shortfall"])
    given = give_up_gains(pool, book, winner_rows, missing, log)
    relieve_losers(pool, book, loser_rows, given, log)
    for k in range(book.winners.size):
        a = book.winners[k]
        if winner_rows[k] >= 0:
            finish_event(pool, a, log, winner_rows[k])
            leave_if_cured(pool, a)
            if pool.step[a] == Step.DELEVERAGING and not has_position(pool, a):
                leave_step(pool, a)  # it waited itself, and this was its end
                finish(pool, a, log)


@separate
def deleverage(pool: Pool, i: int, most: int, log: Log) -> Status:
    """Close accounts that wait with a position in an instrument, at most so many a side.

    Checks, in order: INSTRUMENT_DOES_NOT_EXIST, AMOUNT_MUST_BE_POSITIVE (0 stands for all),
    PRICE_IS_NOT_USABLE, VALUATION_IS_NOT_USABLE, NOTHING_TO_DELEVERAGE, TOO_MANY_AT_ONCE (for
    one journal entry).
    """
    if i < 0 or i >= pool.mark_price.size:
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if most < 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    status = mark_status(pool, Action.DELEVERAGE, i)
    if status != Status.OK:
        return status
    if pool.total[Total.WAITING] == 0:
        return Status.NOTHING_TO_DELEVERAGE
    most = pool.total[Total.ACCOUNTS] if most == 0 else most
    longs, shorts = book_of(pool, i, 1, most), book_of(pool, i, -1, most)
    if longs.needed + shorts.needed == 0:
        return Status.NOTHING_TO_DELEVERAGE
    # The second side may need less than it did: the first one's winners can be its losers.
    if events_of(pool, longs) + events_of(pool, shorts) >= DELEVERAGED_MAX:
        return Status.TOO_MANY_AT_ONCE
    close_book(pool, i, 1, longs, log)
    if shorts.needed > 0:
        close_book(pool, i, -1, book_of(pool, i, -1, most), log)
    return Status.OK
