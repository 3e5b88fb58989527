// The CSV forms of a recording, told apart by their header:
//   ts_ns,price                                              trades
//   ts_ns,type,bid,bid_size,ask,ask_size,price,size,side     quotes (Q) and trades (T); side B or S = who crossed
//   ts,contract,open,high,low,close,volume,…                 minute bars; a row without a close had no trade
//   ts_event,rtype,publisher_id,instrument_id,…              Databento's, see databento-rows.ts
// Time must not go back, prices must be above zero and whole ticks.
import { NO_PRICE } from "../records.ts";
import {
  busiestDatabento,
  type DatabentoForm,
  databentoContract,
  databentoForm,
  databentoReader,
  isDatabento,
} from "./databento-rows.ts";
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
  wholeCount,
} from "./row-cells.ts";
import type { Tape } from "./tape.ts";

/** Is what is wrong with a line; the header is line 1. */
export type RowProblem = { readonly line: number; readonly text: string };

/** Is the note of a file of bars. */
export const BARS_NOTE = "prints and quotes derived from bars";
const TRADES_NOTE = "quotes derived from trades";

const FORMS = {
  trades: ["ts_ns", "price"],
  quotes: ["ts_ns", "type", "bid", "bid_size", "ask", "ask_size", "price", "size", "side"],
  bars: ["ts", "contract", "open", "high", "low", "close", "volume"],
} as const;

const HEADING_CHARACTERS_MAX = 200;

/** Reads a file's text onto the tape; returns the first problem, null where there is none. Notes tell what was derived. */
export function readRows(text: string, tape: Tape, terms: RowTerms, note: (text: string) => void): RowProblem | null {
  const lines = text.split("\n");
  const names = (lines[0] ?? "").trim().split(",");
  const reader = isDatabento(names)
    ? databentoRows(lines, names, tape, terms, note)
    : ownRows(lines, names, tape, terms, note);
  if ("refused" in reader) return { line: 1, text: reader.refused };
  for (let index = 1; index < lines.length; index += 1) {
    const line = (lines[index] ?? "").trimEnd();
    if (line === "") continue;
    const cells = line.split(",");
    try {
      if (cells.length !== names.length)
        throw new RowError(`it has ${cells.length} fields, the header ${names.length}`);
      reader.read(cells);
    } catch (problem) {
      if (problem instanceof RowError) return { line: index + 1, text: problem.message };
      throw problem;
    }
  }
  return null;
}

type Reader = { read(cells: readonly string[]): void } | { readonly refused: string };

function ownRows(
  lines: readonly string[],
  names: readonly string[],
  tape: Tape,
  terms: RowTerms,
  note: (text: string) => void,
): Reader {
  const has = (form: readonly string[]): boolean => form.every((name) => names.includes(name));
  const form = has(FORMS.quotes) ? "quotes" : has(FORMS.bars) ? "bars" : has(FORMS.trades) ? "trades" : undefined;
  if (form === undefined) {
    const known = Object.values(FORMS)
      .map((columnNames) => columnNames.join(","))
      .join(" or ");
    return { refused: `${headingText(names.join(","))}, but should be ${known}, or a CSV file of Databento's` };
  }
  if (form !== "quotes") note(form === "bars" ? BARS_NOTE : TRADES_NOTE);
  const rowOf = rowsOf(names);
  const iso = isoReader();
  if (form === "trades") {
    return {
      read: (cells) => {
        const row = rowOf(cells);
        tape.bareTrade(nextTime(tape, nanosecondsToMs(row("ts_ns"))), priceTicks(row("price"), "price", terms), 1);
      },
    };
  }
  if (form === "quotes") return { read: (cells) => readQuoteOrTrade(rowOf(cells), tape, terms) };
  const contract = terms.contract ?? busiest(lines, rowOf);
  if (terms.contract === null) note(`contract ${contract}`);
  return {
    read: (cells) => {
      const row = rowOf(cells);
      if (row("contract") === contract && row("close") !== "") readBar(row, tape, terms, iso);
    },
  };
}

function databentoRows(
  lines: readonly string[],
  names: readonly string[],
  tape: Tape,
  terms: RowTerms,
  note: (text: string) => void,
): Reader {
  const form = databentoForm(names);
  if (typeof form !== "string") return form;
  const rowOf = rowsOf(names);
  const contract = terms.contract ?? busiestDatabento(eachRow(lines, rowOf), form);
  if (terms.contract === null) note(`contract ${contract}`);
  noteDerived(form, note);
  const read = databentoReader(form, tape, terms, note);
  return {
    read: (cells) => {
      const row = rowOf(cells);
      if (databentoContract(row) === contract) read(row);
    },
  };
}

function noteDerived(form: DatabentoForm, note: (text: string) => void): void {
  if (form !== "book") note(form === "bars" ? BARS_NOTE : TRADES_NOTE);
}

/** Returns what makes a row of a line's cells. */
function rowsOf(names: readonly string[]): (cells: readonly string[]) => Row {
  const columns = new Map(names.map((name, index) => [name, index]));
  return (cells) => (name) => cells[columns.get(name) ?? -1] ?? "";
}

function* eachRow(lines: readonly string[], rowOf: (cells: readonly string[]) => Row): Generator<Row> {
  for (let index = 1; index < lines.length; index += 1) {
    const line = (lines[index] ?? "").trimEnd();
    if (line !== "") yield rowOf(line.split(","));
  }
}

/** A file that is no text, or no CSV at all, is not shown. */
function headingText(heading: string): string {
  if (heading === "") return "there are no columns";
  if (/[\p{Cc}\uFFFD]/u.test(heading)) return "the columns are not text";
  return `the columns are ${heading.slice(0, HEADING_CHARACTERS_MAX)}`;
}

function readQuoteOrTrade(row: Row, tape: Tape, terms: RowTerms): void {
  const atMs = nextTime(tape, nanosecondsToMs(row("ts_ns")));
  const type = row("type");
  if (type === "T") {
    const side = row("side");
    tape.trade(
      atMs,
      priceTicks(row("price"), "price", terms),
      wholeCount(row("size"), "size"),
      side === "B" ? 1 : side === "S" ? 2 : 0,
    );
  } else if (type === "Q") {
    const [bid, ask] = [priceOrNone(row, "bid", terms), priceOrNone(row, "ask", terms)];
    if (bid !== NO_PRICE && ask !== NO_PRICE && bid > ask) {
      throw new RowError(`the bid ${row("bid")} is above the ask ${row("ask")}`);
    }
    tape.quote(
      atMs,
      bid,
      ask,
      bid === NO_PRICE ? 0 : wholeCount(row("bid_size"), "bid_size"),
      ask === NO_PRICE ? 0 : wholeCount(row("ask_size"), "ask_size"),
    );
  } else {
    throw new RowError(`the type is ${type || "missing"}, but should be T or Q`);
  }
}

function readBar(row: Row, tape: Tape, terms: RowTerms, iso: (text: string) => number): void {
  const openAtMs = iso(row("ts"));
  const [open, high, low, close] = [
    priceTicks(row("open"), "open", terms),
    priceTicks(row("high"), "high", terms),
    priceTicks(row("low"), "low", terms),
    priceTicks(row("close"), "close", terms),
  ];
  if (high < Math.max(open, close) || low > Math.min(open, close)) {
    throw new RowError(`high ${row("high")} and low ${row("low")} do not hold open and close`);
  }
  barOnTape(tape, openAtMs, { open, high, low, close }, wholeCount(row("volume"), "volume"), MINUTE_PRINTS_MS);
}

function priceOrNone(row: Row, name: string, terms: RowTerms): number {
  return row(name) === "" ? NO_PRICE : priceTicks(row(name), name, terms);
}

/** Returns the contract with the largest volume in the file; of equal ones the first by name. */
function busiest(lines: readonly string[], rowOf: (cells: readonly string[]) => Row): string {
  const volumes = new Map<string, number>();
  for (const row of eachRow(lines, rowOf)) {
    const contract = row("contract");
    if (contract !== "") volumes.set(contract, (volumes.get(contract) ?? 0) + Number(row("volume") || 0));
  }
  return busiestOf(volumes);
}
