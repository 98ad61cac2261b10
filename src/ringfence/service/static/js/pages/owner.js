// An owner: the wallet that no pool can touch, and the accounts in each pool.

import { get } from "../api.js";
import { accountColumns, accountHref } from "../components/columns.js";
import { figure } from "../components/figure.js";
import { Table } from "../components/table.js";
import { h, nothing, panel } from "../dom.js";
import * as f from "../format.js";
import { SETTLEMENT } from "./overview.js";

const EVERY_MS = 3000;

export async function ownerPage(main, scope, [owner]) {
  let found;
  try {
    found = await get(`/owners/${owner}`, {}, scope.signal);
  } catch (error) {
    if (error.name !== "AbortError") main.append(nothing("This owner cannot be shown", error.message));
    return;
  }
  const table = new Table({ name: "Accounts", columns: accountColumns({ unit: SETTLEMENT, withPool: true }), rowKey: (row) => `${row.pool}-${row.account}`, height: "var(--tall)", sortBy: "health", onOpen: (row) => { location.hash = accountHref(row); }, empty: "No account in any pool." });
  scope.add(table);
  table.set(found.accounts);
  const lines = Object.entries(found.wallet).map(([asset, amount]) => {
    const one = figure("balances", "size", { name: asset, unit: asset, how: "Money in the venue that is committed to no pool. No pool, and no liquidation, can reach it." });
    one.set(amount);
    return [asset, one];
  });
  scope.every(EVERY_MS, async () => {
    const now = await get(`/owners/${owner}`, {}, scope.signal).catch(() => null);
    if (!now) return;
    table.set(now.accounts);
    for (const [asset, one] of lines) one.set(now.wallet[asset]);
  });
  main.append(
    h("div", { class: "head" }, h("nav", { class: "crumbs", "aria-label": "Where this is" }, h("a", { href: "#/" }, "Overview"), "›", h("span", null, "Owner")), h("h1", null, h("span", { class: "mono" }, f.short(owner, 10, 8)))),
    h("div", { class: "grid" },
      h("div", { class: "w9 col" }, panel("Accounts", { note: `${f.many(found.accounts.length, "account")} in all pools; amounts in ${SETTLEMENT}`, body: table.node, flush: true })),
      h("div", { class: "w3 col" }, panel("Wallet", { note: "outside of every pool", body: h("div", { class: "lines" }, lines.map(([, one]) => one)), flush: true }))));
}
