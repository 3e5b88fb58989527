// When the simulated exchange is open: CME's equity-index hours in Chicago time, with holidays by rule, or always.
// A session is named by the day it ends: 17:00 of the calendar day before to 16:00, or to an early close.
import { DateTime } from "luxon";

/** Is the exchange's time zone in the tz database. */
export const EXCHANGE_ZONE = "America/Chicago";
/** Is the name by which the protocol calls that zone. */
export const EXCHANGE_ZONE_WIRE = "US/Central";

/** Is one trading session. */
export type Session = {
  /** The day it ends on, YYYYMMDD. */
  readonly tradeDate: string;
  readonly openMs: number;
  readonly closeMs: number;
};

/** Tells the exchange's hours. All times are milliseconds since 1970-01-01 UTC. */
export type Calendar = {
  /** Returns the session that `atMs` is in (its close excluded), or undefined when the exchange is closed. */
  sessionAt(atMs: number): Session | undefined;
  /** Returns the first session that opens after `atMs`. */
  nextSession(atMs: number): Session;
  /** Returns the session that `atMs` is in, else the last one before it. */
  latestSession(atMs: number): Session;
  /** Returns the session `count` before the given one. */
  sessionsBefore(session: Session, count: number): Session;
  /** Returns the hours as contract details print them, for `days` calendar days from the one of `atMs` on. */
  tradingHours(atMs: number, days: number): string;
  /** Returns the regular hours (08:30 to 15:00) in the same form. */
  liquidHours(atMs: number, days: number): string;
};

/** Sessions are looked for over at most this many days; the longest closure in the rules is four. */
const SEARCH_DAYS_MAX = 14;

const OPEN_MINUTE = 17 * 60;
const CLOSE_MINUTE = 16 * 60;
const REGULAR_OPEN_MINUTE = 8 * 60 + 30;
const REGULAR_CLOSE_MINUTE = 15 * 60;
const HOLIDAY_CLOSE_MINUTE = 12 * 60;
const EVE_CLOSE_MINUTE = 12 * 60 + 15;
const GOOD_FRIDAY_JOBS_CLOSE_MINUTE = 8 * 60 + 15;

/** Closings that follow no rule: the national day of mourning in January 2025. */
const CLOSE_MINUTE_ONCE: Readonly<Record<string, number>> = { "20250109": 8 * 60 + 30 };

/** Returns the calendar of an exchange with CME's hours, or of one that closes never but for a day's turn at 17:00. */
export function createCalendar(hours: "exchange" | "always"): Calendar {
  const known = new Map<string, Session | undefined>();

  const sessionOfDay = (day: DateTime): Session | undefined => {
    const tradeDate = day.toFormat("yyyyLLdd");
    if (known.has(tradeDate)) return known.get(tradeDate);
    const closeMinute = hours === "always" ? OPEN_MINUTE : closeMinuteOf(day);
    const session =
      closeMinute === undefined
        ? undefined
        : {
            tradeDate,
            openMs: atMinute(day.minus({ days: 1 }), OPEN_MINUTE).toMillis(),
            closeMs: atMinute(day, closeMinute).toMillis(),
          };
    known.set(tradeDate, session);
    return session;
  };

  const search = (fromMs: number, step: 1 | -1, wanted: (session: Session) => boolean): Session => {
    let day = DateTime.fromMillis(fromMs, { zone: EXCHANGE_ZONE }).startOf("day").minus({ days: step });
    for (let tried = 0; tried < SEARCH_DAYS_MAX; tried += 1) {
      const session = sessionOfDay(day);
      if (session !== undefined && wanted(session)) return session;
      day = day.plus({ days: step });
    }
    throw new Error(`no session within ${SEARCH_DAYS_MAX} days of ${fromMs}`);
  };

  const print = (atMs: number, days: number, openMinute: number, closeMinute: number | undefined): string => {
    const first = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE }).startOf("day");
    const parts: string[] = [];
    for (let ahead = 0; ahead < days; ahead += 1) {
      const day = first.plus({ days: ahead });
      const session = sessionOfDay(day);
      if (session === undefined) {
        parts.push(`${day.toFormat("yyyyLLdd")}:CLOSED`);
        continue;
      }
      const open =
        closeMinute === undefined
          ? DateTime.fromMillis(session.openMs, { zone: EXCHANGE_ZONE })
          : atMinute(day, openMinute);
      const sessionClose = DateTime.fromMillis(session.closeMs, { zone: EXCHANGE_ZONE });
      const close = closeMinute === undefined ? sessionClose : DateTime.min(sessionClose, atMinute(day, closeMinute));
      if (close <= open) parts.push(`${day.toFormat("yyyyLLdd")}:CLOSED`);
      else parts.push(`${open.toFormat("yyyyLLdd:HHmm")}-${close.toFormat("yyyyLLdd:HHmm")}`);
    }
    return parts.join(";");
  };

  return {
    sessionAt: (atMs) => {
      const day = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE }).startOf("day");
      for (const session of [sessionOfDay(day), sessionOfDay(day.plus({ days: 1 }))]) {
        if (session !== undefined && session.openMs <= atMs && atMs < session.closeMs) return session;
      }
      return undefined;
    },
    nextSession: (atMs) => search(atMs, 1, (session) => session.openMs > atMs),
    latestSession: (atMs) => search(atMs, -1, (session) => session.openMs <= atMs),
    sessionsBefore: (session, count) => {
      let found = session;
      for (let step = 0; step < count; step += 1) {
        const before = found.openMs;
        found = search(before, -1, (candidate) => candidate.openMs < before);
      }
      return found;
    },
    tradingHours: (atMs, days) => print(atMs, days, OPEN_MINUTE, undefined),
    liquidHours: (atMs, days) => print(atMs, days, REGULAR_OPEN_MINUTE, REGULAR_CLOSE_MINUTE),
  };
}

/** Returns true when the exchange trades on that Chicago day, at least for a part of it. */
export function isTradeDate(day: DateTime): boolean {
  return closeMinuteOf(day) !== undefined;
}

function atMinute(day: DateTime, minute: number): DateTime {
  return day.set({ hour: Math.floor(minute / 60), minute: minute % 60, second: 0, millisecond: 0 });
}

/**
 * Returns the minute of the day at which the session of that day closes, or undefined for a closed day.
 * By CME's holiday practice for equity-index futures as published for 2025 to 2027.
 */
function closeMinuteOf(day: DateTime): number | undefined {
  if (day.weekday > 5) return undefined;
  const once = CLOSE_MINUTE_ONCE[day.toFormat("yyyyLLdd")];
  if (once !== undefined) return once;
  const easter = easterSunday(day.year);
  if (isSameDay(day, easter.minus({ days: 2 }))) {
    // The employment report comes on the month's first Friday; on a Good Friday that is one, futures trade until 08:15.
    return day.month === 4 && day.day <= 7 ? GOOD_FRIDAY_JOBS_CLOSE_MINUTE : undefined;
  }
  if (isObserved(day, 1, 1) || isObserved(day, 12, 25)) return undefined;
  const isHoliday =
    isNthWeekday(day, 1, 1, 3) || // Martin Luther King Day
    isNthWeekday(day, 2, 1, 3) || // Presidents' Day
    (day.month === 5 && day.weekday === 1 && day.day > 24) || // Memorial Day
    isObserved(day, 6, 19) ||
    isObserved(day, 7, 4) ||
    isNthWeekday(day, 9, 1, 1) || // Labor Day
    isNthWeekday(day, 11, 4, 4); // Thanksgiving
  if (isHoliday) return HOLIDAY_CLOSE_MINUTE;
  const isEve =
    (day.month === 7 && day.day === 3) ||
    (day.month === 12 && day.day === 24) ||
    isNthWeekday(day.minus({ days: 1 }), 11, 4, 4);
  return isEve ? EVE_CLOSE_MINUTE : CLOSE_MINUTE;
}

function isSameDay(a: DateTime, b: DateTime): boolean {
  return a.year === b.year && a.month === b.month && a.day === b.day;
}

function isNthWeekday(day: DateTime, month: number, weekday: number, nth: number): boolean {
  return day.month === month && day.weekday === weekday && Math.ceil(day.day / 7) === nth;
}

/** A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after; New Year only forward. */
function isObserved(day: DateTime, month: number, date: number): boolean {
  if (day.month === month && day.day === date) return true;
  const before = day.minus({ days: 1 });
  if (day.weekday === 1 && before.month === month && before.day === date) return true;
  const after = day.plus({ days: 1 });
  return day.weekday === 5 && month !== 1 && after.month === month && after.day === date;
}

/** Returns Easter Sunday (anonymous Gregorian computus, as printed by Meeus, Astronomical Algorithms, chapter 8). */
function easterSunday(year: number): DateTime {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return DateTime.fromObject({ year, month, day }, { zone: EXCHANGE_ZONE });
}
