// Reads the fault scripts of the chat's side.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, parseScript } from "../../src/simulators/telegram/faults.ts";

/** The folder of the scripts. */
export const CHAT_SCRIPTS = join(import.meta.dirname, "chat-scripts");

/** Returns a script's faults; throws for one that is not understood. */
export function readChatScript(name: string): readonly Fault[] {
  const read = parseScript(readFileSync(join(CHAT_SCRIPTS, `${name}.faults`), "utf8"));
  if (!read.ok) throw new Error(`${name}, line ${read.error.line}: ${read.error.reason}`);
  return read.value;
}
