// A table of any length: only the rows in sight exist. One tab stop; arrows and j, k move.
//
// A column is {key, head, tip, width, num, wide, sort(row), draw(cell, row)}; `wide` ones are
// left out on phones. `draw` may return the exact figure and why it is unknown, for the tooltip.

import { clear, h, id, say } from "../dom.js";
import { label } from "../explain.js";
import { explain, hideTip, showTip } from "./tip.js";

const OVERSCAN = 4;
const GAP = 12; // as in css/components.css
const PAD = 14;
const narrow = matchMedia("(max-width: 720px)");

/** Tables of the page in the order of their making; keys go to the first that is in focus. */
export const tables = new Set();

export class Table {
  constructor({ name, columns, rowKey, onOpen, height, sortBy, descending = false, empty = "Nothing here yet.", foot = false }) {
    Object.assign(this, { columns, rowKey, onOpen, sortBy, descending });
    this.rows = [];
    this.drawn = new Map();
    this.active = -1;
    this.cell = 0;
    this.uid = id("table");
    this.heads = h("div", { class: "heads", role: "row", "aria-rowindex": "1" }, columns.map((column) => this.head(column)));
    this.body = h("div", { class: "canvas", role: "rowgroup" });
    this.empty = h("div", { class: "empty" }, empty);
    this.scroll = h("div", {
      class: "scroll live", role: "grid", tabindex: "0", "aria-label": name,
      onscroll: () => this.schedule(), onkeydown: (event) => this.press(event),
    }, h("div", { role: "rowgroup" }, this.heads), this.body);
    if (height) this.scroll.style.maxHeight = height;
    this.foot = foot ? h("div", { class: "foot" }) : null;
    this.node = h("div", { class: "vt" }, this.scroll, this.empty, this.foot);
    this.scroll.addEventListener("click", (event) => this.click(event));
    this.scroll.addEventListener("blur", () => this.mark(-1));
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.scroll);
    narrow.addEventListener("change", () => this.relayout());
    this.relayout();
    tables.add(this);
  }

  head(column) {
    const isSorting = Boolean(column.sort);
    const button = h("button", { type: "button", onclick: () => isSorting && this.sortOn(column) }, column.head ?? label(column.tip), h("span", { "aria-hidden": "true" }));
    if (column.tip) explain(button, column.tip);
    column.button = button;
    return h("div", { role: "columnheader", class: `${column.num ? "num" : ""} ${column.wide ? "wide" : ""}` }, button);
  }

  relayout() {
    this.shown = this.columns.filter((column) => !(column.wide && narrow.matches));
    const widths = this.shown.map((column) => (narrow.matches && column.narrow) || column.width || "minmax(80px, 1fr)");
    this.node.style.setProperty("--cols", widths.join(" "));
    const least = widths.reduce((total, width) => total + parseFloat(width.replace("minmax(", "")), 0);
    this.node.style.setProperty("--least", `${least + (widths.length - 1) * GAP + 2 * PAD}px`);
    this.rowHeight = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
    this.forget();
    this.schedule();
  }

  sortOn(column) {
    this.descending = this.sortBy === column.key ? !this.descending : Boolean(column.descends);
    this.sortBy = column.key;
    this.set(this.rows);
  }

  /** Show these rows; a row that is the same object as before is not drawn again. */
  set(rows) {
    const column = this.columns.find((one) => one.key === this.sortBy);
    const chosen = this.active >= 0 && this.rows[this.active] ? this.rowKey(this.rows[this.active]) : null;
    this.rows = column?.sort ? [...rows].sort((a, b) => this.order(column.sort(a), column.sort(b))) : [...rows];
    if (chosen !== null) this.active = this.rows.findIndex((row) => this.rowKey(row) === chosen);
    for (const one of this.columns) {
      const isIt = one.key === this.sortBy;
      say(one.button.lastChild, isIt ? (this.descending ? "↓" : "↑") : "");
      if (one.sort) one.button.parentNode.setAttribute("aria-sort", isIt ? (this.descending ? "descending" : "ascending") : "none");
    }
    this.scroll.setAttribute("aria-rowcount", String(this.rows.length + 1));
    this.empty.hidden = this.rows.length > 0;
    this.body.style.height = `${this.rows.length * this.rowHeight}px`;
    this.schedule();
  }

  order(a, b) {
    const isLess = a < b ? -1 : Number(a > b);
    return this.descending ? -isLess : isLess;
  }

  schedule() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const view = this.scroll.clientHeight || 400;
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / this.rowHeight) - OVERSCAN);
    const end = Math.min(this.rows.length, Math.ceil((this.scroll.scrollTop + view) / this.rowHeight) + OVERSCAN);
    const kept = new Set();
    for (let k = first; k < end; k += 1) kept.add(this.place(k));
    for (const [key, line] of this.drawn) {
      if (!kept.has(key)) {
        line.node.remove();
        this.drawn.delete(key);
      }
    }
    this.paint();
    if (end === this.rows.length && this.rows.length) this.onEnd?.();
  }

  place(k) {
    const row = this.rows[k];
    const key = this.rowKey(row);
    let line = this.drawn.get(key);
    if (!line) {
      line = { node: h("div", { class: `row ${this.onOpen ? "opens" : ""}`, role: "row", id: `${this.uid}-${key}`.replace(/[^\w-]/g, "_") }), cells: [] };
      for (const column of this.columns) {
        const cell = h("div", { role: "gridcell", class: `${column.num ? "num" : ""} ${column.wide ? "wide" : ""} ${column.strong ? "strong" : ""}` });
        line.cells.push(cell);
        line.node.append(cell);
      }
      this.drawn.set(key, line);
      this.body.append(line.node);
    }
    if (line.k !== k) {
      line.k = k;
      line.node.style.top = `${k * this.rowHeight}px`;
      line.node.setAttribute("aria-rowindex", String(k + 2));
    }
    if (line.row !== row) {
      line.row = row;
      this.columns.forEach((column, c) => this.fill(line.cells[c], column, row));
    }
    return key;
  }

  fill(cell, column, row) {
    const { exact, why } = column.draw(cell, row) ?? {};
    if (column.tip) explain(cell, column.tip, exact, why);
  }

  forget() {
    this.drawn.clear();
    this.body.replaceChildren();
  }

  mark(k) {
    this.active = k;
    if (k < 0) this.scroll.removeAttribute("aria-activedescendant");
    this.paint();
  }

  paint() {
    for (const line of this.drawn.values()) {
      const isActive = line.k === this.active;
      line.node.classList.toggle("active", isActive);
      if (isActive) this.scroll.setAttribute("aria-activedescendant", line.node.id);
      for (const cell of line.cells) cell.classList.remove("cell-active");
    }
  }

  move(by) {
    if (!this.rows.length) return;
    const next = Math.min(this.rows.length - 1, Math.max(0, this.active + by));
    const top = next * this.rowHeight;
    const headHeight = this.heads.offsetHeight;
    const view = this.scroll.clientHeight - headHeight;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (top + this.rowHeight > this.scroll.scrollTop + view) this.scroll.scrollTop = top + this.rowHeight - view;
    this.draw();
    this.mark(next);
    this.scroll.focus({ preventScroll: true });
    this.line()?.node.scrollIntoView?.({ block: "nearest" });
  }

  line() {
    return [...this.drawn.values()].find((one) => one.k === this.active);
  }

  /** Move along the cells of the active row and show what the figure there means. */
  step(by) {
    const line = this.line();
    if (!line) return;
    const cells = line.cells.filter((cell) => cell.offsetParent !== null);
    this.cell = Math.min(cells.length - 1, Math.max(0, this.cell + by));
    this.paint();
    const cell = cells[this.cell];
    cell.classList.add("cell-active");
    if (cell.dataset.tip) showTip(cell);
    else hideTip();
  }

  open() {
    if (this.active >= 0 && this.onOpen) this.onOpen(this.rows[this.active]);
  }

  press(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "Enter" && event.target === this.scroll) this.open();
    else return;
    event.preventDefault();
  }

  click(event) {
    const node = event.target.closest(".row");
    const line = node && [...this.drawn.values()].find((one) => one.node === node);
    if (line && this.onOpen && !event.target.closest("a, button")) this.onOpen(line.row);
  }

  end() {
    this.observer.disconnect();
    tables.delete(this);
  }
}

/** A cell of plain text. */
export function textCell(text) {
  return (cell, row) => say(cell, text(row));
}

/** Replace what is in a cell by nodes. */
export function nodeCell(make) {
  return (cell, row) => clear(cell, make(row));
}
