// What can be asked for by contract details: eight equity-index futures, each with its quarterly months.
import { DateTime } from "luxon";
import { type Calendar, EXCHANGE_ZONE, EXCHANGE_ZONE_WIRE, isTradeDate } from "./calendar.ts";
import { ORDER_TYPES_LISTED } from "./order-terms.ts";
import type { ContractQuery } from "./wire/contract.ts";
import { message } from "./wire/frames.ts";
import { ANSWER } from "./wire/ids.ts";

/** Is one product of the exchange (contract specifications on cmegroup.com). */
export type Product = {
  readonly symbol: string;
  readonly longName: string;
  readonly exchange: "CME" | "CBOT";
  /** Dollars a point, as the wire prints it. */
  readonly multiplierText: string;
  readonly multiplier: number;
  /** Points a tick. */
  readonly tickSize: number;
  readonly tickCents: number;
  /** Commission with exchange and regulatory fees, a contract and side. */
  readonly feeCents: number;
  readonly initialMarginCents: number;
  readonly maintenanceMarginCents: number;
  readonly marketRuleId: number;
};

/** Is one dated contract of a product. */
export type Listing = {
  readonly product: Product;
  readonly conId: number;
  /** YYYYMM. */
  readonly month: string;
  /** YYYYMMDD. */
  readonly lastTradeDate: string;
  /** When trading in it ends: 08:30 Chicago on that day. */
  readonly expiresMs: number;
  /** Root, month letter and the year's last digit. */
  readonly localSymbol: string;
};

/** The front month is the nearest one that expires more than this many calendar days from now. */
const ROLL_DAYS = 8;
/** How many months are listed ahead, and how many past ones are still found with includeExpired. */
const MONTHS_LISTED = 5;
const MONTHS_PAST = 8;
const HOURS_DAYS = 7;

const QUARTER_LETTERS: Readonly<Record<number, string>> = { 3: "H", 6: "M", 9: "U", 12: "Z" };

/** Margins as the exchange had them in January 2022 (QuantConnect/Lean, Data/future); a real broker asks more. */
const PRODUCTS: readonly Product[] = [
  product("MES", "Micro E-Mini S&P 500 Stock Price Index", "CME", 5, 0.25, 57, 1_188, 1_080, 67),
  product("ES", "E-mini S&P 500", "CME", 50, 0.25, 215, 11_880, 10_800, 67),
  product("MNQ", "Micro E-Mini Nasdaq-100 Index", "CME", 2, 0.25, 57, 1_650, 1_500, 67),
  product("NQ", "E-mini NASDAQ 100", "CME", 20, 0.25, 215, 16_500, 15_000, 67),
  product("M2K", "Micro E-Mini Russell 2000 Index", "CME", 5, 0.1, 57, 605, 550, 32),
  product("RTY", "E-Mini Russell 2000 Index", "CME", 50, 0.1, 215, 6_050, 5_500, 32),
  product("MYM", "Micro E-Mini Dow Jones Industrial Average Index", "CBOT", 0.5, 1, 57, 880, 800, 26),
  product("YM", "Mini Sized Dow Jones Industrial Average $5", "CBOT", 5, 1, 215, 8_800, 8_000, 26),
];

/** Returns the symbols that the simulated gateway knows. */
export const SYMBOLS: readonly string[] = PRODUCTS.map((known) => known.symbol);

/** Returns the product of a symbol, or undefined. */
export function findProduct(symbol: string): Product | undefined {
  return PRODUCTS.find((known) => known.symbol === symbol);
}

/** Returns the price increment of a market rule, or undefined for a rule that none of the products has. */
export function ruleIncrement(ruleId: number): number | undefined {
  return PRODUCTS.find((known) => known.marketRuleId === ruleId)?.tickSize;
}

/** Returns the contract that is traded at `atMs`: the nearest one that expires more than eight calendar days later. */
export function frontListing(of: Product, atMs: number): Listing {
  const limitMs = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE }).plus({ days: ROLL_DAYS }).endOf("day").toMillis();
  const front = listings(of, atMs).find((listing) => listing.expiresMs > limitMs);
  if (front === undefined) throw new Error(`no front month of ${of.symbol} at ${atMs}`);
  return front;
}

/** Returns the listing of a contract number whatever its age, or undefined. */
export function listingByConId(conId: number): Listing | undefined {
  const index = Math.floor((conId - CON_ID_BASE) / CON_ID_STEP);
  const of = PRODUCTS[index];
  if (of === undefined) return undefined;
  const yearMonth = (conId - CON_ID_BASE) % CON_ID_STEP;
  const month = yearMonth % 100;
  return QUARTER_LETTERS[month] === undefined ? undefined : listingOf(of, 2_000 + Math.floor(yearMonth / 100), month);
}

/** Returns every listing that a query describes, nearest first; empty when none does. */
export function findListings(query: ContractQuery, includeExpired: boolean, atMs: number): readonly Listing[] {
  if (query.secType !== "" && query.secType !== "FUT" && query.secType !== "CONTFUT") return [];
  const found: Listing[] = [];
  for (const of of PRODUCTS) {
    if (query.secType === "CONTFUT" && query.conId === 0) {
      const front = frontListing(of, atMs);
      if (matches(front, { ...query, month: "" })) found.push(front);
      continue;
    }
    for (const listing of listings(of, atMs)) {
      if ((includeExpired || listing.expiresMs > atMs) && matches(listing, query)) found.push(listing);
    }
  }
  return found;
}

function matches(listing: Listing, query: ContractQuery): boolean {
  const { product: of } = listing;
  if (query.conId !== 0) return query.conId === listing.conId;
  if (query.symbol === "" && query.localSymbol === "") return false;
  const monthMatches =
    query.month === "" ||
    (query.month.length === 6 ? listing.month === query.month : listing.lastTradeDate === query.month.slice(0, 8));
  return (
    (query.symbol === "" || query.symbol === of.symbol) &&
    (query.localSymbol === "" || query.localSymbol === listing.localSymbol) &&
    (query.exchange === "" || query.exchange === of.exchange) &&
    (query.currency === "" || query.currency === "USD") &&
    (query.tradingClass === "" || query.tradingClass === of.symbol) &&
    (query.multiplier === "" || Number(query.multiplier) === of.multiplier) &&
    monthMatches
  );
}

/** Returns the contractData answer of one listing [section 7 of the protocol note; 164 dropped a version and a size]. */
export function contractDataMessage(
  serverVersion: number,
  reqId: number,
  listing: Listing,
  secType: string,
  calendar: Calendar,
  atMs: number,
): string {
  const { product: of } = listing;
  const isOld = serverVersion < 164;
  return message(
    ANSWER.contractData,
    ...(isOld ? [8] : []),
    reqId,
    of.symbol,
    secType,
    listing.lastTradeDate,
    0,
    "",
    of.exchange,
    "USD",
    listing.localSymbol,
    of.symbol,
    of.symbol,
    listing.conId,
    of.tickSize,
    ...(isOld ? [1] : []),
    of.multiplierText,
    ORDER_TYPES_LISTED,
    of.exchange,
    1,
    CON_ID_UNDERLYING + PRODUCTS.indexOf(of),
    of.longName,
    "",
    listing.month,
    "",
    "",
    "",
    EXCHANGE_ZONE_WIRE,
    calendar.tradingHours(atMs, HOURS_DAYS),
    calendar.liquidHours(atMs, HOURS_DAYS),
    "",
    0,
    0,
    2,
    of.symbol,
    "IND",
    of.marketRuleId,
    listing.lastTradeDate,
    "",
    ...(serverVersion >= 164 ? [1, 1, 1] : serverVersion === 163 ? [1] : []),
  );
}

const CON_ID_BASE = 600_000_000;
const CON_ID_STEP = 1_000_000;
const CON_ID_UNDERLYING = 590_000_000;

/** The last answer of each product, and from when until when it holds. */
const listed = new Map<Product, { fromMs: number; untilMs: number; found: readonly Listing[] }>();

function listings(of: Product, atMs: number): readonly Listing[] {
  const kept = listed.get(of);
  if (kept !== undefined && kept.fromMs <= atMs && atMs < kept.untilMs) return kept.found;
  const now = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE });
  const found: Listing[] = [];
  let quarter = now
    .startOf("quarter")
    .plus({ months: 2 })
    .minus({ months: 3 * MONTHS_PAST });
  let ahead = 0;
  while (ahead < MONTHS_LISTED) {
    const listing = listingOf(of, quarter.year, quarter.month);
    found.push(listing);
    if (listing.expiresMs > atMs) ahead += 1;
    quarter = quarter.plus({ months: 3 });
  }
  const quarterEndMs = now.endOf("quarter").toMillis() + 1;
  const nextExpiryMs = found.find((listing) => listing.expiresMs > atMs)?.expiresMs ?? quarterEndMs;
  listed.set(of, { fromMs: atMs, untilMs: Math.min(quarterEndMs, nextExpiryMs), found });
  return found;
}

const built = new Map<number, Listing>();

function listingOf(of: Product, year: number, month: number): Listing {
  const conId = CON_ID_BASE + PRODUCTS.indexOf(of) * CON_ID_STEP + (year - 2_000) * 100 + month;
  const known = built.get(conId);
  if (known !== undefined) return known;
  // Trading ends on the third Friday, or on the trading day before one that is a holiday (cmegroup.com).
  const first = DateTime.fromObject({ year, month, day: 1 }, { zone: EXCHANGE_ZONE });
  let last = first.plus({ days: ((5 - first.weekday + 7) % 7) + 14 });
  while (!isFullTradeDate(last)) last = last.minus({ days: 1 });
  const listing: Listing = {
    product: of,
    conId,
    month: first.toFormat("yyyyLL"),
    lastTradeDate: last.toFormat("yyyyLLdd"),
    expiresMs: last.set({ hour: 8, minute: 30 }).toMillis(),
    localSymbol: `${of.symbol}${QUARTER_LETTERS[month]}${year % 10}`,
  };
  built.set(conId, listing);
  return listing;
}

/** The only holiday that a third Friday can be is Juneteenth, on which the index itself is not computed. */
function isFullTradeDate(day: DateTime): boolean {
  const isJuneteenth = day.month === 6 && (day.day === 19 || (day.day === 18 && day.weekday === 5));
  return isTradeDate(day) && !isJuneteenth;
}

function product(
  symbol: string,
  longName: string,
  exchange: Product["exchange"],
  multiplier: number,
  tickSize: number,
  feeCents: number,
  initialMarginUsd: number,
  maintenanceMarginUsd: number,
  marketRuleId: number,
): Product {
  return {
    symbol,
    longName,
    exchange,
    multiplier,
    multiplierText: String(multiplier),
    tickSize,
    tickCents: Math.round(multiplier * tickSize * 100),
    feeCents,
    initialMarginCents: initialMarginUsd * 100,
    maintenanceMarginCents: maintenanceMarginUsd * 100,
    marketRuleId,
  };
}
