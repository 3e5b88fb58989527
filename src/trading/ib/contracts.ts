// Finds the listing to trade among what the broker lists.
import { type ContractDetails, type Contract as IbContract, SecType } from "@stoqey/ib";
import { DateTime } from "luxon";
import type { Contract } from "../../engine.ts";
import { err, ok, type Result } from "../../result.ts";
import type { ContractQuery, GatewayProblem } from "../gateway.ts";
import { parseHours } from "./hours.ts";
import type { PriceScale } from "./translate.ts";

/** Is a listing with what its prices and orders need. */
export type Listing = {
  readonly contract: Contract;
  readonly ib: IbContract;
  readonly scale: PriceScale;
  readonly zone: string;
};

const TICK_UNITS = 10_000;
const CENTS = 100;

/** Returns what to ask for: all months of a future, or one. */
export function detailsQuery(query: ContractQuery): IbContract {
  return {
    symbol: query.symbol,
    secType: SecType.FUT,
    exchange: query.exchange,
    currency: query.currency,
    ...(query.month === "auto" ? {} : { lastTradeDateOrContractMonth: query.month }),
  };
}

/** Returns the listing meant by the query as of `nowMs`. The last trade date is the broker's word, never the calendar's rule. */
export function chooseListing(
  details: readonly ContractDetails[],
  query: ContractQuery,
  nowMs: number,
): Result<Listing, GatewayProblem> {
  const listings: Listing[] = [];
  const problems: string[] = [];
  for (const each of details) {
    const listing = toListing(each);
    if (listing.ok) listings.push(listing.value);
    else problems.push(listing.error);
  }
  listings.sort((a, b) => (a.contract.lastTradeDate < b.contract.lastTradeDate ? -1 : 1));
  const found = listings.find(
    (listing) =>
      (query.month === "auto" || listing.contract.month === query.month) &&
      daysUntil(listing.contract.lastTradeDate, nowMs, listing.zone) >
        (query.month === "auto" ? query.rollDaysBefore : -1),
  );
  if (found !== undefined) return ok(found);
  const wanted =
    query.month === "auto" ? "no month that is far enough from its last trade date" : `no tradable ${query.month}`;
  const why = problems.length === 0 ? "" : ` (${problems[0]})`;
  return err({
    type: "not_found",
    detail: `the broker lists ${wanted} for ${query.symbol} at ${query.exchange}${why}`,
  });
}

function toListing(details: ContractDetails): Result<Listing, string> {
  const { contract: ib, minTick, timeZoneId, tradingHours } = details;
  const { conId, localSymbol } = ib;
  const lastTradeDate = isoDate(ib.lastTradeDateOrContractMonth ?? "");
  const multiplier = Number(ib.multiplier);
  if (conId === undefined || localSymbol === undefined || minTick === undefined || lastTradeDate === null) {
    return err("a listing without id, name, tick size or last trade date");
  }
  if (!(multiplier > 0) || !(minTick > 0)) return err(`${localSymbol} without a multiplier or tick size`);
  const zone = timeZoneId ?? "";
  const hours = parseHours(tradingHours ?? "", zone);
  if (!hours.ok) return err(`${localSymbol}: ${hours.error}`);
  return ok({
    contract: {
      conId,
      localSymbol: localSymbol.replace(/\s+/g, " ").trim(),
      month: details.contractMonth ?? lastTradeDate.slice(0, 7).replace("-", ""),
      lastTradeDate,
      tickSizeE4: Math.round(minTick * TICK_UNITS),
      multiplierCents: Math.round(multiplier * CENTS),
      hours: [...hours.value],
    },
    ib,
    scale: { tickSize: minTick, multiplier },
    zone,
  });
}

/** "20261218", "20261218 08:30 US/Central" or "20261218-08:30" → "2026-12-18". */
function isoDate(text: string): string | null {
  const date = /^(\d{4})(\d{2})(\d{2})(?:\D|$)/.exec(text);
  return date === null ? null : `${date[1]}-${date[2]}-${date[3]}`;
}

function daysUntil(date: string, nowMs: number, zone: string): number {
  const today = DateTime.fromMillis(nowMs, { zone }).startOf("day");
  return Math.round(DateTime.fromISO(date, { zone }).diff(today, "days").days);
}
