"""exp, log and the normal distribution in plain float64: the same bits everywhere, at vector speed.

Only + - * /, comparisons and shifts of bit patterns are used, never a library function and
never a fused multiply-add, so every processor, thread count and interpreter returns the same
bits; and as there is no branch and no call, the compiler turns a loop over these formulas
into vector instructions by itself.

    exp(x)      = 2**n (1 + r + r**2 EXP(r)),     n = round(x / log 2), r = x - n log 2
    log(x / y)  = e log 2 + 2 s + s**3 LOG(s**2), s = (m - y) / (m + y), m = x / 2**e
    N(-x)       = n(x) MILLS_P(x) / MILLS_Q(x),   x >= 0

Source: the reductions are Cody and Waite, Software Manual for the Elementary Functions (1980);
the coefficients are our own, made by benchmarks/pricing_coefficients.py, which also prints
their errors: 1.7e-17, 5.7e-17 and 9.8e-17, relative. All coefficients of the Mills ratio are
positive, so its evaluation cannot cancel.
"""

import numpy as np

from ringfence.compiled import formula

# Coefficients with the highest power first.
EXP = (
    2.510134692835034e-08,
    2.7621338669142925e-07,
    2.75572664186123e-06,
    2.4801518641395993e-05,
    0.00019841269864380513,
    0.0013888888918939168,
    0.008333333333329793,
    0.04166666666662064,
    0.16666666666666669,
    0.5000000000000001,
)
LOG = (
    0.1512160480384794,
    0.15283359957096818,
    0.18184624343126693,
    0.22222182512983996,
    0.285714288382469,
    0.39999999999328945,
    0.6666666666666694,
)
MILLS_P = (
    3.3701345676472084e-06,
    9.117104297634546e-05,
    0.0012058535761413003,
    0.010093490000672958,
    0.05849506849399887,
    0.24260910245913198,
    0.7202820745002483,
    1.482273084822868,
    1.9377731858626888,
    1.2533141373155001,
)
MILLS_Q = (
    3.3701345676572678e-06,
    9.117104297422823e-05,
    0.0012092237109093617,
    0.010184661032273125,
    0.059694182237208744,
    0.2525202382942617,
    0.7763993895645154,
    1.7056028152718241,
    2.552927306125423,
    2.344003868140482,
    1.0,
)
MILLS_MAX = 38.0  # beyond, the density is below the smallest normal float and counts as zero

LOG2_E = 1.4426950408889634
# log 2 in two parts; the first has 38 bits, so its product with an exponent is exact.
LN2_HIGH = 0.6931471805582987
LN2_LOW = 1.6465949582897082e-12
INVERSE_SQRT_TWO_PI = 0.3989422804014327
EXP_MIN, EXP_MAX = -708.0, 709.0  # outside, exp is zero or infinity

LEAST, MOST = 1e-150, 1e150  # log_ratio works in between: no exponent can overflow

MANTISSA_BITS = 52
HALF_EXPONENT = 1 << 51  # rounds the difference of two bit patterns to a whole exponent
ROUNDER = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest integer in the low bits
ROUNDER_BITS = 0x4338000000000000


@formula
def to_bits(x: float) -> np.int64:
    """Bit pattern of a float, as an integer."""
    return np.float64(x).view(np.int64)


@formula
def from_bits(bits: np.int64) -> float:
    """Float with a given bit pattern."""
    return np.int64(bits).view(np.float64)


@formula
def horner(x: float, coefficients: tuple[float, ...]) -> float:
    """Polynomial at x, highest power first."""
    y = coefficients[0]
    for c in coefficients[1:]:
        y = y * x + c
    return y


@formula
def exp(x: float) -> float:
    """Exponential function; zero where the result would not be a normal float."""
    inside = min(max(x, EXP_MIN), EXP_MAX)
    shifted = inside * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (inside - n * LN2_HIGH) - n * LN2_LOW
    y = 1.0 + (r + r * r * horner(r, EXP))
    # The low bits of `shifted` hold n; moved to the exponent they multiply by 2**n.
    scaled = from_bits(to_bits(y) + (to_bits(shifted) << np.int64(MANTISSA_BITS)))
    beyond = 0.0 if x < EXP_MIN else (np.inf if x > EXP_MAX else x)  # x: NaN stays NaN
    return scaled if (x >= EXP_MIN) & (x <= EXP_MAX) else beyond


@formula
def log_ratio(x: float, y: float) -> float:
    """log(x / y) for x and y from LEAST to MOST, with full precision also near x = y.

    The exponent is read off the difference of the bit patterns, which is a piecewise linear
    log2 and errs by less than 0.087: m / y is within 2**0.587, m - y is exact (Sterbenz).
    """
    e = (to_bits(x) - to_bits(y) + np.int64(HALF_EXPONENT)) >> np.int64(MANTISSA_BITS)
    m = from_bits(to_bits(x) - (e << np.int64(MANTISSA_BITS)))
    s = (m - y) / (m + y)
    z = s * s
    n = from_bits(e + np.int64(ROUNDER_BITS)) - ROUNDER
    return n * LN2_HIGH + (2.0 * s + (s * z * horner(z, LOG) + n * LN2_LOW))


@formula
def log(x: float) -> float:
    """Natural logarithm for x from LEAST to MOST."""
    return log_ratio(x, 1.0)


@formula
def normal_density(x: float) -> float:
    """Density of the standard normal distribution."""
    return INVERSE_SQRT_TWO_PI * exp(-0.5 * x * x)


@formula
def mills_p(x: float) -> float:
    """Numerator of the Mills ratio."""
    return horner(x, MILLS_P)


@formula
def mills_q(x: float) -> float:
    """Denominator of the Mills ratio."""
    return horner(x, MILLS_Q)


@formula
def mills_ratio(x: float) -> float:
    """Mills ratio N(-x) / n(x) for x from 0 to 40."""
    return mills_p(x) / mills_q(x)


@formula
def normal_cdf(x: float) -> float:
    """Standard normal distribution function; the lower tail keeps its relative precision."""
    tail = normal_density(x) * mills_ratio(min(abs(x), MILLS_MAX))
    return tail if x < 0.0 else 1.0 - tail
