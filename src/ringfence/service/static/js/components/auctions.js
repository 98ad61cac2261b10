// Live auctions: who is offered, at which discount, and what the largest bid would get now.

import { clear, h, panel, say } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";
import { accountHref, draws } from "./columns.js";
import { healthMark } from "./figure.js";
import { Table } from "./table.js";

const many = (amounts) => Object.entries(amounts).filter(([, size]) => Number(size) !== 0).map(([name, size]) => `${f.signed(f.size(size))} ${name}`).join(", ");

/** How long an auction has run and when it starts anew or fails, at the time of the stream. */
function drawAge(now) {
  return (cell, row) => {
    say(cell, f.duration(now() - row.started_ms));
    return { exact: `since ${f.moment(row.started_ms)}, turn ${row.turn} of ${row.turns}` };
  };
}

function drawEnd(now) {
  return (cell, row) => {
    const [word, at] = row.resets_ms === null ? ["fails", row.ends_ms] : ["resets", row.resets_ms];
    clear(cell, f.duration(at - now()), h("span", { class: "unit" }, word));
    return { exact: `${word} at ${f.moment(at)}; then ${row.resets_ms === null ? row.next : "the price starts anew"}` };
  };
}

function columns({ withPool, now, unit }) {
  const all = [
    { key: "owner", head: "Account", width: "minmax(134px, 1fr)", narrow: "minmax(86px, 1fr)", draw: (cell, row) => clear(cell, h("span", { class: "mono" }, f.short(row.owner)), h("span", { class: "unit" }, `#${row.number}`)) },
    { key: "pool", head: "Pool", width: "minmax(112px, 1fr)", wide: true, draw: (cell, row) => say(cell, row.pool_name) },
    { key: "health", head: "Health", tip: "health_factor", width: "80px", wide: true, draw: (cell, row) => { clear(cell, healthMark(row.health_factor)); return { exact: row.health_factor, why: row.health_factor === null ? "it owes nothing" : null }; } },
    { key: "age", tip: "auction_age", width: "62px", num: true, wide: true, draw: drawAge(now) },
    { key: "discount", tip: "auction_discount", width: "78px", narrow: "64px", num: true, draw: (cell, row) => { clear(cell, f.percent(row.discount), h("span", { class: "unit" }, "%")); return { exact: `${f.percent(row.discount, 4)} % below its worth` }; } },
    { key: "left", tip: "auction_left", width: "100px", num: true, wide: true, draw: draws("notional_left", "amount", unit) },
    { key: "raised", tip: "auction_raised", width: "88px", num: true, wide: true, draw: draws("raised", "amount", unit) },
    { key: "share", tip: "auction_share", width: "74px", num: true, wide: true, draw: (cell, row) => { clear(cell, f.percent(row.share), h("span", { class: "unit" }, "%")); return { exact: `${f.percent(row.share, 7)} % of the account: ${many(row.sizes) || "no position"}` }; } },
    { key: "price", tip: "auction_price", width: "92px", num: true, wide: true, draw: draws("price", "amount", unit) },
    { key: "bonus", tip: "auction_bonus", width: "84px", narrow: "76px", num: true, draw: draws("bonus", "amount", unit) },
    { key: "end", tip: "auction_end", width: "86px", narrow: "84px", num: true, draw: drawEnd(now) },
  ];
  return withPool ? all : all.filter((one) => one.key !== "pool");
}

/** Auctions of all pools, or of one. */
export function auctionsPanel(scope, { pool, unit }) {
  let time = 0;
  const count = h("span", { class: "note" }, "");
  const table = new Table({
    name: "Live auctions", columns: columns({ withPool: !pool, now: () => time, unit }), rowKey: (row) => `${row.pool}-${row.account}`, height: "300px",
    onOpen: (row) => { location.hash = accountHref(row); },
    empty: pool && !pool.waterfall.has_auctions ? "This pool holds no auctions: its backstop takes over at once." : "No auction is running. One begins when an account that is still worth something falls below maintenance.",
  });
  scope.add(table);
  scope.add(stream.subscribe(pool ? { channel: "auctions", pool: pool.id } : { channel: "auctions" }, (topic) => {
    time = topic.timeMs;
    const rows = topic.rows ? [...topic.rows.values()] : [];
    table.set(rows);
    say(count, `${f.many(rows.length, "account")} under auction, oldest first; amounts in ${unit}`);
  }));
  return panel("Live auctions", { note: count, body: table.node, flush: true });
}
