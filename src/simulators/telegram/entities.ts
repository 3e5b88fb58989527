// From what a client sent as text (with a parse mode or with entities) to what a message holds: cleaned, trimmed, with
// all entities sorted, in UTF-16 units, those that Telegram finds by itself included.
import { err, ok, type Result } from "../../result.ts";
import { compact, type Entity, type FormattedText } from "./api.ts";
import { detectEntities } from "./detect-entities.ts";
import { isRecord } from "./parameters.ts";
import { parseHtml } from "./parse-html.ts";
import { parseMarkdown, parseMarkdownV2 } from "./parse-markdown.ts";

/** More entities of a message are dropped without a word, as Telegram does. */
export const ENTITIES_MAX = 100;

/** Inside these Telegram looks for nothing more. */
const CLOSED_TYPES = ["code", "pre", "text_link", "text_mention", "custom_emoji", "date_time", "mention", "url"];

const ENTITY_TYPES = [
  "mention",
  "hashtag",
  "cashtag",
  "bot_command",
  "url",
  "email",
  "phone_number",
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "spoiler",
  "blockquote",
  "expandable_blockquote",
  "code",
  "pre",
  "text_link",
  "text_mention",
  "custom_emoji",
  "date_time",
];

/** Outer first where two entities have the same range. */
const TYPE_ORDER = ["blockquote", "expandable_blockquote", "pre", "code", "text_link", "bold", "italic", "underline"];

/** Is how a text can be refused; the words after "Bad Request: ". */
export type TextRefusal = { description: string };

/** Returns the text as a message holds it. `parseMode` in any case; "" and "none" use `explicit` entities instead. */
export function formatText(raw: string, parseMode: string, explicit: unknown): Result<FormattedText, TextRefusal> {
  const source = cleaned(raw);
  const parsed = parseBy(parseMode.toLowerCase(), source, explicit);
  if (!parsed.ok) return parsed;
  return ok(finished(parsed.value));
}

/** Returns what a person typed: trimmed, with the entities Telegram finds by itself. */
export function typedText(raw: string): FormattedText {
  return finished({ text: cleaned(raw), entities: [] });
}

function parseBy(mode: string, source: string, explicit: unknown): Result<FormattedText, TextRefusal> {
  switch (mode) {
    case "":
    case "none":
      return ok({ text: source, entities: readEntities(explicit) });
    case "html":
      return told(parseHtml(source));
    case "markdown":
      return told(parseMarkdown(source));
    case "markdownv2":
      return told(parseMarkdownV2(source));
    default:
      return err({ description: "unsupported parse_mode" });
  }
}

function told(parsed: Result<FormattedText, string>): Result<FormattedText, TextRefusal> {
  return parsed.ok ? parsed : err({ description: `can't parse entities: ${parsed.error}` });
}

function readEntities(explicit: unknown): Entity[] {
  if (!Array.isArray(explicit)) return [];
  const entities: Entity[] = [];
  for (const item of explicit) {
    if (!isRecord(item)) continue;
    const { type, offset, length, url, language, custom_emoji_id, unix_time, date_time_format, user } = item;
    if (typeof type !== "string" || !ENTITY_TYPES.includes(type)) continue;
    if (typeof offset !== "number" || typeof length !== "number") continue;
    entities.push(
      compact({
        type,
        offset,
        length,
        url: typeof url === "string" ? url : undefined,
        language: typeof language === "string" && language !== "" ? language : undefined,
        custom_emoji_id: typeof custom_emoji_id === "string" ? custom_emoji_id : undefined,
        unix_time: typeof unix_time === "number" ? unix_time : undefined,
        date_time_format: typeof date_time_format === "string" ? date_time_format : undefined,
        user:
          isRecord(user) && typeof user["id"] === "number"
            ? { id: user["id"], is_bot: false, first_name: String(user["first_name"] ?? `User ${user["id"]}`) }
            : undefined,
      }),
    );
  }
  return entities;
}

function cleaned(raw: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters become spaces in Telegram (clean_input_string).
  return raw.replace(/\r/g, "").replace(/[\u0000-\u0009\u000b-\u001f]/g, " ");
}

function finished({ text, entities }: FormattedText): FormattedText {
  let end = text.length;
  while (end > 0 && " \n".includes(text[end - 1] ?? "")) end -= 1;
  const firstEntityAt = Math.min(end, ...entities.map((entity) => entity.offset));
  const leading = /^[ \n]*/.exec(text.slice(0, Math.max(0, firstEntityAt)))?.[0].length ?? 0;
  const trimmed = text.slice(leading, end);
  const kept = entities
    .map((entity) => moved(entity, leading, trimmed.length))
    .filter((entity) => entity.length > 0 && trimmed.slice(entity.offset, entity.offset + entity.length).trim() !== "");
  const closed = kept.filter((entity) => CLOSED_TYPES.includes(entity.type) || entity.type === "bot_command");
  const all = [...kept, ...detectEntities(trimmed, closed)].sort(outerFirst);
  return { text: trimmed, entities: all.slice(0, ENTITIES_MAX) };
}

function moved(entity: Entity, leading: number, lengthMax: number): Entity {
  const offset = Math.max(0, entity.offset - leading);
  const end = Math.min(lengthMax, entity.offset + entity.length - leading);
  return { ...entity, offset, length: end - offset };
}

function outerFirst(a: Entity, b: Entity): number {
  return a.offset - b.offset || b.length - a.length || typeRank(a.type) - typeRank(b.type);
}

function typeRank(type: string): number {
  const rank = TYPE_ORDER.indexOf(type);
  return rank < 0 ? TYPE_ORDER.length : rank;
}
