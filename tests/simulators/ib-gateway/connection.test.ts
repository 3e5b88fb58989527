import { EventName } from "@stoqey/ib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HANDSHAKE_MS_MAX, TICK_BACKLOG_BYTES_MAX } from "../../../src/simulators/ib-gateway/connection.ts";
import { MESSAGES_PER_SECOND_MAX } from "../../../src/simulators/ib-gateway/gateway.ts";
import { SNAPSHOT_LINES_MAX, TICK_LINES_MAX } from "../../../src/simulators/ib-gateway/market-requests.ts";
import { CLIENTS_MAX } from "../../../src/simulators/ib-gateway/socket-server.ts";
import { handClock } from "./hand-clock.ts";
import { frame, type RawClient, rawClient } from "./raw-client.ts";
import { type Rig, START_MS, startRig } from "./rig.ts";

/** A trade on the wire takes at least this many bytes. */
const TICK_BYTES_MIN = 40;

let rig: Rig;
let wall: ReturnType<typeof handClock>;

beforeEach(async () => {
  wall = handClock();
  rig = await startRig({ wall: wall.clock });
});
afterEach(() => rig.stop());

/** Resolves when `is` answers true; each look is a turn of the event loop. */
async function settled(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setImmediate(resolve));
}

async function started(clientId: number, versions = "v100..178"): Promise<RawClient> {
  const client = await rawClient(rig.server.port);
  client.open(versions);
  await client.next();
  client.send(71, 2, clientId, "");
  await client.nextOf(9);
  return client;
}

test.each([
  ["v100..157", "157"],
  ["v157", "157"],
  ["v157..178", "178"],
  ["v100..193", "178"],
  ["v100..226 +PACEAPI", "178"],
  ["v170..175", "175"],
])("a client that offers %s is served at %s", async (versions, agreed) => {
  const client = await rawClient(rig.server.port);
  client.open(versions);

  expect(await client.next()).toEqual([agreed, "20260105 09:00:00 US/Central"]);
});

test.each(["v100..156", "v179..226", "v", "hello"])(
  "a client that offers %s is closed without an answer",
  async (versions) => {
    const client = await rawClient(rig.server.port);
    client.open(versions);
    await client.closed();

    expect(client.rest()).toHaveLength(0);
  },
);

test("nothing is sent between the version and startApi", async () => {
  const client = await rawClient(rig.server.port);
  client.open("v157..178");
  await client.next();
  client.send(49, 1);
  client.send(71, 2, 5, "");

  expect((await client.next())[0]).toBe("15");
  expect((await client.next()).slice(0, 1)).toEqual(["9"]);
});

test("a handshake in pieces of one byte succeeds", async () => {
  const client = await rawClient(rig.server.port);
  client.socket.setNoDelay(true);
  for (const byte of Buffer.concat([Buffer.from("API\0"), frame("v157..178"), frame("71\x002\x003\0\0")])) {
    client.socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }

  expect((await client.next())[0]).toBe("178");
  expect(await client.nextOf(9)).toEqual(["9", "1", "1"]);
});

test("a client that never finishes the handshake is closed after its time", async () => {
  const client = await rawClient(rig.server.port);
  client.open("v157..178");
  await client.next();
  wall.move(HANDSHAKE_MS_MAX - 1);
  client.send(71, 2, 5, "");
  await client.nextOf(9);
  const idle = await rawClient(rig.server.port);
  idle.open("v157..178");
  await idle.next();
  wall.move(HANDSHAKE_MS_MAX);
  await idle.closed();
  client.send(49, 1);

  expect(await client.nextOf(49)).toEqual(["49", "1", String(START_MS / 1_000)]);
});

test.each<[string, Buffer]>([
  ["noise from the first byte", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a negative length", Buffer.concat([Buffer.from("API\0"), Buffer.from([0xff, 0xff, 0xff, 0xfc])])],
])("%s closes that connection and no other", async (_what, bytes) => {
  const good = await started(1);
  const bad = await rawClient(rig.server.port);
  bad.socket.write(bytes);
  await bad.closed();
  good.send(49, 1);

  expect((await good.nextOf(49))[0]).toBe("49");
});

test.each<[string, Buffer]>([
  ["a length of 0", Buffer.from([0, 0, 0, 0])],
  ["a length of 2 GiB", Buffer.from([0x7f, 0xff, 0xff, 0xff])],
  ["a message without a number", frame("hello\0world\0")],
])("%s in mid-session closes that connection and no other", async (_what, bytes) => {
  const good = await started(1);
  const bad = await started(2);
  bad.socket.write(bytes);
  await bad.closed();
  good.send(49, 1);

  expect((await good.nextOf(49))[0]).toBe("49");
});

test("a number that nobody knows is passed over", async () => {
  const client = await started(1);
  client.send(4_711, "what", "ever");
  client.send(49, 1);

  expect((await client.next())[0]).toBe("4");
  expect((await client.nextOf(49))[0]).toBe("49");
});

test("a request that ends too early is answered by error 320 under its own id", async () => {
  const client = await started(1);
  client.send(9, 8, 77, 0, "MES");
  await client.nextOf(4);
  await client.nextOf(4);
  await client.nextOf(4);

  expect((await client.nextOf(4)).slice(0, 4)).toEqual(["4", "2", "77", "320"]);
});

test("one client more than may be served is turned away, and has room again when another has gone", async () => {
  const clients: RawClient[] = [];
  for (let at = 1; at <= CLIENTS_MAX; at += 1) clients.push(await started(at));
  const extra = await rawClient(rig.server.port);
  await extra.closed();
  clients[0]?.socket.destroy();
  await settled(() => (rig.server.state() as { clients: object[] }).clients.length < CLIENTS_MAX);

  expect((await started(1)).socket.destroyed).toBe(false);
  for (const client of clients) client.socket.destroy();
});

test("one market-data line more than a client may have is refused with 101, one tick stream more with 10190", async () => {
  const client = await started(1);
  const contract = [0, "MES", "FUT", "202603", 0, "", "", "CME", "", "USD", "", ""];
  for (let at = 0; at <= SNAPSHOT_LINES_MAX; at += 1) client.send(1, 11, 1_000 + at, ...contract, 0, "", 0, 0, "");
  for (let at = 0; at <= TICK_LINES_MAX; at += 1) client.send(97, 2_000 + at, ...contract, "Last", 0, 0);
  client.send(16, 1);
  const refused: string[] = [];
  for (let fields = await client.next(); fields[0] !== "53"; fields = await client.next()) {
    if (fields[0] === "4" && fields[2] !== "-1") refused.push(`${fields[3]} ${fields[2]}`);
  }

  expect(refused).toEqual([`101 ${1_000 + SNAPSHOT_LINES_MAX}`, `10190 ${2_000 + TICK_LINES_MAX}`]);
});

test("more than fifty messages a second bring error 100 once and are answered all the same", async () => {
  const client = await started(1);
  for (let at = 0; at < MESSAGES_PER_SECOND_MAX + 10; at += 1) client.send(49, 1);
  const codes: string[] = [];
  let answers = 0;
  while (answers < MESSAGES_PER_SECOND_MAX + 10) {
    const fields = await client.next();
    if (fields[0] === "49") answers += 1;
    else if (fields[0] === "4") codes.push(fields[3] ?? "");
  }

  expect(codes.filter((code) => code === "100")).toHaveLength(1);
});

test("a client that stops reading misses ticks while the others are served", async () => {
  const slow = await started(1);
  const quick = await rig.connect(2);
  slow.send(97, 1, 0, "MES", "FUT", "202603", 0, "", "", "CME", "", "USD", "", "", "Last", 0, 0);
  slow.send(16, 1);
  await slow.nextOf(53);
  slow.socket.pause();
  const ticks = Math.ceil((TICK_BACKLOG_BYTES_MAX * 4) / TICK_BYTES_MIN);
  for (let at = 0; at < ticks; at += 1) {
    rig.market.add(START_MS + 1, { type: "trade", priceTicks: 20_000 + (at % 3), size: 1 });
  }
  const moved = rig.server.stepTo(START_MS + 250);
  quick.ib.reqCurrentTime();
  await quick.until(EventName.currentTime);

  const { clients } = rig.server.state() as { clients: { clientId: number; ticksMissed: number }[] };
  expect(clients.find((client) => client.clientId === 1)?.ticksMissed).toBeGreaterThan(0);
  slow.socket.destroy();
  await moved;
});
