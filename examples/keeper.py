"""A keeper: watches the accounts nearest to liquidation, and asks for those that are due.

    make run
    python examples/keeper.py

The venue liquidates by itself on every price, so that a keeper of the demo seldom comes first;
it is there for the day on which the engine's own trigger fails. A key with the scope `keep`
alone is all that it holds, so nothing is lost when it leaks.
"""

import asyncio

from common import arguments, rounds

from ringfence.client import AsyncClient, Client, ProblemError, SigningKey, commands, messages

NEAR = "1.05"
DAY_MS = 86_400_000


async def main() -> None:
    """Keep watch."""
    options = arguments(__doc__)
    key = SigningKey.generate()
    with Client(options.url, SigningKey.generate()) as owner:
        owner.execute(messages.Register(owner=owner.owner))
        grant = messages.GrantKey(
            owner=owner.owner,
            key=key.owner,
            scopes=("keep",),
            pools=(),
            notional_max="0",
            until_ms=owner.venue().time_ms + 30 * DAY_MS,
        )
        owner.execute(grant, with_keys=(key,))
    async with AsyncClient(options.url, key, owner=owner.owner) as keeper:
        for _ in rounds(options.rounds):
            await look(keeper)
            await asyncio.sleep(options.pause)


async def look(keeper: AsyncClient) -> None:
    """Look at those who are near, and ask for those who are below maintenance."""
    near = (await keeper.at_risk(NEAR)).items
    due = [account for account in near if account.excess.startswith("-")]
    if near:
        worst = near[0]
        print(
            f"{len(near)} below {NEAR}; worst: {worst.health_factor} in {worst.pool_name}, "
            f"{len(due)} due",
            flush=True,
        )
    else:
        print(f"nobody below {NEAR}", flush=True)
    asked = [
        commands.Liquidate(pool=account.pool, owner=account.owner, number=account.number)
        for account in due
    ]
    for outcome in await asyncio.gather(*map(keeper.execute, asked), return_exceptions=True):
        if isinstance(outcome, ProblemError):
            print(f"not liquidated: {outcome}", flush=True)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            print(f"liquidation: {outcome.status}, entry {outcome.seq}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
