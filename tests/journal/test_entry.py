"""The chain of hashes: what it covers, and that nothing else gives the same head."""

import hashlib
import struct

import pytest

from ringfence.journal.entry import BODY_BYTES_MAX, GENESIS, Entry, chain, check_fields

POOL = bytes(range(32))


def test_a_head_covers_the_previous_one_and_every_field_with_its_length():
    encoding = struct.pack(">qqIII", 7, 1_700_000_000, 4, 32, 3) + b"pool" + POOL + b"abc"
    expected = hashlib.sha256(GENESIS + encoding).digest()
    assert chain(GENESIS, 7, 1_700_000_000, "pool", POOL, b"abc") == expected


def test_the_encoding_is_frozen():
    assert GENESIS.hex() == "571e521eb7843a3ba2d2a71312b31a701592920ae152bbaacaca25ab03b1ffca"
    assert (
        chain(GENESIS, 1, 2, "venue", b"", b"body").hex()
        == "baabf562d4eed955e2c1c0af7d14f3fc549a28fb0c51ad4cca055519ad5c08bd"
    )


def test_moving_a_byte_between_fields_changes_the_head():
    heads = [
        chain(GENESIS, 1, 2, "ab", b"", b"c"),
        chain(GENESIS, 1, 2, "a", b"", b"bc"),
        chain(GENESIS, 1, 2, "abc", b"", b""),
        chain(GENESIS, 1, 2, "ab", b"c", b""),
        chain(GENESIS, 2, 1, "ab", b"", b"c"),
        chain(GENESIS, 1, -2, "ab", b"", b"c"),
        chain(bytes(32), 1, 2, "ab", b"", b"c"),
    ]
    assert len(set(heads)) == len(heads)


def test_an_entry_cannot_be_changed():
    entry = Entry(1, 2, "pool", POOL, b"body", GENESIS)
    with pytest.raises(AttributeError):
        entry.body = b"other"


@pytest.mark.parametrize(
    ("time_ns", "kind", "pool", "body", "reason"),
    [
        (-1, "pool", POOL, b"", "time_ns -1"),
        (2**63, "pool", POOL, b"", "time_ns 9223372036854775808"),
        (0, "", POOL, b"", "kind ''"),
        (0, "two words", POOL, b"", "kind 'two words'"),
        (0, "k" * 33, POOL, b"", "kind 'kkk"),
        (0, "päöl", POOL, b"", "kind 'päöl'"),
        (0, "pool", POOL[:-1], b"", "pool has 31 bytes"),
        (0, "pool", POOL, bytes(BODY_BYTES_MAX + 1), "split the batch"),
    ],
)
def test_what_no_entry_can_hold_is_refused(time_ns, kind, pool, body, reason):
    with pytest.raises(ValueError, match=reason):
        check_fields(time_ns, kind, pool, body)


def test_the_last_value_of_every_limit_is_accepted():
    check_fields(0, "k", b"", b"")
    check_fields(2**63 - 1, "k" * 32, POOL, bytes(BODY_BYTES_MAX))
