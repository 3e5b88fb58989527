// Ends a process whose event loop stands still: a worker thread counts the time since the loop last knocked. Nothing
// inside the loop could notice. The supervisor then starts the bot again, and it reconciles.
import { Worker } from "node:worker_threads";

/** A loop that stands still for so long will not come back by itself. */
export const STANDSTILL_MS_MAX = 5_000;
const KNOCK_MS = 500;

/** Is the watch; `stop` ends it. */
export type Watchdog = { stop(): void };

/**
 * Starts the watch over this thread's loop. At a standstill one line goes to standard error and the process ends by
 * SIGABRT, so that it counts as a fault. A suspended machine is no standstill: the worker's own timer stood too.
 */
export function startWatchdog(): Watchdog {
  const knocks = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(WORKER_SOURCE, {
    eval: true,
    workerData: { knocks, checkMs: KNOCK_MS, missesMax: Math.ceil(STANDSTILL_MS_MAX / KNOCK_MS) },
  });
  worker.unref();
  const timer = setInterval(() => Atomics.add(knocks, 0, 1), KNOCK_MS);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      void worker.terminate();
    },
  };
}

/** Counts its own checks without a knock, not wall time, so that a sleep of the machine does not count. */
const WORKER_SOURCE = `
const { workerData } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const { knocks, checkMs, missesMax } = workerData;
let last = -1;
let misses = 0;
setInterval(() => {
  const now = Atomics.load(knocks, 0);
  misses = now === last ? misses + 1 : 0;
  last = now;
  if (misses < missesMax) return;
  writeSync(2, "The bot's loop has stood still for " + (misses * checkMs) / 1000 + " s: the process is ended and started again.\\n");
  process.kill(process.pid, "SIGABRT");
}, checkMs);
`;
