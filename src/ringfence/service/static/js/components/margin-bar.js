// What the account has against what each margin level needs, on one scale of money.

import { add, isNegative, subtract } from "../decimal.js";
import { h, say } from "../dom.js";
import * as f from "../format.js";
import { explain } from "./tip.js";

const LEVELS = ["closeout", "maintenance", "target", "initial"];

/** Collateral and gains; less the excess of a level, what that level needs. */
function assets(account) {
  return isNegative(account.uncollected_result) ? account.collateral_value : add(account.collateral_value, account.uncollected_result);
}

export class MarginBar {
  constructor(unit) {
    this.unit = unit;
    this.fill = h("i", { class: "fill" });
    this.entries = LEVELS.map((level) => {
      const value = h("b");
      const mark = h("i", { class: `mark ${level}` });
      const node = explain(h("span", { class: "level", tabindex: "0", role: "group" }, h("i", { class: `key ${level}`, "aria-hidden": "true" }), f.capital(level), " ", value), `needed_${level}`);
      return { level, node, value, mark };
    });
    this.has = h("b");
    this.hasNode = explain(h("span", { class: "level", tabindex: "0", role: "group" }, h("i", { class: "key has", "aria-hidden": "true" }), "Has ", this.has), "has");
    this.node = h("div", { class: "margin-bar live" },
      h("div", { class: "track" }, this.fill, this.entries.map((one) => one.mark)),
      h("div", { class: "levels" }, this.hasNode, h("span", { class: "level" }, `${unit}, needs at`), this.entries.map((one) => one.node)));
  }

  set(account) {
    const has = assets(account);
    const needs = this.entries.map(({ level }) => subtract(has, account.excess[level]));
    const most = Math.max(Number(has), 1.15 * Math.max(...needs.map(Number)), 1e-9);
    const share = (value) => `${Math.max(0, Math.min(100, (100 * Number(value)) / most))}%`;
    this.fill.style.setProperty("--w", share(has));
    this.fill.className = `fill b${f.band(account.health_factor)}`;
    say(this.has, f.money(has));
    explain(this.hasNode, "has", `${f.exact(has)} ${this.unit}`);
    this.entries.forEach(({ level, node, value, mark }, k) => {
      mark.style.setProperty("--x", share(needs[k]));
      say(value, f.money(needs[k]));
      explain(node, `needed_${level}`, `${f.exact(needs[k])} ${this.unit}, of which margin ${f.exact(account.requirement[level])} ${this.unit}; excess ${f.exact(account.excess[level])} ${this.unit}`);
    });
  }
}
