// What the journal's tests share: a folder of their own, a clock that stands where it is put, sample records.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { onTestFinished } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { type Journal, type JournalOptions, openJournal, type Recovery } from "../../src/journal/journal.ts";
import type { DirectoryLock } from "../../src/journal/lock.ts";
import { readJournal } from "../../src/journal/read.ts";
import { silentLog } from "../../src/log.ts";

/** Is Monday 2026-01-05, 14:30 UTC. */
export const START_MS = 1_767_623_400_000;

/** Returns a new folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Is a clock that a test moves by hand. */
export type HandClock = Clock & { moveTo(atMs: number): void; pending(): number };

/** Returns a clock that stands at `startMs`. */
export function handClock(startMs = START_MS): HandClock {
  let nowMs = startMs;
  const timers = new Map<number, { atMs: number; knock: () => void }>();
  let nextId = 1;
  const at = (atMs: number, knock: () => void): (() => void) => {
    const id = nextId++;
    timers.set(id, { atMs, knock });
    return () => void timers.delete(id);
  };
  return {
    nowMs: () => nowMs,
    at,
    after: (waitMs, knock) => at(nowMs + waitMs, knock),
    pending: () => timers.size,
    moveTo: (atMs) => {
      nowMs = atMs;
      for (const [id, timer] of [...timers]) {
        if (timer.atMs > nowMs) continue;
        timers.delete(id);
        timer.knock();
      }
    },
  };
}

/** Is a lock for tests that need none. */
export const noLock: DirectoryLock = { release: async () => {} };

/** Opens the journal and fails the test when it can't be opened. */
export async function mustOpen(
  dataDir: string,
  options: Partial<JournalOptions> = {},
): Promise<{ journal: Journal; recovery: Recovery }> {
  const opened = await openJournal({ dataDir, clock: handClock(), log: silentLog, lock: noLock, ...options });
  if (!opened.ok) throw new Error(`the journal did not open: ${JSON.stringify(opened.error)}`);
  return opened.value;
}

/** Appends record number `index` of a fixed mixture of trades, quotes and JSON; returns its sequence number. */
export function appendSample(journal: Journal, index: number): number {
  const atMs = START_MS + index;
  switch (index % 4) {
    case 0:
      return journal.appendTrade(atMs, atMs - 3, 27_000 + (index % 17), 1 + (index % 5));
    case 1:
      return journal.appendQuote(atMs, atMs - 2, 26_999, index % 8 === 1 ? null : 27_000, 12, 7);
    case 2:
      return journal.appendJson(
        "output",
        atMs,
        JSON.stringify({ type: "intent", orderRef: `QS1-${index}`, text: "é✓" }),
      );
    default:
      return journal.appendJson("note", atMs, JSON.stringify({ type: "notice_sent", noticeId: index }));
  }
}

/** Returns every record as text, so that two readings can be compared. */
export const readAll = (dataDir: string, fromSeq = 0): string[] =>
  [...readJournal(dataDir, { fromSeq })].map((record) => `${record.seq} ${Buffer.from(record.frame).toString("hex")}`);

const PROJECT = join(import.meta.dirname, "../..");

/**
 * Starts another process that runs `script` with the journal's exports in reach; `dataDir` is its argv[2]. The sources
 * are stripped of their types into a folder of the test. The child is killed when the test ends.
 */
export function startChild(script: string, dataDir: string): ChildProcess {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "src", "journal"), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const sources = ["clock.ts", "log.ts", "result.ts"];
  for (const name of readdirSync(join(PROJECT, "src", "journal"))) sources.push(join("journal", name));
  for (const name of sources) {
    const { outputText } = ts.transpileModule(readFileSync(join(PROJECT, "src", name), "utf8"), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    writeFileSync(join(folder, "src", name.replace(/\.ts$/, ".js")), outputText);
  }
  const imports = [
    'import { openJournal } from "./src/journal/journal.js";',
    'import { acquireLock } from "./src/journal/lock.js";',
    'import { wallClock } from "./src/clock.js";',
    'import { silentLog } from "./src/log.js";',
  ];
  writeFileSync(join(folder, "child.js"), [...imports, script].join("\n"));
  const child = spawn(process.execPath, [join(folder, "child.js"), dataDir], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}
