// What the market looks like now, and who is told about it: ticks, snapshots four times a second, real-time bars.
// Every message's body is written once and shared by all who asked for the same.

import { type GrowingBar, growBar, openBar, weightedPrice } from "./bar-builder.ts";
import type { Connection } from "./connection.ts";
import { createDelayedView } from "./delayed-view.ts";
import type { Listing } from "./listings.ts";
import type { BarPrice } from "./market-source.ts";
import {
  KIND_QUOTE,
  KIND_TRADE,
  NO_PRICE,
  RECORD_BYTES,
  recordA,
  recordAtMs,
  recordB,
  recordC,
  recordD,
  recordKind,
  viewOf,
} from "./records.ts";
import { plain } from "./wire/fields.ts";
import { message } from "./wire/frames.ts";
import { ANSWER, DELAYED_TICK, TICK } from "./wire/ids.ts";

/** Snapshots go out this often in market time, some four times a second as a real gateway sends them. */
export const SNAPSHOT_MS = 250;
/** Is the length of a real-time bar; no other is offered. */
const REAL_TIME_BAR_MS = 5_000;
/** How often a historical answer that is kept up to date is repeated in market time, when it changed. */
const UPDATE_MS = 1_000;
/** How many of the latest records are kept for historical-tick requests. */
const TAPE_RECORDS = 65_536;

/** Is what is known of the market. Prices are in ticks; undefined is "none". */
export type MarketView = {
  bidTicks: number | undefined;
  askTicks: number | undefined;
  bidSize: number;
  askSize: number;
  lastTicks: number | undefined;
  lastSize: number;
  lastAtMs: number;
  quoteAtMs: number;
  volume: number;
  /** Sum of price × size of the session, in ticks. */
  weighted: number;
  openTicks: number | undefined;
  highTicks: number | undefined;
  lowTicks: number | undefined;
  /** Is the last price of the session before. */
  closeTicks: number | undefined;
};

/** Is a tick that was asked for one by one; the numbers are those of the wire. */
export type TickKind = "Last" | "AllLast" | "BidAsk" | "MidPoint";
const TICK_KIND_NUMBER: Readonly<Record<TickKind, number>> = { Last: 1, AllLast: 2, BidAsk: 3, MidPoint: 4 };

/** Is one connection's wish, by the request id that it chose. */
type Subscriber = { readonly connection: Connection; readonly reqId: number };
type Snapshots = Subscriber & {
  readonly wantsRtVolume: boolean;
  /** Is true where the last quotes of a session stay after its end. */
  readonly wantsFrozen: boolean;
  /** Is the type of data that the client was told of last; 0 before. */
  toldType: number;
  readonly sent: Map<number, string>;
};
type Quotes = Pick<MarketView, "bidTicks" | "askTicks" | "bidSize" | "askSize">;
type Ticks = Subscriber & { readonly kind: TickKind; readonly ignoresSize: boolean; readonly head: string };
type Bars = Subscriber & { readonly price: BarPrice };
type Update = Subscriber & {
  readonly price: BarPrice;
  readonly barMs: number;
  readonly print: (bar: GrowingBar) => string;
  bar: GrowingBar | undefined;
  isChanged: boolean;
};

/** Tells clients about one listing's market. */
export type Feed = ReturnType<typeof createFeed>;

/** Returns a feed of the listing's market; `isDelayed` shows snapshots a quarter of an hour late. */
export function createFeed(listing: Listing, isDelayed: boolean) {
  const { tickSize, exchange } = listing.product;
  const view: MarketView = {
    bidTicks: undefined,
    askTicks: undefined,
    bidSize: 0,
    askSize: 0,
    lastTicks: undefined,
    lastSize: 0,
    lastAtMs: 0,
    quoteAtMs: 0,
    volume: 0,
    weighted: 0,
    openTicks: undefined,
    highTicks: undefined,
    lowTicks: undefined,
    closeTicks: undefined,
  };
  // Sets, since telling one may end its connection: the others are still told, each once.
  const snapshots = new Set<Snapshots>();
  const delayed = isDelayed ? createDelayedView() : null;
  let frozen: Quotes | undefined;
  const ticks = new Set<Ticks>();
  const bars = new Set<Bars>();
  const updates = new Set<Update>();
  const growing = new Map<BarPrice, GrowingBar>();
  const tape = new Uint8Array(TAPE_RECORDS * RECORD_BYTES);
  const tapeView = new DataView(tape.buffer);
  let tapeRecords = 0;
  let isMuted = false;
  const priceTexts = new Map<number, string>();

  const price = (priceTicks: number): string => {
    let text = priceTexts.get(priceTicks);
    if (text === undefined) {
      text = plain(priceTicks * tickSize);
      if (priceTexts.size > 100_000) priceTexts.clear();
      priceTexts.set(priceTicks, text);
    }
    return text;
  };
  const priceOrNone = (priceTicks: number | undefined): string => (priceTicks === undefined ? "-1" : price(priceTicks));

  const dayWeighted = (): string => plain((view.volume === 0 ? 0 : view.weighted / view.volume) * tickSize);

  const keep = (bytes: Uint8Array): void => {
    const count = bytes.length / RECORD_BYTES;
    const from = Math.max(0, count - TAPE_RECORDS);
    for (let at = from; at < count; ) {
      const slot = tapeRecords % TAPE_RECORDS;
      const run = Math.min(count - at, TAPE_RECORDS - slot);
      tape.set(bytes.subarray(at * RECORD_BYTES, (at + run) * RECORD_BYTES), slot * RECORD_BYTES);
      tapeRecords += run;
      at += run;
    }
  };

  const barPrice = (wanted: BarPrice): number | undefined => {
    switch (wanted) {
      case "TRADES":
        return view.lastTicks;
      case "BID":
        return view.bidTicks;
      case "ASK":
        return view.askTicks;
      case "MIDPOINT":
        return view.bidTicks === undefined || view.askTicks === undefined
          ? undefined
          : (view.bidTicks + view.askTicks) / 2;
      default:
        return wanted satisfies never;
    }
  };

  const sendTick = (kinds: readonly TickKind[], tail: string, sizesOnly: boolean): void => {
    for (const subscriber of ticks) {
      if (!kinds.includes(subscriber.kind) || (sizesOnly && subscriber.ignoresSize)) continue;
      subscriber.connection.sendTick(subscriber.head + tail);
    }
  };

  const takeTrade = (atMs: number, priceTicks: number, size: number): void => {
    view.lastTicks = priceTicks;
    view.lastSize = size;
    view.lastAtMs = atMs;
    view.volume += size;
    view.weighted += priceTicks * size;
    view.openTicks ??= priceTicks;
    if (view.highTicks === undefined || priceTicks > view.highTicks) view.highTicks = priceTicks;
    if (view.lowTicks === undefined || priceTicks < view.lowTicks) view.lowTicks = priceTicks;
    growAll("TRADES", atMs, size);
    if (ticks.size > 0 && !isMuted) {
      sendTick(LAST_KINDS, message(seconds(atMs), price(priceTicks), size, 0, exchange, ""), false);
    }
  };

  const takeQuote = (atMs: number, bid: number, ask: number, bidSize: number, askSize: number): void => {
    const bidTicks = bid === NO_PRICE ? undefined : bid;
    const askTicks = ask === NO_PRICE ? undefined : ask;
    const sizesOnly = view.bidTicks === bidTicks && view.askTicks === askTicks;
    view.bidTicks = bidTicks;
    view.askTicks = askTicks;
    view.bidSize = bidSize;
    view.askSize = askSize;
    view.quoteAtMs = atMs;
    growAll("BID", atMs, 0);
    growAll("ASK", atMs, 0);
    growAll("MIDPOINT", atMs, 0);
    if (ticks.size === 0 || isMuted) return;
    const at = seconds(atMs);
    sendTick(QUOTE_KINDS, message(at, priceOrNone(bidTicks), priceOrNone(askTicks), bidSize, askSize, 0), sizesOnly);
    const middle = barPrice("MIDPOINT");
    if (middle !== undefined && !sizesOnly) sendTick(MIDPOINT_KINDS, message(at, plain(middle * tickSize)), false);
  };

  const growAll = (wanted: BarPrice, atMs: number, size: number): void => {
    const bar = growing.get(wanted);
    if (bar === undefined && updates.size === 0) return;
    const now = barPrice(wanted);
    if (now === undefined) return;
    if (bar !== undefined && atMs >= bar.openAtMs) growBar(bar, now, size);
    for (const update of updates) if (update.price === wanted) growUpdate(update, atMs, now, size);
  };

  const growUpdate = (update: Update, atMs: number, price: number, size: number): void => {
    if (update.bar === undefined || atMs >= update.bar.openAtMs + update.barMs) {
      if (update.isChanged && update.bar !== undefined && !isMuted)
        update.connection.sendTick(update.print(update.bar));
      update.bar = openBar(update.barMs, atMs, price);
    }
    growBar(update.bar, price, size);
    update.isChanged = true;
  };

  /** Ends real-time bars whose time is over; `atMs` is a multiple of the snapshot time, so none is ended late. */
  const endBars = (atMs: number): void => {
    for (const [wanted, bar] of growing) {
      const endMs = bar.openAtMs + REAL_TIME_BAR_MS;
      if (atMs < endMs) continue;
      const tail = message(
        seconds(bar.openAtMs),
        price(bar.open),
        price(bar.high),
        price(bar.low),
        price(bar.close),
        bar.volume,
        plain(weightedPrice(bar) * tickSize),
        bar.volume === 0 ? 0 : bar.trades,
      );
      for (const subscriber of bars) {
        if (subscriber.price === wanted && !isMuted) {
          subscriber.connection.sendTick(message(ANSWER.realTimeBar, 3, subscriber.reqId) + tail);
        }
      }
      const next = barPrice(wanted) ?? bar.close;
      growing.set(wanted, openBar(REAL_TIME_BAR_MS, atMs, next));
    }
  };

  /** Tells the type of data where it has changed: live 1, frozen 2, delayed 3, both 4 (TWS API, market data types). */
  const tellType = (to: Snapshots, isFrozen: boolean): void => {
    const type = (isDelayed ? 3 : 1) + (isFrozen ? 1 : 0);
    if (to.toldType === type) return;
    to.toldType = type;
    to.connection.send(message(ANSWER.marketDataType, 1, to.reqId, type));
  };

  const sendSnapshot = (to: Snapshots): void => {
    const isFrozen = to.wantsFrozen && frozen !== undefined;
    tellType(to, isFrozen);
    const live = delayed === null ? view : delayed.view();
    if (live === undefined) return;
    sendView(to, isFrozen ? { ...live, ...frozen } : live);
  };

  const sendView = (to: Snapshots, view: Readonly<MarketView>): void => {
    const kinds = isDelayed ? DELAYED_TICK : TICK;
    const put = (answer: number, tickType: number, value: string): boolean => {
      if (to.sent.get(tickType) === value) return false;
      to.sent.set(tickType, value);
      to.connection.sendTick(message(answer, 6, to.reqId, tickType) + value);
      return true;
    };
    const priced = (tickType: number, sizeType: number, priceTicks: number | undefined, size: number): void => {
      const isNew = put(ANSWER.tickPrice, tickType, message(priceOrNone(priceTicks), size, 0));
      if (isNew) put(ANSWER.tickSize, sizeType, message(size));
    };
    priced(kinds.bid, kinds.bidSize, view.bidTicks, view.bidTicks === undefined ? 0 : view.bidSize);
    priced(kinds.ask, kinds.askSize, view.askTicks, view.askTicks === undefined ? 0 : view.askSize);
    if (view.lastTicks !== undefined) {
      put(ANSWER.tickString, kinds.lastTimestamp, message(seconds(view.lastAtMs)));
      priced(kinds.last, kinds.lastSize, view.lastTicks, view.lastSize);
      put(ANSWER.tickSize, kinds.volume, message(view.volume));
      if (to.wantsRtVolume && !isDelayed) {
        const last = price(view.lastTicks);
        const text = `${last};${view.lastSize};${view.lastAtMs};${view.volume};${dayWeighted()};true`;
        put(ANSWER.tickString, TICK.rtVolume, message(text));
      }
    }
    for (const [tickType, priceTicks] of [
      [kinds.high, view.highTicks],
      [kinds.low, view.lowTicks],
      [kinds.open, view.openTicks],
      [kinds.close, view.closeTicks],
    ] as const) {
      if (priceTicks !== undefined) put(ANSWER.tickPrice, tickType, message(price(priceTicks), 0, 0));
    }
  };

  /** The next snapshot tells the market's own price again. */
  const sendBadPrice = (to: Snapshots, tickType: number, priceText: string, sizeText: string): void => {
    to.connection.sendTick(message(ANSWER.tickPrice, 6, to.reqId, tickType, priceText, sizeText, 0));
    to.sent.delete(tickType);
  };

  const drop = <T extends Subscriber>(from: Set<T>, isDropped: (subscriber: T) => boolean): boolean => {
    const before = from.size;
    for (const subscriber of from) if (isDropped(subscriber)) from.delete(subscriber);
    return from.size < before;
  };
  const count = (among: ReadonlySet<Subscriber>, connection: Connection): number =>
    [...among].filter((subscriber) => subscriber.connection === connection).length;
  const is = (connection: Connection, reqId: number) => (subscriber: Subscriber) =>
    subscriber.connection === connection && subscriber.reqId === reqId;

  return {
    listing,
    /** Returns the live view; read only. */
    view: (): Readonly<MarketView> => view,
    /** Returns ticks as a price in points, printed. */
    price,

    /** Takes packed records in time order and tells the subscribers of single ticks. */
    take(bytes: Uint8Array): void {
      const records = viewOf(bytes);
      keep(bytes);
      for (let offset = 0; offset < bytes.length; offset += RECORD_BYTES) {
        const atMs = recordAtMs(records, offset);
        const kind = recordKind(records, offset);
        if (kind === KIND_TRADE) {
          endBars(atMs);
          takeTrade(atMs, recordA(records, offset), recordC(records, offset));
        } else if (kind === KIND_QUOTE) {
          takeQuote(
            atMs,
            recordA(records, offset),
            recordB(records, offset),
            recordC(records, offset),
            recordD(records, offset),
          );
        }
      }
    },

    /** Sends what is due at `atMs`, a multiple of SNAPSHOT_MS: snapshots, ended bars, updates. */
    tellTime(atMs: number): void {
      endBars(atMs);
      delayed?.note(atMs, view);
      if (isMuted) return;
      for (const subscriber of snapshots) sendSnapshot(subscriber);
      if (atMs % UPDATE_MS !== 0) return;
      for (const update of updates) {
        if (!update.isChanged || update.bar === undefined) continue;
        update.isChanged = false;
        update.connection.sendTick(update.print(update.bar));
      }
    },

    /** Starts a new session: the day's figures begin anew, the last price becomes the close. */
    startSession(): void {
      frozen = undefined;
      view.closeTicks = view.lastTicks ?? view.closeTicks;
      view.volume = 0;
      view.weighted = 0;
      view.openTicks = undefined;
      view.highTicks = undefined;
      view.lowTicks = undefined;
    },

    /** Takes both sides off the book, as at a close. */
    clearQuotes(atMs: number): void {
      const { bidTicks, askTicks, bidSize, askSize } = delayed?.view() ?? view;
      frozen = { bidTicks, askTicks, bidSize, askSize };
      takeQuote(atMs, NO_PRICE, NO_PRICE, 0, 0);
    },

    /** Sets the figures that a market has before its first record. */
    seed(closeTicks: number): void {
      view.closeTicks ??= closeTicks;
    },

    /** Stops or goes on telling; the market itself goes on. */
    mute(muted: boolean): void {
      isMuted = muted;
    },
    isMuted: (): boolean => isMuted,

    /** Sends a tick that the market never had, to subscribers of single ticks and of snapshots. */
    sendBadTick(atMs: number, priceText: string, sizeText: string): void {
      sendTick(LAST_KINDS, message(seconds(atMs), priceText, sizeText, 0, exchange, ""), false);
      for (const to of snapshots) sendBadPrice(to, TICK.last, priceText, sizeText);
    },
    /** Sends a quote that the market never had. */
    sendBadQuote(atMs: number, bidText: string, askText: string, bidSizeText: string, askSizeText: string): void {
      sendTick(QUOTE_KINDS, message(seconds(atMs), bidText, askText, bidSizeText, askSizeText, 0), false);
      for (const to of snapshots) {
        sendBadPrice(to, TICK.bid, bidText, bidSizeText);
        sendBadPrice(to, TICK.ask, askText, askSizeText);
      }
    },

    /** Answers a request once, or subscribes it. */
    subscribeSnapshots(
      connection: Connection,
      reqId: number,
      wishes: { readonly wantsRtVolume: boolean; readonly wantsFrozen: boolean },
      isOnce: boolean,
    ): void {
      const subscriber: Snapshots = { connection, reqId, ...wishes, toldType: 0, sent: new Map() };
      tellType(subscriber, wishes.wantsFrozen && frozen !== undefined);
      connection.send(message(ANSWER.tickReqParams, reqId, plain(tickSize), "9c0001", 3));
      if (!isMuted) sendSnapshot(subscriber);
      if (isOnce) connection.send(message(ANSWER.tickSnapshotEnd, 1, reqId));
      else snapshots.add(subscriber);
    },
    subscribeTicks(connection: Connection, reqId: number, kind: TickKind, ignoresSize: boolean): void {
      const head = message(ANSWER.tickByTick, reqId, TICK_KIND_NUMBER[kind]);
      ticks.add({ connection, reqId, kind, ignoresSize, head });
      if (isMuted || (kind !== "BidAsk" && kind !== "MidPoint")) return;
      if (view.bidTicks === undefined && view.askTicks === undefined) return;
      // The quote that stands is told at once: a quiet book would otherwise stay unknown until it moves.
      const middle = barPrice("MIDPOINT");
      const at = seconds(view.quoteAtMs);
      if (kind === "BidAsk") {
        const { bidTicks, askTicks, bidSize, askSize } = view;
        connection.sendTick(head + message(at, priceOrNone(bidTicks), priceOrNone(askTicks), bidSize, askSize, 0));
      } else if (middle !== undefined) connection.sendTick(head + message(at, plain(middle * tickSize)));
    },
    subscribeBars(connection: Connection, reqId: number, wanted: BarPrice, atMs: number): void {
      bars.add({ connection, reqId, price: wanted });
      const now = barPrice(wanted) ?? view.closeTicks;
      if (!growing.has(wanted) && now !== undefined) growing.set(wanted, openBar(REAL_TIME_BAR_MS, atMs, now));
    },
    subscribeUpdates(
      connection: Connection,
      reqId: number,
      price: BarPrice,
      barMs: number,
      bar: GrowingBar | undefined,
      print: (bar: GrowingBar) => string,
    ): void {
      updates.add({ connection, reqId, price, barMs, print, bar, isChanged: false });
    },

    hasSnapshots: (connection: Connection, reqId: number): boolean => [...snapshots].some(is(connection, reqId)),
    hasUpdates: (connection: Connection, reqId: number): boolean => [...updates].some(is(connection, reqId)),
    countSnapshots: (connection: Connection): number => count(snapshots, connection),
    countTicks: (connection: Connection): number => count(ticks, connection),
    /** Ends a subscription; false when there was none. */
    unsubscribeSnapshots: (connection: Connection, reqId: number): boolean => drop(snapshots, is(connection, reqId)),
    unsubscribeTicks: (connection: Connection, reqId: number): boolean => drop(ticks, is(connection, reqId)),
    unsubscribeBars: (connection: Connection, reqId: number): boolean => drop(bars, is(connection, reqId)),
    unsubscribeUpdates: (connection: Connection, reqId: number): boolean => drop(updates, is(connection, reqId)),
    /** Ends all subscriptions of a connection, or of everybody. */
    forget(connection: Connection | undefined): void {
      const isDropped = (subscriber: Subscriber): boolean =>
        connection === undefined || subscriber.connection === connection;
      drop(snapshots, isDropped);
      drop(ticks, isDropped);
      drop(bars, isDropped);
      drop(updates, isDropped);
    },

    /** Returns the latest records of a kind within a time range, oldest first, at most `count` of them. */
    tape(kind: number, fromMs: number, toMs: number, count: number, newestFirst: boolean): readonly TapeRecord[] {
      const first = Math.max(0, tapeRecords - TAPE_RECORDS);
      const found: TapeRecord[] = [];
      const step = newestFirst ? -1 : 1;
      for (
        let at = newestFirst ? tapeRecords - 1 : first;
        at >= first && at < tapeRecords && found.length < count;
        at += step
      ) {
        const offset = (at % TAPE_RECORDS) * RECORD_BYTES;
        if (recordKind(tapeView, offset) !== kind) continue;
        const atMs = recordAtMs(tapeView, offset);
        if (atMs < fromMs || atMs >= toMs) continue;
        found.push({
          atMs,
          a: recordA(tapeView, offset),
          b: recordB(tapeView, offset),
          c: recordC(tapeView, offset),
          d: recordD(tapeView, offset),
        });
      }
      return newestFirst ? found.reverse() : found;
    },
  };
}

/** Is a record from the tape; the letters are those of records.ts. */
export type TapeRecord = {
  readonly atMs: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
};

const LAST_KINDS: readonly TickKind[] = ["Last", "AllLast"];
const QUOTE_KINDS: readonly TickKind[] = ["BidAsk"];
const MIDPOINT_KINDS: readonly TickKind[] = ["MidPoint"];

function seconds(atMs: number): number {
  return Math.floor(atMs / 1_000);
}
