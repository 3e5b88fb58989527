// Answers requests about orders and executions.
import { DateTime } from "luxon";
import { EXCHANGE_ZONE } from "./calendar.ts";
import { type RequestContext, type RequestTable, refuse } from "./requests.ts";
import { CODE, REQUEST } from "./wire/ids.ts";
import { readPlaceOrder } from "./wire/place-order.ts";
import { parseWireTime } from "./wire/time.ts";

/** Returns the answers to requests about orders and executions. */
export function orderRequests(parts: RequestContext): RequestTable {
  const { orders, listing } = parts;
  /** Completed orders and executions are those of the current day, as a real gateway keeps them. */
  const startOfDay = (): number =>
    DateTime.fromMillis(parts.nowMs(), { zone: EXCHANGE_ZONE }).startOf("day").toMillis();

  return {
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
        (forAccount !== "" && forAccount !== parts.accountName()) ||
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
  };
}
