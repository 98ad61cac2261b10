"""Hard bounds: the range that any pool's parameter may ever take.

A spec may narrow them for its pool; nobody can widen them.
"""

from ringfence.core.parameters import Parameter
from ringfence.core.pool import Rule
from ringfence.units import (
    AMOUNT_MAX,
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    PPM,
    PRICE_UNIT,
    SECOND_NS,
    SUPPLY_MAX,
    VALUE_MAX,
)

LIMIT_MAX = 10**18  # quote units of a limit that never divides
OPEN_INTEREST_VALUE_MAX = 10**15  # quote units; a difference of two such values divides

HARD_BOUNDS: dict[int, tuple[int, int]] = {
    Rule.RATE_BASE: (0, PPM),
    Rule.RATE_SLOPE1: (0, PPM),
    Rule.RATE_SLOPE2: (0, 8 * PPM),
    Rule.RATE_KINK: (1, PPM - 1),
    Rule.RESERVE_FACTOR: (0, PPM // 2),
    Rule.SUPPLY_CAP: (0, SUPPLY_MAX),
    Rule.BORROW_CAP: (0, SUPPLY_MAX),
    Rule.PROFIT_WEIGHT: (0, PPM),
    Rule.BONUS_MIN: (0, PPM * 15 // 100),
    Rule.BONUS_MAX: (0, PPM * 15 // 100),
    Rule.BONUS_HEALTH: (PPM // 2, PPM - 1),
    Rule.LIQUIDATION_FEE: (0, PPM * 5 // 100),
    Rule.DUST: (0, VALUE_MAX // 10**6),
    Rule.INSURANCE_DRAW: (0, PPM),
    Rule.CONFIDENCE_MAX: (0, PPM * 20 // 100),
    Rule.STALE_NS: (SECOND_NS, DAY_NS),
    Rule.LONG_STALE_NS: (SECOND_NS, 7 * DAY_NS),
    Rule.GRACE_NS: (0, HOUR_NS),
    Rule.CHANGE_DELAY_NS: (HOUR_NS, 30 * DAY_NS),
    Rule.RAMP_NS: (10 * MINUTE_NS, 30 * DAY_NS),
    Rule.BACKSTOP_LIMIT: (0, LIMIT_MAX),
    Rule.BACKSTOP_RESERVE: (0, PPM),
    Rule.EPOCH_NS: (HOUR_NS, 30 * DAY_NS),
    Rule.INSURANCE_DRAW_DAY: (0, PPM),
    Rule.DISPOSAL: (0, PPM),
    Rule.DISPOSAL_NS: (0, DAY_NS),
    Rule.AUCTION_START: (PPM // 2, PPM),
    Rule.AUCTION_FLOOR: (0, PPM),
    Rule.AUCTION_NS: (0, DAY_NS),
    Rule.AUCTION_RESETS: (0, 100),
    Rule.AUCTION_CAP: (0, LIMIT_MAX),
    Rule.INSURANCE_SHARE: (0, PPM),
    Rule.STRESS: (0, PPM),
    Rule.HALT_LOSS: (1, LIMIT_MAX),
    Rule.HALT_NS: (HOUR_NS, 30 * DAY_NS),
    Parameter.HAIRCUT: (0, PPM * 95 // 100),
    Parameter.DEPOSIT_CAP: (0, AMOUNT_MAX),
    Parameter.FACTOR: (PPM // 10, 10 * PPM),
    Parameter.HEDGE_RATE: (0, PPM),
    Parameter.OPEN_INTEREST_LOWER: (0, OPEN_INTEREST_VALUE_MAX),
    Parameter.OPEN_INTEREST_UPPER: (1, OPEN_INTEREST_VALUE_MAX),
    Parameter.POSITION_CAP: (0, AMOUNT_MAX),
    Parameter.OPEN_INTEREST_CAP: (0, AMOUNT_MAX),
    Parameter.PRICE_BAND: (PPM // 1000, PPM // 2),
    Parameter.TAKER_FEE: (0, PPM * 10 // 100),
    Parameter.MAKER_FEE: (0, PPM * 10 // 100),
    Parameter.FUNDING_RATE_MAX: (0, PRICE_UNIT * 5 // 100),
}

MAINTENANCE_RATE_MIN, MAINTENANCE_RATE_MAX = PPM // 1000, PPM // 2  # of a tier


def parameter_named(name: str) -> int | None:
    """Number of a parameter by its lower-case name, or None."""
    for member in (*Rule, *Parameter):
        if member.name.lower() == name:
            return int(member)
    return None


def parameter_name(parameter: int) -> str:
    """Lower-case name of a parameter by its number."""
    return (Rule(parameter) if parameter < Parameter.HAIRCUT else Parameter(parameter)).name.lower()
