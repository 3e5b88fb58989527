// The loop by itself: what is on the disk before what leaves, who hears of what and when, and how it ends.
import { describe, expect, onTestFinished, test } from "vitest";
import type { BrokerQuestion, Effect, Event, OrderRequest } from "../../src/engine.ts";
import { EngineFault } from "../../src/engine.ts";
import { type Journal, openJournal } from "../../src/journal/journal.ts";
import { parseRecord, readJournal } from "../../src/journal/read.ts";
import { silentLog } from "../../src/log.ts";
import { err, ok } from "../../src/result.ts";
import type { Gateway, GatewayEvent } from "../../src/trading/gateway.ts";
import { createRecords, type Records } from "../../src/trading/records.ts";
import { createSession, QUEUE_EVENTS_MAX, type Session } from "../../src/trading/session.ts";
import { type MemoryDisk, memoryDisk } from "../journal/memory-disk.ts";
import { noLock } from "../journal/support.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { causes, createScriptedEngine, type ScriptedEngine } from "../support/scripted-engine.ts";

const DATA = "/data";

type Bench = {
  readonly session: Session;
  readonly engine: ScriptedEngine;
  readonly journal: Journal;
  readonly records: Records;
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  /** What left the house or was written beside the journal, in order. */
  readonly acts: string[];
  readonly faults: Error[];
  tell(event: GatewayEvent): void;
  /** Types of the records that a power loss now would leave. */
  onDisk(): string[];
};

async function bench(answers: Partial<Gateway> = {}): Promise<Bench> {
  const disk = memoryDisk();
  const clock = createFakeClock();
  const opened = await openJournal({ dataDir: DATA, clock, log: silentLog, files: disk, lock: noLock });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const { journal } = opened.value;
  const engine = createScriptedEngine();
  const records = createRecords(null, () => 5_000);
  const acts: string[] = [];
  const faults: Error[] = [];
  let tell: (event: GatewayEvent) => void = () => {};
  const none = async (): Promise<{ ok: false; error: { type: "link_down"; detail: string } }> =>
    err({ type: "link_down", detail: "no link in this test" });
  const gateway: Gateway = {
    listen: (listener) => {
      tell = listener;
    },
    connect: () => {},
    place: (orders) => void acts.push(`place ${orders.map((order) => order.orderRef).join(" ")}`),
    modify: (order) => void acts.push(`modify ${order.orderRef}`),
    cancel: (orderRef, orderId) => void acts.push(`cancel ${orderRef}${orderId === undefined ? "" : ` ${orderId}`}`),
    openOrders: none,
    executions: none,
    positions: none,
    brokerTimeMs: none,
    contract: none,
    history: none,
    watch: none,
    margin: none,
    drop: (reason) => void acts.push(`drop ${reason}`),
    close: async () => {},
    ...answers,
  };
  const session = createSession({
    engine,
    journal,
    records,
    gateway,
    clock,
    latch: {
      set: (by, reason) => void acts.push(`latch ${by}: ${reason}`),
      clear: () => void acts.push("unlatch"),
    },
    contractQuery: () => ({ symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 }),
    log: silentLog,
    onFault: (fault) => faults.push(fault),
  });
  onTestFinished(() => session.close());
  const onDisk = (): string[] => {
    const survivor = disk.afterPowerLoss(() => 0);
    return [...readJournal(DATA, { files: survivor })].map((record) => parseRecord(record).type);
  };
  return { session, engine, journal, records, disk, clock, acts, faults, tell: (event) => tell(event), onDisk };
}

const order = (orderRef: string): OrderRequest => ({
  orderRef,
  side: "buy",
  quantity: 1,
  kind: { kind: "market" },
  tif: "day",
  parentRef: null,
  ocaGroup: null,
  outsideRth: true,
});

const place = (orderRef: string): Effect => ({
  type: "intent",
  orderRef,
  action: { do: "place", orders: [order(orderRef)] },
  why: "test",
});

const notice = (by: string): Effect => ({
  type: "notice_queued",
  class: "system",
  dedupeKey: null,
  notice: { event: "resumed", by },
});

const trade: Event = { type: "trade", exchangeAtMs: 1, priceTicks: 24_000, size: 1 };

const command = (verb: "resume" | "flatten"): Extract<Event, { type: "command" }> => ({
  type: "command",
  by: "anna (1)",
  updateId: 17,
  command: { verb },
});

describe("on disk before on the wire", () => {
  test("the intent and its cause survive a power loss at the moment the order leaves", async () => {
    const seen: string[][] = [];
    const b = await bench({ place: () => void seen.push(b.onDisk()) });

    b.session.receive(trade);
    b.session.receive(causes(place("E")));
    await b.session.idle();

    expect(seen).toEqual([["trade", "told", "intent"]]);
  });

  test.each<[string, Effect, string]>([
    ["a change", { type: "intent", orderRef: "T", action: { do: "modify", order: order("T") }, why: "" }, "modify T"],
    ["a cancel", { type: "intent", orderRef: "T", action: { do: "cancel" }, why: "" }, "cancel T"],
    [
      "a cancel of one of two",
      { type: "intent", orderRef: "T", action: { do: "cancel", orderId: 7 }, why: "" },
      "cancel T 7",
    ],
    ["the end of a link that does not answer", { type: "drop_link", reason: "silent" }, "drop silent"],
  ])("%s leaves once, as it was meant", async (_name, effect, act) => {
    const { session, acts } = await bench();

    session.receive(causes(effect));
    await session.idle();

    expect(acts).toEqual([act]);
  });

  test("nothing leaves before the sync ends", async () => {
    const b = await bench();
    let actsAtSync: number | null = null;
    b.disk.rule = ({ call }) => {
      if (call === "dataSync") actsAtSync = b.acts.length;
      return undefined;
    };

    b.session.receive(causes(place("E")));
    await b.session.idle();

    expect(actsAtSync).toBe(0);
    expect(b.acts).toEqual(["place E"]);
  });

  test("market data and time alone cost no sync", async () => {
    const b = await bench();
    let syncs = 0;
    b.disk.rule = ({ call }) => {
      if (call === "dataSync") syncs++;
      return undefined;
    };

    for (let index = 0; index < 100; index++) b.session.receive(trade);
    b.session.receive({ type: "woke" });
    await b.session.idle();

    expect(syncs).toBe(0);
    expect(b.session.eventsApplied()).toBe(101);
  });

  test("effects are performed and heard in the order of their records", async () => {
    const { session, acts } = await bench();
    const heard: string[] = [];
    session.observe((caused, seq) => heard.push(`${seq} ${caused.type}`));

    session.receive(causes(place("A"), notice("x"), place("B")));
    session.receive(causes(place("C")));
    await session.idle();

    expect(acts).toEqual(["place A", "place B", "place C"]);
    expect(heard).toEqual(["3 intent", "4 notice_queued", "5 intent", "6 intent"]);
  });
});

test("events but market data are heard once they are on the disk, before what the step caused", async () => {
  const b = await bench();
  const heard: string[] = [];
  b.session.observeEvents((event, seq) => heard.push(`${seq} ${event.type} of ${b.onDisk().length}`));
  b.session.observe((caused, seq) => heard.push(`${seq} ${caused.type}`));

  b.session.receive(trade);
  b.session.receive(causes(notice("x")));
  b.session.receive(causes());
  await b.session.idle();

  expect(heard).toEqual(["2 told of 4", "3 told of 4", "4 notice_queued"]);
});

describe("the latch", () => {
  test("is on the disk before anything that follows it leaves, and before anyone hears", async () => {
    const { session, acts } = await bench();
    session.observe((caused) => acts.push(`heard ${caused.type}`));

    session.receive(causes(place("X"), { type: "latch", by: "daily_loss", reason: "−$500" }));
    await session.idle();

    expect(acts).toEqual(["latch daily_loss: −$500", "place X", "heard intent", "heard latch"]);
  });

  test("is cleared only after the record of it is on the disk", async () => {
    const b = await bench();
    let before: string[] = [];
    b.session.observe(() => {
      before = b.onDisk();
    });

    b.session.receive(causes({ type: "unlatch", by: "anna (1)" }));
    await b.session.idle();

    expect(b.acts).toEqual(["unlatch"]);
    expect(before).toContain("unlatch");
  });
});

describe("a command", () => {
  test("resolves with its own answer, once that is on the disk", async () => {
    const b = await bench();

    const answers = await Promise.all([b.session.command(command("resume")), b.session.command(command("flatten"))]);

    expect(answers.map((answer) => answer.lines)).toEqual([["resume is done"], ["flatten is done"]]);
    expect(b.onDisk().filter((type) => type === "command_answered")).toHaveLength(2);
  });

  test("is refused after the end, and takes nothing in", async () => {
    const { session, engine } = await bench();
    await session.close();

    await expect(session.command(command("resume"))).rejects.toThrow("closed");
    await expect(session.note({ type: "notice_trying", noticeId: 1 })).rejects.toThrow("closed");
    session.receive(trade);
    await session.idle();

    expect(engine.inputs).toEqual([]);
  });
});

describe("a notice", () => {
  test("waits until it is told, and each step is on the disk before the next", async () => {
    const { session, records, onDisk } = await bench();
    session.receive(causes(notice("timer")));
    await session.idle();
    const [queued] = records.pending();

    await session.note({ type: "notice_trying", noticeId: queued?.noticeId as number });
    const tried = { types: onDisk(), pending: records.pending() };
    await session.note({ type: "notice_sent", noticeId: queued?.noticeId as number, messageId: 5 });

    expect(tried.types.at(-1)).toBe("notice_trying");
    expect(tried.pending).toMatchObject([{ noticeId: queued?.noticeId, tried: true }]);
    expect(onDisk().at(-1)).toBe("notice_sent");
    expect(records.pending()).toEqual([]);
  });
});

describe("a question to the broker", () => {
  test("that has an answer becomes an event", async () => {
    const contract = { conId: 1, localSymbol: "MESZ6" };
    const { session, onDisk } = await bench({ contract: async () => ok(contract as never) });

    session.receive(causes({ type: "ask_broker", ask: "contract" }));
    await session.idle();

    expect(onDisk().at(-1)).toBe("contract_resolved");
  });

  test("for the margin is about as many contracts as the engine asks about", async () => {
    const figures = { equityCents: 1_000_000, marginCents: 480_000, marginAfterCents: 480_000 };
    const asked: number[] = [];
    const b = await bench({
      margin: async (quantity) => {
        asked.push(quantity);
        return ok(figures);
      },
    });

    b.session.receive(causes({ type: "ask_broker", ask: "margin", quantity: 3 }));
    await b.session.idle();
    await b.journal.commit();

    expect(asked).toEqual([3]);
    const last = [...readJournal(DATA, { files: b.disk })].map(parseRecord).at(-1);
    expect(last).toMatchObject({ type: "margin_reported", fields: { quantity: 3, ...figures } });
  });

  test("for history is about the bars that the engine asks for", async () => {
    const asked: unknown[] = [];
    const b = await bench({
      history: async (query) => {
        asked.push(query);
        return ok([]);
      },
    });

    for (const barMs of [0, 5_000]) b.session.receive(causes({ type: "ask_broker", ask: "history", barMs, bars: 70 }));
    await b.session.idle();
    await b.journal.commit();

    // A bar for every trade is no broker's.
    expect(asked).toEqual([{ barMs: 5_000, count: 70 }]);
    const last = [...readJournal(DATA, { files: b.disk })].map(parseRecord);
    expect(last.filter(({ type }) => type === "history").map(({ fields }) => fields["barMs"])).toEqual([0, 5_000]);
  });

  test.each<BrokerQuestion>([
    { ask: "contract" },
    { ask: "state" },
    { ask: "history", barMs: 5_000, bars: 70 },
    { ask: "market_data" },
    { ask: "margin", quantity: 1 },
  ])("for $ask that has none becomes a failure with its reason", async (question) => {
    const { session, journal, disk } = await bench();

    session.receive(causes({ type: "ask_broker", ...question }));
    await session.idle();
    await journal.commit();

    const last = [...readJournal(DATA, { files: disk })].map(parseRecord).at(-1);
    expect(last).toMatchObject({
      type: "ask_failed",
      fields: { ask: question.ask, detail: "the link to the broker is down: no link in this test" },
    });
  });

  test("that breaks is a failure too: the engine must not wait for ever", async () => {
    const { session, onDisk } = await bench({
      contract: async () => {
        throw new Error("a bug of ours");
      },
    });

    session.receive(causes({ type: "ask_broker", ask: "contract" }));
    await session.idle();

    expect(onDisk().at(-1)).toBe("ask_failed");
    expect(session.fault()).toBeNull();
  });

  test("keeps the loop from being idle until it is answered", async () => {
    let answer: () => void = () => {};
    const { session } = await bench({
      contract: () => new Promise((resolve) => (answer = () => resolve(err({ type: "timed_out", afterMs: 1 })))),
    });
    session.receive(causes({ type: "ask_broker", ask: "contract" }));
    let isIdle = false;
    const idle = session.idle().then(() => {
      isIdle = true;
    });

    await new Promise((resolve) => setImmediate(resolve));
    const before = isIdle;
    answer();
    await idle;

    expect(before).toBe(false);
  });
});

describe("time", () => {
  test("wakes the engine when it asked for it; a later wish replaces the earlier", async () => {
    const { session, engine, clock } = await bench();
    const startMs = clock.nowMs();
    session.receive(causes({ type: "wake_at", atMs: startMs + 1_000 }));
    session.receive(causes({ type: "wake_at", atMs: startMs + 2_000 }));
    await session.idle();

    clock.advance(1_999);
    await session.idle();
    const before = engine.inputs.length;
    clock.advance(1);
    await session.idle();

    expect([before, engine.inputs.length]).toEqual([2, 3]);
    expect(engine.inputs.at(-1)?.atMs).toBe(startMs + 2_000);
  });

  test("is one stamp for what is taken in together", async () => {
    const { session, engine, clock } = await bench();

    for (let index = 0; index < 3; index++) session.receive(trade);
    await session.idle();
    clock.advance(7);
    session.receive(trade);
    await session.idle();

    const startMs = clock.nowMs() - 7;
    expect(engine.inputs.map((input) => input.atMs - startMs)).toEqual([0, 0, 0, 7]);
    expect(engine.batches).toEqual([3, 1]);
  });

  test("has no timer left after the end, even if the last event asked for one", async () => {
    const { session, clock } = await bench();
    session.receive(causes({ type: "wake_at", atMs: clock.nowMs() + 1_000 }));

    await session.close();

    expect(clock.waiting()).toBe(0);
  });
});

describe("too much at once", () => {
  test("drops market data beyond the limit of the queue, and nothing else", async () => {
    const { session, engine } = await bench();
    for (let index = 0; index < QUEUE_EVENTS_MAX; index++) session.receive(trade);

    session.receive(trade);
    session.receive(causes());
    await session.idle();

    expect(engine.inputs).toHaveLength(QUEUE_EVENTS_MAX + 1);
  });
});

describe("a journal that can't be written", () => {
  const broken: MemoryDisk["rule"] = ({ call }) => (call === "write" || call === "dataSync" ? "EIO" : undefined);

  test("latches, halts the engine, blocks entries and tells a person, each once", async () => {
    const { session, disk, acts, engine, faults } = await bench();
    disk.rule = broken;

    session.receive(causes(notice("a")));
    await session.idle();
    session.receive(causes(notice("b")));
    await session.idle();

    expect(acts).toEqual([expect.stringMatching(/^latch journal_fail: The journal can't be written any more/)]);
    expect(engine.events.map((event) => event.type)).toEqual(["told", "gate_changed", "command", "told", "told"]);
    expect(engine.events[1]).toMatchObject({ gate: "journal", blocks: true });
    expect(engine.events[2]).toMatchObject({ by: "journal_fail", command: { verb: "halt" } });
    expect(engine.events[3]).toMatchObject({ class: "critical", event: "journal_fail" });
    expect(faults).toEqual([]);
  });

  test("lets no entry leave and says so to the engine; exits, changes and cancels leave from memory", async () => {
    const { session, disk, acts, engine } = await bench();
    disk.rule = broken;
    const cancel: Effect = { type: "intent", orderRef: "QS1-abcd-1-S", action: { do: "cancel" }, why: "" };

    session.receive(causes(place("QS1-abcd-1-E"), place("QS1-abcd-2-X"), cancel));
    await session.idle();

    expect(acts.slice(1)).toEqual(["place QS1-abcd-2-X", "cancel QS1-abcd-1-S"]);
    expect(engine.events.filter((event) => event.type === "not_sent")).toEqual([
      { type: "not_sent", orderRef: "QS1-abcd-1-E", reason: "the journal can't be written" },
    ]);
  });

  test("still answers commands: a flatten must work", async () => {
    const { session, disk } = await bench();
    disk.rule = broken;

    expect(await session.command(command("flatten"))).toMatchObject({ accepted: true });
    expect(session.fault()).toBeNull();
  });

  test("is met by a note of the outbox too", async () => {
    const { session, disk, acts } = await bench();
    disk.rule = broken;

    await session.note({ type: "notice_trying", noticeId: 1 });
    await session.idle();

    expect(acts).toEqual([expect.stringMatching(/^latch journal_fail/)]);
  });
});

describe("an engine that breaks", () => {
  test("latches and stops the loop; later events are not applied", async () => {
    const { session, engine, acts, faults, tell } = await bench();
    engine.breakWith(new EngineFault("an impossible state"));

    session.receive(causes(place("E")));
    await session.idle();
    tell({ type: "trade", exchangeAtMs: 1, priceTicks: 1, size: 1 });
    await session.idle();

    expect(acts).toEqual(["latch engine_fault: an impossible state"]);
    expect(faults).toHaveLength(1);
    expect(engine.inputs).toEqual([]);
  });

  test("has what it was given on the disk at the end, so that the fault can be looked at", async () => {
    const { session, engine, journal, onDisk } = await bench();
    engine.breakWith(new EngineFault("an impossible state"));

    session.receive(causes(place("E")));
    await session.idle();
    await journal.close();

    expect(onDisk()).toEqual(["told"]);
  });
});
