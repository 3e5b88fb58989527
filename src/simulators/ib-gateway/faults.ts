// The fault script: what is to go wrong, and when. Each line is one fault as JSON; it acts at once, at a moment of the
// market, or when a client's n-th message has come.
import { err, ok, type Result } from "../../result.ts";
import type { Direction } from "./connection.ts";
import type { OrderLeg } from "./order-faults.ts";

/** Says when a fault acts. */
export type FaultMoment =
  | { readonly type: "at_once" }
  /** So many market milliseconds after the start. */
  | { readonly type: "after"; readonly afterMs: number }
  /** When so many messages have come from clients, startApi included. */
  | { readonly type: "message"; readonly count: number };

/** Is what goes wrong. `forMs` of connections is on the wall clock, of the market and the broker's link on the market's. */
export type Fault =
  | { readonly fault: "drop_connection"; readonly clientId: number | null }
  | { readonly fault: "refuse_connections"; readonly forMs: number }
  | { readonly fault: "no_handshake"; readonly forMs: number }
  | { readonly fault: "silence"; readonly direction: Direction; readonly forMs: number }
  | { readonly fault: "delay"; readonly delayMs: number; readonly forMs: number }
  | { readonly fault: "link_lost"; readonly forMs: number; readonly restored: "data_lost" | "data_kept" | "never" }
  | { readonly fault: "farm_broken"; readonly forMs: number }
  | { readonly fault: "restart"; readonly forMs: number; readonly idsBack: number }
  | { readonly fault: "client_id_in_use"; readonly count: number }
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
  | { readonly fault: "correct_execution"; readonly ticks: number }
  | { readonly fault: "truncated_frame" }
  | { readonly fault: "bad_length"; readonly length: number }
  | { readonly fault: "price_jump"; readonly ticks: number }
  | { readonly fault: "stale_data"; readonly forMs: number }
  | { readonly fault: "bad_tick"; readonly price: string }
  | { readonly fault: "bad_quote"; readonly bid: string; readonly ask: string }
  | { readonly fault: "position_shift"; readonly contracts: number }
  | {
      readonly fault: "order_by_hand";
      readonly action: "BUY" | "SELL";
      readonly quantity: number;
      readonly limitPrice: number | null;
    }
  | { readonly fault: "wrong_account"; readonly account: string }
  | { readonly fault: "broker_error"; readonly id: number; readonly code: number; readonly text: string };

/** Is a line of a script. */
export type ScriptedFault = { readonly when: FaultMoment; readonly fault: Fault };

/** Says why a line is no fault. */
export type FaultProblem = { readonly type: "bad_fault"; readonly line: number; readonly reason: string };

/** How many lines a script has at most. */
export const SCRIPT_LINES_MAX = 10_000;
/** A fault lasts at most this long. */
const FOR_MS_MAX = 7 * 86_400_000;
const COUNT_MAX = 1_000_000;

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
      return err({
        type: "bad_fault",
        line: at + 1,
        reason: `it is no JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      });
    }
    const parsed = parseFault(value);
    if (!parsed.ok) return err({ type: "bad_fault", line: at + 1, reason: parsed.error });
    faults.push(parsed.value);
  }
  return ok(faults);
}

/** Returns one fault from a JSON value, or the reason why it is none. */
export function parseFault(value: unknown): Result<ScriptedFault, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return err("a fault is a JSON object");
  const fields = value as Readonly<Record<string, unknown>>;
  const known = ["afterMs", "atMessage", "fault"];
  const number = (name: string, min: number, max: number, otherwise?: number): number => {
    known.push(name);
    const given = fields[name] ?? otherwise;
    if (typeof given !== "number" || !Number.isInteger(given) || given < min || given > max) {
      throw new FaultReason(`${name} must be a whole number from ${min} to ${max}`);
    }
    return given;
  };
  const text = (name: string, otherwise?: string): string => {
    known.push(name);
    const given = fields[name] ?? otherwise;
    if (typeof given !== "string" || given.length > 200)
      throw new FaultReason(`${name} must be a text of at most 200 characters`);
    return given;
  };
  const choice = <T extends string>(name: string, choices: readonly T[], otherwise?: T): T => {
    const given = text(name, otherwise);
    const found = choices.find((one) => one === given);
    if (found === undefined) throw new FaultReason(`${name} must be one of ${choices.join(", ")}`);
    return found;
  };
  const forMs = (otherwise?: number): number => number("forMs", 0, FOR_MS_MAX, otherwise);
  const count = (): number => number("count", 1, COUNT_MAX, 1);

  const read = (): Fault => {
    const fault = fields["fault"];
    switch (fault) {
      case "drop_connection":
        return { fault, clientId: fields["clientId"] === undefined ? null : number("clientId", 0, 2 ** 31 - 1) };
      case "refuse_connections":
      case "no_handshake":
      case "farm_broken":
      case "stale_data":
        return { fault, forMs: forMs() };
      case "silence":
        return { fault, direction: choice("direction", ["in", "out", "both"], "both"), forMs: forMs() };
      case "delay":
        return { fault, delayMs: number("delayMs", 1, 60_000), forMs: forMs() };
      case "link_lost":
        return {
          fault,
          forMs: forMs(0),
          restored: choice("restored", ["data_lost", "data_kept", "never"], "data_kept"),
        };
      case "restart":
        return { fault, forMs: forMs(60_000), idsBack: number("idsBack", 0, COUNT_MAX, 0) };
      case "client_id_in_use":
      case "swallow_order":
      case "warn_next_order":
      case "drop_execution":
      case "repeat_execution":
      case "fill_before_ack":
        return { fault, count: count() };
      case "reject_next_order":
        return {
          fault,
          code: number("code", 1, 99_999, 201),
          text: text("text", "Order rejected - reason:by a fault script"),
          leg: choice("leg", ["any", "entry", "stop", "limit"], "any"),
          count: count(),
        };
      case "correct_execution":
      case "price_jump":
        return { fault, ticks: number("ticks", -100_000, 100_000) };
      case "truncated_frame":
        return { fault };
      case "bad_length":
        return { fault, length: number("length", -(2 ** 31), 2 ** 31 - 1) };
      case "bad_tick":
        return { fault, price: text("price") };
      case "bad_quote":
        return { fault, bid: text("bid"), ask: text("ask") };
      case "position_shift":
        return { fault, contracts: number("contracts", -1_000, 1_000) };
      case "order_by_hand": {
        known.push("limitPrice");
        const limitPrice = fields["limitPrice"] ?? null;
        if (limitPrice !== null && (typeof limitPrice !== "number" || !(limitPrice > 0)))
          throw new FaultReason("limitPrice must be a price above 0");
        return {
          fault,
          action: choice("action", ["BUY", "SELL"]),
          quantity: number("quantity", 1, 1_000, 1),
          limitPrice,
        };
      }
      case "wrong_account":
        return { fault, account: text("account") };
      case "broker_error":
        return {
          fault,
          id: number("id", -1, 2 ** 31 - 1, -1),
          code: number("code", 1, 99_999),
          text: text("text", ""),
        };
      default:
        throw new FaultReason(`${JSON.stringify(fault)} is no known fault`);
    }
  };

  try {
    const fault = read();
    const when: FaultMoment =
      fields["afterMs"] !== undefined
        ? { type: "after", afterMs: number("afterMs", 0, FOR_MS_MAX * 52) }
        : fields["atMessage"] !== undefined
          ? { type: "message", count: number("atMessage", 1, COUNT_MAX) }
          : { type: "at_once" };
    const unknown = Object.keys(fields).find((name) => !known.includes(name));
    if (unknown !== undefined) return err(`${unknown} is no field of ${fault.fault}`);
    return ok({ when, fault });
  } catch (thrown) {
    if (thrown instanceof FaultReason) return err(thrown.message);
    throw thrown;
  }
}

class FaultReason extends Error {}
