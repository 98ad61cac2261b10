"""Keys of the demo. Everybody knows them, so they are for play money and loopback only.

A venue that plays prices is founded with the demo's admin unless another one is named.
"""

from ringfence.signing.keys import SigningKey, keccak


def demo_key(name: str) -> SigningKey:
    """Return the demo's key of this name: a role, or whatever an example calls itself."""
    return SigningKey(keccak(b"ringfence demo " + name.encode()))
