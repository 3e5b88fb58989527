// Which listing is traded: the broker's dates decide, counted in days of the exchange's zone.
import type { ContractDetails } from "@stoqey/ib";
import { DateTime } from "luxon";
import { describe, expect, test } from "vitest";
import type { ContractQuery } from "../../../src/trading/gateway.ts";
import { chooseListing, detailsQuery } from "../../../src/trading/ib/contracts.ts";

const QUERY: ContractQuery = { symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 };

const listed = (lastTradeDate: string, more: Partial<ContractDetails> = {}): ContractDetails => ({
  contract: {
    conId: Number(lastTradeDate.slice(0, 8)),
    symbol: "MES",
    localSymbol: `MES${lastTradeDate}`,
    lastTradeDateOrContractMonth: lastTradeDate,
    multiplier: 5,
    exchange: "CME",
    currency: "USD",
  },
  contractMonth: lastTradeDate.slice(0, 6),
  minTick: 0.25,
  timeZoneId: "US/Central",
  tradingHours: "20261125:1700-20261126:1600",
  ...more,
});

const QUARTERS = [listed("20270319"), listed("20261218"), listed("20270618")];

const chicago = (text: string): number => DateTime.fromISO(text, { zone: "America/Chicago" }).toMillis();

/** Returns the month of the listing chosen at a time in Chicago, or what the person is told. */
function chosen(atChicago: string, query: Partial<ContractQuery> = {}, details = QUARTERS): string {
  const choice = chooseListing(details, { ...QUERY, ...query }, chicago(atChicago));
  if (choice.ok) return choice.value.contract.month;
  return choice.error.type === "not_found" ? choice.error.detail : choice.error.type;
}

describe("the front month", () => {
  test.each([
    ["2026-11-25T09:00", 8, "202612", "weeks away"],
    ["2026-12-09T23:59", 8, "202612", "nine days before the last trade date: still"],
    ["2026-12-10T00:00", 8, "202703", "eight days before: the next"],
    ["2026-12-18T00:00", 8, "202703", "on the last trade date"],
    ["2026-12-17T23:59", 0, "202612", "without a roll, the day before the last"],
    ["2026-12-18T00:00", 0, "202703", "without a roll, on the last day"],
    ["2027-03-12T12:00", 8, "202706", "a year turns"],
  ])("at %s, rolling %d days before, is %s: %s", (at, rollDaysBefore, month) => {
    expect(chosen(at, { rollDaysBefore })).toBe(month);
  });

  test("counts days in the exchange's zone, whatever the zone of the machine", () => {
    // 23:30 in Chicago is already the 10th in UTC.
    expect(chosen("2026-12-09T23:30")).toBe("202612");
  });

  test("is told to be missing where every listing is too near its end", () => {
    expect(chosen("2027-06-17T12:00")).toBe(
      "the broker lists no month that is far enough from its last trade date for MES at CME",
    );
  });

  test("is told to be missing where nothing is listed", () => {
    expect(chosen("2026-11-25T09:00", {}, [])).toContain("the broker lists no month");
  });
});

describe("a named month", () => {
  test.each([
    ["2026-11-25T09:00", "202612", "202612"],
    ["2026-11-25T09:00", "202703", "202703"],
    ["2026-12-18T09:00", "202612", "202612"],
    ["2026-12-19T00:00", "202612", "the broker lists no tradable 202612 for MES at CME"],
    ["2026-11-25T09:00", "202609", "the broker lists no tradable 202609 for MES at CME"],
  ])("at %s, %s gives: %s", (at, month, answer) => {
    expect(chosen(at, { month })).toBe(answer);
  });
});

describe("a listing", () => {
  test("is told in the engine's units", () => {
    const choice = chooseListing([listed("20261218 08:30 US/Central")], QUERY, chicago("2026-11-25T09:00"));

    expect(choice).toMatchObject({
      ok: true,
      value: {
        contract: {
          conId: 20_261_218,
          month: "202612",
          lastTradeDate: "2026-12-18",
          tickSizeE4: 2_500,
          multiplierCents: 500,
          hours: [{ fromMs: chicago("2026-11-25T17:00"), toMs: chicago("2026-11-26T16:00") }],
        },
        scale: { tickSize: 0.25, multiplier: 5 },
        zone: "US/Central",
      },
    });
  });

  test("without a month word takes it from its last trade date", () => {
    const { contractMonth: _gone, ...rest } = listed("20261218");

    expect(chosen("2026-11-25T09:00", {}, [rest as ContractDetails])).toBe("202612");
  });

  test.each<[string, Partial<ContractDetails>, string]>([
    ["whose zone is unknown", { timeZoneId: "Mars" }, 'MES20261218: the time zone "Mars" is not known here'],
    [
      "whose hours are not understood",
      { tradingHours: "??" },
      'MES20261218: the trading hours "??" are not understood',
    ],
    ["without a tick size", { minTick: 0 }, "MES20261218 without a multiplier or tick size"],
    [
      "without an id",
      { contract: { localSymbol: "MESZ6" } },
      "a listing without id, name, tick size or last trade date",
    ],
  ])("%s is passed over, and the reason told where none is left", (_name, broken, why) => {
    const bad = listed("20261218", broken);

    expect(chosen("2026-11-25T09:00", {}, [bad])).toContain(`(${why})`);
    expect(chosen("2026-11-25T09:00", {}, [bad, listed("20270319")])).toBe("202703");
  });
});

test("the question names the month only where a person did", () => {
  expect(detailsQuery(QUERY)).not.toHaveProperty("lastTradeDateOrContractMonth");
  expect(detailsQuery({ ...QUERY, month: "202612" })).toMatchObject({
    symbol: "MES",
    secType: "FUT",
    exchange: "CME",
    currency: "USD",
    lastTradeDateOrContractMonth: "202612",
  });
});
