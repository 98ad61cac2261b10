// Figures with their name, unit, explanation and, where unknown, the reason.

import { h, s, say } from "../dom.js";
import { label } from "../explain.js";
import * as f from "../format.js";
import { explain } from "./tip.js";

const SHOWN = {
  money: f.money,
  amount: f.amount,
  compact: f.compact,
  price: f.price,
  size: f.size,
  health: f.health,
  count: f.count,
  percent: (value) => f.percent(value),
  ratio: (value) => f.fixed(value, 2),
  text: (value) => value,
};
const UNITS = { percent: "%", ratio: "×" };

/** What a value looks like, and its exact form for the tooltip. */
export function shown(value, kind, unit) {
  if (value === null || value === undefined) return { text: f.NONE, exact: null, unit: "" };
  const said = unit ?? UNITS[kind] ?? "";
  const isNumber = kind !== "text" && (kind !== "count" || Boolean(said));
  const digits = kind === "percent" ? `${f.percent(value, 6).replace(/\.?0+$/, "")}` : isNumber ? f.exact(String(value)) : String(value);
  return { text: SHOWN[kind](value), exact: isNumber ? `${digits}${said ? ` ${said}` : ""}` : null, unit: said };
}

/** Write a figure into a value node; why tells the reason where it is null. */
export function write(node, value, kind, unit, why) {
  const made = shown(value, kind, unit);
  const isNull = value === null || value === undefined;
  if (node.dataset.was !== undefined && node.dataset.was !== made.text) flash(node);
  node.dataset.was = made.text;
  node.classList.toggle("is-null", isNull);
  const mark = node.firstChild?.nodeType === Node.TEXT_NODE ? node.firstChild : node.insertBefore(new Text(), node.firstChild);
  if (mark.data !== made.text) mark.data = made.text;
  let tail = node.querySelector(".unit");
  if (made.unit && !tail) node.append((tail = h("span", { class: "unit" })));
  if (tail) say(tail, made.unit);
  return { ...made, why: isNull ? why ?? "the venue does not report it" : null };
}

function flash(node) {
  node.classList.remove("fresh");
  requestAnimationFrame(() => node.classList.add("fresh"));
}

function made(className, key, kind, options) {
  const value = h("span", { class: "value" });
  const name = h("span", { class: "name" }, options.name ?? label(key));
  const sub = options.sub === undefined ? null : h("span", { class: "sub" }, options.sub);
  const node = h("div", { class: `${className} live`, tabindex: "0", role: "group" }, name, value, sub);
  explain(node, key);
  if (options.how) node.dataset.how = options.how;
  node.set = (to, { unit = options.unit, why, note } = {}) => {
    const { text, exact, unit: said, why: reason } = write(value, to, kind, unit, why);
    explain(node, key, exact, reason);
    node.setAttribute("aria-label", `${name.textContent}: ${text} ${said}`.trim());
    if (note !== undefined && sub) say(sub, note);
  };
  node.value = value;
  return node;
}

/** A figure in a box of its own. */
export function tile(key, kind, options = {}) {
  return made("tile", key, kind, options);
}

/** A figure in a list. */
export function figure(key, kind, options = {}) {
  return made("fig", key, kind, options);
}

/** Health factor with its mark; the tooltip is that of the cell it stands in. */
export function healthMark(value, why) {
  const place = f.band(value);
  const text = value === null || value === undefined ? "no debt" : f.health(value);
  const node = h("span", { class: `health b${place}`, "data-band": place }, h("i", { "aria-hidden": "true" }), text);
  if (why) node.title = why;
  return node;
}

/** Accounts by health as one bar. */
export function stackBar(counts) {
  const bar = h("span", { class: "stack", role: "img", "aria-label": `accounts by health: ${counts.join(", ")}` });
  counts.forEach((n, k) => n && bar.append(h("i", { class: `b${k} some`, css: { "--n": n } })));
  return bar;
}

/** A small line of the last values. */
export class Spark {
  constructor(length = 90) {
    this.values = [];
    this.length = length;
    this.path = s("path", { fill: "none", stroke: "currentColor", "stroke-width": "1.5", "vector-effect": "non-scaling-stroke" });
    this.node = s("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" }, this.path);
  }

  add(value) {
    this.values.push(Number(value));
    if (this.values.length > this.length) this.values.shift();
    this.draw();
  }

  draw() {
    if (this.values.length < 2) return;
    const low = Math.min(...this.values);
    const span = Math.max(...this.values) - low || 1;
    const step = 100 / (this.values.length - 1);
    const points = this.values.map((v, k) => `${(k * step).toFixed(1)} ${(27 - (24 * (v - low)) / span).toFixed(1)}`);
    this.path.setAttribute("d", `M${points.join("L")}`);
  }
}
