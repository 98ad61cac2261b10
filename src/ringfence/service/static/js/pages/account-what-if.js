// Sliders that ask the venue: what would this account be after these commands at these prices?

import { post } from "../api.js";
import { figure } from "../components/figure.js";
import { clear, h, id, panel, say } from "../dom.js";
import { subtract } from "../decimal.js";
import * as f from "../format.js";
import { stream } from "../stream.js";

const WAIT_MS = 140;
const AGAIN_MS = 3000; // the market moves on while the sliders stand
const OTHER_NUMBER = 900_000; // an account of its own for the other side of a hypothetical trade
const MOVE_MAX = 40; // percent
const SHOWN = [
  ["health_factor", "health_factor", "health"], ["equity", "equity", "money", true], ["free_margin", "free_margin", "money", true],
  ["excess", "excess", "money", true], ["leverage", "leverage", "ratio"], ["distance", "distance", "percent"],
];

const decimalsOf = (step) => (step.split(".")[1] ?? "").length;
const inSteps = (value, step) => (Math.round(value / Number(step)) * Number(step)).toFixed(decimalsOf(step));

/** A round step of which about a hundred make the range. */
function roundStep(range) {
  const power = 10 ** Math.floor(Math.log10(Math.max(range, 1e-6) / 100));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => range / step <= 130) ?? power;
}

function slider({ name, min, max, step, unit, format }, onInput) {
  const key = id("slider");
  const out = h("output", { for: key });
  const input = h("input", { type: "range", id: key, min: String(min), max: String(max), step: String(step), value: "0" });
  const show = () => {
    const text = `${f.signed(format(input.value))} ${unit}`;
    say(out, text);
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => {
    show();
    onInput();
  });
  show();
  const node = h("div", { class: "slider" }, h("label", { for: key }, name), out, input);
  return { node, get value() { return Number(input.value); }, get text() { return input.value; }, reset() { input.value = "0"; show(); } };
}

function cashSlider(account, unit, ask) {
  const held = Number(account.balances[unit] ?? 0);
  const range = Math.max(held, Math.abs(Number(account.requirement.initial)) * 2, 1000);
  const step = roundStep(range);
  const most = Math.ceil(range / step) * step;
  return slider({ name: `Deposit or withdraw ${unit}`, min: -Math.floor(held / step) * step, max: most, step, unit, format: (v) => f.fixed(v, 0) }, ask);
}

function sliders(context, ask) {
  const { account, pool, unit } = context;
  const made = { cash: cashSlider(account, unit, ask), legs: [], prices: [], debt: null };
  for (const leg of account.positions) {
    made.legs.push([leg.instrument, slider({ name: `Change ${leg.instrument}`, min: -100, max: 100, step: 5, unit: "% of its size", format: (v) => f.fixed(v, 0) }, ask)]);
  }
  if (Number(account.debt) > 0) {
    made.debt = slider({ name: "Repay or borrow", min: -100, max: 50, step: 5, unit: "% of the debt", format: (v) => f.fixed(v, 0) }, ask);
  }
  for (const { name } of pool.underlyings) {
    made.prices.push([name, slider({ name: `Move the price of ${name}`, min: -MOVE_MAX, max: MOVE_MAX, step: 0.5, unit: "%", format: (v) => f.fixed(v, 1) }, ask)]);
  }
  return made;
}

function pricesAsked(made, pool) {
  const moved = made.prices.filter(([name, one]) => one.value !== 0 && pool.prices[name]);
  return Object.fromEntries(moved.map(([name, one]) => [name, (Number(pool.prices[name]) * (1 + one.value / 100)).toFixed(4)]));
}

function tradesAsked(made, { account, pool }, prices, marks) {
  const other = { other: account.owner, other_number: OTHER_NUMBER };
  const trades = [];
  for (const [name, one] of made.legs) {
    const instrument = pool.instruments.find((spec) => spec.name === name);
    const leg = account.positions.find((held) => held.instrument === name);
    if (!leg) continue; // closed since the slider was made
    const size = inSteps((Number(leg.size) * one.value) / 100, instrument.lot);
    if (Number(size) === 0) continue;
    const price = marks.get(name) ?? inSteps(Number(prices[instrument.underlying] ?? leg.mark_price), instrument.tick);
    trades.push({ type: "trade", ...named(account), ...other, instrument: name, size, price });
  }
  if (!trades.length) return [];
  const spare = (10 * account.positions.reduce((total, leg) => total + Number(leg.notional), 0) + 1000).toFixed(0);
  const stand = { owner: account.owner, number: OTHER_NUMBER };
  return [{ type: "openaccount", ...stand }, { type: "deposit", ...stand, asset: pool.settlement, amount: spare }, ...trades];
}

const named = (account) => ({ owner: account.owner, number: account.number });

function commandsAsked(made, context, prices, marks) {
  const { account, pool, unit } = context;
  const commands = [];
  if (made.cash.value) {
    const amount = Math.abs(made.cash.value).toFixed(2);
    commands.push({ type: made.cash.value > 0 ? "deposit" : "withdraw", ...named(account), asset: unit, amount });
  }
  if (made.debt?.value) {
    const amount = ((Number(account.debt) * Math.abs(made.debt.value)) / 100).toFixed(2);
    commands.push({ type: made.debt.value < 0 ? "repay" : "borrow", ...named(account), amount });
  }
  commands.push(...tradesAsked(made, { account, pool }, prices, marks));
  return commands;
}

function outcome(unit) {
  const made = SHOWN.map(([field, key, kind, isMoney]) => [field, kind, figure(key, kind, { unit: isMoney ? unit : undefined, sub: "" })]);
  const node = h("div", { class: "figs two outcome" }, made.map(([, , one]) => one));
  const pick = (account, field) => (field === "excess" ? account.excess.maintenance : account[field]);
  node.show = (before, after) => {
    for (const [field, kind, one] of made) {
      const [was, is] = [pick(before, field), pick(after, field)];
      const change = was !== null && is !== null && was !== is ? f.signed(kind === "percent" ? f.percent(subtract(is, was)) : f.fixed(subtract(is, was), kind === "health" ? 3 : 2)) : "";
      one.set(is, { why: after.unknown[field], note: change ? `${change} from now` : "as now" });
    }
  };
  return node;
}

/** The commands' statuses in words; what was refused is what the venue would refuse. */
function verdict(commands, statuses) {
  const refused = statuses.map((status, k) => [commands[k]?.type ?? "command", status]).filter(([, status]) => status !== "ok");
  if (!refused.length) return h("span", { class: "chip good" }, commands.length ? "the venue would take it" : "prices moved, nothing sent");
  return refused.map(([type, status]) => h("span", { class: "chip warn" }, `${type} refused: ${f.words(status)}`));
}

/** What decides which sliders there are. */
const shapeOf = (account) => [...account.positions.map((leg) => leg.instrument), Number(account.debt) > 0].join();

class WhatIf {
  constructor({ account, pool, unit, scope }) {
    Object.assign(this, { account, pool, unit });
    this.said = h("div", { class: "verdict", role: "status" });
    this.result = outcome(unit);
    this.holder = h("div", { class: "sliders" });
    this.isAsked = false;
    this.build();
    scope.add(() => { clearTimeout(this.timer); this.aborter?.abort(); });
  }

  build() {
    this.shape = shapeOf(this.account);
    const later = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), WAIT_MS);
    };
    this.made = sliders(this, later);
    const { cash, debt, legs, prices } = this.made;
    this.all = [cash, debt, ...legs.map(([, one]) => one), ...prices.map(([, one]) => one)].filter(Boolean);
    clear(this.holder, this.all.map((one) => one.node));
    this.calm();
  }

  calm() {
    this.isAsked = false;
    clear(this.said, h("span", { class: "muted" }, "Move a slider: the venue answers from a copy of the pool, and nothing changes."));
    this.result.show(this.account, this.account);
  }

  async ask() {
    const { account, pool } = this;
    const prices = pricesAsked(this.made, pool);
    this.isAsked = this.all.some((one) => one.value !== 0);
    if (!this.isAsked) return this.calm();
    this.askedAt = performance.now();
    this.aborter?.abort();
    this.aborter = new AbortController();
    const commands = commandsAsked(this.made, this, prices, await this.marksAt(prices));
    // With moved prices and no command, the question still has to name the account.
    const asked = commands.length ? commands : [{ type: "liquidate", ...named(account) }];
    try {
      const found = await post("/simulate", { pool: pool.id, commands: asked, prices, ignore_wallets: true }, this.aborter.signal);
      const mine = found.accounts.find((one) => one.after.owner === account.owner && one.after.number === account.number);
      clear(this.said, commands.length ? verdict(commands, found.statuses) : moved(found.statuses[0]));
      if (mine) this.result.show(account, mine.after);
    } catch (error) {
      if (error.name !== "AbortError") clear(this.said, h("span", { class: "chip bad" }, error.message));
    }
    return undefined;
  }

  /** Marks of options at moved prices, for a hypothetical trade has to be near them. */
  async marksAt(prices) {
    const isNeeded = Object.keys(prices).length && this.account.positions.some((leg) => leg.option) && this.made.legs.some(([, one]) => one.value);
    if (!isNeeded) return new Map(this.account.positions.filter((leg) => leg.option).map((leg) => [leg.instrument, leg.mark_price]));
    try {
      const found = await post("/simulate", { pool: this.pool.id, commands: [{ type: "warn", ...named(this.account) }], prices }, this.aborter.signal);
      return new Map(found.accounts[0].after.positions.map((leg) => [leg.instrument, leg.mark_price]));
    } catch {
      return new Map();
    }
  }

  set(account) {
    this.account = account;
    if (this.isAsked) {
      if (performance.now() - this.askedAt > AGAIN_MS) this.ask();
      return;
    }
    if (shapeOf(account) !== this.shape && !this.holder.contains(document.activeElement)) this.build();
    else this.calm();
  }

  setPrices(rows) {
    const prices = Object.fromEntries(this.pool.underlyings.map(({ name }) => [name, rows.get(name)?.index_price ?? this.pool.prices[name]]));
    this.pool = { ...this.pool, prices };
  }
}

export function whatIfPanel(context) {
  const whatIf = new WhatIf(context);
  context.scope.add(stream.subscribe({ channel: "prices" }, ({ rows }) => rows && whatIf.setPrices(rows)));
  const reset = h("button", { class: "button", type: "button", onclick: () => { whatIf.all.forEach((one) => one.reset()); whatIf.build(); } }, "Reset");
  const node = panel("What if", { tools: reset, body: [whatIf.holder, whatIf.said, whatIf.result], flush: true });
  node.set = (account) => whatIf.set(account);
  return node;
}

function moved(status) {
  if (status === "ok") return h("span", { class: "chip bad" }, "at these prices the account is liquidated; figures are those after it");
  if (status === "account_is_healthy") return h("span", { class: "chip good" }, "at these prices the account is not liquidated");
  return h("span", { class: "chip warn" }, `liquidation refused: ${f.words(status)}`);
}
