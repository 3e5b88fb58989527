// The whole way from a CSV file and --set flags to the JSON object, against the recorded vectors.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backtestJson } from "../../src/backtest-report/json.ts";
import { runBacktest } from "../../src/programs/backtest.ts";

type Vector = {
  readonly set?: string;
  readonly data: { readonly file: string; readonly contract: string | null; readonly bars: number };
  readonly params: Readonly<Record<string, string | number | null>>;
  readonly stats: Readonly<Record<string, unknown>>;
  readonly events: readonly unknown[];
  readonly trades: readonly Readonly<Record<string, unknown>>[];
};

const ROOT = join(import.meta.dirname, "../..");
const FIXTURES = join(ROOT, "tests/fixtures/vectors");
const SHARED = join(ROOT, "../shared");
const KEYS: Readonly<Record<string, string>> = {
  entry: "strategy.entryZ",
  exit: "strategy.exitZ",
  window: "strategy.window",
  ddof: "strategy.ddof",
  reset_window: "strategy.resetWindow",
  qty: "strategy.quantity",
  stop: "risk.stopUsd",
  target: "risk.targetUsd",
  daily_loss: "risk.dailyLossUsd",
  daily_basis: "risk.dailyLossBasis",
  consec_losses: "risk.lossStreak",
  fee: "costs.feeUsd",
  slippage_ticks: "costs.slippageTicks",
  intrabar: "backtest.intrabar",
  target_fill: "backtest.targetFill",
  equity: "backtest.startEquityUsd",
  session_tz: "session.timeZone",
  session_open: "session.open",
  flatten_at: "session.flattenAt",
  symbol: "contract.symbol",
};
const QUIET = [
  "session.noEntryBeforeFlatten=0s",
  "session.entryWindows=[]",
  "ibkr.resetWindows=[]",
  "risk.lossBudgetCheck=false",
  "risk.trailingDrawdownUsd=null",
  "risk.entriesMax=null",
  "risk.ordersMax=null",
];

test.each(["mini_expected.json", "mini_expected_target_first.json"])("%s is reproduced", async (name) => {
  const wanted = JSON.parse(readFileSync(join(FIXTURES, name), "utf8")) as Vector;

  const found = await run(wanted, join(FIXTURES, wanted.data.file));

  compare(found, wanted);
});

const recorded = join(SHARED, "vectors/backtest_expected.json");
const vectors = existsSync(recorded) ? (JSON.parse(readFileSync(recorded, "utf8")) as Vector[]) : [];

test.skipIf(vectors.length === 0)(
  "SKIPPED unless the recorded vectors lie beside the project: there are twelve",
  () => {
    expect(vectors.length).toBe(12);
  },
);

test.each(vectors.map((each) => [each.set, each.data.file, each] as const))(
  "%s on %s is reproduced: trades, events, figures",
  async (_set, file, wanted) => {
    const found = await run(wanted, join(SHARED, "data", file));

    compare(found, wanted);
  },
);

async function run(vector: Vector, data: string): Promise<Vector> {
  const { params } = vector;
  const set = Object.entries(KEYS).map(([name, key]) => `${key}=${params[name]}`);
  const timed = [
    `strategy.sampling=${Number(params["bar_seconds"]) / 60}m`,
    `risk.lossStreakPause=${params["pause_min"]}m`,
    `risk.maxHold=${params["max_hold_min"]}m`,
  ];
  const outcome = await runBacktest(
    {
      data,
      config: null,
      set: [...set, ...timed, ...QUIET],
      json: true,
      html: null,
      contract: vector.data.contract,
      trials: 1,
    },
    new AbortController().signal,
  );
  return JSON.parse(JSON.stringify(backtestJson(outcome))) as Vector;
}

/** The vectors write some numbers as text; figures hold to 1e-6, z to 1e-9, all else exactly. */
function compare(found: Vector, wanted: Vector): void {
  expect(Object.fromEntries(Object.entries(found.params).map(([name, value]) => [name, String(value)]))).toEqual(
    Object.fromEntries(Object.entries(wanted.params).map(([name, value]) => [name, String(value)])),
  );
  expect(found.data.bars).toBe(wanted.data.bars);
  expect(found.events).toEqual(wanted.events);
  expect(found.trades.map(withoutZ)).toEqual(wanted.trades.map(withoutZ));
  for (const [at, trade] of found.trades.entries()) {
    expect(Math.abs(Number(trade["z_signal"]) - Number(wanted.trades[at]?.["z_signal"]))).toBeLessThan(1.1e-9);
  }
  for (const [name, value] of Object.entries(wanted.stats)) {
    const mine = found.stats[name];
    if (typeof value === "number")
      expect(Math.abs(Number(mine) - value), name).toBeLessThanOrEqual(1e-6 * Math.abs(value));
    else expect(mine, name).toEqual(value);
  }
}

function withoutZ({ z_signal: _, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return rest;
}
