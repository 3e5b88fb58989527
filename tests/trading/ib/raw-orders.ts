// Order messages of server version 178, field by field: what the gateway of bytes says, and how a placed order is read.
import { MES_CON_ID } from "./bench.ts";

type Field = string | number;

/** The contract as it stands in openOrder and execDetails. */
const CONTRACT: readonly Field[] = [
  ...[MES_CON_ID, "MES", "FUT", "20261218", 0, "", 5],
  ...["CME", "USD", "MESZ6", "MES"],
];

/** Is an order as the server tells it. */
export type RawOrder = {
  readonly orderId: number;
  readonly orderRef: string;
  readonly clientId?: number;
  readonly permId?: number;
  readonly action?: "BUY" | "SELL";
  readonly quantity?: number;
  readonly type?: "MKT" | "LMT" | "STP" | "TRAIL";
  readonly limit?: Field;
  readonly stop?: Field;
  readonly status?: string;
  /** Initial and maintenance margin and equity before, their change, and after: makes it the answer to a what-if order. */
  readonly margins?: readonly Field[];
};

/** Returns the fields of openOrder (message 5). */
export function openOrder(order: RawOrder): Field[] {
  const { orderId, orderRef, clientId = 7, permId = 900 + orderId, action = "BUY", quantity = 1 } = order;
  const { type = "LMT", limit = "", stop = "", status = "Submitted" } = order;
  return [
    ...[5, orderId, ...CONTRACT, action, quantity, type, limit, stop],
    // tif, ocaGroup, account, openClose, origin, orderRef, clientId, permId, outsideRth, hidden
    ...["GTC", "", "DU1234567", "", 0, orderRef, clientId, permId, 1, 0],
    // discretionaryAmt … modelCode; goodTillDate … exemptCode
    ...[0, "", "", "", "", "", "", "", "", "", "", 0, "", -1],
    // auctionStrategy … minQty
    ...[0, "", "", "", "", "", "", 0, 0, 0, ""],
    // ocaType, eTradeOnly, firmQuoteOnly, nbboPriceCap, parentId, triggerMethod
    ...[1, 0, 0, "", 0, 0],
    // volatility … trailingPercent; basisPoints, basisPointsType, comboLegsDescrip, three empty lists
    ...["", 0, "", "", 0, 0, "", "", "", "", "", 0, 0, 0],
    // scaleInitLevelSize … algoStrategy, solicited
    ...["", "", "", "", 0, "", "", 0, 0, "", 0],
    // whatIf, status, nine margins, three commissions, currency, warning
    ...[
      order.margins === undefined ? 0 : 1,
      status,
      ...(order.margins ?? Array<Field>(9).fill("")),
      "",
      "",
      "",
      "",
      "",
    ],
    // randomizeSize, randomizePrice, conditions, adjustedOrderType … adjustableTrailingUnit
    ...[0, 0, 0, "None", "", "", "", "", "", "", 0],
    // softDollarTier, cashQty, dontUseAutoPriceForHedge, isOmsContainer, discretionaryUpToLimitPrice, usePriceMgmtAlgo
    ...["", "", "", "", 0, 0, 0, 0],
    // duration, postToAts, autoCancelParent, minTradeQty … midOffsetAtHalf
    ...["", "", 0, "", "", "", "", ""],
  ];
}

/** Returns the fields of orderStatus (message 3). */
export function orderStatus(orderId: number, status: string, filled: number, clientId = 7): Field[] {
  return [3, orderId, status, filled, 1 - filled, 0, 900 + orderId, 0, 0, clientId, "", 0];
}

/** Returns the fields of execDetails (message 11); `requestId` is -1 where it is pushed. */
export function execDetails(
  requestId: Field,
  of: { readonly orderId: number; readonly orderRef: string; readonly execId: string; readonly price: Field },
): Field[] {
  return [
    ...[11, requestId, of.orderId, ...CONTRACT, of.execId, "20261125 09:00:01 US/Central", "DU1234567", "CME", "BOT"],
    ...[1, of.price, 900 + of.orderId, 7, 0, 1, of.price, of.orderRef, "", "", "", 2, 0],
  ];
}

/** Is what placeOrder (message 3 of a client) says, as far as it moves money. */
export type Placed = {
  readonly orderId: number;
  readonly action: string;
  readonly quantity: string;
  readonly type: string;
  readonly limit: string;
  readonly stop: string;
  readonly tif: string;
  readonly ocaGroup: string;
  readonly account: string;
  readonly orderRef: string;
  readonly transmit: boolean;
  readonly parentId: number;
  readonly outsideRth: boolean;
};

/** Reads placeOrder of server version 178: id, orderId, 12 fields of the contract, secIdType, secId, then the order. */
export function readPlaced(fields: readonly string[]): Placed {
  const field = (at: number): string => fields[at] ?? "";
  return {
    orderId: Number(field(1)),
    action: field(16),
    quantity: field(17),
    type: field(18),
    limit: field(19),
    stop: field(20),
    tif: field(21),
    ocaGroup: field(22),
    account: field(23),
    orderRef: field(26),
    transmit: field(27) === "1",
    parentId: Number(field(28)),
    outsideRth: field(33) === "1",
  };
}
