// The words under a picture: its figures again, so that nothing is only in the picture. Pure.
import type { DeskSnapshot, RoundTripRow } from "../../trading/desk.ts";
import { totalsOf } from "./results.ts";
import { bold, CAPTION_UNITS_MAX, clip, lines, type Rich } from "./rich.ts";
import { type Button, refresh, run } from "./view.ts";
import { counted, marketLine, money, positionText, time, zText } from "./words.ts";

/** Are the kinds of charts, in the order of their buttons. */
export const CHART_KINDS = ["today", "zscore", "equity", "drawdown", "week"] as const;

/** Is a kind of chart. */
export type ChartKind = (typeof CHART_KINDS)[number];

/** Returns the caption of a chart. */
export function captionOf(snap: DeskSnapshot, kind: ChartKind, trips: readonly RoundTripRow[]): Rich {
  const { status } = snap;
  const { today } = status;
  const totals = totalsOf(trips);
  const position = `Position ${positionText(status.position?.position ?? 0)}`;
  const figures: Readonly<Record<ChartKind, readonly string[]>> = {
    today: [
      `Net ${money(today.netCents)}, ${counted(today.trades, "trade")}, max drawdown ${money(-today.drawdownCents)}`,
      `z ${zText(status.z)} · ${position}`,
    ],
    zscore: [
      `z ${zText(status.z)}, enter at ±${snap.settings.strategy.entryZ}, exit inside ±${snap.settings.strategy.exitZ}`,
      `Window ${status.windowFilled}/${status.windowSize}`,
    ],
    equity: [`Net ${money(totals.netCents)} after fees, ${counted(totals.trades, "closed trade")}`],
    drawdown: [`Largest fall ${money(-totals.drawdownCents)}, ${counted(totals.trades, "closed trade")}`],
    week: [`Net ${money(totals.netCents)} after fees, ${counted(totals.trades, "closed trade")}`],
  };
  return clip(
    lines(
      bold(`${snap.badge} · ${TITLES[kind]} · ${snap.contractName}`),
      marketLine(snap),
      ...figures[kind],
      `as of ${time(snap, snap.nowMs)}`,
    ),
    CAPTION_UNITS_MAX,
  );
}

const TITLES: Readonly<Record<ChartKind, string>> = {
  today: "Today",
  zscore: "z-score",
  equity: "Equity",
  drawdown: "Drawdown",
  week: "Five trading days",
};

/** Returns the buttons under a chart: the other kinds, the other palette, the uncompressed picture. */
export function chartButtons(kind: ChartKind, theme: "dark" | "light"): readonly (readonly Button[])[] {
  const others = CHART_KINDS.filter((other) => other !== kind).map((other) =>
    refresh(TITLES[other].length > 12 ? "Week" : TITLES[other], `/chart ${other} ${theme}`),
  );
  const otherTheme = theme === "dark" ? "light" : "dark";
  return [
    others.slice(0, 2),
    others.slice(2),
    [
      refresh("Refresh", `/chart ${kind} ${theme}`),
      refresh(otherTheme === "dark" ? "Dark" : "Light", `/chart ${kind} ${otherTheme}`),
      run("Original", `/chart ${kind} ${theme} file`),
    ],
  ];
}
