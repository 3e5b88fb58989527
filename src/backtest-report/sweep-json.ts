// A sweep as one JSON object and as a CSV table. Money in dollars, ratios to nine decimals, infinite or undefined as null.

import type { SpanFigures } from "../engine.ts";
import { instantText } from "../units.ts";
import { backtestParams, backtestStats } from "./json.ts";
import { objectiveOf, type SweepOutcome, type SweepRow, type Walk } from "./sweep-outcome.ts";

/** Returns the object that `--json` prints: combinations best first. */
export function sweepJson(outcome: SweepOutcome): Record<string, unknown> {
  const { data, dimensions, random, walk, overfitting } = outcome;
  return {
    data: {
      files: data.files,
      contract: data.contract,
      bars: outcome.barCount,
      first: instantText(outcome.firstAtMs),
      last: instantText(outcome.lastAtMs),
      sessions: outcome.sessions,
      z_of: outcome.settings.strategy.price,
      notes: Object.fromEntries([...data.notes].map(([type, { count }]) => [type, count])),
    },
    params: backtestParams(outcome.settings),
    sweep: {
      dimensions: Object.fromEntries(dimensions.map(({ path, values }) => [path, values.map(({ text }) => text)])),
      grid_points: outcome.gridPoints,
      random,
      left_out: outcome.leftOut,
      left_out_reason: outcome.leftOutReason,
      ranked_by: outcome.objective,
    },
    results: outcome.rows.map((row) => ({
      values: Object.fromEntries(dimensions.map(({ path }, at) => [path, row.texts[at] ?? ""])),
      stats: backtestStats(row.statistics),
      sharpe_fixed_capital: rounded(row.sharpe),
      both_touched: row.bothTouched,
    })),
    best_by_luck:
      outcome.luck === null
        ? null
        : { deflated_sharpe: rounded(outcome.luck.deflatedSharpe), sharpe_by_luck: rounded(outcome.luck.sharpeByLuck) },
    walk_forward: walk === null ? null : walkJson(outcome, walk),
    overfitting:
      overfitting === null
        ? { probability: null, why: outcome.noOverfitting }
        : {
            probability: overfitting.probability,
            loss_probability: overfitting.lossProbability,
            median_logit: rounded(overfitting.medianLogit),
            degradation: overfitting.degradation,
            blocks: overfitting.blocks,
            splits: overfitting.splits,
            rank_tenths: overfitting.rankTenths,
          },
  };
}

function walkJson({ dimensions }: SweepOutcome, walk: Walk): Record<string, unknown> {
  return {
    in_sample_days: walk.lengths.inside,
    out_of_sample_days: walk.lengths.outside,
    steps: walk.steps.map((step) => ({
      in_sample: { from: step.insideDates[0], to: step.insideDates[1], ...spanJson(step.inside) },
      out_of_sample: { from: step.outsideDates[0], to: step.outsideDates[1], ...spanJson(step.outside) },
      chosen: Object.fromEntries(dimensions.map(({ path }, at) => [path, step.texts[at] ?? ""])),
    })),
    out_of_sample: spanJson(walk.outside),
    daily_net: Object.fromEntries(
      walk.dates.map((date, at) => [date, usd((walk.curveCents[at] ?? 0) - (walk.curveCents[at - 1] ?? 0))]),
    ),
  };
}

function spanJson({ sums, sharpe, profitFactor }: SpanFigures): Record<string, unknown> {
  return {
    sessions: sums.sessions,
    trades: sums.trades,
    wins: sums.wins,
    net: usd(sums.netCents),
    sharpe_daily: rounded(sharpe),
    profit_factor: rounded(profitFactor),
  };
}

const FIGURES: readonly (readonly [string, (row: SweepRow) => number | null])[] = [
  ["trades", ({ statistics }) => statistics.trades],
  ["win_rate", ({ statistics }) => rounded(statistics.winRate)],
  ["gross", ({ statistics }) => usd(statistics.grossCents)],
  ["fees", ({ statistics }) => usd(statistics.feesCents)],
  ["net", ({ statistics }) => usd(statistics.netCents)],
  ["profit_factor", ({ statistics }) => rounded(statistics.profitFactor)],
  ["expectancy", ({ statistics }) => (statistics.expectancyCents === null ? null : usd(statistics.expectancyCents))],
  ["sharpe_daily", ({ statistics }) => rounded(statistics.sharpe)],
  ["sharpe_fixed_capital", ({ sharpe }) => rounded(sharpe)],
  ["max_drawdown_usd", ({ statistics }) => usd(statistics.maxDrawdownCents)],
  ["max_drawdown_pct", ({ statistics }) => rounded(statistics.maxDrawdownShare)],
  ["exposure", ({ statistics }) => rounded(statistics.exposure)],
  ["avg_hold_bars", ({ statistics }) => rounded(statistics.holdBarsMean)],
  ["both_touched", ({ bothTouched }) => bothTouched],
];

/** Returns a table with a header: rank, the swept values as written, figures; best first, an empty cell where undefined. */
export function sweepCsv({ dimensions, rows, objective }: SweepOutcome): string {
  const header = ["rank", ...dimensions.map(({ path }) => path), ...FIGURES.map(([name]) => name)];
  const lines = rows.map((row, at) => {
    // What cannot be compared has no rank.
    const rank = objectiveOf(objective, row) === null ? "" : String(at + 1);
    return [rank, ...row.texts, ...FIGURES.map(([, figure]) => String(figure(row) ?? ""))];
  });
  return `${[header, ...lines].map((cells) => cells.map(cell).join(",")).join("\n")}\n`;
}

/** Quoted where it must be (RFC 4180). */
function cell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

function usd(cents: number): number {
  return cents / 100;
}

function rounded(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toFixed(9));
}
