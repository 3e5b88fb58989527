// The text of a configuration file → one located value a key. Knows YAML and the names of the keys, not what they mean.
import { isAlias, isMap, isPair, isScalar, LineCounter, type Node, type ParsedNode, parseDocument, visit } from "yaml";
import { FIELDS, fieldAt } from "./fields.ts";
import type { YamlValue } from "./kinds.ts";
import { nearestNames } from "./names.ts";
import type { ConfigProblem } from "./problem.ts";

/** A longer file is refused unread; the example file has a tenth of it. */
export const FILE_CHARACTERS_MAX = 128 * 1_024;

/**
 * The parser recurses, and tens of thousands of levels end the whole process (seen with yaml 2.9.1: "[" or "? " sixty
 * thousand times). So deep brackets, and lines long enough for many "- " or "? ", are refused before it.
 */
export const BRACKETS_DEEP_MAX = 64;

/** A longer line is refused unread; see BRACKETS_DEEP_MAX. */
export const LINE_CHARACTERS_MAX = 4_000;

/** A file with more problems than these shows these. */
export const PROBLEMS_MAX = 50;

/** Is a value and where it stands; `start` and `end` are offsets of its text. */
export type LocatedValue = YamlValue & {
  readonly line: number;
  readonly written: string;
  readonly start: number;
  readonly end: number;
};

/** Is what a file says: a value for each key in it, and what cannot be read. */
export type FileValues = {
  readonly values: ReadonlyMap<string, LocatedValue>;
  readonly problems: readonly ConfigProblem[];
};

const FORBIDDEN_KEYS: readonly string[] = ["__proto__", "constructor", "prototype"];
const SECTIONS: ReadonlySet<string> = new Set(FIELDS.map((field) => field.section));

/** Returns the values of a YAML text by key; `file` is only for the problems. */
export function readDocument(file: string, text: string): FileValues {
  const refuse = (line: number | null, message: string): FileValues => ({
    values: new Map(),
    problems: [{ file, line, key: null, value: null, message }],
  });
  if (text.length > FILE_CHARACTERS_MAX)
    return refuse(null, `the file has ${text.length} characters; ${FILE_CHARACTERS_MAX} is the most`);
  const deepLine = tooDeepLine(text);
  if (deepLine !== null)
    return refuse(deepLine, `brackets are nested more than ${BRACKETS_DEEP_MAX} deep; is one left open?`);
  const longLine = text.split("\n").findIndex((line) => line.length > LINE_CHARACTERS_MAX);
  if (longLine >= 0) return refuse(longLine + 1, `the line is longer than ${LINE_CHARACTERS_MAX} characters`);
  try {
    return readLimited(file, text);
  } catch (fault) {
    // Below those limits the parser can still run out of stack, which it throws as a RangeError; all else is a bug.
    if (fault instanceof RangeError) return refuse(null, "is nested too deeply to be read");
    throw fault;
  }
}

function readLimited(file: string, text: string): FileValues {
  const problems: ConfigProblem[] = [];
  const values = new Map<string, LocatedValue>();
  const isFull = (): boolean => problems.length >= PROBLEMS_MAX;
  const add = (line: number | null, key: string | null, value: string | null, message: string): void => {
    if (!isFull()) problems.push({ file, line, key, value, message });
  };

  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: "1.2", strict: true, uniqueKeys: true });
  const lineOf = (node: Node | null | undefined): number | null =>
    node?.range === null || node?.range === undefined ? null : lines.linePos(node.range[0]).line;
  for (const fault of [...document.errors, ...document.warnings])
    add(lines.linePos(fault.pos[0]).line, faultKey(text, fault), null, yamlFault(fault.code, fault.message));
  if (problems.length > 0) return { values, problems };
  visit(document, (_at, node) => {
    if (isAlias(node)) add(lineOf(node), null, null, "anchors and aliases (& and *) are not used here: write it out");
    if (isPair(node) && FORBIDDEN_KEYS.includes(keyText(node.key)))
      add(lineOf(node.key as Node), null, null, `"${keyText(node.key)}" cannot be a key`);
  });
  if (problems.length > 0) return { values, problems };

  const root = document.contents;
  if (root === null || isBlank(root)) return { values, problems };
  if (!isMap(root)) {
    add(lineOf(root), null, null, "the file must consist of sections such as strategy:");
    return { values, problems };
  }
  for (const pair of root.items) {
    if (isFull()) break;
    const section = keyText(pair.key);
    const line = lineOf(pair.key);
    if (!SECTIONS.has(section)) add(line, section, null, unknownText(section, [...SECTIONS]));
    else if (isMap(pair.value)) readSection(section, pair.value);
    // A section whose keys are all commented out is an empty one.
    else if (!isBlank(pair.value)) add(line, section, null, "is a section: its keys stand below it, indented");
  }
  return { values, problems };

  function readSection(section: string, map: { readonly items: readonly { key: unknown; value: unknown }[] }): void {
    for (const pair of map.items) {
      if (isFull()) break;
      const path = `${section}.${keyText(pair.key)}`;
      const line = lineOf(pair.key as Node) ?? 1;
      const node = pair.value as ParsedNode | null;
      const range = node?.range ?? null;
      if (fieldAt(path) === null) {
        const near = FIELDS.filter((field) => field.section === section).map((field) => field.key);
        add(line, path, null, unknownText(keyText(pair.key), near));
      } else if (node === null || range === null || isBlank(node)) {
        add(line, path, "", "has no value: write one, or take the line out for the default");
      } else {
        const [start, end] = range;
        values.set(path, {
          value: node.toJS(document),
          source: isScalar(node) ? (node.source ?? "") : null,
          isPlain: isScalar(node) && node.type === "PLAIN",
          line,
          written: text.slice(start, end).trim(),
          start,
          end,
        });
      }
    }
  }
}

/** Returns the section and key of a key that stands twice; other faults have none. */
function faultKey(text: string, fault: { readonly code: string; readonly pos: [number, number] }): string | null {
  if (fault.code !== "DUPLICATE_KEY") return null;
  const key = /^["']?(\w+)/.exec(text.slice(fault.pos[0]))?.[1] ?? null;
  const isTop = fault.pos[0] === 0 || text[fault.pos[0] - 1] === "\n";
  const section = [...text.slice(0, fault.pos[0]).matchAll(/^(\w+):/gm)].at(-1)?.[1];
  return key === null || isTop || section === undefined ? key : `${section}.${key}`;
}

function yamlFault(code: string, message: string): string {
  if (code === "DUPLICATE_KEY") return "this key stands here for the second time: take one of the two out";
  if (code === "MULTIPLE_DOCS") return "the file has a second document after ---: take it out";
  const [first = message] = message.split("\n");
  return `is not YAML: ${first.replace(/ at line \d+, column \d+:?$/, "")}`;
}

function unknownText(key: string, known: readonly string[]): string {
  const near = nearestNames(key, known);
  return near.length === 0
    ? "is not a key of this program"
    : `is not a key of this program; did you mean ${near.join(" or ")}?`;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : "(not a name)";
}

function isBlank(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? "") === "");
}

function tooDeepLine(text: string): number | null {
  let deep = 0;
  let line = 1;
  for (const character of text) {
    if (character === "\n") line += 1;
    else if (character === "[" || character === "{") deep += 1;
    else if (character === "]" || character === "}") deep = Math.max(0, deep - 1);
    if (deep > BRACKETS_DEEP_MAX) return line;
  }
  return null;
}
