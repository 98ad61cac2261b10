"""Commands of the waterfall and of governance as a history draws them; h is the history."""

from typing import Any

import numpy as np
from tests.properties.running import parameter_now

from ringfence.core.auction import WHOLE
from ringfence.core.command import Kind
from ringfence.core.health import excess
from ringfence.core.pool import CASH, Level, Rule, Step, Total
from ringfence.units import SECOND_NS

Fields = dict[str, int]


def deleverage(h: Any) -> Fields:
    """Close who waits in some instrument."""
    return {"instrument": h._instrument(), "amount": h.rng.choice((0, 0, 1, 2))}


def bid(h: Any) -> Fields:
    """A bid for an account that is under auction, if any is."""
    offered = np.flatnonzero(h.pool.step == Step.AUCTION).tolist() or [h._account()]
    a = h.rng.choice(offered)
    share = h.rng.choice((WHOLE, h.rng.randrange(1, WHOLE), 1))
    least = h.rng.choice((0, 0, 0, h.rng.randrange(1, h._quote(50))))
    return {"account": h._account(a), "other": a, "amount": share, "size": least}


def supply_backstop(h: Any) -> Fields:
    """Capital for the backstop."""
    return h._of_account(Kind.SUPPLY_BACKSTOP, "balance", h._account(), CASH)


def redeem_backstop(h: Any) -> Fields:
    """Capital back."""
    return h._of_account(Kind.REDEEM_BACKSTOP, "backstop_shares", h._account())


def buy_from_backstop(h: Any) -> Fields:
    """A part of what the backstop holds."""
    held = np.flatnonzero(h.pool.size[0]).tolist() or [h._instrument()]
    i = h.rng.choice(held)
    fields = {"kind": int(Kind.BUY_FROM_BACKSTOP), "account": h._account(), "instrument": i}
    if not len(h.pool.mark_price):
        return fields
    lot, size = int(h.pool.lot[i]), int(h.pool.size[0, i])
    side = lot if size > 0 else -lot
    lots = max(abs(size) // lot // 4, 1)
    return fields | {"size": h._amount(lots, fields, "size", 10**7, side)}


def buy_collateral(h: Any) -> Fields:
    """Some of the backstop's coins."""
    c = h._asset()
    fields = {"kind": int(Kind.BUY_COLLATERAL), "account": h._account(), "asset": c}
    held = max(int(h.pool.balance[0, c]) // 4, 1)
    return fields | {"amount": h._amount(held, fields, "amount", held + 2)}


def fund_bond(h: Any) -> Fields:
    """A little of an account's cash for the bond."""
    fields = h._of_account(Kind.FUND_BOND, "balance", h._account(), CASH)
    return fields | {"amount": fields["amount"] // 8}


def release_bond(h: Any) -> Fields:
    """Some of the bond, to anybody."""
    bond = int(h.pool.total[Total.BOND])
    return {"account": h._account(), "amount": h.rng.randrange(-1, bond + 2)}


def below_target(h: Any) -> int:
    """An account below target, or any if there is none."""
    accounts = range(1, len(h.pool.owner))
    weak = [a for a in accounts if excess(h.pool, a, Level.TARGET) < 0]
    return int(h.rng.choice(weak)) if weak else int(h._account())


def protect(h: Any) -> Fields:
    """A protective order."""
    budget = h.rng.choice((0, h._quote(10), h._quote(100_000)))
    return {"account": h._account(), "amount": budget, "size": h.rng.choice((0, 1, 1, 2))}


def top_up(h: Any) -> Fields:
    """A use of a protective order's budget."""
    guarded = np.flatnonzero(h.pool.protect_budget).tolist()
    a = h.rng.choice(guarded) if guarded and h.rng.random() < 0.7 else below_target(h)
    missing = max(-int(excess(h.pool, a, Level.TARGET)), 0)
    return {
        "account": a,
        "amount": min(missing, int(h.pool.protect_budget[a])) + h.rng.choice((0, 0, 1)),
    }


def weak(h: Any) -> Fields:
    """An account that is worth a warning, or a reduction."""
    return {"account": below_target(h)}


def announce(h: Any) -> Fields:
    """A change of a parameter, at or around its bounds and its notice."""
    rng, pool = h.rng, h.pool
    parameter = rng.choice((*Rule, *range(64, 76)))
    low, high = int(pool.bound_min[parameter]), int(pool.bound_max[parameter])
    index = 0 if parameter < 64 else rng.randrange(len(pool.mark_price) + 6)
    value = rng.choice((low, high, low - 1, high + 1, rng.randint(low, high)))
    now = parameter_now(pool, parameter, index)
    if now is not None and rng.random() < 0.7:
        value = now * rng.choice((50, 90, 99, 101, 110, 150)) // 100
    start = h.now + int(pool.rule[Rule.CHANGE_DELAY_NS])
    start += rng.choice((-1, 0, 1, 600 * SECOND_NS))
    ramp = int(pool.rule[Rule.RAMP_NS]) * rng.choice((1, 1, 2)) + rng.choice((-1, 0, 1))
    change = {"asset": int(parameter), "instrument": index, "amount": value}
    return change | {"size": start, "price": rng.choice((ramp, ramp, 0))}


def cancel(h: Any) -> Fields:
    """A pending change, or one that is none."""
    return {"instrument": h.rng.randrange(-1, 4)}
