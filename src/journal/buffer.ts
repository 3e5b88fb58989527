// Frames that were appended and are still needed: by the engine that has not taken them, by the disk that has not
// confirmed them. One growing buffer, no allocation for a packed record. Knows no files.
//
// Places are counted in bytes since the journal was opened and never move; the bytes themselves move only inside an
// append, which is what keeps the answer of `take` valid until the next one.
import {
  CODE_JSON,
  CODE_QUOTE,
  CODE_TRADE,
  FRAME_HEADER_BYTES,
  frameFlags,
  NO_PRICE,
  PAYLOAD_BYTES_MAX,
  putInt64,
  type RecordKind,
  sealFrame,
} from "./format.ts";

/** Is how much may wait for `take`, in bytes; past it the frames are let go and the next `take` throws. */
export const TAKE_BYTES_MAX = 64 * 1024 * 1024;

const CAPACITY_BYTES = 256 * 1024;
const TRADE_BYTES = 16;
const QUOTE_BYTES = 24;
const INPUT = frameFlags("input", false);

/** Collects frames in order and numbers them without a gap. */
export class FrameBuffer {
  #buffer = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  #view = new DataView(this.#buffer.buffer);
  /** Is the place of the buffer's first byte. */
  #base = 0;
  #releasedTo = 0;
  #takenTo = 0;
  #hasOverrun = false;
  #seq: number;
  #atMs = 0;
  #lastStart = 0;
  #end = 0;

  /** Begins behind the record `lastSeq`. */
  constructor(lastSeq: number) {
    this.#seq = lastSeq;
  }

  /** Returns the place behind the last frame. */
  get end(): number {
    return this.#end;
  }

  /** Returns the place of the last frame. */
  get lastStart(): number {
    return this.#lastStart;
  }

  /** Returns the sequence number of the last record. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** Returns the time of the last record in ms. */
  get lastAtMs(): number {
    return this.#atMs;
  }

  /** Appends a record whose payload is this JSON object; throws a RangeError when it has more than 1 MiB. */
  appendJson(kind: RecordKind, atMs: number, json: string, optional: boolean): number {
    if (json.charCodeAt(0) !== 123) throw new TypeError("a journal record is a JSON object");
    const payloadBytesMax = json.length * 3;
    if (payloadBytesMax > PAYLOAD_BYTES_MAX && Buffer.byteLength(json) > PAYLOAD_BYTES_MAX) {
      throw new RangeError(`a journal record of ${Buffer.byteLength(json)} bytes is more than ${PAYLOAD_BYTES_MAX}`);
    }
    const at = this.#room(FRAME_HEADER_BYTES + payloadBytesMax, atMs);
    return this.#seal(
      at,
      this.#buffer.write(json, at + FRAME_HEADER_BYTES, "utf8"),
      CODE_JSON,
      frameFlags(kind, optional),
      atMs,
    );
  }

  /** Appends a packed trade; throws a RangeError when a number is not what 32 bits hold. */
  appendTrade(atMs: number, exchangeAtMs: number, priceTicks: number, size: number): number {
    const at = this.#room(FRAME_HEADER_BYTES + TRADE_BYTES, atMs);
    putInt64(this.#view, at + 28, whole(exchangeAtMs));
    this.#view.setInt32(at + 36, int32(priceTicks), true);
    this.#view.setInt32(at + 40, int32(size), true);
    return this.#seal(at, TRADE_BYTES, CODE_TRADE, INPUT, atMs);
  }

  /** Appends a packed quote; null is an absent price; throws a RangeError when a number is not what 32 bits hold. */
  appendQuote(
    atMs: number,
    exchangeAtMs: number,
    bidTicks: number | null,
    askTicks: number | null,
    bidSize: number,
    askSize: number,
  ): number {
    const at = this.#room(FRAME_HEADER_BYTES + QUOTE_BYTES, atMs);
    putInt64(this.#view, at + 28, whole(exchangeAtMs));
    this.#view.setInt32(at + 36, bidTicks === null ? NO_PRICE : price(bidTicks), true);
    this.#view.setInt32(at + 40, askTicks === null ? NO_PRICE : price(askTicks), true);
    this.#view.setInt32(at + 44, int32(bidSize), true);
    this.#view.setInt32(at + 48, int32(askSize), true);
    return this.#seal(at, QUOTE_BYTES, CODE_QUOTE, INPUT, atMs);
  }

  /** Returns the frames since the last call, valid until the next append; throws a RangeError when some were let go. */
  take(): Uint8Array {
    if (this.#hasOverrun) throw new RangeError(`more than ${TAKE_BYTES_MAX} bytes of frames were never taken`);
    const frames = this.slice(this.#takenTo, this.#end);
    this.#takenTo = this.#end;
    return frames;
  }

  /** Returns the bytes between two places, valid until the next append. */
  slice(from: number, to: number): Uint8Array {
    return this.#buffer.subarray(from - this.#base, to - this.#base);
  }

  /** Lets go of what stands before `place`: the disk has it, or never will. */
  release(place: number): void {
    this.#releasedTo = Math.max(this.#releasedTo, place);
  }

  /** Makes room for `bytes` more and returns where in the buffer. */
  #room(bytes: number, atMs: number): number {
    whole(atMs);
    if (this.#end - this.#takenTo > TAKE_BYTES_MAX) {
      this.#hasOverrun = true;
      this.#takenTo = this.#end;
    }
    const at = this.#end - this.#base;
    if (at + bytes <= this.#buffer.length) return at;
    const keepFrom = Math.min(this.#releasedTo, this.#takenTo);
    const kept = this.#end - keepFrom;
    if (kept + bytes <= this.#buffer.length / 2) {
      this.#buffer.copyWithin(0, keepFrom - this.#base, at);
    } else {
      let capacity = this.#buffer.length;
      while (capacity < (kept + bytes) * 2) capacity *= 2;
      const larger = Buffer.allocUnsafeSlow(capacity);
      this.#buffer.copy(larger, 0, keepFrom - this.#base, at);
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#base = keepFrom;
    return kept;
  }

  #seal(at: number, payloadBytes: number, code: number, flags: number, atMs: number): number {
    this.#seq++;
    this.#atMs = atMs;
    this.#lastStart = this.#end;
    this.#end += sealFrame(this.#buffer, this.#view, at, payloadBytes, code, flags, this.#seq, atMs);
    return this.#seq;
  }
}

function int32(value: number): number {
  if ((value | 0) !== value) throw new RangeError(`${value} is not a whole number of 32 bits`);
  return value;
}

function price(ticks: number): number {
  if (ticks === NO_PRICE) throw new RangeError(`${ticks} ticks is not a price`);
  return int32(ticks);
}

function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number of milliseconds`);
  return value;
}
