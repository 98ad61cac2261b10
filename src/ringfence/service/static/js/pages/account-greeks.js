// Sensitivities of an account's legs beside those of its collateral.

import { get, part } from "../api.js";
import { shift } from "../decimal.js";
import { write } from "../components/figure.js";
import { explain } from "../components/tip.js";
import { clear, h, panel, say } from "../dom.js";
import * as f from "../format.js";

const ASK_MS = 2500;
// Name, its unit, and by how many decimal places the venue's figure is moved for that unit.
const GREEKS = [
  ["delta", (coin) => coin, 0], ["gamma", (coin) => `${coin} per 1 of price`, 0], ["vega", (_, unit) => `${unit} per point of volatility`, -2],
  ["theta", (_, unit) => `${unit} a day`, 0], ["rho", (_, unit) => `${unit} per point of rate`, -2],
];
const HEADS = ["Greek", "Legs", "Collateral", "Together"];
const LEG_HEADS = ["Leg", "Delta", "Gamma", "Vega", "Theta", "Volatility"];

/** Four digits that count: sensitivities of small legs are small. */
function short(value) {
  const number = Number(value);
  if (number === 0) return "0";
  const places = Math.min(9, Math.max(2, 3 - Math.floor(Math.log10(Math.abs(number)))));
  return f.fixed(value, places > 4 && Math.abs(number) >= 1 ? 2 : places);
}

function put(cell, key, value, unit, why) {
  const shown = value === null ? null : short(value);
  write(cell, shown === null ? null : value, "text", "", why);
  if (shown !== null) cell.firstChild.data = shown;
  explain(cell, key, value === null ? null : `${f.exact(value)} ${unit}`, value === null ? why : null);
}

const cell = (key) => explain(h("span", { class: "num", tabindex: "0", role: "group" }), key);

function totalsTable(pool, unit) {
  const lines = pool.underlyings.flatMap(({ name }) => GREEKS.map(([greek, unitOf, places]) => ({ name, greek, places, unit: unitOf(name, unit), cells: [cell(greek), cell(greek), cell(greek)] })));
  const node = h("div", { class: "mini greeks", css: { "--n": HEADS.length } }, HEADS.map((text, k) => h("span", { class: `mini-head ${k ? "num" : ""}` }, text)),
    lines.map(({ name, greek, cells }) => [h("span", null, f.capital(greek), h("span", { class: "muted" }, name)), cells]));
  node.set = (found) => {
    for (const line of lines) {
      const sums = found.totals.find((one) => one.underlying === line.name);
      ["legs", "collateral", "together"].forEach((side, k) => {
        const value = sums[side][line.greek];
        put(line.cells[k], line.greek, value === null ? null : shift(value, line.places), line.unit, found.unknown[line.greek]);
        line.cells[k].setAttribute("aria-label", `${line.greek} ${line.name} of ${HEADS[k + 1].toLowerCase()}: ${value ?? "unknown"} ${line.unit}`);
      });
    }
  };
  return node;
}

function legLine(leg, unit, unknown) {
  const cells = GREEKS.slice(0, 4).map(([greek, unitOf, places]) => {
    const value = leg.greeks[greek];
    const one = cell(greek);
    put(one, greek, value === null ? null : shift(value, places), unitOf(leg.underlying, unit), unknown[greek]);
    one.setAttribute("aria-label", `${greek} of ${leg.instrument}: ${value ?? "unknown"}`);
    return one;
  });
  const volatility = cell("volatility");
  write(volatility, leg.volatility, "percent", "%");
  explain(volatility, "volatility", leg.volatility === null ? null : `${f.percent(leg.volatility, 4)} % a year`, leg.volatility === null ? unknown.vega ?? "the leg is no option" : null);
  volatility.setAttribute("aria-label", `volatility of ${leg.instrument}: ${leg.volatility ?? "none"}`);
  return [h("span", { class: "strong" }, leg.instrument), cells, volatility];
}

export function greeksPanel({ scope, pool, account, unit }) {
  const totals = totalsTable(pool, unit);
  const legs = h("div", { class: "mini greeks legs", css: { "--n": LEG_HEADS.length } });
  const note = h("p", { class: "under-chart" });
  const path = `/accounts/${part(account.pool)}/${account.owner}/${account.number}/greeks`;
  let askedAt = -Infinity;
  const ask = async () => {
    askedAt = performance.now();
    try {
      const found = await get(path, {}, scope.signal);
      totals.set(found);
      if (!legs.contains(document.activeElement)) clear(legs, LEG_HEADS.map((text, k) => h("span", { class: `mini-head ${k ? "num" : ""}` }, text)), ...found.legs.flatMap((leg) => legLine(leg, unit, found.unknown).flat()));
      legs.hidden = !found.legs.length;
      say(note, found.unknown.delta ? `Greeks of options are unknown: ${found.unknown.delta}.` : `Vega and rho per percentage point, theta a day, in ${unit}; at ${f.clock(found.time_ms)} UTC.`);
    } catch (error) {
      if (error.name !== "AbortError") say(note, error.message);
    }
  };
  const node = panel("Greeks against collateral", { note: `delta in coins, the others in ${unit}`, body: [totals, legs, note], flush: true });
  node.set = () => {
    if (performance.now() - askedAt > ASK_MS) ask();
  };
  return node;
}
