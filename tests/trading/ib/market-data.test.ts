// Trades, quotes, bars and figures of the account from the wire.
import { describe, expect, test } from "vitest";
import type { GatewayEvent } from "../../../src/trading/gateway.ts";
import { type Bench, keepAlive, listMes, MES_CON_ID, MES_QUERY, startBench } from "./bench.ts";
import { type RawClient, type RawGateway, startRawGateway } from "./raw-gateway.ts";

const PACE_MS = 200;
const SECOND = 1_795_618_800;

type Watching = { server: RawGateway; client: RawClient; trades: string; quotes: string } & Bench;

/** Returns a gateway that watches MES, and the ids of its two subscriptions. */
async function watching(): Promise<Watching> {
  const server = await startRawGateway();
  const bench = startBench(server.port);
  bench.gateway.connect();
  const client = await server.client();
  keepAlive(client);
  listMes(client);
  await client.welcome();
  await bench.told.link("up", 1);
  await bench.gateway.contract(MES_QUERY);
  bench.clock.advance(PACE_MS);
  expect(await bench.gateway.watch()).toEqual({ ok: true, value: undefined });
  const ids = await subscriptions(client);
  bench.clock.advance(PACE_MS);
  return { server, client, ...ids, ...bench };
}

/** reqTickByTickData is message 97: its id, the contract in twelve fields, then the kind. */
const isSubscription =
  (kind: string) =>
  (fields: readonly string[]): boolean =>
    fields[0] === "97" && fields[14] === kind;

async function subscriptions(client: RawClient): Promise<{ trades: string; quotes: string }> {
  const trades = await client.frame(isSubscription("Last"));
  const quotes = await client.frame(isSubscription("BidAsk"));
  return { trades: trades[1] as string, quotes: quotes[1] as string };
}

const trade = (requestId: string, price: string | number, size: string | number = 1): (string | number)[] => [
  99,
  requestId,
  1,
  SECOND,
  price,
  size,
  0,
  "CME",
  "",
];

const quote = (requestId: string, bid: string | number, ask: string | number, sizes = [3, 4]): (string | number)[] => [
  99,
  requestId,
  3,
  SECOND,
  bid,
  ask,
  ...sizes,
  0,
];

const market = (events: readonly GatewayEvent[]): GatewayEvent[] =>
  events.filter((event) => event.type === "trade" || event.type === "quote");

test("trades and quotes come in ticks, in the order of the wire", async () => {
  const { client, trades, quotes, told } = await watching();

  client.send(...quote(quotes, 6_000, 6_000.25));
  client.send(...trade(trades, 6_000.25, 2));
  client.send(...quote(quotes, 6_000.25, 6_000.5));
  await told.event((event) => event.type === "quote" && event.bidTicks === 24_001);

  const exchangeAtMs = SECOND * 1_000;
  expect(market(told.events)).toEqual([
    { type: "quote", exchangeAtMs, bidTicks: 24_000, askTicks: 24_001, bidSize: 3, askSize: 4 },
    { type: "trade", exchangeAtMs, priceTicks: 24_001, size: 2 },
    { type: "quote", exchangeAtMs, bidTicks: 24_001, askTicks: 24_002, bidSize: 3, askSize: 4 },
  ]);
});

test("what is no price is no trade, and an absent side of a quote", async () => {
  const { client, trades, quotes, told } = await watching();

  for (const price of [-1, 0, "NaN", "1.7976931348623157E308"]) client.send(...trade(trades, price));
  client.send(...quote(quotes, -1, 6_000.25, [0, 4]));
  await told.event((event) => event.type === "quote");

  expect(market(told.events)).toMatchObject([{ type: "quote", bidTicks: null, askTicks: 24_001, bidSize: 0 }]);
});

test("ticks of a subscription that is not ours are nothing", async () => {
  const { client, trades, told } = await watching();

  client.send(...trade("17", 6_000));
  client.send(...trade(trades, 6_001));
  await told.event((event) => event.type === "trade");

  expect(market(told.events)).toMatchObject([{ priceTicks: 24_004 }]);
});

describe("a subscription", () => {
  const asked = (client: RawClient): number => client.frames.filter((fields) => fields[0] === "97").length;

  test("is asked for once, however often one watches", async () => {
    const { client, gateway, clock } = await watching();

    await gateway.watch();
    clock.advance(PACE_MS);
    await gateway.brokerTimeMs();

    expect(asked(client)).toBe(2);
  });

  test("is renewed once after 1101, the old one taken back", async () => {
    const { client, gateway, clock, told, trades, quotes } = await watching();

    client.send(4, 2, -1, 1101, "restored - data lost", "");
    await told.event((event) => event.type === "link_changed" && event.detail.includes("1101"));
    await gateway.watch();
    await gateway.watch();
    for (let step = 0; step < 3; step++) clock.advance(PACE_MS);
    await gateway.brokerTimeMs();

    expect(client.frames.filter((fields) => fields[0] === "98").map((fields) => fields[1])).toEqual([trades, quotes]);
    expect(asked(client)).toBe(4);
  });

  test("is kept after 1102", async () => {
    const { client, gateway, clock, told } = await watching();

    client.send(4, 2, -1, 1100, "lost", "");
    client.send(4, 2, -1, 1102, "restored - data maintained", "");
    await told.event((event) => event.type === "link_changed" && event.detail.includes("1102"));
    await gateway.watch();
    clock.advance(PACE_MS);
    await gateway.brokerTimeMs();

    expect(asked(client)).toBe(2);
  });

  test("is asked for anew on the next connection, and old ids are nothing there", async () => {
    const { server, client, gateway, clock, told, trades } = await watching();
    client.cut();
    await told.link("down", 1);
    clock.advance(1_000);
    const next = await server.client();
    keepAlive(next);
    await next.welcome();
    await told.link("up", 2);
    clock.advance(PACE_MS);

    await gateway.watch();
    const renewed = await subscriptions(next);
    next.send(...trade(renewed.trades, 6_002));
    await told.event((event) => event.type === "trade");

    expect(asked(next)).toBe(2);
    expect(renewed.trades).toBeDefined();
    expect(market(told.events)).toMatchObject([{ priceTicks: 24_008 }]);
    expect(trades).toBeDefined();
  });

  test.each([354, 10_167, 10_190, 10_197])(
    "that is refused by %d breaks the feed and may be asked for again",
    async (code) => {
      const { client, gateway, clock, told, trades } = await watching();

      client.send(4, 2, trades, code, "no live data", "");
      const broken = await told.event((event) => event.type === "feed_changed");
      await gateway.watch();
      for (let step = 0; step < 3; step++) clock.advance(PACE_MS);
      await gateway.brokerTimeMs();

      expect(broken).toEqual({ type: "feed_changed", ok: false, detail: `no live data (${code})` });
      expect(asked(client)).toBe(4);
    },
  );

  test("that could not be asked for, too many requests waiting, is asked for at the next watch", async () => {
    const { client, gateway, clock, told } = await watching();
    client.send(4, 2, -1, 1101, "restored - data lost", "");
    await told.event((event) => event.type === "link_changed" && event.detail.includes("1101"));
    const questions = Array.from({ length: 53 }, () => gateway.executions());

    const first = await gateway.watch();
    for (let step = 0; step < 30; step++) clock.advance(PACE_MS);
    await Promise.all(questions);
    const second = await gateway.watch();
    for (let step = 0; step < 3; step++) clock.advance(PACE_MS);

    expect(first).toMatchObject({ ok: false, error: { type: "refused" } });
    expect(second).toEqual({ ok: true, value: undefined });
    await client.frame((fields) => fields[0] === "97" && fields[14] === "BidAsk" && asked(client) >= 4);
  });

  test("of the listing before a roll is no longer listened to once the new one is known", async () => {
    const { client, gateway, told, trades, clock } = await watching();
    const answer = await gateway.contract({ ...MES_QUERY, month: "202703" });
    clock.advance(PACE_MS);

    client.send(...trade(trades, 6_000));
    await gateway.brokerTimeMs();

    expect(answer).toMatchObject({ ok: true, value: { month: "202703" } });
    expect(market(told.events)).toEqual([]);
  });
});

describe("history", () => {
  /** reqHistoricalData is message 20: id, contract, includeExpired, end, bar size, duration, useRTH, what. */
  const asked = (fields: readonly string[]): object => ({
    barSize: fields[16],
    duration: fields[17],
    useRth: fields[18],
    what: fields[19],
  });

  const bar = (second: number, close: number): (string | number)[] => [
    second,
    close,
    close + 1,
    close - 1,
    close,
    10,
    close,
    5,
  ];

  test("comes as bars in ticks, oldest first, no more than were asked for", async () => {
    const { client, gateway } = await watching();
    client.respond(20, (fields) => {
      const bars = [bar(SECOND - 5, 6_002), bar(SECOND - 15, 6_000), bar(SECOND - 10, 6_001)];
      client.send(17, fields[1] as string, "", "", bars.length, ...bars.flat());
    });

    const history = await gateway.history({ barMs: 5_000, count: 2 });

    expect(history).toMatchObject({
      ok: true,
      value: [
        { openAtMs: (SECOND - 10) * 1_000, closeTicks: 24_004, highTicks: 24_008, lowTicks: 24_000, volume: 10 },
        { openAtMs: (SECOND - 5) * 1_000, closeTicks: 24_008 },
      ],
    });
  });

  test.each([
    [5_000, 70, "5 secs", "700 S"],
    [1_000, 20, "1 secs", "60 S"],
    [60_000, 70, "1 min", "8400 S"],
    [60_000, 1_000, "1 min", "1 D"],
    [5_000, 2_000, "5 secs", "3600 S"],
  ])("of %d ms × %d is asked for as %s over %s, at all hours", async (barMs, count, barSize, duration) => {
    const { client, gateway } = await watching();

    void gateway.history({ barMs, count });
    const fields = await client.frame((each) => each[0] === "20");

    expect(asked(fields)).toEqual({ barSize, duration, useRth: "0", what: "TRADES" });
  });

  test("of a length that the broker does not have is said to be missing, and not asked for", async () => {
    const { gateway } = await watching();

    expect(await gateway.history({ barMs: 7_000, count: 10 })).toEqual({
      ok: false,
      error: { type: "not_found", detail: "the broker has no bars of 7000 ms" },
    });
  });

  test("that the broker refuses carries its words", async () => {
    const { client, gateway } = await watching();
    client.respond(20, (fields) => client.send(4, 2, fields[1] as string, 162, "pacing violation", ""));

    expect(await gateway.history({ barMs: 5_000, count: 10 })).toEqual({
      ok: false,
      error: { type: "refused", code: 162, text: "pacing violation" },
    });
  });
});

describe("positions", () => {
  const position = (contracts: number, averageCost: number, account = "DU1234567"): (string | number)[] => [
    ...[61, 3, account, MES_CON_ID, "MES", "FUT", "20261218", 0, "", 5, "CME", "USD", "MESZ6", "MES"],
    ...[contracts, averageCost],
  ];

  test("are an answer with the average in ticks, the multiplier taken out; changes are told afterwards", async () => {
    const { client, gateway, told } = await watching();
    client.respond(61, () => {
      client.send(...position(2, 30_000.625));
      client.send(...position(5, 30_000, "DU9"));
      client.send(62, 1);
    });

    const positions = await gateway.positions();
    client.send(...position(0, 0));
    const change = await told.event((event) => event.type === "position_reported");

    expect(positions).toEqual({
      ok: true,
      value: [{ conId: MES_CON_ID, localSymbol: "MESZ6", position: 2, averageTicksE2: 2_400_050 }],
    });
    expect(change).toEqual({
      type: "position_reported",
      position: { conId: MES_CON_ID, localSymbol: "MESZ6", position: 0, averageTicksE2: null },
    });
  });
});

test("figures of the account are told when a round of them is complete, in dollars only", async () => {
  const { client, told } = await watching();
  const value = (key: string, amount: string, currency: string): void =>
    client.send(6, 2, key, amount, currency, "DU1234567");

  value("NetLiquidation", "10000.50", "USD");
  value("ExcessLiquidity", "9000", "USD");
  value("RealizedPnL", "-12.345", "EUR");
  value("RealizedPnL", "1.7976931348623157E308", "USD");
  client.send(8, 1, "09:00");

  expect(await told.event((event) => event.type === "account_reported")).toEqual({
    type: "account_reported",
    netLiquidationCents: 1_000_050,
    excessLiquidityCents: 900_000,
    realisedCents: null,
  });
});
