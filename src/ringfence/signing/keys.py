"""Keys on secp256k1 and the addresses they stand for.

A signature is 65 bytes: r, s and v. Of the two signatures that every digest has for one key,
(r, s, v) and (r, n - s, v with the other parity), only the one with the lower s is taken, so
that nobody but the holder of the key can make another signature out of one.

Source: Ethereum Yellow Paper, appendix F; EIP-2 (lower s).
"""

import os

import coincurve
from Crypto.Hash import keccak as _keccak

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
LOWER_S_MAX = ORDER // 2
SIGNATURE_BYTES = 65
SIGNATURE_PATTERN = r"^0x[0-9a-fA-F]{130}$"  # as it is written
V_OF_PARITY = 27  # v is 27 or 28


class SignatureError(ValueError):
    """A signature that nobody can have made in the one form that is taken."""


def keccak(data: bytes) -> bytes:
    """Keccak-256, as Ethereum has it."""
    return _keccak.new(digest_bits=256, data=data).digest()


def address_of(public_key: coincurve.PublicKey) -> bytes:
    """Address of a public key: the last 20 bytes of its hash."""
    return keccak(public_key.format(compressed=False)[1:])[-20:]


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address whose key made a signature of a digest.

    Raises:
        SignatureError: It has not 65 bytes, r or s is out of range, s is the higher one, or v
            is neither 27 nor 28.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    v = signature[64]
    if not 0 < r < ORDER:
        raise SignatureError("r of the signature is not between 1 and the order of the curve")
    if not 0 < s <= LOWER_S_MAX:
        raise SignatureError("s of the signature is not the lower of the two; sign canonically")
    if v not in {V_OF_PARITY, V_OF_PARITY + 1}:
        raise SignatureError(f"v of the signature is {v}; it must be 27 or 28")
    try:
        recoverable = signature[:64] + bytes([v - V_OF_PARITY])
        public_key = coincurve.PublicKey.from_signature_and_message(
            recoverable, digest, hasher=None
        )
    except Exception as error:  # coincurve raises a bare Exception for some r
        raise SignatureError(f"no key can have made this signature: {error}") from error
    return address_of(public_key)


class SigningKey:
    """A private key; it signs digests and shows its address, never itself."""

    def __init__(self, secret: bytes) -> None:
        self._key = coincurve.PrivateKey(secret)
        self.address = address_of(self._key.public_key)

    def __repr__(self) -> str:
        return f"SigningKey of {self.owner}"

    @property
    def owner(self) -> str:
        """The address as it is written: 0x and 40 hex digits."""
        return "0x" + self.address.hex()

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new key from the machine's entropy."""
        while True:
            secret = os.urandom(32)
            if 0 < int.from_bytes(secret) < ORDER:
                return cls(secret)

    @classmethod
    def from_hex(cls, secret: str) -> "SigningKey":
        """Return the key written as 64 hex digits, with or without 0x.

        Raises:
            ValueError: It is not such a key; the message does not repeat it.
        """
        try:
            number = bytes.fromhex(secret.strip().removeprefix("0x"))
        except ValueError:
            number = b""
        if len(number) != 32 or not 0 < int.from_bytes(number) < ORDER:
            raise ValueError("this is not a private key; write 64 hex digits")
        return cls(number)

    def sign(self, digest: bytes) -> bytes:
        """Return the 65-byte signature of a digest, with the lower s."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + V_OF_PARITY])
