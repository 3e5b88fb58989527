// The fault script: what is to go wrong, and when. Each line is one fault as JSON; it acts at once, at a moment of the
// market, or at the n-th message of a kind. A line that is not understood names what is wrong and what is allowed.
import { DateTime } from "luxon";
import { err, ok, type Result } from "../../result.ts";
import type { Direction } from "./connection.ts";
import type { MessageAct } from "./message-tap.ts";
import type { OrderLeg } from "./order-faults.ts";
import { MESSAGE_KINDS, type MessageKind, wayOf } from "./wire/kinds.ts";

/** Says when a fault acts, or begins to wait for its message. */
type Beginning =
  | { readonly type: "at_once" }
  /** So many market milliseconds after the start. */
  | { readonly type: "after"; readonly afterMs: number }
  /** At this market time. */
  | { readonly type: "at"; readonly atMs: number };

/** Says when a fault acts. */
export type FaultMoment =
  | Beginning
  /** When so many messages of a kind have passed since then; startApi is the first of a client. */
  | { readonly type: "message"; readonly kind: MessageKind; readonly count: number; readonly from: Beginning };

/** Is a price of the wire: a text as it is, or so many ticks from the last trade. */
export type FaultPrice =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "from_last"; readonly ticks: number };

/** Is what goes wrong. `forMs` of connections is on the wall clock, of the market and the broker's link on the market's. */
export type Fault =
  | { readonly fault: "drop_connection"; readonly clientId: number | null }
  | { readonly fault: "refuse_connections"; readonly forMs: number }
  | { readonly fault: "no_handshake"; readonly forMs: number }
  | {
      readonly fault: "silence";
      readonly direction: Direction;
      readonly forMs: number;
      /** Whose bytes are lost: of sockets that are open now, as in a dead route, or of those that come meanwhile too. */
      readonly reach: "connected" | "everybody";
    }
  | { readonly fault: "delay"; readonly delayMs: number; readonly forMs: number }
  | { readonly fault: "split_stream"; readonly bytes: number; readonly forMs: number }
  | { readonly fault: "glue_stream"; readonly everyMs: number; readonly forMs: number }
  | { readonly fault: "truncated_frame" }
  | { readonly fault: "bad_length"; readonly length: number }
  | {
      readonly fault: "drop_message" | "repeat_message" | "hold_message" | "swap_message" | "cut_message";
      readonly message: MessageKind;
      readonly count: number;
      /** How long `hold_message` holds; 0 for the others. */
      readonly forMs: number;
    }
  | { readonly fault: "link_lost"; readonly forMs: number; readonly restored: "data_lost" | "data_kept" | "never" }
  | { readonly fault: "farm_broken"; readonly forMs: number }
  | { readonly fault: "restart"; readonly forMs: number; readonly idsBack: number }
  | { readonly fault: "client_id_in_use"; readonly count: number }
  | { readonly fault: "wrong_account"; readonly account: string }
  | { readonly fault: "clock_skew"; readonly skewMs: number }
  | { readonly fault: "broker_error"; readonly id: number; readonly code: number; readonly text: string }
  | { readonly fault: "swallow_order"; readonly count: number }
  | {
      readonly fault: "reject_next_order";
      readonly code: number;
      readonly text: string;
      readonly leg: OrderLeg;
      readonly count: number;
    }
  | { readonly fault: "warn_next_order"; readonly count: number }
  | { readonly fault: "drop_execution"; readonly count: number }
  | { readonly fault: "repeat_execution"; readonly count: number }
  | { readonly fault: "fill_before_ack"; readonly count: number }
  | { readonly fault: "part_fill"; readonly contracts: number; readonly forMs: number }
  | { readonly fault: "correct_execution"; readonly ticks: number; readonly contracts: number }
  | { readonly fault: "position_shift"; readonly contracts: number }
  | {
      readonly fault: "order_by_hand";
      readonly action: "BUY" | "SELL";
      readonly quantity: number;
      /** Null is a market order. */
      readonly limit: FaultPrice | null;
    }
  | { readonly fault: "price_jump"; readonly ticks: number }
  | { readonly fault: "stale_data"; readonly forMs: number }
  | { readonly fault: "bad_tick"; readonly price: FaultPrice; readonly size: string }
  | {
      readonly fault: "bad_quote";
      readonly bid: FaultPrice;
      readonly ask: FaultPrice;
      readonly bidSize: string;
      readonly askSize: string;
    };

/** Is a line of a script. */
export type ScriptedFault = { readonly when: FaultMoment; readonly fault: Fault };

/** Says why a line is no fault. */
export type FaultProblem = { readonly type: "bad_fault"; readonly line: number; readonly reason: string };

/** How many lines a script has at most. */
export const SCRIPT_LINES_MAX = 10_000;
/** A fault lasts at most this long. */
const FOR_MS_MAX = 7 * 86_400_000;
const COUNT_MAX = 1_000_000;
const TICKS_MAX = 100_000;
const TEXT_UNITS_MAX = 200;
const SHOWN_UNITS_MAX = 60;

/** Returns the faults of a script, one JSON object a line; empty lines and lines that begin with # are passed over. */
export function parseScript(text: string): Result<readonly ScriptedFault[], FaultProblem> {
  const faults: ScriptedFault[] = [];
  const lines = text.split(/\r?\n/);
  if (lines.length > SCRIPT_LINES_MAX)
    return err({
      type: "bad_fault",
      line: SCRIPT_LINES_MAX + 1,
      reason: `a script has at most ${SCRIPT_LINES_MAX} lines`,
    });
  for (const [at, line] of lines.entries()) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return err({ type: "bad_fault", line: at + 1, reason: `${shown(line)} is no JSON (${why})` });
    }
    const parsed = parseFault(value);
    if (!parsed.ok) return err({ type: "bad_fault", line: at + 1, reason: parsed.error });
    faults.push(parsed.value);
  }
  return ok(faults);
}

/** Returns one fault from a JSON value, or the reason why it is none. */
export function parseFault(value: unknown): Result<ScriptedFault, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return err(`${shown(value)} is no JSON object`);
  const fields = createFields(value as Readonly<Record<string, unknown>>);
  try {
    const fault = readFault(fields);
    const when = readMoment(fields, fault);
    const unknown = fields.unread();
    if (unknown !== undefined)
      return err(`${unknown} is no field of ${fault.fault}; it has ${fields.known().join(", ")}`);
    return ok({ when, fault });
  } catch (thrown) {
    if (thrown instanceof FaultReason) return err(thrown.message);
    throw thrown;
  }
}

type Fields = ReturnType<typeof createFields>;

/** Reads the fields of one line; what is asked for is what the fault has. Each throws a FaultReason. */
function createFields(fields: Readonly<Record<string, unknown>>) {
  const known: string[] = ["fault"];
  const given = (name: string, otherwise?: unknown): unknown => {
    if (!known.includes(name)) known.push(name);
    return fields[name] ?? otherwise;
  };
  const wrong = (name: string, value: unknown, allowed: string): never => {
    throw new FaultReason(
      value === undefined
        ? `${name} is missing: it must be ${allowed}`
        : `${name} is ${shown(value)}: it must be ${allowed}`,
    );
  };
  const number = (name: string, min: number, max: number, otherwise?: number): number => {
    const value = given(name, otherwise);
    return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
      ? value
      : wrong(name, value, `a whole number from ${min} to ${max}`);
  };
  const text = (name: string, otherwise?: string): string => {
    const value = given(name, otherwise);
    return typeof value === "string" && value.length <= TEXT_UNITS_MAX
      ? value
      : wrong(name, value, `a text of at most ${TEXT_UNITS_MAX} characters`);
  };
  return {
    has: (name: string): boolean => given(name) !== undefined,
    number,
    text,
    choice: <T extends string>(name: string, choices: readonly T[], otherwise?: T): T => {
      const value = given(name, otherwise);
      return choices.find((one) => one === value) ?? wrong(name, value, `one of ${choices.join(", ")}`);
    },
    forMs: (otherwise?: number): number => number("forMs", 0, FOR_MS_MAX, otherwise),
    count: (): number => number("count", 1, COUNT_MAX, 1),
    /** A text as the wire is to carry it, a number, or `last`, `last+8`, `last-8` in ticks. */
    price: (name: string, otherwise?: string): FaultPrice => {
      const value = given(name, otherwise);
      if (typeof value === "number") return { type: "text", text: String(value) };
      if (typeof value !== "string" || value.length > TEXT_UNITS_MAX)
        return wrong(name, value, 'a price as text ("5000.25", "NaN"), or ticks from the last trade ("last+8")');
      const from = /^last([+-]\d{1,6})?$/.exec(value);
      return from === null ? { type: "text", text: value } : { type: "from_last", ticks: Number(from[1] ?? 0) };
    },
    instant: (name: string): number => {
      const value = given(name);
      const read = typeof value === "string" ? DateTime.fromISO(value, { setZone: true }) : undefined;
      const hasZone = typeof value === "string" && /(?:Z|[+-]\d\d:?\d\d)$/.test(value);
      return read?.isValid === true && hasZone
        ? read.toMillis()
        : wrong(name, value, "a time with its zone, such as 2026-11-24T14:35:00Z");
    },
    fail: (name: string, allowed: string): never => wrong(name, given(name), allowed),
    known: (): readonly string[] => known,
    unread: (): string | undefined => Object.keys(fields).find((name) => !known.includes(name)),
  };
}

const ACTS: Readonly<Record<Extract<Fault, { message: MessageKind }>["fault"], MessageAct>> = {
  drop_message: "drop",
  repeat_message: "repeat",
  hold_message: "hold",
  swap_message: "swap",
  cut_message: "cut",
};

/** Returns what a fault of single messages does to them; undefined for every other fault. */
export function messageActOf(fault: Fault): MessageAct | undefined {
  return fault.fault in ACTS ? ACTS[fault.fault as keyof typeof ACTS] : undefined;
}

const NAMES: readonly Fault["fault"][] = [
  "drop_connection",
  "refuse_connections",
  "no_handshake",
  "silence",
  "delay",
  "split_stream",
  "glue_stream",
  "truncated_frame",
  "bad_length",
  "drop_message",
  "repeat_message",
  "hold_message",
  "swap_message",
  "cut_message",
  "link_lost",
  "farm_broken",
  "restart",
  "client_id_in_use",
  "wrong_account",
  "clock_skew",
  "broker_error",
  "swallow_order",
  "reject_next_order",
  "warn_next_order",
  "drop_execution",
  "repeat_execution",
  "fill_before_ack",
  "part_fill",
  "correct_execution",
  "position_shift",
  "order_by_hand",
  "price_jump",
  "stale_data",
  "bad_tick",
  "bad_quote",
];

function readFault(fields: Fields): Fault {
  const { number, text, choice, forMs, count, price } = fields;
  const fault = choice("fault", NAMES);
  switch (fault) {
    case "drop_connection":
      return { fault, clientId: fields.has("clientId") ? number("clientId", 0, 2 ** 31 - 1) : null };
    case "refuse_connections":
    case "no_handshake":
    case "farm_broken":
    case "stale_data":
      return { fault, forMs: forMs() };
    case "silence":
      return {
        fault,
        direction: choice("direction", ["in", "out", "both"], "both"),
        forMs: forMs(),
        reach: choice("reach", ["connected", "everybody"], "connected"),
      };
    case "delay":
      return { fault, delayMs: number("delayMs", 1, 60_000), forMs: forMs() };
    case "split_stream":
      return { fault, bytes: number("bytes", 1, 65_536, 1), forMs: forMs() };
    case "glue_stream":
      return { fault, everyMs: number("everyMs", 1, 60_000), forMs: forMs() };
    case "truncated_frame":
      return { fault };
    case "bad_length":
      return { fault, length: number("length", -(2 ** 31), 2 ** 31 - 1) };
    case "drop_message":
    case "repeat_message":
    case "hold_message":
    case "swap_message":
    case "cut_message": {
      const message = choice("message", MESSAGE_KINDS);
      if (fault === "cut_message" && wayOf(message) === "in") fields.fail("message", "a kind of message to clients");
      return { fault, message, count: count(), forMs: fault === "hold_message" ? forMs() : 0 };
    }
    case "link_lost":
      return { fault, forMs: forMs(0), restored: choice("restored", ["data_lost", "data_kept", "never"], "data_kept") };
    case "restart":
      return { fault, forMs: forMs(60_000), idsBack: number("idsBack", 0, COUNT_MAX, 0) };
    case "client_id_in_use":
    case "swallow_order":
    case "warn_next_order":
    case "drop_execution":
    case "repeat_execution":
    case "fill_before_ack":
      return { fault, count: count() };
    case "wrong_account":
      return { fault, account: text("account") };
    case "clock_skew":
      return { fault, skewMs: number("skewMs", -FOR_MS_MAX, FOR_MS_MAX) };
    case "broker_error":
      return { fault, id: number("id", -1, 2 ** 31 - 1, -1), code: number("code", 1, 99_999), text: text("text", "") };
    case "reject_next_order":
      return {
        fault,
        code: number("code", 1, 99_999, 201),
        text: text("text", "Order rejected - reason:by a fault script"),
        leg: choice("leg", ["any", "entry", "stop", "limit"], "any"),
        count: count(),
      };
    case "part_fill":
      return { fault, contracts: number("contracts", 1, 1_000, 1), forMs: forMs() };
    case "correct_execution":
      return {
        fault,
        ticks: number("ticks", -TICKS_MAX, TICKS_MAX, 0),
        contracts: number("contracts", -1_000, 1_000, 0),
      };
    case "position_shift":
      return { fault, contracts: number("contracts", -1_000, 1_000) };
    case "order_by_hand":
      return {
        fault,
        action: choice("action", ["BUY", "SELL"]),
        quantity: number("quantity", 1, 1_000, 1),
        limit: readLimit(fields),
      };
    case "price_jump":
      return { fault, ticks: number("ticks", -TICKS_MAX, TICKS_MAX) };
    case "bad_tick":
      return { fault, price: price("price"), size: text("size", "1") };
    case "bad_quote":
      return {
        fault,
        bid: price("bid"),
        ask: price("ask"),
        bidSize: text("bidSize", "1"),
        askSize: text("askSize", "1"),
      };
    default:
      return fault satisfies never;
  }
}

function readLimit(fields: Fields): FaultPrice | null {
  if (!fields.has("limitPrice")) return null;
  const limit = fields.price("limitPrice");
  if (limit.type === "text" && !(Number(limit.text) > 0))
    return fields.fail("limitPrice", 'a price above 0, or ticks from the last trade ("last-8")');
  return limit;
}

function readMoment(fields: Fields, fault: Fault): FaultMoment {
  const from = readBeginning(fields);
  const isOfMessages = messageActOf(fault) !== undefined;
  if (!fields.has("atMessage")) {
    if (!isOfMessages && fields.has("message")) throw new FaultReason("message is given without atMessage, its number");
    return from;
  }
  const count = fields.number("atMessage", 1, COUNT_MAX);
  const kind = isOfMessages
    ? (fault as Extract<Fault, { message: MessageKind }>).message
    : fields.choice("message", MESSAGE_KINDS, "anyRequest");
  return { type: "message", kind, count, from };
}

function readBeginning(fields: Fields): Beginning {
  const isAfter = fields.has("afterMs");
  const isAt = fields.has("at");
  if (isAfter && isAt) throw new FaultReason("afterMs and at are given: it must be one of them, or none");
  if (isAfter) return { type: "after", afterMs: fields.number("afterMs", 0, FOR_MS_MAX * 52) };
  return isAt ? { type: "at", atMs: fields.instant("at") } : { type: "at_once" };
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  const quoted = typeof value === "string" ? JSON.stringify(text) : text;
  return quoted.length <= SHOWN_UNITS_MAX ? quoted : `${quoted.slice(0, SHOWN_UNITS_MAX)}…`;
}

class FaultReason extends Error {}
