import fc from "fast-check";
import { expect, test } from "vitest";
import { createDelayLine } from "../../../src/simulators/ib-gateway/delay-line.ts";
import { handClock } from "./hand-clock.ts";

test("without a delay an act happens at once", () => {
  const { clock } = handClock();
  const done: number[] = [];

  createDelayLine(clock).push(() => done.push(1));

  expect(done).toEqual([1]);
});

test("a delayed act happens when its time has passed and not a moment before", () => {
  const { clock, move } = handClock();
  const line = createDelayLine(clock);
  const done: number[] = [];
  line.delay(2_000, 10_000);
  line.push(() => done.push(1));

  move(1_999);
  const before = [...done];
  move(1);

  expect(before).toEqual([]);
  expect(done).toEqual([1]);
});

test("whatever the delays, acts happen in the order given, each once", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.record({ delayMs: fc.integer({ min: 1, max: 50 }), forMs: fc.integer({ min: 0, max: 100 }) }),
          fc.record({ moveMs: fc.integer({ min: 1, max: 40 }) }),
          fc.constant("push" as const),
        ),
        { maxLength: 60 },
      ),
      (steps) => {
        const { clock, move } = handClock();
        const line = createDelayLine(clock);
        const done: number[] = [];
        let pushed = 0;
        for (const step of steps) {
          if (step === "push") {
            const one = pushed++;
            line.push(() => done.push(one));
          } else if ("moveMs" in step) move(step.moveMs);
          else line.delay(step.delayMs, clock.nowMs() + step.forMs);
        }
        for (let turn = 0; turn < 100; turn += 1) move(10);

        expect(done).toEqual(Array.from({ length: pushed }, (_one, at) => at));
      },
    ),
  );
});
