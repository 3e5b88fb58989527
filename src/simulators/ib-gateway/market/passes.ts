// When a recording is played: at its own time or moved to today, once or day after day. A pass keeps the time of day, so
// that its hours, its close and the bot's own clock rules stay what they were.
import { DateTime } from "luxon";
import { type Calendar, EXCHANGE_ZONE } from "../calendar.ts";

/** Is one playing of a recording. */
export type Pass = {
  readonly startMs: number;
  readonly endMs: number /** Is by how much events come later. */;
  readonly laterMs: number;
};

/** Between two passes lies at least this much time. */
const BETWEEN_MS_MIN = 3_600_000;
const DAY_MS = 86_400_000;
/** A day that a recording fits into is looked for over at most this many; the longest closure is four. */
const DAYS_TRIED_MAX = 14;

/** Returns what plans the passes of a recording that lasts from `firstMs` to `lastMs` by its own time. */
export function createPasses(calendar: Calendar, firstMs: number, lastMs: number) {
  const first = DateTime.fromMillis(firstMs, { zone: EXCHANGE_ZONE });
  const isOneSession = lastMs - firstMs < DAY_MS;
  /** A recording of more than a day keeps its weekdays. */
  const stepDays = isOneSession ? 1 : 7;

  const passOf = (days: number): Pass => {
    const startMs = first.plus({ days }).toMillis();
    return { startMs, endMs: startMs + (lastMs - firstMs), laterMs: startMs - firstMs };
  };
  const fits = ({ startMs, endMs }: Pass): boolean => {
    const session = calendar.sessionAt(startMs);
    return !isOneSession || (session !== undefined && endMs < session.closeMs);
  };

  return {
    passOf,
    /** Returns by how many days a recording must be moved to begin on the latest day, at or before today, that it fits into. */
    daysToToday: (nowMs: number): number => {
      const today = DateTime.fromMillis(nowMs, { zone: EXCHANGE_ZONE }).startOf("day");
      const ahead = Math.round(today.diff(first.startOf("day"), "days").days);
      const latest = Math.floor(ahead / stepDays) * stepDays;
      for (let back = 0; back < DAYS_TRIED_MAX; back += stepDays) {
        if (fits(passOf(latest - back))) return latest - back;
      }
      return latest;
    },
    /** Returns by how many days the pass after the one at `days` is moved. */
    daysAfter: (days: number): number => {
      const { endMs } = passOf(days);
      let next = days + stepDays;
      while (passOf(next).startMs < endMs + BETWEEN_MS_MIN) next += stepDays;
      for (let ahead = 0; ahead < DAYS_TRIED_MAX; ahead += stepDays) {
        if (fits(passOf(next + ahead))) return next + ahead;
      }
      return next;
    },
  };
}
