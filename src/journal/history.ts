// The trades and settings changes a person looks back on: `view.json` (lowdb), a view of the journal for a quick start.
// Deleting it loses nothing. It folds nothing by itself: the caller hands it the records newer than `upToSeq()`.
import { join } from "node:path";
import { type Adapter, Low } from "lowdb";
import type { Cancel, Clock } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";
import { type JournalFiles, nodeFiles, readWhole, replaceSynced } from "./files.ts";
import { freeName } from "./recover.ts";
import {
  type ConfigChangeRow,
  EMPTY_VIEW,
  isView,
  type RoundTripRow,
  toConfigChange,
  toRoundTrip,
  type View,
} from "./view.ts";

export type { ConfigChangeRow, RoundTripRow } from "./view.ts";

/** Is the quiet time between a change and the file, in ms: many changes, one write. */
export const SAVE_AFTER_MS = 1_000;
/** Is the wait before a failed write is tried again, in ms. */
export const SAVE_RETRY_MS = 10_000;
/** Is the largest view file read, in bytes; a larger one is set aside and built anew. */
const VIEW_BYTES_MAX = 64 * 1024 * 1024;
/** Is how many round trips the view keeps, the newest; older ones stay in the journal. */
const ROUND_TRIPS_MAX = 50_000;
/** Is how many settings changes the view keeps, the newest. */
export const CONFIG_CHANGES_MAX = 5_000;

/** Is the open view. Rows come oldest first; changes are saved by themselves within a second of quiet. */
export type History = {
  /** Returns the last journal record that this view has taken in; 0 for an empty one. */
  upToSeq(): number;
  /** Adds a round trip from record `seq`; one already taken in is ignored. */
  addRoundTrip(seq: number, row: RoundTripRow): void;
  /** Puts a row in the place of the newest one of its `tradeId`; one that is no longer kept is let be. */
  restateRoundTrip(seq: number, row: RoundTripRow): void;
  /** Adds a settings change from record `seq`; one already taken in is ignored. */
  addConfigChange(seq: number, row: ConfigChangeRow): void;
  roundTrips(): readonly RoundTripRow[];
  configChanges(): readonly ConfigChangeRow[];
  /** Keeps the newest state for a person to read in the file; a value that JSON can hold. */
  setLast(snapshot: unknown): void;
  /** Notes that records up to `seq` hold nothing more for this view, so that a start need not read them again. */
  advanceTo(seq: number): void;
  /** Replaces all rows, after they were read from the journal anew. */
  rebuild(rows: {
    upToSeq: number;
    roundTrips: readonly RoundTripRow[];
    configChanges: readonly ConfigChangeRow[];
  }): void;
  /** Writes the file now; rejects with the file system's error, after which the next change or retry writes it. */
  save(): Promise<void>;
  /** Writes what is unsaved and stops the timers; never rejects, a failure is logged. */
  close(): Promise<void>;
};

/** Opens the view; a file that is torn or of another shape is moved to `view.json.bad-<time>` and an empty view answered. */
export async function openHistory(options: {
  dataDir: string;
  log: Log;
  clock: Clock;
  files?: JournalFiles;
}): Promise<History> {
  const { dataDir, log, clock } = options;
  const adapter = viewAdapter({
    path: join(dataDir, "view.json"),
    dataDir,
    log,
    clock,
    files: options.files ?? nodeFiles,
  });
  const database = new Low<View>(adapter, structuredClone(EMPTY_VIEW));
  await database.read();

  let isDirty = false;
  let isClosed = false;
  let cancel: Cancel | undefined;

  const save = async (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    isDirty = false;
    try {
      await database.write();
    } catch (thrown) {
      isDirty = true;
      schedule(SAVE_RETRY_MS);
      throw thrown;
    }
  };
  const saveQuietly = async (): Promise<void> => {
    try {
      await save();
    } catch (thrown) {
      log.error(
        errorFields(thrown),
        "view.json could not be written; the journal has everything, trying again in 10 s",
      );
    }
  };
  const schedule = (waitMs: number): void => {
    if (isClosed || cancel !== undefined) return;
    cancel = clock.after(waitMs, () => void saveQuietly());
  };
  const changed = (seq: number): void => {
    database.data.upToSeq = Math.max(database.data.upToSeq, seq);
    isDirty = true;
    schedule(SAVE_AFTER_MS);
  };

  return {
    upToSeq: () => database.data.upToSeq,
    addRoundTrip: (seq, row) => {
      if (seq <= database.data.upToSeq) return;
      keepNewest(database.data.roundTrips, row, ROUND_TRIPS_MAX);
      changed(seq);
    },
    restateRoundTrip: (seq, row) => {
      if (seq <= database.data.upToSeq) return;
      const at = database.data.roundTrips.findLastIndex((known) => known.tradeId === row.tradeId);
      if (at >= 0) database.data.roundTrips[at] = row;
      changed(seq);
    },
    addConfigChange: (seq, row) => {
      if (seq <= database.data.upToSeq) return;
      keepNewest(database.data.configChanges, row, CONFIG_CHANGES_MAX);
      changed(seq);
    },
    roundTrips: () => database.data.roundTrips,
    configChanges: () => database.data.configChanges,
    setLast: (snapshot) => {
      database.data.last = snapshot;
      changed(0);
    },
    advanceTo: (seq) => {
      if (seq > database.data.upToSeq) changed(seq);
    },
    rebuild: ({ upToSeq, roundTrips, configChanges }) => {
      database.data = {
        ...structuredClone(EMPTY_VIEW),
        upToSeq,
        roundTrips: roundTrips.slice(-ROUND_TRIPS_MAX),
        configChanges: configChanges.slice(-CONFIG_CHANGES_MAX),
        last: database.data.last,
      };
      changed(upToSeq);
    },
    save,
    close: async () => {
      isClosed = true;
      cancel?.();
      cancel = undefined;
      if (isDirty) await saveQuietly();
    },
  };
}

/**
 * Takes one journal record into the view: `round_trip` and `config_changed` become rows, any other only moves `upToSeq`.
 * Answers false, and takes nothing in, when such a record lacks a field: it was written by another version.
 */
export function foldRecord(
  history: History,
  seq: number,
  type: string,
  fields: Readonly<Record<string, unknown>>,
): boolean {
  if (type === "round_trip") {
    const row = toRoundTrip(fields);
    if (row === undefined) return false;
    history.addRoundTrip(seq, row);
  } else if (type === "config_changed") {
    const row = toConfigChange(fields);
    if (row === undefined) return false;
    history.addConfigChange(seq, row);
  } else {
    history.advanceTo(seq);
  }
  return true;
}

function keepNewest<T>(rows: T[], row: T, rowsMax: number): void {
  rows.push(row);
  if (rows.length > rowsMax) rows.splice(0, rows.length - rowsMax);
}

/** Reads and writes the file for lowdb; its own adapters sync nothing, and throw at a torn file. */
function viewAdapter(options: {
  path: string;
  dataDir: string;
  files: JournalFiles;
  clock: Clock;
  log: Log;
}): Adapter<View> {
  const { path, dataDir, files, clock, log } = options;
  const moveAside = (why: string): null => {
    const name = freeName(files, dataDir, `view.json.bad-${clock.nowMs()}`, "");
    files.rename(path, join(dataDir, name));
    files.syncDirectory(dataDir);
    log.warn({ movedTo: name, why }, "view.json could not be used; it is rebuilt from the journal");
    return null;
  };
  return {
    read: async () => {
      if (files.look(path) === undefined) return null;
      try {
        const view: unknown = JSON.parse(Buffer.from(readWhole(files, path, VIEW_BYTES_MAX)).toString("utf8"));
        return isView(view) ? view : moveAside("it has another shape than this version writes");
      } catch (thrown) {
        if (thrown instanceof SyntaxError) return moveAside("it is no JSON");
        if (thrown instanceof RangeError) return moveAside("it is larger than this program ever writes");
        throw thrown;
      }
    },
    write: async (view) => replaceSynced(files, path, Buffer.from(`${JSON.stringify(view, null, 1)}\n`)),
  };
}
