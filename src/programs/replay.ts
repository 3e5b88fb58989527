// `npm run replay -- DATA_DIR`: runs the journal through the engine again, from its first record, and compares every
// effect with the recorded one, byte for byte, and the state with each snapshot that is kept.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createEngine } from "../engine.ts";
import { JournalDamaged, readJournal } from "../journal/journal.ts";
import { parseRecord } from "../journal/read.ts";
import { readSnapshot } from "../journal/snapshots.ts";
import { createReplay } from "../trading/resume.ts";
import { badInput, DONE, ExitError, FAULT } from "./exit.ts";

const PROGRESS_EVERY_RECORDS = 500_000;

/** Returns 0 where everything is the same, 70 at the first difference. */
export function replay(dataDir: string): number {
  if (!existsSync(join(dataDir, "journal"))) {
    throw badInput(`${dataDir} holds no journal. Name a data directory, such as: npm run replay -- data/demo`);
  }
  const snapshot = readSnapshot(dataDir);
  const engine = createEngine(null);
  const run = createReplay(engine);
  let records = 0;
  let firstSeq: number | null = null;
  let snapshotHash: string | null = null;
  let rebuiltAtSeq: number | null = null;
  try {
    for (const record of readJournal(dataDir)) {
      if (record.kind === "note" && parseRecord(record).type === "rebuilt") {
        rebuiltAtSeq = record.seq;
        break;
      }
      firstSeq ??= record.seq;
      run.take(record);
      records++;
      if (snapshot !== null && record.seq === snapshot.seq) {
        run.settle();
        snapshotHash = engine.stateHash();
      }
      if (records % PROGRESS_EVERY_RECORDS === 0)
        process.stderr.write(`  ${records.toLocaleString("en-US")} records …\n`);
    }
  } catch (thrown) {
    if (thrown instanceof JournalDamaged) throw badInput(thrown.message);
    throw thrown;
  }
  if (firstSeq !== null && firstSeq > 1) {
    throw badInput(
      `The journal begins at record ${firstSeq}: older ones have been deleted, so it can't be replayed from the start.`,
    );
  }
  const end = run.finish();
  if (end.difference !== null) {
    const { seq, recorded, replayed } = end.difference;
    throw new ExitError(FAULT, `Record ${seq} differs.\n  recorded: ${recorded}\n  replayed: ${replayed}`);
  }
  if (snapshotHash !== null && snapshotHash !== snapshot?.stateHash) {
    throw new ExitError(
      FAULT,
      `The state after record ${snapshot?.seq} differs from its snapshot (${snapshotHash}, not ${snapshot?.stateHash}).`,
    );
  }
  const unrecorded =
    end.missing.length === 0
      ? ""
      : ` The last inputs caused ${end.missing.length} effects that were not recorded: the run was cut off there.`;
  const rebuilt =
    rebuiltAtSeq === null
      ? ""
      : ` The journal was rebuilt at record ${rebuiltAtSeq}: what follows began with the broker's word and can't be replayed from here.`;
  process.stdout.write(
    `${end.inputs.toLocaleString("en-US")} events replayed, ${end.outputs.toLocaleString("en-US")} effects compared: all the same, byte for byte. ` +
      `State ${engine.stateHash()}${snapshotHash === null ? "" : "; the snapshot's state agrees"}.${unrecorded}${rebuilt}\n`,
  );
  return DONE;
}
