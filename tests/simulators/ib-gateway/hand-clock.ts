// A wall clock that stands still until a test moves it.
import type { Cancel, Clock } from "../../../src/clock.ts";

/** Returns a wall clock that a test moves by hand. */
export function handClock() {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; knock: () => void }>();
  const at = (atMs: number, knock: () => void): Cancel => {
    const timer = { atMs, knock };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const clock: Clock = { nowMs: () => nowMs, at, after: (waitMs, knock) => at(nowMs + waitMs, knock) };
  return {
    clock,
    move: (byMs: number): void => {
      nowMs += byMs;
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs || !timers.delete(timer)) continue;
        timer.knock();
      }
    },
  };
}
