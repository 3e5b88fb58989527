// What a start makes of a journal that was cut, torn, changed or put together wrong. Wrong data never pass in silence.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { crc32c } from "../../src/journal/crc32c.ts";
import { openJournal, printJournalProblem } from "../../src/journal/journal.ts";
import type { CorruptionKind } from "../../src/journal/problem.ts";
import { readJournal, verifyJournal } from "../../src/journal/read.ts";
import { rebuildJournal } from "../../src/journal/rebuild.ts";
import { writeSnapshot } from "../../src/journal/snapshots.ts";
import { silentLog } from "../../src/log.ts";
import { type MemoryDisk, memoryDisk } from "./memory-disk.ts";
import { appendSample, handClock, mustOpen, noLock, START_MS } from "./support.ts";

const DIR = "/data";
const path = (number: number): string => `${DIR}/journal/${String(number).padStart(8, "0")}.qsj`;
const HEAD_BYTES = 32 + 60;

/** Makes a sound journal of `records` records in segments of about `segmentBytesMax` bytes. */
async function sound(records: number, segmentBytesMax = 1e9): Promise<Map<string, Buffer>> {
  const disk = memoryDisk();
  const { journal } = await mustOpen(DIR, { files: disk, segmentBytesMax });
  for (let index = 0; index < records; index++) {
    appendSample(journal, index);
    if (index % 5 === 4) await journal.commit();
  }
  await journal.close();
  return filesOf(disk);
}

const filesOf = (disk: MemoryDisk): Map<string, Buffer> =>
  new Map(disk.names().map((name) => [name, Buffer.from(disk.contents(name))]));

const frames = (disk: MemoryDisk): string[] => {
  const hex: string[] = [];
  for (const record of readJournal(DIR, { files: disk })) hex.push(Buffer.from(record.frame).toString("hex"));
  return hex;
};

/** Returns where each record begins in a segment, and where the last ends. */
function boundaries(bytes: Buffer): number[] {
  const starts: number[] = [];
  let at = HEAD_BYTES;
  for (; at < bytes.length; at += bytes.readUInt32LE(at) + 8) starts.push(at);
  return [...starts, at];
}

const open = (files: MemoryDisk, readOnly = false) =>
  openJournal({ dataDir: DIR, clock: handClock(), log: silentLog, files, lock: noLock, readOnly });

/** Writes a frame's checksum anew, so that a change of its content is a lie and not damage. */
function reseal(bytes: Buffer, at: number): void {
  const end = at + 8 + bytes.readUInt32LE(at);
  bytes.writeUInt32LE(crc32c(bytes, at + 8, end), at + 4);
}

describe("a torn end", () => {
  let files: Map<string, Buffer>;
  let whole: Buffer;
  let all: string[];
  beforeAll(async () => {
    files = await sound(12);
    whole = files.get(path(1)) as Buffer;
    all = frames(memoryDisk(files));
  });

  test("cut at every byte of the last three records, every whole record stays and the rest is set aside", async () => {
    const edges = boundaries(whole);
    for (let length = edges.at(-4) as number; length <= whole.length; length++) {
      const disk = memoryDisk(new Map(files).set(path(1), whole.subarray(0, length)));
      const records = edges.filter((edge) => edge <= length).length - 1;
      const cut = length - (edges[records] as number);

      const opened = await open(disk);

      if (!opened.ok) throw new Error(`at ${length}: ${opened.error.type}`);
      const { journal, recovery } = opened.value;
      expect(recovery.records, `at ${length}`).toBe(records);
      const movedTo = `journal/torn-${START_MS}.bin`;
      expect(recovery.tornTail).toEqual(cut === 0 ? null : { file: "journal/00000001.qsj", bytes: cut, movedTo });
      if (cut > 0) expect(disk.contents(`${DIR}/${movedTo}`)).toEqual(whole.subarray(length - cut, length));
      expect(appendSample(journal, 50)).toBe(records + 1);
      await journal.close();
      expect(frames(disk).slice(0, records)).toEqual(all.slice(0, records));
      expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: records + 1 } });
    }
  });

  test.each([
    ["zeros", Buffer.alloc(4096)],
    ["ones", Buffer.alloc(333, 0xff)],
    ["noise", Buffer.from("0badc0de".repeat(99), "hex")],
  ])("a tail of %s is cut off", async (_name, tail) => {
    const disk = memoryDisk(new Map(files).set(path(1), Buffer.concat([whole, tail])));

    const opened = await open(disk);

    expect(opened).toMatchObject({ ok: true, value: { recovery: { records: 12, tornTail: { bytes: tail.length } } } });
  });

  test("a verify beside a running bot counts a torn end and does not touch it", () => {
    const disk = memoryDisk(new Map(files).set(path(1), Buffer.concat([whole, Buffer.alloc(10)])));

    expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: 12, tornBytes: 10 } });
    expect(disk.contents(path(1))).toHaveLength(whole.length + 10);
  });

  test("a last segment cut at any byte of its head goes, and the one before it goes on", async () => {
    const two = await sound(40, 1_000);
    const last = [...two.keys()].sort().at(-1) as string;
    const head = two.get(last) as Buffer;
    const before = frames(memoryDisk(new Map([...two].filter(([name]) => name !== last))));
    for (let length = 0; length < HEAD_BYTES; length++) {
      const disk = memoryDisk(new Map(two).set(last, head.subarray(0, length)));

      const opened = await open(disk);

      expect(opened, `at ${length}`).toMatchObject({ ok: true, value: { recovery: { records: before.length } } });
      if (!opened.ok) continue;
      for (let index = 0; index < 10; index++) appendSample(opened.value.journal, index);
      await opened.value.journal.close();
      expect(frames(disk).slice(0, before.length)).toEqual(before);
      expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: before.length + 10 } });
    }
  });

  test("an only file cut at any byte of its head is begun anew", async () => {
    const head = whole.subarray(0, HEAD_BYTES);
    for (let length = 0; length < HEAD_BYTES; length++) {
      const disk = memoryDisk(new Map([[path(1), head.subarray(0, length)]]));

      const opened = await open(disk);

      if (!opened.ok) throw new Error(`at ${length}: ${opened.error.type}`);
      expect(opened.value.recovery.records).toBe(0);
      expect(appendSample(opened.value.journal, 0)).toBe(1);
      await opened.value.journal.close();
      expect(verifyJournal(DIR, disk)).toMatchObject({ ok: true, value: { records: 1 } });
    }
  });

  test.each([
    ["inside a record", 3, "bad_record"],
    ["between two records", 0, "sequence_gap"],
  ])(
    "before a whole but empty head, a file that lost its end %s is damage, not an interrupted write",
    async (_name, more, what) => {
      const two = await sound(40, 1_000);
      const [beforeLast, last] = [...two.keys()].sort().slice(-2) as [string, string];
      const bytes = two.get(beforeLast) as Buffer;
      const disk = memoryDisk(
        new Map(two)
          .set(beforeLast, bytes.subarray(0, (boundaries(bytes).at(-2) as number) + more))
          .set(last, (two.get(last) as Buffer).subarray(0, 40)),
      );

      expect(await open(disk)).toMatchObject({ ok: false, error: { type: "corrupt", what } });
    },
  );
});

describe("damage in the middle", () => {
  test("a flipped bit anywhere is either reported or cut off the end: no wrong record, no silent loss", async () => {
    const files = await sound(40, 1_000);
    const all = frames(memoryDisk(files));
    const names = [...files.keys()].sort();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (name, where) => {
          const bytes = Buffer.from(files.get(name) as Buffer);
          const bit = Math.floor(where * bytes.length * 8);
          bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
          const disk = memoryDisk(new Map(files).set(name, bytes));

          const opened = await open(disk);

          if (!opened.ok) {
            expect(["corrupt", "newer_version"]).toContain(opened.error.type);
            return;
          }
          const { records, tornTail } = opened.value.recovery;
          expect(tornTail).not.toBeNull();
          expect(name).toBe(names.at(-1));
          expect(frames(disk)).toEqual(all.slice(0, records));
        },
      ),
      { numRuns: 1_500 },
    );
  });

  const damages: readonly [string, number, number, (files: Map<string, Buffer>) => void, CorruptionKind][] = [
    [
      "a record of the only file, with sound ones behind it",
      12,
      1e9,
      (bytes: Map<string, Buffer>) => flip(bytes, path(1), HEAD_BYTES + 30),
      "bad_record",
    ],
    [
      "a record of a closed file",
      40,
      1_000,
      (bytes: Map<string, Buffer>) => flip(bytes, path(2), HEAD_BYTES + 30),
      "bad_record",
    ],
    [
      "the last record of a closed file",
      40,
      1_000,
      (bytes: Map<string, Buffer>) => flip(bytes, path(1), (bytes.get(path(1)) as Buffer).length - 1),
      "bad_record",
    ],
    ["the end of a closed file, cut between two records", 40, 1_000, cutLastRecord, "sequence_gap"],
    [
      "the head of a closed file",
      40,
      1_000,
      (bytes: Map<string, Buffer>) => flip(bytes, path(2), 9),
      "bad_segment_header",
    ],
    [
      "the head of the last file, with records behind it",
      12,
      1e9,
      (bytes: Map<string, Buffer>) => flip(bytes, path(1), 9),
      "bad_segment_header",
    ],
    [
      "a file in the middle that is gone",
      40,
      1_000,
      (bytes: Map<string, Buffer>) => void bytes.delete(path(2)),
      "missing_segment",
    ],
    ["the first file gone", 40, 1_000, (bytes: Map<string, Buffer>) => void bytes.delete(path(1)), "missing_segment"],
    ["two files exchanged", 40, 1_000, exchange, "sequence_gap"],
    ["a record changed with its checksum", 40, 1_000, forgeLastRecord, "broken_chain"],
    ["a number skipped with a right checksum", 12, 1e9, forgeSeq, "sequence_gap"],
  ];
  test.each(damages)("%s is found and named", async (_name, records, segmentBytesMax, damage, what) => {
    const files = await sound(records, segmentBytesMax);
    damage(files);
    const disk = memoryDisk(files);
    const before = filesOf(disk);

    const opened = await open(disk);

    expect(opened).toMatchObject({ ok: false, error: { type: "corrupt", what } });
    expect(!opened.ok && printJournalProblem(opened.error)).toContain("journal -- rebuild");
    expect(filesOf(disk)).toEqual(before);
  });

  test("any bytes at all in the place of a file are judged, never thrown about", async () => {
    const files = await sound(40, 1_000);
    const names = [...files.keys()].sort();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(1_200),
        fc.uint8Array({ maxLength: 2_000 }),
        async (name, keep, noise) => {
          const bytes = Buffer.concat([(files.get(name) as Buffer).subarray(0, keep), noise]);
          const disk = memoryDisk(new Map(files).set(name, bytes));

          const opened = await open(disk);

          if (opened.ok && !bytes.equals(files.get(name) as Buffer)) expect(name).toBe(names.at(-1));
          if (opened.ok) await opened.value.journal.close();
          else expect(printJournalProblem(opened.error).length).toBeGreaterThan(50);
          expect(verifyJournal(DIR, disk).ok).toBe(opened.ok);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a segment of another bot's journal is refused", async () => {
    const ours = await sound(40, 1_000);
    const theirs = await sound(40, 1_000);
    ours.set(path(2), theirs.get(path(2)) as Buffer);

    expect(await open(memoryDisk(ours))).toMatchObject({ ok: false, error: { what: "other_instance" } });
  });

  test("a journal that is older than a snapshot was put back from a copy", async () => {
    const disk = memoryDisk(await sound(12));
    writeSnapshot(DIR, { seq: 13, atMs: 1, state: "{}", stateHash: "x" }, disk);

    expect(await open(disk)).toMatchObject({ ok: false, error: { what: "rolled_back", seq: 13 } });
    expect(verifyJournal(DIR, disk)).toMatchObject({ ok: false, error: { what: "rolled_back" } });
  });

  test.each([
    ["a record's version", (bytes: Buffer) => bytes.writeUInt8(2, HEAD_BYTES + 8)],
    ["a record's encoding", (bytes: Buffer) => bytes.writeUInt8(9, HEAD_BYTES + 9)],
  ])("%s from a newer program is refused, with nothing changed", async (_name, change) => {
    const files = await sound(3);
    const bytes = files.get(path(1)) as Buffer;
    change(bytes);
    reseal(bytes, HEAD_BYTES);
    const disk = memoryDisk(files);

    expect(await open(disk)).toMatchObject({ ok: false, error: { type: "newer_version", offset: HEAD_BYTES } });
    expect(filesOf(disk)).toEqual(files);
  });

  test("a newer segment format is refused", async () => {
    const files = await sound(3);
    const bytes = files.get(path(1)) as Buffer;
    bytes.writeUInt16LE(2, 4);
    bytes.writeUInt32LE(crc32c(bytes, 0, 24), 24);

    const disk = memoryDisk(files);
    expect(await open(disk)).toMatchObject({ ok: false, error: { type: "newer_version" } });
    // No damage: a rebuild would throw a sound journal away.
    const rebuilt = await rebuildJournal(DIR, { nowMs: START_MS, files: disk, lock: noLock });
    expect(rebuilt).toMatchObject({ ok: false, error: { type: "newer_version" } });
    expect(filesOf(disk)).toEqual(files);
  });

  test("an unknown encoding that is marked optional is passed over by readers that don't know it", async () => {
    const files = await sound(3);
    const bytes = files.get(path(1)) as Buffer;
    bytes.writeUInt8(9, HEAD_BYTES + 9);
    bytes.writeUInt16LE(1, HEAD_BYTES + 10);
    reseal(bytes, HEAD_BYTES);

    expect(await open(memoryDisk(files))).toMatchObject({ ok: true, value: { recovery: { records: 3 } } });
  });

  test("a file that the disk no longer gives is reported with the disk's word for it", async () => {
    const disk = memoryDisk(await sound(3));
    disk.rule = ({ call, path: name }) => (call === "open" && name === path(1) ? "EIO" : undefined);

    expect(await open(disk)).toMatchObject({ ok: false, error: { type: "unreadable", code: "EIO" } });
  });
});

describe("a read-only start on damage", () => {
  test("says what is damaged, goes on behind the highest number seen, and touches no numbered file", async () => {
    const files = await sound(40, 1_000);
    flip(files, path(2), HEAD_BYTES + 30);
    const disk = memoryDisk(files);

    const opened = await open(disk, true);

    if (!opened.ok) throw new Error(opened.error.type);
    const { journal, recovery } = opened.value;
    expect(recovery.damage).toMatchObject({ type: "corrupt", what: "bad_record", file: "journal/00000002.qsj" });
    expect(appendSample(journal, 0)).toBe(41);
    await journal.close();
    expect(disk.names().filter((name) => name.includes("recovery-"))).toHaveLength(1);
    for (const [name, bytes] of files) expect(disk.contents(name)).toEqual(bytes);
  });

  test("works in memory when the disk takes nothing", async () => {
    const disk = memoryDisk(await sound(3));
    disk.rule = ({ call }) => (call === "open" ? "EROFS" : undefined);

    const opened = await open(disk, true);

    if (!opened.ok) throw new Error(opened.error.type);
    const { journal } = opened.value;
    journal.appendJson("note", 1, '{"type":"x"}');
    expect(journal.take().length).toBeGreaterThan(0);
    expect(journal.stats().failed).toBe(true);
    await expect(journal.commit()).rejects.toMatchObject({ name: "JournalFailure", during: "open", code: "EROFS" });
    await journal.close();
  });
});

describe("a rebuild", () => {
  test.each([
    ["a record in a closed file", (files: Map<string, Buffer>) => flip(files, path(2), HEAD_BYTES + 100)],
    ["a head", (files: Map<string, Buffer>) => flip(files, path(2), 9)],
    ["a missing file", (files: Map<string, Buffer>) => void files.delete(path(2))],
    ["a missing first file", (files: Map<string, Buffer>) => void files.delete(path(1))],
    ["a broken first file", (files: Map<string, Buffer>) => flip(files, path(1), 9)],
    ["a forged record", forgeLastRecord],
    [
      "a broken note of the first file",
      (files: Map<string, Buffer>) => void files.set(`${DIR}/journal/first`, Buffer.from("?")),
    ],
    ["a snapshot newer than the journal", (files: Map<string, Buffer>) => void withSnapshot(files, 77)],
  ])(
    "mends %s: what was sound before it stays, nothing is deleted, and no number is given twice",
    async (_name, damage) => {
      const files = await sound(40, 1_000);
      damage(files);
      const disk = memoryDisk(files);
      expect((await open(disk)).ok).toBe(false);

      const rebuilt = await rebuildJournal(DIR, { nowMs: START_MS, files: disk, lock: noLock });

      if (!rebuilt.ok) throw new Error(rebuilt.error.type);
      for (const [name, bytes] of files) {
        if (name.endsWith("/first")) continue;
        const moved = rebuilt.value.movedFiles.includes(name.slice(DIR.length + 1));
        const now = moved ? `${DIR}/${rebuilt.value.movedTo}/${name.split("/").at(-1)}` : name;
        expect(disk.contents(now), name).toEqual(bytes);
      }
      const opened = await open(disk);
      if (!opened.ok) throw new Error(printJournalProblem(opened.error));
      const seq = appendSample(opened.value.journal, 0);
      expect(seq).toBe(rebuilt.value.nextSeq);
      expect(seq).toBeGreaterThan(39);
      await opened.value.journal.close();
      expect(opened.value.recovery.records).toBe([...readJournal(DIR, { files: disk })].length - 1);
      const types = [...readJournal(DIR, { files: disk })].map((record) =>
        Buffer.from(record.payload).toString("latin1"),
      );
      expect(types.filter((text) => text.includes('"rebuilt"'))).toHaveLength(1);
      expect(verifyJournal(DIR, disk).ok).toBe(true);
    },
  );

  test("leaves a sound journal alone", async () => {
    const files = await sound(12);
    const disk = memoryDisk(files);

    const rebuilt = await rebuildJournal(DIR, { nowMs: START_MS, files: disk, lock: noLock });

    expect(rebuilt).toMatchObject({ ok: true, value: { damage: null, movedTo: null, nextSeq: 13 } });
    expect(filesOf(disk)).toEqual(files);
  });
});

function flip(files: Map<string, Buffer>, name: string, at: number): void {
  const bytes = files.get(name) as Buffer;
  bytes[at] = (bytes[at] as number) ^ 0x10;
}

function cutLastRecord(files: Map<string, Buffer>): void {
  const bytes = files.get(path(1)) as Buffer;
  files.set(path(1), bytes.subarray(0, boundaries(bytes).at(-2)));
}

function exchange(files: Map<string, Buffer>): void {
  const [two, three] = [files.get(path(2)) as Buffer, files.get(path(3)) as Buffer];
  files.set(path(2), three).set(path(3), two);
}

function forgeLastRecord(files: Map<string, Buffer>): void {
  const bytes = files.get(path(1)) as Buffer;
  const at = boundaries(bytes).at(-2) as number;
  bytes.writeUInt8((bytes.readUInt8(at + 30) ^ 1) & 0xff, at + 30);
  reseal(bytes, at);
}

function forgeSeq(files: Map<string, Buffer>): void {
  const bytes = files.get(path(1)) as Buffer;
  const at = boundaries(bytes)[4] as number;
  bytes.writeBigUInt64LE(9n, at + 12);
  reseal(bytes, at);
}

function withSnapshot(files: Map<string, Buffer>, seq: number): void {
  const disk = memoryDisk(files);
  writeSnapshot(DIR, { seq, atMs: 1, state: "{}", stateHash: "x" }, disk);
  for (const [name, bytes] of filesOf(disk)) files.set(name, bytes);
}
