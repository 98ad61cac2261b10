"""What somebody does who opens the dashboard: from moving prices to a verified receipt."""

import re

from playwright.sync_api import expect


def text_moves(locator) -> None:
    """Wait until the text of an element is another one; a market may be calm for a while."""
    before = locator.inner_text()
    expect(locator).not_to_have_text(before, timeout=120_000)


def open_riskiest_position(page) -> None:
    """Open the account at the top of a derivatives pool's table."""
    page.get_by_role("button", name="Derivatives", exact=True).click()
    page.get_by_role("grid", name="Pools").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Price and liquidation ladder")).to_be_visible()
    page.get_by_role("grid", name="Accounts, worst first").get_by_role("row").nth(1).click()


def test_from_moving_prices_to_a_verified_receipt(opened):
    with opened() as watch:
        page = watch.page
        watch.go("#/")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        text_moves(page.locator(".price-line .value").first)

        open_riskiest_position(page)
        expect(page.get_by_text("Health factor", exact=True).first).to_be_visible()
        deposit = page.get_by_label("Deposit or withdraw USDC")
        equity = page.locator(".outcome").get_by_role("group", name="Equity")
        deposit.focus()
        deposit.press("PageUp")
        expect(page.locator(".verdict")).to_contain_text("the venue would take it")
        expect(equity).to_contain_text("from now")

        watch.go("#/liquidations")
        table = page.get_by_role("grid", name="Liquidations, newest first")
        expect(table.get_by_role("row").nth(1)).to_be_visible()
        steps = page.get_by_role("group", name="Closing steps")
        text_moves(steps)  # one arrives

        table.get_by_role("row").nth(1).click()
        expect(page.get_by_role("heading", name="What happened")).to_be_visible()
        expect(page.get_by_text("Health before", exact=True).first).to_be_visible()
        receipt = page.get_by_role("heading", level=1).inner_text()
        page.get_by_role("link", name=re.compile("brought it")).first.click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text(receipt)
        expect(page.get_by_text("given to every pool that lists the feed")).to_be_visible()

        watch.go("#/journal")
        page.get_by_role("button", name="Verify the journal").click()
        expect(page.get_by_text("✓ verified")).to_be_visible(
            timeout=240_000
        )  # a first replay compiles


def test_everything_is_reached_by_keyboard(opened):
    with opened() as watch:
        page = watch.page
        watch.go("#/")
        expect(page.get_by_role("grid", name="Pools").get_by_role("row").nth(3)).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()

        page.keyboard.press("j")
        page.keyboard.press("ArrowRight")  # the figures of the row explain themselves
        expect(page.get_by_role("tooltip")).to_contain_text("lowest health factor")
        page.keyboard.press("Escape")
        expect(page.get_by_role("tooltip")).to_be_hidden()

        page.keyboard.press("?")
        expect(page.get_by_role("heading", name="Keyboard and help")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("lending-01")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("lending-01")
        page.keyboard.press("g")
        page.keyboard.press("l")
        expect(page.get_by_role("heading", level=1)).to_have_text("Liquidations")


def test_a_lost_connection_is_said_and_healed(opened):
    with opened() as watch:
        page = watch.page
        page.add_init_script(
            "const Plain = WebSocket; const made = [];"
            "window.WebSocket = class extends Plain {"
            " constructor(...a) { super(...a); made.push(this); } };"
            "window.cut = () => made.splice(0).forEach((one) => one.close());"
        )
        watch.go("#/")
        state = page.locator(".conn")
        expect(state).to_contain_text("Live")
        page.evaluate("window.cut()")
        expect(page.locator("#banner")).to_contain_text("Reconnecting")
        expect(state).to_contain_text("Live")
        expect(page.locator("#banner")).to_be_hidden()
        text_moves(page.locator(".price-line .value").first)


def test_a_long_table_draws_only_what_is_in_sight(opened):
    with opened() as watch:
        page = watch.page
        watch.go("#/journal")
        grid = page.get_by_role("grid", name="Journal entries, newest first")
        expect(grid.get_by_role("row").nth(9)).to_be_visible()
        for _ in range(4):
            before = int(grid.get_attribute("aria-rowcount"))
            grid.evaluate("(node) => node.scrollTo(0, node.scrollHeight)")
            page.wait_for_function(
                "([node, n]) => Number(node.ariaRowCount) > n", arg=[grid.element_handle(), before]
            )
        assert int(grid.get_attribute("aria-rowcount")) > 300
        assert grid.get_by_role("row").count() < 80
