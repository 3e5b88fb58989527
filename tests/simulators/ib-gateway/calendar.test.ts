import { readFileSync } from "node:fs";
import { DateTime } from "luxon";
import { expect, test } from "vitest";
import { createCalendar, EXCHANGE_ZONE } from "../../../src/simulators/ib-gateway/calendar.ts";
import { findListings, findProduct, frontListing } from "../../../src/simulators/ib-gateway/listings.ts";

const rows = readFileSync(new URL("fixtures/cme_equity_sessions_2025_2027.csv", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => line.split(","))
  .map(([date = "", kind = "", , , openUtc = "", closeUtc = ""]) => ({ date, kind, openUtc, closeUtc }));

function chicago(text: string): number {
  return DateTime.fromISO(text, { zone: EXCHANGE_ZONE }).toMillis();
}

test("the hours of every weekday of 2025 to 2027 are those of the published table", () => {
  const calendar = createCalendar("exchange");
  const ours = rows.map(({ date }) => {
    const session = calendar.sessionAt(chicago(`${date}T08:00`));
    return session?.tradeDate === date.replaceAll("-", "") ? [session.openMs, session.closeMs] : undefined;
  });

  const theirs = rows.map(({ kind, openUtc, closeUtc }) =>
    kind === "closed" ? undefined : [DateTime.fromISO(openUtc).toMillis(), DateTime.fromISO(closeUtc).toMillis()],
  );
  const different = rows
    .filter((_row, at) => JSON.stringify(ours[at]) !== JSON.stringify(theirs[at]))
    .map((row) => row.date);
  expect(rows).toHaveLength(783);
  expect(different).toEqual([]);
});

test.each([
  ["the last millisecond before the open", "2026-01-04T16:59:59.999", undefined],
  ["the open", "2026-01-04T17:00", "20260105"],
  ["the last millisecond before the close", "2026-01-05T15:59:59.999", "20260105"],
  ["the close", "2026-01-05T16:00", undefined],
  ["a Saturday", "2026-01-10T12:00", undefined],
  ["the evening of a holiday with an early close", "2026-01-19T17:00", "20260120"],
])("at %s the session is %s's", (_what, at, tradeDate) => {
  expect(createCalendar("exchange").sessionAt(chicago(at))?.tradeDate).toBe(tradeDate);
});

test("an exchange that is open always is in a session at any moment, weekends too", () => {
  const calendar = createCalendar("always");

  expect(calendar.sessionAt(chicago("2026-01-10T12:00"))?.tradeDate).toBe("20260110");
  expect(calendar.tradingHours(chicago("2026-01-09T12:00"), 2)).toBe(
    "20260108:1700-20260109:1700;20260109:1700-20260110:1700",
  );
});

test.each([
  ["2026-03-11T12:00", "202603"],
  ["2026-03-12T12:00", "202606"],
  ["2025-12-10T12:00", "202512"],
  ["2025-12-11T12:00", "202603"],
])("at %s the front month is %s", (at, month) => {
  const mes = findProduct("MES");
  if (mes === undefined) throw new Error("MES is missing");

  expect(frontListing(mes, chicago(at)).month).toBe(month);
});

test("the last trading day is the third Friday, or the day before where that is Juneteenth", () => {
  const query = {
    conId: 0,
    symbol: "ES",
    secType: "FUT",
    month: "",
    exchange: "CME",
    currency: "USD",
    localSymbol: "",
    tradingClass: "",
    multiplier: "",
  };

  const dates = findListings(query, false, chicago("2026-01-05T12:00")).map((listing) => listing.lastTradeDate);

  expect(dates).toEqual(["20260320", "20260618", "20260918", "20261218", "20270319"]);
});

test("a past month is found only when expired ones are wanted", () => {
  const query = {
    conId: 0,
    symbol: "ES",
    secType: "FUT",
    month: "202512",
    exchange: "CME",
    currency: "USD",
    localSymbol: "",
    tradingClass: "",
    multiplier: "",
  };

  expect(findListings(query, false, chicago("2026-01-05T12:00"))).toEqual([]);
  expect(findListings(query, true, chicago("2026-01-05T12:00")).map((listing) => listing.localSymbol)).toEqual([
    "ESZ5",
  ]);
});
