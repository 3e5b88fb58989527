// What is done at a start about what the last run left: the torn end of an interrupted write is moved aside and cut off,
// damage is reported and left untouched. Mending damage at a person's word is in rebuild.ts.
import { randomInt } from "node:crypto";
import { join } from "node:path";
import type { Log } from "../log.ts";
import { createSynced, type JournalFiles } from "./files.ts";
import { CODE_LINK, getInt64, INSTANCES, instanceName } from "./format.ts";
import { corrupt, JournalDamaged, type JournalProblem } from "./problem.ts";
import { NO_HASH, type ScanEnd, scanJournal, type TornTail } from "./scan.ts";
import { guarded, journalDir, listSegments, openFrames, readHead, type Segment, segmentsFrom } from "./segments.ts";
import { newestSnapshotSeq } from "./snapshots.ts";

/** Says what a start found. */
export type Recovery = {
  /** Is the four base-36 digits that this journal's order references carry. */
  instanceId: string;
  /** Is how many records the journal holds. */
  records: number;
  /** Is the torn end that was cut off: from which file, how many bytes, and the file in `journal/` that has them now. */
  tornTail: null | { file: string; bytes: number; movedTo: string };
  /** Is why the numbered files are left alone; only in a read-only start. */
  damage: JournalProblem | null;
};

/** Is a journal ready to be written on. */
export type Recovered = {
  instance: number;
  lastSeq: number;
  lastHash: Uint8Array;
  last: ScanEnd["last"];
  nextNumber: number;
  recovery: Recovery;
};

/** Returns a new instance number by chance. */
export const newInstance = (): number => randomInt(INSTANCES);

/** Verifies all plain segments and cuts off a torn end; throws a JournalDamaged when there is damage. */
export function recoverJournal(files: JournalFiles, dataDir: string, nowMs: number, log: Log): Recovered {
  const end = scanToEnd(files, dataDir, true);
  const snapshotSeq = guarded("snapshots", () => newestSnapshotSeq(dataDir, files));
  if (snapshotSeq > end.lastSeq) {
    throw new JournalDamaged(
      corrupt("rolled_back", end.last?.segment.name ?? "journal", end.last?.endOffset ?? 0, end.lastSeq + 1),
    );
  }
  const moved = end.tornTails.map((tail) =>
    guarded(tail.segment.name, () => cutTail(files, dataDir, tail, nowMs, log)),
  );
  const instance = end.instance ?? newInstance();
  const { firstNumber } = listSegments(files, dataDir);
  return {
    instance,
    lastSeq: end.lastSeq,
    lastHash: end.lastHash,
    last: end.last,
    nextNumber: end.last === null ? firstNumber : end.last.segment.number + 1,
    recovery: {
      instanceId: instanceName(instance),
      records: end.records,
      tornTail: moved.at(-1) ?? null,
      damage: null,
    },
  };
}

/** Looks without touching anything: for a start that may only report. Goes on behind the highest record seen anywhere. */
export function recoverReadOnly(files: JournalFiles, dataDir: string): Recovered {
  let damage: JournalProblem | null = null;
  let records = 0;
  try {
    records = scanToEnd(files, dataDir, true).records;
  } catch (thrown) {
    if (!(thrown instanceof JournalDamaged)) throw thrown;
    damage = thrown.problem;
  }
  const seen = surveyDamaged(files, dataDir);
  const instance = seen.instance ?? newInstance();
  return {
    instance,
    lastSeq: seen.seqMax,
    lastHash: NO_HASH,
    last: null,
    nextNumber: 0,
    recovery: { instanceId: instanceName(instance), records, tornTail: null, damage },
  };
}

function scanToEnd(files: JournalFiles, dataDir: string, skipCompressed: boolean): ScanEnd {
  const walk = scanJournal(files, dataDir, { skipCompressed });
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
  }
}

function cutTail(
  files: JournalFiles,
  dataDir: string,
  tail: TornTail,
  nowMs: number,
  log: Log,
): { file: string; bytes: number; movedTo: string } {
  const movedTo = freeName(files, journalDir(dataDir), `torn-${nowMs}`, ".bin");
  const target = join(journalDir(dataDir), movedTo);
  if (tail.isWholeFile) {
    files.rename(tail.segment.path, target);
    files.syncDirectory(journalDir(dataDir));
  } else {
    const reader = openFrames(files, tail.segment);
    try {
      createSynced(files, target, reader.tail(tail.offset));
    } finally {
      reader.close();
    }
    const fd = files.open(tail.segment.path, "write");
    try {
      files.truncate(fd, tail.offset);
      files.sync(fd);
    } finally {
      files.close(fd);
    }
  }
  const report = { file: tail.segment.name, bytes: tail.bytes, movedTo: `journal/${movedTo}` };
  log.info(report, "an interrupted write was cut off the end of the journal");
  return report;
}

/** Is how many files of one kind and moment there may be. */
const SAME_NAMES_MAX = 1000;

/** Returns a name that is not taken yet. */
export function freeName(files: JournalFiles, directory: string, stem: string, ending: string): string {
  for (let count = 1; count < SAME_NAMES_MAX; count++) {
    const name = count === 1 ? `${stem}${ending}` : `${stem}-${count}${ending}`;
    if (files.look(join(directory, name)) === undefined) return name;
  }
  throw Object.assign(new Error(`${SAME_NAMES_MAX} files are called ${stem}…${ending}`), { code: "EEXIST" });
}

/** Is what a damaged journal still shows: whose it is and the highest number given to a record. */
export type Survey = { instance: number | undefined; seqMax: number };

/** Looks at every file, damaged or not, for whose journal it is and the highest number given to a record. */
export function surveyDamaged(files: JournalFiles, dataDir: string): Survey {
  let instance: number | undefined;
  let seqMax = newestSnapshotSeq(dataDir, files);
  for (const segment of segmentsFrom(files, dataDir, 1)) {
    try {
      const head = readHead(files, segment);
      if (typeof head !== "string") {
        instance ??= head.header.instance;
        seqMax = Math.max(seqMax, head.header.firstSeq - 1);
      }
      if (!segment.isCompressed) seqMax = Math.max(seqMax, highestSeq(files, segment));
    } catch (thrown) {
      if (!(thrown instanceof JournalDamaged)) throw thrown;
      // An unreadable file shows nothing; the ones beside it still do.
    }
  }
  return { instance, seqMax };
}

function highestSeq(files: JournalFiles, segment: Segment): number {
  const reader = openFrames(files, segment);
  let seqMax = 0;
  try {
    for (let step = reader.next(); step !== "end"; step = reader.next()) {
      if (step === "frame") {
        if (reader.view.getUint8(reader.start + 9) !== CODE_LINK) {
          seqMax = Math.max(seqMax, getInt64(reader.view, reader.start + 12));
        }
        continue;
      }
      const behind = reader.findBehind(seqMax + 1, Number.MAX_SAFE_INTEGER);
      if (behind === undefined) break;
      reader.seek(behind.offset);
    }
  } finally {
    reader.close();
  }
  return seqMax;
}
