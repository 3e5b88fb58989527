// What messages and their fields are called, for people: the names of the TWS API's own classes (EClient for what a client
// sends, EWrapper for what it is sent). Long messages are named as far as their fields stand at a fixed place.
import { ANSWER, REQUEST } from "./ids.ts";

type Named = readonly [name: string, fields: string];

const CONTRACT_ASKED =
  "conId symbol secType month strike right multiplier exchange primaryExchange currency localSymbol tradingClass";
const CONTRACT_TOLD = "conId symbol secType month strike right multiplier exchange currency localSymbol tradingClass";

const REQUESTS: Readonly<Record<number, Named>> = {
  [REQUEST.marketData]: ["reqMktData", `version reqId ${CONTRACT_ASKED} deltaNeutral genericTicks snapshot`],
  [REQUEST.cancelMarketData]: ["cancelMktData", "version reqId"],
  [REQUEST.placeOrder]: [
    "placeOrder",
    `orderId ${CONTRACT_ASKED} secIdType secId action quantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef transmit parentId blockOrder sweepToFill displaySize triggerMethod outsideRth hidden`,
  ],
  [REQUEST.cancelOrder]: ["cancelOrder", "version orderId manualCancelTime"],
  [REQUEST.openOrders]: ["reqOpenOrders", "version"],
  [REQUEST.accountUpdates]: ["reqAccountUpdates", "version subscribe account"],
  [REQUEST.executions]: ["reqExecutions", "version reqId clientId account time symbol secType exchange side"],
  [REQUEST.ids]: ["reqIds", "version count"],
  [REQUEST.contractDetails]: [
    "reqContractDetails",
    `version reqId ${CONTRACT_ASKED} includeExpired secIdType secId issuerId`,
  ],
  10: ["reqMktDepth", "version reqId"],
  [REQUEST.serverLogLevel]: ["setServerLogLevel", "version level"],
  [REQUEST.autoOpenOrders]: ["reqAutoOpenOrders", "version autoBind"],
  [REQUEST.allOpenOrders]: ["reqAllOpenOrders", "version"],
  [REQUEST.managedAccounts]: ["reqManagedAccts", "version"],
  [REQUEST.historicalData]: [
    "reqHistoricalData",
    `reqId ${CONTRACT_ASKED} includeExpired endDateTime barSize duration useRTH whatToShow formatDate keepUpToDate`,
  ],
  22: ["reqScannerSubscription", "reqId"],
  [REQUEST.cancelHistoricalData]: ["cancelHistoricalData", "version reqId"],
  [REQUEST.currentTime]: ["reqCurrentTime", "version"],
  [REQUEST.realTimeBars]: ["reqRealTimeBars", `version reqId ${CONTRACT_ASKED} barSize whatToShow useRTH`],
  [REQUEST.cancelRealTimeBars]: ["cancelRealTimeBars", "version reqId"],
  [REQUEST.globalCancel]: ["reqGlobalCancel", "version"],
  [REQUEST.marketDataType]: ["reqMarketDataType", "version type"],
  [REQUEST.positions]: ["reqPositions", "version"],
  [REQUEST.accountSummary]: ["reqAccountSummary", "version reqId group tags"],
  [REQUEST.cancelAccountSummary]: ["cancelAccountSummary", "version reqId"],
  [REQUEST.cancelPositions]: ["cancelPositions", "version"],
  [REQUEST.startApi]: ["startApi", "version clientId capabilities"],
  [REQUEST.positionsMulti]: ["reqPositionsMulti", "version reqId account model"],
  [REQUEST.cancelPositionsMulti]: ["cancelPositionsMulti", "version reqId"],
  [REQUEST.accountUpdatesMulti]: ["reqAccountUpdatesMulti", "version reqId account model ledgerAndNlv"],
  [REQUEST.cancelAccountUpdatesMulti]: ["cancelAccountUpdatesMulti", "version reqId"],
  [REQUEST.headTimestamp]: ["reqHeadTimestamp", `reqId ${CONTRACT_ASKED} includeExpired useRTH whatToShow formatDate`],
  [REQUEST.cancelHeadTimestamp]: ["cancelHeadTimestamp", "reqId"],
  [REQUEST.marketRule]: ["reqMarketRule", "marketRuleId"],
  [REQUEST.pnl]: ["reqPnL", "reqId account model"],
  [REQUEST.cancelPnl]: ["cancelPnL", "reqId"],
  [REQUEST.pnlSingle]: ["reqPnLSingle", "reqId account model conId"],
  [REQUEST.cancelPnlSingle]: ["cancelPnLSingle", "reqId"],
  [REQUEST.historicalTicks]: [
    "reqHistoricalTicks",
    `reqId ${CONTRACT_ASKED} includeExpired start end count whatToShow useRTH ignoreSize`,
  ],
  [REQUEST.tickByTick]: ["reqTickByTickData", `reqId ${CONTRACT_ASKED} tickType count ignoreSize`],
  [REQUEST.cancelTickByTick]: ["cancelTickByTickData", "reqId"],
  [REQUEST.completedOrders]: ["reqCompletedOrders", "apiOnly"],
};

const ANSWERS: Readonly<Record<number, Named>> = {
  [ANSWER.tickPrice]: ["tickPrice", "version reqId tickType price size attributes"],
  [ANSWER.tickSize]: ["tickSize", "version reqId tickType size"],
  [ANSWER.orderStatus]: [
    "orderStatus",
    "orderId status filled remaining avgFillPrice permId parentId lastFillPrice clientId whyHeld mktCapPrice",
  ],
  [ANSWER.error]: ["error", "version id code text"],
  [ANSWER.openOrder]: [
    "openOrder",
    `orderId ${CONTRACT_TOLD} action quantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef clientId permId outsideRth`,
  ],
  [ANSWER.accountValue]: ["updateAccountValue", "version key value currency account"],
  [ANSWER.portfolioValue]: [
    "updatePortfolio",
    "version conId symbol secType month strike right multiplier primaryExchange currency localSymbol tradingClass position marketPrice marketValue averageCost unrealizedPnl realizedPnl account",
  ],
  [ANSWER.accountTime]: ["updateAccountTime", "version time"],
  [ANSWER.nextValidId]: ["nextValidId", "version orderId"],
  [ANSWER.contractData]: ["contractDetails", ""],
  [ANSWER.execution]: [
    "execDetails",
    `reqId orderId ${CONTRACT_TOLD} execId time account exchange side shares price permId clientId liquidation cumQty avgPrice orderRef`,
  ],
  [ANSWER.managedAccounts]: ["managedAccounts", "version accounts"],
  [ANSWER.historicalData]: ["historicalData", "reqId start end bars"],
  [ANSWER.tickGeneric]: ["tickGeneric", "version reqId tickType value"],
  [ANSWER.tickString]: ["tickString", "version reqId tickType value"],
  [ANSWER.currentTime]: ["currentTime", "version time"],
  [ANSWER.realTimeBar]: ["realtimeBar", "version reqId time open high low close volume wap count"],
  [ANSWER.contractDataEnd]: ["contractDetailsEnd", "version reqId"],
  [ANSWER.openOrderEnd]: ["openOrderEnd", "version"],
  [ANSWER.accountDownloadEnd]: ["accountDownloadEnd", "version account"],
  [ANSWER.executionsEnd]: ["execDetailsEnd", "version reqId"],
  [ANSWER.tickSnapshotEnd]: ["tickSnapshotEnd", "version reqId"],
  58: ["marketDataType", "version reqId type"],
  [ANSWER.commission]: ["commissionReport", "version execId commission currency realizedPnl yield"],
  [ANSWER.position]: ["position", `version account ${CONTRACT_TOLD} position avgCost`],
  [ANSWER.positionEnd]: ["positionEnd", "version"],
  [ANSWER.accountSummary]: ["accountSummary", "version reqId account tag value currency"],
  [ANSWER.accountSummaryEnd]: ["accountSummaryEnd", "version reqId"],
  [ANSWER.positionMulti]: ["positionMulti", `version reqId account ${CONTRACT_TOLD} position avgCost model`],
  [ANSWER.positionMultiEnd]: ["positionMultiEnd", "version reqId"],
  [ANSWER.accountUpdateMulti]: ["accountUpdateMulti", "version reqId account model key value currency"],
  [ANSWER.accountUpdateMultiEnd]: ["accountUpdateMultiEnd", "version reqId"],
  [ANSWER.tickReqParams]: ["tickReqParams", "reqId minTick bboExchange snapshotPermissions"],
  [ANSWER.headTimestamp]: ["headTimestamp", "reqId time"],
  [ANSWER.historicalDataUpdate]: ["historicalDataUpdate", "reqId count date open close high low wap volume"],
  [ANSWER.marketRule]: ["marketRule", "ruleId count lowEdge increment"],
  [ANSWER.pnl]: ["pnl", "reqId daily unrealized realized"],
  [ANSWER.pnlSingle]: ["pnlSingle", "reqId position daily unrealized realized value"],
  [ANSWER.historicalTicks]: ["historicalTicks", "reqId ticks"],
  [ANSWER.historicalTicksBidAsk]: ["historicalTicksBidAsk", "reqId ticks"],
  [ANSWER.historicalTicksLast]: ["historicalTicksLast", "reqId ticks"],
  [ANSWER.tickByTick]: ["tickByTick", "reqId tickType"],
  [ANSWER.completedOrder]: [
    "completedOrder",
    `${CONTRACT_TOLD} action quantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef permId`,
  ],
  [ANSWER.completedOrdersEnd]: ["completedOrdersEnd", ""],
};

/** What follows `tickByTick` depends on its kind: 1 and 2 are trades, 3 a quote, 4 a middle. */
const TICK_FIELDS: Readonly<Record<string, string>> = {
  "1": "reqId tickType time price size attributes exchange conditions",
  "2": "reqId tickType time price size attributes exchange conditions",
  "3": "reqId tickType time bid ask bidSize askSize attributes",
  "4": "reqId tickType time middle",
};

/** Messages that tell the market moving; there are thousands of them. */
const MARKET_DATA: ReadonlySet<number> = new Set([
  ANSWER.tickPrice,
  ANSWER.tickSize,
  ANSWER.tickGeneric,
  ANSWER.tickString,
  ANSWER.realTimeBar,
  ANSWER.historicalDataUpdate,
  ANSWER.tickByTick,
]);

/** Is a message in words. Fields that are empty are left out; `more` counts those without a name. */
export type NamedMessage = {
  readonly name: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly more: number;
};

/** Is how much of one field is shown. */
const VALUE_UNITS_MAX = 160;
/** Says nothing of a future, or of anything. */
const UNTOLD: ReadonlySet<string> = new Set(["version", "strike", "right"]);
/** Stands for "not set" (protocol note, section 3). */
const UNSET = /^1\.7976931348623157[eE]\+?308$|^2147483647$/;

/** Returns a message from its text, each field ended by NUL, in words. */
export function nameMessage(way: "in" | "out", text: string): NamedMessage {
  const [id = "", ...values] = text.split("\0");
  if (values.at(-1) === "") values.pop();
  const [name, fieldText] = (way === "in" ? REQUESTS : ANSWERS)[Number(id)] ?? [`message ${clip(id)}`, ""];
  const isTick = way === "out" && Number(id) === ANSWER.tickByTick;
  const names = ((isTick ? TICK_FIELDS[values[1] ?? ""] : undefined) ?? fieldText).split(" ").filter(Boolean);
  const fields: (readonly [string, string])[] = [];
  for (const [at, field] of names.entries()) {
    const value = values[at];
    if (value === undefined) break;
    if (value !== "" && !UNTOLD.has(field) && !UNSET.test(value)) fields.push([field, clip(value)]);
  }
  return { name, fields, more: Math.max(0, values.length - names.length) };
}

/** Returns whether a message that a client is sent tells the market moving. */
export function isMarketData(text: string): boolean {
  return MARKET_DATA.has(Number(text.slice(0, text.indexOf("\0"))));
}

function clip(text: string): string {
  return text.length <= VALUE_UNITS_MAX ? text : `${text.slice(0, VALUE_UNITS_MAX)}…`;
}
