// What the page is told, twice a second: everything that a person who plays the market wants to see, as plain values.
// Prices are in ticks, money in cents; the page prints them.
import { DateTime } from "luxon";
import { type Calendar, EXCHANGE_ZONE } from "./calendar.ts";
import type { Gateway } from "./gateway.ts";
import { seenBar } from "./history.ts";
import type { MarketSource } from "./market-source.ts";
import { LEVEL_SIZE } from "./native-exchange.ts";
import { type GatewayExecution, type GatewayOrder, isWorking } from "./order-messages.ts";

/** How many ended orders and executions are shown. */
export const ENDED_SHOWN = 40;
export const FILLS_SHOWN = 200;
/** How many bars the chart has. */
export const BARS_SHOWN = 240;
/** Which lengths of a bar the chart offers, in ms. */
export const CHART_BARS_MS = [5_000, 15_000, 60_000, 300_000] as const;

/** Is what the view is made of. */
export type ViewParts = {
  readonly gateway: Gateway;
  readonly source: MarketSource;
  readonly calendar: Calendar;
  readonly seed: number;
  readonly port: () => number;
  account(): string;
  nowMs(): number;
  speed(): number | "max";
  isOpen(): boolean;
  faultsWaiting(): readonly { readonly fault: { readonly fault: string } }[];
  /** Returns how many sockets are open, those in the handshake too. */
  sockets(): number;
};

/** Returns the view, with bars of `barMs`. */
export function pageView(parts: ViewParts, barMs: number): object {
  const { gateway, source, calendar } = parts;
  const { listing } = gateway.feed;
  const { product } = listing;
  const state = gateway.state();
  const nowMs = parts.nowMs();
  const session = calendar.sessionAt(nowMs);
  const turnMs = parts.isOpen()
    ? (session?.closeMs ?? nowMs)
    : (source.restUntil(nowMs) ?? calendar.nextSession(nowMs).openMs);
  return {
    market: source.label,
    seed: parts.seed,
    port: parts.port(),
    accountName: parts.account(),
    contract: {
      symbol: product.symbol,
      localSymbol: listing.localSymbol,
      lastTradeDate: listing.lastTradeDate,
      exchange: product.exchange,
      tickSize: product.tickSize,
      tickCents: product.tickCents,
    },
    zone: EXCHANGE_ZONE,
    atMs: nowMs,
    time: printTime(nowMs),
    speed: parts.speed(),
    isOpen: parts.isOpen(),
    isEnded: source.endMs !== null && nowMs >= source.endMs,
    turns: printTime(turnMs),
    isLinkUp: state.isLinkUp,
    isMuted: gateway.feed.isMuted(),
    sockets: parts.sockets(),
    clients: state.clients,
    book: state.book,
    priceLimits: state.priceLimits?.text ?? null,
    levelSize: LEVEL_SIZE,
    orders: gateway.orders.recent(ENDED_SHOWN).map(printOrder),
    fills: gateway.orders.latestExecutions(FILLS_SHOWN).map(printFill),
    position: state.positions[0],
    account: state.account,
    faultsWaiting: parts.faultsWaiting().map(({ fault }) => fault.fault),
    chart: {
      barMs,
      bars: source
        .history(barMs, BARS_SHOWN, nowMs + 1)
        .map((bar) => seenBar(bar, barMs, gateway.moves))
        .map((bar) => [bar.openAtMs, bar.openTicks, bar.highTicks, bar.lowTicks, bar.closeTicks]),
    },
  };
}

function printOrder(order: GatewayOrder): object {
  const { permId, clientId, orderId, parentPermId, status, whyHeld, filled, isTransmitted, terms } = order;
  return {
    permId,
    clientId,
    orderId,
    parentPermId,
    status,
    whyHeld,
    filled,
    isTransmitted,
    isWorking: isWorking(order),
    averageTicks: filled === 0 ? null : order.filledTicks / filled,
    completedText: order.completedText,
    action: terms.action,
    quantity: terms.quantity,
    orderType: terms.orderType,
    limitTicks: terms.limitTicks,
    triggerTicks: terms.triggerTicks,
    trailTicks: terms.trailTicks,
    tif: terms.tif,
    orderRef: terms.orderRef,
  };
}

function printFill(execution: GatewayExecution): object {
  const { execId, atMs, action, quantity, priceTicks, clientId, orderId, orderRef, feeCents, realisedCents } =
    execution;
  return { execId, atMs, action, quantity, priceTicks, clientId, orderId, orderRef, feeCents, realisedCents };
}

function printTime(atMs: number): string {
  return DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE }).setLocale("en-US").toFormat("ccc d LLL yyyy HH:mm:ss ZZZZ");
}
