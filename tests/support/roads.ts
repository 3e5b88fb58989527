// The two roads to the exchange, made alike: straight to it, and by @stoqey/ib over TCP to the simulated gateway. The
// market stands still until it is stepped; after `rest` everything that was said has been heard.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { wallClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { startGatewayServer } from "../../src/simulators/ib-gateway/index.ts";
import { findProduct, frontListing } from "../../src/simulators/ib-gateway/listings.ts";
import type { MarketSource } from "../../src/simulators/ib-gateway/market-source.ts";
import type { Gateway } from "../../src/trading/gateway.ts";
import { createIbGateway } from "../../src/trading/ib/index.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createInProcessGateway } from "./in-process-gateway.ts";

/** A gateway of ours with a market that the test moves. */
export type Road = {
  readonly gateway: Gateway;
  /** Moves the market to `atMs`; what it says has left then. */
  stepTo(atMs: number): Promise<void>;
  /** Lets it be `atMs` for what is sent now, before anything of that moment happens; only where nothing happens before it. */
  reach(atMs: number): void;
  /** Returns when the market or an order under way does something next; null where nothing does, or where it can't be told. */
  nextAtMs(): number | null;
  /** Resolves when nothing that either side said is under way. Needs a link that is up. */
  rest(): Promise<void>;
  /** Resolves when no byte is on its way. Asks nothing, so it is quick, but what waits for its turn to leave is not seen. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
};

/** What both roads are made from. */
export type RoadOptions = {
  readonly source: MarketSource;
  readonly startMs: number;
  readonly latencyMs?: number;
  /** True where messages are paced by the machine's time, as in earnest; else the pace is skipped by `rest`. */
  readonly isPaced?: boolean;
};

/** Makes one of the roads. */
export type MakeRoad = (options: RoadOptions) => Promise<Road>;

const LATENCY_MS = 20;
const START_CASH_USD = 10_000;
const DAY_MS = 86_400_000;
/** Longer than the pace of the sending side, so that the next message leaves at once. */
const PACE_MS = 200;

/** Is the road straight to the exchange. */
export const inProcess: MakeRoad = async ({ source, startMs, latencyMs = LATENCY_MS }) => {
  const product = findProduct("MES");
  if (product === undefined) throw new Error("MES is not listed");
  const listing = frontListing(product, startMs);
  const { lastTradeDate } = listing;
  const gateway = createInProcessGateway({
    source,
    startMs,
    contract: {
      conId: listing.conId,
      localSymbol: listing.localSymbol,
      month: listing.month,
      lastTradeDate: `${lastTradeDate.slice(0, 4)}-${lastTradeDate.slice(4, 6)}-${lastTradeDate.slice(6)}`,
      tickSizeE4: 2_500,
      multiplierCents: 500,
      hours: [{ fromMs: startMs - DAY_MS, toMs: startMs + DAY_MS }],
    },
    tickValueCents: product.tickCents,
    feeCents: product.feeCents,
    initMarginCents: product.initialMarginCents,
    latencyMs,
    startCashCents: START_CASH_USD * 100,
  });
  return {
    gateway,
    stepTo: async (atMs) => gateway.stepTo(atMs),
    reach: (atMs) => gateway.reach(atMs),
    nextAtMs: () => gateway.nextAtMs(),
    rest: () => Promise.resolve(),
    quiet: () => Promise.resolve(),
    stop: () => gateway.close(),
  };
};

/** Is the road over the wire. */
export const overTcp: MakeRoad = async ({ source, startMs, latencyMs = LATENCY_MS, isPaced = false }) => {
  const sockets = watchSockets();
  const server = await startGatewayServer({
    port: 0,
    httpPort: null,
    clock: createFakeClock(startMs),
    wall: wallClock,
    source,
    hours: "exchange",
    symbol: "MES",
    account: "DU1234567",
    latencyMs,
    extraSlippageTicks: 0,
    startCashUsd: START_CASH_USD,
    speed: 0,
    seed: 7,
    ledgerFile: null,
    stateFile: null,
    scriptFile: null,
    log: silentLog,
  });
  const fakeWall = createFakeClock();
  const wall = isPaced ? wallClock : fakeWall;
  const gateway = createIbGateway({
    host: "127.0.0.1",
    port: server.port,
    clientId: 7,
    account: null,
    live: false,
    timesRealTime: 1,
    wall,
    clock: createFakeClock(startMs),
    random: () => 0.5,
    log: silentLog,
    onRefused: (control, detail) => {
      throw new Error(`${control}: ${detail}`);
    },
  });
  return {
    gateway,
    stepTo: (atMs) => server.stepTo(atMs),
    reach: () => {
      throw new Error("over the wire there is no time without its market");
    },
    nextAtMs: () => null,
    rest: async () => {
      // The answer comes behind everything that was said before it.
      fakeWall.advance(PACE_MS);
      const answer = await gateway.brokerTimeMs();
      if (!answer.ok) throw new Error(`the link is not at rest: ${JSON.stringify(answer.error)}`);
    },
    quiet: () => sockets.quiet(),
    stop: async () => {
      sockets.stop();
      await gateway.close();
      await server.stop();
    },
  };
};

/** So many turns of the loop without a byte moving are rest: a request is answered within the turn that brings it. */
const QUIET_TURNS = 3;
const QUIET_TURNS_MAX = 1_000_000;

/** Follows the newest connection of this process from both of its ends. */
function watchSockets(): { quiet(): Promise<void>; stop(): void } {
  let client: Socket | null = null;
  let server: Socket | null = null;
  const onClient = (message: unknown): void => {
    client = (message as { socket: Socket }).socket;
  };
  const onServer = (message: unknown): void => {
    server = (message as { socket: Socket }).socket;
  };
  subscribe("net.client.socket", onClient);
  subscribe("net.server.socket", onServer);
  return {
    quiet: async () => {
      let before = "";
      for (let calm = 0, turns = 0; calm < QUIET_TURNS; turns++) {
        if (turns > QUIET_TURNS_MAX) throw new Error("the connection does not come to rest");
        await new Promise((resolve) => setImmediate(resolve));
        if (client === null || server === null) throw new Error("there is no connection to watch");
        const isArrived = client.bytesRead === server.bytesWritten && server.bytesRead === client.bytesWritten;
        const now = `${client.bytesRead} ${server.bytesRead}`;
        calm = isArrived && now === before ? calm + 1 : 0;
        before = now;
      }
    },
    stop: () => {
      unsubscribe("net.client.socket", onClient);
      unsubscribe("net.server.socket", onServer);
    },
  };
}
