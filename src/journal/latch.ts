// The halt latch: a file whose presence means HALTED, on disk before anything is cancelled (control D34). Synchronous
// throughout, so that a signal handler and the command line can set it with nothing else alive.
import { join } from "node:path";
import { releaseReserve } from "./disk.ts";
import { errorCode, FILE_MODE, type JournalFiles, type Looks, nodeFiles, readWhole, writeAll } from "./files.ts";

/** Says when the latch was set, by whom (user or channel), and why. */
export type HaltLatch = { atMs: number; by: string; reason: string };

/** Is the largest latch file taken at its word, in bytes. */
const LATCH_BYTES_MAX = 16 * 1024;
const TEXT_LENGTH_MAX = 1000;

/** Returns the path of the latch. */
export const latchPath = (dataDir: string): string => join(dataDir, "halt.latch");

/**
 * Sets the latch and answers "set", or "already_set" if it stood (the first reason stays). When the disk is full the
 * reserve file's space is given back for it. Throws what the file system throws: the caller is then halted in memory only
 * and must say so. A latch that was created but not written to the end is empty, and empty means halted too.
 */
export function setLatch(dataDir: string, latch: HaltLatch, files: JournalFiles = nodeFiles): "set" | "already_set" {
  try {
    return createLatch(dataDir, latch, files);
  } catch (thrown) {
    const isFull = ["ENOSPC", "EDQUOT"].includes(errorCode(thrown));
    if (!isFull || !releaseReserve(dataDir, files)) throw thrown;
    return createLatch(dataDir, latch, files);
  }
}

function createLatch(dataDir: string, latch: HaltLatch, files: JournalFiles): "set" | "already_set" {
  const { atMs, by, reason } = latch;
  const text = `${JSON.stringify({ atMs, by: by.slice(0, TEXT_LENGTH_MAX), reason: reason.slice(0, TEXT_LENGTH_MAX) })}\n`;
  let fd: number;
  try {
    fd = files.open(latchPath(dataDir), "create");
  } catch (thrown) {
    if (errorCode(thrown) !== "EEXIST") throw thrown;
    // Whoever set it may have died before the directory was synced.
    files.syncDirectory(dataDir);
    return "already_set";
  }
  try {
    const bytes = Buffer.from(text);
    writeAll(files, fd, bytes, 0, bytes.length, 0);
    files.sync(fd);
  } finally {
    files.close(fd);
    files.syncDirectory(dataDir);
  }
  return "set";
}

/** Returns null when there is no latch, its facts, or `unreadable` for one that can't be trusted: all but null is halted. */
export function readLatch(dataDir: string, files: JournalFiles = nodeFiles): null | HaltLatch | { unreadable: true } {
  const path = latchPath(dataDir);
  try {
    const stats = files.look(path);
    if (stats === undefined) return null;
    if (!stats.isFile() || !isOurs(stats)) return { unreadable: true };
    const value: unknown = JSON.parse(Buffer.from(readWhole(files, path, LATCH_BYTES_MAX)).toString("utf8"));
    return isLatch(value) ? { atMs: value.atMs, by: value.by, reason: value.reason } : { unreadable: true };
  } catch {
    // Whatever keeps us from reading it, the cautious reading of a latch is that it is set.
    return { unreadable: true };
  }
}

/** Removes the latch for good; harmless without one. Call it only after the ARM record is committed. */
export function clearLatch(dataDir: string, files: JournalFiles = nodeFiles): void {
  try {
    files.unlink(latchPath(dataDir));
  } catch (thrown) {
    if (errorCode(thrown) !== "ENOENT") throw thrown;
  }
  files.syncDirectory(dataDir);
}

/** Returns whether the file is this user's and closed to others; Windows has no such modes. */
function isOurs(stats: Looks): boolean {
  if (process.platform === "win32") return true;
  return stats.uid === process.getuid?.() && (stats.mode & 0o777 & ~FILE_MODE) === 0;
}

function isLatch(value: unknown): value is HaltLatch {
  if (typeof value !== "object" || value === null) return false;
  const latch = value as Record<string, unknown>;
  return Number.isSafeInteger(latch["atMs"]) && typeof latch["by"] === "string" && typeof latch["reason"] === "string";
}
