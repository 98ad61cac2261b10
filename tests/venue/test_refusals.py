"""What cannot be read is an error that names the value and the fix, and leaves no trace."""

import msgspec
import numpy as np
import pytest
from tests.venue.scene import ALICE, ALPHA, BOB, CREATOR, STRANGER, Scene

from ringfence.core.reading import SpecError
from ringfence.venue import commands as c
from ringfence.venue.encoding import CommandError, encoder_of
from ringfence.venue.state import RefusedError


@pytest.fixture(scope="module")
def scene():
    return Scene.set_up()


@pytest.fixture
def untouched(scene):
    """Neither the state nor the journal may change in a test."""
    digest, seq = scene.venue.state.digest(), scene.venue.journal.seq
    yield scene.venue
    assert scene.venue.state.digest() == digest
    assert scene.venue.journal.seq == seq


def deposit(**changes):
    return c.Deposit(**{"pool": "alpha", "owner": ALICE, "asset": "USDC", "amount": "1"} | changes)


def trade(**changes):
    fields = {"pool": "alpha", "owner": ALICE, "other": BOB, "price": "2000"}
    return c.Trade(**fields | {"instrument": "ETH-PERP", "size": "1"} | changes)


INDEX = {"pool": "alpha", "underlying": "ETH", "price": "1", "publish_time_ns": 1}

UNREADABLE = [
    (deposit(pool="gamma"), "no pool named 'gamma'; give the id"),
    (deposit(owner="alice"), "owner 'alice' is not an address; write 0x and 40 hex digits"),
    (deposit(owner="0x" + "zz" * 20), "is not an address"),
    (deposit(owner="0x" + "11" * 19), "is not an address"),
    (deposit(owner=STRANGER), f"owner {STRANGER} is not registered"),
    (deposit(asset="DOGE"), "no asset 'DOGE' in this pool; it has USDC, ETH"),
    (deposit(amount=""), "amount: '' is not a decimal number"),
    (deposit(amount="ten"), "amount: 'ten' is not a decimal number"),
    (deposit(amount="nan"), "amount: 'nan' is not a finite number"),
    (deposit(amount="-inf"), "amount: '-inf' is not a finite number"),
    (deposit(amount="0.0000001"), "'0.0000001' has more than 6 decimals"),
    (deposit(amount="1e30"), "does not fit into 64 bits"),
    (trade(instrument="XRP-PERP"), "no instrument 'XRP-PERP'.*ETH-PERP, ETH-DEC, BTC-PERP"),
    (trade(size="0.000000001"), "size: '0.000000001' has more than 8 decimals"),
    (trade(price="x"), "price: 'x' is not a decimal number"),
    (trade(other="0x"), "owner '0x' is not an address"),
    (c.SetIndexPrice(**INDEX | {"underlying": "XRP"}), "no underlying 'XRP'.*it has ETH, BTC"),
    (c.SetIndexPrice(**INDEX | {"flag": "bad"}), "flag is 'bad'; it must be none or divergent"),
    (c.SetIndexPrice(**INDEX | {"publish_time_ns": 2**63}), "does not fit into 64 bits"),
    (c.Redeem(pool="alpha", owner=ALICE, shares="0.5"), "shares: '0.5' has more than 0 decimals"),
    (
        c.AnnounceChange(pool="alpha", parameter="colour", value=1, start_ns=1),
        "there is no parameter 'colour'",
    ),
]


@pytest.mark.parametrize(("command", "message"), UNREADABLE)
def test_an_unreadable_command_names_value_and_fix_and_journals_nothing(
    untouched, command, message
):
    with pytest.raises(CommandError, match=message):
        untouched.execute(command)


@pytest.mark.parametrize(
    ("owner", "asset", "amount", "message"),
    [
        ("bob", "USDC", "1", "owner 'bob' is not an address"),
        (ALICE, "DOGE", "1", "asset 'DOGE' is not listed in this venue"),
        (ALICE, "USDC", "1.0000001", "more than 6 decimals"),
        (ALICE, "USDC", "many", "amount: 'many' is not a decimal number"),
    ],
)
@pytest.mark.parametrize("edge", ["receive", "send"])
def test_the_edge_refuses_what_it_cannot_read(untouched, edge, owner, asset, amount, message):
    with pytest.raises(CommandError, match=message):
        getattr(untouched, edge)(owner, asset, amount)


def test_a_view_of_what_does_not_exist_is_an_error(untouched):
    with pytest.raises(CommandError, match="no pool named 'gamma'"):
        untouched.pool("gamma")
    with pytest.raises(CommandError, match="has no account 7 in alpha"):
        untouched.account("alpha", ALICE, number=7)
    with pytest.raises(CommandError, match="is not registered"):
        untouched.wallet(STRANGER)


@pytest.mark.parametrize(
    ("edge", "amount", "message"),
    [
        ("receive", "0", "amount 0 must lie between 1 and"),
        ("receive", "-1", "amount -1000000 must lie between"),
        ("receive", "9007199254.740992", "must lie between"),
        ("receive", "9007199254.740991", "the wallet would exceed"),
        ("send", "0", "amount 0 must lie between"),
        ("send", "100000.000001", "amount 100000000001 exceeds the wallet by 1"),
    ],
)
def test_money_that_cannot_move_is_refused_and_the_refusal_is_journaled(
    scene, edge, amount, message
):
    digest, seq = scene.venue.state.digest(), scene.venue.journal.seq
    with pytest.raises(RefusedError, match=message):
        getattr(scene.venue, edge)(ALICE, "USDC", amount)
    assert scene.venue.state.digest() == digest
    assert scene.venue.journal.seq == seq + 1


def test_the_whole_wallet_can_be_sent_and_comes_back():
    venue = Scene.set_up().venue
    assert venue.send(ALICE, "USDC", "100000").ok
    assert venue.wallet(ALICE) == {"USDC": 0, "ETH": 10 * 10**8}
    assert venue.receive(ALICE, "USDC", "100000").ok
    assert venue.wallet(ALICE)["USDC"] == 100_000 * 10**6


def test_a_deposit_beyond_the_wallet_is_refused_by_one_unit():
    scene = Scene.set_up()
    refused = scene.venue.execute(deposit(amount="100000.000001"))
    assert (refused.ok, refused.status) == (False, "exceeds_wallet")
    scene.deposit(ALICE, "100000")
    assert scene.venue.wallet(ALICE)["USDC"] == 0


def test_a_withdrawal_pays_for_the_deposit_behind_it_in_one_batch():
    scene = Scene.set_up()
    scene.deposit(ALICE, "100000")
    venue = scene.venue
    out = c.Withdraw(pool="alpha", owner=ALICE, asset="USDC", amount="60000")
    encoder = encoder_of(venue.state, venue.record("alpha"))
    batch = np.concatenate([encoder.row(out), encoder.row(deposit(amount="59999.999999"))])
    assert venue.execute_many("alpha", batch).statuses.tolist() == [0, 0]
    assert venue.wallet(ALICE)["USDC"] == 1


def test_a_pool_twice_unlisted_or_unsafe_is_refused_with_the_fix():
    venue = Scene.set_up().venue
    replace = msgspec.structs.replace
    with pytest.raises(RefusedError, match="exists; change its name or salt"):
        venue.create_pool(ALPHA, CREATOR)
    with pytest.raises(RefusedError, match="asset EURC is not listed"):
        venue.create_pool(replace(ALPHA, settlement="EURC"), CREATOR)
    with pytest.raises(RefusedError, match="USDC has 6 decimals in this venue, not 5"):
        venue.create_pool(replace(ALPHA, name="five", settlement_decimals=5), CREATOR)
    haircut = replace(ALPHA.collateral[0].haircut, initial="0.01")
    unsafe = replace(
        ALPHA, name="unsafe", collateral=(replace(ALPHA.collateral[0], haircut=haircut),)
    )
    with pytest.raises(SpecError, match="must not rise"):
        venue.create_pool(unsafe, CREATOR)
    assert len(venue.state.pools) == 2
    assert venue.verify() == [], "refusals are journaled and replayed too"
