// The view of trades and settings: quick to open, never believed when it is torn, rebuilt from the journal.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  CONFIG_CHANGES_MAX,
  type ConfigChangeRow,
  foldRecord,
  type History,
  openHistory,
  type RoundTripRow,
  SAVE_AFTER_MS,
  SAVE_RETRY_MS,
} from "../../src/journal/history.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { memoryDisk } from "./memory-disk.ts";
import { handClock, START_MS, temporaryFolder } from "./support.ts";

const trip = (tradeId: number): RoundTripRow => ({
  tradeId,
  tradeDate: "2026-01-05",
  contract: "MESH6",
  side: "short",
  quantity: 1,
  signalAtMs: START_MS,
  entryAtMs: START_MS + 1,
  exitAtMs: START_MS + 60_000,
  entryPriceTicks: 27_600,
  exitPriceTicks: 27_590,
  reason: "z_exit",
  grossCents: 1_250,
  feesCents: 114,
  netCents: 1_136,
  zEntry: 2.1,
  zExit: null,
  maeCents: -250,
  mfeCents: 1_300,
});
const change = (revision: number): ConfigChangeRow => ({
  revision,
  atMs: START_MS,
  by: "telegram:1",
  changes: [{ path: "strategy.entryZ", old: "2.0", new: "2.5" }],
});

const open = (dataDir: string, more: Partial<Parameters<typeof openHistory>[0]> = {}): Promise<History> =>
  openHistory({ dataDir, clock: handClock(), log: silentLog, ...more });

test("rows come back after a close, oldest first, with the record they reach up to", async () => {
  const dataDir = temporaryFolder();
  const history = await open(dataDir);
  history.addRoundTrip(10, trip(1));
  history.addConfigChange(11, change(1));
  history.addRoundTrip(12, trip(2));
  history.setLast({ position: -1 });
  await history.close();

  const again = await open(dataDir);

  expect(again.upToSeq()).toBe(12);
  expect(again.roundTrips()).toEqual([trip(1), trip(2)]);
  expect(again.configChanges()).toEqual([change(1)]);
  expect(JSON.parse(readFileSync(join(dataDir, "view.json"), "utf8")).last).toEqual({ position: -1 });
});

test("a record that was taken in is not taken in twice", async () => {
  const history = await open(temporaryFolder());
  history.addRoundTrip(10, trip(1));

  history.addRoundTrip(10, trip(1));
  history.addRoundTrip(9, trip(0));

  expect(history.roundTrips()).toEqual([trip(1)]);
});

test("a restated round trip takes the place of the one that was told, once", async () => {
  const history = await open(temporaryFolder());
  history.addRoundTrip(10, trip(1));
  history.addRoundTrip(11, trip(2));

  history.restateRoundTrip(12, { ...trip(1), netCents: -40 });
  history.restateRoundTrip(12, { ...trip(1), netCents: 99 });
  history.restateRoundTrip(13, { ...trip(7), netCents: 99 });

  expect(history.roundTrips()).toEqual([{ ...trip(1), netCents: -40 }, trip(2)]);
  expect(history.upToSeq()).toBe(13);
});

test("records fold into rows without foreign fields; others only move the place", async () => {
  const history = await open(temporaryFolder());

  expect(foldRecord(history, 5, "round_trip", { ...trip(1), orderRef: "x" })).toBe(true);
  expect(foldRecord(history, 6, "config_changed", change(3))).toBe(true);
  expect(foldRecord(history, 9, "notice_sent", {})).toBe(true);

  expect(history.roundTrips()).toEqual([trip(1)]);
  expect(history.configChanges()).toEqual([change(3)]);
  expect(history.upToSeq()).toBe(9);
});

test.each([
  ["round_trip", { ...trip(1), side: "flat" }],
  ["round_trip", { ...trip(1), netCents: "12" }],
  ["round_trip", { ...trip(1), tradeDate: "5.1.2026" }],
  ["config_changed", { ...change(1), changes: [{ path: "x" }] }],
])("a %s of another shape is not taken in", async (type, fields) => {
  const history = await open(temporaryFolder());

  expect(foldRecord(history, 5, type, fields)).toBe(false);

  expect(history.upToSeq()).toBe(0);
});

test("many changes are one write, a second after the first", async () => {
  const disk = memoryDisk();
  const clock = handClock();
  const history = await open("/data", { clock, files: disk });
  disk.makeDirectory("/data");
  for (let id = 1; id <= 50; id++) history.addRoundTrip(id, trip(id));
  clock.moveTo(START_MS + SAVE_AFTER_MS - 1);
  expect(disk.names()).toEqual([]);

  clock.moveTo(START_MS + SAVE_AFTER_MS);
  await history.save();

  expect(JSON.parse(disk.contents("/data/view.json").toString()).roundTrips).toHaveLength(50);
});

test("a write that fails is logged and tried again after ten seconds", async () => {
  const disk = memoryDisk();
  disk.makeDirectory("/data");
  const clock = handClock();
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (_fields, message) => errors.push(message) };
  const history = await open("/data", { clock, files: disk, log });
  disk.rule = () => "ENOSPC";
  history.addRoundTrip(1, trip(1));
  clock.moveTo(START_MS + SAVE_AFTER_MS);
  await expect(history.save()).rejects.toMatchObject({ code: "ENOSPC" });
  disk.rule = () => undefined;

  clock.moveTo(clock.nowMs() + SAVE_RETRY_MS);
  await history.close();

  expect(errors.join()).toContain("view.json");
  expect(disk.names()).toEqual(["/data/view.json"]);
});

test.each([
  ["empty", ""],
  ["filled with NUL", "\0".repeat(500)],
  ["torn", '{"version":1,"upToSeq":5,"roundTr'],
  ["of another version", '{"version":2,"upToSeq":5,"roundTrips":[],"configChanges":[],"last":null}'],
  ["with a bad row", '{"version":1,"upToSeq":5,"roundTrips":[{"tradeId":1}],"configChanges":[],"last":null}'],
  ["a list", "[]"],
])("a file that is %s is moved aside and the view begins empty", async (_name, text) => {
  const dataDir = temporaryFolder();
  writeFileSync(join(dataDir, "view.json"), text);

  const history = await open(dataDir);

  expect(history.upToSeq()).toBe(0);
  expect(readdirSync(dataDir)).toEqual([`view.json.bad-${START_MS}`]);
  expect(readFileSync(join(dataDir, `view.json.bad-${START_MS}`), "utf8")).toBe(text);
});

test("a rebuild replaces all rows", async () => {
  const history = await open(temporaryFolder());
  history.addRoundTrip(1, trip(9));

  history.rebuild({ upToSeq: 40, roundTrips: [trip(1), trip(2)], configChanges: [change(1)] });

  expect([history.upToSeq(), history.roundTrips(), history.configChanges()]).toEqual([
    40,
    [trip(1), trip(2)],
    [change(1)],
  ]);
});

test("only the newest rows are kept at the limit", async () => {
  const history = await open(temporaryFolder());

  for (let revision = 1; revision <= CONFIG_CHANGES_MAX + 1; revision++)
    history.addConfigChange(revision, change(revision));

  expect(history.configChanges()).toHaveLength(CONFIG_CHANGES_MAX);
  expect(history.configChanges()[0]?.revision).toBe(2);
});

test("a power loss while the file is replaced leaves the old or the new one", async () => {
  const disk = memoryDisk();
  disk.makeDirectory("/data");
  const first = await open("/data", { files: disk });
  first.addRoundTrip(1, trip(1));
  await first.save();
  for (let failAt = 0; failAt < 6; failAt++) {
    let calls = 0;
    disk.rule = () => (calls++ === failAt ? "EIO" : undefined);
    first.addRoundTrip(2 + failAt, trip(2 + failAt));
    await Promise.allSettled([first.save()]);

    const after = await open("/data", { files: disk.afterPowerLoss(() => 1) });

    expect(after.roundTrips().length).toBeGreaterThanOrEqual(1);
    disk.rule = () => undefined;
  }
});
