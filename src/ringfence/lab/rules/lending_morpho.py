"""Morpho Blue: isolated lending markets, their shares, interest, liquidation and bad debt.

Amounts are in the asset's own units, rates and factors integers of 1e-18, prices of 1e-36
loan units per collateral unit. An account may owe

    collateral * price * LLTV

and a liquidator gains the incentive min(1.15, 1 / (1 - 0.3 * (1 - LLTV))). Shares carry a
million virtual ones for one virtual asset. Rounding favours the market: what it pays and
credits rounds down, what it is owed rounds up.

Source: morpho-org/morpho-blue, Morpho.sol, MathLib.sol, SharesMathLib.sol; documentation,
"Liquidation incentive factor".
"""

from typing import NamedTuple

from ringfence.lab.rules.fixed_point import WAD, mul_div_ceil, mul_div_floor

PRICE_SCALE = 10**36
VIRTUAL_SHARES = 10**6
VIRTUAL_ASSETS = 1
INCENTIVE_MAX = 115 * WAD // 100
CURSOR = 3 * WAD // 10
SECONDS_PER_YEAR = 31_536_000


class RefusedError(Exception):
    """A step that the market does not allow; it changed nothing."""


class Market(NamedTuple):
    """Totals of one market, in assets and in shares, and its fee of 1e-18."""

    supply_assets: int
    supply_shares: int
    borrow_assets: int
    borrow_shares: int
    last_update: int
    fee: int
    fee_shares: int = 0  # credited to the fee's recipient


class Account(NamedTuple):
    """What one account lends, owes and has deposited in a market."""

    supply_shares: int = 0
    borrow_shares: int = 0
    collateral: int = 0


class Accrual(NamedTuple):
    """The market with its interest, and how it came about."""

    market: Market
    rate: int
    interest: int
    fee_shares: int


class Liquidation(NamedTuple):
    """Result of a liquidation; bad debt is taken from the lenders at once."""

    market: Market
    account: Account
    seized_assets: int
    repaid_assets: int
    repaid_shares: int
    bad_debt_assets: int
    bad_debt_shares: int


def to_assets(shares: int, total_assets: int, total_shares: int, *, up: bool = False) -> int:
    """Shares * (total assets + 1) / (total shares + 1e6)."""
    round_ = mul_div_ceil if up else mul_div_floor
    return round_(shares, total_assets + VIRTUAL_ASSETS, total_shares + VIRTUAL_SHARES)


def to_shares(assets: int, total_assets: int, total_shares: int, *, up: bool = False) -> int:
    """Assets * (total shares + 1e6) / (total assets + 1)."""
    round_ = mul_div_ceil if up else mul_div_floor
    return round_(assets, total_shares + VIRTUAL_SHARES, total_assets + VIRTUAL_ASSETS)


def utilization_rate(market: Market) -> int:
    """Rate per second of the source's test model: utilisation a year."""
    used = market.borrow_assets * WAD // market.supply_assets if market.supply_assets else 0
    return used // SECONDS_PER_YEAR


def compounded(rate: int, seconds: int) -> int:
    """exp(rate * seconds) - 1 by three terms of its series, each rounded down."""
    first = rate * seconds
    second = mul_div_floor(first, first, 2 * WAD)
    return first + second + mul_div_floor(second, first, 3 * WAD)


def accrued(market: Market, timestamp: int, rate: int | None = None) -> Accrual:
    """Market with the interest since its last update; the rate of its test model if none given."""
    seconds = timestamp - market.last_update
    if seconds == 0:
        return Accrual(market, 0, 0, 0)
    rate = utilization_rate(market) if rate is None else rate
    interest = market.borrow_assets * compounded(rate, seconds) // WAD
    supply_assets, fee_shares = market.supply_assets + interest, 0
    if market.fee:
        fee_assets = interest * market.fee // WAD
        # The fee's shares are bought at the price without the fee in the total.
        fee_shares = to_shares(fee_assets, supply_assets - fee_assets, market.supply_shares)
    grown = market._replace(
        supply_assets=supply_assets,
        supply_shares=market.supply_shares + fee_shares,
        borrow_assets=market.borrow_assets + interest,
        last_update=timestamp,
        fee_shares=market.fee_shares + fee_shares,
    )
    return Accrual(grown, rate, interest, fee_shares)


def supplied(
    market: Market, account: Account, assets: int, shares: int = 0
) -> tuple[Market, Account, int, int]:
    """Lend an amount, given in assets or in shares; also returns both."""
    if assets:
        shares = to_shares(assets, market.supply_assets, market.supply_shares)
    else:
        assets = to_assets(shares, market.supply_assets, market.supply_shares, up=True)
    return _with_supply(market, account, assets, shares)


def withdrawn(
    market: Market, account: Account, assets: int, shares: int = 0
) -> tuple[Market, Account, int, int]:
    """Take back what was lent, as far as it is not borrowed."""
    if assets:
        shares = to_shares(assets, market.supply_assets, market.supply_shares, up=True)
    else:
        assets = to_assets(shares, market.supply_assets, market.supply_shares)
    if shares > account.supply_shares:
        raise RefusedError(f"{shares} shares withdrawn, {account.supply_shares} held")
    changed = _with_supply(market, account, -assets, -shares)
    _check_liquidity(changed[0])
    return changed[0], changed[1], assets, shares


def borrowed(
    market: Market, account: Account, assets: int, shares: int, price: int, lltv: int
) -> tuple[Market, Account, int, int]:
    """Borrow an amount, given in assets or in shares, if the account stays healthy."""
    if assets:
        shares = to_shares(assets, market.borrow_assets, market.borrow_shares, up=True)
    else:
        assets = to_assets(shares, market.borrow_assets, market.borrow_shares)
    after, owing = _with_borrow(market, account, assets, shares)
    if not is_healthy(after, owing, price, lltv):
        raise RefusedError(f"debt of {assets} more needs more collateral than {account.collateral}")
    _check_liquidity(after)
    return after, owing, assets, shares


def repaid(
    market: Market, account: Account, assets: int, shares: int = 0
) -> tuple[Market, Account, int, int]:
    """Repay an amount, given in assets or in shares."""
    if assets:
        shares = to_shares(assets, market.borrow_assets, market.borrow_shares)
    else:
        assets = to_assets(shares, market.borrow_assets, market.borrow_shares, up=True)
    if shares > account.borrow_shares:
        raise RefusedError(f"{shares} shares repaid, {account.borrow_shares} owed")
    after, owing = _with_borrow(market, account, -assets, -shares)
    return after, owing, assets, shares


def withdrawn_collateral(
    market: Market, account: Account, amount: int, price: int, lltv: int
) -> Account:
    """Account without an amount of its collateral, if it stays healthy."""
    left = account._replace(collateral=account.collateral - amount)
    if left.collateral < 0 or not is_healthy(market, left, price, lltv):
        raise RefusedError(f"{amount} of {account.collateral} collateral cannot be withdrawn")
    return left


def debt(market: Market, account: Account) -> int:
    """What the account owes, rounded up."""
    return to_assets(account.borrow_shares, market.borrow_assets, market.borrow_shares, up=True)


def debt_max(collateral: int, price: int, lltv: int) -> int:
    """Collateral * price * LLTV, rounded down twice."""
    return (collateral * price // PRICE_SCALE) * lltv // WAD


def is_healthy(market: Market, account: Account, price: int, lltv: int) -> bool:
    """Whether the debt is at most what the collateral allows; equal is healthy."""
    if account.borrow_shares == 0:
        return True
    return debt_max(account.collateral, price, lltv) >= debt(market, account)


def incentive_factor(lltv: int) -> int:
    """min(1.15, 1 / (1 - 0.3 * (1 - LLTV))), rounded down."""
    return min(INCENTIVE_MAX, WAD * WAD // (WAD - CURSOR * (WAD - lltv) // WAD))


def liquidated(
    market: Market, account: Account, seized: int, repaid_shares: int, price: int, lltv: int
) -> Liquidation:
    """Seize collateral of an unhealthy account: give the collateral, or the shares repaid.

    When no collateral is left, the rest of the debt is written off against the lenders.
    """
    if is_healthy(market, account, price, lltv):
        raise RefusedError("the account is healthy")
    factor = incentive_factor(lltv)
    totals = market.borrow_assets, market.borrow_shares
    if seized:
        quoted = mul_div_ceil(mul_div_ceil(seized, price, PRICE_SCALE), WAD, factor)
        repaid_shares = to_shares(quoted, *totals, up=True)
    else:
        bought = to_assets(repaid_shares, *totals) * factor // WAD
        seized = bought * PRICE_SCALE // price
    repaid_assets = to_assets(repaid_shares, *totals, up=True)
    if repaid_shares > account.borrow_shares or seized > account.collateral:
        raise RefusedError(f"{repaid_shares} shares or {seized} collateral are more than there is")
    after, owing = _with_borrow(market, account, -repaid_assets, -repaid_shares)
    owing = owing._replace(collateral=account.collateral - seized)
    bad_assets = bad_shares = 0
    if owing.collateral == 0:
        bad_shares = owing.borrow_shares
        bad_assets = min(after.borrow_assets, debt(after, owing))
        after, owing = _with_borrow(after, owing, -bad_assets, -bad_shares)
        after = after._replace(supply_assets=after.supply_assets - bad_assets)
    return Liquidation(after, owing, seized, repaid_assets, repaid_shares, bad_assets, bad_shares)


def _with_supply(
    market: Market, account: Account, assets: int, shares: int
) -> tuple[Market, Account, int, int]:
    after = market._replace(
        supply_assets=market.supply_assets + assets, supply_shares=market.supply_shares + shares
    )
    return after, account._replace(supply_shares=account.supply_shares + shares), assets, shares


def _with_borrow(
    market: Market, account: Account, assets: int, shares: int
) -> tuple[Market, Account]:
    # A repayment rounded up may be one unit more than the total.
    after = market._replace(
        borrow_assets=max(market.borrow_assets + assets, 0),
        borrow_shares=market.borrow_shares + shares,
    )
    return after, account._replace(borrow_shares=account.borrow_shares + shares)


def _check_liquidity(market: Market) -> None:
    if market.borrow_assets > market.supply_assets:
        raise RefusedError(f"{market.borrow_assets} borrowed of {market.supply_assets} lent")
