// Fed each minute while all is well, and not else.
import { expect, test } from "vitest";
import { startDeadMan } from "../src/dead-man.ts";
import type { Log } from "../src/log.ts";
import { createFakeClock, type FakeClock } from "./support/fake-clock.ts";

const URL_WITH_SECRET = "https://example.org/ping/canary";

type Stage = {
  readonly clock: FakeClock;
  readonly asked: string[];
  readonly said: string[];
  problems: readonly string[];
  answer: () => Promise<Response>;
  stop(): void;
};

function stage(): Stage {
  const clock = createFakeClock();
  const [asked, said]: [string[], string[]] = [[], []];
  const warn = (fields: object, message: string): void => void said.push(`${message}: ${JSON.stringify(fields)}`);
  const log: Log = { debug: () => {}, info: () => {}, warn, error: warn, child: () => log };
  const made: Stage = {
    clock,
    asked,
    said,
    problems: [],
    answer: async () => new Response(),
    stop: () => {},
  };
  made.stop = startDeadMan({
    url: URL_WITH_SECRET,
    problems: () => made.problems,
    wall: clock,
    log,
    ask: ((url: string) => {
      asked.push(url);
      return made.answer();
    }) as typeof fetch,
  });
  return made;
}

async function minutes({ clock }: Stage, count: number): Promise<void> {
  // In small steps: what is asked must be answered before its time is over.
  for (let step = 0; step < count * 12; step += 1) {
    await new Promise(setImmediate);
    clock.advance(5_000);
  }
  await new Promise(setImmediate);
}

test("it asks soon and then each minute, until it is stopped", async () => {
  const on = stage();
  await minutes(on, 3);
  const before = on.asked.length;

  on.stop();
  await minutes(on, 3);

  expect(before).toBe(3);
  expect(on.asked).toEqual(Array(3).fill(URL_WITH_SECRET));
});

test("while something is wrong it asks nothing, says why once, and goes on when all is well", async () => {
  const on = stage();
  on.problems = ["journal"];
  await minutes(on, 3);
  const whileWrong = on.asked.length;
  on.problems = [];
  await minutes(on, 1);

  expect(whileWrong).toBe(0);
  expect(on.said).toEqual(['the dead man\'s switch is not fed: {"why":"journal"}']);
  expect(on.asked).toHaveLength(1);
});

test.each([
  ["an answer of 500", async () => new Response(null, { status: 500 }), "the address answers 500"],
  ["no connection", () => Promise.reject(new Error(URL_WITH_SECRET)), "the address can't be reached"],
])("%s is said once, without the address", async (_, answer, why) => {
  const on = stage();
  on.answer = answer;
  await minutes(on, 3);

  expect(on.asked).toHaveLength(3);
  expect(on.said).toEqual([`the dead man's switch is not fed: ${JSON.stringify({ why })}`]);
});
