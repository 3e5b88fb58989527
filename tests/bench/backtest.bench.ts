// How fast the backtest and z are: a million one-minute bars through the binding, and a million doubles at three windows
// against a plain one-pass loop in JavaScript in the same run. A script that prints; it asserts nothing.
import { loadSettings } from "../../src/config/load.ts";
import { startBacktest, zscore } from "../../src/engine.ts";
import { engineSettings, fillModel } from "../../src/trading/engine-settings.ts";

const BARS = 1_000_000;
const RUNS = 5;
const START_MS = 1_525_699_800_000; // 7 May 2018 08:30 Chicago
const MINUTE_MS = 60_000;

const closes = walk(BARS);
const bars = {
  openAtMs: Float64Array.from({ length: BARS }, (_, at) => START_MS + at * MINUTE_MS),
  openTicks: Int32Array.from(closes, (close, at) => closes[at - 1] ?? close),
  highTicks: Int32Array.from(closes, (close, at) => Math.max(close, closes[at - 1] ?? close) + 1),
  lowTicks: Int32Array.from(closes, (close, at) => Math.min(close, closes[at - 1] ?? close) - 1),
  closeTicks: Int32Array.from(closes),
};
for (const window of [20, 60, 200]) {
  const loaded = loadSettings({
    file: null,
    environment: {},
    overrides: ["strategy.sampling=1m", `strategy.window=${window}`, "risk.dailyLossReset=nextSession"],
  });
  if (!loaded.ok) throw new Error("the settings of the benchmark are wrong");
  const settings = engineSettings(loaded.value.settings, "benc");
  const times: number[] = [];
  let trades = 0;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    const found = await startBacktest(settings, fillModel(loaded.value.settings), bars).result;
    times.push(performance.now() - began);
    trades = found.report.trades.length;
  }
  const best = Math.min(...times);
  console.log(
    `backtest, window ${window}: ${BARS.toLocaleString("en-US")} bars in ${best.toFixed(1)} ms (best of ${RUNS}), ` +
      `${(BARS / best / 1_000).toFixed(1)} million bars a second, ${trades.toLocaleString("en-US")} trades`,
  );
}

const prices = Float64Array.from(closes, (close) => close / 4);
for (const window of [20, 200, 2_000]) {
  const native = best(() => zscore(prices, window, 1));
  const plain = best(() => plainLoop(prices, window));
  console.log(
    `zscore, window ${window}: ${native.toFixed(1)} ms native, ${plain.toFixed(1)} ms plain JavaScript loop, ` +
      `ratio ${(native / plain).toFixed(2)}`,
  );
}

/** Sums in and out, as anyone would write it: not stable, which is the point of the other. */
function plainLoop(values: Float64Array, window: number): Float64Array {
  const z = new Float64Array(values.length).fill(Number.NaN);
  let [sum, squares] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    const price = values[at] as number;
    sum += price;
    squares += price * price;
    if (at >= window) {
      const left = values[at - window] as number;
      sum -= left;
      squares -= left * left;
    }
    if (at >= window - 1) {
      const mean = sum / window;
      z[at] = (price - mean) / Math.sqrt((squares - sum * mean) / (window - 1));
    }
  }
  return z;
}

function best(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    work();
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

/** A walk of −3 to +3 ticks a bar around 16,000, the same each time. */
function walk(length: number): number[] {
  let state = 7;
  let price = 16_000;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    price += ((state >>> 16) % 7) - 3;
    if (price < 8_000 || price > 32_000) price = 16_000;
    return price;
  });
}
