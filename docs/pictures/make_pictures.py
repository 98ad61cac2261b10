# noqa: INP001 - a script, not a package
"""Draws the pictures of the documentation from the product itself.

    python docs/pictures/make_pictures.py

plays `ringfence demo` once and keeps what its live view shows after the minute in which
most was closed by force.
"""

import io
from pathlib import Path

from rich.console import Console, Group
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from ringfence.cli.crash_view import CrashView
from ringfence.lab.crash import Crash
from ringfence.lab.market import generated_crash
from ringfence.lab.population import PopulationPlan
from ringfence.lab.warmup import warm_up

FOLDER = Path(__file__).parent
COLUMNS, LINES = 80, 24
OPTION_POOLS = 4  # as `ringfence demo` has them
THEME = TerminalTheme(
    (255, 255, 255),
    (31, 35, 40),
    [
        (31, 35, 40),
        (207, 34, 46),
        (17, 99, 41),
        (149, 95, 0),
        (9, 105, 218),
        (130, 80, 223),
        (27, 124, 131),
        (110, 119, 129),
    ],
)
# Rich's own frame would load its font from the network; this one takes the reader's.
FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>The live view of ringfence demo in its worst minute</title>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
<rect width="{width}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de" />
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def still(view: CrashView) -> Group:
    """Return a live view without its first line's last figure, the speed of this machine."""
    rendered = view.render()
    assert isinstance(rendered, Group)
    clock, *lower = rendered.renderables
    assert isinstance(clock, Text)
    return Group(Text(clock.plain.rpartition("   ")[0]), *lower)


def worst_minute() -> Group:
    """Return the live view after the tick of the demo that closed most by force."""
    series = generated_crash(1)
    crash = Crash(series, ["BTC", "ETH"], PopulationPlan(option_pools=OPTION_POOLS), ":memory:")
    crash.set_up()
    view = CrashView(crash, "generated crash, seed 1", COLUMNS, LINES)
    worst, before, most = still(view), 0, 0
    for _ in crash.play():
        view.note_prices()
        closed = crash.paid().closed
        if closed - before > most:
            worst, most = still(view), closed - before
        before = closed
    crash.venue.close()
    return worst


def drawn(view: Group) -> str:
    """Return a view as an SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(view)
    return console.export_svg(theme=THEME, code_format=FRAME, unique_id="demo", title="")


def main() -> None:
    """Draw every picture."""
    warm_up()
    (FOLDER / "demo.svg").write_text(drawn(worst_minute()), encoding="utf-8")


if __name__ == "__main__":
    main()
