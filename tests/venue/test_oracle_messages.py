"""P8 and P9: clocks that go back, and oracle messages that come late, twice or out of order."""

from random import Random

import pytest
from tests.venue.scene import ALICE, START_NS, Scene

from ringfence.core.status import Status
from ringfence.units import SECOND_NS
from ringfence.venue import commands as c
from ringfence.venue.fanout import FeedPrice


def test_stamps_never_decrease_when_the_clock_goes_back_p8():
    scene = Scene.set_up()
    rng = Random(8)
    for step in (5, -3600, 1, 0, -1, 86_400, -86_399, 2):
        scene.clock.set(scene.clock.now_ns() + step * SECOND_NS)
        scene.deposit(ALICE, str(rng.randrange(1, 9)))
    scene.venue.record_digest()
    times = [entry.time_ns for entry in scene.venue.journal.entries(1)]
    assert times == sorted(times)
    assert scene.venue.verify() == []


def test_a_clock_that_jumped_back_changes_no_decision_p8(tmp_path):
    """The venue's time stands still meanwhile, and a venue opened then keeps the last stamp."""
    scene = Scene.set_up(tmp_path / "journal")
    last = scene.deposit(ALICE, "1").time_ns
    scene.venue.close()
    again = Scene(tmp_path / "journal")
    again.clock.set(START_NS - 10**6 * SECOND_NS)
    assert again.deposit(ALICE, "1").time_ns == last
    assert again.venue.pool("alpha").time_ns == last
    assert again.venue.verify() == []


def statuses_of_index_prices(scene, prices):
    """Statuses of the index price of ETH in alpha, by direct commands with these messages."""
    found = []
    for price in prices:
        command = c.SetIndexPrice(
            pool="alpha",
            underlying="ETH",
            price=str(price.index_price // 10**9),
            publish_time_ns=price.publish_time_ns,
        )
        found.append(scene.venue.execute(command).status)
    return found


def test_a_late_copy_is_refused_by_its_publish_time_p9():
    scene = Scene.set_up()
    scene.tick(10)
    now = scene.clock.now_ns()
    messages = [
        FeedPrice("ETH", 10**9 * (1990 + n), 10**9 * 1990, now - age * SECOND_NS)
        for n, age in enumerate((5, 5, 7, 3, 3, 4))
    ]
    late = "publish_time_must_increase"
    assert statuses_of_index_prices(scene, messages) == ["ok", late, late, "ok", late, late]
    assert scene.venue.pool("alpha").prices["ETH"] == "1993"


def index_statuses(scene, prices):
    outcomes = scene.venue.state.apply_prices(prices, scene.clock.now_ns())
    return [outcome.statuses.tolist()[1] for outcome in outcomes.values()]


@pytest.mark.parametrize("seed", range(30))
def test_any_order_with_copies_ends_as_the_clean_stream_of_what_was_accepted_p9(seed):
    rng = Random(seed)
    dirty, clean = Scene.set_up(), Scene.set_up()
    start = dirty.clock.now_ns()
    stream = [
        FeedPrice("ETH", (2000 + n) * 10**9, (1990 + n) * 10**9, start + n * SECOND_NS)
        for n in range(1, 15)
    ]
    messages = stream + rng.choices(stream, k=10)
    messages.sort(key=lambda price: price.publish_time_ns + rng.randrange(6) * SECOND_NS)
    accepted = []
    for scene in (dirty, clean):
        scene.tick(60)
    for price in messages:
        (alpha, beta) = index_statuses(dirty, [price])
        assert alpha == beta
        if alpha == Status.OK:
            accepted.append(price)
        else:
            assert alpha == Status.PUBLISH_TIME_MUST_INCREASE
    times = [price.publish_time_ns for price in accepted]
    assert times == sorted(set(times))
    assert len(accepted) < len(messages)
    for price in accepted:
        assert index_statuses(clean, [price]) == [Status.OK, Status.OK]
    assert dirty.venue.pool("alpha").prices == clean.venue.pool("alpha").prices
    digests = [
        [record.digest() for record in scene.venue.state.pools.values()] for scene in (dirty, clean)
    ]
    assert digests[0] == digests[1]


def test_a_late_copy_does_not_bring_back_its_old_mark_price_p9():
    scene = Scene.set_up().traded()
    crash = scene.price("ETH", "1010")
    scene.tick()
    scene.publish(ETH="2100")
    assert scene.venue.publish([crash]) == {}
    assert scene.venue.pool("alpha").marks["ETH-PERP"] == "2100"
    assert scene.venue.account("alpha", ALICE).positions[0].size == "1"


def test_a_price_from_the_future_or_beyond_price_max_is_refused():
    scene = Scene.set_up()
    now = scene.clock.now_ns()
    ahead = FeedPrice("ETH", 10**12, 10**12, now + 6 * SECOND_NS)
    high = FeedPrice("ETH", 100_001 * 10**9, 10**12, now + SECOND_NS)
    assert index_statuses(scene, [ahead])[0] == Status.PUBLISH_TIME_IN_THE_FUTURE
    assert index_statuses(scene, [high])[0] == Status.PRICE_EXCEEDS_LIMIT
