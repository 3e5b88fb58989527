// What is true now: the status card, position, orders, z, the gates and the limits. Pure.
import { stopOutCents } from "../../config/effects.ts";
import type { DeskSnapshot, OrderStatus, SeriesPoint } from "../../trading/desk.ts";
import { printCount, printDuration, printDurationShort, printMinuteOfDay, printNumber } from "../../units.ts";
import { bold, lines, type Rich, rich } from "./rich.ts";
import { type Button, refresh, run, type View } from "./view.ts";
import {
  amount,
  amountShort,
  asOf,
  counted,
  headLine,
  isLinkDown,
  marketLine,
  money,
  move,
  overlays,
  positionText,
  price,
  reportLine,
  shareBar,
  time,
  zText,
} from "./words.ts";

/** Returns the status card (also the pinned one). */
export function statusView(snap: DeskSnapshot): View {
  return { text: statusText(snap), buttons: statusButtons(snap) };
}

/** Returns the card's text: state, position, signal, day, limits, age. */
function statusText(snap: DeskSnapshot): Rich {
  const { status } = snap;
  const { today } = status;
  const streak = `Losses in a row ${today.lossStreak}/${snap.settings.risk.lossStreak}`;
  return lines(
    headLine(snap),
    marketLine(snap),
    postureDetail(snap),
    ...positionLines(snap),
    `z ${zText(status.z)} (enter ±${printNumber(snap.settings.strategy.entryZ, 2)}) · window ${status.windowFilled}/${status.windowSize}`,
    `Today ${money(today.netCents)} net, ${counted(today.trades, "trade")}${today.trades > 0 ? ` (${today.wins} W)` : ""}`,
    limitLine(snap),
    `${streak} · ${linkText(snap)}`,
    status.questions.length === 0 ? null : bold(`Needs you: ${status.questions.join("; ")}`),
    `${asOf(snap)} · up ${printDurationShort(Math.max(0, snap.nowMs - snap.startedAtMs))}`,
  );
}

function postureDetail(snap: DeskSnapshot): string | null {
  const { posture, pausedUntilMs, postureReason } = snap.status;
  const reason = postureReason === "" ? "" : `: ${postureReason}`;
  switch (posture) {
    case "trading":
      return null;
    case "paused":
      return `No entries ${pausedUntilMs === null ? "until /resume" : `until ${time(snap, pausedUntilMs, "minute")}`}${reason}`;
    case "halted":
      return `No entries until /arm${reason}`;
    case "flattening":
      return `Closing everything${reason}`;
    default:
      return posture satisfies never;
  }
}

function positionLines(snap: DeskSnapshot): readonly string[] {
  const held = snap.status.position;
  if (held === null) {
    const last = snap.status.lastTicks;
    return [`FLAT · last ${last === null ? "n/a (no trade yet)" : price(snap, last)}`];
  }
  const quantity = Math.abs(held.position);
  const side = held.position > 0 ? 1 : -1;
  const mark = held.markTicks;
  const exit = `Exit at z ${side > 0 ? "≥" : "≤"} ${printNumber(held.exitZ, 2)}`;
  const left = held.latestExitAtMs - snap.nowMs;
  const leftText = left > 0 ? `${printDurationShort(left)} left` : "time is up";
  return [
    `${positionText(held.position)} @ ${price(snap, held.averageTicks)} → ${mark === null ? "n/a (no quote)" : price(snap, mark)}`,
    mark === null
      ? "Unrealised n/a (no quote)"
      : `Unrealised ${move(snap, (mark - held.averageTicks) * side, quantity)}`,
    `Stop ${levelText(snap, held.stopTicks)} · Target ${levelText(snap, held.targetTicks)}`,
    `${exit} · in trade ${printDurationShort(snap.nowMs - held.entryAtMs)}, ${leftText}`,
  ];
}

function levelText(snap: DeskSnapshot, ticks: number | null): string {
  return ticks === null ? "none at the broker" : price(snap, ticks);
}

function limitLine(snap: DeskSnapshot): string {
  const limitCents = snap.settings.risk.dailyLossCents;
  const leftCents = snap.status.today.lossLeftCents;
  return `Daily limit: ${amount(Math.max(0, leftCents))} left of ${amountShort(limitCents)}${leftCents > limitCents ? " + gains" : ""}`;
}

function linkText(snap: DeskSnapshot): string {
  const { link, linkSinceMs, reconciled } = snap.status;
  if (isLinkDown(snap.status)) return `Gateway down ${printDurationShort(snap.nowMs - linkSinceMs)}`;
  if (link === "syncing" || !reconciled) return "Gateway syncing";
  return link === "degraded" ? "Gateway up, data late" : "Gateway OK";
}

function statusButtons(snap: DeskSnapshot): readonly (readonly Button[])[] {
  const { posture } = snap.status;
  const steer =
    posture === "trading"
      ? run("Pause", "/pause")
      : posture === "halted"
        ? run("Arm", "/arm")
        : run("Resume", "/resume");
  return [[refresh("Refresh", "/status"), run("Why", "/why"), steer], [run("Flatten", "/flatten")]];
}

/** Returns the open position in detail, or that there is none. */
export function positionsView(snap: DeskSnapshot): View {
  const held = snap.status.position;
  const text = lines(
    reportLine(snap, held === null ? "FLAT" : positionText(held.position)),
    ...positionLines(snap).map((line) => line),
    ...(held === null
      ? ["No position of ours."]
      : [
          `Open result ${money(held.openCents)} before fees`,
          `Entered ${time(snap, held.entryAtMs)} at z ${zText(held.zEntry, "adopted")}`,
          `Out by ${time(snap, held.latestExitAtMs, "minute")} at the latest`,
        ]),
    snap.status.reconciled ? "Confirmed with the broker on this connection." : "Not yet confirmed with the broker.",
    asOf(snap),
  );
  return { text, buttons: [[refresh("Refresh", "/positions")], [run("Flatten", "/flatten")]] };
}

/** An answer lists at most so many orders. */
const ORDERS_MAX = 20;

/** Returns the working orders, foreign ones marked. */
export function ordersView(snap: DeskSnapshot): View {
  const { orders } = snap.status;
  const more = orders.length - ORDERS_MAX;
  const text = lines(
    reportLine(snap, counted(orders.length, "working order")),
    ...orders.slice(0, ORDERS_MAX).map((order) => orderLine(snap, order)),
    more > 0 ? `and ${more} more` : null,
    orders.length === 0 ? "Nothing is working at the broker." : null,
    asOf(snap),
  );
  return { text, buttons: [[refresh("Refresh", "/orders"), run("Position", "/positions")]] };
}

function orderLine(snap: DeskSnapshot, order: OrderStatus): Rich {
  const kind = order.kind;
  const at =
    kind === null
      ? "of another kind"
      : kind.kind === "market"
        ? "at market"
        : `${kind.kind} ${price(snap, kind.kind === "limit" ? kind.limitTicks : kind.stopTicks)}`;
  const filled = order.filled > 0 ? `, ${order.filled} filled` : "";
  const age = printDurationShort(Math.max(0, snap.nowMs - order.sinceMs));
  const name = order.leg === null ? "not ours" : order.leg;
  return rich(
    bold(name),
    `: ${order.side} ${order.quantity} ${at}${filled}\n  ${order.state.replaceAll("_", " ")} for ${age}${order.orderRef === "" ? "" : ` · ${order.orderRef}`}`,
  );
}

/** Returns z with everything it is made of, and its last values. */
export function zscoreView(snap: DeskSnapshot, recent: readonly SeriesPoint[]): View {
  const { status, settings } = snap;
  const { entryZ, exitZ } = settings.strategy;
  const { meanTicks, sdTicks, z } = status;
  const bands =
    meanTicks === null || sdTicks === null
      ? null
      : `Bands ${price(snap, Math.round(meanTicks - entryZ * sdTicks))} – ${price(snap, Math.round(meanTicks + entryZ * sdTicks))}`;
  const values = recent.map((point) => point.z).filter((value) => value !== null);
  const text = lines(
    reportLine(snap, `z ${zText(z)}`),
    `Price ${status.lastTicks === null ? "n/a (no trade yet)" : price(snap, status.lastTicks)}`,
    meanTicks === null || sdTicks === null
      ? "Mean, sd: n/a (window not full)"
      : `Mean ${price(snap, Math.round(meanTicks))} · sd ${printNumber(sdTicks * snap.tickSize, 2)} pt`,
    `Window ${status.windowFilled}/${status.windowSize} bars`,
    bands,
    `Enter at ±${printNumber(entryZ, 2)}, exit inside ±${printNumber(exitZ, 2)}`,
    z === null || sdTicks === null ? null : distanceLine(z, sdTicks, entryZ),
    values.length === 0 ? null : `Last ${values.length}: ${sparkline(values)}`,
    values.length === 0 ? null : `  ${values.map((value) => printNumber(value, 1)).join(" ")}`,
    asOf(snap),
  );
  return { text, buttons: [[refresh("Refresh", "/zscore"), run("Chart", "/chart zscore")]] };
}

function distanceLine(z: number, sdTicks: number, entryZ: number): string {
  const awayTicks = Math.ceil((entryZ - Math.abs(z)) * sdTicks);
  return awayTicks <= 0 ? "At or beyond the entry threshold" : `${counted(awayTicks, "tick")} from an entry`;
}

/** Returns the values as eight heights; its numbers always stand beside it. */
export function sparkline(values: readonly number[]): string {
  const heights = "▁▂▃▄▅▆▇█";
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  return values.map((value) => heights.charAt(span === 0 ? 3 : Math.round(((value - low) / span) * 7))).join("");
}

/** Returns why there is no entry, gate by gate, or why there is a position. */
export function whyView(snap: DeskSnapshot): View {
  const { status, settings } = snap;
  const { entryZ } = settings.strategy;
  const held = status.position;
  const isReached = status.z !== null && Math.abs(status.z) >= entryZ;
  const away =
    status.z === null || status.sdTicks === null || isReached
      ? ""
      : ` (${counted(Math.max(1, Math.ceil((entryZ - Math.abs(status.z)) * status.sdTicks)), "tick")} away)`;
  const signal = `z ${zText(status.z)}: needs ≤ ${printNumber(-entryZ, 2)} or ≥ +${printNumber(entryZ, 2)}${away}`;
  const shut = status.gates.filter((gate) => !gate.open);
  const open = status.gates.filter((gate) => gate.open);
  const gateText = (gate: { name: string; detail: string }): string =>
    `${gateName(gate.name)}${gate.detail === "" ? "" : `: ${gate.detail}`}`;
  const [first, ...others] = [...shut.map(gateText), ...(isReached || held !== null ? [] : [signal])];
  const blocked = status.lastBlocked;
  const text = lines(
    reportLine(snap, held === null ? "Why no trade" : `Why ${positionText(held.position)}`),
    held === null
      ? null
      : `Entered at z ${zText(held.zEntry, "adopted")}; leaves at z ${held.position > 0 ? "≥" : "≤"} ${printNumber(held.exitZ, 2)}`,
    held === null ? null : "Gates for the next entry:",
    first === undefined ? bold("✓ nothing stands in the way") : bold(`✗ ${first}`),
    ...others.map((other) => `✗ ${other}`),
    isReached ? `✓ z ${zText(status.z)} is beyond ±${printNumber(entryZ, 2)}` : null,
    ...open.map((gate) => `✓ ${gateText(gate)}`),
    blocked === null
      ? "No signal was blocked so far."
      : `Last signal ${time(snap, blocked.atMs, "minute")} (${blocked.side}): blocked by ${gateName(blocked.gate)}`,
    asOf(snap),
  );
  return { text, buttons: [[refresh("Refresh", "/why"), run("Status", "/status")]] };
}

/** Returns a gate's name in words. */
export function gateName(name: string): string {
  return name.replaceAll("_", " ");
}

/** Returns each limit: used, limit, what is left. */
export function riskView(snap: DeskSnapshot): View {
  const { risk } = snap.settings;
  const { today, position, gates } = snap.status;
  const usedCents = Math.max(0, risk.dailyLossCents - today.lossLeftCents);
  const leftCents = Math.max(0, today.lossLeftCents);
  const heldMs = position === null ? 0 : Math.max(0, snap.nowMs - position.entryAtMs);
  const contracts = Math.abs(position?.position ?? 0);
  const stopOut = stopOutCents(snap.settings);
  const shut = gates.filter((gate) => !gate.open);
  const limit = (name: string, share: number, figures: string): Rich =>
    rich(bold(name), `\n${shareBar(share)} ${figures}`);
  const text = lines(
    reportLine(snap, "Risk"),
    limit(
      "Daily loss",
      usedCents / risk.dailyLossCents,
      `${amount(usedCents)} of ${amountShort(risk.dailyLossCents)}, ${amount(leftCents)} left`,
    ),
    limit(
      "Losses in a row",
      today.lossStreak / risk.lossStreak,
      `${today.lossStreak} of ${risk.lossStreak}, then ${printDuration(risk.lossStreakPauseMs)} pause`,
    ),
    limit("Position", contracts / risk.maxPosition, `${contracts} of ${counted(risk.maxPosition, "contract")}`),
    limit(
      "Time in trade",
      heldMs / risk.maxHoldMs,
      `${printDurationShort(heldMs)} of ${printDuration(risk.maxHoldMs)}`,
    ),
    `Stop ${amountShort(risk.stopCents)} · target ${amountShort(risk.targetCents)} per contract`,
    `A stop-out costs ${amount(stopOut)}: ${printCount(Math.floor(leftCents / stopOut))} left today`,
    `Max drawdown today ${amount(today.drawdownCents)}`,
    shut.length === 0
      ? "All controls allow entries."
      : `Blocking now: ${shut.map((gate) => gateName(gate.name)).join(", ")}`,
    asOf(snap),
  );
  return { text, buttons: [[refresh("Refresh", "/risk"), run("Edit", "/config risk")]] };
}

/** Returns what is traded: listing, dates, tick, worth, hours. */
export function contractView(snap: DeskSnapshot): View {
  const { contract, hours, marketOpen } = snap.status;
  const { settings } = snap;
  const span =
    hours === null
      ? "Hours: n/a (not told by the broker yet)"
      : marketOpen === true
        ? `Open until ${time(snap, hours.toMs, "minute")}`
        : `Closed; opens ${time(snap, hours.fromMs, "minute")}`;
  const text = lines(
    reportLine(snap, "Contract"),
    contract === null
      ? "Listing: n/a (the broker has not been asked yet)"
      : `${contract.localSymbol} · conId ${contract.conId} · ${contract.month}`,
    contract === null ? null : `Last trade date ${contract.lastTradeDate}`,
    `Tick ${snap.tickSize} = ${amount(snap.tickValueCents)} · ${settings.contract.expiry === null ? "front month" : `fixed ${settings.contract.expiry}`}`,
    `Rolls ${settings.contract.rollDaysBefore} d before, flat ${settings.contract.flatDaysBefore} d before`,
    span,
    settings.session.flattenAtMinute === null
      ? "No flat window"
      : `Flat by ${printMinuteOfDay(settings.session.flattenAtMinute)}, no entry ${printDuration(settings.session.noEntryBeforeFlattenMs)} before`,
    overlays(snap.status).includes("MARKET CLOSED") ? "MARKET CLOSED" : null,
    asOf(snap),
  );
  return { text, buttons: [[refresh("Refresh", "/contract")]] };
}
