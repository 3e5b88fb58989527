// One structured logger for the whole program; every line passes the redactor. Lines go to standard error, so that
// standard output stays free for answers.
import { type DestinationStream, pino } from "pino";
import pretty from "pino-pretty";

/** Writes structured lines: fields first, then the message. Never pass an Error object: use `errorFields`. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Returns a logger that adds `fields` to each line. */
  child(fields: object): Log;
};

const secrets = new Set<string>();

/** Telegram tokens, the same inside a Bot API path, Mini App signatures, cookies (reliability note H6). */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\/bot[^/\s"]+\//g, "/bot[secret]/"],
  [/\d{6,}:[\w-]{30,}/g, "[secret]"],
  [/hash=[0-9a-f]{64}/g, "hash=[secret]"],
];

/** Makes `value` unprintable in every line from now on, also in its URL-encoded, base64 and JSON-escaped form. */
export function keepSecret(value: string): void {
  if (value.length < 6) return;
  secrets.add(value);
  secrets.add(encodeURIComponent(value));
  secrets.add(Buffer.from(value).toString("base64"));
  secrets.add(JSON.stringify(value).slice(1, -1));
}

/** Returns `text` with every known secret, and everything of a secret's shape, replaced by `[secret]`. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, "[secret]");
  for (const [shape, put] of SHAPES) clean = clean.replace(shape, put);
  return clean;
}

/** Returns what may be logged of a thrown value: name, message and stack, redacted. */
export function errorFields(thrown: unknown): { errorName: string; errorMessage: string; errorStack?: string } {
  if (!(thrown instanceof Error)) return { errorName: "thrown", errorMessage: redact(String(thrown)) };
  return {
    errorName: thrown.name,
    errorMessage: redact(thrown.message),
    ...(thrown.stack === undefined ? {} : { errorStack: redact(thrown.stack) }),
  };
}

/** Returns a logger of lines at `level` and above, as text for a person or as JSON. */
export function createLog(options: {
  level: "debug" | "info" | "warn" | "error" | "silent";
  format: "pretty" | "json";
}): Log {
  const sink: DestinationStream = { write: (line) => process.stderr.write(redact(line)) };
  const stream =
    options.format === "json"
      ? sink
      : pretty({
          colorize: process.stderr.isTTY === true,
          ignore: "pid,hostname",
          translateTime: "UTC:HH:MM:ss'Z'",
          destination: sink as never,
          sync: true,
        });
  const lines = pino({ level: options.level, base: null }, stream);
  return wrap(lines);
}

/** Is a logger that writes nothing. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

type Lines = Record<"debug" | "info" | "warn" | "error", (fields: object, message: string) => void> & {
  child(fields: object): Lines;
};

function wrap(lines: Lines): Log {
  return {
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    child: (fields) => wrap(lines.child(fields)),
  };
}
