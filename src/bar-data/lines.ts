// Lines of a CSV file, plain or gzipped, in batches: a file of any size takes the memory of one batch. Parquet comes as lines too.
import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { err, ok, type Result } from "../result.ts";
import { PARQUET_MAGIC, parquetLines } from "./parquet.ts";
import { type BarDataProblem, UnusableFile } from "./problem.ts";

/** A longer line is no line of ours: the file is of another kind. */
export const LINE_CHARACTERS_MAX = 4_096;
const CHUNK_BYTES = 256 * 1024;
const FILES_MAX = 10_000;

/** Returns the file itself, or the `.csv`, `.csv.gz` and `.parquet` files of a folder by name. */
export function filesOf(path: string): Result<readonly string[], BarDataProblem> {
  try {
    const found = statSync(path);
    if (found.isFile()) return ok([path]);
    // A pipe would keep us waiting, and can't be read from its start twice.
    if (!found.isDirectory()) return err({ type: "unreadable", path, cause: "it is neither a file nor a folder" });
    const names = readdirSync(path).filter((name) => /\.(csv(\.gz)?|parquet)$/i.test(name));
    if (names.length > FILES_MAX)
      return err({ type: "unreadable", path, cause: `${names.length} files; ${FILES_MAX} is the most` });
    return names.length === 0 ? err({ type: "no_files", path }) : ok(names.sort().map((name) => join(path, name)));
  } catch (thrown) {
    return err({ type: "unreadable", path, cause: causeOf(thrown) });
  }
}

/**
 * Yields the lines of a file, some thousands at a time, without their ends. Throws what the file system or the
 * decompression says; a line over the limit is cut to one character more than it. Of Parquet only wanted columns are read.
 */
export async function* linesOf(path: string, isWanted: (column: string) => boolean): AsyncGenerator<readonly string[]> {
  const start = startOf(path);
  if (start.toString("latin1") === PARQUET_MAGIC) {
    yield* parquetLines(path, isWanted);
    return;
  }
  if (isUtf16(start)) throw new UnusableFile(UTF16);
  let rest = "";
  for await (const chunk of bytesOf(path, start[0] === 0x1f && start[1] === 0x8b)) {
    // Latin-1: the format is ASCII, and no character is ever cut in two.
    const text = rest + (chunk as Buffer).toString("latin1");
    const lines = text.split("\n");
    rest = (lines.pop() ?? "").slice(0, LINE_CHARACTERS_MAX + 1);
    yield lines;
  }
  if (rest !== "") yield [rest];
}

/** What is said of text in UTF-16. */
export const UTF16 = "it is text in UTF-16; save it as UTF-8";

/** Do these bytes begin with a mark of UTF-16, of either order. */
export function isUtf16(start: Uint8Array): boolean {
  return (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
}

/** Returns what a person can do something with: the system's words, without its codes where it has words. */
export function causeOf(thrown: unknown): string {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  switch (code) {
    case "ENOENT":
      return "there is no such file or folder";
    case "EACCES":
    case "EPERM":
      return "this user may not read it";
    case "EISDIR":
      return "it is a folder";
    case "ENOTDIR":
      return "a part of its path is no folder";
    case "ENAMETOOLONG":
      return "its name is too long";
    case "ELOOP":
      return "its links lead in a circle";
    case "Z_BUF_ERROR":
      return "the gzip file is cut off";
    case "Z_DATA_ERROR":
      return "the gzip file is damaged";
    default:
      return typeof message === "string" ? message : String(thrown);
  }
}

function bytesOf(path: string, isGzip: boolean): Readable {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (!isGzip) return file;
  // An error of either side ends the iteration over the unpacked bytes.
  return pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => {});
}

/** The first bytes tell the kind of a file: names lie. */
function startOf(path: string): Buffer {
  const handle = openSync(path, "r");
  try {
    const start = Buffer.alloc(PARQUET_MAGIC.length);
    return start.subarray(0, readSync(handle, start, 0, start.length, 0));
  } finally {
    closeSync(handle);
  }
}
