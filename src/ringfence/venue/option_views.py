"""What a reader sees of options: the worst scenario, and the prices at which a structure falls."""

from collections.abc import Mapping

import msgspec

from ringfence.core.health import AS_IT_IS
from ringfence.core.pool import MarginModel, Pool
from ringfence.core.scenario import deltas, worst_scenario
from ringfence.core.spec import PoolSpec
from ringfence.risk.scenarios import CoinMarket
from ringfence.risk.shocks import Range
from ringfence.risk.structure import Revaluation
from ringfence.units import PRICE_UNIT
from ringfence.venue.receipts import decimal


class WorstScenario(msgspec.Struct, frozen=True):
    """What an account loses most by on one underlying, among the rows of the pool's grid."""

    underlying: str
    row: int
    move: str  # of spot, as far as it counts
    loss: str
    delta: str  # of its instruments, in the settlement currency


class StructurePrices(msgspec.Struct, frozen=True):
    """Prices of one underlying at which the account falls, everything on it revalued."""

    underlying: str
    liquidation_price_lower: str | None
    liquidation_price_upper: str | None
    bankruptcy_price_lower: str | None
    bankruptcy_price_upper: str | None


def worst_scenarios(spec: PoolSpec, pool: Pool, a: int) -> tuple[WorstScenario, ...]:
    """Return what the account loses most by, for each underlying on which it can lose at all."""
    if pool.margin_model[0] != MarginModel.SCENARIO:
        return ()
    quote = 10**spec.settlement_decimals
    found = []
    for u, underlying in enumerate(spec.underlyings):
        worst = worst_scenario(pool, a, u, AS_IT_IS)
        if worst.row >= 0:
            move = decimal(int(pool.scenario_move[worst.row]), PRICE_UNIT)
            delta = decimal(deltas(pool, a, u, AS_IT_IS).net, quote)
            loss = decimal(worst.loss, quote)
            found.append(WorstScenario(underlying.name, int(worst.row), move, loss, delta))
    return tuple(found)


def structure_prices(
    spec: PoolSpec, pool: Pool, a: int, market: Mapping[str, CoinMarket]
) -> tuple[StructurePrices, ...]:
    """Return where the account falls, for each underlying of a market on which it holds options."""
    found = []
    for u, underlying in enumerate(spec.underlyings):
        instruments = range(pool.first_instrument[u], pool.first_instrument[u + 1])
        has_options = any(pool.option_side[i] and pool.size[a, i] for i in instruments)
        if has_options and underlying.name in market:
            asked = Revaluation(spec, pool, a, u, market)
            found.append(
                StructurePrices(
                    underlying.name,
                    *_prices(asked.interval()),
                    *_prices(asked.interval(bankruptcy=True)),
                )
            )
    return tuple(found)


def _prices(found: Range | None) -> tuple[str | None, str | None]:
    if found is None:
        return None, None
    lower, upper = (None if end is None else decimal(end, PRICE_UNIT) for end in found)
    return lower, upper
