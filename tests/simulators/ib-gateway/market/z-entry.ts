// The bare entry rule of the default strategy on bars of 5 seconds, to tell when a market gives it something to do.
import type { MarketSource } from "../../../../src/simulators/ib-gateway/market-source.ts";
import { RECORD_BYTES } from "../../../../src/simulators/ib-gateway/records.ts";

const BAR_MS = 5_000;
const WINDOW = 60;

/** Returns how long after `startMs` a bar first closes with |z| ≥ 2 over 60 bars, history included; null where none does. */
export function firstEntryMs(source: MarketSource, startMs: number, waitMs: number): number | null {
  const bytes = new Uint8Array(4_096 * RECORD_BYTES);
  const batch = { bytes, view: new DataView(bytes.buffer), length: 0 };
  while (source.advance(startMs + waitMs, batch) > 0) batch.length = 0;
  const bars = source.history(BAR_MS, WINDOW + waitMs / BAR_MS, startMs + waitMs);
  for (let last = WINDOW - 1; last < bars.length; last += 1) {
    const closeMs = (bars[last]?.openAtMs ?? 0) + BAR_MS;
    if (closeMs <= startMs) continue;
    const closes = bars.slice(last - WINDOW + 1, last + 1).map((bar) => bar.closeTicks);
    const sum = closes.reduce((total, close) => total + close, 0);
    const squares = closes.reduce((total, close) => total + close * close, 0);
    const distance = WINDOW * (closes.at(-1) ?? 0) - sum;
    const spread = WINDOW * squares - sum * sum;
    if (spread > 0 && distance * distance * (WINDOW - 1) >= 4 * WINDOW * spread) return closeMs - startMs;
  }
  return null;
}
