// Words of the TWS API turned into ours: states, kinds, sides, codes, times, prices. Pure; knows no connection.
import { type Execution, type Contract as IbContract, type Order, OrderAction, OrderType } from "@stoqey/ib";
import { DateTime } from "luxon";
import type { BrokerFill, BrokerOrder, BrokerOrderState, OrderKind, Side } from "../../engine.ts";

/** Decides what an error code on one of our order ids means (TWS API message codes; reliability note, section E). */
export type OrderCodeMeaning =
  /** The order does not exist and never will. */
  | "refused"
  /** The change was not made; the order's true state must be asked for. */
  | "change_refused"
  /** The order is gone. */
  | "cancelled"
  /** A remark: the order may well be working; its status tells. */
  | "warning"
  /** A remark that says nothing about the order's life: an attribute has no meaning for this instrument. */
  | "ignored";

const OUTSIDE_RTH_IGNORED = 2109;
const REFUSED: ReadonlySet<number> = new Set([110, 200, 201, 203, 320, 321, 322, 387, 388, 413, 434, 10006]);
const CHANGE_REFUSED: ReadonlySet<number> = new Set([104, 105, 135, 161, 329, 10147, 10148]);
/** 10000 and above are refusals of the order subsystem but for these remarks. */
const REMARKS: ReadonlySet<number> = new Set([10167, 10311, 10314, 10349]);

/** Returns the meaning of `code` on an order id; what is not known is a warning, so that silence makes the order in doubt. */
export function orderCodeMeaning(code: number): OrderCodeMeaning {
  if (code === 202) return "cancelled";
  if (code === OUTSIDE_RTH_IGNORED) return "ignored";
  if (CHANGE_REFUSED.has(code)) return "change_refused";
  if (REFUSED.has(code)) return "refused";
  if (code >= 10_000 && code < 11_000 && !REMARKS.has(code)) return "refused";
  return "warning";
}

/** Decides what a notice without an id (or about data) means for the link and the feed. */
export type LinkCodeMeaning =
  | "degraded"
  | "restored_data_lost"
  | "restored"
  | "dropped"
  | "in_use"
  | "feed_broken"
  | "feed_ok"
  | "info";

/** Returns the meaning of a notice's code (reliability note, section E). */
export function linkCodeMeaning(code: number): LinkCodeMeaning {
  switch (code) {
    case 1100:
    case 2110:
      return "degraded";
    case 1101:
      return "restored_data_lost";
    case 1102:
      return "restored";
    case 1300:
    case 502:
    case 504:
    case 505:
    case 507:
    case 509:
      return "dropped";
    case 326:
      return "in_use";
    case 2103:
    case 2105:
    case 2157:
      return "feed_broken";
    case 2104:
    case 2106:
    case 2158:
      return "feed_ok";
    default:
      return "info";
  }
}

/** Which broken farm a code mends: market data, history, security definitions. */
export const MENDED_FARM: ReadonlyMap<number, number> = new Map([
  [2104, 2103],
  [2106, 2105],
  [2158, 2157],
]);

/** Codes on a market-data request that mean: no live data. Delayed quotes are never traded on. */
export const FEED_REFUSED: ReadonlySet<number> = new Set([
  354, 420, 10089, 10090, 10167, 10168, 10186, 10187, 10189, 10190, 10197,
]);

/** Returns the state that a status word stands for; an unknown word is taken for pending, so that the order stays in question. */
export function orderState(word: string): BrokerOrderState {
  switch (word) {
    case "PreSubmitted":
      return "held";
    case "Submitted":
      return "working";
    case "PendingCancel":
      return "cancel_pending";
    case "Cancelled":
    case "ApiCancelled":
      return "cancelled";
    case "Filled":
      return "filled";
    case "Inactive":
      return "inactive";
    default:
      return "pending";
  }
}

/** Says how a contract's prices become ticks. */
export type PriceScale = { readonly tickSize: number; readonly multiplier: number };

/** Returns whole ticks, or null for what is no price (absent, NaN, less than half a tick, beyond 32 bits). */
export function toTicks(price: number | undefined, scale: PriceScale): number | null {
  if (price === undefined) return null;
  const ticks = Math.round(price / scale.tickSize);
  return ticks >= 1 && ticks <= 0x7fffffff ? ticks : null;
}

/** Returns the price in points; exact for the decimal tick sizes in use, since it is rounded to 8 decimals. */
export function toPrice(ticks: number, scale: PriceScale): number {
  return Number((ticks * scale.tickSize).toFixed(8));
}

/** Returns our kind, or null for one that we never use. */
export function orderKind(order: Order, scale: PriceScale): OrderKind | null {
  if (order.orderType === OrderType.MKT) return { kind: "market" };
  if (order.orderType === OrderType.LMT) {
    const limitTicks = toTicks(order.lmtPrice, scale);
    return limitTicks === null ? null : { kind: "limit", limitTicks };
  }
  if (order.orderType === OrderType.STP) {
    const stopTicks = toTicks(order.auxPrice, scale);
    return stopTicks === null ? null : { kind: "stop", stopTicks };
  }
  return null;
}

/** Returns the side of an order or execution ("BUY", "BOT", "SELL", "SLD", "SSHORT"). */
export function side(word: string | undefined): Side {
  return word === "BUY" || word === "BOT" ? "buy" : "sell";
}

/** Returns the word for a side. */
export function action(wanted: Side): OrderAction {
  return wanted === "buy" ? OrderAction.BUY : OrderAction.SELL;
}

/** Returns an order as openOrder told it; filled contracts come with orderStatus only. */
export function brokerOrder(
  orderId: number,
  contract: IbContract,
  order: Order,
  status: string | undefined,
  scale: PriceScale,
): BrokerOrder {
  return {
    orderRef: order.orderRef ?? "",
    orderId,
    clientId: order.clientId ?? 0,
    permId: order.permId ?? 0,
    conId: contract.conId ?? 0,
    side: side(order.action),
    quantity: order.totalQuantity ?? 0,
    filled: 0,
    kind: orderKind(order, scale),
    state: orderState(status ?? ""),
  };
}

/** Returns an execution, or null where a field that it can't be without is missing. */
export function brokerFill(
  contract: IbContract,
  execution: Execution,
  scale: PriceScale,
  zone: string,
): BrokerFill | null {
  const priceTicks = toTicks(execution.price, scale);
  const { execId, shares } = execution;
  if (priceTicks === null || execId === undefined || shares === undefined) return null;
  return {
    execId,
    orderRef: execution.orderRef ?? "",
    orderId: execution.orderId ?? 0,
    permId: execution.permId ?? 0,
    conId: contract.conId ?? 0,
    side: side(execution.side),
    quantity: shares,
    priceTicks,
    filledAtMs: executionTimeMs(execution.time ?? "", zone) ?? 0,
  };
}

/** Every look at the state brings all executions of the day again, and reading a local time costs more than the rest. */
const timesByText = new Map<string, number | null>();
const TIMES_KEPT_MAX = 10_000;

/**
 * Returns the time of "20260105 09:30:00 US/Central" (server 174 and later), or of "20260105  09:30:00" (older), which is
 * read in `zone`. Null for another form.
 */
export function executionTimeMs(text: string, zone: string): number | null {
  const key = `${zone} ${text}`;
  const kept = timesByText.get(key);
  if (kept !== undefined) return kept;
  const timeMs = readTimeMs(text, zone);
  if (timesByText.size >= TIMES_KEPT_MAX) timesByText.clear();
  timesByText.set(key, timeMs);
  return timeMs;
}

function readTimeMs(text: string, zone: string): number | null {
  const parts = /^(\d{8})[\s-]+(\d{2}:\d{2}:\d{2})(?:\s+(\S+))?$/.exec(text.trim());
  if (parts === null) return null;
  const time = DateTime.fromFormat(`${parts[1]} ${parts[2]}`, "yyyyMMdd HH:mm:ss", { zone: parts[3] ?? zone });
  return time.isValid ? time.toMillis() : null;
}
