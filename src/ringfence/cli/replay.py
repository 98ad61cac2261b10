"""`ringfence replay` and `ringfence demo`: a crash, played through a venue."""

import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.live import Live

from ringfence.cli.crash_view import CrashView, summary_view
from ringfence.cli.exits import FINDING, INTERRUPTED, OK, fail, note
from ringfence.cli.interrupt import stoppable
from ringfence.cli.options_view import options_view
from ringfence.cli.output import Json, console, print_json, progress
from ringfence.journal.errors import JournalError
from ringfence.lab.crash import Crash
from ringfence.lab.impact import DEPTH
from ringfence.lab.market import generated_crash
from ringfence.lab.population import PopulationPlan
from ringfence.lab.summary import Summary, summarise
from ringfence.lab.warmup import is_warm, warm_up
from ringfence.oracle.sources.replay import PriceFile
from ringfence.oracle.sources.series import PriceSeries, UnknownSymbolError
from ringfence.oracle.sources.table import PriceFileError

REFRESH_SECONDS = 0.15

Pools = Annotated[int, Parameter(help="Isolated pools to build.")]
Accounts = Annotated[int, Parameter(help="Accounts that come and go in them.")]
Leverage = Annotated[int, Parameter(help="Typical leverage of a position, 1 to 20.")]
OptionPools = Annotated[int, Parameter(help="Pools of options to build besides.")]
Seed = Annotated[int, Parameter(help="Same seed and prices: same journal head.")]
Impact = Annotated[
    bool, Parameter(negative=(), help="Let what is closed by force push the prices.")
]
Depth = Annotated[int, Parameter(help="With --impact: dollars that push a price by 1 %.")]
JournalPath = Annotated[
    Path | None, Parameter(help="Write the journal to this file, to verify it afterwards.")
]


def replay(
    file: Annotated[Path, Parameter(help="Parquet or CSV prices; see docs/price-files.")],
    *,
    symbol: Annotated[
        tuple[str, ...], Parameter(help="Symbols to play, again or with commas; all by default.")
    ] = (),
    day: Annotated[str | None, Parameter(help="Only this day UTC, as 2021-01-11.")] = None,
    pools: Pools = 40,
    accounts: Accounts = 2_000,
    leverage: Leverage = 10,
    option_pools: OptionPools = 4,
    seed: Seed = 1,
    impact: Impact = False,
    depth: Depth = DEPTH,
    journal: JournalPath = None,
    json: Json = False,
) -> int:
    """Run isolated pools through a file of market prices.

    Builds a seeded population of traders, borrowers, makers and lenders in many pools, plays
    the file tick by tick, liquidates whoever falls below maintenance, and proves what stayed
    as it was. Exit code 1 when a wallet or an unaffected pool changed, or the sums of the
    waterfall do not add up.
    """
    names = [name.strip() for text in symbol for name in text.split(",") if name.strip()]
    try:
        series: PriceSeries = PriceFile.open(file, names[0] if len(names) == 1 else None)
        symbols = names or list(series.symbols)
        for name in symbols:
            series.prices(name)
        if day is not None:
            series = series.day(_date(day))
    except (PriceFileError, UnknownSymbolError, ValueError, OSError) as error:
        fail(str(error))
    if any(len(series.prices(name).time_ns) == 0 for name in symbols):
        fail(f"{file} has no prices of {', '.join(symbols)} on {day}")
    return _run(
        series,
        symbols,
        (pools, accounts, leverage, seed, option_pools),
        journal,
        depth=depth if impact else None,
        json=json,
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"--day {text!r} is not a day; write it as 2021-01-11")


def demo(
    *,
    pools: Pools = 40,
    accounts: Accounts = 2_000,
    leverage: Leverage = 10,
    option_pools: OptionPools = 4,
    seed: Seed = 1,
    impact: Impact = False,
    depth: Depth = DEPTH,
    journal: JournalPath = None,
    json: Json = False,
) -> int:
    """Run isolated pools through a generated price crash.

    The prices are generated, not market data: they match public facts of 11 January 2021.
    """
    series = generated_crash(seed)
    return _run(
        series,
        ["BTC", "ETH"],
        (pools, accounts, leverage, seed, option_pools),
        journal,
        depth=depth if impact else None,
        json=json,
    )


def _run(
    series: PriceSeries,
    symbols: list[str],
    numbers: tuple[int, int, int, int, int],
    journal: Path | None,
    *,
    depth: int | None,
    json: bool,
) -> int:
    err = console(sys.stderr)
    if journal is not None and journal.exists():
        fail(f"{journal} exists; a run starts a new journal, so name a new file or remove it")
    if depth is not None and depth <= 0:
        fail(f"--depth is {depth}; it must be a positive number of dollars")
    try:
        plan = PopulationPlan(*numbers)
    except ValueError as error:
        fail(f"--{error}")
    compile_engine()
    path = ":memory:" if journal is None else str(journal)
    try:
        crash = Crash(series, symbols, plan, path, depth=depth)
    except JournalError as error:
        fail(str(error))
    with err.status("Opening accounts ..."):
        crash.set_up()
    _play(crash, err, live=err.is_terminal and not json)
    crash.finish()
    summary = summarise(crash)
    crash.venue.close()
    if json:
        print_json(summary)
    else:
        console(sys.stdout).print(summary_view(summary))
        if summary.options is not None:
            console(sys.stdout).print(options_view(summary.options))
    return _verdict(summary, crash.ticks)


def _verdict(summary: Summary, ticks: int) -> int:
    """Say what is wrong, if anything is, and return the exit code."""
    for problem in summary.problems:
        note(f"ringfence: does not add up: {problem}")
    is_sound = summary.wallets_unchanged and summary.unaffected_pools_unchanged
    if not (is_sound and summary.adds_up):
        return FINDING
    if not summary.is_complete:
        note(f"ringfence: stopped after {summary.ticks:,} of {ticks:,} ticks")
        return INTERRUPTED
    return OK


def compile_engine() -> None:
    """Compile what the main job needs, unless that was done before."""
    if is_warm():
        return
    what = "Compiling the engine, once for this version: about a minute"
    started = time.perf_counter()
    with progress(what) as advance:
        warm_up(lambda done: advance(done, None))
    note(f"Compiled in {time.perf_counter() - started:.0f} s.")


def _play(crash: Crash, err: Console, *, live: bool) -> None:
    """Play until the end, or until Ctrl-C asks to stop after the tick at hand."""
    with stoppable() as is_asked:
        if not live:
            for _ in crash.play():
                if is_asked():
                    return
            return
        view = CrashView(crash, crash.series.description, err.width, err.height)
        drawn = 0.0
        with Live(console=err, auto_refresh=False, transient=True) as screen:
            for _ in crash.play():
                view.note_prices()
                if time.perf_counter() - drawn > REFRESH_SECONDS:
                    drawn = time.perf_counter()
                    screen.update(view.render(), refresh=True)
                if is_asked():
                    return
