// How fast a whole session replays on this machine: market → gateway → journal → engine, in-process and over the TWS wire,
// there as the program that users start, chat and all. The baseline of each ratio is the engine alone on the same events,
// in the same run.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../../src/clock.ts";
import { wallClock } from "../../src/clock.ts";
import { loadSettings } from "../../src/config/load.ts";
import { createEngine } from "../../src/engine.ts";
import {
  CODE_QUOTE,
  CODE_TRADE,
  FRAME_HEADER_BYTES,
  frameFlags,
  putInt64,
  sealFrame,
} from "../../src/journal/format.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { parseRecord, readJournal } from "../../src/journal/read.ts";
import { silentLog } from "../../src/log.ts";
import { marketSpec, openMarket } from "../../src/programs/market.ts";
import type { MarketSource } from "../../src/simulators/ib-gateway/market-source.ts";
import { engineSettings } from "../../src/trading/engine-settings.ts";
import type { Gateway, GatewayEvent } from "../../src/trading/gateway.ts";
import { createRecords } from "../../src/trading/records.ts";
import { createSession, type Session } from "../../src/trading/session.ts";
import { inProcess } from "../support/roads.ts";

/** So much market time passes before the session is heard: it answers at most that far behind. */
const STEP_MS = 1_000;
/** Recorded trades with a quote each, about 150,000 events; without the folder, a synthetic day as long. */
const RECORDING = join(import.meta.dirname, "../../../shared/data/es_ticks_2018-05-07_trades.csv.gz");
const isRecorded = existsSync(RECORDING);
const SESSION_MS = 6 * 3_600_000;
/** Market events that decide nothing, in all, and those of a call. */
const QUIET_EVENTS = 100_000;
const QUIET_EVENTS_A_CALL = 1_000;
const QUIET_ROUNDS = 9;
/** A synthetic market does not end: it is watched for so long. */
const SYNTHETIC_WALL_MS = 10_000;

const loaded = loadSettings({ file: null, environment: {}, overrides: ["risk.dailyLossReset=nextSession"] });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
const { settings } = loaded.value;

console.log(
  `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.versions.node}`,
);
const inProcessRun = await benchInProcess();
const engineRate = benchEngine(inProcessRun.dataDir);
const quiet = benchQuiet(inProcessRun.dataDir);
rmSync(inProcessRun.dataDir, { recursive: true, force: true });
const wireRun = await benchWire();

console.log(`${inProcessRun.marketEvents.toLocaleString("en-US")} market-data events: ${inProcessRun.label}`);
const rate = (perSecond: number): string =>
  `${Math.round(perSecond).toLocaleString("en-US").padStart(9)} events/s  ${(perSecond / engineRate).toFixed(2)}`;
function byProcessor({ perProcessorSecond }: Run): string {
  return perProcessorSecond === null
    ? ""
    : `; ${Math.round(perProcessorSecond).toLocaleString("en-US")} a second of processor time`;
}
console.log(`engine alone, from the journal's frames   ${rate(engineRate)}`);
console.log(
  `engine through the binding, warm, quiet market: ${quiet.byCall.toFixed(1)} ns a market event at 1,000 a call, ${quiet.atOnce.toFixed(1)} ns at ${QUIET_EVENTS.toLocaleString("en-US")} a call: ${(quiet.byCall / quiet.atOnce).toFixed(2)} × it (CPU time, the least of ${QUIET_ROUNDS} rounds turn about; ${quiet.effects} effects; the core's own figure is in the first table)`,
);
console.log(
  `whole session in-process, journal synced   ${rate(inProcessRun.perSecond)}  (${inProcessRun.trades} trades${byProcessor(inProcessRun)}; asked for: 200,000)`,
);
console.log(
  `the whole program over the TWS wire       ${rate(wireRun.perSecond)}  (${wireRun.trades} trades, ${wireRun.marketEvents.toLocaleString("en-US")} events${byProcessor(wireRun)}; asked for: 30,000)`,
);
process.exit(0);

/** What a run of a whole session came to. */
type Run = {
  readonly perSecond: number;
  /** The same by processor time, which a busy machine changes less; null where the machine does not tell. */
  readonly perProcessorSecond: number | null;
  readonly trades: number;
};

function openSource(): MarketSource {
  const market = [`simulator.market=${isRecorded ? RECORDING : "synthetic"}`];
  const asked = loadSettings({ file: null, environment: {}, overrides: market });
  if (!asked.ok) throw new Error(JSON.stringify(asked.error));
  return openMarket(marketSpec(asked.value.settings, wallClock.nowMs()), asked.value.settings, null);
}

/** A market at its fastest, stepped a bar at a time. */
async function benchInProcess(): Promise<Run & { dataDir: string; marketEvents: number; label: string }> {
  const source = openSource();
  const road = await inProcess({ source, startMs: source.startMs });
  let nowMs = source.startMs;
  const clock = clockOf(() => nowMs);
  let marketEvents = 0;
  const counted = countedGateway(road.gateway, (exchangeAtMs) => {
    marketEvents++;
    nowMs = Math.max(nowMs, exchangeAtMs);
  });
  const { session, dataDir, close } = await openSession(counted, clock);
  let trades = 0;
  session.observe((caused) => {
    if (caused.type === "round_trip") trades++;
  });
  const endMs = source.endMs ?? source.startMs + SESSION_MS;
  const began = performance.now();
  const beganOn = process.cpuUsage();
  for (let atMs = source.startMs + STEP_MS; atMs <= endMs + STEP_MS; atMs += STEP_MS) {
    await road.stepTo(atMs);
    await session.idle();
    nowMs = atMs;
    clock.fire();
    await session.idle();
  }
  const perSecond = (marketEvents / (performance.now() - began)) * 1_000;
  const { user, system } = process.cpuUsage(beganOn);
  const perProcessorSecond = (marketEvents / (user + system)) * 1_000_000;
  await close();
  return { perSecond, perProcessorSecond, trades, dataDir, marketEvents, label: source.label };
}

/** The same journal through a new engine, nothing else. */
function benchEngine(dataDir: string): number {
  const frames: Uint8Array[] = [];
  for (const record of readJournal(dataDir)) if (record.kind === "input") frames.push(record.frame);
  const all = Buffer.concat(frames);
  const engine = createEngine(null);
  const began = performance.now();
  engine.apply(all);
  return (frames.length / (performance.now() - began)) * 1_000;
}

/** The engine that the journal leaves, in a market that decides nothing: one call for all events beside many calls. */
function benchQuiet(dataDir: string): { atOnce: number; byCall: number; effects: number } {
  const engines = [createEngine(null), createEngine(null)] as const;
  const frames: Uint8Array[] = [];
  const last = { seq: 0, atMs: 0, priceTicks: 0 };
  for (const record of readJournal(dataDir)) {
    last.seq = record.seq;
    if (record.kind !== "input") continue;
    last.atMs = record.atMs;
    if (record.code === CODE_TRADE) last.priceTicks = Number(parseRecord(record).fields["priceTicks"]);
    frames.push(record.frame);
  }
  for (const engine of engines) engine.apply(Buffer.concat(frames));
  const least = { atOnce: Number.POSITIVE_INFINITY, byCall: Number.POSITIVE_INFINITY };
  let effects = 0;
  for (let round = 0; round < QUIET_ROUNDS; round++) {
    const calls = Array.from({ length: QUIET_EVENTS / QUIET_EVENTS_A_CALL }, () => quietFrames(last));
    const all = Buffer.concat(calls);
    least.atOnce = Math.min(
      least.atOnce,
      nsAnEvent(() => void engines[0].apply(all)),
    );
    const byCall = nsAnEvent(() => {
      for (const call of calls) effects += engines[1].apply(call).length;
    });
    least.byCall = Math.min(least.byCall, byCall);
  }
  return { ...least, effects };
}

/** CPU time of all threads. */
function nsAnEvent(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / QUIET_EVENTS;
}

/** The next events of a call, every 10 ms: two quotes to a trade, within a tick of the last price. Moves `last` on. */
function quietFrames(last: { seq: number; atMs: number; readonly priceTicks: number }): Uint8Array {
  const bytes = new Uint8Array(QUIET_EVENTS_A_CALL * (FRAME_HEADER_BYTES + 24));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let event = 0; event < QUIET_EVENTS_A_CALL; event++) {
    last.seq++;
    last.atMs += 10;
    const price = last.priceTicks + ((last.seq * 7) % 3) - 1;
    const isTrade = last.seq % 3 === 0;
    const numbers = isTrade ? [price, 1] : [price - 1, price, 20, 30];
    const payload = at + FRAME_HEADER_BYTES;
    putInt64(view, payload, last.atMs);
    for (const [place, number] of numbers.entries()) view.setInt32(payload + 8 + 4 * place, number, true);
    const code = isTrade ? CODE_TRADE : CODE_QUOTE;
    at += sealFrame(bytes, view, at, 8 + 4 * numbers.length, code, frameFlags("input", false), last.seq, last.atMs);
  }
  return bytes.subarray(0, at);
}

/** The program itself, as `npm start -- --data FILE --speed max` runs it, until the recording has ended. */
async function benchWire(): Promise<Run & { marketEvents: number }> {
  const dataDir = mkdtempSync(join(tmpdir(), "session-bench-"));
  const market = isRecorded ? ["--data", RECORDING] : [];
  const ports = ["--gateway-port", "0", "--chat-port", "0", "--http-port", "0"];
  const child = spawn(process.execPath, ["dist/main.js", "run", "--speed", "max", ...ports, ...market], {
    env: { ...process.env, DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    await said(child.stdout, "Open the chat page", child);
    const began = performance.now();
    const beganOnMs = processorMs(child);
    if (isRecorded) await said(child.stderr, "The recording has ended", child);
    else await new Promise<void>((resolve) => wallClock.after(SYNTHETIC_WALL_MS, resolve));
    const tookMs = performance.now() - began;
    const endedOnMs = processorMs(child);
    child.kill("SIGINT");
    await new Promise((resolve) => child.once("exit", resolve));
    let marketEvents = 0;
    let trades = 0;
    for (const record of readJournal(dataDir)) {
      const { type } = parseRecord(record);
      if (type === "trade" || type === "quote") marketEvents++;
      if (type === "round_trip") trades++;
    }
    const onMs = beganOnMs === null || endedOnMs === null ? null : endedOnMs - beganOnMs;
    return {
      perSecond: (marketEvents / tookMs) * 1_000,
      perProcessorSecond: onMs === null ? null : (marketEvents / onMs) * 1_000,
      trades,
      marketEvents,
    };
  } finally {
    child.kill("SIGKILL");
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Returns the processor time that a process has used, by Linux's accounts in hundredths of a second; null elsewhere. */
function processorMs({ pid }: ChildProcess): number | null {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return null;
  const fields = readFileSync(path, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resolves when the stream has said these words. */
function said(stream: Readable | null, words: string, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the bot ended with ${code}: build first with npm run setup`)));
  });
}

function countedGateway(gateway: Gateway, heard: (exchangeAtMs: number) => void): Gateway {
  return {
    ...gateway,
    listen: (to) =>
      gateway.listen((event: GatewayEvent) => {
        if (event.type === "trade" || event.type === "quote") heard(event.exchangeAtMs);
        to(event);
      }),
  };
}

async function openSession(
  gateway: Gateway,
  clock: Clock,
): Promise<{ session: Session; dataDir: string; close(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), "session-bench-"));
  const opened = await openJournal({ dataDir, clock, log: silentLog });
  if (!opened.ok) throw new Error(opened.error.type);
  const { journal, recovery } = opened.value;
  const { samplingMs } = settings.strategy;
  const session = createSession({
    engine: createEngine(null),
    journal,
    records: createRecords(null, () => samplingMs),
    gateway,
    clock,
    latch: { set: () => {}, clear: () => {} },
    contractQuery: () => ({ symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 }),
    log: silentLog,
    onFault: (fault) => {
      throw fault;
    },
  });
  session.receive({
    type: "started",
    version: "bench",
    badge: "DEMO",
    startsTrading: true,
    afterCrash: false,
    latched: false,
    revision: 1,
    settings: engineSettings(settings, recovery.instanceId),
  });
  gateway.connect();
  await session.idle();
  return {
    session,
    dataDir,
    close: async () => {
      await session.close();
      await journal.close();
    },
  };
}

/** A clock that is read from the market; its one timer fires when it is told to. */
function clockOf(nowMs: () => number): Clock & { fire(): void } {
  const timers = new Map<number, { atMs: number; knock: () => void }>();
  let next = 1;
  const at = (atMs: number, knock: () => void): (() => void) => {
    const id = next++;
    timers.set(id, { atMs, knock });
    return () => timers.delete(id);
  };
  return {
    nowMs,
    at,
    after: (waitMs, knock) => at(nowMs() + waitMs, knock),
    fire: () => {
      for (const [id, timer] of timers) {
        if (timer.atMs > nowMs()) continue;
        timers.delete(id);
        timer.knock();
      }
    },
  };
}
