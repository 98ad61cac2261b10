// The step of the waterfall that an account is in, and its places in the deleveraging queue.

import { figure } from "../components/figure.js";
import { lightsMark } from "../components/queue.js";
import { explain } from "../components/tip.js";
import { clear, h, panel, say } from "../dom.js";
import * as f from "../format.js";

const WORDS = { none: "in no step", auction: "under auction", deleveraging: "waits for deleveraging", loss_shared: "loss shared", backstop: "backstop of the pool" };
const NO_STEP = "the account is in no step";
const NO_END = "the step has no end of its own";

function rankLine(place, unit) {
  const said = place.before ? `${f.compact(place.distance)} ${unit} away` : "first to be cut";
  const node = h("div", { class: "fig live", tabindex: "0", role: "group", "aria-label": `Deleveraging ${place.instrument}: ${place.lights} of 5 lights` }, h("span", { class: "name" }, place.instrument), h("span", { class: "value" }, lightsMark(place.lights), h("span", { class: "unit" }, said)));
  return explain(node, "queue_lights", `place ${place.before + 1} of ${place.count}, leverage ${place.leverage === null ? "without bound" : `${f.exact(place.leverage)} ×`}, ${f.exact(place.distance)} ${unit} are closed before it`);
}

export function stepPanel(unit) {
  const note = h("span", { class: "note" });
  const since = figure("step_since", "text");
  const ends = figure("step_ends", "text");
  const why = h("p", { class: "under-chart" });
  const ranks = h("div", { class: "lines" });
  const node = panel("Waterfall and deleveraging", { note, body: [h("div", { class: "lines" }, since, ends), ranks, why], flush: true });
  node.set = (now) => {
    const step = now.waterfall;
    say(note, WORDS[step.step] ?? f.words(step.step));
    since.set(step.since_ms === null ? null : f.clock(step.since_ms), { unit: "UTC", why: NO_STEP });
    ends.set(step.ends_ms === null ? null : f.clock(step.ends_ms), { unit: "UTC", why: step.step === "none" ? NO_STEP : NO_END });
    say(why, `${f.capital(step.why)}. Next: ${step.next}.`);
    const key = JSON.stringify(now.deleveraging);
    if (ranks.dataset.key !== key && !ranks.contains(document.activeElement)) {
      ranks.dataset.key = key;
      clear(ranks, now.deleveraging.map((place) => rankLine(place, unit)));
    }
  };
  return node;
}
