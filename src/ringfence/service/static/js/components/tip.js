// One tooltip for the whole page: on hover, on focus, and on a tap.
//
// An element with data-tip names its explanation; data-exact adds the figure with every digit,
// data-why the reason of an unknown one.

import { clear, h } from "../dom.js";
import { EXPLAIN } from "../explain.js";

const box = h("div", { class: "tip", id: "tip", role: "tooltip", hidden: true });
let owner = null;

function place(at) {
  const margin = 8;
  const { width, height } = box.getBoundingClientRect();
  const left = Math.min(Math.max(margin, at.left + at.width / 2 - width / 2), innerWidth - width - margin);
  const below = at.bottom + margin;
  const top = below + height < innerHeight - margin ? below : Math.max(margin, at.top - height - margin);
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}

export function showTip(node) {
  const [title, how] = EXPLAIN[node.dataset.tip] ?? [node.dataset.title ?? "", node.dataset.how ?? ""];
  clear(
    box,
    h("b", null, node.dataset.title ?? title),
    node.dataset.exact ? h("span", { class: "exact" }, node.dataset.exact) : null,
    h("span", { class: "how" }, node.dataset.how ?? how),
    node.dataset.why ? h("span", { class: "why" }, `Unknown: ${node.dataset.why}.`) : null,
  );
  box.hidden = false;
  place(node.getBoundingClientRect());
  if (owner !== node) {
    owner?.removeAttribute("aria-describedby");
    node.setAttribute("aria-describedby", "tip");
    owner = node;
  }
}

export function hideTip() {
  box.hidden = true;
  owner?.removeAttribute("aria-describedby");
  owner = null;
}

export function startTips() {
  document.body.append(box);
  const target = (event) => event.target.closest?.("[data-tip]");
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const node = target(event);
    if (node) showTip(node);
    else if (owner && owner !== document.activeElement) hideTip();
  });
  document.addEventListener("focusin", (event) => {
    const node = target(event);
    if (node && node.matches(":focus-visible")) showTip(node);
    else hideTip();
  });
  document.addEventListener("focusout", hideTip);
  document.addEventListener("click", (event) => {
    const node = target(event);
    if (node && (event.pointerType === "touch" || event.pointerType === "pen")) showTip(node);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  addEventListener("scroll", () => owner && hideTip(), { capture: true, passive: true });
  addEventListener("hashchange", hideTip);
}

/** Mark a node with its explanation; the exact figure and a reason where there is one. */
export function explain(node, key, exact, why) {
  node.dataset.tip = key;
  if (exact === undefined || exact === null) delete node.dataset.exact;
  else node.dataset.exact = exact;
  if (why) node.dataset.why = why;
  else delete node.dataset.why;
  return node;
}
