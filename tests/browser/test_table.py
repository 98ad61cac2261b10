"""A table of thousands of rows costs as much as one of twenty, and every row can be reached."""

import pytest

ROWS = 2_000
SEEN_MAX = 60
MAKE = """
async ([url, count]) => {
  const { Table } = await import(`${url}/js/components/table.js`);
  const draw = (cell, row) => { cell.textContent = `row ${row.key}`; };
  const table = new Table({ name: "Many", columns: [{ key: "key", head: "Row", sort: (row) => row.key, draw }], rowKey: (row) => row.key, height: "400px" });
  document.querySelector("main").replaceChildren(table.node);
  table.set(Array.from({ length: count }, (_, key) => ({ key })));
  window.many = table;
}
"""


@pytest.fixture
def table(browser, url):
    page = browser.new_page()
    page.goto(f"{url}/#/create")
    page.locator(".verdict .chip").wait_for()
    page.evaluate(MAKE, [url, ROWS])
    yield page.get_by_role("grid", name="Many")
    page.close()


def test_only_the_rows_in_sight_exist_wherever_one_looks(table):
    assert table.get_attribute("aria-rowcount") == str(ROWS + 1)
    for share in (0, 0.3, 0.77, 1):
        table.evaluate("(node, at) => node.scrollTo(0, at * node.scrollHeight)", share)
        near = min(int(share * ROWS), ROWS - 1)
        table.get_by_text(f"row {near}", exact=True).wait_for()
        assert table.get_by_role("row").count() < SEEN_MAX


def test_a_row_that_changes_keeps_the_others_as_they_are(table):
    kept = table.get_by_text("row 3", exact=True).element_handle()
    table.evaluate(
        "() => many.set([...many.rows.slice(0, 5), { key: 9_999 }, ...many.rows.slice(6)])"
    )
    table.get_by_text("row 9999").wait_for()
    assert table.get_by_text("row 5", exact=True).count() == 0
    assert kept.evaluate("(node) => node.isConnected")


def test_the_last_row_is_one_key_away(table):
    table.focus()
    table.press("End")
    table.get_by_text(f"row {ROWS - 1}", exact=True).wait_for()
    assert table.get_by_role("row").count() < SEEN_MAX
    table.press("Home")
    table.get_by_text("row 0", exact=True).wait_for()
