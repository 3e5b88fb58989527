// The exchange as the gateway sees it. Its rules (matching, latency, brackets, OCA, margin, fees) are the engine's;
// here is only the border: orders and market records in, reports out.

/** Is an order as the exchange takes it; `orderKey` is the gateway's permId. */
export type ExchangeOrder = {
  readonly orderKey: number;
  /** Empty is the exchange's first account. */
  readonly account: string;
  readonly instrumentId: number;
  readonly side: "buy" | "sell";
  readonly quantity: number;
  readonly kind: ExchangeOrderKind;
  readonly tif: ExchangeTif;
  readonly parentKey: number | null;
  readonly ocaGroup: string | null;
  readonly ocaType: 1 | 2 | 3;
};

/** Is an order's terms. */
export type ExchangeOrderKind =
  | { readonly kind: "market" }
  | { readonly kind: "limit"; readonly limitTicks: number }
  | { readonly kind: "stop"; readonly stopTicks: number }
  | { readonly kind: "stop_limit"; readonly stopTicks: number; readonly limitTicks: number }
  | { readonly kind: "trail"; readonly trailTicks: number; readonly stopTicks: number | null }
  | { readonly kind: "trail_percent"; readonly percentE4: number; readonly stopTicks: number | null };

/** Is how long an order lives. */
export type ExchangeTif = "day" | "gtc" | "ioc";

/** Is what a modify changes; a price that the order's kind does not have is null. */
type ExchangeChanges = {
  readonly quantity: number;
  readonly limitTicks: number | null;
  readonly stopTicks: number | null;
  readonly trailTicks: number | null;
  readonly percentE4: number | null;
  readonly tif: ExchangeTif;
};

/** Is what the exchange says, in the order in which it happened. */
export type ExchangeReport =
  | { readonly type: "accepted"; readonly orderKey: number; readonly atMs: number }
  | { readonly type: "held"; readonly orderKey: number; readonly atMs: number; readonly reason: "child" | "closed" }
  | { readonly type: "activated"; readonly orderKey: number; readonly atMs: number }
  | { readonly type: "triggered"; readonly orderKey: number; readonly atMs: number }
  | {
      readonly type: "fill";
      readonly orderKey: number;
      readonly atMs: number;
      readonly quantity: number;
      readonly priceTicks: number;
      readonly feeCents: number;
      readonly positionAfter: number;
      /** Is what the fill closed earned, fees not taken off; null when it closed nothing. */
      readonly realisedCents: number | null;
      readonly liquidity: "added" | "removed";
    }
  | { readonly type: "reduced"; readonly orderKey: number; readonly atMs: number; readonly quantity: number }
  | {
      readonly type: "cancelled";
      readonly orderKey: number;
      readonly atMs: number;
      readonly reason: "user" | "oca" | "parent" | "expired" | "ioc";
    }
  | {
      readonly type: "rejected";
      readonly orderKey: number;
      readonly atMs: number;
      readonly reason: string;
      readonly text: string;
    }
  | { readonly type: "modified"; readonly orderKey: number; readonly atMs: number }
  | { readonly type: "modify_rejected"; readonly orderKey: number; readonly atMs: number; readonly text: string }
  | { readonly type: "cancel_rejected"; readonly orderKey: number; readonly atMs: number };

/** Is the account's money, in cents. */
export type ExchangeAccount = {
  /** Start cash, all closed profit and loss, less all fees. */
  readonly cashCents: number;
  /** Closed today, less today's fees. */
  readonly realisedCents: number;
  readonly unrealisedCents: number;
  readonly initialMarginCents: number;
  readonly maintenanceMarginCents: number;
};

/** Is the position in the traded contract. */
export type ExchangePosition = {
  /** Signed contracts. */
  readonly position: number;
  /** Average entry price, in ticks with fractions; 0 when flat. */
  readonly averageTicks: number;
};

/** Is where the daily price limits of the traded contract stand. */
export type ExchangeLimits = {
  /** Is the close of the cash market that makes the reference. */
  readonly fixingAtMs: number;
  /** Is what the limits are measured from; null where it is not known, and then there are none. */
  readonly referenceTicks: number | null;
  /** Nothing trades below; null where there is no limit downwards. */
  readonly down: { readonly priceTicks: number; readonly percent: number } | null;
  /** Nothing trades above. */
  readonly up: { readonly priceTicks: number; readonly percent: number } | null;
  readonly standing: "within" | "down" | "up";
};

/** Fills orders. Calls come in order of time. */
export type ExchangePort = {
  /** Returns the records as the price limits let them happen, null where that changes nothing. They have not happened by that. */
  limited(records: Uint8Array): Uint8Array | null;
  /** Returns where the limits stand; null for a contract without. */
  limits(atMs: number): ExchangeLimits | null;
  /** Tells the limits their reference, or with null lets them forget what they have seen. */
  setReference(atMs: number, referenceTicks: number | null): void;
  market(records: Uint8Array): readonly ExchangeReport[];
  advance(atMs: number): readonly ExchangeReport[];
  submit(atMs: number, orders: readonly ExchangeOrder[]): readonly ExchangeReport[];
  modify(atMs: number, orderKey: number, changes: ExchangeChanges): readonly ExchangeReport[];
  cancel(atMs: number, orderKey: number): readonly ExchangeReport[];
  cancelAll(atMs: number): readonly ExchangeReport[];
  setOpen(atMs: number, isOpen: boolean): readonly ExchangeReport[];
  sessionEnds(atMs: number): readonly ExchangeReport[];
  account(): ExchangeAccount;
  position(): ExchangePosition;
  /** Returns the whole state, for the next start. */
  snapshot(): string;
};
