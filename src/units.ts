// The one place that parses and prints money, ticks, prices, durations and times. Inside the program money is whole
// cents, prices and moves are whole ticks, durations and moments are whole milliseconds; text exists only at the border.
import { DateTime } from "luxon";
import { err, ok, type Result } from "./result.ts";

/** Is a second in milliseconds. */
export const SECOND_MS = 1_000;
/** Is a minute in milliseconds. */
export const MINUTE_MS = 60_000;
/** Is an hour in milliseconds. */
export const HOUR_MS = 3_600_000;
/** Is a day of 24 hours in milliseconds. */
export const DAY_MS = 86_400_000;

/** Is the minus of everything printed for people; files for programs (CSV, YAML) use the ASCII one. */
export const MINUS = "\u2212";

/** Longer input is refused before it is looked at: a value of ours never needs more. */
const TEXT_CHARACTERS_MAX = 64;

/** Says why a text is not the amount that was asked for; `explainUnit` makes a sentence of it. */
export type UnitProblem =
  | { readonly type: "not_understood"; readonly text: string; readonly wanted: string }
  | { readonly type: "comma"; readonly text: string; readonly wanted: string }
  | { readonly type: "unit_missing"; readonly text: string; readonly wanted: string }
  | { readonly type: "too_fine"; readonly text: string; readonly wanted: string }
  | { readonly type: "too_large"; readonly text: string; readonly wanted: string };

/** Returns the sentence for a person: what was typed, what is wrong with it, what would be right. */
export function explainUnit(problem: UnitProblem): string {
  const typed = `"${problem.text}"`;
  switch (problem.type) {
    case "not_understood":
      return `${typed} is not ${problem.wanted}`;
    case "comma":
      return `${typed} has a comma, which can be read in two ways: write ${problem.wanted}`;
    case "unit_missing":
      return `${typed} has no unit: write ${problem.wanted}`;
    case "too_fine":
      return `${typed} is too fine: ${problem.wanted}`;
    case "too_large":
      return `${typed} is too large to be exact: ${problem.wanted}`;
    default:
      return problem satisfies never;
  }
}

/**
 * Returns the whole number of units of 10^-decimals in a plain decimal, exactly: ("2.05", 4) → 20500. A sign may be
 * ASCII or U+2212. Commas are accepted only as this module prints them: groups of three and all `decimals` shown
 * ("2,000.50" with 2), because "2,000" and "2,000.5" mean other numbers in other countries. Exponents are refused.
 */
export function parseDecimal(text: string, decimals: number, wanted = "a number"): Result<number, UnitProblem> {
  const shown = clip(text);
  const trimmed = text.trim();
  if (trimmed.length === 0 || trimmed.length > TEXT_CHARACTERS_MAX)
    return err({ type: "not_understood", text: shown, wanted });
  const match = /^([+\-\u2212]?)([\d,]+)(?:\.(\d+))?$/.exec(trimmed);
  if (match === null) {
    return err(
      trimmed.includes(",")
        ? { type: "comma", text: shown, wanted: "the number without one, with a point for decimals" }
        : { type: "not_understood", text: shown, wanted },
    );
  }
  const [, sign = "", whole = "", fraction = ""] = match;
  if (whole.includes(",") && !(/^\d{1,3}(,\d{3})+$/.test(whole) && fraction.length === decimals)) {
    const plain = `${sign}${whole.replaceAll(",", "")}${fraction === "" ? "" : `.${fraction}`}`;
    return err({ type: "comma", text: shown, wanted: plain });
  }
  const kept = fraction.replace(/0+$/, "");
  if (kept.length > decimals) {
    const limit = decimals === 0 ? "whole numbers only" : `at most ${decimals} decimals`;
    return err({ type: "too_fine", text: shown, wanted: limit });
  }
  const units = Number(`${whole.replaceAll(",", "")}${kept.padEnd(decimals, "0")}`);
  if (!Number.isSafeInteger(units)) return err({ type: "too_large", text: shown, wanted });
  return ok(sign === "-" || sign === MINUS ? 0 - units : units);
}

/** Returns units of 10^-decimals as plain ASCII with every decimal shown: (-20000, 2) → "-200.00". For CSV and YAML. */
export function decimalText(units: number, decimals: number): string {
  const digits = String(Math.abs(assertWhole(units, "units"))).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const sign = units < 0 ? "-" : "";
  return decimals === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-decimals)}`;
}

/** Returns a dimensionless number for people with `decimals` places and U+2212: (-1.32, 2) → "−1.32". NaN is a bug. */
export function printNumber(value: number, decimals: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be printed: say "n/a" and why`);
  const text = Math.abs(value).toFixed(decimals);
  return `${value < 0 && Number(text) !== 0 ? MINUS : ""}${group(text)}`;
}

/** Returns a count for people, grouped in threes: 10000 → "10,000". */
export function printCount(value: number): string {
  return printNumber(assertWhole(value, "count"), 0);
}

/** Returns the cents of "200", "$200", "200 usd", "−$1.50", "450.00"; two decimals at most, no ambiguous comma. */
export function parseCents(text: string): Result<number, UnitProblem> {
  const wanted = "an amount of dollars such as 450 or $450.00";
  const match = /^\s*([+\-\u2212]?)\s*\$?\s*([+\-\u2212]?[^\s$]+?)\s*(?:usd|\$|dollars?)?\s*$/i.exec(clip(text));
  const [, sign = "", amount = ""] = match ?? [];
  if (match === null || (sign !== "" && /^[+\-\u2212]/.test(amount)))
    return err({ type: "not_understood", text: clip(text), wanted });
  const cents = parseDecimal(`${sign}${amount}`, 2, wanted);
  if (cents.ok) return cents;
  return err({
    ...cents.error,
    text: clip(text),
    ...(cents.error.type === "too_fine" ? { wanted: "a cent is the least" } : {}),
  });
}

/** Returns an amount without a plus: 20000 → "$200.00", -20000 → "−$200.00". */
export function printCents(cents: number): string {
  return `${cents < 0 ? MINUS : ""}$${group(decimalText(Math.abs(cents), 2))}`;
}

/** Returns a gain or loss with its sign: 2261 → "+$22.61", -20000 → "−$200.00", 0 → "$0.00". */
export function printCentsSigned(cents: number): string {
  return `${cents > 0 ? "+" : ""}${printCents(cents)}`;
}

/** Returns the whole cents nearest to an amount of dollars from outside (a broker's double); throws a RangeError if it is no finite amount. */
export function centsFromUsd(usd: number): number {
  const cents = Math.round(usd * 100);
  if (!Number.isSafeInteger(cents)) throw new RangeError(`${usd} dollars is not an amount`);
  return cents === 0 ? 0 : cents;
}

/** Is the smallest price step, exactly: `units` of 10^-`decimals` points ("0.25" is 25 of 10^-2). */
export type TickSize = { readonly units: number; readonly decimals: number };

/** Returns the tick size written as "0.25"; above 0, at most 6 decimals. */
export function parseTickSize(text: string): Result<TickSize, UnitProblem> {
  const wanted = "a tick size above 0 such as 0.25";
  const decimals = /\.(\d+)$/.exec(text.trim())?.[1]?.length ?? 0;
  if (decimals > 6) return err({ type: "too_fine", text: clip(text), wanted: "at most 6 decimals" });
  const units = parseDecimal(text, decimals, wanted);
  if (!units.ok) return units;
  return units.value > 0
    ? ok({ units: units.value, decimals })
    : err({ type: "not_understood", text: clip(text), wanted });
}

/** Returns a tick size known to be right, for tables and tests; throws a RangeError if it is not one. */
export function tickSize(text: string): TickSize {
  const size = parseTickSize(text);
  if (!size.ok) throw new RangeError(explainUnit(size.error));
  return size.value;
}

/** Returns a price in points with the tick's decimals: (20049, 0.25) → "5,012.25". */
export function printPrice(priceTicks: number, size: TickSize): string {
  const text = group(decimalText(Math.abs(assertWhole(priceTicks, "priceTicks")) * size.units, size.decimals));
  return `${priceTicks < 0 ? MINUS : ""}${text}`;
}

/** Returns the ticks of "5,012.25" or "5012.25"; a price between two ticks is refused, never rounded. */
export function parsePrice(text: string, size: TickSize): Result<number, UnitProblem> {
  const step = decimalText(size.units, size.decimals);
  const units = parseDecimal(text, size.decimals, `a price in steps of ${step}`);
  if (!units.ok) {
    return units.error.type === "too_fine" ? err({ ...units.error, wanted: `prices move in steps of ${step}` }) : units;
  }
  const priceTicks = units.value / size.units;
  if (Number.isInteger(priceTicks)) return ok(priceTicks === 0 ? 0 : priceTicks);
  return err({ type: "too_fine", text: clip(text), wanted: `prices move in steps of ${step}` });
}

/** Returns a price in points as a double for the wire, the nearest to the exact decimal. */
export function priceFromTicks(priceTicks: number, size: TickSize): number {
  return (assertWhole(priceTicks, "priceTicks") * size.units) / 10 ** size.decimals;
}

/**
 * Returns the whole ticks of a double from the wire, or null where it is not a price on the grid (NaN, infinite, further
 * than a thousandth of a tick from one): 0.1 is not exact in a double, so equality cannot be asked for.
 */
export function ticksFromPrice(price: number, size: TickSize): number | null {
  const exact = (price * 10 ** size.decimals) / size.units;
  const priceTicks = Math.round(exact);
  if (!Number.isSafeInteger(priceTicks) || Math.abs(exact - priceTicks) > 1e-3) return null;
  return priceTicks === 0 ? 0 : priceTicks;
}

/** Returns signed points with the tick's decimals: (19, 0.25) → "+4.75". */
export function printPoints(moveTicks: number, size: TickSize): string {
  return `${moveTicks > 0 ? "+" : ""}${printPrice(moveTicks, size)}`;
}

/** Returns a move as points, ticks and dollars: "+4.75 pt (19 t, +$23.75)"; the dollars are for `quantity` contracts. */
export function printMove(moveTicks: number, size: TickSize, tickValueCents: number, quantity: number): string {
  const dollars = printCentsSigned(moveTicks * tickValueCents * quantity);
  return `${printPoints(moveTicks, size)} pt (${printCount(Math.abs(moveTicks))} t, ${dollars})`;
}

/** Returns the stop distance in ticks: money rounded down, so a stop never costs more than was set (semantics S5). */
export function stopTicksFromCents(stopCents: number, tickValueCents: number): number {
  return Math.floor(stopCents / tickValueCents);
}

/** Returns the target distance in ticks: money rounded up, at least 1 (semantics S5). */
export function targetTicksFromCents(targetCents: number, tickValueCents: number): number {
  return Math.max(1, Math.ceil(targetCents / tickValueCents));
}

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["m", MINUTE_MS],
  ["s", SECOND_MS],
  ["ms", 1],
];

/** Returns the milliseconds of "30m", "2h", "1h30m", "1h 12m", "500ms", "400d"; parts from large to small, each once. */
export function parseDuration(text: string): Result<number, UnitProblem> {
  const wanted = "a duration such as 500ms, 5s, 30m, 2h or 1h30m";
  const shown = clip(text);
  const plain = text.trim().toLowerCase();
  if (/^\d+$/.test(plain))
    return err({ type: "unit_missing", text: shown, wanted: `${plain}s, ${plain}m or ${plain}h` });
  const match = /^(?:(\d{1,9})d)?\s*(?:(\d{1,9})h)?\s*(?:(\d{1,9})m(?!s))?\s*(?:(\d{1,9})s)?\s*(?:(\d{1,12})ms)?$/.exec(
    plain.length > TEXT_CHARACTERS_MAX ? "" : plain,
  );
  if (match === null || match.slice(1).every((part) => part === undefined))
    return err({ type: "not_understood", text: shown, wanted });
  let totalMs = 0;
  DURATION_UNITS.forEach(([, unitMs], index) => {
    totalMs += Number(match[index + 1] ?? 0) * unitMs;
  });
  return Number.isSafeInteger(totalMs) ? ok(totalMs) : err({ type: "too_large", text: shown, wanted });
}

/** Returns a duration exactly and as short as that allows: "1h 12m", "30m", "500ms", "24h", "400d", "0s". Negative is a bug. */
export function printDuration(durationMs: number): string {
  return durationParts(durationMs).join(" ") || "0s";
}

/** Returns a duration without spaces as a configuration file has it: "1h30m". */
export function durationText(durationMs: number): string {
  return durationParts(durationMs).join("") || "0s";
}

/** Returns a duration for a glance, cut to its two largest units: "3d 4h", "9m 40s", "0.4s" below a second. */
export function printDurationShort(durationMs: number): string {
  const whole = Math.max(0, Math.floor(durationMs));
  if (whole === 0) return "0s";
  if (whole < SECOND_MS) return whole < 100 ? `${whole}ms` : `${(Math.floor(whole / 100) / 10).toFixed(1)}s`;
  const seconds = whole - (whole % SECOND_MS);
  const parts = DURATION_UNITS.map(([unit, unitMs], index) => {
    const above = DURATION_UNITS[index - 1]?.[1];
    return { unit, count: Math.floor((above === undefined ? seconds : seconds % above) / unitMs) };
  });
  const first = parts.findIndex((part) => part.count > 0);
  return parts
    .slice(first, first + 2)
    .filter((part) => part.count > 0)
    .map((part) => `${part.count}${part.unit}`)
    .join(" ");
}

function durationParts(durationMs: number): string[] {
  let leftMs = assertWhole(durationMs, "durationMs");
  if (leftMs < 0) throw new RangeError(`${durationMs} ms is not a duration`);
  const parts: string[] = [];
  for (const [unit, unitMs] of DURATION_UNITS) {
    // Up to two days hours read better: "24h", "36h"; from then on days do.
    if (unitMs === DAY_MS && leftMs < 2 * DAY_MS) continue;
    const count = Math.floor(leftMs / unitMs);
    if (count > 0) parts.push(`${count}${unit}`);
    leftMs -= count * unitMs;
  }
  return parts;
}

/** Is a day in minutes; times of day are minutes since local midnight, 0 to 1439. */
export const DAY_MINUTES = 1_440;

/** Returns the minute of the day of "15:55" or "8:05". */
export function parseMinuteOfDay(text: string): Result<number, UnitProblem> {
  const match = /^\s*(\d{1,2}):(\d{2})\s*$/.exec(clip(text));
  const hour = Number(match?.[1]);
  const minute = Number(match?.[2]);
  if (match === null || hour > 23 || minute > 59)
    return err({ type: "not_understood", text: clip(text), wanted: 'a time of day from "00:00" to "23:59"' });
  return ok(hour * 60 + minute);
}

/** Returns a minute of the day as "HH:MM"; minutes before 0 or past midnight wrap. */
export function printMinuteOfDay(minuteOfDay: number): string {
  const minute = ((assertWhole(minuteOfDay, "minuteOfDay") % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** Is how finely a moment is printed. */
export type TimePrecision = "minute" | "second" | "tenth";

/** What traders call these zones, in winter and summer alike. */
const ZONE_NAMES: Readonly<Record<string, string>> = {
  "America/Chicago": "CT",
  "US/Central": "CT",
  "America/New_York": "ET",
  "US/Eastern": "ET",
  "America/Los_Angeles": "PT",
  UTC: "UTC",
  "Etc/UTC": "UTC",
};

/** Returns the short name that stands after a time: "CT" for America/Chicago, else the zone's abbreviation then. */
export function zoneName(zone: string, atMs: number): string {
  return ZONE_NAMES[zone] ?? inZone(atMs, zone).toFormat("ZZZZ", { locale: "en-US" });
}

/** Returns a moment in the exchange's zone: "13:02:11 CT", with the date in front when it is not the day of `nowMs` there. */
export function printTime(atMs: number, zone: string, nowMs: number, precision: TimePrecision = "second"): string {
  const at = inZone(atMs, zone);
  const now = inZone(nowMs, zone);
  // Cut, not rounded: 13:02:11.96 has not been 13:02:12 yet.
  const tenth = precision === "tenth" ? `.${Math.floor(at.millisecond / 100)}` : "";
  const format = precision === "minute" ? "HH:mm" : "HH:mm:ss";
  const time = `${at.toFormat(format)}${tenth} ${zoneName(zone, atMs)}`;
  if (at.hasSame(now, "day")) return time;
  return `${at.toFormat(at.hasSame(now, "year") ? "d LLL" : "d LLL yyyy", { locale: "en-US" })} ${time}`;
}

/** Returns a local date as "2026-11-23". */
export function printDate(atMs: number, zone: string): string {
  return inZone(atMs, zone).toFormat("yyyy-MM-dd");
}

/** Returns whether `zone` is a name of the time zone database that this machine knows. */
export function isTimeZone(zone: string): boolean {
  return /^[A-Za-z][\w+\-/]*$/.test(zone) && DateTime.utc().setZone(zone).isValid;
}

/** Returns the moment of an ISO time that says its own offset ("2018-05-07T08:30:00-05:00", "…Z"); without one it is refused. */
export function parseInstant(text: string): Result<number, UnitProblem> {
  const wanted = "a moment with its offset, such as 2018-05-07T08:30:00-05:00 or 2018-05-07T13:30:00Z";
  const plain = text.trim();
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(plain))
    return err({ type: "not_understood", text: clip(text), wanted });
  const at = DateTime.fromISO(plain, { setZone: true });
  return at.isValid ? ok(at.toMillis()) : err({ type: "not_understood", text: clip(text), wanted });
}

/** Returns a moment as ISO 8601 in UTC, which `parseInstant` reads back. */
export function instantText(atMs: number): string {
  return inZone(atMs, "UTC").toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
}

function inZone(atMs: number, zone: string): DateTime<true> {
  const at = DateTime.fromMillis(atMs, { zone });
  if (!at.isValid) throw new RangeError(`${zone} is not a time zone, or ${atMs} not a moment`);
  return at;
}

function group(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

function clip(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= TEXT_CHARACTERS_MAX ? trimmed : `${trimmed.slice(0, TEXT_CHARACTERS_MAX)}…`;
}

function assertWhole(value: number, name: string): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} ${value} is not a whole number`);
  return value;
}
