// The face of the one schema: what can be set, as types, as a table of fields and as the example file.
export { exampleYaml } from "./example.ts";
export { FIELDS, type Field, fieldAt, valueIn } from "./fields.ts";
export type { CountUnit, Kind } from "./kinds.ts";
export type {
  ConfigValue,
  CustomInstrument,
  DayWindow,
  NoticeMode,
  RateLimit,
  Role,
  Settings,
  User,
  WeekWindow,
} from "./settings.ts";
