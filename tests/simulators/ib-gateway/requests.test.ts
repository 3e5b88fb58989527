import { BarSizeSetting, EventName, type IBApi, SecType, TickByTickDataType, WhatToShow } from "@stoqey/ib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Client, FRONT_MONTH, MES, type Rig, START_MS, startRig } from "./rig.ts";

const CONTRACT = { ...MES, secType: SecType.FUT };

let rig: Rig;
let client: Client;
let ib: IBApi;

beforeEach(async () => {
  rig = await startRig();
  client = await rig.connect(7);
  ib = client.ib;
});
afterEach(() => rig.stop());

test("a client is told its account, its next order id and that the farms are up", async () => {
  await client.until("info", (_text: string, code: number) => code === 2158);

  expect(client.nextOrderId).toBe(1);
  expect(client.all(EventName.managedAccounts)).toEqual([["DU1234567"]]);
  expect(client.all("info").map(([, code]) => code)).toEqual([2104, 2106, 2158]);
  expect(ib.serverVersion).toBe(178);
});

test("contract details without a month list every quarterly contract with tick, multiplier and hours", async () => {
  ib.reqContractDetails(1, { symbol: "MES", secType: SecType.FUT, exchange: "CME", currency: "USD" });
  await client.until(EventName.contractDetailsEnd);

  const details = client.all(EventName.contractDetails).map(([, one]) => one as Record<string, never>);
  expect(details.map((one) => one["contractMonth"])).toEqual(["202603", "202606", "202609", "202612", "202703"]);
  expect(details[0]).toMatchObject({
    minTick: 0.25,
    priceMagnifier: 1,
    timeZoneId: "US/Central",
    realExpirationDate: "20260320",
    underSymbol: "MES",
    contract: {
      symbol: "MES",
      secType: "FUT",
      multiplier: 5,
      localSymbol: "MESH6",
      lastTradeDateOrContractMonth: "20260320",
      exchange: "CME",
      currency: "USD",
    },
  });
  expect(details[0]?.["tradingHours"]).toMatch(/^20260104:1700-20260105:1600;20260105:1700-20260106:1600;/);
  expect(details[0]?.["tradingHours"]).toContain(";20260110:CLOSED;20260111:CLOSED");
  expect(details[0]?.["liquidHours"]).toMatch(/^20260105:0830-20260105:1500;/);
});

test.each([
  ["MES", "CME", 0.25, 5],
  ["ES", "CME", 0.25, 50],
  ["MNQ", "CME", 0.25, 2],
  ["NQ", "CME", 0.25, 20],
  ["M2K", "CME", 0.1, 5],
  ["RTY", "CME", 0.1, 50],
  ["MYM", "CBOT", 1, 0.5],
  ["YM", "CBOT", 1, 5],
])("%s on %s has tick %d and multiplier %d", async (symbol, exchange, minTick, multiplier) => {
  ib.reqContractDetails(1, { symbol, exchange, secType: SecType.FUT, lastTradeDateOrContractMonth: FRONT_MONTH });
  await client.until(EventName.contractDetailsEnd);

  expect(client.all(EventName.contractDetails)).toHaveLength(1);
  expect(client.all(EventName.contractDetails)[0]?.[1]).toMatchObject({ minTick, contract: { multiplier } });
});

test("a contract number alone finds its contract", async () => {
  ib.reqContractDetails(1, CONTRACT);
  const [, , details] = await client.until(EventName.contractDetails);
  const conId = (details as { contract: { conId: number } }).contract.conId;
  ib.reqContractDetails(2, { conId });
  await client.until(EventName.contractDetailsEnd, (reqId: number) => reqId === 2);

  expect(client.all(EventName.contractDetails).map(([, one]) => (one as { contract: object }).contract)).toMatchObject([
    { localSymbol: "MESH6" },
    { localSymbol: "MESH6" },
  ]);
});

test("an unknown contract is answered by error 200 and no end", async () => {
  ib.reqContractDetails(5, { symbol: "AAPL", secType: SecType.STK, exchange: "SMART", currency: "USD" });
  const error = await client.until(EventName.error, (_error: Error, code: number) => code === 200);

  expect(error[3]).toBe(5);
  expect(client.all(EventName.contractDetailsEnd)).toEqual([]);
});

test("market data tells bid, ask and last with sizes, and what moves four times a second", async () => {
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  ib.reqMktData(1, CONTRACT, "", false, false);
  await client.until(EventName.tickPrice, (_id: number, type: number) => type === 4);
  rig.market.tick(START_MS + 300, 20_004);
  rig.market.tick(START_MS + 400, 20_008);
  await rig.step(250);
  await client.until(EventName.tickPrice, (_id: number, type: number, price: number) => type === 4 && price === 5_002);

  const prices = client.all(EventName.tickPrice).map(([, type, price]) => [type, price]);
  expect(prices).toContainEqual([1, 5_000]);
  expect(prices).toContainEqual([2, 5_000.25]);
  expect(prices).toContainEqual([4, 5_000]);
  expect(prices).not.toContainEqual([4, 5_001]);
  expect(prices.filter(([type]) => type === 9)).toHaveLength(1);
  expect(client.all(EventName.tickSize)).toContainEqual([1, 0, 5]);
  expect(client.all(EventName.tickSize)).toContainEqual([1, 3, 7]);
});

test("a snapshot request is answered once and ended", async () => {
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  ib.reqMktData(3, CONTRACT, "", true, false);
  await client.until(EventName.tickSnapshotEnd);

  expect(client.all(EventName.tickPrice).map(([, type]) => type)).toContain(4);
});

test("data of a month without a market is refused with 354", async () => {
  ib.reqMktData(4, { ...CONTRACT, lastTradeDateOrContractMonth: "202606" }, "", false, false);

  const error = await client.until(EventName.error, (_error: Error, code: number) => code === 354);
  expect(error[3]).toBe(4);
});

test("tick-by-tick tells every trade and every quote in order", async () => {
  ib.reqTickByTickData(1, CONTRACT, TickByTickDataType.Last, 0, false);
  ib.reqTickByTickData(2, CONTRACT, TickByTickDataType.BidAsk, 0, false);
  ib.reqCurrentTime();
  await client.until(EventName.currentTime);
  for (let at = 1; at <= 5; at += 1) rig.market.tick(START_MS + at * 10, 20_000 + at);
  await rig.step(250);
  await client.until(
    EventName.tickByTickAllLast,
    (_id: number, _type: number, _time: string, price: number) => price === 5_001.25,
  );

  expect(
    client.all(EventName.tickByTickAllLast).map(([id, type, time, price, size]) => [id, type, time, price, size]),
  ).toEqual([5_000.25, 5_000.5, 5_000.75, 5_001, 5_001.25].map((price) => [1, 1, String(START_MS / 1_000), price, 2]));
  expect(client.all(EventName.tickByTickBidAsk).at(-1)?.slice(0, 6)).toEqual([
    2,
    String(START_MS / 1_000),
    5_001.25,
    5_001.5,
    5,
    7,
  ]);
});

test("a real-time bar holds the trades of its five seconds", async () => {
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  ib.reqRealTimeBars(9, CONTRACT, 5, WhatToShow.TRADES, false);
  ib.reqCurrentTime();
  await client.until(EventName.currentTime);
  rig.market.tick(START_MS + 1_000, 20_008);
  rig.market.tick(START_MS + 2_000, 19_996);
  rig.market.tick(START_MS + 4_999, 20_004);
  await rig.step(5_000);
  await client.until(EventName.realtimeBar);

  expect(client.all(EventName.realtimeBar)[0]).toEqual([
    9,
    START_MS / 1_000,
    5_002,
    5_002,
    4_999,
    5_001,
    6,
    expect.closeTo(5_000.6667, 3),
    3,
  ]);
});

test.each([
  [BarSizeSetting.SECONDS_ONE, "60 S", 60],
  [BarSizeSetting.SECONDS_FIVE, "600 S", 120],
  [BarSizeSetting.MINUTES_ONE, "3600 S", 60],
  [BarSizeSetting.HOURS_ONE, "1 D", 16],
])("historical bars of %s over %s are %d", async (size, duration, count) => {
  ib.reqHistoricalData(1, CONTRACT, "", duration, size, WhatToShow.TRADES, 0, 2, false);
  await client.until(EventName.historicalData, (_id: number, time: string) => time.startsWith("finished"));

  const bars = client.all(EventName.historicalData).slice(0, -1);
  expect(bars).toHaveLength(count);
  expect(Number(bars.at(-1)?.[1])).toBeLessThan(START_MS / 1_000);
});

test("historical bars that are kept up to date grow with the trades", async () => {
  ib.reqHistoricalData(2, CONTRACT, "", "300 S", BarSizeSetting.MINUTES_ONE, WhatToShow.TRADES, 0, 2, true);
  await client.until(EventName.historicalData, (_id: number, time: string) => time.startsWith("finished"));
  rig.market.tick(START_MS + 500, 20_040);
  await rig.step(1_000);
  const [, reqId, time, open, high, low, close, volume] = await client.until(EventName.historicalDataUpdate);

  expect([reqId, time, open, high, low, close, volume]).toEqual([
    2,
    String(START_MS / 1_000),
    5_010,
    5_010,
    5_010,
    5_010,
    2,
  ]);
});

test("midpoint bars that are kept up to date grow with the quotes", async () => {
  ib.reqHistoricalData(2, CONTRACT, "", "300 S", BarSizeSetting.MINUTES_ONE, WhatToShow.MIDPOINT, 0, 2, true);
  await client.until(EventName.historicalData, (_id: number, time: string) => time.startsWith("finished"));
  rig.market.tick(START_MS + 500, 20_040);
  await rig.step(1_000);
  const [, , , open, , , close, volume] = await client.until(EventName.historicalDataUpdate);

  expect([open, close, volume]).toEqual([5_010.125, 5_010.125, -1]);
});

test("the ends of historical bars are written without a zone", async () => {
  ib.reqHistoricalData(1, CONTRACT, "", "300 S", BarSizeSetting.MINUTES_ONE, WhatToShow.TRADES, 0, 2, false);
  const end = await client.until(EventName.historicalData, (_id: number, time: string) => time.startsWith("finished"));

  expect(end[2]).toBe("finished-20260105  08:55:00-20260105  09:00:00");
});

test("a continuous future has history up to now only", async () => {
  const front = { ...CONTRACT, secType: SecType.CONTFUT, lastTradeDateOrContractMonth: "" };
  const end = "20260105-09:00:00";
  ib.reqHistoricalData(2, front, end, "300 S", BarSizeSetting.MINUTES_ONE, WhatToShow.TRADES, 0, 2, false);
  await client.until(EventName.error);

  expect(client.all(EventName.error).map(([, code, id]) => [code, id])).toEqual([[10_339, 2]]);
});

test("historical ticks come from the tape", async () => {
  for (let at = 1; at <= 3; at += 1) rig.market.tick(START_MS + at * 1_000, 20_000 + at);
  await rig.step(5_000);
  ib.reqHistoricalTicks(3, CONTRACT, "20260105 09:00:02 US/Central", "", 10, WhatToShow.TRADES, 0, true);
  const [, , ticks, done] = await client.until(EventName.historicalTicksLast);

  expect((ticks as { price: number }[]).map((tick) => tick.price)).toEqual([5_000.5, 5_000.75]);
  expect(done).toBe(true);
});

test("the account is told by summary, updates, positions and profit and loss, each with its end", async () => {
  ib.reqAccountSummary(1, "All", "NetLiquidation,AvailableFunds");
  ib.reqAccountUpdates(true, "DU1234567");
  ib.reqPositions();
  ib.reqPnL(2, "DU1234567", "");
  ib.reqAllOpenOrders();
  ib.reqCompletedOrders(false);
  ib.reqExecutions(3, {});
  await client.until(EventName.execDetailsEnd);

  expect(client.all(EventName.accountSummary)).toContainEqual([1, "DU1234567", "NetLiquidation", "10000.00", "USD"]);
  expect(client.all(EventName.accountSummaryEnd)).toEqual([[1]]);
  expect(client.all(EventName.updateAccountValue)).toContainEqual(["AvailableFunds", "10000.00", "USD", "DU1234567"]);
  expect(client.all(EventName.accountDownloadEnd)).toEqual([["DU1234567"]]);
  expect(client.all(EventName.position)).toEqual([]);
  expect(client.all(EventName.positionEnd)).toHaveLength(1);
  expect(client.all(EventName.pnl)).toEqual([[2, 0, 0, 0]]);
  expect(client.all(EventName.openOrderEnd)).toHaveLength(1);
  expect(client.all(EventName.completedOrdersEnd)).toHaveLength(1);
});

test("the server's time is the market's", async () => {
  ib.reqCurrentTime();

  expect(await client.until(EventName.currentTime)).toEqual([EventName.currentTime, START_MS / 1_000]);
});

test("what a real gateway offers and this one does not is refused under the request's id", async () => {
  ib.reqMktDepth(61, CONTRACT, 5, false);
  ib.reqMatchingSymbols(62, "MES");
  await client.until(EventName.error, (_error: Error, _code: number, id: number) => id === 62);

  expect(client.all(EventName.error).map(([, code, id]) => [code, id])).toEqual([
    [321, 61],
    [321, 62],
  ]);
});
