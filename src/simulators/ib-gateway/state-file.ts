// The gateway's memory on disk: one JSON file, written whole beside itself and renamed over, so that it is never half.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { err, ok, type Result } from "../../result.ts";
import type { SavedGateway } from "./gateway.ts";

const VERSION = 1;

/** Is what the gateway goes on from at its next start. */
export type SavedState = {
  readonly version: typeof VERSION;
  /** Is the market time up to which everything had happened. */
  readonly atMs: number;
  readonly conId: number;
  readonly exchange: string;
  readonly gateway: SavedGateway;
  /** Is the source's own note of where it stood. */
  readonly market: string;
};

/** Says why a state file can't be gone on from. */
export type StateProblem = { readonly type: "bad_state_file"; readonly path: string; readonly reason: string };

/** Returns the saved state, null where there is none. */
export function readState(path: string): Result<SavedState | null, StateProblem> {
  if (!existsSync(path)) return ok(null);
  const refuse = (reason: string): Result<never, StateProblem> => err({ type: "bad_state_file", path, reason });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof value !== "object" || value === null) return refuse("it holds no object");
  const state = value as Partial<Record<keyof SavedState, unknown>>;
  if (state.version !== VERSION)
    return refuse(`it is of version ${JSON.stringify(state.version)}, this program reads ${VERSION}`);
  const isWhole =
    typeof state.atMs === "number" &&
    typeof state.conId === "number" &&
    typeof state.exchange === "string" &&
    typeof state.market === "string" &&
    typeof state.gateway === "object" &&
    state.gateway !== null;
  return isWhole ? ok(value as SavedState) : refuse("a part of it is missing");
}

/**
 * Writes the state; returns when the kernel has it, which outlives a killed process, or when the disk has it if `isSynced`.
 * Throws what the file system throws.
 */
export function writeState(path: string, state: Omit<SavedState, "version">, isSynced: boolean): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, JSON.stringify({ version: VERSION, ...state }));
    if (isSynced) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
