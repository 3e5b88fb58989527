// What a backtest knows of its contract beside the data.
import { DateTime } from "luxon";
import { expect, test } from "vitest";
import { loadSettings } from "../../src/config/load.ts";
import type { Settings } from "../../src/config/schema.ts";
import { contractOf } from "../../src/programs/backtest-contract.ts";
import { instantText } from "../../src/units.ts";

const settings = (...overrides: string[]): Settings => {
  const loaded = loadSettings({ file: null, environment: {}, overrides });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value.settings;
};
const at = (text: string): number => DateTime.fromISO(text).toMillis();

test.each([
  ["ESZ3", "2013-10-07T00:00:00Z", [], "2013-12-20"],
  ["ESZ3", "2013-12-20T20:00:00Z", [], "2013-12-20"],
  ["ESH4", "2013-12-20T00:00:00Z", [], "2014-03-21"],
  ["ESH2014", "2013-12-20T00:00:00Z", [], "2014-03-21"],
  ["MESM26", "2026-05-01T00:00:00Z", [], "2026-06-19"],
  [null, "2026-05-01T00:00:00Z", [], ""],
  [null, "2026-05-01T00:00:00Z", ["contract.expiry=202609"], "2026-09-18"],
  ["SPX", "2026-05-01T00:00:00Z", [], ""],
] as const)("%s in data of %s with %j ends on %s", (name, from, overrides, wanted) => {
  const contract = contractOf(settings(...overrides), name, at(from), at(from));

  expect(contract.lastTradeDate).toBe(wanted);
});

test("hours are the exchange's, early closes included", () => {
  const { hours } = contractOf(settings(), "MESZ6", at("2026-11-25T15:00:00Z"), at("2026-11-30T15:00:00Z"));

  expect(hours.map(({ fromMs, toMs }) => [instantText(fromMs), instantText(toMs)])).toEqual([
    ["2026-11-24T23:00:00.000Z", "2026-11-25T22:00:00.000Z"],
    ["2026-11-25T23:00:00.000Z", "2026-11-26T18:00:00.000Z"],
    ["2026-11-26T23:00:00.000Z", "2026-11-27T18:15:00.000Z"],
    ["2026-11-29T23:00:00.000Z", "2026-11-30T22:00:00.000Z"],
  ]);
});

test("an instrument of one's own has no hours, and tick and multiplier fit", () => {
  const own = settings(
    "contract.symbol=XYZ",
    "contract.custom={exchange: CME, currency: USD, tick: 0.1, multiplier: 2.5, feeUsd: 1.5}",
  );

  const contract = contractOf(own, null, at("2026-11-25T15:00:00Z"), at("2026-11-25T16:00:00Z"));

  expect(contract).toMatchObject({ hours: [], tickSizeE4: 1_000, multiplierCents: 250 });
});
