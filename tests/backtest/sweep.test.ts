// A sweep from its words to its reports: the figures of single runs, a walk made by hand, and going on where it stood.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { backtestJson } from "../../src/backtest-report/json.ts";
import { sweepHtml } from "../../src/backtest-report/sweep-html.ts";
import { sweepCsv, sweepJson } from "../../src/backtest-report/sweep-json.ts";
import { sweepText } from "../../src/backtest-report/sweep-text.ts";
import type { SweepOptions } from "../../src/cli.ts";
import { runBacktest } from "../../src/programs/backtest.ts";
import { ExitError } from "../../src/programs/exit.ts";
import { runSweep } from "../../src/programs/sweep.ts";

const folder = mkdtempSync(join(tmpdir(), "sweep-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DAYS = 14;
const DATA = join(folder, "bars.csv");
writeFileSync(DATA, walk(DAYS));

const OPTIONS: SweepOptions = {
  data: DATA,
  config: null,
  set: ["strategy.sampling=1m", "strategy.window=20", "risk.stopUsd=40", "risk.targetUsd=60"],
  json: true,
  html: null,
  contract: null,
  trials: 1,
  sweep: ["strategy.window=10,20,40", "strategy.entryZ=1.5:2.5:0.5"],
  random: null,
  seed: 7,
  rank: "net",
  walkForward: null,
  threads: 2,
  state: null,
  csv: null,
  heat: null,
};
const never = new AbortController().signal;

type Json = {
  readonly results: readonly { readonly values: Record<string, string>; readonly stats: Record<string, unknown> }[];
  readonly walk_forward: {
    readonly steps: readonly {
      readonly chosen: Record<string, string>;
      readonly out_of_sample: { readonly net: number; readonly sessions: number; readonly trades: number };
    }[];
    readonly out_of_sample: { readonly net: number; readonly sessions: number };
    readonly daily_net: Record<string, number>;
  };
  readonly overfitting: { readonly probability: number | null; readonly why?: string; readonly blocks: number };
};

async function json(options: Partial<SweepOptions>): Promise<Json> {
  const outcome = await runSweep({ ...OPTIONS, ...options }, never);
  return JSON.parse(JSON.stringify(sweepJson(outcome))) as Json;
}

/** A single run with these values, as `--json` prints it. */
async function alone(values: Record<string, string>): Promise<{ stats: Record<string, unknown> }> {
  const set = [...OPTIONS.set, ...Object.entries(values).map(([key, value]) => `${key}=${value}`)];
  return JSON.parse(JSON.stringify(backtestJson(await runBacktest({ ...OPTIONS, set }, never)))) as {
    stats: Record<string, unknown>;
  };
}

test("each combination has the figures of a single run, the best first", async () => {
  const { results } = await json({});

  expect(results.length).toBe(9);
  for (const { values, stats } of results) expect((await alone(values)).stats).toMatchObject(stats);
  const nets = results.map(({ stats }) => stats["net"] as number);
  expect(nets).toEqual(nets.toSorted((one, other) => other - one));
  expect(new Set(nets).size).toBeGreaterThan(3);
});

test("other settings than numbers are swept, the sampling of the data too", async () => {
  const { results } = await json({
    sweep: ["strategy.sampling=1m,5m", "session.flattenAt=15:55,none", "backtest.intrabar=stop-first,target-first"],
  });

  expect(results.length).toBe(8);
  for (const { values, stats } of results) expect((await alone(values)).stats).toMatchObject(stats);
});

test("the number of threads changes nothing", async () => {
  const [one, many] = [await json({ threads: 1 }), await json({ threads: 5 })];

  expect(many).toEqual(one);
});

test("a walk-forward chooses by the days before and counts the days after", async () => {
  const found = await json({ walkForward: "4:3" });

  const singles = await Promise.all(
    found.results
      .toSorted((one, other) => order(one.values) - order(other.values))
      .map(async ({ values }) => ({ values, daily: dailyOf(await alone(values)) })),
  );
  const steps = [0, 3, 6, 9].map((from) => {
    const sum = (daily: readonly number[], to: number, start: number) =>
      daily.slice(start, to).reduce((total, net) => total + net, 0);
    const best = singles.reduce((one, other) =>
      sum(other.daily, from + 4, from) > sum(one.daily, from + 4, from) ? other : one,
    );
    const outside = best.daily.slice(from + 4, from + 7);
    return { chosen: best.values, net: outside.reduce((total, net) => total + net, 0) / 100, sessions: outside.length };
  });
  expect(
    found.walk_forward.steps.map(({ chosen, out_of_sample: { net, sessions } }) => ({ chosen, net, sessions })),
  ).toEqual(steps);
  const total = steps.reduce((sum, { net }) => sum + Math.round(net * 100), 0) / 100;
  expect(found.walk_forward.out_of_sample).toMatchObject({ net: total, sessions: DAYS - 4 });
  expect(Object.keys(found.walk_forward.daily_net).length).toBe(DAYS - 4);
});

/** In the order of the plan, where equals are decided. */
function order(values: Record<string, string>): number {
  return Number(values["strategy.window"]) * 10 + Number(values["strategy.entryZ"]);
}

/** Net of each day in cents. */
function dailyOf({ stats }: { stats: Record<string, unknown> }): readonly number[] {
  const equity = Object.values(stats["daily_equity"] as Record<string, number>).map((usd) => Math.round(usd * 100));
  return equity.map((cents, at) => cents - (equity[at - 1] ?? 1_000_000));
}

test("overfitting is judged from eight trading days on", async () => {
  const short = join(folder, "short.csv");
  writeFileSync(short, walk(7));

  const [enough, few] = [await json({}), await json({ data: short })];

  expect(enough.overfitting).toMatchObject({ blocks: 6 });
  expect(enough.overfitting.probability).toBeGreaterThanOrEqual(0);
  expect(few.overfitting).toEqual({ probability: null, why: "there are fewer than 8 trading days" });
});

test("a sweep goes on from its state and comes to the same", async () => {
  const state = join(folder, "state");
  const whole = await json({ walkForward: "4:3" });
  await json({ walkForward: "4:3", state });
  const lines = readFileSync(state, "utf8").split("\n");
  expect(lines.length).toBe(1 + 9 + 1);
  writeFileSync(state, `${lines.slice(0, 5).join("\n")}\n${lines[6]?.slice(0, 40)}`);

  const again = await json({ walkForward: "4:3", state });

  expect(again).toEqual(whole);
  expect(readFileSync(state, "utf8").split("\n").length).toBe(1 + 9 + 1);
});

test.each<[string, Partial<SweepOptions>]>([
  ["other settings", { set: [...OPTIONS.set, "risk.maxHold=1h"] }],
  ["another grid", { sweep: ["strategy.window=10,20,40", "strategy.entryZ=1.5:2.5:0.25"] }],
  ["other windows", { walkForward: "5:3" }],
  ["other data", { data: join(folder, "short.csv") }],
])("a state of %s is refused", async (_, options) => {
  const state = join(folder, "foreign");
  writeFileSync(join(folder, "short.csv"), walk(7));
  rmSync(state, { force: true });
  await json({ state });

  await expect(json({ ...options, state })).rejects.toThrow(/other data, other settings or another grid.*--state/);
});

test("a sweep that is stopped keeps what is done and says so", async () => {
  const state = join(folder, "stopped");
  const controller = new AbortController();
  const running = runSweep({ ...OPTIONS, state }, controller.signal);
  controller.abort();

  await expect(running).rejects.toMatchObject({ code: 130 });
});

test.each<[Partial<SweepOptions>, RegExp]>([
  [{ sweep: ["strategy.windw=5"] }, /windw is not a key/],
  [{ sweep: ["strategy.window=5", "strategy.entryZ=3"] }, /None of the 1 combinations is allowed/],
  [{ walkForward: "60:20" }, /14 trading days, too few for a walk-forward of 60:20/],
  [{ walkForward: "x" }, /such as 60:20/],
  [
    { walkForward: "4:3", sweep: ["session.timeZone=America/Chicago,Europe/Berlin"] },
    /same trading days for all combinations/,
  ],
  [{ heat: "strategy.window" }, /--heat strategy\.window: name two/],
  [{ heat: "window,risk.stopUsd" }, /name two settings that are swept/],
  [{ csv: join(folder, "no", "x.csv") }, /there is no folder .*--csv/],
  [{ sweep: ["strategy.window=20,9999"] }, /fewer than the window of 9,999/],
])("%j ends with code 2", async (options, message) => {
  const failed = await json(options).catch((thrown: unknown) => thrown);

  expect(failed).toBeInstanceOf(ExitError);
  expect((failed as ExitError).code).toBe(2);
  expect((failed as ExitError).message).toMatch(message);
});

test("the report says what it assumes first and keeps to 80 columns, however many settings are swept", async () => {
  const many = [
    "strategy.window=10,20",
    "strategy.entryZ=1.5,2",
    "strategy.exitZ=0,0.5",
    "risk.maxHold=30m,2h",
    "risk.lossStreak=2,3",
  ];
  for (const sweep of [OPTIONS.sweep, many]) {
    const outcome = await runSweep({ ...OPTIONS, sweep, walkForward: "4:3" }, never);

    const text = sweepText(outcome);

    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const places = ["\nfills ", "\nfees ", "\nswept ", "\nBy net result", "\noverfitting ", "\nWalk-forward"].map(
      (word) => text.indexOf(word),
    );
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  }
});

test("the page asks for nothing outside itself and maps two settings", async () => {
  const outcome = await runSweep({ ...OPTIONS, walkForward: "4:3", heat: "entryZ,window" }, never);

  const page = sweepHtml(outcome);

  expect(page).not.toMatch(/(?:src|href)=|url\(|@import|<script|<link|https?:/);
  expect(page.indexOf("what it assumes")).toBeLessThan(page.indexOf("<svg"));
  for (const title of [
    "Can the best be trusted?",
    "entryZ against window",
    "Walk-forward",
    "Combinations by net result",
  ])
    expect(page).toContain(title);
  expect(page.match(/class="best"/g)?.length).toBe(1);
  expect(page.match(/<td[^>]*background:/g)?.length).toBe(9);
});

test("the table has a line for each combination", async () => {
  const lines = sweepCsv(
    await runSweep({ ...OPTIONS, sweep: ['session.entryWindows=[],["08:35-11:00","13:00-14:45"]'] }, never),
  );

  const [header = "", ...rows] = lines.trimEnd().split("\n");
  expect(header.startsWith("rank,session.entryWindows,trades,")).toBe(true);
  expect(rows.length).toBe(2);
  expect(rows.some((row) => row.includes('"[""08:35-11:00"",""13:00-14:45""]"'))).toBe(true);
});

test("a random sweep runs as many combinations as were asked", async () => {
  const { results } = await json({ random: 4, seed: 3 });

  expect(results.length).toBe(4);
});

/** One-minute bars of so many weekdays, 08:30 to 13:00 in Chicago, the same each time. */
function walk(days: number): string {
  const lines = ["ts,open,high,low,close"];
  let state = 7;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % below;
  };
  let price = 16_000;
  for (let day = 0; day < days; day++) {
    // From Monday 6 May 2024, 13:30 UTC, without Saturdays and Sundays.
    const startS = 1_715_002_200 + (day + 2 * Math.floor(day / 5)) * 86_400;
    for (let minute = 0; minute < 270; minute++) {
      const open = price;
      price += next(9) - next(9);
      const points = [open, Math.max(open, price) + next(3), Math.min(open, price) - next(3), price].map((t) => t / 4);
      lines.push(`${startS + minute * 60},${points.join(",")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
