// The only place that reads the machine's time and sets timers. Everything else is given a Clock.

/** Stops a timer; harmless after it fired. */
export type Cancel = () => void;

/** Tells the time and calls back at one. Times are milliseconds since 1970-01-01 UTC. */
export type Clock = {
  /** Returns the current time. */
  nowMs(): number;
  /** Calls `knock` once when the clock reaches `atMs`, or soon if that has passed. */
  at(atMs: number, knock: () => void): Cancel;
  /** Calls `knock` once when `waitMs` of this clock's time have passed. */
  after(waitMs: number, knock: () => void): Cancel;
};

/** setTimeout counts in a signed 32-bit number; a longer wait is taken in steps. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Is the machine's own time: for people, sockets and a real market. */
export const wallClock: Clock = {
  nowMs: () => Date.now(),
  at: (atMs, knock) => wallAt(() => atMs - Date.now(), knock),
  after: (waitMs, knock) => {
    // By the steady clock: setting the machine's time must not stretch or cut a wait.
    const dueMs = performance.now() + waitMs;
    return wallAt(() => dueMs - performance.now(), knock);
  },
};

/** Is a clock that runs at a multiple of the machine's time, from a moment of its own, and can be moved ahead. */
export type MarketClock = Clock & {
  /** Returns the current speed factor. */
  speed(): number;
  /** Goes on at another speed from now on; 0 stands still. Throws a RangeError below 0. */
  setSpeed(speed: number): void;
  /** Moves ahead to `atMs`, firing what falls due; never goes back. */
  jumpTo(atMs: number): void;
  /** Stands still at `atMs` until the leash is longer or a jump goes beyond it; the machine's time meanwhile is left out. */
  leash(atMs: number): void;
};

/** How often a running market clock looks for due timers when none is nearer, in wall milliseconds. */
const STEP_MS_MAX = 1_000;

/**
 * Returns a market clock that starts at `startMs` and advances `speed` milliseconds for each millisecond of the machine.
 * Infinity is not a speed: a market at full speed moves the clock itself with `jumpTo` and a speed of 0.
 */
export function createMarketClock(startMs: number, speed: number): MarketClock {
  let originMs = startMs;
  let originWallMs = performance.now();
  let factor = speed;
  let nextId = 1;
  const timers = new Map<number, { atMs: number; knock: () => void }>();
  let stopWaiting: Cancel | undefined;

  let leashMs = Number.POSITIVE_INFINITY;

  const nowMs = (): number => {
    const now = Math.floor(originMs + (performance.now() - originWallMs) * factor);
    if (now <= leashMs) return now;
    rebase(leashMs);
    return leashMs;
  };

  const rebase = (atMs: number): void => {
    originMs = atMs;
    originWallMs = performance.now();
  };

  const fireDue = (): void => {
    for (;;) {
      const now = nowMs();
      let due: { id: number; atMs: number; knock: () => void } | undefined;
      for (const [id, timer] of timers) {
        if (timer.atMs <= now && (due === undefined || timer.atMs < due.atMs)) due = { id, ...timer };
      }
      if (due === undefined) break;
      timers.delete(due.id);
      due.knock();
    }
    wait();
  };

  const wait = (): void => {
    stopWaiting?.();
    stopWaiting = undefined;
    if (timers.size === 0 || factor === 0) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const timer of timers.values()) nextMs = Math.min(nextMs, timer.atMs);
    const now = nowMs();
    // At the end of its leash it fires nothing, and is looked at again when that is longer.
    if (now >= leashMs && nextMs > now) return;
    const waitMs = Math.min(STEP_MS_MAX, Math.max(0, (nextMs - now) / factor));
    stopWaiting = wallAfter(Math.ceil(waitMs), fireDue);
  };

  const at = (atMs: number, knock: () => void): Cancel => {
    const id = nextId++;
    timers.set(id, { atMs, knock });
    wait();
    return () => {
      if (timers.delete(id)) wait();
    };
  };

  return {
    nowMs,
    at,
    after: (waitMs, knock) => at(nowMs() + waitMs, knock),
    speed: () => factor,
    setSpeed: (next) => {
      if (!(next >= 0) || !Number.isFinite(next)) throw new RangeError(`speed ${next} is not a finite number ≥ 0`);
      rebase(nowMs());
      factor = next;
      wait();
    },
    leash: (atMs) => {
      leashMs = Math.max(atMs, nowMs());
      wait();
    },
    jumpTo: (atMs) => {
      if (atMs <= nowMs()) return;
      leashMs = Math.max(leashMs, atMs);
      rebase(atMs);
      fireDue();
    },
  };
}

function wallAfter(waitMs: number, knock: () => void): Cancel {
  const handle = setTimeout(knock, waitMs);
  return () => clearTimeout(handle);
}

function wallAt(leftMs: () => number, knock: () => void): Cancel {
  let handle: ReturnType<typeof setTimeout>;
  const step = (): void => {
    const left = leftMs();
    if (left <= 0) knock();
    else handle = setTimeout(step, Math.min(left, TIMEOUT_MS_MAX));
  };
  handle = setTimeout(step, Math.max(0, Math.min(leftMs(), TIMEOUT_MS_MAX)));
  return () => clearTimeout(handle);
}
