"""Creation of a pool from its spec: every number checked, all problems reported at once.

A spec that cannot be safe is refused loudly: levels that do not nest, tiers that are not
convex, a liquidation that could make the account worse, caps whose value leaves 64 bits.
"""

import itertools

import numpy as np

from ringfence.columns import Column
from ringfence.core.bounds import (
    HARD_BOUNDS,
    MAINTENANCE_RATE_MAX,
    MAINTENANCE_RATE_MIN,
    parameter_name,
    parameter_named,
)
from ringfence.core.option_creation import option_columns
from ringfence.core.parameters import CHANGE_FIELDS, PARAMETERS, Parameter
from ringfence.core.pool import ACCOUNT_COLUMNS, BACKSTOP, Level, Pool, Rule, Total
from ringfence.core.reading import Checker, SpecError, allowed_table, tier_deductions
from ringfence.core.spec import InstrumentSpec, PoolSpec, UnderlyingSpec
from ringfence.units import (
    AMOUNT_MAX,
    BASE,
    CHANGES_MAX,
    COLLATERALS_MAX,
    DAY_NS,
    DECIMALS_MAX,
    DECIMALS_MIN,
    INSTRUMENTS_MAX,
    PPM,
    PRICE_UNIT,
    SECOND_NS,
    TIERS_MAX,
    UNDERLYINGS_MAX,
    UNIT,
    VALUE_MAX,
    value_divisor,
)

# Of an instrument, zero at the beginning.
INSTRUMENT_STATE = (
    *("expired", "mark_price", "open_interest", "funding_index", "disposed_at"),
    *("average_high", "average_low", "average_ms"),
)


def _zeros(*shape: int) -> Column:
    return np.zeros(shape, dtype=np.int64)


def _check_names(check: Checker) -> None:
    spec = check.spec
    check.name(spec.name)
    decimals = spec.settlement_decimals
    check.demand(
        DECIMALS_MIN <= decimals <= DECIMALS_MAX,
        f"settlement_decimals is {decimals}; it must be {DECIMALS_MIN} to {DECIMALS_MAX}",
    )
    for what, names, most in (
        ("asset", spec.assets(), COLLATERALS_MAX),
        ("underlying", [u.name for u in spec.underlyings], UNDERLYINGS_MAX),
        ("instrument", [i.name for i in spec.instruments], INSTRUMENTS_MAX),
    ):
        check.demand(len(names) <= most, f"{len(names)} {what}s; a pool has at most {most}")
        for name in sorted({n for n in names if list(names).count(n) > 1}):
            check.problems.append(f"{what} {name} is listed twice")
    check.demand(bool(spec.underlyings), "no underlying; a pool needs at least one price")
    known = {u.name for u in spec.underlyings}
    for name, underlying in (
        *((c.asset, c.underlying) for c in spec.collateral),
        *((i.name, i.underlying) for i in spec.instruments),
    ):
        check.demand(
            underlying in known,
            f"{name}: underlying {underlying} is not listed; it must be one of "
            + ", ".join(sorted(known)),
        )
    for asset in spec.assets():
        check.demand(
            not asset.startswith("pool:"),
            f"asset {asset} is a claim on another pool; it could carry that pool's losses here",
        )


def _rules(check: Checker) -> Column:
    rule, scales = _zeros(len(Rule)), _scales(check.quote)
    for r in Rule:
        name = r.name.lower().replace("_ns", "_seconds")
        value = getattr(check.spec.rules, name)
        rule[r] = check.parameter(f"rules.{name}", str(value), scales.get(r, PPM), r)
    check.demand(rule[Rule.BONUS_MIN] <= rule[Rule.BONUS_MAX], "rules.bonus_min exceeds bonus_max")
    check.demand(
        rule[Rule.STALE_NS] <= rule[Rule.LONG_STALE_NS],
        "rules.stale_seconds exceeds long_stale_seconds",
    )
    check.demand(
        rule[Rule.AUCTION_FLOOR] <= rule[Rule.AUCTION_START],
        "rules.auction_floor exceeds auction_start",
    )
    return rule


def _bounds(check: Checker, decimal_scales: dict[int, int]) -> tuple[Column, Column]:
    low, high = _zeros(PARAMETERS), _zeros(PARAMETERS)
    for parameter, (hard_low, hard_high) in HARD_BOUNDS.items():
        low[parameter], high[parameter] = hard_low, hard_high
    for name, pair in check.spec.bounds.items():
        # A spec says seconds where the columns have ns.
        number = None if name.endswith("_ns") else parameter_named(name.replace("_seconds", "_ns"))
        if number is None:
            check.problems.append(f"bounds.{name}: there is no such parameter")
            continue
        where, scale = f"bounds.{name}", decimal_scales.get(number, PPM)
        low[number] = check.parameter(where, pair[0], scale, number)
        high[number] = check.parameter(where, pair[1], scale, number)
        check.demand(low[number] <= high[number], f"{where}: {pair[0]} exceeds {pair[1]}")
    return low, high


def _scales(quote: int) -> dict[int, int]:
    """Scale of each parameter's decimal string; ppm where nothing is said."""
    seconds = [r for r in Rule if r.name.endswith("_NS")]
    values = (
        *(Rule.SUPPLY_CAP, Rule.BORROW_CAP, Rule.DUST),
        *(Rule.BACKSTOP_LIMIT, Rule.AUCTION_CAP, Rule.HALT_LOSS),
    )
    interest = (Parameter.OPEN_INTEREST_LOWER, Parameter.OPEN_INTEREST_UPPER)
    sizes = (Parameter.DEPOSIT_CAP, Parameter.POSITION_CAP, Parameter.OPEN_INTEREST_CAP)
    return {
        **dict.fromkeys(seconds, SECOND_NS),
        **dict.fromkeys((*values, *interest), quote),
        **dict.fromkeys(sizes, UNIT),
        Parameter.FUNDING_RATE_MAX: PRICE_UNIT,
        Rule.AUCTION_RESETS: 1,
    }


def _tiers(check: Checker, where: str, underlying: UnderlyingSpec) -> np.ndarray:
    """Floors, initial rates, maintenance rates and deductions of one underlying."""
    tiers = underlying.tiers
    check.demand(0 < len(tiers) <= TIERS_MAX, f"{where}: {len(tiers)} tiers; give 1 to {TIERS_MAX}")
    floors = [
        check.number(f"{where}.tiers.floor", t.floor, check.quote, 0, VALUE_MAX) for t in tiers
    ]
    initial = [
        check.number(f"{where}.tiers.initial", t.initial, PPM, MAINTENANCE_RATE_MIN, PPM)
        for t in tiers
    ]
    rates = [
        check.number(
            f"{where}.tiers.maintenance",
            t.maintenance,
            PPM,
            MAINTENANCE_RATE_MIN,
            MAINTENANCE_RATE_MAX,
        )
        for t in tiers
    ]
    check.demand(not tiers or floors[0] == 0, f"{where}: the first tier's floor must be 0")
    for what, column in (("floor", floors), ("maintenance rate", rates)):
        rising = all(x < y for x, y in itertools.pairwise(column))
        check.demand(rising, f"{where}: the {what} must rise from tier to tier")
    rising = all(x <= y for x, y in itertools.pairwise(initial))
    check.demand(rising, f"{where}: the initial rate must not fall from tier to tier")
    check.demand(
        all(m <= i for m, i in zip(rates, initial, strict=True)),
        f"{where}: a tier's maintenance rate exceeds its initial rate",
    )
    return np.array([floors, initial, rates, tier_deductions(floors, rates)], dtype=np.int64)


def _check_liquidation(
    check: Checker, where: str, first: int, penalty: int, columns: dict[str, Column], u: int
) -> None:
    """Closing must help the account, by more than bonus and fee, and hedging must be convex."""
    check.demand(
        columns["hedge_rate"][u] <= 2 * first,
        f"{where}.hedge_rate exceeds twice the first tier's maintenance rate; merging "
        "accounts could then raise their requirement",
    )
    check.demand(
        penalty == 0 or penalty < first * int(columns["factor"][Level.TARGET, u]) // PPM,
        f"{where}: bonus_max + liquidation_fee reach the first tier's target rate, so "
        "closing a position would not help the account",
    )


def _underlyings(check: Checker, rule: Column) -> dict[str, Column]:
    spec = check.spec
    count = len(spec.underlyings)
    width = max((len(u.tiers) for u in spec.underlyings), default=1)
    tiers = _zeros(4, count, max(width, 1))
    tiers[0] = AMOUNT_MAX  # an unused tier starts where no notional can be
    columns = {
        "price_max": _zeros(count),
        "hedge_rate": _zeros(count),
        "factor": _zeros(len(Level), count),
        "open_interest_lower": _zeros(count),
        "open_interest_upper": _zeros(count),
    }
    penalty = int(rule[Rule.BONUS_MAX] + rule[Rule.LIQUIDATION_FEE])
    traded = {instrument.underlying for instrument in spec.instruments}
    for u, underlying in enumerate(spec.underlyings):
        where = f"underlying {underlying.name}"
        table = _tiers(check, where, underlying)
        tiers[:, u, : table.shape[1]] = table
        columns["price_max"][u] = check.number(
            f"{where}.price_max", underlying.price_max, PRICE_UNIT, 1, AMOUNT_MAX
        )
        columns["factor"][:, u] = check.levels(
            f"{where}.factor", underlying.factor, Parameter.FACTOR
        )
        for name in ("hedge_rate", "open_interest_lower", "open_interest_upper"):
            parameter = Parameter[name.upper()]
            scale = PPM if name == "hedge_rate" else check.quote
            text = getattr(underlying, name)
            columns[name][u] = check.parameter(f"{where}.{name}", text, scale, parameter)
        check.demand(
            columns["open_interest_lower"][u] < columns["open_interest_upper"][u],
            f"{where}: open_interest_lower must be below open_interest_upper",
        )
        if underlying.tiers:
            worst = penalty if underlying.name in traded else 0
            _check_liquidation(check, where, int(tiers[2, u, 0]), worst, columns, u)
    columns["tier_floor"], columns["tier_initial_rate"] = tiers[0].copy(), tiers[1].copy()
    columns["tier_maintenance_rate"], columns["tier_deduction"] = tiers[2].copy(), tiers[3].copy()
    prices = ("index_price", "index_since", "confidence", "publish_time", "price_flag")
    for name in (*prices, "grace_until"):
        columns[name] = _zeros(count)
    return columns


def _fits(cap: int, price_max: int, divisor: int) -> bool:
    return cap * price_max <= VALUE_MAX * divisor


def _assets(check: Checker, rule: Column, prices: Column, divisor: int) -> dict[str, Column]:
    spec = check.spec
    names = [u.name for u in spec.underlyings]
    count = len(spec.assets())
    columns = {
        "asset_underlying": np.full(count, -1, dtype=np.int64),
        "haircut": _zeros(len(Level), count),
        "deposit_cap": _zeros(count),
        "deposited": _zeros(count),
        "asset_disposed_at": _zeros(count),
    }
    columns["deposit_cap"][0] = check.number("cash_cap", spec.cash_cap, check.quote, 0, VALUE_MAX)
    for c, collateral in enumerate(spec.collateral, start=1):
        where = f"collateral {collateral.asset}"
        haircuts = check.levels(f"{where}.haircut", collateral.haircut, Parameter.HAIRCUT)
        columns["haircut"][:, c] = haircuts
        check.demand(
            haircuts == sorted(haircuts, reverse=True),
            f"{where}.haircut must not rise from initial to closeout",
        )
        worth = (PPM - haircuts[Level.TARGET]) * (PPM + int(rule[Rule.BONUS_MAX]))
        check.demand(
            worth < PPM * PPM,
            f"{where}: (1 - target haircut) * (1 + bonus_max) reaches 1, so a liquidation would "
            "leave the account worse off; raise the haircut or lower the bonus",
        )
        cap = check.parameter(
            f"{where}.deposit_cap", collateral.deposit_cap, UNIT, Parameter.DEPOSIT_CAP
        )
        columns["deposit_cap"][c] = cap
        if collateral.underlying in names:
            u = names.index(collateral.underlying)
            columns["asset_underlying"][c] = u
            check.demand(
                _fits(cap, int(prices[u]), divisor),
                f"{where}: deposit_cap at price_max exceeds {VALUE_MAX} quote units; lower either",
            )
    return columns


def _instruments(check: Checker, prices: Column, divisor: int) -> dict[str, Column]:
    spec = check.spec
    names = [u.name for u in spec.underlyings]
    count = len(spec.instruments)
    fields = {
        "lot": (UNIT, None),
        "tick": (PRICE_UNIT, None),
        "position_cap": (UNIT, Parameter.POSITION_CAP),
        "open_interest_cap": (UNIT, Parameter.OPEN_INTEREST_CAP),
        "price_band": (PPM, Parameter.PRICE_BAND),
        "taker_fee": (PPM, Parameter.TAKER_FEE),
        "maker_fee": (PPM, Parameter.MAKER_FEE),
        "funding_rate_max": (PRICE_UNIT, Parameter.FUNDING_RATE_MAX),
    }
    columns = {name: _zeros(count) for name in fields}
    columns |= {"instrument_underlying": _zeros(count), "expiry": _zeros(count)}
    columns |= {name: _zeros(count) for name in ("window_ns", *INSTRUMENT_STATE)}
    for i, instrument in enumerate(spec.instruments):
        where = f"instrument {instrument.name}"
        for name, (scale, parameter) in fields.items():
            text = getattr(instrument, name)
            bounds = (1, AMOUNT_MAX) if parameter is None else HARD_BOUNDS[parameter]
            columns[name][i] = check.number(f"{where}.{name}", text, scale, *bounds)
        check.demand(
            0 <= instrument.expiry_ns < 2**62, f"{where}.expiry_ns is not a time in ns since 1970"
        )
        columns["expiry"][i] = instrument.expiry_ns
        columns["window_ns"][i] = _window_ns(check, instrument)
        step = int(columns["lot"][i]) * int(columns["tick"][i])
        check.demand(
            step % divisor == 0,
            f"{where}: lot {instrument.lot} times tick {instrument.tick} is not a whole number of "
            "the settlement asset's smallest unit; enlarge either",
        )
        if instrument.underlying in names:
            u = names.index(instrument.underlying)
            columns["instrument_underlying"][i] = u
            check.demand(
                _fits(int(columns["open_interest_cap"][i]), int(prices[u]), divisor),
                f"{where}: open_interest_cap at price_max exceeds {VALUE_MAX} quote units; "
                "lower either",
            )
    order = columns["instrument_underlying"]
    check.demand(
        bool(np.all(order[:-1] <= order[1:])),
        "instruments must be listed in the order of their underlyings",
    )
    columns["first_instrument"] = np.searchsorted(order, np.arange(len(names) + 1)).astype(np.int64)
    return columns


def _window_ns(check: Checker, instrument: InstrumentSpec) -> int:
    """Settlement window; its sums of prices times ms fit for a day at most."""
    seconds = instrument.settlement_window_seconds
    is_possible = 0 <= seconds <= DAY_NS // SECOND_NS
    check.demand(
        is_possible,
        f"instrument {instrument.name}.settlement_window_seconds is {seconds}; "
        "it must lie between 0 and 86400",
    )
    return seconds * SECOND_NS if is_possible else 0


def create_pool(spec: PoolSpec, *, owner: int, now_ns: int, accounts: int = 64) -> Pool:
    """Return a new pool made from the spec, with its backstop account opened for the creator.

    Args:
        spec: What the creator wrote down.
        owner: Registry number of the creator, who owns the backstop.
        now_ns: Time of creation.
        accounts: Room to start with; it grows.

    Raises:
        SpecError: Carries every problem found, each with the value and the fix.
    """
    check = Checker(spec)
    _check_names(check)
    divisor = value_divisor(min(max(spec.settlement_decimals, DECIMALS_MIN), DECIMALS_MAX))
    rule = _rules(check)
    columns = _underlyings(check, rule)
    columns |= _assets(check, rule, columns["price_max"], divisor)
    columns |= _instruments(check, columns["price_max"], divisor)
    columns["bound_min"], columns["bound_max"] = _bounds(check, _scales(check.quote))
    columns["allowed"] = allowed_table(check)
    columns |= option_columns(check, columns)
    _check_bounds(check, columns, rule)
    if check.problems:
        raise SpecError(check.problems)
    total = _zeros(len(Total))
    total[Total.NOW_NS], total[Total.ACCRUED_UNTIL] = now_ns, now_ns // SECOND_NS
    total[Total.ACCOUNTS], total[Total.VERSION] = 1, 1
    total[Total.BORROW_INDEX] = BASE
    assets, instruments = len(spec.assets()), len(spec.instruments)
    for name in ACCOUNT_COLUMNS:
        width = {"balance": (assets,)}.get(name)
        if name in ("size", "cost", "funding_paid"):
            width = (instruments,)
        columns[name] = _zeros(accounts, *(width or ()))
    columns["owner"][BACKSTOP] = owner
    return Pool(
        **columns,
        value_divisor=np.array([divisor], dtype=np.int64),
        total=total,
        rule=rule,
        change=_zeros(CHANGES_MAX, CHANGE_FIELDS),
    )


def _check_bounds(check: Checker, columns: dict[str, Column], rule: Column) -> None:
    """Starting values must lie inside the pool's own bounds too."""
    for parameter in HARD_BOUNDS:
        name = parameter_name(parameter)
        values = rule[parameter : parameter + 1] if parameter in set(Rule) else columns[name]
        if name in ("haircut", "deposit_cap"):
            values = values[..., 1:]  # cash has no haircut, and its cap is not in coins
        low, high = columns["bound_min"][parameter], columns["bound_max"][parameter]
        check.demand(
            bool(np.all((low <= values) & (values <= high))),
            f"{name} starts outside the pool's own bounds {low} to {high}",
        )
