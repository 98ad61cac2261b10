// The journal: browse and filter its entries, verify the whole of it.

import { get } from "../api.js";
import { Table } from "../components/table.js";
import { told } from "../components/tape.js";
import { clear, h, id, panel, say } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";
import { verifyPanel } from "./journal-verify.js";

const KINDS = [["", "Every kind"], ["pool", "Commands of pools"], ["prices", "Prices"], ["venue", "Commands of the venue"], ["digest", "Digests"]];
const LIVE_MAX = 5000;

function columns() {
  return [
    { key: "seq", head: "Entry", tip: "entry", width: "74px", narrow: "62px", num: true, strong: true, draw: (cell, row) => say(cell, f.count(row.seq)) },
    { key: "time", head: "Time, UTC", tip: "time", width: "150px", wide: true, draw: (cell, row) => { say(cell, `${f.date(row.time_ms)} ${f.clock(row.time_ms)}`); return { exact: `${row.time_ns ?? row.time_ms} ${row.time_ns ? "ns" : "ms"} since 1970` }; } },
    { key: "kind", head: "Kind", width: "64px", wide: true, draw: (cell, row) => say(cell, f.capital(row.kind)) },
    { key: "about", head: "About", width: "minmax(112px, 0.7fr)", narrow: "minmax(104px, 1fr)", draw: (cell, row) => say(cell, told(row)[0]) },
    { key: "what", head: "What", tip: "journaled", width: "minmax(120px, 2fr)", narrow: "minmax(96px, 1.2fr)", draw: (cell, row) => { const [, text] = told(row); say(cell, text); return { exact: text }; } },
    { key: "events", tip: "events", width: "64px", num: true, wide: true, draw: (cell, row) => { const n = row.events_total ?? row.events?.length ?? 0; say(cell, f.count(n)); return { exact: f.many(n, "event") }; } },
    { key: "head", tip: "head", width: "132px", wide: true, draw: (cell, row) => { clear(cell, h("span", { class: "mono muted" }, f.short(row.head, 8, 6))); return { exact: row.head }; } },
  ];
}

function select(labelText, options, chosen, onChange) {
  const key = id("select");
  const node = h("select", { id: key, onchange: (event) => onChange(event.target.value) }, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  return [h("label", { class: "sr", for: key }, labelText), node];
}

class Browser {
  constructor(scope, parameters) {
    this.scope = scope;
    this.filter = { kind: parameters.get("kind") ?? "", pool: parameters.get("pool") ?? "" };
    this.note = h("span", { class: "note" });
    this.table = new Table({ name: "Journal entries, newest first", columns: columns(), rowKey: (row) => row.seq, height: "calc(100vh - 250px)", onOpen: (row) => { location.hash = `#/journal/${row.seq}`; }, empty: "No entry matches." });
    scope.add(this.table);
    this.table.onEnd = () => this.older();
    this.restart();
    scope.add(stream.subscribe({ channel: "journal" }, (topic, change) => this.take(change.kind === "snapshot" ? topic.items ?? [] : change.added ?? [])));
  }

  matches(row) {
    return (!this.filter.kind || row.kind === this.filter.kind) && (!this.filter.pool || row.pool === this.filter.pool);
  }

  restart() {
    this.rows = new Map();
    this.cursor = undefined;
    this.round = (this.round ?? 0) + 1;
    this.isAsking = false;
    this.table.set([]);
    this.older();
  }

  set(name, value) {
    this.filter[name] = value;
    this.restart();
  }

  take(rows) {
    const mine = rows.filter((row) => this.matches(row));
    if (!mine.length) return;
    const { scroll, rowHeight } = this.table;
    const isReading = scroll.scrollTop > rowHeight;
    const fresh = mine.filter((row) => !this.rows.has(row.seq)).length;
    for (const row of mine) this.rows.set(row.seq, row);
    this.show();
    if (isReading) scroll.scrollTop += fresh * rowHeight; // what is being read stays where it is
  }

  show() {
    let all = [...this.rows.values()].sort((a, b) => b.seq - a.seq);
    if (all.length > LIVE_MAX) {
      all = all.slice(0, LIVE_MAX);
      this.rows = new Map(all.map((row) => [row.seq, row]));
    }
    this.table.set(all);
    say(this.note, `${f.count(all.length)} loaded, newest first; scroll for older ones`);
  }

  async older() {
    if (this.isAsking || this.cursor === null) return;
    this.isAsking = true;
    const { round } = this;
    try {
      const page = await get("/journal", { ...this.filter, limit: 100, cursor: this.cursor }, this.scope.signal);
      if (round !== this.round) return;
      this.cursor = page.next;
      for (const row of page.items) this.rows.set(row.seq, row);
      this.show();
    } catch (error) {
      if (error.name !== "AbortError") say(this.note, error.message);
      this.cursor = null;
    }
    this.isAsking = false;
  }
}

export function journalPage(main, scope, _, parameters) {
  const browser = new Browser(scope, parameters);
  const pools = h("select", { "aria-label": "Pool", onchange: (event) => browser.set("pool", event.target.value) }, h("option", { value: "" }, "Every pool"));
  let known = 0;
  scope.add(stream.subscribe({ channel: "pools" }, (topic) => {
    if (!topic.rows || topic.rows.size === known) return;
    known = topic.rows.size;
    const options = [...topic.rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map((row) => h("option", { value: row.id, selected: row.id === browser.filter.pool }, row.name));
    pools.replaceChildren(h("option", { value: "" }, "Every pool"), ...options);
  }));
  const goTo = h("form", { class: "go-to", onsubmit: (event) => {
    event.preventDefault();
    const wanted = event.target.elements.entry.value.trim();
    if (/^\d+$/.test(wanted)) location.hash = `#/journal/${wanted}`;
  } }, h("input", { type: "text", name: "entry", inputmode: "numeric", placeholder: "Entry number", "aria-label": "Entry number", size: "12" }), h("button", { class: "button", type: "submit" }, "Open"));
  main.append(
    h("div", { class: "head" }, h("h1", null, "Journal"), h("span", { class: "meta" }, "Every command, price and outcome, chained by hashes")),
    h("div", { class: "grid" },
      verifyPanel(scope),
      panel("Entries", { note: browser.note, tools: [select("Kind", KINDS, browser.filter.kind, (to) => browser.set("kind", to)), pools, goTo], body: browser.table.node, flush: true })));
}
