// The environment's part of the configuration: which variable stands for which key, the secrets, and the .env file.
import { parse } from "dotenv";
import { err, ok, type Result } from "../result.ts";
import type { ConfigProblem } from "./problem.ts";

/** Is the program's environment, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Holds the variables that stand over keys of the file. */
export const ENVIRONMENT_KEYS: readonly (readonly [variable: string, path: string])[] = [
  ["IB_HOST", "ibkr.host"],
  ["IB_PORT", "ibkr.port"],
  ["IB_CLIENT_ID", "ibkr.clientId"],
  ["IB_ACCOUNT", "ibkr.account"],
  ["DATA_DIR", "storage.dir"],
  ["HTTP_PORT", "dashboard.port"],
  ["LOG_LEVEL", "logging.level"],
];

/** Is what only the environment may say. Never log or journal it; hand each secret to `keepSecret` of log.ts at once. */
export type Secrets = {
  readonly telegramBotToken: string | null;
  /** A private chat's id is its user's id; a group's is negative. */
  readonly telegramChatId: number | null;
  /** Without a slash at the end; null: the public Bot API. */
  readonly telegramApiRoot: string | null;
  readonly liveTotpSecret: string | null;
  readonly dashboardSecret: string | null;
};

const DOT_ENV_CHARACTERS_MAX = 64 * 1_024;

/** Returns the secrets of the environment; an empty variable is an absent one. A problem never shows a secret's value. */
export function readSecrets(environment: Environment): Result<Secrets, readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const text = (name: string, pattern: RegExp, message: string, isShown: boolean): string | null => {
    const value = variable(environment, name);
    if (value === null || pattern.test(value)) return value;
    problems.push({ file: "environment", line: null, key: name, value: isShown ? value : null, message });
    return null;
  };
  const chatId = text("TELEGRAM_CHAT_ID", /^-?[1-9]\d{0,15}$/, "must be a chat id such as 123456789", true);
  const secrets: Secrets = {
    telegramBotToken: text(
      "TELEGRAM_BOT_TOKEN",
      /^\d{1,20}:[\w-]{10,100}$/,
      "must be a token as BotFather gives it: digits, a colon, letters and digits",
      false,
    ),
    telegramChatId: chatId === null ? null : Number(chatId),
    telegramApiRoot:
      text(
        "TELEGRAM_API_ROOT",
        /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
        "must be a URL such as http://localhost:8081",
        true,
      )?.replace(/\/+$/, "") ?? null,
    liveTotpSecret: text(
      "LIVE_TOTP_SECRET",
      /^[A-Z2-7]{16,128}=*$/i,
      "must be a base32 secret of at least 16 characters (A–Z, 2–7)",
      false,
    ),
    dashboardSecret: text("DASHBOARD_SECRET", /^\S{16,500}$/, "must have at least 16 characters and no spaces", false),
  };
  return problems.length === 0 ? ok(secrets) : err(problems);
}

/** Returns a variable without spaces around it, or null where it is absent or empty. */
export function variable(environment: Environment, name: string): string | null {
  const value = Object.hasOwn(environment, name) ? environment[name]?.trim() : undefined;
  return value === undefined || value === "" ? null : value;
}

/** Returns the variables of a `.env` text; the process's own environment goes before them. */
export function readDotEnv(text: string): Result<Readonly<Record<string, string>>, ConfigProblem> {
  if (text.length > DOT_ENV_CHARACTERS_MAX) {
    const message = `has ${text.length} characters; ${DOT_ENV_CHARACTERS_MAX} is the most`;
    return err({ file: ".env", line: null, key: null, value: null, message });
  }
  return ok(parse(text));
}
