"""Auctions of the model: who is offered, what a slice costs, and a bid."""

from copy import deepcopy

from tests.model import health
from tests.model.money import pay_due
from tests.model.state import (
    AUCTION,
    CASH,
    CLOSEOUT,
    INITIAL,
    LIQUIDATE,
    MAINTENANCE,
    MILLION,
    TARGET,
    Account,
    State,
    down,
    up,
)
from tests.model.trading import book, move, settle_one

from ringfence.core.pool import Rule
from ringfence.core.status import Status

FULL = 10**9


def worth(state: State, account: Account) -> int:
    """What the account would bring at full prices."""
    coins = sum(
        state.value(balance, state.underlyings[asset.underlying].price)
        for asset, balance in list(zip(state.assets, account.balances, strict=True))[1:]
    )
    own = account.balances[CASH] + coins + health.result(state, account)
    return own - health.debt(state, account.debt_shares)


def counted(state: State, account: Account) -> int:
    """Notional and debt."""
    legs = enumerate(account.positions)
    gross = sum(abs(state.value(p.size, state.instruments[i].mark)) for i, p in legs)
    return gross + health.debt(state, account.debt_shares)


def is_wanted(state: State, account: Account) -> bool:
    """Whether an unhealthy account is auctioned."""
    if not state.rules[Rule.AUCTION_NS] or worth(state, account) <= 0:
        return False
    if health.excess(state, account, CLOSEOUT) < 0:
        return False
    cap = state.rules[Rule.AUCTION_CAP]
    return account.step == AUCTION or state.auctioned() + counted(state, account) <= cap


def is_over(state: State, account: Account) -> bool:
    """Whether all its rounds have passed."""
    rounds = 1 + state.rules[Rule.AUCTION_RESETS]
    return state.now - account.step_since >= rounds * state.rules[Rule.AUCTION_NS]


def start(state: State, account: Account) -> None:
    """Begin."""
    account.step, account.step_since = AUCTION, state.now
    account.auction_notional = counted(state, account)


def asked(state: State, account: Account) -> int:
    """Share of its worth that a slice costs now."""
    high, low = state.rules[Rule.AUCTION_START], state.rules[Rule.AUCTION_FLOOR]
    length = state.rules[Rule.AUCTION_NS]
    if not length or is_over(state, account):
        return low
    steps = max(length // 10**6, 1)
    done = (state.now - account.step_since) % length // 10**6
    return high - down(high - low, min(done, steps), steps)


def offered(state: State, account: Account) -> tuple[int, int, int, int]:
    """Cash left out, price and worth of all the rest, and the largest share that is sold."""
    kept = min(account.auction_raised, account.balances[CASH])
    rest = max(worth(state, account) - kept, 0)
    price = up(rest, asked(state, account), MILLION)
    missing = -health.excess(state, account, TARGET)
    if missing <= 0:
        return kept, price, rest, 0
    below = missing + price + kept
    while below > 2**50:
        missing, below = (missing + 1) // 2, below // 2
    largest = min(up(missing, FULL, below), FULL)
    return kept, price, rest, whole_if_dust(state, account, largest)


def whole_if_dust(state: State, account: Account, share: int) -> int:
    """A share, or everything where it would leave dust."""
    left = down(counted(state, account), FULL - share, FULL)
    return FULL if left < state.rules[Rule.DUST] else share


def hand_over(state: State, a: Account, b: Account, share: int, kept: int, price: int) -> None:
    """A share of everything from a to b, against its price."""
    for i, position in enumerate(a.positions):
        lot = state.instruments[i].lot
        part = up(abs(position.size) // lot, share, FULL) * lot
        if position.size:
            part = part if position.size > 0 else -part
            value = state.value(part, state.instruments[i].mark)
            move(state, a, i, -part, -value)
            move(state, b, i, part, value)
    for c in range(1, len(a.balances)):
        amount = down(a.balances[c], share, FULL)
        a.balances[c] -= amount
        b.balances[c] += amount
    shares = up(a.debt_shares, share, FULL)
    a.debt_shares -= shares
    b.debt_shares += shares
    cash = down(a.balances[CASH] - kept, share, FULL)
    claim, due = down(a.claim, share, FULL), up(a.due, share, FULL)
    paid = up(price, share, FULL)
    a.balances[CASH] += paid - cash
    b.balances[CASH] += cash - paid
    a.claim -= claim
    book(state, b, claim)
    a.due -= due
    a.uncovered = min(a.uncovered, a.due)
    book(state, b, -due)
    pay_due(state, b)
    pay_due(state, a)
    a.auction_raised += paid


def buyer_rule(state: State, before: Account, after: Account) -> Status:
    """First rule that a bidder with its slice breaks."""
    if after.balances[CASH] < 0:
        return Status.EXCEEDS_BALANCE
    for i, (x, y) in enumerate(zip(before.positions, after.positions, strict=True)):
        grew = abs(y.size) > abs(x.size) or x.size * y.size < 0
        if grew and abs(y.size) > state.instruments[i].position_cap:
            return Status.EXCEEDS_POSITION_LIMIT
    rule = health.exposure_rule(state, LIQUIDATE, after)
    if rule != Status.OK:
        return rule
    if health.excess(state, after, INITIAL) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    return Status.OK


def place(state: State, account: Account) -> int:
    """Index of an account; others may be equal to it."""
    return next(k for k, one in enumerate(state.accounts) if one is account)


def bid(state: State, buyer: Account, account: Account, share: int, least: int) -> Status:  # noqa: C901 - one return per rule, in order
    """A bid for a share of an account."""
    if share <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if share > FULL:
        return Status.AMOUNT_EXCEEDS_LIMIT
    if account.step != AUCTION:
        return Status.AUCTION_IS_NOT_RUNNING
    if is_over(state, account):
        return Status.AUCTION_IS_OVER
    rule = health.exposure_rule(state, LIQUIDATE, account)
    if rule != Status.OK:
        return rule
    if health.excess(state, account, MAINTENANCE) >= 0:
        return Status.ACCOUNT_IS_HEALTHY
    trial = deepcopy(state)
    short = health.excess(state, account, MAINTENANCE)
    a, b = (trial.accounts[place(state, one)] for one in (account, buyer))
    settle_one(trial, a)
    kept, price, rest, largest = offered(trial, a)
    share = whole_if_dust(trial, a, min(share, largest))
    if price <= 0 or share <= 0:
        return Status.NOTHING_TO_LIQUIDATE
    if down(rest - price, share, FULL) < least:
        return Status.BONUS_BELOW_MINIMUM
    hand_over(trial, a, b, share, kept, price)
    if health.excess(trial, a, MAINTENANCE) < short:
        return Status.SLICE_IS_TOO_SMALL
    status = buyer_rule(trial, buyer, b)
    if status == Status.OK:
        state.__dict__.update(trial.__dict__)
    return status
