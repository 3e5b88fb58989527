// `npm start`: the parent that keeps the bot running.
import { fileURLToPath } from "node:url";
import { wallClock } from "../clock.ts";
import { supervise } from "../supervisor.ts";
import { BAD_INPUT, DONE, LOCKED } from "./exit.ts";

/** Starts the bot as a child with the same arguments and returns its exit code. */
export function start(argv: readonly string[]): Promise<number> {
  return supervise({
    command: process.execPath,
    arguments: ["--enable-source-maps", fileURLToPath(new URL("../main.js", import.meta.url)), "run", ...argv],
    environment: process.env,
    finalCodes: new Set([DONE, BAD_INPUT, LOCKED]),
    clock: wallClock,
    say: (line) => process.stderr.write(`${line}\n`),
  });
}
