"""What the examples share: reaching a demo, and getting play money in it.

A venue that plays prices is founded with keys that everybody knows (`demo_key`). An owner of a
real venue registers, and its custodian books what arrives.
"""

import argparse
from collections.abc import Iterator

from ringfence.client import Client, ProblemError, SigningKey, demo_key, messages
from ringfence.service.schema import PoolSummary

URL = "http://127.0.0.1:8080"


def arguments(what: str) -> argparse.Namespace:
    """Return the command line of an example."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--url", default=URL, help=f"where the service is ({URL})")
    parser.add_argument("--rounds", type=int, default=0, help="stop after so many; 0: never")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between rounds (1)")
    return parser.parse_args()


def rounds(count: int) -> Iterator[int]:
    """Count up to a number, or for ever when it is 0."""
    number = 0
    while count == 0 or number < count:
        yield number
        number += 1


def custodian(url: str) -> Client:
    """Return a client with the role that books what comes into the demo, appointed when missing."""
    key = demo_key("custodian")
    with Client(url, demo_key("admin")) as admin:
        try:
            command = messages.AppointKey(key=key.owner, role="custodian")
            admin.execute(command, with_keys=(key,))
        except ProblemError as error:
            if error.code not in {"refused", "not_allowed"}:  # appointed before
                raise
    return Client(url, key)


def funded(url: str, key: SigningKey, money: dict[str, str]) -> Client:
    """Return a client whose owner is registered and has play money in its wallet."""
    client = Client(url, key)
    client.execute(messages.Register(owner=client.owner))  # refused when it is registered: fine
    with custodian(url) as bank:
        for asset, amount in money.items():
            bank.execute(messages.Receive(owner=client.owner, asset=asset, amount=amount))
    return client


def pool_with(client: Client, instrument: str) -> PoolSummary:
    """Return the oldest pool that has an instrument, and a price for it."""
    cursor = None
    while True:
        page = client.pools(cursor=cursor)
        for pool in page.items:
            if pool.marks.get(instrument):
                return pool
        if page.next is None:
            raise SystemExit(f"no pool of this venue trades {instrument}")
        cursor = page.next
