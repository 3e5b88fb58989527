// Tells clients about orders: the one that placed them and the master hear of them, nobody while the link is down.
// What is told of an order whose fill is to come first waits here. The ledger gets a line of each.
import type { Connection } from "./connection.ts";
import type { Ledger } from "./ledger.ts";
import type { Listing } from "./listings.ts";
import {
  commissionMessage,
  errorMessage,
  executionMessage,
  type GatewayExecution,
  type GatewayOrder,
  orderStatusMessage,
  printOrder,
} from "./order-messages.ts";
import type { OrderProblem } from "./order-terms.ts";
import { openOrderMessage } from "./wire/open-order.ts";

/** Is whom to tell, and under which name. */
export type VoiceContext = {
  readonly listing: Listing;
  readonly ledger: Ledger;
  account(): string;
  nowMs(): number;
  /** Returns those who hear of a client's orders: the client itself and the master, if connected. */
  hearers(clientId: number): readonly Connection[];
  /** Returns false while the broker's link is down. */
  isLinkUp(): boolean;
};

/** Tells clients about orders. */
export type OrderVoice = {
  opened(order: GatewayOrder): void;
  status(order: GatewayOrder): void;
  /** Tells the order and its status. */
  both(order: GatewayOrder): void;
  error(order: GatewayOrder, code: number, text: string): void;
  execution(execution: GatewayExecution): void;
  commission(execution: GatewayExecution): void;
  /** Answers the client that asked, whether the link is up or not. */
  refuse(connection: Connection, clientId: number, orderId: number, problem: OrderProblem): void;
  /** Lets everything about an order but its executions wait. */
  holdBack(permId: number): void;
  /** Tells what waited. */
  release(permId: number): void;
};

/** Returns the voice of one contract's orders. */
export function createOrderVoice(context: VoiceContext): OrderVoice {
  const { listing, ledger } = context;
  const waiting = new Map<number, (() => void)[]>();

  const send = (clientId: number, print: (serverVersion: number) => string): void => {
    if (!context.isLinkUp()) return;
    for (const connection of context.hearers(clientId)) connection.send(print(connection.serverVersion()));
  };
  const tell = (order: GatewayOrder, print: (serverVersion: number) => string): void => {
    const held = waiting.get(order.permId);
    if (held === undefined) send(order.clientId, print);
    else held.push(() => send(order.clientId, print));
  };

  const voice: OrderVoice = {
    opened: (order) => {
      const printed = printOrder(order, listing, context.account());
      tell(order, (serverVersion) => openOrderMessage(serverVersion, printed, undefined));
    },
    status: (order) => {
      const printed = orderStatusMessage(order, listing);
      tell(order, () => printed);
      ledger.write(context.nowMs(), 0, order.clientId, {
        type: "status",
        orderId: order.orderId,
        permId: order.permId,
        orderRef: order.terms.orderRef,
        status: order.status,
        filled: order.filled,
        remaining: Math.max(0, order.terms.quantity - order.filled),
      });
    },
    both: (order) => {
      voice.opened(order);
      voice.status(order);
    },
    error: (order, code, text) => {
      tell(order, (serverVersion) => errorMessage(serverVersion, order.orderId, code, text));
      ledger.write(context.nowMs(), 0, order.clientId, { type: "error", orderId: order.orderId, code, text });
    },
    execution: (execution) =>
      send(execution.clientId, (serverVersion) =>
        executionMessage(serverVersion, -1, execution, listing, context.account()),
      ),
    commission: (execution) => send(execution.clientId, () => commissionMessage(execution)),
    refuse: (connection, clientId, orderId, { code, text }) => {
      connection.send(errorMessage(connection.serverVersion(), orderId, code, text));
      ledger.write(context.nowMs(), connection.number, clientId, { type: "error", orderId, code, text });
    },
    holdBack: (permId) => {
      waiting.set(permId, []);
    },
    release: (permId) => {
      const held = waiting.get(permId) ?? [];
      waiting.delete(permId);
      for (const act of held) act();
    },
  };
  return voice;
}
