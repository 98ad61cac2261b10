"""The command `margin`: what a portfolio needs under a margin model, from one file."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from ringfence.cli.exits import fail
from ringfence.cli.opening import content_of
from ringfence.cli.output import Json, console, pairs, print_json, printable, table
from ringfence.risk.portfolio import PRESETS, PortfolioError, read, simulate
from ringfence.risk.portfolio.report import (
    Addition,
    Greeks,
    LegGreeks,
    MarginReport,
    ScenarioResult,
    UnderlyingResult,
)

STANDARD_INPUT = Path("-")
COLUMNS = ("up", "none", "down")  # of the matrix: shocks of volatility
BLOCKS = "▁▂▃▄▅▆▇█"


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
    json: Json = False,
) -> None:
    """Show what a portfolio needs, its worst scenario, Greeks and liquidation prices."""
    is_typed = portfolio == STANDARD_INPUT
    content = sys.stdin.buffer.read() if is_typed else content_of(portfolio)
    try:
        report = simulate(*read(content.decode(), model))
    except UnicodeDecodeError as error:
        fail(f"{portfolio}: it is no text in UTF-8 ({error}); save it as UTF-8")
    except PortfolioError as error:
        fail(f"{portfolio}: {error}")
    if json:
        print_json(report)
    else:
        show(report)


def show(report: MarginReport) -> None:
    """Print a report for people."""
    _show_levels(report)
    for found in report.underlyings:
        _show_underlying(found)
    _show_greeks(report.greeks)
    _show_liquidation(report)
    for trade in report.trades:
        _show_trade(trade)


def number(value: float | None, digits: int = 2) -> str | None:
    """Return a number with separators; None stays unknown."""
    if value is None:
        return None
    # Adding zero turns -0.0, which would read as a loss, into 0.0.
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def _show_levels(report: MarginReport) -> None:
    equity, health = report.equity, report.health
    rows = []
    for name, level in report.levels.items():
        parts = level.contingencies
        extras = (parts.options, parts.perpetuals, parts.collateral, parts.confidence, parts.peg)
        figures = (level.requirement, level.excess, level.loss, level.delta_floor, *extras)
        rows.append((name, *(number(figure) for figure in figures)))
    columns = ("level", "requirement", "excess", "loss", "delta floor")
    extra_columns = ("options", "perpetuals", "collateral", "confidence", "peg")
    table((*columns, *extra_columns), rows, title=f"margin by the model {report.model}")
    pairs(
        [
            ("equity", number(equity.total)),
            ("  cash", number(equity.cash)),
            ("  collateral", number(equity.collateral)),
            ("  perpetuals", number(equity.perpetuals)),
            ("  options", number(equity.options)),
            ("health factor", number(health.health_factor, 4) or health.health_reason),
            ("margin usage", number(health.margin_usage, 4) or health.usage_reason),
        ]
    )


def _show_underlying(found: UnderlyingResult) -> None:
    rows = [
        (m.expiry, m.level, number(m.isolated), number(m.bounded), number(m.margin))
        for m in found.expiries
    ]
    if rows:
        title = f"{found.underlying}: margin of each expiry"
        table(("expiry", "level", "on its own", "largest loss", "counts"), rows, title=title)
    if not found.scenarios:
        return
    drawn = matrix(found)
    if drawn is not None:
        console(sys.stdout).print(drawn)
    others = [r for r in found.scenarios if not _is_in_matrix(r)]
    table(
        ("scenario", "profit"),
        [(r.name, number(r.profit)) for r in others] + [("basis contingency", number(found.basis))],
        title=f"{found.underlying}: further scenarios",
    )
    pairs([(f"{found.underlying}: worst scenario", found.worst or "none loses")])
    pairs([(f"{found.underlying}: worst profit", number(found.worst_profit))])


def _is_in_matrix(row: ScenarioResult) -> bool:
    return row.dampening == 1 and row.volatility in COLUMNS


def matrix(found: UnderlyingResult) -> Table | None:
    """Profit by moves of spot (rows) and of volatility; bars show its size, colours its sign."""
    cells = {
        (row.spot_move, row.volatility): row.profit for row in found.scenarios if _is_in_matrix(row)
    }
    moves = sorted({move for move, _ in cells}, reverse=True)
    if not moves:
        return None
    largest = max(abs(profit) for profit in cells.values())
    drawn = Table(
        title=f"{found.underlying}: profit by moves of spot and volatility",
        title_justify="left",
        title_style="bold",
    )
    drawn.add_column("spot", justify="right")
    drawn.add_column("price", justify="right")
    for name in COLUMNS:
        drawn.add_column(f"volatility {name}", justify="right")
    for move in moves:
        profits = (cells.get((move, name)) for name in COLUMNS)
        price = printable(number(found.spot * (1 + move)))
        drawn.add_row(f"{100 * move:+.4g} %", price, *(_cell(p, largest) for p in profits))
    return drawn


def _cell(profit: float | None, largest: float) -> Text:
    if profit is None:
        return Text("-")
    share = abs(profit) / largest if largest else 0.0
    block = BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]
    style = "red" if profit < 0 else "green"
    return Text.assemble((printable(number(profit)), style), " ", (block, style))


def _show_greeks(greeks: Greeks) -> None:
    columns = ("leg", "size", "value", "delta", "delta cash", "gamma", "gamma cash 1 %")
    title = "Greeks: cash per 1.00 of volatility, per day, per 1.00 of rate"
    rows = [_greeks_row(leg) for leg in (*greeks.legs, *greeks.totals)]
    if rows:
        table((*columns, "vega", "theta", "rho"), rows, title=title)


def _greeks_row(leg: LegGreeks) -> tuple[str | None, ...]:
    return (
        f"{leg.underlying} total" if leg.size is None else leg.leg,
        number(leg.size, 4),
        number(leg.value),
        number(leg.delta, 4),
        number(leg.delta_cash),
        number(leg.gamma, 6),
        number(leg.gamma_cash),
        number(leg.vega),
        number(leg.theta),
        number(leg.rho),
    )


def _show_liquidation(report: MarginReport) -> None:
    rows = [
        (
            found.underlying,
            number(found.spot),
            number(found.lower) or found.lower_reason,
            _percent(found.lower_distance),
            number(found.upper) or found.upper_reason,
            _percent(found.upper_distance),
        )
        for found in report.liquidation
    ]
    columns = ("underlying", "spot", "below", "distance", "above", "distance")
    if rows:
        table(columns, rows, title="liquidated where spot is")


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:+.2f} %"


def _show_trade(trade: Addition) -> None:
    rows = [
        (
            change.level,
            number(change.before.requirement),
            number(change.after.requirement),
            number(change.requirement),
            number(change.before.excess),
            number(change.after.excess),
            number(change.excess),
        )
        for change in trade.changes
    ]
    columns = ("level", "requirement", "after", "change", "excess", "after", "change")
    title = f"trade: {trade.size:g} of {trade.leg} at {number(trade.price)}"
    table(columns, rows, title=title)
    limit = number(trade.size_max, 6) or trade.size_reason
    reason = f" ({trade.size_reason})" if trade.size_max is not None and trade.size_reason else ""
    pairs([("largest size that keeps initial margin", f"{limit}{reason}")])
