"""Where an account stands in the waterfall, what a keeper would get of it, and who is next.

Everything comes from the kernels that decide; nothing here changes a byte.
"""

from typing import NamedTuple

import msgspec
import numpy as np

from ringfence.core.auction import (
    WHOLE,
    is_auction_over,
    is_up_for_auction,
    keep_factor,
    offer_of,
    sold_share,
)
from ringfence.core.backstop import can_take
from ringfence.core.health import HEALTH_MAX, excess
from ringfence.core.liquidation import has_anything, is_due_called, is_finished
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Rule, Step
from ringfence.core.ranking import lights, rank
from ringfence.core.reading import scaled
from ringfence.core.spec import PoolSpec
from ringfence.fixed import mul_div_ceil, mul_div_floor
from ringfence.units import PPM, UNIT
from ringfence.venue.receipts import decimal

LEVELS = (Level.CLOSEOUT, Level.MAINTENANCE, Level.TARGET, Level.INITIAL)


class StepView(msgspec.Struct, frozen=True):
    """The step of the waterfall that an account is in: since when, why, and what comes next."""

    step: str
    since_ns: int | None
    why: str
    next: str
    ends_ns: int | None  # when the step ends by itself


class RankView(msgspec.Struct, frozen=True):
    """An account's place in the deleveraging queue of one instrument."""

    instrument: str
    leverage: str | None  # notional there over equity; null without equity: first of all
    before: int  # accounts of the side that are levered more
    count: int  # accounts of the side
    distance: str  # notional that is closed before the account is reached
    lights: int  # 1 to 5


class QuoteView(msgspec.Struct, frozen=True):
    """What a bid for an account would get now."""

    account: int
    is_open: bool  # whether its auction is running
    why_not: str | None
    price_share: str  # of its worth that a slice costs now
    share: str  # of the account that the bid gets
    largest_share: str  # that reaches the target
    price: str  # what the bid pays
    bonus: str  # worth of the slice above its price
    sizes: dict[str, str]  # what it gets of each position
    balances: dict[str, str]  # of each asset, cash before the price is paid
    debt_shares: str  # and what it takes on
    ends_ns: int | None


def _auction_end(pool: Pool, a: int) -> int:
    turns = 1 + int(pool.rule[Rule.AUCTION_RESETS])
    return int(pool.step_since[a]) + turns * int(pool.rule[Rule.AUCTION_NS])


def _level(spec: PoolSpec, pool: Pool, a: int) -> str:
    for level in LEVELS:
        missing = -int(excess(pool, a, level))
        if missing > 0:
            amount = decimal(missing, 10**spec.settlement_decimals)
            return f"{amount} {spec.settlement} below {level.name.lower()}"
    return "above initial margin"


def _can_be_taken(pool: Pool, a: int) -> bool:
    return all(can_take(pool, int(i), int(pool.size[a, i])) for i in np.flatnonzero(pool.size[a]))


def _after_nothing(pool: Pool, a: int) -> str:
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        if is_due_called(pool, a):
            return "its coins go for its due, since the pool has ended"
        return "nothing, while the account stays at maintenance"
    if is_finished(pool, a):
        return "nothing; what it owes is collected when cash comes in"
    if not has_anything(pool, a):
        return "what it owes is recorded as lost"
    if is_up_for_auction(pool, a):
        return "an auction of slices"
    return "the backstop takes over" if _can_be_taken(pool, a) else "deleveraging"


def step_view(spec: PoolSpec, pool: Pool, a: int) -> StepView:
    """Return the step that an account is in."""
    step, since = Step(int(pool.step[a])), int(pool.step_since[a])
    why = _level(spec, pool, a)
    if a == BACKSTOP:
        return StepView("backstop", None, why, "it sells what it took over", None)
    if step == Step.AUCTION:
        after = "the backstop takes over" if _can_be_taken(pool, a) else "deleveraging"
        is_cured = excess(pool, a, Level.MAINTENANCE) >= 0
        after = "release, it is at maintenance again" if is_cured else after
        return StepView("auction", since, why, after, _auction_end(pool, a))
    if step == Step.DELEVERAGING:
        why = f"{why}; the backstop's limits do not allow it to take over"
        return StepView("deleveraging", since, why, "it is closed against the other side", None)
    if pool.uncovered[a] > 0:
        lost = decimal(int(pool.uncovered[a]), 10**spec.settlement_decimals)
        why = f"{lost} {spec.settlement} of its due are lost to claims of this pool"
        return StepView("loss_shared", None, why, _after_nothing(pool, a), None)
    return StepView("none", None, why, _after_nothing(pool, a), None)


def rank_views(spec: PoolSpec, pool: Pool, a: int) -> tuple[RankView, ...]:
    """Return the account's place in the queue of each instrument it holds."""
    views = []
    for i in np.flatnonzero(pool.size[a]).tolist():
        place = rank(pool, a, i)
        views.append(
            RankView(
                instrument=spec.instruments[i].name,
                leverage=None if place.leverage >= HEALTH_MAX else decimal(place.leverage, PPM),
                before=place.before,
                count=place.side,
                distance=decimal(place.distance, 10**spec.settlement_decimals),
                lights=lights(place),
            )
        )
    return tuple(views)


def _why_closed(pool: Pool, a: int) -> str | None:
    if pool.step[a] != Step.AUCTION:
        return "it is not under auction"
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        return "it is at maintenance again"
    return "its auction is over" if is_auction_over(pool, a) else None


class Slice(NamedTuple):
    """What a share of an account holds, by instrument and by asset."""

    sizes: dict[str, str]
    balances: dict[str, str]  # cash before the price is paid


def slice_of(spec: PoolSpec, pool: Pool, a: int, share: int, raised: int) -> Slice:
    """Return what a bid gets with a share of an account, but for what its auction has raised."""
    sizes = {}
    for i in np.flatnonzero(pool.size[a]).tolist():
        size, lot = int(pool.size[a, i]), int(pool.lot[i])
        part = mul_div_ceil(abs(size) // lot, share, WHOLE) * lot
        sizes[spec.instruments[i].name] = decimal(part if size > 0 else -part, UNIT)
    scales = [10**spec.settlement_decimals, *([UNIT] * len(spec.collateral))]
    held = pool.balance[a].tolist()
    held[CASH] -= raised
    parts = [mul_div_floor(amount, share, WHOLE) for amount in held]
    amounts = zip(spec.assets(), parts, scales, strict=True)
    return Slice(sizes, {asset: decimal(part, scale) for asset, part, scale in amounts})


def quote_view(spec: PoolSpec, pool: Pool, a: int, share: str) -> QuoteView:
    """Return what a bid for at most a share of an account would get now.

    Raises:
        ValueError: The share is no decimal.
    """
    offer = offer_of(pool, a)
    sold = sold_share(pool, a, scaled(share, WHOLE), offer)
    cash = 10**spec.settlement_decimals
    parts = slice_of(spec, pool, a, sold, offer.raised)
    why_not = _why_closed(pool, a)
    return QuoteView(
        account=a,
        is_open=why_not is None,
        why_not=why_not,
        price_share=decimal(keep_factor(pool, a), PPM),
        share=decimal(sold, WHOLE),
        largest_share=decimal(offer.largest, WHOLE),
        price=decimal(mul_div_ceil(offer.price, sold, WHOLE), cash),
        bonus=decimal(mul_div_floor(offer.bonus, sold, WHOLE), cash),
        sizes=parts.sizes,
        balances=parts.balances,
        debt_shares=str(mul_div_ceil(int(pool.debt_shares[a]), sold, WHOLE)),
        ends_ns=_auction_end(pool, a) if pool.step[a] == Step.AUCTION else None,
    )
