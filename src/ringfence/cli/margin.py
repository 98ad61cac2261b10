"""The command `margin`: what a portfolio needs under a margin model, from one file."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringfence.cli.exits import fail
from ringfence.cli.margin_view import show
from ringfence.cli.opening import content_of
from ringfence.cli.output import Json, print_json
from ringfence.risk.portfolio import PRESETS, PortfolioError, read, simulate, trade_of

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
        asked = read(content.decode(), model)
        trades = (*asked.trades, *(trade_of(text, asked.market) for text in trade or ()))
        report = simulate(*asked[:3], trades, outlook=True)
    except UnicodeDecodeError as error:
        fail(f"{portfolio}: it is no text in UTF-8 ({error}); save it as UTF-8")
    except PortfolioError as error:
        fail(f"{portfolio}: {error}")
    if json:
        print_json(report)
    else:
        show(report)
