"""Who may sign what: the table walked for every command, every kind of key and every object."""

import itertools

import msgspec
import pytest
from tests.consent.ceremony import (
    ADMIN,
    ANN,
    BEN,
    CUSTODIAN,
    EVE,
    GOVERNOR,
    MINUTE_MS,
    OPERATOR,
    ORACLE,
    Ceremony,
    key,
)
from tests.venue.scene import BETA

from ringfence.service import auth
from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.authority import ROLES, SCOPES, TABLE, Class, authorise, identify

STRANGER, REVOKED, EXPIRED = key("stranger"), key("revoked"), key("expired")
OF_SCOPE = {scope: key(f"scope {scope}") for scope in SCOPES}
ELSEWHERE = key("of the other pool")
OF_BEN = key("session of Ben")
CREATOR, OF_CREATOR = key("creator"), key("governs for the creator")

# Everybody who might sign, by name.
SIGNERS = {
    "ann": ANN,
    "ben": BEN,
    "eve": EVE,
    "creator": CREATOR,
    "admin": ADMIN,
    "custodian": CUSTODIAN,
    "operator": OPERATOR,
    "oracle": ORACLE,
    "governance": GOVERNOR,
    "stranger": STRANGER,
    "revoked": REVOKED,
    "expired": EXPIRED,
    "elsewhere": ELSEWHERE,
    "of ben": OF_BEN,
    "of creator": OF_CREATOR,
    **{f"ann {scope}": of for scope, of in OF_SCOPE.items()},
}
OWNERS = {"ann", "ben", "eve", "creator"}

# Who may give a consent to the command of Ann (with Ben, where it needs another one).
MAY = {
    c.OpenAccount: {"ann", "ann collateral"},
    c.Deposit: {"ann", "ann collateral"},
    c.Withdraw: {"ann", "ann collateral"},
    c.FundInsurance: {"ann"},
    c.Supply: {"ann", "ann lend"},
    c.Redeem: {"ann", "ann lend"},
    c.Borrow: {"ann", "ann lend"},
    c.Repay: {"ann", "ann lend"},
    c.Exchange: {"ann", "ben"},
    c.Trade: {"ann", "ann trade", "ben", "of ben"},
    c.OpenPosition: {"ann", "ben", "of ben"},
    c.FundBond: {"ann"},
    c.ReleaseBond: {"ann"},
    c.Protect: {"ann"},
    c.SupplyBackstop: {"ann"},
    c.RedeemBackstop: {"ann"},
    c.BuyFromBackstop: {"ann"},
    c.BuyCollateral: {"ann"},
    c.Bid: {"ann"},
    c.TopUp: {*OWNERS, "ann keep", "operator"},
    c.Reduce: {*OWNERS, "ann keep", "operator"},
    c.Warn: {*OWNERS, "ann keep", "operator"},
    c.Deleverage: {*OWNERS, "ann keep", "operator"},
    c.EndPool: {*OWNERS, "ann keep", "operator"},
    c.Liquidate: {*OWNERS, "ann keep", "operator"},
    c.Settle: {*OWNERS, "ann keep", "operator"},
    c.Expire: {*OWNERS, "ann keep", "operator"},
    c.SetIndexPrice: {"oracle"},
    c.SetMarkPrice: {"oracle"},
    c.AccrueFunding: {"oracle"},
    c.AnnounceChange: {"creator", "of creator", "governance"},
    c.CancelChange: {"creator", "of creator", "governance"},
    m.Register: {"ann"},
    m.Receive: {"custodian"},
    m.Send: {"ann"},
    m.ListAsset: {"admin"},
    m.CreatePool: {"ann"},
    m.GrantKey: {"ann", "stranger"},
    m.RevokeKey: {"ann", "ann trade"},
    m.GrantReader: {"ann"},
    m.RevokeReader: {"ann"},
    m.AppointKey: {"admin", "stranger"},
    m.DismissKey: {"admin"},
    m.Order: {"ann", "ann trade"},
    m.CancelOrder: {"ann", "ann trade"},
    m.CancelOrders: {"ann", "ann trade"},
    m.Match: {"ann", "ann trade", "ben", "of ben", "operator"},
}


def cast() -> Ceremony:
    """A venue in which everybody of SIGNERS is what their name says."""
    venue = Ceremony()
    venue.must(m.Register(owner=CREATOR.owner), CREATOR)
    spec = msgspec.structs.replace(BETA, name="gamma")
    venue.pool = venue.must(m.CreatePool(owner=CREATOR.owner, spec=spec), CREATOR).created
    wide = {"notional_max": "1000000", "pools": (venue.pool,)}
    for scope, of in OF_SCOPE.items():
        venue.must(venue.grant(key=of.owner, scopes=(scope,), **wide), ANN, of)
    everything = ("trade", "collateral", "lend", "keep")
    elsewhere = {"scopes": everything, "pools": (venue.other_pool,)}
    venue.must(venue.grant(key=ELSEWHERE.owner, **elsewhere), ANN, ELSEWHERE)
    of_ben = {"owner": BEN.owner, "key": OF_BEN.owner, "scopes": ("trade",)}
    venue.must(venue.grant(**of_ben, **wide), BEN, OF_BEN)
    of_creator = {"owner": CREATOR.owner, "key": OF_CREATOR.owner, "scopes": ("govern",)}
    venue.must(venue.grant(**of_creator, **wide), CREATOR, OF_CREATOR)
    soon = {"key": EXPIRED.owner, "scopes": everything, "until_ms": venue.now_ms + 1, **wide}
    venue.must(venue.grant(**soon), ANN, EXPIRED)
    venue.must(venue.grant(key=REVOKED.owner, scopes=everything, **wide), ANN, REVOKED)
    venue.must(m.RevokeKey(owner=ANN.owner, key=REVOKED.owner), ANN)
    venue.scene.tick()
    return venue


@pytest.fixture(scope="module")
def venue():
    return cast()


def commands(venue: Ceremony) -> dict[type, m.Signable | m.Order]:
    """One command of each kind, of Ann and, where it takes two, Ben."""
    account = {"pool": venue.pool, "owner": ANN.owner}
    both = {**account, "other": BEN.owner, "price": "2000"}
    pool, owner = {"pool": venue.pool}, {"owner": ANN.owner}
    legs = {"instrument": "ETH-PERP", "size": "0.1"}
    return {
        type(command): command
        for command in (
            c.OpenAccount(**account),
            c.Deposit(**account, asset="USDC", amount="1"),
            c.Withdraw(**account, asset="USDC", amount="1"),
            c.FundInsurance(**account, amount="1"),
            c.Supply(**account, amount="1"),
            c.Redeem(**account, shares="1"),
            c.Borrow(**account, amount="1"),
            c.Repay(**account, amount="1"),
            c.Exchange(**both, asset="ETH", amount="1"),
            c.Trade(**both, **legs),
            c.OpenPosition(**both, **legs, asset="USDC", amount="1"),
            c.FundBond(**account, amount="1"),
            c.ReleaseBond(**account, amount="1"),
            c.Protect(**account, budget="1", may_reduce=True),
            c.SupplyBackstop(**account, amount="1"),
            c.RedeemBackstop(**account, shares="1"),
            c.BuyFromBackstop(**account, instrument="ETH-PERP", size="0.1"),
            c.BuyCollateral(**account, asset="ETH", amount="0.1"),
            c.Bid(**account, other=BEN.owner),
            c.TopUp(**account, amount="1"),
            c.Reduce(**account),
            c.Warn(**account),
            c.Deleverage(**pool, instrument="ETH-PERP"),
            c.EndPool(**pool),
            c.Liquidate(**account),
            c.Settle(**pool),
            c.Expire(**pool, instrument="ETH-DEC"),
            c.SetIndexPrice(**pool, underlying="ETH", price="1", publish_time_ns=1),
            c.SetMarkPrice(**pool, instrument="ETH-PERP", price="1"),
            c.AccrueFunding(**pool, instrument="ETH-PERP", rate="0"),
            c.AnnounceChange(**pool, parameter="haircut", value=1, start_ns=1),
            c.CancelChange(**pool, change=0),
            m.Register(**owner),
            m.Receive(**owner, asset="USDC", amount="1"),
            m.Send(**owner, asset="USDC", amount="1"),
            m.ListAsset(asset="X", decimals=1),
            m.CreatePool(**owner, spec=BETA),
            venue.grant(key=STRANGER.owner),
            m.RevokeKey(**owner, key=OF_SCOPE["trade"].owner),
            m.GrantReader(**owner, until_ms=venue.now_ms + MINUTE_MS),
            m.RevokeReader(**owner, reader="00" * 32),
            m.AppointKey(key=STRANGER.owner, role="oracle"),
            m.DismissKey(key=ORACLE.owner),
            venue.order(ANN, "1").order,
            m.CancelOrder(**account, order="00" * 32),
            m.CancelOrders(**account, before=1),
            m.Match(**pool, maker=venue.order(ANN, "1"), taker=venue.order(BEN, "-1"), size="1"),
        )
    }


def test_the_matrix_covers_every_command():
    assert set(MAY) == set(TABLE) == set(m.LINES)


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_only_those_of_the_matrix_may_consent(venue, kind):
    command = commands(venue)[kind]
    state = venue.venue.state
    may = {
        name
        for name, signer in SIGNERS.items()
        if authorise(identify(state, signer.address, venue.now_ms), command, state) is None
    }
    assert may == MAY[kind]


@pytest.mark.parametrize(
    "kind", [kind for kind in TABLE if kind is not m.Order], ids=lambda kind: kind.__name__
)
def test_nobody_else_changes_anything(venue, kind):
    """P16: over the wire, every other signer is answered with a problem, and no byte changes."""
    command = commands(venue)[kind]
    refusals = {"not_allowed", "key_unknown", "key_revoked", "authorisation_expired"}
    for name, signer in SIGNERS.items():
        if name not in MAY[kind]:
            assert venue.tries(command, signer) in refusals, name  # which compares the digests
            partner = ANN if name != "ann" else BEN
            assert venue.tries(command, partner, signer) in refusals, name


@pytest.mark.parametrize(
    "kind", [c.Trade, c.Exchange, c.OpenPosition, m.GrantKey, m.AppointKey], ids=str
)
def test_one_of_two_consents_is_not_enough(venue, kind):
    command = commands(venue)[kind]
    for name in MAY[kind]:
        assert venue.tries(command, SIGNERS[name]) == "authorisation_missing"


def test_objects_of_others_are_out_of_reach(venue):
    """Object by object: accounts, wallets, keys, readers, orders, pools of somebody else."""
    reader = venue.must(
        m.GrantReader(owner=BEN.owner, until_ms=venue.now_ms + MINUTE_MS), BEN
    ).created
    of_ben = (
        c.Withdraw(pool=venue.pool, owner=BEN.owner, asset="USDC", amount="1"),
        c.Borrow(pool=venue.pool, owner=BEN.owner, amount="1"),
        m.Send(owner=BEN.owner, asset="USDC", amount="1"),
        m.RevokeKey(owner=BEN.owner, key=OF_BEN.owner),
        m.RevokeReader(owner=BEN.owner, reader=reader),
        m.CancelOrders(pool=venue.pool, owner=BEN.owner, before=1),
        venue.grant(owner=BEN.owner, key=STRANGER.owner),
    )
    for command, signer in itertools.product(of_ben, (ANN, EVE, ADMIN, GOVERNOR)):
        assert venue.tries(command, signer) == "not_allowed"
    # And one's own name on the object of another helps as little.
    own = {"owner": ANN.owner}
    assert venue.tries(m.RevokeKey(**own, key=OF_BEN.owner), ANN) == "refused"
    assert venue.tries(m.RevokeReader(**own, reader=reader), ANN) == "refused"


def test_a_creator_governs_its_own_pool_alone(venue):
    command = c.CancelChange(pool=venue.other_pool, change=0)
    for signer in (CREATOR, OF_CREATOR):
        assert venue.tries(command, signer) == "not_allowed"
    assert venue.tries(command, GOVERNOR) == "change_does_not_exist"


def test_a_key_without_pools_may_act_in_all_of_them(venue):
    command = c.Settle(pool=venue.other_pool)
    anywhere, here = key("anywhere"), OF_SCOPE["keep"]
    venue.must(venue.grant(key=anywhere.owner, scopes=("keep",), pools=()), ANN, anywhere)
    assert venue.tries(command, here) == "not_allowed"
    assert venue.tries(command, anywhere) == "ok"


def test_every_identity_has_its_class(venue):
    state, now = venue.venue.state, venue.now_ms
    found = {name: identify(state, of.address, now).kind for name, of in SIGNERS.items()}
    assert {name for name, kind in found.items() if kind is Class.WALLET} == OWNERS
    assert {name for name, kind in found.items() if kind is Class.ROLE} == set(ROLES)
    assert found["revoked"] is Class.REVOKED
    assert found["expired"] is Class.EXPIRED
    assert found["stranger"] is Class.STRANGER


def test_the_table_of_the_docs_names_every_command():
    from tests.architecture.test_tidy import ROOT

    page = (ROOT / "docs" / "reference" / "authentication.md").read_text()
    for kind in set(TABLE) - {m.Order}:
        name = kind.__name__.lower()
        assert f"| `{name}` | `{m.LINES[kind]}`" in page
        assert f"`{name}`" in page.split("## Who may sign what")[1].split("## Keys")[0]
    assert all(f"`{word}`" in page for word in (*ROLES, *SCOPES))


def test_every_code_has_its_status_in_the_docs():
    from tests.architecture.test_tidy import ROOT

    page = (ROOT / "docs" / "reference" / "authentication.md").read_text()
    for code, status in auth.STATUS.items():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| {status} |"))
        assert f"`{code}`" in row
