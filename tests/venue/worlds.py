"""Venues driven by the random worlds of the isolation tests, journaled on the way.

Run as a module it prints what another process makes of a journal: the digest of a replay from
nothing, that of the opened venue, and the differences that the replay found.
"""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from tests.isolation.world import OWNERS, Batch, Money, Prices, World, empty_state

from ringfence.units import SECOND_NS
from ringfence.venue.clock import ManualClock
from ringfence.venue.receipts import decimal
from ringfence.venue.replay import replay
from ringfence.venue.state import RefusedError, State
from ringfence.venue.venue import Venue


def address(owner: int) -> str:
    """Address of an owner of a world."""
    return f"0x{owner:040x}"


def journaled(
    path: Path,
    seed: int,
    count: int,
    between: Callable[[Venue, int], Venue | None] | None = None,
    *,
    follow: bool = True,
) -> tuple[World, Venue]:
    """Give a world's attempts to a venue.

    `between` runs after each attempt, with its number, and may return another venue to go on
    with; without it everything is committed at once, at the end. `follow`: the venue has to
    answer as the world did, which it does not when `between` gives it commands of its own.
    """
    world = World(seed)
    clock = ManualClock(world.now)
    venue = Venue.open(path, clock=clock)
    for asset in empty_state(State).assets:
        venue.list_asset(asset.name, asset.decimals)
    for owner in range(OWNERS):
        venue.register(address(owner))
    for spec in world.specs:
        venue.create_pool(spec, address(1))
    with venue.group() if between is None else nullcontext():
        for number, attempt in enumerate(world.attempts(count)):
            clock.set(world.now)
            give(venue, attempt, follow=follow)
            if between is not None:
                venue = between(venue, number) or venue
    return world, venue


def give(venue: Venue, attempt: Money | Batch | Prices, *, follow: bool) -> None:
    """Give one attempt to a venue."""
    if isinstance(attempt, Prices):
        venue.set_prices(attempt.prices)
    elif isinstance(attempt, Batch):
        receipt = venue.execute_many(attempt.pool.hex(), attempt.drawn)
        said = attempt.outcome.statuses[len(attempt.rows) - len(attempt.drawn) :]
        assert not follow or receipt.statuses.tolist() == said.tolist()
    else:
        command = attempt.command
        asset = venue.state.assets[command.asset]
        move = getattr(venue, type(command).__name__.lower())
        if command.owner < OWNERS:
            answered = move_or_refuse(move, command.owner, asset, command.amount)
            assert not follow or answered == attempt.accepted


def move_or_refuse(move: Callable[..., object], owner: int, asset: object, amount: int) -> bool:
    """Whether the venue's edge accepted an amount."""
    try:
        move(address(owner), asset.name, decimal(amount, 10**asset.decimals))
    except RefusedError:
        return False
    return True


def report(path: Path) -> list[str]:
    """Digests of a journal: replayed from nothing, and opened; then the differences."""
    with Venue.open(path, clock=ManualClock(SECOND_NS)) as venue:
        state = State()
        problems = [str(problem) for problem in replay(state, venue.journal.entries(1))]
        return [state.digest().hex(), venue.state.digest().hex(), *problems]


if __name__ == "__main__":
    for line in report(Path(sys.argv[1])):
        print(line)  # noqa: T201 - the parent reads it
