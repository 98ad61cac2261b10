// Scenarios as a table of colours: moves of the price across, changes of volatility down.

import { clear, h } from "../dom.js";
import * as f from "../format.js";

const ROWS = [["+25 %", false], ["unchanged", true], ["−25 %", false]];
const LINEAR = "Every leg of this account is linear, so volatility does not enter: the same as the row of unchanged volatility.";

const move = (share) => f.percent(share, 1).replace(/\.0$/, "");

function cell(point, view, unit) {
  const place = f.band(point.health_factor);
  const text = view === "health" ? (point.health_factor === null ? f.NONE : f.health(point.health_factor)) : f.compact(point.equity);
  const node = h("td", { class: `heat b${place}`, tabindex: "0" }, text);
  Object.assign(node.dataset, { tip: "scenario", exact: `price ${f.exact(point.price)}: equity ${f.exact(point.equity)} ${unit}, excess ${f.exact(point.excess)} ${unit}, health ${point.health_factor ?? "no debt"}` });
  return node;
}

export function heatMap(points, view, unit) {
  const heads = points.map((point) => h("th", { scope: "col" }, `${f.signed(move(point.move))}%`));
  const rows = ROWS.map(([name, isKnown]) => {
    const cells = isKnown
      ? points.map((point) => cell(point, view, unit))
      : [h("td", { class: "same", colspan: points.length, tabindex: "0", "data-tip": "scenario", "data-how": LINEAR }, "= as unchanged: no leg depends on volatility")];
    return h("tr", null, h("th", { scope: "row" }, name), cells);
  });
  return h("table", { class: "heat-map" }, h("caption", { class: "sr" }, "Health factor by move of the price and change of volatility"),
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Volatility"), heads)), h("tbody", null, rows));
}

export function putHeatMap(holder, points, view, unit) {
  clear(holder, heatMap(points, view, unit));
}

