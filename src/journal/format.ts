// The bytes of the journal: how a segment's header and a record's frame are laid out, little endian throughout.
// Knows no files. Layout: segment = header (32 bytes) · link frame · record frames; frame = len u32 | crc32c u32 (of all
// that follows) | ver u8 | code u8 | flags u16 | seq u64 | at_ms i64 | payload, where len counts ver…payload.
import { crc32c } from "./crc32c.ts";

/** Is the version that this program writes; it reads this and every older one. */
export const FRAME_VERSION = 1;
/** Is the segment format that this program writes. */
const SEGMENT_FORMAT = 1;
/** Is the length of a segment's header in bytes. */
export const SEGMENT_HEADER_BYTES = 32;
/** Is the length of what stands before a frame's payload, in bytes. */
export const FRAME_HEADER_BYTES = 28;
/** Is the length of len and crc32c, which `len` itself does not count. */
const FRAME_PREFIX_BYTES = 8;
/** Is the largest value of `len`: 1 MiB. */
const FRAME_LENGTH_MAX = 1024 * 1024;
/** Is the largest payload in bytes. */
export const PAYLOAD_BYTES_MAX = FRAME_LENGTH_MAX - (FRAME_HEADER_BYTES - FRAME_PREFIX_BYTES);

/** Payload is one JSON object in UTF-8; its field `type` names the record. */
export const CODE_JSON = 1;
/** Payload is a packed trade, 16 bytes: exchangeAtMs i64, priceTicks i32, size i32. */
export const CODE_TRADE = 2;
/** Payload is a packed quote, 24 bytes: exchangeAtMs i64, bidTicks i32, askTicks i32, bidSize i32, askSize i32. */
export const CODE_QUOTE = 3;
/** Payload is the SHA-256 of the frame before this segment (zeros in the first); seq is that frame's. Not a record. */
export const CODE_LINK = 4;
/** Stands for an absent price in a packed quote. */
export const NO_PRICE = -(2 ** 31);

/** Says what a record is to the engine: fed to it, returned by it, or neither. */
export type RecordKind = "input" | "output" | "note";

const KINDS: readonly (RecordKind | undefined)[] = ["input", "output", "note", undefined];
const FLAG_OPTIONAL = 1;

/** Segment flag: written after a failed sync; what the segment before holds from this first seq on is superseded. */
export const SEGMENT_REWRITES = 1;
/** Segment flag: begun by a rebuild; the sequence may jump ahead at its start. */
export const SEGMENT_REBUILT = 2;
/** Segment flag: a recovery file of a read-only start; never part of the numbered chain. */
export const SEGMENT_RECOVERY = 4;

/** Returns a frame's flags: bit 0 optional, bits 1–2 the kind. */
export const frameFlags = (kind: RecordKind, isOptional: boolean): number =>
  (KINDS.indexOf(kind) << 1) | (isOptional ? FLAG_OPTIONAL : 0);

/** Returns the kind in a frame's flags; undefined for the value that means nothing. */
export const kindOf = (flags: number): RecordKind | undefined => KINDS[(flags >>> 1) & 3];

/** Returns whether a reader that doesn't know this record may skip it. */
export const isOptional = (flags: number): boolean => (flags & FLAG_OPTIONAL) !== 0;

/** Writes a whole number of ±2^53 as an i64 without making a BigInt. */
export function putInt64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  view.setUint32(at, value - high * 2 ** 32, true);
  view.setInt32(at + 4, high, true);
}

/** Returns an i64 as a number; exact within ±2^53, the only values ever written. */
export const getInt64 = (view: DataView, at: number): number =>
  view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);

/** Completes the frame whose payload already stands at `at + FRAME_HEADER_BYTES`; returns its length in bytes. */
export function sealFrame(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  payloadBytes: number,
  code: number,
  flags: number,
  seq: number,
  atMs: number,
): number {
  const end = at + FRAME_HEADER_BYTES + payloadBytes;
  view.setUint32(at, end - at - FRAME_PREFIX_BYTES, true);
  view.setUint8(at + 8, FRAME_VERSION);
  view.setUint8(at + 9, code);
  view.setUint16(at + 10, flags, true);
  putInt64(view, at + 12, seq);
  putInt64(view, at + 20, atMs);
  view.setUint32(at + 4, crc32c(bytes, at + FRAME_PREFIX_BYTES, end), true);
  return end - at;
}

/** Is what `measureFrame` says of bytes that are no frame (yet). */
export const FRAME_CUT = 0;
export const FRAME_BAD = -1;

/**
 * Returns the whole length of the frame at `at`, in bytes, if it is intact; FRAME_CUT if `end` comes before its end,
 * FRAME_BAD if its length or checksum is wrong. Version, code and sequence are for the caller to judge.
 */
export function measureFrame(bytes: Uint8Array, view: DataView, at: number, end: number): number {
  if (end - at < FRAME_PREFIX_BYTES) return FRAME_CUT;
  const length = view.getUint32(at, true);
  if (length < FRAME_HEADER_BYTES - FRAME_PREFIX_BYTES || length > FRAME_LENGTH_MAX) return FRAME_BAD;
  const whole = length + FRAME_PREFIX_BYTES;
  if (end - at < whole) return FRAME_CUT;
  return crc32c(bytes, at + FRAME_PREFIX_BYTES, at + whole) === view.getUint32(at + 4, true) ? whole : FRAME_BAD;
}

/** Is what stands at the beginning of a segment. */
export type SegmentHeader = { flags: number; firstSeq: number; instance: number };

const MAGIC = 0x314a5351; // "QSJ1"

/** Returns a segment's 32-byte header. */
export function encodeHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, SEGMENT_FORMAT, true);
  view.setUint16(6, header.flags, true);
  putInt64(view, 8, header.firstSeq);
  putInt64(view, 16, header.instance);
  view.setUint32(24, crc32c(bytes, 0, 24), true);
  return bytes;
}

/** Returns the header in `bytes`, "newer" if a later program wrote it, or "bad". */
export function decodeHeader(bytes: Uint8Array): SegmentHeader | "bad" | "newer" {
  if (bytes.length < SEGMENT_HEADER_BYTES) return "bad";
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC) return "bad";
  if (view.getUint32(24, true) !== crc32c(bytes, 0, 24) || view.getUint32(28, true) !== 0) return "bad";
  if (view.getUint16(4, true) > SEGMENT_FORMAT) return "newer";
  return { flags: view.getUint16(6, true), firstSeq: getInt64(view, 8), instance: getInt64(view, 16) };
}

/** Returns the link frame that ties a segment to the frame before it (`hash`: 32 bytes). */
export function encodeLink(previousSeq: number, atMs: number, hash: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + hash.length);
  bytes.set(hash, FRAME_HEADER_BYTES);
  sealFrame(bytes, new DataView(bytes.buffer), 0, hash.length, CODE_LINK, frameFlags("note", false), previousSeq, atMs);
  return bytes;
}

/** Is the length of a link frame in bytes. */
export const LINK_BYTES = FRAME_HEADER_BYTES + 32;

/** Instances are named by four base-36 digits, as they stand in an order's reference. */
export const INSTANCES = 36 ** 4;

/** Returns the four base-36 digits of an instance number. */
export const instanceName = (instance: number): string => instance.toString(36).padStart(4, "0");
