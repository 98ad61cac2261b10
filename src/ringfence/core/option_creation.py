"""The margin model and the options of a new pool: columns from the spec, every number checked."""

import itertools

import numpy as np

from ringfence.columns import Column
from ringfence.core.margin_spec import PAIRED, ScenarioKind, StandardRate
from ringfence.core.options import CALL, PUT
from ringfence.core.pool import Level, MarginModel, Rule
from ringfence.core.reading import Checker, scaled
from ringfence.core.spec import InstrumentSpec, Levels
from ringfence.units import PPM, PRICE_UNIT, SCENARIOS_MAX

SIDES = {"": 0, "call": CALL, "put": PUT}
RATE_MAX = PPM // 10  # of the contingencies
MOVE_MAX = 10 * PRICE_UNIT
STANDARD_MAX = 2 * PPM


def option_columns(check: Checker, columns: dict[str, Column]) -> dict[str, Column]:
    """Return the columns of margin model, grid and options; the others of the pool are given."""
    models = {m.name.lower(): m for m in MarginModel}
    model = models.get(check.spec.margin.model)
    if model is None:
        names = ", ".join(models)
        check.problems.append(f"margin.model is {check.spec.margin.model!r}; it is one of {names}")
        model = MarginModel.BRACKETS
    grid = _grid(check, model)
    count = len(check.spec.instruments)
    slots = len(grid["scenario_kind"]) + 1 if model == MarginModel.SCENARIO else 0
    found = {
        "margin_model": np.array([model], dtype=np.int64),
        "standard_rate": _standard(check, model),
        **grid,
        **_rates(check, model),
        "is_offsetting": _offsetting(check, model, columns, grid["scenario_move"]),
        "option_side": np.array(
            [_side(check, i, model) for i in check.spec.instruments], dtype=np.int64
        ),
        "strike": np.array(
            [_strike(check, k, i, columns) for k, i in enumerate(check.spec.instruments)],
            dtype=np.int64,
        ),
        "valued_at": np.zeros(count, dtype=np.int64),
        "risk_slots": np.zeros(count, dtype=np.int64),
        "risk_array": np.zeros((count, slots), dtype=np.int64),
        "risk_array_next": np.zeros((count, slots), dtype=np.int64),
    }
    _check_order(check, model)
    if model == MarginModel.COLLATERALISED:
        _check_collateralised(check, columns)
    return found


def _grid(check: Checker, model: MarginModel) -> dict[str, Column]:
    """Kinds and moves of the scenarios."""
    rows = check.spec.margin.scenarios
    if model != MarginModel.SCENARIO:
        check.demand(not rows, "margin.scenarios are for the model scenario only")
        rows = ()
    else:
        check.demand(
            0 < len(rows) <= SCENARIOS_MAX,
            f"margin.scenarios: {len(rows)} rows; give 1 to {SCENARIOS_MAX}",
        )
    kinds = {k.name.lower(): k for k in ScenarioKind}
    for row in rows:
        check.demand(row.kind in kinds, f"margin.scenarios.kind: there is no kind {row.kind!r}")
    kind = [kinds.get(row.kind, ScenarioKind.SINGLE) for row in rows]
    for s, k in enumerate(kind):
        behind = kind[s + 1] if s + 1 < len(kind) else ScenarioKind.SINGLE
        before = kind[s - 1] if s else ScenarioKind.SINGLE
        check.demand(
            (k in PAIRED) == (behind == ScenarioKind.PARTNER)
            and (k == ScenarioKind.PARTNER) <= (before in PAIRED),
            f"margin.scenarios: row {s} is {k.name.lower()}; a partner stands behind each row "
            "that is lower, loss or size, and nowhere else",
        )
    where = "margin.scenarios.move"
    move = [check.number(where, r.move, PRICE_UNIT, -PRICE_UNIT, MOVE_MAX) for r in rows]
    return {
        "scenario_kind": np.array(kind, dtype=np.int64),
        "scenario_move": np.array(move, dtype=np.int64),
    }


def _standard(check: Checker, model: MarginModel) -> Column:
    if model != MarginModel.STANDARD:
        return np.zeros(0, dtype=np.int64)
    rate = [
        check.number(
            f"margin.standard.{r.name.lower()}",
            getattr(check.spec.margin.standard, r.name.lower()),
            PPM,
            PPM if r == StandardRate.OFFSET_SCALE else 0,
            STANDARD_MAX,
        )
        for r in StandardRate
    ]
    for higher, lower in (
        (StandardRate.OPTION_RATE_MAX, StandardRate.OPTION_RATE_MIN),
        (StandardRate.UNPAIRED_INITIAL, StandardRate.UNPAIRED_MAINTENANCE),
    ):
        check.demand(
            rate[higher] >= rate[lower],
            f"margin.standard: {lower.name.lower()} exceeds {higher.name.lower()}",
        )
    return np.array(rate, dtype=np.int64)


def _rates(check: Checker, model: MarginModel) -> dict[str, Column]:
    columns = {}
    for name in ("option_rate", "linear_rate"):
        table = np.zeros((len(Level), len(check.spec.underlyings)), dtype=np.int64)
        for u, underlying in enumerate(check.spec.underlyings):
            where = f"underlying {underlying.name}.{name}"
            levels: Levels = getattr(underlying, name)
            table[:, u] = [
                check.number(
                    f"{where}.{level.name.lower()}",
                    getattr(levels, level.name.lower()),
                    PPM,
                    0,
                    RATE_MAX,
                )
                for level in Level
            ]
            check.demand(
                bool(np.all(table[:-1, u] >= table[1:, u])),
                f"{where} must not rise from initial to closeout",
            )
        is_used = model == MarginModel.SCENARIO or not table.any()
        check.demand(is_used, f"{name} is for the model scenario only")
        columns[name] = table
    return columns


def _offsetting(
    check: Checker, model: MarginModel, columns: dict[str, Column], move: Column
) -> Column:
    """Which collateral moves in the scenarios; it must be worth more than its own requirement."""
    flags = [False, *(c.is_offsetting for c in check.spec.collateral)]
    deepest = -int(min(move.min(initial=0), 0))
    for c, collateral in enumerate(check.spec.collateral, start=1):
        if not collateral.is_offsetting:
            continue
        where = f"collateral {collateral.asset}"
        check.demand(
            model == MarginModel.SCENARIO,
            f"{where}.is_offsetting is for the model scenario only",
        )
        u = int(columns["asset_underlying"][c])
        if u < 0:
            continue
        for level in Level:
            factor = int(columns["factor"][level:, u].max())
            left = (PPM - int(columns["haircut"][level, c])) * PRICE_UNIT
            check.demand(
                factor * deepest < left,
                f"{where}: at {level.name.lower()} its deepest fall in the scenarios takes more "
                "than its haircut leaves, so that a deposit could lower the excess; lower either",
            )
    return np.array(flags, dtype=np.int64)


def _side(check: Checker, instrument: InstrumentSpec, model: MarginModel) -> int:
    where = f"instrument {instrument.name}"
    if instrument.option not in SIDES:
        check.problems.append(f"{where}.option is {instrument.option!r}; it is call, put or empty")
        return 0
    if instrument.option:
        check.demand(
            model != MarginModel.BRACKETS,
            f"{where}: brackets have no measure for options; choose another margin.model",
        )
        check.demand(instrument.expiry_ns > 0, f"{where}: an option needs an expiry_ns")
    if instrument.expiry_ns > 0 and not instrument.option:
        check.demand(
            model != MarginModel.STANDARD,
            f"{where}: the model standard has perpetuals and options, but no dated futures",
        )
    return SIDES[instrument.option]


def _strike(check: Checker, k: int, instrument: InstrumentSpec, columns: dict[str, Column]) -> int:
    where = f"instrument {instrument.name}"
    if not check.spec.underlyings:
        return 0  # that is a problem already
    highest = int(columns["price_max"][columns["instrument_underlying"][k]])
    least = 1 if instrument.option else 0
    most = highest if instrument.option else 0
    strike = check.number(f"{where}.strike", instrument.strike, PRICE_UNIT, least, most)
    check.demand(
        strike % max(int(columns["tick"][k]), 1) == 0,
        f"{where}.strike {instrument.strike} is not a whole number of ticks",
    )
    return strike


def _check_order(check: Checker, model: MarginModel) -> None:
    """Instruments of an expiry, and options of a strike, must stand together."""
    if model == MarginModel.BRACKETS:
        return
    for x, y in itertools.pairwise(check.spec.instruments):
        if x.underlying == y.underlying:
            check.demand(
                (x.expiry_ns, _number(x.strike)) <= (y.expiry_ns, _number(y.strike)),
                f"instrument {y.name} must stand before {x.name}: the order is by expiry, "
                "then by strike",
            )


def _number(strike: str) -> int:
    try:
        return scaled(strike, PRICE_UNIT)
    except ValueError:
        return 0  # the strike itself is a problem already


def _check_collateralised(check: Checker, columns: dict[str, Column]) -> None:
    """What could move the excess margin of a position that posts its largest loss."""
    check.demand(
        not check.spec.collateral,
        "a collateralised pool takes cash only: the price of other collateral could fall",
    )
    for instrument in check.spec.instruments:
        check.demand(
            instrument.expiry_ns > 0,
            f"instrument {instrument.name}: a perpetual has no largest loss to post",
        )
    check.demand(
        int(columns["bound_max"][Rule.BORROW_CAP]) == 0,
        "a collateralised pool has no debt; set bounds.borrow_cap and rules.borrow_cap to 0",
    )
