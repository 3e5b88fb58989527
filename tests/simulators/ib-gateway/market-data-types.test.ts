// What an account sees that has no subscription, and what is left to see when the market has closed.
import { BarSizeSetting, EventName, MarketDataType, SecType, TickByTickDataType, WhatToShow } from "@stoqey/ib";
import { DateTime } from "luxon";
import { expect, onTestFinished, test } from "vitest";
import { DELAY_MS } from "../../../src/simulators/ib-gateway/delayed-view.ts";
import { type Client, MES, type Rig, START_MS, startRig } from "./rig.ts";

const CONTRACT = { ...MES, secType: SecType.FUT };

async function connected(options: Parameters<typeof startRig>[0]): Promise<{ rig: Rig; client: Client }> {
  const rig = await startRig(options);
  onTestFinished(() => rig.stop());
  return { rig, client: await rig.connect(1) };
}

function errors(client: Client): [code: number, id: number][] {
  return client.all(EventName.error).map(([, code, id]) => [code as number, id as number]);
}

/** Returns what the client was told of prices: tick type and price, in order. */
function prices(client: Client, reqId: number): [type: number, price: number][] {
  return client
    .all(EventName.tickPrice)
    .filter(([id]) => id === reqId)
    .map(([, type, price]) => [type as number, price as number]);
}

test("without a subscription live data are refused, delayed ones come a quarter of an hour late under their own types", async () => {
  const { rig, client } = await connected({ isDataDelayed: true });
  client.ib.reqMktData(1, CONTRACT, "", false, false);
  await client.until(EventName.error);
  client.ib.reqMarketDataType(MarketDataType.DELAYED);
  client.ib.reqMktData(2, CONTRACT, "", false, false);
  await client.until(EventName.marketDataType);
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  rig.market.tick(START_MS + 1_000, 20_400);
  await rig.step(DELAY_MS - 250);
  const early = prices(client, 2);
  await rig.step(250);
  await client.until(EventName.tickPrice);

  expect(errors(client)).toEqual([
    [10_168, 1],
    [10_167, 2],
  ]);
  expect(client.all(EventName.marketDataType)).toEqual([[2, 3]]);
  expect(early).toEqual([]);
  expect(prices(client, 2)).toEqual(
    expect.arrayContaining([
      [66, 5_000],
      [67, 5_000.25],
      [68, 5_000],
    ]),
  );
  expect(prices(client, 2).map(([, price]) => price)).not.toContain(5_100);
});

test("without a subscription there are no single ticks, bars or history", async () => {
  const { client } = await connected({ isDataDelayed: true });
  client.ib.reqTickByTickData(1, CONTRACT, TickByTickDataType.Last, 0, false);
  client.ib.reqRealTimeBars(2, CONTRACT, 5, WhatToShow.TRADES, false);
  client.ib.reqHistoricalData(3, CONTRACT, "", "300 S", BarSizeSetting.MINUTES_ONE, WhatToShow.TRADES, 0, 2, false);
  client.ib.reqHistoricalTicks(4, CONTRACT, "", "20260105-23:00:00", 10, WhatToShow.TRADES, 0, true);
  await client.until(EventName.error, (_error: Error, _code: number, id: number) => id === 4);

  expect(errors(client)).toEqual([
    [10_189, 1],
    [420, 2],
    [162, 3],
    [10_187, 4],
  ]);
});

test("when the market has closed its last quotes are frozen for who asks for that, and gone for the others", async () => {
  const closeMs = DateTime.utc(2026, 1, 5, 22, 0).toMillis();
  const { rig, client } = await connected({ startMs: closeMs - 1_000 });
  rig.market.tick(closeMs - 500, 20_000);
  await rig.step(2_000);
  client.ib.reqMktData(1, CONTRACT, "", false, false);
  client.ib.reqMarketDataType(MarketDataType.FROZEN);
  client.ib.reqMktData(2, CONTRACT, "", false, false);
  await client.until(EventName.tickPrice, (id: number, type: number) => id === 2 && type === 2);

  expect(client.all(EventName.marketDataType)).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(prices(client, 1).slice(0, 2)).toEqual([
    [1, -1],
    [2, -1],
  ]);
  expect(prices(client, 2).slice(0, 2)).toEqual([
    [1, 5_000],
    [2, 5_000.25],
  ]);
});

test("a type of data that does not exist is refused", async () => {
  const { client } = await connected({});
  client.ib.reqMarketDataType(7 as MarketDataType);
  const [, , code] = await client.until("info", (_text: string, code: number) => code === 321);

  expect(code).toBe(321);
});
