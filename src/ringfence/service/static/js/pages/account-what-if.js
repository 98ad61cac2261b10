// Sliders that ask the venue: what would this account be after these commands at these prices?

import { post } from "../api.js";
import { figure } from "../components/figure.js";
import { clear, h, id, panel, say } from "../dom.js";
import { subtract } from "../decimal.js";
import * as f from "../format.js";
import { stream } from "../stream.js";

const WAIT_MS = 140;
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

function tradesAsked(made, { account, pool }, prices) {
  const other = { other: account.owner, other_number: OTHER_NUMBER };
  const trades = [];
  for (const [name, one] of made.legs) {
    const instrument = pool.instruments.find((spec) => spec.name === name);
    const leg = account.positions.find((held) => held.instrument === name);
    const size = inSteps((Number(leg.size) * one.value) / 100, instrument.lot);
    if (Number(size) === 0) continue;
    const moved = prices[instrument.underlying];
    const price = inSteps(Number(moved ?? leg.mark_price), instrument.tick);
    trades.push({ type: "trade", ...named(account), ...other, instrument: name, size, price });
  }
  if (!trades.length) return [];
  const spare = (10 * account.positions.reduce((total, leg) => total + Number(leg.notional), 0) + 1000).toFixed(0);
  const stand = { owner: account.owner, number: OTHER_NUMBER };
  return [{ type: "openaccount", ...stand }, { type: "deposit", ...stand, asset: pool.settlement, amount: spare }, ...trades];
}

const named = (account) => ({ owner: account.owner, number: account.number });

function commandsAsked(made, context, prices) {
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
  commands.push(...tradesAsked(made, { account, pool }, prices));
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

export function whatIfPanel(context) {
  const { unit, scope } = context;
  let account = context.account;
  let pool = context.pool;
  let timer = null;
  let aborter = null;
  let isAsked = false;
  const said = h("div", { class: "verdict", role: "status" }, h("span", { class: "muted" }, "Move a slider; nothing is sent to the venue but the question."));
  const result = outcome(unit);
  const made = sliders(context, () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  const ask = async () => {
    const now = { account, pool, unit };
    const prices = pricesAsked(made, pool);
    const commands = commandsAsked(made, now, prices);
    isAsked = commands.length > 0 || Object.keys(prices).length > 0;
    if (!isAsked) return calm();
    aborter?.abort();
    aborter = new AbortController();
    // With moved prices and no command, an idle question still has to name the account.
    const asked = commands.length ? commands : [{ type: "liquidate", ...named(account) }];
    try {
      const found = await post("/simulate", { pool: pool.id, commands: asked, prices, ignore_wallets: true }, aborter.signal);
      const mine = found.accounts.find((one) => one.after.owner === account.owner && one.after.number === account.number);
      clear(said, commands.length ? verdict(commands, found.statuses) : moved(found.statuses[0]));
      if (mine) result.show(account, mine.after);
    } catch (error) {
      if (error.name !== "AbortError") clear(said, h("span", { class: "chip bad" }, error.message));
    }
    return undefined;
  };
  const calm = () => {
    clear(said, h("span", { class: "muted" }, "Move a slider; nothing is sent to the venue but the question."));
    result.show(account, account);
  };
  scope.add(() => { clearTimeout(timer); aborter?.abort(); });
  const all = [made.cash, made.debt, ...made.legs.map(([, one]) => one), ...made.prices.map(([, one]) => one)].filter(Boolean);
  const node = panel("What if", {
    tools: h("button", { class: "button", type: "button", onclick: () => { all.forEach((one) => one.reset()); isAsked = false; calm(); } }, "Reset"),
    body: [h("div", { class: "sliders" }, all.map((one) => one.node)), said, result],
    flush: true,
  });
  node.set = (to) => {
    account = to;
    if (!isAsked) calm();
  };
  scope.add(stream.subscribe({ channel: "prices" }, ({ rows }) => {
    if (!rows) return;
    const prices = Object.fromEntries(pool.underlyings.map(({ name }) => [name, rows.get(name)?.index_price ?? pool.prices[name]]));
    pool = { ...pool, prices };
  }));
  return node;
}

function moved(status) {
  if (status === "ok") return h("span", { class: "chip bad" }, "at these prices the account is liquidated; figures are those after it");
  if (status === "account_is_healthy") return h("span", { class: "chip good" }, "at these prices the account is not liquidated");
  return h("span", { class: "chip warn" }, `liquidation refused: ${f.words(status)}`);
}
