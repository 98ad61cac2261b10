// Columns that several tables share: pools, accounts, liquidations.

import { clear, h, say } from "../dom.js";
import * as f from "../format.js";
import { healthMark, shown, stackBar } from "./figure.js";

const WHY_NO_HEALTH = "the account owes nothing and holds no position";

/** A cell with one figure; its exact form and a reason go to the tooltip. */
export function draws(field, kind, unit, why) {
  return (cell, row) => {
    const value = typeof field === "function" ? field(row) : row[field];
    const made = shown(value, kind, typeof unit === "function" ? unit(row) : unit);
    say(cell, made.text);
    return { exact: made.exact, why: value === null || value === undefined ? row.unknown?.[field] ?? why ?? "the venue does not report it" : null };
  };
}

const number = (value, otherwise = 0) => (value === null || value === undefined ? otherwise : Number(value));

function drawHealth(field) {
  return (cell, row) => {
    clear(cell, healthMark(row[field]));
    return { exact: row[field] === null ? null : f.exact(row[field]), why: row[field] === null ? row.unknown?.[field] ?? WHY_NO_HEALTH : null };
  };
}

export function poolColumns() {
  return [
    { key: "name", head: "Pool", tip: null, width: "minmax(118px, 1.4fr)", narrow: "minmax(108px, 1fr)", strong: true, sort: (row) => row.name, draw: (cell, row) => say(cell, row.name) },
    { key: "worst", head: "Worst health", tip: "worst_health", width: "92px", narrow: "78px", sort: (row) => number(row.worst_health, Infinity), draw: drawHealth("worst_health") },
    { key: "at_risk", tip: "at_risk", width: "54px", narrow: "44px", num: true, descends: true, sort: (row) => row.at_risk, draw: draws("at_risk", "count", "accounts") },
    { key: "histogram", head: "Accounts by health", tip: "histogram", width: "minmax(90px, 1fr)", wide: true, draw: (cell, row) => {
      const key = row.histogram.join();
      if (cell.dataset.key !== key) clear(cell, stackBar(row.histogram));
      cell.dataset.key = key;
      return { exact: `${row.histogram.join(" · ")} accounts` };
    } },
    { key: "active", head: "Active", tip: "accounts_active", width: "56px", num: true, wide: true, descends: true, sort: (row) => row.active, draw: draws("active", "count", "accounts") },
    { key: "exposure", head: "Exposure", tip: "exposure", width: "84px", num: true, wide: true, descends: true, sort: (row) => number(row.open_interest_value) + number(row.total_debt), draw: (cell, row) => {
      const [name, value] = row.kind === "lending" ? ["debt", row.total_debt] : ["open interest", row.open_interest_value];
      say(cell, f.compact(value));
      return { exact: `${name} ${f.exact(value)} ${row.settlement}` };
    } },
    { key: "insurance", head: "Insurance", tip: "insurance_fund", width: "84px", narrow: "58px", num: true, descends: true, sort: (row) => number(row.insurance_fund), draw: draws("insurance_fund", "compact", (row) => row.settlement) },
    { key: "coverage", head: "Coverage", tip: "insurance_coverage", width: "70px", num: true, wide: true, sort: (row) => number(row.insurance_coverage, Infinity), draw: draws("insurance_coverage", "ratio", "×", "no account below 1.1 needs maintenance margin, so there is nothing to cover") },
    { key: "liquidations", head: "Liquidations", tip: "liquidations", width: "82px", num: true, wide: true, descends: true, sort: (row) => row.liquidations, draw: draws("liquidations", "count", "steps") },
    { key: "shortfall", tip: "shortfall", width: "70px", num: true, wide: true, descends: true, sort: (row) => number(row.shortfall), draw: draws("shortfall", "compact", (row) => row.settlement) },
  ];
}

export function holdings(row) {
  const legs = Object.entries(row.positions).filter(([, size]) => size !== "0").map(([name, size]) => `${f.signed(f.size(size))} ${name}`);
  return legs.length ? legs.join(", ") : Object.entries(row.balances).filter(([, amount]) => amount !== "0").map(([name, amount]) => `${f.compact(amount)} ${name}`).join(", ");
}

export function accountColumns({ unit, withPool = false, kind = "all" }) {
  const columns = [
    { key: "health", head: "Health", tip: "health_factor", width: "84px", narrow: "76px", sort: (row) => number(row.health_factor, Infinity), draw: drawHealth("health_factor") },
    { key: "pool", head: "Pool", width: "minmax(112px, 1fr)", wide: true, sort: (row) => row.pool_name, draw: (cell, row) => say(cell, row.pool_name) },
    { key: "owner", head: "Account", width: "minmax(134px, 1fr)", narrow: "minmax(92px, 1fr)", draw: (cell, row) => clear(cell, h("span", { class: "mono" }, f.short(row.owner)), h("span", { class: "unit" }, `#${row.number}`)) },
    { key: "equity", tip: "equity", width: "100px", narrow: "86px", num: true, descends: true, sort: (row) => number(row.equity), draw: draws("equity", "amount", unit) },
    { key: "excess", head: "Excess", tip: "excess", width: "96px", num: true, wide: true, sort: (row) => number(row.excess), draw: draws("excess", "amount", unit) },
    { key: "notional", tip: "notional", width: "108px", num: true, wide: true, descends: true, sort: (row) => number(row.notional), draw: draws("notional", "amount", unit) },
    { key: "debt", tip: "debt", width: "98px", num: true, wide: true, descends: true, sort: (row) => number(row.debt), draw: draws("debt", "amount", unit) },
    { key: "leverage", tip: "leverage", width: "72px", num: true, wide: true, descends: true, sort: (row) => number(row.leverage, Infinity), draw: draws("leverage", "ratio", "×", "equity is not positive") },
    { key: "step", head: "Step", tip: "waterfall_step", width: "82px", wide: true, sort: (row) => row.step, draw: drawStep },
    { key: "holds", head: "Holds", tip: "size", width: "minmax(124px, 1.2fr)", wide: true, draw: (cell, row) => { say(cell, holdings(row)); return { exact: holdings(row) }; } },
  ];
  const without = { derivatives: ["debt"], options: ["debt"], lending: ["notional", "leverage"], all: [] }[kind];
  return columns.filter((column) => !without.includes(column.key) && (withPool || column.key !== "pool"));
}

export const accountHref = (row) => `#/account/${row.pool}/${row.owner}/${row.number}`;

const STEP = {
  position_liquidated: "Position", collateral_liquidated: "Collateral", claim_liquidated: "Claim", shortfall_recorded: "Shortfall",
  auction_started: "Auction begins", slice_sold: "Slice sold", step_ended: "Step ended", deleveraging_awaited: "Awaits cut",
  position_deleveraged: "Deleveraged", winner_deleveraged: "Winner cut", due_covered: "Fund pays", pool_halted: "Pool halted", pool_ended: "Pool ended",
};
const OF_AUCTION = new Set(["auction_started", "slice_sold"]);
const NO_SIZE = "this step moves money, no contracts or coins";

/** How much of what a step moved: contracts or coins, or a share of the account. */
export function liquidatedSize(row) {
  if (row.event === "slice_sold") return [f.percent(row.size), "% of it", `${f.percent(row.size, 6)} % of the account`];
  return row.size && row.name && !OF_AUCTION.has(row.event) && row.size !== "0" ? [f.size(row.size), row.name, `${f.exact(row.size)} ${row.name}`] : null;
}

function drawSize(cell, row) {
  const made = liquidatedSize(row);
  clear(cell, made ? [made[0], h("span", { class: "unit" }, made[1])] : f.NONE);
  return { exact: made?.[2] ?? null, why: made ? null : NO_SIZE };
}

function drawPrice(unit) {
  const plain = draws((row) => (row.price === "0" || row.price === null ? null : row.price), "price", unit, "this step has no price");
  return (cell, row) => {
    if (!OF_AUCTION.has(row.event)) return plain(cell, row);
    clear(cell, f.percent(row.price), h("span", { class: "unit" }, "%"));
    return { exact: `${f.percent(row.price, 4)} % of what the slice is worth` };
  };
}

const STEP_NAMES = { none: f.NONE, auction: "auction", deleveraging: "awaits cut", loss_shared: "loss shared" };

function drawStep(cell, row) {
  say(cell, STEP_NAMES[row.step] ?? f.words(row.step));
  cell.classList.toggle("is-null", row.step === "none");
  return { exact: row.step === "none" ? "in no step" : f.words(row.step) };
}

export function liquidationName(row) {
  return STEP[row.event] ?? f.capital(row.event);
}

export function liquidationColumns({ unit, withPool = true }) {
  const columns = [
    { key: "time", head: "Time, UTC", tip: "time", width: "76px", narrow: "62px", draw: (cell, row) => { say(cell, f.clock(row.time_ms)); return { exact: f.moment(row.time_ms) }; } },
    { key: "pool", head: "Pool", width: "minmax(116px, 1fr)", narrow: "minmax(88px, 1fr)", strong: true, draw: (cell, row) => say(cell, row.pool_name) },
    { key: "what", head: "What", tip: "step_event", width: "98px", wide: true, draw: (cell, row) => say(cell, liquidationName(row)) },
    { key: "account", head: "Account", width: "minmax(126px, 0.8fr)", wide: true, draw: (cell, row) => clear(cell, row.owner ? h("span", { class: "mono" }, f.short(row.owner)) : f.NONE, row.owner ? h("span", { class: "unit" }, `#${row.number}`) : null) },
    { key: "size", tip: "liquidated_size", width: "118px", num: true, wide: true, draw: drawSize },
    { key: "price", tip: "liquidated_price", width: "88px", num: true, wide: true, draw: drawPrice(unit) },
    { key: "value", tip: "liquidated_value", width: "98px", narrow: "92px", num: true, draw: draws("value", "amount", unit) },
    { key: "bonus", tip: "bonus", width: "80px", num: true, wide: true, draw: draws("bonus", "amount", unit) },
    { key: "fee", tip: "fee", width: "76px", num: true, wide: true, draw: draws("fee", "amount", unit) },
    { key: "shortfall", tip: "shortfall_step", width: "82px", num: true, wide: true, draw: draws("shortfall", "amount", unit) },
    { key: "health", head: "Health", tip: "health_before", width: "140px", narrow: "62px", draw: (cell, row) => {
      if (row.health_before === null) {
        say(cell, f.NONE);
        return { exact: null, why: "this step is of the pool, and of no account" };
      }
      clear(cell, healthMark(row.health_before), h("span", { class: "unit wide" }, row.health_after ? `→ ${f.health(row.health_after)}` : ""));
      return { exact: `${row.health_before} before, ${row.health_after} after` };
    } },
  ];
  return withPool ? columns : columns.filter((column) => column.key !== "pool");
}

export const liquidationKey = (row) => `${row.seq}-${row.row ?? 0}-${row.event}-${row.account ?? ""}-${row.name ?? ""}`;
