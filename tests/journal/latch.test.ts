// The halt latch: whatever happens to its file, only "no file" means that trading may go on.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { keepReserve } from "../../src/journal/disk.ts";
import { clearLatch, latchPath, readLatch, setLatch } from "../../src/journal/latch.ts";
import { memoryDisk } from "./memory-disk.ts";
import { temporaryFolder } from "./support.ts";

const halt = { atMs: 1_767_623_400_000, by: "telegram:1", reason: "/halt" };

test("there is no latch at first", () => {
  expect(readLatch(temporaryFolder())).toBeNull();
});

test("a latch says who set it, when and why, until it is cleared", () => {
  const dataDir = temporaryFolder();

  expect(setLatch(dataDir, halt)).toBe("set");

  expect(readLatch(dataDir)).toEqual(halt);
  clearLatch(dataDir);
  expect(readLatch(dataDir)).toBeNull();
});

test("halting twice is harmless and keeps the first reason; clearing twice is harmless", () => {
  const dataDir = temporaryFolder();
  setLatch(dataDir, halt);

  expect(setLatch(dataDir, { ...halt, reason: "again" })).toBe("already_set");

  expect(readLatch(dataDir)).toEqual(halt);
  clearLatch(dataDir);
  clearLatch(dataDir);
});

test.each([
  ["empty", (path: string) => writeFileSync(path, "", { mode: 0o600 })],
  ["torn", (path: string) => writeFileSync(path, '{"atMs":1,"by', { mode: 0o600 })],
  ["of another shape", (path: string) => writeFileSync(path, '{"atMs":"1"}', { mode: 0o600 })],
  ["larger than any latch", (path: string) => writeFileSync(path, " ".repeat(20_000), { mode: 0o600 })],
  ["a directory", (path: string) => mkdirSync(path)],
  ["a link to nowhere", (path: string) => symlinkSync("/nowhere", path)],
  [
    "open to others",
    (path: string) => {
      writeFileSync(path, JSON.stringify(halt));
      chmodSync(path, 0o644);
    },
  ],
])("a latch that is %s halts all the same", (_name, make) => {
  const dataDir = temporaryFolder();
  make(latchPath(dataDir));

  expect(readLatch(dataDir)).toEqual({ unreadable: true });
});

test("a latch that can't be looked at halts", () => {
  const disk = memoryDisk(new Map([[latchPath("/data"), Buffer.from(JSON.stringify(halt))]]));
  disk.rule = () => "EIO";

  expect(readLatch("/data", disk)).toEqual({ unreadable: true });
});

test("a latch survives a power loss the moment it is set, and its clearing too", () => {
  const disk = memoryDisk(new Map([["/data/x", Buffer.alloc(0)]]));

  setLatch("/data", halt, disk);

  const after = disk.afterPowerLoss(() => 0);
  expect(readLatch("/data", after)).toEqual(halt);
  clearLatch("/data", after);
  expect(
    readLatch(
      "/data",
      after.afterPowerLoss(() => 0),
    ),
  ).toBeNull();
});

test("a failure after the file exists leaves it halted, and the caller hears of it", () => {
  const disk = memoryDisk(new Map([["/data/x", Buffer.alloc(0)]]));
  disk.rule = ({ call }) => (call === "write" ? "EIO" : undefined);

  expect(() => setLatch("/data", halt, disk)).toThrow("EIO");

  disk.rule = () => undefined;
  expect(
    readLatch(
      "/data",
      disk.afterPowerLoss(() => 0),
    ),
  ).toEqual({ unreadable: true });
});

test("on a full disk the reserve file makes room for the latch", () => {
  const disk = memoryDisk(new Map([["/data/x", Buffer.alloc(0)]]));
  keepReserve("/data", disk);
  disk.rule = ({ call }) => (call === "open" && disk.names().includes("/data/reserve.bin") ? "ENOSPC" : undefined);

  expect(setLatch("/data", halt, disk)).toBe("set");

  expect(readLatch("/data", disk)).toEqual(halt);
});
