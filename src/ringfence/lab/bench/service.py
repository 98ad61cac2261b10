"""The service as a process of its own: viewers, commands, and ten times too many of them.

Its CPU and memory are what it says of itself at /metrics. Commands come from connections that
each wait for an answer before they send the next one, and after a refusal as long as it asks for;
"ten times" is ten times as many of these as keep the service busy. Everything stays on loopback,
and is bounded in count and time.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import connect

from ringfence.lab.bench.exchange import Exchange, Wallets, get
from ringfence.lab.bench.measure import Result, at_most

RUN = "import sys; from ringfence.cli import main; sys.exit(main())"
POOLS, ACCOUNTS, VIEWERS = 200, 2_000, 20
CHANNELS = ("prices", "pools", "stats", "liquidations", "at_risk")
SHARE_GOAL = 0.10  # of one core
BUSY = 8  # connections that keep the service busy
OVERLOAD = 10
FLAT = 1.5  # times as long as usual that an answer may take under overload, at p99


@dataclass
class Load:
    """What a number of connections got."""

    seconds: list[float] = field(default_factory=list)  # to an answer of 200, not reducing risk
    reducing: list[float] = field(default_factory=list)
    refused: int = 0
    memory: float = 0.0  # bytes, at the end


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """Run a service and tell where it is."""
    command = [sys.executable, "-c", RUN, "serve", "--port", "0", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own command
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("`ringfence serve` did not start; run it to see why")
            yield json.loads(line)["url"]
        finally:
            process.terminate()
            process.wait(60)


async def figures(url: str) -> dict[str, float]:
    """Return the figures of /metrics that have no labels."""
    async with Exchange.to(url) as exchange:
        status, body = await exchange.ask(get("/metrics"))
    assert status == 200, status
    lines = (line.split(" ") for line in body.decode().splitlines() if not line.startswith("#"))
    return {line[0]: float(line[1]) for line in lines if "{" not in line[0]}


async def share(url: str, seconds: float) -> float:
    """Share of one core that the service uses for a while."""
    before, started = await figures(url), time.perf_counter()
    await asyncio.sleep(seconds)
    after, ended = await figures(url), time.perf_counter()
    name = "process_cpu_seconds_total"
    return (after[name] - before[name]) / (ended - started)


async def watch(url: str, counts: list[int]) -> None:
    """Watch every channel as a viewer does, counting messages and bytes."""
    async with connect(url.replace("http", "ws") + "/v1/stream", max_size=None) as stream:
        for channel in CHANNELS:
            await stream.send(json.dumps({"op": "subscribe", "channel": channel}))
        async for message in stream:
            counts[0] += 1
            counts[1] += len(message)


async def _viewing(url: str, seconds: float) -> tuple[float, float, list[int]]:
    """Shares of one core without viewers and with them, and what these received."""
    alone = await share(url, seconds)
    counts = [0, 0]
    viewers = [asyncio.create_task(watch(url, counts)) for _ in range(VIEWERS)]
    await asyncio.sleep(2)
    counts[:] = 0, 0
    watched = await share(url, seconds)
    received = list(counts)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return alone, watched, received


def viewing(*, quick: bool) -> Iterator[Result]:
    """Two hundred pools at four updates a second, to twenty viewers."""
    seconds = 5.0 if quick else 20.0
    sizes = ("--pools", str(POOLS), "--accounts", str(ACCOUNTS), "--option-pools", "0")
    with served("--replay", "demo", *sizes) as url:
        alone, watched, (messages, size) = asyncio.run(_viewing(url, seconds))
    yield Result("service: core used without viewers", alone, "share")
    yield at_most("service: core used with 20 viewers, 200 pools", watched, "share", SHARE_GOAL)
    yield Result("service: core used for 20 viewers alone", watched - alone, "share")
    yield Result("service: messages to each viewer", messages / VIEWERS / seconds, "1/s")
    yield Result("service: bytes to each viewer", size / VIEWERS / seconds, "B/s")


async def _flood(url: str, wallets: Wallets, connections: int, seconds: float, load: Load) -> None:
    """Send commands over so many connections for a while; every eighth reduces risk."""
    until = time.perf_counter() + seconds

    async def one(k: int) -> None:
        async with Exchange.to(url) as exchange:
            while time.perf_counter() < until:
                is_reducing = k % 8 == 0
                request = wallets.deposit(k) if is_reducing else wallets.withdrawal(k)
                started = time.perf_counter()
                status, body = await exchange.ask(request)
                spent = time.perf_counter() - started
                if status == 200:
                    (load.reducing if is_reducing else load.seconds).append(spent)
                elif status in {429, 503}:
                    load.refused += 1
                    await asyncio.sleep(json.loads(body)["retry_after_ms"] / 1e3)
                else:
                    raise RuntimeError(f"{status}: {body.decode()}")

    await asyncio.gather(*(one(k) for k in range(connections)))
    load.memory = (await figures(url))["process_resident_memory_bytes"]


async def _commanding(url: str, seconds: float) -> tuple[Load, Load]:
    async with Exchange.to(url) as exchange:
        wallets = await Wallets.made(exchange, BUSY * OVERLOAD, int(seconds))
    usual, over = Load(), Load()
    await _flood(url, wallets, BUSY, seconds, usual)
    await _flood(url, wallets, BUSY * OVERLOAD, seconds, over)
    return usual, over


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1e3 if len(seconds) > 1 else 0.0


def commanding(*, quick: bool) -> Iterator[Result]:
    """Signed commands from eight connections, then from eighty."""
    seconds = 3.0 if quick else 10.0
    with served(
        "--replay", "demo", "--pools", "10", "--accounts", "100", "--option-pools", "0"
    ) as url:
        usual, over = asyncio.run(_commanding(url, seconds))
    for name, load in (("8 connections", usual), ("80 connections", over)):
        done = len(load.seconds) + len(load.reducing)
        yield Result(f"service: signed commands, {name}", done / seconds, "1/s")
        yield Result(f"service: median answer, {name}", _median(load.seconds), "ms")
        yield Result(f"service: p99 answer, {name}", _p99(load.seconds), "ms")
        yield Result(f"service: p99 of what reduces risk, {name}", _p99(load.reducing), "ms")
        yield Result(f"service: refused early, {name}", load.refused / seconds, "1/s")
        yield Result(f"service: memory, {name}", load.memory / 2**20, "MiB")
    longer = _p99(over.seconds) / _p99(usual.seconds)
    yield at_most("service: p99 at ten times the connections", longer, "x", FLAT)
    grown = over.memory / usual.memory
    yield at_most("service: memory at ten times the connections", grown, "x", 1.1)


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1e3 if seconds else 0.0


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure the service."""
    yield from viewing(quick=quick)
    yield from commanding(quick=quick)
