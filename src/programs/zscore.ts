// `npm run zscore -- --window 20 FILE`: z of each price over the window that ends with it, one a line, by the engine.
import { readFileSync } from "node:fs";
import { causeOf } from "../bar-data/lines.ts";
import type { ZscoreOptions } from "../cli.ts";
import { zscoreExact, zscore as zscoreOf } from "../engine.ts";
import { badInput, DONE } from "./exit.ts";

/** Prices with at most so many decimals are counted in whole units of the last one, and z is exact for them. */
const EXACT_DECIMALS_MAX = 4;
/** Larger prices go the other, numerically stable way. */
const EXACT_PRICE_MAX = 10_000_000;
const WINDOW_EXACT_MAX = 1_000_000;
const PRICE_COLUMNS = ["close", "price"] as const;
const FILE_BYTES_MAX = 512 * 1024 * 1024;

/** Prints z or null for each price and returns 0, or throws an ExitError with the line to mend. */
export function zscore(options: ZscoreOptions): number {
  const { file, window, ddof } = options;
  const prices = readPrices(file);
  const z = isExact(prices, window)
    ? zscoreExact(
        Float64Array.from(prices.values, (price) => Math.round(price * 10 ** prices.decimals)),
        window,
        ddof,
      )
    : zscoreOf(Float64Array.from(prices.values), window, ddof);
  const lines = Array.from(z, (value) => (Number.isNaN(value) ? "null\n" : `${value}\n`));
  process.stdout.write(lines.join(""));
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
  const lines = textOf(file).split("\n");
  if (lines.at(-1) === "") lines.pop();
  const header = (lines[0] ?? "")
    .replace(/^\ufeff/, "")
    .trim()
    .toLowerCase()
    .split(",");
  const name = PRICE_COLUMNS.find((column) => header.includes(column));
  const isTable = name !== undefined || header.length > 1;
  if (isTable && name === undefined)
    throw badInput(`${file}, line 1: the header "${header.join(",").slice(0, 60)}" has no column close or price.`);
  const column = name === undefined ? 0 : header.indexOf(name);
  const values: number[] = [];
  let decimals = 0;
  for (let index = isTable ? 1 : 0; index < lines.length; index++) {
    const line = (lines[index] as string).trim();
    const cells = line.split(",");
    if (cells.length !== header.length) {
      const message = `it has ${cells.length} fields, but the first line ${header.length}`;
      throw badInput(`${file}, line ${index + 1}: ${message}. Mend or cut that line.`);
    }
    const text = (cells[column] as string).trim();
    // A bar file has rows without a trade, and a tick file has quotes between its trades [S1].
    if (text === "" && isTable) continue;
    const price = priceOf(text);
    if (price === null) {
      const at = isTable ? `, column ${column + 1} (${name})` : "";
      throw badInput(
        `${file}, line ${index + 1}${at}: ${text === "" ? "it is empty" : `"${text.slice(0, 40)}" is not a number`}. Mend or cut that line.`,
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
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) return Number(text);
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
    if (bytes.length > FILE_BYTES_MAX) throw new RangeError(`it is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
    return bytes.toString("latin1");
  } catch (thrown) {
    throw badInput(`${file} can't be read: ${causeOf(thrown)}. Give a file with one price a line.`);
  }
}
