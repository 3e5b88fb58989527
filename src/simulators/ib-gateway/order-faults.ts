// What a fault script may do to orders; each counts down with its use.
import type { OrderProblem, OrderTerms } from "./order-terms.ts";

/** Is which order of a bracket a refusal is meant for. */
export type OrderLeg = "any" | "entry" | "stop" | "limit";

/** Is what waits to go wrong with orders. */
export type OrderFaults = {
  /** Orders that vanish without an answer. */
  swallow: number;
  /** Refusals, each for the next orders of its leg. */
  reject: { leg: OrderLeg; code: number; text: string; left: number }[];
  /** Executions that are not told (a request still finds them). */
  dropExecution: number;
  /** Executions that are told twice. */
  repeatExecution: number;
  /** Orders of which the fill is told before anything else. */
  fillBeforeAck: number;
  /** Orders that work but bring a warning 399. */
  warn: number;
  /** Fills of more than so many contracts that are told in two, the rest so much market time later. */
  partFill: { readonly contracts: number; readonly forMs: number }[];
};

/** Returns faults of which none waits. */
export function noOrderFaults(): OrderFaults {
  return { swallow: 0, reject: [], dropExecution: 0, repeatExecution: 0, fillBeforeAck: 0, warn: 0, partFill: [] };
}

/** Returns the refusal that waits for an order of these terms and uses it up; undefined for none. */
export function takeRefusal(faults: OrderFaults, terms: OrderTerms): OrderProblem | undefined {
  const leg: OrderLeg = terms.parentId === 0 ? "entry" : terms.kind === "limit" ? "limit" : "stop";
  const refusal = faults.reject.find((one) => one.left > 0 && (one.leg === "any" || one.leg === leg));
  if (refusal === undefined) return undefined;
  refusal.left -= 1;
  return { code: refusal.code, text: refusal.text };
}
