// Answers questions about the past: bars from the market's source, single ticks from the tape of this run.
import { DateTime } from "luxon";
import { type GrowingBar, weightedPrice } from "./bar-builder.ts";
import { type Calendar, EXCHANGE_ZONE, EXCHANGE_ZONE_WIRE } from "./calendar.ts";
import type { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import type { BarPrice, HistoryBar, MarketSource } from "./market-source.ts";
import { errorMessage } from "./order-messages.ts";
import { type HeldSpan, holder } from "./price-limits.ts";
import { KIND_QUOTE, KIND_TRADE, NO_PRICE } from "./records.ts";
import { type ContractQuery, readContract } from "./wire/contract.ts";
import { type FieldReader, plain } from "./wire/fields.ts";
import { message } from "./wire/frames.ts";
import { ANSWER, CODE, SERVER_VERSION_MIN } from "./wire/ids.ts";
import { parseWireTime, wireTime } from "./wire/time.ts";

/** How many bars one answer holds at most; a real gateway limits the duration for each bar size instead. */
export const BARS_MAX = 10_000;
/** How many ticks one answer holds at most (TWS API, historical time and sales). */
export const TICKS_MAX = 1_000;

const BAR_PRICES: readonly BarPrice[] = ["TRADES", "MIDPOINT", "BID", "ASK"];

const BAR_SIZES_MS: Readonly<Record<string, number>> = {
  "1 secs": 1_000,
  "5 secs": 5_000,
  "10 secs": 10_000,
  "15 secs": 15_000,
  "30 secs": 30_000,
  "1 min": 60_000,
  "2 mins": 120_000,
  "3 mins": 180_000,
  "5 mins": 300_000,
  "10 mins": 600_000,
  "15 mins": 900_000,
  "20 mins": 1_200_000,
  "30 mins": 1_800_000,
  "1 hour": 3_600_000,
  "2 hours": 7_200_000,
  "3 hours": 10_800_000,
  "4 hours": 14_400_000,
  "8 hours": 28_800_000,
  "1 day": 86_400_000,
};
/** Other spellings that clients use. */
const BAR_SIZE_ALIASES: Readonly<Record<string, string>> = {
  "1 sec": "1 secs",
  "1 mins": "1 min",
  "1 hours": "1 hour",
  "1 days": "1 day",
  "1D": "1 day",
};

const REGULAR_OPEN_MINUTE = 8 * 60 + 30;
const REGULAR_CLOSE_MINUTE = 15 * 60;
const DAY_MS = 86_400_000;

/** Is a jump that a fault made: bars from then on are moved. */
export type PriceJump = { readonly atMs: number; readonly ticks: number };

/** Is what happened to the prices of the source on their way to clients. */
export type PriceMoves = { readonly jumps: readonly PriceJump[]; readonly held: readonly HeldSpan[] };

/** Is what answers about the past need. */
export type HistoryContext = {
  readonly source: MarketSource;
  readonly feed: Feed;
  readonly calendar: Calendar;
  nowMs(): number;
  moves(): PriceMoves;
  /** Returns true when the request means the contract that has a market; else it has been answered. */
  hasMarket(
    connection: Connection,
    reqId: number,
    query: ContractQuery,
    includeExpired: boolean,
    code: number,
  ): boolean;
};

/** Answers a historicalData request, and subscribes it when it wants to be kept up to date. */
export function answerHistoricalData(context: HistoryContext, connection: Connection, fields: FieldReader): void {
  const reqId = fields.integer("reqId");
  const query = readContract(fields);
  const includeExpired = fields.flag("includeExpired");
  const endText = fields.text("endDateTime");
  const barSize = fields.text("barSizeSetting").trim();
  const duration = fields.text("durationStr").trim();
  const onlyRegular = fields.flag("useRTH");
  const whatToShow = fields.text("whatToShow").toUpperCase();
  const formatDate = fields.integer("formatDate");
  const keepUpToDate = fields.flag("keepUpToDate");
  const refuse = (code: number, text: string): void =>
    connection.send(errorMessage(connection.serverVersion(), reqId, code, text));

  if (!context.hasMarket(connection, reqId, query, includeExpired, CODE.historical)) return;
  const barMs = BAR_SIZES_MS[BAR_SIZE_ALIASES[barSize] ?? barSize];
  if (barMs === undefined) {
    refuse(
      CODE.validationError,
      `Error validating request.-'bX' : cause - Historical data bar size setting is invalid. Legal ones are: ${Object.keys(BAR_SIZES_MS).join(", ")}`,
    );
    return;
  }
  const price = BAR_PRICES.find((known) => known === whatToShow);
  if (price === undefined) {
    refuse(CODE.historical, `Historical Market Data Service error message:No data of type ${whatToShow} is available`);
    return;
  }
  if (query.secType === "CONTFUT" && endText !== "") {
    refuse(
      CODE.continuousEnd,
      "Setting end date/time for continuous future security type is not allowed. (Leave the end empty)",
    );
    return;
  }
  if (keepUpToDate && endText !== "") {
    refuse(
      CODE.validationError,
      "Error validating request.-'bX' : cause - An end date can't be given with keepUpToDate",
    );
    return;
  }
  const endMs = endText === "" ? context.nowMs() : parseWireTime(endText);
  const startMs = endMs === undefined ? undefined : startOf(context.calendar, endMs, duration);
  if (endMs === undefined || startMs === undefined) {
    refuse(
      CODE.validationError,
      `Error validating request.-'bX' : cause - ${endMs === undefined ? `the end ${endText}` : `the duration ${duration}`} is not understood`,
    );
    return;
  }

  const count = Math.min(BARS_MAX, Math.ceil((endMs - startMs) / barMs) + 1);
  const tickSize = context.feed.listing.product.tickSize;
  const found = context.source
    .history(barMs, count, endMs, price)
    .filter((bar) => bar.openAtMs >= startMs - (barMs === DAY_MS ? DAY_MS : barMs - 1) && bar.openAtMs < endMs)
    .filter((bar) => !onlyRegular || barMs >= DAY_MS || isRegular(bar.openAtMs));
  if (found.length === 0 && !keepUpToDate) {
    refuse(CODE.historical, "Historical Market Data Service error message:HMDS query returned no data");
    return;
  }
  const bars = found.map((bar) => seenBar(bar, barMs, context.moves()));
  const date = (atMs: number): string => printBarTime(atMs, barMs, formatDate);
  // A bar of quotes has neither volume nor average nor count.
  const ofTrades = (value: number | string): number | string => (price === "TRADES" ? value : -1);
  const rows = bars.flatMap((bar) => [
    date(bar.openAtMs),
    plain(bar.openTicks * tickSize),
    plain(bar.highTicks * tickSize),
    plain(bar.lowTicks * tickSize),
    plain(bar.closeTicks * tickSize),
    ofTrades(bar.volume),
    ofTrades(plain(((bar.highTicks + bar.lowTicks + bar.closeTicks) / 3) * tickSize)),
    ofTrades(bar.volume),
  ]);
  // Below version 196 the two ends never name a zone, whatever other moments do; the Rust client insists on it.
  const [from, to] = [startMs, endMs].map((atMs) => wireTime(SERVER_VERSION_MIN, atMs));
  connection.send(message(ANSWER.historicalData, reqId, from, to, bars.length, ...rows));
  if (!keepUpToDate) return;
  const last = bars.at(-1);
  const growing: GrowingBar | undefined =
    last === undefined || last.openAtMs + barMs <= endMs
      ? undefined
      : {
          openAtMs: last.openAtMs,
          open: last.openTicks,
          high: last.highTicks,
          low: last.lowTicks,
          close: last.closeTicks,
          volume: last.volume,
          weighted: last.closeTicks * last.volume,
          // What has a count is not opened anew by the next price.
          trades: Math.max(1, last.volume),
        };
  context.feed.subscribeUpdates(connection, reqId, price, barMs, growing, (bar) =>
    message(
      ANSWER.historicalDataUpdate,
      reqId,
      ofTrades(bar.trades),
      date(bar.openAtMs),
      plain(bar.open * tickSize),
      plain(bar.close * tickSize),
      plain(bar.high * tickSize),
      plain(bar.low * tickSize),
      ofTrades(plain(weightedPrice(bar) * tickSize)),
      ofTrades(bar.volume),
    ),
  );
}

/** Answers a historicalTicks request from the records that this run has seen. */
export function answerHistoricalTicks(context: HistoryContext, connection: Connection, fields: FieldReader): void {
  const reqId = fields.integer("reqId");
  const query = readContract(fields);
  const includeExpired = fields.flag("includeExpired");
  const startText = fields.text("startDateTime");
  const endText = fields.text("endDateTime");
  const wanted = fields.integer("numberOfTicks");
  const whatToShow = fields.text("whatToShow").toUpperCase();
  if (!context.hasMarket(connection, reqId, query, includeExpired, CODE.historicalTicks)) return;
  const startMs = startText === "" ? undefined : parseWireTime(startText);
  const endMs = endText === "" ? undefined : parseWireTime(endText);
  const isUnclear =
    (startText !== "" && startMs === undefined) ||
    (endText !== "" && endMs === undefined) ||
    (startText !== "") === (endText !== "");
  if (isUnclear || !["TRADES", "BID_ASK", "MIDPOINT"].includes(whatToShow)) {
    connection.send(
      errorMessage(
        connection.serverVersion(),
        reqId,
        CODE.historicalTicks,
        "Failed to request historical ticks:give a start or an end, and TRADES, BID_ASK or MIDPOINT",
      ),
    );
    return;
  }
  const count = Math.max(1, Math.min(TICKS_MAX, wanted));
  const kind = whatToShow === "TRADES" ? KIND_TRADE : KIND_QUOTE;
  const ticks = context.feed.tape(kind, startMs ?? 0, endMs ?? Number.MAX_SAFE_INTEGER, count, startMs === undefined);
  const { tickSize, exchange } = context.feed.listing.product;
  const price = (value: number): string => (value === NO_PRICE ? "-1" : plain(value * tickSize));
  const seconds = (atMs: number): number => Math.floor(atMs / 1_000);
  const rows = ticks.flatMap((tick): (string | number)[] => {
    if (whatToShow === "TRADES") return [seconds(tick.atMs), 0, price(tick.a), tick.c, exchange, ""];
    if (whatToShow === "BID_ASK") return [seconds(tick.atMs), 0, price(tick.a), price(tick.b), tick.c, tick.d];
    return [seconds(tick.atMs), 0, plain(((tick.a + tick.b) / 2) * tickSize), 0];
  });
  const answer =
    whatToShow === "TRADES"
      ? ANSWER.historicalTicksLast
      : whatToShow === "BID_ASK"
        ? ANSWER.historicalTicksBidAsk
        : ANSWER.historicalTicks;
  connection.send(message(answer, reqId, ticks.length, ...rows, 1));
}

/** Answers a headTimestamp request: the first moment of which the source knows. */
export function answerHeadTimestamp(context: HistoryContext, connection: Connection, fields: FieldReader): void {
  const reqId = fields.integer("reqId");
  const query = readContract(fields);
  const includeExpired = fields.flag("includeExpired");
  fields.skip(2); // useRTH, whatToShow
  const formatDate = fields.integer("formatDate");
  if (!context.hasMarket(connection, reqId, query, includeExpired, CODE.historical)) return;
  const first = context.source.firstBarMs() ?? context.source.startMs;
  const text =
    formatDate === 2
      ? String(Math.floor(first / 1_000))
      : DateTime.fromMillis(first, { zone: "utc" }).toFormat("yyyyLLdd-HH:mm:ss");
  connection.send(message(ANSWER.headTimestamp, reqId, text));
}

/** A duration in seconds counts back on the clock; one in days, weeks, months or years counts sessions. */
function startOf(calendar: Calendar, endMs: number, duration: string): number | undefined {
  const parts = /^(\d{1,6}) ([SDWMY])$/.exec(duration);
  if (parts === null) return undefined;
  const count = Number(parts[1]);
  if (count === 0) return undefined;
  switch (parts[2]) {
    case "S":
      return endMs - count * 1_000;
    case "D":
    case "W": {
      const sessions = Math.min(parts[2] === "D" ? count : count * 5, SESSIONS_BACK_MAX);
      return calendar.sessionsBefore(calendar.latestSession(endMs - 1), sessions - 1).openMs;
    }
    case "M":
      return endMs - count * 30 * DAY_MS;
    default:
      return endMs - count * 365 * DAY_MS;
  }
}

const SESSIONS_BACK_MAX = 400;

function printBarTime(atMs: number, barMs: number, formatDate: number): string {
  const local = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE });
  // A daily bar is named by the day on which its session ends; the session opens at 17:00 the evening before.
  if (barMs >= DAY_MS) return local.plus({ hours: 7 }).toFormat("yyyyLLdd");
  return formatDate === 2
    ? String(Math.floor(atMs / 1_000))
    : `${local.toFormat("yyyyLLdd HH:mm:ss")} ${EXCHANGE_ZONE_WIRE}`;
}

function isRegular(atMs: number): boolean {
  const local = DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE });
  const minute = local.hour * 60 + local.minute;
  return minute >= REGULAR_OPEN_MINUTE && minute < REGULAR_CLOSE_MINUTE;
}

/** Returns a bar as clients saw it: moved by the jumps that came before it, and held where a price limit held the market. */
export function seenBar(bar: HistoryBar, barMs: number, { jumps, held }: PriceMoves): HistoryBar {
  let ticks = 0;
  for (const jump of jumps) if (bar.openAtMs >= jump.atMs) ticks += jump.ticks;
  if (ticks === 0 && held.length === 0) return bar;
  const hold = holder(held, bar.openAtMs, bar.openAtMs + barMs);
  return {
    ...bar,
    openTicks: hold(bar.openTicks + ticks),
    highTicks: hold(bar.highTicks + ticks),
    lowTicks: hold(bar.lowTicks + ticks),
    closeTicks: hold(bar.closeTicks + ticks),
  };
}
