// Why recorded data can't be used, and what in usable data a person should know of: each with its file, line and column.
import { instantText, printCount, printDuration, printDurationShort } from "../units.ts";

/** Is thrown for a file that can't be used; its message is the cause, for a person. */
export class UnusableFile extends Error {
  override readonly name = "UnusableFile";
}

/** Is this the data's fault, and not one of ours: the file system's word, a decompression's, or what we say of a file. */
export function isOfFile(thrown: unknown): boolean {
  return thrown instanceof UnusableFile || (thrown instanceof Error && "code" in thrown);
}

/** Is a place in a file: lines count from 1, the header included; `column` is the field's number and name. */
export type Place = {
  readonly file: string;
  readonly line: number;
  readonly column: { readonly number: number; readonly name: string } | null;
};

/** Is why no backtest can be made of the data. */
export type BarDataProblem =
  | { readonly type: "unreadable"; readonly path: string; readonly cause: string }
  | { readonly type: "no_files"; readonly path: string }
  | { readonly type: "no_rows"; readonly path: string }
  | { readonly type: "no_middle"; readonly path: string; readonly missing: readonly string[] }
  | { readonly type: "bad_line"; readonly place: Place; readonly wrong: string }
  | { readonly type: "no_contract"; readonly path: string; readonly wanted: string; readonly found: readonly string[] }
  | {
      readonly type: "empty_month";
      readonly place: Place;
      readonly month: string;
      readonly fromMs: number;
      readonly toMs: number;
    }
  | { readonly type: "too_coarse"; readonly path: string; readonly barMs: number; readonly samplingMs: number }
  | { readonly type: "window"; readonly path: string; readonly bars: number; readonly window: number }
  | {
      readonly type: "too_many";
      readonly path: string;
      readonly what: "bars" | "trades and quotes";
      readonly countMax: number;
    }
  | { readonly type: "stopped" };

/** Is something odd that a backtest can live with. */
export type DataNote = {
  readonly type:
    | "gap"
    | "missing_day"
    | "duplicate"
    | "bad_tick"
    | "off_grid"
    | "crossed_quote"
    | "no_quote"
    | "overlap";
  readonly place: Place;
  readonly text: string;
};

/** Returns the problem for a person: what is wrong, where, and what to do. */
export function printBarDataProblem(problem: BarDataProblem): string {
  switch (problem.type) {
    case "unreadable":
      return `${problem.path === "" ? '""' : problem.path} can't be read: ${problem.cause}. Give a .csv, .csv.gz or .parquet file, or a folder of them, with --data.`;
    case "no_files":
      return `${problem.path} is a folder without .csv, .csv.gz or .parquet files. Give another one with --data.`;
    case "no_rows":
      return `${problem.path} has no row with a price, so there is nothing to run on. Leave that file out, or get its data.`;
    case "no_middle": {
      const names = problem.missing.map((name) => `"${name}"`).join(" and ");
      return `${problem.path} has no column ${names}, which z of the middle of bid and ask wants of bars (strategy.price is mid). Give bars with "bid_close" and "ask_close", or start again with --set strategy.price=last.`;
    }
    case "bad_line":
      return `${printPlace(problem.place)}: ${problem.wrong}. Mend or cut that line, then start again.`;
    case "no_contract":
      return problem.found.length === 0
        ? `${problem.path} does not say which contract its rows are of, so ${problem.wanted} can't be chosen. Leave --contract out.`
        : `${problem.path} has no data of ${problem.wanted}; it has ${listed(problem.found)}. Choose one with --contract.`;
    case "empty_month":
      return (
        `${printPlace(problem.place)}: there is no data in ${problem.month}: nothing from ${instantText(problem.fromMs)} to ${instantText(problem.toMs)}. ` +
        "Add the missing month, or run each part by itself."
      );
    case "too_coarse":
      return tooCoarse(problem.path, problem.barMs, problem.samplingMs);
    case "window":
      return (
        `${problem.path} gives ${printCount(problem.bars)} bars, fewer than the window of ${printCount(problem.window)} (strategy.window), so z is never defined. ` +
        "Give more data, or a smaller window with --set strategy.window=N."
      );
    case "too_many":
      return `${problem.path} gives more than ${printCount(problem.countMax)} ${problem.what}. Run it in parts, or with a longer strategy.sampling${problem.what === "bars" ? "" : " and --set backtest.fillOn=bars"}.`;
    case "stopped":
      return "Stopped. Nothing was written.";
    default:
      return problem satisfies never;
  }
}

/** Returns "bars.csv, line 12, column 6 (close)". */
export function printPlace(place: Place): string {
  const column = place.column === null ? "" : `, column ${place.column.number} (${place.column.name})`;
  return `${place.file}, line ${place.line}${column}`;
}

/** Returns a note in one line. */
export function printNote(note: DataNote): string {
  return `${printPlace(note.place)}: ${note.text}`;
}

/** Returns the duration of a gap, short. */
export const gapText = (fromMs: number, toMs: number): string => printDurationShort(toMs - fromMs);

function tooCoarse(path: string, barMs: number, samplingMs: number): string {
  const have = printDuration(barMs).replaceAll(" ", "");
  const wanted =
    samplingMs === 0
      ? "strategy.sampling is trade: a bar for every trade"
      : `strategy.sampling is ${printDuration(samplingMs)}`;
  const why =
    samplingMs > barMs ? "which bars of this length can't be joined to" : "and no finer bars can be made of it";
  return `${path} holds bars of ${have}, but ${wanted}, ${why}. Start again with --set strategy.sampling=${have}, or give finer data.`;
}

const NAMES_MAX = 12;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).join(", ");
  return names.length > NAMES_MAX ? `${shown} and ${names.length - NAMES_MAX} more` : shown;
}
