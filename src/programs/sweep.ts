// `npm run backtest -- --sweep KEY=VALUES …`: many backtests over the same data on all processors, what they came to in one
// table, and how far the best of them can be trusted. Keeps what is done in a file where asked, and goes on from there.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { SweepOutcome, SweepRow, Walk, WalkStep } from "../backtest-report/sweep-outcome.ts";
import { objectiveOf } from "../backtest-report/sweep-outcome.ts";
import { filesOf } from "../bar-data/lines.ts";
import { printBarDataProblem } from "../bar-data/problem.ts";
import type { BarData } from "../bar-data/read.ts";
import type { SweepOptions } from "../cli.ts";
import { instrumentOf } from "../config/instruments.ts";
import { hashOf } from "../config/load.ts";
import { findField } from "../config/lookup.ts";
import type { Settings } from "../config/schema.ts";
import {
  type BacktestRun,
  bestOf,
  type CombinationResult,
  type Contract,
  type Combination as EngineCombination,
  EngineFault,
  type Running,
  type SessionSpan,
  type StudySettings,
  startBacktest,
  startOverfitting,
  startSweep,
  sumOf,
} from "../engine.ts";
import { readDimensions } from "../sweep/dimensions.ts";
import { type Combination, type Plan, planOf, settingsFor, textsOf } from "../sweep/plan.ts";
import { appendState, openState } from "../sweep/state.ts";
import { blocksOf, readWalkLengths, type WalkLengths, type WalkWindow, walkWindows } from "../sweep/walk.ts";
import { engineSettings, fillModel } from "../trading/engine-settings.ts";
import { printCount } from "../units.ts";
import { VERSION } from "../version.ts";
import {
  backtestSettings,
  dataSpan,
  every,
  inputsOf,
  interrupted,
  knownOf,
  PROGRESS_MS,
  readData,
  refuseUnfit,
  stopOnSignals,
  tellNotes,
} from "./backtest.ts";
import { contractOf } from "./backtest-contract.ts";
import { badInput, DONE } from "./exit.ts";
import { type NamedPath, printResult, refuseUnwritable, writeWhole } from "./output.ts";
import { progress } from "./progress.ts";

/** So much work is sent at a time: what is kept in the state file between is lost least. */
const BATCH_BARS = 400_000_000;
const BATCH_COMBINATIONS_MAX = 2_000;
const INSTANCE = "back";

/** Prints or writes what `runSweep` found and returns 0, or throws an ExitError with what is to be mended. */
export async function sweep(options: SweepOptions): Promise<number> {
  const stopping = stopOnSignals();
  try {
    const outcome = await runSweep(options, stopping.signal);
    tellNotes(outcome.data.notes);
    const { sweepCsv, sweepJson } = await import("../backtest-report/sweep-json.ts");
    if (options.csv !== null) {
      writeWhole(options.csv, sweepCsv(outcome), "--csv");
      process.stderr.write(`table written: ${options.csv}\n`);
    }
    if (options.html !== null) {
      const { sweepHtml } = await import("../backtest-report/sweep-html.ts");
      writeWhole(options.html, sweepHtml(outcome), "--html");
      process.stderr.write(`report written: ${options.html}\n`);
    }
    const { sweepText } = await import("../backtest-report/sweep-text.ts");
    await printResult(options.json ? `${JSON.stringify(sweepJson(outcome))}\n` : sweepText(outcome));
    return DONE;
  } finally {
    stopping.remove();
  }
}

/** Reads settings and data, runs every combination and judges the best. Throws an ExitError with what is to be mended. */
export async function runSweep(options: SweepOptions, signal: AbortSignal): Promise<SweepOutcome> {
  // Fills by the bars' rules, whatever the data: what has to be the same for all is what bars tell.
  const settings = backtestSettings({ ...options, set: [...options.set, "backtest.fillOn=bars"] });
  const dimensions = readDimensions(options.sweep);
  if (!dimensions.ok) throw badInput(dimensions.error);
  const random = options.random === null ? null : { count: options.random, seed: options.seed };
  const planned = planOf(settings, dimensions.value, random);
  if (!planned.ok) throw badInput(planned.error);
  const plan = planned.value;
  const lengths = options.walkForward === null ? null : readWalkLengths(options.walkForward);
  if (lengths?.ok === false) throw badInput(lengths.error);
  const heat = heatOf(plan, options.heat);
  const outputs: NamedPath[] = [
    ["--html", options.html],
    ["--csv", options.csv],
    ["--state", options.state],
  ];
  refuseUnwritable(outputs, inputsOf(options));

  const groups = dataGroups(plan);
  const sources = new Sources(options, signal);
  const base = await sources.of(settings);
  const dates = await sessionDates(settings, base, signal);
  const windows = lengths === null ? [] : windowsOf(dates.length, lengths.value);
  const blocks = blocksOf(dates.length);
  // Swept hours may make other sessions: as many as there are.
  const all = { from: 0, to: 2 ** 32 - 1 };
  const spans: SessionSpan[] = [...windows.flatMap(({ inside, outside }) => [inside, outside]), ...blocks, all];
  const results = await resultsOf({ options, settings, plan, groups, sources, spans, signal });

  const { combinations } = plan;
  const sameSessions = results.every((result) => result.statistics.sessions === dates.length);
  if (!sameSessions && windows.length > 0)
    throw badInput(
      "A walk-forward wants the same trading days for all combinations, but the swept settings change them. Leave --walk-forward out, or sweep other settings.",
    );
  const walk =
    lengths === null
      ? null
      : await walkOf({ plan, results, windows, lengths: lengths.value, dates, options, sources, signal });
  const noOverfitting = whyNot(combinations.length, blocks.length, sameSessions);
  const rows = combinations.map((combination, at): SweepRow => {
    const { statistics, bothTouched, spans: figures } = results[at] as CombinationResult;
    const sharpe = figures.at(-1)?.sharpe ?? null;
    return { texts: textsOf(plan, combination), places: combination.places, statistics, sharpe, bothTouched };
  });
  const best = ranked(rows, options.rank);
  return {
    settings,
    data: dataSpan(base),
    fills: { on: "bars", quotes: null, ...knownOf(dataContract(settings, base)) },
    barCount: base.bars.openAtMs.length,
    firstAtMs: base.bars.openAtMs[0] as number,
    lastAtMs: base.bars.openAtMs.at(-1) as number,
    sessions: dates.length,
    dimensions: plan.dimensions,
    gridPoints: plan.gridPoints,
    random,
    leftOut: plan.leftOut,
    leftOutReason: plan.leftOutReason,
    objective: options.rank,
    rows: best,
    luck: await luckOf(plan, best[0], sources, signal),
    walk,
    overfitting:
      noOverfitting !== null
        ? null
        : await stoppable(
            startOverfitting(
              options.rank,
              results.map(({ spans: figures }) => figures.slice(2 * windows.length, -1).map(({ sums }) => sums)),
              signal,
            ),
          ),
    noOverfitting,
    heat,
  };
}

function whyNot(combinations: number, blocks: number, sameSessions: boolean): string | null {
  if (combinations < 2) return "one combination leaves nothing to choose";
  if (blocks === 0) return "there are fewer than 8 trading days";
  return sameSessions ? null : "the swept settings change the trading days";
}

/** Undefined values come last, equals in the order of the plan. */
function ranked(rows: readonly SweepRow[], objective: SweepOutcome["objective"]): readonly SweepRow[] {
  const value = (row: SweepRow): number => objectiveOf(objective, row) ?? Number.NEGATIVE_INFINITY;
  return rows.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)];
    return a === b ? 0 : b > a ? 1 : -1;
  });
}

function heatOf(plan: Plan, written: string | null): readonly [number, number] | null {
  const { dimensions } = plan;
  if (written === null) {
    const [first, second] = dimensions.flatMap(({ values }, at) => (values.length > 1 ? [at] : []));
    return first === undefined || second === undefined ? null : [first, second];
  }
  const places = written.split(",").map((name) => {
    const found = findField(name);
    return "field" in found ? dimensions.findIndex(({ path }) => path === found.field.path) : -1;
  });
  const [first, second] = places;
  if (places.length !== 2 || first === undefined || second === undefined || Math.min(...places) < 0 || first === second)
    throw badInput(`--heat ${written}: name two settings that are swept, such as ${heatExample(plan)}.`);
  return [first, second];
}

function heatExample({ dimensions }: Plan): string {
  const [first, second] = dimensions;
  return `${first?.path ?? "strategy.window"},${second?.path ?? "strategy.entryZ"}`;
}

/** Combinations that read the data alike: their places in the plan. */
type Group = { readonly settings: Settings; readonly places: readonly number[] };

function dataGroups(plan: Plan): readonly Group[] {
  const groups = new Map<string, { settings: Settings; places: number[] }>();
  for (const [at, combination] of plan.combinations.entries()) {
    const settings = settingsFor(plan, combination);
    if (settings.backtest.targetFill === "queue")
      throw badInput(
        "backtest.targetFill is queue, but a sweep fills by bars, which do not tell what stood before an order. Sweep touch and through.",
      );
    const key = dataKey(settings);
    const group = groups.get(key) ?? { settings, places: [] };
    groups.set(key, group);
    group.places.push(at);
    // Fewer bars than the window are refused: of all windows the longest counts.
    if (settings.strategy.window > group.settings.strategy.window) group.settings = settings;
  }
  return [...groups.values()];
}

/** What of the settings changes which bars are read, and whose they are. */
function dataKey(settings: Settings): string {
  const { strategy, contract, session, risk } = settings;
  const { tickSize } = instrumentOf(settings);
  return JSON.stringify([
    tickSize,
    strategy.samplingMs,
    contract,
    session.timeZone,
    session.openMinute,
    risk.badTickTicks,
  ]);
}

/** Reads data when it is wanted and holds the last: memory does not grow with what is swept. */
class Sources {
  private readonly options: SweepOptions;
  private readonly signal: AbortSignal;
  private held: { readonly key: string; readonly window: number; readonly data: BarData } | null = null;

  constructor(options: SweepOptions, signal: AbortSignal) {
    this.options = options;
    this.signal = signal;
  }

  async of(settings: Settings): Promise<BarData> {
    const key = dataKey(settings);
    const { window } = settings.strategy;
    if (this.held?.key === key && this.held.window >= window) return this.held.data;
    const data = await readData(this.options, settings, this.signal);
    refuseUnfit(settings, data);
    this.held = { key, window, data };
    return data;
  }
}

async function sessionDates(settings: Settings, data: BarData, signal: AbortSignal): Promise<readonly string[]> {
  const run = await single(settings, data, signal);
  return run.report.sessions.map(({ tradeDate }) => tradeDate);
}

function single(
  settings: Settings,
  data: BarData,
  signal: AbortSignal,
  study: StudySettings | null = null,
): Promise<BacktestRun> {
  return stoppable(
    startBacktest(
      engineSettings(settings, INSTANCE),
      fillModel(settings),
      data.bars,
      signal,
      study,
      dataContract(settings, data),
    ),
  );
}

/** Returns what luck may have to do with the best, every combination being a try. */
async function luckOf(
  plan: Plan,
  best: SweepRow | undefined,
  sources: Sources,
  signal: AbortSignal,
): Promise<SweepOutcome["luck"]> {
  if (best === undefined) return null;
  const settings = settingsFor(plan, best);
  // Nothing is resampled here: one series is the least that can be asked for.
  const study = { seed: 0, resamples: 1, trials: plan.combinations.length };
  const found = (await single(settings, await sources.of(settings), signal, study)).study;
  return found === null ? null : { deflatedSharpe: found.deflatedSharpe, sharpeByLuck: found.sharpeByLuck };
}

/** Its hours and last trade date are the same for all combinations that read the data alike. */
function dataContract(settings: Settings, { bars, contract }: BarData): Contract {
  const { openAtMs } = bars;
  return contractOf(settings, contract, openAtMs[0] as number, openAtMs.at(-1) as number);
}

function windowsOf(sessions: number, lengths: WalkLengths): readonly WalkWindow[] {
  const windows = walkWindows(sessions, lengths);
  if (!windows.ok) throw badInput(windows.error);
  return windows.value;
}

type Work = {
  readonly options: SweepOptions;
  readonly settings: Settings;
  readonly plan: Plan;
  readonly groups: readonly Group[];
  readonly sources: Sources;
  readonly spans: readonly SessionSpan[];
  readonly signal: AbortSignal;
};

/** Runs what the state file does not hold yet, batch by batch, and returns all results in the order of the plan. */
async function resultsOf(work: Work): Promise<readonly CombinationResult[]> {
  const { options, plan, groups, sources, spans, signal } = work;
  const results = new Array<CombinationResult | undefined>(plan.combinations.length);
  for (const [at, result] of keptOf(work)) results[at] = result;
  const threads = options.threads ?? availableParallelism();
  const left = groups.reduce((sum, { places }) => sum + places.filter((at) => results[at] === undefined).length, 0);
  const done = plan.combinations.length - left;
  if (done > 0)
    process.stderr.write(
      `${options.state ?? ""} holds ${printCount(done)} of ${printCount(plan.combinations.length)} combinations.\n`,
    );
  for (const { settings, places } of groups) {
    const open = places.filter((at) => results[at] === undefined);
    if (open.length === 0) continue;
    const data = await sources.of(settings);
    const { bars } = data;
    const contract = dataContract(settings, data);
    const show = progress("sweeping", "combination-bars", open.length * bars.openAtMs.length);
    const size = batchSize(bars.openAtMs.length, threads);
    let before = 0;
    for (let from = 0; from < open.length; from += size) {
      const batch = open.slice(from, from + size);
      const combinations = batch.map((at) =>
        engineCombination(settingsFor(plan, plan.combinations[at] as Combination)),
      );
      const running = startSweep(combinations, spans, bars, threads, signal, contract);
      const cancel = every(PROGRESS_MS, () => show.at(before + running.barsDone()));
      try {
        const found = await stoppable(running);
        const fresh = found.flatMap((result, at) => (result === null ? [] : [[batch[at] as number, result] as const]));
        for (const [at, result] of fresh) results[at] = result;
        if (options.state !== null) appendState(options.state, fresh);
      } finally {
        cancel();
      }
      if (signal.aborted) {
        show.end();
        throw stopped(options, results);
      }
      before += batch.length * bars.openAtMs.length;
    }
    show.end();
  }
  return results as CombinationResult[];
}

function stopped(options: SweepOptions, results: readonly (CombinationResult | undefined)[]): Error {
  const done = results.filter((result) => result !== undefined).length;
  return interrupted(
    options.state === null
      ? "Stopped. Nothing was written; with --state FILE a sweep can go on where it was stopped."
      : `Stopped with ${printCount(done)} of ${printCount(results.length)} combinations done. The same command goes on from ${options.state}.`,
  );
}

function batchSize(bars: number, threads: number): number {
  return Math.min(BATCH_COMBINATIONS_MAX, Math.max(4 * threads, Math.ceil(BATCH_BARS / bars)));
}

function engineCombination(settings: Settings): EngineCombination {
  return { settings: engineSettings(settings, INSTANCE), fills: fillModel(settings) };
}

function keptOf({ options, settings, plan, spans }: Work): Iterable<readonly [number, CombinationResult]> {
  if (options.state === null) return [];
  const opened = openState(options.state, hashOfSweep(options, settings, plan, spans), plan.combinations.length);
  if (!opened.ok)
    throw badInput(
      `${options.state} can't be used: ${opened.error}. Give another file with --state, or remove this one to begin anew.`,
    );
  return opened.value;
}

/** Of everything that a result depends on: the program's version, settings, grid, spans, and every byte of the data. */
function hashOfSweep(options: SweepOptions, settings: Settings, plan: Plan, spans: readonly SessionSpan[]): string {
  const hash = createHash("sha256");
  const { dimensions, combinations } = plan;
  hash.update(JSON.stringify([VERSION, hashOf(settings), options.contract, dimensions, spans]));
  for (const { places } of combinations) hash.update(`${places.join(",")};`);
  const files = filesOf(options.data);
  if (!files.ok) throw badInput(printBarDataProblem(files.error));
  for (const file of files.value) hash.update(readFileSync(file));
  return hash.digest("hex");
}

type WalkWork = {
  readonly plan: Plan;
  readonly results: readonly CombinationResult[];
  readonly windows: readonly WalkWindow[];
  readonly lengths: WalkLengths;
  readonly dates: readonly string[];
  readonly options: SweepOptions;
  readonly sources: Sources;
  readonly signal: AbortSignal;
};

async function walkOf(work: WalkWork): Promise<Walk> {
  const { plan, results, windows, lengths, dates, options } = work;
  const chosen = windows.map((_, window) => {
    const candidates = results.map(({ spans }) => spans[2 * window]?.sums).filter((sums) => sums !== undefined);
    return bestOf(options.rank, candidates) ?? 0;
  });
  const steps = windows.map(({ inside, outside }, window): WalkStep => {
    const at = chosen[window] as number;
    const [insideFigures, outsideFigures] = (results[at] as CombinationResult).spans.slice(2 * window, 2 * window + 2);
    if (insideFigures === undefined || outsideFigures === undefined) throw new RangeError("a span has no figures");
    return {
      insideDates: [dates[inside.from] as string, dates[inside.to - 1] as string],
      outsideDates: [dates[outside.from] as string, dates[outside.to - 1] as string],
      texts: textsOf(plan, plan.combinations[at] as Combination),
      inside: insideFigures,
      outside: outsideFigures,
    };
  });
  const nets = await outsideNets(work, chosen);
  let sum = 0;
  const curveCents = Float64Array.from(nets, ({ netCents }) => (sum += netCents));
  return {
    lengths,
    steps,
    outside: sumOf(steps.map(({ outside }) => outside.sums)),
    curveCents,
    dates: nets.map(({ date }) => date),
  };
}

/** Runs each chosen combination once more and returns the sessions out of sample with what each made. */
async function outsideNets(
  { plan, windows, sources, signal }: WalkWork,
  chosen: readonly number[],
): Promise<readonly { readonly date: string; readonly netCents: number }[]> {
  const nets = new Map<number, readonly { date: string; netCents: number }[]>();
  for (const at of new Set(chosen)) {
    const settings = settingsFor(plan, plan.combinations[at] as Combination);
    const run = await single(settings, await sources.of(settings), signal);
    let beforeCents = settings.backtest.startEquityCents;
    const days = run.report.sessions.map(({ tradeDate, equityCents }) => {
      const day = { date: tradeDate, netCents: equityCents - beforeCents };
      beforeCents = equityCents;
      return day;
    });
    nets.set(at, days);
  }
  return windows.flatMap(({ outside }, window) =>
    (nets.get(chosen[window] as number) ?? []).slice(outside.from, outside.to),
  );
}

async function stoppable<T>(running: Running<T>): Promise<T> {
  try {
    return await running.result;
  } catch (thrown) {
    if (thrown instanceof EngineFault && (thrown.code === "BACKTEST_STOPPED" || thrown.code === "SELECTION_STOPPED"))
      throw interrupted();
    throw thrown;
  }
}
