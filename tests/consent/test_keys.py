"""Session keys, roles and read-only keys: granted once, within limits, and gone for ever."""

import pytest
from tests.consent.ceremony import (
    ADMIN,
    ANN,
    BEN,
    CUSTODIAN,
    EVE,
    MINUTE_MS,
    ORACLE,
    SESSION,
    Ceremony,
    key,
    signature,
)

from ringfence.service import auth
from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.book import KEYS_MAX, READERS_MAX
from ringfence.venue.consent.keys import POOLS_MAX
from ringfence.venue.state import Found, RefusedError

MASTER = b"m" * 32


@pytest.fixture
def venue():
    return Ceremony()


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ()},
        {"scopes": ("trade", "trade")},
        {"scopes": ("send",)},
        {"scopes": ("govern", "trade")},
        {"pools": ("00" * 32,)},
        {"notional_max": "-1"},
        {"notional_max": "much"},
        {"key": BEN.owner},
        {"key": ADMIN.owner},
        {"until_ms": 1},
    ],
    ids=str,
)
def test_a_grant_that_breaks_a_rule_is_refused(venue, change):
    holder = {BEN.owner: BEN, ADMIN.owner: ADMIN}.get(change.get("key"), SESSION)
    assert venue.tries(venue.grant(**change), ANN, holder) == "refused"


def test_a_grant_lists_each_pool_once_and_few_of_them(venue):
    assert venue.tries(venue.grant(pools=(venue.pool,) * 2), ANN, SESSION) == "refused"
    many = tuple(f"{number:064x}" for number in range(POOLS_MAX + 1))
    assert venue.tries(venue.grant(pools=many), ANN, SESSION) == "refused"


def test_a_session_key_cannot_grant(venue):
    venue.must(venue.grant(scopes=("trade", "collateral", "lend", "keep")), ANN, SESSION)
    other = key("other")
    assert venue.tries(venue.grant(key=other.owner), SESSION, other) == "not_allowed"


def test_what_a_key_with_the_scope_bid_takes_on_counts_against_its_cap():
    venue = Ceremony()
    venue.must(venue.grant(scopes=("bid",), notional_max="150"), ANN, SESSION)
    names = {"pool": venue.pool, "owner": ANN.owner}
    venue.must(venue.deposit(ANN), ANN)
    give = c.SupplyBackstop(**names, amount="100")
    assert venue.tries(give, SESSION) == "ok"
    assert venue.tries(give, SESSION) == "cap_exceeded"
    assert venue.tries(c.RedeemBackstop(**names, shares="1"), SESSION) != "cap_exceeded"
    # Ben's position is 0.1 at 2,000: half of it is within what is left, the whole is not.
    venue.must(venue.deposit(BEN), BEN)
    venue.must(venue.trade(), ANN, BEN)
    bid = {**names, "other": BEN.owner}
    assert venue.tries(c.Bid(**bid, share="0.25"), SESSION) == "auction_is_not_running"
    assert venue.tries(c.Bid(**bid, share="0.26"), SESSION) == "cap_exceeded"
    buy = c.BuyFromBackstop(**names, instrument="ETH-PERP", size="0.1")
    assert venue.tries(buy, SESSION) == "cap_exceeded"
    coins = c.BuyCollateral(**names, asset="ETH", amount="0.1")
    assert venue.tries(coins, SESSION) == "cap_exceeded"


def test_nobody_grants_the_address_of_another(venue):
    assert venue.tries(venue.grant(key=key("victim").owner), ANN) == "authorisation_missing"


def test_a_revoked_key_never_returns(venue):
    venue.must(venue.grant(), ANN, SESSION)
    assert venue.tries(venue.trade(), SESSION, BEN) == "ok"
    early = venue.sign(venue.trade(), SESSION, BEN)
    venue.must(m.RevokeKey(owner=ANN.owner, key=SESSION.owner), ANN)
    assert venue.answer(early) == "key_revoked"
    assert venue.tries(venue.trade(), SESSION, BEN) == "key_revoked"
    assert venue.tries(venue.grant(), ANN, SESSION) == "key_revoked"
    of_ben = venue.grant(owner=BEN.owner)
    assert venue.tries(of_ben, BEN, SESSION) == "key_revoked"
    assert venue.tries(m.Register(owner=SESSION.owner), SESSION) == "key_revoked"
    with pytest.raises(RefusedError, match="is or was a key"):
        venue.venue.register(SESSION.owner)


def test_a_key_may_revoke_itself(venue):
    venue.must(venue.grant(), ANN, SESSION)
    assert venue.tries(m.RevokeKey(owner=ANN.owner, key=SESSION.owner), SESSION) == "ok"
    assert venue.tries(venue.trade(), SESSION, BEN) == "key_revoked"


def test_a_live_key_is_not_granted_again(venue):
    venue.must(venue.grant(), ANN, SESSION)
    assert venue.tries(venue.grant(notional_max="9999999"), ANN, SESSION) == "refused"


def test_a_key_ends_with_its_time(venue):
    venue.must(venue.grant(until_ms=venue.now_ms + 1_000), ANN, SESSION)
    venue.scene.tick(1)
    assert venue.tries(venue.trade(), SESSION, BEN) == "ok"  # the last ms counts
    venue.scene.clock.set(venue.scene.clock.now_ns() + 10**6)
    assert venue.tries(venue.trade(), SESSION, BEN) == "authorisation_expired"


def test_a_cap_counts_notional_over_the_life_of_a_key(venue):
    venue.must(venue.grant(notional_max="500"), ANN, SESSION)
    assert venue.tries(venue.trade("0.251"), SESSION, BEN) == "cap_exceeded"  # 502
    assert venue.tries(venue.trade("0.2"), SESSION, BEN) == "ok"  # 400
    assert venue.tries(venue.trade("-0.051"), SESSION, BEN) == "cap_exceeded"  # 102 more
    assert venue.tries(venue.trade("-0.05"), SESSION, BEN) == "ok"
    assert venue.tries(venue.trade("0.001"), SESSION, BEN) == "cap_exceeded"
    assert venue.tries(venue.trade("0.001"), ANN, BEN) == "ok"  # the wallet has none
    used = venue.venue.state.book.used_of(SESSION.address, bytes.fromhex(venue.pool))
    assert used == 500 * 10**6


def test_a_cap_counts_loans_and_fills_and_not_what_is_refused(venue):
    venue.must(venue.grant(notional_max="500", scopes=("trade", "lend")), ANN, SESSION)
    borrow = c.Borrow(pool=venue.pool, owner=ANN.owner, amount="501")
    assert venue.tries(borrow, SESSION) == "cap_exceeded"
    lend = c.Borrow(pool=venue.pool, owner=ANN.owner, amount="400")
    assert venue.tries(lend, SESSION) == "exceeds_lender_cash"  # and it used nothing
    maker = venue.order(BEN, "-1")
    order = venue.order(ANN, "1").order
    by = signature(order, SESSION, venue.nonce(), venue.now_ms + MINUTE_MS)
    taker = m.SignedOrder(order=order, authorisation=by)
    fill = {"pool": venue.pool, "maker": maker, "taker": taker}
    assert venue.tries(m.Match(**fill, size="0.251"), BEN) == "cap_exceeded"
    assert venue.tries(m.Match(**fill, size="0.25"), BEN) == "ok"
    assert venue.tries(m.Match(**fill, size="0.001"), BEN) == "cap_exceeded"


def test_an_owner_has_so_many_keys_and_no_more(venue):
    for number in range(KEYS_MAX):
        of = key(f"one of many {number}")
        venue.must(venue.grant(key=of.owner), ANN, of)
    assert venue.tries(venue.grant(), ANN, SESSION) == "refused"
    first = key("one of many 0")
    venue.must(m.RevokeKey(owner=ANN.owner, key=first.owner), ANN)
    assert venue.tries(venue.grant(), ANN, SESSION) == "ok"


def test_roles_are_appointed_and_dismissed_by_an_admin(venue):
    oracle = key("another oracle")
    price = c.SetMarkPrice(pool=venue.pool, instrument="ETH-PERP", price="2001")
    assert venue.tries(price, oracle) == "key_unknown"
    wrong = m.AppointKey(key=oracle.owner, role="king")
    assert venue.tries(wrong, ADMIN, oracle) == "refused"
    venue.must(m.AppointKey(key=oracle.owner, role="oracle"), ADMIN, oracle)
    assert venue.tries(price, oracle) == "ok"
    venue.must(m.DismissKey(key=oracle.owner), ADMIN)
    assert venue.tries(price, oracle) == "key_revoked"
    again = m.AppointKey(key=oracle.owner, role="oracle")
    assert venue.tries(again, ADMIN, oracle) == "key_revoked"
    assert venue.tries(m.DismissKey(key=oracle.owner), ADMIN) == "refused"
    assert venue.tries(m.AppointKey(key=ANN.owner, role="oracle"), ADMIN, ANN) == "refused"


def test_the_last_admin_stays(venue):
    assert venue.tries(m.DismissKey(key=ADMIN.owner), ADMIN) == "refused"
    other = key("another admin")
    venue.must(m.AppointKey(key=other.owner, role="admin"), ADMIN, other)
    venue.must(m.DismissKey(key=ADMIN.owner), other)
    assert venue.tries(m.ListAsset(asset="X", decimals=1), ADMIN) == "key_revoked"
    assert venue.tries(m.ListAsset(asset="X", decimals=1), other) == "ok"


def test_a_venue_is_founded_once(venue):
    domain = venue.venue.state.book.domain
    with pytest.raises(RefusedError, match="founded"):
        venue.venue.found(domain, key("usurper").owner)
    assert isinstance(Found(domain, bytes(20), requires_consent=False), Found)


def test_money_crosses_the_edge_by_custodian_and_wallet(venue):
    stranger = key("stranger")
    money = m.Receive(owner=stranger.owner, asset="USDC", amount="5")
    assert venue.tries(money, CUSTODIAN) == "command_unreadable"  # not registered
    venue.must(m.Register(owner=stranger.owner), stranger)
    assert venue.tries(m.Register(owner=stranger.owner), stranger) == "refused"
    assert venue.tries(money, CUSTODIAN) == "ok"
    send = m.Send(owner=stranger.owner, asset="USDC", amount="6")
    receipt = venue.give(venue.sign(send, stranger))
    assert (receipt.ok, receipt.status) == (False, "refused")
    assert "exceeds the wallet" in receipt.reason
    assert venue.tries(m.Send(owner=stranger.owner, asset="USDC", amount="5"), stranger) == "ok"
    assert venue.venue.wallet(stranger.owner)["USDC"] == 0


def reading(venue: Ceremony, reader: str, path: str = "/v1/venue", **changes: object) -> str:
    """Code of a request with a read-only key, or whose it is."""
    book = venue.venue.state.book
    secret = auth.secret_of(MASTER, bytes.fromhex(reader))
    now = 1_000_000
    signed = auth.request_signature(secret, now, "GET", path)
    given = {"key": reader, "time": str(now), "signature": signed} | changes
    headers = (given["key"], given["time"], given["signature"])
    now_ms = given.get("now", now)
    try:
        found = auth.reader_of(book, MASTER, headers, ("GET", path), now_ms, venue.now_ms)
    except auth.AuthError as error:
        return error.code
    return found.owner.hex()


def test_a_read_only_key_reads_for_its_owner_until_it_ends(venue):
    end = venue.now_ms + 1_000
    reader = venue.must(m.GrantReader(owner=ANN.owner, until_ms=end), ANN).created
    assert reading(venue, reader) == ANN.address.hex()
    assert reading(venue, reader, path="/v1/owners") == ANN.address.hex()
    for change in (
        {"time": "1000001"},
        {"signature": "00" * 32},
        {"signature": "\u00e9"},
        {"key": "11" * 32},
    ):
        assert reading(venue, reader, **change) == "signature_invalid"
    secret = auth.secret_of(MASTER, bytes.fromhex(reader))
    of_another_path = auth.request_signature(secret, 1_000_000, "GET", "/v1/owners")
    assert reading(venue, reader, signature=of_another_path) == "signature_invalid"
    assert (
        reading(venue, reader, key="x") == reading(venue, reader, time="x") == "signature_invalid"
    )
    assert reading(venue, reader, now=1_030_000) == ANN.address.hex()
    assert reading(venue, reader, now=1_030_001) == "authorisation_expired"
    assert reading(venue, reader, now=969_999) == "authorisation_expired"
    venue.scene.clock.set((end + 1) * 10**6)
    assert reading(venue, reader) == "authorisation_expired"


def test_a_read_only_key_ends_when_it_is_revoked(venue):
    grant = m.GrantReader(owner=ANN.owner, until_ms=venue.now_ms + MINUTE_MS)
    reader = venue.must(grant, ANN).created
    venue.must(m.RevokeReader(owner=ANN.owner, reader=reader), ANN)
    assert reading(venue, reader) == "key_unknown"


def test_read_only_keys_are_few_and_those_that_ended_do_not_count(venue):
    grant = m.GrantReader(owner=ANN.owner, until_ms=venue.now_ms + 1_000)
    for _ in range(READERS_MAX):
        venue.must(grant, ANN)
    assert venue.tries(grant, ANN) == "refused"
    venue.scene.tick(2)
    late = m.GrantReader(owner=ANN.owner, until_ms=venue.now_ms + 1_000)
    assert venue.tries(late, ANN) == "ok"
    assert len(venue.venue.state.book.readers) == 1
    assert venue.tries(m.GrantReader(owner=ANN.owner, until_ms=1), ANN) == "refused"


def test_a_read_only_key_sees_what_is_its_owners_alone(venue):
    identity = auth.Identity(auth.Class.READER, b"r", ANN.address)
    assert auth.authorise_view(identity, ANN.address) is None
    assert auth.authorise_view(identity, EVE.address).code == "not_allowed"
    nobody = auth.Identity(auth.Class.STRANGER, b"r")
    assert auth.authorise_view(nobody, b"").code == "not_allowed"
    assert ORACLE.address not in venue.venue.state.owners
