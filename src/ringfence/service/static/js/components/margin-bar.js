// Equity against the four margin levels, on one scale of money.

import { h, say } from "../dom.js";
import * as f from "../format.js";
import { explain } from "./tip.js";

const LEVELS = [["closeout", "closeout_margin"], ["maintenance", "requirement"], ["target", "target_margin"], ["initial", "initial_margin"]];

export class MarginBar {
  constructor(unit) {
    this.unit = unit;
    this.fill = h("i", { class: "fill" });
    this.marks = LEVELS.map(([level]) => h("i", { class: `mark ${level}` }));
    this.entries = LEVELS.map(([level, key], k) => {
      const value = h("b");
      const node = explain(h("span", { class: "level", tabindex: "0", role: "group" }, h("i", { class: `key ${level}`, "aria-hidden": "true" }), f.capital(level), " ", value), key);
      return { level, key, node, value, mark: this.marks[k] };
    });
    this.equity = h("b");
    this.equityNode = explain(h("span", { class: "level", tabindex: "0", role: "group" }, h("i", { class: "key equity", "aria-hidden": "true" }), "Equity ", this.equity), "equity");
    this.node = h("div", { class: "margin-bar live" }, h("div", { class: "track" }, this.fill, this.marks), h("div", { class: "levels" }, this.equityNode, this.entries.map((one) => one.node)));
  }

  set(account) {
    const worth = Number(account.equity);
    const most = Math.max(worth, 1.25 * Number(account.requirement.initial), 1e-9);
    const share = (value) => `${Math.max(0, Math.min(100, (100 * value) / most))}%`;
    this.fill.style.setProperty("--w", share(worth));
    this.fill.className = `fill b${f.band(account.health_factor)}`;
    say(this.equity, f.money(account.equity));
    explain(this.equityNode, "equity", `${f.exact(account.equity)} ${this.unit}`);
    for (const { level, key, node, value, mark } of this.entries) {
      const required = account.requirement[level];
      mark.style.setProperty("--x", share(Number(required)));
      say(value, f.money(required));
      explain(node, key, `${f.exact(required)} ${this.unit}; excess at this level ${f.exact(account.excess[level])} ${this.unit}`);
    }
  }
}
