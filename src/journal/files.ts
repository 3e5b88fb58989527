// The file system as the journal needs it: a dozen calls that a test can put a failing disk behind. What must survive
// power loss goes through here, with its fsync. No path is built here and nothing is retried.
import {
  chmodSync,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** Is what is asked of a name in a directory. */
export type Looks = Pick<Stats, "isFile" | "isDirectory" | "isSymbolicLink" | "mode" | "uid" | "size">;

/** Is a file system; every call throws Node's system error (`code`) when it fails. */
export type JournalFiles = {
  /** Opens a file: to read, to write an existing one, or a new one with mode 0600 that must not exist yet. */
  open(path: string, how: "read" | "write" | "create"): number;
  close(fd: number): void;
  /** Returns how many bytes were read; 0 at the end. */
  read(fd: number, into: Uint8Array, at: number, length: number, position: number): number;
  /** Returns how many bytes were written, which may be fewer than asked. */
  write(fd: number, from: Uint8Array, at: number, length: number, position: number): number;
  truncate(fd: number, length: number): void;
  sizeOf(fd: number): number;
  /** Forces data and all of the file's facts onto the disk. */
  sync(fd: number): void;
  /** Forces data (and the length) onto the disk, off the event loop. */
  dataSync(fd: number): Promise<void>;
  /** Does what `dataSync` does and waits. */
  dataSyncNow(fd: number): void;
  /** Forces a directory's names onto the disk; does nothing where directories can't be synced (Windows). */
  syncDirectory(path: string): void;
  /** Returns the names in a directory in order; empty if there is no such directory. */
  list(path: string): string[];
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Creates a directory with mode 0700 and its parents; harmless if there is one. */
  makeDirectory(path: string): void;
  /** Returns what stands at `path` without following a link; undefined if nothing does. */
  look(path: string): Looks | undefined;
  setMode(path: string, mode: number): void;
};

/** Is the mode of every file here: its owner reads and writes. */
export const FILE_MODE = 0o600;
/** Is the mode of every directory here. */
export const DIRECTORY_MODE = 0o700;

const OPEN_FLAGS = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
} as const;

/** Is the machine's own file system. */
export const nodeFiles: JournalFiles = {
  open: (path, how) => openSync(path, OPEN_FLAGS[how], FILE_MODE),
  close: closeSync,
  read: readSync,
  write: writeSync,
  truncate: ftruncateSync,
  sizeOf: (fd) => fstatSync(fd).size,
  sync: fsyncSync,
  dataSync: promisify(fdatasync),
  dataSyncNow: fdatasyncSync,
  syncDirectory: (path) => {
    if (process.platform === "win32") return;
    const fd = openSync(path, constants.O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  list: (path) => {
    try {
      return readdirSync(path).sort();
    } catch (thrown) {
      if (errorCode(thrown) === "ENOENT") return [];
      throw thrown;
    }
  },
  rename: renameSync,
  unlink: unlinkSync,
  makeDirectory: (path) => void mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE }),
  look: (path) => lstatSync(path, { throwIfNoEntry: false }),
  setMode: chmodSync,
};

/** Returns the system's name of an error ("ENOSPC"), or "unknown". */
export function errorCode(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : "unknown";
}

/** Is how often a short write is continued before it counts as a failure. */
const SHORT_WRITES_MAX = 64;

/** Writes all of `bytes[at, at + length)` at `position`; short counts are continued, no progress throws ENOSPC. */
export function writeAll(
  files: JournalFiles,
  fd: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  position: number,
): void {
  let done = 0;
  for (let tries = 0; done < length; tries++) {
    const count = tries < SHORT_WRITES_MAX ? files.write(fd, bytes, at + done, length - done, position + done) : 0;
    if (count <= 0) {
      throw Object.assign(new Error(`wrote ${done} of ${length} bytes`), { code: "ENOSPC" });
    }
    done += count;
  }
}

/** Returns a whole file; throws a RangeError above `bytesMax`. */
export function readWhole(files: JournalFiles, path: string, bytesMax: number): Uint8Array {
  const fd = files.open(path, "read");
  try {
    const size = files.sizeOf(fd);
    if (size > bytesMax) throw new RangeError(`${path} has ${size} bytes, more than ${bytesMax}`);
    const bytes = new Uint8Array(size);
    let done = 0;
    while (done < size) {
      const count = files.read(fd, bytes, done, size - done, done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  } finally {
    files.close(fd);
  }
}

/** Creates a directory if there is none, with its name synced: a power loss would take all that it holds along. */
export function makeSynced(files: JournalFiles, path: string): void {
  if (files.look(path) !== undefined) return;
  files.makeDirectory(path);
  try {
    files.syncDirectory(dirname(path));
  } catch (thrown) {
    // A parent that we may pass through but not open can't be synced by us; it was not ours to create either.
    if (errorCode(thrown) !== "EACCES") throw thrown;
  }
}

/** Creates `path`, which must not exist, with `bytes`, synced together with its name in the directory. */
export function createSynced(files: JournalFiles, path: string, bytes: Uint8Array): void {
  const fd = files.open(path, "create");
  try {
    writeAll(files, fd, bytes, 0, bytes.length, 0);
    files.sync(fd);
  } finally {
    files.close(fd);
  }
  files.syncDirectory(dirname(path));
}

/** Puts `bytes` at `path` so that a crash at any instant leaves the old file or the new one, whole. */
export function replaceSynced(files: JournalFiles, path: string, bytes: Uint8Array): void {
  const fresh = `${path}.tmp`;
  if (files.look(fresh) !== undefined) files.unlink(fresh);
  createSynced(files, fresh, bytes);
  files.rename(fresh, path);
  files.syncDirectory(dirname(path));
}
