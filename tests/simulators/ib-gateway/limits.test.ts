// Every list of the gateway and every number in an order has an end; these tests reach it.
import {
  BarSizeSetting,
  EventName,
  type Order,
  OrderAction,
  OrderType,
  SecType,
  TimeInForce,
  WhatToShow,
} from "@stoqey/ib";
import { expect, onTestFinished, test } from "vitest";
import { BARS_MAX, TICKS_MAX } from "../../../src/simulators/ib-gateway/history.ts";
import { createBarStore, SECOND_BARS_MAX } from "../../../src/simulators/ib-gateway/market/bars.ts";
import { createOrderBook, ENDED_KEPT_MAX, noOrders } from "../../../src/simulators/ib-gateway/order-book.ts";
import type { GatewayExecution } from "../../../src/simulators/ib-gateway/order-messages.ts";
import { type OrderTerms, QUANTITY_MAX } from "../../../src/simulators/ib-gateway/order-terms.ts";
import { type Client, MES, type Rig, START_MS, settle, startRig } from "./rig.ts";

const CONTRACT = { ...MES, secType: SecType.FUT };
const TERMS: OrderTerms = {
  action: "BUY",
  quantity: 1,
  orderType: "LMT",
  kind: "limit",
  limitTicks: 20_000,
  triggerTicks: null,
  trailTicks: null,
  trailPercentE4: null,
  tif: "GTC",
  goodTillDate: "",
  goodTillMs: null,
  ocaGroup: "",
  ocaType: 0,
  orderRef: "",
  parentId: 0,
  outsideRth: true,
};

async function connected(): Promise<{ rig: Rig; client: Client }> {
  const rig = await startRig({ startCashUsd: 100_000_000 });
  onTestFinished(() => rig.stop());
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  return { rig, client: await rig.connect(1) };
}

test.each([
  [QUANTITY_MAX - 1, []],
  [QUANTITY_MAX, []],
  [QUANTITY_MAX + 1, [201]],
])("an order of %d contracts gets the errors %j", async (quantity, codes) => {
  const { rig, client } = await connected();
  const order: Order = {
    action: OrderAction.BUY,
    orderType: OrderType.LMT,
    lmtPrice: 4_000,
    totalQuantity: quantity,
    tif: TimeInForce.GTC,
    transmit: true,
  };
  client.ib.placeOrder(1, CONTRACT, order);
  await settle(rig, client);

  expect(client.all(EventName.error).map(([, code]) => code)).toEqual(codes);
});

test.each([
  [TICKS_MAX - 1, TICKS_MAX - 1],
  [TICKS_MAX, TICKS_MAX],
  [TICKS_MAX + 1, TICKS_MAX],
])("of %d historical ticks that are asked for %d come", async (wanted, given) => {
  const { rig, client } = await connected();
  for (let count = 0; count < TICKS_MAX + 10; count += 1) rig.market.tick(rig.nowMs() + 1 + count, 20_000);
  await rig.step(5_000);
  const end = "20260105-23:00:00";
  client.ib.reqHistoricalTicks(5, CONTRACT, "", end, wanted, WhatToShow.TRADES, 0, true);
  const [, , ticks] = await client.until(EventName.historicalTicksLast);

  expect(ticks).toHaveLength(given);
});

test(`an answer has at most ${BARS_MAX} historical bars`, async () => {
  const { client } = await connected();
  const day = "86400 S";
  client.ib.reqHistoricalData(6, CONTRACT, "", day, BarSizeSetting.SECONDS_ONE, WhatToShow.TRADES, 0, 2, false);
  await client.until(EventName.historicalData, (_id: number, time: string) => time.startsWith("finished"));

  expect(client.all(EventName.historicalData)).toHaveLength(BARS_MAX + 1);
});

test(`of ended orders and executions the newest ${ENDED_KEPT_MAX} are kept, working orders always`, () => {
  const book = createOrderBook(noOrders(), 1);
  const working = book.create(1, 1, 0, TERMS);
  for (let count = 0; count < 2 * ENDED_KEPT_MAX; count += 1) {
    book.create(1, 2 + count, 0, TERMS).status = "Cancelled";
    book.addExecution({ execId: String(count) } as GatewayExecution);
  }
  const last = book.create(1, 3 + 2 * ENDED_KEPT_MAX, 0, TERMS);
  book.addExecution({ execId: "last" } as GatewayExecution);

  expect(book.working()).toEqual([working, last]);
  // Twice as many are let in before half are dropped; the one that was made then had not ended yet.
  expect(book.all()).toHaveLength(ENDED_KEPT_MAX + 3);
  expect(book.byPermId(working.permId)).toBe(working);
  expect(book.byOrderId(1, 2)).toBeUndefined();
  expect(book.executions()).toHaveLength(ENDED_KEPT_MAX);
  expect(book.executions().at(-1)?.execId).toBe("last");
});

test(`of traded seconds the newest ${SECOND_BARS_MAX} are kept`, () => {
  const bars = createBarStore();
  for (let second = 0; second <= SECOND_BARS_MAX; second += 1) bars.trade(second * 1_000, 100, 1);
  const kept = bars.kept(1_000, Number.MAX_SAFE_INTEGER, 2 * SECOND_BARS_MAX, "TRADES");

  expect([kept.length, kept[0]?.openAtMs]).toEqual([SECOND_BARS_MAX, 1_000]);
});
