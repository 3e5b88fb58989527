// Mends a damaged journal at a person's word (`journal rebuild`): the intact beginning stays, damaged files are moved aside
// and never deleted, and a new segment begins behind the highest number that was ever given. What is missing between
// must be taken from the broker; the note `rebuilt` at the joint says so to everyone who replays the journal.
import { join } from "node:path";
import { err, ok, type Result } from "../result.ts";
import { FrameBuffer } from "./buffer.ts";
import { createSynced, errorCode, type JournalFiles, nodeFiles, replaceSynced } from "./files.ts";
import { encodeHeader, encodeLink, SEGMENT_REBUILT, SEGMENT_REWRITES } from "./format.ts";
import { type DirectoryLock, withLock } from "./lock.ts";
import { JournalDamaged, type JournalProblem } from "./problem.ts";
import { freeName, newInstance, surveyDamaged } from "./recover.ts";
import { hashFrame, NO_HASH, scanJournal } from "./scan.ts";
import { firstSegmentPath, journalDir, listSegments, readHead, segmentName } from "./segments.ts";
import { newestSnapshotSeq } from "./snapshots.ts";

/** Says what a rebuild did; names are within the data directory, `damage` is null when there was nothing to mend. */
export type Rebuilt = {
  damage: JournalProblem | null;
  lastKeptSeq: number;
  nextSeq: number;
  movedTo: string | null;
  movedFiles: string[];
};

/** Mends the journal in `dataDir`; refuses while a bot runs there, and when the disk itself won't be written. */
export async function rebuildJournal(
  dataDir: string,
  options: { nowMs: number; files?: JournalFiles; lock?: DirectoryLock },
): Promise<Result<Rebuilt, JournalProblem>> {
  return withLock(dataDir, options.lock, () => {
    try {
      return ok(rebuild(options.files ?? nodeFiles, dataDir, options.nowMs));
    } catch (thrown) {
      if (thrown instanceof JournalDamaged) return err(thrown.problem);
      return err({ type: "unwritable", file: "journal", code: errorCode(thrown) });
    }
  });
}

type Walked = { seq: number; hash: Uint8Array; problem: JournalProblem | null };

function walk(files: JournalFiles, dataDir: string): Walked {
  let last: { seq: number; bytes: Uint8Array } | undefined;
  let problem: JournalProblem | null = null;
  try {
    for (const frame of scanJournal(files, dataDir)) {
      last = { seq: frame.seq, bytes: frame.bytes.subarray(frame.start, frame.end) };
    }
  } catch (thrown) {
    if (!(thrown instanceof JournalDamaged)) throw thrown;
    problem = thrown.problem;
  }
  if (last === undefined) return { seq: 0, hash: NO_HASH, problem };
  return { seq: last.seq, hash: hashFrame(last.bytes, 0, last.bytes.length), problem };
}

function rebuild(files: JournalFiles, dataDir: string, nowMs: number): Rebuilt {
  const before = walk(files, dataDir);
  // Nothing is damaged there; the program that wrote it reads it.
  if (before.problem?.type === "newer_version") throw new JournalDamaged(before.problem);
  const isRolledBack = newestSnapshotSeq(dataDir, files) > before.seq;
  if (before.problem === null && !isRolledBack) {
    return { damage: null, lastKeptSeq: before.seq, nextSeq: before.seq + 1, movedTo: null, movedFiles: [] };
  }
  const { seqMax, instance = newInstance() } = surveyDamaged(files, dataDir);
  const asideName = freeName(files, journalDir(dataDir), `damaged-${nowMs}`, "");
  const aside = join(journalDir(dataDir), asideName);
  const movedFiles = before.problem === null ? [] : moveDamaged(files, dataDir, aside, before);
  const { seq, hash } = walk(files, dataDir);
  const number = highestNumber(files, dataDir) + 1;
  const nextSeq = Math.max(seqMax, before.seq, seq) + 1;
  const flags = SEGMENT_REWRITES | SEGMENT_REBUILT;
  const head = [encodeHeader({ flags, firstSeq: nextSeq, instance }), encodeLink(seq, nowMs, hash)];
  const note = new FrameBuffer(nextSeq - 1);
  const damage = before.problem;
  note.appendJson("note", nowMs, JSON.stringify({ type: "rebuilt", lastKeptSeq: seq, damage, movedFiles }), false);
  const path = join(journalDir(dataDir), segmentName(number));
  createSynced(files, path, Buffer.concat([...head, note.take()]));
  const movedTo = movedFiles.length === 0 ? null : `journal/${asideName}`;
  return { damage, lastKeptSeq: seq, nextSeq: nextSeq + 1, movedTo, movedFiles };
}

/** Moves what can't be read on aside; a file that is damaged behind its last good record stays and is read up to there. */
function moveDamaged(files: JournalFiles, dataDir: string, aside: string, walked: Walked): string[] {
  const { problem } = walked;
  if (problem === null || !("file" in problem)) return [];
  const directory = journalDir(dataDir);
  const names = files.list(directory).filter((name) => /^\d{8}\.qsj(\.gz)?$/.test(name));
  const move = (moving: string[]): string[] => {
    if (moving.length === 0) return [];
    files.makeDirectory(aside);
    for (const name of moving) files.rename(join(directory, name), join(aside, name));
    files.syncDirectory(aside);
    files.syncDirectory(directory);
    return moving.map((name) => `journal/${name}`);
  };
  const lowest = Number(names[0]?.slice(0, 8) ?? 1);
  if (problem.file === "journal/first") {
    const moved = move(["first"]);
    keepFrom(files, dataDir, lowest);
    const again = walk(files, dataDir);
    return [...moved, ...moveDamaged(files, dataDir, aside, again)];
  }
  const damaged = Number(/(\d{8})\.qsj/.exec(problem.file)?.[1] ?? 0);
  const isMissingStart = problem.type === "corrupt" && problem.what === "missing_segment" && damaged === lowest;
  if (isMissingStart) {
    keepFrom(files, dataDir, lowest);
    return moveDamaged(files, dataDir, aside, walk(files, dataDir));
  }
  const keepsDamaged =
    problem.type === "corrupt" &&
    ["bad_record", "sequence_gap"].includes(problem.what) &&
    holds(files, dataDir, damaged, walked.seq);
  return move(names.filter((name) => Number(name.slice(0, 8)) >= (keepsDamaged ? damaged + 1 : damaged)));
}

/** Returns whether the segment begins at or before the last good record. */
function holds(files: JournalFiles, dataDir: string, number: number, seq: number): boolean {
  const segment = listSegments(files, dataDir).segments.find((each) => each.number === number);
  const head = segment === undefined ? "bad" : readHead(files, segment);
  return typeof head !== "string" && head.header.firstSeq <= seq;
}

function highestNumber(files: JournalFiles, dataDir: string): number {
  const { segments, firstNumber } = listSegments(files, dataDir);
  return segments.at(-1)?.number ?? firstNumber - 1;
}

/** Notes on disk that `number` is the oldest segment there is meant to be. */
export function keepFrom(files: JournalFiles, dataDir: string, number: number): void {
  replaceSynced(files, firstSegmentPath(dataDir), Buffer.from(`${String(number).padStart(8, "0")}\n`));
}
