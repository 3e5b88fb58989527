// How fast the backtest, the sweep and z are through the binding, in CPU time, each beside a baseline of the same run, the
// two taken turn about; where threads matter, by the wall clock too, with the processors that the machine let us have. A
// script that prints; it asserts nothing.
import { cpus, loadavg } from "node:os";
import { loadSettings } from "../../src/config/load.ts";
import { startBacktest, startSweep, zscore } from "../../src/engine.ts";
import { engineSettings, fillModel } from "../../src/trading/engine-settings.ts";

const BARS = 1_000_000;
const LONG = 10_000_000;
const ROUNDS = 7;
/** Of what takes long. */
const FEW_ROUNDS = 3;
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
const million = count(BARS);

console.log(
  `machine: ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} processors, Node ${process.versions.node}; load ${loads()}`,
);
console.log(`CPU time, the least of ${ROUNDS} rounds (${FEW_ROUNDS} of ten million prices and of sweeps)`);
await zRatios(BARS, ROUNDS);
await zRatios(LONG, FEW_ROUNDS);
const ticks = Float64Array.from(closes, (close) => close / 4);
for (const window of [20, 60, 200]) {
  const { settings, fills } = minutes(window, "2");
  let trades = 0;
  const [plain, ours] = await turnAbout(
    ROUNDS,
    () => plainLoop(ticks, window),
    async () => {
      trades = (await startBacktest(settings, fills, bars).result).report.trades.length;
    },
  );
  console.log(
    `backtest of ${million} bars, window ${window}: ${ours.toFixed(1)} ms, ${rate(BARS, ours)} million bars/s, ${count(trades)} trades read, ${(ours / plain).toFixed(1)} × the plain z loop`,
  );
}
await sweepRatios();

async function zRatios(length: number, rounds: number): Promise<void> {
  const walked = walk(length);
  for (const [name, prices] of [
    ["quarter ticks", Float64Array.from(walked, (close) => close / 4)],
    ["cents", Float64Array.from(walked, (close) => close / 100)],
    ["any floats", floatWalk(length)],
  ] as const) {
    const took: number[] = [];
    for (const window of [20, 200, 2_000]) {
      const [plain, ours] = await turnAbout(
        rounds,
        () => plainLoop(prices, window),
        () => zscore(prices, window, 1),
      );
      took.push(ours);
      console.log(
        `z of ${count(length)} ${name}, window ${window}: ${ours.toFixed(2)} ms through the binding, plain JavaScript loop ${plain.toFixed(2)} ms: ${(ours / plain).toFixed(2)} × it`,
      );
    }
    console.log(
      `z of ${count(length)} ${name}: window 2000 takes ${((took[2] as number) / (took[0] as number)).toFixed(2)} × window 20`,
    );
  }
}

/** One single run, a sweep on one thread and one on two, turn about. */
async function sweepRatios(): Promise<void> {
  const combinations = [20, 60, 120, 240].flatMap((window) =>
    ["1.8", "2", "2.2", "2.4", "2.6"].flatMap((entryZ) =>
      ["0", "0.2", "0.4", "0.6", "0.8"].map((exitZ) => minutes(window, entryZ, exitZ)),
    ),
  );
  const { settings, fills } = minutes(60, "2");
  const longest: Took = { cpuMs: Number.POSITIVE_INFINITY, wallMs: Number.POSITIVE_INFINITY };
  let [single, one, two] = [longest, longest, longest];
  for (let round = 0; round < FEW_ROUNDS; round++) {
    for (let again = 0; again < FEW_ROUNDS; again++)
      single = lessOf(single, await took(() => startBacktest(settings, fills, bars).result));
    one = lessOf(one, await took(() => startSweep(combinations, [], bars, 1).result));
    two = lessOf(two, await took(() => startSweep(combinations, [], bars, 2).result));
  }
  for (const [threads, swept] of [
    [1, one],
    [2, two],
  ] as const) {
    const ofSingles = (single.wallMs * combinations.length * 100) / swept.wallMs / threads;
    console.log(
      `sweep of ${combinations.length} combinations, ${million} bars, ${threads} thread(s): ${rate(BARS * combinations.length, swept.cpuMs)} million combination-bars a CPU second; by the wall clock ${rate(BARS * combinations.length, swept.wallMs)} million a second, ${(swept.cpuMs / swept.wallMs).toFixed(2)} processors had, ${ofSingles.toFixed(0)} % of ${threads} × a single backtest`,
    );
  }
  console.log(
    `sweep: two threads give ${((one.wallMs * 50) / two.wallMs).toFixed(0)} % of twice one thread by the wall clock, ${((one.cpuMs * 100) / two.cpuMs).toFixed(0)} % by CPU time; load ${loads()}`,
  );
}

function minutes(window: number, entryZ: string, exitZ = "0.5") {
  const loaded = loadSettings({
    file: null,
    environment: {},
    overrides: [
      "strategy.sampling=1m",
      `strategy.window=${window}`,
      `strategy.entryZ=${entryZ}`,
      `strategy.exitZ=${exitZ}`,
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
async function turnAbout(
  rounds: number,
  baseline: () => unknown,
  ours: () => unknown,
): Promise<readonly [number, number]> {
  let least: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++)
    least = [Math.min(least[0], (await took(baseline)).cpuMs), Math.min(least[1], (await took(ours)).cpuMs)];
  return least;
}

/** What a piece of work took by both clocks: processor time of all threads of this process, and the wall's. */
type Took = { readonly cpuMs: number; readonly wallMs: number };

async function took(work: () => unknown): Promise<Took> {
  const [beforeMs, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000, wallMs: performance.now() - beforeMs };
}

function lessOf(one: Took, other: Took): Took {
  return { cpuMs: Math.min(one.cpuMs, other.cpuMs), wallMs: Math.min(one.wallMs, other.wallMs) };
}

function count(items: number): string {
  return items.toLocaleString("en-US");
}

function loads(): string {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(" ");
}

/** Steps that lie on no grid. */
function floatWalk(length: number): Float64Array {
  let [state, price] = [7, 4_000];
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    price += state / 2 ** 32 - 0.5;
    return price;
  });
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
