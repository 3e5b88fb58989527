// Answers requests about the account.
import { type RequestContext, type RequestTable, refuse } from "./requests.ts";
import { CODE, REQUEST } from "./wire/ids.ts";

/** Returns the answers to requests about the account. */
export function accountRequests(parts: RequestContext): RequestTable {
  const { account, listing } = parts;
  return {
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
  };
}
