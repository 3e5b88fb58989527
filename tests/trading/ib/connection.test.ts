// The link to the broker against a server of bytes: what must happen when the other side is slow, silent, mad or gone.
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { chooseAccount } from "../../../src/trading/ib/connection.ts";
import { type Bench, keepAlive, startBench } from "./bench.ts";
import { type RawClient, type RawGateway, rawFrame, startRawGateway } from "./raw-gateway.ts";

/** Returns a pair that is connected, the gateway answering its heartbeat. */
async function connected(): Promise<{ server: RawGateway; client: RawClient } & Bench> {
  const server = await startRawGateway();
  const bench = startBench(server.port);
  bench.gateway.connect();
  const client = await server.client();
  keepAlive(client);
  await client.welcome();
  await bench.told.link("up", 1);
  return { server, client, ...bench };
}

/** Returns a port at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

const detailOf = (event: unknown): string => (event as { detail: string }).detail;

describe("the handshake", () => {
  test("ends in a link that is up, with the account", async () => {
    const { told, gateway } = await connected();

    expect(told.events.filter((event) => event.type === "link_changed")).toMatchObject([
      { link: "connecting", epoch: 1, account: null },
      { link: "up", epoch: 1, account: "DU1234567" },
    ]);
    expect(await gateway.brokerTimeMs()).toEqual({ ok: true, value: 1_795_618_800_000 });
  });

  test("is not done before the first order id, nor before the account", async () => {
    const server = await startRawGateway();
    const { gateway, told } = startBench(server.port);
    gateway.connect();
    const client = await server.client();
    await client.frame((fields) => fields[0]?.startsWith("v") === true);
    client.send(178, "20261125 09:00:00 US/Central");
    await client.frame((fields) => fields[0] === "71");

    client.send(9, 1, 5);
    client.send(4, 2, -1, 2103, "farm is broken", "");
    await told.event((event) => event.type === "feed_changed");
    const early = await gateway.openOrders();
    client.send(15, 1, "DU1234567");
    await told.link("up", 1);

    expect(early).toMatchObject({ ok: false, error: { type: "link_down" } });
  });

  test.each([
    [9_999, false],
    [10_000, true],
  ])("of a gateway that accepts and says nothing is given up after %d ms: %s", async (waitMs, isOver) => {
    const server = await startRawGateway();
    const { gateway, clock, told } = startBench(server.port);
    gateway.connect();
    await server.client();

    clock.advance(waitMs);

    const last = told.events.at(-1);
    expect(last).toMatchObject({ type: "link_changed", link: isOver ? "down" : "connecting" });
    if (isOver) expect(detailOf(last)).toContain("no handshake within 10 s");
  });

  test("goes through one byte at a time", async () => {
    const server = await startRawGateway();
    const { gateway, told } = startBench(server.port);
    gateway.connect();
    const client = await server.client();
    await client.frame((fields) => fields[0]?.startsWith("v") === true);
    for (const byte of rawFrame(178, "20261125 09:00:00 US/Central")) client.sendBytes(Uint8Array.of(byte));
    await client.frame((fields) => fields[0] === "71");

    for (const byte of Buffer.concat([rawFrame(15, 1, "DU1"), rawFrame(9, 1, 1)]))
      client.sendBytes(Uint8Array.of(byte));

    expect(await told.link("up", 1)).toMatchObject({ account: "DU1" });
  });
});

describe("the heartbeat", () => {
  test("asks for the time every five seconds and keeps a link that answers", async () => {
    const { clock, client, gateway, told } = await connected();

    for (let beats = 0; beats < 6; beats++) {
      clock.advance(5_000);
      await gateway.brokerTimeMs();
    }

    expect(told.events.at(-1)).toMatchObject({ link: "up" });
    expect(client.frames.filter((fields) => fields[0] === "49").length).toBeGreaterThanOrEqual(6);
  });

  test.each([
    [9_999, "up"],
    [10_000, "down"],
  ])("of a gateway that answers nothing: after %d ms the link is %s", async (waitMs, link) => {
    const server = await startRawGateway();
    const { gateway, clock, told } = startBench(server.port);
    gateway.connect();
    const client = await server.client();
    await client.welcome();
    await told.link("up", 1);

    for (let passedMs = 0; passedMs < waitMs; passedMs += 1_000) clock.advance(Math.min(1_000, waitMs - passedMs));

    expect(told.events.filter((event) => event.type === "link_changed").at(-1)).toMatchObject({ link });
  });

  test("does not take market data for an answer", async () => {
    const server = await startRawGateway();
    const { gateway, clock, told } = startBench(server.port);
    gateway.connect();
    const client = await server.client();
    await client.welcome();
    await told.link("up", 1);

    for (let seconds = 1; seconds <= 10; seconds++) {
      client.send(61, 3, "DU1234567", 1, "MES", "FUT", "20261218", 0, "", 5, "CME", "USD", "MESZ6", "MES", seconds, 0);
      await told.event((event) => event.type === "position_reported" && event.position.position === seconds);
      clock.advance(1_000);
    }

    expect(detailOf(told.events.at(-1))).toBe("the gateway has not answered for 10 s");
    await client.closed;
  });

  test("counts the silence from the last answer", async () => {
    const server = await startRawGateway();
    const { gateway, clock, told } = startBench(server.port);
    gateway.connect();
    const client = await server.client();
    let answersLeft = 3;
    client.respond(49, () => {
      if (answersLeft-- > 0) client.send(49, 1, 1_795_618_800);
    });
    await client.welcome();
    await told.link("up", 1);
    await gateway.brokerTimeMs();
    clock.advance(5_000);
    await gateway.brokerTimeMs();

    clock.advance(9_999);
    const before = told.events.at(-1);
    clock.advance(1);

    expect(before).toMatchObject({ link: "up" });
    expect(told.events.at(-1)).toMatchObject({ link: "down" });
  });

  test.each([3_600_000, -3_600_000])("is not misled by a machine's time that is set %d ms on", async (byMs) => {
    const server = await startRawGateway();
    const { gateway, clock, told } = startBench(server.port);
    gateway.connect();
    const client = await server.client();
    await client.welcome();
    await told.link("up", 1);

    clock.set(clock.nowMs() + byMs);
    clock.advance(9_999);
    const before = told.events.at(-1);
    clock.advance(1);

    expect(before).toMatchObject({ link: "up" });
    expect(told.events.at(-1)).toMatchObject({ link: "down" });
  });
});

describe("the back-off", () => {
  test.each([
    ["in the middle", 0.5, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
    ["at its shortest", 0, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    ["at its longest", 1, [1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 90_000, 90_000]],
  ])("with chance %s doubles up to a minute and never gives up", async (_name, random, waitsMs) => {
    const { gateway, clock, told } = startBench(await deadPort(), { random: () => random });
    gateway.connect();

    for (const [index, waitMs] of waitsMs.entries()) {
      const epoch = index + 1;
      await told.link("down", epoch);
      clock.advance(waitMs - 1);
      expect(told.events.at(-1)).toMatchObject({ link: "down", epoch });
      clock.advance(1);
      await told.link("connecting", epoch + 1);
    }
  });

  test.each([
    ["59 s", 59_000, 2_000],
    ["a minute", 60_000, 1_000],
  ])("after a loss and then %s of holding waits as long as it should", async (_name, heldMs, waitMs) => {
    const server = await startRawGateway();
    const { gateway, clock, told } = startBench(server.port);
    gateway.connect();
    (await server.client()).cut();
    await told.link("down", 1);
    clock.advance(1_000);
    const client = await server.client();
    keepAlive(client);
    await client.welcome();
    await told.link("up", 2);
    for (let passedMs = 0; passedMs < heldMs; passedMs += 4_000) {
      clock.advance(Math.min(4_000, heldMs - passedMs));
      await gateway.brokerTimeMs();
    }

    client.cut();
    await told.link("down", 2);
    clock.advance(waitMs - 1);
    const before = told.events.at(-1);
    clock.advance(1);

    expect(before).toMatchObject({ link: "down", epoch: 2 });
    expect(told.events.at(-1)).toMatchObject({ link: "connecting", epoch: 3 });
  });
});

describe("garbage", () => {
  test.each([-4, -2_147_483_648, 0, 1_048_577, 2_147_483_647])(
    "of length %d ends the connection at once, and the next one works",
    async (length) => {
      const { server, client, clock, told, gateway } = await connected();
      const prefix = Buffer.alloc(4);
      prefix.writeInt32BE(length);

      client.sendBytes(prefix);
      const down = await told.link("down", 1);
      await client.closed;
      clock.advance(1_000);
      const next = await server.client();
      keepAlive(next);
      await next.welcome();
      await told.link("up", 2);

      expect(detailOf(down)).toBe(`the gateway sent a frame of ${length} bytes`);
      expect(await gateway.brokerTimeMs()).toMatchObject({ ok: true });
    },
  );

  test.each<[string, Buffer]>([
    ["a message that ends too early", rawFrame(11, 5)],
    ["a message of no number", rawFrame("hello")],
    ["a refusal whose reason is no JSON", rawFrame(4, 2, 5, 201, "rejected", "{")],
  ])("such as %s ends the connection: another message may be lost with it", async (_name, bytes) => {
    const { client, told } = await connected();

    client.sendBytes(bytes);

    expect(await told.link("down", 1)).toBeDefined();
    await client.closed;
  });

  test("a frame that is cut off by the end of the connection is a loss like any other", async () => {
    const { client, told } = await connected();

    client.sendBytes(rawFrame(61, 3, "DU1234567").subarray(0, 9));
    client.cut();

    expect(await told.link("down", 1)).toBeDefined();
  });
});

describe("the gateway's own news", () => {
  test.each([
    [1100, "degraded"],
    [2110, "degraded"],
  ])("%d makes the link degraded, and 1102 brings it back in the same connection", async (code, link) => {
    const { client, told, server } = await connected();

    client.send(4, 2, -1, code, "Connectivity has been lost", "");
    const lost = await told.link(link, 1);
    client.send(4, 2, -1, 1102, "Connectivity has been restored", "");
    await told.event((event) => event.type === "link_changed" && event.link === "up" && event.detail.includes("1102"));

    expect(detailOf(lost)).toBe(`Connectivity has been lost (${code})`);
    expect(server.connections()).toBe(1);
  });

  test("1300 ends the connection and does not follow to another port", async () => {
    const { client, told, clock, server } = await connected();

    client.send(4, 2, -1, 1300, "the port has been reset to 4003", "");
    await told.link("down", 1);
    clock.advance(1_000);
    await server.client();

    expect(server.connections()).toBe(2);
  });

  test("a farm that breaks and comes back is told once each; farms that are well are no news", async () => {
    const { client, told } = await connected();

    client.send(4, 2, -1, 2104, "farm is OK:usfuture", "");
    client.send(4, 2, -1, 2103, "farm is broken:usfuture", "");
    client.send(4, 2, -1, 2103, "farm is broken:usfuture", "");
    client.send(4, 2, -1, 2104, "farm is OK:usfuture", "");
    client.send(4, 2, -1, 1100, "end", "");
    await told.link("degraded", 1);

    expect(told.events.filter((event) => event.type === "feed_changed")).toEqual([
      { type: "feed_changed", ok: false, detail: "farm is broken:usfuture (2103)" },
      { type: "feed_changed", ok: true, detail: "farm is OK:usfuture (2104)" },
    ]);
  });

  test("a client id in use is asked for again after 30 s, with the same id, and a person is asked after the third time", async () => {
    const server = await startRawGateway();
    const { gateway, clock, told, refused } = startBench(server.port);
    gateway.connect();
    const clientIds: string[] = [];

    for (let tries = 1; tries <= 3; tries++) {
      const client = await server.client();
      await client.frame((fields) => fields[0]?.startsWith("v") === true);
      client.send(178, "20261125 09:00:00 US/Central");
      clientIds.push((await client.frame((fields) => fields[0] === "71"))[2] as string);
      expect(refused).toEqual([]);
      client.send(4, 2, -1, 326, "Unable to connect as the client id is already in use", "");
      await told.link("down", tries);
      clock.advance(29_999);
      expect(told.events.at(-1)).toMatchObject({ link: "down", epoch: tries });
      if (tries < 3) clock.advance(1);
    }

    expect(refused).toEqual([
      `client_id_in_use: client id 7 is in use at 127.0.0.1:${server.port}: is a second bot running?`,
    ]);
    expect(clientIds).toEqual(["7", "7", "7"]);
  });
});

describe("an account", () => {
  test.each([
    ["the only paper account", "DU1234567", null, false, "DU1234567"],
    ["the only one, told with a comma behind it", "DU1234567,", null, false, "DU1234567"],
    ["the one that is named among several", "DU1,DU2", "DU2", false, "DU2"],
    ["a paper advisor's", "DF1234567", null, false, "DF1234567"],
    ["live money, armed and named", "U7654321", "U7654321", true, "U7654321"],
    ["paper beside live money, named", "DU1,U7654321", "DU1", false, "DU1"],
  ])("that is %s is taken", (_name, list, wanted, live, account) => {
    expect(chooseAccount(list, wanted, live)).toEqual({ ok: true, account });
  });

  test.each([
    ["several paper accounts, none named", "DU1,DU2", null, false, "has 2 accounts; name one in ibkr.account"],
    ["none", "", null, false, "has 0 accounts; name one in ibkr.account"],
    ["another than the named one", "DU1234567", "DU7654321", false, "does not have account DU***321"],
    ["live money, not armed", "U7654321", null, false, "U7***321 is not a paper account"],
    ["live money, named but not armed", "U7654321", "U7654321", false, "U7***321 is not a paper account"],
    ["live money, armed but not named", "U7654321", null, true, "U7***321 is not a paper account"],
    ["part of a name", "DU1234567", "DU123456", false, "does not have account DU***456"],
  ])("list of %s is refused", (_name, list, wanted, live, why) => {
    const chosen = chooseAccount(list, wanted, live);

    expect(chosen.ok).toBe(false);
    if (!chosen.ok) expect(chosen.detail).toContain(why);
  });

  test("that must not be touched ends the connection, is told, and is looked for again only after a minute", async () => {
    const server = await startRawGateway();
    const { gateway, clock, told, refused } = startBench(server.port);
    gateway.connect();
    const client = await server.client();

    await client.welcome({ accounts: "U7654321" });
    await told.link("down", 1);
    await client.closed;
    clock.advance(59_999);
    const connections = server.connections();
    clock.advance(1);
    await server.client();

    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatch(/^live_refused: LIVE_REFUSED: U7\*\*\*321/);
    expect(connections).toBe(1);
    expect(client.frames.map((fields) => fields[0])).toEqual([expect.stringMatching(/^v/), "71"]);
  });
});

test("a closed gateway is down for good and leaves no timer", async () => {
  const { gateway, clock, told, client, server } = await connected();

  await gateway.close();
  await client.closed;

  expect(told.events.at(-1)).toMatchObject({ link: "down", epoch: 1 });
  expect(clock.waiting()).toBe(0);
  expect(server.connections()).toBe(1);
});

test("a gateway that is closed while it waits to try again tries no more", async () => {
  const { gateway, clock, told } = startBench(await deadPort());
  gateway.connect();
  await told.link("down", 1);

  await gateway.close();
  clock.advance(600_000);

  expect(told.events.at(-1)).toMatchObject({ link: "down", epoch: 1 });
  expect(clock.waiting()).toBe(0);
});
