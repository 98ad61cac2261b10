// Starts the dashboard: routes of the address's hash to pages, and the keys that work anywhere.

import { startTips } from "./components/tip.js";
import { redrawCharts } from "./components/chart.js";
import { tables } from "./components/table.js";
import { openHelp, openSearch } from "./dialogs.js";
import { clear, nothing, say } from "./dom.js";
import { markPage, startShell } from "./shell.js";
import { toggleTheme } from "./theme.js";
import { accountPage } from "./pages/account.js";
import { createPage } from "./pages/create.js";
import { journalPage } from "./pages/journal.js";
import { liquidationsPage } from "./pages/liquidations.js";
import { overviewPage } from "./pages/overview.js";
import { ownerPage } from "./pages/owner.js";
import { poolPage } from "./pages/pool.js";
import { receiptPage } from "./pages/receipt.js";

const main = document.getElementById("main");
const ROUTES = [
  [/^\/?$/, overviewPage, "overview", "Overview"],
  [/^\/pool\/([^/]+)$/, poolPage, "overview", "Pool"],
  [/^\/account\/([^/]+)\/(0x[0-9a-fA-F]{40})\/(\d+)$/, accountPage, "overview", "Account"],
  [/^\/owner\/(0x[0-9a-fA-F]{40})$/, ownerPage, "overview", "Owner"],
  [/^\/liquidations$/, liquidationsPage, "liquidations", "Liquidations"],
  [/^\/journal$/, journalPage, "journal", "Journal"],
  [/^\/journal\/(\d+)$/, receiptPage, "journal", "Journal entry"],
  [/^\/create$/, createPage, "create", "Create a pool"],
];
let leave = null;

/** A page's parts that end with it: subscriptions, timers, tables, charts. */
class Scope {
  constructor() {
    this.ends = [];
    this.aborter = new AbortController();
    this.signal = this.aborter.signal;
  }

  add(end) {
    const stop = typeof end === "function" ? end : () => end.end();
    if (this.signal.aborted) stop(); // the page was left while it waited for an answer
    else this.ends.push(stop);
    return end;
  }

  every(ms, action) {
    const timer = setInterval(action, ms);
    this.add(() => clearInterval(timer));
  }

  end() {
    this.aborter.abort();
    for (const end of this.ends.splice(0)) end();
  }
}

/** A part of the address; one that is badly escaped is taken as it stands. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function route() {
  const [path, search = ""] = location.hash.replace(/^#/, "").split("?");
  leave?.end();
  const scope = new Scope();
  leave = scope;
  const found = ROUTES.map(([shape, page, name, title]) => [shape.exec(path), page, name, title]).find(([match]) => match);
  markPage(found?.[2]);
  document.title = `${found?.[3] ?? "Not found"} · Ringfence`;
  clear(main);
  if (!found) {
    main.append(nothing("There is no such page", "Use the navigation, or press / to search."));
    return;
  }
  found[1](main, scope, found[0].slice(1).map(decoded), new URLSearchParams(search));
  say(document.getElementById("said"), document.title);
  scrollTo(0, 0);
}

const GO = { o: "#/", l: "#/liquidations", j: "#/journal", c: "#/create" };
let isGoing = false;

function press(event) {
  const isTyping = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (isGoing && GO[event.key]) location.hash = GO[event.key];
  else if (event.key === "j" || event.key === "k") focused()?.move(event.key === "j" ? 1 : -1);
  else if (event.key === "/") openSearch();
  else if (event.key === "?") openHelp();
  else if (event.key === "t") toggleTheme();
  else if (event.key !== "g") return;
  isGoing = event.key === "g" && !isGoing;
  event.preventDefault();
}

function focused() {
  const all = [...tables];
  return all.find((table) => table.node.contains(document.activeElement)) ?? all[0];
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
startTips();
startShell();
addEventListener("hashchange", route);
addEventListener("keydown", press);
addEventListener("themechange", redrawCharts);
route();
