// Exact decimal strings: amounts never pass through a float on their way to the screen.

const SHAPE = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Units and number of decimals of a decimal string; throws on anything else. */
export function parse(text) {
  const found = SHAPE.exec(text);
  if (!found) throw new TypeError(`${text} is not a decimal number`);
  const [, sign, whole, part = ""] = found;
  const units = BigInt(whole + part);
  return { units: sign ? -units : units, decimals: part.length };
}

/** Decimal string of units; trailing zeros are left out. */
export function text({ units, decimals }) {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return sign + whole + (part ? `.${part}` : "");
}

function aligned(a, b) {
  const x = parse(a);
  const y = parse(b);
  const decimals = Math.max(x.decimals, y.decimals);
  const scale = (n) => n.units * 10n ** BigInt(decimals - n.decimals);
  return [scale(x), scale(y), decimals];
}

export function add(a, b) {
  const [x, y, decimals] = aligned(a, b);
  return text({ units: x + y, decimals });
}

export function subtract(a, b) {
  const [x, y, decimals] = aligned(a, b);
  return text({ units: x - y, decimals });
}

export function compare(a, b) {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : Number(x > y);
}

export function sum(values) {
  return values.reduce((total, value) => add(total, value), "0");
}

/** The first places decimals of a number, the rest cut off: nothing is shown that is not there. */
export function cut(value, places) {
  const { units, decimals } = parse(value);
  if (decimals <= places) return text({ units, decimals });
  return text({ units: units / 10n ** BigInt(decimals - places), decimals: places });
}

/** A number times a power of ten, exactly: 0.05 shifted by 2 is 5. */
export function shift(value, places) {
  const { units, decimals } = parse(value);
  if (places <= decimals) return text({ units, decimals: decimals - places });
  return text({ units: units * 10n ** BigInt(places - decimals), decimals: 0 });
}

export function isNegative(value) {
  return parse(value).units < 0n;
}

export function isZero(value) {
  return parse(value).units === 0n;
}

export function magnitude(value) {
  return value.startsWith("-") ? value.slice(1) : value;
}
