// The daily price limits as clients and people meet them: an empty side of the book, orders that wait, refusals, one line.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BarSizeSetting, EventName, OrderAction, OrderType, SecType, TickByTickDataType, WhatToShow } from "@stoqey/ib";
import { DateTime } from "luxon";
import { expect, onTestFinished, test } from "vitest";
import { createCalendar } from "../../../src/simulators/ib-gateway/calendar.ts";
import { seenBar } from "../../../src/simulators/ib-gateway/history.ts";
import { MEASURED } from "../../../src/simulators/ib-gateway/market/character.ts";
import { createSyntheticMarket } from "../../../src/simulators/ib-gateway/market/synthetic.ts";
import { type HeldSpan, holder, noteHeld } from "../../../src/simulators/ib-gateway/price-limits.ts";
import { fixedMarket } from "./fixed-market.ts";
import { MES, type Rig, START_MS, settle, startRig, statuses } from "./rig.ts";

const CONTRACT = { ...MES, secType: SecType.FUT };
/** 5 000 points on the Friday before: 7 % are 1 400 ticks. */
const FIXING_MS = DateTime.utc(2026, 1, 2, 20, 59, 45).toMillis();
const REFERENCE = 20_000;
const LIMIT = 18_600;

type Limits = { readonly referenceTicks: number | null; readonly standing: string; readonly text: string };
type State = {
  readonly priceLimits: Limits;
  readonly book: { bidTicks?: number; askTicks?: number; lastTicks?: number };
};

const state = (rig: Rig): State => rig.server.state() as State;

/** A gateway with a market that closed on Friday, at 09:00 of the Monday after. */
async function start(options: Parameters<typeof startRig>[0] = {}): Promise<Rig> {
  const market = fixedMarket(START_MS);
  market.tick(FIXING_MS, REFERENCE);
  const rig = await startRig({ market, ...options });
  onTestFinished(() => rig.stop());
  rig.market.tick(START_MS + 100, REFERENCE);
  await rig.step(250);
  return rig;
}

async function tick(rig: Rig, bidTicks: number): Promise<void> {
  rig.market.tick(rig.nowMs() + 1, bidTicks);
  await rig.step(250);
}

function jump(rig: Rig, ticks: number): void {
  rig.server.addFault({ when: { type: "at_once" }, fault: { fault: "price_jump", ticks } });
}

const order = (orderType: OrderType, action: OrderAction, rest: object = {}) => ({
  action,
  orderType,
  totalQuantity: 1,
  transmit: true,
  ...rest,
});

test("says where the limits stand, and that none is known before a close was seen", async () => {
  const rig = await start();
  expect(state(rig).priceLimits.text).toBe("Price limits: down 4650 (7 %), up none; reference 5000");

  const first = await startRig();
  onTestFinished(() => first.stop());
  first.market.tick(START_MS + 100, REFERENCE);
  await first.step(250);
  expect(state(first).priceLimits.text).toMatch(/^No price limits: what traded before .* is not known\.$/);
  await tick(first, 10_000);
  expect(state(first).book).toMatchObject({ bidTicks: 10_000, askTicks: 10_001, lastTicks: 10_000 });
});

test("a jump beyond the limit leaves the market at it without a bid, and clients are told so", async () => {
  const rig = await start();
  const client = await rig.connect(1);
  client.ib.reqTickByTickData(1, CONTRACT, TickByTickDataType.BidAsk, 0, false);
  client.ib.reqTickByTickData(2, CONTRACT, TickByTickDataType.Last, 0, false);
  await settle(rig, client);

  jump(rig, -2_000);
  await tick(rig, REFERENCE);
  await settle(rig, client, false);

  expect(client.all(EventName.tickByTickBidAsk).at(-1)?.slice(2, 6)).toEqual([-1, 4_650, 0, 7]);
  expect(client.all(EventName.tickByTickAllLast).at(-1)?.[3]).toBe(4_650);
  expect(state(rig)).toMatchObject({
    book: { askTicks: LIMIT, lastTicks: LIMIT },
    priceLimits: {
      standing: "down",
      text: "LIMIT DOWN: offered at 4650, no bids; nothing trades lower (7 %, reference 5000)",
    },
  });
  expect(state(rig).book.bidTicks).toBeUndefined();

  client.ib.reqTickByTickData(3, CONTRACT, TickByTickDataType.BidAsk, 0, false);
  await settle(rig, client, false);
  const late = client.all(EventName.tickByTickBidAsk).filter(([reqId]) => reqId === 3);
  expect(late.map((told) => told.slice(2, 4))).toEqual([[-1, 4_650]]);
});

test("an exit at the limit waits for the market to come back, and fills no lower", async () => {
  const rig = await start();
  const client = await rig.connect(1);
  client.ib.placeOrder(1, CONTRACT, order(OrderType.MKT, OrderAction.BUY));
  await settle(rig, client);
  client.ib.placeOrder(2, CONTRACT, order(OrderType.STP, OrderAction.SELL, { auxPrice: 4_900 }));
  await settle(rig, client);

  jump(rig, -2_000);
  await tick(rig, REFERENCE);
  await settle(rig, client);
  expect(statuses(client, 2)).toEqual(["PreSubmitted 0/1", "Submitted 0/1"]);

  jump(rig, 610);
  await tick(rig, REFERENCE);
  await settle(rig, client);
  expect(statuses(client, 2).at(-1)).toBe("Filled 1/0");
  const fills = client.all(EventName.execDetails).map(([, , execution]) => (execution as { price: number }).price);
  expect(fills).toEqual([5_000.25, 4_652.5]);
  expect(state(rig).priceLimits.standing).toBe("within");
});

test("a limit price beyond the limit is rejected with 201, and a stop's trigger beyond it is kept", async () => {
  const rig = await start();
  const client = await rig.connect(1);

  client.ib.placeOrder(1, CONTRACT, order(OrderType.LMT, OrderAction.SELL, { lmtPrice: 4_649.75 }));
  client.ib.placeOrder(2, CONTRACT, order(OrderType.STP, OrderAction.SELL, { auxPrice: 4_600 }));
  await settle(rig, client);

  const errors = client.all(EventName.error).filter(([, code]) => code === 201);
  expect(errors.map(([error]) => (error as Error).message)).toEqual([
    "Order rejected - reason:The limit price 4649.75 is beyond the daily price limit of 4650 (7 %).",
  ]);
  expect(statuses(client, 1).at(-1)).toBe("Cancelled 0/1");
  expect(statuses(client, 2).at(-1)).toBe("PreSubmitted 0/1");
});

test("bars of the past stand at the limit where the market stood there", async () => {
  const rig = await start();
  const client = await rig.connect(1);
  jump(rig, -2_000);
  await tick(rig, REFERENCE);
  await rig.step(5_000);
  await tick(rig, REFERENCE);

  client.ib.reqHistoricalData(9, CONTRACT, "", "60 S", BarSizeSetting.SECONDS_FIVE, WhatToShow.TRADES, 0, 2, false);
  await client.until(EventName.historicalData, (_reqId: number, date: string) => date.startsWith("finished"));

  const bars = client.all(EventName.historicalData).filter(([, date]) => !String(date).startsWith("finished"));
  expect(bars.slice(0, 3).map(([, , , , low]) => low)).not.toContain(4_650);
  expect(bars.at(-1)?.slice(2, 6)).toEqual([4_650, 4_650, 4_650, 4_650]);
});

test("a jump is measured from where the market would be, not from the limit that holds it", async () => {
  const rig = await start({ httpPort: 0 });
  const ask = async (jumpTicks: number): Promise<unknown> => {
    const url = `${rig.server.url}/simulate/market`;
    return await (await fetch(url, { method: "POST", body: JSON.stringify({ jumpTicks }) })).json();
  };

  expect(await ask(-15_000)).toEqual({ done: true });
  await tick(rig, REFERENCE);
  expect(state(rig).book.lastTicks).toBe(LIMIT);
  expect(await ask(-10_000)).toEqual({
    error: "the last price is 5000 ticks: jumpTicks may be -4600 at the lowest",
  });

  expect(await ask(15_000)).toEqual({ done: true });
  await tick(rig, REFERENCE);
  expect(await ask(-19_601)).toEqual({
    error: "the last price is 20000 ticks: jumpTicks may be -19600 at the lowest",
  });
});

test("limits and what they held outlast a restart", async () => {
  const stateFile = join(mkdtempSync(join(tmpdir(), "gateway-")), "state.json");
  const rig = await start({ stateFile });
  jump(rig, -2_000);
  await tick(rig, REFERENCE);
  await rig.stop();

  const market = fixedMarket(START_MS);
  market.tick(START_MS + 600, REFERENCE);
  const again = await startRig({ market, stateFile });
  onTestFinished(() => again.stop());
  await again.step(250);

  expect(state(again).priceLimits).toMatchObject({ referenceTicks: REFERENCE, standing: "down" });
});

test("a synthetic market's first day is limited by its own past, a recording's by none", async () => {
  const source = createSyntheticMarket({
    seed: 7,
    startMs: START_MS,
    startPriceTicks: 27_200,
    volatility: 1,
    character: MEASURED,
    hours: "exchange",
    calendar: createCalendar("exchange"),
    state: null,
  });
  const { ownPastFromMs: _, ...recorded } = source;

  const synthetic = await startRig({ source });
  onTestFinished(() => synthetic.stop());
  const made = await startRig({ source: { ...recorded } });
  onTestFinished(() => made.stop());

  const reference = state(synthetic).priceLimits.referenceTicks as number;
  expect(Math.abs(reference - 27_200)).toBeLessThan(300);
  expect(state(made).priceLimits.referenceTicks).toBeNull();
});

test("a stretch goes on while its limits do, and a bar that spans two is held to the wider ones", () => {
  const limits = (down: number | null, up: number | null) => ({
    fixingAtMs: 0,
    referenceTicks: 100,
    down: down === null ? null : { priceTicks: down, percent: 7 },
    up: up === null ? null : { priceTicks: up, percent: 7 },
    standing: "within" as const,
  });
  const spans: HeldSpan[] = [];
  noteHeld(spans, 10, 20, limits(93, null));
  noteHeld(spans, 30, 40, limits(93, null));
  noteHeld(spans, 50, 60, limits(87, null));
  expect(spans).toEqual([
    { fromMs: 10, toMs: 40, downTicks: 93, upTicks: null },
    { fromMs: 50, toMs: 60, downTicks: 87, upTicks: null },
  ]);

  expect([0, 9, 10, 40, 41, 45, 60, 61].map((fromMs) => holder(spans, fromMs, fromMs + 1)(1))).toEqual([
    1, 1, 93, 93, 1, 1, 87, 1,
  ]);
  expect(holder(spans, 0, 100)(1)).toBe(87);
  const bar = { openAtMs: 10, openTicks: 100, highTicks: 101, lowTicks: 50, closeTicks: 60, volume: 4 };
  expect(seenBar(bar, 5, { jumps: [{ atMs: 0, ticks: -1 }], held: spans })).toEqual({
    ...bar,
    ...{ openTicks: 99, highTicks: 100, lowTicks: 93, closeTicks: 93 },
  });
});
