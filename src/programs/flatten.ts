// `npm run flatten`: out of everything when the chat does not help. Asks the living bot of the same data directory
// first; without an answer it connects to the broker itself, on the same engine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wallClock } from "../clock.ts";
import { readControlFile } from "../dashboard/access.ts";
import type { Caused, Status } from "../engine.ts";
import { printJournalProblem } from "../journal/journal.ts";
import { setLatch } from "../journal/latch.ts";
import { acquireLock } from "../journal/lock.ts";
import { createLog, errorFields } from "../log.ts";
import { createIbGateway } from "../trading/ib/index.ts";
import { VERSION } from "../version.ts";
import { type Assembly, assemble } from "./assemble.ts";
import { readyDataDir } from "./data-dir.ts";
import { badInput, DONE, ExitError, FAULT } from "./exit.ts";
import { decideMode, type Mode } from "./mode.ts";

const ANSWER_MS_MAX = 2_000;
const LOOK_MS = 500;
const FLAT_MS_MAX = 60_000;
const CONNECT_MS_MAX = 30_000;
const BY = { person: { id: 0, name: "command line" }, updateId: null };

type Options = {
  readonly dryRun: boolean;
  readonly direct: boolean;
  readonly clientId: number | null;
};

/** Returns 0 once the broker confirms that we are flat, 70 where it does not within a minute. */
export async function flatten(options: Options): Promise<number> {
  const mode = await decideMode(NO_FLAGS, process.env, wallClock.nowMs());
  if (!options.direct) {
    const answer = await askLivingBot(mode.dataDir, options.dryRun);
    if (answer !== null) return answer;
    say("No living bot answers for this data directory.");
  }
  if (mode.broker === "simulated") {
    throw badInput(
      "The demo's market lives inside npm start: start it, and use /flatten in its chat. (A broker is named by config/config.yaml, IB_HOST or IB_PORT.)",
    );
  }
  return direct(mode, options);
}

const NO_FLAGS = {
  config: null,
  demo: false,
  data: null,
  speed: null,
  seed: null,
  start: null,
  gatewayPort: null,
  chatPort: null,
  httpPort: null,
  set: [],
} as const;

/** Returns the exit code, or null where nobody answers. */
async function askLivingBot(dataDir: string, dryRun: boolean): Promise<number | null> {
  const control = readControlFile(dataDir);
  if (control === null) return null;
  const ask = async <T>(method: "GET" | "POST", path: string): Promise<T | null> => {
    try {
      const response = await fetch(`http://127.0.0.1:${control.port}${path}`, {
        method,
        headers: { authorization: `Bearer ${control.token}` },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      return response.ok ? ((await response.json()) as T) : null;
    } catch (thrown) {
      say(`The bot on port ${control.port} does not answer: ${errorFields(thrown).errorMessage}`);
      return null;
    }
  };
  const before = await ask<Status>("GET", "/control/status");
  if (before === null) return null;
  printHeld(before);
  if (dryRun) return done("Dry run: nothing was done. The living bot would be told to flatten.");
  const answer = await ask<{ accepted: boolean; lines: string[] }>("POST", "/control/flatten");
  if (answer === null) return null;
  for (const line of answer.lines) say(line);
  const startMs = wallClock.nowMs();
  while (wallClock.nowMs() - startMs < FLAT_MS_MAX) {
    await wait(LOOK_MS);
    const now = await ask<Status>("GET", "/control/status");
    if (now === null) return null;
    if (now.posture !== "flattening" && now.position === null && now.orders.every((order) => order.leg === null)) {
      return done("FLAT: the broker confirms position 0 and no working orders of ours.");
    }
  }
  throw new ExitError(FAULT, "NOT FLAT after 60 s. Close by hand in TWS or by telephone; the bot goes on trying.");
}

/** Without the living bot: the halt is on the disk first, so that no later start enters again. */
async function direct(mode: Mode, options: Options): Promise<number> {
  const { settings, dataDir } = mode;
  readyDataDir(dataDir);
  if (!options.dryRun) setLatch(dataDir, { atMs: wallClock.nowMs(), by: "command line", reason: "npm run flatten" });
  const lock = await acquireLock(dataDir);
  // The bot's process lives but is deaf: its journal is its own, so this run keeps one of its own and starts from the broker's word.
  const workDir = lock.ok ? dataDir : mkdtempSync(join(tmpdir(), "scalper-flatten-"));
  if (!lock.ok) say("The bot's process still holds its data directory; working from what the broker says.");
  const log = createLog({ level: "warn", format: process.stderr.isTTY === true ? "pretty" : "json" });
  const clientId = options.clientId ?? settings.ibkr.clientId;
  let refusal: string | null = null;
  const gateway = createIbGateway({
    ...settings.ibkr,
    clientId,
    timesRealTime: 1,
    wall: wallClock,
    clock: wallClock,
    random: Math.random,
    log,
    onRefused: (_control, detail) => {
      refusal = detail;
    },
  });
  const assembled = await assemble({
    dataDir: workDir,
    settings,
    config: { text: mode.config.text, save: async () => {} },
    badge: settings.ibkr.live ? "LIVE" : "PAPER",
    marketLabel: () => null,
    startsTrading: false,
    gateway,
    clock: wallClock,
    wall: wallClock,
    version: VERSION,
    log,
    ...(lock.ok ? { lock: lock.value } : {}),
    onFault: (fault) => say(`The engine stopped: ${fault.message}`),
  });
  if (!assembled.ok) throw badInput(printJournalProblem(assembled.error));
  try {
    return await flattenThrough(assembled.value, options, () => refusal, clientId);
  } finally {
    await assembled.value.close();
    if (lock.ok) await lock.value.release();
    else rmSync(workDir, { recursive: true, force: true });
  }
}

async function flattenThrough(
  assembly: Assembly,
  options: Options,
  refusal: () => string | null,
  clientId: number,
): Promise<number> {
  const { desk, session } = assembly;
  let end: Extract<Caused, { type: "flat_confirmed" }> | null = null;
  desk.observe((caused) => {
    if (caused.type === "flat_confirmed") end = caused;
    if (caused.type === "intent") say(`  ${caused.action.do} ${caused.orderRef}: ${caused.why}`);
  });
  await assembly.begin();
  assembly.connect();
  const startMs = wallClock.nowMs();
  while (!session.status().reconciled) {
    if (refusal() !== null) throw badInput(refusal() as string);
    if (wallClock.nowMs() - startMs > CONNECT_MS_MAX) {
      throw new ExitError(
        FAULT,
        `The broker does not answer as client ${clientId}. Another free one: npm run flatten -- --direct --client-id N. Or close by hand in TWS.`,
      );
    }
    await wait(LOOK_MS);
  }
  printHeld(session.status());
  if (options.dryRun)
    return done("Dry run: nothing was sent. These orders would be cancelled and this position closed at the market.");
  for (const line of (await desk.flatten(BY)).lines) say(line);
  while (end === null && wallClock.nowMs() - startMs < FLAT_MS_MAX + CONNECT_MS_MAX) await wait(LOOK_MS);
  if (end === null) throw new ExitError(FAULT, "NOT FLAT after 60 s. Close by hand in TWS or by telephone.");
  return done("FLAT: the broker confirms position 0 and no working orders of ours. Entries stay off until /arm.");
}

function printHeld(status: Status): void {
  const size = status.position?.position ?? 0;
  const held =
    size === 0 ? "flat" : `${size > 0 ? "LONG" : "SHORT"} ${Math.abs(size)} ${status.contract?.localSymbol ?? ""}`;
  say(`Now: ${held}, ${status.orders.length} working orders.`);
}

function done(line: string): number {
  say(line);
  return DONE;
}

function wait(waitMs: number): Promise<void> {
  return new Promise((resolve) => wallClock.after(waitMs, resolve));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
