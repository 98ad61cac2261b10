"""A pool is created from the form: checked while it is written, signed by the reader's wallet."""

import json

from eth_account import Account
from playwright.sync_api import expect

WALLET = Account.from_key(b"\x07" * 32)
PROVIDER = """
window.ethereum = { request: ({ method, params }) =>
  method === "eth_signTypedData_v4" ? window.signed(params[1]) : Promise.resolve(["ADDRESS"]) };
""".replace("ADDRESS", WALLET.address)


def signed(text: str) -> str:
    """Sign typed data as a wallet does; not by the code that the venue checks it with."""
    return "0x" + WALLET.sign_typed_data(full_message=json.loads(text)).signature.hex()


def test_an_unsafe_spec_is_explained_and_a_safe_one_is_signed_and_created(opened):
    with opened() as watch:
        page = watch.page
        page.expose_function("signed", signed)
        page.add_init_script(PROVIDER)
        watch.allowed = "status of 404"  # whether the venue knows this owner has to be asked
        watch.go("#/create")
        create = page.get_by_role("button", name="Sign and create")
        expect(create).to_be_enabled()

        bonus = page.locator("input[name='rules.bonus_max']")
        page.get_by_text("Rules of the whole pool").click()
        bonus.fill("0.5")
        expect(page.locator(".problems")).to_contain_text("bonus_max")
        expect(bonus).to_have_attribute("aria-invalid", "true")
        expect(create).to_be_disabled()

        bonus.fill("0.01")
        page.locator("input[name='name']").fill("made-in-a-browser")
        expect(page.get_by_text("safe: the venue would create it")).to_be_visible()
        create.click()
        title = page.get_by_role("heading", level=1)
        expect(title).to_have_text("made-in-a-browser", timeout=300_000)
        expect(page.get_by_role("heading", name="Parameters")).to_be_visible()


def test_every_field_of_a_spec_is_explained(opened):
    with opened() as watch:
        watch.go("#/create")
        expect(watch.page.locator(".verdict .chip")).to_be_visible()
        missing = watch.page.evaluate("""async () => {
          const { HELP } = await import("./js/components/spec-help.js");
          const { schema } = await (await fetch("/v1/spec/schema")).json();
          const kinds = Object.entries(schema.$defs).filter(([name]) => name !== "PoolSpec");
          return kinds.flatMap(([name, kind]) => Object.keys(kind.properties)
            .filter((field) => !HELP[field]).map((field) => `${name}.${field}`));
        }""")
        assert missing == []


def test_what_is_chosen_is_what_is_checked(opened):
    with opened() as watch:
        page = watch.page
        watch.go("#/create")
        expect(page.get_by_text("safe: the venue would create it")).to_be_visible()
        page.locator("select[name='collateral.0.is_offsetting']").select_option("yes")
        expect(page.locator(".problems")).to_contain_text("is_offsetting")
        page.locator("select[name='collateral.0.is_offsetting']").select_option("no")
        expect(page.get_by_text("safe: the venue would create it")).to_be_visible()
        page.locator("select[name='instruments.0.option']").select_option("call")
        expect(page.locator(".problems")).to_contain_text("ETH-PERP")
