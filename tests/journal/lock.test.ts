// One process a data directory: the lock ends with its process and covers what one machine's kernel can't see.
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acquireLock, STAMP_AGE_MS_MAX, STAMP_EVERY_MS } from "../../src/journal/lock.ts";
import { handClock, START_MS, startChild, temporaryFolder } from "./support.ts";

const lockFile = (dataDir: string): string => join(dataDir, "LOCK");

const mtimeSeconds = (dataDir: string): number => statSync(lockFile(dataDir)).mtimeMs / 1000;

/** Returns the file system's own time, as a file written now shows it. */
function readNowSeconds(dataDir: string): number {
  const probe = join(dataDir, "probe");
  writeFileSync(probe, "");
  return statSync(probe).mtimeMs / 1000;
}

test("a held directory is refused with the holder's process, by any path that leads there, and free after release", async () => {
  const folder = temporaryFolder();
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  symlinkSync(dataDir, join(folder, "alias"));
  const held = await acquireLock(dataDir);
  if (!held.ok) throw new Error("the first is free");

  for (const path of [dataDir, join(folder, "alias"), join(dataDir, "..", "data")]) {
    expect(await acquireLock(path)).toMatchObject({ ok: false, error: { type: "locked", pid: process.pid } });
  }

  await held.value.release();
  const again = await acquireLock(dataDir);
  expect(again.ok).toBe(true);
  if (again.ok) await again.value.release();
});

test("two directories don't lock each other out", async () => {
  const one = await acquireLock(temporaryFolder());
  const two = await acquireLock(temporaryFolder());

  expect([one.ok, two.ok]).toEqual([true, true]);
  if (one.ok) await one.value.release();
  if (two.ok) await two.value.release();
});

test("another process is refused while the holder lives, and gets the lock as soon as the holder was killed", async () => {
  const dataDir = temporaryFolder();
  const child = startChild(
    `const lock = await acquireLock(process.argv[2]);
     process.stdout.write(lock.ok ? "held" : "refused");`,
    dataDir,
  );
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  expect(said.toString()).toBe("held");

  const refused = await acquireLock(dataDir);

  expect(refused).toMatchObject({ ok: false, error: { type: "locked", pid: child.pid } });
  child.kill("SIGKILL");
  await once(child, "exit");
  const taken = await acquireLock(dataDir);
  expect(taken.ok).toBe(true);
  if (taken.ok) await taken.value.release();
});

test.each([
  ["refuses while its stamp is fresh", STAMP_AGE_MS_MAX - 5_000, false],
  ["is past after a minute without a stamp", STAMP_AGE_MS_MAX + 5_000, true],
])("a lock file of another host %s", async (_name, ageMs, isFree) => {
  const dataDir = temporaryFolder();
  writeFileSync(lockFile(dataDir), JSON.stringify({ pid: 4242, host: "other", bootId: "b" }));
  const nowSeconds = readNowSeconds(dataDir);
  utimesSync(lockFile(dataDir), nowSeconds - ageMs / 1000, nowSeconds - ageMs / 1000);

  const lock = await acquireLock(dataDir, { host: "here" });

  if (isFree) expect(lock.ok).toBe(true);
  else expect(lock).toEqual({ ok: false, error: { type: "locked", pid: 4242, host: "other" } });
  if (lock.ok) await lock.value.release();
});

test("a lock file of this host that a dead process left behind stops nobody", async () => {
  const dataDir = temporaryFolder();
  writeFileSync(lockFile(dataDir), JSON.stringify({ pid: 4242, host: "here", bootId: "b" }));

  const lock = await acquireLock(dataDir, { host: "here" });

  expect(lock.ok).toBe(true);
  if (lock.ok) await lock.value.release();
});

test("the holder renews its stamp as long as it holds", async () => {
  const dataDir = temporaryFolder();
  const clock = handClock();
  const lock = await acquireLock(dataDir, { clock, host: "here" });
  if (!lock.ok) throw new Error("it is free");
  const text = readFileSync(lockFile(dataDir), "utf8");
  utimesSync(lockFile(dataDir), 1, 1);

  clock.moveTo(START_MS + STAMP_EVERY_MS);

  expect(readNowSeconds(dataDir) - mtimeSeconds(dataDir)).toBeLessThan(60);
  expect(readFileSync(lockFile(dataDir), "utf8")).toBe(text);
  await lock.value.release();
  expect(clock.pending()).toBe(0);
});
