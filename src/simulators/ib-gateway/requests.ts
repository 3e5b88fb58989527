// What the tables of answers have in common: who asks, what they may reach, and how they refuse.
import type { Account } from "./account.ts";
import type { Calendar } from "./calendar.ts";
import type { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import type { Listing } from "./listings.ts";
import type { MarketSource } from "./market-source.ts";
import { errorMessage } from "./order-messages.ts";
import type { Orders } from "./orders.ts";
import type { FieldReader } from "./wire/fields.ts";
import { CODE } from "./wire/ids.ts";

/** Is who asks. */
type Asker = { readonly connection: Connection; readonly clientId: number };

/** Answers one kind of request; `fields` begin behind its number, `all` with it. */
type Answer = (asker: Asker, fields: FieldReader, all: readonly string[]) => void;

/** Is answers by the number of the request. */
export type RequestTable = Readonly<Record<number, Answer>>;

/** Is what answers may reach. */
export type RequestContext = {
  readonly source: MarketSource;
  readonly listing: Listing;
  readonly calendar: Calendar;
  readonly feed: Feed;
  readonly account: Account;
  readonly orders: Orders;
  /** Returns the account's name. */
  accountName(): string;
  nowMs(): number;
  /** Is true where the account has no subscription: data come late, single ticks, bars and history not at all. */
  readonly isDataDelayed: boolean;
};

/** Answers an error; `id` is the order's, the request's, or -1. */
export function refuse(connection: Connection, id: number, code: number, text: string): void {
  connection.send(errorMessage(connection.serverVersion(), id, code, text));
}

/** Returns the answers to requests that a real gateway knows and this one does not: nobody waits for them in vain. */
export function unsupportedRequests(): RequestTable {
  const refuseBy =
    (what: string, fieldsBefore: number): Answer =>
    ({ connection }, fields) => {
      fields.skip(fieldsBefore);
      const text = `Error validating request.-'bX' : cause - The simulated gateway does not offer ${what}`;
      refuse(connection, fields.integer("reqId"), CODE.validationError, text);
    };
  return {
    10: refuseBy("market depth", 1),
    22: refuseBy("scanners", 0),
    52: refuseBy("fundamental data", 1),
    54: refuseBy("option calculations", 1),
    55: refuseBy("option calculations", 1),
    78: refuseBy("option chains", 0),
    81: refuseBy("symbol search", 0),
    84: refuseBy("news", 0),
    86: refuseBy("news", 0),
    88: refuseBy("histograms", 0),
    100: refuseBy("corporate events", 0),
    102: refuseBy("corporate events", 0),
    104: refuseBy("user information", 0),
  };
}
