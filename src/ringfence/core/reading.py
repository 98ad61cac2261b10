"""Reading a spec: decimal strings to exact integers, with every problem collected."""

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

import numpy as np

from ringfence.columns import Column
from ringfence.core.bounds import HARD_BOUNDS
from ringfence.core.pool import Level
from ringfence.core.spec import Levels, PoolSpec
from ringfence.core.validity import ALLOWED, Action, Validity
from ringfence.units import DECIMALS_MAX, NAME_MAX, PPM

# Numbers have at most this many digits, and nothing is ever rounded on the way in.
_EXACT = Context(prec=64, Emax=64, Emin=-64, traps=[InvalidOperation, Inexact, Overflow])
SHOWN = 40  # characters of a bad number that a message repeats


class SpecError(ValueError):
    """A spec that cannot become a pool; `problems` names each value and what it must be."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the pool cannot be created:\n  " + "\n  ".join(problems))
        self.problems = problems


def scaled(text: str, scale: int) -> int:
    """Return a decimal string times a scale, as an exact integer.

    Raises:
        ValueError: Not a finite decimal, or with more decimals than the scale keeps.
    """
    try:
        number = _EXACT.multiply(_EXACT.create_decimal(text), Decimal(scale))
    except DecimalException:
        shown = text if len(text) <= SHOWN else text[:SHOWN] + "..."
        raise ValueError(f"{shown!r} is not a decimal number of a usual size") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    if number != number.to_integral_value():
        raise ValueError(f"{text!r} has more than {len(str(scale)) - 1} decimals")
    return int(number)


def tier_deductions(floors: list[int], rates: list[int]) -> list[int]:
    """Deduction of each tier that makes the maintenance margin continuous, rounded down.

        deduction_n = deduction_(n-1) + floor_n * (rate_n - rate_(n-1))

    Floors in quote units, rates in ppm. Source: Binance and Bybit, maintenance amount.
    """
    exact, deductions = 0, []
    for t, (floor, rate) in enumerate(zip(floors, rates, strict=True)):
        exact += floor * (rate - rates[t - 1]) if t else 0
        deductions.append(exact // PPM)
    return deductions


class Checker:
    """Reads numbers out of a spec and collects what is wrong with them."""

    def __init__(self, spec: PoolSpec) -> None:
        self.spec = spec
        self.problems: list[str] = []
        self.quote = 10 ** min(max(spec.settlement_decimals, 0), DECIMALS_MAX)

    def demand(self, holds: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Note a problem unless the condition holds."""
        if not holds:
            self.problems.append(problem)

    def name(self, name: str) -> None:
        """Note a pool's name that nobody could tell it by, or that fits nowhere."""
        self.demand(bool(name.strip()), "name is empty; give the pool one")
        long = f"name has {len(name)} characters; give the pool one of at most {NAME_MAX}"
        self.demand(len(name) <= NAME_MAX, long)

    def number(self, where: str, text: str, scale: int, low: int, high: int) -> int:
        """Return a decimal times its scale inside limits; the lower limit after a problem."""
        try:
            value = scaled(text, scale)
        except ValueError as error:
            self.problems.append(f"{where}: {error}")
            return low
        if not low <= value <= high:
            limits = f"{Decimal(low) / scale} and {Decimal(high) / scale}"
            self.problems.append(f"{where} is {text}; it must lie between {limits}")
            return low
        return value

    def parameter(self, where: str, text: str, scale: int, parameter: int) -> int:
        """Return a parameter's starting value inside its hard bounds."""
        return self.number(where, text, scale, *HARD_BOUNDS[parameter])

    def levels(self, where: str, levels: Levels, parameter: int) -> list[int]:
        """Return a parameter's value at each margin level, strictest first."""
        return [
            self.parameter(f"{where}.{level.name.lower()}", text, PPM, parameter)
            for level, text in zip(Level, _by_level(levels), strict=True)
        ]


def _by_level(levels: Levels) -> tuple[str, str, str, str]:
    return levels.initial, levels.target, levels.maintenance, levels.closeout


def allowed_table(check: Checker) -> Column:
    """Return the pool's table of what each action may use, with the spec's own rows."""
    table = np.zeros((len(Action), len(Validity)), dtype=np.int64)
    names = {a.name.lower(): a for a in Action}
    for action, row in ALLOWED.items():
        table[action] = row
    for name, own in check.spec.allowed.items():
        if name not in names:
            check.problems.append(f"allowed.{name}: there is no such action")
        elif len(own) != len(Validity) or set(own) - {0, 1}:
            check.problems.append(f"allowed.{name}: needs {len(Validity)} numbers, each 0 or 1")
        else:
            table[names[name]] = own
    check.demand(
        not table[:, Validity.NON_POSITIVE].any(),
        "allowed: no action can use a price that is not positive",
    )
    return table
