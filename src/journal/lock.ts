// One process a data directory. Decides who may write there, and leaves a LOCK file that says who does.
import { createHash, randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { type Cancel, type Clock, wallClock } from "../clock.ts";
import { err, ok, type Result } from "../result.ts";
import { errorCode, FILE_MODE } from "./files.ts";

/** Says who holds a directory; null where that is not known. */
export type Locked = { type: "locked"; pid: number | null; host: string | null };

/** Is a data directory that is ours until released or until this process ends, however it ends. */
export type DirectoryLock = { release(): Promise<void> };

/** A lock file of another machine counts while its stamp is younger than this. */
export const STAMP_AGE_MS_MAX = 60_000;
/** Is how often the holder renews its stamp. */
export const STAMP_EVERY_MS = 15_000;

/**
 * Takes the directory for this process, or says who has it.
 *
 * The lock is a listening local socket whose name is made from the directory's real path: on Linux in the abstract
 * namespace (no file), on Windows a named pipe. Binding the name is atomic and the kernel frees it at the instant the
 * process ends, by kill -9 too, so it can't be stale; a pid file has neither property, and Node has no flock. Elsewhere
 * (macOS) it is a socket file in the temporary directory; one that nobody answers on is removed, which is safe but for two
 * starts in the same instant.
 *
 * Abstract names end at the network namespace, and neither kind crosses machines, so the file LOCK covers a directory that
 * two containers or hosts share: it carries host and pid, its time is renewed every 15 s, and a stamp of another host that
 * is younger than 60 s refuses. Its age is taken against a file just written beside it, so only the file server's clock
 * counts.
 */
export async function acquireLock(
  dataDir: string,
  options: { clock?: Clock; host?: string } = {},
): Promise<Result<DirectoryLock, Locked>> {
  const directory = realpathSync(dataDir);
  const host = options.host ?? machineName();
  const path = join(directory, "LOCK");
  const server = await bind(socketName(directory));
  const holder = readHolder(path);
  if (server === undefined) return err({ type: "locked", pid: holder?.pid ?? null, host: holder?.host ?? null });
  if (holder !== undefined && holder.host !== host && isFresh(directory, path)) {
    await closeServer(server);
    return err({ type: "locked", pid: holder.pid, host: holder.host });
  }
  const stop = keepStamp(path, { pid: process.pid, host, bootId: bootId() }, options.clock ?? wallClock);
  return ok({
    release: async () => {
      stop();
      rmSync(path, { force: true });
      await closeServer(server);
    },
  });
}

/** Does `act` under the lock: `held` if the caller has it already, else one that is taken and released around it. */
export async function withLock<T, E>(
  dataDir: string,
  held: DirectoryLock | undefined,
  act: () => Result<T, E> | Promise<Result<T, E>>,
): Promise<Result<T, E | Locked>> {
  if (held !== undefined) return act();
  const lock = await acquireLock(dataDir);
  if (!lock.ok) return lock;
  try {
    return await act();
  } finally {
    await lock.value.release();
  }
}

function socketName(directory: string): string {
  const key = createHash("sha256").update(directory).digest("hex").slice(0, 40);
  if (process.platform === "linux") return `\0quant-scalper-${key}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\quant-scalper-${key}`;
  return join(tmpdir(), `qs-${key.slice(0, 24)}.sock`);
}

async function bind(name: string): Promise<Server | undefined> {
  const server = await listen(name);
  if (server !== undefined || name.startsWith("\0") || name.startsWith("\\\\")) return server;
  if (await isAnswered(name)) return undefined;
  rmSync(name, { force: true });
  return listen(name);
}

function listen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (thrown) => (errorCode(thrown) === "EADDRINUSE" ? resolve(undefined) : reject(thrown)));
    server.listen({ path: name, exclusive: true }, () => resolve(server.unref()));
  });
}

function isAnswered(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(name);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

const closeServer = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

function readHolder(path: string): { pid: number | null; host: string | null } | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, host } = value as Record<string, unknown>;
    return { pid: typeof pid === "number" ? pid : null, host: typeof host === "string" ? host : null };
  } catch {
    // The file is only for the message and for other hosts; without a readable one the socket alone decides.
    return undefined;
  }
}

/** Returns whether the stamp is younger than a minute; a disk on which that can't be told answers yes. */
function isFresh(directory: string, path: string): boolean {
  const probe = join(directory, `.lock-${randomUUID()}`);
  try {
    writeFileSync(probe, "", { mode: FILE_MODE, flag: "wx" });
    return statSync(probe).mtimeMs - statSync(path).mtimeMs < STAMP_AGE_MS_MAX;
  } catch {
    return true;
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Writes the file LOCK now and again while the lock is held; the file's own time is the stamp. */
function keepStamp(path: string, holder: object, clock: Clock): Cancel {
  const text = `${JSON.stringify(holder)}\n`;
  let cancel: Cancel = () => {};
  const stamp = (isFirst: boolean): void => {
    cancel = clock.after(STAMP_EVERY_MS, () => stamp(false));
    try {
      if (isFirst) writeFileSync(path, text, { mode: FILE_MODE });
      else touch(path, text);
    } catch {
      // A full or read-only disk must not keep a bot from starting to report and flatten: the socket holds all the same.
    }
  };
  stamp(true);
  return () => cancel();
}

/** Writes the same bytes again, so that the file server sets the time and no reader ever sees half a file. */
function touch(path: string, text: string): void {
  const fd = openSync(path, "r+");
  try {
    writeSync(fd, text, 0);
  } finally {
    closeSync(fd);
  }
}

/** Names the machine: two hosts of one name still differ by machine id. */
function machineName(): string {
  const id = firstLine("/etc/machine-id");
  return id === undefined ? hostname() : `${hostname()} (${id.slice(0, 8)})`;
}

const bootId = (): string | null => firstLine("/proc/sys/kernel/random/boot_id") ?? null;

function firstLine(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0] || undefined;
  } catch {
    // Not every system has this file.
    return undefined;
  }
}
