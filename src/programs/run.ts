// The bot itself, as `npm start` runs it: decides the mode, brings everything up, and ends in order at a signal.
import type { StartOptions } from "../cli.ts";
import { wallClock } from "../clock.ts";
import { printJournalProblem } from "../journal/journal.ts";
import { setLatch } from "../journal/latch.ts";
import { acquireLock } from "../journal/lock.ts";
import { createLog, errorFields, type Log } from "../log.ts";
import { startWatchdog } from "../watchdog.ts";
import { bringUp, noParts, tearDown } from "./bring-up.ts";
import { readyDataDir } from "./data-dir.ts";
import { DONE, ExitError, FAULT, LOCKED } from "./exit.ts";
import { decideMode } from "./mode.ts";
import { listenForStop } from "./stop-signal.ts";

const HALT_REASON = "signal SIGUSR1";

/** Runs until a signal or a fault and returns the exit code. */
export async function run(options: StartOptions): Promise<number> {
  const halting = haltSignal();
  const stopping = listenForStop();
  const mode = await decideMode(options, process.env, wallClock.nowMs());
  const { settings, dataDir } = mode;
  halting.haltInto(dataDir);
  const log = createLog({
    level: settings.logging.level,
    format: settings.logging.format ?? (process.stderr.isTTY === true ? "pretty" : "json"),
  });
  catchStrays(log);
  readyDataDir(dataDir);
  const lock = await acquireLock(dataDir);
  if (!lock.ok) throw new ExitError(LOCKED, printJournalProblem(lock.error));

  const parts = noParts();
  const watchdog = startWatchdog();
  try {
    let reportFault: (fault: Error) => void = () => {};
    const fault = new Promise<Error>((resolve) => {
      reportFault = resolve;
    });
    halting.onHalt(
      () => void parts.assembly?.desk.halt({ person: { id: 0, name: "SIGUSR1" }, updateId: null }, HALT_REASON),
    );
    await bringUp(mode, options, lock.value, parts, log, reportFault);
    const reason = await Promise.race([stopping.signal, fault]);
    if (reason instanceof Error) {
      say(`The bot has stopped trading: ${reason.message}`);
      await tearDown(parts, settings, "fault", log);
      return FAULT;
    }
    say(`\n${reason}: stopping …`);
    await tearDown(parts, settings, reason, log);
    return DONE;
  } catch (thrown) {
    await tearDown(parts, settings, "failed start", log);
    throw thrown;
  } finally {
    watchdog.stop();
    await lock.value.release();
    stopping.remove();
    halting.remove();
  }
}

type HaltSignal = {
  /** From now on SIGUSR1 halts: the latch in this directory is written in the handler itself. */
  haltInto(dataDir: string): void;
  /** Hears of SIGUSR1 once the latch is written. */
  onHalt(listener: () => void): void;
  remove(): void;
};

/** SIGUSR1 halts. It is taken first of all, or Node would open its debugger. */
function haltSignal(): HaltSignal {
  let dataDir: string | null = null;
  const listeners: (() => void)[] = [];
  const onHalt = (): void => {
    if (dataDir === null) return;
    setLatch(dataDir, { atMs: wallClock.nowMs(), by: "SIGUSR1", reason: HALT_REASON });
    for (const listener of listeners) listener();
  };
  process.on("SIGUSR1", onHalt);
  return {
    haltInto: (dir) => {
      dataDir = dir;
    },
    onHalt: (listener) => listeners.push(listener),
    remove: () => process.removeListener("SIGUSR1", onHalt),
  };
}

/** What nobody caught is our fault: said without secrets, and the process ends, to be started again. */
function catchStrays(log: Log): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (thrown: unknown) => {
      log.error(errorFields(thrown), "a fault that nobody caught; the process ends and is started again");
      process.exit(FAULT);
    });
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
