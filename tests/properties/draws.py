"""Commands of the waterfall as a history draws them; h is the history."""

from typing import Any

import numpy as np

from ringfence.core.auction import WHOLE
from ringfence.core.command import Kind
from ringfence.core.pool import CASH, Step

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
