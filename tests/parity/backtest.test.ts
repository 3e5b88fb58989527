// A backtest on ticks is the live bot on the simulated exchange: the same trades as a session with its journal, its gateway
// port and its clock, record by record.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { runBacktest } from "../../src/programs/backtest.ts";
import { createCalendar } from "../../src/simulators/ib-gateway/calendar.ts";
import { MEASURED } from "../../src/simulators/ib-gateway/market/character.ts";
import { openRecording } from "../../src/simulators/ib-gateway/market/recording.ts";
import { createSyntheticMarket } from "../../src/simulators/ib-gateway/market/synthetic.ts";
import {
  KIND_TRADE,
  NO_PRICE,
  RECORD_BYTES,
  recordA,
  recordAtMs,
  recordB,
  recordC,
  recordD,
  recordKind,
  viewOf,
} from "../../src/simulators/ib-gateway/records.ts";
import { FAKE_START_MS } from "../support/fake-clock.ts";
import { run } from "../support/lockstep.ts";
import { inProcess } from "../support/roads.ts";

const RECORDINGS = join(import.meta.dirname, "../../../shared/data");
const TEST_MS_MAX = 180_000;
/** The bot is up before the first record. */
const LEAD_MS = 5_000;
const SAME = [
  "costs.slippageTicks=0",
  "backtest.targetFill=through",
  "risk.lossStreak=20",
  "risk.dailyLossReset=nextSession",
];

const folder = mkdtempSync(join(tmpdir(), "ticks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(!existsSync(RECORDINGS)).each([
  ["es_ticks_2018-05-07_trades.csv.gz", 80_000, [], 30],
  [
    "es_ticks_2018-05-07_trades.csv.gz",
    80_000,
    ["strategy.sampling=1m", "strategy.window=10", "strategy.entryZ=1.5"],
    5,
  ],
  ["es_ticks_2018-05-07_trades.csv.gz", 16_000, ["strategy.sampling=1s", "strategy.window=60"], 10],
  [
    "es_ticks_2018-05-07_trades.csv.gz",
    16_000,
    ["strategy.sampling=5s", "strategy.window=20", "risk.stopUsd=5", "risk.targetUsd=5"],
    8,
  ],
  ["es_ticks_2018-05-07_trades.csv.gz", 3_000, ["strategy.sampling=trade", "strategy.window=200"], 5],
  [
    "es_ticks_2023-12-25_quotes_trades.csv.gz",
    12_000,
    ["strategy.sampling=1s", "strategy.window=20", "risk.maxSpreadTicks=4"],
    3,
  ],
  [
    "es_ticks_2023-12-25_quotes_trades.csv.gz",
    12_000,
    ["strategy.sampling=1s", "strategy.window=20", "strategy.price=mid"],
    3,
  ],
] as const)(
  "the first records of %s (%i) with %j trade as the session does",
  (file, lines, sets, least) => comparesEqual(cut(file, lines), sets, least),
  TEST_MS_MAX,
);

test(
  "twenty minutes of the synthetic market trade as the session does",
  () => comparesEqual(synthetic(20), ["strategy.sampling=5s", "strategy.window=20", "strategy.price=mid"], 3),
  TEST_MS_MAX,
);

async function comparesEqual(path: string, sets: readonly string[], least: number): Promise<void> {
  const overrides = [...sets, ...SAME];

  const outcome = await runBacktest(
    { data: path, config: null, set: overrides, json: true, html: null, contract: null, trials: 1 },
    new AbortController().signal,
  );
  const session = await run(inProcess, { source: source(path), endMs: endOf(path), overrides, isFine: true });

  const { trades } = outcome.run.report;
  expect(trades.map(asTraded)).toEqual(
    session.roundTrips.map((trade) =>
      asTraded({ ...trade, entryTicks: trade.entryPriceTicks, exitTicks: trade.exitPriceTicks }),
    ),
  );
  expect(trades.length).toBeGreaterThanOrEqual(least);
  expect(outcome.bars.openAtMs.length).toBe(session.decisions);
  expect([session.remarks, outcome.run.report.anomalies]).toEqual([[], 0]);
}

type Traded = {
  readonly side: string;
  readonly quantity: number;
  readonly signalAtMs: number;
  readonly entryAtMs: number;
  readonly entryTicks: number;
  readonly exitAtMs: number;
  readonly exitTicks: number;
  readonly reason: string;
  readonly grossCents: number;
  readonly feesCents: number;
  readonly netCents: number;
};

function asTraded(trade: Traded): Traded {
  const { side, quantity, signalAtMs, entryAtMs, entryTicks, exitAtMs, exitTicks, reason } = trade;
  const { grossCents, feesCents, netCents } = trade;
  return {
    side,
    quantity,
    signalAtMs,
    entryAtMs,
    entryTicks,
    exitAtMs,
    exitTicks,
    reason,
    grossCents,
    feesCents,
    netCents,
  };
}

/** The beginning of a recording as a file of its own. */
function cut(file: string, lines: number): string {
  const text = gunzipSync(readFileSync(join(RECORDINGS, file))).toString("latin1");
  const path = join(folder, `${lines}-${file.replace(".gz", "")}`);
  writeFileSync(
    path,
    `${text
      .split("\n")
      .slice(0, lines + 1)
      .join("\n")}\n`,
  );
  return path;
}

/** Some minutes of the synthetic market as a file of quotes and trades. */
function synthetic(minutes: number): string {
  const market = createSyntheticMarket({
    seed: 7,
    startMs: FAKE_START_MS,
    startPriceTicks: 27_200,
    volatility: 1,
    character: MEASURED,
    hours: "exchange",
    calendar: createCalendar("exchange"),
    state: null,
  });
  const bytes = new Uint8Array(RECORD_BYTES * 4_096);
  const batch = { bytes, view: viewOf(bytes), length: 0 };
  const price = (ticks: number): string => (ticks === NO_PRICE ? "" : String(ticks / 4));
  const rows = ["ts_ns,type,bid,bid_size,ask,ask_size,price,size,side"];
  while (market.advance(FAKE_START_MS + minutes * 60_000, batch) > 0) {
    for (let at = 0; at < batch.length * RECORD_BYTES; at += RECORD_BYTES) {
      const [a, b] = [recordA(batch.view, at), recordB(batch.view, at)];
      const [c, d] = [recordC(batch.view, at), recordD(batch.view, at)];
      const what =
        recordKind(batch.view, at) === KIND_TRADE
          ? `T,,,,,${price(a)},${c},N`
          : `Q,${price(a)},${c},${price(b)},${d},,,`;
      rows.push(`${recordAtMs(batch.view, at)}000000,${what}`);
    }
    batch.length = 0;
  }
  const path = join(folder, "synthetic.csv");
  writeFileSync(path, `${rows.join("\n")}\n`);
  return path;
}

function timesOf(path: string): [number, number] {
  const rows = readFileSync(path, "latin1").trimEnd().split("\n");
  const timeOf = (row: string): number => Number((row.split(",")[0] ?? "").slice(0, -6));
  return [timeOf(rows[1] ?? ""), timeOf(rows.at(-1) ?? "")];
}

/** As long as the backtest lets time pass after the last record, to close its last bar. */
function endOf(path: string): number {
  return timesOf(path)[1] + 6_000;
}

function source(path: string): Parameters<typeof run>[1]["source"] {
  const opened = openRecording(path, {
    symbol: "MES",
    tickSizeE4: 2_500,
    calendar: createCalendar("exchange"),
    startMs: timesOf(path)[0] - LEAD_MS,
    contract: null,
    pastSeed: null,
    todayMs: null,
    loop: false,
    state: null,
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}
