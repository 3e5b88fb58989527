// What of an order is checked before the exchange sees it, and the translation of its terms between wire and exchange.
import type { ExchangeOrderKind, ExchangeTif } from "./exchange.ts";
import type { Listing, Product } from "./listings.ts";
import { CODE } from "./wire/ids.ts";
import type { OrderRequest } from "./wire/place-order.ts";

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
  tif: "DAY" | "GTC" | "IOC";
  ocaGroup: string;
  ocaType: number;
  orderRef: string;
  parentId: number;
  outsideRth: boolean;
};

/** Is a refusal as the wire says it. */
export type OrderProblem = { readonly code: number; readonly text: string };

/** Is the largest quantity of one order. */
const QUANTITY_MAX = 10_000;

const KINDS: Readonly<Record<string, ExchangeOrderKind["kind"]>> = {
  MKT: "market",
  LMT: "limit",
  STP: "stop",
  "STP LMT": "stop_limit",
  STPLMT: "stop_limit",
  TRAIL: "trail",
};

/** Returns the terms of a request, or why it can't be taken. */
export function readTerms(request: OrderRequest, listing: Listing): OrderTerms | OrderProblem {
  const { action, quantity } = request;
  if (request.unsupported.length > 0) {
    return rejected(`the simulated gateway does not offer ${request.unsupported.join(", ")}`);
  }
  if (action !== "BUY" && action !== "SELL") return rejected(`the action ${action} is neither BUY nor SELL`);
  if (quantity === 0) return { code: CODE.sizeZero, text: "The order size cannot be zero" };
  if (!Number.isInteger(quantity) || quantity < 0 || quantity > QUANTITY_MAX) {
    return rejected(`the quantity ${quantity} is not a whole number from 1 to ${QUANTITY_MAX}`);
  }
  const kind = KINDS[request.orderType];
  if (kind === undefined)
    return rejected(`the simulated exchange knows ${Object.keys(KINDS).join(", ")}, not ${request.orderType}`);
  const { tif } = request;
  if (tif !== "DAY" && tif !== "GTC" && tif !== "IOC")
    return rejected(`the simulated exchange knows DAY, GTC and IOC, not ${tif}`);

  const { tickSize } = listing.product;
  const limitTicks = kind === "limit" || kind === "stop_limit" ? toTicks(request.limitPrice, tickSize) : null;
  const triggerTicks = kind === "stop" || kind === "stop_limit" ? toTicks(request.auxPrice, tickSize) : null;
  const trailTicks = kind === "trail" ? toTicks(request.auxPrice, tickSize) : null;
  if (kind === "trail" && request.trailingPercent !== undefined)
    return rejected("a trail in percent is not offered; give an amount");
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
    tif,
    ocaGroup: request.ocaGroup,
    ocaType: request.ocaType,
    orderRef: request.orderRef,
    parentId: request.parentId,
    outsideRth: request.outsideRth,
  };
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
      return { kind: "trail", trailTicks: need(terms.trailTicks) };
    default:
      return terms.kind satisfies never;
  }
}

/** Returns how long an order lives, in the exchange's word. */
export function exchangeTif(tif: OrderTerms["tif"]): ExchangeTif {
  return tif === "DAY" ? "day" : tif === "GTC" ? "gtc" : "ioc";
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
