"""Files of option quotes: spot, forwards and options of one moment, as a table.

A row is a `spot`, a `forward` or an `option` of an `asset`, as its column `kind` says, with
`bid` and `ask`. Options have implied volatilities in `iv_bid` and `iv_ask`; where these are
missing they follow from the prices, which are in coins where `inverse` is true.
"""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ringfence.oracle.sources.table import MISSING, PriceFileError, names_of, read_table, times_of
from ringfence.pricing import black76
from ringfence.pricing.surface import Quotes
from ringfence.risk.portfolio.quoted import CoinQuotes
from ringfence.risk.portfolio.terms import YEAR
from ringfence.units import SECOND_NS

NEEDED = ("asset", "asof", "kind", "expiry", "strike", "option_type", "bid", "ask")
KINDS = ("spot", "forward", "option")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Columns(NamedTuple):
    """A file's columns, all [row]."""

    asset: NDArray[np.str_]
    kind: NDArray[np.str_]
    option_type: NDArray[np.str_]
    asof: Ints  # ns
    expiry: Ints  # ns
    strike: Floats
    bid: Floats
    ask: Floats
    iv_bid: Floats
    iv_ask: Floats
    inverse: NDArray[np.bool_]

    def at(self, chosen: Any) -> "Columns":
        """Return some of the rows."""
        return Columns(*(column[chosen] for column in self))


def read_quotes(path: Path) -> dict[str, CoinQuotes]:
    """Read a Parquet or CSV file of quotes; what is quoted of each coin.

    Raises:
        PriceFileError: The file is none, or lacks what a market needs.
    """
    columns = _columns(read_table(path), path)
    unknown = sorted(set(columns.kind) - set(KINDS))
    if unknown:
        raise PriceFileError(f"{path}: kind is {str(unknown[0])!r}; write {', '.join(KINDS)}")
    return {
        str(asset): _coin(columns.at(columns.asset == asset), f"{path}: {asset}")
        for asset in dict.fromkeys(columns.asset)
    }


def _columns(table: pa.Table, path: Path) -> Columns:
    lower = {name.lower(): table.column(name) for name in table.column_names}
    missing = [name for name in NEEDED if name not in lower]
    if missing:
        raise PriceFileError(f"{path}: column {missing[0]!r} is missing; a file of quotes has it")

    def texts(name: str) -> NDArray[np.str_]:
        names, which = names_of(lower[name])
        return np.array([*names, ""], dtype=np.str_)[which]

    def numbers(name: str) -> Floats:
        if name not in lower:
            return np.full(table.num_rows, np.nan)
        try:
            return lower[name].cast(pa.float64()).fill_null(np.nan).to_numpy()
        except pa.ArrowException as error:
            raise PriceFileError(f"{path}: column {name!r}: {error}") from error

    if "inverse" in lower:
        inverse = np.array([bool(x) for x in lower["inverse"].to_pylist()], dtype=np.bool_)
    else:
        inverse = np.zeros(table.num_rows, dtype=np.bool_)
    return Columns(
        asset=texts("asset"),
        kind=texts("kind"),
        option_type=texts("option_type"),
        asof=times_of(lower["asof"], "asof")[0],
        expiry=times_of(lower["expiry"], "expiry")[0],
        strike=numbers("strike"),
        bid=numbers("bid"),
        ask=numbers("ask"),
        iv_bid=numbers("iv_bid"),
        iv_ask=numbers("iv_ask"),
        inverse=inverse,
    )


def _coin(rows: Columns, where: str) -> CoinQuotes:
    spot = rows.at(rows.kind == "spot")
    if not len(spot.bid):
        raise PriceFileError(f"{where}: there is no row of kind 'spot'")
    asof = int(rows.asof[0])
    if asof == MISSING:
        raise PriceFileError(f"{where}: the time 'asof' is missing")
    forwards = rows.at(rows.kind == "forward")
    options = rows.at(rows.kind == "option")
    strays = sorted(set(options.option_type) - {"call", "put"})
    if strays:
        raise PriceFileError(f"{where}: option_type is {str(strays[0])!r}; write call or put")
    order = np.argsort(forwards.expiry)
    names = _names(forwards.expiry[order])
    expiries = {}
    for name, f in zip(names, order, strict=True):
        ahead = int(forwards.expiry[f]) - asof
        if ahead > 0:  # what has expired is of no more use
            middle = float(0.5 * (forwards.bid[f] + forwards.ask[f]))
            mine = options.at(options.expiry == forwards.expiry[f])
            expiries[name] = _quotes(mine, ahead / SECOND_NS / YEAR, middle)
    return CoinQuotes(float(0.5 * (spot.bid[0] + spot.ask[0])), expiries)


def _names(expiries: Ints) -> list[str]:
    """Dates, with the time of day where two expiries are on one."""
    days = [str(t)[:10] for t in expiries.astype("datetime64[ns]")]
    minutes = [str(t)[:16] for t in expiries.astype("datetime64[ns]")]
    often = Counter(days)
    return [d if often[d] == 1 else m for d, m in zip(days, minutes, strict=True)]


def _quotes(options: Columns, time: float, forward: float) -> Quotes:
    unit = np.where(options.inverse, forward, 1.0)
    is_call = options.option_type == "call"

    def volatility(stated: Floats, price: Floats) -> Floats:
        terms = (forward, options.strike, time, is_call)
        implied: Floats = np.asarray(black76.implied_volatility(price * unit, *terms))
        return np.where(np.isfinite(stated), stated, implied)

    bid = volatility(options.iv_bid, options.bid)
    return Quotes(time, forward, options.strike, bid, volatility(options.iv_ask, options.ask))
