// Turns a person's settings into the engine's own units. No figure is made up here.
import { feeCentsOf, instrumentOf, tickSizeOf } from "../config/instruments.ts";
import type { Settings } from "../config/schema.ts";
import type { EngineSettings, FillModel, ResetSpan } from "../engine.ts";

const WEEK_DAYS = 7;
const DAY_MINUTES = 1_440;
const WEEK_MINUTES = WEEK_DAYS * DAY_MINUTES;
const THRESHOLD_UNITS = 10_000;
/** The engine counts a tick in ten-thousandths of a point. */
const TICK_DECIMALS = 4;

/** Returns what the engine is told; `instance` is the journal's, four characters, and makes our order references our own. */
export function engineSettings(settings: Settings, instance: string): EngineSettings {
  const instrument = instrumentOf(settings);
  const tick = tickSizeOf(instrument);
  const { strategy, risk, session, costs, contract, ibkr } = settings;
  return {
    instrument: {
      symbol: instrument.symbol,
      tickSizeE4: tick.units * 10 ** (TICK_DECIMALS - tick.decimals),
      tickValueCents: instrument.tickValueCents,
    },
    strategy: {
      samplingMs: strategy.samplingMs,
      price: strategy.price,
      window: strategy.window,
      ddof: strategy.ddof,
      entryZE4: Math.round(strategy.entryZ * THRESHOLD_UNITS),
      exitZE4: Math.round(strategy.exitZ * THRESHOLD_UNITS),
      resetWindow: strategy.resetWindow,
      quantity: strategy.quantity,
    },
    risk: {
      stopCents: risk.stopCents,
      targetCents: risk.targetCents,
      dailyLossCents: risk.dailyLossCents,
      dailyLossBasis: risk.dailyLossBasis,
      dailyLossReset: risk.dailyLossReset === "arm" ? "arm" : "next_session",
      lossStreak: risk.lossStreak,
      lossStreakPauseMs: risk.lossStreakPauseMs,
      maxHoldMs: risk.maxHoldMs,
      maxPosition: risk.maxPosition,
      maxNotionalCents: risk.maxNotionalCents ?? instrument.maxNotionalCents,
      lossBudgetCheck: risk.lossBudgetCheck,
      trailingDrawdownCents: risk.trailingDrawdownCents,
      trailingArmedAtCents: risk.trailingArmedAtCents,
      entryCollarTicks: risk.entryCollarTicks,
      exitCollarTicks: risk.exitCollarTicks,
      staleEntryMs: risk.staleEntryMs,
      staleAlarmMs: risk.staleAlarmMs,
      maxSpreadTicks: risk.maxSpreadTicks,
      badTickTicks: risk.badTickTicks,
      maxOpenOrders: risk.maxOpenOrders,
      entriesMax: risk.entriesMax,
      ordersMax: risk.ordersMax,
      excessLiquidityPct: risk.excessLiquidityPct,
    },
    session: {
      timeZone: session.timeZone,
      openMinute: session.openMinute,
      entryWindows: session.entryWindows.map((window) => ({ ...window })),
      noEntryBeforeFlattenMs: session.noEntryBeforeFlattenMs,
      flattenAtMinute: session.flattenAtMinute,
      flattenBeforeCloseMs: session.flattenBeforeCloseMs,
      resetWindows: ibkr.resetWindows.flatMap(resetSpans),
      resetZone: ibkr.resetZone,
    },
    costs: { feeCents: feeCentsOf(settings), slippageTicks: costs.slippageTicks },
    instance,
    allowForeign: ibkr.allowForeign,
    rollDaysBefore: contract.rollDaysBefore,
    flatDaysBefore: contract.flatDaysBefore,
  };
}

/** Returns how a backtest on bars fills; a target that waits in the queue is for ticks, where the exchange knows of it. */
export function fillModel({ backtest: { intrabar, targetFill, startEquityCents } }: Settings): FillModel {
  return { intrabar, targetFill: targetFill === "through" ? "through" : "touch", startEquityCents };
}

/** A window without a day is one of each day; with days (Monday is 1 in the settings, 0 here) it is one of the week. */
function resetSpans(window: Settings["ibkr"]["resetWindows"][number]): ResetSpan[] {
  const span = (fromDay: number, toDay: number): ResetSpan => ({
    fromWeekMinute: (fromDay * DAY_MINUTES + window.fromMinute) % WEEK_MINUTES,
    toWeekMinute: (toDay * DAY_MINUTES + window.toMinute) % WEEK_MINUTES,
  });
  const passesMidnight = window.toMinute <= window.fromMinute;
  if (window.fromDay !== null) return [span(window.fromDay - 1, (window.toDay ?? window.fromDay) - 1)];
  return Array.from({ length: WEEK_DAYS }, (_, day) => span(day, day + (passesMidnight ? 1 : 0)));
}
