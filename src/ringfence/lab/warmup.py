"""Compile the engine once: a miniature crash that runs every kernel the main job needs."""

from ringfence.compiled import CACHE
from ringfence.lab.crash import Crash
from ringfence.lab.market import generated_crash
from ringfence.lab.population import PopulationPlan
from ringfence.units import HOUR_NS

_MARK = CACHE / "warm"


def is_warm() -> bool:
    """Whether this source has been compiled here before."""
    return _MARK.exists()


def warm_up() -> None:
    """Play a small part of a generated crash, so that later runs find compiled kernels."""
    series = generated_crash(0)
    start, _ = series.span
    crash = Crash(
        series.between(start, start + 14 * HOUR_NS),
        ["BTC", "ETH"],
        PopulationPlan(pools=5, accounts=60, leverage=20, seed=0),
        ":memory:",
    )
    crash.set_up()
    for _ in crash.play():
        pass
    crash.venue.close()
    CACHE.mkdir(parents=True, exist_ok=True)
    _MARK.touch()
