"""The price at which a one-leg account falls below maintenance, as a float on the safe side.

An account with cash and one position, or with one collateral asset and debt, depends on one
price only. Its threshold is where the first tier line meets its excess margin; the result is
moved outward by more than all roundings, so a price that has not reached it proves the
account healthy. Only integers say "liquidate".

Every leg has a rung list: longs, then shorts of each instrument, then collateral assets.
Thresholds are signed so that on every list an account is reached when price <= threshold:
shorts by the negative price, and collateral by its price over the growth of the borrow index.
"""

from ringfence.compiled import formula, kernel
from ringfence.core.health import debt_of
from ringfence.core.margin import funding_due
from ringfence.core.pool import CASH, Level, Pool, Total
from ringfence.units import BASE, PPM

NOTHING = -1  # no price can make the account unhealthy
SEVERAL = -2  # more than one price matters: checked on every tick

SLACK = 16.0  # quote units; above the sum of all roundings in a one-leg excess
WIDER = 1e-9  # relative


@formula
def long_list(i: int) -> int:
    """Rung list of the longs of instrument i."""
    return 2 * i


@formula
def short_list(i: int) -> int:
    """Rung list of the shorts of instrument i."""
    return 2 * i + 1


@formula
def collateral_list(pool: Pool, c: int) -> int:
    """Rung list of those whose debt is backed by collateral asset c."""
    return 2 * pool.mark_price.size + c


@kernel
def only_leg(pool: Pool, a: int) -> int:
    """List of the account's one position or collateral asset, or NOTHING, or SEVERAL."""
    found, legs = NOTHING, 0
    for i in range(pool.mark_price.size):
        if pool.size[a, i] != 0:
            found = long_list(i) if pool.size[a, i] > 0 else short_list(i)
            legs += 1
    for c in range(CASH + 1, pool.asset_underlying.size):
        if pool.balance[a, c] != 0:
            found = collateral_list(pool, c)
            legs += 1
    return found if legs <= 1 else SEVERAL


@kernel
def rung_list(pool: Pool, a: int) -> int:
    """The one list an account belongs to, or NOTHING, or SEVERAL."""
    leg = only_leg(pool, a)
    if leg < 2 * pool.mark_price.size:
        return leg if pool.debt_shares[a] == 0 else SEVERAL
    if pool.debt_shares[a] == 0 and pool.due[a] == 0:
        return NOTHING
    # Cash does not grow with the debt, so the threshold would not scale with the index.
    has_cash = pool.balance[a, CASH] != 0 or pool.claim[a] != 0
    return SEVERAL if has_cash else leg


@kernel
def position_threshold(pool: Pool, a: int, i: int) -> float:
    """Signed threshold of an account with cash and one position."""
    divisor, size = float(pool.value_divisor[0]), pool.size[a, i]
    u = pool.instrument_underlying[i]
    funding = funding_due(
        size, pool.funding_index[i], pool.funding_paid[a, i], pool.value_divisor[0]
    )
    fixed = pool.balance[a, CASH] + pool.claim[a] - pool.due[a] - pool.cost[a, i] - funding
    factor = max(pool.factor[Level.MAINTENANCE, u], pool.factor[Level.CLOSEOUT, u]) / float(PPM)
    side = 1.0 if size > 0 else -1.0
    # The requirement is the largest of the tiers' lines, and of zero: each gives a notional
    # at which the excess vanishes; a long is liquidated at the highest, a short at the lowest.
    notional = -side * (fixed - SLACK)
    for t in range(pool.tier_floor.shape[1]):
        rate = factor * pool.tier_maintenance_rate[u, t] / float(PPM)
        free = fixed - SLACK + factor * pool.tier_deduction[u, t]
        crossing = -side * free / (1.0 - side * rate)
        notional = max(notional, crossing) if size > 0 else min(notional, crossing)
    price = notional * divisor / abs(float(size))
    return side * price + WIDER * abs(price) + 1.0


@kernel
def collateral_threshold(pool: Pool, a: int, c: int) -> float:
    """Threshold of an account with one collateral asset and debt, at a borrow index of BASE."""
    owed = debt_of(pool, pool.debt_shares[a]) + pool.due[a] + SLACK
    keep = (PPM - pool.haircut[Level.MAINTENANCE, c]) / float(PPM)
    price = owed * pool.value_divisor[0] / (keep * pool.balance[a, c])
    growth = pool.total[Total.BORROW_INDEX] / float(BASE)
    return (price * (1.0 + WIDER) + 1.0) / growth


@kernel
def threshold(pool: Pool, a: int, rungs: int) -> float:
    """Signed threshold of an account on the list it belongs to."""
    if rungs < 2 * pool.mark_price.size:
        return position_threshold(pool, a, rungs // 2)
    return collateral_threshold(pool, a, rungs - 2 * pool.mark_price.size)


@kernel
def steepest_rate(pool: Pool, u: int) -> float:
    """Largest maintenance rate of an underlying's tiers, as a share."""
    factor = max(pool.factor[Level.MAINTENANCE, u], pool.factor[Level.CLOSEOUT, u]) / float(PPM)
    rate = 0.0
    for t in range(pool.tier_floor.shape[1]):
        rate = max(rate, factor * pool.tier_maintenance_rate[u, t] / float(PPM))
    return rate
