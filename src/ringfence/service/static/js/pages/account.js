// One account: standing, legs, how far it is from liquidation, what if, and its receipts.

import { get, part } from "../api.js";
import { figure, tile } from "../components/figure.js";
import { MarginBar } from "../components/margin-bar.js";
import { Table } from "../components/table.js";
import { liquidationColumns, liquidationKey, draws } from "../components/columns.js";
import { explain } from "../components/tip.js";
import { clear, h, nothing, panel, say } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";
import { curvesPanel, healthPanel } from "./account-curves.js";
import { greeksPanel } from "./account-greeks.js";
import { stepPanel } from "./account-step.js";
import { whatIfPanel } from "./account-what-if.js";

const TILES = [
  ["equity", "equity", "money", true], ["free_margin", "free_margin", "money", true], ["collateral_value", "collateral_value", "money", true],
  ["uncollected_result", "uncollected_result", "money", true], ["debt", "debt", "money", true], ["leverage", "leverage", "ratio"],
  ["margin_ratio", "margin_ratio", "percent"], ["distance", "distance", "percent"],
];

function header(account) {
  return h("div", { class: "head" },
    h("nav", { class: "crumbs", "aria-label": "Where this is" }, h("a", { href: "#/" }, "Overview"), "›", h("a", { href: `#/pool/${account.pool}` }, account.pool_name), "›", h("span", null, "Account")),
    h("h1", null, h("span", { class: "mono" }, f.short(account.owner, 8, 6)), " ", h("span", { class: "muted" }, `#${account.number}`)),
    h("span", { class: "meta" }, h("a", { class: "link", href: `#/owner/${account.owner}` }, "All accounts of this owner"), h("span", null, "in ", h("a", { class: "link", href: `#/pool/${account.pool}` }, account.pool_name))));
}

function standing(unit) {
  const health = h("span", { class: "big" });
  const word = h("span", { class: "chip" });
  const mark = explain(h("div", { class: "gauge live", tabindex: "0", role: "group" }, h("span", { class: "name" }, "Health factor"), health, word), "health_factor");
  const bar = new MarginBar(unit);
  const node = h("section", { class: "panel standing", "aria-label": "Standing" }, mark, bar.node);
  node.set = (now) => {
    const place = f.band(now.health_factor);
    health.className = `big health b${place}`;
    health.dataset.band = place;
    clear(health, h("i", { "aria-hidden": "true" }), now.health_factor === null ? f.NONE : f.health(now.health_factor));
    say(word, now.health_factor === null ? "owes nothing" : place === 0 ? "below maintenance" : place < 3 ? "at risk" : place < 5 ? "fair" : "sound");
    word.className = `chip ${place === 0 ? "bad" : place < 3 ? "warn" : place > 4 ? "good" : ""}`;
    explain(mark, "health_factor", now.health_factor === null ? null : f.exact(now.health_factor), now.unknown.health_factor);
    mark.setAttribute("aria-label", `Health factor ${now.health_factor ?? "unknown"}, ${word.textContent}`);
    bar.set(now);
  };
  return node;
}

function tiles(unit) {
  const made = TILES.map(([field, key, kind, isMoney]) => [field, tile(key, kind, { unit: isMoney ? unit : undefined })]);
  const node = h("div", { class: "tiles" }, made.map(([, one]) => one));
  node.set = (now) => made.forEach(([field, one]) => one.set(now[field], { why: now.unknown[field] }));
  return node;
}

function range(lower, upper) {
  const parts = [lower === null ? null : `↓ ${f.price(lower)}`, upper === null ? null : `↑ ${f.price(upper)}`].filter(Boolean);
  return parts.length ? parts.join("  ") : f.NONE;
}

function rangeCell(name, unit) {
  const why = "no price up to the pool's limit reaches it, all else unchanged";
  return (cell, row) => {
    const [lower, upper] = [row[`${name}_price_lower`], row[`${name}_price_upper`]];
    say(cell, range(lower, upper));
    const said = [lower && `below: ${f.exact(lower)}`, upper && `above: ${f.exact(upper)}`].filter(Boolean).join(", ");
    return { exact: said ? `${said} ${unit}` : null, why: said ? null : why };
  };
}

function legsPanel(scope, unit, hasOptions) {
  const name = hasOptions ? 136 : 84; // of an option, its whole name: only its end says call or put
  const table = new Table({
    name: "Legs", rowKey: (row) => row.instrument, height: "260px", empty: "No position in any instrument.",
    columns: [
      { key: "instrument", head: "Leg", width: `minmax(${name}px, 1fr)`, narrow: `minmax(${hasOptions ? 156 : name}px, 1fr)`, strong: true, draw: (cell, row) => say(cell, row.instrument) },
      { key: "size", tip: "size", width: "76px", narrow: "76px", num: true, draw: (cell, row) => { say(cell, f.signed(f.size(row.size))); return { exact: `${f.exact(row.size)} contracts, ${row.size.startsWith("-") ? "short" : "long"}` }; } },
      { key: "entry", tip: "entry_price", width: "82px", num: true, wide: true, draw: draws("entry_price", "price", unit) },
      { key: "mark", tip: "mark_price", width: "82px", num: true, wide: true, draw: draws("mark_price", "price", unit) },
      { key: "notional", tip: "notional", width: "94px", num: true, wide: true, draw: draws("notional", "money", unit) },
      { key: "pnl", head: "Result", tip: "unrealized_pnl", width: "84px", narrow: "86px", num: true, draw: (cell, row) => { say(cell, f.signed(f.money(row.unrealized_pnl))); return { exact: `${f.exact(row.unrealized_pnl)} ${unit}` }; } },
      { key: "funding", head: "Funding", tip: "funding_due", width: "60px", num: true, wide: true, draw: draws("funding_due", "money", unit) },
      { key: "liquidation", head: "Liquidation", tip: "liquidation_price", width: "minmax(92px, 1fr)", narrow: "minmax(96px, 1fr)", num: true, draw: rangeCell("liquidation", unit) },
      { key: "bankruptcy", head: "Bankruptcy", tip: "bankruptcy_price", width: "minmax(92px, 1fr)", num: true, wide: true, draw: rangeCell("bankruptcy", unit) },
    ],
  });
  scope.add(table);
  const node = panel("Legs", { note: `amounts in ${unit}`, body: table.node, flush: true });
  node.set = (now) => table.set(now.positions);
  return node;
}

function balancesPanel(account, unit) {
  const lines = Object.keys(account.balances).map((asset) => [asset, figure("balances", "size", { name: asset, unit: asset })]);
  const more = [["due", "due"], ["claim", "claim"]].map(([field, key]) => [field, figure(key, "money", { unit })]);
  const shares = figure("supply_shares", "count", { unit: "shares" });
  const node = panel("Balances", { body: h("div", { class: "lines" }, lines.map(([, one]) => one), more.map(([, one]) => one), shares), flush: true });
  node.set = (now) => {
    for (const [asset, one] of lines) one.set(now.balances[asset]);
    for (const [field, one] of more) one.set(now[field]);
    shares.set(now.supply_shares);
  };
  return node;
}

/** Where options bring the account down, from prices of the coin and not from a move of all. */
function structureLines(pool, unit) {
  const lines = pool.underlyings.flatMap(({ name }) => ["lower", "upper"].map((side) => [name, side, figure(`structure_${side}`, "price", { unit, name: `${name} ${side === "lower" ? "below" : "above"}` })]));
  const node = h("div", { class: "lines", hidden: true }, lines.map(([, , one]) => one));
  node.set = (found) => {
    node.hidden = !found.structures.length && !found.unknown.structures;
    for (const [name, side, one] of lines) {
      const prices = found.structures.find((item) => item.underlying === name);
      one.hidden = !prices && !found.unknown.structures;
      one.set(prices?.[`liquidation_price_${side}`] ?? null, { why: found.unknown.structures ?? "no price up to ten times away reaches it" });
    }
  };
  return node;
}

function distancePanel(pool, unit) {
  const structures = structureLines(pool, unit);
  const lines = [["shock_down", "shock_down"], ["shock_up", "shock_up"]].map(([field, key]) => [field, figure(key, "percent")]);
  const deviations = figure("distance_deviations", "ratio", { name: "In standard deviations", unit: "daily σ" });
  const node = panel("Distance to maintenance", { note: "all prices together", body: [h("div", { class: "lines" }, lines.map(([, one]) => one), deviations), structures], flush: true });
  node.set = (now) => {
    for (const [field, one] of lines) one.set(now[field], { why: now.unknown[field] });
    deviations.set(now.distance_deviations, { why: now.unknown.distance_deviations });
  };
  node.setStructures = (found) => structures.set(found);
  return node;
}

function receiptsPanel(scope, account, unit) {
  const table = new Table({
    name: "Receipts of liquidations", columns: liquidationColumns({ unit, withPool: false }).filter((one) => !["account", "shortfall"].includes(one.key)).map((one) => (one.key === "what" ? { ...one, wide: false, narrow: "minmax(76px, 1fr)" } : one)),
    rowKey: liquidationKey, height: "300px", onOpen: (row) => { location.hash = `#/journal/${row.seq}`; }, empty: "This account was never liquidated.",
  });
  scope.add(table);
  let rows = [];
  const isMine = (row) => row.pool === account.pool && row.owner === account.owner && row.number === account.number;
  const merge = (more) => {
    const known = new Set(rows.map(liquidationKey));
    rows = [...more.filter((row) => isMine(row) && !known.has(liquidationKey(row))), ...rows].sort((a, b) => b.seq - a.seq);
    table.set(rows);
  };
  get("/liquidations", { pool: account.pool, owner: account.owner, limit: 500 }, scope.signal).then((page) => merge(page.items), () => table.set([]));
  scope.add(stream.subscribe({ channel: "liquidations" }, (topic, change) => merge(change.kind === "snapshot" ? topic.items ?? [] : change.added ?? [])));
  return panel("Receipts", { note: "liquidation steps of this account; open one to follow it to its prices", body: table.node, flush: true });
}

export async function accountPage(main, scope, [poolName, owner, number]) {
  let account;
  let pool;
  try {
    [account, pool] = await Promise.all([get(`/accounts/${part(poolName)}/${owner}/${number}`, {}, scope.signal), get(`/pools/${part(poolName)}`, {}, scope.signal)]);
  } catch (error) {
    if (error.name !== "AbortError") main.append(nothing("This account cannot be shown", error.message));
    return;
  }
  const unit = pool.settlement;
  document.title = `${f.short(account.owner)} in ${account.pool_name} · Ringfence`;
  const distance = distancePanel(pool, unit);
  const context = { scope, pool, account, unit, onStructures: distance.setStructures };
  const parts = [standing(unit), tiles(unit), legsPanel(scope, unit, account.positions.some((leg) => leg.option)), whatIfPanel(context), healthPanel(context), curvesPanel(context), balancesPanel(account, unit), distance, greeksPanel(context), stepPanel(unit)];
  const [top, row, legs, whatIf, time, curves, balances, , greeks, step] = parts;
  main.append(header(account), h("div", { class: "grid" }, top, row,
    h("div", { class: "w8 col" }, legs, curves, greeks, receiptsPanel(scope, account, unit)),
    h("div", { class: "w4 col" }, whatIf, time, step, distance, balances)));
  const show = (now) => parts.forEach((one) => one.set?.(now));
  show(account);
  scope.add(stream.subscribe({ channel: "account", pool: account.pool, owner: account.owner, number: account.number }, (topic) => {
    if (!topic.only) return;
    account = topic.only;
    show(account);
  }));
}

