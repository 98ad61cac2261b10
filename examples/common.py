"""What the examples share: reaching a demo, and getting play money in it.

A venue that plays prices has a faucet. An owner of a real venue signs a `messages.Register`, and
the venue's custodian books what arrives.
"""

import argparse
from collections.abc import Iterator

from ringfence.client import Client, SigningKey
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


def funded(url: str) -> Client:
    """Return a client with a new wallet, and what the demo's faucet gives in it."""
    client = Client(url, SigningKey.generate())
    client.faucet()
    return client


def market(client: Client) -> tuple[PoolSummary, str]:
    """Return the oldest pool that trades something with a price, and its first instrument."""
    cursor = None
    while True:
        page = client.pools(cursor=cursor)
        for pool in page.items:
            for instrument, mark in pool.marks.items():
                if mark is not None:
                    return pool, instrument
        if page.next is None:
            raise SystemExit("no pool of this venue trades anything")
        cursor = page.next
