// The outermost layer of the protocol: the opening `API\0`, then frames of a big-endian length and that many bytes.
// Bytes may come in any pieces; a length that no client sends ends the reading for good.
import { err, ok, type Result } from "../../../result.ts";

/** The longest frame that a client may send; the longest real request is some hundred bytes. */
export const REQUEST_BYTES_MAX = 65_536;
/** The longest opening frame (`v100..178` and connect options). */
export const OPENING_BYTES_MAX = 1_024;

const PREFIX = Buffer.from("API\0", "latin1");
const LENGTH_BYTES = 4;

/** Says why a stream of bytes is no longer listened to. */
export type FrameProblem =
  | { readonly type: "not_the_protocol"; readonly firstBytes: string }
  | { readonly type: "bad_length"; readonly lengthBytes: number; readonly lengthBytesMax: number };

/** Returns a reader for one connection: pieces of bytes in, whole frames' text out, in order. */
export function createFrameReader(): { push(piece: Uint8Array): Result<readonly string[], FrameProblem> } {
  let held: Buffer = Buffer.alloc(0);
  let isOpened = false;
  let frames = 0;

  return {
    push(piece) {
      held = held.length === 0 ? Buffer.from(piece) : Buffer.concat([held, piece]);
      if (!isOpened) {
        const seen = Math.min(held.length, PREFIX.length);
        if (!held.subarray(0, seen).equals(PREFIX.subarray(0, seen))) {
          return err({ type: "not_the_protocol", firstBytes: held.subarray(0, seen).toString("hex") });
        }
        if (seen < PREFIX.length) return ok([]);
        held = held.subarray(PREFIX.length);
        isOpened = true;
      }
      const texts: string[] = [];
      let at = 0;
      while (held.length - at >= LENGTH_BYTES) {
        const lengthBytes = held.readUInt32BE(at);
        const lengthBytesMax = frames === 0 ? OPENING_BYTES_MAX : REQUEST_BYTES_MAX;
        if (lengthBytes === 0 || lengthBytes > lengthBytesMax) {
          return err({ type: "bad_length", lengthBytes, lengthBytesMax });
        }
        if (held.length - at - LENGTH_BYTES < lengthBytes) break;
        texts.push(held.toString("utf8", at + LENGTH_BYTES, at + LENGTH_BYTES + lengthBytes));
        at += LENGTH_BYTES + lengthBytes;
        frames += 1;
      }
      held = at === 0 ? held : held.subarray(at);
      return ok(texts);
    },
  };
}

/** Returns the fields of a request: each is ended by NUL, so the text after the last one is no field. */
export function splitFields(text: string): string[] {
  const fields = text.split("\0");
  if (fields.at(-1) === "") fields.pop();
  return fields;
}

/** Returns a message's text, each field ended by NUL. Booleans become 1 and 0, undefined the empty field. */
export function message(...fields: readonly (string | number | boolean | undefined)[]): string {
  let text = "";
  for (const field of fields) {
    text += field === undefined ? "" : field === true ? "1" : field === false ? "0" : field;
    text += "\0";
  }
  return text;
}

/** How much is gathered before it is given to the socket in one piece. */
const PIECE_BYTES = 65_536;
const COPIED_BYTES_MAX = 16_384;

/** Returns a writer that gathers frames into pieces; `onPiece` gets each full piece, and the rest at `flush`. */
export function createFrameWriter(onPiece: (piece: Buffer) => void): {
  /** Adds a frame around a message's text. */
  write(text: string): void;
  /** Hands over what is gathered. */
  flush(): void;
} {
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let used = 0;

  const flush = (): void => {
    if (used === 0) return;
    const filled = piece.subarray(0, used);
    used = 0;
    // A few ticks are copied out, so that not every flush of every client costs a whole piece of memory.
    if (filled.length <= COPIED_BYTES_MAX) onPiece(Buffer.from(filled));
    else {
      piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      onPiece(filled);
    }
  };

  return {
    flush,
    write(text) {
      // Three bytes is the most that UTF-8 takes for one UTF-16 unit.
      const bytesMax = LENGTH_BYTES + text.length * 3;
      if (used + bytesMax > PIECE_BYTES) flush();
      if (bytesMax > PIECE_BYTES) {
        const body = Buffer.from(text, "utf8");
        const frame = Buffer.allocUnsafeSlow(LENGTH_BYTES + body.length);
        frame.writeUInt32BE(body.length, 0);
        body.copy(frame, LENGTH_BYTES);
        onPiece(frame);
        return;
      }
      const written = piece.write(text, used + LENGTH_BYTES, "utf8");
      piece.writeUInt32BE(written, used);
      used += LENGTH_BYTES + written;
    },
  };
}
