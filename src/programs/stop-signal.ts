// The signals that end a program in order, and at once when a person insists.
import { wallClock } from "../clock.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** One Ctrl-C may arrive several times: the terminal tells the whole group, and npm and the supervisor pass it on. */
const ECHO_MS_MAX = 500;
const ENDED_AT_ONCE = 130;

/** Is a person's wish to end the program. */
export type StopSignals = {
  /** Resolves at the first SIGINT, SIGTERM or SIGHUP with its name. A later one, no echo of it, ends the process at once. */
  readonly signal: Promise<NodeJS.Signals>;
  remove(): void;
};

/** Listens from now on. */
export function listenForStop(): StopSignals {
  let toldAtMs: number | null = null;
  let finish: (name: NodeJS.Signals) => void = () => {};
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    finish = resolve;
  });
  const onStop = (name: NodeJS.Signals): void => {
    const nowMs = wallClock.nowMs();
    if (toldAtMs === null) {
      toldAtMs = nowMs;
      finish(name);
    } else if (nowMs - toldAtMs > ECHO_MS_MAX) {
      process.stderr.write("Ended at once, at the second signal. A restart asks the broker what is true.\n");
      process.exit(ENDED_AT_ONCE);
    }
  };
  for (const name of STOP_SIGNALS) process.on(name, onStop);
  return {
    signal,
    remove: () => {
      for (const name of STOP_SIGNALS) process.removeListener(name, onStop);
    },
  };
}

/** Resolves at the signal that ends a program which serves. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return listenForStop().signal;
}
