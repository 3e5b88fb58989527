// Puts the trading half together over a data directory: lock → journal → engine → session → desk. Used by `npm start`,
// the emergency flatten and the end-to-end tests; which gateway and which clock are the caller's to say.
import type { Cancel, Clock } from "../clock.ts";
import { instrumentOf } from "../config/instruments.ts";
import type { Settings } from "../config/schema.ts";
import type { Engine } from "../engine.ts";
import { diskSpace, keepReserve, releaseReserve } from "../journal/disk.ts";
import { type History, openHistory } from "../journal/history.ts";
import {
  type Journal,
  JournalDamaged,
  type JournalProblem,
  type JournalTrouble,
  openJournal,
  printJournalProblem,
} from "../journal/journal.ts";
import { clearLatch, readLatch, setLatch } from "../journal/latch.ts";
import type { DirectoryLock } from "../journal/lock.ts";
import { readJournal } from "../journal/read.ts";
import { readSnapshot, writeSnapshot } from "../journal/snapshots.ts";
import { errorFields, type Log } from "../log.ts";
import { ok, type Result } from "../result.ts";
import { createDesk, type Desk } from "../trading/desk.ts";
import { engineSettings } from "../trading/engine-settings.ts";
import type { ContractQuery, Gateway } from "../trading/gateway.ts";
import { createRecords, encodeCaused, type Records } from "../trading/records.ts";
import { foldHistory, resume, type SnapshotState } from "../trading/resume.ts";
import { createSession, type Session } from "../trading/session.ts";

const SNAPSHOT_EVERY_MS = 600_000;
const DISK_CHECK_MS = 30_000;
const LOOP_CHECK_MS = 250;
/** A loop later than this blocks entries (control D33). */
const LOOP_LAG_MS_MAX = 500;

/** What the caller decides. */
export type AssembleOptions = {
  readonly dataDir: string;
  readonly settings: Settings;
  /** The configuration's text and where changes from the chat are written. */
  readonly config: { readonly text: string; readonly save: (text: string) => Promise<void> };
  readonly badge: "DEMO" | "PAPER" | "LIVE";
  readonly marketLabel: () => string | null;
  /** False: starts HALTED whatever the journal says (live). */
  readonly startsTrading: boolean;
  readonly gateway: Gateway;
  /** The market's clock. */
  readonly clock: Clock;
  readonly wall: Clock;
  readonly version: string;
  readonly log: Log;
  readonly lock?: DirectoryLock;
  readonly onFault: (fault: Error) => void;
};

/** The trading half, connected to nothing yet: call `begin`, then `connect`. */
export type Assembly = {
  readonly session: Session;
  readonly desk: Desk;
  readonly engine: Engine;
  readonly journal: Journal;
  /** What the person should know about the start, one sentence each. */
  readonly findings: readonly string[];
  /** True where the journal is damaged: reports, alerts and /flatten only. */
  readonly isReadOnly: boolean;
  /** Tells the engine that a run begins; once it resolves, the desk can be asked. */
  begin(): Promise<void>;
  /** Connects to the broker. */
  connect(): void;
  /** Writes that the run ends in order, and queues the notice of it; the channel can still tell it. Safe after a fault. */
  announceStop(reason: string): Promise<void>;
  /** Closes the link, leaves a snapshot and gives the directory free. Safe after a fault. */
  close(): Promise<void>;
};

/** Returns the trading half, or why the journal can't be opened. */
export async function assemble(options: AssembleOptions): Promise<Result<Assembly, JournalProblem>> {
  const { dataDir, clock, wall, log, gateway } = options;
  let settings = options.settings;
  const findings: string[] = [];
  let session: Session | null = null;
  const onTrouble = (trouble: JournalTrouble): void => {
    if (trouble.type === "slow_sync")
      log.warn({ tookMs: trouble.tookMs }, "the disk took long to sync (JOURNAL_FAIL over 250 ms)");
    if (trouble.type !== "rescued") return;
    const detail = `the journal met ${trouble.code} and was continued in a new file; entries stay off until a restart and /arm`;
    session?.receive({ type: "gate_changed", gate: "journal", blocks: true, detail });
    session?.receive({ type: "told", class: "critical", event: "journal_fail", lines: [detail] });
  };
  const base = { dataDir, clock, log, onTrouble, ...(options.lock === undefined ? {} : { lock: options.lock }) };
  let opened = await openJournal(base);
  let damage: JournalProblem | null = null;
  if (!opened.ok && opened.error.type === "corrupt") {
    damage = opened.error;
    opened = await openJournal({ ...base, readOnly: true });
  }
  if (!opened.ok) return opened;
  const { journal, recovery } = opened.value;
  if (damage !== null) findings.push(printJournalProblem(damage));
  if (recovery.tornTail !== null) {
    const { file, bytes, movedTo } = recovery.tornTail;
    findings.push(
      `The last record of ${file} was half written (${bytes} bytes); it was cut off and kept as ${movedTo}.`,
    );
  }
  if (!keepReserve(dataDir)) findings.push("There is no room for the reserve file: free some disk space.");

  const history = await openHistory({ dataDir, log, clock: wall });
  const samplingMs = (): number => settings.strategy.samplingMs;
  const restored = restore({ dataDir, damage, history, samplingMs, log });
  const { engine, records } = restored;
  findings.push(...restored.findings);
  // What was decided but not yet recorded when the last run was cut off: recorded now, so that no notice is lost. Orders
  // among it were never sent; the engine takes them as in doubt and asks.
  for (const caused of restored.missing) {
    const seq = journal.appendJson("output", clock.nowMs(), encodeCaused(caused));
    records.effect(seq, clock.nowMs(), caused);
    foldHistory(history, seq, clock.nowMs(), caused);
    if (caused.type === "latch") setLatch(dataDir, { atMs: clock.nowMs(), by: caused.by, reason: caused.reason });
  }
  journal.take();
  await journal.commit();

  const isLatched = readLatch(dataDir) !== null || damage !== null;
  const toEngine = (next: Settings): ReturnType<typeof engineSettings> => engineSettings(next, recovery.instanceId);
  session = createSession({
    engine,
    journal,
    records,
    gateway,
    clock,
    latch: {
      set: (by, reason, atMs) => {
        // A full disk must not keep the halt from being written.
        try {
          setLatch(dataDir, { atMs, by, reason });
        } catch (thrown) {
          log.error(errorFields(thrown), "the halt file could not be written; the reserve is given free");
          releaseReserve(dataDir);
          setLatch(dataDir, { atMs, by, reason });
        }
      },
      clear: () => clearLatch(dataDir),
    },
    contractQuery: () => contractQuery(settings),
    log,
    onFault: options.onFault,
  });
  const loop = session;
  loop.observeEvents((event, seq, atMs) => foldHistory(history, seq, atMs, event));
  loop.observe((caused, seq, atMs) => foldHistory(history, seq, atMs, caused));

  let loopLagMs = 0;
  let isBegun = false;
  const startedAtMs = clock.nowMs();
  const desk = createDesk({
    session: loop,
    records,
    history,
    clock,
    wall,
    config: { text: options.config.text, settings, revision: restored.revision },
    engineSettings: toEngine,
    saveConfig: options.config.save,
    onConfig: (next) => {
      settings = next;
    },
    health: () => {
      const stats = journal.stats();
      return {
        journalSyncMs: stats.lastSyncMs,
        journalSyncMsMax: stats.syncMsMax,
        journalSeq: journal.lastSeq(),
        loopLagMs,
        noticesWaiting: records.pending().length,
        memoryMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
        journalProblem: stats.failed
          ? "the journal can't be written"
          : damage === null
            ? null
            : printJournalProblem(damage),
      };
    },
    badge: options.badge,
    marketLabel: options.marketLabel,
    startedAtMs,
    version: options.version,
    engineVersion: options.version,
    log,
  });

  const timers = [
    repeat(wall, SNAPSHOT_EVERY_MS, () => void saveSnapshot(dataDir, journal, engine, records, clock, log)),
    watchDisk(dataDir, wall, loop, log),
    watchLoop(wall, loop, (lagMs) => {
      loopLagMs = lagMs;
    }),
  ];

  return ok({
    session: loop,
    desk,
    engine,
    journal,
    findings,
    isReadOnly: damage !== null,
    begin: async () => {
      isBegun = true;
      const started = loop.receiveSynced({
        type: "started",
        version: options.version,
        badge: options.badge,
        startsTrading: options.startsTrading,
        afterCrash: !restored.endedInOrder,
        latched: isLatched,
        revision: restored.revision,
        settings: toEngine(settings),
      });
      if (damage !== null) {
        const detail = "the journal is damaged and is only read";
        loop.receive({ type: "gate_changed", gate: "journal", blocks: true, detail });
        loop.receive({
          type: "told",
          class: "critical",
          event: "journal_corrupt",
          lines: [printJournalProblem(damage)],
        });
      } else loop.receive({ type: "gate_changed", gate: "journal", blocks: false, detail: "sound" });
      await started;
    },
    connect: () => gateway.connect(),
    announceStop: async (reason) => {
      if (loop.fault() !== null) return;
      await loop.receiveSynced({ type: "stopped", reason }).catch(logged(log, "ending in order"));
    },
    close: async () => {
      for (const stop of timers) stop();
      // The loop hears no more first: that we close the link is no news, and no alarm for the next start to tell.
      const closing = loop.close();
      await gateway.close();
      await closing;
      // Before its first event the engine has no state to keep.
      if (isBegun && loop.fault() === null && damage === null)
        await saveSnapshot(dataDir, journal, engine, records, clock, log);
      await history.close();
      await journal.close().catch(logged(log, "closing the journal"));
    },
  });
}

type Restored = {
  readonly engine: Engine;
  readonly records: Records;
  readonly missing: ReturnType<typeof resume>["end"]["missing"];
  readonly endedInOrder: boolean;
  readonly revision: number;
  readonly findings: readonly string[];
};

/** Folds what the journal holds; of a damaged one, what lies before the damage. */
function restore(from: {
  readonly dataDir: string;
  readonly damage: JournalProblem | null;
  readonly history: History;
  readonly samplingMs: () => number;
  readonly log: Log;
}): Restored {
  const { dataDir, damage, history, samplingMs, log } = from;
  const findings: string[] = [];
  const snapshot = readSnapshot(dataDir, (bad) => log.warn(bad, "a snapshot was passed over"));
  const state = snapshot === null ? null : (JSON.parse(snapshot.state) as SnapshotState & { revision: number });
  // A history that is behind the snapshot (deleted, moved aside) needs the whole journal; the engine only the tail.
  if (history.upToSeq() < (snapshot?.seq ?? 0)) refillHistory(dataDir, history);
  const records = createRecords(state?.shell ?? null, samplingMs);
  const fromSeq = (snapshot?.seq ?? 0) + 1;
  const resumed = resume(state, untilDamage(dataDir, fromSeq, damage), { records, history });
  if (resumed.end.difference !== null) {
    const { seq } = resumed.end.difference;
    findings.push(
      `The journal was written by other rules from record ${seq} on: this engine decides differently there. Its record stands; see npm run replay.`,
    );
  }
  return {
    engine: resumed.engine,
    records,
    missing: resumed.end.difference === null ? resumed.end.missing : [],
    endedInOrder: resumed.endedInOrder,
    revision: resumed.revision ?? state?.revision ?? 1,
    findings,
  };
}

function* untilDamage(dataDir: string, fromSeq: number, damage: JournalProblem | null): ReturnType<typeof readJournal> {
  try {
    yield* readJournal(dataDir, { fromSeq });
  } catch (thrown) {
    if (!(thrown instanceof JournalDamaged) || damage === null) throw thrown;
  }
}

function refillHistory(dataDir: string, history: History): void {
  history.rebuild({ upToSeq: 0, roundTrips: [], configChanges: [] });
  for (const record of readJournal(dataDir)) {
    if (record.code !== 1) continue;
    const content = JSON.parse(Buffer.from(record.payload).toString("utf8")) as { type: string };
    foldHistory(history, record.seq, record.atMs, content);
  }
}

async function saveSnapshot(
  dataDir: string,
  journal: Journal,
  engine: Engine,
  records: Records,
  clock: Clock,
  log: Log,
): Promise<void> {
  const seq = journal.lastSeq();
  const revision = engine.status().revision;
  const state = JSON.stringify({ engine: engine.snapshot(), shell: records.state(), revision });
  const stateHash = engine.stateHash();
  try {
    // Never newer than the synced journal.
    await journal.commit();
    writeSnapshot(dataDir, { seq, atMs: clock.nowMs(), state, stateHash });
  } catch (thrown) {
    log.error(errorFields(thrown), "no snapshot could be written; the next start reads more of the journal");
  }
}

function contractQuery(settings: Settings): ContractQuery {
  const instrument = instrumentOf(settings);
  return {
    symbol: instrument.symbol,
    exchange: instrument.exchange,
    currency: instrument.currency,
    month: settings.contract.expiry ?? "auto",
    rollDaysBefore: settings.contract.rollDaysBefore,
  };
}

function repeat(clock: Clock, everyMs: number, act: () => void): Cancel {
  let stop: Cancel = () => {};
  const next = (): void => {
    stop = clock.after(everyMs, () => {
      act();
      next();
    });
  };
  next();
  return () => stop();
}

/** Blocks entries while the disk is nearly full (control D31). */
function watchDisk(dataDir: string, wall: Clock, session: Session, log: Log): Cancel {
  let isBlocking = false;
  return repeat(wall, DISK_CHECK_MS, () => {
    diskSpace(dataDir).then(
      ({ freeBytes, level }) => {
        if ((level === "blocked") === isBlocking) return;
        isBlocking = level === "blocked";
        const detail = `${Math.round(freeBytes / 2 ** 20)} MiB free`;
        session.receive({ type: "gate_changed", gate: "disk", blocks: isBlocking, detail });
        session.receive({
          type: "told",
          class: "critical",
          event: isBlocking ? "disk_low" : "disk_ok",
          lines: [
            isBlocking
              ? `The disk is nearly full (${detail}): entries are off until there is room.`
              : `The disk has room again (${detail}).`,
          ],
        });
      },
      (thrown: unknown) => log.warn(errorFields(thrown), "free disk space could not be read"),
    );
  });
}

/** Blocks entries while the event loop lags (control D33). */
function watchLoop(wall: Clock, session: Session, report: (lagMs: number) => void): Cancel {
  let expectedMs = wall.nowMs() + LOOP_CHECK_MS;
  let isBlocking = false;
  return repeat(wall, LOOP_CHECK_MS, () => {
    const lagMs = Math.max(0, wall.nowMs() - expectedMs);
    expectedMs = wall.nowMs() + LOOP_CHECK_MS;
    report(lagMs);
    if (lagMs > LOOP_LAG_MS_MAX === isBlocking) return;
    isBlocking = lagMs > LOOP_LAG_MS_MAX;
    session.receive({
      type: "gate_changed",
      gate: "loop_lag",
      blocks: isBlocking,
      detail: `the loop was ${Math.round(lagMs)} ms late`,
    });
  });
}

function logged(log: Log, what: string): (thrown: unknown) => void {
  return (thrown) => log.error(errorFields(thrown), what);
}
