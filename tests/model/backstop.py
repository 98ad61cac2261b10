"""The backstop of the model: its capital, what it sells, what it may not do, what it loses."""

from tests.model import halt, health, options, own_means, trading
from tests.model.auction import worth
from tests.model.money import lent, may_leave, pay_debt, pay_due, shares_for
from tests.model.money import redeem as redeem_lent
from tests.model.state import (
    CASH,
    INITIAL,
    MILLION,
    OPEN,
    SETTLE,
    WITHDRAW,
    Account,
    State,
    down,
)

from ringfence.core.command import Kind
from ringfence.core.pool import Rule
from ringfence.core.status import Status

NEVER = (Kind.WITHDRAW, Kind.SUPPLY, Kind.BORROW, Kind.OPEN_POSITION, Kind.FUND_BOND)


def bars(state: State, kind: int, account: Account) -> Status:
    """What the waterfall or the backstop forbids before any rule of the command itself."""
    takes_out = kind in (Kind.REDEEM, Kind.REDEEM_BACKSTOP)
    takes_out |= kind == Kind.WITHDRAW and health.can_owe(account)
    if state.waiting() and takes_out:
        return Status.WATERFALL_IS_RUNNING
    if account is state.accounts[0]:
        has_shares = any(a.backstop_shares for a in state.accounts)
        if kind in NEVER or (kind == Kind.FUND_INSURANCE and has_shares):
            return Status.BACKSTOP_IS_RESTRICTED
    if state.halted_at and kind in (Kind.SUPPLY, Kind.BORROW, Kind.SUPPLY_BACKSTOP):
        return Status.POOL_IS_HALTED
    return Status.OK


def bars_trade(state: State, kind: int, a: Account, b: Account, f: dict[str, int]) -> Status:
    """Account 0 only reduces, at prices no worse than fair; it bids on nothing."""
    zero = state.accounts[0]
    if zero not in (a, b) or _is_fair(state, kind, a is zero, f):
        return Status.OK
    return Status.BACKSTOP_IS_RESTRICTED


def _is_fair(state: State, kind: int, first: bool, f: dict[str, int]) -> bool:  # noqa: FBT001 - which side
    if kind == Kind.EXCHANGE:
        if not 1 <= f["asset"] < len(state.assets):
            return first
        price = state.underlyings[state.assets[f["asset"]].underlying].price
        return first and f["price"] >= price
    if kind != Kind.TRADE:
        return False
    if not 0 <= f["instrument"] < len(state.instruments):
        return True
    held = state.accounts[0].positions[f["instrument"]].size
    size = f["size"] if first else -f["size"]
    mark = state.instruments[f["instrument"]].mark
    if held * size >= 0 or abs(size) > abs(held):
        return False
    return f["price"] <= mark if size > 0 else f["price"] >= mark


def supply(state: State, account: Account, amount: int) -> Status:  # noqa: C901 - one return per rule
    """Cash for shares of the backstop's capital."""
    zero = state.accounts[0]
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if state.waiting():
        return Status.WATERFALL_IS_RUNNING
    if account is zero:
        return Status.BACKSTOP_IS_RESTRICTED
    capital = max(worth(state, zero) + own_means.lent_value(state, zero.supply_shares), 0)
    shares = sum(a.backstop_shares for a in state.accounts)
    if capital + amount > 2**49:
        return Status.EXCEEDS_SUPPLY_CAP
    if amount > account.balances[CASH]:
        return Status.EXCEEDS_BALANCE
    if capital < shares // 1000:
        return Status.BACKSTOP_IS_WIPED_OUT
    stake = 0 if shares else capital
    bought = down(amount, shares + stake + 1, capital + 1)
    if not bought:
        return Status.AMOUNT_BELOW_ONE_SHARE
    if shares + stake + bought >= 2**50:
        return Status.BACKSTOP_IS_WIPED_OUT
    rule = health.exposure_rule(state, WITHDRAW, zero)
    if rule != Status.OK:
        return rule
    status = may_leave(state, account, CASH, amount)
    if status == Status.OK:
        account.balances[CASH] -= amount
        account.backstop_shares += bought
        zero.backstop_shares += stake
        zero.balances[CASH] += amount
        pay_due(state, zero)
    return status


def redeem(state: State, account: Account, shares: int) -> Status:
    """Shares of the backstop's capital for cash."""
    zero = state.accounts[0]
    if shares <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if state.waiting():
        return Status.WATERFALL_IS_RUNNING
    if account is zero:
        return Status.BACKSTOP_IS_RESTRICTED
    if shares > account.backstop_shares:
        return Status.EXCEEDS_BACKSTOP_SHARES
    rule = health.exposure_rule(state, WITHDRAW, zero)
    if rule != Status.OK:
        return rule
    amount = own_means.capital_value(state, shares)
    if amount > zero.balances[CASH] or not own_means.can_spare(state, amount):
        return Status.EXCEEDS_BACKSTOP_CAPITAL
    account.backstop_shares -= shares
    zero.balances[CASH] -= amount
    account.balances[CASH] += amount
    pay_due(state, account)
    return Status.OK


def _too_early(state: State, last: int) -> bool:
    return last > 0 and state.now < last + state.rules[Rule.DISPOSAL_NS]


def _at_a_time(state: State, held: int, unit_value: tuple[int, int]) -> int:
    """How much of a holding is sold at a time."""
    some = min(max(down(held, state.rules[Rule.DISPOSAL], MILLION), 1), held)
    size, price = unit_value
    left = state.value((held - some) * size, price)
    return held if left < state.rules[Rule.DUST] else some


def buy(state: State, account: Account, i: int, size: int) -> Status:  # noqa: C901, PLR0911, PLR0912 - one return per rule
    """A part of the backstop's position at the mark."""
    zero = state.accounts[0]
    if account is zero:
        return Status.BACKSTOP_IS_RESTRICTED
    if not 0 <= i < len(state.instruments):
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if size == 0:
        return Status.SIZE_MUST_NOT_BE_ZERO
    if abs(size) >= 2**53:
        return Status.AMOUNT_EXCEEDS_LIMIT
    instrument = state.instruments[i]
    if size % instrument.lot:
        return Status.SIZE_MUST_BE_WHOLE_LOTS
    if 0 < instrument.expiry <= state.now:
        return Status.INSTRUMENT_HAS_EXPIRED
    if not health.usable(state, OPEN, instrument.underlying):
        return Status.PRICE_IS_NOT_USABLE
    if not options.valued(state, OPEN, i):
        return Status.VALUATION_IS_NOT_USABLE
    rule = health.exposure_rule(state, OPEN, account)
    if rule != Status.OK:
        return rule
    theirs, mine = zero.positions[i].size, account.positions[i].size
    lots = _at_a_time(state, abs(theirs) // instrument.lot, (instrument.lot, instrument.mark))
    if theirs * size <= 0 or abs(size) > lots * instrument.lot:
        return Status.EXCEEDS_DISPOSAL
    if _too_early(state, instrument.disposed_at):
        return Status.EXCEEDS_DISPOSAL
    grows = mine * size >= 0 or abs(size) > abs(mine)
    if grows and abs(mine + size) > instrument.position_cap:
        return Status.EXCEEDS_POSITION_LIMIT
    value = state.value(size, instrument.mark)
    after = account.copy()
    after.positions[i].cost += value + health.funding_owed(state, account, i)
    after.positions[i].funding_paid = instrument.funding
    after.positions[i].size += size
    if health.excess(state, after, INITIAL) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    instrument.disposed_at = max(state.now, 1)
    trading.move(state, account, i, size, value)
    trading.move(state, zero, i, -size, -value)
    return Status.OK


def buy_coins(state: State, account: Account, c: int, amount: int) -> Status:  # noqa: C901 - one return per rule
    """Coins of the backstop at the index price."""
    zero = state.accounts[0]
    if account is zero:
        return Status.BACKSTOP_IS_RESTRICTED
    if not 1 <= c < len(state.assets):
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    asset = state.assets[c]
    index = state.underlyings[asset.underlying].price
    if _too_early(state, asset.disposed_at):
        return Status.EXCEEDS_DISPOSAL
    if amount > _at_a_time(state, zero.balances[c], (1, index)):
        return Status.EXCEEDS_DISPOSAL
    if not health.usable(state, OPEN, asset.underlying):
        return Status.PRICE_IS_NOT_USABLE
    rule = health.exposure_rule(state, OPEN, account)
    if rule != Status.OK:
        return rule
    price = state.value(amount, index) + 1
    if price > account.balances[CASH]:
        return Status.EXCEEDS_BALANCE
    after = account.copy()
    after.balances[CASH] -= price
    after.balances[c] += amount
    if health.can_owe(account) and health.excess(state, after, INITIAL, weight=0) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    asset.disposed_at = max(state.now, 1)
    account.balances[CASH] -= price
    account.balances[c] += amount
    zero.balances[c] -= amount
    zero.balances[CASH] += price
    pay_due(state, zero)
    pay_debt(state, zero, health.debt(state, zero.debt_shares))
    return Status.OK


def settle(state: State) -> Status:
    """Realise all, cover the backstop, pay claims; its bad debt, and what insurance should hold."""
    status = trading.settle_rule(state)
    if status == Status.OK:
        zero = state.accounts[0]
        trading.settle_all(state)
        _cover(state, zero)
        trading.pay_all(state)
        if zero.debt_shares or zero.supply_shares:
            _write_off(state, zero)
        halt.measure_target(state)
    return status


def _cover(state: State, zero: Account) -> None:
    """Insurance for the part of its due that nothing of it stands behind."""
    owns = worth(state, zero) + own_means.lent_value(state, zero.supply_shares)
    fresh = trading.fresh_due(zero)
    known = zero.due - fresh
    lacking = min(fresh, -owns - known)
    if lacking > 0 and health.exposure_rule(state, SETTLE, zero) == Status.OK:
        paid = trading.draw_insurance(state, lacking)
        state.settled_cash += paid
        zero.due -= paid
        zero.uncovered = known + lacking - paid


def _write_off(state: State, zero: Account) -> None:
    shares = down(state.lender_cash, state.supply_shares + 1, lent(state) + 1)
    redeem_lent(state, zero, min(shares, zero.supply_shares))
    pay_debt(state, zero, health.debt(state, zero.debt_shares))
    owns = worth(state, zero) + own_means.lent_value(state, zero.supply_shares)
    loss = min(-owns - zero.due, health.debt(state, zero.debt_shares))
    if loss > 0 and health.exposure_rule(state, SETTLE, zero) == Status.OK:
        shares = shares_for(state, zero, loss)
        if shares:
            drawn = trading.draw_insurance(state, loss)
            zero.debt_shares -= shares
            state.debt_shares -= shares
            state.lender_cash += drawn
            state.shortfall += loss - drawn
