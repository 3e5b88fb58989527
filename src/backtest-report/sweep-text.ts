// A sweep for the terminal: plain, 80 columns at most, the best first, and beside it how far it can be trusted.
import { instrumentOf } from "../config/instruments.ts";
import { MINUS, printCents, printCentsSigned, printCount, printNumber } from "../units.ts";
import { assumptionsOf, rulesText } from "./assumptions.ts";
import type { SweepOutcome, SweepRow, Walk } from "./sweep-outcome.ts";
import { basisOf, objectiveOf, objectiveText, shortPath, valuesText } from "./sweep-outcome.ts";
import { COLUMNS, labelled, percentText, ratioText } from "./text.ts";

/** So many of the best are shown; --csv and --json have all. */
const ROWS_SHOWN_MAX = 20;
const STEPS_SHOWN_MAX = 24;

/** Returns the report, with a line end after each line. */
export function sweepText(outcome: SweepOutcome): string {
  const { settings, dimensions, rows } = outcome;
  const instrument = instrumentOf(settings);
  const lines = [
    `Sweep of ${instrument.symbol} (${instrument.name}), ${printCount(rows.length)} combinations`,
    "",
    ...assumptionsOf(basisOf(outcome)).flatMap(({ name, text }) => labelled(name, text)),
    "",
    ...rulesText(settings).flatMap((text, index) => labelled(index === 0 ? "else" : "", text)),
    ...dimensions.flatMap(({ path, values }, at) =>
      labelled(at === 0 ? "swept" : "", `${path}: ${valuesListed(values.map(({ text }) => text))}`),
    ),
    ...gridLines(outcome),
    "",
    ...tableLines(outcome),
    "",
    ...trustLines(outcome),
    ...(outcome.walk === null ? [] : ["", ...walkLines(outcome, outcome.walk)]),
  ];
  return `${lines.join("\n")}\n`;
}

function valuesListed(texts: readonly string[]): string {
  const shown = texts.length <= 12 ? texts : [...texts.slice(0, 5), "…", ...texts.slice(-3)];
  return `${shown.join(" ")} (${printCount(texts.length)})`;
}

function gridLines({ random, gridPoints, leftOut, leftOutReason }: SweepOutcome): string[] {
  return [
    ...(random === null
      ? []
      : labelled(
          "at random",
          `${printCount(Math.min(random.count, gridPoints))} of ${printCount(gridPoints)} combinations, seed ${random.seed}`,
        )),
    ...(leftOut === 0
      ? []
      : labelled(
          "left out",
          `${printCount(leftOut)} that settings don't allow, such as: ${leftOutReason ?? "a broken relation"}`,
        )),
  ];
}

const FIGURES: readonly { readonly head: string; readonly text: (row: SweepRow) => string }[] = [
  { head: "net", text: ({ statistics }) => printCentsSigned(statistics.netCents) },
  { head: "trades", text: ({ statistics }) => printCount(statistics.trades) },
  { head: "won", text: ({ statistics }) => percentText(statistics.winRate) },
  { head: "PF", text: ({ statistics }) => ratioText(statistics.profitFactor) },
  { head: "Sharpe", text: ({ sharpe }) => ratioText(sharpe) },
  { head: "drawdown", text: ({ statistics }) => printCents(statistics.maxDrawdownCents) },
];

function tableLines({ dimensions, rows, objective }: SweepOutcome): string[] {
  const shown = rows.slice(0, ROWS_SHOWN_MAX);
  const figures = [FIGURES.map(({ head }) => head), ...shown.map((row) => FIGURES.map(({ text }) => text(row)))];
  const values = [dimensions.map(({ path }) => shortPath(path)), ...shown.map(({ texts }) => [...texts])];
  const ranks = ["", ...shown.map((row, at) => (objectiveOf(objective, row) === null ? "-" : String(at + 1)))];
  const aside = aligned(values.map((cells, at) => [ranks[at] ?? "", ...cells]));
  const right = aligned(figures);
  const isNarrow = (aside[0]?.length ?? 0) + 2 + (right[0]?.length ?? 0) <= COLUMNS;
  const body = isNarrow
    ? aside.map((left, at) => `${left}  ${right[at] ?? ""}`)
    : // Many dimensions: their values stand on a line of their own.
      right.flatMap((line, at) =>
        at === 0 ? [`    ${line}`] : [`${(ranks[at] ?? "").padStart(3)} ${line}`, ...below(dimensions, shown[at - 1])],
      );
  const left = rows.length - shown.length;
  return [
    `By ${objectiveText(objective)}, the best first`,
    ...body,
    ...(left > 0 ? [`… and ${printCount(left)} more; --csv FILE and --json have all of them.`] : []),
  ];
}

function below(dimensions: SweepOutcome["dimensions"], row: SweepRow | undefined): string[] {
  return row === undefined ? [] : labelled("", valuesText(dimensions, row.texts));
}

/** Columns as wide as their widest cell, to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) => row.map((text, column) => text.padStart(widths[column] ?? 0)).join("  "));
}

function trustLines(outcome: SweepOutcome): string[] {
  const { overfitting, noOverfitting, rows, luck } = outcome;
  const best = rows[0];
  const lines = best === undefined ? [] : labelled("the best", `${valuesText(outcome.dimensions, best.texts)}`);
  if (luck !== null && best !== undefined)
    lines.push(
      ...labelled(
        "by luck",
        `the best of ${printCount(rows.length)} tries without skill is expected to show a Sharpe ratio of ${ratioText(luck.sharpeByLuck)}; this one shows ${ratioText(best.statistics.sharpe)}: deflated Sharpe ${percentText(luck.deflatedSharpe)}`,
      ),
    );
  if (overfitting === null) return [...lines, ...labelled("overfitting", `not judged: ${noOverfitting ?? ""}`)];
  return [
    ...lines,
    ...labelled(
      "overfitting",
      `in ${percentText(overfitting.probability)} of ${printCount(overfitting.splits)} ways to split the ${overfitting.blocks} blocks of trading days in halves, the best of one half is at the median or below it in the other (PBO, CSCV by Bailey et al.); in ${percentText(overfitting.lossProbability)} it loses there`,
    ),
    ...labelled("", verdict(overfitting.probability)),
  ];
}

/** Returns what a probability of overfitting says, in a sentence. */
export function verdict(probability: number): string {
  if (probability >= 0.5) return "Choosing the best here is no better than choosing blindly.";
  if (probability >= 0.1) return "Much of what makes the best the best is luck: expect less of it.";
  return "The best stays among the better ones in other days of the same data.";
}

function walkLines({ dimensions, objective }: SweepOutcome, walk: Walk): string[] {
  const { lengths, steps, outside } = walk;
  const shown = steps.slice(-STEPS_SHOWN_MAX);
  const rows = [
    ["judged on", ...dimensions.map(({ path }) => shortPath(path)), "net in", "net out", "trades", "Sharpe out"],
    ...shown.map((step) => [
      datesText(step.outsideDates),
      ...step.texts,
      printCentsSigned(step.inside.sums.netCents),
      printCentsSigned(step.outside.sums.netCents),
      printCount(step.outside.sums.trades),
      ratioText(step.outside.sharpe),
    ]),
  ];
  const isNarrow = (aligned(rows)[0]?.length ?? 0) <= COLUMNS;
  const body = isNarrow
    ? aligned(rows)
    : aligned(rows.map((row) => [row[0] ?? "", ...row.slice(1 + dimensions.length)])).flatMap((line, at) =>
        at === 0 ? [line] : [line, ...labelled("", valuesText(dimensions, shown[at - 1]?.texts ?? []))],
      );
  const hidden = steps.length - shown.length;
  const insideCents = steps.reduce((sum, step) => sum + step.inside.sums.netCents / step.inside.sums.sessions, 0);
  const perDayIn = insideCents / steps.length;
  const perDayOut = outside.sums.netCents / outside.sums.sessions;
  return [
    `Walk-forward: by ${objectiveText(objective)} of ${lengths.inside} trading days, judged on the ${lengths.outside} after them`,
    ...(hidden > 0 ? [`… ${printCount(hidden)} earlier steps`] : []),
    ...body,
    ...labelled(
      "out of it",
      `${printCentsSigned(outside.sums.netCents)} in ${printCount(outside.sums.sessions)} trading days and ${printCount(outside.sums.trades)} trades, Sharpe ${ratioText(outside.sharpe)}, profit factor ${ratioText(outside.profitFactor)}`,
    ),
    ...labelled(
      "a day",
      `${signed(perDayIn)} in sample, ${signed(perDayOut)} out of sample${efficiency(perDayIn, perDayOut)}`,
    ),
  ];
}

function datesText([first, last]: readonly [string, string]): string {
  return first === last ? first : `${first}…${last.slice(5)}`;
}

function signed(cents: number): string {
  return printCentsSigned(Math.round(cents));
}

/** Out of sample against in sample, where in sample made something (Pardo's walk-forward efficiency). */
function efficiency(inside: number, outside: number): string {
  return inside > 0 ? `: ${printNumber((outside / inside) * 100, 0).replace("-", MINUS)} % of it is left` : "";
}
