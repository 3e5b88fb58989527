// Holds acts back by a time without changing their order: the delay fault of the wire.
import type { Clock } from "../../clock.ts";

/** Returns a line on which acts happen at once, or later while a delay is set, always in the order given. */
export function createDelayLine(wall: Clock): {
  /** Does `act` when its time has come. */
  push(act: () => void): void;
  /** Delays what is pushed until the clock reads `untilMs` by `delayMs`. */
  delay(delayMs: number, untilMs: number): void;
} {
  let delayMs = 0;
  let untilMs = 0;
  const held: { dueMs: number; act: () => void }[] = [];

  const release = (): void => {
    for (;;) {
      const next = held[0];
      if (next === undefined) return;
      if (next.dueMs > wall.nowMs()) {
        wall.at(next.dueMs, release);
        return;
      }
      held.shift();
      next.act();
    }
  };

  return {
    push: (act) => {
      const nowMs = wall.nowMs();
      const isDelayed = nowMs < untilMs;
      const last = held.at(-1);
      if (!isDelayed && last === undefined) {
        act();
        return;
      }
      held.push({ dueMs: Math.max(isDelayed ? nowMs + delayMs : nowMs, last?.dueMs ?? 0), act });
      if (held.length === 1) wall.at(nowMs + (isDelayed ? delayMs : 0), release);
    },
    delay: (nextDelayMs, nextUntilMs) => {
      delayMs = nextDelayMs;
      untilMs = nextUntilMs;
    },
  };
}
