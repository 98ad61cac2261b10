"""A live auction, seen where it runs: on the page of liquidations, of its pool and its account."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import SIZES, Watch
from tests.client.serving import served
from tests.venue.scene import ALICE
from tests.venue.test_waterfall import OFFERED, scene_with


@pytest.fixture(scope="module")
def auctioned():
    with served(scene_with(OFFERED)) as venue:
        venue.publish(ETH="1050")
        yield venue


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_an_auction_is_shown_with_what_a_bid_gets(browser, auctioned, device):
    width, height = SIZES[device]
    is_phone = device == "phone"
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark", is_mobile=is_phone
    )
    watch = Watch(context.new_page(), auctioned.url)
    quote = auctioned.writer.venue.quote("alpha", ALICE)
    for place, name in (("#/liquidations", "liquidations"), ("#/pool/alpha", "pool")):
        watch.go(place)
        row = watch.page.get_by_role("grid", name="Live auctions").get_by_role("row").nth(1)
        expect(row).to_contain_text("2.00")  # percent of discount
        expect(row).to_contain_text(quote.bonus[:4])
        expect(row).to_contain_text("fails")
        watch.keep(f"auction-{name}-{device}")
    watch.go(f"#/account/alpha/{ALICE}/1")
    panel = watch.page.get_by_role("region", name="Waterfall and deleveraging")
    expect(panel).to_contain_text("under auction")
    expect(panel).to_contain_text("Next: the backstop takes over.")
    watch.keep(f"auction-account-{device}")
    context.close()
    assert watch.faults == []
