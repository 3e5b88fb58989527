// The parent of a running bot: starts it again when it ends by a fault, gives up after too many, and passes signals on.
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "./clock.ts";

/** Restarts within the window; one more and the bot stays down. */
export const RESTARTS_MAX = 5;
export const RESTARTS_WINDOW_MS = 600_000;
const RESTART_WAIT_MS = 2_000;

/** What is supervised, and how it is spoken of. */
export type Supervised = {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Exit codes after which a restart could not help: in order, bad input, locked. */
  readonly finalCodes: ReadonlySet<number>;
  readonly clock: Clock;
  readonly say: (line: string) => void;
};

/**
 * Runs the child until it ends for good and returns its last exit code. SIGINT and SIGTERM go to the child, which ends in
 * order; a terminal tells it too, and the child takes the two for one. SIGUSR1 goes to it as well, to halt.
 */
export function supervise(options: Supervised): Promise<number> {
  const { clock, say } = options;
  const restartsAtMs: number[] = [];
  let child: ChildProcess | null = null;
  let isEnding = false;

  const pass = (signal: NodeJS.Signals): void => {
    isEnding = true;
    child?.kill(signal);
  };
  const onInterrupt = (): void => pass("SIGINT");
  const onTerminate = (): void => pass("SIGTERM");
  const onHangUp = (): void => pass("SIGTERM");
  const onHalt = (): void => {
    if (child === null) say("The bot is not running at this moment, so it could not be halted: send SIGUSR1 again.");
    else child.kill("SIGUSR1");
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  process.on("SIGHUP", onHangUp);
  // Without a listener Node would open its debugger.
  process.on("SIGUSR1", onHalt);

  return new Promise((resolve) => {
    const finish = (code: number): void => {
      process.removeListener("SIGINT", onInterrupt);
      process.removeListener("SIGTERM", onTerminate);
      process.removeListener("SIGHUP", onHangUp);
      process.removeListener("SIGUSR1", onHalt);
      resolve(code);
    };
    const launch = (): void => {
      child = spawn(options.command, [...options.arguments], { stdio: "inherit", env: options.environment });
      child.on("error", (error) => {
        say(`The bot could not be started: ${error.message}`);
        finish(70);
      });
      child.on("exit", (code, signal) => {
        child = null;
        const status = code ?? 128;
        if (isEnding || options.finalCodes.has(status)) {
          finish(status);
          return;
        }
        const now = clock.nowMs();
        while (restartsAtMs.length > 0 && now - (restartsAtMs[0] as number) > RESTARTS_WINDOW_MS) restartsAtMs.shift();
        const how = signal === null ? `with exit code ${status}` : `by ${signal}`;
        if (restartsAtMs.length >= RESTARTS_MAX) {
          say(
            `The bot ended ${how}, and was restarted ${RESTARTS_MAX} times in ${RESTARTS_WINDOW_MS / 60_000} minutes: it stays down. ` +
              "Stops and targets rest at the broker. See the lines above; close by hand with: npm run flatten",
          );
          finish(status);
          return;
        }
        restartsAtMs.push(now);
        say(`The bot ended ${how}; it is started again (${restartsAtMs.length} of ${RESTARTS_MAX}).`);
        clock.after(RESTART_WAIT_MS, () => (isEnding ? finish(status) : launch()));
      });
    };
    launch();
  });
}
