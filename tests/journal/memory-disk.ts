// A disk in memory that forgets what was not synced, and fails when told to: the journal's file system for fault tests.
// A file's bytes survive a power loss up to its last sync, its name only if the directory was synced after it changed.
import { dirname } from "node:path";
import type { JournalFiles, Looks } from "../../src/journal/files.ts";

type Inode = { bytes: Buffer; size: number; syncedBytes: Buffer; mode: number };

/** Is one call of the file system; a rule answers an error code to make it fail, or a count for a short write. */
export type DiskCall = {
  call: "open" | "write" | "sync" | "dataSync" | "truncate" | "rename" | "unlink";
  path: string;
};

/** Is a file system with memory for what was synced. */
export type MemoryDisk = JournalFiles & {
  /** Decides over each call; undefined lets it pass. */
  rule: (call: DiskCall) => string | number | undefined;
  /** Returns the disk after a power loss; `keep(path, unsynced)` says how many unsynced bytes at the end survived. */
  afterPowerLoss(keep: (path: string, unsyncedBytes: number) => number): MemoryDisk;
  /** Returns what a file holds now. */
  contents(path: string): Buffer;
  /** Changes a file behind the journal's back. */
  put(path: string, bytes: Uint8Array): void;
  names(): string[];
};

const failed = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });

/** Returns an empty disk, or one with these files. */
export function memoryDisk(initial: ReadonlyMap<string, Uint8Array> = new Map()): MemoryDisk {
  const names = new Map<string, Inode>();
  let syncedNames = new Map<string, Inode>();
  const directories = new Set<string>(["/"]);
  const open = new Map<number, { inode: Inode; path: string }>();
  let nextFd = 3;

  const inodeOf = (bytes: Uint8Array): Inode => ({
    bytes: Buffer.from(bytes),
    size: bytes.length,
    syncedBytes: Buffer.from(bytes),
    mode: 0o100600,
  });
  const addDirectory = (path: string): void => {
    for (let each = path; !directories.has(each); each = dirname(each)) directories.add(each);
  };
  for (const [path, bytes] of initial) {
    addDirectory(dirname(path));
    names.set(path, inodeOf(bytes));
  }
  syncedNames = new Map(names);

  const fileOf = (fd: number): { inode: Inode; path: string } => {
    const file = open.get(fd);
    if (file === undefined) throw failed("EBADF", String(fd));
    return file;
  };
  const judge = (call: DiskCall): number | undefined => {
    const verdict = disk.rule(call);
    if (typeof verdict === "string") throw failed(verdict, call.path);
    return verdict;
  };
  const content = (inode: Inode): Buffer => inode.bytes.subarray(0, inode.size);
  const syncFile = (fd: number, call: "sync" | "dataSync"): void => {
    const { inode, path } = fileOf(fd);
    judge({ call, path });
    inode.syncedBytes = Buffer.from(content(inode));
  };

  const disk: MemoryDisk = {
    rule: () => undefined,
    open: (path, how) => {
      judge({ call: "open", path });
      let inode = names.get(path);
      if (how === "create") {
        if (inode !== undefined) throw failed("EEXIST", path);
        if (!directories.has(dirname(path))) throw failed("ENOENT", path);
        inode = { bytes: Buffer.alloc(256), size: 0, syncedBytes: Buffer.alloc(0), mode: 0o100600 };
        names.set(path, inode);
      }
      if (inode === undefined) throw failed("ENOENT", path);
      open.set(nextFd, { inode, path });
      return nextFd++;
    },
    close: (fd) => {
      fileOf(fd);
      open.delete(fd);
    },
    read: (fd, into, at, length, position) => content(fileOf(fd).inode).copy(into, at, position, position + length),
    write: (fd, from, at, length, position) => {
      const { inode, path } = fileOf(fd);
      const count = Math.min(length, judge({ call: "write", path }) ?? length);
      if (position + count > inode.bytes.length) {
        const larger = Buffer.alloc(Math.max(position + count, inode.bytes.length * 2));
        inode.bytes.copy(larger);
        inode.bytes = larger;
      }
      inode.bytes.set(from.subarray(at, at + count), position);
      inode.size = Math.max(inode.size, position + count);
      return count;
    },
    truncate: (fd, length) => {
      const { inode, path } = fileOf(fd);
      judge({ call: "truncate", path });
      inode.size = length;
    },
    sizeOf: (fd) => fileOf(fd).inode.size,
    sync: (fd) => syncFile(fd, "sync"),
    dataSync: async (fd) => {
      await Promise.resolve();
      syncFile(fd, "dataSync");
    },
    dataSyncNow: (fd) => syncFile(fd, "dataSync"),
    syncDirectory: (path) => {
      for (const [name] of syncedNames) if (dirname(name) === path && !names.has(name)) syncedNames.delete(name);
      for (const [name, inode] of names) if (dirname(name) === path) syncedNames.set(name, inode);
    },
    list: (path) =>
      [...names.keys()]
        .filter((name) => dirname(name) === path)
        .map((name) => name.slice(path.length + 1))
        .sort(),
    rename: (from, to) => {
      judge({ call: "rename", path: from });
      if (directories.has(from)) throw failed("EISDIR", from);
      const inode = names.get(from);
      if (inode === undefined) throw failed("ENOENT", from);
      names.delete(from);
      names.set(to, inode);
    },
    unlink: (path) => {
      judge({ call: "unlink", path });
      if (!names.delete(path)) throw failed("ENOENT", path);
    },
    makeDirectory: addDirectory,
    look: (path) => {
      const inode = names.get(path);
      if (inode === undefined && !directories.has(path)) return undefined;
      return looks(inode);
    },
    setMode: () => {},
    afterPowerLoss: (keep) => {
      const survived = new Map<string, Uint8Array>();
      for (const [path, inode] of syncedNames) {
        const unsynced = Math.max(0, inode.size - inode.syncedBytes.length);
        const kept = Math.min(unsynced, keep(path, unsynced));
        survived.set(
          path,
          Buffer.concat([
            inode.syncedBytes,
            content(inode).subarray(inode.syncedBytes.length, inode.syncedBytes.length + kept),
          ]),
        );
      }
      return memoryDisk(survived);
    },
    contents: (path) => {
      const inode = names.get(path);
      if (inode === undefined) throw failed("ENOENT", path);
      return content(inode);
    },
    put: (path, bytes) => {
      addDirectory(dirname(path));
      names.set(path, inodeOf(bytes));
    },
    names: () => [...names.keys()].sort(),
  };
  return disk;
}

const looks = (inode: Inode | undefined): Looks => ({
  isFile: () => inode !== undefined,
  isDirectory: () => inode === undefined,
  isSymbolicLink: () => false,
  mode: inode?.mode ?? 0o040700,
  uid: process.getuid?.() ?? 0,
  size: inode?.size ?? 0,
});
