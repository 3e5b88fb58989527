// Trades and quotes as the exchange takes them: packed records, one after the other, in the form that
// native/core/src/exchange/record.rs reads. Quotes that the data lacks are derived from trades by the tick rule.
import { endianness } from "node:os";
import { NO_PRICE } from "./series.ts";

/** The records' only contract. */
export const TICK_CONTRACT_ID = 1;
/** More than this is refused: 40 bytes each. */
export const TICKS_MAX = 40_000_000;

const RECORD_WORDS = 10;
/** Length of one record. */
export const RECORD_BYTES = RECORD_WORDS * 4;
const FIRST_RECORDS = 16_384;
const KIND_TRADE = 1;
const KIND_QUOTE = 2;
const WORD = 2 ** 32;

if (endianness() !== "LE") throw new Error("market records are little endian, and so must this machine be");

/** Grows record by record. */
export class TickRecords {
  count = 0;
  /** True once a quote has come from the data itself. */
  hasQuotes = false;
  private words = new Int32Array(FIRST_RECORDS * RECORD_WORDS);
  private lastTicks: number | null = null;
  private isAtAsk = true;

  /** Adds a trade. */
  trade(atMs: number, priceTicks: number, size: number): void {
    this.add(atMs, KIND_TRADE, priceTicks, 0, size, 0);
  }

  /** Adds a quote; null = no price on that side. */
  quote(atMs: number, bidTicks: number | null, askTicks: number | null, bidSize: number, askSize: number): void {
    this.hasQuotes = true;
    this.add(atMs, KIND_QUOTE, bidTicks ?? NO_PRICE, askTicks ?? NO_PRICE, bidSize, askSize);
  }

  /**
   * Adds a trade of data without quotes, and before it the quote that the tick rule derives, one tick wide and of size 1: a
   * price above the last different one is the ask, one below it the bid, the same price stays on its side; the first is the ask.
   */
  bareTrade(atMs: number, priceTicks: number, size: number): void {
    if (this.lastTicks !== null && priceTicks !== this.lastTicks) this.isAtAsk = priceTicks > this.lastTicks;
    this.lastTicks = priceTicks;
    const bid = this.isAtAsk ? priceTicks - 1 : priceTicks;
    this.add(atMs, KIND_QUOTE, bid, bid + 1, 1, 1);
    this.trade(atMs, priceTicks, size);
  }

  /** Returns the records so far; they share their memory with this. */
  bytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, this.count * RECORD_BYTES);
  }

  private add(atMs: number, kind: number, a: number, b: number, c: number, d: number): void {
    let at = this.count * RECORD_WORDS;
    if (at === this.words.length) {
      const wider = new Int32Array(Math.min(TICKS_MAX, this.count * 2) * RECORD_WORDS);
      wider.set(this.words);
      this.words = wider;
    }
    const { words } = this;
    words[at++] = atMs % WORD;
    words[at++] = Math.floor(atMs / WORD);
    words[at++] = TICK_CONTRACT_ID;
    words[at++] = 0;
    words[at++] = kind;
    words[at++] = a;
    words[at++] = b;
    words[at++] = c;
    words[at++] = d;
    words[at] = 0;
    this.count++;
  }
}
