// What a sweep has done so far, in a file of JSON lines, so that one that was stopped goes on where it stood. The first line
// binds it to data, settings and words; a last line that was cut off counts for nothing.
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import type { CombinationResult } from "../engine.ts";
import { err, ok, type Result } from "../result.ts";

const FORMAT = "quant-scalper sweep";
const VERSION = 1;

/** Is the results that a file holds, by the combination's place in the plan. */
export type Kept = ReadonlyMap<number, CombinationResult>;

/** Returns what the file holds of the sweep with this hash, nothing where there is no file yet; or why it can't be used. */
export function openState(path: string, hash: string, combinations: number): Result<Kept, string> {
  if (!existsSync(path)) {
    const head = JSON.stringify({ format: FORMAT, version: VERSION, hash, combinations });
    writeFileSync(`${path}.partial`, `${head}\n`);
    renameSync(`${path}.partial`, path);
    return ok(new Map());
  }
  const text = readFileSync(path, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const [head = "", ...lines] = whole.split("\n").slice(0, -1);
  const found = parsed(head);
  if (found?.["format"] !== FORMAT) return err("it is no state of a sweep");
  if (found["version"] !== VERSION) return err("it was written by another version of this program");
  if (found["hash"] !== hash || found["combinations"] !== combinations)
    return err("it belongs to other data, other settings or another grid");
  const kept = new Map<number, CombinationResult>();
  for (const [at, line] of lines.entries()) {
    const row = parsed(line);
    const index = row?.["index"];
    if (row === null || typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= combinations)
      return err(`its line ${at + 2} is damaged`);
    kept.set(index, row["result"] as CombinationResult);
  }
  // What follows must begin on a line of its own.
  if (whole.length < text.length) writeFileSync(path, whole);
  return ok(kept);
}

/** Adds results and returns when they are on the disk. */
export function appendState(path: string, results: readonly (readonly [number, CombinationResult])[]): void {
  const lines = results.map(([index, result]) => `${JSON.stringify({ index, result })}\n`);
  const handle = openSync(path, "a");
  try {
    appendFileSync(handle, lines.join(""));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}
