"""Regenerate the coefficients of ringfence.pricing.elementary; needs mpmath.

    python benchmarks/pricing_coefficients.py

Each function is collocated at Chebyshev nodes in 60 digits, which comes within a small factor
of the best uniform approximation, and its worst relative error on a grid is printed beside
the coefficients (highest power first). Rounding the coefficients to float64 adds less than one
unit in the last place; the tests measure what remains.
"""

import sys
from collections.abc import Callable

import mpmath as mp

DIGITS = 60
GRID = 400
MILLS_MAX = 40  # beyond, the normal density is below the smallest float
MILLS_CENTRE = mp.mpf("3.75")  # nodes are spread evenly in (x - centre) / (x + centre)
LOG_RANGE = mp.mpf("0.5862")  # |log2| of a ratio after removing the exponent, see log_ratio

Number = mp.mpf


def chebyshev(low: Number, high: Number, count: int) -> list[Number]:
    """Chebyshev nodes of an interval."""
    angles = [mp.pi * (2 * i + 1) / (2 * count) for i in range(count)]
    return [(low + high) / 2 + (high - low) / 2 * mp.cos(angle) for angle in angles]


def polynomial(f: Callable[[Number], Number], low: Number, high: Number, n: int) -> list[Number]:
    """Coefficients of the polynomial of degree n through f at Chebyshev nodes."""
    nodes = chebyshev(low, high, n + 1)
    powers = mp.matrix([[x**j for j in range(n + 1)] for x in nodes])
    return list(mp.lu_solve(powers, mp.matrix([f(x) for x in nodes])))


def mills(x: Number) -> Number:
    """Mills ratio: (1 - N(x)) / n(x)."""
    return mp.sqrt(mp.pi / 2) * mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2))


def mills_rational(n: int, m: int) -> tuple[list[Number], list[Number]]:
    """P and Q of degrees n and m, with P / Q equal to the Mills ratio at n + m + 1 nodes."""
    end = (MILLS_MAX - MILLS_CENTRE) / (MILLS_MAX + MILLS_CENTRE)
    nodes = [MILLS_CENTRE * (1 + t) / (1 - t) for t in chebyshev(mp.mpf(-1), end, n + m + 1)]
    rows = [
        [x**j for j in range(n + 1)] + [-mills(x) * x**j for j in range(1, m + 1)] for x in nodes
    ]
    solved = list(mp.lu_solve(mp.matrix(rows), mp.matrix([mills(x) for x in nodes])))
    return solved[: n + 1], [mp.mpf(1), *solved[n + 1 :]]


def say(line: str) -> None:
    """Write one line."""
    sys.stdout.write(line + "\n")


def show(name: str, coefficients: list[Number]) -> None:
    """Print one line of source."""
    say(f"{name} = {tuple(float(c) for c in reversed(coefficients))}")


def show_error(
    name: str, f: Callable[[Number], Number], g: Callable[[Number], Number], grid: list[Number]
) -> None:
    """Print the worst relative distance of g from f."""
    worst = max(abs(g(x) / f(x) - 1) for x in grid)
    say(f"# {name}: relative error {mp.nstr(worst, 3)}")


def exponential() -> None:
    """Print EXP: (exp(r) - 1 - r) / r**2 for |r| up to log(2) / 2."""
    half = mp.log(2) / 2

    def exp_rest(r: Number) -> Number:
        return (mp.exp(r) - 1 - r) / r**2 if abs(r) > mp.mpf(10) ** -20 else mp.mpf(1) / 2

    e = polynomial(exp_rest, -half * mp.mpf("1.01"), half * mp.mpf("1.01"), 9)
    show("EXP", e)
    grid = [half * i / GRID for i in range(-GRID, GRID + 1)]
    show_error("exp", mp.exp, lambda r: 1 + r + r * r * mp.polyval(e[::-1], r), grid)


def logarithm() -> None:
    """Print LOG: (2 atanh(s) - 2 s) / s**3 as a function of s**2."""
    ratio = mp.mpf(2) ** LOG_RANGE
    s_max = (ratio - 1) / (ratio + 1)

    def log_rest(z: Number) -> Number:
        s = mp.sqrt(z)
        return (2 * mp.atanh(s) - 2 * s) / s**3 if z > mp.mpf(10) ** -20 else mp.mpf(2) / 3

    c = polynomial(log_rest, mp.mpf(0), s_max**2, 6)
    show("LOG", c)
    grid = [s_max * i / GRID for i in range(1, GRID + 1)]
    show_error(
        "log", lambda s: 2 * mp.atanh(s), lambda s: 2 * s + s**3 * mp.polyval(c[::-1], s * s), grid
    )


def normal() -> None:
    """Print MILLS_P and MILLS_Q."""
    p, q = mills_rational(9, 10)
    show("MILLS_P", p)
    show("MILLS_Q", q)
    grid = [mp.mpf(MILLS_MAX) * i / GRID for i in range(GRID + 1)]
    show_error("mills", mills, lambda x: mp.polyval(p[::-1], x) / mp.polyval(q[::-1], x), grid)


def main() -> None:
    """Print all coefficients and the two parts of log 2."""
    mp.mp.dps = DIGITS
    exponential()
    logarithm()
    normal()
    high = mp.floor(mp.log(2) * 2**38) / 2**38
    say(f"LN2_HIGH = {float(high)!r}\nLN2_LOW = {float(mp.log(2) - high)!r}")


if __name__ == "__main__":
    main()
