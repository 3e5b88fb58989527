// What `--sweep` says: which setting takes which values. Pure.
import type { Field } from "../config/fields.ts";
import { allowedText } from "../config/kinds.ts";
import { readTypedValue } from "../config/load.ts";
import { findField } from "../config/lookup.ts";
import type { ConfigValue } from "../config/settings.ts";
import { err, ok, type Result } from "../result.ts";
import { decimalText } from "../units.ts";

/** Is one setting that a sweep turns, with the values that it takes: as written, and as the settings have them. */
export type Dimension = {
  readonly path: string;
  readonly values: readonly { readonly text: string; readonly value: ConfigValue }[];
};

/** More are no grid any more. */
export const DIMENSIONS_MAX = 12;
/** More values of one setting than this are a slip of the step. */
export const VALUES_MAX = 10_000;

/** Settings that change nothing in a backtest can't be swept: these sections can. */
const SECTIONS = ["contract", "strategy", "risk", "session", "costs", "backtest"];
/** The daily halt of a backtest lifts itself, and a sweep fills by the bars' rules, which know no quotes and no latency. */
const FIXED = ["risk.dailyLossReset", "strategy.price", "backtest.fillOn", "backtest.orderLatency"];

/** Returns the dimensions of `strategy.window=20,60,200` and `strategy.entryZ=1.5:3:0.25` (from, to, step), or what is wrong. */
export function readDimensions(written: readonly string[]): Result<readonly Dimension[], string> {
  if (written.length > DIMENSIONS_MAX)
    return err(`${written.length} settings are swept; ${DIMENSIONS_MAX} is the most.`);
  const dimensions: Dimension[] = [];
  for (const text of written) {
    const read = readDimension(text);
    if (!read.ok) return err(`--sweep ${text}: ${read.error}`);
    const { path } = read.value;
    if (dimensions.some((each) => each.path === path)) return err(`--sweep ${text}: ${path} is swept twice.`);
    dimensions.push(read.value);
  }
  return ok(dimensions);
}

function readDimension(written: string): Result<Dimension, string> {
  const at = written.indexOf("=");
  if (at <= 0)
    return err(
      "write KEY=VALUE,VALUE,… or KEY=FROM:TO:STEP, such as strategy.window=20,60 or strategy.entryZ=1.5:3:0.25.",
    );
  const found = findField(written.slice(0, at));
  if (!("field" in found)) {
    const near = found.suggestions.length === 0 ? "" : ` Did you mean ${found.suggestions.join(" or ")}?`;
    return err(`${written.slice(0, at).trim()} is not a key of this program.${near}`);
  }
  const { field } = found;
  if (!SECTIONS.includes(field.section) || FIXED.includes(field.path))
    return err(`${field.path} changes nothing in a backtest. Sweep a key of ${SECTIONS.join(", ")}.`);
  const texts = valueTexts(written.slice(at + 1));
  if (!texts.ok) return texts;
  return valuesOf(field, texts.value);
}

function valuesOf(field: Field, texts: readonly string[]): Result<Dimension, string> {
  const values: { text: string; value: ConfigValue }[] = [];
  const seen = new Set<string>();
  for (const text of texts) {
    const read = readTypedValue(field, text);
    if (!read.ok) return err(`"${text}" is no ${field.path}: it must be ${allowedText(field.kind, field.nothing)}.`);
    const key = JSON.stringify(read.value);
    if (seen.has(key)) return err(`"${text}" is there twice.`);
    seen.add(key);
    values.push({ text, value: read.value });
  }
  return ok({ path: field.path, values });
}

/** FROM:TO:STEP with one unit or none, "1.5:3:0.25" or "30m:120m:30m"; anything else is a list. A time of day has one colon. */
const RANGE = /^\s*(-?\d+(?:\.\d+)?)([a-z]*):(-?\d+(?:\.\d+)?)([a-z]*):(\d+(?:\.\d+)?)([a-z]*)\s*$/;

function valueTexts(written: string): Result<readonly string[], string> {
  const range = RANGE.exec(written);
  if (range === null) {
    const texts = listed(written).map((text) => text.trim());
    return texts.some((text) => text === "") ? err("a value is empty.") : within(texts.length, () => texts);
  }
  const [, from = "", unit = "", to = "", unitTo = "", step = "", unitStep = ""] = range;
  if (unit !== unitTo || unit !== unitStep)
    return err(`FROM, TO and STEP need the same unit; here they are "${unit}", "${unitTo}" and "${unitStep}".`);
  const decimals = Math.max(...[from, to, step].map((text) => text.split(".")[1]?.length ?? 0));
  // In whole units of the last decimal, so that 1.5:3:0.1 ends at 3 and not at 2.9999999999999996.
  const [first, last, each] = [from, to, step].map((text) => Math.round(Number(text) * 10 ** decimals)) as [
    number,
    number,
    number,
  ];
  if (each === 0) return err("the step is 0.");
  if (last < first) return err(`it goes down from ${from} to ${to}: write the smaller one first.`);
  const count = Math.floor((last - first) / each) + 1;
  return within(count, () =>
    Array.from({ length: count }, (_, at) => {
      const text = decimalText(first + at * each, decimals);
      return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text}${unit}`;
    }),
  );
}

function within(count: number, texts: () => readonly string[]): Result<readonly string[], string> {
  return count > VALUES_MAX ? err(`it takes ${count} values; ${VALUES_MAX} is the most.`) : ok(texts());
}

/** Cuts at commas outside of brackets and quotes. */
function listed(text: string): string[] {
  const parts: string[] = [];
  let [part, depth, isQuoted] = ["", 0, false];
  for (const sign of text) {
    if (sign === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (sign === "[" || sign === "{")) depth++;
    else if (!isQuoted && (sign === "]" || sign === "}")) depth--;
    if (sign === "," && depth === 0 && !isQuoted) {
      parts.push(part);
      part = "";
    } else part += sign;
  }
  return [...parts, part];
}
