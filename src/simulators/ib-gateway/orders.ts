// What clients may do with orders, by the broker's rules: order ids belong to a client, permIds to the gateway, and a
// family is sent to the exchange when its last leg transmits.
import type { Calendar } from "./calendar.ts";
import type { Connection } from "./connection.ts";
import type { ExchangeOrder, ExchangePort } from "./exchange.ts";
import { findListings } from "./listings.ts";
import { createOrderBook, looseOrder, type SavedOrders } from "./order-book.ts";
import { type OrderFaults, takeRefusal } from "./order-faults.ts";
import {
  commissionMessage,
  executionMessage,
  type GatewayExecution,
  type GatewayOrder,
  isWorking,
  orderStatusMessage,
  printOrder,
} from "./order-messages.ts";
import { createReportReader, endOrder } from "./order-reports.ts";
import {
  exchangeKind,
  exchangeTif,
  isProblem,
  modifyProblem,
  type OrderProblem,
  type OrderTerms,
  readTerms,
} from "./order-terms.ts";
import { createOrderVoice, type VoiceContext } from "./order-voice.ts";
import { message } from "./wire/frames.ts";
import { ANSWER, CODE } from "./wire/ids.ts";
import { completedOrderMessage, openOrderMessage, type WhatIfPrint } from "./wire/open-order.ts";
import type { OrderRequest } from "./wire/place-order.ts";
import { wireTime } from "./wire/time.ts";

/** Is what orders need of the rest of the gateway. */
export type OrdersContext = VoiceContext & {
  readonly exchange: ExchangePort;
  readonly calendar: Calendar;
  readonly faults: OrderFaults;
  whatIf(terms: OrderTerms): WhatIfPrint;
  /** Is called after a fill, when positions and money have changed. */
  filled(positionAfter: number): void;
};

/** Is the gateway's desk for orders. */
export type Orders = ReturnType<typeof createOrders>;

/** Returns the desk for orders of the contract that has a market, as it was when `saved` was taken. */
export function createOrders(context: OrdersContext, saved: SavedOrders) {
  const { exchange, listing, ledger, faults } = context;
  const book = createOrderBook(saved, listing.conId);
  const voice = createOrderVoice(context);
  const { take: apply, tellHeld } = createReportReader({ ...context, book, voice });

  const record = (
    connection: Connection,
    clientId: number,
    type: "order" | "modify" | "swallowed",
    request: OrderRequest,
    permId: number | null,
  ): void => {
    ledger.write(context.nowMs(), connection.number, clientId, {
      type: request.whatIf ? "what_if" : type,
      orderId: request.orderId,
      permId,
      parentId: request.parentId,
      orderRef: request.orderRef,
      action: request.action,
      quantity: request.quantity,
      orderType: request.orderType,
      limitPrice: request.limitPrice ?? null,
      auxPrice: request.auxPrice ?? null,
      tif: request.tif,
      transmit: request.transmit,
      whatIf: request.whatIf,
    });
  };

  /** Returns the permId of the parent that an order waits for; null where that has filled or there is none. */
  const workingParent = (order: GatewayOrder): number | null => {
    const parent = order.parentPermId === 0 ? undefined : book.byPermId(order.parentPermId);
    return parent !== undefined && isWorking(parent) ? parent.permId : null;
  };

  /** Sends an order and every other leg of its family that still waits, the parent first. */
  const transmitFamily = (order: GatewayOrder): void => {
    const family = book.waitingFamily(order);
    for (const member of family) member.isTransmitted = true;
    apply(
      exchange.submit(
        context.nowMs(),
        family.map((member) => toExchange(member, workingParent(member))),
      ),
    );
  };

  /** Returns why a request is refused before its terms are looked at. */
  const earlyProblem = (
    clientId: number,
    request: OrderRequest,
    existing: GatewayOrder | undefined,
  ): OrderProblem | undefined => {
    if (!context.isLinkUp()) {
      return {
        code: CODE.orderRejected,
        text: "Order rejected - reason:there is no connection to the broker's server",
      };
    }
    if (request.whatIf) {
      return request.transmit
        ? undefined
        : { code: CODE.whatIfTransmit, text: "What-if order should have the transmit flag set to true" };
    }
    const highest = book.highestOrderId(clientId);
    if ((existing !== undefined && isWorking(existing)) || request.orderId > highest) return undefined;
    if (existing?.status === "Filled") return { code: CODE.modifyFilled, text: "Can't modify a filled order" };
    const text = `Duplicate order id: ${request.orderId} is not above ${highest}, the highest one of client ${clientId}`;
    return { code: CODE.duplicateOrderId, text };
  };

  /** Returns the terms of a request for the contract that has a market, or why it is refused. */
  const checkedTerms = (request: OrderRequest): OrderTerms | OrderProblem => {
    const found = findListings(request.contract, false, context.nowMs());
    const [only] = found;
    if (only === undefined || found.length > 1) {
      const text =
        only === undefined
          ? "No security definition has been found for the request"
          : `The contract description specified for ${request.contract.symbol} is ambiguous`;
      return { code: CODE.noSecurityDefinition, text };
    }
    if (request.account !== "" && request.account !== context.account()) {
      const text = `Error validating request.-'bX' : cause - The account ${request.account} is not known`;
      return { code: CODE.validationError, text };
    }
    const terms = readTerms(request, only, context.nowMs());
    if (isProblem(terms) || only.conId === listing.conId) return terms;
    const text = `Order rejected - reason:only ${listing.localSymbol} has a market in this simulation, not ${only.localSymbol}`;
    return { code: CODE.orderRejected, text };
  };

  const modify = (
    connection: Connection,
    clientId: number,
    order: GatewayOrder,
    transmit: boolean,
    terms: OrderTerms,
  ): void => {
    const problem = modifyProblem(order.wantedTerms ?? order.terms, terms, order.filled);
    if (problem !== undefined) {
      voice.refuse(connection, clientId, order.orderId, problem);
      return;
    }
    book.touch();
    if (!order.isTransmitted) {
      order.terms = terms;
      voice.both(order);
      if (transmit) transmitFamily(order);
      return;
    }
    order.wantedTerms = terms;
    const { quantity, limitTicks, triggerTicks, trailTicks, trailPercentE4 } = terms;
    const prices = { limitTicks, stopTicks: triggerTicks, trailTicks, percentE4: trailPercentE4 };
    const changes = { quantity, ...prices, tif: exchangeTif(terms.tif) };
    apply(exchange.modify(context.nowMs(), order.permId, changes));
  };

  const placeNew = (connection: Connection, clientId: number, request: OrderRequest, terms: OrderTerms): void => {
    book.useOrderId(clientId, request.orderId);
    const parent = request.parentId === 0 ? undefined : book.byOrderId(clientId, request.parentId);
    const parentIsGone = parent === undefined || parent.status === "Cancelled" || parent.status === "Inactive";
    if (request.parentId !== 0 && parentIsGone) {
      voice.refuse(connection, clientId, request.orderId, { code: CODE.missingParent, text: "Missing parent order" });
      return;
    }
    const order = book.create(clientId, request.orderId, parent?.permId ?? 0, terms);
    if (faults.fillBeforeAck > 0) {
      faults.fillBeforeAck -= 1;
      voice.holdBack(order.permId);
    }
    const refusal = takeRefusal(faults, terms);
    if (refusal !== undefined) {
      order.isTransmitted = true;
      endOrder(order, "Inactive", refusal.text, context.nowMs());
      voice.opened(order);
      voice.error(order, refusal.code, refusal.text);
      voice.status(order);
      if (request.transmit && parent !== undefined) transmitFamily(parent);
      return;
    }
    voice.both(order);
    warn(order);
    if (request.transmit) transmitFamily(order);
  };

  const warn = (order: GatewayOrder): void => {
    const { terms } = order;
    if (faults.warn > 0) {
      faults.warn -= 1;
      const text = "Order Message: Warning: this order was marked by a fault script; it works as usual";
      voice.error(order, CODE.orderMessage, text);
    }
    if (terms.outsideRth && (terms.kind === "market" || terms.kind === "limit")) {
      const text =
        "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the order type and destination. PlaceOrder is now being processed.";
      voice.error(order, CODE.outsideRthIgnored, text);
    }
  };

  /** No good-till-date order ends before this. */
  let nextEndMs = Number.NEGATIVE_INFINITY;
  const noteEnd = ({ goodTillMs }: OrderTerms): void => {
    if (goodTillMs !== null) nextEndMs = Math.min(nextEndMs, goodTillMs);
  };

  const place = (connection: Connection, clientId: number, request: OrderRequest): void => {
    if (faults.swallow > 0 && !request.whatIf) {
      faults.swallow -= 1;
      record(connection, clientId, "swallowed", request, null);
      return;
    }
    const existing = book.byOrderId(clientId, request.orderId);
    const working = existing !== undefined && isWorking(existing) ? existing : undefined;
    record(connection, clientId, working === undefined ? "order" : "modify", request, working?.permId ?? null);
    const early = earlyProblem(clientId, request, existing);
    const terms = early ?? checkedTerms(request);
    if (isProblem(terms)) {
      voice.refuse(connection, clientId, request.orderId, terms);
    } else if (request.whatIf) {
      const order = looseOrder(listing.conId, clientId, request.orderId, 0, 0, terms);
      const printed = printOrder(order, listing, context.account());
      connection.send(openOrderMessage(connection.serverVersion(), printed, context.whatIf(terms)));
    } else if (working === undefined) {
      noteEnd(terms);
      placeNew(connection, clientId, request, terms);
    } else {
      noteEnd(terms);
      modify(connection, clientId, working, request.transmit, terms);
    }
  };

  /** Cancels an order that never left the gateway, and what waits for it. */
  const cancelWaiting = (order: GatewayOrder): void => {
    endOrder(order, "Cancelled", "Cancelled by Trader", context.nowMs());
    voice.error(order, CODE.orderCancelled, "Order Canceled - reason:");
    voice.status(order);
    book.touch();
    for (const child of book.working()) {
      if (child.parentPermId === order.permId && !child.isTransmitted) cancelWaiting(child);
    }
  };

  const cancel = (connection: Connection, clientId: number, orderId: number): void => {
    const order = book.byOrderId(clientId, orderId);
    const permId = order?.permId ?? null;
    const orderRef = order?.terms.orderRef ?? null;
    ledger.write(context.nowMs(), connection.number, clientId, { type: "cancel", orderId, permId, orderRef });
    if (!context.isLinkUp()) return;
    if (order === undefined || !isWorking(order)) {
      const what = `OrderId ${orderId} that needs to be cancelled`;
      const problem =
        order === undefined
          ? { code: CODE.cancelNotFound, text: `${what} is not found.` }
          : { code: CODE.cancelWrongState, text: `${what} cannot be cancelled, state: ${order.status}.` };
      voice.refuse(connection, clientId, orderId, problem);
      return;
    }
    if (!order.isTransmitted) {
      cancelWaiting(order);
      return;
    }
    order.status = "PendingCancel";
    voice.status(order);
    apply(exchange.cancel(context.nowMs(), order.permId));
  };

  const cancelAll = (connection: Connection, clientId: number): void => {
    ledger.write(context.nowMs(), connection.number, clientId, { type: "global_cancel" });
    if (!context.isLinkUp()) return;
    for (const order of book.working()) if (!order.isTransmitted && isWorking(order)) cancelWaiting(order);
    apply(exchange.cancelAll(context.nowMs()));
  };

  /** Ends the good-till-date orders whose time has come. */
  const expire = (): void => {
    const nowMs = context.nowMs();
    if (nowMs < nextEndMs) return;
    nextEndMs = Number.POSITIVE_INFINITY;
    for (const order of book.working()) {
      noteEnd(order.terms);
      if (order.terms.goodTillMs === null || order.terms.goodTillMs > nowMs) continue;
      if (!order.isTransmitted) cancelWaiting(order);
      else if (order.status !== "PendingCancel") {
        order.status = "PendingCancel";
        apply(exchange.cancel(nowMs, order.permId));
      }
    }
  };

  return {
    place,
    cancel,
    cancelAll,
    expire,
    apply,
    tellHeld,
    rollBackIds: book.rollBackIds,
    takeChanged: book.takeChanged,
    working: book.working,

    /** Returns the working orders, oldest first, after the latest `count` that have ended. */
    recent: (count: number): readonly GatewayOrder[] => {
      const ended: GatewayOrder[] = [];
      const all = book.all();
      for (let at = all.length - 1; at >= 0 && ended.length < count; at -= 1) {
        const order = all[at];
        if (order !== undefined && !isWorking(order)) ended.push(order);
      }
      return [...ended.reverse(), ...book.working()];
    },
    /** Returns the latest executions, oldest first. */
    latestExecutions: (count: number): readonly GatewayExecution[] => book.executions().slice(-count),

    /** Returns the next order id of a client. */
    nextOrderId: (clientId: number): number => book.highestOrderId(clientId) + 1,

    /** Answers openOrders (one client's) or allOpenOrders (clientId undefined). */
    answerOpen(connection: Connection, clientId: number | undefined): void {
      for (const order of book.working()) {
        if (clientId !== undefined && order.clientId !== clientId) continue;
        const printed = printOrder(order, listing, context.account());
        connection.send(openOrderMessage(connection.serverVersion(), printed, undefined));
        connection.send(orderStatusMessage(order, listing));
      }
      connection.send(message(ANSWER.openOrderEnd, 1));
    },

    /** Answers completedOrders: those that ended since `sinceMs`. */
    answerCompleted(connection: Connection, sinceMs: number): void {
      const version = connection.serverVersion();
      for (const order of book.all()) {
        if (isWorking(order) || order.completedAtMs < sinceMs) continue;
        const end = {
          filled: order.filled,
          completedTime: wireTime(version, order.completedAtMs),
          completedStatus: order.completedText,
          parentPermId: order.parentPermId,
        };
        connection.send(completedOrderMessage(version, printOrder(order, listing, context.account()), end));
      }
      connection.send(message(ANSWER.completedOrdersEnd));
    },

    /** Answers executions: each with its commission, then the end. */
    answerExecutions(connection: Connection, reqId: number, wanted: (execution: GatewayExecution) => boolean): void {
      for (const execution of book.executions()) {
        if (!wanted(execution)) continue;
        connection.send(executionMessage(connection.serverVersion(), reqId, execution, listing, context.account()));
        connection.send(commissionMessage(execution));
      }
      connection.send(message(ANSWER.executionsEnd, 1, reqId));
    },

    /**
     * Replaces the latest execution by a correction with another price or size, as a broker does. Returns by how much the
     * position has changed with it; undefined where there is no execution.
     */
    correctLatest(byTicks: number, byContracts: number): number | undefined {
      const latest = book.executions().at(-1);
      if (latest === undefined) return undefined;
      const dot = latest.execId.lastIndexOf(".");
      const version = String(Number(latest.execId.slice(dot + 1)) + 1).padStart(2, "0");
      const execId = `${latest.execId.slice(0, dot)}.${version}`;
      const quantity = Math.max(1, latest.quantity + byContracts);
      const corrected = { ...latest, execId, quantity, priceTicks: latest.priceTicks + byTicks };
      book.replaceLatestExecution(corrected);
      ledger.write(context.nowMs(), 0, corrected.clientId, {
        type: "correction",
        execId,
        replaces: latest.execId,
        orderId: corrected.orderId,
        permId: corrected.permId,
        orderRef: corrected.orderRef,
        action: corrected.action,
        quantity,
        price: corrected.priceTicks * listing.product.tickSize,
      });
      voice.execution(corrected);
      voice.commission(corrected);
      return (quantity - latest.quantity) * (corrected.action === "BUY" ? 1 : -1);
    },

    /** Places an order that no API client placed: a person did, in the broker's own program. */
    placeByHand(terms: OrderTerms): void {
      const order = book.create(0, 0, 0, terms);
      voice.both(order);
      transmitFamily(order);
    },
  };
}

function toExchange(order: GatewayOrder, parentKey: number | null): ExchangeOrder {
  const { terms } = order;
  return {
    orderKey: order.permId,
    account: "",
    instrumentId: order.conId,
    side: terms.action === "BUY" ? "buy" : "sell",
    quantity: terms.quantity,
    kind: exchangeKind(terms),
    tif: exchangeTif(terms.tif),
    parentKey,
    ocaGroup: terms.ocaGroup === "" ? null : `${order.clientId}:${terms.ocaGroup}`,
    ocaType: terms.ocaType === 1 || terms.ocaType === 2 ? terms.ocaType : 3,
  };
}
