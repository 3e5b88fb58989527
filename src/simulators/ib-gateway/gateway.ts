// The gateway behind the sockets: who is connected, what each message asks for, what the market and the exchange say.
// It does what it is told when it is told; the pump moves its time and the server brings it connections.
import { DateTime } from "luxon";
import { type Account, createAccount, newAccount, type SavedAccount } from "./account.ts";
import { accountRequests } from "./account-requests.ts";
import { type Calendar, EXCHANGE_ZONE, EXCHANGE_ZONE_WIRE } from "./calendar.ts";
import type { Connection } from "./connection.ts";
import type { ExchangeLimits, ExchangePort } from "./exchange.ts";
import { createFeed, type Feed } from "./feed.ts";
import type { PriceJump, PriceMoves } from "./history.ts";
import type { Ledger } from "./ledger.ts";
import type { Listing } from "./listings.ts";
import { marketRequests } from "./market-requests.ts";
import type { MarketSource } from "./market-source.ts";
import { noOrders, type SavedOrders } from "./order-book.ts";
import { noOrderFaults } from "./order-faults.ts";
import { orderRequests } from "./order-requests.ts";
import { createOrders, type Orders } from "./orders.ts";
import { type HeldSpan, noteHeld, printLimits } from "./price-limits.ts";
import { type RequestContext, type RequestTable, refuse, unsupportedRequests } from "./requests.ts";
import { FieldProblem, type FieldReader, readFields } from "./wire/fields.ts";
import { message } from "./wire/frames.ts";
import { ANSWER, CODE, REQUEST } from "./wire/ids.ts";

/** More messages than this within a wall second bring error 100. */
export const MESSAGES_PER_SECOND_MAX = 50;

/** Is all that the gateway keeps over restarts, besides the exchange's own snapshot. */
export type SavedGateway = {
  orders: SavedOrders;
  account: SavedAccount;
  jumps: PriceJump[];
  /** Left out by versions without price limits. */
  held?: HeldSpan[];
};

/** Returns what a gateway keeps that has seen nothing. */
export function newGateway(): SavedGateway {
  return { orders: noOrders(), account: newAccount(), jumps: [], held: [] };
}

type Client = {
  readonly connection: Connection;
  readonly clientId: number;
  windowMs: number;
  messages: number;
  wasWarned: boolean;
};

/** Is what the gateway stands on. */
export type GatewayParts = {
  readonly exchange: ExchangePort;
  readonly source: MarketSource;
  readonly listing: Listing;
  readonly calendar: Calendar;
  readonly ledger: Ledger;
  readonly masterClientId: number | null;
  /** Is true where the account has no subscription to live data. */
  readonly isDataDelayed: boolean;
  account(): string;
  nowMs(): number;
  wallMs(): number;
};

/** Is the gateway behind the sockets. */
export type Gateway = ReturnType<typeof createGateway>;

/** Returns a gateway in the state of `saved`. */
export function createGateway(parts: GatewayParts, saved: SavedGateway) {
  const { exchange, source, listing, calendar, ledger } = parts;
  const clients = new Map<Connection, Client>();
  const held = saved.held ?? [];
  saved.held = held;
  const moves: PriceMoves = { jumps: saved.jumps, held };
  const feed: Feed = createFeed(listing, parts.isDataDelayed);
  let isLinkUp = true;
  let idsInUse = 0;
  let skewMs = 0;

  const orderFaults = noOrderFaults();
  const account: Account = createAccount(
    { exchange, listing, feed, account: parts.account, nowMs: parts.nowMs, isLinkUp: () => isLinkUp },
    saved.account,
  );
  const orders: Orders = createOrders(
    {
      exchange,
      listing,
      calendar,
      ledger,
      faults: orderFaults,
      account: parts.account,
      nowMs: parts.nowMs,
      isLinkUp: () => isLinkUp,
      hearers: (clientId) => {
        const heard: Connection[] = [];
        for (const client of clients.values()) {
          if (client.clientId === clientId || client.clientId === parts.masterClientId) heard.push(client.connection);
        }
        return heard;
      },
      whatIf: (terms) => account.whatIf(terms),
      filled: (positionAfter) => {
        ledger.write(parts.nowMs(), 0, null, {
          type: "position",
          conId: listing.conId,
          position: positionAfter + saved.account.shiftContracts,
        });
        account.filled();
      },
    },
    saved.orders,
  );

  const noticeAll = (code: number, text: string): void => {
    for (const { connection } of clients.values()) refuse(connection, -1, code, text);
  };

  const startApi = (connection: Connection, fields: FieldReader): void => {
    fields.skip(1);
    const clientId = fields.integer("clientId");
    const isTaken = [...clients.values()].some((client) => client.clientId === clientId);
    if (isTaken || idsInUse > 0) {
      if (idsInUse > 0) idsInUse -= 1;
      refuse(
        connection,
        -1,
        CODE.clientIdInUse,
        "Unable to connect as the client id is already in use. Retry with a unique client id.",
      );
      connection.close(`client id ${clientId} is in use`, "after_sending");
      return;
    }
    clients.set(connection, { connection, clientId, windowMs: 0, messages: 0, wasWarned: false });
    ledger.write(parts.nowMs(), connection.number, clientId, { type: "connected" });
    connection.send(message(ANSWER.managedAccounts, 1, parts.account()));
    connection.send(message(ANSWER.nextValidId, 1, orders.nextOrderId(clientId)));
    refuse(connection, -1, CODE.farmOk, "Market data farm connection is OK:usfuture");
    refuse(connection, -1, CODE.historyFarmOk, "HMDS data farm connection is OK:ushmds");
    refuse(connection, -1, CODE.definitionFarmOk, "Sec-def data farm connection is OK:secdefil");
    if (!isLinkUp) refuse(connection, -1, CODE.linkLost, LINK_LOST_TEXT);
  };

  const context: RequestContext = {
    source,
    listing,
    calendar,
    feed,
    account,
    orders,
    accountName: parts.account,
    nowMs: parts.nowMs,
    isDataDelayed: parts.isDataDelayed,
  };
  const requests: RequestTable = {
    ...unsupportedRequests(),
    ...marketRequests(context, moves),
    ...orderRequests(context),
    ...accountRequests(context),
    [REQUEST.ids]: ({ connection, clientId }) =>
      connection.send(message(ANSWER.nextValidId, 1, orders.nextOrderId(clientId))),
    [REQUEST.managedAccounts]: ({ connection }) => connection.send(message(ANSWER.managedAccounts, 1, parts.account())),
    [REQUEST.currentTime]: ({ connection }) =>
      connection.send(message(ANSWER.currentTime, 1, Math.floor((parts.nowMs() + skewMs) / 1_000))),
    [REQUEST.serverLogLevel]: () => {},
  };

  const watchRate = (client: Client): void => {
    const wallMs = parts.wallMs();
    if (wallMs - client.windowMs >= 1_000) {
      client.windowMs = wallMs;
      client.messages = 0;
      client.wasWarned = false;
    }
    client.messages += 1;
    if (client.messages <= MESSAGES_PER_SECOND_MAX || client.wasWarned) return;
    client.wasWarned = true;
    refuse(client.connection, -1, CODE.messageRate, "Max rate of messages per second has been exceeded:max=50");
  };

  const toldLimits = (): (ExchangeLimits & { readonly text: string }) | null => {
    const limits = exchange.limits(parts.nowMs());
    return limits === null ? null : { ...limits, text: printLimits(limits, feed.price) };
  };

  return {
    feed,
    account,
    orders,
    orderFaults,
    jumps: saved.jumps,
    moves,

    /** Answers one message of a connection. A number that nobody knows is passed over, as is noise before startApi. */
    request(connection: Connection, all: readonly string[]): void {
      const id = Number(all[0]);
      if (!Number.isInteger(id)) {
        connection.close(`a message without a number: ${JSON.stringify(all[0] ?? "").slice(0, 40)}`, "at_once");
        return;
      }
      const fields = readFields(all, 1);
      const client = clients.get(connection);
      try {
        if (client === undefined) {
          if (id === REQUEST.startApi) startApi(connection, fields);
          return;
        }
        watchRate(client);
        requests[id]?.(client, fields, all);
      } catch (thrown) {
        if (!(thrown instanceof FieldProblem)) throw thrown;
        // Where the request's own id stands: behind a version field, or at once.
        const reqId = Number(UNVERSIONED.has(id) ? all[1] : all[2]);
        refuse(
          connection,
          Number.isInteger(reqId) ? reqId : -1,
          CODE.readError,
          `Error reading request. Message id ${id}: ${thrown.message}`,
        );
      }
    },
    /** Forgets a connection that has ended. */
    closed(connection: Connection, reason: string): void {
      const client = clients.get(connection);
      clients.delete(connection);
      feed.forget(connection);
      account.forget(connection);
      if (client !== undefined)
        ledger.write(parts.nowMs(), connection.number, client.clientId, { type: "disconnected", reason });
    },

    isStarted: (connection: Connection): boolean => clients.has(connection),
    connectionOf: (clientId: number): Connection | undefined =>
      [...clients.values()].find((client) => client.clientId === clientId)?.connection,
    connections: (): readonly Connection[] => [...clients.keys()],

    /** Notes that a price limit held the market between two times. */
    noteHeld: (fromMs: number, toMs: number, limits: ExchangeLimits): void => noteHeld(held, fromMs, toMs, limits),

    /** Sends a notice with id -1 to everybody. */
    notice: noticeAll,
    /** Sends an error with any id to everybody. */
    errorAll(id: number, code: number, text: string): void {
      for (const { connection } of clients.values()) refuse(connection, id, code, text);
    },
    /** Lets the next so many connections be told that their client id is in use. */
    claimIds(count: number): void {
      idsInUse += count;
    },
    /** Cuts the broker's link: data stops, orders and cancels go nowhere, what the exchange does is told to nobody. */
    loseLink(): void {
      if (!isLinkUp) return;
      noticeAll(CODE.linkLost, LINK_LOST_TEXT);
      noticeAll(CODE.farmBroken, "Market data farm connection is broken:usfuture");
      noticeAll(CODE.historyFarmBroken, "HMDS data farm connection is broken:ushmds");
      isLinkUp = false;
      feed.mute(true);
    },
    restoreLink(isDataLost: boolean): void {
      if (isLinkUp) return;
      isLinkUp = true;
      feed.mute(false);
      if (isDataLost) feed.forget(undefined);
      noticeAll(
        isDataLost ? CODE.linkRestoredDataLost : CODE.linkRestoredDataKept,
        isDataLost
          ? "Connectivity between IB and TWS has been restored- data lost."
          : "Connectivity between IB and TWS has been restored- data maintained.",
      );
      noticeAll(CODE.farmOk, "Market data farm connection is OK:usfuture");
      noticeAll(CODE.historyFarmOk, "HMDS data farm connection is OK:ushmds");
    },

    isLinkUp: (): boolean => isLinkUp,
    /** Lets the gateway's own clock be so much ahead of the market's, from now on. */
    skewClock(byMs: number): void {
      skewMs = byMs;
    },
    /** Places an order as a person does by hand in the broker's own program: no API client placed it. */
    placeByHand(action: "BUY" | "SELL", quantity: number, limitTicks: number | null): void {
      orders.placeByHand({
        action,
        quantity,
        orderType: limitTicks === null ? "MKT" : "LMT",
        kind: limitTicks === null ? "market" : "limit",
        limitTicks,
        triggerTicks: null,
        trailTicks: null,
        trailPercentE4: null,
        tif: "DAY",
        goodTillDate: "",
        goodTillMs: null,
        ocaGroup: "",
        ocaType: 0,
        orderRef: "",
        parentId: 0,
        outsideRth: true,
      });
    },

    /** Returns what the handshake names as the time of the connection. */
    connectionTime: (): string =>
      `${DateTime.fromMillis(parts.nowMs() + skewMs, { zone: EXCHANGE_ZONE }).toFormat("yyyyLLdd HH:mm:ss")} ${EXCHANGE_ZONE_WIRE}`,
    saved: (): SavedGateway => saved,
    /** Returns what a person or a judge may want to see, as plain values. */
    state: () => ({
      isLinkUp,
      clients: [...clients.values()].map(({ connection, clientId }) => ({
        connection: connection.number,
        clientId,
        address: connection.address,
        ...connection.messages(),
        serverVersion: connection.serverVersion(),
        backlogBytes: connection.backlogBytes(),
        ticksMissed: connection.ticksMissed(),
      })),
      contract: { conId: listing.conId, localSymbol: listing.localSymbol, lastTradeDate: listing.lastTradeDate },
      book: { ...feed.view() },
      priceLimits: toldLimits(),
      orders: orders.working().map((order) => ({
        permId: order.permId,
        clientId: order.clientId,
        orderId: order.orderId,
        parentPermId: order.parentPermId,
        status: order.status,
        isTransmitted: order.isTransmitted,
        filled: order.filled,
        ...order.terms,
      })),
      positions: [{ conId: listing.conId, ...account.position() }],
      account: account.money(),
    }),
  };
}

const LINK_LOST_TEXT = "Connectivity between IB and the TWS has been lost.";

/** Requests whose first field is their own id, without a version before it. */
const UNVERSIONED: ReadonlySet<number> = new Set([
  REQUEST.placeOrder,
  REQUEST.historicalData,
  REQUEST.headTimestamp,
  REQUEST.cancelHeadTimestamp,
  REQUEST.marketRule,
  REQUEST.pnl,
  REQUEST.cancelPnl,
  REQUEST.pnlSingle,
  REQUEST.cancelPnlSingle,
  REQUEST.historicalTicks,
  REQUEST.tickByTick,
  REQUEST.cancelTickByTick,
]);
