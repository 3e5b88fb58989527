// Settings with some values replaced: what a sweep makes its combinations of. Reads no text.
import { err, ok, type Result } from "../result.ts";
import { FIELDS, settingsOf, valueIn } from "./fields.ts";
import { type BrokenRule, brokenRules } from "./rules.ts";
import type { ConfigValue, Settings } from "./settings.ts";

/** Returns the settings with these values by their paths in place of their own, or every relation that they break. */
export function variantOf(
  settings: Settings,
  values: ReadonlyMap<string, ConfigValue>,
): Result<Settings, readonly BrokenRule[]> {
  const all = new Map(FIELDS.map((field) => [field.path, valueIn(settings, field)]));
  for (const [path, value] of values) all.set(path, value);
  const next = settingsOf(all);
  const broken = brokenRules(next, null);
  return broken.length > 0 ? err(broken) : ok(next);
}
