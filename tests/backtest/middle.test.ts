// `strategy.price: mid` on bars, from the file to the reports: z of the middle of bid_close and ask_close, fills of what traded.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { backtestHtml } from "../../src/backtest-report/html.ts";
import { backtestJson } from "../../src/backtest-report/json.ts";
import { backtestText } from "../../src/backtest-report/text.ts";
import { printBarDataProblem, printNote } from "../../src/bar-data/problem.ts";
import { type BarData, type ReadOptions, readBars } from "../../src/bar-data/read.ts";
import { NO_PRICE } from "../../src/bar-data/series.ts";
import type { BacktestOptions, SweepOptions } from "../../src/cli.ts";
import { runBacktest } from "../../src/programs/backtest.ts";
import { runSweep } from "../../src/programs/sweep.ts";
import { DAY_MS, instantText, MINUTE_MS, tickSize } from "../../src/units.ts";

const folder = mkdtempSync(join(tmpdir(), "middle-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const never = new AbortController().signal;

/** 2024-05-07 14:00 UTC, a Tuesday. */
const FIRST_MS = 1_715_090_400_000;
const HEADER = "ts,open,high,low,close,bid_open,bid_close,ask_close,volume";
type Bar = readonly [open: number, close: number, bid: number | null, ask: number | null];

/** The bars that native/core/tests/backtest/middles.rs goes through by hand, in ticks above 4000 points. */
const BY_HAND: readonly Bar[] = [
  [0, 0, 0, 1],
  [0, 0, 0, 1],
  [0, 0, 3, 3],
  [0, 0, 0, null],
  [0, 4, 0, 1],
  [4, 0, 0, 1],
  [0, 0, -5, -4],
  [-5, 0, 0, 1],
  [0, 0, 0, 1],
];

function csv(bars: readonly Bar[]): string {
  const price = (ticks: number | null): string => (ticks === null ? "" : String(4_000 + ticks / 4));
  const rows = bars.map(([open, close, bid, ask], at) => {
    const minute = instantText(FIRST_MS + at * MINUTE_MS);
    const prices = [open, Math.max(open, close), Math.min(open, close), close].map(price);
    return [minute, ...prices, "x", price(bid), price(ask), "1"].join(",");
  });
  return `${[HEADER, ...rows].join("\n")}\n`;
}

let files = 0;

function written(text: string): string {
  const path = join(folder, `${files++}.csv`);
  writeFileSync(path, text);
  return path;
}

const RULES = ["strategy.sampling=1m", "strategy.window=5", "strategy.ddof=0", "strategy.entryZ=1.5"];

function options(data: string, more: readonly string[]): BacktestOptions {
  const set = [...RULES, "risk.stopUsd=10", "risk.targetUsd=15", ...more];
  return { data, config: null, set, json: true, html: null, contract: null, trials: 1 };
}

const READ: ReadOptions = {
  tick: tickSize("0.25"),
  samplingMs: 60_000,
  window: 2,
  contract: null,
  expiry: null,
  hours: { timeZone: "America/Chicago", openMinute: 17 * 60 },
  badTickTicks: 25,
  keepTicks: false,
  wantsMiddle: true,
};

async function read(path: string, more: Partial<ReadOptions> = {}): Promise<BarData> {
  const found = await readBars(path, { ...READ, ...more }, () => true);
  if (!found.ok) throw new Error(printBarDataProblem(found.error));
  return found.value;
}

test("middle and last trade differently, and every report says of which of them z is", async () => {
  const path = written(csv(BY_HAND));

  const last = await runBacktest(options(path, []), never);
  const mid = await runBacktest(options(path, ["strategy.price=mid"]), never);

  const trades = (outcome: typeof mid): unknown => (backtestJson(outcome)["trades"] as unknown[])[0];
  expect(trades(last)).toMatchObject({ side: "short", entry_ts: "2024-05-07T14:05:00Z", net: 1.36 });
  expect(trades(mid)).toMatchObject({ side: "long", entry_ts: "2024-05-07T14:07:00Z", entry_price: 3999, net: 2.61 });
  expect([last, mid].map(({ run }) => run.report.trades.length)).toEqual([1, 1]);
  expect([...mid.run.z].slice(4).map((z) => z.toFixed(4))).toEqual(["0.8165", "0.8165", "-1.9863", "0.5613", "0.5000"]);
  expect([last, mid].map((each) => backtestJson(each)["data"])).toMatchObject([
    { z_of: "last" },
    { z_of: "mid", notes: { crossed_quote: 1, no_quote: 1 } },
  ]);
  const page = backtestHtml(mid);
  for (const text of [backtestText(mid).replaceAll(/\s+/g, " "), page])
    expect(text).toContain("of the middle of bid_close and ask_close at each close, of the close itself where one");
  expect(page).toContain("z of the middle of bid and ask at each close");
  expect(backtestText(last) + backtestHtml(last)).not.toContain("middle of bid");
  expect(backtestText(mid)).toMatch(/1 crossed quote, 1 close\s+without bid or ask/);
});

test("the page draws z of the middle", async () => {
  const path = written(csv(BY_HAND));
  const [last, mid] = [
    await runBacktest(options(path, []), never),
    await runBacktest(options(path, ["strategy.price=mid"]), never),
  ];

  const swapped = backtestHtml({ ...last, run: { ...last.run, z: mid.run.z } });

  const lineOf = (page: string): string | undefined => /<path class="line z" d="[^"]*"/.exec(page)?.[0];
  expect(lineOf(backtestHtml(mid))).toBeDefined();
  expect(lineOf(backtestHtml(mid))).toBe(lineOf(swapped));
  expect(lineOf(backtestHtml(mid))).not.toBe(lineOf(backtestHtml(last)));
});

describe("reading", () => {
  test("bid and ask stand in columns of their own, and only where the middle is wanted", async () => {
    const path = written(csv(BY_HAND));

    const [wanted, not] = [await read(path), await read(path, { wantsMiddle: false })];

    expect([...(wanted.bars.bidTicks ?? [])].slice(1, 5).map((ticks) => ticks - 16_000)).toEqual([0, 3, 0, 0]);
    expect(wanted.bars.askTicks?.[3]).toBe(NO_PRICE);
    expect(not.bars).not.toHaveProperty("bidTicks");
    expect(not.notes.size).toBe(0);
  });

  test("Parquet gives the same", async () => {
    const { bars, notes } = await read(join(import.meta.dirname, "../fixtures/parquet/bars_quotes.parquet"));

    const { closeTicks, bidTicks, askTicks } = bars;
    const steps = [...closeTicks].map((close, at) =>
      [bidTicks?.[at], askTicks?.[at]].map((side) => (side ?? 0) - close),
    );
    expect(steps.slice(0, 5)).toEqual([
      [0, 2],
      [0, 2],
      [NO_PRICE - 16_000, NO_PRICE - 16_000],
      [0, -1],
      [0, 2],
    ]);
    expect(["no_quote", "crossed_quote"].map((type) => notes.get(type as "no_quote")?.count)).toEqual([1, 1]);
  });

  test("more bars than the first room are all kept, and longer bars take the quotes of their last", async () => {
    const many = Array.from({ length: 9_000 }, (_, at): Bar => [0, at % 7, at % 5, 5 + (at % 3)]);
    const path = written(csv(many));

    const [minutes, fives] = [await read(path), await read(path, { samplingMs: 300_000 })];

    expect(minutes.bars.bidTicks?.length).toBe(9_000);
    expect([minutes.bars.bidTicks?.[8_999], minutes.bars.askTicks?.[8_999]]).toEqual([16_004, 16_007]);
    expect(fives.bars.bidTicks?.length).toBe(1_800);
    for (const at of [0, 7, 1_799]) {
      expect(fives.bars.bidTicks?.[at]).toBe(minutes.bars.bidTicks?.[5 * at + 4]);
      expect(fives.bars.askTicks?.[at]).toBe(minutes.bars.askTicks?.[5 * at + 4]);
    }
  });

  test.each<[string, Bar, RegExp]>([
    ["no quote", [0, 0, null, null], /line 3, column 7 \(bid_close\): no bid and no ask; z is of the close here/],
    ["no bid", [0, 0, null, 1], /line 3, column 7 \(bid_close\): no bid; z is of the close here/],
    ["no ask", [0, 0, 0, null], /line 3, column 8 \(ask_close\): no ask; z is of the close here/],
    ["bid = ask", [0, 0, 2, 2], /line 3, column 7 \(bid_close\): the bid is not below the ask; z is of the close here/],
    ["a far middle", [0, 0, 20, 31], /line 3, column 7 \(bid_close\): .* is 25.5 ticks from the close; it is kept/],
  ])("%s is told with its line", async (_name, odd, told) => {
    const { notes } = await read(written(csv([[0, 0, 0, 1], odd, [0, 0, 0, 1]])));

    const all = [...notes.values()].flatMap(({ first }) => first.map(printNote));
    expect(all).toHaveLength(1);
    expect(all[0]).toMatch(told);
  });

  test("a middle as far as the limit is not told", async () => {
    const { notes } = await read(
      written(
        csv([
          [0, 0, 0, 1],
          [0, 0, 20, 30],
          [0, 0, 0, 1],
        ]),
      ),
    );

    expect(notes.size).toBe(0);
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ["no column for the ask", (text) => text.replace("ask_close", "ask"), /has no column "ask_close", which z of the/],
    [
      "neither column",
      (text) => text.replaceAll("_close", ""),
      /has no column "bid_close" and "ask_close".*--set strategy\.price=last/,
    ],
    [
      "a column twice",
      (text) => text.replace("bid_open", "bid_close"),
      /line 1: the column "bid_close" stands in the header twice/,
    ],
    [
      "a word for a bid",
      (text) => text.replace("4000,4000.25,1", "none,4000.25,1"),
      /line 2, column 7 \(bid_close\): "none" is not a price/,
    ],
    [
      "an ask of 0",
      (text) => text.replace("4000,4000.25,1", "4000,0,1"),
      /line 2, column 8 \(ask_close\): "0" is not above 0/,
    ],
    [
      "two bars of one time with other quotes",
      (text) => text.replace("T14:01", "T14:00").replace("4000,4000.25,1", "4000,4000.5,1"),
      /line 3, column 1 \(ts\): .*other prices/,
    ],
  ])("%s is refused", async (_name, spoil, message) => {
    const path = written(spoil(csv(BY_HAND)));

    await expect(runBacktest(options(path, ["strategy.price=mid"]), never)).rejects.toMatchObject({
      code: 2,
      message: expect.stringMatching(message),
    });
  });
});

test("trades alone, and bars made of trades, have no middle", async () => {
  const second = (at: number): string => `${1_715_090_400 + at}000000000`;
  const trades = written(["ts_ns,price", ...[0, 1, 2, 3, 4, 5].map((at) => `${second(at)},4000`)].join("\n"));
  const quotes = written(
    ["ts_ns,type,bid,ask,price", ...[0, 1, 2, 3, 4, 5].map((at) => `${second(at)},T,,,${4000 + (at % 2) / 4}`)].join(
      "\n",
    ),
  );
  const rules = ["strategy.price=mid", "strategy.sampling=1s", "strategy.entryZ=1"];

  await expect(runBacktest(options(trades, rules), never)).rejects.toThrow(
    /holds no quotes.*"bid_close" and "ask_close"/,
  );
  await expect(runBacktest(options(quotes, [...rules, "backtest.fillOn=bars"]), never)).rejects.toThrow(
    /bars made of trades have no bid and ask/,
  );
});

test("a sweep with a walk-forward is of the middle as its single runs are", async () => {
  // Quotes go their own way, so that last prices would give other figures.
  let state = 7;
  const below = (count: number): number => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * count);
  };
  let price = 0;
  const rows: string[] = [];
  for (let day = 0; day < 6; day++) {
    for (let minute = 0; minute < 300; minute++) {
      const open = price;
      price += below(7) - 3;
      const bid = price + below(9) - 6;
      const cells = [open, Math.max(open, price), Math.min(open, price), price, bid, bid + 1 + below(3)];
      const at = instantText(FIRST_MS + (day > 3 ? day + 2 : day) * DAY_MS + minute * MINUTE_MS);
      rows.push([at, ...cells.map((ticks) => 4_000 + ticks / 4)].join(","));
    }
  }
  const data = written(["ts,open,high,low,close,bid_close,ask_close", ...rows].join("\n"));
  const sweepOf = (price: string): SweepOptions => ({
    ...options(data, [`strategy.price=${price}`]),
    ...{ sweep: ["strategy.window=10,20"], random: null, seed: 7, rank: "net" as const, walkForward: "2:1" },
    ...{ threads: 2, state: null, csv: null, heat: null },
  });

  const [mid, last] = [await runSweep(sweepOf("mid"), never), await runSweep(sweepOf("last"), never)];

  for (const row of mid.rows) {
    const set = ["strategy.price=mid", `strategy.window=${row.texts[0]}`];
    const alone = await runBacktest(options(data, set), never);
    expect(row.statistics).toEqual(alone.run.report.statistics);
  }
  const nets = ({ rows }: typeof mid): number[] => rows.map(({ statistics }) => statistics.netCents);
  expect(nets(mid)).not.toEqual(nets(last));
  expect(mid.walk?.steps).toHaveLength(4);
  expect(mid.walk?.curveCents).not.toEqual(last.walk?.curveCents);
});
