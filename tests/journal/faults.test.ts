// The journal on a disk that is full, fails, writes short, or loses power. What was promised is there afterwards.
import fc from "fast-check";
import { expect, test } from "vitest";
import { keepReserve, RESERVE_BYTES, spaceLevel } from "../../src/journal/disk.ts";
import { JournalFailure, type JournalTrouble, openJournal } from "../../src/journal/journal.ts";
import { readJournal, verifyJournal } from "../../src/journal/read.ts";
import { UNSYNCED_BYTES_MAX } from "../../src/journal/writer.ts";
import { silentLog } from "../../src/log.ts";
import { type DiskCall, type MemoryDisk, memoryDisk } from "./memory-disk.ts";
import { appendSample, handClock, mustOpen, noLock, START_MS } from "./support.ts";

const DIR = "/data";
const note = '{"type":"x"}';

const seqs = (disk: MemoryDisk): number[] => [...readJournal(DIR, { files: disk })].map((record) => record.seq);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

/** Fails calls of these kinds on segments, the first time, or each time, that they come after now. */
function failing(disk: MemoryDisk, call: DiskCall["call"], code: string, times = Number.POSITIVE_INFINITY): void {
  let left = times;
  disk.rule = (each) => {
    if (each.call !== call || !each.path.endsWith(".qsj") || left === 0) return undefined;
    left--;
    return code;
  };
}

test("a write that comes short is continued until all is written", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  disk.rule = ({ call }) => (call === "write" ? 11 : undefined);

  for (let index = 0; index < 8; index++) appendSample(journal, index);
  await journal.commit();

  expect(journal.stats()).toMatchObject({ failed: false, rescues: 0 });
  expect(seqs(disk)).toEqual(upTo(8));
});

test.each([
  ["an fdatasync that fails", "dataSync", "EIO", "sync"],
  ["a write that fails", "write", "EIO", "write"],
  ["a full disk that has room again", "write", "ENOSPC", "write"],
] as const)(
  "%s once: all is written anew to a new segment, the commit resolves, the trouble is told",
  async (_name, call, code, during) => {
    const disk = memoryDisk();
    const troubles: JournalTrouble[] = [];
    const { journal } = await mustOpen(DIR, { files: disk, onTrouble: (trouble) => troubles.push(trouble) });
    for (let index = 0; index < 4; index++) appendSample(journal, index);
    await journal.commit();
    failing(disk, call, code, 1);

    for (let index = 4; index < 9; index++) appendSample(journal, index);
    await journal.commit();

    expect(troubles).toEqual([{ type: "rescued", during, code, fromSeq: 5, toSeq: 9 }]);
    expect(journal.stats()).toMatchObject({ rescues: 1, failed: false });
    appendSample(journal, 9);
    await journal.close();
    expect(seqs(disk.afterPowerLoss(() => 0))).toEqual(upTo(10));
    expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: 10, segments: 2 } });
  },
);

test("after a failed sync the same file is never synced again", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  const calls: string[] = [];
  disk.rule = ({ call, path }) => {
    if (call !== "dataSync" && call !== "sync") return undefined;
    calls.push(path);
    return path.endsWith("00000001.qsj") ? "EIO" : undefined;
  };

  appendSample(journal, 0);
  await journal.commit();
  appendSample(journal, 1);
  await journal.close();

  expect(calls.filter((path) => path.endsWith("00000001.qsj"))).toHaveLength(1);
});

test("when the new segment fails too, the commit rejects, and so does every later one, with the same failure", async () => {
  const disk = memoryDisk();
  const troubles: JournalTrouble[] = [];
  const { journal } = await mustOpen(DIR, { files: disk, onTrouble: (trouble) => troubles.push(trouble) });
  appendSample(journal, 0);
  await journal.commit();
  failing(disk, "dataSync", "EIO");
  appendSample(journal, 1);

  const failure = await journal.commit().catch((thrown: unknown) => thrown);

  expect(failure).toBeInstanceOf(JournalFailure);
  expect(failure).toMatchObject({ during: "sync", code: "EIO", unsyncedFromSeq: 2 });
  expect(troubles).toEqual([{ type: "failed", failure }]);
  disk.rule = () => undefined;
  appendSample(journal, 2);
  await expect(journal.commit()).rejects.toBe(failure);
  expect(journal.stats().failed).toBe(true);
  await journal.close();
});

test("a failed journal still numbers records and hands them to the engine, so that exits go on from memory", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  failing(disk, "write", "EIO");
  appendSample(journal, 0);
  await expect(journal.commit()).rejects.toBeInstanceOf(JournalFailure);
  journal.take();

  const seq = journal.appendTrade(1, 1, 1, 1);

  expect(seq).toBe(2);
  expect(journal.take()).toHaveLength(44);
});

test("a second failure after a rescue is final", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  failing(disk, "dataSync", "EIO", 1);
  appendSample(journal, 0);
  await journal.commit();
  failing(disk, "dataSync", "EIO", 1);
  appendSample(journal, 1);

  await expect(journal.commit()).rejects.toMatchObject({ unsyncedFromSeq: 2 });

  expect(seqs(disk.afterPowerLoss(() => 0))).toEqual([1]);
});

test("everybody who waits hears of the failure, whichever commit met it", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  failing(disk, "dataSync", "EIO");
  appendSample(journal, 0);
  const first = journal.commit();
  appendSample(journal, 1);
  const second = journal.commit();

  const outcomes = await Promise.allSettled([first, second]);

  expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
});

test("a flush that fails is mended without anybody asking, and nothing is thrown at the caller", async () => {
  const disk = memoryDisk();
  const troubles: JournalTrouble[] = [];
  const { journal } = await mustOpen(DIR, { files: disk, onTrouble: (trouble) => troubles.push(trouble) });
  failing(disk, "write", "EIO", 1);
  appendSample(journal, 0);

  journal.flush();

  expect(troubles).toMatchObject([{ type: "rescued", fromSeq: 1, toSeq: 1 }]);
  await journal.close();
  expect(seqs(disk)).toEqual([1]);
});

test("a full disk gives back the reserve file before the rescue", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  expect(keepReserve(DIR, disk)).toBe(true);
  expect(disk.look(`${DIR}/reserve.bin`)?.size).toBe(RESERVE_BYTES);
  disk.rule = ({ call, path }) =>
    call === "write" && path.endsWith(".qsj") && disk.names().includes(`${DIR}/reserve.bin`) ? "ENOSPC" : undefined;

  appendSample(journal, 0);
  await journal.commit();

  expect(journal.stats()).toMatchObject({ rescues: 1, failed: false });
  expect(disk.names()).not.toContain(`${DIR}/reserve.bin`);
});

test("a new segment that can't be created when the old one is full costs no record", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk, segmentBytesMax: 500 });
  for (let index = 0; index < 8; index++) appendSample(journal, index);
  await journal.commit();
  failing(disk, "sync", "EIO", 1);

  for (let index = 8; index < 20; index++) appendSample(journal, index);
  await journal.commit();

  expect(journal.stats()).toMatchObject({ rescues: 1, failed: false });
  await journal.close();
  expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: 20 } });
});

test("a disk on which no journal can begin is named", async () => {
  const disk = memoryDisk();
  disk.rule = ({ call }) => (call === "sync" ? "EIO" : undefined);

  const opened = await openJournal({ dataDir: DIR, clock: handClock(), log: silentLog, files: disk, lock: noLock });

  expect(opened).toMatchObject({ ok: false, error: { type: "unwritable", code: "EIO" } });
});

test("whatever call fails at whatever moment, a resolved commit's records survive a power loss", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(60),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom("EIO", "ENOSPC"),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.constantFrom("append", "append", "flush", "commit"), { minLength: 10, maxLength: 80 }),
      async (failAt, failTimes, code, keptPart, operations) => {
        const disk = memoryDisk();
        const { journal } = await mustOpen(DIR, { files: disk, segmentBytesMax: 700 });
        let calls = 0;
        disk.rule = () => {
          calls++;
          return calls > failAt && calls <= failAt + failTimes ? code : undefined;
        };
        let promised = 0;
        for (const [index, operation] of operations.entries()) {
          if (operation === "append") appendSample(journal, index);
          if (operation === "flush") journal.flush();
          if (operation !== "commit") continue;
          const { status } = (await Promise.allSettled([journal.commit()]))[0];
          if (status === "fulfilled") promised = journal.lastSeq();
        }
        disk.rule = () => undefined;

        const after = disk.afterPowerLoss((_path, unsynced) => Math.floor(unsynced * keptPart));

        const opened = await openJournal({
          dataDir: DIR,
          clock: handClock(),
          log: silentLog,
          files: after,
          lock: noLock,
        });
        if (!opened.ok) throw new Error(JSON.stringify(opened.error));
        expect(opened.value.recovery.records).toBeGreaterThanOrEqual(promised);
        expect(seqs(after)).toEqual(upTo(opened.value.recovery.records));
        await opened.value.journal.close();
      },
    ),
    { numRuns: 1_500 },
  );
});

test("a power loss at any moment keeps all that a commit promised, in order, and the journal goes on", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("append", "append", "append", "flush", "commit"), { minLength: 5, maxLength: 120 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (operations, keptPart) => {
        let disk = memoryDisk();
        let promised = 0;
        let index = 0;
        for (let life = 0; life < 3; life++) {
          const { journal, recovery } = await mustOpen(DIR, { files: disk, segmentBytesMax: 600 });
          expect(recovery.records).toBeGreaterThanOrEqual(promised);
          expect(seqs(disk)).toEqual(upTo(recovery.records));
          promised = recovery.records;
          for (const operation of operations) {
            if (operation === "append") appendSample(journal, index++);
            if (operation === "flush") journal.flush();
            if (operation !== "commit") continue;
            await journal.commit();
            promised = journal.lastSeq();
          }
          disk = disk.afterPowerLoss((_path, unsynced) => Math.floor(unsynced * keptPart));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("a sync that takes longer than 250 ms is told", async () => {
  const disk = memoryDisk();
  const troubles: JournalTrouble[] = [];
  const { journal } = await mustOpen(DIR, { files: disk, onTrouble: (trouble) => troubles.push(trouble) });
  disk.rule = ({ call }) => {
    if (call !== "dataSync") return undefined;
    for (const endMs = performance.now() + 260; performance.now() < endMs; );
    return undefined;
  };
  journal.appendJson("note", START_MS, note);

  await journal.commit();

  expect(troubles).toMatchObject([{ type: "slow_sync", tookMs: expect.any(Number) }]);
  expect(journal.stats().syncMsMax).toBeGreaterThan(250);
});

test.each([
  [1024 ** 3, "ok"],
  [1024 ** 3 - 1, "low"],
  [256 * 1024 ** 2, "low"],
  [256 * 1024 ** 2 - 1, "blocked"],
] as const)("%i free bytes are %s", (freeBytes, level) => {
  expect(spaceLevel(freeBytes)).toBe(level);
});

test("what a killed process had only flushed is synced before anything is built on it", async () => {
  const disk = memoryDisk();
  const killed = await mustOpen(DIR, { files: disk });
  for (let index = 0; index < 6; index++) appendSample(killed.journal, index);
  killed.journal.flush();

  const { recovery } = await mustOpen(DIR, { files: disk });

  expect(recovery.records).toBe(6);
  expect(seqs(disk.afterPowerLoss(() => 0))).toEqual(upTo(6));
});

test("a sync that fails after another one freed its records from memory is final: nothing could be rewritten", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  let fail: (cause: Error) => void = () => {};
  disk.dataSync = () => new Promise((_resolve, reject) => (fail = reject));
  appendSample(journal, 0);
  const commit = journal.commit();
  const json = JSON.stringify({ type: "x", text: "y".repeat(1_000_000) });
  for (let bytes = 0; bytes <= UNSYNCED_BYTES_MAX; bytes += json.length) journal.appendJson("note", 1, json);

  expect(journal.stats().currentSyncMs).toBeGreaterThan(0);
  fail(Object.assign(new Error("late"), { code: "EIO" }));

  await expect(commit).rejects.toMatchObject({ during: "sync", code: "EIO", unsyncedFromSeq: 1 });
  expect(journal.stats().currentSyncMs).toBe(0);
  expect(journal.stats()).toMatchObject({ failed: true, rescues: 0 });
});

test("records that the engine has taken stay in memory until the disk has them", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk });
  for (let index = 0; index < 12_000; index++) {
    appendSample(journal, index);
    journal.take();
    if (index % 100 === 99) journal.flush();
  }
  failing(disk, "dataSync", "EIO", 1);

  await journal.commit();

  expect(seqs(disk.afterPowerLoss(() => 0))).toEqual(upTo(12_000));
});
