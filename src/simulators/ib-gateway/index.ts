// The simulated IB Gateway: speaks the TWS wire protocol over TCP, so that any client of a real one can connect, and
// trades against a market from a source. It is what the demo and `npm run simulate` connect to.
import { readFileSync } from "node:fs";
import { DateTime } from "luxon";
import type { Cancel, Clock, MarketClock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { createCalendar, EXCHANGE_ZONE } from "./calendar.ts";
import { startControl } from "./control.ts";
import type { ExchangePort } from "./exchange.ts";
import { createFaultRunner, type FaultRunner } from "./fault-runner.ts";
import { parseScript, type ScriptedFault } from "./faults.ts";
import { createGateway, newGateway, type SavedGateway } from "./gateway.ts";
import { openLedger } from "./ledger.ts";
import { findProduct, frontListing, type Listing, listingByConId, type Product, SYMBOLS } from "./listings.ts";
import type { MarketSource } from "./market-source.ts";
import { createMessageLog } from "./message-log.ts";
import { createMessageTap } from "./message-tap.ts";
import { openExchange } from "./native-exchange.ts";
import { pageView, type ViewParts } from "./page-view.ts";
import { createPump } from "./pump.ts";
import { createSocketServer, HOST } from "./socket-server.ts";
import { GatewayStartError, portProblem } from "./start-error.ts";
import { readState, type SavedState, writeState } from "./state-file.ts";

export { GatewayStartError } from "./start-error.ts";

/** Is what the gateway serves and how. */
export type GatewayOptions = {
  /** 0 is a free one. */
  readonly port: number;
  /** Is the port of the page and the control, 0 for a free one, null for neither. */
  readonly httpPort: number | null;
  /** Is the market's time. */
  readonly clock: MarketClock;
  /** Is the time of sockets. */
  readonly wall: Clock;
  readonly source: MarketSource;
  readonly hours: "exchange" | "always";
  readonly symbol: string;
  /** Is the account's name; a paper account's begins with DU. */
  readonly account: string;
  readonly latencyMs: number;
  readonly extraSlippageTicks: number;
  readonly startCashUsd: number;
  /** 0 stands still for `stepTo`. */
  readonly speed: number | "max";
  /** Is named in the state, so that a run can be had again; the source was made from it. */
  readonly seed: number;
  readonly ledgerFile: string | null;
  readonly stateFile: string | null;
  readonly scriptFile: string | null;
  /** Is the client that hears of everybody's orders; null or left out for none. */
  readonly masterClientId?: number | null;
  /** Is true for an account without a subscription: its data come a quarter of an hour late. False where it is left out. */
  readonly isDataDelayed?: boolean;
  /** Resolves when a client has done what it was told to do; at full speed the market waits for it before it goes on. */
  readonly clientIdle?: () => Promise<void>;
  readonly log: Log;
};

/** Is a running gateway. */
export type GatewayServer = {
  readonly port: number;
  readonly httpPort: number | null;
  /** Is where the page and the control are, null for none. */
  readonly url: string | null;
  readonly clock: MarketClock;
  /** 0 is paused. */
  speed(): number | "max";
  setSpeed(speed: number | "max"): void;
  pause(): void;
  resume(): void;
  /** Moves a market of speed 0 to `atMs` and resolves when every frame has been handed to the sockets. */
  stepTo(atMs: number): Promise<void>;
  /** Makes a fault happen. */
  addFault(fault: ScriptedFault): void;
  state(): object;
  stop(): Promise<void>;
};

/** The state is written this often when the market has moved, in wall milliseconds; after an order at once. */
const SAVE_MS = 1_000;

/**
 * Returns where the last run with this file stood, so that clock and source can be made to go on from there; null
 * where there is none. Throws a GatewayStartError for a file that can't be read.
 */
export function readGatewayState(stateFile: string): { atMs: number; market: string } | null {
  const read = readState(stateFile);
  if (!read.ok) throw new GatewayStartError(read.error);
  return read.value === null ? null : { atMs: read.value.atMs, market: read.value.market };
}

/** Starts a gateway. Rejects with a GatewayStartError that says what a person can mend. */
export async function startGatewayServer(options: GatewayOptions): Promise<GatewayServer> {
  const { clock, wall, source, log } = options;
  const script = readScript(options.scriptFile);
  const product = findProduct(options.symbol);
  if (product === undefined)
    throw new GatewayStartError({ type: "unknown_symbol", symbol: options.symbol, known: SYMBOLS });
  const saved = readSaved(options.stateFile);
  if (saved !== null) clock.jumpTo(saved.atMs);
  const opened = openMarket(options, product, saved, clock.nowMs());
  const calendar = createCalendar(options.hours);
  const ledger = openLedger(options.ledgerFile);
  let account = options.account;

  const gateway = createGateway(
    {
      exchange: opened.exchange,
      source,
      listing: opened.listing,
      calendar,
      ledger,
      masterClientId: options.masterClientId ?? null,
      isDataDelayed: options.isDataDelayed ?? false,
      account: () => account,
      nowMs: () => pump.nowMs(),
      wallMs: () => wall.nowMs(),
    },
    opened.gateway,
  );

  let savedAtMs = Number.NEGATIVE_INFINITY;
  let isSavedSynced = false;
  const save = (isSynced: boolean): void => {
    if (options.stateFile === null) return;
    savedAtMs = pump.nowMs();
    isSavedSynced = isSynced;
    writeState(
      options.stateFile,
      {
        atMs: savedAtMs,
        conId: opened.listing.conId,
        exchange: opened.exchange.snapshot(),
        gateway: gateway.saved(),
        market: source.state(),
      },
      isSynced,
    );
  };
  /** What clients are told of orders is written before the bytes leave: they leave at the end of the running task. */
  const saveIfOrdersChanged = (): void => {
    if (gateway.orders.takeChanged()) save(false);
  };

  const runnerBox: { runner: FaultRunner | undefined } = { runner: undefined };
  const pump = createPump({
    clock,
    wall,
    source,
    exchange: opened.exchange,
    gateway,
    calendar,
    clientIdle: options.clientIdle ?? null,
    log,
    exchangeAtMs: opened.isNew ? null : (saved?.atMs ?? null),
    stepped: (atMs) => {
      runnerBox.runner?.look(atMs);
      saveIfOrdersChanged();
    },
  });

  pump.begin();

  const tap = createMessageTap();
  const messages = options.httpPort === null ? null : createMessageLog(() => pump.nowMs());
  const sockets = createSocketServer(wall, log, tap, {
    heard: (connection, way, text) => {
      if (way === "note") messages?.note(connection.number, text);
      else messages?.add(connection.number, way, text);
    },
    connectionTime: gateway.connectionTime,
    request: (connection, fields) => {
      pump.catchUp();
      gateway.request(connection, fields);
      runnerBox.runner?.look(pump.nowMs());
      saveIfOrdersChanged();
    },
    closed: gateway.closed,
    isStarted: gateway.isStarted,
  });
  const runner = createFaultRunner(
    {
      gateway,
      ledger,
      tap,
      wall,
      log,
      nowMs: () => pump.nowMs(),
      connections: sockets.connections,
      afflict: sockets.afflict,
      refuseConnections: sockets.refuse,
      ignoreHandshakes: sockets.ignoreHandshakes,
      setAccount: (next) => {
        account = next;
      },
    },
    pump.nowMs(),
  );
  runnerBox.runner = runner;
  for (const fault of script) runner.add(fault);

  const state = (): object => ({
    market: source.label,
    seed: options.seed,
    accountName: account,
    atMs: pump.nowMs(),
    time: DateTime.fromMillis(pump.nowMs(), { zone: EXCHANGE_ZONE }).toISO(),
    speed: pump.speed(),
    isOpen: pump.isOpen(),
    faultsWaiting: runner.waiting(),
    ...gateway.state(),
  });

  let port: number;
  try {
    port = await sockets.listen(options.port);
  } catch (cause) {
    ledger.close();
    throw portProblem(cause, options.port);
  }
  let control: Awaited<ReturnType<typeof startControl>> | null = null;
  if (options.httpPort !== null && messages !== null) {
    const parts: ViewParts = {
      gateway,
      source,
      calendar,
      seed: options.seed,
      port: () => port,
      account: () => account,
      nowMs: pump.nowMs,
      speed: pump.speed,
      isOpen: pump.isOpen,
      faultsWaiting: runner.waiting,
      sockets: () => sockets.connections().length,
    };
    try {
      control = await startControl(options.httpPort, {
        wall,
        log,
        messages,
        state,
        view: (barMs) => pageView(parts, barMs),
        position: () => gateway.account.position().position,
        lastTicks: pump.lastTicks,
        addFault: runner.add,
        pause: pump.pause,
        resume: pump.resume,
        setSpeed: pump.setSpeed,
        step: (byMs) => pump.stepTo(pump.nowMs() + byMs),
        isPaused: () => pump.speed() === 0,
      });
    } catch (cause) {
      await sockets.stop();
      ledger.close();
      throw portProblem(cause, options.httpPort);
    }
  }

  let cancelSave: Cancel = () => {};
  const saveNowAndThen = (): void => {
    if (pump.nowMs() !== savedAtMs || !isSavedSynced) save(true);
    cancelSave = wall.after(SAVE_MS, saveNowAndThen);
  };
  if (options.stateFile !== null) saveNowAndThen();
  pump.setSpeed(options.speed);
  log.info(
    { port, httpPort: control?.port ?? null, market: source.label, contract: opened.listing.localSymbol, account },
    "SIMULATION: the simulated IB Gateway listens on 127.0.0.1",
  );

  return {
    port,
    httpPort: control?.port ?? null,
    url: control === null ? null : `http://${HOST}:${control.port}`,
    clock,
    speed: pump.speed,
    setSpeed: pump.setSpeed,
    pause: pump.pause,
    resume: pump.resume,
    stepTo: pump.stepTo,
    addFault: runner.add,
    state,
    stop: async () => {
      pump.stop();
      cancelSave();
      await sockets.stop();
      await control?.stop();
      save(true);
      ledger.close();
    },
  };
}

/** Returns the exchange and the contract: those of the last run, or new ones once a month has rolled on. */
function openMarket(
  options: GatewayOptions,
  product: Product,
  saved: SavedState | null,
  nowMs: number,
): { exchange: ExchangePort; listing: Listing; gateway: SavedGateway; isNew: boolean } {
  const { latencyMs, extraSlippageTicks } = options;
  const front = frontListing(product, nowMs);
  const startCashCents = Math.round(options.startCashUsd * 100);
  const before = saved === null ? undefined : listingByConId(saved.conId);
  if (saved === null || before === undefined || before.product !== product) {
    const exchange = openExchange(front, { latencyMs, extraSlippageTicks, startCashCents }, null);
    return { exchange, listing: front, gateway: newGateway(), isNew: true };
  }
  const exchange = openExchange(before, { latencyMs, extraSlippageTicks, startCashCents }, saved.exchange);
  const hasOrders = saved.gateway.orders.orders.some((order) =>
    ["PreSubmitted", "Submitted", "PendingCancel"].includes(order.status),
  );
  if (before.conId === front.conId || hasOrders || exchange.position().position !== 0) {
    return { exchange, listing: before, gateway: saved.gateway, isNew: false };
  }
  options.log.info(
    { from: before.localSymbol, to: front.localSymbol },
    "The front month has rolled on: the simulated market is now in the next contract",
  );
  const carried = { latencyMs, extraSlippageTicks, startCashCents: exchange.account().cashCents };
  const { orders, account, jumps, held } = saved.gateway;
  const gateway: SavedGateway = {
    orders: { ...orders, orders: [], executions: [] },
    account: { ...account, hasTraded: false },
    jumps,
    held: held ?? [],
  };
  return { exchange: openExchange(front, carried, null), listing: front, gateway, isNew: true };
}

function readSaved(stateFile: string | null): SavedState | null {
  if (stateFile === null) return null;
  const read = readState(stateFile);
  if (!read.ok) throw new GatewayStartError(read.error);
  return read.value;
}

function readScript(path: string | null): readonly ScriptedFault[] {
  if (path === null) return [];
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayStartError({ type: "unreadable_script", path, reason }, cause);
  }
  const read = parseScript(text);
  if (!read.ok) throw new GatewayStartError({ type: "bad_script", path, problem: read.error });
  return read.value;
}
