"""A price file as a table of plain columns: times in ns, prices as integers.

Knows file formats and nothing of markets. Prices become integers of 1e-9: the whole
part exactly, the fraction times 1e9 to the nearest integer, ties to the even one. So a
decimal number of at most nine places comes back exactly, although the file holds floats:
below 2**23 (8,388,608) a double is off by less than half a price unit, and up to the
limit of every amount (9,007,199) by less than one.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from ringfence.units import AMOUNT_MAX, PRICE_UNIT, SECOND_NS

MISSING = -(2**62)  # a price or time that the file leaves out or that is not a number
TOO_LARGE = 2**62  # a price above the limit of every amount
_NS_MAX = 2**62  # year 2116; beyond, a time is taken for a mistake
_INT_UNITS = (  # (exclusive limit of the largest value, its unit, ns in one)
    (10**11, "s", SECOND_NS),
    (10**14, "ms", 10**6),
    (10**17, "us", 10**3),
    (_NS_MAX, "ns", 1),
)


class PriceFileError(ValueError):
    """A file that cannot be read as prices; the message says what is there instead."""


def read_table(path: Path) -> pa.Table:
    """Read a Parquet file (known by its first four bytes) or else a CSV file."""
    if path.is_dir():
        raise PriceFileError(f"{path}: a folder; name one of the files in it")
    if not path.is_file():
        raise PriceFileError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        # One file, not the folder it lies in: no partition columns from its path.
        table = pa.parquet.ParquetFile(path).read() if is_parquet else pa.csv.read_csv(str(path))
    except (pa.ArrowException, OSError) as error:
        raise PriceFileError(f"{path}: neither Parquet nor CSV: {error}") from error
    if table.num_rows == 0:
        raise PriceFileError(f"{path}: the file has columns but no rows")
    return table


def prices_of(column: pa.ChunkedArray, name: str) -> NDArray[np.int64]:
    """Prices as integers of 1e-9, with MISSING and TOO_LARGE where there is none."""
    kind = column.type
    if pa.types.is_decimal(kind):
        return np.array([_price_of(value) for value in column.to_pylist()], np.int64)
    if pa.types.is_null(kind):
        return np.full(len(column), MISSING)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise PriceFileError(f"column {name!r} holds {kind}, not numbers")
    return _prices_of_floats(column.cast(pa.float64(), safe=False).to_numpy())


def _price_of(value: Decimal | None) -> int:
    if value is None:
        return MISSING
    units = int(value.scaleb(9).to_integral_value(ROUND_HALF_EVEN))
    return units if units <= AMOUNT_MAX else TOO_LARGE


def _prices_of_floats(values: NDArray[np.float64]) -> NDArray[np.int64]:
    is_number = np.isfinite(values)
    largest = float(AMOUNT_MAX // PRICE_UNIT)
    usable = np.where(is_number, np.clip(values, -1.0, largest), 0.0)
    # Exact: no double between two integers is lost by taking the whole part away.
    whole = np.floor(usable)
    fraction = np.rint((usable - whole) * PRICE_UNIT)
    units = whole.astype(np.int64) * PRICE_UNIT + fraction.astype(np.int64)
    units = np.where(is_number & (values >= largest), TOO_LARGE, units)
    return np.where(is_number, units, MISSING)


def times_of(column: pa.ChunkedArray, name: str) -> tuple[NDArray[np.int64], str]:
    """Times in ns since 1970, MISSING where there is none, and the unit they were in.

    Times without a zone are UTC. Numbers are seconds, ms, us or ns by their size: the
    largest tells, for up to the year 5138 the four ranges do not meet. Fractions of a unit
    are rounded to the nearest ns.
    """
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column, kind = _times_of_text(column, name)
    if pa.types.is_date(kind):
        column, kind = column.cast(pa.timestamp("s")), pa.timestamp("s")
    if pa.types.is_timestamp(kind):
        zone = kind.tz or "UTC assumed"
        try:
            instants = column.cast(pa.timestamp("ns", kind.tz)).cast(pa.int64())
        except pa.ArrowException as error:
            raise PriceFileError(f"column {name!r}: {error}") from error
        return _filled(instants), f"{kind.unit} timestamp, {zone}"
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return _times_of_numbers(column, name)
    raise PriceFileError(f"column {name!r} holds {kind}, not times")


def _times_of_text(column: pa.ChunkedArray, name: str) -> tuple[pa.ChunkedArray, pa.DataType]:
    kind = pa.timestamp("ns", "UTC") if _has_zone(column) else pa.timestamp("ns")
    try:
        return column.cast(kind), kind
    except pa.ArrowException as error:
        raise PriceFileError(
            f"column {name!r} is not ISO 8601 such as 2021-01-11T08:30:00Z: {error}"
        ) from error


def _has_zone(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, r"(Z|[+-]\d\d:?\d\d)$")).as_py())


def _times_of_numbers(column: pa.ChunkedArray, name: str) -> tuple[NDArray[np.int64], str]:
    whole, fraction = _split(column, name)
    is_known = whole != MISSING
    known = whole[is_known]
    largest = int(known.max()) if known.size else 0
    for limit, unit, factor in _INT_UNITS:
        if largest < limit:
            out = (known < 0) | (known > _NS_MAX // factor)
            if out.any():
                raise PriceFileError(f"column {name!r}: {known[out][0]} is no time in {unit}")
            parts = np.rint(fraction * factor).astype(np.int64)
            return np.where(is_known, whole * factor + parts, MISSING), f"epoch {unit}"
    raise PriceFileError(f"column {name!r}: {largest} is after the year 2116 even in ns")


def _split(column: pa.ChunkedArray, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Whole part and fraction of numbers; MISSING and 0 where there is none."""
    if pa.types.is_integer(column.type):
        return _filled(column.cast(pa.int64())), np.zeros(len(column))
    values = column.cast(pa.float64()).to_numpy()
    is_number = np.isfinite(values)
    if (np.abs(values[is_number]) >= _NS_MAX).any():
        raise PriceFileError(f"column {name!r} has a time after the year 2116 even in ns")
    whole = np.floor(np.where(is_number, values, 0.0))
    fraction = np.where(is_number, values - whole, 0.0)
    return np.where(is_number, whole.astype(np.int64), MISSING), fraction


def _filled(column: pa.ChunkedArray) -> NDArray[np.int64]:
    filled: NDArray[np.int64] = column.fill_null(MISSING).to_numpy().astype(np.int64)
    return filled


def names_of(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct texts of a column, and for each row which of them; -1 where there is none."""
    encoded = pa.chunked_array([column.cast(pa.string()).combine_chunks()]).dictionary_encode()
    one = encoded.combine_chunks()
    which = one.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return one.dictionary.to_pylist(), which
