"""dYdX v4: margin, the prices of a liquidation, and deleveraging, in exact integers.

Quote quantums are 1e-6 USDC; a price is quote quantums per base quantum; rates are ppm.

    initial margin      ceil(notional * rate), the rate rising to 1 with the open interest
    maintenance margin  ceil(initial margin at the base rate * fraction)
    bankruptcy price    -dNNV - floor(TNC * |dMMR| / TMMR) for closing a part of a position
    fillable price      (PNNV - ABR * spread * PMMR) / size,
                        ABR = clamp(adjustment * (1 - TNC / TMMR), 0, 1)

where TNC is the account's net collateral, TMMR its maintenance margin, PNNV and PMMR those
of the position, and d what the closing changes.

Source: dydxprotocol/v4-chain, x/clob/keeper/liquidations.go and deleveraging.go,
x/perpetuals/lib, x/perpetuals/types/liquidity_tier.go, x/subaccounts, lib/margin/risk.go.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

PPM = 10**6
FUNDING_PERIOD_SECONDS = 8 * 3600


class RefusedError(Exception):
    """A step that the exchange refuses, by the name of its error."""


class Perpetual(NamedTuple):
    """Price and margin rates of one market."""

    price: Fraction
    initial_rate: int
    maintenance_fraction: int


class Account(NamedTuple):
    """Quote quantums and signed base quantums by market."""

    quote: int
    positions: Mapping[str, int]


class Risk(NamedTuple):
    """Net collateral, initial and maintenance margin."""

    net_collateral: int
    initial_margin: int
    maintenance_margin: int


def notional(price: Fraction, size: int) -> int:
    """Signed net notional value, rounded down."""
    return floor(price * size)


def scaled_initial_rate(rate: int, open_interest: int, cap_low: int, cap_high: int) -> int:
    """Initial rate in ppm: up to the lower cap the base rate, 100 % from the upper one on."""
    if cap_high == 0 or open_interest <= cap_low:
        return rate
    if open_interest >= cap_high:
        return PPM
    return rate + (open_interest - cap_low) * (PPM - rate) // (cap_high - cap_low)


def initial_margin(notional_value: int, rate: int) -> int:
    """|notional| * rate, rounded up."""
    return ceil(Fraction(abs(notional_value) * rate, PPM))


def maintenance_margin(notional_value: int, initial_rate: int, fraction: int) -> int:
    """Initial margin at the base rate * fraction, rounded up twice."""
    return ceil(Fraction(initial_margin(notional_value, initial_rate) * fraction, PPM))


def risk(account: Account, markets: Mapping[str, Perpetual]) -> Risk:
    """Net collateral and margins of an account, open interest left aside."""
    collateral, initial, maintenance = account.quote, 0, 0
    for name, size in account.positions.items():
        market = markets[name]
        value = notional(market.price, size)
        collateral += value
        initial += initial_margin(value, market.initial_rate)
        maintenance += maintenance_margin(value, market.initial_rate, market.maintenance_fraction)
    return Risk(collateral, initial, maintenance)


def is_initial_collateralized(net_collateral: int, margin: int) -> bool:
    """Whether the net collateral reaches the initial margin."""
    return net_collateral >= margin


def is_maintenance_collateralized(net_collateral: int, margin: int) -> bool:
    """Whether the net collateral reaches the maintenance margin."""
    return net_collateral >= margin


def is_liquidatable(net_collateral: int, margin: int) -> bool:
    """Below a maintenance margin above zero; without positions nothing can be liquidated."""
    return margin > 0 and net_collateral < margin


def compare_risk(first: tuple[int, int], second: tuple[int, int]) -> int:
    """+1 if the first account (net collateral, maintenance margin) is the riskier, -1 or 0.

    The lower ratio is riskier, then the larger maintenance margin, then less collateral.
    """
    ratio = second[0] * first[1] - first[0] * second[1]
    order = ratio or first[1] - second[1] or second[0] - first[0]
    return (order > 0) - (order < 0)


def bankruptcy_price(
    account: Account, markets: Mapping[str, Perpetual], market: str, delta: int
) -> int:
    """Quote quantums at which closing delta of a position leaves the rest as risky as before."""
    size = _check_reduction(account, market, delta)
    before = risk(account, markets)
    left = account._replace(positions={**account.positions, market: size + delta})
    freed = before.maintenance_margin - risk(left, markets).maintenance_margin
    price = markets[market].price
    value_change = notional(price, size + delta) - notional(price, size)
    share = before.net_collateral * freed // before.maintenance_margin
    return -value_change - share


def fillable_price(
    account: Account,
    markets: Mapping[str, Perpetual],
    market: str,
    delta: int,
    adjustment: int,
    spread: int,
) -> Fraction:
    """Worst price at which a liquidation order may fill, quote per base quantum."""
    size = _check_reduction(account, market, delta)
    whole = risk(account, markets)
    position = risk(Account(0, {market: size}), markets)
    distance = 1 - Fraction(whole.net_collateral, whole.maintenance_margin)
    ratio = min(max(Fraction(adjustment, PPM) * distance, Fraction(0)), Fraction(1))
    discount = ratio * Fraction(spread, PPM) * position.maintenance_margin
    return (position.net_collateral - discount) / size


def insurance_fund_delta(fill_quote: int, bankruptcy_quote: int, fee_max: int) -> int:
    """What the fund receives, at most the fee on the fill, or pays (negative)."""
    surplus = fill_quote - bankruptcy_quote
    return min(surplus, abs(fill_quote) * fee_max // PPM) if surplus > 0 else surplus


def liquidatable_notional(
    position_notional: int, notional_min: int, portion_max: int
) -> tuple[int, int]:
    """Least and most notional that one liquidation of a position may close."""
    low = min(notional_min, position_notional)
    return low, max(low, position_notional * portion_max // PPM)


def deleveraged(
    loser: Account,
    winner: Account,
    markets: Mapping[str, Perpetual],
    market: str,
    delta: int,
    *,
    at_oracle: bool = False,
) -> tuple[Account, Account]:
    """Close delta of the loser's position against the winner, at bankruptcy or oracle price.

    Refused where delta is not a part of both positions, or an account would end below its
    initial margin and not be better off than before.
    """
    for account, change in ((loser, delta), (winner, -delta)):
        size = account.positions.get(market, 0)
        if size * change >= 0 or abs(change) > abs(size):
            raise RefusedError("ErrInvalidPerpetualPositionSizeDelta")
    if at_oracle:
        quote = -notional(markets[market].price, delta)
    else:
        quote = bankruptcy_price(loser, markets, market, delta)
    results = _moved(loser, market, delta, quote), _moved(winner, market, -delta, -quote)
    for before, after in zip((loser, winner), results, strict=True):
        if not _is_allowed(risk(before, markets), risk(after, markets)):
            raise RefusedError("ErrFailedToUpdateSubaccounts")
    return results


def funding_index_delta(price: Fraction, rate: int, seconds: int) -> int:
    """Price * rate of eight hours * seconds / 28,800, in ppm, rounded towards zero.

    Price in quote quantums per base quantum.
    """
    return int(price * rate * seconds / FUNDING_PERIOD_SECONDS)


def _check_reduction(account: Account, market: str, delta: int) -> int:
    size = account.positions.get(market, 0)
    if size * delta >= 0 or abs(delta) > abs(size):
        raise RefusedError("invalid size delta")
    return size


def _moved(account: Account, market: str, delta: int, quote: int) -> Account:
    left = account.positions[market] + delta
    positions = {name: size for name, size in account.positions.items() if name != market}
    return Account(account.quote + quote, {market: left, **positions} if left else positions)


def _is_allowed(before: Risk, after: Risk) -> bool:
    """Below the initial margin a step must lower the exposure and not the collateral ratio."""
    if after.net_collateral >= after.initial_margin:
        return True
    if after.maintenance_margin > before.maintenance_margin:
        return False
    if before.maintenance_margin == 0 or after.maintenance_margin == 0:
        both = before.maintenance_margin == after.maintenance_margin == 0
        return both and after.net_collateral > before.net_collateral
    return (
        after.net_collateral * before.maintenance_margin
        >= before.net_collateral * after.maintenance_margin
    )


def funding_rate_max(clamp_factor: int, initial_rate: int, maintenance_fraction: int) -> int:
    """Largest absolute funding rate of eight hours, in ppm: factor * (IM - MM) rate."""
    maintenance_rate = initial_rate * maintenance_fraction // PPM
    return clamp_factor * (initial_rate - maintenance_rate) // PPM
