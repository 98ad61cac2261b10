// A pool's collateral, open interest and funding.

import { write } from "../components/figure.js";
import { explain } from "../components/tip.js";
import { h, panel, say } from "../dom.js";
import * as f from "../format.js";

/** Worth of what is deposited of each asset at index prices, for the lengths of the bars. */
function mix(pool) {
  const feeds = new Map(pool.collateral.map((one) => [one.asset, one.underlying]));
  const worth = Object.entries(pool.deposited).map(([asset, amount]) => {
    const price = asset === pool.settlement ? "1" : pool.prices[feeds.get(asset)];
    return { asset, amount, value: price === null || price === undefined ? null : Number(amount) * Number(price) };
  });
  const all = worth.reduce((total, one) => total + (one.value ?? 0), 0);
  return worth.map((one) => ({ ...one, share: all && one.value !== null ? one.value / all : null }));
}

export function collateralPanel(pool) {
  const lines = mix(pool).map(({ asset }) => {
    const fill = h("i", {});
    const amount = h("span", { class: "value" });
    const share = h("span", { class: "muted" });
    const node = explain(h("div", { class: "mix-line", tabindex: "0", role: "group" }, h("span", { class: "strong" }, asset), h("span", { class: "bar" }, fill), amount, share), "deposited");
    return { asset, fill, amount, share, node };
  });
  const node = panel("Collateral mix", { note: "at index prices", body: h("div", { class: "mix live" }, lines.map((line) => line.node)), flush: true });
  node.set = (now) => mix(now).forEach(({ amount, share, value, asset }, k) => {
    const line = lines[k];
    const said = share === null ? f.NONE : `${f.percent(share.toFixed(6), 1)} %`;
    line.fill.style.setProperty("--w", `${100 * (share ?? 0)}%`);
    write(line.amount, amount, "compact", asset);
    say(line.share, said);
    const worth = value === null ? "no price yet" : `about ${f.compact(value.toFixed(2))} ${now.settlement}`;
    explain(line.node, "deposited", `${f.exact(amount)} ${asset}, ${worth}, ${said} of all collateral`);
    line.node.setAttribute("aria-label", `${asset}: ${f.compact(amount)}, ${said}`);
  });
  return node;
}

export function fundingPanel(pool) {
  const names = Object.keys(pool.open_interest);
  if (!names.length) return panel("Instruments", { body: h("div", { class: "void" }, h("span", null, "A lending pool lists no instruments, so it has no open interest and no funding.")), flush: true });
  const lines = names.map((name) => {
    const cells = ["mark_price", "open_interest", "funding_index", "funding_rate_max"].map((key) => explain(h("span", { tabindex: "0", role: "group" }), key));
    return { name, cells };
  });
  const heads = ["Instrument", "Mark", "Open interest", "Funding index", "Limit"];
  const node = panel("Open interest and funding", {
    note: `longs pay when the index rises`,
    body: h("div", { class: "mini", css: { "--n": heads.length } }, heads.map((text, k) => h("span", { class: `mini-head ${k ? "num" : ""}` }, text)), lines.map(({ name, cells }) => [h("span", { class: "strong" }, name), cells.map((cell) => { cell.classList.add("num"); return cell; })])),
    flush: true,
  });
  node.set = (now) => lines.forEach(({ name, cells }) => {
    const [mark, interest, funding, limit] = cells;
    const figures = [
      [mark, now.marks[name], "price", "", `${now.settlement} for one coin`],
      [interest, now.open_interest[name], "size", "", name],
      [funding, now.funding[name]?.index ?? null, "text", "", `${now.settlement} a contract`],
      [limit, now.funding[name]?.rate_max ?? null, "percent", "%", "of the mark price for one accrual"],
    ];
    for (const [cell, value, kind, unit, said] of figures) {
      const made = write(cell, value, kind, unit, "not known before the first price");
      explain(cell, cell.dataset.tip, value === null ? null : `${f.exact(value)} ${said}`, made.why);
      cell.setAttribute("aria-label", `${cell.dataset.tip.replaceAll("_", " ")} ${made.text}`);
    }
  });
  return node;
}
