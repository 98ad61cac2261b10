// How figures are written: grouped, cut (never rounded up), with a real minus and their unit.

import { cut, isZero, magnitude, parse, shift } from "./decimal.js";

export const NONE = "–";
const MINUS = "−";
const STEPS = [
  [9, "B"],
  [6, "M"],
  [3, "k"],
];

function grouped(value, places) {
  const isBelow = value.startsWith("-");
  const [whole, part = ""] = magnitude(value).split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const digits = places === undefined ? part : part.padEnd(places, "0");
  return (isBelow ? MINUS : "") + groups + (digits ? `.${digits}` : "");
}

/** Every digit there is. */
export function exact(value) {
  return grouped(value);
}

/** A fixed number of decimals; what is there but smaller than the last one shows as "<0.01". */
export function fixed(value, places) {
  const shown = cut(value, places);
  if (isZero(shown) && !isZero(value)) {
    const least = places ? `0.${"0".repeat(places - 1)}1` : "1";
    return value.startsWith("-") ? `>${MINUS}${least}` : `<${least}`;
  }
  return grouped(shown, places);
}

/** An amount of money: two decimals. */
export function money(value) {
  return fixed(value, 2);
}

/** Three or four digits and a thousand, million or billion, for narrow places. */
export function compact(value) {
  const digits = magnitude(value).split(".")[0].length;
  for (const [zeros, letter] of STEPS) {
    if (digits > zeros) return `${fixed(shift(value, -zeros), digits - zeros > 2 ? 1 : 2)}${letter}`;
  }
  return digits > 2 ? fixed(value, 0) : fixed(value, 2);
}

/** An amount in a table: two decimals, from a hundred million on in short. */
export function amount(value) {
  return magnitude(value).split(".")[0].length > 8 ? compact(value) : fixed(value, 2);
}

/** A price: as many decimals as its size asks for. */
export function price(value) {
  const digits = magnitude(value).split(".")[0].length;
  const places = digits >= 3 ? 2 : digits === 2 ? 3 : 4;
  const small = magnitude(value).startsWith("0.00");
  return small ? exact(value) : fixed(value, Math.min(places, Math.max(2, parse(value).decimals)));
}

/** A price beside an axis: no more decimals than its size asks for. */
export function tick(number) {
  const text = String(Number(number.toPrecision(7)));
  return Math.abs(number) >= 1000 ? fixed(text, 0) : exact(text);
}

/** A size: up to four decimals. */
export function size(value) {
  return fixed(value, Math.min(4, parse(value).decimals));
}

/** A share of one as percent. */
export function percent(value, places = 2) {
  return fixed(shift(value, 2), places);
}

/** With a sign in front, plus too. */
export function signed(shown) {
  return shown.startsWith(MINUS) || shown.startsWith(">") || /^[0.,]*$/.test(shown) ? shown : `+${shown}`;
}

export function health(value) {
  const whole = magnitude(value).split(".")[0].length;
  if (whole > 3) return ">999";
  return fixed(value, whole > 1 ? 1 : 3);
}

export function count(value) {
  return grouped(String(value));
}

const pad = (n, width = 2) => String(n).padStart(width, "0");

export function clock(ms) {
  const at = new Date(ms);
  return `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`;
}

/** A number of things: 1 account, 2 accounts. */
export function many(n, what) {
  return `${count(n)} ${what}${Number(n) === 1 ? "" : "s"}`;
}

export function date(ms) {
  const at = new Date(ms);
  return `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
}

export function moment(ms) {
  return `${date(ms)} ${clock(ms)} UTC`;
}

export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function short(hex, left = 6, right = 4) {
  return hex.length <= left + right + 1 ? hex : `${hex.slice(0, left)}…${hex.slice(-right)}`;
}

/** "position_liquidated" as "position liquidated". */
export function words(name) {
  return name.replaceAll("_", " ");
}

export function capital(name) {
  const said = words(name);
  return said.charAt(0).toUpperCase() + said.slice(1);
}

export const EDGES = [1, 1.05, 1.1, 1.25, 1.5, 2, 5];

/** Place of a health factor on the one scale of the dashboard, 0 (below maintenance) to 7. */
export function band(value) {
  if (value === null || value === undefined) return 7;
  const found = EDGES.findIndex((edge) => Number(value) < edge);
  return found < 0 ? EDGES.length : found;
}

export const BANDS = ["< 1", "1 – 1.05", "1.05 – 1.1", "1.1 – 1.25", "1.25 – 1.5", "1.5 – 2", "2 – 5", "≥ 5"];
