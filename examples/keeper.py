"""A keeper: asks for liquidations that are due, and bids in auctions where that pays.

    make run
    python examples/keeper.py

It signs with a session key of the scopes `keep` and `bid` alone: no money can leave through it, and
what it takes on is bounded by the key's cap. The wallet is needed once a pool, for the stake that
backs the bids. The venue liquidates by itself on every price, so a keeper of the demo seldom comes
first there; it is there for the day on which the engine's own trigger fails.
"""

import asyncio
from decimal import ROUND_DOWN, Decimal

from common import arguments, funded, rounds

from ringfence.client import AsyncClient, Client, ProblemError, SigningKey, commands, messages
from ringfence.service.waterfall_schema import Auction

NEAR = "1.05"
DAY_MS = 86_400_000
STAKE = Decimal(5_000)  # deposited in every pool in which it bids
TAKEN_MAX = 4 * STAKE  # notional and debt that one bid may bring
DISCOUNT_MIN = Decimal("0.02")
CAP = "10000000"  # notional that the key may take on, in each pool
SHARE_STEP = Decimal("0.000000001")


async def main() -> None:
    """Keep watch."""
    options = arguments(__doc__)
    key = SigningKey.generate()
    with funded(options.url) as owner:
        grant = messages.GrantKey(
            owner=owner.owner,
            key=key.owner,
            scopes=("keep", "bid"),
            pools=(),
            notional_max=CAP,
            until_ms=owner.venue().time_ms + 30 * DAY_MS,
        )
        owner.execute(grant, with_keys=(key,))
        async with AsyncClient(options.url, key, owner=owner.owner) as keeper:
            staked: set[str] = set()
            for _ in rounds(options.rounds):
                await trigger(keeper)
                for auction in (await keeper.auctions(limit=20)).items:
                    await bid(keeper, owner, auction, staked)
                await asyncio.sleep(options.pause)


async def trigger(keeper: AsyncClient) -> None:
    """Look at those who are near, and ask for those who are below maintenance."""
    near = (await keeper.at_risk(NEAR)).items
    due = [a for a in near if a.excess.startswith("-") and a.step == "none"]
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


async def bid(keeper: AsyncClient, owner: Client, auction: Auction, staked: set[str]) -> None:
    """Bid for as much of an account as the stake carries, where the discount is worth it."""
    left, share = Decimal(auction.notional_left), Decimal(auction.share)
    if not auction.is_open or Decimal(auction.discount) < DISCOUNT_MIN or not left * share:
        return
    wanted = min(share, TAKEN_MAX / left).quantize(SHARE_STEP, ROUND_DOWN)
    # Half of the bonus shown: the price may have moved, but never against the key's owner.
    least = Decimal(auction.bonus) * wanted / share / 2
    order = commands.Bid(
        pool=auction.pool,
        owner=keeper.owner,
        other=auction.owner,
        other_number=auction.number,
        share=f"{wanted:f}",
        bonus=f"{least.quantize(Decimal('0.01'), ROUND_DOWN):f}",
    )
    try:
        if auction.pool not in staked:
            stake(owner, auction)
            staked.add(auction.pool)
        receipt = await keeper.execute(order)
    except ProblemError as problem:
        print(f"no bid in {auction.pool_name}: {problem}", flush=True)
        return
    sold = [event for event in receipt.events if event["event"] == "slice_sold"]
    paid = f", paid {sold[0]['value']} for a bonus of {sold[0]['bonus']}" if sold else ""
    print(f"bid in {auction.pool_name}: {receipt.status}, entry {receipt.seq}{paid}", flush=True)


def stake(owner: Client, auction: Auction) -> None:
    """Open an account in a pool and put the stake into it; that takes the wallet."""
    names = {"pool": auction.pool, "owner": owner.owner}
    owner.execute(commands.OpenAccount(**names))
    owner.execute(commands.Deposit(**names, asset=auction.settlement, amount=str(STAKE)))


if __name__ == "__main__":
    asyncio.run(main())
