"""Signatures of owners: secp256k1 keys, and EIP-712 digests of fixed layout; no venue, no clock."""
