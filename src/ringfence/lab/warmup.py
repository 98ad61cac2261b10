"""Compile the engine once: a miniature crash that runs every kernel the main job needs."""

from collections.abc import Callable

# Named this way because a module that imports from it is taken for one with kernels.
from ringfence import compiled
from ringfence.lab.crash import Crash
from ringfence.lab.market import generated_crash
from ringfence.lab.population import PopulationPlan
from ringfence.lab.precompile import counted, precompile
from ringfence.units import HOUR_NS

_MARK = compiled.CACHE / "warm"


def is_warm() -> bool:
    """Whether this source has been compiled here before."""
    return _MARK.exists()


def warm_up(tell: Callable[[int], None] = lambda _done: None) -> None:
    """Play a small part of a generated crash, so that later runs find compiled kernels.

    `tell` is called with the number of functions compiled so far.
    """
    series = generated_crash(0)
    start, _ = series.span
    with counted(tell, precompile(tell)):
        crash = Crash(
            series.between(start, start + 14 * HOUR_NS),
            ["BTC", "ETH"],
            PopulationPlan(pools=5, accounts=60, leverage=20, seed=0),
            ":memory:",
        )
        crash.set_up()
        for _ in crash.play():
            pass
        crash.finish()
    crash.venue.close()
    compiled.CACHE.mkdir(parents=True, exist_ok=True)
    _MARK.touch()
