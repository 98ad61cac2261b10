"""Dutch auctions: Derive's sale of a slice of an account, Maker's falling prices.

Derive, floats. With M the mark-to-market of an account, MM its maintenance margin (negative
when it must be liquidated), R the cash that earlier bids brought, d the discount factor:

    buffered margin  BM = MM - buffer * (M - MM)
    largest share     f = BM / (BM - d M - (1 - d) R)
    price of share p      p d (M - R)

Maker, integers of 1e-27: the price falls on a line, or by a factor at every step.

Sources: derivexyz/v2-core, DutchAuction.sol; makerdao/dss, abaci.sol.
"""

from typing import NamedTuple

from ringfence.lab.rules.fixed_point import RAY, power


class Schedule(NamedTuple):
    """How the discount falls: quickly from start to cutoff, then slowly to zero."""

    start: float
    cutoff: float
    fast_seconds: float
    slow_seconds: float
    buffer: float  # of what is missing, sold in addition


class Account(NamedTuple):
    """An account in auction: values in cash, the reserved part came from earlier bids."""

    mark_to_market: float
    maintenance_margin: float
    reserved_cash: float = 0.0


class Bid(NamedTuple):
    """What a bidder gets and pays, and the account afterwards."""

    share: float
    cash_paid: float
    account: Account


def discount(schedule: Schedule, seconds: float) -> float:
    """Share of the mark-to-market that a bidder pays at this time; zero when the time is up."""
    if seconds < schedule.fast_seconds:
        passed = seconds / schedule.fast_seconds
        return schedule.start - (schedule.start - schedule.cutoff) * passed
    passed = min((seconds - schedule.fast_seconds) / schedule.slow_seconds, 1.0)
    return schedule.cutoff * (1 - passed)


def buffered_margin(account: Account, buffer: float) -> float:
    """MM - buffer * (M - MM)."""
    return account.maintenance_margin - buffer * (
        account.mark_to_market - account.maintenance_margin
    )


def share_max(account: Account, buffer: float, discount_factor: float) -> float:
    """Largest share that may be sold: afterwards the buffered margin is zero."""
    margin = buffered_margin(account, buffer)
    if margin >= 0:
        return 0.0
    kept = discount_factor * account.mark_to_market
    return margin / (margin - kept - (1 - discount_factor) * account.reserved_cash)


def price_of_all(account: Account, discount_factor: float) -> float:
    """Price of the whole account but the cash reserved from earlier bids."""
    return (account.mark_to_market - account.reserved_cash) * discount_factor


def bid(account: Account, schedule: Schedule, seconds: float, share_wanted: float) -> Bid:
    """Sell a share, at most the largest one; the cash paid stays in the account, reserved."""
    factor = discount(schedule, seconds)
    share = min(share_wanted, share_max(account, schedule.buffer, factor))
    paid = share * price_of_all(account, factor)
    reserved = account.reserved_cash
    after = Account(
        (account.mark_to_market - reserved) * (1 - share) + reserved + paid,
        (account.maintenance_margin - reserved) * (1 - share) + reserved + paid,
        reserved + paid,
    )
    return Bid(share, paid, after)


def linear_price(top: int, tau: int, elapsed: int) -> int:
    """Top * (tau - elapsed) / tau, zero from tau on."""
    return top * (max(tau - elapsed, 0) * RAY // tau) // RAY


def stairstep_price(top: int, decrease_per_step: int, step_seconds: int, elapsed: int) -> int:
    """Top * (1 - decrease) ** whole steps."""
    return top * power(RAY - decrease_per_step, elapsed // step_seconds) // RAY


def maker_purchase(
    tab: float, lot: float, price: float, amount: float, chost: float
) -> tuple[float, float]:
    """Collateral bought and debt paid in an auction that still has to raise `tab`.

    A part that would leave less than `chost` is made smaller, so that it leaves just that.
    ValueError if even that is impossible.

    Source: makerdao/dss, clip.sol (take).
    """
    bought = min(lot, amount)
    paid = bought * price
    if paid > tab:
        paid, bought = tab, tab / price
    elif paid < tab and bought < lot and tab - paid < chost:
        if tab <= chost:
            raise ValueError(f"{tab} to raise is not above {chost}: buy all or nothing")
        paid = tab - chost
        bought = paid / price
    return bought, paid
