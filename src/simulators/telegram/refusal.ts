// How a call is refused: the HTTP code, the exact description, and what goes beside it. A method may refuse at any depth
// of its checks, so inside this room a refusal is thrown; the one place that catches it is the dispatcher (server.ts).
// Texts: tdlib/telegram-bot-api Client.cpp and the error list of teloxide.

/** Is what a refusal adds for the client to act on. */
export type RefusalParameters = { retry_after?: number; migrate_to_chat_id?: number };

/** Is an answer with ok=false. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: number;
  readonly description: string;
  readonly parameters: RefusalParameters | undefined;

  constructor(code: number, description: string, parameters?: RefusalParameters) {
    super(description);
    this.code = code;
    this.description = description;
    this.parameters = parameters;
  }
}

/** Returns a 400: the call itself is wrong. A text is begun in lower case, a CODE stays as it is. */
export function badRequest(text: string, parameters?: RefusalParameters): Refusal {
  const isCode = /^[A-Z]{2}/.test(text);
  return new Refusal(400, `Bad Request: ${isCode ? text : text.slice(0, 1).toLowerCase() + text.slice(1)}`, parameters);
}

/** Returns a 403: the chat doesn't want this bot. */
export function forbidden(text: string): Refusal {
  return new Refusal(403, `Forbidden: ${text}`);
}

/** Returns a 401: no such bot here. */
export function unauthorized(detail?: string): Refusal {
  return new Refusal(401, detail === undefined ? "Unauthorized" : `Unauthorized: ${detail}`);
}

/** Returns a 404 for a method this server doesn't know. */
export function methodNotFound(): Refusal {
  return new Refusal(404, "Not Found: method not found");
}

/** Returns a 404 for any other path. */
export function notFound(): Refusal {
  return new Refusal(404, "Not Found");
}

/** Returns a 409 for the poll that was ended by a newer one. */
export function pollConflict(): Refusal {
  return new Refusal(
    409,
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
  );
}

/** Returns a 413: more bytes than the Bot API takes. */
export function tooLarge(): Refusal {
  return new Refusal(413, "Request Entity Too Large");
}

/** Returns a 429 that says in how many whole seconds the call may be made again. */
export function tooManyRequests(retryAfterSeconds: number): Refusal {
  return new Refusal(429, `Too Many Requests: retry after ${retryAfterSeconds}`, { retry_after: retryAfterSeconds });
}

/** Returns a 500 as the server gives while it goes down. */
export function restarting(): Refusal {
  return new Refusal(500, "Internal Server Error: restart");
}
