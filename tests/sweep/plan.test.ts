// From dimensions to combinations: the order of the grid, what is left out, and drawing without repeats.
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadSettings } from "../../src/config/load.ts";
import { type Dimension, readDimensions } from "../../src/sweep/dimensions.ts";
import { planOf, settingsFor, textsOf } from "../../src/sweep/plan.ts";

const loaded = loadSettings({ file: null, environment: {}, overrides: ["strategy.sampling=1m"] });
if (!loaded.ok) throw new Error("the default settings are wrong");
const { settings } = loaded.value;

function dimensions(...written: string[]): readonly Dimension[] {
  const read = readDimensions(written);
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

test("the last dimension turns fastest, and settings are the base with the values", () => {
  const plan = planOf(settings, dimensions("strategy.window=20,60", "strategy.entryZ=2,2.5"), null);

  if (!plan.ok) throw new Error(plan.error);
  expect(plan.value.combinations.map((each) => textsOf(plan.value, each))).toEqual([
    ["20", "2"],
    ["20", "2.5"],
    ["60", "2"],
    ["60", "2.5"],
  ]);
  const [first] = plan.value.combinations;
  expect(first && settingsFor(plan.value, first)).toEqual({
    ...settings,
    strategy: { ...settings.strategy, window: 20, entryZ: 2 },
  });
});

test("combinations that break a relation are left out and counted", () => {
  // |z| of a window of 5 is at most 1.789.
  const plan = planOf(settings, dimensions("strategy.window=5,60", "strategy.entryZ=1.5,2,3"), null);

  if (!plan.ok) throw new Error(plan.error);
  expect(plan.value).toMatchObject({ gridPoints: 6, leftOut: 2 });
  expect(plan.value.leftOutReason).toMatch(/strategy\.entryZ/);
});

test.each([
  [["strategy.window=5", "strategy.entryZ=2,3"], null, /None of the 2 combinations is allowed: strategy\.entryZ/],
  [["strategy.window=100:599:1", "risk.stopUsd=5:499:1"], null, /247,500 combinations; 100,000 is the most.*--random/],
])("%j is refused", (written, random, message) => {
  const plan = planOf(settings, dimensions(...written), random);

  expect(plan.ok ? "" : plan.error).toMatch(message);
});

test("a random plan has as many different points as were asked, the same for the same seed", () => {
  const grid = dimensions("strategy.window=20:519:1", "risk.stopUsd=100:499:1");
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (count, seed) => {
      const [one, again] = [planOf(settings, grid, { count, seed }), planOf(settings, grid, { count, seed })];

      if (!one.ok) throw new Error(one.error);
      const points = one.value.combinations.map(({ places }) => places.join());
      expect(new Set(points).size).toBe(count);
      expect(again).toEqual(one);
    }),
    { numRuns: 10 },
  );
});

test("another seed draws other points, and more than the grid has are the whole grid", () => {
  const grid = dimensions("strategy.window=20:119:1");
  const points = (count: number, seed: number) => {
    const plan = planOf(settings, grid, { count, seed });
    return plan.ok ? plan.value.combinations.map(({ places }) => places[0]) : [];
  };

  expect(points(10, 1)).not.toEqual(points(10, 2));
  expect(points(500, 1)).toEqual(Array.from({ length: 100 }, (_, at) => at));
});
