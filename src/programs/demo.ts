// The outside world of the demo: a market clock, the simulated IB Gateway on it, and the local Bot API server with its
// chat page. The bot meets both over loopback sockets only.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StartOptions } from "../cli.ts";
import { createMarketClock, type MarketClock, wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import {
  type GatewayServer,
  GatewayStartError,
  readGatewayState,
  startGatewayServer,
} from "../simulators/ib-gateway/index.ts";
import { type BotApiServer, DEMO_TOKEN, PortBusyError, startBotApiServer } from "../simulators/telegram/index.ts";
import { badInput } from "./exit.ts";
import { type MarketSpec, marketSpec, openMarket } from "./market.ts";
import { ENDED_MARK, type Mode } from "./mode.ts";

export { DEMO_TOKEN };

/** The person at the demo's chat page. */
export const DEMO_OWNER = { id: 424_242, name: "You" } as const;
/** The simulated paper account. */
export const DEMO_ACCOUNT = "DU1234567";

/** More than any machine plays. */
const FULL_SPEED_TIMES = 100_000;
const MARKET_FILE = "market.json";
/** Ports tried from the default one upward when it is taken and nobody asked for it. */
const PORT_TRIES_MAX = 20;

/** Is the simulated world. */
export type Demo = {
  readonly clock: MarketClock;
  readonly gateway: GatewayServer;
  /** Null where the bot talks to the real Telegram. */
  readonly chat: BotApiServer | null;
  /** "synthetic market, seed 7, ×10": what the market is, as every message and page says it. */
  label(): string;
  /** At full speed the market waits for the bot, of which `idle` tells when it has done what it was told to do. */
  waitFor(idle: () => Promise<void>): void;
  /** How many times as fast as the machine's time the market runs at most. */
  readonly timesRealTime: number;
  /** Is when the recording ends; null for a market that does not. */
  readonly endMs: number | null;
  stop(): Promise<void>;
};

/** Starts gateway and chat, or throws an ExitError with what is to be mended. */
export async function startDemo(mode: Mode, options: StartOptions, log: Log): Promise<Demo> {
  const { settings, dataDir } = mode;
  const { simulator } = settings;
  const speed = simulator.speed ?? "max";
  const spec = keptSpec(dataDir, marketSpec(settings, wallClock.nowMs()));
  const stateFile = join(dataDir, "gateway.json");
  const saved = orBadInput(() => readGatewayState(stateFile));
  const source = openMarket(spec, settings, saved?.market ?? null);
  // Only once it opens: a file that can't be played must not tie the directory to it.
  keepSpec(dataDir, spec);
  const clock = createMarketClock(saved?.atMs ?? source.startMs, 0);
  let botIdle = (): Promise<void> => Promise.resolve();
  const gateway = await startGatewayServer({
    port: simulator.gatewayPort,
    httpPort: 0,
    clock,
    wall: wallClock,
    source,
    hours: simulator.hours,
    symbol: spec.symbol,
    account: DEMO_ACCOUNT,
    latencyMs: simulator.latencyMs,
    extraSlippageTicks: simulator.extraSlippageTicks,
    startCashUsd: simulator.startCashCents / 100,
    speed,
    seed: simulator.seed,
    ledgerFile: null,
    stateFile,
    scriptFile: null,
    clientIdle: () => botIdle(),
    log: log.child({ room: "gateway" }),
  }).catch((thrown: unknown) => {
    throw thrown instanceof GatewayStartError ? badInput(thrown.message) : thrown;
  });
  const label = (): string => `${source.label}, ${printSpeed(gateway.speed())}`;
  try {
    const chat = mode.chat === "local" ? await startChat(mode, options, label(), log) : null;
    return {
      clock,
      gateway,
      chat,
      label,
      timesRealTime: speed === "max" ? FULL_SPEED_TIMES : speed,
      endMs: source.endMs,
      waitFor: (idle) => {
        botIdle = idle;
      },
      stop: async () => {
        await chat?.close();
        await gateway.stop();
        if (source.endMs !== null && clock.nowMs() >= source.endMs)
          writeFileSync(join(dataDir, ENDED_MARK), "", { mode: 0o600 });
      },
    };
  } catch (thrown) {
    await gateway.stop();
    throw thrown;
  }
}

function printSpeed(speed: number | "max"): string {
  if (speed === 0) return "paused";
  return speed === "max" ? "full speed" : `×${speed}`;
}

/** One directory is one market: a restart goes on where it stood, and another market needs another directory. */
function keptSpec(dataDir: string, wanted: MarketSpec): MarketSpec {
  const path = join(dataDir, MARKET_FILE);
  if (!existsSync(path)) return wanted;
  const kept = JSON.parse(readFileSync(path, "utf8")) as MarketSpec;
  // Where the start is left open, the kept one holds: the demo's day began then.
  const isSame = (["market", "symbol", "seed", "volatility", "hours"] as const).every(
    (key) => kept[key] === wanted[key],
  );
  if (isSame) return kept;
  throw badInput(
    `${dataDir} holds the state of another market (${describe(kept)}), not of ${describe(wanted)}. ` +
      "Set DATA_DIR to another folder, or remove this one to begin anew.",
  );
}

function keepSpec(dataDir: string, spec: MarketSpec): void {
  const path = join(dataDir, MARKET_FILE);
  if (!existsSync(path)) writeFileSync(path, `${JSON.stringify(spec)}\n`, { mode: 0o600 });
}

function describe(spec: MarketSpec): string {
  const what = spec.market === "synthetic" ? `a synthetic market, seed ${spec.seed}` : spec.market;
  return `${what}, ${spec.symbol}`;
}

async function startChat(mode: Mode, options: StartOptions, label: string, log: Log): Promise<BotApiServer> {
  const { chatPort } = mode.settings.simulator;
  for (let tried = 0; ; tried++) {
    const port = chatPort === 0 ? 0 : chatPort + tried;
    try {
      return await startBotApiServer({
        port,
        clock: wallClock,
        token: DEMO_TOKEN,
        owner: DEMO_OWNER,
        banner: `DEMO · no real money · ${label}`,
        stateFile: join(mode.dataDir, "chat.json"),
        log: log.child({ room: "chat" }),
      });
    } catch (thrown) {
      if (!(thrown instanceof PortBusyError)) throw thrown;
      if (options.chatPort !== null || tried + 1 >= PORT_TRIES_MAX) {
        throw badInput(`Port ${port} for the chat page is taken. Choose another with --chat-port N (0 = a free one).`);
      }
      process.stdout.write(`Port ${port} is taken; the chat page takes the next one.\n`);
    }
  }
}

function orBadInput<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw thrown instanceof GatewayStartError ? badInput(thrown.message) : thrown;
  }
}
