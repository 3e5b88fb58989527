// Hands bytes to a socket as the faults of the stream want them: in small pieces, each of its own turn of the loop so
// that the other side reads it alone, or gathered for a while and then in one lump. Otherwise as they come.
import type { Clock } from "../../clock.ts";

/** Hands bytes on, always in the order given. */
export type ByteStream = {
  write(bytes: Buffer): void;
  /** Cuts into pieces of so many bytes until the wall clock reads `untilMs`. */
  split(pieceBytes: number, untilMs: number): void;
  /** Gathers what comes within `everyMs` into one lump until the wall clock reads `untilMs`. */
  glue(everyMs: number, untilMs: number): void;
  /** Returns how many bytes have not been handed on. */
  waitingBytes(): number;
  /** Returns how many of them leave by themselves, without the clock moving. */
  leavingBytes(): number;
  /** Calls back when nothing waits; at once where nothing does. */
  whenEmpty(act: () => void): void;
};

/** Returns a stream that hands on to `give`. */
export function createByteStream(wall: Clock, give: (bytes: Buffer) => void): ByteStream {
  let pieceBytes = 0;
  let splitUntilMs = 0;
  let glueEveryMs = 0;
  let glueUntilMs = 0;
  const pieces: Buffer[] = [];
  let lump: Buffer[] = [];
  let pieceSum = 0;
  let lumpSum = 0;
  let isTurning = false;
  const waiters: (() => void)[] = [];

  const isEmpty = (): boolean => pieces.length === 0 && lump.length === 0;
  const noteEmpty = (): void => {
    if (isEmpty()) for (const waiter of waiters.splice(0)) waiter();
  };

  const turn = (): void => {
    const piece = pieces.shift();
    pieceSum -= piece?.length ?? 0;
    if (piece !== undefined) give(piece);
    isTurning = pieces.length > 0;
    if (isTurning) setImmediate(turn);
    else noteEmpty();
  };

  const hand = (bytes: Buffer): void => {
    const nowMs = wall.nowMs();
    if (nowMs < splitUntilMs) {
      for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
    } else if (pieces.length > 0) pieces.push(bytes);
    else {
      give(bytes);
      return;
    }
    pieceSum += bytes.length;
    if (!isTurning) {
      isTurning = true;
      setImmediate(turn);
    }
  };

  return {
    write: (bytes) => {
      if (lump.length > 0) {
        lump.push(bytes);
        lumpSum += bytes.length;
        return;
      }
      if (wall.nowMs() >= glueUntilMs) {
        hand(bytes);
        return;
      }
      lump.push(bytes);
      lumpSum += bytes.length;
      wall.after(glueEveryMs, () => {
        const gathered = Buffer.concat(lump);
        lump = [];
        lumpSum = 0;
        hand(gathered);
        noteEmpty();
      });
    },
    split: (nextPieceBytes, untilMs) => {
      pieceBytes = nextPieceBytes;
      splitUntilMs = untilMs;
    },
    glue: (everyMs, untilMs) => {
      glueEveryMs = everyMs;
      glueUntilMs = untilMs;
    },
    waitingBytes: () => pieceSum + lumpSum,
    leavingBytes: () => pieceSum,
    whenEmpty: (act) => {
      waiters.push(act);
      noteEmpty();
    },
  };
}
