"""Scales and limits; the limits are small enough that no sum in the core can overflow.

Sizes are 1e-8 of a coin or contract, prices 1e-9 of the settlement currency per coin,
values the settlement asset's own smallest unit ("quote units", USDC 1e-6), rates parts
per million, times nanoseconds since 1970. With d decimals of the settlement asset

    value = size * price / 10**(SIZE_DECIMALS + PRICE_DECIMALS - d)
"""

from ringfence.fixed import DIVISOR_MAX, QUOTIENT_MAX

SIZE_DECIMALS = 8
PRICE_DECIMALS = 9
UNIT = 10**SIZE_DECIMALS  # size units in one coin or contract
PRICE_UNIT = 10**PRICE_DECIMALS  # price units in one unit of the settlement currency
PPM = 10**6  # rates are parts per million
BASE = 10**12  # the borrow index starts here: quote units of debt per BASE shares

MS_NS = 10**6
SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
YEAR_SECONDS = 365 * 24 * 3600

# Every amount at the door is below 2**53, so a float holds it exactly and JavaScript can
# show it; every single value inside is below VALUE_MAX.
AMOUNT_MAX = 2**53 - 1
VALUE_MAX = 4 * 10**15  # quote units; four billion USDC in one position or balance
SUPPLY_MAX = 2**49  # quote units lent to one pool: it divides, so it stays below DIVISOR_MAX
INDEX_MAX = 2**50  # the borrow index stops growing here, after a factor of 1,125

COLLATERALS_MAX = 16  # collateral assets in one pool, the settlement asset included
NAME_MAX = 64  # characters of a pool's name
INSTRUMENTS_MAX = 64  # instruments in one pool
UNDERLYINGS_MAX = 32  # price feeds in one pool
SCENARIOS_MAX = 128  # rows of the scenario grid of one pool
TIERS_MAX = 16  # margin tiers of one underlying
CHANGES_MAX = 16  # parameter changes that can be pending in one pool
ACCOUNTS_MAX = 2**24  # accounts in one pool

DECIMALS_MIN, DECIMALS_MAX = 2, 9  # of a settlement asset


def value_divisor(decimals: int) -> int:
    """Size units times price units in one quote unit of an asset with these decimals."""
    return int(10 ** (SIZE_DECIMALS + PRICE_DECIMALS - decimals))


assert max(PPM * YEAR_SECONDS, INDEX_MAX, 2 * SUPPLY_MAX) <= DIVISOR_MAX
assert value_divisor(DECIMALS_MIN) <= DIVISOR_MAX
# Excess margin adds one term per collateral asset; per instrument its value, cost and funding,
# and in brackets at most half its value times a factor of 10; by scenarios at most VALUE_MAX
# per underlying times such a factor, and contingencies of a fifth of each value.
assert (COLLATERALS_MAX + 8 * INSTRUMENTS_MAX) * VALUE_MAX <= QUOTIENT_MAX
assert (COLLATERALS_MAX + 4 * INSTRUMENTS_MAX + 10 * UNDERLYINGS_MAX) * VALUE_MAX <= QUOTIENT_MAX
# A risk array's slot is at most a lot at the highest price, so a position's profit in a
# scenario is at most its open interest at that price, which is at most VALUE_MAX.
assert (COLLATERALS_MAX + INSTRUMENTS_MAX) * VALUE_MAX <= QUOTIENT_MAX
# Pool totals add one bounded term per account; they are guarded at the door instead,
# by the pool's own caps, which are at most AMOUNT_MAX.
assert VALUE_MAX <= AMOUNT_MAX
