// How fast a whole session replays on this machine: market → gateway → journal → engine, in-process and over the TWS wire
// with the simulated gateway in a process of its own. The baseline of each ratio is the engine alone on the same events,
// in the same run.
import { spawn } from "node:child_process";
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
import { createCalendar } from "../../src/simulators/ib-gateway/calendar.ts";
import { createSyntheticMarket } from "../../src/simulators/ib-gateway/market/synthetic.ts";
import { engineSettings } from "../../src/trading/engine-settings.ts";
import type { Gateway, GatewayEvent } from "../../src/trading/gateway.ts";
import { createIbGateway } from "../../src/trading/ib/index.ts";
import { createRecords } from "../../src/trading/records.ts";
import { createSession, type Session } from "../../src/trading/session.ts";
import { inProcess } from "../support/roads.ts";

/** 2026-11-24T14:30:00Z, 08:30 in Chicago. */
const START_MS = 1_795_530_600_000;
const SESSION_MS = 3.5 * 3_600_000;
const STEP_MS = 5_000;
const WIRE_EVENTS = 100_000;
/** Recorded trades with a quote each: a denser stretch than the synthetic night. */
const RECORDING_MS = 1_525_699_800_000;
const RECORDING = join(import.meta.dirname, "../../../shared/data/es_ticks_2018-05-07_trades.csv.gz");

const loaded = loadSettings({ file: null, environment: {}, overrides: ["risk.dailyLossReset=nextSession"] });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
const { settings } = loaded.value;

console.log(
  `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.versions.node}`,
);
const inProcessRun = await benchInProcess();
console.log("in-process done; now over the wire …");
const engineRate = benchEngine(inProcessRun.dataDir);
const wireRate = await benchWire();
rmSync(inProcessRun.dataDir, { recursive: true, force: true });

const rate = (perSecond: number): string => `${Math.round(perSecond).toLocaleString("en-US")} events/s`;
console.log(`engine alone, from the journal's frames   ${rate(engineRate)}  1.00`);
console.log(
  `whole session in-process, journal synced   ${rate(inProcessRun.perSecond)}  ${(inProcessRun.perSecond / engineRate).toFixed(2)}  (${inProcessRun.trades} trades)`,
);
console.log(`whole session over the TWS wire            ${rate(wireRate)}  ${(wireRate / engineRate).toFixed(2)}`);
process.exit(0);

/** A market at its fastest, stepped a bar at a time. */
async function benchInProcess(): Promise<{ perSecond: number; trades: number; dataDir: string }> {
  const source = createSyntheticMarket({
    seed: 7,
    startMs: START_MS,
    startPriceTicks: 27_200,
    volatility: 1,
    hours: "exchange",
    calendar: createCalendar("exchange"),
    state: null,
  });
  const road = await inProcess({ source, startMs: START_MS });
  let nowMs = START_MS;
  const clock = clockOf(() => nowMs);
  const { session, dataDir, close } = await openSession(road.gateway, clock);
  let trades = 0;
  session.observe((caused) => {
    if (caused.type === "round_trip") trades++;
  });
  const began = performance.now();
  for (let atMs = START_MS + STEP_MS; atMs <= START_MS + SESSION_MS; atMs += STEP_MS) {
    await road.stepTo(atMs);
    await session.idle();
    nowMs = atMs;
    clock.fire();
    await session.idle();
  }
  const perSecond = (session.eventsApplied() / (performance.now() - began)) * 1_000;
  await close();
  return { perSecond, trades, dataDir };
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
async function benchWire(): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      "dist/main.js",
      "simulate",
      "--port",
      "0",
      "--speed",
      "max",
      ...(existsSync(RECORDING) ? ["--data", RECORDING] : []),
    ],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = /127\.0\.0\.1:(\d+)/.exec(text);
      if (found !== null) resolve(Number(found[1]));
    });
    child.on("exit", (code) =>
      reject(new Error(`the simulated gateway ended with ${code}: build first with npm run setup`)),
    );
  });
  let nowMs = existsSync(RECORDING) ? RECORDING_MS : wallClock.nowMs();
  const clock = clockOf(() => nowMs);
  const gateway = createIbGateway({
    host: "127.0.0.1",
    port,
    clientId: 7,
    account: null,
    live: false,
    wall: wallClock,
    clock,
    random: () => 0.5,
    log: silentLog,
    onRefused: () => {},
  });
  let began = 0;
  let events = 0;
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const counted: Gateway = {
    ...gateway,
    listen: (to) =>
      gateway.listen((event: GatewayEvent) => {
        if (event.type === "trade" || event.type === "quote") {
          if (events++ === 0) began = performance.now();
          nowMs = Math.max(nowMs, event.exchangeAtMs);
          if (events === WIRE_EVENTS) done();
        }
        to(event);
      }),
  };
  const { session, dataDir, close } = await openSession(counted, clock);
  await finished;
  await session.idle();
  const perSecond = (WIRE_EVENTS / (performance.now() - began)) * 1_000;
  await gateway.close();
  await close();
  child.removeAllListeners("exit");
  child.kill("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
  return perSecond;
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
