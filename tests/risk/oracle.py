"""Maintenance in plain Python integers, written from the rule and not from the engine."""

from ringfence.core.pool import Level, Pool, Total

MILLION = 10**6


def _up(x: int, y: int, d: int) -> int:
    return -(-x * y // d)


def _requirement(pool: Pool, u: int, values: list[int]) -> int:
    net, gross = abs(sum(values)), sum(map(abs, values))
    lines = [
        _up(net, int(rate), MILLION) - int(deduction)
        for rate, deduction in zip(
            pool.tier_maintenance_rate[u], pool.tier_deduction[u], strict=True
        )
    ]
    hedged = _up((gross - net) // 2, int(pool.hedge_rate[u]), MILLION)
    base = max(0, *lines) + hedged
    levels = (Level.MAINTENANCE, Level.CLOSEOUT)
    return max(_up(base, int(pool.factor[level, u]), MILLION) for level in levels)


def excess(pool: Pool, a: int) -> int:
    """Excess margin at maintenance."""
    divisor = int(pool.value_divisor[0])
    total = int(pool.balance[a, 0]) + int(pool.claim[a]) - int(pool.due[a])
    total -= _up(int(pool.debt_shares[a]), int(pool.total[Total.BORROW_INDEX]), 10**12)
    for c in range(1, pool.balance.shape[1]):
        value = int(pool.balance[a, c]) * int(pool.index_price[pool.asset_underlying[c]]) // divisor
        total += value * (MILLION - int(pool.haircut[Level.MAINTENANCE, c])) // MILLION
    values: dict[int, list[int]] = {}
    for i in range(pool.size.shape[1]):
        size = int(pool.size[a, i])
        value = size * int(pool.mark_price[i]) // divisor
        moved = int(pool.funding_index[i]) - int(pool.funding_paid[a, i])
        total += value - int(pool.cost[a, i]) - _up(size, moved, divisor)
        values.setdefault(int(pool.instrument_underlying[i]), []).append(value)
    return total - sum(_requirement(pool, u, of) for u, of in values.items() if any(of))


def unhealthy(pool: Pool) -> list[int]:
    """Accounts below maintenance that are not at their end yet, but for the backstop."""
    return [
        a
        for a in range(1, int(pool.total[Total.ACCOUNTS]))
        if excess(pool, a) < 0 and not is_at_its_end(pool, a)
    ]


def is_at_its_end(pool: Pool, a: int) -> bool:
    """Whether it has nothing, and all that it owes is recorded as lost."""
    has = pool.balance[a].any() or pool.claim[a] or pool.size[a].any()
    return not (has or pool.debt_shares[a] or pool.due[a] > pool.uncovered[a])
