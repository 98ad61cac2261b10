"""The command `margin`: what a portfolio needs under a margin model, from one file."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringfence.cli.exits import fail
from ringfence.cli.margin_view import show
from ringfence.cli.opening import content_of
from ringfence.cli.output import Json, print_json
from ringfence.lab.quotes import read_quotes
from ringfence.oracle.sources.table import PriceFileError
from ringfence.risk.portfolio import (
    PRESETS,
    PortfolioError,
    Question,
    QuotedMarket,
    quoted_market,
    read,
    simulate,
    trade_of,
)

STANDARD_INPUT = Path("-")


def margin(
    portfolio: Annotated[
        Path,
        Parameter(allow_leading_hyphen=True, help="TOML file; - for standard input."),
    ],
    *,
    model: Annotated[
        str | None,
        Parameter(help=f"Model instead of the file's: {', '.join(PRESETS)}."),
    ] = None,
    market: Annotated[
        Path | None,
        Parameter(help="Parquet or CSV file of option quotes, instead of the file's [market]."),
    ] = None,
    trade: Annotated[
        list[str] | None,
        Parameter(
            negative_iterable=(),
            help='Ask what it changes and how much of it fits: "ETH perpetual -2".',
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show what a portfolio needs, its worst scenario, Greeks and liquidation prices."""
    is_typed = portfolio == STANDARD_INPUT
    content = sys.stdin.buffer.read() if is_typed else content_of(portfolio)
    try:
        report = simulate(*_asked(content.decode(), model, market, trade or []), outlook=True)
    except UnicodeDecodeError as error:
        fail(f"{portfolio}: it is no text in UTF-8 ({error}); save it as UTF-8")
    except PortfolioError as error:
        fail(f"{portfolio}: {error}")
    if json:
        print_json(report)
    else:
        show(report)


def _asked(text: str, model: str | None, market: Path | None, trades: list[str]) -> Question:
    """Return what is asked, with volatilities of a surface where the market is quoted."""
    quoted = None if market is None else _quoted(market)
    asked = read(text, model, None if quoted is None else quoted.market)
    more = tuple(trade_of(line, asked.market) for line in trades)
    asked = asked._replace(trades=(*asked.trades, *more))
    if quoted is None:
        return asked
    return asked._replace(
        portfolio=quoted.with_volatilities(asked.portfolio), trades=quoted.traded(asked.trades)
    )


def _quoted(path: Path) -> QuotedMarket:
    try:
        return quoted_market(read_quotes(path))
    except PriceFileError as error:
        fail(str(error))
    except PortfolioError as error:
        fail(f"{path}: {error}")
