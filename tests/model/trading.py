"""Trades, settlement, funding and prices of the model."""

from fractions import Fraction

from tests.model import expiry, health, options
from tests.model.money import LARGEST, deposit_rule, pay_due, take_in
from tests.model.state import (
    CASH,
    FUNDING,
    INITIAL,
    MAINTENANCE,
    MILLION,
    OPEN,
    SETTLE,
    Account,
    State,
    down,
    up,
)

from ringfence.core.pool import Rule
from ringfence.core.status import Status


def pay_funding(state: State, account: Account, i: int) -> None:
    """Put what the position owes into its cost."""
    owed = health.funding_owed(state, account, i)
    account.positions[i].cost += owed
    account.positions[i].funding_paid = state.instruments[i].funding
    state.rounding -= owed


def book(state: State, account: Account, gain: int) -> None:
    """Realise a gain or a loss against due, claim and cash."""
    net = account.claim - account.due + gain
    if gain >= 0:
        account.claim, account.due = max(net, 0), max(-net, 0)
        return
    account.claim, account.due = max(net, 0), max(-net, 0)
    pay_due(state, account)


def settle_one(state: State, account: Account) -> None:
    """Realise every position of the account at the mark."""
    gain = 0
    for i, position in enumerate(account.positions):
        if position.size == 0 and position.cost == 0:
            continue
        pay_funding(state, account, i)
        worth = state.value(position.size, state.instruments[i].mark)
        gain += worth - position.cost
        position.cost = worth
    book(state, account, gain)


def charge(state: State, account: Account, fee: int) -> None:
    """A fee for the insurance fund: cash, then claim, then due."""
    paid = min(fee, account.balances[CASH])
    account.balances[CASH] -= paid
    state.insurance += paid
    rest = fee - paid
    state.insurance_claim += rest
    taken = min(rest, account.claim)
    account.claim -= taken
    account.due += rest - taken


def charge_trade(state: State, account: Account, fee: int) -> None:
    """A trading fee: the fund's share, larger while it is below target; the rest to account 0."""
    own, zero = state.rules[Rule.INSURANCE_SHARE], state.accounts[0]
    share = own
    if state.insurance < state.target:
        share = MILLION - down(MILLION - own, state.insurance, state.target)
    for_fund = fee if own == MILLION or account is zero else up(fee, share, MILLION)
    charge(state, account, for_fund)
    rest = fee - for_fund
    cash = min(account.balances[CASH], rest)
    account.balances[CASH] -= cash
    zero.balances[CASH] += cash
    if rest:
        book(state, account, cash - rest)
        book(state, zero, rest - cash)
        pay_due(state, zero)


def move(state: State, account: Account, i: int, size: int, cost: int) -> None:
    """Add to a position; whoever comes nearer to zero is settled."""
    position = account.positions[i]
    comes_back = position.size * size < 0
    pay_funding(state, account, i)
    position.size += size
    position.cost += cost
    if comes_back:
        settle_one(state, account)


def order_rule(state: State, i: int, size: int, price: int) -> Status:  # noqa: C901 - one return per rule, in order
    """First rule that the numbers of a trade break."""
    if not 0 <= i < len(state.instruments):
        return Status.INSTRUMENT_DOES_NOT_EXIST
    instrument = state.instruments[i]
    if size == 0:
        return Status.SIZE_MUST_NOT_BE_ZERO
    if abs(size) > LARGEST:
        return Status.AMOUNT_EXCEEDS_LIMIT
    if size % instrument.lot:
        return Status.SIZE_MUST_BE_WHOLE_LOTS
    status = price_rule(state, i, price)
    if status != Status.OK:
        return status
    if instrument.expired or 0 < instrument.expiry <= state.now:
        return Status.INSTRUMENT_HAS_EXPIRED
    if instrument.mark == 0:
        return Status.MARK_PRICE_IS_MISSING
    base = state.underlyings[instrument.underlying].price if instrument.side else instrument.mark
    if abs(price - instrument.mark) > down(base, instrument.band, MILLION):
        return Status.PRICE_OUTSIDE_BAND
    return Status.OK


def price_rule(state: State, i: int, price: int) -> Status:
    """First rule that the price of an instrument breaks."""
    instrument = state.instruments[i]
    if price <= 0:
        return Status.PRICE_MUST_BE_POSITIVE
    if price % instrument.tick:
        return Status.PRICE_MUST_BE_WHOLE_TICKS
    if price > state.underlyings[instrument.underlying].price_max:
        return Status.PRICE_EXCEEDS_LIMIT
    return Status.OK


def increase_rule(state: State, i: int, size: int) -> Status:
    """First rule that a larger position breaks by itself."""
    if state.halted_at:
        return Status.POOL_IS_HALTED
    if not health.usable(state, OPEN, state.instruments[i].underlying):
        return Status.PRICE_IS_NOT_USABLE
    if not options.valued(state, OPEN, i):
        return Status.VALUATION_IS_NOT_USABLE
    if abs(size) > state.instruments[i].position_cap:
        return Status.EXCEEDS_POSITION_LIMIT
    return Status.OK


def side_rule(state: State, before: Account, after: Account, i: int, size: int, fee: int) -> Status:
    """First rule that one side of a trade breaks; `after` is that side once it is done."""
    held = before.positions[i].size
    reduces = held * size < 0 and abs(size) <= abs(held)
    if reduces:
        left = health.excess(state, after, MAINTENANCE) - fee
        funding = health.funding_owed(state, before, i)
        paid = after.positions[i].cost - before.positions[i].cost - funding
        at_mark = paid <= state.value(size, state.instruments[i].mark)
        if left >= health.excess(state, before, MAINTENANCE) and (left >= 0 or at_mark):
            return Status.OK
    else:
        rule = increase_rule(state, i, held + size)
        if rule != Status.OK:
            return rule
    status = health.exposure_rule(state, OPEN, before)
    if status != Status.OK:
        return status
    if health.excess(state, after, INITIAL) - fee < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    return Status.OK


def _with(state: State, account: Account, i: int, size: int, cost: int) -> Account:
    """The account after a trade, with its funding paid on the old size."""
    after = account.copy()
    position = after.positions[i]
    position.cost += cost + health.funding_owed(state, account, i)
    position.funding_paid = state.instruments[i].funding
    position.size += size
    return after


def trade(
    state: State, a: Account, b: Account, i: int, size: int, price: int, extra: tuple[int, int]
) -> Status:
    """Account a buys from b and brings `extra`, an amount of an asset (or nothing)."""
    status = order_rule(state, i, size, price)
    if status != Status.OK:
        return status
    instrument = state.instruments[i]
    value = state.value(size, price)
    fees = [up(abs(value), rate, MILLION) for rate in (instrument.taker_fee, instrument.maker_fee)]
    longs = [max(x.positions[i].size, 0) for x in (a, b)]
    later = max(a.positions[i].size + size, 0) + max(b.positions[i].size - size, 0)
    grown = later - sum(longs)
    if grown > 0 and state.open_interest(i) + grown > instrument.interest_cap:
        return Status.EXCEEDS_OPEN_INTEREST_CAP
    bringing = a.copy()
    if extra[1]:
        bringing.balances[extra[0]] += extra[1]
    bought = _with(state, bringing, i, size, value)
    status = side_rule(state, bringing, bought, i, size, fees[0])
    if status != Status.OK:
        return status
    status = side_rule(state, b, _with(state, b, i, -size, -value), i, -size, fees[1])
    if status == Status.INITIAL_MARGIN_TOO_LOW:
        return Status.OTHER_INITIAL_MARGIN_TOO_LOW
    if status != Status.OK:
        return status
    if extra[1]:
        take_in(state, a, *extra)
    move(state, a, i, size, value)
    move(state, b, i, -size, -value)
    charge_trade(state, a, fees[0])
    charge_trade(state, b, fees[1])
    return Status.OK


def open_position(
    state: State, a: Account, b: Account, i: int, size: int, price: int, extra: tuple[int, int]
) -> Status:
    """A deposit and a trade, both or neither."""
    status = deposit_rule(state, *extra)
    return status if status != Status.OK else trade(state, a, b, i, size, price, extra)


def settle_all(state: State) -> None:
    """Realise everybody's result; the insurance fund claims the rounding of funding."""
    for account in state.accounts:
        settle_one(state, account)
    state.insurance_claim -= state.rounding
    state.rounding = 0


def draw_insurance(state: State, amount: int) -> int:
    """What the insurance fund gives of an amount."""
    of_day = down(state.insurance + state.drawn, state.rules[Rule.INSURANCE_DRAW_DAY], MILLION)
    of_event = down(state.insurance, state.rules[Rule.INSURANCE_DRAW], MILLION)
    given = max(min(amount, of_event, of_day - state.drawn), 0)
    state.drawn += given
    state.insurance -= given
    state.insurance_paid += given
    return given


def fresh_due(account: Account) -> int:
    """The part of a due that is not known to be lost."""
    return max(account.due - account.uncovered, 0)


def cover_due(state: State, account: Account, paid: int) -> None:
    """What insurance paid goes to the due; the rest is known to be lost."""
    account.due -= paid
    state.settled_cash += paid
    account.uncovered = account.due


def shares_of(pot: int, weights: list[int]) -> list[int]:
    """A pot shared by weight, whole units by largest remainder, ties to the lowest index."""
    total = sum(weights)
    ideal = [Fraction(pot * w, total) for w in weights]
    shares = [int(x) for x in ideal]
    order = sorted(range(len(weights)), key=lambda k: (shares[k] - ideal[k], k))
    for k in order[: pot - sum(shares)]:
        shares[k] += 1
    return shares


def settle_rule(state: State) -> Status:
    """First price or valuation that is not good enough to settle by."""
    for u, underlying in enumerate(state.underlyings):
        open_somewhere = any(state.open_interest(i) for i in underlying.instruments)
        if open_somewhere and not health.usable(state, SETTLE, u):
            return Status.PRICE_IS_NOT_USABLE
        if not all(
            options.valued(state, SETTLE, i)
            for i in underlying.instruments
            if state.open_interest(i)
        ):
            return Status.VALUATION_IS_NOT_USABLE
    return Status.OK


def pay_all(state: State) -> None:
    """Pay claims from the settled cash, and then the insurance fund's."""
    claims = [a.claim for a in state.accounts]
    assert sum(claims) < 2**50, "beyond, the engine shares by rounded weights"
    enough = sum(claims) <= state.settled_cash
    payments = claims if enough else shares_of(state.settled_cash, claims)
    for account, paid in zip(state.accounts, payments, strict=True):
        account.claim -= paid
        account.balances[CASH] += paid
        state.settled_cash -= paid
    if enough:
        rest = min(state.settled_cash, state.insurance_claim)
        state.settled_cash -= rest
        state.insurance_claim -= rest
        state.insurance += rest


def index_rule(state: State, u: int, price: int, confidence: int, flag: int) -> Status:
    """First rule that the numbers of an index price break."""
    if flag == 2:
        return Status.OK
    if price <= 0:
        return Status.PRICE_MUST_BE_POSITIVE
    if price > state.underlyings[u].price_max:
        return Status.PRICE_EXCEEDS_LIMIT
    return Status.CONFIDENCE_MUST_NOT_BE_NEGATIVE if confidence < 0 else Status.OK


def set_index(
    state: State, u: int, price: int, confidence: int, published: int, flag: int
) -> Status:
    """A price of the oracle."""
    if not 0 <= u < len(state.underlyings):
        return Status.UNDERLYING_DOES_NOT_EXIST
    underlying = state.underlyings[u]
    if flag not in (0, 1, 2):
        return Status.FLAG_IS_UNKNOWN
    if published <= underlying.published:
        return Status.PUBLISH_TIME_MUST_INCREASE
    if published > state.now + 5 * 10**9:
        return Status.PUBLISH_TIME_IN_THE_FUTURE
    status = index_rule(state, u, price, confidence, flag)
    if status != Status.OK:
        return status
    underlying.flag = flag
    if flag == 0:
        expiry.take_price(state, underlying, price, confidence, published)
    return Status.OK


def set_mark(state: State, i: int, price: int) -> Status:
    """A mark price."""
    if not 0 <= i < len(state.instruments):
        return Status.INSTRUMENT_DOES_NOT_EXIST
    status = price_rule(state, i, price)
    if status == Status.OK and state.instruments[i].side < 0 < price - state.instruments[i].strike:
        return Status.PRICE_EXCEEDS_LIMIT
    if status == Status.OK and state.instruments[i].expired:
        return Status.INSTRUMENT_HAS_EXPIRED
    if status == Status.OK and state.underlyings[state.instruments[i].underlying].flag:
        return Status.PRICE_IS_NOT_USABLE
    if status == Status.OK:
        state.instruments[i].mark = price
        if state.instruments[i].side and state.model != options.SCENARIO:
            state.instruments[i].valued = state.now
    return status


def accrue_funding(state: State, i: int, rate: int) -> Status:
    """A funding payment."""
    if not 0 <= i < len(state.instruments):
        return Status.INSTRUMENT_DOES_NOT_EXIST
    instrument = state.instruments[i]
    if instrument.expiry:
        return Status.INSTRUMENT_IS_NOT_A_PERPETUAL
    if abs(rate) > instrument.funding_max:
        return Status.FUNDING_EXCEEDS_LIMIT
    if instrument.mark == 0:
        return Status.MARK_PRICE_IS_MISSING
    if not health.usable(state, FUNDING, instrument.underlying):
        return Status.PRICE_IS_NOT_USABLE
    index = instrument.funding + down(instrument.mark, rate, 10**9)
    if abs(index) > state.underlyings[instrument.underlying].price_max:
        return Status.FUNDING_EXCEEDS_LIMIT
    instrument.funding = index
    return Status.OK
