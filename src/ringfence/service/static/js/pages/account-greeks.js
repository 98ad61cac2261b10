// Sensitivities of an account's legs beside those of its collateral.

import { sum, add } from "../decimal.js";
import { write } from "../components/figure.js";
import { explain } from "../components/tip.js";
import { h, panel } from "../dom.js";
import * as f from "../format.js";

const NO_OPTIONS = "zero for linear legs; that of options is not shown yet, as it needs the pool's volatility surface";
const HIGHER = ["gamma", "vega", "theta"];

/** Delta in coins of each underlying, exactly: linear legs move one for one. */
function deltas(account, pool) {
  return pool.underlyings.map(({ name }) => {
    const legs = account.positions.filter((leg) => pool.instruments.find((one) => one.name === leg.instrument)?.underlying === name);
    const coins = pool.collateral.filter((one) => one.underlying === name).map((one) => account.balances[one.asset] ?? "0");
    return { name, legs: sum(legs.map((leg) => leg.size)), collateral: sum(coins) };
  });
}

export function greeksPanel({ pool, account }) {
  const lines = deltas(account, pool).map(({ name }) => {
    const cells = ["legs", "collateral", "total"].map(() => explain(h("span", { class: "num", tabindex: "0", role: "group" }), "delta"));
    return { name, cells };
  });
  const higher = HIGHER.map((name) => {
    const cell = explain(h("span", { class: "num is-null", tabindex: "0" }, f.NONE), "greek", null, NO_OPTIONS);
    return [name, cell];
  });
  const heads = ["Greek", "Legs", "Collateral", "Together"];
  const node = panel("Greeks against collateral", {
    note: "in coins",
    body: h("div", { class: "mini", css: { "--n": heads.length } }, heads.map((text, k) => h("span", { class: `mini-head ${k ? "num" : ""}` }, text)),
      lines.map(({ name, cells }) => [h("span", null, "Delta ", h("span", { class: "muted" }, name)), cells]),
      higher.map(([name, cell]) => [h("span", null, f.capital(name)), cell, h("span", { class: "num muted" }, f.NONE), h("span", { class: "num muted" }, f.NONE)])),
    flush: true,
  });
  node.set = (now) => deltas(now, pool).forEach(({ name, legs, collateral }, k) => {
    [legs, collateral, add(legs, collateral)].forEach((value, c) => {
      const cell = lines[k].cells[c];
      write(cell, value, "size", "");
      explain(cell, "delta", `${f.exact(value)} ${name}`);
      cell.setAttribute("aria-label", `delta ${name} of ${heads[c + 1].toLowerCase()}: ${value}`);
    });
  });
  return node;
}
