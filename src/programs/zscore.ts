// `npm run zscore -- --window 20 FILE`: z of each price over the window that ends with it, one a line, by the engine.
import { readFileSync } from "node:fs";
import { clip, fieldsText, isNoText } from "../bar-data/cells.ts";
import { causeOf, isUtf16, LINE_CHARACTERS_MAX, UTF16 } from "../bar-data/lines.ts";
import { isOfFile, UnusableFile } from "../bar-data/problem.ts";
import { BYTE_ORDER_MARK, cellsOf } from "../bar-data/rows.ts";
import type { ZscoreOptions } from "../cli.ts";
import { zscoreExact, zscore as zscoreOf } from "../engine.ts";
import { badInput, DONE } from "./exit.ts";
import { printResult } from "./output.ts";

/** Prices with at most so many decimals are counted in whole units of the last one, and z is exact for them. */
const EXACT_DECIMALS_MAX = 4;
/** Larger prices go the other, numerically stable way. */
const EXACT_PRICE_MAX = 10_000_000;
const WINDOW_EXACT_MAX = 1_000_000;
/** What is printed where there is no z; a list may have it where there is no price. */
const UNDEFINED = "null";
const PRICE_COLUMNS = ["close", "price"] as const;
const FILE_BYTES_MAX = 512 * 1024 * 1024;

/** Prints z or null for each price and returns 0, or throws an ExitError with the line to mend. */
export async function zscore(options: ZscoreOptions): Promise<number> {
  const { file, window, ddof } = options;
  const prices = readPrices(file);
  const z = isExact(prices, window)
    ? zscoreExact(
        Float64Array.from(prices.values, (price) => Math.round(price * 10 ** prices.decimals)),
        window,
        ddof,
      )
    : zscoreOf(Float64Array.from(prices.values), window, ddof);
  const lines = Array.from(z, (value) => `${Number.isNaN(value) ? UNDEFINED : value}\n`);
  await printResult(lines.join(""));
  return DONE;
}

/** Is the prices of a file; `decimals` is the most that one has, Infinity where one is no plain decimal number. */
type Prices = { readonly values: readonly number[]; readonly decimals: number };

function isExact({ values, decimals }: Prices, window: number): boolean {
  return (
    decimals <= EXACT_DECIMALS_MAX &&
    window <= WINDOW_EXACT_MAX &&
    values.every((price) => Math.abs(price) <= EXACT_PRICE_MAX)
  );
}

function readPrices(file: string): Prices {
  const lines = textOf(file).replace(BYTE_ORDER_MARK, "").split("\n");
  while (lines.at(-1)?.trim() === "") lines.pop();
  const first = (lines[0] ?? "").trim();
  if (isNoText(first)) throw badInput(`${file}, line 1: it is not text. Give a text file with one price a line.`);
  const long = lines.findIndex((line) => line.length > LINE_CHARACTERS_MAX);
  if (long >= 0)
    throw badInput(
      `${file}, line ${long + 1}: it is longer than ${LINE_CHARACTERS_MAX} characters. Mend or cut that line.`,
    );
  const header = cellsOf(first.toLowerCase());
  const name = PRICE_COLUMNS.find((column) => header.includes(column));
  const isTable = name !== undefined || header.length > 1;
  if (isTable && name === undefined)
    throw badInput(`${file}, line 1: the header "${clip(header.join(","))}" has no column close or price.`);
  if (name !== undefined && header.indexOf(name) !== header.lastIndexOf(name))
    throw badInput(`${file}, line 1: the column "${name}" stands in the header twice. Mend or cut that line.`);
  const column = name === undefined ? 0 : header.indexOf(name);
  const values: number[] = [];
  let decimals = 0;
  for (let index = isTable ? 1 : 0; index < lines.length; index++) {
    const cells = cellsOf((lines[index] as string).trim());
    if (cells.length !== header.length) {
      const message = `it has ${fieldsText(cells.length)}, but the first line ${header.length}`;
      throw badInput(`${file}, line ${index + 1}: ${message}. Mend or cut that line.`);
    }
    const text = (cells[column] as string).trim();
    // A bar file has rows without a trade, and a tick file has quotes between its trades [S1].
    if (text === "" && isTable) continue;
    const price = !isTable && text === UNDEFINED ? Number.NaN : priceOf(text);
    if (price === null) {
      const at = isTable ? `, column ${column + 1} (${name})` : "";
      throw badInput(
        `${file}, line ${index + 1}${at}: ${text === "" ? "it is empty" : `"${clip(text)}" is not a number`}. Mend or cut that line.`,
      );
    }
    values.push(price);
    decimals = Math.max(decimals, decimalsOf(text));
  }
  if (values.length === 0)
    throw badInput(`${file} has no price. Give one price a line, or a CSV file with a column close or price.`);
  return { values, decimals };
}

/** NaN and the infinities are numbers: windows that hold one have no z. */
function priceOf(text: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,6})?$/i.test(text)) return Number(text);
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite === null) return null;
  return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function decimalsOf(text: string): number {
  const match = /^[+-]?\d+(?:\.(\d*))?$/.exec(text);
  return match === null ? Number.POSITIVE_INFINITY : (match[1] ?? "").replace(/0+$/, "").length;
}

function textOf(file: string): string {
  try {
    const bytes = readFileSync(file === "-" ? 0 : file);
    if (bytes.length > FILE_BYTES_MAX) throw new UnusableFile(`it is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
    if (isUtf16(bytes)) throw new UnusableFile(UTF16);
    return bytes.toString("latin1");
  } catch (thrown) {
    if (!isOfFile(thrown)) throw thrown;
    throw badInput(`${file} can't be read: ${causeOf(thrown)}. Give a file with one price a line.`);
  }
}
