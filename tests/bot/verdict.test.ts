// What the Bot API's own words mean for a message.
import { GrammyError, HttpError } from "grammy";
import { expect, test } from "vitest";
import { verdictOf } from "../../src/bot/verdict.ts";

const refusal = (code: number, description: string, parameters: object = {}): GrammyError =>
  new GrammyError("x", { ok: false, error_code: code, description, parameters }, "sendMessage", {});

const socketError = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  [new TypeError("fetch failed"), { type: "retry", mayBeDone: true }],
  [new Error("no answer within 20000 ms"), { type: "retry", mayBeDone: true }],
  [
    new HttpError("Network request failed", new TypeError("fetch failed", { cause: socketError("ECONNRESET") })),
    { type: "retry", mayBeDone: true },
  ],
  [
    new HttpError("Network request failed", new TypeError("fetch failed", { cause: socketError("ECONNREFUSED") })),
    { type: "retry", mayBeDone: false },
  ],
  [refusal(500, "Internal Server Error: restart"), { type: "retry", mayBeDone: false }],
  [refusal(502, "Bad Gateway"), { type: "retry", mayBeDone: false }],
  [refusal(401, "Unauthorized"), { type: "retry", mayBeDone: false }],
  [refusal(429, "Too Many Requests: retry after 5", { retry_after: 5 }), { type: "flood", waitMs: 5_000 }],
  [refusal(429, "Too Many Requests"), { type: "flood", waitMs: 1_000 }],
  [
    refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", { migrate_to_chat_id: -100_5 }),
    { type: "moved", chatId: -100_5 },
  ],
  [refusal(403, "Forbidden: bot was blocked by the user"), { type: "blocked" }],
  [refusal(403, "Forbidden: bot was kicked from the supergroup chat"), { type: "blocked" }],
  [refusal(400, "Bad Request: chat not found"), { type: "blocked" }],
  [
    refusal(
      400,
      "Bad Request: message is not modified: specified new message content and reply markup are exactly the same",
    ),
    { type: "same" },
  ],
  [refusal(400, "Bad Request: message to edit not found"), { type: "gone" }],
  [refusal(400, "Bad Request: message can't be edited"), { type: "gone" }],
  [refusal(400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0'), { type: "plain" }],
  [refusal(400, "Bad Request: message is too long"), { type: "plain" }],
  [refusal(400, "Bad Request: MEDIA_CAPTION_TOO_LONG"), { type: "plain" }],
  [refusal(400, "Bad Request: BUTTON_DATA_INVALID"), { type: "refused", code: 400 }],
] as const)("%s means %o", (thrown, verdict) => {
  expect(verdictOf(thrown)).toMatchObject(verdict);
});
