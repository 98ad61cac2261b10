// Scenarios as a table of colours: moves of the price across, changes of volatility down.

import { clear, h } from "../dom.js";
import * as f from "../format.js";

const move = (share) => f.percent(share, 1).replace(/\.0$/, "");

function cell(point, view, unit) {
  const place = f.band(point.health_factor);
  const text = view === "health" ? (point.health_factor === null ? f.NONE : f.health(point.health_factor)) : f.compact(point.equity);
  const node = h("td", { class: `heat b${place}`, tabindex: "0" }, text);
  Object.assign(node.dataset, { tip: "scenario", exact: `price ${f.exact(point.price)}: equity ${f.exact(point.equity)} ${unit}, excess ${f.exact(point.excess)} ${unit}, health ${point.health_factor ?? "no debt"}` });
  return node;
}

const shiftName = (shift) => (Number(shift) === 0 ? "unchanged" : `${f.signed(f.percent(shift, 0))} %`);

/** Rows as the venue gives them; of an account without options there is one, as volatility does not enter. */
export function heatMap(found, view, unit) {
  const heads = found.rows[0].points.map((point) => h("th", { scope: "col" }, `${f.signed(move(point.move))}%`));
  const rows = found.rows.map((row) => h("tr", null, h("th", { scope: "row" }, found.has_volatility ? shiftName(row.volatility) : "any"), row.points.map((point) => cell(point, view, unit))));
  return h("table", { class: "heat-map" }, h("caption", { class: "sr" }, "Health factor by move of the price and change of volatility"),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Volatility"), heads)), h("tbody", null, rows));
}

export function putHeatMap(holder, found, view, unit) {
  if (found.unknown.rows) clear(holder, h("p", { class: "help-note" }, `Unknown: ${found.unknown.rows}.`));
  else clear(holder, heatMap(found, view, unit));
}
