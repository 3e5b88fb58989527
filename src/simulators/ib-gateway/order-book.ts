// The orders and executions that the gateway keeps: found by permId, by the client's own number, or as a family.
import { type GatewayExecution, type GatewayOrder, isWorking } from "./order-messages.ts";
import type { OrderTerms } from "./order-terms.ts";

/** How many ended orders and executions are kept for requests; the oldest go first. */
export const ENDED_KEPT_MAX = 5_000;

/** PermIds begin here, so that none is mistaken for a client's order id. */
const PERM_ID_FIRST = 1_000_000_001;

/** Is all that is kept of orders over restarts. */
export type SavedOrders = {
  nextPermId: number;
  /** The highest order id that each client has used. */
  highestOrderIds: Record<string, number>;
  orders: GatewayOrder[];
  executions: GatewayExecution[];
};

/** Returns a book without orders. */
export function noOrders(): SavedOrders {
  return { nextPermId: PERM_ID_FIRST, highestOrderIds: {}, orders: [], executions: [] };
}

/** Keeps orders and executions. */
export type OrderBook = {
  /** Makes an order with the next permId. */
  create(clientId: number, orderId: number, parentPermId: number, terms: OrderTerms): GatewayOrder;
  byPermId(permId: number): GatewayOrder | undefined;
  /** Returns the latest order of a client under that number: numbers come again after the sequence was reset. */
  byOrderId(clientId: number, orderId: number): GatewayOrder | undefined;
  /** Returns the legs of an order's family that wait in the gateway, the parent first. */
  waitingFamily(order: GatewayOrder): readonly GatewayOrder[];
  working(): readonly GatewayOrder[];
  all(): readonly GatewayOrder[];
  /** Returns the highest order id that a client has used; 0 for none. */
  highestOrderId(clientId: number): number;
  useOrderId(clientId: number, orderId: number): void;
  /** Lets every client's order ids begin `count` lower. */
  rollBackIds(count: number): void;
  addExecution(execution: GatewayExecution): void;
  executions(): readonly GatewayExecution[];
  /** Puts a correction in the place of the latest execution. */
  replaceLatestExecution(execution: GatewayExecution): void;
  /** Notes that something which is kept has changed. */
  touch(): void;
  /** Returns whether anything that is kept has changed since the last call. */
  takeChanged(): boolean;
  saved(): SavedOrders;
};

/** Returns an order that is not in a book: the answer to a what-if. */
export function looseOrder(
  conId: number,
  clientId: number,
  orderId: number,
  parentPermId: number,
  permId: number,
  terms: OrderTerms,
): GatewayOrder {
  return {
    permId,
    clientId,
    orderId,
    conId,
    parentPermId,
    terms,
    wantedTerms: null,
    isTransmitted: false,
    status: "PreSubmitted",
    whyHeld: parentPermId === 0 ? "" : "child",
    filled: 0,
    filledTicks: 0,
    lastFillTicks: 0,
    fills: 0,
    completedAtMs: 0,
    completedText: "",
  };
}

/** Returns the book of one contract's orders, as it was when `saved` was taken. */
export function createOrderBook(saved: SavedOrders, conId: number): OrderBook {
  const byPermId = new Map(saved.orders.map((order) => [order.permId, order]));
  const byOrderId = new Map(saved.orders.map((order) => [keyOf(order.clientId, order.orderId), order]));
  let hasChanged = false;

  const prune = (): void => {
    if (saved.orders.length <= 2 * ENDED_KEPT_MAX) return;
    const ended = saved.orders.filter((order) => !isWorking(order));
    const gone = new Set(ended.slice(0, Math.max(0, ended.length - ENDED_KEPT_MAX)));
    saved.orders = saved.orders.filter((order) => !gone.has(order));
    for (const order of gone) {
      byPermId.delete(order.permId);
      const key = keyOf(order.clientId, order.orderId);
      if (byOrderId.get(key) === order) byOrderId.delete(key);
    }
  };

  return {
    create: (clientId, orderId, parentPermId, terms) => {
      const order = looseOrder(conId, clientId, orderId, parentPermId, saved.nextPermId, terms);
      saved.nextPermId += 1;
      saved.orders.push(order);
      byPermId.set(order.permId, order);
      byOrderId.set(keyOf(clientId, orderId), order);
      prune();
      hasChanged = true;
      return order;
    },
    byPermId: (permId) => byPermId.get(permId),
    byOrderId: (clientId, orderId) => byOrderId.get(keyOf(clientId, orderId)),
    waitingFamily: (order) => {
      const root = order.parentPermId === 0 ? order.permId : order.parentPermId;
      return saved.orders.filter(
        (other) => (other.permId === root || other.parentPermId === root) && !other.isTransmitted && isWorking(other),
      );
    },
    working: () => saved.orders.filter(isWorking),
    all: () => saved.orders,
    highestOrderId: (clientId) => saved.highestOrderIds[clientId] ?? 0,
    useOrderId: (clientId, orderId) => {
      saved.highestOrderIds[clientId] = orderId;
      hasChanged = true;
    },
    rollBackIds: (count) => {
      for (const [clientId, highest] of Object.entries(saved.highestOrderIds)) {
        saved.highestOrderIds[clientId] = Math.max(0, highest - count);
      }
      hasChanged = true;
    },
    addExecution: (execution) => {
      saved.executions.push(execution);
      if (saved.executions.length > 2 * ENDED_KEPT_MAX) saved.executions = saved.executions.slice(-ENDED_KEPT_MAX);
      hasChanged = true;
    },
    executions: () => saved.executions,
    replaceLatestExecution: (execution) => {
      saved.executions[saved.executions.length - 1] = execution;
      hasChanged = true;
    },
    touch: () => {
      hasChanged = true;
    },
    takeChanged: () => {
      const was = hasChanged;
      hasChanged = false;
      return was;
    },
    saved: () => saved,
  };
}

function keyOf(clientId: number, orderId: number): string {
  return `${clientId}:${orderId}`;
}
