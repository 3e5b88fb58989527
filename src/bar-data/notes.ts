// Collects what is odd in usable data, and finds gaps, missing days and prices that can hardly be true.
import { DateTime } from "luxon";
import { MINUTE_MS, printCount } from "../units.ts";
import { type DataNote, gapText, type Place } from "./problem.ts";

/** So many notes of one kind are kept; more are only counted. */
export const NOTES_MAX = 1_000;
/** Shorter stretches without a trade are a quiet market. */
const GAP_BARS_MIN = 5;
const GAP_MS_MIN = 5 * MINUTE_MS;
/** A bar's price that stands out from both neighbours by more than this share is called bad. */
const SPIKE_SHARE = 0.01;
const SATURDAY = 6;
const MISSING_DAYS_MAX = 400;

/** Is what was found, by kind: how often, and the first of them. */
export type Notes = ReadonlyMap<DataNote["type"], { readonly count: number; readonly first: readonly DataNote[] }>;

/** Collects notes. */
export class NoteBook {
  private readonly kinds = new Map<DataNote["type"], { count: number; first: DataNote[] }>();

  /** Adds a note; beyond the limit of its kind it is only counted. */
  add(type: DataNote["type"], place: Place, text: string): void {
    const kind = this.kinds.get(type) ?? { count: 0, first: [] };
    this.kinds.set(type, kind);
    kind.count++;
    if (kind.first.length < NOTES_MAX) kind.first.push({ type, place, text });
  }

  /** Returns all that was noted. */
  notes(): Notes {
    return this.kinds;
  }
}

/** Is how sessions are told apart: the zone, and the minute of the day at which one opens (null: at midnight). */
export type SessionHours = { readonly timeZone: string; readonly openMinute: number | null };

/** Notes a stretch without bars: a gap within a trading day, and weekdays of which there is nothing. */
export function noteGap(
  book: NoteBook,
  place: Place,
  fromMs: number,
  toMs: number,
  barMs: number,
  hours: SessionHours,
): void {
  const stretchMs = toMs - fromMs;
  if (stretchMs < GAP_MS_MIN || stretchMs <= GAP_BARS_MIN * barMs) return;
  const from = tradeDay(fromMs, hours);
  const to = tradeDay(toMs, hours);
  if (from.hasSame(to, "day")) {
    book.add(
      "gap",
      place,
      `nothing for ${gapText(fromMs, toMs)} before it, within the trading day ${from.toISODate()}`,
    );
    return;
  }
  let day = from.plus({ days: 1 });
  for (let days = 0; day < to && days < MISSING_DAYS_MAX; days++, day = day.plus({ days: 1 })) {
    if (day.weekday >= SATURDAY) continue;
    book.add("missing_day", place, `nothing of ${day.toFormat("ccc d LLL yyyy", { locale: "en-US" })}, a weekday`);
  }
}

/** Returns what stands out at `at`, the middle of three bars, from the closes around it; null where nothing does. */
export function spike(before: number, high: number, low: number, after: number): string | null {
  const top = Math.max(before, after);
  const bottom = Math.min(before, after);
  if (high > top * (1 + SPIKE_SHARE))
    return `its high stands ${printCount(high - top)} ticks above the closes around it`;
  if (low < bottom * (1 - SPIKE_SHARE))
    return `its low stands ${printCount(bottom - low)} ticks below the closes around it`;
  return null;
}

function tradeDay(atMs: number, { timeZone, openMinute }: SessionHours): DateTime {
  const local = DateTime.fromMillis(atMs, { zone: timeZone });
  const minute = local.hour * 60 + local.minute;
  const day = local.startOf("day");
  return openMinute !== null && minute >= openMinute ? day.plus({ days: 1 }) : day;
}
