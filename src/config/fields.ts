// Every key once: where it stands, its kind, limits, default, help and what a change of it means. The loader, the
// editor in the chat, the example file and the tables of the documentation are all made from this.
import { type Kind, rangeText } from "./kinds.ts";
import type { ConfigValue, Settings } from "./settings.ts";
import { type Entry, TABLE } from "./table.ts";

/** Is one key of the configuration. */
export type Field = {
  /** Section and key as the file has them: "risk.stopUsd". */
  readonly path: string;
  /** The section of the file and of the settings. */
  readonly section: keyof Settings;
  /** The key in the file: "stopUsd". */
  readonly key: string;
  /** The name in the settings: "stopCents". */
  readonly setting: string;
  /** What a person types in the chat, "daily loss"; null where it is only changed in the file. */
  readonly shortName: string | null;
  readonly where: "chat" | "file";
  readonly kind: Kind;
  /** The word in the file that stands for null ("auto", "none", "null", "max", ""), or null where there is none. */
  readonly nothing: string | null;
  /** The range for a person: "5–10,000 bars". */
  readonly range: string;
  readonly help: string;
  /** Which direction raises risk (for a truth value true is higher); null where none does. Null as a value is the highest. */
  readonly riskDirection: "higher" | "lower" | "wider" | null;
  /** When a change acts; what lowers risk acts now where this says nextTradeDate. */
  readonly takesEffect: "now" | "nextPosition" | "nextTradeDate" | "restart";
  readonly default: ConfigValue;
  /** Whether the value may hold a secret and is never printed. */
  readonly isSecret: boolean;
};

/** Holds one entry a key, in the order of the file. */
export const FIELDS: readonly Field[] = (Object.keys(TABLE) as (keyof Settings)[]).flatMap((section) =>
  Object.entries<Entry<ConfigValue>>(TABLE[section]).map(([setting, entry]) => field(section, setting, entry)),
);

const byPath = new Map(FIELDS.map((entry) => [entry.path, entry]));

/** Returns the field of that exact path, or null. */
export function fieldAt(path: string): Field | null {
  return byPath.get(path) ?? null;
}

/** Returns the field's value in these settings. */
export function valueIn(settings: Settings, wanted: Field): ConfigValue {
  const section: Readonly<Record<string, ConfigValue>> = settings[wanted.section];
  const value = section[wanted.setting];
  if (value === undefined) throw new RangeError(`the settings have no ${wanted.path}`);
  return value;
}

/** Returns the settings made of one value a field, with the default where there is none; deeply frozen. */
export function settingsOf(values: ReadonlyMap<string, ConfigValue>): Settings {
  const sections: Record<string, Record<string, ConfigValue>> = {};
  for (const entry of FIELDS) {
    const section = sections[entry.section] ?? {};
    sections[entry.section] = section;
    section[entry.setting] = values.get(entry.path) ?? (values.has(entry.path) ? null : entry.default);
  }
  // The table gives every setting a default of its type, and the kinds' tests hold that a read value has it too.
  return freeze(sections) as unknown as Settings;
}

function field(section: keyof Settings, setting: string, entry: Entry<ConfigValue>): Field {
  const key = entry.key ?? setting;
  const shortName = entry.chat ?? null;
  const nothing = entry.nothing ?? null;
  return {
    path: `${section}.${key}`,
    section,
    key,
    setting,
    shortName,
    where: shortName === null ? "file" : "chat",
    kind: entry.kind,
    nothing,
    range: rangeText(entry.kind, nothing),
    help: entry.help,
    riskDirection: entry.risk ?? null,
    takesEffect: shortName === null ? "restart" : (entry.acts ?? "now"),
    default: entry.default,
    isSecret: entry.isSecret ?? false,
  };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}
