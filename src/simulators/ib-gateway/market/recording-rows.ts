// The three CSV forms of a recording, told apart by their header:
//   ts_ns,price                                              trades
//   ts_ns,type,bid,bid_size,ask,ask_size,price,size,side     quotes (Q) and trades (T); side B or S = who crossed
//   ts,contract,open,high,low,close,volume,…                 minute bars; a row without a close had no trade
// Time must not go back, prices must be above zero and whole ticks.
import { DateTime } from "luxon";
import { NO_PRICE } from "../records.ts";
import type { Tape } from "./tape.ts";

/** Is what is wrong with a line; the header is line 1. */
export type RowProblem = { readonly line: number; readonly text: string };

type Terms = { readonly tickSizeE4: number; readonly contract: string | null };
type Row = (name: string) => string;

/** Is the note of a file of bars. */
export const BARS_NOTE = "prints and quotes derived from bars";

const FORMS = {
  trades: ["ts_ns", "price"],
  quotes: ["ts_ns", "type", "bid", "bid_size", "ask", "ask_size", "price", "size", "side"],
  bars: ["ts", "contract", "open", "high", "low", "close", "volume"],
} as const;
/** Within a minute the four prints of a bar come at these milliseconds. */
const PRINT_AT_MS = [0, 20_000, 40_000, 59_999] as const;

const HEADING_CHARACTERS_MAX = 200;

class RowError extends Error {}

/** Reads a file's text onto the tape; returns the first problem, null where there is none. Notes tell what was derived. */
export function readRows(text: string, tape: Tape, terms: Terms, note: (text: string) => void): RowProblem | null {
  const lines = text.split("\n");
  const names = (lines[0] ?? "").trim().split(",");
  const has = (form: readonly string[]): boolean => form.every((name) => names.includes(name));
  const columns = new Map(names.map((name, index) => [name, index]));
  const form = has(FORMS.quotes) ? "quotes" : has(FORMS.bars) ? "bars" : has(FORMS.trades) ? "trades" : undefined;
  if (form === undefined) {
    const known = Object.values(FORMS)
      .map((columnNames) => columnNames.join(","))
      .join(" or ");
    return { line: 1, text: `${headingText(names.join(","))}, but should be ${known}` };
  }
  if (form !== "quotes") note(form === "bars" ? BARS_NOTE : "quotes derived from trades");
  const contract = form === "bars" ? (terms.contract ?? busiest(lines, columns)) : null;
  if (contract !== null && terms.contract === null) note(`contract ${contract}`);

  for (let index = 1; index < lines.length; index += 1) {
    const line = (lines[index] ?? "").trimEnd();
    if (line === "") continue;
    const cells = line.split(",");
    try {
      if (cells.length !== names.length)
        throw new RowError(`it has ${cells.length} fields, the header ${names.length}`);
      const row: Row = (name) => cells[columns.get(name) ?? -1] ?? "";
      if (form === "trades") tape.bareTrade(nextTime(tape, nanoseconds(row("ts_ns"))), price(row, "price", terms), 1);
      else if (form === "quotes") readQuoteOrTrade(row, tape, terms);
      else if (row("contract") === contract && row("close") !== "") readBar(row, tape, terms);
    } catch (problem) {
      if (problem instanceof RowError) return { line: index + 1, text: problem.message };
      throw problem;
    }
  }
  return null;
}

/** A file that is no text, or no CSV at all, is not shown. */
function headingText(heading: string): string {
  if (heading === "") return "there are no columns";
  if (/[\p{Cc}\uFFFD]/u.test(heading)) return "the columns are not text";
  return `the columns are ${heading.slice(0, HEADING_CHARACTERS_MAX)}`;
}

function readQuoteOrTrade(row: Row, tape: Tape, terms: Terms): void {
  const atMs = nextTime(tape, nanoseconds(row("ts_ns")));
  const type = row("type");
  if (type === "T") {
    const side = row("side");
    tape.trade(atMs, price(row, "price", terms), count(row, "size"), side === "B" ? 1 : side === "S" ? 2 : 0);
  } else if (type === "Q") {
    const [bid, ask] = [priceOrNone(row, "bid", terms), priceOrNone(row, "ask", terms)];
    if (bid !== NO_PRICE && ask !== NO_PRICE && bid > ask) {
      throw new RowError(`the bid ${row("bid")} is above the ask ${row("ask")}`);
    }
    tape.quote(
      atMs,
      bid,
      ask,
      bid === NO_PRICE ? 0 : count(row, "bid_size"),
      ask === NO_PRICE ? 0 : count(row, "ask_size"),
    );
  } else {
    throw new RowError(`the type is ${type || "missing"}, but should be T or Q`);
  }
}

/** A rising bar goes open, low, high, close, a falling one open, high, low, close; the volume is spread over the four. */
function readBar(row: Row, tape: Tape, terms: Terms): void {
  const openAtMs = DateTime.fromISO(row("ts"), { zone: "utc" }).toMillis();
  if (Number.isNaN(openAtMs)) throw new RowError(`the time ${row("ts")} is not an ISO time`);
  const [open, high, low, close] = [
    price(row, "open", terms),
    price(row, "high", terms),
    price(row, "low", terms),
    price(row, "close", terms),
  ];
  if (high < Math.max(open, close) || low > Math.min(open, close)) {
    throw new RowError(`high ${row("high")} and low ${row("low")} do not hold open and close`);
  }
  const prints = close >= open ? [open, low, high, close] : [open, high, low, close];
  const size = Math.max(1, Math.floor(count(row, "volume") / prints.length));
  prints.forEach((priceTicks, index) => {
    tape.bareTrade(nextTime(tape, openAtMs + (PRINT_AT_MS[index] ?? 0)), priceTicks, size);
  });
}

function nextTime(tape: Tape, atMs: number): number {
  const lastMs = tape.atMs(-1);
  if (atMs < lastMs) throw new RowError(`the time goes back by ${lastMs - atMs} ms`);
  return atMs;
}

/** Nanoseconds have 19 digits, more than a number holds: the last six are cut off as text. */
function nanoseconds(text: string): number {
  if (!/^\d{16,19}$/.test(text))
    throw new RowError(`the time ${text || "is missing"} is not in nanoseconds since 1970`);
  return Number(text.slice(0, -6));
}

function price(row: Row, name: string, terms: Terms): number {
  const text = row(name);
  if (!/^\d{1,7}(\.\d{1,9})?$/.test(text))
    throw new RowError(`the ${name} ${text || "is missing"} is not a price above 0`);
  const ticks = (Number(text) * 10_000) / terms.tickSizeE4;
  const whole = Math.round(ticks);
  if (whole < 1) throw new RowError(`the ${name} ${text} is not above 0`);
  if (Math.abs(ticks - whole) > 1e-6)
    throw new RowError(`the ${name} ${text} is no whole number of ticks of ${terms.tickSizeE4 / 10_000}`);
  return whole;
}

function priceOrNone(row: Row, name: string, terms: Terms): number {
  return row(name) === "" ? NO_PRICE : price(row, name, terms);
}

function count(row: Row, name: string): number {
  const text = row(name);
  if (!/^\d{1,9}(\.0)?$/.test(text)) throw new RowError(`the ${name} ${text || "is missing"} is not a whole number`);
  return Number(text);
}

/** Returns the contract with the largest volume in the file; of equal ones the first by name. */
function busiest(lines: readonly string[], columns: ReadonlyMap<string, number>): string {
  const volumes = new Map<string, number>();
  for (const line of lines.slice(1)) {
    const cells = line.split(",");
    const contract = cells[columns.get("contract") ?? -1] ?? "";
    if (contract === "") continue;
    volumes.set(contract, (volumes.get(contract) ?? 0) + Number(cells[columns.get("volume") ?? -1] || 0));
  }
  return [...volumes].sort(([a, av], [b, bv]) => bv - av || (a < b ? -1 : 1))[0]?.[0] ?? "";
}
