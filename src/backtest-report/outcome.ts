// What a finished backtest is to every report: settings, data and findings together.

import type { Notes } from "../bar-data/notes.ts";
import type { BarColumns } from "../bar-data/series.ts";
import type { Settings } from "../config/schema.ts";
import type { BacktestRun } from "../engine.ts";

/** Is a backtest with all that it rests on. */
export type Outcome = {
  readonly settings: Settings;
  readonly data: DataSpan;
  readonly bars: BarColumns;
  readonly fills: Fills;
  readonly run: BacktestRun;
};

/** Is what filled the orders, and what was known of the contract. */
export type Fills = {
  /** The next bar's open, or the simulated exchange by trades and quotes. */
  readonly on: "bars" | "ticks";
  /** Null on bars. */
  readonly quotes: "recorded" | "derived" | null;
  /** Are holidays and early closes known. */
  readonly knowsHours: boolean;
  /** "2013-12-20"; null where it is not known, and the roll with it. */
  readonly lastTradeDate: string | null;
};

/** Is what the bars came from. */
export type DataSpan = {
  /** File names without their folders, in the order read. */
  readonly files: readonly string[];
  readonly form: "bars" | "trades" | "quotes";
  /** Null where the data does not say. */
  readonly contract: string | null;
  readonly contracts: readonly string[];
  readonly fileBarMs: number | null;
  readonly notes: Notes;
};
