// `npm run backtest -- --data FILE`: recorded bars or ticks through the engine's rules, and a report. Reads settings and
// data, runs off this thread, and writes only when everything is there.
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { backtestJson } from "../backtest-report/json.ts";
import type { Outcome } from "../backtest-report/outcome.ts";
import { backtestText } from "../backtest-report/text.ts";
import { causeOf } from "../bar-data/lines.ts";
import type { Notes } from "../bar-data/notes.ts";
import { type DataNote, printBarDataProblem, printNote } from "../bar-data/problem.ts";
import { type BarData, readBars } from "../bar-data/read.ts";
import type { BacktestOptions } from "../cli.ts";
import { wallClock } from "../clock.ts";
import { instrumentOf, tickSizeOf } from "../config/instruments.ts";
import { loadSettings, printProblem } from "../config/load.ts";
import type { Settings } from "../config/schema.ts";
import { EngineFault, type FillModel, type StudySettings, startBacktest } from "../engine.ts";
import { engineSettings } from "../trading/engine-settings.ts";
import { printCount } from "../units.ts";
import { badInput, DONE, ExitError } from "./exit.ts";
import { progress } from "./progress.ts";

const CONFIG_FILE = "config/config.yaml";
/** What a shell says of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;
/** Of each kind of oddity in the data so many are told one by one. */
const NOTES_SHOWN_MAX = 5;

/** Prints or writes what `runBacktest` found and returns 0, or throws an ExitError with what is to be mended. */
export async function backtest(options: BacktestOptions): Promise<number> {
  const stopping = stopFlag();
  try {
    const outcome = await runBacktest(options, stopping);
    tellNotes(outcome.data.notes);
    if (options.html !== null) await writeHtml(options.html, outcome);
    process.stdout.write(options.json ? `${JSON.stringify(backtestJson(outcome))}\n` : backtestText(outcome));
    return DONE;
  } finally {
    stopping.remove();
  }
}

/** Reads settings and data and runs. Throws an ExitError with what is to be mended. */
export async function runBacktest(options: BacktestOptions, stopping: Stopping): Promise<Outcome> {
  const settings = settingsOf(options);
  if (options.html !== null) refuseUnwritable(options.html);
  const data = await read(options, settings, stopping.isStopped);
  const run = await simulate(
    settings,
    data,
    { seed: STUDY_SEED, resamples: STUDY_RESAMPLES, trials: options.trials },
    stopping,
  );
  const { files, form, contract, contracts, fileBarMs, notes } = data;
  return {
    settings,
    data: { files: files.map((file) => basename(file)), form, contract, contracts, fileBarMs, notes },
    bars: data.bars,
    run,
  };
}

/** Says whether somebody wants it to stop. */
export type Stopping = {
  readonly isStopped: () => boolean;
  /** Calls `listener` when somebody does, at once where that has been. */
  readonly onStop: (listener: () => void) => void;
};

function settingsOf(options: BacktestOptions): Settings {
  const path = options.config ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : null);
  const loaded = loadSettings({
    file: path === null ? null : { path, text: configText(path) },
    environment: {},
    // A backtest has nobody who arms: its daily halt lifts itself, whatever the live bot does.
    overrides: [...options.set, "risk.dailyLossReset=nextSession"],
  });
  if (!loaded.ok) throw badInput(`${loaded.error.map(printProblem).join("\n")}\nNothing was run.`);
  if (loaded.value.settings.strategy.price === "mid") {
    throw badInput(
      "strategy.price is mid, but a backtest samples trades: bars hold no quotes. Start again with --set strategy.price=last.",
    );
  }
  return loaded.value.settings;
}

function configText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw badInput(`${path} can't be read: ${causeOf(thrown)}. Give a configuration with --config, or leave it out.`);
  }
}

async function read(options: BacktestOptions, settings: Settings, isStopped: () => boolean): Promise<BarData> {
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
    },
    (lines) => {
      show.at(lines);
      return !isStopped();
    },
  );
  show.end();
  if (found.ok) return found.value;
  throw found.error.type === "stopped" ? interrupted() : badInput(printBarDataProblem(found.error));
}

async function simulate(
  settings: Settings,
  data: BarData,
  study: StudySettings,
  stopping: Stopping,
): Promise<Outcome["run"]> {
  const fills: FillModel = { ...settings.backtest };
  const running = startBacktest(engineSettings(settings, "back"), fills, data.bars, study);
  stopping.onStop(running.stop);
  const show = progress("running", "bars", data.bars.openAtMs.length);
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

const PROGRESS_MS = 250;
/** The same data and settings give the same intervals, on any day. */
const STUDY_SEED = 7;
const STUDY_RESAMPLES = 2_000;

function every(stepMs: number, knock: () => void): () => void {
  let cancel = wallClock.after(stepMs, again);
  return () => cancel();

  function again(): void {
    knock();
    cancel = wallClock.after(stepMs, again);
  }
}

/** Each kind of oddity with its first lines, on standard error: they belong to the data, not to the result. */
function tellNotes(notes: Notes): void {
  for (const { count, first } of notes.values()) {
    const shown: readonly DataNote[] = first.slice(0, NOTES_SHOWN_MAX);
    for (const note of shown) process.stderr.write(`note: ${printNote(note)}\n`);
    if (count > shown.length)
      process.stderr.write(`note: … and ${printCount(count - shown.length)} more of this kind\n`);
  }
}

async function writeHtml(path: string, outcome: Outcome): Promise<void> {
  const { backtestHtml } = await import("../backtest-report/html.ts");
  const partial = `${path}.partial`;
  try {
    writeFileSync(partial, backtestHtml(outcome));
    renameSync(partial, path);
  } catch (thrown) {
    rmSync(partial, { force: true });
    throw badInput(`${path} can't be written: ${causeOf(thrown)}. Give another path with --html.`);
  }
  process.stderr.write(`report written: ${path}\n`);
}

function refuseUnwritable(path: string): void {
  const folder = dirname(resolve(path));
  if (!existsSync(folder))
    throw badInput(
      `${path} can't be written: there is no folder ${folder}. Make it, or give another path with --html.`,
    );
  if (existsSync(path) && statSync(path).isDirectory())
    throw badInput(`${path} can't be written: it is a folder. Give a file with --html, such as report.html.`);
}

/** Listens for Ctrl-C. */
function stopFlag(): Stopping & { readonly remove: () => void } {
  let isStopped = false;
  const listeners: (() => void)[] = [];
  const stop = (): void => {
    isStopped = true;
    for (const listener of listeners) listener();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, stop);
  return {
    isStopped: () => isStopped,
    onStop: (listener) => {
      listeners.push(listener);
      if (isStopped) listener();
    },
    remove: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.removeListener(name, stop);
    },
  };
}

function interrupted(): ExitError {
  return new ExitError(INTERRUPTED, "Stopped. Nothing was written.");
}
