// How fast the journal is on this machine: a script that prints what a record, a commit and a full check cost.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bench } from "tinybench";
import { wallClock } from "../../src/clock.ts";
import { crc32c } from "../../src/journal/crc32c.ts";
import { openJournal, readJournal, verifyJournal } from "../../src/journal/journal.ts";
import { silentLog } from "../../src/log.ts";

/** Is how many packed records one measured step appends: what a very busy second brings. */
const RECORDS = 200_000;

const dataDir = mkdtempSync(join(tmpdir(), "journal-bench-"));
const opened = await openJournal({ dataDir, clock: wallClock, log: silentLog });
if (!opened.ok) throw new Error(opened.error.type);
const { journal } = opened.value;
const block = new Uint8Array(1024 * 1024).fill(7);
const bench = new Bench({ time: 1_000, warmupTime: 200 });

bench
  .add("crc32c of 1 MiB", () => void crc32c(block))
  .add(`${RECORDS} trades appended, taken and flushed by the hundred`, () => {
    for (let index = 0; index < RECORDS; index++) {
      journal.appendTrade(1_767_623_400_000 + index, 1_767_623_400_000, 27_000 + (index & 63), 1);
      if (index % 100 === 99) {
        journal.take();
        journal.flush();
      }
    }
  })
  .add(`${RECORDS} quotes appended and taken by the hundred`, () => {
    for (let index = 0; index < RECORDS; index++) {
      journal.appendQuote(1_767_623_400_000 + index, 1_767_623_400_000, 27_000, 27_001, 9, 9);
      if (index % 100 === 99) journal.take();
    }
  })
  .add("one intent committed", async () => {
    journal.appendJson("output", 1_767_623_400_000, '{"type":"intent","orderRef":"QS1-0000-260105-1-E","quantity":1}');
    await journal.commit();
  });

await bench.run();
await journal.close();
process.stdout.write(
  `${bench.tasks
    .map((task) =>
      task.result.state === "completed"
        ? `${task.name}: ${(task.result.latency.mean * 1000).toFixed(1)} µs (p99 ${(task.result.latency.p99 * 1000).toFixed(1)} µs)`
        : `${task.name}: ${task.result.state}`,
    )
    .join("\n")}\n`,
);

const begunMs = performance.now();
const verified = verifyJournal(dataDir);
const records = verified.ok ? verified.value.records : 0;
const verifiedMs = performance.now() - begunMs;
let bytes = 0;
for (const record of readJournal(dataDir)) bytes += record.frame.length;
const readMs = performance.now() - begunMs - verifiedMs;
process.stdout.write(
  `verify: ${Math.round(records / verifiedMs)} records/ms · read: ${Math.round(records / readMs)} records/ms, ${Math.round(bytes / readMs / 1000)} MB/s (${records} records)\n`,
);
rmSync(dataDir, { recursive: true, force: true });
