// Recordings: what each form of file becomes, how a bad one is refused, how one is gone on with.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DateTime } from "luxon";
import { describe, expect, test } from "vitest";
import { createCalendar } from "../../../../src/simulators/ib-gateway/calendar.ts";
import {
  openRecording,
  printRecordingProblem,
  type RecordingOptions,
} from "../../../../src/simulators/ib-gateway/market/recording.ts";
import type { MarketSource } from "../../../../src/simulators/ib-gateway/market-source.ts";
import {
  KIND_TRADE,
  RECORD_BYTES,
  recordA,
  recordAtMs,
  recordB,
  recordC,
  recordKind,
} from "../../../../src/simulators/ib-gateway/records.ts";

const OPTIONS: RecordingOptions = {
  symbol: "MES",
  tickSizeE4: 2_500,
  calendar: createCalendar("exchange"),
  startMs: null,
  contract: null,
  pastSeed: null,
  todayMs: null,
  loop: false,
  state: null,
};
const SECOND_NS = "15256998"; // 1525699800 = 7 May 2018 08:30 Chicago, its last two digits below
const TRADES = [
  "ts_ns,price",
  `${SECOND_NS}00001532000,2670.5`,
  `${SECOND_NS}00001532000,2670.25`,
  `${SECOND_NS}01005532000,2670.25`,
  `${SECOND_NS}02000000000,2670.75`,
];
const BARS = [
  "ts,contract,open,high,low,close,volume,bid_open",
  "2018-05-07T13:30:00Z,ESM8,2670,2671,2669.5,2670.5,40,",
  "2018-05-07T13:30:00Z,ESU8,2680,2680,2680,2680,1,",
  "2018-05-07T13:31:00Z,ESM8,,,,,,2670",
  "2018-05-07T13:32:00Z,ESM8,2670.5,2670.5,2669,2669.25,8,",
];

const file = (lines: readonly string[], name = "market.csv"): string => {
  const path = join(mkdtempSync(join(tmpdir(), "recording-")), name);
  const text = lines.join("\n");
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
};

const opened = (path: string, options: Partial<RecordingOptions> = {}): MarketSource => {
  const recording = openRecording(path, { ...OPTIONS, ...options });
  if (!recording.ok) throw new Error(printRecordingProblem(recording.error));
  return recording.value;
};

const records = (source: MarketSource, untilMs = Number.MAX_SAFE_INTEGER - 1): string[] => {
  const bytes = new Uint8Array(1_000 * RECORD_BYTES);
  const batch = { bytes, view: new DataView(bytes.buffer), length: 0 };
  source.advance(untilMs, batch);
  return Array.from({ length: batch.length }, (_, index) => {
    const at = index * RECORD_BYTES;
    const [a, b, c] = [recordA(batch.view, at), recordB(batch.view, at), recordC(batch.view, at)];
    const what = recordKind(batch.view, at) === KIND_TRADE ? `${c} at ${a}` : `${a}/${b}`;
    return `${recordAtMs(batch.view, at) - 1_525_699_800_000} ${what}`;
  });
};

describe("a recording", () => {
  test("of trades gets its quotes by the tick rule, each before the trade that tells it", () => {
    const source = opened(file(TRADES));

    expect(records(source)).toEqual([
      "1 10681/10682",
      "1 1 at 10682",
      "1 10681/10682",
      "1 1 at 10681",
      "1005 10681/10682",
      "1005 1 at 10681",
      "2000 10682/10683",
      "2000 1 at 10683",
    ]);
    expect(source.nextAtMs()).toBeNull();
    expect(source.label).toBe("recorded prices of 7 May 2018, MES multiplier (quotes derived from trades)");
  });

  test("of quotes and trades is handed over as it is, gzipped or not", () => {
    const lines = [
      "ts_ns,type,bid,bid_size,ask,ask_size,price,size,side",
      `${SECOND_NS}00000000000,T,,,,,2670.5,4,B`,
      `${SECOND_NS}00000000000,Q,2670.25,8,2670.75,9,,,`,
    ];

    expect(records(opened(file(lines, "market.csv.gz")))).toEqual(["0 4 at 10682", "0 10681/10683"]);
    expect(records(opened(file(lines)))).toEqual(["0 4 at 10682", "0 10681/10683"]);
  });

  test("of bars prints open, low, high, close of a rising one and the reverse of a falling one, of the busiest contract", () => {
    const source = opened(file(BARS));

    const trades = records(source).filter((line) => line.includes("at"));
    expect(trades).toEqual([
      "0 10 at 10680",
      "20000 10 at 10678",
      "40000 10 at 10684",
      "59999 10 at 10682",
      "120000 2 at 10682",
      "140000 2 at 10682",
      "160000 2 at 10676",
      "179999 2 at 10677",
    ]);
    expect(source.label).toContain("contract ESM8");
  });

  test("of bars tells the standing quote again each second, but not in a gap of more than a minute", () => {
    const quotes = records(opened(file(BARS)))
      .filter((line) => !line.includes("at"))
      .map((line) => Number(line.split(" ")[0]));

    expect(quotes.slice(0, 4)).toEqual([0, 1_000, 2_000, 3_000]);
    const gaps = quotes.slice(1).map((atMs, index) => atMs - (quotes[index] ?? 0));
    expect(gaps.filter((gapMs) => gapMs > 1_000)).toEqual([]);
    const apart = BARS.map((line) => line.replace(":32:00", ":35:00"));
    const last = records(opened(file(apart))).filter((line) => !line.includes("at"));
    const widest = last.map((line) => Number(line.split(" ")[0]));
    expect(Math.max(...widest.slice(1).map((atMs, index) => atMs - (widest[index] ?? 0)))).toBeGreaterThan(60_000);
  });

  test("that starts later tells what lies before as history", () => {
    const source = opened(file(TRADES), { startMs: 1_525_699_801_000 });

    expect(source.history(1_000, 10, 1_525_699_801_000).map((bar) => [bar.openTicks, bar.closeTicks])).toEqual([
      [10682, 10681],
    ]);
    expect(records(source).slice(0, 2)).toEqual(["1005 10681/10682", "1005 1 at 10681"]);
  });

  test("that starts at its first record can have a synthetic past, named in the label, that ends at its first price", () => {
    const source = opened(file(TRADES), { pastSeed: 7 });

    const bars = source.history(5_000, 1_000, source.startMs);
    expect(bars).toHaveLength(1_000);
    expect(bars.at(-1)?.closeTicks).toBe(10_682);
    expect(source.history(86_400_000, 1_000, source.startMs)).toHaveLength(1_000);
    expect(source.label).toContain("synthetic past");
  });

  test("goes on from its state", () => {
    const path = file(TRADES);
    const first = opened(path);
    records(first, 1_525_699_800_500);

    expect(records(opened(path, { state: first.state() }))).toEqual(records(first));
    const other = openRecording(file(BARS), { ...OPTIONS, state: first.state() });
    expect(other).toMatchObject({ ok: false, error: { type: "other_state" } });
  });

  test("that loops begins anew at the same time of the next trading day, over the weekend too, and never ends", () => {
    const source = opened(file(TRADES), { loop: true });
    const dayMs = 86_400_000;

    const days = records(source, 1_525_699_800_000 + 7 * dayMs)
      .filter((line) => line.endsWith("1 at 10683"))
      .map((line) => (Number(line.split(" ")[0]) - 2_000) / dayMs);
    // The recorded day is a Monday.
    expect(days).toEqual([0, 1, 2, 3, 4]);
    expect(source.endMs).toBeNull();
    expect(source.restUntil(1_525_699_801_000)).toBeNull();
    expect(source.restUntil(1_525_699_802_000)).toBeNull();
    expect(source.restUntil(1_525_699_802_001)).toBe(1_525_699_800_001 + dayMs);
    expect(source.label).toContain("begins anew each trading day");
  });

  test("that loops and lasts for days keeps its weekdays", () => {
    const days = [...TRADES, "1525872600000000000,2671"];
    const source = opened(file(days), { loop: true });

    const firsts = records(source, 1_525_699_800_000 + 15 * 86_400_000).filter((line) => line.endsWith("1 at 10682"));
    expect(firsts.map((line) => Math.floor(Number(line.split(" ")[0]) / 86_400_000))).toEqual([0, 7, 14]);
  });

  test.each([
    ["a trading day after it", "2026-11-24T20:00", "2026-11-24T08:30"],
    ["a trading day before its time", "2026-11-24T03:00", "2026-11-24T08:30"],
    ["a Sunday", "2026-11-22T12:00", "2026-11-20T08:30"],
    ["a day in summer, by the clock of the exchange", "2026-06-24T20:00", "2026-06-24T08:30"],
  ])("that is moved to today begins, on %s, at its own time of day", (_what, now, begins) => {
    const chicago = (text: string): number => DateTime.fromISO(text, { zone: "America/Chicago" }).toMillis();

    const source = opened(file(TRADES), { todayMs: chicago(now) });

    expect(source.startMs).toBe(chicago(begins) + 1);
    expect(source.label).toContain(`moved to ${DateTime.fromMillis(source.startMs).toFormat("d LLL yyyy")}`);
  });

  test("that is moved and loops goes on from its state, on another day too", () => {
    const path = file(TRADES);
    const first = opened(path, { loop: true, todayMs: 1_800_000_000_000 });
    records(first, first.startMs + 86_400_500);

    const second = opened(path, { loop: true, todayMs: 1_800_500_000_000, state: first.state() });

    expect(second.startMs).toBe(first.startMs);
    const untilMs = first.startMs + 3 * 86_400_000;
    expect(records(second, untilMs)).toEqual(records(first, untilMs));
  });

  test.each([
    ["a column that is not known", ["time,price", "1,2"], /line 1: the columns are time,price/],
    ["a time that goes back", [...TRADES, `${SECOND_NS}01000000000,2670`], /line 6: the time goes back by 1000 ms/],
    ["a price of zero", [...TRADES, `${SECOND_NS}03000000000,0`], /line 6: the price 0 is not above 0/],
    [
      "a negative price",
      [...TRADES, `${SECOND_NS}03000000000,-2670`],
      /line 6: the price -2670 is not a price above 0/,
    ],
    [
      "a price between two ticks",
      [...TRADES, `${SECOND_NS}03000000000,2670.1`],
      /line 6: the price 2670.1 is no whole number of ticks/,
    ],
    ["a time in other units", [...TRADES, "1525699803,2670"], /line 6: the time 1525699803 is not in nanoseconds/],
    ["a line that was cut off", [...TRADES, SECOND_NS], /line 6: it has 1 fields, the header 2/],
    [
      "a bar whose high is below its close",
      [...BARS, "2018-05-07T13:33:00Z,ESM8,2670,2670,2669,2671,1,"],
      /line 6: high 2670 and low 2669 do not hold/,
    ],
    ["no trade at all", ["ts_ns,price"], /holds no trade/],
  ])("with %s is refused with the file and the line", (_, lines, expected) => {
    const recording = openRecording(file(lines), OPTIONS);

    expect(recording.ok).toBe(false);
    if (!recording.ok) expect(printRecordingProblem(recording.error)).toMatch(expected);
  });

  test("that is broken inside its gzip, or is not there, is refused", () => {
    const broken = file(["x"], "broken.csv.gz");
    writeFileSync(broken, gzipSync(TRADES.join("\n")).subarray(0, 30));

    for (const path of [broken, "/nowhere/market.csv"]) {
      const recording = openRecording(path, OPTIONS);
      expect(recording).toMatchObject({ ok: false, error: { type: "unreadable", path } });
    }
  });
});
