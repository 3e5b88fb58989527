// A market that a test writes down row by row.
import type { HistoryBar, MarketSource } from "../../src/simulators/ib-gateway/market-source.ts";
import { KIND_QUOTE, KIND_TRADE, RECORD_BYTES } from "../../src/simulators/ib-gateway/records.ts";

/** One record: a trade with its size, or a quote with its sizes (default 10 each). Prices in ticks. */
export type MarketRow =
  | { readonly atMs: number; readonly trade: number; readonly size?: number }
  | { readonly atMs: number; readonly bid: number; readonly ask: number };

const QUOTE_SIZE = 10;

/** Returns a market of these rows, in order of time, with a past of `bars`. */
export function createScriptedMarket(
  startMs: number,
  rows: readonly MarketRow[],
  bars: readonly HistoryBar[] = [],
): MarketSource {
  let next = 0;
  return {
    label: "a market written by a test",
    startMs,
    endMs: null,
    restUntil: () => null,
    advance: (untilMs, batch) => {
      const before = batch.length;
      for (; next < rows.length && (rows[next] as MarketRow).atMs <= untilMs; next++) {
        if ((batch.length + 1) * RECORD_BYTES > batch.bytes.length) break;
        write(batch.view, batch.length * RECORD_BYTES, rows[next] as MarketRow);
        batch.length++;
      }
      return batch.length - before;
    },
    firstBarMs: () => null,
    nextAtMs: () => rows[next]?.atMs ?? null,
    history: (_barMs, count, beforeMs) => bars.filter((bar) => bar.openAtMs < beforeMs).slice(-count),
    state: () => String(next),
  };
}

function write(view: DataView, at: number, row: MarketRow): void {
  const words =
    "trade" in row
      ? [KIND_TRADE, row.trade, 0, row.size ?? 1, 0, 0]
      : [KIND_QUOTE, row.bid, row.ask, QUOTE_SIZE, QUOTE_SIZE, 0];
  view.setBigInt64(at, BigInt(row.atMs), true);
  view.setBigInt64(at + 8, 0n, true);
  for (const [index, word] of words.entries()) view.setInt32(at + 16 + 4 * index, word, true);
}
