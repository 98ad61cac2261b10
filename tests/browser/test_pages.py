"""Every page, on desktop and phone, dark and light: kept as a picture, checked for access."""

import json
import time
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

TAP_MIN = 44

SMALL_TARGETS = """
() => [...document.querySelectorAll("button, a, input, select, summary, [data-tip][tabindex='0']")]
  .filter((node) => node.checkVisibility() && !node.closest("p, .meta, .crumbs, .commands, .changes"))
  .map((node) => [node, node.getBoundingClientRect()])
  .filter(([node, box]) => box.width > 0 && box.height > 0 && box.bottom > 0
    && !node.classList.contains("skip") && box.height < LEAST)
  .map(([node, box]) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 30)}: ${box.height}`)
""".replace("LEAST", str(TAP_MIN - 0.5))

# A number that stands for itself has an explanation; names, captions, controls and help are text.
UNEXPLAINED = r"""
async () => {
  const { EXPLAIN } = await import("./js/explain.js");
  const number = /(^|[\s(])[\u2212+<>\u00b1]*\d[\d,.]*(?=[\s%\u00d7)]|$)/;
  const text = "h1, h3, th, a.button, button, output, .note, .meta, .help, p.under-chart";
  const health = ["worst_health", "health_factor", "health_before", "health_after"];
  const bare = new Set([...health, "version", "entry", "journaled"]);
  const faults = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const [said, at] = [node.data.trim(), node.parentElement];
    if (!number.test(said) || !at.checkVisibility()) continue;
    const told = at.closest("[data-tip]");
    if (!told && at.closest(text)) continue;
    const how = told && (told.dataset.how ?? EXPLAIN[told.dataset.tip]?.[1]);
    const full = said + (told?.dataset.exact ?? "");
    const unit = told && (bare.has(told.dataset.tip) || told.querySelector(".unit") || /[%\u00d7\u03c3a-z]/i.test(full));
    if (!how) faults.push(`${said}: no explanation in ${at.outerHTML}`);
    else if (!unit) faults.push(`${said}: no unit, ${told.dataset.tip}`);
  }
  return faults;
}
"""


def ask(url: str, path: str):
    with urllib.request.urlopen(f"{url}/v1{path}") as answer:
        return json.load(answer)


def holder_of_options(url: str, pool: str) -> str:
    """Address of an account with a structure of several options, once there is one."""
    deadline = time.monotonic() + 120
    while True:
        rows = ask(url, f"/pools/{pool}/accounts?limit=500")["items"]
        # The maker, who is the other side of everybody, holds many.
        found = [row for row in rows if 1 < len(row["positions"]) < 5]
        if found:
            return "#/account/{pool}/{owner}/{number}".format(**found[0])
        assert time.monotonic() < deadline, "nobody holds a structure"
        time.sleep(0.5)


@pytest.fixture(scope="session")
def places(url, browser):
    """Addresses of every page, and what is there when it is ready."""
    watched = browser.new_page()
    watched.goto(f"{url}/#/liquidations")
    grid = watched.get_by_role("grid", name="Liquidations, newest first")
    expect(grid.get_by_role("row").nth(1)).to_be_visible()
    watched.close()
    (liquidation, *_) = ask(url, "/liquidations?limit=1")["items"]
    pools = ask(url, "/pools?limit=500")["items"]
    traded = max(pools, key=lambda pool: float(pool["open_interest_value"]))["id"]
    lent = max(pools, key=lambda pool: float(pool["total_debt"]))["id"]
    rows = ask(url, f"/pools/{traded}/accounts?limit=1")["items"]
    account = "#/account/{pool}/{owner}/{number}".format(**rows[0])
    options = next(pool["id"] for pool in pools if pool["kind"] == "options")
    return {
        "overview": ("#/", ".price-line"),
        "pool": (f"#/pool/{traded}", ".chart canvas"),
        "lending": (f"#/pool/{lent}", ".chart canvas"),
        "account": (account, ".heat-map"),
        "options": (holder_of_options(url, options), ".heat-map tbody tr:nth-child(3)"),
        "owner": (f"#/owner/{rows[0]['owner']}", ".vt .row"),
        "liquidations": ("#/liquidations", ".vt .row"),
        "journal": ("#/journal", ".vt .row"),
        "receipt": (f"#/journal/{liquidation['seq']}", ".event"),
        "create": ("#/create", ".verdict .chip"),
    }


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_every_page_is_accessible_and_asks_nobody_else(opened, places, device, theme):
    with opened(device, theme) as watch:
        for name, (place, ready) in places.items():
            watch.go(place)
            expect(watch.page.locator(ready).first).to_be_visible()
            watch.page.wait_for_timeout(700)  # charts have drawn, flashes have faded
            watch.keep(f"{name}-{device}-{theme}")
            found = Axe().run(watch.page)
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"
            width = watch.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert width <= 0, f"{name} is wider than the screen"
            if device == "phone":
                assert watch.page.evaluate(SMALL_TARGETS) == [], name


def test_every_number_has_a_unit_and_says_how_it_is_computed(opened, places):
    with opened() as watch:
        for name, (place, ready) in places.items():
            watch.go(place)
            expect(watch.page.locator(ready).first).to_be_visible()
            watch.page.wait_for_timeout(700)
            faults = watch.page.evaluate(UNEXPLAINED)
            assert faults == [], f"{name}: {faults[:5]}"
            tips = watch.page.evaluate("document.querySelectorAll('main [data-tip]').length")
            assert tips > 5, name
