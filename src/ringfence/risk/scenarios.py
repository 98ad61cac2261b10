"""From a surface to integers: option marks and risk arrays, as commands of one pool.

    slot 0      delta of a lot, in cash
    slot 1 + s  share * (value of a lot in scenario s - its mark)

in quote units, to the nearest, for one lot held long. The grid is data: a preset of
`risk.portfolio`. What the core cannot add up leg by leg (gains and losses that are discounted
apart, skews and basis moves that count per expiry) takes two rows of its grid, see
core.margin_spec.ScenarioKind.

Inside of the settlement window of an expiry a part of its price is fixed already, by the
average that the pool keeps up to its own clock, and only the rest moves.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ringfence.core.command import Kind, Rows, rows
from ringfence.core.expiry import average_price
from ringfence.core.margin_spec import MarginSpec, ScenarioRow
from ringfence.core.options import PUT
from ringfence.core.pool import MarginModel, Pool, Total
from ringfence.core.spec import PoolSpec
from ringfence.core.valuation import SLOTS_OF_A_ROW
from ringfence.pricing import black76
from ringfence.risk.portfolio.book import Book, Expiries, Floats
from ringfence.risk.portfolio.model import SKEWS, Discount, Scenario, ScenarioModel
from ringfence.risk.portfolio.reading import model_of
from ringfence.risk.portfolio.scenario import move_of, shocked_volatilities
from ringfence.units import PRICE_UNIT, SECOND_NS, YEAR_SECONDS

Ints = NDArray[np.int64]


class Volatilities(Protocol):
    """What a surface says: `pricing.surface.Surface` does, and so does a `FlatSurface`."""

    def volatility(self, strike: ArrayLike, time: ArrayLike) -> Any:
        """Implied volatility at strikes and times to expiry in years."""


class FlatSurface(NamedTuple):
    """One volatility for all strikes and times."""

    level: float

    def volatility(self, strike: ArrayLike, time: ArrayLike) -> Any:
        """Return the one volatility."""
        return np.full(np.broadcast_shapes(np.shape(strike), np.shape(time)), self.level)


class CoinMarket(NamedTuple):
    """The market of one underlying at one moment; prices in the settlement currency."""

    spot: float
    surface: Volatilities
    perpetual: float | None = None  # mark of perpetuals; None: spot
    forward: Mapping[int, float] = {}  # by expiry in ns; none: spot at the expiry's rate
    rate: float = 0.0  # a year, continuous


class GridRow(NamedTuple):
    """A row of the core's grid, and how a risk array fills it."""

    row: ScenarioRow
    source: Scenario | None  # None: a row of the basis
    side: int  # 1 and -1: as it is and reversed, or moved up and down
    discount: str  # none, gain or loss


Grid = tuple[GridRow, ...]


def grid_of(model: ScenarioModel) -> Grid:
    """Rows that the core's grid has for a model."""
    found: list[GridRow] = []
    is_discounting = model.discount != Discount()
    for scenario in model.scenarios:
        is_skew = scenario.volatility in SKEWS
        move = _decimal(move_of(scenario, model) * scenario.dampening)
        if is_discounting:
            kind = "size" if is_skew else "lower"
            pair = [(kind, 1, "gain"), ("partner", 1, "loss")]
        elif is_skew:
            pair = [("loss", 1, "none"), ("partner", -1, "none")]
        else:
            pair = [("single", 1, "none")]
        found += [GridRow(ScenarioRow(move, kind), scenario, s, d) for kind, s, d in pair]
    if model.basis is not None:
        pair = [("loss", 1, "none"), ("partner", -1, "none")]
        found += [GridRow(ScenarioRow("0", kind), None, s, d) for kind, s, d in pair]
    return tuple(found)


def scenario_margin(preset: str) -> MarginSpec:
    """Return the margin part of a spec whose risk arrays are made with a preset's grid.

    Raises:
        ValueError: The preset has no scenarios.
    """
    rows = tuple(g.row for g in scenario_grid(preset)[1])
    return MarginSpec(model="scenario", grid=preset, scenarios=rows)


@cache
def scenario_grid(preset: str) -> tuple[ScenarioModel, Grid]:
    """Return the model of a preset, and its grid; its file is read once.

    Raises:
        ValueError: The preset has no scenarios.
    """
    model = model_of(preset)
    if isinstance(model, ScenarioModel):
        return model, grid_of(model)
    raise ValueError(f"the model {preset} has rules per option, and no scenarios")


def _decimal(move: float) -> str:
    return f"{move:.9f}".rstrip("0").rstrip(".") or "0"


def valuation_rows(
    spec: PoolSpec, pool: Pool, market: Mapping[str, CoinMarket], now_ns: int
) -> Rows:
    """Return the commands that value what is alive on the underlyings of a market.

    Option marks first; in a pool of the model scenario then the risk arrays of everything.

    Raises:
        ValueError: The spec's scenarios are not those of its grid, or prices have no meaning.
    """
    used = None
    if pool.margin_model[0] == MarginModel.SCENARIO:
        used = scenario_grid(spec.margin.grid)
        if tuple(g.row for g in used[1]) != spec.margin.scenarios:
            raise ValueError(f"margin.scenarios are not those of the grid {spec.margin.grid}")
    found: list[Rows] = []
    for u, underlying in enumerate(spec.underlyings):
        if underlying.name not in market:
            continue
        alive = [
            i
            for i in range(pool.first_instrument[u], pool.first_instrument[u + 1])
            if not pool.expired[i]
        ]
        found += _of_underlying(pool, market[underlying.name], alive, now_ns, used)
    return np.concatenate(found) if found else rows(0)


def _of_underlying(
    pool: Pool,
    coin: CoinMarket,
    alive: list[int],
    now_ns: int,
    used: tuple[ScenarioModel, Grid] | None,
) -> Iterator[Rows]:
    options = [i for i in alive if pool.option_side[i]]
    book = option_book(pool, coin, options, now_ns)
    marks = _marks(pool, options, book)
    if options:
        batch = rows(len(options))
        batch["kind"], batch["instrument"], batch["price"] = Kind.SET_MARK_PRICE, options, marks
        yield batch
    if used is None:
        return
    arrays = option_arrays(book, marks / PRICE_UNIT, *used)
    if options:
        yield array_rows(pool, options, arrays)
    for i in alive:
        if not pool.option_side[i]:
            yield array_rows(pool, [i], linear_array(pool, coin, i, now_ns, *used)[:, None])


class _Expiry(NamedTuple):
    time: float  # years
    forward: float  # what the option is marked at
    variable: float  # the part of it that moves


def _expiry(pool: Pool, coin: CoinMarket, i: int, now_ns: int) -> _Expiry:
    expiry_ns, window = int(pool.expiry[i]), int(pool.window_ns[i])
    left = max(expiry_ns - now_ns, 0)
    time = left / SECOND_NS / YEAR_SECONDS
    feed = coin.forward.get(expiry_ns, coin.spot * float(np.exp(coin.rate * time)))
    # Prices are known up to the pool's clock, whatever later moment is asked about.
    ahead = max(expiry_ns - min(now_ns, int(pool.total[Total.NOW_NS])), 0)
    share = max(0.0, 1.0 - ahead / window) if window else float(ahead == 0)
    fixed = share * (int(average_price(pool, i)) / PRICE_UNIT or feed)
    return _Expiry(time, fixed + (1.0 - share) * feed, (1.0 - share) * feed)


def option_book(pool: Pool, coin: CoinMarket, options: list[int], now_ns: int) -> Book:
    """Lay out one coin of each option the way the models see a portfolio."""
    terms = [_expiry(pool, coin, i, now_ns) for i in options]
    strike = np.array([pool.strike[i] / PRICE_UNIT for i in options], dtype=float)
    time = np.array([t.time for t in terms], dtype=float)
    ends = sorted({int(pool.expiry[i]) for i in options})
    of_option = np.array([ends.index(int(pool.expiry[i])) for i in options], dtype=np.int64)
    expiries = Expiries(
        names=tuple(map(str, ends)),
        time=np.array([time[of_option == e][0] for e in range(len(ends))], dtype=float),
        rate=np.full(len(ends), coin.rate),
        confidence=np.ones(len(ends)),
        basis=np.zeros(len(ends)),
        of_option=of_option,
    )
    none = np.zeros(0)
    return Book(
        name="",
        spot=coin.spot,
        confidence=1.0,
        expiries=expiries,
        forward=np.array([t.forward for t in terms], dtype=float),
        variable=np.array([t.variable for t in terms], dtype=float),
        strike=strike,
        is_call=np.array([pool.option_side[i] != PUT for i in options], dtype=bool),
        size=np.ones(len(options)),
        volatility=np.asarray(coin.surface.volatility(strike, time), dtype=float).reshape(-1),
        discount_rate=np.full(len(options), coin.rate),
        perpetual_size=none,
        perpetual_pnl=none,
        perpetual_price=coin.spot,
        perpetual_confidence=1.0,
    )


def _marks(pool: Pool, options: list[int], book: Book) -> Ints:
    """Marks in price units: whole ticks, at least one, and of a put at most its strike."""
    if not options:
        return np.zeros(0, dtype=np.int64)
    tick, strike = pool.tick[options], pool.strike[options]
    value = book.marks()
    if not np.all(np.isfinite(value)):
        raise ValueError(f"the market gives no price for instrument {options[_first_bad(value)]}")
    marks = np.rint(value * PRICE_UNIT / tick).astype(np.int64) * tick
    highest = np.where(pool.option_side[options] == PUT, strike // tick * tick, np.iinfo("i8").max)
    return np.minimum(np.maximum(marks, tick), highest)


def _first_bad(values: Floats) -> int:
    return int(np.flatnonzero(~np.isfinite(values))[0])


class _Shock(NamedTuple):
    """What a row of the grid does to options, and what it counts of their profit."""

    move: float  # of what still moves of a forward
    volatility: Floats  # [o]
    factor: Floats  # [o] on the value
    weight: Floats  # [o] of the profit


def option_arrays(book: Book, marks: Floats, model: ScenarioModel, grid: Grid) -> Floats:
    """Delta and profits of one coin of each option: [slot, option], in the settlement currency."""
    if not len(marks):
        return np.zeros((len(grid) + 1, 0))
    slopes = black76.greeks(
        book.forward, book.strike, book.time, book.volatility, book.is_call, book.discount_rate
    )
    shocks = list(_shocks(book, model, grid))
    forward = book.forward + np.outer([shock.move for shock in shocks], book.variable)
    value = book.option_values(forward, np.array([shock.volatility for shock in shocks]))
    profit = np.array([shock.factor for shock in shocks]) * value - marks
    profit *= np.array([shock.weight for shock in shocks])
    return np.concatenate([(np.asarray(slopes.delta) * book.variable)[None], profit])


def _shocks(book: Book, model: ScenarioModel, grid: Grid) -> Iterator[_Shock]:
    volatility, factor = shocked_volatilities(book, model), _discounts(book, model)
    for g in grid:
        if g.source is None:
            move, per_expiry = _basis_step(model, g.side, book.time)
            yield _Shock(move, book.volatility, factor["none"], per_expiry)
        else:
            weight = g.source.dampening * g.side * factor["none"]
            move = move_of(g.source, model)
            yield _Shock(move, volatility[g.source.volatility], factor[g.discount], weight)


def _discounts(book: Book, model: ScenarioModel) -> dict[str, Floats]:
    """Factors on shocked values, as in the simulator's own model."""
    rule, time = model.discount, book.time
    rate = book.expiries.rate[book.expiries.of_option]
    if model.rate_min is not None:
        rate = np.maximum(rate, model.rate_min)
    gain = rule.gain_factor * np.exp(-time * (rate * rule.gain_rate_scale + rule.gain_rate_add))
    loss = rule.loss_factor * np.exp(time * (rate * rule.loss_rate_scale + rule.loss_rate_add))
    undone = np.exp(np.maximum(rate, 0.0) * time) if model.is_discounting_marks else 1.0
    loss = np.minimum(loss, undone)
    alive = time > 0
    return {
        "none": np.ones(len(time)),
        "gain": np.where(alive, gain, 1.0),
        "loss": np.where(alive, loss, 1.0),
    }


def _basis_step(model: ScenarioModel, side: int, time: Floats) -> tuple[float, Floats]:
    """Move of a forward on its own, and the weight of what it costs."""
    rule = model.basis
    assert rule is not None
    step = rule.ranges * model.spot_range
    move = rule.up + step if side > 0 else rule.down - step
    return move, rule.add + rule.per_year * time


def linear_array(
    pool: Pool, coin: CoinMarket, i: int, now_ns: int, model: ScenarioModel, grid: Grid
) -> Floats:
    """Delta and profits of one coin of a perpetual or future: [slot]."""
    variable = coin.spot if coin.perpetual is None else coin.perpetual
    time = np.zeros(1)
    is_dated = pool.expiry[i] > 0
    if is_dated:
        expiry = _expiry(pool, coin, i, now_ns)
        variable, time = expiry.variable, np.array([expiry.time])
    slots = [variable]
    for g in grid:
        if g.source is not None:
            slots.append(variable * move_of(g.source, model) * g.source.dampening)
        elif is_dated:
            move, weight = _basis_step(model, g.side, time)
            slots.append(variable * move * float(weight[0]))
        else:
            slots.append(0.0)
    return np.array(slots)


def array_rows(pool: Pool, instruments: list[int], arrays: Floats) -> Rows:
    """Return the commands that bring instruments their risk arrays: [slot, instrument] per coin."""
    if not np.all(np.isfinite(arrays)):
        slot, k = np.argwhere(~np.isfinite(arrays))[0]
        where = f"instrument {instruments[k]} no value in scenario slot {slot}"
        raise ValueError(f"the market gives {where}")
    divisor = int(pool.value_divisor[0])
    # Settlement currency per coin to lots, in Python's integers: the product may leave 64 bits.
    scale = np.array([int(pool.lot[i]) * PRICE_UNIT / divisor for i in instruments])
    count = -(-len(arrays) // SLOTS_OF_A_ROW)  # rows of an instrument
    padded = np.zeros((len(instruments), count * SLOTS_OF_A_ROW), dtype=np.int64)
    padded[:, : len(arrays)] = np.rint(arrays * scale).astype(np.int64).T
    slots = padded.reshape(-1, SLOTS_OF_A_ROW)
    batch = rows(len(slots))
    batch["kind"], batch["instrument"] = Kind.SET_RISK_ARRAY, np.repeat(instruments, count)
    batch["asset"] = np.tile(np.arange(count) * SLOTS_OF_A_ROW, len(instruments))
    for k, field in enumerate(("account", "other", "amount", "size", "price")):
        batch[field] = slots[:, k]
    return batch
