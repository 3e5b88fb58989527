// `npm run journal -- verify|dump|market|rebuild DATA_DIR`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { wallClock } from "../clock.ts";
import { dumpLine, JournalDamaged, printJournalProblem, readJournal, verifyJournal } from "../journal/journal.ts";
import { setLatch } from "../journal/latch.ts";
import { rebuildJournal } from "../journal/rebuild.ts";
import { instantText } from "../units.ts";
import { badInput, DONE, ExitError, LOCKED } from "./exit.ts";
import { marketLines } from "./journal-market.ts";

/** Does what the verb says and returns 0, or throws an ExitError with what is wrong. */
export async function journal(verb: "verify" | "dump" | "market" | "rebuild", dataDir: string): Promise<number> {
  if (!existsSync(join(dataDir, "journal"))) {
    throw badInput(`${dataDir} holds no journal. Name a data directory, such as: npm run journal -- ${verb} data/demo`);
  }
  switch (verb) {
    case "verify":
      return verify(dataDir);
    case "dump":
      return print(lines(dataDir));
    case "market":
      return market(dataDir);
    case "rebuild":
      return rebuild(dataDir);
    default:
      return verb satisfies never;
  }
}

function verify(dataDir: string): number {
  const verified = verifyJournal(dataDir);
  if (!verified.ok) throw badInput(printJournalProblem(verified.error));
  const { records, segments, firstAtMs, lastAtMs, tornBytes } = verified.value;
  const span = firstAtMs === null || lastAtMs === null ? "" : `, ${instantText(firstAtMs)} to ${instantText(lastAtMs)}`;
  const torn =
    tornBytes === 0 ? "" : ` ${tornBytes} bytes of an interrupted write at the end will be cut off at the next start.`;
  process.stdout.write(
    `Sound: ${records.toLocaleString("en-US")} records in ${segments} file${segments === 1 ? "" : "s"}${span}.${torn}\n`,
  );
  return DONE;
}

/** The recording goes to standard output, what is to be said of it to standard error. */
async function market(dataDir: string): Promise<number> {
  const found = { rows: 0, leftOut: 0 };
  const code = await print(marketLines(dataDir, found));
  const leftOut = found.leftOut === 0 ? "" : `, ${found.leftOut} crossed or without a price left out`;
  process.stderr.write(`${found.rows.toLocaleString("en-US")} quotes and trades${leftOut}.\n`);
  return code;
}

async function print(text: Generator<string>): Promise<number> {
  try {
    await pipeline(Readable.from(text), process.stdout, { end: false });
  } catch (thrown) {
    if (thrown instanceof JournalDamaged) throw badInput(thrown.message);
    // The reader has seen enough (`| head`).
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EPIPE")) throw thrown;
  }
  return DONE;
}

function* lines(dataDir: string): Generator<string> {
  for (const record of readJournal(dataDir)) yield `${dumpLine(record)}\n`;
}

async function rebuild(dataDir: string): Promise<number> {
  const rebuilt = await rebuildJournal(dataDir, { nowMs: wallClock.nowMs() });
  if (!rebuilt.ok) {
    const message = printJournalProblem(rebuilt.error);
    throw rebuilt.error.type === "locked" ? new ExitError(LOCKED, message) : badInput(message);
  }
  const { movedFiles, movedTo, lastKeptSeq, nextSeq } = rebuilt.value;
  if (nextSeq === lastKeptSeq + 1) {
    process.stdout.write("The journal is sound; nothing was changed.\n");
    return DONE;
  }
  // What is missing may hold a loss or a halt, so a person decides whether it goes on.
  setLatch(dataDir, { atMs: wallClock.nowMs(), by: "journal rebuild", reason: "the journal was rebuilt" });
  const moved =
    movedTo === null ? "what is damaged stays where it is, unread" : `${movedFiles.join(", ")} moved to ${movedTo}`;
  process.stdout.write(
    `Records up to ${lastKeptSeq} are kept; ${moved}. ` +
      "Start the bot: it asks the broker for what is missing and stays HALTED until you say /arm.\n",
  );
  return DONE;
}
