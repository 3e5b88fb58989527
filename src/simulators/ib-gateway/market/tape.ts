// A recording in memory, by columns: trades and quotes in order of time. A trade that comes without quotes around it gets
// them by the tick rule: above the last different price it is at the ask, below at the bid, unchanged on the same side.
import type { Aggressor, RecordSink } from "./queue.ts";

/** Holds events in order of time. */
export type Tape = {
  trade(atMs: number, priceTicks: number, size: number, aggressor: Aggressor): void;
  quote(atMs: number, bidTicks: number, askTicks: number, bidSize: number, askSize: number): void;
  /** Adds a trade and before it the quote that the tick rule derives: one tick wide, size 1. */
  bareTrade(atMs: number, priceTicks: number, size: number): void;
  count(): number;
  trades(): number;
  /** Returns the price of the first trade. Throws where there is none. */
  firstTradeTicks(): number;
  /** Returns the time of an event, or of the last one for −1; −Infinity in an empty tape. */
  atMs(index: number): number;
  /** Tells the sink one event, `laterMs` after its own time. */
  tell(index: number, sink: RecordSink, laterMs: number): void;
};

/** Is a trade's mark in place of a bid size. */
const TRADE = -1;
const COLUMNS = 4;
const EVENTS_FIRST = 4_096;

/** Returns an empty tape. */
export function createTape(): Tape {
  let times = new Float64Array(EVENTS_FIRST);
  let words = new Int32Array(EVENTS_FIRST * COLUMNS);
  let count = 0;
  let trades = 0;
  let firstTradeTicks: number | undefined;
  let lastTicks: number | undefined;
  let lastAggressor: 1 | 2 = 1;

  const append = (atMs: number, a: number, b: number, c: number, d: number): void => {
    if (count === times.length) {
      const [longer, wider] = [new Float64Array(count * 2), new Int32Array(count * 2 * COLUMNS)];
      longer.set(times);
      wider.set(words);
      times = longer;
      words = wider;
    }
    times[count] = atMs;
    words.set([a, b, c, d], count * COLUMNS);
    count += 1;
  };
  const trade = (atMs: number, priceTicks: number, size: number, aggressor: Aggressor): void => {
    append(atMs, priceTicks, size, TRADE, aggressor);
    firstTradeTicks ??= priceTicks;
    trades += 1;
  };
  const quote = (atMs: number, bid: number, ask: number, bidSize: number, askSize: number): void =>
    append(atMs, bid, ask, bidSize, askSize);

  return {
    trade,
    quote,
    bareTrade: (atMs, priceTicks, size) => {
      if (lastTicks !== undefined && priceTicks !== lastTicks) lastAggressor = priceTicks > lastTicks ? 1 : 2;
      lastTicks = priceTicks;
      const bid = lastAggressor === 1 ? priceTicks - 1 : priceTicks;
      // With every print, as a real book moves with each trade: a bot that wants fresh quotes gets them.
      quote(atMs, bid, bid + 1, 1, 1);
      trade(atMs, priceTicks, size, lastAggressor);
    },
    count: () => count,
    trades: () => trades,
    firstTradeTicks: () => {
      if (firstTradeTicks === undefined) throw new Error("a tape without trades has no first price");
      return firstTradeTicks;
    },
    atMs: (index) => times[index < 0 ? count + index : index] ?? Number.NEGATIVE_INFINITY,
    tell: (index, sink, laterMs) => {
      const at = index * COLUMNS;
      const [a = 0, b = 0, c = 0, d = 0] = words.subarray(at, at + 4);
      const atMs = (times[index] ?? 0) + laterMs;
      if (c === TRADE) sink.trade(atMs, a, b, d as Aggressor);
      else sink.quote(atMs, a, b, c, d);
    },
  };
}
