// The price, and beside it who is liquidated at which price: bars at the right, same scale.

import { Chart, ink } from "./chart.js";
import * as f from "../format.js";

const SHARE = 0.32; // of the plot's width, for the longest bar

function bars(plot, buckets) {
  const { ctx, bbox } = plot;
  const most = Math.max(...buckets.map((one) => one.down + one.up), 1e-9);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const one of buckets) {
    const top = plot.valToPos(one.upper, "y", true);
    const bottom = plot.valToPos(one.lower, "y", true);
    const height = Math.max(bottom - top - devicePixelRatio, devicePixelRatio);
    let right = bbox.left + bbox.width;
    for (const [amount, alpha] of [[one.down, 0.75], [one.up, 0.4]]) {
      const width = (amount / most) * bbox.width * SHARE;
      ctx.fillStyle = ink("--h1", alpha);
      if (width) ctx.fillRect(right - Math.max(width, 2), top, Math.max(width, 2), height);
      right -= width;
    }
  }
  ctx.restore();
}

/** Price over time with the liquidation ladder on the same vertical scale. */
export class LadderChart {
  constructor({ unit, height }) {
    this.span = 0.1;
    this.buckets = [];
    this.price = null;
    this.chart = new Chart({
      name: "Price and liquidation ladder",
      height,
      series: [{ name: "Index price", tip: "index_price", colour: "--text", format: (value) => `${f.price(String(value))} ${unit}` }],
      y: {
        format: f.tick,
        range: (_, low, high) => this.range(low, high),
        lines: () => (this.price === null ? [] : [{ at: this.price, colour: "--accent" }]),
      },
      draw: (plot) => bars(plot, this.near()),
    });
    this.node = this.chart.node;
  }

  /** The recent prices and as much on both sides of the last one as was asked for. */
  range(low, high) {
    const at = this.price ?? (low + high) / 2;
    return [Math.min(low ?? at, at * (1 - this.span)), Math.max(high ?? at, at * (1 + this.span))];
  }

  near() {
    const [low, high] = [this.price * (1 - this.span), this.price * (1 + this.span)];
    return this.buckets.filter((one) => one.upper >= low && one.lower <= high);
  }

  setLadder(ladder) {
    this.buckets = ladder.buckets.map((one) => ({
      lower: Number(one.lower), upper: Number(one.upper), down: Number(one.down.notional), up: Number(one.up.notional),
    }));
    if (ladder.price !== null) this.price = Number(ladder.price);
    this.chart.plot?.redraw();
  }

  set(times, prices) {
    const last = prices.findLast((price) => price !== null);
    if (last !== undefined) this.price = last;
    this.chart.set([times, prices]);
  }

  zoom(span) {
    this.span = span;
    this.chart.plot?.setData(this.chart.data);
  }

  end() {
    this.chart.end();
  }
}
