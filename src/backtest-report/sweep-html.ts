// A sweep as one HTML page that needs nothing else: what it assumes, how far the best can be trusted, the heat map, the walk
// forward, and the best combinations.
import { instrumentOf } from "../config/instruments.ts";
import type { SpanFigures } from "../engine.ts";
import { printCents, printCentsSigned, printCount, printNumber } from "../units.ts";
import { assumptionsOf, rulesText, utcMinute } from "./assumptions.ts";
import { drawdownCents } from "./figures.ts";
import { both, card, table } from "./html.ts";
import { STYLE } from "./style.ts";
import { columnChart, escaped, type LineChart, lineChart, type Mark } from "./svg.ts";
import type { SweepOutcome, SweepRow, Walk } from "./sweep-outcome.ts";
import { basisOf, objectiveOf, objectiveText, shortPath, valuesText } from "./sweep-outcome.ts";
import { verdict } from "./sweep-text.ts";
import { percentText, ratioText } from "./text.ts";

const ROWS_LISTED_MAX = 200;
/** A larger map has cells that nobody can read. */
const HEAT_CELLS_MAX = 4_000;

/** Returns the page. */
export function sweepHtml(outcome: SweepOutcome): string {
  const instrument = instrumentOf(outcome.settings);
  const title = `Sweep of ${instrument.symbol}`;
  const under = `${printCount(outcome.rows.length)} combinations over ${printCount(outcome.barCount)} bars, ${utcMinute(outcome.firstAtMs)} to ${utcMinute(outcome.lastAtMs)} UTC, ${printCount(outcome.sessions)} trading days`;
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(title)}</title><style>${STYLE}${HEAT_STYLE}</style></head><body><main>`,
    `<h1>${escaped(title)}</h1><p class="under">${escaped(under)}</p>`,
    assumptionsCard(outcome),
    trustCard(outcome),
    heatCard(outcome),
    outcome.walk === null ? "" : walkCard(outcome, outcome.walk),
    rowsCard(outcome),
    "<footer>The best of many is partly the luckiest. A backtest shows what would have happened, not what will happen.</footer>",
    "</main></body></html>\n",
  ].join("\n");
}

const HEAT_STYLE = `
.heat{border-collapse:separate;border-spacing:2px;font-size:12.5px}
.heat td,.heat th{border:0;padding:5px 7px;text-align:center;min-width:44px}
.heat td{border-radius:4px;color:var(--ink)}
.heat td.none{color:var(--faint)}
.heat td.best{outline:2px solid var(--ink);outline-offset:-2px}
.heat .side{text-align:right}
`;

function assumptionsCard(outcome: SweepOutcome): string {
  const { settings, dimensions, random, gridPoints, leftOut, leftOutReason } = outcome;
  const [strategy, limits] = rulesText(settings);
  const drawn =
    random === null
      ? `the whole grid of ${printCount(gridPoints)}`
      : `${printCount(Math.min(random.count, gridPoints))} of ${printCount(gridPoints)} at random, seed ${random.seed}`;
  const without = leftOut === 0 ? "" : `; ${printCount(leftOut)} left out, such as: ${leftOutReason ?? ""}`;
  const rows = [
    ...dimensions.map(({ path, values }) => ({
      name: shortPath(path),
      text: `${path}: ${values.map(({ text }) => text).join(", ")}`,
    })),
    { name: "grid", text: `${drawn}${without}` },
    { name: "else", text: strategy ?? "" },
    { name: "limits", text: limits ?? "" },
    ...assumptionsOf(basisOf(outcome)),
  ];
  const list = rows.map(({ name, text }) => `<dt>${escaped(name)}</dt><dd>${escaped(text)}</dd>`).join("");
  return card("What was swept, and what it assumes", "", `<dl>${list}</dl>`);
}

function trustCard({ overfitting, noOverfitting, rows, dimensions, objective, luck }: SweepOutcome): string {
  const best = rows[0];
  const hint =
    best === undefined ? "" : `The best by ${objectiveText(objective)}: ${valuesText(dimensions, best.texts)}.`;
  const byLuck = [
    "deflated Sharpe of the best, every combination being a try",
    percentText(luck?.deflatedSharpe ?? null),
  ];
  if (overfitting === null)
    return card(
      "Can the best be trusted?",
      escaped(hint),
      `${table(["", ""], [byLuck])}<p>Overfitting is not judged: ${escaped(noOverfitting ?? "")}.</p>`,
    );
  const { degradation } = overfitting;
  const facts = [
    byLuck,
    ["probability of overfitting", percentText(overfitting.probability)],
    ["probability of a loss out of sample", percentText(overfitting.lossProbability)],
    ["for each 1 more in sample", degradation === null ? "n/a" : `${printNumber(degradation.slope, 2)} out of sample`],
  ];
  const tenths = overfitting.rankTenths.map((count, at) => ({
    label: `${at * 10}`,
    value: count,
    kind: at < 5 ? ("lost" as const) : ("won" as const),
    title: `rank ${at * 10} to ${at * 10 + 10} % out of sample: ${printCount(count)} splits`,
  }));
  const method = `The ${overfitting.blocks} blocks of trading days are split in halves in all ${printCount(overfitting.splits)} ways; the best of one half is looked up in the other (CSCV, Bailey, Borwein, López de Prado and Zhu).`;
  return card(
    "Can the best be trusted?",
    escaped(hint),
    `<p><b>${escaped(verdict(overfitting.probability))}</b></p>${table(["", ""], facts)}` +
      `<p class="hint">${escaped(method)} Below: where it ranks there, from the worst (0) to the best (100). Equal columns are pure luck.</p>` +
      both((size) => columnChart(tenths, (value) => printCount(value), "Rank out of sample", size), 170),
  );
}

function heatCard(outcome: SweepOutcome): string {
  const { heat, dimensions, rows, objective } = outcome;
  if (heat === null) return "";
  const [down, across] = heat.map((at) => dimensions[at]);
  if (down === undefined || across === undefined) return "";
  if (down.values.length * across.values.length > HEAT_CELLS_MAX)
    return card(
      "Heat map",
      "",
      "<p>Too many cells to be read: sweep fewer values, or take other settings with --heat.</p>",
    );
  const cells = cellsOf(outcome, heat);
  const medians = cells.flat().flatMap((cell) => (cell === null ? [] : [cell.median]));
  const far = Math.max(...medians.map((value) => Math.abs(value - neutral(objective))), Number.MIN_VALUE);
  const best = rows[0];
  const head = across.values.map(({ text }) => `<th>${escaped(text)}</th>`).join("");
  const body = down.values
    .map(({ text }, row) => {
      const tds = across.values.map((_, column) => {
        const cell = cells[row]?.[column] ?? null;
        if (cell === null) return '<td class="none" title="no combination">·</td>';
        const distance = (cell.median - neutral(objective)) / far;
        const colour = `color-mix(in srgb,var(${distance >= 0 ? "--won" : "--lost"}) ${Math.round(Math.abs(distance) * 70)}%,var(--card))`;
        const isBest = best?.places[heat[0]] === row && best.places[heat[1]] === column;
        const title =
          cell.count === 1
            ? `${shortPath(down.path)} ${text}, ${shortPath(across.path)} ${across.values[column]?.text ?? ""}: ${printed(objective, cell.median)}`
            : `${printCount(cell.count)} combinations: ${printed(objective, cell.least)} to ${printed(objective, cell.most)}, median ${printed(objective, cell.median)}`;
        return `<td${isBest ? ' class="best"' : ""} style="background:${colour}" title="${escaped(title)}">${escaped(printed(objective, cell.median))}</td>`;
      });
      return `<tr><th class="side">${escaped(text)}</th>${tds.join("")}</tr>`;
    })
    .join("");
  const others = dimensions.length > 2 ? ", the median over all other settings" : "";
  return card(
    `${shortPath(down.path)} against ${shortPath(across.path)}`,
    escaped(
      `Down ${down.path}, across ${across.path}; in each cell the ${objectiveText(objective)}${others}. A plateau can be trusted, a lone peak can't. Framed: the best.`,
    ),
    `<div class="scroll"><table class="heat"><thead><tr><th></th>${head}</tr></thead><tbody>${body}</tbody></table></div>`,
  );
}

type Cell = { readonly median: number; readonly least: number; readonly most: number; readonly count: number };

function cellsOf(
  { dimensions, rows, objective }: SweepOutcome,
  [down, across]: readonly [number, number],
): (Cell | null)[][] {
  const values = new Map<string, number[]>();
  for (const row of rows) {
    const value = objectiveOf(objective, row);
    if (value === null || !Number.isFinite(value)) continue;
    const key = `${row.places[down]} ${row.places[across]}`;
    const list = values.get(key) ?? [];
    values.set(key, list);
    list.push(value);
  }
  return (dimensions[down]?.values ?? []).map((_, row) =>
    (dimensions[across]?.values ?? []).map((__, column) => {
      const list = (values.get(`${row} ${column}`) ?? []).toSorted((one, other) => one - other);
      const [least, most] = [list[0], list.at(-1)];
      if (least === undefined || most === undefined) return null;
      const middle = (list.length - 1) / 2;
      const median = ((list[Math.floor(middle)] as number) + (list[Math.ceil(middle)] as number)) / 2;
      return { median, least, most, count: list.length };
    }),
  );
}

/** Neither good nor bad. */
function neutral(objective: SweepOutcome["objective"]): number {
  return objective === "profit-factor" ? 1 : 0;
}

function printed(objective: SweepOutcome["objective"], value: number): string {
  return objective === "net" ? printCentsSigned(Math.round(value)).replace(/\.\d\d$/, "") : printNumber(value, 2);
}

function walkCard({ dimensions, objective }: SweepOutcome, walk: Walk): string {
  const { lengths, steps, outside, curveCents, dates } = walk;
  const marks = dates.flatMap((date, at): Mark[] =>
    date.slice(0, 7) === dates[at - 1]?.slice(0, 7) || at === 0 ? [] : [{ at, text: date.slice(0, 7) }],
  );
  const usd = (cents: number): string => printCents(Math.round(cents)).replace(/\.00$/, "");
  const line = (values: Float64Array, kind: "equity" | "drawdown", title: string): LineChart => ({
    values,
    base: 0,
    kind,
    levels: kind === "equity" ? [0] : [],
    axis: "round",
    marks,
    strokes: [],
    label: usd,
    title,
  });
  const drawdown = drawdownCents(curveCents, 0);
  const deepest = -drawdown.reduce((least, cents) => Math.min(least, cents), 0);
  const rows = steps.map((step) => [
    `${step.insideDates[0]} to ${step.insideDates[1]}`,
    `${step.outsideDates[0]} to ${step.outsideDates[1]}`,
    ...step.texts,
    ...figureCells(step.inside),
    ...figureCells(step.outside),
    printCount(step.outside.sums.trades),
  ]);
  const summary = `Out of sample ${printCentsSigned(outside.sums.netCents)} in ${printCount(outside.sums.sessions)} trading days and ${printCount(outside.sums.trades)} trades, Sharpe ${ratioText(outside.sharpe)}, profit factor ${ratioText(outside.profitFactor)}, deepest drawdown at a day's end ${printCents(deepest)}.`;
  return card(
    "Walk-forward",
    escaped(
      `Chosen by ${objectiveText(objective)} on ${lengths.inside} trading days, judged on the ${lengths.outside} after them, and so on. ${summary}`,
    ),
    both((size) => lineChart(line(curveCents, "equity", "Net result out of sample"), size), 240) +
      both((size) => lineChart(line(drawdown, "drawdown", "Drawdown out of sample"), size), 120) +
      table(
        [
          "in sample",
          "out of sample",
          ...dimensions.map(({ path }) => shortPath(path)),
          "net in",
          "Sharpe in",
          "net out",
          "Sharpe out",
          "trades out",
        ],
        rows,
      ),
  );
}

function figureCells({ sums, sharpe }: SpanFigures): readonly string[] {
  return [printCentsSigned(sums.netCents), ratioText(sharpe)];
}

function rowsCard({ dimensions, rows, objective }: SweepOutcome): string {
  const row = ({ texts, statistics, sharpe }: SweepRow, at: number): string[] => [
    printCount(at + 1),
    ...texts,
    printCentsSigned(statistics.netCents),
    printCount(statistics.trades),
    percentText(statistics.winRate),
    ratioText(statistics.profitFactor),
    ratioText(sharpe),
    printCents(statistics.maxDrawdownCents),
  ];
  const left = rows.length - ROWS_LISTED_MAX;
  return card(
    `Combinations by ${objectiveText(objective)}`,
    left > 0 ? `The best ${printCount(ROWS_LISTED_MAX)}; --csv FILE has all.` : "",
    table(
      ["", ...dimensions.map(({ path }) => shortPath(path)), "net", "trades", "won", "PF", "Sharpe", "drawdown"],
      rows.slice(0, ROWS_LISTED_MAX).map(row),
    ),
  );
}
