// What becomes of old segments: closed ones are compressed, those past their time are deleted. Neither touches a record
// that a snapshot still needs, and a file is unlinked only after its replacement has been read back.
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type JournalFiles, nodeFiles, readWhole, replaceSynced } from "./files.ts";
import { keepFrom } from "./rebuild.ts";
import {
  journalDir,
  listSegments,
  readHead,
  SEGMENT_READ_BYTES_MAX,
  type Segment,
  type SegmentHead,
} from "./segments.ts";
import { oldestSnapshotSeq } from "./snapshots.ts";

/** Is how long records are kept: 400 days, a tax year and a month. */
export const JOURNAL_KEPT_MS = 400 * 24 * 60 * 60 * 1000;

/** Says which segments were compressed and deleted, by name within the data directory. */
export type Tidied = { compressed: string[]; deleted: string[] };

/**
 * Compresses closed segments and deletes those whose newest record is older than `keptMs` before `nowMs` (default 400
 * days). Leaves alone the last segment and every one from which a record is newer than the oldest snapshot. Throws what
 * the file system throws; whatever the moment, no record is lost. One call at a time, by the process that has the lock.
 */
export async function tidyJournal(
  dataDir: string,
  options: { nowMs: number; keptMs?: number; files?: JournalFiles },
): Promise<Tidied> {
  const files = options.files ?? nodeFiles;
  const deadlineMs = options.nowMs - (options.keptMs ?? JOURNAL_KEPT_MS);
  const neededFromSeq = oldestSnapshotSeq(dataDir, files);
  const done: Tidied = { compressed: [], deleted: [] };
  const { segments, firstNumber } = listSegments(files, dataDir);
  sweep(files, dataDir, firstNumber);
  let mayDelete = true;
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    const head = next === undefined ? "bad" : readHead(files, next);
    // A segment's last record is the one its successor is linked to.
    if (!isSound(head) || head.link.seq >= neededFromSeq) break;
    mayDelete &&= head.link.atMs < deadlineMs;
    if (mayDelete) {
      keepFrom(files, dataDir, segment.number + 1);
      sweep(files, dataDir, segment.number + 1);
      done.deleted.push(segment.name);
    } else if (!segment.isCompressed) {
      await compress(files, segment);
      done.compressed.push(segment.name);
    }
  }
  return done;
}

const isSound = (head: ReturnType<typeof readHead>): head is SegmentHead & { link: { seq: number; atMs: number } } =>
  typeof head !== "string" && head.link !== "bad";

/** Unlinks every file of a segment before the oldest kept one, those too that an interrupted tidying left. */
function sweep(files: JournalFiles, dataDir: string, firstNumber: number): void {
  const directory = journalDir(dataDir);
  for (const name of files.list(directory)) {
    const number = /^(\d{8})\.qsj(\.gz)?$/.exec(name)?.[1];
    if (number !== undefined && Number(number) < firstNumber) files.unlink(join(directory, name));
  }
  files.syncDirectory(directory);
}

async function compress(files: JournalFiles, segment: Segment): Promise<void> {
  const plain = readWhole(files, segment.path, SEGMENT_READ_BYTES_MAX);
  const target = `${segment.path}.gz`;
  replaceSynced(files, target, await promisify(gzip)(plain));
  const back = await promisify(gunzip)(readWhole(files, target, SEGMENT_READ_BYTES_MAX));
  if (Buffer.compare(back, plain) !== 0) {
    files.unlink(target);
    throw Object.assign(new Error(`${segment.name} did not come back from compression as it went in`), { code: "EIO" });
  }
  files.unlink(segment.path);
  files.syncDirectory(join(target, ".."));
}
