// What a finished sweep is to every report: the plan, each combination's figures, and how far the best can be trusted.
import type { Settings } from "../config/schema.ts";
import type { Objective, Overfitting, SpanFigures, Statistics } from "../engine.ts";
import type { Dimension } from "../sweep/dimensions.ts";
import { printCount } from "../units.ts";
import type { Basis } from "./assumptions.ts";
import type { DataSpan, Fills } from "./outcome.ts";

/** Is one combination's result. */
export type SweepRow = {
  /** Its values as they were written, in the order of the dimensions. */
  readonly texts: readonly string[];
  /** The places of its values in the dimensions. */
  readonly places: readonly number[];
  readonly statistics: Statistics;
  /** Of the sessions' results on the starting equity, not compounded: near ruin, returns on what is left say nothing. */
  readonly sharpe: number | null;
  /** Bars that held both stop and target of a position. */
  readonly bothTouched: number;
};

/** Is one step of a walk-forward. */
export type WalkStep = {
  /** Trade dates, the first and the last of each stretch. */
  readonly insideDates: readonly [string, string];
  readonly outsideDates: readonly [string, string];
  /** The values chosen in sample. */
  readonly texts: readonly string[];
  readonly inside: SpanFigures;
  readonly outside: SpanFigures;
};

/** Is a walk-forward. */
export type Walk = {
  readonly lengths: { readonly inside: number; readonly outside: number };
  readonly steps: readonly WalkStep[];
  /** All stretches out of sample together. */
  readonly outside: SpanFigures;
  /** What was made out of sample until each of its sessions' ends, and when these were. */
  readonly curveCents: Float64Array;
  readonly dates: readonly string[];
};

/** Is a finished sweep. */
export type SweepOutcome = {
  /** Of everything that is not swept. */
  readonly settings: Settings;
  readonly data: DataSpan;
  readonly fills: Fills;
  readonly barCount: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly sessions: number;
  readonly dimensions: readonly Dimension[];
  readonly gridPoints: number;
  readonly random: { readonly count: number; readonly seed: number } | null;
  readonly leftOut: number;
  readonly leftOutReason: string | null;
  readonly objective: Objective;
  /** The best by the objective first; equals in the order of the plan. */
  readonly rows: readonly SweepRow[];
  /** Of the best, every combination being a try: null where a figure has no value. */
  readonly luck: { readonly deflatedSharpe: number | null; readonly sharpeByLuck: number | null } | null;
  readonly walk: Walk | null;
  readonly overfitting: Overfitting | null;
  /** Why there is no judgement of overfitting; null where there is one. */
  readonly noOverfitting: string | null;
  /** Places of the two dimensions of the heat map; null where fewer than two have several values. */
  readonly heat: readonly [number, number] | null;
};

/** Returns what combinations are compared by; null where it is not defined. */
export function objectiveOf(objective: Objective, { statistics: found, sharpe }: SweepRow): number | null {
  switch (objective) {
    case "sharpe":
      return sharpe;
    case "net":
      return found.netCents;
    case "profit-factor":
      return found.profitFactor ?? (found.wins > 0 ? Number.POSITIVE_INFINITY : null);
    default:
      return objective satisfies never;
  }
}

/** Returns the objective's name in a sentence. */
export function objectiveText(objective: Objective): string {
  switch (objective) {
    case "sharpe":
      return "Sharpe ratio";
    case "net":
      return "net result";
    case "profit-factor":
      return "profit factor";
    default:
      return objective satisfies never;
  }
}

/** Returns the last word of a setting's path: "window". */
export function shortPath(path: string): string {
  return path.split(".").at(-1) ?? path;
}

/** Returns "window 60, entryZ 2". */
export function valuesText(dimensions: readonly Dimension[], texts: readonly string[]): string {
  return dimensions.map(({ path }, at) => `${shortPath(path)} ${texts[at] ?? ""}`).join(", ");
}

/** Returns what the assumptions of all combinations are made of. */
export function basisOf(outcome: SweepOutcome): Basis {
  const most = outcome.rows.reduce((largest, { bothTouched }) => Math.max(largest, bothTouched), 0);
  const bothTouched =
    most === 0
      ? "no bar held both in any combination"
      : `up to ${printCount(most)} ${most === 1 ? "bar" : "bars"} held both: run the combination alone for its bounds`;
  return { ...outcome, bothTouched };
}
