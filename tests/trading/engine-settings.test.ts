// A person's settings in the engine's units: each figure by hand.
import { describe, expect, test } from "vitest";
import { loadSettings } from "../../src/config/load.ts";
import type { Settings } from "../../src/config/schema.ts";
import { engineSettings } from "../../src/trading/engine-settings.ts";

function settingsOf(text: string): Settings {
  const loaded = loadSettings({ file: { path: "config.yaml", text }, environment: {}, overrides: [] });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value.settings;
}

const engineOf = (text: string): ReturnType<typeof engineSettings> => engineSettings(settingsOf(text), "ab12");

test("the defaults are the card's: MES, 2.0 and 0.5, $200 and $300, $500, three losses, two hours", () => {
  const engine = engineOf("");

  expect(engine).toMatchObject({
    instrument: { symbol: "MES", tickSizeE4: 2_500, tickValueCents: 125 },
    strategy: { samplingMs: 5_000, window: 60, ddof: 1, entryZE4: 20_000, exitZE4: 5_000, quantity: 1 },
    risk: {
      stopCents: 20_000,
      targetCents: 30_000,
      dailyLossCents: 50_000,
      dailyLossBasis: "total",
      dailyLossReset: "arm",
      lossStreak: 3,
      lossStreakPauseMs: 1_800_000,
      maxHoldMs: 7_200_000,
      maxPosition: 1,
      maxNotionalCents: 6_000_000,
      excessLiquidityPct: 25,
    },
    session: { timeZone: "America/Chicago", openMinute: 17 * 60, flattenAtMinute: 15 * 60 + 55 },
    costs: { feeCents: 57 },
    instance: "ab12",
  });
});

test.each([
  ["MES", 6_000_000],
  ["NQ", null],
  ["M2K", null],
])("the notional limit of %s is %s, null where the engine takes it from the first price", (symbol, cents) => {
  expect(engineOf(`contract:\n  symbol: ${symbol}\n`).risk.maxNotionalCents).toBe(cents);
  const set = `contract:\n  symbol: ${symbol}\nrisk:\n  maxNotionalUsd: 1234.5\n`;
  expect(engineOf(set).risk.maxNotionalCents).toBe(123_450);
});

describe("an instrument's tick in ten-thousandths of a point", () => {
  test.each([
    ["MES", 2_500, 125],
    ["ES", 2_500, 1_250],
    ["MNQ", 2_500, 50],
    ["M2K", 1_000, 50],
    ["MYM", 10_000, 50],
  ])("%s: %d, worth %d cents", (symbol, tickSizeE4, tickValueCents) => {
    expect(engineOf(`contract:\n  symbol: ${symbol}\n`).instrument).toEqual({ symbol, tickSizeE4, tickValueCents });
  });

  test.each([
    ["0.0001", "10000", 1],
    ["0.005", "2000", 50],
    ["0.25", "5", 2_500],
    ["10", "1", 100_000],
  ])("a described one of %s: %s a point", (tick, multiplier, tickSizeE4) => {
    const custom = `{exchange: CME, currency: USD, tick: ${tick}, multiplier: ${multiplier}, feeUsd: 1.00}`;
    const engine = engineOf(`contract:\n  symbol: XYZ\n  custom: ${custom}\n`);

    expect(engine.instrument.tickSizeE4).toBe(tickSizeE4);
    expect(engine.costs.feeCents).toBe(100);
  });
});

test.each([
  ["2.0", 20_000],
  ["1.9999", 19_999],
  ["2.3", 23_000],
  ["1.005", 10_050],
])("a threshold of %s is %d ten-thousandths", (entryZ, entryZE4) => {
  expect(engineOf(`strategy:\n  entryZ: ${entryZ}\n`).strategy.entryZE4).toBe(entryZE4);
});

const day = (number: number): number => number * 1_440;

describe("a reset window", () => {
  test("of each day that passes midnight is seven spans, Sunday's ending on Monday", () => {
    const spans = engineOf('ibkr:\n  resetWindows: ["23:45-00:45"]\n').session.resetWindows;

    expect(spans).toHaveLength(7);
    expect(spans[0]).toEqual({ fromWeekMinute: 1_425, toWeekMinute: day(1) + 45 });
    expect(spans[6]).toEqual({ fromWeekMinute: day(6) + 1_425, toWeekMinute: 45 });
  });

  test("of each day within it is seven spans of that day", () => {
    const spans = engineOf('ibkr:\n  resetWindows: ["01:00-02:00"]\n').session.resetWindows;

    expect(spans).toEqual(
      Array.from({ length: 7 }, (_, index) => ({ fromWeekMinute: day(index) + 60, toWeekMinute: day(index) + 120 })),
    );
  });

  test.each([
    ["Fri 23:00-Sat 03:00", { fromWeekMinute: day(4) + 1_380, toWeekMinute: day(5) + 180 }],
    ["Sun 22:00-Mon 01:00", { fromWeekMinute: day(6) + 1_320, toWeekMinute: 60 }],
    ["Mon 00:00-Mon 00:05", { fromWeekMinute: 0, toWeekMinute: 5 }],
    ["Sat 00:00-Mon 00:00", { fromWeekMinute: day(5), toWeekMinute: 0 }],
  ])("%s is one span of the week", (window, span) => {
    expect(engineOf(`ibkr:\n  resetWindows: ["${window}"]\n`).session.resetWindows).toEqual([span]);
  });
});

test("what is switched off stays off: no flat window, no session, no rate limit", () => {
  const engine = engineOf("session:\n  open: none\n  flattenAt: none\nrisk:\n  entriesMax: null\n");

  expect(engine.session).toMatchObject({ openMinute: null, flattenAtMinute: null });
  expect(engine.risk.entriesMax).toBeNull();
});

test("the daily loss may end with the next session", () => {
  expect(engineOf("risk:\n  dailyLossReset: nextSession\n").risk.dailyLossReset).toBe("next_session");
});

test("entry windows and fees of a person's own are taken", () => {
  const engine = engineOf('session:\n  entryWindows: ["08:35-14:45"]\ncosts:\n  feeUsd: 0.62\n');

  expect(engine.session.entryWindows).toEqual([{ fromMinute: 515, toMinute: 885 }]);
  expect(engine.costs.feeCents).toBe(62);
});
