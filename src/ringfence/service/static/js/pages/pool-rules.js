// A pool's parameters: values with their bounds, changes under way, and what was changed when.

import { get, part } from "../api.js";
import { shift } from "../decimal.js";
import { Table } from "../components/table.js";
import { h, nothing, panel, say, segments } from "../dom.js";
import * as f from "../format.js";

/** A raw whole number in its unit, for people. */
export function readable(value, unit, pool) {
  const raw = String(value);
  if (unit.startsWith("ppm")) return `${f.percent(shift(raw, -6), 4).replace(/\.?0+$/, "")} %${unit.includes("year") ? " a year" : ""}`;
  if (unit.startsWith("quote")) return `${f.compact(shift(raw, -(pool.settlement_decimals ?? 6)))} ${pool.settlement}`;
  if (unit.startsWith("1e-8")) return `${f.compact(shift(raw, -8))} ${unit.slice(5)}s`;
  if (unit.startsWith("1e-9")) return `${f.percent(shift(raw, -9), 4).replace(/\.?0+$/, "")} %`;
  if (unit === "ns") return f.duration(Number(BigInt(raw) / 1_000_000n));
  return `${f.exact(raw)} ${unit}`;
}

function columns(pool) {
  const value = (field) => (cell, row) => {
    say(cell, readable(row[field], row.unit, pool));
    return { exact: `${f.exact(String(row[field]))} ${row.unit}` };
  };
  return [
    { key: "parameter", head: "Parameter", width: "minmax(130px, 1fr)", narrow: "minmax(110px, 1.4fr)", strong: true, sort: (row) => row.parameter, draw: (cell, row) => say(cell, f.words(row.parameter)) },
    { key: "of", head: "Of", width: "minmax(120px, 1fr)", narrow: "minmax(76px, 1fr)", draw: (cell, row) => say(cell, row.of ?? "the pool") },
    { key: "value", tip: "parameter_value", width: "118px", narrow: "92px", num: true, draw: value("value") },
    { key: "min", head: "Lowest", tip: "bounds", width: "118px", num: true, wide: true, draw: value("min") },
    { key: "max", head: "Highest", tip: "bounds", width: "118px", num: true, wide: true, draw: value("max") },
  ];
}

function changes(found, pool) {
  const units = new Map(found.parameters.map((one) => [`${one.parameter} ${one.index}`, one]));
  const said = (one, value) => readable(value, units.get(`${one.parameter} ${one.index}`)?.unit ?? "", pool);
  const pending = found.pending.map((one) => h("li", null, h("span", { class: `chip ${one.active ? "warn" : ""}` }, one.active ? "moving" : "announced"), h("b", null, f.words(one.parameter)), ` of ${one.of ?? "the pool"}: ${said(one, one.old)} → ${said(one, one.new)}, from ${f.moment(one.start_ms)} over ${f.duration(one.ramp_ms)}`));
  const history = found.history.map((one) => h("li", null, h("time", { class: "muted" }, f.moment(one.time_ms)), h("a", { class: "link", href: `#/journal/${one.seq}` }, `entry ${one.seq}`), ` ${one.what} `, h("b", null, f.words(one.parameter ?? "")), one.value === null || one.value === undefined ? "" : ` to ${said(one, one.value)}`));
  const all = [...pending, ...history];
  return all.length ? h("ul", { class: "changes" }, all) : nothing("Never changed", "Values are those of the spec. Changes are announced a day ahead and appear here with their journal entry.");
}

export function parametersPanel(scope, pool) {
  const holder = h("div", {});
  const version = h("span", { class: "note" });
  let view = "values";
  let found = null;
  let table = null;
  const show = () => {
    if (!found) return;
    say(version, `version ${found.version}, ${found.pending.length} pending`);
    if (view === "values") {
      if (!table) {
        table = new Table({ name: "Parameters", columns: columns(pool), rowKey: (row) => `${row.parameter}-${row.index}`, height: "340px" });
        scope.add(table);
      }
      table.set(found.parameters);
      holder.replaceChildren(table.node);
    } else holder.replaceChildren(changes(found, pool));
  };
  const ask = async () => {
    try {
      found = await get(`/pools/${part(pool.id)}/parameters`, {}, scope.signal);
      show();
    } catch (error) {
      if (error.name !== "AbortError") holder.replaceChildren(nothing("No parameters", error.message));
    }
  };
  ask();
  scope.every(15_000, ask);
  return panel("Parameters", {
    note: version,
    tools: segments("Show", [["values", "Values"], ["changes", "History"]], view, (to) => { view = to; show(); }),
    body: holder,
    flush: true,
  });
}
