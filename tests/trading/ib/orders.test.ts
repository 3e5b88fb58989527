// Orders on the wire: what leaves, in which form, and what becomes of it when the connection does not last.
import { describe, expect, test } from "vitest";
import type { OrderRequest } from "../../../src/engine.ts";
import type { GatewayEvent } from "../../../src/trading/gateway.ts";
import { ORDERS_KEPT_MAX } from "../../../src/trading/ib/orders.ts";
import { type Bench, keepAlive, listMes, MES_CON_ID, MES_QUERY, startBench } from "./bench.ts";
import { type RawClient, type RawGateway, startRawGateway } from "./raw-gateway.ts";
import { execDetails, openOrder, orderStatus, readPlaced } from "./raw-orders.ts";

/** Longer than the pace of the sending side: the next three messages leave at once. */
const PACE_MS = 200;

async function trading(nextOrderId = 1): Promise<{ server: RawGateway; client: RawClient } & Bench> {
  const server = await startRawGateway();
  const bench = startBench(server.port);
  bench.gateway.connect();
  const client = await again({ server, ...bench }, 1, nextOrderId);
  return { server, client, ...bench };
}

/** Brings the next connection up and the contract in. */
async function again(bench: { server: RawGateway } & Bench, epoch: number, nextOrderId = 1): Promise<RawClient> {
  const client = await bench.server.client();
  keepAlive(client);
  listMes(client);
  await client.welcome({ nextOrderId });
  await bench.told.link("up", epoch);
  expect(await bench.gateway.contract(MES_QUERY)).toMatchObject({ ok: true, value: { conId: MES_CON_ID } });
  bench.clock.advance(PACE_MS);
  return client;
}

const order = (orderRef: string, more: Partial<OrderRequest> = {}): OrderRequest => ({
  orderRef,
  side: "buy",
  quantity: 1,
  kind: { kind: "limit", limitTicks: 24_000 },
  tif: "day",
  parentRef: null,
  ocaGroup: null,
  outsideRth: true,
  ...more,
});

const BRACKET: readonly OrderRequest[] = [
  order("E", { tif: "gtc" }),
  order("S", { side: "sell", kind: { kind: "stop", stopTicks: 23_840 }, tif: "gtc", parentRef: "E", ocaGroup: "G" }),
  order("T", { side: "sell", kind: { kind: "limit", limitTicks: 24_240 }, tif: "gtc", parentRef: "E", ocaGroup: "G" }),
];

const placed = (client: RawClient): ReturnType<typeof readPlaced>[] =>
  client.frames.filter((fields) => fields[0] === "3").map(readPlaced);

const arrives = (client: RawClient, orderRef: string): Promise<readonly string[]> =>
  client.frame((fields) => fields[0] === "3" && readPlaced(fields).orderRef === orderRef);

const orderNews = (events: readonly GatewayEvent[]): GatewayEvent[] =>
  events.filter((event) => !["link_changed", "feed_changed", "account_reported"].includes(event.type));

describe("a bracket", () => {
  test("leaves with every term spelled out, the last leg sending all", async () => {
    const { client, gateway, told } = await trading(41);

    gateway.place(BRACKET, 0);
    await arrives(client, "T");

    const terms = { quantity: "1", tif: "GTC", account: "DU1234567", outsideRth: true };
    expect(placed(client)).toEqual([
      {
        ...terms,
        orderId: 41,
        action: "BUY",
        type: "LMT",
        limit: "6000",
        stop: "",
        ocaGroup: "",
        orderRef: "E",
        transmit: false,
        parentId: 0,
      },
      {
        ...terms,
        orderId: 42,
        action: "SELL",
        type: "STP",
        limit: "",
        stop: "5960",
        ocaGroup: "G",
        orderRef: "S",
        transmit: false,
        parentId: 41,
      },
      {
        ...terms,
        orderId: 43,
        action: "SELL",
        type: "LMT",
        limit: "6060",
        stop: "",
        ocaGroup: "G",
        orderRef: "T",
        transmit: true,
        parentId: 41,
      },
    ]);
    expect(orderNews(told.events)).toEqual([
      { type: "sent", orderRef: "E", orderId: 41, epoch: 1 },
      { type: "sent", orderRef: "S", orderId: 42, epoch: 1 },
      { type: "sent", orderRef: "T", orderId: 43, epoch: 1 },
    ]);
  });

  test("is refused while more than three order messages wait; an exit is not", async () => {
    const { client, clock, gateway, told } = await trading();
    for (let index = 0; index < 7; index++) gateway.place([order(`X${index}`)], 0);

    gateway.place(BRACKET, 0);
    gateway.place([order("exit")], 0);
    for (let step = 0; step < 4; step++) clock.advance(PACE_MS);
    await arrives(client, "exit");

    expect(told.events.filter((event) => event.type === "not_sent")).toEqual(
      ["E", "S", "T"].map((orderRef) => ({
        type: "not_sent",
        orderRef,
        reason: "too many order messages wait (MSG_RATE)",
      })),
    );
    expect(placed(client).map((each) => each.orderRef)).not.toContain("E");
  });
});

describe("an order id", () => {
  test.each([
    ["the gateway's", 41, 0, 41],
    ["above the journal's highest", 41, 900, 901],
    ["the gateway's where the journal is behind", 41, 40, 41],
  ])("is %s", async (_name, nextOrderId, highestOrderId, orderId) => {
    const { client, gateway } = await trading(nextOrderId);

    gateway.place([order("X")], highestOrderId);
    await arrives(client, "X");

    expect(placed(client)[0]?.orderId).toBe(orderId);
  });

  test("is not used again when the gateway counts back after a restart", async () => {
    const bench = await trading(41);
    bench.gateway.place(BRACKET, 0);
    await arrives(bench.client, "T");
    bench.client.cut();
    await bench.told.link("down", 1);
    bench.clock.advance(1_000);
    const next = await again(bench, 2, 37);

    bench.gateway.place([order("X")], 0);
    await arrives(next, "X");

    expect(placed(next).map((each) => each.orderId)).toEqual([44]);
  });

  test("stays above an order that is only seen among the open ones", async () => {
    const { client, clock, gateway } = await trading(41);
    client.respond(16, () => {
      client.send(...openOrder({ orderId: 500, orderRef: "QS1-old" }));
      client.send(53, 1);
    });
    await gateway.openOrders();
    clock.advance(PACE_MS);

    gateway.place([order("X")], 0);
    await arrives(client, "X");

    expect(placed(client)[0]?.orderId).toBe(501);
  });
});

describe("two orders under one reference", () => {
  test("the one that is meant is taken back by reference, the other by its id", async () => {
    const { gateway, client, clock } = await trading();
    gateway.place([order("E")], 0);
    await arrives(client, "E");
    client.send(...openOrder({ orderId: 1, orderRef: "E" }));
    client.send(...openOrder({ orderId: 9, orderRef: "E", permId: 7_777 }));
    await gateway.brokerTimeMs();

    gateway.cancel("E", 9);
    clock.advance(PACE_MS);
    await client.frame((fields) => fields[0] === "4" && fields.includes("9"));
    gateway.cancel("E");
    clock.advance(PACE_MS);

    await client.frame((fields) => fields[0] === "4" && !fields.includes("9"));
    const cancels = client.frames.filter((fields) => fields[0] === "4");
    expect(cancels.map((fields) => fields.includes("9"))).toEqual([true, false]);
  });
});

describe("what an entry would do to the account", () => {
  test("is told in cents, and is no order to anybody", async () => {
    const { gateway, client, told } = await trading(5);

    const answer = gateway.margin(2);
    const asked = readPlaced(await client.frame((fields) => fields[0] === "3"));
    const margins = ["100", "80", "10000", "2400.5", "2200", "-1.14", "2500.5", "2280", "9998.86"];
    client.send(...openOrder({ orderId: asked.orderId, orderRef: "", type: "MKT", status: "PreSubmitted", margins }));

    expect(asked).toMatchObject({
      orderId: 5,
      action: "BUY",
      quantity: "2",
      type: "MKT",
      orderRef: "",
      transmit: true,
    });
    expect(await answer).toEqual({
      ok: true,
      value: { equityCents: 999_886, marginCents: 240_050, marginAfterCents: 250_050 },
    });
    expect(orderNews(told.events)).toEqual([]);
    gateway.place([order("E")], 0);
    expect(readPlaced(await arrives(client, "E")).orderId).toBe(6);
  });

  test("without figures is no answer", async () => {
    const { gateway, client } = await trading();

    const answer = gateway.margin(1);
    const asked = readPlaced(await client.frame((fields) => fields[0] === "3"));
    const margins = Array(9).fill("1.7976931348623157E308");
    client.send(...openOrder({ orderId: asked.orderId, orderRef: "", type: "MKT", status: "PreSubmitted", margins }));

    expect(await answer).toMatchObject({ ok: false, error: { type: "not_found" } });
  });

  test("that the broker refuses is told with its words", async () => {
    const { gateway, client, told } = await trading();

    const answer = gateway.margin(1);
    const asked = readPlaced(await client.frame((fields) => fields[0] === "3"));
    client.send(4, 2, asked.orderId, 201, "no permission", "");

    expect(await answer).toEqual({ ok: false, error: { type: "refused", code: 201, text: "no permission" } });
    expect(orderNews(told.events)).toEqual([]);
  });

  test("that comes after its time is still no order", async () => {
    const { gateway, client, clock, told } = await trading();
    const answer = gateway.margin(1);
    const asked = readPlaced(await client.frame((fields) => fields[0] === "3"));
    clock.advance(5_000);
    const late = {
      orderId: asked.orderId,
      orderRef: "",
      type: "MKT",
      status: "PreSubmitted",
      margins: Array(9).fill("1"),
    } as const;
    client.send(...openOrder(late));
    client.send(...openOrder({ orderId: 90, orderRef: "last" }));
    await told.event((event) => event.type === "order_reported" && event.order.orderId === 90);

    expect(await answer).toMatchObject({ ok: false, error: { type: "timed_out" } });
    expect(orderNews(told.events)).toMatchObject([{ order: { orderId: 90 } }]);
  });

  test("is taken back at once where a gateway makes an order of it", async () => {
    const { gateway, client } = await trading();

    const answer = gateway.margin(1);
    const asked = readPlaced(await client.frame((fields) => fields[0] === "3"));
    client.send(...openOrder({ orderId: asked.orderId, orderRef: "", type: "MKT" }));

    expect(await answer).toMatchObject({ ok: false, error: { type: "not_found" } });
    expect((await client.frame((fields) => fields[0] === "4"))[2]).toBe(String(asked.orderId));
  });

  test("whose id is known already leaves the next order far behind that id", async () => {
    const { gateway, client } = await trading(5);

    const answer = gateway.margin(1);
    const asked = readPlaced(await client.frame((fields) => fields[0] === "3"));
    client.send(4, 2, asked.orderId, 103, "Duplicate order id", "");
    await answer;
    gateway.place([order("E")], 0);

    expect(readPlaced(await arrives(client, "E")).orderId).toBe(1_006);
  });

  test("is not asked without a connection", async () => {
    const server = await startRawGateway();
    const { gateway } = startBench(server.port);

    expect(await gateway.margin(1)).toMatchObject({ ok: false, error: { type: "link_down" } });
  });
});

describe("without a connection", () => {
  test("every order, change and cancel is told to be not sent, and nothing leaves later", async () => {
    const bench = await trading();
    bench.client.cut();
    await bench.told.link("down", 1);

    bench.gateway.place(BRACKET, 0);
    bench.gateway.modify(order("E"));
    bench.gateway.cancel("E");
    bench.clock.advance(1_000);
    const next = await again(bench, 2);
    await bench.gateway.brokerTimeMs();

    expect(orderNews(bench.told.events).map((event) => event.type)).toEqual(Array(5).fill("not_sent"));
    expect(next.frames.filter((fields) => ["3", "4"].includes(fields[0] as string))).toEqual([]);
  });

  test("nothing is sent before the first one either", async () => {
    const server = await startRawGateway();
    const { gateway, told } = startBench(server.port);

    gateway.place([order("X")], 0);

    expect(told.events).toEqual([{ type: "not_sent", orderRef: "X", reason: "no connection" }]);
  });
});

test("without a contract an order is told to be not sent", async () => {
  const server = await startRawGateway();
  const { gateway, told } = startBench(server.port);
  gateway.connect();
  const client = await server.client();
  await client.welcome();
  await told.link("up", 1);

  gateway.place([order("X")], 0);

  expect(told.events.at(-1)).toEqual({ type: "not_sent", orderRef: "X", reason: "no contract" });
});

describe("a connection that ends", () => {
  test("right after the bytes left: the orders are sent, and the next connection gets none of them", async () => {
    const bench = await trading();

    bench.gateway.place(BRACKET, 0);
    bench.client.cut();
    await bench.told.link("down", 1);
    bench.clock.advance(1_000);
    const next = await again(bench, 2);
    bench.clock.advance(PACE_MS);
    await bench.gateway.brokerTimeMs();

    expect(orderNews(bench.told.events).map((event) => event.type)).toEqual(["sent", "sent", "sent"]);
    expect(placed(next)).toEqual([]);
  });

  test("before the bytes left: what waited is not sent, each once, and never on the next connection", async () => {
    const bench = await trading();
    bench.gateway.place(BRACKET, 0);

    bench.gateway.place([order("X1")], 0);
    bench.gateway.cancel("E");
    bench.gateway.modify(order("T", { side: "sell" }));
    bench.client.cut();
    await bench.told.link("down", 1);
    bench.clock.advance(1_000);
    const next = await again(bench, 2);
    bench.clock.advance(PACE_MS);
    await bench.gateway.brokerTimeMs();

    const news = orderNews(bench.told.events);
    expect(news.filter((event) => event.type === "not_sent").map((event) => event.orderRef)).toEqual(["X1", "E", "T"]);
    expect(news.filter((event) => event.type === "sent").map((event) => event.orderRef)).toEqual(["E", "S", "T"]);
    expect(next.frames.filter((fields) => ["3", "4"].includes(fields[0] as string))).toEqual([]);
  });

  test("tells that nothing was sent before it tells that the link is down", async () => {
    const bench = await trading();
    bench.gateway.place(BRACKET, 0);
    bench.gateway.place([order("X1")], 0);

    bench.client.cut();
    await bench.told.link("down", 1);

    const types = bench.told.events.map((event) => (event.type === "link_changed" ? event.link : event.type));
    expect(types.indexOf("not_sent")).toBeLessThan(types.indexOf("down"));
    expect(types).toContain("not_sent");
  });
});

describe("a change and a cancel", () => {
  test("go to the order's own id, the change as one order that is transmitted", async () => {
    const { client, clock, gateway } = await trading(41);
    gateway.place(BRACKET, 0);
    await arrives(client, "T");
    clock.advance(PACE_MS);

    gateway.modify(
      order("T", {
        side: "sell",
        kind: { kind: "limit", limitTicks: 24_100 },
        tif: "gtc",
        parentRef: "E",
        ocaGroup: "G",
      }),
    );
    gateway.cancel("S");
    const cancel = await client.frame((fields) => fields[0] === "4");

    expect(placed(client).at(-1)).toMatchObject({
      orderId: 43,
      limit: "6025",
      transmit: true,
      parentId: 41,
      ocaGroup: "G",
    });
    expect(cancel.slice(0, 3)).toEqual(["4", "1", "42"]);
  });

  test("of an order of an earlier connection work by its id, which the gateway keeps", async () => {
    const bench = await trading(41);
    bench.gateway.place(BRACKET, 0);
    await arrives(bench.client, "T");
    bench.client.cut();
    await bench.told.link("down", 1);
    bench.clock.advance(1_000);
    const next = await again(bench, 2, 44);

    bench.gateway.cancel("T");

    expect((await next.frame((fields) => fields[0] === "4"))[2]).toBe("43");
  });

  test("of an unknown order are told to be not sent", async () => {
    const { gateway, told } = await trading();

    gateway.modify(order("unknown"));
    gateway.cancel("unknown");

    const reason = "the order's id is not known on this connection";
    expect(orderNews(told.events)).toEqual([
      { type: "not_sent", orderRef: "unknown", reason },
      { type: "not_sent", orderRef: "unknown", reason },
    ]);
  });
});

describe("news of an order", () => {
  test("come by openOrder with terms and lasting id, then by status alone", async () => {
    const { client, gateway, told } = await trading(41);
    gateway.place([order("X")], 0);
    await arrives(client, "X");

    client.send(...openOrder({ orderId: 41, orderRef: "X", limit: 6_000, status: "PreSubmitted" }));
    client.send(...orderStatus(41, "Submitted", 0));
    client.send(...orderStatus(41, "Filled", 1));
    await told.event((event) => event.type === "order_reported" && event.order.state === "filled");

    const reported = told.events.filter((event) => event.type === "order_reported").map((event) => event.order);
    const terms = {
      orderRef: "X",
      orderId: 41,
      clientId: 7,
      permId: 941,
      conId: MES_CON_ID,
      kind: { kind: "limit", limitTicks: 24_000 },
    };
    expect(reported).toMatchObject([
      { ...terms, state: "held", filled: 0 },
      { ...terms, state: "working", filled: 0 },
      { ...terms, state: "filled", filled: 1 },
    ]);
  });

  test("of another client's orders are not told, but stand among the open ones", async () => {
    const { client, gateway, told } = await trading();
    client.respond(16, () => {
      client.send(...openOrder({ orderId: 3, orderRef: "", clientId: 0, type: "TRAIL", stop: 10 }));
      client.send(...orderStatus(3, "Submitted", 0, 0));
      client.send(...openOrder({ orderId: 3, orderRef: "mine", limit: 6_000, status: "PreSubmitted" }));
      client.send(...orderStatus(3, "Submitted", 0));
      client.send(53, 1);
    });

    const open = await gateway.openOrders();

    expect(open).toMatchObject({
      ok: true,
      value: [
        { orderRef: "", orderId: 3, clientId: 0, kind: null, state: "working" },
        { orderRef: "mine", orderId: 3, clientId: 7, kind: { kind: "limit", limitTicks: 24_000 }, state: "working" },
      ],
    });
    const reported = told.events.filter((event) => event.type === "order_reported");
    expect(reported.every((event) => event.order.clientId === 7)).toBe(true);
  });

  test("that answer a question and say what is known are not told again, what has changed is", async () => {
    const { client, clock, gateway, told } = await trading();
    let filled = 0;
    client.respond(16, () => {
      client.send(...openOrder({ orderId: 3, orderRef: "X", limit: 6_000 }));
      client.send(...orderStatus(3, filled === 1 ? "Filled" : "Submitted", filled));
      client.send(53, 1);
    });
    await gateway.openOrders();
    const first = orderNews(told.events).length;
    clock.advance(PACE_MS);

    const open = await gateway.openOrders();
    const second = orderNews(told.events).length;
    filled = 1;
    clock.advance(PACE_MS);
    await gateway.openOrders();

    expect(open).toMatchObject({ ok: true, value: [{ orderRef: "X", state: "working" }] });
    expect(second).toBe(first);
    expect(orderNews(told.events).at(-1)).toMatchObject({ order: { orderRef: "X", state: "filled", filled: 1 } });
  });

  test.each([
    [201, "order_refused"],
    [110, "order_refused"],
    [10_006, "order_refused"],
    [399, "order_warned"],
    [103, "order_warned"],
    [10_148, "change_refused"],
  ])("by code %d are told as %s", async (code, type) => {
    const { client, gateway, told } = await trading(41);
    gateway.place([order("X")], 0);
    await arrives(client, "X");

    client.send(4, 2, 41, code, "the broker's words", "");

    expect(await told.event((event) => event.type === type)).toEqual({
      type,
      orderRef: "X",
      code,
      text: "the broker's words",
    });
  });

  test("by code 202 are told as an order that is gone", async () => {
    const { client, gateway, told } = await trading(41);
    gateway.place([order("X")], 0);
    await arrives(client, "X");

    client.send(4, 2, 41, 202, "Order Canceled - reason:", "");

    expect(await told.event((event) => event.type === "order_reported")).toMatchObject({
      order: { orderRef: "X", state: "cancelled" },
    });
  });

  test("by a code on an id that is not ours are nothing", async () => {
    const { client, told, gateway } = await trading(41);

    client.send(4, 2, 41, 201, "rejected", "");
    await gateway.brokerTimeMs();

    expect(orderNews(told.events)).toEqual([]);
  });
});

test("beyond two thousand orders the first seen is forgotten, the others are not", async () => {
  const { client, clock, gateway, told } = await trading();
  for (let orderId = 1; orderId <= ORDERS_KEPT_MAX + 1; orderId++)
    client.send(...openOrder({ orderId, orderRef: `old ${orderId}`, limit: 6_000 }));
  await told.event((event) => event.type === "order_reported" && event.order.orderId === ORDERS_KEPT_MAX + 1);
  clock.advance(PACE_MS);

  gateway.cancel("old 1");
  gateway.cancel("old 2");
  const cancel = await client.frame((fields) => fields[0] === "4");

  expect(told.events.filter((event) => event.type === "not_sent")).toMatchObject([{ orderRef: "old 1" }]);
  expect(cancel[2]).toBe("2");
});

describe("an execution", () => {
  test("is told when it is pushed, with its fee when that comes; an absurd fee is not", async () => {
    const { client, told } = await trading();

    client.send(...execDetails(-1, { orderId: 5, orderRef: "X", execId: "e.01", price: 6_000.25 }));
    client.send(59, 1, "e.01", "1.7976931348623157E308", "USD", 0, "", "");
    client.send(59, 1, "e.01", 0.57, "USD", "1.7976931348623157E308", "", "");
    await told.event((event) => event.type === "commission");

    expect(orderNews(told.events)).toMatchObject([
      {
        type: "fill",
        fill: {
          execId: "e.01",
          orderRef: "X",
          side: "buy",
          quantity: 1,
          priceTicks: 24_001,
          filledAtMs: 1_795_618_801_000,
        },
      },
      { type: "commission", execId: "e.01", feeCents: 57 },
    ]);
  });

  test("has its fee told once, however often it is repeated, and again when it changes", async () => {
    const { client, told } = await trading();
    const fee = (dollars: number): void => client.send(59, 1, "e.01", dollars, "USD", 0, "", "");

    fee(0.57);
    client.send(...execDetails(-1, { orderId: 5, orderRef: "X", execId: "e.01", price: 6_000 }));
    fee(0.57);
    fee(0.57);
    fee(0.6);
    await told.event((event) => event.type === "commission" && event.feeCents === 60);

    const fees = told.events.filter((event) => event.type === "commission").map(({ feeCents }) => feeCents);
    expect(fees).toEqual([57, 57, 60]);
  });

  test("that was asked for is an answer and not told twice", async () => {
    const { client, gateway, told } = await trading();
    client.respond(7, (fields) => {
      const requestId = fields[2] as string;
      client.send(...execDetails(requestId, { orderId: 5, orderRef: "X", execId: "e.01", price: 6_000 }));
      client.send(...execDetails(requestId, { orderId: 5, orderRef: "X", execId: "e.02", price: 6_001 }));
      client.send(55, 1, requestId);
    });

    const executions = await gateway.executions();

    expect(executions).toMatchObject({ ok: true, value: [{ execId: "e.01" }, { execId: "e.02" }] });
    expect(orderNews(told.events)).toEqual([]);
  });
});

describe("before the contract is known", () => {
  test.each([["openOrders"], ["executions"]] as const)(
    "%s is refused: prices can't be read, and an empty answer would be believed",
    async (question) => {
      const server = await startRawGateway();
      const { gateway, told } = startBench(server.port);
      gateway.connect();
      const client = await server.client();
      client.respond(16, () => {
        client.send(...openOrder({ orderId: 5, orderRef: "X", limit: 6_000 }));
        client.send(53, 1);
      });
      client.respond(7, (fields) => {
        client.send(...execDetails(fields[2] as string, { orderId: 5, orderRef: "X", execId: "e.01", price: 6_000 }));
        client.send(55, 1, fields[2] as string);
      });
      await client.welcome();
      await told.link("up", 1);

      expect(await gateway[question]()).toMatchObject({ ok: false, error: { type: "not_found" } });
    },
  );
});

test("a question without an answer times out, and the link stays up", async () => {
  const { clock, gateway, told } = await trading();
  const answer = gateway.openOrders();

  clock.advance(5_000);

  expect(await answer).toEqual({ ok: false, error: { type: "timed_out", afterMs: 5_000 } });
  expect(told.events.at(-1)).toMatchObject({ link: "up" });
});

test("a question whose connection ends fails with the cause", async () => {
  const { client, gateway } = await trading();
  const answer = gateway.openOrders();

  client.cut();

  expect(await answer).toMatchObject({ ok: false, error: { type: "link_down" } });
});
