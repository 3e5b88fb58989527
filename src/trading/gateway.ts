// What we ask of a broker, in our words. Types only: the simulated exchange in the tests and @stoqey/ib both fill them.
import type { Bar, BrokerFill, BrokerOrder, BrokerPosition, Contract, Event, OrderRequest } from "../engine.ts";
import type { Result } from "../result.ts";

/** What a gateway tells by itself. */
export type GatewayEvent = Extract<
  Event,
  {
    type:
      | "trade"
      | "quote"
      | "link_changed"
      | "feed_changed"
      | "sent"
      | "not_sent"
      | "order_reported"
      | "order_refused"
      | "change_refused"
      | "order_warned"
      | "fill"
      | "commission"
      | "position_reported"
      | "account_reported";
  }
>;

/** Why the gateway has no answer. */
export type GatewayProblem =
  | { readonly type: "link_down"; readonly detail: string }
  | { readonly type: "timed_out"; readonly afterMs: number }
  | { readonly type: "refused"; readonly code: number; readonly text: string }
  | { readonly type: "not_found"; readonly detail: string };

/** Which listing is meant. */
export type ContractQuery = {
  readonly symbol: string;
  readonly exchange: string;
  readonly currency: string;
  /** "YYYYMM", or "auto" for the front month: the nearest whose last trade date is more than `rollDaysBefore` days away. */
  readonly month: string;
  readonly rollDaysBefore: number;
};

/** What an entry would do: the margin that it adds, and equity with loan value and initial margin after it. */
export type MarginAnswer = {
  readonly equityCents: number;
  readonly marginCents: number;
  readonly marginAfterCents: number;
};

/** Which bars are meant: the last `count` bars of `barMs` before now, of trades. */
export type HistoryQuery = { readonly barMs: number; readonly count: number };

/**
 * A broker. It keeps its link by itself and tells each change as `link_changed` (epoch grows by one with each connection;
 * state `up` comes only after handshake and account check). It never sends an order twice, and never one whose epoch is over:
 * each order of `place` ends in one `sent` or one `not_sent`.
 */
export type Gateway = {
  /** Sets the one listener; called before `connect`. */
  listen(listener: (event: GatewayEvent) => void): void;
  /** Starts to keep the link; tells by events. */
  connect(): void;
  /** Sends one exit, or an entry with its children in one go, the last leg transmitting all. `highestOrderId` is the largest wire handle that the journal knows. */
  place(orders: readonly OrderRequest[], highestOrderId: number): void;
  /** Gives a working order new price or quantity. */
  modify(order: OrderRequest): void;
  /** Takes a working order back; `orderId` says which one where the broker has several under this reference. */
  cancel(orderRef: string, orderId?: number): void;
  /** Returns all working orders of every client of the account; `not_found` before `contract`, as `executions`, `history` and `watch`. */
  openOrders(): Promise<Result<readonly BrokerOrder[], GatewayProblem>>;
  /** Returns the executions of the broker's day. */
  executions(): Promise<Result<readonly BrokerFill[], GatewayProblem>>;
  /** Returns all positions. */
  positions(): Promise<Result<readonly BrokerPosition[], GatewayProblem>>;
  /** Returns the broker's clock. */
  brokerTimeMs(): Promise<Result<number, GatewayProblem>>;
  /** Finds the listing to trade and keeps it for orders, history and market data. */
  contract(query: ContractQuery): Promise<Result<Contract, GatewayProblem>>;
  /** Returns bars of the kept listing, oldest first. */
  history(query: HistoryQuery): Promise<Result<readonly Bar[], GatewayProblem>>;
  /** Returns what an entry of `quantity` contracts would do to the account, in cents; no order is made. */
  margin(quantity: number): Promise<Result<MarginAnswer, GatewayProblem>>;
  /** Asks for trades and quotes of the kept listing from now on; renewed once after a loss of data. */
  watch(): Promise<Result<void, GatewayProblem>>;
  /** Ends the connection, which does not answer any more; a new one is made as after any loss. */
  drop(reason: string): void;
  /** Closes the link for good. */
  close(): Promise<void>;
};
