"""Compiled fixed-point arithmetic equals the one-line formulas over Python integers."""

import itertools

import numpy as np
from numba import njit

from ringfence.fixed import DIVISOR_MAX, QUOTIENT_MAX, mul_div_ceil, mul_div_floor

EDGES = (0, 1, 2, 3, 10**6, 2**31, 2**32 - 1, 2**49, 2**50 - 1, 2**50, 2**53 - 1, 2**53, 2**62)


@njit
def floors(x, y, d, results):
    for k in range(x.size):
        results[k] = mul_div_floor(x[k], y[k], d[k])


@njit
def ceilings(x, y, d, results):
    for k in range(x.size):
        results[k] = mul_div_ceil(x[k], y[k], d[k])


def assert_twins_agree(cases):
    """Compare both compiled functions with Python's // on every case inside the bounds."""
    inside = [
        (x, y, d)
        for x, y, d in cases
        if 0 < d <= DIVISOR_MAX and abs(x * y) <= (QUOTIENT_MAX - 1) * d
    ]
    assert inside
    x, y, d = (np.array(column, dtype=np.int64) for column in zip(*inside, strict=True))
    found = np.zeros_like(x)
    floors(x, y, d, found)
    assert found.tolist() == [p * q // r for p, q, r in inside]
    ceilings(x, y, d, found)
    assert found.tolist() == [-(-p * q // r) for p, q, r in inside]


def test_compiled_and_exact_agree_at_the_boundaries():
    signed = [sign * edge for edge in EDGES for sign in (1, -1)]
    assert_twins_agree(itertools.product(signed, signed, EDGES))


def test_compiled_and_exact_agree_one_unit_around_every_whole_quotient():
    generator = np.random.default_rng(1)
    cases = []
    for d in (1, 3, 10**6, 10**11, 10**15, 2**50 - 1, 2**50):
        for q in (1, 2**31, 2**52, 2**61 - 1, int(generator.integers(1, 2**61))):
            x = int(generator.integers(1, 2**40))
            y = q * d // x
            cases += [(x, y + more, d) for more in (-1, 0, 1) if abs(y) < 2**62]
            cases += [(-x, y + more, d) for more in (-1, 0, 1) if abs(y) < 2**62]
    assert_twins_agree(cases)


def test_compiled_and_exact_agree_at_random():
    generator = np.random.default_rng(2)
    bits = generator.integers(1, 62, size=(100_000, 3))
    numbers = generator.integers(0, 2**62, size=(100_000, 3)) >> (62 - bits)
    signs = generator.choice((-1, 1), size=(100_000, 2))
    cases = [
        (int(x) * int(s), int(y) * int(t), int(d) % DIVISOR_MAX + 1)
        for (x, y, d), (s, t) in zip(numbers, signs, strict=True)
    ]
    assert_twins_agree(cases)


def test_floor_and_ceiling_round_towards_minus_and_plus_infinity():
    assert mul_div_floor(7, 1, 2) == 3
    assert mul_div_ceil(7, 1, 2) == 4
    assert mul_div_floor(-7, 1, 2) == -4
    assert mul_div_ceil(-7, 1, 2) == -3
    assert mul_div_floor(2**53, 2**53, 2**50) == 2**56
