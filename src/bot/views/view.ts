// What a message is before it is sent: text and buttons that say what a press means. Views are pure; the bot turns
// presses into callback data and back.
import type { Rich } from "./rich.ts";

/** Is an act that needs one deliberate press: it is bound to a person, a message and a time. */
export type Deed =
  | { readonly verb: "flatten" }
  | { readonly verb: "resume" }
  | { readonly verb: "arm" }
  | {
      readonly verb: "undo";
      readonly base: number;
      readonly changes: readonly { readonly path: string; readonly text: string }[];
    }
  | { readonly verb: "dismiss" }
  /** A step of the dialogue that waits in this chat. */
  | { readonly verb: "pick"; readonly what: string };

/** Is what a button does. */
type Press =
  /** Shows the command's answer in place of this message, at most every two seconds. */
  | { readonly type: "refresh"; readonly command: string }
  /** Runs the command as if it had been typed. */
  | { readonly type: "run"; readonly command: string }
  /** Does a deed once, for one person, within `aliveMs`. */
  | { readonly type: "deed"; readonly deed: Deed; readonly aliveMs: number }
  /** Says that a critical notice was seen; harmless, so it never expires. */
  | { readonly type: "acknowledge"; readonly noticeId: number };

/** Is a button; its label has at most 20 characters. */
export type Button = { readonly label: string; readonly press: Press };

/** Is a message. Buttons come in rows, at most 3 a row and 8 rows. */
export type View = { readonly text: Rich; readonly buttons: readonly (readonly Button[])[] };

/** A confirmation can be pressed this long. */
const CONFIRM_MS = 60_000;
/** A preview of settings can be applied this long. */
export const PREVIEW_MS = 300_000;

/** Returns a button that shows a command's answer in place. */
export const refresh = (label: string, command: string): Button => ({ label, press: { type: "refresh", command } });
/** Returns a button that runs a command. */
export const run = (label: string, command: string): Button => ({ label, press: { type: "run", command } });
/** Returns a button that does a deed. */
export const deed = (label: string, what: Deed, aliveMs: number = CONFIRM_MS): Button => ({
  label,
  press: { type: "deed", deed: what, aliveMs },
});

/** Returns a message without buttons. */
export const plain = (text: Rich): View => ({ text, buttons: [] });
