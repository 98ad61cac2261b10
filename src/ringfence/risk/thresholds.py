"""The price at which a one-leg account falls below a level, as a float on the safe side.

The level is maintenance, where accounts are liquidated, or target, where owners are warned
and their orders in advance begin.

An account with cash and one position, or with one collateral asset and debt, depends on one
price only. Its threshold is where the first tier line meets its excess margin; the result is
moved outward by more than all roundings, so a price that has not reached it proves the
account healthy. Only integers say "liquidate". While a parameter is on its way, thresholds
are those of the strictest value of the whole way, so that they need not move with it.

Every leg has a rung list: longs, then shorts of each instrument, then collateral assets.
Thresholds are signed so that on every list an account is reached when price <= threshold:
shorts by the negative price, and collateral by its price over the growth of the borrow index.
"""

from typing import NamedTuple

from ringfence.columns import Column, Floats
from ringfence.compiled import formula, kernel
from ringfence.core.health import debt_of, has_obligation, strictest_factor
from ringfence.core.liquidation import is_finished
from ringfence.core.margin import funding_due
from ringfence.core.parameters import ChangeField, Parameter
from ringfence.core.pool import CASH, Level, MarginModel, Pool, Total
from ringfence.units import BASE, PPM

NOTHING = -1  # no price can make the account unhealthy, or it has nothing left
SEVERAL = -2  # more than one price matters: checked on every tick

# Quote units; above the sum of all roundings in a one-leg excess: funding and value 1 each,
# a tier's line 1 times a factor of 10 at most, the notional 1 times a rate of 5 at most.
SLACK = 32.0
WIDER = 1e-9  # relative
RATE_MAX = 0.99  # a long at a steeper rate than this has no well-conditioned threshold


class Demands(NamedTuple):
    """What a level demands, at its strictest while parameters are on their way."""

    factor: Floats  # [u] share of the bracket requirement
    keep: Floats  # [c] share of a collateral asset's value that counts


@kernel
def tighten(change: Column, demands: Demands, strict: Level) -> None:
    """Raise demands to the strictest value of a change under way."""
    highest = max(change[ChangeField.OLD], change[ChangeField.NEW]) / float(PPM)
    if change[ChangeField.PARAMETER] == Parameter.FACTOR:
        level, u = divmod(change[ChangeField.INDEX], demands.factor.size)
        if level >= strict:
            demands.factor[u] = max(demands.factor[u], highest)
    if change[ChangeField.PARAMETER] == Parameter.HAIRCUT:
        level, c = divmod(change[ChangeField.INDEX], demands.keep.size)
        if level == strict:
            demands.keep[c] = min(demands.keep[c], 1.0 - highest)


@kernel
def demand(pool: Pool, demands: Demands, level: Level) -> None:
    """Write down what a level demands now and until the changes under way are done."""
    for u in range(demands.factor.size):
        demands.factor[u] = strictest_factor(pool, u, level) / float(PPM)
    for c in range(demands.keep.size):
        demands.keep[c] = (PPM - pool.haircut[level, c]) / float(PPM)
    for k in range(pool.change.shape[0]):
        if pool.change[k, ChangeField.ACTIVE] == 1:
            tighten(pool.change[k], demands, level)


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
def steepest_rate(pool: Pool, demands: Demands, u: int) -> float:
    """Largest maintenance rate of an underlying's tiers, as a share."""
    rate = 0
    for t in range(pool.tier_floor.shape[1]):
        rate = max(rate, pool.tier_maintenance_rate[u, t])
    return demands.factor[u] * rate / float(PPM)


@kernel
def position_list(pool: Pool, demands: Demands, a: int, leg: int) -> int:
    """List of an account whose only leg, if any, is a position."""
    if pool.debt_shares[a] != 0:
        return SEVERAL
    if leg == NOTHING:
        return NOTHING if pool.due[a] == 0 else SEVERAL
    # At a rate of 1 and more a long would be liquidated by a rising price.
    is_long = leg % 2 == 0
    u = pool.instrument_underlying[leg // 2]
    return SEVERAL if is_long and steepest_rate(pool, demands, u) > RATE_MAX else leg


@kernel
def rung_list(pool: Pool, demands: Demands, a: int) -> int:
    """The one list an account belongs to, or NOTHING, or SEVERAL."""
    if pool.margin_model[0] != MarginModel.BRACKETS:
        # Many numbers move it: marks, arrays, time. So it is looked at on every tick.
        return SEVERAL if has_obligation(pool, a) else NOTHING
    leg = only_leg(pool, a)
    if leg == SEVERAL:
        return SEVERAL
    if is_finished(pool, a):
        return NOTHING
    if leg < 2 * pool.mark_price.size:
        return position_list(pool, demands, a, leg)
    if pool.debt_shares[a] == 0 and pool.due[a] == 0:
        return NOTHING
    # Cash does not grow with the debt, so the threshold would not scale with the index.
    has_cash = pool.balance[a, CASH] != 0 or pool.claim[a] != 0
    return SEVERAL if has_cash else leg


@kernel
def position_threshold(pool: Pool, demands: Demands, a: int, i: int) -> float:
    """Signed threshold of an account with cash and one position."""
    divisor, size = float(pool.value_divisor[0]), pool.size[a, i]
    u = pool.instrument_underlying[i]
    funding = funding_due(
        size, pool.funding_index[i], pool.funding_paid[a, i], pool.value_divisor[0]
    )
    fixed = pool.balance[a, CASH] + pool.claim[a] - pool.due[a] - pool.cost[a, i] - funding
    factor = demands.factor[u]
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
def collateral_threshold(pool: Pool, demands: Demands, a: int, c: int) -> float:
    """Threshold of an account with one collateral asset and debt, at a borrow index of BASE."""
    owed = debt_of(pool, pool.debt_shares[a]) + pool.due[a] + SLACK
    price = owed * pool.value_divisor[0] / (demands.keep[c] * pool.balance[a, c])
    growth = pool.total[Total.BORROW_INDEX] / float(BASE)
    return (price * (1.0 + WIDER) + 1.0) / growth


@kernel
def threshold(pool: Pool, demands: Demands, a: int, rungs: int) -> float:
    """Signed threshold of an account on the list it belongs to."""
    if rungs < 2 * pool.mark_price.size:
        return position_threshold(pool, demands, a, rungs // 2)
    return collateral_threshold(pool, demands, a, rungs - 2 * pool.mark_price.size)
