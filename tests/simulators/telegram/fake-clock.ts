// A clock that stands still until a test moves it.
import type { Clock } from "../../../src/clock.ts";

/** Is a Clock moved by hand. */
export type FakeClock = Clock & {
  /** Moves on by `ms`, firing what falls due in its order. */
  advance(ms: number): void;
  /** Returns how many timers wait. */
  waiting(): number;
};

/** Returns a clock at `startMs`. */
export function createFakeClock(startMs = 1_795_600_000_000): FakeClock {
  let nowMs = startMs;
  let timers: { atMs: number; knock: () => void }[] = [];
  const at = (atMs: number, knock: () => void): (() => void) => {
    const timer = { atMs, knock };
    timers.push(timer);
    return () => {
      timers = timers.filter((one) => one !== timer);
    };
  };
  return {
    nowMs: () => nowMs,
    at,
    after: (waitMs, knock) => at(nowMs + waitMs, knock),
    waiting: () => timers.length,
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (;;) {
        const due = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers = timers.filter((one) => one !== due);
        nowMs = Math.max(nowMs, due.atMs);
        due.knock();
      }
      nowMs = untilMs;
    },
  };
}
