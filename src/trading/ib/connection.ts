// Keeps one connection to a TWS or IB Gateway: handshake, heartbeat, account guard, back-off. Every connection is a new
// IBApi object with a new epoch: the library hands what an old one had queued to the next socket (measured), a new object
// can't. Nothing else calls connect or disconnect.
import { EventName, IBApi } from "@stoqey/ib";
import type { Cancel, Clock } from "../../clock.ts";
import type { Link } from "../../engine.ts";
import { errorFields, type Log } from "../../log.ts";
import { createFrameCheck } from "./frame-check.ts";
import { createRequests, type Requests } from "./requests.ts";
import { createSendGate, type SendGate } from "./send-gate.ts";
import { linkCodeMeaning, MENDED_FARM } from "./translate.ts";

const HANDSHAKE_MS_MAX = 10_000;
const HEARTBEAT_MS = 5_000;
/** Silence after the last answer: the gateway is taken for dead, whatever else still flows. */
const HEARTBEAT_SILENCE_MS_MAX = 10_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;
/** A connection that held this long starts the back-off anew. */
const STEADY_MS = 60_000;
/** Client id in use: our own dead socket may hold it for a while. */
const IN_USE_RETRY_MS = 30_000;
const IN_USE_TRIES_MAX = 3;
/** The library asks with 40 messages a second at most; our own gate is stricter (send-gate.ts). */
const LIBRARY_MESSAGES_PER_SECOND = 40;

/** Is a live connection. */
export type Wire = {
  readonly api: IBApi;
  readonly epoch: number;
  readonly gate: SendGate;
  readonly requests: Requests;
  readonly account: string;
  /** The first order id that the gateway said may be used. */
  readonly nextOrderId: number;
};

/** Is told what the connection does. */
export type ConnectionListener = {
  /** A new object exists: hang listeners on it. `wire()` is null until the handshake is done. */
  attach(api: IBApi, requests: Requests): void;
  linkChanged(link: Link, epoch: number, detail: string, account: string | null): void;
  feedChanged(ok: boolean, detail: string): void;
  /** Subscriptions are gone at the gateway, the connection is not (1101). */
  dataLost(): void;
  /** The connection is gone; what was open on it has been failed. */
  lost(): void;
  /** The gateway offers an account that we must not touch, or not the one that is configured (control D26, R20). */
  accountRefused(detail: string): void;
  /** Somebody else holds our client id (326, three times). */
  clientIdTaken(detail: string): void;
};

/** Where and as whom. */
export type ConnectionOptions = {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
  /** Null: the only account, if it is a paper account. */
  readonly account: string | null;
  /** True where live trading is armed. */
  readonly live: boolean;
  /** How many times as fast as the machine's time the broker's runs: 1, or a simulated market's speed. */
  readonly timesRealTime: number;
  readonly wall: Clock;
  /** Returns a number from 0 to 1, for the jitter of the back-off. */
  readonly random: () => number;
  readonly log: Log;
  readonly listener: ConnectionListener;
};

/** The supervisor of the connection. */
export type Connection = {
  start(): void;
  wire(): Wire | null;
  /** Ends this connection and makes a new one after the back-off. */
  drop(detail: string): void;
  close(): void;
};

/** What the frame check needs of the library's inside; the version is pinned. */
type LibrarySocket = { onData(data: Buffer): void; client?: { destroy(): void; setNoDelay(on: boolean): void } };

/** Returns a supervisor that has not started. */
export function createConnection(options: ConnectionOptions): Connection {
  const { wall, log, listener } = options;
  let epoch = 0;
  let current: Attempt | null = null;
  let wire: Wire | null = null;
  let isClosed = false;
  let losses = 0;
  let inUseTries = 0;
  let stopRetry: Cancel = () => {};

  function start(): void {
    if (isClosed) return;
    epoch++;
    listener.linkChanged("connecting", epoch, `connecting to ${options.host}:${options.port}`, null);
    current = attempt(epoch);
  }

  type Attempt = { readonly epoch: number; end(detail: string, waitMs?: number): void };

  function attempt(myEpoch: number): Attempt {
    const api = new IBApi({
      host: options.host,
      port: options.port,
      clientId: options.clientId,
      maxReqPerSec: LIBRARY_MESSAGES_PER_SECOND * Math.max(1, options.timesRealTime),
    });
    const gate = createSendGate(wall, options.timesRealTime);
    const requests = createRequests(wall);
    let accounts: string | null = null;
    let nextOrderId: number | null = null;
    let upAtMs: number | null = null;
    let isOver = false;
    const brokenFarms = new Set<number>();
    let stopBeat: Cancel = () => {};
    let stopSilence: Cancel = () => {};

    const end = (detail: string, waitMs?: number): void => {
      if (isOver) return;
      isOver = true;
      stopHandshake();
      stopBeat();
      stopSilence();
      if (upAtMs !== null && wall.nowMs() - upAtMs >= STEADY_MS) losses = 0;
      wire = null;
      current = null;
      gate.clear();
      requests.clear(detail);
      detach(api);
      listener.lost();
      listener.linkChanged("down", myEpoch, detail, null);
      if (!isClosed) stopRetry = wall.after(waitMs ?? backOffMs(), start);
      losses++;
    };
    const stopHandshake = wall.after(HANDSHAKE_MS_MAX, () =>
      end(`no handshake within ${HANDSHAKE_MS_MAX / 1_000} s from ${options.host}:${options.port}`),
    );

    const ready = (): void => {
      if (accounts === null || nextOrderId === null || wire !== null || isOver) return;
      const chosen = chooseAccount(accounts, options.account, options.live);
      if (!chosen.ok) {
        listener.accountRefused(chosen.detail);
        end(chosen.detail, RETRY_MS_MAX);
        return;
      }
      stopHandshake();
      inUseTries = 0;
      upAtMs = wall.nowMs();
      wire = { api, epoch: myEpoch, gate, requests, account: chosen.account, nextOrderId };
      beat();
      heard();
      listener.linkChanged("up", myEpoch, `connected to ${options.host}:${options.port}`, chosen.account);
    };

    const beat = (): void => {
      gate.request({ send: () => api.reqCurrentTime(), drop: () => {} });
      stopBeat = wall.after(HEARTBEAT_MS, beat);
    };

    /** Only the answer counts: market data that still flow say nothing about whether we are heard. */
    const heard = (): void => {
      stopSilence();
      stopSilence = wall.after(HEARTBEAT_SILENCE_MS_MAX, () =>
        end(`the gateway has not answered for ${HEARTBEAT_SILENCE_MS_MAX / 1_000} s`),
      );
    };

    const onNotice = (code: number, text: string): void => {
      switch (linkCodeMeaning(code)) {
        case "degraded":
          listener.linkChanged("degraded", myEpoch, `${text} (${code})`, null);
          break;
        case "restored_data_lost":
          listener.dataLost();
          if (wire !== null) listener.linkChanged("up", myEpoch, `${text} (${code})`, wire.account);
          break;
        case "restored":
          if (wire !== null) listener.linkChanged("up", myEpoch, `${text} (${code})`, wire.account);
          break;
        case "dropped":
          end(`${text} (${code})`);
          break;
        case "in_use":
          inUseTries++;
          if (inUseTries >= IN_USE_TRIES_MAX) {
            listener.clientIdTaken(
              `client id ${options.clientId} is in use at ${options.host}:${options.port}: is a second bot running?`,
            );
          }
          end(`client id ${options.clientId} is in use (326)`, IN_USE_RETRY_MS);
          break;
        case "feed_broken":
          brokenFarms.add(code);
          listener.feedChanged(false, `${text} (${code})`);
          break;
        case "feed_ok":
          brokenFarms.delete(MENDED_FARM.get(code) ?? code);
          if (brokenFarms.size === 0) listener.feedChanged(true, `${text} (${code})`);
          break;
        case "info":
          log.debug({ code, text }, "the gateway says");
          break;
      }
    };

    api.on(EventName.managedAccounts, (list: string) => {
      accounts = list;
      ready();
    });
    api.on(EventName.nextValidId, (orderId: number) => {
      nextOrderId = orderId;
      ready();
    });
    api.on(EventName.currentTime, () => {
      if (wire !== null) heard();
    });
    api.on(EventName.info, (text: string, code: number) => onNotice(code, text));
    api.on(EventName.error, (error: Error, code: number, reqId: number) => {
      if (reqId <= 0) onNotice(code, error.message);
    });
    api.on(EventName.disconnected, () => end("the connection was closed by the other side"));
    listener.attach(api, requests);
    guardFrames(api, end);
    api.connect();
    return { epoch: myEpoch, end };
  }

  /** 1, 2, 4 … 60 s, each times 0.5 to 1.5, so that several programs don't knock in step. */
  function backOffMs(): number {
    const base = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(losses, 16));
    return Math.round(base * (0.5 + options.random()));
  }

  function detach(api: IBApi): void {
    api.removeAllListeners();
    // A late failure of a socket that is being closed must find a listener, or Node takes it for unhandled.
    api.on(EventName.error, (error: Error) => log.debug({ error: error.message }, "a closed connection complains"));
    const socket = librarySocket(api);
    socket.onData = () => {};
    try {
      api.disconnect();
    } catch (thrown) {
      log.debug(errorFields(thrown), "closing a broken connection");
    }
    socket.client?.destroy();
  }

  /** Puts the length check before the library, and catches what its decoder throws inside the socket's handler. */
  function guardFrames(api: IBApi, end: (detail: string) => void): void {
    const socket = librarySocket(api);
    const check = createFrameCheck();
    const toLibrary = socket.onData.bind(socket);
    let isFirst = true;
    socket.onData = (data) => {
      if (isFirst) socket.client?.setNoDelay(true);
      isFirst = false;
      const wrong = check.take(data);
      if (wrong !== null) {
        log.warn({ wrong }, "the gateway sent garbage");
        end(`the gateway sent ${wrong}`);
        return;
      }
      try {
        toLibrary(data);
      } catch (thrown) {
        log.error(errorFields(thrown), "a message could not be decoded; another may be lost with it");
        end("a message of the gateway could not be decoded");
      }
    };
  }

  return {
    start,
    wire: () => wire,
    drop: (detail) => current?.end(detail),
    close: () => {
      isClosed = true;
      stopRetry();
      current?.end("closed by the bot");
    },
  };
}

function librarySocket(api: IBApi): LibrarySocket {
  const { controller } = api as unknown as { controller: { socket: LibrarySocket } };
  return controller.socket;
}

type Chosen = { readonly ok: true; readonly account: string } | { readonly ok: false; readonly detail: string };

/** Paper accounts begin with D (TWS API). Any other is live money and needs `ibkr.live: true` and its id in the file. */
export function chooseAccount(list: string, wanted: string | null, live: boolean): Chosen {
  const accounts = list.split(",").filter((account) => account !== "");
  const account = wanted ?? (accounts.length === 1 ? accounts[0] : undefined);
  if (account === undefined) {
    return { ok: false, detail: `LIVE_REFUSED: the gateway has ${accounts.length} accounts; name one in ibkr.account` };
  }
  if (!accounts.includes(account)) {
    return {
      ok: false,
      detail: `LIVE_REFUSED: the gateway does not have account ${mask(account)}; check ibkr.account and the port`,
    };
  }
  const liveOnes = (wanted === null ? accounts : [account]).filter((each) => !each.startsWith("D"));
  if (liveOnes.length > 0 && (!live || wanted === null)) {
    return {
      ok: false,
      detail: `LIVE_REFUSED: ${mask(liveOnes[0] as string)} is not a paper account (they begin with D); live trading needs ibkr.live: true and ibkr.account`,
    };
  }
  return { ok: true, account };
}

/** "DU1234567" → "DU***567": enough to recognise, too little to use. */
function mask(account: string): string {
  return account.length <= 5 ? account : `${account.slice(0, 2)}***${account.slice(-3)}`;
}
