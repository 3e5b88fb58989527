// What the other tests lean on.
import { expect, test } from "vitest";
import { createFakeClock } from "./fake-clock.ts";

test("timers fire in order of time, those of one moment in the order in which they were set", () => {
  const clock = createFakeClock(0);
  const fired: string[] = [];
  for (const [name, atMs] of [
    ["c", 30],
    ["a", 10],
    ["b1", 20],
    ["b2", 20],
  ] as const)
    clock.at(atMs, () => fired.push(`${name}@${clock.nowMs()}`));

  clock.advance(25);
  clock.advance(100);

  expect(fired).toEqual(["a@10", "b1@20", "b2@20", "c@30"]);
  expect(clock.nowMs()).toBe(125);
});

test("a timer that a knock sets within the move fires in the same move", () => {
  const clock = createFakeClock(0);
  const firedAtMs: number[] = [];
  const repeat = (): void => {
    firedAtMs.push(clock.nowMs());
    clock.after(10, repeat);
  };
  clock.after(10, repeat);

  clock.advance(35);

  expect(firedAtMs).toEqual([10, 20, 30]);
  expect(clock.waiting()).toBe(1);
});

test("a cancelled timer doesn't fire, also when another knock cancels it at the same moment", () => {
  const clock = createFakeClock(0);
  const fired: string[] = [];
  clock.at(10, () => cancelSecond());
  const cancelSecond = clock.at(10, () => fired.push("second"));
  const cancelThird = clock.at(11, () => fired.push("third"));

  cancelThird();
  clock.advance(20);

  expect(fired).toEqual([]);
});

test("the clock never goes back", () => {
  const clock = createFakeClock(1_000);

  clock.jumpTo(500);

  expect(clock.nowMs()).toBe(1_000);
});

test.each([
  ["back", 400],
  ["forward", 1_500],
])("a wait is as long as it was when the time is set %s; a date is met when the time shows it", (_name, setToMs) => {
  const clock = createFakeClock(1_000);
  const fired: string[] = [];
  clock.after(100, () => fired.push("wait"));
  clock.at(1_700, () => fired.push("date"));

  clock.set(setToMs);
  const firedBySetting = fired.length;
  clock.advance(100);
  clock.jumpTo(1_699);
  const firedBefore = [...fired];
  clock.jumpTo(1_700);

  expect(firedBySetting).toBe(0);
  expect(firedBefore).toEqual(["wait"]);
  expect(fired).toEqual(["wait", "date"]);
});
