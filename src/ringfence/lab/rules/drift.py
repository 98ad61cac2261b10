"""Drift v2: weights by size, what a liquidation transfers, its fees, and shared losses.

Prices and quote amounts are integers of 1e-6, base amounts 1e-9, fees and multipliers 1e-6,
margin ratios and weights 1e-4, tokens in their own decimals. Quotients round down unless a
name or docstring says otherwise.

    base to cover a shortage = shortage / (price * (margin ratio - fee) - price * insurance fee)
    insurance fee            = 0.95 * (margin ratio - fee - shortage / notional), within its cap

so that neither fee can turn a solvent position into a loss.

Source: drift-labs/protocol-v2, math/liquidation.rs, math/margin.rs, controller/liquidation.rs.
"""

from math import isqrt
from typing import NamedTuple

from ringfence.lab.rules.fixed_point import mul_div_ceil

PRICE = 10**6
BASE = 10**9
FEE = 10**6
WEIGHT = 10**4
FEE_PER_RATIO = FEE // WEIGHT
FUNDING_PER_QUOTE = 10**3  # funding rates carry three more decimals than quote amounts
SIZE_SQRT = 10**5
GRACE_SLOTS = 1500
SMALL_SHORTAGE = 50 * PRICE
UNLIMITED = 2**64 - 1  # the source's answer where no finite amount would do
UNLIMITED_TOKENS = 2**128 - 1


class RefusedError(Exception):
    """A step that the exchange refuses, by the name of its error."""


class IsolatedPosition(NamedTuple):
    """Signed base, quote paid (negative) or received, and collateral of its own."""

    base: int
    quote: int
    collateral: int


class LiquidationTerms(NamedTuple):
    """Parameters of the market that a liquidation needs."""

    maintenance_ratio: int
    buffer_ratio: int
    liquidator_fee: int
    insurance_fee_max: int
    order_step: int


class IsolatedLiquidation(NamedTuple):
    """The position after its liquidation and what the others got."""

    position: IsolatedPosition
    entry: int  # quote at entry of what is left
    liquidator_base: int
    liquidator_quote: int
    insurance_fee: int
    margin_ratio: int | None  # none of an empty position


def _price_in_quote(price: int, quote_price: int) -> int:
    return price * quote_price // PRICE


def base_to_cover_shortage(
    shortage: int,
    margin_ratio: int,
    liquidator_fee: int,
    insurance_fee: int,
    price: int,
    quote_price: int = PRICE,
) -> int:
    """Base amount whose closing frees the margin that is missing."""
    ratio = margin_ratio * FEE_PER_RATIO
    if price == 0 or ratio <= liquidator_fee:
        return UNLIMITED
    freed = _price_in_quote(price, quote_price) * (ratio - liquidator_fee) // FEE
    freed -= price * insurance_fee // FEE
    return shortage * BASE // freed if freed > 0 else UNLIMITED


def liability_to_cover_shortage(
    shortage: int,
    asset_weight: int,
    asset_multiplier: int,
    liability_weight: int,
    liability_multiplier: int,
    liability_decimals: int,
    liability_price: int,
    insurance_fee: int = 0,
) -> int:
    """Tokens of a debt whose repayment by collateral frees the margin that is missing."""
    asset_part = asset_weight * 10 * asset_multiplier // liability_multiplier
    if asset_weight >= liability_weight or asset_part >= liability_weight * 10:
        return UNLIMITED_TOKENS
    fee = liability_price * insurance_fee // FEE * liability_weight * 10
    freed = liability_price * (liability_weight * 10 - asset_part) - fee
    scaled = shortage * 10 ** max(liability_decimals - 6, 0) * PRICE * WEIGHT * 10 // freed
    return max(scaled // 10 ** max(6 - liability_decimals, 0), 1)


def liability_for_asset(
    asset_amount: int,
    asset_multiplier: int,
    asset_decimals: int,
    asset_price: int,
    liability_multiplier: int,
    liability_decimals: int,
    liability_price: int,
) -> int:
    """Tokens of a debt that an amount of collateral pays, rounded up twice."""
    scale = liability_decimals - asset_decimals
    worth = asset_amount * 10 ** max(scale, 0) * asset_price
    tokens = mul_div_ceil(worth, liability_multiplier, liability_price * asset_multiplier)
    return mul_div_ceil(tokens, 1, 10 ** max(-scale, 0))


def asset_for_liability(
    available: int,
    asset_multiplier: int,
    asset_decimals: int,
    asset_price: int,
    liability_amount: int,
    liability_multiplier: int,
    liability_decimals: int,
    liability_price: int,
) -> int:
    """Collateral that pays for a debt; all that is available if that differs by less than 1 USD."""
    scale = asset_decimals - liability_decimals
    worth = liability_amount * 10 ** max(scale, 0) * liability_price * asset_multiplier
    asset = worth // (asset_price * liability_multiplier) // 10 ** max(-scale, 0)
    asset = max(asset, 1)
    difference = abs(asset - available) * asset_price // PRICE
    # The source scales the difference by the asset's decimals the wrong way round, so it
    # takes a token with more than six decimals for more than it is worth, and less for less.
    difference = difference * 10 ** max(asset_decimals - 6, 0) // 10 ** max(6 - asset_decimals, 0)
    return available if difference < PRICE else asset


def insurance_fee_of_position(
    shortage: int,
    base: int,
    margin_ratio: int,
    liquidator_fee: int,
    price: int,
    quote_price: int,
    fee_max: int,
) -> int:
    """0.95 * (margin ratio - liquidator fee - shortage / notional), from zero to its cap."""
    ratio, worth = margin_ratio * FEE_PER_RATIO, _price_in_quote(price, quote_price)
    if worth == 0 or base == 0 or ratio <= liquidator_fee:
        return 0
    missing = shortage * BASE // base * PRICE // worth
    return min(fee_max, max(ratio - liquidator_fee - missing, 0) * 19 // 20)


def insurance_fee_of_debt(
    shortage: int,
    tokens: int,
    asset_weight: int,
    asset_multiplier: int,
    liability_weight: int,
    liability_multiplier: int,
    decimals: int,
    price: int,
    fee_max: int,
) -> int:
    """(liability weight - asset weight - shortage / debt value) / liability weight, capped."""
    if asset_weight >= liability_weight or 0 in {price, tokens, liability_multiplier}:
        return 0
    weight = liability_weight * FEE_PER_RATIO
    asset_part = asset_weight * FEE_PER_RATIO * asset_multiplier // liability_multiplier
    missing = shortage * FEE * 10**decimals // tokens // price
    implied = max(max(weight - asset_part, 0) - missing, 0)
    return min(fee_max, implied * FEE // weight)


def liquidator_fee(base_fee: int, fee_max: int, last_active_slot: int, slot: int) -> int:
    """Base fee, after a grace growing by 1e-6 for every slot since the account was active."""
    elapsed = slot - last_active_slot
    return base_fee if elapsed < GRACE_SLOTS else min(base_fee + elapsed, fee_max)


def share_to_liquidate_max(
    shortage: int, slots: int, initial_share: int, duration: int, freed: int = 0
) -> int:
    """Share of the shortage (1e-4) that may be freed now; a small one at once."""
    if shortage < SMALL_SHORTAGE:
        return WEIGHT
    passed = slots * WEIGHT // duration if duration else WEIGHT
    share = min(passed + initial_share, WEIGHT)
    return max((shortage + freed) * share // WEIGHT - freed, 0) * WEIGHT // shortage


def swap_price(first: int, first_decimals: int, second: int, second_decimals: int) -> int:
    """Units of the first token per unit of the second, in 1e-6."""
    return first * PRICE // 10**first_decimals * 10**second_decimals // second


def is_swap_within_bounds(
    asset: int,
    liability: int,
    asset_decimals: int,
    liability_decimals: int,
    asset_price: int,
    liability_price: int,
    asset_multiplier: int,
    liability_multiplier: int,
) -> bool:
    """Whether collateral was sold for at least its price less the liquidation's multipliers."""
    got = swap_price(liability, liability_decimals, asset, asset_decimals)
    worst = asset_price * PRICE * liability_multiplier // liability_price // asset_multiplier
    return got >= worst


def scaled_size(amount: int, decimals: int) -> int:
    """Amount with nine decimals, as sizes are measured for weights."""
    return amount * 10 ** max(9 - decimals, 0) // 10 ** max(decimals - 9, 0)


def asset_weight_by_size(size: int, imf_factor: int, weight: int) -> int:
    """min(weight, 1.1 / (1 + factor * sqrt(size)))."""
    if imf_factor == 0:
        return weight
    root = isqrt(size * 10 + 1)
    discounted = (FEE + FEE // 10) * WEIGHT // (FEE + root * imf_factor // SIZE_SQRT)
    return min(weight, discounted)


def liability_weight_by_size(size: int, imf_factor: int, weight: int) -> int:
    """max(weight, 0.8 * weight + factor * sqrt(size)); margin ratios scale the same way."""
    if imf_factor == 0:
        return weight
    premium = isqrt(size * 10 + 1) * imf_factor // (SIZE_SQRT * FEE // WEIGHT)
    return max(weight, weight - weight // 5 + premium)


def asset_weight_by_deposits(
    weight: int, scale_start: int, deposits: int, decimals: int, price: int
) -> int:
    """Weight, shrinking as start / value once all deposits of the token are worth more."""
    value = deposits * price // 10**decimals
    return weight * scale_start // value if scale_start and value > scale_start else weight


def unrealized_pnl_weight(pnl: int, imf_factor: int, weight: int) -> int:
    """Weight of a gain in initial margin, by its size; of a loss the full one."""
    return asset_weight_by_size(scaled_size(pnl, 6), imf_factor, weight) if pnl > 0 else WEIGHT


def initial_margin_of_position(
    base: int,
    quote: int,
    price: int,
    margin_ratio: int,
    imf_factor: int,
    pnl_weight: int,
    pnl_imf_factor: int,
    gain_max: int,
) -> tuple[int, int]:
    """Initial margin, and the unrealized PnL that counts: weighted, at most so much gain."""
    value = abs(base) * price // BASE
    pnl = (value if base > 0 else -value) + quote
    ratio = liability_weight_by_size(abs(base), imf_factor, margin_ratio)
    weighted = pnl * unrealized_pnl_weight(pnl, pnl_imf_factor, pnl_weight) // WEIGHT
    return value * ratio // WEIGHT, min(weighted, gain_max) if gain_max else weighted


def funding_rate_to_share_loss(loss: int, base_long: int, base_short: int) -> int:
    """Funding per base, 1e-9, that lets both sides bear a loss; rounded up at 1e-6."""
    total = abs(base_long) + abs(base_short)
    if total == 0:
        raise RefusedError("CantResolvePerpBankruptcy")
    return mul_div_ceil(abs(loss), BASE, total) * FUNDING_PER_QUOTE


def funding_payment(funding_rate: int, last_rate: int, base: int) -> int:
    """What a position receives for the funding since it was last settled; negative: pays."""
    return -((funding_rate - last_rate) * base) // (BASE * FUNDING_PER_QUOTE)


def isolated_liquidation(
    position: IsolatedPosition,
    terms: LiquidationTerms,
    price: int,
    liquidator_base_max: int,
) -> IsolatedLiquidation:
    """Hand over as much of an isolated position as restores its margin and the buffer.

    Only the position's own collateral counts, and nothing else of its owner. Refused as
    SufficientCollateral while that covers the maintenance margin without the buffer.
    """
    size, sign = abs(position.base), 1 if position.base > 0 else -1
    value = size * price // BASE
    equity = position.collateral + position.quote + sign * value
    required = value * terms.maintenance_ratio // WEIGHT
    if equity >= required:
        raise RefusedError("SufficientCollateral")
    shortage = required + value * terms.buffer_ratio // WEIGHT - equity
    ratio = terms.maintenance_ratio + terms.buffer_ratio
    rates = ratio, terms.liquidator_fee
    insurance_rate = insurance_fee_of_position(
        shortage, size, *rates, price, PRICE, terms.insurance_fee_max
    )
    needed = base_to_cover_shortage(shortage, *rates, insurance_rate, price)
    on_step = -(-needed // terms.order_step) * terms.order_step
    moved = min(size, liquidator_base_max, on_step)
    paid_price = price * (FEE - sign * terms.liquidator_fee) // FEE
    paid = sign * (moved * paid_price // BASE)
    insurance_fee = moved * price // BASE * insurance_rate // FEE
    left = IsolatedPosition(
        position.base - sign * moved,
        position.quote + paid - insurance_fee,
        position.collateral,
    )
    entry = position.quote * (size - moved) // size
    return IsolatedLiquidation(
        left, entry, sign * moved, -paid, insurance_fee, isolated_margin_ratio(left, price)
    )


def isolated_margin_ratio(position: IsolatedPosition, price: int) -> int | None:
    """Equity / notional in 1e-4, none of an empty position."""
    value = abs(position.base) * price // BASE
    if value == 0:
        return None
    signed = value if position.base > 0 else -value
    return (position.collateral + position.quote + signed) * WEIGHT // value
