// One whole session over one of the roads, in lockstep: the market goes on by a second, both sides come to rest, then the
// bot's clock follows. Returns what it traded.

import { loadSettings } from "../../src/config/load.ts";
import { createEngine, type RoundTrip } from "../../src/engine.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { silentLog } from "../../src/log.ts";
import type { MarketSource } from "../../src/simulators/ib-gateway/market-source.ts";
import { engineSettings } from "../../src/trading/engine-settings.ts";
import { createRecords, type ShellState } from "../../src/trading/records.ts";
import { createSession } from "../../src/trading/session.ts";
import { type MemoryDisk, memoryDisk } from "../journal/memory-disk.ts";
import { noLock } from "../journal/support.ts";
import { createFakeClock } from "./fake-clock.ts";
import type { MakeRoad } from "./roads.ts";

/** Is what a session was and did. */
export type Run = {
  readonly roundTrips: readonly RoundTrip[];
  /** Closed bars that the engine decided on. */
  readonly decisions: number;
  /** Signals that a gate stopped, by gate. */
  readonly blocked: ReadonlyMap<string, number>;
  /** What a person was told, in order, by name. */
  readonly notices: readonly { readonly atMs: number; readonly event: string }[];
  /** Anomalies, doubts and halts, for reading when two runs differ. */
  readonly remarks: readonly string[];
  /** Holds the journal. */
  readonly disk: MemoryDisk;
  /** Hash of the engine's state, and what the shell remembers, at the end. */
  readonly stateHash: string;
  readonly shell: ShellState;
};

/** Where the journal is on a run's disk. */
export const DATA = "/data";
/** Ends of bars fall on steps; a quote is never older to the bot than a step, far below what it takes for stale. */
const STEP_MS = 1_000;
/** Rounds in which both sides may still have something to say; more means that they never stop. */
const ROUNDS_MAX = 1_000;

/** Runs a session from the source's start to `endMs` with the default settings and these overrides. */
export async function run(
  make: MakeRoad,
  market: {
    readonly source: MarketSource;
    readonly endMs: number;
    readonly overrides?: readonly string[];
    /** True: from one thing that happens to the next, the bot's clock first, instead of second by second. */
    readonly isFine?: boolean;
  },
): Promise<Run> {
  const { source, endMs, isFine = false } = market;
  const startMs = source.startMs;
  const loaded = loadSettings({ file: null, environment: {}, overrides: [...(market.overrides ?? [])] });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const { settings } = loaded.value;
  const road = await make({ source, startMs, isPaced: true });
  const clock = createFakeClock(startMs);
  const disk = memoryDisk();
  const engine = createEngine(null);
  const opened = await openJournal({ dataDir: DATA, clock, log: silentLog, files: disk, lock: noLock });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const { journal, recovery } = opened.value;
  const { samplingMs } = settings.strategy;
  const records = createRecords(null, () => samplingMs);
  const session = createSession({
    engine,
    journal,
    records,
    gateway: road.gateway,
    clock,
    latch: { set: () => {}, clear: () => {} },
    contractQuery: () => ({ symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 }),
    log: silentLog,
    onFault: () => {},
  });

  const roundTrips: RoundTrip[] = [];
  const notices: { atMs: number; event: string }[] = [];
  const remarks: string[] = [];
  const blocked = new Map<string, number>();
  let decisions = 0;
  let toLeave = 0;
  session.observe((caused, _seq, atMs) => {
    if (caused.type === "round_trip") roundTrips.push(caused.trade);
    if (caused.type === "notice_queued") notices.push({ atMs, event: caused.notice.event });
    if (caused.type === "decision") {
      decisions++;
      if (caused.blockedBy !== null) blocked.set(caused.blockedBy, (blocked.get(caused.blockedBy) ?? 0) + 1);
    }
    // Orders and subscriptions are not waited for by the session: they may still stand at the pace of the sending side.
    if (caused.type === "intent" || (caused.type === "ask_broker" && caused.ask === "market_data")) toLeave++;
    if (caused.type === "anomaly" || caused.type === "in_doubt" || caused.type === "latch")
      remarks.push(`${atMs} ${JSON.stringify(caused)}`);
  });

  /** Until neither side says anything more. What was sent is followed by a question of its own, answered behind it. */
  const settle = async (): Promise<void> => {
    for (let rounds = 0; ; rounds++) {
      if (rounds > ROUNDS_MAX) throw new Error(`no rest at ${clock.nowMs()}`);
      const before = session.eventsApplied();
      await session.idle();
      await road.quiet();
      if (toLeave > 0) {
        toLeave = 0;
        await road.gateway.executions();
        continue;
      }
      await session.idle();
      const fault = session.fault();
      if (fault !== null) throw fault;
      if (session.eventsApplied() === before) return;
    }
  };

  session.receive({
    type: "started",
    version: "0.0.0",
    badge: "DEMO",
    startsTrading: true,
    afterCrash: false,
    latched: false,
    revision: 1,
    settings: engineSettings(settings, recovery.instanceId),
  });
  const up = new Promise<void>((resolve) => {
    const stop = session.observe((caused) => {
      if (caused.type !== "ask_broker") return;
      stop();
      resolve();
    });
  });
  road.gateway.connect();
  await up;
  await settle();
  while (isFine) {
    const next = Math.min(road.nextAtMs() ?? Number.POSITIVE_INFINITY, clock.nextAtMs() ?? Number.POSITIVE_INFINITY);
    if (next > endMs) break;
    road.reach(next);
    clock.jumpTo(next);
    await settle();
    await road.stepTo(next);
    await settle();
  }
  for (let atMs = startMs + STEP_MS; !isFine && atMs <= endMs; atMs += STEP_MS) {
    await road.stepTo(atMs);
    await settle();
    clock.jumpTo(atMs);
    await settle();
  }
  await road.stop();
  await session.close();
  await journal.close();
  return {
    roundTrips,
    decisions,
    blocked,
    notices,
    remarks,
    disk,
    stateHash: engine.stateHash(),
    shell: records.state(),
  };
}
