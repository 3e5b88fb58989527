// The session rules against a table of CME's sessions, where one lies in tests/fixtures.
import { existsSync, readFileSync } from "node:fs";
import { DateTime } from "luxon";
import { expect, test } from "vitest";
import { createCalendar, EXCHANGE_ZONE } from "../../../../src/simulators/ib-gateway/calendar.ts";

const TABLE = new URL("../../../fixtures/market/cme_equity_sessions_2025_2027.csv", import.meta.url);

test.skipIf(!existsSync(TABLE))("the rules give every session of 2025 to 2027 as the published schedules do", () => {
  const calendar = createCalendar("exchange");
  const rows = readFileSync(TABLE, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));

  const different = rows.filter(([date = "", kind = "", , , openUtc = "", closeUtc = ""]) => {
    const noonMs = DateTime.fromISO(`${date}T08:00`, { zone: EXCHANGE_ZONE }).toMillis();
    const session = calendar.sessionAt(noonMs);
    if (kind === "closed") return session !== undefined;
    return (
      session?.openMs !== DateTime.fromISO(openUtc).toMillis() ||
      session.closeMs !== DateTime.fromISO(closeUtc).toMillis()
    );
  });

  expect(different.map((row) => row.slice(0, 4))).toEqual([]);
});
