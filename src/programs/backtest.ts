// `npm run backtest -- --data FILE`: recorded bars or ticks through the engine's rules, and a report. Reads settings and
// data, runs off this thread, and writes only when everything is there.
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { backtestJson } from "../backtest-report/json.ts";
import type { DataSpan, Fills, Outcome } from "../backtest-report/outcome.ts";
import { backtestText } from "../backtest-report/text.ts";
import { causeOf, filesOf } from "../bar-data/lines.ts";
import type { Notes } from "../bar-data/notes.ts";
import { type DataNote, printBarDataProblem, printNote } from "../bar-data/problem.ts";
import { type BarData, readBars } from "../bar-data/read.ts";
import { RECORD_BYTES } from "../bar-data/ticks.ts";
import type { BacktestOptions } from "../cli.ts";
import { wallClock } from "../clock.ts";
import { instrumentOf, tickSizeOf } from "../config/instruments.ts";
import { loadSettings, printProblem } from "../config/load.ts";
import type { Settings } from "../config/schema.ts";
import {
  type Contract,
  EngineFault,
  type Running,
  type StudySettings,
  startBacktest,
  startTickBacktest,
  type TickModel,
  type TickRun,
} from "../engine.ts";
import { engineSettings, fillModel } from "../trading/engine-settings.ts";
import { printCount } from "../units.ts";
import { contractOf } from "./backtest-contract.ts";
import { badInput, DONE, ExitError } from "./exit.ts";
import { type NamedPath, printResult, refuseUnwritable, writeWhole } from "./output.ts";
import { type Progress, progress } from "./progress.ts";

const CONFIG_FILE = "config/config.yaml";
/** What a shell says of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;
/** Of each kind of oddity in the data so many are told one by one. */
const NOTES_SHOWN_MAX = 5;

/** Prints or writes what `runBacktest` found and returns 0, or throws an ExitError with what is to be mended. */
export async function backtest(options: BacktestOptions): Promise<number> {
  const stopping = stopOnSignals();
  try {
    const outcome = await runBacktest(options, stopping.signal);
    tellNotes(outcome.data.notes);
    if (options.html !== null) await writeHtml(options.html, outcome);
    await printResult(options.json ? `${JSON.stringify(backtestJson(outcome))}\n` : backtestText(outcome));
    return DONE;
  } finally {
    stopping.remove();
  }
}

/** Reads settings and data and runs. Throws an ExitError with what is to be mended. */
export async function runBacktest(options: BacktestOptions, signal: AbortSignal): Promise<Outcome> {
  const settings = backtestSettings(options);
  refuseUnwritable([["--html", options.html]], inputsOf(options));
  const data = await readData(options, settings, signal);
  refuseUnfit(settings, data);
  const study = { seed: STUDY_SEED, resamples: STUDY_RESAMPLES, trials: options.trials };
  const { openAtMs } = data.bars;
  const contract = contractOf(settings, data.contract, openAtMs[0] as number, openAtMs.at(-1) as number);
  const known = knownOf(contract);
  const of = { settings, data: dataSpan(data) };
  if (data.ticks === null) {
    const run = await simulate(settings, data, contract, study, signal);
    return { ...of, bars: data.bars, fills: { on: "bars", quotes: null, ...known }, run };
  }
  const run = await simulateTicks(settings, data.ticks.records, contract, study, signal);
  const fills: Fills = { on: "ticks", quotes: data.ticks.hasQuotes ? "recorded" : "derived", ...known };
  return { ...of, bars: run.bars, fills, run };
}

/** Returns what reports say of what was known of a contract. */
export function knownOf({ hours, lastTradeDate }: Contract): Pick<Fills, "knowsHours" | "lastTradeDate"> {
  return { knowsHours: hours.length > 0, lastTradeDate: lastTradeDate === "" ? null : lastTradeDate };
}

/** Returns what reports say of the data. */
export function dataSpan(data: BarData): DataSpan {
  const { files, form, contract, contracts, fileBarMs, notes } = data;
  return { files: files.map((file) => basename(file)), form, contract, contracts, fileBarMs, notes };
}

/** Returns the settings that the options make. Throws an ExitError with all that is wrong. */
export function backtestSettings(options: BacktestOptions): Settings {
  const path = configPath(options.config);
  const loaded = loadSettings({
    file: path === null ? null : { path, text: configText(path) },
    environment: {},
    // A backtest has nobody who arms: its daily halt lifts itself, whatever the live bot does.
    overrides: [...options.set, "risk.dailyLossReset=nextSession"],
  });
  if (!loaded.ok) throw badInput(`${loaded.error.map(printProblem).join("\n")}\nNothing was run.`);
  return loaded.value.settings;
}

/** Refuses settings that want more than the data has. */
export function refuseUnfit({ strategy, backtest }: Settings, data: BarData): void {
  const path = data.files[0] ?? "";
  if (backtest.fillOn === "ticks" && data.ticks === null)
    throw badInput(
      `backtest.fillOn is ticks, but ${path} holds bars. Start again with --set backtest.fillOn=auto, or give trades or quotes.`,
    );
  if (backtest.targetFill === "queue" && data.ticks === null)
    throw badInput(
      "backtest.targetFill is queue, but bars do not tell what stood before an order. Start again with --set backtest.targetFill=touch or through.",
    );
  if (strategy.price === "mid" && data.bars.bidTicks === undefined && data.ticks?.hasQuotes !== true)
    throw badInput(
      `strategy.price is mid, but ${data.form === "quotes" ? "bars made of trades have no bid and ask (backtest.fillOn is bars, as in every sweep)" : `${path} holds no quotes`}. Start again with --set strategy.price=last, or give bars with "bid_close" and "ask_close".`,
    );
}

function configPath(named: string | null): string | null {
  return named ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : null);
}

function configText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw badInput(`${path} can't be read: ${causeOf(thrown)}. Give a configuration with --config, or leave it out.`);
  }
}

/** Reads the data that the settings want. Throws an ExitError with what is to be mended, or where the signal says stop. */
export async function readData(options: BacktestOptions, settings: Settings, signal: AbortSignal): Promise<BarData> {
  const { strategy, session, risk, contract } = settings;
  const show = progress("reading", "lines", null);
  const found = await readBars(
    options.data,
    {
      tick: tickSizeOf(instrumentOf(settings)),
      samplingMs: strategy.samplingMs,
      window: strategy.window,
      contract: options.contract,
      expiry: contract.expiry,
      hours: session,
      badTickTicks: risk.badTickTicks,
      keepTicks: settings.backtest.fillOn !== "bars",
      wantsMiddle: strategy.price === "mid",
    },
    (lines) => {
      show.at(lines);
      return !signal.aborted;
    },
  );
  show.end();
  if (found.ok) return found.value;
  throw found.error.type === "stopped" ? interrupted() : badInput(printBarDataProblem(found.error));
}

async function simulate(
  settings: Settings,
  data: BarData,
  contract: Contract,
  study: StudySettings,
  signal: AbortSignal,
): Promise<Outcome["run"]> {
  const running = startBacktest(
    engineSettings(settings, "back"),
    fillModel(settings),
    data.bars,
    signal,
    study,
    contract,
  );
  return await watched(running, progress("running", "bars", data.bars.openAtMs.length));
}

/** The live engine on the simulated exchange. */
async function simulateTicks(
  settings: Settings,
  records: Uint8Array,
  contract: Contract,
  study: StudySettings,
  signal: AbortSignal,
): Promise<TickRun> {
  const { targetFill, latencyMs } = settings.backtest;
  const { priceLimits } = instrumentOf(settings);
  const model: TickModel = { latencyMs, resting: targetFill, contract, priceLimits };
  const running = startTickBacktest(
    engineSettings(settings, "back"),
    fillModel(settings),
    model,
    records,
    signal,
    study,
  );
  return await watched(running, progress("running", "records", records.length / RECORD_BYTES));
}

async function watched<T>(running: Running<T>, show: Progress): Promise<T> {
  const cancel = every(PROGRESS_MS, () => show.at(running.barsDone()));
  try {
    return await running.result;
  } catch (thrown) {
    if (thrown instanceof EngineFault && thrown.code === "BACKTEST_STOPPED") throw interrupted();
    throw thrown;
  } finally {
    cancel();
    show.end();
  }
}

/** Looks at the progress so often. */
export const PROGRESS_MS = 250;
/** The same data and settings give the same intervals, on any day. */
const STUDY_SEED = 7;
const STUDY_RESAMPLES = 2_000;

/** Calls `knock` again and again until what it returns is called. */
export function every(stepMs: number, knock: () => void): () => void {
  let cancel = wallClock.after(stepMs, again);
  return () => cancel();

  function again(): void {
    knock();
    cancel = wallClock.after(stepMs, again);
  }
}

/** Each kind of oddity with its first lines, on standard error: they belong to the data, not to the result. */
export function tellNotes(notes: Notes): void {
  for (const { count, first } of notes.values()) {
    const shown: readonly DataNote[] = first.slice(0, NOTES_SHOWN_MAX);
    for (const note of shown) process.stderr.write(`note: ${printNote(note)}\n`);
    if (count > shown.length)
      process.stderr.write(`note: … and ${printCount(count - shown.length)} more of this kind\n`);
  }
}

async function writeHtml(path: string, outcome: Outcome): Promise<void> {
  const { backtestHtml } = await import("../backtest-report/html.ts");
  writeWhole(path, backtestHtml(outcome), "--html");
  process.stderr.write(`report written: ${path}\n`);
}

/** Returns what these options read. */
export function inputsOf({ data, config }: BacktestOptions): readonly NamedPath[] {
  const files = filesOf(data);
  return [
    ...(files.ok ? files.value.map((file): NamedPath => ["--data", file]) : []),
    ["--config", configPath(config)],
  ];
}

/** Listens for Ctrl-C. */
export function stopOnSignals(): { readonly signal: AbortSignal; remove(): void } {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, stop);
  return {
    signal: controller.signal,
    remove: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.removeListener(name, stop);
    },
  };
}

/** Returns how a program ends that was told to. */
export function interrupted(words = "Stopped. Nothing was written."): ExitError {
  return new ExitError(INTERRUPTED, words);
}
