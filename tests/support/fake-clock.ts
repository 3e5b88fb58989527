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
  /** Puts the time to `atMs`, forward or back, as a time server does: fires nothing, and waits of `after` go on as they were. */
  set(atMs: number): void;
  /** Returns how many timers wait. */
  waiting(): number;
  /** Returns when the nearest timer is due, by this clock; null where none waits. */
  nextAtMs(): number | null;
};

/** Returns a clock that stands at `startMs`; its `speed` is only remembered. */
export function createFakeClock(startMs: number = FAKE_START_MS): FakeClock {
  let speed = 0;
  let timers: Timer[] = [];
  /** Runs on whatever the time is set to; the time is `steadyMs + setMs`. */
  let steadyMs = startMs;
  let setMs = 0;

  const nowMs = (): number => steadyMs + setMs;
  const dueMs = (timer: Timer): number => (timer.isWait ? timer.atMs : timer.atMs - setMs);

  const add = (timer: Timer): Cancel => {
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };

  /** Returns the nearest timer; of those of one moment the one that was set first. */
  const nearest = (): Timer | undefined => {
    let found: Timer | undefined;
    for (const timer of timers) if (found === undefined || dueMs(timer) < dueMs(found)) found = timer;
    return found;
  };

  const advanceTo = (untilSteadyMs: number): void => {
    for (let knocks = 0; ; knocks++) {
      if (knocks > KNOCKS_MAX) throw new Error(`a timer sets itself for ever at ${nowMs()}`);
      const due = nearest();
      if (due === undefined || dueMs(due) > untilSteadyMs) break;
      timers = timers.filter((other) => other !== due);
      steadyMs = Math.max(steadyMs, dueMs(due));
      due.knock();
    }
    steadyMs = Math.max(steadyMs, untilSteadyMs);
  };

  return {
    nowMs,
    at: (atMs, knock) => add({ atMs, isWait: false, knock }),
    after: (waitMs, knock) => add({ atMs: steadyMs + waitMs, isWait: true, knock }),
    speed: () => speed,
    setSpeed: (next) => {
      if (!(next >= 0) || !Number.isFinite(next)) throw new RangeError(`speed ${next} is not a finite number ≥ 0`);
      speed = next;
    },
    jumpTo: (atMs) => advanceTo(atMs - setMs),
    // It does not run by itself, so there is nothing to hold.
    leash: () => {},
    advance: (byMs) => advanceTo(steadyMs + byMs),
    set: (atMs) => {
      setMs = atMs - steadyMs;
    },
    waiting: () => timers.length,
    nextAtMs: () => {
      const due = nearest();
      return due === undefined ? null : dueMs(due) + setMs;
    },
  };
}

/** `atMs` is of the clock's time, or for a wait of the time that runs on. */
type Timer = { readonly atMs: number; readonly isWait: boolean; readonly knock: () => void };
