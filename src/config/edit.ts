// A change from the chat: typed text → value → preview with the file's new text. Nothing here applies it; the desk does.
import { err, ok, type Result } from "../result.ts";
import { printCents, printCount, stopTicksFromCents, targetTicksFromCents } from "../units.ts";
import { effectSentences } from "./effects.ts";
import { FIELDS, type Field, fieldAt, settingsOf, valueIn } from "./fields.ts";
import { instrumentOf } from "./instruments.ts";
import { printKind } from "./kinds.ts";
import { readTypedValue, valuesOfText } from "./load.ts";
import type { ConfigProblem } from "./problem.ts";
import { type NewValue, rewriteText } from "./rewrite.ts";
import { brokenRules } from "./rules.ts";
import type { ConfigValue, DayWindow, Settings, User } from "./settings.ts";
import { covers } from "./windows.ts";

export { findField, readAssignment } from "./lookup.ts";
export { writeConfigFile } from "./write.ts";

/** Is one key's change for a person; `takesEffect` is of this change: what lowers risk never waits for a trade date. */
export type ChangeLine = {
  readonly path: string;
  readonly shortName: string | null;
  readonly old: string;
  readonly new: string;
  readonly raisesRisk: boolean;
  readonly takesEffect: Field["takesEffect"];
};

/** Is the state that a change is made against. */
export type CurrentConfig = { readonly text: string; readonly settings: Settings; readonly revision: number };

/** Is a change that would hold; `effects` are sentences for a person. */
export type Preview = {
  readonly next: Settings;
  readonly nextText: string;
  readonly nextRevision: number;
  readonly lines: readonly ChangeLine[];
  readonly effects: readonly string[];
  readonly raisesRisk: boolean;
};

/** One change touches at most so many keys. */
export const CHANGES_MAX = 50;

/** Returns the value of what was typed in the chat, or of what `printValue` prints (an undo types it back), or a sentence that says what is wrong and what is allowed. */
export function parseChange(field: Field, text: string): Result<ConfigValue, string> {
  if (field.where === "file") return err(`${field.path} is changed in the file, at a restart.`);
  const read = readTypedValue(field, isDistance(field) ? text.replace(DISTANCE_TICKS, "") : text);
  if (read.ok) return read;
  const { type, wrong } = read.error;
  if (type === "range") return err(`${wrong}.`);
  if (["integer", "decimal", "money", "duration"].includes(field.kind.type)) return err(`${wrong}; ${field.range}.`);
  // The clause has said already what is wanted; only the word for nothing is missing in it.
  return err(field.nothing === null ? `${wrong}.` : `${wrong}, or ${field.nothing}.`);
}

/** Returns the field's value for a person: "60 bars", "$200.00 (160 t)", "30m"; a secret is never shown. */
export function printValue(field: Field, settings: Settings): string {
  const value = valueIn(settings, field);
  if (field.isSecret && field.kind.type !== "shape") return value === null ? "not set" : "set";
  const printed = printKind(field.kind, field.nothing, value);
  if (field.path === "risk.stopUsd") return distance(printed, settings, stopTicksFromCents);
  if (field.path === "risk.targetUsd") return distance(printed, settings, targetTicksFromCents);
  return printed;
}

/**
 * Returns what the changes would do, or everything that forbids them. `nowMs` lets a contract month that is past be
 * refused. Relations that were broken before and are not made by the change don't forbid it.
 */
export function previewChange(
  current: CurrentConfig,
  changes: readonly { readonly path: string; readonly text: string }[],
  nowMs: number | null = null,
): Result<Preview, readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const news = new Map<string, NewValue>();
  const refuse = (key: string | null, value: string | null, message: string): void => {
    problems.push({ file: "chat", line: null, key, value, message });
  };
  if (changes.length === 0) refuse(null, null, "nothing to change");
  if (changes.length > CHANGES_MAX) refuse(null, null, `${changes.length} changes at once; ${CHANGES_MAX} is the most`);
  for (const { path, text } of changes.slice(0, CHANGES_MAX)) {
    const field = fieldAt(path);
    if (field === null) refuse(path.slice(0, 64), null, "is not a key of this program");
    else if (news.has(path)) refuse(path, text, "is changed twice at once");
    else {
      const read = parseChange(field, text);
      if (read.ok) news.set(path, { field, value: read.value });
      else refuse(path, null, read.error);
    }
  }
  if (problems.length > 0) return err(problems);
  const isChanged = [...news.values()].some(({ field, value }) => !isSame(value, valueIn(current.settings, field)));
  if (!isChanged) {
    const same = [...news.values()].map(({ field }) => `${nameOf(field)} is ${printValue(field, current.settings)}`);
    return err([{ file: "chat", line: null, key: null, value: null, message: `${same.join(", ")} already` }]);
  }
  return preview(current, [...news.values()], nowMs);
}

/** Returns one line for each key that differs, in the order of the file. */
export function describeChanges(before: Settings, after: Settings): readonly ChangeLine[] {
  return FIELDS.filter((field) => !isSame(valueIn(before, field), valueIn(after, field))).map((field) => {
    const raises = raisesRisk(field, valueIn(before, field), valueIn(after, field));
    return {
      path: field.path,
      shortName: field.shortName,
      old: printValue(field, before),
      new: printValue(field, after),
      raisesRisk: raises,
      takesEffect: effectOf(field, raises),
    };
  });
}

/** Returns the configuration with one more person on the allow-list (by pairing), or with that person's name and role changed. */
export function withUser(
  current: Pick<CurrentConfig, "text" | "settings">,
  user: User,
): Result<{ readonly next: Settings; readonly nextText: string }, readonly ConfigProblem[]> {
  const field = knownField("telegram.users");
  const { id, name, role } = user;
  const others = current.settings.telegram.users.filter((other) => other.id !== id);
  const read = readTypedValue(field, JSON.stringify([...others, { id, name, role }]));
  if (!read.ok) return err([{ file: "chat", line: null, key: field.path, value: null, message: read.error.wrong }]);
  const changes = [{ field, value: read.value }];
  const nextText = rewriteText(current.text, changes);
  return nextText === null
    ? err([unwritable(field.path)])
    : ok({ next: withValues(current.settings, changes), nextText });
}

function preview(
  current: CurrentConfig,
  news: readonly NewValue[],
  nowMs: number | null,
): Result<Preview, readonly ConfigProblem[]> {
  const next = withValues(current.settings, news);
  const wasBroken = new Set(brokenRules(current.settings, nowMs).map(({ path, message }) => `${path} ${message}`));
  const broken = brokenRules(next, nowMs)
    .filter(({ path, message }) => !wasBroken.has(`${path} ${message}`))
    .map(({ path, message }): ConfigProblem => {
      const value = printValue(knownField(path), next);
      return { file: "chat", line: null, key: path, value, message };
    });
  if (broken.length > 0) return err(broken);
  const nextText = rewriteText(current.text, news);
  if (nextText === null) return err([unwritable(null)]);
  const lines = describeChanges(current.settings, next);
  const paths = new Set(lines.map((line) => line.path));
  return ok({
    next,
    nextText,
    nextRevision: current.revision + 1,
    lines,
    effects: [...effectSentences(next, paths), ...lines.flatMap(waitSentences), ...overriddenSentences(current, news)],
    raisesRisk: lines.some((line) => line.raisesRisk),
  });
}

function waitSentences(line: ChangeLine): readonly string[] {
  if (line.takesEffect !== "nextTradeDate") return [];
  return [`${line.shortName ?? line.path} ${line.new} acts from the next trade date; until then ${line.old} stays.`];
}

/** A flag or variable stands over the file, so at the next start with it the change would be gone. */
function overriddenSentences(current: CurrentConfig, news: readonly NewValue[]): readonly string[] {
  const inFile = valuesOfText(current.text);
  if (inFile === null) return [];
  return news
    .filter(({ field }) => {
      const written = inFile.has(field.path) ? (inFile.get(field.path) ?? null) : field.default;
      return !isSame(written, valueIn(current.settings, field));
    })
    .map(
      ({ field }) => `${nameOf(field)} was set by a flag or variable at the start, which wins again at the next start.`,
    );
}

function raisesRisk(field: Field, before: ConfigValue, after: ConfigValue): boolean {
  switch (field.riskDirection) {
    case null:
      return false;
    case "wider":
      return !covers(before as readonly DayWindow[], after as readonly DayWindow[]);
    case "higher":
      return rank(after) > rank(before);
    case "lower":
      return rank(after) < rank(before);
    default:
      return field.riskDirection satisfies never;
  }
}

function rank(value: ConfigValue): number {
  return value === null ? Number.POSITIVE_INFINITY : Number(value);
}

/** What raises risk waits until flat at least, what lowers it never waits for a trade date (security note H8). */
function effectOf(field: Field, raises: boolean): Field["takesEffect"] {
  if (field.takesEffect === "nextTradeDate" && !raises) return "now";
  if (field.takesEffect === "now" && raises) return "nextPosition";
  return field.takesEffect;
}

function withValues(settings: Settings, changes: readonly NewValue[]): Settings {
  const values = new Map(FIELDS.map((field) => [field.path, valueIn(settings, field)]));
  for (const { field, value } of changes) values.set(field.path, value);
  return settingsOf(values);
}

/** Is what `distance` adds behind the amount: " (160 t)", " (160 t = $200.00)". */
const DISTANCE_TICKS = /\s*\([\d,]+ t(?: = \$[\d,.]+)?\)\s*$/;

function isDistance(field: Field): boolean {
  return field.path === "risk.stopUsd" || field.path === "risk.targetUsd";
}

function distance(
  printed: string,
  settings: Settings,
  toTicks: (cents: number, tickValueCents: number) => number,
): string {
  const { tickValueCents } = instrumentOf(settings);
  const cents = toTicks === stopTicksFromCents ? settings.risk.stopCents : settings.risk.targetCents;
  const ticks = toTicks(cents, tickValueCents);
  const exact = ticks * tickValueCents === cents ? "" : ` = ${printCents(ticks * tickValueCents)}`;
  return `${printed} (${printCount(ticks)} t${exact})`;
}

function unwritable(key: string | null): ConfigProblem {
  const message = "the file could not be rewritten with only this change in it: change it there and use /reload";
  return { file: "chat", line: null, key, value: null, message };
}

function nameOf(field: Field): string {
  return field.shortName ?? field.path;
}

function knownField(path: string): Field {
  const field = fieldAt(path);
  if (field === null) throw new RangeError(`${path} is not in the table`);
  return field;
}

function isSame(one: ConfigValue, other: ConfigValue): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
