"""Fixed-point arithmetic as contracts do it: unsigned 1e18 (wad), 1e27 (ray) and 1e-4 (bps).

A name says how it rounds: floor and ceil, or half up where it says nothing. Integers here
have no bound; the contracts refuse what does not fit in 256 bits.

Sources: Aave v3 WadRayMath.sol, PercentageMath.sol and MathUtils.sol; MakerDAO rpow.
"""

WAD = 10**18
RAY = 10**27
BPS = 10**4


def mul_div_floor(x: int, y: int, d: int) -> int:
    """Return x * y / d, rounded down."""
    return x * y // d


def mul_div_ceil(x: int, y: int, d: int) -> int:
    """Return x * y / d, rounded up."""
    return -(-x * y // d)


def mul_div_half_up(x: int, y: int, d: int) -> int:
    """Return x * y / d to the nearest integer, a half rounded up."""
    return (x * y + d // 2) // d


def div_toward_zero(x: int, d: int) -> int:
    """Return x / d of signed integers the way contracts divide them."""
    quotient = abs(x) // abs(d)
    return quotient if (x < 0) == (d < 0) else -quotient


def wad_mul(x: int, y: int) -> int:
    """Product of two wads, half up."""
    return mul_div_half_up(x, y, WAD)


def wad_div(x: int, y: int) -> int:
    """Quotient of two wads, half up."""
    return mul_div_half_up(x, WAD, y)


def ray_mul(x: int, y: int) -> int:
    """Product of two rays, half up."""
    return mul_div_half_up(x, y, RAY)


def ray_div(x: int, y: int) -> int:
    """Quotient of two rays, half up."""
    return mul_div_half_up(x, RAY, y)


def ray_mul_floor(x: int, y: int) -> int:
    """Product of two rays, rounded down."""
    return mul_div_floor(x, y, RAY)


def ray_mul_ceil(x: int, y: int) -> int:
    """Product of two rays, rounded up."""
    return mul_div_ceil(x, y, RAY)


def ray_div_floor(x: int, y: int) -> int:
    """Quotient of two rays, rounded down."""
    return mul_div_floor(x, RAY, y)


def ray_div_ceil(x: int, y: int) -> int:
    """Quotient of two rays, rounded up."""
    return mul_div_ceil(x, RAY, y)


def wad_to_ray(x: int) -> int:
    """Same number with nine more decimals, exactly."""
    return x * 10**9


def ray_to_wad(x: int) -> int:
    """Same number with nine fewer decimals, half up."""
    return mul_div_half_up(x, 1, 10**9)


def percent_mul(x: int, bps: int) -> int:
    """Share of an amount, half up."""
    return mul_div_half_up(x, bps, BPS)


def percent_mul_floor(x: int, bps: int) -> int:
    """Share of an amount, rounded down."""
    return mul_div_floor(x, bps, BPS)


def percent_mul_ceil(x: int, bps: int) -> int:
    """Share of an amount, rounded up."""
    return mul_div_ceil(x, bps, BPS)


def percent_div(x: int, bps: int) -> int:
    """Amount of which this is the share, half up."""
    return mul_div_half_up(x, BPS, bps)


def percent_div_floor(x: int, bps: int) -> int:
    """Amount of which this is the share, rounded down."""
    return mul_div_floor(x, BPS, bps)


def percent_div_ceil(x: int, bps: int) -> int:
    """Amount of which this is the share, rounded up."""
    return mul_div_ceil(x, BPS, bps)


def power(base: int, exponent: int, unit: int = RAY) -> int:
    """Base to an integer power by squaring, every product half up in units of `unit`."""
    result = base if exponent % 2 else unit
    exponent //= 2
    while exponent:
        base = mul_div_half_up(base, base, unit)
        if exponent % 2:
            result = mul_div_half_up(result, base, unit)
        exponent //= 2
    return result
