// What the market needs to know of the exchange's hours beyond the sessions themselves: the regular hours within them,
// and the day a simulation begins on.
import { DateTime } from "luxon";
import { type Calendar, EXCHANGE_ZONE, isTradeDate, type Session } from "../calendar.ts";

/** Is a span of time, its end excluded. */
export type Hours = { readonly openMs: number; readonly closeMs: number };

const REGULAR_OPEN = { hour: 8, minute: 30 } as const;
const REGULAR_CLOSE = { hour: 15, minute: 0 } as const;
/** A regular day is looked for over at most this many sessions: the longest run without one is a holiday week. */
const REGULAR_SEARCH_SESSIONS_MAX = 10;

/** Returns the regular hours (08:30 to 15:00 Chicago) of a session; undefined where it closes before they begin. */
export function regularHours(session: Session): Hours | undefined {
  // Every session closes on the day that it is named by.
  const day = DateTime.fromMillis(session.closeMs, { zone: EXCHANGE_ZONE }).startOf("day");
  if (!isTradeDate(day)) return undefined;
  const openMs = day.set(REGULAR_OPEN).toMillis();
  const closeMs = Math.min(day.set(REGULAR_CLOSE).toMillis(), session.closeMs);
  return openMs < closeMs ? { openMs, closeMs } : undefined;
}

/**
 * Returns 08:30 Chicago of the latest day at or before `nowMs` with full regular hours, early closes left out. A day that
 * has not reached 08:30 yet does not count.
 */
export function latestRegularTradingDay(calendar: Calendar, nowMs: number): number {
  let session = calendar.latestSession(nowMs);
  for (let looked = 0; looked < REGULAR_SEARCH_SESSIONS_MAX; looked += 1) {
    const hours = regularHours(session);
    const isFull = hours !== undefined && hours.closeMs < session.closeMs;
    if (isFull && hours.openMs <= nowMs) return hours.openMs;
    session = calendar.sessionsBefore(session, 1);
  }
  throw new Error(`no regular trading day within ${REGULAR_SEARCH_SESSIONS_MAX} sessions before ${nowMs}`);
}
