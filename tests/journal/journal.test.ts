// The journal as the session uses it: append, take, commit, close, open again.
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  openJournal,
  parseRecord,
  printJournalProblem,
  readJournal,
  verifyJournal,
} from "../../src/journal/journal.ts";
import { dumpLine } from "../../src/journal/read.ts";
import { silentLog } from "../../src/log.ts";
import { memoryDisk } from "./memory-disk.ts";
import {
  appendSample,
  handClock,
  mustOpen,
  noLock,
  readAll,
  START_MS,
  startChild,
  temporaryFolder,
} from "./support.ts";

test("an empty folder becomes a journal with a new instance and no records", async () => {
  const dataDir = join(temporaryFolder(), "data");

  const { journal, recovery } = await mustOpen(dataDir);

  expect(recovery).toEqual({
    instanceId: expect.stringMatching(/^[0-9a-z]{4}$/),
    records: 0,
    tornTail: null,
    damage: null,
  });
  expect(journal.lastSeq()).toBe(0);
  await journal.close();
  expect(verifyJournal(dataDir)).toMatchObject({ ok: true, value: { records: 0, segments: 1 } });
});

test("records come back as they were appended, numbered from 1, and the frames are those that take gave", async () => {
  const dataDir = temporaryFolder();
  const { journal } = await mustOpen(dataDir);
  const taken: Buffer[] = [];
  for (let index = 0; index < 100; index++) {
    expect(appendSample(journal, index)).toBe(index + 1);
    if (index % 7 === 0) taken.push(Buffer.from(journal.take()));
  }
  taken.push(Buffer.from(journal.take()));
  await journal.close();

  const records = [...readJournal(dataDir)];

  expect(records.map((record) => record.seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(Buffer.concat(records.map((record) => record.frame))).toEqual(Buffer.concat(taken));
  expect(records.slice(0, 4).map(parseRecord)).toEqual([
    { seq: 1, atMs: START_MS, type: "trade", fields: { exchangeAtMs: START_MS - 3, priceTicks: 27_000, size: 1 } },
    {
      seq: 2,
      atMs: START_MS + 1,
      type: "quote",
      fields: { exchangeAtMs: START_MS - 1, bidTicks: 26_999, askTicks: null, bidSize: 12, askSize: 7 },
    },
    { seq: 3, atMs: START_MS + 2, type: "intent", fields: { orderRef: "QS1-2", text: "é✓" } },
    { seq: 4, atMs: START_MS + 3, type: "notice_sent", fields: { noticeId: 3 } },
  ]);
  expect(records.slice(0, 4).map((record) => record.kind)).toEqual(["input", "input", "output", "note"]);
});

test("a journal goes on where it stood, with the same instance", async () => {
  const dataDir = temporaryFolder();
  const first = await mustOpen(dataDir);
  for (let index = 0; index < 10; index++) appendSample(first.journal, index);
  await first.journal.close();

  const second = await mustOpen(dataDir);

  expect(second.recovery).toEqual({ ...first.recovery, records: 10 });
  expect(second.journal.take()).toHaveLength(0);
  expect(appendSample(second.journal, 10)).toBe(11);
  await second.journal.close();
  expect(readAll(dataDir)).toHaveLength(11);
});

test("reading from a number on gives what reading all gives from there on", async () => {
  const dataDir = temporaryFolder();
  const { journal } = await mustOpen(dataDir, { segmentBytesMax: 1_000 });
  for (let index = 0; index < 200; index++) {
    appendSample(journal, index);
    if (index % 10 === 9) journal.flush();
  }
  await journal.close();
  const all = readAll(dataDir);

  for (const fromSeq of [0, 1, 2, 57, 60, 61, 199, 200, 201]) {
    expect(readAll(dataDir, fromSeq), `from ${fromSeq}`).toEqual(all.slice(Math.max(0, fromSeq - 1)));
  }
});

test("segments follow one another under load while commits are under way", async () => {
  const dataDir = temporaryFolder();
  const { journal } = await mustOpen(dataDir, { segmentBytesMax: 20_000 });
  const commits: Promise<void>[] = [];
  for (let index = 0; index < 20_000; index++) {
    appendSample(journal, index);
    if (index % 50 === 0) journal.flush();
    if (index % 200 === 0) commits.push(journal.commit());
    if (index % 1_000 === 0) await commits.at(-1);
  }
  await Promise.all(commits);
  await journal.close();

  const verified = verifyJournal(dataDir);

  expect(verified).toMatchObject({ ok: true, value: { records: 20_000, lastSeq: 20_000, tornBytes: 0 } });
  expect(verified.ok && verified.value.segments).toBeGreaterThan(20);
});

test("a segment is written to for one day", async () => {
  const dataDir = temporaryFolder();
  const clock = handClock();
  const { journal } = await mustOpen(dataDir, { clock });
  const dayMs = 24 * 60 * 60 * 1000;
  const segmentsAfter = (atMs: number): number => {
    clock.moveTo(atMs);
    journal.appendJson("note", atMs, '{"type":"x"}');
    journal.flush();
    return readdirSync(join(dataDir, "journal")).length;
  };

  expect(segmentsAfter(START_MS + 1)).toBe(1);
  expect(segmentsAfter(START_MS + dayMs - 1)).toBe(1);
  expect(segmentsAfter(START_MS + dayMs)).toBe(2);
  expect(segmentsAfter(START_MS + dayMs + 1)).toBe(2);
  await journal.close();
});

test("a commit is answered only after a sync that covers its records, and commits share syncs", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen("/data", { files: disk });
  const events: string[] = [];
  disk.rule = ({ call }) => void (call === "dataSync" && events.push("sync"));

  journal.appendJson("output", 1, '{"type":"intent"}');
  const first = journal.commit().then(() => events.push("first"));
  const later: Promise<number>[] = [];
  for (let index = 0; index < 5; index++) {
    journal.appendJson("output", 1, '{"type":"intent"}');
    later.push(journal.commit().then(() => events.push("later")));
  }
  await Promise.all([first, ...later]);

  expect(events).toEqual(["sync", "first", "sync", "later", "later", "later", "later", "later"]);
  expect(journal.stats()).toMatchObject({ syncs: 2, failed: false });
});

test("a commit with nothing new costs no sync", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen("/data", { files: disk });
  journal.appendJson("output", 1, '{"type":"intent"}');
  await journal.commit();

  await journal.commit();

  expect(journal.stats().syncs).toBe(1);
});

test("a flush hands the records to other readers without a sync", async () => {
  const dataDir = temporaryFolder();
  const { journal } = await mustOpen(dataDir);
  appendSample(journal, 0);
  const before = readAll(dataDir).length;

  journal.flush();

  expect([before, readAll(dataDir).length, journal.stats().syncs]).toEqual([0, 1, 0]);
  await journal.close();
});

test("what is not asked for is written all the same once much has gathered", async () => {
  const dataDir = temporaryFolder();
  const { journal } = await mustOpen(dataDir);

  for (let index = 0; index < 40_000; index++) journal.appendTrade(1, 1, 1, 1);

  expect(readAll(dataDir).length).toBeGreaterThan(20_000);
  await journal.close();
});

test("memory stays bounded when nobody commits: at the limit an append waits for the disk", async () => {
  const disk = memoryDisk();
  const { journal } = await mustOpen("/data", { files: disk });
  const json = JSON.stringify({ type: "x", text: "y".repeat(900_000) });

  for (let index = 0; index < 160; index++) journal.appendJson("note", index, json);

  expect(journal.stats().syncs).toBeGreaterThanOrEqual(2);
});

test("a closed journal takes nothing more and can be closed again", async () => {
  const { journal } = await mustOpen(temporaryFolder());
  await journal.close();

  await journal.close();

  expect(() => appendSample(journal, 0)).toThrow("closed");
});

test("directories are for their owner only, and files too", async () => {
  const dataDir = join(temporaryFolder(), "data");
  const { journal } = await mustOpen(dataDir);
  await journal.close();
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  expect(mode(dataDir)).toBe("700");
  expect(mode(join(dataDir, "journal"))).toBe("700");
  expect(mode(join(dataDir, "journal", "00000001.qsj"))).toBe("600");
});

test("a directory that others may read is closed to them", async () => {
  const dataDir = temporaryFolder();
  chmodSync(dataDir, 0o755);

  const { journal } = await mustOpen(dataDir);

  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  await journal.close();
});

test.each([
  [
    "world_writable",
    (folder: string) => {
      mkdirSync(join(folder, "data"));
      chmodSync(join(folder, "data"), 0o777);
    },
  ],
  ["is_a_link", (folder: string) => symlinkSync("/var", join(folder, "data"))],
  ["not_a_directory", (folder: string) => writeFileSync(join(folder, "data"), "")],
])("a data directory that is unsafe (%s) is refused with what to do", async (why, prepare) => {
  const folder = temporaryFolder();
  prepare(folder);

  const opened = await openJournal({ dataDir: join(folder, "data"), clock: handClock(), log: silentLog });

  expect(opened).toMatchObject({ ok: false, error: { type: "unsafe_directory", why } });
  expect(!opened.ok && printJournalProblem(opened.error)).toContain("data directory");
});

test("a second journal in the same directory is refused with the holder's process, until the first is closed", async () => {
  const dataDir = temporaryFolder();
  const options = { dataDir, clock: handClock(), log: silentLog };
  const first = await openJournal(options);
  if (!first.ok) throw new Error("the first one opens");

  const second = await openJournal(options);

  expect(second).toMatchObject({ ok: false, error: { type: "locked", pid: process.pid } });
  await first.value.journal.close();
  const third = await openJournal(options);
  expect(third.ok).toBe(true);
  if (third.ok) await third.value.journal.close();
});

test("a dumped line shows number, time, type and the record's fields, which can't pose as those and aren't lost", async () => {
  const dataDir = temporaryFolder();
  const { journal } = await mustOpen(dataDir);
  journal.appendJson("output", 5, '{"type":"intent","seq":99,"atMs":5,"kind":"limit","orderRef":"QS1-a"}');
  journal.appendQuote(6, 5, null, 4, 3, 2);
  journal.appendJson("note", 7, "{broken");
  await journal.close();

  const lines = [...readJournal(dataDir)].map((record) => JSON.parse(dumpLine(record)));

  expect(lines).toEqual([
    { seq: 1, atMs: 5, type: "intent", recordKind: "output", kind: "limit", orderRef: "QS1-a", payload: { seq: 99 } },
    {
      seq: 2,
      atMs: 6,
      type: "quote",
      recordKind: "input",
      exchangeAtMs: 5,
      bidTicks: null,
      askTicks: 4,
      bidSize: 3,
      askSize: 2,
    },
    { seq: 3, atMs: 7, type: "unparsed", recordKind: "note", text: "{broken" },
  ]);
});

test("a process that is killed leaves every record that it flushed", async () => {
  const dataDir = temporaryFolder();
  const child = startChild(
    `const opened = await openJournal({ dataDir: process.argv[2], clock: wallClock, log: silentLog });
     for (let index = 0; index < 1000; index++) opened.value.journal.appendTrade(index, index, index, 1);
     opened.value.journal.flush();
     process.kill(process.pid, "SIGKILL");`,
    dataDir,
  );

  const [, signal] = await once(child, "exit");

  expect(signal).toBe("SIGKILL");
  expect(verifyJournal(dataDir)).toMatchObject({ ok: true, value: { records: 1000 } });
});

test("a read-only start records beside the numbered files and leaves them as they are", async () => {
  const dataDir = temporaryFolder();
  const { journal } = await mustOpen(dataDir);
  for (let index = 0; index < 5; index++) appendSample(journal, index);
  await journal.close();
  const before = readAll(dataDir);

  const opened = await mustOpen(dataDir, { readOnly: true });
  const seq = appendSample(opened.journal, 5);
  await opened.journal.commit();
  await opened.journal.close();

  expect(seq).toBe(6);
  expect(opened.recovery).toMatchObject({ records: 5, damage: null });
  expect(readAll(dataDir)).toEqual(before);
  expect(readdirSync(join(dataDir, "journal"))).toEqual(["00000001.qsj", `recovery-${START_MS}.qsj`]);
});

test("a journal under another lock holder's control uses that lock and leaves it held", async () => {
  let releases = 0;
  const { journal } = await mustOpen(temporaryFolder(), { lock: { ...noLock, release: async () => void releases++ } });

  await journal.close();

  expect(releases).toBe(0);
});
