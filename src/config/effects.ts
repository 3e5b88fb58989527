// What a change means, in sentences with figures: what a stop-out costs and how many fit the day's limit, how much time
// the window spans, when the change acts.
import {
  MINUTE_MS,
  printCents,
  printCentsSigned,
  printCount,
  printDuration,
  printMinuteOfDay,
  stopTicksFromCents,
  targetTicksFromCents,
} from "../units.ts";
import { feeCentsOf, instrumentOf } from "./instruments.ts";
import { zBound } from "./rules.ts";
import type { Settings } from "./settings.ts";

/** Returns what one stopped-out entry costs in cents: the whole quantity, with slippage of the stop and fees of both sides. */
export function stopOutCents(settings: Settings): number {
  const { tickValueCents } = instrumentOf(settings);
  const lossTicks = stopTicksFromCents(settings.risk.stopCents, tickValueCents) + settings.costs.slippageTicks;
  return settings.strategy.quantity * (lossTicks * tickValueCents + 2 * feeCentsOf(settings));
}

/** Returns what one entry that reaches its target brings in cents, after fees; a target is never slipped (semantics S5). */
export function targetGainCents(settings: Settings): number {
  const { tickValueCents } = instrumentOf(settings);
  const gainTicks = targetTicksFromCents(settings.risk.targetCents, tickValueCents);
  return settings.strategy.quantity * (gainTicks * tickValueCents - 2 * feeCentsOf(settings));
}

/** Returns sentences about the settings after a change of the keys in `paths`, the most important first. */
export function effectSentences(settings: Settings, paths: ReadonlySet<string>): readonly string[] {
  const touches = (...names: readonly string[]): boolean => names.some((name) => paths.has(name));
  const sentences: string[] = [];
  if (touches("risk.stopUsd", "risk.dailyLossUsd", "strategy.quantity", "costs.feeUsd", "costs.slippageTicks"))
    sentences.push(stopOutSentence(settings));
  if (touches("risk.targetUsd", "strategy.quantity")) {
    const gain = printCentsSigned(targetGainCents(settings));
    sentences.push(`An entry that reaches its target brings ${gain} after fees.`);
  }
  if (touches("strategy.window", "strategy.sampling")) sentences.push(windowSentence(settings));
  if (touches("strategy.window", "strategy.entryZ")) sentences.push(...reachSentences(settings));
  if (touches("risk.lossStreak", "risk.lossStreakPause")) {
    const { lossStreak, lossStreakPauseMs } = settings.risk;
    const losses = lossStreak === 1 ? "A single loss pauses" : `${printCount(lossStreak)} losses in a row pause`;
    sentences.push(`${losses} entries for ${printDuration(lossStreakPauseMs)}.`);
  }
  if (touches("risk.maxHold"))
    sentences.push(`A position is left after ${printDuration(settings.risk.maxHoldMs)} at the latest.`);
  if (touches("session.flattenAt", "session.noEntryBeforeFlatten")) sentences.push(flattenSentence(settings));
  if (touches("contract.expiry")) sentences.push("The contract changes when flat; a position is never carried over.");
  return sentences;
}

function stopOutSentence(settings: Settings): string {
  const costCents = stopOutCents(settings);
  const limitCents = settings.risk.dailyLossCents;
  const slippage = `${settings.costs.slippageTicks} t slippage`;
  const cost = `A stop-out costs ${printCentsSigned(-costCents)} (stop, ${slippage}, fees)`;
  const count = Math.ceil(limitCents / costCents);
  if (count <= 1) return `${cost}; one alone reaches the daily limit of ${printCents(limitCents)}.`;
  const left = printCentsSigned(-(count - 1) * costCents);
  const before = count === 2 ? `the first leaves ${left}` : `${word(count - 1)} leave ${left}`;
  return `${cost}; ${before}, the ${ordinal(count)} trips the daily limit of ${printCents(limitCents)}.`;
}

function windowSentence({ strategy }: Settings): string {
  if (strategy.samplingMs === 0) return `z uses the last ${printCount(strategy.window)} trades.`;
  const span = printDuration(strategy.window * strategy.samplingMs);
  return `z uses ${printCount(strategy.window)} bars of ${printDuration(strategy.samplingMs)} (${span}).`;
}

/** Within a quarter of the largest |z| there is, entries are rare by arithmetic, whatever the market does. */
function reachSentences({ strategy }: Settings): readonly string[] {
  const bound = zBound(strategy.window, strategy.ddof);
  if (bound >= strategy.entryZ * 1.25) return [];
  const most = (Math.floor(bound * 100) / 100).toFixed(2);
  return [`With ${strategy.window} bars |z| is at most ${most}: entries at ±${strategy.entryZ} will be very rare.`];
}

function flattenSentence({ session }: Settings): string {
  if (session.flattenAtMinute === null) return "No flat window: a position may be held over the close.";
  const lastMinute = session.flattenAtMinute - Math.ceil(session.noEntryBeforeFlattenMs / MINUTE_MS);
  return `No entries from ${printMinuteOfDay(lastMinute)}, flat by ${printMinuteOfDay(session.flattenAtMinute)} (${session.timeZone}).`;
}

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] as const;
const ORDINALS = [
  "",
  "first",
  "second",
  "third",
  "fourth",
  "fifth",
  "sixth",
  "seventh",
  "eighth",
  "ninth",
  "tenth",
] as const;

function word(count: number): string {
  return WORDS[count] ?? printCount(count);
}

function ordinal(count: number): string {
  if (count < ORDINALS.length) return ORDINALS[count] ?? "";
  const tail = count % 100 >= 11 && count % 100 <= 13 ? 0 : count % 10;
  return `${printCount(count)}${["th", "st", "nd", "rd"][tail] ?? "th"}`;
}
