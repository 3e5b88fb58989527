// The broker through @stoqey/ib: the port of gateway.ts on the TWS wire protocol. The only room that knows the library.
import { type ContractDetails, EventName, type IBApi } from "@stoqey/ib";
import type { Clock } from "../../clock.ts";
import type { BrokerFill, BrokerOrder, BrokerPosition, Contract } from "../../engine.ts";
import type { Log } from "../../log.ts";
import { err, ok, type Result } from "../../result.ts";
import type { Gateway, GatewayEvent, GatewayProblem } from "../gateway.ts";
import { createConnection } from "./connection.ts";
import { chooseListing, detailsQuery, type Listing } from "./contracts.ts";
import { createMarketData } from "./market-data.ts";
import { createOrders, OPEN_ORDERS } from "./orders.ts";
import { REQUEST_ID_FIRST, type Requests } from "./requests.ts";

const ANSWER_MS_MAX = 5_000;
const CONTRACT_MS_MAX = 10_000;
const POSITIONS = "positions";
const CURRENT_TIME = "current time";
const SECOND_MS = 1_000;

/** Where the broker is, as whom, and who is told of what can't be an event of the gateway. */
export type IbGatewayOptions = {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
  readonly account: string | null;
  readonly live: boolean;
  /** How many times as fast as the machine's time the broker's runs: 1, or a simulated market's speed. */
  readonly timesRealTime: number;
  /** The machine's clock: deadlines and heartbeats. */
  readonly wall: Clock;
  /** The market's clock: which listing is the front month. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Entries must stop until a person decides: wrong account, or our client id in other hands. */
  readonly onRefused: (control: "live_refused" | "client_id_in_use", detail: string) => void;
};

/** Returns the gateway, not connected. */
export function createIbGateway(options: IbGatewayOptions): Gateway {
  const { log, clientId } = options;
  let listener: (event: GatewayEvent) => void = () => {};
  const tell = (event: GatewayEvent): void => listener(event);
  let listing: Listing | null = null;
  let isFeedBroken = false;
  const marketData = createMarketData(tell, log);
  const orders = createOrders(clientId, tell, log);
  const account = accountFigures(tell);

  const connection = createConnection({
    ...options,
    listener: {
      attach: (api, requests) => {
        orders.attach(api, requests, () => listing);
        marketData.attach(api, requests, () => listing);
        account.attach(api);
        attachAnswers(api, requests);
      },
      linkChanged: (link, epoch, detail, accountId) => {
        tell({ type: "link_changed", link, epoch, detail, account: accountId });
        if (link === "up") subscribeAccount();
      },
      feedChanged: (isOk, detail) => {
        // "Connection is OK" comes at each connect; only the end of a break is news.
        if (isOk === !isFeedBroken) return;
        isFeedBroken = !isOk;
        tell({ type: "feed_changed", ok: isOk, detail });
      },
      dataLost: () => marketData.forget(),
      lost: () => marketData.forget(),
      accountRefused: (detail) => options.onRefused("live_refused", detail),
      clientIdTaken: (detail) => options.onRefused("client_id_in_use", detail),
    },
  });

  /** Listeners whose answers belong to a question. */
  function attachAnswers(api: IBApi, requests: Requests): void {
    api.on(EventName.contractDetails, (requestId: number, details: ContractDetails) =>
      requests.add(requestId, details),
    );
    api.on(EventName.contractDetailsEnd, (requestId: number) => requests.end(requestId));
    api.on(EventName.currentTime, (seconds: number) => {
      requests.add(CURRENT_TIME, seconds * SECOND_MS);
      requests.end(CURRENT_TIME);
    });
    api.on(EventName.position, (accountId: string, contract, position: number, averageCost?: number) => {
      if (accountId !== connection.wire()?.account) return;
      const told = brokerPosition(contract, position, averageCost, listing);
      const rows = requests.rows(POSITIONS) as BrokerPosition[] | undefined;
      if (rows === undefined) tell({ type: "position_reported", position: told });
      else {
        const at = rows.findIndex((row) => row.conId === told.conId);
        if (at < 0) rows.push(told);
        else rows[at] = told;
      }
    });
    api.on(EventName.positionEnd, () => requests.end(POSITIONS));
    api.on(EventName.error, (error: Error, code: number, id: number) => {
      if (id <= 0) return;
      if (id >= REQUEST_ID_FIRST) {
        if (marketData.error(id, code, error.message)) return;
        if (!requests.refuse(id, code, error.message))
          log.debug({ code, id, text: error.message }, "an error about a closed question");
      } else if (!orders.error(id, code, error.message)) {
        log.warn({ code, id, text: error.message }, "an error about an order that is not ours");
      }
    });
  }

  function subscribeAccount(): void {
    const wire = connection.wire();
    if (wire === null) return;
    wire.gate.request({ send: () => wire.api.reqAccountUpdates(true, wire.account), drop: () => {} });
  }

  const down = <T>(): Result<T, GatewayProblem> => err({ type: "link_down", detail: "no connection to the gateway" });
  /** Prices of orders and executions can't be read without its tick size; an empty answer would be believed. */
  const noContract = <T>(): Result<T, GatewayProblem> =>
    err({ type: "not_found", detail: "the contract is not known yet" });

  return {
    listen: (to) => {
      listener = to;
    },
    connect: () => connection.start(),
    place: (requests, highestOrderId) => orders.place(connection.wire(), listing, requests, highestOrderId),
    modify: (order) => orders.modify(connection.wire(), listing, order),
    cancel: (orderRef, orderId) => orders.cancel(connection.wire(), orderRef, orderId),
    openOrders: async () => {
      const wire = connection.wire();
      if (wire === null) return down();
      if (listing === null) return noContract();
      return wire.requests.open<BrokerOrder>(OPEN_ORDERS, ANSWER_MS_MAX, () =>
        wire.gate.request({ send: () => wire.api.reqAllOpenOrders(), drop: () => {} }),
      );
    },
    executions: async () => {
      const wire = connection.wire();
      if (wire === null) return down();
      if (listing === null) return noContract();
      const id = wire.requests.nextId();
      return wire.requests.open<BrokerFill>(id, ANSWER_MS_MAX, () =>
        wire.gate.request({ send: () => wire.api.reqExecutions(id, { acctCode: wire.account }), drop: () => {} }),
      );
    },
    positions: async () => {
      const wire = connection.wire();
      if (wire === null) return down();
      // Also subscribes: changes are pushed from now on, as `position_reported`.
      return wire.requests.open<BrokerPosition>(POSITIONS, ANSWER_MS_MAX, () =>
        wire.gate.request({ send: () => wire.api.reqPositions(), drop: () => {} }),
      );
    },
    brokerTimeMs: async () => {
      const wire = connection.wire();
      if (wire === null) return down();
      const answer = await wire.requests.open<number>(CURRENT_TIME, ANSWER_MS_MAX, () =>
        wire.gate.request({ send: () => wire.api.reqCurrentTime(), drop: () => {} }),
      );
      return answer.ok ? ok(answer.value[0] ?? 0) : answer;
    },
    contract: async (query) => {
      const wire = connection.wire();
      if (wire === null) return down<Contract>();
      const id = wire.requests.nextId();
      const answer = await wire.requests.open<ContractDetails>(id, CONTRACT_MS_MAX, () =>
        wire.gate.request({ send: () => wire.api.reqContractDetails(id, detailsQuery(query)), drop: () => {} }),
      );
      if (!answer.ok) return answer;
      const chosen = chooseListing(answer.value, query, options.clock.nowMs());
      if (!chosen.ok) return chosen;
      if (listing !== null && listing.contract.conId !== chosen.value.contract.conId) marketData.forget();
      listing = chosen.value;
      return ok(chosen.value.contract);
    },
    history: async (query) => {
      const wire = connection.wire();
      if (wire === null) return down();
      if (listing === null) return noContract();
      return marketData.history(wire, listing, query);
    },
    watch: async () => {
      const wire = connection.wire();
      if (wire === null) return down();
      if (listing === null) return noContract();
      return marketData.watch(wire, listing);
    },
    margin: async (quantity) => {
      const wire = connection.wire();
      if (wire === null) return down();
      if (listing === null) return noContract();
      return orders.margin(wire, listing, quantity);
    },
    drop: (reason) => connection.drop(reason),
    close: async () => {
      connection.close();
    },
  };
}

/** IB tells a future's average cost with the multiplier in it (price × multiplier). */
function brokerPosition(
  contract: { conId?: number; localSymbol?: string },
  position: number,
  averageCost: number | undefined,
  listing: Listing | null,
): BrokerPosition {
  const isOurs = listing !== null && listing.contract.conId === contract.conId;
  const averageTicksE2 =
    isOurs && position !== 0 && averageCost !== undefined
      ? Math.round((averageCost / listing.scale.multiplier / listing.scale.tickSize) * 100)
      : null;
  return { conId: contract.conId ?? 0, localSymbol: contract.localSymbol ?? "", position, averageTicksE2 };
}

/** Gathers account values and tells them when a round of them is complete. */
function accountFigures(tell: (event: GatewayEvent) => void): { attach(api: IBApi): void } {
  return {
    attach: (api) => {
      const cents = new Map<string, number>();
      const figure = (key: string): number | null => cents.get(key) ?? null;
      const report = (): void =>
        tell({
          type: "account_reported",
          netLiquidationCents: figure("NetLiquidation"),
          excessLiquidityCents: figure("ExcessLiquidity"),
          realisedCents: figure("RealizedPnL"),
        });
      api.on(EventName.updateAccountValue, (key: string, value: string, currency: string) => {
        const amount = Number(value);
        const isDollars = currency === "USD" || currency === "BASE" || currency === "";
        if (isDollars && Number.isFinite(amount) && Math.abs(amount) < 1e13) cents.set(key, Math.round(amount * 100));
      });
      api.on(EventName.updateAccountTime, report);
      api.on(EventName.accountDownloadEnd, report);
    },
  };
}
