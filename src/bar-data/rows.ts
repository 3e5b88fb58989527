// The CSV forms of recorded data, told apart by their header, and what one row of each says:
//   ts,open,high,low,close[,contract,volume,…]         bars; a row without a close had no trade and is left out [S1];
//                                                      bid_close,ask_close are read where z is of the middle
//   ts_ns,price                                        trades
//   ts_ns,type,…,price,…                               quotes (Q) and trades (T)
// Which columns come in which order is free, and others may stand among them.
import { err, ok, type Result } from "../result.ts";
import type { TickSize } from "../units.ts";
import { clip, fieldsText, isNoText, priceReader, timeReader } from "./cells.ts";

/** Is the kind of a file. */
export type Form = "bars" | "trades" | "quotes";

/** Is the place of each column that is read, by its number from 0; -1 = the file has none. */
type Columns = Readonly<Record<string, number>>;

/** Is a file's form with the places of its columns. */
export type Header = { readonly form: Form; readonly columns: Columns; readonly names: readonly string[] };

/** Is one row, written anew by each call of the reader. Of a bar all prices are set, of a trade `close` and `size`. */
export type Row = {
  contract: string;
  atMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Contracts of a trade; 1 where the file does not say. */
  size: number;
  /** Is a quote's prices and sizes, or what a bar's quotes closed at; null = no price on that side. */
  bid: number | null;
  ask: number | null;
  bidSize: number;
  askSize: number;
  /** Is a price in it that is no whole number of ticks: the column's number, -1 = none. */
  offGridColumn: number;
};

/** Is what a line turned out to be; `wrong` with the number of the column, null for the line as a whole. */
export type Verdict =
  | { readonly type: "row" }
  | { readonly type: "quote" }
  | { readonly type: "nothing" }
  | { readonly type: "crossed" }
  | { readonly type: "wrong"; readonly column: number | null; readonly wrong: string };

const FORMS: Readonly<Record<Form, readonly string[]>> = {
  quotes: ["ts_ns", "type", "bid", "ask", "price"],
  bars: ["ts", "open", "high", "low", "close"],
  trades: ["ts_ns", "price"],
};
const OPTIONAL = ["contract", "size", "bid_size", "ask_size"] as const;
/** Sizes are held in 32 bits. */
const SIZE_MAX = 2 ** 31 - 1;

/** The columns of bars that z of the middle wants beside the others. */
export const MIDDLE_COLUMNS = ["bid_close", "ask_close"] as const;

/** Is a column of this name read in any form. */
export function isKnownColumn(name: string, wantsMiddle: boolean): boolean {
  const written = name.trim().toLowerCase();
  return KNOWN.has(written) || (wantsMiddle && MIDDLE_COLUMNS.some((column) => column === written));
}

const KNOWN: ReadonlySet<string> = new Set([...Object.values(FORMS).flat(), ...OPTIONAL]);

/** Returns a row with nothing in it. */
export function emptyRow(): Row {
  return {
    contract: "",
    atMs: 0,
    open: 0,
    high: 0,
    low: 0,
    close: 0,
    size: 1,
    bid: null,
    ask: null,
    bidSize: 0,
    askSize: 0,
    offGridColumn: -1,
  };
}

/**
 * Returns the form of a header line, or what is wrong with it. Where the middle is wanted, bars come with the places of
 * `MIDDLE_COLUMNS`, -1 where the file lacks one.
 */
export function readHeader(line: string, wantsMiddle = false): Result<Header, string> {
  const text = line.replace(BYTE_ORDER_MARK, "");
  if (isNoText(text)) return err("it is not text, so this is no CSV file");
  if (text.includes("\r")) return err("its lines end with CR alone; save it with LF or CR LF at their ends");
  const names = cellsOf(text).map((name) => name.trim().toLowerCase());
  for (const form of ["quotes", "bars", "trades"] as const) {
    const wanted = FORMS[form];
    if (!wanted.every((name) => names.includes(name))) continue;
    const read = [...wanted, ...OPTIONAL, ...(wantsMiddle && form === "bars" ? MIDDLE_COLUMNS : [])];
    const repeated = read.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
    if (repeated !== undefined) return err(`the column "${repeated}" stands in the header twice`);
    const columns = Object.fromEntries(read.map((name) => [name, names.indexOf(name)]));
    return ok({ form, columns, names });
  }
  return err(wrongHeader(names));
}

/** Returns a reader of the rows of one file; `row` is filled where it answers "row". */
export function rowReader(
  header: Header,
  tick: TickSize,
  contract: string | null,
): (line: string, row: Row) => Verdict {
  const { columns, names } = header;
  const time = timeReader();
  const price = priceReader(tick);
  const at = (name: string): number => columns[name] ?? -1;
  const [timeAt, closeAt] = header.form === "bars" ? [at("ts"), at("close")] : [at("ts_ns"), at("price")];
  const [openAt, highAt, lowAt, contractAt] = [at("open"), at("high"), at("low"), at("contract")];
  const [typeAt, bidAt, askAt] = [at("type"), at("bid"), at("ask")];
  const [sizeAt, bidSizeAt, askSizeAt] = [at("size"), at("bid_size"), at("ask_size")];
  const [bidCloseAt, askCloseAt] = [at("bid_close"), at("ask_close")];
  const isBars = header.form === "bars";
  const isQuotes = header.form === "quotes";

  return (line, row) => {
    const cells = cellsOf(line);
    if (cells.length !== names.length) {
      return wrong(null, `it has ${fieldsText(cells.length)}, but the header has ${names.length}`);
    }
    row.contract = contractAt < 0 ? "" : (cells[contractAt] as string);
    if (contract !== null && contractAt >= 0 && row.contract !== contract) return NOTHING;
    const readTime = time(cells[timeAt] as string);
    if (typeof readTime === "string") return wrong(timeAt, readTime);
    row.atMs = readTime;
    row.offGridColumn = -1;
    if (isQuotes && cells[typeAt] === "Q") return quote(cells, row);
    if (isQuotes && cells[typeAt] !== "T")
      return wrong(typeAt, `"${clip(cells[typeAt] as string)}" is neither T (a trade) nor Q (a quote)`);
    if (isBars && cells[closeAt] === "") return NOTHING;
    const close = ticks(cells, closeAt, row);
    if (typeof close !== "number") return close;
    row.close = close;
    if (!isBars) {
      const size = contractsOf(cells, sizeAt);
      if (typeof size !== "number") return size;
      row.size = size;
      return ROW;
    }
    const open = ticks(cells, openAt, row);
    if (typeof open !== "number") return open;
    const high = ticks(cells, highAt, row);
    if (typeof high !== "number") return high;
    const low = ticks(cells, lowAt, row);
    if (typeof low !== "number") return low;
    if (high < open || high < close)
      return wrong(
        highAt,
        `the high ${cells[highAt]} is below the open ${cells[openAt]} or the close ${cells[closeAt]}`,
      );
    if (low > open || low > close)
      return wrong(lowAt, `the low ${cells[lowAt]} is above the open ${cells[openAt]} or the close ${cells[closeAt]}`);
    row.open = open;
    row.high = high;
    row.low = low;
    return bidCloseAt < 0 ? ROW : closingQuote(cells, row);
  };

  function closingQuote(cells: readonly string[], row: Row): Verdict {
    const bid = side(cells, bidCloseAt, row);
    if (bid !== null && typeof bid !== "number") return bid;
    const ask = side(cells, askCloseAt, row);
    if (ask !== null && typeof ask !== "number") return ask;
    row.bid = bid;
    row.ask = ask;
    return ROW;
  }

  function side(cells: readonly string[], column: number, row: Row): number | null | Verdict {
    return cells[column] === "" ? null : ticks(cells, column, row);
  }

  function ticks(cells: readonly string[], column: number, row: Row): number | Verdict {
    const read = price(cells[column] as string);
    if (read.wrong !== "") return wrong(column, read.wrong);
    if (read.isOffGrid) row.offGridColumn = column;
    return read.priceTicks;
  }

  function quote(cells: readonly string[], row: Row): Verdict {
    const bid = side(cells, bidAt, row);
    if (bid !== null && typeof bid !== "number") return bid;
    const ask = side(cells, askAt, row);
    if (ask !== null && typeof ask !== "number") return ask;
    if (bid !== null && ask !== null && bid > ask) return CROSSED;
    const bidSize = bid === null ? 0 : contractsOf(cells, bidSizeAt);
    if (typeof bidSize !== "number") return bidSize;
    const askSize = ask === null ? 0 : contractsOf(cells, askSizeAt);
    if (typeof askSize !== "number") return askSize;
    row.bid = bid;
    row.ask = ask;
    row.bidSize = bidSize;
    row.askSize = askSize;
    return QUOTE;
  }

  /** Whole contracts, perhaps written with a point and zeros; 1 where the file has no such column. */
  function contractsOf(cells: readonly string[], column: number): number | Verdict {
    if (column < 0) return 1;
    const text = cells[column] as string;
    const size = /^\d{1,10}(\.0*)?$/.test(text) ? Number(text) : Number.NaN;
    return size <= SIZE_MAX ? size : wrong(column, `"${clip(text)}" is not a whole number of contracts`);
  }
}

const ROW: Verdict = { type: "row" };
const QUOTE: Verdict = { type: "quote" };
const NOTHING: Verdict = { type: "nothing" };
const CROSSED: Verdict = { type: "crossed" };

function wrong(column: number | null, text: string): Verdict {
  return { type: "wrong", column, wrong: text };
}

/** UTF-8's, read as Latin-1. */
export const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

/** Returns the cells of a line; quotation marks around a cell are taken off (a comma inside of them is not supported). */
export function cellsOf(line: string): string[] {
  const cells = line.split(",");
  if (!line.includes('"')) return cells;
  return cells.map((cell) => (/^".*"$/.test(cell) ? cell.slice(1, -1) : cell));
}

function wrongHeader(names: readonly string[]): string {
  const known = "ts,open,high,low,close (bars), ts_ns,price (trades) or ts_ns,type,bid,ask,price (quotes and trades)";
  const [first = "", ...others] = names;
  if (others.length === 0 && first === "") return `it is empty, but must name the columns: ${known}`;
  const separator = first.includes(";") ? "semicolons" : first.includes("\t") ? "tabs" : null;
  if (others.length === 0 && separator !== null)
    return `its fields are separated by ${separator}; they must be by commas, with a point in prices`;
  const shown = clip(names.join(","));
  const nearest = (Object.entries(FORMS) as [Form, readonly string[]][])
    .map(([form, wanted]) => ({ form, missing: wanted.filter((name) => !names.includes(name)) }))
    .toSorted((a, b) => a.missing.length - b.missing.length || FORMS[b.form].length - FORMS[a.form].length)[0];
  const missing = nearest?.missing.map((name) => `"${name}"`).join(", ") ?? "";
  return `the header "${shown}" has no column ${missing}; the columns must be ${known}`;
}
