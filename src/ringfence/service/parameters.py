"""Every parameter of a pool, with its bounds, what is pending, and what was changed before."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ringfence.core.bounds import parameter_name
from ringfence.core.parameters import ChangeField, Parameter, parameter_column
from ringfence.core.pool import Level, Rule, Total
from ringfence.units import MS_NS
from ringfence.venue.state import PoolRecord

_QUOTE = (Rule.SUPPLY_CAP, Rule.BORROW_CAP, Rule.DUST)
_PRICE_SHARE = (Parameter.FUNDING_RATE_MAX,)
_QUOTE_OF = (Parameter.OPEN_INTEREST_LOWER, Parameter.OPEN_INTEREST_UPPER)
_SIZES = (Parameter.DEPOSIT_CAP, Parameter.POSITION_CAP, Parameter.OPEN_INTEREST_CAP)


class ParameterView(msgspec.Struct, frozen=True):
    """One parameter now; raw integers, as a change states them."""

    parameter: str
    index: int
    of: str | None
    value: int
    min: int
    max: int
    unit: str


class Pending(msgspec.Struct, frozen=True):
    """A change that was announced and is not complete."""

    change: int
    parameter: str
    index: int
    of: str | None
    old: int
    new: int
    start_ms: int
    ramp_ms: int
    active: bool


class Parameters(msgspec.Struct, frozen=True):
    """All of a pool's parameters."""

    pool: str
    version: int
    parameters: list[ParameterView]
    pending: list[Pending]
    history: list[dict[str, Any]]


def unit_of(parameter: int, index: int) -> str:
    """What a parameter's raw integers count."""
    if parameter < Parameter.HAIRCUT:
        if parameter in _QUOTE:
            return "quote"
        return "ns" if Rule(parameter).name.endswith("_NS") else "ppm"
    if parameter in _QUOTE_OF or (parameter == Parameter.DEPOSIT_CAP and index == 0):
        return "quote"
    if parameter in _SIZES:
        return "1e-8"
    return "1e-9" if parameter in _PRICE_SHARE else "ppm"


def subject(record: PoolRecord, parameter: int, index: int) -> str | None:
    """What a parameter's index stands for."""
    spec = record.spec
    if parameter < Parameter.HAIRCUT:
        return None
    if parameter in (Parameter.HAIRCUT, Parameter.FACTOR):
        names = spec.assets() if parameter == Parameter.HAIRCUT else _underlyings(record)
        level, place = divmod(index, len(names))
        return f"{Level(level).name.lower()} {names[place]}"
    if parameter == Parameter.DEPOSIT_CAP:
        return spec.assets()[index]
    if parameter < Parameter.POSITION_CAP:
        return _underlyings(record)[index]
    return spec.instruments[index].name


def _underlyings(record: PoolRecord) -> tuple[str, ...]:
    return tuple(u.name for u in record.spec.underlyings)


def _views(record: PoolRecord) -> Iterator[ParameterView]:
    pool = record.pool
    for parameter in (*Rule, *Parameter):
        for index, value in enumerate(parameter_column(pool, int(parameter)).tolist()):
            yield ParameterView(
                parameter=parameter.name.lower(),
                index=index,
                of=subject(record, parameter, index),
                value=value,
                min=int(pool.bound_min[parameter]),
                max=int(pool.bound_max[parameter]),
                unit=unit_of(parameter, index),
            )


def _pending(record: PoolRecord) -> Iterator[Pending]:
    for k, change in enumerate(record.pool.change.tolist()):
        if change[ChangeField.START_NS]:
            parameter, index = change[ChangeField.PARAMETER], change[ChangeField.INDEX]
            yield Pending(
                change=k,
                parameter=parameter_name(parameter),
                index=index,
                of=subject(record, parameter, index),
                old=change[ChangeField.OLD],
                new=change[ChangeField.NEW],
                start_ms=change[ChangeField.START_NS] // MS_NS,
                ramp_ms=change[ChangeField.RAMP_NS] // MS_NS,
                active=change[ChangeField.ACTIVE] == 1,
            )


def parameters_of(record: PoolRecord, history: list[dict[str, Any]]) -> Parameters:
    """Return all parameters of a pool."""
    return Parameters(
        pool=record.id.hex(),
        version=int(record.pool.total[Total.VERSION]),
        parameters=list(_views(record)),
        pending=list(_pending(record)),
        history=history,
    )
