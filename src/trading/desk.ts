// The one door for people: what they may see and what they may command. Views and channels know nothing else of trading.

import type { Cancel, Clock } from "../clock.ts";
import { type Preview, previewChange } from "../config/edit.ts";
import { instrumentOf } from "../config/instruments.ts";
import type { ConfigProblem } from "../config/load.ts";
import type { Settings } from "../config/schema.ts";
import type { Caused, Command, EngineSettings, Notice, NoticeClass, Status } from "../engine.ts";
import type { ConfigChangeRow, History, RoundTripRow } from "../journal/history.ts";
import { errorFields, type Log } from "../log.ts";
import type { Result } from "../result.ts";
import { printDuration } from "../units.ts";
import type { Records } from "./records.ts";
import type { Session } from "./session.ts";

export type {
  Caused,
  Effect,
  EntryReason,
  Notice,
  NoticeClass,
  OrderStatus,
  Posture,
  RoundTrip,
  Status,
  Today,
} from "../engine.ts";
export type { ConfigChangeRow, RoundTripRow } from "../journal/history.ts";

/** Who commands: the name goes into the journal with the id. */
export type Person = { readonly id: number; readonly name: string };

/** Through which update a command came; the engine obeys an update once. */
export type Origin = { readonly person: Person; readonly updateId: number | null };

/** What became of a command; `lines` are sentences for the person. */
export type Answer = {
  readonly accepted: boolean;
  /** True where this very update had been obeyed before. */
  readonly repeated: boolean;
  readonly lines: readonly string[];
};

/** A point of the chart: one closed bar with what was seen at its close. Prices in ticks. */
export type SeriesPoint = {
  readonly openAtMs: number;
  readonly closeAtMs: number;
  readonly closeTicks: number;
  readonly z: number | null;
  readonly meanTicks: number | null;
  readonly sdTicks: number | null;
  /** The gate that stopped a signal at this close; none where there was no signal or nothing stopped it. */
  readonly blockedBy: string | null;
};

/** A notice that waits to be told. */
export type QueuedNotice = {
  /** Its sequence number in the journal, printed as "#1842". */
  readonly noticeId: number;
  readonly atMs: number;
  readonly class: NoticeClass;
  readonly dedupeKey: string | null;
  readonly notice: Notice;
  /** True where an earlier run may have sent it already: say "(repeat)". */
  readonly tried: boolean;
};

/** The persistent queue of notices: each step is on the disk before it returns. */
export type NoticeQueue = {
  /** Returns what is still to be told, oldest first. */
  pending(): readonly QueuedNotice[];
  /** Calls back for each newly queued notice. */
  onQueued(listener: (notice: QueuedNotice) => void): Cancel;
  /** Says that it is about to be sent. */
  trying(noticeId: number): Promise<void>;
  /** Says that the channel has it. */
  sent(noticeId: number, messageId: number): Promise<void>;
  /** Says that it can't be told there (refused for good), and why. */
  dead(noticeId: number, reason: string): Promise<void>;
};

/** Everything that a view may show, in one piece. */
export type DeskSnapshot = {
  readonly nowMs: number;
  readonly status: Status;
  readonly settings: Settings;
  readonly revision: number;
  /** "DEMO", "PAPER" or "LIVE". */
  readonly badge: string;
  /** What the market is, in the demo: "synthetic market, seed 7, ×10"; none elsewhere. */
  readonly marketLabel: string | null;
  /** Tick size in points, 0.25. */
  readonly tickSize: number;
  readonly tickValueCents: number;
  /** "MES". */
  readonly symbol: string;
  /** "MES Z6", or the symbol until the contract is known. */
  readonly contractName: string;
  readonly startedAtMs: number;
  readonly version: string;
  readonly engineVersion: string;
  readonly nodeVersion: string;
  readonly health: {
    readonly journalSyncMs: number;
    readonly journalSyncMsMax: number;
    readonly journalSeq: number;
    readonly loopLagMs: number;
    readonly noticesWaiting: number;
    readonly memoryMiB: number;
    /** Where sound: null; else what is wrong with the journal, for a person. */
    readonly journalProblem: string | null;
  };
};

/** The door. Every command resolves once it is on the disk and begun; none throws for a refusal. */
export type Desk = {
  snapshot(): DeskSnapshot;
  /** Stops new entries until a time or until /resume. Always obeyed. */
  pause(origin: Origin, untilMs: number | null): Promise<Answer>;
  /** Allows entries again, or says which gate forbids it. */
  resume(origin: Origin): Promise<Answer>;
  /** Begins to close everything; a second one joins the first. Progress is seen in `snapshot` and `observe`. */
  flatten(origin: Origin): Promise<Answer>;
  /** Stops entries until /arm. Always obeyed; on the disk before it acts. */
  halt(origin: Origin, reason: string): Promise<Answer>;
  /** Clears a halt, or says what still forbids it. */
  arm(origin: Origin): Promise<Answer>;
  /** Notes that a person has seen a critical notice. */
  acknowledge(origin: Origin, noticeId: number): Promise<Answer>;
  /** Makes an unexplained position at the broker ours and protects it (R13). */
  adopt(origin: Origin): Promise<Answer>;
  /** Returns what a change would do, without doing it. */
  previewConfig(changes: readonly { path: string; text: string }[]): Result<Preview, readonly ConfigProblem[]>;
  /** Applies a preview made on revision `base`; refused where somebody was faster. Journaled, then written to the file. */
  changeConfig(origin: Origin, base: number, changes: readonly { path: string; text: string }[]): Promise<ConfigAnswer>;
  /** Returns the changes that would take the last change back, with their preview; none where there is nothing to undo. */
  previewUndo(): {
    changes: readonly { path: string; text: string }[];
    preview: Result<Preview, readonly ConfigProblem[]>;
  } | null;
  /** Returns closed round trips, oldest first. */
  roundTrips(): readonly RoundTripRow[];
  configChanges(): readonly ConfigChangeRow[];
  /** Returns closed bars with z, oldest first, those since `sinceMs`. */
  series(sinceMs: number): readonly SeriesPoint[];
  /** Calls back for each effect, after it is on the disk. */
  observe(listener: (caused: Caused) => void): Cancel;
  readonly notices: NoticeQueue;
  /** Tells the desk whether people can be reached; policy `telegram.controlLost` decides what follows. */
  controlChannel(reachable: boolean, detail: string): void;
  /** Records a fact for the evidence (an update received, a stranger refused) without any effect. */
  note(type: string, fields: Readonly<Record<string, string | number | boolean | null>>): void;
};

/** The settings in force, and the file that holds them. */
export type ConfigState = { readonly text: string; readonly settings: Settings; readonly revision: number };

/** What the door stands before. */
export type DeskParts = {
  readonly session: Session;
  readonly records: Records;
  readonly history: History;
  /** The market's clock: stamps and ages. */
  readonly clock: Clock;
  /** The machine's clock: how long people have been out of reach. */
  readonly wall: Clock;
  readonly config: ConfigState;
  /** Turns settings into the engine's units. */
  readonly engineSettings: (settings: Settings) => EngineSettings;
  /** Writes the configuration file; throws what the disk says. */
  readonly saveConfig: (text: string) => Promise<void>;
  /** Hears of new settings once they are in force. */
  readonly onConfig: (settings: Settings) => void;
  readonly health: () => DeskSnapshot["health"];
  readonly badge: string;
  /** Called at each look: the demo's speed may change. */
  readonly marketLabel: () => string | null;
  readonly startedAtMs: number;
  readonly version: string;
  readonly engineVersion: string;
  readonly log: Log;
};

/** What became of a change of settings. */
export type ConfigAnswer =
  | { readonly type: "applied"; readonly revision: number }
  | { readonly type: "outdated"; readonly revision: number; readonly by: string }
  | { readonly type: "refused"; readonly problems: readonly ConfigProblem[] };

const GATE_CONTROL = "control";

/** Returns the door. */
export function createDesk(parts: DeskParts): Desk {
  const { session, records, history, clock, log } = parts;
  let config = parts.config;
  const queuedListeners = new Set<(notice: QueuedNotice) => void>();

  session.observe((caused, seq, atMs) => {
    if (caused.type !== "notice_queued") return;
    const { class: noticeClass, dedupeKey, notice } = caused;
    const queued: QueuedNotice = { noticeId: seq, atMs, class: noticeClass, dedupeKey, notice, tried: false };
    for (const listener of queuedListeners) listener(queued);
  });

  const command = async (origin: Origin, what: Command): Promise<Answer> => {
    try {
      const answer = await session.command({
        type: "command",
        by: nameOf(origin.person),
        updateId: origin.updateId,
        command: what,
      });
      return { accepted: answer.accepted, repeated: answer.repeated, lines: answer.lines };
    } catch (thrown) {
      log.error({ verb: what.verb, ...errorFields(thrown) }, "a command met a stopped loop");
      return { accepted: false, repeated: false, lines: STOPPED_LINES };
    }
  };

  const changeConfig: Desk["changeConfig"] = async (origin, base, changes) => {
    if (base !== config.revision) {
      return { type: "outdated", revision: config.revision, by: history.configChanges().at(-1)?.by ?? "somebody" };
    }
    const preview = previewChange(config, changes, clock.nowMs());
    if (!preview.ok) return { type: "refused", problems: preview.error };
    const { next, nextText, lines } = preview.value;
    const revision = config.revision + 1;
    config = { text: nextText, settings: next, revision };
    await session.receiveSynced({
      type: "config_changed",
      revision,
      by: nameOf(origin.person),
      updateId: origin.updateId,
      changes: lines.map((line) => ({ path: line.path, old: line.old, new: line.new })),
      settings: parts.engineSettings(next),
    });
    parts.onConfig(next);
    try {
      await parts.saveConfig(nextText);
    } catch (thrown) {
      // In force and in the journal all the same; only the next start would not know it from the file.
      log.error(errorFields(thrown), "the configuration file could not be written");
      session.receive({
        type: "told",
        class: "critical",
        event: "config_not_saved",
        lines: configNotSaved(revision, thrown),
      });
    }
    return { type: "applied", revision };
  };

  const preview = (changes: readonly { path: string; text: string }[]): Result<Preview, readonly ConfigProblem[]> =>
    previewChange(config, changes, clock.nowMs());

  return {
    snapshot: () => ({
      nowMs: clock.nowMs(),
      status: session.status(),
      settings: config.settings,
      revision: config.revision,
      badge: parts.badge,
      marketLabel: parts.marketLabel(),
      ...instrumentFigures(config.settings),
      contractName: contractName(session.status(), config.settings),
      startedAtMs: parts.startedAtMs,
      version: parts.version,
      engineVersion: parts.engineVersion,
      nodeVersion: process.versions.node,
      health: parts.health(),
    }),
    pause: (origin, untilMs) => command(origin, { verb: "pause", untilMs }),
    resume: (origin) => command(origin, { verb: "resume" }),
    flatten: (origin) => command(origin, { verb: "flatten" }),
    halt: (origin, reason) => command(origin, { verb: "halt", reason }),
    arm: (origin) => command(origin, { verb: "arm" }),
    acknowledge: (origin, noticeId) => command(origin, { verb: "acknowledge", noticeId }),
    adopt: (origin) => command(origin, { verb: "adopt" }),
    previewConfig: preview,
    changeConfig,
    previewUndo: () => {
      const last = history.configChanges().at(-1);
      if (last === undefined) return null;
      const changes = last.changes.map((change) => ({ path: change.path, text: change.old }));
      return { changes, preview: preview(changes) };
    },
    roundTrips: () => history.roundTrips(),
    configChanges: () => history.configChanges(),
    series: (sinceMs) => records.series(sinceMs),
    observe: (listener) => session.observe(listener),
    notices: {
      pending: () => records.pending(),
      onQueued: (listener) => {
        queuedListeners.add(listener);
        return () => queuedListeners.delete(listener);
      },
      trying: (noticeId) => session.note({ type: "notice_trying", noticeId }),
      sent: (noticeId, messageId) => session.note({ type: "notice_sent", noticeId, messageId }),
      dead: (noticeId, reason) => session.note({ type: "notice_dead", noticeId, reason }),
    },
    controlChannel: controlWatch(parts, () => config.settings),
    note: (type, fields) => session.record(type, fields),
  };
}

function configNotSaved(revision: number, thrown: unknown): string[] {
  return [
    `The settings r${revision} are in force, but the file was not written: ${errorFields(thrown).errorMessage}`,
    "A restart would take the old ones from the file. Make room or mend the file's rights, then change the setting again.",
  ];
}

const STOPPED_LINES: readonly string[] = [
  "Nothing was done: the trading loop has stopped and entries are off.",
  "Stops and targets rest at the broker. Close by hand there, or run: npm run flatten",
];

/** Blocks entries when people can't reach the bot for `telegram.controlLostAfter`, by `telegram.controlLost`. */
function controlWatch(parts: DeskParts, settings: () => Settings): (reachable: boolean, detail: string) => void {
  const { session, wall } = parts;
  let lostSinceMs: number | null = null;
  let isBlocking = false;
  let stopWaiting: Cancel = () => {};

  const block = (detail: string): void => {
    isBlocking = true;
    const { controlLost, controlLostAfterMs } = settings().telegram;
    const blocks = controlLost === "pauseEntries";
    session.receive({ type: "gate_changed", gate: GATE_CONTROL, blocks, detail });
    session.receive({
      type: "told",
      class: "link",
      event: "control_lost",
      lines: [
        `No command could reach the bot for ${printDuration(controlLostAfterMs)}: ${detail}`,
        blocks
          ? "Entries were off meanwhile; exits and stops went on."
          : "Trading went on (telegram.controlLost: continue).",
      ],
    });
  };

  return (reachable, detail) => {
    if (!reachable) {
      if (lostSinceMs !== null) return;
      lostSinceMs = wall.nowMs();
      stopWaiting = wall.after(settings().telegram.controlLostAfterMs, () => block(detail));
      return;
    }
    stopWaiting();
    if (lostSinceMs === null) return;
    const lostMs = wall.nowMs() - lostSinceMs;
    lostSinceMs = null;
    if (!isBlocking) return;
    isBlocking = false;
    session.receive({ type: "gate_changed", gate: GATE_CONTROL, blocks: false, detail: "commands arrive again" });
    session.receive({
      type: "told",
      class: "link",
      event: "control_back",
      lines: [
        `Commands reach the bot again, after ${printDuration(Math.max(1_000, Math.round(lostMs / 1_000) * 1_000))}.`,
      ],
    });
  };
}

function nameOf(person: Person): string {
  return `${person.name} (${person.id})`;
}

function instrumentFigures(settings: Settings): Pick<DeskSnapshot, "tickSize" | "tickValueCents" | "symbol"> {
  const instrument = instrumentOf(settings);
  return {
    tickSize: Number(instrument.tickSize),
    tickValueCents: instrument.tickValueCents,
    symbol: instrument.symbol,
  };
}

/** "MESZ6" reads better as "MES Z6". */
function contractName(status: Status, settings: Settings): string {
  const symbol = instrumentOf(settings).symbol;
  const local = status.contract?.localSymbol;
  if (local === undefined) return symbol;
  return local.startsWith(symbol) ? `${symbol} ${local.slice(symbol.length).trim()}` : local;
}
