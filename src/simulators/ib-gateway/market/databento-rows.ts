// Databento's CSV files, raw or "pretty" (databento.com/docs/schemas-and-data-formats): the schemas trades, tbbo, mbp-1 and
// mbp-10 (whose best level is read), ohlcv-1s and ohlcv-1m. Times are ts_recv, which never goes back, where a file has it.
import { NO_PRICE } from "../records.ts";
import {
  barOnTape,
  busiestOf,
  isoReader,
  MINUTE_PRINTS_MS,
  nanosecondsToMs,
  nextTime,
  priceTicks,
  type Row,
  RowError,
  type RowTerms,
  SECOND_PRINTS_MS,
  wholeCount,
} from "./row-cells.ts";
import type { Tape } from "./tape.ts";

/** Is what a Databento file holds. */
export type DatabentoForm = "trades" | "book" | "bars";

/** Stands for "no price" in raw files, where prices are whole billionths of a point. */
const RAW_NO_PRICE = "9223372036854775807";
const RAW_PRICE_DECIMALS = 9;
/** Record types of bars by their length (databento.com/docs, rtype). */
const BAR_PRINTS_MS: Readonly<Record<string, readonly number[]>> = { "32": SECOND_PRINTS_MS, "33": MINUTE_PRINTS_MS };

/** Is a note of a file whose book was crossed at times, as before an opening: there was no market to trade on then. */
export const CROSSED_NOTE = "crossed books left out";

/** Returns whether a header is Databento's. */
export function isDatabento(names: readonly string[]): boolean {
  return ["ts_event", "rtype", "publisher_id", "instrument_id"].every((name) => names.includes(name));
}

/** Returns what a Databento file holds, or why it can't be played. */
export function databentoForm(names: readonly string[]): DatabentoForm | { readonly refused: string } {
  const has = (...wanted: readonly string[]): boolean => wanted.every((name) => names.includes(name));
  if (has("open", "high", "low", "close", "volume")) return "bars";
  if (has("order_id")) return { refused: `this is Databento's mbo, order by order; ${PLAYED}` };
  if (has("action", "side", "price", "size", "bid_px_00", "bid_sz_00", "ask_px_00", "ask_sz_00")) return "book";
  if (has("action", "side", "price", "size")) return "trades";
  return { refused: `this schema of Databento's has no trades; ${PLAYED}` };
}

const PLAYED = "played are trades, tbbo, mbp-1, mbp-10, ohlcv-1s and ohlcv-1m";

/** Returns the name of a row's contract: its symbol, or its number where symbols were not mapped. */
export function databentoContract(row: Row): string {
  return row("symbol") || row("instrument_id");
}

/** Returns the contract that traded most; a spread ("ESH4-ESM4") only where there is nothing else. */
export function busiestDatabento(rows: Iterable<Row>, form: DatabentoForm): string {
  const volumes = new Map<string, number>();
  for (const row of rows) {
    if (form !== "bars" && row("action") !== "T") continue;
    const name = databentoContract(row);
    volumes.set(name, (volumes.get(name) ?? 0) + (Number(row(form === "bars" ? "volume" : "size")) || 0));
  }
  const outright = new Map([...volumes].filter(([name]) => !name.includes("-")));
  return busiestOf(outright.size > 0 ? outright : volumes);
}

/** Returns a reader that puts one row of the chosen contract on the tape. It throws a RowError for one that is none. */
export function databentoReader(
  form: DatabentoForm,
  tape: Tape,
  terms: RowTerms,
  note: (text: string) => void,
): (row: Row) => void {
  const iso = isoReader();
  const time = (row: Row): number => {
    const text = row("ts_recv") || row("ts_event");
    return nextTime(tape, text.includes("-") ? iso(text) : nanosecondsToMs(text));
  };
  const price = (row: Row, name: string): number => priceTicks(pretty(row(name)), name, terms);
  const side = (row: Row, level: "bid" | "ask"): { ticks: number; size: number } => {
    const text = row(`${level}_px_00`);
    if (text === "" || text === RAW_NO_PRICE) return { ticks: NO_PRICE, size: 0 };
    return { ticks: price(row, `${level}_px_00`), size: wholeCount(row(`${level}_sz_00`), `${level}_sz_00`) };
  };
  let told = "";

  const readBook = (row: Row, atMs: number): void => {
    const [bid, ask] = [side(row, "bid"), side(row, "ask")];
    const isCrossed = bid.ticks !== NO_PRICE && ask.ticks !== NO_PRICE && bid.ticks > ask.ticks;
    if (isCrossed) note(CROSSED_NOTE);
    const quote = isCrossed ? [NO_PRICE, NO_PRICE, 0, 0] : [bid.ticks, ask.ticks, bid.size, ask.size];
    // A row that changed only the number of orders, or a deeper level, says nothing new of the best prices.
    if (quote.join() === told) return;
    told = quote.join();
    const [bidTicks = NO_PRICE, askTicks = NO_PRICE, bidSize = 0, askSize = 0] = quote;
    tape.quote(atMs, bidTicks, askTicks, bidSize, askSize);
  };

  return (row) => {
    const atMs = time(row);
    if (form === "bars") {
      const printAtMs = BAR_PRINTS_MS[row("rtype")];
      if (printAtMs === undefined) throw new RowError(`bars of rtype ${row("rtype")} are too long; ${PLAYED}`);
      const bar = {
        open: price(row, "open"),
        high: price(row, "high"),
        low: price(row, "low"),
        close: price(row, "close"),
      };
      if (bar.high < Math.max(bar.open, bar.close) || bar.low > Math.min(bar.open, bar.close))
        throw new RowError(`high ${row("high")} and low ${row("low")} do not hold open and close`);
      barOnTape(tape, atMs, bar, wholeCount(row("volume"), "volume"), printAtMs);
      return;
    }
    // The book of a trade's row is the one that the trade met.
    if (form === "book") readBook(row, atMs);
    if (row("action") !== "T") return;
    const size = wholeCount(row("size"), "size");
    if (form === "trades") tape.bareTrade(atMs, price(row, "price"), size);
    else tape.trade(atMs, price(row, "price"), size, row("side") === "B" ? 1 : row("side") === "A" ? 2 : 0);
  };
}

/** Returns a raw price, billionths of a point, as a decimal; a pretty one, which always has a point, as it is. */
function pretty(text: string): string {
  if (!/^\d+$/.test(text)) return text;
  const digits = text.padStart(RAW_PRICE_DECIMALS + 1, "0");
  return `${digits.slice(0, -RAW_PRICE_DECIMALS)}.${digits.slice(-RAW_PRICE_DECIMALS)}`;
}
