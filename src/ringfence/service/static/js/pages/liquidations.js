// Liquidations: who is near, auctions and the deleveraging queue, and what happened.

import { get } from "../api.js";
import { auctionsPanel } from "../components/auctions.js";
import { accountColumns, accountHref, liquidationColumns, liquidationKey } from "../components/columns.js";
import { tile } from "../components/figure.js";
import { queuePanel } from "../components/queue.js";
import { Table } from "../components/table.js";
import { add, sum } from "../decimal.js";
import { h, panel, say, segments } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";
import { SETTLEMENT } from "./overview.js";

function recentPanel(scope, onRows) {
  const count = h("span", { class: "note" });
  const table = new Table({ name: "Liquidations, newest first", columns: liquidationColumns({ unit: SETTLEMENT }), rowKey: liquidationKey, height: "max(300px, 46vh)", onOpen: (row) => { location.hash = `#/journal/${row.seq}`; }, empty: "No step of a waterfall since the service started." });
  scope.add(table);
  const rows = new Map();
  let cursor;
  let isAsking = false;
  const show = () => {
    const all = [...rows.values()].sort((a, b) => b.seq - a.seq || (b.row ?? 0) - (a.row ?? 0));
    table.set(all);
    say(count, `${f.count(all.length)} loaded, newest first; amounts in ${SETTLEMENT}`);
    onRows(all);
  };
  const merge = (more) => {
    for (const row of more) rows.set(liquidationKey(row), row);
    if (more.length) show();
  };
  const older = async () => {
    if (isAsking || cursor === null) return;
    isAsking = true;
    try {
      const page = await get("/liquidations", { limit: 200, cursor }, scope.signal);
      cursor = page.next;
      merge(page.items);
    } catch {
      cursor = null;
    }
    isAsking = false;
  };
  table.onEnd = older;
  older().then(show);
  scope.add(stream.subscribe({ channel: "liquidations" }, (topic, change) => merge(change.kind === "snapshot" ? topic.items ?? [] : change.added ?? [])));
  return panel("Recent", { note: count, body: table.node, flush: true });
}

function atRiskPanel(scope) {
  const count = h("span", { class: "note" });
  const table = new Table({ name: "Accounts near liquidation", columns: accountColumns({ unit: SETTLEMENT, withPool: true }), rowKey: (row) => `${row.pool}-${row.account}`, height: "420px", sortBy: "health", onOpen: (row) => { location.hash = accountHref(row); }, empty: "No account is below this health." });
  scope.add(table);
  let stop = null;
  const watch = (below) => {
    stop?.();
    stop = stream.subscribe({ channel: "at_risk", below }, (topic) => {
      table.set(topic.rows ? [...topic.rows.values()] : []);
      say(count, `${f.many(table.rows.length, "account")} below ${below}; amounts in ${SETTLEMENT}`);
    });
  };
  watch("1.1");
  scope.add(() => stop?.());
  return panel("Next in line", { note: count, tools: segments("Health below", [["1.02", "< 1.02"], ["1.1", "< 1.1"], ["1.25", "< 1.25"]], "1.1", watch), body: table.node, flush: true });
}

/** What takes something from an account, and where it says how much. */
const VALUE_OF = ["position_liquidated", "collateral_liquidated", "claim_liquidated", "slice_sold", "position_deleveraged"];
const total = (rows, field, events) => sum(rows.filter((row) => events.includes(row.event)).map((row) => row[field] ?? "0"));

function sums(rows) {
  const all = [...VALUE_OF, "shortfall_recorded"];
  return {
    steps: String(rows.filter((row) => [...all, "winner_deleveraged"].includes(row.event)).length),
    value: total(rows, "value", VALUE_OF),
    bonus: total(rows, "bonus", VALUE_OF),
    fee: total(rows, "fee", VALUE_OF),
    insurance: add(total(rows, "insurance", all), total(rows, "value", ["due_covered"])),
    shortfall: total(rows, "shortfall", ["shortfall_recorded"]),
  };
}

function tiles() {
  const made = {
    steps: tile("sum_steps", "count", { unit: "steps" }),
    value: tile("sum_value", "compact", { unit: SETTLEMENT }),
    bonus: tile("sum_bonus", "compact", { unit: SETTLEMENT }),
    fee: tile("sum_fee", "compact", { unit: SETTLEMENT }),
    insurance: tile("sum_insurance", "compact", { unit: SETTLEMENT }),
    shortfall: tile("sum_shortfall", "compact", { unit: SETTLEMENT }),
  };
  const node = h("div", { class: "tiles" }, Object.values(made));
  node.set = (rows) => {
    for (const [name, value] of Object.entries(sums(rows))) made[name].set(value);
  };
  return node;
}

export function liquidationsPage(main, scope) {
  const figures = tiles();
  const side = h("div", { class: "col" });
  figures.set([]);
  main.append(
    h("div", { class: "head" }, h("h1", null, "Liquidations")),
    h("div", { class: "grid" },
      figures,
      auctionsPanel(scope, { unit: SETTLEMENT }),
      recentPanel(scope, figures.set),
      atRiskPanel(scope),
      side));
  queuePanel(scope).then((panel) => side.append(panel));
}
