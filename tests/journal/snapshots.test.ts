// Snapshots: whole or absent, the newest good one wins, three are kept.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type BadSnapshot, oldestSnapshotSeq, readSnapshot, writeSnapshot } from "../../src/journal/snapshots.ts";
import { memoryDisk } from "./memory-disk.ts";
import { temporaryFolder } from "./support.ts";

const snapshot = (seq: number) => ({
  seq,
  atMs: 1_000 + seq,
  state: `{"n":${seq},"text":"é\\n"}`,
  stateHash: `h${seq}`,
});
const names = (dataDir: string): string[] => readdirSync(join(dataDir, "snapshots")).sort();
const fileOf = (dataDir: string, seq: number): string =>
  join(dataDir, "snapshots", `${String(seq).padStart(16, "0")}.snapshot`);

test("there is none at first", () => {
  expect(readSnapshot(temporaryFolder())).toBeNull();
});

test("the newest comes back as it was written, and three are kept", () => {
  const dataDir = temporaryFolder();

  for (const seq of [5, 90, 700, 6_000]) writeSnapshot(dataDir, snapshot(seq));

  expect(readSnapshot(dataDir)).toEqual(snapshot(6_000));
  expect(names(dataDir)).toEqual([90, 700, 6_000].map((seq) => `${String(seq).padStart(16, "0")}.snapshot`));
  expect(oldestSnapshotSeq(dataDir)).toBe(90);
});

test("the same number can be written again", () => {
  const dataDir = temporaryFolder();
  writeSnapshot(dataDir, snapshot(5));

  writeSnapshot(dataDir, { ...snapshot(5), stateHash: "other" });

  expect(readSnapshot(dataDir)?.stateHash).toBe("other");
});

test("with any bit of the newest changed the older one is read, and the bad one is named", () => {
  const dataDir = temporaryFolder();
  writeSnapshot(dataDir, snapshot(5));
  writeSnapshot(dataDir, snapshot(90));
  const sound = readFileSync(fileOf(dataDir, 90));
  for (let bit = 0; bit < sound.length * 8; bit++) {
    const bytes = Buffer.from(sound);
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    writeFileSync(fileOf(dataDir, 90), bytes);
    const bad: BadSnapshot[] = [];

    expect(
      readSnapshot(dataDir, (each) => bad.push(each)),
      `bit ${bit}`,
    ).toEqual(snapshot(5));

    expect(bad).toMatchObject([{ file: expect.stringContaining("90.snapshot") }]);
  }
});

test("cut at any byte, or empty, it is passed over; with none good there is none", () => {
  const dataDir = temporaryFolder();
  writeSnapshot(dataDir, snapshot(90));
  const sound = readFileSync(fileOf(dataDir, 90));
  for (let length = 0; length < sound.length; length++) {
    writeFileSync(fileOf(dataDir, 90), sound.subarray(0, length));

    expect(readSnapshot(dataDir), `at ${length}`).toBeNull();
  }
});

test("a power loss at any call of the file system leaves the old one or the new one", () => {
  let isDone = false;
  for (let failAt = 0; !isDone; failAt++) {
    const disk = memoryDisk();
    writeSnapshot("/data", snapshot(5), disk);
    let calls = 0;
    disk.rule = () => (calls++ === failAt ? "EIO" : undefined);
    try {
      writeSnapshot("/data", snapshot(90), disk);
      isDone = true;
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "EIO" });
    }

    const after = disk.afterPowerLoss(() => 3);

    expect(readSnapshot("/data", undefined, after)).toEqual(snapshot(isDone ? 90 : 5));
    after.rule = () => undefined;
    writeSnapshot("/data", snapshot(91), after);
    expect(readSnapshot("/data", undefined, after)).toEqual(snapshot(91));
  }
});
