// The parent of the bot with children that are programs of a line: what it restarts, when it gives up, what it passes on.
import { mkdtempSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RESTARTS_MAX, type Supervised, supervise } from "../src/supervisor.ts";
import { createFakeClock } from "./support/fake-clock.ts";

const FINAL = 75;

function supervised(script: string, parts: Partial<Supervised> = {}): Supervised {
  return {
    command: process.execPath,
    arguments: ["-e", script],
    environment: process.env,
    finalCodes: new Set([0, 2, FINAL]),
    clock: createFakeClock(),
    say: () => {},
    ...parts,
  };
}

test.each([0, 2, FINAL])("exit code %i is final", async (code) => {
  const said: string[] = [];

  const ended = await supervise(supervised(`process.exit(${code})`, { say: (line) => said.push(line) }));

  expect([ended, said]).toEqual([code, []]);
});

test("a fault is followed by a restart, and too many by the end, with what to do", async () => {
  const said: string[] = [];
  const clock = createFakeClock();
  const say = (line: string): void => {
    said.push(line);
    // The wait before the restart begins behind this line.
    queueMicrotask(() => void clock.advance(2_000));
  };

  const ended = await supervise(supervised("process.exit(70)", { clock, say }));

  expect(ended).toBe(70);
  expect(said).toHaveLength(RESTARTS_MAX + 1);
  expect(said[0]).toContain(`(1 of ${RESTARTS_MAX})`);
  expect(said.at(-1)).toMatch(/stays down.*npm run flatten/);
});

test.each(["SIGINT", "SIGTERM", "SIGUSR1"] as const)("%s goes to the child", async (signal) => {
  const folder = mkdtempSync(join(tmpdir(), "supervisor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const ready = new Promise<void>((resolve) => {
    const watcher = watch(folder, () => {
      watcher.close();
      resolve();
    });
  });
  const script = `
    process.on(${JSON.stringify(signal)}, () => process.exit(${FINAL}));
    setInterval(() => {}, 1000);
    require("node:fs").writeFileSync(${JSON.stringify(join(folder, "ready"))}, "");`;

  const listenersBefore = process.listenerCount(signal);
  const ended = supervise(supervised(script));
  await ready;
  // As the system would call it, without a signal to the test's own process.
  process.emit(signal, signal);

  expect(await ended).toBe(FINAL);
  expect(process.listenerCount(signal)).toBe(listenersBefore);
});
