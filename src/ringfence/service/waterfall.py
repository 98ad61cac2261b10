"""The waterfall of a pool, as pages and keepers see it: auctions, the queue, and what is left.

Figures of a moment come from frames, so nobody keeps the writer waiting; an auction's offer is
what the kernel that sells would give, and the queue is ordered as `core.ranking` orders it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.core.auction import WHOLE
from ringfence.core.health import HEALTH_MAX, ratio_ppm
from ringfence.core.margin import position_value
from ringfence.core.pool import BACKSTOP, Pool, Rule, Step, Total, account_count
from ringfence.core.ranking import LEVERAGE_MAX, Rank, lights
from ringfence.core.spec import PoolSpec
from ringfence.fixed import mul_div_ceil, mul_div_floor
from ringfence.risk.measure import OfferFigure, offer_figures
from ringfence.units import MS_NS, PPM
from ringfence.venue.receipts import decimal
from ringfence.venue.standing import Slice, slice_of

OFFERS_MAX = 200  # auctions of one pool that are told of, the oldest first
QUEUE_ROWS = 50  # of each side of an instrument
LOSS_SHARED = 8  # no step of the core's: what an account owes is lost to claims of the pool
STEP_NAMES = {
    int(Step.NONE): "none",
    int(Step.AUCTION): "auction",
    int(Step.DELEVERAGING): "deleveraging",
    LOSS_SHARED: "loss_shared",
}
NO_TARGET = "no settlement has measured a target yet"
NOT_HALTED = "the pool is not halted"

assert set(STEP_NAMES) >= set(map(int, Step))


class Offered(NamedTuple):
    """One account under auction."""

    account: int
    since_ns: int
    figures: list[int]  # as of risk.measure.OfferFigure
    parts: Slice  # that the largest bid gets


def steps_of(pool: Pool) -> Column:
    """The step of every account, loss sharing included."""
    count = account_count(pool)
    is_lost = (pool.step[:count] == Step.NONE) & (pool.uncovered[:count] > 0)
    found: Column = np.where(is_lost, LOSS_SHARED, pool.step[:count])
    return found


def offers_of(spec: PoolSpec, pool: Pool, steps: Column) -> tuple[Offered, ...]:
    """What is offered in the pool's auctions now, the oldest first."""
    found = np.flatnonzero(steps == Step.AUCTION)
    if len(found) == 0:
        return ()
    order = np.argsort(pool.step_since[found], kind="stable")
    return tuple(_offered(spec, pool, a) for a in found[order][:OFFERS_MAX].tolist())


def _offered(spec: PoolSpec, pool: Pool, a: int) -> Offered:
    figures = offer_figures(pool, a)
    share, raised = figures[OfferFigure.SHARE], figures[OfferFigure.RAISED]
    parts = slice_of(spec, pool, a, share, raised)
    return Offered(a, int(pool.step_since[a]), figures, parts)


def auction_terms(offer: Offered, rule: list[int], time_ns: int, quote: int) -> dict[str, Any]:
    """When an auction began, starts anew and ends, and what the largest bid would get of it."""
    figures, length = offer.figures, max(rule[Rule.AUCTION_NS], 1)
    turns = 1 + rule[Rule.AUCTION_RESETS]
    turn = min((time_ns - offer.since_ns) // length + 1, turns)
    resets_ns = offer.since_ns + turn * length
    share, keep = figures[OfferFigure.SHARE], figures[OfferFigure.KEEP]
    why_not = _why_not(figures)
    return {
        "is_open": why_not is None,
        "why_not": why_not,
        "started_ms": offer.since_ns // MS_NS,
        "resets_ms": resets_ns // MS_NS if turn < turns else None,
        "ends_ms": (offer.since_ns + turns * length) // MS_NS,
        "turn": turn,
        "turns": turns,
        "next": _next(figures),
        "price_share": decimal(keep, PPM),
        "discount": decimal(PPM - keep, PPM),
        "started_notional": decimal(figures[OfferFigure.STARTED], quote),
        "notional_left": decimal(figures[OfferFigure.LEFT], quote),
        "raised": decimal(figures[OfferFigure.RAISED], quote),
        "share": decimal(share, WHOLE),
        "price": decimal(mul_div_ceil(figures[OfferFigure.PRICE], share, WHOLE), quote),
        "bonus": decimal(mul_div_floor(figures[OfferFigure.BONUS], share, WHOLE), quote),
        "sizes": offer.parts.sizes,
        "balances": offer.parts.balances,
        "debt": decimal(figures[OfferFigure.DEBT], quote),
    }


def _why_not(figures: list[int]) -> str | None:
    """Why an auction takes no bids now, in the words of a venue's quote."""
    if figures[OfferFigure.IS_CURED]:
        return "it is at maintenance again"
    return "its auction is over" if figures[OfferFigure.IS_OVER] else None


def _next(figures: list[int]) -> str:
    if figures[OfferFigure.IS_CURED]:
        return "release, it is at maintenance again"
    return "the backstop takes over" if figures[OfferFigure.CAN_BE_TAKEN] else "deleveraging"


class Depth(NamedTuple):
    """How far down the waterfall a pool is, from its totals and rules."""

    total: list[int]
    rule: list[int]
    below: int  # accounts below maintenance
    auctions: int
    loss_shared: int  # accounts
    backstop_capital: int

    def fields(self, quote: int) -> dict[str, Any]:
        """Figures on the wire; quote: smallest units in one."""
        total, rule = self.total, self.rule

        def money(value: int) -> str:
            return decimal(value, quote)

        epoch, target = max(rule[Rule.EPOCH_NS], 1), total[Total.INSURANCE_TARGET]
        halted, fund = total[Total.HALTED_AT], total[Total.INSURANCE_FUND]
        unknown = {} if target else {"coverage": NO_TARGET}
        if not halted:
            unknown |= dict.fromkeys(("halted_ms", "ends_ms"), NOT_HALTED)
        day_max = mul_div_floor(fund + total[Total.INSURANCE_DRAWN], rule[_DRAW_DAY], PPM)
        return {
            "below": self.below,
            "auctions": self.auctions,
            "waiting": total[Total.WAITING],
            "loss_shared": self.loss_shared,
            "auctioned": money(total[Total.AUCTIONED]),
            "auction_cap": money(rule[Rule.AUCTION_CAP]),
            "has_auctions": rule[Rule.AUCTION_NS] > 0,
            "backstop_capital": money(self.backstop_capital),
            "backstop_shares": str(total[Total.BACKSTOP_SHARES]),
            "backstop_taken": money(total[Total.BACKSTOP_TAKEN]),
            "backstop_limit": money(rule[Rule.BACKSTOP_LIMIT]),
            "epoch_ends_ms": (total[Total.NOW_NS] // epoch + 1) * epoch // MS_NS,
            "insurance_drawn": money(total[Total.INSURANCE_DRAWN]),
            "insurance_draw_max": money(day_max),
            "insurance_target": money(target),
            "coverage": decimal(int(ratio_ppm(fund, target)), PPM) if target else None,
            "insurance_share": decimal(rule[Rule.INSURANCE_SHARE], PPM),
            "bond": money(total[Total.BOND]),
            "halt_loss": money(rule[Rule.HALT_LOSS]),
            "halted_ms": halted // MS_NS if halted else None,
            "ends_ms": (halted + rule[Rule.HALT_NS]) // MS_NS if halted else None,
            "unknown": unknown,
        }


_DRAW_DAY = Rule.INSURANCE_DRAW_DAY


class Queued(NamedTuple):
    """A place in the deleveraging queue of one side of an instrument."""

    account: int
    size: int
    value: int  # quote units of notional
    rank: Rank


def queue_of(
    sizes: Column, mark: int, divisor: int, equity: Column, *, is_long: bool
) -> list[Queued]:
    """The queue of one side of an instrument, who is cut first in front; at most QUEUE_ROWS."""
    holders = np.flatnonzero(sizes > 0 if is_long else sizes < 0).tolist()
    side = []
    for a in holders:
        size, worth = int(sizes[a]), int(equity[a])
        value = abs(int(position_value(size, mark, divisor)))
        side.append((int(ratio_ppm(value, worth)), a, size, value, max(worth, 0)))
    side.sort(key=lambda item: (-item[0], item[1]))
    return list(_places(side))


def _places(side: list[tuple[int, int, int, int, int]]) -> Iterator[Queued]:
    levels = [item[0] for item in side]
    for place, (leverage, a, size, value, _) in enumerate(side[:QUEUE_ROWS]):
        before, distance = levels.index(leverage, 0, place + 1), 0
        if leverage < LEVERAGE_MAX:
            kept = ((v, int(mul_div_floor(w, leverage, PPM))) for _, _, _, v, w in side[:before])
            distance = sum(max(v - k, 0) for v, k in kept)
        yield Queued(a, size, value, Rank(leverage, before, len(side), distance))


def queue_fields(place: Queued, quote: int) -> dict[str, Any]:
    """A place on the wire."""
    rank = place.rank
    return {
        "is_backstop": place.account == BACKSTOP,
        "notional": decimal(place.value, quote),
        "leverage": None if rank.leverage >= HEALTH_MAX else decimal(rank.leverage, PPM),
        "before": rank.before,
        "count": rank.side,
        "distance": decimal(rank.distance, quote),
        "lights": int(lights(rank)),
    }
