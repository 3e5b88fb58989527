// The account as clients see it: values, portfolio, positions, profit and loss, what-if margins, and who asked for them.
import { DateTime } from "luxon";
import { EXCHANGE_ZONE } from "./calendar.ts";
import type { Connection } from "./connection.ts";
import type { ExchangeAccount, ExchangePort } from "./exchange.ts";
import type { Feed } from "./feed.ts";
import type { Listing } from "./listings.ts";
import type { OrderTerms } from "./order-terms.ts";
import { contractFields } from "./wire/contract.ts";
import { dollars, plain, UNSET_DOUBLE } from "./wire/fields.ts";
import { message } from "./wire/frames.ts";
import { ANSWER } from "./wire/ids.ts";
import type { WhatIfPrint } from "./wire/open-order.ts";

/** Values and portfolio are repeated this often in market time, besides after every fill. */
const ACCOUNT_UPDATE_MS = 180_000;
/** Profit and loss are told at most this often in market time. */
const PNL_MS = 1_000;

/** Is what the account keeps over restarts. */
export type SavedAccount = {
  /** Net liquidation at the start of the session: the day's profit and loss counts from it. */
  sessionStartCents: number | null;
  /** Contracts that a fault added to what the exchange knows, and their price. */
  shiftContracts: number;
  shiftTicks: number;
  /** Is true once a position was held, so that a flat one is told as 0. */
  hasTraded: boolean;
};

/** Returns an account that has not traded. */
export function newAccount(): SavedAccount {
  return { sessionStartCents: null, shiftContracts: 0, shiftTicks: 0, hasTraded: false };
}

type Asked = { readonly connection: Connection; readonly reqId: number };
type Summary = Asked & { readonly tags: readonly string[] };
type Pnl = Asked & { sent: string };

/** Tells clients about the account. */
export type Account = ReturnType<typeof createAccount>;

/** Returns the account of an exchange. `isLinkUp` false means that nothing is told. */
export function createAccount(
  context: {
    exchange: ExchangePort;
    listing: Listing;
    feed: Feed;
    account(): string;
    nowMs(): number;
    isLinkUp(): boolean;
  },
  saved: SavedAccount,
) {
  const { exchange, listing, feed } = context;
  const { product } = listing;
  const positionSubscribers = new Set<Connection>();
  const updateSubscribers = new Set<Connection>();
  // Sets, since telling one may end its connection: the others are still told, each once.
  const summaries = new Set<Summary>();
  const multiPositions = new Set<Asked>();
  const multiUpdates = new Set<Asked>();
  const pnls = new Set<Pnl>();
  const singlePnls = new Set<Pnl>();

  const markTicks = (): number | undefined => feed.view().lastTicks ?? feed.view().closeTicks;

  const position = (): { position: number; averageTicks: number } => {
    const held = exchange.position();
    const total = held.position + saved.shiftContracts;
    if (saved.shiftContracts === 0) return held;
    const sum = held.position * held.averageTicks + saved.shiftContracts * saved.shiftTicks;
    return { position: total, averageTicks: total === 0 ? 0 : Math.abs(sum / total) };
  };

  const money = (): ExchangeAccount & { equityCents: number } => {
    const account = exchange.account();
    return { ...account, equityCents: account.cashCents + account.unrealisedCents };
  };

  const values = (): readonly (readonly [key: string, value: string, currency: string])[] => {
    const { cashCents, equityCents, realisedCents, unrealisedCents, initialMarginCents, maintenanceMarginCents } =
      money();
    const available = dollars(equityCents - initialMarginCents);
    const excess = dollars(equityCents - maintenanceMarginCents);
    const cushion = equityCents > 0 ? plain(Math.max(0, 1 - maintenanceMarginCents / equityCents)) : "0";
    const usd = (key: string, value: string): readonly [string, string, string] => [key, value, "USD"];
    return [
      ["AccountCode", context.account(), ""],
      ["AccountReady", "true", ""],
      ["AccountType", "INDIVIDUAL", ""],
      ["Cushion", cushion, ""],
      ["Currency", "USD", "USD"],
      ["DayTradesRemaining", "-1", ""],
      usd("AvailableFunds", available),
      usd("BuyingPower", available),
      usd("CashBalance", dollars(cashCents)),
      usd("EquityWithLoanValue", dollars(equityCents)),
      usd("ExcessLiquidity", excess),
      usd("FullAvailableFunds", available),
      usd("FullExcessLiquidity", excess),
      usd("FullInitMarginReq", dollars(initialMarginCents)),
      usd("FullMaintMarginReq", dollars(maintenanceMarginCents)),
      usd("FuturesPNL", dollars(realisedCents + unrealisedCents)),
      usd("GrossPositionValue", "0.00"),
      usd("InitMarginReq", dollars(initialMarginCents)),
      usd("MaintMarginReq", dollars(maintenanceMarginCents)),
      usd("NetLiquidation", dollars(equityCents)),
      usd("NetLiquidationByCurrency", dollars(equityCents)),
      usd("RealizedPnL", dollars(realisedCents)),
      usd("TotalCashBalance", dollars(cashCents)),
      usd("TotalCashValue", dollars(cashCents)),
      usd("UnrealizedPnL", dollars(unrealisedCents)),
    ];
  };

  const averageCost = (averageTicks: number): string => plain(averageTicks * product.tickSize * product.multiplier);

  const sendPosition = (to: Connection): void => {
    const held = position();
    if (held.position === 0 && !saved.hasTraded) return;
    to.send(
      message(
        ANSWER.position,
        3,
        context.account(),
        ...contractFields(listing),
        held.position,
        averageCost(held.averageTicks),
      ),
    );
  };
  const sendMultiPosition = (to: Asked): void => {
    const held = position();
    if (held.position === 0 && !saved.hasTraded) return;
    to.connection.send(
      message(
        ANSWER.positionMulti,
        1,
        to.reqId,
        context.account(),
        ...contractFields(listing),
        held.position,
        averageCost(held.averageTicks),
        "",
      ),
    );
  };

  const sendPortfolio = (to: Connection): void => {
    const held = position();
    const mark = markTicks();
    if ((held.position === 0 && !saved.hasTraded) || mark === undefined) return;
    const { realisedCents, unrealisedCents } = money();
    to.send(
      message(
        ANSWER.portfolioValue,
        8,
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
        held.position,
        plain(mark * product.tickSize),
        plain(mark * product.tickSize * product.multiplier * held.position),
        averageCost(held.averageTicks),
        dollars(unrealisedCents),
        dollars(realisedCents),
        context.account(),
      ),
    );
  };
  const sendUpdates = (to: Connection): void => {
    for (const [key, value, currency] of values())
      to.send(message(ANSWER.accountValue, 2, key, value, currency, context.account()));
    sendPortfolio(to);
    const local = DateTime.fromMillis(context.nowMs(), { zone: EXCHANGE_ZONE });
    to.send(message(ANSWER.accountTime, 1, local.toFormat("HH:mm")));
  };
  const sendMultiUpdates = (to: Asked): void => {
    for (const [key, value, currency] of values()) {
      to.connection.send(message(ANSWER.accountUpdateMulti, 1, to.reqId, context.account(), "", key, value, currency));
    }
  };
  const sendSummary = (to: Summary): void => {
    const wantsLedger = to.tags.some((tag) => tag.startsWith("$LEDGER"));
    for (const [key, value, currency] of values()) {
      if (!to.tags.includes(key) && !wantsLedger) continue;
      to.connection.send(message(ANSWER.accountSummary, 1, to.reqId, context.account(), key, value, currency));
    }
  };

  const dailyCents = (): number => {
    const { equityCents } = money();
    return equityCents - (saved.sessionStartCents ?? equityCents);
  };
  const sendPnl = (to: Pnl): void => {
    const { realisedCents, unrealisedCents } = money();
    const text = message(dollars(dailyCents()), dollars(unrealisedCents), dollars(realisedCents));
    if (text === to.sent) return;
    to.sent = text;
    to.connection.send(message(ANSWER.pnl, to.reqId) + text);
  };
  const sendSinglePnl = (to: Pnl): void => {
    const held = position();
    const { realisedCents, unrealisedCents } = money();
    const mark = markTicks();
    const value =
      mark === undefined ? UNSET_DOUBLE : plain(mark * product.tickSize * product.multiplier * held.position);
    const text = message(held.position, dollars(dailyCents()), dollars(unrealisedCents), dollars(realisedCents), value);
    if (text === to.sent) return;
    to.sent = text;
    to.connection.send(message(ANSWER.pnlSingle, to.reqId) + text);
  };

  const pushAll = (): void => {
    if (!context.isLinkUp()) return;
    for (const to of positionSubscribers) sendPosition(to);
    for (const to of multiPositions) sendMultiPosition(to);
    for (const to of updateSubscribers) sendUpdates(to);
    for (const to of multiUpdates) sendMultiUpdates(to);
    for (const to of summaries) sendSummary(to);
    for (const to of pnls) sendPnl(to);
    for (const to of singlePnls) sendSinglePnl(to);
  };

  const remove = <T extends Asked>(from: Set<T>, connection: Connection, reqId: number | undefined): void => {
    for (const asked of from)
      if (asked.connection === connection && (reqId === undefined || asked.reqId === reqId)) from.delete(asked);
  };

  return {
    position,
    money,

    askPositions(connection: Connection): void {
      positionSubscribers.add(connection);
      sendPosition(connection);
      connection.send(message(ANSWER.positionEnd, 1));
    },
    endPositions: (connection: Connection): boolean => positionSubscribers.delete(connection),
    askUpdates(connection: Connection, subscribe: boolean): void {
      if (!subscribe) {
        updateSubscribers.delete(connection);
        return;
      }
      updateSubscribers.add(connection);
      sendUpdates(connection);
      connection.send(message(ANSWER.accountDownloadEnd, 1, context.account()));
    },
    askSummary(connection: Connection, reqId: number, tags: string): void {
      remove(summaries, connection, reqId);
      const asked: Summary = { connection, reqId, tags: tags.split(",").map((tag) => tag.trim()) };
      summaries.add(asked);
      sendSummary(asked);
      connection.send(message(ANSWER.accountSummaryEnd, 1, reqId));
    },
    endSummary: (connection: Connection, reqId: number): void => remove(summaries, connection, reqId),
    askMultiPositions(connection: Connection, reqId: number): void {
      multiPositions.add({ connection, reqId });
      sendMultiPosition({ connection, reqId });
      connection.send(message(ANSWER.positionMultiEnd, 1, reqId));
    },
    endMultiPositions: (connection: Connection, reqId: number): void => remove(multiPositions, connection, reqId),
    askMultiUpdates(connection: Connection, reqId: number): void {
      multiUpdates.add({ connection, reqId });
      sendMultiUpdates({ connection, reqId });
      connection.send(message(ANSWER.accountUpdateMultiEnd, 1, reqId));
    },
    endMultiUpdates: (connection: Connection, reqId: number): void => remove(multiUpdates, connection, reqId),
    askPnl(connection: Connection, reqId: number): void {
      const asked: Pnl = { connection, reqId, sent: "" };
      pnls.add(asked);
      sendPnl(asked);
    },
    endPnl: (connection: Connection, reqId: number): void => remove(pnls, connection, reqId),
    askSinglePnl(connection: Connection, reqId: number): void {
      const asked: Pnl = { connection, reqId, sent: "" };
      singlePnls.add(asked);
      sendSinglePnl(asked);
    },
    endSinglePnl: (connection: Connection, reqId: number): void => remove(singlePnls, connection, reqId),
    /** Ends everything that a connection asked for. */
    forget(connection: Connection): void {
      positionSubscribers.delete(connection);
      updateSubscribers.delete(connection);
      for (const list of [summaries, multiPositions, multiUpdates, pnls, singlePnls])
        remove(list, connection, undefined);
    },

    /** Tells what a fill changed. */
    filled(): void {
      saved.hasTraded = true;
      pushAll();
    },
    /** Tells what is due at `atMs`, a multiple of a quarter second. */
    tellTime(atMs: number): void {
      if (!context.isLinkUp()) return;
      if (atMs % ACCOUNT_UPDATE_MS === 0) pushAll();
      else if (atMs % PNL_MS === 0) {
        for (const to of pnls) sendPnl(to);
        for (const to of singlePnls) sendSinglePnl(to);
      }
    },
    /** Starts the day's profit and loss anew. */
    startSession(): void {
      saved.sessionStartCents = money().equityCents;
    },
    /** Adds contracts that no order explains, at the price of now. */
    shift(contracts: number): void {
      saved.shiftContracts += contracts;
      saved.shiftTicks = markTicks() ?? 0;
      saved.hasTraded = true;
      pushAll();
    },

    /** Returns what an order would do to margin and equity if it filled now. */
    whatIf(terms: OrderTerms): WhatIfPrint {
      const { equityCents, initialMarginCents, maintenanceMarginCents } = money();
      const now = exchange.position().position;
      const after = now + (terms.action === "BUY" ? terms.quantity : -terms.quantity);
      const feeCents = terms.quantity * product.feeCents;
      const triple = (beforeCents: number, afterCents: number): readonly [string, string, string] => [
        dollars(beforeCents),
        dollars(afterCents - beforeCents),
        dollars(afterCents),
      ];
      return {
        initialMargin: triple(initialMarginCents, Math.abs(after) * product.initialMarginCents),
        maintenanceMargin: triple(maintenanceMarginCents, Math.abs(after) * product.maintenanceMarginCents),
        equityWithLoan: triple(equityCents, equityCents - feeCents),
        commission: dollars(feeCents),
      };
    },

    saved: (): SavedAccount => saved,
  };
}
