// The kinds of value that a key can have: how each is read from YAML and from typed text, written back, and printed.
// Ranges that depend on another key are in rules.ts.
import { err, ok, type Result } from "../result.ts";
import {
  decimalText,
  durationText,
  explainUnit,
  instantText,
  isTimeZone,
  parseCents,
  parseDecimal,
  parseDuration,
  parseInstant,
  parseMinuteOfDay,
  printCents,
  printCount,
  printDuration,
  printMinuteOfDay,
  type UnitProblem,
} from "../units.ts";
import type { ConfigValue, DayWindow, WeekWindow } from "./settings.ts";
import { readShape, type Shape, shapeText, shapeYaml } from "./shapes.ts";
import { parseDayWindows, parseWeekWindows, printDayWindow, printWeekWindow } from "./windows.ts";

/** Is what a whole number counts, for printing. */
export type CountUnit = { readonly one: string; readonly many: string };

/** Is the kind of a key's value with its limits, both ends included. Plain data: a page can build a form of it. */
export type Kind =
  | { readonly type: "integer"; readonly unit: CountUnit | null; readonly min: number; readonly max: number }
  | {
      readonly type: "decimal";
      readonly unit: string;
      readonly decimals: number;
      readonly min: number;
      readonly max: number;
    }
  | { readonly type: "money"; readonly minCents: number; readonly maxCents: number }
  | { readonly type: "duration"; readonly minMs: number; readonly maxMs: number }
  | { readonly type: "sampling"; readonly choices: readonly string[] }
  | { readonly type: "choice"; readonly choices: readonly string[] }
  | { readonly type: "boolean" }
  | { readonly type: "minuteOfDay" }
  | { readonly type: "dayWindow" }
  | { readonly type: "dayWindows" }
  | { readonly type: "weekWindows" }
  | { readonly type: "month" }
  | { readonly type: "instant" }
  | { readonly type: "timeZone" }
  | { readonly type: "text"; readonly what: string; readonly pattern: string }
  | { readonly type: "shape"; readonly shape: Shape };

/** Is what stood in the file: the parsed value, and for a scalar how it was written. */
export type YamlValue = { readonly value: unknown; readonly source: string | null; readonly isPlain: boolean };

/** Says what is wrong with a text; `wrong` is a clause such as `"3" is outside 5–10,000`. */
export type KindProblem = { readonly type: "form" | "range"; readonly wrong: string };

/** A list has at most this many windows. */
export const WINDOWS_MAX = 10;

/** Returns the value of a YAML node; numbers, truth values and texts must be written as such ("60" is no number). */
export function readYaml(kind: Kind, nothing: string | null, yaml: YamlValue): Result<ConfigValue, KindProblem> {
  const form = (): Result<never, KindProblem> =>
    err({ type: "form", wrong: `${yaml.source ?? "this"} is not ${wanted(kind)}` });
  if (isNothing(nothing, yaml)) return ok(null);
  switch (kind.type) {
    case "integer":
    case "decimal":
    case "money":
      // Plain decimals only: YAML would also take 0x10, 1e3, .inf and 0123 (which it reads as 123).
      return typeof yaml.value === "number" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(yaml.source ?? "")
        ? readScalarText(kind, yaml.source ?? "")
        : form();
    case "month":
      return typeof yaml.value === "number" || typeof yaml.value === "string"
        ? readScalarText(kind, yaml.source ?? "")
        : form();
    case "boolean":
      return typeof yaml.value === "boolean" ? ok(yaml.value) : form();
    case "choice":
    case "sampling":
      return kind.choices.includes(String(yaml.value)) ? readScalarText(kind, String(yaml.value)) : form();
    case "duration":
      // A bare number has a problem of its own: which unit?
      return typeof yaml.value === "string" || typeof yaml.value === "number"
        ? readScalarText(kind, yaml.source ?? "")
        : form();
    case "minuteOfDay":
    case "dayWindow":
    case "instant":
    case "timeZone":
    case "text":
      return typeof yaml.value === "string" ? readScalarText(kind, yaml.value) : form();
    case "dayWindows":
    case "weekWindows":
      return Array.isArray(yaml.value) && yaml.value.every((item) => typeof item === "string")
        ? readWindows(kind, yaml.value)
        : form();
    case "shape": {
      const read = readShape(kind.shape, yaml.value);
      return read.ok ? read : err({ type: "form", wrong: read.error });
    }
    default:
      return kind satisfies never;
  }
}

/** Returns the value of what a person typed, with the units people write: "90 bars", "$450", "±0.5", "on", "08:35–14:45". */
export function readText(kind: Kind, nothing: string | null, typed: string): Result<ConfigValue, KindProblem> {
  const text = typed.trim();
  const word = text.toLowerCase();
  if (nothing !== null && (word === nothing.toLowerCase() || NOTHING_WORDS[nothing]?.includes(word) === true))
    return ok(null);
  switch (kind.type) {
    case "integer":
    case "decimal": {
      const suffix = unitNames(kind).find((name) => new RegExp(`\\d\\s*${name}$`, "i").test(text));
      const bare = suffix === undefined ? text : text.slice(0, -suffix.length).trim();
      return readScalarText(kind, kind.type === "decimal" ? bare.replace(/^±\s*/, "") : bare);
    }
    case "choice":
    case "sampling": {
      if (kind.type === "sampling" && word === EVERY_TRADE) return ok(0);
      const choice = kind.choices.find((name) => name.toLowerCase() === word);
      return readScalarText(kind, choice ?? text);
    }
    case "boolean":
      if (/^(true|on|yes)$/.test(word)) return ok(true);
      if (/^(false|off|no)$/.test(word)) return ok(false);
      return err({ type: "form", wrong: `"${text}" is not on or off` });
    case "dayWindows":
    case "weekWindows": {
      if (/^(\[\]|none|always|any time)$/.test(word) || word === ALWAYS) return ok([]);
      const items = text.replace(/^\[|\]$/g, "").split(/[,;]/);
      return readWindows(
        kind,
        items.map((item) => item.trim().replace(/^["']|["']$/g, "")),
      );
    }
    case "shape":
      return err({ type: "form", wrong: `"${text}" cannot be typed; it is changed in the file` });
    case "money":
    case "duration":
    case "minuteOfDay":
    case "dayWindow":
    case "month":
    case "instant":
    case "timeZone":
    case "text":
      return readScalarText(kind, text);
    default:
      return kind satisfies never;
  }
}

/** Returns the value as the file has it: dollars, durations with their unit, "HH:MM", the word for nothing. */
export function toYaml(kind: Kind, nothing: string | null, value: ConfigValue): unknown {
  if (value === null) return nothing === "null" ? null : (nothing ?? null);
  switch (kind.type) {
    case "money":
      return Number(value) / 100;
    case "duration":
      return durationText(Number(value));
    case "sampling":
      return value === 0 ? "trade" : durationText(Number(value));
    case "minuteOfDay":
      return printMinuteOfDay(Number(value));
    case "dayWindow":
      return printDayWindow(value as DayWindow);
    case "dayWindows":
      return (value as readonly DayWindow[]).map(printDayWindow);
    case "weekWindows":
      return (value as readonly WeekWindow[]).map(printWeekWindow);
    case "instant":
      return instantText(Number(value));
    case "shape":
      return shapeYaml(kind.shape, value);
    case "integer":
    case "decimal":
    case "choice":
    case "boolean":
    case "month":
    case "timeZone":
    case "text":
      return value;
    default:
      return kind satisfies never;
  }
}

/** Returns the value for a person: "60 bars", "$200.00", "30m", "±2.0", "08:35–14:45", "off". */
export function printKind(kind: Kind, nothing: string | null, value: ConfigValue): string {
  if (value === null) return nothing === null || nothing === "null" ? "off" : nothing === "" ? "not set" : nothing;
  switch (kind.type) {
    case "integer":
      return countText(Number(value), kind.unit);
    case "decimal":
      return `${kind.unit === "sd" ? "±" : ""}${shortDecimal(Number(value))}${kind.unit === "×" ? "×" : ""}`;
    case "money":
      return printCents(Number(value));
    case "duration":
      return printDuration(Number(value));
    case "sampling":
      return value === 0 ? EVERY_TRADE : printDuration(Number(value));
    case "minuteOfDay":
      return printMinuteOfDay(Number(value));
    case "dayWindow":
      return printDayWindow(value as DayWindow);
    case "dayWindows":
      return (value as readonly DayWindow[]).map(printDayWindow).join(", ") || ALWAYS;
    case "weekWindows":
      return (value as readonly WeekWindow[]).map(printWeekWindow).join(", ") || "none";
    case "instant":
      return instantText(Number(value));
    case "boolean":
      return value === true ? "on" : "off";
    case "shape":
      return shapeText(kind.shape, value);
    case "choice":
    case "month":
    case "timeZone":
    case "text":
      return String(value);
    default:
      return kind satisfies never;
  }
}

/** Returns the range for people, "5–10,000 bars", "$5.00–$5,000.00", "1m–24h", "last or mid". */
export function rangeText(kind: Kind, nothing: string | null): string {
  const word = nothing === null || nothing === "" ? "" : ` or ${nothing}`;
  switch (kind.type) {
    case "integer":
      return `${kind.unit === null ? kind.min : printCount(kind.min)}–${countText(kind.max, kind.unit)}${word}`;
    case "decimal":
      return `${shortDecimal(kind.min)}–${shortDecimal(kind.max)}, at most ${kind.decimals} decimals${word}`;
    case "money":
      return `${wholeDollars(kind.minCents)}–${wholeDollars(kind.maxCents)}${word}`;
    case "duration":
      return `${printDuration(kind.minMs)}–${printDuration(kind.maxMs)}${word}`;
    case "sampling":
    case "choice":
      return `${oneOf(nothing === null ? kind.choices : [...kind.choices, nothing])}`;
    case "boolean":
      return "true or false";
    default:
      return `${wanted(kind)}${word}`;
  }
}

/** Returns what is allowed, to follow "must be": "a whole number from 5 to 10000". */
export function allowedText(kind: Kind, nothing: string | null): string {
  const word = nothing === null ? "" : nothing === "" ? ', or ""' : `, or ${nothing}`;
  switch (kind.type) {
    case "integer":
      return `a whole number from ${kind.min} to ${kind.max}${word}`;
    case "decimal":
      return `a number from ${kind.min} to ${kind.max} with at most ${kind.decimals} decimals${word}`;
    case "money":
      return `an amount of dollars from ${dollars(kind.minCents)} to ${dollars(kind.maxCents)}, without a sign${word}`;
    case "duration":
      return `a duration with its unit from ${durationText(kind.minMs)} to ${durationText(kind.maxMs)}${word}`;
    case "sampling":
    case "choice":
      return `one of ${(nothing === null ? kind.choices : [...kind.choices, nothing]).join(", ")}`;
    default:
      return `${wanted(kind)}${word}`;
  }
}

/** Is how windows without any limit, and sampling at each trade, are printed; both are read back. */
const ALWAYS = "whenever the market is open";
const EVERY_TRADE = "every trade";

const NOTHING_WORDS: Readonly<Record<string, readonly string[]>> = {
  null: ["none", "off"],
  none: ["off"],
  "": ["not set"],
};

function isNothing(nothing: string | null, yaml: YamlValue): boolean {
  if (nothing === null) return false;
  if (nothing === "null") return yaml.value === null && yaml.source !== "";
  return yaml.value === nothing;
}

function readScalarText(kind: Kind, text: string): Result<ConfigValue, KindProblem> {
  switch (kind.type) {
    case "integer": {
      const many = kind.unit?.many;
      const read = parseDecimal(text, 0, `a whole number${many === undefined ? "" : ` of ${many}`}`);
      if (!read.ok && read.error.type === "too_fine")
        return form(`${text} is not a whole number${many === undefined ? "" : ` of ${many}`}`);
      return within(read, kind.min, kind.max, (value) => countText(value, kind.unit), rangeText(kind, null));
    }
    case "decimal": {
      const scale = 10 ** kind.decimals;
      const read = parseDecimal(text, kind.decimals);
      const units = within(read, kind.min * scale, kind.max * scale, () => text, rangeText(kind, null));
      return units.ok ? ok(Number(units.value) / scale) : units;
    }
    case "money":
      return within(parseCents(text), kind.minCents, kind.maxCents, printCents, rangeText(kind, null));
    case "duration":
      return within(parseDuration(text), kind.minMs, kind.maxMs, printDuration, rangeText(kind, null));
    case "sampling": {
      if (!kind.choices.includes(text)) return form(`"${text}" is not ${wanted(kind)}`);
      return text === "trade" ? ok(0) : unit(parseDuration(text));
    }
    case "choice":
      return kind.choices.includes(text) ? ok(text) : form(`"${text}" is not ${wanted(kind)}`);
    case "minuteOfDay":
      return unit(parseMinuteOfDay(text));
    case "dayWindow": {
      const read = parseDayWindows([text]);
      if (!read.ok) return form(read.error);
      const [window] = read.value;
      return window === undefined ? form(`"${text}" is not ${wanted(kind)}`) : ok(window);
    }
    case "month":
      return /^20\d{2}(0[1-9]|1[0-2])$/.test(text) ? ok(text) : form(`"${text}" is not ${wanted(kind)}`);
    case "instant":
      return unit(parseInstant(text));
    case "timeZone":
      return isTimeZone(text) ? ok(text) : form(`"${text}" is not ${wanted(kind)}`);
    case "text":
      return new RegExp(kind.pattern, "u").test(text) ? ok(text) : form(`"${text}" is not ${wanted(kind)}`);
    default:
      return form(`"${text}" is not ${wanted(kind)}`);
  }
}

function readWindows(
  kind: Extract<Kind, { type: "dayWindows" | "weekWindows" }>,
  items: readonly string[],
): Result<ConfigValue, KindProblem> {
  if (items.length > WINDOWS_MAX)
    return err({ type: "range", wrong: `${items.length} windows are more than ${WINDOWS_MAX}` });
  const read = kind.type === "dayWindows" ? parseDayWindows(items) : parseWeekWindows(items);
  return read.ok ? ok(read.value) : form(read.error);
}

function within(
  read: Result<number, UnitProblem>,
  min: number,
  max: number,
  print: (value: number) => string,
  range: string,
): Result<ConfigValue, KindProblem> {
  if (!read.ok) return unit(read);
  if (read.value >= min && read.value <= max) return read;
  return err({ type: "range", wrong: `${print(read.value)} is outside ${range}` });
}

function unit(read: Result<number, UnitProblem>): Result<ConfigValue, KindProblem> {
  return read.ok ? read : form(explainUnit(read.error));
}

function form(wrong: string): Result<never, KindProblem> {
  return err({ type: "form", wrong });
}

function wanted(kind: Kind): string {
  switch (kind.type) {
    case "integer":
      return "a whole number";
    case "decimal":
      return "a number";
    case "money":
      return "an amount of dollars";
    case "duration":
      return "a duration such as 30m";
    case "sampling":
    case "choice":
      return `one of ${kind.choices.join(", ")}`;
    case "boolean":
      return "true or false";
    case "minuteOfDay":
      return 'a time of day such as "15:55"';
    case "dayWindow":
      return 'a window such as "22:00-07:00"';
    case "dayWindows":
      return 'windows such as ["08:35-14:45"]';
    case "weekWindows":
      return 'windows such as ["23:45-00:45", "Fri 23:00-Sat 03:00"]';
    case "month":
      return "a contract month YYYYMM such as 202703";
    case "instant":
      return 'a moment such as "2018-05-07T08:30:00-05:00"';
    case "timeZone":
      return "a time zone such as America/Chicago";
    case "text":
      return kind.what;
    case "shape":
      return kind.shape.what;
    default:
      return kind satisfies never;
  }
}

/** Returns what a person may write behind the number; messages shorten ticks to "t". */
function unitNames(kind: Extract<Kind, { type: "integer" | "decimal" }>): readonly string[] {
  if (kind.type === "decimal") return kind.unit === "sd" ? ["sd"] : [kind.unit, "x"];
  if (kind.unit === null) return [];
  return kind.unit.many === "ticks" ? ["ticks", "tick", "t"] : [kind.unit.many, kind.unit.one];
}

/** Counts are grouped in threes; ports, ids and seeds, which count nothing, are not. */
function countText(value: number, unitName: CountUnit | null): string {
  if (unitName === null) return String(value);
  return `${printCount(value)}${unitName.many === "%" ? "" : " "}${value === 1 ? unitName.one : unitName.many}`;
}

function shortDecimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function wholeDollars(cents: number): string {
  return printCents(cents).replace(/\.00$/, "");
}

function dollars(cents: number): string {
  return cents % 100 === 0 ? String(cents / 100) : decimalText(cents, 2);
}

function oneOf(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join("") : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
