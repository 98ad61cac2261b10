"""The receipt of one step of a liquidation: the account's standing before and after it."""

from ringfence.compiled import kernel
from ringfence.core.command import Happening
from ringfence.core.health import AS_IT_IS, equity, excess, health_factor
from ringfence.core.log import Log, next_event
from ringfence.core.pool import Level, Pool, Total
from ringfence.core.scenario import worst_row
from ringfence.separate import separate


@separate
def start_event(pool: Pool, a: int, log: Log, kind: Happening, index: int) -> int:
    """Open the receipt of one step with the account's standing before it."""
    e = next_event(log, kind)
    event = log.events[e]
    event["account"] = a
    event["index"] = index
    event["equity"] = equity(pool, a)
    event["excess_before"] = excess(pool, a, Level.MAINTENANCE)
    event["health_before"] = health_factor(pool, a)
    event["version"] = pool.total[Total.VERSION]
    event["scenario"] = worst_row(pool, a, AS_IT_IS)
    return e


@kernel
def finish_event(pool: Pool, a: int, log: Log, e: int) -> None:
    """Close the receipt of one step with the account's standing after it."""
    event = log.events[e]
    event["excess_after"] = excess(pool, a, Level.MAINTENANCE)
    event["health_after"] = health_factor(pool, a)


@kernel
def record_step(pool: Pool, a: int, log: Log, kind: Happening, index: int) -> None:
    """Record that an account has come into a step of the waterfall or out of one."""
    finish_event(pool, a, log, start_event(pool, a, log, kind, index))
