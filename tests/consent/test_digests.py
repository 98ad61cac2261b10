"""Digests are those of EIP-712, as eth-account computes them independently."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consent.ceremony import ANN, DOMAIN
from tests.venue.scene import ALPHA

from ringfence.signing.keys import LOWER_S_MAX, SigningKey, keccak, recover
from ringfence.signing.typed import Domain, TypedDataError, TypedStruct
from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m

VALUES = {
    "address": st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex()),
    "bytes32": st.binary(min_size=32, max_size=32).map(lambda b: "0x" + b.hex()),
    "uint64": st.integers(0, 2**64 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
}
VALUES |= {f"{kind}[]": st.lists(values, max_size=4) for kind, values in VALUES.items()}
DOMAINS = st.builds(
    Domain,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text("0123456789.", max_size=5),
    st.integers(0, 2**63),
    VALUES["bytes32"],
)


def theirs(struct: TypedStruct, domain: Domain, values: dict) -> bytes:
    """The digest of eth-account for the same message."""
    signable = encode_typed_data(
        domain_data={
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "salt": bytes.fromhex(domain.venue_id[2:]),
        },
        message_types={struct.name: [{"name": name, "type": kind} for name, kind in struct.fields]},
        message_data=values,
    )
    return keccak(b"\x19\x01" + signable.header + signable.body)


@pytest.mark.parametrize("line", m.LINES.values(), ids=lambda line: line.split("(")[0])
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_a_digest_is_that_of_eth_account(line, data):
    struct = TypedStruct(line)
    domain = data.draw(DOMAINS)
    values = {name: data.draw(VALUES[kind]) for name, kind in struct.fields}
    assert struct.digest(domain.separator(), values) == theirs(struct, domain, values)


def samples() -> list[m.Signable | m.Order]:
    """A command of each layout that differs from what is sent: ids, arrays, hashes, orders."""
    pool = "ab" * 32
    order = m.Order(pool=pool, owner=ANN.owner, instrument="X", size="-1", price="2")
    by = m.Authorisation(signer=ANN.owner, nonce="1", expires_ms=2, signature="0x" + "00" * 65)
    signed = m.SignedOrder(order=order, authorisation=by)
    return [
        c.Deposit(pool=pool, owner=ANN.owner, asset="USDC", amount="1.50"),
        c.Protect(pool=pool, owner=ANN.owner, budget="2", may_reduce=True),
        c.AnnounceChange(pool=pool, parameter="haircut", value=-5, start_ns=2**62),
        m.GrantKey(
            owner=ANN.owner,
            key=ANN.owner,
            scopes=("trade", "keep"),
            pools=(pool, "cd" * 32),
            notional_max="5",
            until_ms=9,
        ),
        m.CreatePool(owner=ANN.owner, spec=ALPHA),
        m.Match(pool=pool, maker=signed, taker=signed, size="1"),
        order,
    ]


@pytest.mark.parametrize("command", samples(), ids=lambda command: type(command).__name__)
def test_what_a_wallet_is_shown_has_the_digest_that_the_venue_wants(command):
    nonce, end = 1_700_000_000_000, 2**53
    shown = encode_typed_data(full_message=m.typed_data(command, nonce, end, DOMAIN))
    theirs = keccak(b"\x19\x01" + shown.header + shown.body)
    assert theirs == m.digest_of(command, nonce, end, DOMAIN.separator())


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**255))
def test_a_signature_is_that_of_eth_account_and_gives_its_address(digest, number):
    secret = number.to_bytes(32)
    key, account = SigningKey(secret), Account.from_key(secret)
    assert key.owner == account.address.lower()
    signature = key.sign(digest)
    assert signature == bytes(account.unsafe_sign_hash(digest).signature)
    assert int.from_bytes(signature[32:64]) <= LOWER_S_MAX
    assert recover(digest, signature) == key.address


@pytest.mark.parametrize("kind", m.LINES, ids=lambda kind: kind.__name__)
def test_every_field_of_a_command_is_signed(kind):
    names = [name for name, _ in TypedStruct(m.LINES[kind]).fields]
    assert names == [*kind.__struct_fields__, "nonce", "expires_ms"]
    assert m.LINES[kind].startswith(kind.__name__ + "(")


def test_every_command_can_be_signed():
    signable = {*m.Signable.__args__, m.Order}
    assert set(m.LINES) == signable
    assert set(c.AnyCommand.__args__) <= signable


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("address", "0x" + "1" * 39),
        ("address", "1" * 40),
        ("address", "0x" + "1 " * 20),
        ("bytes32", "12" * 31),
        ("bytes32", "12" * 31 + " 1"),
        ("uint64", -1),
        ("uint64", 2**64),
        ("int64", 2**63),
        ("int64", -(2**63) - 1),
        ("string", "\ud800"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_by_name(kind, value):
    struct = TypedStruct(f"Thing({kind} field)")
    with pytest.raises(TypedDataError, match=r"^field: "):
        struct.digest(DOMAIN.separator(), {"field": value})


def test_a_key_does_not_show_itself():
    assert "secret" not in repr(ANN)
    assert repr(ANN) == f"SigningKey of {ANN.owner}"
    with pytest.raises(ValueError, match="64 hex digits") as error:
        SigningKey.from_hex("0xabc")
    assert "abc" not in str(error.value)
    for secret in ("00" * 32, "ff" * 32):
        with pytest.raises(ValueError, match="not a private key"):
            SigningKey.from_hex(secret)


def test_a_new_key_signs():
    key = SigningKey.generate()
    assert recover(bytes(32), key.sign(bytes(32))) == key.address
    assert SigningKey.from_hex("0x" + "01" * 32).owner == SigningKey(b"\x01" * 32).owner
