// Brings engine, records and history back to where the journal ends, and checks on the way that the engine still decides
// what it decided: each effect it returns must be the one recorded, byte for byte.
import { type Caused, createEngine, type Effect, type Engine, type Event, type RoundTrip } from "../engine.ts";
import { foldRecord, type History, type RoundTripRow } from "../journal/history.ts";
import { type JournalRecord, parseRecord } from "../journal/read.ts";
import { encodeCaused, noticeNote, type Records, type ShellState } from "./records.ts";

/** Frames handed to the engine in one call while reading, in bytes. */
const CHUNK_BYTES_MAX = 1024 * 1024;

/** Says where a replay first differed from the record. */
export type Difference = { readonly seq: number; readonly recorded: string | null; readonly replayed: string | null };

/** Replays input records and compares the effects with the recorded ones. */
export type Replay = {
  /** Takes the next record, in order. */
  take(record: JournalRecord): void;
  /** Applies what is buffered, so that the engine stands behind the last record taken. */
  settle(): void;
  /** Applies what is buffered and returns what the end looks like. */
  finish(): ReplayEnd;
};

/** What a replay found. */
export type ReplayEnd = {
  readonly inputs: number;
  readonly outputs: number;
  readonly lastSeq: number;
  readonly difference: Difference | null;
  /** Effects of the last inputs that the journal lacks: the run ended between deciding and recording. */
  readonly missing: readonly Caused[];
};

/** Returns a replay on `engine`; `onRecord` hears of each output and note, `onInput` of each JSON input. */
export function createReplay(
  engine: Engine,
  onRecord: (record: JournalRecord, type: string, fields: Readonly<Record<string, unknown>>) => void = () => {},
): Replay {
  let frames: Uint8Array[] = [];
  let bytes = 0;
  let inputs = 0;
  let outputs = 0;
  let lastSeq = 0;
  let difference: Difference | null = null;
  const expected: Caused[] = [];

  const apply = (): void => {
    if (bytes === 0) return;
    expected.push(...engine.apply(Buffer.concat(frames, bytes)));
    frames = [];
    bytes = 0;
  };

  const compare = (record: JournalRecord): void => {
    apply();
    outputs++;
    const recorded = Buffer.from(record.payload).toString("utf8");
    const replayed = expected.shift();
    const text = replayed === undefined ? null : encodeCaused(replayed);
    if (difference === null && text !== recorded) difference = { seq: record.seq, recorded, replayed: text };
  };

  return {
    take: (record) => {
      lastSeq = record.seq;
      if (record.kind === "input") {
        frames.push(record.frame);
        bytes += record.frame.length;
        inputs++;
        if (bytes >= CHUNK_BYTES_MAX) apply();
        if (record.code === 1) {
          const { type, fields } = parseRecord(record);
          onRecord(record, type, fields);
        }
        return;
      }
      if (record.kind === "output") compare(record);
      const { type, fields } = parseRecord(record);
      onRecord(record, type, fields);
    },
    settle: apply,
    finish: () => {
      apply();
      return { inputs, outputs, lastSeq, difference, missing: expected };
    },
  };
}

/** Is where a run goes on. */
export type Resumed = {
  readonly engine: Engine;
  readonly end: ReplayEnd;
  /** True where the last run said `stopped`, or there was none. */
  readonly endedInOrder: boolean;
  /** Revision of the configuration in force, and the settings text that the last change left; null before any. */
  readonly revision: number | null;
};

/** Is what a snapshot holds: the engine's state and the shell's. */
export type SnapshotState = { readonly engine: string; readonly shell: ShellState };

/** Folds `records` (all after the snapshot) into engine, shell records and history. */
export function resume(
  snapshot: SnapshotState | null,
  records: Iterable<JournalRecord>,
  fold: { readonly records: Records; readonly history: History },
): Resumed {
  const engine = createEngine(snapshot?.engine ?? null);
  let endedInOrder = true;
  let revision: number | null = null;
  const replay = createReplay(engine, (record, type, fields) => {
    if (record.kind === "input") {
      if (type === "started") endedInOrder = false;
      else if (type === "stopped") endedInOrder = true;
      else if (type === "config_changed") revision = Number(fields["revision"]);
    }
    if (record.kind === "output")
      fold.records.effect(record.seq, record.atMs, { type, ...fields } as unknown as Effect);
    if (record.kind === "note") {
      const note = noticeNote(type, fields);
      if (note !== null) fold.records.note(note);
    }
    foldHistory(fold.history, record.seq, record.atMs, { type, ...fields });
  });
  for (const record of records) replay.take(record);
  return { engine, end: replay.finish(), endedInOrder, revision };
}

/** Takes one record's content into the view of trades and changes; the session's observer calls the same. */
export function foldHistory(
  history: History,
  seq: number,
  atMs: number,
  content: { readonly type: string; readonly [field: string]: unknown },
): void {
  if (content.type === "round_trip") {
    history.addRoundTrip(seq, roundTripRow(content["trade"] as RoundTrip));
  } else if (content.type === "round_trip_restated") {
    history.restateRoundTrip(seq, roundTripRow(content["trade"] as RoundTrip));
  } else if (content.type === "config_changed") {
    const { revision, by, changes } = content as unknown as Extract<Event, { type: "config_changed" }>;
    history.addConfigChange(seq, { revision, atMs, by, changes });
  } else {
    foldRecord(history, seq, content.type, content);
  }
}

/** Returns a round trip as the view keeps it. */
export function roundTripRow(trade: RoundTrip): RoundTripRow {
  return { ...trade, side: trade.side === "buy" ? "long" : "short" };
}
