// The past before the first event: minute bars walked backwards, session by session, so that they end at a given price.
// Each session is drawn from the seed and its own day, so any question about the same past has the same answer.
import type { Calendar, Session } from "../calendar.ts";
import type { HistoryBar } from "../market-source.ts";
import { createBucket, type GrowingBar, groupBars, MINUTE_MS } from "./bars.ts";
import { regularHours } from "./calendar.ts";
import { createChance } from "./chance.ts";

/** How many sessions the past goes back: over 1,000 daily bars. */
export const PRELUDE_SESSIONS_MAX = 1_050;

/** Standard deviation of a minute's change in ticks and volume of a minute, measured (docs/synthetic-market.md). */
const MINUTE_MOVE_TICKS = { day: 2.9, night: 1.4 } as const;
const MINUTE_VOLUME = { day: 1_200, night: 165 } as const;
const GAP_TICKS = 8;
const PRICE_TICKS_MIN = 100;
const DAY_MS = 86_400_000;

/** Returns up to `count` bars of at least a minute before `anchor`, oldest first; the last one closes at its price. */
export function preludeBars(options: {
  readonly seed: number;
  readonly volatility: number;
  readonly calendar: Calendar;
  readonly anchorMs: number;
  readonly anchorTicks: number;
  readonly barMs: number;
  readonly count: number;
}): HistoryBar[] {
  const { calendar, anchorMs, barMs, count } = options;
  if (barMs % MINUTE_MS !== 0 || count <= 0) return [];
  const bucket = createBucket(barMs, calendar);
  let session = calendar.latestSession(anchorMs - 1);
  let endTicks = options.anchorTicks;
  const pieces: HistoryBar[][] = [];
  let found = 0;
  for (let walked = 0; walked < PRELUDE_SESSIONS_MAX && found <= count; walked += 1) {
    const endMs = Math.min(session.closeMs, anchorMs);
    const { bars: grouped, beforeTicks } = sessionBars(session, endMs, endTicks, bucket, options);
    const [later] = pieces;
    const joint = grouped.at(-1);
    if (joint !== undefined && later?.[0] !== undefined && joint.openAtMs === later[0].openAtMs) {
      later.splice(0, 1, ...groupBars([joint, later[0]], bucket));
      grouped.pop();
    }
    pieces.unshift(grouped);
    found += grouped.length;
    endTicks = beforeTicks;
    session = calendar.sessionsBefore(session, 1);
  }
  return pieces.flat().slice(-count);
}

/** Returns when the oldest session of the past before `anchorMs` opened. */
export function preludeBeginsMs(calendar: Calendar, anchorMs: number): number {
  return calendar.sessionsBefore(calendar.latestSession(anchorMs - 1), PRELUDE_SESSIONS_MAX - 1).openMs;
}

/** Draws a session's minutes and folds them into bars as it goes: a thousand sessions are over a million minutes. */
function sessionBars(
  session: Session,
  endMs: number,
  endTicks: number,
  bucket: (atMs: number) => number,
  options: { readonly seed: number; readonly volatility: number },
): { bars: HistoryBar[]; beforeTicks: number } {
  const chance = createChance(options.seed, 2, Math.floor(session.openMs / DAY_MS));
  const regular = regularHours(session) ?? { openMs: endMs, closeMs: endMs };
  const gapTicks = Math.round(chance.bell() * GAP_TICKS * options.volatility);
  const minutes = Math.max(0, Math.ceil((endMs - session.openMs) / MINUTE_MS));
  const drawn = new Int32Array(minutes * 4);
  let sumTicks = 0;
  for (let minute = 0; minute < minutes; minute += 1) {
    const atMs = session.openMs + minute * MINUTE_MS;
    const activity = atMs >= regular.openMs && atMs < regular.closeMs ? "day" : "night";
    const deviation = MINUTE_MOVE_TICKS[activity] * options.volatility;
    const moveTicks = Math.round(chance.bell() * deviation);
    drawn[minute * 4] = moveTicks;
    drawn[minute * 4 + 1] = Math.round(chance.uniform() * deviation);
    drawn[minute * 4 + 2] = Math.round(chance.uniform() * deviation);
    drawn[minute * 4 + 3] = 1 + Math.floor(chance.exponential() * MINUTE_VOLUME[activity]);
    sumTicks += moveTicks;
  }
  const bars: GrowingBar[] = [];
  let bar: GrowingBar | undefined;
  let priceTicks = endTicks - sumTicks;
  const beforeTicks = Math.max(PRICE_TICKS_MIN, priceTicks - gapTicks);
  for (let minute = 0; minute < minutes; minute += 1) {
    const [moveTicks = 0, upTicks = 0, downTicks = 0, volume = 0] = drawn.subarray(minute * 4, minute * 4 + 4);
    const openAtMs = bucket(session.openMs + minute * MINUTE_MS);
    const openTicks = priceTicks;
    priceTicks += moveTicks;
    if (bar === undefined || bar.openAtMs !== openAtMs) {
      bar = { openAtMs, openTicks, highTicks: openTicks, lowTicks: openTicks, closeTicks: openTicks, volume: 0 };
      bars.push(bar);
    }
    bar.highTicks = Math.max(bar.highTicks, Math.max(openTicks, priceTicks) + upTicks);
    bar.lowTicks = Math.min(bar.lowTicks, Math.max(1, Math.min(openTicks, priceTicks) - downTicks));
    bar.closeTicks = priceTicks;
    bar.volume += volume;
  }
  return { bars, beforeTicks };
}
