// The deleveraging queue of an instrument: who would be cut first, and how far away that is.

import { get } from "../api.js";
import { clear, h, id, panel, say, segments } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";
import { accountHref, draws } from "./columns.js";
import { Table } from "./table.js";

const LIGHTS = 5;

/** Lights of a place as dots: five are cut first. */
export function lightsMark(n) {
  return h("span", { class: "lights", role: "img", "aria-label": `${n} of ${LIGHTS} lights` }, Array.from({ length: LIGHTS }, (_, k) => h("i", { class: k < n ? "on" : "" })));
}

function columns(unit) {
  return [
    { key: "lights", head: "Rank", tip: "queue_lights", width: "78px", draw: (cell, row) => { if (cell.dataset.n !== String(row.lights)) clear(cell, lightsMark(row.lights)); cell.dataset.n = row.lights; return { exact: `${row.lights} of ${LIGHTS} lights; place ${row.before + 1} of ${row.count}` }; } },
    { key: "owner", head: "Account", width: "minmax(112px, 1fr)", narrow: "minmax(86px, 1fr)", draw: (cell, row) => (row.is_backstop ? say(cell, "backstop") : clear(cell, h("span", { class: "mono" }, f.short(row.owner)), h("span", { class: "unit" }, `#${row.number}`))) },
    { key: "leverage", head: "Level", tip: "queue_leverage", width: "72px", narrow: "66px", num: true, draw: draws("leverage", "ratio", "×", "it has no equity here, so it is first of all") },
    { key: "notional", tip: "notional", width: "88px", num: true, wide: true, draw: draws("notional", "amount", unit) },
    { key: "distance", tip: "queue_distance", width: "92px", narrow: "82px", num: true, draw: draws("distance", "amount", unit) },
  ];
}

/** The queue of one pool, with its instruments and sides to choose from. */
class Queue {
  constructor(scope, { onNote }) {
    this.scope = scope;
    this.onNote = onNote;
    this.side = "long";
    this.rows = [];
    this.tools = h("div", { class: "tools" });
    this.holder = h("div", {});
    scope.add(() => this.stop?.());
  }

  /** Show a pool, as summaries have it. */
  show(pool) {
    this.pool = pool;
    const names = Object.keys(pool.open_interest);
    const key = id("queue");
    const choice = h("select", { id: key, onchange: () => this.watch(choice.value) }, names.map((name) => h("option", { value: name }, name)));
    const sides = segments("Side", [["long", "Longs"], ["short", "Shorts"]], this.side, (to) => { this.side = to; this.fill(); });
    clear(this.tools, names.length > 1 ? [h("label", { class: "sr", for: key }, "Instrument"), choice] : null, names.length ? sides : null);
    this.table?.end();
    this.table = new Table({ name: "Deleveraging queue", columns: columns(pool.settlement), rowKey: (row) => `${row.side}-${row.account}`, height: "300px", onOpen: (row) => { location.hash = accountHref({ ...row, pool: pool.id }); }, empty: names.length ? "Nobody holds this side." : "A lending pool has no positions, so nobody is deleveraged." });
    clear(this.holder, this.table.node);
    this.stop?.();
    this.stop = null;
    if (names.length) this.watch(names[0]);
    else this.fill();
  }

  watch(instrument) {
    this.stop?.();
    this.instrument = instrument;
    this.stop = stream.subscribe({ channel: "queue", pool: this.pool.id, instrument }, (topic) => {
      this.rows = topic.rows ? [...topic.rows.values()] : [];
      this.fill();
    });
  }

  fill() {
    const rows = this.rows.filter((row) => row.side === this.side).sort((a, b) => a.before - b.before || a.account - b.account);
    this.table.set(rows);
    this.onNote(this.pool, this.instrument, this.side, rows);
  }

  end() {
    this.table?.end();
  }
}

function note(count) {
  return (pool, instrument, side, rows) => say(count, instrument ? `${instrument}, ${side}s; ${f.many(Number(pool.waiting ?? 0), "account")} waiting` : "");
}

/** The queue of the pool that a page is about. */
export function poolQueuePanel(scope, pool) {
  const count = h("span", { class: "note" });
  const queue = new Queue(scope, { onNote: note(count) });
  scope.add(queue);
  queue.show(pool);
  return panel("Deleveraging queue", { note: count, tools: queue.tools, body: queue.holder, flush: true });
}

/** The queue of a pool to choose; first the one that deleverages, or stands worst. */
export async function queuePanel(scope) {
  const count = h("span", { class: "note" });
  const queue = new Queue(scope, { onNote: note(count) });
  scope.add(queue);
  const key = id("pool");
  const choice = h("select", { id: key });
  const node = panel("Deleveraging queue", { note: count, body: [h("div", { class: "choose" }, h("label", { for: key }, "Pool"), choice, queue.tools), queue.holder], flush: true });
  try {
    const { items } = await get("/pools", { limit: 500, order: "worst" }, scope.signal);
    const pools = items.filter((pool) => Object.keys(pool.open_interest).length).sort((a, b) => b.waiting - a.waiting);
    clear(choice, pools.map((pool) => h("option", { value: pool.id }, pool.name)));
    const chosen = () => pools.find((pool) => pool.id === choice.value);
    choice.addEventListener("change", () => queue.show(chosen()));
    if (pools.length) queue.show(chosen());
    else say(count, "no pool trades anything");
  } catch (error) {
    if (error.name !== "AbortError") say(count, error.message);
  }
  return node;
}
