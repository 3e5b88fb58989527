// Answers requests about contracts, market data and the past.
import type { Connection } from "./connection.ts";
import type { TickKind } from "./feed.ts";
import {
  answerHeadTimestamp,
  answerHistoricalData,
  answerHistoricalTicks,
  type HistoryContext,
  type PriceMoves,
} from "./history.ts";
import { contractDataMessage, findListings, ruleIncrement } from "./listings.ts";
import { type RequestContext, type RequestTable, refuse } from "./requests.ts";
import { type ContractQuery, readContract } from "./wire/contract.ts";
import { plain } from "./wire/fields.ts";
import { message } from "./wire/frames.ts";
import { ANSWER, CODE, REQUEST } from "./wire/ids.ts";

/** How many market-data lines one client has at most. */
export const SNAPSHOT_LINES_MAX = 100;
/** How many tick-by-tick requests one client has at most. */
export const TICK_LINES_MAX = 10;

/** The wire's words for kinds of ticks; clients write them in mixed case. */
const TICK_KINDS: Readonly<Record<string, TickKind>> = {
  last: "Last",
  alllast: "AllLast",
  bidask: "BidAsk",
  midpoint: "MidPoint",
};

/** How each kind of request is refused to an account without a subscription; snapshots come late instead. */
const NO_PERMISSION: Readonly<Record<number, string>> = {
  [CODE.historical]: "Historical Market Data Service error message:",
  [CODE.realTimeQuery]: "Invalid Real-time Query:",
  [CODE.historicalTicks]: "Failed to request historical ticks:",
  [CODE.tickByTick]: "Failed to request tick-by-tick data:",
};

/** Returns the answers to requests about contracts, market data and the past. */
export function marketRequests(parts: RequestContext, moves: PriceMoves): RequestTable {
  const { source, feed, calendar, listing } = parts;
  /** What each connection has asked for: live 1, frozen 2, delayed 3, both 4; live where it has not. */
  const dataTypes = new WeakMap<Connection, number>();

  /** Says that an account without a subscription sees no live data and returns false, or returns true. */
  const mayHave = (connection: Connection, reqId: number, code: number): boolean => {
    const refused = NO_PERMISSION[code];
    if (!parts.isDataDelayed || refused === undefined) return true;
    refuse(connection, reqId, code, `${refused}No market data permissions for ${listing.product.exchange} FUT`);
    return false;
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
    if (found[0]?.conId === listing.conId) return mayHave(connection, reqId, code);
    const only = `only ${listing.localSymbol} has a market in this simulation`;
    refuse(
      connection,
      reqId,
      code,
      code === CODE.notSubscribed ? `Requested market data is not subscribed. (${only})` : `No data: ${only}`,
    );
    return false;
  };
  const history: HistoryContext = { source, feed, calendar, nowMs: parts.nowMs, moves: () => moves, hasMarket };

  return {
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
        const dataType = dataTypes.get(connection) ?? 1;
        const wishes = { wantsRtVolume: generic.split(",").includes("233"), wantsFrozen: dataType % 2 === 0 };
        if (!parts.isDataDelayed) feed.subscribeSnapshots(connection, reqId, wishes, isOnce);
        else if (dataType < 3) {
          const text = "Requested market data is not subscribed. Delayed market data is not enabled.";
          refuse(connection, reqId, CODE.delayedNotEnabled, text);
        } else {
          const text = "Requested market data is not subscribed. Displaying delayed market data.";
          refuse(connection, reqId, CODE.delayedShown, text);
          feed.subscribeSnapshots(connection, reqId, wishes, isOnce);
        }
      }
    },
    [REQUEST.marketDataType]: ({ connection }, fields) => {
      fields.skip(1);
      const type = fields.integer("marketDataType");
      if (type >= 1 && type <= 4) dataTypes.set(connection, type);
      else {
        const text = `Error validating request.-'bX' : cause - Market data type ${type} is not one of 1, 2, 3, 4`;
        refuse(connection, -1, CODE.validationError, text);
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
}
