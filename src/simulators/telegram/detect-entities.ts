// What Telegram finds in a text by itself: commands, mentions, hashtags, cashtags, links, e-mail addresses, phone numbers.
// Clients match commands by these entities, so "/x" must get one. After tdlib/td MessageEntity.cpp (find_entities).
import type { Entity } from "./api.ts";

const WORD = "\\p{L}\\p{N}_";

/** Ends of bare domains taken for links; a short list instead of the registry of all. */
const DOMAIN_ENDS = "com|org|net|io|me|dev|app|info|biz|edu|gov|co|uk|de|fr|eu|us|ru|ai|chat";

const PATTERNS: readonly (readonly [type: string, pattern: RegExp])[] = [
  ["url", /(?<![\p{L}\p{N}_@])https?:\/\/[^\s<>"'`«»]+/giu],
  ["email", /(?<![\p{L}\p{N}_.+-])[a-z0-9_.+-]{1,64}@(?:[a-z0-9-]+\.)+[a-z]{2,24}(?![\p{L}\p{N}_@])/giu],
  [
    "url",
    new RegExp(`(?<![${WORD}@./-])(?:[a-z0-9-]+\\.)+(?:${DOMAIN_ENDS})(?![${WORD}@-])(?:/[^\\s<>"'\`«»]*)?`, "giu"),
  ],
  ["bot_command", /(?<![\p{L}\p{N}_/<>])\/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\p{L}\p{N}_/<>])/gu],
  ["mention", new RegExp(`(?<![${WORD}])@[a-zA-Z0-9_]{4,32}(?![${WORD}])`, "gu")],
  ["hashtag", new RegExp(`(?<![${WORD}#&])#(?=[\\p{N}_]*\\p{L})[${WORD}]{1,256}(?![#])`, "gu")],
  ["cashtag", new RegExp(`(?<![${WORD}$])\\$[A-Z]{3,8}(?![${WORD}$])`, "gu")],
  ["phone_number", /(?<![\p{L}\p{N}_+])\+\d[\d\s().-]{6,16}\d(?![\p{L}\p{N}_])/gu],
];

/** Returns the entities found outside `taken`, the earlier kinds winning where two would overlap. */
export function detectEntities(text: string, taken: readonly Entity[]): Entity[] {
  const found: Entity[] = [];
  const isFree = (offset: number, end: number): boolean =>
    [...taken, ...found].every((entity) => end <= entity.offset || offset >= entity.offset + entity.length);
  for (const [type, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      // A sentence's punctuation after a link isn't part of it.
      const part = type === "url" ? match[0].replace(/[.,:;!?)\]}]+$/, "") : match[0];
      if (part.length > 0 && isFree(match.index, match.index + part.length)) {
        found.push({ type, offset: match.index, length: part.length });
      }
    }
  }
  return found;
}
