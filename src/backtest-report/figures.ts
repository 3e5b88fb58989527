// From trades and equity to what the charts and tables of the page show: groups, buckets, drawdown. Pure.
import { DateTime } from "luxon";
import type { BacktestTrade } from "../engine.ts";
import type { Outcome } from "./outcome.ts";

/** Is what some trades made together, in cents net. */
export type Group = { readonly label: string; readonly netCents: number; readonly trades: number };

/** Is one bar of the distribution: trades with net in [fromCents, toCents). */
export type Bucket = { readonly fromCents: number; readonly toCents: number; readonly trades: number };

/** Is a calendar year's net by month, 0 = January; null where the data has no session. */
export type Year = { readonly year: number; readonly months: readonly (number | null)[]; readonly netCents: number };

/** Is the result of one session. */
export type Day = { readonly tradeDate: string; readonly netCents: number; readonly equityCents: number };

/** Returns net by the hour of the entry in the session's zone; hours without trades between others are there with 0. */
export function byHour(trades: readonly BacktestTrade[], zone: string): readonly Group[] {
  const groups = grouped(trades, (trade) => DateTime.fromMillis(trade.entryAtMs, { zone }).hour, 24);
  const [first, last] = [groups.findIndex(hasTrades), groups.findLastIndex(hasTrades)];
  return groups.map((group, hour) => ({ label: String(hour).padStart(2, "0"), ...group })).slice(first, last + 1);
}

const hasTrades = (group: { readonly trades: number }): boolean => group.trades > 0;

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

/** Returns net by the weekday of the entry in the session's zone; Saturday only where it has trades. */
export function byWeekday(trades: readonly BacktestTrade[], zone: string): readonly Group[] {
  const groups = grouped(trades, (trade) => DateTime.fromMillis(trade.entryAtMs, { zone }).weekday - 1, 7);
  return groups
    .map((group, day) => ({ label: WEEKDAYS[day] as string, ...group }))
    .filter((group) => group.label !== "Sat" || group.trades > 0);
}

/** Returns the distribution of net over about `buckets` round steps; a step's edge is at 0. */
export function distribution(trades: readonly BacktestTrade[], buckets: number): readonly Bucket[] {
  if (trades.length === 0) return [];
  const nets = trades.map((trade) => trade.netCents);
  const [least, most] = nets.reduce(([low, high], net) => [Math.min(low, net), Math.max(high, net)], [0, 0]);
  const step = roundStep((most - least) / buckets);
  const first = Math.floor(least / step);
  const counts = new Array<number>(Math.floor(most / step) - first + 1).fill(0);
  for (const net of nets) counts[Math.floor(net / step) - first] = (counts[Math.floor(net / step) - first] ?? 0) + 1;
  return counts.map((count, at) => ({
    fromCents: (first + at) * step,
    toCents: (first + at + 1) * step,
    trades: count,
  }));
}

/** Returns the sessions with what each made. */
export function days({ settings, run }: Outcome): readonly Day[] {
  let before = settings.backtest.startEquityCents;
  return run.report.sessions.map(({ tradeDate, equityCents }) => {
    const day = { tradeDate, equityCents, netCents: equityCents - before };
    before = equityCents;
    return day;
  });
}

/** Returns the years of the data by month, first to last. */
export function years(found: readonly Day[]): readonly Year[] {
  const byYear = new Map<number, (number | null)[]>();
  for (const { tradeDate, netCents } of found) {
    const [year, month] = [Number(tradeDate.slice(0, 4)), Number(tradeDate.slice(5, 7)) - 1];
    const months = byYear.get(year) ?? new Array<number | null>(12).fill(null);
    byYear.set(year, months);
    months[month] = (months[month] ?? 0) + netCents;
  }
  return [...byYear].map(([year, months]) => ({
    year,
    months,
    netCents: months.reduce<number>((sum, cents) => sum + (cents ?? 0), 0),
  }));
}

/** Returns how far equity stands below its highest point so far, at each close; ≤ 0. */
export function drawdownCents(equityCents: Float64Array, startCents: number): Float64Array {
  let peak = startCents;
  return equityCents.map((cents) => {
    peak = Math.max(peak, cents);
    return cents - peak;
  });
}

/** Returns the stretch of bars, [from, to), of the trading day with the most entries, cut to `barsMax`; null without trades. */
export function busiestStretch({ bars, run, settings }: Outcome, barsMax: number): { from: number; to: number } | null {
  const { openMinute, timeZone } = settings.session;
  const aheadMinutes = openMinute === null ? 0 : 1_440 - openMinute;
  const dayOf = (atMs: number): string =>
    DateTime.fromMillis(atMs, { zone: timeZone }).plus({ minutes: aheadMinutes }).toISODate() ?? "";
  const counts = new Map<string, number>();
  for (const trade of run.report.trades) {
    const day = dayOf(trade.entryAtMs);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  const busiest = [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0];
  const first = run.report.trades.find((trade) => dayOf(trade.entryAtMs) === busiest);
  if (busiest === undefined || first === undefined) return null;
  const entry = indexAt(bars.openAtMs, first.entryAtMs);
  let from = entry;
  const isInside = (at: number): boolean => dayOf(bars.openAtMs[at] as number) === busiest;
  while (from > 0 && entry - from < LEAD_BARS && isInside(from - 1)) from--;
  let to = entry + 1;
  while (to < bars.openAtMs.length && to - from < barsMax && isInside(to)) to++;
  return { from, to };
}

/** Bars before the first entry of the stretch that is shown. */
const LEAD_BARS = 60;

/** Returns the place of the last bar that opened at `atMs` or before; 0 where none did. */
export function indexAt(openAtMs: Float64Array, atMs: number): number {
  let [low, high] = [0, openAtMs.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((openAtMs[middle] as number) <= atMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Returns the next larger of 1, 2 or 5 times a power of ten. */
export function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(step, 1)));
  return power * ([1, 2, 5].find((factor) => factor * power >= step) ?? 10);
}

function grouped(
  trades: readonly BacktestTrade[],
  placeOf: (trade: BacktestTrade) => number,
  places: number,
): { netCents: number; trades: number }[] {
  const groups = Array.from({ length: places }, () => ({ netCents: 0, trades: 0 }));
  for (const trade of trades) {
    const group = groups[placeOf(trade)];
    if (group === undefined) continue;
    group.netCents += trade.netCents;
    group.trades++;
  }
  return groups;
}
