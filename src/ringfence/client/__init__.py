"""The Python client of a Ringfence service, sync and async.

    with Client("http://127.0.0.1:8080", SigningKey.from_hex(secret)) as client:
        receipt = client.execute(commands.Deposit(pool=..., owner=client.owner, ...))

It signs commands, sends them again when an answer is lost (a client id makes sure that they are
done once), and returns the structs that docs/reference/http.md describes.
"""

from ringfence.client.asynchronous import AsyncClient
from ringfence.client.problem import ProblemError, ReceiptError
from ringfence.client.stream import StreamError, Table, subscription, watch
from ringfence.client.synchronous import Client
from ringfence.signing.demo import demo_key
from ringfence.signing.keys import SigningKey
from ringfence.venue import commands
from ringfence.venue.consent import messages

__all__ = [
    "AsyncClient",
    "Client",
    "ProblemError",
    "ReceiptError",
    "SigningKey",
    "StreamError",
    "Table",
    "commands",
    "demo_key",
    "messages",
    "subscription",
    "watch",
]
