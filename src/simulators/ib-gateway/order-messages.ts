// Prints orders, their states and their executions as answers of the wire.
import type { Listing } from "./listings.ts";
import { type OrderTerms, priceText } from "./order-terms.ts";
import { contractFields } from "./wire/contract.ts";
import { ascii, plain, UNSET_DOUBLE } from "./wire/fields.ts";
import { message } from "./wire/frames.ts";
import { ANSWER } from "./wire/ids.ts";
import type { OrderPrint } from "./wire/open-order.ts";
import { wireTime } from "./wire/time.ts";

/** Is the state of an order in the wire's words. */
type OrderStatus = "PreSubmitted" | "Submitted" | "PendingCancel" | "Filled" | "Cancelled" | "Inactive";

/** Is an order as the gateway keeps it, over restarts too. */
export type GatewayOrder = {
  readonly permId: number;
  readonly clientId: number;
  readonly orderId: number;
  readonly conId: number;
  readonly parentPermId: number;
  terms: OrderTerms;
  /** Is what a modify asked for and the exchange has not confirmed. */
  wantedTerms: OrderTerms | null;
  /** Is false while the order waits in the gateway for the leg that transmits. */
  isTransmitted: boolean;
  status: OrderStatus;
  whyHeld: string;
  filled: number;
  /** Sum of price in ticks × quantity over all fills. */
  filledTicks: number;
  lastFillTicks: number;
  fills: number;
  completedAtMs: number;
  completedText: string;
};

/** Is one execution as the gateway keeps it. */
export type GatewayExecution = {
  readonly execId: string;
  readonly permId: number;
  readonly clientId: number;
  readonly orderId: number;
  readonly conId: number;
  readonly atMs: number;
  readonly action: "BUY" | "SELL";
  readonly quantity: number;
  readonly priceTicks: number;
  readonly cumulative: number;
  readonly averageTicks: number;
  readonly orderRef: string;
  readonly addsLiquidity: boolean;
  readonly feeCents: number;
  readonly realisedCents: number | null;
};

/** Returns true while an order may still fill. */
export function isWorking(order: GatewayOrder): boolean {
  return order.status === "PreSubmitted" || order.status === "Submitted" || order.status === "PendingCancel";
}

/** Returns what openOrder and completedOrder print of an order. */
export function printOrder(order: GatewayOrder, listing: Listing, account: string): OrderPrint {
  const { terms } = order;
  const { product } = listing;
  const isTrail = terms.kind === "trail" || terms.kind === "trail_percent";
  const familyGroup = order.parentPermId === 0 ? "" : String(order.parentPermId);
  return {
    orderId: order.orderId,
    clientId: order.clientId,
    permId: order.permId,
    listing,
    action: terms.action,
    quantity: terms.quantity,
    orderType: terms.orderType,
    limitPriceText: priceText(terms.limitTicks, product, plain) || "0",
    auxPriceText: priceText(isTrail ? terms.trailTicks : terms.triggerTicks, product, plain) || "0",
    trailStopPriceText: isTrail ? priceText(terms.triggerTicks, product, plain) : "",
    trailingPercentText: terms.trailPercentE4 === null ? "" : plain(terms.trailPercentE4 / 10_000),
    tif: terms.tif,
    goodTillDate: ascii(terms.goodTillDate),
    ocaGroup: ascii(terms.ocaGroup || familyGroup),
    ocaType: terms.ocaType || 3,
    account,
    orderRef: terms.orderRef,
    parentId: terms.parentId,
    outsideRth: terms.outsideRth,
    status: order.status,
  };
}

/** Returns the orderStatus answer. */
export function orderStatusMessage(order: GatewayOrder, listing: Listing): string {
  const { tickSize } = listing.product;
  const average = order.filled === 0 ? 0 : (order.filledTicks / order.filled) * tickSize;
  return message(
    ANSWER.orderStatus,
    order.orderId,
    order.status,
    order.filled,
    Math.max(0, order.terms.quantity - order.filled),
    plain(average),
    order.permId,
    order.terms.parentId,
    plain(order.lastFillTicks * tickSize),
    order.clientId,
    order.whyHeld,
    0,
  );
}

/** Returns the execution answer; reqId is -1 for one that nobody asked for. */
export function executionMessage(
  serverVersion: number,
  reqId: number,
  execution: GatewayExecution,
  listing: Listing,
  account: string,
): string {
  const { tickSize, exchange } = listing.product;
  return message(
    ANSWER.execution,
    reqId,
    execution.orderId,
    ...contractFields(listing),
    execution.execId,
    wireTime(serverVersion, execution.atMs),
    account,
    exchange,
    execution.action === "BUY" ? "BOT" : "SLD",
    execution.quantity,
    plain(execution.priceTicks * tickSize),
    execution.permId,
    execution.clientId,
    0,
    execution.cumulative,
    plain(execution.averageTicks * tickSize),
    execution.orderRef,
    "",
    "",
    "",
    execution.addsLiquidity ? 1 : 2,
    ...(serverVersion >= 178 ? [0] : []),
  );
}

/** Returns the commission report that follows an execution; what was not closed has no profit to report. */
export function commissionMessage(execution: GatewayExecution): string {
  return message(
    ANSWER.commission,
    1,
    execution.execId,
    plain(execution.feeCents / 100),
    "USD",
    execution.realisedCents === null ? UNSET_DOUBLE : plain(execution.realisedCents / 100),
    UNSET_DOUBLE,
    "",
  );
}

/** Returns an error or notice; `id` is the order's, the request's, or -1. */
export function errorMessage(serverVersion: number, id: number, code: number, text: string): string {
  return message(ANSWER.error, 2, id, code, ascii(text), ...(serverVersion >= 166 ? [""] : []));
}
