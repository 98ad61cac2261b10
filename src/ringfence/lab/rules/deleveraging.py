"""Who bears what a bankrupt position leaves: deleveraging by rank or by level, shared losses.

Floats where a rule is stated in them; the waterfall is exact.
"""

from collections.abc import Sequence
from typing import NamedTuple


def adl_rank(pnl: float, wallet: float, margin_ratio: float) -> tuple[float, float]:
    """PnL percent, max(0, PnL) / max(1, wallet), and its product with the margin ratio.

    Accounts are deleveraged in falling order of the second.

    Source: Binance support, "What is auto-deleveraging".
    """
    percent = max(0.0, pnl) / max(1.0, wallet)
    return percent, percent * margin_ratio


def water_filling(
    winners: Sequence[tuple[float, float]], needed: float
) -> tuple[float, list[float]]:
    """Leverage to which the most levered winners (notional, equity) are cut, and the cuts.

    The level L solves sum of max(0, notional - L * equity) = needed, so the highest leverage
    left is as low as can be, and splitting a winner in two changes nothing.

    Source: arXiv 2603.15963 (minimising the maximum leverage in auto-deleveraging).
    """
    total = sum(notional for notional, _ in winners)
    if needed > total:
        raise ValueError(f"{needed} is more than all winners hold, {total}")
    notional = equity = level = 0.0
    ordered = sorted(winners, key=lambda winner: -winner[0] / winner[1])
    for index, winner in enumerate(ordered):
        notional, equity = notional + winner[0], equity + winner[1]
        level = (notional - needed) / equity
        if index + 1 == len(ordered) or level >= ordered[index + 1][0] / ordered[index + 1][1]:
            break
    return level, [max(0.0, held - level * own) for held, own in winners]


class Deficit(NamedTuple):
    """How a deficit is borne: each step by what it takes, the rest by one common scale."""

    burned_profit: int
    insurance: int
    kept: tuple[int, int]  # numerator and denominator of what everyone keeps


def insolvency_waterfall(
    principal: int, realised: int, warming: int, insurance: int, collateral: int
) -> Deficit:
    """Burn unvested profit, draw insurance into the collateral, scale the rest equally.

    The source counts insurance as an asset, then takes it away without adding it to the
    collateral; here the draw is added, so that no money disappears.

    Source: aeyakovenko/percolator, crisis/haircut.rs, corrected as said.
    """
    missing = max(principal + realised + warming - collateral, 0)
    burned = min(warming, missing)
    drawn = min(insurance, missing - burned)
    claims = principal + realised + warming - burned
    return Deficit(burned, drawn, (min(collateral + drawn, claims), claims))
