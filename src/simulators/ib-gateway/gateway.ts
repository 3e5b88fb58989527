// The gateway behind the sockets: who is connected, what each message asks for, what the market and the exchange say.
// It does what it is told when it is told; the pump moves its time and the server brings it connections.
import { DateTime } from "luxon";
import { type Account, createAccount, newAccount, type SavedAccount } from "./account.ts";
import { type Calendar, EXCHANGE_ZONE, EXCHANGE_ZONE_WIRE } from "./calendar.ts";
import type { Connection } from "./connection.ts";
import type { ExchangePort } from "./exchange.ts";
import { createFeed, type Feed, type TickKind } from "./feed.ts";
import {
  answerHeadTimestamp,
  answerHistoricalData,
  answerHistoricalTicks,
  type HistoryContext,
  type PriceJump,
  parseWireTime,
} from "./history.ts";
import type { Ledger } from "./ledger.ts";
import { contractDataMessage, findListings, type Listing, ruleIncrement } from "./listings.ts";
import type { MarketSource } from "./market-source.ts";
import { noOrders, type SavedOrders } from "./order-book.ts";
import { noOrderFaults } from "./order-faults.ts";
import { errorMessage } from "./order-messages.ts";
import { createOrders, type Orders } from "./orders.ts";
import { type ContractQuery, readContract } from "./wire/contract.ts";
import { FieldProblem, type FieldReader, plain, readFields } from "./wire/fields.ts";
import { message } from "./wire/frames.ts";
import { ANSWER, CODE, REQUEST } from "./wire/ids.ts";
import { readPlaceOrder } from "./wire/place-order.ts";

/** How many clients are served at once, as a real gateway does. */
export const CLIENTS_MAX = 32;
/** How many market-data lines one client has at most. */
export const SNAPSHOT_LINES_MAX = 100;
/** How many tick-by-tick requests one client has at most. */
export const TICK_LINES_MAX = 10;
/** More messages than this within a wall second bring error 100. */
export const MESSAGES_PER_SECOND_MAX = 50;

/** Is all that the gateway keeps over restarts, besides the exchange's own snapshot. */
export type SavedGateway = {
  orders: SavedOrders;
  account: SavedAccount;
  jumps: PriceJump[];
};

/** Returns what a gateway keeps that has seen nothing. */
export function newGateway(): SavedGateway {
  return { orders: noOrders(), account: newAccount(), jumps: [] };
}

type Client = {
  readonly connection: Connection;
  readonly clientId: number;
  windowMs: number;
  messages: number;
  wasWarned: boolean;
};

/** Is what the gateway stands on. */
export type GatewayParts = {
  readonly exchange: ExchangePort;
  readonly source: MarketSource;
  readonly listing: Listing;
  readonly calendar: Calendar;
  readonly ledger: Ledger;
  readonly masterClientId: number | null;
  account(): string;
  nowMs(): number;
  wallMs(): number;
};

/** Is the gateway behind the sockets. */
export type Gateway = ReturnType<typeof createGateway>;

/** Returns a gateway in the state of `saved`. */
export function createGateway(parts: GatewayParts, saved: SavedGateway) {
  const { exchange, source, listing, calendar, ledger } = parts;
  const clients = new Map<Connection, Client>();
  const feed: Feed = createFeed(listing);
  let isLinkUp = true;
  let idsInUse = 0;
  let messagesSeen = 0;

  const orderFaults = noOrderFaults();
  const account: Account = createAccount(
    { exchange, listing, feed, account: parts.account, nowMs: parts.nowMs, isLinkUp: () => isLinkUp },
    saved.account,
  );
  const orders: Orders = createOrders(
    {
      exchange,
      listing,
      calendar,
      ledger,
      faults: orderFaults,
      account: parts.account,
      nowMs: parts.nowMs,
      isLinkUp: () => isLinkUp,
      hearers: (clientId) => {
        const heard: Connection[] = [];
        for (const client of clients.values()) {
          if (client.clientId === clientId || client.clientId === parts.masterClientId) heard.push(client.connection);
        }
        return heard;
      },
      whatIf: (terms) => account.whatIf(terms),
      filled: () => {
        ledger.write(parts.nowMs(), 0, null, {
          type: "position",
          conId: listing.conId,
          position: account.position().position,
        });
        account.filled();
      },
    },
    saved.orders,
  );

  const refuse = (connection: Connection, id: number, code: number, text: string): void =>
    connection.send(errorMessage(connection.serverVersion(), id, code, text));
  const noticeAll = (code: number, text: string): void => {
    for (const { connection } of clients.values()) refuse(connection, -1, code, text);
  };

  /** Says why a request has no market here and returns false, or returns true. */
  const hasMarket = (
    connection: Connection,
    reqId: number,
    query: ContractQuery,
    includeExpired: boolean,
    code: number,
  ): boolean => {
    const found = findListings(query, includeExpired, parts.nowMs());
    if (found.length === 0) {
      refuse(connection, reqId, CODE.noSecurityDefinition, "No security definition has been found for the request");
      return false;
    }
    if (found.length > 1) {
      refuse(
        connection,
        reqId,
        CODE.noSecurityDefinition,
        `The contract description specified for ${query.symbol} is ambiguous`,
      );
      return false;
    }
    if (found[0]?.conId === listing.conId) return true;
    const only = `only ${listing.localSymbol} has a market in this simulation`;
    refuse(
      connection,
      reqId,
      code,
      code === CODE.notSubscribed ? `Requested market data is not subscribed. (${only})` : `No data: ${only}`,
    );
    return false;
  };
  const history: HistoryContext = { source, feed, calendar, nowMs: parts.nowMs, jumps: () => saved.jumps, hasMarket };

  const startApi = (connection: Connection, fields: FieldReader): void => {
    fields.skip(1);
    const clientId = fields.integer("clientId");
    const isTaken = [...clients.values()].some((client) => client.clientId === clientId);
    if (isTaken || idsInUse > 0) {
      if (idsInUse > 0) idsInUse -= 1;
      refuse(
        connection,
        -1,
        CODE.clientIdInUse,
        "Unable to connect as the client id is already in use. Retry with a unique client id.",
      );
      connection.close(`client id ${clientId} is in use`, "after_sending");
      return;
    }
    clients.set(connection, { connection, clientId, windowMs: 0, messages: 0, wasWarned: false });
    ledger.write(parts.nowMs(), connection.number, clientId, { type: "connected" });
    connection.send(message(ANSWER.managedAccounts, 1, parts.account()));
    connection.send(message(ANSWER.nextValidId, 1, orders.nextOrderId(clientId)));
    refuse(connection, -1, CODE.farmOk, "Market data farm connection is OK:usfuture");
    refuse(connection, -1, CODE.historyFarmOk, "HMDS data farm connection is OK:ushmds");
    refuse(connection, -1, CODE.definitionFarmOk, "Sec-def data farm connection is OK:secdefil");
    if (!isLinkUp) refuse(connection, -1, CODE.linkLost, LINK_LOST_TEXT);
  };

  const requests: Readonly<Record<number, (client: Client, fields: FieldReader, all: readonly string[]) => void>> = {
    [REQUEST.ids]: ({ connection, clientId }) =>
      connection.send(message(ANSWER.nextValidId, 1, orders.nextOrderId(clientId))),
    [REQUEST.managedAccounts]: ({ connection }) => connection.send(message(ANSWER.managedAccounts, 1, parts.account())),
    [REQUEST.currentTime]: ({ connection }) =>
      connection.send(message(ANSWER.currentTime, 1, Math.floor(parts.nowMs() / 1_000))),
    [REQUEST.serverLogLevel]: () => {},
    [REQUEST.marketDataType]: () => {},
    [REQUEST.contractDetails]: ({ connection }, fields) => {
      fields.skip(1);
      const reqId = fields.integer("reqId");
      const query = readContract(fields);
      const found = findListings(query, fields.flag("includeExpired"), parts.nowMs());
      if (found.length === 0) {
        refuse(connection, reqId, CODE.noSecurityDefinition, "No security definition has been found for the request");
        return;
      }
      const secType = query.secType === "CONTFUT" ? "CONTFUT" : "FUT";
      for (const one of found)
        connection.send(contractDataMessage(connection.serverVersion(), reqId, one, secType, calendar, parts.nowMs()));
      connection.send(message(ANSWER.contractDataEnd, 1, reqId));
    },
    [REQUEST.marketData]: ({ connection }, fields) => {
      fields.skip(1);
      const reqId = fields.integer("reqId");
      const query = readContract(fields);
      if (query.secType === "BAG") {
        refuse(
          connection,
          reqId,
          CODE.validationError,
          "Error validating request.-'bX' : cause - Combinations are not offered by the simulated gateway",
        );
        return;
      }
      if (fields.flag("deltaNeutral")) fields.skip(3);
      const generic = fields.text("genericTickList");
      const isOnce = fields.flag("snapshot");
      if (feed.hasSnapshots(connection, reqId))
        refuse(connection, reqId, CODE.duplicateTickerId, "Duplicate ticker ID for API request");
      else if (feed.countSnapshots(connection) >= SNAPSHOT_LINES_MAX)
        refuse(connection, reqId, CODE.tickersMax, "Max number of tickers has been reached");
      else if (hasMarket(connection, reqId, query, false, CODE.notSubscribed)) {
        feed.subscribeSnapshots(connection, reqId, generic.split(",").includes("233"), isOnce);
      }
    },
    [REQUEST.cancelMarketData]: ({ connection }, fields) => {
      fields.skip(1);
      const reqId = fields.integer("reqId");
      if (!feed.unsubscribeSnapshots(connection, reqId))
        refuse(connection, reqId, CODE.unknownTicker, `Can't find EId with tickerId:${reqId}`);
    },
    [REQUEST.tickByTick]: ({ connection }, fields) => {
      const reqId = fields.integer("reqId");
      const query = readContract(fields);
      const kind = TICK_KINDS[fields.text("tickType").toLowerCase()];
      fields.skip(1); // numberOfTicks: past ticks are asked for by historicalTicks
      const ignoresSize = fields.flag("ignoreSize");
      if (kind === undefined)
        refuse(
          connection,
          reqId,
          CODE.tickByTick,
          "Failed to request tick-by-tick data:the type must be Last, AllLast, BidAsk or MidPoint",
        );
      else if (feed.countTicks(connection) >= TICK_LINES_MAX)
        refuse(connection, reqId, CODE.tickByTickMax, "Max number of tick-by-tick requests has been reached.");
      else if (hasMarket(connection, reqId, query, false, CODE.tickByTick))
        feed.subscribeTicks(connection, reqId, kind, ignoresSize);
    },
    [REQUEST.cancelTickByTick]: ({ connection }, fields) => {
      const reqId = fields.integer("reqId");
      if (!feed.unsubscribeTicks(connection, reqId))
        refuse(connection, reqId, CODE.unknownTicker, `Can't find EId with tickerId:${reqId}`);
    },
    [REQUEST.realTimeBars]: ({ connection }, fields) => {
      fields.skip(1);
      const reqId = fields.integer("reqId");
      const query = readContract(fields);
      fields.skip(1); // barSize: only five seconds exist
      const wanted = fields.text("whatToShow").toUpperCase();
      if (wanted !== "TRADES" && wanted !== "MIDPOINT" && wanted !== "BID" && wanted !== "ASK") {
        refuse(
          connection,
          reqId,
          CODE.realTimeQuery,
          `Invalid Real-time Query:${wanted} is not TRADES, MIDPOINT, BID or ASK`,
        );
      } else if (hasMarket(connection, reqId, query, false, CODE.realTimeQuery))
        feed.subscribeBars(connection, reqId, wanted, parts.nowMs());
    },
    [REQUEST.cancelRealTimeBars]: ({ connection }, fields) => {
      fields.skip(1);
      feed.unsubscribeBars(connection, fields.integer("reqId"));
    },
    [REQUEST.historicalData]: ({ connection }, fields) => answerHistoricalData(history, connection, fields),
    [REQUEST.cancelHistoricalData]: ({ connection }, fields) => {
      fields.skip(1);
      const reqId = fields.integer("reqId");
      if (feed.unsubscribeUpdates(connection, reqId)) {
        refuse(
          connection,
          reqId,
          CODE.historical,
          `Historical Market Data Service error message:API historical data query cancelled: ${reqId}`,
        );
      } else refuse(connection, reqId, CODE.noHistoricalQuery, `No historical data query found for ticker id:${reqId}`);
    },
    [REQUEST.historicalTicks]: ({ connection }, fields) => answerHistoricalTicks(history, connection, fields),
    [REQUEST.headTimestamp]: ({ connection }, fields) => answerHeadTimestamp(history, connection, fields),
    [REQUEST.cancelHeadTimestamp]: () => {},
    [REQUEST.placeOrder]: ({ connection, clientId }, _fields, all) =>
      orders.place(connection, clientId, readPlaceOrder(all, connection.serverVersion())),
    [REQUEST.cancelOrder]: ({ connection, clientId }, fields) => {
      fields.skip(1);
      orders.cancel(connection, clientId, fields.integer("orderId"));
    },
    [REQUEST.globalCancel]: ({ connection, clientId }) => orders.cancelAll(connection, clientId),
    [REQUEST.openOrders]: ({ connection, clientId }) => orders.answerOpen(connection, clientId),
    [REQUEST.allOpenOrders]: ({ connection }) => orders.answerOpen(connection, undefined),
    [REQUEST.autoOpenOrders]: ({ connection, clientId }) => {
      if (clientId === 0) orders.answerOpen(connection, clientId);
      else
        refuse(
          connection,
          -1,
          CODE.autoBindClientZeroOnly,
          "Only API connections with clientId set to 0 can set the auto bind TWS orders property.",
        );
    },
    [REQUEST.completedOrders]: ({ connection }) => orders.answerCompleted(connection, startOfDay()),
    [REQUEST.executions]: ({ connection }, fields) => {
      fields.skip(1);
      const reqId = fields.integer("reqId");
      const clientId = fields.integer("clientId");
      const forAccount = fields.text("account");
      const since = fields.text("time");
      const symbol = fields.text("symbol");
      const secType = fields.text("secType").toUpperCase();
      const exchangeName = fields.text("exchange").toUpperCase();
      const side = fields.text("side").toUpperCase();
      const sinceMs = Math.max(startOfDay(), since === "" ? 0 : (parseWireTime(since) ?? 0));
      const isNever =
        (forAccount !== "" && forAccount !== parts.account()) ||
        (symbol !== "" && symbol !== listing.product.symbol) ||
        (secType !== "" && secType !== "FUT") ||
        (exchangeName !== "" && exchangeName !== listing.product.exchange);
      orders.answerExecutions(
        connection,
        reqId,
        (execution) =>
          !isNever &&
          execution.atMs >= sinceMs &&
          (clientId === 0 || execution.clientId === clientId) &&
          (side === "" || side === execution.action || side === (execution.action === "BUY" ? "BOT" : "SLD")),
      );
    },
    [REQUEST.positions]: ({ connection }) => account.askPositions(connection),
    [REQUEST.cancelPositions]: ({ connection }) => {
      account.endPositions(connection);
    },
    [REQUEST.accountUpdates]: ({ connection }, fields) => {
      fields.skip(1);
      account.askUpdates(connection, fields.flag("subscribe"));
    },
    [REQUEST.accountSummary]: ({ connection }, fields) => {
      fields.skip(1);
      const reqId = fields.integer("reqId");
      fields.skip(1); // group: there is one account
      account.askSummary(connection, reqId, fields.text("tags"));
    },
    [REQUEST.cancelAccountSummary]: ({ connection }, fields) => {
      fields.skip(1);
      account.endSummary(connection, fields.integer("reqId"));
    },
    [REQUEST.positionsMulti]: ({ connection }, fields) => {
      fields.skip(1);
      account.askMultiPositions(connection, fields.integer("reqId"));
    },
    [REQUEST.cancelPositionsMulti]: ({ connection }, fields) => {
      fields.skip(1);
      account.endMultiPositions(connection, fields.integer("reqId"));
    },
    [REQUEST.accountUpdatesMulti]: ({ connection }, fields) => {
      fields.skip(1);
      account.askMultiUpdates(connection, fields.integer("reqId"));
    },
    [REQUEST.cancelAccountUpdatesMulti]: ({ connection }, fields) => {
      fields.skip(1);
      account.endMultiUpdates(connection, fields.integer("reqId"));
    },
    [REQUEST.pnl]: ({ connection }, fields) => account.askPnl(connection, fields.integer("reqId")),
    [REQUEST.cancelPnl]: ({ connection }, fields) => account.endPnl(connection, fields.integer("reqId")),
    [REQUEST.pnlSingle]: ({ connection }, fields) => {
      const reqId = fields.integer("reqId");
      fields.skip(2); // account, model
      const conId = fields.integer("conId");
      if (conId === listing.conId) account.askSinglePnl(connection, reqId);
      else
        refuse(
          connection,
          reqId,
          CODE.validationError,
          `Error validating request.-'bX' : cause - There is no position in contract ${conId}`,
        );
    },
    [REQUEST.cancelPnlSingle]: ({ connection }, fields) => account.endSinglePnl(connection, fields.integer("reqId")),
    [REQUEST.marketRule]: ({ connection }, fields) => {
      const ruleId = fields.integer("marketRuleId");
      const increment = ruleIncrement(ruleId);
      if (increment === undefined)
        refuse(
          connection,
          -1,
          CODE.validationError,
          `Error validating request.-'bX' : cause - Market rule ${ruleId} is not known`,
        );
      else connection.send(message(ANSWER.marketRule, ruleId, 1, 0, plain(increment)));
    },
  };

  const startOfDay = (): number =>
    DateTime.fromMillis(parts.nowMs(), { zone: EXCHANGE_ZONE }).startOf("day").toMillis();

  const watchRate = (client: Client): void => {
    const wallMs = parts.wallMs();
    if (wallMs - client.windowMs >= 1_000) {
      client.windowMs = wallMs;
      client.messages = 0;
      client.wasWarned = false;
    }
    client.messages += 1;
    if (client.messages <= MESSAGES_PER_SECOND_MAX || client.wasWarned) return;
    client.wasWarned = true;
    refuse(client.connection, -1, CODE.messageRate, "Max rate of messages per second has been exceeded:max=50");
  };

  return {
    feed,
    account,
    orders,
    orderFaults,
    jumps: saved.jumps,

    /** Answers one message of a connection. A number that nobody knows is passed over, as is noise before startApi. */
    request(connection: Connection, all: readonly string[]): void {
      messagesSeen += 1;
      const id = Number(all[0]);
      if (!Number.isInteger(id)) {
        connection.close(`a message without a number: ${JSON.stringify(all[0] ?? "").slice(0, 40)}`, "at_once");
        return;
      }
      const fields = readFields(all, 1);
      const client = clients.get(connection);
      try {
        if (client === undefined) {
          if (id === REQUEST.startApi) startApi(connection, fields);
          return;
        }
        watchRate(client);
        requests[id]?.(client, fields, all);
      } catch (thrown) {
        if (!(thrown instanceof FieldProblem)) throw thrown;
        // Where the request's own id stands: behind a version field, or at once.
        const reqId = Number(UNVERSIONED.has(id) ? all[1] : all[2]);
        refuse(
          connection,
          Number.isInteger(reqId) ? reqId : -1,
          CODE.readError,
          `Error reading request. Message id ${id}: ${thrown.message}`,
        );
      }
    },
    /** Forgets a connection that has ended. */
    closed(connection: Connection, reason: string): void {
      const client = clients.get(connection);
      clients.delete(connection);
      feed.forget(connection);
      account.forget(connection);
      if (client !== undefined)
        ledger.write(parts.nowMs(), connection.number, client.clientId, { type: "disconnected", reason });
    },

    isStarted: (connection: Connection): boolean => clients.has(connection),
    connectionOf: (clientId: number): Connection | undefined =>
      [...clients.values()].find((client) => client.clientId === clientId)?.connection,
    connections: (): readonly Connection[] => [...clients.keys()],
    messagesSeen: (): number => messagesSeen,

    /** Sends a notice with id -1 to everybody. */
    notice: noticeAll,
    /** Sends an error with any id to everybody. */
    errorAll(id: number, code: number, text: string): void {
      for (const { connection } of clients.values()) refuse(connection, id, code, text);
    },
    /** Lets the next so many connections be told that their client id is in use. */
    claimIds(count: number): void {
      idsInUse += count;
    },
    /** Cuts the broker's link: data stops, orders and cancels go nowhere, what the exchange does is told to nobody. */
    loseLink(): void {
      if (!isLinkUp) return;
      noticeAll(CODE.linkLost, LINK_LOST_TEXT);
      noticeAll(CODE.farmBroken, "Market data farm connection is broken:usfuture");
      noticeAll(CODE.historyFarmBroken, "HMDS data farm connection is broken:ushmds");
      isLinkUp = false;
      feed.mute(true);
    },
    restoreLink(isDataLost: boolean): void {
      if (isLinkUp) return;
      isLinkUp = true;
      feed.mute(false);
      if (isDataLost) feed.forget(undefined);
      noticeAll(
        isDataLost ? CODE.linkRestoredDataLost : CODE.linkRestoredDataKept,
        isDataLost
          ? "Connectivity between IB and TWS has been restored- data lost."
          : "Connectivity between IB and TWS has been restored- data maintained.",
      );
      noticeAll(CODE.farmOk, "Market data farm connection is OK:usfuture");
      noticeAll(CODE.historyFarmOk, "HMDS data farm connection is OK:ushmds");
    },

    isLinkUp: (): boolean => isLinkUp,
    /** Places an order as a person does by hand in the broker's own program: no API client placed it. */
    placeByHand(action: "BUY" | "SELL", quantity: number, limitPrice: number | null): void {
      const limitTicks = limitPrice === null ? null : Math.round(limitPrice / listing.product.tickSize);
      orders.placeByHand({
        action,
        quantity,
        orderType: limitTicks === null ? "MKT" : "LMT",
        kind: limitTicks === null ? "market" : "limit",
        limitTicks,
        triggerTicks: null,
        trailTicks: null,
        tif: "DAY",
        ocaGroup: "",
        ocaType: 0,
        orderRef: "",
        parentId: 0,
        outsideRth: true,
      });
    },

    /** Returns what the handshake names as the time of the connection. */
    connectionTime: (): string =>
      `${DateTime.fromMillis(parts.nowMs(), { zone: EXCHANGE_ZONE }).toFormat("yyyyLLdd HH:mm:ss")} ${EXCHANGE_ZONE_WIRE}`,
    saved: (): SavedGateway => saved,
    /** Returns what a person or a judge may want to see, as plain values. */
    state: () => ({
      isLinkUp,
      clients: [...clients.values()].map(({ connection, clientId }) => ({
        connection: connection.number,
        clientId,
        serverVersion: connection.serverVersion(),
        backlogBytes: connection.backlogBytes(),
        ticksMissed: connection.ticksMissed(),
      })),
      contract: { conId: listing.conId, localSymbol: listing.localSymbol, lastTradeDate: listing.lastTradeDate },
      book: { ...feed.view() },
      orders: orders.working().map((order) => ({
        permId: order.permId,
        clientId: order.clientId,
        orderId: order.orderId,
        parentPermId: order.parentPermId,
        status: order.status,
        isTransmitted: order.isTransmitted,
        filled: order.filled,
        ...order.terms,
      })),
      positions: [{ conId: listing.conId, ...account.position() }],
      account: account.money(),
    }),
  };
}

const LINK_LOST_TEXT = "Connectivity between IB and the TWS has been lost.";

/** Requests whose first field is their own id, without a version before it. */
const UNVERSIONED: ReadonlySet<number> = new Set([
  REQUEST.placeOrder,
  REQUEST.historicalData,
  REQUEST.headTimestamp,
  REQUEST.cancelHeadTimestamp,
  REQUEST.marketRule,
  REQUEST.pnl,
  REQUEST.cancelPnl,
  REQUEST.pnlSingle,
  REQUEST.cancelPnlSingle,
  REQUEST.historicalTicks,
  REQUEST.tickByTick,
  REQUEST.cancelTickByTick,
]);

/** The wire's words for kinds of ticks; clients write them in mixed case. */
const TICK_KINDS: Readonly<Record<string, TickKind>> = {
  last: "Last",
  alllast: "AllLast",
  bidask: "BidAsk",
  midpoint: "MidPoint",
};
