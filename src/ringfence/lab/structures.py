"""Who holds option structures, and what they do: deposit, build one, unwind it, go home.

    covered call   coins deposited, a call sold against each
    spread         a call or put sold, one further out bought
    straddle       a call and a put of one strike sold
    naked short    a call or put sold, with nothing against it

Sizes follow from the pool's own risk arrays: a share of the deposit is what the structure
needs in its worst scenario. Account 1, the maker, takes the other side.
"""

import msgspec
import numpy as np

from ringfence.core.margin_spec import ScenarioKind
from ringfence.core.options import CALL, PUT
from ringfence.core.pool import Level, Pool
from ringfence.fixed import mul_div_floor
from ringfence.lab.dice import Dice
from ringfence.units import HOUR_NS, PPM

KINDS = ("covered call", "spread", "straddle", "naked short")
SIZES = (5_000, 10_000, 25_000, 50_000, 100_000)  # deposits in dollars
USES = (30, 45, 60, 75, 90)  # percent of the deposit that a structure needs
STAY_MIN_NS, STAY_MAX_NS = 2 * HOUR_NS, 72 * HOUR_NS
LEFT_MIN_NS = HOUR_NS  # before expiry, for what is still opened

Leg = tuple[int, int]  # instrument, and 1 bought or -1 sold


class Structure(msgspec.Struct, frozen=True):
    """An account that builds one structure."""

    pool: int
    owner: int
    number: int
    kind: str
    side: int  # CALL or PUT, for spreads and naked shorts
    which: int  # settles the choice among the expiries that are left
    deposit: int  # quote units
    use: int  # percent
    enter_ns: int
    stay_ns: int


def draw(
    dice: Dice, count: int, pools: range, owners: range, span_ns: tuple[int, int], quote: int
) -> tuple[Structure, ...]:
    """Draw the people of some pools; two thirds come within the first twentieth of the span."""
    numbers: dict[tuple[int, int], int] = {}
    start_ns, end_ns = span_ns
    people = []
    for k in range(count):
        pool = pools[dice.below(len(pools))]
        owner = owners[dice.below(len(owners))]
        number = numbers[pool, owner] = numbers.get((pool, owner), 0) + 1
        window = max((end_ns - start_ns) // (20 if dice.below(3) < 2 else 1), 1)
        people.append(
            Structure(
                pool=pool,
                owner=owner,
                number=number,
                kind=KINDS[k % len(KINDS)],
                side=CALL if dice.below(2) else PUT,
                which=dice.below(2**31),
                deposit=dice.one_of(SIZES) * quote,
                use=dice.one_of(USES),
                enter_ns=start_ns + dice.below(window),
                stay_ns=STAY_MIN_NS + dice.below(STAY_MAX_NS - STAY_MIN_NS),
            )
        )
    return tuple(people)


def legs_of(person: Structure, pool: Pool, now_ns: int) -> tuple[Leg, ...]:
    """Legs of a structure around the price now, what is bought first; none: nothing is left."""
    expiries = sorted({int(e) for e in pool.expiry if e >= now_ns + LEFT_MIN_NS})
    if not expiries:
        return ()
    expiry = expiries[person.which % len(expiries)]
    spot = int(pool.index_price[0])

    def listed(side: int) -> list[int]:
        """Options of one side, from the strike nearest to spot on outward."""
        found = np.flatnonzero((pool.expiry == expiry) & (pool.option_side == side)).tolist()
        found.sort(key=lambda i: side * int(pool.strike[i]))
        near = min(range(len(found)), key=lambda k: abs(int(pool.strike[found[k]]) - spot))
        return [found[min(near + out, len(found) - 1)] for out in range(3)]

    calls, puts = listed(CALL), listed(PUT)
    mine = calls if person.side == CALL else puts
    if person.kind == "covered call":
        return ((calls[1], -1),)
    if person.kind == "straddle":
        return (calls[0], -1), (puts[0], -1)
    if person.kind == "spread" and mine[1] != mine[2]:
        return (mine[2], 1), (mine[1], -1)
    return ((mine[1], -1),)


def need_of(pool: Pool, legs: tuple[Leg, ...]) -> int:
    """What one lot of every leg needs at least, in quote units: worst scenario and minimum."""
    arrays = pool.risk_array[:, 1:]
    single = pool.scenario_kind == ScenarioKind.SINGLE
    profit = sum(side * arrays[i][single] for i, side in legs)
    sold = sum(1 for _, side in legs if side < 0)
    minimum = int(pool.option_rate[Level.INITIAL, 0])
    lot_value = int(pool.lot[0]) * int(pool.index_price[0]) // int(pool.value_divisor[0])
    return max(0, -int(np.min(profit))) + sold * mul_div_floor(lot_value, minimum, PPM) + 1


def lots_of(person: Structure, pool: Pool, legs: tuple[Leg, ...]) -> int:
    """How many lots of a structure its holder takes on."""
    spot, divisor = int(pool.index_price[0]), int(pool.value_divisor[0])
    if person.kind == "covered call":
        return person.deposit * divisor // spot // int(pool.lot[0])
    return person.deposit * person.use // 100 // need_of(pool, legs)
