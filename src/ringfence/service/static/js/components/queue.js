// The deleveraging queue of an instrument: who would be cut first, and how far away that is.

import { get } from "../api.js";
import { clear, h, id, panel, say } from "../dom.js";
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
    { key: "lights", head: "Rank", tip: "queue_lights", width: "62px", draw: (cell, row) => { if (cell.dataset.n !== String(row.lights)) clear(cell, lightsMark(row.lights)); cell.dataset.n = row.lights; return { exact: `${row.lights} of ${LIGHTS} lights; place ${row.before + 1} of ${row.count}` }; } },
    { key: "owner", head: "Account", width: "minmax(112px, 1fr)", narrow: "minmax(86px, 1fr)", draw: (cell, row) => (row.is_backstop ? say(cell, "backstop") : clear(cell, h("span", { class: "mono" }, f.short(row.owner)), h("span", { class: "unit" }, `#${row.number}`))) },
    { key: "leverage", tip: "queue_leverage", width: "64px", num: true, draw: draws("leverage", "ratio", "×", "it has no equity here, so it is first of all") },
    { key: "notional", tip: "notional", width: "64px", num: true, wide: true, draw: draws("notional", "compact", unit) },
    { key: "distance", tip: "queue_distance", width: "66px", num: true, draw: draws("distance", "compact", unit) },
  ];
}

/** The queue of one pool: longs and shorts beside each other, of an instrument to choose. */
class Queue {
  constructor(scope, onNote) {
    this.onNote = onNote;
    this.tools = h("div", { class: "tools" });
    this.tables = [];
    this.holder = h("div", { class: "two-tables" });
    scope.add(() => this.end());
  }

  /** Show a pool, as summaries have it. */
  show(pool) {
    this.end();
    this.pool = pool;
    // What most is held of comes first: of options, many are not held at all.
    const names = Object.keys(pool.open_interest).sort((a, b) => Number(pool.open_interest[b]) - Number(pool.open_interest[a]));
    const key = id("queue");
    const choice = h("select", { id: key, onchange: () => this.watch(choice.value) }, names.map((name) => h("option", { value: name }, name)));
    clear(this.tools, names.length > 1 ? [h("label", { class: "sr", for: key }, "Instrument"), choice] : null);
    this.tables = ["long", "short"].map((side) => [side, new Table({
      name: `Deleveraging queue, ${side}s`, columns: columns(pool.settlement), rowKey: (row) => `${row.side}-${row.account}`, height: "300px",
      onOpen: (row) => { location.hash = accountHref({ ...row, pool: pool.id }); }, empty: `Nobody is ${side}.`,
    })]);
    clear(this.holder, this.tables.map(([side, table]) => h("div", {}, h("h3", null, `${f.capital(side)}s`), table.node)));
    if (names.length) this.watch(names[0]);
  }

  watch(instrument) {
    this.stop?.();
    this.stop = stream.subscribe({ channel: "queue", pool: this.pool.id, instrument }, (topic) => this.fill(instrument, topic.rows ? [...topic.rows.values()] : []));
  }

  fill(instrument, rows) {
    for (const [side, table] of this.tables) table.set(rows.filter((row) => row.side === side).sort((a, b) => a.before - b.before || a.account - b.account));
    this.onNote(`${instrument}; ${f.many(Number(this.pool.waiting), "account")} waiting; amounts in ${this.pool.settlement}`);
  }

  end() {
    this.stop?.();
    for (const [, table] of this.tables) table.end();
  }
}

/** The queue of the pool that a page is about. */
export function poolQueuePanel(scope, pool) {
  const count = h("span", { class: "note" });
  const queue = new Queue(scope, (text) => say(count, text));
  queue.show(pool);
  const node = panel("Deleveraging queue", { note: count, tools: queue.tools, body: queue.holder, flush: true });
  node.set = (now) => { queue.pool = now; };
  return node;
}

/** The queue of a pool to choose; first the one that deleverages, or stands worst. */
export async function queuePanel(scope) {
  const count = h("span", { class: "note" });
  const queue = new Queue(scope, (text) => say(count, text));
  const key = id("pool");
  const choice = h("select", { id: key });
  const node = panel("Deleveraging queue", { note: count, tools: [h("label", { class: "sr", for: key }, "Pool"), choice, queue.tools], body: queue.holder, flush: true });
  try {
    const { items } = await get("/pools", { limit: 500, order: "worst" }, scope.signal);
    const pools = items.filter((pool) => Object.keys(pool.open_interest).length).sort((a, b) => b.waiting - a.waiting);
    clear(choice, pools.map((pool) => h("option", { value: pool.id }, pool.name)));
    choice.addEventListener("change", () => queue.show(pools.find((pool) => pool.id === choice.value)));
    if (pools.length) queue.show(pools[0]);
    else say(count, "no pool trades anything");
  } catch (error) {
    if (error.name !== "AbortError") say(count, error.message);
  }
  return node;
}
