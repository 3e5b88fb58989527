// Stretches of the day and of the week as they stand in the file: "08:35-14:45", "Fri 23:00-Sat 03:00".
import { err, ok, type Result } from "../result.ts";
import { DAY_MINUTES, explainUnit, parseMinuteOfDay, printMinuteOfDay } from "../units.ts";
import type { DayWindow, WeekWindow } from "./settings.ts";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

/** Returns the windows of a day in the order given; each may cross midnight, none may be empty or overlap another. */
export function parseDayWindows(items: readonly string[]): Result<readonly DayWindow[], string> {
  const windows: DayWindow[] = [];
  for (const item of items) {
    const window = parseWeekWindow(item);
    if (!window.ok) return window;
    const { fromDay, fromMinute, toMinute } = window.value;
    if (fromDay !== null) return err(`"${item}" names a day; these windows are the same each day`);
    windows.push({ fromMinute, toMinute });
  }
  const clash = windows.find((window, index) => windows.some((other, at) => at < index && overlap(window, other)));
  return clash === undefined ? ok(windows) : err(`${printDayWindow(clash)} overlaps another window`);
}

/** Returns windows that are either daily or, with two day names, weekly. */
export function parseWeekWindows(items: readonly string[]): Result<readonly WeekWindow[], string> {
  const windows: WeekWindow[] = [];
  for (const item of items) {
    const window = parseWeekWindow(item);
    if (!window.ok) return window;
    windows.push(window.value);
  }
  return ok(windows);
}

/** Returns "08:35-14:45". */
export function printDayWindow(window: DayWindow): string {
  return `${printMinuteOfDay(window.fromMinute)}-${printMinuteOfDay(window.toMinute)}`;
}

/** Returns "23:45-00:45" or "Fri 23:00-Sat 03:00". */
export function printWeekWindow(window: WeekWindow): string {
  const day = (number: number | null): string => (number === null ? "" : `${DAYS[number - 1]} `);
  return `${day(window.fromDay)}${printMinuteOfDay(window.fromMinute)}-${day(window.toDay)}${printMinuteOfDay(window.toMinute)}`;
}

/** Returns whether every minute of `inner` is in `outer`; an empty list means the whole day. */
export function covers(outer: readonly DayWindow[], inner: readonly DayWindow[]): boolean {
  const open = minutesOf(outer);
  return minutesOf(inner).every((isIn, minute) => !isIn || open[minute] === true);
}

/** Returns for each minute of the day whether a window has it; an empty list means the whole day. */
export function minutesOf(windows: readonly DayWindow[]): boolean[] {
  const minutes = new Array<boolean>(DAY_MINUTES).fill(windows.length === 0);
  for (const window of windows) {
    for (let minute = window.fromMinute; minute !== window.toMinute; minute = (minute + 1) % DAY_MINUTES)
      minutes[minute] = true;
  }
  return minutes;
}

function parseWeekWindow(item: string): Result<WeekWindow, string> {
  const example = '"08:35-14:45"';
  const match = /^(?:([a-z]{3})\s+)?(\d{1,2}:\d{2})\s*[-\u2013]\s*(?:([a-z]{3})\s+)?(\d{1,2}:\d{2})$/i.exec(
    item.trim().slice(0, 40),
  );
  if (match === null) return err(`"${item.slice(0, 40)}" is not a window such as ${example}`);
  const [, fromName, fromText = "", toName, toText = ""] = match;
  if ((fromName === undefined) !== (toName === undefined))
    return err(`"${item}" names one day: a window of the week names both, as in "Fri 23:00-Sat 03:00"`);
  const fromMinute = parseMinuteOfDay(fromText);
  const toMinute = parseMinuteOfDay(toText);
  if (!fromMinute.ok) return err(explainUnit(fromMinute.error));
  if (!toMinute.ok) return err(explainUnit(toMinute.error));
  const fromDay = dayNumber(fromName);
  const toDay = dayNumber(toName);
  if (fromDay === 0 || toDay === 0) return err(`"${item}" has no such day: ${DAYS.join(", ")}`);
  if (fromMinute.value === toMinute.value && fromDay === toDay) return err(`"${item}" ends when it begins`);
  return ok({ fromDay, fromMinute: fromMinute.value, toDay, toMinute: toMinute.value });
}

function dayNumber(name: string | undefined): number | null {
  return name === undefined ? null : DAYS.findIndex((day) => day.toLowerCase() === name.toLowerCase()) + 1;
}

function overlap(one: DayWindow, other: DayWindow): boolean {
  const minutes = minutesOf([one]);
  return minutesOf([other]).some((isIn, minute) => isIn && minutes[minute] === true);
}
