// Accounts counted by health factor, on the one health scale.

import { h, say } from "../dom.js";
import { BANDS, count } from "../format.js";
import { explain } from "./tip.js";

export class Histogram {
  constructor() {
    this.bins = BANDS.map((text, k) => {
      const fill = h("i", { class: `b${k}` });
      const total = h("span", { class: "count" }, "0");
      const node = h("div", { class: "bin live", tabindex: "0", role: "listitem" }, h("span", { class: "edge" }, text), h("span", { class: "bar" }, fill), total);
      explain(node, "histogram");
      return { node, fill, total, text };
    });
    this.node = h("div", { class: "histogram", role: "list", "aria-label": "Active accounts by health factor" }, this.bins.map((bin) => bin.node));
  }

  set(counts) {
    const most = Math.max(...counts, 1);
    const all = counts.reduce((a, b) => a + b, 0);
    counts.forEach((n, k) => {
      const bin = this.bins[k];
      // The square root keeps the few that are in danger in sight beside the many that are not.
      bin.fill.style.setProperty("--w", n ? `max(3px, ${100 * Math.sqrt(n / most)}%)` : "0");
      say(bin.total, count(n));
      bin.node.dataset.exact = `${count(n)} of ${count(all)} active accounts with a health factor ${bin.text}; bar lengths follow the square root`;
      bin.node.setAttribute("aria-label", `health factor ${bin.text}: ${n} accounts`);
    });
  }
}
