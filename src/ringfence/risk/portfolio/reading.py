"""From a portfolio file, TOML, to checked terms; what is wrong is named with field, value, fix.

Numbers may be written as numbers or as decimal strings.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec

from ringfence.risk.portfolio.model import (
    SKEWS,
    Level,
    LevelName,
    Model,
    ScenarioModel,
    Shock,
    StandardLevel,
    StandardModel,
)
from ringfence.risk.portfolio.presets import PRESETS, parameters_of
from ringfence.risk.portfolio.terms import (
    Direction,
    Expiry,
    Leg,
    Market,
    Option,
    Portfolio,
    Terms,
    Underlying,
)

DEFAULT_MODEL = "deribit-like"
SECTIONS = ("model", "market", "portfolio", "parameters", "trades")
KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "scenario": (ScenarioModel, Level),
    "standard": (StandardModel, StandardLevel),
}
CHOICES = {
    "type": get_args(Direction),
    "volatility": get_args(Shock),
    "levels": get_args(LevelName),
}
T = TypeVar("T")


class PortfolioError(ValueError):
    """A portfolio that cannot be read; says which field, what it holds and what to write."""

    def __init__(self, field: str, problem: str, fix: str) -> None:
        super().__init__(f"{field}: {problem}; {fix}")
        self.field = field


class Trade(msgspec.Struct, frozen=True):
    """A trade to ask about: a leg, and the price it is done at (None: at the mark)."""

    leg: Leg
    price: float | None = None


class Question(NamedTuple):
    """What a portfolio file asks."""

    portfolio: Portfolio
    market: Market
    model: Model
    trades: tuple[Trade, ...]


def read(text: str, model: str | None = None, market: Market | None = None) -> Question:
    """Read a portfolio file; a model's name given here goes before that of the file.

    market: from elsewhere; the file then states none.

    Raises:
        PortfolioError: Anything is wrong with it.
    """
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        fix = "see docs/margin-simulator.md for the format"
        raise PortfolioError("file", f"it is no TOML ({error})", fix) from None
    _check_names(raw, SECTIONS, "")
    for section in ("market", "portfolio") if market is None else ("portfolio",):
        if section not in raw:
            raise PortfolioError(section, "it is missing", f"add a table [{section}]")
    if market is None:
        market = market_of(raw["market"])
    elif "market" in raw:
        raise PortfolioError("market", "it is stated twice", "take [market] out of the file")
    portfolio = convert(raw["portfolio"], Portfolio, "portfolio")
    chosen = model_of(model or raw.get("model", DEFAULT_MODEL), raw.get("parameters", {}))
    trades = _trades(raw.get("trades", []))
    check(portfolio, market, chosen)
    for k, trade in enumerate(trades):
        check_leg(trade.leg, market, f"trades[{k}]")
    return Question(portfolio, market, chosen, trades)


def market_of(raw: object) -> Market:
    """Convert plain data to a market.

    Raises:
        PortfolioError: It does not fit.
    """
    # One by one first: the converter does not say under which name something is wrong.
    for name, coin in _tables(raw, "underlyings"):
        for expiry, quote in _tables(coin, "expiries"):
            convert(quote, Expiry, f"market.underlyings.{name}.expiries.{expiry}")
        convert(coin, Underlying, f"market.underlyings.{name}")
    return convert(raw, Market, "market")


def _tables(raw: object, name: str) -> list[tuple[str, object]]:
    found = raw.get(name) if isinstance(raw, Mapping) else None
    return list(found.items()) if isinstance(found, Mapping) else []


def model_of(name: object, changes: object = None) -> Model:
    """Return a preset with some of its parameters changed; tables are merged.

    Raises:
        PortfolioError: There is no such preset, or the parameters make no model.
    """
    if not isinstance(name, str) or name not in PRESETS:
        close = difflib.get_close_matches(str(name), PRESETS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(PRESETS)}"
        raise PortfolioError("model", f"there is no model {name!r}", hint)
    if not isinstance(changes, Mapping | None):
        raise PortfolioError("parameters", f"it is {changes!r}", "make it a table [parameters]")
    merged = _merged(parameters_of(name), changes or {})
    kind, level_kind = KINDS.get(str(merged.get("kind")), KINDS["scenario"])
    for level, rates in _tables(merged, "levels"):
        convert(rates, level_kind, f"parameters.levels.{level}")
    model: Model = convert(merged, kind, "parameters")
    missing = {"initial", "maintenance"} - set(model.levels)
    if missing:
        fix = "every model has initial and maintenance"
        raise PortfolioError("parameters.levels", f"{missing.pop()!r} is missing", fix)
    if isinstance(model, ScenarioModel):
        _check_scenarios(model)
    return model


def _check_scenarios(model: ScenarioModel) -> None:
    for k, row in enumerate(model.scenarios):
        where = f"parameters.scenarios[{k}]"
        move = row.spot + row.ranges * model.spot_range
        if move <= -1:
            fix = "keep spot + ranges * spot_range above -1"
            raise PortfolioError(where, f"spot would move by {move:g}", fix)
        if row.volatility in SKEWS and model.skew is None:
            fix = "add a table [parameters.skew]"
            raise PortfolioError(where, f"{row.volatility!r} has no parameters", fix)


def convert(raw: object, kind: type[T], where: str) -> T:
    """Convert plain data to terms.

    Raises:
        PortfolioError: It does not fit, or a number is not finite.
    """
    try:
        # Decimal strings are numbers too, so conversion is lenient about that.
        made = msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(error, raw, where) from None
    _check_finite(made, where)
    return made


def _explained(error: msgspec.ValidationError, raw: object, where: str) -> PortfolioError:
    text, _, path = str(error).partition(" - at `")
    path = path.split("`")[0].removeprefix("$")
    value: Any = raw
    for key, index in re.findall(r"\.([^.\[]+)|\[(\d+)\]", path):
        if key and isinstance(value, Mapping):
            value = value.get(key)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
    is_whole = isinstance(value, Mapping | list)
    field = path.rpartition(".")[2].split("[")[0] or where.rpartition(".")[2]
    return PortfolioError(where + path, text if is_whole else f"it is {value!r}", _fix(text, field))


def _fix(text: str, field: str) -> str:
    unknown = re.search(r"unknown field `(.+)`", text)
    if unknown:
        return f"take {unknown[1]!r} out or correct its name"
    missing = re.search(r"missing required field `(.+)`", text)
    if missing:
        return f"add {missing[1]!r}"
    if "enum value" in text and field in CHOICES:
        return f"write one of {', '.join(CHOICES[field])}"
    number = re.search(r"Expected `float(?: \| null)?`( [<>]=? [\d.]+)?", text)
    if number:
        return f"write a number{number[1] or ''}"
    return f"what fits is: {text[:1].lower() + text[1:]}"


def _check_finite(value: object, where: str) -> None:
    """Refuse NaN and infinity, which TOML can write."""
    if isinstance(value, float) and not math.isfinite(value):
        raise PortfolioError(where, f"it is {value}", "write a finite number")
    if isinstance(value, Terms):
        for name in value.__struct_fields__:
            _check_finite(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            _check_finite(item, f"{where}.{name}")
    elif isinstance(value, tuple):
        for k, item in enumerate(value):
            _check_finite(item, f"{where}[{k}]")


def check(portfolio: Portfolio, market: Market, model: Model) -> None:
    """Check that the market knows all that a portfolio holds.

    Raises:
        PortfolioError: It does not.
    """
    _check_market(market)
    for k, held in enumerate(portfolio.collateral):
        where = f"portfolio.collateral[{k}]"
        if held.underlying is not None:
            _check_name(held.underlying, market.underlyings, f"{where}.underlying")
        elif held.price is None:
            fix = "state its price, or the underlying whose spot price it has"
            raise PortfolioError(f"{where}.price", "it is missing", fix)
        for level in held.haircuts or {}:
            _check_name(level, model.levels, f"{where}.haircuts")
    for k, perpetual in enumerate(portfolio.perpetuals):
        check_leg(perpetual, market, f"portfolio.perpetuals[{k}]")
    for k, option in enumerate(portfolio.options):
        check_leg(option, market, f"portfolio.options[{k}]")


def _check_market(market: Market) -> None:
    if not market.underlyings:
        fix = "add a table [market.underlyings.NAME] with its spot price"
        raise PortfolioError("market.underlyings", "it is empty", fix)
    for name, coin in market.underlyings.items():
        for expiry, quote in coin.expiries.items():
            if (quote.days is None) == (quote.seconds is None):
                found = f"days is {quote.days}, seconds is {quote.seconds}"
                where = f"market.underlyings.{name}.expiries.{expiry}"
                raise PortfolioError(where, found, "state one of the two")


def check_leg(leg: Leg, market: Market, where: str) -> None:
    """Check that the market knows a leg.

    Raises:
        PortfolioError: It does not.
    """
    _check_name(leg.underlying, market.underlyings, f"{where}.underlying")
    if isinstance(leg, Option):
        quotes = market.underlyings[leg.underlying].expiries
        _check_name(leg.expiry, quotes, f"{where}.expiry")
        if leg.volatility is None and quotes[leg.expiry].volatility is None:
            fix = "state it here or at the expiry"
            raise PortfolioError(f"{where}.volatility", "it is missing", fix)
    elif leg.entry_price is not None and leg.unrealized_pnl is not None:
        found = f"it is {leg.entry_price:g} and unrealized_pnl {leg.unrealized_pnl:g}"
        raise PortfolioError(f"{where}.entry_price", found, "state one of the two")


def _check_name(name: str, known: Iterable[str], where: str) -> None:
    names = list(known)
    if name not in names:
        fix = f"there are {', '.join(names)}" if names else "the market states none"
        raise PortfolioError(where, f"it is {name!r}", fix)


def _check_names(raw: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for name in raw:
        if name not in known:
            fix = f"there are {', '.join(known)}"
            raise PortfolioError(f"{where}{name}", "it is no section", fix)


def _trades(raw: object) -> tuple[Trade, ...]:
    if not isinstance(raw, list):
        raise PortfolioError("trades", f"it is {raw!r}", "write [[trades]]")
    trades = []
    for k, row in enumerate(raw):
        where = f"trades[{k}]"
        if not isinstance(row, Mapping) or row.get("leg") not in ("option", "perpetual"):
            found = row.get("leg") if isinstance(row, Mapping) else row
            fix = 'write leg = "option" or leg = "perpetual"'
            raise PortfolioError(f"{where}.leg", f"it is {found!r}", fix)
        terms = {name: value for name, value in row.items() if name != "price"}
        price = convert(row.get("price"), float | None, f"{where}.price")  # type: ignore[arg-type] # a union is no type
        trades.append(Trade(convert(terms, Leg, where), price))  # type: ignore[arg-type] # the same
    return tuple(trades)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        old = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        merged[name] = _merged(old, value) if both else value  # type: ignore[arg-type] # both are
    return merged
