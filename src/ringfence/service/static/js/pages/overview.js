// The venue as a whole: cards, who is near liquidation, the worst pools, prices, the live tape.

import { Histogram } from "../components/histogram.js";
import { poolColumns } from "../components/columns.js";
import { Spark, tile } from "../components/figure.js";
import { Table } from "../components/table.js";
import { Tape } from "../components/tape.js";
import { explain } from "../components/tip.js";
import { h, panel, say, segments } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";

export const SETTLEMENT = "USDC"; // what the venue-wide sums are in

const CARDS = [
  ["equity", "equity_total", "compact", SETTLEMENT],
  ["open_interest_value", "open_interest_value", "compact", SETTLEMENT],
  ["total_debt", "total_debt", "compact", SETTLEMENT],
  ["insurance_fund", "insurance_total", "compact", SETTLEMENT],
  ["active", "accounts_active", "count", "accounts"],
  ["at_risk", "at_risk", "count", "accounts"],
  ["liquidations", "liquidations", "count", "steps"],
  ["shortfall", "shortfall", "compact", SETTLEMENT],
];

function cards(scope) {
  const made = CARDS.map(([field, key, kind, unit]) => {
    const node = tile(key, kind, { unit });
    const spark = new Spark();
    node.append(spark.node);
    return { field, node, spark };
  });
  scope.add(stream.subscribe({ channel: "stats" }, ({ only }) => {
    if (!only) return;
    for (const { field, node, spark } of made) {
      node.set(only[field]);
      if (only[field] !== null && only[field] !== undefined) spark.add(only[field]);
    }
  }));
  return h("div", { class: "tiles cards" }, made.map(({ node }) => node));
}

function worstPools(scope) {
  const table = new Table({
    name: "Pools", columns: poolColumns(), rowKey: (row) => row.id, height: "var(--tall)", sortBy: "worst",
    onOpen: (row) => { location.hash = `#/pool/${row.id}`; }, empty: "No pool yet. Create one to begin.",
  });
  scope.add(table);
  let kind = "all";
  const count = h("span", { class: "note" });
  let rows = [];
  const show = () => {
    const chosen = rows.filter((row) => kind === "all" || row.kind === kind);
    say(count, `${f.count(chosen.length)} pools, worst first; amounts in ${SETTLEMENT}`);
    table.set(chosen);
  };
  scope.add(stream.subscribe({ channel: "pools" }, (topic) => {
    rows = topic.rows ? [...topic.rows.values()] : [];
    show();
  }));
  const filter = segments("Kind of pool", [["all", "All"], ["derivatives", "Derivatives"], ["options", "Options"], ["lending", "Lending"]], "all", (to) => {
    kind = to;
    show();
  });
  return panel("Pools", { note: count, tools: filter, body: table.node, flush: true });
}

function healthPanel(scope) {
  const histogram = new Histogram();
  scope.add(stream.subscribe({ channel: "stats" }, ({ only }) => only?.histogram && histogram.set(only.histogram)));
  return panel("Accounts by health", { note: "active accounts", body: h("div", { class: "padded" }, histogram.node), flush: true });
}

function pricesPanel(scope) {
  const list = h("div", { class: "prices live" });
  const lines = new Map();
  const line = (feed) => {
    const value = h("span", { class: "value" });
    const change = h("span", { class: "change" });
    const spark = new Spark(120);
    const node = h("div", { class: "price-line", tabindex: "0", role: "group" }, h("span", { class: "strong" }, feed), spark.node, value, change);
    explain(node, "index_price");
    list.append(node);
    return { node, value, change, spark, first: null };
  };
  scope.add(stream.subscribe({ channel: "prices" }, (topic) => {
    for (const [feed, row] of topic.rows ?? []) {
      if (!lines.has(feed)) lines.set(feed, line(feed));
      const one = lines.get(feed);
      if (one.row === row) continue;
      one.row = row;
      if (row.index_price === null) continue;
      one.first ??= Number(row.index_price);
      const moved = Number(row.index_price) / one.first - 1;
      say(one.value, f.price(row.index_price));
      say(one.change, `${f.signed(f.percent(moved.toFixed(6)))} %`);
      one.spark.add(row.index_price);
      one.node.dataset.exact = `${f.exact(row.index_price)} ${SETTLEMENT}, ± ${f.exact(row.confidence ?? "0")}; published ${f.moment(row.publish_time_ms)}. Percent: since this page was opened`;
      one.node.setAttribute("aria-label", `${feed} ${f.price(row.index_price)} ${SETTLEMENT}`);
    }
  }));
  return panel("Index prices", { note: SETTLEMENT, body: list, flush: true });
}

function tapePanel(scope) {
  const tape = new Tape({ height: "var(--tape)", unit: SETTLEMENT });
  scope.add(stream.subscribe({ channel: "liquidations" }, (topic, change) => {
    if (change.kind === "snapshot") tape.reset(topic.items ?? []);
    else if (change.added) tape.add(change.added);
  }));
  return panel("Live tape", { note: "liquidations, newest first", body: tape.node, flush: true });
}

function pulse(scope) {
  const figures = [["seq", "entries", (v) => f.count(v)], ["ticks", "ticks", (v) => f.count(v)], ["entries_per_second", "entries/s", (v) => f.fixed(String(v), 0)], ["tick_ms", "ms a tick", (v) => f.fixed(String(v), 2)], ["commands", "commands", (v) => f.count(v)]];
  const nodes = figures.map(([key, text]) => {
    const value = h("b", null, f.NONE);
    return { key, value, node: explain(h("span", { tabindex: "0" }, value, h("span", { class: "unit" }, text)), key) };
  });
  scope.add(stream.subscribe({ channel: "stats" }, ({ only }) => {
    if (!only) return;
    nodes.forEach(({ key, value }, k) => say(value, only[key] === null || only[key] === undefined ? f.NONE : figures[k][2](only[key])));
  }));
  return h("div", { class: "pulse live" }, nodes.map(({ node }) => node));
}

export function overviewPage(main, scope) {
  main.append(
    h("div", { class: "head" }, h("h1", null, "Overview"), pulse(scope)),
    h("div", { class: "grid" },
      cards(scope),
      h("div", { class: "w9 col" }, worstPools(scope)),
      h("div", { class: "w3 col side" }, healthPanel(scope), pricesPanel(scope), tapePanel(scope))));
}
