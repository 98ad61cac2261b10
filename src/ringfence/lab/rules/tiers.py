"""Bracket tables: the maintenance rate of a tier and the deduction that joins the tiers.

    deduction_0 = 0
    deduction_n = deduction_(n-1) + notional_min_n * (rate_n - rate_(n-1))
    maintenance margin = notional * rate_n - deduction_n

in the last tier whose notional_min is at most the notional. The deductions make the
margin continuous at every border. Where rates rise from tier to tier it is convex, so it
is also the largest of notional * rate_n - deduction_n over all tiers, which needs no
look-up; Ringfence's own brackets use that form.

Sources: Binance ("cum", maintenance amount), Bybit ("maintenance deduction"),
Hyperliquid ("maintenance deduction").
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Tier(NamedTuple):
    """One row of a bracket table."""

    notional_min: float
    rate: float
    deduction: float = 0.0


def with_deductions(tiers: Sequence[Tier]) -> list[Tier]:
    """Return the same tiers with the deductions that the recursion gives them."""
    _check_order(tiers)
    joined: list[Tier] = []
    deduction = 0.0
    rate = tiers[0].rate
    for tier in tiers:
        deduction += tier.notional_min * (tier.rate - rate)
        rate = tier.rate
        joined.append(tier._replace(deduction=deduction))
    return joined


def from_caps(caps: Sequence[float], rates: Sequence[float]) -> list[Tier]:
    """Tiers given by their upper ends, as Bybit prints them: each begins at the cap before.

    The last tier's own cap may be left out.
    """
    if not 0 <= len(rates) - len(caps) <= 1:
        raise ValueError(f"{len(rates)} rates need as many caps or one fewer, got {len(caps)}")
    begins = [0.0, *caps][: len(rates)]
    return with_deductions([Tier(low, rate) for low, rate in zip(begins, rates, strict=True)])


def tier_of(notional: float, tiers: Sequence[Tier]) -> Tier:
    """Last tier whose notional_min is at most the notional."""
    _check_order(tiers)
    if notional < tiers[0].notional_min:
        raise ValueError(f"notional {notional} is below the first tier, {tiers[0].notional_min}")
    return [tier for tier in tiers if tier.notional_min <= notional][-1]


def maintenance_margin(notional: float, tiers: Sequence[Tier]) -> float:
    """Notional * rate - deduction of the notional's tier."""
    tier = tier_of(notional, tiers)
    return notional * tier.rate - tier.deduction


def maintenance_margin_of_rising_rates(notional: float, tiers: Sequence[Tier]) -> float:
    """Largest of notional * rate - deduction over all tiers; equals the look-up if rates rise."""
    return max(notional * tier.rate - tier.deduction for tier in tiers)


def from_leverage(tiers: Sequence[tuple[float, float]]) -> list[Tier]:
    """Tiers of (lower notional, maximum leverage), where maintenance is half of initial margin.

    Source: Hyperliquid documentation, "Margin tiers".
    """
    return with_deductions([Tier(lower, 1 / (2 * leverage)) for lower, leverage in tiers])


def linear_growth_margin(size: float, base: float, slope_per_100: float) -> float:
    """Size * (base rate + slope for every hundred coins), in coins.

    Source: Deribit, inverse futures initial margin.
    """
    return size * (base + slope_per_100 * size / 100)


def _check_order(tiers: Sequence[Tier]) -> None:
    if not tiers:
        raise ValueError("a bracket table needs at least one tier")
    for low, high in pairwise(tiers):
        if high.notional_min <= low.notional_min:
            raise ValueError(
                f"tiers must begin one above the other: {high.notional_min} follows "
                f"{low.notional_min}"
            )
