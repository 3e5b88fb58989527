// What `--sweep` says, and what is refused with its reason.
import { describe, expect, test } from "vitest";
import { readDimensions } from "../../src/sweep/dimensions.ts";

test.each([
  ["strategy.window=20,60,200", "strategy.window", ["20", "60", "200"]],
  ["window=20", "strategy.window", ["20"]],
  ["strategy.entryZ=1.5:3:0.5", "strategy.entryZ", ["1.5", "2", "2.5", "3"]],
  ["strategy.entryZ=1.5:2.9:0.5", "strategy.entryZ", ["1.5", "2", "2.5"]],
  ["strategy.exitZ=0:0.3:0.1", "strategy.exitZ", ["0", "0.1", "0.2", "0.3"]],
  ["risk.maxHold=30m:120m:30m", "risk.maxHold", ["30m", "60m", "90m", "120m"]],
  ["session.flattenAt=15:30,15:55,none", "session.flattenAt", ["15:30", "15:55", "none"]],
  ["backtest.intrabar=stop-first,target-first", "backtest.intrabar", ["stop-first", "target-first"]],
  [
    'session.entryWindows=[],["08:35-11:00","13:00-14:45"]',
    "session.entryWindows",
    ["[]", '["08:35-11:00","13:00-14:45"]'],
  ],
])("%s is read", (written, path, texts) => {
  const read = readDimensions([written]);

  expect(read.ok && read.value.map((each) => [each.path, each.values.map(({ text }) => text)])).toEqual([
    [path, texts],
  ]);
});

test("values are those of the settings", () => {
  const read = readDimensions(["risk.stopUsd=100,200", "risk.maxHold=1h"]);

  expect(read.ok && read.value.map(({ values }) => values.map(({ value }) => value))).toEqual([
    [10_000, 20_000],
    [3_600_000],
  ]);
});

describe("refused", () => {
  test.each([
    [["strategy.windw=20"], /windw is not a key.*strategy\.window/],
    [["strategy.window"], /write KEY=VALUE/],
    [["strategy.window=20,3"], /"3" is no strategy\.window: it must be/],
    [["strategy.window=20,,30"], /a value is empty/],
    [["strategy.window=20,20"], /"20" is there twice/],
    [["strategy.entryZ=1:2:0"], /the step is 0/],
    [["strategy.entryZ=3:2:0.1"], /goes down/],
    [["risk.maxHold=30m:2h:30m"], /same unit/],
    [["strategy.entryZ=0.5:6:0.0001"], /takes 55001 values; 10000 is the most/],
    [["strategy.window=20", "window=30"], /strategy\.window is swept twice/],
    [["telegram.theme=dark,light"], /changes nothing in a backtest/],
    [["risk.dailyLossReset=arm"], /changes nothing in a backtest/],
    [Array.from({ length: 13 }, () => "strategy.window=20"), /13 settings are swept; 12 is the most/],
  ])("%j", (written, message) => {
    const read = readDimensions(written);

    expect(read.ok ? "" : read.error).toMatch(message);
  });
});
