"""Exact fixed-point arithmetic: floor and ceiling of x * y / d on 64-bit integers.

In plain Python both functions are one-line formulas over unbounded integers. Compiled
code gets the overloads instead: an estimate of the quotient in double precision, then a
correction by the remainder, which is taken modulo 2**64.

Bounds: 0 < d <= DIVISOR_MAX and |x * y / d| <= QUOTIENT_MAX. The estimate takes five
roundings of relative size 2**-53 (x, y, their product, the inverse of d, the quotient), so it
is off by at most 5 * 2**9 + 1 < 2**12, and the remainder is below 2**12 * d <= 2**62. Its own
quotient by d is below 2**12, so the second estimate is off by at most one, at a whole
quotient, and the last line puts that right: the corrected quotient is exact.
"""

from collections.abc import Callable

from numba.extending import overload

DIVISOR_MAX = 2**50
QUOTIENT_MAX = 2**62


def mul_div_floor(x: int, y: int, d: int) -> int:
    """Return floor(x * y / d), exactly."""
    return int(x) * int(y) // int(d)


def mul_div_ceil(x: int, y: int, d: int) -> int:
    """Return ceil(x * y / d), exactly."""
    return -(-int(x) * int(y) // int(d))


@overload(mul_div_floor, jit_options={"forceinline": True, "error_model": "numpy"})
def _mul_div_floor(x: int, y: int, d: int) -> Callable[[int, int, int], int]:
    def by_estimate(x: int, y: int, d: int) -> int:
        inverse = 1.0 / float(d)  # one division for both estimates
        q = int(float(x) * float(y) * inverse)
        r = x * y - q * d  # wraps, but the true value fits in 64 bits
        k = int(float(r) * inverse)
        q, r = q + k, r - k * d
        return q - (r < 0) + (r >= d)

    return by_estimate


@overload(mul_div_ceil, jit_options={"forceinline": True, "error_model": "numpy"})
def _mul_div_ceil(x: int, y: int, d: int) -> Callable[[int, int, int], int]:
    def by_floor(x: int, y: int, d: int) -> int:
        return -mul_div_floor(-x, y, d)

    return by_floor
