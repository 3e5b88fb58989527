// Brings frames from the buffer to the disk: writes, syncs in groups, begins new segments, and survives one failed sync.
//
// After a failed write or sync nothing is known of the pages since the last good sync (Linux marks them clean and a later
// sync of the same file says "fine"), so that file is never synced again: what it owes is written once more, from memory,
// into a new segment. If that fails too, the journal is failed for good.
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";
import type { FrameBuffer } from "./buffer.ts";
import { releaseReserve } from "./disk.ts";
import { errorCode, type JournalFiles, writeAll } from "./files.ts";
import {
  encodeHeader,
  encodeLink,
  LINK_BYTES,
  SEGMENT_HEADER_BYTES,
  SEGMENT_RECOVERY,
  SEGMENT_REWRITES,
} from "./format.ts";
import { JournalFailure, type JournalStep } from "./problem.ts";
import { hashFrame } from "./scan.ts";
import { journalDir, segmentName } from "./segments.ts";

/** Is how much a segment holds before the next is begun: 64 MiB. A batch is not cut, so it may be somewhat more. */
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** Is how long a segment is written to: one day, so that retention can work in days. */
const SEGMENT_SPAN_MS_MAX = 24 * 60 * 60 * 1000;
/** Appended bytes that make the journal write by itself: 1 MiB. */
const PENDING_BYTES_MAX = 1024 * 1024;
/** Unsynced bytes that make the journal sync in the background: 8 MiB. */
const UNSYNCED_BYTES_WANT_SYNC = 8 * 1024 * 1024;
/** Unsynced bytes, all held in memory, at which an append waits for the disk: 64 MiB. */
export const UNSYNCED_BYTES_MAX = 64 * 1024 * 1024;
/** Is how often a process may change to a new segment after a failure. */
const RESCUES_MAX = 1;
/** A sync that takes longer is reported (control D30). */
const SYNC_MS_MAX = 250;

/** Is what the session must hear of at once; after `rescued` and `failed` entries stop until restart and arm (D30). */
export type JournalTrouble =
  | { type: "slow_sync"; tookMs: number }
  | { type: "rescued"; during: JournalStep; code: string; fromSeq: number; toSeq: number }
  | { type: "failed"; failure: JournalFailure };

/** Counts what was written and how long the disk took; times in ms, sizes in bytes since the journal was opened. */
export type JournalStats = {
  syncs: number;
  lastSyncMs: number;
  syncMsMax: number;
  /** Is how long the sync that is under way has taken so far; 0 when there is none. A stuck disk shows here. */
  currentSyncMs: number;
  bytes: number;
  /** Is how often a failed write or sync was mended by a new segment. */
  rescues: number;
  failed: boolean;
};

/** Is where writing begins. */
export type WriterStart = {
  files: JournalFiles;
  dataDir: string;
  clock: Clock;
  log: Log;
  buffer: FrameBuffer;
  instance: number;
  lastHash: Uint8Array;
  /** Is the segment to go on with, or the number of the one to begin; `recovery` writes beside the numbered ones. */
  active:
    | { type: "continue"; number: number; path: string; endOffset: number; begunAtMs: number }
    | { type: "begin"; number: number }
    | { type: "recovery"; name: string };
  segmentBytesMax: number;
  onTrouble: (trouble: JournalTrouble) => void;
};

/** Is what is counted before the first write. */
export const NO_STATS: JournalStats = {
  syncs: 0,
  lastSyncMs: 0,
  syncMsMax: 0,
  currentSyncMs: 0,
  bytes: 0,
  rescues: 0,
  failed: false,
};

const HEAD_BYTES = SEGMENT_HEADER_BYTES + LINK_BYTES;

type Mark = { end: number; seq: number; lastStart: number };
type Round = { promise: Promise<void>; resolve: () => void; reject: (failure: JournalFailure) => void };

/** Writes one journal; throws the file system's error when it can't begin. */
export class JournalWriter {
  readonly #start: WriterStart;
  readonly #files: JournalFiles;
  readonly #buffer: FrameBuffer;
  readonly #isRecovery: boolean;
  readonly #stats: JournalStats = { ...NO_STATS };
  #fd: number | undefined;
  #number: number;
  #size: number;
  #begunAtMs: number;
  #written: Mark;
  #synced: Mark;
  #syncedHash: Uint8Array;
  #broken: { during: JournalStep; cause: unknown } | undefined;
  #failure: JournalFailure | undefined;
  #isSyncing = false;
  #syncBegunMs = 0;
  #isRunning = false;
  #wantsSync = false;
  #nextRound: Round | undefined;

  constructor(start: WriterStart) {
    const { active, files, buffer } = start;
    this.#start = start;
    this.#files = files;
    this.#buffer = buffer;
    this.#isRecovery = active.type === "recovery";
    this.#written = { end: 0, seq: buffer.lastSeq, lastStart: 0 };
    this.#synced = this.#written;
    this.#syncedHash = start.lastHash;
    this.#number = active.type === "recovery" ? 0 : active.number;
    this.#size = HEAD_BYTES;
    this.#begunAtMs = start.clock.nowMs();
    switch (active.type) {
      case "continue":
        this.#fd = files.open(active.path, "write");
        this.#size = active.endOffset;
        this.#begunAtMs = active.begunAtMs;
        // What a killed process wrote is readable but may never have reached the disk: it must, before we build on it.
        files.sync(this.#fd);
        break;
      case "begin":
        this.#begin(segmentName(active.number), 0);
        break;
      case "recovery":
        this.#begin(active.name, SEGMENT_RECOVERY);
        break;
      default:
        active satisfies never;
    }
  }

  /** Returns the failure after which nothing reaches the disk any more. */
  get failure(): JournalFailure | undefined {
    return this.#failure;
  }

  /** Returns the counters. */
  stats(): JournalStats {
    const currentSyncMs = this.#isSyncing ? performance.now() - this.#syncBegunMs : 0;
    return { ...this.#stats, currentSyncMs };
  }

  /** Looks after an append: writes or syncs by itself when too much has gathered. */
  afterAppend(): void {
    const { end } = this.#buffer;
    if (end - this.#written.end < PENDING_BYTES_MAX && end - this.#synced.end < UNSYNCED_BYTES_MAX) return;
    this.write();
    const unsynced = this.#written.end - this.#synced.end;
    if (unsynced >= UNSYNCED_BYTES_MAX) this.#syncNow();
    else if (unsynced >= UNSYNCED_BYTES_WANT_SYNC) this.#wantSync();
  }

  /** Hands what was appended to the kernel. A failure is mended or reported in the background. */
  write(): void {
    if (this.#failure !== undefined) this.#buffer.release(this.#buffer.end);
    if (this.#failure !== undefined || this.#broken !== undefined) return;
    const { end, lastSeq, lastStart, lastAtMs } = this.#buffer;
    const length = end - this.#written.end;
    if (length === 0) return;
    let during: JournalStep = "rotate";
    try {
      if (this.#isFull(length, lastAtMs)) this.#rotate();
      during = "write";
      writeAll(this.#files, this.#openFd(), this.#buffer.slice(this.#written.end, end), 0, length, this.#size);
      this.#size += length;
      this.#stats.bytes += length;
      this.#written = { end, seq: lastSeq, lastStart };
    } catch (cause) {
      this.#broken = { during, cause };
      this.#wantSync();
    }
  }

  /** Resolves when everything appended so far is on the disk; rejects with a JournalFailure when it can't be. */
  commit(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#synced.end === this.#buffer.end && this.#broken === undefined) return Promise.resolve();
    this.#nextRound ??= newRound();
    const { promise } = this.#nextRound;
    void this.#run();
    return promise;
  }

  /** Syncs and closes the file; rejects with a JournalFailure if the last records did not reach the disk. */
  async close(): Promise<void> {
    if (this.#failure === undefined) await this.commit();
    this.#closeFd();
  }

  #wantSync(): void {
    this.#wantsSync = true;
    void this.#run();
  }

  /** Syncs round after round while somebody waits; a round covers all that was appended before it began. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#nextRound !== undefined || this.#wantsSync) {
        const round = this.#nextRound;
        this.#nextRound = undefined;
        this.#wantsSync = false;
        await this.#syncOnce();
        if (this.#failure === undefined) round?.resolve();
        else round?.reject(this.#failure);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #syncOnce(): Promise<void> {
    if (this.#failure !== undefined) return;
    this.write();
    if (this.#broken !== undefined) {
      this.#rescue(this.#broken.during, this.#broken.cause, this.#synced);
      return;
    }
    const target = this.#written;
    const before = this.#synced;
    if (target.end === before.end) return;
    const hash = this.#hashAt(target);
    const begunMs = performance.now();
    this.#syncBegunMs = begunMs;
    this.#isSyncing = true;
    try {
      await this.#files.dataSync(this.#openFd());
    } catch (cause) {
      this.#isSyncing = false;
      this.#rescue("sync", cause, before);
      return;
    }
    this.#isSyncing = false;
    this.#markSynced(target, hash);
    this.#noteSync(performance.now() - begunMs);
  }

  #syncNow(): void {
    if (this.#broken !== undefined || this.#failure !== undefined) return;
    const target = this.#written;
    const begunMs = performance.now();
    try {
      this.#files.dataSyncNow(this.#openFd());
    } catch (cause) {
      this.#rescue("sync", cause, this.#synced);
      return;
    }
    this.#markSynced(target, this.#hashAt(target));
    this.#noteSync(performance.now() - begunMs);
  }

  #noteSync(tookMs: number): void {
    this.#stats.syncs++;
    this.#stats.lastSyncMs = tookMs;
    this.#stats.syncMsMax = Math.max(this.#stats.syncMsMax, tookMs);
    if (tookMs > SYNC_MS_MAX) this.#start.onTrouble({ type: "slow_sync", tookMs });
  }

  #markSynced(mark: Mark, hash: Uint8Array): void {
    if (mark.end <= this.#synced.end) return;
    this.#synced = mark;
    this.#syncedHash = hash;
    this.#buffer.release(mark.end);
  }

  /** Returns the hash of the last frame before `mark`; its bytes must still be held, or be the last synced. */
  #hashAt(mark: Mark): Uint8Array {
    if (mark.end === this.#synced.end) return this.#syncedHash;
    return hashFrame(this.#buffer.slice(mark.lastStart, mark.end), 0, mark.end - mark.lastStart);
  }

  #isFull(moreBytes: number, atMs: number): boolean {
    // Not while a sync is under way: the new segment may only be used once the one before it is on the disk.
    if (this.#isRecovery || this.#isSyncing || this.#size === HEAD_BYTES) return false;
    return this.#size + moreBytes > this.#start.segmentBytesMax || atMs - this.#begunAtMs >= SEGMENT_SPAN_MS_MAX;
  }

  #rotate(): void {
    this.#files.dataSyncNow(this.#openFd());
    this.#markSynced(this.#written, this.#hashAt(this.#written));
    this.#closeFd();
    this.#begin(segmentName(this.#number + 1), 0);
    this.#number++;
  }

  /** Creates a segment behind the last synced record and makes it the open one. */
  #begin(name: string, flags: number): void {
    const { dataDir, clock, instance } = this.#start;
    const path = join(journalDir(dataDir), name);
    const fd = this.#files.open(path, "create");
    try {
      const head = new Uint8Array(HEAD_BYTES);
      head.set(encodeHeader({ flags, firstSeq: this.#synced.seq + 1, instance }));
      head.set(encodeLink(this.#synced.seq, clock.nowMs(), this.#syncedHash), SEGMENT_HEADER_BYTES);
      writeAll(this.#files, fd, head, 0, HEAD_BYTES, 0);
      this.#files.sync(fd);
      this.#files.syncDirectory(journalDir(dataDir));
    } catch (thrown) {
      this.#files.close(fd);
      this.#files.unlink(path);
      throw thrown;
    }
    this.#fd = fd;
    this.#size = HEAD_BYTES;
    this.#begunAtMs = clock.nowMs();
  }

  /** Writes all records since `owed` into a new segment, or fails for good. */
  #rescue(during: JournalStep, cause: unknown, owed: Mark): void {
    const { log, dataDir, onTrouble } = this.#start;
    const code = errorCode(cause);
    log.error({ during, code, fromSeq: owed.seq + 1, ...errorFields(cause) }, "the journal could not reach the disk");
    this.#closeFd();
    // Bytes that another sync has confirmed meanwhile are gone from memory, and that confirmation is worth nothing now.
    const isHeld = owed.end === this.#synced.end;
    if (this.#isRecovery || !isHeld || this.#stats.rescues >= RESCUES_MAX) {
      this.#fail(during, cause, owed);
      return;
    }
    try {
      if (code === "ENOSPC") releaseReserve(dataDir, this.#files);
      this.#begin(segmentName(this.#number + 1), SEGMENT_REWRITES);
      this.#number++;
      const { end, lastSeq, lastStart } = this.#buffer;
      const length = end - owed.end;
      writeAll(this.#files, this.#openFd(), this.#buffer.slice(owed.end, end), 0, length, HEAD_BYTES);
      this.#files.dataSyncNow(this.#openFd());
      const mark = { end, seq: lastSeq, lastStart };
      this.#size = HEAD_BYTES + length;
      this.#stats.bytes += length;
      this.#stats.rescues++;
      this.#written = mark;
      this.#markSynced(mark, this.#hashAt(mark));
      this.#broken = undefined;
    } catch (second) {
      this.#fail(during, second, owed);
      return;
    }
    onTrouble({ type: "rescued", during, code, fromSeq: owed.seq + 1, toSeq: this.#synced.seq });
  }

  #fail(during: JournalStep, cause: unknown, owed: Mark): void {
    const failure = new JournalFailure(during, errorCode(cause), owed.seq + 1, cause);
    this.#failure = failure;
    this.#stats.failed = true;
    this.#buffer.release(this.#buffer.end);
    this.#closeFd();
    this.#start.log.error({ during, ...errorFields(failure) }, "the journal has failed");
    this.#start.onTrouble({ type: "failed", failure });
  }

  #openFd(): number {
    if (this.#fd === undefined) throw Object.assign(new Error("no segment is open"), { code: "EBADF" });
    return this.#fd;
  }

  #closeFd(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      this.#files.close(fd);
    } catch (thrown) {
      // All that mattered was synced before, or is already given up.
      this.#start.log.warn(errorFields(thrown), "a journal segment did not close cleanly");
    }
  }
}

function newRound(): Round {
  let resolve = (): void => {};
  let reject: (failure: JournalFailure) => void = () => {};
  const promise = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  return { promise, resolve, reject };
}
