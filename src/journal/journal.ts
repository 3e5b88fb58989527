// The journal: one append-only log of everything that was fed to the engine, came out of it, or happened beside it. Opens
// it (lock, check, cut off a torn end), appends, hands frames to the engine, and says when they are on the disk. Knows
// bytes, sequence numbers and times, not trading.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { err, ok, type Result } from "../result.ts";
import { FrameBuffer } from "./buffer.ts";
import { prepareDirectory } from "./disk.ts";
import { errorCode, type JournalFiles, nodeFiles } from "./files.ts";
import type { RecordKind } from "./format.ts";
import { acquireLock, type DirectoryLock } from "./lock.ts";
import { JournalDamaged, JournalFailure, type JournalProblem } from "./problem.ts";
import { freeName, type Recovered, type Recovery, recoverJournal, recoverReadOnly } from "./recover.ts";
import { journalDir } from "./segments.ts";
import { type JournalStats, type JournalTrouble, JournalWriter, NO_STATS, SEGMENT_BYTES_MAX } from "./writer.ts";

export type { RecordKind } from "./format.ts";
export { JournalDamaged, JournalFailure, type JournalProblem, printJournalProblem } from "./problem.ts";
export {
  dumpLine,
  parseRecord,
  readJournal,
  verifyJournal,
} from "./read.ts";
export type { Recovery } from "./recover.ts";
export type { JournalStats, JournalTrouble } from "./writer.ts";

/**
 * Is an open journal, written by one process. Records are numbered from 1 without a gap. Appending throws a RangeError for
 * a number or a record that does not fit and an Error after close; it never throws for the disk's sake.
 */
export type Journal = {
  readonly dir: string;
  /** Returns the number of the last record appended, 0 before the first. */
  lastSeq(): number;
  /** Appends a JSON object (its field `type` names the record; at most 1 MiB) and returns its number. */
  appendJson(kind: RecordKind, atMs: number, json: string, options?: { optional: boolean }): number;
  /** Appends a packed trade as input; prices in ticks, times in ms. */
  appendTrade(atMs: number, exchangeAtMs: number, priceTicks: number, size: number): number;
  /** Appends a packed quote as input; null is an absent price. */
  appendQuote(
    atMs: number,
    exchangeAtMs: number,
    bidTicks: number | null,
    askTicks: number | null,
    bidSize: number,
    askSize: number,
  ): number;
  /** Returns the frames appended since the last call, of every kind; valid until the next append. */
  take(): Uint8Array;
  /** Hands what was appended to the kernel, without a sync. */
  flush(): void;
  /**
   * Resolves once everything appended so far is written and synced; concurrent calls share a sync. Rejects with a
   * JournalFailure, now and ever after, when that can't be had: entries must stop, exits go on from memory.
   */
  commit(): Promise<void>;
  /** Returns the counters since the journal was opened. */
  stats(): JournalStats;
  /** Commits, closes and gives the directory free; rejects with a JournalFailure if the last records were not written. */
  close(): Promise<void>;
};

/** Says where the journal is and what it may use. */
export type JournalOptions = {
  dataDir: string;
  clock: Clock;
  log: Log;
  /** Is the file system; a test puts a failing one here. */
  files?: JournalFiles;
  /** Is when the next segment is begun, in bytes; default 64 MiB. */
  segmentBytesMax?: number;
  /** Leaves the numbered files alone, damaged or not, and records to `recovery-<time>.qsj` instead. */
  readOnly?: boolean;
  /** Is a lock that the caller already holds, and will release; by default the journal takes its own. */
  lock?: DirectoryLock;
  /** Hears of a slow sync, a rescue and a failure at once, before the commit that met it is answered. */
  onTrouble?: (trouble: JournalTrouble) => void;
};

/**
 * Opens the journal in `dataDir`, creating both if there are none. All plain segments are verified; compressed ones by
 * their heads. On damage nothing is changed: show `printJournalProblem`, then open again with `readOnly` to report and
 * flatten.
 */
export async function openJournal(
  options: JournalOptions,
): Promise<Result<{ journal: Journal; recovery: Recovery }, JournalProblem>> {
  const files = options.files ?? nodeFiles;
  const unsafe = prepareDirectory(options.dataDir, ["journal"], files);
  if (unsafe !== undefined && !(unsafe.type === "unwritable" && options.readOnly === true)) return err(unsafe);
  const lock = options.lock === undefined ? await acquireLock(options.dataDir) : ok(options.lock);
  if (!lock.ok) return lock;
  const release = options.lock === undefined ? lock.value.release : async (): Promise<void> => {};
  const opened = openLocked(options, files, release);
  if (!opened.ok) await release();
  return opened;
}

function openLocked(
  options: JournalOptions,
  files: JournalFiles,
  release: () => Promise<void>,
): Result<{ journal: Journal; recovery: Recovery }, JournalProblem> {
  const { dataDir, clock, log } = options;
  const isReadOnly = options.readOnly === true;
  let recovered: Recovered;
  try {
    recovered = isReadOnly ? recoverReadOnly(files, dataDir) : recoverJournal(files, dataDir, clock.nowMs(), log);
  } catch (thrown) {
    if (!(thrown instanceof JournalDamaged)) throw thrown;
    return err(thrown.problem);
  }
  const buffer = new FrameBuffer(recovered.lastSeq);
  let writer: JournalWriter | JournalFailure;
  try {
    writer = new JournalWriter({
      files,
      dataDir,
      clock,
      log,
      buffer,
      instance: recovered.instance,
      lastHash: recovered.lastHash,
      active: isReadOnly ? recoveryFile(files, dataDir, clock.nowMs()) : activeSegment(recovered),
      segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
      onTrouble: options.onTrouble ?? (() => {}),
    });
  } catch (thrown) {
    const code = errorCode(thrown);
    if (code === "unknown") throw thrown;
    if (!isReadOnly) return err({ type: "unwritable", file: "journal", code });
    // Reporting and flattening must work on a disk that takes nothing at all.
    writer = new JournalFailure("open", code, recovered.lastSeq + 1, thrown);
    log.error({ code }, "the recovery file can't be written: what happens from here on is only in memory");
  }
  return ok({ journal: createJournal(dataDir, buffer, writer, release), recovery: recovered.recovery });
}

function activeSegment({ last, nextNumber }: Recovered): ConstructorParameters<typeof JournalWriter>[0]["active"] {
  // A compressed last segment can only be a copy put back by hand: never written on.
  if (last === null || last.segment.isCompressed) return { type: "begin", number: nextNumber };
  const { segment, endOffset, begunAtMs } = last;
  return { type: "continue", number: segment.number, path: segment.path, endOffset, begunAtMs };
}

const recoveryFile = (files: JournalFiles, dataDir: string, nowMs: number): { type: "recovery"; name: string } => ({
  type: "recovery",
  name: freeName(files, journalDir(dataDir), `recovery-${nowMs}`, ".qsj"),
});

function createJournal(
  dataDir: string,
  buffer: FrameBuffer,
  writer: JournalWriter | JournalFailure,
  release: () => Promise<void>,
): Journal {
  let isClosed = false;
  const appended = (seq: number): number => {
    if (writer instanceof JournalWriter) writer.afterAppend();
    else buffer.release(buffer.end);
    return seq;
  };
  const assertOpen = (): void => {
    if (isClosed) throw new Error("the journal is closed");
  };
  return {
    dir: dataDir,
    lastSeq: () => buffer.lastSeq,
    appendJson: (kind, atMs, json, options) => {
      assertOpen();
      return appended(buffer.appendJson(kind, atMs, json, options?.optional === true));
    },
    appendTrade: (atMs, exchangeAtMs, priceTicks, size) => {
      assertOpen();
      return appended(buffer.appendTrade(atMs, exchangeAtMs, priceTicks, size));
    },
    appendQuote: (atMs, exchangeAtMs, bidTicks, askTicks, bidSize, askSize) => {
      assertOpen();
      return appended(buffer.appendQuote(atMs, exchangeAtMs, bidTicks, askTicks, bidSize, askSize));
    },
    take: () => buffer.take(),
    flush: () => {
      if (writer instanceof JournalWriter) writer.write();
    },
    commit: () => (writer instanceof JournalWriter ? writer.commit() : Promise.reject(writer)),
    stats: () => (writer instanceof JournalWriter ? writer.stats() : { ...NO_STATS, failed: true }),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      try {
        if (writer instanceof JournalWriter) await writer.close();
      } finally {
        await release();
      }
    },
  };
}
