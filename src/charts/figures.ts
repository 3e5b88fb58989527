// Data → chart description. Pure: five kinds of charts, each from plain values, each with a sentence where there is
// nothing to draw yet. Charts know no trading types: the bot hands over what a chart needs.
import { DateTime } from "luxon";
import { printPrice, printTime, type TickSize } from "../units.ts";
import type { Figure, Level, Line, Marks, Pane, Point, Theme } from "./figure.ts";

/** Is one closed bar with what was seen at its close; prices in ticks. */
export type ChartBar = {
  readonly closeAtMs: number;
  readonly closeTicks: number;
  readonly z: number | null;
  readonly meanTicks: number | null;
  readonly sdTicks: number | null;
  readonly blockedBy: string | null;
};

/** Is one closed round trip. */
export type ChartTrade = {
  readonly tradeId: number;
  /** Trading day of the exit, "2026-11-25". */
  readonly tradeDate: string;
  readonly side: "long" | "short";
  readonly entryAtMs: number;
  readonly exitAtMs: number;
  readonly entryPriceTicks: number;
  readonly exitPriceTicks: number;
  readonly netCents: number;
};

/** Is the open position, for its stop and target lines. */
type ChartPosition = {
  readonly position: number;
  readonly entryAtMs: number;
  readonly averageTicks: number;
  readonly stopTicks: number | null;
  readonly targetTicks: number | null;
};

/** Is what every chart needs to know of the bot. */
export type ChartFrame = {
  readonly theme: Theme;
  readonly zone: string;
  readonly nowMs: number;
  /** "DEMO", "PAPER" or "LIVE": first in the title. */
  readonly badge: string;
  /** What the market is, in the demo; none elsewhere. */
  readonly marketLabel: string | null;
  readonly contractName: string;
  readonly tickSize: TickSize;
};

/** Is what the price and z charts are made of. */
export type MarketData = {
  readonly bars: readonly ChartBar[];
  readonly trades: readonly ChartTrade[];
  readonly position: ChartPosition | null;
  readonly entryZ: number;
  readonly exitZ: number;
  /** Bar length; 0 = a bar a trade. */
  readonly samplingMs: number;
};

/** A line has at most this many points a pane: more are not seen at 2,000 pixels. */
export const POINTS_MAX = 1_200;

/** A pause in the bars longer than this, and than ten bars, is a closed market and is not drawn as a line. */
const GAP_MS_MIN = 120_000;

/** At most so many days are shown as bars of a week chart. */
const DAYS_MAX = 5;

/** Returns the chart of the day: price with mean, bands and trades; z with its thresholds below. */
export function todayFigure(frame: ChartFrame, data: MarketData): Figure {
  const kept = thin(data.bars, POINTS_MAX);
  if (kept.length === 0)
    return emptyFigure(frame, "today", "No bars yet.\nThe first one closes within moments of the first trade.");
  const inPoints = (ticks: number): number => (ticks * frame.tickSize.units) / 10 ** frame.tickSize.decimals;
  const banded = (factor: number) => (bar: ChartBar) =>
    bar.meanTicks === null || bar.sdTicks === null ? null : inPoints(bar.meanTicks + factor * bar.sdTicks);
  const lines: Line[] = [
    line("price", "price", kept, data, (bar) => inPoints(bar.closeTicks)),
    { ...line("mean", "mean", kept, data, banded(0)), isThin: true },
    {
      ...line(`mean ± ${plain(data.entryZ)} sd`, "band", kept, data, banded(data.entryZ)),
      isThin: true,
      isDashed: true,
    },
    { ...line("", "band", kept, data, banded(-data.entryZ)), isThin: true, isDashed: true },
  ];
  const price: Pane = {
    unit: "price",
    weight: 2.2,
    lines,
    bars: [],
    marks: tradeMarks(data, inPoints, kept[0]?.closeAtMs ?? 0),
    levels: positionLevels(data.position, inPoints, frame),
  };
  return figure(frame, "price, mean and bands · z below", [price, zPane(data, kept, 1, false)]);
}

/** Returns the chart of z alone, with thresholds and the signals that a gate stopped as rings. */
export function zscoreFigure(frame: ChartFrame, data: MarketData): Figure {
  const kept = thin(data.bars, POINTS_MAX);
  if (!kept.some((bar) => bar.z !== null)) {
    return emptyFigure(
      frame,
      "z-score",
      data.bars.length === 0 ? "No bars yet." : "The window is filling.\nz begins when it is full.",
    );
  }
  return figure(frame, "z-score with its thresholds", [zPane(data, kept, 1, true)]);
}

/** Returns the running net result after each round trip; `drawdown` shows the distance from its peak instead. */
export function equityFigure(frame: ChartFrame, kind: "equity" | "drawdown", trades: readonly ChartTrade[]): Figure {
  if (trades.length === 0) return emptyFigure(frame, kind, "No closed trades yet.");
  const closed = equityPoints(trades);
  const last = closed.at(-1);
  // The last result holds until now: without this its step would be a mark at the border.
  const curve = last === undefined || last.x >= frame.nowMs ? closed : [...closed, { ...last, x: frame.nowMs }];
  const fall = curve.map((point) => ({ x: point.x, y: point.netUsd - point.peakUsd }));
  const count = `${trades.length} ${trades.length === 1 ? "trade" : "trades"}`;
  if (kind === "drawdown") {
    const under: Line = {
      label: "below the peak, net of fees",
      ink: "loss",
      isDashed: false,
      isThin: false,
      isFilled: true,
      points: fall,
    };
    return figure(frame, `drawdown · ${count}`, [{ ...pane("usd", 1), lines: [under], levels: [zero()] }]);
  }
  const net: Line = {
    label: "net result after fees",
    ink: "gain",
    isDashed: false,
    isThin: false,
    isFilled: false,
    points: curve.map((point) => ({ x: point.x, y: point.netUsd })),
  };
  const under: Line = {
    label: "below the peak",
    ink: "loss",
    isDashed: false,
    isThin: true,
    isFilled: true,
    points: fall,
  };
  return figure(frame, `equity · ${count}`, [
    { ...pane("usd", 2.2), lines: [net], levels: [zero()] },
    { ...pane("usd", 1), lines: [under], levels: [] },
  ]);
}

/** Returns the net result of each of the last five trading days, with the running sum. */
export function weekFigure(frame: ChartFrame, trades: readonly ChartTrade[]): Figure {
  const days = [...new Set(trades.map((trade) => trade.tradeDate))].sort().slice(-DAYS_MAX);
  if (days.length === 0) return emptyFigure(frame, "week", "No closed trades yet.");
  const netUsd = days.map(
    (day) => sum(trades.filter((trade) => trade.tradeDate === day).map((trade) => trade.netCents)) / 100,
  );
  let runningUsd = 0;
  const running = netUsd.map((usd, x) => {
    runningUsd += usd;
    return { x, y: runningUsd };
  });
  const names = days.map((day) => DateTime.fromISO(day, { zone: "utc" }).toFormat("ccc d LLL", { locale: "en-US" }));
  const line: Line = {
    label: "running sum",
    ink: "price",
    isDashed: false,
    isThin: true,
    isFilled: false,
    points: running,
  };
  return figure(
    frame,
    "net result by trading day",
    [{ ...pane("usd", 1), bars: [{ label: "net of the day", values: netUsd }], lines: [line], levels: [zero()] }],
    names,
  );
}

/** Returns the net result after each trade with its highest value so far, in dollars. */
export function equityPoints(trades: readonly ChartTrade[]): readonly { x: number; netUsd: number; peakUsd: number }[] {
  let netCents = 0;
  let peakCents = 0;
  const first = trades[0];
  const start = first === undefined ? [] : [{ x: first.entryAtMs, netUsd: 0, peakUsd: 0 }];
  return start.concat(
    trades.map((trade) => {
      netCents += trade.netCents;
      peakCents = Math.max(peakCents, netCents);
      return { x: trade.exitAtMs, netUsd: netCents / 100, peakUsd: peakCents / 100 };
    }),
  );
}

/** Of each stretch so many bars are kept at most. */
const KEPT_MAX = 5;

/**
 * Returns at most `pointsMax` of the bars and `KEPT_MAX` more, oldest first: of each stretch the lowest and highest price, the lowest
 * and highest z and the last bar, so that no spike is lost.
 */
export function thin(bars: readonly ChartBar[], pointsMax: number): readonly ChartBar[] {
  if (bars.length <= pointsMax) return bars;
  const stretch = Math.ceil((bars.length * KEPT_MAX) / pointsMax);
  const kept: ChartBar[] = [];
  for (let from = 0; from < bars.length; from += stretch) {
    const part = bars.slice(from, from + stretch);
    const last = part.at(-1);
    if (last === undefined) break;
    const ends = [(bar: ChartBar) => bar.closeTicks, (bar: ChartBar) => bar.z ?? 0].flatMap((value) => [
      part.reduce((least, bar) => (value(bar) < value(least) ? bar : least)),
      part.reduce((most, bar) => (value(bar) > value(most) ? bar : most)),
    ]);
    kept.push(...[...new Set([...ends, last])].sort((one, other) => one.closeAtMs - other.closeAtMs));
  }
  return kept;
}

function figure(frame: ChartFrame, what: string, panes: readonly Pane[], names?: readonly string[]): Figure {
  const market = frame.marketLabel === null ? "" : `${frame.marketLabel} · `;
  return {
    title: `${frame.badge} · ${frame.contractName} · ${what}`,
    subtitle: `${market}as of ${printTime(frame.nowMs, frame.zone, frame.nowMs)}, ${dateText(frame)}`,
    theme: frame.theme,
    axis: names === undefined ? { type: "time", zone: frame.zone } : { type: "names", names },
    panes,
    emptyText: "",
  };
}

function emptyFigure(frame: ChartFrame, what: string, emptyText: string): Figure {
  return { ...figure(frame, what, []), emptyText };
}

function dateText(frame: ChartFrame): string {
  // printTime adds the date where it is another day: asked from a day later it always does.
  const dated = printTime(frame.nowMs, frame.zone, frame.nowMs + 2 * 86_400_000, "minute");
  return dated.split(" ").slice(0, 2).join(" ");
}

function pane(unit: Pane["unit"], weight: number): Pane {
  return { unit, weight, lines: [], bars: [], marks: [], levels: [] };
}

function zPane(data: MarketData, kept: readonly ChartBar[], weight: number, hasRings: boolean): Pane {
  const dashed = (y: number): Level => ({ label: "", ink: "level", y, isDashed: true });
  const { entryZ, exitZ } = data;
  const stopped = data.bars.filter((bar) => bar.blockedBy !== null && bar.z !== null);
  const rings: Marks = {
    label: "signal stopped by a gate",
    ink: "blocked",
    shape: "ring",
    points: stopped.map((bar) => ({ x: bar.closeAtMs, y: bar.z ?? 0, text: "" })),
  };
  return {
    unit: "z",
    weight,
    lines: [line(`z (dashed: entry ±${plain(entryZ)}, exit ±${plain(exitZ)})`, "z", kept, data, (bar) => bar.z)],
    bars: [],
    marks: hasRings && stopped.length > 0 ? [rings] : [],
    levels: [dashed(entryZ), dashed(-entryZ), ...(exitZ === 0 ? [zero()] : [dashed(exitZ), dashed(-exitZ)])],
  };
}

function tradeMarks(data: MarketData, inPoints: (ticks: number) => number, fromMs: number): readonly Marks[] {
  const shown = data.trades.filter((trade) => trade.exitAtMs >= fromMs);
  const entries = shown.map((trade) => ({
    x: Math.max(trade.entryAtMs, fromMs),
    y: inPoints(trade.entryPriceTicks),
    text: trade.side === "long" ? "L" : "S",
  }));
  const open = data.position;
  if (open !== null && open.position !== 0) {
    entries.push({
      x: Math.max(open.entryAtMs, fromMs),
      y: inPoints(open.averageTicks),
      text: open.position > 0 ? "L" : "S",
    });
  }
  const exits = shown.map((trade) => ({ x: trade.exitAtMs, y: inPoints(trade.exitPriceTicks), text: "" }));
  const marks: Marks[] = [];
  if (entries.length > 0) marks.push({ label: "entry (L long, S short)", ink: "entry", shape: "up", points: entries });
  if (exits.length > 0) marks.push({ label: "exit", ink: "exit", shape: "down", points: exits });
  return marks;
}

function positionLevels(
  open: ChartPosition | null,
  inPoints: (ticks: number) => number,
  frame: ChartFrame,
): readonly Level[] {
  if (open === null) return [];
  const level = (label: string, ink: Level["ink"], ticks: number): Level => ({
    label: `${label} ${printPrice(ticks, frame.tickSize)}`,
    ink,
    y: inPoints(ticks),
    isDashed: true,
  });
  return [
    ...(open.stopTicks === null ? [] : [level("stop", "stop", open.stopTicks)]),
    ...(open.targetTicks === null ? [] : [level("target", "target", open.targetTicks)]),
  ];
}

function line(
  label: string,
  ink: Line["ink"],
  bars: readonly ChartBar[],
  data: MarketData,
  y: (bar: ChartBar) => number | null,
): Line {
  const gapMs = Math.max(GAP_MS_MIN, 10 * data.samplingMs);
  const points: Point[] = [];
  let beforeMs = Number.POSITIVE_INFINITY;
  for (const bar of bars) {
    // A missing stretch is a closed market or a lost feed: the line is broken there, not drawn through it.
    if (bar.closeAtMs - beforeMs > gapMs) points.push({ x: beforeMs + 1, y: null });
    points.push({ x: bar.closeAtMs, y: y(bar) });
    beforeMs = bar.closeAtMs;
  }
  return { label, ink, isDashed: false, isThin: false, isFilled: false, points };
}

function zero(): Level {
  return { label: "", ink: "level", y: 0, isDashed: false };
}

function plain(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
