// The data directory as a place on a disk: who may write there, how much is free, and the reserve file whose space is
// given back when the disk is full and a halt or an exit must still be written (controls D30, D31).
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { createSynced, DIRECTORY_MODE, errorCode, type JournalFiles, makeSynced, nodeFiles } from "./files.ts";
import type { JournalProblem } from "./problem.ts";

/** Below this much free space a person is warned: 1 GiB. */
export const DISK_FREE_BYTES_WARN = 1024 ** 3;
/** Below this much free space entries are blocked: 256 MiB. */
export const DISK_FREE_BYTES_MIN = 256 * 1024 ** 2;
/** Is the size of the reserve file: 16 MiB. */
export const RESERVE_BYTES = 16 * 1024 ** 2;

/** Returns the bytes free to this user where `dataDir` lies, and what they mean for trading. */
export async function diskSpace(dataDir: string): Promise<{ freeBytes: number; level: "ok" | "low" | "blocked" }> {
  const { bavail, bsize } = await statfs(dataDir);
  return { freeBytes: bavail * bsize, level: spaceLevel(bavail * bsize) };
}

/** Returns "low" below 1 GiB of free space, "blocked" below 256 MiB. */
export function spaceLevel(freeBytes: number): "ok" | "low" | "blocked" {
  if (freeBytes < DISK_FREE_BYTES_MIN) return "blocked";
  return freeBytes < DISK_FREE_BYTES_WARN ? "low" : "ok";
}

const reservePath = (dataDir: string): string => join(dataDir, "reserve.bin");

/** Creates the reserve file if it is missing; answers whether it stands there now. A full disk answers false. */
export function keepReserve(dataDir: string, files: JournalFiles = nodeFiles): boolean {
  const path = reservePath(dataDir);
  if (files.look(path)?.size === RESERVE_BYTES) return true;
  try {
    if (files.look(path) !== undefined) files.unlink(path);
    // Not zeros: some file systems store those in no space at all.
    createSynced(files, path, new Uint8Array(RESERVE_BYTES).fill(0xa5));
    return true;
  } catch (thrown) {
    releaseReserve(dataDir, files);
    if (["ENOSPC", "EDQUOT", "EFBIG"].includes(errorCode(thrown))) return false;
    throw thrown;
  }
}

/** Gives the reserve's space back; answers whether there was any. Synchronous, for the last moment. */
export function releaseReserve(dataDir: string, files: JournalFiles = nodeFiles): boolean {
  const path = reservePath(dataDir);
  if (files.look(path) === undefined) return false;
  files.unlink(path);
  return true;
}

/** Makes the data directory and those in `within` ready: created or tightened to mode 0700, or says why they're unsafe. */
export function prepareDirectory(
  dataDir: string,
  within: readonly string[],
  files: JournalFiles = nodeFiles,
): JournalProblem | undefined {
  for (const directory of [dataDir, ...within.map((name) => join(dataDir, name))]) {
    try {
      makeSynced(files, directory);
      const problem = judgeDirectory(directory, files);
      if (problem !== undefined) return problem;
    } catch (thrown) {
      return { type: "unwritable", file: directory, code: errorCode(thrown) };
    }
  }
  return undefined;
}

function judgeDirectory(directory: string, files: JournalFiles): JournalProblem | undefined {
  const stats = files.look(directory);
  const unsafe = (why: "world_writable" | "is_a_link" | "not_a_directory" | "not_ours"): JournalProblem => ({
    type: "unsafe_directory",
    directory,
    why,
  });
  if (stats?.isSymbolicLink() === true) return unsafe("is_a_link");
  if (stats?.isDirectory() !== true) return unsafe("not_a_directory");
  if (process.platform === "win32") return undefined;
  if ((stats.mode & 0o002) !== 0) return unsafe("world_writable");
  const user = process.getuid?.();
  if (user !== undefined && user !== 0 && stats.uid !== user) return unsafe("not_ours");
  if ((stats.mode & 0o077) !== 0) files.setMode(directory, DIRECTORY_MODE);
  return undefined;
}
