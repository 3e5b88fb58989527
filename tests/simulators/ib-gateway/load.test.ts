// What bad and slow clients cost the others: nothing. And what days of trading leave in memory: nothing that grows.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { createMarketClock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { createCalendar } from "../../../src/simulators/ib-gateway/calendar.ts";
import { BEHIND_MS_MAX, TICK_BACKLOG_BYTES_MAX } from "../../../src/simulators/ib-gateway/connection.ts";
import { createBarStore } from "../../../src/simulators/ib-gateway/market/bars.ts";
import { MEASURED } from "../../../src/simulators/ib-gateway/market/character.ts";
import { createMarketSource } from "../../../src/simulators/ib-gateway/market/market.ts";
import { createSyntheticMarket } from "../../../src/simulators/ib-gateway/market/synthetic.ts";
import type { MarketSource } from "../../../src/simulators/ib-gateway/market-source.ts";
import { RECORD_BYTES } from "../../../src/simulators/ib-gateway/records.ts";
import { handClock } from "./hand-clock.ts";
import { frame, type RawClient, rawClient } from "./raw-client.ts";
import { type Rig, START_MS, startRig } from "./rig.ts";

const CONTRACT = [0, "MES", "FUT", "202603", 0, "", "", "CME", "", "USD", "", ""] as const;
const TICKS_A_ROUND = 2_000;
/** A trade on the wire takes at most this many bytes. */
const TICK_BYTES_MAX = 80;
const DAY_MS = 86_400_000;
const STRIDE_MS = 900_000;
const DAYS = 3;
/**
 * Is what three days may add: minute bars of four prices (28 days of them are kept), orders and executions (the latest
 * thousands), with room for the collector's mood. Anything kept of each tick would be several times as much.
 */
const GROWTH_BYTES_MAX = 8 * 1_048_576;

const running: Rig[] = [];
afterEach(async () => {
  for (const rig of running.splice(0)) await rig.stop();
});

async function start(options: Parameters<typeof startRig>[0] = {}): Promise<Rig> {
  const rig = await startRig(options);
  running.push(rig);
  return rig;
}

async function started(rig: Rig, clientId: number): Promise<RawClient> {
  const client = await rawClient(rig.server.port);
  client.open("v100..178");
  await client.next();
  client.send(71, 2, clientId, "");
  await client.nextOf(9);
  return client;
}

/** Counts the trades that a client is sent from now on; nothing else is kept of them. */
function readTicks(client: RawClient): { count: number; lastPrice: string } {
  const ticks = { count: 0, lastPrice: "" };
  let held: Buffer = Buffer.alloc(0);
  client.socket.removeAllListeners("data");
  client.socket.on("data", (piece: Buffer) => {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    let at = 0;
    while (held.length - at >= 4 && held.length - at >= 4 + held.readUInt32BE(at)) {
      const next = at + 4 + held.readUInt32BE(at);
      const fields = held.toString("latin1", at + 4, next).split("\0");
      if (fields[0] === "99") {
        ticks.count += 1;
        ticks.lastPrice = fields[4] ?? "";
      }
      at = next;
    }
    held = held.subarray(at);
  });
  return ticks;
}

type Seen = { clientId: number; backlogBytes: number; ticksMissed: number };
const clientsOf = (rig: Rig): readonly Seen[] => (rig.server.state() as { clients: Seen[] }).clients;

/** Returns a log that keeps the reasons for which connections ended. */
function keptLog(): { log: Log; reasons: string[] } {
  const reasons: string[] = [];
  const keep = (fields: object): void => {
    if ("reason" in fields) reasons.push(String(fields.reason));
  };
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return { log, reasons };
}

test("a client that reads nothing is closed after its time; the others miss nothing, its backlog stays bounded", async () => {
  const wall = handClock();
  const { log, reasons } = keptLog();
  const clock = createMarketClock(START_MS, 0);
  const rig = await start({ wall: wall.clock, log, clock });
  const slow = await started(rig, 1);
  const quick = await started(rig, 2);
  for (const client of [slow, quick]) {
    client.send(97, 1, ...CONTRACT, "Last", 0, 0);
    client.send(16, 1);
    await client.nextOf(53);
  }
  slow.socket.pause();
  const ticks = readTicks(quick);
  // The clock crawls: what moves the market is the jump of each round, and the turn that the wall clock then brings.
  rig.server.setSpeed(0.000_001);
  let told = 0;
  const round = async (): Promise<void> => {
    const atMs = clock.nowMs() + 1;
    for (let at = 0; at < TICKS_A_ROUND; at += 1) rig.market.add(atMs, { type: "trade", priceTicks: 20_000, size: 1 });
    told += TICKS_A_ROUND;
    clock.jumpTo(atMs);
    wall.move(10);
    while (ticks.count < told) await new Promise((resolve) => setImmediate(resolve));
  };
  const seen = (clientId: number): Seen | undefined => clientsOf(rig).find((client) => client.clientId === clientId);

  let backlogMost = 0;
  while (seen(1)?.ticksMissed === 0) {
    await round();
    backlogMost = Math.max(backlogMost, seen(1)?.backlogBytes ?? 0);
  }
  wall.move(BEHIND_MS_MAX - 100);
  await round();
  const before = seen(1);
  wall.move(100);
  await round();
  rig.server.pause();

  expect(before).toBeDefined();
  expect(seen(1)).toBeUndefined();
  expect(reasons).toContain("the client reads too slowly");
  expect(backlogMost).toBeLessThan(TICK_BACKLOG_BYTES_MAX + TICKS_A_ROUND * TICK_BYTES_MAX);
  expect(seen(2)).toMatchObject({ ticksMissed: 0 });
  slow.socket.destroy();
  quick.socket.destroy();
});

test("a client that reads again in time stays, and gets what comes from then on", async () => {
  const wall = handClock();
  const clock = createMarketClock(START_MS, 0);
  const rig = await start({ wall: wall.clock, clock });
  const slow = await started(rig, 1);
  slow.send(97, 1, ...CONTRACT, "Last", 0, 0);
  slow.send(16, 1);
  await slow.nextOf(53);
  slow.socket.pause();
  const ticks = readTicks(slow);
  rig.server.setSpeed(0.000_001);
  const tick = (priceTicks: number, count: number): void => {
    const atMs = clock.nowMs() + 1;
    for (let at = 0; at < count; at += 1) rig.market.add(atMs, { type: "trade", priceTicks, size: 1 });
    clock.jumpTo(atMs);
    wall.move(10);
  };
  while (clientsOf(rig)[0]?.ticksMissed === 0) {
    tick(20_000, TICKS_A_ROUND);
    await new Promise((resolve) => setImmediate(resolve));
  }

  wall.move(BEHIND_MS_MAX - 100);
  slow.socket.resume();
  while ((clientsOf(rig)[0]?.backlogBytes ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
  tick(20_004, 1);
  wall.move(BEHIND_MS_MAX);
  tick(20_008, 1);
  while (ticks.lastPrice !== "5002") await new Promise((resolve) => setImmediate(resolve));
  rig.server.pause();

  expect(clientsOf(rig)).toHaveLength(1);
  slow.socket.destroy();
});

test("whatever bytes a client sends in mid-session, the others are served, and an end has its reason in the log", async () => {
  const { log, reasons } = keptLog();
  const rig = await start({ log });
  const good = await started(rig, 1);
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    // Whole frames of noise reach further in than noise.
    fc.string({ maxLength: 40, unit: "binary" }).map((text) => frame(text === "" ? "x" : text)),
    fc
      .array(fc.constantFrom("3", "1", "97", "20", "-1", "", "MES", "1e999", "\u0001"), { maxLength: 30 })
      .map((fields) => frame(`${fields.join("\0")}\0`)),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 5 }), async (pieces) => {
      const bad = await started(rig, 2);
      const endsBefore = reasons.length;
      for (const piece of pieces) bad.socket.write(piece);
      bad.socket.end();
      await bad.closed();
      good.send(49, 1);
      expect((await good.nextOf(49))[0]).toBe("49");
      while (clientsOf(rig).length > 1) await new Promise((resolve) => setImmediate(resolve));
      expect(reasons.length).toBeGreaterThan(endsBefore);
      expect(reasons.at(-1)).not.toBe("");
    }),
    { numRuns: 100 },
  );
  good.socket.destroy();
});

test.each<[string, Buffer, RegExp]>([
  ["a length that no message has", Buffer.from([0x7f, 0xff, 0xff, 0xff]), /bad_length/],
  ["a frame longer than any request", Buffer.from([0, 1, 0, 1]), /bad_length/],
  ["a message without a number", frame("hello\0world\0"), /a message without a number: "hello"/],
  ["half a frame, then the end", Buffer.concat([frame("49\x001\0").subarray(0, 6)]), /closed the connection/],
])("%s ends that connection alone, and the log says why", async (_what, bytes, reason) => {
  const { log, reasons } = keptLog();
  const rig = await start({ log });
  const good = await started(rig, 1);
  const bad = await started(rig, 2);
  bad.socket.write(bytes);
  bad.socket.end();
  await bad.closed();
  good.send(49, 1);

  expect((await good.nextOf(49))[0]).toBe("49");
  while (clientsOf(rig).length > 1) await new Promise((resolve) => setImmediate(resolve));
  expect(reasons.join()).toMatch(reason);
  good.socket.destroy();
});

test("a day of trading leaves no more in memory than the day before it", async () => {
  const rig = await start({ source: steadyMarket(), hours: "always", httpPort: 0, startCashUsd: 1_000_000 });
  const client = await started(rig, 1);
  client.send(1, 11, 1, ...CONTRACT, 0, "233", 0, 0, "");
  client.send(97, 2, ...CONTRACT, "Last", 0, 0);
  client.send(61, 1);
  readTicks(client);
  let orderId = 0;
  const tradeForADay = async (): Promise<number> => {
    for (let doneMs = 0; doneMs < DAY_MS; doneMs += STRIDE_MS) {
      orderId += 1;
      client.send(...marketOrder(orderId, orderId % 2 === 1 ? "BUY" : "SELL"));
      await new Promise((resolve) => setImmediate(resolve));
      await rig.step(STRIDE_MS);
    }
    return heapBytes();
  };

  const days: number[] = [];
  for (let day = 0; day < DAYS; day += 1) days.push(await tradeForADay());

  expect(clientsOf(rig)).toHaveLength(1);
  expect((rig.server.state() as { orders: object[] }).orders.length).toBeLessThan(10);
  expect((days.at(-1) ?? 0) - (days[0] ?? 0)).toBeLessThan(GROWTH_BYTES_MAX);
  client.socket.destroy();
}, 120_000);

test("the synthetic market holds no more after four days than after two", () => {
  const source = createSyntheticMarket({
    seed: 7,
    startMs: START_MS,
    startPriceTicks: 27_200,
    volatility: 1,
    character: MEASURED,
    hours: "always",
    calendar: createCalendar("always"),
    state: null,
  });
  const bytes = new Uint8Array(4_096 * RECORD_BYTES);
  const batch = { bytes, view: new DataView(bytes.buffer), length: 0 };
  const run = (untilMs: number): number => {
    do batch.length = 0;
    while (source.advance(untilMs, batch) > 0);
    return heapBytes();
  };

  const twoDays = run(START_MS + 2 * DAY_MS);
  const fourDays = run(START_MS + 4 * DAY_MS);

  expect(fourDays - twoDays).toBeLessThan(GROWTH_BYTES_MAX);
  expect(source.state().length).toBeLessThan(10_000);
}, 120_000);

/** Returns a market of one quote and one trade a second, which keeps only what every source keeps. */
function steadyMarket(): MarketSource {
  let nextMs = START_MS;
  return createMarketSource({
    label: "a steady market",
    startMs: START_MS,
    endMs: null,
    calendar: createCalendar("always"),
    bars: createBarStore(),
    anchor: null,
    skip: 0,
    state: () => "",
    flow: {
      nextAtMs: () => nextMs,
      run: (untilMs, sink) => {
        for (; nextMs < untilMs; nextMs += 1_000) {
          const bidTicks = 27_200 + ((nextMs / 1_000) % 41);
          sink.quote(nextMs, bidTicks, bidTicks + 1, 5, 7);
          sink.trade(nextMs, bidTicks, 1, 2);
        }
      },
    },
  });
}

/** Returns what is still held after a full collection: objects, and the buffers that hang on them. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A market order as @stoqey/ib and the Pythons write it, its later fields empty. */
function marketOrder(orderId: number, action: string): readonly (string | number)[] {
  const after = Array.from({ length: 90 }, () => "");
  return [3, orderId, ...CONTRACT, "", "", action, 1, "MKT", "", "", "DAY", "", "", "", 0, "load", 1, 0, ...after];
}
