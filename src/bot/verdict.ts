// What a failed Bot API call means for the message: try again and when, send it differently, or give it up. Pure.
import { GrammyError, HttpError } from "grammy";

/** Is what is to be done with the message. */
export type Verdict =
  /** The network or the server failed: again after the chat's growing wait. It may have been done all the same where no answer came. */
  | { readonly type: "retry"; readonly mayBeDone: boolean }
  /** The server asks to wait so long. */
  | { readonly type: "flood"; readonly waitMs: number }
  /** The group has another id now. */
  | { readonly type: "moved"; readonly chatId: number }
  /** The markup or the length was refused: once more, plain. */
  | { readonly type: "plain" }
  /** The message to edit is gone. */
  | { readonly type: "gone"; readonly description: string }
  /** It says already what it should say. */
  | { readonly type: "same" }
  /** The chat can't be written to. */
  | { readonly type: "blocked"; readonly description: string }
  | { readonly type: "refused"; readonly code: number; readonly description: string };

/** Returns what a thrown value of a Bot API call means. A wrong token (401, 404) may be renewed: it is tried again. */
export function verdictOf(thrown: unknown): Verdict {
  if (!(thrown instanceof GrammyError)) return { type: "retry", mayBeDone: !neverLeft(thrown) };
  const { error_code: code, description, parameters } = thrown;
  if (code === 429) return { type: "flood", waitMs: (parameters.retry_after ?? 1) * 1_000 };
  if (code >= 500 || code === 401 || code === 404) return { type: "retry", mayBeDone: false };
  if (parameters.migrate_to_chat_id !== undefined) return { type: "moved", chatId: parameters.migrate_to_chat_id };
  if (code === 403) return { type: "blocked", description };
  if (/message is not modified/i.test(description)) return { type: "same" };
  if (/message to edit not found|can't be edited|no text in the message to edit/i.test(description))
    return { type: "gone", description };
  if (/chat not found|user is deactivated/i.test(description)) return { type: "blocked", description };
  if (/parse|entit|too long|MEDIA_CAPTION/i.test(description)) return { type: "plain" };
  return { type: "refused", code, description };
}

/** Codes of a call that did not reach the server: no line, no name, no route. */
const NEVER_LEFT: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** grammY wraps the platform's error, which wraps the socket's. */
const WRAPPINGS_MAX = 5;

function neverLeft(thrown: unknown): boolean {
  let error = thrown;
  for (let depth = 0; depth < WRAPPINGS_MAX && error instanceof Error; depth += 1) {
    if ("code" in error && NEVER_LEFT.has(error.code)) return true;
    error = error instanceof HttpError ? error.error : error.cause;
  }
  return false;
}
