"""Requirements and health move the right way: P11, P18."""

from tests.properties.histories import History
from tests.properties.profile import over_histories
from tests.properties.running import must
from tests.properties.states import after_history

from ringfence.core.command import Kind
from ringfence.core.health import AS_IT_IS, excess, health_factor, requirement
from ringfence.core.margin import position_value
from ringfence.core.pool import CASH, Level, Pool, account_count, copied
from ringfence.units import PPM

LEVELS = tuple(Level)


@over_histories(30)
def test_p18_levels_nest_after_every_command(spec, seed):
    history = History(spec, seed)
    for step in history.take(250):
        for a in range(account_count(history.pool)):
            found = [excess(history.pool, a, level) for level in LEVELS]
            assert found == sorted(found), f"{spec.name} seed {seed}: {step.row[0]} {found}"


@over_histories(40)
def test_p18_p11_adding_collateral_never_lowers_health(spec, seed):
    pool, rng = after_history(spec, seed)
    pool.deposit_cap[:] = 2**53 - 1
    for a in range(account_count(pool)):
        c, amount = rng.randrange(len(pool.deposit_cap)), rng.choice((1, 10**4, 10**9))
        before = [excess(pool, a, level) for level in LEVELS], health_factor(pool, a)
        must(pool, Kind.DEPOSIT, account=a, asset=c, amount=amount)
        after = [excess(pool, a, level) for level in LEVELS], health_factor(pool, a)
        assert all(x <= y for x, y in zip(before[0], after[0], strict=True))
        # Coins that move in the scenarios add to what is required, too: by less than they count,
        # but a high ratio falls towards theirs.
        if (c != CASH or not pool.due[a]) and not pool.is_offsetting[c]:
            assert before[1] <= after[1]


@over_histories(30)
def test_p11_a_higher_margin_rate_or_haircut_never_makes_an_account_healthier(spec, seed):
    pool, rng = after_history(spec, seed)
    strict = copied(pool)
    strict.factor[:] += rng.randrange(1, PPM)
    strict.haircut[:, 1:] += (PPM - strict.haircut[:, 1:]) // rng.randrange(2, 9)
    strict.hedge_rate[:] += rng.randrange(PPM // 100)
    strict.tier_maintenance_rate[:] += rng.randrange(1, PPM // 100)
    for a in range(account_count(pool)):
        for level in LEVELS:
            assert excess(strict, a, level) <= excess(pool, a, level)


def legs(pool: Pool, a: int, u: int) -> list[int]:
    """Values of the positions of an account in the instruments of an underlying."""
    first, last = pool.first_instrument[u], pool.first_instrument[u + 1]
    divisor = int(pool.value_divisor[0])
    return [
        position_value(int(pool.size[a, i]), int(pool.mark_price[i]), divisor)
        for i in range(first, last)
    ]


@over_histories(30, "plain", "mixed", "coarse")
def test_p11_shrinking_an_unhedged_position_never_raises_the_requirement(spec, seed):
    pool, rng = after_history(spec, seed)
    for a in range(account_count(pool)):
        for i in range(len(pool.mark_price)):
            u = int(pool.instrument_underlying[i])
            if pool.size[a, i] == 0 or sum(map(bool, legs(pool, a, u))) != 1:
                continue
            smaller = copied(pool)
            lot, sign = int(pool.lot[i]), 1 if pool.size[a, i] > 0 else -1
            smaller.size[a, i] = sign * lot * rng.randrange(abs(int(pool.size[a, i])) // lot)
            for level in LEVELS:
                now = requirement(smaller, a, int(level), AS_IT_IS)
                assert now <= requirement(pool, a, int(level), AS_IT_IS)


def is_linear(pool: Pool, a: int, b: int) -> bool:
    """Whether both accounts, and what they are together, stay inside of the first tiers."""
    for u in range(len(pool.index_price)):
        both = abs(sum(legs(pool, a, u))) + abs(sum(legs(pool, b, u)))
        if pool.tier_floor.shape[1] > 1 and both >= pool.tier_floor[u, 1]:
            return False
    return True


@over_histories(40, "plain", "mixed", "coarse")
def test_p18_merging_two_accounts_asks_for_no_more_margin(spec, seed):
    """With one tier, or as far as the first one reaches, and hedge rate <= 2 x its rate.

    Convex tiers are progressive: two large positions on the same side cost more together,
    on purpose. Rounding: the hedged half of each underlying and its shares are integers, so
    the merged account may lose a unit of notional to the sum, and a unit at each rounding.
    """
    pool, _ = after_history(spec, seed)
    assert (pool.hedge_rate <= 2 * pool.tier_maintenance_rate[:, 0]).all()
    units = sum(3 + 2 * int(pool.factor[:, u].max()) // PPM for u in range(len(pool.index_price)))
    for a in range(account_count(pool)):
        for b in range(a):
            if not is_linear(pool, a, b):
                continue
            merged = copied(pool)
            merged.size[a] += merged.size[b]
            for level in LEVELS:
                apart = [requirement(pool, x, int(level), AS_IT_IS) for x in (a, b)]
                assert requirement(merged, a, int(level), AS_IT_IS) <= sum(apart) + units
