// Which key did a person mean: by path, key or short name, whatever the case and the spaces.
import { FIELDS, type Field } from "./fields.ts";
import { nearestNames, plainName } from "./names.ts";

/** Is the field that was meant, or the names nearest to what was typed (perhaps none). */
export type Lookup = { readonly field: Field } | { readonly suggestions: readonly string[] };

/**
 * Returns the field of a path ("strategy.window"), short name ("daily loss") or key ("dailyLossUsd"); case, spaces,
 * dashes and underscores don't matter. A key that two sections have, such as port, must be given with its section.
 */
export function findField(nameOrPath: string): Lookup {
  const name = plainName(nameOrPath.trim());
  const byPath = FIELDS.find((field) => plainName(field.path) === name);
  const byShortName = FIELDS.find((field) => field.shortName !== null && plainName(field.shortName) === name);
  const found = byPath ?? byShortName;
  if (found !== undefined) return { field: found };
  const byKey = FIELDS.filter((field) => plainName(field.key) === name || plainName(withoutUnit(field.key)) === name);
  const [only] = byKey;
  if (only !== undefined && byKey.length === 1) return { field: only };
  if (byKey.length > 1) return { suggestions: byKey.slice(0, 3).map((field) => field.path) };
  const shortNames = FIELDS.flatMap((field) => (field.shortName === null ? [] : [field.shortName]));
  const near = nearestNames(nameOrPath, shortNames);
  if (near.length > 0) return { suggestions: near };
  const keys = nearestNames(nameOrPath.split(".").at(-1) ?? "", [...new Set(FIELDS.map((field) => field.key))]);
  return {
    suggestions: FIELDS.filter((field) => keys.includes(field.key))
      .slice(0, 3)
      .map((field) => field.path),
  };
}

/** Returns key and value of "/set" arguments: "daily loss $450", "window = 90"; the longest name that fits wins. */
export function readAssignment(
  typed: string,
):
  | { readonly name: string; readonly field: Field; readonly text: string }
  | { readonly name: string; readonly suggestions: readonly string[] } {
  const text = typed.trim().slice(0, ASSIGNMENT_CHARACTERS_MAX);
  const at = text.indexOf("=");
  if (at > 0) {
    const name = text.slice(0, at).trim();
    const found = findField(name);
    return "field" in found ? { name, field: found.field, text: text.slice(at + 1).trim() } : { name, ...found };
  }
  const words = text.split(/\s+/);
  for (let count = Math.min(NAME_WORDS_MAX, words.length); count > 0; count -= 1) {
    const name = words.slice(0, count).join(" ");
    const found = findField(name);
    if ("field" in found) return { name, field: found.field, text: words.slice(count).join(" ") };
  }
  const name = words[0] ?? "";
  const found = findField(name);
  return { name, suggestions: "field" in found ? [] : found.suggestions };
}

const ASSIGNMENT_CHARACTERS_MAX = 500;
const NAME_WORDS_MAX = 3;

function withoutUnit(key: string): string {
  return key.replace(/(Usd|Ticks|Pct|MiB)$/, "");
}
