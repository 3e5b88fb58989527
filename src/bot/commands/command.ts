// What a command is, and how typed text becomes one.
import type { Role } from "../../config/schema.ts";
import type { Call, Reply } from "../context.ts";
import type { CommandWords } from "../views/about.ts";

/**
 * How a command treats time: a report is answered while it is young; a stop is obeyed however late; `risk` and
 * `settings` are not run when they waited, `flatten` pauses at once and asks again.
 */
type Kind = "report" | "stop" | "flatten" | "risk" | "settings";

/** Is one command. */
export type Command = CommandWords & {
  readonly kind: Kind;
  /** Served before conversations and never behind a slow handler. */
  readonly isEmergency: boolean;
  readonly role: Role;
  run(call: Call): Promise<Reply>;
};

/** Is text that asks for a command. */
export type Typed = { readonly name: string; readonly rest: string };

/** A command line longer than this is cut; no argument of ours needs more. */
const REST_UNITS_MAX = 500;

/** The buttons below the text box and what each stands for. */
export const KEYS: readonly (readonly (readonly [string, string])[])[] = [
  [
    ["Status", "/status"],
    ["Why", "/why"],
    ["P&L", "/pnl"],
  ],
  [
    ["Chart", "/chart"],
    ["Pause", "/pause"],
    ["Flatten", "/flatten"],
  ],
];

/**
 * Returns the command in a text, or null where there is none: "/Pause 30m", "/status@OurBot", a key below the text box.
 * A command for another bot is "other".
 */
export function readTyped(text: string, botName: string): Typed | "other" | null {
  const key = KEYS.flat().find(([label]) => label === text.trim());
  const match = /^\/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+([\s\S]*))?$/.exec(key?.[1] ?? text.trim());
  if (match === null) return null;
  const [, name = "", bot, rest = ""] = match;
  if (bot !== undefined && bot.toLowerCase() !== botName.toLowerCase()) return "other";
  return { name: name.toLowerCase(), rest: rest.trim().slice(0, REST_UNITS_MAX) };
}

/** Returns the arguments as words. */
export function wordsOf(rest: string): readonly string[] {
  return rest.split(/\s+/).filter((word) => word !== "");
}
