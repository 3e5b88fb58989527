// The local Bot API server and its chat page: the other side of the bot's wire when no Telegram is at hand. It is written
// against the Bot API alone and shares nothing with the bot.
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { User } from "./api.ts";
import { Bots, DEMO_TOKEN } from "./bots.ts";
import { CallBook } from "./call-record.ts";
import { type Fault, FaultPlan } from "./faults.ts";
import { FileShelf, type RandomBytes } from "./file-shelf.ts";
import { createBotApi } from "./server.ts";
import { loadState, StateFile } from "./state-file.ts";
import { World } from "./world.ts";

export { DEMO_TOKEN };

/** Is who isn't in any allow-list, for the page's switch: a person who may write but must not be served. */
export const STRANGER: { readonly id: number; readonly name: string } = { id: 990_000_001, name: "Stranger" };

/** Is a running server on 127.0.0.1. */
export type BotApiServer = {
  port: number;
  /** Is http://127.0.0.1:PORT, the api root for a bot and the address of the page. */
  url: string;
  /** Is the token a bot of ours uses here. */
  token: string;
  /** Changes the line that the page always shows. */
  setBanner(banner: string): void;
  /** Ends polls, closes connections and writes the state. */
  close(): Promise<void>;
};

/** Is how the server is set up. */
export type BotApiOptions = {
  /** 0 takes a free one. */
  port: number;
  /** Runs the Bot API's time-outs: a wall clock. */
  clock: Clock;
  /** Dates messages and the Date header; `clock` without it. */
  messageClock?: Clock;
  /** Is the only token that is let in; without it the demo's and any well-formed other. */
  token?: string;
  /** Is the page's user; the id of their private chat is their id. */
  owner: { id: number; name: string };
  /** Is shown on the page always: that this is a demo, and what its market is. */
  banner: string;
  /** Holds chats, messages, update ids and, beside it, files; nothing is kept without it. */
  stateFile?: string;
  /** Gets every call and answer as a line of JSON, tokens masked. */
  recordFile?: string;
  /** Go wrong from the start on (faults.ts, `parseScript`). */
  faults?: readonly Fault[];
  /** Gives the bytes that the ids of files, presses and albums are made of; left out, nobody can guess them. */
  random?: RandomBytes;
  /** Applies Telegram's flood limits; on by default. */
  flood?: boolean;
  log: Log;
};

/** Is the reason why the server can't start: another program has the port. */
export class PortBusyError extends Error {
  override readonly name = "PortBusyError";
  readonly type = "port_busy";
  readonly port: number;

  constructor(port: number) {
    super(`Port ${port} of 127.0.0.1 is taken by another program; choose another port or end that program.`);
    this.port = port;
  }
}

/**
 * Starts the server; rejects with a PortBusyError when the port is taken.
 *
 * Where it differs from the real one: webhooks are refused; files are not fetched from links; pictures keep their bytes in
 * all sizes instead of being recompressed; the owner's chat is open before they write; a press can be answered for 30 s;
 * methods that methods/table.ts doesn't list answer "method not found".
 */
export async function startBotApiServer(options: BotApiOptions): Promise<BotApiServer> {
  const { clock, log, stateFile } = options;
  const saved = stateFile === undefined ? undefined : await loadState(stateFile, clock.nowMs(), log);
  const owner: User = { id: options.owner.id, is_bot: false, first_name: options.owner.name, language_code: "en" };
  const faults = new FaultPlan(clock);
  const world = new World({
    clock,
    trouble: faults,
    messageClock: options.messageClock ?? clock,
    files: new FileShelf(
      stateFile === undefined ? undefined : `${stateFile}.files`,
      saved?.files ?? [],
      options.random,
    ),
    ...(options.random === undefined ? {} : { random: options.random }),
    owner,
    seq: (saved?.seq ?? 0) + 1,
  });
  for (const person of saved?.people ?? []) if (person.user.id !== owner.id) world.people.set(person.user.id, person);
  world.person(STRANGER.id, { first_name: STRANGER.name });
  const bots = new Bots(world, options.token, saved?.accounts ?? []);

  let banner = options.banner;
  const calls = new CallBook(options.recordFile, log);
  const server = createBotApi({
    clock,
    world,
    bots,
    faults,
    calls,
    isFloodLimited: options.flood ?? true,
    log,
    control: { world, faults, calls, banner: () => banner, account: (botId) => bots.byId(botId) },
  });
  for (const fault of options.faults ?? []) faults.add(fault);
  const port = await listen(server, options.port).catch(async (thrown: unknown) => {
    await calls.close();
    throw thrown;
  });

  const state = stateFile === undefined ? undefined : new StateFile(stateFile, world, clock, log);
  if (state !== undefined) {
    // Written at once, so that a kill before the first change is seen as one.
    await state.save(false);
    world.onChange = () => state.schedule();
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    token: options.token ?? DEMO_TOKEN,
    setBanner: (text) => {
      banner = text;
      world.touch();
    },
    close: async () => {
      world.stop();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      // One turn for the ended polls' answers, then whoever still hangs is cut off.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      server.closeAllConnections();
      await closed;
      world.onChange = () => {};
      await state?.save(true);
      await calls.close();
    },
  };
}

function listen(server: ReturnType<typeof createBotApi>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (thrown: NodeJS.ErrnoException) => {
      reject(thrown.code === "EADDRINUSE" ? new PortBusyError(port) : thrown);
    });
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("the server listens, but on no port"));
      else resolve(address.port);
    });
  });
}
