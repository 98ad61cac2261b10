"""The step of the waterfall that an account is in, and the way out of it.

An account enters a step when it is liquidated and leaves it when the step has done its work,
or when it is healthy again before that: by its owner, who adds collateral or reduces, or by
the price.
"""

from ringfence.compiled import kernel
from ringfence.core.health import excess
from ringfence.core.pool import Level, Pool, Step, Total


@kernel
def enter_step(pool: Pool, a: int, step: Step) -> None:
    """Put an account that is in no step into one."""
    pool.step[a] = step
    pool.step_since[a] = pool.total[Total.NOW_NS]
    if step == Step.DELEVERAGING:
        pool.total[Total.WAITING] += 1


@kernel
def leave_step(pool: Pool, a: int) -> None:
    """Take an account out of the step it is in, if any."""
    if pool.step[a] == Step.DELEVERAGING:
        pool.total[Total.WAITING] -= 1
    pool.total[Total.AUCTIONED] -= pool.auction_notional[a]
    pool.auction_notional[a] = 0
    pool.auction_raised[a] = 0
    pool.step[a] = Step.NONE
    pool.step_since[a] = 0


@kernel
def leave_if_cured(pool: Pool, a: int) -> None:
    """Take an account out of its step when it is at or above maintenance again."""
    if pool.step[a] != Step.NONE and excess(pool, a, Level.MAINTENANCE) >= 0:
        leave_step(pool, a)
