// Orders to the wire and their news from it. Knows which order id is which of our references on this connection, and
// nothing about why an order is sent.
import { isDeepStrictEqual } from "node:util";
import {
  EventName,
  type Execution,
  type IBApi,
  type Contract as IbContract,
  type Order,
  type OrderState,
  OrderType,
  TimeInForce,
} from "@stoqey/ib";
import type { BrokerOrder, BrokerOrderState, OrderRequest } from "../../engine.ts";
import { errorFields, type Log } from "../../log.ts";
import { err, ok, type Result } from "../../result.ts";
import type { GatewayEvent, GatewayProblem, MarginAnswer } from "../gateway.ts";
import type { Wire } from "./connection.ts";
import type { Listing } from "./contracts.ts";
import { REQUEST_ID_FIRST, type Requests } from "./requests.ts";
import { WAITING_ORDERS_MAX } from "./send-gate.ts";
import { action, brokerFill, brokerOrder, orderCodeMeaning, orderState, toPrice } from "./translate.ts";

/** Key of the question that has no id on the wire. */
export const OPEN_ORDERS = "open orders";

/** Orders that are remembered; beyond it the one first seen is forgotten and can't be changed from here. */
export const ORDERS_KEPT_MAX = 2_000;
const MARGIN_MS_MAX = 5_000;
const CENTS = 100;
const DUPLICATE_ID = 103;
/** Order ids left out after a duplicate one. */
const DUPLICATE_ID_SKIP = 1_000;

/** Orders of one client. */
export type Orders = {
  attach(api: IBApi, requests: Requests, listing: () => Listing | null): void;
  place(wire: Wire | null, listing: Listing | null, orders: readonly OrderRequest[], highestOrderId: number): void;
  modify(wire: Wire | null, listing: Listing | null, order: OrderRequest): void;
  cancel(wire: Wire | null, orderRef: string, orderId?: number): void;
  /** Asks what a market order to buy would do to the account; it is never made. */
  margin(wire: Wire, listing: Listing, quantity: number): Promise<Result<MarginAnswer, GatewayProblem>>;
  /** Takes an error with an order id; returns false where the id is not one of ours. */
  error(orderId: number, code: number, text: string): boolean;
};

/** Returns the orders of `clientId`, told by `tell`. */
export function createOrders(clientId: number, tell: (event: GatewayEvent) => void, log: Log): Orders {
  /** Last known form by order id; order ids are per client, and kept by the gateway over connections. */
  const known = new Map<number, BrokerOrder>();
  const idByRef = new Map<string, number>();
  /** The order whose bytes the library is being given; it says so in the same call when it writes them. */
  let writing: { isWritten: boolean } | null = null;
  /** Orders whose new terms the broker has not answered yet. */
  const modifying = new Set<number>();
  /** Executions that were seen, and the fee that was told of each: every look at the state repeats them all. */
  const shown = new Set<string>();
  const fees = new Map<string, number>();
  /** What-if orders that wait for their answer, by order id, with the question's key. They are never orders. */
  const whatIfs = new Map<number, string>();
  let highest = 0;
  /** Refuses a question of the present connection. */
  let refuse: Requests["refuse"] | null = null;

  const remember = (order: BrokerOrder): void => {
    known.set(order.orderId, order);
    // Of several orders under one reference the first is meant, until the engine says otherwise by id.
    const first = known.get(idByRef.get(order.orderRef) ?? 0);
    const isFirst = first === undefined || first.orderRef !== order.orderRef || !isOpen(first.state);
    if (order.orderRef !== "" && isFirst) idByRef.set(order.orderRef, order.orderId);
    highest = Math.max(highest, order.orderId);
    for (const [oldestId, oldest] of known) {
      if (known.size <= ORDERS_KEPT_MAX) break;
      known.delete(oldestId);
      if (idByRef.get(oldest.orderRef) === oldestId) idByRef.delete(oldest.orderRef);
    }
  };

  const notSent = (orderRef: string, reason: string): void => tell({ type: "not_sent", orderRef, reason });

  /** Hands one order to the library and tells `sent` only if the library says that it wrote it. */
  const write = (wire: Wire, orderRef: string, orderId: number, send: () => void): void => {
    const written = { isWritten: false };
    writing = written;
    try {
      send();
    } catch (thrown) {
      log.error({ orderRef, ...errorFields(thrown) }, "an order could not be written");
    }
    // Not written at once: the library may still write it, so it is said to be sent; silence makes it in doubt.
    if (!written.isWritten) log.warn({ orderRef }, "the library has not written an order at once");
    tell({ type: "sent", orderRef, orderId, epoch: wire.epoch });
    writing = null;
  };

  return {
    attach: (api, requests, listing) => {
      refuse = requests.refuse;
      // Comes in the same call in which the library writes, so it is about the order being written.
      api.on(EventName.sent, () => {
        if (writing !== null) writing.isWritten = true;
      });
      api.on(EventName.openOrder, (orderId: number, contract: IbContract, order: Order, state) => {
        const whatIf = whatIfs.get(orderId);
        if (order.whatIf === true) {
          // One that nobody waits for any more came too late; it is no order either.
          if (whatIf !== undefined) {
            requests.add(whatIf, state);
            requests.end(whatIf);
          }
          return;
        }
        if (whatIf !== undefined && order.clientId === clientId) {
          log.error({ orderId }, "the gateway made an order of a question about margin; it is cancelled");
          api.cancelOrder(orderId);
          requests.end(whatIf);
          return;
        }
        const kept = listing();
        if (kept === null) return;
        if (order.clientId === clientId) modifying.delete(orderId);
        const told = brokerOrder(orderId, contract, order, state.status, kept.scale);
        const own = told.clientId === clientId;
        const before = own ? known.get(orderId) : undefined;
        const full = { ...told, filled: before?.filled ?? 0 };
        if (own) remember(full);
        const rows = requests.rows(OPEN_ORDERS) as BrokerOrder[] | undefined;
        if (rows !== undefined) upsert(rows, full);
        if (own && !(rows !== undefined && isSame(before, full))) tell({ type: "order_reported", order: full });
      });
      api.on(
        EventName.orderStatus,
        (
          orderId: number,
          word: string,
          filled: number,
          _remaining,
          _average,
          permId?: number,
          _parent?,
          _price?,
          client?: number,
        ) => {
          const rows = requests.rows(OPEN_ORDERS) as BrokerOrder[] | undefined;
          const row = rows?.find((each) => each.orderId === orderId && each.clientId === client);
          const state = orderState(word);
          if (row !== undefined && rows !== undefined)
            upsert(rows, { ...row, filled, state, permId: permId ?? row.permId });
          if (client !== clientId) return;
          const before = known.get(orderId);
          // A status for an order that was never shown can't be told whose it is; open orders are asked for regularly.
          if (before === undefined) return;
          const now = { ...before, filled, state, permId: permId ?? before.permId };
          remember(now);
          if (!(rows !== undefined && isSame(before, now))) tell({ type: "order_reported", order: now });
        },
      );
      api.on(EventName.openOrderEnd, () => requests.end(OPEN_ORDERS));
      api.on(EventName.execDetails, (requestId: number, contract: IbContract, execution: Execution) => {
        const kept = listing();
        if (kept === null) return;
        const fill = brokerFill(contract, execution, kept.scale, kept.zone);
        if (fill === null) {
          log.error(
            { execId: execution.execId ?? "none" },
            "an execution without price or size; executions are asked for again",
          );
          return;
        }
        shown.add(fill.execId);
        if (!requests.add(requestId, fill)) tell({ type: "fill", fill });
      });
      api.on(EventName.execDetailsEnd, (requestId: number) => requests.end(requestId));
      api.on(EventName.commissionReport, (report) => {
        const { execId, commission } = report;
        if (
          execId === undefined ||
          commission === undefined ||
          !Number.isFinite(commission) ||
          Math.abs(commission) > 1e6
        )
          return;
        const feeCents = Math.round(commission * 100);
        if (fees.get(execId) === feeCents) return;
        // One that comes before its execution is told again with it.
        if (shown.has(execId)) fees.set(execId, feeCents);
        tell({ type: "commission", execId, feeCents });
      });
    },
    place: (wire, listing, orders, highestOrderId) => {
      if (wire === null || listing === null) {
        for (const order of orders) notSent(order.orderRef, wire === null ? "no connection" : "no contract");
        return;
      }
      const isEntry = orders.length > 1;
      if (isEntry && wire.gate.ordersWaiting() > WAITING_ORDERS_MAX) {
        for (const order of orders) notSent(order.orderRef, "too many order messages wait (MSG_RATE)");
        return;
      }
      let nextId = Math.max(highest + 1, highestOrderId + 1, wire.nextOrderId);
      highest = nextId + orders.length - 1;
      const ids = new Map<string, number>();
      for (const order of orders) ids.set(order.orderRef, nextId++);
      for (const [index, order] of orders.entries()) {
        const orderId = ids.get(order.orderRef) as number;
        const parentId = order.parentRef === null ? 0 : (ids.get(order.parentRef) ?? idByRef.get(order.parentRef) ?? 0);
        const isLast = index === orders.length - 1;
        wire.gate.order({
          send: () => {
            remember(asAsked(order, orderId, clientId, listing));
            write(wire, order.orderRef, orderId, () =>
              wire.api.placeOrder(orderId, listing.ib, ibOrder(order, wire.account, parentId, isLast, listing)),
            );
          },
          drop: () => notSent(order.orderRef, "the connection ended before the bytes left"),
        });
      }
    },
    modify: (wire, listing, order) => {
      const orderId = idByRef.get(order.orderRef);
      if (wire === null || listing === null || orderId === undefined) {
        notSent(
          order.orderRef,
          orderId === undefined ? "the order's id is not known on this connection" : "no connection",
        );
        return;
      }
      const parentId = order.parentRef === null ? 0 : (idByRef.get(order.parentRef) ?? 0);
      wire.gate.order({
        send: () => {
          modifying.add(orderId);
          write(wire, order.orderRef, orderId, () =>
            wire.api.placeOrder(orderId, listing.ib, ibOrder(order, wire.account, parentId, true, listing)),
          );
        },
        drop: () => notSent(order.orderRef, "the connection ended before the bytes left"),
      });
    },
    cancel: (wire, orderRef, meantId) => {
      const orderId = meantId ?? idByRef.get(orderRef);
      if (wire === null || orderId === undefined) {
        notSent(orderRef, orderId === undefined ? "the order's id is not known on this connection" : "no connection");
        return;
      }
      wire.gate.order({
        send: () => write(wire, orderRef, orderId, () => wire.api.cancelOrder(orderId)),
        drop: () => notSent(orderRef, "the connection ended before the bytes left"),
      });
    },
    margin: async (wire, listing, quantity) => {
      const orderId = Math.max(highest + 1, wire.nextOrderId);
      highest = orderId;
      const key = `margin ${orderId}`;
      whatIfs.set(orderId, key);
      const terms = { orderRef: "", parentRef: null, ocaGroup: null, outsideRth: false, tif: "day" } as const;
      const request: OrderRequest = { ...terms, side: "buy", quantity, kind: { kind: "market" } };
      const order = { ...ibOrder(request, wire.account, 0, true, listing), whatIf: true };
      const answer = await wire.requests.open<OrderState>(key, MARGIN_MS_MAX, () =>
        wire.gate.request({ send: () => wire.api.placeOrder(orderId, listing.ib, order), drop: () => {} }),
      );
      whatIfs.delete(orderId);
      return answer.ok ? marginAnswer(answer.value[0]) : answer;
    },
    error: (orderId, code, text) => {
      if (orderId <= 0 || orderId >= REQUEST_ID_FIRST) return false;
      // The gateway knows higher ids of ours than we do: the next order must not meet the same refusal.
      const isTaken = code === DUPLICATE_ID;
      const whatIf = whatIfs.get(orderId);
      if (whatIf !== undefined) {
        if (isTaken) highest += DUPLICATE_ID_SKIP;
        const meaning = orderCodeMeaning(code);
        if (isTaken || (meaning !== "warning" && meaning !== "ignored")) refuse?.(whatIf, code, text);
        return true;
      }
      const order = known.get(orderId);
      if (order === undefined || order.orderRef === "") return false;
      const { orderRef } = order;
      if (isTaken) highest += DUPLICATE_ID_SKIP;
      switch (orderCodeMeaning(code)) {
        case "refused":
          // The same codes refuse a new order and new terms of one that goes on working under the old ones.
          if (modifying.delete(orderId)) tell({ type: "change_refused", orderRef, code, text });
          else tell({ type: "order_refused", orderRef, code, text });
          break;
        case "change_refused":
          tell({ type: "change_refused", orderRef, code, text });
          break;
        case "cancelled": {
          const now: BrokerOrder = { ...order, state: "cancelled" };
          remember(now);
          tell({ type: "order_reported", order: now });
          break;
        }
        case "ignored":
          log.debug({ orderRef, code, text }, "a remark on an order");
          break;
        case "warning":
          tell({ type: "order_warned", orderRef, code, text });
          break;
      }
      return true;
    },
  };
}

/** A figure that the broker leaves open is told as the largest number there is. */
function cents(dollars: number | undefined): number | null {
  if (dollars === undefined || !Number.isFinite(dollars) || Math.abs(dollars) > 1e12) return null;
  return Math.round(dollars * CENTS);
}

function marginAnswer(state: OrderState | undefined): Result<MarginAnswer, GatewayProblem> {
  const equityCents = cents(state?.equityWithLoanAfter);
  const marginCents = cents(state?.initMarginChange);
  const marginAfterCents = cents(state?.initMarginAfter);
  if (equityCents === null || marginCents === null || marginAfterCents === null)
    return err({ type: "not_found", detail: "the broker's what-if answer has no margin figures" });
  return ok({ equityCents, marginCents, marginAfterCents });
}

/** Returns an order with nothing left to a default of the library (conventions, rule 13). */
function ibOrder(order: OrderRequest, account: string, parentId: number, transmit: boolean, listing: Listing): Order {
  const { kind } = order;
  return {
    action: action(order.side),
    totalQuantity: order.quantity,
    ...(kind.kind === "market"
      ? { orderType: OrderType.MKT }
      : kind.kind === "limit"
        ? { orderType: OrderType.LMT, lmtPrice: toPrice(kind.limitTicks, listing.scale) }
        : { orderType: OrderType.STP, auxPrice: toPrice(kind.stopTicks, listing.scale) }),
    tif: order.tif === "gtc" ? TimeInForce.GTC : TimeInForce.DAY,
    outsideRth: order.outsideRth,
    account,
    parentId,
    ...(order.ocaGroup === null ? {} : { ocaGroup: order.ocaGroup, ocaType: 1 }),
    orderRef: order.orderRef,
    transmit,
  };
}

/** What we asked for, as if the broker had told it: names the order until its first openOrder comes. */
function asAsked(order: OrderRequest, orderId: number, clientId: number, listing: Listing): BrokerOrder {
  return {
    orderRef: order.orderRef,
    orderId,
    clientId,
    permId: 0,
    conId: listing.contract.conId,
    side: order.side,
    quantity: order.quantity,
    filled: 0,
    kind: order.kind,
    state: "pending",
  };
}

function isOpen(state: BrokerOrderState): boolean {
  return state !== "cancelled" && state !== "filled" && state !== "inactive";
}

/** An answer to the question for open orders that says what is known is no news: news would spoil the picture it is for. */
function isSame(before: BrokerOrder | undefined, now: BrokerOrder): boolean {
  return before !== undefined && isDeepStrictEqual(before, now);
}

function upsert(rows: BrokerOrder[], order: BrokerOrder): void {
  const at = rows.findIndex((row) => row.orderId === order.orderId && row.clientId === order.clientId);
  if (at < 0) rows.push(order);
  else rows[at] = order;
}
