"""Signed orders: whoever matches them stays within what both owners signed."""

import msgspec
import pytest
from tests.consent.ceremony import ANN, BEN, EVE, MINUTE_MS, OPERATOR, SESSION, Ceremony, signature

from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.book import DAY_MS, NONCE_AHEAD_MS, ORDER_DAYS_MAX


@pytest.fixture
def venue():
    return Ceremony()


def match(venue: Ceremony, maker: m.SignedOrder, taker: m.SignedOrder, size: str) -> m.Match:
    return m.Match(pool=venue.pool, maker=maker, taker=taker, size=size)


def held(venue: Ceremony) -> tuple[str, str]:
    """Sizes of Ann and Ben in ETH-PERP."""
    views = (venue.venue.account(venue.pool, of.owner) for of in (ANN, BEN))
    return tuple(next((p.size for p in view.positions), "0") for view in views)


def test_two_orders_trade_at_the_makers_price(venue):
    maker = venue.order(BEN, "-1", "1999")
    taker = venue.order(ANN, "1", "2003")
    for signer in (OPERATOR, ANN, BEN):
        receipt = venue.must(match(venue, maker, taker, "0.2"), signer)
        assert receipt.status == "ok"
    assert held(venue) == ("0.6", "-0.6")
    position = venue.venue.account(venue.pool, ANN.owner).positions[0]
    assert position.entry_price == "1999"


def test_fills_never_exceed_an_order(venue):
    maker, taker = venue.order(BEN, "-1"), venue.order(ANN, "3")
    assert venue.tries(match(venue, maker, taker, "0.7"), OPERATOR) == "ok"
    assert venue.tries(match(venue, maker, taker, "0.301"), OPERATOR) == "orders_do_not_match"
    assert venue.tries(match(venue, maker, taker, "0.3"), OPERATOR) == "ok"
    assert venue.tries(match(venue, maker, taker, "0.001"), OPERATOR) == "orders_do_not_match"
    other = venue.order(BEN, "-5", "2000")
    late = venue.order(ANN, "5", "2000")
    assert venue.tries(match(venue, other, late, "5"), OPERATOR) == "ok"
    assert held(venue) == ("6", "-6")


def test_what_the_pool_refuses_fills_nothing(venue):
    maker, taker = venue.order(BEN, "-900"), venue.order(ANN, "900")
    assert venue.tries(match(venue, maker, taker, "900"), OPERATOR) == "initial_margin_too_low"
    assert venue.venue.state.book.filled == {}
    assert venue.tries(match(venue, maker, taker, "1"), OPERATOR) == "ok"


@pytest.mark.parametrize(
    ("maker", "taker", "size"),
    [
        (("-1", "2000"), ("1", "1999.99"), "1"),  # the buyer's limit is below the price
        (("1", "2000"), ("-1", "2000.01"), "1"),  # the seller's is above it
        (("1", "2000"), ("1", "2000"), "1"),  # both buy
        (("-1", "2000"), ("1", "2000"), "1.001"),  # more than was signed
        (("-1", "2000"), ("1", "2000"), "0"),
        (("-1", "2000"), ("1", "2000"), "-1"),
    ],
)
def test_a_match_stays_within_both_orders(venue, maker, taker, size):
    command = match(venue, venue.order(BEN, *maker), venue.order(ANN, *taker), size)
    assert venue.tries(command, OPERATOR) == "orders_do_not_match"


def test_the_matcher_cannot_choose_who_makes(venue):
    maker, taker = venue.order(BEN, "-1", "1999"), venue.order(ANN, "1", "2003")
    changed_over = match(venue, taker, maker, "1")
    assert venue.tries(changed_over, OPERATOR) == "orders_do_not_match"


@pytest.mark.parametrize("change", [{"size": "-2"}, {"price": "1990"}, {"number": 2}])
def test_the_matcher_cannot_alter_an_order(venue, change):
    maker, taker = venue.order(BEN, "-1"), venue.order(ANN, "1")
    altered = msgspec.structs.replace(maker, order=msgspec.structs.replace(maker.order, **change))
    assert venue.tries(match(venue, altered, taker, "1"), OPERATOR) == "signature_invalid"


def test_orders_of_another_pool_or_instrument_do_not_match(venue):
    taker = venue.order(ANN, "1")
    elsewhere = venue.order(BEN, "-1", pool=venue.other_pool)
    later = venue.order(ANN, "1")
    assert venue.tries(match(venue, elsewhere, later, "1"), OPERATOR) == "orders_do_not_match"
    dated = msgspec.structs.replace(venue.order(BEN, "-1").order, instrument="ETH-DEC")
    by = signature(dated, BEN, venue.nonce() - 10**6, venue.now_ms + MINUTE_MS)
    signed = m.SignedOrder(order=dated, authorisation=by)
    assert venue.tries(match(venue, signed, taker, "1"), OPERATOR) == "orders_do_not_match"


def test_an_order_has_to_be_its_owners(venue):
    order = venue.order(BEN, "-1").order
    forged = m.SignedOrder(
        order=order, authorisation=signature(order, EVE, venue.nonce(), venue.now_ms + 1)
    )
    command = match(venue, forged, venue.order(ANN, "1"), "1")
    assert venue.tries(command, OPERATOR) == "not_allowed"


def test_an_order_is_good_up_to_its_expiry(venue):
    longest = venue.now_ms + ORDER_DAYS_MAX * DAY_MS
    order, taker = venue.order(BEN, "-1").order, venue.order(ANN, "1")
    for end, answer in (
        (venue.now_ms - 1, "order_ended"),
        (venue.now_ms, "ok"),
        (longest, "ok"),
        (longest + 1, "order_ended"),
    ):
        by = signature(order, BEN, venue.nonce() - 10**6, end)
        maker = m.SignedOrder(order=order, authorisation=by)
        assert venue.tries(match(venue, maker, taker, "0.1"), OPERATOR) == answer


def test_an_order_is_not_of_the_future(venue):
    """It could not be taken back with the others of its owner."""
    order, maker = venue.order(ANN, "1").order, venue.order(BEN, "-1")
    furthest = venue.now_ms + NONCE_AHEAD_MS
    for nonce, answer in ((furthest + 1, "nonce_out_of_window"), (furthest, "ok")):
        by = signature(order, ANN, nonce, venue.now_ms + MINUTE_MS)
        taker = m.SignedOrder(order=order, authorisation=by)
        assert venue.tries(match(venue, maker, taker, "0.1"), OPERATOR) == answer


def test_one_order_is_taken_back_by_its_digest_and_only_by_its_owner(venue):
    maker, other, taker = venue.order(BEN, "-1"), venue.order(BEN, "-1"), venue.order(ANN, "2")
    name = m.order_digest(maker, venue.venue.state.book.domain.separator()).hex()
    of_ann = m.CancelOrder(pool=venue.pool, owner=ANN.owner, order=name)
    elsewhere = m.CancelOrder(pool=venue.other_pool, owner=BEN.owner, order=name)
    assert venue.tries(of_ann, ANN) == venue.tries(elsewhere, BEN) == "ok"
    assert venue.tries(match(venue, maker, taker, "0.5"), OPERATOR) == "ok"  # neither was his
    cancel = m.CancelOrder(pool=venue.pool, owner=BEN.owner, order=name)
    assert venue.tries(cancel, ANN) == "not_allowed"
    assert venue.tries(cancel, BEN) == "ok"
    assert venue.tries(match(venue, maker, taker, "0.5"), OPERATOR) == "orders_do_not_match"
    assert venue.tries(match(venue, other, taker, "0.5"), OPERATOR) == "ok"


def test_all_orders_up_to_a_nonce_are_taken_back(venue):
    maker, taker = venue.order(BEN, "-1"), venue.order(ANN, "1")
    newer = venue.order(BEN, "-1")
    late = venue.order(ANN, "1")
    before = int(maker.authorisation.nonce)
    venue.must(m.CancelOrders(pool=venue.pool, owner=BEN.owner, before=before), BEN)
    assert venue.tries(match(venue, maker, taker, "1"), OPERATOR) == "order_ended"
    assert venue.tries(match(venue, newer, late, "1"), OPERATOR) == "ok"
    venue.must(m.CancelOrders(pool=venue.pool, owner=BEN.owner, before=1), BEN)  # takes nothing
    assert venue.tries(match(venue, maker, taker, "1"), OPERATOR) == "order_ended"


def test_a_stranger_to_both_orders_does_not_match_them(venue):
    command = match(venue, venue.order(BEN, "-1"), venue.order(ANN, "1"), "1")
    assert venue.tries(command, EVE) == "not_allowed"


def test_orders_of_a_revoked_key_end_with_it(venue):
    venue.must(venue.grant(), ANN, SESSION)
    maker = venue.order(BEN, "-1")
    order = venue.order(ANN, "1").order
    by = signature(order, SESSION, venue.nonce(), venue.now_ms + MINUTE_MS)
    taker = m.SignedOrder(order=order, authorisation=by)
    assert venue.tries(match(venue, maker, taker, "0.5"), OPERATOR) == "ok"
    venue.must(m.RevokeKey(owner=ANN.owner, key=SESSION.owner), ANN)
    assert venue.tries(match(venue, maker, taker, "0.5"), OPERATOR) == "key_revoked"


def test_fills_outlive_a_restart_and_a_replay(tmp_path):
    path = tmp_path / "venue.journal"
    kept = Ceremony(path)
    maker, taker = kept.order(BEN, "-1"), kept.order(ANN, "1")
    kept.must(match(kept, maker, taker, "0.8"), OPERATOR)
    kept.venue.checkpoint()
    kept.venue.close()
    kept.venue = type(kept.venue).open(path, clock=kept.scene.clock)
    assert kept.tries(match(kept, maker, taker, "0.3"), OPERATOR) == "orders_do_not_match"
    assert kept.tries(match(kept, maker, taker, "0.2"), OPERATOR) == "ok"
    assert kept.venue.verify() == []
    kept.venue.close()


def test_orders_that_have_ended_are_forgotten_in_time(venue):
    book = venue.venue.state.book
    book.prune_at = 2
    for _ in range(4):
        command = match(venue, venue.order(BEN, "-0.1"), venue.order(ANN, "0.1"), "0.1")
        venue.must(command, OPERATOR)
    assert len(book.filled) > 4  # none has ended yet
    book.prune_at = 2
    venue.scene.tick(120)
    venue.scene.publish(ETH="2000", BTC="40000")
    command = match(venue, venue.order(BEN, "-0.1"), venue.order(ANN, "0.1"), "0.1")
    venue.must(command, OPERATOR)
    assert len(book.filled) == 2


def test_a_trade_of_two_signatures_needs_no_orders(venue):
    assert venue.tries(venue.trade(), ANN, BEN) == "ok"
    assert venue.tries(venue.trade(), BEN, ANN) == "ok"  # in either order
    assert venue.tries(venue.trade(), ANN, ANN) == "not_allowed"
    assert isinstance(venue.trade(), c.Trade)
    assert held(venue) == ("0.2", "-0.2")
