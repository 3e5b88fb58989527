// Walks a whole journal in order and judges it: the one place where the rules of recovery stand. Reads only; what is done
// about a torn tail is in recover.ts.
//
// A bad place with nothing intact behind it, in the last file, is the torn end of an interrupted write. Everything else
// (an intact record behind it, a bad closed file, a gap, a missing file, a broken chain) is damage and ends the walk.
import { createHash } from "node:crypto";
import type { JournalFiles } from "./files.ts";
import {
  CODE_JSON,
  CODE_QUOTE,
  FRAME_HEADER_BYTES,
  FRAME_VERSION,
  getInt64,
  isOptional,
  kindOf,
  SEGMENT_REBUILT,
  SEGMENT_REWRITES,
} from "./format.ts";
import { type CorruptionKind, corrupt, JournalDamaged } from "./problem.ts";
import { type FrameReader, listSegments, openFrames, readHead, type Segment, type SegmentHead } from "./segments.ts";

/** Is the record the walk stands at; one object that changes with each step. `bytes[start, end)` is its frame. */
export type Frame = {
  seq: number;
  atMs: number;
  code: number;
  flags: number;
  bytes: Uint8Array;
  view: DataView;
  start: number;
  end: number;
};

/** Is the torn end of an interrupted write; `isWholeFile` when not even the file's head is whole. */
export type TornTail = { segment: Segment; offset: number; bytes: number; isWholeFile: boolean };

/** Is what the walk knows at its end. Sequence numbers are 0 and times null in an empty journal. */
export type ScanEnd = {
  segments: number;
  instance: number | null;
  firstSeq: number;
  lastSeq: number;
  /** Is how many records there are, those left unread too; numbers that a rebuild skipped are not counted. */
  records: number;
  firstAtMs: number | null;
  lastAtMs: number | null;
  /** Is the SHA-256 of the last frame: what the next segment's link holds. */
  lastHash: Uint8Array;
  /** Is the last file, where its intact records end, and when it was begun. */
  last: { segment: Segment; endOffset: number; begunAtMs: number } | null;
  tornTails: readonly TornTail[];
};

/** Says what to leave out: records before `fromSeq`, and the check of compressed segments. */
export type ScanOptions = { fromSeq?: number; skipCompressed?: boolean };

/** Is the hash in the link of the very first segment. */
export const NO_HASH = new Uint8Array(32);

type Opened = { segment: Segment; header: SegmentHead["header"]; link: Exclude<SegmentHead["link"], "bad"> };

/** Yields each record in order; throws a JournalDamaged at the first damage. */
export function* scanJournal(
  files: JournalFiles,
  dataDir: string,
  options: ScanOptions = {},
): Generator<Frame, ScanEnd, void> {
  const fromSeq = options.fromSeq ?? 0;
  const { opened, tornTails, endsAtSeq } = openHeads(files, dataDir);
  const frame: Frame = emptyFrame();
  let hash: Uint8Array | undefined = opened[0]?.segment.number === 1 ? NO_HASH : undefined;
  let last: ScanEnd["last"] = null;
  let skippedSeqs = 0;
  let lastSeq = opened[0]?.link.seq ?? 0;
  let lastAtMs: number | null = null;
  let firstAtMs: number | null = null;

  for (const [index, { segment, header, link }] of opened.entries()) {
    const next = opened[index + 1];
    checkJoint(segment, header, link, lastSeq, hash);
    if (index > 0) skippedSeqs += header.firstSeq - link.seq - 1;
    const begunAtMs = link.atMs;
    const mayGoUnread = next !== undefined && (next.header.flags & SEGMENT_REWRITES) === 0;
    if (mayGoUnread && (next.link.seq < fromSeq || (options.skipCompressed === true && segment.isCompressed))) {
      lastSeq = next.link.seq;
      hash = undefined;
      firstAtMs ??= begunAtMs;
      lastAtMs = next.link.atMs;
      continue;
    }
    const closedAt = next?.link.seq ?? endsAtSeq;
    const stopsEarly = next !== undefined && (next.header.flags & SEGMENT_REWRITES) !== 0;
    const reader = openFrames(files, segment);
    try {
      let expected = header.firstSeq;
      let lastFrame: { bytes: Uint8Array; start: number; end: number } | undefined;
      let endOffset = reader.offset;
      for (;;) {
        if (stopsEarly && expected > next.link.seq) break;
        const step = reader.next();
        if (step === "end") break;
        if (step !== "frame") {
          if (closedAt !== undefined || reader.findBehind(expected, seqMaxBehind(reader, expected)) !== undefined) {
            throw damaged("bad_record", segment, reader.offset, expected);
          }
          const bytes = reader.size() - reader.offset;
          tornTails.push({ segment, offset: reader.offset, bytes, isWholeFile: false });
          break;
        }
        readFrame(frame, reader);
        judgeFrame(frame, reader, segment, expected);
        lastFrame = { bytes: frame.bytes, start: frame.start, end: frame.end };
        endOffset = reader.offset + (reader.end - reader.start);
        expected++;
        firstAtMs ??= frame.atMs;
        lastAtMs = frame.atMs;
        if (frame.seq >= fromSeq) yield frame;
      }
      lastSeq = expected - 1;
      if (closedAt !== undefined && lastSeq !== closedAt)
        throw damaged("sequence_gap", segment, reader.offset, expected);
      hash = lastFrame === undefined ? link.hash : hashFrame(lastFrame.bytes, lastFrame.start, lastFrame.end);
      last = { segment, endOffset, begunAtMs };
    } finally {
      reader.close();
    }
  }
  return {
    segments: opened.length,
    instance: opened[0]?.header.instance ?? null,
    firstSeq: opened[0]?.header.firstSeq ?? 0,
    lastSeq,
    records: opened[0] === undefined ? 0 : lastSeq - opened[0].header.firstSeq + 1 - skippedSeqs,
    firstAtMs,
    lastAtMs,
    lastHash: hash ?? NO_HASH,
    last,
    tornTails,
  };
}

/** Returns the SHA-256 of `bytes[start, end)`. */
export const hashFrame = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  createHash("sha256").update(bytes.subarray(start, end)).digest();

function openHeads(
  files: JournalFiles,
  dataDir: string,
): { opened: Opened[]; tornTails: TornTail[]; endsAtSeq: number | undefined } {
  const { segments, firstNumber } = listSegments(files, dataDir);
  const opened: Opened[] = [];
  const tornTails: TornTail[] = [];
  let endsAtSeq: number | undefined;
  for (const [index, segment] of segments.entries()) {
    const seq = opened.at(-1)?.header.firstSeq ?? 1;
    if (segment.number !== firstNumber + index) throw damaged("missing_segment", segment, 0, seq);
    const head = readHead(files, segment);
    if (head === "newer") throw new JournalDamaged({ type: "newer_version", file: segment.name, offset: 4 });
    if (head === "bad" || head.link === "bad") {
      const bytes = index === segments.length - 1 ? tornFile(files, segment) : undefined;
      if (bytes === undefined) throw damaged("bad_segment_header", segment, 0, seq);
      tornTails.push({ segment, offset: 0, bytes, isWholeFile: true });
      // A whole header vouches that the file before it was synced to its end; without one it may be torn as well.
      if (head !== "bad" && (head.header.flags & SEGMENT_REWRITES) === 0) endsAtSeq = head.header.firstSeq - 1;
      break;
    }
    if (opened[0] !== undefined && opened[0].header.instance !== head.header.instance) {
      throw damaged("other_instance", segment, 16, seq);
    }
    opened.push({ segment, header: head.header, link: head.link });
  }
  return { opened, tornTails, endsAtSeq: opened.length === 0 ? undefined : endsAtSeq };
}

/** Returns the length of a file that holds no intact record; undefined if it holds one. */
function tornFile(files: JournalFiles, segment: Segment): number | undefined {
  if (segment.isCompressed) return undefined;
  const reader = openFrames(files, segment, 0);
  try {
    return reader.findBehind(1, Number.MAX_SAFE_INTEGER) === undefined ? reader.size() : undefined;
  } finally {
    reader.close();
  }
}

function checkJoint(
  segment: Segment,
  header: Opened["header"],
  link: Opened["link"],
  lastSeq: number,
  hash: Uint8Array | undefined,
): void {
  const { firstSeq, flags } = header;
  const mayJump = (flags & SEGMENT_REBUILT) !== 0;
  if (link.seq !== lastSeq || (mayJump ? firstSeq <= link.seq : firstSeq !== link.seq + 1)) {
    throw damaged("sequence_gap", segment, 8, lastSeq + 1);
  }
  if (hash !== undefined && Buffer.compare(hash, link.hash) !== 0) {
    throw damaged("broken_chain", segment, 32, firstSeq);
  }
}

/** Bounds a search for records behind a bad place: as many as could fit there. */
const seqMaxBehind = (reader: FrameReader, expected: number): number =>
  expected + Math.ceil((reader.size() - reader.offset) / FRAME_HEADER_BYTES);

function readFrame(frame: Frame, reader: FrameReader): void {
  frame.bytes = reader.bytes;
  frame.view = reader.view;
  frame.start = reader.start;
  frame.end = reader.end;
  frame.code = reader.view.getUint8(reader.start + 9);
  frame.flags = reader.view.getUint16(reader.start + 10, true);
  frame.seq = getInt64(reader.view, reader.start + 12);
  frame.atMs = getInt64(reader.view, reader.start + 20);
}

function judgeFrame(frame: Frame, reader: FrameReader, segment: Segment, expected: number): void {
  if (reader.view.getUint8(reader.start + 8) > FRAME_VERSION) throw newer(segment, reader.offset);
  if (frame.seq !== expected) throw damaged("sequence_gap", segment, reader.offset, expected);
  const isKnown = frame.code >= CODE_JSON && frame.code <= CODE_QUOTE && kindOf(frame.flags) !== undefined;
  if (!isKnown && !isOptional(frame.flags)) throw newer(segment, reader.offset);
}

const damaged = (what: CorruptionKind, segment: Segment, offset: number, seq: number): JournalDamaged =>
  new JournalDamaged(corrupt(what, segment.name, offset, seq));

const newer = (segment: Segment, offset: number): JournalDamaged =>
  new JournalDamaged({ type: "newer_version", file: segment.name, offset });

const emptyFrame = (): Frame => ({
  seq: 0,
  atMs: 0,
  code: 0,
  flags: 0,
  bytes: NO_HASH,
  view: new DataView(new ArrayBuffer(0)),
  start: 0,
  end: 0,
});
