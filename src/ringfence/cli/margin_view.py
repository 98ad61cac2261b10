"""What people see of a margin report, within 80 columns: tables, curves and matrices."""

import sys

from rich.table import Table
from rich.text import Text

from ringfence.cli.drawing import HATCH, WIDTH, Line, axis, legend, plot, zones
from ringfence.cli.output import console, empty_table, pairs, printable, table
from ringfence.risk.portfolio.report import (
    Addition,
    Cell,
    Curve,
    Greeks,
    LegGreeks,
    MarginReport,
    Matrix,
    Outlook,
    Point,
    ScenarioResult,
    UnderlyingResult,
)

COLUMNS = ("up", "none", "down")  # of the scenario matrix: shocks of volatility
BLOCKS = "▁▂▃▄▅▆▇█"
HEALTH_HIGH = 4.0  # top of the health curve
HEALTH_SHOWN = 10.0  # a larger factor is only called larger
NARROW = 1.2  # a health factor below is close to liquidation


def show(report: MarginReport) -> None:
    """Print a report for people."""
    _show_levels(report)
    for found in report.underlyings:
        _show_expiries(found)
    _show_liquidation(report)
    _show_greeks(report.greeks)
    if report.outlook is not None:
        _show_outlook(report.outlook)
    for found in report.underlyings:
        _show_scenarios(found)
    for trade in report.trades:
        _show_trade(trade)


def number(value: float | None, digits: int = 2) -> str | None:
    """Return a number with separators; None stays unknown."""
    if value is None:
        return None
    # Adding zero turns -0.0, which would read as a loss, into 0.0.
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share + 0.0:+.2f} %"


def _show_levels(report: MarginReport) -> None:
    equity, standing = report.equity, report.health
    pairs(
        [
            ("equity", number(equity.total)),
            ("  cash", number(equity.cash)),
            ("  collateral", number(equity.collateral)),
            ("  perpetuals", number(equity.perpetuals)),
            ("  options", number(equity.options)),
            ("health factor", number(standing.health_factor, 4) or standing.health_reason),
            ("margin usage", number(standing.margin_usage, 4) or standing.usage_reason),
        ]
    )
    levels = report.levels
    figures: dict[str, list[float]] = {
        "requirement": [level.requirement for level in levels.values()],
        "excess": [level.excess for level in levels.values()],
        "loss": [level.loss for level in levels.values()],
        "delta floor": [level.delta_floor for level in levels.values()],
    }
    for name in ("options", "perpetuals", "collateral", "confidence", "peg"):
        extra = [float(getattr(level.contingencies, name)) for level in levels.values()]
        if any(extra):
            figures[f"+ {name}"] = extra
    rows = [(name, *(number(value) for value in row)) for name, row in figures.items()]
    table(("level", *levels), rows, title=f"margin by the model {report.model}")


def _show_expiries(found: UnderlyingResult) -> None:
    rows = [
        (m.expiry, m.level, number(m.isolated), number(m.bounded), number(m.margin))
        for m in found.expiries
    ]
    if rows:
        title = f"{found.underlying}: margin of each expiry"
        table(("expiry", "level", "on its own", "largest loss", "counts"), rows, title=title)


def _show_liquidation(report: MarginReport) -> None:
    for found in report.liquidation:
        sides = (
            ("below", found.lower, found.lower_distance, found.lower_reason),
            ("above", found.upper, found.upper_distance, found.upper_reason),
        )
        rows = [
            (
                f"  liquidated {side}",
                f"{number(price)} ({_percent(distance)})" if price else reason,
            )
            for side, price, distance, reason in sides
        ]
        pairs([(printable(found.underlying), f"spot is {number(found.spot)}"), *rows])


def _show_greeks(greeks: Greeks) -> None:
    rows = [_greeks_row(leg) for leg in (*greeks.legs, *greeks.totals)]
    if not rows:
        return
    title = "Greeks: delta and gamma in coins, cash per 1.00 of volatility and per day"
    columns = ("leg", "size", "value", "delta", "gamma", "vega", "theta")
    table(columns, rows, title=title, is_dense=True)
    names = ("in cash", "delta", "gamma, 1 %", "vega, 1 point", "theta, day", "rho, 1 point")
    in_cash = []
    for leg in greeks.totals:
        figures = (leg.delta_cash, leg.gamma_cash, leg.vega / 100, leg.theta, leg.rho / 100)
        in_cash.append((leg.underlying, *(number(figure) for figure in figures)))
    table(names, in_cash, is_dense=True)


def _greeks_row(leg: LegGreeks) -> tuple[str | None, ...]:
    return (
        f"{leg.underlying} total" if leg.size is None else leg.leg,
        None if leg.size is None else f"{leg.size:,.6g}",
        number(leg.value),
        number(leg.delta, 4),
        number(leg.gamma, 6),
        number(leg.vega),
        number(leg.theta),
    )


def _show_outlook(outlook: Outlook) -> None:
    rows = [
        (
            cost.move if cost.underlying is None else f"{cost.move}, {cost.underlying} alone",
            number(cost.profit),
            _percent(cost.share),
            number(cost.health_factor, 4),
        )
        for cost in outlook.costs
    ]
    title = f"what a move does to collateral of {number(outlook.collateral)}"
    table(("move", "profit", "of collateral", "health factor"), rows, title=title, is_dense=True)
    for curve in outlook.curves:
        for line in [*payoff(curve), *health(curve)]:
            console(sys.stdout).print(line, no_wrap=True)
    for found in outlook.matrices:
        console(sys.stdout).print(stress(found))


def payoff(curve: Curve) -> list[Text]:
    """Draw profit over spot, now and at expiry; hatched below where it is liquidated."""
    lines = [Line("now", [p.profit for p in curve.now], "cyan")]
    if curve.at_expiry:
        name = printable(f"at {curve.expiry}")
        lines.append(Line(name, [p.profit for p in curve.at_expiry], "yellow", is_dashed=True))
    values = [value for line in lines for value in line.values if value is not None]
    low, high = min(*values, 0.0), max(*values, 0.0)
    if high - low < 1e-9:
        low, high = -1.0, 1.0  # nothing moves: a flat line in the middle
    labels = (_short(low), "0", _short(high))
    picture = plot(lines, low=low, high=high, level=0.0, labels=labels)
    title = Text(printable(f"{curve.underlying}: profit over the spot price"), "bold")
    return [title, *picture, *_below(curve.now, lines)]


def health(curve: Curve) -> list[Text]:
    """Draw the health factor over spot, now and at expiry, and where it is 1."""
    lines = [Line("now", [p.health_factor for p in curve.now], "cyan")]
    if curve.at_expiry:
        factors = [p.health_factor for p in curve.at_expiry]
        name = printable(f"at {curve.expiry}")
        lines.append(Line(name, factors, "yellow", is_dashed=True))
    labels = ("0", "1", f"{HEALTH_HIGH:g}")
    picture = plot(lines, low=0.0, high=HEALTH_HIGH, level=1.0, labels=labels, size=(WIDTH, 8))
    title = Text(printable(f"{curve.underlying}: health factor over the spot price"), "bold")
    return [title, *picture, *_below(curve.now, lines)]


def _below(points: tuple[Point, ...], lines: list[Line]) -> list[Text]:
    prices = [points[0].spot, points[len(points) // 2].spot, points[-1].spot]
    is_liquidated = [point.excess < 0 for point in points]
    names = legend(lines)
    if any(is_liquidated):
        names.append(f"{HATCH} liquidated now", "bold red")
    return [zones(is_liquidated), axis([_short(price) for price in prices]), names]


def _short(value: float) -> str:
    """Write a number within ten characters."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= limit:
            return f"{value / limit:.4g}{unit}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def stress(found: Matrix) -> Table:
    """Profit and health by spot (rows) and volatility; `!` marks what is liquidated."""
    moves = list(dict.fromkeys(cell.spot_move for cell in found.cells))
    changes = list(dict.fromkeys(cell.volatility_move for cell in found.cells))
    title = f"{found.underlying}: profit and health factor by moves of spot and volatility"
    drawn = empty_table(printable(title), is_dense=True)
    drawn.add_column("spot", justify="right")
    for change in changes:
        drawn.add_column(f"vol {100 * change:+g} %" if change else "vol now", justify="right")
    cells = {(cell.spot_move, cell.volatility_move): cell for cell in found.cells}
    for move in moves:
        row = (_stressed(cells[move, change]) for change in changes)
        drawn.add_row(f"{100 * move:+g} %" if move else "now", *row)
    return drawn


def _stressed(cell: Cell) -> Text:
    factor = cell.health_factor
    is_lost = cell.excess < 0
    style = "yellow" if factor is not None and factor < NARROW else "green"
    shown = "-" if factor is None else f"{factor:.2f}"
    if factor is not None and factor >= HEALTH_SHOWN:
        shown = f">{HEALTH_SHOWN:g}"
    profit = (_short(cell.profit + 0.0), "red" if cell.profit < 0 else "green")
    mark = ("!" if is_lost else " ", "bold red")
    return Text.assemble(profit, mark, (f"{shown:>4}", "bold white on red" if is_lost else style))


def _show_scenarios(found: UnderlyingResult) -> None:
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
        is_dense=True,
    )
    pairs([(f"{found.underlying}: worst scenario", found.worst or "none loses")])
    pairs([(f"{found.underlying}: worst profit", number(found.worst_profit))])


def _is_in_matrix(row: ScenarioResult) -> bool:
    return row.dampening == 1 and row.volatility in COLUMNS


def matrix(found: UnderlyingResult) -> Table | None:
    """Profit in the model's scenarios; bars show its size, colours its sign."""
    cells = {
        (row.spot_move, row.volatility): row.profit for row in found.scenarios if _is_in_matrix(row)
    }
    moves = sorted({move for move, _ in cells}, reverse=True)
    if not moves:
        return None
    largest = max(abs(profit) for profit in cells.values())
    title = printable(f"{found.underlying}: profit in the scenarios of the model")
    drawn = empty_table(title, is_dense=True)
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
    table(columns, rows, title=printable(title), is_dense=True)
    limit = number(trade.size_max, 6) or trade.size_reason
    reason = f" ({trade.size_reason})" if trade.size_max is not None and trade.size_reason else ""
    pairs([("largest size that keeps initial margin", f"{limit}{reason}")])
