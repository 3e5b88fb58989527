// Laws that hold for every key, made from the table itself.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChange, printValue } from "../../src/config/edit.ts";
import { FIELDS, type Field, fieldAt, settingsOf, valueIn } from "../../src/config/fields.ts";
import { readYaml } from "../../src/config/kinds.ts";
import { loadSettings } from "../../src/config/load.ts";
import type { ConfigValue } from "../../src/config/settings.ts";
import { valueYaml } from "../../src/config/yaml-text.ts";
import { decimalText, durationText } from "../../src/units.ts";

/** The values at each end of a range, a step outside and a step inside, as the file has them. */
function edges(field: Field): readonly (readonly [text: string, isAllowed: boolean])[] {
  const { kind } = field;
  const four = (min: number, max: number, step: number, print: (value: number) => string) =>
    [
      [min - step, false],
      [min, true],
      [min + step, true],
      [max - step, true],
      [max, true],
      [max + step, false],
    ].map(([value, isAllowed]) => [print(Number(value)), isAllowed === true] as const);
  switch (kind.type) {
    case "integer":
      return four(kind.min, kind.max, 1, String);
    case "decimal": {
      const scale = 10 ** kind.decimals;
      return four(kind.min * scale, kind.max * scale, 1, (units) => decimalText(Math.round(units), kind.decimals));
    }
    case "money":
      return four(kind.minCents, kind.maxCents, 1, (cents) => decimalText(cents, 2));
    case "duration":
      return four(kind.minMs, kind.maxMs, 1, (ms) => (ms < 0 ? "-1ms" : durationText(ms)));
    default:
      return [];
  }
}

/** Whether the loader refuses this text for this key's own sake (relations to other keys are not looked at). */
function isRefused(field: Field, text: string): boolean {
  const file = { path: "c.yaml", text: `${field.section}:\n  ${field.key}: ${text}\n` };
  const loaded = loadSettings({ file, environment: {}, overrides: [] });
  return (
    !loaded.ok &&
    loaded.error.some((problem) => problem.message.startsWith("must be a") && !/ticks? of /.test(problem.message))
  );
}

const EDGES = FIELDS.flatMap((field) =>
  edges(field).map(([text, isAllowed]) => ({ field, path: field.path, text, isAllowed })),
);

const CHAT = FIELDS.filter((field) => field.where === "chat");

describe("ranges", () => {
  test.each(EDGES)("$path: $text being allowed is $isAllowed", ({ field, text, isAllowed }) => {
    expect(isRefused(field, text)).toBe(!isAllowed);
  });

  test("every number, amount and duration has its edges in the table above", () => {
    const ranged = FIELDS.filter((field) => ["integer", "decimal", "money", "duration"].includes(field.kind.type));

    expect(EDGES).toHaveLength(ranged.length * 6);
    expect(ranged.length).toBeGreaterThan(40);
  });
});

describe("every key", () => {
  test.each(FIELDS.map((field) => ({ field, path: field.path })))(
    "$path: the default survives the file",
    ({ field }) => {
      const text = `${field.section}:\n  ${field.key}: ${valueYaml(field, field.default)}\n`;

      const loaded = loadSettings({ file: { path: "c.yaml", text }, environment: {}, overrides: [] });

      expect(loaded.ok && valueIn(loaded.value.settings, field)).toEqual(field.default);
    },
  );

  test.each(FIELDS.map((field) => ({ field, path: field.path })))(
    "$path: a value of another type is refused",
    ({ field }) => {
      for (const value of [{ nested: 1 }, [[1]], Number.NaN, undefined]) {
        const read = readYaml(field.kind, field.nothing, { value, source: null, isPlain: true });
        expect(read.ok, `${field.path} took ${String(value)}`).toBe(false);
      }
    },
  );

  test("paths and short names are unique, and every key has help and a range", () => {
    const names = FIELDS.flatMap((field) => (field.shortName === null ? [] : [field.shortName]));

    expect(new Set(FIELDS.map((field) => field.path)).size).toBe(FIELDS.length);
    expect(new Set(names).size).toBe(names.length);
    for (const field of FIELDS) expect([field.help, field.range].every((text) => text.length > 0)).toBe(true);
  });

  test("no path, address, account or command can be changed from the chat", () => {
    const inChat = FIELDS.filter((field) => field.where === "chat").map((field) => field.path);

    expect(inChat.filter((path) => /^(ibkr|storage|dashboard|logging|simulator|notices)\./.test(path))).toEqual([]);
    expect(inChat).not.toContain("telegram.users");
    expect(inChat).not.toContain("risk.maxPosition");
  });

  test.each(CHAT.map((field) => ({ field, path: field.path })))(
    "$path: what is printed can be typed back, whatever the value",
    ({ field }) => {
      fc.assert(
        fc.property(valuesOf(field), (value) => {
          const settings = settingsOf(new Map([[field.path, value]]));

          const printed = printValue(field, settings);

          expect(parseChange(field, printed), printed).toEqual({ ok: true, value });
        }),
        { examples: [[field.default]] },
      );
    },
  );

  test("no typed text makes a key's parser throw, and what it takes survives the file", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHAT), fc.oneof(fc.string({ maxLength: 40 }), likelyText()), (field, text) => {
        const read = parseChange(field, text);
        if (!read.ok) expect(read.error.length).toBeGreaterThan(0);
        else expect(reread(field, read.value)).toEqual(read.value);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("settings are frozen to the last leaf", () => {
  const settings = settingsOf(new Map());

  expect(Object.isFrozen(settings)).toBe(true);
  for (const field of FIELDS) {
    expect(Object.isFrozen(settings[field.section])).toBe(true);
    expect(Object.isFrozen(valueIn(settings, field))).toBe(true);
  }
});

test("a key of nobody is null", () => {
  expect([fieldAt("strategy.windw"), fieldAt("__proto__"), fieldAt("")]).toEqual([null, null, null]);
});

/** Any value that the field can hold. */
function valuesOf(field: Field): fc.Arbitrary<ConfigValue> {
  const values = valuesOfKind(field.kind);
  return field.nothing === null ? values : fc.oneof({ weight: 4, arbitrary: values }, fc.constant(null));
}

function valuesOfKind(kind: Field["kind"]): fc.Arbitrary<ConfigValue> {
  const minute = fc.integer({ min: 0, max: 1_439 });
  switch (kind.type) {
    case "integer":
      return fc.integer({ min: kind.min, max: kind.max });
    case "decimal": {
      const scale = 10 ** kind.decimals;
      return fc.integer({ min: kind.min * scale, max: kind.max * scale }).map((units) => units / scale);
    }
    case "money":
      return fc.integer({ min: kind.minCents, max: kind.maxCents });
    case "duration":
      return fc.integer({ min: kind.minMs, max: kind.maxMs });
    case "sampling":
      return fc.constantFrom(0, 1_000, 5_000, 10_000, 15_000, 30_000, 60_000, 300_000);
    case "choice":
      return fc.constantFrom(...kind.choices);
    case "boolean":
      return fc.boolean();
    case "minuteOfDay":
      return minute;
    case "dayWindow":
      return fc
        .uniqueArray(minute, { minLength: 2, maxLength: 2 })
        .map(([fromMinute = 0, toMinute = 0]) => ({ fromMinute, toMinute }));
    case "dayWindows":
      // Neighbours in order never overlap.
      return fc.uniqueArray(minute, { maxLength: 8 }).map((minutes) => {
        const sorted = minutes.toSorted((one, other) => one - other);
        return Array.from({ length: Math.floor(sorted.length / 2) }, (_, index) => ({
          fromMinute: sorted[2 * index] ?? 0,
          toMinute: sorted[2 * index + 1] ?? 0,
        }));
      });
    case "month":
      return fc
        .tuple(fc.integer({ min: 2_000, max: 2_099 }), fc.integer({ min: 1, max: 12 }))
        .map(([year, month]) => `${year}${String(month).padStart(2, "0")}`);
    case "weekWindows":
    case "instant":
    case "timeZone":
    case "text":
    case "shape":
      throw new RangeError(`no key of the chat is a ${kind.type}: write its values here`);
    default:
      return kind satisfies never;
  }
}

function likelyText(): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom("", "$", "±", "-", "+"),
      fc.oneof(
        fc.nat(20_000).map(String),
        fc.double({ min: 0, max: 5_000, noNaN: true }).map((value) => value.toFixed(2)),
      ),
      fc.constantFrom("", "m", "s", "h", " bars", " usd", "h30m", ":30", ":30-18:10"),
    )
    .map((parts) => parts.join(""));
}

function reread(field: Field, value: ConfigValue): ConfigValue {
  const text = `${field.section}:\n  ${field.key}: ${valueYaml(field, value)}\n`;
  const overrides = [
    "risk.maxPosition=10",
    "strategy.window=500",
    "strategy.entryZ=6",
    "risk.dailyLossUsd=10000",
    "risk.staleAlarm=60s",
  ];
  const others = overrides.filter((override) => !override.startsWith(field.path));
  const loaded = loadSettings({ file: { path: "c.yaml", text }, environment: {}, overrides: others });
  // A relation to the defaults may forbid it; then the value itself must still have been read.
  if (!loaded.ok) return loaded.error.some((problem) => problem.message.startsWith("must be a")) ? null : value;
  return valueIn(loaded.value.settings, field);
}
