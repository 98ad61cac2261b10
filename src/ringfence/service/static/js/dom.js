// Elements without markup strings: whatever comes from the venue is text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

function put(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "class") node.setAttribute("class", value);
  else if (name === "css") for (const [key, to] of Object.entries(value)) node.style.setProperty(key, to);
  else if (name in node && typeof value !== "string" && !name.startsWith("aria")) node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

function built(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) put(node, name, value);
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An HTML element with attributes and children. */
export function h(tag, attributes, ...children) {
  return built(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat());
  return node;
}

const ICONS = {
  search: "M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2Zm3.7 8.7L14 14",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.4M8 13.6V15M1 8h1.4M13.6 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z",
  help: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM6 6.2C6 5 6.9 4.3 8 4.3s2 .7 2 1.8c0 1.4-2 1.6-2 3M8 11.4v.3",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  overview: "M2 2.5h5v5H2zM9 2.5h5v3H9zM9 7.5h5v6H9zM2 9.5h5v4H2z",
  liquidations: "M8 1.5S3.5 6 3.5 9.7a4.5 4.5 0 0 0 9 0C12.5 6 8 1.5 8 1.5Z",
  journal: "M3 2h10v12H3zM5.5 5h5M5.5 8h5M5.5 11h3",
  create: "M8 2.5v11M2.5 8h11",
};

export function icon(name) {
  return s(
    "svg",
    { viewBox: "0 0 16 16", fill: "none", stroke: "currentColor", "stroke-width": "1.4", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" },
    s("path", { d: ICONS[name] }),
  );
}

/** Set the text of a node, only where it differs. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function clear(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

let last = 0;

/** A fresh id for labels. */
export function id(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

/** A frame around a part of a page, with its heading. */
export function panel(title, { note, tools, body, flush, className = "" } = {}) {
  const label = id("panel");
  const content = h("div", { class: flush ? "body flush" : "body" }, body);
  const node = h(
    "section",
    { class: `panel ${className}`, "aria-labelledby": label },
    h("header", null, h("h2", { id: label }, title), note ? h("span", { class: "note" }, note) : null, tools ? h("div", { class: "tools" }, tools) : null),
    content,
  );
  node.content = content;
  return node;
}

/** A place where there is nothing, saying why. */
export function nothing(what, why) {
  return h("div", { class: "void" }, h("b", null, what), why ? h("span", null, why) : null);
}

/** A row of buttons of which one is pressed. */
export function segments(label, options, chosen, onChoose) {
  const group = h("div", { class: "segments", role: "group", "aria-label": label });
  for (const [value, text] of options) {
    group.append(
      h("button", {
        type: "button",
        "aria-pressed": String(value === chosen),
        onclick: (event) => {
          for (const other of group.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
          onChoose(value);
        },
      }, text),
    );
  }
  return group;
}
