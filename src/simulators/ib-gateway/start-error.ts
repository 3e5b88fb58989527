// Why the gateway can't start, as a value and as a sentence for a person.
import type { FaultProblem } from "./faults.ts";
import type { StateProblem } from "./state-file.ts";

/** Says why the gateway can't start. */
export type GatewayProblem =
  | { readonly type: "port_busy"; readonly port: number }
  | { readonly type: "unknown_symbol"; readonly symbol: string; readonly known: readonly string[] }
  | { readonly type: "bad_script"; readonly path: string; readonly problem: FaultProblem }
  | { readonly type: "unreadable_script"; readonly path: string; readonly reason: string }
  | StateProblem;

/** Is thrown when the gateway can't start; the message is a sentence for a person. */
export class GatewayStartError extends Error {
  override readonly name = "GatewayStartError";
  readonly problem: GatewayProblem;
  constructor(problem: GatewayProblem, cause?: unknown) {
    super(explain(problem), cause === undefined ? {} : { cause });
    this.problem = problem;
  }
}

/** Returns the typed error of a busy port; anything else as it is. */
export function portProblem(cause: unknown, port: number): unknown {
  const isBusy = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
  return isBusy ? new GatewayStartError({ type: "port_busy", port }, cause) : cause;
}

function explain(problem: GatewayProblem): string {
  switch (problem.type) {
    case "port_busy":
      return `The simulated gateway can't listen on port ${problem.port}: another program does. Stop that one or choose another port.`;
    case "unknown_symbol":
      return `The simulated gateway has no ${problem.symbol}. It has ${problem.known.join(", ")}.`;
    case "bad_script":
      return `Line ${problem.problem.line} of the fault script ${problem.path} is not understood: ${problem.problem.reason}. The faults are listed in docs/simulated-gateway.md.`;
    case "unreadable_script":
      return `The fault script ${problem.path} can't be read: ${problem.reason}.`;
    case "bad_state_file":
      return `The simulated gateway's state ${problem.path} can't be gone on from: ${problem.reason}. Move the file away to start anew.`;
    default:
      return problem satisfies never;
  }
}
