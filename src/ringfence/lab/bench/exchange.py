"""A small HTTP client and signed commands made beforehand, so that the bench measures the service."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import urlsplit

import msgspec

from ringfence.signing.demo import demo_key
from ringfence.signing.keys import SigningKey
from ringfence.signing.typed import Domain
from ringfence.venue import commands as c
from ringfence.venue.consent.messages import Signable, digest_of

LIFETIME_MS = 12 * 3_600_000
A_MINUTE = 600  # commands that a signer may send; connections change their signer before
ASSET = "USDC"
KEYS_EACH = 4  # signers of a connection


def get(path: str) -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """Return a POST request with JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Exchange:
    """One connection; a request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncIterator["Exchange"]:
        """Connect to a service."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return status and body of the answer."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        at = head.index(b"content-length:") + 15
        size = int(head[at : head.index(b"\r\n", at)])
        return status, await self._reader.readexactly(size)


class Wallets:
    """Owners with money and an account, and their signed commands."""

    def __init__(self, domain: Domain, pool: str, time_ms: int) -> None:
        self._domain, self._pool, self._time_ms = domain, pool, time_ms
        self._nonces = count(time_ms)
        self._keys: list[list[SigningKey]] = []
        self._sent: list[Iterator[int]] = []

    @classmethod
    async def made(cls, exchange: Exchange, connections: int, seconds: int) -> "Wallets":
        """Give owners money and open their accounts."""
        venue = json.loads((await exchange.ask(get("/v1/venue")))[1])
        pools = json.loads((await exchange.ask(get("/v1/pools?limit=1")))[1])
        domain = msgspec.convert(venue["domain"], Domain)
        wallets = cls(domain, pools["items"][0]["id"], venue["time_ms"])
        each = max(1, min(KEYS_EACH, seconds))
        for k in range(connections):
            keys = [demo_key(f"bench {k} {j}") for j in range(each)]
            for key in keys:
                owner = json.dumps({"owner": key.owner}).encode()
                await _must(exchange, post("/v1/faucet", owner))
                opening = c.OpenAccount(pool=wallets._pool, owner=key.owner)
                await _must(exchange, wallets._signed(key, opening))
                await _must(exchange, wallets._deposit(key, "50000"))
            wallets._keys.append(keys)
            wallets._sent.append(count())
        return wallets

    def _key(self, k: int) -> SigningKey:
        keys = self._keys[k]
        return keys[next(self._sent[k]) // (A_MINUTE - 10) % len(keys)]

    def deposit(self, k: int) -> bytes:
        """Return a deposit of a connection: it can only reduce risk."""
        return self._deposit(self._key(k), "0.01")

    def withdrawal(self, k: int) -> bytes:
        """Return a withdrawal of a connection."""
        key = self._key(k)
        command = c.Withdraw(pool=self._pool, owner=key.owner, asset=ASSET, amount="0.01")
        return self._signed(key, command)

    def _deposit(self, key: SigningKey, amount: str) -> bytes:
        command = c.Deposit(pool=self._pool, owner=key.owner, asset=ASSET, amount=amount)
        return self._signed(key, command)

    def _signed(self, key: SigningKey, command: Signable) -> bytes:
        nonce, expires_ms = next(self._nonces), self._time_ms + LIFETIME_MS
        digest = digest_of(command, nonce, expires_ms, self._domain.separator())
        authorisation = {
            "signer": key.owner,
            "nonce": str(nonce),
            "expires_ms": expires_ms,
            "signature": "0x" + key.sign(digest).hex(),
        }
        body = {"command": msgspec.to_builtins(command), "authorisations": [authorisation]}
        return post("/v1/commands", json.dumps(body).encode())


async def _must(exchange: Exchange, request: bytes) -> None:
    status, body = await exchange.ask(request)
    if status != 200 or json.loads(body).get("ok") is False:
        raise RuntimeError(f"{status}: {body.decode()}")
