// Faults set by a script, a test or a drill (/simulate/fault): each meets calls of its method, for a number of them or for a
// while, at once or later. They are read here too, so that a script and the control understand the same and refuse the same.
import type { Clock } from "../../clock.ts";
import { err, ok, type Result } from "../../result.ts";
import { findMethod, METHOD_NAMES } from "./methods/table.ts";

/**
 * Is what goes wrong with a call. `drop` runs the call and closes the connection: the client can't know that it was done.
 * `reset` closes it without running the call.
 */
export type FaultKind =
  | { kind: "status"; code: number; description: string; retryAfterSeconds: number | undefined }
  | { kind: "hang" }
  | { kind: "delay"; delayMs: number }
  | { kind: "drop" }
  | { kind: "reset" }
  | { kind: "html"; code: number };

/** Is what goes wrong with updates: they are given once more although they were confirmed, or come late. */
export type UpdateFault = { kind: "repeat_updates" } | { kind: "late_updates"; lateMs: number };

/** Faults waiting at once; more are refused. */
export const FAULTS_MAX = 1_000;
/** How many lines a script has at most. */
const SCRIPT_LINES_MAX = 10_000;
const FOR_MS_MAX = 7 * 86_400_000;
const COUNT_MAX = 1_000_000;
const SHOWN_UNITS_MAX = 60;

/** Is a fault as it was given. */
export type Fault = {
  /** Any method for "*"; of updates it is always "*". */
  readonly method: string;
  readonly fault: FaultKind | UpdateFault;
  /** So many calls or updates; null where it lasts a time instead. */
  readonly times: number | null;
  /** So long, by the server's clock; null where it lasts a number of calls instead. */
  readonly forMs: number | null;
  /** Begins so much later. */
  readonly afterMs: number;
  /** Leaves so many calls of the method alone first. */
  readonly skip: number;
  /** Cuts the calls that wait for their answer when it begins, as a server that goes down does. */
  readonly isOutage: boolean;
};

/** Says why a line of a script is no fault. */
export type ScriptProblem = { readonly line: number; readonly reason: string };

type Waiting = { readonly given: Fault; readonly fromMs: number; left: number; skip: number };

/** Holds the faults and deals them out. */
export class FaultPlan {
  readonly #clock: Clock;
  #faults: Waiting[] = [];
  readonly #starts = new Set<() => void>();
  /** Is called when an outage begins. */
  onOutage: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a fault; false when too many wait already. */
  add(given: Fault): boolean {
    if (this.#faults.length >= FAULTS_MAX) return false;
    const fromMs = this.#clock.nowMs() + given.afterMs;
    this.#faults.push({ given, fromMs, left: given.times ?? Number.POSITIVE_INFINITY, skip: given.skip });
    if (given.isOutage) {
      const begin = (): void => this.onOutage();
      if (given.afterMs === 0) begin();
      else this.#starts.add(this.#clock.after(given.afterMs, begin));
    }
    return true;
  }

  /** Forgets all faults. */
  clear(): void {
    this.#faults = [];
    for (const cancel of this.#starts) cancel();
    this.#starts.clear();
  }

  /** Returns the faults that still wait or last, with how many times are left of those that are counted. */
  waiting(): readonly (Omit<Fault, "times"> & { times: number | null })[] {
    this.#forgetOver();
    return this.#faults.map(({ given, left }) => ({ ...given, times: given.times === null ? null : left }));
  }

  /** Returns the fault that meets this call, used up by one; undefined when the call goes well. */
  next(method: string): FaultKind | undefined {
    const found = this.#take((fault) => {
      const { kind } = fault.given.fault;
      if (kind === "repeat_updates" || kind === "late_updates") return false;
      return fault.given.method === "*" || fault.given.method.toLowerCase() === method.toLowerCase();
    });
    return found?.given.fault as FaultKind | undefined;
  }

  /** Returns how much later an update is to come, used up by one; 0 for one that comes at once. */
  nextLateMs(): number {
    const fault = this.#take(({ given }) => given.fault.kind === "late_updates")?.given.fault;
    return fault?.kind === "late_updates" ? fault.lateMs : 0;
  }

  /** Returns whether an update that was given is to be given once more, used up by one. */
  nextIsRepeated(): boolean {
    return this.#take(({ given }) => given.fault.kind === "repeat_updates") !== undefined;
  }

  #take(isMeant: (fault: Waiting) => boolean): Waiting | undefined {
    const nowMs = this.#clock.nowMs();
    this.#forgetOver();
    let found: Waiting | undefined;
    for (const fault of this.#faults) {
      if (nowMs < fault.fromMs || !isMeant(fault)) continue;
      if (fault.skip > 0) fault.skip -= 1;
      else found ??= fault;
    }
    if (found === undefined) return undefined;
    found.left -= 1;
    this.#forgetOver();
    return found;
  }

  #forgetOver(): void {
    const nowMs = this.#clock.nowMs();
    this.#faults = this.#faults.filter(
      ({ given, fromMs, left }) => left > 0 && (given.forMs === null || nowMs < fromMs + given.forMs),
    );
  }
}

/** Returns the faults of a script, one JSON object a line; empty lines and lines that begin with # are passed over. */
export function parseScript(text: string): Result<readonly Fault[], ScriptProblem> {
  const faults: Fault[] = [];
  const lines = text.split(/\r?\n/);
  if (lines.length > SCRIPT_LINES_MAX)
    return err({ line: SCRIPT_LINES_MAX + 1, reason: `a script has at most ${SCRIPT_LINES_MAX} lines` });
  for (const [at, line] of lines.entries()) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return err({ line: at + 1, reason: `${shown(line)} is no JSON (${why})` });
    }
    const parsed = parseFault(value);
    if (!parsed.ok) return err({ line: at + 1, reason: parsed.error });
    faults.push(parsed.value);
  }
  return faults.length > FAULTS_MAX
    ? err({ line: lines.length, reason: `a script has at most ${FAULTS_MAX} faults` })
    : ok(faults);
}

/** Returns a fault from a JSON value, or the reason why it is none. Numbers may be texts, as everywhere in the Bot API. */
export function parseFault(value: unknown): Result<Fault, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return err(`${shown(value)} is no JSON object`);
  const fields = createFields(value as Readonly<Record<string, unknown>>);
  try {
    const fault = readFault(fields);
    const unknown = fields.unread();
    if (unknown !== undefined)
      return err(`${unknown} is no field of kind ${fault.name}; it has ${fields.known().join(", ")}`);
    return ok(fault.value);
  } catch (thrown) {
    if (thrown instanceof FaultReason) return err(thrown.message);
    throw thrown;
  }
}

const KINDS = ["status", "html", "hang", "delay", "drop", "reset", "outage", "repeat_updates", "late_updates"] as const;

type Fields = ReturnType<typeof createFields>;

function createFields(fields: Readonly<Record<string, unknown>>) {
  // Says which bot, in every request to the control; a fault meets all of them.
  const known: string[] = ["kind"];
  const given = (name: string): unknown => {
    if (!known.includes(name)) known.push(name);
    const value = fields[name];
    return value === "" ? undefined : (value ?? undefined);
  };
  const wrong = (name: string, value: unknown, allowed: string): never => {
    throw new FaultReason(
      value === undefined
        ? `${name} is missing: it must be ${allowed}`
        : `${name} is ${shown(value)}: it must be ${allowed}`,
    );
  };
  return {
    has: (name: string): boolean => given(name) !== undefined,
    number: (name: string, min: number, max: number, otherwise?: number): number => {
      const value = given(name) ?? otherwise;
      const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
      return typeof number === "number" && Number.isInteger(number) && number >= min && number <= max
        ? number
        : wrong(name, value, `a whole number from ${min} to ${max}`);
    },
    text: (name: string, otherwise: string): string => {
      const value = given(name) ?? otherwise;
      return typeof value === "string" ? value : wrong(name, value, "a text");
    },
    choice: <T extends string>(name: string, choices: readonly T[]): T => {
      const value = given(name);
      return choices.find((one) => one === value) ?? wrong(name, value, `one of ${choices.join(", ")}`);
    },
    method: (): string => {
      const value = given("method") ?? "*";
      if (value === "*") return "*";
      const found = typeof value === "string" ? findMethod(value.trim()) : undefined;
      return found?.[0] ?? wrong("method", value, `* for all, or one of ${METHOD_NAMES.join(", ")}`);
    },
    fail: (message: string): never => {
      throw new FaultReason(message);
    },
    known: (): readonly string[] => known,
    unread: (): string | undefined => Object.keys(fields).find((name) => !known.includes(name) && name !== "bot"),
  };
}

function readFault(fields: Fields): { readonly name: string; readonly value: Fault } {
  const name = fields.choice("kind", KINDS);
  const isOfUpdates = name === "repeat_updates" || name === "late_updates";
  const method = isOfUpdates || name === "outage" ? "*" : fields.method();
  const fault = readKind(fields, name);
  const afterMs = fields.number("after_ms", 0, FOR_MS_MAX * 52, 0);
  if (name === "outage") {
    const forMs = fields.number("for_ms", 1, FOR_MS_MAX);
    return { name, value: { method, fault, times: null, forMs, afterMs, skip: 0, isOutage: true } };
  }
  if (fields.has("for_ms") && fields.has("times"))
    fields.fail("times and for_ms are given: it must be one of them, or none");
  const forMs = fields.has("for_ms") ? fields.number("for_ms", 1, FOR_MS_MAX) : null;
  const times = forMs === null ? fields.number("times", 1, COUNT_MAX, 1) : null;
  const skip = isOfUpdates ? 0 : fields.number("at_call", 1, COUNT_MAX, 1) - 1;
  return { name, value: { method, fault, times, forMs, afterMs, skip, isOutage: false } };
}

function readKind(fields: Fields, kind: (typeof KINDS)[number]): FaultKind | UpdateFault {
  switch (kind) {
    case "status": {
      const retryAfter = fields.has("retry_after") ? fields.number("retry_after", 0, FOR_MS_MAX / 1_000) : undefined;
      const code = fields.number("code", 100, 599, retryAfter === undefined ? 500 : 429);
      const fallback = retryAfter === undefined ? (DESCRIPTIONS[code] ?? `Error ${code}`) : undefined;
      const description = fields.text("description", fallback ?? `Too Many Requests: retry after ${retryAfter}`);
      return { kind, code, description, retryAfterSeconds: retryAfter };
    }
    case "delay":
      return { kind, delayMs: fields.number("ms", 0, 600_000, 1_000) };
    case "html":
      return { kind, code: fields.number("code", 400, 599, 502) };
    case "late_updates":
      return { kind, lateMs: fields.number("ms", 1, FOR_MS_MAX) };
    case "outage":
      return { kind: "reset" };
    case "hang":
    case "drop":
    case "reset":
    case "repeat_updates":
      return { kind };
    default:
      return kind satisfies never;
  }
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden: bot was blocked by the user",
  404: "Not Found",
  409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
  429: "Too Many Requests: retry after 1",
  500: "Internal Server Error: restart",
  502: "Bad Gateway",
  504: "Gateway Timeout",
};

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= SHOWN_UNITS_MAX ? text : `${text.slice(0, SHOWN_UNITS_MAX)}…`;
}

class FaultReason extends Error {}
