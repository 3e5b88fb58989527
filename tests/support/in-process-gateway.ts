// The port straight on the Rust exchange: no socket, no wire, no library. Says what IB would say, in the same order, with
// times in whole seconds as IB tells them; moves only when the test steps it.
import type {
  ExchangeAccount,
  ExchangeFill,
  ExchangePosition,
  ExchangeReport,
  NewOrder,
} from "../../native/exchange.d.ts";
import type { BrokerFill, BrokerOrder, BrokerOrderState, Contract, OrderRequest } from "../../src/engine.ts";
import { createExchange } from "../../src/engine.ts";
import { err, ok, type Result } from "../../src/result.ts";
import type { MarketBatch, MarketSource } from "../../src/simulators/ib-gateway/market-source.ts";
import {
  KIND_TRADE,
  NO_PRICE,
  nameContract,
  RECORD_BYTES,
  recordA,
  recordAtMs,
  recordB,
  recordC,
  recordD,
  recordKind,
  viewOf,
} from "../../src/simulators/ib-gateway/records.ts";
import type { Gateway, GatewayEvent, GatewayProblem } from "../../src/trading/gateway.ts";

const CLIENT_ID = 7;
const ACCOUNT = "DU1234567";
const BATCH_RECORDS = 4_096;
const SECOND_MS = 1_000;
/** What the exchange says stands near the tick that caused it: a step is no longer than a quarter of a second. */
const STEP_MS = 250;
const LEVEL_SIZE = 50;

/** What is traded, on which market, and what it costs. */
export type InProcessOptions = {
  readonly source: MarketSource;
  readonly startMs: number;
  readonly contract: Contract;
  readonly tickValueCents: number;
  readonly feeCents: number;
  readonly initMarginCents: number;
  readonly latencyMs: number;
  readonly startCashCents: number;
};

/** A gateway whose market the test moves. */
export type InProcessGateway = Gateway & {
  /** Lets everything happen up to `atMs`. */
  stepTo(atMs: number): void;
  /** Lets it be `atMs`, before anything of that moment happens. Only where nothing happens before it. */
  reach(atMs: number): void;
  /** Returns when the market or an order under way does something next; null where nothing does any more. */
  nextAtMs(): number | null;
};

type Known = { order: BrokerOrder; readonly request: OrderRequest };

/** Returns the gateway, not connected, its market at `startMs`. */
export function createInProcessGateway(options: InProcessOptions): InProcessGateway {
  const { source, contract } = options;
  const exchange = createExchange(
    {
      accounts: [ACCOUNT],
      latencyMs: options.latencyMs,
      extraSlippageTicks: 0,
      levelSize: LEVEL_SIZE,
      startCashCents: options.startCashCents,
      instruments: [
        {
          instrumentId: contract.conId,
          symbol: contract.localSymbol,
          tickSizeE4: contract.tickSizeE4,
          tickValueCents: options.tickValueCents,
          feeCents: options.feeCents,
          initMarginCents: options.initMarginCents,
          maintMarginCents: options.initMarginCents,
          priceLimits: "equity_index",
        },
      ],
    },
    null,
  );
  const bytes = new Uint8Array(BATCH_RECORDS * RECORD_BYTES);
  const batch: MarketBatch = { bytes, view: viewOf(bytes), length: 0 };
  const known = new Map<number, Known>();
  const idByRef = new Map<string, number>();
  const fills: BrokerFill[] = [];
  let tell: (event: GatewayEvent) => void = () => {};
  let nowMs = options.startMs;
  let isUp = false;
  let isKept = false;
  let isWatched = false;
  let highest = 0;
  let epoch = 0;

  const down = <T>(): Result<T, GatewayProblem> => err({ type: "link_down", detail: "not connected" });
  const noContract = <T>(): Result<T, GatewayProblem> => err({ type: "not_found", detail: "no contract yet" });
  const wholeSecond = (atMs: number): number => Math.floor(atMs / SECOND_MS) * SECOND_MS;

  const report = (orderId: number, change: Partial<BrokerOrder>): void => {
    const of = known.get(orderId);
    if (of === undefined) throw new Error(`the exchange speaks of order ${orderId}, which it was never given`);
    of.order = { ...of.order, ...change };
    tell({ type: "order_reported", order: of.order });
  };

  const fill = (made: ExchangeFill): void => {
    const of = known.get(made.orderKey);
    if (of === undefined) throw new Error(`the exchange fills order ${made.orderKey}, which it was never given`);
    if (of.order.state === "held") report(made.orderKey, { state: "working" });
    const told: BrokerFill = {
      execId: `0000.${made.fillNo}.01`,
      orderRef: of.order.orderRef,
      orderId: made.orderKey,
      permId: of.order.permId,
      conId: made.instrumentId,
      side: made.side,
      quantity: made.quantity,
      priceTicks: made.priceTicks,
      filledAtMs: wholeSecond(made.atMs),
    };
    fills.push(told);
    tell({ type: "fill", fill: told });
    const isDone = made.leavesQuantity === 0;
    report(made.orderKey, { filled: made.cumQuantity, state: isDone ? "filled" : "working" });
    tell({ type: "commission", execId: told.execId, feeCents: made.feeCents });
    tell({ type: "position_reported", position: position() });
  };

  const position = (): Extract<GatewayEvent, { type: "position_reported" }>["position"] => {
    const [held] = JSON.parse(exchange.positions()) as ExchangePosition[];
    return {
      conId: contract.conId,
      localSymbol: contract.localSymbol,
      position: held?.position ?? 0,
      averageTicksE2: held?.averageTicksE2 ?? null,
    };
  };

  /** A stop rests at the exchange and waits for its price: IB calls that PreSubmitted, like a child that waits. */
  const stateOf = (orderId: number): BrokerOrderState =>
    known.get(orderId)?.request.kind.kind === "stop" ? "held" : "working";

  const take = (json: string | null): void => {
    if (json === null) return;
    for (const said of JSON.parse(json) as ExchangeReport[]) hear(said);
  };

  const hear = (said: ExchangeReport): void => {
    const orderRef = known.get(said.orderKey)?.order.orderRef ?? "";
    switch (said.type) {
      case "accepted":
      case "activated":
        report(said.orderKey, { state: stateOf(said.orderKey) });
        break;
      case "held":
        report(said.orderKey, { state: "held" });
        break;
      case "triggered":
        report(said.orderKey, { state: "working" });
        break;
      case "fill":
        fill(said);
        break;
      case "reduced":
        report(said.orderKey, { quantity: said.quantity });
        break;
      case "modified":
        report(said.orderKey, { quantity: said.quantity, kind: brokerKind(said.kind) });
        break;
      case "modify_rejected":
        tell({ type: "change_refused", orderRef, code: 201, text: said.text });
        break;
      case "cancelled":
        report(said.orderKey, { state: "cancelled" });
        break;
      case "cancel_rejected":
        tell({ type: "change_refused", orderRef, code: 10_148, text: "the order can't be cancelled any more" });
        break;
      case "rejected":
        tell({ type: "order_refused", orderRef, code: 201, text: said.text });
        report(said.orderKey, { state: said.reason === "margin" ? "inactive" : "cancelled" });
        break;
      default:
        said satisfies never;
    }
  };

  const tellMarket = (view: DataView): void => {
    if (!isWatched) return;
    for (let at = 0; at < view.byteLength; at += RECORD_BYTES) {
      const exchangeAtMs = wholeSecond(recordAtMs(view, at));
      if (recordKind(view, at) === KIND_TRADE) {
        tell({ type: "trade", exchangeAtMs, priceTicks: recordA(view, at), size: recordC(view, at) });
        continue;
      }
      const price = (ticks: number): number | null => (ticks === NO_PRICE ? null : ticks);
      const [bidTicks, askTicks] = [price(recordA(view, at)), price(recordB(view, at))];
      tell({ type: "quote", exchangeAtMs, bidTicks, askTicks, bidSize: recordC(view, at), askSize: recordD(view, at) });
    }
  };

  /** What lies before the start fills the book and is told to nobody, as it is when a gateway comes up. */
  const pull = (untilMs: number): void => {
    for (;;) {
      batch.length = 0;
      const count = source.advance(untilMs, batch);
      if (count === 0) return;
      const records = bytes.subarray(0, count * RECORD_BYTES);
      const view = viewOf(records);
      nameContract(view, contract.conId);
      const seen = exchange.limited(records) ?? records;
      tellMarket(seen === records ? view : viewOf(seen));
      take(exchange.market(seen));
    }
  };
  pull(nowMs);
  take(exchange.setOpen(nowMs, true));

  /** When what was sent begins to act. */
  let dues: number[] = [];
  const acts = (): void => {
    dues.push(nowMs + options.latencyMs);
  };

  const notSent = (orderRef: string): void => tell({ type: "not_sent", orderRef, reason: "no connection" });

  return {
    listen: (listener) => {
      tell = listener;
    },
    connect: () => {
      epoch++;
      tell({ type: "link_changed", link: "connecting", epoch, detail: "connecting", account: null });
      isUp = true;
      tell({ type: "link_changed", link: "up", epoch, detail: "connected", account: ACCOUNT });
    },
    place: (requests, highestOrderId) => {
      if (!isUp || !isKept) {
        for (const request of requests) notSent(request.orderRef);
        return;
      }
      let orderId = Math.max(highest, highestOrderId);
      const orders: NewOrder[] = [];
      for (const request of requests) {
        orderId++;
        known.set(orderId, { order: asAsked(request, orderId, contract.conId), request });
        idByRef.set(request.orderRef, orderId);
        tell({ type: "sent", orderRef: request.orderRef, orderId, epoch });
        orders.push({
          orderKey: orderId,
          account: "",
          instrumentId: contract.conId,
          side: request.side,
          quantity: request.quantity,
          kind: request.kind,
          tif: request.tif,
          parentKey: request.parentRef === null ? null : (idByRef.get(request.parentRef) ?? null),
          ocaGroup: request.ocaGroup,
          ocaType: 1,
        });
      }
      highest = orderId;
      acts();
      take(exchange.submit(nowMs, JSON.stringify(orders)));
    },
    modify: (request) => {
      const orderId = idByRef.get(request.orderRef);
      if (!isUp || orderId === undefined) return notSent(request.orderRef);
      tell({ type: "sent", orderRef: request.orderRef, orderId, epoch });
      const { kind, quantity, tif } = request;
      const prices =
        kind.kind === "limit"
          ? { limitTicks: kind.limitTicks }
          : kind.kind === "stop"
            ? { stopTicks: kind.stopTicks }
            : {};
      acts();
      take(exchange.modify(nowMs, orderId, JSON.stringify({ quantity, tif, ...prices })));
    },
    cancel: (orderRef) => {
      const orderId = idByRef.get(orderRef);
      if (!isUp || orderId === undefined) return notSent(orderRef);
      tell({ type: "sent", orderRef, orderId, epoch });
      acts();
      take(exchange.cancel(nowMs, orderId));
    },
    openOrders: async () => {
      if (!isUp) return down();
      if (!isKept) return noContract();
      const isOpen = (state: BrokerOrderState): boolean => !["cancelled", "filled", "inactive"].includes(state);
      return ok([...known.values()].map(({ order }) => order).filter((order) => isOpen(order.state)));
    },
    executions: async () => (!isUp ? down() : !isKept ? noContract() : ok([...fills])),
    positions: async () => {
      if (!isUp) return down();
      const held = position();
      return ok(fills.length === 0 ? [] : [held]);
    },
    brokerTimeMs: async () => (isUp ? ok(wholeSecond(nowMs)) : down()),
    contract: async (query) => {
      if (!isUp) return down();
      if (query.month !== "auto" && query.month !== contract.month)
        return err({ type: "not_found", detail: `no tradable ${query.month}` });
      isKept = true;
      return ok(contract);
    },
    history: async (query) => {
      if (!isUp) return down();
      if (!isKept) return noContract();
      return ok(source.history(query.barMs, query.count, nowMs).map((bar) => ({ ...bar })));
    },
    watch: async () => {
      if (!isUp) return down();
      if (!isKept) return noContract();
      isWatched = true;
      return ok(undefined);
    },
    margin: async (quantity) => {
      if (!isUp) return down();
      if (!isKept) return noContract();
      const [held] = JSON.parse(exchange.account()) as ExchangeAccount[];
      if (held === undefined) throw new Error("the exchange has no account");
      const marginCents = quantity * options.initMarginCents;
      const feeCents = quantity * options.feeCents;
      return ok({
        equityCents: held.cashCents + held.unrealisedCents - feeCents,
        marginCents,
        marginAfterCents: held.initialMarginCents + marginCents,
      });
    },
    drop: (reason) => {
      if (isUp) tell({ type: "link_changed", link: "down", epoch, detail: reason, account: null });
      isUp = false;
    },
    close: async () => {
      if (isUp) tell({ type: "link_changed", link: "down", epoch, detail: "closed by the bot", account: null });
      isUp = false;
    },
    stepTo: (atMs) => {
      do {
        nowMs = Math.min(atMs, (Math.floor(nowMs / STEP_MS) + 1) * STEP_MS);
        pull(nowMs);
        take(exchange.advance(nowMs));
      } while (nowMs < atMs);
      dues = dues.filter((dueMs) => dueMs > nowMs);
    },
    reach: (atMs) => {
      nowMs = Math.max(nowMs, atMs);
    },
    nextAtMs: () => {
      const next = Math.min(source.nextAtMs() ?? Number.POSITIVE_INFINITY, ...dues);
      return Number.isFinite(next) ? next : null;
    },
  };
}

function asAsked(request: OrderRequest, orderId: number, conId: number): BrokerOrder {
  return {
    orderRef: request.orderRef,
    orderId,
    clientId: CLIENT_ID,
    permId: 1_000_000 + orderId,
    conId,
    side: request.side,
    quantity: request.quantity,
    filled: 0,
    kind: request.kind,
    state: "pending",
  };
}

function brokerKind(kind: Extract<ExchangeReport, { type: "modified" }>["kind"]): BrokerOrder["kind"] {
  return kind.kind === "market" || kind.kind === "limit" || kind.kind === "stop" ? kind : null;
}
