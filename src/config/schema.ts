// The face of the one schema: what can be set, as types, as a table of fields and as the example file.
export { exampleYaml } from "./example.ts";
export { FIELDS, type Field, fieldAt } from "./fields.ts";
export type { Role, Settings, User } from "./settings.ts";
