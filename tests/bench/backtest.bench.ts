// How fast the backtest, the sweep and z are through the binding, in CPU time, each beside a baseline of the same run, the
// two taken turn about. A script that prints; it asserts nothing.
import { cpus, loadavg } from "node:os";
import { loadSettings } from "../../src/config/load.ts";
import { startBacktest, startSweep, zscore } from "../../src/engine.ts";
import { engineSettings, fillModel } from "../../src/trading/engine-settings.ts";

const BARS = 1_000_000;
const ROUNDS = 7;
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
const ticks = Float64Array.from(closes, (close) => close / 4);
const cents = Float64Array.from(closes, (close) => close / 100);
const million = BARS.toLocaleString("en-US");

console.log(`machine: ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} processors; load ${loadavg().join(" ")}`);
for (const window of [20, 200, 2_000]) {
  for (const [name, prices] of [
    ["quarter ticks", ticks],
    ["cents", cents],
  ] as const) {
    const [plain, ours] = await turnAbout(
      () => plainLoop(prices, window),
      () => zscore(prices, window, 1),
    );
    console.log(
      `z of ${million} ${name}, window ${window}: ${ours.toFixed(2)} ms through the binding, plain JavaScript loop ${plain.toFixed(2)} ms: ${(ours / plain).toFixed(2)} × it`,
    );
  }
}
for (const window of [20, 60, 200]) {
  const { settings, fills } = minutes(window, "2");
  let trades = 0;
  const [plain, ours] = await turnAbout(
    () => plainLoop(ticks, window),
    async () => {
      trades = (await startBacktest(settings, fills, bars).result).report.trades.length;
    },
  );
  console.log(
    `backtest of ${million} bars, window ${window}: ${ours.toFixed(1)} ms, ${rate(BARS, ours)} million bars/s, ${trades.toLocaleString("en-US")} trades, ${(ours / plain).toFixed(1)} × the plain z loop`,
  );
}
const combinations = [20, 60, 120, 240].flatMap((window) =>
  ["1.8", "2", "2.2", "2.4", "2.6"].map((entryZ) => minutes(window, entryZ)),
);
const [single, swept] = await turnAbout(
  () => startBacktest(minutes(60, "2").settings, minutes(60, "2").fills, bars).result,
  () => startSweep(combinations, [], bars, 2).result,
);
console.log(
  `sweep of ${combinations.length} combinations on 2 threads: ${rate(BARS * combinations.length, swept)} million combination-bars per CPU second, ${((single * combinations.length * 100) / swept).toFixed(0)} % of the single backtest`,
);

function minutes(window: number, entryZ: string) {
  const loaded = loadSettings({
    file: null,
    environment: {},
    overrides: [
      "strategy.sampling=1m",
      `strategy.window=${window}`,
      `strategy.entryZ=${entryZ}`,
      "risk.dailyLossReset=nextSession",
    ],
  });
  if (!loaded.ok) throw new Error("the settings of the benchmark are wrong");
  return { settings: engineSettings(loaded.value.settings, "benc"), fills: fillModel(loaded.value.settings) };
}

function rate(count: number, tookMs: number): string {
  return (count / tookMs / 1_000).toFixed(1);
}

/** Sums in and out, as anyone would write it: not stable, which is the point of the other. */
function plainLoop(values: Float64Array, window: number): Float64Array {
  const z = new Float64Array(values.length).fill(Number.NaN);
  const [share, freedom] = [1 / window, 1 / (window - 1)];
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
      const mean = sum * share;
      z[at] = (price - mean) / Math.sqrt((squares - sum * mean) * freedom);
    }
  }
  return z;
}

/** Least CPU milliseconds of each, of all threads of this process. */
async function turnAbout(baseline: () => unknown, ours: () => unknown): Promise<readonly [number, number]> {
  let least: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++)
    least = [Math.min(least[0], await cpuMs(baseline)), Math.min(least[1], await cpuMs(ours))];
  return least;
}

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
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
