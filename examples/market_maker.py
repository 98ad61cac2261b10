"""A market maker: signs orders on both sides of the mark, and takes them back when it moves.

    make run
    python examples/market_maker.py

Orders are consent, not reservations: anybody who holds one may match it with an order of their
own, up to its size and never at a worse price. Here a customer does so now and then.
"""

import time
from decimal import Decimal

from common import arguments, funded, market, rounds

from ringfence.client import Client, ProblemError, commands, messages

MONEY = "50000"
SIZE, SPREAD = "2", Decimal("0.001")
TAKEN = "0.5"


def main() -> None:
    """Make a market."""
    options = arguments(__doc__)
    with funded(options.url) as maker, funded(options.url) as customer:
        pool, instrument = market(maker)
        tick = next(
            Decimal(i["tick"]) for i in maker.pool(pool.id).instruments if i["name"] == instrument
        )
        for client in (maker, customer):
            client.execute(commands.OpenAccount(pool=pool.id, owner=client.owner))
            deposit = commands.Deposit(
                pool=pool.id, owner=client.owner, asset=pool.settlement, amount=MONEY
            )
            client.execute(deposit)
        for number in rounds(options.rounds):
            bid, ask = quotes(maker, pool.id, instrument, tick)
            take(customer, pool.id, ask if number % 2 == 0 else bid)
            newest = max(int(order.authorisation.nonce) for order in (bid, ask))
            maker.execute(messages.CancelOrders(pool=pool.id, owner=maker.owner, before=newest))
            account = maker.account(pool.id)
            held = next((p.size for p in account.positions if p.instrument == instrument), "0")
            print(
                f"bid {bid.order.price}, ask {ask.order.price}; holds {held}, "
                f"equity {account.equity}",
                flush=True,
            )
            time.sleep(options.pause)


def quotes(
    maker: Client, pool: str, instrument: str, tick: Decimal
) -> tuple[messages.SignedOrder, ...]:
    """Sign a bid and an ask around the mark, on whole ticks."""
    mark = Decimal(maker.pool(pool).marks[instrument] or "0")
    half = max(tick, mark * SPREAD // tick * tick)
    return tuple(
        maker.order(
            messages.Order(
                pool=pool,
                owner=maker.owner,
                instrument=instrument,
                size=size,
                price=f"{(mark // tick * tick + offset).normalize():f}",
            )
        )
        for size, offset in ((SIZE, -half), (f"-{SIZE}", half))
    )


def take(customer: Client, pool: str, maker: messages.SignedOrder) -> None:
    """Match a part of an order with one's own, at the maker's price."""
    sign = "-" if not maker.order.size.startswith("-") else ""
    own = customer.order(
        messages.Order(
            pool=pool,
            owner=customer.owner,
            instrument=maker.order.instrument,
            size=f"{sign}{TAKEN}",
            price=maker.order.price,
        ),
        after=maker,
    )
    try:
        receipt = customer.execute(messages.Match(pool=pool, maker=maker, taker=own, size=TAKEN))
        print(f"matched {sign}{TAKEN} at {maker.order.price}: {receipt.status}", flush=True)
    except ProblemError as error:
        print(f"not matched: {error}", flush=True)


if __name__ == "__main__":
    main()
