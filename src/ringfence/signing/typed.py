"""EIP-712 digests of structs whose layout is fixed when the program starts.

    digest = keccak(0x19 0x01 | domain separator | keccak(type hash | word of each field))

A type is written as EIP-712 writes it, `Deposit(bytes32 pool,address owner,string amount)`;
fields are `address`, `bytes32`, `uint64`, `int64`, `string`, or arrays of these. Structs do not
hold structs, so one line says everything about one message.

Source: EIP-712, "Definition of hashStruct" and "Definition of encodeData".
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from ringfence.signing.keys import keccak

WORD = 32
KEPT_MAX = 64  # characters of a text whose hash is kept

_BYTES32 = re.compile(r"(?:0x)?[0-9a-fA-F]{64}", re.ASCII)
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_TYPE = re.compile(r"(\w+)\(([^)]*)\)")
DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("salt", "bytes32"),
)
_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"

Encode = Callable[[Any], bytes]


class TypedDataError(ValueError):
    """A value that its field cannot hold; the message names both."""


class Domain(msgspec.Struct, frozen=True):
    """What a signature is bound to: this venue and no other."""

    name: str
    version: str
    chain_id: int
    venue_id: str  # 0x and 64 hex digits; the salt of EIP-712

    def separator(self) -> bytes:
        """Hash of the domain, which goes into every digest."""
        return _separator(self)


@lru_cache(maxsize=64)
def _separator(domain: Domain) -> bytes:
    return keccak(
        keccak(_DOMAIN_TYPE)
        + keccak(domain.name.encode())
        + keccak(domain.version.encode())
        + domain.chain_id.to_bytes(WORD)
        + _bytes32(domain.venue_id)
    )


def _bytes32(value: str) -> bytes:
    if _BYTES32.fullmatch(value) is None:
        raise TypedDataError(f"{value[:80]!r} is not 64 hex digits")
    return bytes.fromhex(value.removeprefix("0x"))


def _address(value: str) -> bytes:
    if ADDRESS.fullmatch(value) is None:
        raise TypedDataError(f"{value[:80]!r} is not an address; write 0x and 40 hex digits")
    return bytes.fromhex(value[2:]).rjust(WORD, b"\0")


def _uint64(value: int) -> bytes:
    if not 0 <= value < 2**64:
        raise TypedDataError(f"{value} is not from 0 to 2^64 - 1")
    return value.to_bytes(WORD)


def _int64(value: int) -> bytes:
    if not -(2**63) <= value < 2**63:
        raise TypedDataError(f"{value} does not fit into 64 bits")
    return value.to_bytes(WORD, signed=True)


def _bool(value: bool) -> bytes:  # noqa: FBT001 - a field's only value
    return int(value).to_bytes(WORD)


def _string(value: str) -> bytes:
    try:
        return _name(value) if len(value) <= KEPT_MAX else keccak(value.encode())
    except UnicodeEncodeError:
        raise TypedDataError("a text holds half of a surrogate pair") from None


@lru_cache(maxsize=4096)
def _name(value: str) -> bytes:
    """Hash of a short text; names of assets and instruments come again and again."""
    return keccak(value.encode())


ENCODERS: dict[str, Encode] = {
    "address": _address,
    "bytes32": _bytes32,
    "uint64": _uint64,
    "int64": _int64,
    "bool": _bool,
    "string": _string,
}


def _encoder(kind: str) -> Encode:
    """Encoder of a field type; an array is the hash of its words."""
    if not kind.endswith("[]"):
        return ENCODERS[kind]
    encode = ENCODERS[kind[:-2]]
    return lambda values: keccak(b"".join(encode(value) for value in values))


class TypedStruct:
    """One message type, read once from its line."""

    def __init__(self, line: str) -> None:
        match = _TYPE.fullmatch(line)
        assert match is not None, line
        self.line = line
        self.name = match[1]
        self.fields = tuple(
            (name, kind) for kind, name in (field.split(" ") for field in match[2].split(","))
        )
        self._hash = keccak(line.encode())
        self._encoders = tuple((name, _encoder(kind)) for name, kind in self.fields)

    def hash(self, values: Mapping[str, Any]) -> bytes:
        """Return hashStruct of a message.

        Raises:
            TypedDataError: A field cannot hold its value; the message names the field.
        """
        words = [self._hash]
        for name, encode in self._encoders:
            try:
                words.append(encode(values[name]))
            except TypedDataError as error:
                raise TypedDataError(f"{name}: {error}") from None
        return keccak(b"".join(words))

    def digest(self, separator: bytes, values: Mapping[str, Any]) -> bytes:
        """Return what is signed: the message within its domain."""
        return keccak(b"\x19\x01" + separator + self.hash(values))
