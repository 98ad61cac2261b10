// An account over time, over the price (payoff and health), and over scenarios.

import { get, part } from "../api.js";
import { Chart, legend } from "../components/chart.js";
import { putHeatMap } from "../components/heat-map.js";
import { h, panel, say, segments } from "../dom.js";
import * as f from "../format.js";

const HEALTH_SHOWN_MAX = 4;
const REFRESH_MS = 2000;
const POINTS_MAX = 3000;
const STRUCTURES_MS = 15_000;
const SPANS = ["0.03", "0.12", "0.3"]; // twelve steps of half, two and five percent
const plain = (value) => (Math.abs(value) < 1e-6 ? "0" : value.toFixed(6));

const clipped = (value) => (value === null ? null : Math.min(Number(value), HEALTH_SHOWN_MAX));

export function healthPanel({ scope, account }) {
  const chart = new Chart({
    name: "Health factor over time",
    height: 190,
    series: [{ name: "Health", tip: "health_factor", colour: "--text", format: (value) => f.fixed(plain(value), 3), steps: true }],
    y: { format: (value) => f.fixed(plain(value), 2), lines: () => [{ at: 1, colour: "--h0", text: "liquidated below 1" }], range: (_, low, high) => [Math.min(0.95, (low ?? 1) * 0.97), Math.min(HEALTH_SHOWN_MAX, Math.max(1.15, (high ?? 1) * 1.03))] },
  });
  scope.add(chart);
  const note = h("p", { class: "under-chart" });
  let points = [];
  const show = () => {
    chart.set([points.map((p) => p.time_ms), points.map((p) => clipped(p.health_factor))]);
    say(note, points.length > 1 ? `Since the service started; a health above ${HEALTH_SHOWN_MAX} is drawn at ${HEALTH_SHOWN_MAX}.` : "The line grows as the venue moves on.");
  };
  get(`/accounts/${part(account.pool)}/${account.owner}/${account.number}/history`, {}, scope.signal).then((found) => {
    points = [...found.points, ...points];
    show();
  }, () => say(note, "No history is kept of this account; the line starts now."));
  const node = panel("Health over time", { body: [h("div", { class: "chart-frame" }, chart.node), note], flush: true });
  node.set = (now) => {
    const last = points.at(-1);
    if (last && now.time_ms <= last.time_ms) return;
    points.push({ time_ms: now.time_ms, health_factor: now.health_factor });
    if (points.length > POINTS_MAX) points.splice(0, POINTS_MAX / 3);
    show();
  };
  return node;
}

const priceAxis = (unit) => ({ name: "Price", tip: "scenario_price", unit, format: f.tick, rest: (data) => Math.floor(data[0].length / 2) });

function payoffChart(unit, marks, hasOptions) {
  return new Chart({
    name: "Payoff: equity and excess over the price",
    height: 250,
    x: priceAxis(unit),
    y: { format: (value) => f.compact(plain(value)), lines: () => [{ at: 0, colour: "--line-strong" }, ...marks()] },
    series: [
      { name: "Equity", tip: "equity", colour: "--text", format: (value) => `${f.money(plain(value))} ${unit}` },
      { name: "Excess", tip: "excess", colour: "--accent", format: (value) => `${f.money(plain(value))} ${unit}`, dash: [6, 4] },
      ...(hasOptions ? [{ name: "At expiry", tip: "at_expiry", colour: "--h5", format: (value) => `${f.money(plain(value))} ${unit}`, width: 1.5, dash: [2, 3] }] : []),
    ],
  });
}

function healthCurve(unit, marks) {
  return new Chart({
    name: "Health over the price",
    height: 250,
    x: priceAxis(unit),
    y: { format: (value) => f.fixed(plain(value), 2), within: [0, HEALTH_SHOWN_MAX], empty: [0, HEALTH_SHOWN_MAX], lines: () => [{ at: 1, colour: "--h0", text: "liquidated below 1" }, ...marks()] },
    series: [{ name: "Health", tip: "health_factor", colour: "--text", format: (value) => f.fixed(plain(value), 3) }],
  });
}

/** Moves that show where the account ends: a few times its distance. */
function spanOf(account, hasOptions) {
  if (hasOptions) return SPANS.at(-1);
  const far = account.distance === null ? 1 : 3 * Number(account.distance);
  return SPANS.find((span) => Number(span) >= far) ?? SPANS.at(-1);
}

/** Prices worth marking: now, and where the account is liquidated. */
function marksOf(account, feed, pool, price, structures) {
  const mine = new Set(pool.instruments.filter((one) => one.underlying === feed).map((one) => one.name));
  const marks = price === null ? [] : [{ at: Number(price), vertical: true, colour: "--accent", text: "now" }];
  const legs = account.positions.filter((one) => mine.has(one.instrument));
  const ends = legs.some((leg) => leg.option) ? structures.filter((one) => one.underlying === feed) : legs;
  for (const one of ends) {
    for (const end of [one.liquidation_price_lower, one.liquidation_price_upper]) {
      if (end !== null) marks.push({ at: Number(end), vertical: true, colour: "--h1", text: "liquidation", row: 1 });
    }
  }
  return marks;
}

/** What the curves rest on, and why there are none. */
function told(curve, grid, now) {
  if (curve.unknown.points) return `Unknown: ${curve.unknown.points}.`;
  const expiry = curve.at_expiry ? ` At expiry: ${f.moment(curve.at_expiry.expiry_ms)}, what lives on valued then.` : "";
  return `All else unchanged; everything revalued, then judged by the kernel that decides, at ${f.clock(now.time_ms)} UTC.${expiry}${grid.has_volatility ? "" : " No leg depends on volatility."}`;
}

export function curvesPanel({ scope, pool, account, unit, onStructures }) {
  const feeds = pool.underlyings.map((one) => one.name);
  let feed = feeds[0];
  let now = account;
  let price = null;
  const hasOptions = account.positions.some((leg) => leg.option);
  let structures = [];
  let scenarios = null;
  let view = "health";
  let span = spanOf(account, hasOptions);
  const marks = () => marksOf(now, feed, pool, price, structures);
  const payoff = payoffChart(unit, marks, hasOptions);
  const health = healthCurve(unit, marks);
  scope.add(payoff);
  scope.add(health);
  const holder = h("div", { class: "heat-frame" });
  const note = h("p", { class: "under-chart" });
  const path = `/accounts/${part(account.pool)}/${account.owner}/${account.number}`;
  const ask = async () => {
    try {
      const [curve, grid] = await Promise.all([
        get(`${path}/curve`, { underlying: feed, points: hasOptions ? 41 : 81, span }, scope.signal),
        get(`${path}/scenarios`, { underlying: feed, points: 13, span }, scope.signal),
      ]);
      price = curve.price;
      const x = curve.points.map((p) => Number(p.price));
      const expiry = curve.at_expiry?.points.map((p) => Number(p.equity)) ?? x.map(() => null);
      payoff.set([x, curve.points.map((p) => Number(p.equity)), curve.points.map((p) => Number(p.excess)), ...(hasOptions ? [expiry] : [])]);
      health.set([x, curve.points.map((p) => clipped(p.health_factor))]);
      scenarios = grid;
      putHeatMap(holder, scenarios, view, unit);
      say(note, told(curve, grid, now));
    } catch (error) {
      if (error.name !== "AbortError") say(note, error.message);
    }
  };
  const askStructures = () => get(`${path}/structures`, {}, scope.signal).then((found) => { structures = found.structures; onStructures?.(found); }, () => {});
  ask();
  if (hasOptions) {
    askStructures();
    scope.every(STRUCTURES_MS, askStructures);
  }
  let askedAt = performance.now();
  const node = panel("Payoff, health and scenarios", {
    tools: [feeds.length > 1 ? segments("Price of", feeds.map((one) => [one, one]), feed, (to) => { feed = to; ask(); }) : h("span", { class: "note" }, `price of ${feed}`),
      segments("Moves of the price", SPANS.map((one) => [one, `± ${f.percent(one, 0)} %`]), span, (to) => { span = to; ask(); })],
    body: [
      h("div", { class: "two-charts" }, h("div", null, payoff.node, legend([["Equity", "--text"], ["Excess margin", "--accent"], hasOptions ? ["At expiry", "--h5"] : null, ["Liquidation", "--h1"]].filter(Boolean))), h("div", null, health.node, legend([["Health factor", "--text"], ["Maintenance", "--h0"]]))),
      h("div", { class: "sub-head" }, h("h3", null, "Scenarios: price × volatility"), segments("Show in cells", [["health", "Health"], ["equity", `Equity, ${unit}`]], view, (to) => { view = to; if (scenarios) putHeatMap(holder, scenarios, view, unit); })),
      holder, note,
    ],
    flush: true,
  });
  node.set = (to) => {
    now = to;
    const isHere = holder.contains(document.activeElement) || holder.matches(":hover");
    if (isHere || performance.now() - askedAt < (hasOptions ? 2 * REFRESH_MS : REFRESH_MS)) return;
    askedAt = performance.now();
    ask();
  };
  return node;
}
