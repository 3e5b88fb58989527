// Writes the two longest order answers, openOrder and completedOrder, for server versions 157 to 178 (order of fields:
// protocol note, section 7). Nearly all fields are those of an order that uses none of the special features.
import type { Listing } from "../listings.ts";
import { contractFields } from "./contract.ts";
import { UNSET_DOUBLE } from "./fields.ts";
import { message } from "./frames.ts";
import { ANSWER } from "./ids.ts";

/** Is what an order answer says of an order, ready to print. */
export type OrderPrint = {
  readonly orderId: number;
  readonly clientId: number;
  readonly permId: number;
  readonly listing: Listing;
  readonly action: string;
  readonly quantity: number;
  readonly orderType: string;
  readonly limitPriceText: string;
  readonly auxPriceText: string;
  readonly trailStopPriceText: string;
  readonly trailingPercentText: string;
  readonly tif: string;
  readonly goodTillDate: string;
  readonly ocaGroup: string;
  readonly ocaType: number;
  readonly account: string;
  readonly orderRef: string;
  readonly parentId: number;
  readonly outsideRth: boolean;
  readonly status: string;
};

/** Is what a what-if answer adds: margins and equity in dollars as printed. */
export type WhatIfPrint = {
  readonly initialMargin: readonly [before: string, change: string, after: string];
  readonly maintenanceMargin: readonly [before: string, change: string, after: string];
  readonly equityWithLoan: readonly [before: string, change: string, after: string];
  readonly commission: string;
};

/** Returns the openOrder answer; with `whatIf` it is the answer to a what-if order. */
export function openOrderMessage(serverVersion: number, order: OrderPrint, whatIf: WhatIfPrint | undefined): string {
  const margins =
    whatIf === undefined
      ? new Array<string>(9).fill(UNSET_DOUBLE)
      : [0, 1, 2].flatMap((at) => [whatIf.initialMargin[at], whatIf.maintenanceMargin[at], whatIf.equityWithLoan[at]]);
  const commission = whatIf?.commission;
  return message(
    ANSWER.openOrder,
    order.orderId,
    ...contractFields(order.listing),
    ...tradeFields(order),
    order.clientId,
    order.permId,
    order.outsideRth,
    0, // hidden
    0, // discretionaryAmt
    "", // goodAfterTime
    "", // sharesAllocation, no longer used
    ...financialAdvisorFields(serverVersion),
    "", // modelCode
    order.goodTillDate,
    "", // rule80A
    "", // percentOffset
    "", // settlingFirm
    0, // shortSaleSlot
    "", // designatedLocation
    -1, // exemptCode
    0, // auctionStrategy
    "", // startingPrice
    "", // stockRefPrice
    "", // delta
    "", // stockRangeLower
    "", // stockRangeUpper
    0, // displaySize
    0, // blockOrder
    0, // sweepToFill
    0, // allOrNone
    "", // minQty
    order.ocaType,
    0, // eTradeOnly
    0, // firmQuoteOnly
    "", // nbboPriceCap
    order.parentId,
    0, // triggerMethod
    "", // volatility
    0, // volatilityType
    "", // deltaNeutralOrderType
    "", // deltaNeutralAuxPrice
    0, // continuousUpdate
    0, // referencePriceType
    order.trailStopPriceText,
    order.trailingPercentText,
    "", // basisPoints
    "", // basisPointsType
    "", // comboLegsDescrip
    0, // legs
    0, // leg prices
    0, // smart routing parameters
    "", // scaleInitLevelSize
    "", // scaleSubsLevelSize
    "", // scalePriceIncrement
    "", // hedgeType
    0, // optOutSmartRouting
    "", // clearingAccount
    "IB", // clearingIntent
    0, // notHeld
    0, // delta-neutral contract
    "", // algoStrategy
    0, // solicited
    whatIf !== undefined,
    order.status,
    ...margins,
    commission,
    commission, // minCommission
    commission, // maxCommission
    whatIf === undefined ? "" : "USD",
    "", // warningText
    0, // randomizeSize
    0, // randomizePrice
    0, // conditions
    "None", // adjustedOrderType
    UNSET_DOUBLE, // triggerPrice
    order.trailStopPriceText,
    UNSET_DOUBLE, // lmtPriceOffset
    UNSET_DOUBLE, // adjustedStopPrice
    UNSET_DOUBLE, // adjustedStopLimitPrice
    UNSET_DOUBLE, // adjustedTrailingAmount
    0, // adjustableTrailingUnit
    "", // soft dollar tier name
    "", // soft dollar tier value
    "", // soft dollar tier display name
    0, // cashQty
    0, // dontUseAutoPriceForHedge
    0, // isOmsContainer
    0, // discretionaryUpToLimitPrice
    0, // usePriceMgmtAlgo
    ...(serverVersion >= 158 ? [""] : []), // duration
    ...(serverVersion >= 160 ? [""] : []), // postToAts
    ...(serverVersion >= 162 ? [0] : []), // autoCancelParent
    ...(serverVersion >= 170 ? PEGGED_UNSET : []),
  );
}

/** Returns the completedOrder answer of an order that has come to its end. */
export function completedOrderMessage(
  serverVersion: number,
  order: OrderPrint,
  end: { filled: number; completedTime: string; completedStatus: string; parentPermId: number },
): string {
  return message(
    ANSWER.completedOrder,
    ...contractFields(order.listing),
    ...tradeFields(order),
    order.permId,
    order.outsideRth,
    0, // hidden
    0, // discretionaryAmt
    "", // goodAfterTime
    ...financialAdvisorFields(serverVersion),
    "", // modelCode
    order.goodTillDate,
    "", // rule80A
    "", // percentOffset
    "", // settlingFirm
    0, // shortSaleSlot
    "", // designatedLocation
    -1, // exemptCode
    "", // startingPrice
    "", // stockRefPrice
    "", // delta
    "", // stockRangeLower
    "", // stockRangeUpper
    0, // displaySize
    0, // sweepToFill
    0, // allOrNone
    "", // minQty
    order.ocaType,
    0, // triggerMethod
    "", // volatility
    0, // volatilityType
    "", // deltaNeutralOrderType
    "", // deltaNeutralAuxPrice
    0, // continuousUpdate
    0, // referencePriceType
    order.trailStopPriceText,
    order.trailingPercentText,
    "", // comboLegsDescrip
    0, // legs
    0, // leg prices
    0, // smart routing parameters
    "", // scaleInitLevelSize
    "", // scaleSubsLevelSize
    "", // scalePriceIncrement
    "", // hedgeType
    "", // clearingAccount
    "IB", // clearingIntent
    0, // notHeld
    0, // delta-neutral contract
    "", // algoStrategy
    0, // solicited
    order.status,
    0, // randomizeSize
    0, // randomizePrice
    0, // conditions
    order.trailStopPriceText,
    UNSET_DOUBLE, // lmtPriceOffset
    0, // cashQty
    0, // dontUseAutoPriceForHedge
    0, // isOmsContainer
    "", // autoCancelDate
    end.filled,
    0, // refFuturesConId
    0, // autoCancelParent
    "", // shareholder
    0, // imbalanceOnly
    0, // routeMarketableToBbo
    end.parentPermId,
    end.completedTime,
    end.completedStatus,
    ...(serverVersion >= 170 ? PEGGED_UNSET : []),
  );
}

/** minTradeQty, minCompeteSize, competeAgainstBestOffset, midOffsetAtWhole, midOffsetAtHalf. */
const PEGGED_UNSET = ["", "", UNSET_DOUBLE, UNSET_DOUBLE, UNSET_DOUBLE];

function tradeFields(order: OrderPrint): readonly (string | number)[] {
  return [
    order.action,
    order.quantity,
    order.orderType,
    order.limitPriceText,
    order.auxPriceText,
    order.tif,
    order.ocaGroup,
    order.account,
    "", // openClose
    0, // origin: the customer
    order.orderRef,
  ];
}

/** faGroup, faMethod, faPercentage, and before 177 faProfile. */
function financialAdvisorFields(serverVersion: number): readonly string[] {
  return serverVersion < 177 ? ["", "", "", ""] : ["", "", ""];
}
