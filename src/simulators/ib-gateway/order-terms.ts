// What of an order is checked before the exchange sees it, and the translation of its terms between wire and exchange.
import type { ExchangeOrderKind, ExchangeTif } from "./exchange.ts";
import type { Listing, Product } from "./listings.ts";
import { CODE } from "./wire/ids.ts";
import type { OrderRequest } from "./wire/place-order.ts";
import { parseWireTime } from "./wire/time.ts";

/** Is the terms of an accepted order; prices in ticks. All of it is plain data that is kept over restarts. */
export type OrderTerms = {
  action: "BUY" | "SELL";
  quantity: number;
  /** Is the type as the client spelled it. */
  orderType: string;
  kind: ExchangeOrderKind["kind"];
  limitTicks: number | null;
  triggerTicks: number | null;
  trailTicks: number | null;
  /** Is a trail's share of the price; 10 000 = 1 %. */
  trailPercentE4: number | null;
  tif: "DAY" | "GTC" | "IOC" | "GTD";
  /** Is when a GTD order ends, as the client spelled it, and in milliseconds; "" and null for any other. */
  goodTillDate: string;
  goodTillMs: number | null;
  ocaGroup: string;
  ocaType: number;
  orderRef: string;
  parentId: number;
  outsideRth: boolean;
};

/** Is a refusal as the wire says it. */
export type OrderProblem = { readonly code: number; readonly text: string };

/** Are the order types that the exchange takes, as contract details list them. */
export const ORDER_TYPES_LISTED = "DAY,GTC,GTD,IOC,LMT,MKT,OCA,STP,STPLMT,TRAIL,WHATIF";

/** Is the largest quantity of one order. */
export const QUANTITY_MAX = 10_000;

const KINDS: Readonly<Record<string, ExchangeOrderKind["kind"]>> = {
  MKT: "market",
  LMT: "limit",
  STP: "stop",
  "STP LMT": "stop_limit",
  STPLMT: "stop_limit",
  TRAIL: "trail",
};
const TIFS: readonly OrderTerms["tif"][] = ["DAY", "GTC", "IOC", "GTD"];
/** A trail by percent is less than the whole price; 10 000 = 1 %. */
const PERCENT_E4_MAX = 990_000;

/** Returns the terms of a request that comes at `nowMs`, or why it can't be taken. */
export function readTerms(request: OrderRequest, listing: Listing, nowMs: number): OrderTerms | OrderProblem {
  const { action, quantity } = request;
  if (request.unsupported.length > 0) {
    return rejected(`the simulated gateway does not offer ${request.unsupported.join(", ")}`);
  }
  if (action !== "BUY" && action !== "SELL") return rejected(`the action ${action} is neither BUY nor SELL`);
  if (quantity === 0) return { code: CODE.sizeZero, text: "The order size cannot be zero" };
  if (!Number.isInteger(quantity) || quantity < 0 || quantity > QUANTITY_MAX) {
    return rejected(`the quantity ${quantity} is not a whole number from 1 to ${QUANTITY_MAX}`);
  }
  const kind = kindOf(request);
  if (kind === undefined) {
    return {
      code: CODE.orderTypeUnsupported,
      text: `Unsupported order type for this exchange and security type. (The simulated exchange takes ${Object.keys(KINDS).join(", ")}, not ${request.orderType})`,
    };
  }
  const tif = TIFS.find((known) => known === request.tif);
  if (tif === undefined) {
    const text = `Invalid time in force:${request.tif} (the simulated exchange takes ${TIFS.join(", ")})`;
    return { code: CODE.timeInForceInvalid, text };
  }
  const goodTillMs = tif === "GTD" ? parseWireTime(request.goodTillDate) : null;
  if (goodTillMs === undefined || (goodTillMs !== null && goodTillMs <= nowMs)) {
    const what = goodTillMs === undefined ? "it is no moment in the form yyyymmdd hh:mm:ss zone" : "it is past";
    return {
      code: CODE.goodTillDateInvalid,
      text: `Invalid Good Till Date order:${request.goodTillDate || "no date"} (${what})`,
    };
  }

  const { tickSize } = listing.product;
  const isTrail = kind === "trail" || kind === "trail_percent";
  const limitTicks = kind === "limit" || kind === "stop_limit" ? toTicks(request.limitPrice, tickSize) : null;
  const isFree = isTrail && request.trailStopPrice === undefined;
  const stopPrice = isTrail ? request.trailStopPrice : request.auxPrice;
  const hasTrigger = kind === "stop" || kind === "stop_limit" || isTrail;
  const triggerTicks = hasTrigger && !isFree ? toTicks(stopPrice, tickSize) : null;
  const trailTicks = kind === "trail" ? toTicks(request.auxPrice, tickSize) : null;
  const trailPercentE4 = kind === "trail_percent" ? Math.round((request.trailingPercent ?? 0) * 10_000) : null;
  if (trailPercentE4 !== null && (trailPercentE4 < 1 || trailPercentE4 > PERCENT_E4_MAX)) {
    return rejected(`a trail of ${request.trailingPercent} % is not within 0.0001 to ${PERCENT_E4_MAX / 10_000} %`);
  }
  for (const ticks of [limitTicks, triggerTicks, trailTicks]) {
    if (ticks === "off_grid") {
      return {
        code: CODE.priceVariation,
        text: "The price does not conform to the minimum price variation for this contract.",
      };
    }
    if (ticks === "missing") return rejected(`a ${request.orderType} order needs its price`);
  }
  return {
    action,
    quantity,
    orderType: request.orderType,
    kind,
    limitTicks: limitTicks as number | null,
    triggerTicks: triggerTicks as number | null,
    trailTicks: trailTicks as number | null,
    trailPercentE4,
    tif,
    goodTillDate: tif === "GTD" ? request.goodTillDate : "",
    goodTillMs,
    ocaGroup: request.ocaGroup,
    ocaType: request.ocaType,
    orderRef: request.orderRef,
    parentId: request.parentId,
    outsideRth: request.outsideRth,
  };
}

/** A trail is by percent when one is given and no amount; clients send an amount of 0 for none. */
function kindOf({ orderType, auxPrice, trailingPercent }: OrderRequest): ExchangeOrderKind["kind"] | undefined {
  const kind = KINDS[orderType];
  const isByPercent = kind === "trail" && trailingPercent !== undefined && (auxPrice ?? 0) === 0;
  return isByPercent ? "trail_percent" : kind;
}

/** Returns true for a refusal. */
export function isProblem(read: OrderTerms | OrderProblem): read is OrderProblem {
  return "code" in read;
}

/** Returns why the new terms are no modification of the old, or undefined. */
export function modifyProblem(before: OrderTerms, after: OrderTerms, filled: number): OrderProblem | undefined {
  if (before.kind !== after.kind) {
    return { code: CODE.modifyTypeMismatch, text: "Order modify failed. Cannot change to the new order type." };
  }
  if (before.action !== after.action || before.parentId !== after.parentId) {
    return { code: CODE.modifyMismatch, text: "Order being modified does not match original order" };
  }
  if (after.quantity <= filled)
    return rejected(`the quantity ${after.quantity} is not above the ${filled} that are filled`);
  return undefined;
}

/** Returns the terms as the exchange takes them. Throws when a price that the kind needs is missing: readTerms saw to it. */
export function exchangeKind(terms: OrderTerms): ExchangeOrderKind {
  const need = (ticks: number | null): number => {
    if (ticks === null) throw new Error(`a ${terms.kind} order without its price`);
    return ticks;
  };
  switch (terms.kind) {
    case "market":
      return { kind: "market" };
    case "limit":
      return { kind: "limit", limitTicks: need(terms.limitTicks) };
    case "stop":
      return { kind: "stop", stopTicks: need(terms.triggerTicks) };
    case "stop_limit":
      return { kind: "stop_limit", stopTicks: need(terms.triggerTicks), limitTicks: need(terms.limitTicks) };
    case "trail":
      return { kind: "trail", trailTicks: need(terms.trailTicks), stopTicks: terms.triggerTicks };
    case "trail_percent":
      return { kind: "trail_percent", percentE4: need(terms.trailPercentE4), stopTicks: terms.triggerTicks };
    default:
      return terms.kind satisfies never;
  }
}

/** Returns how long an order lives, in the exchange's word. A good-till-date order is ended by the gateway. */
export function exchangeTif(tif: OrderTerms["tif"]): ExchangeTif {
  switch (tif) {
    case "DAY":
      return "day";
    case "GTC":
    case "GTD":
      return "gtc";
    case "IOC":
      return "ioc";
    default:
      return tif satisfies never;
  }
}

/** Returns a price in points, "" for none. */
export function priceText(ticks: number | null, product: Product, print: (value: number) => string): string {
  return ticks === null ? "" : print(ticks * product.tickSize);
}

/** Prices are compared to the grid with this tolerance in ticks: decimals like 2150.1 have no exact double. */
const GRID_TOLERANCE_TICKS = 1e-6;

function toTicks(price: number | undefined, tickSize: number): number | "off_grid" | "missing" {
  if (price === undefined) return "missing";
  const ticks = Math.round(price / tickSize);
  if (!Number.isFinite(price) || price <= 0 || Math.abs(price / tickSize - ticks) > GRID_TOLERANCE_TICKS)
    return "off_grid";
  return ticks;
}

function rejected(reason: string): OrderProblem {
  return { code: CODE.orderRejected, text: `Order rejected - reason:${reason}` };
}
