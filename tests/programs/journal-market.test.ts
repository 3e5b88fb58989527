// The recording that comes out of a journal: what the bot saw, playable by the simulated market.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { wallClock } from "../../src/clock.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { silentLog } from "../../src/log.ts";
import { marketLines } from "../../src/programs/journal-market.ts";
import { createCalendar } from "../../src/simulators/ib-gateway/calendar.ts";
import { openRecording } from "../../src/simulators/ib-gateway/market/recording.ts";

const AT_MS = 1_767_623_400_000;
const started = (symbol: string): string =>
  JSON.stringify({ type: "started", settings: { instrument: { symbol, tickSizeE4: 2_500 } } });

async function journalOf(write: (journal: Journal) => void): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), "journal-market-"));
  const opened = await openJournal({ dataDir, clock: wallClock, log: silentLog });
  if (!opened.ok) throw new Error(opened.error.type);
  const { journal } = opened.value;
  write(journal);
  await journal.commit();
  await journal.close();
  return dataDir;
}
type Journal = Extract<Awaited<ReturnType<typeof openJournal>>, { ok: true }>["value"]["journal"];

test("quotes and trades come out in order, what is crossed or has no price is counted and left out", async () => {
  const dataDir = await journalOf((journal) => {
    journal.appendTrade(AT_MS, AT_MS, 27_000, 1);
    journal.appendJson("input", AT_MS, started("MES"));
    journal.appendQuote(AT_MS, AT_MS, 27_000, 27_001, 9, 8);
    journal.appendTrade(AT_MS + 5, AT_MS, 27_001, 3);
    journal.appendQuote(AT_MS + 6, AT_MS, 27_002, 27_001, 9, 8);
    journal.appendTrade(AT_MS + 7, AT_MS, 0, 3);
    journal.appendQuote(AT_MS + 8, AT_MS, null, 27_001, 0, 8);
  });
  const found = { rows: 0, leftOut: 0 };

  const text = [...marketLines(dataDir, found)].join("");

  expect(text.trimEnd().split("\n")).toEqual([
    "ts_ns,type,bid,bid_size,ask,ask_size,price,size,side",
    "1767623400000000000,Q,6750,9,6750.25,8,,,",
    "1767623400005000000,T,,,,,6750.25,3,N",
    "1767623400008000000,Q,,,6750.25,8,,,",
  ]);
  expect(found).toEqual({ rows: 3, leftOut: 2 });
  const path = join(dataDir, "market.csv");
  writeFileSync(path, text);
  const opened = openRecording(path, {
    symbol: "MES",
    tickSizeE4: 2_500,
    calendar: createCalendar("always"),
    startMs: null,
    contract: null,
    pastSeed: null,
    todayMs: null,
    loop: false,
    state: null,
  });
  expect(opened).toMatchObject({ ok: true, value: { startMs: AT_MS, endMs: AT_MS + 8 } });
});

test("a journal of two instruments, or of none, is refused with the reason", async () => {
  const two = await journalOf((journal) => {
    journal.appendJson("input", AT_MS, started("MES"));
    journal.appendTrade(AT_MS, AT_MS, 27_000, 1);
    journal.appendJson("input", AT_MS, started("MNQ"));
  });
  const none = await journalOf((journal) => void journal.appendJson("input", AT_MS, started("MES")));

  expect(() => [...marketLines(two, { rows: 0, leftOut: 0 })]).toThrow(/prices of MES and of MNQ/);
  expect(() => [...marketLines(none, { rows: 0, leftOut: 0 })]).toThrow(/no trades and quotes/);
});
