// Verification: the chain, the anchor, and a replay of everything, asked of the venue.

import { get, post } from "../api.js";
import { explain } from "../components/tip.js";
import { clear, h, panel, say } from "../dom.js";
import * as f from "../format.js";
import { stream } from "../stream.js";

const LOOK_MS = 400;

/** What was checked beside chain and replay, or why it could not be. */
const beside = (unknown) => (Object.keys(unknown).length ? `Not checked: ${Object.keys(unknown).join(", ")}; ${Object.values(unknown)[0]}.` : "Anchor, checkpoints and file agree with it.");

function report(found, unknown) {
  if (found.ok) {
    return [h("span", { class: "chip good" }, "✓ verified"), explain(h("span", null, `${f.count(found.entries)} entries: the chain is whole, and a replay reaches the same digests. ${beside(unknown)}`), "verified"), explain(h("span", { class: "mono muted" }, `head ${f.short(found.head, 12, 8)}`), "head", found.head)];
  }
  return [h("span", { class: "chip bad" }, "✗ not what was written"), h("ul", { class: "changes" }, found.problems.map((one) => h("li", null, one.seq ? h("a", { class: "link", href: `#/journal/${one.seq}` }, `entry ${one.seq}`) : "", ` ${one.message}`)))];
}

export function verifyPanel(scope) {
  const state = h("div", { class: "verify-state", role: "status" });
  const progress = h("progress", { max: "1", value: "0", "aria-label": "verified so far" });
  const head = explain(h("span", { class: "note" }), "head");
  const look = async () => {
    try {
      show(await get("/journal/verify", {}, scope.signal));
    } catch (error) {
      if (error.name !== "AbortError") clear(state, h("span", { class: "chip warn" }, error.message));
    }
  };
  const show = (found) => {
    const isRunning = found.state === "running";
    button.disabled = isRunning;
    progress.hidden = !isRunning;
    if (isRunning) {
      progress.value = found.entries ? found.done / found.entries : 0;
      clear(state, progress, explain(h("span", null, `${f.count(found.done)} of ${f.count(found.entries)} entries replayed`), "verified"));
      setTimeout(() => scope.signal.aborted || look(), LOOK_MS);
    } else if (found.report) clear(state, report(found.report, found.unknown));
    else clear(state, h("span", { class: "muted" }, "Recomputes every hash from the first entry on and replays every command; the venue goes on meanwhile."));
  };
  const begin = async () => {
    button.disabled = true;
    try {
      await post("/journal/verify", {}, scope.signal);
    } catch (error) {
      if (error.code !== "verification_running") {
        button.disabled = false;
        clear(state, h("span", { class: "chip bad" }, error.message));
        return;
      }
    }
    look();
  };
  const button = h("button", { class: "button primary", type: "button", onclick: begin }, "Verify the journal");
  scope.add(stream.subscribe({ channel: "stats" }, ({ only }) => {
    if (!only) return;
    say(head, `${f.count(only.seq)} entries, head ${f.short(only.head ?? "", 10, 6)}`);
    explain(head, "head", only.head);
  }));
  look();
  return panel("Proof", { note: head, tools: button, body: state });
}
