// The market that a journal recorded, as a recording that the simulated market and the backtest can play: the bot's own
// quotes and trades, at the times at which it heard of them.
import { parseRecord, readJournal } from "../journal/journal.ts";
import { badInput } from "./exit.ts";

const HEADER = "ts_ns,type,bid,bid_size,ask,ask_size,price,size,side";

/** Counts what was found; filled in while the lines are drawn. */
export type MarketFound = { rows: number /** Crossed or without a price: no market to play. */; leftOut: number };

/**
 * Yields the lines of the recording. The prices of a trade have no aggressor: the broker does not tell it. Throws an
 * ExitError where there is nothing to play, or where the journal holds two instruments.
 */
export function* marketLines(dataDir: string, found: MarketFound): Generator<string> {
  let instrument: { symbol: string; tickSizeE4: number } | null = null;
  let lastMs = 0;
  yield `${HEADER}\n`;
  for (const record of readJournal(dataDir)) {
    const { type, atMs, fields } = parseRecord(record);
    if (type === "started") {
      const next = instrumentOf(fields);
      if (next !== null && instrument !== null && next.symbol !== instrument.symbol)
        throw badInput(
          `${dataDir} holds prices of ${instrument.symbol} and of ${next.symbol}: a recording has one instrument.`,
        );
      instrument = next ?? instrument;
    }
    if (instrument === null || (type !== "trade" && type !== "quote")) continue;
    // A machine's clock that was set back must not turn the recording's order around.
    lastMs = Math.max(lastMs, atMs);
    const line = lineOf(`${lastMs}000000`, type, fields, instrument.tickSizeE4);
    if (line === null) found.leftOut += 1;
    else {
      found.rows += 1;
      yield line;
    }
  }
  if (found.rows === 0)
    throw badInput(`The journal in ${dataDir} holds no trades and quotes: the bot has not seen a market yet.`);
}

function lineOf(
  ts: string,
  type: "trade" | "quote",
  fields: Readonly<Record<string, unknown>>,
  tickSizeE4: number,
): string | null {
  const ticks = (name: string): number | null => {
    const value = fields[name];
    return typeof value === "number" ? value : null;
  };
  const price = (value: number): string => String((value * tickSizeE4) / 10_000);
  if (type === "trade") {
    const priceTicks = ticks("priceTicks");
    const size = Number(fields["size"]);
    return priceTicks === null || priceTicks < 1 || !(size >= 1)
      ? null
      : `${ts},T,,,,,${price(priceTicks)},${size},N\n`;
  }
  const [bid, ask] = [ticks("bidTicks"), ticks("askTicks")];
  if ((bid !== null && bid < 1) || (ask !== null && ask < 1) || (bid !== null && ask !== null && bid > ask))
    return null;
  const bidText = bid === null ? "," : `${price(bid)},${Math.max(0, Number(fields["bidSize"]))}`;
  const askText = ask === null ? "," : `${price(ask)},${Math.max(0, Number(fields["askSize"]))}`;
  return `${ts},Q,${bidText},${askText},,,\n`;
}

function instrumentOf(fields: Readonly<Record<string, unknown>>): { symbol: string; tickSizeE4: number } | null {
  const settings = fields["settings"] as { instrument?: { symbol?: unknown; tickSizeE4?: unknown } } | undefined;
  const { symbol, tickSizeE4 } = settings?.instrument ?? {};
  return typeof symbol === "string" && typeof tickSizeE4 === "number" ? { symbol, tickSizeE4 } : null;
}
