"""Dutch auction of pro-rata slices of an account: legs, collateral, cash and debt alike.

With worth W, cash B that the auction has raised, excess X at target (negative), and the
share d of its worth that a slice costs now, a slice f of everything but B

    costs            price(f) = f d (W - B)
    reaches target   at f = X / (X - (d W + (1 - d) B))

d falls in a straight line from start to floor, as often as the pool's rules say. After that
nothing is sold any more, whether or not somebody has asked for the next step. A price is never
negative and a slice is sold only while W > B, so an auction cannot make a loss, and its buyer
stands at or above initial margin afterwards. Legs round up to whole lots, and so do debt, due
and price; what else the buyer gets rounds down: all against the buyer.

Source of the slice: Derive (Lyra v2), DutchAuction.sol, solvent auctions.
"""

from typing import NamedTuple

from ringfence.compiled import formula, kernel
from ringfence.core.backstop import gross_notional
from ringfence.core.command import Happening
from ringfence.core.health import debt_of, equity, excess, health_factor, worth
from ringfence.core.log import Log
from ringfence.core.margin import position_value
from ringfence.core.pool import CASH, Level, Pool, Rule, Step, Total
from ringfence.core.receipt import finish_event, start_event
from ringfence.core.settlement import add_cash, collect_due, realise, settle_account
from ringfence.core.status import Status
from ringfence.core.steps import enter_step, leave_if_cured
from ringfence.core.trading import is_reduction, move_position
from ringfence.core.undo import RAISED, Remembered, remember, restore
from ringfence.core.validity import Action, exposure_status
from ringfence.fixed import DIVISOR_MAX, mul_div_ceil, mul_div_floor
from ringfence.separate import separate
from ringfence.units import PPM, SECOND_NS

WHOLE = 10**9  # a share of an account in full
MILLISECOND_NS = SECOND_NS // 1000


class Offer(NamedTuple):
    """What a slice of an account costs now."""

    keep: int  # ppm of its worth that a slice costs
    raised: int  # quote units of cash that are not part of any slice
    price: int  # quote units of the whole of the rest
    largest: int  # share in 1e-9 that reaches the target
    bonus: int  # quote units: worth of the whole of the rest above its price


@formula
def auction_notional(pool: Pool, a: int) -> int:
    """What an account counts for in the cap of all auctions: its notional and its debt."""
    return gross_notional(pool, a) + debt_of(pool, pool.debt_shares[a])


@kernel
def is_up_for_auction(pool: Pool, a: int) -> bool:
    """Whether an account below maintenance is auctioned: solvent, above closeout, cap kept."""
    if pool.rule[Rule.AUCTION_NS] == 0:
        return False
    if excess(pool, a, Level.CLOSEOUT) < 0 or worth(pool, a) <= 0:
        return False
    if pool.step[a] == Step.AUCTION:
        return True
    other = pool.total[Total.AUCTIONED]
    return other + auction_notional(pool, a) <= pool.rule[Rule.AUCTION_CAP]


@kernel
def is_auction_over(pool: Pool, a: int) -> bool:
    """Whether the auction has gone from start to floor as often as it may."""
    elapsed = pool.total[Total.NOW_NS] - pool.step_since[a]
    turns = 1 + pool.rule[Rule.AUCTION_RESETS]
    return elapsed >= turns * pool.rule[Rule.AUCTION_NS]


@kernel
def keep_factor(pool: Pool, a: int) -> int:
    """Share of its worth that a slice costs now, in ppm; it starts anew at every reset."""
    start, floor = pool.rule[Rule.AUCTION_START], pool.rule[Rule.AUCTION_FLOOR]
    length = pool.rule[Rule.AUCTION_NS]
    elapsed = pool.total[Total.NOW_NS] - pool.step_since[a]
    if length == 0 or is_auction_over(pool, a):
        return floor
    # Whole milliseconds keep the divisor small.
    done, whole = elapsed % length // MILLISECOND_NS, max(length // MILLISECOND_NS, 1)
    return start - mul_div_floor(start - floor, min(done, whole), whole)


@kernel
def start_auction(pool: Pool, a: int, log: Log) -> None:
    """Offer slices of an account from now on."""
    enter_step(pool, a, Step.AUCTION)
    pool.auction_notional[a] = auction_notional(pool, a)
    pool.total[Total.AUCTIONED] += pool.auction_notional[a]
    e = start_event(pool, a, log, Happening.AUCTION_STARTED, -1)
    log.events[e]["price"] = keep_factor(pool, a)
    log.events[e]["value"] = pool.auction_notional[a]
    finish_event(pool, a, log, e)


@kernel
def offer_of(pool: Pool, a: int) -> Offer:
    """What slices of an account cost now, and the largest that is sold."""
    keep = keep_factor(pool, a)
    raised = min(pool.auction_raised[a], pool.balance[a, CASH])
    rest = worth(pool, a) - raised
    price = mul_div_ceil(max(rest, 0), keep, PPM)
    missing = -excess(pool, a, Level.TARGET)
    if missing <= 0:
        return Offer(keep, raised, price, 0, max(rest, 0) - price)
    divisor = missing + price + raised
    while divisor > DIVISOR_MAX:
        missing, divisor = (missing + 1) // 2, divisor // 2
    largest = min(mul_div_ceil(missing, WHOLE, divisor), WHOLE)
    if left_over(pool, a, largest) < pool.rule[Rule.DUST]:
        largest = WHOLE
    return Offer(keep, raised, price, largest, max(rest, 0) - price)


@kernel
def left_over(pool: Pool, a: int, share: int) -> int:
    """Notional and debt of the account that a sold share would leave."""
    return mul_div_floor(auction_notional(pool, a), WHOLE - share, WHOLE)


@kernel
def move_slice(pool: Pool, a: int, b: int, share: int, offer: Offer) -> None:
    """Move a share of account a to account b, and its price back; all rounded against b."""
    for i in range(pool.mark_price.size):
        size = pool.size[a, i]
        if size != 0:
            lots = mul_div_ceil(abs(size) // pool.lot[i], share, WHOLE)
            part = lots * pool.lot[i] if size > 0 else -lots * pool.lot[i]
            value = position_value(part, pool.mark_price[i], pool.value_divisor[0])
            move_position(pool, a, i, -part, -value)
            move_position(pool, b, i, part, value)
    for c in range(CASH + 1, pool.asset_underlying.size):
        amount = mul_div_floor(pool.balance[a, c], share, WHOLE)
        pool.balance[a, c] -= amount
        pool.balance[b, c] += amount
    shares = mul_div_ceil(pool.debt_shares[a], share, WHOLE)
    pool.debt_shares[a] -= shares
    pool.debt_shares[b] += shares
    move_cash(pool, a, b, share, offer)


@kernel
def move_cash(pool: Pool, a: int, b: int, share: int, offer: Offer) -> None:
    """Move a share of the account's cash, claim and due, and the price of the slice."""
    cash = mul_div_floor(pool.balance[a, CASH] - offer.raised, share, WHOLE)
    claim = mul_div_floor(pool.claim[a], share, WHOLE)
    due = mul_div_ceil(pool.due[a], share, WHOLE)
    paid = mul_div_ceil(offer.price, share, WHOLE)
    add_cash(pool, a, paid - cash)
    add_cash(pool, b, cash - paid)
    pool.claim[a] -= claim
    realise(pool, b, claim)
    pool.due[a] -= due
    pool.uncovered[a] = min(pool.uncovered[a], pool.due[a])
    realise(pool, b, -due)
    collect_due(pool, a)
    collect_due(pool, b)
    pool.auction_raised[a] += paid


@kernel
def bidder_status(pool: Pool, b: int, before: Remembered) -> Status:
    """Rules for a bidder that already has the slice: its cash, its limits, its margin."""
    if pool.balance[b, CASH] < 0:
        return Status.EXCEEDS_BALANCE
    for i in range(pool.mark_price.size):
        held, size = before.size[1, i], pool.size[b, i]
        if abs(size) > pool.position_cap[i] and not is_reduction(held, size - held):
            return Status.EXCEEDS_POSITION_LIMIT
    status = exposure_status(pool, Action.LIQUIDATE, b)
    if status != Status.OK:
        return status
    if excess(pool, b, Level.INITIAL) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    return Status.OK


@separate
def bid(pool: Pool, b: int, a: int, share: int, bonus_min: int, log: Log) -> Status:
    """Let account b buy a share of account a, which is under auction, at what it costs now.

    It gets no more than reaches the target, all at once or not at all. The machine lets no
    bid of the backstop or for it come here.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, AMOUNT_EXCEEDS_LIMIT (a share is at most 1),
    AUCTION_IS_NOT_RUNNING, AUCTION_IS_OVER (it has run its whole time), PRICE_IS_NOT_USABLE,
    VALUATION_IS_NOT_USABLE, ACCOUNT_IS_HEALTHY, NOTHING_TO_LIQUIDATE (it
    is worth no more than the auction has raised), BONUS_BELOW_MINIMUM, SLICE_IS_TOO_SMALL (of each
    position a lot goes at least, which may leave the account worse off), EXCEEDS_BALANCE,
    EXCEEDS_POSITION_LIMIT, PRICE_IS_NOT_USABLE, VALUATION_IS_NOT_USABLE,
    INITIAL_MARGIN_TOO_LOW.
    """
    if share <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if share > WHOLE:
        return Status.AMOUNT_EXCEEDS_LIMIT
    if pool.step[a] != Step.AUCTION:
        return Status.AUCTION_IS_NOT_RUNNING
    if is_auction_over(pool, a):
        return Status.AUCTION_IS_OVER
    status = exposure_status(pool, Action.LIQUIDATE, a)
    if status != Status.OK:
        return status
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        return Status.ACCOUNT_IS_HEALTHY
    before, health = remember(pool, a, b), health_factor(pool, a)
    margin, value = excess(pool, a, Level.MAINTENANCE), equity(pool, a)
    settle_account(pool, a)
    offer = offer_of(pool, a)
    share = sold_share(pool, a, share, offer)
    status = offer_status(offer, share, bonus_min)
    if status == Status.OK:
        move_slice(pool, a, b, share, offer)
        is_worse = excess(pool, a, Level.MAINTENANCE) < margin
        status = Status.SLICE_IS_TOO_SMALL if is_worse else bidder_status(pool, b, before)
    if status != Status.OK:
        restore(pool, a, b, before)
        return status
    e = start_event(pool, a, log, Happening.SLICE_SOLD, b)
    event = log.events[e]
    event["size"], event["price"] = share, offer.keep
    event["value"] = pool.auction_raised[a] - before.numbers[0, RAISED]
    event["bonus"] = mul_div_floor(offer.bonus, share, WHOLE)
    event["equity"], event["excess_before"], event["health_before"] = value, margin, health
    finish_event(pool, a, log, e)
    leave_if_cured(pool, a)
    return Status.OK


@formula
def offer_status(offer: Offer, share: int, bonus_min: int) -> Status:
    """Rules of a slice itself: it has a worth, and the bonus its bidder asks for."""
    if offer.price <= 0 or share <= 0:
        return Status.NOTHING_TO_LIQUIDATE
    if mul_div_floor(offer.bonus, share, WHOLE) < bonus_min:
        return Status.BONUS_BELOW_MINIMUM
    return Status.OK


@kernel
def sold_share(pool: Pool, a: int, share: int, offer: Offer) -> int:
    """Share that a bid for at most so much gets: never one that leaves dust."""
    share = min(share, offer.largest)
    return WHOLE if left_over(pool, a, share) < pool.rule[Rule.DUST] else share
