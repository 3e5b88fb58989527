// Which simulated market: a seeded synthetic one, or recorded files. Makes the source that the gateway plays.
import { existsSync } from "node:fs";
import { instrumentOf, tickSizeOf } from "../config/instruments.ts";
import type { Settings } from "../config/schema.ts";
import { createCalendar } from "../simulators/ib-gateway/calendar.ts";
import { latestRegularTradingDay } from "../simulators/ib-gateway/market/calendar.ts";
import { type MarketCharacter, MEASURED } from "../simulators/ib-gateway/market/character.ts";
import { openRecording, printRecordingProblem } from "../simulators/ib-gateway/market/recording.ts";
import { createSyntheticMarket } from "../simulators/ib-gateway/market/synthetic.ts";
import type { MarketSource } from "../simulators/ib-gateway/market-source.ts";
import { badInput } from "./exit.ts";

/** Is everything that makes one market differ from another; kept beside its state, so that a restart finds it again. */
export type MarketSpec = {
  /** "synthetic", or a file or folder. */
  readonly market: string;
  readonly symbol: string;
  readonly seed: number;
  readonly volatility: number;
  readonly hours: "exchange" | "always";
  /** Null: a recording's own first moment. */
  readonly startMs: number | null;
};

/** Is how a market is played beside what its spec says. */
export type Play = {
  /** A recording is moved to the day of this time; null = it has its own dates. */
  readonly todayMs: number | null;
  /** A recording begins anew when it has ended. */
  readonly loop: boolean;
  /** Of a synthetic market. */
  readonly character: MarketCharacter;
};

const AS_IT_WAS: Play = { todayMs: null, loop: false, character: MEASURED };

/** Index points at which the synthetic market begins, in ticks of 0.25: S&P 500 futures near the end of 2026. */
const START_POINTS = 6_800;

/** The market counts a tick in ten-thousandths of a point. */
const TICK_DECIMALS = 4;

/** Returns the spec that settings ask for; `nowMs` is the machine's time. */
export function marketSpec(settings: Settings, nowMs: number): MarketSpec {
  const { market, seed, volatility, hours, startAtMs } = settings.simulator;
  const { symbol } = instrumentOf(settings);
  if (market !== "synthetic" && !existsSync(market)) {
    throw badInput(
      `${market}: there is no such file or folder (simulator.market or --data). Recordings are CSV or CSV.gz files.`,
    );
  }
  const calendar = createCalendar(hours);
  const startMs = startAtMs ?? (market === "synthetic" ? latestRegularTradingDay(calendar, nowMs) : null);
  return { market, symbol, seed, volatility, hours, startMs };
}

/** Returns the source of a spec, from its beginning or from where `state` says. */
export function openMarket(
  spec: MarketSpec,
  settings: Settings,
  state: string | null,
  { todayMs, loop, character }: Play = AS_IT_WAS,
): MarketSource {
  const calendar = createCalendar(spec.hours);
  const tick = tickSizeOf(instrumentOf(settings));
  if (spec.market === "synthetic") {
    return createSyntheticMarket({
      seed: spec.seed,
      startMs: spec.startMs as number,
      startPriceTicks: Math.round((START_POINTS * 10 ** tick.decimals) / tick.units),
      volatility: spec.volatility,
      character,
      hours: spec.hours,
      calendar,
      state,
    });
  }
  const opened = openRecording(spec.market, {
    symbol: spec.symbol,
    tickSizeE4: tick.units * 10 ** (TICK_DECIMALS - tick.decimals),
    calendar,
    startMs: spec.startMs,
    contract: null,
    // A recording has the past that it has: nothing invented is traded on.
    pastSeed: null,
    todayMs,
    loop,
    state,
  });
  if (!opened.ok) throw badInput(printRecordingProblem(opened.error));
  return opened.value;
}
