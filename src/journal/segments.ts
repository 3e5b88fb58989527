// The files of the journal: their names and order, how one is opened (plain or compressed), and a reader that walks its
// frames in bounded memory. What a damaged frame means is decided in scan.ts.
import { join } from "node:path";
import { constants, gunzipSync } from "node:zlib";
import { errorCode, type JournalFiles, readWhole } from "./files.ts";
import {
  CODE_LINK,
  decodeHeader,
  FRAME_BAD,
  FRAME_CUT,
  FRAME_HEADER_BYTES,
  getInt64,
  LINK_BYTES,
  measureFrame,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./format.ts";
import { JournalDamaged } from "./problem.ts";

/** Is one file of the journal; `name` is what a person is told. */
export type Segment = { number: number; name: string; path: string; isCompressed: boolean };

/** Is the largest segment a reader takes, in bytes: four times what a writer makes. */
export const SEGMENT_READ_BYTES_MAX = 256 * 1024 * 1024;

/** Returns the directory of the segments. */
export const journalDir = (dataDir: string): string => join(dataDir, "journal");

/** Returns the name of the segment with this number, counted from 1. */
export const segmentName = (number: number): string => `${String(number).padStart(8, "0")}.qsj`;

/** Returns the file that names the oldest segment kept; there is none until retention first removed one. */
export const firstSegmentPath = (dataDir: string): string => join(journalDir(dataDir), "first");

/** Returns the segments in order; those that retention gave up are left out. */
export function listSegments(files: JournalFiles, dataDir: string): { segments: Segment[]; firstNumber: number } {
  const firstNumber = guarded("journal/first", () => readFirstNumber(files, dataDir));
  return { segments: segmentsFrom(files, dataDir, firstNumber), firstNumber };
}

/** Returns the segments from a number on, in order; a plain one wins over its compressed copy. */
export function segmentsFrom(files: JournalFiles, dataDir: string, firstNumber: number): Segment[] {
  const directory = journalDir(dataDir);
  const byNumber = new Map<number, Segment>();
  for (const name of guarded("journal", () => files.list(directory))) {
    const match = /^(\d{8})\.qsj(\.gz)?$/.exec(name);
    if (match === null) continue;
    const number = Number(match[1]);
    const isCompressed = match[2] !== undefined;
    if (number < firstNumber || (isCompressed && byNumber.has(number))) continue;
    byNumber.set(number, { number, name: `journal/${name}`, path: join(directory, name), isCompressed });
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

function readFirstNumber(files: JournalFiles, dataDir: string): number {
  const path = firstSegmentPath(dataDir);
  if (files.look(path) === undefined) return 1;
  const match = /^(\d{8})\n$/.exec(Buffer.from(readWhole(files, path, 64)).toString("latin1"));
  if (match === null) throw Object.assign(new Error("journal/first holds no segment number"), { code: "EBADMSG" });
  return Number(match[1]);
}

/** Does `act`; an error of the file system becomes a JournalDamaged that names the file. */
export function guarded<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof JournalDamaged) throw thrown;
    throw new JournalDamaged({ type: "unreadable", file: name, code: errorCode(thrown) }, thrown);
  }
}

/** Is an open segment's bytes. */
type Source = { size: number; read(into: Uint8Array, position: number): number; close(): void };

function openSource(files: JournalFiles, segment: Segment): Source {
  return guarded(segment.name, () => {
    if (segment.isCompressed) return inflatedSource(readWhole(files, segment.path, SEGMENT_READ_BYTES_MAX));
    let fd: number;
    try {
      fd = files.open(segment.path, "read");
    } catch (thrown) {
      // Retention may have compressed it since the directory was listed.
      if (errorCode(thrown) !== "ENOENT") throw thrown;
      return inflatedSource(readWhole(files, `${segment.path}.gz`, SEGMENT_READ_BYTES_MAX));
    }
    return {
      size: files.sizeOf(fd),
      read: (into, position) => guarded(segment.name, () => files.read(fd, into, 0, into.length, position)),
      close: () => files.close(fd),
    };
  });
}

function inflatedSource(packed: Uint8Array): Source {
  const bytes = gunzipSync(packed, { maxOutputLength: SEGMENT_READ_BYTES_MAX });
  return {
    size: bytes.length,
    read: (into, position) => bytes.copy(into, 0, position, Math.min(bytes.length, position + into.length)),
    close: () => {},
  };
}

function readFully(source: Source, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - position)));
  let done = 0;
  while (done < bytes.length) {
    const count = source.read(bytes.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Is a segment's beginning: header and link to the frame before it. */
export type SegmentHead = {
  header: SegmentHeader;
  link: { seq: number; atMs: number; hash: Uint8Array } | "bad";
};

/** Returns the segment's beginning, or why it can't be read; the link may be torn while the header is whole. */
export function readHead(files: JournalFiles, segment: Segment): SegmentHead | "bad" | "newer" {
  const bytes = readHeadBytes(files, segment);
  const header = decodeHeader(bytes);
  if (typeof header === "string") return header;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = SEGMENT_HEADER_BYTES;
  const isLink = measureFrame(bytes, view, at, bytes.length) === LINK_BYTES && view.getUint8(at + 9) === CODE_LINK;
  if (!isLink) return { header, link: "bad" };
  const hash = bytes.slice(at + FRAME_HEADER_BYTES, at + LINK_BYTES);
  return { header, link: { seq: getInt64(view, at + 12), atMs: getInt64(view, at + 20), hash } };
}

/** Is more than a head takes when compressed: deflate adds a few bytes a block, gzip 18. */
const PACKED_HEAD_BYTES = 4096;

function readHeadBytes(files: JournalFiles, segment: Segment): Uint8Array {
  const length = SEGMENT_HEADER_BYTES + LINK_BYTES;
  if (!segment.isCompressed) {
    const source = openSource(files, segment);
    try {
      return readFully(source, 0, length);
    } finally {
      source.close();
    }
  }
  return guarded(segment.name, () => {
    const fd = files.open(segment.path, "read");
    try {
      const packed = new Uint8Array(PACKED_HEAD_BYTES);
      const count = files.read(fd, packed, 0, packed.length, 0);
      // Z_SYNC_FLUSH: gives what the beginning of the stream holds instead of complaining that the rest is missing.
      return gunzipSync(packed.subarray(0, count), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, length);
    } finally {
      files.close(fd);
    }
  });
}

/** Is how much of a segment is in memory at once, in bytes; a whole frame always fits. */
const CHUNK_BYTES = 2 * 1024 * 1024 + 64;

/** Walks the frames of one segment. `bytes[start, end)` is the current frame; `offset` is where it stands in the file. */
export type FrameReader = {
  bytes: Uint8Array;
  view: DataView;
  start: number;
  end: number;
  offset: number;
  /** Goes to the next frame: "end" when the file ends between two frames, "cut" or "bad" when it doesn't go on. */
  next(): "frame" | "end" | "cut" | "bad";
  /** Goes on from another place in the file. */
  seek(offset: number): void;
  /** Returns the length of the file in bytes when it was opened. */
  size(): number;
  /** Returns the sequence number and place of the first intact frame behind `offset` whose seq is in [seqMin, seqMax]. */
  findBehind(seqMin: number, seqMax: number): { seq: number; offset: number } | undefined;
  /** Returns the file's bytes from `position` on. */
  tail(position: number): Uint8Array;
  close(): void;
};

/** Opens a reader that stands before the first record, or before byte 0 for a look at a damaged head. */
export function openFrames(
  files: JournalFiles,
  segment: Segment,
  from = SEGMENT_HEADER_BYTES + LINK_BYTES,
): FrameReader {
  const source = openSource(files, segment);
  let chunkOffset = from;
  let nextOffset = from;

  const load = (): void => {
    reader.bytes = readFully(source, nextOffset, CHUNK_BYTES);
    reader.view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset, reader.bytes.length);
    chunkOffset = nextOffset;
  };

  const reader: FrameReader = {
    bytes: new Uint8Array(0),
    view: new DataView(new ArrayBuffer(0)),
    start: 0,
    end: 0,
    offset: from,
    next: () => {
      let start = nextOffset - chunkOffset;
      let length = measureFrame(reader.bytes, reader.view, start, reader.bytes.length);
      if (length === FRAME_CUT && chunkOffset + reader.bytes.length < source.size) {
        load();
        start = 0;
        length = measureFrame(reader.bytes, reader.view, 0, reader.bytes.length);
      }
      reader.offset = nextOffset;
      reader.start = start;
      reader.end = start + Math.max(0, length);
      if (length === FRAME_BAD) return "bad";
      if (length === FRAME_CUT) return nextOffset >= source.size ? "end" : "cut";
      nextOffset += length;
      return "frame";
    },
    seek: (offset) => {
      nextOffset = offset;
      load();
    },
    size: () => source.size,
    findBehind: (seqMin, seqMax) => {
      const bytes = reader.tail(reader.offset);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length; at++) {
        const seq = getInt64(view, at + 12);
        if (seq < seqMin || seq > seqMax || view.getUint8(at + 9) === CODE_LINK) continue;
        if (measureFrame(bytes, view, at, bytes.length) > 0) return { seq, offset: reader.offset + at };
      }
      return undefined;
    },
    tail: (position) => readFully(source, position, SEGMENT_READ_BYTES_MAX),
    close: () => source.close(),
  };
  return reader;
}
