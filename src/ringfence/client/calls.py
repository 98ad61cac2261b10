"""Requests and what becomes of their answers, without any network.

A call names what it wants and the type of the answer; both clients send it in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from ringfence.client.problem import ProblemError
from ringfence.service import schema
from ringfence.service.auth import request_signature
from ringfence.service.waterfall_schema import AuctionPage
from ringfence.units import MS_NS
from ringfence.venue.clock import SystemClock
from ringfence.venue.commands import AnyCommand
from ringfence.venue.consent import messages as m

T = TypeVar("T")

ATTEMPTS_MAX = 6
BACKOFF_SECONDS = 0.1
RETRIED = (429, 503)  # nothing was done; later may be better
# Signed against an old time, or by another program with the same key at the same time.
STALE = ("nonce_out_of_window", "authorisation_expired", "nonce_used")
SIGNED_ANEW_MAX = 3


class Received(msgspec.Struct, frozen=True):
    """Play money that an owner was given."""

    owner: str
    wallet: dict[str, str]  # what was given, by asset
    time_ms: int


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request."""

    path: str
    answer: type[T]
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None  # none: a GET
    reader: tuple[str, str] | None = None  # id and secret of a read-only key that signs it

    @property
    def method(self) -> str:
        """The request's method."""
        return "GET" if self.body is None else "POST"

    def content(self) -> bytes | None:
        """The request's body; encoded once, and sent as it is every time."""
        return None if self.body is None else msgspec.json.encode(self.body)

    def headers(self) -> dict[str, str]:
        """The request's headers."""
        headers = {} if self.body is None else {"content-type": "application/json"}
        if self.reader is not None:
            key, secret = self.reader
            now_ms = SystemClock().now_ns() // MS_NS
            signed = request_signature(bytes.fromhex(secret), now_ms, self.method, self.path)
            headers |= {
                "ringfence-key": key,
                "ringfence-time": str(now_ms),
                "ringfence-signature": signed,
            }
        return headers

    def read(self, status: int, content: bytes) -> T:
        """Return what came back.

        Raises:
            ProblemError: It is a problem.
        """
        if status >= 400:
            raise ProblemError(status, content)
        return msgspec.json.decode(content, type=self.answer)


def is_passing(error: Exception) -> bool:
    """Whether the same request may do better later: no answer came, or the service was busy."""
    return not isinstance(error, ProblemError) or error.status in RETRIED


def pause(attempt: int, error: Exception) -> float:
    """Seconds to wait before the next attempt; the first is number 1."""
    told = (error.retry_after_ms or 0) / 1000 if isinstance(error, ProblemError) else 0.0
    return max(BACKOFF_SECONDS * 2.0 ** (attempt - 1), told)


def venue() -> Call[schema.VenueAnswer]:
    """The venue as a whole."""
    return Call("/v1/venue", schema.VenueAnswer)


def pools(limit: int, order: str, cursor: str | None) -> Call[schema.PoolPage]:
    """A page of pools."""
    return Call("/v1/pools", schema.PoolPage, _given(limit=limit, order=order, cursor=cursor))


def pool(name: str) -> Call[schema.Pool]:
    """A pool in full."""
    return Call(f"/v1/pools/{_part(name)}", schema.Pool)


def owner(address: str) -> Call[schema.Owner]:
    """An owner's wallet and accounts."""
    return Call(f"/v1/owners/{_part(address)}", schema.Owner)


def account(pool_name: str, address: str, number: int) -> Call[schema.Account]:
    """An account in full."""
    return Call(f"/v1/accounts/{_part(pool_name)}/{_part(address)}/{number}", schema.Account)


def keys(address: str, reader: str, secret: str) -> Call[schema.OwnerKeys]:
    """The keys of an owner."""
    path = f"/v1/owners/{_part(address)}/keys"
    return Call(path, schema.OwnerKeys, reader=(reader, secret))


def at_risk(below: str, pool_name: str | None, limit: int) -> Call[schema.AccountPage]:
    """Accounts below a health factor, the worst first."""
    query = _given(below=below, pool=pool_name, limit=limit)
    return Call("/v1/at-risk", schema.AccountPage, query)


def auctions(pool_name: str | None, limit: int) -> Call[AuctionPage]:
    """Accounts under auction, the oldest first."""
    return Call("/v1/auctions", AuctionPage, _given(pool=pool_name, limit=limit))


def simulate(
    pool_name: str, commands: Sequence[AnyCommand], prices: Mapping[str, str], *, ignore: bool
) -> Call[schema.Simulation]:
    """What commands would do to a pool."""
    body = {
        "pool": pool_name,
        "commands": [_without_pool(command) for command in commands],
        "prices": dict(prices),
        "ignore_wallets": ignore,
    }
    return Call("/v1/simulate", schema.Simulation, body=body)


def faucet(address: str) -> Call[Received]:
    """Play money for an owner, in a replay."""
    return Call("/v1/faucet", Received, body={"owner": address})


def execute(signed: m.Signed) -> Call[schema.Receipt]:
    """A signed command."""
    return Call("/v1/commands", schema.Receipt, body=signed)


def _part(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def _without_pool(command: AnyCommand) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(command)
    del fields["pool"]
    return fields


def _given(**query: str | int | None) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}
