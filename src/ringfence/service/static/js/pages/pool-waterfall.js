// How far down its waterfall a pool is, and what each step of it has left.

import { figure } from "../components/figure.js";
import { isZero } from "../decimal.js";
import { h, panel, say } from "../dom.js";
import { WATERFALL } from "../explain.js";
import * as f from "../format.js";

const NO_AUCTIONS = "this pool holds no auctions; its backstop takes over at once";
const used = (value) => !isZero(value);

/** For each step: what it did or does, whether it was used, the figure in full, and why there is none. */
function stepFigures(pool, unit) {
  const state = pool.waterfall;
  const money = (value) => `${f.compact(value)} ${unit}`;
  const holds = Object.values(pool.backstop.positions).filter(used).length;
  return [
    [f.many(pool.at_risk, "account"), pool.at_risk > 0, "accounts with a health below 1.1"],
    [`${f.count(state.below)} below 1`, state.below > 0, "accounts below maintenance"],
    ["at each step", false, "done within every liquidation, before anything is sold"],
    [f.many(pool.liquidations, "step"), pool.liquidations > 0, "steps that took something from an account, since the service started"],
    state.has_auctions
      ? [state.auctions ? f.many(state.auctions, "account") : "none now", state.auctions > 0, `${f.exact(state.auctioned)} ${unit} under auction, of at most ${f.exact(state.auction_cap)} ${unit}`]
      : [f.NONE, false, null, NO_AUCTIONS],
    [holds ? f.many(holds, "position") : "empty", holds > 0, `took over ${f.exact(state.backstop_taken)} ${unit} of ${f.exact(state.backstop_limit)} ${unit} in this epoch`],
    [money(pool.insurance_paid), used(pool.insurance_paid), `${f.exact(pool.insurance_paid)} ${unit} paid since the pool began, ${f.exact(state.insurance_drawn)} ${unit} today`],
    [state.waiting ? `${f.count(state.waiting)} waiting` : "nobody waits", state.waiting > 0, "accounts that wait to be closed against the other side"],
    [money(pool.shortfall), used(pool.shortfall), `${f.exact(pool.shortfall)} ${unit} lost, ${f.many(state.loss_shared, "account")} of whose dues nobody paid`],
    [state.halted_ms === null ? "not halted" : `since ${f.clock(state.halted_ms)}`, state.halted_ms !== null, `halts at ${f.exact(state.halt_loss)} ${unit} of losses that nobody paid`],
  ];
}

export function waterfallPanel(unit) {
  const lines = WATERFALL.map(([title, how], k) => {
    const value = h("span", { class: "value" });
    const node = h("li", { class: "step", tabindex: "0" }, h("span", { class: "ordinal", "aria-hidden": "true" }, String(k)), h("span", { class: "name" }, title), value);
    Object.assign(node.dataset, { tip: "", title, how });
    return { node, value };
  });
  const note = h("span", { class: "note" });
  const node = panel("Waterfall", { note, body: h("ol", { class: "steps live" }, lines.map((line) => line.node)), flush: true });
  node.set = (pool) => {
    let deepest = -1;
    stepFigures(pool, unit).forEach(([text, isUsed, exact, why], k) => {
      const { node: step, value } = lines[k];
      say(value, text);
      value.classList.toggle("is-null", Boolean(why));
      step.classList.toggle("used", isUsed);
      if (exact) step.dataset.exact = exact;
      if (why) step.dataset.why = why;
      if (isUsed && k > 1) deepest = k;
    });
    say(note, pool.waterfall.halted_ms !== null ? "the pool is halted" : deepest < 0 ? "at rest" : `so far down to step ${deepest}`);
  };
  return node;
}

const FIGURES = [
  ["backstop_capital", "backstop_capital", "money"], ["backstop_shares", "backstop_shares", "count"], ["backstop_taken", "backstop_taken", "money", "backstop_limit"],
  ["insurance_drawn", "insurance_drawn_day", "money", "insurance_draw_max"], ["insurance_target", "insurance_target", "money"], ["coverage", "coverage_target", "ratio"],
  ["insurance_share", "insurance_share", "percent"], ["bond", "bond", "money"], ["halt_loss", "halt_loss", "compact"],
];
const UNITS = { money: true, compact: true };

/** Backstop and insurance: capital, limits, and what of them is used. */
export function reservesPanel(unit) {
  const fund = figure("insurance_fund", "money", { unit });
  const made = FIGURES.map(([field, key, kind, limit]) => [field, limit, figure(key, kind, { unit: UNITS[kind] ? unit : kind === "count" ? "shares" : undefined, sub: limit ? "" : undefined })]);
  const epoch = figure("epoch_ends", "text", { unit: "UTC" });
  const halted = figure("halted", "text");
  const node = panel("Backstop and insurance", { body: h("div", { class: "lines" }, made.slice(0, 3).map(([, , one]) => one), epoch, fund, made.slice(3).map(([, , one]) => one), halted), flush: true });
  node.set = (pool) => {
    const state = pool.waterfall;
    fund.set(pool.insurance_fund);
    for (const [field, limit, one] of made) one.set(state[field], { why: state.unknown[field], note: limit ? `of ${f.compact(state[limit])}` : undefined });
    epoch.set(`${f.date(state.epoch_ends_ms).slice(5)} ${f.clock(state.epoch_ends_ms).slice(0, 5)}`);
    halted.set(state.halted_ms === null ? "no" : `settled ${f.moment(state.ends_ms)}`);
  };
  return node;
}
