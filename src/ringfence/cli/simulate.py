"""The command `simulate`: what commands would do to a pool, on a copy in memory."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from cyclopts import Parameter

from ringfence.cli.exits import fail
from ringfence.cli.opening import Journal, content_of, refusals, venue_of
from ringfence.cli.output import Json, pairs, print_json, table
from ringfence.venue.commands import AnyCommand
from ringfence.venue.simulation import Simulation, Standing

STANDARD_INPUT = Path("-")
DEPTH_MAX = 100  # of the JSON; a command needs 2
EXAMPLE = '[{"type": "deposit", "owner": "0x...", "asset": "USDC", "amount": "100"}]'
_FIGURES = (
    "equity",
    "free_margin",
    "debt",
    "health_factor",
    "margin_ratio",
    "leverage",
    "shock_down",
    "shock_up",
)


def simulate(
    journal: Journal,
    commands: Annotated[
        Path,
        Parameter(allow_leading_hyphen=True, help="JSON file of commands; - for standard input."),
    ],
    *,
    pool: Annotated[str, Parameter(help="Id or name of the pool.")],
    json: Json = False,
) -> None:
    """Show what commands would do to a pool; a refused one is an answer, not a failure."""
    content = sys.stdin.buffer.read() if commands == STANDARD_INPUT else content_of(commands)
    wanted = parsed(content, str(commands), pool)
    venue = venue_of(journal)
    with refusals():
        outcome = venue.simulate(pool, wanted)
    if json:
        print_json(outcome)
    else:
        _show(wanted, outcome)


def parsed(content: bytes, where: str, pool: str) -> list[AnyCommand]:
    """Read a list of commands, or a single one; each is of the pool unless it says otherwise."""
    if _depth(content) > DEPTH_MAX:  # a parser that recurses could run out of stack
        fail(f"{where}: nested deeper than {DEPTH_MAX}; give a list of commands such as {EXAMPLE}")
    try:
        found = msgspec.json.decode(content)
        listed = found if isinstance(found, list) else [found]
        complete = [{"pool": pool, **c} if isinstance(c, dict) else c for c in listed]
        wanted = msgspec.convert(complete, list[AnyCommand])
    except (msgspec.MsgspecError, RecursionError) as error:
        fail(f"{where}: {error}; give a list of commands such as {EXAMPLE}")
    others = {command.pool for command in wanted} - {pool}
    if others:
        fail(f"{where}: a command is of pool {others.pop()!r}; leave `pool` out or give {pool!r}")
    return wanted


def _depth(content: bytes) -> int:
    """How deep brackets and braces nest, those within strings counted too."""
    found = np.frombuffer(content, dtype=np.uint8)
    steps = np.isin(found, list(b"[{")).astype(int) - np.isin(found, list(b"]}")).astype(int)
    return int(steps.cumsum().max(initial=0))


def _show(wanted: list[AnyCommand], outcome: Simulation) -> None:
    numbered = zip(wanted, outcome.statuses, strict=True)
    rows = [(n, type(c).__name__.lower(), status) for n, (c, status) in enumerate(numbered, 1)]
    table(("command", "type", "status"), rows)
    for standing in outcome.accounts:
        _show_standing(standing)
    for event in outcome.events:
        known = ((n, v) for n, v in msgspec.structs.asdict(event).items() if v is not None)
        pairs(known, title=event.event)


def _show_standing(standing: Standing) -> None:
    before, after, change = standing.before, standing.after, standing.difference
    rows = [
        (name, getattr(before, name, None), getattr(after, name), getattr(change, name, None))
        for name in _FIGURES
    ]
    rows.append(
        (
            "maintenance excess",
            before and before.excess.maintenance,
            after.excess.maintenance,
            change and change.maintenance_excess,
        )
    )
    title = f"account {after.number} of {after.owner}"
    table(("", "before", "after", "difference"), rows, title=title)
