// The way back after a restart, from a journal that a real engine wrote in a real session on the exchange.
import { beforeAll, describe, expect, test } from "vitest";
import { type Caused, createEngine, type Event } from "../../src/engine.ts";
import { LINK_BYTES, SEGMENT_HEADER_BYTES } from "../../src/journal/format.ts";
import { type History, openHistory } from "../../src/journal/history.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { type JournalRecord, parseRecord, readJournal } from "../../src/journal/read.ts";
import { silentLog } from "../../src/log.ts";
import { createCalendar } from "../../src/simulators/ib-gateway/calendar.ts";
import { MEASURED } from "../../src/simulators/ib-gateway/market/character.ts";
import { createSyntheticMarket } from "../../src/simulators/ib-gateway/market/synthetic.ts";
import type { Gateway } from "../../src/trading/gateway.ts";
import { createRecords, encodeCaused, type Records } from "../../src/trading/records.ts";
import { createReplay, type ReplayEnd, type Resumed, resume } from "../../src/trading/resume.ts";
import { createSession } from "../../src/trading/session.ts";
import { type MemoryDisk, memoryDisk } from "../journal/memory-disk.ts";
import { noLock } from "../journal/support.ts";
import { createFakeClock, FAKE_START_MS } from "../support/fake-clock.ts";
import { DATA, type Run, run } from "../support/lockstep.ts";
import { fc } from "../support/properties.ts";
import { inProcess } from "../support/roads.ts";
import { createScriptedMarket } from "../support/scripted-market.ts";

const MINUTE_MS = 60_000;
const BAR_MS = 1_000;

let live: Run;
let journal: readonly JournalRecord[];

beforeAll(async () => {
  const source = createSyntheticMarket({
    seed: 7,
    startMs: FAKE_START_MS,
    startPriceTicks: 27_200,
    volatility: 1,
    character: MEASURED,
    hours: "exchange",
    calendar: createCalendar("exchange"),
    state: null,
  });
  const overrides = ["strategy.sampling=1s", "strategy.window=20"];
  live = await run(inProcess, { source, endMs: source.startMs + 6 * MINUTE_MS, overrides });
  journal = [...readJournal(DATA, { files: live.disk })];
});

type Back = Resumed & { readonly records: Records; readonly history: History };

async function back(from: readonly JournalRecord[]): Promise<Back> {
  const files = memoryDisk();
  const history = await openHistory({ dataDir: DATA, log: silentLog, clock: createFakeClock(), files });
  const records = createRecords(null, () => BAR_MS);
  return { ...resume(null, from, { records, history }), records, history };
}

const textOf = (record: JournalRecord): string => Buffer.from(record.payload).toString("utf8");
const typeOf = (record: JournalRecord): string => parseRecord(record).type;
const outputs = (records: readonly JournalRecord[]): JournalRecord[] =>
  records.filter((record) => record.kind === "output");

test("the session that was recorded traded, so that there is something to come back to", () => {
  expect(live.roundTrips.length).toBeGreaterThan(0);
  expect(outputs(journal).some((record) => typeOf(record) === "intent")).toBe(true);
  expect(live.remarks).toEqual([]);
});

test("the whole journal gives the same engine, the same notices, the same points and the same trades", async () => {
  const { engine, end, endedInOrder, records, history } = await back(journal);

  expect(end).toMatchObject({ difference: null, missing: [], lastSeq: journal.at(-1)?.seq });
  expect(engine.stateHash()).toBe(live.stateHash);
  expect(records.state()).toEqual(live.shell);
  expect(history.roundTrips().map((row) => row.netCents)).toEqual(live.roundTrips.map((trade) => trade.netCents));
  expect(endedInOrder).toBe(false);
});

test("from a snapshot on the tail gives the same as the whole journal", async () => {
  const half = Math.floor(journal.length / 2);
  // Between two batches: the record before is an output, the next an input.
  const cut = journal.findIndex(
    (record, at) => at > half && record.kind === "input" && journal[at - 1]?.kind === "output",
  );
  const before = await back(journal.slice(0, cut));
  const state = { engine: before.engine.snapshot(), shell: before.records.state() };

  const records = createRecords(state.shell, () => BAR_MS);
  const resumed = resume(state, journal.slice(cut), { records, history: before.history });

  expect(resumed.end).toMatchObject({ difference: null, missing: [] });
  expect(resumed.engine.stateHash()).toBe(live.stateHash);
  expect(records.state()).toEqual(live.shell);
});

test("the engine decides the same however its frames are batched", () => {
  const frames = journal.filter((record) => record.kind === "input").map((record) => record.frame);
  const recorded = outputs(journal).map(textOf);

  const sizes = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sizes, (batchSizes) => {
      const engine = createEngine(null);
      const effects: Caused[] = [];
      for (let at = 0, batch = 0; at < frames.length; batch++) {
        const size = batchSizes[batch % batchSizes.length] as number;
        effects.push(...engine.apply(Buffer.concat(frames.slice(at, at + size))));
        at += size;
      }

      expect(effects.map(encodeCaused)).toEqual(recorded);
      expect(engine.stateHash()).toBe(live.stateHash);
    }),
    { numRuns: 10 },
  );
});

test("a record that another engine would not have written is found, with both texts", async () => {
  const at = journal.findIndex((record) => record.kind === "output" && typeOf(record) === "decision");
  const changed = journal.map((record, index): JournalRecord => {
    if (index !== at) return record;
    return { ...record, payload: Buffer.from(textOf(record).replace('"wants":', '"wanted":')) };
  });

  const { end } = await back(changed);

  expect(end.difference?.seq).toBe(journal[at]?.seq);
  expect(end.difference?.recorded).toContain('"wanted":');
  expect(end.difference?.replayed).toContain('"wants":');
});

describe("a run that was cut off", () => {
  /** Ends of journals worth trying: after each record that is not market data, of which there are thousands alike. */
  const cuts = (): number[] =>
    journal.flatMap((record, at) => (record.code === 1 && typeOf(record) !== "decision" ? [at + 1] : []));

  // It replays the journal from the start to each of hundreds of places: longer than a test may take on a busy machine.
  test("after any record goes on from there: what is recorded and what is missing are all that was decided", {
    timeout: 180_000,
  }, () => {
    const recorded = outputs(journal).map(textOf);
    for (const cut of cuts()) {
      const prefix = journal.slice(0, cut);
      const replay = createReplay(createEngine(null));
      for (const record of prefix) replay.take(record);

      const { difference, missing } = replay.finish();

      const inputs = prefix.filter((record) => record.kind === "input").map((record) => record.seq);
      const lastCause = inputs.at(-1) as number;
      const decided = recorded.filter((text) => (JSON.parse(text) as Caused).cause <= lastCause);
      expect(difference).toBeNull();
      expect([...outputs(prefix).map(textOf), ...missing.map(encodeCaused)]).toEqual(decided);
    }
  });

  test("between deciding and recording loses no notice once the missing effects are recorded", async () => {
    const at = journal.findIndex(
      (record) => record.kind === "output" && typeOf(record) === "notice_queued" && record.seq > 500,
    );
    const { end, records } = await back(journal.slice(0, at));
    const before = records.pending().length;

    for (const [index, caused] of end.missing.entries()) records.effect(end.lastSeq + 1 + index, 0, caused);

    expect(records.pending().length).toBeGreaterThan(before);
    expect(records.pending().at(-1)?.noticeId).toBeGreaterThan(end.lastSeq);
  });

  test("before an order left remembers it as one that may exist, and does not send it by itself", async () => {
    const at = journal.findIndex((record) => record.kind === "output" && typeOf(record) === "intent");
    const { engine, end } = await back(journal.slice(0, at));

    const intents = end.missing.filter((caused) => caused.type === "intent");

    expect(intents).toHaveLength(1);
    const [intent] = intents;
    const known = engine.status().orders.map((order) => order.orderRef);
    expect(intent?.type === "intent" && known.includes(intent.orderRef)).toBe(true);
  });

  test("around its first order never sends again what may have left, breaks nothing, and replays as it went on", async () => {
    const first = journal.findIndex((record) => typeOf(record) === "intent");
    const around = cuts().filter((cut) => cut >= first - 3 && cut <= first + 40);

    expect(around.length).toBeGreaterThan(8);
    for (const cut of around) {
      const prefix = journal.slice(0, cut);
      const earlier = new Set(prefix.flatMap(placedIn));
      const second = await goOn(prefix);

      expect(second.fault).toBeNull();
      expect(second.placed.filter((orderRef) => earlier.has(orderRef))).toEqual([]);
      expect(second.placed.length).toBe(new Set(second.placed).size);
      expect(second.end).toMatchObject({ difference: null, missing: [] });
    }
  });
});

/** Returns the references of the orders that a record decided to place. */
function placedIn(record: JournalRecord): string[] {
  if (typeOf(record) !== "intent") return [];
  const { action } = JSON.parse(textOf(record)) as Extract<Caused, { type: "intent" }>;
  return action.do === "place" ? action.orders.map((order) => order.orderRef) : [];
}

/** Starts a second run on a journal that ends after `prefix`, at a broker who knows nothing of the first, for 20 s. */
async function goOn(prefix: readonly JournalRecord[]): Promise<{
  readonly placed: readonly string[];
  readonly fault: Error | null;
  readonly end: ReplayEnd;
}> {
  const startMs = prefix.at(-1)?.atMs as number;
  const disk = diskWith(prefix);
  const clock = createFakeClock(startMs);
  const { engine, end, records } = await back(prefix);
  const opened = await openJournal({ dataDir: DATA, clock, log: silentLog, files: disk, lock: noLock });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const { journal: onward } = opened.value;
  for (const caused of end.missing) {
    const seq = onward.appendJson("output", startMs, encodeCaused(caused));
    records.effect(seq, startMs, caused);
  }
  onward.take();
  await onward.commit();

  const quotes = Array.from({ length: 40 }, (_, index) => ({ atMs: startMs + index * 500, bid: 27_190, ask: 27_191 }));
  const road = await inProcess({ source: createScriptedMarket(startMs, quotes), startMs });
  const placed: string[] = [];
  const gateway: Gateway = {
    ...road.gateway,
    place: (orders, highestOrderId) => {
      placed.push(...orders.map((order) => order.orderRef));
      road.gateway.place(orders, highestOrderId);
    },
  };
  const session = createSession({
    engine,
    journal: onward,
    records,
    gateway,
    clock,
    latch: { set: () => {}, clear: () => {} },
    contractQuery: () => ({ symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 }),
    log: silentLog,
    onFault: () => {},
  });
  const started = prefix.find((record) => typeOf(record) === "started") as JournalRecord;
  session.receive({ ...(JSON.parse(textOf(started)) as Extract<Event, { type: "started" }>), afterCrash: true });
  gateway.connect();
  await session.idle();
  for (let seconds = 1; seconds <= 20; seconds++) {
    await road.stepTo(startMs + seconds * 1_000);
    await session.idle();
    clock.jumpTo(startMs + seconds * 1_000);
    await session.idle();
  }
  await road.stop();
  await session.close();
  const fault = session.fault();
  await onward.close();
  return { placed, fault, end: (await back([...readJournal(DATA, { files: disk })])).end };
}

/** Returns a disk whose one segment ends after the last record of `prefix`. */
function diskWith(prefix: readonly JournalRecord[]): MemoryDisk {
  const files = new Map<string, Uint8Array>();
  const bytes = prefix.reduce((sum, record) => sum + record.frame.length, SEGMENT_HEADER_BYTES + LINK_BYTES);
  for (const name of live.disk.names()) files.set(name, live.disk.contents(name));
  for (const [name, whole] of files) if (name.endsWith(".qsj")) files.set(name, whole.subarray(0, bytes));
  return memoryDisk(files);
}
