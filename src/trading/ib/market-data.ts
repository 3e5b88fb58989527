// Trades and quotes of the listing, and bars of its past.
import { BarSizeSetting, EventName, type IBApi, TickByTickDataType, WhatToShow } from "@stoqey/ib";
import type { Bar } from "../../engine.ts";
import type { Log } from "../../log.ts";
import { err, ok, type Result } from "../../result.ts";
import type { GatewayEvent, GatewayProblem, HistoryQuery } from "../gateway.ts";
import type { Wire } from "./connection.ts";
import type { Listing } from "./contracts.ts";
import type { Requests } from "./requests.ts";
import { FEED_REFUSED, toTicks } from "./translate.ts";

const HISTORY_MS_MAX = 20_000;
const SECOND_MS = 1_000;
const DAY_SECONDS = 86_400;
/** Bars may be missing in quiet minutes, so more time is asked for than the bars fill. */
const HISTORY_SPARE = 2;

/** Bar size words and the longest time that IB gives for each in one answer (TWS API, historical limitations), in seconds. */
const BAR_SIZES: ReadonlyMap<number, { readonly word: BarSizeSetting; readonly secondsMax: number }> = new Map([
  [1_000, { word: BarSizeSetting.SECONDS_ONE, secondsMax: 1_800 }],
  [5_000, { word: BarSizeSetting.SECONDS_FIVE, secondsMax: 3_600 }],
  [10_000, { word: BarSizeSetting.SECONDS_TEN, secondsMax: 14_400 }],
  [15_000, { word: BarSizeSetting.SECONDS_FIFTEEN, secondsMax: 14_400 }],
  [30_000, { word: BarSizeSetting.SECONDS_THIRTY, secondsMax: 28_800 }],
  [60_000, { word: BarSizeSetting.MINUTES_ONE, secondsMax: DAY_SECONDS }],
  [300_000, { word: BarSizeSetting.MINUTES_FIVE, secondsMax: 7 * DAY_SECONDS }],
]);

/** Market data of the kept listing. */
export type MarketData = {
  attach(api: IBApi, requests: Requests, listing: () => Listing | null): void;
  watch(wire: Wire, listing: Listing): Result<void, GatewayProblem>;
  history(wire: Wire, listing: Listing, query: HistoryQuery): Promise<Result<readonly Bar[], GatewayProblem>>;
  /** The subscriptions are gone at the gateway: the next `watch` renews them. */
  forget(): void;
  /** Takes an error of a subscription; returns false where the id is not one. */
  error(requestId: number, code: number, text: string): boolean;
  /** Data that were no prices since the start (NaN, zero, negative). */
  ignored(): number;
};

/** Returns market data that are told by `tell`. */
export function createMarketData(tell: (event: GatewayEvent) => void, log: Log): MarketData {
  let subscriptions: { readonly epoch: number; readonly conId: number; readonly ids: readonly number[] } | null = null;
  let isStale = false;
  let ignored = 0;

  const owns = (requestId: number): boolean => subscriptions?.ids.includes(requestId) === true;
  /** After a roll the old listing's ticks still come until its subscription is taken back: they are no prices of the new one. */
  const isOf = (requestId: number, listing: Listing | null): listing is Listing =>
    owns(requestId) && listing !== null && listing.contract.conId === subscriptions?.conId;

  return {
    attach: (api, requests, listing) => {
      api.on(EventName.tickByTickAllLast, (requestId: number, _type: number, time, price: number, size?: number) => {
        const kept = listing();
        if (!isOf(requestId, kept)) return;
        const priceTicks = toTicks(price, kept.scale);
        if (priceTicks === null || size === undefined || !(size >= 0)) {
          ignored++;
          return;
        }
        tell({ type: "trade", exchangeAtMs: Number(time) * SECOND_MS, priceTicks, size: Math.round(size) });
      });
      api.on(
        EventName.tickByTickBidAsk,
        (requestId: number, time, bid: number, ask: number, bidSize?: number, askSize?: number) => {
          const kept = listing();
          if (!isOf(requestId, kept)) return;
          tell({
            type: "quote",
            exchangeAtMs: Number(time) * SECOND_MS,
            bidTicks: toTicks(bid, kept.scale),
            askTicks: toTicks(ask, kept.scale),
            bidSize: wholeSize(bidSize),
            askSize: wholeSize(askSize),
          });
        },
      );
      api.on(
        EventName.historicalData,
        (requestId: number, time: string, open: number, high: number, low: number, close: number, volume: number) => {
          if (!requests.isOpen(requestId)) return;
          if (time.startsWith("finished")) {
            requests.end(requestId);
            return;
          }
          const kept = listing();
          const [openTicks, highTicks, lowTicks, closeTicks] =
            kept === null ? [] : [open, high, low, close].map((price) => toTicks(price, kept.scale));
          if (openTicks == null || highTicks == null || lowTicks == null || closeTicks == null) {
            ignored++;
            return;
          }
          const bar: Bar = {
            openAtMs: Number(time) * SECOND_MS,
            openTicks,
            highTicks,
            lowTicks,
            closeTicks,
            volume: Math.max(0, Math.round(volume)),
          };
          requests.add(requestId, bar);
        },
      );
    },
    watch: (wire, listing) => {
      if (subscriptions?.epoch === wire.epoch && !isStale) return ok(undefined);
      if (subscriptions?.epoch === wire.epoch) {
        for (const id of subscriptions.ids) {
          wire.gate.request({ send: () => wire.api.cancelTickByTickData(id), drop: () => {} });
        }
      }
      const [trades, quotes] = [wire.requests.nextId(), wire.requests.nextId()];
      subscriptions = { epoch: wire.epoch, conId: listing.contract.conId, ids: [trades, quotes] };
      const ask = (id: number, type: TickByTickDataType): boolean =>
        wire.gate.request({
          send: () => wire.api.reqTickByTickData(id, listing.ib, type, 0, false),
          drop: () => log.debug({ id }, "a subscription was not sent: the connection ended"),
        });
      isStale = !(ask(trades, TickByTickDataType.Last) && ask(quotes, TickByTickDataType.BidAsk));
      return isStale ? err({ type: "refused", code: 100, text: "too many requests wait already" }) : ok(undefined);
    },
    history: async (wire, listing, query) => {
      const size = BAR_SIZES.get(query.barMs);
      if (size === undefined) return err({ type: "not_found", detail: `the broker has no bars of ${query.barMs} ms` });
      const seconds = Math.min(size.secondsMax, Math.ceil((query.count * query.barMs * HISTORY_SPARE) / SECOND_MS));
      const duration = seconds < DAY_SECONDS ? `${Math.max(60, seconds)} S` : `${Math.ceil(seconds / DAY_SECONDS)} D`;
      const id = wire.requests.nextId();
      const answer = await wire.requests.open<Bar>(id, HISTORY_MS_MAX, () =>
        wire.gate.request({
          send: () =>
            wire.api.reqHistoricalData(id, listing.ib, "", duration, size.word, WhatToShow.TRADES, 0, 2, false),
          drop: () => {},
        }),
      );
      if (!answer.ok) return answer;
      return ok(answer.value.toSorted((a, b) => a.openAtMs - b.openAtMs).slice(-query.count));
    },
    forget: () => {
      isStale = true;
    },
    error: (requestId, code, text) => {
      if (!owns(requestId)) return false;
      if (FEED_REFUSED.has(code)) {
        isStale = true;
        tell({ type: "feed_changed", ok: false, detail: `${text} (${code})` });
      } else log.warn({ code, text }, "a remark about market data");
      return true;
    },
    ignored: () => ignored,
  };
}

function wholeSize(size: number | undefined): number {
  return size === undefined || !(size >= 0) ? 0 : Math.round(size);
}
