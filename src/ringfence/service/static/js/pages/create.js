// Create a pool: the spec as a form, checked by the venue while it is written, with a preview.

import { get, post } from "../api.js";
import { Chart } from "../components/chart.js";
import { SpecForm } from "../components/spec-form.js";
import { explain } from "../components/tip.js";
import { clear, h, nothing, panel, say } from "../dom.js";
import * as f from "../format.js";
import { createPool, hasWallet, walletAddress } from "../wallet.js";

const WAIT_MS = 350;
const SOMEBODY = `0x${"0".repeat(39)}1`; // stands for the creator until there is one

/** The borrow rate over utilisation, from the rules as they stand in the form. */
function rateCurve(rules) {
  const [base, one, two, kink] = ["rate_base", "rate_slope1", "rate_slope2", "rate_kink"].map((name) => Number(rules[name]));
  const x = Array.from({ length: 101 }, (_, k) => k);
  const y = x.map((k) => {
    const used = k / 100;
    return 100 * (used <= kink ? base + (one * used) / kink : base + one + (two * (used - kink)) / (1 - kink));
  });
  return y.every(Number.isFinite) ? [x, y] : null;
}

function rateChart() {
  return new Chart({
    name: "Borrow rate over utilisation", height: 170,
    x: { name: "Utilisation", tip: "utilisation", format: (v) => `${v}%`, rest: () => 90 },
    y: { format: (v) => `${Number(v.toPrecision(4))}%` },
    series: [{ name: "Borrow rate", tip: "borrow_rate", colour: "--text", format: (v) => `${v.toFixed(2)} % a year` }],
  });
}

const percent = (text) => (Number.isFinite(Number(text)) && text !== "" ? `${Number((100 * Number(text)).toPrecision(4))} %` : f.NONE);
const times = (text) => (Number(text) > 0 ? `${Number((1 / Number(text)).toPrecision(3))}×` : f.NONE);

function tiersTable(spec) {
  return h("table", { class: "plain" }, h("caption", { class: "sr" }, "Leverage by size"),
    h("thead", null, h("tr", null, ["Feed", `From, ${spec.settlement}`, "Leverage", "Initial", "Maintenance"].map((text, k) => h("th", { scope: "col", class: k ? "num" : "" }, text)))),
    h("tbody", null, (spec.underlyings ?? []).flatMap((feed) => (feed.tiers ?? []).map((tier) => h("tr", null, h("td", null, feed.name),
      [["tier_floor", /^\d+$/.test(tier.floor) ? f.exact(tier.floor) : tier.floor, `${tier.floor} ${spec.settlement}`], ["tier_leverage", times(tier.initial)], ["tier_initial", percent(tier.initial)], ["tier_maintenance", percent(tier.maintenance)]]
        .map(([key, text, exact]) => explain(h("td", { class: "num", tabindex: "0" }, text), key, exact)))))));
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

class Preview {
  constructor(scope) {
    this.state = h("div", { class: "verdict", role: "status" });
    this.problems = h("ul", { class: "problems" });
    this.id = h("p", { class: "mono break muted" });
    this.tiers = h("div", {});
    this.chart = rateChart();
    scope.add(this.chart);
    this.node = h("div", null, this.state, this.problems,
      h("div", { class: "preview-part" }, h("h3", null, "Pool id"), this.id),
      h("div", { class: "preview-part" }, h("h3", null, "Leverage by net notional"), this.tiers),
      h("div", { class: "preview-part" }, h("h3", null, "Borrow rate"), this.chart.node));
  }

  show(spec, found, isForCreator) {
    clear(this.state, found.ok ? h("span", { class: "chip good" }, "✓ safe: the venue would create it") : h("span", { class: "chip bad" }, `${found.problems.length} problem${found.problems.length === 1 ? "" : "s"}`));
    clear(this.problems, found.problems.map((text) => h("li", null, text)));
    say(this.id, found.ok ? `${found.id}${isForCreator ? "" : " (for a placeholder creator; yours gives another)"}` : "The id is known once the spec is safe.");
    clear(this.tiers, tiersTable(spec));
    const curve = rateCurve(spec.rules ?? {});
    if (curve) this.chart.set(curve);
  }

  fail(message) {
    clear(this.state, h("span", { class: "chip bad" }, message));
  }
}

/** Wait until what can be read contains an entry: it is on disk before, and shown soon after. */
async function shown(seq) {
  for (let tries = 0; tries < 40 && (await get("/venue")).seq < seq; tries += 1) {
    await new Promise((done) => { setTimeout(done, 150); });
  }
}

function actions(current, said) {
  const run = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const receipt = await createPool(current.found.spec, (text) => say(said, text));
      const pool = receipt.created;
      say(said, receipt.ok ? "Created." : `Refused: ${receipt.reason ?? f.words(receipt.status)}`);
      if (receipt.ok && pool) {
        await shown(receipt.seq);
        location.hash = `#/pool/${pool}`;
      }
    } catch (error) {
      say(said, error.problems?.length ? error.problems.join("; ") : error.message);
    }
    button.disabled = false;
  };
  const create = h("button", { class: "button primary", type: "button", disabled: true, onclick: run }, "Sign and create");
  const keep = h("button", { class: "button", type: "button", onclick: () => download(`${current.spec.name || "pool"}.json`, JSON.stringify(current.spec, null, 2)) }, "Save spec");
  return { create, keep };
}

export async function createPage(main, scope) {
  let schema;
  try {
    schema = await get("/spec/schema", {}, scope.signal);
  } catch (error) {
    if (error.name !== "AbortError") main.append(nothing("The form cannot be shown", error.message));
    return;
  }
  const preview = new Preview(scope);
  const said = h("p", { class: "under-chart", role: "status" }, hasWallet() ? "Your wallet signs the spec; nothing is sent before." : "No wallet is in this browser. Save the spec and create the pool with a signing client, or open this page where your wallet is.");
  const example = schema.example ?? schema.examples?.[0] ?? {};
  const current = { spec: example, found: null, creator: null };
  const { create, keep } = actions(current, said);
  let timer;
  let asking = null;
  const check = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const found = await post("/pools/preview", { spec: current.spec, creator: current.creator ?? SOMEBODY }, asking.signal);
      current.found = found;
      preview.show(current.spec, found, current.creator !== null);
      form.markProblems(found.problems ?? []);
      create.disabled = !(found.ok && hasWallet());
    } catch (error) {
      if (error.name === "AbortError") return;
      create.disabled = true;
      preview.fail(error.problems?.length ? error.problems.join("; ") : error.message);
    }
  };
  const form = new SpecForm(schema.schema ?? schema, example, (spec) => {
    current.spec = spec;
    create.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(check, WAIT_MS);
  });
  scope.add(() => { clearTimeout(timer); asking?.abort(); });
  walletAddress().then((address) => {
    current.creator = address;
    check();
  });
  main.append(
    h("div", { class: "head" }, h("h1", null, "Create a pool"), h("span", { class: "meta" }, "Anybody may, inside the hard bounds. What makes the pool's id can never change.")),
    h("div", { class: "grid" },
      h("div", { class: "w7 col" }, panel("Spec", { note: "numbers are decimals: 0.05 is five percent", body: form.node, flush: true })),
      h("div", { class: "w5 col sticky" }, panel("Live check and preview", { tools: [keep, create], body: [preview.node, said], flush: true }))));
}

