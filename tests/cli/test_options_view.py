"""What people see of option pools after a run: every structure, within 80 columns."""

import io

from rich.console import Console

from ringfence.cli.options_view import options_view
from ringfence.lab.options import OptionsSummary, StructureSummary
from ringfence.lab.structures import KINDS


def test_every_structure_and_the_market_are_shown_within_eighty_columns():
    summary = OptionsSummary(
        pools=4,
        options=120,
        valuations=1234,
        expired=40,
        volatility={"ETH": "0.8000 to 1.0572"},
        open_interest="664324.84",
        structures={kind: StructureSummary(50, 48, k) for k, kind in enumerate(KINDS)},
    )
    shown = io.StringIO()
    Console(file=shown, width=80).print(options_view(summary))
    lines = shown.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    for k, kind in enumerate(KINDS):
        (row,) = (line.split() for line in lines if line.strip().startswith(kind))
        assert row[-3:] == ["50", "48", str(k)]
    assert "120 options in 4 pools, 40 of them settled" in shown.getvalue()
    assert "1,234 times" in shown.getvalue()
