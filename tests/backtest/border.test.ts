// The border to the engine's long work: it runs beside this thread, a signal stops it, and every refusal has its code.
import { expect, test } from "vitest";
import { loadSettings } from "../../src/config/load.ts";
import { bestOf, EngineFault, startBacktest, startOverfitting, startSweep, sumOf } from "../../src/engine.ts";
import { engineSettings, fillModel } from "../../src/trading/engine-settings.ts";

const BARS = 400_000;
const loaded = loadSettings({ file: null, environment: {}, overrides: ["strategy.sampling=1m"] });
if (!loaded.ok) throw new Error("the default settings are wrong");
const settings = engineSettings(loaded.value.settings, "test");
const fills = fillModel(loaded.value.settings);
const combination = { settings, fills };
const bars = columns(BARS);

test("a signal stops a backtest, before it begins and in its middle", async () => {
  const running = new AbortController();
  const backtest = startBacktest(settings, fills, bars, running.signal);
  running.abort();

  await expect(backtest.result).rejects.toMatchObject({ code: "BACKTEST_STOPPED" });
  await expect(startBacktest(settings, fills, bars, AbortSignal.abort()).result).rejects.toMatchObject({
    code: "BACKTEST_STOPPED",
  });
});

test("a signal stops a sweep, which gives what was done", async () => {
  const controller = new AbortController();
  const many = Array.from({ length: 5_000 }, () => combination);
  const running = startSweep(many, [], bars, 2, controller.signal);
  // Some combinations are done: then it is in the middle of its work.
  while (running.barsDone() < 4 * BARS) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();

  const results = await running.result;

  const done = results.filter((result) => result !== null);
  expect(done.length).toBeGreaterThan(0);
  expect(done.length).toBeLessThan(many.length);
  expect(new Set(done.map((result) => JSON.stringify(result))).size).toBe(1);
});

test("long work leaves this thread free", async () => {
  const running = startSweep(
    Array.from({ length: 20 }, () => combination),
    [],
    bars,
    2,
  );
  let turns = 0;
  let isDone = false;
  const finished = running.result.then(() => {
    isDone = true;
  });
  while (!isDone) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await finished;

  expect(turns).toBeGreaterThan(100);
  expect(running.barsDone()).toBe(20 * BARS);
});

test.each<[string, () => Promise<unknown>]>([
  [
    "BACKTEST_SETTINGS",
    () => startBacktest({ ...settings, strategy: { ...settings.strategy, window: 1 } }, fills, bars).result,
  ],
  ["BACKTEST_SETTINGS", () => startBacktest(settings, { ...fills, startEquityCents: 0 }, bars).result],
  ["BACKTEST_BARS", () => startBacktest(settings, fills, { ...bars, closeTicks: new Int32Array(3) }).result],
  ["BACKTEST_BARS", () => startBacktest(settings, fills, { ...bars, openAtMs: new Float64Array(BARS) }).result],
  ["BACKTEST_SETTINGS", () => startSweep([combination], [], bars, 0).result],
  [
    "BACKTEST_SETTINGS",
    () => startSweep([combination, { settings, fills: { ...fills, startEquityCents: -1 } }], [], bars, 1).result,
  ],
  ["SELECTION_ARGUMENT", () => startOverfitting("net", [[], []]).result],
])("a refusal is a fault with the code %s", async (code, work) => {
  const thrown = await work().catch((fault: unknown) => fault);

  expect(thrown).toBeInstanceOf(EngineFault);
  expect((thrown as EngineFault).code).toBe(code);
});

test("the combination that can't be run is named, counted from 1", async () => {
  const wrong = { settings, fills: { ...fills, startEquityCents: -1 } };

  await expect(startSweep([combination, wrong], [], bars, 1).result).rejects.toThrow(/combination 2: .*-1 cents/);
});

test("sums of nothing are nothing, and of nothing there is no best", () => {
  expect(sumOf([])).toMatchObject({ sums: { sessions: 0, netCents: 0 }, sharpe: null, profitFactor: null });
  expect(bestOf("sharpe", [])).toBe(null);
});

function columns(length: number) {
  const at = { length };
  const price = (index: number): number => 16_000 + ((index * 7) % 41) + ((index >> 9) % 13);
  return {
    openAtMs: Float64Array.from(at, (_, index) => 1_715_002_200_000 + index * 60_000),
    openTicks: Int32Array.from(at, (_, index) => price(index)),
    highTicks: Int32Array.from(at, (_, index) => price(index) + 2),
    lowTicks: Int32Array.from(at, (_, index) => price(index) - 2),
    closeTicks: Int32Array.from(at, (_, index) => price(index)),
  };
}
