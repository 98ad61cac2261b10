"""A trader: asks what a position would do before it takes it, then trades and watches its health.

    make run                      # in one terminal
    python examples/trader.py     # in another

It opens an account of its own in one pool, so that whatever happens there can cost no more than
what it deposited. A session key signs the trades; the wallet stays put away.
"""

import time

from common import arguments, funded, market, rounds

from ringfence.client import Client, SigningKey, commands, messages

DEPOSIT, SIZE = "20000", "1"
HOUR_MS = 3_600_000


def main() -> None:
    """Trade."""
    options = arguments(__doc__)
    with funded(options.url) as owner, funded(options.url) as other:
        pool, instrument = market(owner)
        for client in (owner, other):
            client.execute(commands.OpenAccount(pool=pool.id, owner=client.owner))
            deposit = commands.Deposit(
                pool=pool.id, owner=client.owner, asset=pool.settlement, amount=DEPOSIT
            )
            client.execute(deposit)
        with session(options.url, owner, pool.id) as trader:
            for number in rounds(options.rounds):
                size = SIZE if number % 2 == 0 else f"-{SIZE}"
                trade(trader, other, pool.id, instrument, size)
                time.sleep(options.pause)


def session(url: str, owner: Client, pool: str) -> Client:
    """Return a client with a new session key, good for trades in one pool."""
    key = SigningKey.generate()
    grant = messages.GrantKey(
        owner=owner.owner,
        key=key.owner,
        scopes=("trade",),
        pools=(pool,),
        notional_max="1000000",
        until_ms=owner.venue().time_ms + 24 * HOUR_MS,
    )
    owner.execute(grant, with_keys=(key,))
    return Client(url, key, owner=owner.owner)


def trade(trader: Client, other: Client, pool: str, instrument: str, size: str) -> None:
    """Buy (or sell, below zero) at the mark from somebody who agreed to it."""
    price = trader.pool(pool).marks[instrument]
    assert price is not None, "the pool was chosen because it has one"
    command = commands.Trade(
        pool=pool,
        owner=trader.owner,
        other=other.owner,
        instrument=instrument,
        size=size,
        price=price,
    )
    (status,) = trader.simulate(pool, [command]).statuses
    if status != "ok":
        print(f"would be refused: {status}", flush=True)
        return
    receipt = trader.execute(command, others=(other.authorise(command),))
    account = trader.account(pool)
    print(
        f"{size} {instrument} at {price}: {receipt.status}, entry {receipt.seq}; "
        f"equity {account.equity}, health factor {account.health_factor or 'none needed'}",
        flush=True,
    )


if __name__ == "__main__":
    main()
