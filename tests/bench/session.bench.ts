// How fast a whole session replays on this machine: market → gateway → journal → engine, in-process and over the TWS wire
// with the simulated gateway in a process of its own. The baseline of each ratio is the engine alone on the same events,
// in the same run.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/clock.ts";
import { wallClock } from "../../src/clock.ts";
import { loadSettings } from "../../src/config/load.ts";
import { createEngine } from "../../src/engine.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { readJournal } from "../../src/journal/read.ts";
import { silentLog } from "../../src/log.ts";
import { marketSpec, openMarket } from "../../src/programs/market.ts";
import type { MarketSource } from "../../src/simulators/ib-gateway/market-source.ts";
import { engineSettings } from "../../src/trading/engine-settings.ts";
import type { Gateway, GatewayEvent } from "../../src/trading/gateway.ts";
import { createIbGateway } from "../../src/trading/ib/index.ts";
import { createRecords } from "../../src/trading/records.ts";
import { createSession, type Session } from "../../src/trading/session.ts";
import { inProcess } from "../support/roads.ts";

const STEP_MS = 5_000;
/** Recorded trades with a quote each, about 150,000 events; without the folder, a synthetic day as long. */
const RECORDING = join(import.meta.dirname, "../../../shared/data/es_ticks_2018-05-07_trades.csv.gz");
const isRecorded = existsSync(RECORDING);
const SESSION_MS = 6 * 3_600_000;
/** So long without another event means that the session is over. */
const QUIET_MS = 1_000;

const loaded = loadSettings({ file: null, environment: {}, overrides: ["risk.dailyLossReset=nextSession"] });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
const { settings } = loaded.value;

console.log(
  `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.versions.node}`,
);
const inProcessRun = await benchInProcess();
const engineRate = benchEngine(inProcessRun.dataDir);
rmSync(inProcessRun.dataDir, { recursive: true, force: true });
const wireRun = await benchWire(inProcessRun.marketEvents);

console.log(`${inProcessRun.marketEvents.toLocaleString("en-US")} market-data events: ${inProcessRun.label}`);
const rate = (perSecond: number): string =>
  `${Math.round(perSecond).toLocaleString("en-US").padStart(9)} events/s  ${(perSecond / engineRate).toFixed(2)}`;
console.log(`engine alone, from the journal's frames   ${rate(engineRate)}`);
console.log(
  `whole session in-process, journal synced   ${rate(inProcessRun.perSecond)}  (${inProcessRun.trades} trades; asked for: 200,000)`,
);
console.log(
  `whole session over the TWS wire            ${rate(wireRun.perSecond)}  (${wireRun.trades} trades; asked for: 30,000)`,
);
process.exit(0);

/** What a run of a whole session came to. */
type Run = { readonly perSecond: number; readonly trades: number };

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
  const counted = countedGateway(road.gateway, () => marketEvents++);
  const { session, dataDir, close } = await openSession(counted, clock);
  let trades = 0;
  session.observe((caused) => {
    if (caused.type === "round_trip") trades++;
  });
  const endMs = source.endMs ?? source.startMs + SESSION_MS;
  const began = performance.now();
  for (let atMs = source.startMs + STEP_MS; atMs <= endMs + STEP_MS; atMs += STEP_MS) {
    await road.stepTo(atMs);
    await session.idle();
    nowMs = atMs;
    clock.fire();
    await session.idle();
  }
  const perSecond = (marketEvents / (performance.now() - began)) * 1_000;
  await close();
  return { perSecond, trades, dataDir, marketEvents, label: source.label };
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

/** @stoqey/ib at the end of a socket, the gateway in a process of its own, as fast as it goes. */
async function benchWire(marketEvents: number): Promise<Run> {
  const child = spawn(
    process.execPath,
    ["dist/main.js", "simulate", "--port", "0", "--http-port", "0", "--speed", "max"].concat(
      isRecorded ? ["--data", RECORDING] : [],
    ),
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const { port, control } = await addressesOf(child);
  const order = async (command: object): Promise<void> => {
    const answer = await fetch(`${control}/simulate/market`, { method: "POST", body: JSON.stringify(command) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  // The market waits until the bot has asked for its data: both roads then see the same session.
  await order({ pause: true });
  let nowMs = openSource().startMs;
  const clock = clockOf(() => nowMs);
  const gateway = createIbGateway({
    host: "127.0.0.1",
    port,
    clientId: 7,
    account: null,
    live: false,
    timesRealTime: 1,
    wall: wallClock,
    clock,
    random: () => 0.5,
    log: silentLog,
    onRefused: () => {},
  });
  let events = 0;
  let trades = 0;
  let lastAt = 0;
  const counted = countedGateway(gateway, (exchangeAtMs) => {
    events++;
    lastAt = performance.now();
    nowMs = Math.max(nowMs, exchangeAtMs);
  });
  const { session, dataDir, close } = await openSession(counted, clock);
  session.observe((caused) => {
    if (caused.type === "round_trip") trades++;
  });
  let isFed = false;
  session.observeEvents((event) => {
    if (event.type === "feed_changed" && event.ok) isFed = true;
  });
  await until(() => isFed);
  // The send gate may still hold the second subscription.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const began = performance.now();
  await order({ resume: true });
  await until(() => {
    clock.fire();
    return events >= marketEvents || (events > 0 && performance.now() - lastAt > QUIET_MS);
  });
  await session.idle();
  if (events < marketEvents * 0.99)
    console.log(`over the wire only ${events.toLocaleString("en-US")} of ${marketEvents.toLocaleString("en-US")} arrived`);
  const perSecond = (events / (lastAt - began)) * 1_000;
  await gateway.close();
  await close();
  child.removeAllListeners("exit");
  child.kill("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
  return { perSecond, trades };
}

function addressesOf(child: ChildProcess): Promise<{ port: number; control: string }> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const port = /TWS port +127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      const control = /Control +(http:\S+)\/simulate\/state/.exec(text)?.[1];
      if (port !== undefined && control !== undefined) resolve({ port: Number(port), control });
    });
    child.on("exit", (code) =>
      reject(new Error(`the simulated gateway ended with ${code}: build first with npm run setup`)),
    );
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

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function openSession(
  gateway: Gateway,
  clock: Clock,
): Promise<{ session: Session; dataDir: string; close(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), "session-bench-"));
  const opened = await openJournal({ dataDir, clock, log: silentLog });
  if (!opened.ok) throw new Error(opened.error.type);
  const { journal, recovery } = opened.value;
  const { samplingMs, window } = settings.strategy;
  const session = createSession({
    engine: createEngine(null),
    journal,
    records: createRecords(null, () => samplingMs),
    gateway,
    clock,
    latch: { set: () => {}, clear: () => {} },
    contractQuery: () => ({ symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 }),
    window: () => ({ samplingMs, bars: window }),
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
