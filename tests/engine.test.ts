// The door to the native engine: what crosses it, and what happens when something is wrong on the way.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createEngine, EngineFault, zscore } from "../src/engine.ts";

type Vectors = {
  readonly series: readonly {
    readonly name: string;
    readonly tol: number;
    readonly prices: readonly (number | string | null)[];
    readonly cases: readonly {
      readonly window: number;
      readonly ddof: 0 | 1;
      readonly z: readonly (number | null)[];
    }[];
  }[];
};

const VECTORS = join(import.meta.dirname, "fixtures/vectors/zscore_vectors.json");
const vectors = JSON.parse(readFileSync(VECTORS, "utf8")) as Vectors;

test.each(vectors.series.map((series) => [series.name, series] as const))(
  "z of %s is that of the vectors",
  (_name, series) => {
    const prices = Float64Array.from(series.prices, (price) => (price === null ? Number.NaN : Number(price)));
    for (const { window, ddof, z } of series.cases) {
      const computed = zscore(prices, window, ddof);
      for (const [index, wanted] of z.entries()) {
        const have = computed[index] as number;
        if (wanted === null) expect(have).toBeNaN();
        else expect(Math.abs(have - wanted)).toBeLessThanOrEqual(series.tol * Math.max(1, Math.abs(wanted)));
      }
    }
  },
);

test("a window or ddof that can't be is refused in words", () => {
  expect(() => zscore(new Float64Array(3), 1, 0)).toThrow(EngineFault);
  expect(() => zscore(new Float64Array(3), 1, 0)).toThrow(/windows from 2/);
});

test("bytes that are no journal frames are a fault, and the engine refuses to go on after it", () => {
  const engine = createEngine(null);

  expect(() => engine.apply(new Uint8Array(40).fill(7))).toThrow(EngineFault);
  expect(() => engine.apply(new Uint8Array(0))).toThrow(/ENGINE_BROKEN/);
});

test("a snapshot of another shape is refused", () => {
  expect(() => createEngine('{"version":999}')).toThrow(EngineFault);
});
