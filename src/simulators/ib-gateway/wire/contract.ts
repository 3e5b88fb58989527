// The contract as requests carry it, and as answers do.
import type { Listing } from "../listings.ts";
import type { FieldReader } from "./fields.ts";

/** Is what a client says of a contract; empty text and 0 mean "not said". */
export type ContractQuery = {
  readonly conId: number;
  readonly symbol: string;
  readonly secType: string;
  readonly month: string;
  readonly exchange: string;
  readonly currency: string;
  readonly localSymbol: string;
  readonly tradingClass: string;
  readonly multiplier: string;
};

/** Reads the twelve contract fields of a request. */
export function readContract(fields: FieldReader): ContractQuery {
  const conId = fields.integer("conId");
  const symbol = fields.text("symbol");
  const secType = fields.text("secType").toUpperCase();
  const month = fields.text("lastTradeDateOrContractMonth");
  fields.skip(2); // strike and right: a future has none
  const multiplier = fields.text("multiplier");
  const exchange = fields.text("exchange").toUpperCase();
  fields.skip(1); // primaryExchange
  const currency = fields.text("currency").toUpperCase();
  const localSymbol = fields.text("localSymbol");
  const tradingClass = fields.text("tradingClass");
  return { conId, symbol, secType, month, exchange, currency, localSymbol, tradingClass, multiplier };
}

/** Returns the eleven contract fields of openOrder, execution and position answers. */
export function contractFields(listing: Listing): readonly (string | number)[] {
  const { product } = listing;
  return [
    listing.conId,
    product.symbol,
    "FUT",
    listing.lastTradeDate,
    "0",
    "",
    product.multiplierText,
    product.exchange,
    "USD",
    listing.localSymbol,
    product.symbol,
  ];
}
