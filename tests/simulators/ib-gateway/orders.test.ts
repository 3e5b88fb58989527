import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventName, type IBApi, type Order, OrderAction, OrderType, SecType, TimeInForce } from "@stoqey/ib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Client, MES, type Rig, START_MS, settle, startRig, statuses } from "./rig.ts";

const CONTRACT = { ...MES, secType: SecType.FUT };
const MARKET: Order = {
  action: OrderAction.BUY,
  orderType: OrderType.MKT,
  totalQuantity: 1,
  tif: TimeInForce.DAY,
  transmit: true,
};
const LIMIT: Order = { ...MARKET, orderType: OrderType.LMT, lmtPrice: 4_990 };

let rig: Rig;
let client: Client;
let ib: IBApi;
let ledgerFile: string;

beforeEach(async () => {
  ledgerFile = join(mkdtempSync(join(tmpdir(), "gateway-")), "ledger.jsonl");
  rig = await startRig({ ledgerFile });
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  client = await rig.connect(1);
  ib = client.ib;
});
afterEach(() => rig.stop());

function errors(of: Client = client): [code: number, id: number][] {
  return of.all(EventName.error).map(([, code, id]) => [code as number, id as number]);
}

test("a market order is submitted, then filled, with one execution and its commission", async () => {
  ib.reqPositions();
  ib.placeOrder(1, CONTRACT, { ...MARKET, orderRef: "QS1-E" });
  await settle(rig, client);

  expect(statuses(client, 1)).toEqual(["PreSubmitted 0/1", "Submitted 0/1", "Filled 1/0"]);
  const executions = client.all(EventName.execDetails);
  expect(executions).toHaveLength(1);
  expect(executions[0]?.[0]).toBe(-1);
  expect(executions[0]?.[2]).toMatchObject({
    orderId: 1,
    clientId: 1,
    side: "BOT",
    shares: 1,
    price: 5_000.25,
    cumQty: 1,
    avgPrice: 5_000.25,
    orderRef: "QS1-E",
    acctNumber: "DU1234567",
    time: "20260105 09:00:00 US/Central",
  });
  expect(client.all(EventName.commissionReport)[0]?.[0]).toMatchObject({ commission: 0.57, currency: "USD" });
  expect(client.all(EventName.position).at(-1)?.slice(2)).toEqual([1, 25_001.25]);
});

test("an order is opened before its first status, and the commission follows its execution", async () => {
  ib.placeOrder(1, CONTRACT, MARKET);
  await settle(rig, client);

  const names = client.told.map(([name]) => name);
  expect(names.indexOf("openOrder")).toBeLessThan(names.indexOf("orderStatus"));
  expect(names.indexOf("execDetails")).toBeLessThan(names.indexOf("commissionReport"));
});

test("closing a position reports what it earned less the fee", async () => {
  ib.placeOrder(1, CONTRACT, MARKET);
  await settle(rig, client);
  rig.market.tick(rig.nowMs() + 10, 20_021);
  await rig.step(250);
  ib.placeOrder(2, CONTRACT, { ...MARKET, action: OrderAction.SELL });
  await settle(rig, client);

  const reports = client.all(EventName.commissionReport).map(([report]) => report as { realizedPNL?: number });
  expect(reports.map((report) => report.realizedPNL)).toEqual([undefined, 24.43]);
});

test("a limit order rests, can be modified under the same permId, and is cancelled with 202", async () => {
  ib.placeOrder(1, CONTRACT, LIMIT);
  await settle(rig, client);
  ib.placeOrder(1, CONTRACT, { ...LIMIT, lmtPrice: 4_995.5 });
  await settle(rig, client);
  ib.cancelOrder(1);
  await settle(rig, client);

  expect(statuses(client, 1)).toEqual(["PreSubmitted 0/1", "Submitted 0/1", "PendingCancel 0/1", "Cancelled 0/1"]);
  const opened = client.all(EventName.openOrder);
  expect(new Set(opened.map(([, , order]) => (order as { permId: number }).permId)).size).toBe(1);
  expect(opened.at(-1)?.[2]).toMatchObject({ lmtPrice: 4_995.5 });
  expect(errors()).toEqual([[202, 1]]);
});

test("a bracket waits for its last leg, and the leg that fills cancels the other", async () => {
  ib.placeOrder(1, CONTRACT, { ...MARKET, transmit: false });
  ib.placeOrder(2, CONTRACT, {
    ...MARKET,
    action: OrderAction.SELL,
    orderType: OrderType.LMT,
    lmtPrice: 5_010,
    parentId: 1,
    transmit: false,
    tif: TimeInForce.GTC,
  });
  await settle(rig, client);
  expect(client.all(EventName.execDetails)).toEqual([]);
  ib.placeOrder(3, CONTRACT, {
    ...MARKET,
    action: OrderAction.SELL,
    orderType: OrderType.STP,
    auxPrice: 4_990,
    parentId: 1,
    transmit: true,
    tif: TimeInForce.GTC,
  });
  await settle(rig, client);
  expect(statuses(client, 1).at(-1)).toBe("Filled 1/0");
  expect(statuses(client, 2).at(-1)).toBe("Submitted 0/1");
  expect(
    client
      .all(EventName.orderStatus)
      .filter(([id]) => id === 3)
      .at(-1),
  ).toMatchObject({ 1: "PreSubmitted", 6: 1, 9: "trigger" });
  rig.market.tick(rig.nowMs() + 10, 20_040);
  await rig.step(250);
  await settle(rig, client);

  expect(statuses(client, 2).at(-1)).toBe("Filled 1/0");
  expect(statuses(client, 3).at(-1)).toBe("Cancelled 0/1");
  expect(errors()).toEqual([[202, 3]]);
});

test("cancelling a parent before it fills cancels its children", async () => {
  ib.placeOrder(1, CONTRACT, { ...LIMIT, transmit: false });
  ib.placeOrder(2, CONTRACT, {
    ...MARKET,
    action: OrderAction.SELL,
    orderType: OrderType.STP,
    auxPrice: 4_980,
    parentId: 1,
    transmit: true,
  });
  await settle(rig, client);
  ib.cancelOrder(1);
  await settle(rig, client);

  expect(statuses(client, 1).at(-1)).toBe("Cancelled 0/1");
  expect(statuses(client, 2).at(-1)).toBe("Cancelled 0/1");
});

test("of an OCA group the first fill cancels the rest", async () => {
  ib.placeOrder(1, CONTRACT, { ...LIMIT, ocaGroup: "exit", ocaType: 1 });
  ib.placeOrder(2, CONTRACT, { ...LIMIT, lmtPrice: 4_999, ocaGroup: "exit", ocaType: 1 });
  await settle(rig, client);
  rig.market.tick(rig.nowMs() + 10, 19_990);
  await rig.step(250);
  await settle(rig, client);

  expect(statuses(client, 1).at(-1)).toBe("Cancelled 0/1");
  expect(statuses(client, 2).at(-1)).toBe("Filled 1/0");
});

test("a what-if order is answered by margins and is no order", async () => {
  ib.placeOrder(1, CONTRACT, { ...MARKET, whatIf: true });
  const [, orderId, , , state] = await client.until(EventName.openOrder);
  const written = readFileSync(ledgerFile, "utf8").match(/"type":"(?!connected)[a-z_]+"/g);

  expect(written).toEqual(['"type":"what_if"']);

  expect(orderId).toBe(1);
  expect(state).toMatchObject({
    status: "PreSubmitted",
    initMarginBefore: 0,
    initMarginChange: 1_188,
    initMarginAfter: 1_188,
    maintMarginChange: 1_080,
    equityWithLoanBefore: 10_000,
    commission: 0.57,
    commissionCurrency: "USD",
  });
  await settle(rig, client);
  expect(client.all(EventName.execDetails)).toEqual([]);
  expect(client.all(EventName.orderStatus)).toEqual([]);
});

test.each<[string, number, Order]>([
  ["a price off the tick grid", 110, { ...LIMIT, lmtPrice: 4_990.1 }],
  ["no quantity", 434, { ...MARKET, totalQuantity: 0 }],
  ["an unknown parent", 10006, { ...MARKET, parentId: 99 }],
  ["a type that the exchange does not know", 387, { ...MARKET, orderType: OrderType.MOC }],
  ["a type that is listed elsewhere only", 387, { ...LIMIT, orderType: OrderType.MIT, auxPrice: 4_990 }],
  ["a lifetime that does not exist", 10_052, { ...LIMIT, tif: "XYZ" as TimeInForce }],
  ["a good-till date that is past", 334, { ...LIMIT, tif: TimeInForce.GTD, goodTillDate: "20260104 09:00:00 UTC" }],
  ["good till no date", 334, { ...LIMIT, tif: TimeInForce.GTD }],
  ["a trail of the whole price", 201, { ...MARKET, orderType: OrderType.TRAIL, trailingPercent: 100 }],
  [
    "an algorithm",
    201,
    { ...MARKET, algoStrategy: "Adaptive", algoParams: [{ tag: "adaptivePriority", value: "Normal" }] },
  ],
  ["another account", 321, { ...MARKET, account: "DU7654321" }],
  ["more than the margin allows", 201, { ...MARKET, totalQuantity: 500 }],
  ["a what-if that does not transmit", 413, { ...MARKET, whatIf: true, transmit: false }],
])("an order with %s is refused with %d", async (_what, code, order) => {
  ib.placeOrder(1, CONTRACT, order);
  await settle(rig, client);

  expect(errors()).toEqual([[code, 1]]);
  expect(client.all(EventName.execDetails)).toEqual([]);
});

test("an order id that is not above the last one is refused with 103, a filled one with 104", async () => {
  ib.placeOrder(5, CONTRACT, MARKET);
  await settle(rig, client);
  ib.placeOrder(5, CONTRACT, MARKET);
  ib.placeOrder(4, CONTRACT, MARKET);
  await settle(rig, client);

  expect(errors()).toEqual([
    [104, 5],
    [103, 4],
  ]);
});

test.each<[string, number, Order]>([
  ["another side", 105, { ...LIMIT, action: OrderAction.SELL }],
  ["another type", 329, { ...LIMIT, orderType: OrderType.STP, auxPrice: 5_010 }],
])("a modify to %s is refused with %d and the order stands", async (_what, code, order) => {
  ib.placeOrder(1, CONTRACT, LIMIT);
  await settle(rig, client);
  ib.placeOrder(1, CONTRACT, order);
  await settle(rig, client);

  expect(errors()).toEqual([[code, 1]]);
  expect(statuses(client, 1).at(-1)).toBe("Submitted 0/1");
});

test("cancelling what is not there is refused with 10147, what has ended with 10148", async () => {
  ib.placeOrder(1, CONTRACT, MARKET);
  await settle(rig, client);
  ib.cancelOrder(1);
  ib.cancelOrder(42);
  await settle(rig, client);

  expect(errors()).toEqual([
    [10148, 1],
    [10147, 42],
  ]);
});

test("another client sees an order in all open orders, hears nothing of it and can't cancel it", async () => {
  const other = await rig.connect(2);
  ib.placeOrder(1, CONTRACT, LIMIT);
  await settle(rig, client);
  other.ib.cancelOrder(1);
  other.ib.reqOpenOrders();
  other.ib.reqAllOpenOrders();
  while (other.all(EventName.openOrderEnd).length < 2) await new Promise((resolve) => setImmediate(resolve));

  expect(errors(other)).toEqual([[10147, 1]]);
  expect(other.all(EventName.openOrder)).toHaveLength(1);
  expect(other.all(EventName.openOrder)[0]?.[2]).toMatchObject({ clientId: 1, orderId: 1 });
  expect(statuses(client, 1).at(-1)).toBe("Submitted 0/1");
});

test("a global cancel cancels the orders of all clients", async () => {
  const other = await rig.connect(2);
  ib.placeOrder(1, CONTRACT, LIMIT);
  await settle(rig, client);
  other.ib.reqGlobalCancel();
  await settle(rig, other);
  await settle(rig, client);

  expect(statuses(client, 1).at(-1)).toBe("Cancelled 0/1");
});

test("a second client with the same id is turned away with 326 and the first stays", async () => {
  const second = await import("@stoqey/ib").then(
    ({ IBApi }) => new IBApi({ host: "127.0.0.1", port: rig.server.port, clientId: 1 }),
  );
  const codes: unknown[] = [];
  second.on(EventName.info, (_text: string, code: number) => codes.push(code));
  const gone = new Promise((resolve) => second.on(EventName.disconnected, () => resolve(undefined)));
  second.connect();
  await gone;
  ib.placeOrder(1, CONTRACT, MARKET);
  await settle(rig, client);

  expect(codes).toEqual([326]);
  expect(statuses(client, 1).at(-1)).toBe("Filled 1/0");
});

test("executions and completed orders can be asked for afterwards", async () => {
  ib.placeOrder(1, CONTRACT, { ...MARKET, orderRef: "first" });
  ib.placeOrder(2, CONTRACT, LIMIT);
  await settle(rig, client);
  ib.cancelOrder(2);
  await settle(rig, client);
  ib.reqExecutions(77, {});
  ib.reqCompletedOrders(false);
  await client.until(EventName.completedOrdersEnd);

  const asked = client.all(EventName.execDetails).filter(([reqId]) => reqId === 77);
  expect(asked).toHaveLength(1);
  expect(asked[0]?.[2]).toMatchObject({ orderRef: "first", price: 5_000.25 });
  expect(
    client
      .all(EventName.completedOrder)
      .map(([, order, state]) => [(order as Order).orderRef, (state as { status: string }).status]),
  ).toEqual([
    ["first", "Filled"],
    ["", "Cancelled"],
  ]);
});

test("the ledger has every order frame, fill and position with its connection", async () => {
  ib.placeOrder(1, CONTRACT, { ...MARKET, orderRef: "QS1-1" });
  await settle(rig, client);
  ib.cancelOrder(1);
  await settle(rig, client);

  const lines = readFileSync(ledgerFile, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map((line) => line["type"]).filter((type) => type !== "status")).toEqual([
    "connected",
    "order",
    "fill",
    "position",
    "cancel",
    "error",
  ]);
  expect(lines.find((line) => line["type"] === "order")).toMatchObject({
    connection: 1,
    clientId: 1,
    orderId: 1,
    orderRef: "QS1-1",
    action: "BUY",
    transmit: true,
  });
  expect(lines.find((line) => line["type"] === "fill")).toMatchObject({
    price: 5_000.25,
    quantity: 1,
    orderRef: "QS1-1",
  });
  expect(lines.find((line) => line["type"] === "position")).toMatchObject({ position: 1 });
});

test("of fills that come at one moment the ledger has each position in turn", async () => {
  const other = await rig.connect(2);
  ib.placeOrder(1, CONTRACT, MARKET);
  other.ib.placeOrder(1, CONTRACT, { ...MARKET, totalQuantity: 2 });
  await settle(rig, other);
  await settle(rig, client);

  const lines = readFileSync(ledgerFile, "utf8").trimEnd().split("\n");
  const positions = lines
    .map((line) => JSON.parse(line) as { type: string; position?: number })
    .filter((line) => line.type === "position")
    .map((line) => line.position);
  expect(positions).toHaveLength(2);
  expect(positions.at(-1)).toBe(3);
  expect(positions[0]).toBeLessThan(3);
});

test("a good-till-date order is shown with its date and cancelled when its time comes", async () => {
  const till = "20260105 09:00:30 US/Central";
  ib.placeOrder(1, CONTRACT, { ...LIMIT, tif: TimeInForce.GTD, goodTillDate: till });
  await settle(rig, client);
  const shown = client.all(EventName.openOrder).at(-1)?.[2] as Order;

  await rig.step(29_000);
  expect(statuses(client, 1).at(-1)).toBe("Submitted 0/1");
  await rig.step(1_000);
  await settle(rig, client);

  expect([shown.tif, shown.goodTillDate]).toEqual(["GTD", till]);
  expect(statuses(client, 1).at(-1)).toBe("Cancelled 0/1");
  expect(errors()).toEqual([[202, 1]]);
});

test("a trailing stop by percent begins at its stop price, follows, and fires", async () => {
  const trail: Order = { ...MARKET, action: OrderAction.SELL, orderType: OrderType.TRAIL };
  ib.placeOrder(1, CONTRACT, { ...trail, trailingPercent: 1, trailStopPrice: 4_940 });
  await settle(rig, client);
  const shown = client.all(EventName.openOrder).at(-1)?.[2] as Order;
  // 1 % below 5,100 is 5,049.
  rig.market.tick(rig.nowMs() + 10, 20_400);
  await rig.step(250);
  rig.market.tick(rig.nowMs() + 10, 20_197);
  await rig.step(250);
  const before = statuses(client, 1).at(-1);
  rig.market.tick(rig.nowMs() + 10, 20_196);
  await rig.step(250);
  await settle(rig, client);

  expect([shown.trailingPercent, shown.trailStopPrice]).toEqual([1, 4_940]);
  expect(before).toBe("PreSubmitted 0/1");
  expect(statuses(client, 1).at(-1)).toBe("Filled 1/0");
});
