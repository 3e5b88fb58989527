// Looks at each frame's length before the library sees it. A negative length makes @stoqey/ib 1.6.10 loop for ever inside
// its data handler, and a huge one makes it wait in silence; neither can be noticed from outside (measured).

/** A longer frame is no message of this protocol: 1 MiB. */
export const FRAME_BYTES_MAX = 1024 * 1024;
const PREFIX_BYTES = 4;

/** Follows the frames of one connection. */
export type FrameCheck = {
  /** Takes the next bytes; returns what is wrong with a length in them, or null. */
  take(bytes: Uint8Array): string | null;
};

/** Returns a check for a new connection. */
export function createFrameCheck(): FrameCheck {
  let bodyLeft = 0;
  let prefix = 0;
  let prefixBytes = 0;

  return {
    take: (bytes) => {
      let at = 0;
      while (at < bytes.length) {
        if (bodyLeft > 0) {
          const step = Math.min(bodyLeft, bytes.length - at);
          bodyLeft -= step;
          at += step;
          continue;
        }
        prefix = prefix * 256 + (bytes[at++] as number);
        if (++prefixBytes < PREFIX_BYTES) continue;
        const length = prefix | 0;
        if (length < 1 || length > FRAME_BYTES_MAX) return `a frame of ${length} bytes`;
        bodyLeft = length;
        prefix = 0;
        prefixBytes = 0;
      }
      return null;
    },
  };
}
