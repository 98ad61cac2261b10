// The live tape: liquidations and what else the journal takes in, newest first.

import { add } from "../decimal.js";
import { h } from "../dom.js";
import * as f from "../format.js";
import { band } from "../format.js";
import { liquidatedSize, liquidationName } from "./columns.js";

const SHOWN_MAX = 80;

/** What an entry of the journal is about, in a few words. */
export function told(entry) {
  const total = entry.commands_total ?? entry.commands?.length ?? 0;
  if (entry.kind === "prices") return ["Prices", entry.prices.map((one) => `${one.feed} ${f.price(one.index_price)}`).join(" · ")];
  if (entry.kind === "digest") return ["Digest", "of the whole state, which a replay must reach"];
  if (entry.kind === "venue") {
    const [command] = entry.commands ?? [];
    return ["Venue", command ? f.words(command.type) : "command"];
  }
  const kinds = new Map();
  for (const { type: kind } of entry.commands ?? []) {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const parts = [...kinds].map(([kind, n]) => (n > 1 ? `${n} × ${kind}` : kind));
  const more = total - (entry.commands?.length ?? 0);
  return [entry.pool_name ?? "Pool", parts.join(", ") + (more > 0 ? ` and ${more} more` : "")];
}

function liquidationLine(row, unit) {
  const moved = liquidatedSize(row);
  const what = moved ? `${liquidationName(row)}: ${moved[0]} ${moved[1]}` : liquidationName(row);
  const value = row.event === "shortfall_recorded" ? add(row.insurance, row.shortfall) : row.value ?? "0";
  const change = row.health_before === null ? "of the pool" : `${f.health(row.health_before)} → ${row.health_after ? f.health(row.health_after) : f.NONE}`;
  const exact = `${f.exact(value)} ${unit}; health ${row.health_before ?? f.NONE} before, ${row.health_after ?? f.NONE} after`;
  return h("li", { class: "fresh" }, h("a", { href: `#/journal/${row.seq}`, "data-tip": "liquidated_value", "data-exact": exact },
    h("time", null, f.clock(row.time_ms)),
    h("span", { class: "what" }, h("i", { class: `dot b${band(row.health_before)}`, "aria-hidden": "true" }), " ", h("b", null, row.pool_name)),
    h("span", { class: "amount" }, f.money(value), h("span", { class: "unit" }, unit)),
    h("span", { class: "detail" }, `${what} · ${change}`)));
}

export class Tape {
  constructor({ height, unit }) {
    this.unit = unit;
    this.list = h("ol", { class: "tape live", css: { "max-height": height }, tabindex: "0", role: "list", "aria-label": "Live tape of liquidations, newest first" });
    this.empty = h("div", { class: "void" }, h("b", null, "Calm"), h("span", null, "No liquidation yet. The next one appears here."));
    this.node = h("div", null, this.list, this.empty);
    this.list.hidden = true;
  }

  reset(rows) {
    this.list.replaceChildren();
    this.add(rows.slice(-SHOWN_MAX));
  }

  add(rows) {
    if (!rows.length) return;
    this.list.prepend(...rows.slice(-SHOWN_MAX).map((row) => liquidationLine(row, this.unit)).reverse());
    while (this.list.childElementCount > SHOWN_MAX) this.list.lastElementChild.remove();
    this.empty.hidden = true;
    this.list.hidden = false;
  }
}
