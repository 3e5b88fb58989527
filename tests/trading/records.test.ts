// What the shell remembers beside the engine: the notices still to be told and the points of the charts.
import { describe, expect, test } from "vitest";
import type { Effect } from "../../src/engine.ts";
import {
  createRecords,
  type NoticeNote,
  noticeNote,
  type Records,
  SERIES_POINTS_MAX,
} from "../../src/trading/records.ts";
import { fc, property } from "../support/properties.ts";

const BAR_MS = 5_000;
const empty = (): Records => createRecords(null, () => BAR_MS);

const decision = (openAtMs: number): Effect => ({
  type: "decision",
  bar: { openAtMs, openTicks: 1, highTicks: 2, lowTicks: 1, closeTicks: 2, volume: 3 },
  z: null,
  meanTicks: null,
  sdTicks: null,
  filled: 1,
  wants: "nothing",
  blockedBy: null,
});

const notice = (by: string): Effect => ({
  type: "notice_queued",
  class: "system",
  dedupeKey: null,
  notice: { event: "resumed", by },
});

describe("a notice", () => {
  test("waits from its record on, under that record's number", () => {
    const records = empty();

    records.effect(17, 1_000, notice("timer"));

    expect(records.pending()).toEqual([
      {
        noticeId: 17,
        atMs: 1_000,
        class: "system",
        dedupeKey: null,
        notice: { event: "resumed", by: "timer" },
        tried: false,
      },
    ]);
  });

  test.each<[NoticeNote, boolean[]]>([
    [{ type: "notice_trying", noticeId: 17 }, [true]],
    [{ type: "notice_sent", noticeId: 17, messageId: 1 }, []],
    [{ type: "notice_dead", noticeId: 17, reason: "no such chat" }, []],
    [{ type: "notice_sent", noticeId: 99, messageId: 1 }, [false]],
    [{ type: "notice_trying", noticeId: 99 }, [false]],
  ])("after %o is left as tried: %o", (note, tried) => {
    const records = empty();
    records.effect(17, 1_000, notice("timer"));

    records.note(note);

    expect(records.pending().map((each) => each.tried)).toEqual(tried);
  });

  test("keeps its place when it is tried", () => {
    const records = empty();
    for (const seq of [1, 2, 3]) records.effect(seq, 0, notice(`${seq}`));

    records.note({ type: "notice_trying", noticeId: 2 });

    expect(records.pending().map((each) => each.noticeId)).toEqual([1, 2, 3]);
  });
});

describe("a point", () => {
  test("of a bar closes at the bar's end", () => {
    const records = empty();

    records.effect(1, 0, decision(10_000));

    expect(records.series(0)).toEqual([
      { openAtMs: 10_000, closeAtMs: 15_000, closeTicks: 2, z: null, meanTicks: null, sdTicks: null, blockedBy: null },
    ]);
  });

  test.each([
    [14_999, 2],
    [15_000, 2],
    [15_001, 1],
    [20_001, 0],
  ])("is shown since %d ms: %d of those that closed at 15 and 20 s", (sinceMs, count) => {
    const records = empty();
    records.effect(1, 0, decision(10_000));
    records.effect(2, 0, decision(15_000));

    expect(records.series(sinceMs)).toHaveLength(count);
  });

  test("beyond twenty thousand forgets the oldest, in what is shown and in what is kept", () => {
    const records = empty();

    for (let index = 0; index < 2 * SERIES_POINTS_MAX + 1; index++) records.effect(index, 0, decision(index * BAR_MS));

    const shown = records.series(0);
    expect(shown).toHaveLength(SERIES_POINTS_MAX);
    expect(shown.at(-1)?.openAtMs).toBe(2 * SERIES_POINTS_MAX * BAR_MS);
    expect(records.state().series).toEqual(shown);
  });
});

describe("a note in the journal", () => {
  test.each<[string, Record<string, unknown>, NoticeNote | null]>([
    ["notice_trying", { noticeId: 5 }, { type: "notice_trying", noticeId: 5 }],
    ["notice_sent", { noticeId: 5, messageId: 8 }, { type: "notice_sent", noticeId: 5, messageId: 8 }],
    ["notice_dead", { noticeId: 5, reason: "gone" }, { type: "notice_dead", noticeId: 5, reason: "gone" }],
    ["update_received", { updateId: 5 }, null],
    ["notice_sent", { noticeId: "5" }, null],
    ["something_else", { noticeId: 5 }, null],
  ])("%s %o is read as %o", (type, fields, note) => {
    expect(noticeNote(type, fields)).toEqual(note);
  });
});

type Step = { readonly effect: Effect } | { readonly note: NoticeNote };

const steps = fc.array(
  fc.oneof(
    fc.nat(50).map((index): Step => ({ effect: decision(index * BAR_MS) })),
    fc.string().map((by): Step => ({ effect: notice(by) })),
    fc.nat(40).map((noticeId): Step => ({ note: { type: "notice_trying", noticeId } })),
    fc.nat(40).map((noticeId): Step => ({ note: { type: "notice_sent", noticeId, messageId: 1 } })),
    fc.nat(40).map((noticeId): Step => ({ note: { type: "notice_dead", noticeId, reason: "" } })),
  ),
  { maxLength: 60 },
);

const fold = (records: Records, from: readonly Step[], firstSeq: number): Records => {
  for (const [index, step] of from.entries()) {
    const seq = firstSeq + index;
    if ("effect" in step) records.effect(seq, seq * 10, step.effect);
    else records.note(step.note);
  }
  return records;
};

property("a fold that goes on from any snapshot ends as the whole fold does", [steps, fc.nat(60)], (given, cut) => {
  const cutAt = Math.min(cut, given.length);
  const whole = fold(empty(), given, 0);
  const before = fold(empty(), given.slice(0, cutAt), 0);

  const snapshot = JSON.parse(JSON.stringify(before.state())) as ReturnType<Records["state"]>;
  const resumed = fold(
    createRecords(snapshot, () => BAR_MS),
    given.slice(cutAt),
    cutAt,
  );

  expect(resumed.state()).toEqual(whole.state());
});
