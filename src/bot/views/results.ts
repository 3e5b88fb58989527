// What came of it: closed trades, profit and loss, the summary of a trading day. Pure sums over round trips; figures of
// the running day are the engine's own.
import { DateTime } from "luxon";
import type { DeskSnapshot, RoundTripRow, Today } from "../../trading/desk.ts";
import { decimalText, instantText, printDurationShort, printNumber } from "../../units.ts";
import { bold, lines, type Rich, rich } from "./rich.ts";
import { type Button, refresh, run, type View } from "./view.ts";
import {
  amount,
  amountShort,
  asOf,
  counted,
  dayName,
  exitWords,
  marketLine,
  money,
  reportLine,
  time,
} from "./words.ts";

/** A page of /trades has at most so many. */
export const TRADES_MAX = 20;

/** Is what a span of trades came to. */
export type Totals = {
  readonly trades: number;
  readonly wins: number;
  readonly losses: number;
  readonly grossCents: number;
  readonly feesCents: number;
  readonly netCents: number;
  readonly bestCents: number;
  readonly worstCents: number;
  /** Gains ÷ losses; null where there is no loss. */
  readonly profitFactor: number | null;
  /** Largest fall of the running net result from its peak, ≥ 0. */
  readonly drawdownCents: number;
};

/** Returns the totals of round trips, oldest first. */
export function totalsOf(trips: readonly RoundTripRow[]): Totals {
  let netCents = 0;
  let peakCents = 0;
  let drawdownCents = 0;
  for (const trip of trips) {
    netCents += trip.netCents;
    peakCents = Math.max(peakCents, netCents);
    drawdownCents = Math.max(drawdownCents, peakCents - netCents);
  }
  const nets = trips.map((trip) => trip.netCents);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const gains = total(nets.filter((net) => net > 0));
  const losses = -total(nets.filter((net) => net < 0));
  return {
    trades: trips.length,
    wins: nets.filter((net) => net > 0).length,
    losses: nets.filter((net) => net < 0).length,
    grossCents: total(trips.map((trip) => trip.grossCents)),
    feesCents: total(trips.map((trip) => trip.feesCents)),
    netCents,
    bestCents: nets.length === 0 ? 0 : Math.max(...nets),
    worstCents: nets.length === 0 ? 0 : Math.min(...nets),
    profitFactor: losses === 0 ? null : gains / losses,
    drawdownCents,
  };
}

/** Returns a page of closed trades, the newest first; `page` counts from 0. */
export function tradesView(snap: DeskSnapshot, trips: readonly RoundTripRow[], count: number, page: number): View {
  const newest = [...trips].reverse();
  const pages = Math.max(1, Math.ceil(newest.length / count));
  const at = Math.min(Math.max(0, page), pages - 1);
  const shown = newest.slice(at * count, (at + 1) * count);
  const text = lines(
    reportLine(snap, trips.length === 0 ? "No closed trades" : counted(trips.length, "trade")),
    ...shown.map((trip) => tradeLine(snap, trip)),
    trips.length === 0
      ? "The first one appears here when it is closed."
      : `Page ${at + 1} of ${pages} · net is after fees`,
    asOf(snap),
  );
  const turn: Button[] = [
    ...(at > 0 ? [refresh("◀ Newer", `/trades ${count} ${at - 1}`)] : []),
    ...(at < pages - 1 ? [refresh("Older ▶", `/trades ${count} ${at + 1}`)] : []),
  ];
  return {
    text,
    buttons: [...(turn.length > 0 ? [turn] : []), ...(trips.length > 0 ? [[run("CSV file", "/trades csv")]] : [])],
  };
}

function tradeLine(snap: DeskSnapshot, trip: RoundTripRow): Rich {
  const side = trip.side === "long" ? "L" : "S";
  const net = bold(money(trip.netCents));
  const held = printDurationShort(trip.exitAtMs - trip.entryAtMs);
  return rich(
    `#${trip.tradeId} ${side}${trip.quantity} `,
    net,
    ` · ${time(snap, trip.exitAtMs, "minute")} · ${exitShort(trip.reason)} after ${held}`,
  );
}

const EXIT_SHORT: Readonly<Record<string, string>> = {
  zexit: "mean",
  time: "time",
  stop: "stop",
  stop_gap: "stop (gap)",
  target: "target",
  target_gap: "target (gap)",
  daily_loss: "daily loss",
  session_close: "close",
  session_end: "session end",
  flatten: "flatten",
  external: "outside",
};

function exitShort(reason: string): string {
  return EXIT_SHORT[reason] ?? reason;
}

/** Returns all round trips as CSV with ASCII numbers, a head line first. */
export function tradesCsv(trips: readonly RoundTripRow[]): string {
  const head =
    "trade_id,trade_date,contract,side,quantity,entry_at,exit_at,entry_ticks,exit_ticks,reason,gross_usd,fees_usd,net_usd,z_entry,z_exit";
  const usd = (cents: number): string => decimalText(Math.round(cents), 2);
  const rows = trips.map((trip) =>
    [
      trip.tradeId,
      trip.tradeDate,
      trip.contract,
      trip.side,
      trip.quantity,
      instantText(trip.entryAtMs),
      instantText(trip.exitAtMs),
      trip.entryPriceTicks,
      trip.exitPriceTicks,
      trip.reason,
      usd(trip.grossCents),
      usd(trip.feesCents),
      usd(trip.netCents),
      trip.zEntry ?? "",
      trip.zExit ?? "",
    ].join(","),
  );
  return [head, ...rows, ""].join("\n");
}

/** Is a span of /pnl. */
export type PnlSpan = "day" | "week" | "month" | "all";

/** Returns profit and loss of a span: the running trading day by the engine's figures, others by closed trades. */
export function pnlView(snap: DeskSnapshot, trips: readonly RoundTripRow[], span: PnlSpan): View {
  const { today } = snap.status;
  const dates = spanDates(snap, span);
  const closed = trips.filter((trip) => trip.tradeDate >= dates.from && trip.tradeDate <= dates.to);
  const totals = totalsOf(closed);
  const isDay = span === "day";
  const shown = isDay ? { ...totals, ...pickToday(today) } : totals;
  const text = lines(
    rich(reportLine(snap, `${SPAN_WORDS[span]} ${money(shown.netCents)} net`)),
    marketLine(snap),
    `Gross ${money(shown.grossCents)} · fees ${amount(shown.feesCents)}`,
    today.openCents === 0 ? null : `Open position ${money(today.openCents)}, not counted`,
    countLine(shown),
    shown.trades === 0 ? null : `Best ${money(shown.bestCents)} · worst ${money(shown.worstCents)}`,
    `Max drawdown ${money(-shown.drawdownCents)}`,
    isDay
      ? `Daily limit: ${amount(Math.max(0, today.lossLeftCents))} left of ${amountShort(snap.settings.risk.dailyLossCents)}`
      : null,
    asOf(snap),
  );
  const spans = (["day", "week", "month"] as const).map((name) => refresh(SPAN_WORDS[name], `/pnl ${name}`));
  return { text, buttons: [spans, [refresh(SPAN_WORDS.all, "/pnl all"), run("Chart", "/chart equity")]] };
}

const SPAN_WORDS: Readonly<Record<PnlSpan, string>> = { day: "Day", week: "Week", month: "Month", all: "All" };

function countLine(totals: Totals): string {
  if (totals.trades === 0) return "No closed trades in this span";
  const rate = `${printNumber((totals.wins / totals.trades) * 100, 0)}%`;
  const factor =
    totals.profitFactor === null
      ? totals.losses === 0
        ? "n/a (no loss)"
        : "n/a (trades not at hand)"
      : printNumber(totals.profitFactor, 2);
  return `Trades ${totals.trades}: ${totals.wins} W, ${totals.losses} L (${rate}) · PF ${factor}`;
}

function pickToday(
  today: Today,
): Pick<
  Totals,
  "trades" | "wins" | "losses" | "grossCents" | "feesCents" | "netCents" | "bestCents" | "worstCents" | "drawdownCents"
> {
  const { trades, wins, losses, grossCents, feesCents, netCents, bestCents, worstCents, drawdownCents } = today;
  return { trades, wins, losses, grossCents, feesCents, netCents, bestCents, worstCents, drawdownCents };
}

/** Trade dates are compared as text: "2026-11-25" sorts as it counts. */
function spanDates(snap: DeskSnapshot, span: PnlSpan): { from: string; to: string } {
  const now = snap.status.today.tradeDate;
  switch (span) {
    case "day":
      return { from: now, to: now };
    case "week":
      return { from: shiftDate(now, -6), to: now };
    case "month":
      return { from: `${now.slice(0, 8)}01`, to: now };
    case "all":
      return { from: "", to: "9999-12-31" };
    default:
      return span satisfies never;
  }
}

function shiftDate(date: string, days: number): string {
  const at = DateTime.fromISO(date, { zone: "utc" });
  return at.isValid ? at.plus({ days }).toFormat("yyyy-MM-dd") : date;
}

/** Returns the summary of one trading day; the engine's figures for the running one. */
export function dailyView(snap: DeskSnapshot, trips: readonly RoundTripRow[], tradeDate: string): View {
  const { today } = snap.status;
  const closed = trips.filter((trip) => trip.tradeDate === tradeDate);
  const totals = totalsOf(closed);
  const isToday = tradeDate === today.tradeDate;
  const shown = isToday ? { ...totals, ...pickToday(today) } : totals;
  const exits = [...new Set(closed.map((trip) => exitShort(trip.reason)))].map(
    (name) => `${name} ${closed.filter((trip) => exitShort(trip.reason) === name).length}`,
  );
  const dates = [...new Set([...trips.map((trip) => trip.tradeDate), today.tradeDate])]
    .filter((date) => date !== "")
    .sort();
  const at = dates.indexOf(tradeDate);
  const before = dates[at - 1];
  const after = dates[at + 1];
  const text = lines(
    bold(`${snap.badge} · ${dayName(tradeDate)} · ${snap.contractName}`),
    marketLine(snap),
    `Net ${money(shown.netCents)} · gross ${money(shown.grossCents)} · fees ${amount(shown.feesCents)}`,
    countLine(shown),
    shown.trades === 0
      ? null
      : `Best ${money(shown.bestCents)} · worst ${money(shown.worstCents)} · avg ${money(shown.netCents / shown.trades)}`,
    `Max drawdown ${money(-shown.drawdownCents)}`,
    exits.length === 0 ? null : `Exits: ${exits.join(", ")}`,
    isToday ? "The day is still running." : null,
    asOf(snap),
  );
  const turn: Button[] = [
    ...(at > 0 && before !== undefined ? [refresh("◀ Before", `/daily ${before}`)] : []),
    ...(at >= 0 && after !== undefined ? [refresh("After ▶", `/daily ${after}`)] : []),
  ];
  return {
    text,
    buttons: [...(turn.length > 0 ? [turn] : []), [run("Chart", "/chart today"), run("Trades", "/trades")]],
  };
}

/** Returns the lines of a closed trade's notice: reason, result, how long, best and worst. */
export function tripLines(
  snap: DeskSnapshot,
  trip: {
    reason: string;
    zExit: number | null;
    grossCents: number;
    feesCents: number;
    entryAtMs: number;
    exitAtMs: number;
    maeCents: number;
    mfeCents: number;
  },
): readonly string[] {
  return [
    `Reason: ${exitWords(trip.reason, trip.zExit, snap.settings.strategy.exitZ)}`,
    `Gross ${money(trip.grossCents)} · fees ${money(-trip.feesCents)}`,
    `Held ${printDurationShort(trip.exitAtMs - trip.entryAtMs)} · best ${money(trip.mfeCents)}, worst ${money(trip.maeCents)}`,
  ];
}
