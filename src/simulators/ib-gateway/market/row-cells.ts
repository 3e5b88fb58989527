// What the readers of all recording forms share: cells as prices, counts and times, each refused with what it should be.
import { DateTime } from "luxon";
import type { Tape } from "./tape.ts";

/** Is thrown while a row is read; the message goes behind the file and the line. */
export class RowError extends Error {}

/** Is how a file's rows are read. */
export type RowTerms = {
  /** 0.25 of a point = 2 500. */
  readonly tickSizeE4: number;
  /** Which contract of a file that has several; null = the one that traded most. */
  readonly contract: string | null;
};

/** Returns a row's cell by its column's name, "" where the file has no such column. */
export type Row = (name: string) => string;

/** Returns a price in ticks; it must be a whole number of them and above 0. */
export function priceTicks(text: string, name: string, terms: RowTerms): number {
  if (!/^\d{1,7}(\.\d{1,9})?$/.test(text))
    throw new RowError(`the ${name} ${text || "is missing"} is not a price above 0`);
  const ticks = (Number(text) * 10_000) / terms.tickSizeE4;
  const whole = Math.round(ticks);
  if (whole < 1) throw new RowError(`the ${name} ${text} is not above 0`);
  if (Math.abs(ticks - whole) > 1e-6)
    throw new RowError(`the ${name} ${text} is no whole number of ticks of ${terms.tickSizeE4 / 10_000}`);
  return whole;
}

/** Returns a size or volume. */
export function wholeCount(text: string, name: string): number {
  if (!/^\d{1,9}(\.0)?$/.test(text)) throw new RowError(`the ${name} ${text || "is missing"} is not a whole number`);
  return Number(text);
}

/** Returns a time that is not before the tape's last one. */
export function nextTime(tape: Tape, atMs: number): number {
  const lastMs = tape.atMs(-1);
  if (atMs < lastMs) throw new RowError(`the time goes back by ${lastMs - atMs} ms`);
  return atMs;
}

/** Nanoseconds have 19 digits, more than a number holds: the last six are cut off as text. */
export function nanosecondsToMs(text: string): number {
  if (!/^\d{16,19}$/.test(text))
    throw new RowError(`the time ${text || "is missing"} is not in nanoseconds since 1970`);
  return Number(text.slice(0, -6));
}

/** Returns a reader of ISO times; a day is looked up once, a file has millions of times. Below a millisecond is cut. */
export function isoReader(): (text: string) => number {
  let lastDay = "";
  let lastDayMs = 0;
  return (text) => {
    const parts = ISO.exec(text);
    if (parts === null)
      throw new RowError(
        `the time ${text || "is missing"} is not an ISO time with its offset, as 2026-11-24T14:30:00Z`,
      );
    const [, day = "", hour, minute, second = "0", fraction = "", sign, aheadHour = "0", aheadMinute = "0"] = parts;
    if (day !== lastDay) {
      const dayMs = DateTime.fromISO(day, { zone: "utc" }).toMillis();
      if (Number.isNaN(dayMs)) throw new RowError(`the time ${text} is on no day of the calendar`);
      lastDay = day;
      lastDayMs = dayMs;
    }
    const aheadMs = (Number(aheadHour) * 60 + Number(aheadMinute)) * 60_000 * (sign === "-" ? -1 : 1);
    const ms = Number(fraction.slice(0, 3).padEnd(3, "0"));
    return lastDayMs + (Number(hour) * 3_600 + Number(minute) * 60 + Number(second)) * 1_000 + ms - aheadMs;
  };
}

const ISO =
  /^(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])([01]\d):?([0-5]\d))$/;

/** Puts a bar on the tape as four prints, the volume spread over them: a rising one goes open, low, high, close, a falling one open, high, low, close. */
export function barOnTape(
  tape: Tape,
  openAtMs: number,
  bar: { readonly open: number; readonly high: number; readonly low: number; readonly close: number },
  volume: number,
  printAtMs: readonly number[],
): void {
  const { open, high, low, close } = bar;
  const prints = close >= open ? [open, low, high, close] : [open, high, low, close];
  const size = Math.max(1, Math.floor(volume / prints.length));
  prints.forEach((ticks, index) => {
    tape.bareTrade(nextTime(tape, openAtMs + (printAtMs[index] ?? 0)), ticks, size);
  });
}

/** Within a minute the four prints of a bar come at these milliseconds. */
export const MINUTE_PRINTS_MS = [0, 20_000, 40_000, 59_999] as const;
/** Is the same for a bar of one second. */
export const SECOND_PRINTS_MS = [0, 333, 666, 999] as const;

/** Returns the name with the largest volume; of equal ones the first by name, "" for none. */
export function busiestOf(volumes: ReadonlyMap<string, number>): string {
  return [...volumes].sort(([a, av], [b, bv]) => bv - av || (a < b ? -1 : 1))[0]?.[0] ?? "";
}
