// The relations between keys, and those to the instrument and the calendar. Each names the key to mend, says what was
// compared and what would be right; ranges of single keys are in the table.
import { DateTime } from "luxon";
import {
  MINUTE_MS,
  printCents,
  printDuration,
  printMinuteOfDay,
  stopTicksFromCents,
  targetTicksFromCents,
} from "../units.ts";
import { builtInInstrument, type Instrument, instrumentOf, tickValueCentsOf } from "./instruments.ts";
import type { RateLimit, Settings } from "./settings.ts";
import { minutesOf } from "./windows.ts";

/** Is a broken relation: the key to mend and the clause after its value. */
export type BrokenRule = { readonly path: string; readonly message: string };

/** A stop or target nearer than this is refused by control D5. */
export const DISTANCE_TICKS_MIN = 4;

/** Returns every broken relation; `nowMs` null leaves the calendar out (a file is checked without a clock). */
export function brokenRules(settings: Settings, nowMs: number | null): readonly BrokenRule[] {
  const instrument = contractRules(settings);
  return [
    ...instrument.broken,
    ...brokerRules(settings),
    ...strategyRules(settings),
    ...riskRules(settings, instrument.value),
    ...sessionRules(settings),
    ...(instrument.value === null ? [] : expiryRules(settings, instrument.value, nowMs)),
    ...machineRules(settings),
  ];
}

/**
 * Returns the largest |z| that `window` prices can reach: (n−1)/√n with ddof 1, √(n−1) with ddof 0 (semantics S3).
 * For printing; `isReachable` compares exactly.
 */
export function zBound(window: number, ddof: 0 | 1): number {
  return ddof === 1 ? (window - 1) / Math.sqrt(window) : Math.sqrt(window - 1);
}

/** Returns whether |z| can reach `entryZ` (at most 4 decimals) at all, compared exactly over integers. */
export function isReachable(entryZ: number, window: number, ddof: 0 | 1): boolean {
  const entry = BigInt(Math.round(entryZ * 10_000));
  const n = BigInt(window);
  const scale = 100_000_000n;
  return ddof === 1 ? (n - 1n) * (n - 1n) * scale >= entry * entry * n : (n - 1n) * scale >= entry * entry;
}

function contractRules(settings: Settings): {
  readonly value: Instrument | null;
  readonly broken: readonly BrokenRule[];
} {
  const { symbol, custom, flatDaysBefore, rollDaysBefore } = settings.contract;
  const broken = check(
    flatDaysBefore <= rollDaysBefore,
    "contract.flatDaysBefore",
    `must not be more than contract.rollDaysBefore (${rollDaysBefore}): entries end before positions must`,
  );
  const builtIn = builtInInstrument(symbol);
  if (builtIn !== null) {
    const clash = check(
      custom === null,
      "contract.custom",
      `must be null, because ${symbol} is built in; give a custom instrument a symbol of its own`,
    );
    return { value: builtIn, broken: [...broken, ...clash] };
  }
  if (custom === null) {
    const unknown = check(
      false,
      "contract.symbol",
      "is not built in (MES ES MNQ NQ M2K RTY MYM YM): describe it in contract.custom",
    );
    return { value: null, broken: [...broken, ...unknown] };
  }
  if (tickValueCentsOf(custom.tick, custom.multiplier) === null) return { value: null, broken };
  return { value: instrumentOf(settings), broken };
}

function brokerRules({ ibkr }: Settings): readonly BrokenRule[] {
  const isLivePort = ibkr.port === 4001 || ibkr.port === 7496;
  return [
    ...check(
      ibkr.live || !isLivePort,
      "ibkr.port",
      "is a live port and needs ibkr.live: true; paper is 4002 (Gateway) or 7497 (TWS)",
    ),
    ...check(
      !(ibkr.live && isLivePort) || ibkr.account !== null,
      "ibkr.account",
      "must name the live account: auto only takes a paper account",
    ),
    ...check(
      ibkr.live || ibkr.account === null || ibkr.account.startsWith("D"),
      "ibkr.account",
      'is not a paper account (they begin with "D") and needs ibkr.live: true',
    ),
  ];
}

function strategyRules({ strategy, risk }: Settings): readonly BrokenRule[] {
  const { entryZ, exitZ, window, ddof, quantity } = strategy;
  return [
    ...check(exitZ < entryZ, "strategy.exitZ", `must be less than strategy.entryZ (${entryZ})`),
    ...check(
      isReachable(entryZ, window, ddof),
      "strategy.entryZ",
      `can never be reached: with strategy.window ${window} and ddof ${ddof} |z| is at most ${floorText(zBound(window, ddof))}; lower it or widen the window`,
    ),
    ...check(
      quantity <= risk.maxPosition,
      "strategy.quantity",
      `must not be more than risk.maxPosition (${risk.maxPosition})`,
    ),
  ];
}

function riskRules({ risk }: Settings, instrument: Instrument | null): readonly BrokenRule[] {
  const broken = [
    ...check(
      risk.stopCents <= risk.dailyLossCents,
      "risk.stopUsd",
      `must not be more than risk.dailyLossUsd (${printCents(risk.dailyLossCents)})`,
    ),
    ...check(
      risk.staleEntryMs <= risk.staleAlarmMs,
      "risk.staleEntry",
      `must not be more than risk.staleAlarm (${printDuration(risk.staleAlarmMs)})`,
    ),
    ...check(
      risk.entryCollarTicks <= risk.exitCollarTicks,
      "risk.entryCollarTicks",
      `must not be more than risk.exitCollarTicks (${risk.exitCollarTicks}): leaving must never be harder than entering`,
    ),
    ...rateRules(risk.entriesMax, risk.ordersMax),
  ];
  if (instrument === null) return broken;
  const tick = printCents(instrument.tickValueCents);
  const least = printCents(DISTANCE_TICKS_MIN * instrument.tickValueCents);
  return [
    ...broken,
    ...check(
      risk.maxPosition <= instrument.maxPositionCap,
      "risk.maxPosition",
      `must not be more than ${instrument.maxPositionCap} for ${instrument.symbol}`,
    ),
    ...check(
      stopTicksFromCents(risk.stopCents, instrument.tickValueCents) >= DISTANCE_TICKS_MIN,
      "risk.stopUsd",
      `must be at least ${DISTANCE_TICKS_MIN} ticks of ${instrument.symbol} (${tick} each): ${least}`,
    ),
    ...check(
      targetTicksFromCents(risk.targetCents, instrument.tickValueCents) >= DISTANCE_TICKS_MIN,
      "risk.targetUsd",
      `must be at least ${DISTANCE_TICKS_MIN} ticks of ${instrument.symbol} (${tick} each): ${least}`,
    ),
  ];
}

function rateRules(entries: RateLimit | null, orders: RateLimit | null): readonly BrokenRule[] {
  if (entries === null || orders === null) return [];
  const isWithin = entries.minute <= orders.minute && entries.hour <= orders.hour && entries.day <= orders.day;
  return check(isWithin, "risk.entriesMax", "must not allow more than risk.ordersMax: every entry is an order");
}

function sessionRules({ session }: Settings): readonly BrokenRule[] {
  const { openMinute, flattenAtMinute, noEntryBeforeFlattenMs, entryWindows } = session;
  if (flattenAtMinute === null) return [];
  if (openMinute === null)
    return check(false, "session.flattenAt", "must be none while session.open is none: a flat window ends at the open");
  if (flattenAtMinute >= openMinute) {
    const message = `must be earlier in the day than session.open (${printMinuteOfDay(openMinute)}), where the flat window ends`;
    return check(false, "session.flattenAt", message);
  }
  const lastMinute = flattenAtMinute - Math.ceil(noEntryBeforeFlattenMs / MINUTE_MS);
  const mayEnter = minutesOf(entryWindows).some(
    (isIn, minute) => isIn && !isBetween(minute, Math.max(lastMinute, openMinute - DAY), openMinute),
  );
  return check(
    mayEnter,
    "session.entryWindows",
    `leaves no minute for an entry: none are taken from ${printMinuteOfDay(lastMinute)} to ${printMinuteOfDay(openMinute)}`,
  );
}

const DAY = 1_440;

function isBetween(minute: number, fromMinute: number, toMinute: number): boolean {
  return (minute >= fromMinute && minute < toMinute) || minute - DAY >= fromMinute;
}

/** The exchange's own date comes from contract details later; this refuses what cannot be right by the calendar's rule. */
function expiryRules(settings: Settings, instrument: Instrument, nowMs: number | null): readonly BrokenRule[] {
  const { expiry } = settings.contract;
  if (expiry === null) return [];
  const year = Number(expiry.slice(0, 4));
  const month = Number(expiry.slice(4));
  const isListed = instrument.months === null || instrument.months.includes(month);
  if (!isListed)
    return check(
      false,
      "contract.expiry",
      `is not a month of ${instrument.symbol}: March, June, September or December`,
    );
  if (nowMs === null) return [];
  const today = DateTime.fromMillis(nowMs, { zone: settings.session.timeZone });
  const isQuarterly = instrument.months !== null;
  const lastDay = isQuarterly ? thirdFriday(year, month) : endOfMonth(year, month);
  return check(
    lastDay >= today.toFormat("yyyy-MM-dd"),
    "contract.expiry",
    `is past: ${isQuarterly ? "its last trading day was" : "the month ended on"} ${lastDay}; use a later month or auto`,
  );
}

/** Returns the last trade date by the rule of CME equity index futures; a holiday there moves it by days at most. */
function thirdFriday(year: number, month: number): string {
  const first = DateTime.utc(year, month, 1);
  const toFriday = (5 - first.weekday + 7) % 7;
  return first.plus({ days: toFriday + 14 }).toFormat("yyyy-MM-dd");
}

function endOfMonth(year: number, month: number): string {
  return DateTime.utc(year, month, 1).endOf("month").toFormat("yyyy-MM-dd");
}

function machineRules({ storage, dashboard, simulator }: Settings): readonly BrokenRule[] {
  const ports: readonly (readonly [string, number])[] = [
    ["dashboard.port", dashboard.port],
    ["simulator.gatewayPort", simulator.gatewayPort],
    ["simulator.chatPort", simulator.chatPort],
  ];
  const clash = ports.flatMap(([path, port], index) => {
    const other = ports.slice(0, index).find(([, taken]) => taken === port && port !== 0);
    return other === undefined ? [] : check(false, path, `is taken by ${other[0]} already`);
  });
  return [
    ...check(
      storage.diskBlockMiB <= storage.diskWarnMiB,
      "storage.diskBlockMiB",
      `must not be more than storage.diskWarnMiB (${storage.diskWarnMiB}): the warning comes first`,
    ),
    ...check(
      !dashboard.enabled || isLoopback(dashboard.host) || dashboard.publicUrl !== null,
      "dashboard.host",
      "is open to other machines and needs dashboard.publicUrl, so that sign-in and origin can be checked",
    ),
    ...clash,
  ];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function check(holds: boolean, path: string, message: string): readonly BrokenRule[] {
  return holds ? [] : [{ path, message }];
}

/** A bound is cut, not rounded: 1.7888 must not be shown as 1.789, which cannot be reached. */
function floorText(value: number): string {
  return (Math.floor(value * 1_000) / 1_000).toFixed(3);
}
