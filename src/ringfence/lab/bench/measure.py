"""Measuring contenders in turn, and the rows that come of it.

Contenders run A B A B, so that whatever disturbs the machine disturbs all of them; the least
time of each counts. Work is timed by the process's own CPU time, which other programs do not
lengthen; what waits for the disk is timed by the clock on the wall.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

Work = Callable[[], object]
Progress = Callable[[str], None]

SECOND = 1e9  # ns


class Result(msgspec.Struct, frozen=True):
    """One figure, and what it is held against in the same run."""

    name: str
    value: float
    unit: str
    baseline: str | None = None  # what the ratio compares with
    ratio: float | None = None  # above 1: better than the baseline
    goal: str | None = None
    met: bool | None = None


def seconds_in_turn(
    contenders: Mapping[str, Work], rounds: int, clock: Callable[[], int] = time.process_time_ns
) -> dict[str, list[float]]:
    """Run each contender once a round; return the seconds of each in every round.

    A first round warms up and is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for r in range(rounds + 1):
        for name, work in contenders.items():
            start = clock()
            work()
            # Half a step of the clock rather than nothing: times divide.
            elapsed = max(clock() - start, 0.5) / SECOND
            if r > 0:
                times[name].append(elapsed)
    return times


def least_seconds(contenders: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """Least CPU seconds of each contender, run in turn."""
    return {name: min(times) for name, times in seconds_in_turn(contenders, rounds).items()}


def at_least(
    name: str, value: float, unit: str, goal: float, *, baseline: str | None = None
) -> Result:
    """Return a figure that has to reach a goal in its own unit."""
    return Result(name, value, unit, baseline, None, f">= {shown(goal)} {unit}", value >= goal)


def at_most(name: str, value: float, unit: str, goal: float) -> Result:
    """Return a figure that must not exceed a goal in its own unit."""
    return Result(name, value, unit, None, None, f"<= {shown(goal)} {unit}", value <= goal)


def against(
    name: str, value: float, unit: str, baseline: str, ratio: float, goal: float | None = None
) -> Result:
    """Return a figure beside a baseline; a goal, if any, is on the ratio."""
    if goal is None:
        return Result(name, value, unit, baseline, ratio)
    return Result(name, value, unit, baseline, ratio, f">= {shown(goal)}x", ratio >= goal)


def beside(
    what: str,
    value: float,
    unit: str,
    ratios: Mapping[str, float | str],
    goals: Mapping[str, float],
) -> Iterator[Result]:
    """Return a figure beside each contender; a text instead of a ratio says why there is none."""
    for name, ratio in ratios.items():
        title = f"{what} beside {name}"
        if isinstance(ratio, str):
            yield Result(title, value, unit, f"skipped: {ratio}")
        else:
            yield against(title, value, unit, name, ratio, goals.get(name))


def shown(value: float) -> str:
    """Write a figure with three significant digits."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:,.0f}"
