// What every gateway must do, whoever fills the port: one suite, run by each of them.
import { describe, expect, onTestFinished, test } from "vitest";
import type { BrokerOrder, OrderRequest } from "../src/engine.ts";
import type { HistoryBar } from "../src/simulators/ib-gateway/market-source.ts";
import type { GatewayEvent } from "../src/trading/gateway.ts";
import { FAKE_START_MS as START_MS } from "./support/fake-clock.ts";
import { createRecorder, type Recorder } from "./support/recorder.ts";
import type { MakeRoad, Road } from "./support/roads.ts";
import { createScriptedMarket, type MarketRow } from "./support/scripted-market.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const QUERY = { symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 } as const;
/** The book at the start: 6,000.00 at 6,000.25. */
const BID = 24_000;
const ASK = 24_001;

/** Returns the time `seconds` after the start. */
const at = (seconds: number): number => START_MS + seconds * SECOND_MS;

/** The book before the start, and the same again in the first two seconds: what comes in fills on what comes after it. */
const OPENING: readonly MarketRow[] = [
  { atMs: START_MS - SECOND_MS, bid: BID, ask: ASK },
  { atMs: START_MS - SECOND_MS, trade: ASK },
  { atMs: at(0) + 500, bid: BID, ask: ASK },
  { atMs: at(1) + 500, bid: BID, ask: ASK },
];

const order = (orderRef: string, more: Partial<OrderRequest> = {}): OrderRequest => ({
  orderRef,
  side: "buy",
  quantity: 1,
  kind: { kind: "market" },
  tif: "day",
  parentRef: null,
  ocaGroup: null,
  outsideRth: true,
  ...more,
});

/** A long entry at the market, its stop 20 ticks below the bid and its target 20 ticks above the ask. */
const BRACKET: readonly OrderRequest[] = [
  order("E"),
  order("S", { side: "sell", kind: { kind: "stop", stopTicks: BID - 20 }, tif: "gtc", parentRef: "E", ocaGroup: "G" }),
  order("T", {
    side: "sell",
    kind: { kind: "limit", limitTicks: ASK + 20 },
    tif: "gtc",
    parentRef: "E",
    ocaGroup: "G",
  }),
];

type Trading = Road & { readonly told: Recorder };

/** Runs the suite against the gateways that `make` makes. */
export function gatewayContract(name: string, make: MakeRoad): void {
  /** Returns a gateway that is connected and knows its contract, in a market of these rows after the opening. */
  const trading = async (rows: readonly MarketRow[] = [], bars: readonly HistoryBar[] = []): Promise<Trading> => {
    const inOrder = [...OPENING, ...rows].toSorted((a, b) => a.atMs - b.atMs);
    const road = await make({ source: createScriptedMarket(START_MS, inOrder, bars), startMs: START_MS });
    const told = createRecorder();
    road.gateway.listen(told.take);
    onTestFinished(() => road.stop());
    road.gateway.connect();
    await told.link("up", 1);
    expect((await road.gateway.contract(QUERY)).ok).toBe(true);
    await road.rest();
    return { ...road, told };
  };

  const move = async (road: Road, seconds: number): Promise<void> => {
    await road.stepTo(at(seconds));
    await road.rest();
  };

  describe(name, () => {
    test("tells its link in order, with epoch and account", async () => {
      const { told } = await trading();

      expect(told.events.filter((event) => event.type === "link_changed")).toMatchObject([
        { link: "connecting", epoch: 1, account: null },
        { link: "up", epoch: 1, account: "DU1234567" },
      ]);
    });

    test("finds the front month with its terms, and trades in it now", async () => {
      const { gateway } = await trading();

      const contract = await gateway.contract(QUERY);

      expect(contract).toMatchObject({
        ok: true,
        value: {
          localSymbol: "MESZ6",
          month: "202612",
          lastTradeDate: "2026-12-18",
          tickSizeE4: 2_500,
          multiplierCents: 500,
        },
      });
      if (contract.ok)
        expect(contract.value.hours.some((span) => span.fromMs <= START_MS && START_MS < span.toMs)).toBe(true);
    });

    test("says that a month is not listed", async () => {
      const { gateway } = await trading();

      expect((await gateway.contract({ ...QUERY, month: "203112" })).ok).toBe(false);
    });

    test("tells the broker's time in whole seconds", async () => {
      const road = await trading();
      await move(road, 3);

      expect(await road.gateway.brokerTimeMs()).toEqual({ ok: true, value: at(3) });
    });

    test("gives the bars of the past, oldest first, the newest of as many as are asked for", async () => {
      const bars = Array.from({ length: 12 }, (_, index) => {
        const closeTicks = BID - 12 + index;
        const openAtMs = START_MS - (12 - index) * MINUTE_MS;
        return {
          openAtMs,
          openTicks: closeTicks,
          highTicks: closeTicks + 2,
          lowTicks: closeTicks - 2,
          closeTicks,
          volume: 5,
        };
      });
      const { gateway } = await trading([], bars);

      const history = await gateway.history({ barMs: MINUTE_MS, count: 5 });

      expect(history).toEqual({ ok: true, value: bars.slice(-5) });
    });

    test("tells trades and quotes from the watch on, in ticks, in order, in whole seconds", async () => {
      const road = await trading([
        { atMs: at(1), bid: BID, ask: ASK },
        { atMs: at(2) + 300, trade: ASK, size: 3 },
        { atMs: at(2) + 300, bid: BID + 1, ask: ASK + 1 },
        { atMs: at(3), trade: BID + 1 },
      ]);
      await move(road, 1);
      const before = market(road.told.events).filter((event) => event.exchangeAtMs === at(1));

      expect(await road.gateway.watch()).toEqual({ ok: true, value: undefined });
      await road.rest();
      await move(road, 4);

      expect(before).toEqual([]);
      expect(market(road.told.events).filter((event) => event.exchangeAtMs > at(1))).toEqual([
        { type: "trade", exchangeAtMs: at(2), priceTicks: ASK, size: 3 },
        { type: "quote", exchangeAtMs: at(2), bidTicks: BID + 1, askTicks: ASK + 1, bidSize: 10, askSize: 10 },
        { type: "trade", exchangeAtMs: at(3), priceTicks: BID + 1, size: 1 },
      ]);
    });

    test("sends each order of a bracket once, in order, under ids that rise from the journal's highest", async () => {
      const { gateway, told, rest } = await trading();

      gateway.place(BRACKET, 400);
      await rest();

      const sent = told.events.filter((event) => event.type === "sent");
      expect(sent.map((event) => event.orderRef)).toEqual(["E", "S", "T"]);
      expect(sent.map((event) => event.orderId)).toEqual([401, 402, 403]);
      expect(sent.every((event) => event.epoch === 1)).toBe(true);
    });

    test("fills an entry at the ask and lets its children work", async () => {
      const road = await trading();

      road.gateway.place(BRACKET, 0);
      await road.rest();
      await move(road, 1);

      expect(fills(road.told.events)).toMatchObject([
        { orderRef: "E", side: "buy", quantity: 1, priceTicks: ASK, filledAtMs: START_MS },
      ]);
      expect(last(road.told.events, "E")).toMatchObject({ state: "filled", filled: 1 });
      expect(last(road.told.events, "S")).toMatchObject({ filled: 0, kind: { kind: "stop", stopTicks: BID - 20 } });
      expect(last(road.told.events, "T")).toMatchObject({
        state: "working",
        kind: { kind: "limit", limitTicks: ASK + 20 },
      });
      expect(["held", "working"]).toContain(last(road.told.events, "S")?.state);
    });

    test.each([
      {
        leg: "T",
        other: "S",
        priceTicks: ASK + 20,
        rows: [
          { atMs: at(2), bid: ASK + 20, ask: ASK + 21 },
          { atMs: at(2), trade: ASK + 20 },
        ],
      },
      {
        leg: "S",
        other: "T",
        priceTicks: BID - 21,
        rows: [
          { atMs: at(2), bid: BID - 21, ask: BID - 20 },
          { atMs: at(2), trade: BID - 21 },
        ],
      },
    ])("a fill of $leg closes the position and cancels $other", async ({ leg, other, priceTicks, rows }) => {
      const road = await trading(rows);
      road.gateway.place(BRACKET, 0);
      await road.rest();

      await move(road, 3);
      const positions = await road.gateway.positions();
      const open = await road.gateway.openOrders();

      expect(fills(road.told.events)).toMatchObject([
        { orderRef: "E", priceTicks: ASK },
        { orderRef: leg, side: "sell", quantity: 1, priceTicks, filledAtMs: at(2) },
      ]);
      expect(last(road.told.events, leg)).toMatchObject({ state: "filled", filled: 1 });
      expect(last(road.told.events, other)).toMatchObject({ state: "cancelled", filled: 0 });
      expect(open).toEqual({ ok: true, value: [] });
      expect(positions.ok && positions.value.every((held) => held.position === 0)).toBe(true);
    });

    test("tells a fee for each fill, after it", async () => {
      const road = await trading();

      road.gateway.place([order("X")], 0);
      await road.rest();
      await move(road, 1);

      const types = road.told.events.map((event) => event.type);
      expect(types.indexOf("commission")).toBeGreaterThan(types.indexOf("fill"));
      const [fill] = fills(road.told.events);
      expect(road.told.events.filter((event) => event.type === "commission")).toEqual([
        { type: "commission", execId: fill?.execId, feeCents: 57 },
      ]);
    });

    test("gives a working order new terms, under which it fills", async () => {
      const road = await trading();
      const resting = order("L", { kind: { kind: "limit", limitTicks: BID - 50 } });
      road.gateway.place([resting], 0);
      await road.rest();
      await move(road, 1);
      const before = fills(road.told.events).length;

      road.gateway.modify({ ...resting, kind: { kind: "limit", limitTicks: ASK } });
      await road.rest();
      await move(road, 2);

      expect(before).toBe(0);
      expect(fills(road.told.events)).toMatchObject([{ orderRef: "L", priceTicks: ASK, filledAtMs: at(1) }]);
      expect(last(road.told.events, "L")).toMatchObject({ state: "filled", kind: { kind: "limit", limitTicks: ASK } });
    });

    test("says what an entry would do to the account, and makes no order of it", async () => {
      const road = await trading();

      const answer = await road.gateway.margin(2);

      expect(answer.ok).toBe(true);
      if (!answer.ok) return;
      const { equityCents, marginCents, marginAfterCents } = answer.value;
      expect(marginCents).toBeGreaterThan(0);
      expect(marginAfterCents).toBe(marginCents);
      expect(equityCents).toBeGreaterThan(0);
      expect(await road.gateway.openOrders()).toEqual({ ok: true, value: [] });
    });

    test("takes a working order back, and says that a second time comes too late", async () => {
      const road = await trading();
      road.gateway.place([order("L", { kind: { kind: "limit", limitTicks: BID - 50 } })], 0);
      await road.rest();
      await move(road, 1);

      road.gateway.cancel("L");
      await road.rest();
      await move(road, 2);
      const state = last(road.told.events, "L")?.state;
      road.gateway.cancel("L");
      await road.rest();
      await move(road, 3);

      expect(state).toBe("cancelled");
      expect(road.told.events.filter((event) => event.type === "change_refused")).toMatchObject([{ orderRef: "L" }]);
      expect(last(road.told.events, "L")?.state).toBe("cancelled");
    });

    test("a cancel of the entry takes its children along", async () => {
      const road = await trading();
      const entry = order("E", { kind: { kind: "limit", limitTicks: BID - 50 } });
      road.gateway.place([entry, ...BRACKET.slice(1)], 0);
      await road.rest();
      await move(road, 1);

      road.gateway.cancel("E");
      await road.rest();
      await move(road, 2);

      expect(["E", "S", "T"].map((ref) => last(road.told.events, ref)?.state)).toEqual(Array(3).fill("cancelled"));
      expect(await road.gateway.openOrders()).toEqual({ ok: true, value: [] });
    });

    test("tells that an order is refused, with the broker's words", async () => {
      const road = await trading();

      road.gateway.place([order("X", { quantity: 500 })], 0);
      await road.rest();
      await move(road, 1);

      const refused = road.told.events.find((event) => event.type === "order_refused");
      expect(refused).toMatchObject({ orderRef: "X", code: 201 });
      expect(refused?.type === "order_refused" && refused.text.length).toBeGreaterThan(10);
      expect(["inactive", "cancelled"]).toContain(last(road.told.events, "X")?.state);
      expect(fills(road.told.events)).toEqual([]);
    });

    test("what is asked agrees with what was told: orders, executions, positions", async () => {
      const road = await trading();
      road.gateway.place(BRACKET, 0);
      await road.rest();
      await move(road, 1);

      const open = await road.gateway.openOrders();
      await road.rest();
      const executions = await road.gateway.executions();
      await road.rest();
      const positions = await road.gateway.positions();

      const byRef = (orders: readonly BrokerOrder[]): object[] =>
        orders.map(({ orderRef, orderId, permId, kind, quantity }) => ({ orderRef, orderId, permId, kind, quantity }));
      expect(open.ok && byRef(open.value)).toEqual(
        byRef(["S", "T"].map((ref) => last(road.told.events, ref) as BrokerOrder)),
      );
      expect(executions).toEqual({ ok: true, value: fills(road.told.events) });
      expect(positions).toMatchObject({ ok: true, value: [{ position: 1, averageTicksE2: ASK * 100 }] });
    });

    test("names executions once and for all, each by its own id", async () => {
      const road = await trading();
      road.gateway.place([order("A")], 0);
      road.gateway.place([order("B", { side: "sell" })], 0);
      await road.rest();
      await move(road, 1);

      const first = await road.gateway.executions();
      await move(road, 2);
      const second = await road.gateway.executions();

      const ids = first.ok ? first.value.map((fill) => fill.execId) : [];
      expect(new Set(ids).size).toBe(2);
      expect(second).toEqual(first);
    });

    test("once closed is down, and says of an order that it is not sent", async () => {
      const { gateway, told } = await trading();

      await gateway.close();
      gateway.place([order("X")], 0);

      expect(told.events.filter((event) => event.type === "link_changed").at(-1)).toMatchObject({
        link: "down",
        epoch: 1,
      });
      expect(told.events.at(-1)).toMatchObject({ type: "not_sent", orderRef: "X" });
      expect((await gateway.openOrders()).ok).toBe(false);
    });
  });
}

type Market = Extract<GatewayEvent, { type: "trade" | "quote" }>;

const market = (events: readonly GatewayEvent[]): Market[] =>
  events.filter((event): event is Market => event.type === "trade" || event.type === "quote");

const fills = (events: readonly GatewayEvent[]): Extract<GatewayEvent, { type: "fill" }>["fill"][] =>
  events.flatMap((event) => (event.type === "fill" ? [event.fill] : []));

/** Returns the order as it was last told. */
const last = (events: readonly GatewayEvent[], orderRef: string): BrokerOrder | undefined =>
  events
    .flatMap((event) => (event.type === "order_reported" && event.order.orderRef === orderRef ? [event.order] : []))
    .at(-1);
