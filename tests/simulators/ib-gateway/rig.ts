// A gateway on a free port with a market that a test moves by hand, and @stoqey/ib as an independent client of it.

import { EventName, IBApi } from "@stoqey/ib";
import { DateTime } from "luxon";
import { createMarketClock, wallClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import {
  type GatewayOptions,
  type GatewayServer,
  startGatewayServer,
} from "../../../src/simulators/ib-gateway/index.ts";
import { type FixedMarket, fixedMarket } from "./fixed-market.ts";

/** Is Monday 2026-01-05, 09:00 in Chicago. */
export const START_MS = DateTime.utc(2026, 1, 5, 15, 0).toMillis();
/** Is the front month's last trading day then. */
export const FRONT_MONTH = "202603";
/** Is the contract that has a market, as a client asks for it. */
export const MES = {
  symbol: "MES",
  secType: "FUT",
  exchange: "CME",
  currency: "USD",
  lastTradeDateOrContractMonth: FRONT_MONTH,
} as const;

/** Is one told event: its name and what it carried. */
export type Told = readonly [event: string, ...values: unknown[]];

/** Is a connected client that writes down everything it is told. */
export type Client = {
  readonly ib: IBApi;
  readonly told: Told[];
  readonly nextOrderId: number;
  /** Resolves with the first event, told or yet to come, that `is` accepts. */
  until(event: EventName | string, is?: (...values: never[]) => boolean): Promise<Told>;
  /** Returns the values of every event of a name so far. */
  all(event: EventName | string): readonly (readonly unknown[])[];
};

/** Is a running gateway with its market and clients. */
export type Rig = {
  readonly server: GatewayServer;
  readonly market: FixedMarket;
  nowMs(): number;
  /** Moves the market on by so many milliseconds. */
  step(byMs: number): Promise<void>;
  connect(clientId: number): Promise<Client>;
  stop(): Promise<void>;
};

/** Returns a gateway whose market stands at START_MS. */
export async function startRig(
  options: Partial<GatewayOptions> & { market?: FixedMarket; startMs?: number } = {},
): Promise<Rig> {
  const startMs = options.startMs ?? START_MS;
  const market = options.market ?? fixedMarket(startMs);
  const clock = createMarketClock(startMs, 0);
  const server = await startGatewayServer({
    port: 0,
    httpPort: null,
    clock,
    wall: wallClock,
    source: market,
    hours: "exchange",
    symbol: "MES",
    account: "DU1234567",
    latencyMs: 0,
    extraSlippageTicks: 0,
    startCashUsd: 10_000,
    speed: 0,
    seed: 1,
    ledgerFile: null,
    stateFile: null,
    scriptFile: null,
    log: silentLog,
    ...options,
  });
  const clients: IBApi[] = [];
  return {
    server,
    market,
    nowMs: () => clock.nowMs(),
    step: (byMs) => server.stepTo(clock.nowMs() + byMs),
    connect: async (clientId) => {
      const ib = new IBApi({ host: "127.0.0.1", port: server.port, clientId });
      clients.push(ib);
      const client = watch(ib);
      ib.connect();
      const [, nextOrderId] = await client.until(EventName.nextValidId);
      return { ...client, nextOrderId: nextOrderId as number };
    },
    stop: async () => {
      for (const ib of clients) ib.disconnect();
      await server.stop();
    },
  };
}

/** Returns a watched client that is not connected yet. */
export function watch(ib: IBApi): Omit<Client, "nextOrderId"> {
  const told: Told[] = [];
  const waiters: { event: string; is: (...values: never[]) => boolean; resolve: (told: Told) => void }[] = [];
  ib.on(EventName.all, (event: string, values: unknown[]) => {
    if (event === "received" || event === "sent" || event === "all") return;
    const one: Told = [event, ...values];
    told.push(one);
    for (const waiter of [...waiters]) {
      if (waiter.event !== event || !waiter.is(...(values as never[]))) continue;
      waiters.splice(waiters.indexOf(waiter), 1);
      waiter.resolve(one);
    }
  });
  return {
    ib,
    told,
    until: (event, is = () => true) =>
      new Promise((resolve) => {
        const before = told.find(([name, ...values]) => name === event && is(...(values as never[])));
        if (before !== undefined) resolve(before);
        else waiters.push({ event, is, resolve });
      }),
    all: (event) => told.filter(([name]) => name === event).map(([, ...values]) => values),
  };
}

/** Resolves when the gateway has answered everything that was asked before, and the market has moved a step on. */
export async function settle(rig: Rig, client: Client, isQuoteRepeated = true): Promise<void> {
  await answered(client);
  if (isQuoteRepeated) rig.market.repeatQuote(rig.nowMs() + 1);
  await rig.step(250);
  await answered(client);
}

/** Returns what an order was told as "status filled/remaining", repeats left out. */
export function statuses(client: Client, orderId: number): string[] {
  const told = client
    .all(EventName.orderStatus)
    .filter(([id]) => id === orderId)
    .map(([, status, filled, remaining]) => `${status} ${filled}/${remaining}`);
  return told.filter((one, at) => one !== told[at - 1]);
}

/** Asks for the time and resolves with the answer: what was asked before has been answered then. */
async function answered(client: Client): Promise<void> {
  const answer = new Promise<void>((resolve) => client.ib.once(EventName.currentTime, () => resolve()));
  client.ib.reqCurrentTime();
  await answer;
}
