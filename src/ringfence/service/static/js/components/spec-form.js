// A form made from the JSON schema of a pool's spec: objects, lists, tables of short rows.

import { clear, h, id, say } from "../dom.js";
import { capital } from "../format.js";
import { CHOICES, HELP } from "./spec-help.js";

const TITLES = { margin: "Margin model", underlyings: "Price feeds and margin tiers", collateral: "Collateral besides the settlement asset", instruments: "Instruments", rules: "Rules of the whole pool", bounds: "Narrower bounds", allowed: "What may use which price" };
const MAPS = { bounds: "{\"bonus_max\": [\"0.005\", \"0.02\"]}: a parameter, its lowest and its highest value, fixed for ever.", allowed: "An action and six numbers, 1 where it may use such a price; empty for the default." };

/** A field's name for people; its unit stands beside it. */
const named = (name) => capital(name.replace(/_(ns|seconds)$/, ""));
const YES_NO = [[false, "no"], [true, "yes"]];

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
    const order = ["underlyings", "collateral", "instruments", "margin", "rules", "bounds", "allowed"];
    sections.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    clear(this.node, this.section("Pool", h("div", { class: "fields" }, simple), true), sections.map(([name, body]) => this.section(TITLES[name] ?? capital(name), body, !["margin", "rules", "bounds", "allowed"].includes(name))));
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
    return h("div", { class: "field" }, h("label", { for: input.id }, named(at.name), unit ? h("span", { class: "unit" }, this.unit(at.name)) : null), input, help ? h("span", { class: "help", id: helpId }, help) : null);
  }

  input(schema, at, label) {
    const { type } = this.resolve(schema);
    at.holder[at.name] ??= schema.default ?? (type === "integer" ? 0 : "");
    const choices = type === "boolean" ? YES_NO : CHOICES[at.name];
    const node = choices ? this.choice(choices, at, label) : this.text(type === "integer", at, label);
    this.inputs.set(at.path, node);
    return node;
  }

  choice(choices, { holder, name, path }, label) {
    const node = h("select", { id: id("input"), name: path, "aria-label": label, onchange: () => {
      holder[name] = choices[node.selectedIndex][0];
      this.changed(false);
    } }, choices.map(([value, text]) => h("option", { selected: value === holder[name] }, text)));
    return node;
  }

  text(isWhole, { holder, name, path }, label) {
    const node = h("input", { type: "text", id: id("input"), name: path, inputmode: isWhole ? "numeric" : null, autocomplete: "off", spellcheck: "false", "aria-label": label });
    node.value = String(holder[name]);
    node.addEventListener("input", () => {
      const text = node.value.trim();
      holder[name] = isWhole && /^-?\d+$/.test(text) ? Number(text) : text;
      this.changed(false);
    });
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
      const place = `$.${path.replace(/\.(\d+)/g, "[$1]")}`; // as unreadable ones are named
      const isNamed = problems.some((text) => text.includes(`\`${place}\``)) || problems.some((text) => (owner ? text.includes(owner) : true) && new RegExp(`\\b(${field}|${parts.at(-2)})\\b`).test(text) && (field.length > 4 || text.includes(parts.at(-2) ?? field)));
      if (isNamed) node.setAttribute("aria-invalid", "true");
      else node.removeAttribute("aria-invalid");
    }
  }
}
