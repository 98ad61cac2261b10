// A form made from the JSON schema of a pool's spec: objects, lists, tables of short rows.

import { clear, h, id, say } from "../dom.js";
import { capital } from "../format.js";

/** What stands behind a field, by its name; the unit of the number that is asked for. */
const HELP = {
  name: ["", "Tells pools, feeds or instruments apart."], settlement: ["", "Asset that profit, loss and debt are paid in."], settlement_decimals: ["", "Decimals of its smallest unit, as the venue lists it."],
  cash_cap: ["settlement", "Most of it in all accounts together."], salt: ["", "Tells otherwise equal pools of one creator apart."], price_max: ["settlement", "Above it no price is accepted; bounds every value."],
  hedge_rate: ["share", "Margin on notional hedged by another leg."], open_interest_lower: ["settlement", "From here on the initial rate rises with open interest."], open_interest_upper: ["settlement", "Here the initial rate is the whole notional."],
  asset: ["", "Accepted besides the settlement asset."], underlying: ["", "Feed whose index price values it."], deposit_cap: ["coins", "In all accounts together."],
  lot: ["contracts", "Step of sizes."], tick: ["settlement", "Step of prices."], position_cap: ["contracts", "Of one account."], open_interest_cap: ["contracts", "Of all long sides."], expiry_ns: ["ns", "0 for a perpetual, else when it expires."],
  price_band: ["share", "How far a trade may be from the mark price."], taker_fee: ["share", "Of the notional, to the insurance fund."], maker_fee: ["share", "Of the notional, to the insurance fund."], funding_rate_max: ["share", "Of the mark price for one accrual."],
  floor: ["settlement", "Net notional from which the tier holds."], initial: ["share", ""], maintenance: ["share", ""], target: ["share", ""], closeout: ["share", ""],
  haircut: ["", "Taken off the index price at each margin level; must not rise from initial to closeout."], factor: ["", "Of the tiers at each margin level; a liquidation stops at target."],
  rate_base: ["share a year", "Borrow rate when nothing is drawn."], rate_slope1: ["share a year", "Added from there to the kink."], rate_slope2: ["share a year", "Added from the kink to full utilisation."], rate_kink: ["share", "Utilisation at the kink."],
  reserve_factor: ["share", "Of interest, to the insurance fund."], supply_cap: ["settlement", "Lent to the pool at most."], borrow_cap: ["settlement", "Total debt at most."], profit_weight: ["share", "Of uncollected profit that counts as initial margin."],
  bonus_min: ["share", "Liquidation bonus at health factor 1."], bonus_max: ["share", "At bonus health and below."], bonus_health: ["health", "Health factor of the full bonus."], liquidation_fee: ["share", "Of the liquidated notional, to the insurance fund."],
  dust: ["settlement", "What is left of a position is not worth less."], insurance_draw: ["share", "Of the insurance fund that one event may draw."], confidence_max: ["share", "Of the price; wider is uncertain."],
  stale_seconds: ["s", "Age at which a price is stale."], long_stale_seconds: ["s", "Age at which it counts as an outage."], grace_seconds: ["s", "To add collateral after an outage."], change_delay_seconds: ["s", "Notice before a parameter changes."], ramp_seconds: ["s", "Shortest ramp of a change that touches requirements."],
};
const TITLES = { underlyings: "Price feeds and margin tiers", collateral: "Collateral besides the settlement asset", instruments: "Instruments", rules: "Rules of the whole pool", bounds: "Narrower bounds", allowed: "What may use which price" };
const MAPS = { bounds: "{\"bonus_max\": [\"0.005\", \"0.02\"]}: a parameter, its lowest and its highest value, fixed for ever.", allowed: "An action and six numbers, 1 where it may use such a price; empty for the default." };

export class SpecForm {
  constructor(schema, value, onChange) {
    this.defs = schema.$defs ?? {};
    this.schema = schema;
    this.onChange = onChange;
    this.inputs = new Map();
    this.value = structuredClone(value);
    this.node = h("div", { class: "spec-form" });
    this.render();
  }

  resolve(schema) {
    return schema.$ref ? this.defs[schema.$ref.split("/").pop()] : schema.allOf ? this.resolve(schema.allOf[0]) : schema;
  }

  render() {
    this.inputs.clear();
    const root = this.resolve(this.schema);
    const simple = [];
    const sections = [];
    for (const [name, raw] of Object.entries(root.properties)) {
      const schema = this.resolve(raw);
      const at = { holder: this.value, name, path: name };
      if (schema.type === "array") sections.push([name, this.list(schema, at)]);
      else if (schema.properties) sections.push([name, this.object(schema, this.child(at, {}), name)]);
      else if (schema.type === "object") sections.push([name, this.map(at)]);
      else simple.push(this.field(schema, at));
    }
    const order = ["underlyings", "collateral", "instruments", "rules", "bounds", "allowed"];
    sections.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    clear(this.node, this.section("Pool", h("div", { class: "fields" }, simple), true), sections.map(([name, body]) => this.section(TITLES[name] ?? capital(name), body, !["rules", "bounds", "allowed"].includes(name))));
  }

  section(title, body, isOpen) {
    return h("details", { class: "spec-section", open: isOpen }, h("summary", null, title), body);
  }

  child({ holder, name }, otherwise) {
    holder[name] ??= otherwise;
    return holder[name];
  }

  object(schema, holder, path) {
    const fields = [];
    const groups = [];
    for (const [name, raw] of Object.entries(schema.properties)) {
      const inner = this.resolve(raw);
      const at = { holder, name, path: `${path}.${name}` };
      if (inner.type === "array" && inner.items) groups.push(this.rows(inner, at));
      else if (inner.properties) groups.push(this.levels(inner, at, raw.default));
      else fields.push(this.field(inner, at));
    }
    return h("div", null, h("div", { class: "fields" }, fields), groups);
  }

  list(schema, at) {
    const items = this.child(at, []);
    const inner = this.resolve(schema.items);
    const cards = items.map((item, k) => h("fieldset", { class: "card" },
      h("legend", null, item.name ?? item.asset ?? `${capital(at.name)} ${k + 1}`),
      this.object(inner, item, `${at.path}.${k}`),
      this.remover(items, k, `Remove ${item.name ?? item.asset ?? "it"}`)));
    const add = h("button", { class: "button", type: "button", onclick: () => { items.push(this.blank(inner, items)); this.changed(true); } }, `Add ${at.name.replace(/s$/, "")}`);
    return h("div", { class: "cards-list" }, cards, add);
  }

  remover(items, k, text) {
    return h("button", { class: "button remove", type: "button", onclick: () => { items.splice(k, 1); this.changed(true); } }, text);
  }

  /** A new item like the last one, or with what the schema says. */
  blank(schema, items) {
    if (items.length) return structuredClone(items.at(-1));
    const made = {};
    for (const [name, raw] of Object.entries(schema.properties)) {
      const inner = this.resolve(raw);
      if (raw.default !== undefined) made[name] = structuredClone(raw.default);
      else if (inner.type === "array") made[name] = [this.blank(this.resolve(inner.items), [])];
      else if (inner.properties) made[name] = this.blank(inner, []);
      else made[name] = inner.type === "integer" ? 0 : "";
    }
    return made;
  }

  /** A list of short objects as a table: margin tiers. */
  rows(schema, at) {
    const items = this.child(at, []);
    const inner = this.resolve(schema.items);
    const names = Object.keys(inner.properties);
    return h("div", { class: "tiers", css: { "--n": names.length + 1 } },
      names.map((name) => h("span", { class: "mini-head" }, capital(name), " ", h("span", { class: "unit" }, this.unit(name)))), h("span", null),
      items.map((item, k) => [
        names.map((name) => this.input(inner.properties[name], { holder: item, name, path: `${at.path}.${k}.${name}` }, `${capital(at.name)} ${k + 1}, ${name}`)),
        h("button", { class: "icon-button", type: "button", "aria-label": `Remove row ${k + 1} of ${at.name}`, onclick: () => { items.splice(k, 1); this.changed(true); } }, "−"),
      ]),
      h("button", { class: "button add-row", type: "button", onclick: () => { items.push(this.blank(inner, items)); this.changed(true); } }, `Add ${at.name.replace(/s$/, "")}`));
  }

  levels(schema, at, otherwise) {
    const holder = this.child(at, structuredClone(otherwise ?? this.blank(schema, [])));
    const help = HELP[at.name]?.[1];
    return h("fieldset", { class: "levels" }, h("legend", null, capital(at.name)), help ? h("p", { class: "help" }, help) : null,
      h("div", { class: "fields four" }, Object.keys(schema.properties).map((name) => this.field(schema.properties[name], { holder, name, path: `${at.path}.${name}` }))));
  }

  map(at) {
    const key = id("map");
    const input = h("textarea", { id: key, rows: "3", spellcheck: "false", class: "mono" });
    input.value = JSON.stringify(this.child(at, {}), null, 1);
    const wrong = h("span", { class: "wrong", role: "alert" });
    input.addEventListener("input", () => {
      try {
        at.holder[at.name] = JSON.parse(input.value || "{}");
        say(wrong, "");
        input.removeAttribute("aria-invalid");
        this.changed(false);
      } catch {
        input.setAttribute("aria-invalid", "true");
        say(wrong, "This is not JSON yet.");
      }
    });
    return h("div", { class: "field" }, h("label", { for: key }, MAPS[at.name] ?? capital(at.name)), input, wrong);
  }

  unit(name) {
    const unit = HELP[name]?.[0] ?? "";
    return unit === "settlement" ? this.value.settlement : unit;
  }

  field(schema, at) {
    const [unit = "", help = ""] = HELP[at.name] ?? [];
    const input = this.input(schema, at);
    const helpId = id("help");
    if (help) input.setAttribute("aria-describedby", helpId);
    return h("div", { class: "field" }, h("label", { for: input.id }, capital(at.name), unit ? h("span", { class: "unit" }, this.unit(at.name)) : null), input, help ? h("span", { class: "help", id: helpId }, help) : null);
  }

  input(schema, { holder, name, path }, label) {
    const isWhole = this.resolve(schema).type === "integer";
    holder[name] ??= schema.default ?? (isWhole ? 0 : "");
    const node = h("input", { type: "text", id: id("input"), name: path, inputmode: isWhole ? "numeric" : null, autocomplete: "off", spellcheck: "false", "aria-label": label });
    node.value = String(holder[name]);
    node.addEventListener("input", () => {
      const text = node.value.trim();
      holder[name] = isWhole && /^-?\d+$/.test(text) ? Number(text) : text;
      this.changed(false);
    });
    this.inputs.set(path, node);
    return node;
  }

  changed(isReshaped) {
    if (isReshaped) this.render();
    this.onChange(this.value);
  }

  /** Mark the fields that the venue's problems name; "collateral ETH.haircut ..." is one. */
  markProblems(problems) {
    for (const [path, node] of this.inputs) {
      const parts = path.split(".");
      const field = parts.at(-1);
      const group = parts.length > 2 ? this.value[parts[0]]?.[Number(parts[1])] : null;
      const owner = group?.name ?? group?.asset;
      const isNamed = problems.some((text) => (owner ? text.includes(owner) : true) && new RegExp(`\\b(${field}|${parts.at(-2)})\\b`).test(text) && (field.length > 4 || text.includes(parts.at(-2) ?? field)));
      if (isNamed) node.setAttribute("aria-invalid", "true");
      else node.removeAttribute("aria-invalid");
    }
  }
}
