// The names by which a fault script knows messages: those of the TWS API's own classes (EClient for what a client sends,
// EWrapper for what it is sent), so that no name stands for both ways.
import { ANSWER, REQUEST } from "./ids.ts";

/** Says which way a message goes: from a client in, to a client out. */
export type MessageWay = "in" | "out";

const REQUESTS = {
  reqMktData: REQUEST.marketData,
  cancelMktData: REQUEST.cancelMarketData,
  placeOrder: REQUEST.placeOrder,
  cancelOrder: REQUEST.cancelOrder,
  reqOpenOrders: REQUEST.openOrders,
  reqAccountUpdates: REQUEST.accountUpdates,
  reqExecutions: REQUEST.executions,
  reqIds: REQUEST.ids,
  reqContractDetails: REQUEST.contractDetails,
  reqAllOpenOrders: REQUEST.allOpenOrders,
  reqManagedAccts: REQUEST.managedAccounts,
  reqHistoricalData: REQUEST.historicalData,
  reqCurrentTime: REQUEST.currentTime,
  reqRealTimeBars: REQUEST.realTimeBars,
  reqGlobalCancel: REQUEST.globalCancel,
  reqPositions: REQUEST.positions,
  reqAccountSummary: REQUEST.accountSummary,
  startApi: REQUEST.startApi,
  reqTickByTickData: REQUEST.tickByTick,
  reqCompletedOrders: REQUEST.completedOrders,
} as const;

const ANSWERS = {
  tickPrice: ANSWER.tickPrice,
  tickSize: ANSWER.tickSize,
  orderStatus: ANSWER.orderStatus,
  error: ANSWER.error,
  openOrder: ANSWER.openOrder,
  updateAccountValue: ANSWER.accountValue,
  updatePortfolio: ANSWER.portfolioValue,
  nextValidId: ANSWER.nextValidId,
  contractDetails: ANSWER.contractData,
  contractDetailsEnd: ANSWER.contractDataEnd,
  execDetails: ANSWER.execution,
  execDetailsEnd: ANSWER.executionsEnd,
  managedAccounts: ANSWER.managedAccounts,
  historicalData: ANSWER.historicalData,
  historicalDataUpdate: ANSWER.historicalDataUpdate,
  currentTime: ANSWER.currentTime,
  realtimeBar: ANSWER.realTimeBar,
  openOrderEnd: ANSWER.openOrderEnd,
  commissionReport: ANSWER.commission,
  position: ANSWER.position,
  positionEnd: ANSWER.positionEnd,
  tickByTick: ANSWER.tickByTick,
  completedOrder: ANSWER.completedOrder,
  completedOrdersEnd: ANSWER.completedOrdersEnd,
} as const;

/** Is every message of a way. */
const ANY_REQUEST = "anyRequest";
const ANY_ANSWER = "anyAnswer";

/** Is a kind of message, or all of one way. */
export type MessageKind = keyof typeof REQUESTS | keyof typeof ANSWERS | typeof ANY_REQUEST | typeof ANY_ANSWER;

/** Are the names that a script may use. */
export const MESSAGE_KINDS: readonly MessageKind[] = [
  ANY_REQUEST,
  ...(Object.keys(REQUESTS) as (keyof typeof REQUESTS)[]),
  ANY_ANSWER,
  ...(Object.keys(ANSWERS) as (keyof typeof ANSWERS)[]),
];

/** Returns which way messages of a kind go. */
export function wayOf(kind: MessageKind): MessageWay {
  return kind === ANY_REQUEST || kind in REQUESTS ? "in" : "out";
}

/** Returns true when a message that goes `way` is of this kind. A what-if asks about an order and places none. */
export function isOfKind(kind: MessageKind, way: MessageWay, text: string): boolean {
  if (wayOf(kind) !== way) return false;
  if (kind === ANY_REQUEST || kind === ANY_ANSWER) return true;
  const id = Number(text.slice(0, text.indexOf("\0")));
  if (kind === "placeOrder" && id === REQUEST.placeOrder) return !isWhatIf(text);
  return (way === "in" ? REQUESTS[kind as keyof typeof REQUESTS] : ANSWERS[kind as keyof typeof ANSWERS]) === id;
}

/** Where the flag of a future's order without optional blocks stands from server version 177 on, and one later before. */
const WHAT_IF_FIELDS = [84, 85];

function isWhatIf(placeOrder: string): boolean {
  const fields = placeOrder.split("\0");
  // The other of the two is empty: an algorithm's id, or options.
  return WHAT_IF_FIELDS.some((at) => fields[at] === "1");
}
