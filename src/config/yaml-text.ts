// How values are written into YAML text: one line each, quoted where YAML or a reader could take them for another type.
import { Document } from "yaml";
import type { Field } from "./fields.ts";
import { toYaml } from "./kinds.ts";
import type { ConfigValue } from "./settings.ts";

/** Returns the value in one line of YAML: 60, 2.0, 30m, "15:55", ["08:35-14:45"], {minute: 4, hour: 40, day: 400}. */
export function valueYaml(field: Field, value: ConfigValue): string {
  const yaml = toYaml(field.kind, field.nothing, value);
  if (field.kind.type === "decimal" && field.kind.unit === "sd" && typeof yaml === "number" && Number.isInteger(yaml))
    return yaml.toFixed(1);
  return flow(yaml);
}

function flow(yaml: unknown): string {
  if (Array.isArray(yaml)) return `[${yaml.map(flow).join(", ")}]`;
  if (typeof yaml === "object" && yaml !== null) {
    const entries = Object.entries(yaml).map(([key, value]) => `${flow(key)}: ${flow(value)}`);
    return `{${entries.join(", ")}}`;
  }
  if (typeof yaml !== "string") return String(yaml);
  // Times and windows are quoted, as everywhere in the documentation: YAML 1.1 readers take 15:55 for a number.
  if (yaml === "" || /[:\s,[\]{}#"']/.test(yaml)) return JSON.stringify(yaml);
  return new Document(yaml).toString({ lineWidth: 0 }).trimEnd();
}
