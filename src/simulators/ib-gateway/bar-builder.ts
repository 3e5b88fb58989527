// Builds one bar after the other from prices in time order; a bar starts at a whole multiple of its length.

/** Is a bar in the making. Prices are in ticks, halves allowed (a midpoint). */
export type GrowingBar = {
  openAtMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  /** Sum of price × size, for the volume-weighted price. */
  weighted: number;
  trades: number;
};

/** Returns the first price's bar. */
export function openBar(barMs: number, atMs: number, price: number): GrowingBar {
  const openAtMs = Math.floor(atMs / barMs) * barMs;
  return { openAtMs, open: price, high: price, low: price, close: price, volume: 0, weighted: 0, trades: 0 };
}

/** Adds a price; `size` 0 is a quote. */
export function growBar(bar: GrowingBar, price: number, size: number): void {
  if (bar.trades === 0 && bar.volume === 0) {
    bar.open = price;
    bar.high = price;
    bar.low = price;
  }
  if (price > bar.high) bar.high = price;
  if (price < bar.low) bar.low = price;
  bar.close = price;
  bar.volume += size;
  bar.weighted += price * size;
  bar.trades += 1;
}

/** Returns the volume-weighted price in ticks; the close when nothing was traded. */
export function weightedPrice(bar: GrowingBar): number {
  return bar.volume === 0 ? bar.close : bar.weighted / bar.volume;
}
