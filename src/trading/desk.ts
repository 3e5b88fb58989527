// The one door for people: what they may see and what they may command. Views and channels know nothing else of trading.
import type { Settings } from "../config/schema.ts";
import type { Caused, NoticeClass, Notice, Posture, Status } from "../engine.ts";
import type { ConfigChangeRow, RoundTripRow } from "../journal/history.ts";
import type { Cancel } from "../clock.ts";
import type { ConfigProblem } from "../config/load.ts";
import type { Preview } from "../config/edit.ts";
import type { Result } from "../result.ts";

export type {
  Caused,
  Contract,
  Effect,
  EntryReason,
  Gate,
  Notice,
  NoticeClass,
  OrderStatus,
  PositionStatus,
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
  previewUndo(): { changes: readonly { path: string; text: string }[]; preview: Result<Preview, readonly ConfigProblem[]> } | null;
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

/** What became of a change of settings. */
export type ConfigAnswer =
  | { readonly type: "applied"; readonly revision: number }
  | { readonly type: "outdated"; readonly revision: number; readonly by: string }
  | { readonly type: "refused"; readonly problems: readonly ConfigProblem[] };

/** Words for a posture in a sentence. */
export const POSTURE_WORDS: Readonly<Record<Posture, string>> = {
  trading: "TRADING",
  paused: "PAUSED",
  halted: "HALTED",
  flattening: "FLATTENING",
};
