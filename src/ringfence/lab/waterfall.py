"""The book of a waterfall: what each step of it paid in one pool, and that it adds up.

Written from the events alone, then held against the pool, which has come to the same sums by
other ways: what insurance paid and the shortfall stand in its totals, what losers gave up in
size their winners took, what winners gave up in gain relieved a loser, and the invariants
of the pool account for all of its money.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringfence.core.command import Happening
from ringfence.core.invariants import broken_invariants
from ringfence.core.pool import Pool, Total

SHARE_UNIT = 10**9  # of a slice of an account

# Those who can bear a loss, in the order in which they are asked.
BEARERS = ("accounts", "insurance fund", "winners' gains", "claims and lenders", "creator's bond")
STEPS = (
    *("none", "auction", "backstop", "insurance", "deleveraging", "loss sharing", "halt"),
    "final settlement",
)


@dataclass
class Paid:
    """What the steps of a pool, or of many, did so far; in quote units but for the counts."""

    added: int = 0  # out of budgets of wallets that their owners had signed
    reduced: int = 0  # notional of positions reduced by orders of their owners
    steps: int = 0  # events that took something from an account
    auctions: int = 0  # begun
    auctioned: int = 0  # notional and debt of slices sold, at what it was when they began
    raised: int = 0  # what bidders paid
    notional: int = 0  # of positions moved to the backstop
    debt: int = 0  # moved to the backstop with collateral
    bonus: int = 0  # equity that liquidated accounts left to bidders and backstop
    fee: int = 0  # and to the insurance fund
    insurance: int = 0  # paid by the insurance fund
    deleveraged: int = 0  # notional closed against the other side
    given_up: int = 0  # gains of the other side that relieved bankrupt accounts
    shortfall: int = 0  # left to claims of winners and to lenders
    halts: int = 0  # pools that have lost too much to go on
    bond: int = 0  # of their creators, gone into their insurance funds
    bond_used: int = 0  # of it, the first that insurance pays after the halt
    ends: int = 0  # pools settled for good
    final: int = 0  # claims paid by that
    unpaid: int = 0  # claims that are left after it

    @property
    def closed(self) -> int:
        """Everything that was closed by force."""
        return self.auctioned + self.notional + self.debt + self.deleveraged

    def deepest(self) -> str:
        """The deepest step that was gone down to."""
        reached = (
            1,
            self.auctions,
            self.notional + self.debt,
            self.insurance,
            self.deleveraged,
            self.shortfall,
            self.halts,
            self.ends,
        )
        return next(s for s, n in zip(STEPS[::-1], reached[::-1], strict=True) if n)

    def borne(self) -> dict[str, int]:
        """Who bore what, in quote units: what accounts paid, then each loss once."""
        fund = self.insurance - self.bond_used
        values = (self.bonus + self.fee, fund, self.given_up, self.shortfall, self.bond_used)
        return dict(zip(BEARERS, values, strict=True))


def total_of(books: Sequence["Book"]) -> Paid:
    """What the steps of many pools did together."""
    return Paid(**{n: sum(getattr(b.paid, n) for b in books) for n in Paid.__annotations__})


class Book:
    """What the steps did in one pool, event by event."""

    def __init__(self) -> None:
        self.paid = Paid()
        self.accounts: set[int] = set()  # from whom a step took something
        self.reduced: set[int] = set()  # by an order of the owner
        self._in_auction: dict[int, int] = {}  # what is left of the notional, by account
        self._check = dict.fromkeys(("given", "taken", "relieved"), 0)

    def note(self, events: NDArray[np.void]) -> None:
        """Enter events of the pool, in their order."""
        for event in events:
            kind = Happening(int(event["kind"]))
            for name, column in _ENTRIES.get(kind, {}).items():
                if name in self._check:
                    self._check[name] += int(event[column])
                else:
                    setattr(self.paid, name, getattr(self.paid, name) + int(event[column]))
            self._note_account(kind, event)
            self._note_end(kind, event)

    def _note_account(self, kind: Happening, event: np.void) -> None:
        """Follow auctions, and remember from whom something was taken."""
        a = int(event["account"])
        if kind == Happening.AUCTION_STARTED:
            self.paid.auctions += 1
            self._in_auction[a] = int(event["value"])
        elif kind == Happening.SLICE_SOLD:
            self._sell(a, int(event["size"]))
        elif kind == Happening.POSITION_REDUCED:
            self.reduced.add(a)
        if kind in _TAKING:
            self.paid.steps += 1
            self.accounts.add(a)

    def _note_end(self, kind: Happening, event: np.void) -> None:
        """Follow halts, the bond, and claims that are left at the end and get paid later."""
        paid = self.paid
        insured = int(event[_INSURED[kind]]) if kind in _INSURED else 0
        paid.bond_used += min(insured, paid.bond - paid.bond_used)
        paid.halts += kind == Happening.POOL_HALTED
        paid.shortfall -= int(event["value"]) if kind == Happening.CLAIMS_COVERED else 0
        if kind == Happening.POOL_ENDED:
            paid.ends = 1
        if paid.ends and kind in (Happening.POOL_ENDED, Happening.CLAIMS_PAID):
            paid.unpaid = int(event["shortfall"])

    def _sell(self, a: int, share: int) -> None:
        left = self._in_auction.get(a, 0)
        sold = left * share // SHARE_UNIT
        self._in_auction[a] = left - sold
        self.paid.auctioned += sold

    def problems(self, pool: Pool, held: Sequence[int]) -> Iterator[str]:
        """Say in a sentence what does not add up; nothing when all does.

        held: what the owners of the pool have deposited less withdrawn, by asset.
        """
        paid, check = self.paid, self._check
        for what, mine, other, its in (
            ("insurance paid", paid.insurance, "the pool", int(pool.total[Total.INSURANCE_PAID])),
            ("shortfall", paid.shortfall, "the pool", int(pool.total[Total.SHORTFALL])),
            ("size that losers gave", check["given"], "their winners", -check["taken"]),
            ("gain that winners gave up", paid.given_up, "their losers", check["relieved"]),
        ):
            if mine != its:
                yield f"{what}: the events sum to {mine}, {other} say {its}"
        claims = int(pool.claim.sum())
        if paid.ends and claims > paid.unpaid:
            yield f"claims after the end: the events leave {paid.unpaid}, the pool has {claims}"
        yield from broken_invariants(pool, held)


# What each kind of event adds to which sum.
_COSTS = {"bonus": "bonus", "fee": "fee"}
_ENTRIES: dict[int, dict[str, str]] = {
    Happening.SLICE_SOLD: {"raised": "value", **_COSTS},
    Happening.BUDGET_ADDED: {"added": "value"},
    Happening.POSITION_REDUCED: {"reduced": "value", **_COSTS},
    Happening.POSITION_LIQUIDATED: {"notional": "value", **_COSTS},
    Happening.COLLATERAL_LIQUIDATED: {"debt": "value", **_COSTS},
    Happening.SHORTFALL_RECORDED: {
        "insurance": "insurance",
        "shortfall": "shortfall",
        "relieved": "value",
    },
    Happening.DUE_COVERED: {"insurance": "value"},
    Happening.POSITION_DELEVERAGED: {"deleveraged": "value", "given": "size", **_COSTS},
    Happening.POOL_HALTED: {"bond": "value"},
    Happening.CLAIMS_COVERED: {"insurance": "insurance", "shortfall": "shortfall"},
    Happening.POOL_ENDED: {"final": "value"},
    Happening.WINNER_DELEVERAGED: {"given_up": "shortfall", "taken": "size"},
}
# Where an event says what insurance has paid.
_INSURED = {
    Happening.SHORTFALL_RECORDED: "insurance",
    Happening.DUE_COVERED: "value",
    Happening.CLAIMS_COVERED: "insurance",
}
_TAKING = (
    Happening.SLICE_SOLD,
    Happening.POSITION_LIQUIDATED,
    Happening.COLLATERAL_LIQUIDATED,
    Happening.POSITION_DELEVERAGED,
)
