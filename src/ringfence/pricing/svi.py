"""One volatility smile: total variance as a hyperbola in the log-moneyness (raw SVI).

    w(k) = lowest + slope (tilt (k - centre) + sqrt((k - centre)**2 + width**2)
                           - width sqrt(1 - tilt**2)),    k = log(K / F), w = volatility**2 time

The first parameter is the minimum of w instead of the usual level, so a smile is positive as
soon as that one is. A smile admits no butterfly where the density it implies is not negative:

    g(k) = (1 - k w' / (2 w))**2 - w'**2 / 4 (1 / w + 1 / 4) + w'' / 2  >=  0

The fit is a Levenberg-Marquardt search for the middle of the quotes, in units of half the
distance of bid and ask, where misses inside of the quotes count little. Butterflies, and
total variance below that of the expiry before (calendar arbitrage), are residuals as well,
with a weight that grows until they are gone. Sums run in a fixed order over own formulas:
the same quotes give the same bits everywhere.

Source: J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative
Finance 14 (2014); R. Lee, The moment formula for implied volatility at extreme strikes,
Mathematical Finance 14 (2004), for the bound of 2 on the slopes of the wings.
"""

import numpy as np

from ringfence.compiled import formula, kernel
from ringfence.pricing.broadcast import Floats

LOWEST, SLOPE, TILT, CENTRE, WIDTH = range(5)  # places of the parameters
PARAMETERS = 5

TILT_MAX = 0.999
WING_MAX = 2.0  # of the slope of w in k
VARIANCE_MIN = 1e-12
DENSITY_MARGIN = 0.01  # asked for in the fit, so that rounding and gaps of the grid are covered
FALL_MARGIN = 1e-3  # the same for total variance between expiries, relative
STEPS_MAX = 60
WEIGHTS = (10.0, 100.0, 1000.0, 10000.0)  # of arbitrage, until there is none


@formula
def total_variance(smile: Floats, k: float) -> float:
    """Total variance w(k)."""
    y, width, tilt = k - smile[CENTRE], smile[WIDTH], smile[TILT]
    bend = np.sqrt(y * y + width * width) - width * np.sqrt(1.0 - tilt * tilt)
    return smile[LOWEST] + smile[SLOPE] * (tilt * y + bend)


@formula
def density_factor(smile: Floats, k: float) -> float:
    """g(k): the implied density over a positive factor."""
    y, width = k - smile[CENTRE], smile[WIDTH]
    root = np.sqrt(y * y + width * width)
    w = total_variance(smile, k)
    first = smile[SLOPE] * (smile[TILT] + y / root)
    second = smile[SLOPE] * width * width / (root * root * root)
    shear = 1.0 - 0.5 * k * first / w
    return shear * shear - 0.25 * first * first * (1.0 / w + 0.25) + 0.5 * second


@formula
def tempered(miss: float) -> float:
    """A miss in half-spreads: quadratic inside of the quotes, linear outside."""
    return miss * abs(miss) / np.sqrt(1.0 + miss * miss)


@kernel
def residuals(
    smile: Floats,
    quotes: Floats,
    time: float,
    before: Floats,
    grid: Floats,
    weight: float,
    found: Floats,
) -> float:
    """Fill in the residuals of a smile and return the sum of their squares.

    quotes: [(log-moneyness, middle, half-spread), quote]. before: the smile of the expiry
    before. found: one residual for each quote, then two for each point of the grid.
    """
    count = quotes.shape[1]
    total = 0.0
    for i in range(count):
        volatility = np.sqrt(total_variance(smile, quotes[0, i]) / time)
        found[i] = tempered((volatility - quotes[1, i]) / quotes[2, i])
        total += found[i] * found[i]
    for j in range(grid.size):
        lack = DENSITY_MARGIN - density_factor(smile, grid[j])
        fall = total_variance(before, grid[j]) - total_variance(smile, grid[j])
        fall = fall / total_variance(smile, grid[j]) + FALL_MARGIN
        found[count + 2 * j] = weight * max(lack, 0.0)
        found[count + 2 * j + 1] = weight * max(fall, 0.0)
        total += found[count + 2 * j] * found[count + 2 * j]
        total += found[count + 2 * j + 1] * found[count + 2 * j + 1]
    return total


@kernel
def keep_inside(smile: Floats, reach: float) -> None:
    """Move parameters to the nearest ones allowed; reach: of the quotes, in log-moneyness."""
    smile[LOWEST] = max(smile[LOWEST], VARIANCE_MIN)
    smile[TILT] = min(max(smile[TILT], -TILT_MAX), TILT_MAX)
    smile[SLOPE] = min(max(smile[SLOPE], 0.0), WING_MAX / (1.0 + abs(smile[TILT])))
    smile[CENTRE] = min(max(smile[CENTRE], -2.0 * reach), 2.0 * reach)
    smile[WIDTH] = min(max(smile[WIDTH], 0.01 * reach), 4.0 * reach)


@kernel
def solve(matrix: Floats, vector: Floats) -> None:
    """Solve a small positive definite system in place, without pivoting."""
    n = vector.size
    for i in range(n):
        for j in range(i + 1, n):
            ratio = matrix[j, i] / matrix[i, i]
            for m in range(i, n):
                matrix[j, m] -= ratio * matrix[i, m]
            vector[j] -= ratio * vector[i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            vector[i] -= matrix[i, j] * vector[j]
        vector[i] /= matrix[i, i]


@kernel
def normal_equations(jacobian: Floats, residual: Floats, damping: float, step: Floats) -> None:
    """Compute the damped Gauss-Newton step from the Jacobian [parameter, residual]."""
    n = step.size
    matrix = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            total = 0.0
            for m in range(residual.size):
                total += jacobian[i, m] * jacobian[j, m]
            matrix[i, j] = total
        total = 0.0
        for m in range(residual.size):
            total -= jacobian[i, m] * residual[m]
        step[i] = total
    for i in range(n):
        matrix[i, i] += damping * matrix[i, i] + 1e-30
    solve(matrix, step)


@kernel
def descend(
    smile: Floats, quotes: Floats, time: float, before: Floats, grid: Floats, weight: float
) -> float:
    """Improve a smile in place by Levenberg-Marquardt steps; return the sum of squares."""
    size = quotes.shape[1] + 2 * grid.size
    reach = max(np.max(np.abs(quotes[0])), 1e-3)
    here, there = np.empty(size), np.empty(size)
    jacobian = np.empty((PARAMETERS, size))
    scale = np.array([smile[LOWEST], smile[SLOPE], 1.0, reach, reach])
    step, trial = np.empty(PARAMETERS), np.empty(PARAMETERS)
    damping = 1e-2
    best = residuals(smile, quotes, time, before, grid, weight, here)
    for _ in range(STEPS_MAX):
        for i in range(PARAMETERS):
            trial[:] = smile
            nudge = 1e-7 * (abs(smile[i]) + 1e-3 * scale[i])
            # Towards the inside of the tilt's bounds, beyond which there is no square root.
            nudge = -nudge if smile[i] > 0.0 else nudge
            trial[i] += nudge
            residuals(trial, quotes, time, before, grid, weight, there)
            for m in range(size):
                jacobian[i, m] = (there[m] - here[m]) / nudge
        improved = False
        while not improved and damping < 1e12:
            normal_equations(jacobian, here, damping, step)
            for i in range(PARAMETERS):
                trial[i] = smile[i] + step[i]
            keep_inside(trial, reach)
            reached = residuals(trial, quotes, time, before, grid, weight, there)
            improved = reached < best
            damping = damping * 0.2 if improved else damping * 4.0
        if not improved:
            break
        gain = best - reached
        best = reached
        smile[:] = trial
        here[:] = there
        if gain < 1e-9 * best:
            break
    return best


@kernel
def is_free_of_arbitrage(smile: Floats, before: Floats, grid: Floats) -> bool:
    """Whether a smile has neither butterflies nor a fall of total variance on a grid."""
    for j in range(grid.size):
        fall = total_variance(before, grid[j]) - total_variance(smile, grid[j])
        if density_factor(smile, grid[j]) < 0.0 or fall > 0.0:
            return False
    return True


@kernel
def fit(quotes: Floats, time: float, before: Floats, grid: Floats) -> Floats:
    """Fit a smile to quotes [(log-moneyness, middle, half-spread), quote], best of some starts.

    before: the smile of the expiry before (zero variance for the first one). The grid is
    where arbitrage is looked for. With fewer than three quotes the smile is flat.
    """
    count = quotes.shape[1]
    reach = max(np.max(np.abs(quotes[0])), 1e-3)
    middle = 0.0
    for i in range(count):
        middle += quotes[1, i] / count
    flat = middle * middle * time
    if count < 3:
        return np.array([flat, 0.0, 0.0, 0.0, reach])
    best_cost = np.inf
    best = np.empty(PARAMETERS)
    for tilt in (-0.3, 0.3):
        for width in (0.1, 0.4, 1.2):
            smile = np.array([0.6 * flat, 0.5 * flat / reach, tilt, 0.0, width * reach])
            cost = descend(smile, quotes, time, before, grid, WEIGHTS[0])
            if cost < best_cost:
                best_cost = cost
                best[:] = smile
    for weight in WEIGHTS[1:]:
        if is_free_of_arbitrage(best, before, grid):
            break
        descend(best, quotes, time, before, grid, weight)
    return best
