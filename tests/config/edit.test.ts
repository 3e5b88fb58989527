// Changes from the chat: what may be typed, what the preview says, and that the file says the same afterwards.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  describeChanges,
  findField,
  type Preview,
  parseChange,
  previewChange,
  printValue,
  readAssignment,
  withUser,
} from "../../src/config/edit.ts";
import { fieldAt, settingsOf, valueIn } from "../../src/config/fields.ts";
import { hashOf, loadSettings, printProblem } from "../../src/config/load.ts";
import { exampleYaml, FIELDS, type Field, type Settings } from "../../src/config/schema.ts";

const DEFAULTS = settingsOf(new Map());

function field(path: string): Field {
  const found = fieldAt(path);
  if (found === null) throw new Error(path);
  return found;
}

function load(text: string, overrides: readonly string[] = []): Settings {
  const loaded = loadSettings({ file: { path: "c.yaml", text }, environment: {}, overrides });
  if (!loaded.ok) throw new Error(loaded.error.map(printProblem).join("\n"));
  return loaded.value.settings;
}

function preview(text: string, ...changes: readonly (readonly [path: string, typed: string])[]): Preview {
  const current = { text, settings: load(text), revision: 41 };
  const read = previewChange(
    current,
    changes.map(([path, typed]) => ({ path, text: typed })),
  );
  if (!read.ok) throw new Error(read.error.map(printProblem).join("\n"));
  return read.value;
}

function refusal(text: string, ...changes: readonly (readonly [path: string, typed: string])[]): readonly string[] {
  const current = { text, settings: load(text), revision: 41 };
  const read = previewChange(
    current,
    changes.map(([path, typed]) => ({ path, text: typed })),
  );
  return read.ok ? [] : read.error.map((problem) => problem.message);
}

describe("finding a key", () => {
  test.each([
    ["window", "strategy.window"],
    ["Window", "strategy.window"],
    ["strategy.window", "strategy.window"],
    ["STRATEGY.WINDOW", "strategy.window"],
    ["daily loss", "risk.dailyLossUsd"],
    ["daily_loss", "risk.dailyLossUsd"],
    ["dailyLossUsd", "risk.dailyLossUsd"],
    ["stop", "risk.stopUsd"],
    ["flat by", "session.flattenAt"],
    ["flattenAt", "session.flattenAt"],
    ["contract", "contract.expiry"],
    ["entryZ", "strategy.entryZ"],
  ])("%s is %s", (typed, path) => {
    expect(findField(typed)).toMatchObject({ field: { path } });
  });

  test.each([
    ["windw", ["window"]],
    ["enrty", ["entry"]],
    ["daly loss", ["daily loss"]],
    ["port", ["ibkr.port", "dashboard.port"]],
    ["diskWarnMB", ["storage.diskWarnMiB"]],
    ["xyzzy", []],
    ["", []],
    ["__proto__", []],
  ])("%j suggests %j", (typed, suggestions) => {
    expect(findField(typed)).toEqual({ suggestions });
  });

  test.each([
    ["window 90", "strategy.window", "90"],
    ["window=90", "strategy.window", "90"],
    ["daily loss $450", "risk.dailyLossUsd", "$450"],
    ["streak pause 30m", "risk.lossStreakPause", "30m"],
    ["streak 4", "risk.lossStreak", "4"],
    ["windows 08:35-14:45", "session.entryWindows", "08:35-14:45"],
    ["max hold 1h 30m", "risk.maxHold", "1h 30m"],
    ["window", "strategy.window", ""],
  ])("/set %s is %s and %j", (typed, path, text) => {
    expect(readAssignment(typed)).toMatchObject({ field: { path }, text });
  });

  test("/set with a near miss names what was typed and suggests", () => {
    expect(readAssignment("windw 90")).toEqual({ name: "windw", suggestions: ["window"] });
    expect(readAssignment("")).toEqual({ name: "", suggestions: [] });
  });
});

describe("a typed value", () => {
  test.each([
    ["strategy.window", "90", 90],
    ["strategy.window", "90 bars", 90],
    ["risk.stopUsd", "$450", 45_000],
    ["risk.stopUsd", "200 usd", 20_000],
    ["risk.maxHold", "30m", 1_800_000],
    ["risk.maxHold", "1h30m", 5_400_000],
    ["strategy.exitZ", "±0.5", 0.5],
    ["strategy.entryZ", "2.25", 2.25],
    ["strategy.sampling", "TRADE", 0],
    ["strategy.sampling", "1m", 60_000],
    ["strategy.price", "Mid", "mid"],
    ["risk.lossBudgetCheck", "on", true],
    ["risk.lossBudgetCheck", "no", false],
    ["risk.trailingDrawdownUsd", "off", null],
    ["risk.trailingDrawdownUsd", "$400", 40_000],
    ["risk.maxSpreadTicks", "3 t", 3],
    ["strategy.quantity", "1 contract", 1],
    [
      "session.entryWindows",
      "08:35\u201314:45, 15:00-15:30",
      [
        { fromMinute: 515, toMinute: 885 },
        { fromMinute: 900, toMinute: 930 },
      ],
    ],
    ["session.entryWindows", "none", []],
    ["session.flattenAt", "none", null],
    ["session.flattenAt", "15:30", 930],
    ["contract.expiry", "202703", "202703"],
    ["contract.expiry", "Auto", null],
    ["telegram.quietHours", "22:00-07:00", { fromMinute: 1_320, toMinute: 420 }],
  ])("%s: %s", (path, text, value) => {
    expect(parseChange(field(path), text)).toEqual({ ok: true, value });
  });

  test.each([
    ["strategy.window", "45.5", "45.5 is not a whole number of bars; 5–10,000 bars."],
    ["strategy.window", "4", "4 bars is outside 5–10,000 bars."],
    ["strategy.window", "lots", '"lots" is not a whole number of bars; 5–10,000 bars.'],
    ["risk.stopUsd", "2,000.5", '"2,000.5" has a comma, which can be read in two ways: write 2000.5; $5–$5,000.'],
    ["risk.stopUsd", "6000", "$6,000.00 is outside $5–$5,000."],
    ["risk.maxHold", "90", '"90" has no unit: write 90s, 90m or 90h; 1m–23h.'],
    ["risk.maxHold", "24h", "24h is outside 1m–23h."],
    ["strategy.sampling", "7s", '"7s" is not one of trade, 1s, 5s, 10s, 15s, 30s, 1m, 5m.'],
    ["contract.expiry", "Dec 26", '"Dec 26" is not a contract month YYYYMM such as 202703, or auto.'],
    ["strategy.window", "60 t", '"60 t" is not a whole number of bars; 5–10,000 bars.'],
    ["session.entryWindows", "8-9", '"8-9" is not a window such as "08:35-14:45".'],
    ["session.flattenAt", "25:00", '"25:00" is not a time of day from "00:00" to "23:59", or none.'],
    ["ibkr.port", "4001", "ibkr.port is changed in the file, at a restart."],
    ["ibkr.account", "U1234567", "ibkr.account is changed in the file, at a restart."],
  ])("%s: %s is refused with a sentence", (path, text, sentence) => {
    expect(parseChange(field(path), text)).toEqual({ ok: false, error: sentence });
  });
});

describe("a printed value", () => {
  test.each([
    ["strategy.window", [], "60 bars"],
    ["strategy.entryZ", [], "±2.0"],
    ["risk.stopUsd", [], "$200.00 (160 t)"],
    ["risk.targetUsd", [], "$300.00 (240 t)"],
    ["risk.stopUsd", ["contract.symbol=ES"], "$200.00 (16 t)"],
    ["risk.stopUsd", ["risk.stopUsd=200.30"], "$200.30 (160 t = $200.00)"],
    ["risk.targetUsd", ["risk.targetUsd=300.30"], "$300.30 (241 t = $301.25)"],
    ["risk.lossStreakPause", [], "30m"],
    ["risk.lossStreak", ["risk.lossStreak=1"], "1 loss"],
    ["risk.trailingDrawdownUsd", [], "off"],
    ["session.entryWindows", [], "whenever the market is open"],
    ["session.flattenAt", [], "15:55"],
    ["strategy.sampling", ["sampling=trade"], "every trade"],
    ["contract.expiry", [], "auto"],
    ["risk.excessLiquidityPct", [], "25%"],
    ["telegram.users", ["telegram.users=[{id: 5, name: anna, role: owner}]"], "anna (owner)"],
    ["notices.deadManUrl", ["notices.deadManUrl=https://example.org/s3cret"], "set"],
    ["notices.secondChannel", ['notices.secondChannel=["https://example.org/s3cret"]'], "1 set"],
    ["ibkr.tradeDeskPhone", [], "not set"],
  ])("%s with %j is %s", (path, overrides, printed) => {
    expect(printValue(field(path), load("", overrides))).toBe(printed);
  });
});

describe("a preview", () => {
  test("says old and new, direction, time of effect, and what a stop-out costs", () => {
    const seen = preview(exampleYaml(), ["risk.stopUsd", "$150"]);

    expect(seen).toMatchObject({ nextRevision: 42, raisesRisk: false });
    expect(seen.lines).toEqual([
      {
        path: "risk.stopUsd",
        shortName: "stop",
        old: "$200.00 (160 t)",
        new: "$150.00 (120 t)",
        raisesRisk: false,
        takesEffect: "nextPosition",
      },
    ]);
    expect(seen.effects).toEqual([
      "A stop-out costs \u2212$152.39 (stop, 1 t slippage, fees); three leave \u2212$457.17, the fourth trips the daily limit of $500.00.",
    ]);
  });

  test("counts the stop-outs that fit the day, at the edge too", () => {
    expect(preview("", ["risk.dailyLossUsd", "404.78"]).effects[0]).toContain(
      "the first leaves \u2212$202.39, the second trips",
    );
    expect(preview("", ["risk.dailyLossUsd", "404.79"]).effects[0]).toContain(
      "two leave \u2212$404.78, the third trips",
    );
    expect(preview("", ["risk.dailyLossUsd", "202.39"]).effects[0]).toContain(
      "one alone reaches the daily limit of $202.39",
    );
    expect(preview("", ["risk.dailyLossUsd", "$10000"]).effects[0]).toContain(
      "49 leave \u2212$9,917.11, the 50th trips",
    );
  });

  test("says how much time the window spans", () => {
    expect(preview("", ["strategy.window", "90"]).effects).toEqual(["z uses 90 bars of 5s (7m 30s)."]);
    expect(preview("", ["strategy.sampling", "trade"]).effects).toEqual(["z uses the last 60 trades."]);
    expect(preview("", ["strategy.window", "6"]).effects).toContain(
      "With 6 bars |z| is at most 2.04: entries at ±2 will be very rare.",
    );
  });

  test("a higher daily limit or streak waits for the next trade date, a lower one acts now", () => {
    const higher = preview("", ["risk.dailyLossUsd", "$600"], ["risk.lossStreak", "4"]);
    const lower = preview("", ["risk.dailyLossUsd", "$450"], ["risk.lossStreak", "2"]);

    expect(higher.lines.map((line) => [line.raisesRisk, line.takesEffect])).toEqual([
      [true, "nextTradeDate"],
      [true, "nextTradeDate"],
    ]);
    expect(higher.effects).toContain("daily loss $600.00 acts from the next trade date; until then $500.00 stays.");
    expect(lower.lines.map((line) => [line.raisesRisk, line.takesEffect])).toEqual([
      [false, "now"],
      [false, "now"],
    ]);
  });

  test.each([
    ["strategy.entryZ", "1.9", true],
    ["strategy.entryZ", "2.1", false],
    ["risk.stopUsd", "201", true],
    ["risk.lossStreakPause", "29m", true],
    ["risk.lossStreakPause", "31m", false],
    ["risk.maxHold", "3h", true],
    ["risk.staleEntry", "3s", true],
    ["risk.maxSpreadTicks", "1", false],
    ["risk.lossBudgetCheck", "on", false],
    ["risk.trailingDrawdownUsd", "400", false],
    ["session.entryWindows", "08:35-14:45", false],
    ["session.noEntryBeforeFlatten", "0s", true],
    ["strategy.window", "90", false],
  ])("%s set to %s raising risk is %s", (path, typed, raises) => {
    const seen = preview("", [path, typed]);

    expect(seen.raisesRisk).toBe(raises);
    if (raises) expect(seen.lines[0]?.takesEffect).not.toBe("now");
  });

  test("giving up a protection raises risk", () => {
    const text =
      'risk:\n  trailingDrawdownUsd: 400\n  lossBudgetCheck: true\nsession:\n  entryWindows: ["08:35-14:45"]\n';

    expect(preview(text, ["risk.trailingDrawdownUsd", "off"]).raisesRisk).toBe(true);
    expect(preview(text, ["risk.lossBudgetCheck", "off"]).raisesRisk).toBe(true);
    expect(preview(text, ["session.entryWindows", "none"]).raisesRisk).toBe(true);
    expect(preview(text, ["session.entryWindows", "08:35-14:46"]).raisesRisk).toBe(true);
    expect(preview(text, ["session.entryWindows", "09:00-10:00"]).raisesRisk).toBe(false);
  });

  test.each([
    [[["risk.stopUsd", "600"]], ["must not be more than risk.dailyLossUsd ($500.00)"]],
    [[["strategy.exitZ", "2"]], ["must be less than strategy.entryZ (2)"]],
    [[["strategy.window", "60"]], ["window is 60 bars already"]],
    [[["strategy.window", "3"]], ["3 bars is outside 5–10,000 bars."]],
    [
      [
        ["strategy.window", "70"],
        ["strategy.window", "80"],
      ],
      ["is changed twice at once"],
    ],
    [[["strategy.windw", "70"]], ["is not a key of this program"]],
    [[["__proto__", "70"]], ["is not a key of this program"]],
    [[["ibkr.live", "true"]], ["ibkr.live is changed in the file, at a restart."]],
    [[], ["nothing to change"]],
  ] as [[string, string][], string[]][])("%j is refused", (changes, messages) => {
    expect(refusal("", ...changes)).toEqual(messages);
  });

  test("two changes that only hold together are one change", () => {
    const seen = preview("", ["risk.dailyLossUsd", "1000"], ["risk.stopUsd", "600"]);

    expect(seen.next.risk).toMatchObject({ stopCents: 60_000, dailyLossCents: 100_000 });
  });

  test("a month that is past is refused by the injected date, and does not forbid other changes", () => {
    const text = "contract:\n  expiry: 202609\n";
    const current = { text, settings: load(text), revision: 1 };
    const nowMs = 1_795_460_531_960;

    expect(previewChange(current, [{ path: "contract.expiry", text: "202606" }], nowMs).ok).toBe(false);
    expect(previewChange(current, [{ path: "contract.expiry", text: "202612" }], nowMs).ok).toBe(true);
    expect(previewChange(current, [{ path: "strategy.window", text: "90" }], nowMs).ok).toBe(true);
  });

  test("a value that a flag set is said to win again at the next start", () => {
    const current = { text: "", settings: load("", ["strategy.window=70"]), revision: 1 };

    const read = previewChange(current, [{ path: "strategy.window", text: "90" }]);

    expect(read.ok && read.value.effects).toContain(
      "window was set by a flag or variable at the start, which wins again at the next start.",
    );
  });

  test("a change and its reverse give the first settings again", () => {
    const there = preview(exampleYaml(), ["strategy.window", "90"], ["risk.maxHold", "1h"]);

    const back = preview(there.nextText, ["strategy.window", "60"], ["risk.maxHold", "2h"]);

    expect(back.nextText).toBe(exampleYaml());
    expect(hashOf(back.next)).toBe(hashOf(DEFAULTS));
  });

  test("the differences of two settings are told in the file's order, files' keys at the next start", () => {
    const after = load("strategy:\n  window: 90\nibkr:\n  port: 7497\n");

    expect(describeChanges(DEFAULTS, after).map((line) => [line.path, line.old, line.new, line.takesEffect])).toEqual([
      ["ibkr.port", "4002", "7497", "restart"],
      ["strategy.window", "60 bars", "90 bars", "nextPosition"],
    ]);
    expect(describeChanges(after, after)).toEqual([]);
  });
});

describe("the rewritten file", () => {
  test.each([
    ["a value in its place", "strategy:\n  window: 60   # bars\n", "strategy:\n  window: 1234 # bars\n"],
    ["a comment's column kept", "strategy:\n  window: 60      # bars\n", "strategy:\n  window: 1234    # bars\n"],
    [
      "a key that was not there",
      "strategy:\n  # entries\n  entryZ: 2.5\n",
      "strategy:\n  window: 1234\n  # entries\n  entryZ: 2.5\n",
    ],
    ["an empty section", "strategy:\n", "strategy:\n  window: 1234\n"],
    [
      "a section with comments only",
      "strategy:\n  # window: 70\nrisk:\n  lossStreak: 2\n",
      "strategy:\n  window: 1234\n  # window: 70\nrisk:\n  lossStreak: 2\n",
    ],
    ["a file without the section", "risk:\n  lossStreak: 2\n", "risk:\n  lossStreak: 2\n\nstrategy:\n  window: 1234\n"],
    [
      "a file without a last line end",
      "risk:\n  lossStreak: 2",
      "risk:\n  lossStreak: 2\n\nstrategy:\n  window: 1234\n",
    ],
    ["an empty file", "", "strategy:\n  window: 1234\n"],
    ["a section on one line", "strategy: {entryZ: 2.5}\n", "strategy: {window: 1234, entryZ: 2.5}\n"],
    ["an empty section on one line", "strategy: {}\n", "strategy: {window: 1234}\n"],
    [
      "a value in a section on one line",
      "strategy: { window: 70, entryZ: 2.5 }\n",
      "strategy: { window: 1234, entryZ: 2.5 }\n",
    ],
    ["CRLF lines", "strategy:\r\n  entryZ: 2.5\r\n", "strategy:\r\n  window: 1234\r\n  entryZ: 2.5\r\n"],
    ["other indentation", "strategy:\n      entryZ: 2.5\n", "strategy:\n      window: 1234\n      entryZ: 2.5\n"],
  ])("has %s", (_name, text, nextText) => {
    expect(preview(text, ["strategy.window", "1234"]).nextText).toBe(nextText);
  });

  test.each([
    ["indented", 'session:\n  entryWindows: # mornings\n    - "08:35-11:00"\n  onStop: keep\n'],
    ["at the key's column", 'session:\n  entryWindows: # mornings\n  - "08:35-11:00"\n  onStop: keep\n'],
  ])("has a list below its key (%s) on the key's line, the comment kept", (_name, text) => {
    expect(preview(text, ["session.entryWindows", "09:00-10:00"]).nextText).toBe(
      'session:\n  entryWindows: ["09:00-10:00"] # mornings\n  onStop: keep\n',
    );
  });

  test("a file that is one flow map is written anew and says the same", () => {
    const seen = preview("{risk: {lossStreak: 2}}\n", ["strategy.window", "90"]);

    expect(hashOf(load(seen.nextText))).toBe(hashOf(seen.next));
  });

  test("any change, written and loaded again, gives the previewed settings, and every comment survives", () => {
    const chat = FIELDS.filter((entry) => entry.where === "chat");
    const typed: Readonly<Record<string, readonly string[]>> = {
      integer: ["7", "60", "3"],
      decimal: ["1.25", "0.75", "3"],
      money: ["123.45", "$450", "60"],
      duration: ["1m", "1h30m", "2s"],
      sampling: ["trade", "1m"],
      choice: ["mid", "light", "last"],
      boolean: ["on", "off"],
      minuteOfDay: ["14:00", "none"],
      dayWindow: ["22:00-06:00", "none"],
      dayWindows: ["08:35-14:45", "08:00-09:00, 10:00-11:00", "none"],
      month: ["203003", "auto"],
    };
    const texts = [
      exampleYaml(),
      "",
      "# mine\nstrategy: {window: 100} # one line\n\nrisk:\n  # stops\n  stopUsd: 150 # tight\n",
    ];
    const change = fc
      .constantFrom(...chat)
      .chain((entry) => fc.constantFrom(...(typed[entry.kind.type] ?? [])).map((text) => ({ path: entry.path, text })));
    let held = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.uniqueArray(change, { selector: ({ path }) => path, maxLength: 4 }),
        (text, changes) => {
          const settings = load(text);
          const read = previewChange({ text, settings, revision: 1 }, changes);
          if (!read.ok) return;
          held += 1;
          const { next, nextText } = read.value;
          expect(hashOf(load(nextText))).toBe(hashOf(next));
          for (const [comment] of text.matchAll(/#[^\n]*/g)) expect(nextText).toContain(comment);
          for (const entry of FIELDS.filter(({ path }) => !changes.some((made) => made.path === path)))
            expect(valueIn(next, entry)).toEqual(valueIn(settings, entry));
        },
      ),
      { numRuns: 200 },
    );
    expect(held).toBeGreaterThan(60);
  });
});

describe("pairing", () => {
  test("adds a person to the file and keeps the rest", () => {
    const text = "telegram:\n  users: [] # nobody yet\n";

    const read = withUser({ text, settings: load(text) }, { id: 123_456_789, name: "anna", role: "owner" });

    expect(read.ok && read.value.nextText).toBe(
      "telegram:\n  users: [{id: 123456789, name: anna, role: owner}] # nobody yet\n",
    );
    expect(read.ok && load(read.value.nextText).telegram.users).toEqual([
      { id: 123_456_789, name: "anna", role: "owner" },
    ]);
  });

  test("the same person again is changed, not doubled; a name that could break the file is refused", () => {
    const text =
      "telegram:\n  users:\n    - {id: 1, name: anna, role: viewer}\n    - {id: 2, name: ben, role: trader}\n";
    const current = { text, settings: load(text) };

    const read = withUser(current, { id: 1, name: "anna", role: "owner" });

    expect(read.ok && read.value.next.telegram.users).toEqual([
      { id: 2, name: "ben", role: "trader" },
      { id: 1, name: "anna", role: "owner" },
    ]);
    expect(withUser(current, { id: 3, name: "x, role: owner}", role: "viewer" }).ok).toBe(false);
  });
});
