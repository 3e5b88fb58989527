// Trading hours as IB writes them, against spans worked out by hand in UTC.
import { DateTime } from "luxon";
import { describe, expect, test } from "vitest";
import { parseHours } from "../../../src/trading/ib/hours.ts";

const CHICAGO = "US/Central";

/** Returns spans as "from → to" in UTC, for reading. */
function read(text: string, zone = CHICAGO): string[] | string {
  const parsed = parseHours(text, zone);
  if (!parsed.ok) return parsed.error;
  return parsed.value.map((span) => `${utc(span.fromMs)} → ${utc(span.toMs)}`);
}

const utc = (atMs: number): string => DateTime.fromMillis(atMs, { zone: "utc" }).toFormat("yyyy-MM-dd HH:mm");

describe("hours", () => {
  test.each<[string, string, string[]]>([
    ["a winter day", "20260105:1700-20260106:1600", ["2026-01-05 23:00 → 2026-01-06 22:00"]],
    ["a summer day", "20260706:1700-20260707:1600", ["2026-07-06 22:00 → 2026-07-07 21:00"]],
    [
      "a closed day between two",
      "20260105:1700-20260106:1600;20260110:CLOSED;20260111:1700-20260112:1600",
      ["2026-01-05 23:00 → 2026-01-06 22:00", "2026-01-11 23:00 → 2026-01-12 22:00"],
    ],
    [
      "two spans of one day, the second beginning where the first ends: one",
      "20260105:1700-1800,1800-1900",
      ["2026-01-05 23:00 → 2026-01-06 01:00"],
    ],
    [
      "the afternoon halt of older days",
      "20131007:0830-1515,1530-1615",
      ["2013-10-07 13:30 → 2013-10-07 20:15", "2013-10-07 20:30 → 2013-10-07 21:15"],
    ],
    ["the older form, over midnight", "20260105:1700-1600", ["2026-01-05 23:00 → 2026-01-06 22:00"]],
    ["the older form in the pages of the API", "20090507:0700-1830,1830-2330", ["2009-05-07 12:00 → 2009-05-08 04:30"]],
    [
      "24 hours each day joined over the week",
      "20260109:1700-20260110:1700;20260110:1700-20260111:1700;20260111:1700-20260112:1700",
      ["2026-01-09 23:00 → 2026-01-12 23:00"],
    ],
    [
      "days out of order",
      "20260106:1700-20260107:1600;20260105:1700-20260106:1600",
      ["2026-01-05 23:00 → 2026-01-06 22:00", "2026-01-06 23:00 → 2026-01-07 22:00"],
    ],
    ["the end of a day as 2400", "20260105:1700-2400", ["2026-01-05 23:00 → 2026-01-06 06:00"]],
    [
      "the weekend on which clocks go forward: 22 hours on the wall, 22 in truth from Sunday evening",
      "20260308:1700-20260309:1600",
      ["2026-03-08 22:00 → 2026-03-09 21:00"],
    ],
    [
      "a span over the lost hour is an hour shorter",
      "20260307:1700-20260308:1700",
      ["2026-03-07 23:00 → 2026-03-08 22:00"],
    ],
    [
      "a span over the doubled hour is an hour longer",
      "20261031:1700-20261101:1700",
      ["2026-10-31 22:00 → 2026-11-01 23:00"],
    ],
    [
      "the older form over the lost hour ends at the wall's hour",
      "20260307:1700-1600",
      ["2026-03-07 23:00 → 2026-03-08 21:00"],
    ],
    ["blanks and empty segments", " 20260105:1700-20260106:1600 ; ;", ["2026-01-05 23:00 → 2026-01-06 22:00"]],
    ["nothing", "", []],
    ["only closed days", "20260110:CLOSED;20260111:CLOSED", []],
  ])("of %s", (_name, text, spans) => {
    expect(read(text)).toEqual(spans);
  });

  test.each<[string, string, string, string]>([
    ["an unknown zone", "20260105:1700-20260106:1600", "CST6", 'the time zone "CST6" is not known here'],
    ["no zone", "20260105:1700-20260106:1600", "", 'the time zone "" is not known here'],
    ["words", "open all day", CHICAGO, 'the trading hours "open all day" are not understood'],
    ["a day without a date", "1700-1600", CHICAGO, 'the trading hours "1700-1600" are not understood'],
    ["a date that is none", "20260230:1700-1800", CHICAGO, 'the trading hours "20260230:1700-1800" hold no time'],
    ["a time that is none", "20260105:1760-1800", CHICAGO, 'the trading hours "20260105:1760-1800" hold no time'],
    [
      "an end before the beginning",
      "20260105:1700-20260104:1600",
      CHICAGO,
      'the trading hours "20260105:1700-20260104:1600" end before they begin',
    ],
    [
      "one bad day among good ones",
      "20260105:1700-20260106:1600;20260106:??",
      CHICAGO,
      'the trading hours "20260106:??" are not understood',
    ],
  ])("with %s are refused", (_name, text, zone, problem) => {
    expect(read(text, zone)).toBe(problem);
  });
});
