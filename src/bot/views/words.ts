// How this bot says things: the first line with badge and state, prices, moves and times of one snapshot. All printing
// of figures goes through src/units.ts.
import type { DeskSnapshot, Posture, RoundTrip, Status } from "../../trading/desk.ts";
import {
  HOUR_MS,
  printCents,
  printCentsSigned,
  printCount,
  printDurationShort,
  printMove,
  printNumber,
  printPrice,
  printTime,
  type TickSize,
  type TimePrecision,
  tickSize,
} from "../../units.ts";
import { bold, type Rich, rich } from "./rich.ts";

/** Returns a price: "5,012.25"; an average between two ticks with two more decimals. */
export function price(snap: DeskSnapshot, priceTicks: number): string {
  const size = sizeOf(snap);
  if (Number.isSafeInteger(priceTicks)) return printPrice(priceTicks, size);
  return printNumber((priceTicks * size.units) / 10 ** size.decimals, size.decimals + 2);
}

/** Returns a move with its worth: "+4.75 pt (19 t, +$23.75)". */
export function move(snap: DeskSnapshot, moveTicks: number, quantity: number): string {
  const size = sizeOf(snap);
  if (Number.isSafeInteger(moveTicks)) return printMove(moveTicks, size, snap.tickValueCents, quantity);
  const points = (moveTicks * size.units) / 10 ** size.decimals;
  const sign = points > 0 ? "+" : "";
  const worth = money(moveTicks * snap.tickValueCents * quantity);
  return `${sign}${printNumber(points, size.decimals + 2)} pt (${printNumber(Math.abs(moveTicks), 1)} t, ${worth})`;
}

/** Returns a gain or loss with its sign, to the cent: "+$22.61". */
export const money = (cents: number): string => printCentsSigned(whole(cents));
/** Returns an amount without a plus: "$500.00". */
export const amount = (cents: number): string => printCents(whole(cents));

/** Returns an amount without cents where there are none: "$500". */
export const amountShort = (cents: number): string => amount(cents).replace(/\.00$/, "");

/** Returns z with its sign before "0.00" left out: "−1.32", "+2.05"; "n/a (why)" where it is undefined. */
export function zText(z: number | null, why = "window not full"): string {
  return z === null ? `n/a (${why})` : `${z > 0 ? "+" : ""}${printNumber(z, 2)}`;
}

/** Returns a moment in the exchange's zone, with the date when it is not today. */
export function time(snap: DeskSnapshot, atMs: number, precision: TimePrecision = "second"): string {
  return printTime(atMs, snap.settings.session.timeZone, snap.nowMs, precision);
}

/** Returns the tick size of a snapshot, exactly. */
export function sizeOf(snap: Pick<DeskSnapshot, "tickSize">): TickSize {
  return tickSize(String(snap.tickSize));
}

/** Returns "LONG 1", "SHORT 2" or "FLAT". */
export function positionText(position: number): string {
  return position === 0 ? "FLAT" : `${position > 0 ? "LONG" : "SHORT"} ${printCount(Math.abs(position))}`;
}

/** Returns who it was without the id that the record has: "anna (11)" → "anna". */
export const personName = (by: string): string => by.replace(/ \(-?\d+\)$/, "");

/** Returns a count with its noun: "1 trade", "3 trades". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${printCount(count)} ${count === 1 ? one : many}`;
}

const POSTURES: Readonly<Record<Posture, { emoji: string; word: string }>> = {
  trading: { emoji: "🟢", word: "TRADING" },
  paused: { emoji: "🟡", word: "PAUSED" },
  halted: { emoji: "🔴", word: "HALTED" },
  flattening: { emoji: "⚠️", word: "FLATTENING" },
};

/** Returns the posture's word. */
export const postureWord = (posture: Posture): string => POSTURES[posture].word;

/** Is a posture's sign; always beside its word. */
export const postureEmoji = (posture: Posture): string => POSTURES[posture].emoji;

/** Returns what overlays the posture, the gravest first. */
export function overlays(status: Status): readonly string[] {
  return [
    ...(isLinkDown(status) ? ["LINK DOWN"] : []),
    ...(status.gates.some((gate) => gate.name === "control" && !gate.open) ? ["CONTROL LOST"] : []),
    ...(status.marketOpen === false ? ["MARKET CLOSED"] : []),
    ...(status.marketOpen === true && !isLinkDown(status) && isStale(status) ? ["DATA STALE"] : []),
  ];
}

/** Returns whether the broker cannot be reached now. */
export function isLinkDown(status: Status): boolean {
  return status.link === "down" || status.link === "connecting";
}

function isStale(status: Status): boolean {
  return status.gates.some((gate) => (gate.name === "data_age" || gate.name === "feed") && !gate.open);
}

/** Returns the first line, complete on its own: "🟢 PAPER · TRADING · MES Z6". */
export function headLine(snap: DeskSnapshot, subject: string = snap.contractName): Rich {
  const { status } = snap;
  const { emoji, word } = POSTURES[status.posture];
  const over = overlays(status);
  const sign = over.includes("LINK DOWN")
    ? "⚠️"
    : over.includes("MARKET CLOSED") && status.posture === "trading"
      ? "⚪"
      : emoji;
  return rich(`${sign} `, bold([snap.badge, word, ...over, subject].join(" · ")));
}

/** Returns a first line for a report: "PAPER · Risk · MES Z6". */
export function reportLine(snap: DeskSnapshot, subject: string): Rich {
  return bold(`${snap.badge} · ${subject} · ${snap.contractName}`);
}

/** Returns the last line of a report: as of when, and since when the link is down. */
export function asOf(snap: DeskSnapshot): string {
  const { status } = snap;
  if (!isLinkDown(status)) return `as of ${time(snap, snap.nowMs)} · r${snap.revision}`;
  const down = printDurationShort(snap.nowMs - status.linkSinceMs);
  return `as of ${time(snap, status.linkSinceMs)}, link down ${down}`;
}

/** Returns the demo's line about its market; null elsewhere. */
export function marketLine(snap: DeskSnapshot): string | null {
  return snap.marketLabel;
}

/** Returns why a round trip ended, in words with the figures that are known. */
export function exitWords(reason: string, zExit: number | null, exitZ: number): string {
  switch (reason as RoundTrip["reason"]) {
    case "zexit":
      return `z back to ${zText(zExit)} (exit ±${printNumber(exitZ, 2)})`;
    case "time":
      return "time limit reached";
    case "stop":
      return "stop hit";
    case "stop_gap":
      return "stop hit, price jumped over it";
    case "target":
      return "target hit";
    case "target_gap":
      return "target hit, price jumped over it";
    case "daily_loss":
      return "daily loss limit";
    case "session_close":
      return "flat before the close";
    case "session_end":
      return "session ended";
    case "flatten":
      return "flattened";
    case "external":
      return "closed outside this bot";
    default:
      return reason;
  }
}

/** Returns a bar of ten characters that shows a share from 0 to 1. */
export function shareBar(share: number): string {
  const full = Math.min(10, Math.max(0, Math.round(share * 10)));
  return "▓".repeat(full) + "░".repeat(10 - full);
}

/** Returns the trading day's name as people write it: "25 Nov 2026". */
export function dayName(tradeDate: string): string {
  const [year = "", month = "", day = ""] = tradeDate.split("-");
  const names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const name = names[Number(month) - 1];
  return name === undefined ? tradeDate || "no trading day yet" : `${Number(day)} ${name} ${year}`;
}

/** A pause "until /resume" is sent without an end; longer ends than this are shown with their date by `time`. */
export const PAUSE_MS_MAX = 24 * HOUR_MS;

function whole(cents: number): number {
  // Reports of commissions may hold fractions of a cent; people are shown whole ones.
  const rounded = Math.round(cents);
  return rounded === 0 ? 0 : rounded;
}
