"""What is private to an owner: its keys. A read-only key of the owner, and no other, may ask."""

from typing import Annotated, Any

from litestar import Request, get
from litestar.params import HeaderParameter

from ringfence.service import auth
from ringfence.service.desk import Desk
from ringfence.service.problems import ProblemError, documented
from ringfence.service.routes.common import Address, TheDesk
from ringfence.service.schema import OwnerKeys, ReadOnlyKey, SessionKey
from ringfence.units import MS_NS
from ringfence.venue.clock import SystemClock
from ringfence.venue.encoding import address_bytes
from ringfence.venue.receipts import decimal
from ringfence.venue.state import State

KeyHeader = Annotated[str | None, HeaderParameter(name="Ringfence-Key")]
TimeHeader = Annotated[str | None, HeaderParameter(name="Ringfence-Time")]
SignatureHeader = Annotated[str | None, HeaderParameter(name="Ringfence-Signature")]


@get("/v1/owners/{owner:str}/keys", sync_to_thread=False, responses=documented(401, 403))
def owner_keys(
    desk: TheDesk,
    request: Request[Any, Any, Any],
    owner: Address,
    key: KeyHeader = None,
    signed_at: TimeHeader = None,
    signature: SignatureHeader = None,
) -> OwnerKeys:
    """The keys of the owner whose read-only key signed the request."""
    identity = reader(desk, request, (key, signed_at, signature))
    address = address_bytes(owner)
    problem = auth.authorise_view(identity, address)
    if problem is not None:
        raise ProblemError(problem.code, problem.message)
    return keys_of(desk.writer.venue.state, address, desk.snapshot.time_ns // MS_NS)


def reader(
    desk: Desk, request: Request[Any, Any, Any], headers: tuple[str | None, str | None, str | None]
) -> auth.Identity:
    """Return the identity of a request that a read-only key signed.

    Raises:
        ProblemError: None did.
    """
    key, signed_at, signature = headers
    if key is None or signed_at is None or signature is None:
        detail = (
            "sign this with a read-only key: Ringfence-Key, Ringfence-Time, Ringfence-Signature"
        )
        raise ProblemError("authorisation_missing", detail)
    target = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return auth.reader_of(
        desk.writer.venue.state.book,
        desk.secret,
        (key, signed_at, signature),
        (request.method, f"{target}?{query}" if query else target),
        SystemClock().now_ns() // MS_NS,
        desk.snapshot.time_ns // MS_NS,
    )


def keys_of(state: State, owner: bytes, now_ms: int) -> OwnerKeys:
    """Return an owner's keys as they are now."""
    book = state.book
    # Lists are made in one go, because the writer's thread may add a key meanwhile.
    sessions = [(key, grant) for key, grant in list(book.grants.items()) if grant.owner == owner]
    readers = [(key, of) for key, of in list(book.readers.items()) if of.owner == owner]
    spent = {key: book.spent.get(key) for key in (owner, *(key for key, _ in sessions))}
    return OwnerKeys(
        owner="0x" + owner.hex(),
        time_ms=now_ms,
        session_keys=[
            SessionKey(
                key="0x" + key.hex(),
                scopes=grant.scopes,
                pools=tuple(pool.hex() for pool in grant.pools),
                notional_max=grant.notional_max,
                used=_used(state, key),
                until_ms=grant.until_ms,
                is_expired=grant.until_ms < now_ms,
            )
            for key, grant in sessions
        ],
        read_only_keys=[
            ReadOnlyKey(key.hex(), of.until_ms, of.until_ms < now_ms) for key, of in readers
        ],
        nonces={"0x" + key.hex(): str(kept[-1].nonce) for key, kept in spent.items() if kept},
    )


def _used(state: State, key: bytes) -> dict[str, str]:
    """Notional that a session key has moved, by pool."""
    used = state.book.used.get(key, {})
    return {
        pool.hex(): decimal(units, 10 ** state.pools[pool].spec.settlement_decimals)
        for pool, units in list(used.items())
    }


HANDLERS = [owner_keys]
