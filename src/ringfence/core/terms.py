"""What a liquidation may cost the account: a bonus to the taker and a fee to the fund.

Together they never exceed the account's equity over what is taken, so a liquidation cannot
itself make a loss.
"""

from typing import NamedTuple

from ringfence.compiled import kernel
from ringfence.core.pool import Pool, Rule
from ringfence.fixed import DIVISOR_MAX, mul_div_floor
from ringfence.separate import separate
from ringfence.units import PPM


class Terms(NamedTuple):
    """What a liquidation may cost the account, fixed when it starts."""

    bonus: int  # ppm of the value taken
    fee: int  # ppm of the value taken


@kernel
def scheduled_bonus(pool: Pool, health: int) -> int:
    """Bonus rate by health factor: minimum at 1, rising linearly to the maximum."""
    low, high = pool.rule[Rule.BONUS_MIN], pool.rule[Rule.BONUS_MAX]
    floor = pool.rule[Rule.BONUS_HEALTH]
    if health <= floor:
        return high
    return low + mul_div_floor(high - low, max(PPM - health, 0), PPM - floor)


@separate
def terms_for(pool: Pool, worth: int, taken: int, health: int) -> Terms:
    """Bonus and fee when equity `worth` stands behind a value `taken` at the most."""
    if worth <= 0 or taken <= 0:
        return Terms(0, 0)
    while taken > DIVISOR_MAX:
        worth, taken = worth // 2, taken // 2
    cap = PPM if worth >= taken else mul_div_floor(worth, PPM, taken)
    bonus = min(scheduled_bonus(pool, health), cap)
    return Terms(bonus, min(pool.rule[Rule.LIQUIDATION_FEE], cap - bonus))
