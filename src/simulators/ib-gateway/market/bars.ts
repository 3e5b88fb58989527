// Bars of trades and quotes: the last hours by the second, the last weeks by the minute, grouped into any longer bar.
import type { Calendar, Session } from "../calendar.ts";
import type { BarPrice, HistoryBar } from "../market-source.ts";

/** How many traded seconds are kept; over 18 hours. */
export const SECOND_BARS_MAX = 65_536;
/** How many traded minutes are kept; 28 full sessions. */
export const MINUTE_BARS_MAX = 40_000;

const SECOND_MS = 1_000;
/** Is the length of the coarser of the two kept bars. */
export const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Keeps bars of one contract. */
export type BarStore = {
  /** Takes a trade; none is older than the one before. */
  trade(atMs: number, priceTicks: number, size: number): void;
  /** Takes a quote with both sides; none is older than the one before. */
  quote(atMs: number, bidTicks: number, askTicks: number): void;
  /**
   * Returns kept bars that opened before `beforeMs`, oldest first, enough of them for `count` bars of `barMs`: of a minute,
   * or of a second where `barMs` is no whole number of minutes.
   */
  kept(barMs: number, beforeMs: number, count: number, price: BarPrice): readonly HistoryBar[];
  /** Moves all prices, for a past that must end at a given price. */
  shift(ticks: number): void;
  /** Returns the last price; null before the first trade. */
  lastTicks(): number | null;
};

/** Is a bar that may still change. */
export type GrowingBar = { -readonly [Key in keyof HistoryBar]: HistoryBar[Key] };

/** Returns an empty store. */
export function createBarStore(): BarStore {
  const trades = createRings();
  const bids = createRings();
  const asks = createRings();
  /** Prices are in half ticks: bid plus ask, whole numbers. */
  const middles = createRings();
  const of = (price: BarPrice): Rings => {
    switch (price) {
      case "TRADES":
        return trades;
      case "BID":
        return bids;
      case "ASK":
        return asks;
      case "MIDPOINT":
        return middles;
      default:
        return price satisfies never;
    }
  };
  return {
    trade: trades.take,
    quote: (atMs, bidTicks, askTicks) => {
      bids.take(atMs, bidTicks, 0);
      asks.take(atMs, askTicks, 0);
      middles.take(atMs, bidTicks + askTicks, 0);
    },
    kept: (barMs, beforeMs, count, price) => {
      const { seconds, minutes } = of(price);
      const isMinutes = barMs % MINUTE_MS === 0;
      // One more than asked for: the first may begin before what is kept of it.
      const pieces = (count + 1) * Math.ceil(barMs / (isMinutes ? MINUTE_MS : SECOND_MS));
      const bars = (isMinutes ? minutes : seconds).before(beforeMs, pieces);
      return price === "MIDPOINT" ? bars.map(halved) : bars;
    },
    shift: (ticks) => {
      for (const rings of [trades, bids, asks]) rings.shift(ticks);
      middles.shift(2 * ticks);
    },
    lastTicks: () => trades.seconds.lastTicks(),
  };
}

type Rings = ReturnType<typeof createRings>;

function createRings() {
  const seconds = createRing(SECOND_MS, SECOND_BARS_MAX);
  const minutes = createRing(MINUTE_MS, MINUTE_BARS_MAX);
  return {
    seconds,
    minutes,
    take: (atMs: number, price: number, size: number): void => {
      seconds.take(atMs, price, size);
      minutes.take(atMs, price, size);
    },
    shift: (by: number): void => {
      seconds.shift(by);
      minutes.shift(by);
    },
  };
}

function halved(bar: HistoryBar): HistoryBar {
  return {
    ...bar,
    openTicks: bar.openTicks / 2,
    highTicks: bar.highTicks / 2,
    lowTicks: bar.lowTicks / 2,
    closeTicks: bar.closeTicks / 2,
  };
}

/**
 * Returns the bar of a quote that was one tick wide while these trades happened, each at its bid or ask: what is said of
 * a past that has trades only.
 */
export function quotedBar(trades: HistoryBar, price: BarPrice): HistoryBar {
  if (price === "TRADES") return trades;
  const above = price === "BID" ? 0 : price === "ASK" ? 1 : 0.5;
  const highestBid = Math.max(trades.lowTicks, trades.highTicks - 1);
  const at = (tradeTicks: number): number => Math.min(tradeTicks, highestBid) + above;
  return {
    openAtMs: trades.openAtMs,
    openTicks: at(trades.openTicks),
    highTicks: highestBid + above,
    lowTicks: at(trades.lowTicks),
    closeTicks: at(trades.closeTicks),
    volume: 0,
  };
}

/** Returns which bar a time belongs to, by its opening: a session for a day and longer, else a multiple of the length. */
export function createBucket(barMs: number, calendar: Calendar): (atMs: number) => number {
  if (barMs < DAY_MS) return (atMs) => Math.floor(atMs / barMs) * barMs;
  let session: Session | undefined;
  return (atMs) => {
    if (session === undefined || atMs < session.openMs || atMs >= session.closeMs)
      session = calendar.latestSession(atMs);
    return session.openMs;
  };
}

/** Returns longer bars made of shorter ones, oldest first. */
export function groupBars(bars: readonly HistoryBar[], bucket: (atMs: number) => number): HistoryBar[] {
  const groups: GrowingBar[] = [];
  let last: GrowingBar | undefined;
  for (const bar of bars) {
    const openAtMs = bucket(bar.openAtMs);
    if (last === undefined || last.openAtMs !== openAtMs) {
      last = { ...bar, openAtMs };
      groups.push(last);
      continue;
    }
    last.highTicks = Math.max(last.highTicks, bar.highTicks);
    last.lowTicks = Math.min(last.lowTicks, bar.lowTicks);
    last.closeTicks = bar.closeTicks;
    last.volume += bar.volume;
  }
  return groups;
}

function createRing(barMs: number, capacity: number) {
  const bars: GrowingBar[] = [];
  let first = 0;
  let last: GrowingBar | undefined;
  return {
    take: (atMs: number, priceTicks: number, size: number): void => {
      if (last !== undefined && atMs < last.openAtMs + barMs) {
        if (priceTicks > last.highTicks) last.highTicks = priceTicks;
        if (priceTicks < last.lowTicks) last.lowTicks = priceTicks;
        last.closeTicks = priceTicks;
        last.volume += size;
        return;
      }
      const openAtMs = Math.floor(atMs / barMs) * barMs;
      last = {
        openAtMs,
        openTicks: priceTicks,
        highTicks: priceTicks,
        lowTicks: priceTicks,
        closeTicks: priceTicks,
        volume: size,
      };
      if (bars.length < capacity) bars.push(last);
      else {
        bars[first] = last;
        first = (first + 1) % capacity;
      }
    },
    /** Returns the last `count` bars that opened before `beforeMs`, oldest first. */
    before: (beforeMs: number, count: number): HistoryBar[] => {
      const found: HistoryBar[] = [];
      for (let back = 1; back <= bars.length && found.length < count; back += 1) {
        const bar = bars[(first + bars.length - back) % bars.length];
        if (bar !== undefined && bar.openAtMs < beforeMs) found.push(bar);
      }
      return found.reverse();
    },
    shift: (ticks: number): void => {
      for (const bar of bars) {
        bar.openTicks += ticks;
        bar.highTicks += ticks;
        bar.lowTicks += ticks;
        bar.closeTicks += ticks;
      }
    },
    lastTicks: (): number | null => last?.closeTicks ?? null,
  };
}
