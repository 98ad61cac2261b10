// Search and help, each a dialog of one key.

import { clear, h, icon, id } from "./dom.js";
import * as f from "./format.js";
import { stream } from "./stream.js";

const KEYS = [
  ["/", "Search pools, accounts and journal entries"],
  ["j", "Next row of the table"],
  ["k", "Previous row"],
  ["Enter", "Open the row"],
  ["← →", "Explain the figures of the row; in a chart, move the cursor"],
  ["g o", "Go to the overview"],
  ["g l", "Go to the liquidations"],
  ["g j", "Go to the journal"],
  ["g c", "Go to create a pool"],
  ["t", "Dark or light"],
  ["?", "This help"],
  ["Esc", "Close what is open"],
];

function dialog(title, ...content) {
  const label = id("dialog");
  const node = h("dialog", { "aria-labelledby": label, onclose: () => node.remove() },
    h("header", null, h("h2", { id: label }, title), h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => node.close() }, icon("close"))),
    content);
  node.addEventListener("click", (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}

export function openHelp() {
  if (document.querySelector("dialog[open]")) return;
  dialog("Keyboard and help",
    h("div", { class: "keys" }, KEYS.map(([key, what]) => [h("span", null, key.split(" ").map((one) => [h("kbd", null, one), " "])), h("span", null, what)])),
    h("p", { class: "help-note" }, "Colour means health and nothing else, from orange (below maintenance) to blue (far from it). Every figure explains itself on hover, on focus or on a tap. Figures are cut, not rounded; the explanation has every digit."));
}

function candidates(pools, words) {
  const wanted = words.trim().toLowerCase();
  const found = [];
  if (/^\d+$/.test(wanted)) found.push([`#/journal/${wanted}`, `Journal entry ${wanted}`, "entry"]);
  if (/^0x[0-9a-f]{40}$/.test(wanted)) found.push([`#/owner/${wanted}`, f.short(wanted, 10, 6), "owner"]);
  for (const pool of pools) {
    if (pool.name.toLowerCase().includes(wanted) || pool.id.startsWith(wanted)) {
      found.push([`#/pool/${pool.id}`, pool.name, `${pool.active} active accounts`]);
    }
  }
  return found.slice(0, 30);
}

export function openSearch() {
  if (document.querySelector("dialog[open]")) return;
  const list = h("div", { class: "found", role: "listbox", id: "found", "aria-label": "Found" });
  const input = h("input", { class: "finder", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "found", "aria-label": "Search", placeholder: "Pool, address (0x…) or entry number", autocomplete: "off", spellcheck: "false" });
  const node = dialog("Search", input, list);
  let options = [];
  let pools = [];
  let chosen = 0;
  const go = (href) => {
    node.close();
    location.hash = href;
  };
  const paint = () => options.forEach((option, k) => {
    option.setAttribute("aria-selected", String(k === chosen));
    if (k === chosen) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }
  });
  const look = () => {
    chosen = 0;
    options = candidates(pools, input.value).map(([href, text, kind]) => h("div", { role: "option", id: id("option"), "data-href": href, onclick: () => go(href) }, h("span", null, text), h("small", null, kind)));
    clear(list, options.length ? options : h("div", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, "Nothing found. An address has 0x and 40 hexadecimal digits."));
    paint();
  };
  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      chosen = Math.min(options.length - 1, Math.max(0, chosen + by));
      paint();
    } else if (event.key === "Enter" && options[chosen]) go(options[chosen].dataset.href);
  });
  const stop = stream.subscribe({ channel: "pools" }, (topic, change) => {
    if (change.kind !== "snapshot") return;
    pools = [...topic.rows.values()];
    look();
  });
  node.addEventListener("close", stop);
  look();
  input.focus();
}
