"""The command `serve`: a venue behind HTTP, a stream and a dashboard."""

import os
import secrets
import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringfence.cli.exits import OK, fail, note
from ringfence.cli.opening import refusals
from ringfence.cli.output import Json, console, print_json_line, say
from ringfence.cli.replay import (
    Accounts,
    Leverage,
    OptionPools,
    Pools,
    Seed,
    compile_engine,
)
from ringfence.journal.errors import JournalError
from ringfence.lab.crash import Crash
from ringfence.lab.market import generated_crash
from ringfence.lab.playback import Playback
from ringfence.lab.pools import SETTLEMENT
from ringfence.lab.population import PopulationPlan
from ringfence.oracle.sources.replay import PriceFile
from ringfence.oracle.sources.series import PriceSeries, UnknownSymbolError
from ringfence.oracle.sources.table import PriceFileError
from ringfence.service.desk import Desk
from ringfence.service.schema import Source
from ringfence.service.serving import address_of, bound
from ringfence.service.serving import serve as serve_desk
from ringfence.service.writer import Writer
from ringfence.signing.demo import demo_key
from ringfence.signing.keys import SigningKey
from ringfence.signing.typed import Domain
from ringfence.units import MS_NS
from ringfence.venue.venue import Venue

DEMO = "demo"
DEMO_STEP_SECONDS = 15  # at a speed of 60, four prices a second
CHAIN_ID = 31_337  # of no public chain
SECRET = "RINGFENCE_SECRET"  # noqa: S105 - the name of a variable, not a secret
RECEIPT_KEY = "RINGFENCE_RECEIPT_KEY"
SPEED_MAX = 100_000
FAUCET = {SETTLEMENT: "100000"}


def serve(
    *,
    journal: Annotated[
        Path | None, Parameter(help="File of the journal; a replay needs a new one.")
    ] = None,
    replay: Annotated[
        str | None, Parameter(help="Price file to play, or `demo` for a generated crash.")
    ] = None,
    symbol: Annotated[tuple[str, ...], Parameter(help="Symbols of the file; all by default.")] = (),
    speed: Annotated[float, Parameter(help="Times as fast as the prices were.")] = 60,
    loop: Annotated[
        bool | None,
        Parameter(help="At the end play backwards, then forwards, and so on; demo does."),
    ] = None,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8080,
    allow_host: Annotated[
        tuple[str, ...], Parameter(help="Further names that requests may be addressed to.")
    ] = (),
    limit_loopback: Annotated[
        bool, Parameter(negative=(), help="Count requests from this machine, too.")
    ] = False,
    admin: Annotated[
        str | None, Parameter(help="Address of the first admin's key; makes signing possible.")
    ] = None,
    pools: Pools = 40,
    accounts: Accounts = 2_000,
    leverage: Leverage = 10,
    option_pools: OptionPools = 2,
    seed: Seed = 1,
    json: Json = False,
) -> int:
    """Serve a venue over HTTP and WebSocket, with a dashboard, until interrupted.

    Without --replay there are no prices but those that an oracle's key signs.
    """
    _check_speed(speed)
    secret, receipt_key = _secret(), _receipt_key()
    with closing(_listening(host, port)) as listener, refusals():
        if replay is None:
            writer, source = _plain(journal)
        else:
            plan = _plan(pools, accounts, leverage, seed, option_pools)
            writer, source = _replayed(replay, symbol, plan, journal, speed, loop=loop)
        with writer.venue as venue:
            _found(venue, admin, is_replay=replay is not None)
            desk = Desk(writer, source, secret, receipt_key)
            hosts = (*allow_host, host)
            _run(desk, listener, hosts, limit_loopback=limit_loopback, json=json)
    return OK


def _check_speed(speed: float) -> None:
    if not 0 < speed <= SPEED_MAX:
        fail(f"--speed is {speed:g}; it must be above 0 and at most {SPEED_MAX}")


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens, or the end of the program."""
    if not 0 <= port < 65_536:
        fail(f"--port is {port}; it must be from 0 to 65535")
    try:
        return bound(host, port)
    except OSError as error:
        fail(f"cannot listen on {host} port {port}: {error}; give another --port")


def _replayed(
    replay: str,
    symbol: tuple[str, ...],
    plan: PopulationPlan,
    journal: Path | None,
    speed: float,
    *,
    loop: bool | None,
) -> tuple[Writer, Source]:
    """A venue that plays a price file or the demo."""
    is_looping = replay == DEMO if loop is None else loop
    series = _series(replay, plan.seed)
    return _played(series, symbol, plan, journal, speed, loop=is_looping)


def _found(venue: Venue, admin: str | None, *, is_replay: bool) -> None:
    """Let a new venue take signed commands; owners of a real one have to sign whatever they do."""
    if venue.state.book.domain is None and (admin or is_replay):
        holder = admin or demo_key("admin").owner
        venue.found(_domain(), holder, requires_consent=not is_replay)


def _run(
    desk: Desk,
    listener: socket.socket,
    hosts: Sequence[str],
    *,
    limit_loopback: bool,
    json: bool,
) -> None:
    """Serve until interrupted."""
    url = address_of(listener)
    serve_desk(
        desk,
        listener,
        hosts=hosts,
        limit_loopback=limit_loopback,
        begun=lambda: _say(url, json=json),
    )
    if desk.writer.halted is not None:
        note(f"ringfence: {desk.writer.halted}")


def _say(url: str, *, json: bool) -> None:
    if json:
        print_json_line({"url": url})
    else:
        say(f"Ringfence is at {url}  (Ctrl-C ends it)")
        sys.stdout.flush()


def _secret() -> bytes | None:
    """The secret that read-only keys are derived from; None: a new one, for this run."""
    text = os.environ.get(SECRET)
    if text is None:
        return None
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) < 32:
        fail(f"{SECRET} must be at least 64 hex digits; unset it for keys that end with this run")
    return secret


def _receipt_key() -> SigningKey | None:
    """The key that signs receipts; None: a new one, for this run."""
    text = os.environ.get(RECEIPT_KEY)
    if text is None:
        return None
    try:
        return SigningKey.from_hex(text)
    except ValueError:
        fail(f"{RECEIPT_KEY} must be 64 hex digits; unset it for a key that ends with this run")


def _domain() -> Domain:
    """A domain that no other venue has."""
    return Domain("Ringfence", "1", CHAIN_ID, "0x" + secrets.token_hex(32))


def _plain(journal: Path | None) -> tuple[Writer, Source]:
    venue = Venue.open(":memory:" if journal is None else journal)
    return Writer(venue), Source("none", "none", "no prices are played", "1")


def _plan(*numbers: int) -> PopulationPlan:
    try:
        return PopulationPlan(*numbers)
    except ValueError as error:
        fail(f"--{error}")


def _series(replay: str, seed: int) -> PriceSeries:
    if replay == DEMO:
        return generated_crash(seed, step_seconds=DEMO_STEP_SECONDS)
    try:
        return PriceFile.open(Path(replay))
    except (PriceFileError, ValueError, OSError) as error:
        fail(str(error))


def _played(
    series: PriceSeries,
    symbol: tuple[str, ...],
    plan: PopulationPlan,
    journal: Path | None,
    speed: float,
    *,
    loop: bool,
) -> tuple[Writer, Source]:
    if journal is not None and journal.exists():
        fail(f"{journal} exists; a replay starts a new journal, so name a new file or remove it")
    err = console(sys.stderr)
    compile_engine()
    symbols = list(symbol) or list(series.symbols)
    try:
        path = ":memory:" if journal is None else str(journal)
        crash = Crash(series, symbols, plan, path, is_proving=False)  # nobody would see the proof
    except (JournalError, UnknownSymbolError) as error:
        fail(str(error))
    with err.status("Opening accounts ..."):
        crash.set_up()
    playback = Playback(crash, speed, loop=loop)
    start, end = series.span
    source = Source(
        kind="replay",
        state="playing",
        description=series.description,
        speed=f"{speed:g}",
        faucet=FAUCET,
        start_ms=start // MS_NS,
        end_ms=None if loop else end // MS_NS,
    )
    return Writer(crash.venue, playback), source
