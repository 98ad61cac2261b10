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
from ringfence.cli.exits import FINDING, OK, fail
from ringfence.cli.options_view import options_view
from ringfence.cli.output import Json, console, print_json
from ringfence.journal.errors import JournalError
from ringfence.lab.crash import Crash
from ringfence.lab.market import generated_crash
from ringfence.lab.population import PopulationPlan
from ringfence.lab.summary import summarise
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
    journal: JournalPath = None,
    json: Json = False,
) -> int:
    """Run isolated pools through a file of market prices.

    Builds a seeded population of traders, borrowers, makers and lenders in many pools, plays
    the file tick by tick, liquidates whoever falls below maintenance, and proves what stayed
    as it was. Exit code 1 when a wallet or an unaffected pool changed.
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
        series, symbols, (pools, accounts, leverage, seed, option_pools), journal, json=json
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
    journal: JournalPath = None,
    json: Json = False,
) -> int:
    """Run isolated pools through a generated price crash.

    The prices are generated, not market data: they match public facts of 11 January 2021.
    """
    series = generated_crash(seed)
    return _run(
        series, ["BTC", "ETH"], (pools, accounts, leverage, seed, option_pools), journal, json=json
    )


def _run(
    series: PriceSeries,
    symbols: list[str],
    numbers: tuple[int, int, int, int, int],
    journal: Path | None,
    *,
    json: bool,
) -> int:
    err = console(sys.stderr)
    if journal is not None and journal.exists():
        fail(f"{journal} exists; a run starts a new journal, so name a new file or remove it")
    try:
        plan = PopulationPlan(*numbers)
    except ValueError as error:
        fail(f"--{error}")
    _compile(err)
    try:
        crash = Crash(series, symbols, plan, ":memory:" if journal is None else str(journal))
    except JournalError as error:
        fail(str(error))
    with err.status("Opening accounts ..."):
        crash.set_up()
    _play(crash, err, live=err.is_terminal and not json)
    summary = summarise(crash)
    crash.venue.close()
    if json:
        print_json(summary)
    else:
        console(sys.stdout).print(summary_view(summary))
        if summary.options is not None:
            console(sys.stdout).print(options_view(summary.options))
    is_sound = summary.wallets_unchanged and summary.unaffected_pools_unchanged
    return OK if is_sound else FINDING


def _compile(err: Console) -> None:
    if is_warm():
        return
    with err.status("Compiling the engine, once for this version: up to a minute ..."):
        started = time.perf_counter()
        if not err.is_terminal:
            err.print("Compiling the engine, once for this version: up to a minute ...")
        warm_up()
    err.print(f"Compiled in {time.perf_counter() - started:.0f} s.")


def _play(crash: Crash, err: Console, *, live: bool) -> None:
    if not live:
        for _ in crash.play():
            pass
        return
    view = CrashView(crash, crash.series.description[:60])
    drawn = 0.0
    with Live(console=err, auto_refresh=False, transient=True) as screen:
        for _ in crash.play():
            view.note_prices()
            if time.perf_counter() - drawn > REFRESH_SECONDS:
                drawn = time.perf_counter()
                screen.update(view.render(), refresh=True)
