// The synthetic market's own path: one event after the other, from a seed. An efficient price walks with each burst of
// trades; bid and ask are the whole ticks around it, a trade hits the nearer one more often. Bursts come faster and slower
// by two Markov chains, one of seconds and one of minutes. The figures are measured: docs/synthetic-market.md.

import { type Chance, createChance, restoreChance } from "./chance.ts";
import type { MarketCharacter } from "./character.ts";
import type { RecordSink } from "./queue.ts";

/** Is a stretch of time of one character. */
export type Segment = { readonly fromMs: number; readonly untilMs: number; readonly activity: "day" | "night" };

/** Is everything that a path needs to go on. */
export type PathState = {
  readonly chance: readonly number[];
  readonly atMs: number;
  readonly nextAtMs: number;
  readonly efficient: number;
  readonly bidTicks: number;
  readonly askTicks: number;
  readonly bidSize: number;
  readonly askSize: number;
  readonly fast: number;
  readonly slow: number;
};

/** Runs from event to event. */
export type Path = {
  /** Returns the time of the next event, in milliseconds with fractions. */
  nextAtMs(): number;
  /** Lets every event before `untilMs` happen and tells the sink. */
  run(untilMs: number, sink: RecordSink): void;
  /** Returns the state between two events. */
  save(): PathState;
};

/** Is how busy a market is. Rates are per second. */
type Activity = { readonly bursts: number; readonly moveTicks: number; readonly burstSize: number };

const ACTIVITY: Readonly<Record<Segment["activity"], Activity>> = {
  day: { bursts: 3.06, moveTicks: 0.212, burstSize: 1.94 },
  night: { bursts: 0.48, moveTicks: 0.39, burstSize: 1.71 },
};
/** Quotes that no trade causes, per second. */
const IDLE_QUOTES = 6.3;
/** Factors on the rate of bursts, mean 1: seconds and minutes. */
const FAST: readonly number[] = [0.14, 0.5, 1.1, 2.26];
const FAST_SWITCHES = 0.8;
const SLOW: readonly number[] = [0.3, 0.6, 0.95, 2.15];
const SLOW_SWITCHES = 1 / 75;
/** How steeply the nearer side of the quote draws the trades; 1 = in proportion. */
const NEARNESS = 1.6;
const WIDEN = 0.05;
const NARROW = 0.5;
/** Cumulative share and size: best bid and ask, and trades, of 2023-12-25. */
const BOOK_SIZES: readonly (readonly [number, number])[] = [
  [0, 1],
  [0.1, 4],
  [0.25, 10],
  [0.5, 23],
  [0.75, 41],
  [0.9, 73],
  [0.99, 145],
  [1, 220],
];
const TRADE_SIZES: readonly (readonly [number, number])[] = [
  [0, 1],
  [0.7, 1],
  [0.75, 2],
  [0.9, 6.5],
  [0.99, 32],
  [1, 70],
];
/** Prices stay at least this far above zero. */
const PRICE_TICKS_MIN = 100;

/** Returns a path from a seed, or from where it stood. `segmentAt` tells the open stretch at or after a time. */
export function createPath(options: {
  readonly seed: number;
  readonly startMs: number;
  readonly startPriceTicks: number;
  readonly volatility: number;
  readonly character: MarketCharacter;
  readonly segmentAt: (atMs: number) => Segment;
  readonly state: PathState | null;
}): Path {
  const { segmentAt, volatility, character, state } = options;
  const jumpRate = character.jumpsPerHour / 3_600;
  const anchorTicks = options.startPriceTicks + 0.5;
  const chance: Chance = state === null ? createChance(options.seed, 1) : restoreChance(state.chance);
  let atMs = state?.atMs ?? options.startMs;
  let segment = segmentAt(atMs);
  let efficient = state?.efficient ?? options.startPriceTicks + 0.5;
  let bidTicks = state?.bidTicks ?? options.startPriceTicks;
  let askTicks = state?.askTicks ?? options.startPriceTicks + 1;
  let bidSize = state?.bidSize ?? 20;
  let askSize = state?.askSize ?? 20;
  let fast = state?.fast ?? 1;
  let slow = state?.slow ?? 1;
  let activity = ACTIVITY[segment.activity];
  let burstRate = 0;
  let totalRate = 0;
  let nextAtMs = 0;

  const setRates = (): void => {
    activity = ACTIVITY[segment.activity];
    burstRate = activity.bursts * (FAST[fast] ?? 1) * (SLOW[slow] ?? 1);
    totalRate = burstRate + IDLE_QUOTES + FAST_SWITCHES + SLOW_SWITCHES + jumpRate;
  };

  const drawNext = (): void => {
    nextAtMs = Math.max(atMs, segment.fromMs) + (chance.exponential() / totalRate) * 1000;
  };

  /** A stretch ends: waiting times have no memory, so the next one is drawn anew from there. */
  const enterNext = (): void => {
    const before = segment;
    segment = segmentAt(before.untilMs);
    atMs = segment.fromMs;
    if (segment.fromMs > before.untilMs) walk(character.gapTicks);
    setRates();
    drawNext();
  };

  const walk = (deviationTicks: number): void => {
    efficient = Math.max(PRICE_TICKS_MIN, efficient + chance.bell() * deviationTicks * volatility);
  };

  const draw = (table: readonly (readonly [number, number])[]): number => {
    const share = chance.uniform();
    let [lowShare, lowSize] = [0, 1];
    for (const [highShare, highSize] of table) {
      if (share < highShare) {
        return Math.floor(lowSize + ((share - lowShare) / (highShare - lowShare)) * (highSize - lowSize));
      }
      lowShare = highShare;
      lowSize = highSize;
    }
    return lowSize;
  };

  const burst = (eventMs: number, sink: RecordSink): void => {
    walk(activity.moveTicks);
    const floor = Math.floor(efficient);
    if (bidTicks !== floor || askTicks !== floor + 1) {
      if (bidTicks !== floor) bidSize = draw(BOOK_SIZES);
      if (askTicks !== floor + 1) askSize = draw(BOOK_SIZES);
      bidTicks = floor;
      askTicks = floor + 1;
      sink.quote(eventMs, bidTicks, askTicks, bidSize, askSize);
    }
    const isBuy = chance.uniform() < 0.5 + NEARNESS * (efficient - floor - 0.5);
    const isSweep = chance.uniform() < 0.04;
    const mean = isSweep ? 6 * activity.burstSize : 0.8 * activity.burstSize;
    const more = 1 - 1 / Math.max(1, mean);
    let taken = 0;
    do {
      const size = draw(TRADE_SIZES);
      taken += size;
      sink.trade(eventMs, isBuy ? askTicks : bidTicks, size, isBuy ? 1 : 2);
    } while (chance.uniform() < more);
    if (isBuy) askSize = taken < askSize ? askSize - taken : draw(BOOK_SIZES);
    else bidSize = taken < bidSize ? bidSize - taken : draw(BOOK_SIZES);
    sink.quote(eventMs, bidTicks, askTicks, bidSize, askSize);
  };

  const idleQuote = (eventMs: number, sink: RecordSink): void => {
    const isBid = chance.uniform() < 0.5;
    const floor = Math.floor(efficient);
    const isWide = askTicks - bidTicks > 1;
    const turn = chance.uniform();
    if (isWide ? turn < NARROW : turn < WIDEN) {
      bidTicks = isWide || !isBid ? floor : floor - 1;
      askTicks = isWide || isBid ? floor + 1 : floor + 2;
    }
    if (isBid) bidSize = draw(BOOK_SIZES);
    else askSize = draw(BOOK_SIZES);
    sink.quote(eventMs, bidTicks, askTicks, bidSize, askSize);
  };

  /** From half to one and a half times the size, up or down; trades print it at once. */
  const jump = (eventMs: number, sink: RecordSink): void => {
    const sign = chance.uniform() < 0.5 ? -1 : 1;
    const ticks = character.jumpTicks * (0.5 + chance.uniform());
    efficient = Math.max(PRICE_TICKS_MIN, efficient + sign * ticks);
    burst(eventMs, sink);
  };

  const pullBack = (sinceMs: number): void => {
    if (character.halfLifeMs === null) return;
    const share = Math.min(1, (Math.LN2 * sinceMs) / character.halfLifeMs);
    efficient = Math.max(PRICE_TICKS_MIN, efficient + (anchorTicks - efficient) * share);
  };

  const step = (sink: RecordSink): void => {
    if (nextAtMs >= segment.untilMs) {
      enterNext();
      return;
    }
    pullBack(nextAtMs - Math.max(atMs, segment.fromMs));
    atMs = nextAtMs;
    const eventMs = Math.floor(atMs);
    const pick = chance.uniform() * totalRate;
    if (pick < burstRate) burst(eventMs, sink);
    else if (pick < burstRate + IDLE_QUOTES) idleQuote(eventMs, sink);
    else if (pick < burstRate + IDLE_QUOTES + FAST_SWITCHES) fast = Math.floor(chance.uniform() * FAST.length);
    else if (jumpRate === 0 || pick < totalRate - jumpRate) slow = Math.floor(chance.uniform() * SLOW.length);
    else jump(eventMs, sink);
    setRates();
    drawNext();
  };

  setRates();
  if (state === null) drawNext();
  else nextAtMs = state.nextAtMs;

  return {
    nextAtMs: () => nextAtMs,
    run: (untilMs, sink) => {
      while (nextAtMs < untilMs) {
        // The end of a stretch may lie before `untilMs` while the stretch after it begins later.
        step(sink);
      }
    },
    save: () => ({
      chance: chance.save(),
      atMs,
      nextAtMs,
      efficient,
      bidTicks,
      askTicks,
      bidSize,
      askSize,
      fast,
      slow,
    }),
  };
}
