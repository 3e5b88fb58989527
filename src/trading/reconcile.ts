// Asks the broker what is true and hands the answers over as one event. Decides nothing: the engine compares.
import type { Event } from "../engine.ts";
import { ok, type Result } from "../result.ts";
import type { Gateway, GatewayProblem } from "./gateway.ts";

/** Order news that arrive while the questions are under way spoil the picture; it is asked anew at most this often. */
const LOOKS_MAX = 5;

/**
 * Returns open orders, executions and positions as of one moment: a picture counts only if no order event of ours arrived
 * from the first question to the last answer (`orderNews` counts them). After five spoilt looks the last one is given,
 * since fills are told by themselves as well and the next light check comes within a minute.
 */
export async function askState(
  gateway: Gateway,
  orderNews: () => number,
): Promise<Result<Extract<Event, { type: "reconciled" }>, GatewayProblem>> {
  for (let look = 1; ; look++) {
    const newsBefore = orderNews();
    const answer = await lookOnce(gateway);
    if (!answer.ok || orderNews() === newsBefore || look === LOOKS_MAX) return answer;
  }
}

async function lookOnce(gateway: Gateway): Promise<Result<Extract<Event, { type: "reconciled" }>, GatewayProblem>> {
  const brokerTime = await gateway.brokerTimeMs();
  if (!brokerTime.ok) return brokerTime;
  const openOrders = await gateway.openOrders();
  if (!openOrders.ok) return openOrders;
  const fills = await gateway.executions();
  if (!fills.ok) return fills;
  const positions = await gateway.positions();
  if (!positions.ok) return positions;
  return ok({
    type: "reconciled",
    openOrders: [...openOrders.value],
    fills: [...fills.value],
    positions: [...positions.value],
    brokerAtMs: brokerTime.value,
  });
}

/** Returns a gateway's problem as a sentence for a person. */
export function printGatewayProblem(problem: GatewayProblem): string {
  switch (problem.type) {
    case "link_down":
      return `the link to the broker is down: ${problem.detail}`;
    case "timed_out":
      return `no answer within ${Math.round(problem.afterMs / 100) / 10} s`;
    case "refused":
      return `refused with code ${problem.code}: ${problem.text}`;
    case "not_found":
      return problem.detail;
    default:
      return problem satisfies never;
  }
}

/** Returns the failure of a question as the event that the engine is told. */
export function askFailed(ask: Extract<Event, { type: "ask_failed" }>["ask"], problem: GatewayProblem): Event {
  return { type: "ask_failed", ask, detail: printGatewayProblem(problem) };
}
