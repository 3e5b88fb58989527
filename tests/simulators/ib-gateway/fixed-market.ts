// A market for tests: records written by hand, or a steady stream of them, and bars of the past.
import type { HistoryBar, MarketSource } from "../../../src/simulators/ib-gateway/market-source.ts";
import { KIND_QUOTE, KIND_TRADE, RECORD_BYTES } from "../../../src/simulators/ib-gateway/records.ts";

type Content =
  | { readonly type: "trade"; readonly priceTicks: number; readonly size: number }
  | {
      readonly type: "quote";
      readonly bidTicks: number;
      readonly askTicks: number;
      readonly bidSize: number;
      readonly askSize: number;
    };

/** Is a market whose records a test adds. */
export type FixedMarket = Omit<MarketSource, "restUntil"> & {
  /** Tells when the market rests; never, unless a test says otherwise. */
  restUntil: MarketSource["restUntil"];
  /** Adds a record; times must not go back. */
  add(atMs: number, content: Content): void;
  /** Adds the latest quote once more: an order meets the market at a record. */
  repeatQuote(atMs: number): void;
  /** Adds a quote of one tick's width and a trade at its bid. */
  tick(atMs: number, bidTicks: number): void;
};

/** Returns a market without records from `startMs` on. */
export function fixedMarket(startMs: number, endMs: number | null = null): FixedMarket {
  const records: { atMs: number; content: Content }[] = [];
  let next = 0;
  const add = (atMs: number, content: Content): void => {
    records.push({ atMs, content });
  };
  return {
    label: "records of a test",
    startMs,
    endMs,
    restUntil: () => null,
    add,
    repeatQuote: (atMs) => {
      const quote = records.findLast((record) => record.content.type === "quote");
      if (quote !== undefined) add(atMs, quote.content);
    },
    tick: (atMs, bidTicks) => {
      add(atMs, { type: "quote", bidTicks, askTicks: bidTicks + 1, bidSize: 5, askSize: 7 });
      add(atMs, { type: "trade", priceTicks: bidTicks, size: 2 });
    },
    advance: (untilMs, batch) => {
      const before = batch.length;
      for (let record = records[next]; record !== undefined && record.atMs <= untilMs; record = records[next]) {
        if ((batch.length + 1) * RECORD_BYTES > batch.bytes.length) break;
        write(batch.view, batch.length * RECORD_BYTES, record.atMs, record.content);
        batch.length += 1;
        next += 1;
      }
      return batch.length - before;
    },
    nextAtMs: () => records[next]?.atMs ?? null,
    history: (barMs, count, beforeMs) => {
      const bars: HistoryBar[] = [];
      const last = Math.floor((beforeMs - 1) / barMs) * barMs;
      for (let openAtMs = last - (count - 1) * barMs; openAtMs <= last; openAtMs += barMs) {
        const base = 20_000 + ((openAtMs / barMs) % 7);
        bars.push({
          openAtMs,
          openTicks: base,
          highTicks: base + 3,
          lowTicks: base - 2,
          closeTicks: base + 1,
          volume: 10,
        });
      }
      return bars;
    },
    firstBarMs: () => null,
    state: () => String(next),
  };
}

function write(view: DataView, offset: number, atMs: number, content: Content): void {
  const isTrade = content.type === "trade";
  view.setBigInt64(offset, BigInt(atMs), true);
  view.setBigInt64(offset + 8, 0n, true);
  view.setUint32(offset + 16, isTrade ? KIND_TRADE : KIND_QUOTE, true);
  view.setInt32(offset + 20, isTrade ? content.priceTicks : content.bidTicks, true);
  view.setInt32(offset + 24, isTrade ? 0 : content.askTicks, true);
  view.setInt32(offset + 28, isTrade ? content.size : content.bidSize, true);
  view.setInt32(offset + 32, isTrade ? 0 : content.askSize, true);
  view.setInt32(offset + 36, 0, true);
}
