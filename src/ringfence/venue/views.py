"""What a reader sees of an account and of a pool: names, decimals, null where unknown.

Every figure comes from the kernels that decide; ratios are for display only. Where a figure
does not exist it is null, and `unknown` says why.
"""

import math
from collections.abc import Mapping

import msgspec

from ringfence.core.backstop import gross_notional
from ringfence.core.health import (
    AS_IT_IS,
    HEALTH_MAX,
    collateral,
    debt_of,
    equity,
    excess,
    health_factor,
    ratio_ppm,
    requirement,
    uncollected,
)
from ringfence.core.margin import funding_due, position_value
from ringfence.core.pool import Level, MarginModel, Pool, Total
from ringfence.core.spec import PoolSpec
from ringfence.risk.scenarios import CoinMarket
from ringfence.risk.shocks import (
    SHOCK_UNIT,
    Range,
    bankruptcy_range,
    liquidation_range,
    shock_range,
)
from ringfence.units import PPM, PRICE_UNIT, UNIT
from ringfence.venue.encoding import asset_scale
from ringfence.venue.option_views import (
    StructurePrices,
    WorstScenario,
    structure_prices,
    worst_scenarios,
)
from ringfence.venue.receipts import decimal
from ringfence.venue.standing import RankView, StepView, rank_views, step_view
from ringfence.venue.state import PoolRecord

BELOW = "the account is below maintenance now"
NEVER = "no price up to the pool's price_max reaches it"
NO_VOLATILITY = "no volatility was given"
NO_MARKET = "options have to be revalued for it: give a market"


class Margins(msgspec.Struct, frozen=True):
    """One figure at each margin level."""

    initial: str
    target: str
    maintenance: str
    closeout: str


class PositionView(msgspec.Struct, frozen=True):
    """One position. Prices in the settlement currency, amounts of it exact."""

    instrument: str
    size: str
    cost: str
    entry_price: str | None
    mark_price: str
    notional: str
    unrealized_pnl: str
    funding_due: str
    liquidation_price_lower: str | None
    liquidation_price_upper: str | None
    bankruptcy_price_lower: str | None
    bankruptcy_price_upper: str | None
    underlying: str = ""
    expiry_ns: int = 0
    option: str = ""  # call or put
    strike: str | None = None


class AccountView(msgspec.Struct, frozen=True):
    """An owner's standing in one pool."""

    pool: str
    owner: str
    number: int
    account: int
    time_ns: int
    balances: dict[str, str]
    positions: tuple[PositionView, ...]
    debt: str
    due: str
    claim: str
    supply_shares: str
    collateral_value: str
    uncollected_result: str
    equity: str
    requirement: Margins
    excess: Margins
    free_margin: str
    health_factor: str | None
    margin_ratio: str | None  # maintenance margin over equity
    leverage: str | None  # notional over equity
    shock_down: str | None  # uniform move of all prices that ends at maintenance
    shock_up: str | None
    distance: str | None  # the smaller of the two
    distance_deviations: str | None  # in daily standard deviations, when a volatility is given
    unknown: dict[str, str]
    backstop_shares: str
    protect_budget: str
    may_reduce: bool
    waterfall: StepView
    deleveraging: tuple[RankView, ...]
    worst_scenarios: tuple[WorstScenario, ...] = ()  # in a pool of the model scenario
    structures: tuple[StructurePrices, ...] = ()  # of options, when a market is given


def price_text(value: int) -> str | None:
    """Return a price as a decimal string; None before the first."""
    return decimal(value, PRICE_UNIT) if value else None


class Money:
    """Decimal strings in the settlement asset of one pool."""

    def __init__(self, spec: PoolSpec) -> None:
        self.scale = 10**spec.settlement_decimals

    def __call__(self, value: int) -> str:
        """Return quote units as a decimal string."""
        return decimal(value, self.scale)


def _range_prices(found: Range | None) -> tuple[str | None, str | None]:
    if found is None:
        return None, None
    lower, upper = (None if end is None else decimal(end, PRICE_UNIT) for end in found)
    return lower, upper


def position_view(spec: PoolSpec, pool: Pool, a: int, i: int) -> PositionView:
    """Return one position of an account."""
    money = Money(spec)
    terms = spec.instruments[i]
    size, cost = int(pool.size[a, i]), int(pool.cost[a, i])
    divisor = int(pool.value_divisor[0])
    value = position_value(size, pool.mark_price[i], divisor)
    paid = funding_due(size, pool.funding_index[i], pool.funding_paid[a, i], divisor)
    lower, upper = _range_prices(liquidation_range(pool, a, i))
    ruin_lower, ruin_upper = _range_prices(bankruptcy_range(pool, a, i))
    return PositionView(
        instrument=terms.name,
        size=decimal(size, UNIT),
        cost=money(cost),
        entry_price=decimal(cost * divisor // size, PRICE_UNIT) if size else None,
        mark_price=decimal(int(pool.mark_price[i]), PRICE_UNIT),
        notional=money(abs(value)),
        unrealized_pnl=money(value - cost),
        funding_due=money(paid),
        liquidation_price_lower=lower,
        liquidation_price_upper=upper,
        bankruptcy_price_lower=ruin_lower,
        bankruptcy_price_upper=ruin_upper,
        underlying=terms.underlying,
        expiry_ns=terms.expiry_ns,
        option=terms.option,
        strike=terms.strike if terms.option else None,
    )


def _margins(spec: PoolSpec, by_level: dict[Level, int]) -> Margins:
    money = Money(spec)
    return Margins(
        money(by_level[Level.INITIAL]),
        money(by_level[Level.TARGET]),
        money(by_level[Level.MAINTENANCE]),
        money(by_level[Level.CLOSEOUT]),
    )


def _balances(spec: PoolSpec, pool: Pool, a: int) -> dict[str, str]:
    scales = [asset_scale(spec, c) for c in range(len(spec.assets()))]
    return {
        asset: decimal(int(pool.balance[a, c]), scales[c]) for c, asset in enumerate(spec.assets())
    }


class _Distances(msgspec.Struct):
    shock_down: str | None = None
    shock_up: str | None = None
    distance: str | None = None
    distance_deviations: str | None = None


def _distances(pool: Pool, a: int, volatility: float | None, unknown: dict[str, str]) -> _Distances:
    """How far all prices must move together until the account is at maintenance."""
    if pool.margin_model[0] != MarginModel.BRACKETS:
        unknown |= dict.fromkeys(("shock_down", "shock_up", "distance"), NO_MARKET)
        return _Distances()
    found = shock_range(pool, a)
    if found is None:
        unknown |= dict.fromkeys(("shock_down", "shock_up", "distance"), BELOW)
        return _Distances()
    moves = {}
    for name, end in (("shock_down", found.lower), ("shock_up", found.upper)):
        if end is None:
            unknown[name] = NEVER
        else:
            moves[name] = end - SHOCK_UNIT
    texts = {name: decimal(move, SHOCK_UNIT) for name, move in moves.items()}
    if not moves:
        unknown["distance"] = NEVER
        return _Distances()
    nearest = min(abs(move) for move in moves.values())
    deviations = None
    if volatility is None:
        unknown["distance_deviations"] = NO_VOLATILITY
    else:
        daily = volatility / math.sqrt(365)
        deviations = f"{nearest / SHOCK_UNIT / daily:.3f}"
    return _Distances(
        texts.get("shock_down"), texts.get("shock_up"), decimal(nearest, SHOCK_UNIT), deviations
    )


def _held(pool: Pool, a: int) -> list[int]:
    return [i for i in range(len(pool.mark_price)) if pool.size[a, i]]


class _Ratios(msgspec.Struct):
    health_factor: str | None = None
    margin_ratio: str | None = None
    leverage: str | None = None


def _ratios(pool: Pool, a: int, worth: int, maintenance: int, unknown: dict[str, str]) -> _Ratios:
    """Figures for display; what has no value says why."""
    found = _Ratios()
    factor = health_factor(pool, a)
    if factor < HEALTH_MAX:
        found.health_factor = decimal(factor, PPM)
    else:
        unknown["health_factor"] = "the account owes nothing and holds no position"
    if worth > 0:
        found.margin_ratio = decimal(ratio_ppm(maintenance, worth), PPM)
        found.leverage = decimal(ratio_ppm(gross_notional(pool, a), worth), PPM)
    else:
        unknown |= dict.fromkeys(("margin_ratio", "leverage"), "equity is not positive")
    return found


def account_view(
    record: PoolRecord,
    pool: Pool,
    a: int,
    owner: str,
    *,
    volatility: float | None = None,
    market: Mapping[str, CoinMarket] | None = None,
) -> AccountView:
    """Return an account's standing; volatility is a year's, as a share, for the distance.

    A market is what options are revalued at, for the prices at which a structure falls.
    """
    spec, money = record.spec, Money(record.spec)
    unknown: dict[str, str] = {}
    worth = equity(pool, a)
    required = {level: requirement(pool, a, level, AS_IT_IS) for level in Level}
    excesses = {level: excess(pool, a, level) for level in Level}
    return AccountView(
        pool=record.id.hex(),
        owner=owner,
        number=int(pool.number[a]),
        account=a,
        time_ns=int(pool.total[Total.NOW_NS]),
        balances=_balances(spec, pool, a),
        positions=tuple(position_view(spec, pool, a, i) for i in _held(pool, a)),
        debt=money(debt_of(pool, pool.debt_shares[a])),
        due=money(int(pool.due[a])),
        claim=money(int(pool.claim[a])),
        supply_shares=str(int(pool.supply_shares[a])),
        collateral_value=money(collateral(pool, a, Level.MAINTENANCE, AS_IT_IS)),
        uncollected_result=money(uncollected(pool, a, AS_IT_IS)),
        equity=money(worth),
        requirement=_margins(spec, required),
        excess=_margins(spec, excesses),
        free_margin=money(max(excesses[Level.INITIAL], 0)),
        **msgspec.structs.asdict(_ratios(pool, a, worth, required[Level.MAINTENANCE], unknown)),
        **msgspec.structs.asdict(_distances(pool, a, volatility, unknown)),
        unknown=unknown,
        backstop_shares=str(int(pool.backstop_shares[a])),
        protect_budget=money(int(pool.protect_budget[a])),
        may_reduce=bool(pool.protect_reduce[a]),
        waterfall=step_view(spec, pool, a),
        deleveraging=rank_views(spec, pool, a),
        worst_scenarios=worst_scenarios(spec, pool, a),
        structures=structure_prices(spec, pool, a, market or {}),
    )
