// How fast messages may go: so many at once, then so many a second.
import type { Clock } from "../clock.ts";

/** Is a bucket of permits. */
export type Bucket = {
  /** Returns how long until there is a permit; 0 = now. */
  waitMs(): number;
  /** Takes one. */
  take(): void;
};

/** Returns a full bucket that lets `burst` through at once and then `perSecond`. */
export function createBucket(burst: number, perSecond: number, wall: Clock): Bucket {
  let level = burst;
  let atMs = wall.nowMs();
  const refill = (): void => {
    level = Math.min(burst, level + ((wall.nowMs() - atMs) / 1_000) * perSecond);
    atMs = wall.nowMs();
  };
  return {
    waitMs: () => {
      refill();
      // A hair below one counts as one: the sum of small steps is not exact.
      return level >= 0.999 ? 0 : Math.ceil(((1 - level) / perSecond) * 1_000);
    },
    take: () => {
      refill();
      level -= 1;
    },
  };
}
