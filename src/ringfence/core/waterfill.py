"""Water-filling: which winners are cut, and by how much, so that exactly enough is closed.

Everybody on one side has a size s (in lots) and an equity e. Cutting down to a level

    keep_i = min(s_i, A e_i / E),   A = sum of s - needed,   over the cut set only

the cut set being those with s_i > A e_i / E. So the most levered are cut first, and all of
them end at one leverage. Shares of a whole round down, what that leaves goes out one lot
each, by largest remainder, then by lowest number: the cuts sum to what is needed, exactly.

Source: the rule minimises the largest leverage, and for positions in one asset it is neither
worth while to split an account nor dependent on the order (arXiv 2603.15963).
"""

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.fixed import DIVISOR_MAX, mul_div_ceil, mul_div_floor


@kernel
def scaled_to_fit(weights: Column) -> Column:
    """Weights that keep their proportions and whose sum divides; not negative."""
    total = 0
    for k in range(weights.size):
        total += max(weights[k], 0) >> 24  # the sum itself could leave 64 bits
    shift = 0
    while total >> shift >= DIVISOR_MAX >> 25:
        shift += 1
    fitting = np.zeros(weights.size, dtype=np.int64)
    for k in range(weights.size):
        fitting[k] = max(weights[k], 0) >> shift
    return fitting


@kernel
def cut_set(sizes: Column, weights: Column, needed: int, is_cut: Column) -> tuple[int, int]:
    """Mark those above the level; return what they keep together and the sum of their weights.

    Each turn takes out whoever is below the level of the others, which raises the level.
    """
    kept, total, changed = -needed, 0, True
    for k in range(sizes.size):
        is_cut[k] = 1 if sizes[k] > 0 else 0
        if is_cut[k] == 1:
            kept += sizes[k]
            total += weights[k]
    while changed and total > 0:
        changed = False
        left_kept, left_total = kept, total
        for k in range(sizes.size):
            if is_cut[k] == 1 and mul_div_ceil(kept, weights[k], total) > sizes[k]:
                is_cut[k] = 0
                changed = True
                left_kept -= sizes[k]
                left_total -= weights[k]
        kept, total = left_kept, left_total
    return kept, total


@kernel
def total_of(weights: Column, is_cut: Column) -> int:
    """Sum of the weights of those who are cut."""
    total = 0
    for k in range(weights.size):
        total += weights[k] * is_cut[k]
    return total


@kernel
def kept_by(sizes: Column, weights: Column, kept: int, is_cut: Column) -> Column:
    """What each of the cut set keeps: its share by weight, by largest remainder."""
    total = total_of(weights, is_cut)
    keep = np.zeros(sizes.size, dtype=np.int64)
    remainder = np.full(sizes.size, -1, dtype=np.int64)
    left = kept
    for k in range(sizes.size):
        if is_cut[k] == 1 and total > 0:
            keep[k] = mul_div_floor(kept, weights[k], total)
            # Each product wraps when compiled; the true difference fits.
            remainder[k] = int(kept) * int(weights[k]) - int(keep[k]) * int(total)
            left -= keep[k]
    for k in np.argsort(-remainder, kind="mergesort")[:left]:
        keep[k] += 1
    return keep


@kernel
def cuts(sizes: Column, equities: Column, needed: int) -> Column:
    """Lots to close of each size, so that they sum to what is needed; needed <= sum of sizes."""
    is_cut = np.zeros(sizes.size, dtype=np.int64)
    weights = scaled_to_fit(equities)
    kept, total = cut_set(sizes, weights, needed, is_cut)
    if total == 0:  # only those without equity are cut: alike, by size
        weights = scaled_to_fit(sizes)
    return (sizes - kept_by(sizes, weights, kept, is_cut)) * is_cut
