// The example file, made from the table: every key with its default, unit, range and help.
import { FIELDS, type Field } from "./fields.ts";
import type { Settings } from "./settings.ts";
import { valueYaml } from "./yaml-text.ts";

const HEADER = `# The configuration: copy this file to config/config.yaml and change what you need; what is left out has its default.
# Durations carry their unit (500ms, 5s, 30m, 2h, 400d); money is in dollars under a key ending in Usd; clock times are
# "HH:MM" in session.timeZone. Unknown keys, wrong units and values out of range are refused with their line.
# [range]; "chat NAME": also changed in the chat by /config and /set NAME, all others only here, at a restart.
# ▲ says which direction raises risk. Secrets stand in the environment or in .env, never here.
# This file is made from src/config/table.ts and compared with it by the tests.
`;

const SECTION_NOTES: Readonly<Record<keyof Settings, string>> = {
  ibkr: "The connection to IB Gateway or TWS",
  contract: "What is traded",
  strategy: "When to enter and to leave",
  risk: "What limits it; distances and losses are per contract where they say so",
  session: "The trading day",
  costs: "What trading is assumed to cost",
  backtest: "How a backtest counts",
  telegram: "The chat",
  notices: "Which notices arrive: on, silent or off; /alerts changes them per chat",
  storage: "The data directory",
  dashboard: "The web page",
  logging: "The program's own log",
  simulator: "The simulated market and chat; only read where one of them is simulated",
};

/** Comments begin in this column where the value leaves room. */
const COMMENT_COLUMN = 34;

/** Returns the whole example file; loading it gives the defaults. */
export function exampleYaml(): string {
  const sections = (Object.keys(SECTION_NOTES) as (keyof Settings)[]).map((section) => {
    const lines = FIELDS.filter((field) => field.section === section).map(lineOf);
    return `# ${SECTION_NOTES[section]}.\n${section}:\n${lines.join("\n")}\n`;
  });
  return `${HEADER}\n${sections.join("\n")}`;
}

function lineOf(field: Field): string {
  const value = `  ${field.key}: ${valueYaml(field, field.default)}`;
  const chat = field.shortName === null ? "" : `chat ${field.shortName}; `;
  const isRanged = /^(integer|decimal|money|duration|choice|sampling)$/.test(field.kind.type);
  const range = isRanged ? `[${field.range}] ` : "";
  return `${value.padEnd(COMMENT_COLUMN)} # ${range}${chat}${field.help}${riskText(field)}`;
}

function riskText(field: Field): string {
  switch (field.riskDirection) {
    case null:
      return "";
    case "wider":
      return " ▲ wider";
    case "higher":
      return ` ▲ ${field.kind.type === "boolean" ? "true" : field.kind.type === "duration" ? "longer" : "higher"}`;
    case "lower":
      return ` ▲ ${field.kind.type === "boolean" ? "false" : field.kind.type === "duration" ? "shorter" : "lower"}`;
    default:
      return field.riskDirection satisfies never;
  }
}
