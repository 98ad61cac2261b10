"""Commands that change the book of keys itself: what refuses them, and what they write."""

from ringfence.core.reading import scaled
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.authority import ROLES, SCOPES
from ringfence.venue.consent.book import (
    AMOUNT_WHOLE,
    DAY_MS,
    KEYS_MAX,
    NONCE_AHEAD_MS,
    ORDER_DAYS_MAX,
    READERS_MAX,
    Grant,
    Reader,
)
from ringfence.venue.consent.problem import ConsentError
from ringfence.venue.lookup import pool_of
from ringfence.venue.state import State

POOLS_MAX = 256  # pools that one grant may list
CAP_DECIMALS = 18

KeyCommand = (
    m.GrantKey
    | m.RevokeKey
    | m.GrantReader
    | m.RevokeReader
    | m.AppointKey
    | m.DismissKey
    | m.CancelOrder
    | m.CancelOrders
)


def _refuse(message: str) -> ConsentError:
    return ConsentError("refused", message)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def check_key_command(state: State, command: KeyCommand, now_ms: int) -> None:
    """Refuse what breaks a rule of the book.

    Raises:
        ConsentError: It does; nothing has changed.
    """
    book = state.book
    match command:
        case m.GrantKey():
            _check_grant(state, command, now_ms)
        case m.RevokeKey(owner=owner, key=key):
            grant = book.grants.get(_bytes(key))
            if grant is None or grant.owner != _bytes(owner):
                raise _refuse(f"{key} is no session key of {owner}")
        case m.GrantReader(owner=owner, until_ms=until_ms):
            if until_ms <= now_ms:
                raise _refuse(f"until_ms {until_ms} has passed; the venue's time is {now_ms} ms")
            if book.readers_of(_bytes(owner), now_ms) >= READERS_MAX:
                raise _refuse(f"{owner} has {READERS_MAX} read-only keys; revoke one first")
        case m.RevokeReader(owner=owner, reader=reader):
            known = book.readers.get(_bytes(reader))
            if known is None or known.owner != _bytes(owner):
                raise _refuse(f"{reader} is no read-only key of {owner}")
        case m.AppointKey(key=key, role=role):
            if role not in ROLES:
                raise _refuse(f"role is {role!r}; it must be {' or '.join(ROLES)}")
            _check_new_key(state, key)
        case m.DismissKey(key=key):
            role = book.roles.get(_bytes(key), "")
            if not role:
                raise _refuse(f"{key} has no role")
            if role == "admin" and list(book.roles.values()).count("admin") == 1:
                raise _refuse(f"{key} is the last admin; appoint another one first")
        case m.CancelOrder(pool=pool) if pool_of(state, pool) is None:
            raise _refuse(f"there is no pool {pool}")
        case m.CancelOrders(pool=pool, before=before):
            if pool_of(state, pool) is None:
                raise _refuse(f"there is no pool {pool}")
            if before > now_ms + NONCE_AHEAD_MS:
                raise _refuse(f"before is {before}; orders of the future cannot be taken back")


def _check_grant(state: State, command: m.GrantKey, now_ms: int) -> None:
    scopes, pools = command.scopes, command.pools
    if not scopes or len(set(scopes)) < len(scopes) or not set(scopes) <= set(SCOPES):
        raise _refuse(f"scopes are {list(scopes)}; give some of {', '.join(SCOPES)}, each once")
    if "govern" in scopes and len(scopes) > 1:
        raise _refuse("a key with the scope govern has no other; grant another key")
    if len(pools) > POOLS_MAX or len(set(map(_bytes, pools))) < len(pools):
        raise _refuse(f"{len(pools)} pools are more than {POOLS_MAX}, or one is there twice")
    for pool in pools:
        if pool_of(state, pool) is None:
            raise _refuse(f"there is no pool {pool}")
    try:
        cap = scaled(command.notional_max, 10**CAP_DECIMALS)
    except ValueError as error:
        raise _refuse(f"notional_max: {error}") from None
    if cap < 0:
        raise _refuse(f"notional_max {command.notional_max} is below zero")
    if command.until_ms <= now_ms:
        raise _refuse(f"until_ms {command.until_ms} has passed; the venue's time is {now_ms} ms")
    if state.book.grants_of(_bytes(command.owner)) >= KEYS_MAX:
        raise _refuse(f"{command.owner} has {KEYS_MAX} session keys; revoke one first")
    _check_new_key(state, command.key)


def _check_new_key(state: State, key: str) -> None:
    """An address is one thing for ever, so a key must be new to the venue."""
    address = _bytes(key)
    if state.book.is_key(address) or state.owner_number(address) is not None:
        raise _refuse(f"{key} is or was an owner or a key of this venue; make a new one")


def apply_key_command(state: State, command: KeyCommand, now_ms: int, digest: bytes) -> None:
    """Write what a checked command says into the book; its digest names the reader it makes."""
    book = state.book
    match command:
        case m.GrantKey():
            pools = tuple(_bytes(pool) for pool in command.pools)
            book.grants[_bytes(command.key)] = Grant(
                _bytes(command.owner),
                command.scopes,
                pools,
                command.notional_max,
                command.until_ms,
            )
        case m.RevokeKey(key=key) | m.DismissKey(key=key):
            book.revoke(_bytes(key), now_ms)
        case m.GrantReader(owner=owner, until_ms=until_ms):
            book.forget_readers(_bytes(owner), now_ms)
            book.readers[digest] = Reader(_bytes(owner), until_ms)
        case m.RevokeReader(reader=reader):
            del book.readers[_bytes(reader)]
        case m.AppointKey(key=key, role=role):
            book.roles[_bytes(key)] = role
        case m.CancelOrder(pool=pool, owner=owner, order=order):
            name = _bytes(pool) + _bytes(owner) + _bytes(order)
            end = now_ms + ORDER_DAYS_MAX * DAY_MS
            book.fill(name, AMOUNT_WHOLE, end, now_ms)
        case m.CancelOrders(pool=pool, owner=owner, before=before):
            place = _bytes(pool) + _bytes(owner)
            book.floors[place] = max(book.floors.get(place, 0), before)


def cap_units(notional_max: str, decimals: int) -> int:
    """A session key's cap in quote units, rounded down."""
    exact: int = scaled(notional_max, 10**CAP_DECIMALS)
    return exact // 10 ** (CAP_DECIMALS - decimals)
