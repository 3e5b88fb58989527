// Puts new values into the text of a configuration file and leaves every other byte alone: comments, order, blank
// lines, quotes. What came out is read again; text that cannot be cut so is written anew by the YAML library.
import { isMap, isScalar, parseDocument } from "yaml";
import { readDocument } from "./document.ts";
import { type Field, fieldAt } from "./fields.ts";
import { valuesOfText } from "./load.ts";
import type { ConfigValue } from "./settings.ts";
import { valueYaml } from "./yaml-text.ts";

/** Is a new value for a key. */
export type NewValue = { readonly field: Field; readonly value: ConfigValue };

/** Returns the text with the new values, or null where no text was found that reads back as just that change. */
export function rewriteText(text: string, changes: readonly NewValue[]): string | null {
  const before = valuesOfText(text);
  if (before === null) return null;
  const wanted = new Map(before);
  for (const { field, value } of changes) wanted.set(field.path, value);
  const cut = changes.reduce(cutIn, text);
  if (saysSame(cut, wanted)) return cut;
  const anew = writeAnew(text, changes);
  return saysSame(anew, wanted) ? anew : null;
}

function cutIn(text: string, { field, value }: NewValue): string {
  const located = readDocument("", text).values.get(field.path);
  if (located === undefined) return insert(text, field, valueYaml(field, value));
  const put = valueYaml(field, value);
  const end = located.start + text.slice(located.start, located.end).trimEnd().length;
  const keyEnd = text.lastIndexOf(":", located.start);
  const between = text.slice(keyEnd + 1, located.start);
  if (between.includes("\n")) {
    // A list below its key: the new value moves up beside the key, a comment there stays behind it.
    const comment = /^[ \t]*(#[^\r\n]*)/.exec(between)?.[1];
    const behind = comment === undefined ? "" : ` ${comment}`;
    return `${text.slice(0, keyEnd + 1)} ${put}${behind}${text.slice(end)}`;
  }
  return `${text.slice(0, located.start)}${put}${keepColumn(text.slice(end), put.length - (end - located.start))}`;
}

/** Keeps a comment behind the value in its column where there is room. */
function keepColumn(rest: string, grown: number): string {
  const match = /^( +)(#)/.exec(rest);
  if (match?.[1] === undefined) return rest;
  return " ".repeat(Math.max(1, match[1].length - grown)) + rest.slice(match[1].length);
}

function insert(text: string, field: Field, put: string): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const root = parseDocument(text).contents;
  const pair = isMap(root)
    ? root.items.find((item) => isScalar(item.key) && item.key.value === field.section)
    : undefined;
  if (pair === undefined || !isScalar(pair.key) || pair.key.range === null || pair.key.range === undefined) {
    const gap = text === "" || text.endsWith("\n") ? "" : eol;
    return `${text}${gap}${text.trim() === "" ? "" : eol}${field.section}:${eol}  ${field.key}: ${put}${eol}`;
  }
  const section = pair.value;
  const range = isMap(section) ? section.range : null;
  if (isMap(section) && section.flow === true && range !== null && range !== undefined) {
    const comma = section.items.length === 0 ? "" : ", ";
    return `${text.slice(0, range[0] + 1)}${field.key}: ${put}${comma}${text.slice(range[0] + 1)}`;
  }
  const lineEnd = text.indexOf("\n", pair.key.range[0]);
  const indent = range === null || range === undefined ? "  " : indentAt(text, range[0]);
  const line = `${indent}${field.key}: ${put}${eol}`;
  return lineEnd < 0 ? `${text}${eol}${line}` : `${text.slice(0, lineEnd + 1)}${line}${text.slice(lineEnd + 1)}`;
}

function indentAt(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
}

function writeAnew(text: string, changes: readonly NewValue[]): string {
  const document = parseDocument(text);
  for (const { field, value } of changes)
    document.setIn([field.section, field.key], parseDocument(valueYaml(field, value)).contents);
  return document.toString({ lineWidth: 0 });
}

function saysSame(text: string, wanted: ReadonlyMap<string, ConfigValue>): boolean {
  const values = valuesOfText(text);
  if (values === null || values.size !== wanted.size) return false;
  return [...wanted].every(
    ([path, value]) => fieldAt(path) !== null && JSON.stringify(values.get(path)) === JSON.stringify(value),
  );
}
