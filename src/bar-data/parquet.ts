// Rows of a Parquet file as lines of a CSV file, so that both are read and checked by the same code: the first line is the
// columns' names, row n is line n + 1. One row group is in memory at a time.
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decompress } from "fzstd";
import {
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
} from "hyparquet";

import { isOfFile, UnusableFile } from "./problem.ts";

/** Is how a Parquet file begins, and ends. */
export const PARQUET_MAGIC = "PAR1";
/** A larger row group would not fit into memory as text. */
const GROUP_ROWS_MAX = 8_000_000;
const LINES_AT_ONCE = 16_384;

/**
 * Yields a file's lines, some thousands at a time. Columns that `isWanted` does not want stay empty. Throws an error with what
 * is wrong, for a person.
 */
export async function* parquetLines(
  path: string,
  isWanted: (name: string) => boolean,
): AsyncGenerator<readonly string[]> {
  const file = await asyncBufferFromFile(path);
  const metadata = await undamaged(() => parquetMetadataAsync(file));
  const { children } = await undamaged(async () => parquetSchema(metadata));
  const fields = children.map(({ element }) => element);
  const names = fields.map(({ name }) => name);
  yield [names.join(",")];
  const wanted = fields.filter(({ name }) => isWanted(name));
  const local = wanted.find(({ logical_type: type }) => type?.type === "TIMESTAMP" && type.isAdjustedToUTC === false);
  if (local !== undefined)
    throw new UnusableFile(`the times in its column "${local.name}" are of no time zone: write them as UTC`);
  const columns = wanted.map(({ name }) => name);
  if (columns.length === 0) return;
  const places = columns.map((name) => names.indexOf(name));
  let rowStart = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    if (rows > GROUP_ROWS_MAX)
      throw new UnusableFile(`a row group of ${rows} rows is too large; ${GROUP_ROWS_MAX} is the most`);
    const rowEnd = rowStart + Number(rows);
    const found = await undamaged(() => rowsOf(file, metadata, columns, rowStart, rowEnd));
    rowStart = rowEnd;
    const cells = new Array<string>(names.length).fill("");
    for (let from = 0; from < found.length; from += LINES_AT_ONCE) {
      yield found.slice(from, from + LINES_AT_ONCE).map((row) => {
        for (const [index, place] of places.entries()) cells[place] = textOf(row[index]);
        return cells.join(",");
      });
    }
  }
}

/** Does `work` of the library, whose words for what it can't read are of bytes and not for a person alone. */
async function undamaged<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isOfFile(thrown)) throw thrown;
    const words = thrown instanceof Error ? thrown.message : String(thrown);
    throw new UnusableFile(
      words.includes("unsupported") ? words : `the Parquet file is cut off or damaged (${words})`,
      { cause: thrown },
    );
  }
}

function rowsOf(
  file: Awaited<ReturnType<typeof asyncBufferFromFile>>,
  metadata: FileMetaData,
  columns: string[],
  rowStart: number,
  rowEnd: number,
): Promise<unknown[][]> {
  return new Promise((resolve, reject) => {
    parquetRead({
      file,
      metadata,
      columns,
      rowStart,
      rowEnd,
      rowFormat: "array",
      compressors: COMPRESSORS,
      parsers: { timestampFromMilliseconds: same, timestampFromMicroseconds: same, timestampFromNanoseconds: same },
      onComplete: resolve,
    }).catch(reject);
  });
}

/** Times stay whole numbers since 1970, of which the reader tells the unit by their length. */
function same(value: bigint): bigint {
  return value;
}

function textOf(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

/** What hyparquet does not unpack itself. Node.js before 22.15 has no zstd. */
const COMPRESSORS: Compressors = {
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  ZSTD: (input) => decompress(input),
};
