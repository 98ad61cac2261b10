"""Panoptic: collateral ratios that follow the utilisation of a pool."""


def collateral_ratios(used: int, target: int, saturated: int) -> tuple[int, int]:
    """Collateral ratios of sellers and buyers in bps, by the pool's utilisation in bps.

    Sellers 20 % up to the target, 100 % when saturated; buyers 10 % down to 5 %.

    Source: panoptic-labs/panoptic-v1-core, CollateralTracker.sol.
    """
    passed = min(max(used, target), saturated) - target
    width = saturated - target
    return 2000 + 8000 * passed // width, 1000 - 500 * passed // width
