// A backtest as one HTML page that needs nothing else: what it assumes first, then its charts and tables.
import { DateTime } from "luxon";
import { printNote } from "../bar-data/problem.ts";
import { instrumentOf, tickSizeOf } from "../config/instruments.ts";
import type { BacktestTrade, Statistics } from "../engine.ts";
import {
  DAY_MS,
  MINUS,
  printCents,
  printCentsSigned,
  printCount,
  printDuration,
  printNumber,
  printPrice,
  zoneName,
} from "../units.ts";
import { assumptions, rulesText, utcMinute } from "./assumptions.ts";
import {
  busiestStretch,
  byHour,
  byWeekday,
  type Day,
  days,
  distribution,
  drawdownCents,
  type Group,
  indexAt,
  years,
} from "./figures.ts";
import type { Outcome } from "./outcome.ts";
import { STYLE } from "./style.ts";
import { columnChart, escaped, type LineChart, lineChart, type Mark, type Size, type Stroke } from "./svg.ts";
import { fallText, percentText, ratioText, SESSIONS_FEW, ticksText } from "./text.ts";
import { values } from "./values.ts";

const TRADES_LISTED_MAX = 1_000;
const TRADES_DRAWN_MAX = 1_500;
const STRETCH_BARS_MAX = 420;
const NOTES_LISTED_MAX = 100;
const DISTRIBUTION_BUCKETS = 24;

/** Returns the page. */
export function backtestHtml(outcome: Outcome): string {
  const { settings, bars } = outcome;
  const instrument = instrumentOf(settings);
  const title = `Backtest of ${instrument.symbol}`;
  const span = `${utcMinute(bars.openAtMs[0] as number)} to ${utcMinute(bars.openAtMs.at(-1) as number)} UTC`;
  const sampling = settings.strategy.samplingMs;
  const under = `${outcome.data.contract ?? instrument.name}, ${printCount(bars.openAtMs.length)} bars${sampling === 0 ? ", one for every trade" : ` of ${printDuration(sampling)}`}, ${span}`;
  const found = days(outcome);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escaped(title)}</h1><p class="under">${escaped(under)}</p>`,
    tiles(outcome),
    assumptionsCard(outcome),
    boundsCard(outcome),
    equityCard(outcome),
    priceCard(outcome),
    groupCards(outcome),
    monthCard(found, settings.backtest.startEquityCents),
    figuresCard(outcome),
    dayCard(found, instrument.tickValueCents),
    tradesCard(outcome),
    notesCard(outcome),
    "<footer>A backtest shows what would have happened under these assumptions, not what will happen.</footer>",
    "</main></body></html>\n",
  ].join("\n");
}

function tiles({ settings, run }: Outcome): string {
  const { tickValueCents } = instrumentOf(settings);
  const found = run.report.statistics;
  const tile = (value: string, under: string, kind = ""): string =>
    `<div class="tile"><b class="${kind}">${escaped(value)}</b><span>${escaped(under)}</span></div>`;
  return `<section class="tiles">${[
    tile(
      printCentsSigned(found.netCents),
      `net, ${ticksText(found.netCents, tickValueCents)}, after ${printCents(found.feesCents)} of fees`,
      signKind(found.netCents),
    ),
    tile(printCents(found.maxDrawdownCents), `deepest drawdown, ${percentText(found.maxDrawdownShare, 2)}`),
    tile(printCount(found.trades), `trades: ${printCount(found.wins)} won, ${printCount(found.losses)} lost`),
    tile(
      percentText(found.winRate),
      found.payoffRatio === null ? "win rate" : `win rate; a win is ${ratioText(found.payoffRatio)} × a loss`,
    ),
    tile(ratioText(found.profitFactor), "profit factor"),
    tile(
      ratioText(found.sharpe),
      `Sharpe of ${printCount(found.sessions)} ${found.sessions === 1 ? "session" : "sessions"}${found.sessions < SESSIONS_FEW ? ": too few to trust" : ""}`,
    ),
  ].join("")}</section>`;
}

function assumptionsCard(outcome: Outcome): string {
  const [strategy, limits] = rulesText(outcome.settings);
  const rows = [
    { name: "strategy", text: strategy ?? "" },
    { name: "limits", text: limits ?? "" },
    ...assumptions(outcome),
  ];
  const list = rows.map(({ name, text }) => `<dt>${escaped(name)}</dt><dd>${escaped(text)}</dd>`).join("");
  return card("What it assumes", "", `<dl>${list}</dl>`);
}

function boundsCard({ settings, run }: Outcome): string {
  const { otherIntrabar: other, report } = run;
  if (other === null) return "";
  const { tickValueCents } = instrumentOf(settings);
  const isStopFirst = settings.backtest.intrabar === "stop-first";
  const row = (name: string, found: Statistics): string[] => [
    name,
    money(found.netCents),
    ticksText(found.netCents, tickValueCents),
    printCount(found.trades),
    percentText(found.winRate),
    printCents(found.maxDrawdownCents),
  ];
  return card(
    "Both bounds",
    "Some bars held both stop and target, and bars do not tell which came first. The truth lies between.",
    table(
      ["order", "net", "ticks", "trades", "won", "drawdown"],
      [
        row("stop first", isStopFirst ? report.statistics : other),
        row("target first", isStopFirst ? other : report.statistics),
      ],
    ),
  );
}

function figuresCard(outcome: Outcome): string {
  const { study, report } = outcome.run;
  const { sessions } = report.statistics;
  const few =
    sessions < SESSIONS_FEW
      ? ` ${printCount(sessions)} ${sessions === 1 ? "session is" : "sessions are"} too few to mean anything by the year.`
      : "";
  const how =
    study === null
      ? ""
      : ` Interval: what ${printNumber(study.level * 100, 0)} % of ${printCount(study.tradeResamples)} runs resampled in blocks gave (stationary bootstrap, seed ${study.seed}).`;
  const rows = values(outcome).map(({ definition: { name, unit, text }, value, interval, why }) => {
    const under = why === "" ? interval : why;
    return (
      `<div class="figure"><div><b>${escaped(name)}</b><p>${escaped(`${unit}: ${text}`)}</p></div>` +
      `<div><b>${escaped(value)}</b>${under === "" ? "" : `<p>${escaped(under)}</p>`}</div></div>`
    );
  });
  return card(
    "Every figure, and how it is counted",
    escaped(`${how}${few}`.trim()),
    `<div class="figures">${rows.join("")}</div>`,
  );
}

function equityCard(outcome: Outcome): string {
  const { run, settings } = outcome;
  const start = settings.backtest.startEquityCents;
  const marks = dayMarks(outcome, 0, run.equityCents.length);
  const usd = (cents: number): string => printCents(Math.round(cents)).replace(/\.00$/, "");
  const equity: LineChart = {
    values: run.equityCents,
    base: start,
    kind: "equity",
    levels: [start],
    axis: "round",
    marks,
    strokes: [],
    label: usd,
    title: "Equity at each close",
  };
  const drawdown: LineChart = {
    values: drawdownCents(run.equityCents, start),
    base: 0,
    kind: "drawdown",
    levels: [],
    axis: "round",
    marks,
    strokes: [],
    label: usd,
    title: "Drawdown at each close",
  };
  return card(
    "Equity and drawdown",
    `At each bar's close, open positions at their worth then; from ${printCents(start)}. Deepest drawdown ${percentText(run.report.statistics.maxDrawdownShare, 2)}${escaped(fallText(outcome))}.`,
    both((size) => lineChart(equity, size), 260) + both((size) => lineChart(drawdown, size), 120),
  );
}

function priceCard(outcome: Outcome): string {
  const { bars, run, settings } = outcome;
  const key =
    '<span class="key"><span class="won">won</span><span class="lost">lost</span><span>triangle: entry, pointing where it bets</span><span>ring: exit</span></span>';
  const whole = priceCharts(outcome, 0, bars.openAtMs.length, run.report.trades.length <= 40);
  const stretch = busiestStretch(outcome, STRETCH_BARS_MAX);
  const near =
    stretch === null || stretch.to - stretch.from >= bars.openAtMs.length * 0.9
      ? ""
      : card(
          "The busiest day, closer",
          `From ${zoned(bars.openAtMs[stretch.from] as number, settings.session.timeZone, "ccc d LLL yyyy HH:mm")} ${zoneName(settings.session.timeZone, 0)}. ${key}`,
          priceCharts(outcome, stretch.from, stretch.to, true),
        );
  const drawn =
    run.report.trades.length > TRADES_DRAWN_MAX ? ` The first ${printCount(TRADES_DRAWN_MAX)} trades are drawn.` : "";
  return card("Price, trades and z", `The whole data; below it z with the thresholds.${drawn} ${key}`, whole) + near;
}

function priceCharts(outcome: Outcome, from: number, to: number, isClose: boolean): string {
  const { bars, run, settings } = outcome;
  const tick = tickSizeOf(instrumentOf(settings));
  const { entryZ, exitZ, samplingMs } = settings.strategy;
  const marks = dayMarks(outcome, from, to);
  const place = (atMs: number): number => indexAt(bars.openAtMs, atMs) - from;
  const inside = run.report.trades
    .filter(
      (trade) =>
        trade.entryAtMs >= (bars.openAtMs[from] as number) &&
        trade.exitAtMs <= (bars.openAtMs[to - 1] as number) + samplingMs,
    )
    .slice(0, TRADES_DRAWN_MAX);
  const strokes = inside.map(
    (trade): Stroke => ({
      fromAt: place(trade.entryAtMs),
      from: trade.entryTicks,
      toAt: Math.min(place(trade.exitAtMs), to - from - 1),
      to: trade.exitTicks,
      kind: trade.netCents > 0 ? "won" : "lost",
      side: isClose ? (trade.side === "buy" ? 1 : -1) : 0,
      title: `${trade.tradeId}. ${trade.side === "buy" ? "long" : "short"} ${printPrice(trade.entryTicks, tick)} to ${printPrice(trade.exitTicks, tick)}, ${trade.reason}, ${printCentsSigned(trade.netCents)}`,
    }),
  );
  const price: LineChart = {
    values: bars.closeTicks.subarray(from, to),
    base: null,
    kind: "price",
    levels: [],
    axis: "round",
    marks,
    strokes,
    label: (ticks) => printPrice(Math.round(ticks), tick),
    title: "Price at each close, with the trades",
  };
  const z: LineChart = {
    values: run.z.subarray(from, to),
    base: null,
    kind: "z",
    levels: [entryZ, exitZ, -exitZ, -entryZ],
    axis: "levels",
    marks: [],
    strokes: [],
    label: (value) => printNumber(value, 1),
    title: settings.strategy.price === "mid" ? "z of the middle of bid and ask at each close" : "z at each close",
  };
  return both((size) => lineChart(price, size), 300) + both((size) => lineChart(z, size), 120);
}

function groupCards({ run, settings }: Outcome): string {
  const { trades } = run.report;
  if (trades.length === 0) return "";
  const { timeZone } = settings.session;
  const zone = zoneName(timeZone, 0);
  const usd = (cents: number): string => printCents(Math.round(cents)).replace(/\.00$/, "");
  const columns = (groups: readonly Group[]) =>
    groups.map(({ label, netCents, trades: count }) => ({
      label,
      value: netCents,
      kind: netCents >= 0 ? ("won" as const) : ("lost" as const),
      title: `${label}: ${printCentsSigned(netCents)} in ${printCount(count)} trades`,
    }));
  const buckets = distribution(trades, DISTRIBUTION_BUCKETS).map((bucket) => ({
    label: usd(bucket.fromCents),
    value: bucket.trades,
    kind: bucket.fromCents >= 0 ? ("won" as const) : ("lost" as const),
    title: `${printCentsSigned(bucket.fromCents)} to ${printCentsSigned(bucket.toCents)}: ${printCount(bucket.trades)} trades`,
  }));
  const counts = (value: number): string => (Number.isInteger(value) ? printCount(value) : "");
  const half = { height: 190, width: 470 };
  return [
    card(
      "What the trades made",
      "How many trades ended with which net result.",
      both((size) => columnChart(buckets, counts, "Distribution of net results", size), 200),
    ),
    '<div class="pair">',
    card(
      "By hour of entry",
      `Net, ${escaped(zone)}.`,
      both((size) => columnChart(columns(byHour(trades, timeZone)), usd, "Net by hour", size), half.height, half.width),
    ),
    card(
      "By weekday of entry",
      `Net, ${escaped(zone)}.`,
      both(
        (size) => columnChart(columns(byWeekday(trades, timeZone)), usd, "Net by weekday", size),
        half.height,
        half.width,
      ),
    ),
    "</div>",
  ].join("");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function monthCard(found: readonly Day[], startCents: number): string {
  const all = years(found);
  // Months that no year has would only make the table wide.
  const shown = MONTHS.map((_, month) => month).filter((month) => all.some(({ months }) => months[month] !== null));
  const rows = all.map(({ year, months, netCents }) => [
    String(year),
    ...shown.map((month) => (months[month] == null ? "" : money(months[month]))),
    money(netCents),
    percentText(netCents / startCents, 2),
  ]);
  return card(
    "By month",
    "Net in dollars, by trading day; the share is of the starting equity.",
    table(["", ...shown.map((month) => MONTHS[month] as string), "year", "share"], rows),
  );
}

function dayCard(found: readonly Day[], tickValueCents: number): string {
  const rows = found
    .slice(-TRADES_LISTED_MAX)
    .map((day) => [
      day.tradeDate,
      money(day.netCents),
      ticksText(day.netCents, tickValueCents),
      printCents(day.equityCents),
    ]);
  return folded(`Trading days (${printCount(found.length)})`, table(["trading day", "net", "ticks", "equity"], rows));
}

function tradesCard({ run, settings }: Outcome): string {
  const { trades, statistics } = run.report;
  const tick = tickSizeOf(instrumentOf(settings));
  const { tickValueCents } = instrumentOf(settings);
  const zone = settings.session.timeZone;
  const row = (trade: BacktestTrade): string[] => [
    String(trade.tradeId),
    trade.side === "buy" ? "long" : "short",
    zoned(trade.entryAtMs, zone, "yyyy-MM-dd HH:mm:ss"),
    printPrice(trade.entryTicks, tick),
    zoned(trade.exitAtMs, zone, "HH:mm:ss"),
    printPrice(trade.exitTicks, tick),
    trade.reason,
    printNumber(trade.zSignal, 2),
    ticksText(trade.netCents, tickValueCents),
    money(trade.netCents),
  ];
  const exits = Object.entries(statistics.exitReasons)
    .toSorted(([, one], [, other]) => other - one)
    .map(([reason, count]) => [reason, printCount(count), percentText(count / statistics.trades)]);
  const left = trades.length - TRADES_LISTED_MAX;
  return [
    exits.length === 0 ? "" : card("Why positions ended", "", table(["exit", "trades", "share"], exits)),
    folded(
      `Trades (${printCount(trades.length)})`,
      `<p class="hint">Times in ${escaped(zoneName(zone, 0))}, net of fees.${left > 0 ? ` The first ${printCount(TRADES_LISTED_MAX)}; --json has all.` : ""}</p>` +
        table(
          ["", "side", "entry", "price", "exit", "price", "why", "z", "ticks", "net"],
          trades.slice(0, TRADES_LISTED_MAX).map(row),
        ),
    ),
  ].join("");
}

function notesCard({ data }: Outcome): string {
  const notes = [...data.notes.values()].flatMap(({ first }) => first);
  if (notes.length === 0) return "";
  const shown = notes
    .slice(0, NOTES_LISTED_MAX)
    .map(
      (note) =>
        `<li>${escaped(printNote({ ...note, place: { ...note.place, file: baseName(note.place.file) } }))}</li>`,
    );
  return folded(`What was odd in the data (${printCount(notes.length)})`, `<ul>${shown.join("")}</ul>`);
}

/** A mark at each trading day's first bar, or at each hour where less than two days are shown. */
function dayMarks({ bars, settings }: Outcome, from: number, to: number): readonly Mark[] {
  const zone = settings.session.timeZone;
  const isShort = (bars.openAtMs[to - 1] as number) - (bars.openAtMs[from] as number) < 2 * DAY_MS;
  const marks: Mark[] = [];
  let last = "";
  let lastMs = Number.NEGATIVE_INFINITY;
  const stepMs = isShort ? 60_000 : 3_600_000;
  for (let at = from; at < to; at++) {
    const atMs = bars.openAtMs[at] as number;
    // A label changes at whole minutes, and at whole hours for days: most bars need no calendar.
    if (Math.floor(atMs / stepMs) === Math.floor(lastMs / stepMs)) continue;
    lastMs = atMs;
    const text = zoned(atMs, zone, isShort ? "HH:'00'" : "d LLL");
    if (text !== last && last !== "") marks.push({ at: at - from, text });
    last = text;
  }
  return marks;
}

/** A chart for wide screens and one for phones; the page shows the one that fits. */
export function both(draw: (size: Size) => string, height: number, width = 1_000): string {
  return (
    draw({ width, height, isNarrow: false }) +
    draw({ width: 360, height: Math.max(120, Math.round(height * 0.72)), isNarrow: true })
  );
}

/** Returns a card of the page; `hint` is HTML. */
export function card(title: string, hint: string, inside: string): string {
  return `<section class="card"><h2>${escaped(title)}</h2>${hint === "" ? "" : `<p class="hint">${hint}</p>`}${inside}</section>`;
}

/** Returns a card that opens when it is clicked. */
export function folded(title: string, inside: string): string {
  return `<section class="card"><details><summary>${escaped(title)}</summary>${inside}</details></section>`;
}

/** Cells that begin with a sign are coloured. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => {
    const kind = text.startsWith("+$") ? ' class="plus"' : text.startsWith(`${MINUS}$`) ? ' class="minus"' : "";
    return `<td${kind}>${escaped(text)}</td>`;
  };
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("");
  return `<div class="scroll"><table><thead><tr>${heads.map((head) => `<th>${escaped(head)}</th>`).join("")}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function money(cents: number): string {
  return printCentsSigned(cents);
}

function signKind(cents: number): string {
  return cents > 0 ? "won" : cents < 0 ? "lost" : "";
}

function zoned(atMs: number, zone: string, format: string): string {
  return DateTime.fromMillis(atMs, { zone }).toFormat(format, { locale: "en-US" });
}

function baseName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
