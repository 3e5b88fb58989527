import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventName, type Order, OrderAction, OrderType, SecType, TickByTickDataType, TimeInForce } from "@stoqey/ib";
import { DateTime } from "luxon";
import { afterEach, expect, test } from "vitest";
import { createMarketClock, wallClock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { GatewayStartError, readGatewayState } from "../../../src/simulators/ib-gateway/index.ts";
import { fixedMarket } from "./fixed-market.ts";
import { MES, type Rig, START_MS, settle, startRig, statuses } from "./rig.ts";

const CONTRACT = { ...MES, secType: SecType.FUT };
const MARKET: Order = { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 1, transmit: true };
const LIMIT: Order = { ...MARKET, orderType: OrderType.LMT, lmtPrice: 4_990 };

const running: Rig[] = [];
afterEach(async () => {
  for (const rig of running.splice(0)) await rig.stop();
});

async function start(options: Parameters<typeof startRig>[0] = {}): Promise<Rig> {
  const rig = await startRig(options);
  running.push(rig);
  return rig;
}

function chicago(text: string): number {
  return DateTime.fromISO(text, { zone: "America/Chicago" }).toMillis();
}

function temporary(name: string): string {
  return join(mkdtempSync(join(tmpdir(), "gateway-")), name);
}

/** Returns a log that keeps its messages. */
function keptLog(): { log: Log; messages: string[] } {
  const messages: string[] = [];
  const keep = (_fields: object, message: string): void => {
    messages.push(message);
  };
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return { log, messages };
}

test("a restart goes on with the same clock, position, orders, permIds and next order id", async () => {
  const stateFile = temporary("gateway.json");
  const first = await start({ stateFile });
  first.market.tick(START_MS + 100, 20_000);
  await first.step(250);
  const before = await first.connect(1);
  before.ib.placeOrder(1, CONTRACT, MARKET);
  before.ib.placeOrder(2, CONTRACT, { ...LIMIT, tif: TimeInForce.GTC, orderRef: "kept" });
  await settle(first, before);
  await first.step(10_000);
  const told = before
    .all(EventName.openOrder)
    .map(([orderId, , order]) => ({ orderId, ...(order as { permId: number }) }));
  const permId = told.find((order) => order.orderId === 2)?.permId;
  const atMs = first.nowMs();
  await first.stop();
  running.splice(0);

  expect(readGatewayState(stateFile)?.atMs).toBe(atMs);
  const second = await start({ stateFile });
  const after = await second.connect(1);
  after.ib.reqPositions();
  after.ib.reqExecutions(9, {});
  after.ib.reqOpenOrders();
  await after.until(EventName.openOrderEnd);

  expect(second.nowMs()).toBe(atMs);
  expect(after.nextOrderId).toBe(3);
  expect(after.all(EventName.position)[0]?.[2]).toBe(1);
  expect(after.all(EventName.execDetails)).toHaveLength(1);
  expect(after.all(EventName.openOrder)[0]?.[2]).toMatchObject({ orderRef: "kept", permId });
});

test("a session that ended while the gateway was down takes its day orders, and what was held opens", async () => {
  const stateFile = temporary("gateway.json");
  const startMs = chicago("2026-01-05T15:59");
  const first = await start({ stateFile, startMs });
  first.market.tick(startMs + 100, 20_000);
  await first.step(250);
  const before = await first.connect(1);
  before.ib.placeOrder(1, CONTRACT, { ...LIMIT, tif: TimeInForce.DAY });
  before.ib.placeOrder(2, CONTRACT, { ...LIMIT, tif: TimeInForce.GTC });
  await settle(first, before);
  await first.stop();
  running.splice(0);

  const second = await start({ stateFile, startMs: chicago("2026-01-05T17:30") });
  const after = await second.connect(1);
  after.ib.reqOpenOrders();
  await after.until(EventName.openOrderEnd);

  expect(after.all(EventName.openOrder).map(([orderId]) => orderId)).toEqual([2]);
});

test("what a client was told of an order is on disk already, whenever the process dies", async () => {
  const stateFile = temporary("gateway.json");
  const rig = await start({ stateFile });
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  const client = await rig.connect(1);
  client.ib.placeOrder(1, CONTRACT, LIMIT);
  await client.until(EventName.openOrder);

  const saved = JSON.parse(readFileSync(stateFile, "utf8")) as {
    gateway: { orders: { orders: { orderId: number }[] } };
  };
  expect(saved.gateway.orders.orders.map((order) => order.orderId)).toEqual([1]);
});

test.each([
  ["no JSON", "{"],
  ["another version", '{"version":99}'],
  ["a missing part", '{"version":1,"atMs":1}'],
])("a state file with %s is refused with a way out", async (_what, text) => {
  const stateFile = temporary("gateway.json");
  writeFileSync(stateFile, text);

  const refused = start({ stateFile });

  await expect(refused).rejects.toThrow(GatewayStartError);
  await expect(refused).rejects.toThrow("Move the file away to start anew.");
});

test("a busy port is a typed error", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  await expect(start({ port })).rejects.toMatchObject({ problem: { type: "port_busy", port } });
  other.close();
});

test("an unknown symbol and a bad script are refused", async () => {
  const scriptFile = temporary("faults.jsonl");
  writeFileSync(scriptFile, '{"fault":"meteor"}\n');

  await expect(start({ symbol: "CL" })).rejects.toThrow("The simulated gateway has no CL. It has MES, ES,");
  await expect(start({ scriptFile })).rejects.toThrow("Line 1 of the fault script");
  await expect(start({ scriptFile: "/nowhere" })).rejects.toMatchObject({ problem: { type: "unreadable_script" } });
});

test("at the close day orders die, others stay, and a market order waits for the open with a warning", async () => {
  const startMs = chicago("2026-01-05T15:59");
  const rig = await start({ startMs });
  rig.market.tick(startMs + 100, 20_000);
  await rig.step(250);
  const client = await rig.connect(1);
  client.ib.placeOrder(1, CONTRACT, { ...LIMIT, tif: TimeInForce.DAY });
  client.ib.placeOrder(2, CONTRACT, { ...LIMIT, tif: TimeInForce.GTC });
  await settle(rig, client);
  await rig.server.stepTo(chicago("2026-01-05T16:30"));
  client.ib.placeOrder(3, CONTRACT, { ...MARKET, tif: TimeInForce.GTC });
  await settle(rig, client);
  const whileClosed = statuses(client, 3).at(-1);
  rig.market.tick(chicago("2026-01-05T17:00:00.500"), 20_040);
  await rig.server.stepTo(chicago("2026-01-05T17:00:01"));
  await settle(rig, client);

  expect(statuses(client, 1).at(-1)).toBe("Cancelled 0/1");
  expect(statuses(client, 2).at(-1)).toBe("Submitted 0/1");
  expect(whileClosed).toBe("PreSubmitted 0/1");
  expect(client.all(EventName.error).map(([, code, id]) => [code, id])).toContainEqual([399, 3]);
  expect(statuses(client, 3).at(-1)).toBe("Filled 1/0");
});

test("a running clock passes the closed hour and jumps over a weekend, saying so once", async () => {
  const { log, messages } = keptLog();
  const startMs = chicago("2026-01-09T15:59:50");
  const clock = createMarketClock(startMs, 0);
  const rig = await start({ startMs, clock, log, speed: 200_000 });
  const monday = chicago("2026-01-11T17:00:01");
  while (clock.nowMs() < monday) await new Promise((resolve) => setImmediate(resolve));

  expect(messages.filter((message) => message.includes("jumps over a weekend"))).toHaveLength(1);
  expect(messages.filter((message) => message.includes("has ended"))).toHaveLength(1);
  rig.server.pause();
});

test("once another month is the front one, each session's opening says that the market stays in its own", async () => {
  const { log, messages } = keptLog();
  // MES of March 2026 ends on the 20th: eight days before, June is the front month.
  const rig = await start({ startMs: chicago("2026-03-11T16:30"), log });
  const said = (): number => messages.filter((message) => message.startsWith("Another month")).length;
  await rig.server.stepTo(chicago("2026-03-11T17:00:01"));
  const before = said();
  await rig.server.stepTo(chicago("2026-03-12T17:00:01"));

  expect([before, said()]).toEqual([0, 1]);
  expect(rig.server.state()).toMatchObject({ contract: { localSymbol: "MESH6" } });
});

test("at the end of a recording the market closes and says so", async () => {
  const { log, messages } = keptLog();
  const market = fixedMarket(START_MS, START_MS + 5_000);
  market.tick(START_MS + 100, 20_000);
  const rig = await start({ market, log });
  const client = await rig.connect(1);
  await rig.step(10_000);
  await client.until("info", (_text: string, code: number) => code === 2108);

  expect(messages.some((message) => message.startsWith("The recording has ended"))).toBe(true);
  expect(rig.server.state()).toMatchObject({ isOpen: false });
});

test("between two passes of a looped recording the market is closed, and the clock jumps to the next one", async () => {
  const { log, messages } = keptLog();
  const market = fixedMarket(START_MS);
  const nextMs = START_MS + 24 * 3_600_000;
  market.restUntil = (atMs) => (atMs > START_MS + 5_000 && atMs < nextMs ? nextMs : null);
  market.tick(START_MS + 100, 20_000);
  market.tick(nextMs + 100, 20_100);
  const clock = createMarketClock(START_MS, 0);
  const rig = await start({ market, clock, log });
  await rig.step(10_000);
  const whileResting = rig.server.state();
  rig.server.setSpeed(100_000);
  const reached = (): number => (rig.server.state() as { atMs: number }).atMs;
  while (reached() < nextMs + 1_000) await new Promise((resolve) => setImmediate(resolve));
  rig.server.pause();

  expect(whileResting).toMatchObject({ isOpen: false, book: { lastTicks: 20_000 } });
  expect(rig.server.state()).toMatchObject({ isOpen: true, book: { lastTicks: 20_100 } });
  expect(messages.filter((message) => message.includes("begins anew"))).toHaveLength(1);
  expect(messages.filter((message) => message.includes("jumps to the recording's next day"))).toHaveLength(1);
});

test("a pause and a new start within a turn leave one market running at full speed", async () => {
  let asking = 0;
  let askingMost = 0;
  const rig = await start({
    clientIdle: async () => {
      asking += 1;
      askingMost = Math.max(askingMost, asking);
      await new Promise((resolve) => setImmediate(resolve));
      asking -= 1;
    },
  });
  await rig.connect(1);
  rig.server.setSpeed("max");
  for (let times = 0; times < 5; times += 1) {
    rig.server.pause();
    rig.server.resume();
  }
  const fromMs = rig.nowMs();
  while (rig.nowMs() < fromMs + 1_000) await new Promise((resolve) => setImmediate(resolve));
  askingMost = 0;
  while (rig.nowMs() < fromMs + 10_000) await new Promise((resolve) => setImmediate(resolve));
  rig.server.pause();

  expect(askingMost).toBe(1);
});

test("a client of this process that takes long is waited for: the market is never seconds ahead of it", async () => {
  const aheadMs: number[] = [];
  const rig = await start({
    speed: 1_000,
    clientIdle: async () => {
      const askedMs = rig.nowMs();
      // A sync of a busy disk: twenty seconds of the market's time at this speed.
      await new Promise<void>((resolve) => wallClock.after(20, resolve));
      aheadMs.push(rig.nowMs() - askedMs);
    },
  });
  await rig.connect(1);
  while (aheadMs.length < 5) await new Promise((resolve) => setImmediate(resolve));
  rig.server.pause();

  expect(Math.max(...aheadMs)).toBeLessThanOrEqual(2_000);
});

test("at full speed every tick arrives, in order, as fast as the client reads", async () => {
  const market = fixedMarket(START_MS);
  const rig = await start({ market });
  const client = await rig.connect(1);
  client.ib.reqTickByTickData(1, CONTRACT, TickByTickDataType.Last, 0, false);
  await settle(rig, client);
  const from = rig.nowMs();
  for (let at = 1; at <= 30_000; at += 1) {
    market.add(from + at, { type: "trade", priceTicks: 20_000 + (at % 97), size: 1 });
  }
  rig.server.setSpeed("max");
  while (client.all(EventName.tickByTickAllLast).length < 30_000) {
    await client.until(EventName.tickByTickAllLast);
    await new Promise((resolve) => setImmediate(resolve));
  }
  rig.server.pause();

  const prices = client.all(EventName.tickByTickAllLast).map(([, , , price]) => price as number);
  expect(prices).toEqual(Array.from({ length: 30_000 }, (_one, at) => (20_000 + ((at + 1) % 97)) / 4));
});

test("at full speed the market waits for a client that is busy", async () => {
  let finish: () => void = () => {};
  const busy = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let asked: () => void = () => {};
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const rig = await start({
    clientIdle: () => {
      asked();
      return busy;
    },
  });
  const client = await rig.connect(1);
  await settle(rig, client);
  const fromMs = rig.nowMs();

  rig.server.setSpeed("max");
  await wasAsked;
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const whileBusyMs = rig.nowMs();
  finish();
  while (rig.nowMs() < fromMs + 60_000) await new Promise((resolve) => setImmediate(resolve));
  rig.server.pause();

  expect(whileBusyMs - fromMs).toBeLessThanOrEqual(250);
});

test("the control shows the state, makes faults and moves a paused market", async () => {
  const rig = await start({ httpPort: 0 });
  const post = async (path: string, body: unknown): Promise<[number, unknown]> => {
    const answer = await fetch(`${rig.server.url}${path}`, { method: "POST", body: JSON.stringify(body) });
    return [answer.status, await answer.json()];
  };
  rig.market.tick(START_MS + 100, 20_000);

  expect(await post("/simulate/market", { step: 1_000 })).toEqual([200, { done: true }]);
  expect(await post("/simulate/market", { position: 2 })).toEqual([200, { done: true }]);
  expect(await post("/simulate/fault", { fault: "swallow_order" })).toEqual([200, { done: true }]);
  expect(await post("/simulate/fault", { fault: "meteor" })).toEqual([
    400,
    { error: expect.stringMatching(/^fault is "meteor": it must be one of drop_connection, /) },
  ]);
  expect((await post("/simulate/market", { step: -1 }))[0]).toBe(400);
  expect((await post("/simulate/market", { pause: true, step: 1 }))[0]).toBe(400);
  expect(await (await fetch(`${rig.server.url}/simulate/state`)).json()).toMatchObject({
    banner: "SIMULATION",
    atMs: START_MS + 1_000,
    speed: 0,
    isOpen: true,
    book: { bidTicks: 20_000, askTicks: 20_001, lastTicks: 20_000 },
    positions: [{ position: 2 }],
  });
  expect(await post("/simulate/market", { speed: 10 })).toEqual([200, { done: true }]);
  expect(rig.server.state()).toMatchObject({ speed: 10 });
  expect((await post("/simulate/market", { step: 1 }))[0]).toBe(400);
  expect(await post("/simulate/market", { pause: true })).toEqual([200, { done: true }]);
});
