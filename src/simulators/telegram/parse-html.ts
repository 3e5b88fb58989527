// parse_mode HTML: text with tags → text and entities, with the real server's wording of what is wrong.
// Rules read in tdlib/td td/telegram/MessageEntity.cpp (parse_html). Byte offsets in errors count UTF-8 bytes.
import { err, ok, type Result } from "../../result.ts";
import type { Entity, FormattedText } from "./api.ts";
import { linkEntity } from "./links.ts";

/** Is a begun tag with the one attribute that matters to it; `format` is a tg-time's second. */
type OpenTag = { tag: string; argument: string; format: string; offset: number };

/** Is what was read of a start tag up to its closing bracket at `end`. */
type TagStart = { end: number; argument: string; format: string };

const SIMPLE_TAGS: Readonly<Record<string, string>> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  "tg-spoiler": "spoiler",
  span: "spoiler",
};

const OTHER_TAGS = ["a", "code", "pre", "blockquote", "tg-emoji", "tg-time"];

const NAMED_CHARACTERS: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };

/** Returns the text without its tags and its entities, or what is wrong in the server's words. */
export function parseHtml(source: string): Result<FormattedText, string> {
  const byteOffset = (at: number): number => Buffer.byteLength(source.slice(0, at));
  const open: OpenTag[] = [];
  const entities: Entity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const character = source[at];
    if (character === "&") {
      const decoded = decodeCharacter(source, at);
      text += decoded.text;
      at = decoded.end;
    } else if (character !== "<") {
      text += character;
      at += 1;
    } else if (source[at + 1] !== "/") {
      const nameEnd = endOfName(source, at + 1);
      if (nameEnd >= source.length) return err(`Unclosed start tag at byte offset ${byteOffset(at)}`);
      const tag = source.slice(at + 1, nameEnd).toLowerCase();
      if (SIMPLE_TAGS[tag] === undefined && !OTHER_TAGS.includes(tag)) {
        return err(`Unsupported start tag "${tag}" at byte offset ${byteOffset(at)}`);
      }
      const start = readAttributes(source, nameEnd, tag, byteOffset(at), byteOffset);
      if (!start.ok) return start;
      if (tag === "span" && start.value.argument !== "spoiler") {
        return err(`Tag "span" must have class "tg-spoiler" at byte offset ${byteOffset(at)}`);
      }
      open.push({ tag, argument: start.value.argument, format: start.value.format, offset: text.length });
      at = start.value.end + 1;
    } else {
      const tag = open.pop();
      if (tag === undefined) return err(`Unexpected end tag at byte offset ${byteOffset(at)}`);
      const nameEnd = endOfName(source, at + 2);
      const name = source.slice(at + 2, nameEnd).toLowerCase();
      const end = skipSpaces(source, nameEnd);
      if (source[end] !== ">") return err(`Unclosed end tag at byte offset ${byteOffset(at)}`);
      if (name !== "" && name !== tag.tag) {
        return err(`Unmatched end tag at byte offset ${byteOffset(at)}, expected "</${tag.tag}>", found "</${name}>"`);
      }
      if (text.length > tag.offset) closeTag(entities, tag, text);
      at = end + 1;
    }
  }
  const left = open.at(-1);
  if (left !== undefined) return err(`Can't find end tag corresponding to start tag "${left.tag}"`);
  for (const entity of entities) if (entity.type === "code") delete entity.language;
  return ok({ text, entities });
}

function readAttributes(
  source: string,
  from: number,
  tag: string,
  tagByteOffset: number,
  byteOffset: (at: number) => number,
): Result<TagStart, string> {
  let argument = "";
  let format = "";
  let at = skipSpaces(source, from);
  while (source[at] !== ">") {
    if (at >= source.length) return err(`Unclosed start tag at byte offset ${tagByteOffset}`);
    const nameAt = at;
    while (at < source.length && !/[\s=>]/.test(source[at] ?? "")) at += 1;
    const name = source.slice(nameAt, at).toLowerCase();
    if (name === "") return err(`Empty attribute name in the tag "${tag}" at byte offset ${tagByteOffset}`);
    at = skipSpaces(source, at);
    let value = "";
    if (source[at] === "=") {
      at = skipSpaces(source, at + 1);
      const quote = source[at];
      if (quote === '"' || quote === "'") {
        at += 1;
        while (at < source.length && source[at] !== quote) {
          const decoded = decodeCharacter(source, at);
          value += decoded.text;
          at = decoded.end;
        }
        at += 1;
      } else {
        const tokenAt = at;
        while (/[a-z0-9.-]/i.test(source[at] ?? "")) at += 1;
        value = source.slice(tokenAt, at).toLowerCase();
        if (at < source.length && !/[\s>]/.test(source[at] ?? "")) {
          return err(`Unexpected end of name token at byte offset ${byteOffset(tokenAt)}`);
        }
      }
    }
    if (at >= source.length) return err(`Unclosed start tag at byte offset ${tagByteOffset}`);
    if (tag === "a" && name === "href") argument = value;
    if (tag === "code" && name === "class" && value.startsWith("language-")) argument = value.slice(9);
    if (tag === "span" && name === "class" && value.startsWith("tg-")) argument = value.slice(3);
    if (tag === "tg-emoji" && name === "emoji-id") argument = value;
    if (tag === "tg-time" && name === "unix") argument = value;
    if (tag === "tg-time" && name === "format") format = value;
    if (tag === "blockquote" && name === "expandable") argument = "expandable";
    at = skipSpaces(source, at);
  }
  return ok({ end: at, argument, format });
}

function closeTag(entities: Entity[], tag: OpenTag, text: string): void {
  const range = { offset: tag.offset, length: text.length - tag.offset };
  const simple = SIMPLE_TAGS[tag.tag];
  if (simple !== undefined) {
    entities.push({ type: simple, ...range });
    return;
  }
  const last = entities.at(-1);
  const isSameRange = last !== undefined && last.offset === range.offset && last.length === range.length;
  switch (tag.tag) {
    case "a": {
      const link = linkEntity(tag.argument === "" ? text.slice(tag.offset) : tag.argument, range);
      if (link !== undefined) entities.push(link);
      return;
    }
    case "pre":
      // <pre><code class="language-x"> is one block of that language.
      if (isSameRange && last.type === "code" && last.language !== undefined) last.type = "pre";
      else entities.push({ type: "pre", ...range });
      return;
    case "code":
      if (isSameRange && last.type === "pre" && tag.argument !== "") last.language = tag.argument;
      else entities.push({ type: "code", ...range, ...(tag.argument === "" ? {} : { language: tag.argument }) });
      return;
    case "blockquote":
      entities.push({ type: tag.argument === "" ? "blockquote" : "expandable_blockquote", ...range });
      return;
    case "tg-emoji":
      entities.push({ type: "custom_emoji", ...range, custom_emoji_id: tag.argument });
      return;
    case "tg-time":
      if (/^\d+$/.test(tag.argument)) {
        entities.push({
          type: "date_time",
          ...range,
          unix_time: Number(tag.argument),
          ...(tag.format === "" ? {} : { date_time_format: tag.format }),
        });
      }
      return;
    default:
      throw new Error(`tag ${tag.tag} was let in but has no meaning`);
  }
}

function decodeCharacter(source: string, at: number): { text: string; end: number } {
  const found = /^&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot));?/i.exec(source.slice(at, at + 12));
  const [whole, hexadecimal, decimal, name] = found ?? [];
  if (whole === undefined) return { text: source[at] ?? "", end: at + 1 };
  if (name !== undefined) {
    const character = NAMED_CHARACTERS[name];
    return character === undefined ? { text: "&", end: at + 1 } : { text: character, end: at + whole.length };
  }
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? { text: String.fromCodePoint(code), end: at + whole.length } : { text: "&", end: at + 1 };
}

function endOfName(source: string, from: number): number {
  let at = from;
  while (at < source.length && !/[\s>]/.test(source[at] ?? "")) at += 1;
  return at;
}

function skipSpaces(source: string, from: number): number {
  let at = from;
  while (at < source.length && /\s/.test(source[at] ?? "")) at += 1;
  return at;
}
