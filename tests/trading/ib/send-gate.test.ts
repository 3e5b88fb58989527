// Pace and order of what goes to the broker, and what becomes of it when the connection ends.
import { expect, test } from "vitest";
import { createSendGate, type Message, type SendGate } from "../../../src/trading/ib/send-gate.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { fc, property } from "../../support/properties.ts";

type Bench = {
  readonly clock: FakeClock;
  readonly gate: SendGate;
  readonly sent: { readonly name: string; readonly atMs: number }[];
  readonly dropped: string[];
  message(name: string): Message;
};

function bench(timesRealTime = 1): Bench {
  const clock = createFakeClock(0);
  const sent: { name: string; atMs: number }[] = [];
  const dropped: string[] = [];
  return {
    clock,
    gate: createSendGate(clock, timesRealTime),
    sent,
    dropped,
    message: (name) => ({
      send: () => sent.push({ name, atMs: clock.nowMs() }),
      drop: () => dropped.push(name),
    }),
  };
}

test("a broker whose time runs five times as fast takes five times the messages", () => {
  const { clock, gate, sent, message } = bench(5);

  for (let name = 1; name <= 16; name++) gate.request(message(String(name)));
  const atOnce = sent.length;
  clock.advance(110);

  expect(atOnce).toBe(15);
  expect(sent).toHaveLength(16);
});

test("a broker whose time is slowed down is paced as a real one", () => {
  const { gate, sent, message } = bench(0.1);

  for (const name of ["a", "b", "c", "d"]) gate.request(message(name));

  expect(sent).toHaveLength(3);
});

test("three messages leave at once, the fourth 110 ms after the first", () => {
  const { clock, gate, sent, message } = bench();

  for (const name of ["a", "b", "c", "d"]) gate.request(message(name));
  clock.advance(109);
  const before = sent.length;
  clock.advance(1);

  expect(before).toBe(3);
  expect(sent.at(-1)).toEqual({ name: "d", atMs: 110 });
});

test.each([3_600_000, -3_600_000])(
  "a machine's time that is set %d ms on holds no message back, and lets none out early",
  (byMs) => {
    const { clock, gate, sent, message } = bench();
    for (const name of ["a", "b", "c", "d"]) gate.order(message(name));

    clock.set(clock.nowMs() + byMs);
    gate.order(message("e"));
    clock.advance(109);
    const before = sent.length;
    clock.advance(1);

    expect(before).toBe(3);
    expect(sent).toHaveLength(5);
  },
);

test("an order overtakes the requests that wait, and orders keep their order", () => {
  const { clock, gate, sent, message } = bench();
  for (const name of ["1", "2", "3", "4", "5"]) gate.request(message(name));

  gate.order(message("order 1"));
  gate.order(message("order 2"));
  clock.advance(1_000);

  expect(sent.map((each) => each.name)).toEqual(["1", "2", "3", "order 1", "order 2", "4", "5"]);
});

test("the end of the connection drops all that waits, orders first, and leaves no timer", () => {
  const { clock, gate, sent, dropped, message } = bench();
  for (const name of ["1", "2", "3", "4"]) gate.request(message(name));
  gate.order(message("order"));

  gate.clear();
  const waiting = clock.waiting();
  clock.advance(1_000);

  expect(dropped).toEqual(["order", "4"]);
  expect(sent.map((each) => each.name)).toEqual(["1", "2", "3"]);
  expect(waiting).toBe(0);
});

test("orders that wait are counted until they leave", () => {
  const { clock, gate, message } = bench();

  for (const name of ["1", "2", "3", "4", "5"]) gate.order(message(name));
  const waiting = gate.ordersWaiting();
  clock.advance(110);

  expect(waiting).toBe(2);
  expect(gate.ordersWaiting()).toBe(0);
});

test("fifty requests may wait; the next is refused and not dropped later", () => {
  const { gate, dropped, message } = bench();
  for (let index = 0; index < 3 + 50; index++) expect(gate.request(message(`${index}`))).toBe(true);

  expect(gate.request(message("one too many"))).toBe(false);
  gate.clear();

  expect(dropped).toHaveLength(50);
  expect(dropped).not.toContain("one too many");
});

test("a message that asks for another while it leaves keeps the pace", () => {
  const { clock, gate, sent, message } = bench();
  const chain = (left: number): Message => ({
    send: () => {
      message(`${left}`).send();
      if (left > 0) gate.request(chain(left - 1));
    },
    drop: () => {},
  });

  gate.request(chain(4));
  const atOnce = sent.length;
  clock.advance(110);

  expect(atOnce).toBe(3);
  expect(sent).toHaveLength(5);
});

const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 150 }), isOrder: fc.boolean() }), {
  maxLength: 60,
});

property("never lets more than three messages out in any 110 ms, and loses none", [steps], (given) => {
  const { clock, gate, sent, message } = bench();

  for (const [index, step] of given.entries()) {
    clock.advance(step.waitMs);
    if (step.isOrder) gate.order(message(`o${index}`));
    else gate.request(message(`r${index}`));
  }
  clock.advance(10_000);

  for (const [index, each] of sent.entries()) {
    const fourth = sent[index + 3];
    if (fourth !== undefined) expect(fourth.atMs - each.atMs).toBeGreaterThanOrEqual(110);
  }
  expect(sent).toHaveLength(given.length);
  for (const kind of ["o", "r"]) {
    const numbers = sent.filter((each) => each.name.startsWith(kind)).map((each) => Number(each.name.slice(1)));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
});
