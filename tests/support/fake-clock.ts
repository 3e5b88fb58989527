// A clock that stands still until the test moves it. Stands in for the machine's clock and for the market's.
import type { Cancel, MarketClock } from "../../src/clock.ts";

/** Is Wednesday 2026-11-25, 15:00 UTC: 09:00 in Chicago, in regular hours. */
export const FAKE_START_MS = 1_795_618_800_000;

/** A test that lets a timer set itself again for the same moment would never end. */
const KNOCKS_MAX = 1_000_000;

/** Is a clock that a test moves by hand. While a timer knocks, it shows the timer's own time. */
export type FakeClock = MarketClock & {
  /** Moves ahead by `byMs`, firing what falls due, in order. */
  advance(byMs: number): void;
  /** Moves to the nearest timer and fires all that are due there; returns false where none waits. */
  advanceToNext(): boolean;
  /** Returns how many timers wait. */
  waiting(): number;
};

/** Returns a clock that stands at `startMs`; its `speed` is only remembered. */
export function createFakeClock(startMs: number = FAKE_START_MS): FakeClock {
  let nowMs = startMs;
  let speed = 0;
  let timers: { readonly atMs: number; readonly knock: () => void }[] = [];

  const at = (atMs: number, knock: () => void): Cancel => {
    const timer = { atMs, knock };
    // Behind those of the same moment: first set, first fired.
    const before = timers.findIndex((other) => other.atMs > atMs);
    timers.splice(before < 0 ? timers.length : before, 0, timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };

  const moveTo = (atMs: number): void => {
    for (let knocks = 0; ; knocks++) {
      if (knocks > KNOCKS_MAX) throw new Error(`a timer sets itself for ever at ${nowMs}`);
      const due = timers[0];
      if (due === undefined || due.atMs > atMs) break;
      timers.shift();
      nowMs = Math.max(nowMs, due.atMs);
      due.knock();
    }
    nowMs = Math.max(nowMs, atMs);
  };

  return {
    nowMs: () => nowMs,
    at,
    after: (waitMs, knock) => at(nowMs + waitMs, knock),
    speed: () => speed,
    setSpeed: (next) => {
      if (!(next >= 0) || !Number.isFinite(next)) throw new RangeError(`speed ${next} is not a finite number ≥ 0`);
      speed = next;
    },
    jumpTo: moveTo,
    advance: (byMs) => moveTo(nowMs + byMs),
    advanceToNext: () => {
      const next = timers[0];
      if (next === undefined) return false;
      moveTo(next.atMs);
      return true;
    },
    waiting: () => timers.length,
  };
}
