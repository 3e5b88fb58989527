// parse_mode Markdown (the old one) and MarkdownV2: marks → entities, with the real server's wording of what is wrong.
// Rules read in tdlib/td td/telegram/MessageEntity.cpp (parse_markdown, parse_markdown_v2).
import { err, ok, type Result } from "../../result.ts";
import type { Entity, FormattedText } from "./api.ts";
import { linkEntity } from "./links.ts";

/** Returns text and entities of the old Markdown, which cannot nest. */
export function parseMarkdown(source: string): Result<FormattedText, string> {
  const entities: Entity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const mark = source[at] ?? "";
    if (mark === "\\" && /^[_*`[]/.test(source[at + 1] ?? "")) {
      text += source[at + 1];
      at += 2;
      continue;
    }
    if (!"_*`[".includes(mark)) {
      text += mark;
      at += 1;
      continue;
    }
    const beginAt = at;
    const isPre = source.startsWith("```", at);
    const closing = isPre ? "```" : mark === "[" ? "]" : mark;
    let language = "";
    at += 1;
    if (isPre) {
      const head = readPreHead(source, at + 2);
      language = head.language;
      at = head.at;
    }
    const end = source.indexOf(closing, at);
    if (end < 0) {
      return err(`Can't find end of the entity starting at byte offset ${Buffer.byteLength(source.slice(0, beginAt))}`);
    }
    const range = { offset: text.length, length: end - at };
    const inner = source.slice(at, end);
    text += inner;
    at = end + closing.length;
    if (mark === "[") {
      const link = readLink(source, at, inner);
      at = link.at;
      const entity = linkEntity(link.url, range);
      if (entity !== undefined && range.length > 0) entities.push(entity);
    } else if (range.length > 0) {
      if (mark === "_") entities.push({ type: "italic", ...range });
      else if (mark === "*") entities.push({ type: "bold", ...range });
      else if (isPre) entities.push({ type: "pre", ...range, ...(language === "" ? {} : { language }) });
      else entities.push({ type: "code", ...range });
    }
  }
  return ok({ text, entities });
}

function readLink(source: string, at: number, label: string): { url: string; at: number } {
  if (source[at] !== "(") return { url: label, at };
  const end = source.indexOf(")", at);
  return end < 0 ? { url: source.slice(at + 1), at: source.length } : { url: source.slice(at + 1, end), at: end + 1 };
}

/** Is tdlib's name of a kind of entity; its errors print it. */
type Kind =
  | "Bold"
  | "Italic"
  | "Underline"
  | "Strikethrough"
  | "Spoiler"
  | "Code"
  | "Pre"
  | "PreCode"
  | "TextUrl"
  | "CustomEmoji"
  | "BlockQuote";

/** Is a begun entity: where it began in the source, and its offset in the text. */
type OpenMark = { kind: Kind; language: string; offset: number; beginAt: number };

const ENTITY_TYPES: Readonly<Record<Exclude<Kind, "TextUrl" | "CustomEmoji">, string>> = {
  Bold: "bold",
  Italic: "italic",
  Underline: "underline",
  Strikethrough: "strikethrough",
  Spoiler: "spoiler",
  Code: "code",
  Pre: "pre",
  PreCode: "pre",
  BlockQuote: "blockquote",
};

const CLOSING: Readonly<Record<Exclude<Kind, "BlockQuote">, string>> = {
  Bold: "*",
  Italic: "_",
  Underline: "__",
  Strikethrough: "~",
  Spoiler: "||",
  Code: "`",
  Pre: "```",
  PreCode: "```",
  TextUrl: "]",
  CustomEmoji: "]",
};

const RESERVED = "_*[]()~`>#+-=|{}.!\n";

/** Returns text and entities of MarkdownV2, where marks nest and every reserved character must be escaped. */
export function parseMarkdownV2(source: string): Result<FormattedText, string> {
  const byteOffset = (at: number): number => Buffer.byteLength(source.slice(0, at));
  const open: OpenMark[] = [];
  const entities: Entity[] = [];
  let text = "";
  let isQuoting = false;
  let at = 0;

  const noEnd = (mark: OpenMark): Result<FormattedText, string> =>
    err(`Can't find end of ${mark.kind} entity at byte offset ${byteOffset(mark.beginAt)}`);

  while (at < source.length) {
    const character = source[at] ?? "";
    const code = source.charCodeAt(at + 1);
    if (character === "\\" && code > 0 && code <= 126) {
      text += source[at + 1];
      at += 2;
      continue;
    }
    const inner = open.at(-1);
    const isCode = inner?.kind === "Code" || inner?.kind === "Pre" || inner?.kind === "PreCode";
    if (!(isCode ? "`" : RESERVED).includes(character)) {
      text += character;
      at += 1;
      continue;
    }
    const endsQuote = isQuoting && character === "\n" && source[at + 1] !== ">";
    if (inner !== undefined && (endsQuote || closesAt(source, at, inner.kind))) {
      if (character === "\n" && inner.kind !== "BlockQuote") return noEnd(inner);
      const closed = closeMark(source, at, inner, text, byteOffset);
      if (!closed.ok) return closed;
      if (inner.kind === "BlockQuote") {
        isQuoting = false;
        // The quote's last line end belongs to it, as tdlib counts it.
        text += "\n";
      }
      const length = text.length - inner.offset;
      if (length > 0 && closed.value.entity !== undefined) entities.push({ ...closed.value.entity, length });
      at = closed.value.at;
      open.pop();
      continue;
    }
    const begun = beginMark(source, at);
    if (begun === undefined) {
      return err(`Character '${character}' is reserved and must be escaped with the preceding '\\'`);
    }
    if (character === "\n") text += "\n";
    if (begun.kind === "BlockQuote") {
      if (!isQuoting) open.push({ kind: "BlockQuote", language: "", offset: text.length, beginAt: at });
      isQuoting = true;
    } else if (begun.kind !== undefined) {
      open.push({ kind: begun.kind, language: begun.language, offset: text.length, beginAt: at });
    }
    at = begun.at;
  }
  const last = open.at(-1);
  if (last?.kind === "BlockQuote") {
    if (text.length > last.offset) {
      entities.push({ type: "blockquote", offset: last.offset, length: text.length - last.offset });
    }
    open.pop();
  }
  const left = open.at(-1);
  return left === undefined ? ok({ text, entities }) : noEnd(left);
}

function closesAt(source: string, at: number, kind: Kind): boolean {
  if (kind === "BlockQuote") return false;
  if (kind === "Italic") return source[at] === "_" && source[at + 1] !== "_";
  return source.startsWith(CLOSING[kind], at);
}

/** Returns what begins here and where to go on; kind undefined for a plain line end; undefined for a stray reserved character. */
function beginMark(source: string, at: number): { kind: Kind | undefined; language: string; at: number } | undefined {
  const mark = (kind: Kind | undefined, length: number) => ({ kind, language: "", at: at + length });
  switch (source[at]) {
    case "_":
      return source[at + 1] === "_" ? mark("Underline", 2) : mark("Italic", 1);
    case "*":
      return mark("Bold", 1);
    case "~":
      return mark("Strikethrough", 1);
    case "|":
      return source[at + 1] === "|" ? mark("Spoiler", 2) : undefined;
    case "[":
      return mark("TextUrl", 1);
    case "!":
      return source[at + 1] === "[" ? mark("CustomEmoji", 2) : undefined;
    case "`": {
      if (!source.startsWith("```", at)) return mark("Code", 1);
      const head = readPreHead(source, at + 3);
      return { kind: head.language === "" ? "Pre" : "PreCode", language: head.language, at: head.at };
    }
    case "\n":
      return source[at + 1] === ">" ? mark("BlockQuote", 2) : mark(undefined, 1);
    case ">":
      return at === 0 ? mark("BlockQuote", 1) : undefined;
    default:
      return undefined;
  }
}

function closeMark(
  source: string,
  at: number,
  open: OpenMark,
  text: string,
  byteOffset: (at: number) => number,
): Result<{ at: number; entity: Entity | undefined }, string> {
  const range = { offset: open.offset, length: text.length - open.offset };
  switch (open.kind) {
    case "BlockQuote":
      return ok({ at: at + 1, entity: { type: "blockquote", ...range } });
    case "TextUrl":
    case "CustomEmoji": {
      const isEmoji = open.kind === "CustomEmoji";
      if (source[at + 1] !== "(") {
        if (isEmoji) return err("Custom emoji entity must contain a tg://emoji URL");
        return ok({ at: at + 1, entity: linkEntity(text.slice(open.offset), range) });
      }
      const url = readEscapedUrl(source, at + 2);
      if (url === undefined) {
        return err(`Can't find end of a ${isEmoji ? "custom emoji " : ""}URL at byte offset ${byteOffset(at + 2)}`);
      }
      if (!isEmoji) return ok({ at: url.at, entity: linkEntity(url.url, range) });
      const emoji = /^tg:(?:\/\/)?emoji\?id=(\d+)$/i.exec(url.url);
      if (emoji?.[1] === undefined) return err("Custom emoji entity must contain a tg://emoji URL");
      return ok({ at: url.at, entity: { type: "custom_emoji", ...range, custom_emoji_id: emoji[1] } });
    }
    default:
      return ok({
        at: at + CLOSING[open.kind].length,
        entity: {
          type: ENTITY_TYPES[open.kind],
          ...range,
          ...(open.language === "" ? {} : { language: open.language }),
        },
      });
  }
}

function readEscapedUrl(source: string, from: number): { url: string; at: number } | undefined {
  let url = "";
  for (let at = from; at < source.length; at += 1) {
    const character = source[at] ?? "";
    if (character === ")") return { url, at: at + 1 };
    if (character === "\\" && at + 1 < source.length) {
      at += 1;
      url += source[at] ?? "";
    } else url += character;
  }
  return undefined;
}

/** Reads what follows the three backticks: a language when a line end or space stands after it, and one line end. */
function readPreHead(source: string, from: number): { language: string; at: number } {
  let at = from;
  while (at < source.length && !/[\s`]/.test(source[at] ?? "")) at += 1;
  const hasLanguage = at !== from && at < source.length && source[at] !== "`";
  const language = hasLanguage ? source.slice(from, at) : "";
  if (!hasLanguage) at = from;
  const lineEnd = /^(?:\r\n|\n\r|\n|\r)/.exec(source.slice(at, at + 2));
  return { language, at: at + (lineEnd?.[0].length ?? 0) };
}
