// Market records that have happened and wait to be handed over, in the packed form of ../records.ts.
import type { MarketBatch } from "../market-source.ts";
import { KIND_QUOTE, KIND_TRADE, RECORD_BYTES, recordAtMs } from "../records.ts";

/** Is who crossed the spread: unknown, the buyer or the seller. */
export type Aggressor = 0 | 1 | 2;

/** Receives what happens, oldest first; sizes in contracts. */
export type RecordSink = {
  trade(atMs: number, priceTicks: number, size: number, aggressor: Aggressor): void;
  quote(atMs: number, bidTicks: number, askTicks: number, bidSize: number, askSize: number): void;
};

/** Holds records until they are taken; grows as needed, so who fills it does so by small stretches of time. */
export type RecordQueue = RecordSink & {
  /** Moves as many records as have room into the batch, after those it holds, and returns how many. */
  moveTo(batch: MarketBatch): number;
  /** Returns the time of the oldest record; null where there is none. */
  oldestAtMs(): number | null;
  /** Drops up to `count` of the oldest records and returns how many. */
  drop(count: number): number;
};

const RECORDS_FIRST = 1_024;
const TWO_32 = 4_294_967_296;

/** Returns an empty queue. The contract's id is left 0: who owns the listing writes it. */
export function createRecordQueue(): RecordQueue {
  let bytes = new Uint8Array(RECORDS_FIRST * RECORD_BYTES);
  let view = new DataView(bytes.buffer);
  let start = 0;
  let end = 0;

  const append = (
    atMs: number,
    kind: number,
    a: number,
    b: number,
    c: number,
    d: number,
    aggressor: Aggressor,
  ): void => {
    if (end === bytes.length) {
      const grown = new Uint8Array(bytes.length * 2);
      grown.set(bytes);
      bytes = grown;
      view = new DataView(bytes.buffer);
    }
    const high = Math.floor(atMs / TWO_32);
    view.setUint32(end, atMs - high * TWO_32, true);
    view.setInt32(end + 4, high, true);
    view.setUint32(end + 16, kind, true);
    view.setInt32(end + 20, a, true);
    view.setInt32(end + 24, b, true);
    view.setInt32(end + 28, c, true);
    view.setInt32(end + 32, d, true);
    view.setInt32(end + 36, aggressor, true);
    end += RECORD_BYTES;
  };
  const take = (length: number): void => {
    start += length;
    if (start === end) {
      start = 0;
      end = 0;
    }
  };

  return {
    trade: (atMs, priceTicks, size, aggressor) => append(atMs, KIND_TRADE, priceTicks, 0, size, 0, aggressor),
    quote: (atMs, bidTicks, askTicks, bidSize, askSize) =>
      append(atMs, KIND_QUOTE, bidTicks, askTicks, bidSize, askSize, 0),
    moveTo: (batch) => {
      const to = batch.length * RECORD_BYTES;
      const length = Math.min(end - start, batch.bytes.length - to - ((batch.bytes.length - to) % RECORD_BYTES));
      batch.bytes.set(bytes.subarray(start, start + length), to);
      batch.length += length / RECORD_BYTES;
      take(length);
      return length / RECORD_BYTES;
    },
    oldestAtMs: () => (start === end ? null : recordAtMs(view, start)),
    drop: (count) => {
      const length = Math.min(end - start, count * RECORD_BYTES);
      take(length);
      return length / RECORD_BYTES;
    },
  };
}
