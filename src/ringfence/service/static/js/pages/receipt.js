// One entry of the journal: what it did, and the prices and parameters it rested on.

import { get, part } from "../api.js";
import { healthMark } from "../components/figure.js";
import { told } from "../components/tape.js";
import { explain } from "../components/tip.js";
import { h, nothing, panel } from "../dom.js";
import * as f from "../format.js";

const ROWS_SHOWN = 200;
const FIELDS = [
  ["size", "liquidated_size"], ["price", "liquidated_price"], ["value", "liquidated_value"], ["bonus", "bonus"], ["fee", "fee"], ["insurance", "insurance_drawn"],
  ["shortfall", "shortfall_step"], ["equity", "equity"], ["excess_before", "excess_before"], ["excess_after", "excess_after"], ["health_before", "health_before"], ["health_after", "health_after"], ["version", "version"],
];
const HEALTHS = ["health_before", "health_after"];
const BARE = ["version", ...HEALTHS];

const OF_SLICES = { size: "slice_size", price: "slice_price" };

/** Digits, unit and explanation of a field; of an auction, size and price are shares. */
function shownOf([field, key], event, settlement) {
  const value = String(event[field]);
  const isOfSlices = event.event === "auction_started" || event.event === "slice_sold";
  if (isOfSlices && OF_SLICES[field]) return [f.percent(value, 7).replace(/\.?0+$/, ""), "%", OF_SLICES[field]];
  const unit = field === "size" ? event.name ?? "" : BARE.includes(field) ? "" : settlement;
  return [f.exact(value), unit, key];
}

/** What a step has to say: one that moves no contracts or coins has no size and no price. */
const isTold = (event) => ([field]) => event[field] !== undefined && event[field] !== null && !(OF_SLICES[field] && event[field] === "0");

function eventCard(event, settlement) {
  const cells = FIELDS.filter(isTold(event)).map((field) => {
    const [name] = field;
    const [digits, unit, key] = shownOf(field, event, settlement);
    const value = HEALTHS.includes(name) ? healthMark(event[name]) : [digits, unit ? h("span", { class: "unit" }, unit) : null];
    return explain(h("div", { class: "fig", tabindex: "0", role: "group" }, h("span", { class: "name" }, f.capital(name)), h("span", { class: "value" }, value)), key, `${digits} ${unit}`.trim());
  });
  return h("article", { class: "event" }, h("h3", null, f.capital(event.event), event.name ? ` · ${event.name}` : "", event.account === undefined || event.account === null ? "" : ` · account ${event.account}`), h("div", { class: "figs" }, cells));
}

function chainPanel(receipt) {
  const { entry } = receipt;
  const line = (name, value, key) => explain(h("div", { class: "fig", tabindex: "0", role: "group" }, h("span", { class: "name" }, name), h("span", { class: "value mono" }, value)), key, value);
  return panel("Place in the chain", {
    note: "sha256(previous head | entry)",
    body: h("div", { class: "lines chain" }, line("Head before", receipt.previous_head, "head"), line("Head", entry.head, "head"), line("Time", f.moment(entry.time_ms), "time")),
    flush: true,
  });
}

function pricesPanel(receipt, settlement) {
  const prices = receipt.prices ?? [];
  if (!prices.length) return panel("Prices it rested on", { body: nothing("None", "This entry is about no pool, so no price was looked at."), flush: true });
  const cards = prices.map((one) => h("article", { class: "event" },
    h("h3", null, one.feed, one.flag && one.flag !== "none" ? ` · ${f.words(one.flag)}` : ""),
    h("div", { class: "figs" },
      [["Index price", one.index_price, "index_price"], ["Mark price", one.mark_price, "mark_price"], ["Confidence ±", one.confidence, "confidence"]].filter(([, value]) => value !== null && value !== undefined).map(([name, value, key]) => explain(h("div", { class: "fig", tabindex: "0", role: "group" }, h("span", { class: "name" }, name), h("span", { class: "value" }, f.exact(value), h("span", { class: "unit" }, settlement))), key, `${f.exact(value)} ${settlement}`)),
      explain(h("div", { class: "fig", tabindex: "0", role: "group" }, h("span", { class: "name" }, "Published"), h("span", { class: "value" }, one.publish_time_ms ? f.clock(one.publish_time_ms) : f.NONE, h("span", { class: "unit" }, "UTC"))), "time", one.publish_time_ms ? f.moment(one.publish_time_ms) : null)),
    one.seq ? h("a", { class: "button follow", href: `#/journal/${one.seq}` }, `Entry ${f.count(one.seq)} brought it →`) : null,
    one.sources ? h("span", { class: "note" }, `${f.many(one.sources.length, "source")}: ${one.sources.join(", ")}`) : null));
  return panel("Prices it rested on", { note: `parameters version ${receipt.version ?? f.NONE}`, body: cards, flush: true });
}

/** Where an address leads: to its account in the entry's pool, else to its owner. */
function placeOf(address, key, command, entry) {
  const number = key === "other" ? command.other_number : command.number;
  return entry.pool && number ? `#/account/${entry.pool}/${address}/${number}` : `#/owner/${address}`;
}

function fields(command, entry) {
  return Object.entries(command).filter(([key]) => !["type", "pool", "status", "account", "other_account"].includes(key)).map(([key, value]) => {
    const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
    return h("span", { class: "pair" }, h("span", { class: "muted" }, `${f.words(key)} `), /^0x[0-9a-f]{40}$/.test(text) ? h("a", { class: "link mono", href: placeOf(text, key, command, entry) }, f.short(text)) : text.length > 140 ? `${text.slice(0, 140)}…` : text);
  });
}

function commandsPanel(entry) {
  const commands = entry.commands ?? [];
  const lines = commands.slice(0, ROWS_SHOWN).map((one) => {
    const { type, status } = one;
    return explain(h("li", null, h("b", null, type), status ? h("span", { class: `chip ${status === "ok" ? "good" : "warn"}` }, f.words(status)) : null, fields(one, entry)), "journaled");
  });
  const more = (entry.commands_total ?? commands.length) - lines.length;
  return panel("Commands", { note: `${f.count(entry.commands_total ?? commands.length)} in this entry`, body: [h("ul", { class: "commands" }, lines), more > 0 ? h("p", { class: "under-chart" }, `${f.count(more)} more; GET /v1/journal/${entry.seq} has them all.`) : null], flush: true });
}

function publishedPanel(entry) {
  const lines = entry.prices.map((one) => explain(h("li", null, h("b", null, one.feed), h("span", { class: "pair" }, h("span", { class: "muted" }, "index "), f.exact(one.index_price)), h("span", { class: "pair" }, h("span", { class: "muted" }, "mark "), f.exact(one.mark_price)), one.confidence ? h("span", { class: "pair" }, h("span", { class: "muted" }, "± "), f.exact(one.confidence)) : null, one.publish_time_ms ? h("span", { class: "pair" }, h("span", { class: "muted" }, "published "), f.moment(one.publish_time_ms)) : null), "journaled"));
  return panel("Prices", { note: "given to every pool that lists the feed", body: h("ul", { class: "commands" }, lines), flush: true });
}

function digestPanel(entry) {
  return panel("Digest", { body: h("p", { class: "mono break" }, entry.digest) });
}

export async function receiptPage(main, scope, [seq]) {
  let receipt;
  let settlement = "USDC";
  try {
    receipt = await get(`/receipts/${part(seq)}`, {}, scope.signal);
    if (receipt.entry.pool) settlement = (await get(`/pools/${part(receipt.entry.pool)}`, {}, scope.signal)).settlement;
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!receipt) {
      main.append(nothing("This entry cannot be shown", error.message));
      return;
    }
  }
  const { entry } = receipt;
  const number = Number(seq);
  const [about, what] = told(entry);
  const events = (entry.events ?? []).slice(0, ROWS_SHOWN);
  main.append(
    h("div", { class: "head" },
      h("nav", { class: "crumbs", "aria-label": "Where this is" }, h("a", { href: "#/journal" }, "Journal"), "›", h("span", null, "Receipt")),
      h("h1", null, `Entry ${f.count(entry.seq)}`),
      h("span", { class: "meta" }, entry.pool ? h("a", { class: "link", href: `#/pool/${entry.pool}` }, entry.pool_name ?? f.short(entry.pool)) : h("span", null, about), h("span", null, what), h("span", null, f.moment(entry.time_ms))),
      h("span", { class: "spacer" }),
      number > 1 ? h("a", { class: "button", href: `#/journal/${number - 1}` }, "← Before") : null,
      h("a", { class: "button", href: `#/journal/${number + 1}` }, "After →")),
    h("div", { class: "grid" },
      h("div", { class: "w8 col" }, [
        events.length ? panel("What happened", { note: f.many(entry.events_total ?? entry.events.length, "event"), body: events.map((event) => eventCard(event, settlement)), flush: true }) : null,
        entry.prices ? publishedPanel(entry) : null,
        entry.digest ? digestPanel(entry) : null,
        entry.commands ? commandsPanel(entry) : null]),
      h("div", { class: "w4 col" }, entry.kind === "pool" ? pricesPanel(receipt, settlement) : null, chainPanel(receipt))));
}
