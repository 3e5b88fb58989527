// The file of a sweep that goes on: what it gives back, and whose file it is.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { CombinationResult } from "../../src/engine.ts";
import { appendState, openState } from "../../src/sweep/state.ts";

const folder = mkdtempSync(join(tmpdir(), "state-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const result = (trades: number): CombinationResult =>
  ({ statistics: { trades, sharpe: 0.1 + trades / 3 }, bothTouched: 1, spans: [] }) as unknown as CombinationResult;

test("results come back as they were, those of a line that was cut off excepted", () => {
  const path = join(folder, "cut");
  openState(path, "h", 5);
  appendState(path, [
    [3, result(3)],
    [1, result(1)],
  ]);
  appendState(path, [[0, result(0)]]);
  const whole = readFileSync(path).length;

  for (let cut = 0; cut < 20; cut++) {
    truncateSync(path, whole - cut);
    const kept = openState(path, "h", 5);

    expect(kept.ok && [...kept.value.keys()]).toEqual(cut === 0 ? [3, 1, 0] : [3, 1]);
    expect(kept.ok && kept.value.get(3)).toEqual(result(3));
    appendState(path, [[0, result(0)]]);
    const again = openState(path, "h", 5);
    expect(again.ok && again.value.size).toBe(3);
    truncateSync(path, whole);
  }
});

test.each([
  ["another hash", "other", 5, "", /other data, other settings or another grid/],
  ["another grid", "h", 6, "", /other data, other settings or another grid/],
  ["a line that is none", "h", 5, "x\n", /line 2 is damaged/],
  ["a place that is none", "h", 5, '{"index":5,"result":{}}\n', /line 2 is damaged/],
])("%s is refused", (_, hash, combinations, line, message) => {
  const path = join(folder, "refused");
  rmSync(path, { force: true });
  openState(path, "h", 5);
  appendFileSync(path, line);

  const opened = openState(path, hash, combinations);

  expect(opened.ok ? "" : opened.error).toMatch(message);
});

test.each([
  ["", /no state of a sweep/],
  ["{}\n", /no state of a sweep/],
  ['{"format":"quant-scalper sweep","version":2}\n', /another version/],
])("a file with %j is no state", (text, message) => {
  const path = join(folder, "none");
  writeFileSync(path, text);

  const opened = openState(path, "h", 5);

  expect(opened.ok ? "" : opened.error).toMatch(message);
});
