// One line of progress on standard error for work that takes longer than two seconds: how far, how fast, how long still.
import { wallClock } from "../clock.ts";
import { printCount, printDurationShort, SECOND_MS } from "../units.ts";

/** Shorter work says nothing. */
const QUIET_MS = 2 * SECOND_MS;
/** On a terminal the line is rewritten so often; in a log a new one is written ten times as seldom. */
const STEP_MS = 500;
const LOG_STEPS = 10;

/** Shows progress. */
export type Progress = {
  /** Is told how much is done. */
  at(done: number): void;
  /** Clears the line. */
  end(): void;
};

/** Begins to show the progress of `work` over `things`, of which there are `total`; null = nobody knows. */
export function progress(work: string, things: string, total: number | null): Progress {
  const startMs = wallClock.nowMs();
  const isTerminal = process.stderr.isTTY === true;
  let shownMs = startMs + QUIET_MS - STEP_MS;
  let isShown = false;
  return {
    at: (done) => {
      const nowMs = wallClock.nowMs();
      if (nowMs - shownMs < (isShown && !isTerminal ? STEP_MS * LOG_STEPS : STEP_MS)) return;
      shownMs = nowMs;
      isShown = true;
      const line = progressLine(work, things, done, total, nowMs - startMs);
      process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
    },
    end: () => {
      if (isShown && isTerminal) process.stderr.write("\r\x1b[K");
    },
  };
}

/** Returns "running: 4,100,000 of 9,000,000 bars, 2,050,000 a second, 2s left". */
export function progressLine(work: string, things: string, done: number, total: number | null, tookMs: number): string {
  const rate = Math.round((done * SECOND_MS) / Math.max(1, tookMs));
  const of = total === null ? "" : ` of ${printCount(total)}`;
  const left = total === null || rate === 0 ? "" : `, ${printDurationShort(((total - done) * SECOND_MS) / rate)} left`;
  return `${work}: ${printCount(done)}${of} ${things}, ${printCount(rate)} a second${left}`;
}
