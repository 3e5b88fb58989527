// Flag > environment > file > default: the settings that hold, or everything that is wrong with them at once.
import { createHash } from "node:crypto";
import { err, ok, type Result } from "../result.ts";
import { type LocatedValue, PROBLEMS_MAX, readDocument } from "./document.ts";
import { ENVIRONMENT_KEYS, type Environment, variable } from "./environment.ts";
import { FIELDS, type Field, fieldAt, settingsOf, valueIn } from "./fields.ts";
import { allowedText, type KindProblem, readText, readYaml, toYaml } from "./kinds.ts";
import { findField } from "./lookup.ts";
import type { ConfigProblem } from "./problem.ts";
import { brokenRules } from "./rules.ts";
import type { ConfigValue, Settings } from "./settings.ts";

export { readDotEnv, readSecrets, type Secrets } from "./environment.ts";
export { type ConfigProblem, printProblem } from "./problem.ts";

/** Is what the settings are made of. `nowMs` lets a contract month that is past be refused; null or absent: it is not looked at. */
export type LoadInput = {
  readonly file: { readonly path: string; readonly text: string } | null;
  readonly environment: Environment;
  /** Of the command line: `--set key=value`, the last one of a key wins. */
  readonly overrides: readonly string[];
  readonly nowMs?: number | null;
};

/** Is a set of settings that holds together; `hash` is the same for the same settings, however they were written. */
export type Loaded = { readonly settings: Settings; readonly hash: string };

const OVERRIDES_MAX = 200;

type Source = { readonly file: string; readonly line: number | null; readonly written: string };

/** Returns the settings, or every problem found: unread text first, then single values, then relations between them. */
export function loadSettings(input: LoadInput): Result<Loaded, readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const values = new Map<string, ConfigValue>();
  const sources = new Map<string, Source>();
  const fileName = input.file?.path ?? "default";

  if (input.file !== null) {
    const document = readDocument(input.file.path, input.file.text);
    problems.push(...document.problems);
    for (const [path, located] of document.values) readFile(path, located);
  }
  for (const [name, path] of ENVIRONMENT_KEYS) {
    const typed = variable(input.environment, name);
    if (typed !== null) readTyped({ file: "environment", line: null, written: typed }, name, path, typed);
  }
  if (input.overrides.length > OVERRIDES_MAX) {
    const message = `${input.overrides.length} flags; ${OVERRIDES_MAX} is the most`;
    problems.push({ file: "--set", line: null, key: null, value: null, message });
  } else input.overrides.forEach(readOverride);

  if (problems.length > 0) return err(problems.slice(0, PROBLEMS_MAX));
  const settings = settingsOf(values);
  const broken = brokenRules(settings, input.nowMs ?? null).map(({ path, message }): ConfigProblem => {
    const source = sources.get(path) ?? { file: fileName, line: null, written: yamlText(settings, path) };
    return { file: source.file, line: source.line, key: path, value: source.written, message };
  });
  return broken.length > 0 ? err(broken.slice(0, PROBLEMS_MAX)) : ok({ settings, hash: hashOf(settings) });

  function readFile(path: string, located: LocatedValue): void {
    const field = knownField(path);
    const source = { file: fileName, line: located.line, written: located.written };
    const read = readYaml(field.kind, field.nothing, located);
    if (read.ok) {
      values.set(path, read.value);
      sources.set(path, source);
    } else problems.push(refused(source, path, field, read.error));
  }

  function readTyped(source: Source, name: string, path: string, typed: string): void {
    const field = knownField(path);
    const read = readTypedValue(field, typed);
    if (read.ok) {
      values.set(path, read.value);
      sources.set(path, source);
    } else problems.push(refused(source, name, field, read.error));
  }

  function readOverride(override: string): void {
    const at = override.indexOf("=");
    const name = (at < 0 ? override : override.slice(0, at)).trim();
    const source: Source = { file: "--set", line: null, written: at < 0 ? "" : override.slice(at + 1).trim() };
    const found = findField(name);
    if (!("field" in found)) {
      const near = found.suggestions.length === 0 ? "" : `; did you mean ${found.suggestions.join(" or ")}?`;
      const message = `is not a key of this program${near}`;
      problems.push({ file: "--set", line: null, key: name, value: null, message });
      return;
    }
    const { field } = found;
    if (at < 0) {
      const message = `has no value: write --set ${field.path}=…, ${field.range}`;
      problems.push({ file: "--set", line: null, key: field.path, value: null, message });
    } else readTyped(source, field.path, field.path, source.written);
  }
}

/** Returns what a file's text alone says, without defaults and relations; null where a value in it cannot be read. */
export function valuesOfText(text: string): ReadonlyMap<string, ConfigValue> | null {
  const document = readDocument("", text);
  if (document.problems.length > 0) return null;
  const values = new Map<string, ConfigValue>();
  for (const [path, located] of document.values) {
    const field = knownField(path);
    const read = readYaml(field.kind, field.nothing, located);
    if (!read.ok) return null;
    values.set(path, read.value);
  }
  return values;
}

/** Returns the fingerprint of the settings: SHA-256 in hex over every key and value in the order of the table. */
export function hashOf(settings: Settings): string {
  const lines = FIELDS.map((field) => `${field.path}=${JSON.stringify(canonical(valueIn(settings, field)))}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}

/**
 * Returns the value of a text outside YAML (a flag, a variable): as a person types it in the chat, and lists and maps
 * as YAML has them.
 */
export function readTypedValue(field: Field, typed: string): Result<ConfigValue, KindProblem> {
  const isYaml = field.kind.type === "shape" || field.kind.type === "weekWindows";
  if (!isYaml || typed === field.nothing) return readText(field.kind, field.nothing, typed);
  const document = readDocument("", `${field.section}:\n  ${field.key}: ${typed.replace(/\n/g, " ")}\n`);
  const located = document.values.get(field.path);
  if (located === undefined || document.problems.length > 0)
    return err({ type: "form", wrong: document.problems[0]?.message ?? `"${typed}" is empty` });
  return readYaml(field.kind, field.nothing, located);
}

function refused(source: Source, key: string, field: Field, problem: KindProblem): ConfigProblem {
  const isPlain = problem.type === "range" || / is not /.test(problem.wrong);
  const detail = isPlain ? "" : ` (${problem.wrong})`;
  return {
    file: source.file,
    line: source.line,
    key,
    value: field.isSecret ? null : source.written,
    message: `must be ${allowedText(field.kind, field.nothing)}${field.isSecret ? "" : detail}`,
  };
}

function yamlText(settings: Settings, path: string): string {
  const field = knownField(path);
  const yaml = toYaml(field.kind, field.nothing, valueIn(settings, field));
  return typeof yaml === "object" ? JSON.stringify(yaml) : String(yaml);
}

function knownField(path: string): Field {
  const field = fieldAt(path);
  if (field === null) throw new RangeError(`${path} is not in the table`);
  return field;
}

/** Sorts the keys of maps, so that two ways of writing one map are one. */
function canonical(value: ConfigValue): ConfigValue {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}
