"""Digest of everything the pricing formulas return for one fixed set of options.

Run as a script it prints the digest of `results`, so a test can ask other compilers for theirs.
"""

import hashlib

import numpy as np

from ringfence.pricing import black76, black_scholes, conventions

COUNT = 600
EXTREMES = (0.0, 1e-12, 1e-3, 1.0, 40.0, 1e9, np.inf, np.nan, -1.0)


def fractions(count, seed):
    """Numbers in [0, 1) that depend on integer arithmetic only (Knuth's MMIX generator)."""
    found, state = np.empty(count), seed
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found[i] = (state >> 11) * 2.0**-53
    return found


def options():
    """Ordinary options, and every combination of two extreme numbers."""
    u = fractions(6 * COUNT, seed=1).reshape(6, COUNT)
    columns = [
        100.0 + 900.0 * u[0],
        (100.0 + 900.0 * u[0]) * (0.25 + 3.0 * u[1] * u[1]),
        2.0 * u[2] * u[2],
        0.05 + 2.0 * u[3],
        0.2 * u[4] - 0.05,
    ]
    for place in range(5):
        for other in range(place):
            first, second = np.meshgrid(EXTREMES, EXTREMES)
            rows = [np.full(first.size, x) for x in (100.0, 90.0, 0.5, 0.8, 0.03)]
            rows[place], rows[other] = first.ravel(), second.ravel()
            columns = [np.concatenate(pair) for pair in zip(columns, rows, strict=True)]
    is_call = np.arange(len(columns[0])) % 2 == 0
    is_call[:COUNT] = u[5] < 0.5
    return columns, is_call


def results():
    """Every column of the functions of `black76`."""
    (forward, strike, time, volatility, rate), is_call = options()
    option = forward, strike, time, volatility, is_call
    value = black76.evaluate(*option, rate)
    few = slice(0, COUNT // 2)
    implied = black76.implied_volatility(
        value.price[few], forward[few], strike[few], time[few], is_call[few], rate[few]
    )
    return [*value, *black76.greeks(*option, rate), implied]


def more_results():
    """Every column of the functions that are built on those."""
    (forward, strike, time, volatility, rate), is_call = options()
    option = forward, strike, time, volatility, is_call
    return [
        black76.price(*option, rate),
        *black_scholes.greeks(*option, rate, 0.01),
        *conventions.standing(*option),
        *conventions.strike_greeks(*option, rate),
    ]


def digest(columns):
    """SHA-256 of columns; one NaN is as good as another, so they get the same bits."""
    sha = hashlib.sha256()
    for column in columns:
        sha.update(np.where(np.isnan(column), np.nan, column).astype("<f8").tobytes())
    return sha.hexdigest()


if __name__ == "__main__":
    print(digest(results()))  # noqa: T201 - the answer to the test that started this process
