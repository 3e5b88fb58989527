// Bars by columns in typed arrays, as the engine reads them in place: one series for each contract of the data.

/** Is bars by columns, `count` of each; times in milliseconds since 1970 UTC, prices in whole ticks. */
export type BarColumns = {
  readonly openAtMs: Float64Array;
  readonly openTicks: Int32Array;
  readonly highTicks: Int32Array;
  readonly lowTicks: Int32Array;
  readonly closeTicks: Int32Array;
  /** What stood at each close, where z is of the middle: `NO_PRICE` = nothing on that side. Both or neither. */
  readonly bidTicks?: Int32Array;
  readonly askTicks?: Int32Array;
};

/** Stands for a side of the book without a price, as in the exchange's records. */
export const NO_PRICE = -(2 ** 31);
const FIRST_BARS = 4_096;

/** Grows bar by bar. */
export class BarSeries {
  count = 0;
  private columns: BarColumns;

  /** Makes an empty series, of bars with bid and ask where asked for. */
  constructor(hasQuotes = false) {
    this.columns = columnsOf(FIRST_BARS, hasQuotes);
  }

  /** Adds a bar after the last. */
  push(openAtMs: number, open: number, high: number, low: number, close: number): void {
    if (this.count === this.columns.openAtMs.length) this.columns = copied(this.columns, this.count * 2);
    const { openAtMs: times, openTicks, highTicks, lowTicks, closeTicks } = this.columns;
    const at = this.count++;
    times[at] = openAtMs;
    openTicks[at] = open;
    highTicks[at] = high;
    lowTicks[at] = low;
    closeTicks[at] = close;
  }

  /** Says what stood at the last bar's close, in a series with bid and ask; `NO_PRICE` = nothing on that side. */
  quote(bid: number, ask: number): void {
    const { bidTicks, askTicks } = this.columns;
    if (bidTicks === undefined || askTicks === undefined) return;
    bidTicks[this.count - 1] = bid;
    askTicks[this.count - 1] = ask;
  }

  /** Joins prices to the last bar: they traded after it, in the same stretch of time. */
  extend(high: number, low: number, close: number): void {
    const { highTicks, lowTicks, closeTicks } = this.columns;
    const at = this.count - 1;
    highTicks[at] = Math.max(highTicks[at] as number, high);
    lowTicks[at] = Math.min(lowTicks[at] as number, low);
    closeTicks[at] = close;
  }

  /** Returns when the last bar opened, null without one. */
  lastAtMs(): number | null {
    return this.count === 0 ? null : (this.columns.openAtMs[this.count - 1] as number);
  }

  /** Is this what stood at the last bar's close; true in a series without bid and ask. */
  lastQuoteIs(bid: number, ask: number): boolean {
    const { bidTicks, askTicks } = this.columns;
    const at = this.count - 1;
    return bidTicks === undefined || askTicks === undefined || (bidTicks[at] === bid && askTicks[at] === ask);
  }

  /** Is the last bar made of these prices. */
  lastIs(open: number, high: number, low: number, close: number): boolean {
    const { openTicks, highTicks, lowTicks, closeTicks } = this.columns;
    const at = this.count - 1;
    return openTicks[at] === open && highTicks[at] === high && lowTicks[at] === low && closeTicks[at] === close;
  }

  /** Returns the bars so far, in arrays without room to spare; they share their memory with the series. */
  bars(): BarColumns {
    const { openAtMs, openTicks, highTicks, lowTicks, closeTicks, bidTicks, askTicks } = this.columns;
    const cut = <T extends Float64Array | Int32Array>(column: T): T => column.subarray(0, this.count) as T;
    return {
      openAtMs: cut(openAtMs),
      openTicks: cut(openTicks),
      highTicks: cut(highTicks),
      lowTicks: cut(lowTicks),
      closeTicks: cut(closeTicks),
      ...(bidTicks !== undefined && askTicks !== undefined && { bidTicks: cut(bidTicks), askTicks: cut(askTicks) }),
    };
  }
}

/**
 * Returns bars joined into longer ones of `samplingMs`, aligned to the epoch; a stretch without a bar has none. Bid and ask
 * are those of the last one joined.
 */
export function joined(bars: BarColumns, samplingMs: number): BarColumns {
  const { bidTicks, askTicks } = bars;
  const series = new BarSeries(bidTicks !== undefined);
  for (let at = 0; at < bars.openAtMs.length; at++) {
    const openAtMs = bars.openAtMs[at] as number;
    const bucketMs = openAtMs - (openAtMs % samplingMs);
    const [high, low, close] = [bars.highTicks[at], bars.lowTicks[at], bars.closeTicks[at]] as [number, number, number];
    if (series.lastAtMs() === bucketMs) series.extend(high, low, close);
    else series.push(bucketMs, bars.openTicks[at] as number, high, low, close);
    if (bidTicks !== undefined && askTicks !== undefined) series.quote(bidTicks[at] as number, askTicks[at] as number);
  }
  return series.bars();
}

function columnsOf(length: number, hasQuotes: boolean): BarColumns {
  return {
    openAtMs: new Float64Array(length),
    openTicks: new Int32Array(length),
    highTicks: new Int32Array(length),
    lowTicks: new Int32Array(length),
    closeTicks: new Int32Array(length),
    ...(hasQuotes && { bidTicks: new Int32Array(length), askTicks: new Int32Array(length) }),
  };
}

function copied(from: BarColumns, length: number): BarColumns {
  const to = columnsOf(length, from.bidTicks !== undefined);
  for (const name of ["openAtMs", "openTicks", "highTicks", "lowTicks", "closeTicks", "bidTicks", "askTicks"] as const)
    to[name]?.set(from[name] ?? []);
  return to;
}
