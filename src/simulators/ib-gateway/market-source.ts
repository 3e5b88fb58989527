// Where the market's records come from, as the gateway needs it: a seeded synthetic market or a recording.

/** Is room for a piece of the market: packed records (records.ts). */
export type MarketBatch = {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Is how many records of it are valid. */
  length: number;
};

/** Is what prices bars are made of. */
export type BarPrice = "TRADES" | "BID" | "ASK" | "MIDPOINT";

/** Is one bar of the past. Prices are in ticks, halves for midpoints; bars of quotes have no volume. */
export type HistoryBar = {
  readonly openAtMs: number;
  readonly openTicks: number;
  readonly highTicks: number;
  readonly lowTicks: number;
  readonly closeTicks: number;
  readonly volume: number;
};

/** Gives the market's records in order of time. */
export type MarketSource = {
  /** Says what the market is, for people. */
  readonly label: string;
  readonly startMs: number;
  /** Is when the market ends for good; null when it does not. */
  readonly endMs: number | null;
  /** Returns when the market goes on, where it rests at `atMs` between two passes of a recording; null where it does not. */
  restUntil(atMs: number): number | null;
  /**
   * Puts the next records up to and at `untilMs` after those that the batch holds, as many as have room, and returns
   * how many; 0 when there are none left.
   */
  advance(untilMs: number, batch: MarketBatch): number;
  /** Returns the time of the next record; null when there is none any more. */
  nextAtMs(): number | null;
  /** Returns up to `count` bars that opened before `beforeMs`, oldest first, those before the first record included; of trades without `price`. */
  history(barMs: number, count: number, beforeMs: number, price?: BarPrice): readonly HistoryBar[];
  /** Is from when on the past is the market's own; what lies before is made up to look at. Left out, none of it is its own. */
  readonly ownPastFromMs?: number;
  /** Returns when the oldest bar opened that can be asked for; null while there is none. */
  firstBarMs(): number | null;
  /** Returns what is needed to go on from here at the next start. */
  state(): string;
};
