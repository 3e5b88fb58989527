// The record of API calls: the last ones in memory for /simulate/calls, all of them as JSON lines in a file on request.
// A token never gets into it: a call is named by its bot's id.
import { createWriteStream, type WriteStream } from "node:fs";
import { errorFields, type Log, redact } from "../../log.ts";

/** Is one call and its answer; `status` 0 means that no answer was sent. */
export type CallRecord = {
  call: number;
  atMs: number;
  durationMs: number;
  bot: number;
  method: string;
  parameters: Record<string, unknown>;
  status: number;
  answer: unknown;
};

/** Calls kept in memory. */
export const CALLS_MAX = 2_000;

/** Keeps the calls and writes them out. */
export class CallBook {
  readonly #calls: CallRecord[] = [];
  readonly #file: WriteStream | undefined;
  #next = 1;

  /** Appends to `path` when one is given; a failing disk is logged, never fatal to a call. */
  constructor(path: string | undefined, log: Log) {
    if (path === undefined) return;
    this.#file = createWriteStream(path, { flags: "a" });
    this.#file.on("error", (thrown) => {
      log.error(errorFields(thrown), "The record of Bot API calls can't be written; calls go on without it");
    });
  }

  /** Adds a call and gives it its number. */
  add(call: Omit<CallRecord, "call">): void {
    const record = { call: this.#next, ...call };
    this.#next += 1;
    this.#calls.push(record);
    if (this.#calls.length > CALLS_MAX) this.#calls.shift();
    if (this.#file?.writable === true) this.#file.write(`${redact(JSON.stringify(record))}\n`);
  }

  /** Returns the kept calls after number `since`, of one method if one is given, oldest first. */
  after(since: number, method: string): CallRecord[] {
    return this.#calls.filter(
      (call) => call.call > since && (method === "" || call.method.toLowerCase() === method.toLowerCase()),
    );
  }

  /** Writes what is left and closes the file. */
  close(): Promise<void> {
    const file = this.#file;
    if (file === undefined || file.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      file.on("close", () => resolve());
      file.end();
    });
  }
}
