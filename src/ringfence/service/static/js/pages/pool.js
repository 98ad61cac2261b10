// One pool: price against the liquidation ladder, accounts worst first, money, waterfall, rules.

import { get, part } from "../api.js";
import { add } from "../decimal.js";
import { accountColumns, accountHref } from "../components/columns.js";
import { figure, tile } from "../components/figure.js";
import { legend } from "../components/chart.js";
import { LadderChart } from "../components/ladder.js";
import { Table } from "../components/table.js";
import { explain } from "../components/tip.js";
import { clear, h, nothing, panel, say, segments } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";
import { auctionsPanel } from "../components/auctions.js";
import { poolQueuePanel } from "../components/queue.js";
import { collateralPanel, fundingPanel } from "./pool-money.js";
import { parametersPanel } from "./pool-rules.js";
import { reservesPanel, waterfallPanel } from "./pool-waterfall.js";

const NO_RISK = "no account below 1.1 needs maintenance margin, so there is nothing to cover";
const TILES = [
  ["worst_health", "worst_health", "health"],
  ["at_risk", "at_risk", "count", "accounts"],
  ["equity", "pool_equity", "compact", true],
  ["requirement", "pool_requirement", "compact", true],
  ["open_interest_value", "open_interest_value", "compact", true],
  ["total_debt", "total_debt", "compact", true],
  ["insurance_fund", "insurance_fund", "compact", true],
  ["insurance_coverage", "insurance_coverage", "ratio"],
  ["shortfall", "shortfall", "compact", true],
];
const WHY = { insurance_coverage: NO_RISK, worst_health: "no account owes or holds anything" };

function tiles(unit) {
  const made = TILES.map(([field, key, kind, said]) => [field, tile(key, kind, { unit: said === true ? unit : said })]);
  const node = h("div", { class: "tiles" }, made.map(([, one]) => one));
  node.set = (pool) => {
    for (const [field, one] of made) {
      one.set(pool[field], { why: pool.unknown?.[field] ?? WHY[field] });
      if (field === "worst_health") one.value.className = `value health b${f.band(pool[field])}`;
    }
  };
  return node;
}

function header(pool) {
  const chips = h("span", { class: "meta" });
  const node = h("div", { class: "head" },
    h("nav", { class: "crumbs", "aria-label": "Where this is" }, h("a", { href: "#/" }, "Overview"), "›", h("span", null, "Pool")),
    h("h1", null, pool.name), chips);
  node.set = (now) => {
    const state = JSON.stringify([now.validity, now.version, now.accounts, now.halted_ms]);
    if (node.dataset.state === state) return;
    node.dataset.state = state;
    clear(chips,
      h("span", { class: "chip" }, f.capital(now.kind)),
      Object.entries(now.validity).map(([feed, state]) => explain(h("span", { class: `chip ${state === "fresh" ? "good" : "warn"}`, tabindex: "0" }, `${feed} price ${f.words(state)}`), "validity")),
      now.halted_ms === null ? null : explain(h("span", { class: "chip bad", tabindex: "0" }, "halted"), "halted", `since ${f.moment(now.halted_ms)}`),
      explain(h("span", { class: "chip", tabindex: "0" }, `parameters v${now.version}`), "version"),
      h("span", { class: "mono muted", title: now.id }, f.short(now.id, 8, 6)));
  };
  return node;
}

function ladderPanel(scope, pool) {
  const unit = pool.settlement;
  const feeds = Object.keys(pool.prices);
  let feed = feeds[0];
  let points = [];
  const ladder = new LadderChart({ unit, height: 344 });
  scope.add(ladder);
  const beyond = h("span", { tabindex: "0" });
  const several = h("span", { tabindex: "0" });
  const note = h("p", { class: "under-chart" }, beyond, " ", several);
  const show = () => ladder.set(points.map((p) => p.time_ms), points.map((p) => (p.prices[feed] ? Number(p.prices[feed]) : null)));
  const askLadder = async () => {
    try {
      const found = await get(`/pools/${part(pool.id)}/ladder`, { underlying: feed, buckets: 200 }, scope.signal);
      ladder.setLadder(found);
      const { down, up } = found.beyond;
      const further = add(down.notional, up.notional);
      say(beyond, `Further than half the price away: ${f.many(down.accounts + up.accounts, "account")}, ${f.compact(further)} ${unit}.`);
      say(several, `Depending on several prices: ${f.many(found.several.accounts, "account")}, ${f.compact(found.several.notional)} ${unit}.`);
      explain(beyond, "ladder_beyond", `${f.exact(further)} ${unit}`);
      explain(several, "ladder_several", `${f.exact(found.several.notional)} ${unit}`);
    } catch (error) {
      if (error.name !== "AbortError") say(beyond, error.message);
    }
  };
  const askHistory = async () => {
    try {
      points = (await get(`/pools/${part(pool.id)}/history`, {}, scope.signal)).points;
      show();
    } catch (error) {
      if (error.name !== "AbortError") say(beyond, error.message);
    }
  };
  askHistory().then(askLadder);
  scope.every(2000, askLadder);
  const node = panel("Price and liquidation ladder", {
    tools: [
      feeds.length > 1 ? segments("Price of", feeds.map((one) => [one, one]), feed, (to) => { feed = to; show(); askLadder(); }) : null,
      segments("Range around the price", [[0.03, "± 3 %"], [0.1, "± 10 %"], [0.3, "± 30 %"]], 0.1, (span) => ladder.zoom(span)),
    ],
    body: [h("div", { class: "chart-frame" }, ladder.node, legend([["Index price", "--text"], ["Now", "--accent"], ["Liquidated when the price gets there", "--h1", true]])), note],
    flush: true,
  });
  node.add = (now, timeMs) => {
    const last = points.at(-1);
    if (last && timeMs <= last.time_ms) return;
    points.push({ time_ms: timeMs, prices: now.prices });
    if (points.length > 3000) points.splice(0, 1000);
    show();
  };
  return node;
}

function accountsPanel(scope, pool) {
  const count = h("span", { class: "note" });
  const table = new Table({
    name: "Accounts, worst first", columns: accountColumns({ unit: pool.settlement, kind: pool.kind }), rowKey: (row) => row.account, height: "var(--tall)", sortBy: "health",
    onOpen: (row) => { location.hash = accountHref(row); }, empty: "Nobody owes or holds anything in this pool.",
  });
  scope.add(table);
  let live = new Map();
  const rest = new Map();
  let cursor;
  let total = null;
  let isAsking = false;
  const show = () => {
    const rows = [...live.values(), ...[...rest.values()].filter((row) => !live.has(String(row.account)))];
    table.set(rows);
    say(count, `${f.count(rows.length)}${total === null ? "" : ` of ${f.count(total)}`}, worst first; amounts in ${pool.settlement}`);
  };
  // The stream has the hundred worst; who scrolls further gets pages of the others.
  table.onEnd = async () => {
    if (isAsking || cursor === null || live.size < 100) return;
    isAsking = true;
    try {
      const page = await get(`/pools/${part(pool.id)}/accounts`, { limit: 500, cursor }, scope.signal);
      cursor = page.next;
      total = page.total;
      for (const row of page.items) rest.set(String(row.account), row);
      show();
    } catch {
      cursor = null;
    }
    isAsking = false;
  };
  scope.add(stream.subscribe({ channel: "accounts", pool: pool.id }, (topic) => {
    live = topic.rows ?? new Map();
    show();
  }));
  return panel("Accounts", { note: count, body: table.node, flush: true });
}

function moneyPanel(pool) {
  const unit = pool.settlement;
  const entries = [
    ["lender_assets", "lender_assets", "money", unit], ["utilisation", "utilisation", "percent"], ["borrow_rate", "borrow_rate", "percent", "% a year"],
    ["settled_cash", "settled_cash", "money", unit], ["unpaid_claims", "unpaid_claims", "money", unit], ["dues", "dues", "money", unit], ["insurance_paid", "insurance_paid", "money", unit],
  ].map(([field, key, kind, said]) => [field, figure(key, kind, { unit: said })]);
  const node = panel("Money of the pool", { body: h("div", { class: "lines" }, entries.map(([, one]) => one)), flush: true });
  node.set = (now) => entries.forEach(([field, one]) => one.set(now[field], { why: now.unknown?.[field] }));
  return node;
}

export async function poolPage(main, scope, [name]) {
  let pool;
  try {
    pool = await get(`/pools/${part(name)}`, {}, scope.signal);
  } catch (error) {
    if (error.name !== "AbortError") main.append(nothing("This pool cannot be shown", error.message));
    return;
  }
  document.title = `${pool.name} · Ringfence`;
  const parts = {
    head: header(pool), tiles: tiles(pool.settlement), ladder: ladderPanel(scope, pool), waterfall: waterfallPanel(pool.settlement), reserves: reservesPanel(pool.settlement),
    collateral: collateralPanel(pool), queue: pool.kind === "lending" ? null : poolQueuePanel(scope, pool), funding: fundingPanel(pool), money: moneyPanel(pool),
  };
  const isLong = pool.instruments.length > 4; // of options, whose names are long, too
  main.append(
    parts.head,
    h("div", { class: "grid" },
      parts.tiles,
      h("div", { class: "w8 col" }, parts.ladder, accountsPanel(scope, pool), auctionsPanel(scope, { pool, unit: pool.settlement }), parts.queue),
      h("div", { class: "w4 col" }, parts.waterfall, parts.reserves, parts.collateral, isLong ? null : parts.funding, parts.money),
      isLong ? parts.funding : null,
      parametersPanel(scope, pool)));
  const show = (now) => {
    for (const one of Object.values(parts)) one?.set?.(now);
  };
  show(pool);
  scope.add(stream.subscribe({ channel: "pool", pool: pool.id }, (topic) => {
    if (!topic.only) return;
    pool = topic.only;
    show(pool);
    parts.ladder.add(pool, topic.timeMs);
  }));
}
