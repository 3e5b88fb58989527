// Moves the gateway's time along the market's clock: records to clients and exchange, reports to clients, sessions
// opened and closed. It goes in steps of a quarter second of market time at most, so that what the exchange says
// stands near the tick that caused it, at any speed.

import { DateTime } from "luxon";
import type { Cancel, Clock, MarketClock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { type Calendar, EXCHANGE_ZONE } from "./calendar.ts";
import type { ExchangePort } from "./exchange.ts";
import { SNAPSHOT_MS } from "./feed.ts";
import type { Gateway } from "./gateway.ts";
import { seenBar } from "./history.ts";
import { frontListing } from "./listings.ts";
import type { MarketBatch, MarketSource } from "./market-source.ts";
import {
  KIND_TRADE,
  nameContract,
  RECORD_BYTES,
  recordA,
  recordAtMs,
  recordKind,
  shiftPrices,
  viewOf,
} from "./records.ts";
import { CODE } from "./wire/ids.ts";

/** A running market is moved this often, in wall milliseconds. */
const TURN_MS = 10;
/** Of a closure longer than this, the middle is jumped over; the closed hour of every day is not. */
const CLOSURE_MS_KEPT = 3_600_000;
/** So much is kept of the rest between two passes of a recording: who watches it again does not wait half an hour. */
const REST_MS_KEPT = 60_000;
/** How many records a piece of the market holds. */
const BATCH_RECORDS = 4_096;
/** At full speed the market waits for a client with more than this to read. */
const FULL_SPEED_BACKLOG_BYTES = 65_536;
/** At full speed so much market time passes between two looks at sockets: a client trades at most that far behind. */
const FULL_SPEED_STRIDE_MS = 250;
/** The same towards a client in another process, whose sockets' buffers let it lag further behind than this anyway. */
const APART_STRIDE_MS = 2_000;
/** While the market is closed a stride is longer: nothing can be traded. */
const CLOSED_STRIDE_MS = 10_000;
/** Of bars so long one ends at the close of the cash market; so many reach back over a weekend. */
const REFERENCE_BAR_MS = 1_800_000;
const REFERENCE_BARS = 200;
/** At full speed a client that reads nothing for so long, in wall milliseconds, is closed. */
const FULL_SPEED_WAIT_MS_MAX = 10_000;
/** A client of this process is never left further behind than this, or than what passes in so much wall time. */
const LEASH_MS_MIN = 500;
const LEASH_WALL_MS = 2;
/** A turn moves so much market time at most before it lets sockets speak, in wall milliseconds. */
const TURN_WORK_MS_MAX = 50;
/** A step by hand looks at sockets this often, in wall milliseconds: a short one is whole, a week shuts nobody out. */
const STEP_WORK_MS_MAX = 1_000;

/** Moves the market. */
export type Pump = {
  /** Brings book, tape and exchange to the clock's time; called once, before anything else. */
  begin(): void;
  /** Returns the market time up to which everything has happened. */
  nowMs(): number;
  isOpen(): boolean;
  /** Returns the last price that the market had by itself, also where a price limit held it; undefined before one. */
  lastTicks(): number | undefined;
  /** Lets everything happen up to the clock's time; called before a request, so that none acts in the past. */
  catchUp(): void;
  /** Lets everything happen up to `atMs`, the clock moving along. Rejects while the clock runs by itself. */
  stepTo(atMs: number): Promise<void>;
  setSpeed(speed: number | "max"): void;
  speed(): number | "max";
  pause(): void;
  resume(): void;
  stop(): void;
};

/** Returns a pump that stands at the clock's time; it moves after `setSpeed`. */
export function createPump(parts: {
  clock: MarketClock;
  wall: Clock;
  source: MarketSource;
  exchange: ExchangePort;
  gateway: Gateway;
  calendar: Calendar;
  /** Resolves when a client of this process has done what it was told to do; null where all clients are in others. */
  readonly clientIdle: (() => Promise<void>) | null;
  log: Log;
  /** Is when the exchange stood last; null when it is new and must be told of what happened before the clock's time. */
  exchangeAtMs: number | null;
  /** Is called after each step. */
  stepped(atMs: number): void;
}): Pump {
  const { clock, wall, source, exchange, gateway, calendar, log } = parts;
  const { feed, account, orders } = gateway;
  const bytes = new Uint8Array(BATCH_RECORDS * RECORD_BYTES);
  const batch: MarketBatch = { bytes, view: viewOf(bytes), length: 0 };
  let reachedMs = clock.nowMs();
  /** Between two passes of a recording the market is closed, whatever the hour. */
  const openSessionAt = (atMs: number): ReturnType<Calendar["sessionAt"]> =>
    source.restUntil(atMs) === null ? calendar.sessionAt(atMs) : undefined;
  const nextOpenMs = (atMs: number): number => source.restUntil(atMs) ?? calendar.nextSession(atMs).openMs;
  let session = openSessionAt(reachedMs);
  let turnMs = session?.closeMs ?? nextOpenMs(reachedMs);
  let closedSinceMs = session === undefined ? reachedMs : 0;
  let hasEnded = false;
  /** After the end of a recording the day runs out at full speed, an hour past its close; then time goes on by itself. */
  let fullSpeedUntilMs = Number.POSITIVE_INFINITY;
  let isStopped = false;
  let isMoving = false;
  let speed: number | "max" = 0;
  let resumeSpeed: number | "max" = 1;
  /** Counts runs at full speed: one that was paused and begun anew meanwhile must not go on beside the new one. */
  let fullSpeedRun = 0;
  let cancelTurn: Cancel = () => {};
  let turnNo = 0;

  /** Gives `take` the records up to `untilMs` that have not happened yet, moved by the jumps that faults made. */
  const pull = (untilMs: number, take: (records: Uint8Array) => void): void => {
    for (;;) {
      batch.length = 0;
      const count = source.advance(untilMs, batch);
      if (count === 0) return;
      const records = bytes.subarray(0, count * RECORD_BYTES);
      const view = viewOf(records);
      nameContract(view, feed.listing.conId);
      const jumpTicks = gateway.jumps.reduce((sum, jump) => sum + jump.ticks, 0);
      if (jumpTicks !== 0) shiftPrices(view, jumpTicks);
      take(records);
    }
  };

  /** Is the market's own last price where a price limit has just held it. */
  let beyondTicks: number | undefined;

  /** Returns the records as the price limits let them happen, for everybody. */
  const limited = (records: Uint8Array): Uint8Array => {
    const held = exchange.limited(records);
    if (held === null) {
      beyondTicks = undefined;
      return records;
    }
    const view = viewOf(records);
    const last = records.length - RECORD_BYTES;
    const toMs = recordAtMs(view, last);
    const limits = exchange.limits(toMs);
    if (limits !== null) gateway.noteHeld(recordAtMs(view, 0), toMs, limits);
    beyondTicks = lastTradeTicks(view) ?? beyondTicks;
    return held;
  };

  /** The limits of a market's first day are measured from the close of the day before, where that is its own past. */
  const tellReference = (): void => {
    const limits = exchange.limits(reachedMs);
    if (limits === null || limits.referenceTicks !== null) return;
    const { fixingAtMs } = limits;
    if (fixingAtMs <= (source.ownPastFromMs ?? Number.POSITIVE_INFINITY)) return;
    const bar = source.history(REFERENCE_BAR_MS, REFERENCE_BARS, fixingAtMs).at(-1);
    if (bar === undefined) return;
    exchange.setReference(reachedMs, seenBar(bar, REFERENCE_BAR_MS, gateway.moves).closeTicks);
  };

  /** A session that ended while the gateway did not run takes its day orders with it. */
  const endMissedSession = (): void => {
    if (parts.exchangeAtMs === null) return;
    const lastTradeDate = calendar.latestSession(parts.exchangeAtMs).tradeDate;
    if (calendar.latestSession(reachedMs).tradeDate === lastTradeDate && session !== undefined) return;
    if (calendar.sessionAt(parts.exchangeAtMs) !== undefined) orders.apply(exchange.sessionEnds(reachedMs));
    if (session !== undefined) account.startSession();
  };

  /** What lies before the start has happened already: it fills the book and the tape, and is told to nobody. */
  const passBy = (): void => {
    pull(reachedMs, (records) => {
      const seen = limited(records);
      feed.take(seen);
      if (parts.exchangeAtMs === null) orders.apply(exchange.market(seen));
    });
    tellReference();
    endMissedSession();
    const before = source.history(86_400_000, 2, session?.openMs ?? reachedMs).at(-1);
    if (before !== undefined) feed.seed(before.closeTicks);
    orders.apply(exchange.setOpen(reachedMs, session !== undefined));
    if (account.saved().sessionStartCents === null) account.startSession();
  };

  const closeSession = (): void => {
    orders.apply(exchange.sessionEnds(reachedMs));
    orders.apply(exchange.setOpen(reachedMs, false));
    feed.clearQuotes(reachedMs);
    closedSinceMs = reachedMs;
    log.info(
      { tradeDate: session?.tradeDate, nextOpen: print(calendar.nextSession(reachedMs - 1).openMs) },
      "The simulated session has ended",
    );
    session = undefined;
  };
  const openSession = (): void => {
    session = openSessionAt(reachedMs);
    if (session === undefined) throw new Error(`no session at ${reachedMs}, which was to open one`);
    feed.startSession();
    account.startSession();
    orders.apply(exchange.setOpen(reachedMs, true));
    log.info({ tradeDate: session.tradeDate }, "The simulated session has opened");
    const front = frontListing(feed.listing.product, reachedMs);
    if (front.conId !== feed.listing.conId) {
      log.warn(
        { traded: feed.listing.localSymbol, front: front.localSymbol },
        "Another month has become the front one: the market moves on to it at the next start, once position and orders are gone",
      );
    }
  };
  const turnSession = (): void => {
    if (session !== undefined) closeSession();
    if (openSessionAt(reachedMs) !== undefined && !hasEnded) openSession();
    turnMs = session?.closeMs ?? nextOpenMs(reachedMs);
  };
  const beginRest = (): void => {
    const untilMs = source.restUntil(reachedMs);
    if (session === undefined || untilMs === null) return;
    log.info(
      { market: source.label, at: print(reachedMs), next: print(untilMs) },
      "The recording has been played to its end and begins anew",
    );
    closeSession();
    // A recording does not begin where it ended.
    exchange.setReference(reachedMs, null);
    turnMs = untilMs;
  };

  const noteEnd = (): void => {
    if (hasEnded || source.endMs === null || reachedMs < source.endMs || source.nextAtMs() !== null) return;
    hasEnded = true;
    fullSpeedUntilMs = (session?.closeMs ?? reachedMs) + CLOSURE_MS_KEPT;
    if (session !== undefined) closeSession();
    log.warn(
      { market: source.label, at: print(reachedMs) },
      "The recording has ended: the simulated market stays closed. Start again to see it once more",
    );
    gateway.notice(
      CODE.farmInactive,
      "Market data farm connection is inactive but should be available upon demand.usfuture (the recording has ended)",
    );
  };

  /** Lets everything happen up to `nextMs`, which is no further than the next quarter second or turn of the session. */
  const step = (nextMs: number): void => {
    reachedMs = nextMs;
    pull(nextMs, (records) => {
      if (session === undefined) return;
      const seen = limited(records);
      feed.take(seen);
      orders.apply(exchange.market(seen));
    });
    orders.apply(exchange.advance(reachedMs));
    orders.expire();
    if (reachedMs >= turnMs) turnSession();
    beginRest();
    noteEnd();
    if (reachedMs % SNAPSHOT_MS === 0 && session !== undefined) {
      feed.tellTime(reachedMs);
      account.tellTime(reachedMs);
    }
    parts.stepped(reachedMs);
  };

  const nextStep = (targetMs: number): number => {
    const quarterMs = (Math.floor(reachedMs / SNAPSHOT_MS) + 1) * SNAPSHOT_MS;
    const boundMs = session === undefined ? turnMs : Math.min(quarterMs, turnMs);
    return Math.min(targetMs, Math.max(boundMs, reachedMs + 1));
  };

  /** Moves on to `targetMs`, or as far as the wall time allows; returns whether it got there. */
  const moveTo = (targetMs: number, wallMsMax: number, follow: boolean): boolean => {
    if (isMoving) return true;
    isMoving = true;
    try {
      const stopAtMs = wall.nowMs() + wallMsMax;
      while (reachedMs < targetMs) {
        step(nextStep(targetMs));
        if (follow) clock.jumpTo(reachedMs);
        if (wall.nowMs() > stopAtMs) return false;
      }
      return true;
    } finally {
      isMoving = false;
    }
  };

  /** A weekend or holiday is jumped over but for half an hour at each end, so that what belongs to a close happens. */
  const jumpClosure = (): void => {
    if (session !== undefined || hasEnded) return;
    const isRest = source.restUntil(reachedMs) !== null;
    const keptMs = isRest ? REST_MS_KEPT : CLOSURE_MS_KEPT;
    const opensMs = turnMs;
    const jumpMs = opensMs - keptMs / 2;
    if (opensMs - closedSinceMs <= keptMs || reachedMs < closedSinceMs + keptMs / 2 || reachedMs >= jumpMs) return;
    log.info(
      { from: print(reachedMs), to: print(jumpMs), opens: print(opensMs) },
      isRest
        ? "The simulated clock jumps to the recording's next day"
        : "The simulated clock jumps over a weekend or holiday",
    );
    clock.jumpTo(jumpMs);
    moveTo(jumpMs, Number.POSITIVE_INFINITY, false);
  };

  const turn = (): void => {
    cancelTurn();
    turnNo += 1;
    if (isStopped || typeof speed !== "number" || speed === 0) return;
    const leashMs = Math.max(LEASH_MS_MIN, LEASH_WALL_MS * speed);
    if (parts.clientIdle !== null) clock.leash(reachedMs + leashMs);
    moveTo(clock.nowMs(), TURN_WORK_MS_MAX, false);
    jumpClosure();
    if (parts.clientIdle === null) {
      cancelTurn = wall.after(TURN_MS, turn);
      return;
    }
    const [mine, nextMs] = [turnNo, Math.min(TURN_MS, leashMs / speed / 2)];
    void letClientAnswer().then(() => {
      if (mine === turnNo) cancelTurn = wall.after(nextMs, turn);
    });
  };

  /** The answers to what has been said, and what the client says to them, are taken in before the market moves on. */
  const letClientAnswer = async (): Promise<void> => {
    await letSocketsSpeak();
    await waitForClient();
    await letSocketsSpeak();
  };

  /** Waits for those with more than `backlogBytes` to read; who reads nothing for too long is closed. */
  const waitForReaders = async (backlogBytes: number): Promise<void> => {
    const slow = gateway.connections().filter((connection) => connection.backlogBytes() > backlogBytes);
    await Promise.all(
      slow.map((connection) => {
        const giveUp = wall.after(FULL_SPEED_WAIT_MS_MAX, () =>
          connection.close("the client does not read", "at_once"),
        );
        return connection.drained().finally(giveUp);
      }),
    );
  };

  /** A client whose disk takes 100 ms would else answer half an hour of market time late. */
  const waitForClient = async (): Promise<void> => {
    if (parts.clientIdle === null) return;
    let giveUp: Cancel = () => {};
    const wait = new Promise<void>((resolve) => {
      giveUp = wall.after(FULL_SPEED_WAIT_MS_MAX, resolve);
    });
    await Promise.race([parts.clientIdle(), wait]);
    giveUp();
  };
  const letSocketsSpeak = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  /** Runs as fast as the clients read; stands still while there are none. */
  const runAtFullSpeed = async (): Promise<void> => {
    fullSpeedRun += 1;
    const run = fullSpeedRun;
    const isOn = (): boolean => !isStopped && speed === "max" && run === fullSpeedRun;
    while (isOn() && reachedMs < fullSpeedUntilMs) {
      if (gateway.connections().length === 0) {
        await new Promise<void>((resolve) => wall.after(TURN_MS, resolve));
        continue;
      }
      const openStrideMs = parts.clientIdle === null ? APART_STRIDE_MS : FULL_SPEED_STRIDE_MS;
      const strideMs = session === undefined ? CLOSED_STRIDE_MS : openStrideMs;
      moveTo(reachedMs + strideMs, TURN_WORK_MS_MAX, true);
      jumpClosure();
      await waitForReaders(FULL_SPEED_BACKLOG_BYTES);
      await letClientAnswer();
    }
    if (isOn()) setSpeed(1);
  };

  const setSpeed = (next: number | "max"): void => {
    const wasMax = speed === "max";
    speed = next;
    clock.setSpeed(next === "max" ? 0 : next);
    cancelTurn();
    turnNo += 1;
    if (next === "max") {
      if (!wasMax) {
        runAtFullSpeed().catch((thrown: unknown) => {
          // Nobody waits for the loop: an error of it must end the process as any other bug does.
          queueMicrotask(() => {
            throw thrown;
          });
        });
      }
    } else if (next > 0) turn();
  };

  return {
    begin: passBy,
    nowMs: () => reachedMs,
    isOpen: () => session !== undefined,
    lastTicks: () => beyondTicks ?? feed.view().lastTicks,
    catchUp: () => {
      if (typeof speed === "number" && speed > 0) moveTo(clock.nowMs(), TURN_WORK_MS_MAX, false);
    },
    stepTo: async (atMs) => {
      if (speed !== 0) throw new Error("the market runs by itself; set the speed to 0 before stepping");
      while (speed === 0 && !isStopped && !moveTo(atMs, STEP_WORK_MS_MAX, true)) {
        await waitForReaders(FULL_SPEED_BACKLOG_BYTES);
        await letSocketsSpeak();
      }
      for (const connection of gateway.connections()) connection.flush();
      await waitForReaders(0);
    },
    setSpeed,
    speed: () => speed,
    pause: () => {
      if (speed !== 0) resumeSpeed = speed;
      setSpeed(0);
    },
    resume: () => {
      if (speed === 0) setSpeed(resumeSpeed);
    },
    stop: () => {
      isStopped = true;
      cancelTurn();
    },
  };
}

/** Returns the price of the last trade among records; undefined where there is none. */
function lastTradeTicks(view: DataView): number | undefined {
  for (let offset = view.byteLength - RECORD_BYTES; offset >= 0; offset -= RECORD_BYTES)
    if (recordKind(view, offset) === KIND_TRADE) return recordA(view, offset);
  return undefined;
}

function print(atMs: number): string {
  return DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE }).toFormat("ccc yyyy-LL-dd HH:mm");
}
