// The server's memory on disk: one JSON file, written whole beside itself and renamed over, some time after a change.
import { access, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Cancel, Clock } from "../../clock.ts";
import { errorFields, type Log } from "../../log.ts";
import type { ShelfFile } from "./file-shelf.ts";
import { isRecord, parseJson } from "./parameters.ts";
import type { AccountState, Person, World } from "./world.ts";

/** How long changes are gathered before they are written. */
const SAVE_WAIT_MS = 200;
/** After a kill, what was not yet written may have used this many update ids at most; they are skipped. */
export const UPDATE_IDS_SKIPPED = 1_000;

const VERSION = 1;

/** Is the file's content. */
export type SavedState = {
  version: typeof VERSION;
  /** Is true when it was written by an orderly close. */
  isClean: boolean;
  seq: number;
  people: Person[];
  accounts: AccountState[];
  files: ShelfFile[];
};

/** Returns the saved state; undefined when there is none, or when it can't be read (then it is moved aside and named in the log). */
export async function loadState(path: string, atMs: number, log: Log): Promise<SavedState | undefined> {
  try {
    await access(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
  const parsed = parseJson(await readFile(path, "utf8"));
  if (parsed.ok && isSavedState(parsed.value)) return continued(parsed.value);
  const aside = `${path}.damaged-${atMs}`;
  await rename(path, aside);
  log.warn({ path, aside }, "The chat's state file can't be read; it was moved aside and the chat begins anew");
  return undefined;
}

function isSavedState(value: unknown): value is SavedState {
  if (!isRecord(value) || value["version"] !== VERSION) return false;
  return [value["people"], value["accounts"], value["files"]].every(Array.isArray) && typeof value["seq"] === "number";
}

function continued(state: SavedState): SavedState {
  if (state.isClean) return state;
  for (const account of state.accounts) account.queue.nextUpdateId += UPDATE_IDS_SKIPPED;
  return state;
}

/** Writes the world out after changes. */
export class StateFile {
  readonly #path: string;
  readonly #world: World;
  readonly #clock: Clock;
  readonly #log: Log;
  #stopTimer: Cancel | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, world: World, clock: Clock, log: Log) {
    this.#path = path;
    this.#world = world;
    this.#clock = clock;
    this.#log = log;
  }

  /** Has the state written soon. */
  schedule(): void {
    this.#stopTimer ??= this.#clock.after(SAVE_WAIT_MS, () => {
      this.#stopTimer = undefined;
      void this.save(false);
    });
  }

  /** Writes the state now, after a write under way; `isClean` at an orderly close. */
  save(isClean: boolean): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#writing = this.#writing.then(() => this.#write(isClean));
    return this.#writing;
  }

  async #write(isClean: boolean): Promise<void> {
    const part = `${this.#path}.part`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const file = await open(part, "w");
      try {
        await file.writeFile(JSON.stringify(savedState(this.#world, isClean)));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(part, this.#path);
    } catch (thrown) {
      // The chat goes on from memory; the next change tries again.
      this.#log.error({ ...errorFields(thrown), path: this.#path }, "The chat's state can't be saved");
    }
  }
}

function savedState(world: World, isClean: boolean): SavedState {
  return {
    version: VERSION,
    isClean,
    seq: world.seq,
    people: [...world.people.values()],
    accounts: [...world.accounts.values()].map((account) => ({
      me: account.me,
      rooms: [...account.rooms.values()],
      queue: account.updates.state,
      commands: account.commands,
      texts: account.texts,
      menuButton: account.menuButton,
    })),
    files: [...world.files.entries()],
  };
}
