// The frame around every page: navigation, where prices come from, connection, theme, help.

import { clear, h, icon, s, say } from "./dom.js";
import * as f from "./format.js";
import { openHelp, openSearch } from "./dialogs.js";
import { stream } from "./stream.js";
import { isDark, toggleTheme } from "./theme.js";
import { get } from "./api.js";

const PAGES = [
  ["overview", "#/", "Overview"],
  ["liquidations", "#/liquidations", "Liquidations"],
  ["journal", "#/journal", "Journal"],
  ["create", "#/create", "Create a pool"],
];
const STATES = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", stale: "Stale", lost: "Connection lost" };

function brand() {
  return h("a", { class: "brand", href: "#/", "aria-label": "Ringfence, overview" },
    s("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2.4", "aria-hidden": "true" },
      s("circle", { cx: "12", cy: "12", r: "9", "stroke-dasharray": "15.8 3.05", "stroke-dashoffset": "-1.5" }),
      s("circle", { cx: "12", cy: "12", r: "3", fill: "currentColor", stroke: "none" })),
    h("span", { class: "label" }, "Ringfence"));
}

const links = PAGES.map(([name, href, text]) => h("a", { href, "data-page": name }, icon(name), h("span", null, text)));
const what = h("span", { class: "what", tabindex: "0" });
const progress = h("progress", { max: "1", value: "0", "aria-label": "how much of the replay has been played" });
const clock = h("b", { class: "clock" }, "–");
const connText = h("span", { class: "text" }, "Connecting");
const conn = h("span", { class: "conn", role: "status", "aria-live": "polite", "data-state": "connecting" }, h("i", { "aria-hidden": "true" }), connText);
const themeButton = h("button", { class: "icon-button", type: "button", "aria-label": "Dark or light", onclick: toggleTheme }, icon("moon"));
const banner = document.getElementById("banner");
let source = null;

function header() {
  return h("header", { class: "top" },
    brand(),
    h("nav", { class: "nav", "aria-label": "Pages" }, links),
    h("div", { class: "spacer" }),
    h("div", { class: "source" }, what, progress, clock),
    conn,
    h("button", { class: "button search-button", type: "button", onclick: openSearch, "aria-label": "Search pools, accounts and entries" }, icon("search"), h("span", { class: "label" }, "Search"), h("kbd", { class: "label" }, "/")),
    themeButton,
    h("button", { class: "icon-button help-button", type: "button", "aria-label": "Keyboard and help", onclick: openHelp }, icon("help")));
}

function showState() {
  const { state } = stream;
  conn.dataset.state = state;
  say(connText, STATES[state]);
  conn.setAttribute("title", state === "live" ? "Every figure follows the venue as it changes" : "Figures are the last ones received");
  document.documentElement.classList.toggle("is-stale", state !== "live" && state !== "connecting");
  const isOut = state === "lost" || state === "stale" || state === "reconnecting";
  banner.hidden = !isOut;
  if (!isOut) return;
  const since = clock.textContent !== f.NONE ? ` The figures are those of ${clock.textContent}.` : "";
  clear(banner, h("span", null, `${STATES[state]}.${since} Trying again by itself.`), h("button", { class: "button", type: "button", onclick: () => stream.connect() }, "Try now"));
}

function showTime(timeMs, state) {
  if (timeMs === null || timeMs === undefined) return;
  say(clock, `${f.date(timeMs)} ${f.clock(timeMs)} UTC`);
  if (source?.kind !== "replay") return;
  if (source.end_ms) progress.value = Math.min(1, Math.max(0, (timeMs - source.start_ms) / (source.end_ms - source.start_ms || 1)));
  say(what, state === "ended" ? "Replay ended" : `Replay, ${source.speed} times as fast`);
}

export function markPage(name) {
  for (const link of links) {
    if (link.dataset.page === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function readSource() {
  try {
    const venue = await get("/venue");
    source = venue.source;
    progress.hidden = source.kind !== "replay" || !source.end_ms;
    Object.assign(what.dataset, { tip: "", title: "Where prices come from", how: source.description });
    showTime(venue.time_ms, source.state);
  } catch {
    source = null;
  }
}

export function startShell() {
  document.getElementById("top").replaceWith(header());
  const showTheme = () => clear(themeButton, icon(isDark() ? "sun" : "moon"));
  showTheme();
  addEventListener("themechange", showTheme);
  stream.addEventListener("state", () => {
    showState();
    if (stream.state === "live") readSource();
  });
  readSource();
  stream.subscribe({ channel: "stats" }, (topic) => topic.only && showTime(topic.only.time_ms, topic.only.source_state));
}
