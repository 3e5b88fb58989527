// Old segments: compressed once no snapshot needs them, deleted after 400 days, and still one unbroken journal.
import fc from "fast-check";
import { expect, test } from "vitest";
import { openJournal, readJournal, verifyJournal } from "../../src/journal/journal.ts";
import { JOURNAL_KEPT_MS, tidyJournal } from "../../src/journal/retention.ts";
import { writeSnapshot } from "../../src/journal/snapshots.ts";
import { silentLog } from "../../src/log.ts";
import { type MemoryDisk, memoryDisk } from "./memory-disk.ts";
import { appendSample, handClock, mustOpen, noLock, START_MS } from "./support.ts";

const DIR = "/data";
const dayMs = 24 * 60 * 60 * 1000;

/** Makes a journal of six segments, one a day, of ten records each. */
async function sixDays(): Promise<MemoryDisk> {
  const disk = memoryDisk();
  const clock = handClock();
  const { journal } = await mustOpen(DIR, { files: disk, clock });
  for (let day = 0; day < 6; day++) {
    clock.moveTo(START_MS + day * dayMs);
    for (let index = 0; index < 10; index++) journal.appendTrade(clock.nowMs() + index, 1, day * 10 + index, 1);
    await journal.commit();
  }
  await journal.close();
  return disk;
}

const snapshotAt = (disk: MemoryDisk, seq: number): void =>
  writeSnapshot(DIR, { seq, atMs: 1, state: "{}", stateHash: "h" }, disk);
const all = (disk: MemoryDisk): string[] =>
  [...readJournal(DIR, { files: disk })].map((record) => `${record.seq} ${Buffer.from(record.frame).toString("hex")}`);
const segmentFiles = (disk: MemoryDisk): string[] =>
  disk.list(`${DIR}/journal`).filter((name) => name.includes(".qsj"));

test("without a snapshot nothing is touched", async () => {
  const disk = await sixDays();

  expect(await tidyJournal(DIR, { nowMs: START_MS + 1_000 * dayMs, files: disk })).toEqual({
    compressed: [],
    deleted: [],
  });
});

test.each([
  [20, ["00000001.qsj.gz", "00000002.qsj"]],
  [21, ["00000001.qsj.gz", "00000002.qsj.gz"]],
])("with its oldest snapshot at record %i only segments wholly before it are compressed", async (seq, firstTwo) => {
  const disk = await sixDays();
  snapshotAt(disk, seq);
  const before = all(disk);

  await tidyJournal(DIR, { nowMs: START_MS + 6 * dayMs, files: disk });

  expect(segmentFiles(disk).slice(0, 2)).toEqual(firstTwo);
  expect(all(disk)).toEqual(before);
  expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: 60, segments: 6 } });
});

test("the last segment is never touched, and writing goes on behind compressed ones", async () => {
  const disk = await sixDays();
  snapshotAt(disk, 60);
  await tidyJournal(DIR, { nowMs: START_MS + 6 * dayMs, files: disk });

  const { journal, recovery } = await mustOpen(DIR, { files: disk });
  appendSample(journal, 0);
  await journal.close();

  expect(segmentFiles(disk).filter((name) => name.endsWith(".gz"))).toHaveLength(5);
  expect(recovery.records).toBe(60);
  expect(all(disk)).toHaveLength(61);
});

test.each([
  [-1, []],
  [0, []],
  [1, ["journal/00000001.qsj"]],
])("a segment is deleted when its newest record is more than 400 days old (%i ms past)", async (pastMs, deleted) => {
  const disk = await sixDays();
  snapshotAt(disk, 60);

  const tidied = await tidyJournal(DIR, { nowMs: START_MS + dayMs + JOURNAL_KEPT_MS + pastMs, files: disk });

  expect(tidied.deleted).toEqual(deleted);
  expect(verifyJournal(DIR, disk)).toMatchObject({
    ok: true,
    value: { firstSeq: 1 + 10 * deleted.length, lastSeq: 60 },
  });
});

test("a deleted beginning is no damage, but one file more that goes is", async () => {
  const disk = await sixDays();
  snapshotAt(disk, 60);
  await tidyJournal(DIR, { nowMs: START_MS + 2 * dayMs + JOURNAL_KEPT_MS + 1, files: disk });
  const options = { dataDir: DIR, clock: handClock(), log: silentLog, files: disk, lock: noLock };
  const opened = await openJournal(options);
  expect(opened).toMatchObject({ ok: true, value: { recovery: { records: 40 } } });
  if (opened.ok) await opened.value.journal.close();

  disk.unlink(`${DIR}/journal/00000003.qsj.gz`);

  expect(await openJournal(options)).toMatchObject({ ok: false, error: { what: "missing_segment" } });
});

test("a changed bit in a compressed segment is found by verify", async () => {
  const disk = await sixDays();
  snapshotAt(disk, 60);
  await tidyJournal(DIR, { nowMs: START_MS + 6 * dayMs, files: disk });
  const path = `${DIR}/journal/00000002.qsj.gz`;
  const bytes = Buffer.from(disk.contents(path));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 4;
  disk.put(path, bytes);

  expect(verifyJournal(DIR, disk).ok).toBe(false);
});

test("a compressed copy that the disk does not give back as it got it costs nothing: the plain one stays", async () => {
  const disk = await sixDays();
  snapshotAt(disk, 60);
  const rename = disk.rename;
  disk.rename = (from, to) => {
    rename(from, to);
    const bytes = Buffer.from(disk.contents(to));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    disk.put(to, bytes);
  };

  await expect(tidyJournal(DIR, { nowMs: START_MS + 6 * dayMs, files: disk })).rejects.toThrow();

  expect(segmentFiles(disk)).toContain("00000001.qsj");
  expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: 60 } });
});

test("whatever call fails, and with a power loss there, no record is lost and the next tidying finishes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(60), fc.constantFrom(6, 402, 404), async (failAt, days) => {
      const disk = await sixDays();
      snapshotAt(disk, 60);
      let calls = 0;
      disk.rule = () => (calls++ === failAt ? "EIO" : undefined);
      await Promise.allSettled([tidyJournal(DIR, { nowMs: START_MS + days * dayMs, files: disk })]);

      const after = disk.afterPowerLoss(() => 0);

      const kept = verifyJournal(DIR, after);
      const records = kept.ok ? kept.value.records : 0;
      expect(kept).toMatchObject({ ok: true, value: { lastSeq: 60 } });
      expect(records).toBeGreaterThanOrEqual(60 - 10 * Math.max(0, days - 400));
      await tidyJournal(DIR, { nowMs: START_MS + days * dayMs, files: after });
      expect(verifyJournal(DIR, after).ok).toBe(true);
      expect(segmentFiles(after).filter((name) => !name.endsWith(".gz"))).toHaveLength(1);
    }),
    { numRuns: 150 },
  );
});
