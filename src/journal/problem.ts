// What can be wrong with a journal, with the figures, and the one sentence that tells a person what to do.

/** Says why a journal can't be opened or trusted. `file` is a name within the data directory, `offset` in bytes. */
export type JournalProblem =
  | {
      type: "corrupt";
      file: string;
      offset: number;
      /** The sequence number that was expected there. */
      seq: number;
      what: CorruptionKind;
      advice: string;
    }
  | { type: "newer_version"; file: string; offset: number }
  | { type: "locked"; pid: number | null; host: string | null }
  | { type: "unreadable"; file: string; code: string }
  | { type: "unwritable"; file: string; code: string }
  | {
      type: "unsafe_directory";
      directory: string;
      why: "world_writable" | "is_a_link" | "not_a_directory" | "not_ours";
    };

/** Names the kind of damage. `rolled_back`: a snapshot knows of records that the journal no longer has. */
export type CorruptionKind =
  | "bad_record"
  | "bad_segment_header"
  | "sequence_gap"
  | "missing_segment"
  | "broken_chain"
  | "other_instance"
  | "rolled_back";

const WHAT: Readonly<Record<CorruptionKind, string>> = {
  bad_record: "a record is damaged and intact ones follow it",
  bad_segment_header: "the file's beginning is damaged",
  sequence_gap: "records are missing",
  missing_segment: "a file of the journal is missing before it",
  broken_chain: "it does not continue the file before it",
  other_instance: "it belongs to another bot's journal",
  rolled_back: "a snapshot is newer than the last record, as if an old copy had been put back",
};

/** Is what to do about damage; part of the problem, so that every door shows the same. */
const CORRUPT_ADVICE =
  "Look with `npm run journal -- verify`; `npm run journal -- rebuild` moves the damaged files aside and takes the state from the broker.";

/** Returns a corruption with its advice. */
export const corrupt = (what: CorruptionKind, file: string, offset: number, seq: number): JournalProblem => ({
  type: "corrupt",
  file,
  offset,
  seq,
  what,
  advice: CORRUPT_ADVICE,
});

/** Returns one sentence or two: what happened, where, and what to do. */
export function printJournalProblem(problem: JournalProblem): string {
  switch (problem.type) {
    case "corrupt":
      return `The journal is damaged: in ${problem.file} at byte ${problem.offset} (record ${problem.seq}) ${WHAT[problem.what]}; the bot only reports and flattens until this is mended. ${problem.advice}`;
    case "newer_version":
      return `The journal was written by a newer version of this program (${problem.file} at byte ${problem.offset}); nothing was changed. Start that version, or use another data directory.`;
    case "locked":
      return `Another process uses this data directory (${problem.pid === null ? "process unknown" : `process ${problem.pid}`}${problem.host === null ? "" : ` on ${problem.host}`}). Stop it first, or set another DATA_DIR.`;
    case "unreadable":
      return `The journal can't be read: ${problem.file} answers ${problem.code}. Check the disk, and that the files belong to the user who runs the bot.`;
    case "unwritable":
      return `The journal can't be written: ${problem.file} answers ${problem.code}; without it the bot does not trade. Check free space and permissions of the data directory.`;
    case "unsafe_directory":
      return `The data directory ${problem.directory} is not safe: ${UNSAFE[problem.why]}.`;
    default:
      return problem satisfies never;
  }
}

const UNSAFE = {
  world_writable: "anyone on this machine may write to it; take that away with `chmod o-w`",
  is_a_link: "it is a link to elsewhere; set DATA_DIR to the real directory",
  not_a_directory: "it is not a directory; move that file away or set another DATA_DIR",
  not_ours: "it belongs to another user; give it to the user who runs the bot",
} as const;

/** Is thrown by readers when they meet damage in the middle; carries the problem. */
export class JournalDamaged extends Error {
  override readonly name = "JournalDamaged";
  readonly problem: JournalProblem;
  constructor(problem: JournalProblem, cause?: unknown) {
    super(printJournalProblem(problem), cause === undefined ? undefined : { cause });
    this.problem = problem;
  }
}

/**
 * Is what `commit` rejects with, for good: the journal no longer reaches the disk. `during` names the step, `code` the
 * system's error; `unsyncedFromSeq` is the first record that must be taken as not on disk.
 */
export class JournalFailure extends Error {
  override readonly name = "JournalFailure";
  readonly during: JournalStep;
  readonly code: string;
  readonly unsyncedFromSeq: number;
  constructor(during: JournalStep, code: string, unsyncedFromSeq: number, cause?: unknown) {
    super(
      `The journal can't be written any more (${code} while it ${STEP[during]}): records from ${unsyncedFromSeq} on are only in memory. Entries must stop; mend the disk, then restart and arm.`,
      cause === undefined ? undefined : { cause },
    );
    this.during = during;
    this.code = code;
    this.unsyncedFromSeq = unsyncedFromSeq;
  }
}

/** Names the step at which writing failed. */
export type JournalStep = "write" | "sync" | "rotate" | "open" | "close";

const STEP: Readonly<Record<JournalStep, string>> = {
  write: "wrote records",
  sync: "synced them",
  rotate: "began a new file",
  open: "was opened",
  close: "was closed",
};
