// The synthetic market: a seeded path through the exchange's sessions, with a past to ask for. Same seed, same bytes.
import type { Calendar } from "../calendar.ts";
import type { MarketSource } from "../market-source.ts";
import { type BarStore, createBarStore } from "./bars.ts";
import { regularHours } from "./calendar.ts";
import { type MarketCharacter, MEASURED, printCharacter } from "./character.ts";
import { createMarketSource } from "./market.ts";
import { createPath, type Path, type PathState, type Segment } from "./path.ts";

/** What a synthetic market is made with. */
export type SyntheticMarketOptions = {
  /** A whole number below 2^32. */
  readonly seed: number;
  /** The first record handed over is at or after this. */
  readonly startMs: number;
  /** The price some hours of trading before the start. */
  readonly startPriceTicks: number;
  /** Factor on the measured moves; 1 = as measured. */
  readonly volatility: number;
  readonly character: MarketCharacter;
  readonly hours: "exchange" | "always";
  readonly calendar: Calendar;
  /** What `state()` returned, to go on from there; null = from the start. */
  readonly state: string | null;
};

/** The path begins so much trading time before the start: over 1,000 bars of half a minute, the longest from its trades. */
export const WARM_UP_MS = 8.5 * 3_600_000;
/** The seed of the demo. */
export const DEFAULT_SEED = 7;

const CHECKPOINT_MS = 2 * 3_600_000;
const STATE_VERSION = 1;

type Checkpoint = { readonly path: PathState; readonly produced: number };
type SavedState = {
  readonly version: number;
  readonly key: string;
  readonly path: PathState;
  readonly handedOver: number;
};

/** Returns a synthetic market. Throws a RangeError for a state of another market or version. */
export function createSyntheticMarket(options: SyntheticMarketOptions): MarketSource {
  const { seed, startMs, volatility, character, calendar } = options;
  const segmentAt = (atMs: number): Segment => segmentOf(calendar, options.hours, atMs);
  const said = printCharacter(character);
  const key = [seed, startMs, options.startPriceTicks, volatility, options.hours, ...said].join(" ");
  const saved = options.state === null ? null : readState(options.state, key);
  const bars = createBarStore();
  const path = createPath({
    seed,
    startMs: tradingTimeBefore(calendar, startMs, WARM_UP_MS),
    startPriceTicks: options.startPriceTicks,
    volatility,
    character,
    segmentAt,
    state: saved?.path ?? null,
  });
  const origin = path.save();
  const warmedUp = saved === null ? runSilently(path, startMs, bars) : 0;
  // Checkpoints count records from where this flow begins, so that a state is small and going on from it is quick.
  let checkpoints: Checkpoint[] = [{ path: origin, produced: -warmedUp }];

  return createMarketSource({
    label: [
      "synthetic market",
      `seed ${seed}`,
      ...(volatility === 1 ? [] : [`volatility × ${volatility}`]),
      ...said,
    ].join(", "),
    startMs,
    endMs: null,
    ownPastFromMs: Number.NEGATIVE_INFINITY,
    calendar,
    flow: path,
    bars,
    anchor: { seed, volatility, atMs: Math.floor(origin.atMs), priceTicks: Math.floor(origin.efficient) },
    skip: saved?.handedOver ?? 0,
    state: (handedOver) => {
      const from = checkpoints[0];
      if (from === undefined) throw new Error("a market has at least one checkpoint");
      const state: SavedState = {
        version: STATE_VERSION,
        key,
        path: from.path,
        handedOver: handedOver - from.produced,
      };
      return JSON.stringify(state);
    },
    stretched: (produced) => {
      const last = checkpoints.at(-1);
      if (last !== undefined && path.nextAtMs() - last.path.atMs < CHECKPOINT_MS) return;
      checkpoints.push({ path: path.save(), produced });
      const enoughMs = tradingTimeBefore(calendar, path.nextAtMs(), WARM_UP_MS);
      const oldest = checkpoints.findLastIndex((checkpoint) => checkpoint.path.atMs <= enoughMs);
      if (oldest > 0) checkpoints = checkpoints.slice(oldest);
    },
  });
}

/** Returns bars of a synthetic past that ends at a price, for a recording that has none of its own. */
export function syntheticPast(options: {
  readonly seed: number;
  readonly endMs: number;
  readonly endTicks: number;
  readonly calendar: Calendar;
}) {
  const { seed, endMs, endTicks, calendar } = options;
  const bars = createBarStore();
  const path = createPath({
    seed,
    startMs: tradingTimeBefore(calendar, endMs, WARM_UP_MS),
    startPriceTicks: endTicks,
    volatility: 1,
    character: MEASURED,
    segmentAt: (atMs) => segmentOf(calendar, "exchange", atMs),
    state: null,
  });
  const origin = path.save();
  runSilently(path, endMs, bars);
  const shiftTicks = endTicks - (bars.lastTicks() ?? endTicks);
  bars.shift(shiftTicks);
  return {
    bars,
    anchor: {
      seed,
      volatility: 1,
      atMs: Math.floor(origin.atMs),
      priceTicks: Math.floor(origin.efficient) + shiftTicks,
    },
  };
}

/** Lets the past happen and returns how many records it had. */
function runSilently(path: Path, untilMs: number, bars: BarStore): number {
  let records = 0;
  path.run(untilMs, {
    trade: (atMs, priceTicks, size) => {
      records += 1;
      bars.trade(atMs, priceTicks, size);
    },
    quote: (atMs, bidTicks, askTicks) => {
      records += 1;
      bars.quote(atMs, bidTicks, askTicks);
    },
  });
  return records;
}

/** Returns the open stretch of one activity at or after `atMs`. A market that never closes is always at its day's pace. */
function segmentOf(calendar: Calendar, hours: "exchange" | "always", atMs: number): Segment {
  const session = calendar.sessionAt(atMs) ?? calendar.nextSession(atMs);
  const fromMs = Math.max(atMs, session.openMs);
  if (hours === "always") return { fromMs, untilMs: session.closeMs, activity: "day" };
  const regular = regularHours(session);
  if (regular === undefined || fromMs >= regular.closeMs)
    return { fromMs, untilMs: session.closeMs, activity: "night" };
  if (fromMs < regular.openMs) return { fromMs, untilMs: regular.openMs, activity: "night" };
  return { fromMs, untilMs: regular.closeMs, activity: "day" };
}

/** Returns the moment from which on the exchange was open for `tradingMs` until `untilMs`. */
function tradingTimeBefore(calendar: Calendar, untilMs: number, tradingMs: number): number {
  let leftMs = tradingMs;
  let session = calendar.latestSession(untilMs);
  let endMs = Math.min(untilMs, session.closeMs);
  while (endMs - session.openMs < leftMs) {
    leftMs -= endMs - session.openMs;
    session = calendar.sessionsBefore(session, 1);
    endMs = session.closeMs;
  }
  return endMs - leftMs;
}

function readState(text: string, key: string): SavedState {
  const state = JSON.parse(text) as SavedState;
  if (state.version !== STATE_VERSION) {
    throw new RangeError(
      `the state of the synthetic market is of version ${state.version}, this program's of ${STATE_VERSION}`,
    );
  }
  if (state.key !== key) throw new RangeError(`the state is of another synthetic market (${state.key}, not ${key})`);
  return state;
}
