import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  centsFromUsd,
  decimalText,
  durationText,
  explainUnit,
  instantText,
  isTimeZone,
  parseCents,
  parseDecimal,
  parseDuration,
  parseInstant,
  parseMinuteOfDay,
  parsePrice,
  parseTickSize,
  priceFromTicks,
  printCents,
  printCentsSigned,
  printDate,
  printDuration,
  printDurationShort,
  printMinuteOfDay,
  printMove,
  printNumber,
  printPrice,
  printTime,
  stopTicksFromCents,
  targetTicksFromCents,
  tickSize,
  ticksFromPrice,
} from "../src/units.ts";

const QUARTER = tickSize("0.25");
const TENTH = tickSize("0.10");
const WHOLE = tickSize("1");

describe("money", () => {
  test.each([
    ["200", 20_000],
    ["$200", 20_000],
    ["200 usd", 20_000],
    ["200USD", 20_000],
    ["450.00", 45_000],
    ["$0.57", 57],
    ["-$1.50", -150],
    ["$-1.50", -150],
    ["\u2212$200.00", -20_000],
    ["+$22.61", 2_261],
    ["$60,000.00", 6_000_000],
  ])("%s is %i cents", (text, cents) => {
    expect(parseCents(text)).toEqual({ ok: true, value: cents });
  });

  test.each([
    ["2,000.5", '"2,000.5" has a comma, which can be read in two ways: write 2000.5'],
    ["2,000", '"2,000" has a comma, which can be read in two ways: write 2000'],
    ["4.5.0", '"4.5.0" is not an amount of dollars such as 450 or $450.00'],
    ["1.005", '"1.005" is too fine: a cent is the least'],
    ["", '"" is not an amount of dollars such as 450 or $450.00'],
    ["--5", '"--5" is not an amount of dollars such as 450 or $450.00'],
    ["1e3", '"1e3" is not an amount of dollars such as 450 or $450.00'],
    ["NaN", '"NaN" is not an amount of dollars such as 450 or $450.00'],
    ["200 eur", '"200 eur" is not an amount of dollars such as 450 or $450.00'],
    ["99999999999999999", '"99999999999999999" is too large to be exact: an amount of dollars such as 450 or $450.00'],
  ])("%j is refused with a sentence", (text, sentence) => {
    const cents = parseCents(text);

    expect(cents.ok ? null : explainUnit(cents.error)).toBe(sentence);
  });

  test.each([
    [2_261, "+$22.61", "$22.61"],
    [-20_000, "\u2212$200.00", "\u2212$200.00"],
    [0, "$0.00", "$0.00"],
    [6_000_000, "+$60,000.00", "$60,000.00"],
    [-5, "\u2212$0.05", "\u2212$0.05"],
  ])("%i cents print as %s with a sign and %s without a plus", (cents, signed, plain) => {
    expect([printCentsSigned(cents), printCents(cents)]).toEqual([signed, plain]);
  });

  test("what is printed is parsed back to the same cents", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (cents) => {
        for (const text of [printCents(cents), printCentsSigned(cents), decimalText(cents, 2)])
          expect(parseCents(text)).toEqual({ ok: true, value: cents });
      }),
    );
  });

  test("no text makes the parser throw", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => {
        for (const parse of [parseCents, parseDuration, parseMinuteOfDay, parseInstant, parseTickSize]) {
          const read = parse(text);
          if (!read.ok) expect(explainUnit(read.error).length).toBeGreaterThan(0);
        }
      }),
    );
  });

  test("a broker's double becomes the nearest cent, and no amount is a bug", () => {
    expect([centsFromUsd(0.57), centsFromUsd(-0.001), centsFromUsd(1.1 + 2.2)]).toEqual([57, 0, 330]);
    expect(() => centsFromUsd(Number.NaN)).toThrow(RangeError);
  });
});

describe("prices and moves", () => {
  test.each([
    [20_049, QUARTER, "5,012.25"],
    [0, QUARTER, "0.00"],
    [-3, QUARTER, "\u22120.75"],
    [21_234, TENTH, "2,123.40"],
    [39_500, WHOLE, "39,500"],
  ])("%i ticks of %j print as %s", (priceTicks, size, text) => {
    expect(printPrice(priceTicks, size)).toBe(text);
  });

  test("what is printed is parsed back to the same ticks", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e8, max: 1e8 }),
        fc.constantFrom(QUARTER, TENTH, WHOLE, tickSize("0.005"), tickSize("12.5")),
        (priceTicks, size) => {
          expect(parsePrice(printPrice(priceTicks, size), size)).toEqual({ ok: true, value: priceTicks });
          expect(ticksFromPrice(priceFromTicks(priceTicks, size), size)).toBe(priceTicks);
        },
      ),
    );
  });

  test("a price between two ticks is refused, never rounded", () => {
    const price = parsePrice("5012.30", QUARTER);

    expect(price.ok ? null : explainUnit(price.error)).toBe('"5012.30" is too fine: prices move in steps of 0.25');
    expect(ticksFromPrice(5_012.3, QUARTER)).toBeNull();
    expect(ticksFromPrice(Number.NaN, QUARTER)).toBeNull();
    expect(ticksFromPrice(Number.MAX_VALUE, QUARTER)).toBeNull();
  });

  test("a price on a grid that a double cannot hold still finds its tick", () => {
    expect(ticksFromPrice(0.1 + 0.2, TENTH)).toBe(3);
  });

  test.each([
    [19, 1, "+4.75 pt (19 t, +$23.75)"],
    [-160, 1, "\u221240.00 pt (160 t, \u2212$200.00)"],
    [9, 2, "+2.25 pt (9 t, +$22.50)"],
    [0, 1, "0.00 pt (0 t, $0.00)"],
  ])("a move of %i ticks with %i contracts is %s", (moveTicks, quantity, text) => {
    expect(printMove(moveTicks, QUARTER, 125, quantity)).toBe(text);
  });

  test.each([
    [20_000, 125, 160],
    [20_124, 125, 160],
    [20_125, 125, 161],
    [20_000, 1_250, 16],
  ])("a stop of %i cents at %i cents a tick is %i ticks, rounded down", (stopCents, tickValueCents, stopTicks) => {
    expect(stopTicksFromCents(stopCents, tickValueCents)).toBe(stopTicks);
  });

  test.each([
    [30_000, 125, 240],
    [30_001, 125, 241],
    [500, 1_250, 1],
    [0, 125, 1],
  ])("a target of %i cents at %i cents a tick is %i ticks, rounded up", (targetCents, tickValueCents, targetTicks) => {
    expect(targetTicksFromCents(targetCents, tickValueCents)).toBe(targetTicks);
  });

  test.each(["0", "-0.25", "0.0000001", "x", ""])("%j is not a tick size", (text) => {
    expect(parseTickSize(text).ok).toBe(false);
    expect(() => tickSize(text)).toThrow(RangeError);
  });
});

describe("numbers", () => {
  test.each([
    ["2.0", 4, 20_000],
    ["\u22120.5", 4, -5_000],
    ["0.50000", 4, 5_000],
    ["-0", 2, 0],
  ])("%s with %i decimals is %i", (text, decimals, units) => {
    expect(parseDecimal(text, decimals)).toEqual({ ok: true, value: units });
  });

  test("decimals that count are not cut", () => {
    expect(parseDecimal("0.50001", 4)).toMatchObject({ ok: false, error: { type: "too_fine" } });
  });

  test("a z that rounds to zero has no minus", () => {
    expect([printNumber(-1.32, 2), printNumber(2, 2), printNumber(-0.001, 2)]).toEqual(["\u22121.32", "2.00", "0.00"]);
    expect(() => printNumber(Number.NaN, 2)).toThrow(RangeError);
  });
});

describe("durations", () => {
  test.each([
    ["500ms", 500],
    ["5s", 5_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["400d", 34_560_000_000],
    ["1h30m", 5_400_000],
    ["1h 12m", 4_320_000],
    ["1M", 60_000],
    ["0s", 0],
  ])("%s is %i ms", (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  test.each(["", "m", "30m1h", "1h1h", "-5m", "1.5h", "5 apples", "99999999999999999ms", "1h ago"])(
    "%j is not a duration",
    (text) => {
      expect(parseDuration(text).ok).toBe(false);
    },
  );

  test("a number without a unit is refused with the three likely ones", () => {
    const read = parseDuration("30");

    expect(read.ok ? null : explainUnit(read.error)).toBe('"30" has no unit: write 30s, 30m or 30h');
  });

  test.each([
    [4_320_000, "1h 12m", "1h12m"],
    [86_400_000, "24h", "24h"],
    [34_560_000_000, "400d", "400d"],
    [1_500, "1s 500ms", "1s500ms"],
    [0, "0s", "0s"],
  ])("%i ms print as %s, in a file %s", (ms, printed, text) => {
    expect([printDuration(ms), durationText(ms)]).toEqual([printed, text]);
  });

  test.each([
    [273_600_000, "3d 4h"],
    [580_400, "9m 40s"],
    [400, "0.4s"],
    [12, "12ms"],
    [3_600_000, "1h"],
    [3_605_000, "1h"],
    [0, "0s"],
  ])("%i ms at a glance are %s", (ms, printed) => {
    expect(printDurationShort(ms)).toBe(printed);
  });

  test("what is printed is parsed back to the same milliseconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e13 }), (ms) => {
        expect(parseDuration(printDuration(ms))).toEqual({ ok: true, value: ms });
        expect(parseDuration(durationText(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });
});

describe("times", () => {
  const AT_MS = 1_795_460_531_960; // 2026-11-23 13:02:11.960 in Chicago

  test("a moment of today has no date", () => {
    expect(printTime(AT_MS, "America/Chicago", AT_MS + 3_600_000)).toBe("13:02:11 CT");
  });

  test("a moment of another day, and of another year, carries its date", () => {
    const dayMs = 86_400_000;

    expect(printTime(AT_MS, "America/Chicago", AT_MS + dayMs)).toBe("23 Nov 13:02:11 CT");
    expect(printTime(AT_MS, "America/Chicago", AT_MS + 60 * dayMs)).toBe("23 Nov 2026 13:02:11 CT");
  });

  test("a moment is cut to what is shown, not rounded up", () => {
    expect(printTime(AT_MS, "America/Chicago", AT_MS, "tenth")).toBe("13:02:11.9 CT");
    expect(printTime(AT_MS, "America/New_York", AT_MS, "minute")).toBe("14:02 ET");
  });

  test("summer and winter are both CT, at the hour of the zone", () => {
    const julyMs = 1_782_925_200_000; // 2026-07-01 17:00 UTC

    expect(printTime(julyMs, "America/Chicago", julyMs)).toBe("12:00:00 CT");
    expect(printDate(julyMs, "Asia/Tokyo")).toBe("2026-07-02");
  });

  test.each([
    ["15:55", 955],
    ["8:05", 485],
    ["00:00", 0],
    ["23:59", 1_439],
  ])("%s is minute %i of the day", (text, minute) => {
    expect(parseMinuteOfDay(text)).toEqual({ ok: true, value: minute });
  });

  test.each(["24:00", "12:60", "1555", "12:5", "", "-1:00"])("%j is not a time of day", (text) => {
    expect(parseMinuteOfDay(text).ok).toBe(false);
  });

  test("every minute of the day is parsed back, and minutes wrap at midnight", () => {
    for (let minute = 0; minute < 1_440; minute += 1)
      expect(parseMinuteOfDay(printMinuteOfDay(minute))).toEqual({ ok: true, value: minute });
    expect([printMinuteOfDay(-10), printMinuteOfDay(1_440)]).toEqual(["23:50", "00:00"]);
  });

  test("an instant needs its offset and is parsed back", () => {
    expect(parseInstant("2018-05-07T08:30:00-05:00")).toEqual({ ok: true, value: 1_525_699_800_000 });
    expect(parseInstant("2018-05-07T08:30:00").ok).toBe(false);
    expect(parseInstant("2018-02-30T08:30:00Z").ok).toBe(false);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
        expect(parseInstant(instantText(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });

  test.each([
    ["America/Chicago", true],
    ["US/Central", true],
    ["Mars/Olympus", false],
    ["", false],
    ["__proto__", false],
  ])("%j being a time zone is %s", (zone, known) => {
    expect(isTimeZone(zone)).toBe(known);
  });
});
