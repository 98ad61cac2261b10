"""Compile the engine once: a miniature crash that runs every kernel the main job needs.

And what a service shows of accounts, for nobody should wait for a compiler there.
"""

from collections.abc import Callable

import numpy as np

# Named this way because a module that imports from it is taken for one with kernels.
from ringfence import compiled
from ringfence.lab.crash import Crash
from ringfence.lab.market import generated_crash
from ringfence.lab.population import PopulationPlan
from ringfence.lab.precompile import counted, precompile
from ringfence.risk.rungs import rungs
from ringfence.units import HOUR_NS
from ringfence.venue.views import account_view

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
            PopulationPlan(pools=5, accounts=60, leverage=20, seed=0, option_pools=1),
            ":memory:",
        )
        crash.set_up()
        for _ in crash.play():
            pass
        look(crash)
        crash.finish()
    crash.venue.close()
    compiled.CACHE.mkdir(parents=True, exist_ok=True)
    _MARK.touch()


def look(crash: Crash) -> None:
    """See one account with positions in each pool that has any, and the pool's ladder."""
    for record in crash.venue.state.pools.values():
        pool = record.pool
        held = np.flatnonzero(pool.size.any(axis=1))
        if len(held):
            owner = "0x" + crash.venue.state.owners[pool.owner[held[-1]]].hex()
            account_view(record, pool, int(held[-1]), owner, market=crash.options.market())
            rungs(pool)
