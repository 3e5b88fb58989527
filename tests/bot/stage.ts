// A running bot against the fake chat server and the fake desk, on a clock that the test moves.
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Bot, type BotOptions, createBot } from "../../src/bot/index.ts";
import { silentLog } from "../../src/log.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createFakeDesk, type FakeDesk } from "../support/fake-desk.ts";
import { FakeTelegram } from "./fake-telegram.ts";

/** Are the people of the tests. */
export const ANNA = { id: 11, name: "anna", role: "owner" } as const;
export const BEN = { id: 12, name: "ben", role: "owner" } as const;
export const TOM = { id: 13, name: "tom", role: "trader" } as const;
export const VERA = { id: 14, name: "vera", role: "viewer" } as const;
export const STRANGER = 666;
export const GROUP = -1_001;

/** Is everything that a test moves. */
export type Stage = {
  readonly clock: FakeClock;
  readonly desk: FakeDesk;
  readonly telegram: FakeTelegram;
  readonly bot: Bot;
  readonly stateFile: string;
  /** Lets everything happen that needs no time, and then time in small steps, until it is so; throws after a minute. */
  until(isSo: () => boolean, what?: string): Promise<void>;
  /** Stops the bot, as a signal would. */
  stop(): Promise<void>;
  /** Moves the clock, a second at a time, so that what waits on what can follow. */
  pass(ms: number): Promise<void>;
  /** Lets happen what is due, without moving the clock. */
  rest(): Promise<void>;
};

/** Starts a bot; cards are off unless a test wants them. */
export async function startStage(
  options: Partial<BotOptions> & {
    before?: (stage: { desk: FakeDesk; telegram: FakeTelegram; clock: FakeClock }) => void;
    hasCard?: boolean;
    from?: Pick<Stage, "clock" | "desk" | "telegram" | "stateFile">;
  } = {},
): Promise<Stage> {
  const clock = options.from?.clock ?? createFakeClock();
  const desk = options.from?.desk ?? createFakeDesk(clock);
  const telegram = options.from?.telegram ?? new FakeTelegram(clock);
  const stateFile = options.from?.stateFile ?? join(temporaryFolder(), "bot.json");
  if (options.hasCard !== true && options.from === undefined) {
    const { settings } = desk.snapshot();
    desk.setSnapshot({ settings: { ...settings, telegram: { ...settings.telegram, statusCard: false } } });
  }
  options.before?.({ desk, telegram, clock });
  const { before: _, hasCard: __, from: ___, ...more } = options;
  const bot = createBot({
    token: "123456:canary-token-of-the-tests-000000000",
    apiRoot: "http://127.0.0.1:1",
    desk,
    wall: clock,
    users: [ANNA, BEN, TOM, VERA],
    alertChats: [ANNA.id],
    groups: [GROUP],
    theme: "dark",
    stateFile,
    fetch: telegram.fetch,
    log: silentLog,
    isDemo: false,
    random: () => 1,
    // Drawing takes real time, which this clock knows nothing of; tests/charts and real-server.test.ts draw.
    painter: { paint: async () => new Uint8Array([0, 80, 78, 71]), close: async () => {} },
    ...more,
  });
  const rest = async (): Promise<void> => {
    // A write of our own to the same disk takes as long as the bot's; immediates let answers settle.
    const file = await open(`${stateFile}.barrier`, "w");
    await file.writeFile("x");
    await file.sync();
    await file.close();
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  };
  const pass = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
      clock.advance(Math.min(1_000, leftMs));
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    }
    await rest();
  };
  const until = async (isSo: () => boolean, what = "it"): Promise<void> => {
    for (let step = 0; step < 240; step += 1) {
      await rest();
      if (isSo()) return;
      clock.advance(250);
    }
    throw new Error(
      `${what} did not happen; calls: ${telegram.calls
        .slice(-8)
        .map((call) => `${call.method} ${JSON.stringify(call.payload)}`)
        .join("\n")}`,
    );
  };
  const started = bot.start();
  let isStarted = false;
  void started.then(() => {
    isStarted = true;
  });
  await until(() => isStarted, "the start");
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    let isStopped = false;
    stopping ??= bot.stop();
    void stopping.then(() => {
      isStopped = true;
    });
    await until(() => isStopped, "the stop");
  };
  onTestFinished(stop);
  return { clock, desk, telegram, bot, stateFile, until, stop, pass, rest };
}

/** Returns a folder of its own that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bot-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
