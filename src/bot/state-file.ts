// What the bot must remember across a restart and what no journal record holds: open dialogues, the pinned cards, critical
// notices that nobody has seen yet. One small JSON file, replaced as a whole; without it the bot starts afresh.
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { errorFields, type Log } from "../log.ts";

/** Is an open dialogue: where, whose, and the state that the conversation keeps. */
export type StoredDialogue = {
  readonly version: number;
  readonly chatId: number;
  readonly topicId: number | null;
  readonly personId: number;
  /** What is being done, for a person: "window". */
  readonly subject: string;
  readonly revision: number;
  readonly messageId: number | null;
  /** The conversation's own state; opaque here. */
  readonly state: unknown;
};

/** Is a critical notice that was sent and not yet acknowledged. */
export type Unseen = {
  readonly noticeId: number;
  readonly event: string;
  readonly text: string;
  readonly sentAtMs: number;
  readonly repeats: number;
};

/** Is the whole file. */
type BotState = {
  readonly version: 1;
  readonly dialogues: Readonly<Record<string, StoredDialogue>>;
  /** Chat id → message id of its pinned card. */
  readonly cards: Readonly<Record<string, number>>;
  readonly unseen: readonly Unseen[];
};

/** Is the state of a first start. */
const EMPTY_STATE: BotState = { version: 1, dialogues: {}, cards: {}, unseen: [] };

/** A larger file is not one of ours. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Holds the state in memory and writes each change, one write at a time. */
export type StateFile = {
  state(): BotState;
  /** Changes the state; resolves when it is on the disk, also where writing failed (then it is logged and tried with the next change). */
  change(edit: (state: BotState) => BotState): Promise<void>;
};

/** Reads the file, or starts afresh where there is none or it cannot be read (said in the log). */
export async function openStateFile(path: string, log: Log): Promise<StateFile> {
  let current = await load(path, log);
  let writing: Promise<void> | null = null;
  let isDirty = false;

  const write = async (): Promise<void> => {
    while (isDirty) {
      isDirty = false;
      try {
        await replaceFile(path, JSON.stringify(current));
      } catch (thrown) {
        log.error(
          { ...errorFields(thrown), path },
          "the bot's state could not be written; open dialogues may be lost at a restart",
        );
        return;
      }
    }
  };

  return {
    state: () => current,
    change: (edit) => {
      current = edit(current);
      isDirty = true;
      writing ??= write().finally(() => {
        writing = null;
      });
      return writing;
    },
  };
}

async function load(path: string, log: Log): Promise<BotState> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return EMPTY_STATE;
    log.warn({ ...errorFields(thrown), path }, "the bot's state cannot be read; it starts afresh");
    return EMPTY_STATE;
  }
  try {
    if (text.length > FILE_BYTES_MAX) throw new Error("it is too large");
    const read: unknown = JSON.parse(text);
    if (!isState(read)) throw new Error("it is of another version");
    return read;
  } catch (thrown) {
    log.warn(
      { ...errorFields(thrown), path },
      "the bot's state is not readable; it starts afresh and keeps the old file beside it",
    );
    await rename(path, `${path}.unreadable`);
    return EMPTY_STATE;
  }
}

function isState(value: unknown): value is BotState {
  if (typeof value !== "object" || value === null) return false;
  const state = value as Partial<Record<keyof BotState, unknown>>;
  const isMap = (part: unknown): boolean => typeof part === "object" && part !== null && !Array.isArray(part);
  return state.version === 1 && isMap(state.dialogues) && isMap(state.cards) && Array.isArray(state.unseen);
}

/** A reader sees the old file or the new one, never a part. */
async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
