// Lines over time or over prices: uPlot in the colours of the page, readable by keyboard.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { clear, h } from "../dom.js";
import * as f from "../format.js";
import { explain } from "./tip.js";

const charts = new Set();

/** A colour of the design tokens, as the canvas needs it. */
export function ink(name, alpha = 1) {
  const colour = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  if (alpha === 1) return colour;
  const hex = Math.round(alpha * 255).toString(16).padStart(2, "0");
  return colour.startsWith("#") ? colour + hex : colour;
}

export function redrawCharts() {
  for (const chart of charts) chart.plot?.redraw(false, true);
}

function axis(extra) {
  return {
    stroke: () => ink("--text-3"),
    font: `11px ${getComputedStyle(document.documentElement).getPropertyValue("--font")}`,
    grid: { stroke: () => ink("--line"), width: 1 },
    ticks: { show: false },
    gap: 6,
    ...extra,
  };
}

const SPANS = [60e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3, 14_400e3, 21_600e3, 43_200e3, 86_400e3];

function timeAxis() {
  return axis({
    size: 30,
    incrs: SPANS,
    space: 64,
    values: (_, splits) => splits.map((ms) => f.clock(ms).slice(0, 5)),
  });
}

/**
 * A chart of lines. series: [{name, tip, colour, format(value), scale, width, dash, fill, points}].
 * x: {time} or {format(value), name, unit, tip}; y: {format(value), range(plot, low, high), lines()}.
 */
export class Chart {
  constructor({ name, series, x = { time: true, tip: "time" }, y, height = 260, draw }) {
    Object.assign(this, { name, series, x, y, height, extra: draw });
    this.readout = h("div", { class: "readout" });
    this.holder = h("div", {});
    this.node = h("div", { class: "chart live", tabindex: "0", role: "img", "aria-label": name, onkeydown: (event) => this.press(event) }, this.readout, this.holder);
    this.data = [[], ...series.map(() => [])];
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.node);
    charts.add(this);
  }

  options(width) {
    return {
      width,
      height: this.height,
      ms: 1,
      tzDate: (ms) => uPlot.tzDate(new Date(ms), "UTC"),
      padding: [width < (this.series.length > 2 ? 560 : 420) && this.series.length > 1 ? 50 : 32, 16, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
      legend: { show: false },
      scales: { x: { time: Boolean(this.x.time) }, y: { range: this.y.range ?? ((_, low, high) => this.padded(low, high)) } },
      axes: [
        this.x.time ? timeAxis() : axis({ size: 30, space: 64, values: (_, splits) => splits.map(this.x.format) }),
        axis({ size: 62, values: (_, splits) => splits.map(this.y.format) }),
      ],
      series: [{}, ...this.series.map((one) => this.line(one))],
      hooks: { setCursor: [() => this.read()], drawClear: [(plot) => this.under(plot)], draw: [(plot) => this.extra?.(plot, this)] },
    };
  }

  line(one) {
    return {
      label: one.name,
      scale: "y",
      width: one.width ?? 1.5,
      stroke: () => ink(one.colour),
      fill: one.fill ? () => ink(one.colour, 0.1) : undefined,
      dash: one.dash,
      spanGaps: false,
      points: { show: Boolean(one.points) },
      paths: one.steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
    };
  }

  padded(low, high) {
    if (low === null || high === null) return this.y.empty ?? [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.08;
    const within = this.y.within ?? [-Infinity, Infinity];
    return [Math.max(low - room, within[0]), Math.min(high + room, within[1])];
  }

  /** Horizontal and vertical marks below the lines: {at, vertical, colour, text}. */
  under(plot) {
    const { ctx, bbox } = plot;
    for (const mark of this.y.lines?.() ?? []) {
      const at = plot.valToPos(mark.at, mark.vertical ? "x" : "y", true);
      const [from, to] = mark.vertical ? [bbox.left, bbox.left + bbox.width] : [bbox.top, bbox.top + bbox.height];
      if (!(at >= from && at <= to)) continue;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = ink(mark.colour);
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      if (mark.vertical) ctx.rect(at, bbox.top, 0, bbox.height);
      else ctx.rect(bbox.left, at, bbox.width, 0);
      ctx.stroke();
      if (mark.text) {
        ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
        ctx.fillStyle = ink("--text-2");
        ctx.textAlign = "left";
        ctx.textBaseline = "alphabetic";
        if (mark.vertical) ctx.fillText(mark.text, at + 4 * devicePixelRatio, bbox.top + (12 + 14 * (mark.row ?? 0)) * devicePixelRatio);
        else ctx.fillText(mark.text, bbox.left + 6 * devicePixelRatio, at - 5 * devicePixelRatio);
      }
      ctx.restore();
    }
  }

  set(data) {
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else this.fit();
    this.read();
  }

  fit() {
    const width = this.node.clientWidth;
    if (!width || !this.data[0].length) return;
    if (!this.plot) this.plot = new uPlot(this.options(width), this.data, this.holder);
    else if (this.plot.width !== width) this.plot.setSize({ width, height: this.height });
  }

  /** Figures under the cursor, or the last ones. */
  read() {
    const last = this.data[0].length - 1;
    if (last < 0) return;
    const at = this.plot?.cursor.idx ?? (this.x.rest ? this.x.rest(this.data) : last);
    const x = this.data[0][at];
    const where = this.x.time ? `${f.clock(x)} UTC` : `${this.x.name} ${this.x.format(x)}${this.x.unit ? ` ${this.x.unit}` : ""}`;
    const parts = this.series.map((one, k) => {
      const value = this.data[k + 1][at];
      return [one.name, value === null || value === undefined ? f.NONE : (one.format ?? this.y.format)(value), one.tip];
    });
    clear(this.readout, explain(h("span", null, where), this.x.tip), parts.map(([name, text, tip]) => explain(h("span", null, `${name} `, h("b", null, text)), tip)));
    this.node.setAttribute("aria-label", `${this.name}. ${where}: ${parts.map(([name, text]) => `${name} ${text}`).join(", ")}`);
  }

  press(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !this.plot) return;
    event.preventDefault();
    const last = this.data[0].length - 1;
    const at = Math.min(last, Math.max(0, (this.plot.cursor.idx ?? last) + by * (event.shiftKey ? 10 : 1)));
    this.plot.setCursor({ left: this.plot.valToPos(this.data[0][at], "x"), top: 10 });
  }

  end() {
    this.observer.disconnect();
    this.plot?.destroy();
    charts.delete(this);
  }
}

/** The key to a chart's lines. */
export function legend(entries) {
  return h("div", { class: "legend" }, entries.map(([text, colour, isBlock]) => h("span", null, h("i", { class: isBlock ? "block" : "", css: { "--c": `var(${colour})` } }), text)));
}
