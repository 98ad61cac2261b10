"""What people see of a run's option pools."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ringfence.cli.output import empty_table, printable
from ringfence.lab.options import OptionsSummary


def options_view(summary: OptionsSummary) -> RenderableType:
    """Structures and what became of their holders, and what the market did to the pools."""
    drawn: Table = empty_table("options", is_dense=True)
    drawn.add_column("structure")
    for name in ("accounts", "opened", "liquidated"):
        drawn.add_column(name, justify="right")
    for kind, found in summary.structures.items():
        drawn.add_row(kind, *(str(n) for n in (found.accounts, found.opened, found.liquidated)))
    levels = "; ".join(f"{name} {text}" for name, text in summary.volatility.items())
    return Group(
        drawn,
        Text(
            f"{summary.options} options in {summary.pools} pools, {summary.expired} of them settled"
        ),
        Text(f"valued {summary.valuations:,} times, at volatilities of {printable(levels)}"),
        Text(f"open interest at the end {printable(summary.open_interest)}"),
    )
