// What the shell itself remembers: notices still to be told and the points of the charts. Folded from the journal's
// records, in order, while they are written and again at a start. Pure but for its own state.
import type { Caused, Effect } from "../engine.ts";
import type { QueuedNotice, SeriesPoint } from "./desk.ts";

/** A day of 5-second bars is 16,560 points; older ones are forgotten first. */
export const SERIES_POINTS_MAX = 20_000;

/** Is what survives a restart beside the engine's own state. */
export type ShellState = { readonly pending: readonly QueuedNotice[]; readonly series: readonly SeriesPoint[] };

/** Facts about notices that the outbox writes. */
export type NoticeNote =
  | { readonly type: "notice_trying"; readonly noticeId: number }
  | { readonly type: "notice_sent"; readonly noticeId: number; readonly messageId: number }
  | { readonly type: "notice_dead"; readonly noticeId: number; readonly reason: string };

/** Folds records into what the desk shows. */
export type Records = {
  /** Takes in an effect that stands in the journal as record `seq`. */
  effect(seq: number, atMs: number, effect: Effect): QueuedNotice | null;
  /** Takes in a note of the outbox. */
  note(note: NoticeNote): void;
  pending(): readonly QueuedNotice[];
  /** Returns the points that closed at or after `sinceMs`, oldest first. */
  series(sinceMs: number): readonly SeriesPoint[];
  state(): ShellState;
};

/** Returns the fold, empty or as it was; `samplingMs` gives a bar its end. */
export function createRecords(start: ShellState | null, samplingMs: () => number): Records {
  const pending = new Map<number, QueuedNotice>((start?.pending ?? []).map((notice) => [notice.noticeId, notice]));
  let series: SeriesPoint[] = [...(start?.series ?? [])];

  return {
    effect: (seq, atMs, effect) => {
      if (effect.type === "decision") {
        series.push(point(effect, samplingMs()));
        if (series.length > 2 * SERIES_POINTS_MAX) series = series.slice(-SERIES_POINTS_MAX);
        return null;
      }
      if (effect.type !== "notice_queued") return null;
      const { class: noticeClass, dedupeKey, notice } = effect;
      const queued: QueuedNotice = { noticeId: seq, atMs, class: noticeClass, dedupeKey, notice, tried: false };
      pending.set(seq, queued);
      return queued;
    },
    note: (note) => {
      if (note.type !== "notice_trying") {
        pending.delete(note.noticeId);
        return;
      }
      const notice = pending.get(note.noticeId);
      if (notice !== undefined) pending.set(note.noticeId, { ...notice, tried: true });
    },
    pending: () => [...pending.values()],
    series: (sinceMs) => {
      const from = firstSince(series, sinceMs);
      return series.slice(Math.max(from, series.length - SERIES_POINTS_MAX));
    },
    state: () => ({ pending: [...pending.values()], series: series.slice(-SERIES_POINTS_MAX) }),
  };
}

/** Returns a record's fields as a note of the outbox, or null for any other note. */
export function noticeNote(type: string, fields: Readonly<Record<string, unknown>>): NoticeNote | null {
  const noticeId = fields["noticeId"];
  if (typeof noticeId !== "number") return null;
  if (type === "notice_trying") return { type, noticeId };
  if (type === "notice_sent") return { type, noticeId, messageId: Number(fields["messageId"]) };
  if (type === "notice_dead") return { type, noticeId, reason: String(fields["reason"]) };
  return null;
}

/** Returns an effect as the journal keeps it. */
export const encodeCaused = (caused: Caused): string => JSON.stringify(caused);

function point(decision: Extract<Effect, { type: "decision" }>, samplingMs: number): SeriesPoint {
  return {
    openAtMs: decision.bar.openAtMs,
    closeAtMs: decision.bar.openAtMs + samplingMs,
    closeTicks: decision.bar.closeTicks,
    z: decision.z,
    meanTicks: decision.meanTicks,
    sdTicks: decision.sdTicks,
    blockedBy: decision.blockedBy,
  };
}

/** Returns the index of the first point that closed at or after `sinceMs` (binary search: the points are in order). */
function firstSince(series: readonly SeriesPoint[], sinceMs: number): number {
  let low = 0;
  let high = series.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((series[middle] as SeriesPoint).closeAtMs < sinceMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
