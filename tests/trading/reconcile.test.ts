// The picture of the broker's state: whole, of one moment, or none.
import { expect, test } from "vitest";
import type { BrokerFill, BrokerOrder, BrokerPosition } from "../../src/engine.ts";
import { err, ok } from "../../src/result.ts";
import type { Gateway, GatewayProblem } from "../../src/trading/gateway.ts";
import { askFailed, askState, printGatewayProblem } from "../../src/trading/reconcile.ts";

const ORDER = { orderRef: "X", orderId: 5 } as BrokerOrder;
const FILL = { execId: "e.01" } as BrokerFill;
const POSITION = { conId: 1, position: 2 } as BrokerPosition;

type Questions = Pick<Gateway, "brokerTimeMs" | "openOrders" | "executions" | "positions">;

/** Answers each question and keeps the order in which they were asked. */
function broker(answers: Partial<Questions> = {}): { gateway: Gateway; asked: string[] } {
  const asked: string[] = [];
  const whole: Questions = {
    brokerTimeMs: async () => ok(1_000),
    openOrders: async () => ok([ORDER]),
    executions: async () => ok([FILL]),
    positions: async () => ok([POSITION]),
    ...answers,
  };
  const listen =
    (name: string, answer: () => unknown): (() => unknown) =>
    () => {
      asked.push(name);
      return answer();
    };
  const heard = Object.fromEntries(Object.entries(whole).map(([name, answer]) => [name, listen(name, answer)]));
  return { gateway: heard as unknown as Gateway, asked };
}

test("a picture holds open orders, executions, positions and the broker's time", async () => {
  const { gateway } = broker();

  expect(await askState(gateway, () => 0)).toEqual({
    ok: true,
    value: { type: "reconciled", openOrders: [ORDER], fills: [FILL], positions: [POSITION], brokerAtMs: 1_000 },
  });
});

test("news of an order between the questions spoil the picture, and it is asked anew", async () => {
  let news = 0;
  const { gateway, asked } = broker({
    positions: async () => {
      if (news < 2) news++;
      return ok([POSITION]);
    },
  });

  const state = await askState(gateway, () => news);

  expect(state.ok).toBe(true);
  expect(asked.filter((name) => name === "openOrders")).toHaveLength(3);
});

test("after five spoilt looks the last one is given", async () => {
  let news = 0;
  const { gateway, asked } = broker({ positions: async () => ok([{ ...POSITION, position: ++news }]) });

  const state = await askState(gateway, () => news);

  expect(state).toMatchObject({ ok: true, value: { positions: [{ position: 5 }] } });
  expect(asked.filter((name) => name === "openOrders")).toHaveLength(5);
});

test.each(["brokerTimeMs", "openOrders", "executions", "positions"] as const)(
  "a picture without an answer to %s is none, and nothing more is asked",
  async (missing) => {
    const problem: GatewayProblem = { type: "timed_out", afterMs: 5_000 };
    const { gateway, asked } = broker({ [missing]: async () => err(problem) });

    expect(await askState(gateway, () => 0)).toEqual({ ok: false, error: problem });
    expect(asked.at(-1)).toBe(missing);
  },
);

test.each<[GatewayProblem, string]>([
  [{ type: "link_down", detail: "the cable was pulled" }, "the link to the broker is down: the cable was pulled"],
  [{ type: "timed_out", afterMs: 5_000 }, "no answer within 5 s"],
  [{ type: "timed_out", afterMs: 2_550 }, "no answer within 2.6 s"],
  [{ type: "refused", code: 162, text: "pacing violation" }, "refused with code 162: pacing violation"],
  [{ type: "not_found", detail: "no such month" }, "no such month"],
])("%o is told as: %s", (problem, sentence) => {
  expect(printGatewayProblem(problem)).toBe(sentence);
  expect(askFailed("state", problem)).toEqual({ type: "ask_failed", ask: "state", detail: sentence });
});
